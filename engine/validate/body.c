/* body.c - one function's body: its locals, then instruction by instruction. */
#include "engine/validate/validate_priv.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- failing ---- */

/* The instruction at op_at, for people; "" outside of the instructions. */
static const char *op_text(const struct engine_validator *v)
{
	const unsigned char *at = v->r.origin + v->op_at;
	const char *text = NULL;

	if (at < v->r.end && *at != ENGINE_OP_PREFIX_FC)
		text = engine_op_table[*at].text;
	else if (v->r.end - at > 1 && at[1] < 0x20)
		text = engine_op_table[0x100 + at[1]].text;
	return text != NULL ? text : "";
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
		lb_diag_set(v->r.diag, "%s at byte 0x%zx, in function %u%s%s", text, v->op_at,
		            v->func, *op != '\0' ? ", " : "", op);
	}
	return lb_err_at(code, v->op_at);
}

lb_err engine_validate_mismatch(const struct engine_validator *v, engine_type want, engine_type got)
{
	return engine_validate_fail(v, LB_E_INVALID, "type mismatch: expected %s, found %s",
	                            want == TYPE_ANY ? "a value" : engine_type_text(want),
	                            got == TYPE_ANY ? "nothing" : engine_type_text(got));
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

static engine_type local_type(const struct engine_validator *v, uint32_t local)
{
	uint32_t low = 0, high = v->run_count;

	if (local < v->local_types_count)
		return v->local_types[local];
	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		if (v->runs[middle - 1].end <= local)
			low = middle;
		else
			high = middle;
	}
	if (v->runs[low].end <= local)
		low++;
	return v->runs[low].type;
}

static lb_err add_run(struct engine_validator *v, engine_type type, uint32_t count)
{
	if (count == 0)
		return LB_OK;
	if (v->local_count + (uint64_t)count > ENGINE_LOCALS_MAX)
		return LB_OK; /* read_locals refuses it when all are counted */
	v->local_count += count;
	if (v->run_count > 0 && v->runs[v->run_count - 1].type == type) {
		v->runs[v->run_count - 1].end = v->local_count;
		return LB_OK;
	}
	if (v->run_count == v->run_capacity) {
		uint32_t more = v->run_capacity == 0 ? 32 : v->run_capacity * 2;
		struct local_run *fresh =
			lb_mem_grow(v->mem, v->runs, v->run_capacity, more, sizeof *v->runs);

		if (fresh == NULL)
			return lb_err_of(LB_E_NOMEM);
		v->runs = fresh;
		v->run_capacity = more;
	}
	v->runs[v->run_count++] = (struct local_run){ v->local_count, type };
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

	if (v->local_count <= v->alias_heads_count)
		return LB_OK;
	fresh = lb_mem_grow(v->mem, v->alias_heads, v->alias_heads_count, v->local_count,
	                    sizeof *v->alias_heads);
	if (fresh == NULL)
		return lb_err_of(LB_E_NOMEM);
	memset(fresh + v->alias_heads_count, 0,
	       (v->local_count - v->alias_heads_count) * sizeof *fresh);
	v->alias_heads = fresh;
	v->alias_heads_count = v->local_count;
	return LB_OK;
}

static lb_err read_locals(struct engine_validator *v, const struct engine_func_type *type)
{
	uint32_t count = 0;
	uint64_t total = type->param_count;

	v->run_count = v->local_count = 0;
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
	}
	if (total > ENGINE_LOCALS_MAX)
		return engine_reader_fail(&v->r, LB_E_LIMIT, engine_reader_offset(&v->r),
		                          "too many locals: %llu, the limit is %u",
		                          (unsigned long long)total, (unsigned)ENGINE_LOCALS_MAX);
	LB_TRY(spread_types(v));
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

