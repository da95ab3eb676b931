/* lease.c - leases: granting, holding, writing under them, losing them; see queue.h.
 *
 * Invariants, under queue->lock, outside a change:
 *  1. The list holds exactly the attempts that the store has as not completed.
 *  2. No two leases in it have the same job, or the same runner.
 *  3. A lease that is not in the list can write nothing: its log is sealed, every change under it
 *     is refused.
 */
#include "base/data/digest.h"
#include "base/data/json.h"
#include "base/text.h"
#include "coordinator/queue/queue_priv.h"
#include "coordinator/store/read.h"

#include <stdio.h>

enum { OVERDUE_GRACE_S = 60 }; /* beyond a job's own timeout, until the coordinator ends it */

/* ---- the list ---- */

static void assert_leases_state(const struct coord_queue *queue)
{
	for (const struct live_lease *a = queue->leases; a != NULL; a = a->next)
		for (const struct live_lease *b = a->next; b != NULL; b = b->next)
			assert(a->job_id != b->job_id && a->runner_id != b->runner_id &&
			       a->fence != b->fence);
}

void coord_lease_free(struct coord_queue *queue, struct live_lease *lease)
{
	if (lease == NULL)
		return;
	coord_log_decref(lease->log);
	LB_DROP(queue->mem, lease, 1);
}

void coord_lease_drop(struct coord_queue *queue, struct live_lease *lease)
{
	struct live_lease **link = &queue->leases;

	while (*link != lease)
		link = &(*link)->next;
	*link = lease->next;
	if (lease->log != NULL)
		(void)coord_log_seal(lease->log);
	if (queue->config.wake != NULL)
		queue->config.wake(queue->config.wake_ctx,
		                   coord_topic(COORD_TOPIC_LOG, lease->fence));
	coord_lease_free(queue, lease);
}

struct live_lease *coord_lease_of_job(struct coord_queue *queue, uint64_t job_id)
{
	struct live_lease *lease = queue->leases;

	while (lease != NULL && lease->job_id != job_id)
		lease = lease->next;
	return lease;
}

static struct live_lease *lease_of_runner(struct coord_queue *queue, uint64_t runner_id)
{
	struct live_lease *lease = queue->leases;

	while (lease != NULL && lease->runner_id != runner_id)
		lease = lease->next;
	return lease;
}

/* ---- tokens ---- derived, so that an answer that was lost can be given again, and no secret is
 * stored */

lb_err coord_lease_token(char out[COORD_TOKEN_SIZE], const struct coord_queue *queue,
                         struct lb_bytes lease, uint64_t fence)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char mac[LB_SHA256_SIZE];
	char text[COORD_LEASE_SIZE + 24];
	int len =
		snprintf(text, sizeof text, "%.*s %llu", LB_FMT(lease), (unsigned long long)fence);

	if (len < 0 || (size_t)len >= sizeof text)
		return lb_err_of(LB_E_DENIED);
	LB_TRY(lb_hmac_sha256(mac, queue->config.token_key,
	                      (struct lb_bytes){ (const unsigned char *)text, (size_t)len }));
	memcpy(out, "lbj_", 4);
	for (unsigned i = 0; i < sizeof mac; i++) {
		out[4 + 2 * i] = digits[mac[i] >> 4];
		out[5 + 2 * i] = digits[mac[i] & 15];
	}
	out[4 + 2 * sizeof mac] = '\0';
	return LB_OK;
}

/* ---- life of one ---- */

static void set_expiry(struct live_lease *lease, const struct coord_queue *queue, uint64_t now_ns)
{
	lease->expires_ns = now_ns + queue->config.lease_ms * 1000000u;
}

