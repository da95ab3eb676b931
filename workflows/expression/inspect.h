/* inspect.h - what can be said of an expression without evaluating it.
 *
 * Threads: any.  Nothing is allocated.
 */
#ifndef WORKFLOWS_EXPRESSION_INSPECT_H
#define WORKFLOWS_EXPRESSION_INSPECT_H

#include "workflows/expression/expr.h"

enum { WORKFLOW_PATH_PARTS_MAX = 8 };

/* What is read: github.event.issue['title'] has four parts.  A part that is known only when the
 * expression is evaluated, and `*`, is "*".  Parts beyond the maximum are left out. */
struct workflow_path {
	uint32_t count;
	struct lb_bytes parts[WORKFLOW_PATH_PARTS_MAX];
	bool flows; /* what is read may be in the result, or a part of it, as it is */
};

/* Call `visit` for everything that the expression reads. */
void workflow_expr_paths(const struct workflow_expr *expr,
                         void (*visit)(void *self, const struct workflow_path *path), void *self);

/* Is it certain to be false?  "No" may mean that nobody knows. */
bool workflow_expr_is_never(const struct workflow_expr *expr);

/* Is it certain to be false unless success() is true? */
bool workflow_expr_needs_success(const struct workflow_expr *expr);

#endif
