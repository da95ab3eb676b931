/* const.c - constant expressions: what globals, offsets and elements start from. */
#include "engine/binary/decode_priv.h"

lb_err engine_decode_func_index(uint32_t *out, struct decoder *d)
{
	size_t start = engine_reader_offset(&d->r);

	LB_TRY(engine_read_u32(out, &d->r));
	if (*out >= d->module->func_count)
		return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown function %u", *out);
	d->module->func_declared[*out] = 1;
	return LB_OK;
}

static lb_err read_global_get(struct engine_const *out, engine_type *type, struct decoder *d)
{
	const struct engine_module *m = d->module;
	size_t start = engine_reader_offset(&d->r);
	uint32_t index = 0;

	LB_TRY(engine_read_u32(&index, &d->r));
	if (index >= m->global_count)
		return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown global %u", index);
	if (m->globals[index].type.is_mutable)
		return engine_decode_invalid(d, start, "constant expression required");
	*type = m->globals[index].type.content;
	*out = (struct engine_const){ .kind = ENGINE_CONST_GLOBAL_GET, .value = index };
	return LB_OK;
}

static lb_err read_ref_null(engine_type *type, struct decoder *d)
{
	size_t start = engine_reader_offset(&d->r);
	uint8_t heap = 0;

	LB_TRY(engine_read_byte(&heap, &d->r));
	*type = heap;
	if (!engine_type_is_ref(*type))
		return engine_reader_fail(&d->r, LB_E_MALFORMED, start, "malformed reference type");
	return LB_OK;
}

static lb_err read_const(struct engine_const *out, engine_type *type, struct decoder *d, uint8_t op)
{
	int32_t i32 = 0;
	int64_t i64 = 0;
	uint32_t bits = 0;

	switch (op) {
	case ENGINE_OP_I32_CONST:
		*type = ENGINE_I32;
		LB_TRY(engine_read_s32(&i32, &d->r));
		out->value = (uint32_t)i32;
		return LB_OK;
	case ENGINE_OP_I64_CONST:
		*type = ENGINE_I64;
		LB_TRY(engine_read_s64(&i64, &d->r));
		out->value = (uint64_t)i64;
		return LB_OK;
	case ENGINE_OP_F32_CONST:
		*type = ENGINE_F32;
		LB_TRY(engine_read_fixed32(&bits, &d->r));
		out->value = bits;
		return LB_OK;
	default: *type = ENGINE_F64; return engine_read_fixed64(&out->value, &d->r);
	}
}

/* The type of an addition, subtraction or multiplication of integers; 0 for other instructions. */
static engine_type arithmetic_type(uint8_t op)
{
	switch (op) {
	case ENGINE_OP_I32_ADD:
	case ENGINE_OP_I32_SUB:
	case ENGINE_OP_I32_MUL: return ENGINE_I32;
	case ENGINE_OP_I64_ADD:
	case ENGINE_OP_I64_SUB:
	case ENGINE_OP_I64_MUL: return ENGINE_I64;
	default: return 0;
	}
}

/* The types of the values on the way. */
struct const_stack {
	engine_type types[ENGINE_CONST_DEPTH_MAX];
	uint32_t depth;
};

static lb_err mismatch(const struct decoder *d, size_t start, engine_type type)
{
	return engine_reader_fail(&d->r, LB_E_INVALID, start,
	                          "type mismatch: one value of type %s expected",
	                          engine_type_text(type));
}

/* One instruction behind its opcode. */
static lb_err read_step(struct engine_const *out, struct decoder *d, struct const_stack *stack,
                        uint8_t op, size_t start)
{
	engine_type type = arithmetic_type(op);
	uint32_t func = 0;

	*out = (struct engine_const){ .kind = ENGINE_CONST_VALUE };
	if (type != 0 && !d->module->features_off[ENGINE_FEATURE_EXTENDED_CONST]) {
		if (stack->depth < 2 || stack->types[stack->depth - 1] != type ||
		    stack->types[stack->depth - 2] != type)
			return mismatch(d, start, type);
		*out = (struct engine_const){ .kind = ENGINE_CONST_OP, .value = op };
		stack->depth--;
		return LB_OK;
	}
	if (op >= ENGINE_OP_I32_CONST && op <= ENGINE_OP_F64_CONST) {
		LB_TRY(read_const(out, &type, d, op));
	} else if (op == ENGINE_OP_REF_NULL) {
		LB_TRY(read_ref_null(&type, d));
	} else if (op == ENGINE_OP_GLOBAL_GET) {
		LB_TRY(read_global_get(out, &type, d));
	} else if (op == ENGINE_OP_REF_FUNC) {
		type = ENGINE_FUNCREF;
		LB_TRY(engine_decode_func_index(&func, d));
		*out = (struct engine_const){ .kind = ENGINE_CONST_REF_FUNC, .value = func };
	} else if (engine_op_table[op].text == NULL && op != ENGINE_OP_PREFIX_FC) {
		return engine_reader_fail(&d->r, LB_E_MALFORMED, start, "illegal opcode %02x", op);
	} else {
		return engine_decode_invalid(d, start, "constant expression required");
	}
	if (stack->depth == ENGINE_CONST_DEPTH_MAX)
		return engine_reader_fail(&d->r, LB_E_LIMIT, start, "constant expression too deep");
	stack->types[stack->depth++] = type;
	return LB_OK;
}

/* All steps up to the end; stored where `steps` has room for them. */
static lb_err read_steps(struct engine_const *last, uint32_t *count, struct decoder *d,
                         engine_type type, struct engine_const *steps)
{
	size_t start = engine_reader_offset(&d->r);
	struct const_stack stack = { .depth = 0 };
	uint8_t op = 0;

	for (*count = 0;; ++*count) {
		size_t at = engine_reader_offset(&d->r);

		LB_TRY(engine_read_byte(&op, &d->r));
		if (op == ENGINE_OP_END)
			break;
		LB_TRY(read_step(last, d, &stack, op, at));
		if (steps != NULL)
			steps[*count] = *last;
	}
	if (stack.depth != 1 || stack.types[0] != type)
		return mismatch(d, start, type);
	return LB_OK;
}

lb_err engine_decode_const(struct engine_const *out, struct decoder *d, engine_type type)
{
	struct engine_reader again = d->r;
	struct engine_const *steps;
	uint32_t count = 0;

	*out = (struct engine_const){ 0 };
	LB_TRY(read_steps(out, &count, d, type, NULL));
	if (count == 1)
		return LB_OK;
	steps = LB_ARENA_NEW(&d->module->arena, struct engine_const, count);
	if (steps == NULL)
		return lb_err_of(LB_E_NOMEM);
	d->r = again;
	LB_TRY(read_steps(out, &count, d, type, steps));
	*out = (struct engine_const){ ENGINE_CONST_STEPS, count, steps };
	return LB_OK;
}
