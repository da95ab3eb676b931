/* ref.c - wasm.h's references: records, their handles, what the host hangs on them. */
#include "engine/capi/capi_priv.h"

static size_t size_of(enum capi_kind kind)
{
	switch (kind) {
	case CAPI_FUNC: return sizeof(struct wasm_func_t);
	case CAPI_INSTANCE: return sizeof(struct wasm_instance_t);
	case CAPI_FOREIGN: return sizeof(struct wasm_extern_t);
	case CAPI_TRAP: return sizeof(struct wasm_trap_t);
	case CAPI_MODULE: return sizeof(struct wasm_module_t);
	case CAPI_GLOBAL:
	case CAPI_TABLE:
	case CAPI_MEMORY:
	case CAPI_TAG: break;
	}
	return sizeof(struct wasm_extern_t);
}

static struct wasm_func_t *func_of(struct wasm_ref_t *ref)
{
	return (struct wasm_func_t *)ref; /* base.ref is its first member */
}

/* ---- life ---- */

struct wasm_ref_t *capi_ref_new(struct wasm_store_t *store, enum capi_kind kind)
{
	struct lb_mem *mem = store->config.mem;
	struct wasm_ref_t *ref = lb_mem_new(mem, 1, size_of(kind));

	if (ref == NULL)
		return NULL;
	ref->kind = kind;
	ref->handles = 1;
	ref->mem = mem;
	ref->store = store;
	return ref;
}

static struct lb_bytes key_of(const struct wasm_ref_t *ref)
{
	return (struct lb_bytes){ (const unsigned char *)&ref->identity, sizeof ref->identity };
}

bool capi_ref_enter(struct wasm_ref_t *ref, uint64_t identity)
{
	ref->identity = identity;
	if (!lb_failed(lb_map_put(&ref->store->records, key_of(ref), ref)))
		return true;
	capi_ref_free(ref);
	return false;
}

struct wasm_ref_t *capi_ref_find(struct wasm_store_t *store, uint64_t identity)
{
	const struct lb_bytes key = { (const unsigned char *)&identity, sizeof identity };

	return lb_map_get(&store->records, key);
}

struct wasm_ref_t *capi_ref_get(struct wasm_store_t *store, enum capi_kind kind, uint64_t identity)
{
	struct wasm_ref_t *ref = capi_ref_find(store, identity);

	if (ref != NULL)
		return capi_ref_retain(ref);
	ref = capi_ref_new(store, kind);
	if (ref == NULL || !capi_ref_enter(ref, identity))
		return NULL;
	return ref;
}

struct wasm_ref_t *capi_ref_retain(struct wasm_ref_t *ref)
{
	if (ref != NULL)
		ref->handles++;
	return ref;
}

static void finalize(struct wasm_ref_t *ref)
{
	void (*finalizer)(void *) = ref->finalizer;

	ref->finalizer = NULL;
	if (finalizer != NULL)
		finalizer(ref->host_info);
}

/* Everything but the block itself. */
static void empty(struct wasm_ref_t *ref)
{
	finalize(ref);
	if (ref->kind == CAPI_FUNC) {
		struct wasm_func_t *func = func_of(ref);

		if (func->env_finalizer != NULL)
			func->env_finalizer(func->env);
		func->env_finalizer = NULL;
		wasm_functype_delete(func->type);
		func->type = NULL;
	} else if (ref->kind == CAPI_TRAP) {
		struct wasm_trap_t *trap = (struct wasm_trap_t *)ref;

		for (uint32_t i = 0; i < trap->frame_count; i++)
			wasm_instance_delete(trap->frames[i].instance);
		LB_DROP(ref->mem, trap->frames, trap->frame_count);
		lb_mem_drop(ref->mem, trap->message, trap->message_len + 1, 1);
		trap->message = NULL;
	} else if (ref->kind == CAPI_MODULE) {
		capi_module_release(((struct wasm_module_t *)ref)->code);
	}
	ref->store = NULL;
}

void capi_ref_free(struct wasm_ref_t *ref)
{
	empty(ref);
	lb_mem_drop(ref->mem, ref, 1, size_of(ref->kind));
}

