/* store.h - where running things live: functions, memories, tables, globals.
 *
 * Everything made in a store is owned by it and lives until engine_store_free;
 * every pointer got from it is borrowed.  Threads: one at a time, except
 * engine_store_interrupt.  Running out of memory is LB_E_NOMEM and leaves the
 * store and all that is in it usable.
 */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include "base/diag.h"
#include "base/mem.h"
#include "engine/trap.h"
#include "engine/value.h"

struct engine_store;
struct engine_instance;
struct engine_func;
struct engine_table;
struct engine_memory;
struct engine_global;
struct engine_tag;

struct engine_store_options {
	uint32_t call_depth_max;     /* functions in functions; 0: 16384 */
	uint32_t stack_slots_max;    /* 8 bytes each; 0: 1048576 */
	uint64_t memory_pages_max;   /* of one memory; 0: 65536 */
	uint64_t table_elements_max; /* of one table; 0: 10000000 */
	uint64_t heap_bytes_max;     /* of garbage-collected objects; 0: 1 GiB */
	bool collect_always;         /* before each allocation: for tests */
	/* Reserve only what a memory has, and move it when it grows: for hosts short of
	 * address space, emulators and valgrind.  It is also what happens by itself where a
	 * large reservation is refused. */
	bool small_reservations;
};

lb_err engine_store_new(struct engine_store **out, struct lb_mem *mem,
                        const struct engine_store_options *options); /* options: NULL is fine */
void engine_store_free(struct engine_store *store);                  /* NULL is fine */

/* Ask what runs in the store to end with ENGINE_TRAP_INTERRUPT at its next loop
 * or call.  Safe from any thread and from a signal handler.  It holds until
 * engine_store_resume. */
void engine_store_interrupt(struct engine_store *store);
void engine_store_resume(struct engine_store *store);

/* Count what runs: each call and each turn of a loop takes one unit of fuel, the same on every
 * machine.  Where there is none left, `more` says how much more there is (it may look at the
 * store, and call nothing in it), and the run goes on; 0, or no `more`, ends it with
 * ENGINE_TRAP_FUEL. Takes the place of what was set before. */
typedef uint64_t (*engine_fuel_call)(void *ctx, struct engine_store *store);
void engine_store_set_fuel(struct engine_store *store, uint64_t fuel, engine_fuel_call more,
                           void *ctx);
void engine_store_unset_fuel(struct engine_store *store);
uint64_t engine_store_fuel(const struct engine_store *store); /* what is left */

/* End what runs with ENGINE_TRAP_DEADLINE when plat_clock_now_ns (base/platform/clock.h) is past
 * that time, within a thousand calls or turns of loops; 0: never. */
void engine_store_set_deadline(struct engine_store *store, uint64_t deadline_ns);

/* ---- functions ---- */

/* A host function.  `caller` is the instance that calls, NULL when the embedder
 * does.  Write every result.  A failure unwinds the run and is what
 * engine_func_call returns: engine_trap(...), engine_trap_exit(status), or any other. */
typedef lb_err (*engine_host_call)(void *ctx, struct engine_instance *caller,
                                   const union engine_value *args, union engine_value *results);

/* `type` is copied.  `ctx` is borrowed until the store is freed. */
lb_err engine_func_new(struct engine_func **out, struct engine_store *store,
                       const struct engine_func_type *type, engine_host_call call, void *ctx);
struct engine_func_type engine_func_type(const struct engine_func *func);
uint32_t engine_func_type_index(const struct engine_func *func); /* in the store's types */

/* Call with as many arguments and room for as many results as the type has (asserted:
 * arg_count, result_count).  May be called from within a host function. */
lb_err engine_func_call(struct engine_func *func, const union engine_value *args,
                        uint32_t arg_count, union engine_value *results, uint32_t result_count);

/* ---- memories ---- */

lb_err engine_memory_new(struct engine_memory **out, struct engine_store *store,
                         const struct engine_memory_type *type);
struct engine_memory_type engine_memory_type(const struct engine_memory *memory); /* min: now */

/* The bytes as they stand now: calls and growing may move and enlarge them. */
unsigned char *engine_memory_base(const struct engine_memory *memory);
uint64_t engine_memory_size(const struct engine_memory *memory); /* bytes */

/* `len` bytes at `offset` as a pointer, good until the next call or growth; NULL where
 * they are not all inside. */
unsigned char *engine_memory_at(const struct engine_memory *memory, uint64_t offset, uint64_t len);

/* *pages_before may be NULL.  LIMIT above the maximum, NOMEM; unchanged then. */
lb_err engine_memory_grow(uint64_t *pages_before, struct engine_memory *memory, uint64_t pages);

/* ---- tables and globals ---- */

lb_err engine_table_new(struct engine_table **out, struct engine_store *store,
                        const struct engine_table_type *type, union engine_value fill);
struct engine_table_type engine_table_type(const struct engine_table *table); /* min: now */
uint64_t engine_table_size(const struct engine_table *table);                 /* elements */
lb_err engine_table_grow(uint64_t *size_before, struct engine_table *table, uint64_t count,
                         union engine_value fill);
/* RANGE outside the table. */
lb_err engine_table_get(union engine_value *out, const struct engine_table *table, uint64_t index);
lb_err engine_table_set(struct engine_table *table, uint64_t index, union engine_value value);

lb_err engine_global_new(struct engine_global **out, struct engine_store *store,
                         const struct engine_global_type *type, union engine_value value);
struct engine_global_type engine_global_type(const struct engine_global *global);
union engine_value engine_global_get(const struct engine_global *global);
/* DENIED where it is immutable. */
lb_err engine_global_set(struct engine_global *global, union engine_value value);

/* ---- tags, exceptions, references ---- */

/* `type` is copied: the values that an exception carries, no results. */
lb_err engine_tag_new(struct engine_tag **out, struct engine_store *store,
                      const struct engine_func_type *type);
struct engine_func_type engine_tag_type(const struct engine_tag *tag);

/* From a host function: `return engine_store_throw(store, tag, values);` throws in its caller. */
lb_err engine_store_throw(struct engine_store *store, struct engine_tag *tag,
                          const union engine_value *values);

/* The exception that ended the last call with ENGINE_TRAP_EXCEPTION; NULL where there is none.
 * The values (as many as the tag's type has) may be NULL.  It is forgotten with the next call. */
struct engine_tag *engine_store_exception(const struct engine_store *store,
                                          union engine_value *values);

/* Keep what a reference points to until it is dropped as often as it was kept.  A reference of
 * an externref that the host made itself needs no keeping, and is left alone. */
lb_err engine_store_keep(struct engine_store *store, union engine_value value);
void engine_store_drop(struct engine_store *store, union engine_value value);

/* Free what cannot be reached; the bytes still in use. */
uint64_t engine_store_collect(struct engine_store *store);

/* ---- the last trap ---- */

/* The functions that were under way when the last call from C ended with a trap, innermost first.
 */
struct engine_trace_frame {
	const struct engine_instance *instance;
	uint32_t func;        /* index in its module */
	struct lb_bytes name; /* from the module's names; empty where it has none */
};

uint32_t engine_store_trace_count(const struct engine_store *store);
void engine_store_trace(struct engine_trace_frame *out, const struct engine_store *store,
                        uint32_t index);

#endif
