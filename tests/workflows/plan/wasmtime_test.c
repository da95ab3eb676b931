/* wasmtime_test.c - Wasmtime's own main.yml: a run of close to two hundred jobs, to its end. */
#include "tests/workflows/support.h"

#include "workflows/plan/plan.h"

#include <time.h>

enum { TESTS = 91, BUILDS = 32 };

static double milliseconds(clock_t since)
{
	return (double)(clock() - since) * 1000 / CLOCKS_PER_SEC;
}

/* What its job `determine` computes, in the same shape and size. */
static const struct lb_value *determined(struct lb_arena *arena)
{
	static const char *const flags[] = { "audit",        "run-full",     "platform-checks",
		                             "test-nightly", "test-gc-zeal", "test-capi",
		                             "run-dwarf",    "test-miri",    "preview1-adapter" };
	struct lb_value *outputs = lb_value_object(arena);
	struct lb_buf tests, builds;

	lb_buf_init(&tests, arena->under, 1 << 20);
	lb_buf_init(&builds, arena->under, 1 << 20);
	for (unsigned i = 0; i < TESTS; i++) {
		lb_buf_addf(&tests,
		            "%s{\"name\":\"Test "
		            "%u\",\"os\":\"ubuntu-24.04\",\"rust\":\"\",\"bucket\":\"",
		            i > 0 ? "," : "[", i);
		for (unsigned k = 0; k < 200; k++)
			lb_buf_add_text(&tests, "-p crate-name ");
		lb_buf_add_text(&tests, "\"}");
	}
	for (unsigned i = 0; i < BUILDS; i++)
		lb_buf_addf(&builds, "%s{\"build\":\"target-%u\",\"os\":\"ubuntu-latest\"}",
		            i > 0 ? "," : "{\"include\":[", i);
	lb_buf_add_text(&tests, "]");
	lb_buf_add_text(&builds, "]}");
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		lb_value_set_text(arena, outputs, flags[i], "true");
	lb_value_set_string(arena, outputs, "test-matrix",
	                    lb_arena_format(arena, "{\"include\":%s}", lb_buf_text(&tests)));
	lb_value_set_string(arena, outputs, "build-matrix", lb_buf_bytes(&builds));
	lb_buf_release(&tests);
	lb_buf_release(&builds);
	return outputs;
}

/* One job that is ready, drawn by chance; NULL: none. */
static const struct workflow_instance *any_ready(struct test *t, const struct workflow_plan *plan)
{
	size_t count = workflow_plan_count(plan), start = count > 0 ? test_random(t) % count : 0;

	for (size_t i = 0; i < count; i++) {
		const struct workflow_instance *at = workflow_plan_at(plan, (start + i) % count);

		if (at->state == WORKFLOW_READY)
			return at;
	}
	return NULL;
}

TEST(a_full_run_of_wasmtime_is_planned)
{
	struct workflow_plan_options options = { 0 };
	const struct workflow_instance *at;
	struct workflow *workflow;
	struct workflow_plan *plan;
	struct lb_diag diag = { 0 };
	struct lb_bytes source;
	struct lb_arena arena;
	clock_t start;
	double slowest = 0;
	size_t run = 0;

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	lb_arena_init(&arena, t->mem);
	source = support_file(&arena,
	                      support_path(&arena,
	                                   "%s/workflow-corpus/bytecodealliance__wasmtime/.github/"
	                                   "workflows/main.yml",
	                                   test_suites()));
	options.github = support_json(&arena, "{'repository': 'bytecodealliance/wasmtime', "
	                                      "'event_name': 'merge_group', 'ref': 'refs/heads/x', "
	                                      "'workflow': 'CI'}");
	CHECK_OK(workflow_parse(&workflow, t->mem, source, "main.yml", &diag));
	CHECK_OK(workflow_plan_new(&plan, t->mem, workflow, &options, &diag));
	while ((at = any_ready(t, plan)) != NULL) {
		const struct lb_value *outputs =
			lb_bytes_is(at->id, "determine") ? determined(&arena) : NULL;

		start = clock();
		CHECK_OK(workflow_plan_finish(plan, at->id, WORKFLOW_RESULT_SUCCESS, outputs,
		                              &diag));
		if (milliseconds(start) > slowest)
			slowest = milliseconds(start);
		run++;
	}
	printf("# %zu jobs in the plan, %zu ran, slowest step of the plan %.2f ms\n",
	       workflow_plan_count(plan), run, slowest);
	CHECK(workflow_plan_conclusion(plan) == WORKFLOW_RESULT_SUCCESS);
	CHECK(run > TESTS + BUILDS + 20);
	at = workflow_plan_find(plan, LB_B("test.7"));
	CHECK(at != NULL);
	if (at != NULL)
		CHECK_BYTES(at->name, "Test 7");
	workflow_plan_free(plan);
	workflow_free(workflow);
	lb_arena_release(&arena);
}
