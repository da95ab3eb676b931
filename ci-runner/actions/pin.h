/* pin.h - the lock of a checkout, written and checked.
 *
 * What has to stand in it: the actions of other repositories that the files in .github/workflows
 * use, and those that their composite actions use in turn, local ones included.
 * Threads: one at a time.
 */
#ifndef RUNNER_ACTIONS_PIN_H
#define RUNNER_ACTIONS_PIN_H

#include "ci-runner/actions/source.h"

#include <stdio.h>

struct runner_pinning {
	struct lb_mem *mem;
	struct plat *plat;
	const char *checkout; /* its top */
	const char *scratch;  /* a folder, made when missing, emptied at the end */
	const char *mirrors, *source;
	bool offline;
	bool (*is_builtin)(struct lb_bytes uses); /* needs no pin */
	FILE *out;                                /* a line for each ref */
};

/* Pin what is used and is not yet pinned; drop what is not used any more. */
lb_err runner_pin_lock(const struct runner_pinning *how, struct lb_diag *diag);

/* Pin again what `names` (OWNER/REPO or OWNER/REPO@REF) say, all where there are none. */
lb_err runner_pin_update(const struct runner_pinning *how, const char *const *names, size_t count,
                         struct lb_diag *diag);

/* Is all that is used pinned, does each ref still name its commit, has each commit the files that
 * stand there?  *faults is how many lines said no. */
lb_err runner_pin_verify(size_t *faults, const struct runner_pinning *how, struct lb_diag *diag);

#endif
