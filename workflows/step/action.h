/* action.h - an action's manifest, action.yml.
 *
 * Owner: who calls workflow_action_parse calls workflow_action_free.
 * Threads: immutable once parsed; share freely.
 */
#ifndef WORKFLOWS_STEP_ACTION_H
#define WORKFLOWS_STEP_ACTION_H

#include "workflows/syntax/workflow.h"

enum workflow_action_kind {
	WORKFLOW_ACTION_COMPOSITE,
	WORKFLOW_ACTION_NODE,
	WORKFLOW_ACTION_DOCKER
};

struct workflow_action_input {
	struct lb_bytes name;
	bool required;
	const struct workflow_token *otherwise; /* `default`, may be an expression; NULL: none */
	struct lb_bytes deprecation;
};

struct workflow_action_output {
	struct lb_bytes name;
	const struct workflow_token *value; /* of a composite action; NULL otherwise */
};

struct workflow_action {
	struct lb_bytes name, description;
	enum workflow_action_kind kind;
	const struct workflow_action_input *inputs;
	const struct workflow_action_output *outputs;
	uint32_t input_count, output_count;

	const struct workflow_step *steps; /* composite */
	uint32_t step_count;

	struct lb_bytes using;                         /* "composite", "node20", "docker" */
	struct lb_bytes main, pre, post;               /* node: files; docker: entrypoints */
	struct lb_bytes image;                         /* docker */
	const struct workflow_token *pre_if, *post_if; /* conditions; NULL: always() */
	const struct workflow_token *args, *env;       /* docker */

	const struct workflow_problem *problems;
	uint32_t problem_count;
};

/* For lint: a manifest with faults gives LB_OK and all its problems.  Only NOMEM fails. */
lb_err workflow_action_check(struct workflow_action **out, struct lb_mem *mem,
                             struct lb_bytes source);

/* INVALID or MALFORMED with the first problem's place, LIMIT, NOMEM. */
lb_err workflow_action_parse(struct workflow_action **out, struct lb_mem *mem,
                             struct lb_bytes source, const char *file_name, struct lb_diag *diag);
void workflow_action_free(struct workflow_action *action);

/* The action's inputs context: `with` (object of strings) over the defaults, which are evaluated in
 * `scope`.  Names are compared without regard to case. */
lb_err workflow_action_inputs(const struct lb_value **out, struct lb_arena *arena,
                              const struct workflow_action *action, const struct lb_value *with,
                              const struct workflow_scope *scope, struct lb_diag *diag);

/* The outputs of a composite action once its steps ended: an object of strings. */
lb_err workflow_action_outputs(const struct lb_value **out, struct lb_arena *arena,
                               const struct workflow_action *action,
                               const struct workflow_scope *scope, struct lb_diag *diag);

#endif
