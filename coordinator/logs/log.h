/* log.h - the logs of job attempts: files that only grow, addressed by byte offset.
 *
 * Layer: coordinator.  STATE/logs/RUN/JOB-ATTEMPT.log.  A chunk is on the disk before it
 * is acknowledged, and may be sent again: what is stored already is compared
 * and skipped, so nothing is lost or doubled whatever answers were lost.
 * Threads: any; writes to one log wait for each other.
 */
#ifndef COORDINATOR_LOGS_LOG_H
#define COORDINATOR_LOGS_LOG_H

#include "base/diag.h"
#include "base/mem.h"
#include "base/platform/plat.h"

#define COORD_LOG_BYTES_MAX (UINT64_C(4) << 30)

enum { COORD_LOG_PATH_SIZE = 1280 };

/* Which log: job and attempt of a run. */
struct coord_log_name {
	uint64_t run_id, job_id, attempt;
};

/* LIMIT when `folder` is too long. */
lb_err coord_log_path(char out[COORD_LOG_PATH_SIZE], const char *folder,
                      struct coord_log_name name);

struct coord_log;

/* For appending.  The file is made by the first append; of one that is there (the coordinator was
 * started anew) the size counts, without zero bytes at its end: those are what a loss of power
 * leaves of a chunk that was never acknowledged.  One reference, given back by coord_log_decref. */
lb_err coord_log_open(struct coord_log **out, struct lb_mem *mem, struct plat *plat,
                      const char *folder, struct coord_log_name name);
struct coord_log *coord_log_incref(struct coord_log *log);
void coord_log_decref(struct coord_log *log); /* NULL is fine */

/* Bytes of the log from `offset` on.  *size gets what is stored afterwards, also on failure:
 * RANGE (offset beyond the end), MISMATCH (other bytes are stored there, the offset of the first
 * as context), STALE (sealed), LIMIT, NOSPACE or IO (nothing was acknowledged; send again). */
lb_err coord_log_append(uint64_t *size, struct coord_log *log, uint64_t offset,
                        struct lb_bytes bytes);

uint64_t coord_log_size(struct coord_log *log);

/* No append succeeds from now on; returns the final size. */
uint64_t coord_log_seal(struct coord_log *log);

/* ---- reading ---- */

/* Up to `len` bytes from offset; *got 0 at the end, and where there is no file yet. */
lb_err coord_log_read(size_t *got, struct plat *plat, const char *path, void *to, size_t len,
                      uint64_t offset);

#endif
