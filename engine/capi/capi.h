/* capi.h - what <wasm.h> lacks, for programs that use it: limits, memory, the engine behind.
 *
 * A wasm_store_t stands on an engine_store (engine/store.h), which can be had
 * here, with all that the engine's own interface offers: fuel, interruption,
 * WASI.  Whoever uses both must not free an engine_store that came from here.
 * Threads: as wasm.h.  Part of <lifeboat/engine.h>.
 */
#ifndef ENGINE_CAPI_CAPI_H
#define ENGINE_CAPI_CAPI_H

#include "engine/instance.h"
#include "engine/linker.h"

struct wasm_config_t;
struct wasm_store_t;
struct wasm_trap_t;
struct wasm_func_t;
struct wasm_extern_t;
struct wasm_instance_t;

enum {
	ENGINE_CAPI_V128 = 4,      /* a wasm_valkind_t: can be asked about, not passed */
	ENGINE_CAPI_EXTERN_TAG = 4 /* a wasm_externkind_t */
};

/* Limits of every store, what modules may use, and where memory comes from: `mem` outlives the
 * engine and all its stores.  Types and vectors, which are made without an engine, come from
 * lb_mem_host. */
void engine_capi_config_store(struct wasm_config_t *config,
                              const struct engine_store_options *options);
void engine_capi_config_module(struct wasm_config_t *config,
                               const struct engine_module_options *options);
void engine_capi_config_mem(struct wasm_config_t *config, struct lb_mem *mem);

/* Borrowed. */
struct engine_store *engine_capi_store(struct wasm_store_t *store);

/* Why a run ended, as the engine has it: engine_trap_of, engine_trap_status say more. */
lb_err engine_capi_trap_cause(const struct wasm_trap_t *trap);

/* The engine's object as one of wasm.h's, which the caller deletes; NULL when memory runs out.  It
 * must stand in that store. */
struct wasm_extern_t *engine_capi_extern(struct wasm_store_t *store,
                                         const struct engine_extern *what);
/* And back. */
struct engine_extern engine_capi_engine_extern(const struct wasm_extern_t *what);

#endif