/* Whether all that is known of it can be found again. */
static bool is_forgettable(struct wasm_ref_t *ref)
{
	return !ref->escaped && ref->host_info == NULL && ref->finalizer == NULL &&
	       (ref->kind != CAPI_FUNC || func_of(ref)->type == NULL);
}

void capi_ref_release(struct wasm_ref_t *ref)
{
	if (ref == NULL || --ref->handles > 0)
		return;
	if (ref->store == NULL || ref->kind == CAPI_TRAP || ref->kind == CAPI_MODULE) {
		capi_ref_free(ref);
	} else if (is_forgettable(ref)) {
		if (ref->kept)
			engine_store_drop(ref->store->store,
			                  (union engine_value){ .ref = ref->identity });
		(void)lb_map_remove(&ref->store->records, key_of(ref));
		capi_ref_free(ref);
	}
}

/* Finalizers see a store whose objects are still there. */
void capi_refs_end(struct wasm_store_t *store)
{
	for (size_t i = 0; i < store->records.count; i++)
		finalize(store->records.entries[i].value);
}

void capi_refs_free(struct wasm_store_t *store)
{
	for (size_t i = 0; i < store->records.count; i++) {
		struct wasm_ref_t *ref = store->records.entries[i].value;

		if (ref->handles == 0)
			capi_ref_free(ref);
		else
			empty(ref);
	}
	lb_map_release(&store->records);
}

/* ---- wasm.h ---- */

#define REF_BASE(name) \
	void wasm_##name##_delete(wasm_##name##_t *object) \
	{ \
		capi_ref_release((struct wasm_ref_t *)object); \
	} \
	wasm_##name##_t *wasm_##name##_copy(const wasm_##name##_t *object) \
	{ \
		return (wasm_##name##_t *)capi_ref_retain((struct wasm_ref_t *)(uintptr_t)object); \
	} \
	bool wasm_##name##_same(const wasm_##name##_t *a, const wasm_##name##_t *b) \
	{ \
		return a == b; \
	} \
	void *wasm_##name##_get_host_info(const wasm_##name##_t *object) \
	{ \
		return ((const struct wasm_ref_t *)object)->host_info; \
	} \
	void wasm_##name##_set_host_info(wasm_##name##_t *object, void *info) \
	{ \
		wasm_##name##_set_host_info_with_finalizer(object, info, NULL); \
	} \
	void wasm_##name##_set_host_info_with_finalizer(wasm_##name##_t *object, void *info, \
	                                                void (*finalizer)(void *)) \
	{ \
		struct wasm_ref_t *ref = (struct wasm_ref_t *)object; \
\
		ref->host_info = info; \
		ref->finalizer = finalizer; \
	}

