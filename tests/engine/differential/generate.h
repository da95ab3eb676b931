/* generate.h - valid modules from a seed, for comparing engines.
 *
 * A module has a few functions of random types over all simple instructions of op.def, control
 * flow, calls, tables, globals and one memory.  It exports "go", i32 to i64, which calls
 * them all and folds their results into one number, and "memory".  Every run ends: loops and calls
 * use up a global.  NaNs are made canonical where arithmetic can make them, so that results do
 * not depend on the machine.
 */
#ifndef LB_TESTS_ENGINE_GENERATE_H
#define LB_TESTS_ENGINE_GENERATE_H

#include "base/buf.h"

/* `nodes`: how many instructions and statements a function may have, about.  The same seed and
 * nodes give the same bytes. */
void generate_module(struct lb_buf *out, uint64_t seed, uint32_t nodes);

#endif
