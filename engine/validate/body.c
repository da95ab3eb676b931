/* body.c - one function's body: its locals, then instruction by instruction. */
#include "engine/validate/validate_priv.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- failing ---- */

/* The next instruction's place in the table; ENGINE_OP_COUNT where it cannot have one. */
static lb_err read_place(uint32_t *op, uint32_t *number, struct engine_reader *r)
{
	uint8_t first = 0;

	LB_TRY(engine_read_byte(&first, r));
	*op = *number = first;
	if (!engine_op_is_prefix(first))
		return LB_OK;
	LB_TRY(engine_read_u32(number, r));
	*op = engine_op_behind(first, *number);
	return LB_OK;
}

/* The instruction at op_at, for people; "" outside of the instructions. */
static const char *op_text(const struct engine_validator *v)
{
	struct engine_reader r = v->r;
	uint32_t op = 0, number = 0;

	r.diag = NULL;
	r.at = r.origin + v->op_at;
	if (lb_failed(read_place(&op, &number, &r)) || op == ENGINE_OP_COUNT)
		return "";
	return engine_op_table[op].text != NULL ? engine_op_table[op].text : "";
}

lb_err engine_validate_fail(const struct engine_validator *v, enum lb_code code, const char *format,
                            ...)
{
	if (v->r.diag != NULL) {
		const char *op = op_text(v);
		char text[256];
		va_list args;

		va_start(args, format);
		(void)vsnprintf(text, sizeof text, format, args);
		va_end(args);
		if (v->func == NONE)
			lb_diag_set(v->r.diag, "%s at byte 0x%zx, in a constant expression%s%s",
			            text, v->op_at, *op != '\0' ? ", " : "", op);
		else
			lb_diag_set(v->r.diag, "%s at byte 0x%zx, in function %u%s%s", text,
			            v->op_at, v->func, *op != '\0' ? ", " : "", op);
	}
	return lb_err_at(code, v->op_at);
}

lb_err engine_validate_mismatch(const struct engine_validator *v, engine_type want, engine_type got)
{
	return engine_validate_fail(v, LB_E_INVALID,
	                            "type mismatch: instruction requires [%s] but stack has [%s]",
	                            want == TYPE_ANY ? "any" : engine_type_name(want).text,
	                            got == TYPE_ANY ? "" : engine_type_name(got).text);
}

lb_err engine_validate_index(uint32_t *out, struct engine_validator *v, uint32_t count,
                             const char *what)
{
	LB_TRY(engine_read_u32(out, &v->r));
	if (*out >= count)
		return engine_validate_fail(v, LB_E_INVALID, "unknown %s %u", what, *out);
	return LB_OK;
}

/* ---- locals ---- */

static const struct local_run *local_run_of(const struct engine_validator *v, uint32_t local)
{
	uint32_t low = 0, high = v->run_count;

	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		if (v->runs[middle - 1].end <= local)
			low = middle;
		else
			high = middle;
	}
	return v->runs[low].end <= local ? &v->runs[low + 1] : &v->runs[low];
}

static engine_type local_type(const struct engine_validator *v, uint32_t local)
{
	return local < v->local_types_count ? v->local_types[local] : local_run_of(v, local)->type;
}

static uint32_t local_slot(const struct engine_validator *v, uint32_t local)
{
	const struct local_run *run;
	uint32_t first;

	if (!v->has_wide_locals)
		return local;
	run = local_run_of(v, local);
	first = run == v->runs ? 0 : run[-1].end;
	return run->slot + (local - first) * engine_type_slots(run->type);
}

static lb_err add_run(struct engine_validator *v, engine_type type, uint32_t count)
{
	if (count == 0)
		return LB_OK;
	if (v->local_count + (uint64_t)count > ENGINE_LOCALS_MAX)
		return LB_OK; /* read_locals refuses it when all are counted */
	v->has_wide_locals |= type == ENGINE_V128;
	v->local_count += count;
	if (v->run_count > 0 && v->runs[v->run_count - 1].type == type) {
		v->runs[v->run_count - 1].end = v->local_count;
	} else {
		LB_TRY(engine_validate_reserve((void **)&v->runs, &v->run_capacity, v->run_count,
		                               sizeof *v->runs, v->mem));
		v->runs[v->run_count++] =
			(struct local_run){ v->local_count, v->local_slots, type };
	}
	v->local_slots += count * engine_type_slots(type);
	return LB_OK;
}

/* Write out the types of the first locals, no more of them than the body's bytes pay for, so
 * that a module of many small functions with many locals each stays cheap. */
static lb_err spread_types(struct engine_validator *v)
{
	size_t paid = 64 + 4 * engine_reader_left(&v->r);
	uint32_t count = v->local_count < paid ? v->local_count : (uint32_t)paid;
	uint32_t local = 0;

	v->local_types_count = 0;
	if (count > v->local_types_capacity) {
		engine_type *fresh = lb_mem_grow(v->mem, v->local_types, v->local_types_capacity,
		                                 count, sizeof *v->local_types);

		if (fresh == NULL)
			return lb_err_of(LB_E_NOMEM);
		v->local_types = fresh;
		v->local_types_capacity = count;
	}
	for (uint32_t run = 0; local < count; run++)
		while (local < count && local < v->runs[run].end)
			v->local_types[local++] = v->runs[run].type;
	v->local_types_count = count;
	return LB_OK;
}

