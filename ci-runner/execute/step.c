/* step.c - one step: condition, environment, execution, what it leaves behind. */
#include "ci-runner/execute/execution_priv.h"

/* ---- execution ---- */

static lb_err perform(struct runner_execution *x, struct runner_step_run *run,
                      const struct workflow_step_plan *plan, struct lb_diag *diag)
{
	lb_err err;

	if (plan->timeout_minutes > 0)
		run->deadline_ns = x->host->plat->ops->now_ns(x->host->plat) +
		                   (uint64_t)(plan->timeout_minutes * 60e9);
	LB_TRY(runner_files_make(x, run, diag));
	err = run->step->kind == WORKFLOW_STEP_USES ? x->uses(x, run->frame, run, plan, diag)
	                                            : runner_script_run(x, run, plan, diag);
	x->running = run;
	return err;
}

/* What it said by files, once it is over. */
static lb_err take_files(struct runner_execution *x, struct runner_step_run *run, lb_err err,
                         struct lb_diag *diag)
{
	struct lb_diag about;
	lb_err taken;

	if (run->output_file == NULL)
		return err;
	taken = runner_files_take(x, run, &about);
	if (!lb_failed(taken) || lb_failed(err))
		return err;
	lb_diag_set(diag, "%s", lb_diag_text(&about, taken));
	return taken;
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
	runner_log_flush(x->log);
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

/* A step is over: what it leaves behind, and how it ended. */
static lb_err conclude(struct runner_execution *x, struct runner_step_run *run,
                       struct runner_step_state *record, lb_err err, bool continue_on_error,
                       struct lb_diag *diag)
{
	enum runner_conclusion outcome, conclusion;

	err = take_files(x, run, err, diag);
	runner_look(x);
	outcome = run->skipped && !lb_failed(err) ? RUNNER_SKIPPED : outcome_of(x, err);
	conclusion = outcome == RUNNER_FAILURE && continue_on_error ? RUNNER_SUCCESS : outcome;
	if (lb_failed(err))
		say_why(x, run, err, diag);
	remember(x, run->frame, run, outcome, conclusion);
	if (record != NULL)
		runner_record_end(x, record, outcome, conclusion);
	if (run->background != NULL)
		run->background->conclusion = conclusion;
	if (x->arena->failed || lb_code_of(err) == LB_E_NOMEM)
		return lb_err_of(LB_E_NOMEM);
	return x->failure;
}

/* ---- steps beside others ---- */

static struct runner_step_state *record_of(struct runner_execution *x,
                                           const struct runner_background *b)
{
	return LB_VEC_AT(&x->records, struct runner_step_state, b->record_at);
}

/* Its part of the log stands between the offsets that its record has in the end. */
static lb_err join(struct runner_execution *x, struct runner_background *b)
{
	struct runner_step_run *before = x->running;
	bool was_cancelled = x->cancelled;
	lb_err err;

	if (b->joined)
		return LB_OK;
	runner_log_flush(x->log);
	record_of(x, b)->log_begin = x->own_log.size;
	runner_background_join(x, b);
	x->running = &b->run;
	err = b->err;
	/* One that a step cancelled is no failure, and does not make the job a cancelled one. */
	err = conclude(x, &b->run, record_of(x, b), err, b->plan.continue_on_error, &b->diag);
	if (b->cancelled && !was_cancelled && b->conclusion == RUNNER_FAILURE &&
	    lb_code_of(b->err) == LB_E_CANCELLED)
		b->conclusion = RUNNER_CANCELLED;
	x->running = before;
	return err;
}

static lb_err begin_background(struct runner_execution *x, struct runner_step_run *run,
                               const struct workflow_step_plan *plan, size_t record_at,
                               struct lb_diag *diag)
{
	struct runner_background *b;

	LB_TRY(runner_background_start(&b, x, run, plan, perform, diag));
	b->record_at = record_at;
	return LB_OK;
}

static lb_err wait_for(enum runner_conclusion *all, struct runner_execution *x,
                       struct runner_background *b)
{
	LB_TRY(join(x, b));
	if (b->conclusion == RUNNER_FAILURE ||
	    (b->conclusion == RUNNER_CANCELLED && *all == RUNNER_SUCCESS && !b->cancelled))
		*all = b->conclusion;
	runner_log_linef(x->log, "  %.*s: %s", LB_FMT(b->run.name),
	                 runner_conclusion_text(b->conclusion));
	return LB_OK;
}

static lb_err wait_all(enum runner_conclusion *all, struct runner_execution *x)
{
	runner_log_line(x->log, LB_B("Waiting for all background step(s) to complete"));
	for (size_t i = 0; i < x->backgrounds.count; i++) {
		struct runner_background *b =
			*LB_VEC_AT(&x->backgrounds, struct runner_background *, i);

		if (!b->joined)
			LB_TRY(wait_for(all, x, b));
	}
	return LB_OK;
}

/* `wait`, `wait-all` and `cancel`, and the end of a parallel block. */
static lb_err control(struct runner_execution *x, const struct workflow_step *step,
                      struct lb_diag *diag)
{
	enum runner_conclusion all = RUNNER_SUCCESS;

