/* workflow_test.c - files into trees: what is found, what is wrong and where, memory, cuts. */
#include "tests/workflows/support.h"

#include "workflows/syntax/workflow.h"

static const char sample[] =
	"name: CI\n"
	"run-name: Run ${{ github.ref }}\n"
	"on:\n"
	"  push: {branches: [main, 'release/**'], paths-ignore: docs/**}\n"
	"  schedule: [{cron: '0 3 * * *', timezone: Europe/Berlin}]\n"
	"  workflow_dispatch: {inputs: {level: {type: choice, options: [low, high]}}}\n"
	"permissions: {contents: read}\n"
	"env: {A: 1, B: '${{ vars.B }}'}\n"
	"jobs:\n"
	"  build:\n"
	"    runs-on: [self-hosted, '${{ inputs.level }}']\n"
	"    permissions: write-all\n"
	"    steps:\n"
	"      - run: echo ${{ github.sha }} and ${{ env.A }}\n"
	"      - {id: get, uses: actions/checkout@v4, with: {depth: 0}}\n"
	"      - {run: 'true', if: always()}\n"
	"  test:\n"
	"    needs: [build, BUILD]\n"
	"    if: github.ref == 'refs/heads/main'\n"
	"    strategy: &s {matrix: {shard: [1, 2]}}\n"
	"    runs-on: x\n"
	"  again:\n"
	"    needs: test\n"
	"    strategy: *s\n"
	"    runs-on: x\n";

TEST(ids_are_made_without_regard_to_case)
{
	static const char source[] =
		"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n"
		"      - uses: a/b@v1\n      - uses: A/b@v1\n      - uses: a/B@v1\n"
		"      - { id: __a, run: x }\n      - uses: a/b@v2\n";
	static const char *const ids[] = { "__a_b", "__A_b_2", "__a_B_3", "__a", "__a_b_4" };
	struct workflow *w;

	CHECK_OK(workflow_check(&w, t->mem, lb_bytes_of(source), "ci.yml"));
	CHECK(w->job_count == 1 && w->jobs[0].step_count == 5);
	for (uint32_t i = 0; i < 5; i++)
		CHECK_BYTES(w->jobs[0].steps[i].id, ids[i]);
	workflow_free(w);
}

TEST(a_file_becomes_a_tree)
{
	struct workflow *w;
	const struct workflow_job *test;
	struct lb_diag diag = { 0 };

	CHECK_OK(workflow_parse(&w, t->mem, lb_bytes_of(sample), "ci.yml", &diag));
	CHECK_BYTES(w->name, "CI");
	CHECK_BYTES(w->run_name->text, "format('Run {0}', github.ref)");
	CHECK(w->trigger_count == 3 && w->job_count == 3 && w->problem_count == 0);
	CHECK(w->triggers[0].branches.count == 2 && w->triggers[0].paths_ignore.count == 1);
	CHECK_BYTES(w->triggers[1].timezones.at[0]->text, "Europe/Berlin");
	CHECK(w->triggers[2].inputs[0].type == WORKFLOW_INPUT_CHOICE);
	CHECK(w->jobs[0].permissions.of[WORKFLOW_PERMISSION_ID_TOKEN] == WORKFLOW_ACCESS_WRITE);
	CHECK(w->jobs[1].permissions.of[WORKFLOW_PERMISSION_CONTENTS] == WORKFLOW_ACCESS_READ);
	CHECK_BYTES(w->jobs[0].steps[0].run->text, "format('echo {0} and {1}', github.sha, env.A)");
	CHECK_BYTES(w->jobs[0].steps[0].id, "__run");
	CHECK_BYTES(w->jobs[0].steps[1].id, "get");
	CHECK_BYTES(w->jobs[0].steps[2].id, "__run_2");
	CHECK(w->jobs[0].steps[0].run->line == 14 && w->jobs[0].steps[0].run->column == 14);
	test = workflow_job_find(w, LB_B("TEST"));
	CHECK(test != NULL && test->need_count == 1 && test->needs[0] == &w->jobs[0]);
	CHECK(w->jobs[0].user_count == 1 && w->jobs[0].users[0] == test);
	CHECK_BYTES(test->condition->text, "success() && (github.ref == 'refs/heads/main')");
	CHECK(w->jobs[2].matrix != NULL);
	CHECK(workflow_job_find(w, LB_B("none")) == NULL);
	CHECK(workflow_trigger_find(w, "push") == &w->triggers[0]);
	workflow_free(w);
}

