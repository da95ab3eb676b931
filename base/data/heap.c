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