static void emit_binary(struct engine_validator *v, const struct engine_op_info *info,
                        const struct operand *a, const struct operand *b)
{
	bool compares = info->form == ENGINE_FORM_COMPARE || info->form == ENGINE_FORM_COMPARE_IMM;
	bool has_imm =
		info->form == ENGINE_FORM_BINARY_IMM || info->form == ENGINE_FORM_COMPARE_IMM;
	uint32_t at = v->operand_count, to = home(v, at), slot_a, slot_b;

	if (has_imm && fits_imm(b, info->operand)) {
		slot_a = engine_emit_slot(v, a, at);
		emit_imm_form(v, info, info->code, ab_imm(to, slot_a, (int32_t)(uint32_t)b->value));
		return;
	}
	if (has_imm && fits_imm(a, info->operand) && mirrored(info->code) != 0) {
		slot_b = engine_emit_slot(v, b, at + 1);
		emit_imm_form(v, info, mirrored(info->code),
		              ab_imm(to, slot_b, (int32_t)(uint32_t)a->value));
		return;
	}
	slot_a = engine_emit_slot(v, a, at);
	slot_b = engine_emit_slot(v, b, at + 1);
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
	to = home(v, v->operand_count);
	slot = engine_emit_slot(v, &a, v->operand_count);
	/* "is zero" has fused forms as a comparison. */
	if (info->code == ENGINE_CODE_I32_EQZ)
		engine_emit_compare(v, ENGINE_CODE_I32_EQ_IMM, ab_imm(to, slot, 0), true);
	else if (info->code == ENGINE_CODE_I64_EQZ)
		engine_emit_compare(v, ENGINE_CODE_I64_EQ_IMM, ab_imm(to, slot, 0), true);
	else
		engine_emit(v, info->code, abcd(to, slot, 0, 0), true);
	return engine_validate_push(v, info->result);
}

static lb_err require_memory(const struct engine_validator *v, uint32_t index)
{
	if (index >= v->module->memory_count)
		return engine_validate_fail(v, LB_E_INVALID, "unknown memory %u", index);
	return LB_OK;
}

static lb_err read_memarg(uint32_t *offset, struct engine_validator *v,
                          const struct engine_op_info *info)
{
	uint64_t wide = 0;
	uint32_t align = 0;

	LB_TRY(engine_read_u32(&align, &v->r));
	if (align >= 0x40) /* the bit of multiple memories, and what is none */
		return engine_validate_fail(v, LB_E_MALFORMED, "malformed memop flags");
	LB_TRY(engine_read_u64(&wide, &v->r));
	LB_TRY(require_memory(v, 0));
	if (align > info->align_max)
		return engine_validate_fail(v, LB_E_INVALID,
		                            "alignment must not be larger than natural");
	if (wide > UINT32_MAX)
		return engine_validate_fail(v, LB_E_INVALID, "offset out of range");
	*offset = (uint32_t)wide;
	return LB_OK;
}

static lb_err load_op(struct engine_validator *v, const struct engine_op_info *info)
{
	uint32_t offset = 0, at, a = 0, b = 0;
	struct operand address;

	LB_TRY(read_memarg(&offset, v, info));
	LB_TRY(engine_validate_pop(&address, v, ENGINE_I32));
	at = v->operand_count;
	if (address.place == PLACE_SUM && offset == 0)
		engine_emit(v, (unsigned)info->code + ENGINE_CODE_SUM,
		            ab_imm(home(v, at), address.local, (int32_t)(uint32_t)address.value),
		            true);
	else if (offset <= UINT16_MAX && engine_emit_take_sum(&a, &b, v, &address, at))
		engine_emit(v, (unsigned)info->code + ENGINE_CODE_INDEXED,
		            abcd(home(v, at), a, b, offset), true);
	else
		engine_emit(v, info->code,
		            ab_imm(home(v, at), engine_emit_slot(v, &address, at), (int32_t)offset),
		            true);
	return engine_validate_push(v, info->result);
}

static lb_err store_op(struct engine_validator *v, const struct engine_op_info *info)
{
	struct operand address, value;
	uint32_t offset = 0, at, slot;

	LB_TRY(read_memarg(&offset, v, info));
	LB_TRY(engine_validate_pop(&value, v, info->operand));
	LB_TRY(engine_validate_pop(&address, v, ENGINE_I32));
	at = v->operand_count;
	slot = engine_emit_slot(v, &value, at + 1);
	if (address.place == PLACE_SUM && offset == 0)
		engine_emit(v, (unsigned)info->code + ENGINE_CODE_SUM,
		            ab_imm(address.local, slot, (int32_t)(uint32_t)address.value), false);
	else
		engine_emit(v, info->code,
		            ab_imm(engine_emit_slot(v, &address, at), slot, (int32_t)offset),
		            false);
	return LB_OK;
}

/* ---- variables and constants ---- */

