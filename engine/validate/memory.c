/* memory.c - loads, stores, and what is done with memories as wholes. */
#include "engine/validate/validate_priv.h"

static lb_err require_memory(const struct engine_validator *v, uint32_t index)
{
	if (index >= v->module->memory_count)
		return engine_validate_fail(v, LB_E_INVALID, "unknown memory %u", index);
	return LB_OK;
}

lb_err engine_validate_read_memarg(struct memarg *out, struct engine_validator *v,
                                   const struct engine_op_info *info, bool exact)
{
	bool multi = engine_form_has(v->module, ENGINE_FEATURE_MULTI_MEMORY);
	const struct engine_limits *limits;
	uint32_t align = 0;

	*out = (struct memarg){ 0 };
	LB_TRY(engine_read_u32(&align, &v->r));
	if (align >= 0x80 || (align >= 0x40 && !multi))
		return engine_validate_fail(v, LB_E_MALFORMED, "malformed memop flags");
	if (align >= 0x40)
		LB_TRY(engine_read_u32(&out->memory, &v->r));
	LB_TRY(engine_read_u64(&out->offset, &v->r));
	LB_TRY(require_memory(v, out->memory));
	align &= 0x3f;
	if (exact && align != info->align_max)
		return engine_validate_fail(v, LB_E_INVALID, "alignment must be natural");
	if (align > info->align_max)
		return engine_validate_fail(v, LB_E_INVALID,
		                            "alignment must not be larger than natural");
	limits = &v->module->memories[out->memory].limits;
	out->address = engine_limits_address(limits);
	if (!limits->is_64 && out->offset > UINT32_MAX)
		return engine_validate_fail(v, LB_E_INVALID, "offset out of range");
	return LB_OK;
}

/* Memory 0 with 32-bit addresses, which the short forms are for. */
static bool is_near(const struct memarg *m) { return m->memory == 0 && m->address == ENGINE_I32; }

lb_err engine_validate_load_op(struct engine_validator *v, const struct engine_op_info *info)
{
	struct operand address;
	struct memarg m;
	uint32_t to, a = 0, b = 0;

	LB_TRY(engine_validate_read_memarg(&m, v, info, false));
	LB_TRY(engine_validate_pop(&address, v, m.address));
	to = v->slot_top;
	if (!is_near(&m)) {
		engine_emit(v, (unsigned)info->code + ENGINE_CODE_LOAD_FAR,
		            ab_imm(to, engine_emit_slot(v, &address), (int32_t)m.memory), false);
		engine_emit_cell(v, m.offset);
	} else if (address.place == PLACE_SUM && m.offset == 0) {
		engine_emit(v, (unsigned)info->code + ENGINE_CODE_SUM,
		            ab_imm(to, address.local, (int32_t)(uint32_t)address.value), true);
	} else if (m.offset <= UINT16_MAX && engine_emit_take_sum(&a, &b, v, &address)) {
		engine_emit(v, (unsigned)info->code + ENGINE_CODE_INDEXED,
		            abcd(to, a, b, (uint32_t)m.offset), true);
	} else {
		engine_emit(v, info->code,
		            ab_imm(to, engine_emit_slot(v, &address), (int32_t)m.offset), true);
	}
	return engine_validate_push(v, info->result);
}

lb_err engine_validate_store_op(struct engine_validator *v, const struct engine_op_info *info)
{
	struct operand address, value;
	struct memarg m;
	uint32_t slot;

	LB_TRY(engine_validate_read_memarg(&m, v, info, false));
	LB_TRY(engine_validate_pop(&value, v, info->operand));
	LB_TRY(engine_validate_pop(&address, v, m.address));
	if (!emitting(v))
		return LB_OK;
	slot = engine_emit_slot(v, &value);
	if (!is_near(&m)) {
		engine_emit(v, (unsigned)info->code + ENGINE_CODE_STORE_FAR,
		            ab_imm(engine_emit_slot(v, &address), slot, (int32_t)m.memory), false);
		engine_emit_cell(v, m.offset);
	} else if (address.place == PLACE_SUM && m.offset == 0) {
		engine_emit(v, (unsigned)info->code + ENGINE_CODE_SUM,
		            ab_imm(address.local, slot, (int32_t)(uint32_t)address.value), false);
	} else {
		engine_emit(v, info->code,
		            ab_imm(engine_emit_slot(v, &address), slot, (int32_t)m.offset), false);
	}
	return LB_OK;
}

