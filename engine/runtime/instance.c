/* instance.c - instantiation, in the order the language has it.
 *
 * Imports are checked and everything is made before anything that others can
 * see is written; from then on the instance stays in the store, whatever
 * happens, since its functions may stand in other instances' tables.
 */
#include "engine/interpret/interpret.h"

/* ---- imports ---- */

/* What was given may be larger than what was asked, and must not be able to grow past it. */
static bool limits_fit(const struct engine_limits *given, const struct engine_limits *asked)
{
	return given->min >= asked->min &&
	       (!asked->has_max || (given->has_max && given->max <= asked->max));
}

/* A table's elements can be written by both sides, so their types must be the same; a memory's
 * pages and addresses too. */
static bool table_fits(const struct engine_table_type *given, const struct engine_table_type *asked,
                       engine_type element)
{
	return given->element == element && given->limits.is_64 == asked->limits.is_64 &&
	       limits_fit(&given->limits, &asked->limits);
}

static bool memory_fits(const struct engine_memory_type *given,
                        const struct engine_memory_type *asked)
{
	return given->limits.is_64 == asked->limits.is_64 &&
	       given->limits.is_shared == asked->limits.is_shared &&
	       given->has_byte_pages == asked->has_byte_pages &&
	       limits_fit(&given->limits, &asked->limits);
}

static bool global_fits(const struct engine_instance *instance,
                        const struct engine_global_type *given,
                        const struct engine_global_type *asked)
{
	engine_type content = engine_instance_type(instance, asked->content);

	if (given->is_mutable != asked->is_mutable)
		return false;
	return asked->is_mutable
	               ? given->content == content
	               : engine_types_match(&instance->store->types, given->content, content);
}

static bool import_fits(const struct engine_instance *instance, const struct engine_extern *given,
                        const struct engine_extern_type *asked)
{
	const struct engine_types *types = &instance->store->types;

	if (given->kind != asked->kind)
		return false;
	switch (given->kind) {
	case ENGINE_FUNC:
		return engine_types_below(types, given->func->type_index,
		                          instance->types[asked->type_index]);
	case ENGINE_TABLE:
		return table_fits(&given->table->type, &asked->table,
		                  engine_instance_type(instance, asked->table.element));
	case ENGINE_MEMORY: return memory_fits(&given->memory->type, &asked->memory);
	case ENGINE_GLOBAL: return global_fits(instance, &given->global->type, &asked->global);
	case ENGINE_TAG: return given->tag->type_index == instance->types[asked->type_index];
	}
	return false;
}

static lb_err bind_imports(struct engine_instance *instance, const struct engine_extern *imports,
                           uint32_t import_count, struct lb_diag *diag)
{
	const struct engine_module *m = instance->module;

	if (import_count != m->import_count)
		return lb_fail(diag, LB_E_UNLINKABLE, "unknown import: %u given, %u asked for",
		               import_count, m->import_count);
	for (uint32_t i = 0; i < import_count; i++) {
		const struct engine_form_import *import = &m->imports[i];
		const struct engine_extern_type asked =
			engine_form_extern_type(m, import->kind, import->index);

		if (!import_fits(instance, &imports[i], &asked))
			return lb_fail(diag, LB_E_UNLINKABLE,
			               "incompatible import type for \"%.*s\" \"%.*s\"",
			               LB_FMT(import->module), LB_FMT(import->name));
		switch (import->kind) {
		case ENGINE_FUNC: instance->funcs[import->index] = imports[i].func; break;
		case ENGINE_TABLE: instance->tables[import->index] = imports[i].table; break;
		case ENGINE_MEMORY: instance->memories[import->index] = imports[i].memory; break;
		case ENGINE_GLOBAL: instance->globals[import->index] = imports[i].global; break;
		case ENGINE_TAG: instance->tags[import->index] = imports[i].tag; break;
		}
	}
	return LB_OK;
}

/* ---- what the module defines ---- */

