/* plan.h - what a checkout's workflows would run for an event, without running anything.
 *
 * Threads: one at a time.
 */
#ifndef RUNNER_LOCAL_PLAN_H
#define RUNNER_LOCAL_PLAN_H

#include "base/value.h"
#include "ci-runner/local/called.h"

#include <stdio.h>

enum runner_plan_format { RUNNER_PLAN_TREE, RUNNER_PLAN_JSON, RUNNER_PLAN_SVG };

struct runner_planning {
	struct lb_mem *mem;
	struct plat *plat;
	struct lb_arena *arena; /* of the command */
	const char *checkout;   /* a folder in it; it may be no repository */
	const char *file;       /* NULL: all of .github/workflows */
	const char *event;      /* NULL: workflow_dispatch where the file has it, else push */
	const char *action;     /* activity type where there is no payload */
	const char *ref, *base; /* github.ref; the branch that a pull request goes to */
	const char *repository; /* OWNER/NAME; NULL: the checkout's, or the payload's */
	const struct lb_value *payload; /* as GitHub sends it; NULL: made of the others */
	const struct lb_bytes *changed; /* files; NULL: not known */
	size_t changed_count;
	const struct lb_value *inputs, *vars, *outputs, *results; /* objects, or NULL */
	struct runner_called called;
	enum runner_plan_format format;
	bool colours, all;
	FILE *out;
};

/* Print what would run; *runs: anything would.  INVALID, MALFORMED, NOTFOUND, USAGE with prose;
 * NOMEM; IO. */
lb_err runner_plan(bool *runs, struct runner_planning *planning, struct lb_diag *diag);

#endif
