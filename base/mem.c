/* mem.c - see mem.h.  The one place that calls the C library's allocator. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static void *host_resize(struct lb_mem *self, void *old, size_t old_size, size_t new_size)
{
	(void)self;
	(void)old_size;
	if (new_size == 0) {
		free(old);
		return NULL;
	}
	return realloc(old, new_size);
}

struct lb_mem lb_mem_host = { host_resize };

void *lb_mem_new(struct lb_mem *mem, size_t count, size_t size)
{
	size_t bytes;
	void *at;

	if (__builtin_mul_overflow(count, size, &bytes) || bytes == 0)
		return NULL;
	at = mem->resize(mem, NULL, 0, bytes);
	if (at != NULL)
		memset(at, 0, bytes);
	return at;
}

void *lb_mem_grow(struct lb_mem *mem, void *old, size_t old_count, size_t new_count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(new_count, size, &bytes) || bytes == 0)
		return NULL;
	return mem->resize(mem, old, old_count * size, bytes);
}

void lb_mem_drop(struct lb_mem *mem, void *at, size_t count, size_t size)
{
	if (at != NULL)
		(void)mem->resize(mem, at, count * size, 0);
}

/* Reserve the growth before it happens, so that threads together never pass the limit. */
static bool budget_take(struct lb_budget *budget, size_t bytes)
{
	size_t used = atomic_load_explicit(&budget->bytes_used, memory_order_relaxed);

	do {
		if (budget->bytes_max != 0 && bytes > budget->bytes_max - used)
			return false;
	} while (!atomic_compare_exchange_weak(&budget->bytes_used, &used, used + bytes));
	return true;
}

static void *budget_resize(struct lb_mem *self, void *old, size_t old_size, size_t new_size)
{
	struct lb_budget *budget = (struct lb_budget *)self; /* mem is its first member */
	size_t more = new_size > old_size ? new_size - old_size : 0;
	void *fresh;

	if (more > 0 && !budget_take(budget, more))
		return NULL;
	fresh = budget->under->resize(budget->under, old, old_size, new_size);
	if (new_size != 0 && fresh == NULL)
		atomic_fetch_sub(&budget->bytes_used, more);
	else if (new_size < old_size)
		atomic_fetch_sub(&budget->bytes_used, old_size - new_size);
	return fresh;
}

void lb_budget_init(struct lb_budget *budget, struct lb_mem *under, size_t bytes_max)
{
	budget->mem.resize = budget_resize;
	budget->under = under;
	budget->bytes_max = bytes_max;
	atomic_init(&budget->bytes_used, 0);
}

char *lb_mem_text(struct lb_mem *mem, const char *at, size_t len)
{
	char *copy = len == SIZE_MAX ? NULL : lb_mem_new(mem, len + 1, 1);

	if (copy != NULL && len > 0)
		memcpy(copy, at, len);
	return copy;
}
