/* stop.h - the wish that a job ends, from a signal, a coordinator or a terminal.
 *
 * Only ever raised, except by reset.  Threads: any; raise is safe in a signal handler.
 */
#ifndef RUNNER_SANDBOX_STOP_H
#define RUNNER_SANDBOX_STOP_H

#include "base/err.h"

#include <stdatomic.h>

enum runner_stop_level {
	RUNNER_STOP_NONE,
	RUNNER_STOP_CANCEL, /* end as cancelled: with a grace, and steps that ask for it still run
	                     */
	RUNNER_STOP_DRAIN,  /* this runner is being stopped: the same, within RUNNER_DRAIN_MS */
	RUNNER_STOP_FORGET  /* the job is somebody else's now: kill it */
};

enum { RUNNER_DRAIN_MS = 30000 };

struct runner_stop {
	_Atomic int level;
	int wake_read, wake_write; /* readable after each raise */
};

lb_err runner_stop_init(struct runner_stop *stop);
void runner_stop_release(struct runner_stop *stop);

void runner_stop_raise(struct runner_stop *stop, enum runner_stop_level level);
enum runner_stop_level runner_stop_level(const struct runner_stop *stop);

/* Forget wishes about the job that ended; DRAIN stays. */
void runner_stop_reset(struct runner_stop *stop);

/* From now on SIGINT and SIGTERM raise `stop` to `level`, a second one to FORGET; `asked` (may be
 * NULL) becomes true with the first.  Both must last as long as the process. */
lb_err runner_stop_on_signals(struct runner_stop *stop, enum runner_stop_level level,
                              _Atomic bool *asked);

/* Swallow what made wake_read readable. */
void runner_stop_drain(struct runner_stop *stop);

#endif
