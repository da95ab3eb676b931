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
	*out = (struct engine_const){ ENGINE_CONST_GLOBAL_GET, index };
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

/* One instruction; its type is 0 where it is the end. */
static lb_err read_step(struct engine_const *out, engine_type *type, struct decoder *d)
{
	size_t start = engine_reader_offset(&d->r);
	uint8_t op = 0;
	int32_t i32 = 0;
	int64_t i64 = 0;
	uint32_t bits = 0;

	*out = (struct engine_const){ ENGINE_CONST_VALUE, 0 };
	*type = 0;
	LB_TRY(engine_read_byte(&op, &d->r));
	switch (op) {
	case ENGINE_OP_END: return LB_OK;
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
	case ENGINE_OP_F64_CONST:
		*type = ENGINE_F64;
		return engine_read_fixed64(&out->value, &d->r);
	case ENGINE_OP_REF_NULL: return read_ref_null(type, d);
	case ENGINE_OP_REF_FUNC:
		*type = ENGINE_FUNCREF;
		LB_TRY(engine_decode_func_index(&bits, d));
		*out = (struct engine_const){ ENGINE_CONST_REF_FUNC, bits };
		return LB_OK;
	case ENGINE_OP_GLOBAL_GET: return read_global_get(out, type, d);
	default:
		if (engine_op_table[op].text == NULL && op != ENGINE_OP_PREFIX_FC)
			return engine_reader_fail(&d->r, LB_E_MALFORMED, start,
			                          "illegal opcode %02x", op);
		return engine_decode_invalid(d, start, "constant expression required");
	}
}

lb_err engine_decode_const(struct engine_const *out, struct decoder *d, engine_type type)
{
	size_t start = engine_reader_offset(&d->r);
	struct engine_const extra = { 0 };
	engine_type got = 0, more = 0;

	LB_TRY(read_step(out, &got, d));
	if (got != 0)
		LB_TRY(read_step(&extra, &more, d));
	if (more != 0 || got != type)
		return engine_reader_fail(&d->r, LB_E_INVALID, start,
		                          "type mismatch: one value of type %s expected",
		                          engine_type_text(type));
	return LB_OK;
}
