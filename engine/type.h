/* type.h - types of values, functions, tables, memories, globals.
 *
 * Layer: engine.  Plain data; pointers in it are borrowed from the module or
 * the store it was got from.  Threads: immutable.
 */
#ifndef ENGINE_TYPE_H
#define ENGINE_TYPE_H

#include "base/bytes.h"

/* The type of a value: the byte of the binary format in the low 8 bits.  The
 * bits above are kept for the heap type of typed references. */
typedef uint32_t engine_type;

enum {
	ENGINE_I32 = 0x7f,
	ENGINE_I64 = 0x7e,
	ENGINE_F32 = 0x7d,
	ENGINE_F64 = 0x7c,
	ENGINE_FUNCREF = 0x70,
	ENGINE_EXTERNREF = 0x6f
};

enum { ENGINE_PAGE_SIZE = 65536 }; /* bytes in a page of memory */

/* "i32", "funcref"; never NULL. */
const char *engine_type_text(engine_type type);

static inline bool engine_type_is_ref(engine_type type)
{
	return type == ENGINE_FUNCREF || type == ENGINE_EXTERNREF;
}

struct engine_func_type {
	const engine_type *params, *results;
	uint32_t param_count, result_count;
};

bool engine_func_type_eq(const struct engine_func_type *a, const struct engine_func_type *b);

struct engine_limits {
	uint64_t min, max; /* max counts only with has_max */
	bool has_max;
};

struct engine_table_type {
	engine_type element;
	struct engine_limits limits; /* elements */
};

struct engine_memory_type {
	struct engine_limits limits; /* pages */
};

struct engine_global_type {
	engine_type content;
	bool is_mutable;
};

/* ORDER: the numbers of the binary format. */
enum engine_kind { ENGINE_FUNC, ENGINE_TABLE, ENGINE_MEMORY, ENGINE_GLOBAL };

/* "function", "table", "memory", "global". */
const char *engine_kind_text(enum engine_kind kind);

struct engine_extern_type {
	enum engine_kind kind;
	union {
		struct engine_func_type func;
		struct engine_table_type table;
		struct engine_memory_type memory;
		struct engine_global_type global;
	};
};

#endif
