/* map.h - a hash table from bytes to pointers.
 *
 * Keys and values are borrowed: they must outlive the map.  Iteration is in
 * order of insertion (removal moves the last entry into the gap).
 * Owner: the caller of init, who calls release.  Threads: one at a time.
 */
#ifndef LB_BASE_MAP_H
#define LB_BASE_MAP_H

#include "base/bytes.h"
#include "base/mem.h"

struct lb_map_entry {
	struct lb_bytes key;
	void *value;
};

struct lb_map {
	struct lb_mem *mem;
	struct lb_map_entry *entries; /* `count` of them, to be walked */
	size_t count, capacity;
	uint32_t *slots;   /* index + 1 into entries; 0: free */
	size_t slot_count; /* a power of two */
};

void lb_map_init(struct lb_map *map, struct lb_mem *mem);
void lb_map_release(struct lb_map *map);

/* Put or replace.  NOMEM leaves the map as it was. */
lb_err lb_map_put(struct lb_map *map, struct lb_bytes key, void *value);
void *lb_map_get(const struct lb_map *map, struct lb_bytes key); /* NULL: not there */
bool lb_map_remove(struct lb_map *map, struct lb_bytes key);

#endif
