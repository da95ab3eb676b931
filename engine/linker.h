/* linker.h - names for imports: what a module asks for is found by (module, name).
 *
 * Owner: the caller of engine_linker_new, who frees it (before or after the
 * store; what it names belongs to the store).  Names are copied.  Threads: one
 * at a time.
 */
#ifndef ENGINE_LINKER_H
#define ENGINE_LINKER_H

#include "engine/instance.h"

struct engine_linker;

lb_err engine_linker_new(struct engine_linker **out, struct lb_mem *mem,
                         struct engine_store *store);
void engine_linker_free(struct engine_linker *linker); /* NULL is fine */

/* Name one thing; a later one of the same name takes its place. */
lb_err engine_linker_add(struct engine_linker *linker, struct lb_bytes module, struct lb_bytes name,
                         struct engine_extern what);

/* Make a host function and name it.  The signature is written as "ii:i" - parameters, colon,
 * results - with i = i32, I = i64, f = f32, F = f64, v = v128, r = funcref, x = externref. */
lb_err engine_linker_add_func(struct engine_linker *linker, struct lb_bytes module,
                              struct lb_bytes name, const char *signature, engine_host_call call,
                              void *ctx);

/* Name every export of an instance below `module`. */
lb_err engine_linker_add_instance(struct engine_linker *linker, struct lb_bytes module,
                                  const struct engine_instance *instance);

/* False where nothing has that name. */
bool engine_linker_find(struct engine_extern *out, const struct engine_linker *linker,
                        struct lb_bytes module, struct lb_bytes name);

/* Instantiate with the named imports.  UNLINKABLE "unknown import" where a name is not
 * there; otherwise as engine_instance_new. */
lb_err engine_linker_instantiate(struct engine_instance **out, struct engine_linker *linker,
                                 const struct engine_module *module, struct lb_diag *diag);

#endif
