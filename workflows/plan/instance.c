/* instance.c - what a job becomes when it can start: its instances, every key evaluated. */
#include "workflows/plan/plan_priv.h"

#include "base/text.h"
#include "workflows/event/match.h"
#include "workflows/plan/matrix.h"

enum { NAME_CHARACTERS_MAX = 100, TIMEOUT_MINUTES = 360, CANCEL_TIMEOUT_MINUTES = 5 };

struct expander {
	struct lb_arena *arena;
	struct lb_diag *diag;
	struct state *state;
	const struct lb_value *needs;
	struct workflow_scope scope; /* for expressions */
};

/* ---- contexts ---- */

static void put(struct lb_arena *arena, struct lb_value *object, const char *key,
                const struct lb_value *value)
{
	if (value != NULL)
		lb_value_put(arena, object, key, workflow_share(value));
}

struct lb_value *workflow_planner_contexts(struct lb_arena *arena, const struct scope *scope,
                                           const struct lb_value *needs,
                                           const struct lb_value *matrix,
                                           const struct lb_value *strategy)
{
	struct lb_value *contexts = lb_value_object(arena);

	put(arena, contexts, "github", scope->plan->options.github);
	put(arena, contexts, "vars", scope->plan->options.vars);
	put(arena, contexts, "inputs", scope->inputs);
	put(arena, contexts, "needs", needs);
	put(arena, contexts, "matrix", matrix);
	put(arena, contexts, "strategy", strategy);
	return contexts;
}

const struct lb_value *workflow_planner_needs_value(struct lb_arena *arena,
                                                    const struct state *state)
{
	struct lb_value *needs = lb_value_object(arena);

	for (uint32_t i = 0; i < state->job->need_count; i++) {
		const struct state *need = &state->scope->states[state->job->needs[i]->index];
		struct lb_value *entry = lb_value_object(arena);

		lb_value_set_text(arena, entry, "result", workflow_result_text(need->result));
		lb_value_put(arena, entry, "outputs",
		             need->outputs != NULL ? workflow_share(need->outputs)
		                                   : lb_value_object(arena));
		lb_value_set(arena, needs, need->job->id, entry);
	}
	return needs;
}

struct workflow_permissions workflow_planner_narrow(const struct workflow_permissions *own,
                                                    const struct workflow_permissions *most)
{
	struct workflow_permissions narrow = *own;

	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT; i++) {
		if (narrow.of[i] > most->of[i])
			narrow.of[i] = most->of[i];
	}
	return narrow;
}

/* ---- names ---- */

static struct lb_bytes cut_name(struct lb_arena *arena, struct lb_bytes name)
{
	struct lb_bytes rest = name;
	size_t kept = 0, characters = 0;

	while (rest.len > 0) {
		(void)lb_utf8_next(&rest);
		if (++characters == NAME_CHARACTERS_MAX - 3)
			kept = name.len - rest.len;
	}
	if (characters <= NAME_CHARACTERS_MAX)
		return name;
	return lb_arena_format(arena, "%.*s...", LB_FMT(lb_bytes_upto(name, kept)));
}

/* A name without expressions gets the combination's values: "test (1, linux)". */
static lb_err name_of(struct lb_bytes *out, struct expander *x, struct lb_bytes suffix)
{
	const struct workflow_job *job = x->state->job;
	const struct node *caller = x->state->scope->caller;
	struct lb_bytes base = job->name->text, name = { 0 };

	if (job->name->kind == WORKFLOW_EXPRESSION) {
		LB_TRY(workflow_token_text(&name, x->arena, job->name, &x->scope, x->diag));
		base = job->id;
	}
	if (name.len == 0)
		name = suffix.len > 0 ? lb_arena_format(x->arena, "%.*s (%.*s)", LB_FMT(base),
		                                        LB_FMT(suffix))
		                      : base;
	*out = cut_name(x->arena, name);
	if (caller != NULL)
		*out = lb_arena_format(x->arena, "%.*s / %.*s", LB_FMT(caller->shown.name),
		                       LB_FMT(*out));
	return LB_OK;
}

/* ---- keys ---- */

static lb_err add_labels(struct workflow_instance *out, struct expander *x,
                         const struct lb_value *value)
{
	bool list = value->kind == LB_ARRAY;
	uint32_t count = list ? value->count : 1;
	struct lb_bytes *labels = LB_ARENA_NEW(x->arena, struct lb_bytes, count);

	if (labels == NULL)
		return lb_err_of(LB_E_NOMEM);
	out->labels = labels;
	for (uint32_t i = 0; i < count; i++) {
		const struct lb_value *label = list ? value->items[i] : value;
		struct lb_bytes text = workflow_to_text(x->arena, label);

		if (!workflow_is_primitive(label))
			return lb_fail(x->diag, LB_E_INVALID, "runs-on: a label must be a string");
		if (text.len > 0)
			labels[out->label_count++] = text;
	}
	return LB_OK;
}

