/* atomic.c - atomic loads, stores and read-modify-writes, waiting and waking. */
#include "engine/validate/validate_priv.h"

static lb_err fence_op(struct engine_validator *v)
{
	uint8_t zero = 0;

	LB_TRY(engine_read_byte(&zero, &v->r));
	if (zero != 0)
		return engine_validate_fail(v, LB_E_MALFORMED, "zero byte expected");
	engine_emit_helper(v, ENGINE_CODE_HELPER, engine_atomic_helper_of(ENGINE_OP_ATOMIC_FENCE),
	                   0, 0, 0);
	return LB_OK;
}

/* The operands behind the address; how many. */
static unsigned operands_of(engine_type *types, uint16_t op)
{
	const struct engine_op_info *info = &engine_op_table[op];

	types[0] = types[1] = info->operand;
	switch (op) {
	case ENGINE_OP_MEMORY_ATOMIC_NOTIFY: types[0] = ENGINE_I32; return 1;
	case ENGINE_OP_MEMORY_ATOMIC_WAIT32:
		types[0] = ENGINE_I32;
		types[1] = ENGINE_I64;
		return 2;
	case ENGINE_OP_MEMORY_ATOMIC_WAIT64: types[0] = types[1] = ENGINE_I64; return 2;
	default: break;
	}
	if (info->form == ENGINE_FORM_ATOMIC_LOAD)
		return 0;
	return info->form == ENGINE_FORM_ATOMIC_CMPXCHG ? 2 : 1;
}

lb_err engine_validate_atomic_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_op_info *info = &engine_op_table[op];
	engine_type types[3];
	struct memarg m;
	unsigned count;

	if (op == ENGINE_OP_ATOMIC_FENCE)
		return fence_op(v);
	LB_TRY(engine_validate_read_memarg(&m, v, info, true));
	types[0] = m.address;
	count = 1 + operands_of(types + 1, op);
	LB_TRY(engine_validate_peek_all(v, types, count));
	engine_emit_helper(v, ENGINE_CODE_HELPER, engine_atomic_helper_of(op), count, m.memory,
	                   m.offset);
	LB_TRY(engine_validate_pop_all(v, types, count));
	return info->form == ENGINE_FORM_ATOMIC_STORE ? LB_OK
	                                              : engine_validate_push(v, info->result);
}
