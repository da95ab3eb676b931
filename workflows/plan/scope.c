/* scope.c - the jobs of a workflow in a plan: made, listed, found. */
#include "workflows/plan/plan_priv.h"

/* ---- making ---- */

/* The name as it stands in the file: what a job is called before it is expanded. */
static struct lb_bytes plain_name(struct state *state)
{
	const struct workflow_token *name = state->job->name;
	const struct node *caller = state->scope->caller;
	struct lb_bytes text = name->kind == WORKFLOW_EXPRESSION ? name->raw : name->text;

	if (caller == NULL)
		return text;
	return lb_arena_format(&state->scope->plan->arena, "%.*s / %.*s",
	                       LB_FMT(caller->shown.name), LB_FMT(text));
}

static struct lb_bytes node_id(struct state *state, uint32_t index, bool indexed)
{
	struct lb_arena *arena = &state->scope->plan->arena;
	const struct node *caller = state->scope->caller;
	struct lb_bytes id = state->job->id;

	if (indexed)
		id = lb_arena_format(arena, "%.*s.%u", LB_FMT(id), index);
	if (caller != NULL)
		id = lb_arena_format(arena, "%.*s/%.*s", LB_FMT(caller->shown.id), LB_FMT(id));
	return id;
}

struct node *workflow_planner_node_new(struct state *state, uint32_t index, uint32_t total,
                                       bool indexed)
{
	const struct scope *scope = state->scope;
	const struct workflow_instance *caller =
		scope->caller != NULL ? &scope->caller->shown : NULL;
	struct node *node = LB_ARENA_NEW(&scope->plan->arena, struct node, 1);

	if (node == NULL)
		return NULL;
	node->state = state;
	node->shown = (struct workflow_instance){
		.id = node_id(state, index, indexed),
		.job = state->job->id,
		.parent = caller != NULL ? caller->id : (struct lb_bytes){ 0 },
		.file = scope->workflow->file_name,
		.workflow = scope->workflow,
		.definition = state->job,
		.index = index,
		.total = total,
		.max_parallel = total,
		.calls = state->job->uses != NULL,
	};
	if (caller != NULL && caller->cancel) {
		node->shown.cancel = true;
		node->shown.why = caller->why;
	}
	return node;
}

static bool add_placeholder(struct state *state)
{
	struct workflow_plan *plan = state->scope->plan;
	struct node *node = workflow_planner_node_new(state, 0, 1, false);

	state->nodes = LB_ARENA_NEW(&plan->arena, struct node *, 1);
	if (node == NULL || state->nodes == NULL)
		return false;
	node->shown.placeholder = true;
	node->shown.name = plain_name(state);
	node->shown.cancel = false;
	node->shown.why = (struct lb_bytes){ 0 };
	state->nodes[0] = node;
	state->node_count = 1;
	return !plan->arena.failed;
}

/* What a job may have at most, what it has when no file says anything, and what those may have whom
 * a job calls that says nothing: then an identity token is for files of the same owner alone. */
static void set_called_permissions(struct scope *scope)
{
	const struct node *caller = scope->caller;
	const struct workflow_job *job = caller->state->job;

	scope->most = scope->otherwise = scope->unsaid = caller->shown.permissions;
	if (job->permissions.given)
		return;
	scope->most = caller->state->scope->unsaid;
	if (workflow_planner_is_foreign(scope->plan, job))
		scope->most.of[WORKFLOW_PERMISSION_ID_TOKEN] = WORKFLOW_ACCESS_NONE;
	scope->unsaid = scope->most;
}

static void set_permissions(struct scope *scope)
{
	const struct workflow_permissions *given = &scope->plan->options.permissions;

	if (scope->caller != NULL) {
		set_called_permissions(scope);
		return;
	}
	scope->most = workflow_planner_everything();
	scope->otherwise = given->given ? *given : scope->most;
	if (!given->given)
		scope->otherwise.of[WORKFLOW_PERMISSION_ID_TOKEN] = WORKFLOW_ACCESS_NONE;
	scope->unsaid = workflow_planner_unsaid(scope->plan);
}