static lb_err reserve_aliases(struct engine_validator *v)
{
	uint32_t *fresh;

	if (v->local_slots <= v->alias_heads_count)
		return LB_OK;
	fresh = lb_mem_grow(v->mem, v->alias_heads, v->alias_heads_count, v->local_slots,
	                    sizeof *v->alias_heads);
	if (fresh == NULL)
		return lb_err_of(LB_E_NOMEM);
	memset(fresh + v->alias_heads_count, 0,
	       (v->local_slots - v->alias_heads_count) * sizeof *fresh);
	v->alias_heads = fresh;
	v->alias_heads_count = v->local_slots;
	return LB_OK;
}

/* Locals that must be set before they are read: parameters are. */
static lb_err reserve_inits(struct engine_validator *v, uint32_t param_count)
{
	unsigned char *fresh;

	if (!v->has_unset_locals)
		return LB_OK;
	if (v->local_count > v->is_set_count) {
		fresh = lb_mem_grow(v->mem, v->is_set, v->is_set_count, v->local_count, 1);
		if (fresh == NULL)
			return lb_err_of(LB_E_NOMEM);
		v->is_set = fresh;
		v->is_set_count = v->local_count;
	}
	for (uint32_t i = 0; i < v->local_count; i++)
		v->is_set[i] = i < param_count;
	return LB_OK;
}

static lb_err read_locals(struct engine_validator *v, const struct engine_func_type *type)
{
	uint32_t count = 0;
	uint64_t total = type->param_count;

	v->run_count = v->local_count = v->local_slots = 0;
	v->has_wide_locals = v->has_unset_locals = false;
	for (uint32_t i = 0; i < type->param_count; i++)
		LB_TRY(add_run(v, type->params[i], 1));
	LB_TRY(engine_read_count(&count, &v->r, 2, UINT32_MAX, "locals"));
	for (uint32_t i = 0; i < count; i++) {
		size_t start = engine_reader_offset(&v->r);
		engine_type local = 0;
		uint32_t n = 0;

		LB_TRY(engine_read_u32(&n, &v->r));
		total += n;
		if (total > UINT32_MAX)
			return engine_reader_fail(&v->r, LB_E_MALFORMED, start, "too many locals");
		LB_TRY(engine_read_value_type(&local, &v->r, v->module));
		LB_TRY(add_run(v, local, n));
		v->has_unset_locals |= n > 0 && !engine_type_has_default(local);
	}
	if (total > ENGINE_LOCALS_MAX)
		return engine_reader_fail(&v->r, LB_E_LIMIT, engine_reader_offset(&v->r),
		                          "too many locals: %llu, the limit is %u",
		                          (unsigned long long)total, (unsigned)ENGINE_LOCALS_MAX);
	LB_TRY(spread_types(v));
	LB_TRY(reserve_inits(v, type->param_count));
	return reserve_aliases(v);
}

/* ---- simple instructions ---- */

/* The operation with its operands exchanged, 0 where it has none. */
static unsigned mirrored(unsigned code)
{
	static const uint16_t pairs[][2] = {
		{ ENGINE_CODE_I32_ADD, ENGINE_CODE_I32_ADD },
		{ ENGINE_CODE_I32_MUL, ENGINE_CODE_I32_MUL },
		{ ENGINE_CODE_I32_AND, ENGINE_CODE_I32_AND },
		{ ENGINE_CODE_I32_OR, ENGINE_CODE_I32_OR },
		{ ENGINE_CODE_I32_XOR, ENGINE_CODE_I32_XOR },
		{ ENGINE_CODE_I32_EQ, ENGINE_CODE_I32_EQ },
		{ ENGINE_CODE_I32_NE, ENGINE_CODE_I32_NE },
		{ ENGINE_CODE_I32_LT_S, ENGINE_CODE_I32_GT_S },
		{ ENGINE_CODE_I32_LT_U, ENGINE_CODE_I32_GT_U },
		{ ENGINE_CODE_I32_LE_S, ENGINE_CODE_I32_GE_S },
		{ ENGINE_CODE_I32_LE_U, ENGINE_CODE_I32_GE_U },
		{ ENGINE_CODE_I64_ADD, ENGINE_CODE_I64_ADD },
		{ ENGINE_CODE_I64_MUL, ENGINE_CODE_I64_MUL },
		{ ENGINE_CODE_I64_AND, ENGINE_CODE_I64_AND },
		{ ENGINE_CODE_I64_OR, ENGINE_CODE_I64_OR },
		{ ENGINE_CODE_I64_XOR, ENGINE_CODE_I64_XOR },
		{ ENGINE_CODE_I64_EQ, ENGINE_CODE_I64_EQ },
		{ ENGINE_CODE_I64_NE, ENGINE_CODE_I64_NE },
		{ ENGINE_CODE_I64_LT_S, ENGINE_CODE_I64_GT_S },
		{ ENGINE_CODE_I64_LT_U, ENGINE_CODE_I64_GT_U },
		{ ENGINE_CODE_I64_LE_S, ENGINE_CODE_I64_GE_S },
		{ ENGINE_CODE_I64_LE_U, ENGINE_CODE_I64_GE_U },
	};

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		if (pairs[i][0] == code)
			return pairs[i][1];
		if (pairs[i][1] == code)
			return pairs[i][0];
	}
	return 0;
}

