/* store.c - the store: its stacks, its types, its end. */
#include "engine/runtime/object.h"

static void fill_options(struct engine_store_options *out,
                         const struct engine_store_options *options)
{
	if (options != NULL)
		*out = *options;
	if (out->call_depth_max == 0)
		out->call_depth_max = ENGINE_DEPTH_DEFAULT;
	if (out->stack_slots_max == 0)
		out->stack_slots_max = ENGINE_SLOTS_DEFAULT;
	if (out->memory_pages_max == 0)
		out->memory_pages_max = ENGINE_PAGES_DEFAULT;
	if (out->table_elements_max == 0)
		out->table_elements_max = ENGINE_TABLE_DEFAULT;
}

lb_err engine_store_new(struct engine_store **out, struct lb_mem *mem,
                        const struct engine_store_options *options)
{
	struct engine_store *store = LB_NEW(mem, struct engine_store, 1);

	*out = NULL;
	if (store == NULL)
		return lb_err_of(LB_E_NOMEM);
	store->mem = mem;
	fill_options(&store->options, options);
	lb_arena_init(&store->type_arena, mem);
	/* Not zeroed: a frame's slots are written before they are read, and what is never
	 * reached needs no memory behind it. */
	store->slots =
		lb_mem_grow(mem, NULL, 0, store->options.stack_slots_max, sizeof *store->slots);
	store->frames =
		lb_mem_grow(mem, NULL, 0, store->options.call_depth_max, sizeof *store->frames);
	if (store->slots == NULL || store->frames == NULL) {
		engine_store_free(store);
		return lb_err_of(LB_E_NOMEM);
	}
	store->slots_top = store->slots;
	store->slots_end = store->slots + store->options.stack_slots_max;
	store->frame = store->frames;
	store->frames_end = store->frames + store->options.call_depth_max;
	*out = store;
	return LB_OK;
}

/* Free a list of things of one type, each after `release`. */
#define FREE_LIST(store, list, release) \
	while ((store)->list != NULL) { \
		__typeof__((store)->list) gone_ = (store)->list; \
		(store)->list = gone_->next; \
		release(gone_); \
		LB_DROP((store)->mem, gone_, 1); \
	}

static void release_func(struct engine_func *func) { (void)func; }
static void release_global(struct engine_global *global) { (void)global; }

void engine_store_free(struct engine_store *store)
{
	if (store == NULL)
		return;
	FREE_LIST(store, instances, engine_instance_release)
	FREE_LIST(store, funcs, release_func)
	FREE_LIST(store, memories, engine_memory_release)
	FREE_LIST(store, tables, engine_table_release)
	FREE_LIST(store, globals, release_global)
	LB_DROP(store->mem, store->type_buckets, store->type_bucket_count);
	lb_arena_release(&store->type_arena);
	LB_DROP(store->mem, store->slots, store->options.stack_slots_max);
	LB_DROP(store->mem, store->frames, store->options.call_depth_max);
	LB_DROP(store->mem, store, 1);
}

void engine_store_interrupt(struct engine_store *store) { atomic_store(&store->interrupt, true); }

void engine_store_resume(struct engine_store *store) { atomic_store(&store->interrupt, false); }

/* ---- types ---- */

static uint64_t type_hash(const struct engine_func_type *type)
{
	const struct lb_bytes params = { (const unsigned char *)type->params,
		                         type->param_count * sizeof *type->params };
	const struct lb_bytes results = { (const unsigned char *)type->results,
		                          type->result_count * sizeof *type->results };

	return lb_bytes_hash(params) * 31 + lb_bytes_hash(results);
}

static lb_err widen_buckets(struct engine_store *store)
{
	uint32_t count = store->type_bucket_count == 0 ? 64 : store->type_bucket_count * 2;
	struct engine_store_type **fresh;

	if (store->type_count < store->type_bucket_count)
		return LB_OK;
	fresh = LB_NEW(store->mem, struct engine_store_type *, count);
	if (fresh == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < store->type_bucket_count; i++) {
		struct engine_store_type *type = store->type_buckets[i];

		while (type != NULL) {
			struct engine_store_type *next = type->next;
			uint64_t bucket = type_hash(&type->type) & (count - 1);

			type->next = fresh[bucket];
			fresh[bucket] = type;
			type = next;
		}
	}
	LB_DROP(store->mem, store->type_buckets, store->type_bucket_count);
	store->type_buckets = fresh;
	store->type_bucket_count = count;
	return LB_OK;
}

static const engine_type *copy_types(struct engine_store *store, const engine_type *types,
                                     uint32_t count)
{
	engine_type *copy = LB_ARENA_NEW(&store->type_arena, engine_type, count);

	if (copy != NULL && count > 0)
		memcpy(copy, types, count * sizeof *copy);
	return copy;
}

lb_err engine_store_intern(const struct engine_func_type **out, struct engine_store *store,
                           const struct engine_func_type *type)
{
	struct engine_store_type *entry, **bucket;

	*out = NULL;
	LB_TRY(widen_buckets(store));
	bucket = &store->type_buckets[type_hash(type) & (store->type_bucket_count - 1)];
	for (entry = *bucket; entry != NULL; entry = entry->next)
		if (engine_func_type_eq(&entry->type, type)) {
			*out = &entry->type;
			return LB_OK;
		}
	entry = LB_ARENA_NEW(&store->type_arena, struct engine_store_type, 1);
	if (entry != NULL) {
		entry->type = *type;
		entry->type.params = copy_types(store, type->params, type->param_count);
		entry->type.results = copy_types(store, type->results, type->result_count);
	}
	if (store->type_arena.failed) {
		store->type_arena.failed =
			false; /* the store goes on; what was lost stays unused */
		return lb_err_of(LB_E_NOMEM);
	}
	entry->next = *bucket;
	*bucket = entry;
	store->type_count++;
	*out = &entry->type;
	return LB_OK;
}
