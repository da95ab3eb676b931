/* process_priv.h - what starting and watching a sandboxed process share. */
#ifndef RUNNER_SANDBOX_PROCESS_PRIV_H
#define RUNNER_SANDBOX_PROCESS_PRIV_H

#include "base/buf.h"
#include "ci-runner/sandbox/groups_priv.h"
#include "ci-runner/sandbox/sandbox.h"

#include <limits.h>
#include <pthread.h>

/* What was counted, and what the disk had left then. */
struct runner_disk {
	pthread_mutex_t lock; /* commands may run beside each other */
	bool counted;
	uint64_t used, left;
};

struct runner_sandbox {
	struct lb_mem *mem;
	char bwrap[PATH_MAX];
	char path[PATH_MAX]; /* while looking at the system */
	const char *const *exposes;
	struct lb_buf fixed;  /* arguments of every command, NUL-terminated each */
	struct lb_buf filter; /* of system calls, as bubblewrap wants it */
	bool shared_proc;     /* a new /proc may not be mounted: the one that is there is shown */
	bool scoped;          /* no abstract socket of the machine can be reached */
	struct runner_limits limits;
	struct runner_groups groups;
	struct runner_disk disk; /* of the job */
	struct lb_buf text;      /* what is said of it */
};

enum {
	RUNNER_INTERRUPT_MS = 7500, /* from SIGINT to SIGTERM, as GitHub's runner */
	RUNNER_TERMINATE_MS = 2500, /* from SIGTERM to SIGKILL */
	RUNNER_DISK_MS = 200        /* between looks at the disk */
};

/* LIMIT where its folders take more than the limit, or too little of the disk is left.  With one
 * command at a time the count is the job's. */
lb_err runner_disk_check(const struct runner_process *process, struct lb_diag *diag);

/* The filter of system calls as bubblewrap wants it.  UNSUPPORTED, IO, NOMEM. */
lb_err runner_seccomp_program(struct lb_buf *out);

#endif
