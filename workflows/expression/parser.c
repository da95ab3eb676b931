/* parser.c - words into a tree, by operator precedence.
 *
 * Two stacks and no recursion: brackets may nest as deep as the text is long, only the
 * depth of the finished tree is limited.  a && b && c is one node with three
 * operands, as GitHub counts depth.
 *
 * Invariant: every word on the operator stack has its left operands on the operand
 * stack; the lexer has made sure that there are enough.
 */
#include "workflows/expression/expr_priv.h"

#include "base/vec.h"

struct parser {
	struct lb_arena *arena;
	struct lb_bytes text;
	const struct workflow_allow *allow;
	struct lb_diag *diag;
	struct workflow_expr *expr;
	struct lb_vec operands;  /* const struct workflow_expr_node * */
	struct lb_vec operators; /* struct token */
	struct token last;
};

/* ---- errors ---- */

static lb_err fail(struct parser *p, const char *what, struct lb_bytes symbol)
{
	size_t offset = (size_t)(symbol.at - p->text.at);
	size_t position = workflow_utf16_length(lb_bytes_upto(p->text, offset)) + 1;

	lb_diag_set(p->diag, "%s: '%.*s'. Located at position %zu within expression: %.*s", what,
	            LB_FMT(symbol), position, LB_FMT(p->text));
	return lb_err_at(LB_E_INVALID, position);
}

static lb_err fail_whole(struct parser *p, const char *what, int limit)
{
	lb_diag_set(p->diag, "%s %d", what, limit);
	return lb_err_of(LB_E_INVALID);
}

/* ---- the stacks ---- */

static lb_err push(struct parser *p, const struct workflow_expr_node *node)
{
	const struct workflow_expr_node **slot = lb_vec_add(&p->operands);

	if (slot == NULL || node == NULL)
		return lb_err_of(LB_E_NOMEM);
	*slot = node;
	return LB_OK;
}

static const struct workflow_expr_node **operands_from(struct parser *p, size_t index)
{
	return lb_vec_item(&p->operands, index);
}

static const struct token *top(const struct parser *p)
{
	return lb_vec_item(&p->operators, p->operators.count - 1);
}

/* ---- nodes ---- */

static struct workflow_expr_node *node_new(struct parser *p, enum node_kind kind)
{
	struct workflow_expr_node *node = LB_ARENA_NEW(p->arena, struct workflow_expr_node, 1);

	if (node != NULL) {
		node->kind = kind;
		node->depth = 1;
	}
	return node;
}

/* Operands of && below && and of || below || become the node's own. */
static bool flattens(enum node_kind kind, const struct workflow_expr_node *item)
{
	return (kind == NODE_AND || kind == NODE_OR) && item->kind == kind;
}

/* The last `count` operands become the node's; its depth is theirs and one. */
static lb_err take_operands(struct parser *p, struct workflow_expr_node *node, size_t count)
{
	size_t first = p->operands.count - count, total = 0;

	assert(count <= p->operands.count);
	for (size_t i = 0; i < count; i++) {
		const struct workflow_expr_node *item = *operands_from(p, first + i);

		total += flattens(node->kind, item) ? item->count : 1;
	}
	node->items = LB_ARENA_NEW(p->arena, const struct workflow_expr_node *, total);
	if (node->items == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < count; i++) {
		const struct workflow_expr_node *item = *operands_from(p, first + i);
		bool flat = flattens(node->kind, item);
		uint32_t depth = flat ? item->depth : item->depth + 1;

		if (flat) {
			memcpy(&node->items[node->count], item->items,
			       item->count * sizeof *item->items);
			node->count += item->count;
		} else {
			node->items[node->count++] = item;
		}
		if (depth > node->depth)
			node->depth = depth;
	}
	p->operands.count = first;
	return LB_OK;
}

/* ---- reducing ---- */

/* An operator without a closing bracket: logical, or ".". */
static lb_err reduce_operator(struct parser *p)
{
	struct token token = *top(p);
	enum node_kind kind = token.kind == TOKEN_OPERATOR ? token.operator: NODE_INDEX;
	struct workflow_expr_node *node = node_new(p, kind);

	if (node == NULL)
		return lb_err_of(LB_E_NOMEM);
	p->operators.count--;
	LB_TRY(take_operands(p, node, kind == NODE_NOT ? 1 : 2));
	return push(p, node);
}

static void check_arguments(const char **what, const struct workflow_function *function,
                            uint32_t count)
{
	*what = NULL;
	if (count < function->arguments_min)
		*what = "Too few parameters supplied";
	else if (count > function->arguments_max)
		*what = "Too many parameters supplied";
	else if (strcmp(function->name, "case") == 0 && count % 2 == 0)
		*what = "Even number of parameters supplied, requires an odd number of parameters";
}

