/* inspect.c - see inspect.h. */
#include "workflows/expression/inspect.h"

#include "workflows/expression/expr_priv.h"

struct search {
	void (*visit)(void *self, const struct workflow_path *path);
	void *self;
};

static void search(const struct search *s, const struct workflow_expr_node *node, bool flows);

/* ---- paths ---- */

static struct lb_bytes part_of(const struct workflow_expr_node *index)
{
	if (index->kind == NODE_LITERAL && index->value->kind == LB_STRING)
		return index->value->string;
	return LB_B("*");
}

/* From the context on; false where something else is indexed, as in fromJSON(a).b. */
static bool collect(struct workflow_path *path, const struct workflow_expr_node *node)
{
	if (node->kind == NODE_CONTEXT) {
		path->parts[path->count++] = node->name;
		return true;
	}
	if (node->kind != NODE_INDEX || !collect(path, node->items[0]))
		return false;
	if (path->count < WORKFLOW_PATH_PARTS_MAX)
		path->parts[path->count++] = part_of(node->items[1]);
	return true;
}

static void search_indexes(const struct search *s, const struct workflow_expr_node *node)
{
	for (; node->kind == NODE_INDEX; node = node->items[0])
		search(s, node->items[1], false);
}

/* Do the arguments of a function come out of it again? */
static bool passes_on(const struct workflow_function *function)
{
	static const char *const not [] = { "contains", "startsWith", "endsWith", "hashFiles",
		                            NULL };

	for (size_t i = 0; not [i] != NULL; i++) {
		if (lb_bytes_eq_nocase(lb_bytes_of(function->name), lb_bytes_of(not [i])))
			return false;
	}
	return true;
}

static void search(const struct search *s, const struct workflow_expr_node *node, bool flows)
{
	struct workflow_path path = { .flows = flows };
	bool on = flows;

	if (node->kind == NODE_CONTEXT || node->kind == NODE_INDEX) {
		if (collect(&path, node)) {
			s->visit(s->self, &path);
			search_indexes(s, node);
			return;
		}
	}
	if (node->kind == NODE_CALL)
		on = flows && passes_on(node->function);
	else if (node->kind != NODE_AND && node->kind != NODE_OR && node->kind != NODE_INDEX)
		on = false; /* comparing gives true or false */
	for (uint32_t i = 0; i < node->count; i++)
		search(s, node->items[i], on && !(node->kind == NODE_INDEX && i > 0));
}

void workflow_expr_paths(const struct workflow_expr *expr,
                         void (*visit)(void *self, const struct workflow_path *path), void *self)
{
	struct search s = { visit, self };

	if (expr != NULL && expr->root != NULL)
		search(&s, expr->root, true);
}

/* ---- truth ---- */

/* A conjunction is false when any of its parts is, a disjunction when all are. */
static bool is_false(const struct workflow_expr_node *node,
                     bool (*leaf)(const struct workflow_expr_node *node))
{
	if (node->kind != NODE_AND && node->kind != NODE_OR)
		return leaf(node);
	for (uint32_t i = 0; i < node->count; i++) {
		if (is_false(node->items[i], leaf) == (node->kind == NODE_AND))
			return node->kind == NODE_AND;
	}
	return node->kind == NODE_OR;
}

static bool is_falsy_literal(const struct workflow_expr_node *node)
{
	if (node->kind == NODE_NOT)
		return node->items[0]->kind == NODE_LITERAL &&
		       workflow_truthy(node->items[0]->value);
	return node->kind == NODE_LITERAL && !workflow_truthy(node->value);
}

static bool is_success(const struct workflow_expr_node *node)
{
	return is_falsy_literal(node) ||
	       (node->kind == NODE_CALL &&
	        lb_bytes_eq_nocase(lb_bytes_of(node->function->name), LB_B("success")));
}

bool workflow_expr_is_never(const struct workflow_expr *expr)
{
	return expr->root == NULL || is_false(expr->root, is_falsy_literal);
}

bool workflow_expr_needs_success(const struct workflow_expr *expr)
{
	return expr->root == NULL || is_false(expr->root, is_success);
}
