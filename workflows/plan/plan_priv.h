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
 *  4. Nodes below `next` of a state were started or had ended; `running` of them have not ended.
 *  5. `instance_count` is the number of nodes of all scopes that were started.
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
	bool unknown;                   /* its outputs, as its end was only supposed */
	bool counts;                    /* among those of its state that run */
	bool reported;                  /* the caller said how it ended */
	bool before_cancel;             /* and that before the run was cancelled */
	enum workflow_result said;      /* by the caller; large outputs make it another */
};

struct state {
	struct work work; /* first member: to be decided, then to be completed */
	const struct workflow_job *job;
	struct scope *scope;
	struct node **nodes;
	uint32_t node_count;
	uint32_t open;       /* needs that have not ended */
	uint32_t unfinished; /* nodes that have not ended */
	uint32_t next;       /* the first node that was not started */
	uint32_t running;    /* nodes that were started and have not ended */
	bool decided;
	bool unknown;           /* its outputs are */
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
	bool started;
	const struct lb_value *inputs;
	struct workflow_permissions most;      /* what its jobs can have */
	struct workflow_permissions otherwise; /* what a job has that says nothing */
	struct workflow_permissions unsaid;    /* what those have at most whom such a job calls */
};

struct file {
	struct workflow_reference where; /* repository empty: the run's own */
	struct lb_bytes source;
	bool foreign; /* of another owner than the run's repository */
	struct workflow *workflow;
	struct file *next;
};

/* The nodes as they are shown.  Made anew when it is looked at, and only after something came to
 * the plan; room for it is made before, so that looking cannot fail. */
struct order {
	struct node **at;
	size_t count, capacity;
	uint64_t made_for; /* `changes` of the plan then */
};

struct workflow_plan {
	struct lb_mem *mem;
	struct lb_arena arena;
	struct workflow_plan_options options;
	const struct workflow *workflow;
	struct file *first_file; /* every file that is called */
	struct lb_map calls;     /* a job that calls (its address) to struct file */
	struct scope *root;
	struct work *work;
	size_t instance_count;
	struct order *order;
	uint64_t changes; /* of what is in it */
	size_t outputs_bytes;
	bool cancelled;
	struct lb_bytes run_name, concurrency_group;
	bool concurrency_cancel, concurrency_queue_all;
};

/* ---- files.c ---- */

/* Parse what is called, and what that calls, and check that all of it fits. */
lb_err workflow_planner_load_called(struct workflow_plan *plan, struct lb_diag *diag);
bool workflow_planner_is_foreign(const struct workflow_plan *plan, const struct workflow_job *job);
struct workflow_permissions workflow_planner_everything(void);
struct workflow_permissions workflow_planner_unsaid(const struct workflow_plan *plan);
const struct workflow *workflow_planner_called(const struct workflow_plan *plan,
                                               const struct workflow_job *job);

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

/* Put the place before what the diagnostic says: "ci.yml (Line: 3, Col: 5): ..."; `at` NULL: it is
 * there already, or there is none.  And before that the key and the job: "Error when evaluating
 * 'strategy' for job 'test'. ..."  Both return `err`; nothing happens when it is none, or NOMEM. */
lb_err workflow_planner_place(lb_err err, const struct workflow *in,
                              const struct workflow_token *at, struct lb_diag *diag);
lb_err workflow_planner_blame(lb_err err, const struct state *state, const char *key,
                              const struct workflow_token *at, struct lb_diag *diag);

lb_err workflow_planner_run_keys(struct workflow_plan *plan, struct lb_diag *diag);

struct workflow_permissions workflow_planner_narrow(const struct workflow_permissions *own,
                                                    const struct workflow_permissions *most);

/* ---- ahead.c ---- */

/* Does a state go by outputs that are not known?  Where, and whose. */
bool workflow_planner_is_unknown(const struct workflow_token **at, const struct state **whose,
                                 const struct state *state);

/* ---- scope.c ---- */

lb_err workflow_planner_scope_new(struct scope **out, struct workflow_plan *plan,
                                  const struct workflow *workflow, struct node *caller,
                                  const struct lb_value *inputs);
struct node *workflow_planner_node_new(struct state *state, uint32_t index, uint32_t total,
                                       bool indexed);
struct node *workflow_planner_find(const struct workflow_plan *plan, struct lb_bytes id);

/* The state of a job's need. */
static inline const struct state *workflow_planner_need(const struct state *state, uint32_t i)
{
	return &state->scope->states[state->job->needs[i]->index];
}

/* Do what is to be done, and make room for showing what there is then.  Every change ends with it.
 */
lb_err workflow_planner_settle(struct workflow_plan *plan);
const struct order *workflow_planner_order(const struct workflow_plan *plan);

/* ---- machine.c ---- */

bool workflow_planner_has_ended(const struct node *node);
void workflow_planner_start(struct scope *scope);
void workflow_planner_end_node(struct node *node, enum workflow_state to,
                               enum workflow_result result);
lb_err workflow_planner_advance(struct workflow_plan *plan); /* until nothing is left to do */
lb_err workflow_planner_cancel_scope(struct scope *scope);
enum workflow_result workflow_planner_scope_result(const struct scope *scope);

/* ---- plan.c ---- */

/* workflow_plan_finish without settling. */
lb_err workflow_planner_finish(struct workflow_plan *plan, struct lb_bytes id,
                               enum workflow_result result, const struct lb_value *outputs,
                               struct lb_diag *diag);

#endif
