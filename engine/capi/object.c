/* object.c - wasm.h's globals, tables, memories, externals and instances. */
#include "engine/capi/capi_priv.h"

/* ---- externals ---- */

static enum capi_kind capi_kind_of_extern(enum engine_kind kind)
{
	switch (kind) {
	case ENGINE_FUNC: return CAPI_FUNC;
	case ENGINE_TABLE: return CAPI_TABLE;
	case ENGINE_MEMORY: return CAPI_MEMORY;
	case ENGINE_TAG: return CAPI_TAG;
	case ENGINE_GLOBAL: break;
	}
	return CAPI_GLOBAL;
}

static uint64_t identity_of(const struct engine_extern *what)
{
	switch (what->kind) {
	case ENGINE_FUNC: return (uintptr_t)what->func;
	case ENGINE_TABLE: return (uintptr_t)what->table;
	case ENGINE_MEMORY: return (uintptr_t)what->memory;
	case ENGINE_TAG: return (uintptr_t)what->tag;
	case ENGINE_GLOBAL: break;
	}
	return (uintptr_t)what->global;
}

struct wasm_extern_t *capi_extern(struct wasm_store_t *store, const struct engine_extern *what)
{
	enum capi_kind kind = capi_kind_of_extern(what->kind);
	struct wasm_extern_t *found =
		(struct wasm_extern_t *)capi_ref_get(store, kind, identity_of(what));

	if (found != NULL)
		found->what = *what;
	return found;
}

struct wasm_extern_t *engine_capi_extern(struct wasm_store_t *store,
                                         const struct engine_extern *what)
{
	return capi_extern(store, what);
}

struct engine_extern engine_capi_engine_extern(const struct wasm_extern_t *what)
{
	return what->what;
}

wasm_externkind_t wasm_extern_kind(const wasm_extern_t *object)
{
	return (wasm_externkind_t)object->ref.kind;
}

static_assert((int)CAPI_FUNC == (int)WASM_EXTERN_FUNC &&
                      (int)CAPI_GLOBAL == (int)WASM_EXTERN_GLOBAL &&
                      (int)CAPI_TABLE == (int)WASM_EXTERN_TABLE &&
                      (int)CAPI_MEMORY == (int)WASM_EXTERN_MEMORY &&
                      (int)CAPI_TAG == (int)CAPI_EXTERN_TAG,
              "the kinds of externals are numbered alike");

wasm_externtype_t *wasm_extern_type(const wasm_extern_t *object)
{
	switch (object->what.kind) {
	case ENGINE_FUNC:
		return (wasm_externtype_t *)wasm_func_type(wasm_extern_as_func_const(object));
	case ENGINE_TABLE:
		return (wasm_externtype_t *)wasm_table_type(wasm_extern_as_table_const(object));
	case ENGINE_MEMORY:
		return (wasm_externtype_t *)wasm_memory_type(wasm_extern_as_memory_const(object));
	case ENGINE_TAG:
		return capi_externtype(&(struct engine_extern_type){ .kind = ENGINE_TAG },
		                       &object->ref.store->store->types);
	case ENGINE_GLOBAL: break;
	}
	return (wasm_externtype_t *)wasm_global_type(wasm_extern_as_global_const(object));
}

