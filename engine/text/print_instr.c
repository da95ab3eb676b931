/* print_instr.c - instructions, from the binary to flat text, a line each. */
#include "engine/text/number.h"
#include "engine/text/print_priv.h"

enum { COUNT_MAX = 1 << 24, BLOCK_EMPTY = 0x40, REF_NULL = 0x63 };

static lb_err bad(struct printer *p, const char *text)
{
	return engine_reader_fail(&p->r, LB_E_MALFORMED, engine_reader_offset(&p->r), "%s", text);
}

/* ---- indices ---- */

static lb_err print_one(struct printer *p, enum print_space space)
{
	uint32_t index = 0;

	LB_TRY(engine_read_u32(&index, &p->r));
	engine_print_index(p, space, index);
	return LB_OK;
}

/* One that the text leaves out where it is the first. */
static lb_err print_optional(struct printer *p, enum print_space space)
{
	uint32_t index = 0;

	LB_TRY(engine_read_u32(&index, &p->r));
	if (index != 0)
		engine_print_index(p, space, index);
	return LB_OK;
}

static lb_err print_two(struct printer *p, enum print_space first, enum print_space second)
{
	LB_TRY(print_one(p, first));
	return print_one(p, second);
}

static lb_err print_copy(struct printer *p, enum print_space space)
{
	uint32_t to = 0, from = 0;

	LB_TRY(engine_read_u32(&to, &p->r));
	LB_TRY(engine_read_u32(&from, &p->r));
	if (to != 0 || from != 0) {
		engine_print_index(p, space, to);
		engine_print_index(p, space, from);
	}
	return LB_OK;
}

static lb_err print_init(struct printer *p, enum print_space segment, enum print_space place)
{
	uint32_t from = 0, to = 0;

	LB_TRY(engine_read_u32(&from, &p->r));
	LB_TRY(engine_read_u32(&to, &p->r));
	if (to != 0)
		engine_print_index(p, place, to);
	engine_print_index(p, segment, from);
	return LB_OK;
}

static lb_err print_number(struct printer *p)
{
	uint32_t number = 0;

	LB_TRY(engine_read_u32(&number, &p->r));
	print_fmt(p, " %u", number);
	return LB_OK;
}

static lb_err print_local(struct printer *p)
{
	uint32_t index = 0;

	LB_TRY(engine_read_u32(&index, &p->r));
	engine_print_inner_index(p, &p->locals, p->func, index);
	return LB_OK;
}

static lb_err print_field(struct printer *p)
{
	uint32_t type = 0, field = 0;

	LB_TRY(engine_read_u32(&type, &p->r));
	LB_TRY(engine_read_u32(&field, &p->r));
	engine_print_index(p, PRINT_TYPE, type);
	engine_print_inner_index(p, &p->fields, type, field);
	return LB_OK;
}

/* ---- labels ---- */

enum { SHADOWS_MAX = 100 }; /* blocks that are looked through for one of the same name */

/* The name of a label where that means it from here; nothing otherwise. */
static struct lb_bytes visible_name(const struct printer *p, uint32_t label)
{
	const struct lb_bytes *names = p->opened.at;
	struct lb_bytes name;

	if (label >= p->opened.count || label > SHADOWS_MAX)
		return (struct lb_bytes){ 0 };
	name = names[p->opened.count - 1 - label];
	for (uint32_t i = 0; i < label; i++)
		if (lb_bytes_eq(names[p->opened.count - 1 - i], name))
			return (struct lb_bytes){ 0 };
	return name;
}

static lb_err print_label(struct printer *p)
{
	struct lb_bytes name;
	uint32_t label = 0;

	LB_TRY(engine_read_u32(&label, &p->r));
	name = visible_name(p, label);
	if (name.len > 0) {
		engine_print_text(p, " ");
		engine_print_id(p, name);
		return LB_OK;
	}
	print_fmt(p, " %u", label);
	if (label < p->depth)
		print_fmt(p, " (;@%u;)", p->depth - label);
	return LB_OK;
}

static lb_err print_labels(struct printer *p)
{
	uint32_t count = 0;

	LB_TRY(engine_read_count(&count, &p->r, 1, COUNT_MAX, "labels"));
	for (uint32_t i = 0; i <= count; i++)
		LB_TRY(print_label(p));
	return LB_OK;
}

