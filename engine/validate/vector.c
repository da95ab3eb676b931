/* vector.c - vectors of 128 bits: operands in two slots each. */
#include "engine/validate/validate_priv.h"

/* Register form: result a, operands b, c, d. */
static void emit_vector(struct engine_validator *v, uint16_t op, union engine_cell operands)
{
	engine_emit(v, ENGINE_CODE_VECTOR, operands, false);
	engine_emit_cell(v, (union engine_cell){ .vector_helper = engine_vector_helper_of(op) }.x);
}

/* `count` operands, all vectors but perhaps the last. */
static lb_err plain_op(struct engine_validator *v, uint16_t op, unsigned count, engine_type last,
                       engine_type result)
{
	struct operand o[3];
	uint32_t slots[3] = { 0 };

	for (unsigned i = count; i-- > 0;)
		LB_TRY(engine_validate_pop(&o[i], v, i + 1 == count ? last : ENGINE_V128));
	for (unsigned i = 0; i < count && emitting(v); i++)
		slots[i] = engine_emit_slot(v, &o[i]);
	emit_vector(v, op, abcd(v->slot_top, slots[0], slots[1], slots[2]));
	return engine_validate_push(v, result);
}

static lb_err read_lane(uint32_t *lane, struct engine_validator *v, uint16_t op)
{
	uint8_t byte = 0;

	LB_TRY(engine_read_byte(&byte, &v->r));
	if (byte >= 16u >> engine_op_table[op].align_max)
		return engine_validate_fail(v, LB_E_INVALID, "invalid lane index");
	*lane = byte;
	return LB_OK;
}

static lb_err lane_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_op_info *info = &engine_op_table[op];
	struct operand vector, value = { 0 };
	uint32_t lane = 0, a = 0, b = 0;

	LB_TRY(read_lane(&lane, v, op));
	if (info->form == ENGINE_FORM_VECTOR_REPLACE)
		LB_TRY(engine_validate_pop(&value, v, info->operand));
	LB_TRY(engine_validate_pop(&vector, v, ENGINE_V128));
	if (emitting(v)) {
		a = engine_emit_slot(v, &vector);
		if (info->form == ENGINE_FORM_VECTOR_REPLACE)
			b = engine_emit_slot(v, &value);
	}
	emit_vector(v, op,
	            info->form == ENGINE_FORM_VECTOR_REPLACE ? abcd(v->slot_top, a, b, lane)
	                                                     : abcd(v->slot_top, a, lane, 0));
	return engine_validate_push(v, info->result);
}

/* 16 bytes as a number. */
static lb_err push_const(struct engine_validator *v, struct lb_bytes bytes)
{
	uint64_t halves[2];

	memcpy(halves, bytes.at, sizeof halves);
	engine_emit(v, ENGINE_CODE_CONST128, abcd(v->slot_top, 0, 0, 0), false);
	engine_emit_cell(v, halves[0]);
	engine_emit_cell(v, halves[1]);
	return engine_validate_push(v, ENGINE_V128);
}

static lb_err shuffle_op(struct engine_validator *v)
{
	const engine_type two[2] = { ENGINE_V128, ENGINE_V128 };
	struct lb_bytes lanes = { 0 };

	LB_TRY(engine_read_bytes(&lanes, &v->r, 16));
	for (unsigned i = 0; i < 16; i++)
		if (lanes.at[i] >= 32)
			return engine_validate_fail(v, LB_E_INVALID, "invalid lane index");
	LB_TRY(engine_validate_peek_all(v, two, 2));
	LB_TRY(push_const(v, lanes)); /* the third operand of the instruction */
	return plain_op(v, ENGINE_OP_I8X16_SHUFFLE, 3, ENGINE_V128, ENGINE_V128);
}

static lb_err memory_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_op_info *info = &engine_op_table[op];
	bool loads = info->form == ENGINE_FORM_VECTOR_LOAD;
	bool has_lane = info->imm == ENGINE_IMM_MEMARG_LANE;
	bool has_result = info->result == ENGINE_V128;
	engine_type types[2];
	struct memarg m;
	uint32_t lane = 0;

	LB_TRY(engine_validate_read_memarg(&m, v, info, false));
	if (has_lane)
		LB_TRY(read_lane(&lane, v, op));
	types[0] = m.address;
	types[1] = ENGINE_V128;
	LB_TRY(engine_validate_peek_all(v, types, loads ? 1 : 2));
	engine_emit_helper(v, ENGINE_CODE_HELPER, engine_vector_memory_helper_of(op), loads ? 1 : 2,
	                   m.memory | lane << 16, m.offset);
	LB_TRY(engine_validate_pop_all(v, types, loads ? 1 : 2));
	return has_result ? engine_validate_push(v, ENGINE_V128) : LB_OK;
}

lb_err engine_validate_vector_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_op_info *info = &engine_op_table[op];
	struct lb_bytes bytes = { 0 };

	switch (info->form) {
	case ENGINE_FORM_VECTOR1: return plain_op(v, op, 1, info->operand, info->result);
	case ENGINE_FORM_VECTOR2: return plain_op(v, op, 2, ENGINE_V128, info->result);
	case ENGINE_FORM_VECTOR3: return plain_op(v, op, 3, ENGINE_V128, info->result);
	case ENGINE_FORM_VECTOR_SHIFT: return plain_op(v, op, 2, ENGINE_I32, info->result);
	case ENGINE_FORM_VECTOR_EXTRACT:
	case ENGINE_FORM_VECTOR_REPLACE: return lane_op(v, op);
	case ENGINE_FORM_OP:
		if (op == ENGINE_OP_I8X16_SHUFFLE)
			return shuffle_op(v);
		LB_TRY(engine_read_bytes(&bytes, &v->r, 16));
		return push_const(v, bytes);
	default: return memory_op(v, op);
	}
}