/* The live form of what the store has. */
static lb_err new_lease(struct live_lease **out, struct change *change,
                        const struct coord_lease_row *row)
{
	struct coord_queue *queue = change->queue;
	struct live_lease *lease = LB_NEW(queue->mem, struct live_lease, 1);
	lb_err err;

	*out = NULL;
	if (lease == NULL)
		return lb_err_of(LB_E_NOMEM);
	lease->fence = row->fence;
	lease->attempt = row->attempt;
	lease->job_id = row->job_id;
	lease->run_id = row->run_id;
	lease->runner_id = row->runner_id;
	assert(row->lease.len == COORD_LEASE_SIZE - 1);
	memcpy(lease->id, row->lease.at, row->lease.len);
	set_expiry(lease, queue, change->now_ns);
	err = coord_lease_token(lease->token, queue, row->lease, row->fence);
	if (!lb_failed(err))
		err = coord_log_open(
			&lease->log, queue->mem, queue->config.plat, queue->config.logs,
			(struct coord_log_name){ row->run_id, row->job_id, row->attempt });
	if (lb_failed(err)) {
		coord_lease_free(queue, lease);
		return err;
	}
	*out = lease;
	return LB_OK;
}

static void keep_lease(struct coord_queue *queue, struct live_lease *lease)
{
	lease->next = queue->leases;
	queue->leases = lease;
	assert_leases_state(queue);
}

lb_err coord_lease_recover(struct change *change)
{
	struct coord_lease_row *rows;
	size_t count;

	LB_TRY(coord_store_leases(&rows, &count, change->queue->config.store, &change->arena));
	for (size_t i = 0; i < count; i++) {
		struct live_lease *lease;

		if (coord_lease_of_job(change->queue, rows[i].job_id) != NULL)
			continue;
		LB_TRY(new_lease(&lease, change, &rows[i]));
		keep_lease(change->queue, lease);
	}
	return LB_OK;
}

/* ---- the instance that a lease works at ---- */

lb_err coord_lease_instance(const struct workflow_instance **out, struct live_run **run,
                            struct coord_job *job, struct change *change, uint64_t run_id,
                            uint64_t job_id, struct lb_diag *diag)
{
	LB_TRY(coord_live_run(run, change, run_id, diag));
	LB_TRY(coord_find_job(job, change, run_id, job_id));
	*out = workflow_plan_find((*run)->plan, job->key);
	return *out != NULL ? LB_OK : lb_err_of(LB_E_NOTFOUND);
}

void coord_lease_limit(struct live_lease *lease, const struct change *change,
                       const struct workflow_instance *instance, uint64_t started_ms)
{
	double seconds = instance->timeout_minutes * 60 + OVERDUE_GRACE_S -
	                 ((double)change->now_ms - (double)started_ms) / 1000;

	lease->overdue_ns = change->now_ns + (seconds > 0 ? (uint64_t)(seconds * 1e9) : 0);
}

void coord_lease_cancel(struct live_lease *lease, const struct change *change,
                        const struct workflow_instance *instance)
{
	double seconds = instance->cancel_timeout_minutes * 60 + OVERDUE_GRACE_S;
	uint64_t overdue_ns = change->now_ns + (uint64_t)(seconds * 1e9);

	if (lease->cancel)
		return;
	lease->cancel = true;
	if (lease->overdue_ns == 0 || overdue_ns < lease->overdue_ns)
		lease->overdue_ns = overdue_ns;
}

/* ---- granting ---- */

static lb_err read_ready(struct coord_queue *queue)
{
	struct coord_ready *rows;
	size_t count;

	lb_arena_release(&queue->ready_arena);
	queue->ready_count = 0;
	LB_TRY(coord_store_ready_jobs(&rows, &count, queue->config.store, &queue->ready_arena));
	queue->ready = LB_ARENA_NEW(&queue->ready_arena, struct ready_job, count);
	if (queue->ready == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < count; i++) {
		struct ready_job *job = &queue->ready[i];

		*job = (struct ready_job){ .job_id = rows[i].job_id, .run_id = rows[i].run_id };
		LB_TRY(lb_json_read(&job->labels, &queue->ready_arena, rows[i].labels, NULL));
	}
	queue->ready_count = count;
	queue->ready_stale = false;
	return LB_OK;
}

