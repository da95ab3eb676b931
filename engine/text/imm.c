/* imm.c - an instruction's opcode and immediates, from text to bytes. */
#include "engine/text/number.h"
#include "engine/text/parse_priv.h"

void engine_encode_op(struct lb_buf *out, unsigned op)
{
	uint32_t number;
	uint8_t prefix = engine_op_prefix(&number, op);

	if (prefix != 0)
		lb_buf_add_byte(out, prefix);
	if (prefix != 0)
		engine_encode_u32(out, number);
	else
		lb_buf_add_byte(out, (unsigned char)op);
}

/* ---- numbers ---- */

static lb_err parse_int(struct lb_buf *out, struct parser *p, unsigned bits)
{
	uint64_t value;

	if (here(p)->kind != ENGINE_TOKEN_NAT && here(p)->kind != ENGINE_TOKEN_INT)
		return engine_parse_unexpected(p);
	if (!engine_number_int(&value, text_here(p), bits))
		return engine_parse_fail(p, p->at, LB_E_MALFORMED, "i%u constant out of range",
		                         bits);
	engine_encode_s64(out, bits == 32 ? (int32_t)(uint32_t)value : (int64_t)value);
	engine_parse_step(p);
	return LB_OK;
}

static lb_err parse_float(struct lb_buf *out, struct parser *p, unsigned width)
{
	uint64_t bits;

	if (here(p)->kind != ENGINE_TOKEN_NAT && here(p)->kind != ENGINE_TOKEN_INT &&
	    here(p)->kind != ENGINE_TOKEN_FLOAT)
		return engine_parse_unexpected(p);
	if (!engine_number_float(&bits, text_here(p), width))
		return engine_parse_fail(p, p->at, LB_E_MALFORMED, "f%u constant out of range",
		                         width);
	engine_encode_fixed(out, bits, width / 8);
	engine_parse_step(p);
	return LB_OK;
}

/* ---- vectors ---- */

bool engine_parse_shape(struct parse_shape *shape, struct parser *p)
{
	static const struct parse_shape shapes[] = {
		{ "i8x16", 16, 8, false }, { "i16x8", 8, 16, false }, { "i32x4", 4, 32, false },
		{ "i64x2", 2, 64, false }, { "f32x4", 4, 32, true },  { "f64x2", 2, 64, true },
	};

	for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
		if (engine_parse_take_word(p, shapes[i].word)) {
			*shape = shapes[i];
			return true;
		}
	}
	return false;
}

static bool is_number(const struct parser *p, size_t at)
{
	return p->tokens[at].kind == ENGINE_TOKEN_NAT || p->tokens[at].kind == ENGINE_TOKEN_INT ||
	       p->tokens[at].kind == ENGINE_TOKEN_FLOAT;
}

/* That exactly `count` numbers stand at the cursor, before any is looked at. */
static lb_err check_lanes(struct parser *p, unsigned count, const char *text)
{
	size_t at = p->at;
	unsigned found = 0;

	for (; is_number(p, at) && found <= count; at = engine_parse_next(p, at))
		found++;
	if (found == count)
		return LB_OK;
	if (p->tokens[at].kind == ENGINE_TOKEN_WORD &&
	    !engine_words_know(p->words, text_at(p, at))) {
		engine_parse_begin(p, at);
		return engine_parse_unexpected(p);
	}
	return engine_parse_fail(p, at, LB_E_MALFORMED, "%s", text);
}

static lb_err parse_lane(struct lb_buf *out, struct parser *p, const struct parse_shape *shape)
{
	uint64_t value;

	if (shape->is_float)
		return parse_float(out, p, shape->width);
	if (here(p)->kind == ENGINE_TOKEN_FLOAT)
		return engine_parse_unexpected(p);
	if (!engine_number_int(&value, text_here(p), shape->width))
		return engine_parse_fail(p, p->at, LB_E_MALFORMED, "i%u constant out of range",
		                         shape->width);
	engine_encode_fixed(out, value, shape->width / 8);
	engine_parse_step(p);
	return LB_OK;
}

