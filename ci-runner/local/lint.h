/* lint.h - all that is wrong with workflow files, and what is worth saying of the others.
 *
 *   struct runner_lint lint;
 *   runner_lint_init(&lint, mem, plat, out, RUNNER_LINT_TEXT);
 *   err = runner_lint_file(&lint, "ci.yml", diag);   ...
 *   err = runner_lint_end(&lint);
 *   runner_lint_release(&lint);
 *
 * Scripts go to shellcheck where it is installed.  Threads: one at a time.
 */
#ifndef RUNNER_LOCAL_LINT_H
#define RUNNER_LOCAL_LINT_H

#include "base/diag.h"
#include "base/mem.h"
#include "base/platform/plat.h"
#include "base/value.h"
#include "base/vec.h"

#include <stdio.h>

enum runner_lint_format {
	RUNNER_LINT_TEXT, /* "FILE:LINE:COL: message", the line and a caret, as they are found */
	RUNNER_LINT_JSON, /* {"findings": [{file, line, column, severity, rule, message}, ...]} */
	RUNNER_LINT_SARIF /* SARIF 2.1.0, what code scanning reads */
};

struct runner_lint {
	struct lb_arena arena;
	struct lb_mem *mem;
	struct plat *plat;
	FILE *out;
	enum runner_lint_format format;
	FILE *notes;     /* where it is said, once, that shellcheck is missing; NULL: nowhere */
	bool no_scripts; /* shellcheck is not asked, or not there */
	struct lb_value *findings;
	struct lb_vec found; /* in the file under way */
	size_t errors, warnings;
};

/* NULL or "text", "json", "sarif"; false for another word. */
bool runner_lint_format_of(enum runner_lint_format *out, const char *name);

void runner_lint_init(struct runner_lint *lint, struct lb_mem *mem, struct plat *plat, FILE *out,
                      enum runner_lint_format format);
void runner_lint_release(struct runner_lint *lint);

/* An error only where the file cannot be read, or for memory. */
lb_err runner_lint_file(struct runner_lint *lint, const char *file, struct lb_diag *diag);

/* Print what the format has to say as a whole.  NOMEM. */
lb_err runner_lint_end(struct runner_lint *lint);

#endif