static uint32_t arguments_max(const struct parser *p, const struct workflow_function *function)
{
	bool named = p->allow == NULL || (p->allow->calls & WORKFLOW_CALL_STATUS_OF) != 0;

	return function->call == WORKFLOW_CALL_STATUS_OF && !named ? 0 : function->arguments_max;
}

/* ")" of a call: its arguments stand on the operand stack above the call's node. */
static lb_err reduce_call(struct parser *p)
{
	size_t count = p->last.kind == TOKEN_START_PARAMETERS ? 0 : 1;
	struct workflow_function function;
	struct workflow_expr_node *call;
	const char *what;

	while (top(p)->kind == TOKEN_SEPARATOR) {
		p->operators.count--;
		count++;
	}
	p->operators.count--; /* "(" */
	call = (struct workflow_expr_node *)(uintptr_t)*operands_from(p, p->operands.count - 1 -
	                                                                         count);
	function = *call->function;
	function.arguments_max = arguments_max(p, call->function);
	check_arguments(&what, &function, (uint32_t)count);
	if (what != NULL)
		return fail(p, what, call->name);
	return take_operands(p, call, count);
}

/* A closing bracket has come: everything above its opening one is reduced already. */
static lb_err reduce_bracket(struct parser *p, const struct token *token)
{
	struct workflow_expr_node *node;

	if (token->kind == TOKEN_END_PARAMETERS)
		return reduce_call(p);
	p->operators.count--; /* "(" or "[" */
	if (token->kind == TOKEN_END_GROUP)
		return LB_OK;
	node = node_new(p, NODE_INDEX);
	if (node == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(take_operands(p, node, 2));
	return push(p, node);
}

static bool is_closing(const struct token *token)
{
	return token->kind == TOKEN_END_GROUP || token->kind == TOKEN_END_INDEX ||
	       token->kind == TOKEN_END_PARAMETERS;
}

/* How tightly an operator binds; closing brackets and "," bind nothing. */
static int precedence(const struct token *token)
{
	static const int of_operator[] = {
		[NODE_NOT] = 16,       [NODE_GREATER] = 11,    [NODE_GREATER_EQUAL] = 11,
		[NODE_LESS] = 11,      [NODE_LESS_EQUAL] = 11, [NODE_EQUAL] = 10,
		[NODE_NOT_EQUAL] = 10, [NODE_AND] = 6,         [NODE_OR] = 5,
	};

	if (token->kind == TOKEN_OPERATOR)
		return of_operator[token->operator];
	return is_closing(token) || token->kind == TOKEN_SEPARATOR ? 1 : 19;
}

static bool is_fence(const struct token *token)
{
	return token->kind == TOKEN_START_GROUP || token->kind == TOKEN_START_INDEX ||
	       token->kind == TOKEN_START_PARAMETERS || token->kind == TOKEN_SEPARATOR;
}

static lb_err take_operator(struct parser *p, const struct token *token)
{
	bool right_to_left = token->kind == TOKEN_START_GROUP ||
	                     (token->kind == TOKEN_OPERATOR && token->operator== NODE_NOT);
	struct token *slot;

	while (!right_to_left && p->operators.count > 0 && !is_fence(top(p)) &&
	       precedence(token) <= precedence(top(p)))
		LB_TRY(reduce_operator(p));
	if (is_closing(token))
		return reduce_bracket(p, token);
	slot = lb_vec_add(&p->operators);
	if (slot == NULL)
		return lb_vec_check(&p->operators);
	*slot = *token;
	return LB_OK;
}

/* ---- operands ---- */

static bool find_context(uint32_t *bit, struct lb_bytes name)
{
	static const char *const names[] = {
#define CONTEXT(name) #name,
#include "workflows/expression/contexts.def"
#undef CONTEXT
	};

	for (uint32_t i = 0; i < WORKFLOW_CONTEXT_COUNT; i++) {
		if (lb_bytes_eq_nocase(name, lb_bytes_of(names[i]))) {
			*bit = UINT32_C(1) << i;
			return true;
		}
	}
	return false;
}

static lb_err take_name(struct parser *p, const struct token *token)
{
	struct workflow_expr_node *node = node_new(p, NODE_CONTEXT);
	const struct workflow_allow *allow = p->allow;
	uint32_t bit = 0;
	bool known = find_context(&bit, token->raw);

	if (allow != NULL)
		known = (known && (allow->contexts & bit) != 0) ||
		        workflow_member(allow->others, token->raw) != NULL;
	if (!known)
		return fail(p, "Unrecognized named-value", token->raw);
	if (node == NULL)
		return lb_err_of(LB_E_NOMEM);
	node->name = token->raw;
	p->expr->contexts |= bit;
	return push(p, node);
}

static bool allows_call(const struct parser *p, const struct workflow_function *function)
{
	uint32_t either = WORKFLOW_CALL_STATUS | WORKFLOW_CALL_STATUS_OF;
	uint32_t need = function->call;

	if (p->allow == NULL || need == 0)
		return true;
	if ((need & either) != 0) /* how many arguments they take is checked with them */
		need = either;
	return (p->allow->calls & need) != 0;
}

static lb_err take_function(struct parser *p, const struct token *token)
{
	const struct workflow_function *function = workflow_function_find(token->raw);
	struct workflow_expr_node *node = node_new(p, NODE_CALL);

	if (function == NULL || !allows_call(p, function))
		return fail(p, "Unrecognized function", token->raw);
	if (node == NULL)
		return lb_err_of(LB_E_NOMEM);
	node->function = function;
	node->name = token->raw;
	p->expr->calls |= function->call;
	return push(p, node);
}

static lb_err take_operand(struct parser *p, const struct token *token)
{
	struct workflow_expr_node *node;

	if (token->kind == TOKEN_FUNCTION)
		return take_function(p, token);
	if (token->kind == TOKEN_NAME)
		return take_name(p, token);
	node = node_new(p, token->kind == TOKEN_WILDCARD ? NODE_WILDCARD : NODE_LITERAL);
	if (node == NULL)
		return lb_err_of(LB_E_NOMEM);
	node->value = token->value;
	if (token->kind == TOKEN_PROPERTY)
		node->value = lb_value_string(p->arena, token->raw);
	return push(p, node);
}

/* ---- the whole ---- */

static bool is_operator(const struct token *token)
{
	return is_fence(token) || is_closing(token) || token->kind == TOKEN_DEREFERENCE ||
	       token->kind == TOKEN_OPERATOR;
}

static lb_err take_tokens(struct parser *p, struct lexer *lexer)
{
	struct token token;
	lb_err err;

	for (;;) {
		err = workflow_lexer_next(&token, lexer);
		if (lb_code_of(err) == LB_E_END)
			return LB_OK;
		LB_TRY(err);
		if (token.kind == TOKEN_UNEXPECTED)
			return fail(p, "Unexpected symbol", token.raw);
		LB_TRY(is_operator(&token) ? take_operator(p, &token) : take_operand(p, &token));
		p->last = token;
	}
}

static lb_err finish(struct parser *p, const struct lexer *lexer)
{
	const struct token *last = &p->last;

	if (last->kind == TOKEN_NONE)
		return LB_OK;
	if (p->operators.count > 0 && (lexer->open.len > 0 || last->kind == TOKEN_FUNCTION ||
	                               (is_operator(last) && !is_closing(last))))
		return fail(p, "Unexpected end of expression", last->raw);
	while (p->operators.count > 0)
		LB_TRY(reduce_operator(p));
	assert(p->operands.count == 1);
	p->expr->root = *operands_from(p, 0);
	if (p->expr->root->depth > WORKFLOW_EXPR_DEPTH_MAX)
		return fail_whole(p, "Exceeded max expression depth", WORKFLOW_EXPR_DEPTH_MAX);
	return LB_OK;
}

static lb_err parse(struct parser *p)
{
	struct lexer lexer;
	lb_err err;

	workflow_lexer_init(&lexer, p->arena, p->text);
	err = take_tokens(p, &lexer);
	if (!lb_failed(err))
		err = finish(p, &lexer);
	workflow_lexer_release(&lexer);
	return p->arena->failed ? lb_err_of(LB_E_NOMEM) : err;
}

lb_err workflow_expr_parse(const struct workflow_expr **out, struct lb_arena *arena,
                           struct lb_bytes text, const struct workflow_allow *allow,
                           struct lb_diag *diag)
{
	struct workflow_expr *expr = LB_ARENA_NEW(arena, struct workflow_expr, 1);
	struct parser p = { .arena = arena, .allow = allow, .diag = diag, .expr = expr };
	lb_err err;

	*out = NULL;
	if (text.len > WORKFLOW_EXPR_LENGTH_MAX &&
	    workflow_utf16_length(text) > WORKFLOW_EXPR_LENGTH_MAX)
		return fail_whole(&p, "Exceeded max expression length", WORKFLOW_EXPR_LENGTH_MAX);
	p.text = lb_arena_bytes(arena, text);
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	expr->text = p.text;
	lb_vec_init(&p.operands, arena->under, sizeof(const struct workflow_expr_node *),
	            WORKFLOW_EXPR_LENGTH_MAX);
	lb_vec_init(&p.operators, arena->under, sizeof(struct token), WORKFLOW_EXPR_LENGTH_MAX);
	err = parse(&p);
	lb_vec_release(&p.operands);
	lb_vec_release(&p.operators);
	if (!lb_failed(err))
		*out = expr;
	if (lb_code_of(err) == LB_E_NOMEM)
		arena->failed = true; /* for those who check once at the end */
	return err;
}
