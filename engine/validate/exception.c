/* exception.c - throwing, and blocks that catch: try_table, and the older try.
 *
 * What is protected is written down as regions of code (interpret/code.h), so
 * that entering a block costs nothing.  Where an exception goes on stands code
 * that finds its values at home.
 */
#include "engine/validate/validate_priv.h"

static lb_err read_tag(uint32_t *tag, const struct engine_func_type **type,
                       struct engine_validator *v)
{
	LB_TRY(engine_validate_index(tag, v, v->module->tag_count, "tag"));
	*type = &def_type(v, v->module->tag_types[*tag])->func;
	return LB_OK;
}

static lb_err throw_op(struct engine_validator *v)
{
	const struct engine_func_type *type;
	uint32_t tag = 0;

	LB_TRY(read_tag(&tag, &type, v));
	LB_TRY(engine_validate_peek_all(v, type->params, type->param_count));
	if (emitting(v)) {
		uint32_t oldest = v->operand_count - type->param_count;

		engine_emit_home(v, type->param_count);
		engine_emit(v, ENGINE_CODE_THROW,
		            ab_imm(type->param_count > 0 ? v->operands[oldest].home : v->slot_top,
		                   0, (int32_t)tag),
		            false);
		engine_emit_map(v);
	}
	LB_TRY(engine_validate_pop_all(v, type->params, type->param_count));
	engine_validate_unreachable(v);
	return LB_OK;
}

static lb_err throw_ref_op(struct engine_validator *v)
{
	struct operand o;

	LB_TRY(engine_validate_pop(&o, v, ENGINE_EXNREF));
	engine_emit(v, ENGINE_CODE_THROW_REF, abcd(engine_emit_slot(v, &o), 0, 0, 0), false);
	engine_validate_unreachable(v);
	return LB_OK;
}

/* ---- collecting catches ---- */

static lb_err add_catch(struct engine_validator *v, const struct engine_catch *catch, uint32_t next)
{
	LB_TRY(engine_validate_reserve((void **)&v->catches, &v->catch_capacity, v->catch_count,
	                               sizeof *v->catches, v->mem));
	v->catches[v->catch_count] = *catch;
	v->catches[v->catch_count++].next = next;
	return LB_OK;
}

/* The block's body has come to its end: what is thrown in it goes to its catches. */
static lb_err add_region(struct engine_validator *v, const struct control *c, uint32_t end)
{
	struct engine_region region = { .start = c->start,
		                        .end = end,
		                        .depth = (uint32_t)(c - v->controls),
		                        .catches = c->catches };

	LB_TRY(engine_validate_reserve((void **)&v->regions, &v->region_capacity, v->region_count,
	                               sizeof *v->regions, v->mem));
	v->regions[v->region_count++] = region;
	return LB_OK;
}

/* ---- try_table ---- */

enum { CATCH, CATCH_REF, CATCH_ALL, CATCH_ALL_REF };

/* One clause: code that takes the exception's values to the label. */
static lb_err catch_clause(struct engine_validator *v, uint32_t *newest)
{
	struct engine_catch catch = { .kind = ENGINE_CATCH_ALL };
	const struct engine_func_type none = { 0 }, *type = &none;
	uint32_t count = 0, arity, height = v->operand_count;
	const engine_type *types;
	struct control *c = NULL;
	uint8_t kind = 0;

	LB_TRY(engine_read_byte(&kind, &v->r));
	if (kind > CATCH_ALL_REF)
		return engine_validate_fail(v, LB_E_MALFORMED, "malformed catch clause");
	if (kind <= CATCH_REF) {
		catch.kind = ENGINE_CATCH_TAG;
		LB_TRY(read_tag(&catch.tag, &type, v));
	}
	LB_TRY(engine_validate_read_label(&c, v));
	catch.slot = v->slot_top;
	catch.target = engine_emit_here(v);
	LB_TRY(engine_validate_push_all(v, type->params, type->param_count));
	catch.ref_slot = v->slot_top;
	catch.has_ref = kind == CATCH_REF || kind == CATCH_ALL_REF;
	if (catch.has_ref)
		LB_TRY(engine_validate_push(v, ENGINE_EXNREF | ENGINE_NON_NULL));
	count = v->operand_count - height;
	types = engine_validate_label_types(&arity, c);
	if (arity != count)
		return engine_validate_fail(v, LB_E_INVALID,
		                            "type mismatch: the label takes other values");
	for (uint32_t i = 0; i < count; i++)
		if (!matches(v, v->operands[height + i].type, types[i]))
			return engine_validate_mismatch(v, types[i], v->operands[height + i].type);
	engine_emit_barrier(v);
	if (emitting(v)) {
		engine_emit_exit(v, c, count);
		LB_TRY(add_catch(v, &catch, *newest));
		*newest = v->catch_count;
	}
	engine_validate_truncate(v, height);
	return LB_OK;
}

