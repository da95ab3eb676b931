/* queue.h - the state machine of runs: what starts, who works at it, what happens when they vanish.
 *
 * Layer: coordinator, over store/ (what is durable), logs/ and the workflows
 * library (which says what can start).  Every function that changes something
 * returns after it is committed; a failed one changed nothing.  What is kept in
 * memory (leases' times, plans) is derived from the store and made anew at start-up:
 *
 *   job:      waiting -> [pending ->] ready -> leased -> completed
 *                                       ^________| lease lost, at most COORD_LOST_MAX times
 *   attempt:  one lease each; ends by the runner's report, or lost, or overruled
 *
 * Owner: who called coord_queue_new calls coord_queue_free.  Threads: any.
 */
#ifndef COORDINATOR_QUEUE_QUEUE_H
#define COORDINATOR_QUEUE_QUEUE_H

#include "base/io/log.h"
#include "base/value.h"
#include "coordinator/logs/log.h"
#include "coordinator/store/store.h"

struct coord_queue;

enum {
	COORD_LOST_MAX = 3, /* attempts of a job that may be lost before it fails */
	COORD_LEASE_SIZE = 33,
	COORD_TOKEN_SIZE = 72,
	COORD_SESSION_SIZE = 33
};

/* What waiters wait for.  A number per kind and thing, for lb_http_park and lb_http_wake. */
enum coord_topic_kind { COORD_TOPIC_READY, COORD_TOPIC_RUN, COORD_TOPIC_LOG, COORD_TOPIC_GIT };
static inline uint64_t coord_topic(enum coord_topic_kind kind, uint64_t id)
{
	return id << 2 | (uint64_t)kind;
}

struct coord_queue_config {
	struct plat *plat;
	struct coord_store *store;
	const char *logs, *repositories; /* folders */
	const char *address;             /* "http://127.0.0.1:8440", no slash at the end */
	struct lb_bytes token_key;       /* jobs' tokens are derived from it */
	uint64_t lease_ms, poll_ms;
	const struct lb_value *env;     /* object: of every job */
	const struct lb_value *secrets; /* object: of trusted runs */
	const struct lb_value *vars;    /* object */
	void (*wake)(void *ctx, uint64_t topic);
	void *wake_ctx;
	const struct lb_log *log;
};

/* Continues what the store holds: leases get a fresh lease_ms, so that runners can come back.
 * The configuration is copied; what it points to must outlive the queue. */
lb_err coord_queue_new(struct coord_queue **out, struct lb_mem *mem,
                       const struct coord_queue_config *config, struct lb_diag *diag);
void coord_queue_free(struct coord_queue *queue); /* NULL is fine */

/* Expire leases and notice absent runners; call some times a lease_ms. */
lb_err coord_queue_tick(struct coord_queue *queue);

/* ---- people ---- */

struct coord_submission {
	struct lb_bytes repository, ref, sha, workflow, event, actor;
	const struct lb_value *inputs, *payload; /* objects or NULL */
};

/* Start a run.  INVALID, MALFORMED, LIMIT: the request or the workflow file, with its place;
 * NOTFOUND: no such workflow, or, with *unknown_commit, no such commit in the mirror. */
lb_err coord_queue_submit(uint64_t *run_id, uint64_t *number, bool *unknown_commit,
                          struct coord_queue *queue, const struct coord_submission *what,
                          struct lb_diag *diag);

/* NOTFOUND; cancelling a completed run changes nothing. */
lb_err coord_queue_cancel(struct coord_queue *queue, uint64_t run_id, struct lb_diag *diag);

/* Run again: the job with that id, or (0) what did not succeed, or everything; each with all that
 * depends on it.  INVALID while the run is not completed, or when there is nothing to do. */
lb_err coord_queue_rerun(struct coord_queue *queue, uint64_t run_id, uint64_t job_id,
                         bool failed_only, struct lb_diag *diag);

/* ---- runners ---- */

struct coord_greeting {
	struct lb_bytes name, version, os, arch;
	const struct lb_value *labels; /* array of texts */
};

/* Leases of the session before are lost at once. */
lb_err coord_queue_session(char session[COORD_SESSION_SIZE], struct coord_queue *queue,
                           const struct coord_greeting *greeting, struct lb_diag *diag);

/* *message: the lease as docs/protocol.md has it, in the arena; NULL: nothing to do now (take the
 * ticket of COORD_TOPIC_READY before asking, then wait).  STALE: the session ended. */
lb_err coord_queue_lease(struct lb_value **message, struct coord_queue *queue,
                         struct lb_arena *arena, struct lb_bytes session, struct lb_diag *diag);

/* What a runner says of its lease with every write. */
struct coord_claim {
	struct lb_bytes lease, token;
	uint64_t fence;
};

/* A live lease, as it is now. */
struct coord_held {
	uint64_t run_id, run_attempt, job_id, attempt, fence, repository_id;
	bool cancel; /* the job should end as cancelled */
	bool trusted;
	struct lb_bytes repository, ref, base_ref; /* in the arena */
	struct coord_log *log; /* a reference, for coord_log_decref; may be NULL */
};

/* STALE when the lease is not (or no longer) held under that fence; DENIED for a wrong token. */
lb_err coord_queue_check(struct coord_held *out, struct coord_queue *queue, struct lb_arena *arena,
                         const struct coord_claim *claim, struct lb_diag *diag);

/* The same by the token alone: what a job asks for itself.  DENIED. */
lb_err coord_queue_check_token(struct coord_held *out, struct coord_queue *queue,
                               struct lb_arena *arena, struct lb_bytes token);

lb_err coord_queue_renew(bool *cancel, struct coord_queue *queue, const struct coord_claim *claim,
                         struct lb_diag *diag);

/* `steps`: array of objects with "number". */
lb_err coord_queue_steps(struct coord_queue *queue, const struct coord_claim *claim,
                         const struct lb_value *steps, struct lb_diag *diag);

/* `report`: the body as docs/protocol.md has it; `raw` the same as bytes, to know it again.
 * RANGE with *log_size set when the log is not whole; STALE; INVALID. */
lb_err coord_queue_complete(uint64_t *log_size, struct coord_queue *queue,
                            const struct coord_claim *claim, const struct lb_value *report,
                            struct lb_bytes raw, struct lb_diag *diag);

/* Claims of an identity token for the job, but for iss, aud, jti and times.  DENIED without
 * `id-token: write`. */
lb_err coord_queue_identity(struct lb_value **claims, struct coord_queue *queue,
                            struct lb_arena *arena, struct lb_bytes token, struct lb_diag *diag);

/* Where an artifact or cache entry is recorded, the lease is checked in the same transaction:
 * `record` runs inside it. */
lb_err coord_queue_record(struct coord_queue *queue, const struct coord_claim *claim,
                          lb_err (*record)(void *ctx, struct coord_store *store, uint64_t now_ms),
                          void *ctx, struct lb_diag *diag);

/* ---- names ---- */

/* "owner/name" of letters, digits, '-', '_' and '.', neither part beginning with a dot. */
bool coord_repository_is_name(struct lb_bytes name);

/* The bare mirror's path. */
lb_err coord_repository_path(char *out, size_t size, const char *folder, struct lb_bytes name);

#endif
