/* expr_priv.h - what the parts of the expression language share. */
#ifndef WORKFLOWS_EXPRESSION_EXPR_PRIV_H
#define WORKFLOWS_EXPRESSION_EXPR_PRIV_H

#include "workflows/expression/expr.h"
#include "workflows/expression/text.h"

/* ---- tokens (lexer.c) ---- */

enum token_kind {
	TOKEN_NONE, /* before the first */
	TOKEN_START_GROUP,
	TOKEN_START_INDEX,
	TOKEN_START_PARAMETERS,
	TOKEN_END_GROUP,
	TOKEN_END_INDEX,
	TOKEN_END_PARAMETERS,
	TOKEN_SEPARATOR,
	TOKEN_DEREFERENCE,
	TOKEN_WILDCARD,
	TOKEN_OPERATOR, /* ! == != < <= > >= && || */
	TOKEN_LITERAL,  /* null, true, false, number, string */
	TOKEN_PROPERTY,
	TOKEN_FUNCTION,
	TOKEN_NAME, /* of a context */
	TOKEN_UNEXPECTED
};

enum node_kind {
	NODE_LITERAL,
	NODE_WILDCARD,
	NODE_CONTEXT,
	NODE_CALL,
	NODE_INDEX,
	NODE_NOT,
	NODE_EQUAL,
	NODE_NOT_EQUAL,
	NODE_LESS,
	NODE_LESS_EQUAL,
	NODE_GREATER,
	NODE_GREATER_EQUAL,
	NODE_AND,
	NODE_OR
};

struct token {
	enum token_kind kind;
	enum node_kind operator;      /* of an operator */
	struct lb_bytes raw;          /* as it stands in the text */
	const struct lb_value *value; /* of a literal */
};

struct lexer {
	struct lb_arena *arena; /* for the literals' values */
	struct lb_bytes text;
	size_t at;            /* offset of the next byte */
	enum token_kind last; /* TOKEN_NONE at first */
	struct lb_buf open;   /* kinds of the brackets that are open, one byte each */
};

void workflow_lexer_init(struct lexer *lexer, struct lb_arena *arena, struct lb_bytes text);
void workflow_lexer_release(struct lexer *lexer);

/* END behind the last token; a symbol that must not stand here is TOKEN_UNEXPECTED; NOMEM. */
lb_err workflow_lexer_next(struct token *out, struct lexer *lexer);

/* ---- the tree ---- */

struct workflow_expr_node {
	enum node_kind kind;
	uint32_t depth; /* 1 for a leaf */
	uint32_t count; /* operands or arguments */
	const struct workflow_expr_node **items;
	const struct lb_value *value;             /* of a literal */
	struct lb_bytes name;                     /* of a context */
	const struct workflow_function *function; /* of a call */
};

/* ---- functions (functions.c) ---- */

/* A value on its way through an evaluation.  `filtered`: what `.*` made, so that the next index
 * is applied to each item. */
struct result {
	const struct lb_value *value;
	bool filtered;
};

struct evaluation {
	struct lb_arena *arena;
	const struct workflow_scope *scope;
	const struct workflow_expr *expr;
	struct lb_diag *diag;
	size_t bytes_used,
		bytes_max; /* texts and arrays made; two bytes a character, as GitHub counts */
	size_t looks, looks_max;
};

struct workflow_function {
	const char *name;
	uint32_t arguments_min, arguments_max;
	uint32_t call; /* WORKFLOW_CALL_*: only where the place allows it; 0: everywhere */
	lb_err (*run)(struct result *out, struct evaluation *ev,
	              const struct workflow_expr_node *call);
};

/* NULL: there is none. */
const struct workflow_function *workflow_function_find(struct lb_bytes name);

lb_err workflow_evaluate_node(struct result *out, struct evaluation *ev,
                              const struct workflow_expr_node *node);

/* Count what was made against the limit: INVALID with GitHub's text. */
lb_err workflow_evaluation_made(struct evaluation *ev, size_t bytes);

/* Count what is looked at, which is what takes time: INVALID beyond the limit. */
lb_err workflow_evaluation_looks(struct evaluation *ev, size_t count);

#endif
