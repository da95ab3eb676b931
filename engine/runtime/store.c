/* store.c - the store: its stacks, its types, its end. */
#include "engine/runtime/object.h"

#include "base/platform/clock.h"

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
	if (out->heap_bytes_max == 0)
		out->heap_bytes_max = ENGINE_HEAP_DEFAULT;
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
	engine_types_init(&store->types, &store->type_arena, mem);
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
static void release_tag(struct engine_tag *tag) { (void)tag; }
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
	FREE_LIST(store, tags, release_tag)
	engine_heap_release(store);
	engine_types_release(&store->types);
	lb_arena_release(&store->type_arena);
	LB_DROP(store->mem, store->slots, store->options.stack_slots_max);
	LB_DROP(store->mem, store->frames, store->options.call_depth_max);
	LB_DROP(store->mem, store, 1);
}

/* ---- when to stop ---- */

enum { POLLS_PER_CLOCK = 1024 };

void engine_store_interrupt(struct engine_store *store)
{
	atomic_fetch_or(&store->attention, (uint32_t)ENGINE_ATTENTION_INTERRUPT);
}

void engine_store_resume(struct engine_store *store)
{
	atomic_fetch_and(&store->attention, ~(uint32_t)ENGINE_ATTENTION_INTERRUPT);
}

void engine_store_set_fuel(struct engine_store *store, uint64_t fuel, engine_fuel_call more,
                           void *ctx)
{
	store->fuel = fuel;
	store->more_fuel = more;
	store->more_fuel_ctx = ctx;
	atomic_fetch_or(&store->attention, (uint32_t)ENGINE_ATTENTION_FUEL);
}

void engine_store_unset_fuel(struct engine_store *store)
{
	atomic_fetch_and(&store->attention, ~(uint32_t)ENGINE_ATTENTION_FUEL);
}

uint64_t engine_store_fuel(const struct engine_store *store) { return store->fuel; }

void engine_store_set_deadline(struct engine_store *store, uint64_t deadline_ns)
{
	store->deadline_ns = deadline_ns;
	store->polls = 0;
	if (deadline_ns != 0)
		atomic_fetch_or(&store->attention, (uint32_t)ENGINE_ATTENTION_DEADLINE);
	else
		atomic_fetch_and(&store->attention, ~(uint32_t)ENGINE_ATTENTION_DEADLINE);
}

unsigned engine_store_poll(struct engine_store *store)
{
	uint32_t attention = atomic_load_explicit(&store->attention, memory_order_relaxed);

	if ((attention & ENGINE_ATTENTION_INTERRUPT) != 0)
		return ENGINE_TRAP_INTERRUPT;
	if ((attention & ENGINE_ATTENTION_DEADLINE) != 0 && store->polls-- == 0) {
		store->polls = POLLS_PER_CLOCK;
		if (plat_clock_now_ns() >= store->deadline_ns)
			return ENGINE_TRAP_DEADLINE;
	}
	if ((attention & ENGINE_ATTENTION_FUEL) != 0) {
		if (store->fuel == 0 && store->more_fuel != NULL)
			store->fuel = store->more_fuel(store->more_fuel_ctx, store);
		if (store->fuel == 0)
			return ENGINE_TRAP_FUEL;
		store->fuel--;
	}
	return ENGINE_TRAP_NONE;
}

/* ---- types ---- */

lb_err engine_store_intern(uint32_t *out, struct engine_store *store,
                           const struct engine_func_type *type)
{
	const struct engine_def_type def = { .kind = ENGINE_COMPOSITE_FUNC, .func = *type };

	return engine_types_add(out, &store->types, &def, 1);
}

/* What has been interned of a module: canonical indices below `count`. */
struct mapping {
	const struct engine_module *module;
	uint32_t *map;
	uint32_t count, base; /* of the group at hand: its first index here, and in the store */
	struct lb_arena arena;
};

static uint32_t map_index(const struct mapping *m, uint32_t index)
{
	return index < m->count ? m->map[index] : m->base + (index - m->count);
}

static engine_type map_type(const struct mapping *m, engine_type type)
{
	if (!engine_type_has_index(type))
		return type;
	return engine_type_of_index(map_index(m, engine_type_index(type))) |
	       (type & ENGINE_NON_NULL);
}

static const engine_type *map_list(struct mapping *m, const engine_type *types, uint32_t count)
{
	engine_type *mapped = LB_ARENA_NEW(&m->arena, engine_type, count);

	for (uint32_t i = 0; i < count && mapped != NULL; i++)
		mapped[i] = map_type(m, types[i]);
	return mapped;
}

static void map_def(struct engine_def_type *out, struct mapping *m,
                    const struct engine_def_type *def)
{
	struct engine_field *fields;

	*out = *def;
	if (def->has_super)
		out->super = map_index(m, def->super);
	if (def->kind == ENGINE_COMPOSITE_FUNC) {
		out->func.params = map_list(m, def->func.params, def->func.param_count);
		out->func.results = map_list(m, def->func.results, def->func.result_count);
		return;
	}
	fields = LB_ARENA_NEW(&m->arena, struct engine_field, def->field_count);
	for (uint32_t i = 0; i < def->field_count && fields != NULL; i++)
		fields[i] = (struct engine_field){ map_type(m, def->fields[i].type),
			                           def->fields[i].is_mutable };
	out->fields = fields;
}

static lb_err intern_group(struct mapping *m, struct engine_store *store, uint32_t count)
{
	struct engine_def_type *group = LB_ARENA_NEW(&m->arena, struct engine_def_type, count);
	uint32_t first = 0;

	m->base = store->types.count;
	for (uint32_t i = 0; i < count && !m->arena.failed; i++)
		map_def(&group[i], m, m->module->types.at[m->count + i]);
	if (m->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(engine_types_add(&first, &store->types, group, count));
	for (uint32_t i = 0; i < count; i++)
		m->map[m->count + i] = first + i;
	m->count += count;
	return LB_OK;
}

lb_err engine_store_intern_module(uint32_t *map, struct engine_store *store,
                                  const struct engine_module *module)
{
	struct mapping m = { .module = module, .map = map };
	lb_err err = LB_OK;

	lb_arena_init(&m.arena, store->mem);
	while (m.count < module->types.count && !lb_failed(err)) {
		err = intern_group(&m, store, engine_types_group_len(&module->types, m.count));
		if (m.arena.bytes_used > 1 << 20) {
			lb_arena_release(&m.arena);
			lb_arena_init(&m.arena, store->mem);
		}
	}
	lb_arena_release(&m.arena);
	return err;
}
