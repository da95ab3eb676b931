/* token.c - looking into tokens, and evaluating them. */
#include "workflows/syntax/schema.h"

#include <math.h>

const struct workflow_token *workflow_token_find(const struct workflow_token *mapping,
                                                 const char *key)
{
	struct lb_bytes name = lb_bytes_of(key);

	if (mapping == NULL || mapping->kind != WORKFLOW_MAPPING)
		return NULL;
	for (uint32_t i = 0; i < mapping->count; i += 2) {
		const struct workflow_token *found = mapping->items[i];

		if (found->text.len == name.len && found->kind == WORKFLOW_STRING &&
		    lb_bytes_eq_nocase(found->text, name))
			return mapping->items[i + 1];
	}
	return NULL;
}

bool workflow_token_has_expression(const struct workflow_token *token)
{
	if (token == NULL)
		return false;
	if (token->kind == WORKFLOW_EXPRESSION || token->kind == WORKFLOW_INSERT)
		return true;
	for (uint32_t i = 0; i < token->count; i++) {
		if (workflow_token_has_expression(token->items[i]))
			return true;
	}
	return false;
}

/* ---- evaluating ---- */

/* Depth is that of the file, which the reader has limited. */
struct evaluator {
	struct lb_arena *arena;
	const struct workflow_scope *scope;
	struct lb_diag *diag;
};

static lb_err evaluate(const struct lb_value **out, struct evaluator *ev,
                       const struct workflow_token *token);

static lb_err evaluate_expression(const struct lb_value **out, struct evaluator *ev,
                                  const struct workflow_token *token)
{
	lb_err err = workflow_expr_evaluate(out, ev->arena, token->expr, ev->scope, ev->diag);

	if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM && token->line > 0)
		lb_diag_prefix(ev->diag, "(Line: %u, Col: %u)", token->line, token->column);
	return err;
}

static lb_err evaluate_sequence(const struct lb_value **out, struct evaluator *ev,
                                const struct workflow_token *token)
{
	struct lb_value *array = lb_value_array(ev->arena);

	for (uint32_t i = 0; i < token->count; i++) {
		const struct lb_value *item;

		LB_TRY(evaluate(&item, ev, token->items[i]));
		lb_value_add(ev->arena, array, workflow_share(item));
	}
	*out = array;
	return LB_OK;
}

static lb_err unexpected(struct evaluator *ev, const struct workflow_token *token, const char *what)
{
	return lb_fail(ev->diag, LB_E_INVALID, "(Line: %u, Col: %u): %s", token->line,
	               token->column, what);
}

/* ${{ insert }}: the members of the value stand in the mapping itself. */
static lb_err insert(struct lb_value *object, struct evaluator *ev,
                     const struct workflow_token *key, const struct lb_value *value)
{
	if (value->kind != LB_OBJECT)
		return unexpected(ev, key, "Expected a mapping");
	for (uint32_t i = 0; i < value->count; i++)
		lb_value_set(ev->arena, object, value->members[i].key, value->members[i].value);
	return LB_OK;
}

static lb_err evaluate_mapping(const struct lb_value **out, struct evaluator *ev,
                               const struct workflow_token *token)
{
	struct lb_value *object = lb_value_object(ev->arena);

	for (uint32_t i = 0; i < token->count; i += 2) {
		const struct workflow_token *key_token = token->items[i];
		const struct lb_value *key, *value;

		LB_TRY(evaluate(&value, ev, token->items[i + 1]));
		if (key_token->kind == WORKFLOW_INSERT) {
			LB_TRY(insert(object, ev, key_token, value));
			continue;
		}
		LB_TRY(evaluate(&key, ev, key_token));
		if (!workflow_is_primitive(key))
			return unexpected(ev, key_token, "Expected a scalar value");
		lb_value_set(ev->arena, object, workflow_to_text(ev->arena, key),
		             workflow_share(value));
	}
	*out = object;
	return LB_OK;
}

