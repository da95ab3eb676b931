/* page.h - HTML pages from the values of the store: pure functions into a buffer.
 *
 * Every text that a workflow, a commit or a person controls goes through
 * page_text.  Failure is the buffer's own (base/buf.h).  Threads: any.
 */
#ifndef COORDINATOR_PAGES_PAGE_H
#define COORDINATOR_PAGES_PAGE_H

#include "base/buf.h"
#include "base/value.h"

/* A list of runs, newest first, as GET /api/v1/runs answers it; `status` and `runners` as the store
 * has them. */
struct coord_page_runs {
	const struct lb_value *runs, *status, *runners;
	uint64_t limit; /* how many were asked for: a full list has an older page */
};
void coord_page_runs(struct lb_buf *out, const struct coord_page_runs *what, uint64_t now_ns);

/* A run with its jobs, and its artifacts. */
void coord_page_run(struct lb_buf *out, const struct lb_value *run,
                    const struct lb_value *artifacts, uint64_t now_ns);

/* A job ("run" in it) and the beginning of its log. */
struct coord_page_log {
	struct lb_bytes text; /* whole lines, from offset 0 */
	uint64_t size;        /* of the whole log; more than text.len when it was cut */
};
void coord_page_job(struct lb_buf *out, const struct lb_value *job,
                    const struct coord_page_log *log, uint64_t now_ns);

/* Lines of a log as list items, the first being number `first` (from 1); ANSI colours become
 * classes. Returns how many lines. */
uint64_t coord_page_lines(struct lb_buf *out, struct lb_bytes text, uint64_t first);

/* "404 No such run" and the like. */
void coord_page_error(struct lb_buf *out, int status, const char *message);

#endif
