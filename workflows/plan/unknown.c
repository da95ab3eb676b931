/* unknown.c - does a job go by outputs that are not known: for looking ahead. */
#include "workflows/plan/plan_priv.h"

#include "workflows/expression/inspect.h"

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