static struct ready_job *find_ready(const struct coord_queue *queue,
                                    const struct live_runner *runner)
{
	for (size_t i = 0; i < queue->ready_count; i++)
		if (!queue->ready[i].taken &&
		    coord_labels_fit(runner->labels, queue->ready[i].labels))
			return &queue->ready[i];
	return NULL;
}

static lb_err grant(struct live_lease **out, struct change *change,
                    const struct live_runner *runner, const struct ready_job *ready,
                    struct lb_diag *diag)
{
	struct coord_store *store = change->queue->config.store;
	const struct workflow_instance *instance;
	char id[COORD_LEASE_SIZE];
	struct coord_lease_row row = { .job_id = ready->job_id,
		                       .run_id = ready->run_id,
		                       .runner_id = runner->id,
		                       .started_ms = change->now_ms };
	struct live_run *run;
	struct coord_job job;

	LB_TRY(coord_lease_instance(&instance, &run, &job, change, ready->run_id, ready->job_id,
	                            diag));
	LB_TRY(coord_random_name(id, change->queue->config.plat));
	row.lease = lb_bytes_of(id);
	LB_TRY(coord_store_grant(&row.fence, &row.attempt, store, &row));
	if (lb_bytes_is(run->row.status, "queued")) {
		LB_TRY(coord_store_start_run(store, run->id, change->now_ms));
		run->row.status = lb_bytes_of("in_progress");
	}
	coord_queue_touch(change->queue, run->id);
	LB_TRY(new_lease(out, change, &row));
	coord_lease_limit(*out, change, instance, change->now_ms);
	return LB_OK;
}

/* A job for this runner, when there is one; *taken gets which.  The queue is locked. */
static lb_err take_job(struct lb_value **message, struct ready_job *taken, struct change *change,
                       struct lb_arena *arena, struct live_runner *runner, struct lb_diag *diag)
{
	struct coord_queue *queue = change->queue;
	struct live_lease *lease = NULL;
	struct ready_job *ready;
	lb_err err;

	if (!runner->online)
		LB_TRY(coord_runner_set_online(change, runner, true));
	if (queue->ready_stale)
		LB_TRY(read_ready(queue));
	ready = find_ready(queue, runner);
	if (ready == NULL)
		return LB_OK;
	*taken = *ready;
	err = grant(&lease, change, runner, ready, diag);
	if (!lb_failed(err))
		err = coord_lease_message(message, change, arena, lease, diag);
	if (lb_failed(err)) {
		coord_lease_free(queue, lease);
		return err;
	}
	ready->taken = true;
	keep_lease(queue, lease);
	return LB_OK;
}

/* A job that cannot be handed out (a secret that cannot be evaluated, a file that is gone) must not
 * stand before all others for ever: it fails, and says why. */
static void refuse_job(struct coord_queue *queue, const struct ready_job *job, const char *why)
{
	struct lb_bytes reason = lb_bytes_of(why);
	struct change change;
	lb_err err = coord_change_begin_locked(&change, queue);

	if (lb_failed(err))
		return; /* tried again with the next poll */
	err = coord_change_commit(&change, coord_run_finish_job(&change, job->run_id, job->job_id,
	                                                        WORKFLOW_RESULT_FAILURE, NULL,
	                                                        reason, NULL));
	coord_change_finish(&change);
	if (!lb_failed(err) || lb_err_class(err) == LB_CLASS_ENV ||
	    lb_failed(coord_change_begin_locked(&change, queue)))
		return;
	err = coord_change_commit(&change, coord_run_give_up(&change, job->run_id, reason));
	coord_change_finish(&change);
	if (!lb_failed(err))
		return;
	/* Leases that were dropped for it are live still. */
	if (!lb_failed(coord_change_begin_locked(&change, queue))) {
		lb_ignore(coord_change_commit(&change, coord_lease_recover(&change)));
		coord_change_finish(&change);
	}
	lb_log(queue->config.log, LB_LOG_ERROR, "a run cannot be given up",
	       LB_COUNT("run", job->run_id), LB_FIELD("why", lb_err_text(err)));
}

