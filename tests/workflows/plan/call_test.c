/* call_test.c - workflows of other repositories, and the limits of what is called. */
#include "tests/workflows/plan/run.h"

static const char remote[] =
	"on:\n  workflow_call:\n    inputs: {n: {type: number, required: true}}\n"
	"    outputs: {sum: {value: '${{ jobs.last.outputs.sum }}'}}\njobs:\n"
	"  first:\n    uses: ./.github/workflows/inner.yml\n  last:\n"
	"    needs: first\n    runs-on: x\n    name: Last ${{ inputs.n }}\n"
	"    outputs: {sum: y}\n" STEPS;
static const char inner[] = "on: workflow_call\njobs:\n" JOB("deep") STEPS;

static struct files others = {
	.path = { "octo/tools/.github/workflows/x.yml@v1",
	          "octo/tools/.github/workflows/inner.yml@v1" },
	.text = { remote, inner },
};

TEST(a_workflow_of_another_repository_becomes_part_of_the_run)
{
	struct run run = run_new(
		t,
		HEAD "  call:\n    uses: octo/tools/.github/workflows/x.yml@v1\n    with: {n: 7}\n"
		     "  again:\n    uses: OCTO/tools/.github/workflows/x.yml@v1\n    with: {n: 8}\n"
		     "    strategy: {matrix: {os: [a, b]}}\n" JOB(
			     "end") "    needs: call\n"
				    "    name: End ${{ needs.call.outputs.sum }}\n" STEPS,
		&others);

	CHECK_TEXT(run_states(&run),
	           "call:waiting call/first:waiting call/first/deep:ready call/last:waiting "
	           "again.0:waiting again.0/first:waiting again.0/first/deep:ready "
	           "again.0/last:waiting again.1:waiting again.1/first:waiting "
	           "again.1/first/deep:ready again.1/last:waiting end:waiting");
	run_finish(&run, "call/first/deep", GOOD, NULL);
	CHECK_BYTES(run_find(&run, "call/last")->name, "call / Last 7");
	CHECK_BYTES(run_find(&run, "call/last")->file, "octo/tools/.github/workflows/x.yml@v1");
	CHECK_BYTES(run_find(&run, "again.1/first/deep")->name, "again (b) / first / deep");
	run_finish(&run, "call/last", GOOD, "{'sum': '3'}");
	CHECK_BYTES(run_find(&run, "end")->name, "End 3");
	run_close(&run);
}

TEST(calls_with_a_matrix_keep_to_max_parallel)
{
	struct run run = run_new(
		t,
		HEAD "  call:\n    uses: octo/tools/.github/workflows/inner.yml@v1\n"
		     "    strategy: {max-parallel: 1, fail-fast: true, matrix: {n: [1, 2, 3]}}\n",
		&others);

	CHECK_TEXT(run_states(&run),
	           "call.0:waiting call.0/deep:ready call.1:waiting call.2:waiting");
	CHECK(workflow_plan_find(run.plan, LB_B("call.1/deep")) == NULL);
	run_finish(&run, "call.0/deep", GOOD, NULL);
	CHECK_TEXT(run_states(&run),
	           "call.0:success call.0/deep:success call.1:waiting call.1/deep:ready "
	           "call.2:waiting");
	run_finish(&run, "call.1/deep", BAD, NULL);
	CHECK_TEXT(run_states(&run),
	           "call.0:success call.0/deep:success call.1:failure call.1/deep:failure "
	           "call.2:waiting! call.2/deep:ready!");
	run_finish(&run, "call.2/deep", STOPPED, NULL);
	CHECK(workflow_plan_conclusion(run.plan) == BAD);
	run_close(&run);
}

/* ---- identity tokens ---- */

static const char asks[] = "on: workflow_call\njobs:\n  a: {runs-on: x, permissions: {id-token: "
			   "write}, steps: [{run: y}]}\n"
			   "  b: {runs-on: x, steps: [{run: y}]}\n";

static struct files askers = {
	.path = { ".github/workflows/x.yml", "octo/tools/.github/workflows/x.yml@v1" },
	.text = { asks, asks },
};

static enum workflow_access token_of(struct run *run, const char *id)
{
	return run_find(run, id)->permissions.of[WORKFLOW_PERMISSION_ID_TOKEN];
}

