/* link.h - a runner_link of folders and a stream: for runs without a coordinator.
 *
 * Owner: the caller of init, who calls release.  Threads: one at a time.
 */
#ifndef RUNNER_LOCAL_LINK_H
#define RUNNER_LOCAL_LINK_H

#include "ci-runner/execute/job.h"

#include <stdio.h>

struct runner_local_link {
	struct runner_link link; /* first member */
	struct lb_mem *mem;
	struct plat *plat;
	FILE *out;
	bool colour;
	const char *artifacts, *caches; /* folders, which exist */
	const struct lb_value *run; /* as docs/protocol.md has it, with its jobs; NULL: unknown */
	struct lb_arena arena;      /* of what is below */
	struct lb_value *names;     /* of artifacts: the place of one, from 1, is its id */
};

void runner_local_link_init(struct runner_local_link *local, struct lb_mem *mem, struct plat *plat,
                            FILE *out, const char *artifacts, const char *caches);
void runner_local_link_release(struct runner_local_link *local); /* all-zero is fine */

#endif
