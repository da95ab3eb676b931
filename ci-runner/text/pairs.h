/* pairs.h - file commands: the names and values a step wrote to $GITHUB_OUTPUT and its like.
 *
 *   NAME=value
 *   NAME<<END            several lines, up to one that is the delimiter
 *   ...
 *   END
 *
 * Threads: pure functions.
 */
#ifndef RUNNER_TEXT_PAIRS_H
#define RUNNER_TEXT_PAIRS_H

#include "base/bytes.h"
#include "base/diag.h"

struct runner_pairs {
	struct lb_bytes rest;
	uint32_t line; /* of the pair that was read last, from 1 */
	uint32_t next_line;
};

/* Start over a whole file (a byte order mark is skipped). */
void runner_pairs_begin(struct runner_pairs *pairs, struct lb_bytes text);

/* The next pair, in the text.  END behind the last; MALFORMED with GitHub's words for a line
 * that is no pair or a delimiter that does not come. */
lb_err runner_pairs_next(struct lb_bytes *name, struct lb_bytes *value, struct runner_pairs *pairs,
                         struct lb_diag *diag);

/* A line of a text, without its end (\n or \r\n), cut off; false when the text is spent. */
bool runner_next_line(struct lb_bytes *line, struct lb_bytes *rest);

#endif
