/* rules_test.c - what GitHub's own sources say of strategies, names, groups and environments. */
#include "tests/workflows/plan/run.h"

/* The first job of a run whose job `a` has these keys. */
static const struct workflow_instance *first(struct run *run, struct test *t, const char *keys)
{
	char source[1024];

	(void)snprintf(source, sizeof source, HEAD JOB("a") "%s" STEPS, keys);
	*run = run_new(t, source, NULL);
	return workflow_plan_at(run->plan, 0);
}

static void fails(struct test *t, const char *keys, const char *why)
{
	struct run run;
	const struct workflow_instance *a = first(&run, t, keys);

	CHECK(a->state == WORKFLOW_DONE && a->result == BAD);
	CHECK_BYTES(a->why, why);
	run_close(&run);
}

TEST(a_matrix_that_excludes_everything_leaves_one_job)
{
	struct run run;
	const struct workflow_instance *a =
		first(&run, t, "    strategy: {matrix: {n: [1, 2], exclude: [{n: 1}, {n: 2}]}}\n");

	CHECK(workflow_plan_count(run.plan) == 1);
	CHECK_BYTES(a->id, "a");
	CHECK_BYTES(a->name, "a");
	CHECK(a->state == WORKFLOW_READY && a->matrix->kind == LB_NULL);
	CHECK_TEXT(support_text(&run.arena, a->strategy),
	           "{\"fail-fast\":true,\"job-index\":0,\"job-total\":1,\"max-parallel\":1}");
	run_close(&run);
}

TEST(a_strategy_is_shown_as_it_counts)
{
	struct run run;
	const struct workflow_instance *a = first(
		&run, t,
		"    strategy: {matrix: {n: [1, 2, 3]}, max-parallel: 2.5, fail-fast: false}\n");

	CHECK_TEXT(support_text(&run.arena, a->strategy),
	           "{\"fail-fast\":false,\"job-index\":0,\"job-total\":3,\"max-parallel\":2}");
	run_close(&run);
	a = first(&run, t, "    strategy: {matrix: {n: [1, 2, 3]}, max-parallel: 0}\n");
	CHECK(a->max_parallel == 3);
	run_close(&run);
	fails(t, "    strategy: {matrix: {n: [1]}, fail-fast: \"${{ github.event_name }}\"}\n",
	      "Error when evaluating 'strategy' for job 'a'. ci.yml (Line: 5, Col: 24): Unexpected "
	      "value 'push'");
	fails(t, "    strategy: {matrix: {n: [1]}, max-parallel: \"${{ github.event_name }}\"}\n",
	      "Error when evaluating 'strategy' for job 'a'. ci.yml (Line: 5, Col: 24): Unexpected "
	      "value 'push'");
}

TEST(names_are_cut_at_a_hundred_utf16_units_unless_they_are_expressions)
{
	static const char grins[] = "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀"
				    "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀";
	char keys[512], want[512];
	struct run run;
	const struct workflow_instance *a;

	/* 100 units and " (x)": 97 are kept, and no half of a character */
	(void)snprintf(keys, sizeof keys, "    name: %s\n    strategy: {matrix: {n: [x]}}\n",
	               grins);
	(void)snprintf(want, sizeof want, "%.*s...", 48 * 4, grins);
	a = first(&run, t, keys);
	CHECK_BYTES(a->name, want);
	run_close(&run);
	(void)snprintf(keys, sizeof keys, "    name: \"%s${{ inputs.level }}\"\n", grins);
	(void)snprintf(want, sizeof want, "%shigh", grins);
	a = first(&run, t, keys);
	CHECK_BYTES(a->name, want);
	run_close(&run);
	a = first(&run, t,
	          "    name: \"${{ github.head_ref }}\"\n    strategy: {matrix: {n: [x]}}\n");
	CHECK_BYTES(a->name, "a (x)");
	run_close(&run);
}

TEST(groups_have_names_and_truth_values)
{
	fails(t, "    concurrency: \"${{ github.head_ref }}\"\n",
	      "Error when evaluating 'concurrency' for job 'a'. ci.yml (Line: 5, Col: 18): "
	      "Concurrency group name cannot be empty");
	fails(t, "    concurrency: {group: g, cancel-in-progress: \"${{ github.event_name }}\"}\n",
	      "Error when evaluating 'concurrency' for job 'a'. ci.yml (Line: 5, Col: 18): "
	      "Unexpected "
	      "value 'push'");
}

TEST(an_environment_can_be_without_a_deployment)
{
	struct run run;
	const struct workflow_instance *a =
		first(&run, t, "    environment: {name: prod, deployment: false}\n");

	CHECK_BYTES(a->environment, "prod");
	CHECK(!a->deployment);
	run_close(&run);
	a = first(&run, t, "    environment: prod\n");
	CHECK(a->deployment);
	run_close(&run);
}

TEST(the_group_of_a_run_is_refused_with_its_place)
{
	struct lb_diag diag = { 0 };
	struct run run;
	lb_err err =
		run_open(&run, t,
	                 "on: push\nconcurrency: ${{ github.head_ref }}\njobs:\n" JOB("a") STEPS,
	                 NULL, &diag);

	CHECK(lb_code_of(err) == LB_E_INVALID);
	CHECK_TEXT(diag.text, "ci.yml (Line: 2, Col: 14): Concurrency group name cannot be empty");
	run_close(&run);
}
