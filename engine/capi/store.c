/* store.c - wasm.h's configuration, engine and store. */
#include "engine/capi/capi_priv.h"

wasm_config_t *wasm_config_new(void)
{
	wasm_config_t *config = LB_NEW(&lb_mem_host, wasm_config_t, 1);

	if (config != NULL)
		config->mem = &lb_mem_host;
	return config;
}

void wasm_config_delete(wasm_config_t *config) { LB_DROP(&lb_mem_host, config, 1); }

void engine_capi_config_store(wasm_config_t *config, const struct engine_store_options *options)
{
	config->store = *options;
}

void engine_capi_config_module(wasm_config_t *config, const struct engine_module_options *options)
{
	config->module = *options;
}

void engine_capi_config_mem(wasm_config_t *config, struct lb_mem *mem) { config->mem = mem; }

wasm_engine_t *wasm_engine_new(void)
{
	wasm_config_t *config = wasm_config_new();

	return config != NULL ? wasm_engine_new_with_config(config) : NULL;
}

wasm_engine_t *wasm_engine_new_with_config(wasm_config_t *config)
{
	wasm_engine_t *engine = LB_NEW(&lb_mem_host, wasm_engine_t, 1);

	if (engine != NULL)
		engine->config = *config;
	wasm_config_delete(config);
	return engine;
}

void wasm_engine_delete(wasm_engine_t *engine) { LB_DROP(&lb_mem_host, engine, 1); }

wasm_store_t *wasm_store_new(wasm_engine_t *engine)
{
	struct lb_mem *mem = engine->config.mem;
	wasm_store_t *store = LB_NEW(mem, wasm_store_t, 1);

	if (store == NULL)
		return NULL;
	store->config = engine->config;
	lb_map_init(&store->records, mem);
	store->out_of_memory = (struct wasm_trap_t *)capi_ref_new(store, CAPI_TRAP);
	if (store->out_of_memory != NULL)
		store->out_of_memory->cause = lb_err_of(LB_E_NOMEM);
	if (store->out_of_memory == NULL ||
	    lb_failed(engine_store_new(&store->store, mem, &store->config.store))) {
		wasm_store_delete(store);
		return NULL;
	}
	return store;
}

void wasm_store_delete(wasm_store_t *store)
{
	struct lb_mem *mem;

	if (store == NULL)
		return;
	capi_refs_end(store);
	engine_store_free(store->store);
	capi_refs_free(store);
	while (store->uses != NULL) {
		struct capi_use *use = store->uses;

		store->uses = use->next;
		capi_module_release(use->code);
		LB_DROP(store->config.mem, use, 1);
	}
	wasm_trap_delete(store->out_of_memory);
	mem = store->config.mem;
	LB_DROP(mem, store, 1);
}

struct engine_store *engine_capi_store(wasm_store_t *store) { return store->store; }
