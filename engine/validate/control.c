/* control.c - blocks, branches and calls. */
#include "engine/validate/validate_priv.h"

static const engine_type singles[] = { ENGINE_I32, ENGINE_I64,     ENGINE_F32,
	                               ENGINE_F64, ENGINE_FUNCREF, ENGINE_EXTERNREF };

/* A block type: nothing, one result, or the index of a function type. */
static lb_err read_block_type(struct engine_func_type *out, struct engine_validator *v)
{
	const struct engine_module *m = v->module;
	size_t start = engine_reader_offset(&v->r);
	engine_type single = 0;
	int64_t index = 0;

	*out = (struct engine_func_type){ 0 };
	if (v->r.at < v->r.end && *v->r.at == 0x40) {
		v->r.at++;
		return LB_OK;
	}
	if (v->r.at < v->r.end && (*v->r.at & 0xc0) == 0x40) {
		LB_TRY(engine_read_value_type(&single, &v->r, m));
		out->result_count = 1;
		for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++)
			if (singles[i] == single)
				out->results = &singles[i];
		return LB_OK;
	}
	LB_TRY(engine_read_s33(&index, &v->r));
	if (index < 0 || m->features_off[ENGINE_FEATURE_MULTI_VALUE])
		return engine_reader_fail(&v->r, LB_E_MALFORMED, start, "malformed block type");
	if (index >= m->type_count)
		return engine_validate_fail(v, LB_E_INVALID, "unknown type %u", (unsigned)index);
	*out = m->types[index];
	return LB_OK;
}

/* What a branch to the block brings. */
static const engine_type *label_types(uint32_t *count, const struct control *c)
{
	if (c->op == ENGINE_OP_LOOP) {
		*count = c->type.param_count;
		return c->type.params;
	}
	*count = c->type.result_count;
	return c->type.results;
}

static lb_err read_label(struct control **out, struct engine_validator *v)
{
	uint32_t depth = 0;

	LB_TRY(engine_validate_index(&depth, v, v->control_count, "label"));
	*out = &v->controls[v->control_count - 1 - depth];
	return LB_OK;
}

/* ---- blocks ---- */

static lb_err enter(struct engine_validator *v, uint16_t op, const struct engine_func_type *type)
{
	LB_TRY(engine_validate_pop_all(v, type->params, type->param_count));
	LB_TRY(engine_validate_push_control(v, op, type));
	return engine_validate_push_all(v, type->params, type->param_count);
}

static lb_err block_op(struct engine_validator *v, uint16_t op)
{
	struct engine_func_type type;

	LB_TRY(read_block_type(&type, v));
	engine_emit_home(v, type.param_count);
	engine_emit_unalias(v);
	if (op == ENGINE_OP_LOOP)
		v->last = NONE;
	return enter(v, op, &type);
}

static lb_err if_op(struct engine_validator *v)
{
	struct engine_func_type type;
	struct condition condition;
	struct operand o;
	uint32_t branch = NONE;

	LB_TRY(read_block_type(&type, v));
	LB_TRY(engine_validate_pop(&o, v, ENGINE_I32));
	condition = engine_emit_take_condition(v, &o, v->operand_count);
	engine_emit_home(v, type.param_count);
	engine_emit_unalias(v);
	if (emitting(v))
		branch = engine_emit_branch_if(v, condition, false);
	LB_TRY(enter(v, ENGINE_OP_IF, &type));
	top(v)->otherwise = branch;
	return LB_OK;
}

/* The operands of the block are its results, neither more nor fewer. */
static lb_err check_results(struct engine_validator *v, const struct control *c)
{
	LB_TRY(engine_validate_peek_all(v, c->type.results, c->type.result_count));
	if (v->operand_count > c->height + c->type.result_count)
		return engine_validate_fail(v, LB_E_INVALID,
		                            "type mismatch: values remain at the block's end");
	return LB_OK;
}

static lb_err else_op(struct engine_validator *v)
{
	struct control *c = top(v);

	if (c->op != ENGINE_OP_IF)
		return engine_validate_fail(v, LB_E_MALFORMED,
		                            "END opcode expected: else without if");
	LB_TRY(check_results(v, c));
	if (emitting(v)) {
		engine_emit_home(v, c->type.result_count);
		engine_emit_aim(v, engine_emit_branch(v), c);
	}
	if (c->otherwise != NONE)
		engine_emit_aim_here(v, c->otherwise);
	engine_validate_truncate(v, c->height);
	c->op = ENGINE_OP_ELSE;
	c->otherwise = NONE;
	c->unreachable = c->dead = false;
	return engine_validate_push_all(v, c->type.params, c->type.param_count);
}

