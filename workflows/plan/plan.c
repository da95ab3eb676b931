/* plan.c - see plan.h: the state machine.  Its invariants stand in plan_priv.h.
 *
 * Whatever ends makes work: a state to decide, a state to complete, a call to return from.  Work
 * goes on a list and is done until the list is empty.  What comes of it depends on nothing
 * but what the state needs, so the order in which ends are reported leaves no trace.
 */
#include "workflows/plan/plan_priv.h"

/* ---- results ---- */

static const char *const result_texts[] = {
	[WORKFLOW_RESULT_NONE] = "",           [WORKFLOW_RESULT_SUCCESS] = "success",
	[WORKFLOW_RESULT_FAILURE] = "failure", [WORKFLOW_RESULT_CANCELLED] = "cancelled",
	[WORKFLOW_RESULT_SKIPPED] = "skipped",
};

const char *workflow_result_text(enum workflow_result result) { return result_texts[result]; }

bool workflow_result_read(enum workflow_result *out, struct lb_bytes text)
{
	for (size_t i = WORKFLOW_RESULT_SUCCESS; i <= WORKFLOW_RESULT_SKIPPED; i++) {
		if (lb_bytes_is(text, result_texts[i])) {
			*out = (enum workflow_result)i;
			return true;
		}
	}
	return false;
}

bool workflow_planner_has_ended(const struct node *node)
{
	return node->shown.state == WORKFLOW_DONE || node->shown.state == WORKFLOW_SKIPPED;
}

/* How a node counts for its job: a failure that may be is none. */
static enum workflow_result counted(const struct node *node)
{
	if (node->shown.result == WORKFLOW_RESULT_FAILURE && node->shown.continue_on_error)
		return WORKFLOW_RESULT_SUCCESS;
	return node->shown.result;
}

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
	struct node *node = LB_ARENA_NEW(&scope->plan->arena, struct node, 1);

	if (node == NULL)
		return NULL;
	node->state = state;
	node->shown = (struct workflow_instance){
		.id = node_id(state, index, indexed),
		.job = state->job->id,
		.parent = scope->caller != NULL ? scope->caller->shown.id : (struct lb_bytes){ 0 },
		.file = scope->workflow->file_name,
		.workflow = scope->workflow,
		.definition = state->job,
		.index = index,
		.total = total,
		.max_parallel = total,
		.calls = state->job->uses != NULL,
		.cancel = scope->caller != NULL && scope->caller->shown.cancel,
	};
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
	state->nodes[0] = node;
	state->node_count = 1;
	return !plan->arena.failed;
}

/* What a job may have at most, and what it has when no file says anything. */
static void set_permissions(struct scope *scope)
{
	const struct workflow_plan *plan = scope->plan;
	const struct workflow_permissions *given = &plan->options.permissions;

	if (scope->caller != NULL) {
		scope->most = scope->otherwise = scope->caller->shown.permissions;
		return;
	}
	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT; i++) {
		scope->most.of[i] = WORKFLOW_ACCESS_WRITE;
		scope->otherwise.of[i] = WORKFLOW_ACCESS_WRITE;
	}
	scope->otherwise.of[WORKFLOW_PERMISSION_ID_TOKEN] = WORKFLOW_ACCESS_NONE;
	if (given->given)
		scope->otherwise = *given;
	scope->otherwise.given = scope->most.given = true;
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

/* ---- work ---- */

static lb_err decide(struct work *work);
static lb_err complete(struct work *work);
static lb_err return_from_call(struct work *work);

static void push(struct workflow_plan *plan, struct work *work, lb_err (*run)(struct work *))
{
	work->run = run;
	work->next = plan->work;
	plan->work = work;
}

static lb_err advance(struct workflow_plan *plan)
{
	while (plan->work != NULL) {
		struct work *work = plan->work;
		lb_err err;

		plan->work = work->next;
		err = work->run(work);
		if (lb_failed(err)) {
			push(plan, work, work->run);
			return err;
		}
	}
	return LB_OK;
}

