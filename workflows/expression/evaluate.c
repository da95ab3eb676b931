/* evaluate.c - the value of an expression's tree.
 *
 * Recursion is as deep as the tree, which the parser has limited.  Values are
 * shared, never copied: a context's member is the context's own.
 */
#include "workflows/expression/expr_priv.h"

#include <math.h>

enum { BYTES_MAX_DEFAULT = 10 << 20, LOOKS_MAX_DEFAULT = 1 << 30 };

static const struct lb_value empty_array = { .kind = LB_ARRAY };

lb_err workflow_evaluation_made(struct evaluation *ev, size_t bytes)
{
	if (ev->bytes_used <= ev->bytes_max && bytes <= ev->bytes_max - ev->bytes_used) {
		ev->bytes_used += bytes;
		return LB_OK;
	}
	return lb_fail(ev->diag, LB_E_INVALID,
	               "The maximum allowed memory size was exceeded while evaluating the "
	               "following expression: %.*s",
	               LB_FMT(ev->expr->text));
}

lb_err workflow_evaluation_looks(struct evaluation *ev, size_t count)
{
	if (ev->looks <= ev->looks_max && count <= ev->looks_max - ev->looks) {
		ev->looks += count;
		return LB_OK;
	}
	return lb_fail(ev->diag, LB_E_INVALID, "The following expression takes too long: %.*s",
	               LB_FMT(ev->expr->text));
}

/* ---- a[b], a.b, a.* ---- */

struct key {
	bool wildcard, has_text, has_index;
	struct lb_bytes text;
	uint32_t index;
};

static lb_err read_key(struct key *out, struct evaluation *ev,
                       const struct workflow_expr_node *node)
{
	struct result result;
	double number;

	*out = (struct key){ .wildcard = node->kind == NODE_WILDCARD };
	if (out->wildcard)
		return LB_OK;
	LB_TRY(workflow_evaluate_node(&result, ev, node));
	out->has_text = workflow_is_primitive(result.value);
	if (out->has_text)
		out->text = workflow_to_text(ev->arena, result.value);
	number = workflow_to_number(result.value);
	out->has_index = !isnan(number) && number >= 0 && number <= INT32_MAX;
	if (out->has_index)
		out->index = (uint32_t)number;
	return LB_OK;
}

static const struct lb_value *pick(const struct lb_value *from, const struct key *key)
{
	if (from->kind == LB_OBJECT && key->has_text)
		return workflow_member(from, key->text);
	if (from->kind == LB_ARRAY && key->has_index && key->index < from->count)
		return from->items[key->index];
	return NULL;
}

static void add(struct evaluation *ev, struct lb_value *array, const struct lb_value *item)
{
	lb_value_add(ev->arena, array, workflow_share(item));
	ev->bytes_used += sizeof(void *);
}

static void add_all(struct evaluation *ev, struct lb_value *array, const struct lb_value *from)
{
	for (uint32_t i = 0; i < from->count; i++)
		add(ev, array, from->kind == LB_OBJECT ? from->members[i].value : from->items[i]);
}

static lb_err give_filtered(struct result *out, struct evaluation *ev, const struct lb_value *array)
{
	*out = (struct result){ array, true };
	return workflow_evaluation_made(ev, 0);
}

/* The index applied to each item of what `.*` made; items it does not fit are left out. */
static lb_err index_filtered(struct result *out, struct evaluation *ev,
                             const struct lb_value *items, const struct key *key)
{
	struct lb_value *array = lb_value_array(ev->arena);

	LB_TRY(workflow_evaluation_looks(ev, items->count));
	for (uint32_t i = 0; i < items->count; i++) {
		const struct lb_value *item = items->items[i], *found;

		if (workflow_is_primitive(item))
			continue;
		if (key->wildcard) {
			add_all(ev, array, item);
			continue;
		}
		found = pick(item, key);
		if (found != NULL)
			add(ev, array, found);
	}
	return give_filtered(out, ev, array);
}

static lb_err evaluate_index(struct result *out, struct evaluation *ev,
                             const struct workflow_expr_node *node)
{
	const struct lb_value *found;
	struct lb_value *array;
	struct result left;
	struct key key;

	LB_TRY(workflow_evaluate_node(&left, ev, node->items[0]));
	LB_TRY(read_key(&key, ev, node->items[1]));
	if (left.filtered)
		return index_filtered(out, ev, left.value, &key);
	if (!key.wildcard) {
		found = pick(left.value, &key);
		*out = (struct result){ found != NULL ? found : &workflow_null, false };
		return LB_OK;
	}
	if (workflow_is_primitive(left.value)) {
		*out = (struct result){ &empty_array, true };
		return LB_OK;
	}
	array = lb_value_array(ev->arena);
	add_all(ev, array, left.value);
	return give_filtered(out, ev, array);
}

