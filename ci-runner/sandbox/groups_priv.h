/* groups_priv.h - control groups: one for all commands of a sandbox, below this process's own. */
#ifndef RUNNER_SANDBOX_GROUPS_PRIV_H
#define RUNNER_SANDBOX_GROUPS_PRIV_H

#include "base/bytes.h"
#include "base/mem.h"
#include "ci-runner/sandbox/limits.h"

enum { RUNNER_GROUPS_MAX = 3, RUNNER_GROUP_PATH_BYTES = 1024 };

struct runner_groups {
	unsigned version;             /* 2 or 1; 0: there are none */
	size_t count;                 /* groups: of version 1, one for each kind of limit */
	int files[RUNNER_GROUPS_MAX]; /* written to by who joins */
	char folders[RUNNER_GROUPS_MAX][RUNNER_GROUP_PATH_BYTES];
	bool memory, processes, cpus; /* what they hold */
	int events;                   /* where kills for want of memory are counted; -1 */
};

/* Below `root` (NULL: none) stand /proc and the groups' own file systems.  Makes what it can: what
 * cannot be had (no controller, no right to it) is left out, and everything undone where nothing
 * is left.  NOMEM alone is a failure. */
lb_err runner_groups_make(struct runner_groups *out, struct lb_mem *mem,
                          const struct runner_limits *limits, const char *root);
/* Ends what is still in them, and removes them. */
void runner_groups_remove(struct runner_groups *groups);

/* How many processes were ended for want of memory so far. */
uint64_t runner_groups_kills(const struct runner_groups *groups);

#endif
