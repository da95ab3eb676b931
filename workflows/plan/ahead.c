/* ahead.c - looking ahead: what would be, where outputs are known and where they are not. */
#include "workflows/plan/plan_priv.h"

#include "workflows/expression/inspect.h"

/* ---- what goes by unknown outputs ---- */

struct search {
	const struct state *state, *found;
};

/* "needs.build.outputs.x", or something that may hold it: needs, needs.*, needs.build. */
static bool reads_outputs_of(const struct workflow_path *path, struct lb_bytes need)
{
	if (!lb_bytes_eq_nocase(path->parts[0], LB_B("needs")))
		return false;
	if (path->count > 1 && !lb_bytes_is(path->parts[1], "*") &&
	    !lb_bytes_eq_nocase(path->parts[1], need))
		return false;
	return path->count < 3 || !lb_bytes_eq_nocase(path->parts[2], LB_B("result"));
}

static void look_at_path(void *self, const struct workflow_path *path)
{
	struct search *search = self;

	for (uint32_t i = 0; i < search->state->job->need_count && search->found == NULL; i++) {
		const struct state *need = workflow_planner_need(search->state, i);

		if (need->unknown && reads_outputs_of(path, need->job->id))
			search->found = need;
	}
}

/* The expression that reads them; NULL: none.  Depth is the file's. */
static const struct workflow_token *search_token(struct search *search,
                                                 const struct workflow_token *token)
{
	const struct workflow_token *found = NULL;

	if (token == NULL)
		return NULL;
	if (token->kind == WORKFLOW_EXPRESSION) {
		workflow_expr_paths(token->expr, look_at_path, search);
		return search->found != NULL ? token : NULL;
	}
	for (uint32_t i = 0; i < token->count && found == NULL; i++)
		found = search_token(search, token->items[i]);
	return found;
}

bool workflow_planner_is_unknown(const struct workflow_token **at, const struct state **whose,
                                 const struct state *state)
{
	const struct workflow_job *job = state->job;
	const struct workflow_token *const planned[] = {
		job->condition,
		job->strategy,
		job->name,
		job->concurrency,
		job->with,
		job->runs_on,
		job->environment,
		job->timeout_minutes,
		job->cancel_timeout_minutes,
		job->continue_on_error,
	};
	struct search search = { .state = state };
	bool any = false;

	for (uint32_t i = 0; i < job->need_count; i++)
		any = any || workflow_planner_need(state, i)->unknown;
	*at = NULL;
	for (size_t i = 0; any && *at == NULL && i < sizeof planned / sizeof planned[0]; i++)
		*at = search_token(&search, planned[i]);
	*whose = search.found;
	return *at != NULL;
}

/* ---- to the end ---- */

struct ahead {
	struct workflow_plan *plan;
	const struct lb_value *outputs, *results;
	struct lb_diag *diag;
};

/* Said of the instance, else of its job. */
static const struct lb_value *said_of(const struct lb_value *said,
                                      const struct workflow_instance *instance)
{
	const struct lb_value *value = lb_value_find(said, instance->id);
	size_t end = lb_bytes_rfind_byte(instance->id, '.'), slash;

	if (value != NULL || instance->total == 1)
		return value;
	slash = lb_bytes_rfind_byte(instance->id, '/');
	if (end != SIZE_MAX && (slash == SIZE_MAX || end > slash))
		value = lb_value_find(said, lb_bytes_upto(instance->id, end));
	return value;
}

static lb_err end_as_said(struct ahead *a, struct lb_bytes id)
{
	const struct workflow_instance *instance = workflow_plan_find(a->plan, id);
	const struct lb_value *outputs = said_of(a->outputs, instance);
	const struct lb_value *said = said_of(a->results, instance);
	enum workflow_result result = WORKFLOW_RESULT_SUCCESS;

	if (said != NULL &&
	    (said->kind != LB_STRING || !workflow_result_read(&result, said->string)))
		return lb_fail(a->diag, LB_E_INVALID,
		               "the result of '%.*s': expected success, failure or cancelled",
		               LB_FMT(id));
	if (said == NULL && outputs == NULL)
		return workflow_plan_suppose(a->plan, id, a->diag);
	return workflow_plan_finish(a->plan, id, result, outputs, a->diag);
}

/* The ids are taken first: an end may move the others. */
static lb_err ready_ids(struct lb_bytes **out, size_t *count, struct lb_arena *arena,
                        const struct workflow_plan *plan)
{
	size_t most = workflow_plan_count(plan);

	*count = 0;
	*out = LB_ARENA_NEW(arena, struct lb_bytes, most);
	if (*out == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < most; i++) {
		const struct workflow_instance *at = workflow_plan_at(plan, i);

		if (at->state == WORKFLOW_READY ||
		    (at->cancel && at->state == WORKFLOW_WAITING && !at->calls && !at->placeholder))
			(*out)[(*count)++] = at->id;
	}
	return LB_OK;
}

static lb_err end_ready(size_t *count, struct ahead *a)
{
	struct lb_arena arena;
	struct lb_bytes *ids;
	lb_err err;

	lb_arena_init(&arena, a->plan->mem);
	err = ready_ids(&ids, count, &arena, a->plan);
	for (size_t i = 0; i < *count && !lb_failed(err); i++) {
		const struct workflow_instance *at = workflow_plan_find(a->plan, ids[i]);

		if (at->state == WORKFLOW_DONE || at->state == WORKFLOW_SKIPPED)
			continue;
		err = at->cancel ? workflow_plan_finish(a->plan, ids[i], WORKFLOW_RESULT_CANCELLED,
		                                        NULL, a->diag)
		                 : end_as_said(a, ids[i]);
	}
	lb_arena_release(&arena);
	return err;
}

lb_err workflow_plan_look_ahead(struct workflow_plan *plan, const struct lb_value *outputs,
                                const struct lb_value *results, struct lb_diag *diag)
{
	struct ahead a = { plan, outputs, results, diag };
	size_t count = 1;

	while (count > 0)
		LB_TRY(end_ready(&count, &a));
	return LB_OK;
}
