/* object.h - what lives in a store, as the engine's folders see it.
 *
 * A value in a slot: i32 and f32 zero-extended, i64 and f64 as they are, v128
 * in two slots.  References: null is 0; functions are the pointer; in the any
 * hierarchy an object's pointer, or a number of 31 bits shifted left with bit 0
 * set, or the host's pointer with bit 63 set; in the extern hierarchy the same
 * with bit 63 the other way round, so that the host's pointers are themselves.
 * Types of things here mean the store's types.  Layer: engine, not for embedders.  Threads: as
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
	ENGINE_PAGES_DEFAULT = 65536,
	ENGINE_TRACE_MAX = 64
};

#define ENGINE_HEAP_DEFAULT (UINT64_C(1) << 30)
#define ENGINE_REF_OTHER (UINT64_C(1) << 63)

/* What a helper says where memory ran out: no trap of the language. */
enum { ENGINE_TRAP_NOMEM = 0xff };

struct engine_func {
	const struct engine_func_type *type;
	uint32_t type_index;
	struct engine_instance *instance; /* NULL: a host function */
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
	uint64_t value[2];
	struct engine_global_type type;
	struct engine_global *next; /* of the store's own */
};

struct engine_tag {
	uint32_t type_index;
	const struct engine_func_type *type;
	struct engine_store *store;
	struct engine_tag *next; /* of the store's own */
};

enum engine_object_kind { ENGINE_OBJECT_STRUCT, ENGINE_OBJECT_ARRAY, ENGINE_OBJECT_EXCEPTION };

/* A block of the garbage-collected heap. */
struct engine_object {
	struct engine_object *next; /* of all of the store */
	struct engine_object *gray; /* of those that are reached and still to be looked at */
	uint32_t type;
	uint8_t kind;
	bool reached;
	uint32_t length;  /* elements of an array */
	uint64_t slots[]; /* fields; an array's elements as bytes; an exception's tag and values */
};

struct engine_instance {
	struct engine_store *store;
	const struct engine_module *module;
	struct lb_arena arena;
	struct engine_instance *next;

	/* The index spaces; what the module defines stands in the arrays behind. */
	const uint32_t *types; /* the store's type for each canonical one of the module */
	struct engine_tag **tags, *own_tags;
	uint64_t **elems; /* values of segments that are code, evaluated; NULL for others */
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

/* A host function under way, whose arguments may be references. */
struct engine_host_frame {
	struct engine_host_frame *outer;
	const struct engine_func_type *type;
	const uint64_t *slots;
};

struct engine_kept {
	uint64_t ref;
	uint32_t count;
};

enum engine_attention {
	ENGINE_ATTENTION_INTERRUPT = 1,
	ENGINE_ATTENTION_FUEL = 2,
	ENGINE_ATTENTION_DEADLINE = 4
};

struct engine_store {
	struct lb_mem *mem;
	struct engine_store_options options; /* defaults filled in */
	_Atomic uint32_t attention; /* enum engine_attention: what loops and calls look at */
	uint64_t fuel, deadline_ns;
	uint32_t polls; /* until the clock is looked at */
	engine_fuel_call more_fuel;
	void *more_fuel_ctx;

	uint64_t *slots, *slots_end, *slots_top; /* top: free for the next call from C */
	struct engine_frame *frames, *frames_end, *frame;
	uint32_t nesting;
	struct engine_host_frame *host_frame;

	/* The instruction that called a helper which may collect: where it goes on. */
	const union engine_cell *pc;
	uint64_t *fp;
	struct engine_instance *instance;

	struct lb_arena type_arena;
	struct engine_types types;

	struct engine_object *objects;
	uint64_t heap_bytes, heap_bytes_next; /* next: collect when there are as many */
	struct engine_object *exception;      /* on its way, or not caught */
	struct engine_kept *kept;
	uint32_t kept_count, kept_capacity;

	struct engine_trace_frame trace[ENGINE_TRACE_MAX];
	uint32_t trace_count;
	struct engine_tag *tags;

	struct engine_instance *instances;
	struct engine_func *funcs;
	struct engine_memory *memories;
	struct engine_table *tables;
	struct engine_global *globals;
};

/* The store's index of a function's type, whose own types are the store's. */
lb_err engine_store_intern(uint32_t *out, struct engine_store *store,
                           const struct engine_func_type *type);

/* All types of a module into the store's; as many as the module has canonical ones. */
lb_err engine_store_intern_module(uint32_t *map, struct engine_store *store,
                                  const struct engine_module *module);

/* A type of the module as one of the store. */
static inline engine_type engine_instance_type(const struct engine_instance *instance,
                                               engine_type type)
{
	if (!engine_type_has_index(type))
		return type;
	return engine_type_of_index(instance->types[engine_type_index(type)]) |
	       (type & ENGINE_NON_NULL);
}

/* Values of any type from and to slots: one, or two for a v128. */
void engine_slots_of_value(uint64_t *slots, union engine_value value, engine_type type);
union engine_value engine_value_of_slots(const uint64_t *slots, engine_type type);
uint32_t engine_types_slots(const engine_type *types, uint32_t count);

/* The value of a constant expression, in one or two slots. */
lb_err engine_instance_evaluate(uint64_t *slots, struct engine_instance *instance,
                                const struct engine_const *c);

/* An object whose fields or elements are zero, `bytes` of them; it may collect garbage first.
 * ENGINE_TRAP_HEAP, ENGINE_TRAP_NOMEM, or none. */
unsigned engine_object_new(struct engine_object **out, struct engine_store *store,
                           enum engine_object_kind kind, uint32_t type, uint64_t bytes);
void engine_store_collect_all(struct engine_store *store);
void engine_heap_release(struct engine_store *store);

/* Whether the reference is of that type of the store. */
bool engine_ref_matches(const struct engine_store *store, uint64_t ref, engine_type type);

/* At a loop's next turn and at a call, when there is attention: whether to end. */
unsigned engine_store_poll(struct engine_store *store);

/* Bytes that an array's element takes, a field's type given. */
uint32_t engine_storage_bytes(engine_type type);

/* Call a host function: arguments from and results to `slots`; stack room behind them is
 * looked for. */
lb_err engine_func_call_host(struct engine_func *func, struct engine_instance *caller,
                             uint64_t *slots);

/* In place, for instances. */
lb_err engine_memory_init(struct engine_memory *memory, struct engine_store *store,
                          const struct engine_memory_type *type);
void engine_memory_release(struct engine_memory *memory);
lb_err engine_table_init(struct engine_table *table, struct engine_store *store,
                         const struct engine_table_type *type);
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

/* One element of a segment, and how many there are: none once it is dropped. */
uint64_t engine_instance_elem_value(struct engine_instance *instance, uint32_t elem,
                                    uint64_t index);
uint64_t engine_instance_elem_count(const struct engine_instance *instance, uint32_t elem);

static inline bool engine_within(uint64_t start, uint64_t len, uint64_t size)
{
	return start <= size && len <= size - start;
}

#endif
