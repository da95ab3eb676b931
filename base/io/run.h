/* run.h - run another program to its end and keep what it printed.
 *
 * Layer: base/io.  Both streams are read as they come, so a full pipe never
 * blocks the child, up to the buffers' maxima: what is over is counted as a
 * LIMIT error and the child is ended.  The end is the program's own: what it
 * left running is not waited for.  Threads: any.
 */
#ifndef LB_IO_RUN_H
#define LB_IO_RUN_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/platform/process.h"

struct lb_run {
	const char *const *argv, *const *envp;
	const char *cwd;
	struct lb_bytes input;
	uint64_t timeout_ms; /* 0: none */
};

/* How long a program has between being asked to end and being killed. */
enum { LB_RUN_GRACE_MS = 2000 };

/* `out` and `err` may be the same or NULL (thrown away).  LB_OK whatever the status is.  TIMEOUT
 * ends the child's whole group, and *status and the buffers say what there was until then.
 * NOTFOUND, DENIED, UNSUPPORTED as plat_spawn; NOMEM, LIMIT after the child was killed. */
lb_err lb_run(struct plat_exit *status, const struct lb_run *how, struct lb_buf *out,
              struct lb_buf *err, struct lb_diag *diag);

/* The same, and FAILED with the last line of stderr as prose when the status is not 0.  `out`
 * may be NULL. */
lb_err lb_run_ok(const struct lb_run *how, struct lb_buf *out, struct lb_diag *diag);

#endif
