/* buf_test.c - growable bytes: limits, sticky failure, memory running out. */
#include "base/buf.h"
#include "tests/harness/test.h"

TEST(buf_keeps_what_is_added)
{
	struct lb_buf buf;

	lb_buf_init(&buf, t->mem, 1000);
	CHECK_TEXT(lb_buf_text(&buf), "");
	lb_buf_add(&buf, LB_B("one "));
	lb_buf_addf(&buf, "%d %s", 2, "three");
	lb_buf_add_byte(&buf, '!');
	CHECK_TEXT(lb_buf_text(&buf), "one 2 three!");
	lb_buf_consume(&buf, 4);
	CHECK_BYTES(lb_buf_bytes(&buf), "2 three!");
	lb_buf_release(&buf);
}

TEST(buf_stops_at_its_maximum_and_stays_stopped)
{
	struct lb_buf buf;

	lb_buf_init(&buf, t->mem, 4);
	lb_buf_add(&buf, LB_B("1234"));
	CHECK(!lb_failed(lb_buf_check(&buf)));
	lb_buf_add_byte(&buf, '5');
	CHECK(lb_code_of(lb_buf_check(&buf)) == LB_E_LIMIT && lb_where(lb_buf_check(&buf)) == 4);
	lb_buf_reset(&buf);
	lb_buf_add(&buf, LB_B("ok"));
	CHECK(!lb_failed(lb_buf_check(&buf)) && buf.len == 2);
	lb_buf_release(&buf);
}

TEST(buf_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_buf buf;

		lb_buf_init(&buf, t->mem, 1 << 20);
		for (int i = 0; i < 100; i++)
			lb_buf_addf(&buf, "line %d\n", i);
		CHECK(lb_failed(lb_buf_check(&buf)) == t->heap.failed);
		CHECK(!t->heap.failed || lb_code_of(lb_buf_check(&buf)) == LB_E_NOMEM);
		lb_buf_release(&buf);
	}
}
