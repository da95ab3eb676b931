/* op.h - op.def as a table: what decoder, validator and listing know of an instruction.
 *
 * Layer: engine, shared by its folders; not for embedders.  Threads: constant.
 */
#ifndef ENGINE_OP_H
#define ENGINE_OP_H

#include "engine/type.h"

enum { ENGINE_OP_PREFIX_FC = 0xfc, ENGINE_OP_COUNT = 0x120 };

/* The place of an instruction in the table: its byte, or 0x100 + n behind 0xfc. */
#define ENGINE_OP_INDEX(code) ((code) < 0x100 ? (code) : 0x100 + ((code)&0xff))

enum engine_op {
#define OP(name, code, text, imm, feature) ENGINE_OP_##name = ENGINE_OP_INDEX(code),
#define UNARY(name, code, text, result, operand, feature) OP(name, code, , , )
#define BINARY(name, code, text, type) OP(name, code, , , )
#define COMPARE(name, code, text, type) OP(name, code, , , )
#define LOAD(name, code, text, type, memory_type) OP(name, code, , , )
#define STORE(name, code, text, type, memory_type) OP(name, code, , , )
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
	ENGINE_FORM_STORE
};

enum engine_imm {
	ENGINE_IMM_NONE,
	ENGINE_IMM_BLOCK,
	ENGINE_IMM_LABEL,
	ENGINE_IMM_LABELS,
	ENGINE_IMM_FUNC,
	ENGINE_IMM_TYPE_TABLE,
	ENGINE_IMM_TYPES,
	ENGINE_IMM_LOCAL,
	ENGINE_IMM_GLOBAL,
	ENGINE_IMM_TABLE,
	ENGINE_IMM_MEMARG,
	ENGINE_IMM_MEMORY,
	ENGINE_IMM_I32,
	ENGINE_IMM_I64,
	ENGINE_IMM_F32,
	ENGINE_IMM_F64,
	ENGINE_IMM_REF_TYPE,
	ENGINE_IMM_DATA,
	ENGINE_IMM_DATA_MEMORY,
	ENGINE_IMM_MEMORY_MEMORY,
	ENGINE_IMM_ELEM,
	ENGINE_IMM_ELEM_TABLE,
	ENGINE_IMM_TABLE_TABLE
};

enum engine_feature {
	ENGINE_FEATURE_MVP,
	ENGINE_FEATURE_SIGN_EXTENSION,
	ENGINE_FEATURE_SATURATING_CONVERT,
	ENGINE_FEATURE_MULTI_VALUE,
	ENGINE_FEATURE_BULK_MEMORY,
	ENGINE_FEATURE_REFERENCES,
	ENGINE_FEATURE_MUTABLE_GLOBALS,
	ENGINE_FEATURE_EXTENDED_CONST,
	ENGINE_FEATURE_COUNT
};

struct engine_op_info {
	const char *text; /* "i32.add"; NULL: no such instruction */
	uint8_t form, imm, feature;
	uint8_t align_max; /* loads and stores: log2 of the bytes touched */
	uint16_t code;     /* first of its register forms (interpret/code.h), 0 for form OP */
	engine_type operand, result; /* of the simple forms */
};

extern const struct engine_op_info engine_op_table[ENGINE_OP_COUNT];

/* Immediates and instructions that are written and read in text, but have no place in op.def yet.
 */
enum {
	ENGINE_IMM_HEAP_TYPE = ENGINE_IMM_REF_TYPE,
	ENGINE_IMM_CATCHES = ENGINE_IMM_TABLE_TABLE + 1,
	ENGINE_IMM_CAST,
	ENGINE_IMM_TYPE,
	ENGINE_IMM_TYPE_FIELD,
	ENGINE_IMM_TYPE_COUNT,
	ENGINE_IMM_TYPE_DATA,
	ENGINE_IMM_TYPE_ELEM,
	ENGINE_IMM_TYPE_TYPE,
	ENGINE_IMM_TAG,
	ENGINE_IMM_MEMARG_LANE,
	ENGINE_IMM_V128,
	ENGINE_IMM_LANES,
	ENGINE_IMM_LANE,
	ENGINE_IMM_FENCE,

	ENGINE_OP_TRY = ENGINE_OP_COUNT,
	ENGINE_OP_CATCH,
	ENGINE_OP_CATCH_ALL,
	ENGINE_OP_DELEGATE,
	ENGINE_OP_REF_TEST,
	ENGINE_OP_REF_TEST_NULL,
	ENGINE_OP_REF_CAST,
	ENGINE_OP_REF_CAST_NULL
};

static inline bool engine_op_is_prefix(uint8_t byte) { return byte == ENGINE_OP_PREFIX_FC; }

/* The place of what stands behind a prefix; ENGINE_OP_COUNT where there cannot be any. */
static inline uint32_t engine_op_behind(uint8_t prefix, uint32_t number)
{
	(void)prefix;
	return number < ENGINE_OP_COUNT - 0x100 ? 0x100 + number : ENGINE_OP_COUNT;
}

/* The inverse: the prefix (0: none) and the byte or number of a place. */
static inline uint8_t engine_op_prefix(uint32_t *number, uint32_t op)
{
	*number = op & 0xff;
	return op < 0x100 ? 0 : ENGINE_OP_PREFIX_FC;
}

#endif
