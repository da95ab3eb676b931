/* describe.c - a plan as plain data: for runners, for pages, for the next start. */
#include "workflows/plan/plan_priv.h"

static const char *const state_texts[] = {
	[WORKFLOW_WAITING] = "waiting",
	[WORKFLOW_READY] = "ready",
	[WORKFLOW_DONE] = "done",
	[WORKFLOW_SKIPPED] = "skipped",
};

static const struct node *node_of(const struct workflow_instance *instance)
{
	return (const struct node *)instance;
}

static const struct node *node_at(const struct workflow_plan *plan, size_t index)
{
	return node_of(workflow_plan_at(plan, index));
}

/* ---- for runners ---- */

struct lb_value *workflow_plan_contexts(struct lb_arena *arena, const struct workflow_plan *plan,
                                        const struct workflow_instance *instance)
{
	(void)plan;
	return workflow_planner_contexts(arena, node_of(instance)->state->scope, instance->needs,
	                                 instance->matrix, instance->strategy);
}

/* What a call passes on: everything, or what its `secrets` says; the token always. */
static lb_err passed_secrets(const struct lb_value **out, struct lb_arena *arena,
                             const struct node *caller, const struct lb_value *secrets,
                             struct lb_diag *diag)
{
	const struct workflow_job *job = caller->state->job;
	const struct lb_value *token = lb_value_get(secrets, "GITHUB_TOKEN"), *given;
	struct workflow_scope scope = { 0 };
	struct lb_value *contexts, *passed;

	*out = secrets;
	if (job->secrets_inherit)
		return LB_OK;
	contexts = workflow_planner_contexts(arena, caller->state->scope, caller->shown.needs,
	                                     caller->shown.matrix, caller->shown.strategy);
	lb_value_put(arena, contexts, "secrets", workflow_share(secrets));
	scope.contexts = contexts;
	LB_TRY(workflow_token_evaluate(&given, arena, job->secrets, &scope, diag));
	passed = lb_value_object(arena);
	for (uint32_t i = 0; given->kind == LB_OBJECT && i < given->count; i++) {
		struct lb_bytes text = workflow_to_text(arena, given->members[i].value);

		if (text.len > 0)
			lb_value_set(arena, passed, given->members[i].key,
			             lb_value_string(arena, text));
	}
	if (token != NULL)
		lb_value_put(arena, passed, "GITHUB_TOKEN", workflow_share(token));
	*out = passed;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* Depth is that of the calls. */
static lb_err secrets_in(const struct lb_value **out, struct lb_arena *arena,
                         const struct scope *scope, const struct lb_value *secrets,
                         struct lb_diag *diag)
{
	const struct lb_value *callers;

