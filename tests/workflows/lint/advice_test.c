/* advice_test.c - what is said of workflows that GitHub accepts, rule by rule. */
#include "tests/workflows/support.h"

#include "workflows/lint/advice.h"

static const char *advice_text(struct lb_arena *arena, const struct workflow *workflow,
                               struct lb_bytes source)
{
	const struct workflow_advice *advice;
	struct lb_bytes text = LB_B("");
	uint32_t count;

	if (lb_failed(workflow_advise(&advice, &count, arena, workflow, source)))
		return NULL;
	for (uint32_t i = 0; i < count; i++)
		text = lb_arena_format(arena, "%.*s%u:%u %s: %.*s\n", LB_FMT(text), advice[i].line,
		                       advice[i].column, workflow_rule_name(advice[i].rule),
		                       LB_FMT(advice[i].message));
	return lb_arena_text(arena, text);
}

static void says(struct test *t, const char *source, const char *want)
{
	struct workflow *workflow;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(workflow_parse(&workflow, t->mem, lb_bytes_of(source), "a.yml", &diag));
	CHECK_TEXT(diag.text, "");
	if (workflow != NULL)
		CHECK_TEXT(advice_text(&arena, workflow, lb_bytes_of(source)), want);
	workflow_free(workflow);
	lb_arena_release(&arena);
}

#define JOB "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"

TEST(nothing_is_said_of_a_good_workflow)
{
	says(t,
	     JOB "      - id: s\n        run: echo ${{ github.sha }} ${{ steps.s.outputs.x }}\n"
	         "        env: { T: '${{ github.event.issue.title }}' }\n"
	         "    outputs: { o: '${{ steps.S.outputs.x }}' }\n"
	         "  b:\n    needs: a\n    if: always()\n    runs-on: x\n    steps:\n"
	         "      - run: echo ${{ needs.a.outputs.O }} ${{ needs.A.result }}\n",
	     "");
}

TEST(scripts_must_not_hold_what_strangers_write)
{
	says(t, JOB "      - run: echo ${{ github.event.issue.title }} ${{ github.head_ref }}\n",
	     "6:19 script-injection: strangers can write github.event.issue.title, and it becomes "
	     "part of the script; pass it through `env`\n"
	     "6:51 script-injection: strangers can write github.head_ref, and it becomes "
	     "part of the script; pass it through `env`\n");
	says(t,
	     JOB
	     "      - run: echo ${{ toJSON(GitHub.event) || github.event.commits[0].message }}\n",
	     "6:19 script-injection: strangers can write GitHub.event, and it becomes part of the "
	     "script; pass it through `env`\n"
	     "6:19 script-injection: strangers can write github.event.commits.*.message, and it "
	     "becomes part of the script; pass it through `env`\n");
	says(t,
	     JOB "      - uses: actions/github-script@"
	         "0123456789012345678901234567890123456789\n"
	         "        with: { script: 'f(`${{ github.event.comment.body }}`)' }\n",
	     "7:29 script-injection: strangers can write github.event.comment.body, and it becomes "
	     "part of the script; pass it through `env`\n");
}

TEST(comparing_what_strangers_write_is_safe)
{
	says(t,
	     JOB "      - run: echo ${{ github.head_ref == 'x' }} ${{ "
	         "contains(github.event.issue.body, 'y') }}\n"
	         "        if: startsWith(github.event.issue.title, 'z')\n",
	     "");
	says(t,
	     JOB "      - run: echo ${{ fromJSON('{}')[github.head_ref] }} ${{ github.event.number "
	         "}}\n",
	     "");
}

TEST(actions_are_pinned_by_commit)
{
	says(t,
	     JOB "      - uses: actions/checkout@v4\n      - uses: ./local\n"
	         "      - uses: a/b/c@0123456789abcdef0123456789abcdef01234567\n"
	         "      - uses: docker://alpine:3\n"
	         "      - uses: docker://alpine@sha256:0123\n"
	         "  b:\n    uses: a/b/.github/workflows/c.yml@main\n",
	     "6:15 unpinned-action: actions/checkout@v4 can change; name a commit by its full SHA\n"
	     "9:15 unpinned-action: docker://alpine:3 can change; name a commit by its full "
	     "SHA-256 digest\n"
	     "12:11 unpinned-action: a/b/.github/workflows/c.yml@main can change; name a commit by "
	     "its full SHA\n");
}

