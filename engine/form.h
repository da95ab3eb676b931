/* form.h - the decoded, validated form of a module, as the engine's folders share it.
 *
 * Everything hangs in one arena that is freed with the module, except the
 * code, which is one block.  Index spaces have the imports first.  Not for
 * embedders.  Threads: immutable once made.
 */
#ifndef ENGINE_FORM_H
#define ENGINE_FORM_H

#include "base/arena.h"
#include "engine/interpret/code.h"
#include "engine/module.h"
#include "engine/op.h"
#include "engine/types.h"

/* A constant expression: one instruction nearly always, else code. */
enum engine_const_kind {
	ENGINE_CONST_VALUE,      /* value, as a slot */
	ENGINE_CONST_GLOBAL_GET, /* value: index of the global */
	ENGINE_CONST_REF_FUNC,   /* value: index of the function */
	ENGINE_CONST_CODE        /* body: without parameters, with one result */
};

struct engine_const {
	enum engine_const_kind kind;
	union {
		uint64_t value;
		struct engine_body *body;
	};
};

struct engine_form_import {
	struct lb_bytes module, name;
	enum engine_kind kind;
	uint32_t index; /* in the space of its kind */
};

struct engine_form_export {
	struct lb_bytes name;
	enum engine_kind kind;
	uint32_t index;
	uint32_t next; /* in its bucket, UINT32_MAX at the end */
};

struct engine_form_global {
	struct engine_global_type type;
	struct engine_const init; /* of those defined here */
};

enum engine_segment_mode {
	ENGINE_SEGMENT_ACTIVE,
	ENGINE_SEGMENT_PASSIVE,
	ENGINE_SEGMENT_DECLARATIVE
};

struct engine_form_elem {
	enum engine_segment_mode mode;
	bool has_code; /* an item is code: to be run once for each instance */
	uint32_t table;
	struct engine_const offset;
	engine_type type;
	struct engine_const *items;
	uint32_t count;
};

struct engine_form_data {
	enum engine_segment_mode mode;
	uint32_t memory;
	struct engine_const offset;
	struct lb_bytes bytes;
};

struct engine_form_custom {
	struct lb_bytes name, bytes;
	struct engine_form_custom *next;
};

struct engine_module {
	struct lb_mem *mem;
	struct lb_arena arena;

	struct engine_types types; /* the canonical ones, which all indices below mean */
	uint32_t *type_ids;        /* the canonical type of each index of the type section */
	struct engine_form_import *imports;
	uint32_t *func_types; /* canonical type of each function */
	uint32_t *tag_types;
	struct engine_table_type *tables;
	struct engine_const *table_inits; /* of those defined here */
	struct engine_memory_type *memories;
	struct engine_form_global *globals;
	struct engine_form_export *exports;
	uint32_t *export_buckets; /* a power of two of them, by hash of the name */
	struct engine_form_elem *elems;
	struct engine_form_data *datas;
	struct engine_body *bodies;   /* of the functions defined here */
	unsigned char *func_declared; /* may be named by ref.func: a byte each */
	struct engine_body *const_bodies;
	struct engine_form_custom *customs; /* the newest first */

	uint32_t group_start, group_end; /* indices whose recursive group is being read */
	uint32_t type_count, import_count, export_count, elem_count, data_count;
	uint32_t func_count, table_count, memory_count, global_count, tag_count, tag_import_count;
	uint32_t func_import_count, table_import_count, memory_import_count, global_import_count;
	uint32_t export_bucket_count;
	uint32_t start; /* UINT32_MAX: none */
	bool has_data_count, has_data;
	uint64_t features; /* ENGINE_FEATURE_BIT of each that is on */

	union engine_cell *cells;
	size_t cell_count, cell_capacity;
};

static inline bool engine_form_has(const struct engine_module *m, enum engine_feature feature)
{
	return (m->features & ENGINE_FEATURE_BIT(feature)) != 0;
}

/* The type of a function by its index. */
static inline const struct engine_func_type *engine_form_func_type(const struct engine_module *m,
                                                                   uint32_t index)
{
	return &m->types.at[m->func_types[index]]->func;
}

/* NULL where there is no export of that name. */
const struct engine_form_export *engine_form_find_export(const struct engine_module *module,
                                                         struct lb_bytes name);

/* A function's name from the module's custom section of names; empty where it has none. */
struct lb_bytes engine_form_func_name(const struct engine_module *module, uint32_t func);

/* The function whose code `pc` is in or right behind, NULL where it is none of the module's. */
const struct engine_body *engine_form_body_at(const struct engine_module *module,
                                              const union engine_cell *pc);

/* The type of the thing of that kind and index. */
struct engine_extern_type engine_form_extern_type(const struct engine_module *module,
                                                  enum engine_kind kind, uint32_t index);

#endif
