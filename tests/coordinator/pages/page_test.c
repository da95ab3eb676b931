/* page_test.c - pages from values: everything that others control is escaped, states and logs are
 * right. */
#include "base/data/json.h"
#include "coordinator/pages/asset.h"
#include "coordinator/pages/page.h"
#include "tests/harness/test.h"

#include <string.h>

static const char run_json[] =
	"{\"id\": 7, \"number\": 3, \"attempt\": 1, \"repository\": \"o/r\", \"workflow\": "
	"\"ci.yml\", \"name\": \"CI\","
	" \"title\": \"<script>alert(1)</script>\", \"event\": \"push\", \"ref\": "
	"\"refs/heads/main\","
	" \"sha\": \"0123456789abcdef\", \"status\": \"completed\", \"conclusion\": \"failure\","
	" \"created_at\": \"2026-01-02T03:04:05.000Z\", \"started_at\": "
	"\"2026-01-02T03:04:05.000Z\","
	" \"completed_at\": \"2026-01-02T03:05:10.000Z\", \"jobs\": ["
	" {\"id\": 1, \"key\": \"build\", \"name\": \"build\", \"status\": \"completed\", "
	"\"conclusion\": \"success\","
	"  \"needs\": [], \"url\": \"/runs/7/jobs/1\"},"
	" {\"id\": 2, \"key\": \"test (1)\", \"name\": \"test \\\"1\\\" & more\", \"status\": "
	"\"completed\","
	"  \"conclusion\": \"failure\", \"needs\": [\"build\"], \"url\": \"/runs/7/jobs/2\","
	"  \"attempts\": [{\"number\": 1, \"reason\": \"the runner was lost\"}],"
	"  \"annotations\": [{\"level\": \"error\", \"message\": \"<b>bad</b>\", \"file\": "
	"\"a.c\", \"line\": 4}],"
	"  \"summary\": \"<i>sum</i>\"}]}";

static bool has(const struct lb_buf *buf, const char *text)
{
	return strstr(lb_buf_text(buf), text) != NULL;
}

TEST(run_page_escapes_what_others_wrote_and_draws_the_graph)
{
	struct lb_arena arena;
	struct lb_value *run;
	struct lb_buf out;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&out, t->mem, 1 << 20);
	CHECK_OK(lb_json_read(&run, &arena, LB_B(run_json), NULL));
	coord_page_run(&out, run, NULL, 1800000000u * UINT64_C(1000000000));
	CHECK_OK(lb_buf_check(&out));
	CHECK(!has(&out, "<script>alert") && has(&out, "&lt;script&gt;alert(1)"));
	CHECK(!has(&out, "<b>bad") && has(&out, "&lt;b&gt;bad"));
	CHECK(!has(&out, "<i>sum") && has(&out, "&lt;i&gt;sum"));
	CHECK(has(&out, "test &quot;1&quot; &amp; more") ||
	      has(&out, "test &#34;1&#34; &amp; more"));
	CHECK(has(&out, "attempt 1: the runner was lost"));
	CHECK(has(&out, "1m 05s"));
	CHECK(has(&out, "<svg") && has(&out, "class=\"edge\""));
	CHECK(!has(&out, "data-live")); /* it is over */
	lb_buf_release(&out);
	lb_arena_release(&arena);
}

TEST(lines_become_items_with_numbers_colours_and_marks)
{
	struct lb_buf out;
	static const char text[] = "T0 plain <x>\nT1 \x1b[1;31mred\x1b[0m after\nT2 "
				   "##[error]no\nT3 \x1b[38;5;200mpal\x1b]x\nT4";

	lb_buf_init(&out, t->mem, 1 << 16);
	CHECK(coord_page_lines(&out, LB_B(text), 10) == 5);
	CHECK(has(&out, "<li id=\"L10\"><a href=\"#L10\" title=\"T0\">10</a><span>plain "
	                "&lt;x&gt;</span></li>"));
	CHECK(has(&out, "<span class=\"b c31\">red</span> after"));
	CHECK(has(&out, "<li id=\"L12\" class=\"error\">"));
	CHECK(has(&out, "<span>palx</span>"));
	CHECK(has(&out, "id=\"L14\""));
	lb_buf_release(&out);
}

