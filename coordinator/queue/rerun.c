/* rerun.c - a run once more, wholly or in part; see queue.h.
 *
 * A job that runs again is reset; so is all that depends on it.  What keeps its
 * result is told to the new plan as it was, so a re-run of what failed builds on
 * what succeeded.
 */
#include "base/data/json.h"
#include "coordinator/queue/queue_priv.h"

enum { CONTEXT_BYTES_MAX = 8 << 20 };

struct rerun {
	struct change *change;
	struct coord_job *jobs;
	size_t count;
	bool *again;    /* runs again */
	bool *affected; /* its result may differ: it runs again, or a job inside of it does */
};

static size_t index_of(const struct rerun *r, struct lb_bytes key)
{
	size_t i = 0;

	while (i < r->count && !lb_bytes_eq(r->jobs[i].key, key))
		i++;
	return i;
}

/* Is one of the jobs that this one needs affected?  SIZE_MAX-safe: unknown keys are not. */
static lb_err needs_affected(bool *out, const struct rerun *r, size_t job)
{
	struct lb_value *needs;

	*out = false;
	LB_TRY(lb_json_read(&needs, &r->change->arena, r->jobs[job].needs, NULL));
	for (uint32_t i = 0; i < needs->count && !*out; i++) {
		size_t need = index_of(r, needs->items[i]->string);

		*out = need < r->count && r->affected[need];
	}
	return LB_OK;
}

/* One step of the closure; true when something was added. */
static lb_err spread(bool *more, struct rerun *r)
{
	*more = false;
	for (size_t i = 0; i < r->count; i++) {
		size_t slash = lb_bytes_rfind_byte(r->jobs[i].key, '/');
		size_t parent = slash == SIZE_MAX
		                        ? r->count
		                        : index_of(r, lb_bytes_upto(r->jobs[i].key, slash));
		bool again = r->again[i];

		if (!again)
			LB_TRY(needs_affected(&again, r, i));
		again |= parent < r->count && r->again[parent];
		if (again && !r->again[i])
			*more = r->again[i] = true;
		if (r->again[i] && !r->affected[i])
			*more = r->affected[i] = true;
		if (r->affected[i] && parent < r->count && !r->affected[parent])
			*more = r->affected[parent] = true;
	}
	return LB_OK;
}

static lb_err choose(struct rerun *r, uint64_t job_id, bool failed_only, struct lb_diag *diag)
{
	bool any = false, more = true;

	for (size_t i = 0; i < r->count; i++) {
		const struct coord_job *job = &r->jobs[i];

		r->again[i] = job_id != 0
		                      ? job->id == job_id
		                      : !failed_only || lb_bytes_is(job->conclusion, "failure") ||
		                                lb_bytes_is(job->conclusion, "cancelled");
		any |= r->again[i];
	}
	if (!any && job_id != 0)
		return lb_fail(diag, LB_E_NOTFOUND, "the run has no job %llu",
		               (unsigned long long)job_id);
	if (!any)
		return lb_fail(diag, LB_E_INVALID, "no job of the run failed or was cancelled");
	while (more)
		LB_TRY(spread(&more, r));
	return LB_OK;
}

/* The context says which attempt this is. */
static lb_err github_again(struct lb_bytes *out, struct lb_arena *arena,
                           const struct coord_run *row)
{
	struct lb_value *github;
	struct lb_buf text;

	LB_TRY(lb_json_read(&github, arena, row->github, NULL));
	lb_value_put(arena, github, "run_attempt",
	             lb_value_string(arena, lb_arena_format(arena, "%llu",
	                                                    (unsigned long long)row->attempt + 1)));
	lb_buf_init(&text, &arena->mem, CONTEXT_BYTES_MAX);
	lb_value_write(&text, github, false);
	*out = lb_buf_bytes(&text);
	return lb_buf_check(&text);
}

static lb_err start_again(struct change *change, uint64_t run_id, struct lb_diag *diag)
{
	struct coord_store *store = change->queue->config.store;
	struct live_run *run;
	bool waits;

	LB_TRY(coord_live_run(&run, change, run_id, diag));
	LB_TRY(coord_group_enter_run(&waits, change, run, diag));
	if (waits) {
		run->row.waiting = lb_bytes_of("waiting for its concurrency group");
		LB_TRY(coord_store_wait_run(store, run_id, run->row.waiting));
	}
	return coord_run_settle(change, run, diag);
}

static lb_err rerun(struct change *change, uint64_t run_id, uint64_t job_id, bool failed_only,
                    struct lb_diag *diag)
{
	struct coord_store *store = change->queue->config.store;
	struct lb_arena *arena = &change->arena;
	struct rerun r = { .change = change };
	struct lb_bytes github;
	struct coord_run row;

	LB_TRY(coord_store_find_run(&row, store, arena, run_id));
	if (!lb_bytes_is(row.status, "completed"))
		return lb_fail(diag, LB_E_STALE, "run %llu is not completed: cancel it first",
		               (unsigned long long)run_id);
	LB_TRY(coord_store_jobs(&r.jobs, &r.count, store, arena, run_id));
	r.again = LB_ARENA_NEW(arena, bool, r.count);
	r.affected = LB_ARENA_NEW(arena, bool, r.count);
	if (r.again == NULL || r.affected == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(choose(&r, job_id, failed_only, diag));
	/* What the plan itself decided (skipped, calls) it decides anew. */
	for (size_t i = 0; i < r.count; i++)
		if (r.again[i] || !r.jobs[i].reported)
			LB_TRY(coord_store_reset_job(store, r.jobs[i].id));
	LB_TRY(github_again(&github, arena, &row));
	LB_TRY(coord_store_repeat_run(store, run_id, github));
	return start_again(change, run_id, diag);
}

lb_err coord_queue_rerun(struct coord_queue *queue, uint64_t run_id, uint64_t job_id,
                         bool failed_only, struct lb_diag *diag)
{
	struct change change;

	LB_TRY(coord_change_begin(&change, queue));
	return coord_change_end(&change, rerun(&change, run_id, job_id, failed_only, diag));
}

lb_err coord_queue_cancel(struct coord_queue *queue, uint64_t run_id, struct lb_diag *diag)
{
	struct change change;

	LB_TRY(coord_change_begin(&change, queue));
	return coord_change_end(&change, coord_run_cancel(&change, run_id, diag));
}