/* A constant that fits the 32 bits of an immediate form, which are sign-extended. */
static bool fits_imm(const struct operand *o, engine_type type)
{
	return o->place == PLACE_CONST &&
	       (type == ENGINE_I32 || (int64_t)o->value == (int32_t)(uint32_t)o->value);
}

/* a = b op imm. */
static void emit_imm_form(struct engine_validator *v, const struct engine_op_info *info,
                          unsigned code, union engine_cell operands)
{
	if (info->form == ENGINE_FORM_COMPARE_IMM)
		engine_emit_compare(v, code + ENGINE_CODE_COMPARE_IMM, operands, true);
	else
		engine_emit(v, code + ENGINE_CODE_BINARY_IMM, operands, true);
}

/* a op b where b was just loaded: one instruction for both.  What the left operand needs to be
 * in a slot may stand behind a load that is not made yet, since neither sees the other. */
static bool emit_with_load(struct engine_validator *v, const struct engine_op_info *info,
                           const struct operand *a, const struct operand *b)
{
	unsigned code = info->code;
	uint32_t address = 0, offset = 0, slot, position;

	if (info->form == ENGINE_FORM_BINARY_IMM)
		code += ENGINE_CODE_BINARY_IMM_LOAD;
	else if (info->form == ENGINE_FORM_BINARY && !info->traps)
		code += ENGINE_CODE_BINARY_LOAD;
	else
		return false;
	if (!engine_emit_take_load(&address, &offset, v, b, info->operand))
		return false;
	slot = engine_emit_slot(v, a);
	position = engine_emit(v, code, abcd(v->slot_top, slot, address, 0), false);
	engine_emit_cell(v, offset);
	engine_emit_has_result(v, position, code);
	return true;
}

/* Some bits of a number: shifted down, the others masked out. */
static bool emit_extract(struct engine_validator *v, const struct operand *a,
                         const struct operand *b)
{
	uint32_t slot = 0, by = 0, position;

	if (!engine_emit_take_shift(&slot, &by, v, a))
		return false;
	position = engine_emit(v, ENGINE_CODE_EXTRACT,
	                       ab_imm(v->slot_top, slot, (int32_t)(uint32_t)b->value), false);
	engine_emit_cell(v, by);
	engine_emit_has_result(v, position, ENGINE_CODE_EXTRACT);
	return true;
}

static void emit_binary(struct engine_validator *v, const struct engine_op_info *info,
                        const struct operand *a, const struct operand *b)
{
	bool compares = info->form == ENGINE_FORM_COMPARE || info->form == ENGINE_FORM_COMPARE_IMM;
	bool has_imm =
		info->form == ENGINE_FORM_BINARY_IMM || info->form == ENGINE_FORM_COMPARE_IMM;
	uint32_t to = v->slot_top, slot_a, slot_b;

	if (info->code == ENGINE_CODE_I32_AND && b->place == PLACE_CONST && emit_extract(v, a, b))
		return;
	if (has_imm && fits_imm(b, info->operand)) {
		slot_a = engine_emit_slot(v, a);
		emit_imm_form(v, info, info->code, ab_imm(to, slot_a, (int32_t)(uint32_t)b->value));
		return;
	}
	if (has_imm && fits_imm(a, info->operand) && mirrored(info->code) != 0) {
		slot_b = engine_emit_slot(v, b);
		emit_imm_form(v, info, mirrored(info->code),
		              ab_imm(to, slot_b, (int32_t)(uint32_t)a->value));
		return;
	}
	if (emit_with_load(v, info, a, b))
		return;
	slot_a = engine_emit_slot(v, a);
	slot_b = engine_emit_slot(v, b);
	if (compares)
		engine_emit_compare(v, info->code, abcd(to, slot_a, slot_b, 0), false);
	else
		engine_emit(v, info->code, abcd(to, slot_a, slot_b, 0), true);
}

/* The local that an i32 operand is a sum with, and the sum's number: true for a local or a sum. */
static bool as_sum(uint32_t *value, const struct operand *o)
{
	*value = o->place == PLACE_SUM ? (uint32_t)o->value : 0;
	return on_local(o);
}

static lb_err binary_op(struct engine_validator *v, const struct engine_op_info *info)
{
	struct operand a, b;
	uint32_t value = 0;

	LB_TRY(engine_validate_pop(&b, v, info->operand));
	LB_TRY(engine_validate_pop(&a, v, info->operand));
	if (!emitting(v))
		return engine_validate_push(v, info->result);
	/* A local plus or minus a number is put off: loads and stores can add by themselves. */
	if (info->code == ENGINE_CODE_I32_ADD && b.place == PLACE_CONST && as_sum(&value, &a))
		return engine_validate_push_sum(v, a.local, value + (uint32_t)b.value);
	if (info->code == ENGINE_CODE_I32_ADD && a.place == PLACE_CONST && as_sum(&value, &b))
		return engine_validate_push_sum(v, b.local, value + (uint32_t)a.value);
	if (info->code == ENGINE_CODE_I32_SUB && b.place == PLACE_CONST && as_sum(&value, &a))
		return engine_validate_push_sum(v, a.local, value - (uint32_t)b.value);
	emit_binary(v, info, &a, &b);
	return engine_validate_push(v, info->result);
}

