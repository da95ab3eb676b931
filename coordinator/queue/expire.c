/* expire.c - leases that end without a report: expired, taken over, overdue.  See queue_priv.h. */
#include "coordinator/queue/queue_priv.h"

lb_err coord_lease_lose(struct change *change, struct live_lease *lease, const char *reason,
                        struct lb_diag *diag)
{
	struct coord_store *store = change->queue->config.store;
	struct coord_end end = { .conclusion = lease->cancel ? "cancelled" : "failure",
		                 .reason = lb_bytes_of(reason),
		                 .annotations = lb_bytes_of("[]"),
		                 .summary = lb_bytes_of("") };
	struct coord_job job;

	/* Sealed before the commit: a chunk that comes between must not be acknowledged. */
	end.log_size = coord_log_seal(lease->log);
	LB_TRY(coord_find_job(&job, change, lease->run_id, lease->job_id));
	LB_TRY(coord_store_end_attempt(store, lease->fence, &end, change->now_ms));
	if (lease->cancel)
		return coord_run_finish_job(change, lease->run_id, lease->job_id,
		                            WORKFLOW_RESULT_CANCELLED, NULL, end.reason, diag);
	if (job.lost + 1 >= COORD_LOST_MAX) {
		end.reason = lb_arena_format(&change->arena, "lost %u times, the last time: %s",
		                             job.lost + 1, reason);
		return coord_run_finish_job(change, lease->run_id, lease->job_id,
		                            WORKFLOW_RESULT_FAILURE, NULL, end.reason, diag);
	}
	change->queue->ready_stale = true;
	coord_queue_touch(change->queue, lease->run_id);
	return coord_store_requeue(store, lease->job_id);
}

/* The runner lives and writes, but the job should long be over. */
static lb_err overrule(struct change *change, struct live_lease *lease, struct lb_diag *diag)
{
	enum workflow_result result =
		lease->cancel ? WORKFLOW_RESULT_CANCELLED : WORKFLOW_RESULT_FAILURE;
	struct coord_end end = {
		.conclusion = workflow_result_text(result),
		.reason = lb_bytes_of(lease->cancel
		                              ? "the runner did not end the cancelled job in time"
		                              : "the runner did not end the job at its timeout"),
		.annotations = lb_bytes_of("[]"),
		.summary = lb_bytes_of("")
	};

	end.log_size = coord_log_seal(lease->log);
	LB_TRY(coord_store_end_attempt(change->queue->config.store, lease->fence, &end,
	                               change->now_ms));
	return coord_run_finish_job(change, lease->run_id, lease->job_id, result, NULL, end.reason,
	                            diag);
}

static bool is_expired(const struct live_lease *lease, uint64_t now_ns)
{
	return now_ns >= lease->expires_ns;
}

static bool is_overdue(const struct live_lease *lease, uint64_t now_ns)
{
	return lease->overdue_ns != 0 && now_ns >= lease->overdue_ns;
}

/* One a transaction, so that one that cannot be ended holds up no other. */
static lb_err end_lease(struct coord_queue *queue, uint64_t fence)
{
	struct live_lease *lease;
	struct lb_diag diag = { 0 };
	struct change change;
	lb_err err = LB_OK;

	LB_TRY(coord_change_begin(&change, queue));
	lease = queue->leases;
	while (lease != NULL && lease->fence != fence)
		lease = lease->next;
	if (lease == NULL ||
	    !(is_expired(lease, change.now_ns) || is_overdue(lease, change.now_ns)))
		return coord_change_end(&change, LB_OK);
	err = is_expired(lease, change.now_ns)
	              ? coord_lease_lose(&change, lease, "the runner was not heard from", &diag)
	              : overrule(&change, lease, &diag);
	err = coord_change_commit(&change, err);
	if (!lb_failed(err)) {
		lb_log(queue->config.log, LB_LOG_WARN, "lease ended", LB_COUNT("fence", fence),
		       LB_COUNT("job", lease->job_id));
		coord_lease_drop(queue, lease);
	} else {
		lb_log(queue->config.log, LB_LOG_ERROR, "lease cannot be ended",
		       LB_COUNT("fence", fence), LB_FIELD("why", lb_diag_text(&diag, err)));
	}
	coord_change_release(&change);
	return err;
}

static uint64_t next_ended(struct coord_queue *queue, uint64_t after)
{
	uint64_t now_ns = coord_queue_now_ns(queue), found = 0;

	(void)pthread_mutex_lock(&queue->lock);
	for (const struct live_lease *lease = queue->leases; lease != NULL; lease = lease->next)
		if ((is_expired(lease, now_ns) || is_overdue(lease, now_ns)) &&
		    lease->fence > after && (found == 0 || lease->fence < found))
			found = lease->fence;
	(void)pthread_mutex_unlock(&queue->lock);
	return found;
}

lb_err coord_queue_tick(struct coord_queue *queue)
{
	lb_err err = LB_OK;

	for (uint64_t fence = next_ended(queue, 0); fence != 0; fence = next_ended(queue, fence)) {
		lb_err one = end_lease(queue, fence);

		if (lb_failed(one))
			err = one;
	}
	LB_TRY(coord_runner_tick(queue));
	return err;
}
