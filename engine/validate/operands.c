/* operands.c - the abstract operand stack and the blocks around it. */
#include "engine/validate/validate_priv.h"

lb_err engine_validate_reserve(void **at, uint32_t *capacity, uint32_t count, size_t size,
                               struct lb_mem *mem)
{
	uint32_t more = *capacity < 16 ? 32 : *capacity * 2;
	void *fresh;

	if (count < *capacity)
		return LB_OK;
	fresh = lb_mem_grow(mem, *at, *capacity, more, size);
	if (fresh == NULL)
		return lb_err_of(LB_E_NOMEM);
	*at = fresh;
	*capacity = more;
	return LB_OK;
}

static lb_err push(struct engine_validator *v, const struct operand *o)
{
	if (v->operand_count == v->operand_capacity)
		LB_TRY(engine_validate_reserve((void **)&v->operands, &v->operand_capacity,
		                               v->operand_count, sizeof *v->operands, v->mem));
	if (engine_type_is_ref(o->type) && engine_validate_is_collected(v, o->type)) {
		LB_TRY(engine_validate_reserve((void **)&v->refs, &v->ref_capacity, v->ref_count,
		                               sizeof *v->refs, v->mem));
		v->refs[v->ref_count++] = v->operand_count;
	}
	v->operands[v->operand_count] = *o;
	v->operands[v->operand_count++].home = v->slot_top;
	v->slot_top += engine_type_slots(o->type);
	if (v->slot_top > v->slot_high) {
		v->slot_high = v->slot_top;
		if (v->slot_high > ENGINE_FRAME_SLOTS_MAX)
			return engine_validate_fail(v, LB_E_LIMIT, "too many locals and operands");
	}
	return LB_OK;
}

lb_err engine_validate_push(struct engine_validator *v, engine_type type)
{
	return push(v, &(struct operand){ .type = type, .place = PLACE_HOME });
}

lb_err engine_validate_push_local(struct engine_validator *v, engine_type type, uint32_t local)
{
	struct operand o = { .type = type, .place = PLACE_LOCAL, .local = local };

	if (!emitting(v))
		return engine_validate_push(v, type);
	o.next_alias = v->alias_heads[local];
	v->alias_heads[local] = v->operand_count + 1;
	return push(v, &o);
}

lb_err engine_validate_push_sum(struct engine_validator *v, uint32_t local, uint32_t value)
{
	struct operand o = {
		.type = ENGINE_I32, .place = PLACE_SUM, .local = local, .value = value
	};

	assert(emitting(v));
	o.next_alias = v->alias_heads[local];
	v->alias_heads[local] = v->operand_count + 1;
	return push(v, &o);
}

lb_err engine_validate_push_const(struct engine_validator *v, engine_type type, uint64_t value)
{
	return push(v, &(struct operand){ .type = type, .place = PLACE_CONST, .value = value });
}

lb_err engine_validate_push_all(struct engine_validator *v, const engine_type *types,
                                uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		LB_TRY(engine_validate_push(v, types[i]));
	return LB_OK;
}

static void drop_newest(struct engine_validator *v)
{
	const struct operand *o = &v->operands[--v->operand_count];

	v->slot_top = o->home;
	if (v->ref_count > 0 && v->refs[v->ref_count - 1] == v->operand_count)
		v->ref_count--;
	if (on_local(o)) {
		assert(v->alias_heads[o->local] == v->operand_count + 1);
		v->alias_heads[o->local] = o->next_alias;
	}
	if (v->operand_count < v->alias_floor)
		v->alias_floor = v->operand_count;
}

void engine_validate_truncate(struct engine_validator *v, uint32_t height)
{
	while (v->operand_count > height)
		drop_newest(v);
}

static bool fits(const struct engine_validator *v, engine_type got, engine_type want)
{
	if (got == want || got == TYPE_ANY)
		return true;
	if (got == TYPE_ANY_REF || want == TYPE_ANY_REF)
		return is_reference(got) && is_reference(want);
	return engine_types_match(&v->module->types, got, want);
}