/* The last job first, so that they are decided in the order of the file. */
static void start_scope(struct scope *scope)
{
	scope->plan->instance_count += scope->workflow->job_count;
	for (uint32_t i = scope->workflow->job_count; i-- > 0;) {
		if (scope->states[i].open == 0)
			push(scope->plan, &scope->states[i].work, decide);
	}
}

/* ---- ends ---- */

/* Nodes in order of their index can run as long as fewer than max-parallel before them do. */
static void make_ready(struct state *state)
{
	uint32_t unfinished = 0;

	for (uint32_t i = 0; i < state->node_count; i++) {
		struct node *node = state->nodes[i];

		if (workflow_planner_has_ended(node))
			continue;
		if (node->shown.state == WORKFLOW_WAITING && !node->shown.calls &&
		    unfinished < node->shown.max_parallel)
			node->shown.state = WORKFLOW_READY;
		unfinished++;
	}
}

static enum workflow_result worse(enum workflow_result a, enum workflow_result b)
{
	static const unsigned char rank[] = {
		[WORKFLOW_RESULT_NONE] = 0,    [WORKFLOW_RESULT_SKIPPED] = 1,
		[WORKFLOW_RESULT_SUCCESS] = 2, [WORKFLOW_RESULT_CANCELLED] = 3,
		[WORKFLOW_RESULT_FAILURE] = 4,
	};

	return rank[a] > rank[b] ? a : b;
}

/* Of several instances the one with the highest index that says something. */
static const struct lb_value *merge_outputs(struct state *state)
{
	struct lb_arena *arena = &state->scope->plan->arena;
	struct lb_value *merged;

	if (state->node_count == 1)
		return state->nodes[0]->outputs;
	merged = lb_value_object(arena);
	for (uint32_t i = 0; i < state->node_count; i++) {
		const struct lb_value *outputs = state->nodes[i]->outputs;

		for (uint32_t k = 0; outputs != NULL && k < outputs->count; k++) {
			const struct lb_member *member = &outputs->members[k];

			if (member->value->string.len > 0 ||
			    lb_value_find(merged, member->key) == NULL)
				lb_value_set(arena, merged, member->key, member->value);
		}
	}
	return merged;
}

