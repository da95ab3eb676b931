/* lot.c - see lot_priv.h.
 *
 * Invariants, while the lot is unlocked:
 *   1. A spot is in the list of its topic's counter exactly while it is parked.
 *   2. It is in the heap exactly while it is parked and has a deadline.
 *   3. The heap is ordered by deadline; each spot knows its index there.
 *   4. The timer sleeps no longer than until the first deadline.
 */
#include "base/http/lot_priv.h"

#include <pthread.h>
#include <time.h>

enum { COUNTERS = 1024 };

static const uint64_t NS_PER_MS = 1000000, NS_PER_S = 1000000000, NEVER_NS = UINT64_MAX;

struct counter {
	uint64_t wakes;
	struct lb_http_spot *parked;
};

struct lb_http_lot {
	struct lb_mem *mem;
	struct plat *plat;
	const struct lb_http_lot_ops *ops;
	pthread_mutex_t lock;
	pthread_cond_t earlier; /* the first deadline moved forward, or the lot ends */
	pthread_t timer;
	bool timer_runs, closed, ending;
	size_t count;
	struct lb_http_spot **heap;
	size_t heap_count, heap_max;
	struct counter counters[COUNTERS];
};

static struct counter *counter_of(struct lb_http_lot *lot, uint64_t topic)
{
	return &lot->counters[(topic * 0x9e3779b97f4a7c15u) >> 54];
}

static_assert(COUNTERS == 1 << (64 - 54), "the hash keeps as many bits as the table needs");

/* ---- the heap of deadlines ---- */

static void put_at(struct lb_http_lot *lot, size_t index, struct lb_http_spot *spot)
{
	lot->heap[index] = spot;
	spot->heap_index = index;
}

static void sift_up(struct lb_http_lot *lot, struct lb_http_spot *spot)
{
	size_t at = spot->heap_index;

	while (at > 0) {
		struct lb_http_spot *above = lot->heap[(at - 1) / 2];

		if (above->deadline_ns <= spot->deadline_ns)
			break;
		put_at(lot, at, above);
		at = (at - 1) / 2;
	}
	put_at(lot, at, spot);
}

static void sift_down(struct lb_http_lot *lot, struct lb_http_spot *spot)
{
	size_t at = spot->heap_index;

	for (;;) {
		size_t below = 2 * at + 1;

		if (below >= lot->heap_count)
			break;
		if (below + 1 < lot->heap_count &&
		    lot->heap[below + 1]->deadline_ns < lot->heap[below]->deadline_ns)
			below++;
		if (lot->heap[below]->deadline_ns >= spot->deadline_ns)
			break;
		put_at(lot, at, lot->heap[below]);
		at = below;
	}
	put_at(lot, at, spot);
}

static void heap_add(struct lb_http_lot *lot, struct lb_http_spot *spot)
{
	assert(lot->heap_count < lot->heap_max);
	put_at(lot, lot->heap_count++, spot);
	sift_up(lot, spot);
}

static void heap_remove(struct lb_http_lot *lot, struct lb_http_spot *spot)
{
	struct lb_http_spot *last = lot->heap[--lot->heap_count];

	if (last == spot)
		return;
	put_at(lot, spot->heap_index, last);
	sift_up(lot, last);
	sift_down(lot, last);
}

/* ---- parking ---- */

static void unpark(struct lb_http_lot *lot, struct lb_http_spot *spot, bool timed_out)
{
	*spot->at = spot->next;
	if (spot->next != NULL)
		spot->next->at = spot->at;
	if (spot->deadline_ns != NEVER_NS)
		heap_remove(lot, spot);
	lot->count--;
	spot->timed_out = timed_out;
	lot->ops->resume(spot); /* from here on the spot is its owner's */
}

static uint64_t deadline_after(struct lb_http_lot *lot, uint64_t timeout_ms)
{
	uint64_t now = lot->plat->ops->now_ns(lot->plat);

	if (timeout_ms > (NEVER_NS - 1 - now) / NS_PER_MS)
		return NEVER_NS;
	return now + timeout_ms * NS_PER_MS;
}

static void take_spot(struct lb_http_lot *lot, struct lb_http_spot *spot, struct counter *counter)
{
	spot->next = counter->parked;
	spot->at = &counter->parked;
	if (spot->next != NULL)
		spot->next->at = &spot->next;
	counter->parked = spot;
	lot->count++;
	if (spot->deadline_ns == NEVER_NS)
		return;
	heap_add(lot, spot);
	if (spot->heap_index == 0)
		(void)pthread_cond_signal(&lot->earlier);
}

enum lb_http_parked lb_http_lot_park(struct lb_http_lot *lot, struct lb_http_spot *spot,
                                     uint64_t topic, uint64_t ticket, uint64_t timeout_ms)
{
	enum lb_http_parked result = LB_HTTP_PARKED;
	struct counter *counter = counter_of(lot, topic);

	spot->topic = topic;
	spot->timed_out = false;
	spot->deadline_ns = deadline_after(lot, timeout_ms);
	(void)pthread_mutex_lock(&lot->lock);
	if (lot->closed) {
		result = LB_HTTP_LOT_CLOSED;
	} else if (counter->wakes != ticket) {
		result = LB_HTTP_WOKEN_BEFORE;
	} else {
		take_spot(lot, spot, counter);
		lot->ops->suspend(spot);
	}
	(void)pthread_mutex_unlock(&lot->lock);
	return result;
}

