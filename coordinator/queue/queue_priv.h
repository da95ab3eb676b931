/* queue_priv.h - the queue's inside: what is kept in memory beside the store.
 *
 * All of it is guarded by queue->lock; the store's transaction is begun after
 * the lock was taken.  A `live_run` may run ahead of the store within a
 * transaction; one that is rolled back forgets it, and the next use makes it anew.
 */
#ifndef COORDINATOR_QUEUE_QUEUE_PRIV_H
#define COORDINATOR_QUEUE_QUEUE_PRIV_H

#include "base/vec.h"
#include "coordinator/queue/queue.h"
#include "workflows/plan/plan.h"

#include <pthread.h>

enum { COORD_FOLDER_SIZE = 1024 };

struct live_run {
	uint64_t id;
	struct coord_queue *queue;
	struct lb_arena arena; /* what the plan borrows */
	struct coord_run row;  /* as of when it was read; github and source hold */
	struct lb_value *github, *inputs, *vars;
	/* Workflows of other repositories: "owner/repo/path@ref" to {"sha", "source"}.  Filled when
	 * the run is submitted, and from then on what there is. */
	struct lb_value *called;
	bool called_known;
	struct workflow *workflow;
	struct workflow_plan *plan;
	bool used;  /* in the transaction that is open */
	bool again; /* the plan was told something: settle another round */
	bool over;  /* to be forgotten when it is committed */
	struct live_run *next;
};

struct live_lease {
	char id[COORD_LEASE_SIZE], token[COORD_TOKEN_SIZE];
	uint64_t fence, attempt, job_id, run_id, runner_id;
	uint64_t expires_ns,
		overdue_ns; /* overdue: the backstop of the job's own timeout; 0: none yet */
	bool cancel;
	struct coord_log *log;
	struct live_lease *next;
};

struct live_runner {
	uint64_t id;
	char session[COORD_SESSION_SIZE];
	struct lb_arena arena;
	struct lb_bytes name;
	struct lb_value *labels;
	uint64_t seen_ns;
	bool online;
	struct live_runner *next;
};

struct ready_job {
	uint64_t job_id, run_id;
	struct lb_value *labels;
	bool taken;
};

struct coord_queue {
	struct lb_mem *mem;
	struct coord_queue_config config;
	pthread_mutex_t lock;
	struct live_run *runs;
	struct live_lease *leases;
	struct live_runner *runners;

	/* Jobs that wait for a runner, in their order; read from the store when `ready_stale`. */
	struct lb_arena ready_arena;
	struct ready_job *ready;
	size_t ready_count;
	bool ready_stale;

	struct lb_vec touched; /* uint64_t: runs whose followers are woken after the commit */
};

/* ---- transactions (queue.c) ---- */

struct change {
	struct coord_queue *queue;
	struct lb_arena arena; /* lives as long as the change */
	uint64_t now_ms, now_ns;
};

/* Lock, begin. */
lb_err coord_change_begin(struct change *change, struct coord_queue *queue);

/* The same for who holds queue->lock already; paired with coord_change_finish, which wakes whom it
 * concerns and unlocks nothing. */
lb_err coord_change_begin_locked(struct change *change, struct coord_queue *queue);
void coord_change_finish(struct change *change);

/* Commit when `err` is none, roll back otherwise; unlock; wake whom it concerns.  Returns `err`, or
 * why the commit failed. */
lb_err coord_change_end(struct change *change, lb_err err);

/* The same in two steps, for what must follow the commit while nothing else can come between. */
lb_err coord_change_commit(struct change *change, lb_err err);
void coord_change_release(struct change *change);

void coord_queue_touch(struct coord_queue *queue, uint64_t run_id);
uint64_t coord_queue_now_ms(const struct coord_queue *queue);
uint64_t coord_queue_now_ns(const struct coord_queue *queue);

/* 32 lower-case hex digits of chance. */
lb_err coord_random_name(char out[33], struct plat *plat);

/* ---- runs (run.c) ---- */

/* The live form of a run, made from the store when it is not there.  Borrowed; within a change. */
lb_err coord_live_run(struct live_run **out, struct change *change, uint64_t run_id,
                      struct lb_diag *diag);

/* A file of the run's own commit, in the arena; NOTFOUND.  `self` is the struct live_run. */
lb_err coord_live_run_read(struct lb_bytes *out, void *self, struct lb_arena *arena,
                           struct lb_bytes path, struct lb_diag *diag);

/* Take a run that submit made; the queue owns it afterwards. */
void coord_live_run_keep(struct coord_queue *queue, struct live_run *run);
lb_err coord_live_run_plan(struct live_run *run, struct lb_diag *diag);

/* What workflow_plan_options.read_remote asks of a run: from the mirrors when it is submitted, from
 * its own record later (called.c). */
lb_err coord_called_read(struct lb_bytes *out, void *run, struct lb_arena *arena,
                         const struct workflow_reference *what, struct lb_diag *diag);
lb_err coord_called_load(struct live_run *run, struct lb_diag *diag);
lb_err coord_called_keep(const struct live_run *run, struct lb_arena *arena);
/* The commit that a job's file is of: the run's own, or that of the called repository. */
struct lb_bytes coord_called_sha(const struct live_run *run,
                                 const struct workflow_instance *instance);