/* The grant's memory follows the commit: on a failed one, take it out again. */
static lb_err lease_in_change(struct lb_value **message, struct coord_queue *queue,
                              struct lb_arena *arena, struct live_runner *runner,
                              struct lb_diag *diag)
{
	struct ready_job taken = { 0 };
	struct change change;
	struct live_lease *lease;
	lb_err err;

	LB_TRY(coord_change_begin_locked(&change, queue));
	lease = lease_of_runner(queue, runner->id);
	if (lease != NULL) {
		set_expiry(lease, queue, change.now_ns);
		err = coord_lease_message(message, &change, arena, lease, diag);
	} else {
		err = take_job(message, &taken, &change, arena, runner, diag);
	}
	err = coord_change_commit(&change, err);
	if (!lb_failed(err)) {
		runner->online = true;
	} else if (lease == NULL) {
		queue->ready_stale = true;
		lease = lease_of_runner(queue, runner->id);
		if (lease != NULL)
			coord_lease_drop(queue, lease);
		*message = NULL;
	}
	coord_change_finish(&change);
	if (!lb_failed(err) || taken.job_id == 0 || lb_err_class(err) == LB_CLASS_ENV)
		return err;
	refuse_job(queue, &taken, lb_diag_text(diag, err));
	return LB_OK; /* the runner asks again */
}

lb_err coord_queue_lease(struct lb_value **message, struct coord_queue *queue,
                         struct lb_arena *arena, struct lb_bytes session, struct lb_diag *diag)
{
	struct live_runner *runner;
	lb_err err = LB_OK;

	*message = NULL;
	(void)pthread_mutex_lock(&queue->lock);
	runner = coord_runner_of_session(queue, session);
	if (runner == NULL) {
		err = lb_fail(diag, LB_E_STALE,
		              "the session is not (or no longer) known: open a new one");
	} else {
		runner->seen_ns = coord_queue_now_ns(queue);
		/* Most polls find nothing: they cost no transaction. */
		if (!runner->online || queue->ready_stale || find_ready(queue, runner) != NULL ||
		    lease_of_runner(queue, runner->id) != NULL)
			err = lease_in_change(message, queue, arena, runner, diag);
	}
	(void)pthread_mutex_unlock(&queue->lock);
	return err;
}

/* ---- holding ---- the queue is locked */

lb_err coord_lease_claimed(struct live_lease **out, struct coord_queue *queue,
                           const struct coord_claim *claim, struct lb_diag *diag)
{
	struct live_lease *lease = queue->leases;

	*out = NULL;
	while (lease != NULL && !lb_bytes_is(claim->lease, lease->id))
		lease = lease->next;
	if (lease == NULL || lease->fence != claim->fence)
		return lb_fail(diag, LB_E_STALE, "lease %.*s is not held under fence %llu",
		               LB_FMT(claim->lease), (unsigned long long)claim->fence);
	if (!lb_bytes_eq_secret(lb_bytes_of(lease->token), claim->token))
		return lb_fail(diag, LB_E_DENIED, "this token does not belong to lease %s",
		               lease->id);
	*out = lease;
	return LB_OK;
}

static lb_err fill_held(struct coord_held *out, struct change *change, struct lb_arena *arena,
                        const struct live_lease *lease, struct lb_diag *diag)
{
	struct live_run *run;

	LB_TRY(coord_live_run(&run, change, lease->run_id, diag));
	*out = (struct coord_held){
		.run_id = run->id,
		.run_attempt = run->row.attempt,
		.job_id = lease->job_id,
		.attempt = lease->attempt,
		.fence = lease->fence,
		.repository_id = run->row.repository.id,
		.cancel = lease->cancel,
		.trusted = run->row.trusted,
		.repository = lb_arena_bytes(arena, run->row.repository.name),
		.ref = lb_arena_bytes(arena, run->row.ref),
		.base_ref = lb_arena_bytes(arena, lb_value_get_string(run->github, "base_ref")),
	};
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	out->log = coord_log_incref(lease->log);
	return LB_OK;
}

