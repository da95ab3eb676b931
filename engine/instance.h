/* instance.h - a module put to work: its imports found, its exports to be used.
 *
 * Instances are owned by their store (engine/store.h), which has the rules for
 * threads and memory.  The module must outlive the store.
 */
#ifndef ENGINE_INSTANCE_H
#define ENGINE_INSTANCE_H

#include "engine/module.h"
#include "engine/store.h"

/* A thing to import or that was exported.  Only the member that `kind` names counts. */
struct engine_extern {
	enum engine_kind kind;
	union {
		struct engine_func *func;
		struct engine_table *table;
		struct engine_memory *memory;
		struct engine_global *global;
		struct engine_tag *tag;
	};
};

/* Instantiate: check and bind the imports (in the module's order, `import_count` of them),
 * write the segments, run the start function.  UNLINKABLE where an import does not fit;
 * TRAP where a segment or the start function traps (segments before it stay written, as the
 * language has it); LIMIT where a memory or table exceeds the store's; NOMEM. */
lb_err engine_instance_new(struct engine_instance **out, struct engine_store *store,
                           const struct engine_module *module, const struct engine_extern *imports,
                           uint32_t import_count, struct lb_diag *diag);

struct engine_store *engine_instance_store(const struct engine_instance *instance);
const struct engine_module *engine_instance_module(const struct engine_instance *instance);

/* False where there is no such export. */
bool engine_instance_find(struct engine_extern *out, const struct engine_instance *instance,
                          struct lb_bytes name);

/* The same for one kind; NULL where there is none of that name and kind. */
struct engine_func *engine_instance_find_func(const struct engine_instance *instance,
                                              struct lb_bytes name);
struct engine_memory *engine_instance_find_memory(const struct engine_instance *instance,
                                                  struct lb_bytes name);

#endif
