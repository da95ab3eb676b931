/* plan_priv.h - what the parts of the planner share.
 *
 *   plan   -> scopes: the run's workflow, and each called workflow each time it is called
 *   scope  -> job states, one for each job of its workflow
 *   state  -> nodes, the instances: one placeholder until it is decided, then what it became
 *
 * Invariants:
 *  1. `open` of a state is the number of its needs that have not ended.
 *  2. What has to be done is on the list of work exactly once: a state to be decided (`open` is
 *     0), a state whose nodes have all ended, a call whose jobs have all ended.
 *  3. Work is committed in one step that cannot fail; before it, only the arena has changed.  So
 *     whatever ran out of memory stays on the list and is done by the next call.
 */
#ifndef WORKFLOWS_PLAN_PLAN_PRIV_H
#define WORKFLOWS_PLAN_PLAN_PRIV_H

#include "workflows/expression/text.h"
#include "workflows/plan/plan.h"

#include "base/map.h"
#include "base/vec.h"

struct scope;
struct state;

struct work {
	struct work *next;
	lb_err (*run)(struct work *work); /* NOMEM only; then it stays on the list */
};

struct node {
	struct workflow_instance shown; /* first member */
	struct work returning;          /* its called workflow has ended */
	struct state *state;
	struct scope *called;           /* of an instance that calls */
	const struct lb_value *outputs; /* object of strings; NULL: none */
	bool reported;                  /* the caller said how it ended */
	bool before_cancel;             /* and that before the run was cancelled */
};

struct state {
	struct work work; /* first member: to be decided, then to be completed */
	const struct workflow_job *job;
	struct scope *scope;
	struct node **nodes;
	uint32_t node_count;
	uint32_t open;       /* needs that have not ended */
	uint32_t unfinished; /* nodes that have not ended */
	bool decided;
	bool all_good, any_bad; /* of it and all before it: success() and failure() go by these */
	enum workflow_result result;    /* as `needs` shows it */
	const struct lb_value *outputs; /* merged; NULL: none */
};

struct scope {
	struct workflow_plan *plan;
	const struct workflow *workflow;
	struct node *caller; /* NULL: the run's own */
	struct state *states;
	uint32_t unended;
	const struct lb_value *inputs;
	struct workflow_permissions most;      /* what its jobs can have */
	struct workflow_permissions otherwise; /* what a job has that says nothing */
};

struct file {
	struct lb_bytes path;
	struct workflow *workflow;
	struct file *next;
};

struct workflow_plan {
	struct lb_mem *mem;
	struct lb_arena arena;
	struct workflow_plan_options options;
	const struct workflow *workflow;
	struct lb_map files; /* path to struct file */
	struct file *first_file;
	struct scope *root;
	struct work *work;
	struct lb_vec order; /* struct node *, as shown */
	size_t instance_count;
	bool cancelled;
	struct lb_bytes run_name, concurrency_group;
	bool concurrency_cancel, concurrency_queue_all;
};

/* ---- files.c ---- */

/* Parse what is called, and what that calls, and check that all of it fits. */
lb_err workflow_planner_load_called(struct workflow_plan *plan, struct lb_diag *diag);
const struct workflow *workflow_planner_file(const struct workflow_plan *plan,
                                             struct lb_bytes uses);

/* ---- instance.c ---- */

/* The contexts for a job's keys: github, vars, inputs, needs, and matrix and strategy where there
 * are any. */
struct lb_value *workflow_planner_contexts(struct lb_arena *arena, const struct scope *scope,
                                           const struct lb_value *needs,
                                           const struct lb_value *matrix,
                                           const struct lb_value *strategy);

/* The `needs` context of a state whose needs have all ended. */
const struct lb_value *workflow_planner_needs_value(struct lb_arena *arena,
                                                    const struct state *state);

/* The nodes that a state becomes when its condition holds. */
lb_err workflow_planner_expand(struct node ***out, uint32_t *count, struct state *state,
                               const struct lb_value *needs, struct lb_diag *diag);

lb_err workflow_planner_run_keys(struct workflow_plan *plan, struct lb_diag *diag);

struct workflow_permissions workflow_planner_narrow(const struct workflow_permissions *own,
                                                    const struct workflow_permissions *most);

/* ---- plan.c ---- */

lb_err workflow_planner_scope_new(struct scope **out, struct workflow_plan *plan,
                                  const struct workflow *workflow, struct node *caller,
                                  const struct lb_value *inputs);
struct node *workflow_planner_node_new(struct state *state, uint32_t index, uint32_t total,
                                       bool indexed);
struct node *workflow_planner_find(const struct workflow_plan *plan, struct lb_bytes id);
bool workflow_planner_has_ended(const struct node *node);

/* workflow_plan_finish without bringing the order up to date. */
lb_err workflow_planner_finish(struct workflow_plan *plan, struct lb_bytes id,
                               enum workflow_result result, const struct lb_value *outputs,
                               struct lb_diag *diag);
lb_err workflow_planner_settle(struct workflow_plan *plan);

#endif
