/* evaluate.c - what expressions of a step can ask for. */
#include "ci-runner/execute/execution_priv.h"

static lb_err hash_files(struct lb_bytes *out, void *self, struct lb_arena *arena,
                         const struct lb_bytes *patterns, size_t count, struct lb_diag *diag)
{
	struct runner_execution *x = self;
	struct lb_value *request = lb_value_object(x->arena), *list = lb_value_array(x->arena);
	struct lb_value *answer;

	for (size_t i = 0; i < count; i++)
		lb_value_add(x->arena, list, lb_value_string(x->arena, patterns[i]));
	lb_value_set_text(x->arena, request, "do", "hash");
	lb_value_set_text(x->arena, request, "root", x->folders.workspace);
	lb_value_put(x->arena, request, "patterns", list);
	LB_TRY(runner_helper(&answer, x, x->running, request, false, NULL, diag));
	*out = lb_arena_bytes(arena, lb_value_get_string(answer, "hash"));
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* ---- parts of secrets ---- */

enum { PART_BYTES_MIN = 4, HIDDEN_BYTES_MAX = 4 * RUNNER_SECRET_BYTES_MAX };

static lb_err hide_all(struct runner_execution *x, const struct lb_value *value)
{
	if (value->kind == LB_STRING)
		return value->string.len >= PART_BYTES_MIN ? runner_mask_add(x->mask, value->string)
		                                           : LB_OK;
	for (uint32_t i = 0; i < value->count; i++) {
		if (value->kind == LB_OBJECT)
			LB_TRY(hide_all(x, value->members[i].value));
		else if (value->kind == LB_ARRAY)
			LB_TRY(hide_all(x, value->items[i]));
	}
	return LB_OK;
}

/* The texts in a secret that is JSON are secrets, but for those so short that they stand
 * everywhere. */
static lb_err hide_parts(void *self, struct lb_bytes json, const struct lb_value *value)
{
	struct runner_execution *x = self;
	struct lb_buf hidden;
	size_t covered = 0;
	bool secret;
	lb_err err;

	if (json.len > RUNNER_SECRET_BYTES_MAX)
		return LB_OK;
	lb_buf_init(&hidden, x->arena->under, HIDDEN_BYTES_MAX);
	(void)runner_mask_apply(x->mask, &hidden, &covered, lb_bytes_trim(json), true);
	err = lb_buf_check(&hidden);
	secret = lb_bytes_is(lb_buf_bytes(&hidden), "***");
	lb_buf_release(&hidden);
	return lb_failed(err) || !secret ? err : hide_all(x, value);
}

void runner_scope(struct workflow_scope *out, struct runner_execution *x,
                  const struct runner_frame *frame)
{
	*out = (struct workflow_scope){ .contexts = frame->contexts,
		                        .status = frame->status,
		                        .hash_files = hash_files,
		                        .parsed = hide_parts,
		                        .self = x };
}

static void lay_over(struct runner_execution *x, struct lb_value *under, const struct lb_value *env)
{
	for (uint32_t i = 0; env != NULL && i < env->count; i++)
		lb_value_set(x->arena, under, env->members[i].key, env->members[i].value);
}

/* The job's env, what GITHUB_ENV added, what the steps around an action said, the step's own: left
 * as the frame's `env` context. */
lb_err runner_step_env(struct runner_execution *x, struct runner_frame *frame,
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

lb_err runner_condition(bool *out, struct runner_execution *x, struct runner_frame *frame,
                        const struct workflow_token *condition, struct lb_diag *diag)
{
	static const char *const status_texts[] = { "success", "failure", "cancelled" };
	struct workflow_scope scope;
	struct lb_value *job = lb_value_object(x->arena);

	lb_value_set_text(x->arena, job, "status", status_texts[x->frame.status]);
	lb_value_put(x->arena, frame->contexts, "job", job);
	runner_scope(&scope, x, frame);
	*out = true;
	return condition == NULL ? LB_OK
	                         : workflow_condition(out, x->arena, condition, &scope, diag);
}

/* The defaults of a job do not reach into an action. */
lb_err runner_plan_step(struct workflow_step_plan *out, struct runner_execution *x,
                        const struct runner_frame *frame, const struct workflow_step *step,
                        struct lb_diag *diag)
{
	static const struct workflow no_workflow;
	static const struct workflow_job no_job;
	bool own = frame->outer == NULL;
	struct workflow_scope scope;

	runner_scope(&scope, x, frame);
	return workflow_step_evaluate(out, x->arena, own ? x->workflow : &no_workflow,
	                              own ? x->definition : &no_job, step, &scope, diag);
}

lb_err runner_action_inputs(const struct lb_value **out, struct runner_execution *x,
                            const struct runner_frame *frame, const struct workflow_step_plan *plan,
                            const struct runner_action *action, struct lb_diag *diag)
{
	struct workflow_scope scope;

	runner_scope(&scope, x, frame);
	return workflow_action_inputs(out, x->arena, action->manifest, plan->with, &scope, diag);
}
