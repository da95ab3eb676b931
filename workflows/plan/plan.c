/* plan.c - see plan.h: a plan made, told what ended, asked how it stands. */
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

/* ---- life ---- */

static lb_err start(struct workflow_plan *plan, struct lb_diag *diag)
{
	const struct lb_value *inputs = plan->options.inputs;

	LB_TRY(workflow_planner_load_called(plan, diag));
	if (inputs == NULL)
		inputs = lb_value_object(&plan->arena);
	LB_TRY(workflow_planner_scope_new(&plan->root, plan, plan->workflow, NULL, inputs));
	LB_TRY(workflow_planner_run_keys(plan, diag));
	workflow_planner_start(plan->root);
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
	lb_map_init(&plan->calls, mem);
	plan->order = LB_NEW(mem, struct order, 1);
	err = plan->order != NULL ? start(plan, diag) : lb_err_of(LB_E_NOMEM);
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
	if (plan->order != NULL)
		LB_DROP(plan->mem, plan->order->at, plan->order->capacity);
	LB_DROP(plan->mem, plan->order, 1);
	lb_map_release(&plan->calls);
	lb_arena_release(&plan->arena);
	LB_DROP(plan->mem, plan, 1);
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

/* As GitHub counts them: two bytes a character of UTF-16. */
static size_t outputs_bytes(const struct lb_value *outputs)
{
	size_t units = 0;

	for (uint32_t i = 0; outputs != NULL && i < outputs->count; i++)
		units += workflow_utf16_length(outputs->members[i].key) +
		         workflow_utf16_length(outputs->members[i].value->string);
	return units * 2;
}

static void limit_outputs(struct workflow_plan *plan, struct node *node,
                          const struct lb_value **outputs, enum workflow_result *result)
{
	size_t bytes = outputs_bytes(*outputs);

	if (bytes <= WORKFLOW_OUTPUTS_MAX &&
	    bytes <= WORKFLOW_OUTPUTS_OF_RUN_MAX - plan->outputs_bytes) {
		plan->outputs_bytes += bytes;
		return;
	}
	node->shown.why = bytes > WORKFLOW_OUTPUTS_MAX
	                          ? LB_B("the outputs of the job are larger than 1 MB")
	                          : LB_B("the outputs of the run are larger than 50 MB");
	*outputs = NULL;
	*result = WORKFLOW_RESULT_FAILURE;
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
	const enum workflow_result said = result;
	const struct lb_value *copy;

	plan->arena.failed = false; /* what ran out before may be there again */
	if (node != NULL && node->reported && node->said == result)
		return workflow_planner_advance(plan);
	LB_TRY(check_finish(node, id, result, diag));
	copy = copy_outputs(&plan->arena, outputs);
	if (plan->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	node->shown.why = (struct lb_bytes){ 0 };
	limit_outputs(plan, node, &copy, &result);
	node->outputs = copy;
	node->reported = true;
	node->said = said;
	node->before_cancel = !plan->cancelled;
	workflow_planner_end_node(node, WORKFLOW_DONE, result);
	return workflow_planner_advance(plan);
}

lb_err workflow_plan_finish(struct workflow_plan *plan, struct lb_bytes id,
                            enum workflow_result result, const struct lb_value *outputs,
                            struct lb_diag *diag)
{
	LB_TRY(workflow_planner_finish(plan, id, result, outputs, diag));
	return workflow_planner_settle(plan);
}

lb_err workflow_plan_suppose(struct workflow_plan *plan, struct lb_bytes id, struct lb_diag *diag)
{
	struct node *node = workflow_planner_find(plan, id);

	plan->arena.failed = false;
	LB_TRY(check_finish(node, id, WORKFLOW_RESULT_SUCCESS, diag));
	node->unknown = node->state->job->outputs != NULL;
	workflow_planner_end_node(node, WORKFLOW_DONE, WORKFLOW_RESULT_SUCCESS);
	return workflow_planner_settle(plan);
}

lb_err workflow_plan_cancel(struct workflow_plan *plan, struct lb_diag *diag)
{
	(void)diag; /* running out of memory is all that can go wrong, and needs no prose */
	plan->arena.failed = false; /* as above */
	plan->cancelled = true;
	LB_TRY(workflow_planner_cancel_scope(plan->root));
	return workflow_planner_settle(plan);
}

/* ---- the whole ---- */

enum workflow_result workflow_plan_conclusion(const struct workflow_plan *plan)
{
	enum workflow_result result;

	if (plan->root->unended > 0)
		return WORKFLOW_RESULT_NONE;
	result = workflow_planner_scope_result(plan->root);
	if (plan->cancelled)
		for (size_t i = 0; i < workflow_plan_count(plan); i++) {
			if (workflow_plan_at(plan, i)->result == WORKFLOW_RESULT_CANCELLED)
				return WORKFLOW_RESULT_CANCELLED;
		}
	return result;
}

struct lb_bytes workflow_plan_run_name(const struct workflow_plan *plan) { return plan->run_name; }

struct lb_bytes workflow_plan_concurrency(const struct workflow_plan *plan,
                                          bool *cancel_in_progress, bool *queue_all)
{
	*cancel_in_progress = plan->concurrency_cancel;
	*queue_all = plan->concurrency_queue_all;
	return plan->concurrency_group;
}
