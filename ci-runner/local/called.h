/* called.h - workflows of other repositories, for plans made on this machine.
 *
 * They come the way actions come: from the mirrors, held to the project's lock.
 * Threads: one at a time.
 */
#ifndef RUNNER_LOCAL_CALLED_H
#define RUNNER_LOCAL_CALLED_H

#include "ci-runner/actions/source.h"
#include "workflows/plan/plan.h"

struct runner_called {
	struct lb_mem *mem;
	struct plat *plat;
	struct runner_actions_options options;
	const char *scratch; /* a folder of this plan's own, made when it is needed */
	struct runner_actions *actions;
	unsigned count;
};

void runner_called_release(struct runner_called *called); /* not the folder */

/* What workflow_plan_options.read_remote asks.  Errors as runner_actions_export has them. */
lb_err runner_called_read(struct lb_bytes *out, struct runner_called *called,
                          struct lb_arena *arena, const struct workflow_reference *what,
                          struct lb_diag *diag);

#endif
