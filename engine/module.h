/* module.h - a module: decoded, validated, ready to be instantiated.
 *
 * Owner: the caller of engine_module_new, who frees it after every store that
 * holds an instance of it.  Threads: immutable once made; share freely.
 */
#ifndef ENGINE_MODULE_H
#define ENGINE_MODULE_H

#include "base/diag.h"
#include "base/mem.h"
#include "engine/type.h"

struct engine_module; /* opaque */

/* What the language has got beyond its first version (feature.def). */
enum engine_feature {
#define FEATURE(name, text, on) ENGINE_FEATURE_##name,
#include "engine/feature.def"
#undef FEATURE
	ENGINE_FEATURE_COUNT
};

#define ENGINE_FEATURE_BIT(feature) (UINT64_C(1) << (feature))

/* "multi-memory"; never NULL.  ENGINE_FEATURE_COUNT where there is none of that name. */
const char *engine_feature_text(enum engine_feature feature);
enum engine_feature engine_feature_find(struct lb_bytes name);

/* All-zero allows what feature.def says is on. */
struct engine_module_options {
	uint64_t features_off, features_on; /* ENGINE_FEATURE_BIT of each; on counts more */
};

/* ENGINE_FEATURE_BIT of each that is allowed then; `options` may be NULL. */
uint64_t engine_features_allowed(const struct engine_module_options *options);

/* A module's own bounds; above them it is refused with LB_E_LIMIT. */
enum {
	ENGINE_TYPES_MAX = 1000000,
	ENGINE_FUNCS_MAX = 1000000,
	ENGINE_IMPORTS_MAX = 1000000,
	ENGINE_EXPORTS_MAX = 1000000,
	ENGINE_GLOBALS_MAX = 1000000,
	ENGINE_SEGMENTS_MAX = 1000000,     /* of data; of elements as many again */
	ENGINE_SEGMENT_LEN_MAX = 10000000, /* elements in one */
	ENGINE_TABLES_MAX = 100000,
	ENGINE_MEMORIES_MAX = 100,
	ENGINE_TAGS_MAX = 1000000,
	ENGINE_FIELDS_MAX = 10000,    /* of one struct */
	ENGINE_ARRAY_NEW_MAX = 10000, /* operands of one array.new_fixed */
	ENGINE_PARAMS_MAX = 1000,
	ENGINE_RESULTS_MAX = 1000,
	ENGINE_LOCALS_MAX = 50000,      /* parameters included */
	ENGINE_BODY_SIZE_MAX = 7654321, /* bytes of one function */
	ENGINE_FRAME_SLOTS_MAX = 65535, /* locals and operands of one function */
	ENGINE_NESTING_MAX = 100000     /* blocks within blocks */
};

/* Decode and validate all of `bytes`, which are borrowed for the call only.
 * On failure *out is NULL and the error is MALFORMED, INVALID or LIMIT with the
 * byte offset as context (the diagnostic says what, where and in which
 * function), or NOMEM.  `options` and `diag` may be NULL. */
lb_err engine_module_new(struct engine_module **out, struct lb_mem *mem, struct lb_bytes bytes,
                         const struct engine_module_options *options, struct lb_diag *diag);
void engine_module_free(struct engine_module *module); /* NULL is fine */

/* Imports and exports, in the module's order; everything in them is borrowed from it. */
struct engine_import {
	struct lb_bytes module, name;
	struct engine_extern_type type;
};

struct engine_export {
	struct lb_bytes name;
	struct engine_extern_type type;
};

uint32_t engine_module_import_count(const struct engine_module *module);
uint32_t engine_module_export_count(const struct engine_module *module);
void engine_module_import(struct engine_import *out, const struct engine_module *module,
                          uint32_t index);
void engine_module_export(struct engine_export *out, const struct engine_module *module,
                          uint32_t index);

#endif
