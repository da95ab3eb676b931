/* session.h - a runner at a coordinator: asks for leases and executes them, one at a time.
 *
 * Threads: one.
 */
#ifndef RUNNER_SERVE_SESSION_H
#define RUNNER_SERVE_SESSION_H

#include "base/io/log.h"
#include "ci-runner/execute/job.h"

struct runner_serve {
	const char *coordinator; /* URL without a slash at its end */
	const char *token;       /* lbr_... */
	const char *const *labels;
	bool once;                    /* end after one job */
	const _Atomic bool *stopping; /* true: take no more jobs; the job under way is told by
	                               * host->stop */
	const struct lb_log *log;
	uint64_t pause_ms_max; /* between tries while the coordinator is away; 0: 2000 */
};

/* Until it is told to stop (LB_OK), or DENIED: the token is not accepted; NOMEM. */
lb_err runner_serve(const struct runner_host *host, const struct runner_serve *how,
                    struct lb_diag *diag);

#endif
