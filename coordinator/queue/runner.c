/* runner.c - sessions of runners, who is there, and what fits whom; see queue.h. */
#include "base/data/json.h"
#include "coordinator/queue/queue_priv.h"
#include "coordinator/store/read.h"

enum { NAME_MAX_BYTES = 100, LABELS_MAX = 100, LABELS_BYTES_MAX = 65536 };

/* ---- sessions ---- */

lb_err coord_runner_fill(struct live_runner *runner, const struct coord_runner *row,
                         uint64_t now_ns)
{
	lb_arena_release(&runner->arena);
	runner->id = row->id;
	runner->name = lb_arena_bytes(&runner->arena, row->name);
	runner->seen_ns = now_ns;
	runner->online = row->online;
	memcpy(runner->session, row->session.at, COORD_SESSION_SIZE - 1);
	LB_TRY(lb_json_read(&runner->labels, &runner->arena,
	                    lb_arena_bytes(&runner->arena, row->labels), NULL));
	return runner->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err check_greeting(const struct coord_greeting *greeting, struct lb_diag *diag)
{
	const struct lb_value *labels = greeting->labels;

	if (greeting->name.len == 0 || greeting->name.len > NAME_MAX_BYTES)
		return lb_fail(diag, LB_E_INVALID,
		               "name: expected a text of 1 to %d bytes, got %zu", NAME_MAX_BYTES,
		               greeting->name.len);
	if (labels == NULL || labels->kind != LB_ARRAY || labels->count > LABELS_MAX)
		return lb_fail(diag, LB_E_INVALID, "labels: expected a list of at most %d texts",
		               LABELS_MAX);
	for (uint32_t i = 0; i < labels->count; i++)
		if (labels->items[i]->kind != LB_STRING || labels->items[i]->string.len == 0)
			return lb_fail(diag, LB_E_INVALID, "labels[%u]: expected a text", i);
	return LB_OK;
}

static struct live_runner *runner_by_id(struct coord_queue *queue, uint64_t id)
{
	struct live_runner *runner = queue->runners;

	while (runner != NULL && runner->id != id)
		runner = runner->next;
	return runner;
}

static struct live_runner *add_runner(struct coord_queue *queue)
{
	struct live_runner *runner = LB_NEW(queue->mem, struct live_runner, 1);

	if (runner != NULL)
		lb_arena_init(&runner->arena, queue->mem);
	return runner;
}

static void free_runner(struct coord_queue *queue, struct live_runner *runner)
{
	if (runner == NULL)
		return;
	lb_arena_release(&runner->arena);
	LB_DROP(queue->mem, runner, 1);
}

/* What this runner held before it came anew is lost. */
static lb_err lose_leases(struct change *change, uint64_t runner_id, struct live_lease **lost,
                          struct lb_diag *diag)
{
	struct live_lease *lease = change->queue->leases;

	*lost = NULL;
	while (lease != NULL && lease->runner_id != runner_id)
		lease = lease->next;
	if (lease == NULL)
		return LB_OK;
	*lost = lease;
	return coord_lease_lose(change, lease, "the runner began a new session", diag);
}

/* Everything that waits for a runner is shown anew: who can take it has changed. */
static lb_err touch_ready(struct change *change)
{
	struct coord_ready *ready;
	size_t count;

	LB_TRY(coord_store_ready_jobs(&ready, &count, change->queue->config.store, &change->arena));
	for (size_t i = 0; i < count; i++) {
		LB_TRY(coord_store_touch_job(change->queue->config.store, ready[i].job_id));
		if (i == 0 || ready[i].run_id != ready[i - 1].run_id)
			coord_queue_touch(change->queue, ready[i].run_id);
	}
	return LB_OK;
}

static lb_err store_session(struct coord_runner *row, struct change *change,
                            const struct coord_greeting *greeting, const char *session)
{
	struct lb_buf labels;

	lb_buf_init(&labels, &change->arena.mem, LABELS_BYTES_MAX);
	lb_value_write(&labels, greeting->labels, false);
	LB_TRY(lb_buf_check(&labels));
	*row = (struct coord_runner){ .name = greeting->name,
		                      .labels = lb_buf_bytes(&labels),
		                      .version = lb_arena_bytes(&change->arena, greeting->version),
		                      .os = lb_arena_bytes(&change->arena, greeting->os),
		                      .arch = lb_arena_bytes(&change->arena, greeting->arch),
		                      .session = lb_bytes_of(session),
		                      .online = true };
	LB_TRY(coord_store_set_runner(&row->id, change->queue->config.store, row, change->now_ms));
	return touch_ready(change);
}

lb_err coord_queue_session(char session[COORD_SESSION_SIZE], struct coord_queue *queue,
                           const struct coord_greeting *greeting, struct lb_diag *diag)
{
	struct live_runner *fresh = NULL, *old;
	struct live_lease *lost = NULL;
	struct coord_runner row = { 0 };
	struct change change;
	lb_err err;

	LB_TRY(check_greeting(greeting, diag));
	LB_TRY(coord_random_name(session, queue->config.plat));
	LB_TRY(coord_change_begin(&change, queue));
	err = lb_err_of(LB_E_NOMEM);
	fresh = add_runner(queue);
	if (fresh != NULL)
		err = store_session(&row, &change, greeting, session);
	if (!lb_failed(err))
		err = coord_runner_fill(fresh, &row, change.now_ns);
	if (!lb_failed(err))
		err = lose_leases(&change, row.id, &lost, diag);
	err = coord_change_commit(&change, err);
	if (!lb_failed(err)) {
		struct live_runner **link = &queue->runners;

		if (lost != NULL)
			coord_lease_drop(queue, lost);
		old = runner_by_id(queue, row.id);
		while (old != NULL && *link != old)
			link = &(*link)->next;
		if (old != NULL)
			*link = old->next;
		free_runner(queue, old);
		fresh->next = queue->runners;
		queue->runners = fresh;
		fresh = NULL;
		lb_log(queue->config.log, LB_LOG_INFO, "runner session begun",
		       LB_FIELD_B("runner", greeting->name));
	}
	free_runner(queue, fresh);
	coord_change_release(&change);
	return err;
}

/* ---- who is there ---- */

struct live_runner *coord_runner_of_session(struct coord_queue *queue, struct lb_bytes session)
{
	struct live_runner *runner = queue->runners;

	while (runner != NULL && !lb_bytes_eq_secret(lb_bytes_of(runner->session), session))
		runner = runner->next;
	return runner;
}

lb_err coord_runner_set_online(struct change *change, struct live_runner *runner, bool online)
{
	LB_TRY(coord_store_set_online(change->queue->config.store, runner->id, online,
	                              change->now_ms));
	return touch_ready(change);
}

void coord_runner_seen(struct coord_queue *queue, uint64_t runner_id)
{
	struct live_runner *runner = runner_by_id(queue, runner_id);

	if (runner != NULL)
		runner->seen_ns = coord_queue_now_ns(queue);
}

/* A runner that did not ask again after its poll is gone until it does. */
static bool is_gone(const struct coord_queue *queue, const struct live_runner *runner,
                    uint64_t now_ns)
{
	uint64_t patience_ms = queue->config.poll_ms + queue->config.lease_ms;

	return runner->online && now_ns - runner->seen_ns > patience_ms * 1000000u;
}

lb_err coord_runner_tick(struct coord_queue *queue)
{
	uint64_t now_ns;
	struct live_runner *runner;
	struct change change;
	lb_err err;

	(void)pthread_mutex_lock(&queue->lock);
	now_ns = coord_queue_now_ns(queue);
	runner = queue->runners;
	while (runner != NULL && !is_gone(queue, runner, now_ns))
		runner = runner->next;
	(void)pthread_mutex_unlock(&queue->lock);
	if (runner == NULL)
		return LB_OK;

	LB_TRY(coord_change_begin(&change, queue));
	err = LB_OK;
	for (runner = queue->runners; runner != NULL && !lb_failed(err); runner = runner->next)
		if (is_gone(queue, runner, change.now_ns))
			err = coord_runner_set_online(&change, runner, false);
	err = coord_change_commit(&change, err);
	for (runner = queue->runners; runner != NULL && !lb_failed(err); runner = runner->next)
		if (is_gone(queue, runner, change.now_ns)) {
			runner->online = false;
			lb_log(queue->config.log, LB_LOG_WARN, "runner is gone",
			       LB_FIELD_B("runner", runner->name));
		}
	coord_change_release(&change);
	return err;
}