static lb_err unary_op(struct engine_validator *v, const struct engine_op_info *info)
{
	struct operand a;
	uint32_t to, slot;

	LB_TRY(engine_validate_pop(&a, v, info->operand));
	to = v->slot_top;
	slot = engine_emit_slot(v, &a);
	/* "is zero" has fused forms as a comparison. */
	if (info->code == ENGINE_CODE_I32_EQZ)
		engine_emit_compare(v, ENGINE_CODE_I32_EQ_IMM, ab_imm(to, slot, 0), true);
	else if (info->code == ENGINE_CODE_I64_EQZ)
		engine_emit_compare(v, ENGINE_CODE_I64_EQ_IMM, ab_imm(to, slot, 0), true);
	else
		engine_emit(v, info->code, abcd(to, slot, 0, 0), true);
	return engine_validate_push(v, info->result);
}

/* ---- variables and constants ---- */

/* What was just made can be made in the local at once, unless an older value of the local is
 * still wanted. */
static void emit_local_set(struct engine_validator *v, uint32_t slot, const struct operand *value)
{
	union engine_cell *made =
		v->last == NONE ? NULL : &v->module->cells[v->code_base + v->last + 1];

	if (!emitting(v) || (value->place == PLACE_LOCAL && value->local == slot))
		return;
	if (value->place == PLACE_HOME && v->alias_heads[slot] == 0 && made != NULL &&
	    made->a == value->home) {
		made->a = (uint16_t)slot;
	} else {
		engine_emit_preserve(v, slot);
		engine_emit_move(v, slot, value);
		if (value->place == PLACE_SUM && value->local == slot)
			v->last_step = engine_emit_here(v) - 2;
	}
	v->last = NONE;
}

static lb_err mark_set(struct engine_validator *v, uint32_t local)
{
	if (!v->has_unset_locals || v->is_set[local])
		return LB_OK;
	v->is_set[local] = 1;
	LB_TRY(engine_validate_reserve((void **)&v->inits, &v->init_capacity, v->init_count,
	                               sizeof *v->inits, v->mem));
	v->inits[v->init_count++] = local;
	return LB_OK;
}

static lb_err local_op(struct engine_validator *v, uint16_t op)
{
	struct operand value;
	uint32_t local = 0, slot;
	engine_type type;

	LB_TRY(engine_validate_index(&local, v, v->local_count, "local"));
	type = local_type(v, local);
	slot = local_slot(v, local);
	if (op == ENGINE_OP_LOCAL_GET) {
		if (!engine_type_has_default(type) && v->has_unset_locals && !v->is_set[local])
			return engine_validate_fail(v, LB_E_INVALID, "uninitialized local %u",
			                            local);
		return engine_validate_push_local(v, type, slot);
	}
	LB_TRY(engine_validate_pop(&value, v, type));
	LB_TRY(mark_set(v, local));
	emit_local_set(v, slot, &value);
	return op == ENGINE_OP_LOCAL_TEE ? engine_validate_push_local(v, type, slot) : LB_OK;
}

static lb_err global_get_op(struct engine_validator *v, uint32_t global)
{
	const struct engine_module *m = v->module;
	engine_type type = m->globals[global].type.content;

	if (v->func == NONE && m->globals[global].type.is_mutable)
		return engine_validate_fail(v, LB_E_INVALID, "constant expression required");
	v->simple = (struct engine_const){ .kind = ENGINE_CONST_GLOBAL_GET, .value = global };
	v->is_simple = type != ENGINE_V128;
	engine_emit(v, type == ENGINE_V128 ? ENGINE_CODE_GLOBAL_GET2 : ENGINE_CODE_GLOBAL_GET,
	            ab_imm(v->slot_top, 0, (int32_t)global), true);
	return engine_validate_push(v, type);
}

static lb_err global_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_module *m = v->module;
	uint32_t global = 0, count = m->global_count;
	struct operand value;
	engine_type type;

	if (v->func == NONE && !engine_form_has(m, ENGINE_FEATURE_GC) &&
	    !engine_form_has(m, ENGINE_FEATURE_EXTENDED_CONST))
		count = m->global_import_count;
	LB_TRY(engine_validate_index(&global, v, count, "global"));
	if (op == ENGINE_OP_GLOBAL_GET)
		return global_get_op(v, global);
	if (!m->globals[global].type.is_mutable)
		return engine_validate_fail(v, LB_E_INVALID, "immutable global");
	type = m->globals[global].type.content;
	LB_TRY(engine_validate_pop(&value, v, type));
	engine_emit(v, type == ENGINE_V128 ? ENGINE_CODE_GLOBAL_SET2 : ENGINE_CODE_GLOBAL_SET,
	            ab_imm(engine_emit_slot(v, &value), 0, (int32_t)global), false);
	return LB_OK;
}

static lb_err const_op(struct engine_validator *v, uint16_t op)
{
	int32_t i32 = 0;
	int64_t i64 = 0;
	uint32_t f32 = 0;
	uint64_t f64 = 0;

	switch (op) {
	case ENGINE_OP_I32_CONST:
		LB_TRY(engine_read_s32(&i32, &v->r));
		return engine_validate_push_const(v, ENGINE_I32, (uint32_t)i32);
	case ENGINE_OP_I64_CONST:
		LB_TRY(engine_read_s64(&i64, &v->r));
		return engine_validate_push_const(v, ENGINE_I64, (uint64_t)i64);
	case ENGINE_OP_F32_CONST:
		LB_TRY(engine_read_fixed32(&f32, &v->r));
		return engine_validate_push_const(v, ENGINE_F32, f32);
	default:
		LB_TRY(engine_read_fixed64(&f64, &v->r));
		return engine_validate_push_const(v, ENGINE_F64, f64);
	}
}