static lb_err parse_v128(struct lb_buf *out, struct parser *p)
{
	struct parse_shape shape;

	if (!engine_parse_shape(&shape, p))
		return engine_parse_unexpected(p);
	LB_TRY(check_lanes(p, shape.lanes, "wrong number of lane literals"));
	for (unsigned i = 0; i < shape.lanes; i++)
		LB_TRY(parse_lane(out, p, &shape));
	return LB_OK;
}

static lb_err parse_lane_index(struct lb_buf *out, struct parser *p)
{
	uint64_t lane;

	LB_TRY(engine_parse_nat(&lane, p, UINT8_MAX, "i8 constant out of range"));
	lb_buf_add_byte(out, (unsigned char)lane);
	return LB_OK;
}

enum { SHUFFLE_LANES = 16 };

static lb_err parse_shuffle(struct lb_buf *out, struct parser *p)
{
	LB_TRY(check_lanes(p, SHUFFLE_LANES, "invalid lane length"));
	for (unsigned i = 0; i < SHUFFLE_LANES; i++) {
		if (here(p)->kind != ENGINE_TOKEN_NAT)
			return engine_parse_fail(p, p->at, LB_E_MALFORMED,
			                         "i8 constant out of range");
		LB_TRY(parse_lane_index(out, p));
	}
	return LB_OK;
}

/* ---- indices ---- */

static lb_err parse_one(struct lb_buf *out, struct parser *p, enum space space)
{
	uint32_t index;

	LB_TRY(engine_parse_index(&index, p, space));
	engine_encode_u32(out, index);
	return LB_OK;
}

static lb_err parse_count(struct lb_buf *out, struct parser *p)
{
	uint64_t count;

	LB_TRY(engine_parse_nat(&count, p, UINT32_MAX, "i32 constant out of range"));
	engine_encode_u64(out, count);
	return LB_OK;
}

static lb_err parse_optional(uint32_t *out, struct parser *p, enum space space)
{
	*out = 0;
	return engine_parse_is_index(p) ? engine_parse_index(out, p, space) : LB_OK;
}

static bool is_index_token(const struct parser *p, size_t at)
{
	return p->tokens[at].kind == ENGINE_TOKEN_NAT || p->tokens[at].kind == ENGINE_TOKEN_ID;
}

/* copy: both or none. */
static lb_err parse_both(struct lb_buf *out, struct parser *p, enum space space)
{
	uint32_t to = 0, from = 0;

	if (engine_parse_is_index(p)) {
		LB_TRY(engine_parse_index(&to, p, space));
		LB_TRY(engine_parse_index(&from, p, space));
	}
	engine_encode_u32(out, to);
	engine_encode_u32(out, from);
	return LB_OK;
}

/* init: the text has where to (or nothing) and the segment, the binary the other way round. */
static lb_err parse_init(struct lb_buf *out, struct parser *p, enum space segment, enum space place)
{
	uint32_t to = 0, from;

	if (is_index_token(p, engine_parse_next(p, p->at)))
		LB_TRY(engine_parse_index(&to, p, place));
	LB_TRY(engine_parse_index(&from, p, segment));
	engine_encode_u32(out, from);
	engine_encode_u32(out, to);
	return LB_OK;
}

static lb_err parse_labels(struct lb_buf *out, struct parser *p)
{
	size_t start = p->at, count = 0;

	for (size_t at = start; is_index_token(p, at); at = engine_parse_next(p, at))
		count++;
	if (count == 0)
		return engine_parse_unexpected(p);
	engine_encode_u64(out, count - 1);
	while (engine_parse_is_index(p))
		LB_TRY(parse_one(out, p, SPACE_LABEL));
	return LB_OK;
}

static lb_err parse_call_indirect(struct lb_buf *out, struct parser *p)
{
	uint32_t table, type;

	LB_TRY(parse_optional(&table, p, SPACE_TABLE));
	LB_TRY(engine_parse_type_use(&type, p, TYPE_USE_NAMELESS));
	engine_encode_u32(out, type);
	engine_encode_u32(out, table);
	return LB_OK;
}

