/* mem.h - memory, passed explicitly to whatever allocates.
 *
 * One operation, told the old size: resize(NULL, 0, n) allocates, resize(p, n, 0)
 * frees and returns NULL, anything else moves or grows.  A failed resize returns
 * NULL and leaves the old block as it was.  Blocks are aligned for any type.
 *
 * Instances: lb_mem_host (the C library's), struct lb_budget (a limit and a
 * count over another), struct lb_arena (base/arena.h), and the tests' failing
 * heap.  Threads: lb_mem_host is safe for all; a budget as its own text says.
 */
#ifndef LB_BASE_MEM_H
#define LB_BASE_MEM_H

#include "base/err.h"

#include <stdatomic.h>

struct lb_mem {
	void *(*resize)(struct lb_mem *self, void *old, size_t old_size, size_t new_size);
};

extern struct lb_mem lb_mem_host;

/* Array forms.  NULL when memory or the arithmetic runs out; count 0 gives NULL too. */
void *lb_mem_new(struct lb_mem *mem, size_t count, size_t size); /* zeroed */
void *lb_mem_grow(struct lb_mem *mem, void *old, size_t old_count, size_t new_count, size_t size);
void lb_mem_drop(struct lb_mem *mem, void *at, size_t count, size_t size); /* NULL is fine */

#define LB_NEW(mem, type, count) ((type *)lb_mem_new((mem), (count), sizeof(type)))
#define LB_DROP(mem, at, count) lb_mem_drop((mem), (at), (count), sizeof *(at))

/* A limit and a count over another memory.  Threads: safe for all. */
struct lb_budget {
	struct lb_mem mem; /* first member: pass &budget.mem */
	struct lb_mem *under;
	size_t bytes_max; /* 0: none, count only */
	_Atomic size_t bytes_used;
};

void lb_budget_init(struct lb_budget *budget, struct lb_mem *under, size_t bytes_max);

/* A terminated copy of `len` bytes, to be given back with lb_mem_drop(mem, s, len + 1, 1). */
char *lb_mem_text(struct lb_mem *mem, const char *at, size_t len);

#endif
