/* control.c - blocks and branches. */
#include "engine/validate/validate_priv.h"

#include <stdio.h>

/* A list of one type that lasts. */
static const engine_type *single_type(struct engine_validator *v, engine_type type)
{
	static const engine_type singles[] = { ENGINE_I32,      ENGINE_I64,  ENGINE_F32,
		                               ENGINE_F64,      ENGINE_V128, ENGINE_FUNCREF,
		                               ENGINE_EXTERNREF };
	engine_type *fresh;

	for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++)
		if (singles[i] == type)
			return &singles[i];
	fresh = LB_ARENA_NEW(&v->module->arena, engine_type, 1);
	if (fresh != NULL)
		*fresh = type;
	return fresh;
}

/* A block type: nothing, one result, or the index of a function type. */
lb_err engine_validate_read_block_type(struct engine_func_type *out, struct engine_validator *v)
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
		out->results = single_type(v, single);
		return out->results != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
	}
	LB_TRY(engine_read_s33(&index, &v->r));
	if (index < 0 || !engine_form_has(m, ENGINE_FEATURE_MULTI_VALUE))
		return engine_reader_fail(&v->r, LB_E_MALFORMED, start, "malformed block type");
	if (index >= m->type_count)
		return engine_validate_fail(v, LB_E_INVALID, "unknown type %u", (unsigned)index);
	if (def_type(v, m->type_ids[index])->kind != ENGINE_COMPOSITE_FUNC)
		return engine_validate_fail(v, LB_E_INVALID,
		                            "type mismatch: type %u is no function type",
		                            (unsigned)index);
	*out = def_type(v, m->type_ids[index])->func;
	return LB_OK;
}

/* What a branch to the block brings. */
const engine_type *engine_validate_label_types(uint32_t *count, const struct control *c)
{
	if (c->op == ENGINE_OP_LOOP) {
		*count = c->type.param_count;
		return c->type.params;
	}
	*count = c->type.result_count;
	return c->type.results;
}

lb_err engine_validate_read_label(struct control **out, struct engine_validator *v)
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

	LB_TRY(engine_validate_read_block_type(&type, v));
	engine_emit_home(v, type.param_count);
	engine_emit_unalias(v);
	if (op == ENGINE_OP_LOOP)
		engine_emit_barrier(v);
	return enter(v, op, &type);
}

static lb_err if_op(struct engine_validator *v)
{
	struct engine_func_type type;
	struct condition condition;
	struct operand o;
	uint32_t branch = NONE;

	LB_TRY(engine_validate_read_block_type(&type, v));
	LB_TRY(engine_validate_pop(&o, v, ENGINE_I32));
	condition = engine_emit_take_condition(v, &o);
	engine_emit_home(v, type.param_count);
	engine_emit_unalias(v);
	if (emitting(v))
		branch = engine_emit_branch_if(v, condition, false);
	LB_TRY(enter(v, ENGINE_OP_IF, &type));
	top(v)->otherwise = branch;
	return LB_OK;
}

/* "i32 i64", as far as there is room. */
static void add_type(char *text, size_t size, engine_type type)
{
	size_t len = strlen(text);

	(void)snprintf(text + len, size - len, "%s%s", len > 0 ? " " : "",
	               type == TYPE_ANY ? "any" : engine_type_name(type).text);
}

static lb_err fail_surplus(struct engine_validator *v, const struct control *c)
{
	char requires[80] = "", has[80] = "";

	for (uint32_t i = 0; i < c->type.result_count && i < 8; i++)
		add_type(requires, sizeof requires, c->type.results[i]);
	for (uint32_t i = c->height; i < v->operand_count && i < c->height + 8; i++)
		add_type(has, sizeof has, v->operands[i].type);
	return engine_validate_fail(v, LB_E_INVALID,
	                            "type mismatch: block requires [%s] but stack has [%s]",
	                            requires, has);
}

/* The operands of the block are its results, neither more nor fewer. */
lb_err engine_validate_check_results(struct engine_validator *v, const struct control *c)
{
	LB_TRY(engine_validate_cast_all(v, c->type.results, c->type.result_count));
	if (v->operand_count > c->height + c->type.result_count)
		return fail_surplus(v, c);
	return LB_OK;
}