static lb_err parse_field_of(struct lb_buf *out, struct parser *p)
{
	const struct type *type;
	struct lb_bytes id;
	uintptr_t found = 0;
	uint32_t index;
	size_t token;

	LB_TRY(engine_parse_index(&index, p, SPACE_TYPE));
	engine_encode_u32(out, index);
	if (here(p)->kind != ENGINE_TOKEN_ID)
		return parse_count(out, p);
	type = engine_parse_type_of(p, index);
	token = p->at;
	LB_TRY(engine_parse_id(&id, p));
	if (type != NULL && type->fields != NULL)
		found = (uintptr_t)lb_map_get(type->fields, id);
	if (found == 0)
		return engine_parse_fail(p, token, LB_E_MALFORMED, "unknown field $%.*s",
		                         LB_FMT(lb_bytes_upto(id, 100)));
	engine_encode_u32(out, (uint32_t)found - 1);
	return LB_OK;
}

/* ---- memory arguments ---- */

static bool take_setting(struct lb_bytes *value, struct parser *p, struct lb_bytes name)
{
	if (here(p)->kind != ENGINE_TOKEN_WORD || !lb_bytes_starts(text_here(p), name))
		return false;
	*value = lb_bytes_from(text_here(p), name.len);
	return true;
}

static lb_err parse_setting(uint64_t *out, struct parser *p, struct lb_bytes name)
{
	struct lb_bytes value;

	if (!take_setting(&value, p, name))
		return LB_OK;
	if (engine_number_kind(value) != ENGINE_NUMBER_NAT)
		return engine_parse_fail(p, p->at, LB_E_MALFORMED, "unknown operator %.*s",
		                         LB_FMT(lb_bytes_upto(text_here(p), 60)));
	if (!engine_number_nat(out, value, UINT64_MAX))
		return engine_parse_fail(p, p->at, LB_E_MALFORMED, "i64 constant out of range");
	engine_parse_step(p);
	return LB_OK;
}

enum { MEMARG_HAS_INDEX = 0x40 };

static lb_err parse_memarg_behind(struct lb_buf *out, struct parser *p, uint32_t memory,
                                  unsigned align_max)
{
	uint64_t offset = 0, align = (uint64_t)1 << align_max;
	size_t token;
	unsigned log = 0;

	LB_TRY(parse_setting(&offset, p, LB_B("offset=")));
	token = p->at;
	LB_TRY(parse_setting(&align, p, LB_B("align=")));
	if (align == 0 || (align & (align - 1)) != 0)
		return engine_parse_fail(p, token, LB_E_MALFORMED,
		                         "alignment must be a power of two");
	while (align >> log != 1)
		log++;
	engine_encode_u32(out, memory != 0 ? log | MEMARG_HAS_INDEX : log);
	if (memory != 0)
		engine_encode_u32(out, memory);
	engine_encode_u64(out, offset);
	return LB_OK;
}

static lb_err parse_memarg(struct lb_buf *out, struct parser *p, unsigned align_max)
{
	uint32_t memory;

	LB_TRY(parse_optional(&memory, p, SPACE_MEMORY));
	return parse_memarg_behind(out, p, memory, align_max);
}

/* A number alone is the lane; one before something else is the memory. */
static lb_err parse_memarg_lane(struct lb_buf *out, struct parser *p, unsigned align_max)
{
	const struct engine_token *next = &p->tokens[engine_parse_next(p, p->at)];
	struct lb_bytes word = engine_token_text(&p->source, next);
	uint32_t memory = 0;

	if (here(p)->kind == ENGINE_TOKEN_ID ||
	    (here(p)->kind == ENGINE_TOKEN_NAT &&
	     (next->kind == ENGINE_TOKEN_NAT || lb_bytes_starts(word, LB_B("offset=")) ||
	      lb_bytes_starts(word, LB_B("align=")))))
		LB_TRY(engine_parse_index(&memory, p, SPACE_MEMORY));
	LB_TRY(parse_memarg_behind(out, p, memory, align_max));
	return parse_lane_index(out, p);
}