static lb_err evaluate(const struct lb_value **out, struct evaluator *ev,
                       const struct workflow_token *token)
{
	*out = &workflow_null;
	switch (token->kind) {
	case WORKFLOW_STRING: *out = lb_value_string(ev->arena, token->text); break;
	case WORKFLOW_BOOLEAN: *out = token->boolean ? &workflow_true : &workflow_false; break;
	case WORKFLOW_NUMBER: *out = lb_value_number(ev->arena, token->number); break;
	case WORKFLOW_EXPRESSION: return evaluate_expression(out, ev, token);
	case WORKFLOW_SEQUENCE: return evaluate_sequence(out, ev, token);
	case WORKFLOW_MAPPING: return evaluate_mapping(out, ev, token);
	case WORKFLOW_NULL:
	case WORKFLOW_INSERT: break;
	}
	return LB_OK;
}

lb_err workflow_token_evaluate(const struct lb_value **out, struct lb_arena *arena,
                               const struct workflow_token *token,
                               const struct workflow_scope *scope, struct lb_diag *diag)
{
	struct evaluator ev = { .arena = arena, .scope = scope, .diag = diag };
	lb_err err = LB_OK;

	*out = &workflow_null;
	if (token != NULL)
		err = evaluate(out, &ev, token);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : err;
}

/* ---- as one type ---- */

static lb_err wrong_type(const struct workflow_token *token, const struct lb_value *got,
                         const char *wanted, struct lb_diag *diag)
{
	static const char *const names[] = {
		[LB_NULL] = "null",       [LB_BOOL] = "a boolean",   [LB_NUMBER] = "a number",
		[LB_STRING] = "a string", [LB_ARRAY] = "a sequence", [LB_OBJECT] = "a mapping",
	};

	return lb_fail(diag, LB_E_INVALID, "(Line: %u, Col: %u): expected %s, got %s", token->line,
	               token->column, wanted, names[got->kind]);
}

lb_err workflow_token_text(struct lb_bytes *out, struct lb_arena *arena,
                           const struct workflow_token *token, const struct workflow_scope *scope,
                           struct lb_diag *diag)
{
	const struct lb_value *value;

	*out = (struct lb_bytes){ 0 };
	LB_TRY(workflow_token_evaluate(&value, arena, token, scope, diag));
	if (!workflow_is_primitive(value))
		return wrong_type(token, value, "a string", diag);
	*out = workflow_to_text(arena, value);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err workflow_token_boolean(bool *out, struct lb_arena *arena, const struct workflow_token *token,
                              const struct workflow_scope *scope, struct lb_diag *diag)
{
	const struct lb_value *value;

	*out = false;
	LB_TRY(workflow_token_evaluate(&value, arena, token, scope, diag));
	if (value->kind == LB_NULL)
		return LB_OK;
	if (value->kind == LB_STRING && lb_bytes_is(value->string, "true"))
		*out = true;
	else if (value->kind == LB_BOOL)
		*out = value->boolean;
	else if (value->kind != LB_STRING ||
	         (value->string.len > 0 && !lb_bytes_is(value->string, "false")))
		return wrong_type(token, value, "true or false", diag);
	return LB_OK;
}

lb_err workflow_token_number(double *out, struct lb_arena *arena,
                             const struct workflow_token *token, const struct workflow_scope *scope,
                             struct lb_diag *diag)
{
	const struct lb_value *value;

	*out = 0;
	LB_TRY(workflow_token_evaluate(&value, arena, token, scope, diag));
	if (value->kind == LB_BOOL)
		return wrong_type(token, value, "a number", diag);
	*out = workflow_to_number(value);
	return isnan(*out) ? wrong_type(token, value, "a number", diag) : LB_OK;
}

lb_err workflow_condition(bool *out, struct lb_arena *arena, const struct workflow_token *condition,
                          const struct workflow_scope *scope, struct lb_diag *diag)
{
	const struct lb_value *value;

	*out = false;
	LB_TRY(workflow_token_evaluate(&value, arena, condition, scope, diag));
	*out = workflow_truthy(value);
	return LB_OK;
}
