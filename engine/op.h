/* op.h - op.def as a table: what decoder, validator and listing know of an instruction.
 *
 * Layer: engine, shared by its folders; not for embedders.  Threads: constant.
 */
#ifndef ENGINE_OP_H
#define ENGINE_OP_H

#include "engine/module.h"

enum {
	ENGINE_OP_PREFIX_FB = 0xfb, /* garbage collection */
	ENGINE_OP_PREFIX_FC = 0xfc, /* the numerous others */
	ENGINE_OP_PREFIX_FD = 0xfd, /* vectors */
	ENGINE_OP_PREFIX_FE = 0xfe, /* atomics */

	/* Where the instructions behind each prefix stand in the table. */
	ENGINE_OP_FB = 0x100,
	ENGINE_OP_FC = 0x120,
	ENGINE_OP_FE = 0x140,
	ENGINE_OP_FD = 0x190,
	ENGINE_OP_COUNT = 0x2b0
};

/* The place in the table of a code as op.def writes it. */
#define ENGINE_OP_INDEX(code) \
	((code) < 0x100           ? (code) \
	 : ((code) >> 12) == 0xfd ? ENGINE_OP_FD + ((code)&0xfff) \
	 : ((code) >> 8) == 0xfb  ? ENGINE_OP_FB + ((code)&0xff) \
	 : ((code) >> 8) == 0xfc  ? ENGINE_OP_FC + ((code)&0xff) \
	                          : ENGINE_OP_FE + ((code)&0xff))

/* The place of what stands behind a prefix; ENGINE_OP_COUNT where there cannot be any. */
uint32_t engine_op_behind(uint8_t prefix, uint32_t number);

/* The inverse: the prefix (0: none) and the byte or number of a place. */
uint8_t engine_op_prefix(uint32_t *number, uint32_t op);

static inline bool engine_op_is_prefix(uint8_t byte)
{
	return byte >= ENGINE_OP_PREFIX_FB && byte <= ENGINE_OP_PREFIX_FE;
}

enum engine_op {
#define OP(name, code, text, imm, feature) ENGINE_OP_##name = ENGINE_OP_INDEX(code),
#define UNARY(name, code, text, result, operand, feature) OP(name, code, , , )
#define BINARY(name, code, text, type) OP(name, code, , , )
#define COMPARE(name, code, text, type) OP(name, code, , , )
#define LOAD(name, code, text, type, memory_type) OP(name, code, , , )
#define STORE(name, code, text, type, memory_type) OP(name, code, , , )
#define VECTOR1(name, code, text, feature) OP(name, code, , , )
#define VECTOR2(name, code, text, feature) OP(name, code, , , )
#define VECTOR3(name, code, text, feature) OP(name, code, , , )
#define VECTOR_TEST(name, code, text) OP(name, code, , , )
#define VECTOR_SHIFT(name, code, text) OP(name, code, , , )
#define VECTOR_SPLAT(name, code, text, type, memory_type) OP(name, code, , , )
#define VECTOR_EXTRACT(name, code, text, type, memory_type) OP(name, code, , , )
#define VECTOR_REPLACE(name, code, text, type, memory_type) OP(name, code, , , )
#define VECTOR_LOAD(name, code, text, bytes) OP(name, code, , , )
#define VECTOR_STORE(name, code, text, bytes) OP(name, code, , , )
#define VECTOR_LOAD_LANE(name, code, text, bytes) OP(name, code, , , )
#define VECTOR_STORE_LANE(name, code, text, bytes) OP(name, code, , , )
#define ATOMIC_WAIT(name, code, text, bytes) OP(name, code, , , )
#define ATOMIC_LOAD(name, code, text, type, memory_type) OP(name, code, , , )
#define ATOMIC_STORE(name, code, text, type, memory_type) OP(name, code, , , )
#define ATOMIC_RMW(name, code, text, type, memory_type) OP(name, code, , , )
#define ATOMIC_CMPXCHG(name, code, text, type, memory_type) OP(name, code, , , )
#include "engine/op.def"
};