static lb_err local_op(struct engine_validator *v, uint16_t op)
{
	struct operand value;
	uint32_t local = 0;
	engine_type type;

	LB_TRY(engine_validate_index(&local, v, v->local_count, "local"));
	type = local_type(v, local);
	if (op == ENGINE_OP_LOCAL_GET)
		return engine_validate_push_local(v, type, local);
	LB_TRY(engine_validate_pop(&value, v, type));
	if (emitting(v) && !(value.place == PLACE_LOCAL && value.local == local)) {
		union engine_cell *made =
			v->last == NONE ? NULL : &v->module->cells[v->code_base + v->last + 1];

		/* What was just made can be made in the local at once, unless an older value of
		 * the local is still wanted. */
		if (value.place == PLACE_HOME && v->alias_heads[local] == 0 && made != NULL &&
		    made->a == home(v, v->operand_count)) {
			made->a = (uint16_t)local;
			v->last = NONE;
		} else {
			engine_emit_preserve(v, local);
			engine_emit_move(v, local, &value, v->operand_count);
			v->last = NONE;
		}
	}
	return op == ENGINE_OP_LOCAL_TEE ? engine_validate_push_local(v, type, local) : LB_OK;
}

static lb_err global_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_module *m = v->module;
	uint32_t global = 0, at;
	struct operand value;

	LB_TRY(engine_validate_index(&global, v, m->global_count, "global"));
	if (op == ENGINE_OP_GLOBAL_GET) {
		engine_emit(v, ENGINE_CODE_GLOBAL_GET,
		            ab_imm(home(v, v->operand_count), 0, (int32_t)global), true);
		return engine_validate_push(v, m->globals[global].type.content);
	}
	if (!m->globals[global].type.is_mutable)
		return engine_validate_fail(v, LB_E_INVALID, "immutable global");
	LB_TRY(engine_validate_pop(&value, v, m->globals[global].type.content));
	at = v->operand_count;
	engine_emit(v, ENGINE_CODE_GLOBAL_SET,
	            ab_imm(engine_emit_slot(v, &value, at), 0, (int32_t)global), false);
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
	uint32_t at;

	LB_TRY(engine_validate_pop(&condition, v, ENGINE_I32));
	LB_TRY(engine_validate_pop(&b, v, type));
	LB_TRY(engine_validate_pop(&a, v, type));
	if (type == TYPE_ANY) {
		type = a.type != TYPE_ANY ? a.type : b.type;
		if (b.type != TYPE_ANY && b.type != type)
			return engine_validate_mismatch(v, type, b.type);
		if (engine_type_is_ref(type))
			return engine_validate_fail(
				v, LB_E_INVALID,
				"type mismatch: select of references needs its type");
	}
	at = v->operand_count;
	if (emitting(v)) {
		uint32_t slot_a = engine_emit_slot(v, &a, at),
			 slot_b = engine_emit_slot(v, &b, at + 1);
		uint32_t slot_c = engine_emit_slot(v, &condition, at + 2);

		engine_emit(v, ENGINE_CODE_SELECT, abcd(home(v, at), slot_a, slot_b, slot_c), true);
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

static lb_err ref_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_module *m = v->module;
	size_t start = engine_reader_offset(&v->r);
	struct operand value;
	uint32_t func = 0, at;
	uint8_t heap = 0;

	switch (op) {
	case ENGINE_OP_REF_NULL:
		LB_TRY(engine_read_byte(&heap, &v->r));
		if (!engine_type_is_ref(heap))
			return engine_reader_fail(&v->r, LB_E_MALFORMED, start,
			                          "malformed reference type");
		return engine_validate_push_const(v, heap, 0);
	case ENGINE_OP_REF_IS_NULL:
		LB_TRY(engine_validate_pop(&value, v, TYPE_ANY));
		if (value.type != TYPE_ANY && !engine_type_is_ref(value.type))
			return engine_validate_mismatch(v, ENGINE_FUNCREF, value.type);
		at = v->operand_count;
		engine_emit_compare(v, ENGINE_CODE_I64_EQ_IMM,
		                    ab_imm(home(v, at), engine_emit_slot(v, &value, at), 0), true);
		return engine_validate_push(v, ENGINE_I32);
	default:
		LB_TRY(engine_validate_index(&func, v, m->func_count, "function"));
		if (!m->func_declared[func])
			return engine_validate_fail(v, LB_E_INVALID,
			                            "undeclared function reference");
		engine_emit(v, ENGINE_CODE_REF_FUNC,
		            ab_imm(home(v, v->operand_count), 0, (int32_t)func), true);
		return engine_validate_push(v, ENGINE_FUNCREF);
	}
}

/* ---- tables and memories ---- */

