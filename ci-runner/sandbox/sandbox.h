/* sandbox.h - one command, cut off from the machine it runs on.
 *
 * The command sees: the system (/usr, /bin, /lib*, /etc, /opt and dpkg's records) read-only and
 * without what others may not read, its own /proc, /dev, /run and /tmp, and the folders it was
 * given.  It has no capability, its own user, mount, process, IPC and name spaces, a session of its
 * own, and under RUNNER_NETWORK_NONE a network with nothing in it but its loopback.  Inside it is
 * user `runner`, 1001; outside it has this process's user.
 *
 * Its environment is what it was given and nothing else, and it is handed over in memory: no
 * variable reaches bubblewrap itself, none shows in a list of processes.
 *
 * All processes of a command end with it, and with the thread that started it.
 * Threads: a sandbox may start commands from several threads; a process belongs to one.
 */
#ifndef RUNNER_SANDBOX_SANDBOX_H
#define RUNNER_SANDBOX_SANDBOX_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/platform/process.h"
#include "ci-runner/sandbox/limits.h"
#include "ci-runner/sandbox/network.h"
#include "ci-runner/sandbox/stop.h"

struct runner_sandbox;

/* Looks at the machine: UNSUPPORTED with prose where bubblewrap is missing.  `exposes` (ends with
 * NULL; may be NULL) are further folders to show read-only; they are borrowed. */
lb_err runner_sandbox_new(struct runner_sandbox **out, struct lb_mem *mem,
                          const char *const *exposes, struct lb_diag *diag);
void runner_sandbox_free(struct runner_sandbox *sandbox); /* NULL is fine */

/* From now on commands may use so much, all together where control groups can be had, else each
 * process for itself; and no core dump is written. */
lb_err runner_sandbox_limit(struct runner_sandbox *sandbox, const struct runner_limits *limits,
                            struct lb_diag *diag);

/* How commands are isolated and limited here, and what is missing; for people.  Borrowed. */
const char *runner_sandbox_text(const struct runner_sandbox *sandbox);

/* Look again which files of /etc and /opt are not for everyone.  Takes some milliseconds; not while
 * a command is being started. */
lb_err runner_sandbox_refresh(struct runner_sandbox *sandbox, struct lb_diag *diag);

/* Start and end an empty command: UNSUPPORTED with bubblewrap's own words where a policy cannot be
 * enforced here. */
lb_err runner_sandbox_check(struct runner_sandbox *sandbox, enum runner_network network,
                            struct lb_diag *diag);

#define RUNNER_HELPER_PATH "/run/lifeboat/runner"

struct runner_show {
	const char *from, *to; /* absolute; `from` NULL ends a list */
};

struct runner_command {
	const char *const *argv;     /* looked up in the PATH of `env`; ends with NULL */
	const char *const *env;      /* "NAME=value"; ends with NULL */
	const char *cwd;             /* NULL: / */
	const char *const *writable; /* folders or files, shown at the same path; ends with NULL */
	const char *const *readable; /* the same, read-only; may be NULL */
	const struct runner_show *bases; /* folders at another path, to write in; may be NULL */
	const struct runner_show *shown; /* files and folders over them, read-only; may be NULL */
	const char *helper;              /* a program, shown as RUNNER_HELPER_PATH; NULL: none */
	const char *tmp;                 /* shown as /tmp; NULL: an empty one in memory */
	const char *passwd, *group;      /* shown as those of /etc; NULL: the system's */
	enum runner_network network;     /* and */
	const char *const *hosts;        /* of HOSTS: its policy, as struct runner_reach has it */
	/* The network that was entered for it; NULL: the machine's for FULL, and for all others one
	 * with nothing but a loopback. */
	const struct runner_net *net;
	struct lb_bytes input; /* its standard input; at most 64 KiB */
	int in, out, err;      /* instead: these descriptors */
	bool streams;          /* use in, out and err; nothing is read from the command */
	bool terminal;         /* with `streams`: in this process's session, for a shell to have
	                        * its terminal; pushing input into that is refused all the same */
};

struct runner_process {
	struct plat_process outer; /* bubblewrap */
	int output;                /* read end; -1 with `streams` */
	int status;                /* bubblewrap's report; read end */
	int inner, inner_fd;       /* the sandbox's first process; 0 and -1 until reported */
	bool reported_exit;        /* the command itself ran and ended */
	char report[1024];
	size_t report_len;
	struct runner_sandbox *sandbox;
	const char *const *writable; /* of the command, and its tmp */
	const char *tmp;
	uint64_t kills; /* for want of memory, before it began */
	struct lb_mem *mem;
	unsigned char *part; /* what one read of the output takes */
};

enum { RUNNER_PART_BYTES = 65536 };

lb_err runner_process_start(struct runner_process *out, struct runner_sandbox *sandbox,
                            const struct runner_command *how, struct lb_diag *diag);

struct runner_watch {
	void (*output)(void *ctx, struct lb_bytes part); /* as it comes, never empty */
	void *ctx;
	struct runner_stop *stop;    /* NULL: cannot be stopped */
	enum runner_stop_level obey; /* end when the wish is above this */
	uint64_t deadline_ns;        /* of the monotonic clock; 0: none */
};

enum runner_ending { RUNNER_EXITED, RUNNER_TIMED_OUT, RUNNER_STOPPED };

struct runner_end {
	enum runner_ending how;
	int status; /* as a shell shows it */
};

/* Pass on the output until the command and all it started are gone.  A stop or the deadline ends
 * it: SIGINT, after 7.5 s SIGTERM, after another 2.5 s SIGKILL to all (at once for
 * RUNNER_STOP_FORGET).  LIMIT: it was ended because the disk's limit was reached, or failed for
 * want of memory.  UNSUPPORTED: the sandbox could not be set up, or has no such program; the reason
 * was passed on as output.  The process is released in any case. */
lb_err runner_process_watch(struct runner_end *out, struct runner_process *process,
                            const struct runner_watch *watch, struct lb_diag *diag);

#endif
