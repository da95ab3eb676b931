/* builtin_priv.h - what the built-in actions share. */
#ifndef RUNNER_EXECUTE_BUILTIN_PRIV_H
#define RUNNER_EXECUTE_BUILTIN_PRIV_H

#include "ci-runner/execute/execution_priv.h"

/* A `path` input: relative to the workspace, `~` is the home.  INVALID where it has a ".." part. */
lb_err runner_inside_workspace(const char **out, struct runner_execution *x, struct lb_bytes path,
                               struct lb_diag *diag);

/* "true" in an input; INVALID names the input where it is neither true nor false; empty:
 * `otherwise`. */
lb_err runner_input_flag(bool *out, const struct workflow_step_plan *plan, const char *name,
                         bool otherwise, struct lb_diag *diag);

/* The lines of an input that are not blank. */
struct lb_value *runner_input_lines(struct runner_execution *x, struct lb_bytes text);

/* Is it a regular file, whatever the sandbox left there? */
lb_err runner_check_file(uint64_t *size, struct runner_execution *x, const char *path,
                         struct lb_diag *diag);

lb_err runner_checkout_run(struct runner_execution *x, struct runner_step_run *run,
                           const struct workflow_step_plan *plan, struct lb_diag *diag);
lb_err runner_upload_run(struct runner_execution *x, struct runner_step_run *run,
                         const struct workflow_step_plan *plan, struct lb_diag *diag);
lb_err runner_download_run(struct runner_execution *x, struct runner_step_run *run,
                           const struct workflow_step_plan *plan, struct lb_diag *diag);
lb_err runner_cache_run(struct runner_execution *x, struct runner_step_run *run,
                        const struct workflow_step_plan *plan, struct lb_diag *diag);
lb_err runner_cache_restore_run(struct runner_execution *x, struct runner_step_run *run,
                                const struct workflow_step_plan *plan, struct lb_diag *diag);
lb_err runner_cache_save_run(struct runner_execution *x, struct runner_step_run *run,
                             const struct workflow_step_plan *plan, struct lb_diag *diag);

#endif
