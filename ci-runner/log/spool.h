/* spool.h - the bytes of a log that nobody acknowledged yet.
 *
 * Up to RUNNER_SPOOL_BYTES_MAX in memory, what is more in a file; offsets count from the log's
 * beginning.  Invariants: acknowledged <= front + memory <= total; bytes stand in memory first,
 * then in the file.  Owner: the caller of init, who calls release.  Threads: one at a time.
 */
#ifndef RUNNER_LOG_SPOOL_H
#define RUNNER_LOG_SPOOL_H

#include "base/buf.h"
#include "base/platform/plat.h"

enum { RUNNER_SPOOL_BYTES_MAX = 8 * 1024 * 1024 };

struct runner_spool {
	struct plat *plat;
	const char *path; /* of the file; borrowed */
	struct lb_buf memory;
	size_t memory_max;
	uint64_t acknowledged; /* offset of the memory's first byte */
	uint64_t total;
	int file;           /* -1: not needed so far */
	uint64_t file_from; /* where in the file the first byte not taken back stands */
	uint64_t file_size;
};

/* `memory_max` 0: RUNNER_SPOOL_BYTES_MAX. */
void runner_spool_init(struct runner_spool *spool, struct lb_mem *mem, struct plat *plat,
                       const char *path, size_t memory_max);
void runner_spool_release(struct runner_spool *spool); /* removes the file */

/* All or nothing.  NOMEM, NOSPACE, IO: try again when some was acknowledged. */
lb_err runner_spool_add(struct runner_spool *spool, struct lb_bytes bytes);

/* What comes next after what was acknowledged, at most `max` bytes, appended to `out`. */
lb_err runner_spool_peek(struct lb_buf *out, struct runner_spool *spool, size_t max);

/* Everything before `offset` is safe elsewhere.  RANGE: beyond the end, or before what was
 * acknowledged already, which is gone. */
lb_err runner_spool_acknowledge(struct runner_spool *spool, uint64_t offset);

static inline uint64_t runner_spool_left(const struct runner_spool *spool)
{
	return spool->total - spool->acknowledged;
}

#endif
