/* load.h - plug-ins for a linker: libraries that are written to engine/plugin/plugin.h.
 *
 * Owner: the caller of engine_plugin_load, who frees it after the store it was
 * linked to.  Threads: one at a time.  What a library does is not checked: it
 * runs with all that this process may do.
 */
#ifndef ENGINE_PLUGIN_LOAD_H
#define ENGINE_PLUGIN_LOAD_H

#include "engine/linker.h"

struct engine_plugin;

/* `options`: "" for none.  NOTFOUND where it cannot be loaded or is no plug-in, UNSUPPORTED for one
 * of another version, INVALID where its description is wrong, FAILED where it would not open; all
 * with prose; NOMEM. */
lb_err engine_plugin_load(struct engine_plugin **out, struct lb_mem *mem, const char *path,
                          const char *options, struct lb_diag *diag);
void engine_plugin_free(struct engine_plugin *plugin); /* NULL is fine */

/* Name its functions.  What one of them fails with is written to `diag`, which lasts as long as the
 * store. */
lb_err engine_plugin_link(struct engine_plugin *plugin, struct engine_linker *linker,
                          struct lb_diag *diag);

#endif
