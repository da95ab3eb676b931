/* json.c - what would run as JSON. */
#include "workflows/show/show_priv.h"

static void set(struct lb_arena *arena, struct lb_value *object, const char *key,
                struct lb_bytes text)
{
	if (text.len > 0)
		lb_value_set_string(arena, object, key, text);
}

static struct lb_value *place_of(struct lb_arena *arena, struct lb_bytes text, struct lb_bytes file,
                                 uint32_t line, uint32_t column)
{
	struct lb_value *why = lb_value_object(arena);

	lb_value_set_string(arena, why, "text", text);
	set(arena, why, "file", file);
	if (line != 0) {
		lb_value_set_number(arena, why, "line", line);
		lb_value_set_number(arena, why, "column", column);
	}
	return why;
}

static struct lb_value *concurrency_of(struct lb_arena *arena, struct lb_bytes group, bool cancels,
                                       bool queues_all)
{
	struct lb_value *value = lb_value_object(arena);

	lb_value_set_string(arena, value, "group", group);
	lb_value_set_bool(arena, value, "cancel-in-progress", cancels);
	lb_value_set_text(arena, value, "queue", queues_all ? "max" : "single");
	return value;
}

static struct lb_value *permissions_of(struct lb_arena *arena,
                                       const struct workflow_permissions *permissions)
{
	static const char *const access[] = { "none", "read", "write" };
	struct lb_value *value = lb_value_object(arena);

	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT; i++) {
		if (permissions->of[i] != WORKFLOW_ACCESS_NONE)
			lb_value_set_text(arena, value,
			                  workflow_permission_name((enum workflow_permission)i),
			                  access[permissions->of[i]]);
	}
	return value;
}

static struct lb_value *texts_of(struct lb_arena *arena, const struct lb_bytes *texts, size_t count)
{
	struct lb_value *list = lb_value_array(arena);

	for (size_t i = 0; i < count; i++)
		lb_value_add(arena, list, lb_value_string(arena, texts[i]));
	return list;
}

/* What is known of a job once its keys were evaluated. */
static void set_keys(struct lb_arena *arena, struct lb_value *job,
                     const struct workflow_instance *at)
{
	if (at->matrix != NULL && at->matrix->kind == LB_OBJECT)
		lb_value_put(arena, job, "matrix", lb_value_copy(arena, at->matrix));
	if (at->calls) {
		lb_value_set_string(arena, job, "calls", at->definition->uses->text);
	} else {
		lb_value_put(arena, job, "labels", texts_of(arena, at->labels, at->label_count));
		set(arena, job, "group", at->runner_group);
		lb_value_set_number(arena, job, "timeout-minutes", at->timeout_minutes);
	}
	if (at->total > 1 && at->max_parallel < at->total)
		lb_value_set_number(arena, job, "max-parallel", at->max_parallel);
	set(arena, job, "environment", at->environment);
	if (at->concurrency_group.len > 0)
		lb_value_put(arena, job, "concurrency",
		             concurrency_of(arena, at->concurrency_group, at->concurrency_cancel,
		                            at->concurrency_queue_all));
	lb_value_put(arena, job, "permissions", permissions_of(arena, &at->permissions));
}

static lb_err job_of(struct lb_value **out, struct lb_arena *arena,
                     const struct workflow_plan *plan, const struct workflow_instance *at)
{
	struct lb_value *job = lb_value_object(arena);
	enum outcome outcome = workflow_shown_outcome(at);
	const struct lb_bytes *needs;
	size_t count;

	LB_TRY(workflow_plan_needs(&needs, &count, arena, plan, at));
	lb_value_set_string(arena, job, "id", at->id);
	lb_value_set_string(arena, job, "name", at->name);
	lb_value_set_string(arena, job, "file", at->file);
	lb_value_set_number(arena, job, "line", at->definition->place->line);
	set(arena, job, "parent", at->parent);
	lb_value_set_text(arena, job, "outcome", workflow_shown_outcome_text(outcome));
	if (outcome != OUTCOME_RUNS && at->why.len > 0)
		lb_value_put(arena, job, "why",
		             place_of(arena, at->why, at->file, at->why_line, at->why_column));
	lb_value_put(arena, job, "needs", texts_of(arena, needs, count));
	if (!at->placeholder)
		set_keys(arena, job, at);
	*out = job;
	return LB_OK;
}

static lb_err jobs_of(struct lb_value *out, struct lb_arena *arena,
                      const struct workflow_plan *plan)
{
	struct lb_value *jobs = lb_value_array(arena), *counts = lb_value_object(arena);
	uint32_t count[OUTCOMES] = { 0 };

	for (size_t i = 0; i < workflow_plan_count(plan); i++) {
		const struct workflow_instance *at = workflow_plan_at(plan, i);
		struct lb_value *job;

		LB_TRY(job_of(&job, arena, plan, at));
		lb_value_add(arena, jobs, job);
		count[workflow_shown_outcome(at)] += !at->calls;
	}
	for (size_t i = 0; i < OUTCOMES; i++)
		lb_value_set_number(arena, counts, workflow_shown_outcome_text((enum outcome)i),
		                    count[i]);
	lb_value_put(arena, out, "counts", counts);
	lb_value_put(arena, out, "jobs", jobs);
	return LB_OK;
}

lb_err workflow_show_json(struct lb_value **out, struct lb_arena *arena,
                          const struct workflow_shown *shown)
{
	const struct workflow *workflow = shown->workflow;
	struct lb_value *value = lb_value_object(arena);
	bool cancels, queues_all;
	struct lb_bytes group;

	lb_value_set_string(arena, value, "file", workflow->file_name);
	set(arena, value, "workflow", workflow->name);
	lb_value_set_string(arena, value, "event", shown->event);
	lb_value_set_string(arena, value, "ref", shown->ref);
	lb_value_set_bool(arena, value, "runs", shown->why_not == NULL);
	if (shown->times != NULL)
		lb_value_put(arena, value, "schedule", lb_value_copy(arena, shown->times));
	if (shown->why_not != NULL)
		lb_value_put(arena, value, "why",
		             place_of(arena, lb_bytes_of(shown->why_not->diag.text),
		                      workflow->file_name, shown->why_not->line,
		                      shown->why_not->column));
	if (shown->plan != NULL) {
		set(arena, value, "name", workflow_plan_run_name(shown->plan));
		group = workflow_plan_concurrency(shown->plan, &cancels, &queues_all);
		if (group.len > 0)
			lb_value_put(arena, value, "concurrency",
			             concurrency_of(arena, group, cancels, queues_all));
		LB_TRY(jobs_of(value, arena, shown->plan));
	}
	*out = value;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}
