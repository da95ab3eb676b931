/* run.h - a run that a test plans: opened from text, told what ended, shown in a line. */
#ifndef LB_TESTS_WORKFLOWS_PLAN_RUN_H
#define LB_TESTS_WORKFLOWS_PLAN_RUN_H

#include "tests/workflows/support.h"

#include "workflows/plan/plan.h"

/* The files that a plan can call, by their paths; "owner/repo/path@ref" for those of others. */
enum { RUN_FILES_MAX = 60 };

struct files {
	const char *path[RUN_FILES_MAX], *text[RUN_FILES_MAX];
};

struct run {
	struct test *t;
	struct lb_arena arena;
	struct workflow *workflow;
	struct workflow_plan *plan;
	struct files *files;
};

lb_err run_open(struct run *run, struct test *t, const char *text, struct files *files,
                struct lb_diag *diag);
struct run run_new(struct test *t, const char *text, struct files *files); /* it must open */
void run_close(struct run *run);

/* "build:ready test.0:waiting" */
const char *run_states(struct run *run);
const struct workflow_instance *run_find(struct run *run, const char *id); /* it must be there */
void run_finish(struct run *run, const char *id, enum workflow_result result,
                const char *outputs); /* JSON with ' for "; NULL: none */
const char *run_described(struct run *run);

#define GOOD WORKFLOW_RESULT_SUCCESS
#define BAD WORKFLOW_RESULT_FAILURE
#define STOPPED WORKFLOW_RESULT_CANCELLED

#define HEAD "on: push\njobs:\n"
#define JOB(id) "  " id ":\n    runs-on: ubuntu-latest\n"
#define STEPS "    steps: [{run: make}]\n"

#endif