static lb_err else_op(struct engine_validator *v)
{
	struct control *c = top(v);

	if (c->op != ENGINE_OP_IF)
		return engine_validate_fail(v, LB_E_MALFORMED,
		                            "END opcode expected: else without if");
	LB_TRY(engine_validate_check_results(v, c));
	if (emitting(v)) {
		engine_emit_home(v, c->type.result_count);
		engine_emit_aim(v, engine_emit_branch(v), c);
	}
	if (c->otherwise != NONE)
		engine_emit_aim_here(v, c->otherwise);
	engine_validate_truncate(v, c->height);
	engine_validate_forget_inits(v, c);
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

static bool params_are_results(const struct engine_validator *v,
                               const struct engine_func_type *type)
{
	return type->param_count == type->result_count &&
	       engine_types_match_lists(&v->module->types, type->params, type->results,
	                                type->param_count);
}

/* Blocks that keep a slot for the exception they have caught, below their operands. */
static bool is_legacy(const struct control *c)
{
	return c->op == ENGINE_OP_TRY || c->op == ENGINE_OP_CATCH || c->op == ENGINE_OP_CATCH_ALL;
}

lb_err engine_validate_end_op(struct engine_validator *v)
{
	struct control *c = top(v);
	struct engine_func_type type = c->type;
	bool falls = emitting(v), meets, arrives;

	LB_TRY(engine_validate_check_results(v, c));
	if (c->op == ENGINE_OP_IF && !params_are_results(v, &type))
		return engine_validate_fail(v, LB_E_INVALID,
		                            "type mismatch: if without else gives no values");
	if (v->control_count == 1)
		return end_function(v, c);
	LB_TRY(engine_validate_end_try(v, c));
	meets = c->forward != NONE || c->op == ENGINE_OP_IF || c->op == ENGINE_OP_ELSE ||
	        is_legacy(c);
	arrives = falls || c->forward != NONE || c->op == ENGINE_OP_IF || !c->live;
	engine_validate_forget_inits(v, c);
	if (falls && !meets) { /* straight through: the operands stay what they are */
		v->control_count--;
		return LB_OK;
	}
	if (falls && is_legacy(c))
		engine_emit_label_values(v, c, type.result_count);
	else if (falls)
		engine_emit_home(v, type.result_count);
	if (c->otherwise != NONE)
		engine_emit_aim_here(v, c->otherwise);
	engine_emit_label(v, c);
	engine_validate_truncate(v, c->height);
	v->slot_top = c->base;
	v->control_count--;
	if (!arrives)
		top(v)->dead = true;
	return engine_validate_push_all(v, type.results, type.result_count);
}

/* ---- branches ---- */

void engine_emit_exit(struct engine_validator *v, struct control *c, uint32_t count)
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

	LB_TRY(engine_validate_read_label(&c, v));
	types = engine_validate_label_types(&count, c);
	LB_TRY(engine_validate_peek_all(v, types, count));
	if (emitting(v)) {
		if (c->op == ENGINE_OP_END)
			engine_emit_return(v, count);
		else
			engine_emit_exit(v, c, count);
	}
	engine_validate_unreachable(v);
	return LB_OK;
}

/* The homes of the newest operands are where the label wants its values. */
static bool homes_fit(const struct engine_validator *v, const struct control *c, uint32_t count)
{
	return count == 0 || (c->op != ENGINE_OP_END && v->operand_count >= count &&
	                      v->operands[v->operand_count - count].home == c->base);
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

	LB_TRY(engine_validate_read_label(&c, v));
	LB_TRY(engine_validate_pop(&o, v, ENGINE_I32));
	types = engine_validate_label_types(&count, c);
	LB_TRY(engine_validate_cast_all(v, types, count));
	condition = engine_emit_take_condition(v, &o);
	engine_emit_exit_if(v, condition, c, count);
	return LB_OK;
}

void engine_emit_exit_if(struct engine_validator *v, struct condition condition, struct control *c,
                         uint32_t count)
{
	if (!emitting(v))
		return;
	if (count > 1) /* now, not only on the way out */
		engine_emit_home(v, count);
	if (in_place(v, c, count)) {
		engine_emit_aim(v, engine_emit_branch_if(v, condition, true), c);
	} else {
		uint32_t stay = engine_emit_branch_if(v, condition, false);

		engine_emit_exit(v, c, count);
		engine_emit_aim_here(v, stay);
	}
}

/* The table's branches, one for each label; one that would have values to move is aimed later. */
static lb_err br_table_entries(struct engine_validator *v, uint32_t labels, uint32_t count)
{
	for (uint32_t i = 0; i < labels; i++) {
		struct control *c = NULL;
		const engine_type *types;
		uint32_t arity, branch;

		LB_TRY(engine_validate_read_label(&c, v));
		types = engine_validate_label_types(&arity, c);
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

		LB_TRY(engine_validate_read_label(&c, v));
		if (!homes_fit(v, c, count)) {
			engine_emit_aim_here(v, entry);
			engine_emit_exit(v, c, count);
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
	slot = engine_emit_slot(v, &o);
	first = v->r;
	LB_TRY(engine_validate_read_label(&c, v));
	v->r = first;
	(void)engine_validate_label_types(&count, c);
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

lb_err engine_validate_control_op(struct engine_validator *v, uint16_t op)
{
	switch (op) {
	case ENGINE_OP_BLOCK:
	case ENGINE_OP_LOOP: return block_op(v, op);
	case ENGINE_OP_IF: return if_op(v);
	case ENGINE_OP_ELSE: return else_op(v);
	case ENGINE_OP_END: return engine_validate_end_op(v);
	case ENGINE_OP_BR: return br_op(v);
	case ENGINE_OP_BR_IF: return br_if_op(v);
	case ENGINE_OP_BR_TABLE: return br_table_op(v);
	default: assert(op == ENGINE_OP_RETURN); return return_op(v);
	}
}