static lb_err print_block_type(struct printer *p)
{
	int64_t type = 0;

	if (p->r.at < p->r.end && *p->r.at == BLOCK_EMPTY) {
		p->r.at++;
		return LB_OK;
	}
	if (p->r.at < p->r.end && (*p->r.at & 0xc0) == 0x40) {
		engine_print_text(p, " (result");
		LB_TRY(engine_print_value_type(p));
		engine_print_text(p, ")");
		return LB_OK;
	}
	LB_TRY(engine_read_s33(&type, &p->r));
	return engine_print_type_use(p, (uint32_t)type, false);
}

static lb_err print_catches(struct printer *p)
{
	static const char *const words[] = { "catch", "catch_ref", "catch_all", "catch_all_ref" };
	uint32_t count = 0;

	LB_TRY(engine_read_count(&count, &p->r, 2, COUNT_MAX, "catch clauses"));
	for (uint32_t i = 0; i < count; i++) {
		uint8_t kind = 0;

		LB_TRY(engine_read_byte(&kind, &p->r));
		if (kind >= sizeof words / sizeof words[0])
			return bad(p, "malformed catch clause");
		print_fmt(p, " (%s", words[kind]);
		if (kind < 2)
			LB_TRY(print_one(p, PRINT_TAG));
		LB_TRY(print_label(p));
		engine_print_text(p, ")");
	}
	return LB_OK;
}

/* ---- memory arguments and numbers ---- */

enum { MEMARG_HAS_INDEX = 0x40 };

static lb_err print_memarg(struct printer *p, unsigned align_max, bool lane)
{
	uint32_t flags = 0, memory = 0;
	uint64_t offset = 0;
	uint8_t number = 0;

	LB_TRY(engine_read_u32(&flags, &p->r));
	if (flags >= 2 * MEMARG_HAS_INDEX)
		return bad(p, "malformed memop flags");
	if ((flags & MEMARG_HAS_INDEX) != 0)
		LB_TRY(engine_read_u32(&memory, &p->r));
	flags &= MEMARG_HAS_INDEX - 1;
	LB_TRY(engine_read_u64(&offset, &p->r));
	if (memory != 0)
		engine_print_index(p, PRINT_MEMORY, memory);
	if (offset != 0)
		print_fmt(p, " offset=%llu", (unsigned long long)offset);
	if (flags != align_max)
		print_fmt(p, " align=%llu", 1ull << flags);
	if (!lane)
		return LB_OK;
	LB_TRY(engine_read_byte(&number, &p->r));
	print_fmt(p, " %u", (unsigned)number);
	return LB_OK;
}

static lb_err print_int(struct printer *p, bool is_64)
{
	int64_t value = 0;
	int32_t narrow = 0;

	if (is_64) {
		LB_TRY(engine_read_s64(&value, &p->r));
	} else {
		LB_TRY(engine_read_s32(&narrow, &p->r));
		value = narrow;
	}
	print_fmt(p, " %lld", (long long)value);
	return LB_OK;
}

static lb_err print_float(struct printer *p, unsigned width)
{
	uint32_t narrow = 0;
	uint64_t bits = 0;

	if (width == 32) {
		LB_TRY(engine_read_fixed32(&narrow, &p->r));
		bits = narrow;
	} else {
		LB_TRY(engine_read_fixed64(&bits, &p->r));
	}
	engine_print_text(p, " ");
	engine_number_add_float(p->out, bits, width);
	return LB_OK;
}

static lb_err print_v128(struct printer *p)
{
	engine_print_text(p, " i32x4");
	for (unsigned i = 0; i < 4; i++) {
		uint32_t lane = 0;

		LB_TRY(engine_read_fixed32(&lane, &p->r));
		print_fmt(p, " 0x%08x", lane);
	}
	return LB_OK;
}

static lb_err print_lanes(struct printer *p, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t lane = 0;

		LB_TRY(engine_read_byte(&lane, &p->r));
		print_fmt(p, " %u", (unsigned)lane);
	}
	return LB_OK;
}

/* ---- types ---- */

static lb_err print_select(struct printer *p)
{
	uint32_t count = 0;

	LB_TRY(engine_read_count(&count, &p->r, 1, COUNT_MAX, "types"));
	engine_print_text(p, " (result");
	LB_TRY(engine_print_types(p, count));
	engine_print_text(p, ")");
	return LB_OK;
}

static lb_err print_call_indirect(struct printer *p)
{
	uint32_t type = 0, table = 0;

	LB_TRY(engine_read_u32(&type, &p->r));
	LB_TRY(engine_read_u32(&table, &p->r));
	if (table != 0)
		engine_print_index(p, PRINT_TABLE, table);
	return engine_print_type_use(p, type, false);
}

static lb_err print_branch_cast(struct printer *p)
{
	uint8_t flags = 0;

	LB_TRY(engine_read_byte(&flags, &p->r));
	LB_TRY(print_label(p));
	LB_TRY(engine_print_ref(p, (flags & 1) != 0));
	return engine_print_ref(p, (flags & 2) != 0);
}

