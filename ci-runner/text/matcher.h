/* matcher.h - problem matchers: what a compiler prints, understood as problems with places.
 *
 * A matcher has an owner and one pattern or several, each for a line of its own, the last of which
 * may loop.  Of the matchers that are there the newest is tried first; the first that matches
 * resets the others.  Expressions are PCRE2's, which hold what JavaScript's can say here; one that
 * takes too long on a line ends its matcher.
 * Owner: the caller of new, who calls free.  Threads: one at a time.
 */
#ifndef RUNNER_TEXT_MATCHER_H
#define RUNNER_TEXT_MATCHER_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/value.h"

struct runner_matchers;

enum { RUNNER_MATCHERS_MAX = 100, RUNNER_MATCHER_PATTERNS_MAX = 16 };

lb_err runner_matchers_new(struct runner_matchers **out, struct lb_mem *mem);
void runner_matchers_free(struct runner_matchers *matchers); /* NULL is fine */
bool runner_matchers_any(const struct runner_matchers *matchers);

/* From {"problemMatcher": [...]}; those of the same owners are replaced.  INVALID with GitHub's
 * words for what is wrong, nothing changed; LIMIT; NOMEM. */
lb_err runner_matchers_add(struct runner_matchers *matchers, const struct lb_value *config,
                           struct lb_diag *diag);
void runner_matchers_remove(struct runner_matchers *matchers, struct lb_bytes owner);

/* Forget what lines so far began. */
void runner_matchers_reset(struct runner_matchers *matchers);

struct runner_problem {
	struct lb_bytes level;                          /* "error", "warning" or "notice" */
	struct lb_bytes message, file, from_path, code; /* may be empty, but for the message */
	uint64_t line, column;                          /* 0: not said */
	struct lb_bytes removed; /* owner of a matcher that took too long; empty: none */
};

/* Does this line (without colours) end a problem?  Texts are in the arena.  *out says of a matcher
 * that was removed also where the answer is no. */
bool runner_matchers_line(struct runner_problem *out, struct runner_matchers *matchers,
                          struct lb_arena *arena, struct lb_bytes line);

/* The line without colours: itself where it has none, else a copy in the arena. */
struct lb_bytes runner_without_colours(struct lb_arena *arena, struct lb_bytes line);

#endif