static lb_err alloc_spaces(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;
	struct lb_arena *arena = &instance->arena;

	instance->funcs = LB_ARENA_NEW(arena, struct engine_func *, m->func_count);
	instance->tables = LB_ARENA_NEW(arena, struct engine_table *, m->table_count);
	instance->memories = LB_ARENA_NEW(arena, struct engine_memory *, m->memory_count + 1);
	instance->globals = LB_ARENA_NEW(arena, struct engine_global *, m->global_count);
	instance->tags = LB_ARENA_NEW(arena, struct engine_tag *, m->tag_count);
	instance->own_funcs =
		LB_ARENA_NEW(arena, struct engine_func, m->func_count - m->func_import_count);
	instance->own_tables =
		LB_ARENA_NEW(arena, struct engine_table, m->table_count - m->table_import_count);
	instance->own_memories =
		LB_ARENA_NEW(arena, struct engine_memory, m->memory_count - m->memory_import_count);
	instance->own_globals =
		LB_ARENA_NEW(arena, struct engine_global, m->global_count - m->global_import_count);
	instance->own_tags =
		LB_ARENA_NEW(arena, struct engine_tag, m->tag_count - m->tag_import_count);
	instance->elems = LB_ARENA_NEW(arena, uint64_t *, m->elem_count);
	instance->elem_dropped = LB_ARENA_NEW(arena, bool, m->elem_count);
	instance->data_dropped = LB_ARENA_NEW(arena, bool, m->data_count);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err intern_types(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;
	uint32_t *map = LB_ARENA_NEW(&instance->arena, uint32_t, m->types.count);

	if (map == NULL)
		return lb_err_of(LB_E_NOMEM);
	instance->types = map;
	return engine_store_intern_module(map, instance->store, m);
}

static void make_funcs(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = m->func_import_count; i < m->func_count; i++) {
		struct engine_func *func = &instance->own_funcs[i - m->func_import_count];
		uint32_t type = instance->types[m->func_types[i]];

		*func = (struct engine_func){ .type = &instance->store->types.at[type]->func,
			                      .type_index = type,
			                      .instance = instance,
			                      .store = instance->store,
			                      .body = &m->bodies[i - m->func_import_count] };
		instance->funcs[i] = func;
	}
}

static void make_tags(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = m->tag_import_count; i < m->tag_count; i++) {
		struct engine_tag *tag = &instance->own_tags[i - m->tag_import_count];
		uint32_t type = instance->types[m->tag_types[i]];

		*tag = (struct engine_tag){ .type = &instance->store->types.at[type]->func,
			                    .type_index = type,
			                    .store = instance->store };
		instance->tags[i] = tag;
	}
}

/* ---- constant expressions ---- */

static lb_err run_const(uint64_t *slots, struct engine_instance *instance,
                        const struct engine_body *body)
{
	struct engine_store *store = instance->store;
	static const struct engine_func_type none;
	struct engine_func func = {
		.type = &none, .instance = instance, .body = body, .store = store
	};
	uint64_t *base = store->slots_top;

	LB_TRY(engine_interpret(&func, base));
	memcpy(slots, base, body->result_slots * sizeof *base);
	return LB_OK;
}

lb_err engine_instance_evaluate(uint64_t *slots, struct engine_instance *instance,
                                const struct engine_const *c)
{
	switch (c->kind) {
	case ENGINE_CONST_VALUE: slots[0] = c->value; break;
	case ENGINE_CONST_GLOBAL_GET: slots[0] = instance->globals[c->value]->value[0]; break;
	case ENGINE_CONST_REF_FUNC: slots[0] = (uintptr_t)instance->funcs[c->value]; break;
	case ENGINE_CONST_CODE: return run_const(slots, instance, c->body);
	}
	return LB_OK;
}

static lb_err make_tables(struct engine_instance *instance, struct lb_diag *diag)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = m->table_import_count; i < m->table_count; i++) {
		struct engine_table *table = &instance->own_tables[i - m->table_import_count];
		lb_err err = engine_table_init(table, instance->store, &m->tables[i]);

		if (lb_code_of(err) == LB_E_LIMIT)
			return lb_fail(diag, LB_E_LIMIT, "table %u is too large: %llu elements", i,
			               (unsigned long long)m->tables[i].limits.min);
		LB_TRY(err);
		table->type.element = engine_instance_type(instance, table->type.element);
		instance->own_table_count++;
		instance->tables[i] = table;
	}
	return LB_OK;
}

