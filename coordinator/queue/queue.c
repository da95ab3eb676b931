/* queue.c - life of the queue, its clock and its transactions; see queue.h. */
#include "base/io/file.h"
#include "base/text.h"
#include "coordinator/queue/queue_priv.h"

#include <stdio.h>

enum { TOUCHED_MAX = 100000 };

/* ---- time and chance ---- */

uint64_t coord_queue_now_ms(const struct coord_queue *queue)
{
	return queue->config.plat->ops->wall_ns(queue->config.plat) / 1000000;
}

uint64_t coord_queue_now_ns(const struct coord_queue *queue)
{
	return queue->config.plat->ops->now_ns(queue->config.plat);
}

lb_err coord_random_name(char out[33], struct plat *plat)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16];

	LB_TRY(plat->ops->entropy(bytes, plat, sizeof bytes));
	for (unsigned i = 0; i < sizeof bytes; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[32] = '\0';
	return LB_OK;
}

/* ---- transactions ---- */

lb_err coord_change_begin_locked(struct change *change, struct coord_queue *queue)
{
	LB_TRY(coord_store_begin(queue->config.store));
	*change = (struct change){ .queue = queue,
		                   .now_ms = coord_queue_now_ms(queue),
		                   .now_ns = coord_queue_now_ns(queue) };
	lb_arena_init(&change->arena, queue->mem);
	return LB_OK;
}

lb_err coord_change_begin(struct change *change, struct coord_queue *queue)
{
	lb_err err;

	(void)pthread_mutex_lock(&queue->lock);
	err = coord_change_begin_locked(change, queue);
	if (lb_failed(err))
		(void)pthread_mutex_unlock(&queue->lock);
	return err;
}

static void end_use(struct coord_queue *queue)
{
	for (struct live_run *run = queue->runs; run != NULL; run = run->next)
		run->used = false;
}

lb_err coord_change_commit(struct change *change, lb_err err)
{
	struct coord_queue *queue = change->queue;

	if (lb_failed(err))
		coord_store_rollback(queue->config.store);
	else
		err = coord_store_commit(queue->config.store);
	if (lb_failed(err)) {
		/* The plans that were used may be ahead of the store now. */
		coord_live_runs_forget(queue, COORD_FORGET_USED);
		queue->touched.count = 0;
	}
	coord_live_runs_forget(queue, COORD_FORGET_OVER);
	end_use(queue);
	return err;
}

static void wake(const struct coord_queue *queue, uint64_t topic)
{
	if (queue->config.wake != NULL)
		queue->config.wake(queue->config.wake_ctx, topic);
}

void coord_change_finish(struct change *change)
{
	struct coord_queue *queue = change->queue;

	lb_arena_release(&change->arena);
	for (size_t i = 0; i < queue->touched.count; i++)
		wake(queue, coord_topic(COORD_TOPIC_RUN, *LB_VEC_AT(&queue->touched, uint64_t, i)));
	lb_vec_release(&queue->touched);
	lb_vec_init(&queue->touched, queue->mem, sizeof(uint64_t), TOUCHED_MAX);
	if (queue->ready_stale)
		wake(queue, coord_topic(COORD_TOPIC_READY, 0));
}

void coord_change_release(struct change *change)
{
	struct coord_queue *queue = change->queue;

	coord_change_finish(change);
	(void)pthread_mutex_unlock(&queue->lock);
}

lb_err coord_change_end(struct change *change, lb_err err)
{
	err = coord_change_commit(change, err);
	coord_change_release(change);
	return err;
}

void coord_queue_touch(struct coord_queue *queue, uint64_t run_id)
{
	uint64_t *slot = lb_vec_add(&queue->touched);

	/* Without memory for it the followers see the change when they next look by themselves. */
	if (slot != NULL)
		*slot = run_id;
}

/* ---- names ---- */

static bool is_name_part(struct lb_bytes part)
{
	if (part.len == 0 || part.len > 100 || part.at[0] == '.')
		return false;
	for (size_t i = 0; i < part.len; i++) {
		unsigned char c = part.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_' || c == '.'))
			return false;
	}
	return true;
}

