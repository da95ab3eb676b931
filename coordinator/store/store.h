/* store.h - what the coordinator must never forget: runs, jobs, attempts, runners, artifacts.
 *
 * All SQL of the project lives in this folder, behind functions that speak of
 * runs and jobs and leases, so that a server database can take SQLite's place.
 *
 * Every change happens between coord_store_begin and coord_store_commit; what
 * was committed survives a kill and a loss of power.  A failed function leaves
 * the transaction to be rolled back.  Reading for people goes through read.h,
 * on connections of its own, and never waits for a writer.
 *
 * Times are milliseconds since 1970, 0: not yet.  Texts in results live in the
 * arena that was passed.  Failures: NOSPACE (full disk), NOMEM, IO, and what is
 * said.  Threads: begin waits for the transaction of another thread to end.
 */
#ifndef COORDINATOR_STORE_STORE_H
#define COORDINATOR_STORE_STORE_H

#include "base/arena.h"
#include "base/data/digest.h"
#include "base/diag.h"
#include "base/platform/plat.h"

struct coord_store;

/* Open or make FOLDER/lifeboat.db and bring it to this program's version.  NEWER names both
 * versions.  The caller holds the folder's lock. */
lb_err coord_store_open(struct coord_store **out, struct lb_mem *mem, struct plat *plat,
                        const char *folder, struct lb_diag *diag);
void coord_store_close(struct coord_store *store); /* NULL is fine */

/* MALFORMED with the first thing that is wrong with the database's structure. */
lb_err coord_store_check(struct coord_store *store, struct lb_diag *diag);

unsigned coord_store_version(void); /* of the schema */

/* ---- transactions ---- */

lb_err coord_store_begin(struct coord_store *store);
lb_err coord_store_commit(struct coord_store *store); /* on failure: rolled back */
void coord_store_rollback(struct coord_store *store);

/* ---- repositories and tokens ---- */

struct coord_repository {
	uint64_t id, owner_id; /* stable, for tokens and contexts */
	struct lb_bytes name;  /* "owner/name", as first written */
};

/* The repository of that name, made when it is not there. */
lb_err coord_store_repository(struct coord_repository *out, struct coord_store *store,
                              struct lb_arena *arena, struct lb_bytes name);

/* The stable number of an account's name, made when it is not there. */
lb_err coord_store_owner(uint64_t *id, struct coord_store *store, struct lb_bytes name);

/* Tokens are kept as SHA-256 in hex; `kind` is "lbu" or "lbr". */
lb_err coord_store_add_token(struct coord_store *store, struct lb_bytes hash, const char *kind,
                             uint64_t now_ms);
lb_err coord_store_each_token(struct coord_store *store,
                              lb_err (*each)(void *ctx, struct lb_bytes hash, struct lb_bytes kind),
                              void *ctx);

/* ---- runners ---- */

struct coord_runner {
	uint64_t id;
	struct lb_bytes name, labels /* JSON */, version, os, arch, session;
	bool online;
};

/* Begin a session: the runner of that name is made or takes the new one. */
lb_err coord_store_set_runner(uint64_t *id, struct coord_store *store,
                              const struct coord_runner *runner, uint64_t now_ms);
lb_err coord_store_set_online(struct coord_store *store, uint64_t id, bool online, uint64_t now_ms);
lb_err coord_store_each_runner(struct coord_store *store,
                               lb_err (*each)(void *ctx, const struct coord_runner *runner),
                               void *ctx);

/* ---- runs ---- */

struct coord_run {
	uint64_t id, number, attempt;
	struct coord_repository repository;
	struct lb_bytes path, workflow, title, event, ref, sha;
	struct lb_bytes status, conclusion, waiting; /* waiting: for what, in words; else no text */
	bool trusted, cancelled;
	struct lb_bytes concurrency;                  /* group; no text: none */
	struct lb_bytes source, github, inputs, vars; /* the file; contexts as JSON */
	uint64_t created_ms, started_ms, completed_ms;
};

/* Made with the next number of its workflow, which *number gets; `github`, `title` and
 * `concurrency` depend on id and number and follow by coord_store_set_run. */
lb_err coord_store_add_run(uint64_t *id, uint64_t *number, struct coord_store *store,
                           const struct coord_run *run);
lb_err coord_store_set_run(struct coord_store *store, uint64_t id, struct lb_bytes github,
                           struct lb_bytes title, struct lb_bytes concurrency);

/* The workflows of other repositories that the run calls, JSON: as they were when it was made. */
lb_err coord_store_set_called(struct coord_store *store, uint64_t id, struct lb_bytes called);
lb_err coord_store_called(struct lb_bytes *out, struct coord_store *store, struct lb_arena *arena,
                          uint64_t id); /* NOTFOUND */
lb_err coord_store_find_run(struct coord_run *out, struct coord_store *store,
                            struct lb_arena *arena, uint64_t id); /* NOTFOUND */
lb_err coord_store_wait_run(struct coord_store *store, uint64_t id, struct lb_bytes waiting);
lb_err coord_store_start_run(struct coord_store *store, uint64_t id, uint64_t now_ms);
lb_err coord_store_end_run(struct coord_store *store, uint64_t id, const char *conclusion,
                           uint64_t now_ms);
lb_err coord_store_cancel_run(struct coord_store *store, uint64_t id);
lb_err coord_store_repeat_run(struct coord_store *store, uint64_t id, struct lb_bytes github);
lb_err coord_store_touch_run(struct coord_store *store, uint64_t id);

struct coord_ids {
	uint64_t *at;
	size_t count;
};