/* ---- references ---- */

/* The variant for nullable references is the next opcode. */
static lb_err parse_cast(struct lb_buf *out, struct parser *p, unsigned op)
{
	bool nullable;

	lb_buf_reset(&p->aside);
	LB_TRY(engine_parse_ref_parts(&nullable, &p->aside, p));
	engine_encode_op(out, op + nullable);
	lb_buf_add(out, lb_buf_bytes(&p->aside));
	return lb_buf_check(&p->aside);
}

static lb_err parse_branch_cast(struct lb_buf *out, struct parser *p)
{
	bool from_null, to_null;
	uint32_t label;

	LB_TRY(engine_parse_index(&label, p, SPACE_LABEL));
	lb_buf_reset(&p->aside);
	LB_TRY(engine_parse_ref_parts(&from_null, &p->aside, p));
	LB_TRY(engine_parse_ref_parts(&to_null, &p->aside, p));
	lb_buf_add_byte(out, (unsigned char)(from_null | to_null << 1));
	engine_encode_u32(out, label);
	lb_buf_add(out, lb_buf_bytes(&p->aside));
	return lb_buf_check(&p->aside);
}

/* ---- exceptions ---- */

static lb_err parse_catch(struct lb_buf *out, struct parser *p, unsigned kind)
{
	lb_buf_add_byte(out, (unsigned char)kind);
	if (kind < 2)
		LB_TRY(parse_one(out, p, SPACE_TAG));
	LB_TRY(parse_one(out, p, SPACE_LABEL));
	return engine_parse_close(p);
}

static bool take_catch(unsigned *kind, struct parser *p)
{
	static const char *const words[] = { "catch", "catch_ref", "catch_all", "catch_all_ref" };

	for (*kind = 0; *kind < sizeof words / sizeof words[0]; (*kind)++)
		if (engine_parse_take_open(p, words[*kind]))
			return true;
	return false;
}

lb_err engine_parse_catches(struct lb_buf *out, struct parser *p)
{
	uint32_t count = 0;
	unsigned kind;

	lb_buf_reset(&p->aside);
	for (; take_catch(&kind, p); count++)
		LB_TRY(parse_catch(&p->aside, p, kind));
	engine_encode_u32(out, count);
	lb_buf_add(out, lb_buf_bytes(&p->aside));
	return lb_buf_check(&p->aside);
}

/* ---- select ---- */

static lb_err parse_select(struct lb_buf *out, struct parser *p)
{
	uint32_t count = 0;

	if (!engine_parse_is_open(p, "result")) {
		engine_encode_op(out, ENGINE_OP_SELECT);
		return LB_OK;
	}
	lb_buf_reset(&p->aside);
	while (engine_parse_take_open(p, "result")) {
		for (; here(p)->kind != ENGINE_TOKEN_CLOSE; count++)
			LB_TRY(engine_parse_value_type(&p->aside, p));
		LB_TRY(engine_parse_close(p));
	}
	engine_encode_op(out, ENGINE_OP_SELECT_TYPED);
	engine_encode_u32(out, count);
	lb_buf_add(out, lb_buf_bytes(&p->aside));
	return lb_buf_check(&p->aside);
}

/* ---- all ---- */

static lb_err parse_two(struct lb_buf *out, struct parser *p, enum space first, enum space second)
{
	LB_TRY(parse_one(out, p, first));
	return parse_one(out, p, second);
}

static lb_err parse_place(struct lb_buf *out, struct parser *p, enum space space)
{
	uint32_t index;

	LB_TRY(parse_optional(&index, p, space));
	engine_encode_u32(out, index);
	return LB_OK;
}

static lb_err parse_data_use(struct parser *p, lb_err err)
{
	p->needs_data_count = true;
	return err;
}