/* What tables are filled with may name imported globals and any function. */
static lb_err fill_tables(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = m->table_import_count; i < m->table_count; i++) {
		struct engine_table *table = instance->tables[i];
		uint64_t fill[2] = { 0 };

		LB_TRY(engine_instance_evaluate(fill, instance,
		                                &m->table_inits[i - m->table_import_count]));
		for (uint64_t k = 0; k < table->size && fill[0] != 0; k++)
			table->elements[k] = fill[0];
	}
	return LB_OK;
}

static lb_err make_memories(struct engine_instance *instance, struct lb_diag *diag)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = m->memory_import_count; i < m->memory_count; i++) {
		struct engine_memory *memory = &instance->own_memories[i - m->memory_import_count];
		lb_err err = engine_memory_init(memory, instance->store, &m->memories[i]);

		if (lb_code_of(err) == LB_E_LIMIT)
			return lb_fail(diag, LB_E_LIMIT, "memory %u is too large: %llu pages", i,
			               (unsigned long long)m->memories[i].limits.min);
		LB_TRY(err);
		instance->own_memory_count++;
		instance->memories[i] = memory;
	}
	return LB_OK;
}

static lb_err make_globals(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = m->global_import_count; i < m->global_count; i++) {
		struct engine_global *global = &instance->own_globals[i - m->global_import_count];

		global->type = m->globals[i].type;
		global->type.content = engine_instance_type(instance, global->type.content);
		LB_TRY(engine_instance_evaluate(global->value, instance, &m->globals[i].init));
		instance->globals[i] = global;
	}
	return LB_OK;
}

/* Segments whose elements are made by code have them made once. */
static lb_err make_elems(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = 0; i < m->elem_count; i++) {
		const struct engine_form_elem *elem = &m->elems[i];

		if (!elem->has_code)
			continue;
		instance->elems[i] = LB_ARENA_NEW(&instance->arena, uint64_t, elem->count);
		if (instance->elems[i] == NULL)
			return lb_err_of(LB_E_NOMEM);
		for (uint32_t k = 0; k < elem->count; k++) {
			uint64_t slots[2] = { 0 };

			LB_TRY(engine_instance_evaluate(slots, instance, &elem->items[k]));
			instance->elems[i][k] = slots[0];
		}
	}
	return LB_OK;
}

/* Nothing in here can be seen by others, nor do they keep anything of it. */
static lb_err build(struct engine_instance *instance, const struct engine_extern *imports,
                    uint32_t import_count, struct lb_diag *diag)
{
	LB_TRY(alloc_spaces(instance));
	LB_TRY(intern_types(instance));
	LB_TRY(bind_imports(instance, imports, import_count, diag));
	make_funcs(instance);
	make_tags(instance);
	LB_TRY(make_tables(instance, diag));
	return make_memories(instance, diag);
}

/* ---- segments ---- */

uint64_t engine_instance_elem_count(const struct engine_instance *instance, uint32_t elem)
{
	return instance->elem_dropped[elem] ? 0 : instance->module->elems[elem].count;
}

uint64_t engine_instance_elem_value(struct engine_instance *instance, uint32_t elem, uint64_t index)
{
	uint64_t slots[2] = { 0 };

	if (instance->elems[elem] != NULL)
		return instance->elems[elem][index];
	lb_ignore(engine_instance_evaluate(slots, instance,
	                                   &instance->module->elems[elem].items[index]));
	return slots[0];
}

enum engine_trap engine_instance_elem_init(struct engine_instance *instance, uint32_t elem,
                                           uint32_t table, uint64_t to, uint64_t from, uint64_t len)
{
	struct engine_table *t = instance->tables[table];

	if (!engine_within(to, len, t->size) ||
	    !engine_within(from, len, engine_instance_elem_count(instance, elem)))
		return ENGINE_TRAP_TABLE_BOUNDS;
	for (uint64_t i = 0; i < len; i++)
		t->elements[to + i] = engine_instance_elem_value(instance, elem, from + i);
	return ENGINE_TRAP_NONE;
}

static lb_err write_elems(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = 0; i < m->elem_count; i++) {
		const struct engine_form_elem *elem = &m->elems[i];
		uint64_t offset[2] = { 0 };
		enum engine_trap trap;

		if (elem->mode == ENGINE_SEGMENT_PASSIVE)
			continue;
		if (elem->mode == ENGINE_SEGMENT_ACTIVE) {
			LB_TRY(engine_instance_evaluate(offset, instance, &elem->offset));
			trap = engine_instance_elem_init(instance, i, elem->table, offset[0], 0,
			                                 elem->count);
			if (trap != ENGINE_TRAP_NONE)
				return engine_trap(trap);
		}
		instance->elem_dropped[i] = true;
	}
	return LB_OK;
}

