/* func.c - wasm.h's functions: calls in both directions. */
#include "engine/capi/capi_priv.h"

enum { VALUES_ON_STACK = 8 };

static struct engine_func *func_of(const wasm_func_t *func) { return func->base.what.func; }

wasm_functype_t *wasm_func_type(const wasm_func_t *func)
{
	const struct engine_func_type type = engine_func_type(func_of(func));

	return capi_functype(&type, &func->base.ref.store->store->types);
}

size_t wasm_func_param_arity(const wasm_func_t *func)
{
	return engine_func_type(func_of(func)).param_count;
}

size_t wasm_func_result_arity(const wasm_func_t *func)
{
	return engine_func_type(func_of(func)).result_count;
}

/* ---- modules call the host ---- */

/* What a callback left in its results, and whether it is what its type says. */
static lb_err take_results(union engine_value *results, wasm_store_t *store,
                           const wasm_val_vec_t *vals, const struct engine_func_type *type)
{
	bool good = true;

	for (size_t i = 0; i < vals->size; i++)
		good = capi_value_in(&results[i], store, &vals->data[i], type->results[i]) && good;
	return good ? LB_OK : engine_trap(ENGINE_TRAP_HOST);
}

static lb_err run_callback(wasm_func_t *func, const wasm_val_vec_t *args, wasm_val_vec_t *results)
{
	wasm_trap_t *trap = func->callback != NULL
	                            ? func->callback(args, results)
	                            : func->callback_with_env(func->env, args, results);

	if (trap == NULL)
		return LB_OK;
	wasm_trap_delete(func->base.ref.store->pending);
	func->base.ref.store->pending = trap;
	return engine_trap(ENGINE_TRAP_HOST);
}

static lb_err call_host(void *ctx, struct engine_instance *caller, const union engine_value *args,
                        union engine_value *results)
{
	wasm_func_t *func = ctx;
	wasm_store_t *store = func->base.ref.store;
	struct engine_func_type type = engine_func_type(func_of(func));
	wasm_val_t near[VALUES_ON_STACK] = { 0 }, *all = near;
	size_t count = (size_t)type.param_count + type.result_count;
	wasm_val_vec_t in, out;
	lb_err err = LB_OK;

	(void)caller;
	if (count > VALUES_ON_STACK)
		all = LB_NEW(store->config.mem, wasm_val_t, count);
	if (all == NULL)
		return lb_err_of(LB_E_NOMEM);
	in = (wasm_val_vec_t){ type.param_count, all };
	out = (wasm_val_vec_t){ type.result_count, all + type.param_count };
	for (size_t i = 0; i < in.size && !lb_failed(err); i++)
		if (!capi_value_out(&in.data[i], store, args[i], type.params[i]))
			err = lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < out.size; i++)
		out.data[i].kind = capi_kind_of(type.results[i], &store->store->types);
	if (!lb_failed(err))
		err = run_callback(func, &in, &out);
	if (!lb_failed(err))
		err = take_results(results, store, &out, &type);
	for (size_t i = 0; i < count; i++)
		wasm_val_delete(&all[i]);
	if (all != near)
		LB_DROP(store->config.mem, all, count);
	return err;
}

static bool types_of(engine_type *to, const wasm_valtype_vec_t *types)
{
	for (size_t i = 0; i < types->size; i++) {
		to[i] = capi_type_of(wasm_valtype_kind(types->data[i]));
		if (to[i] == 0)
			return false;
	}
	return true;
}

/* The engine's function, which copies what it is told of its type. */
static struct engine_func *make_func(wasm_func_t *func, wasm_store_t *store,
                                     const wasm_functype_t *type)
{
	size_t params = type->params.size, count = params + type->results.size;
	engine_type *types = LB_NEW(store->config.mem, engine_type, count + 1);
	const struct engine_func_type wanted = { .params = types,
		                                 .param_count = (uint32_t)params,
		                                 .results = types + params,
		                                 .result_count = (uint32_t)(count - params) };
	struct engine_func *made = NULL;

	if (types != NULL && count <= ENGINE_PARAMS_MAX && types_of(types, &type->params) &&
	    types_of(types + params, &type->results))
		lb_ignore(engine_func_new(&made, store->store, &wanted, call_host, func));
	LB_DROP(store->config.mem, types, count + 1);
	return made;
}