/* Runs that are not completed, oldest first. */
lb_err coord_store_open_runs(struct coord_ids *out, struct coord_store *store,
                             struct lb_arena *arena);

/* Others of a concurrency group that are not completed: those that run, and those that wait. */
lb_err coord_store_group_runs(struct coord_ids *running, struct coord_ids *waiting,
                              struct coord_store *store, struct lb_arena *arena,
                              uint64_t repository_id, struct lb_bytes group, uint64_t except);

/* ---- jobs ---- */

enum coord_job_state {
	COORD_JOB_WAITING, /* for its needs */
	COORD_JOB_PENDING, /* for its concurrency group */
	COORD_JOB_READY,   /* for a runner */
	COORD_JOB_LEASED,  /* a runner has it */
	COORD_JOB_COMPLETED
};

struct coord_job {
	uint64_t id, run_id;
	uint32_t position; /* in the plan */
	struct lb_bytes key, name, job, file;
	enum coord_job_state state;
	struct lb_bytes conclusion, reason, waiting;
	struct lb_bytes needs, labels, outputs; /* JSON: list, list, object */
	struct lb_bytes concurrency;
	bool reported; /* its end came from a runner or a cancellation, not from the plan alone */
	bool after_cancel; /* and that after its run was cancelled */
	uint32_t lost;     /* attempts that were lost since it was queued */
	uint64_t created_ms, started_ms, completed_ms;
};

/* Made WAITING. */
lb_err coord_store_add_job(uint64_t *id, struct coord_store *store, const struct coord_job *job);
lb_err coord_store_rename_job(struct coord_store *store, const struct coord_job *job);
/* Unless it has attempts: those stay what they were. */
lb_err coord_store_remove_job(struct coord_store *store, uint64_t id);
/* `labels` and `concurrency` without text stay as they are. */
lb_err coord_store_set_job(struct coord_store *store, uint64_t id, enum coord_job_state state,
                           struct lb_bytes waiting, struct lb_bytes labels,
                           struct lb_bytes concurrency);
lb_err coord_store_end_job(struct coord_store *store, uint64_t id, const char *conclusion,
                           struct lb_bytes reason, struct lb_bytes outputs, bool reported,
                           uint64_t now_ms);
lb_err coord_store_reset_job(struct coord_store *store, uint64_t id);
lb_err coord_store_touch_job(struct coord_store *store, uint64_t id);
lb_err coord_store_jobs(struct coord_job **out, size_t *count, struct coord_store *store,
                        struct lb_arena *arena, uint64_t run_id);

struct coord_ready {
	uint64_t job_id, run_id;
	struct lb_bytes labels; /* JSON */
};
lb_err coord_store_ready_jobs(struct coord_ready **out, size_t *count, struct coord_store *store,
                              struct lb_arena *arena);

struct coord_group_job {
	uint64_t id, run_id;
	enum coord_job_state state;
};
/* Other jobs of a concurrency group that are queued or running. */
lb_err coord_store_group_jobs(struct coord_group_job **out, size_t *count,
                              struct coord_store *store, struct lb_arena *arena,
                              uint64_t repository_id, struct lb_bytes group, uint64_t except);

/* ---- leases ---- */

struct coord_lease_row {
	uint64_t fence; /* the attempt's id; never given twice */
	uint64_t attempt, job_id, run_id, runner_id;
	struct lb_bytes lease;
	uint64_t started_ms;
};

/* A new attempt of a ready job for a runner.  EXISTS: the job or the runner has a live one. */
lb_err coord_store_grant(uint64_t *fence, uint64_t *attempt, struct coord_store *store,
                         const struct coord_lease_row *row);
lb_err coord_store_leases(struct coord_lease_row **out, size_t *count, struct coord_store *store,
                          struct lb_arena *arena);

struct coord_end {
	const char *conclusion;
	struct lb_bytes reason;      /* why a runner did not end it itself; no text: it did */
	struct lb_bytes report_hash; /* of the runner's report; no text: none */
	uint64_t log_size;
	struct lb_bytes annotations, summary; /* JSON list, text */
};
lb_err coord_store_end_attempt(struct coord_store *store, uint64_t fence,
                               const struct coord_end *end, uint64_t now_ms);

/* Back in the queue after a lost attempt. */
lb_err coord_store_requeue(struct coord_store *store, uint64_t job_id);

/* The hash of the report that ended a lease; NOTFOUND where no report did. */
lb_err coord_store_report(char hash[LB_SHA256_HEX + 1], struct coord_store *store,
                          struct lb_bytes lease, uint64_t fence);

lb_err coord_store_set_step(struct coord_store *store, uint64_t fence, uint64_t number,
                            struct lb_bytes detail);

/* ---- artifacts and cache entries ---- (their bytes are in the blob store) */

struct coord_blob {
	uint64_t id, size;
	struct lb_bytes name; /* or key */
	struct lb_bytes sha256;
	uint64_t job_id, attempt; /* of an artifact: the job that made it, and in which attempt */
};

/* EXISTS when the name is taken in this attempt of the run, unless `replace`, or unless an earlier
 * attempt of the same job took it: its runner was lost. */
lb_err coord_store_add_artifact(uint64_t *id, struct coord_store *store, uint64_t run_id,
                                uint64_t run_attempt, const struct coord_blob *blob, bool replace,
                                uint64_t now_ms);
/* EXISTS when the key is taken in this scope. */
lb_err coord_store_add_cache(uint64_t *id, struct coord_store *store, uint64_t repository_id,
                             struct lb_bytes scope, struct lb_bytes version,
                             const struct coord_blob *blob, uint64_t now_ms);

#endif