/* ---- select and references ---- */

static lb_err select_op(struct engine_validator *v, engine_type type)
{
	struct operand condition, a, b;

	LB_TRY(engine_validate_pop(&condition, v, ENGINE_I32));
	LB_TRY(engine_validate_pop(&b, v, type));
	LB_TRY(engine_validate_pop(&a, v, type));
	if (type == TYPE_ANY) {
		type = a.type != TYPE_ANY ? a.type : b.type;
		if (b.type != TYPE_ANY && b.type != type)
			return engine_validate_mismatch(v, type, b.type);
		if (type != TYPE_ANY && is_reference(type))
			return engine_validate_fail(
				v, LB_E_INVALID,
				"type mismatch: select of references needs its type");
	}
	if (emitting(v)) {
		uint32_t slot_a = engine_emit_slot(v, &a), slot_b = engine_emit_slot(v, &b);
		uint32_t slot_c = engine_emit_slot(v, &condition);

		engine_emit(v, type == ENGINE_V128 ? ENGINE_CODE_SELECT2 : ENGINE_CODE_SELECT,
		            abcd(v->slot_top, slot_a, slot_b, slot_c), true);
	}
	return engine_validate_push(v, type);
}

static lb_err select_typed_op(struct engine_validator *v)
{
	engine_type type = 0;
	uint32_t count = 0;

	LB_TRY(engine_read_u32(&count, &v->r));
	if (count != 1)
		return engine_validate_fail(v, LB_E_INVALID, "invalid result arity");
	LB_TRY(engine_read_value_type(&type, &v->r, v->module));
	return select_op(v, type);
}

/* ---- wide arithmetic ---- */

static lb_err wide_op(struct engine_validator *v, uint16_t op)
{
	static const engine_type types[4] = { ENGINE_I64, ENGINE_I64, ENGINE_I64, ENGINE_I64 };
	bool sums = op == ENGINE_OP_I64_ADD128 || op == ENGINE_OP_I64_SUB128;
	uint32_t count = sums ? 4 : 2;
	engine_helper *helper = op == ENGINE_OP_I64_ADD128       ? engine_help_add128
	                        : op == ENGINE_OP_I64_SUB128     ? engine_help_sub128
	                        : op == ENGINE_OP_I64_MUL_WIDE_S ? engine_help_mul_wide_s
	                                                         : engine_help_mul_wide_u;

	LB_TRY(engine_validate_peek_all(v, types, count));
	engine_emit_helper(v, ENGINE_CODE_HELPER, helper, count, 0, 0);
	LB_TRY(engine_validate_pop_all(v, types, count));
	return engine_validate_push_all(v, types, 2);
}

/* ---- one by one ---- */

static lb_err other_op(struct engine_validator *v, uint16_t op)
{
	struct operand o;

	switch (op) {
	case ENGINE_OP_NOP: return LB_OK;
	case ENGINE_OP_UNREACHABLE:
		engine_emit_head(v, ENGINE_CODE_UNREACHABLE);
		engine_validate_unreachable(v);
		return LB_OK;
	case ENGINE_OP_DROP: return engine_validate_pop(&o, v, TYPE_ANY);
	case ENGINE_OP_SELECT: return select_op(v, TYPE_ANY);
	case ENGINE_OP_ELSE:
	case ENGINE_OP_END:
	case ENGINE_OP_RETURN: return engine_validate_control_op(v, op);
	case ENGINE_OP_THROW_REF:
	case ENGINE_OP_CATCH_ALL: return engine_validate_exception_op(v, op);
	case ENGINE_OP_REF_IS_NULL:
	case ENGINE_OP_REF_AS_NON_NULL:
	case ENGINE_OP_REF_EQ: return engine_validate_reference_op(v, op);
	case ENGINE_OP_I64_ADD128:
	case ENGINE_OP_I64_SUB128:
	case ENGINE_OP_I64_MUL_WIDE_S:
	case ENGINE_OP_I64_MUL_WIDE_U: return wide_op(v, op);
	default: return engine_validate_object_op(v, op);
	}
}

