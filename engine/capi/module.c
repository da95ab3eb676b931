/* module.c - wasm.h's modules: code that is shared, and what is known of it.
 *
 * A serialized module is a mark, then the module's own bytes, which are checked and translated anew
 * when it is read: nothing in it is believed.
 */
#include "engine/capi/capi_priv.h"

static const struct lb_bytes mark = LB_LIT("\0lifeboat module 1\n");

struct wasm_shared_module_t *capi_module_retain(struct wasm_shared_module_t *code)
{
	atomic_fetch_add(&code->users, 1);
	return code;
}

void capi_module_release(struct wasm_shared_module_t *code)
{
	if (code == NULL || atomic_fetch_sub(&code->users, 1) > 1)
		return;
	engine_module_free(code->module);
	LB_DROP(code->mem, code->bytes, code->len);
	LB_DROP(code->mem, code, 1);
}

static struct lb_bytes bytes_of(const wasm_byte_vec_t *vec)
{
	return (struct lb_bytes){ (const unsigned char *)vec->data, vec->size };
}

/* ---- making ---- */

static struct wasm_shared_module_t *new_code(const wasm_store_t *store, struct lb_bytes bytes)
{
	struct lb_mem *mem = store->config.mem;
	struct wasm_shared_module_t *code = LB_NEW(mem, struct wasm_shared_module_t, 1);

	if (code == NULL)
		return NULL;
	code->users = 1;
	code->mem = mem;
	code->bytes = LB_NEW(mem, unsigned char, bytes.len);
	if (code->bytes != NULL) {
		code->len = bytes.len;
		memcpy(code->bytes, bytes.at, bytes.len);
		if (!lb_failed(engine_module_new(&code->module, mem, bytes, &store->config.module,
		                                 NULL)))
			return code;
	}
	capi_module_release(code);
	return NULL;
}

/* Takes `code`, which may be NULL. */
static wasm_module_t *new_module(wasm_store_t *store, struct wasm_shared_module_t *code)
{
	wasm_module_t *module = NULL;

	if (code != NULL)
		module = (wasm_module_t *)capi_ref_new(store, CAPI_MODULE);
	if (module == NULL)
		capi_module_release(code);
	else
		module->code = code;
	return module;
}

wasm_module_t *wasm_module_new(wasm_store_t *store, const wasm_byte_vec_t *binary)
{
	return new_module(store, new_code(store, bytes_of(binary)));
}

bool wasm_module_validate(wasm_store_t *store, const wasm_byte_vec_t *binary)
{
	struct engine_module *module;
	lb_err err = engine_module_new(&module, store->config.mem, bytes_of(binary),
	                               &store->config.module, NULL);

	engine_module_free(module);
	return !lb_failed(err);
}

wasm_shared_module_t *wasm_module_share(const wasm_module_t *module)
{
	return capi_module_retain(module->code);
}

wasm_module_t *wasm_module_obtain(wasm_store_t *store, const wasm_shared_module_t *code)
{
	struct wasm_shared_module_t *shared = (struct wasm_shared_module_t *)(uintptr_t)code;

	return new_module(store, capi_module_retain(shared));
}

void wasm_shared_module_delete(wasm_shared_module_t *code) { capi_module_release(code); }

void wasm_module_serialize(const wasm_module_t *module, wasm_byte_vec_t *out)
{
	const struct wasm_shared_module_t *code = module->code;

	wasm_byte_vec_new_uninitialized(out, mark.len + code->len);
	if (out->data == NULL)
		return;
	memcpy(out->data, mark.at, mark.len);
	memcpy(out->data + mark.len, code->bytes, code->len);
}

wasm_module_t *wasm_module_deserialize(wasm_store_t *store, const wasm_byte_vec_t *vec)
{
	struct lb_bytes bytes = bytes_of(vec);

	if (!lb_bytes_starts(bytes, mark))
		return NULL;
	return new_module(store, new_code(store, lb_bytes_from(bytes, mark.len)));
}

/* ---- what it takes and gives ---- */

static bool copy_name(wasm_name_t *out, struct lb_bytes name)
{
	wasm_name_new(out, name.len, (const char *)name.at);
	return out->size == name.len;
}

static wasm_importtype_t *import_type(const struct engine_module *module, uint32_t index)
{
	struct engine_import import;
	wasm_name_t of_module, name;
	wasm_externtype_t *type;
	bool good;

	engine_module_import(&import, module, index);
	type = capi_externtype(&import.type, &module->types);
	good = copy_name(&of_module, import.module);
	good = copy_name(&name, import.name) && good;
	if (!good) {
		wasm_externtype_delete(type);
		type = NULL;
	}
	return wasm_importtype_new(&of_module, &name, type);
}

static wasm_exporttype_t *export_type(const struct engine_module *module, uint32_t index)
{
	struct engine_export export;
	wasm_externtype_t *type;
	wasm_name_t name;

	engine_module_export(&export, module, index);
	type = capi_externtype(&export.type, &module->types);
	if (!copy_name(&name, export.name)) {
		wasm_externtype_delete(type);
		type = NULL;
	}
	return wasm_exporttype_new(&name, type);
}

void wasm_module_imports(const wasm_module_t *module, wasm_importtype_vec_t *out)
{
	const struct engine_module *m = module->code->module;
	bool good = true;

	wasm_importtype_vec_new_uninitialized(out, engine_module_import_count(m));
	for (uint32_t i = 0; i < out->size; i++) {
		out->data[i] = import_type(m, i);
		good = good && out->data[i] != NULL;
	}
	if (!good)
		wasm_importtype_vec_delete(out);
}

void wasm_module_exports(const wasm_module_t *module, wasm_exporttype_vec_t *out)
{
	const struct engine_module *m = module->code->module;
	bool good = true;

	wasm_exporttype_vec_new_uninitialized(out, engine_module_export_count(m));
	for (uint32_t i = 0; i < out->size; i++) {
		out->data[i] = export_type(m, i);
		good = good && out->data[i] != NULL;
	}
	if (!good)
		wasm_exporttype_vec_delete(out);
}
