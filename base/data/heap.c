/* heap.c - see heap_priv.h. */
#include "base/data/heap_priv.h"

#include <stdalign.h>
#include <string.h>

struct header {
	alignas(max_align_t) struct lb_mem *mem;
	size_t size; /* of the whole block, this header included */
};

static _Thread_local struct lb_loan *current;

void lb_loan_begin(struct lb_loan *loan, struct lb_mem *mem)
{
	*loan = (struct lb_loan){ .mem = mem, .outer = current };
	current = loan;
}

void lb_loan_end(struct lb_loan *loan)
{
	assert(current == loan);
	current = loan->outer;
}

static void *refuse(void)
{
	if (current != NULL)
		current->failed = true;
	return NULL;
}

void *lb_loan_malloc(size_t size)
{
	struct lb_mem *mem = current != NULL ? current->mem : &lb_mem_host;
	size_t whole;
	struct header *header;

	if (__builtin_add_overflow(size, sizeof *header, &whole))
		return refuse();
	header = mem->resize(mem, NULL, 0, whole);
	if (header == NULL)
		return refuse();
	*header = (struct header){ mem, whole };
	return header + 1;
}

void *lb_loan_realloc(void *at, size_t size)
{
	struct header *header = at;
	struct header *fresh;
	size_t whole;

	if (at == NULL)
		return lb_loan_malloc(size);
	if (__builtin_add_overflow(size, sizeof *header, &whole))
		return refuse();
	header--;
	fresh = header->mem->resize(header->mem, header, header->size, whole);
	if (fresh == NULL)
		return refuse();
	fresh->size = whole;
	return fresh + 1;
}

void lb_loan_free(void *at)
{
	struct header *header = at;

	if (at == NULL)
		return;
	header--;
	(void)header->mem->resize(header->mem, header, header->size, 0);
}

/* ---- reserves ---- */

enum { ALIGN = alignof(max_align_t) };

static bool is_inside(const struct lb_reserve *reserve, const void *at)
{
	uintptr_t from = (uintptr_t)reserve->block;

	return (uintptr_t)at >= from && (uintptr_t)at < from + reserve->size;
}

static void *take(struct lb_reserve *reserve, size_t size)
{
	size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	void *at;

	if (rounded < size || rounded > reserve->size - reserve->used)
		return lb_mem_host.resize(&lb_mem_host, NULL, 0, size);
	at = reserve->block + reserve->used;
	reserve->used += rounded;
	return at;
}

static void *reserve_resize(struct lb_mem *self, void *old, size_t old_size, size_t new_size)
{
	struct lb_reserve *reserve = (struct lb_reserve *)self; /* mem is its first member */
	void *fresh;

	if (old != NULL && !is_inside(reserve, old))
		return lb_mem_host.resize(&lb_mem_host, old, old_size, new_size);
	if (new_size == 0)
		return NULL;
	fresh = take(reserve, new_size);
	if (fresh != NULL && old != NULL)
		memcpy(fresh, old, old_size < new_size ? old_size : new_size);
	return fresh;
}

lb_err lb_reserve_take(struct lb_reserve *reserve, struct lb_mem *from, size_t size)
{
	*reserve = (struct lb_reserve){ .mem = { reserve_resize }, .from = from };
	reserve->block = lb_mem_new(from, size, 1);
	if (reserve->block == NULL)
		return lb_err_of(LB_E_NOMEM);
	reserve->size = size;
	return LB_OK;
}

void lb_reserve_drop(struct lb_reserve *reserve)
{
	volatile unsigned char *at = reserve->block;

	for (size_t i = 0; i < reserve->used; i++)
		at[i] = 0;
	if (reserve->block != NULL)
		lb_mem_drop(reserve->from, reserve->block, reserve->size, 1);
	*reserve = (struct lb_reserve){ 0 };
}
