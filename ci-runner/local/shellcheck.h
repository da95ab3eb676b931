/* shellcheck.h - what shellcheck says of the scripts of a workflow, at its place in the workflow.
 *
 * Threads: one at a time.
 */
#ifndef RUNNER_LOCAL_SHELLCHECK_H
#define RUNNER_LOCAL_SHELLCHECK_H

#include "workflows/lint/script.h"

#include "base/diag.h"

struct runner_shellcheck_finding {
	uint32_t line, column;   /* in the workflow file */
	struct lb_bytes message; /* "SC2034: x appears unused." */
};

/* Its errors and warnings, in the arena.  NOTFOUND: it is not installed.  TIMEOUT: it took more
 * than RUNNER_SHELLCHECK_MS.  FAILED: it said something else. */
enum { RUNNER_SHELLCHECK_MS = 10000 };
lb_err runner_shellcheck(const struct runner_shellcheck_finding **out, uint32_t *count,
                         struct lb_arena *arena, const struct workflow_script *script,
                         struct lb_bytes source, struct lb_diag *diag);

#endif