lb_err engine_parse_immediates(struct lb_buf *out, struct parser *p, unsigned op)
{
	const struct engine_op_info *info = &engine_op_table[op];

	if (info->imm == ENGINE_IMM_TYPES || op == ENGINE_OP_SELECT)
		return parse_select(out, p);
	if (op == ENGINE_OP_REF_TEST || op == ENGINE_OP_REF_CAST)
		return parse_cast(out, p, op);
	engine_encode_op(out, op);
	switch ((enum engine_imm)info->imm) {
	case ENGINE_IMM_NONE: return LB_OK;
	case ENGINE_IMM_LABEL: return parse_one(out, p, SPACE_LABEL);
	case ENGINE_IMM_LABELS: return parse_labels(out, p);
	case ENGINE_IMM_FUNC: return parse_one(out, p, SPACE_FUNC);
	case ENGINE_IMM_TYPE_TABLE: return parse_call_indirect(out, p);
	case ENGINE_IMM_LOCAL: return parse_one(out, p, SPACE_LOCAL);
	case ENGINE_IMM_GLOBAL: return parse_one(out, p, SPACE_GLOBAL);
	case ENGINE_IMM_TABLE: return parse_place(out, p, SPACE_TABLE);
	case ENGINE_IMM_MEMARG: return parse_memarg(out, p, info->align_max);
	case ENGINE_IMM_MEMORY: return parse_place(out, p, SPACE_MEMORY);
	case ENGINE_IMM_I32: return parse_int(out, p, 32);
	case ENGINE_IMM_I64: return parse_int(out, p, 64);
	case ENGINE_IMM_F32: return parse_float(out, p, 32);
	case ENGINE_IMM_F64: return parse_float(out, p, 64);
	case ENGINE_IMM_HEAP_TYPE: return engine_parse_heap_type(out, p);
	case ENGINE_IMM_DATA: return parse_data_use(p, parse_one(out, p, SPACE_DATA));
	case ENGINE_IMM_DATA_MEMORY:
		return parse_data_use(p, parse_init(out, p, SPACE_DATA, SPACE_MEMORY));
	case ENGINE_IMM_MEMORY_MEMORY: return parse_both(out, p, SPACE_MEMORY);
	case ENGINE_IMM_ELEM: return parse_one(out, p, SPACE_ELEM);
	case ENGINE_IMM_ELEM_TABLE: return parse_init(out, p, SPACE_ELEM, SPACE_TABLE);
	case ENGINE_IMM_TABLE_TABLE: return parse_both(out, p, SPACE_TABLE);
	case ENGINE_IMM_TAG: return parse_one(out, p, SPACE_TAG);
	case ENGINE_IMM_V128: return parse_v128(out, p);
	case ENGINE_IMM_LANE: return parse_lane_index(out, p);
	case ENGINE_IMM_LANES: return parse_shuffle(out, p);
	case ENGINE_IMM_MEMARG_LANE: return parse_memarg_lane(out, p, info->align_max);
	case ENGINE_IMM_TYPE: return parse_one(out, p, SPACE_TYPE);
	case ENGINE_IMM_TYPE_FIELD: return parse_field_of(out, p);
	case ENGINE_IMM_TYPE_COUNT:
		LB_TRY(parse_one(out, p, SPACE_TYPE));
		return parse_count(out, p);
	case ENGINE_IMM_TYPE_DATA:
		return parse_data_use(p, parse_two(out, p, SPACE_TYPE, SPACE_DATA));
	case ENGINE_IMM_TYPE_ELEM: return parse_two(out, p, SPACE_TYPE, SPACE_ELEM);
	case ENGINE_IMM_TYPE_TYPE: return parse_two(out, p, SPACE_TYPE, SPACE_TYPE);
	case ENGINE_IMM_CAST: return parse_branch_cast(out, p);
	case ENGINE_IMM_FENCE: lb_buf_add_byte(out, 0); return LB_OK;
	case ENGINE_IMM_BLOCK:
	case ENGINE_IMM_CATCHES:
	case ENGINE_IMM_TYPES: break; /* seen to elsewhere */
	}
	return engine_parse_unexpected(p);
}
