/* read.h - the store as people see it: values ready for the API's answers and for pages.
 *
 * Each call reads one consistent snapshot on a connection of its own, beside
 * whatever is being written.  Objects are those of docs/protocol.md, in the
 * arena.  NOTFOUND; NOMEM; IO.  Threads: any number at once.
 */
#ifndef COORDINATOR_STORE_READ_H
#define COORDINATOR_STORE_READ_H

#include "base/value.h"
#include "coordinator/store/store.h"

/* Does a runner that has these labels (array of texts) do for a job that wants those?  ASCII
 * letters are compared without regard to case. */
bool coord_labels_fit(const struct lb_value *has, const struct lb_value *wanted);

/* What `url` members begin with: "http://127.0.0.1:8440".  Set once, before the first read. */
void coord_store_set_address(struct coord_store *store, const char *address);

enum { COORD_RUNS_MAX = 500 };

/* Newest first, those with an id below `before` (0: all); without their jobs. */
lb_err coord_read_runs(struct lb_value **out, struct coord_store *store, struct lb_arena *arena,
                       uint64_t before, uint64_t limit);

/* A run with its jobs, each with its steps and attempts. */
lb_err coord_read_run(struct lb_value **out, struct coord_store *store, struct lb_arena *arena,
                      uint64_t run_id);

/* A job, with "run": its run without jobs. */
lb_err coord_read_job(struct lb_value **out, struct coord_store *store, struct lb_arena *arena,
                      uint64_t job_id);

/* What changed in a run since `after`: [{"seq", "event": "run" or "job", "data": object}] in order
 * of seq.  *over: the run is completed and nothing more will come. */
lb_err coord_read_changes(struct lb_value **out, bool *over, struct coord_store *store,
                          struct lb_arena *arena, uint64_t run_id, uint64_t after);

lb_err coord_read_runners(struct lb_value **out, struct coord_store *store, struct lb_arena *arena);
lb_err coord_read_artifacts(struct lb_value **out, struct coord_store *store,
                            struct lb_arena *arena, uint64_t run_id);

/* {"runs": {"queued", "in_progress"}, "jobs": {"queued", "in_progress"}, "runners": {"online"}} */
lb_err coord_read_status(struct lb_value **out, struct coord_store *store, struct lb_arena *arena);

/* An attempt of a job (0: the newest): where its log is, and whether it grows. */
struct coord_attempt_log {
	uint64_t fence, attempt, run_id, log_size;
	bool over;
};
lb_err coord_read_attempt(struct coord_attempt_log *out, struct coord_store *store, uint64_t job_id,
                          uint64_t attempt);

lb_err coord_read_artifact(struct coord_blob *out, struct coord_store *store,
                           struct lb_arena *arena, uint64_t id);

/* The newest artifact of a name in a run. */
lb_err coord_read_artifact_named(struct coord_blob *out, struct coord_store *store,
                                 struct lb_arena *arena, uint64_t run_id, struct lb_bytes name);

/* The entry for a key: exact, then the newest by each prefix in turn; in each scope in turn.
 * NOTFOUND: none. */
struct coord_cache_wish {
	uint64_t repository_id;
	const struct lb_bytes *scopes;
	size_t scope_count;
	struct lb_bytes version, key;
	const struct lb_bytes *prefixes;
	size_t prefix_count;
};
lb_err coord_read_cache(struct coord_blob *out, struct coord_store *store, struct lb_arena *arena,
                        const struct coord_cache_wish *wish);

/* An entry by id, when it is in one of the scopes. */
lb_err coord_read_cache_entry(struct coord_blob *out, struct coord_store *store,
                              struct lb_arena *arena, uint64_t id,
                              const struct coord_cache_wish *wish);

#endif
