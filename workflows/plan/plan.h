/* plan.h - which jobs a run has now, and which can start: a state machine on plain data.
 *
 * A plan is a pure function of the workflow, the event's contexts and the set
 * of jobs that ended: the order in which they are reported does not matter (only
 * whether before or after workflow_plan_cancel), and a plan made anew from the same reports
 * (workflow_plan_save, or the caller's own record of them) gives the same answer.  Instances are
 * named for ever by their id:
 *
 *   build              a job without a matrix
 *   test.0  test.1     a job of a matrix, by its index
 *   release/publish    a job of the workflow that job `release` calls
 *
 * Once there, an instance stays; its state only moves forward:
 *
 *   WAITING -> READY -> (the caller runs it) -> DONE       or WAITING -> SKIPPED
 *
 * A job that is not expanded yet stands there once, WAITING, under its own id
 * without an index (`placeholder`); when what it needs has ended it is replaced
 * by its instances, or becomes SKIPPED.
 *
 * Owner: who calls workflow_plan_new calls workflow_plan_free; instances and
 * texts live as long as the plan.  Threads: one at a time.  Out of memory: NOMEM,
 * and the same call can be made again.
 */
#ifndef WORKFLOWS_PLAN_PLAN_H
#define WORKFLOWS_PLAN_PLAN_H

#include "workflows/syntax/workflow.h"

enum {
	WORKFLOW_MATRIX_MAX = 256,
	WORKFLOW_CALL_DEPTH_MAX = 9, /* below the first: ten levels */
	WORKFLOW_FILES_MAX = 51,     /* the first and fifty others */
	WORKFLOW_INSTANCES_MAX = 10000,
	WORKFLOW_OUTPUTS_MAX = 1 << 20,              /* bytes of UTF-16, of a job */
	WORKFLOW_OUTPUTS_OF_RUN_MAX = 50 * (1 << 20) /* and of all jobs */
};

enum workflow_result {
	WORKFLOW_RESULT_NONE, /* not ended */
	WORKFLOW_RESULT_SUCCESS,
	WORKFLOW_RESULT_FAILURE,
	WORKFLOW_RESULT_CANCELLED,
	WORKFLOW_RESULT_SKIPPED
};

const char *workflow_result_text(enum workflow_result result); /* "success"; "" for NONE */
bool workflow_result_read(enum workflow_result *out, struct lb_bytes text);

enum workflow_state {
	WORKFLOW_WAITING, /* for its needs, or for max-parallel */
	WORKFLOW_READY,   /* can be queued, or is queued or running already */
	WORKFLOW_DONE,
	WORKFLOW_SKIPPED /* by its condition or a need; also ended */
};

struct workflow_instance {
	struct lb_bytes id;     /* "test.0"; characters A-Z a-z 0-9 _ - . / */
	struct lb_bytes job;    /* job id in its file: "test" */
	struct lb_bytes parent; /* id of the calling instance: "release"; empty: none */
	struct lb_bytes name;   /* as GitHub shows it: "test (1, linux)", "release / publish" */
	struct lb_bytes file;   /* the file that defines it: ".github/workflows/release.yml", or
	                         * "owner/repo/.github/workflows/x.yml@v1" */
	const struct workflow *workflow;       /* that file, parsed */
	const struct workflow_job *definition; /* in it */
	enum workflow_state state;
	enum workflow_result result; /* its conclusion, once it has ended */
	bool placeholder;            /* not expanded: see above */
	bool calls;                  /* calls a workflow: never READY, ends when its jobs ended */
	bool cancel;                 /* should not (any longer) run: fail-fast, or the run is
	                              * being cancelled; the caller reports CANCELLED or how it ended */
	uint32_t index, total;       /* in its matrix; total 1 without one */
	struct lb_bytes why;         /* why it was skipped, or cancelled, or failed to be planned */
	uint32_t why_line, why_column; /* where that stands in `file`; 0: nowhere */

	/* evaluated; for an instance that is neither placeholder nor SKIPPED */
	const struct lb_value *matrix, *strategy, *needs, *inputs; /* contexts */
	const struct lb_bytes *labels;                             /* runs-on */
	uint32_t label_count;
	struct lb_bytes runner_group;  /* empty: none */
	double timeout_minutes;        /* 360 where the file says nothing */
	double cancel_timeout_minutes; /* 5 */
	bool continue_on_error, fail_fast;
	uint32_t max_parallel;                   /* total where the file says nothing */
	struct lb_bytes concurrency_group;       /* empty: none */
	bool concurrency_cancel;                 /* cancel-in-progress */
	bool concurrency_queue_all;              /* queue: max */
	struct lb_bytes environment;             /* name; empty: none */
	bool deployment;                         /* to it; the file can say that it is none */
	struct workflow_permissions permissions; /* narrowed by its callers */
};

struct workflow_plan;

/* A workflow of another repository: "owner/repo", ".github/workflows/x.yml", "v1". */
struct workflow_reference {
	struct lb_bytes repository, path, ref;
};

struct workflow_plan_options {
	const struct lb_value *github, *vars, *inputs; /* contexts; NULL: empty */

	/* The bytes of a file of the repository at the run's commit, in `arena`: for local reusable
	 * workflows ("./.github/workflows/x.yml" asks for ".github/workflows/x.yml").  NOTFOUND
	 * where there is none.  NULL: no local workflow can be called. */
	lb_err (*read_file)(struct lb_bytes *out, void *self, struct lb_arena *arena,
	                    struct lb_bytes path, struct lb_diag *diag);

