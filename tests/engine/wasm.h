/* wasm.h - modules for tests, made piece by piece. */
#ifndef LB_TESTS_ENGINE_WASM_H
#define LB_TESTS_ENGINE_WASM_H

#include "engine/linker.h"
#include "tests/harness/test.h"

enum { WASM_SECTIONS = 13 };

/* Owned by the test: wasm_release.  Memory comes from the host's heap, so that failing
 * allocations hit the engine alone. */
struct wasm {
	struct lb_buf sections[WASM_SECTIONS]; /* by id; without their counts */
	uint32_t counts[WASM_SECTIONS];
	struct lb_buf bytes; /* the whole module, made by wasm_bytes */
};

/* Section ids. */
enum {
	WASM_TYPE = 1,
	WASM_IMPORT,
	WASM_FUNCTION,
	WASM_TABLE,
	WASM_MEMORY,
	WASM_GLOBAL,
	WASM_EXPORT,
	WASM_START,
	WASM_ELEMENT,
	WASM_CODE,
	WASM_DATA,
	WASM_DATA_COUNT
};

void wasm_init(struct wasm *w);
void wasm_release(struct wasm *w);

/* One entry of a section, as bytes. */
void wasm_add(struct wasm *w, unsigned section, struct lb_bytes entry);
void wasm_leb(struct lb_buf *buf, uint64_t value);

/* A type, as "ii:I" (see engine_linker_add_func); its index. */
uint32_t wasm_type(struct wasm *w, const char *signature);
void wasm_import_func(struct wasm *w, const char *module, const char *name, uint32_t type);

/* A function of that type, with so many locals of type i32; its code without the end. */
void wasm_func(struct wasm *w, uint32_t type, uint32_t locals, struct lb_bytes code);
void wasm_export(struct wasm *w, const char *name, enum engine_kind kind, uint32_t index);

/* The module; borrowed until the next change. */
struct lb_bytes wasm_bytes(struct wasm *w);

/* A store with one instance of the module, nothing imported. */
struct wasm_run {
	struct engine_module *module;
	struct engine_store *store;
	struct engine_instance *instance;
};

lb_err wasm_start(struct wasm_run *run, struct lb_mem *mem, struct lb_bytes bytes,
                  const struct engine_store_options *options);
void wasm_stop(struct wasm_run *run);

/* Call an export with i32 arguments; the first result. */
lb_err wasm_call(uint32_t *result, const struct wasm_run *run, const char *name, uint32_t a,
                 uint32_t b);

#endif
