/* machine.c - what follows from what: decisions, ends, cancelling.  The invariants stand in
 * plan_priv.h.
 *
 * Whatever ends makes work: a state to decide, a state to complete, a call to return from.  Work
 * goes on a list and is done until the list is empty.  What comes of it depends on nothing
 * but what the state needs, so the order in which ends are reported leaves no trace.
 */
#include "workflows/plan/plan_priv.h"

#include "workflows/expression/inspect.h"

/* ---- nodes ---- */

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

/* ---- the list ---- */

static lb_err decide(struct work *work);
static lb_err complete(struct work *work);
static lb_err return_from_call(struct work *work);

static void push(struct workflow_plan *plan, struct work *work, lb_err (*run)(struct work *))
{
	work->run = run;
	work->next = plan->work;
	plan->work = work;
}

lb_err workflow_planner_advance(struct workflow_plan *plan)
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
void workflow_planner_start(struct scope *scope)
{
	scope->started = true;
	scope->plan->instance_count += scope->workflow->job_count;
	scope->plan->changes++;
	for (uint32_t i = scope->workflow->job_count; i-- > 0;) {
		if (scope->states[i].open == 0)
			push(scope->plan, &scope->states[i].work, decide);
	}
}

/* ---- ends ---- */

/* It can run now: a job for a runner, a call for its own jobs. */
static void start_node(struct node *node)
{
	node->state->running++;
	node->counts = true;
	if (node->called != NULL)
		workflow_planner_start(node->called);
	else
		node->shown.state = WORKFLOW_READY;
}

/* The nodes start in order of their index, at most max-parallel of them at once.  A call that was
 * told to stop starts at once: only its jobs can end it. */
