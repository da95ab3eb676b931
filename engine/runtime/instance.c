/* instance.c - instantiation, in the order the language has it.
 *
 * Imports are checked and everything is made before anything that others can
 * see is written; from then on the instance stays in the store, whatever
 * happens, since its functions may stand in other instances' tables.
 */
#include "engine/runtime/object.h"

/* ---- imports ---- */

/* What was given may be larger than what was asked, and must not be able to grow past it. */
static bool limits_fit(const struct engine_limits *given, const struct engine_limits *asked)
{
	return given->min >= asked->min &&
	       (!asked->has_max || (given->has_max && given->max <= asked->max));
}

static bool import_fits(const struct engine_extern *given, const struct engine_extern_type *asked)
{
	if (given->kind != asked->kind)
		return false;
	switch (given->kind) {
	case ENGINE_FUNC: return engine_func_type_eq(given->func->type, &asked->func);
	case ENGINE_TABLE:
		return given->table->type.element == asked->table.element &&
		       limits_fit(&given->table->type.limits, &asked->table.limits);
	case ENGINE_MEMORY: return limits_fit(&given->memory->type.limits, &asked->memory.limits);
	case ENGINE_GLOBAL:
		return given->global->type.content == asked->global.content &&
		       given->global->type.is_mutable == asked->global.is_mutable;
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

		if (!import_fits(&imports[i], &asked))
			return lb_fail(diag, LB_E_UNLINKABLE,
			               "incompatible import type for \"%.*s\" \"%.*s\"",
			               LB_FMT(import->module), LB_FMT(import->name));
		switch (import->kind) {
		case ENGINE_FUNC: instance->funcs[import->index] = imports[i].func; break;
		case ENGINE_TABLE: instance->tables[import->index] = imports[i].table; break;
		case ENGINE_MEMORY: instance->memories[import->index] = imports[i].memory; break;
		case ENGINE_GLOBAL: instance->globals[import->index] = imports[i].global; break;
		}
	}
	return LB_OK;
}

/* ---- what the module defines ---- */

static lb_err alloc_spaces(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;
	struct lb_arena *arena = &instance->arena;

	instance->types = LB_ARENA_NEW(arena, const struct engine_func_type *, m->type_count);
	instance->funcs = LB_ARENA_NEW(arena, struct engine_func *, m->func_count);
	instance->tables = LB_ARENA_NEW(arena, struct engine_table *, m->table_count);
	instance->memories = LB_ARENA_NEW(arena, struct engine_memory *, m->memory_count + 1);
	instance->globals = LB_ARENA_NEW(arena, struct engine_global *, m->global_count);
	instance->own_funcs =
		LB_ARENA_NEW(arena, struct engine_func, m->func_count - m->func_import_count);
	instance->own_tables =
		LB_ARENA_NEW(arena, struct engine_table, m->table_count - m->table_import_count);
	instance->own_memories =
		LB_ARENA_NEW(arena, struct engine_memory, m->memory_count - m->memory_import_count);
	instance->own_globals =
		LB_ARENA_NEW(arena, struct engine_global, m->global_count - m->global_import_count);
	instance->elem_dropped = LB_ARENA_NEW(arena, bool, m->elem_count);
	instance->data_dropped = LB_ARENA_NEW(arena, bool, m->data_count);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static void make_funcs(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = m->func_import_count; i < m->func_count; i++) {
		struct engine_func *func = &instance->own_funcs[i - m->func_import_count];

		*func = (struct engine_func){ .type = instance->types[m->func_types[i]],
			                      .instance = instance,
			                      .store = instance->store,
			                      .body = &m->bodies[i - m->func_import_count] };
		instance->funcs[i] = func;
	}
}

static uint64_t evaluate_one(const struct engine_instance *instance, const struct engine_const *c)
{
	switch (c->kind) {
	case ENGINE_CONST_VALUE: return c->value;
	case ENGINE_CONST_GLOBAL_GET: return instance->globals[c->value]->value;
	case ENGINE_CONST_REF_FUNC: return (uintptr_t)instance->funcs[c->value];
	case ENGINE_CONST_OP:
	case ENGINE_CONST_STEPS: break;
	}
	return 0;
}

static uint64_t calculate(uint64_t op, uint64_t a, uint64_t b)
{
	switch (op) {
	case ENGINE_OP_I32_ADD: return (uint32_t)(a + b);
	case ENGINE_OP_I32_SUB: return (uint32_t)(a - b);
	case ENGINE_OP_I32_MUL: return (uint32_t)(a * b);
	case ENGINE_OP_I64_ADD: return a + b;
	case ENGINE_OP_I64_SUB: return a - b;
	default: assert(op == ENGINE_OP_I64_MUL); return a * b;
	}
}

