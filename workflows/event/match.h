/* match.h - does a workflow run for an event, and if not, why not.
 *
 * Threads: pure functions.
 */
#ifndef WORKFLOWS_EVENT_MATCH_H
#define WORKFLOWS_EVENT_MATCH_H

#include "workflows/syntax/workflow.h"

struct workflow_event {
	struct lb_bytes name;         /* "push" */
	struct lb_bytes action;       /* activity type: "opened"; empty: none */
	struct lb_bytes ref;          /* "refs/heads/main": what was pushed */
	struct lb_bytes base_ref;     /* "main": what filters on branches look at where it is not
	                               * the ref: of a pull request, merge group or workflow_run */
	const struct lb_bytes *paths; /* changed files */
	size_t path_count;
	bool paths_unknown;             /* too many, or a new branch: path filters let it through */
	struct lb_bytes workflow;       /* name of the workflow that ended, for workflow_run */
	struct lb_bytes schedule;       /* cron line that struck, for schedule */
	struct lb_bytes image, version; /* for image_version */
};

/* Which filter said no, "paths: none of 3 changed files matches", and where it stands. */
struct workflow_mismatch {
	struct lb_diag diag;
	uint32_t line, column; /* 0: the file as a whole */
};

/* The answer; a "no" says why.  `why_not` may be NULL. */
bool workflow_matches_event(const struct workflow *workflow, const struct workflow_event *event,
                            struct workflow_mismatch *why_not);

/* GitHub's filter patterns: *, **, ?, +, [a-z], and \ before any of them. */
bool workflow_glob_match(struct lb_bytes pattern, struct lb_bytes text);

/* A list of patterns in order: a match sets, a later match of a pattern with ! unsets.  The last
 * one that matched is in *decided (NULL: none did); `decided` may be NULL. */
bool workflow_globs_match(const struct workflow_list *patterns, struct lb_bytes text,
                          const struct workflow_token **decided);

/* The inputs context of a run by hand or of a call: given values over defaults, converted to
 * their types.  INVALID names the input that is required, unknown, or of the wrong kind. */
lb_err workflow_inputs(const struct lb_value **out, struct lb_arena *arena,
                       const struct workflow_trigger *trigger, const struct lb_value *given,
                       const struct workflow_scope *scope, struct lb_diag *diag);

#endif
