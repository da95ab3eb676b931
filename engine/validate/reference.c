/* reference.c - references: null, functions, casts, and branches by them. */
#include "engine/validate/validate_priv.h"

/* The type above all of a reference's kind. */
static engine_type top_of(const struct engine_validator *v, engine_type type)
{
	switch (type & 0xff) {
	case ENGINE_REF:
		return def_type(v, engine_type_index(type))->kind == ENGINE_COMPOSITE_FUNC
		               ? ENGINE_FUNCREF
		               : ENGINE_ANYREF;
	case ENGINE_FUNCREF:
	case ENGINE_NULLFUNCREF: return ENGINE_FUNCREF;
	case ENGINE_EXTERNREF:
	case ENGINE_NULLEXTERNREF: return ENGINE_EXTERNREF;
	case ENGINE_EXNREF:
	case ENGINE_NULLEXNREF: return ENGINE_EXNREF;
	default: return ENGINE_ANYREF;
	}
}

static engine_type non_null(engine_type type)
{
	return type == TYPE_ANY_REF ? type : type | ENGINE_NON_NULL;
}

static struct condition zero_test(uint32_t slot, bool is_zero)
{
	return (struct condition){ .code = is_zero ? ENGINE_CODE_I64_EQ_IMM
		                                   : ENGINE_CODE_I64_NE_IMM,
		                   .a = slot,
		                   .has_imm = true };
}

/* ---- null and functions ---- */

static lb_err ref_null_op(struct engine_validator *v)
{
	engine_type type = 0;

	LB_TRY(engine_read_heap_type(&type, &v->r, v->module));
	return engine_validate_push_const(v, type, 0);
}

static lb_err ref_is_null_op(struct engine_validator *v)
{
	struct operand value;
	uint32_t to;

	LB_TRY(engine_validate_pop_ref(&value, v));
	to = v->slot_top;
	engine_emit_compare(v, ENGINE_CODE_I64_EQ_IMM, ab_imm(to, engine_emit_slot(v, &value), 0),
	                    true);
	return engine_validate_push(v, ENGINE_I32);
}

static lb_err ref_func_op(struct engine_validator *v)
{
	struct engine_module *m = v->module;
	engine_type type = ENGINE_FUNCREF;
	uint32_t func = 0;

	LB_TRY(engine_validate_index(&func, v, m->func_count, "function"));
	if (v->func == NONE)
		m->func_declared[func] = 1;
	if (!m->func_declared[func])
		return engine_validate_fail(v, LB_E_INVALID, "undeclared function reference");
	v->simple = (struct engine_const){ .kind = ENGINE_CONST_REF_FUNC, .value = func };
	v->is_simple = true;
	if (engine_form_has(m, ENGINE_FEATURE_FUNC_REFS))
		type = engine_type_of_index(m->func_types[func]) | ENGINE_NON_NULL;
	engine_emit(v, ENGINE_CODE_REF_FUNC, ab_imm(v->slot_top, 0, (int32_t)func), true);
	return engine_validate_push(v, type);
}

static lb_err ref_as_non_null_op(struct engine_validator *v)
{
	struct operand value;

	LB_TRY(engine_validate_pop_ref(&value, v));
	LB_TRY(engine_validate_push(v, value.type)); /* where the helper expects it */
	if (emitting(v)) {
		engine_emit_move(v, value.home, &value);
		engine_emit_helper(v, ENGINE_CODE_HELPER, engine_help_ref_as_non_null, 1, 0, 0);
	}
	LB_TRY(engine_validate_pop(&value, v, value.type));
	return engine_validate_push(v, non_null(value.type));
}

static lb_err ref_eq_op(struct engine_validator *v)
{
	struct operand a, b;
	uint32_t to;

	LB_TRY(engine_validate_pop(&b, v, ENGINE_EQREF));
	LB_TRY(engine_validate_pop(&a, v, ENGINE_EQREF));
	to = v->slot_top;
	if (emitting(v)) {
		uint32_t slot_a = engine_emit_slot(v, &a), slot_b = engine_emit_slot(v, &b);

		engine_emit_compare(v, ENGINE_CODE_I64_EQ, abcd(to, slot_a, slot_b, 0), false);
	}
	return engine_validate_push(v, ENGINE_I32);
}

/* ---- branches on null ---- */

static lb_err br_on_null_op(struct engine_validator *v)
{
	const engine_type *types;
	struct control *c = NULL;
	struct operand o;
	uint32_t count, slot;

	LB_TRY(engine_validate_read_label(&c, v));
	LB_TRY(engine_validate_pop_ref(&o, v));
	types = engine_validate_label_types(&count, c);
	LB_TRY(engine_validate_cast_all(v, types, count));
	slot = engine_emit_slot(v, &o);
	engine_emit_exit_if(v, zero_test(slot, true), c, count);
	if (o.place == PLACE_LOCAL && emitting(v))
		return engine_validate_push_local(v, non_null(o.type), o.local);
	return engine_validate_push(v, non_null(o.type));
}