static lb_err try_table_op(struct engine_validator *v)
{
	struct engine_func_type type;
	uint32_t count = 0, skip = NONE, newest = 0;

	LB_TRY(engine_validate_read_block_type(&type, v));
	LB_TRY(engine_read_count(&count, &v->r, 2, UINT32_MAX, "catch clauses"));
	engine_emit_home(v, type.param_count);
	engine_emit_unalias(v);
	LB_TRY(engine_validate_pop_all(v, type.params, type.param_count));
	if (emitting(v) && count > 0)
		skip = engine_emit_branch(v);
	for (uint32_t i = 0; i < count; i++)
		LB_TRY(catch_clause(v, &newest));
	if (skip != NONE)
		engine_emit_aim_here(v, skip);
	LB_TRY(engine_validate_push_control(v, ENGINE_OP_TRY_TABLE, &type));
	top(v)->catches = newest;
	return engine_validate_push_all(v, type.params, type.param_count);
}

lb_err engine_validate_end_try(struct engine_validator *v, struct control *c)
{
	if (!c->live || c->catches == 0)
		return LB_OK;
	return add_region(v, c, c->body_end != NONE ? c->body_end : engine_emit_here(v));
}

/* ---- try, catch, delegate, rethrow ---- */

/* The slot at the block's base is kept for the exception, once one is caught; what the block
 * works with stands above it. */
static lb_err try_op(struct engine_validator *v)
{
	struct engine_func_type type;
	uint32_t slot;

	LB_TRY(engine_validate_read_block_type(&type, v));
	engine_emit_home(v, type.param_count);
	engine_emit_unalias(v);
	slot = v->slot_top;
	LB_TRY(engine_validate_pop_all(v, type.params, type.param_count));
	for (; slot > v->slot_top; slot--)
		engine_emit(v, ENGINE_CODE_COPY, abcd(slot, slot - 1, 0, 0), false);
	LB_TRY(engine_validate_push_control(v, ENGINE_OP_TRY, &type));
	engine_validate_open_slot(v);
	return engine_validate_push_all(v, type.params, type.param_count);
}

static lb_err catch_op(struct engine_validator *v, uint16_t op)
{
	struct engine_catch catch = { .kind = ENGINE_CATCH_ALL, .has_ref = true };
	const struct engine_func_type none = { 0 }, *type = &none;
	struct control *c = top(v);

	if (c->op != ENGINE_OP_TRY && c->op != ENGINE_OP_CATCH)
		return engine_validate_fail(v, LB_E_MALFORMED, "unexpected token: no try to catch");
	if (op == ENGINE_OP_CATCH) {
		catch.kind = ENGINE_CATCH_TAG;
		LB_TRY(read_tag(&catch.tag, &type, v));
	}
	LB_TRY(engine_validate_check_results(v, c));
	if (emitting(v)) {
		engine_emit_label_values(v, c, c->type.result_count);
		engine_emit_aim(v, engine_emit_branch(v), c);
	}
	if (c->op == ENGINE_OP_TRY)
		c->body_end = engine_emit_here(v);
	engine_validate_truncate(v, c->height);
	engine_validate_forget_inits(v, c);
	v->slot_top = c->base;
	engine_validate_open_slot(v);
	c->op = op;
	c->unreachable = c->dead = false;
	engine_emit_barrier(v);
	catch.target = engine_emit_here(v);
	catch.slot = v->slot_top;
	catch.ref_slot = c->base;
	if (c->live) {
		LB_TRY(add_catch(v, &catch, c->catches));
		c->catches = v->catch_count;
	}
	return engine_validate_push_all(v, type->params, type->param_count);
}

/* The label is one outside of the try that ends here. */
static lb_err delegate_op(struct engine_validator *v)
{
	struct engine_catch catch = { .kind = ENGINE_CATCH_DELEGATE };
	struct control *c = top(v);
	uint32_t depth = 0;

	if (c->op != ENGINE_OP_TRY)
		return engine_validate_fail(v, LB_E_MALFORMED,
		                            "unexpected token: no try to delegate");
	LB_TRY(engine_validate_index(&depth, v, v->control_count - 1, "label"));
	catch.tag = v->control_count - 2 - depth;
	if (c->live) {
		LB_TRY(add_catch(v, &catch, 0));
		c->catches = v->catch_count;
	}
	return engine_validate_end_op(v);
}

static lb_err rethrow_op(struct engine_validator *v)
{
	struct control *c = NULL;

	LB_TRY(engine_validate_read_label(&c, v));
	if (c->op != ENGINE_OP_CATCH && c->op != ENGINE_OP_CATCH_ALL)
		return engine_validate_fail(v, LB_E_INVALID, "invalid rethrow label");
	engine_emit(v, ENGINE_CODE_THROW_REF, abcd(c->base, 0, 0, 0), false);
	engine_validate_unreachable(v);
	return LB_OK;
}

lb_err engine_validate_exception_op(struct engine_validator *v, uint16_t op)
{
	switch (op) {
	case ENGINE_OP_THROW: return throw_op(v);
	case ENGINE_OP_THROW_REF: return throw_ref_op(v);
	case ENGINE_OP_TRY_TABLE: return try_table_op(v);
	case ENGINE_OP_TRY: return try_op(v);
	case ENGINE_OP_DELEGATE: return delegate_op(v);
	case ENGINE_OP_RETHROW: return rethrow_op(v);
	default: return catch_op(v, op);
	}
}
