/* arena.h - many small allocations with one lifetime, freed whole.
 *
 * Owner: the caller of lb_arena_init, who calls lb_arena_release.  Nothing in
 * an arena may be kept by an object that lives longer.  Failure is sticky:
 * after one NULL, `failed` stays set, so a builder can check once at its end.
 * Threads: one at a time.
 */
#ifndef LB_BASE_ARENA_H
#define LB_BASE_ARENA_H

#include "base/bytes.h"
#include "base/mem.h"

struct lb_arena_block;

struct lb_arena {
	struct lb_mem mem; /* first member: pass &arena.mem where a struct lb_mem * is wanted */
	struct lb_mem *under;
	struct lb_arena_block *last; /* newest first */
	size_t bytes_used;           /* handed out, all blocks together */
	bool failed;
};

void lb_arena_init(struct lb_arena *arena, struct lb_mem *under);
void lb_arena_release(struct lb_arena *arena); /* all-zero is fine */

/* Zeroed; aligned for any type; NULL and sticky `failed` when memory runs out.
 * bytes 0 gives a valid pointer to nothing. */
void *lb_arena_alloc(struct lb_arena *arena, size_t count, size_t size);
#define LB_ARENA_NEW(arena, type, count) ((type *)lb_arena_alloc((arena), (count), sizeof(type)))

/* Copies.  The text form is terminated (and the bytes form is too, behind its end). */
struct lb_bytes lb_arena_bytes(struct lb_arena *arena, struct lb_bytes bytes);
char *lb_arena_text(struct lb_arena *arena, struct lb_bytes bytes);
struct lb_bytes lb_arena_format(struct lb_arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