/* How an instruction is checked and translated. */
enum engine_form {
	ENGINE_FORM_NONE, /* there is no such instruction */
	ENGINE_FORM_OP,   /* on its own */
	ENGINE_FORM_UNARY,
	ENGINE_FORM_BINARY,
	ENGINE_FORM_BINARY_IMM,
	ENGINE_FORM_COMPARE,
	ENGINE_FORM_COMPARE_IMM,
	ENGINE_FORM_LOAD,
	ENGINE_FORM_STORE,
	ENGINE_FORM_VECTOR1, /* operands of type `operand`: one, two, three */
	ENGINE_FORM_VECTOR2,
	ENGINE_FORM_VECTOR3,
	ENGINE_FORM_VECTOR_SHIFT,
	ENGINE_FORM_VECTOR_EXTRACT,
	ENGINE_FORM_VECTOR_REPLACE,
	ENGINE_FORM_VECTOR_LOAD,
	ENGINE_FORM_VECTOR_STORE,
	ENGINE_FORM_VECTOR_LOAD_LANE,
	ENGINE_FORM_VECTOR_STORE_LANE,
	ENGINE_FORM_ATOMIC_LOAD,
	ENGINE_FORM_ATOMIC_STORE,
	ENGINE_FORM_ATOMIC_RMW,
	ENGINE_FORM_ATOMIC_CMPXCHG
};

/* What follows the opcode, in this order: numbers are LEB128, of 32 bits unless said otherwise. */
enum engine_imm {
	ENGINE_IMM_NONE,
	ENGINE_IMM_BLOCK, /* a block type */
	ENGINE_IMM_LABEL,
	ENGINE_IMM_LABELS,  /* a count, as many labels, and one more */
	ENGINE_IMM_CATCHES, /* a block type, then a count of catch clauses */
	ENGINE_IMM_CAST,    /* a byte of flags (1, 2: nullable), a label, two heap types */
	ENGINE_IMM_FUNC,    /* index of a function */
	ENGINE_IMM_TYPE,    /* ... of a type, and so on */
	ENGINE_IMM_TYPE_TABLE,
	ENGINE_IMM_TYPE_FIELD,
	ENGINE_IMM_TYPE_COUNT,
	ENGINE_IMM_TYPE_DATA,
	ENGINE_IMM_TYPE_ELEM,
	ENGINE_IMM_TYPE_TYPE,
	ENGINE_IMM_TYPES,     /* a count, as many value types */
	ENGINE_IMM_HEAP_TYPE, /* a signed number of 33 bits */
	ENGINE_IMM_TAG,
	ENGINE_IMM_LOCAL,
	ENGINE_IMM_GLOBAL,
	ENGINE_IMM_TABLE,
	ENGINE_IMM_MEMARG, /* alignment and flags, the memory where flag 0x40 is set, offset (u64)
	                    */
	ENGINE_IMM_MEMARG_LANE, /* ... and a byte */
	ENGINE_IMM_MEMORY,
	ENGINE_IMM_I32, /* signed */
	ENGINE_IMM_I64,
	ENGINE_IMM_F32, /* 4, 8, 16 bytes */
	ENGINE_IMM_F64,
	ENGINE_IMM_V128,
	ENGINE_IMM_LANES, /* 16 bytes */
	ENGINE_IMM_LANE,  /* a byte */
	ENGINE_IMM_FENCE, /* a byte, 0 */
	ENGINE_IMM_DATA,
	ENGINE_IMM_DATA_MEMORY,
	ENGINE_IMM_MEMORY_MEMORY,
	ENGINE_IMM_ELEM,
	ENGINE_IMM_ELEM_TABLE,
	ENGINE_IMM_TABLE_TABLE
};

struct engine_op_info {
	const char *text; /* "i32.add"; NULL: no such instruction */
	uint8_t form, imm, feature;
	bool traps;        /* of BINARY: may trap */
	uint8_t align_max; /* what touches memory: log2 of the bytes; lanes: log2 of a lane's */
	uint16_t code;     /* first of its register forms (interpret/code.h), 0 where it has none */
	engine_type operand, result; /* of the simple forms */
};

extern const struct engine_op_info engine_op_table[ENGINE_OP_COUNT];

#endif
