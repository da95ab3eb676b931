/* run.c - runs in memory and the step from plan to store; see queue_priv.h. */
#include "base/data/json.h"
#include "base/git/repo.h"
#include "base/map.h"
#include "coordinator/queue/queue_priv.h"

enum { OUTPUTS_BYTES_MAX = 4 << 20 };

/* ---- live runs ---- */

lb_err coord_live_run_read(struct lb_bytes *out, void *self, struct lb_arena *arena,
                           struct lb_bytes path, struct lb_diag *diag)
{
	const struct live_run *run = self;
	struct lb_repo *repo = NULL;
	struct lb_buf content;
	char folder[COORD_FOLDER_SIZE];
	lb_err err;

	LB_TRY(coord_repository_path(folder, sizeof folder, run->queue->config.repositories,
	                             run->row.repository.name));
	LB_TRY(lb_repo_open_bare(&repo, run->queue->mem, folder, diag));
	lb_buf_init(&content, &arena->mem, WORKFLOW_FILE_BYTES_MAX);
	err = lb_repo_read(&content, repo, lb_arena_text(arena, run->row.sha),
	                   lb_arena_text(arena, path), diag);
	if (!lb_failed(err))
		err = lb_buf_check(&content);
	*out = lb_buf_bytes(&content);
	lb_repo_free(repo);
	return err;
}

lb_err coord_live_run_plan(struct live_run *run, struct lb_diag *diag)
{
	struct workflow_plan_options options = {
		.github = run->github,
		.inputs = run->inputs,
		.vars = run->vars,
		.read_file = coord_live_run_read,
		.read_remote = coord_called_read,
		.self = run,
	};

	return workflow_plan_new(&run->plan, run->queue->mem, run->workflow, &options, diag);
}

/* {"cancelled": ..., "ended": {...}, "ended_after": {...}} of what was reported; the plan finds the
 * rest itself. */
static lb_err restore(struct live_run *run, struct change *change, struct lb_diag *diag)
{
	struct lb_arena *arena = &change->arena;
	struct lb_value *saved = lb_value_object(arena), *ended = lb_value_object(arena);
	struct lb_value *ended_after = lb_value_object(arena);
	struct coord_job *jobs;
	size_t count;

	LB_TRY(coord_store_jobs(&jobs, &count, run->queue->config.store, arena, run->id));
	for (size_t i = 0; i < count; i++) {
		struct lb_value *entry = lb_value_object(arena), *outputs;

		if (jobs[i].state != COORD_JOB_COMPLETED || !jobs[i].reported)
			continue;
		LB_TRY(lb_json_read(&outputs, arena, jobs[i].outputs, NULL));
		lb_value_set_string(arena, entry, "result", jobs[i].conclusion);
		lb_value_put(arena, entry, "outputs", outputs);
		lb_value_set(arena, jobs[i].after_cancel ? ended_after : ended, jobs[i].key, entry);
	}
	lb_value_set_bool(arena, saved, "cancelled", run->row.cancelled);
	lb_value_put(arena, saved, "ended", ended);
	lb_value_put(arena, saved, "ended_after", ended_after);
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	return workflow_plan_restore(run->plan, saved, diag);
}

static lb_err make_run(struct live_run *run, struct change *change, struct lb_diag *diag)
{
	struct lb_arena *arena = &run->arena;

	LB_TRY(coord_store_find_run(&run->row, run->queue->config.store, arena, run->id));
	LB_TRY(lb_json_read(&run->github, arena, run->row.github, diag));
	LB_TRY(lb_json_read(&run->inputs, arena, run->row.inputs, diag));
	LB_TRY(lb_json_read(&run->vars, arena, run->row.vars, diag));
	LB_TRY(workflow_parse(&run->workflow, run->queue->mem, run->row.source,
	                      lb_arena_text(arena, run->row.path), diag));
	LB_TRY(coord_called_load(run, diag));
	LB_TRY(coord_live_run_plan(run, diag));
	return restore(run, change, diag);
}

