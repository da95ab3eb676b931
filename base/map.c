/* map.c - see map.h.
 *
 * The entries stand in an array in order of insertion; the slots, twice as many or more,
 * hold indices into it and are probed one after the other.
 *
 * 1. Each entry is named by exactly one slot, and each slot that is not 0 names an entry.
 * 2. Between the slot a key hashes to and the slot that names it, none is free.
 * 3. At least half of the slots are free, so every probe ends.
 */
#include "base/map.h"

enum { FIRST_CAPACITY = 8, CAPACITY_MAX = 1 << 30 };

void lb_map_init(struct lb_map *map, struct lb_mem *mem) { *map = (struct lb_map){ .mem = mem }; }

void lb_map_release(struct lb_map *map)
{
	if (map->entries != NULL) {
		LB_DROP(map->mem, map->entries, map->capacity);
		LB_DROP(map->mem, map->slots, map->slot_count);
	}
	lb_map_init(map, map->mem);
}

static size_t home_of(const struct lb_map *map, struct lb_bytes key)
{
	return (size_t)lb_bytes_hash(key) & (map->slot_count - 1);
}

static size_t next_of(const struct lb_map *map, size_t slot)
{
	return (slot + 1) & (map->slot_count - 1);
}

/* The slot that names the key, or the free one where it would go.  pre: there are slots. */
static size_t find(const struct lb_map *map, struct lb_bytes key)
{
	size_t slot = home_of(map, key);

	while (map->slots[slot] != 0 && !lb_bytes_eq(map->entries[map->slots[slot] - 1].key, key))
		slot = next_of(map, slot);
	return slot;
}

static void name_all(struct lb_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		size_t slot = home_of(map, map->entries[i].key);

		while (map->slots[slot] != 0)
			slot = next_of(map, slot);
		map->slots[slot] = (uint32_t)(i + 1);
	}
}

/* Both arrays grow or neither does. */
static lb_err grow(struct lb_map *map)
{
	size_t capacity = map->capacity > 0 ? map->capacity * 2 : FIRST_CAPACITY;
	struct lb_map_entry *entries;
	uint32_t *slots;

	if (capacity > CAPACITY_MAX)
		return lb_err_at(LB_E_LIMIT, CAPACITY_MAX);
	slots = LB_NEW(map->mem, uint32_t, capacity * 2);
	if (slots == NULL)
		return lb_err_of(LB_E_NOMEM);
	entries = lb_mem_grow(map->mem, map->entries, map->capacity, capacity, sizeof *entries);
	if (entries == NULL) {
		LB_DROP(map->mem, slots, capacity * 2);
		return lb_err_of(LB_E_NOMEM);
	}
	LB_DROP(map->mem, map->slots, map->slot_count);
	map->entries = entries;
	map->capacity = capacity;
	map->slots = slots;
	map->slot_count = capacity * 2;
	name_all(map);
	return LB_OK;
}

lb_err lb_map_put(struct lb_map *map, struct lb_bytes key, void *value)
{
	size_t slot = 0;

	if (map->slot_count > 0) {
		slot = find(map, key);
		if (map->slots[slot] != 0) {
			map->entries[map->slots[slot] - 1].value = value;
			return LB_OK;
		}
	}
	if (map->count == map->capacity) {
		LB_TRY(grow(map));
		slot = find(map, key);
	}
	map->entries[map->count++] = (struct lb_map_entry){ key, value };
	map->slots[slot] = (uint32_t)map->count;
	return LB_OK;
}

void *lb_map_get(const struct lb_map *map, struct lb_bytes key)
{
	size_t slot;

	if (map->count == 0)
		return NULL;
	slot = find(map, key);
	return map->slots[slot] != 0 ? map->entries[map->slots[slot] - 1].value : NULL;
}

/* Free a slot and move back what was probed past it, so that invariant 2 holds. */
static void free_slot(struct lb_map *map, size_t gap)
{
	size_t mask = map->slot_count - 1;

	for (size_t at = next_of(map, gap); map->slots[at] != 0; at = next_of(map, at)) {
		size_t home = home_of(map, map->entries[map->slots[at] - 1].key);

		/* Distances around the circle: a key may move back as far as its home. */
		if (((at - home) & mask) >= ((at - gap) & mask)) {
			map->slots[gap] = map->slots[at];
			gap = at;
		}
	}
	map->slots[gap] = 0;
}

bool lb_map_remove(struct lb_map *map, struct lb_bytes key)
{
	size_t slot, index;

	if (map->count == 0)
		return false;
	slot = find(map, key);
	if (map->slots[slot] == 0)
		return false;
	index = map->slots[slot] - 1;
	free_slot(map, slot);
	if (index != map->count - 1) {
		struct lb_map_entry last = map->entries[map->count - 1];

		map->slots[find(map, last.key)] = (uint32_t)(index + 1);
		map->entries[index] = last;
	}
	map->count--;
	return true;
}
