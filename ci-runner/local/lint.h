/* lint.h - all that is wrong with workflow files, shown where it stands.
 *
 * Threads: any.
 */
#ifndef RUNNER_LOCAL_LINT_H
#define RUNNER_LOCAL_LINT_H

#include "base/diag.h"
#include "base/mem.h"
#include "base/platform/plat.h"

#include <stdio.h>

/* Prints "FILE:LINE:COL: message", the line and a caret for each problem; adds their number to
 * *problems.  An error only where the file cannot be read, or for memory. */
lb_err runner_lint(size_t *problems, struct lb_mem *mem, struct plat *plat, FILE *out,
                   const char *file, struct lb_diag *diag);

#endif
