/* emit.c - appends register instructions, keeping values where they are as long as it can. */
#include "engine/validate/validate_priv.h"

enum { CELLS_MAX = 1 << 30 };

/* The few values that are moved one by one; more go to their homes and then as a run. */
enum { MOVES_MAX = 4 };

static bool append(struct engine_validator *v, union engine_cell cell)
{
	struct engine_module *m = v->module;

	if (m->cell_count == m->cell_capacity) {
		size_t more = m->cell_capacity == 0 ? 256 : m->cell_capacity * 2;
		union engine_cell *fresh;

		if (more > CELLS_MAX)
			v->no_memory = true;
		if (v->no_memory)
			return false;
		fresh = lb_mem_grow(m->mem, m->cells, m->cell_capacity, more, sizeof *m->cells);
		if (fresh == NULL) {
			v->no_memory = true;
			return false;
		}
		m->cells = fresh;
		m->cell_capacity = more;
	}
	m->cells[m->cell_count++] = cell;
	return true;
}

static union engine_cell *cell_at(struct engine_validator *v, uint32_t position)
{
	return &v->module->cells[v->code_base + position];
}

uint32_t engine_emit_here(const struct engine_validator *v)
{
	return (uint32_t)(v->module->cell_count - v->code_base);
}

uint32_t engine_emit(struct engine_validator *v, unsigned code, union engine_cell operands,
                     bool has_result)
{
	uint32_t position = engine_emit_here(v);

	if (!emitting(v))
		return position;
	v->last = NONE;
	if (append(v, engine_code_cell(v->handlers, code)) && append(v, operands) && has_result) {
		v->last = position;
		v->last_code = code;
		v->last_form = LAST_OTHER;
	}
	return position;
}

void engine_emit_head(struct engine_validator *v, unsigned code)
{
	v->last = NONE;
	if (emitting(v))
		append(v, engine_code_cell(v->handlers, code));
}

void engine_emit_cell(struct engine_validator *v, uint64_t x)
{
	v->last = NONE;
	if (emitting(v))
		append(v, (union engine_cell){ .x = x });
}

static void emit_const(struct engine_validator *v, uint32_t to, uint64_t value)
{
	if (value <= UINT32_MAX) {
		engine_emit(v, ENGINE_CODE_CONST32, ab_imm(to, 0, (int32_t)(uint32_t)value), true);
	} else {
		engine_emit(v, ENGINE_CODE_CONST64, abcd(to, 0, 0, 0), false);
		engine_emit_cell(v, value);
	}
}

static void emit_copy(struct engine_validator *v, uint32_t to, uint32_t from, engine_type type)
{
	if (to != from)
		engine_emit(v, type == ENGINE_V128 ? ENGINE_CODE_COPY2 : ENGINE_CODE_COPY,
		            abcd(to, from, 0, 0), true);
}

void engine_emit_move(struct engine_validator *v, uint32_t to, const struct operand *o)
{
	switch (o->place) {
	case PLACE_HOME: emit_copy(v, to, o->home, o->type); break;
	case PLACE_LOCAL: emit_copy(v, to, o->local, o->type); break;
	case PLACE_SUM:
		engine_emit(v, ENGINE_CODE_I32_ADD_IMM,
		            ab_imm(to, o->local, (int32_t)(uint32_t)o->value), true);
		break;
	case PLACE_CONST: emit_const(v, to, o->value); break;
	}
}

uint32_t engine_emit_slot(struct engine_validator *v, const struct operand *o)
{
	if (o->place == PLACE_LOCAL)
		return o->local;
	engine_emit_move(v, o->home, o);
	return o->home;
}

/* Operand `index` into its home.  Those that stand for the same local and are newer went
 * there before. */
static void settle(struct engine_validator *v, uint32_t index)
{
	struct operand *o = &v->operands[index];

	if (o->place == PLACE_HOME)
		return;
	engine_emit_move(v, o->home, o);
	if (on_local(o)) {
		assert(v->alias_heads[o->local] == index + 1);
		v->alias_heads[o->local] = o->next_alias;
	}
	o->place = PLACE_HOME;
}