/* Three operands into slots, newest last. */
static lb_err pop_three(union engine_cell *out, struct engine_validator *v, engine_type a,
                        engine_type b, engine_type c)
{
	const engine_type types[3] = { a, b, c };
	struct operand o[3];
	uint32_t slots[3];

	for (unsigned i = 3; i-- > 0;)
		LB_TRY(engine_validate_pop(&o[i], v, types[i]));
	for (unsigned i = 0; i < 3; i++)
		slots[i] = engine_emit_slot(v, &o[i], v->operand_count + i);
	*out = abcd(slots[0], slots[1], slots[2], 0);
	return LB_OK;
}

/* An instruction with three operands, no result, and a number behind. */
static lb_err three_op(struct engine_validator *v, unsigned code, engine_type middle, uint64_t x)
{
	union engine_cell operands = { 0 };

	LB_TRY(pop_three(&operands, v, ENGINE_I32, middle, ENGINE_I32));
	engine_emit(v, code, operands, false);
	engine_emit_cell(v, x);
	return LB_OK;
}

static lb_err check_data_index(const struct engine_validator *v, uint32_t data)
{
	if (!v->module->has_data_count && v->module->has_data)
		return engine_validate_fail(v, LB_E_MALFORMED, "data count section required");
	if (data >= v->module->data_count)
		return engine_validate_fail(v, LB_E_INVALID, "unknown data segment %u", data);
	return LB_OK;
}

static lb_err read_memory(struct engine_validator *v)
{
	uint32_t memory = 0;

	LB_TRY(engine_read_u32(&memory, &v->r));
	return require_memory(v, memory);
}

static lb_err memory_op(struct engine_validator *v, uint16_t op)
{
	union engine_cell operands = { 0 };
	struct operand value;
	uint32_t data = 0, at;

	switch (op) {
	case ENGINE_OP_MEMORY_SIZE:
		LB_TRY(read_memory(v));
		engine_emit(v, ENGINE_CODE_MEMORY_SIZE, abcd(home(v, v->operand_count), 0, 0, 0),
		            true);
		return engine_validate_push(v, ENGINE_I32);
	case ENGINE_OP_MEMORY_GROW:
		LB_TRY(read_memory(v));
		LB_TRY(engine_validate_pop(&value, v, ENGINE_I32));
		at = v->operand_count;
		engine_emit(v, ENGINE_CODE_MEMORY_GROW,
		            abcd(home(v, at), engine_emit_slot(v, &value, at), 0, 0), true);
		return engine_validate_push(v, ENGINE_I32);
	case ENGINE_OP_MEMORY_INIT:
		LB_TRY(engine_read_u32(&data, &v->r));
		LB_TRY(read_memory(v));
		LB_TRY(check_data_index(v, data));
		return three_op(v, ENGINE_CODE_MEMORY_INIT, ENGINE_I32, data);
	case ENGINE_OP_DATA_DROP:
		LB_TRY(engine_read_u32(&data, &v->r));
		LB_TRY(check_data_index(v, data));
		engine_emit(v, ENGINE_CODE_DATA_DROP, ab_imm(0, 0, (int32_t)data), false);
		return LB_OK;
	case ENGINE_OP_MEMORY_COPY:
		LB_TRY(read_memory(v));
		LB_TRY(read_memory(v));
		LB_TRY(pop_three(&operands, v, ENGINE_I32, ENGINE_I32, ENGINE_I32));
		engine_emit(v, ENGINE_CODE_MEMORY_COPY, operands, false);
		return LB_OK;
	default:
		assert(op == ENGINE_OP_MEMORY_FILL);
		LB_TRY(read_memory(v));
		LB_TRY(pop_three(&operands, v, ENGINE_I32, ENGINE_I32, ENGINE_I32));
		engine_emit(v, ENGINE_CODE_MEMORY_FILL, operands, false);
		return LB_OK;
	}
}

static lb_err table_access_op(struct engine_validator *v, uint16_t op, uint32_t table,
                              engine_type element)
{
	struct operand index, value;
	uint32_t at;

	if (op == ENGINE_OP_TABLE_GET) {
		LB_TRY(engine_validate_pop(&index, v, ENGINE_I32));
		at = v->operand_count;
		engine_emit(v, ENGINE_CODE_TABLE_GET,
		            ab_imm(home(v, at), engine_emit_slot(v, &index, at), (int32_t)table),
		            true);
		return engine_validate_push(v, element);
	}
	LB_TRY(engine_validate_pop(&value, v, element));
	LB_TRY(engine_validate_pop(&index, v, ENGINE_I32));
	at = v->operand_count;
	if (emitting(v)) {
		uint32_t slot_a = engine_emit_slot(v, &index, at),
			 slot_b = engine_emit_slot(v, &value, at + 1);

		engine_emit(v, ENGINE_CODE_TABLE_SET, ab_imm(slot_a, slot_b, (int32_t)table),
		            false);
	}
	return LB_OK;
}

