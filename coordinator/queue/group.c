/* group.c - concurrency groups: one at work, one that waits, per repository and group.
 *
 * Runs and jobs have groups of their own.  Whoever comes goes to the end of the
 * queue: with cancel-in-progress everybody before it is told to end; otherwise
 * who waited already is cancelled in its favour, unless the group queues all: then up to a hundred
 * wait, and who comes after them is cancelled.  Names of groups know no case.
 */
#include "coordinator/queue/queue_priv.h"

enum { WAITING_MAX = 100 };

/* ---- runs ---- */

static lb_err cancel_runs(struct change *change, const struct coord_ids *ids, struct lb_diag *diag)
{
	for (size_t i = 0; i < ids->count; i++)
		LB_TRY(coord_run_cancel(change, ids->at[i], diag));
	return LB_OK;
}

lb_err coord_group_enter_run(bool *waits, struct change *change, struct live_run *run,
                             struct lb_diag *diag)
{
	struct coord_store *store = change->queue->config.store;
	struct coord_ids running, waiting;
	bool cancel = false, queue_all = false;
	struct lb_bytes group = workflow_plan_concurrency(run->plan, &cancel, &queue_all);

	*waits = false;
	if (group.len == 0)
		return LB_OK;
	LB_TRY(coord_store_group_runs(&running, &waiting, store, &change->arena,
	                              run->row.repository.id, group, run->id));
	if (cancel)
		LB_TRY(cancel_runs(change, &running, diag));
	if (cancel || !queue_all)
		LB_TRY(cancel_runs(change, &waiting, diag));
	/* What was told to end may still be ending. */
	LB_TRY(coord_store_group_runs(&running, &waiting, store, &change->arena,
	                              run->row.repository.id, group, run->id));
	*waits = running.count + waiting.count > 0;
	if (waiting.count < WAITING_MAX)
		return LB_OK;
	*waits = false;
	return coord_run_cancel(change, run->id, diag);
}

lb_err coord_group_leave_run(struct change *change, struct live_run *run, struct lb_diag *diag)
{
	struct coord_store *store = change->queue->config.store;
	struct coord_ids running, waiting;
	struct live_run *next;

	if (run->row.concurrency.len == 0)
		return LB_OK;
	LB_TRY(coord_store_group_runs(&running, &waiting, store, &change->arena,
	                              run->row.repository.id, run->row.concurrency, run->id));
	if (running.count > 0 || waiting.count == 0)
		return LB_OK;
	LB_TRY(coord_live_run(&next, change, waiting.at[0], diag));
	LB_TRY(coord_store_wait_run(store, next->id, (struct lb_bytes){ 0 }));
	next->row.waiting = (struct lb_bytes){ 0 };
	return coord_run_settle(change, next, diag);
}

/* ---- jobs ---- */

/* End another job of the group that no runner has. */
static lb_err replace_job(struct change *change, struct live_run *run, uint64_t run_id,
                          uint64_t job_id, struct lb_diag *diag)
{
	struct coord_job job;
	struct live_run *other;

	LB_TRY(coord_live_run(&other, change, run_id, diag));
	LB_TRY(coord_find_job(&job, change, run_id, job_id));
	LB_TRY(coord_store_end_job(change->queue->config.store, job_id, "cancelled",
	                           lb_bytes_of("replaced by a later job of its concurrency group"),
	                           lb_bytes_of("{}"), true, change->now_ms));
	LB_TRY(workflow_plan_finish(other->plan, job.key, WORKFLOW_RESULT_CANCELLED, NULL, diag));
	other->again = true;
	/* The run that is being settled goes on by itself. */
	return other == run ? LB_OK : coord_run_settle(change, other, diag);
}

lb_err coord_group_enter_job(bool *waits, bool *full, struct change *change, struct live_run *run,
                             uint64_t job_id, const struct workflow_instance *instance,
                             struct lb_diag *diag)
{
	struct coord_group_job *jobs;
	size_t count, pending = 0;

	*waits = *full = false;
	LB_TRY(coord_store_group_jobs(&jobs, &count, change->queue->config.store, &change->arena,
	                              run->row.repository.id, instance->concurrency_group, job_id));
	for (size_t i = 0; i < count; i++) {
		bool unstarted = jobs[i].state != COORD_JOB_LEASED;
		bool replaced =
			instance->concurrency_cancel ||
			(jobs[i].state == COORD_JOB_PENDING && !instance->concurrency_queue_all);
		struct live_lease *lease = coord_lease_of_job(change->queue, jobs[i].id);

		if (replaced && unstarted) {
			LB_TRY(replace_job(change, run, jobs[i].run_id, jobs[i].id, diag));
			continue;
		}
		if (replaced && lease != NULL)
			coord_lease_cancel(lease, change, instance);
		pending += jobs[i].state == COORD_JOB_PENDING;
		*waits = true;
	}
	*full = pending >= WAITING_MAX;
	return LB_OK;
}

lb_err coord_group_leave_job(struct change *change, const struct live_run *run,
                             const struct coord_job *job)
{
	struct coord_store *store = change->queue->config.store;
	struct coord_group_job *jobs;
	size_t count;

	if (job->concurrency.len == 0)
		return LB_OK;
	LB_TRY(coord_store_group_jobs(&jobs, &count, store, &change->arena, run->row.repository.id,
	                              job->concurrency, job->id));
	for (size_t i = 0; i < count; i++)
		if (jobs[i].state != COORD_JOB_PENDING)
			return LB_OK;
	if (count == 0)
		return LB_OK;
	change->queue->ready_stale = true;
	coord_queue_touch(change->queue, jobs[0].run_id);
	return coord_store_set_job(store, jobs[0].id, COORD_JOB_READY, (struct lb_bytes){ 0 },
	                           (struct lb_bytes){ 0 }, (struct lb_bytes){ 0 });
}
