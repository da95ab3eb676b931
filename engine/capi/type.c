/* type.c - wasm.h's types of values, functions, globals, tables, memories, imports and exports. */
#include "engine/capi/capi_priv.h"

/* ---- values ---- */

/* There is one of each kind, so that making one cannot fail. */
struct wasm_valtype_t {
	wasm_valkind_t kind;
};

static const struct wasm_valtype_t valtypes[] = { { WASM_I32 },    { WASM_I64 },
	                                          { WASM_F32 },    { WASM_F64 },
	                                          { CAPI_V128 },   { WASM_EXTERNREF },
	                                          { WASM_FUNCREF } };

wasm_valtype_t *wasm_valtype_new(wasm_valkind_t kind)
{
	for (size_t i = 0; i < sizeof valtypes / sizeof valtypes[0]; i++)
		if (valtypes[i].kind == kind)
			return (wasm_valtype_t *)(uintptr_t)&valtypes[i];
	return NULL;
}

wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *type) { return type->kind; }

wasm_valtype_t *wasm_valtype_copy(const wasm_valtype_t *type)
{
	return (wasm_valtype_t *)(uintptr_t)type;
}

void wasm_valtype_delete(wasm_valtype_t *type) { (void)type; }

wasm_valkind_t capi_kind_of(engine_type type, const struct engine_types *types)
{
	switch (type) {
	case ENGINE_I32: return WASM_I32;
	case ENGINE_I64: return WASM_I64;
	case ENGINE_F32: return WASM_F32;
	case ENGINE_F64: return WASM_F64;
	case ENGINE_V128: return CAPI_V128;
	default:
		return engine_types_match(types, type, ENGINE_FUNCREF) ? WASM_FUNCREF
		                                                       : WASM_EXTERNREF;
	}
}

engine_type capi_type_of(wasm_valkind_t kind)
{
	switch (kind) {
	case WASM_I32: return ENGINE_I32;
	case WASM_I64: return ENGINE_I64;
	case WASM_F32: return ENGINE_F32;
	case WASM_F64: return ENGINE_F64;
	case WASM_FUNCREF: return ENGINE_FUNCREF;
	case WASM_EXTERNREF: return ENGINE_EXTERNREF;
	default: return 0;
	}
}

/* ---- functions ---- */

static void *new_type(size_t size, wasm_externkind_t kind)
{
	struct wasm_externtype_t *type = lb_mem_new(&lb_mem_host, 1, size);

	if (type != NULL)
		type->kind = kind;
	return type;
}

static bool all_there(const wasm_valtype_vec_t *types)
{
	for (size_t i = 0; i < types->size; i++)
		if (types->data[i] == NULL)
			return false;
	return true;
}

wasm_functype_t *wasm_functype_new(wasm_valtype_vec_t *params, wasm_valtype_vec_t *results)
{
	wasm_functype_t *type = NULL;

	if (all_there(params) && all_there(results))
		type = new_type(sizeof *type, WASM_EXTERN_FUNC);
	if (type == NULL) {
		wasm_valtype_vec_delete(params);
		wasm_valtype_vec_delete(results);
		return NULL;
	}
	type->params = *params;
	type->results = *results;
	wasm_valtype_vec_new_empty(params);
	wasm_valtype_vec_new_empty(results);
	return type;
}

void wasm_functype_delete(wasm_functype_t *type)
{
	if (type == NULL)
		return;
	wasm_valtype_vec_delete(&type->params);
	wasm_valtype_vec_delete(&type->results);
	LB_DROP(&lb_mem_host, type, 1);
}

wasm_functype_t *wasm_functype_copy(const wasm_functype_t *type)
{
	wasm_valtype_vec_t params, results;

	wasm_valtype_vec_copy(&params, &type->params);
	wasm_valtype_vec_copy(&results, &type->results);
	if (params.size != type->params.size || results.size != type->results.size) {
		wasm_valtype_vec_delete(&params);
		wasm_valtype_vec_delete(&results);
		return NULL;
	}
	return wasm_functype_new(&params, &results);
}

const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *type)
{
	return &type->params;
}

const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *type)
{
	return &type->results;
}

/* ---- globals, tables, memories ---- */

wasm_globaltype_t *wasm_globaltype_new(wasm_valtype_t *content, wasm_mutability_t mutability)
{
	wasm_globaltype_t *type = NULL;

	if (content != NULL)
		type = new_type(sizeof *type, WASM_EXTERN_GLOBAL);
	if (type != NULL) {
		type->content = content;
		type->mutability = mutability;
	}
	return type;
}

const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *type)
{
	return type->content;
}

wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *type)
{
	return type->mutability;
}

wasm_globaltype_t *wasm_globaltype_copy(const wasm_globaltype_t *type)
{
	return wasm_globaltype_new(type->content, type->mutability);
}