lb_err coord_live_run_new(struct live_run **out, struct coord_queue *queue, uint64_t id)
{
	struct live_run *run = LB_NEW(queue->mem, struct live_run, 1);

	*out = run;
	if (run == NULL)
		return lb_err_of(LB_E_NOMEM);
	run->id = id;
	run->queue = queue;
	lb_arena_init(&run->arena, queue->mem);
	return LB_OK;
}

void coord_live_run_free(struct live_run *run)
{
	if (run == NULL)
		return;
	workflow_plan_free(run->plan);
	workflow_free(run->workflow);
	lb_arena_release(&run->arena);
	LB_DROP(run->queue->mem, run, 1);
}

void coord_live_run_keep(struct coord_queue *queue, struct live_run *run)
{
	run->used = true;
	run->next = queue->runs;
	queue->runs = run;
}

lb_err coord_live_run(struct live_run **out, struct change *change, uint64_t run_id,
                      struct lb_diag *diag)
{
	struct live_run *run = change->queue->runs;
	lb_err err;

	while (run != NULL && run->id != run_id)
		run = run->next;
	if (run != NULL) {
		run->used = true;
		*out = run;
		return LB_OK;
	}
	*out = NULL;
	LB_TRY(coord_live_run_new(&run, change->queue, run_id));
	err = make_run(run, change, diag);
	if (lb_failed(err)) {
		coord_live_run_free(run);
		return err;
	}
	coord_live_run_keep(change->queue, run);
	*out = run;
	return LB_OK;
}

void coord_live_runs_forget(struct coord_queue *queue, enum coord_forget which)
{
	struct live_run **link = &queue->runs;

	while (*link != NULL) {
		struct live_run *run = *link;

		if (which == COORD_FORGET_USED ? !run->used
		                               : which == COORD_FORGET_OVER && !run->over) {
			link = &run->next;
			continue;
		}
		*link = run->next;
		coord_live_run_free(run);
	}
}

/* ---- settling ---- */

struct settle {
	struct change *change;
	struct live_run *run;
	struct coord_store *store;
	struct lb_arena arena;  /* of one round */
	struct coord_job *rows; /* of the run, in the arena */
	size_t row_count;
	struct lb_map by_key; /* key -> struct coord_job * */
	struct lb_diag *diag;
};

static struct lb_bytes json_of(struct lb_arena *arena, const struct lb_value *value)
{
	struct lb_buf text;

	lb_buf_init(&text, &arena->mem, OUTPUTS_BYTES_MAX);
	lb_value_write(&text, value, false);
	if (lb_failed(lb_buf_check(&text)))
		arena->failed = true;
	return lb_buf_bytes(&text);
}

static struct lb_bytes json_list(struct lb_arena *arena, const struct lb_bytes *items, size_t count)
{
	struct lb_value *list = lb_value_array(arena);

	for (size_t i = 0; i < count; i++)
		lb_value_add(arena, list, lb_value_string(arena, items[i]));
	return json_of(arena, list);
}

static lb_err read_rows(struct settle *s)
{
	LB_TRY(coord_store_jobs(&s->rows, &s->row_count, s->store, &s->arena, s->run->id));
	lb_map_init(&s->by_key, &s->arena.mem);
	for (size_t i = 0; i < s->row_count; i++)
		LB_TRY(lb_map_put(&s->by_key, s->rows[i].key, &s->rows[i]));
	return LB_OK;
}