static lb_err evaluate_runs_on(struct workflow_instance *out, struct expander *x)
{
	const struct lb_value *value, *group, *labels;

	LB_TRY(workflow_token_evaluate(&value, x->arena, x->state->job->runs_on, &x->scope,
	                               x->diag));
	if (value->kind != LB_OBJECT) {
		LB_TRY(add_labels(out, x, value));
	} else {
		group = workflow_member(value, LB_B("group"));
		labels = workflow_member(value, LB_B("labels"));
		out->runner_group = workflow_to_text(x->arena, group);
		if (labels != NULL)
			LB_TRY(add_labels(out, x, labels));
	}
	if (out->label_count == 0 && out->runner_group.len == 0)
		return lb_fail(x->diag, LB_E_INVALID,
		               "runs-on: the job asks for no label and no group");
	return LB_OK;
}

static lb_err evaluate_group(struct lb_bytes *group, bool *cancel, bool *queue_all,
                             struct lb_arena *arena, const struct workflow_token *concurrency,
                             const struct workflow_scope *scope, struct lb_diag *diag)
{
	const struct lb_value *value, *name;

	LB_TRY(workflow_token_evaluate(&value, arena, concurrency, scope, diag));
	name = value;
	if (value->kind == LB_OBJECT) {
		name = workflow_member(value, LB_B("group"));
		*cancel = workflow_truthy(workflow_member(value, LB_B("cancel-in-progress")));
		*queue_all = lb_bytes_is(lb_value_get_string(value, "queue"), "max");
	}
	*group = workflow_to_text(arena, name);
	return LB_OK;
}

static lb_err evaluate_environment(struct workflow_instance *out, struct expander *x)
{
	const struct workflow_token *environment = x->state->job->environment;
	const struct workflow_token *name = environment;

	/* the URL is the runner's to evaluate */
	if (environment != NULL && environment->kind == WORKFLOW_MAPPING)
		name = workflow_token_find(environment, "name");
	return workflow_token_text(&out->environment, x->arena, name, &x->scope, x->diag);
}

static lb_err evaluate_minutes(double *out, struct expander *x, const struct workflow_token *token,
                               double otherwise)
{
	*out = otherwise;
	if (token == NULL)
		return LB_OK;
	return workflow_token_number(out, x->arena, token, &x->scope, x->diag);
}

static lb_err evaluate_steps_job(struct workflow_instance *out, struct expander *x)
{
	const struct workflow_job *job = x->state->job;

	LB_TRY(evaluate_runs_on(out, x));
	LB_TRY(evaluate_environment(out, x));
	LB_TRY(evaluate_minutes(&out->timeout_minutes, x, job->timeout_minutes, TIMEOUT_MINUTES));
	LB_TRY(evaluate_minutes(&out->cancel_timeout_minutes, x, job->cancel_timeout_minutes,
	                        CANCEL_TIMEOUT_MINUTES));
	return workflow_token_boolean(&out->continue_on_error, x->arena, job->continue_on_error,
	                              &x->scope, x->diag);
}

static lb_err evaluate_call(struct node *node, struct expander *x)
{
	struct workflow_plan *plan = x->state->scope->plan;
	const struct workflow_job *job = x->state->job;
	const struct workflow *called = workflow_planner_file(plan, job->uses->text);
	const struct workflow_trigger *trigger = workflow_trigger_find(called, "workflow_call");
	const struct lb_value *given, *inputs;

	node->shown.calls = true;
	LB_TRY(workflow_token_evaluate(&given, x->arena, job->with, &x->scope, x->diag));
	LB_TRY(workflow_inputs(&inputs, x->arena, trigger, given, &x->scope, x->diag));
	return workflow_planner_scope_new(&node->called, plan, called, node, inputs);
}

static lb_err evaluate_keys(struct node *node, struct expander *x, struct lb_bytes suffix)
{
	struct workflow_instance *out = &node->shown;
	const struct scope *scope = x->state->scope;
	const struct workflow_job *job = x->state->job;

	LB_TRY(name_of(&out->name, x, suffix));
	out->permissions = workflow_planner_narrow(
		job->permissions.given ? &job->permissions : &scope->otherwise, &scope->most);
	LB_TRY(evaluate_group(&out->concurrency_group, &out->concurrency_cancel,
	                      &out->concurrency_queue_all, x->arena, job->concurrency, &x->scope,
	                      x->diag));
	return job->uses != NULL ? evaluate_call(node, x) : evaluate_steps_job(out, x);
}

/* ---- the strategy ---- */

