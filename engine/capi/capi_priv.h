/* capi_priv.h - what stands behind the opaque types of wasm.h.
 *
 * 1. An object of a store (function, global, table, memory, tag, instance, foreign) has at most one
 * record in it, found by its identity, so that equal objects are equal pointers and share host
 * information.
 * 2. A record is freed with its last handle where nothing needs it (no host information, no
 * callback, not seen by a module as a reference), else with its store; one that still has handles
 * then outlives it, empty, until they are deleted.
 * 3. Traps and modules have no place in a store's map: they live by their handles alone.
 * 4. Types and vectors come from lb_mem_host, since they are made without an engine.
 */
#ifndef ENGINE_CAPI_CAPI_PRIV_H
#define ENGINE_CAPI_CAPI_PRIV_H

#include "base/map.h"
#include "engine/capi/capi.h"
#include "engine/capi/wasm.h"
#include "engine/runtime/object.h"

/* ---- types ---- */

enum { CAPI_V128 = ENGINE_CAPI_V128, CAPI_EXTERN_TAG = ENGINE_CAPI_EXTERN_TAG };

struct wasm_externtype_t {
	_Alignas(void *) wasm_externkind_t kind; /* the larger ones begin with it */
};

struct wasm_functype_t {
	struct wasm_externtype_t type; /* first member */
	wasm_valtype_vec_t params, results;
};

struct wasm_globaltype_t {
	struct wasm_externtype_t type; /* first member */
	wasm_valtype_t *content;
	wasm_mutability_t mutability;
};

struct wasm_tabletype_t {
	struct wasm_externtype_t type; /* first member */
	wasm_valtype_t *element;
	wasm_limits_t limits;
};

struct wasm_memorytype_t {
	struct wasm_externtype_t type; /* first member */
	wasm_limits_t limits;
};

/* `types` is the table that indices in the type mean. */
wasm_valkind_t capi_kind_of(engine_type type, const struct engine_types *types);
/* 0 where the kind has no type that can be made here. */
engine_type capi_type_of(wasm_valkind_t kind);
wasm_limits_t capi_limits_of(const struct engine_limits *limits);
struct engine_limits capi_engine_limits(const wasm_limits_t *limits);
/* NULL when memory runs out. */
wasm_externtype_t *capi_externtype(const struct engine_extern_type *type,
                                   const struct engine_types *types);
wasm_functype_t *capi_functype(const struct engine_func_type *type,
                               const struct engine_types *types);

/* ---- objects ---- */

struct wasm_config_t {
	struct lb_mem *mem;
	struct engine_store_options store;
	struct engine_module_options module;
};

struct wasm_engine_t {
	struct wasm_config_t config;
};

enum capi_kind {
	CAPI_FUNC,
	CAPI_GLOBAL,
	CAPI_TABLE,
	CAPI_MEMORY,
	CAPI_TAG,
	CAPI_INSTANCE,
	CAPI_FOREIGN,
	CAPI_TRAP,
	CAPI_MODULE
};

struct wasm_ref_t {
	enum capi_kind kind;
	bool escaped;     /* a module may hold it: not to be freed before the store */
	uint32_t handles; /* owners outside */
	struct lb_mem *mem;
	struct wasm_store_t *store; /* NULL: the store is gone, or it never had one */
	void *host_info;
	void (*finalizer)(void *info);
	uint64_t identity; /* the engine's object, or reference */
	bool kept;         /* engine_store_keep was asked for it */
};

/* Functions, globals, tables, memories, tags, instances and foreign objects. */
struct wasm_extern_t {
	struct wasm_ref_t ref; /* first member */
	struct engine_extern what;
};

struct wasm_func_t {
	struct wasm_extern_t base; /* first member */
	wasm_func_callback_t callback;
	wasm_func_callback_with_env_t callback_with_env;
	void *env;
	void (*env_finalizer)(void *env);
	struct wasm_functype_t *type; /* of a callback: the kinds of its values */
};

struct wasm_instance_t {
	struct wasm_ref_t ref; /* first member */
	const struct engine_instance *instance;
};

/* The frames hold a handle of their instance each. */
struct wasm_trap_t {
	struct wasm_ref_t ref; /* first member */
	struct wasm_frame_t *frames;
	uint32_t frame_count;
	lb_err cause;
	char *message; /* terminated; NULL: the cause's own text */
	size_t message_len;
};

/* A module's code, shared by all that obtained it.  Threads: any. */
struct wasm_shared_module_t {
	_Atomic uint32_t users;
	struct lb_mem *mem;
	struct engine_module *module;
	unsigned char *bytes;
	size_t len;
};

struct wasm_module_t {
	struct wasm_ref_t ref; /* first member */
	struct wasm_shared_module_t *code;
};

/* A module that has an instance in the store lives as long. */
struct capi_use {
	struct capi_use *next;
	struct wasm_shared_module_t *code;
};

struct wasm_store_t {
	struct wasm_config_t config;
	struct engine_store *store;
	struct lb_map records; /* by identity: struct wasm_ref_t */
	struct capi_use *uses;
	struct wasm_trap_t *out_of_memory; /* made beforehand */
	struct wasm_trap_t *pending; /* what a callback returned, on its way through the run */
};

/* A record with one handle, in no map. */
struct wasm_ref_t *capi_ref_new(struct wasm_store_t *store, enum capi_kind kind);
/* The store's record of that identity with one handle more, or a fresh one; NULL: out of memory. */
struct wasm_ref_t *capi_ref_get(struct wasm_store_t *store, enum capi_kind kind, uint64_t identity);
/* Put a fresh record into the map; it is freed where that fails. */
bool capi_ref_enter(struct wasm_ref_t *ref, uint64_t identity);
struct wasm_ref_t *capi_ref_retain(struct wasm_ref_t *ref); /* NULL is fine */
void capi_ref_release(struct wasm_ref_t *ref);              /* NULL is fine */
void capi_ref_free(struct wasm_ref_t *ref);                 /* finalizer and all */
struct wasm_ref_t *capi_ref_find(struct wasm_store_t *store,
                                 uint64_t identity); /* borrowed; or NULL */

/* The end of a store: call the finalizers of host information, then free what has no handles. */
void capi_refs_end(struct wasm_store_t *store);
void capi_refs_free(struct wasm_store_t *store);

struct wasm_extern_t *capi_extern(struct wasm_store_t *store, const struct engine_extern *what);
/* With one handle more; NULL: out of memory. */
struct wasm_instance_t *capi_instance(struct wasm_store_t *store,
                                      const struct engine_instance *instance);

struct wasm_shared_module_t *capi_module_retain(struct wasm_shared_module_t *code);
void capi_module_release(struct wasm_shared_module_t *code);

/* ---- values ---- */

/* False where the value is not of that type, or its reference of another store. */
bool capi_value_in(union engine_value *out, struct wasm_store_t *store, const wasm_val_t *value,
                   engine_type type);
/* A value of a reference is owned; false when memory runs out. */
bool capi_value_out(wasm_val_t *out, struct wasm_store_t *store, union engine_value value,
                    engine_type type);
/* The same for a reference alone. */
bool capi_ref_in(union engine_value *out, struct wasm_store_t *store, struct wasm_ref_t *ref,
                 engine_type type);

/* ---- traps ---- */

struct wasm_frame_t {
	struct wasm_instance_t *instance;
	uint32_t func_index;
};

/* The trap of a run that failed with `err`, `prose` its message where it is not NULL.  Never NULL:
 * without memory it is the one that says so. */
struct wasm_trap_t *capi_trap_of(struct wasm_store_t *store, lb_err err, const char *prose);

#endif
