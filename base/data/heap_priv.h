/* heap_priv.h - malloc and free over a struct lb_mem, for libraries that know nothing else.
 *
 * jansson and libcjose take malloc-shaped functions, once for the process.  A
 * loan names the memory that this thread's calls take from until it is
 * returned, so that limits, counts and failure injection reach into them.
 * Each block remembers the memory it came from: it may be freed at any time,
 * by any thread, while that memory lives.  Outside a loan the C library's heap serves.
 * Loans nest.  Threads: each has its own.
 */
#ifndef LB_DATA_HEAP_PRIV_H
#define LB_DATA_HEAP_PRIV_H

#include "base/mem.h"

struct lb_loan {
	struct lb_mem *mem;
	struct lb_loan *outer;
	bool failed; /* an allocation was refused: what the library said then is NOMEM */
};

void lb_loan_begin(struct lb_loan *loan, struct lb_mem *mem);
void lb_loan_end(struct lb_loan *loan);

void *lb_loan_malloc(size_t size);
void *lb_loan_realloc(void *at, size_t size);
void lb_loan_free(void *at); /* NULL is fine */

/* Memory taken beforehand, for a library that crashes or lies when it is refused some (libcjose):
 * a call that might run out does so before the library is asked at all.  What goes beyond the
 * reserve, which is sized so that nothing does, comes from the C library's heap.  Freed whole. */
struct lb_reserve {
	struct lb_mem mem; /* first member: lend &reserve.mem */
	struct lb_mem *from;
	unsigned char *block;
	size_t size, used; /* bytes */
};

lb_err lb_reserve_take(struct lb_reserve *reserve, struct lb_mem *from, size_t size); /* NOMEM */
void lb_reserve_drop(
	struct lb_reserve *reserve); /* all-zero is fine; overwrites, for secrets' sake */

#endif
