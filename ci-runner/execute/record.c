/* record.c - what is known of a step from outside: when, how it ended, where its log stands. */
#include "ci-runner/execute/execution_priv.h"

#include "base/text.h"

const char *runner_conclusion_text(enum runner_conclusion conclusion)
{
	static const char *const texts[] = { "", "success", "failure", "cancelled", "skipped" };

	return texts[conclusion];
}

static void set_time(struct lb_arena *arena, struct lb_value *object, const char *name, uint64_t ns)
{
	char text[LB_TIME_SIZE];

	if (ns != 0)
		lb_value_set_text(arena, object, name, lb_time_text(text, ns, 3));
	else
		lb_value_put(arena, object, name, lb_value_null(arena));
}

static void set_conclusion(struct lb_arena *arena, struct lb_value *object, const char *name,
                           enum runner_conclusion conclusion)
{
	if (conclusion != RUNNER_PENDING)
		lb_value_set_text(arena, object, name, runner_conclusion_text(conclusion));
	else
		lb_value_put(arena, object, name, lb_value_null(arena));
}

struct lb_value *runner_step_value(struct lb_arena *arena, const struct runner_step_state *step)
{
	struct lb_value *value = lb_value_object(arena);
	const char *status = step->conclusion != RUNNER_PENDING ? "completed"
	                     : step->started_ns != 0            ? "in_progress"
	                                                        : "queued";

	lb_value_set_number(arena, value, "number", step->number);
	lb_value_set_string(arena, value, "name", step->name);
	lb_value_set_text(arena, value, "status", status);
	set_conclusion(arena, value, "conclusion", step->conclusion);
	set_conclusion(arena, value, "outcome", step->outcome);
	set_time(arena, value, "started_at", step->started_ns);
	set_time(arena, value, "completed_at", step->completed_ns);
	lb_value_set_number(arena, value, "log_begin", (double)step->log_begin);
	lb_value_set_number(arena, value, "log_end", (double)step->log_end);
	return value;
}

void runner_record_begin(struct runner_execution *x, struct runner_step_state *record)
{
	runner_log_flush(x->log);
	record->started_ns = x->host->plat->ops->wall_ns(x->host->plat);
	record->log_begin = record->log_end = x->log->size;
	x->link->ops->step(x->link, record);
}

void runner_record_end(struct runner_execution *x, struct runner_step_state *record,
                       enum runner_conclusion outcome, enum runner_conclusion conclusion)
{
	runner_log_flush(x->log);
	record->completed_ns = x->host->plat->ops->wall_ns(x->host->plat);
	if (record->started_ns == 0) {
		record->started_ns = record->completed_ns;
		record->log_begin = x->log->size;
	}
	record->log_end = x->log->size;
	record->outcome = outcome;
	record->conclusion = conclusion;
	x->link->ops->step(x->link, record);
}

struct runner_step_state *runner_record_add(struct runner_execution *x, struct lb_bytes name)
{
	struct runner_step_state *record = lb_vec_add(&x->records);

	if (record != NULL) {
		record->number = (unsigned)x->records.count;
		record->name = name;
	}
	return record;
}