/* ---- operators ---- */

static lb_err evaluate_logical(struct result *out, struct evaluation *ev,
                               const struct workflow_expr_node *node)
{
	bool until = node->kind == NODE_OR; /* the truth at which it is decided */

	for (uint32_t i = 0; i < node->count; i++) {
		LB_TRY(workflow_evaluate_node(out, ev, node->items[i]));
		if (workflow_truthy(out->value) == until)
			break;
	}
	return LB_OK;
}

/* Which orders of its operands make a comparison true. */
static const unsigned accepts[] = {
	[NODE_EQUAL] = 1u << WORKFLOW_SAME,
	[NODE_NOT_EQUAL] = 1u << WORKFLOW_LESS | 1u << WORKFLOW_GREATER | 1u << WORKFLOW_UNORDERED,
	[NODE_LESS] = 1u << WORKFLOW_LESS,
	[NODE_LESS_EQUAL] = 1u << WORKFLOW_LESS | 1u << WORKFLOW_SAME,
	[NODE_GREATER] = 1u << WORKFLOW_GREATER,
	[NODE_GREATER_EQUAL] = 1u << WORKFLOW_GREATER | 1u << WORKFLOW_SAME,
};

static size_t text_length(const struct lb_value *value)
{
	return value->kind == LB_STRING ? value->string.len : 0;
}

static lb_err evaluate_comparison(struct result *out, struct evaluation *ev,
                                  const struct workflow_expr_node *node)
{
	struct result a, b;
	bool holds;

	LB_TRY(workflow_evaluate_node(&a, ev, node->items[0]));
	LB_TRY(workflow_evaluate_node(&b, ev, node->items[1]));
	LB_TRY(workflow_evaluation_looks(ev, text_length(a.value) + text_length(b.value)));
	holds = (accepts[node->kind] & 1u << workflow_compare(a.value, b.value)) != 0;
	out->value = holds ? &workflow_true : &workflow_false;
	return LB_OK;
}

static lb_err evaluate_not(struct result *out, struct evaluation *ev,
                           const struct workflow_expr_node *node)
{
	struct result operand;

	LB_TRY(workflow_evaluate_node(&operand, ev, node->items[0]));
	out->value = workflow_truthy(operand.value) ? &workflow_false : &workflow_true;
	return LB_OK;
}

static void evaluate_context(struct result *out, struct evaluation *ev,
                             const struct workflow_expr_node *node)
{
	const struct lb_value *value = workflow_member(ev->scope->contexts, node->name);

	if (value != NULL)
		out->value = value;
}

lb_err workflow_evaluate_node(struct result *out, struct evaluation *ev,
                              const struct workflow_expr_node *node)
{
	*out = (struct result){ &workflow_null, false };
	switch (node->kind) {
	case NODE_LITERAL: out->value = node->value; return LB_OK;
	case NODE_CONTEXT: evaluate_context(out, ev, node); return LB_OK;
	case NODE_CALL: return node->function->run(out, ev, node);
	case NODE_INDEX: return evaluate_index(out, ev, node);
	case NODE_NOT: return evaluate_not(out, ev, node);
	case NODE_AND:
	case NODE_OR: return evaluate_logical(out, ev, node);
	case NODE_EQUAL:
	case NODE_NOT_EQUAL:
	case NODE_LESS:
	case NODE_LESS_EQUAL:
	case NODE_GREATER:
	case NODE_GREATER_EQUAL: return evaluate_comparison(out, ev, node);
	case NODE_WILDCARD: return LB_OK; /* read by the index it stands in */
	}
	return LB_OK;
}

lb_err workflow_expr_evaluate(const struct lb_value **out, struct lb_arena *arena,
                              const struct workflow_expr *expr, const struct workflow_scope *scope,
                              struct lb_diag *diag)
{
	static const struct workflow_scope nothing = { 0 };
	struct evaluation ev = { .arena = arena, .expr = expr, .diag = diag };
	struct result result = { &workflow_null, false };
	lb_err err = LB_OK;

	*out = NULL;
	ev.scope = scope != NULL ? scope : &nothing;
	ev.looks_max = ev.scope->looks_max != 0 ? ev.scope->looks_max : LOOKS_MAX_DEFAULT;
	ev.bytes_max = ev.scope->bytes_max != 0 ? ev.scope->bytes_max : BYTES_MAX_DEFAULT;
	if (expr->root != NULL)
		err = workflow_evaluate_node(&result, &ev, expr->root);
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (!lb_failed(err))
		*out = result.value;
	return err;
}
