/* instance.c - what a job becomes when it can start: its instances, every key evaluated. */
#include "workflows/plan/plan_priv.h"

#include "base/text.h"
#include "workflows/event/match.h"
#include "workflows/plan/matrix.h"

enum {
	NAME_UNITS_MAX = 100,
	GROUP_UNITS_MAX = 400,
	TIMEOUT_MINUTES = 360,
	CANCEL_TIMEOUT_MINUTES = 5
};

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

lb_err workflow_planner_place(lb_err err, const struct workflow *in,
                              const struct workflow_token *at, struct lb_diag *diag)
{
	struct lb_diag what;

	if (!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM || diag == NULL)
		return err;
	what = *diag;
	if (at == NULL || lb_bytes_starts(lb_bytes_of(what.text), LB_B("(Line: ")))
		lb_diag_set(diag, "%.*s %s", LB_FMT(in->file_name), what.text);
	else
		lb_diag_set(diag, "%.*s (Line: %u, Col: %u): %s", LB_FMT(in->file_name), at->line,
		            at->column, what.text);
	return err;
}

lb_err workflow_planner_blame(lb_err err, const struct state *state, const char *key,
                              const struct workflow_token *at, struct lb_diag *diag)
{
	struct lb_diag what;

	if (!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM || diag == NULL)
		return err;
	err = workflow_planner_place(err, state->scope->workflow, at, diag);
	what = *diag;
	lb_diag_set(diag, "Error when evaluating '%s' for job '%.*s'. %s", key,
	            LB_FMT(state->job->id), what.text);
	return err;
}

static lb_err blame(lb_err err, const struct expander *x, const char *key,
                    const struct workflow_token *at)
{
	return workflow_planner_blame(err, x->state, key, at, x->diag);
}

/* ---- names ---- */

/* What is longer than 100 UTF-16 units gets 97 and an ellipsis. */
static struct lb_bytes cut_name(struct lb_arena *arena, struct lb_bytes name)
{
	struct lb_bytes rest = name;
	size_t kept = 0;

	if (name.len <= NAME_UNITS_MAX || workflow_utf16_length(name) <= NAME_UNITS_MAX)
		return name;
	for (size_t units = 0; rest.len > 0;) {
		kept = name.len - rest.len;
		units += lb_utf8_next(&rest) > 0xffff ? 2 : 1;
		if (units > NAME_UNITS_MAX - 3)
			break;
	}
	return lb_arena_format(arena, "%.*s...", LB_FMT(lb_bytes_upto(name, kept)));
}

static struct lb_bytes built_name(struct lb_arena *arena, struct lb_bytes base,
                                  struct lb_bytes suffix)
{
	if (suffix.len > 0)
		base = lb_arena_format(arena, "%.*s (%.*s)", LB_FMT(base), LB_FMT(suffix));
	return cut_name(arena, base);
}

/* A name without expressions gets the combination's values: "test (1, linux)".  So does the id
 * where a name with expressions comes out empty. */
