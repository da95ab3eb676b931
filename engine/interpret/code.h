/* code.h - the register code that validation makes and the interpreter runs.
 *
 * A frame is a run of 64-bit slots: parameters, locals, then one slot for each
 * depth of the operand stack, so that an operand at depth n always has its
 * home in slot locals + n.  Instructions name slots directly.  A callee's
 * frame begins at its first argument in the caller's frame, and its results
 * are left there.
 *
 * Layer: engine, shared by its folders.  Threads: immutable once made.
 */
#ifndef ENGINE_INTERPRET_CODE_H
#define ENGINE_INTERPRET_CODE_H

#include "base/err.h"

enum engine_code {
#define CODE(name, cells, operands) ENGINE_CODE_##name,
#include "engine/interpret/code.def"
#undef CODE
/* The simple instructions, each followed by its fused forms in the order of the variants below. */
#define UNARY(name, code, text, result, operand, feature) ENGINE_CODE_##name,
#define BINARY(name, code, text, type) ENGINE_CODE_##name,
#define BINARY_IMM(name, code, text, type) ENGINE_CODE_##name, ENGINE_CODE_##name##_IMM,
#define COMPARE(name, code, text, type) \
	ENGINE_CODE_##name, ENGINE_CODE_BR_##name, ENGINE_CODE_BRN_##name,
#define COMPARE_IMM(name, code, text, type) \
	COMPARE(name, code, text, type) \
	ENGINE_CODE_##name##_IMM, ENGINE_CODE_BR_##name##_IMM, ENGINE_CODE_BRN_##name##_IMM,
#define LOAD(name, code, text, type, memory_type) \
	ENGINE_CODE_##name, ENGINE_CODE_##name##_SUM, ENGINE_CODE_##name##_INDEXED,
#define STORE(name, code, text, type, memory_type) ENGINE_CODE_##name, ENGINE_CODE_##name##_SUM,
#include "engine/op.def"
	ENGINE_CODE_COUNT
};

/* Where a fused form stands, counted from the plain one. */
enum {
	ENGINE_CODE_BINARY_IMM = 1,  /* a = b op imm, imm sign-extended */
	ENGINE_CODE_BRANCH = 1,      /* a op b: branch by imm */
	ENGINE_CODE_BRANCH_NOT = 2,  /* not (a op b): branch by imm */
	ENGINE_CODE_COMPARE_IMM = 3, /* a = b op imm; its branches: a op x1, branch by imm */
	ENGINE_CODE_SUM = 1,         /* at the 32-bit sum of the address slot and imm, offset 0 */
	ENGINE_CODE_INDEXED = 2      /* at the 32-bit sum of slots b and c, offset d */
};

static_assert(ENGINE_CODE_I32_ADD_IMM == ENGINE_CODE_I32_ADD + ENGINE_CODE_BINARY_IMM, "variant");
static_assert(ENGINE_CODE_BRN_F64_GE == ENGINE_CODE_F64_GE + ENGINE_CODE_BRANCH_NOT, "variant");
static_assert(ENGINE_CODE_I64_STORE32_SUM == ENGINE_CODE_I64_STORE32 + ENGINE_CODE_SUM, "variant");
static_assert(ENGINE_CODE_F64_LOAD_INDEXED == ENGINE_CODE_F64_LOAD + ENGINE_CODE_INDEXED,
              "variant");
static_assert(ENGINE_CODE_BRN_I32_EQ_IMM ==
                      ENGINE_CODE_I32_EQ + ENGINE_CODE_COMPARE_IMM + ENGINE_CODE_BRANCH_NOT,
              "variant");

struct engine_body;

union engine_cell {
	const void *handler; /* direct threading: a label in the interpreter */
	uint64_t code;       /* portable loop: enum engine_code */
	struct {
		uint16_t a, b;
		union {
			struct {
				uint16_t c, d;
			};
			int32_t imm;
			uint32_t index; /* or a memory offset */
		};
	};
	uint64_t x;
	const struct engine_body *body;
};

static_assert(sizeof(union engine_cell) == 8, "operands are packed into cells of 8 bytes");

/* A function of a module, ready to run. */
struct engine_body {
	const union engine_cell *start;
	uint32_t param_count;
	uint32_t local_count; /* parameters included */
	uint32_t frame_slots; /* locals, operands, results: what a frame needs */
	uint32_t result_count;
};

/* Labels in the interpreter by enum engine_code; NULL where the loop is a switch. */
const void *const *engine_code_handlers(void);

/* The first cell of an instruction. */
static inline union engine_cell engine_code_cell(const void *const *handlers, unsigned code)
{
	return handlers != NULL ? (union engine_cell){ .handler = handlers[code] }
	                        : (union engine_cell){ .code = code };
}

#endif