static lb_err table_grow_op(struct engine_validator *v, uint32_t table, engine_type element)
{
	struct operand value, count;
	uint32_t at;

	LB_TRY(engine_validate_pop(&count, v, ENGINE_I32));
	LB_TRY(engine_validate_pop(&value, v, element));
	at = v->operand_count;
	if (emitting(v)) {
		uint32_t slot_a = engine_emit_slot(v, &value, at),
			 slot_b = engine_emit_slot(v, &count, at + 1);

		engine_emit(v, ENGINE_CODE_TABLE_GROW, abcd(home(v, at), slot_a, slot_b, 0), false);
		engine_emit_cell(v, table);
	}
	return engine_validate_push(v, ENGINE_I32);
}

/* table.init and table.copy: two indices, elements of one type. */
static lb_err table_move_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_module *m = v->module;
	uint32_t to = 0, from = 0;
	bool init = op == ENGINE_OP_TABLE_INIT;
	engine_type type;

	if (init) /* the segment's index comes first, and is checked last */
		LB_TRY(engine_read_u32(&from, &v->r));
	LB_TRY(engine_validate_index(&to, v, m->table_count, "table"));
	if (!init)
		LB_TRY(engine_validate_index(&from, v, m->table_count, "table"));
	else if (from >= m->elem_count)
		return engine_validate_fail(v, LB_E_INVALID, "unknown elem segment %u", from);
	type = init ? m->elems[from].type : m->tables[from].element;
	if (type != m->tables[to].element)
		return engine_validate_mismatch(v, m->tables[to].element, type);
	return three_op(v, init ? ENGINE_CODE_TABLE_INIT : ENGINE_CODE_TABLE_COPY, ENGINE_I32,
	                to | (uint64_t)from << 32);
}

static lb_err table_op(struct engine_validator *v, uint16_t op)
{
	const struct engine_module *m = v->module;
	uint32_t index = 0;
	engine_type element;

	if (op == ENGINE_OP_TABLE_INIT || op == ENGINE_OP_TABLE_COPY)
		return table_move_op(v, op);
	if (op == ENGINE_OP_ELEM_DROP) {
		LB_TRY(engine_validate_index(&index, v, m->elem_count, "elem segment"));
		engine_emit(v, ENGINE_CODE_ELEM_DROP, ab_imm(0, 0, (int32_t)index), false);
		return LB_OK;
	}
	LB_TRY(engine_validate_index(&index, v, m->table_count, "table"));
	element = m->tables[index].element;
	switch (op) {
	case ENGINE_OP_TABLE_GROW: return table_grow_op(v, index, element);
	case ENGINE_OP_TABLE_FILL: return three_op(v, ENGINE_CODE_TABLE_FILL, element, index);
	case ENGINE_OP_TABLE_SIZE:
		engine_emit(v, ENGINE_CODE_TABLE_SIZE,
		            ab_imm(home(v, v->operand_count), 0, (int32_t)index), true);
		return engine_validate_push(v, ENGINE_I32);
	default: return table_access_op(v, op, index, element);
	}
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
	case ENGINE_OP_SELECT_TYPED: return select_typed_op(v);
	default: return ref_op(v, op);
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
	case ENGINE_IMM_BLOCK:
	case ENGINE_IMM_LABEL:
	case ENGINE_IMM_LABELS:
	case ENGINE_IMM_TYPE_TABLE: return engine_validate_control_op(v, op);
	case ENGINE_IMM_MEMORY:
	case ENGINE_IMM_DATA:
	case ENGINE_IMM_DATA_MEMORY:
	case ENGINE_IMM_MEMORY_MEMORY: return memory_op(v, op);
	case ENGINE_IMM_TABLE:
	case ENGINE_IMM_ELEM:
	case ENGINE_IMM_ELEM_TABLE:
	case ENGINE_IMM_TABLE_TABLE: return table_op(v, op);
	case ENGINE_IMM_FUNC:
	case ENGINE_IMM_NONE:
	case ENGINE_IMM_TYPES:
	case ENGINE_IMM_REF_TYPE:
	case ENGINE_IMM_MEMARG: break;
	}
	if (op == ENGINE_OP_ELSE || op == ENGINE_OP_END || op == ENGINE_OP_RETURN ||
	    op == ENGINE_OP_CALL)
		return engine_validate_control_op(v, op);
	return other_op(v, op);
}

