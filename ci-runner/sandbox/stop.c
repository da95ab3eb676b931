/* stop.c - see stop.h. */
#include "ci-runner/sandbox/stop.h"

#include "base/platform/plat.h"
#include "base/platform/process.h"
#include "base/platform/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

lb_err runner_stop_init(struct runner_stop *stop)
{
	atomic_init(&stop->level, RUNNER_STOP_NONE);
	LB_TRY(plat_pipe(&stop->wake_read, &stop->wake_write));
	/* A full pipe is as good a wake as any: neither end may block. */
	if (fcntl(stop->wake_read, F_SETFL, O_NONBLOCK) != 0 ||
	    fcntl(stop->wake_write, F_SETFL, O_NONBLOCK) != 0) {
		lb_err err = lb_err_errno(errno);

		runner_stop_release(stop);
		return err;
	}
	return LB_OK;
}

void runner_stop_release(struct runner_stop *stop)
{
	(void)close(stop->wake_read);
	(void)close(stop->wake_write);
}

void runner_stop_raise(struct runner_stop *stop, enum runner_stop_level level)
{
	int now = atomic_load(&stop->level);
	int saved = errno;

	while (now < (int)level && !atomic_compare_exchange_weak(&stop->level, &now, (int)level)) {}
	if (write(stop->wake_write, "", 1) < 0)
		errno = saved;
}

enum runner_stop_level runner_stop_level(const struct runner_stop *stop)
{
	return (enum runner_stop_level)atomic_load(&stop->level);
}

void runner_stop_reset(struct runner_stop *stop)
{
	int now = atomic_load(&stop->level);

	/* A signal may raise to DRAIN in between: then the exchange fails and DRAIN is kept. */
	if (now == RUNNER_STOP_CANCEL || now == RUNNER_STOP_FORGET)
		(void)atomic_compare_exchange_strong(&stop->level, &now, RUNNER_STOP_NONE);
	runner_stop_drain(stop);
}

void runner_stop_drain(struct runner_stop *stop)
{
	char bytes[64];

	while (read(stop->wake_read, bytes, sizeof bytes) > 0) {}
}

/* ---- signals ---- */

static struct {
	struct runner_stop *stop;
	enum runner_stop_level level;
	_Atomic bool *asked;
} signals; /* signals are the process's, and so is this */

static void *pass_on_signals(void *unused)
{
	(void)unused;
	while (!plat_stop_wait(UINT64_MAX)) {}
	if (signals.asked != NULL)
		atomic_store(signals.asked, true);
	runner_stop_raise(signals.stop, signals.level);
	while (plat_stop_asked() < 2)
		plat_host.ops->sleep_ns(&plat_host, 100000000);
	runner_stop_raise(signals.stop, RUNNER_STOP_FORGET);
	return NULL;
}

lb_err runner_stop_on_signals(struct runner_stop *stop, enum runner_stop_level level,
                              _Atomic bool *asked)
{
	pthread_t thread;

	LB_TRY(plat_stop_install());
	signals.stop = stop;
	signals.level = level;
	signals.asked = asked;
	if (pthread_create(&thread, NULL, pass_on_signals, NULL) != 0)
		return lb_err_of(LB_E_NOMEM);
	(void)pthread_detach(thread);
	return LB_OK;
}
