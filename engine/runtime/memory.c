/* memory.c - linear memories: growing, bounds, bulk writes.
 *
 * Invariants:
 * 1. size is type.limits.min pages, and every byte below it can be read and written.
 * 2. With a reservation, base never changes and what lies behind size faults.
 * 3. New bytes are zero.
 */
#include "engine/runtime/object.h"

#include "base/platform/pages.h"

/* A 32-bit address plus a 32-bit offset cannot reach past this. */
static const uint64_t reservation_size = (UINT64_C(8) << 30) + ENGINE_PAGE_SIZE;

static uint64_t pages_max(const struct engine_memory *memory)
{
	uint64_t page = engine_memory_page_size(&memory->type);
	uint64_t most = memory->store->options.memory_pages_max;

	/* The option counts ordinary pages. */
	most = most > UINT64_MAX / ENGINE_PAGE_SIZE ? UINT64_MAX / page
	                                            : most * (ENGINE_PAGE_SIZE / page);
	if (!memory->type.limits.is_64 && most > (UINT64_C(1) << 32) / page)
		most = (UINT64_C(1) << 32) / page;
	if (most > SIZE_MAX / page)
		most = SIZE_MAX / page;
	if (memory->type.limits.has_max && memory->type.limits.max < most)
		most = memory->type.limits.max;
	return most;
}

/* Small pages cannot be protected; what may grow past the reservation must be able to move. */
static bool wants_reservation(const struct engine_memory *memory)
{
	const struct engine_store_options *options = &memory->store->options;

	return !options->small_reservations && reservation_size <= SIZE_MAX &&
	       plat_page_size() <= ENGINE_PAGE_SIZE && !memory->type.has_byte_pages &&
	       pages_max(memory) <= 65536;
}

/* Make the block larger; the pages between are zero. */
static lb_err enlarge(struct engine_memory *memory, uint64_t size)
{
	unsigned char *fresh;

	if (size == memory->size)
		return LB_OK;
	if (memory->reserved != 0) {
		LB_TRY(plat_pages_allow(memory->base + memory->size, (size_t)(size - memory->size),
		                        PLAT_ACCESS_READ_WRITE));
	} else {
		if (size > SIZE_MAX)
			return lb_err_of(LB_E_NOMEM);
		fresh = lb_mem_grow(memory->store->mem, memory->base, (size_t)memory->size,
		                    (size_t)size, 1);
		if (fresh == NULL)
			return lb_err_of(LB_E_NOMEM);
		memset(fresh + memory->size, 0, (size_t)(size - memory->size));
		memory->base = fresh;
	}
	memory->size = size;
	return LB_OK;
}

lb_err engine_memory_init(struct engine_memory *memory, struct engine_store *store,
                          const struct engine_memory_type *type)
{
	void *base = NULL;
	lb_err err;

	*memory = (struct engine_memory){ .store = store, .type = *type };
	if (type->limits.min > pages_max(memory))
		return lb_err_of(LB_E_LIMIT);
	/* Where the address space is not to be had, a small block does as well. */
	if (wants_reservation(memory) &&
	    !lb_failed(plat_pages_reserve(&base, (size_t)reservation_size))) {
		memory->base = base;
		memory->reserved = (size_t)reservation_size;
	}
	err = enlarge(memory, type->limits.min * engine_memory_page_size(type));
	if (lb_failed(err))
		engine_memory_release(memory);
	return err;
}

void engine_memory_release(struct engine_memory *memory)
{
	if (memory->reserved != 0)
		plat_pages_release(memory->base, memory->reserved);
	else
		LB_DROP(memory->store->mem, memory->base, (size_t)memory->size);
	memory->base = NULL;
	memory->size = memory->reserved = 0;
}

lb_err engine_memory_new(struct engine_memory **out, struct engine_store *store,
                         const struct engine_memory_type *type)
{
	struct engine_memory *memory = LB_NEW(store->mem, struct engine_memory, 1);
	lb_err err;

	*out = NULL;
	if (memory == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = engine_memory_init(memory, store, type);
	if (lb_failed(err)) {
		LB_DROP(store->mem, memory, 1);
		return err;
	}
	memory->next = store->memories;
	store->memories = memory;
	*out = memory;
	return LB_OK;
}

struct engine_memory_type engine_memory_type(const struct engine_memory *memory)
{
	return memory->type;
}

unsigned char *engine_memory_base(const struct engine_memory *memory) { return memory->base; }

uint64_t engine_memory_size(const struct engine_memory *memory) { return memory->size; }

unsigned char *engine_memory_at(const struct engine_memory *memory, uint64_t offset, uint64_t len)
{
	static unsigned char nothing[1]; /* so that no bytes of no memory are a pointer too */

	if (!engine_within(offset, len, memory->size))
		return NULL;
	return memory->base != NULL ? memory->base + offset : nothing;
}

lb_err engine_memory_grow(uint64_t *pages_before, struct engine_memory *memory, uint64_t pages)
{
	uint64_t before = memory->type.limits.min, most = pages_max(memory);

	if (before > most || pages > most - before)
		return lb_err_of(LB_E_LIMIT);
	LB_TRY(enlarge(memory, (before + pages) * engine_memory_page_size(&memory->type)));
	memory->type.limits.min = before + pages;
	if (pages_before != NULL)
		*pages_before = before;
	return LB_OK;
}

enum engine_trap engine_memory_fill(struct engine_memory *memory, uint64_t to, uint32_t value,
                                    uint64_t len)
{
	if (!engine_within(to, len, memory->size))
		return ENGINE_TRAP_MEMORY_BOUNDS;
	if (len > 0)
		memset(memory->base + to, (int)(value & 0xff), (size_t)len);
	return ENGINE_TRAP_NONE;
}

enum engine_trap engine_memory_copy(struct engine_memory *to, struct engine_memory *from,
                                    uint64_t at, uint64_t start, uint64_t len)
{
	if (!engine_within(at, len, to->size) || !engine_within(start, len, from->size))
		return ENGINE_TRAP_MEMORY_BOUNDS;
	if (len > 0)
		memmove(to->base + at, from->base + start, (size_t)len);
	return ENGINE_TRAP_NONE;
}

enum engine_trap engine_instance_data_init(struct engine_instance *instance, uint32_t data,
                                           uint32_t memory, uint64_t to, uint64_t from,
                                           uint64_t len)
{
	const struct lb_bytes bytes = instance->module->datas[data].bytes;
	struct engine_memory *m = instance->memories[memory];
	uint64_t size = instance->data_dropped[data] ? 0 : bytes.len;

	if (!engine_within(to, len, m->size) || !engine_within(from, len, size))
		return ENGINE_TRAP_MEMORY_BOUNDS;
	if (len > 0)
		memcpy(m->base + to, bytes.at + from, (size_t)len);
	return ENGINE_TRAP_NONE;
}