/* Unreachable code can have fewer operands than its types say. */
static uint32_t oldest_of(const struct engine_validator *v, uint32_t count)
{
	return v->operand_count > count ? v->operand_count - count : 0;
}

void engine_emit_home(struct engine_validator *v, uint32_t count)
{
	uint32_t oldest = oldest_of(v, count);

	if (!emitting(v))
		return;
	for (uint32_t i = v->operand_count; i-- > oldest;)
		settle(v, i);
}

void engine_emit_unalias(struct engine_validator *v)
{
	if (emitting(v))
		for (uint32_t i = v->operand_count; i-- > v->alias_floor;)
			if (on_local(&v->operands[i]))
				settle(v, i);
	v->alias_floor = v->operand_count;
}

void engine_emit_preserve(struct engine_validator *v, uint32_t local)
{
	while (v->alias_heads[local] != 0)
		settle(v, v->alias_heads[local] - 1);
}

/* ---- branches ---- */

void engine_emit_compare(struct engine_validator *v, unsigned code, union engine_cell operands,
                         bool imm)
{
	engine_emit(v, code, operands, true);
	v->last_form = imm ? LAST_COMPARE_IMM : LAST_COMPARE;
}

/* The operands of the instruction just made, if it left its result in the operand's home; the
 * instruction is taken back then. */
static bool take_last(union engine_cell *made, struct engine_validator *v, const struct operand *o)
{
	if (!emitting(v) || o->place != PLACE_HOME || v->last == NONE)
		return false;
	*made = *cell_at(v, v->last + 1);
	if (made->a != o->home)
		return false;
	v->module->cell_count = v->code_base + v->last;
	v->last = NONE;
	return true;
}

struct condition engine_emit_take_condition(struct engine_validator *v, const struct operand *o)
{
	struct condition c = { 0 };
	union engine_cell made = { 0 };

	if (v->last_form != LAST_OTHER && take_last(&made, v, o)) {
		c = (struct condition){ .code = v->last_code, .a = made.b, .b = made.c };
		c.has_imm = v->last_form == LAST_COMPARE_IMM;
		c.imm = made.imm;
	} else {
		c.a = engine_emit_slot(v, o);
	}
	return c;
}

bool engine_emit_take_sum(uint32_t *a, uint32_t *b, struct engine_validator *v,
                          const struct operand *o)
{
	union engine_cell made = { 0 };

	if (v->last_code != ENGINE_CODE_I32_ADD || !take_last(&made, v, o))
		return false;
	*a = made.b;
	*b = made.c;
	return true;
}

static unsigned whole_load(engine_type type)
{
	switch (type) {
	case ENGINE_I32: return ENGINE_CODE_I32_LOAD;
	case ENGINE_I64: return ENGINE_CODE_I64_LOAD;
	case ENGINE_F32: return ENGINE_CODE_F32_LOAD;
	default: return ENGINE_CODE_F64_LOAD;
	}
}

bool engine_emit_take_load(uint32_t *address, uint32_t *offset, struct engine_validator *v,
                           const struct operand *o, engine_type type)
{
	union engine_cell made = { 0 };

	if (v->last_code != whole_load(type) || !take_last(&made, v, o))
		return false;
	*address = made.b;
	*offset = made.index;
	return true;
}

bool engine_emit_take_shift(uint32_t *slot, uint32_t *by, struct engine_validator *v,
                            const struct operand *o)
{
	union engine_cell made = { 0 };

	if (v->last_code != ENGINE_CODE_I32_SHR_U_IMM || !take_last(&made, v, o))
		return false;
	*slot = made.b;
	*by = made.index & 31;
	return true;
}

void engine_emit_has_result(struct engine_validator *v, uint32_t position, unsigned code)
{
	if (!emitting(v) || v->no_memory)
		return;
	v->last = position;
	v->last_code = code;
	v->last_form = LAST_OTHER;
}

/* A local was just counted on, and the branch is taken unless it is some number (0 where there is
 * no comparison) or another slot's: one instruction for both.  NONE where it is not so. */
