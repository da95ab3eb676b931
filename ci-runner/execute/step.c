/* step.c - one step: condition, environment, execution, what it leaves behind. */
#include "ci-runner/execute/execution_priv.h"

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
	                                            : runner_script_run(x, run, plan, diag);
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
	struct workflow_step_plan plan;

	if (run->step->kind != WORKFLOW_STEP_RUN && run->step->kind != WORKFLOW_STEP_USES)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "steps that wait, cancel or run in parallel are not supported");
	if (run->step->background)
		return lb_fail(diag, LB_E_UNSUPPORTED, "background steps are not supported");
	LB_TRY(runner_plan_step(&plan, x, frame, run->step, diag));
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

struct lb_bytes runner_step_title(struct runner_execution *x, const struct runner_frame *frame,
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
	struct runner_step_run *before = x->running;
	struct runner_step_run run = { .step = step, .frame = frame, .outer = before };
	enum runner_conclusion outcome, conclusion;
	bool holds = false, continue_on_error = false;
	struct lb_diag diag;
	lb_err err;

	diag.text[0] = '\0';
	run.outputs = lb_value_object(x->arena);
	if (step->kind == WORKFLOW_STEP_USES)
		run.intra = runner_intra_of(x, frame, step);
	run.state = run.intra != NULL ? run.intra->state : lb_value_object(x->arena);
	x->running = &run;
	runner_look(x);
	err = runner_step_env(x, frame, step, &diag);
	if (!lb_failed(err))
		err = runner_condition(&holds, x, frame, step->condition, &diag);
	run.name = runner_step_title(x, frame, step);
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
	outcome = run.skipped && !lb_failed(err) ? RUNNER_SKIPPED : outcome_of(x, err);
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
			frame->outer == NULL ? LB_VEC_AT(&x->records, struct runner_step_state,
		                                         x->first_record + i)
					     : NULL;

		LB_TRY(run_step(x, frame, &steps[i], record));
	}
	return LB_OK;
}
