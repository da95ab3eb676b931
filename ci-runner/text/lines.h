/* lines.h - lines found in a stream of bytes.
 *
 * A line ends at \n, \r\n or \r.  One that grows beyond RUNNER_LINE_SOFT_MAX is given in pieces,
 * unless it is a workflow command, which is kept whole up to RUNNER_LINE_HARD_MAX.
 * Owner: the caller of init, who calls release.  Threads: one at a time.
 */
#ifndef RUNNER_TEXT_LINES_H
#define RUNNER_TEXT_LINES_H

#include "base/buf.h"

enum { RUNNER_LINE_SOFT_MAX = 65536, RUNNER_LINE_HARD_MAX = 4 * 1024 * 1024 };

struct runner_lines {
	/* A line, or with `ended` false a piece of one that goes on: returns how many of its
	 * bytes were taken (of a whole line: all); what was not is given again. */
	size_t (*line)(void *ctx, struct lb_bytes text, bool ended);
	/* Many whole lines at once, each with its \n and none with a \r; NULL: they come one by
	 * one. */
	void (*block)(void *ctx, struct lb_bytes lines);
	void *ctx;
	struct lb_buf kept; /* the beginning of a line whose end did not come yet */
	bool after_cr;
};

void runner_lines_init(struct runner_lines *lines, struct lb_mem *mem,
                       size_t (*line)(void *ctx, struct lb_bytes text, bool ended), void *ctx);
void runner_lines_release(struct runner_lines *lines);

/* NOMEM: bytes of an unfinished line were lost. */
lb_err runner_lines_add(struct runner_lines *lines, struct lb_bytes part);

/* The stream is over: what is left is a line. */
void runner_lines_end(struct runner_lines *lines);

#endif