static uint32_t emit_loop(struct engine_validator *v, struct condition c)
{
	uint32_t position = v->last_step, branch;
	union engine_cell step;

	if (position == NONE || position + 2 != engine_emit_here(v))
		return NONE;
	step = *cell_at(v, position + 1);
	if (c.code == ENGINE_CODE_I32_NE && c.b == step.a) {
		c.b = c.a;
		c.a = step.a;
	}
	if (c.a != step.a ||
	    (c.code != 0 && c.code != ENGINE_CODE_I32_NE && c.code != ENGINE_CODE_I32_NE_IMM))
		return NONE;
	v->module->cell_count = v->code_base + position;
	branch = engine_emit(v,
	                     c.code == ENGINE_CODE_I32_NE ? ENGINE_CODE_LOOP_NE
	                                                  : ENGINE_CODE_LOOP_NE_IMM,
	                     ab_imm(step.a, c.b, 0), false);
	engine_emit_cell(v, step.index | (uint64_t)(uint32_t)c.imm << 32);
	return branch;
}

uint32_t engine_emit_branch_if(struct engine_validator *v, struct condition c, bool holds)
{
	bool on_zero = c.has_imm && c.imm == 0 && c.code == ENGINE_CODE_I32_EQ_IMM;
	uint32_t branch = holds && emitting(v) && !v->no_memory ? emit_loop(v, c) : NONE;

	if (branch != NONE)
		return branch;

	if (c.code == 0 || on_zero || (c.has_imm && c.imm == 0 && c.code == ENGINE_CODE_I32_NE_IMM))
		return engine_emit(v, holds != on_zero ? ENGINE_CODE_BR_IF : ENGINE_CODE_BR_UNLESS,
		                   ab_imm(c.a, 0, 0), false);
	branch = engine_emit(v, c.code + (holds ? ENGINE_CODE_BRANCH : ENGINE_CODE_BRANCH_NOT),
	                     ab_imm(c.a, c.has_imm ? 0 : c.b, 0), false);
	if (c.has_imm)
		engine_emit_cell(v, (uint64_t)(int64_t)c.imm);
	return branch;
}

uint32_t engine_emit_branch(struct engine_validator *v)
{
	return engine_emit(v, ENGINE_CODE_BR, ab_imm(0, 0, 0), false);
}

void engine_emit_aim(struct engine_validator *v, uint32_t branch, struct control *c)
{
	if (!emitting(v) || v->no_memory)
		return;
	if (c->op == ENGINE_OP_LOOP) {
		cell_at(v, branch + 1)->imm = (int32_t)c->start - (int32_t)branch;
		return;
	}
	cell_at(v, branch + 1)->imm = (int32_t)c->forward;
	c->forward = branch;
}

void engine_emit_barrier(struct engine_validator *v) { v->last = v->last_step = NONE; }

void engine_emit_aim_here(struct engine_validator *v, uint32_t branch)
{
	engine_emit_barrier(v);
	if (!v->no_memory)
		cell_at(v, branch + 1)->imm = (int32_t)(engine_emit_here(v) - branch);
}

void engine_emit_label(struct engine_validator *v, struct control *c)
{
	uint32_t branch = c->forward;

	engine_emit_barrier(v);
	while (branch != NONE && !v->no_memory) {
		uint32_t next = (uint32_t)cell_at(v, branch + 1)->imm;

		engine_emit_aim_here(v, branch);
		branch = next;
	}
	c->forward = NONE;
}

/* Slots of the operands from `oldest` on. */
static uint32_t slots_from(const struct engine_validator *v, uint32_t oldest)
{
	return oldest < v->operand_count ? v->slot_top - v->operands[oldest].home : 0;
}

void engine_emit_label_values(struct engine_validator *v, const struct control *c, uint32_t count)
{
	uint32_t oldest = oldest_of(v, count), to = c->base;

	if (!emitting(v))
		return;
	if (count > MOVES_MAX) {
		engine_emit_home(v, count);
		if (v->operands[oldest].home != to)
			engine_emit(v, ENGINE_CODE_COPY_RANGE,
			            ab_imm(to, v->operands[oldest].home,
			                   (int32_t)slots_from(v, oldest)),
			            false);
		return;
	}
	/* Rising order is safe: an operand's home is never below its target. */
	for (uint32_t i = oldest; i < v->operand_count; i++) {
		engine_emit_move(v, to, &v->operands[i]);
		to += engine_type_slots(v->operands[i].type);
	}
}