static lb_err write_datas(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = 0; i < m->data_count; i++) {
		const struct engine_form_data *data = &m->datas[i];
		uint64_t offset[2] = { 0 };
		enum engine_trap trap;

		if (data->mode == ENGINE_SEGMENT_PASSIVE)
			continue;
		LB_TRY(engine_instance_evaluate(offset, instance, &data->offset));
		trap = engine_instance_data_init(instance, i, data->memory, offset[0], 0,
		                                 data->bytes.len);
		if (trap != ENGINE_TRAP_NONE)
			return engine_trap(trap);
		instance->data_dropped[i] = true;
	}
	return LB_OK;
}

/* From here on the instance is in the store: the collector finds what it refers to. */
static lb_err start(struct engine_instance *instance)
{
	uint32_t func = instance->module->start;

	LB_TRY(fill_tables(instance));
	LB_TRY(make_globals(instance));
	LB_TRY(make_elems(instance));
	LB_TRY(write_elems(instance));
	LB_TRY(write_datas(instance));
	return func == UINT32_MAX ? LB_OK
	                          : engine_func_call(instance->funcs[func], NULL, 0, NULL, 0);
}

/* ---- life ---- */

void engine_instance_release(struct engine_instance *instance)
{
	for (uint32_t i = 0; i < instance->own_memory_count; i++)
		engine_memory_release(&instance->own_memories[i]);
	for (uint32_t i = 0; i < instance->own_table_count; i++)
		engine_table_release(&instance->own_tables[i]);
	lb_arena_release(&instance->arena);
}

lb_err engine_instance_new(struct engine_instance **out, struct engine_store *store,
                           const struct engine_module *module, const struct engine_extern *imports,
                           uint32_t import_count, struct lb_diag *diag)
{
	struct engine_instance *instance = LB_NEW(store->mem, struct engine_instance, 1);
	lb_err err;

	*out = NULL;
	if (instance == NULL)
		return lb_err_of(LB_E_NOMEM);
	instance->store = store;
	instance->module = module;
	lb_arena_init(&instance->arena, store->mem);
	err = build(instance, imports, import_count, diag);
	if (lb_failed(err)) {
		engine_instance_release(instance);
		LB_DROP(store->mem, instance, 1);
		return err;
	}
	instance->next = store->instances;
	store->instances = instance;
	err = start(instance);
	if (engine_trap_of(err) != ENGINE_TRAP_NONE)
		lb_diag_set(diag, "%s", engine_trap_text(engine_trap_of(err)));
	if (!lb_failed(err))
		*out = instance;
	return err;
}

struct engine_store *engine_instance_store(const struct engine_instance *instance)
{
	return instance->store;
}

const struct engine_module *engine_instance_module(const struct engine_instance *instance)
{
	return instance->module;
}

bool engine_instance_find(struct engine_extern *out, const struct engine_instance *instance,
                          struct lb_bytes name)
{
	const struct engine_form_export *export = engine_form_find_export(instance->module, name);

	if (export == NULL)
		return false;
	out->kind = export->kind;
	switch (export->kind) {
	case ENGINE_FUNC: out->func = instance->funcs[export->index]; break;
	case ENGINE_TABLE: out->table = instance->tables[export->index]; break;
	case ENGINE_MEMORY: out->memory = instance->memories[export->index]; break;
	case ENGINE_GLOBAL: out->global = instance->globals[export->index]; break;
	case ENGINE_TAG: out->tag = instance->tags[export->index]; break;
	}
	return true;
}

struct engine_func *engine_instance_find_func(const struct engine_instance *instance,
                                              struct lb_bytes name)
{
	struct engine_extern found;

	return engine_instance_find(&found, instance, name) && found.kind == ENGINE_FUNC
	               ? found.func
	               : NULL;
}

struct engine_memory *engine_instance_find_memory(const struct engine_instance *instance,
                                                  struct lb_bytes name)
{
	struct engine_extern found;

	return engine_instance_find(&found, instance, name) && found.kind == ENGINE_MEMORY
	               ? found.memory
	               : NULL;
}
