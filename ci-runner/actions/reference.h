/* reference.h - what `uses` names.
 *
 *   owner/repo@ref, owner/repo/path@ref   an action of a repository
 *   ./path                                one of the workspace
 *   $/path                                one of the repository that says so, at its commit
 *   docker://image                        an image
 *
 * Threads: pure functions.
 */
#ifndef RUNNER_ACTIONS_REFERENCE_H
#define RUNNER_ACTIONS_REFERENCE_H

#include "base/bytes.h"
#include "base/diag.h"

enum runner_reference_kind {
	RUNNER_REFERENCE_REMOTE,
	RUNNER_REFERENCE_LOCAL,
	RUNNER_REFERENCE_SELF,
	RUNNER_REFERENCE_DOCKER
};

enum { RUNNER_REFERENCE_BYTES_MAX = 400 };

struct runner_reference {
	enum runner_reference_kind kind;
	struct lb_bytes repository; /* "owner/repo" of a remote one */
	struct lb_bytes path;       /* in the repository or workspace, or the image; may be empty */
	struct lb_bytes ref;        /* of a remote one */
};

/* Borrows from `uses`.  INVALID with what was expected. */
lb_err runner_reference_read(struct runner_reference *out, struct lb_bytes uses,
                             struct lb_diag *diag);

#endif