/* Files of the same owner may ask for one; others only where the caller grants it. */
TEST(identity_tokens_are_for_files_of_the_same_owner)
{
	struct run run = run_new(t, HEAD "  c: {uses: ./.github/workflows/x.yml}\n", &askers);
	struct lb_diag diag = { 0 };

	CHECK(token_of(&run, "c/a") == WORKFLOW_ACCESS_WRITE);
	CHECK(token_of(&run, "c/b") == WORKFLOW_ACCESS_NONE);
	run_close(&run);
	CHECK(lb_code_of(run_open(&run, t,
	                          HEAD "  c: {uses: octo/tools/.github/workflows/x.yml@v1}\n",
	                          &askers, &diag)) == LB_E_INVALID);
	CHECK_TEXT(diag.text,
	           "ci.yml (Line: 3, Col: 3): Error calling workflow "
	           "'octo/tools/.github/workflows/x.yml@v1'. The nested job 'a' is requesting "
	           "'id-token: write', but is only allowed 'id-token: none'.");
	run_close(&run);
	run = run_new(t,
	              HEAD "  c:\n    uses: octo/tools/.github/workflows/x.yml@v1\n"
	                   "    permissions: {id-token: write}\n",
	              &askers);
	CHECK(token_of(&run, "c/a") == WORKFLOW_ACCESS_WRITE);
	CHECK(token_of(&run, "c/b") == WORKFLOW_ACCESS_WRITE);
	run_close(&run);
}

/* ---- limits ---- */

/* A chain of files, each calling the next. */
static void chain(struct files *files, struct lb_arena *arena, unsigned count)
{
	*files = (struct files){ 0 };
	for (unsigned i = 0; i < count; i++) {
		files->path[i] = support_path(arena, ".github/workflows/%u.yml", i);
		files->text[i] =
			i + 1 < count ? support_path(arena,
		                                     "on: workflow_call\njobs: {a: {uses: "
		                                     "./.github/workflows/%u.yml}}\n",
		                                     i + 1)
				      : "on: workflow_call\njobs: {a: {runs-on: x, steps: [{run: "
					"y}]}}\n";
	}
}

static void opens(struct test *t, const char *text, struct files *files, const char *want)
{
	struct lb_diag diag = { 0 };
	struct run run;
	lb_err err = run_open(&run, t, text, files, &diag);

	CHECK_TEXT(diag.text, want);
	CHECK(lb_failed(err) == (want[0] != 0));
	CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_LIMIT);
	run_close(&run);
}

TEST(ten_levels_can_be_called_and_no_more)
{
	static struct files files;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	chain(&files, &arena, 9);
	opens(t, HEAD "  a:\n    uses: ./.github/workflows/0.yml\n", &files, "");
	chain(&files, &arena, 10);
	opens(t, HEAD "  a:\n    uses: ./.github/workflows/0.yml\n", &files,
	      ".github/workflows/8.yml (Line: 2, Col: 18): Nested reusable workflow depth exceeded "
	      "9.");
	lb_arena_release(&arena);
}

/* A run that calls so many files, one each. */
static const char *caller_of(struct lb_arena *arena, struct files *files, unsigned count)
{
	struct lb_buf text;
	const char *copy;

	*files = (struct files){ 0 };
	lb_buf_init(&text, arena->under, 1 << 20);
	lb_buf_add_text(&text, HEAD);
	for (unsigned i = 0; i < count; i++) {
		files->path[i] = support_path(arena, ".github/workflows/%u.yml", i);
		files->text[i] = inner;
		lb_buf_addf(&text, "  j%u: {uses: ./.github/workflows/%u.yml}\n", i, i);
		lb_buf_addf(&text, "  k%u: {uses: ./.github/workflows/%u.yml}\n", i, i);
	}
	copy = lb_arena_text(arena, lb_buf_bytes(&text));
	lb_buf_release(&text);
	return copy;
}

TEST(fifty_files_can_be_called_and_no_more)
{
	static struct files files;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	opens(t, caller_of(&arena, &files, 50), &files, "");
	opens(t, caller_of(&arena, &files, 51), &files,
	      "ci.yml (Line: 103, Col: 15): The maximum file count of 51 has been exceeded");
	lb_arena_release(&arena);
}

/* ---- outputs ---- */

static const char *long_outputs(struct lb_arena *arena, size_t characters)
{
	char *text = LB_ARENA_NEW(arena, char, characters + 32);
	size_t at = (size_t)snprintf(text, 16, "{'k': '");

	memset(text + at, 'a', characters);
	(void)snprintf(text + at + characters, 8, "'}");
	return text;
}

TEST(outputs_are_limited_as_github_limits_them)
{
	struct run run = run_new(t, HEAD JOB("a") STEPS JOB("b") STEPS, NULL);
	size_t most = WORKFLOW_OUTPUTS_MAX / 2 - 1; /* without the name */

	run_finish(&run, "a", GOOD, long_outputs(&run.arena, most));
	run_finish(&run, "b", GOOD, long_outputs(&run.arena, most + 1));
	CHECK_TEXT(run_states(&run), "a:success b:failure");
	CHECK_BYTES(run_find(&run, "b")->why, "the outputs of the job are larger than 1 MB");
	run_finish(&run, "b", GOOD, NULL); /* the same end again */
	run_close(&run);
}