/* The function's own end: branches to it find their values at home. */
static lb_err end_function(struct engine_validator *v, struct control *c)
{
	uint32_t count = c->type.result_count;

	engine_emit_return(v, count);
	if (c->forward != NONE) {
		engine_validate_truncate(v, c->height);
		c->unreachable = c->dead = false;
		engine_emit_label(v, c);
		LB_TRY(engine_validate_push_all(v, c->type.results, count));
		engine_emit_return(v, count);
	}
	engine_validate_truncate(v, 0);
	v->control_count--;
	return LB_OK;
}

static bool params_are_results(const struct engine_func_type *type)
{
	const struct engine_func_type params = { .params = type->params,
		                                 .param_count = type->param_count,
		                                 .results = type->params,
		                                 .result_count = type->param_count };

	return engine_func_type_eq(type, &params);
}

static lb_err end_op(struct engine_validator *v)
{
	struct control *c = top(v);
	struct engine_func_type type = c->type;
	bool falls = emitting(v), meets, arrives;

	LB_TRY(check_results(v, c));
	if (c->op == ENGINE_OP_IF && !params_are_results(&type))
		return engine_validate_fail(v, LB_E_INVALID,
		                            "type mismatch: if without else gives no values");
	if (v->control_count == 1)
		return end_function(v, c);
	meets = c->forward != NONE || c->op == ENGINE_OP_IF || c->op == ENGINE_OP_ELSE;
	arrives = falls || c->forward != NONE || c->op == ENGINE_OP_IF || !c->live;
	if (falls && !meets) { /* straight through: the operands stay what they are */
		v->control_count--;
		return LB_OK;
	}
	if (falls)
		engine_emit_home(v, type.result_count);
	if (c->otherwise != NONE)
		engine_emit_aim_here(v, c->otherwise);
	engine_emit_label(v, c);
	engine_validate_truncate(v, c->height);
	v->control_count--;
	if (!arrives)
		top(v)->dead = true;
	return engine_validate_push_all(v, type.results, type.result_count);
}

/* ---- branches ---- */

static void emit_exit(struct engine_validator *v, struct control *c, uint32_t count)
{
	if (c->op == ENGINE_OP_END && count > 0) {
		engine_emit_return(v, count);
		return;
	}
	engine_emit_label_values(v, c, count);
	engine_emit_aim(v, engine_emit_branch(v), c);
}

static lb_err br_op(struct engine_validator *v)
{
	const engine_type *types;
	struct control *c = NULL;
	uint32_t count;

	LB_TRY(read_label(&c, v));
	types = label_types(&count, c);
	LB_TRY(engine_validate_peek_all(v, types, count));
	if (emitting(v)) {
		if (c->op == ENGINE_OP_END)
			engine_emit_return(v, count);
		else
			emit_exit(v, c, count);
	}
	engine_validate_unreachable(v);
	return LB_OK;
}

/* The homes of the newest operands are where the label wants its values. */
static bool homes_fit(const struct engine_validator *v, const struct control *c, uint32_t count)
{
	return count == 0 || (c->op != ENGINE_OP_END && v->operand_count == c->height + count);
}

/* ... and the operands are at home. */
static bool in_place(const struct engine_validator *v, const struct control *c, uint32_t count)
{
	if (!homes_fit(v, c, count))
		return false;
	for (uint32_t i = v->operand_count - count; i < v->operand_count; i++)
		if (v->operands[i].place != PLACE_HOME)
			return false;
	return true;
}

static lb_err br_if_op(struct engine_validator *v)
{
	struct condition condition;
	const engine_type *types;
	struct control *c = NULL;
	struct operand o;
	uint32_t count;

	LB_TRY(read_label(&c, v));
	LB_TRY(engine_validate_pop(&o, v, ENGINE_I32));
	types = label_types(&count, c);
	if (!emitting(v)) {
		LB_TRY(engine_validate_pop_all(v, types, count));
		return engine_validate_push_all(v, types, count);
	}
	LB_TRY(engine_validate_peek_all(v, types, count));
	condition = engine_emit_take_condition(v, &o, v->operand_count);
	if (count > 1) /* now, not only on the way out */
		engine_emit_home(v, count);
	if (in_place(v, c, count)) {
		engine_emit_aim(v, engine_emit_branch_if(v, condition, true), c);
	} else {
		uint32_t stay = engine_emit_branch_if(v, condition, false);

		emit_exit(v, c, count);
		engine_emit_aim_here(v, stay);
	}
	return LB_OK;
}

/* The table's branches, one for each label; one that would have values to move is aimed later. */
static lb_err br_table_entries(struct engine_validator *v, uint32_t labels, uint32_t count)
{
	for (uint32_t i = 0; i < labels; i++) {
		struct control *c = NULL;
		const engine_type *types;
		uint32_t arity, branch;

		LB_TRY(read_label(&c, v));
		types = label_types(&arity, c);
		if (arity != count)
			return engine_validate_fail(v, LB_E_INVALID,
			                            "type mismatch: labels differ in values");
		if (c->checked_at != v->op_at) /* each label once, however often it is named */
			LB_TRY(engine_validate_peek_all(v, types, arity));
		c->checked_at = v->op_at;
		branch = engine_emit_branch(v);
		if (homes_fit(v, c, count))
			engine_emit_aim(v, branch, c);
	}
	return LB_OK;
}

