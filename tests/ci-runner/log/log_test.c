/* log_test.c - lines with times, nothing secret, always UTF-8; and the spool behind them. */
#include "base/platform/plat.h"
#include "ci-runner/log/log.h"
#include "ci-runner/log/spool.h"
#include "tests/harness/test.h"

#include <unistd.h>

struct written {
	struct lb_buf text; /* without the times */
	struct test *t;
};

static void keep(void *ctx, struct lb_bytes lines)
{
	struct written *w = ctx;
	struct test *t = w->t;
	struct lb_bytes line;

	CHECK(lb_bytes_ends(lines, LB_B("\n")));
	while (lines.len > 0 && lb_bytes_split(&line, &lines, '\n')) {
		CHECK(line.len >= RUNNER_LOG_TIME_LEN);
		if (line.len < RUNNER_LOG_TIME_LEN)
			continue;
		CHECK(line.at[10] == 'T' && line.at[27] == 'Z' && line.at[28] == ' ');
		lb_buf_addf(&w->text, "%.*s\n", LB_FMT(lb_bytes_from(line, RUNNER_LOG_TIME_LEN)));
	}
}

struct logging {
	struct runner_mask *mask;
	struct runner_log log;
	struct written written;
};

static bool begin(struct test *t, struct logging *l)
{
	l->written.t = t;
	lb_buf_init(&l->written.text, t->mem, 1 << 20);
	if (!CHECK_OK(runner_mask_new(&l->mask, t->mem)))
		return false;
	runner_log_init(&l->log, t->mem, &plat_host, l->mask, keep, &l->written);
	return true;
}

static void end(struct logging *l)
{
	runner_log_release(&l->log);
	runner_mask_free(l->mask);
	lb_buf_release(&l->written.text);
}

TEST(lines_are_masked_and_well_formed)
{
	struct logging l;

	if (begin(t, &l)) {
		CHECK_OK(runner_mask_add(l.mask, LB_B("hunter2")));
		runner_log_line(&l.log, LB_B("plain"));
		runner_log_line(&l.log, LB_B("pass hunter2 word"));
		runner_log_line(&l.log, LB_B("a\xff\xfe"
		                             "b\xe2\x82"));
		runner_log_line(&l.log, LB_B("one\ntwo"));
		runner_log_line(&l.log, LB_B(""));
		runner_log_linef(&l.log, "%s %d", "formatted hunter2", 7);
		CHECK(l.written.text.len == 0);
		runner_log_flush(&l.log);
		CHECK_BYTES(lb_buf_bytes(&l.written.text),
		            "plain\npass *** word\na\xef\xbf\xbd\xef\xbf\xbd"
		            "b\xef\xbf\xbd"
		            "\xef\xbf\xbd\none\ntwo\n\nformatted *** 7\n");
		CHECK(l.log.size > l.written.text.len);
	}
	end(&l);
}

/* A secret and a character across the place where a long line is cut. */
TEST(pieces_hide_what_stands_across_them)
{
	struct logging l;

	if (begin(t, &l)) {
		struct lb_buf text;
		size_t took;

		CHECK_OK(runner_mask_add(l.mask, LB_B("hunter2")));
		lb_buf_init(&text, t->mem, 4096);
		lb_buf_add_text(&text, "abc hun");
		took = runner_log_piece(&l.log, lb_buf_bytes(&text));
		CHECK(took == 4);
		lb_buf_consume(&text, took);
		lb_buf_add_text(&text, "ter2 d\xc3");
		took = runner_log_piece(&l.log, lb_buf_bytes(&text));
		lb_buf_consume(&text, took);
		CHECK(text.len == 1);
		lb_buf_add_text(&text, "\xa4");
		runner_log_line(&l.log, lb_buf_bytes(&text));
		runner_log_flush(&l.log);
		CHECK_BYTES(lb_buf_bytes(&l.written.text), "abc \n*** d\n\xc3\xa4\n");
		lb_buf_release(&text);
	}
	end(&l);
}

