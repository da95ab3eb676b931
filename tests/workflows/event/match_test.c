/* match_test.c - patterns, filters and inputs. */
#include "tests/workflows/support.h"

#include "workflows/event/match.h"

TEST(patterns_match_as_github_documents_them)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "main", "main", true },
		{ "main", "mainline", false },
		{ "*", "main", true },
		{ "*", "a/b", false },
		{ "**", "a/b", true },
		{ "releases/**", "releases/beta/3-alpha", true },
		{ "mona/octocat", "mona/octocat", true },
		{ "feature/*", "feature/my-branch", true },
		{ "feature/*", "feature/a/b", false },
		{ "**-release", "mona/v2-release", true },
		{ "v2*", "v2.0", true },
		{ "v[12].[0-9]+.[0-9]+", "v1.10.1", true },
		{ "v[12].[0-9]+.[0-9]+", "v3.10.1", false },
		{ "*.jsx?", "page.js", true },
		{ "*.jsx?", "page.jsx", true },
		{ "*.jsx?", "a/page.js", false },
		{ "**.js", "src/js/app.js", true },
		{ "docs/**/*.md", "docs/README.md", true },
		{ "docs/**/*.md", "docs/a/markdown/file.md", true },
		{ "**/README.md", "README.md", true },
		{ "**/README.md", "js/README.md", true },
		{ "**/*src/**", "a/src/app.js", true },
		{ "**/migrate-*.sql", "db/sept/migrate-v1.sql", true },
		{ "\\*", "*", true },
		{ "\\*", "a", false },
		{ "[", "[", true },
		{ "", "", true },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (workflow_glob_match(lb_bytes_of(cases[i].pattern),
		                        lb_bytes_of(cases[i].text)) != cases[i].matches) {
			printf("# %s against %s\n", cases[i].pattern, cases[i].text);
			t->failures++;
		}
	}
}

#define JOBS "jobs: {a: {runs-on: x}}\n"

static void matches(struct test *t, const char *on, struct workflow_event event, const char *why)
{
	struct workflow *workflow;
	struct lb_arena arena;
	struct workflow_mismatch mismatch = { 0 };
	struct lb_diag diag = { 0 };
	const char *source;

	lb_arena_init(&arena, t->mem);
	source = support_path(&arena, "on: %s\n" JOBS, on);
	CHECK_OK(workflow_parse(&workflow, t->mem, lb_bytes_of(source), "ci.yml", &diag));
	CHECK(workflow_matches_event(workflow, &event, &mismatch) == (why[0] == 0));
	CHECK((mismatch.line > 0) == (why[0] != 0));
	CHECK_TEXT(mismatch.diag.text, why);
	workflow_free(workflow);
	lb_arena_release(&arena);
}

TEST(an_event_is_matched_or_it_is_said_why_not)
{
	struct workflow_event push = { .name = LB_LIT("push"), .ref = LB_LIT("refs/heads/main") };
	struct workflow_event tag = { .name = LB_LIT("push"), .ref = LB_LIT("refs/tags/v1") };
	struct workflow_event pull = { .name = LB_LIT("pull_request"),
		                       .action = LB_LIT("opened"),
		                       .base_ref = LB_LIT("main") };
	struct workflow_event labeled = pull;
	const struct lb_bytes files[] = { LB_LIT("docs/a.md"), LB_LIT("src/a.c") };
	struct workflow_event changed = push;

	labeled.action = LB_B("labeled");
	changed.paths = files;
	changed.path_count = 2;
	matches(t, "push", push, "");
	matches(t, "[pull_request, push]", push, "");
	matches(t, "pull_request", push, "on: 'push' is not among its events");
	matches(t, "{push: {branches: [main, 'x/**']}}", push, "");
	matches(t, "{push: {branches: ['**', '!main']}}", push,
	        "branches: 'main' is excluded by '!main'");
	matches(t, "{push: {branches-ignore: main}}", push,
	        "branches-ignore: 'main' matches 'main'");
	matches(t, "{push: {tags: 'v*'}}", push, "tags: 'refs/heads/main' is a branch");
	matches(t, "{push: {tags: 'v*'}}", tag, "");
	matches(t, "{push: {branches: main}}", tag, "branches: 'refs/tags/v1' is a tag");
	matches(t, "pull_request", pull, "");
	matches(t, "pull_request", labeled,
	        "types: 'labeled' is not among the default activity types of "
	        "'pull_request' (opened synchronize reopened)");
	matches(t, "{pull_request: {types: [labeled]}}", labeled, "");
	matches(t, "{pull_request: {branches: release}}", pull,
	        "branches: 'main' matches no pattern");
	matches(t, "{push: {paths: ['src/**']}}", changed, "");
	matches(t, "{push: {paths: ['x/**']}}", changed, "paths: none of 2 changed files matches");
	matches(t, "{push: {paths-ignore: ['**.md']}}", changed, "");
	matches(t, "{push: {paths-ignore: ['**']}}", changed,
	        "paths-ignore: all of 2 changed files match");
	changed.paths_unknown = true;
	matches(t, "{push: {paths: ['x/**']}}", changed, "");
}

static void inputs(struct test *t, const char *given, const char *want)
{
	static const char source[] =
		"on: {workflow_dispatch: {inputs: {level: {type: choice, options: [low, high], "
		"default: low}, dry: {type: boolean}, count: {type: number, default: 3}, tag: "
		"{required: true}}}}\n" JOBS;
	const struct lb_value *value = NULL;
	struct lb_diag diag = { 0 };
	struct workflow *workflow;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(workflow_parse(&workflow, t->mem, lb_bytes_of(source), "ci.yml", &diag));
	err = workflow_inputs(&value, &arena, workflow_trigger_find(workflow, "workflow_dispatch"),
	                      support_json(&arena, given), NULL, &diag);
	CHECK_TEXT(lb_failed(err) ? diag.text : support_text(&arena, value), want);
	workflow_free(workflow);
	lb_arena_release(&arena);
}

TEST(inputs_have_their_types_and_defaults)
{
	inputs(t, "{'tag': 'v1', 'dry': 'true'}",
	       "{\"level\":\"low\",\"dry\":true,\"count\":3,\"tag\":\"v1\"}");
	inputs(t, "{}", "Required input 'tag' not provided");
	inputs(t, "{'tag': 'x', 'level': 'top'}",
	       "Provided value 'top' for input 'level' not in the list of allowed values");
	inputs(t, "{'tag': 'x', 'count': 'many'}",
	       "Provided value 'many' for input 'count' is not a number");
	inputs(t, "{'tag': 'x', 'other': '1'}", "Unexpected inputs provided: [\"other\"]");
}
