/* step.c - one step: condition, environment, execution, what it leaves behind. */
#include "ci-runner/execute/execution_priv.h"

/* ---- evaluation ---- */

static void lay_over(struct runner_execution *x, struct lb_value *under, const struct lb_value *env)
{
	for (uint32_t i = 0; env != NULL && i < env->count; i++)
		lb_value_set(x->arena, under, env->members[i].key, env->members[i].value);
}

/* The job's env, what GITHUB_ENV added, what the steps around an action said, the step's own: left
 * as the frame's `env` context. */
static lb_err step_env(struct runner_execution *x, struct runner_frame *frame,
                       const struct workflow_step *step, struct lb_diag *diag)
{
	struct lb_value *under = lb_value_object(x->arena);
	const struct lb_value *env;
	struct workflow_scope scope;

	lay_over(x, under, x->frame.env);
	lay_over(x, under, x->exported);
	if (frame->outer != NULL)
		lay_over(x, under, frame->env);
	lb_value_put(x->arena, frame->contexts, "env", under);
	runner_scope(&scope, x, frame);
	LB_TRY(workflow_env_over(&env, x->arena, under, step->env, &scope, diag));
	lb_value_put(x->arena, frame->contexts, "env", lb_value_copy(x->arena, env));
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err condition_holds(bool *out, struct runner_execution *x, struct runner_frame *frame,
                              const struct workflow_step *step, struct lb_diag *diag)
{
	static const char *const status_texts[] = { "success", "failure", "cancelled" };
	struct workflow_scope scope;
	struct lb_value *job = lb_value_object(x->arena);

	lb_value_set_text(x->arena, job, "status", status_texts[x->frame.status]);
	lb_value_put(x->arena, frame->contexts, "job", job);
	runner_scope(&scope, x, frame);
	return workflow_condition(out, x->arena, step->condition, &scope, diag);
}

/* ---- execution ---- */

static lb_err run_planned(struct runner_execution *x, struct runner_frame *frame,
                          struct runner_step_run *run, const struct workflow_step_plan *plan,
                          struct lb_diag *diag)
{
	lb_err err, taken;
	struct lb_diag about;

	if (plan->timeout_minutes > 0)
		run->deadline_ns = x->host->plat->ops->now_ns(x->host->plat) +
		                   (uint64_t)(plan->timeout_minutes * 60e9);
	LB_TRY(runner_files_make(x, run, diag));
	err = run->step->kind == WORKFLOW_STEP_USES ? x->uses(x, frame, run, plan, diag)
	                                            : runner_script_run(x, frame, run, plan, diag);
	x->stop_token = NULL;
	x->running = run;
	taken = runner_files_take(x, run, &about);
	if (lb_failed(taken) && !lb_failed(err)) {
		lb_diag_set(diag, "%s", lb_diag_text(&about, taken));
		return taken;
	}
	return err;
}

static lb_err evaluate_and_run(struct runner_execution *x, struct runner_frame *frame,
                               struct runner_step_run *run, bool *continue_on_error,
                               struct lb_diag *diag)
{
	static const struct workflow no_workflow;
	static const struct workflow_job no_job;
	struct workflow_step_plan plan;
	struct workflow_scope scope;
	bool own = frame->outer == NULL;

	runner_scope(&scope, x, frame);
	if (run->step->kind != WORKFLOW_STEP_RUN && run->step->kind != WORKFLOW_STEP_USES)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "steps that wait, cancel or run in parallel are not supported");
	if (run->step->background)
		return lb_fail(diag, LB_E_UNSUPPORTED, "background steps are not supported");
	/* The defaults of a job do not reach into an action. */
	LB_TRY(workflow_step_evaluate(&plan, x->arena, own ? x->workflow : &no_workflow,
	                              own ? x->definition : &no_job, run->step, &scope, diag));
	*continue_on_error = plan.continue_on_error;
	return run_planned(x, frame, run, &plan, diag);
}

static enum runner_conclusion outcome_of(struct runner_execution *x, lb_err err)
{
	if (!lb_failed(err))
		return RUNNER_SUCCESS;
	if (lb_code_of(err) == LB_E_CANCELLED || (lb_code_of(err) == LB_E_TIMEOUT && x->cancelled))
		return RUNNER_CANCELLED;
	return RUNNER_FAILURE;
}

