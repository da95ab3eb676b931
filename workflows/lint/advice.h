/* advice.h - what is worth saying of a workflow that GitHub accepts.
 *
 * Threads: any.
 */
#ifndef WORKFLOWS_LINT_ADVICE_H
#define WORKFLOWS_LINT_ADVICE_H

#include "workflows/syntax/workflow.h"

enum workflow_rule {
#define RULE(id, name, about) WORKFLOW_RULE_##id,
#include "workflows/lint/rules.def"
#undef RULE
	WORKFLOW_RULE_COUNT
};

const char *workflow_rule_name(enum workflow_rule rule);  /* "unpinned-action" */
const char *workflow_rule_about(enum workflow_rule rule); /* one sentence */

struct workflow_advice {
	enum workflow_rule rule;
	uint32_t line, column;
	struct lb_bytes message; /* in the arena */
};

/* Job by job, at most WORKFLOW_PROBLEMS_MAX; in the arena.  `source` is the file that the workflow
 * was made from: a finding stands where its expression does.  A file with faults, as workflow_check
 * gives it, gets none before they are mended.  Fails with NOMEM alone. */
lb_err workflow_advise(const struct workflow_advice **out, uint32_t *count, struct lb_arena *arena,
                       const struct workflow *workflow, struct lb_bytes source);

#endif
