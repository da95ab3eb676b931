/* validate.h - checks a function's body and translates it into register code, in one pass.
 *
 * Layer: engine, shared by its folders.  Owner: the caller of
 * engine_validator_new.  Time and memory grow with the bytes read, times the
 * widest function type called.
 */
#ifndef ENGINE_VALIDATE_VALIDATE_H
#define ENGINE_VALIDATE_VALIDATE_H

#include "engine/binary/reader.h"
#include "engine/form.h"

struct engine_validator;

/* For the functions of one module, whose sections before the code are read. */
lb_err engine_validator_new(struct engine_validator **out, struct engine_module *module);
void engine_validator_free(struct engine_validator *v); /* NULL is fine */

/* Check the body of function `func`, appending its code to the module's.  MALFORMED, INVALID
 * or LIMIT with the offset, NOMEM. */
lb_err engine_validate_body(struct engine_validator *v, uint32_t func, struct engine_reader *body);

/* All bodies are there: let them point to their code. */
lb_err engine_validator_finish(struct engine_validator *v);

/* A constant expression that gives a value of `type`, and its end: its code too is appended to
 * the module's, unless it is a single instruction. */
lb_err engine_validate_const(struct engine_const *out, struct engine_validator *v,
                             struct engine_reader *r, engine_type type);

/* Types of the binary format, indices made canonical (binary/types.c). */
lb_err engine_read_value_type(engine_type *out, struct engine_reader *r,
                              const struct engine_module *module);
lb_err engine_read_ref_type(engine_type *out, struct engine_reader *r,
                            const struct engine_module *module);
lb_err engine_read_heap_type(engine_type *out, struct engine_reader *r,
                             const struct engine_module *module);
lb_err engine_read_type_index(uint32_t *out, struct engine_reader *r,
                              const struct engine_module *module);

#endif
