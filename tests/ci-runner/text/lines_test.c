/* lines_test.c - lines in a stream: their ends, their lengths, the places it is cut at. */
#include "ci-runner/text/lines.h"
#include "tests/harness/test.h"

struct seen {
	struct lb_buf text; /* "line|" for a line, "piece+" for a piece */
	size_t leave;       /* bytes of a piece not taken */
};

static size_t see(void *ctx, struct lb_bytes text, bool ended)
{
	struct seen *seen = ctx;
	size_t take = ended || text.len < seen->leave ? text.len : text.len - seen->leave;

	if (text.len > 1000)
		lb_buf_addf(&seen->text, "%zu%s", take, ended ? "|" : "+");
	else
		lb_buf_addf(&seen->text, "%.*s%s", LB_FMT(lb_bytes_upto(text, take)),
		            ended ? "|" : "+");
	return take;
}

static void feed(struct test *t, struct seen *seen, const char *text, size_t step)
{
	struct runner_lines lines;
	struct lb_bytes rest = lb_bytes_of(text);

	lb_buf_reset(&seen->text);
	runner_lines_init(&lines, t->mem, see, seen);
	while (rest.len > 0) {
		struct lb_bytes part = test_exact(lb_bytes_upto(rest, step));

		CHECK_OK(runner_lines_add(&lines, part));
		test_exact_free(part);
		rest = lb_bytes_from(rest, step);
	}
	runner_lines_end(&lines);
	runner_lines_release(&lines);
}

TEST(lines_end_as_they_do_on_any_system)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "", "" },           { "a", "a|" },
		{ "a\n", "a|" },      { "a\nb", "a|b|" },
		{ "\n\n", "||" },     { "a\r\nb\r\n", "a|b|" },
		{ "a\rb", "a|b|" },   { "a\r\r\nb", "a||b|" },
		{ "\r\n\r\n", "||" }, { "10%\r20%\r\n", "10%|20%|" },
	};
	struct seen seen = { .leave = 0 };

	lb_buf_init(&seen.text, t->mem, 65536);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (size_t step = 1; step < 8; step++) {
			feed(t, &seen, cases[i].text, step);
			CHECK_BYTES(lb_buf_bytes(&seen.text), cases[i].want);
		}
	}
	lb_buf_release(&seen.text);
}

TEST(long_lines_come_in_pieces)
{
	struct seen seen = { .leave = 100 };
	struct runner_lines lines;
	static unsigned char part[RUNNER_LINE_SOFT_MAX];

	memset(part, 'x', sizeof part);
	lb_buf_init(&seen.text, t->mem, 65536);
	runner_lines_init(&lines, t->mem, see, &seen);
	CHECK_OK(runner_lines_add(&lines, (struct lb_bytes){ part, sizeof part - 1 }));
	CHECK(seen.text.len == 0);
	CHECK_OK(runner_lines_add(&lines, (struct lb_bytes){ part, 2 }));
	CHECK_OK(runner_lines_add(&lines, LB_B("y\nz\n")));
	runner_lines_end(&lines);
	/* 65537 bytes came: 65437 were taken, and what was not came again with the end. */
	CHECK(lb_bytes_starts(lb_buf_bytes(&seen.text), LB_B("65437+xxxx")));
	CHECK(lb_bytes_ends(lb_buf_bytes(&seen.text), LB_B("xxxy|z|")));
	runner_lines_release(&lines);
	lb_buf_release(&seen.text);
}

TEST(long_commands_stay_whole)
{
	struct seen seen = { .leave = 0 };
	struct runner_lines lines;
	static unsigned char part[RUNNER_LINE_SOFT_MAX];

	memset(part, 'x', sizeof part);
	lb_buf_init(&seen.text, t->mem, 65536);
	runner_lines_init(&lines, t->mem, see, &seen);
	CHECK_OK(runner_lines_add(&lines, LB_B(" ::set-output name=a::")));
	for (unsigned i = 0; i < 4; i++)
		CHECK_OK(runner_lines_add(&lines, (struct lb_bytes){ part, sizeof part }));
	CHECK(seen.text.len == 0);
	CHECK_OK(runner_lines_add(&lines, LB_B("\n")));
	CHECK_BYTES(lb_buf_bytes(&seen.text), "262166|");
	runner_lines_release(&lines);
	lb_buf_release(&seen.text);
}

TEST(lines_survive_every_oom)
{
	EACH_OOM (t) {
		struct seen seen = { .leave = 0 };
		struct runner_lines lines;
		lb_err err;

		lb_buf_init(&seen.text, &lb_mem_host, 65536);
		runner_lines_init(&lines, t->mem, see, &seen);
		err = runner_lines_add(&lines, LB_B("begun"));
		CHECK(lb_failed(err) == t->heap.failed);
		/* It goes on with the next line. */
		CHECK_OK(runner_lines_add(&lines, LB_B("\nnext\n")));
		CHECK(lb_bytes_ends(lb_buf_bytes(&seen.text), LB_B("next|")));
		runner_lines_release(&lines);
		lb_buf_release(&seen.text);
	}
}
