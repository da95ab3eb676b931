/* arena.c - see arena.h. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ALIGN = 16, BLOCK_MIN = 4096, BLOCK_MAX = 1 << 20 };

struct lb_arena_block {
	struct lb_arena_block *before;
	size_t size; /* of the whole block, this header included */
	size_t used; /* likewise */
	size_t pad;
};

static_assert(sizeof(struct lb_arena_block) % ALIGN == 0, "the first allocation is aligned");

static size_t rounded(size_t bytes) { return (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

/* A fresh block with room for `bytes`; blocks double so that their number stays small. */
static struct lb_arena_block *add_block(struct lb_arena *arena, size_t bytes)
{
	size_t size = arena->last != NULL ? arena->last->size * 2 : BLOCK_MIN;
	struct lb_arena_block *block;

	if (size > BLOCK_MAX)
		size = BLOCK_MAX;
	if (size < bytes + sizeof *block)
		size = bytes + sizeof *block;
	block = arena->under->resize(arena->under, NULL, 0, size);
	if (block == NULL)
		return NULL;
	*block = (struct lb_arena_block){ .before = arena->last,
		                          .size = size,
		                          .used = sizeof *block };
	arena->last = block;
	return block;
}

static void *take(struct lb_arena *arena, size_t bytes)
{
	struct lb_arena_block *block = arena->last;
	void *at;

	if (bytes > SIZE_MAX / 2 || arena->failed)
		goto failed;
	bytes = rounded(bytes);
	if (block == NULL || block->size - block->used < bytes) {
		block = add_block(arena, bytes);
		if (block == NULL)
			goto failed;
	}
	at = (char *)block + block->used;
	block->used += bytes;
	arena->bytes_used += bytes;
	return at;
failed:
	arena->failed = true;
	return NULL;
}

/* As a struct lb_mem: growing copies, freeing waits for the release. */
static void *arena_resize(struct lb_mem *self, void *old, size_t old_size, size_t new_size)
{
	void *fresh;

	if (new_size == 0)
		return NULL;
	if (old != NULL && rounded(new_size) <= rounded(old_size))
		return old;
	fresh = take((struct lb_arena *)self, new_size); /* mem is its first member */
	if (fresh != NULL && old != NULL)
		memcpy(fresh, old, old_size);
	return fresh;
}

void lb_arena_init(struct lb_arena *arena, struct lb_mem *under)
{
	*arena = (struct lb_arena){ .mem = { arena_resize }, .under = under };
}

void lb_arena_release(struct lb_arena *arena)
{
	struct lb_arena_block *block = arena->last;

	while (block != NULL) {
		struct lb_arena_block *before = block->before;

		lb_mem_drop(arena->under, block, block->size, 1);
		block = before;
	}
	arena->last = NULL;
	arena->bytes_used = 0;
	arena->failed = false;
}

void *lb_arena_alloc(struct lb_arena *arena, size_t count, size_t size)
{
	size_t bytes;
	void *at;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		arena->failed = true;
		return NULL;
	}
	at = take(arena, bytes);
	if (at != NULL && bytes > 0)
		memset(at, 0, bytes);
	return at;
}

char *lb_arena_text(struct lb_arena *arena, struct lb_bytes bytes)
{
	char *copy = bytes.len == SIZE_MAX ? NULL : lb_arena_alloc(arena, bytes.len + 1, 1);

	if (copy != NULL && bytes.len > 0)
		memcpy(copy, bytes.at, bytes.len);
	return copy;
}

struct lb_bytes lb_arena_bytes(struct lb_arena *arena, struct lb_bytes bytes)
{
	char *copy = lb_arena_text(arena, bytes);

	return copy != NULL ? (struct lb_bytes){ (const unsigned char *)copy, bytes.len }
	                    : (struct lb_bytes){ 0 };
}

struct lb_bytes lb_arena_format(struct lb_arena *arena, const char *format, ...)
{
	va_list args, again;
	char *text = NULL;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	if (len >= 0)
		text = lb_arena_alloc(arena, (size_t)len + 1, 1);
	if (text != NULL)
		(void)vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	va_end(args);
	return text != NULL ? (struct lb_bytes){ (const unsigned char *)text, (size_t)len }
	                    : (struct lb_bytes){ 0 };
}
