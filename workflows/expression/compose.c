/* compose.c - expressions made of others that have been parsed already.
 *
 * Each is what parsing its text would give; it is parsed only where it comes near a limit, so that
 * parsing may say what is wrong.
 */
#include "workflows/expression/expr_priv.h"

/* success() or format(): not an argument more than it can take, nor a level more. */
enum { ARGUMENTS_MAX = 200, DEPTH_MAX = WORKFLOW_EXPR_DEPTH_MAX - 1 };

static struct workflow_expr_node *call_new(struct lb_arena *arena, const char *function,
                                           size_t arguments)
{
	struct workflow_expr_node *node = LB_ARENA_NEW(arena, struct workflow_expr_node, 1);

	if (node == NULL)
		return NULL;
	node->kind = NODE_CALL;
	node->depth = 1;
	node->name = lb_bytes_of(function);
	node->function = workflow_function_find(node->name);
	node->items = LB_ARENA_NEW(arena, const struct workflow_expr_node *, arguments);
	return node->items != NULL ? node : NULL;
}

static void add_item(struct workflow_expr_node *node, const struct workflow_expr_node *item)
{
	node->items[node->count++] = item;
	if (item->depth + 1 > node->depth)
		node->depth = item->depth + 1;
}

static lb_err take(const struct workflow_expr **out, struct lb_arena *arena, struct lb_bytes text,
                   const struct workflow_expr_node *root, uint32_t contexts, uint32_t calls)
{
	struct workflow_expr *expr = LB_ARENA_NEW(arena, struct workflow_expr, 1);

	if (arena->failed || expr == NULL || root == NULL)
		return lb_err_of(LB_E_NOMEM);
	*expr = (struct workflow_expr){ text, root, contexts, calls };
	*out = expr;
	return LB_OK;
}

/* ---- success() && (a) ---- */

static const struct workflow_expr_node *both(struct lb_arena *arena,
                                             const struct workflow_expr_node *first,
                                             const struct workflow_expr_node *second)
{
	struct workflow_expr_node *node = LB_ARENA_NEW(arena, struct workflow_expr_node, 1);
	bool flat = second->kind == NODE_AND;

	if (node == NULL || first == NULL)
		return NULL;
	node->kind = NODE_AND;
	node->items = LB_ARENA_NEW(arena, const struct workflow_expr_node *,
	                           1 + (flat ? second->count : 1));
	if (node->items == NULL)
		return NULL;
	add_item(node, first);
	for (uint32_t i = 0; flat && i < second->count; i++)
		add_item(node, second->items[i]);
	if (!flat)
		add_item(node, second);
	return node;
}

static struct lb_bytes join(struct lb_arena *arena, struct lb_bytes a, struct lb_bytes b,
                            struct lb_bytes c)
{
	unsigned char *text = LB_ARENA_NEW(arena, unsigned char, a.len + b.len + c.len + 1);

	if (text == NULL)
		return (struct lb_bytes){ 0 };
	memcpy(text, a.at, a.len);
	memcpy(text + a.len, b.at, b.len);
	memcpy(text + a.len + b.len, c.at, c.len);
	return (struct lb_bytes){ text, a.len + b.len + c.len };
}

lb_err workflow_expr_after_success(const struct workflow_expr **out, struct lb_arena *arena,
                                   const struct workflow_expr *condition,
                                   const struct workflow_allow *allow, struct lb_diag *diag)
{
	const struct workflow_expr_node *root = condition->root;
	struct lb_bytes text = LB_B("success()");

	*out = NULL;
	if (root != NULL)
		text = join(arena, LB_B("success() && ("), condition->text, LB_B(")"));
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (text.len > WORKFLOW_EXPR_LENGTH_MAX || (root != NULL && root->depth > DEPTH_MAX))
		return workflow_expr_parse(out, arena, text, allow, diag);
	root = root == NULL ? call_new(arena, "success", 0)
	                    : both(arena, call_new(arena, "success", 0), root);
	return take(out, arena, text, root, condition->contexts,
	            condition->calls | WORKFLOW_CALL_STATUS_OF);
}

/* ---- format('{0}b', a) ---- */

/* Two quotes are one. */
static const struct lb_value *unquoted(struct lb_arena *arena, struct lb_bytes text)
{
	unsigned char *out = LB_ARENA_NEW(arena, unsigned char, text.len + 1);
	size_t len = 0;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < text.len; i++) {
		out[len++] = text.at[i];
		i += text.at[i] == '\'';
	}
	return lb_value_string(arena, (struct lb_bytes){ out, len });
}

lb_err workflow_expr_format(const struct workflow_expr **out, struct lb_arena *arena,
                            struct lb_bytes text, struct lb_bytes format,
                            const struct workflow_expr *const *arguments, size_t count,
                            const struct workflow_allow *allow, struct lb_diag *diag)
{
	struct workflow_expr_node *call, *first;
	uint32_t contexts = 0, calls = 0;

	*out = NULL;
	for (size_t i = 0; i < count; i++) {
		if (arguments[i]->root == NULL || arguments[i]->root->depth > DEPTH_MAX)
			return workflow_expr_parse(out, arena, text, allow, diag);
	}
	if (text.len > WORKFLOW_EXPR_LENGTH_MAX || count > ARGUMENTS_MAX)
		return workflow_expr_parse(out, arena, text, allow, diag);
	call = call_new(arena, "format", 1 + count);
	first = LB_ARENA_NEW(arena, struct workflow_expr_node, 1);
	if (call == NULL || first == NULL)
		return lb_err_of(LB_E_NOMEM);
	*first = (struct workflow_expr_node){ .kind = NODE_LITERAL,
		                              .depth = 1,
		                              .value = unquoted(arena, format) };
	add_item(call, first);
	for (size_t i = 0; i < count; i++) {
		add_item(call, arguments[i]->root);
		contexts |= arguments[i]->contexts;
		calls |= arguments[i]->calls;
	}
	return take(out, arena, lb_arena_bytes(arena, text), call, contexts, calls);
}
