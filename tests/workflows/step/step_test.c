/* step_test.c - what a runner asks: environments, steps, names, outputs, manifests. */
#include "tests/workflows/support.h"

#include "workflows/step/action.h"
#include "workflows/step/step.h"

static const char source[] =
	"on: push\n"
	"env: {A: workflow, B: workflow, LIFEBOAT_NETWORK: none}\n"
	"defaults: {run: {shell: bash, working-directory: top}}\n"
	"jobs:\n"
	"  build:\n"
	"    runs-on: x\n"
	"    env: {B: job, C: '${{ github.ref }}'}\n"
	"    defaults: {run: {working-directory: sub}}\n"
	"    outputs: {one: '${{ steps.a.outputs.v }}', none: '${{ steps.b.outputs.v }}'}\n"
	"    steps:\n"
	"      - run: |\n"
	"\n"
	"          make ${{ matrix.target }}\n"
	"          make install\n"
	"        env: {C: 'step-${{ env.C }}'}\n"
	"        timeout-minutes: 5\n"
	"        continue-on-error: ${{ matrix.target == 'all' }}\n"
	"      - uses: actions/checkout@v4\n"
	"        with: {depth: 0, ref: '${{ github.ref }}'}\n"
	"      - name: Say ${{ matrix.target }}\n"
	"        run: echo\n"
	"        shell: sh\n"
	"        env: {LIFEBOAT_NETWORK: some}\n"
	"        if: failure()\n";

struct fixture {
	struct lb_arena arena;
	struct workflow *workflow;
	const struct workflow_job *job;
	struct workflow_scope scope;
};

