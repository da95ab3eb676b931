/* process.h - other programs: start, wait, end with all they started.
 *
 * Layer: platform.  A process is started in a group of its own (unless asked
 * otherwise) so that it can be ended with its descendants.  Threads: any;
 * one process is waited for by one thread.
 */
#ifndef PLAT_PROCESS_H
#define PLAT_PROCESS_H

#include "base/err.h"
#include "base/platform/network.h"

struct plat_fd {
	int parent, child;
}; /* the child sees `parent` as its `child` */

enum { PLAT_SPAWN_FDS_MAX = 16 };

struct plat_spawn {
	/* Ends with NULL.  argv[0] is looked up in envp's PATH unless it has a slash; where that
	 * is relative, it is so to cwd. */
	const char *const *argv;
	const char *const *envp;   /* NULL: this process's */
	const char *cwd;           /* NULL: this process's */
	int in, out, err;          /* descriptors for 0, 1, 2; -1: the null device */
	const struct plat_fd *fds; /* more descriptors; all others are closed in the child */
	size_t fd_count;           /* at most PLAT_SPAWN_FDS_MAX */
	bool same_group;      /* stay in this process's group (a terminal's Ctrl-C reaches it) */
	bool die_with_parent; /* killed when the thread that started it ends */
	/* What the system has none of is UNSUPPORTED. */
	const struct plat_network *network; /* start in it; NULL: in this process's */
	const struct plat_limit *limits;
	size_t limit_count;
	const int *groups; /* descriptors of control groups' files that name their processes */
	size_t group_count;
	bool expendable; /* ended before all others when the machine's memory runs out, if it says
	                    so */
	bool scoped; /* no signal and no abstract socket of processes outside it, where the system
	                can (plat_can_scope) */
};

enum plat_limit_kind {
	PLAT_LIMIT_CORE,      /* bytes of a core dump */
	PLAT_LIMIT_FILE_SIZE, /* bytes of a file written */
	PLAT_LIMIT_DATA,      /* bytes of a process's own memory */
	PLAT_LIMIT_PROCESSES  /* of the user, in its namespace */
};

struct plat_limit {
	enum plat_limit_kind kind;
	uint64_t most; /* a lower one that is set already stays */
};

bool plat_can_scope(void);

struct plat_process {
	int pid;
	int pidfd;      /* may be waited for with poll; -1 where there is none */
	bool own_group; /* pid is its group's number too */
	bool ended;     /* waited for to its end */
};

struct plat_exit {
	bool signaled;
	int number; /* exit status, or the signal */
};

enum plat_signal { PLAT_INTERRUPT, PLAT_TERMINATE, PLAT_KILL };

/* NOTFOUND when the program (or cwd) is not there, DENIED when it may not be run, UNSUPPORTED when
 * it is nothing the system can run: known at once, by this call.  The child starts with every
 * signal at its default and none blocked. */
lb_err plat_spawn(struct plat_process *out, const struct plat_spawn *how);

/* TIMEOUT when it still runs after timeout_ms (UINT64_MAX: wait for ever).  Once it has ended,
 * pidfd is closed and it may not be waited for again. */
lb_err plat_process_wait(struct plat_exit *out, struct plat_process *process, uint64_t timeout_ms);

/* To the whole group, also to what is left of it after the process itself has ended; nothing
 * where it is gone.  A process in this process's group gets it alone. */
void plat_process_signal(const struct plat_process *process, enum plat_signal signal);

/* The exit status a shell would show: the number, or 128 + signal. */
int plat_exit_status(struct plat_exit exit);

/* A pipe, both ends closed on exec. */
lb_err plat_pipe(int *read_end, int *write_end);

/* This process's environment variable; NULL where not set or empty. */
const char *plat_getenv(const char *name);

/* Where this program's file is, terminated. */
lb_err plat_self_path(char *out, size_t size);

#endif