#define REF(name, test) \
	REF_BASE(name) \
	wasm_ref_t *wasm_##name##_as_ref(wasm_##name##_t *object) { return (wasm_ref_t *)object; } \
	const wasm_ref_t *wasm_##name##_as_ref_const(const wasm_##name##_t *object) \
	{ \
		return (const wasm_ref_t *)object; \
	} \
	wasm_##name##_t *wasm_ref_as_##name(wasm_ref_t *ref) \
	{ \
		return ref != NULL && (test) ? (wasm_##name##_t *)ref : NULL; \
	} \
	const wasm_##name##_t *wasm_ref_as_##name##_const(const wasm_ref_t *ref) \
	{ \
		return ref != NULL && (test) ? (const wasm_##name##_t *)ref : NULL; \
	}

REF_BASE(ref)
REF(trap, ref->kind == CAPI_TRAP)
REF(foreign, ref->kind == CAPI_FOREIGN)
REF(module, ref->kind == CAPI_MODULE)
REF(func, ref->kind == CAPI_FUNC)
REF(global, ref->kind == CAPI_GLOBAL)
REF(table, ref->kind == CAPI_TABLE)
REF(memory, ref->kind == CAPI_MEMORY)
REF(extern, ref->kind <= CAPI_TAG)
REF(instance, ref->kind == CAPI_INSTANCE)

wasm_foreign_t *wasm_foreign_new(wasm_store_t *store)
{
	struct wasm_ref_t *ref = capi_ref_new(store, CAPI_FOREIGN);

	return ref != NULL && capi_ref_enter(ref, (uintptr_t)ref) ? (wasm_foreign_t *)ref : NULL;
}

/* ---- values ---- */

void wasm_val_delete(wasm_val_t *value)
{
	if (!wasm_valkind_is_ref(value->kind))
		return;
	capi_ref_release(value->of.ref);
	value->of.ref = NULL;
}

void wasm_val_copy(wasm_val_t *out, const wasm_val_t *value)
{
	*out = *value;
	if (wasm_valkind_is_ref(value->kind))
		(void)capi_ref_retain(value->of.ref);
}

/* What the engine knows of a reference decides whether it fits. */
bool capi_ref_in(union engine_value *out, struct wasm_store_t *store, struct wasm_ref_t *ref,
                 engine_type type)
{
	*out = (union engine_value){ .i64 = 0 };
	if (ref != NULL) {
		bool is_func_type = engine_types_match(&store->store->types, type, ENGINE_FUNCREF);

		if (ref->store != store || ref->kind == CAPI_TRAP || ref->kind == CAPI_MODULE ||
		    (is_func_type && ref->kind != CAPI_FUNC))
			return false;
		out->ref = ref->identity;
		ref->escaped = true;
	}
	return engine_ref_matches(store->store, out->ref, type);
}

bool capi_value_in(union engine_value *out, struct wasm_store_t *store, const wasm_val_t *value,
                   engine_type type)
{
	*out = (union engine_value){ .i64 = 0 };
	if (engine_type_is_ref(type))
		return wasm_valkind_is_ref(value->kind) &&
		       capi_ref_in(out, store, value->of.ref, type);
	if (value->kind != capi_kind_of(type, &store->store->types))
		return false;
	switch (value->kind) {
	case WASM_I32: out->i32 = (uint32_t)value->of.i32; break;
	case WASM_F32: memcpy(&out->f32_bits, &value->of.f32, sizeof out->f32_bits); break;
	case WASM_I64: out->i64 = (uint64_t)value->of.i64; break;
	case WASM_F64: memcpy(&out->f64_bits, &value->of.f64, sizeof out->f64_bits); break;
	default: return false;
	}
	return true;
}

static struct wasm_ref_t *ref_of(struct wasm_store_t *store, uint64_t identity)
{
	struct wasm_ref_t *ref = capi_ref_get(store, CAPI_FOREIGN, identity);

	/* The collector must not take what a handle means. */
	if (ref != NULL && !ref->kept && ref->kind == CAPI_FOREIGN) {
		const union engine_value value = { .ref = identity };

		if (lb_failed(engine_store_keep(store->store, value))) {
			capi_ref_release(ref);
			return NULL;
		}
		ref->kept = true;
	}
	return ref;
}

static bool ref_out(wasm_val_t *out, struct wasm_store_t *store, union engine_value value)
{
	const struct engine_extern func = { .kind = ENGINE_FUNC, .func = value.func };

	if (value.ref == 0)
		return true;
	out->of.ref = out->kind == WASM_FUNCREF ? (struct wasm_ref_t *)capi_extern(store, &func)
	                                        : ref_of(store, value.ref);
	return out->of.ref != NULL;
}

bool capi_value_out(wasm_val_t *out, struct wasm_store_t *store, union engine_value value,
                    engine_type type)
{
	*out = (wasm_val_t){ .kind = capi_kind_of(type, &store->store->types) };
	switch (out->kind) {
	case WASM_I32: out->of.i32 = (int32_t)value.i32; break;
	case WASM_F32: memcpy(&out->of.f32, &value.f32_bits, sizeof value.f32_bits); break;
	case WASM_I64: out->of.i64 = (int64_t)value.i64; break;
	case WASM_F64: memcpy(&out->of.f64, &value.f64_bits, sizeof value.f64_bits); break;
	case CAPI_V128: break;
	default: return ref_out(out, store, value);
	}
	return true;
}
