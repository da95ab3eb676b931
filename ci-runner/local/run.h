/* run.h - run a workflow of a checkout on this machine.
 *
 * Threads: one at a time.
 */
#ifndef RUNNER_LOCAL_RUN_H
#define RUNNER_LOCAL_RUN_H

#include "ci-runner/execute/job.h"
#include "workflows/plan/plan.h"

#include <stdio.h>

struct runner_run_pair {
	struct lb_bytes name, value;
};

struct runner_run {
	const char *checkout;  /* a folder in it */
	const char *workflow;  /* file; NULL: the only one in .github/workflows */
	const char *job;       /* this job and what it needs; NULL: all */
	const char *event;     /* NULL: workflow_dispatch where the file has it, else push */
	const char *artifacts; /* folder, made when missing; NULL: kept for this run alone */
	const struct runner_run_pair *matrix, *inputs, *secrets;
	size_t matrix_count, input_count, secret_count;
	FILE *out;
};

/* `host->work` is a folder of this run's own.  The conclusion says how the run went; an error that
 * it did not begin: NOTFOUND, INVALID, USAGE with prose, NOMEM. */
lb_err runner_run(enum workflow_result *conclusion, const struct runner_host *host,
                  const struct runner_run *run, struct lb_diag *diag);

#endif