static lb_err br_on_non_null_op(struct engine_validator *v)
{
	const engine_type *types;
	struct control *c = NULL;
	struct operand o;
	uint32_t count;

	LB_TRY(engine_validate_read_label(&c, v));
	types = engine_validate_label_types(&count, c);
	if (count == 0)
		return engine_validate_fail(v, LB_E_INVALID,
		                            "type mismatch: the label takes no reference");
	engine_emit_home(v, 1);
	LB_TRY(engine_validate_pop_ref(&o, v));
	LB_TRY(engine_validate_push(v, non_null(o.type)));
	LB_TRY(engine_validate_cast_all(v, types, count));
	engine_emit_exit_if(v, zero_test(o.home, false), c, count);
	return engine_validate_pop(&o, v, TYPE_ANY);
}

/* ---- casts ---- */

static lb_err read_cast_type(engine_type *out, struct engine_validator *v, bool null)
{
	LB_TRY(engine_read_heap_type(out, &v->r, v->module));
	if (!null)
		*out |= ENGINE_NON_NULL;
	return LB_OK;
}

static lb_err test_op(struct engine_validator *v, uint16_t op)
{
	bool casts = op == ENGINE_OP_REF_CAST || op == ENGINE_OP_REF_CAST_NULL;
	engine_type type = 0, from;
	struct operand o;

	LB_TRY(read_cast_type(&type, v,
	                      op == ENGINE_OP_REF_TEST_NULL || op == ENGINE_OP_REF_CAST_NULL));
	from = top_of(v, type);
	LB_TRY(engine_validate_peek_all(v, &from, 1));
	engine_emit_helper(v, ENGINE_CODE_HELPER,
	                   casts ? engine_help_ref_cast : engine_help_ref_test, 1, type, 0);
	LB_TRY(engine_validate_pop(&o, v, from));
	return engine_validate_push(v, casts ? type : ENGINE_I32);
}

/* What is left of type `a` where it is not of type `b`. */
static engine_type difference(engine_type a, engine_type b)
{
	return engine_type_is_null(b) ? a | ENGINE_NON_NULL : a;
}

static lb_err br_on_cast_op(struct engine_validator *v, uint16_t op)
{
	bool on_fail = op == ENGINE_OP_BR_ON_CAST_FAIL;
	engine_type from = 0, to = 0, away, stay;
	struct condition matched = { 0 };
	const engine_type *types;
	struct control *c = NULL;
	struct operand o;
	uint32_t count;
	uint8_t flags = 0;

	LB_TRY(engine_read_byte(&flags, &v->r));
	if (flags > 3)
		return engine_validate_fail(v, LB_E_MALFORMED, "malformed cast flags");
	LB_TRY(engine_validate_read_label(&c, v));
	LB_TRY(read_cast_type(&from, v, (flags & 1) != 0));
	LB_TRY(read_cast_type(&to, v, (flags & 2) != 0));
	if (!matches(v, to, from))
		return engine_validate_mismatch(v, from, to);
	away = on_fail ? difference(from, to) : to;
	stay = on_fail ? to : difference(from, to);
	types = engine_validate_label_types(&count, c);
	if (count == 0)
		return engine_validate_fail(v, LB_E_INVALID,
		                            "type mismatch: the label takes no reference");
	LB_TRY(engine_validate_peek_all(v, &from, 1));
	engine_emit_helper(v, ENGINE_CODE_HELPER, engine_help_ref_match, 1, to, 0);
	LB_TRY(engine_validate_pop(&o, v, from));
	LB_TRY(engine_validate_push(v, away));
	matched.a = v->slot_top; /* behind the reference */
	engine_validate_open_slot(v);
	v->slot_top = matched.a;
	LB_TRY(engine_validate_cast_all(v, types, count));
	if (on_fail) {
		matched.code = ENGINE_CODE_I32_EQ_IMM;
		matched.has_imm = true;
	}
	engine_emit_exit_if(v, matched, c, count);
	LB_TRY(engine_validate_pop(&o, v, TYPE_ANY));
	return engine_validate_push(v, stay);
}

lb_err engine_validate_reference_op(struct engine_validator *v, uint16_t op)
{
	switch (op) {
	case ENGINE_OP_REF_NULL: return ref_null_op(v);
	case ENGINE_OP_REF_IS_NULL: return ref_is_null_op(v);
	case ENGINE_OP_REF_FUNC: return ref_func_op(v);
	case ENGINE_OP_REF_AS_NON_NULL: return ref_as_non_null_op(v);
	case ENGINE_OP_REF_EQ: return ref_eq_op(v);
	case ENGINE_OP_BR_ON_NULL: return br_on_null_op(v);
	case ENGINE_OP_BR_ON_NON_NULL: return br_on_non_null_op(v);
	case ENGINE_OP_BR_ON_CAST:
	case ENGINE_OP_BR_ON_CAST_FAIL: return br_on_cast_op(v, op);
	default: return test_op(v, op);
	}
}
