/* trap.h - why execution stopped, as an lb_err.
 *
 * A trap is LB_E_TRAP; its context is the trap's code in the low 8 bits and,
 * for ENGINE_TRAP_EXIT, the status above it (where a word has 32 bits, its low
 * 8 bits only).  Threads: pure functions.
 */
#ifndef ENGINE_TRAP_H
#define ENGINE_TRAP_H

#include "base/err.h"

enum engine_trap {
	ENGINE_TRAP_NONE,
#define TRAP(name, text) ENGINE_TRAP_##name,
#include "engine/trap.def"
#undef TRAP
	ENGINE_TRAP_COUNT
};

static inline lb_err engine_trap(enum engine_trap trap)
{
	return lb_err_at(LB_E_TRAP, (uintptr_t)trap);
}

/* What WASI's proc_exit returns from its host function: unwinds the run. */
static inline lb_err engine_trap_exit(uint32_t status)
{
	return lb_err_at(LB_E_TRAP, (uintptr_t)ENGINE_TRAP_EXIT | (uintptr_t)status << 8);
}

/* ENGINE_TRAP_NONE where `err` is no trap. */
static inline enum engine_trap engine_trap_of(lb_err err)
{
	return lb_code_of(err) == LB_E_TRAP ? (enum engine_trap)(lb_where(err) & 0xff)
	                                    : ENGINE_TRAP_NONE;
}

/* The status of an ENGINE_TRAP_EXIT. */
static inline uint32_t engine_trap_status(lb_err err) { return (uint32_t)(lb_where(err) >> 8); }

/* "out of bounds memory access"; "" for ENGINE_TRAP_NONE.  Never NULL. */
const char *engine_trap_text(enum engine_trap trap);

#endif