lb_err engine_validate_pop(struct operand *out, struct engine_validator *v, engine_type want)
{
	struct control *c = top(v);

	if (v->operand_count == c->height) {
		if (!c->unreachable)
			return engine_validate_mismatch(v, want, TYPE_ANY);
		*out = (struct operand){ .type = want, .home = v->slot_top };
		return LB_OK;
	}
	*out = v->operands[v->operand_count - 1];
	drop_newest(v);
	if (want != TYPE_ANY && !fits(v, out->type, want))
		return engine_validate_mismatch(v, want, out->type);
	return LB_OK;
}

lb_err engine_validate_pop_ref(struct operand *out, struct engine_validator *v)
{
	LB_TRY(engine_validate_pop(out, v, TYPE_ANY));
	if (!is_reference(out->type))
		return engine_validate_fail(
			v, LB_E_INVALID,
			"type mismatch: instruction requires [ref] but stack has [%s]",
			engine_type_name(out->type).text);
	if (out->type == TYPE_ANY)
		out->type = TYPE_ANY_REF;
	return LB_OK;
}

lb_err engine_validate_pop_all(struct engine_validator *v, const engine_type *types, uint32_t count)
{
	struct operand o;

	while (count-- > 0)
		LB_TRY(engine_validate_pop(&o, v, types[count]));
	return LB_OK;
}

lb_err engine_validate_peek_all(struct engine_validator *v, const engine_type *types,
                                uint32_t count)
{
	struct control *c = top(v);

	for (uint32_t i = 0; i < count; i++) {
		engine_type want = types[count - 1 - i], got;

		if (v->operand_count - c->height <= i) {
			if (!c->unreachable)
				return engine_validate_mismatch(v, want, TYPE_ANY);
			return LB_OK;
		}
		got = v->operands[v->operand_count - 1 - i].type;
		if (!fits(v, got, want))
			return engine_validate_mismatch(v, want, got);
	}
	return LB_OK;
}

lb_err engine_validate_cast_all(struct engine_validator *v, const engine_type *types,
                                uint32_t count)
{
	struct control *c = top(v);

	LB_TRY(engine_validate_peek_all(v, types, count));
	if (v->operand_count - c->height < count) { /* nothing is emitted here */
		engine_validate_truncate(v, c->height);
		return engine_validate_push_all(v, types, count);
	}
	for (uint32_t i = 0; i < count; i++)
		v->operands[v->operand_count - count + i].type = types[i];
	return LB_OK;
}

lb_err engine_validate_push_control(struct engine_validator *v, uint16_t op,
                                    const struct engine_func_type *type)
{
	bool live = v->control_count == 0 || emitting(v);
	struct control *c;

	if (v->control_count == ENGINE_NESTING_MAX)
		return engine_validate_fail(v, LB_E_LIMIT, "blocks nested too deeply");
	LB_TRY(engine_validate_reserve((void **)&v->controls, &v->control_capacity,
	                               v->control_count, sizeof *v->controls, v->mem));
	c = &v->controls[v->control_count++];
	*c = (struct control){ .op = op,
		               .live = live,
		               .type = *type,
		               .height = v->operand_count,
		               .base = v->slot_top,
		               .init_height = v->init_count,
		               .body_end = NONE,
		               .start = engine_emit_here(v),
		               .forward = NONE,
		               .otherwise = NONE };
	return LB_OK;
}

void engine_validate_unreachable(struct engine_validator *v)
{
	engine_validate_truncate(v, top(v)->height);
	top(v)->unreachable = true;
	top(v)->dead = true;
}

void engine_validate_open_slot(struct engine_validator *v)
{
	v->slot_top++;
	if (v->slot_top > v->slot_high)
		v->slot_high = v->slot_top;
}

void engine_validate_forget_inits(struct engine_validator *v, const struct control *c)
{
	while (v->init_count > c->init_height)
		v->is_set[v->inits[--v->init_count]] = 0;
}
