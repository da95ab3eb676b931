/* process_priv.h - what starting and watching a sandboxed process share. */
#ifndef RUNNER_SANDBOX_PROCESS_PRIV_H
#define RUNNER_SANDBOX_PROCESS_PRIV_H

#include "base/buf.h"
#include "ci-runner/sandbox/sandbox.h"

enum {
	RUNNER_INTERRUPT_MS = 7500, /* from SIGINT to SIGTERM, as GitHub's runner */
	RUNNER_TERMINATE_MS = 2500  /* from SIGTERM to SIGKILL */
};

/* The filter of system calls as bubblewrap wants it.  UNSUPPORTED, IO, NOMEM. */
lb_err runner_seccomp_program(struct lb_buf *out);

#endif