void engine_emit_return(struct engine_validator *v, uint32_t count)
{
	uint32_t oldest = oldest_of(v, count);

	if (!emitting(v))
		return;
	if (count == 1 && v->operands[oldest].type != ENGINE_V128) {
		uint32_t slot = engine_emit_slot(v, &v->operands[oldest]);

		engine_emit(v, ENGINE_CODE_RETURN_SLOT, abcd(slot, 0, 0, 0), false);
		return;
	}
	if (count > 0) { /* by way of their homes: results may be written over locals */
		engine_emit_home(v, count);
		engine_emit(v, ENGINE_CODE_COPY_RANGE,
		            ab_imm(0, v->operands[oldest].home, (int32_t)slots_from(v, oldest)),
		            false);
	}
	engine_emit_head(v, ENGINE_CODE_RETURN);
}

/* ---- instructions that functions do ---- */

void engine_emit_helper(struct engine_validator *v, unsigned code, engine_helper *helper,
                        uint32_t count, uint32_t imm, uint64_t x)
{
	uint32_t oldest = oldest_of(v, count);
	uint32_t base = oldest < v->operand_count ? v->operands[oldest].home : v->slot_top;

	if (!emitting(v))
		return;
	engine_emit_home(v, count);
	engine_emit(v, code, ab_imm(base, 0, (int32_t)imm), false);
	engine_emit_cell(v, (union engine_cell){ .helper = helper }.x);
	engine_emit_cell(v, x);
	if (code == ENGINE_CODE_HELPER_COLLECTS)
		engine_emit_map(v);
}

/* ---- where references are ---- */

/* Functions live as long as the store; foreign pointers are the host's. */
bool engine_validate_is_collected(const struct engine_validator *v, engine_type type)
{
	unsigned byte = type & 0xff;

	if (byte == ENGINE_REF)
		return def_type(v, engine_type_index(type))->kind != ENGINE_COMPOSITE_FUNC;
	return engine_type_is_ref(type) && byte != ENGINE_FUNCREF && byte != ENGINE_NULLFUNCREF;
}

/* Of one function; a module that needs more is up to no good. */
enum { MAP_SLOTS_MAX = 16 << 20 };

static void add_map_slot(struct engine_validator *v, uint32_t slot, engine_type type)
{
	if (v->map_slot_count == MAP_SLOTS_MAX)
		v->too_many_references = true;
	else if (v->no_memory ||
	         lb_failed(engine_validate_reserve((void **)&v->map_slots, &v->map_slot_capacity,
	                                           v->map_slot_count, sizeof *v->map_slots,
	                                           v->mem)))
		v->no_memory = true;
	else
		v->map_slots[v->map_slot_count++] =
			slot | (engine_type_is_extern(type) ? ENGINE_MAP_EXTERN : 0);
}

void engine_emit_map(struct engine_validator *v)
{
	uint32_t first = v->map_slot_count;

	if (!emitting(v) || !engine_form_has(v->module, ENGINE_FEATURE_REFERENCES))
		return;
	for (uint32_t i = 0; i < v->ref_count && !v->too_many_references; i++) {
		const struct operand *o = &v->operands[v->refs[i]];

		if (o->place == PLACE_HOME)
			add_map_slot(v, o->home, o->type);
	}
	if (engine_form_has(v->module, ENGINE_FEATURE_LEGACY_EXCEPTIONS))
		for (uint32_t i = 0; i < v->control_count; i++)
			if (v->controls[i].op == ENGINE_OP_CATCH ||
			    v->controls[i].op == ENGINE_OP_CATCH_ALL)
				add_map_slot(v, v->controls[i].base, ENGINE_EXNREF);
	if (v->map_slot_count == first)
		return;
	if (lb_failed(engine_validate_reserve((void **)&v->maps, &v->map_capacity, v->map_count,
	                                      sizeof *v->maps, v->mem))) {
		v->no_memory = true;
		return;
	}
	v->maps[v->map_count++] =
		(struct engine_map){ engine_emit_here(v), first, v->map_slot_count - first };
}