/* ---- whole memories ---- */

lb_err engine_validate_check_data(const struct engine_validator *v, uint32_t data)
{
	if (!v->module->has_data_count && v->module->has_data)
		return engine_validate_fail(v, LB_E_MALFORMED, "data count section required");
	if (data >= v->module->data_count)
		return engine_validate_fail(v, LB_E_INVALID, "unknown data segment %u", data);
	return LB_OK;
}

static lb_err read_memory(uint32_t *memory, engine_type *address, struct engine_validator *v)
{
	LB_TRY(engine_read_u32(memory, &v->r));
	if (*memory != 0 && !engine_form_has(v->module, ENGINE_FEATURE_MULTI_MEMORY))
		return engine_validate_fail(v, LB_E_MALFORMED, "zero byte expected");
	LB_TRY(require_memory(v, *memory));
	*address = engine_limits_address(&v->module->memories[*memory].limits);
	return LB_OK;
}

/* Three operands, of these types, for a helper without a result. */
static lb_err three(struct engine_validator *v, engine_helper *helper, engine_type a, engine_type b,
                    engine_type c, uint32_t imm, uint64_t x)
{
	const engine_type types[3] = { a, b, c };

	LB_TRY(engine_validate_peek_all(v, types, 3));
	engine_emit_helper(v, ENGINE_CODE_HELPER, helper, 3, imm, x);
	return engine_validate_pop_all(v, types, 3);
}

static lb_err memory_size_op(struct engine_validator *v, uint32_t memory, engine_type address)
{
	if (memory == 0)
		engine_emit(v, ENGINE_CODE_MEMORY_SIZE, abcd(v->slot_top, 0, 0, 0), true);
	else
		engine_emit_helper(v, ENGINE_CODE_HELPER, engine_help_memory_size, 0, memory, 0);
	return engine_validate_push(v, address);
}

static lb_err memory_grow_op(struct engine_validator *v, uint32_t memory, engine_type address)
{
	LB_TRY(engine_validate_peek_all(v, &address, 1));
	engine_emit_helper(v, ENGINE_CODE_HELPER_GROWS, engine_help_memory_grow, 1, memory, 0);
	LB_TRY(engine_validate_pop_all(v, &address, 1));
	return engine_validate_push(v, address);
}

lb_err engine_validate_memory_op(struct engine_validator *v, uint16_t op)
{
	uint32_t data = 0, memory = 0, from = 0;
	engine_type address = 0, address_from = 0, len;

	if (op == ENGINE_OP_MEMORY_INIT || op == ENGINE_OP_DATA_DROP)
		LB_TRY(engine_read_u32(&data, &v->r));
	if (op == ENGINE_OP_DATA_DROP) {
		LB_TRY(engine_validate_check_data(v, data));
		engine_emit_helper(v, ENGINE_CODE_HELPER, engine_help_data_drop, 0, data, 0);
		return LB_OK;
	}
	LB_TRY(read_memory(&memory, &address, v));
	switch (op) {
	case ENGINE_OP_MEMORY_SIZE: return memory_size_op(v, memory, address);
	case ENGINE_OP_MEMORY_GROW: return memory_grow_op(v, memory, address);
	case ENGINE_OP_MEMORY_FILL:
		return three(v, engine_help_memory_fill, address, ENGINE_I32, address, memory, 0);
	case ENGINE_OP_MEMORY_INIT:
		LB_TRY(engine_validate_check_data(v, data));
		return three(v, engine_help_memory_init, address, ENGINE_I32, ENGINE_I32, memory,
		             data);
	default:
		assert(op == ENGINE_OP_MEMORY_COPY);
		LB_TRY(read_memory(&from, &address_from, v));
		len = address == ENGINE_I64 && address_from == ENGINE_I64 ? ENGINE_I64 : ENGINE_I32;
		return three(v, engine_help_memory_copy, address, address_from, len, memory, from);
	}
}