TEST(what_is_read_must_exist)
{
	says(t,
	     JOB "      - id: s\n        run: echo ${{ steps.z.outputs.x }}\n"
	         "        if: steps['y'].outcome == 'success'\n"
	         "    outputs: { o: 1 }\n"
	         "  b:\n    needs: a\n    runs-on: x\n    steps:\n"
	         "      - run: echo ${{ needs.a.outputs.p }} ${{ needs.*.result }}\n"
	         "        env: { N: '${{ needs.c.result }}' }\n"
	         "  c:\n    uses: ./.github/workflows/d.yml\n"
	         "  d:\n    needs: c\n    runs-on: '${{ needs.c.outputs.any }}'\n    steps: [ run: "
	         "x ]\n",
	     "7:19 unknown-step: job 'a' has no step 'z'\n"
	     "8:13 unknown-step: job 'a' has no step 'y'\n"
	     "14:19 unknown-output: job 'a' has no output 'p'\n"
	     "15:20 unknown-need: job 'b' does not need a job 'c'\n");
	says(t,
	     "on:\n  workflow_call:\n    outputs:\n      x: { value: '${{ jobs.a.outputs.y }}' }\n"
	     "jobs:\n  a:\n    runs-on: x\n    steps: [ run: x ]\n",
	     "4:20 unknown-output: job 'a' has no output 'y'\n");
}

TEST(inputs_must_be_defined)
{
	says(t,
	     "on:\n  workflow_dispatch: { inputs: { a: {} } }\n"
	     "  workflow_call: { inputs: { b: { type: string } } }\n"
	     "run-name: ${{ inputs.A }} ${{ inputs.c }}\n"
	     "jobs:\n  a:\n    runs-on: x\n    if: inputs.b && inputs.d\n    steps: [ run: x ]\n",
	     "4:27 unknown-input: the workflow has no input 'c'\n"
	     "8:9 unknown-input: the workflow has no input 'd'\n");
}

TEST(old_commands_are_named_where_they_stand)
{
	says(t,
	     JOB "      - run: |\n          echo hi\n\n"
	         "            echo '::set-output name=a::b'\n          echo ::add-path::/x\n",
	     "9:19 old-command: '::set-output' is deprecated; write NAME=VALUE to $GITHUB_OUTPUT\n"
	     "10:16 old-command: '::add-path::' is refused; write the folder to $GITHUB_PATH\n");
}

TEST(jobs_that_never_run_are_named)
{
	says(t,
	     JOB
	     "      - run: x\n    needs: [b, d]\n"
	     "  b:\n    if: ${{ false }}\n    runs-on: x\n    steps: [ run: x ]\n"
	     "  c:\n    needs: a\n    if: failure() || success()\n    runs-on: x\n    steps: [ "
	     "run: x ]\n"
	     "  d:\n    if: (github.ref || true) && !true\n    runs-on: x\n    steps: [ run: x ]\n"
	     "  e:\n    needs: b\n    if: always() || github.ref\n    runs-on: x\n    steps: [ "
	     "run: x ]\n",
	     "8:3 unreachable-job: job 'b' can never run: its condition is always false\n"
	     "17:3 unreachable-job: job 'd' can never run: its condition is always false\n"
	     "3:3 unreachable-job: job 'a' can never run: it needs the success of a job that never "
	     "runs\n");
}

TEST(a_file_with_faults_gets_no_advice)
{
	const struct workflow_advice *advice;
	struct workflow *workflow;
	struct lb_arena arena;
	uint32_t count = 1;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(workflow_check(&workflow, t->mem, LB_B("jobs: ["), "a.yml"));
	CHECK_OK(workflow_advise(&advice, &count, &arena, workflow, LB_B("")));
	CHECK(count == 0);
	workflow_free(workflow);
	CHECK_OK(workflow_check(
		&workflow, t->mem,
		LB_B(JOB "      - { uses: a/b@v1, if: a && }\n    if: nothing\n    needs: z\n"),
		"a.yml"));
	CHECK(workflow->job_count == 1 && workflow->jobs[0].condition == NULL);
	CHECK_OK(workflow_advise(&advice, &count, &arena, workflow, LB_B("")));
	CHECK(count == 0);
	workflow_free(workflow);
	lb_arena_release(&arena);
}

TEST(advice_survives_every_oom)
{
	static const char source[] =
		JOB "      - uses: a/b@v1\n      - run: echo ${{ github.event.*.title }}\n";

	EACH_OOM (t) {
		const struct workflow_advice *advice;
		struct workflow *workflow = NULL;
		struct lb_arena arena;
		uint32_t count;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = workflow_parse(&workflow, t->mem, lb_bytes_of(source), "a.yml", NULL);
		if (!lb_failed(err))
			err = workflow_advise(&advice, &count, &arena, workflow,
			                      lb_bytes_of(source));
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		workflow_free(workflow);
		lb_arena_release(&arena);
	}
}
