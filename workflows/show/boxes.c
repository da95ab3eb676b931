/* boxes.c - see show_priv.h. */
#include "base/map.h"
#include "workflows/show/show_priv.h"

static const char *const outcome_texts[] = {
	[OUTCOME_RUNS] = "runs",
	[OUTCOME_SKIPPED] = "skipped",
	[OUTCOME_WAITS] = "waits",
	[OUTCOME_FAILS] = "fails",
};

const char *workflow_shown_outcome_text(enum outcome outcome) { return outcome_texts[outcome]; }

/* A job that cannot be planned is FAILURE with a reason; one that is supposed to fail has none. */
enum outcome workflow_shown_outcome(const struct workflow_instance *instance)
{
	switch (instance->state) {
	case WORKFLOW_SKIPPED: return OUTCOME_SKIPPED;
	case WORKFLOW_DONE:
		return instance->result == WORKFLOW_RESULT_FAILURE && instance->why.len > 0
		               ? OUTCOME_FAILS
		               : OUTCOME_RUNS;
	case WORKFLOW_READY: return OUTCOME_RUNS;
	case WORKFLOW_WAITING: break;
	}
	return instance->calls && !instance->placeholder ? OUTCOME_RUNS : OUTCOME_WAITS;
}

struct lb_bytes workflow_shown_own_name(const struct workflow_instance *instance)
{
	struct lb_bytes rest = instance->name;
	size_t at;

	if (instance->parent.len == 0)
		return rest;
	while ((at = lb_bytes_find(rest, LB_B(" / "))) != SIZE_MAX)
		rest = lb_bytes_from(rest, at + 3);
	return rest;
}

struct lb_bytes workflow_shown_name(const struct box *box)
{
	const struct workflow_token *name = box->job->name;

	if (box->count == 1)
		return workflow_shown_own_name(box->first->instance);
	return name->kind == WORKFLOW_EXPRESSION ? box->job->id : name->text;
}

/* ---- building ---- */

struct builder {
	struct lb_arena *arena;
	struct lb_map entries; /* instance id to entry */
	struct boxes *out;
};

static struct group *group_of(struct builder *b, const struct workflow_instance *instance)
{
	struct entry *caller;

	if (instance->parent.len == 0)
		return b->out->root;
	caller = lb_map_get(&b->entries, instance->parent);
	if (caller->inside == NULL)
		caller->inside = LB_ARENA_NEW(b->arena, struct group, 1);
	return caller->inside;
}

/* The instances of a job stand together in their group, if not in the plan. */
static struct box *box_of(struct builder *b, struct group *group,
                          const struct workflow_instance *instance)
{
	struct box *box = group->last;

	if (box != NULL && box->job == instance->definition)
		return box;
	box = LB_ARENA_NEW(b->arena, struct box, 1);
	if (box == NULL)
		return NULL;
	box->job = instance->definition;
	box->index = group->count++;
	if (group->last != NULL)
		group->last->next = box;
	else
		group->first = box;
	group->last = box;
	b->out->box_count++;
	return box;
}

static lb_err add(struct builder *b, const struct workflow_instance *instance)
{
	static const unsigned char rank[] = {
		[OUTCOME_SKIPPED] = 0, [OUTCOME_RUNS] = 1, [OUTCOME_WAITS] = 2, [OUTCOME_FAILS] = 3
	};
	struct entry *entry = LB_ARENA_NEW(b->arena, struct entry, 1);
	enum outcome outcome = workflow_shown_outcome(instance);
	struct group *group = group_of(b, instance);
	struct box *box = group != NULL ? box_of(b, group, instance) : NULL;

	if (box == NULL || entry == NULL)
		return lb_err_of(LB_E_NOMEM);
	entry->instance = instance;
	if (box->last != NULL)
		box->last->next = entry;
	else
		box->first = entry;
	box->last = entry;
	if (box->count++ == 0 || rank[outcome] > rank[box->outcome])
		box->outcome = outcome;
	if (!instance->calls)
		b->out->jobs[outcome]++;
	return lb_map_put(&b->entries, instance->id, entry);
}

lb_err workflow_shown_boxes(struct boxes *out, struct lb_arena *arena,
                            const struct workflow_plan *plan)
{
	struct builder b = { .arena = arena, .out = out };
	lb_err err = LB_OK;

	*out = (struct boxes){ .root = LB_ARENA_NEW(arena, struct group, 1) };
	if (out->root == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_map_init(&b.entries, arena->under);
	for (size_t i = 0; i < workflow_plan_count(plan) && !lb_failed(err); i++)
		err = add(&b, workflow_plan_at(plan, i));
	lb_map_release(&b.entries);
	return err;
}