static lb_err fixture_init(struct fixture *f, struct lb_mem *mem)
{
	*f = (struct fixture){ 0 };
	lb_arena_init(&f->arena, mem);
	LB_TRY(workflow_parse(&f->workflow, mem, lb_bytes_of(source), "ci.yml", NULL));
	f->job = &f->workflow->jobs[0];
	f->scope.contexts = support_json(&f->arena, "{'github': {'ref': 'main'}, 'matrix': "
	                                            "{'target': 'all'}, 'steps': {'a': {'outputs': "
	                                            "{'v': '7'}}}}");
	return f->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static void fixture_release(struct fixture *f)
{
	workflow_free(f->workflow);
	lb_arena_release(&f->arena);
}

static lb_err step_env(const struct lb_value **env, struct fixture *f, uint32_t step,
                       struct lb_diag *diag)
{
	const struct lb_value *of_job;
	struct lb_value *contexts;

	LB_TRY(workflow_job_env(&of_job, &f->arena, f->workflow, f->job, &f->scope, diag));
	LB_TRY(workflow_env_over(env, &f->arena, of_job, f->job->steps[step].env, &f->scope, diag));
	contexts = lb_value_copy(&f->arena, f->scope.contexts);
	lb_value_put(&f->arena, contexts, "env", lb_value_copy(&f->arena, *env));
	f->scope.contexts = contexts;
	return f->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

TEST(environments_lie_over_one_another)
{
	const struct lb_value *env;
	struct fixture f;

	CHECK_OK(fixture_init(&f, t->mem));
	CHECK_OK(step_env(&env, &f, 0, NULL));
	CHECK_TEXT(support_text(&f.arena, env),
	           "{\"A\":\"workflow\",\"B\":\"job\",\"LIFEBOAT_NETWORK\":\"none\",\"C\":"
	           "\"step-main\"}");
	fixture_release(&f);
}

TEST(a_step_is_evaluated_with_its_defaults)
{
	struct workflow_step_plan plan;
	const struct lb_value *env;
	struct fixture f;

	CHECK_OK(fixture_init(&f, t->mem));
	CHECK_OK(step_env(&env, &f, 0, NULL));
	CHECK_OK(workflow_step_evaluate(&plan, &f.arena, f.workflow, f.job, &f.job->steps[0],
	                                &f.scope, NULL));
	CHECK_BYTES(plan.run, "\nmake all\nmake install\n");
	CHECK_BYTES(plan.shell, "bash");
	CHECK_BYTES(plan.working_directory, "sub");
	CHECK(plan.network == WORKFLOW_NETWORK_NONE && plan.continue_on_error);
	CHECK(plan.timeout_minutes > 4.5 && plan.timeout_minutes < 5.5);
	CHECK_OK(workflow_step_evaluate(&plan, &f.arena, f.workflow, f.job, &f.job->steps[1],
	                                &f.scope, NULL));
	CHECK_BYTES(plan.uses, "actions/checkout@v4");
	CHECK_TEXT(support_text(&f.arena, plan.with), "{\"depth\":\"0\",\"ref\":\"main\"}");
	CHECK(plan.shell.len == 0);
	fixture_release(&f);
}

TEST(a_network_policy_that_is_none_is_refused)
{
	struct workflow_step_plan plan;
	const struct lb_value *env;
	struct lb_diag diag = { 0 };
	struct fixture f;

	CHECK_OK(fixture_init(&f, t->mem));
	CHECK_OK(step_env(&env, &f, 2, NULL));
	CHECK(lb_code_of(workflow_step_evaluate(&plan, &f.arena, f.workflow, f.job,
	                                        &f.job->steps[2], &f.scope, &diag)) ==
	      LB_E_INVALID);
	CHECK_TEXT(diag.text, "LIFEBOAT_NETWORK is 'some'; it can be 'none', 'loopback', "
	                      "'cache', 'full' or hosts (example.org, example.org:8443)");
	fixture_release(&f);
}

static void check_name(struct test *t, struct fixture *f, uint32_t step, const char *want)
{
	struct lb_bytes name;

	CHECK_OK(workflow_step_name(&name, &f->arena, &f->job->steps[step], &f->scope, NULL));
	CHECK_BYTES(name, want);
}

TEST(steps_are_called_as_github_calls_them)
{
	struct fixture f;

	CHECK_OK(fixture_init(&f, t->mem));
	check_name(t, &f, 0, "Run make all");
	check_name(t, &f, 1, "Run actions/checkout@v4");
	check_name(t, &f, 2, "Say all");
	fixture_release(&f);
}

TEST(conditions_of_steps_go_by_the_status)
{
	struct fixture f;
	bool holds;

	CHECK_OK(fixture_init(&f, t->mem));
	CHECK_OK(workflow_condition(&holds, &f.arena, f.job->steps[0].condition, &f.scope, NULL));
	CHECK(holds);
	CHECK_OK(workflow_condition(&holds, &f.arena, f.job->steps[2].condition, &f.scope, NULL));
	CHECK(!holds);
	f.scope.status = WORKFLOW_STATUS_FAILURE;
	CHECK_OK(workflow_condition(&holds, &f.arena, f.job->steps[0].condition, &f.scope, NULL));
	CHECK(!holds);
	CHECK_OK(workflow_condition(&holds, &f.arena, f.job->steps[2].condition, &f.scope, NULL));
	CHECK(holds);
	fixture_release(&f);
}

TEST(empty_outputs_are_left_out)
{
	const struct lb_value *outputs;
	struct fixture f;

	CHECK_OK(fixture_init(&f, t->mem));
	CHECK_OK(workflow_job_outputs(&outputs, &f.arena, f.job, &f.scope, NULL));
	CHECK_TEXT(support_text(&f.arena, outputs), "{\"one\":\"7\"}");
	fixture_release(&f);
}

TEST(evaluating_a_step_survives_every_oom)
{
	EACH_OOM (t) {
		struct workflow_step_plan plan;
		const struct lb_value *env, *outputs;
		struct lb_bytes name;
		struct fixture f;
		lb_err err = fixture_init(&f, t->mem);

		if (!lb_failed(err))
			err = step_env(&env, &f, 0, NULL);
		if (!lb_failed(err))
			err = workflow_step_evaluate(&plan, &f.arena, f.workflow, f.job,
			                             &f.job->steps[0], &f.scope, NULL);
		if (!lb_failed(err))
			err = workflow_step_name(&name, &f.arena, &f.job->steps[0], &f.scope, NULL);
		if (!lb_failed(err))
			err = workflow_job_outputs(&outputs, &f.arena, f.job, &f.scope, NULL);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		fixture_release(&f);
	}
}
