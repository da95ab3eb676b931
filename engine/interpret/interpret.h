/* interpret.h - runs register code. */
#ifndef ENGINE_INTERPRET_INTERPRET_H
#define ENGINE_INTERPRET_INTERPRET_H

#include "engine/runtime/object.h"

/* Run a function that has a body.  Its arguments stand at `base` on the store's stack, where
 * its results will be.  TRAP, or what a host function failed with. */
lb_err engine_interpret(struct engine_func *func, uint64_t *base);

#endif
