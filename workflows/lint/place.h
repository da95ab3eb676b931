/* place.h - where a character of a scalar's text stands in the file.
 *
 * A token knows where it begins.  Its text has lost margins, quotes and line ends;
 * what stands in the middle of it is found by following text and file side by side.
 * Threads: one at a time each.  Nothing is allocated.
 */
#ifndef WORKFLOWS_LINT_PLACE_H
#define WORKFLOWS_LINT_PLACE_H

#include "workflows/syntax/workflow.h"

struct workflow_place {
	struct lb_bytes source, text; /* the file; the token's raw text */
	size_t at, in_text;           /* offsets that belong together */
	uint32_t line, column;        /* of `at`, from 1; columns count code points */
	unsigned char quote;          /* ' or ", 0: none */
	bool lost;                    /* text and file do not go together: the token's own place */
};

/* At the beginning of a scalar.  `source` is the file that the token came from. */
void workflow_place_init(struct workflow_place *place, struct lb_bytes source,
                         const struct workflow_token *token);

/* Go on to an offset in the token's raw text, never back. */
void workflow_place_go(struct workflow_place *place, size_t offset);

#endif