wasm_tabletype_t *wasm_tabletype_new(wasm_valtype_t *element, const wasm_limits_t *limits)
{
	wasm_tabletype_t *type = NULL;

	if (element != NULL)
		type = new_type(sizeof *type, WASM_EXTERN_TABLE);
	if (type != NULL) {
		type->element = element;
		type->limits = *limits;
	}
	return type;
}

const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *type) { return type->element; }

const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *type) { return &type->limits; }

wasm_tabletype_t *wasm_tabletype_copy(const wasm_tabletype_t *type)
{
	return wasm_tabletype_new(type->element, &type->limits);
}

wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *limits)
{
	wasm_memorytype_t *type = new_type(sizeof *type, WASM_EXTERN_MEMORY);

	if (type != NULL)
		type->limits = *limits;
	return type;
}

const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *type) { return &type->limits; }

wasm_memorytype_t *wasm_memorytype_copy(const wasm_memorytype_t *type)
{
	return wasm_memorytype_new(&type->limits);
}

#define DELETE_PLAIN(name) \
	void wasm_##name##_delete(wasm_##name##_t *type) { LB_DROP(&lb_mem_host, type, 1); }
DELETE_PLAIN(globaltype)
DELETE_PLAIN(tabletype)
DELETE_PLAIN(memorytype)

/* Without a maximum, or with one that this interface has no number for, it is the largest. */
wasm_limits_t capi_limits_of(const struct engine_limits *limits)
{
	wasm_limits_t out = { .min = UINT32_MAX, .max = wasm_limits_max_default };

	if (limits->min < UINT32_MAX)
		out.min = (uint32_t)limits->min;
	if (limits->has_max && limits->max < UINT32_MAX)
		out.max = (uint32_t)limits->max;
	return out;
}

struct engine_limits capi_engine_limits(const wasm_limits_t *limits)
{
	return (struct engine_limits){ .min = limits->min,
		                       .max = limits->max,
		                       .has_max = limits->max != wasm_limits_max_default };
}

/* ---- externals ---- */

wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *type) { return type->kind; }

void wasm_externtype_delete(wasm_externtype_t *type)
{
	if (type == NULL)
		return;
	switch (type->kind) {
	case WASM_EXTERN_FUNC: wasm_functype_delete(wasm_externtype_as_functype(type)); break;
	case WASM_EXTERN_GLOBAL: wasm_globaltype_delete(wasm_externtype_as_globaltype(type)); break;
	case WASM_EXTERN_TABLE: wasm_tabletype_delete(wasm_externtype_as_tabletype(type)); break;
	case WASM_EXTERN_MEMORY: wasm_memorytype_delete(wasm_externtype_as_memorytype(type)); break;
	default: LB_DROP(&lb_mem_host, type, 1); break;
	}
}

wasm_externtype_t *wasm_externtype_copy(const wasm_externtype_t *type)
{
	switch (type->kind) {
	case WASM_EXTERN_FUNC:
		return (wasm_externtype_t *)wasm_functype_copy(
			wasm_externtype_as_functype_const(type));
	case WASM_EXTERN_GLOBAL:
		return (wasm_externtype_t *)wasm_globaltype_copy(
			wasm_externtype_as_globaltype_const(type));
	case WASM_EXTERN_TABLE:
		return (wasm_externtype_t *)wasm_tabletype_copy(
			wasm_externtype_as_tabletype_const(type));
	case WASM_EXTERN_MEMORY:
		return (wasm_externtype_t *)wasm_memorytype_copy(
			wasm_externtype_as_memorytype_const(type));
	default: return new_type(sizeof *type, type->kind);
	}
}