static void refused(struct test *t, const char *source, const char *why)
{
	struct workflow *w;
	struct lb_diag diag = { 0 };
	lb_err err = workflow_parse(&w, t->mem, lb_bytes_of(source), "ci.yml", &diag);

	CHECK(lb_code_of(err) == LB_E_INVALID && w == NULL);
	CHECK_TEXT(diag.text, why);
}

TEST(faults_are_named_with_their_place)
{
	refused(t, "", "ci.yml (Line: 1, Col: 1): Unexpected value ''");
	refused(t, "on: push\njobs: {a: {runs-on: x}}\ntypo: 1\n",
	        "ci.yml (Line: 3, Col: 1): Unexpected value 'typo'");
	refused(t, "jobs: {a: {runs-on: x}}\n",
	        "ci.yml (Line: 1, Col: 1): Required property is missing: on");
	refused(t, "on: [push, nothing]\njobs: {a: {runs-on: x}}\n",
	        "ci.yml (Line: 1, Col: 12): Unexpected value 'nothing'");
	refused(t, "on: push\njobs: {a: {runs-on: x, needs: a}}\n",
	        "ci.yml (Line: 2, Col: 7): The workflow must contain at least one job with no "
	        "dependencies.");
	refused(t, "on: push\njobs: {b: {runs-on: x}, a: {runs-on: x, needs: [b, c]}}\n",
	        "ci.yml (Line: 2, Col: 52): Job 'a' depends on unknown job 'c'.");
	refused(t, "on: push\njobs: {a: {runs-on: x, steps: [{run: '${{ matrix.x.( }}'}]}}\n",
	        "ci.yml (Line: 2, Col: 38): Unexpected symbol: '('. Located at position 10 within "
	        "expression: matrix.x.(");
	refused(t, "on: push\njobs: [\n",
	        "ci.yml (Line: 2, Col: 7): this [ is never closed by a ]");
}

TEST(all_faults_of_a_file_are_found_at_once)
{
	static const char source[] = "on: {push: {types: [x]}}\n"
				     "extra: 1\n"
				     "jobs:\n"
				     "  a: {runs-on: x, env: {A: '${{ secrets }'}}\n"
				     "  b: {runs-on: x, A: 1, a: 2}\n";
	struct workflow *w;

	CHECK_OK(workflow_check(&w, t->mem, lb_bytes_of(source), "ci.yml"));
	CHECK(w->problem_count == 5);
	CHECK(w->problems[0].line == 2 && w->problems[1].line == 4 && w->problems[2].line == 5);
	CHECK_BYTES(w->problems[3].message, "'a' is already defined");
	CHECK(w->problems[4].warning && w->problems[4].line == 1);
	workflow_free(w);
}

TEST(what_only_the_editor_refuses_is_a_warning)
{
	static const char source[] =
		"on: {push: {types: [x], branches: }}\njobs: {a: {runs-on: x}}\n";
	struct workflow *w;

	CHECK_OK(workflow_parse(&w, t->mem, lb_bytes_of(source), "ci.yml", NULL));
	CHECK(w->problem_count > 0 && w->problems[0].warning);
	workflow_free(w);
}

TEST(parsing_survives_every_oom)
{
	EACH_OOM (t) {
		struct workflow *w;
		lb_err err = workflow_parse(&w, t->mem, lb_bytes_of(sample), "ci.yml", NULL);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(lb_failed(err) == (w == NULL));
		workflow_free(w);
	}
}

TEST(every_cut_is_refused_or_parsed)
{
	for (size_t len = 0; len < sizeof sample; len++) {
		struct lb_bytes cut =
			test_exact((struct lb_bytes){ (const unsigned char *)sample, len });
		struct workflow *w;
		lb_err err = workflow_parse(&w, t->mem, cut, "ci.yml", NULL);

		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_INVALID);
		workflow_free(w);
		test_exact_free(cut);
	}
}

TEST(many_jobs_are_linked_in_time)
{
	enum { JOBS = 5000 };
	struct workflow *w;
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 1 << 20);
	lb_buf_add_text(&text, "on: push\njobs:\n");
	for (unsigned i = JOBS; i-- > 0;) { /* a chain, the last job first */
		lb_buf_addf(&text, "  j%u: {runs-on: x, needs: [%s", i, i > 0 ? "j" : "");
		lb_buf_addf(&text, i > 0 ? "%u]}\n" : "]}\n", i - 1);
	}
	CHECK_OK(workflow_parse(&w, t->mem, lb_buf_bytes(&text), "ci.yml", NULL));
	CHECK(w != NULL && w->job_count == JOBS && w->jobs[0].needs[0] == &w->jobs[1]);
	workflow_free(w);
	lb_buf_release(&text);
}
