/* job.h - one job, from the message that describes it to its conclusion.
 *
 * Threads: one job at a time for one host; the link's functions are called from
 * the thread that executes.
 */
#ifndef RUNNER_EXECUTE_JOB_H
#define RUNNER_EXECUTE_JOB_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/platform/plat.h"
#include "base/value.h"
#include "ci-runner/execute/folders.h"
#include "ci-runner/execute/link.h"
#include "ci-runner/sandbox/sandbox.h"

/* ---- what is asked ---- */

struct runner_job {
	struct lb_bytes name, key;
	const struct lb_value *contexts; /* github needs matrix strategy inputs vars secrets */
	struct {
		struct lb_bytes path, source, job;
	} workflow;
	struct {
		struct lb_bytes name, url, sha, ref;
	} repository;
	struct lb_bytes token;        /* the job's own; empty: none */
	struct lb_bytes id_token_url; /* empty: no identity tokens */
	struct lb_bytes overlay; /* a checkout whose uncommitted files are laid over; empty: none */
	const struct lb_value *env;   /* object of strings for every step; NULL: none */
	double timeout_minutes;       /* 0: what the workflow says */
	struct lb_bytes actions_lock; /* the text of .lifeboat/actions.lock at the commit */
	bool actions_locked;          /* there is one */
};

/* From the coordinator's message (docs/protocol.md); everything is borrowed from it.
 * MALFORMED names the member that is missing. */
lb_err runner_job_read(struct runner_job *out, const struct lb_value *message,
                       struct lb_diag *diag);

/* ---- where ---- */

struct runner_host {
	struct lb_mem *mem;
	struct plat *plat;
	struct runner_sandbox *sandbox;
	const char *work;   /* absolute; prepared by runner_folders_prepare */
	const char *name;   /* RUNNER_NAME */
	const char *helper; /* this program's file, shown to the helper's sandbox */
	struct runner_stop *stop;
	const char *const *cache; /* what the policy `cache` reaches: "host:port", ends with NULL;
	                             may be NULL */
	const char *refusal;      /* why no job can be executed here; NULL: they can */
	const char *mirrors;      /* of actions' repositories; NULL: none are used */
	const char *source; /* where they are published; NULL: see ci-runner/actions/source.h */
	const char *tools;  /* a tool cache that jobs are to see, read-only; NULL: none */
	const char *queue;  /* file for what only GitHub can do; NULL: it is refused */
	const char *hook_started, *hook_completed; /* scripts around every job; NULL: none */
	/* Nothing is fetched into the mirrors, and steps reach what `loopback` says at most. */
	bool offline;
	bool shell; /* in the place of a step that failed, on this process's terminal */
	const char
		*step; /* of a job's steps only this one, by id or name, and checkouts; NULL: all */
};

/* ---- the answer ---- */

struct runner_result {
	enum runner_conclusion conclusion;
	const struct lb_value *outputs;     /* object of strings */
	const struct lb_value *steps;       /* as the wire has them */
	const struct lb_value *annotations; /* the same */
	struct lb_bytes summary;            /* Markdown of all steps */
	uint64_t log_size;
};

/* A step as the wire has it. */
struct lb_value *runner_step_value(struct lb_arena *arena, const struct runner_step_state *step);

/* Execute.  Whatever is wrong with the job is its failure, said in its log; an error is returned
 * for memory alone.  The result is in `arena`.  Folders are left for runner_job_clean. */
lb_err runner_job_execute(struct runner_result *out, struct lb_arena *arena,
                          const struct runner_host *host, const struct runner_job *job,
                          struct runner_link *link, struct lb_diag *diag);
/* Is it run here without the action's own files, or not at all? */
bool runner_uses_is_builtin(struct lb_bytes uses);

lb_err runner_job_clean(const struct runner_host *host, const struct runner_job *job,
                        struct lb_diag *diag);

#endif