static lb_err read_op(uint16_t *out, struct engine_validator *v)
{
	uint32_t second = 0;
	uint8_t first = 0;

	v->op_at = engine_reader_offset(&v->r);
	LB_TRY(engine_read_byte(&first, &v->r));
	*out = first;
	if (first != ENGINE_OP_PREFIX_FC)
		return LB_OK;
	LB_TRY(engine_read_u32(&second, &v->r));
	if (second >= ENGINE_OP_COUNT - 0x100)
		return engine_validate_fail(v, LB_E_MALFORMED, "illegal opcode fc %02x", second);
	*out = (uint16_t)(0x100 + second);
	return LB_OK;
}

static lb_err one_op(struct engine_validator *v)
{
	const struct engine_op_info *info;
	uint16_t op = 0;

	LB_TRY(read_op(&op, v));
	info = &engine_op_table[op];
	if (v->module->features_off[info->feature])
		return engine_validate_fail(v, LB_E_MALFORMED,
		                            "illegal opcode: the feature is off");
	switch ((enum engine_form)info->form) {
	case ENGINE_FORM_UNARY: return unary_op(v, info);
	case ENGINE_FORM_BINARY:
	case ENGINE_FORM_BINARY_IMM:
	case ENGINE_FORM_COMPARE:
	case ENGINE_FORM_COMPARE_IMM: return binary_op(v, info);
	case ENGINE_FORM_LOAD: return load_op(v, info);
	case ENGINE_FORM_STORE: return store_op(v, info);
	case ENGINE_FORM_OP: return special_op(v, op, info->imm);
	case ENGINE_FORM_NONE: break;
	}
	return engine_validate_fail(v, LB_E_MALFORMED, "illegal opcode %s%02x",
	                            op >= 0x100 ? "fc " : "", op & 0xffu);
}

/* ---- a body ---- */

static void finish_body(struct engine_validator *v, const struct engine_func_type *type)
{
	uint32_t slots = v->local_count + v->operand_high;
	struct engine_body *body = &v->module->bodies[v->func - v->module->func_import_count];

	body->param_count = type->param_count;
	body->result_count = type->result_count;
	body->local_count = v->local_count;
	body->frame_slots = slots > type->result_count ? slots : type->result_count;
	v->starts[v->start_count++] = v->code_base;
}

lb_err engine_validate_body(struct engine_validator *v, uint32_t func, struct engine_reader *body)
{
	const struct engine_func_type *type = engine_form_func_type(v->module, func);

	v->r = *body;
	v->func = func;
	v->op_at = engine_reader_offset(&v->r);
	v->code_base = (uint32_t)v->module->cell_count;
	v->operand_count = v->operand_high = v->alias_floor = 0;
	v->control_count = 0;
	v->last = NONE;
	LB_TRY(read_locals(v, type));
	LB_TRY(engine_validate_push_control(v, ENGINE_OP_END, type));
	while (v->control_count > 0)
		LB_TRY(one_op(v));
	if (v->r.at != v->r.end)
		return engine_validate_fail(v, LB_E_MALFORMED,
		                            "END opcode expected: bytes follow the body");
	if (v->no_memory)
		return lb_err_of(LB_E_NOMEM);
	finish_body(v, type);
	return LB_OK;
}

lb_err engine_validator_new(struct engine_validator **out, struct engine_module *module)
{
	struct engine_validator *v = LB_NEW(module->mem, struct engine_validator, 1);

	*out = NULL;
	if (v == NULL)
		return lb_err_of(LB_E_NOMEM);
	v->module = module;
	v->mem = module->mem;
	v->handlers = engine_code_handlers();
	if (module->func_count > module->func_import_count) {
		v->starts = LB_NEW(v->mem, size_t, module->func_count - module->func_import_count);
		if (v->starts == NULL) {
			engine_validator_free(v);
			return lb_err_of(LB_E_NOMEM);
		}
	}
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
	for (uint32_t i = 0; i < v->start_count; i++)
		m->bodies[i].start = m->cells + v->starts[i];
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
	LB_DROP(v->mem, v->starts, v->module->func_count - v->module->func_import_count);
	LB_DROP(v->mem, v, 1);
}
