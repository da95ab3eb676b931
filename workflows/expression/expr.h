/* expr.h - GitHub's expression language: parse, check, evaluate.
 *
 * Values are struct lb_value.  Coercions, comparison without regard to case,
 * filtered arrays (`a.*.b`) and error texts are GitHub's.  Bounded: an
 * expression has at most WORKFLOW_EXPR_LENGTH_MAX UTF-16 units and depth
 * WORKFLOW_EXPR_DEPTH_MAX, an evaluation makes at most `bytes_max` bytes and
 * looks at `looks_max`, which bounds its time.
 * Owner: everything lives in the arena that was passed.
 * Threads: a parsed expression is immutable; share it freely.
 * Out of memory: LB_E_NOMEM, nothing else happens.
 */
#ifndef WORKFLOWS_EXPRESSION_EXPR_H
#define WORKFLOWS_EXPRESSION_EXPR_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/value.h"

enum { WORKFLOW_EXPR_LENGTH_MAX = 21000, WORKFLOW_EXPR_DEPTH_MAX = 50 };

/* ---- what a place allows ---- */

/* Contexts as bits, in the order of contexts.def. */
enum workflow_context {
#define CONTEXT(name) WORKFLOW_CONTEXT_BIT_##name,
#include "workflows/expression/contexts.def"
#undef CONTEXT
	WORKFLOW_CONTEXT_COUNT
};

#define WORKFLOW_CONTEXT(name) (UINT32_C(1) << WORKFLOW_CONTEXT_BIT_##name)
#define WORKFLOW_CONTEXTS_ALL ((UINT32_C(1) << WORKFLOW_CONTEXT_COUNT) - 1)

/* Functions beyond the general ones that a place may allow. */
enum {
	WORKFLOW_CALL_HASH_FILES = 1, /* hashFiles(1,255) */
	WORKFLOW_CALL_STATUS = 2,     /* success() failure() always() cancelled() */
	WORKFLOW_CALL_STATUS_OF = 4   /* the same, success and failure with job names */
};

struct workflow_allow {
	uint32_t contexts, calls;
	const struct lb_value *others; /* keys of this object are contexts as well; NULL: none */
};

/* ---- parsing ---- */

struct workflow_expr_node;

struct workflow_expr {
	struct lb_bytes text;                  /* as it was given, copied */
	const struct workflow_expr_node *root; /* NULL: blank text, which is null */
	uint32_t contexts;                     /* that are named in it */
	uint32_t calls;                        /* WORKFLOW_CALL_*: that are called in it */
};

/* INVALID with GitHub's text in the diagnostic ("Unrecognized named-value: 'x'. Located at
 * position 1 within expression: x"), the position as context; `allow` NULL allows everything. */
lb_err workflow_expr_parse(const struct workflow_expr **out, struct lb_arena *arena,
                           struct lb_bytes text, const struct workflow_allow *allow,
                           struct lb_diag *diag);

/* ---- making one of others ---- */

/* success() && (condition), or success() for a blank one; the place allows status functions. */
lb_err workflow_expr_after_success(const struct workflow_expr **out, struct lb_arena *arena,
                                   const struct workflow_expr *condition,
                                   const struct workflow_allow *allow, struct lb_diag *diag);

/* format('FORMAT', argument, ...), which is what `text` says; none of the arguments is blank. */
lb_err workflow_expr_format(const struct workflow_expr **out, struct lb_arena *arena,
                            struct lb_bytes text, struct lb_bytes format,
                            const struct workflow_expr *const *arguments, size_t count,
                            const struct workflow_allow *allow, struct lb_diag *diag);

/* ---- evaluating ---- */

enum workflow_status {
	WORKFLOW_STATUS_SUCCESS,
	WORKFLOW_STATUS_FAILURE,
	WORKFLOW_STATUS_CANCELLED
};

struct workflow_scope {
	const struct lb_value *contexts; /* object: a context's name to its value; absent is null */
	enum workflow_status status;     /* what success(), failure(), cancelled() go by */

	/* success('a', 'b'), failure('a'): by job ids.  NULL: `status` decides. */
	lb_err (*status_of)(bool *out, void *self, bool success, const struct lb_bytes *jobs,
	                    size_t count);

	/* hashFiles: lower-case hex, empty when nothing matches; in `arena`.  NULL: an error. */
	lb_err (*hash_files)(struct lb_bytes *out, void *self, struct lb_arena *arena,
	                     const struct lb_bytes *patterns, size_t count, struct lb_diag *diag);

	/* What fromJSON has made of a text: who hides secrets hides the parts of one.  NULL: not
	 * told. */
	lb_err (*parsed)(void *self, struct lb_bytes json, const struct lb_value *value);
	void *self;
	size_t bytes_max; /* 0: 10 MiB */
	size_t looks_max; /* bytes of text and items of arrays looked at; 0: 1 Gi, a second or two
	                   */
};

/* INVALID with prose for an evaluation error (a bad format, bad JSON); LIMIT; NOMEM. */
lb_err workflow_expr_evaluate(const struct lb_value **out, struct lb_arena *arena,
                              const struct workflow_expr *expr, const struct workflow_scope *scope,
                              struct lb_diag *diag);

/* ---- the language's conversions ---- */

bool workflow_truthy(const struct lb_value *value);
double workflow_to_number(const struct lb_value *value); /* NaN for what is none */

/* "" for null, "true", "1.5", "Array", "Object"; borrowed or in `arena`. */
struct lb_bytes workflow_to_text(struct lb_arena *arena, const struct lb_value *value);

/* As the operator == compares; arrays and objects are equal to themselves alone. */
bool workflow_equal(const struct lb_value *a, const struct lb_value *b);

enum { WORKFLOW_NUMBER_SIZE = 32 };

/* A number as GitHub prints it ("G15"): 1, -1.5, 1E+20, NaN, Infinity.  Terminated. */
size_t workflow_number_text(char out[WORKFLOW_NUMBER_SIZE], double number);

#endif