	if (step->kind == WORKFLOW_STEP_WAIT_ALL)
		LB_TRY(wait_all(&all, x));
	for (uint32_t i = 0; i < step->targets.count; i++) {
		struct runner_background *b = runner_background_find(x, step->targets.at[i]->text);

		if (b != NULL && step->kind == WORKFLOW_STEP_CANCEL)
			runner_background_cancel(b);
		if (b != NULL)
			LB_TRY(wait_for(&all, x, b));
	}
	for (uint32_t i = 0; i < step->step_count; i++) {
		struct runner_background *b = runner_background_find(x, step->steps[i].id);

		if (b != NULL)
			LB_TRY(wait_for(&all, x, b));
	}
	if (step->kind == WORKFLOW_STEP_CANCEL || all == RUNNER_SUCCESS)
		return LB_OK;
	if (all == RUNNER_CANCELLED)
		return lb_fail(diag, LB_E_CANCELLED, "The operation was canceled.");
	return lb_fail(diag, LB_E_FAILED, "A background step failed.");
}

lb_err runner_steps_end(struct runner_execution *x)
{
	for (size_t i = 0; i < x->backgrounds.count; i++)
		LB_TRY(join(x, *LB_VEC_AT(&x->backgrounds, struct runner_background *, i)));
	return LB_OK;
}

/* ---- one step ---- */

static bool is_control(const struct workflow_step *step)
{
	return step->kind != WORKFLOW_STEP_RUN && step->kind != WORKFLOW_STEP_USES;
}

/* Of the job's own steps, where one was asked for: that one, and what puts files there for it. */
static bool is_meant(const struct runner_execution *x, const struct runner_frame *frame,
                     const struct workflow_step *step, struct lb_bytes title)
{
	const char *wanted = x->host->step;

	if (wanted == NULL || frame->outer != NULL)
		return true;
	return lb_bytes_is(step->id, wanted) || lb_bytes_is(title, wanted) ||
	       (step->name != NULL && lb_bytes_is(step->name->text, wanted)) ||
	       (step->uses != NULL && lb_bytes_starts(step->uses->text, LB_B("actions/checkout@")));
}

/* Memory alone ends the job; everything else is the step's failure. */
static lb_err run_step(struct runner_execution *x, struct runner_frame *frame,
                       const struct workflow_step *step, size_t record_at, bool background)
{
	struct runner_step_run *before = x->running;
	struct runner_step_run run = { .step = step,
		                       .frame = frame,
		                       .outer = before,
		                       .background = before != NULL ? before->background : NULL };
	struct runner_step_state *record =
		record_at != SIZE_MAX ? LB_VEC_AT(&x->records, struct runner_step_state, record_at)
				      : NULL;
	struct workflow_step_plan plan = { .continue_on_error = false };
	bool holds = false;
	struct lb_diag diag;
	lb_err err;

	diag.text[0] = '\0';
	run.number = record != NULL ? record->number : before != NULL ? before->number : 1;
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
	holds = holds && is_meant(x, frame, step, run.name);
	if (!lb_failed(err) && (!holds || x->obey == RUNNER_STOP_FORGET)) {
		x->running = before;
		remember(x, frame, &run, RUNNER_SKIPPED, RUNNER_SKIPPED);
		if (record != NULL)
			runner_record_end(x, record, RUNNER_SKIPPED, RUNNER_SKIPPED);
		return LB_OK;
	}
	if (record != NULL)
		runner_record_begin(x, record);
	if (!lb_failed(err) && !is_control(step))
		err = runner_plan_step(&plan, x, frame, step, &diag);
	if (!lb_failed(err) && background) {
		err = begin_background(x, &run, &plan, record_at, &diag);
		if (!lb_failed(err)) {
			x->running = before;
			return LB_OK;
		}
	} else if (!lb_failed(err)) {
		err = is_control(step) ? control(x, step, &diag) : perform(x, &run, &plan, &diag);
	}
	x->running = &run;
	err = conclude(x, &run, record, err, plan.continue_on_error, &diag);
	x->running = before;
	return err;
}

static lb_err run_parallel(struct runner_execution *x, struct runner_frame *frame,
                           const struct workflow_step *step)
{
	for (uint32_t i = 0; i < step->step_count; i++) {
		size_t at = frame->outer == NULL ? x->next_record++ : SIZE_MAX;

		LB_TRY(run_step(x, frame, &step->steps[i], at, frame->outer == NULL));
	}
	return LB_OK;
}

lb_err runner_steps(struct runner_execution *x, struct runner_frame *frame,
                    const struct workflow_step *steps, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		bool own = frame->outer == NULL;

		LB_TRY(run_parallel(x, frame, &steps[i]));
		LB_TRY(run_step(x, frame, &steps[i], own ? x->next_record++ : SIZE_MAX,
		                steps[i].background && own));
	}
	return LB_OK;
}