TEST(lines_cut_at_every_byte_stay_well_formed)
{
	static const char text[] = "T \x1b[1;38;2;1;2;3;31mred\x1b[0m \x1b";

	for (size_t len = 0; len < sizeof text; len++) {
		struct lb_bytes cut =
			test_exact((struct lb_bytes){ (const unsigned char *)text, len });
		struct lb_buf out;
		const char *at;
		int depth = 0;

		lb_buf_init(&out, t->mem, 1 << 16);
		(void)coord_page_lines(&out, cut, 1);
		for (at = lb_buf_text(&out); (at = strstr(at, "span")) != NULL; at += 4)
			depth += at[-1] == '/' ? -1 : 1;
		CHECK(depth == 0);
		lb_buf_release(&out);
		test_exact_free(cut);
	}
}

TEST(job_page_opens_the_step_that_failed)
{
	struct lb_arena arena;
	struct lb_value *job;
	struct lb_buf out;
	struct coord_page_log log = { .text = LB_LIT("T one\nT two\nT three\n"), .size = 20 };
	const char *second;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&out, t->mem, 1 << 20);
	CHECK_OK(lb_json_read(&job, &arena,
	                      LB_B("{\"id\": 2, \"name\": \"j\", \"status\": \"completed\", "
	                           "\"conclusion\": \"failure\","
	                           "\"run\": {\"id\": 7}, \"steps\": [{\"number\": 1, \"name\": "
	                           "\"first\", \"status\": \"completed\","
	                           "\"conclusion\": \"success\", \"log_begin\": 0, \"log_end\": "
	                           "6}, {\"number\": 2, \"name\": \"second\","
	                           "\"status\": \"completed\", \"conclusion\": \"failure\", "
	                           "\"log_begin\": 6, \"log_end\": 20}]}"),
	                      NULL));
	coord_page_job(&out, job, &log, 0);
	CHECK_OK(lb_buf_check(&out));
	second = strstr(lb_buf_text(&out), "<details class=\"step\" open>");
	CHECK(second != NULL && strstr(second, "second") != NULL &&
	      strstr(second, "first") == NULL);
	CHECK(second != NULL && strstr(second, "id=\"L2\"") != NULL &&
	      strstr(second, "three") != NULL);
	lb_buf_release(&out);
	lb_arena_release(&arena);
}

/* A step that runs has an end that is not one yet. */
TEST(job_page_gives_what_is_left_to_the_step_that_runs)
{
	struct lb_arena arena;
	struct lb_value *job;
	struct lb_buf out;
	struct coord_page_log log = { .text = LB_LIT("T one\nT two\n"), .size = 12 };

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&out, t->mem, 1 << 20);
	CHECK_OK(lb_json_read(
		&job, &arena,
		LB_B("{\"id\": 2, \"name\": \"j\", \"status\": \"in_progress\", \"run\": {\"id\": "
	             "7},"
	             "\"steps\": [{\"number\": 1, \"name\": \"s\", \"status\": \"in_progress\","
	             "\"log_begin\": 0, \"log_end\": 0}]}"),
		NULL));
	coord_page_job(&out, job, &log, 0);
	CHECK(has(&out, "id=\"L2\"") && has(&out, "data-log=\"/api/v1/jobs/2/log/live\""));
	lb_buf_release(&out);
	lb_arena_release(&arena);
}

TEST(assets_are_there)
{
	struct lb_bytes content;
	const char *type;

	CHECK(coord_asset_find(&content, &type, LB_B("style.css")) && content.len > 1000);
	CHECK(coord_asset_find(&content, &type, LB_B("app.js")) &&
	      lb_bytes_starts(content, LB_B("// app.js")));
	CHECK(!coord_asset_find(&content, &type, LB_B("../page.c")));
}

TEST(pages_survive_every_oom)
{
	struct lb_arena arena;
	struct lb_value *run;

	lb_arena_init(&arena, &lb_mem_host);
	CHECK_OK(lb_json_read(&run, &arena, LB_B(run_json), NULL));
	EACH_OOM (t) {
		struct lb_buf out;

		lb_buf_init(&out, t->mem, 1 << 20);
		coord_page_run(&out, run, NULL, 0);
		CHECK(lb_failed(lb_buf_check(&out)) == t->heap.failed);
		lb_buf_release(&out);
	}
	lb_arena_release(&arena);
}