static uint64_t evaluate(const struct engine_instance *instance, const struct engine_const *c)
{
	uint64_t stack[ENGINE_CONST_DEPTH_MAX];
	uint32_t depth = 0;

	if (c->kind != ENGINE_CONST_STEPS)
		return evaluate_one(instance, c);
	for (uint64_t i = 0; i < c->value; i++) {
		if (c->steps[i].kind == ENGINE_CONST_OP) {
			depth--;
			stack[depth - 1] =
				calculate(c->steps[i].value, stack[depth - 1], stack[depth]);
		} else {
			stack[depth++] = evaluate_one(instance, &c->steps[i]);
		}
	}
	return stack[0];
}

static lb_err make_tables(struct engine_instance *instance, struct lb_diag *diag)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = m->table_import_count; i < m->table_count; i++) {
		struct engine_table *table = &instance->own_tables[i - m->table_import_count];
		lb_err err = engine_table_init(table, instance->store, &m->tables[i], 0);

		if (lb_code_of(err) == LB_E_LIMIT)
			return lb_fail(diag, LB_E_LIMIT, "table %u is too large: %llu elements", i,
			               (unsigned long long)m->tables[i].limits.min);
		LB_TRY(err);
		instance->own_table_count++;
		instance->tables[i] = table;
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

static void make_globals(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = m->global_import_count; i < m->global_count; i++) {
		struct engine_global *global = &instance->own_globals[i - m->global_import_count];

		global->type = m->globals[i].type;
		global->value = evaluate(instance, &m->globals[i].init);
		instance->globals[i] = global;
	}
}

static lb_err build(struct engine_instance *instance, const struct engine_extern *imports,
                    uint32_t import_count, struct lb_diag *diag)
{
	const struct engine_module *m = instance->module;

	LB_TRY(alloc_spaces(instance));
	for (uint32_t i = 0; i < m->type_count; i++)
		LB_TRY(engine_store_intern(&instance->types[i], instance->store, &m->types[i]));
	LB_TRY(bind_imports(instance, imports, import_count, diag));
	make_funcs(instance);
	LB_TRY(make_tables(instance, diag));
	LB_TRY(make_memories(instance, diag));
	make_globals(instance);
	return LB_OK;
}

/* ---- segments ---- */

enum engine_trap engine_instance_elem_init(struct engine_instance *instance, uint32_t elem,
                                           uint32_t table, uint64_t to, uint64_t from, uint64_t len)
{
	const struct engine_form_elem *segment = &instance->module->elems[elem];
	struct engine_table *t = instance->tables[table];
	uint64_t size = instance->elem_dropped[elem] ? 0 : segment->count;

	if (!engine_within(to, len, t->size) || !engine_within(from, len, size))
		return ENGINE_TRAP_TABLE_BOUNDS;
	for (uint64_t i = 0; i < len; i++)
		t->elements[to + i] = evaluate(instance, &segment->items[from + i]);
	return ENGINE_TRAP_NONE;
}

static lb_err write_segments(struct engine_instance *instance)
{
	const struct engine_module *m = instance->module;

	for (uint32_t i = 0; i < m->elem_count; i++) {
		const struct engine_form_elem *elem = &m->elems[i];

		if (elem->mode == ENGINE_SEGMENT_PASSIVE)
			continue;
		if (elem->mode == ENGINE_SEGMENT_ACTIVE) {
			enum engine_trap trap = engine_instance_elem_init(
				instance, i, elem->table,
				(uint32_t)evaluate(instance, &elem->offset), 0, elem->count);

			if (trap != ENGINE_TRAP_NONE)
				return engine_trap(trap);
		}
		instance->elem_dropped[i] = true;
	}
	for (uint32_t i = 0; i < m->data_count; i++) {
		const struct engine_form_data *data = &m->datas[i];
		enum engine_trap trap;

		if (data->mode == ENGINE_SEGMENT_PASSIVE)
			continue;
		trap = engine_instance_data_init(instance, i, data->memory,
		                                 (uint32_t)evaluate(instance, &data->offset), 0,
		                                 data->bytes.len);
		if (trap != ENGINE_TRAP_NONE)
			return engine_trap(trap);
		instance->data_dropped[i] = true;
	}
	return LB_OK;
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
	err = write_segments(instance);
	if (!lb_failed(err) && module->start != UINT32_MAX)
		err = engine_func_call(instance->funcs[module->start], NULL, 0, NULL, 0);
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
