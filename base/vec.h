/* vec.h - a growable array of one type, with a mandatory maximum.
 *
 *   struct lb_vec jobs;
 *   lb_vec_init(&jobs, mem, sizeof(struct job), JOBS_MAX);
 *   struct job *job = lb_vec_add(&jobs);          zeroed; NULL when failed
 *   LB_VEC_AT(&jobs, struct job, i)->name = ...
 *
 * Failure is sticky as in base/buf.h.  Pointers to items hold until the next add.
 * Owner: the caller of init, who calls release.  Threads: one at a time.
 */
#ifndef LB_BASE_VEC_H
#define LB_BASE_VEC_H

#include "base/mem.h"

struct lb_vec {
	struct lb_mem *mem;
	void *at;
	size_t count, capacity, count_max, item_size;
	lb_err failure;
};

void lb_vec_init(struct lb_vec *vec, struct lb_mem *mem, size_t item_size, size_t count_max);
void lb_vec_release(struct lb_vec *vec);       /* all-zero is fine */
void *lb_vec_add(struct lb_vec *vec);          /* a zeroed item at the end, or NULL */
lb_err lb_vec_check(const struct lb_vec *vec); /* LB_OK, NOMEM or LIMIT */

static inline void *lb_vec_item(const struct lb_vec *vec, size_t index)
{
	assert(index < vec->count);
	return (char *)vec->at + index * vec->item_size;
}

#define LB_VEC_AT(vec, type, index) ((type *)lb_vec_item((vec), (index)))

#endif