static lb_err name_of(struct lb_bytes *out, struct expander *x, struct lb_bytes suffix)
{
	const struct workflow_job *job = x->state->job;
	const struct node *caller = x->state->scope->caller;
	bool literal = job->name->kind != WORKFLOW_EXPRESSION;
	struct lb_bytes name = { 0 };

	if (!literal)
		LB_TRY(blame(workflow_token_text(&name, x->arena, job->name, &x->scope, x->diag), x,
		             "name", job->name));
	if (name.len == 0)
		name = built_name(x->arena, literal ? job->name->text : job->id, suffix);
	*out = name;
	if (caller != NULL)
		*out = lb_arena_format(x->arena, "%.*s / %.*s", LB_FMT(caller->shown.name),
		                       LB_FMT(name));
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

/* A truth value where GitHub takes nothing else; not given: as it was. */
static lb_err strict_boolean(bool *out, struct lb_arena *arena, const struct lb_value *value,
                             struct lb_diag *diag)
{
	if (value == NULL || value->kind == LB_NULL)
		return LB_OK;
	if (value->kind != LB_BOOL)
		return lb_fail(diag, LB_E_INVALID, "Unexpected value '%.*s'",
		               LB_FMT(workflow_to_text(arena, value)));
	*out = value->boolean;
	return LB_OK;
}

static lb_err evaluate_group(struct lb_bytes *group, bool *cancel, bool *queue_all,
                             struct lb_arena *arena, const struct workflow_token *concurrency,
                             const struct workflow_scope *scope, struct lb_diag *diag)
{
	const struct lb_value *value, *name;

	LB_TRY(workflow_token_evaluate(&value, arena, concurrency, scope, diag));
	if (concurrency == NULL)
		return LB_OK;
	name = value;
	if (value->kind == LB_OBJECT) {
		name = workflow_member(value, LB_B("group"));
		LB_TRY(strict_boolean(cancel, arena,
		                      workflow_member(value, LB_B("cancel-in-progress")), diag));
		*queue_all = lb_bytes_is(lb_value_get_string(value, "queue"), "max");
	}
	if (name != NULL && !workflow_is_primitive(name))
		return lb_fail(diag, LB_E_INVALID, "Concurrency group name must be a string");
	*group = name != NULL ? workflow_to_text(arena, name) : (struct lb_bytes){ 0 };
	if (group->len == 0)
		return lb_fail(diag, LB_E_INVALID, "Concurrency group name cannot be empty");
	if (workflow_utf16_length(*group) > GROUP_UNITS_MAX)
		return lb_fail(diag, LB_E_INVALID,
		               "Concurrency group name must be less than %d characters",
		               GROUP_UNITS_MAX);
	return LB_OK;
}

static lb_err evaluate_environment(struct workflow_instance *out, struct expander *x)
{
	const struct workflow_token *environment = x->state->job->environment;
	const struct workflow_token *deployment = NULL, *name = environment;
	const struct lb_value *value;

	/* the URL is the runner's to evaluate */
	if (environment != NULL && environment->kind == WORKFLOW_MAPPING) {
		name = workflow_token_find(environment, "name");
		deployment = workflow_token_find(environment, "deployment");
	}
	LB_TRY(workflow_token_text(&out->environment, x->arena, name, &x->scope, x->diag));
	LB_TRY(workflow_token_evaluate(&value, x->arena, deployment, &x->scope, x->diag));
	out->deployment = out->environment.len > 0;
	return strict_boolean(&out->deployment, x->arena, value, x->diag);
}

static lb_err evaluate_minutes(double *out, struct expander *x, const char *key,
                               const struct workflow_token *token, double otherwise)
{
	*out = otherwise;
	if (token == NULL)
		return LB_OK;
	return blame(workflow_token_number(out, x->arena, token, &x->scope, x->diag), x, key,
	             token);
}

static lb_err evaluate_steps_job(struct workflow_instance *out, struct expander *x)
{
	const struct workflow_job *job = x->state->job;

	LB_TRY(blame(evaluate_runs_on(out, x), x, "runs-on", job->runs_on));
	LB_TRY(blame(evaluate_environment(out, x), x, "environment", job->environment));
	LB_TRY(evaluate_minutes(&out->timeout_minutes, x, "timeout-minutes", job->timeout_minutes,
	                        TIMEOUT_MINUTES));
	LB_TRY(evaluate_minutes(&out->cancel_timeout_minutes, x, "cancel-timeout-minutes",
	                        job->cancel_timeout_minutes, CANCEL_TIMEOUT_MINUTES));
	return blame(workflow_token_boolean(&out->continue_on_error, x->arena,
	                                    job->continue_on_error, &x->scope, x->diag),
	             x, "continue-on-error", job->continue_on_error);
}

static lb_err evaluate_call(struct node *node, struct expander *x)
{
	struct workflow_plan *plan = x->state->scope->plan;
	const struct workflow_job *job = x->state->job;
	const struct workflow *called = workflow_planner_called(plan, job);
	const struct workflow_trigger *trigger = workflow_trigger_find(called, "workflow_call");
	const struct lb_value *given, *inputs;

	node->shown.calls = true;
	LB_TRY(blame(workflow_token_evaluate(&given, x->arena, job->with, &x->scope, x->diag), x,
	             "with", job->with));
	LB_TRY(blame(workflow_inputs(&inputs, x->arena, trigger, given, &x->scope, x->diag), x,
	             "with", job->with != NULL ? job->with : job->uses));
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
	LB_TRY(blame(evaluate_group(&out->concurrency_group, &out->concurrency_cancel,
	                            &out->concurrency_queue_all, x->arena, job->concurrency,
	                            &x->scope, x->diag),
	             x, "concurrency", job->concurrency));
	return job->uses != NULL ? evaluate_call(node, x) : evaluate_steps_job(out, x);
}

/* ---- the strategy ---- */

struct strategy {
	const struct workflow_combination *combinations;
	uint32_t count; /* 1 without a matrix */
	bool has_matrix, fail_fast;
	uint32_t max_parallel; /* 0: as many as there are */
};

/* A matrix that excludes everything leaves one job, without a matrix. */
static lb_err evaluate_matrix(struct strategy *out, struct expander *x,
                              const struct lb_value *matrix)
{
	const struct workflow_combination *combinations;
	uint32_t count;

	LB_TRY(workflow_matrix_expand(&combinations, &count, x->arena, matrix, x->diag));
	if (count == 0)
		return LB_OK;
	out->combinations = combinations;
	out->count = count;
	out->has_matrix = true;
	return LB_OK;
}

static lb_err evaluate_strategy(struct strategy *out, struct expander *x)
{
	static const struct workflow_combination none = { .matrix = &workflow_null };
	const struct workflow_job *job = x->state->job;
	const struct lb_value *value, *max_parallel, *matrix;

	*out = (struct strategy){ .combinations = &none, .count = 1, .fail_fast = true };
	LB_TRY(workflow_token_evaluate(&value, x->arena, job->strategy, &x->scope, x->diag));
	LB_TRY(strict_boolean(&out->fail_fast, x->arena, workflow_member(value, LB_B("fail-fast")),
	                      x->diag));
	max_parallel = workflow_member(value, LB_B("max-parallel"));
	if (max_parallel != NULL && max_parallel->kind != LB_NUMBER)
		return lb_fail(x->diag, LB_E_INVALID, "Unexpected value '%.*s'",
		               LB_FMT(workflow_to_text(x->arena, max_parallel)));
	if (max_parallel != NULL && max_parallel->number >= 1)
		out->max_parallel = max_parallel->number < UINT32_MAX
		                            ? (uint32_t)max_parallel->number
		                            : UINT32_MAX;
	matrix = workflow_member(value, LB_B("matrix"));
	return matrix != NULL ? evaluate_matrix(out, x, matrix) : LB_OK;
}

static uint32_t parallel_of(const struct strategy *strategy)
{
	bool limited = strategy->max_parallel >= 1 && strategy->max_parallel < strategy->count;

	return limited ? strategy->max_parallel : strategy->count;
}

static const struct lb_value *strategy_value(struct lb_arena *arena,
                                             const struct strategy *strategy, uint32_t index)
{
	struct lb_value *value = lb_value_object(arena);
	bool said = strategy->has_matrix && strategy->max_parallel >= 1;

	lb_value_set_bool(arena, value, "fail-fast", strategy->fail_fast);
	lb_value_set_number(arena, value, "job-index", index);
	lb_value_set_number(arena, value, "job-total", strategy->count);
	lb_value_set_number(arena, value, "max-parallel",
	                    said ? strategy->max_parallel : strategy->count);
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

/* How many jobs there are more than now. */
static size_t added_by(const struct state *state, uint32_t count)
{
	const struct workflow_job *job = state->job;
	const struct workflow *called =
		job->uses != NULL ? workflow_planner_called(state->scope->plan, job) : NULL;

	return count - 1 + (called != NULL ? (size_t)count * called->job_count : 0);
}

lb_err workflow_planner_expand(struct node ***out, uint32_t *count, struct state *state,
                               const struct lb_value *needs, struct lb_diag *diag)
{
	struct workflow_plan *plan = state->scope->plan;
	struct expander x = { .arena = &plan->arena, .diag = diag, .state = state, .needs = needs };
	struct strategy strategy;

	x.scope.contexts = workflow_planner_contexts(x.arena, state->scope, needs, NULL, NULL);
	LB_TRY(blame(evaluate_strategy(&strategy, &x), &x, "strategy",
	             state->job->matrix != NULL ? state->job->matrix : state->job->strategy));
	if (plan->instance_count + added_by(state, strategy.count) > WORKFLOW_INSTANCES_MAX)
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
	const struct workflow *workflow = plan->workflow;
	struct workflow_scope scope = { 0 };

	scope.contexts = workflow_planner_contexts(&plan->arena, plan->root, NULL, NULL, NULL);
	LB_TRY(workflow_planner_place(workflow_token_text(&plan->run_name, &plan->arena,
	                                                  workflow->run_name, &scope, diag),
	                              workflow, workflow->run_name, diag));
	return workflow_planner_place(evaluate_group(&plan->concurrency_group,
	                                             &plan->concurrency_cancel,
	                                             &plan->concurrency_queue_all, &plan->arena,
	                                             workflow->concurrency, &scope, diag),
	                              workflow, workflow->concurrency, diag);
}