	/* The same for a workflow of another repository; `uses: ./x` in one of them asks here too.
	 * A repository that cannot be had is NOTFOUND with prose.  The answer should be the same
	 * for the whole life of a run.  NULL: none can be called. */
	lb_err (*read_remote)(struct lb_bytes *out, void *self, struct lb_arena *arena,
	                      const struct workflow_reference *what, struct lb_diag *diag);
	void *self;

	uint32_t call_depth_max; /* 0: WORKFLOW_CALL_DEPTH_MAX levels below the first */
	struct workflow_permissions permissions; /* where no file says any */
};

/* Values and the workflow are borrowed and must outlive the plan.  Expands what can be at once.
 * INVALID, NOTFOUND or UNSUPPORTED (a called workflow that cannot be read) with the place; LIMIT;
 * NOMEM. */
lb_err workflow_plan_new(struct workflow_plan **out, struct lb_mem *mem,
                         const struct workflow *workflow,
                         const struct workflow_plan_options *options, struct lb_diag *diag);
void workflow_plan_free(struct workflow_plan *plan); /* NULL is fine */

/* An instance ended; `outputs` (object of strings, copied; NULL: none).  Larger ones than
 * GitHub takes make it a FAILURE without outputs, with `why`.  Reporting the same end
 * again changes nothing; another one is EXISTS.  NOTFOUND: no such instance; INVALID: it waits
 * still and was not told to cancel, or it calls a workflow.  An instance whose expansion fails (a
 * bad matrix) becomes DONE with FAILURE and `why`. */
lb_err workflow_plan_finish(struct workflow_plan *plan, struct lb_bytes id,
                            enum workflow_result result, const struct lb_value *outputs,
                            struct lb_diag *diag);

/* For looking ahead: the instance will succeed, with outputs that nobody knows yet.  What goes by
 * them stays WAITING and says so in `why`; all else goes on.  Not saved by workflow_plan_save.
 * Errors as of workflow_plan_finish. */
lb_err workflow_plan_suppose(struct workflow_plan *plan, struct lb_bytes id, struct lb_diag *diag);

/* Look ahead to the end: what is ready ends as `results` says (object: id or job to "failure"; else
 * "success") with the outputs that `outputs` has for it (object: id or job to an object), else
 * with unknown ones; either may be NULL.  INVALID: a result that is none. */
lb_err workflow_plan_look_ahead(struct workflow_plan *plan, const struct lb_value *outputs,
                                const struct lb_value *results, struct lb_diag *diag);

/* Somebody cancelled the run: what has not ended gets `cancel`, except what still has to run
 * because its condition holds under cancelled(). */
lb_err workflow_plan_cancel(struct workflow_plan *plan, struct lb_diag *diag);

/* ---- reading ---- */

/* In a stable order: by job in the file, then by index; children behind their caller. */
size_t workflow_plan_count(const struct workflow_plan *plan);
const struct workflow_instance *workflow_plan_at(const struct workflow_plan *plan, size_t index);
const struct workflow_instance *workflow_plan_find(const struct workflow_plan *plan,
                                                   struct lb_bytes id); /* NULL: none */

/* Ids of what an instance waits or waited for, in its own workflow ("build", or the instances
 * "test.0" and "test.1" of a need with a matrix).  In `arena`. */
lb_err workflow_plan_needs(const struct lb_bytes **out, size_t *count, struct lb_arena *arena,
                           const struct workflow_plan *plan, const struct workflow_instance *of);

/* NONE while anything can still run; then FAILURE, CANCELLED, SUCCESS, or SKIPPED (every job). */
enum workflow_result workflow_plan_conclusion(const struct workflow_plan *plan);

/* The run's name: `run-name` evaluated, else empty.  And the run's concurrency group. */
struct lb_bytes workflow_plan_run_name(const struct workflow_plan *plan);
struct lb_bytes workflow_plan_concurrency(const struct workflow_plan *plan,
                                          bool *cancel_in_progress, bool *queue_all);

/* The text of the file that an instance stands in; empty for the run's own file, which the caller
 * has. */
struct lb_bytes workflow_plan_source(const struct workflow_plan *plan,
                                     const struct workflow_instance *instance);

/* The contexts a runner needs for an instance: {github, vars, inputs, needs, matrix, strategy}. */
struct lb_value *workflow_plan_contexts(struct lb_arena *arena, const struct workflow_plan *plan,
                                        const struct workflow_instance *instance);

/* The secrets context of an instance, given all secrets of the run (object of strings): a called
 * workflow sees what its callers pass or let it inherit, and GITHUB_TOKEN always. */
lb_err workflow_plan_secrets(const struct lb_value **out, struct lb_arena *arena,
                             const struct workflow_plan *plan,
                             const struct workflow_instance *instance,
                             const struct lb_value *secrets, struct lb_diag *diag);

/* ---- durable state ---- */

/* {"cancelled": false, "ended": {"build": {"result": "success", "outputs": {...}}}}; ends after the
 * run was cancelled stand in "ended_after". */
struct lb_value *workflow_plan_save(struct lb_arena *arena, const struct workflow_plan *plan);

/* Bring a new plan of the same workflow and contexts to a saved state.  MALFORMED, NOTFOUND. */
lb_err workflow_plan_restore(struct workflow_plan *plan, const struct lb_value *saved,
                             struct lb_diag *diag);

/* All instances for pages and the wire: [{"id", "job", "name", "state", "result", "needs", ...}] */
lb_err workflow_plan_describe(struct lb_value **out, struct lb_arena *arena,
                              const struct workflow_plan *plan);

#endif