/* The ways by which the values get where their labels want them. */
static lb_err br_table_stubs(struct engine_validator *v, uint32_t labels, uint32_t count,
                             uint32_t entry)
{
	for (uint32_t i = 0; i < labels; i++, entry += 2) {
		struct control *c = NULL;

		LB_TRY(read_label(&c, v));
		if (!homes_fit(v, c, count)) {
			engine_emit_aim_here(v, entry);
			emit_exit(v, c, count);
		}
	}
	return LB_OK;
}

static lb_err br_table_op(struct engine_validator *v)
{
	uint32_t labels = 0, count, slot, entry;
	struct engine_reader first;
	struct control *c = NULL;
	struct operand o;

	LB_TRY(engine_read_count(&labels, &v->r, 1, UINT32_MAX - 1, "labels"));
	LB_TRY(engine_validate_pop(&o, v, ENGINE_I32));
	slot = engine_emit_slot(v, &o, v->operand_count);
	first = v->r;
	LB_TRY(read_label(&c, v));
	v->r = first;
	(void)label_types(&count, c);
	engine_emit_home(v, count);
	engine_emit(v, ENGINE_CODE_BR_TABLE, ab_imm(slot, 0, (int32_t)labels), false);
	entry = engine_emit_here(v);
	LB_TRY(br_table_entries(v, labels + 1, count));
	if (emitting(v) && count > 0) {
		v->r = first;
		LB_TRY(br_table_stubs(v, labels + 1, count, entry));
	}
	engine_validate_unreachable(v);
	return LB_OK;
}

static lb_err return_op(struct engine_validator *v)
{
	const struct control *c = &v->controls[0];

	LB_TRY(engine_validate_peek_all(v, c->type.results, c->type.result_count));
	engine_emit_return(v, c->type.result_count);
	engine_validate_unreachable(v);
	return LB_OK;
}

/* ---- calls ---- */

static lb_err call_op(struct engine_validator *v)
{
	struct engine_module *m = v->module;
	const struct engine_func_type *type;
	uint32_t func = 0, base;

	LB_TRY(engine_validate_index(&func, v, m->func_count, "function"));
	type = engine_form_func_type(m, func);
	engine_emit_home(v, type->param_count);
	LB_TRY(engine_validate_pop_all(v, type->params, type->param_count));
	base = home(v, v->operand_count);
	if (func < m->func_import_count) {
		engine_emit(v, ENGINE_CODE_CALL_FUNC, ab_imm(base, 0, (int32_t)func), false);
	} else {
		const struct engine_body *body = &m->bodies[func - m->func_import_count];

		engine_emit(v, ENGINE_CODE_CALL, abcd(base, 0, 0, 0), false);
		engine_emit_cell(v, (union engine_cell){ .body = body }.x);
	}
	return engine_validate_push_all(v, type->results, type->result_count);
}

static lb_err call_indirect_op(struct engine_validator *v)
{
	struct engine_module *m = v->module;
	const struct engine_func_type *type;
	uint32_t index = 0, table = 0, slot;
	struct operand o;

	LB_TRY(engine_validate_index(&index, v, m->type_count, "type"));
	LB_TRY(engine_validate_index(&table, v, m->table_count, "table"));
	if (m->tables[table].element != ENGINE_FUNCREF)
		return engine_validate_mismatch(v, ENGINE_FUNCREF, m->tables[table].element);
	LB_TRY(engine_validate_pop(&o, v, ENGINE_I32));
	slot = engine_emit_slot(v, &o, v->operand_count);
	type = &m->types[index];
	engine_emit_home(v, type->param_count);
	LB_TRY(engine_validate_pop_all(v, type->params, type->param_count));
	engine_emit(v, ENGINE_CODE_CALL_INDIRECT,
	            ab_imm(home(v, v->operand_count), slot, (int32_t)table), false);
	engine_emit_cell(v, index);
	return engine_validate_push_all(v, type->results, type->result_count);
}

lb_err engine_validate_control_op(struct engine_validator *v, uint16_t op)
{
	switch (op) {
	case ENGINE_OP_BLOCK:
	case ENGINE_OP_LOOP: return block_op(v, op);
	case ENGINE_OP_IF: return if_op(v);
	case ENGINE_OP_ELSE: return else_op(v);
	case ENGINE_OP_END: return end_op(v);
	case ENGINE_OP_BR: return br_op(v);
	case ENGINE_OP_BR_IF: return br_if_op(v);
	case ENGINE_OP_BR_TABLE: return br_table_op(v);
	case ENGINE_OP_RETURN: return return_op(v);
	case ENGINE_OP_CALL: return call_op(v);
	default: assert(op == ENGINE_OP_CALL_INDIRECT); return call_indirect_op(v);
	}
}
