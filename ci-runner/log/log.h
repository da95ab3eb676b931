/* log.h - a job's log: "2026-11-21T07:25:00.1234567Z text\n", nothing secret in it.
 *
 * Every byte that leaves a job goes through here: secrets are hidden first, then what is not
 * UTF-8 is replaced.  Lines are gathered until flush.
 * Owner: the caller of init, who calls release.  Threads: one at a time.
 */
#ifndef RUNNER_LOG_LOG_H
#define RUNNER_LOG_LOG_H

#include "base/buf.h"
#include "base/platform/plat.h"
#include "ci-runner/text/mask.h"

enum { RUNNER_LOG_TIME_LEN = 29 }; /* of the time and the blank at the front of each line */

struct runner_log {
	struct plat *plat;
	struct runner_mask *mask;
	void (*write)(void *ctx, struct lb_bytes lines); /* whole lines */
	void *ctx;
	struct lb_buf pending, plain; /* lines to be written; a line with its secrets hidden */
	uint64_t size;                /* of all that was logged, bytes */
	size_t covered;               /* of a line in pieces: see runner_mask_apply */
	char time[40];
	uint64_t time_ns;
};

void runner_log_init(struct runner_log *log, struct lb_mem *mem, struct plat *plat,
                     struct runner_mask *mask, void (*write)(void *ctx, struct lb_bytes lines),
                     void *ctx);
void runner_log_release(struct runner_log *log);

/* One line.  What memory cannot be found for is lost, and a line says so where that can be said. */
void runner_log_line(struct runner_log *log, struct lb_bytes text);
void runner_log_linef(struct runner_log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Many whole lines, each with its \n, none with another line end: all with the same time. */
void runner_log_lines(struct runner_log *log, struct lb_bytes lines);

/* A piece of a line that goes on, as a line; returns how much of it was taken. */
size_t runner_log_piece(struct runner_log *log, struct lb_bytes text);

/* Hand over what was gathered. */
void runner_log_flush(struct runner_log *log);

#endif
