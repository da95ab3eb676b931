/* vec.c - see vec.h. */
#include "base/vec.h"

#include <string.h>

enum { FIRST_CAPACITY = 8 };

void lb_vec_init(struct lb_vec *vec, struct lb_mem *mem, size_t item_size, size_t count_max)
{
	assert(item_size > 0 && count_max < SIZE_MAX / 2);
	*vec = (struct lb_vec){ .mem = mem, .item_size = item_size, .count_max = count_max };
}

void lb_vec_release(struct lb_vec *vec)
{
	if (vec->at != NULL)
		lb_mem_drop(vec->mem, vec->at, vec->capacity, vec->item_size);
	vec->at = NULL;
	vec->count = vec->capacity = 0;
	vec->failure = LB_OK;
}

static lb_err grow(struct lb_vec *vec)
{
	size_t capacity = vec->capacity > 0 ? vec->capacity * 2 : FIRST_CAPACITY;
	void *fresh;

	if (vec->count >= vec->count_max)
		return lb_err_at(LB_E_LIMIT, vec->count_max);
	if (capacity > vec->count_max)
		capacity = vec->count_max;
	fresh = lb_mem_grow(vec->mem, vec->at, vec->capacity, capacity, vec->item_size);
	if (fresh == NULL)
		return lb_err_of(LB_E_NOMEM);
	vec->at = fresh;
	vec->capacity = capacity;
	return LB_OK;
}

void *lb_vec_add(struct lb_vec *vec)
{
	void *item;

	if (lb_failed(vec->failure))
		return NULL;
	if (vec->count == vec->capacity) {
		vec->failure = grow(vec);
		if (lb_failed(vec->failure))
			return NULL;
	}
	item = (char *)vec->at + vec->count * vec->item_size;
	vec->count++;
	memset(item, 0, vec->item_size);
	return item;
}

lb_err lb_vec_check(const struct lb_vec *vec) { return vec->failure; }
