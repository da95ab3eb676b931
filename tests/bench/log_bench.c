/* log_bench.c - a million lines of a step (6.9 MB), secrets hidden, times added, shipped by the
 * spool.
 *
 * What a step prints comes in parts of 64 KiB, as from its pipe; whole lines go through the mask
 * into the log, the log's chunks through the spool, from which what was taken is acknowledged at
 * once, as a coordinator on the same machine does.  Beside it: the same without secrets, with a
 * thousand, and with a secret in every hundredth line; and copying as many bytes as come out, which
 * is the floor.
 */
#include "base/mem.h"
#include "base/platform/plat.h"
#include "ci-runner/log/log.h"
#include "ci-runner/log/spool.h"
#include "ci-runner/text/lines.h"
#include "tests/bench/bench.h"
#include "tests/harness/test.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINES = 1000000, RUNS = 9, PART_BYTES = 65536, CHUNK_BYTES = 1024 * 1024 };

struct pipe {
	struct runner_log log;
	struct runner_lines lines;
	struct runner_spool spool;
	struct lb_buf chunk;
	uint64_t shipped;
};

static uint64_t now(void) { return plat_host.ops->now_ns(&plat_host); }

static void ship(struct pipe *p)
{
	lb_buf_reset(&p->chunk);
	lb_ignore(runner_spool_peek(&p->chunk, &p->spool, CHUNK_BYTES));
	p->shipped += p->chunk.len;
	lb_ignore(runner_spool_acknowledge(&p->spool, p->shipped));
}

static void on_log(void *ctx, struct lb_bytes lines)
{
	struct pipe *p = ctx;

	if (lb_failed(runner_spool_add(&p->spool, lines)))
		abort();
	if (runner_spool_left(&p->spool) >= CHUNK_BYTES)
		ship(p);
}

static size_t on_line(void *ctx, struct lb_bytes text, bool ended)
{
	struct pipe *p = ctx;

	if (!ended)
		return runner_log_piece(&p->log, text);
	runner_log_line(&p->log, text);
	return text.len;
}

static void on_block(void *ctx, struct lb_bytes lines)
{
	runner_log_lines(&((struct pipe *)ctx)->log, lines);
}

static void run(struct bench *bench, struct lb_bytes text, unsigned secrets)
{
	struct pipe p = { 0 };
	char secret[64];
	uint64_t begin;

	runner_log_init(&p.log, &lb_mem_host, &plat_host, NULL, on_log, &p);
	runner_lines_init(&p.lines, &lb_mem_host, on_line, &p);
	p.lines.block = on_block;
	runner_spool_init(&p.spool, &lb_mem_host, &plat_host, "/nonexistent/spool", 0);
	lb_buf_init(&p.chunk, &lb_mem_host, 2 * CHUNK_BYTES);
	if (lb_failed(runner_mask_new(&p.log.mask, &lb_mem_host)))
		abort();
	for (unsigned i = 0; i < secrets; i++) {
		(void)snprintf(secret, sizeof secret, "s3cr3t-%u-%s", i * 7919u, "of-somebody");
		if (lb_failed(runner_mask_add(p.log.mask, lb_bytes_of(secret))))
			abort();
	}
	begin = now();
	for (struct lb_bytes rest = text; rest.len > 0; rest = lb_bytes_from(rest, PART_BYTES)) {
		if (lb_failed(runner_lines_add(&p.lines, lb_bytes_upto(rest, PART_BYTES))))
			abort();
		runner_log_flush(&p.log);
	}
	runner_lines_end(&p.lines);
	runner_log_flush(&p.log);
	while (runner_spool_left(&p.spool) > 0)
		ship(&p);
	bench_add(bench, now() - begin);
	runner_mask_free(p.log.mask);
	lb_buf_release(&p.chunk);
	runner_spool_release(&p.spool);
	runner_lines_release(&p.lines);
	runner_log_release(&p.log);
}

/* As many bytes as a log of this text has. */
static void copy(struct bench *bench, struct lb_bytes text)
{
	size_t size = text.len + (size_t)LINES * RUNNER_LOG_TIME_LEN;
	struct lb_buf from, to;
	uint64_t begin;

	lb_buf_init(&from, &lb_mem_host, size + 1);
	lb_buf_init(&to, &lb_mem_host, size + 1);
	while (from.len < size)
		lb_buf_add(&from, lb_bytes_upto(text, size - from.len));
	begin = now();
	lb_buf_add(&to, lb_buf_bytes(&from));
	bench_add(bench, now() - begin);
	lb_buf_release(&to);
	lb_buf_release(&from);
}

static void print_rate(struct bench *bench, size_t bytes)
{
	printf("%-34s %8.0f MB/s of what the step prints\n", bench->name,
	       (double)bytes / 1e6 / ((double)bench_median(bench) / 1e9));
}

static void make_text(struct lb_buf *out, bool secrets)
{
	lb_buf_init(out, &lb_mem_host, 256 * 1024 * 1024);
	for (unsigned i = 1; i <= LINES; i++) {
		if (secrets && i % 100 == 0)
			lb_buf_addf(out, "token s3cr3t-%u-of-somebody\n", i % 700 / 100 * 7919u);
		else
			lb_buf_addf(out, "%u\n", i);
	}
}

TEST(a_million_lines_masked_and_shipped)
{
	static struct bench floor = { .name = "copying the log's bytes" };
	static struct bench none = { .name = "no secret" };
	static struct bench ten = { .name = "10 secrets" };
	static struct bench many = { .name = "1000 secrets" };
	static struct bench shown = { .name = "10 secrets, one in every 100 lines" };
	struct lb_buf plain, spiced;

	make_text(&plain, false);
	make_text(&spiced, true);
	for (unsigned i = 0; i < RUNS; i++) {
		copy(&floor, lb_buf_bytes(&plain));
		run(&none, lb_buf_bytes(&plain), 0);
		run(&ten, lb_buf_bytes(&plain), 10);
		run(&many, lb_buf_bytes(&plain), 1000);
		run(&shown, lb_buf_bytes(&spiced), 10);
	}
	printf("%d lines, %.1f MB\n", LINES, (double)plain.len / 1e6);
	bench_print(&floor, NULL);
	bench_print(&none, &floor);
	bench_print(&ten, &floor);
	bench_print(&many, &floor);
	bench_print(&shown, &floor);
	print_rate(&none, plain.len);
	print_rate(&ten, plain.len);
	print_rate(&many, plain.len);
	print_rate(&shown, spiced.len);
	lb_buf_release(&spiced);
	lb_buf_release(&plain);
	(void)t;
}