/* ---- one instruction ---- */

static lb_err print_immediates(struct printer *p, uint32_t op)
{
	const struct engine_op_info *info = &engine_op_table[op];
	uint8_t byte;

	switch ((enum engine_imm)info->imm) {
	case ENGINE_IMM_NONE: return LB_OK;
	case ENGINE_IMM_BLOCK: return print_block_type(p);
	case ENGINE_IMM_CATCHES: LB_TRY(print_block_type(p)); return print_catches(p);
	case ENGINE_IMM_LABEL: return print_label(p);
	case ENGINE_IMM_LABELS: return print_labels(p);
	case ENGINE_IMM_FUNC: return print_one(p, PRINT_FUNC);
	case ENGINE_IMM_TYPE_TABLE: return print_call_indirect(p);
	case ENGINE_IMM_TYPES: return print_select(p);
	case ENGINE_IMM_LOCAL: return print_local(p);
	case ENGINE_IMM_GLOBAL: return print_one(p, PRINT_GLOBAL);
	case ENGINE_IMM_TABLE: return print_optional(p, PRINT_TABLE);
	case ENGINE_IMM_MEMARG: return print_memarg(p, info->align_max, false);
	case ENGINE_IMM_MEMARG_LANE: return print_memarg(p, info->align_max, true);
	case ENGINE_IMM_MEMORY: return print_optional(p, PRINT_MEMORY);
	case ENGINE_IMM_I32: return print_int(p, false);
	case ENGINE_IMM_I64: return print_int(p, true);
	case ENGINE_IMM_F32: return print_float(p, 32);
	case ENGINE_IMM_F64: return print_float(p, 64);
	case ENGINE_IMM_V128: return print_v128(p);
	case ENGINE_IMM_LANE: return print_lanes(p, 1);
	case ENGINE_IMM_LANES: return print_lanes(p, 16);
	case ENGINE_IMM_HEAP_TYPE:
		if (op == ENGINE_OP_REF_NULL)
			return engine_print_heap_type(p);
		return engine_print_ref(p, op == ENGINE_OP_REF_TEST_NULL ||
		                                   op == ENGINE_OP_REF_CAST_NULL);
	case ENGINE_IMM_CAST: return print_branch_cast(p);
	case ENGINE_IMM_DATA: return print_one(p, PRINT_DATA);
	case ENGINE_IMM_DATA_MEMORY: return print_init(p, PRINT_DATA, PRINT_MEMORY);
	case ENGINE_IMM_MEMORY_MEMORY: return print_copy(p, PRINT_MEMORY);
	case ENGINE_IMM_ELEM: return print_one(p, PRINT_ELEM);
	case ENGINE_IMM_ELEM_TABLE: return print_init(p, PRINT_ELEM, PRINT_TABLE);
	case ENGINE_IMM_TABLE_TABLE: return print_copy(p, PRINT_TABLE);
	case ENGINE_IMM_TAG: return print_one(p, PRINT_TAG);
	case ENGINE_IMM_TYPE: return print_one(p, PRINT_TYPE);
	case ENGINE_IMM_TYPE_FIELD: return print_field(p);
	case ENGINE_IMM_TYPE_COUNT: LB_TRY(print_one(p, PRINT_TYPE)); return print_number(p);
	case ENGINE_IMM_TYPE_DATA: return print_two(p, PRINT_TYPE, PRINT_DATA);
	case ENGINE_IMM_TYPE_ELEM: return print_two(p, PRINT_TYPE, PRINT_ELEM);
	case ENGINE_IMM_TYPE_TYPE: return print_two(p, PRINT_TYPE, PRINT_TYPE);
	case ENGINE_IMM_FENCE: return engine_read_byte(&byte, &p->r);
	}
	return bad(p, "illegal opcode");
}

static lb_err read_op(uint32_t *op, struct printer *p)
{
	uint32_t number = 0;
	uint8_t byte = 0;

	LB_TRY(engine_read_byte(&byte, &p->r));
	*op = byte;
	if (engine_op_is_prefix(byte)) {
		LB_TRY(engine_read_u32(&number, &p->r));
		*op = engine_op_behind(byte, number);
	}
	if (*op >= ENGINE_OP_COUNT || engine_op_table[*op].text == NULL)
		return bad(p, "illegal opcode");
	return LB_OK;
}