/* The row of an instance, made or brought up to date in what a reader sees. */
static lb_err row_of(struct coord_job **out, struct settle *s,
                     const struct workflow_instance *instance, uint32_t position)
{
	struct coord_job *row = lb_map_get(&s->by_key, instance->id);
	const struct lb_bytes *needs = NULL;
	size_t need_count = 0;
	struct coord_job want = {
		.run_id = s->run->id,
		.position = position,
		.key = instance->id,
		.name = instance->name,
		.job = instance->job,
		.file = instance->file,
		.created_ms = s->change->now_ms,
	};

	LB_TRY(workflow_plan_needs(&needs, &need_count, &s->arena, s->run->plan, instance));
	want.needs = json_list(&s->arena, needs, need_count);
	if (row == NULL) {
		row = LB_ARENA_NEW(&s->arena, struct coord_job, 1);
		if (row == NULL)
			return lb_err_of(LB_E_NOMEM);
		*row = want;
		LB_TRY(coord_store_add_job(&row->id, s->store, row));
		LB_TRY(lb_map_put(&s->by_key, row->key, row));
	} else if (row->position != position || !lb_bytes_eq(row->name, want.name) ||
	           !lb_bytes_eq(row->needs, want.needs)) {
		want.id = row->id;
		LB_TRY(coord_store_rename_job(s->store, &want));
	}
	*out = row;
	return s->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* An instance that no runner has is told to cancel: it ends here and now. */
static lb_err cancel_unstarted(struct settle *s, const struct workflow_instance *instance,
                               const struct coord_job *row)
{
	LB_TRY(coord_store_end_job(s->store, row->id, "cancelled", instance->why, lb_bytes_of("{}"),
	                           true, s->change->now_ms));
	s->change->queue->ready_stale |= row->state == COORD_JOB_READY;
	s->run->again = true;
	LB_TRY(workflow_plan_finish(s->run->plan, instance->id, WORKFLOW_RESULT_CANCELLED, NULL,
	                            s->diag));
	return coord_group_leave_job(s->change, s->run, row);
}

/* A hundred jobs wait in its group already. */
static lb_err end_crowded(struct settle *s, const struct workflow_instance *instance,
                          const struct coord_job *row)
{
	LB_TRY(coord_store_end_job(s->store, row->id, "cancelled",
	                           lb_bytes_of("too many wait in its concurrency group"),
	                           lb_bytes_of("{}"), true, s->change->now_ms));
	s->run->again = true;
	return workflow_plan_finish(s->run->plan, instance->id, WORKFLOW_RESULT_CANCELLED, NULL,
	                            s->diag);
}

static lb_err queue_job(struct settle *s, const struct workflow_instance *instance,
                        const struct coord_job *row)
{
	struct lb_bytes group = instance->concurrency_group.len > 0 ? instance->concurrency_group
	                                                            : (struct lb_bytes){ 0 };
	struct lb_bytes labels = json_list(&s->arena, instance->labels, instance->label_count);
	struct lb_bytes waiting = { 0 };
	bool waits = false, full = false;

	if (s->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	/* In the group first, so that those who come after see it there. */
	LB_TRY(coord_store_set_job(s->store, row->id, COORD_JOB_READY, waiting, labels, group));
	if (group.len > 0)
		LB_TRY(coord_group_enter_job(&waits, &full, s->change, s->run, row->id, instance,
		                             s->diag));
	s->change->queue->ready_stale = true;
	if (full)
		return end_crowded(s, instance, row);
	if (!waits)
		return LB_OK;
	waiting = lb_arena_format(&s->arena, "waiting for concurrency group %.*s", LB_FMT(group));
	return coord_store_set_job(s->store, row->id, COORD_JOB_PENDING, waiting, labels, group);
}

static lb_err settle_ready(struct settle *s, const struct workflow_instance *instance,
                           const struct coord_job *row)
{
	struct live_lease *lease;

	switch (row->state) {
	case COORD_JOB_WAITING:
	case COORD_JOB_PENDING:
	case COORD_JOB_READY:
		if (instance->cancel)
			return cancel_unstarted(s, instance, row);
		if (row->state == COORD_JOB_WAITING && s->run->row.waiting.at == NULL)
			return queue_job(s, instance, row);
		return LB_OK;
	case COORD_JOB_LEASED:
		lease = coord_lease_of_job(s->change->queue, row->id);
		if (lease != NULL && lease->overdue_ns == 0) /* after a start anew */
			coord_lease_limit(lease, s->change, instance, row->started_ms);
		if (lease != NULL && instance->cancel)
			coord_lease_cancel(lease, s->change, instance);
		return LB_OK;
	case COORD_JOB_COMPLETED: return LB_OK;
	}
	return LB_OK;
}

static lb_err settle_instance(struct settle *s, const struct workflow_instance *instance,
                              uint32_t position)
{
	struct coord_job *row;

	LB_TRY(row_of(&row, s, instance, position));
	switch (instance->state) {
	case WORKFLOW_WAITING:
		if (instance->cancel && !instance->calls && row->state != COORD_JOB_COMPLETED)
			return cancel_unstarted(s, instance, row);
		return LB_OK;
	case WORKFLOW_READY: return settle_ready(s, instance, row);
	case WORKFLOW_DONE:
	case WORKFLOW_SKIPPED:
		if (row->state == COORD_JOB_COMPLETED)
			return LB_OK;
		return coord_store_end_job(s->store, row->id,
		                           workflow_result_text(instance->result), instance->why,
		                           lb_bytes_of("{}"), false, s->change->now_ms);
	}
	return LB_OK;
}

/* A placeholder makes room for its instances.  Jobs of an earlier attempt that may come back
 * stay until the run ends, and then they are what this attempt did not have. */
static lb_err remove_unplanned(struct settle *s, bool over)
{
	for (size_t i = 0; i < s->row_count; i++) {
		const struct coord_job *row = &s->rows[i];

		if (workflow_plan_find(s->run->plan, row->key) != NULL)
			continue;
		LB_TRY(coord_store_remove_job(s->store, row->id));
		if (over && row->state != COORD_JOB_COMPLETED)
			LB_TRY(coord_store_end_job(s->store, row->id, "skipped",
			                           lb_bytes_of(
							   "not part of this attempt of the run"),
			                           lb_bytes_of("{}"), false, s->change->now_ms));
	}
	return LB_OK;
}

/* Once through all instances.  Telling the plan something may add and move instances, so the
 * round ends there and a new one begins. */
static lb_err settle_round(struct settle *s)
{
	s->run->again = false;
	LB_TRY(read_rows(s));
	for (size_t i = 0; i < workflow_plan_count(s->run->plan) && !s->run->again; i++)
		LB_TRY(settle_instance(s, workflow_plan_at(s->run->plan, i), (uint32_t)i));
	return LB_OK;
}

static lb_err end_run(struct settle *s, enum workflow_result conclusion)
{
	if (lb_bytes_is(s->run->row.status, "completed"))
		return LB_OK;
	LB_TRY(coord_store_end_run(s->store, s->run->id, workflow_result_text(conclusion),
	                           s->change->now_ms));
	s->run->over = true;
	return coord_group_leave_run(s->change, s->run, s->diag);
}

lb_err coord_run_settle(struct change *change, struct live_run *run, struct lb_diag *diag)
{
	struct settle s = {
		.change = change, .run = run, .store = change->queue->config.store, .diag = diag
	};
	enum workflow_result conclusion = WORKFLOW_RESULT_NONE;
	lb_err err = LB_OK;

	coord_queue_touch(change->queue, run->id);
	do {
		lb_arena_init(&s.arena, change->queue->mem);
		err = settle_round(&s);
		if (!lb_failed(err) && !run->again) {
			conclusion = workflow_plan_conclusion(run->plan);
			err = remove_unplanned(&s, conclusion != WORKFLOW_RESULT_NONE);
		}
		lb_arena_release(&s.arena);
	} while (!lb_failed(err) && run->again);
	if (!lb_failed(err) && conclusion != WORKFLOW_RESULT_NONE)
		err = end_run(&s, conclusion);
	return err;
}

/* ---- what happens to jobs and runs ---- */

lb_err coord_find_job(struct coord_job *out, struct change *change, uint64_t run_id,
                      uint64_t job_id)
{
	struct coord_job *jobs;
	size_t count;

	LB_TRY(coord_store_jobs(&jobs, &count, change->queue->config.store, &change->arena,
	                        run_id));
	for (size_t i = 0; i < count; i++)
		if (jobs[i].id == job_id) {
			*out = jobs[i];
			return LB_OK;
		}
	return lb_err_of(LB_E_NOTFOUND);
}

/* As the plan has it: outputs beyond the limit make a failure of it. */
static lb_err store_end(struct change *change, const struct live_run *run,
                        const struct coord_job *job, const struct lb_value *outputs,
                        struct lb_bytes reason)
{
	const struct workflow_instance *instance = workflow_plan_find(run->plan, job->key);
	struct lb_bytes text = lb_bytes_of("{}");

	if (instance == NULL)
		return lb_err_of(LB_E_NOTFOUND);
	if (instance->why.len > 0)
		reason = instance->why;
	else if (outputs != NULL)
		text = json_of(&change->arena, outputs);
	if (change->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return coord_store_end_job(change->queue->config.store, job->id,
	                           workflow_result_text(instance->result), reason, text, true,
	                           change->now_ms);
}

lb_err coord_run_finish_job(struct change *change, uint64_t run_id, uint64_t job_id,
                            enum workflow_result result, const struct lb_value *outputs,
                            struct lb_bytes reason, struct lb_diag *diag)
{
	struct coord_job job;
	struct live_run *run;

	LB_TRY(coord_live_run(&run, change, run_id, diag));
	LB_TRY(coord_find_job(&job, change, run_id, job_id));
	LB_TRY(workflow_plan_finish(run->plan, job.key, result, outputs, diag));
	LB_TRY(store_end(change, run, &job, outputs, reason));
	LB_TRY(coord_group_leave_job(change, run, &job));
	return coord_run_settle(change, run, diag);
}

lb_err coord_run_give_up(struct change *change, uint64_t run_id, struct lb_bytes reason)
{
	struct coord_queue *queue = change->queue;
	struct coord_store *store = queue->config.store;
	struct coord_end end = { .conclusion = "failure",
		                 .reason = reason,
		                 .annotations = lb_bytes_of("[]"),
		                 .summary = lb_bytes_of("") };
	struct coord_job *jobs;
	size_t count;

	LB_TRY(coord_store_jobs(&jobs, &count, store, &change->arena, run_id));
	for (size_t i = 0; i < count; i++) {
		struct live_lease *lease = coord_lease_of_job(queue, jobs[i].id);

		if (jobs[i].state == COORD_JOB_COMPLETED)
			continue;
		if (lease != NULL) {
			end.log_size = coord_log_seal(lease->log);
			LB_TRY(coord_store_end_attempt(store, lease->fence, &end, change->now_ms));
			coord_lease_drop(queue, lease);
		}
		LB_TRY(coord_store_end_job(store, jobs[i].id, "failure", reason, lb_bytes_of("{}"),
		                           true, change->now_ms));
	}
	for (struct live_run *run = queue->runs; run != NULL; run = run->next)
		run->over |= run->id == run_id;
	queue->ready_stale = true;
	coord_queue_touch(queue, run_id);
	lb_log(queue->config.log, LB_LOG_ERROR, "a run is given up", LB_COUNT("run", run_id),
	       LB_FIELD_B("why", reason));
	return coord_store_end_run(store, run_id, "failure", change->now_ms);
}

lb_err coord_run_cancel(struct change *change, uint64_t run_id, struct lb_diag *diag)
{
	struct live_run *run;

	LB_TRY(coord_live_run(&run, change, run_id, diag));
	if (run->over || lb_bytes_is(run->row.status, "completed")) {
		run->over = true; /* it was made for this look only */
		return LB_OK;
	}
	LB_TRY(coord_store_cancel_run(change->queue->config.store, run_id));
	run->row.cancelled = true;
	LB_TRY(workflow_plan_cancel(run->plan, diag));
	return coord_run_settle(change, run, diag);
}
