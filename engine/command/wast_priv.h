/* wast_priv.h - what scripts know of values, and the host module they expect. */
#ifndef ENGINE_COMMAND_WAST_PRIV_H
#define ENGINE_COMMAND_WAST_PRIV_H

#include "engine/linker.h"
#include "engine/text/script.h"

/* An argument of that type. */
void engine_wast_value(union engine_value *out, struct engine_store *store,
                       const struct engine_script_value *value, engine_type type);

/* Whether a result is what was expected. */
bool engine_wast_fits(union engine_value got, engine_type type,
                      const struct engine_script_value *want);

enum { ENGINE_WAST_VALUE_SIZE = 64 };
void engine_wast_show(char out[ENGINE_WAST_VALUE_SIZE], union engine_value value, engine_type type);

/* Whether a call ended with an exception that nobody caught. */
bool engine_wast_is_exception(lb_err err);

/* "spectest": functions that print nothing, globals, a table, memories. */
lb_err engine_wast_add_spectest(struct engine_linker *linker, struct engine_store *store);

#endif