static void start_nodes(struct state *state)
{
	for (; state->next < state->node_count; state->next++) {
		struct node *node = state->nodes[state->next];

		if (state->running >= node->shown.max_parallel &&
		    !(node->called != NULL && node->shown.cancel))
			return;
		if (!workflow_planner_has_ended(node))
			start_node(node);
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

enum workflow_result workflow_planner_scope_result(const struct scope *scope)
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

static void stop_siblings(const struct node *node)
{
	const struct state *state = node->state;

	for (uint32_t i = 0; i < state->node_count; i++) {
		if (!workflow_planner_has_ended(state->nodes[i]))
			stop_node(state->nodes[i],
			          LB_B("fail-fast: another job of the matrix failed"));
	}
}

/* Its siblings may be told to stop, or may start; its state may be complete. */
void workflow_planner_end_node(struct node *node, enum workflow_state to,
                               enum workflow_result result)
{
	struct state *state = node->state;

	node->shown.state = to;
	node->shown.result = result;
	node->shown.cancel = false; /* whether it was told to stop is no part of how it ended */
	if (node->counts)
		state->running--;
	if (result == WORKFLOW_RESULT_FAILURE && node->shown.fail_fast &&
	    !node->shown.continue_on_error)
		stop_siblings(node);
	if (--state->unfinished == 0)
		push(state->scope->plan, &state->work, complete);
	else
		start_nodes(state);
}

/* What success() and failure() of those behind it will say, and what `needs` will hold. */
static void sum_up(struct state *state)
{
	for (uint32_t i = 0; i < state->node_count; i++) {
		state->result = worse(state->result, counted(state->nodes[i]));
		state->unknown = state->unknown || state->nodes[i]->unknown;
	}
	state->all_good = state->result == WORKFLOW_RESULT_SUCCESS;
	state->any_bad = state->result == WORKFLOW_RESULT_FAILURE;
	for (uint32_t i = 0; i < state->job->need_count; i++) {
		const struct state *need = workflow_planner_need(state, i);

		state->all_good = state->all_good && need->all_good;
		state->any_bad = state->any_bad || need->any_bad;
	}
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
	sum_up(state);
	for (uint32_t i = state->job->user_count; i-- > 0;) {
		struct state *user = &scope->states[state->job->users[i]->index];

		if (--user->open == 0)
			push(scope->plan, &user->work, decide);
	}
	if (--scope->unended == 0 && scope->caller != NULL)
		push(scope->plan, &scope->caller->returning, return_from_call);
	return LB_OK;
}

static bool any_unknown(const struct scope *scope)
{
	for (uint32_t i = 0; i < scope->workflow->job_count; i++) {
		if (scope->states[i].unknown)
			return true;
	}
	return false;
}

static lb_err return_from_call(struct work *work)
{
	struct node *node =
		(struct node *)(void *)((char *)work - offsetof(struct node, returning));
	struct workflow_plan *plan = node->state->scope->plan;
	enum workflow_result result = workflow_planner_scope_result(node->called);
	const struct lb_value *outputs = NULL;
	struct lb_diag why = { 0 };
	lb_err err = call_outputs(&outputs, node->called, &why);
	struct lb_bytes text = lb_arena_bytes(&plan->arena, lb_bytes_of(why.text)); /* or "" */

	if (plan->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	if (lb_failed(err))
		result = WORKFLOW_RESULT_FAILURE;
	node->shown.why = text;
	node->outputs = outputs;
	node->unknown = any_unknown(node->called);
	workflow_planner_end_node(node, WORKFLOW_DONE, result);
	return LB_OK;
}

/* ---- conditions ---- */

/* success() and failure() look at all that came before, not at the needs alone. */
static bool status_of_all(const struct state *state, bool success)
{
	bool holds = success && !state->scope->plan->cancelled;

	for (uint32_t i = 0; i < state->job->need_count; i++) {
		const struct state *need = workflow_planner_need(state, i);

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

/* Why something is not run, and where that stands in the file. */
struct reason {
	struct lb_bytes text;
	const struct workflow_token *at;
};

/* The first need after which success() does not hold, where the condition goes by that. */
static const struct state *hindering_need(const struct state *state)
{
	const struct state *need = NULL;

	if (!workflow_expr_needs_success(state->job->condition->expr))
		return NULL;
	for (uint32_t i = 0; i < state->job->need_count && need == NULL; i++) {
		if (!workflow_planner_need(state, i)->all_good)
			need = workflow_planner_need(state, i);
	}
	return need;
}

/* "needs: build: failure", or the condition as it stands in the file. */
static struct reason why_skipped(struct state *state)
{
	struct lb_arena *arena = &state->scope->plan->arena;
	const struct workflow_token *condition = state->job->condition;
	const struct state *need = hindering_need(state);
	struct lb_bytes text;

	if (need == NULL) {
		text = condition->line != 0 ? workflow_trim(condition->raw) : condition->text;
		return (struct reason){ lb_arena_format(arena, "if: %.*s", LB_FMT(text)),
			                condition };
	}
	text = lb_arena_format(arena, "needs: %.*s: %s", LB_FMT(need->job->id),
	                       need->result == WORKFLOW_RESULT_SUCCESS
	                               ? "something before it did not succeed"
	                               : workflow_result_text(need->result));
	return (struct reason){ text, state->job->place };
}

/* ---- deciding ---- */

static void set_reason(struct node *node, const struct reason *why)
{
	node->shown.why = why->text;
	node->shown.why_line = why->at->line;
	node->shown.why_column = why->at->column;
}

/* The placeholder is what it becomes: skipped, or failed to be planned. */
static void commit_end(struct state *state, enum workflow_state to, enum workflow_result result,
                       const struct reason *why)
{
	struct node *node = state->nodes[0];

	state->decided = true;
	state->unfinished = 1;
	set_reason(node, why);
	workflow_planner_end_node(node, to, result);
}

static void commit_nodes(struct state *state, struct node **nodes, uint32_t count)
{
	struct workflow_plan *plan = state->scope->plan;

	state->decided = true;
	state->nodes = nodes;
	state->node_count = state->unfinished = count;
	plan->instance_count += count - 1;
	plan->changes++;
	start_nodes(state);
}

static lb_err decide_what(bool *holds, struct node ***nodes, uint32_t *count, struct state *state,
                          struct lb_diag *diag)
{
	const struct lb_value *needs =
		workflow_planner_needs_value(&state->scope->plan->arena, state);

	LB_TRY(workflow_planner_blame(condition_holds(holds, state, needs, diag), state, "if",
	                              state->job->condition, diag));
	return *holds ? workflow_planner_expand(nodes, count, state, needs, diag) : LB_OK;
}

/* What it goes by is not known and will not be: it stays as it is, and so does what needs it. */
static bool hold(struct state *state, lb_err *err)
{
	struct lb_arena *arena = &state->scope->plan->arena;
	struct node *node = state->nodes[0];
	const struct state *need;
	struct reason why;

	*err = LB_OK;
	if (!workflow_planner_is_unknown(&why.at, &need, state))
		return false;
	why.text = lb_arena_format(arena, "waits for the outputs of %.*s", LB_FMT(need->job->id));
	if (arena->failed)
		*err = lb_err_of(LB_E_NOMEM);
	else
		set_reason(node, &why);
	return true;
}

static lb_err decide(struct work *work)
{
	struct state *state = (struct state *)work;
	struct lb_arena *arena = &state->scope->plan->arena;
	struct node **nodes = NULL;
	struct lb_diag wrong = { 0 };
	struct reason why = { .at = state->job->place };
	uint32_t count = 0;
	bool holds = false;
	lb_err err;

	if (hold(state, &err))
		return err;
	err = decide_what(&holds, &nodes, &count, state, &wrong);
	if (lb_failed(err))
		why.text = lb_arena_bytes(arena, lb_bytes_of(lb_diag_text(&wrong, err)));
	else if (!holds)
		why = why_skipped(state);
	if (arena->failed || lb_code_of(err) == LB_E_NOMEM)
		return lb_err_of(LB_E_NOMEM);
	if (lb_failed(err))
		commit_end(state, WORKFLOW_DONE, WORKFLOW_RESULT_FAILURE, &why);
	else if (!holds)
		commit_end(state, WORKFLOW_SKIPPED, WORKFLOW_RESULT_SKIPPED, &why);
	else
		commit_nodes(state, nodes, count);
	return LB_OK;
}

/* ---- cancelling ---- */

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
			LB_TRY(workflow_planner_cancel_scope(node->called));
	}
	return LB_OK;
}

lb_err workflow_planner_cancel_scope(struct scope *scope)
{
	for (uint32_t i = 0; i < scope->workflow->job_count; i++) {
		if (scope->states[i].decided)
			LB_TRY(cancel_state(&scope->states[i]));
	}
	return LB_OK;
}