/* A block's own label stands behind its word. */
static lb_err print_op(struct printer *p, uint32_t op, struct lb_bytes label)
{
	engine_print_text(p, engine_op_table[op].text);
	if (label.len > 0) {
		engine_print_text(p, " ");
		engine_print_id(p, label);
	}
	return print_immediates(p, op);
}

/* ---- bodies ---- */

static bool opens(uint32_t op)
{
	return engine_op_table[op].imm == ENGINE_IMM_BLOCK ||
	       engine_op_table[op].imm == ENGINE_IMM_CATCHES;
}

/* The branch hint that belongs to the instruction at that offset of the body. */
static lb_err print_hint(struct printer *p, size_t offset)
{
	struct engine_reader ahead = p->body_hints;
	uint32_t at = 0, len = 0;
	uint8_t hint = 0;

	if (p->body_hint_count == 0 || lb_failed(engine_read_u32(&at, &ahead)) || at != offset)
		return LB_OK;
	if (lb_failed(engine_read_u32(&len, &ahead)) || len != 1 ||
	    lb_failed(engine_read_byte(&hint, &ahead)) || hint > 1) {
		p->body_hint_count = 0;
		return LB_OK;
	}
	p->body_hints = ahead;
	p->body_hint_count--;
	print_fmt(p, "(@metadata.code.branch_hint \"\\%02x\") ", (unsigned)hint);
	return LB_OK;
}

static lb_err open_block(struct printer *p, struct lb_bytes label)
{
	struct lb_bytes *opened = lb_vec_add(&p->opened);

	if (opened == NULL)
		return lb_vec_check(&p->opened);
	*opened = label;
	p->depth++;
	p->indent++;
	if (label.len == 0)
		print_fmt(p, " ;; @%u", p->depth);
	return LB_OK;
}

/* The end of a block, and what stands between its parts, is as far out as its beginning. */
static void close_block(struct printer *p)
{
	p->indent--;
	p->depth--;
	p->opened.count--;
}

static lb_err print_line_of(struct printer *p, uint32_t op, size_t offset)
{
	bool part = op == ENGINE_OP_ELSE || op == ENGINE_OP_CATCH || op == ENGINE_OP_CATCH_ALL;
	bool ends = op == ENGINE_OP_END || op == ENGINE_OP_DELEGATE;
	struct lb_bytes label = { 0 };

	if ((part || ends) && p->depth == 0)
		return bad(p, "unexpected end of a block");
	if (ends)
		close_block(p);
	if (opens(op))
		label = engine_print_label_name(p, p->label_count++);
	p->indent -= part;
	engine_print_line(p);
	p->indent += part;
	LB_TRY(print_hint(p, offset));
	LB_TRY(print_op(p, op, label));
	return opens(op) ? open_block(p, label) : LB_OK;
}

lb_err engine_print_body(struct printer *p)
{
	uint32_t op = 0;

	p->depth = p->label_count = 0;
	p->opened.count = 0;
	while (engine_reader_left(&p->r) > 0) {
		size_t offset = (size_t)(p->r.at - p->body);

		LB_TRY(read_op(&op, p));
		if (op == ENGINE_OP_END && engine_reader_left(&p->r) == 0)
			return p->depth == 0 ? LB_OK : bad(p, "END opcode expected");
		LB_TRY(print_line_of(p, op, offset));
	}
	return bad(p, "END opcode expected");
}

/* Flat, up to the end; *count says how many. */
static lb_err print_flat(struct printer *p, size_t *count)
{
	uint32_t op = 0;

	for (*count = 0;; (*count)++) {
		LB_TRY(read_op(&op, p));
		if (op == ENGINE_OP_END)
			return LB_OK;
		if (opens(op))
			return bad(p, "constant expression required");
		engine_print_text(p, " ");
		LB_TRY(print_op(p, op, (struct lb_bytes){ 0 }));
	}
}

lb_err engine_print_expression(struct printer *p, const char *word)
{
	struct lb_buf flat, *out = p->out;
	size_t count = 0;
	lb_err err;

	lb_buf_init(&flat, p->mem, out->bytes_max);
	p->out = &flat;
	err = print_flat(p, &count);
	p->out = out;
	if (!lb_failed(err))
		err = lb_buf_check(&flat);
	if (!lb_failed(err) && count == 1)
		print_fmt(p, " (%.*s)", LB_FMT(lb_bytes_from(lb_buf_bytes(&flat), 1)));
	else if (!lb_failed(err) && word != NULL)
		print_fmt(p, " (%s%.*s)", word, LB_FMT(lb_buf_bytes(&flat)));
	else if (!lb_failed(err))
		lb_buf_add(out, lb_buf_bytes(&flat));
	lb_buf_release(&flat);
	return err;
}