/* The instructions of form OP, by what they are about: their immediate says it. */
static lb_err special_op(struct engine_validator *v, uint16_t op, uint8_t imm)
{
	switch ((enum engine_imm)imm) {
	case ENGINE_IMM_LOCAL: return local_op(v, op);
	case ENGINE_IMM_GLOBAL: return global_op(v, op);
	case ENGINE_IMM_I32:
	case ENGINE_IMM_I64:
	case ENGINE_IMM_F32:
	case ENGINE_IMM_F64: return const_op(v, op);
	case ENGINE_IMM_LABEL:
		if (op == ENGINE_OP_BR_ON_NULL || op == ENGINE_OP_BR_ON_NON_NULL)
			return engine_validate_reference_op(v, op);
		if (op == ENGINE_OP_DELEGATE || op == ENGINE_OP_RETHROW)
			return engine_validate_exception_op(v, op);
		return engine_validate_control_op(v, op);
	case ENGINE_IMM_BLOCK:
		if (op == ENGINE_OP_TRY)
			return engine_validate_exception_op(v, op);
		return engine_validate_control_op(v, op);
	case ENGINE_IMM_LABELS: return engine_validate_control_op(v, op);
	case ENGINE_IMM_CATCHES:
	case ENGINE_IMM_TAG: return engine_validate_exception_op(v, op);
	case ENGINE_IMM_FUNC:
		if (op == ENGINE_OP_REF_FUNC)
			return engine_validate_reference_op(v, op);
		return engine_validate_call_op(v, op);
	case ENGINE_IMM_TYPE_TABLE: return engine_validate_call_op(v, op);
	case ENGINE_IMM_TYPE:
		if (op == ENGINE_OP_CALL_REF || op == ENGINE_OP_RETURN_CALL_REF)
			return engine_validate_call_op(v, op);
		return engine_validate_object_op(v, op);
	case ENGINE_IMM_TYPE_FIELD:
	case ENGINE_IMM_TYPE_COUNT:
	case ENGINE_IMM_TYPE_DATA:
	case ENGINE_IMM_TYPE_ELEM:
	case ENGINE_IMM_TYPE_TYPE: return engine_validate_object_op(v, op);
	case ENGINE_IMM_HEAP_TYPE:
	case ENGINE_IMM_CAST: return engine_validate_reference_op(v, op);
	case ENGINE_IMM_MEMORY:
	case ENGINE_IMM_DATA:
	case ENGINE_IMM_DATA_MEMORY:
	case ENGINE_IMM_MEMORY_MEMORY: return engine_validate_memory_op(v, op);
	case ENGINE_IMM_TABLE:
	case ENGINE_IMM_ELEM:
	case ENGINE_IMM_ELEM_TABLE:
	case ENGINE_IMM_TABLE_TABLE: return engine_validate_table_op(v, op);
	case ENGINE_IMM_V128:
	case ENGINE_IMM_LANES: return engine_validate_vector_op(v, op);
	case ENGINE_IMM_MEMARG:
	case ENGINE_IMM_FENCE: return engine_validate_atomic_op(v, op);
	case ENGINE_IMM_TYPES: return select_typed_op(v);
	case ENGINE_IMM_MEMARG_LANE:
	case ENGINE_IMM_LANE:
	case ENGINE_IMM_NONE: break;
	}
	return other_op(v, op);
}

/* What may stand in a constant expression. */
static bool is_constant(const struct engine_validator *v, uint16_t op)
{
	switch (op) {
	case ENGINE_OP_END:
	case ENGINE_OP_I32_CONST:
	case ENGINE_OP_I64_CONST:
	case ENGINE_OP_F32_CONST:
	case ENGINE_OP_F64_CONST:
	case ENGINE_OP_V128_CONST:
	case ENGINE_OP_GLOBAL_GET:
	case ENGINE_OP_REF_NULL:
	case ENGINE_OP_REF_FUNC:
	case ENGINE_OP_REF_I31:
	case ENGINE_OP_STRUCT_NEW:
	case ENGINE_OP_STRUCT_NEW_DEFAULT:
	case ENGINE_OP_ARRAY_NEW:
	case ENGINE_OP_ARRAY_NEW_DEFAULT:
	case ENGINE_OP_ARRAY_NEW_FIXED:
	case ENGINE_OP_ANY_CONVERT_EXTERN:
	case ENGINE_OP_EXTERN_CONVERT_ANY: return true;
	case ENGINE_OP_I32_ADD:
	case ENGINE_OP_I32_SUB:
	case ENGINE_OP_I32_MUL:
	case ENGINE_OP_I64_ADD:
	case ENGINE_OP_I64_SUB:
	case ENGINE_OP_I64_MUL: return engine_form_has(v->module, ENGINE_FEATURE_EXTENDED_CONST);
	default: return false;
	}
}

/* The throw of the old exceptions is that of the new ones. */
static bool has_feature(const struct engine_validator *v, uint16_t op, uint8_t feature)
{
	return engine_form_has(v->module, (enum engine_feature)feature) ||
	       (op == ENGINE_OP_THROW &&
	        engine_form_has(v->module, ENGINE_FEATURE_LEGACY_EXCEPTIONS));
}

static lb_err read_op(uint16_t *out, struct engine_validator *v)
{
	const unsigned char *at = v->r.at;
	uint32_t op = 0, number = 0;

	v->op_at = engine_reader_offset(&v->r);
	LB_TRY(read_place(&op, &number, &v->r));
	if ((op == ENGINE_OP_COUNT || engine_op_table[op].form == ENGINE_FORM_NONE) &&
	    engine_op_is_prefix(*at))
		return engine_validate_fail(v, LB_E_MALFORMED, "illegal opcode %02x %02x", *at,
		                            number);
	if (engine_op_table[op].form == ENGINE_FORM_NONE)
		return engine_validate_fail(v, LB_E_MALFORMED, "illegal opcode %02x", *at);
	if (!has_feature(v, (uint16_t)op, engine_op_table[op].feature))
		return engine_validate_fail(
			v, LB_E_MALFORMED, "illegal opcode %02x: %s is not allowed", *at,
			engine_feature_text((enum engine_feature)engine_op_table[op].feature));
	if (v->func == NONE && !is_constant(v, (uint16_t)op))
		return engine_validate_fail(v, LB_E_INVALID, "constant expression required");
	*out = (uint16_t)op;
	return LB_OK;
}

