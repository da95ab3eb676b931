/* text.h - comparing and converting as the expression language does.  For workflows/ alone.
 *
 * Threads: pure functions.
 */
#ifndef WORKFLOWS_EXPRESSION_TEXT_H
#define WORKFLOWS_EXPRESSION_TEXT_H

#include "workflows/expression/expr.h"

bool workflow_is_space(uint32_t code_point);         /* Unicode's white space */
struct lb_bytes workflow_trim(struct lb_bytes text); /* of it, both sides */
size_t workflow_utf16_length(struct lb_bytes text);  /* code units */

/* Without regard to case, in GitHub's order. */
int workflow_compare_fold(struct lb_bytes a, struct lb_bytes b);
size_t workflow_find_fold(struct lb_bytes in, struct lb_bytes what); /* SIZE_MAX: not in it */

/* The same in a time that grows with the lengths alone.  NOMEM. */
lb_err workflow_contains_fold(bool *out, struct lb_mem *mem, struct lb_bytes in,
                              struct lb_bytes what);
bool workflow_starts_fold(struct lb_bytes text, struct lb_bytes prefix);
bool workflow_ends_fold(struct lb_bytes text, struct lb_bytes suffix);

double workflow_parse_number(struct lb_bytes text); /* NaN for what is none; "" is 0 */

enum workflow_order { WORKFLOW_LESS, WORKFLOW_SAME, WORKFLOW_GREATER, WORKFLOW_UNORDERED };

/* By the language's coercions; UNORDERED is never <, <=, >, >= or ==. */
enum workflow_order workflow_compare(const struct lb_value *a, const struct lb_value *b);

static inline bool workflow_is_primitive(const struct lb_value *value)
{
	return value->kind != LB_ARRAY && value->kind != LB_OBJECT;
}

/* A member without regard to case; NULL where there is none. */
const struct lb_value *workflow_member(const struct lb_value *object, struct lb_bytes key);

/* Values are never changed once made; containers take them without const. */
static inline struct lb_value *workflow_share(const struct lb_value *value)
{
	return (struct lb_value *)(uintptr_t)value;
}

extern const struct lb_value workflow_null, workflow_true, workflow_false;

#endif
