/* outcome.h - what a test program said about its cases, by TAP or JUnit.
 *
 * Threads: pure functions.
 */
#ifndef RUNNER_BUNDLE_OUTCOME_H
#define RUNNER_BUNDLE_OUTCOME_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/vec.h"

enum runner_verdict { RUNNER_PASSED, RUNNER_SKIPPED_TEST, RUNNER_FAILED_TEST };

struct runner_case {
	struct lb_bytes name; /* "case", or "class.case" of JUnit */
	enum runner_verdict verdict;
	double seconds;
	struct lb_bytes why; /* of a failure or a skip; may be empty */
};

enum { RUNNER_CASES_MAX = 100000 };

/* TAP 12 to 14: results at the margin; a failure that is still to be done is a skip.  Cases (of
 * struct runner_case) are added, their texts in the arena.  MALFORMED says how it is no whole
 * report: no plan, another number of results than planned, "Bail out!". */
lb_err runner_tap_read(struct lb_vec *cases, struct lb_arena *arena, struct lb_bytes text,
                       struct lb_diag *diag);

/* JUnit's XML in all its dialects: testcase elements with failure, error or skipped in them.
 * MALFORMED where there is none, or one does not end. */
lb_err runner_junit_read(struct lb_vec *cases, struct lb_arena *arena, struct lb_bytes text,
                         struct lb_diag *diag);

/* Text for XML 1.0: escaped, and without what it cannot hold. */
void runner_xml_add(struct lb_buf *out, struct lb_bytes text);

#endif
