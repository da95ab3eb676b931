/* match.h - does a workflow run for an event, and if not, why not.
 *
 * Threads: pure functions.
 */
#ifndef WORKFLOWS_EVENT_MATCH_H
#define WORKFLOWS_EVENT_MATCH_H

#include "workflows/syntax/workflow.h"

struct workflow_event {
	const char *name;             /* "push" */
	const char *action;           /* activity type: "opened"; NULL or "": none */
	struct lb_bytes ref;          /* "refs/heads/main": what was pushed */
	struct lb_bytes base_ref;     /* "main": of a pull request or merge group */
	const struct lb_bytes *paths; /* changed files */
	size_t path_count;
	bool paths_unknown;       /* too many, or a new branch: path filters let it through */
	struct lb_bytes workflow; /* name of the workflow that ended, for workflow_run */
	struct lb_bytes schedule; /* cron line that struck, for schedule */
};

/* The answer, and in the diagnostic for a "no" which filter said it ("paths: none of 3 changed
 * files matches"). */
bool workflow_matches_event(const struct workflow *workflow, const struct workflow_event *event,
                            struct lb_diag *why_not);

/* GitHub's filter patterns: *, **, ?, +, [a-z], and \ before any of them. */
bool workflow_glob_match(struct lb_bytes pattern, struct lb_bytes text);

/* A list of patterns in order: a match sets, a later match of a pattern with ! unsets. */
bool workflow_globs_match(const struct workflow_list *patterns, struct lb_bytes text);

/* The inputs context of a run by hand or of a call: given values over defaults, converted to
 * their types.  INVALID names the input that is required, unknown, or of the wrong kind. */
lb_err workflow_inputs(const struct lb_value **out, struct lb_arena *arena,
                       const struct workflow_trigger *trigger, const struct lb_value *given,
                       const struct workflow_scope *scope, struct lb_diag *diag);

#endif