static void remember(struct runner_execution *x, struct runner_frame *frame,
                     const struct runner_step_run *run, enum runner_conclusion outcome,
                     enum runner_conclusion conclusion)
{
	struct lb_value *entry = lb_value_object(x->arena);

	lb_value_put(x->arena, entry, "outputs", run->outputs);
	lb_value_set_text(x->arena, entry, "outcome", runner_conclusion_text(outcome));
	lb_value_set_text(x->arena, entry, "conclusion", runner_conclusion_text(conclusion));
	lb_value_set(x->arena, frame->steps, run->step->id, entry);
	lb_value_put(x->arena, frame->contexts, "steps", frame->steps);
	if (conclusion == RUNNER_FAILURE && frame->status == WORKFLOW_STATUS_SUCCESS)
		frame->status = WORKFLOW_STATUS_FAILURE;
}

static void say_why(struct runner_execution *x, const struct runner_step_run *run, lb_err err,
                    const struct lb_diag *diag)
{
	uint64_t now = x->host->plat->ops->now_ns(x->host->plat);

	if (lb_code_of(err) == LB_E_TIMEOUT && run->deadline_ns != 0 && now >= run->deadline_ns)
		runner_say_error(x, "The action '%.*s' has timed out.", LB_FMT(run->name));
	else if (lb_code_of(err) != LB_E_FAILED || diag->text[0] != '\0')
		runner_say_error(x, "%s", lb_diag_text(diag, err));
	/* FAILED without a word: a step inside an action said it already. */
	runner_log_flush(&x->log);
}

static struct lb_bytes name_of(struct runner_execution *x, const struct runner_frame *frame,
                               const struct workflow_step *step)
{
	struct workflow_scope scope;
	struct lb_bytes name;

	runner_scope(&scope, x, frame);
	if (lb_failed(workflow_step_name(&name, x->arena, step, &scope, NULL)))
		return step->id;
	return runner_hidden(x, name);
}

/* Memory alone ends the job; everything else is the step's failure. */
static lb_err run_step(struct runner_execution *x, struct runner_frame *frame,
                       const struct workflow_step *step, struct runner_step_state *record)
{
	struct runner_step_run run = { .step = step, .frame = frame };
	struct runner_step_run *before = x->running;
	enum runner_conclusion outcome, conclusion;
	bool holds = false, continue_on_error = false;
	struct lb_diag diag;
	lb_err err;

	diag.text[0] = '\0';
	run.outputs = lb_value_object(x->arena);
	run.state = lb_value_object(x->arena);
	x->running = &run;
	runner_look(x);
	err = step_env(x, frame, step, &diag);
	if (!lb_failed(err))
		err = condition_holds(&holds, x, frame, step, &diag);
	run.name = name_of(x, frame, step);
	if (record != NULL)
		record->name = run.name;
	if (!lb_failed(err) && (!holds || x->obey == RUNNER_STOP_FORGET)) {
		x->running = before;
		remember(x, frame, &run, RUNNER_SKIPPED, RUNNER_SKIPPED);
		if (record != NULL)
			runner_record_end(x, record, RUNNER_SKIPPED, RUNNER_SKIPPED);
		return LB_OK;
	}
	if (record != NULL)
		runner_record_begin(x, record);
	if (!lb_failed(err))
		err = evaluate_and_run(x, frame, &run, &continue_on_error, &diag);
	x->running = &run;
	runner_look(x);
	outcome = outcome_of(x, err);
	conclusion = outcome == RUNNER_FAILURE && continue_on_error ? RUNNER_SUCCESS : outcome;
	if (lb_failed(err))
		say_why(x, &run, err, &diag);
	x->running = before;
	remember(x, frame, &run, outcome, conclusion);
	if (record != NULL)
		runner_record_end(x, record, outcome, conclusion);
	if (x->arena->failed || lb_code_of(err) == LB_E_NOMEM)
		return lb_err_of(LB_E_NOMEM);
	return x->failure;
}

lb_err runner_steps(struct runner_execution *x, struct runner_frame *frame,
                    const struct workflow_step *steps, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct runner_step_state *record =
			frame->outer == NULL
				? LB_VEC_AT(&x->records, struct runner_step_state, i + 1)
				: NULL;

		LB_TRY(run_step(x, frame, &steps[i], record));
	}
	return LB_OK;
}