#define EXTERN_TYPE(name, kind_) \
	wasm_externtype_t *wasm_##name##_as_externtype(wasm_##name##_t *type) \
	{ \
		return (wasm_externtype_t *)type; \
	} \
	wasm_##name##_t *wasm_externtype_as_##name(wasm_externtype_t *type) \
	{ \
		return type != NULL && type->kind == (kind_) ? (wasm_##name##_t *)type : NULL; \
	} \
	const wasm_externtype_t *wasm_##name##_as_externtype_const(const wasm_##name##_t *type) \
	{ \
		return (const wasm_externtype_t *)type; \
	} \
	const wasm_##name##_t *wasm_externtype_as_##name##_const(const wasm_externtype_t *type) \
	{ \
		return type != NULL && type->kind == (kind_) ? (const wasm_##name##_t *)type \
		                                             : NULL; \
	}
EXTERN_TYPE(functype, WASM_EXTERN_FUNC)
EXTERN_TYPE(globaltype, WASM_EXTERN_GLOBAL)
EXTERN_TYPE(tabletype, WASM_EXTERN_TABLE)
EXTERN_TYPE(memorytype, WASM_EXTERN_MEMORY)

static bool copy_kinds(wasm_valtype_vec_t *out, const engine_type *kinds, uint32_t count,
                       const struct engine_types *types)
{
	wasm_valtype_vec_new_uninitialized(out, count);
	for (size_t i = 0; i < out->size; i++)
		out->data[i] = wasm_valtype_new(capi_kind_of(kinds[i], types));
	return out->size == count;
}

wasm_functype_t *capi_functype(const struct engine_func_type *type,
                               const struct engine_types *types)
{
	wasm_valtype_vec_t params, results;
	bool good = copy_kinds(&params, type->params, type->param_count, types);

	good = copy_kinds(&results, type->results, type->result_count, types) && good;
	if (good)
		return wasm_functype_new(&params, &results);
	wasm_valtype_vec_delete(&params);
	wasm_valtype_vec_delete(&results);
	return NULL;
}

wasm_externtype_t *capi_externtype(const struct engine_extern_type *type,
                                   const struct engine_types *types)
{
	wasm_limits_t limits;

	switch (type->kind) {
	case ENGINE_FUNC: return (wasm_externtype_t *)capi_functype(&type->func, types);
	case ENGINE_GLOBAL:
		return (wasm_externtype_t *)wasm_globaltype_new(
			wasm_valtype_new(capi_kind_of(type->global.content, types)),
			type->global.is_mutable ? WASM_VAR : WASM_CONST);
	case ENGINE_TABLE:
		limits = capi_limits_of(&type->table.limits);
		return (wasm_externtype_t *)wasm_tabletype_new(
			wasm_valtype_new(capi_kind_of(type->table.element, types)), &limits);
	case ENGINE_MEMORY:
		limits = capi_limits_of(&type->memory.limits);
		return (wasm_externtype_t *)wasm_memorytype_new(&limits);
	case ENGINE_TAG: break;
	}
	return new_type(sizeof(struct wasm_externtype_t), CAPI_EXTERN_TAG);
}

/* ---- imports and exports ---- */

struct wasm_importtype_t {
	wasm_name_t module, name;
	wasm_externtype_t *type;
};

wasm_importtype_t *wasm_importtype_new(wasm_name_t *module, wasm_name_t *name,
                                       wasm_externtype_t *type)
{
	wasm_importtype_t *import = NULL;

	if (type != NULL)
		import = LB_NEW(&lb_mem_host, wasm_importtype_t, 1);
	if (import == NULL) {
		wasm_name_delete(module);
		wasm_name_delete(name);
		wasm_externtype_delete(type);
		return NULL;
	}
	import->module = *module;
	import->name = *name;
	import->type = type;
	wasm_name_new_empty(module);
	wasm_name_new_empty(name);
	return import;
}

void wasm_importtype_delete(wasm_importtype_t *import)
{
	if (import == NULL)
		return;
	wasm_name_delete(&import->module);
	wasm_name_delete(&import->name);
	wasm_externtype_delete(import->type);
	LB_DROP(&lb_mem_host, import, 1);
}

wasm_importtype_t *wasm_importtype_copy(const wasm_importtype_t *import)
{
	wasm_externtype_t *type = wasm_externtype_copy(import->type);
	wasm_name_t module, name;

	wasm_name_copy(&module, &import->module);
	wasm_name_copy(&name, &import->name);
	if (module.size != import->module.size || name.size != import->name.size) {
		wasm_externtype_delete(type);
		type = NULL;
	}
	return wasm_importtype_new(&module, &name, type);
}

const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *import)
{
	return &import->module;
}

const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *import) { return &import->name; }

const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *import)
{
	return import->type;
}

struct wasm_exporttype_t {
	wasm_name_t name;
	wasm_externtype_t *type;
};

wasm_exporttype_t *wasm_exporttype_new(wasm_name_t *name, wasm_externtype_t *type)
{
	wasm_exporttype_t *export = NULL;

	if (type != NULL)
		export = LB_NEW(&lb_mem_host, wasm_exporttype_t, 1);
	if (export == NULL) {
		wasm_name_delete(name);
		wasm_externtype_delete(type);
		return NULL;
	}
	export->name = *name;
	export->type = type;
	wasm_name_new_empty(name);
	return export;
}

void wasm_exporttype_delete(wasm_exporttype_t *export)
{
	if (export == NULL)
		return;
	wasm_name_delete(&export->name);
	wasm_externtype_delete(export->type);
	LB_DROP(&lb_mem_host, export, 1);
}

wasm_exporttype_t *wasm_exporttype_copy(const wasm_exporttype_t *export)
{
	wasm_externtype_t *type = wasm_externtype_copy(export->type);
	wasm_name_t name;

	wasm_name_copy(&name, &export->name);
	if (name.size != export->name.size) {
		wasm_externtype_delete(type);
		type = NULL;
	}
	return wasm_exporttype_new(&name, type);
}

const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *export) { return &export->name; }

const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *export)
{
	return export->type;
}
