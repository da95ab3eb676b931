/* type.h - types of values, functions, tables, memories, globals, tags, and defined types.
 *
 * Layer: engine.  Plain data; pointers in it are borrowed from the module or
 * the store it was got from.  Threads: immutable.
 */
#ifndef ENGINE_TYPE_H
#define ENGINE_TYPE_H

#include "base/bytes.h"

/* The type of a value, in one number, so that equal types are equal numbers.
 *
 * The low 8 bits are the byte of the binary format: of a number, or of a nullable reference
 * by its short name.  ENGINE_REF is (ref null $t), with the index of $t from bit
 * ENGINE_TYPE_SHIFT on: an index of the canonical types of the module, or of the store,
 * that the type was got from.  ENGINE_NON_NULL makes (ref $t) or (ref func) of it. */
typedef uint32_t engine_type;

enum {
	ENGINE_I32 = 0x7f,
	ENGINE_I64 = 0x7e,
	ENGINE_F32 = 0x7d,
	ENGINE_F64 = 0x7c,
	ENGINE_V128 = 0x7b,
	ENGINE_I8 = 0x78, /* fields only */
	ENGINE_I16 = 0x77,
	ENGINE_NULLEXNREF = 0x74, /* (ref null noexn), and so on */
	ENGINE_NULLFUNCREF = 0x73,
	ENGINE_NULLEXTERNREF = 0x72,
	ENGINE_NULLREF = 0x71,
	ENGINE_FUNCREF = 0x70,
	ENGINE_EXTERNREF = 0x6f,
	ENGINE_ANYREF = 0x6e,
	ENGINE_EQREF = 0x6d,
	ENGINE_I31REF = 0x6c,
	ENGINE_STRUCTREF = 0x6b,
	ENGINE_ARRAYREF = 0x6a,
	ENGINE_EXNREF = 0x69,
	ENGINE_REF = 0x63,

	ENGINE_NON_NULL = 0x100,
	ENGINE_TYPE_SHIFT = 9
};

enum { ENGINE_PAGE_SIZE = 65536 }; /* bytes in an ordinary page of memory */

/* "i32", "funcref", "(ref 3)"; as a value, so that it lasts as long as the expression. */
struct engine_type_name {
	char text[40];
};
struct engine_type_name engine_type_name(engine_type type);

/* The same for types without an index, "ref" for the others; never NULL. */
const char *engine_type_text(engine_type type);

static inline engine_type engine_type_of_index(uint32_t index)
{
	return ENGINE_REF | index << ENGINE_TYPE_SHIFT;
}

static inline bool engine_type_has_index(engine_type type) { return (type & 0xff) == ENGINE_REF; }
static inline uint32_t engine_type_index(engine_type type) { return type >> ENGINE_TYPE_SHIFT; }

static inline bool engine_type_is_ref(engine_type type)
{
	unsigned byte = type & 0xff;

	return byte == ENGINE_REF || (byte >= ENGINE_EXNREF && byte <= ENGINE_NULLEXNREF);
}

/* Of the host's references, from outside. */
static inline bool engine_type_is_extern(engine_type type)
{
	unsigned byte = type & 0xff;

	return byte == ENGINE_EXTERNREF || byte == ENGINE_NULLEXTERNREF;
}

/* Of functions known without the table of types. */
static inline bool engine_type_is_abstract_func(engine_type type)
{
	unsigned byte = type & 0xff;

	return byte == ENGINE_FUNCREF || byte == ENGINE_NULLFUNCREF;
}

static inline bool engine_type_is_null(engine_type type) { return (type & ENGINE_NON_NULL) == 0; }

/* Whether a local of it, or a new table's element, has a value to begin with. */
static inline bool engine_type_has_default(engine_type type)
{
	return (type & ENGINE_NON_NULL) == 0;
}

/* Slots of 8 bytes that a value takes. */
static inline uint32_t engine_type_slots(engine_type type) { return type == ENGINE_V128 ? 2 : 1; }

struct engine_func_type {
	const engine_type *params, *results;
	uint32_t param_count, result_count;
};

bool engine_func_type_eq(const struct engine_func_type *a, const struct engine_func_type *b);

struct engine_field {
	engine_type type; /* may be packed: ENGINE_I8, ENGINE_I16 */
	bool is_mutable;
};

/* ORDER: functions first, as the zero value. */
enum engine_composite { ENGINE_COMPOSITE_FUNC, ENGINE_COMPOSITE_STRUCT, ENGINE_COMPOSITE_ARRAY };

/* A type of a type section. */
struct engine_def_type {
	enum engine_composite kind;
	bool is_open;   /* may have subtypes; otherwise final */
	bool has_super; /* a canonical index, below */
	uint32_t super;
	uint32_t depth;     /* supertypes above it */
	uint32_t group_len; /* of the first of a group: how many there are */
	union {
		struct engine_func_type func;
		struct {
			const struct engine_field
				*fields; /* of an array: the one of its elements */
			uint32_t field_count;
		};
	};
};

struct engine_limits {
	uint64_t min, max; /* max counts only with has_max */
	bool has_max;
	bool is_64; /* addresses are i64 */
	bool is_shared;
};

struct engine_table_type {
	engine_type element;
	struct engine_limits limits; /* elements */
};

struct engine_memory_type {
	struct engine_limits limits; /* pages */
	bool has_byte_pages;         /* pages of 1 byte */
};

struct engine_global_type {
	engine_type content;
	bool is_mutable;
};

static inline engine_type engine_limits_address(const struct engine_limits *limits)
{
	return limits->is_64 ? ENGINE_I64 : ENGINE_I32;
}

static inline uint64_t engine_memory_page_size(const struct engine_memory_type *type)
{
	return type->has_byte_pages ? 1 : ENGINE_PAGE_SIZE;
}

/* ORDER: the numbers of the binary format. */
enum engine_kind { ENGINE_FUNC, ENGINE_TABLE, ENGINE_MEMORY, ENGINE_GLOBAL, ENGINE_TAG };

/* "function", "table", "memory", "global", "tag". */
const char *engine_kind_text(enum engine_kind kind);

struct engine_extern_type {
	enum engine_kind kind;
	uint32_t type_index; /* of func and tag: the canonical type */
	union {
		struct engine_func_type func; /* of a tag too: the values it carries */
		struct engine_table_type table;
		struct engine_memory_type memory;
		struct engine_global_type global;
	};
};

#endif