	*out = secrets;
	if (scope->caller == NULL)
		return LB_OK;
	LB_TRY(secrets_in(&callers, arena, scope->caller->state->scope, secrets, diag));
	return passed_secrets(out, arena, scope->caller, callers, diag);
}

lb_err workflow_plan_secrets(const struct lb_value **out, struct lb_arena *arena,
                             const struct workflow_plan *plan,
                             const struct workflow_instance *instance,
                             const struct lb_value *secrets, struct lb_diag *diag)
{
	(void)plan;
	if (secrets == NULL)
		secrets = lb_value_object(arena);
	return secrets_in(out, arena, node_of(instance)->state->scope, secrets, diag);
}

lb_err workflow_plan_needs(const struct lb_bytes **out, size_t *count, struct lb_arena *arena,
                           const struct workflow_plan *plan, const struct workflow_instance *of)
{
	const struct state *state = node_of(of)->state;
	struct lb_bytes *ids;
	size_t total = 0;

	(void)plan;
	for (uint32_t i = 0; i < state->job->need_count; i++)
		total += state->scope->states[state->job->needs[i]->index].node_count;
	ids = LB_ARENA_NEW(arena, struct lb_bytes, total);
	if (ids == NULL)
		return lb_err_of(LB_E_NOMEM);
	*out = ids;
	*count = total;
	for (uint32_t i = 0; i < state->job->need_count; i++) {
		const struct state *need = &state->scope->states[state->job->needs[i]->index];

		for (uint32_t n = 0; n < need->node_count; n++)
			*ids++ = need->nodes[n]->shown.id;
	}
	return LB_OK;
}

/* ---- for pages ---- */

static void set_text(struct lb_arena *arena, struct lb_value *object, const char *key,
                     struct lb_bytes text)
{
	if (text.len > 0)
		lb_value_set_string(arena, object, key, text);
}

static lb_err describe(struct lb_value **out, struct lb_arena *arena,
                       const struct workflow_plan *plan, const struct node *node)
{
	const struct workflow_instance *shown = &node->shown;
	struct lb_value *entry = lb_value_object(arena), *needs = lb_value_array(arena);
	struct lb_value *labels = lb_value_array(arena);
	const struct lb_bytes *ids;
	size_t count;

	LB_TRY(workflow_plan_needs(&ids, &count, arena, plan, shown));
	for (size_t i = 0; i < count; i++)
		lb_value_add(arena, needs, lb_value_string(arena, ids[i]));
	for (uint32_t i = 0; i < shown->label_count; i++)
		lb_value_add(arena, labels, lb_value_string(arena, shown->labels[i]));
	lb_value_set_string(arena, entry, "id", shown->id);
	lb_value_set_string(arena, entry, "job", shown->job);
	set_text(arena, entry, "parent", shown->parent);
	lb_value_set_string(arena, entry, "name", shown->name);
	lb_value_set_text(arena, entry, "state", state_texts[shown->state]);
	if (shown->result != WORKFLOW_RESULT_NONE)
		lb_value_set_text(arena, entry, "result", workflow_result_text(shown->result));
	set_text(arena, entry, "why", shown->why);
	lb_value_put(arena, entry, "needs", needs);
	if (shown->label_count > 0)
		lb_value_put(arena, entry, "labels", labels);
	if (shown->calls)
		lb_value_set_bool(arena, entry, "calls", true);
	if (shown->cancel)
		lb_value_set_bool(arena, entry, "cancel", true);
	*out = entry;
	return LB_OK;
}

lb_err workflow_plan_describe(struct lb_value **out, struct lb_arena *arena,
                              const struct workflow_plan *plan)
{
	struct lb_value *list = lb_value_array(arena);

	for (size_t i = 0; i < workflow_plan_count(plan); i++) {
		struct lb_value *entry;

		LB_TRY(describe(&entry, arena, plan, node_at(plan, i)));
		lb_value_add(arena, list, entry);
	}
	*out = list;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* ---- for the next start ---- */

/* Ends before the run was cancelled stand apart from those after: what is decided in between
 * depends on it. */
struct lb_value *workflow_plan_save(struct lb_arena *arena, const struct workflow_plan *plan)
{
	struct lb_value *saved = lb_value_object(arena);
	struct lb_value *before = lb_value_object(arena), *after = lb_value_object(arena);

	for (size_t i = 0; i < workflow_plan_count(plan); i++) {
		const struct node *node = node_at(plan, i);
		struct lb_value *entry;

		if (!node->reported)
			continue;
		entry = lb_value_object(arena);
		lb_value_set_text(arena, entry, "result", workflow_result_text(node->shown.result));
		if (node->outputs != NULL)
			lb_value_put(arena, entry, "outputs", workflow_share(node->outputs));
		lb_value_set(arena, node->before_cancel ? before : after, node->shown.id, entry);
	}
	lb_value_set_bool(arena, saved, "cancelled", plan->cancelled);
	lb_value_put(arena, saved, "ended", before);
	if (plan->cancelled)
		lb_value_put(arena, saved, "ended_after", after);
	return saved;
}

/* Report what can be reported again and again, as each end may bring forth the next. */
static lb_err restore_ends(struct workflow_plan *plan, const struct lb_value *ended,
                           struct lb_diag *diag)
{
	uint32_t count = ended != NULL && ended->kind == LB_OBJECT ? ended->count : 0, left = count;

	for (uint32_t before = left + 1; left > 0 && left < before;) {
		before = left;
		left = 0;
		for (uint32_t i = 0; i < count; i++) {
			const struct lb_member *member = &ended->members[i];
			enum workflow_result result;
			lb_err err;

			if (!workflow_result_read(&result,
			                          lb_value_get_string(member->value, "result")))
				return lb_fail(diag, LB_E_MALFORMED,
				               "saved plan: '%.*s' has no result",
				               LB_FMT(member->key));
			err = workflow_planner_finish(plan, member->key, result,
			                              lb_value_get(member->value, "outputs"), diag);
			if (lb_code_of(err) == LB_E_NOTFOUND || lb_code_of(err) == LB_E_INVALID)
				left++;
			else
				LB_TRY(err);
		}
	}
	return left == 0 ? LB_OK : lb_err_of(LB_E_NOTFOUND);
}

lb_err workflow_plan_restore(struct workflow_plan *plan, const struct lb_value *saved,
                             struct lb_diag *diag)
{
	if (saved == NULL || saved->kind != LB_OBJECT)
		return lb_fail(diag, LB_E_MALFORMED, "saved plan: expected an object");
	LB_TRY(restore_ends(plan, lb_value_get(saved, "ended"), diag));
	if (lb_value_get_bool(saved, "cancelled"))
		LB_TRY(workflow_plan_cancel(plan, diag));
	LB_TRY(restore_ends(plan, lb_value_get(saved, "ended_after"), diag));
	return workflow_planner_settle(plan);
}
