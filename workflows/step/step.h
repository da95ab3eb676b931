/* step.h - what a runner asks of a job's steps.
 *
 * The runner keeps the contexts as one object {github, env, job, steps, runner,
 * secrets, strategy, matrix, needs, inputs, vars} and evaluates with it through
 * a struct workflow_scope (workflows/expression/expr.h).  Everything is made in the
 * arena passed.  Threads: pure functions.
 */
#ifndef WORKFLOWS_STEP_STEP_H
#define WORKFLOWS_STEP_STEP_H

#include "workflows/syntax/workflow.h"

/* ---- environment ---- */

/* `under` with the mapping laid over it: a new object of strings.  `env` may be NULL or an
 * expression that gives an object.  Within the mapping, `env.X` means the values of `under`. */
lb_err workflow_env_over(const struct lb_value **out, struct lb_arena *arena,
                         const struct lb_value *under, const struct workflow_token *env,
                         const struct workflow_scope *scope, struct lb_diag *diag);

/* Workflow, then job: the env context a job starts with.  Step: once more with step->env. */
lb_err workflow_job_env(const struct lb_value **out, struct lb_arena *arena,
                        const struct workflow *workflow, const struct workflow_job *job,
                        const struct workflow_scope *scope, struct lb_diag *diag);

/* What LIFEBOAT_NETWORK says in an environment: FULL where it is not set.  `hosts` (ends with NULL)
 * is what HOSTS names, each with a dot or a colon in it: "example.org", "example.org:8443". */
enum workflow_network {
	WORKFLOW_NETWORK_FULL,
	WORKFLOW_NETWORK_NONE,
	WORKFLOW_NETWORK_LOOPBACK,
	WORKFLOW_NETWORK_CACHE,
	WORKFLOW_NETWORK_HOSTS
};
lb_err workflow_network_of(enum workflow_network *out, const char *const **hosts,
                           struct lb_arena *arena, const struct lb_value *env,
                           struct lb_diag *diag);

/* The same for a text that stands elsewhere, as `where` ("--network").  INVALID for any other
 * value, naming those allowed. */
lb_err workflow_network_read(enum workflow_network *out, const char *const **hosts,
                             struct lb_arena *arena, struct lb_bytes text, const char *where,
                             struct lb_diag *diag);

/* ---- one step, evaluated ---- */

struct workflow_step_plan {
	struct lb_bytes run;               /* the script; empty for uses */
	struct lb_bytes shell;             /* empty: the system's default */
	struct lb_bytes working_directory; /* empty: the workspace */
	struct lb_bytes uses;              /* as the file has it */
	const struct lb_value *with;       /* object of strings; never NULL */
	const struct lb_value *env;        /* the whole environment of the step */
	enum workflow_network network;
	const char *const *network_hosts; /* of HOSTS; NULL otherwise */
	double timeout_minutes;           /* 0: none */
	bool continue_on_error;
};

/* Everything but the condition and the name, defaults.run of the job and the workflow applied.
 * `scope->contexts` has the step's own env as `env`: see workflow_env_over. */
lb_err workflow_step_evaluate(struct workflow_step_plan *out, struct lb_arena *arena,
                              const struct workflow *workflow, const struct workflow_job *job,
                              const struct workflow_step *step, const struct workflow_scope *scope,
                              struct lb_diag *diag);

/* As GitHub shows it: the name evaluated, else "Run make" (the script's first line) or
 * "Run actions/checkout@v4". */
lb_err workflow_step_name(struct lb_bytes *out, struct lb_arena *arena,
                          const struct workflow_step *step, const struct workflow_scope *scope,
                          struct lb_diag *diag);

/* The job's outputs (object of strings; those that are empty left out), once its steps ended. */
lb_err workflow_job_outputs(const struct lb_value **out, struct lb_arena *arena,
                            const struct workflow_job *job, const struct workflow_scope *scope,
                            struct lb_diag *diag);

#endif
