/* matrix.h - the combinations of a job's matrix.  For workflows/ alone. */
#ifndef WORKFLOWS_PLAN_MATRIX_H
#define WORKFLOWS_PLAN_MATRIX_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/value.h"

struct workflow_combination {
	const struct lb_value *matrix; /* the context */
	struct lb_bytes suffix;        /* "1, linux", what a job's name gets; empty: nothing */
};

/* Expand an evaluated `matrix` (an object of vectors, include and exclude).  INVALID with GitHub's
 * text; LIMIT beyond WORKFLOW_MATRIX_MAX; NOMEM. */
lb_err workflow_matrix_expand(const struct workflow_combination **out, uint32_t *count,
                              struct lb_arena *arena, const struct lb_value *matrix,
                              struct lb_diag *diag);

#endif