static lb_err one_op(struct engine_validator *v)
{
	const struct engine_op_info *info;
	uint16_t op = 0;

	LB_TRY(read_op(&op, v));
	info = &engine_op_table[op];
	switch ((enum engine_form)info->form) {
	case ENGINE_FORM_UNARY: return unary_op(v, info);
	case ENGINE_FORM_BINARY:
	case ENGINE_FORM_BINARY_IMM:
	case ENGINE_FORM_COMPARE:
	case ENGINE_FORM_COMPARE_IMM: return binary_op(v, info);
	case ENGINE_FORM_LOAD: return engine_validate_load_op(v, info);
	case ENGINE_FORM_STORE: return engine_validate_store_op(v, info);
	case ENGINE_FORM_ATOMIC_LOAD:
	case ENGINE_FORM_ATOMIC_STORE:
	case ENGINE_FORM_ATOMIC_RMW:
	case ENGINE_FORM_ATOMIC_CMPXCHG: return engine_validate_atomic_op(v, op);
	case ENGINE_FORM_OP: return special_op(v, op, info->imm);
	case ENGINE_FORM_NONE: break;
	case ENGINE_FORM_VECTOR1:
	case ENGINE_FORM_VECTOR2:
	case ENGINE_FORM_VECTOR3:
	case ENGINE_FORM_VECTOR_SHIFT:
	case ENGINE_FORM_VECTOR_EXTRACT:
	case ENGINE_FORM_VECTOR_REPLACE:
	case ENGINE_FORM_VECTOR_LOAD:
	case ENGINE_FORM_VECTOR_STORE:
	case ENGINE_FORM_VECTOR_LOAD_LANE:
	case ENGINE_FORM_VECTOR_STORE_LANE: return engine_validate_vector_op(v, op);
	}
	return LB_OK;
}

/* ---- a body ---- */

static uint32_t slots_of(const engine_type *types, uint32_t count)
{
	uint32_t slots = 0;

	for (uint32_t i = 0; i < count; i++)
		slots += engine_type_slots(types[i]);
	return slots;
}

/* The catches of each region in the order in which they were written. */
static lb_err keep_regions(struct engine_body *body, struct engine_validator *v)
{
	struct lb_arena *arena = &v->module->arena;
	struct engine_region *regions;
	struct engine_catch *catches;
	uint32_t used = 0;

	if (v->region_count == 0)
		return LB_OK;
	regions = LB_ARENA_NEW(arena, struct engine_region, v->region_count);
	catches = LB_ARENA_NEW(arena, struct engine_catch, v->catch_count);
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < v->region_count; i++) {
		struct engine_region *region = &regions[i];
		uint32_t count = 0, next;

		*region = v->regions[i];
		for (next = region->catches; next != 0; next = v->catches[next - 1].next)
			count++;
		region->catch_count = count;
		for (next = region->catches; next != 0; next = v->catches[next - 1].next)
			catches[used + --count] = v->catches[next - 1];
		region->catches = used;
		used += region->catch_count;
	}
	body->regions = regions;
	body->catches = catches;
	body->region_count = v->region_count;
	return LB_OK;
}

static const void *keep(struct engine_validator *v, const void *at, size_t count, size_t size)
{
	void *kept = count == 0 ? NULL : lb_arena_alloc(&v->module->arena, count, size);

	if (kept != NULL)
		memcpy(kept, at, count * size);
	return kept;
}

