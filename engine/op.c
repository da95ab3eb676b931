/* op.c - op.def as a table.  Two lines claiming one code do not compile. */
#include "engine/op.h"

#include "engine/interpret/code.h"

#define LOG2(size) ((size) == 1 ? 0u : (size) == 2 ? 1u : (size) == 4 ? 2u : 3u)

#define SIMPLE(name, code_, text_, form_, feature_, operand_, result_, imm_, align_) \
	[ENGINE_OP_INDEX(code_)] = { .text = (text_), \
		                     .form = ENGINE_FORM_##form_, \
		                     .imm = ENGINE_IMM_##imm_, \
		                     .feature = ENGINE_FEATURE_##feature_, \
		                     .align_max = (align_), \
		                     .code = ENGINE_CODE_##name, \
		                     .operand = ENGINE_##operand_, \
		                     .result = ENGINE_##result_ },

const struct engine_op_info engine_op_table[ENGINE_OP_COUNT] = {
#define OP(name, code_, text_, imm_, feature_) \
	[ENGINE_OP_INDEX(code_)] = { .text = (text_), \
		                     .form = ENGINE_FORM_OP, \
		                     .imm = ENGINE_IMM_##imm_, \
		                     .feature = ENGINE_FEATURE_##feature_ },
#define UNARY(name, code, text, result, operand, feature) \
	SIMPLE(name, code, text, UNARY, feature, operand, result, NONE, 0)
#define BINARY(name, code, text, type) SIMPLE(name, code, text, BINARY, MVP, type, type, NONE, 0)
#define BINARY_IMM(name, code, text, type) \
	SIMPLE(name, code, text, BINARY_IMM, MVP, type, type, NONE, 0)
#define COMPARE(name, code, text, type) SIMPLE(name, code, text, COMPARE, MVP, type, I32, NONE, 0)
#define COMPARE_IMM(name, code, text, type) \
	SIMPLE(name, code, text, COMPARE_IMM, MVP, type, I32, NONE, 0)
#define LOAD(name, code, text, type, memory_type) \
	SIMPLE(name, code, text, LOAD, MVP, I32, type, MEMARG, LOG2(sizeof(memory_type)))
#define STORE(name, code, text, type, memory_type) \
	SIMPLE(name, code, text, STORE, MVP, type, I32, MEMARG, LOG2(sizeof(memory_type)))
#include "engine/op.def"
};