#define EXTERN(name, kind_) \
	wasm_extern_t *wasm_##name##_as_extern(wasm_##name##_t *object) \
	{ \
		return (wasm_extern_t *)object; \
	} \
	const wasm_extern_t *wasm_##name##_as_extern_const(const wasm_##name##_t *object) \
	{ \
		return (const wasm_extern_t *)object; \
	} \
	wasm_##name##_t *wasm_extern_as_##name(wasm_extern_t *object) \
	{ \
		return object != NULL && object->ref.kind == (kind_) ? (wasm_##name##_t *)object \
		                                                     : NULL; \
	} \
	const wasm_##name##_t *wasm_extern_as_##name##_const(const wasm_extern_t *object) \
	{ \
		return object != NULL && object->ref.kind == (kind_) \
		               ? (const wasm_##name##_t *)object \
		               : NULL; \
	}
EXTERN(func, CAPI_FUNC)
EXTERN(global, CAPI_GLOBAL)
EXTERN(table, CAPI_TABLE)
EXTERN(memory, CAPI_MEMORY)

/* These have nothing beyond what every external has. */
struct wasm_global_t {
	struct wasm_extern_t base;
};
struct wasm_table_t {
	struct wasm_extern_t base;
};
struct wasm_memory_t {
	struct wasm_extern_t base;
};

/* ---- globals ---- */

wasm_global_t *wasm_global_new(wasm_store_t *store, const wasm_globaltype_t *type,
                               const wasm_val_t *value)
{
	struct engine_global_type wanted = { .content =
		                                     capi_type_of(wasm_valtype_kind(type->content)),
		                             .is_mutable = type->mutability == WASM_VAR };
	struct engine_extern what = { .kind = ENGINE_GLOBAL };
	union engine_value init;

	if (wanted.content == 0 || !capi_value_in(&init, store, value, wanted.content) ||
	    lb_failed(engine_global_new(&what.global, store->store, &wanted, init)))
		return NULL;
	return (wasm_global_t *)capi_extern(store, &what);
}

wasm_globaltype_t *wasm_global_type(const wasm_global_t *global)
{
	struct engine_global_type type = engine_global_type(global->base.what.global);

	return wasm_globaltype_new(
		wasm_valtype_new(capi_kind_of(type.content, &global->base.ref.store->store->types)),
		type.is_mutable ? WASM_VAR : WASM_CONST);
}

void wasm_global_get(const wasm_global_t *global, wasm_val_t *out)
{
	struct engine_global *g = global->base.what.global;

	if (!capi_value_out(out, global->base.ref.store, engine_global_get(g),
	                    engine_global_type(g).content))
		out->of.ref = NULL;
}

void wasm_global_set(wasm_global_t *global, const wasm_val_t *value)
{
	struct engine_global *g = global->base.what.global;
	union engine_value fresh;

	if (capi_value_in(&fresh, global->base.ref.store, value, engine_global_type(g).content))
		lb_ignore(engine_global_set(g, fresh)); /* immutable: nothing */
}

/* ---- tables ---- */

wasm_table_t *wasm_table_new(wasm_store_t *store, const wasm_tabletype_t *type, wasm_ref_t *init)
{
	struct engine_table_type wanted = { .element =
		                                    capi_type_of(wasm_valtype_kind(type->element)),
		                            .limits = capi_engine_limits(&type->limits) };
	struct engine_extern what = { .kind = ENGINE_TABLE };
	union engine_value fill;

	if (!wasm_valtype_is_ref(type->element) ||
	    !capi_ref_in(&fill, store, init, wanted.element) ||
	    lb_failed(engine_table_new(&what.table, store->store, &wanted, fill)))
		return NULL;
	return (wasm_table_t *)capi_extern(store, &what);
}

wasm_tabletype_t *wasm_table_type(const wasm_table_t *table)
{
	struct engine_table_type type = engine_table_type(table->base.what.table);
	wasm_limits_t limits = capi_limits_of(&type.limits);

	return wasm_tabletype_new(
		wasm_valtype_new(capi_kind_of(type.element, &table->base.ref.store->store->types)),
		&limits);
}

wasm_ref_t *wasm_table_get(const wasm_table_t *table, wasm_table_size_t index)
{
	struct engine_table *t = table->base.what.table;
	union engine_value value;
	wasm_val_t out;

	if (lb_failed(engine_table_get(&value, t, index)) ||
	    !capi_value_out(&out, table->base.ref.store, value, engine_table_type(t).element))
		return NULL;
	return out.of.ref;
}

bool wasm_table_set(wasm_table_t *table, wasm_table_size_t index, wasm_ref_t *ref)
{
	struct engine_table *t = table->base.what.table;
	union engine_value value;

	return capi_ref_in(&value, table->base.ref.store, ref, engine_table_type(t).element) &&
	       !lb_failed(engine_table_set(t, index, value));
}

wasm_table_size_t wasm_table_size(const wasm_table_t *table)
{
	uint64_t size = engine_table_size(table->base.what.table);

	return size < UINT32_MAX ? (wasm_table_size_t)size : UINT32_MAX;
}

bool wasm_table_grow(wasm_table_t *table, wasm_table_size_t delta, wasm_ref_t *init)
{
	struct engine_table *t = table->base.what.table;
	union engine_value fill;

	return capi_ref_in(&fill, table->base.ref.store, init, engine_table_type(t).element) &&
	       !lb_failed(engine_table_grow(NULL, t, delta, fill));
}

/* ---- memories ---- */

wasm_memory_t *wasm_memory_new(wasm_store_t *store, const wasm_memorytype_t *type)
{
	struct engine_memory_type wanted = { .limits = capi_engine_limits(&type->limits) };
	struct engine_extern what = { .kind = ENGINE_MEMORY };

	if (lb_failed(engine_memory_new(&what.memory, store->store, &wanted)))
		return NULL;
	return (wasm_memory_t *)capi_extern(store, &what);
}

wasm_memorytype_t *wasm_memory_type(const wasm_memory_t *memory)
{
	struct engine_memory_type type = engine_memory_type(memory->base.what.memory);
	wasm_limits_t limits = capi_limits_of(&type.limits);

	return wasm_memorytype_new(&limits);
}

byte_t *wasm_memory_data(wasm_memory_t *memory)
{
	return (byte_t *)engine_memory_base(memory->base.what.memory);
}

size_t wasm_memory_data_size(const wasm_memory_t *memory)
{
	return (size_t)engine_memory_size(memory->base.what.memory);
}

wasm_memory_pages_t wasm_memory_size(const wasm_memory_t *memory)
{
	uint64_t pages = engine_memory_type(memory->base.what.memory).limits.min;

	return pages < UINT32_MAX ? (wasm_memory_pages_t)pages : UINT32_MAX;
}

bool wasm_memory_grow(wasm_memory_t *memory, wasm_memory_pages_t delta)
{
	return !lb_failed(engine_memory_grow(NULL, memory->base.what.memory, delta));
}

/* ---- instances ---- */

static lb_err instantiate(struct engine_instance **out, wasm_store_t *store,
                          const struct engine_module *module, const wasm_extern_vec_t *imports,
                          struct lb_diag *diag)
{
	size_t count = imports != NULL ? imports->size : 0;
	struct engine_extern *externs = NULL;
	lb_err err = LB_OK;

	*out = NULL;
	if (count > ENGINE_IMPORTS_MAX)
		return lb_err_of(LB_E_LIMIT);
	if (count > 0) {
		externs = LB_NEW(store->config.mem, struct engine_extern, count);
		if (externs == NULL)
			return lb_err_of(LB_E_NOMEM);
	}
	for (size_t i = 0; i < count && !lb_failed(err); i++) {
		const wasm_extern_t *import = imports->data[i];

		if (import == NULL || import->ref.store != store)
			err = lb_fail(diag, LB_E_UNLINKABLE, "import %zu is not of this store", i);
		else
			externs[i] = import->what;
	}
	if (!lb_failed(err))
		err = engine_instance_new(out, store->store, module, externs, (uint32_t)count,
		                          diag);
	LB_DROP(store->config.mem, externs, count);
	return err;
}

struct wasm_instance_t *capi_instance(struct wasm_store_t *store,
                                      const struct engine_instance *instance)
{
	struct wasm_instance_t *found =
		(struct wasm_instance_t *)capi_ref_get(store, CAPI_INSTANCE, (uintptr_t)instance);

	if (found != NULL)
		found->instance = instance;
	return found;
}

/* The code must be there as long as the store is. */
static bool keep_code(wasm_store_t *store, struct wasm_shared_module_t *code)
{
	struct capi_use *use;

	for (use = store->uses; use != NULL; use = use->next)
		if (use->code == code)
			return true;
	use = LB_NEW(store->config.mem, struct capi_use, 1);
	if (use == NULL)
		return false;
	use->code = capi_module_retain(code);
	use->next = store->uses;
	store->uses = use;
	return true;
}

wasm_instance_t *wasm_instance_new(wasm_store_t *store, const wasm_module_t *module,
                                   const wasm_extern_vec_t *imports, wasm_trap_t **trap)
{
	struct engine_instance *made = NULL;
	wasm_instance_t *instance = NULL;
	struct lb_diag diag = { 0 };
	wasm_trap_t *why;
	lb_err err = lb_err_of(LB_E_NOMEM);

	if (keep_code(store, module->code))
		err = instantiate(&made, store, module->code->module, imports, &diag);
	if (!lb_failed(err)) {
		instance = capi_instance(store, made);
		if (instance == NULL)
			err = lb_err_of(LB_E_NOMEM);
	}
	why = lb_failed(err) ? capi_trap_of(store, err, diag.text[0] != '\0' ? diag.text : NULL)
	                     : NULL;
	if (trap != NULL)
		*trap = why;
	else
		wasm_trap_delete(why);
	return instance;
}

void wasm_instance_exports(const wasm_instance_t *instance, wasm_extern_vec_t *out)
{
	const struct engine_module *module = engine_instance_module(instance->instance);
	bool good = true;

	wasm_extern_vec_new_uninitialized(out, engine_module_export_count(module));
	for (uint32_t i = 0; i < out->size; i++) {
		struct engine_extern what = { 0 };
		struct engine_export export;

		engine_module_export(&export, module, i);
		(void)engine_instance_find(&what, instance->instance, export.name);
		out->data[i] = capi_extern(instance->ref.store, &what);
		good = good && out->data[i] != NULL;
	}
	if (!good)
		wasm_extern_vec_delete(out);
}