lb_err workflow_planner_scope_new(struct scope **out, struct workflow_plan *plan,
                                  const struct workflow *workflow, struct node *caller,
                                  const struct lb_value *inputs)
{
	struct scope *scope = LB_ARENA_NEW(&plan->arena, struct scope, 1);
	struct state *states = LB_ARENA_NEW(&plan->arena, struct state, workflow->job_count);

	if (scope == NULL || states == NULL)
		return lb_err_of(LB_E_NOMEM);
	*scope = (struct scope){ .plan = plan,
		                 .workflow = workflow,
		                 .caller = caller,
		                 .states = states,
		                 .unended = workflow->job_count,
		                 .inputs = inputs };
	set_permissions(scope);
	for (uint32_t i = 0; i < workflow->job_count; i++) {
		states[i].job = &workflow->jobs[i];
		states[i].scope = scope;
		states[i].open = workflow->jobs[i].need_count;
		if (!add_placeholder(&states[i]))
			return lb_err_of(LB_E_NOMEM);
	}
	*out = scope;
	return LB_OK;
}

/* ---- the order shown ---- */

static void list_scope(struct order *order, const struct scope *scope)
{
	for (uint32_t i = 0; i < scope->workflow->job_count; i++) {
		const struct state *state = &scope->states[i];

		for (uint32_t n = 0; n < state->node_count; n++) {
			struct node *node = state->nodes[n];

			order->at[order->count++] = node;
			if (node->called != NULL && node->called->started)
				list_scope(order, node->called);
		}
	}
}

lb_err workflow_planner_settle(struct workflow_plan *plan)
{
	struct order *order = plan->order;
	size_t capacity = order->capacity;
	struct node **at;

	LB_TRY(workflow_planner_advance(plan));
	if (plan->instance_count <= capacity)
		return LB_OK;
	while (capacity < plan->instance_count)
		capacity = capacity < 16 ? 16 : capacity * 2;
	at = lb_mem_grow(plan->mem, order->at, order->capacity, capacity, sizeof(struct node *));
	if (at == NULL)
		return lb_err_of(LB_E_NOMEM);
	order->at = at;
	order->capacity = capacity;
	return LB_OK;
}

/* Where memory ran out before there was room, what was there before is shown. */
const struct order *workflow_planner_order(const struct workflow_plan *plan)
{
	struct order *order = plan->order;

	if (order->made_for != plan->changes && plan->instance_count <= order->capacity) {
		order->count = 0;
		list_scope(order, plan->root);
		order->made_for = plan->changes;
	}
	return order;
}

size_t workflow_plan_count(const struct workflow_plan *plan)
{
	return workflow_planner_order(plan)->count;
}

const struct workflow_instance *workflow_plan_at(const struct workflow_plan *plan, size_t index)
{
	return &workflow_planner_order(plan)->at[index]->shown;
}

/* ---- finding ---- */

/* "test.1" in a scope; NULL: none. */
static struct node *find_in(const struct scope *scope, struct lb_bytes part)
{
	size_t dot = lb_bytes_find_byte(part, '.');
	const struct workflow_job *job =
		workflow_job_find(scope->workflow, lb_bytes_upto(part, dot));
	const struct state *state;
	uint64_t index = 0;

	if (job == NULL)
		return NULL;
	if (dot != SIZE_MAX &&
	    lb_failed(lb_bytes_u64(&index, lb_bytes_from(part, dot + 1), UINT32_MAX)))
		return NULL;
	state = &scope->states[job->index];
	return index < state->node_count ? state->nodes[index] : NULL;
}

struct node *workflow_planner_find(const struct workflow_plan *plan, struct lb_bytes id)
{
	const struct scope *scope = plan->root;
	struct lb_bytes rest = id, part;
	struct node *node = NULL;

	while (scope != NULL && lb_bytes_split(&part, &rest, '/')) {
		node = find_in(scope, part);
		scope = node != NULL ? node->called : NULL;
		if (scope != NULL && !scope->started)
			scope = NULL;
	}
	return node != NULL && lb_bytes_eq(node->shown.id, id) ? node : NULL;
}

const struct workflow_instance *workflow_plan_find(const struct workflow_plan *plan,
                                                   struct lb_bytes id)
{
	const struct node *node = workflow_planner_find(plan, id);

	return node != NULL ? &node->shown : NULL;
}
