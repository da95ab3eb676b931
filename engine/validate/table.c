/* table.c - what is done with tables and segments of elements. */
#include "engine/validate/validate_priv.h"

static lb_err get_op(struct engine_validator *v, uint32_t table)
{
	const struct engine_table_type *type = &v->module->tables[table];
	struct operand index;

	LB_TRY(engine_validate_pop(&index, v, engine_limits_address(&type->limits)));
	engine_emit(v, ENGINE_CODE_TABLE_GET,
	            ab_imm(v->slot_top, engine_emit_slot(v, &index), (int32_t)table), true);
	return engine_validate_push(v, type->element);
}

static lb_err set_op(struct engine_validator *v, uint32_t table)
{
	const struct engine_table_type *type = &v->module->tables[table];
	struct operand index, value;

	LB_TRY(engine_validate_pop(&value, v, type->element));
	LB_TRY(engine_validate_pop(&index, v, engine_limits_address(&type->limits)));
	if (emitting(v)) {
		uint32_t a = engine_emit_slot(v, &index), b = engine_emit_slot(v, &value);

		engine_emit(v, ENGINE_CODE_TABLE_SET, ab_imm(a, b, (int32_t)table), false);
	}
	return LB_OK;
}

/* Operands of these types for a helper; a result of type `result`, 0 for none. */
static lb_err helped(struct engine_validator *v, engine_helper *helper, const engine_type *types,
                     uint32_t count, engine_type result, uint32_t imm, uint64_t x)
{
	LB_TRY(engine_validate_peek_all(v, types, count));
	engine_emit_helper(v, ENGINE_CODE_HELPER, helper, count, imm, x);
	LB_TRY(engine_validate_pop_all(v, types, count));
	return result != 0 ? engine_validate_push(v, result) : LB_OK;
}

static lb_err init_op(struct engine_validator *v)
{
	const struct engine_module *m = v->module;
	uint32_t elem = 0, table = 0;
	engine_type address;

	LB_TRY(engine_read_u32(&elem, &v->r));
	LB_TRY(engine_validate_index(&table, v, m->table_count, "table"));
	if (elem >= m->elem_count)
		return engine_validate_fail(v, LB_E_INVALID, "unknown elem segment %u", elem);
	if (!matches(v, m->elems[elem].type, m->tables[table].element))
		return engine_validate_mismatch(v, m->tables[table].element, m->elems[elem].type);
	address = engine_limits_address(&m->tables[table].limits);
	return helped(v, engine_help_table_init,
	              (const engine_type[]){ address, ENGINE_I32, ENGINE_I32 }, 3, 0, table, elem);
}

static lb_err copy_op(struct engine_validator *v)
{
	const struct engine_module *m = v->module;
	uint32_t to = 0, from = 0;
	engine_type at, start, len;

	LB_TRY(engine_validate_index(&to, v, m->table_count, "table"));
	LB_TRY(engine_validate_index(&from, v, m->table_count, "table"));
	if (!matches(v, m->tables[from].element, m->tables[to].element))
		return engine_validate_mismatch(v, m->tables[to].element, m->tables[from].element);
	at = engine_limits_address(&m->tables[to].limits);
	start = engine_limits_address(&m->tables[from].limits);
	len = at == ENGINE_I64 && start == ENGINE_I64 ? ENGINE_I64 : ENGINE_I32;
	return helped(v, engine_help_table_copy, (const engine_type[]){ at, start, len }, 3, 0, to,
	              from);
}

lb_err engine_validate_table_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_module *m = v->module;
	engine_type element, address;
	uint32_t index = 0;

	if (op == ENGINE_OP_TABLE_INIT)
		return init_op(v);
	if (op == ENGINE_OP_TABLE_COPY)
		return copy_op(v);
	if (op == ENGINE_OP_ELEM_DROP) {
		LB_TRY(engine_validate_index(&index, v, m->elem_count, "elem segment"));
		return helped(v, engine_help_elem_drop, NULL, 0, 0, index, 0);
	}
	LB_TRY(engine_validate_index(&index, v, m->table_count, "table"));
	element = m->tables[index].element;
	address = engine_limits_address(&m->tables[index].limits);
	switch (op) {
	case ENGINE_OP_TABLE_GET: return get_op(v, index);
	case ENGINE_OP_TABLE_SET: return set_op(v, index);
	case ENGINE_OP_TABLE_SIZE:
		return helped(v, engine_help_table_size, NULL, 0, address, index, 0);
	case ENGINE_OP_TABLE_GROW:
		return helped(v, engine_help_table_grow, (const engine_type[]){ element, address },
		              2, address, index, 0);
	default:
		assert(op == ENGINE_OP_TABLE_FILL);
		return helped(v, engine_help_table_fill,
		              (const engine_type[]){ address, element, address }, 3, 0, index, 0);
	}
}
