/* composite.c - `uses: ./path`: an action of this repository that is steps again. */
#include "ci-runner/execute/execution_priv.h"

#include "base/io/file.h"

#include <limits.h>
#include <stdlib.h>

/* The folder as the disk has it; DENIED when links lead out of the workspace. */
static lb_err find_folder(const char **out, struct runner_execution *x, struct lb_bytes uses,
                          struct lb_diag *diag)
{
	const char *given = (const char *)lb_arena_format(x->arena, "%s/%.*s", x->folders.workspace,
	                                                  LB_FMT(uses))
	                            .at;
	char *real = given != NULL ? LB_ARENA_NEW(x->arena, char, PATH_MAX) : NULL;
	char *top = given != NULL ? LB_ARENA_NEW(x->arena, char, PATH_MAX) : NULL;

	if (real == NULL || top == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (realpath(x->folders.workspace, top) == NULL || realpath(given, real) == NULL)
		return lb_fail(diag, LB_E_NOTFOUND,
		               "Can't find 'action.yml' or 'action.yaml' under '%s'. Did you "
		               "forget to run actions/checkout before running your local action?",
		               given);
	if (strcmp(real, top) != 0 &&
	    !lb_bytes_starts(lb_bytes_of(real), lb_arena_format(x->arena, "%s/", top)))
		return lb_fail(diag, LB_E_DENIED, "uses: %.*s leads out of the workspace",
		               LB_FMT(uses));
	*out = real;
	return LB_OK;
}

static lb_err load(struct workflow_action **out, struct runner_execution *x, const char *folder,
                   struct lb_diag *diag)
{
	static const char *const names[] = { "action.yml", "action.yaml" };
	struct lb_err err = LB_OK;
	struct lb_buf text;

	lb_buf_init(&text, x->host->mem, WORKFLOW_FILE_BYTES_MAX);
	for (size_t i = 0; i < 2 && text.len == 0 && !lb_failed(err); i++) {
		const char *path = runner_path(x->arena, folder, names[i]);

		err = path != NULL ? runner_files_read(&text, x, path, diag)
		                   : lb_err_of(LB_E_NOMEM);
	}
	if (!lb_failed(err) && text.len == 0)
		err = lb_fail(diag, LB_E_NOTFOUND,
		              "Can't find 'action.yml' or 'action.yaml' under '%s'. Did you forget "
		              "to run actions/checkout before running your local action?",
		              folder);
	if (!lb_failed(err))
		err = workflow_action_parse(out, x->host->mem, lb_buf_bytes(&text), folder, diag);
	lb_buf_release(&text);
	return err;
}

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
                          const struct lb_value *inputs)
{
	const struct lb_value *outer = frame->outer->contexts;
	struct lb_value *github = lb_value_copy(x->arena, lb_value_get(outer, "github"));

	frame->contexts = lb_value_object(x->arena);
	for (uint32_t i = 0; i < outer->count; i++)
		lb_value_set(x->arena, frame->contexts, outer->members[i].key,
		             outer->members[i].value);
	frame->steps = lb_value_object(x->arena);
	lb_value_set_text(x->arena, github, "action_path", frame->action_path);
	lb_value_put(x->arena, frame->contexts, "github", github);
	lb_value_put(x->arena, frame->contexts, "inputs", lb_value_copy(x->arena, inputs));
	lb_value_put(x->arena, frame->contexts, "steps", frame->steps);
	/* An action sees the secrets it is passed and no others. */
	lb_value_put(x->arena, frame->contexts, "secrets", lb_value_null(x->arena));
}

static lb_err run_steps(struct runner_execution *x, struct runner_frame *outer,
                        struct runner_step_run *run, const struct workflow_action *action,
                        const struct workflow_step_plan *plan, const char *folder,
                        struct lb_diag *diag)
{
	struct runner_frame frame = { .outer = outer,
		                      .status = WORKFLOW_STATUS_SUCCESS,
		                      .action_path = folder,
		                      .depth = outer->depth + 1 };
	struct workflow_scope scope;
	const struct lb_value *inputs, *outputs;

	runner_scope(&scope, x, outer);
	LB_TRY(workflow_action_inputs(&inputs, x->arena, action, plan->with, &scope, diag));
	frame.env = env_added(x, plan->env);
	copy_contexts(x, &frame, inputs);
	if (outer->status == WORKFLOW_STATUS_CANCELLED)
		frame.status = WORKFLOW_STATUS_CANCELLED;
	LB_TRY(runner_steps(x, &frame, action->steps, action->step_count));
	x->running = run;
	runner_scope(&scope, x, &frame);
	LB_TRY(workflow_action_outputs(&outputs, x->arena, action, &scope, diag));
	for (uint32_t i = 0; i < outputs->count; i++)
		lb_value_set(x->arena, run->outputs, outputs->members[i].key,
		             lb_value_copy(x->arena, outputs->members[i].value));
	if (x->cancelled)
		return lb_fail(diag, LB_E_CANCELLED, "The operation was canceled.");
	return frame.status == WORKFLOW_STATUS_FAILURE ? lb_err_of(LB_E_FAILED) : LB_OK;
}

lb_err runner_composite_run(struct runner_execution *x, struct runner_frame *frame,
                            struct runner_step_run *run, const struct workflow_step_plan *plan,
                            struct lb_diag *diag)
{
	struct workflow_action *action = NULL;
	const char *folder;
	lb_err err;

	if (frame->depth >= RUNNER_NESTING_MAX)
		return lb_fail(diag, LB_E_LIMIT, "uses: %.*s: actions are nested more than %d deep",
		               LB_FMT(plan->uses), RUNNER_NESTING_MAX);
	runner_log_line(&x->log,
	                lb_arena_format(x->arena, "##[group]Run %.*s", LB_FMT(plan->uses)));
	for (uint32_t i = 0; i < plan->with->count; i++)
		runner_log_line(&x->log,
		                lb_arena_format(x->arena, "  %.*s: %.*s",
		                                LB_FMT(plan->with->members[i].key),
		                                LB_FMT(plan->with->members[i].value->string)));
	runner_log_line(&x->log, LB_B("##[endgroup]"));
	LB_TRY(find_folder(&folder, x, plan->uses, diag));
	LB_TRY(load(&action, x, folder, diag));
	if (action->kind != WORKFLOW_ACTION_COMPOSITE)
		err = lb_fail(
			diag, LB_E_UNSUPPORTED,
			"uses: %.*s is an action that runs by '%.*s'; what can be run here is "
			"'composite'",
			LB_FMT(plan->uses), LB_FMT(action->using));
	else
		err = run_steps(x, frame, run, action, plan, folder, diag);
	workflow_action_free(action);
	return err;
}