static wasm_func_t *new_func(wasm_store_t *store, const wasm_functype_t *type)
{
	wasm_func_t *func = (wasm_func_t *)capi_ref_new(store, CAPI_FUNC);

	if (func == NULL)
		return NULL;
	func->base.what.kind = ENGINE_FUNC;
	func->type = wasm_functype_copy(type);
	if (func->type != NULL)
		func->base.what.func = make_func(func, store, type);
	if (func_of(func) == NULL) {
		capi_ref_free(&func->base.ref);
		return NULL;
	}
	return capi_ref_enter(&func->base.ref, (uintptr_t)func_of(func)) ? func : NULL;
}

wasm_func_t *wasm_func_new(wasm_store_t *store, const wasm_functype_t *type,
                           wasm_func_callback_t callback)
{
	wasm_func_t *func = new_func(store, type);

	if (func != NULL)
		func->callback = callback;
	return func;
}

wasm_func_t *wasm_func_new_with_env(wasm_store_t *store, const wasm_functype_t *type,
                                    wasm_func_callback_with_env_t callback, void *env,
                                    void (*finalizer)(void *))
{
	wasm_func_t *func = new_func(store, type);

	if (func != NULL) {
		func->callback_with_env = callback;
		func->env = env;
		func->env_finalizer = finalizer;
	}
	return func;
}

/* ---- the host calls modules ---- */

static bool args_in(union engine_value *to, wasm_store_t *store, const wasm_val_vec_t *args,
                    const struct engine_func_type *type)
{
	for (size_t i = 0; i < type->param_count; i++)
		if (!capi_value_in(&to[i], store, &args->data[i], type->params[i]))
			return false;
	return true;
}

/* All, or none of them. */
static lb_err results_out(wasm_val_vec_t *results, wasm_store_t *store,
                          const union engine_value *from, const struct engine_func_type *type)
{
	for (size_t i = 0; i < type->result_count; i++) {
		if (capi_value_out(&results->data[i], store, from[i], type->results[i]))
			continue;
		while (i > 0)
			wasm_val_delete(&results->data[--i]);
		return lb_err_of(LB_E_NOMEM);
	}
	return LB_OK;
}

wasm_trap_t *wasm_func_call(const wasm_func_t *func, const wasm_val_vec_t *args,
                            wasm_val_vec_t *results)
{
	wasm_store_t *store = func->base.ref.store;
	struct engine_func_type type = engine_func_type(func_of(func));
	union engine_value near[VALUES_ON_STACK], *all = near;
	size_t count = (size_t)type.param_count + type.result_count;
	size_t arg_count = args != NULL ? args->size : 0;
	size_t room = results != NULL ? results->size : 0;
	const char *prose = NULL;
	lb_err err;

	if (arg_count != type.param_count || room < type.result_count)
		return capi_trap_of(store, lb_err_of(LB_E_USAGE),
		                    "wrong number of arguments or results");
	if (count > VALUES_ON_STACK)
		all = LB_NEW(store->config.mem, union engine_value, count);
	if (all == NULL)
		return capi_trap_of(store, lb_err_of(LB_E_NOMEM), NULL);
	if (args_in(all, store, args, &type)) {
		err = engine_func_call(func_of(func), all, type.param_count, all + type.param_count,
		                       type.result_count);
	} else {
		err = lb_err_of(LB_E_USAGE);
		prose = "argument of the wrong type, or of another store";
	}
	if (!lb_failed(err))
		err = results_out(results, store, all + type.param_count, &type);
	if (all != near)
		LB_DROP(store->config.mem, all, count);
	return lb_failed(err) ? capi_trap_of(store, err, prose) : NULL;
}