/* The outputs of a called workflow, once its jobs have ended. */
static lb_err call_outputs(const struct lb_value **out, struct scope *scope, struct lb_diag *diag)
{
	struct lb_arena *arena = &scope->plan->arena;
	const struct workflow_trigger *trigger =
		workflow_trigger_find(scope->workflow, "workflow_call");
	struct lb_value *contexts = workflow_planner_contexts(arena, scope, NULL, NULL, NULL);
	struct lb_value *jobs = lb_value_object(arena), *outputs = lb_value_object(arena);
	struct workflow_scope evaluation = { .contexts = contexts };

	for (uint32_t i = 0; i < scope->workflow->job_count; i++) {
		const struct state *state = &scope->states[i];
		struct lb_value *job = lb_value_object(arena);

		lb_value_set_text(arena, job, "result", workflow_result_text(state->result));
		lb_value_put(arena, job, "outputs",
		             state->outputs != NULL ? workflow_share(state->outputs)
		                                    : lb_value_object(arena));
		lb_value_set(arena, jobs, state->job->id, job);
	}
	lb_value_put(arena, contexts, "jobs", jobs);
	for (uint32_t i = 0; i < trigger->output_count; i++) {
		struct lb_bytes text;

		LB_TRY(workflow_token_text(&text, arena, trigger->outputs[i].value, &evaluation,
		                           diag));
		lb_value_set(arena, outputs, trigger->outputs[i].name,
		             lb_value_string(arena, text));
	}
	*out = outputs;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static enum workflow_result scope_result(const struct scope *scope)
{
	enum workflow_result result = WORKFLOW_RESULT_NONE;

	for (uint32_t i = 0; i < scope->workflow->job_count; i++)
		result = worse(result, scope->states[i].result);
	return result;
}

/* It should not run any longer; nor should what it calls. */
static void stop_node(struct node *node, struct lb_bytes why)
{
	if (node->shown.cancel)
		return;
	node->shown.cancel = true;
	node->shown.why = why;
	for (uint32_t i = 0; node->called != NULL && i < node->called->workflow->job_count; i++) {
		const struct state *state = &node->called->states[i];

		for (uint32_t n = 0; state->decided && n < state->node_count; n++) {
			if (!workflow_planner_has_ended(state->nodes[n]))
				stop_node(state->nodes[n], why);
		}
	}
}

/* A node ended: its siblings may be told to stop, or may start; its state may be complete. */
static void end_node(struct node *node, enum workflow_state to, enum workflow_result result)
{
	struct state *state = node->state;
	bool stop = result == WORKFLOW_RESULT_FAILURE && node->shown.fail_fast &&
	            !node->shown.continue_on_error;

	node->shown.state = to;
	node->shown.result = result;
	node->shown.cancel = false; /* whether it was told to stop is no part of how it ended */
	for (uint32_t i = 0; i < state->node_count && stop; i++) {
		struct node *sibling = state->nodes[i];

		if (!workflow_planner_has_ended(sibling))
			stop_node(sibling, LB_B("fail-fast: another job of the matrix failed"));
	}
	if (--state->unfinished == 0)
		push(state->scope->plan, &state->work, complete);
	else
		make_ready(state);
}

/* All nodes of a state have ended: those who need it may be decided now. */
static lb_err complete(struct work *work)
{
	struct state *state = (struct state *)work;
	struct scope *scope = state->scope;
	const struct lb_value *outputs = merge_outputs(state);

	if (scope->plan->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	state->outputs = outputs;
	for (uint32_t i = 0; i < state->node_count; i++)
		state->result = worse(state->result, counted(state->nodes[i]));
	state->all_good = state->result == WORKFLOW_RESULT_SUCCESS;
	state->any_bad = state->result == WORKFLOW_RESULT_FAILURE;
	for (uint32_t i = 0; i < state->job->need_count; i++) {
		const struct state *need = &scope->states[state->job->needs[i]->index];

		state->all_good = state->all_good && need->all_good;
		state->any_bad = state->any_bad || need->any_bad;
	}
	for (uint32_t i = state->job->user_count; i-- > 0;) {
		struct state *user = &scope->states[state->job->users[i]->index];

		if (--user->open == 0)
			push(scope->plan, &user->work, decide);
	}
	if (--scope->unended == 0 && scope->caller != NULL)
		push(scope->plan, &scope->caller->returning, return_from_call);
	return LB_OK;
}

static lb_err return_from_call(struct work *work)
{
	struct node *node =
		(struct node *)(void *)((char *)work - offsetof(struct node, returning));
	struct workflow_plan *plan = node->state->scope->plan;
	enum workflow_result result = scope_result(node->called);
	const struct lb_value *outputs = NULL;
	struct lb_diag why = { 0 };
	lb_err err = call_outputs(&outputs, node->called, &why);
	struct lb_bytes text = lb_arena_bytes(&plan->arena, lb_bytes_of(why.text));

	if (plan->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	if (lb_failed(err)) {
		result = WORKFLOW_RESULT_FAILURE;
		node->shown.why = text;
	}
	node->outputs = outputs;
	end_node(node, WORKFLOW_DONE, result);
	return LB_OK;
}

/* ---- conditions ---- */

static const struct state *need_of(const struct state *state, uint32_t i)
{
	return &state->scope->states[state->job->needs[i]->index];
}

/* success() and failure() look at all that came before, not at the needs alone. */
static bool status_of_all(const struct state *state, bool success)
{
	bool holds = success && !state->scope->plan->cancelled;

	for (uint32_t i = 0; i < state->job->need_count; i++) {
		const struct state *need = need_of(state, i);

		holds = success ? holds && need->all_good : holds || need->any_bad;
	}
	return holds;
}

static lb_err status_of(bool *out, void *self, bool success, const struct lb_bytes *jobs,
                        size_t count)
{
	const struct state *state = self;
	bool holds = success;

	for (size_t i = 0; i < count; i++) {
		const struct workflow_job *job = workflow_job_find(state->scope->workflow, jobs[i]);
		enum workflow_result result = job != NULL ? state->scope->states[job->index].result
		                                          : WORKFLOW_RESULT_NONE;

		holds = success ? holds && result == WORKFLOW_RESULT_SUCCESS
		                : holds || result == WORKFLOW_RESULT_FAILURE;
	}
	*out = count == 0 ? status_of_all(state, success) : holds;
	return LB_OK;
}

static lb_err condition_holds(bool *out, struct state *state, const struct lb_value *needs,
                              struct lb_diag *diag)
{
	struct workflow_plan *plan = state->scope->plan;
	struct workflow_scope scope = { .status_of = status_of, .self = state };

	scope.contexts = workflow_planner_contexts(&plan->arena, state->scope, needs, NULL, NULL);
	if (plan->cancelled)
		scope.status = WORKFLOW_STATUS_CANCELLED;
	return workflow_condition(out, &plan->arena, state->job->condition, &scope, diag);
}

/* "build: failure", or the condition itself. */
static struct lb_bytes why_skipped(struct state *state)
{
	struct lb_arena *arena = &state->scope->plan->arena;

	for (uint32_t i = 0; i < state->job->need_count; i++) {
		const struct state *need = need_of(state, i);

		if (!need->all_good)
			return lb_arena_format(arena, "needs: %.*s: %s", LB_FMT(need->job->id),
			                       need->result == WORKFLOW_RESULT_SUCCESS
			                               ? "something before it did not succeed"
			                               : workflow_result_text(need->result));
	}
	return lb_arena_format(arena, "if: %.*s", LB_FMT(state->job->condition->text));
}

/* ---- deciding ---- */

static void commit_skip(struct state *state, struct lb_bytes why)
{
	struct node *node = state->nodes[0];

	state->decided = true;
	state->unfinished = 1;
	node->shown.why = why;
	end_node(node, WORKFLOW_SKIPPED, WORKFLOW_RESULT_SKIPPED);
}

static void commit_failure(struct state *state, struct lb_bytes why)
{
	struct node *node = state->nodes[0];

	state->decided = true;
	state->unfinished = 1;
	node->shown.why = why;
	end_node(node, WORKFLOW_DONE, WORKFLOW_RESULT_FAILURE);
}

static void commit_nodes(struct state *state, struct node **nodes, uint32_t count)
{
	struct workflow_plan *plan = state->scope->plan;

	state->decided = true;
	state->nodes = nodes;
	state->node_count = state->unfinished = count;
	plan->instance_count += count - 1;
	for (uint32_t i = count; i-- > 0;) {
		if (nodes[i]->called != NULL)
			start_scope(nodes[i]->called);
	}
	make_ready(state);
}

static lb_err decide_what(bool *holds, struct node ***nodes, uint32_t *count, struct state *state,
                          struct lb_diag *diag)
{
	const struct lb_value *needs =
		workflow_planner_needs_value(&state->scope->plan->arena, state);

	LB_TRY(condition_holds(holds, state, needs, diag));
	return *holds ? workflow_planner_expand(nodes, count, state, needs, diag) : LB_OK;
}

static lb_err decide(struct work *work)
{
	struct state *state = (struct state *)work;
	struct lb_arena *arena = &state->scope->plan->arena;
	struct node **nodes = NULL;
	struct lb_diag wrong = { 0 };
	struct lb_bytes why = { 0 };
	uint32_t count = 0;
	bool holds = false;
	lb_err err = decide_what(&holds, &nodes, &count, state, &wrong);

	if (lb_failed(err))
		why = lb_arena_bytes(arena, lb_bytes_of(lb_diag_text(&wrong, err)));
	else if (!holds)
		why = why_skipped(state);
	if (arena->failed || lb_code_of(err) == LB_E_NOMEM)
		return lb_err_of(LB_E_NOMEM);
	if (lb_failed(err))
		commit_failure(state, why);
	else if (!holds)
		commit_skip(state, why);
	else
		commit_nodes(state, nodes, count);
	return LB_OK;
}

/* ---- the order shown ---- */

static void list_scope(struct workflow_plan *plan, const struct scope *scope)
{
	for (uint32_t i = 0; i < scope->workflow->job_count; i++) {
		const struct state *state = &scope->states[i];

		for (uint32_t n = 0; n < state->node_count; n++) {
			struct node **slot = lb_vec_add(&plan->order);

			if (slot == NULL)
				return;
			*slot = state->nodes[n];
			if (state->nodes[n]->called != NULL && state->decided)
				list_scope(plan, state->nodes[n]->called);
		}
	}
}

/* Do what is to be done, and list what there is then.  Every change ends with it. */
lb_err workflow_planner_settle(struct workflow_plan *plan)
{
	LB_TRY(advance(plan));
	plan->order.count = 0;
	plan->order.failure = LB_OK;
	list_scope(plan, plan->root);
	return lb_vec_check(&plan->order);
}

/* ---- life ---- */

static lb_err start(struct workflow_plan *plan, struct lb_diag *diag)
{
	const struct lb_value *inputs = plan->options.inputs;

	LB_TRY(workflow_planner_load_called(plan, diag));
	if (inputs == NULL)
		inputs = lb_value_object(&plan->arena);
	LB_TRY(workflow_planner_scope_new(&plan->root, plan, plan->workflow, NULL, inputs));
	LB_TRY(workflow_planner_run_keys(plan, diag));
	start_scope(plan->root);
	return workflow_planner_settle(plan);
}

lb_err workflow_plan_new(struct workflow_plan **out, struct lb_mem *mem,
                         const struct workflow *workflow,
                         const struct workflow_plan_options *options, struct lb_diag *diag)
{
	struct workflow_plan *plan = LB_NEW(mem, struct workflow_plan, 1);
	lb_err err;

	*out = NULL;
	if (plan == NULL)
		return lb_err_of(LB_E_NOMEM);
	plan->mem = mem;
	plan->workflow = workflow;
	plan->options = *options;
	lb_arena_init(&plan->arena, mem);
	lb_map_init(&plan->files, mem);
	lb_vec_init(&plan->order, mem, sizeof(struct node *), (size_t)WORKFLOW_INSTANCES_MAX * 2);
	err = start(plan, diag);
	if (lb_failed(err))
		workflow_plan_free(plan);
	else
		*out = plan;
	return err;
}

void workflow_plan_free(struct workflow_plan *plan)
{
	if (plan == NULL)
		return;
	while (plan->first_file != NULL) {
		struct file *file = plan->first_file;

		plan->first_file = file->next;
		workflow_free(file->workflow);
		LB_DROP(plan->mem, file, 1);
	}
	lb_vec_release(&plan->order);
	lb_map_release(&plan->files);
	lb_arena_release(&plan->arena);
	LB_DROP(plan->mem, plan, 1);
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
	}
	return node != NULL && lb_bytes_eq(node->shown.id, id) ? node : NULL;
}

/* ---- ends reported ---- */

static const struct lb_value *copy_outputs(struct lb_arena *arena, const struct lb_value *outputs)
{
	struct lb_value *copy = lb_value_object(arena);

	if (outputs == NULL || outputs->kind != LB_OBJECT)
		return NULL;
	for (uint32_t i = 0; i < outputs->count; i++)
		lb_value_set(arena, copy, outputs->members[i].key,
		             lb_value_string(arena,
		                             workflow_to_text(arena, outputs->members[i].value)));
	return copy;
}

static lb_err check_finish(const struct node *node, struct lb_bytes id, enum workflow_result result,
                           struct lb_diag *diag)
{
	if (node == NULL)
		return lb_fail(diag, LB_E_NOTFOUND, "there is no job '%.*s' in the plan",
		               LB_FMT(id));
	if (workflow_planner_has_ended(node))
		return lb_fail(diag, LB_E_EXISTS, "job '%.*s' has ended already: %s", LB_FMT(id),
		               workflow_result_text(node->shown.result));
	if (node->shown.calls)
		return lb_fail(diag, LB_E_INVALID, "job '%.*s' calls a workflow and ends with it",
		               LB_FMT(id));
	if (node->shown.state == WORKFLOW_WAITING && !node->shown.cancel)
		return lb_fail(diag, LB_E_INVALID, "job '%.*s' has not been ready", LB_FMT(id));
	if (result == WORKFLOW_RESULT_NONE || result == WORKFLOW_RESULT_SKIPPED)
		return lb_fail(diag, LB_E_INVALID, "a job that ran cannot end with '%s'",
		               workflow_result_text(result));
	return LB_OK;
}

lb_err workflow_planner_finish(struct workflow_plan *plan, struct lb_bytes id,
                               enum workflow_result result, const struct lb_value *outputs,
                               struct lb_diag *diag)
{
	struct node *node = workflow_planner_find(plan, id);
	const struct lb_value *copy;

	plan->arena.failed = false; /* what ran out before may be there again */
	if (node != NULL && node->reported && node->shown.result == result)
		return advance(plan);
	LB_TRY(check_finish(node, id, result, diag));
	copy = copy_outputs(&plan->arena, outputs);
	if (plan->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	node->outputs = copy;
	node->shown.why = (struct lb_bytes){ 0 };
	node->reported = true;
	node->before_cancel = !plan->cancelled;
	end_node(node, WORKFLOW_DONE, result);
	return advance(plan);
}

lb_err workflow_plan_finish(struct workflow_plan *plan, struct lb_bytes id,
                            enum workflow_result result, const struct lb_value *outputs,
                            struct lb_diag *diag)
{
	LB_TRY(workflow_planner_finish(plan, id, result, outputs, diag));
	return workflow_planner_settle(plan);
}

/* ---- cancelling ---- */

static lb_err cancel_scope(struct scope *scope);

/* A condition that cannot be evaluated now does not want to run. */
static lb_err cancel_state(struct state *state)
{
	const struct lb_value *needs =
		workflow_planner_needs_value(&state->scope->plan->arena, state);
	bool holds;
	lb_err err = condition_holds(&holds, state, needs, NULL);

	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	for (uint32_t i = 0; i < state->node_count; i++) {
		struct node *node = state->nodes[i];

		if (workflow_planner_has_ended(node))
			continue;
		if (lb_failed(err) || !holds)
			stop_node(node, LB_B("the run was cancelled"));
		else if (node->called != NULL)
			LB_TRY(cancel_scope(node->called));
	}
	return LB_OK;
}

static lb_err cancel_scope(struct scope *scope)
{
	for (uint32_t i = 0; i < scope->workflow->job_count; i++) {
		if (scope->states[i].decided)
			LB_TRY(cancel_state(&scope->states[i]));
	}
	return LB_OK;
}

lb_err workflow_plan_cancel(struct workflow_plan *plan, struct lb_diag *diag)
{
	(void)diag; /* running out of memory is all that can go wrong, and needs no prose */
	plan->arena.failed = false; /* as above */
	plan->cancelled = true;
	LB_TRY(cancel_scope(plan->root));
	return workflow_planner_settle(plan);
}

/* ---- the whole ---- */

enum workflow_result workflow_plan_conclusion(const struct workflow_plan *plan)
{
	enum workflow_result result;

	if (plan->root->unended > 0)
		return WORKFLOW_RESULT_NONE;
	result = scope_result(plan->root);
	if (plan->cancelled)
		for (size_t i = 0; i < plan->order.count; i++) {
			const struct node *node = *LB_VEC_AT(&plan->order, struct node *, i);

			if (node->shown.result == WORKFLOW_RESULT_CANCELLED)
				return WORKFLOW_RESULT_CANCELLED;
		}
	return result;
}

size_t workflow_plan_count(const struct workflow_plan *plan) { return plan->order.count; }

const struct workflow_instance *workflow_plan_at(const struct workflow_plan *plan, size_t index)
{
	return &(*LB_VEC_AT(&plan->order, struct node *, index))->shown;
}

const struct workflow_instance *workflow_plan_find(const struct workflow_plan *plan,
                                                   struct lb_bytes id)
{
	const struct node *node = workflow_planner_find(plan, id);

	return node != NULL ? &node->shown : NULL;
}

struct lb_bytes workflow_plan_run_name(const struct workflow_plan *plan) { return plan->run_name; }

struct lb_bytes workflow_plan_concurrency(const struct workflow_plan *plan,
                                          bool *cancel_in_progress, bool *queue_all)
{
	*cancel_in_progress = plan->concurrency_cancel;
	*queue_all = plan->concurrency_queue_all;
	return plan->concurrency_group;
}
