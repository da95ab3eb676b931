/* call.c - calls: of functions, through tables, of references, and in place of the caller. */
#include "engine/validate/validate_priv.h"

static bool is_tail(uint16_t op)
{
	return op == ENGINE_OP_RETURN_CALL || op == ENGINE_OP_RETURN_CALL_INDIRECT ||
	       op == ENGINE_OP_RETURN_CALL_REF;
}

/* The arguments go home and are taken; *base is the first one's slot, *slots all of theirs. */
static lb_err take_arguments(uint32_t *base, uint32_t *slots, struct engine_validator *v,
                             const struct engine_func_type *type)
{
	uint32_t above = v->slot_top;

	engine_emit_home(v, type->param_count);
	LB_TRY(engine_validate_pop_all(v, type->params, type->param_count));
	*base = v->slot_top;
	*slots = above - v->slot_top;
	return LB_OK;
}

/* The results come, or nothing comes any more. */
static lb_err finish(struct engine_validator *v, uint16_t op, const struct engine_func_type *type)
{
	const struct engine_func_type *own = &v->controls[0].type;

	if (!is_tail(op)) {
		engine_emit_map(v);
		return engine_validate_push_all(v, type->results, type->result_count);
	}
	if (type->result_count != own->result_count ||
	    !engine_types_match_lists(&v->module->types, type->results, own->results,
	                              own->result_count))
		return engine_validate_fail(v, LB_E_INVALID,
		                            "type mismatch: results of the call and its function");
	engine_validate_unreachable(v);
	return LB_OK;
}

static lb_err call_op(struct engine_validator *v, uint16_t op)
{
	struct engine_module *m = v->module;
	const struct engine_func_type *type;
	uint32_t func = 0, base = 0, slots = 0;

	LB_TRY(engine_validate_index(&func, v, m->func_count, "function"));
	type = engine_form_func_type(m, func);
	LB_TRY(take_arguments(&base, &slots, v, type));
	if (func < m->func_import_count) {
		engine_emit(v, is_tail(op) ? ENGINE_CODE_TAIL_CALL_FUNC : ENGINE_CODE_CALL_FUNC,
		            ab_imm(base, 0, (int32_t)func), false);
		if (is_tail(op))
			engine_emit_cell(v, slots);
	} else {
		const struct engine_body *body = &m->bodies[func - m->func_import_count];

		engine_emit(v, is_tail(op) ? ENGINE_CODE_TAIL_CALL : ENGINE_CODE_CALL,
		            ab_imm(base, 0, (int32_t)slots), false);
		engine_emit_cell(v, (union engine_cell){ .body = body }.x);
	}
	return finish(v, op, type);
}

/* The index of a type that is a function's. */
static lb_err read_func_type(uint32_t *out, struct engine_validator *v)
{
	LB_TRY(engine_read_type_index(out, &v->r, v->module));
	if (def_type(v, *out)->kind != ENGINE_COMPOSITE_FUNC)
		return engine_validate_fail(v, LB_E_INVALID,
		                            "type mismatch: a function type expected");
	return LB_OK;
}

static lb_err call_indirect_op(struct engine_validator *v, uint16_t op)
{
	struct engine_module *m = v->module;
	uint32_t index = 0, table = 0, slot, base = 0, slots = 0;
	struct operand o;

	LB_TRY(read_func_type(&index, v));
	LB_TRY(engine_validate_index(&table, v, m->table_count, "table"));
	if (!matches(v, m->tables[table].element, ENGINE_FUNCREF))
		return engine_validate_mismatch(v, ENGINE_FUNCREF, m->tables[table].element);
	LB_TRY(engine_validate_pop(&o, v, engine_limits_address(&m->tables[table].limits)));
	slot = engine_emit_slot(v, &o);
	LB_TRY(take_arguments(&base, &slots, v, &def_type(v, index)->func));
	engine_emit(v, is_tail(op) ? ENGINE_CODE_TAIL_CALL_INDIRECT : ENGINE_CODE_CALL_INDIRECT,
	            ab_imm(base, slot, (int32_t)table), false);
	engine_emit_cell(v, index);
	if (is_tail(op))
		engine_emit_cell(v, slots);
	return finish(v, op, &def_type(v, index)->func);
}

static lb_err call_ref_op(struct engine_validator *v, uint16_t op)
{
	uint32_t index = 0, slot, base = 0, slots = 0;
	struct operand o;

	LB_TRY(read_func_type(&index, v));
	LB_TRY(engine_validate_pop(&o, v, engine_type_of_index(index)));
	slot = engine_emit_slot(v, &o);
	LB_TRY(take_arguments(&base, &slots, v, &def_type(v, index)->func));
	engine_emit(v, is_tail(op) ? ENGINE_CODE_TAIL_CALL_REF : ENGINE_CODE_CALL_REF,
	            abcd(base, slot, 0, 0), false);
	if (is_tail(op))
		engine_emit_cell(v, slots);
	return finish(v, op, &def_type(v, index)->func);
}

lb_err engine_validate_call_op(struct engine_validator *v, uint16_t op)
{
	switch (op) {
	case ENGINE_OP_CALL:
	case ENGINE_OP_RETURN_CALL: return call_op(v, op);
	case ENGINE_OP_CALL_INDIRECT:
	case ENGINE_OP_RETURN_CALL_INDIRECT: return call_indirect_op(v, op);
	default: return call_ref_op(v, op);
	}
}
