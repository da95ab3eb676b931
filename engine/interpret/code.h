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
#define BINARY(name, code, text, type) ENGINE_CODE_##name, ENGINE_CODE_##name##_LOAD,
#define TRAPPING(name, code, text, type) ENGINE_CODE_##name,
#define BINARY_IMM(name, code, text, type) \
	ENGINE_CODE_##name, ENGINE_CODE_##name##_IMM, ENGINE_CODE_##name##_IMM_LOAD,
#define COMPARE(name, code, text, type) \
	ENGINE_CODE_##name, ENGINE_CODE_BR_##name, ENGINE_CODE_BRN_##name,
#define COMPARE_IMM(name, code, text, type) \
	COMPARE(name, code, text, type) \
	ENGINE_CODE_##name##_IMM, ENGINE_CODE_BR_##name##_IMM, ENGINE_CODE_BRN_##name##_IMM,
#define LOAD(name, code, text, type, memory_type) \
	ENGINE_CODE_##name, ENGINE_CODE_##name##_SUM, ENGINE_CODE_##name##_INDEXED, \
		ENGINE_CODE_##name##_FAR,
#define STORE(name, code, text, type, memory_type) \
	ENGINE_CODE_##name, ENGINE_CODE_##name##_SUM, ENGINE_CODE_##name##_FAR,
#include "engine/op.def"
	ENGINE_CODE_COUNT
};

/* Where a fused form stands, counted from the plain one. */
enum {
	ENGINE_CODE_BINARY_IMM = 1,      /* a = b op imm, imm sign-extended */
	ENGINE_CODE_BINARY_LOAD = 1,     /* a = b op what stands at slot c plus x1 in memory 0 */
	ENGINE_CODE_BINARY_IMM_LOAD = 2, /* the same, of those with an immediate form */
	ENGINE_CODE_BRANCH = 1,          /* a op b: branch by imm */
	ENGINE_CODE_BRANCH_NOT = 2,      /* not (a op b): branch by imm */
	ENGINE_CODE_COMPARE_IMM = 3,     /* a = b op imm; its branches: a op x1, branch by imm */
	ENGINE_CODE_SUM = 1,      /* at the 32-bit sum of the address slot and imm, offset 0 */
	ENGINE_CODE_INDEXED = 2,  /* at the 32-bit sum of slots b and c, offset d */
	ENGINE_CODE_LOAD_FAR = 3, /* in memory imm, at the slot plus x1: any memory, 64 bits */
	ENGINE_CODE_STORE_FAR = 2
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
struct engine_instance;

/* What an instruction calls that is not done in the loop: operands from `at` on, results there
 * too.  An enum engine_trap. */
typedef unsigned engine_helper(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x);

union engine_cell;
typedef void engine_vector_helper(uint64_t *fp, union engine_cell operands);

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
	engine_helper *helper;
	engine_vector_helper *vector_helper;
};

static_assert(sizeof(union engine_cell) == 8, "operands are packed into cells of 8 bytes");

/* Code in which exceptions are caught; positions count from the body's start.  Of two that
 * overlap, the inner one comes first. */
struct engine_region {
	uint32_t start, end;
	uint32_t depth; /* of the block, in blocks */
	uint32_t catches, catch_count;
};

enum engine_catch_kind { ENGINE_CATCH_TAG, ENGINE_CATCH_ALL, ENGINE_CATCH_DELEGATE };

struct engine_catch {
	enum engine_catch_kind kind;
	bool has_ref;
	uint32_t tag;    /* index; of a delegate the depth to go on from */
	uint32_t target; /* where to go on, the exception's values standing from `slot` on */
	uint32_t slot, ref_slot;
	uint32_t next; /* while they are collected: index + 1 */
};

/* Slots that hold references while an instruction before `position` is under way. */
struct engine_map {
	uint32_t position, first, count;
};

struct engine_ref_run {
	uint32_t slot, count;
	bool is_extern;
};

#define ENGINE_MAP_EXTERN 0x80000000u

/* A function of a module, ready to run. */
struct engine_body {
	const union engine_cell *start;
	uint32_t param_slots;
	uint32_t local_slots; /* parameters included */
	uint32_t frame_slots; /* locals, operands, results: what a frame needs */
	uint32_t result_slots;
	uint32_t func;   /* index; UINT32_MAX: a constant expression */
	uint32_t size;   /* cells */
	size_t start_at; /* in the module's code */

	const struct engine_region *regions;
	const struct engine_catch *catches;
	const struct engine_map *maps; /* by rising position */
	const uint32_t *map_slots;     /* ENGINE_MAP_EXTERN: an external reference */
	const struct engine_ref_run *ref_locals;
	uint32_t region_count, map_count, ref_local_count;
	struct engine_body *next; /* constant expressions */
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
