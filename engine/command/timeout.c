/* timeout.c - the thread that ends a run which takes too long.
 *
 * It interrupts the engine, which ends the run at its next loop or call.  What
 * sits in a call of the system (reading a terminal, sleeping) never comes to
 * one; after a moment of grace the process is ended then.
 */
#include "engine/command/command.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { GRACE_MS = 200 };

struct engine_timeout {
	struct lb_mem *mem;
	struct engine_store *store;
	const char *file;
	uint64_t ms;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done; /* under lock */
};

static struct timespec from_now(uint64_t ms)
{
	struct timespec at = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (time_t)(ms / 1000);
	at.tv_nsec += (long)(ms % 1000 * 1000000);
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	return at;
}

/* Whether the run was over before that; the lock is held. */
static bool wait_done(struct engine_timeout *timeout, uint64_t ms)
{
	struct timespec until = from_now(ms);

	while (!timeout->done &&
	       pthread_cond_timedwait(&timeout->changed, &timeout->lock, &until) != ETIMEDOUT)
		continue;
	return timeout->done;
}

static void *watch(void *ctx)
{
	struct engine_timeout *timeout = ctx;

	(void)pthread_mutex_lock(&timeout->lock);
	if (!wait_done(timeout, timeout->ms)) {
		engine_store_interrupt(timeout->store);
		if (!wait_done(timeout, GRACE_MS)) {
			(void)fprintf(stderr, "lifeboat-engine run: %s: timed out after %llu ms\n",
			              timeout->file, (unsigned long long)timeout->ms);
			_exit(ENGINE_EXIT_TIMEOUT);
		}
	}
	(void)pthread_mutex_unlock(&timeout->lock);
	return NULL;
}

static int start(struct engine_timeout *timeout)
{
	pthread_condattr_t attr;
	int failed = pthread_condattr_init(&attr);

	if (failed != 0)
		return failed;
	failed = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (failed == 0)
		failed = pthread_cond_init(&timeout->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	if (failed != 0)
		return failed;
	failed = pthread_mutex_init(&timeout->lock, NULL);
	if (failed == 0) {
		failed = pthread_create(&timeout->thread, NULL, watch, timeout);
		if (failed == 0)
			return 0;
		(void)pthread_mutex_destroy(&timeout->lock);
	}
	(void)pthread_cond_destroy(&timeout->changed);
	return failed;
}

lb_err engine_timeout_new(struct engine_timeout **out, struct lb_mem *mem,
                          struct engine_store *store, uint64_t ms, const char *file)
{
	struct engine_timeout *timeout = LB_NEW(mem, struct engine_timeout, 1);
	int failed;

	*out = NULL;
	if (timeout == NULL)
		return lb_err_of(LB_E_NOMEM);
	timeout->mem = mem;
	timeout->store = store;
	timeout->ms = ms;
	timeout->file = file;
	failed = start(timeout);
	if (failed != 0) {
		LB_DROP(mem, timeout, 1);
		return lb_err_errno(failed);
	}
	*out = timeout;
	return LB_OK;
}

void engine_timeout_free(struct engine_timeout *timeout)
{
	if (timeout == NULL)
		return;
	(void)pthread_mutex_lock(&timeout->lock);
	timeout->done = true;
	(void)pthread_cond_signal(&timeout->changed);
	(void)pthread_mutex_unlock(&timeout->lock);
	(void)pthread_join(timeout->thread, NULL);
	(void)pthread_mutex_destroy(&timeout->lock);
	(void)pthread_cond_destroy(&timeout->changed);
	LB_DROP(timeout->mem, timeout, 1);
}