/* Live runs are made on first use; after that this touches the disk in no way. */
static lb_err hold(struct coord_held *out, struct coord_queue *queue, struct lb_arena *arena,
                   const struct live_lease *lease, struct lb_diag *diag)
{
	struct change change = { .queue = queue };
	lb_err err;

	for (struct live_run *run = queue->runs; run != NULL; run = run->next)
		if (run->id == lease->run_id)
			return fill_held(out, &change, arena, lease, diag);
	LB_TRY(coord_change_begin_locked(&change, queue));
	err = coord_change_commit(&change, fill_held(out, &change, arena, lease, diag));
	coord_change_finish(&change);
	return err;
}

lb_err coord_queue_check(struct coord_held *out, struct coord_queue *queue, struct lb_arena *arena,
                         const struct coord_claim *claim, struct lb_diag *diag)
{
	struct live_lease *lease;
	lb_err err;

	*out = (struct coord_held){ 0 };
	(void)pthread_mutex_lock(&queue->lock);
	err = coord_lease_claimed(&lease, queue, claim, diag);
	if (!lb_failed(err))
		err = hold(out, queue, arena, lease, diag);
	(void)pthread_mutex_unlock(&queue->lock);
	return err;
}

struct live_lease *coord_lease_of_token(struct coord_queue *queue, struct lb_bytes token)
{
	struct live_lease *lease = queue->leases;

	while (lease != NULL && !lb_bytes_eq_secret(lb_bytes_of(lease->token), token))
		lease = lease->next;
	return lease;
}

lb_err coord_queue_check_token(struct coord_held *out, struct coord_queue *queue,
                               struct lb_arena *arena, struct lb_bytes token)
{
	struct live_lease *lease;
	lb_err err = lb_err_of(LB_E_DENIED);

	*out = (struct coord_held){ 0 };
	(void)pthread_mutex_lock(&queue->lock);
	lease = coord_lease_of_token(queue, token);
	if (lease != NULL)
		err = hold(out, queue, arena, lease, NULL);
	(void)pthread_mutex_unlock(&queue->lock);
	return err;
}

lb_err coord_queue_renew(bool *cancel, struct coord_queue *queue, const struct coord_claim *claim,
                         struct lb_diag *diag)
{
	struct live_lease *lease;
	lb_err err;

	(void)pthread_mutex_lock(&queue->lock);
	err = coord_lease_claimed(&lease, queue, claim, diag);
	if (!lb_failed(err)) {
		set_expiry(lease, queue, coord_queue_now_ns(queue));
		coord_runner_seen(queue, lease->runner_id);
		*cancel = lease->cancel;
	}
	(void)pthread_mutex_unlock(&queue->lock);
	return err;
}

/* A change under a lease: begun only when the lease is held. */
lb_err coord_lease_begin(struct change *change, struct live_lease **lease,
                         struct coord_queue *queue, const struct coord_claim *claim,
                         struct lb_diag *diag)
{
	lb_err err;

	LB_TRY(coord_change_begin(change, queue));
	err = coord_lease_claimed(lease, queue, claim, diag);
	return lb_failed(err) ? coord_change_end(change, err) : LB_OK;
}

lb_err coord_queue_record(struct coord_queue *queue, const struct coord_claim *claim,
                          lb_err (*record)(void *ctx, struct coord_store *store, uint64_t now_ms),
                          void *ctx, struct lb_diag *diag)
{
	struct live_lease *lease;
	struct change change;

	LB_TRY(coord_lease_begin(&change, &lease, queue, claim, diag));
	return coord_change_end(&change, record(ctx, queue->config.store, change.now_ms));
}
