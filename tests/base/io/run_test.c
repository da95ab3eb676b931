/* run_test.c - running programs to their end: streams, limits, time, memory. */
#include "base/io/run.h"
#include "base/platform/plat.h"
#include "tests/harness/test.h"

#include <signal.h>

#define SH(script) \
	(const char *const[]) { "sh", "-c", (script), NULL }

static struct lb_buf buf_of(struct test *t, size_t max)
{
	struct lb_buf buf;

	lb_buf_init(&buf, t->mem, max);
	return buf;
}

static uint64_t now_ms(void) { return plat_host.ops->now_ns(&plat_host) / 1000000; }

TEST(run_keeps_both_streams_apart)
{
	struct lb_buf out = buf_of(t, 100), err = buf_of(t, 100);
	struct plat_exit status;

	CHECK_OK(lb_run(&status, &(struct lb_run){ .argv = SH("echo a; echo b >&2; exit 3") }, &out,
	                &err, NULL));
	CHECK(!status.signaled && status.number == 3);
	CHECK_TEXT(lb_buf_text(&out), "a\n");
	CHECK_TEXT(lb_buf_text(&err), "b\n");
	lb_buf_reset(&out);
	CHECK_OK(lb_run(&status, &(struct lb_run){ .argv = SH("echo a; echo b >&2; echo c") }, &out,
	                &out, NULL));
	CHECK_TEXT(lb_buf_text(&out), "a\nb\nc\n");
	CHECK_OK(lb_run(&status, &(struct lb_run){ .argv = SH("echo a; echo b >&2; kill -2 $$") },
	                NULL, NULL, NULL));
	CHECK(status.signaled && status.number == SIGINT);
	lb_buf_release(&out);
	lb_buf_release(&err);
}

TEST(run_moves_a_megabyte_each_way_without_loss)
{
	enum { LEN = 1 << 20 };
	struct lb_buf in = buf_of(t, LEN), out = buf_of(t, LEN), err = buf_of(t, LEN);
	struct plat_exit status;

	for (int i = 0; i < LEN / 8; i++)
		lb_buf_addf(&in, "%07d\n", i);
	CHECK_OK(lb_run(&status,
	                &(struct lb_run){ .argv = SH("tee /dev/stderr"),
	                                  .input = lb_buf_bytes(&in),
	                                  .timeout_ms = 60000 },
	                &out, &err, NULL));
	CHECK(status.number == 0 && lb_bytes_eq(lb_buf_bytes(&in), lb_buf_bytes(&out)));
	CHECK(lb_bytes_eq(lb_buf_bytes(&in), lb_buf_bytes(&err)));
	lb_buf_release(&in);
	lb_buf_release(&out);
	lb_buf_release(&err);
}

TEST(run_survives_a_program_that_does_not_read)
{
	struct lb_buf in = buf_of(t, 1 << 20), out = buf_of(t, 100);
	struct plat_exit status;

	for (int i = 0; i < 100000; i++)
		lb_buf_add_byte(&in, 'x');
	CHECK_OK(lb_run(&status,
	                &(struct lb_run){ .argv = SH("exec <&-; echo done"),
	                                  .input = lb_buf_bytes(&in) },
	                &out, NULL, NULL));
	CHECK(status.number == 0);
	CHECK_TEXT(lb_buf_text(&out), "done\n");
	lb_buf_release(&in);
	lb_buf_release(&out);
}

TEST(run_does_not_wait_for_what_was_left_running)
{
	struct lb_buf out = buf_of(t, 100);
	struct plat_exit status;
	uint64_t start = now_ms();

	CHECK_OK(lb_run(&status, &(struct lb_run){ .argv = SH("sleep 5 & echo done") }, &out, NULL,
	                NULL));
	CHECK(now_ms() - start < 4000);
	CHECK_TEXT(lb_buf_text(&out), "done\n");
	lb_buf_release(&out);
}

TEST(run_ends_what_prints_too_much)
{
	struct lb_buf out = buf_of(t, 1000);
	struct lb_diag diag = { 0 };
	struct plat_exit status;

	CHECK(lb_code_of(lb_run(&status, &(struct lb_run){ .argv = SH("exec yes") }, &out, NULL,
	                        &diag)) == LB_E_LIMIT);
	CHECK(out.len == 1000);
	CHECK_TEXT(diag.text, "sh: printed more than the 1000 bytes allowed");
	lb_buf_reset(&out);
	CHECK_OK(lb_run(&status, &(struct lb_run){ .argv = SH("head -c 1000 /dev/zero") }, &out,
	                NULL, NULL)); /* just as much as fits */
	lb_buf_release(&out);
}

TEST(run_ends_the_group_when_time_is_up)
{
	struct lb_buf out = buf_of(t, 100);
	struct lb_diag diag = { 0 };
	struct plat_exit status;
	uint64_t start = now_ms();
	struct lb_run how = { .argv = SH("echo early; (sleep 30; echo x) & wait"),
		              .timeout_ms = 100 };

	CHECK(lb_code_of(lb_run(&status, &how, &out, NULL, &diag)) == LB_E_TIMEOUT);
	CHECK(status.signaled && status.number == SIGTERM && now_ms() - start < 1500);
	CHECK_TEXT(lb_buf_text(&out), "early\n");
	CHECK_TEXT(diag.text, "sh: not ended after 100 ms");
	/* One that will not listen is killed. */
	how.argv = SH("trap '' TERM; while :; do sleep 0.2; done");
	start = now_ms();
	CHECK(lb_code_of(lb_run(&status, &how, NULL, NULL, NULL)) == LB_E_TIMEOUT);
	CHECK(status.signaled && status.number == SIGKILL);
	CHECK(now_ms() - start >= LB_RUN_GRACE_MS);
	lb_buf_release(&out);
}

TEST(run_ok_says_what_went_wrong)
{
	struct lb_buf out = buf_of(t, 100);
	struct lb_diag diag = { 0 };
	struct lb_run how = { .argv = SH(
				      "echo fine; echo first >&2; echo 'last one' >&2; exit 9") };

	CHECK(lb_code_of(lb_run_ok(&how, &out, &diag)) == LB_E_FAILED);
	CHECK_TEXT(diag.text, "sh: exit status 9: last one");
	CHECK_TEXT(lb_buf_text(&out), "fine\n");
	how.argv = SH("kill -9 $$");
	CHECK(lb_code_of(lb_run_ok(&how, NULL, &diag)) == LB_E_FAILED);
	CHECK_TEXT(diag.text, "sh: ended by signal 9");
	how.argv = SH("exit 0");
	CHECK_OK(lb_run_ok(&how, NULL, &diag));
	how.argv = (const char *const[]){ "no-such-program-here", NULL };
	CHECK(lb_code_of(lb_run_ok(&how, NULL, &diag)) == LB_E_NOTFOUND);
	CHECK_TEXT(diag.text, "cannot run no-such-program-here: not found");
	how.cwd = "/no/such/folder";
	CHECK(lb_code_of(lb_run_ok(&how, NULL, &diag)) == LB_E_NOTFOUND);
	CHECK_TEXT(diag.text,
	           "cannot run no-such-program-here: there is no folder /no/such/folder");
	lb_buf_release(&out);
}

TEST(run_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_buf out = buf_of(t, 1 << 20);
		lb_err err = lb_run_ok(
			&(struct lb_run){ .argv = SH("head -c 3000 /dev/zero; echo x >&2") }, &out,
			NULL);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_buf_release(&out);
	}
}
