/* object.h - what lives in a store, as the engine's folders see it.
 *
 * A value in a slot: i32 and f32 zero-extended, i64 and f64 as they are,
 * references as the pointer.  Layer: engine, not for embedders.  Threads: as
 * engine/store.h.
 */
#ifndef ENGINE_RUNTIME_OBJECT_H
#define ENGINE_RUNTIME_OBJECT_H

#include "engine/form.h"
#include "engine/instance.h"

enum {
	ENGINE_HOST_NESTING_MAX = 500, /* host functions that call back in, within each other */
	ENGINE_DEPTH_DEFAULT = 16384,
	ENGINE_SLOTS_DEFAULT = 1 << 20,
	ENGINE_TABLE_DEFAULT = 10000000,
	ENGINE_PAGES_DEFAULT = 65536
};

struct engine_func {
	const struct engine_func_type *type; /* the store's copy: equal types are one pointer */
	struct engine_instance *instance;    /* NULL: a host function */
	const struct engine_body *body;
	struct engine_store *store;
	engine_host_call call;
	void *ctx;
	struct engine_func *next; /* of the store's own */
};

/* The bytes stand in a reservation and never move, or (small) in a block that does. */
struct engine_memory {
	unsigned char *base;
	uint64_t size; /* bytes */
	struct engine_memory_type type;
	struct engine_store *store;
	size_t reserved;            /* bytes of address space; 0: small */
	struct engine_memory *next; /* of the store's own */
};

struct engine_table {
	uint64_t *elements;
	uint64_t size, capacity;
	struct engine_table_type type;
	struct engine_store *store;
	struct engine_table *next; /* of the store's own */
};

struct engine_global {
	uint64_t value;
	struct engine_global_type type;
	struct engine_global *next; /* of the store's own */
};

struct engine_instance {
	struct engine_store *store;
	const struct engine_module *module;
	struct lb_arena arena;
	struct engine_instance *next;

	/* The index spaces; what the module defines stands in the arrays behind. */
	const struct engine_func_type **types;
	struct engine_func **funcs;
	struct engine_table **tables;
	struct engine_memory **memories; /* one more than there are: [0] can be NULL */
	struct engine_global **globals;
	struct engine_func *own_funcs;
	struct engine_table *own_tables;
	struct engine_memory *own_memories;
	struct engine_global *own_globals;
	uint32_t own_table_count, own_memory_count; /* as many as are made */
	bool *elem_dropped, *data_dropped;
};

/* A call under way, to be taken up again at pc. */
struct engine_frame {
	const union engine_cell *pc;
	uint64_t *fp;
	struct engine_instance *instance;
};

struct engine_store_type {
	struct engine_func_type type;
	struct engine_store_type *next; /* in its bucket */
};

struct engine_store {
	struct lb_mem *mem;
	struct engine_store_options options; /* defaults filled in */
	_Atomic bool interrupt;

	uint64_t *slots, *slots_end, *slots_top; /* top: free for the next call from C */
	struct engine_frame *frames, *frames_end, *frame;
	uint32_t nesting;

	struct lb_arena type_arena;
	struct engine_store_type **type_buckets;
	uint32_t type_count, type_bucket_count;

	struct engine_instance *instances;
	struct engine_func *funcs;
	struct engine_memory *memories;
	struct engine_table *tables;
	struct engine_global *globals;
};

/* The store's one copy of a type. */
lb_err engine_store_intern(const struct engine_func_type **out, struct engine_store *store,
                           const struct engine_func_type *type);

uint64_t engine_slot_of_value(union engine_value value, engine_type type);
union engine_value engine_value_of_slot(uint64_t slot, engine_type type);

/* Call a host function: arguments from and results to `slots`; stack room behind them is
 * looked for. */
lb_err engine_func_call_host(struct engine_func *func, struct engine_instance *caller,
                             uint64_t *slots);

/* In place, for instances. */
lb_err engine_memory_init(struct engine_memory *memory, struct engine_store *store,
                          const struct engine_memory_type *type);
void engine_memory_release(struct engine_memory *memory);
lb_err engine_table_init(struct engine_table *table, struct engine_store *store,
                         const struct engine_table_type *type, uint64_t fill);
void engine_table_release(struct engine_table *table);
void engine_instance_release(struct engine_instance *instance);
lb_err engine_table_grow_slots(uint64_t *size_before, struct engine_table *table, uint64_t count,
                               uint64_t fill);

/* The bulk instructions: ENGINE_TRAP_NONE, or why not; nothing is written then. */
enum engine_trap engine_memory_fill(struct engine_memory *memory, uint64_t to, uint32_t value,
                                    uint64_t len);
enum engine_trap engine_memory_copy(struct engine_memory *to, struct engine_memory *from,
                                    uint64_t at, uint64_t start, uint64_t len);
enum engine_trap engine_instance_data_init(struct engine_instance *instance, uint32_t data,
                                           uint32_t memory, uint64_t to, uint64_t from,
                                           uint64_t len);
enum engine_trap engine_table_fill(struct engine_table *table, uint64_t to, uint64_t value,
                                   uint64_t len);
enum engine_trap engine_table_copy(struct engine_table *to, struct engine_table *from, uint64_t at,
                                   uint64_t start, uint64_t len);
enum engine_trap engine_instance_elem_init(struct engine_instance *instance, uint32_t elem,
                                           uint32_t table, uint64_t to, uint64_t from,
                                           uint64_t len);

static inline bool engine_within(uint64_t start, uint64_t len, uint64_t size)
{
	return start <= size && len <= size - start;
}

#endif
