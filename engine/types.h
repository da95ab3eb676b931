/* types.h - a table of canonical types: equal types have one index, whatever they were called.
 *
 * Types are equal if their recursive groups are equal as wholes and they stand
 * at the same place in them.  A group whose types refer to each other is put
 * in with indices from the table's count on, as if it were new; if there is an equal
 * one, that one's indices are given back and nothing is added.
 *
 * Layer: engine, shared by its folders.  Owner: whoever has the arena.
 * Threads: one at a time while groups are added, then immutable.
 */
#ifndef ENGINE_TYPES_H
#define ENGINE_TYPES_H

#include "base/arena.h"
#include "engine/type.h"

enum { ENGINE_SUBTYPE_DEPTH_MAX = 63 };

struct engine_types_group; /* types.c */

struct engine_types {
	struct lb_arena *arena; /* takes the types that stay */
	struct lb_mem *mem;
	struct engine_def_type **at; /* each a block of the arena: they stay where they are */
	uint32_t count, capacity;
	struct engine_types_group **buckets;
	uint32_t group_count, bucket_count;
};

void engine_types_init(struct engine_types *types, struct lb_arena *arena, struct lb_mem *mem);
void engine_types_release(struct engine_types *types);

/* Put a group in; what `group` points to is copied.  *first is the index of the group's first
 * type.  NOMEM leaves the table as it was. */
lb_err engine_types_add(uint32_t *first, struct engine_types *types,
                        const struct engine_def_type *group, uint32_t count);

/* Types in the group that begins with `first`. */
uint32_t engine_types_group_len(const struct engine_types *types, uint32_t first);

/* Whether a value of type `a` is one of type `b`. */
bool engine_types_match(const struct engine_types *types, engine_type a, engine_type b);

/* Whether type `a` is `b` or was declared below it. */
bool engine_types_below(const struct engine_types *types, uint32_t a, uint32_t b);

/* Whether type `a` may say it is a subtype of `b`: same kind, parts that match. */
bool engine_types_may_extend(const struct engine_types *types, const struct engine_def_type *a,
                             const struct engine_def_type *b);

bool engine_types_match_lists(const struct engine_types *types, const engine_type *a,
                              const engine_type *b, uint32_t count);

#endif