bool coord_repository_is_name(struct lb_bytes name)
{
	size_t slash = lb_bytes_find_byte(name, '/');

	return slash != SIZE_MAX && is_name_part(lb_bytes_upto(name, slash)) &&
	       is_name_part(lb_bytes_from(name, slash + 1));
}

lb_err coord_repository_path(char *out, size_t size, const char *folder, struct lb_bytes name)
{
	int len = snprintf(out, size, "%s/%.*s.git", folder, LB_FMT(name));

	return len > 0 && (size_t)len < size ? LB_OK : lb_err_of(LB_E_LIMIT);
}

/* ---- life ---- */

static lb_err recover_runner(void *ctx, const struct coord_runner *row)
{
	struct coord_queue *queue = ctx;
	struct live_runner *runner = LB_NEW(queue->mem, struct live_runner, 1);

	if (runner == NULL)
		return lb_err_of(LB_E_NOMEM);
	runner->next = queue->runners;
	queue->runners = runner;
	lb_arena_init(&runner->arena, queue->mem);
	return coord_runner_fill(runner, row, coord_queue_now_ns(queue));
}

/* Every run that is not over is planned again from what is stored: same results, same plan. */
static lb_err recover_runs(struct change *change, struct lb_diag *diag)
{
	struct coord_ids open;

	LB_TRY(coord_store_open_runs(&open, change->queue->config.store, &change->arena));
	for (size_t i = 0; i < open.count; i++) {
		struct lb_diag why = { 0 };
		struct live_run *run;
		lb_err err = coord_live_run(&run, change, open.at[i], &why);

		if (!lb_failed(err))
			err = coord_run_settle(change, run, &why);
		/* One that cannot be planned any more must not keep all others from going on. */
		if (lb_failed(err) && lb_err_class(err) != LB_CLASS_ENV)
			err = coord_run_give_up(change, open.at[i],
			                        lb_bytes_of(lb_diag_text(&why, err)));
		if (lb_failed(err))
			return lb_fail(diag, lb_code_of(err), "run %llu: %s",
			               (unsigned long long)open.at[i], lb_diag_text(&why, err));
	}
	return LB_OK;
}

static lb_err recover(struct coord_queue *queue, struct lb_diag *diag)
{
	struct change change;
	lb_err err = coord_change_begin(&change, queue);

	if (lb_failed(err))
		return err;
	err = coord_store_each_runner(queue->config.store, recover_runner, queue);
	if (!lb_failed(err))
		err = coord_lease_recover(&change);
	if (!lb_failed(err))
		err = recover_runs(&change, diag);
	return coord_change_end(&change, err);
}

lb_err coord_queue_new(struct coord_queue **out, struct lb_mem *mem,
                       const struct coord_queue_config *config, struct lb_diag *diag)
{
	struct coord_queue *queue = LB_NEW(mem, struct coord_queue, 1);
	lb_err err;

	*out = NULL;
	if (queue == NULL)
		return lb_err_of(LB_E_NOMEM);
	queue->mem = mem;
	queue->config = *config;
	queue->ready_stale = true;
	(void)pthread_mutex_init(&queue->lock, NULL);
	lb_arena_init(&queue->ready_arena, mem);
	lb_vec_init(&queue->touched, mem, sizeof(uint64_t), TOUCHED_MAX);
	err = recover(queue, diag);
	if (lb_failed(err)) {
		coord_queue_free(queue);
		return err;
	}
	*out = queue;
	return LB_OK;
}

void coord_queue_free(struct coord_queue *queue)
{
	if (queue == NULL)
		return;
	coord_live_runs_forget(queue, COORD_FORGET_ALL);
	while (queue->leases != NULL) {
		struct live_lease *lease = queue->leases;

		queue->leases = lease->next;
		coord_lease_free(queue, lease);
	}
	while (queue->runners != NULL) {
		struct live_runner *runner = queue->runners;

		queue->runners = runner->next;
		lb_arena_release(&runner->arena);
		LB_DROP(queue->mem, runner, 1);
	}
	lb_arena_release(&queue->ready_arena);
	lb_vec_release(&queue->touched);
	(void)pthread_mutex_destroy(&queue->lock);
	LB_DROP(queue->mem, queue, 1);
}
