/* workflow.h - a workflow file as a typed tree, and everything that is wrong with one.
 *
 * Fields that are `const struct workflow_token *` may hold an expression; NULL
 * means that the file does not say.  Owner: who called workflow_parse calls
 * workflow_free; all that hangs below lives as long.  Nothing is borrowed from
 * the source.  Threads: immutable once parsed; share freely.
 */
#ifndef WORKFLOWS_SYNTAX_WORKFLOW_H
#define WORKFLOWS_SYNTAX_WORKFLOW_H

#include "workflows/syntax/token.h"

/* ---- permissions of the run's token ---- */

enum workflow_access { WORKFLOW_ACCESS_NONE, WORKFLOW_ACCESS_READ, WORKFLOW_ACCESS_WRITE };

enum workflow_permission {
#define PERMISSION(id, text, least) WORKFLOW_PERMISSION_##id,
#include "workflows/syntax/permissions.def"
#undef PERMISSION
	WORKFLOW_PERMISSION_COUNT
};

struct workflow_permissions {
	bool given; /* false: the file does not say, the repository's default holds */
	enum workflow_access of[WORKFLOW_PERMISSION_COUNT];
};

const char *workflow_permission_name(enum workflow_permission permission); /* "id-token" */

/* ---- triggers ---- */

struct workflow_list { /* of strings */
	uint32_t count;
	const struct workflow_token *const *at;
};

enum workflow_input_type {
	WORKFLOW_INPUT_STRING,
	WORKFLOW_INPUT_BOOLEAN,
	WORKFLOW_INPUT_NUMBER,
	WORKFLOW_INPUT_CHOICE,
	WORKFLOW_INPUT_ENVIRONMENT
};

struct workflow_input {
	struct lb_bytes name, description;
	enum workflow_input_type type;
	bool required;
	const struct workflow_token *otherwise; /* `default`; NULL: none */
	struct workflow_list options;           /* of a choice */
};

struct workflow_secret {
	struct lb_bytes name;
	bool required;
};

struct workflow_output { /* of workflow_call */
	struct lb_bytes name;
	const struct workflow_token *value;
};

struct workflow_trigger {
	struct lb_bytes event; /* "push" */
	const struct workflow_token *place;
	/* given: `types:` and so on stand in the file, even when empty */
	bool types_given;
	struct workflow_list types, branches, branches_ignore, tags, tags_ignore, paths,
		paths_ignore;
	struct workflow_list workflows;        /* of workflow_run */
	struct workflow_list names, versions;  /* of image_version */
	struct workflow_list crons, timezones; /* of schedule, in pairs; a NULL timezone is UTC */
	/* of workflow_dispatch and workflow_call */
	const struct workflow_input *inputs;
	const struct workflow_secret *secrets;
	const struct workflow_output *outputs;
	uint32_t input_count, secret_count, output_count;
};

/* ---- jobs ---- */

enum workflow_step_kind {
	WORKFLOW_STEP_RUN,
	WORKFLOW_STEP_USES,
	WORKFLOW_STEP_WAIT,
	WORKFLOW_STEP_WAIT_ALL,
	WORKFLOW_STEP_CANCEL,
	WORKFLOW_STEP_PARALLEL
};

struct workflow_step {
	enum workflow_step_kind kind;
	struct lb_bytes id; /* never empty: "__run_2" where the file has none */
	bool id_given;
	const struct workflow_token *place;
	const struct workflow_token *name;
	const struct workflow_token *condition; /* never NULL */
	const struct workflow_token *run, *shell, *working_directory;
	const struct workflow_token *uses, *with;
	const struct workflow_token *env;
	const struct workflow_token *timeout_minutes, *continue_on_error;
	bool background;
	struct workflow_list targets;      /* of wait and cancel */
	const struct workflow_step *steps; /* of parallel */
	uint32_t step_count;
};

struct workflow_job {
	struct lb_bytes id;
	uint32_t index; /* in the file */
	const struct workflow_token *place;
	const struct workflow_token *name;      /* never NULL: the id where the file has none */
	const struct workflow_token *condition; /* never NULL */
	const struct workflow_job *const *needs;
	const struct workflow_job *const *users; /* the jobs that need this one */
	uint32_t need_count, user_count;
	const struct workflow_token *strategy, *matrix, *fail_fast, *max_parallel;
	const struct workflow_token *concurrency;
	struct workflow_permissions permissions; /* the job's own, else the workflow's */
	bool permissions_own;

	/* of a job with steps */
	const struct workflow_token *runs_on, *environment, *container, *services, *env, *outputs;
	const struct workflow_token *default_shell, *default_working_directory;
	const struct workflow_token *timeout_minutes, *cancel_timeout_minutes, *continue_on_error;
	const struct workflow_token *snapshot;
	const struct workflow_step *steps;
	uint32_t step_count;

	/* of a job that calls a workflow */
	const struct workflow_token *uses; /* NULL: a job with steps */
	const struct workflow_token *with, *secrets;
	bool secrets_inherit;
};

/* ---- the file ---- */

struct workflow_problem {
	uint32_t line, column;   /* 0: the file as a whole */
	bool warning;            /* GitHub's editor refuses it, GitHub's service lets it run */
	struct lb_bytes message; /* GitHub's text, without the place */
};

struct workflow {
	struct lb_bytes file_name;
	const struct workflow_token *root; /* NULL: the file is no YAML or empty */
	struct lb_bytes name;              /* empty: none */
	const struct workflow_token *run_name, *env, *concurrency;
	const struct workflow_token *default_shell, *default_working_directory;
	struct workflow_permissions permissions;
	const struct workflow_trigger *triggers;
	uint32_t trigger_count;
	const struct workflow_job *jobs;
	uint32_t job_count;
	const struct workflow_problem *problems; /* in the order found; see workflow_check */
	uint32_t problem_count;
	size_t result_bytes; /* by GitHub's measure, which limits all files of a run together */
};

enum { WORKFLOW_FILE_BYTES_MAX = 1048576, WORKFLOW_DEPTH_MAX = 50, WORKFLOW_PROBLEMS_MAX = 1000 };

/* Parse a file without a fault (warnings are none).  INVALID or MALFORMED: the first problem with
 * its place in the diagnostic, "ci.yml (Line: 3, Col: 5): Unexpected value 'x'"; LIMIT; NOMEM.  On
 * failure *out is NULL.  `file_name` is for messages. */
lb_err workflow_parse(struct workflow **out, struct lb_mem *mem, struct lb_bytes source,
                      const char *file_name, struct lb_diag *diag);

/* The same for lint: a file with faults gives LB_OK and all its problems, for looking at, not for
 * planning: its jobs and triggers are there only if reading it by the schema found no error, and
 * even then conditions and needs that are at fault are missing.
 * Only NOMEM fails. */
lb_err workflow_check(struct workflow **out, struct lb_mem *mem, struct lb_bytes source,
                      const char *file_name);

void workflow_free(struct workflow *workflow); /* NULL is fine */

/* NULL where there is none.  Job ids are compared without regard to case. */
const struct workflow_job *workflow_job_find(const struct workflow *workflow, struct lb_bytes id);
const struct workflow_trigger *workflow_trigger_find(const struct workflow *workflow,
                                                     const char *event);

#endif
