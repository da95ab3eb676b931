/* token.h - a workflow file as checked values that know their place.
 *
 * What the schema's reader makes of YAML: scalars typed by YAML 1.2's core
 * schema, expressions parsed.  Text around several ${{ }} has become one
 * expression, format('...{0}...', a, b), as GitHub has it.
 * Owner: the arena of the file they came from.  Threads: immutable.
 */
#ifndef WORKFLOWS_SYNTAX_TOKEN_H
#define WORKFLOWS_SYNTAX_TOKEN_H

#include "workflows/expression/expr.h"

enum workflow_token_kind { /* the numbers are GitHub's */
	                   WORKFLOW_STRING,
	                   WORKFLOW_SEQUENCE,
	                   WORKFLOW_MAPPING,
	                   WORKFLOW_EXPRESSION,
	                   WORKFLOW_INSERT, /* the key ${{ insert }} */
	                   WORKFLOW_BOOLEAN,
	                   WORKFLOW_NUMBER,
	                   WORKFLOW_NULL
};

struct workflow_token {
	enum workflow_token_kind kind;
	uint32_t line, column; /* from 1; 0: not from a file */
	uint32_t count;        /* items of a sequence; of a mapping twice its pairs */
	bool boolean;
	double number;
	struct lb_bytes text; /* string: its value; expression: without ${{ }}; other scalars: as
	                       * GitHub prints them */
	struct lb_bytes raw;  /* a scalar as it stands in the file */
	const struct workflow_expr *expr;    /* of an expression */
	const struct workflow_token **items; /* key, value, key, value, ... of a mapping */
};

/* The value of a key, compared without regard to case; NULL where there is none or no mapping. */
const struct workflow_token *workflow_token_find(const struct workflow_token *mapping,
                                                 const char *key);

/* Does any expression stand in it?  false for NULL. */
bool workflow_token_has_expression(const struct workflow_token *token);

/* Evaluate everything in it: a scalar gives its value, mappings and sequences theirs; `insert`
 * keys merge.  NULL gives null.  Errors as workflow_expr_evaluate, with the place before them. */
lb_err workflow_token_evaluate(const struct lb_value **out, struct lb_arena *arena,
                               const struct workflow_token *token,
                               const struct workflow_scope *scope, struct lb_diag *diag);

/* The same for what must become a string, a truth value, a number.  NULL gives "", false, 0. */
lb_err workflow_token_text(struct lb_bytes *out, struct lb_arena *arena,
                           const struct workflow_token *token, const struct workflow_scope *scope,
                           struct lb_diag *diag);
lb_err workflow_token_boolean(bool *out, struct lb_arena *arena, const struct workflow_token *token,
                              const struct workflow_scope *scope, struct lb_diag *diag);
lb_err workflow_token_number(double *out, struct lb_arena *arena,
                             const struct workflow_token *token, const struct workflow_scope *scope,
                             struct lb_diag *diag);

/* Is the condition met?  Conditions of a parsed workflow already hold the implied success(). */
lb_err workflow_condition(bool *out, struct lb_arena *arena, const struct workflow_token *condition,
                          const struct workflow_scope *scope, struct lb_diag *diag);

#endif
