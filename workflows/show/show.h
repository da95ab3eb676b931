/* show.h - what would run, and why not: as a tree for people, as JSON, as a drawing.
 *
 * The plan is one that was looked ahead with (workflow_plan_look_ahead): what ended well in it
 * would run.  Threads: as for the plan.  Output buffers are sticky: see lb_buf_check.
 */
#ifndef WORKFLOWS_SHOW_SHOW_H
#define WORKFLOWS_SHOW_SHOW_H

#include "base/buf.h"
#include "workflows/event/match.h"
#include "workflows/plan/plan.h"

struct workflow_shown {
	const struct workflow *workflow;
	struct lb_bytes event, ref;
	const struct workflow_mismatch *why_not; /* of a workflow that does not run; else NULL */
	const struct workflow_plan *plan;        /* of one that does */
	const struct lb_value *times; /* of its schedule: [{"cron", "timezone", "next"}]; or NULL */
};

struct workflow_tree_options {
	bool colours;
	bool all; /* every job of a matrix, however many */
};

/* NOMEM. */
lb_err workflow_show_tree(struct lb_buf *out, struct lb_mem *mem,
                          const struct workflow_shown *shown,
                          const struct workflow_tree_options *options);

/* {"file", "workflow", "event", "ref", "runs", "why"?, "name"?, "concurrency"?, "counts"?, "jobs"?}
 * in the arena.  NOMEM. */
lb_err workflow_show_json(struct lb_value **out, struct lb_arena *arena,
                          const struct workflow_shown *shown);

/* SVG: jobs as boxes behind those that they need, a matrix as one box with its number, a called
 * workflow as a box around its jobs.  LIMIT: more than WORKFLOW_DRAWING_BOXES_MAX; NOMEM. */
enum { WORKFLOW_DRAWING_BOXES_MAX = 1000 };
lb_err workflow_show_drawing(struct lb_buf *out, struct lb_mem *mem,
                             const struct workflow_shown *shown, struct lb_diag *diag);

#endif