/* Where the collector finds references: in locals always, among operands where code says so. */
static lb_err keep_maps(struct engine_body *body, struct engine_validator *v)
{
	struct engine_ref_run *runs;
	uint32_t count = 0;

	for (uint32_t i = 0; i < v->run_count; i++)
		count += engine_validate_is_collected(v, v->runs[i].type);
	runs = count == 0 ? NULL : LB_ARENA_NEW(&v->module->arena, struct engine_ref_run, count);
	for (uint32_t i = 0; i < v->run_count && runs != NULL; i++)
		if (engine_validate_is_collected(v, v->runs[i].type))
			runs[body->ref_local_count++] = (struct engine_ref_run){
				v->runs[i].slot, v->runs[i].end - (i == 0 ? 0 : v->runs[i - 1].end),
				engine_type_is_extern(v->runs[i].type)
			};
	body->ref_locals = runs;
	body->maps = keep(v, v->maps, v->map_count, sizeof *v->maps);
	body->map_slots = keep(v, v->map_slots, v->map_slot_count, sizeof *v->map_slots);
	body->map_count = v->map_count;
	return v->module->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err finish_body(struct engine_body *body, struct engine_validator *v,
                          const struct engine_func_type *type)
{
	body->func = v->func;
	body->param_slots = slots_of(type->params, type->param_count);
	body->result_slots = slots_of(type->results, type->result_count);
	body->local_slots = v->local_slots;
	body->frame_slots = v->slot_high > body->result_slots ? v->slot_high : body->result_slots;
	body->start_at = v->code_base;
	body->size = engine_emit_here(v);
	LB_TRY(keep_regions(body, v));
	return keep_maps(body, v);
}

static void start_body(struct engine_validator *v, uint32_t func, const struct engine_reader *body)
{
	v->r = *body;
	v->func = func;
	v->op_at = engine_reader_offset(&v->r);
	v->code_base = v->module->cell_count;
	v->operand_count = v->alias_floor = v->control_count = v->init_count = v->ref_count = 0;
	v->region_count = v->catch_count = v->map_count = v->map_slot_count = 0;
	v->run_count = v->local_count = v->local_slots = v->local_types_count = 0;
	v->has_wide_locals = v->has_unset_locals = false;
	engine_emit_barrier(v);
}

static lb_err check_sticky(const struct engine_validator *v)
{
	if (v->too_many_references)
		return engine_validate_fail(v, LB_E_LIMIT, "too many references at calls");
	return v->no_memory ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err engine_validate_body(struct engine_validator *v, uint32_t func, struct engine_reader *body)
{
	const struct engine_func_type *type = engine_form_func_type(v->module, func);

	start_body(v, func, body);
	LB_TRY(read_locals(v, type));
	v->slot_top = v->slot_high = v->local_slots;
	LB_TRY(engine_validate_push_control(v, ENGINE_OP_END, type));
	while (v->control_count > 0 && !v->too_many_references)
		LB_TRY(one_op(v));
	LB_TRY(check_sticky(v));
	if (v->r.at != v->r.end)
		return engine_validate_fail(v, LB_E_MALFORMED,
		                            "END opcode expected: bytes follow the body");
	return finish_body(&v->module->bodies[func - v->module->func_import_count], v, type);
}

/* ---- constant expressions ---- */

/* The one operand before the end, if it is a number. */
static void note_simple(struct engine_validator *v)
{
	if (v->operand_count == 1 && v->operands[0].place == PLACE_CONST) {
		v->simple = (struct engine_const){ .kind = ENGINE_CONST_VALUE,
			                           .value = v->operands[0].value };
		v->is_simple = true;
	}
}

lb_err engine_validate_const(struct engine_const *out, struct engine_validator *v,
                             struct engine_reader *r, engine_type type)
{
	const struct engine_func_type func_type = { .results = &type, .result_count = 1 };
	struct engine_module *m = v->module;
	struct engine_body *body;
	uint32_t steps = 0;

	start_body(v, NONE, r);
	v->slot_top = v->slot_high = 0;
	v->is_simple = false;
	LB_TRY(engine_validate_push_control(v, ENGINE_OP_END, &func_type));
	for (; v->control_count > 0; steps++) {
		if (steps == 1)
			note_simple(v);
		LB_TRY(one_op(v));
	}
	r->at = v->r.at;
	LB_TRY(check_sticky(v));
	if (steps == 2 && v->is_simple) {
		*out = v->simple;
		m->cell_count = v->code_base;
		return LB_OK;
	}
	body = LB_ARENA_NEW(&m->arena, struct engine_body, 1);
	if (body == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(finish_body(body, v, &func_type));
	body->next = m->const_bodies;
	m->const_bodies = body;
	*out = (struct engine_const){ .kind = ENGINE_CONST_CODE, .body = body };
	return LB_OK;
}

/* ---- life ---- */

lb_err engine_validator_new(struct engine_validator **out, struct engine_module *module)
{
	struct engine_validator *v = LB_NEW(module->mem, struct engine_validator, 1);

	*out = NULL;
	if (v == NULL)
		return lb_err_of(LB_E_NOMEM);
	v->module = module;
	v->mem = module->mem;
	v->handlers = engine_code_handlers();
	*out = v;
	return LB_OK;
}

lb_err engine_validator_finish(struct engine_validator *v)
{
	struct engine_module *m = v->module;
	union engine_cell *fitted;

	if (m->cell_count > 0) { /* give back what doubling left over */
		fitted = lb_mem_grow(m->mem, m->cells, m->cell_capacity, m->cell_count,
		                     sizeof *m->cells);
		if (fitted == NULL)
			return lb_err_of(LB_E_NOMEM);
		m->cells = fitted;
		m->cell_capacity = m->cell_count;
	}
	for (uint32_t i = 0; i < m->func_count - m->func_import_count; i++)
		m->bodies[i].start = m->cells + m->bodies[i].start_at;
	for (struct engine_body *body = m->const_bodies; body != NULL; body = body->next)
		body->start = m->cells + body->start_at;
	return LB_OK;
}

void engine_validator_free(struct engine_validator *v)
{
	if (v == NULL)
		return;
	LB_DROP(v->mem, v->operands, v->operand_capacity);
	LB_DROP(v->mem, v->controls, v->control_capacity);
	LB_DROP(v->mem, v->runs, v->run_capacity);
	LB_DROP(v->mem, v->local_types, v->local_types_capacity);
	LB_DROP(v->mem, v->alias_heads, v->alias_heads_count);
	LB_DROP(v->mem, v->refs, v->ref_capacity);
	LB_DROP(v->mem, v->inits, v->init_capacity);
	LB_DROP(v->mem, v->is_set, v->is_set_count);
	LB_DROP(v->mem, v->regions, v->region_capacity);
	LB_DROP(v->mem, v->catches, v->catch_capacity);
	LB_DROP(v->mem, v->maps, v->map_capacity);
	LB_DROP(v->mem, v->map_slots, v->map_slot_capacity);
	LB_DROP(v->mem, v, 1);
}