TEST(a_line_lost_to_memory_is_said)
{
	EACH_OOM (t) {
		struct written w = { .t = t };
		struct runner_mask *mask;
		struct runner_log log;

		lb_buf_init(&w.text, &lb_mem_host, 1 << 20);
		CHECK_OK(runner_mask_new(&mask, &lb_mem_host));
		runner_log_init(&log, t->mem, &plat_host, mask, keep, &w);
		runner_log_line(&log, LB_B("first"));
		runner_log_line(&log, LB_B("second"));
		runner_log_flush(&log);
		CHECK(lb_bytes_ends(lb_buf_bytes(&w.text), LB_B("second\n")) || t->heap.failed);
		CHECK(t->heap.failed || lb_bytes_is(lb_buf_bytes(&w.text), "first\nsecond\n"));
		runner_log_release(&log);
		runner_mask_free(mask);
		lb_buf_release(&w.text);
	}
}

/* ---- the spool ---- */

/* Bytes whose value says their offset, so that any loss or doubling shows. */
static unsigned char byte_at(uint64_t offset)
{
	return (unsigned char)(offset * 31 + offset / 251);
}

static bool add(struct test *t, struct runner_spool *spool, size_t len)
{
	unsigned char bytes[512];

	for (size_t i = 0; i < len; i++)
		bytes[i] = byte_at(spool->total + i);
	return CHECK_OK(runner_spool_add(spool, (struct lb_bytes){ bytes, len }));
}

TEST(the_spool_keeps_order_in_memory_and_on_disk)
{
	struct runner_spool spool;
	struct lb_buf path, part;

	lb_buf_init(&path, t->mem, 4096);
	lb_buf_init(&part, t->mem, 1 << 20);
	lb_buf_addf(&path, "%s/spool", test_folder(t));
	runner_spool_init(&spool, t->mem, &plat_host, lb_buf_text(&path), 1000);
	for (unsigned round = 0; round < 2000; round++) {
		if (test_random(t) % 3 != 0) {
			if (!add(t, &spool, 1 + test_random(t) % 500))
				break;
			continue;
		}
		lb_buf_reset(&part);
		CHECK_OK(runner_spool_peek(&part, &spool, 1 + test_random(t) % 700));
		CHECK(part.len > 0 || runner_spool_left(&spool) == 0);
		for (size_t i = 0; i < part.len; i++) {
			if (part.at[i] != byte_at(spool.acknowledged + i)) {
				CHECK(part.at[i] == byte_at(spool.acknowledged + i));
				break;
			}
		}
		CHECK_OK(runner_spool_acknowledge(&spool, spool.acknowledged + part.len));
	}
	CHECK(spool.file >= 0);
	CHECK(lb_code_of(runner_spool_acknowledge(&spool, spool.total + 1)) == LB_E_RANGE);
	CHECK(lb_code_of(runner_spool_acknowledge(&spool, spool.acknowledged - 1)) == LB_E_RANGE);
	/* The other side has more than was peeked at: an answer that was lost. */
	CHECK_OK(runner_spool_acknowledge(&spool, spool.total));
	CHECK(runner_spool_left(&spool) == 0 && spool.file < 0);
	CHECK(add(t, &spool, 10));
	runner_spool_release(&spool);
	CHECK(access(lb_buf_text(&path), F_OK) != 0);
	lb_buf_release(&part);
	lb_buf_release(&path);
}

TEST(a_full_disk_loses_nothing)
{
	struct plat_sim sim;
	struct runner_spool spool;
	struct lb_buf path;

	lb_buf_init(&path, t->mem, 4096);
	lb_buf_addf(&path, "%s/spool", test_folder(t));
	plat_sim_init(&sim, 1);
	runner_spool_init(&spool, t->mem, &sim.plat, lb_buf_text(&path), 8);
	CHECK_OK(runner_spool_add(&spool, LB_B("12345678")));
	sim.fault = LB_E_NOSPACE;
	sim.fail_at = sim.calls + 2; /* the write, not the opening */
	CHECK(lb_code_of(runner_spool_add(&spool, LB_B("abc"))) == LB_E_NOSPACE);
	CHECK(spool.total == 8);
	sim.fail_at = 0;
	CHECK_OK(runner_spool_add(&spool, LB_B("abc")));
	CHECK(spool.total == 11);
	runner_spool_release(&spool);
	lb_buf_release(&path);
}