lb_err coord_live_run_new(struct live_run **out, struct coord_queue *queue, uint64_t id);
void coord_live_run_free(struct live_run *run);

enum coord_forget { COORD_FORGET_ALL, COORD_FORGET_USED, COORD_FORGET_OVER };
void coord_live_runs_forget(struct coord_queue *queue, enum coord_forget which);

/* Bring the store's jobs to what the plan says now: queue, skip, cancel, end; end the run when
 * nothing can come any more, and let go who waited for its concurrency group. */
lb_err coord_run_settle(struct change *change, struct live_run *run, struct lb_diag *diag);

/* A job ended: tell plan and store, settle. */
lb_err coord_run_finish_job(struct change *change, uint64_t run_id, uint64_t job_id,
                            enum workflow_result result, const struct lb_value *outputs,
                            struct lb_bytes reason, struct lb_diag *diag);

/* A run that cannot be planned any more ends with all its jobs, as failed.  Nothing of it is left
 * in memory. */
lb_err coord_run_give_up(struct change *change, uint64_t run_id, struct lb_bytes reason);

/* Cancel within a change. */
lb_err coord_run_cancel(struct change *change, uint64_t run_id, struct lb_diag *diag);

lb_err coord_find_job(struct coord_job *out, struct change *change, uint64_t run_id,
                      uint64_t job_id);

/* ---- concurrency groups (group.c) ---- */

/* Does this run have to wait for others of its group?  Cancels those that it replaces; and itself
 * where too many wait.  For a job that is `full`, and the caller ends it. */
lb_err coord_group_enter_run(bool *waits, struct change *change, struct live_run *run,
                             struct lb_diag *diag);
lb_err coord_group_leave_run(struct change *change, struct live_run *run, struct lb_diag *diag);
lb_err coord_group_enter_job(bool *waits, bool *full, struct change *change, struct live_run *run,
                             uint64_t job_id, const struct workflow_instance *instance,
                             struct lb_diag *diag);
lb_err coord_group_leave_job(struct change *change, const struct live_run *run,
                             const struct coord_job *job);

/* ---- leases (lease.c) ---- */

/* The leases that the store has and the list has not. */
lb_err coord_lease_recover(struct change *change);
void coord_lease_free(struct coord_queue *queue, struct live_lease *lease);
/* When the coordinator ends the job itself: a little after the job's own timeout. */
void coord_lease_limit(struct live_lease *lease, const struct change *change,
                       const struct workflow_instance *instance, uint64_t started_ms);

/* Have its runner end the job, and give it as long as the job says. */
void coord_lease_cancel(struct live_lease *lease, const struct change *change,
                        const struct workflow_instance *instance);
struct live_lease *coord_lease_of_token(struct coord_queue *queue, struct lb_bytes token);

/* What a lease's job is in the plan and in the store. */
lb_err coord_lease_instance(const struct workflow_instance **out, struct live_run **run,
                            struct coord_job *job, struct change *change, uint64_t run_id,
                            uint64_t job_id, struct lb_diag *diag);
struct live_lease *coord_lease_of_job(struct coord_queue *queue, uint64_t job_id);
/* Take it out of the list and free it; its log is sealed. */
void coord_lease_drop(struct coord_queue *queue, struct live_lease *lease);

/* The lease that a runner claims; the queue is locked.  STALE, DENIED. */
lb_err coord_lease_claimed(struct live_lease **out, struct coord_queue *queue,
                           const struct coord_claim *claim, struct lb_diag *diag);

/* A change under a lease: begun only when the lease is held. */
lb_err coord_lease_begin(struct change *change, struct live_lease **lease,
                         struct coord_queue *queue, const struct coord_claim *claim,
                         struct lb_diag *diag);

/* The token of a lease's job. */
lb_err coord_lease_token(char out[COORD_TOKEN_SIZE], const struct coord_queue *queue,
                         struct lb_bytes lease, uint64_t fence);

/* What the runner is told with it (message.c). */
lb_err coord_lease_message(struct lb_value **out, struct change *change, struct lb_arena *arena,
                           struct live_lease *lease, struct lb_diag *diag);

/* The attempt is over without a report: `reason` says why.  The job is queued again, unless it was
 * lost too often or is to be cancelled.  The lease is dropped by the caller after the commit. */
lb_err coord_lease_lose(struct change *change, struct live_lease *lease, const char *reason,
                        struct lb_diag *diag);

/* ---- runners (runner.c) ---- */

lb_err coord_runner_fill(struct live_runner *runner, const struct coord_runner *row,
                         uint64_t now_ns);
struct live_runner *coord_runner_of_session(struct coord_queue *queue, struct lb_bytes session);
lb_err coord_runner_set_online(struct change *change, struct live_runner *runner, bool online);
void coord_runner_seen(struct coord_queue *queue, uint64_t runner_id);
lb_err coord_runner_tick(struct coord_queue *queue);

/* ---- contexts (context.c) ---- */

/* The github context of a run; `run` has ids and numbers, `what` the event. */
struct lb_value *coord_github_context(struct lb_arena *arena, const struct coord_queue *queue,
                                      const struct coord_run *run, struct lb_bytes actor,
                                      uint64_t actor_id, const struct lb_value *event);

/* "main" of "refs/heads/main", "3/merge" of "refs/pull/3/merge". */
struct lb_bytes coord_ref_name(struct lb_bytes ref);

#endif
