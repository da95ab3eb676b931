/* wasmtime.h - Wasmtime's main.yml and what its job `determine` computes, for tests and benchmarks.
 */
#ifndef LB_TESTS_WORKFLOWS_WASMTIME_H
#define LB_TESTS_WORKFLOWS_WASMTIME_H

#include "base/value.h"

enum { WASMTIME_TESTS = 91, WASMTIME_PULL_TESTS = 8, WASMTIME_BUILDS = 32 };

/* The source of the file from the shared corpus; at == NULL where that is not here. */
struct lb_bytes wasmtime_source(struct lb_arena *arena);

/* The outputs of `determine` in the shape and size that its scripts give: in full (91 tests, 32
 * builds, 300 KB), or as for a pull request that changes nothing special (8 tests). */
const struct lb_value *wasmtime_outputs(struct lb_arena *arena, bool full);

#endif
