/* op.c - op.def as a table.  Two lines claiming one code do not compile. */
#include "engine/op.h"

#include "engine/interpret/code.h"

#define LOG2(size) ((size) == 1 ? 0u : (size) == 2 ? 1u : (size) == 4 ? 2u : (size) == 8 ? 3u : 4u)

#define ENTRY(name, code_, text_, form_, feature_, operand_, result_, imm_, align_) \
	[ENGINE_OP_INDEX(code_)] = { .text = (text_), \
		                     .form = ENGINE_FORM_##form_, \
		                     .imm = ENGINE_IMM_##imm_, \
		                     .feature = ENGINE_FEATURE_##feature_, \
		                     .align_max = (align_), \
		                     .operand = ENGINE_##operand_, \
		                     .result = ENGINE_##result_, \
		                     .code =
#define SIMPLE(name, code_, text_, form_, feature_, operand_, result_, imm_, align_) \
	ENTRY(name, code_, text_, form_, feature_, operand_, result_, imm_, align_) \
	ENGINE_CODE_##name \
	} \
	,
#define VECTOR(name, code, text, form, feature, operand, result, imm, align) \
	ENTRY(name, code, text, form, feature, operand, result, imm, align) 0 \
	} \
	,

const struct engine_op_info engine_op_table[ENGINE_OP_COUNT] = {
#define OP(name, code_, text_, imm_, feature_) \
	[ENGINE_OP_INDEX(code_)] = { .text = (text_), \
		                     .form = ENGINE_FORM_OP, \
		                     .imm = ENGINE_IMM_##imm_, \
		                     .feature = ENGINE_FEATURE_##feature_ },
#define UNARY(name, code, text, result, operand, feature) \
	SIMPLE(name, code, text, UNARY, feature, operand, result, NONE, 0)
#define BINARY(name, code, text, type) SIMPLE(name, code, text, BINARY, MVP, type, type, NONE, 0)
#define TRAPPING(name, code, text, type) \
	ENTRY(name, code, text, BINARY, MVP, type, type, NONE, 0) \
	ENGINE_CODE_##name, .traps = true \
	} \
	,
#define BINARY_IMM(name, code, text, type) \
	SIMPLE(name, code, text, BINARY_IMM, MVP, type, type, NONE, 0)
#define COMPARE(name, code, text, type) SIMPLE(name, code, text, COMPARE, MVP, type, I32, NONE, 0)
#define COMPARE_IMM(name, code, text, type) \
	SIMPLE(name, code, text, COMPARE_IMM, MVP, type, I32, NONE, 0)
#define LOAD(name, code, text, type, memory_type) \
	SIMPLE(name, code, text, LOAD, MVP, I32, type, MEMARG, LOG2(sizeof(memory_type)))
#define STORE(name, code, text, type, memory_type) \
	SIMPLE(name, code, text, STORE, MVP, type, I32, MEMARG, LOG2(sizeof(memory_type)))
#define VECTOR1(name, code, text, feature) \
	VECTOR(name, code, text, VECTOR1, feature, V128, V128, NONE, 0)
#define VECTOR2(name, code, text, feature) \
	VECTOR(name, code, text, VECTOR2, feature, V128, V128, NONE, 0)
#define VECTOR3(name, code, text, feature) \
	VECTOR(name, code, text, VECTOR3, feature, V128, V128, NONE, 0)
#define VECTOR_TEST(name, code, text) VECTOR(name, code, text, VECTOR1, SIMD, V128, I32, NONE, 0)
#define VECTOR_SHIFT(name, code, text) \
	VECTOR(name, code, text, VECTOR_SHIFT, SIMD, V128, V128, NONE, 0)
#define VECTOR_SPLAT(name, code, text, type, memory_type) \
	VECTOR(name, code, text, VECTOR1, SIMD, type, V128, NONE, 0)
#define VECTOR_EXTRACT(name, code, text, type, memory_type) \
	VECTOR(name, code, text, VECTOR_EXTRACT, SIMD, V128, type, LANE, LOG2(sizeof(memory_type)))
#define VECTOR_REPLACE(name, code, text, type, memory_type) \
	VECTOR(name, code, text, VECTOR_REPLACE, SIMD, type, V128, LANE, LOG2(sizeof(memory_type)))
#define VECTOR_LOAD(name, code, text, bytes) \
	VECTOR(name, code, text, VECTOR_LOAD, SIMD, I32, V128, MEMARG, LOG2(bytes))
#define VECTOR_STORE(name, code, text, bytes) \
	VECTOR(name, code, text, VECTOR_STORE, SIMD, V128, I32, MEMARG, LOG2(bytes))
#define VECTOR_LOAD_LANE(name, code, text, bytes) \
	VECTOR(name, code, text, VECTOR_LOAD_LANE, SIMD, V128, V128, MEMARG_LANE, LOG2(bytes))
#define VECTOR_STORE_LANE(name, code, text, bytes) \
	VECTOR(name, code, text, VECTOR_STORE_LANE, SIMD, V128, I32, MEMARG_LANE, LOG2(bytes))
#define ATOMIC(name, code, text, form, type, memory_type) \
	VECTOR(name, code, text, form, THREADS, type, type, MEMARG, LOG2(sizeof(memory_type)))
#define ATOMIC_WAIT(name, code, text, bytes) \
	VECTOR(name, code, text, OP, THREADS, I32, I32, MEMARG, LOG2(bytes))
#define ATOMIC_LOAD(name, code, text, type, memory_type) \
	ATOMIC(name, code, text, ATOMIC_LOAD, type, memory_type)
#define ATOMIC_STORE(name, code, text, type, memory_type) \
	ATOMIC(name, code, text, ATOMIC_STORE, type, memory_type)
#define ATOMIC_RMW(name, code, text, type, memory_type) \
	ATOMIC(name, code, text, ATOMIC_RMW, type, memory_type)
#define ATOMIC_CMPXCHG(name, code, text, type, memory_type) \
	ATOMIC(name, code, text, ATOMIC_CMPXCHG, type, memory_type)
#include "engine/op.def"
};

uint32_t engine_op_behind(uint8_t prefix, uint32_t number)
{
	switch (prefix) {
	case ENGINE_OP_PREFIX_FB:
		return number < ENGINE_OP_FC - ENGINE_OP_FB ? ENGINE_OP_FB + number
		                                            : ENGINE_OP_COUNT;
	case ENGINE_OP_PREFIX_FC:
		return number < ENGINE_OP_FE - ENGINE_OP_FC ? ENGINE_OP_FC + number
		                                            : ENGINE_OP_COUNT;
	case ENGINE_OP_PREFIX_FE:
		return number < ENGINE_OP_FD - ENGINE_OP_FE ? ENGINE_OP_FE + number
		                                            : ENGINE_OP_COUNT;
	default:
		return number < ENGINE_OP_COUNT - ENGINE_OP_FD ? ENGINE_OP_FD + number
		                                               : ENGINE_OP_COUNT;
	}
}

uint8_t engine_op_prefix(uint32_t *number, uint32_t op)
{
	static const struct {
		uint32_t first;
		uint8_t prefix;
	} ranges[] = {
		{ ENGINE_OP_FD, ENGINE_OP_PREFIX_FD },
		{ ENGINE_OP_FE, ENGINE_OP_PREFIX_FE },
		{ ENGINE_OP_FC, ENGINE_OP_PREFIX_FC },
		{ ENGINE_OP_FB, ENGINE_OP_PREFIX_FB },
	};

	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		if (op >= ranges[i].first) {
			*number = op - ranges[i].first;
			return ranges[i].prefix;
		}
	*number = op;
	return 0;
}
