/* generate.c - see generate.h.
 *
 * Code is made as a tree: an expression of a type leaves one value, a statement none.  Labels
 * that can be branched to are those of statements, which take no values.
 */
#include "tests/engine/differential/generate.h"

#include "engine/op.h"
#include "tests/engine/wasm.h"

enum {
	TYPES = 5,      /* of values: see types[] */
	V128 = 4,       /* the last of them */
	FUNCS_MAX = 5,  /* beside go */
	PARAMS_MAX = 3, /* of a function */
	LOCALS = 3,     /* of each type; behind them one that only canonicalizing uses */
	LABELS_MAX = 40,
	DEPTH_MAX = 7, /* expressions in expressions, statements in statements */
	FUEL = 600,    /* loops and calls of one go */
	TABLE_SIZE = 8,
	MEMORY_MASK = 0x7ff,
	DATA_BYTES = 1 << 11,
	CODE_MAX = 1 << 20
};

enum { GLOBAL_FUEL, GLOBAL_VALUES }; /* then one of each type */

static const unsigned char types[TYPES] = { ENGINE_I32, ENGINE_I64, ENGINE_F32, ENGINE_F64,
	                                    ENGINE_V128 };

/* The letters of wasm_type. */
static const char letters[TYPES + 1] = "iIfFv";

struct func {
	unsigned char params[PARAMS_MAX], param_count;
	unsigned char result; /* an index into types; TYPES: none */
	uint32_t type;
};

struct gen {
	struct wasm wasm;
	struct lb_buf code;
	struct func funcs[FUNCS_MAX];
	uint32_t func_count;
	const struct func *func; /* that is being made */
	uint64_t state;
	uint32_t nodes;
	bool labels[LABELS_MAX]; /* from the outside in: may it be branched to? */
	uint32_t label_count;
};

static void expression(struct gen *g, unsigned type, unsigned depth);
static void statements(struct gen *g, unsigned depth);

/* ---- chance ---- */

