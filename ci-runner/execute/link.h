/* link.h - whom a job is reported to, and who keeps its files.
 *
 * Behind it stands a coordinator, or folders and a terminal.  Threads: one at a time.
 */
#ifndef RUNNER_EXECUTE_LINK_H
#define RUNNER_EXECUTE_LINK_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/value.h"

enum runner_conclusion {
	RUNNER_PENDING, /* not begun, or under way */
	RUNNER_SUCCESS,
	RUNNER_FAILURE,
	RUNNER_CANCELLED,
	RUNNER_SKIPPED
};

const char *runner_conclusion_text(enum runner_conclusion conclusion); /* "success" */

struct runner_step_state {
	unsigned number; /* from 1 */
	struct lb_bytes name;
	enum runner_conclusion outcome, conclusion;
	uint64_t started_ns, completed_ns; /* wall; 0: not yet */
	uint64_t log_begin, log_end;       /* offsets in the job's log */
};

struct runner_found {
	struct lb_bytes id, name; /* of an artifact, digits; of a cache entry, `name` is its key */
	uint64_t size;
};

struct runner_link;

struct runner_link_ops {
	/* Whole lines of the log.  Never fails: a link keeps what it cannot ship. */
	void (*log)(struct runner_link *self, struct lb_bytes lines);
	void (*step)(struct runner_link *self, const struct runner_step_state *step);

	/* Files are given and taken by path.  Errors carry prose. */
	lb_err (*artifact_put)(struct runner_found *out, struct runner_link *self,
	                       struct lb_arena *arena, const char *name, const char *path,
	                       bool overwrite, struct lb_diag *diag);
	lb_err (*artifact_list)(struct runner_found **out, size_t *count, struct runner_link *self,
	                        struct lb_arena *arena, struct lb_diag *diag);
	lb_err (*artifact_get)(struct runner_link *self, const char *name, const char *to,
	                       struct lb_diag *diag);
	/* NOTFOUND: no such entry. */
	lb_err (*cache_find)(struct runner_found *out, struct runner_link *self,
	                     struct lb_arena *arena, const char *key, const char *const *restores,
	                     const char *version, struct lb_diag *diag);
	lb_err (*cache_get)(struct runner_link *self, const struct runner_found *entry,
	                    const char *to, struct lb_diag *diag);
	/* EXISTS: the key is taken, which is no harm. */
	lb_err (*cache_put)(struct runner_link *self, const char *key, const char *version,
	                    const char *path, struct lb_diag *diag);
	/* What docs/protocol.md has below /api/v1/ for reading: "runs/12", "runs/12/artifacts";
	 * NOTFOUND. */
	lb_err (*ask)(struct lb_value **out, struct runner_link *self, struct lb_arena *arena,
	              const char *what, struct lb_diag *diag);
	/* The same for what is no JSON: "artifacts/7", "jobs/55/log"; into a file. */
	lb_err (*fetch)(struct runner_link *self, const char *what, const char *to,
	                struct lb_diag *diag);
};

struct runner_link {
	const struct runner_link_ops *ops;
}; /* first member of every link */

#endif