uint64_t lb_http_lot_ticket(struct lb_http_lot *lot, uint64_t topic)
{
	uint64_t ticket;

	(void)pthread_mutex_lock(&lot->lock);
	ticket = counter_of(lot, topic)->wakes;
	(void)pthread_mutex_unlock(&lot->lock);
	return ticket;
}

void lb_http_lot_wake(struct lb_http_lot *lot, uint64_t topic)
{
	struct counter *counter = counter_of(lot, topic);
	struct lb_http_spot *spot, *next;

	(void)pthread_mutex_lock(&lot->lock);
	counter->wakes++;
	for (spot = counter->parked; spot != NULL; spot = next) {
		next = spot->next;
		if (spot->topic == topic)
			unpark(lot, spot, false);
	}
	(void)pthread_mutex_unlock(&lot->lock);
}

void lb_http_lot_close(struct lb_http_lot *lot)
{
	(void)pthread_mutex_lock(&lot->lock);
	lot->closed = true;
	for (size_t i = 0; i < COUNTERS; i++) {
		lot->counters[i].wakes++;
		while (lot->counters[i].parked != NULL)
			unpark(lot, lot->counters[i].parked, false);
	}
	(void)pthread_mutex_unlock(&lot->lock);
}

bool lb_http_lot_is_closed(struct lb_http_lot *lot)
{
	bool closed;

	(void)pthread_mutex_lock(&lot->lock);
	closed = lot->closed;
	(void)pthread_mutex_unlock(&lot->lock);
	return closed;
}

size_t lb_http_lot_count(struct lb_http_lot *lot)
{
	size_t count;

	(void)pthread_mutex_lock(&lot->lock);
	count = lot->count;
	(void)pthread_mutex_unlock(&lot->lock);
	return count;
}

/* ---- the timer ---- */

/* Sleep until the first deadline or a signal.  The deadline is the world's, which may be a
 * simulated one; the sleep is the system's. */
static void sleep_until_first(struct lb_http_lot *lot, uint64_t now)
{
	struct timespec until;
	uint64_t left;

	if (lot->heap_count == 0) {
		(void)pthread_cond_wait(&lot->earlier, &lot->lock);
		return;
	}
	left = lot->heap[0]->deadline_ns - now;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	left += (uint64_t)until.tv_nsec;
	until.tv_sec += (time_t)(left / NS_PER_S);
	until.tv_nsec = (long)(left % NS_PER_S);
	(void)pthread_cond_timedwait(&lot->earlier, &lot->lock, &until);
}

static void *run_timer(void *ctx)
{
	struct lb_http_lot *lot = ctx;

	(void)pthread_mutex_lock(&lot->lock);
	while (!lot->ending) {
		uint64_t now = lot->plat->ops->now_ns(lot->plat);

		if (lot->heap_count > 0 && lot->heap[0]->deadline_ns <= now)
			unpark(lot, lot->heap[0], true);
		else
			sleep_until_first(lot, now);
	}
	(void)pthread_mutex_unlock(&lot->lock);
	return NULL;
}

static lb_err start_timer(struct lb_http_lot *lot)
{
	pthread_condattr_t monotonic;
	int failed;

	failed = pthread_mutex_init(&lot->lock, NULL);
	if (failed != 0)
		return lb_err_errno(failed);
	failed = pthread_condattr_init(&monotonic);
	if (failed == 0) {
		(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
		failed = pthread_cond_init(&lot->earlier, &monotonic);
		(void)pthread_condattr_destroy(&monotonic);
	}
	if (failed == 0) {
		failed = pthread_create(&lot->timer, NULL, run_timer, lot);
		if (failed != 0)
			(void)pthread_cond_destroy(&lot->earlier);
	}
	if (failed != 0)
		(void)pthread_mutex_destroy(&lot->lock);
	lot->timer_runs = failed == 0;
	return failed == 0 ? LB_OK : lb_err_errno(failed);
}

lb_err lb_http_lot_new(struct lb_http_lot **out, struct lb_mem *mem, struct plat *plat,
                       size_t spots_max, const struct lb_http_lot_ops *ops)
{
	struct lb_http_lot *lot = LB_NEW(mem, struct lb_http_lot, 1);
	lb_err err = lb_err_of(LB_E_NOMEM);

	*out = NULL;
	if (lot == NULL)
		return err;
	lot->mem = mem;
	lot->plat = plat;
	lot->ops = ops;
	lot->heap_max = spots_max;
	lot->heap = LB_NEW(mem, struct lb_http_spot *, spots_max);
	if (lot->heap != NULL)
		err = start_timer(lot);
	if (lb_failed(err))
		lb_http_lot_free(lot);
	else
		*out = lot;
	return err;
}

void lb_http_lot_free(struct lb_http_lot *lot)
{
	if (lot == NULL)
		return;
	assert(lot->count == 0);
	if (lot->timer_runs) {
		(void)pthread_mutex_lock(&lot->lock);
		lot->ending = true;
		(void)pthread_cond_signal(&lot->earlier);
		(void)pthread_mutex_unlock(&lot->lock);
		(void)pthread_join(lot->timer, NULL);
		(void)pthread_cond_destroy(&lot->earlier);
		(void)pthread_mutex_destroy(&lot->lock);
	}
	LB_DROP(lot->mem, lot->heap, lot->heap_max);
	LB_DROP(lot->mem, lot, 1);
}