/* splitmix64 */
static uint64_t chance(struct gen *g)
{
	uint64_t x = g->state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint32_t below(struct gen *g, uint32_t count) { return (uint32_t)(chance(g) % count); }
static bool one_in(struct gen *g, uint32_t count) { return below(g, count) == 0; }

/* ---- bytes ---- */

static void op(struct gen *g, uint32_t what)
{
	uint32_t number;
	uint8_t prefix = engine_op_prefix(&number, what);

	if (prefix == 0) {
		lb_buf_add_byte(&g->code, (unsigned char)number);
		return;
	}
	lb_buf_add_byte(&g->code, prefix);
	wasm_leb(&g->code, number);
}

static void op_index(struct gen *g, uint32_t what, uint64_t index)
{
	op(g, what);
	wasm_leb(&g->code, index);
}

static void signed_leb(struct lb_buf *buf, int64_t value)
{
	while (value < -64 || value > 63) {
		lb_buf_add_byte(buf, (unsigned char)((value & 0x7f) | 0x80));
		value >>= 7;
	}
	lb_buf_add_byte(buf, (unsigned char)(value & 0x7f));
}

static void i32_const(struct gen *g, uint32_t value)
{
	op(g, ENGINE_OP_I32_CONST);
	signed_leb(&g->code, (int32_t)value);
}

static void raw(struct gen *g, uint64_t bits, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		lb_buf_add_byte(&g->code, (unsigned char)(bits >> 8 * i));
}

/* ---- leaves ---- */

/* Numbers around which instructions change their minds. */
static uint64_t interesting(struct gen *g, unsigned bits)
{
	static const uint64_t few[] = { 0,  1,   2,   7,   31,     32,     63,
		                        64, 127, 128, 255, 0x7fff, 0x8000, 0xffff };
	uint64_t sign = (uint64_t)1 << (bits - 1), value = few[below(g, sizeof few / sizeof *few)];

	switch (below(g, 6)) {
	case 0: return chance(g);
	case 1: return sign + value;
	case 2: return sign - 1 - value;
	case 3: return -value;
	case 4: return (uint64_t)1 << below(g, bits);
	default: return value;
	}
}

static uint32_t interesting_float(struct gen *g)
{
	static const uint32_t few[] = {
		0,          0x80000000, 0x3f800000, 0xbf800000, 0x00000001,
		0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x4f000000,
		0xcf000000, 0x5f000000, 0x4f800000, 0x3f000000, 0x40200000
	};

	return one_in(g, 4) ? (uint32_t)chance(g) & 0xbfffffff
	                    : few[below(g, sizeof few / sizeof *few)];
}

static uint64_t interesting_double(struct gen *g)
{
	static const uint64_t few[] = { 0,
		                        0x8000000000000000,
		                        0x3ff0000000000000,
		                        0xbff0000000000000,
		                        1,
		                        0x7fefffffffffffff,
		                        0x7ff0000000000000,
		                        0xfff0000000000000,
		                        0x7ff8000000000000,
		                        0x41e0000000000000,
		                        0xc1e0000000200000,
		                        0x43e0000000000000,
		                        0xc3e0000000000000,
		                        0x41f0000000000000,
		                        0x3fe0000000000000,
		                        0x4004000000000000 };

	return one_in(g, 4) ? chance(g) & 0xbfffffffffffffff
	                    : few[below(g, sizeof few / sizeof *few)];
}

/* A vector of interesting lanes, all of one kind. */
static void vector(struct gen *g)
{
	uint32_t kind = below(g, 5);

	op(g, ENGINE_OP_V128_CONST);
	for (unsigned bytes = 0; bytes < 16;) {
		unsigned size = kind < 4 ? 1u << kind : 4;

		raw(g, kind < 4 ? interesting(g, 8 * size) : interesting_float(g), size);
		bytes += size;
	}
}

static void constant(struct gen *g, unsigned type)
{
	if (type == V128) {
		vector(g);
		return;
	}
	switch (types[type]) {
	case ENGINE_I32: i32_const(g, (uint32_t)interesting(g, 32)); break;
	case ENGINE_I64:
		op(g, ENGINE_OP_I64_CONST);
		signed_leb(&g->code, (int64_t)interesting(g, 64));
		break;
	case ENGINE_F32:
		op(g, ENGINE_OP_F32_CONST);
		raw(g, interesting_float(g), 4);
		break;
	default:
		op(g, ENGINE_OP_F64_CONST);
		raw(g, interesting_double(g), 8);
		break;
	}
}

/* A parameter or local of that type; the parameters count twice. */
static uint32_t local(struct gen *g, unsigned type)
{
	uint32_t at = below(g, PARAMS_MAX + LOCALS);

	if (at < g->func->param_count && g->func->params[at] == type)
		return at;
	return g->func->param_count + type * (LOCALS + 1) + at % LOCALS;
}

static uint32_t scratch(const struct gen *g, unsigned type)
{
	return g->func->param_count + type * (LOCALS + 1) + LOCALS;
}

static void leaf(struct gen *g, unsigned type)
{
	switch (below(g, 5)) {
	case 0: constant(g, type); break;
	case 1: op_index(g, ENGINE_OP_GLOBAL_GET, GLOBAL_VALUES + type); break;
	default: op_index(g, ENGINE_OP_LOCAL_GET, local(g, type));
	}
}

/* ---- instructions of the table ---- */

static bool keeps_bits(const struct engine_op_info *info)
{
	static const char *const exact[] = { "abs",   "neg", "copysign", "reinterpret", "lane",
		                             "splat", ".eq", ".ne",      ".lt",         ".gt",
		                             ".le",   ".ge", "pmin",     "pmax" };

	for (unsigned i = 0; i < sizeof exact / sizeof *exact; i++)
		if (strstr(info->text, exact[i]) != NULL)
			return true;
	return false;
}

/* A canonical NaN, or as many as a vector has. */
static void nan_const(struct gen *g, unsigned type, bool is_double)
{
	unsigned bytes = is_double ? 8 : 4;

	op(g, type == V128 ? ENGINE_OP_V128_CONST
	      : is_double  ? ENGINE_OP_F64_CONST
	                   : ENGINE_OP_F32_CONST);
	for (unsigned at = 0; at < (type == V128 ? 16 : bytes); at += bytes)
		raw(g, is_double ? 0x7ff8000000000000 : 0x7fc00000, bytes);
}

/* NaNs on the stack become canonical ones. */
static void canonicalize(struct gen *g, unsigned type, const struct engine_op_info *info)
{
	bool is_double = strncmp(info->text, "f64", 3) == 0;

	op_index(g, ENGINE_OP_LOCAL_TEE, scratch(g, type));
	nan_const(g, type, is_double);
	op_index(g, ENGINE_OP_LOCAL_GET, scratch(g, type));
	op_index(g, ENGINE_OP_LOCAL_GET, scratch(g, type));
	if (type == V128) {
		op(g, is_double ? ENGINE_OP_F64X2_EQ : ENGINE_OP_F32X4_EQ);
		op(g, ENGINE_OP_V128_BITSELECT);
	} else {
		op(g, is_double ? ENGINE_OP_F64_EQ : ENGINE_OP_F32_EQ);
		op(g, ENGINE_OP_SELECT);
	}
}

/* Can it make a NaN whose bits the machine chooses? */
static bool makes_nans(const struct engine_op_info *info)
{
	return (strncmp(info->text, "f32", 3) == 0 || strncmp(info->text, "f64", 3) == 0) &&
	       info->result != ENGINE_I32 && !keeps_bits(info);
}

static unsigned index_of(engine_type type)
{
	for (unsigned i = 0; i < TYPES; i++)
		if (types[i] == type)
			return i;
	return TYPES;
}

/* Mostly inside the memory; sometimes whatever comes. */
static void address(struct gen *g, unsigned depth)
{
	expression(g, 0, depth);
	if (!one_in(g, 100)) {
		i32_const(g, MEMORY_MASK);
		op(g, ENGINE_OP_I32_AND);
	}
}

static void memarg(struct gen *g, const struct engine_op_info *info)
{
	wasm_leb(&g->code, below(g, info->align_max + 1u));
	wasm_leb(&g->code, one_in(g, 200) ? interesting(g, 32) & UINT32_MAX : below(g, 64));
}

static bool divides(const struct engine_op_info *info)
{
	return strstr(info->text, "div_") != NULL || strstr(info->text, "rem_") != NULL;
}

/* Most runs shall not end at the first division or conversion. */
static bool traps_too_easily(struct gen *g, const struct engine_op_info *info)
{
	return strstr(info->text, "trunc_f") != NULL && strstr(info->text, "sat") == NULL &&
	       !one_in(g, 30);
}

/* The number on the stack is not zero now. */
static void make_odd(struct gen *g, unsigned type)
{
	if (types[type] == ENGINE_I32) {
		i32_const(g, 1);
		op(g, ENGINE_OP_I32_OR);
	} else {
		op(g, ENGINE_OP_I64_CONST);
		signed_leb(&g->code, 1);
		op(g, ENGINE_OP_I64_OR);
	}
}

static bool is_known(const struct engine_op_info *info)
{
	return info->form > ENGINE_FORM_OP && info->form < ENGINE_FORM_ATOMIC_LOAD &&
	       info->feature != ENGINE_FEATURE_RELAXED_SIMD;
}

static bool is_store(const struct engine_op_info *info)
{
	return info->form == ENGINE_FORM_STORE || info->form == ENGINE_FORM_VECTOR_STORE ||
	       info->form == ENGINE_FORM_VECTOR_STORE_LANE;
}

static bool is_load(const struct engine_op_info *info)
{
	return info->form == ENGINE_FORM_LOAD || info->form == ENGINE_FORM_VECTOR_LOAD ||
	       info->form == ENGINE_FORM_VECTOR_LOAD_LANE;
}

static bool has_lane(const struct engine_op_info *info)
{
	return info->imm == ENGINE_IMM_LANE || info->imm == ENGINE_IMM_MEMARG_LANE;
}

/* An instruction with what stands behind its opcode. */
static void with_immediates(struct gen *g, uint32_t what, const struct engine_op_info *info)
{
	op(g, what);
	if (info->imm == ENGINE_IMM_MEMARG || info->imm == ENGINE_IMM_MEMARG_LANE)
		memarg(g, info);
	if (has_lane(info))
		lb_buf_add_byte(&g->code, (unsigned char)below(g, 16u >> info->align_max));
}

static void operands(struct gen *g, const struct engine_op_info *info, unsigned depth)
{
	unsigned type = index_of(info->operand), count = 2;

	switch (info->form) {
	case ENGINE_FORM_VECTOR_LOAD_LANE:
		address(g, depth);
		expression(g, V128, depth);
		return;
	case ENGINE_FORM_VECTOR_SHIFT:
		expression(g, V128, depth);
		expression(g, 0, depth);
		return;
	case ENGINE_FORM_VECTOR_REPLACE:
		expression(g, V128, depth);
		expression(g, type, depth);
		return;
	case ENGINE_FORM_UNARY:
	case ENGINE_FORM_VECTOR1:
	case ENGINE_FORM_VECTOR_EXTRACT: count = 1; break;
	case ENGINE_FORM_VECTOR3: count = 3; break;
	default: break;
	}
	while (count-- > 0)
		expression(g, type, depth);
}

/* Sixteen lanes of two vectors. */
static void shuffle(struct gen *g, unsigned depth)
{
	expression(g, V128, depth);
	expression(g, V128, depth);
	op(g, ENGINE_OP_I8X16_SHUFFLE);
	for (unsigned i = 0; i < 16; i++)
		lb_buf_add_byte(&g->code, (unsigned char)below(g, 32));
}

/* An instruction whose result is of that type, its operands before it. */
static void instruction(struct gen *g, unsigned type, unsigned depth)
{
	const struct engine_op_info *info;
	uint32_t what;

	if (type == V128 && one_in(g, 40)) {
		shuffle(g, depth);
		return;
	}
	do {
		what = below(g, ENGINE_OP_COUNT);
		info = &engine_op_table[what];
	} while (!is_known(info) || is_store(info) || info->result != types[type] ||
	         traps_too_easily(g, info));
	if (is_load(info) && info->form != ENGINE_FORM_VECTOR_LOAD_LANE)
		address(g, depth);
	else
		operands(g, info, depth);
	if (divides(info) && !one_in(g, 30))
		make_odd(g, type);
	with_immediates(g, what, info);
	if (makes_nans(info))
		canonicalize(g, type, info);
}

/* ---- control ---- */

static void enter(struct gen *g, enum engine_op what, unsigned type, bool can_branch)
{
	op(g, what);
	lb_buf_add_byte(&g->code, type < TYPES ? types[type] : 0x40);
	g->labels[g->label_count++] = can_branch;
}

static void leave(struct gen *g)
{
	op(g, ENGINE_OP_END);
	g->label_count--;
}

/* The distance to a label that takes no values; false where there is none. */
static bool find_label(struct gen *g, uint32_t *distance)
{
	uint32_t from = g->label_count > 0 ? below(g, g->label_count) : 0;

	for (uint32_t i = from; i < g->label_count; i++) {
		if (g->labels[i]) {
			*distance = g->label_count - 1 - i;
			return true;
		}
	}
	return false;
}

static void arguments(struct gen *g, const struct func *func, unsigned depth)
{
	for (unsigned i = 0; i < func->param_count; i++)
		expression(g, func->params[i], depth);
}

/* Direct or through the table; the element is mostly one that is there. */
static void call(struct gen *g, uint32_t which, unsigned depth)
{
	arguments(g, &g->funcs[which], depth);
	if (one_in(g, 2)) {
		op_index(g, ENGINE_OP_CALL, which);
		return;
	}
	if (one_in(g, 20))
		expression(g, 0, depth);
	else
		i32_const(g, which);
	if (!one_in(g, 50)) {
		i32_const(g, TABLE_SIZE - 1);
		op(g, ENGINE_OP_I32_AND);
	}
	op_index(g, ENGINE_OP_CALL_INDIRECT, g->funcs[which].type);
	wasm_leb(&g->code, 0);
}

static bool call_with_result(struct gen *g, unsigned type, unsigned depth)
{
	uint32_t from = below(g, g->func_count);

	for (uint32_t i = 0; i < g->func_count; i++) {
		uint32_t which = (from + i) % g->func_count;

		if (g->funcs[which].result == type) {
			call(g, which, depth);
			return true;
		}
	}
	return false;
}

static void block_with_result(struct gen *g, unsigned type, unsigned depth)
{
	enter(g, ENGINE_OP_BLOCK, type, false);
	statements(g, depth);
	expression(g, type, depth);
	expression(g, 0, depth);
	op_index(g, ENGINE_OP_BR_IF, 0);
	op(g, ENGINE_OP_DROP);
	expression(g, type, depth);
	leave(g);
}

static void if_with_result(struct gen *g, unsigned type, unsigned depth)
{
	expression(g, 0, depth);
	enter(g, ENGINE_OP_IF, type, false);
	expression(g, type, depth);
	op(g, ENGINE_OP_ELSE);
	expression(g, type, depth);
	leave(g);
}

static void choice(struct gen *g, unsigned type, unsigned depth)
{
	expression(g, type, depth);
	expression(g, type, depth);
	expression(g, 0, depth);
	op(g, ENGINE_OP_SELECT);
}

static void size_of_memory(struct gen *g, unsigned depth)
{
	if (one_in(g, 3)) {
		expression(g, 0, depth);
		i32_const(g, 1);
		op(g, ENGINE_OP_I32_AND);
		op_index(g, ENGINE_OP_MEMORY_GROW, 0);
	} else {
		op_index(g, ENGINE_OP_MEMORY_SIZE, 0);
	}
}

static void expression(struct gen *g, unsigned type, unsigned depth)
{
	if (depth == 0 || g->nodes == 0 || g->label_count >= LABELS_MAX - 2) {
		leaf(g, type);
		return;
	}
	g->nodes--;
	switch (below(g, 18)) {
	case 0: block_with_result(g, type, depth - 1); break;
	case 1: if_with_result(g, type, depth - 1); break;
	case 2: choice(g, type, depth - 1); break;
	case 3:
		if (!call_with_result(g, type, depth - 1))
			leaf(g, type);
		break;
	case 4:
		expression(g, type, depth - 1);
		op_index(g, ENGINE_OP_LOCAL_TEE, local(g, type));
		break;
	case 5:
		if (type == 0)
			size_of_memory(g, depth - 1);
		else
			leaf(g, type);
		break;
	case 6:
	case 7:
	case 8: leaf(g, type); break;
	default: instruction(g, type, depth - 1);
	}
}

/* ---- statements ---- */

/* Takes one from the fuel. */
static void burn(struct gen *g)
{
	op_index(g, ENGINE_OP_GLOBAL_GET, GLOBAL_FUEL);
	i32_const(g, 1);
	op(g, ENGINE_OP_I32_SUB);
	op_index(g, ENGINE_OP_GLOBAL_SET, GLOBAL_FUEL);
}

static void loop(struct gen *g, unsigned depth)
{
	enter(g, ENGINE_OP_BLOCK, TYPES, true);
	enter(g, ENGINE_OP_LOOP, TYPES, true);
	op_index(g, ENGINE_OP_GLOBAL_GET, GLOBAL_FUEL);
	op(g, ENGINE_OP_I32_EQZ);
	op_index(g, ENGINE_OP_BR_IF, 1);
	burn(g);
	statements(g, depth);
	expression(g, 0, depth);
	op_index(g, ENGINE_OP_BR_IF, 0);
	leave(g);
	leave(g);
}

static void cases(struct gen *g, unsigned depth)
{
	uint32_t count = 1 + below(g, 4);

	for (uint32_t i = 0; i <= count; i++)
		enter(g, ENGINE_OP_BLOCK, TYPES, true);
	expression(g, 0, depth);
	if (!one_in(g, 3)) {
		i32_const(g, 3);
		op(g, ENGINE_OP_I32_AND);
	}
	op_index(g, ENGINE_OP_BR_TABLE, count);
	for (uint32_t i = 0; i <= count; i++)
		wasm_leb(&g->code, below(g, count + 1));
	for (uint32_t i = 0; i <= count; i++) {
		leave(g);
		statements(g, depth);
	}
}

static void store(struct gen *g, unsigned depth)
{
	const struct engine_op_info *info;
	uint32_t what;

	do {
		what = below(g, ENGINE_OP_COUNT);
		info = &engine_op_table[what];
	} while (!is_known(info) || !is_store(info));
	address(g, depth);
	expression(g, index_of(info->operand), depth);
	with_immediates(g, what, info);
}

static void short_length(struct gen *g, unsigned depth)
{
	expression(g, 0, depth);
	i32_const(g, 0xff);
	op(g, ENGINE_OP_I32_AND);
}

static void bulk(struct gen *g, unsigned depth)
{
	address(g, depth);
	if (one_in(g, 2)) {
		expression(g, 0, depth);
		short_length(g, depth);
		op_index(g, ENGINE_OP_MEMORY_FILL, 0);
	} else {
		address(g, depth);
		short_length(g, depth);
		op_index(g, ENGINE_OP_MEMORY_COPY, 0);
		wasm_leb(&g->code, 0);
	}
}

static void condition(struct gen *g, unsigned depth)
{
	expression(g, 0, depth);
	enter(g, ENGINE_OP_IF, TYPES, true);
	statements(g, depth);
	if (one_in(g, 2)) {
		op(g, ENGINE_OP_ELSE);
		statements(g, depth);
	}
	leave(g);
}

static void branch(struct gen *g, unsigned depth)
{
	uint32_t distance;

	if (!find_label(g, &distance))
		return;
	expression(g, 0, depth);
	op_index(g, ENGINE_OP_BR_IF, distance);
}

static void call_without_result(struct gen *g, unsigned depth)
{
	uint32_t which = below(g, g->func_count);

	call(g, which, depth);
	if (g->funcs[which].result < TYPES)
		op(g, ENGINE_OP_DROP);
}

static void statement(struct gen *g, unsigned depth)
{
	unsigned type = below(g, TYPES);

	switch (below(g, 16)) {
	case 0:
	case 1: condition(g, depth); break;
	case 2: loop(g, depth); break;
	case 3: cases(g, depth); break;
	case 4:
	case 5: branch(g, depth); break;
	case 6: call_without_result(g, depth); break;
	case 7: bulk(g, depth); break;
	case 8:
		expression(g, type, depth);
		op_index(g, ENGINE_OP_GLOBAL_SET, GLOBAL_VALUES + type);
		break;
	case 9:
		expression(g, type, depth);
		op(g, ENGINE_OP_DROP);
		break;
	case 10:
	case 11:
	case 12: store(g, depth); break;
	default: expression(g, type, depth); op_index(g, ENGINE_OP_LOCAL_SET, local(g, type));
	}
}

static void statements(struct gen *g, unsigned depth)
{
	for (uint32_t i = below(g, 4); i > 0; i--) {
		if (depth == 0 || g->nodes == 0 || g->label_count >= LABELS_MAX - 8)
			return;
		g->nodes--;
		statement(g, depth - 1);
	}
}

/* ---- functions ---- */

static void zero(struct gen *g, unsigned type)
{
	if (type == V128) {
		op(g, ENGINE_OP_V128_CONST);
		raw(g, 0, 8);
		raw(g, 0, 8);
		return;
	}
	switch (types[type]) {
	case ENGINE_I32: i32_const(g, 0); break;
	case ENGINE_I64:
		op(g, ENGINE_OP_I64_CONST);
		lb_buf_add_byte(&g->code, 0);
		break;
	case ENGINE_F32:
		op(g, ENGINE_OP_F32_CONST);
		raw(g, 0, 4);
		break;
	default:
		op(g, ENGINE_OP_F64_CONST);
		raw(g, 0, 8);
		break;
	}
}

/* The code of a function as an entry of its section. */
static void add_code(struct gen *g)
{
	struct lb_buf entry;

	lb_buf_init(&entry, &lb_mem_host, CODE_MAX);
	wasm_leb(&entry, TYPES);
	for (unsigned i = 0; i < TYPES; i++) {
		wasm_leb(&entry, LOCALS + 1);
		lb_buf_add_byte(&entry, types[i]);
	}
	lb_buf_add(&entry, lb_buf_bytes(&g->code));
	lb_buf_add_byte(&entry, ENGINE_OP_END);
	wasm_leb(&g->wasm.sections[WASM_CODE], lb_buf_bytes(&entry).len);
	wasm_add(&g->wasm, WASM_CODE, lb_buf_bytes(&entry));
	lb_buf_release(&entry);
	lb_buf_reset(&g->code);
}

static void make_func(struct gen *g, const struct func *func, uint32_t nodes)
{
	g->func = func;
	g->nodes = nodes;
	op_index(g, ENGINE_OP_GLOBAL_GET, GLOBAL_FUEL);
	op(g, ENGINE_OP_I32_EQZ);
	enter(g, ENGINE_OP_IF, TYPES, false);
	if (func->result < TYPES)
		zero(g, func->result);
	op(g, ENGINE_OP_RETURN);
	leave(g);
	burn(g);
	while (g->nodes > nodes / 4) {
		g->nodes--;
		statement(g, DEPTH_MAX);
	}
	if (func->result < TYPES)
		expression(g, func->result, DEPTH_MAX);
	add_code(g);
}

/* The value on the stack as an i64. */
static void as_i64(struct gen *g, unsigned type)
{
	switch (types[type]) {
	case ENGINE_V128:
		op_index(g, ENGINE_OP_LOCAL_TEE, scratch(g, V128));
		op_index(g, ENGINE_OP_I64X2_EXTRACT_LANE, 0);
		op_index(g, ENGINE_OP_LOCAL_GET, scratch(g, V128));
		op_index(g, ENGINE_OP_I64X2_EXTRACT_LANE, 1);
		op(g, ENGINE_OP_I64_XOR);
		break;
	case ENGINE_I32: op(g, ENGINE_OP_I64_EXTEND_I32_U); break;
	case ENGINE_F32:
		op(g, ENGINE_OP_I32_REINTERPRET_F32);
		op(g, ENGINE_OP_I64_EXTEND_I32_U);
		break;
	case ENGINE_F64: op(g, ENGINE_OP_I64_REINTERPRET_F64); break;
	default: break;
	}
}

/* Folds the number on the stack into the local `sum`. */
static void fold(struct gen *g, uint32_t sum)
{
	op_index(g, ENGINE_OP_LOCAL_GET, sum);
	op(g, ENGINE_OP_I64_CONST);
	signed_leb(&g->code, 7);
	op(g, ENGINE_OP_I64_ROTL);
	op(g, ENGINE_OP_I64_ADD);
	op_index(g, ENGINE_OP_LOCAL_SET, sum);
}

static void make_go(struct gen *g)
{
	static const struct func go = { .params = { 0 }, .param_count = 1, .result = 1 };
	uint32_t sum = 1 + (LOCALS + 1) + LOCALS; /* the scratch of i64, which nothing else uses */

	g->func = &go;
	g->nodes = 20;
	i32_const(g, FUEL);
	op_index(g, ENGINE_OP_GLOBAL_SET, GLOBAL_FUEL);
	/* Each argument another course of things. */
	op_index(g, ENGINE_OP_LOCAL_GET, 0);
	i32_const(g, 0x9e3779b1);
	op(g, ENGINE_OP_I32_MUL);
	op_index(g, ENGINE_OP_GLOBAL_SET, GLOBAL_VALUES);
	op_index(g, ENGINE_OP_LOCAL_GET, 0);
	op(g, ENGINE_OP_F64_CONVERT_I32_S);
	op_index(g, ENGINE_OP_GLOBAL_SET, GLOBAL_VALUES + 3);
	for (uint32_t i = 0; i < g->func_count; i++) {
		arguments(g, &g->funcs[i], 1);
		op_index(g, ENGINE_OP_CALL, i);
		if (g->funcs[i].result == TYPES)
			continue;
		as_i64(g, g->funcs[i].result);
		fold(g, sum);
	}
	for (unsigned type = 0; type < TYPES; type++) {
		op_index(g, ENGINE_OP_GLOBAL_GET, GLOBAL_VALUES + type);
		as_i64(g, type);
		fold(g, sum);
	}
	op_index(g, ENGINE_OP_LOCAL_GET, sum);
	add_code(g);
}

/* ---- the module ---- */

static void choose_types(struct gen *g)
{
	g->func_count = 1 + below(g, FUNCS_MAX);
	for (uint32_t i = 0; i < g->func_count; i++) {
		struct func *func = &g->funcs[i];
		char signature[PARAMS_MAX + 3] = { 0 };
		unsigned at = 0;

		func->param_count = (unsigned char)below(g, PARAMS_MAX + 1);
		for (unsigned k = 0; k < func->param_count; k++) {
			func->params[k] = (unsigned char)below(g, TYPES);
			signature[at++] = letters[func->params[k]];
		}
		signature[at++] = ':';
		func->result = (unsigned char)below(g, TYPES + 1);
		if (func->result < TYPES)
			signature[at] = letters[func->result];
		func->type = wasm_type(&g->wasm, signature);
	}
}

static void declare(struct gen *g, unsigned section, const unsigned char *bytes, size_t len)
{
	wasm_add(&g->wasm, section, (struct lb_bytes){ bytes, len });
}

static void add_globals(struct gen *g)
{
	static const unsigned char fuel[] = { ENGINE_I32, 1, 0x41, 0, 0x0b };

	declare(g, WASM_GLOBAL, fuel, sizeof fuel);
	for (unsigned type = 0; type < TYPES; type++) {
		struct lb_buf entry;

		lb_buf_reset(&g->code);
		lb_buf_init(&entry, &lb_mem_host, 64);
		lb_buf_add_byte(&entry, types[type]);
		lb_buf_add_byte(&entry, 1);
		constant(g, type);
		lb_buf_add(&entry, lb_buf_bytes(&g->code));
		lb_buf_add_byte(&entry, ENGINE_OP_END);
		wasm_add(&g->wasm, WASM_GLOBAL, lb_buf_bytes(&entry));
		lb_buf_release(&entry);
	}
	lb_buf_reset(&g->code);
}

/* Each function in the element of its number; what is behind them stays null. */
static void add_elements(struct gen *g)
{
	struct lb_buf entry;

	lb_buf_init(&entry, &lb_mem_host, 64);
	lb_buf_add(&entry, (struct lb_bytes)LB_LIT("\0\x41\0\x0b"));
	wasm_leb(&entry, g->func_count);
	for (uint32_t i = 0; i < g->func_count; i++)
		wasm_leb(&entry, i);
	wasm_add(&g->wasm, WASM_ELEMENT, lb_buf_bytes(&entry));
	lb_buf_release(&entry);
}

/* Bytes to begin with, so that loads find more than zeros. */
static void add_data(struct gen *g)
{
	struct lb_buf entry;

	lb_buf_init(&entry, &lb_mem_host, 2 * DATA_BYTES);
	lb_buf_add(&entry, (struct lb_bytes)LB_LIT("\0\x41\0\x0b"));
	wasm_leb(&entry, DATA_BYTES);
	for (unsigned i = 0; i < DATA_BYTES; i++)
		lb_buf_add_byte(&entry, (unsigned char)chance(g));
	wasm_add(&g->wasm, WASM_DATA, lb_buf_bytes(&entry));
	lb_buf_release(&entry);
}

void generate_module(struct lb_buf *out, uint64_t seed, uint32_t nodes)
{
	static const unsigned char memory[] = { 1, 1, 3 }, table[] = { 0x70, 0, TABLE_SIZE };
	struct gen g = { .state = seed };
	uint32_t go;

	wasm_init(&g.wasm);
	lb_buf_init(&g.code, &lb_mem_host, CODE_MAX);
	choose_types(&g);
	for (uint32_t i = 0; i < g.func_count; i++) {
		wasm_leb(&g.wasm.sections[WASM_FUNCTION], g.funcs[i].type);
		g.wasm.counts[WASM_FUNCTION]++;
	}
	go = wasm_type(&g.wasm, "i:I");
	wasm_leb(&g.wasm.sections[WASM_FUNCTION], go);
	g.wasm.counts[WASM_FUNCTION]++;
	declare(&g, WASM_MEMORY, memory, sizeof memory);
	declare(&g, WASM_TABLE, table, sizeof table);
	add_globals(&g);
	add_elements(&g);
	add_data(&g);
	wasm_export(&g.wasm, "go", ENGINE_FUNC, g.func_count);
	wasm_export(&g.wasm, "memory", ENGINE_MEMORY, 0);
	for (uint32_t i = 0; i < g.func_count; i++)
		make_func(&g, &g.funcs[i], nodes);
	make_go(&g);
	lb_buf_add(out, wasm_bytes(&g.wasm));
	lb_buf_release(&g.code);
	wasm_release(&g.wasm);
}
