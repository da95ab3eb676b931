/* convert.h - tokens into the typed tree.  For workflows/ alone. */
#ifndef WORKFLOWS_SYNTAX_CONVERT_H
#define WORKFLOWS_SYNTAX_CONVERT_H

#include "workflows/syntax/schema.h"

/* Each notes problems; running out of memory shows in the arena. */

/* The condition to evaluate: success() where there is none, success() && (...) where no status
 * function is called.  `token` may be NULL; NULL after a problem. */
const struct workflow_token *workflow_convert_if(struct lb_arena *arena,
                                                 const struct workflow_token *token,
                                                 enum schema_id place, struct problems *problems);

/* A condition that nothing is implied in: is it one? */
void workflow_check_if(struct lb_arena *arena, const struct workflow_token *token,
                       enum schema_id place, struct problems *problems);

/* The steps of a job or of a composite action. */
const struct workflow_step *workflow_convert_steps(uint32_t *count, struct lb_arena *arena,
                                                   const struct workflow_token *steps,
                                                   enum schema_id if_place,
                                                   struct problems *problems);

void workflow_convert_on(struct workflow *out, struct lb_arena *arena,
                         const struct workflow_token *on, struct problems *problems);

void workflow_convert_jobs(struct workflow *out, struct lb_arena *arena,
                           const struct workflow_token *jobs, struct problems *problems);

void workflow_convert_permissions(struct workflow_permissions *out,
                                  const struct workflow_token *token);

/* What can be said of a matrix before anything is evaluated. */
void workflow_check_strategy(const struct workflow_token *strategy, struct problems *problems);

void workflow_check_concurrency(const struct workflow_token *concurrency,
                                struct problems *problems);

/* ---- small helpers ---- */

/* A string, or a list of strings. */
struct workflow_list workflow_convert_list(struct lb_arena *arena,
                                           const struct workflow_token *token);

/* The text of a string; empty for NULL and for what is no literal. */
struct lb_bytes workflow_literal(const struct workflow_token *token);

/* A true that stands in the file as such. */
static inline bool workflow_literal_true(const struct workflow_token *token)
{
	return token != NULL && token->kind == WORKFLOW_BOOLEAN && token->boolean;
}

#endif
