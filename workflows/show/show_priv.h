/* show_priv.h - a plan as boxes: the instances of a job together, those of a call inside it. */
#ifndef WORKFLOWS_SHOW_SHOW_PRIV_H
#define WORKFLOWS_SHOW_SHOW_PRIV_H

#include "workflows/show/show.h"

enum outcome { OUTCOME_RUNS, OUTCOME_SKIPPED, OUTCOME_WAITS, OUTCOME_FAILS, OUTCOMES };

/* The boxes of the run, or of one call. */
struct group {
	struct box *first, *last;
	uint32_t count;
};

struct entry {
	const struct workflow_instance *instance;
	struct entry *next;
	struct group *inside; /* what it calls; NULL: nothing that is known */
};

struct box {
	const struct workflow_job *job;
	struct entry *first, *last;
	uint32_t count;
	uint32_t index; /* in its group */
	struct box *next;
	enum outcome outcome;                            /* of all together: the worst */
	uint32_t x, y, width, height, column, row, lane; /* of the drawing */
};

struct boxes {
	struct group *root;
	uint32_t box_count;
	uint32_t jobs[OUTCOMES]; /* how many instances that call nothing */
};

enum outcome workflow_shown_outcome(const struct workflow_instance *instance);
const char *workflow_shown_outcome_text(enum outcome outcome); /* "runs" */
lb_err workflow_shown_boxes(struct boxes *out, struct lb_arena *arena,
                            const struct workflow_plan *plan);

/* The last part of "release / publish": its callers stand around it. */
struct lb_bytes workflow_shown_own_name(const struct workflow_instance *instance);

/* What a job of several instances is called: "test", or the name where it has no expressions. */
struct lb_bytes workflow_shown_name(const struct box *box);

#endif
