/* failing.h - memory for fuzz targets: counts, and can fail at one call.
 *
 *   static void target(struct lb_mem *mem, struct lb_bytes input, bool failing);
 *   ... fuzz_twice(target, data, size);
 *
 * Runs the target once with all the memory it wants and once more with one
 * allocation failing; which one is decided by the input.  Ends the process where
 * memory is still held after a run, so that the fuzzer keeps the input.
 */
#ifndef TESTS_FUZZ_FAILING_H
#define TESTS_FUZZ_FAILING_H

#include "base/bytes.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

struct fuzz_mem {
	struct lb_mem mem; /* first member */
	size_t calls, fail_at, live_bytes;
};

static inline void *fuzz_resize(struct lb_mem *self, void *old, size_t old_size, size_t new_size)
{
	struct fuzz_mem *heap = (struct fuzz_mem *)self;
	void *fresh;

	if (new_size != 0 && ++heap->calls == heap->fail_at)
		return NULL;
	fresh = lb_mem_host.resize(&lb_mem_host, old, old_size, new_size);
	if (new_size == 0 || fresh != NULL)
		heap->live_bytes += new_size - old_size; /* wraps back; unsigned */
	return fresh;
}

/* FNV-1a: spreads over the allocations which one fails. */
static inline size_t fuzz_choice(struct lb_bytes input, size_t count)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < input.len; i++)
		hash = (hash ^ input.at[i]) * UINT64_C(0x100000001b3);
	return (size_t)(hash % count);
}

static inline size_t fuzz_once(void (*target)(struct lb_mem *, struct lb_bytes, bool),
                               struct lb_bytes input, size_t fail_at)
{
	struct fuzz_mem heap = { .mem = { fuzz_resize }, .fail_at = fail_at };

	target(&heap.mem, input, fail_at != 0);
	if (heap.live_bytes != 0) {
		fprintf(stderr, "%zu bytes are still held, allocation %zu failing\n",
		        heap.live_bytes, fail_at);
		abort();
	}
	return heap.calls;
}

static inline int fuzz_twice(void (*target)(struct lb_mem *, struct lb_bytes, bool),
                             const uint8_t *data, size_t size)
{
	struct lb_bytes input = { data, size };
	size_t calls = fuzz_once(target, input, 0);

	if (calls > 0)
		(void)fuzz_once(target, input, fuzz_choice(input, calls) + 1);
	return 0;
}

#endif