struct strategy {
	const struct workflow_combination *combinations;
	uint32_t count; /* 1 without a matrix */
	bool has_matrix, fail_fast;
	double max_parallel;
};

static lb_err evaluate_strategy(struct strategy *out, struct expander *x)
{
	static const struct workflow_combination none = { .matrix = &workflow_null };
	const struct workflow_job *job = x->state->job;
	const struct lb_value *value, *fail_fast, *matrix;

	*out = (struct strategy){ .combinations = &none, .count = 1, .fail_fast = true };
	LB_TRY(workflow_token_evaluate(&value, x->arena, job->strategy, &x->scope, x->diag));
	fail_fast = workflow_member(value, LB_B("fail-fast"));
	if (fail_fast != NULL)
		out->fail_fast = workflow_truthy(fail_fast);
	out->max_parallel = workflow_to_number(workflow_member(value, LB_B("max-parallel")));
	matrix = workflow_member(value, LB_B("matrix"));
	if (matrix == NULL)
		return LB_OK;
	out->has_matrix = true;
	LB_TRY(workflow_matrix_expand(&out->combinations, &out->count, x->arena, matrix, x->diag));
	if (out->count == 0)
		return lb_fail(x->diag, LB_E_INVALID, "Matrix excludes every combination");
	return LB_OK;
}

static uint32_t parallel_of(const struct strategy *strategy)
{
	bool limited = strategy->max_parallel >= 1 && strategy->max_parallel < strategy->count;

	return limited ? (uint32_t)strategy->max_parallel : strategy->count;
}

static const struct lb_value *strategy_value(struct lb_arena *arena,
                                             const struct strategy *strategy, uint32_t index)
{
	struct lb_value *value = lb_value_object(arena);
	double max_parallel =
		strategy->max_parallel >= 1 ? strategy->max_parallel : strategy->count;

	lb_value_set_bool(arena, value, "fail-fast", strategy->fail_fast);
	lb_value_set_number(arena, value, "job-index", index);
	lb_value_set_number(arena, value, "job-total", strategy->count);
	lb_value_set_number(arena, value, "max-parallel", max_parallel);
	return value;
}

/* ---- expanding ---- */

static lb_err expand_one(struct node **out, struct expander *x, const struct strategy *strategy,
                         uint32_t index)
{
	const struct workflow_combination *combination = &strategy->combinations[index];
	struct node *node =
		workflow_planner_node_new(x->state, index, strategy->count, strategy->has_matrix);

	if (node == NULL)
		return lb_err_of(LB_E_NOMEM);
	node->shown.matrix = combination->matrix;
	node->shown.strategy = strategy_value(x->arena, strategy, index);
	node->shown.needs = x->needs;
	node->shown.inputs = x->state->scope->inputs;
	node->shown.fail_fast = strategy->fail_fast;
	node->shown.max_parallel = parallel_of(strategy);
	x->scope.contexts = workflow_planner_contexts(x->arena, x->state->scope, x->needs,
	                                              combination->matrix, node->shown.strategy);
	*out = node;
	return evaluate_keys(node, x, combination->suffix);
}

lb_err workflow_planner_expand(struct node ***out, uint32_t *count, struct state *state,
                               const struct lb_value *needs, struct lb_diag *diag)
{
	struct workflow_plan *plan = state->scope->plan;
	struct expander x = { .arena = &plan->arena, .diag = diag, .state = state, .needs = needs };
	struct strategy strategy;

	x.scope.contexts = workflow_planner_contexts(x.arena, state->scope, needs, NULL, NULL);
	LB_TRY(evaluate_strategy(&strategy, &x));
	if (strategy.count > WORKFLOW_INSTANCES_MAX - plan->instance_count)
		return lb_fail(diag, LB_E_INVALID, "The run would have more than %d jobs",
		               WORKFLOW_INSTANCES_MAX);
	*out = LB_ARENA_NEW(x.arena, struct node *, strategy.count);
	if (*out == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < strategy.count; i++)
		LB_TRY(expand_one(&(*out)[i], &x, &strategy, i));
	*count = strategy.count;
	return plan->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* ---- keys of the run ---- */

lb_err workflow_planner_run_keys(struct workflow_plan *plan, struct lb_diag *diag)
{
	struct workflow_scope scope = { 0 };

	scope.contexts = workflow_planner_contexts(&plan->arena, plan->root, NULL, NULL, NULL);
	LB_TRY(workflow_token_text(&plan->run_name, &plan->arena, plan->workflow->run_name, &scope,
	                           diag));
	return evaluate_group(&plan->concurrency_group, &plan->concurrency_cancel,
	                      &plan->concurrency_queue_all, &plan->arena,
	                      plan->workflow->concurrency, &scope, diag);
}
