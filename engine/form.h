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

/* A constant expression: one instruction nearly always, else steps in postfix order. */
enum engine_const_kind {
	ENGINE_CONST_VALUE,      /* value, as a slot */
	ENGINE_CONST_GLOBAL_GET, /* value: index of the global */
	ENGINE_CONST_REF_FUNC,   /* value: index of the function */
	ENGINE_CONST_OP,         /* value: enum engine_op, an addition or the like; in steps only */
	ENGINE_CONST_STEPS       /* value: how many */
};

enum { ENGINE_CONST_DEPTH_MAX = 64 }; /* operands on the way */

struct engine_const {
	enum engine_const_kind kind;
	uint64_t value;
	const struct engine_const *steps; /* ENGINE_CONST_STEPS */
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

struct engine_module {
	struct lb_mem *mem;
	struct lb_arena arena;

	struct engine_func_type *types;
	struct engine_form_import *imports;
	uint32_t *func_types; /* index of each function's type */
	struct engine_table_type *tables;
	struct engine_memory_type *memories;
	struct engine_form_global *globals;
	struct engine_form_export *exports;
	uint32_t *export_buckets; /* a power of two of them, by hash of the name */
	struct engine_form_elem *elems;
	struct engine_form_data *datas;
	struct engine_body *bodies;   /* of the functions defined here */
	unsigned char *func_declared; /* may be named by ref.func: a byte each */

	uint32_t type_count, import_count, export_count, elem_count, data_count;
	uint32_t func_count, table_count, memory_count, global_count;
	uint32_t func_import_count, table_import_count, memory_import_count, global_import_count;
	uint32_t export_bucket_count;
	uint32_t start; /* UINT32_MAX: none */
	bool has_data_count, has_data;
	bool features_off[ENGINE_FEATURE_COUNT];

	union engine_cell *cells;
	size_t cell_count, cell_capacity;
};

/* The type of a function by its index. */
static inline const struct engine_func_type *engine_form_func_type(const struct engine_module *m,
                                                                   uint32_t index)
{
	return &m->types[m->func_types[index]];
}

/* NULL where there is no export of that name. */
const struct engine_form_export *engine_form_find_export(const struct engine_module *module,
                                                         struct lb_bytes name);

/* The type of the thing of that kind and index. */
struct engine_extern_type engine_form_extern_type(const struct engine_module *module,
                                                  enum engine_kind kind, uint32_t index);

#endif
