/* script.h - the scripts of a workflow, for programs that check scripts.
 *
 * Threads: any.
 */
#ifndef WORKFLOWS_LINT_SCRIPT_H
#define WORKFLOWS_LINT_SCRIPT_H

#include "workflows/syntax/workflow.h"

struct workflow_script {
	const struct workflow_token *run;
	const char *shell;    /* "bash" or "sh" */
	struct lb_bytes text; /* byte for byte as long as run->raw, with ${{ }} become ${__} */
};

/* Those whose shell is known to be one of the two; in the arena.  A job that may run on Windows has
 * others where the file names none.  Fails with NOMEM alone. */
lb_err workflow_scripts(const struct workflow_script **out, uint32_t *count, struct lb_arena *arena,
                        const struct workflow *workflow);

#endif
