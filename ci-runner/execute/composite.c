/* composite.c - actions that are steps again. */
#include "ci-runner/execute/execution_priv.h"

/* What the step around an action sees beyond the job's env and GITHUB_ENV. */
static struct lb_value *env_added(struct runner_execution *x, const struct lb_value *env)
{
	struct lb_value *added = lb_value_object(x->arena);

	for (uint32_t i = 0; i < env->count; i++) {
		const struct lb_member *member = &env->members[i];
		const struct lb_value *before = lb_value_find(x->exported, member->key);

		if (before == NULL)
			before = lb_value_find(x->frame.env, member->key);
		if (before == NULL || !lb_value_eq(before, member->value))
			lb_value_set(x->arena, added, member->key, member->value);
	}
	return added;
}

static void copy_contexts(struct runner_execution *x, struct runner_frame *frame,
                          const struct lb_value *inputs, const struct runner_action *action)
{
	const struct lb_value *outer = frame->outer->contexts;
	struct lb_value *github = lb_value_copy(x->arena, lb_value_get(outer, "github"));

	frame->contexts = lb_value_object(x->arena);
	for (uint32_t i = 0; i < outer->count; i++)
		lb_value_set(x->arena, frame->contexts, outer->members[i].key,
		             outer->members[i].value);
	frame->steps = lb_value_object(x->arena);
	lb_value_set_text(x->arena, github, "action_path", frame->action_path);
	lb_value_set_string(x->arena, github, "action_repository", action->repository);
	lb_value_set_string(x->arena, github, "action_ref", action->ref);
	lb_value_put(x->arena, frame->contexts, "github", github);
	lb_value_put(x->arena, frame->contexts, "inputs", lb_value_copy(x->arena, inputs));
	lb_value_put(x->arena, frame->contexts, "steps", frame->steps);
	/* An action sees the secrets it is passed and no others. */
	lb_value_put(x->arena, frame->contexts, "secrets", lb_value_null(x->arena));
}

lb_err runner_composite_frame(struct runner_frame **out, struct runner_execution *x,
                              struct runner_frame *outer, struct runner_intra *intra,
                              const struct workflow_step_plan *plan,
                              const struct runner_action *action, struct lb_diag *diag)
{
	struct runner_frame *frame = LB_ARENA_NEW(x->arena, struct runner_frame, 1);
	const struct lb_value *inputs;

	if (frame == NULL)
		return lb_err_of(LB_E_NOMEM);
	*frame = (struct runner_frame){ .outer = outer,
		                        .status = WORKFLOW_STATUS_SUCCESS,
		                        .action_path = action->folder,
		                        .self = action->remote ? action->root : outer->self,
		                        .repository = action->remote ? action->repository
		                                                     : outer->repository,
		                        .ref = action->remote ? action->ref : outer->ref,
		                        .intra = intra,
		                        .depth = outer->depth + 1 };
	LB_TRY(runner_action_inputs(&inputs, x, outer, plan, action, diag));
	frame->env = env_added(x, plan->env);
	copy_contexts(x, frame, inputs, action);
	if (outer->status == WORKFLOW_STATUS_CANCELLED)
		frame->status = WORKFLOW_STATUS_CANCELLED;
	*out = frame;
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err runner_composite_run(struct runner_execution *x, struct runner_frame *outer,
                            struct runner_step_run *run, const struct workflow_step_plan *plan,
                            const struct runner_action *action, struct lb_diag *diag)
{
	struct workflow_scope scope;
	const struct lb_value *outputs;
	struct runner_frame *frame;

	if (outer->depth >= RUNNER_NESTING_MAX)
		return lb_fail(diag, LB_E_LIMIT, "uses: %.*s: actions are nested more than %d deep",
		               LB_FMT(plan->uses), RUNNER_NESTING_MAX);
	LB_TRY(runner_composite_frame(&frame, x, outer, run->intra, plan, action, diag));
	LB_TRY(runner_steps(x, frame, action->manifest->steps, action->manifest->step_count));
	x->running = run;
	runner_scope(&scope, x, frame);
	LB_TRY(workflow_action_outputs(&outputs, x->arena, action->manifest, &scope, diag));
	for (uint32_t i = 0; i < outputs->count; i++)
		lb_value_set(x->arena, run->outputs, outputs->members[i].key,
		             lb_value_copy(x->arena, outputs->members[i].value));
	if (x->cancelled)
		return lb_fail(diag, LB_E_CANCELLED, "The operation was canceled.");
	return frame->status == WORKFLOW_STATUS_FAILURE ? lb_err_of(LB_E_FAILED) : LB_OK;
}
