/* uplink.h - what a job tells its coordinator, kept until it was heard.
 *
 * A thread ships the log, the states of the steps and the renewals of the lease.  It tries for ever
 * with growing pauses while the coordinator is away; the job does not wait for it, unless memory
 * and disk are both full.  When the lease is lost it raises the stop to FORGET and says no more;
 * when the coordinator asks for it, to CANCEL. Owner: who calls new calls free.  Threads: the
 * link's functions, begin and finish from the thread that executes jobs.
 */
#ifndef RUNNER_SERVE_UPLINK_H
#define RUNNER_SERVE_UPLINK_H

#include "base/http/client.h"
#include "base/io/log.h"
#include "ci-runner/execute/job.h"

struct runner_lease {
	const char *id, *token;
	uint64_t fence, lease_ms;
};

struct runner_uplink;

struct runner_uplink_options {
	const char *coordinator; /* URL without a slash at its end */
	const char *spool;       /* file for what has no room in memory */
	struct runner_stop *stop;
	const struct lb_log *log;
	uint64_t pause_ms_max; /* between tries; 0: 2000 */
};

lb_err runner_uplink_new(struct runner_uplink **out, struct lb_mem *mem, struct plat *plat,
                         const struct runner_uplink_options *options, struct lb_diag *diag);
void runner_uplink_free(struct runner_uplink *uplink); /* NULL is fine */

/* A job begins; the lease's texts are borrowed until finish. */
lb_err runner_uplink_begin(struct runner_uplink *uplink, const struct runner_lease *lease,
                           struct lb_diag *diag);
struct runner_link *runner_uplink_link(struct runner_uplink *uplink);

/* The job ended: ship what is left, then the result.  STALE: the lease was lost, nothing of it
 * counts; CANCELLED: given up because the process was told to end twice. */
lb_err runner_uplink_finish(struct runner_uplink *uplink, const struct runner_result *result,
                            struct lb_diag *diag);

#endif
