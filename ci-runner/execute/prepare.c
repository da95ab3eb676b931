/* prepare.c - before the first step: actions of other repositories are fetched, their `pre` is run.
 *
 * What cannot be had is left for its step to fail with: its condition may not even hold.
 */
#include "ci-runner/execute/execution_priv.h"

/* An action whose files are not in the workspace. */
static bool is_remote(const struct workflow_step *step, struct lb_bytes *uses)
{
	struct runner_reference reference;

	if (step->kind != WORKFLOW_STEP_USES)
		return false;
	*uses = step->uses->text;
	if (runner_uses_is_builtin(*uses))
		return false;
	return !lb_failed(runner_reference_read(&reference, *uses, NULL)) &&
	       (reference.kind == RUNNER_REFERENCE_REMOTE ||
	        reference.kind == RUNNER_REFERENCE_SELF);
}

static bool has_pre(struct runner_execution *x, const struct runner_frame *frame,
                    const struct workflow_step *steps, uint32_t count, unsigned depth)
{
	bool any = false;

	for (uint32_t i = 0; i < count && depth <= RUNNER_NESTING_MAX; i++) {
		struct runner_frame inner = *frame;
		struct runner_action action;
		struct lb_bytes uses;

		if (!is_remote(&steps[i], &uses) ||
		    lb_failed(runner_action_find(&action, x, frame, uses, NULL)))
			continue;
		inner.self = action.root;
		inner.repository = action.repository;
		inner.ref = action.ref;
		any = any || (action.manifest->kind == WORKFLOW_ACTION_NODE &&
		              action.manifest->pre.len > 0);
		if (action.manifest->kind == WORKFLOW_ACTION_COMPOSITE)
			any = has_pre(x, &inner, action.manifest->steps,
			              action.manifest->step_count, depth + 1) ||
			      any;
	}
	return any;
}

static lb_err run_pres(struct runner_execution *x, struct runner_frame *frame,
                       const struct workflow_step *steps, uint32_t count,
                       struct runner_step_state *record);

static lb_err run_pre(struct runner_execution *x, struct runner_frame *frame,
                      const struct workflow_step *step, const struct runner_action *action,
                      struct runner_step_state *record)
{
	struct runner_intra *intra = runner_intra_of(x, frame, step);
	enum runner_conclusion outcome = RUNNER_SUCCESS;
	struct workflow_step_plan plan;
	struct runner_frame *inner;
	struct runner_post stage;
	struct lb_diag diag;

	if (intra == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (lb_failed(runner_step_env(x, frame, step, &diag)) ||
	    lb_failed(runner_plan_step(&plan, x, frame, step, &diag)))
		return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK; /* the step will say it */
	if (action->manifest->kind == WORKFLOW_ACTION_COMPOSITE) {
		if (lb_failed(
			    runner_composite_frame(&inner, x, frame, intra, &plan, action, &diag)))
			return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
		return run_pres(x, inner, action->manifest->steps, action->manifest->step_count,
		                record);
	}
	if (action->manifest->kind != WORKFLOW_ACTION_NODE || action->manifest->pre.len == 0)
		return LB_OK;
	if (lb_failed(runner_node_pre(&stage, x, frame, intra, &plan, action, &diag)))
		return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
	LB_TRY(runner_stage_run(&outcome, x, &stage, NULL));
	if (outcome == RUNNER_FAILURE || record->outcome == RUNNER_PENDING)
		record->outcome = outcome;
	return LB_OK;
}

static lb_err run_pres(struct runner_execution *x, struct runner_frame *frame,
                       const struct workflow_step *steps, uint32_t count,
                       struct runner_step_state *record)
{
	for (uint32_t i = 0; i < count; i++) {
		struct runner_action action;
		struct lb_bytes uses;

		if (is_remote(&steps[i], &uses) &&
		    !lb_failed(runner_action_find(&action, x, frame, uses, NULL)))
			LB_TRY(run_pre(x, frame, &steps[i], &action, record));
	}
	return LB_OK;
}

lb_err runner_fetch_actions(struct runner_execution *x)
{
	for (uint32_t i = 0; i < x->definition->step_count; i++)
		(void)has_pre(x, &x->frame, &x->definition->steps[i], 1, 0);
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : x->failure;
}

lb_err runner_run_pres(struct runner_execution *x)
{
	const struct workflow_job *job = x->definition;

	for (uint32_t i = 0; i < job->step_count; i++) {
		struct runner_step_state *record, state;

		if (!has_pre(x, &x->frame, &job->steps[i], 1, 0))
			continue;
		record = runner_record_add(
			x,
			lb_arena_format(x->arena, "Pre %.*s",
		                        LB_FMT(runner_step_title(x, &x->frame, &job->steps[i]))));
		if (record == NULL)
			return lb_vec_check(&x->records);
		runner_record_begin(x, record);
		state = *record;
		LB_TRY(run_pres(x, &x->frame, &job->steps[i], 1, &state));
		if (state.outcome == RUNNER_PENDING)
			state.outcome = RUNNER_SUCCESS;
		runner_record_end(x, record, state.outcome, state.outcome);
	}
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : x->failure;
}
