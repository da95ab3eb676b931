/* func.c - functions and globals: values in, values out. */
#include "engine/interpret/interpret.h"

uint64_t engine_slot_of_value(union engine_value value, engine_type type)
{
	switch (type) {
	case ENGINE_I32: return value.i32;
	case ENGINE_F32: return value.f32_bits;
	case ENGINE_FUNCREF: return (uintptr_t)value.func;
	case ENGINE_EXTERNREF: return (uintptr_t)value.foreign;
	default: return value.i64;
	}
}

union engine_value engine_value_of_slot(uint64_t slot, engine_type type)
{
	union engine_value value = { .i64 = 0 };

	switch (type) {
	case ENGINE_I32: value.i32 = (uint32_t)slot; break;
	case ENGINE_F32: value.f32_bits = (uint32_t)slot; break;
	case ENGINE_FUNCREF: value.func = (struct engine_func *)(uintptr_t)slot; break;
	case ENGINE_EXTERNREF: value.foreign = (void *)(uintptr_t)slot; break;
	default: value.i64 = slot; break;
	}
	return value;
}

/* ---- functions ---- */

lb_err engine_func_new(struct engine_func **out, struct engine_store *store,
                       const struct engine_func_type *type, engine_host_call call, void *ctx)
{
	const struct engine_func_type *interned;
	struct engine_func *func;

	*out = NULL;
	LB_TRY(engine_store_intern(&interned, store, type));
	func = LB_NEW(store->mem, struct engine_func, 1);
	if (func == NULL)
		return lb_err_of(LB_E_NOMEM);
	*func = (struct engine_func){
		.type = interned, .store = store, .call = call, .ctx = ctx, .next = store->funcs
	};
	store->funcs = func;
	*out = func;
	return LB_OK;
}

struct engine_func_type engine_func_type(const struct engine_func *func) { return *func->type; }

static_assert(sizeof(union engine_value) <= sizeof(uint64_t), "values are built on the slot stack");

lb_err engine_func_call_host(struct engine_func *func, struct engine_instance *caller,
                             uint64_t *slots)
{
	const struct engine_func_type *type = func->type;
	struct engine_store *store = func->store;
	uint32_t widest =
		type->param_count > type->result_count ? type->param_count : type->result_count;
	union engine_value *args, *results;
	uint64_t *top = store->slots_top;
	lb_err err;

	/* Behind the slots stand the arguments, then the results. */
	if (store->nesting == ENGINE_HOST_NESTING_MAX ||
	    (size_t)(store->slots_end - slots) <
	            (size_t)widest + type->param_count + type->result_count)
		return engine_trap(ENGINE_TRAP_STACK);
	args = (union engine_value *)(void *)(slots + widest);
	results = args + type->param_count;
	store->slots_top = slots + widest + type->param_count + type->result_count;
	for (uint32_t i = 0; i < type->param_count; i++)
		args[i] = engine_value_of_slot(slots[i], type->params[i]);
	for (uint32_t i = 0; i < type->result_count; i++)
		results[i] = (union engine_value){ .i64 = 0 };
	store->nesting++;
	err = func->call(func->ctx, caller, args, results);
	store->nesting--;
	for (uint32_t i = 0; i < type->result_count && !lb_failed(err); i++)
		slots[i] = engine_slot_of_value(results[i], type->results[i]);
	store->slots_top = top;
	return err;
}

lb_err engine_func_call(struct engine_func *func, const union engine_value *args,
                        uint32_t arg_count, union engine_value *results, uint32_t result_count)
{
	const struct engine_func_type *type = func->type;
	struct engine_store *store = func->store;
	uint64_t *base = store->slots_top;
	uint32_t widest = arg_count > result_count ? arg_count : result_count;
	lb_err err;

	assert(arg_count == type->param_count && result_count == type->result_count);
	if ((size_t)(store->slots_end - base) < widest)
		return engine_trap(ENGINE_TRAP_STACK);
	for (uint32_t i = 0; i < arg_count; i++)
		base[i] = engine_slot_of_value(args[i], type->params[i]);
	err = func->instance != NULL ? engine_interpret(func, base)
	                             : engine_func_call_host(func, NULL, base);
	for (uint32_t i = 0; i < result_count && !lb_failed(err); i++)
		results[i] = engine_value_of_slot(base[i], type->results[i]);
	return err;
}

/* ---- globals ---- */

lb_err engine_global_new(struct engine_global **out, struct engine_store *store,
                         const struct engine_global_type *type, union engine_value value)
{
	struct engine_global *global = LB_NEW(store->mem, struct engine_global, 1);

	*out = NULL;
	if (global == NULL)
		return lb_err_of(LB_E_NOMEM);
	*global = (struct engine_global){ .value = engine_slot_of_value(value, type->content),
		                          .type = *type,
		                          .next = store->globals };
	store->globals = global;
	*out = global;
	return LB_OK;
}

struct engine_global_type engine_global_type(const struct engine_global *global)
{
	return global->type;
}

union engine_value engine_global_get(const struct engine_global *global)
{
	return engine_value_of_slot(global->value, global->type.content);
}

lb_err engine_global_set(struct engine_global *global, union engine_value value)
{
	if (!global->type.is_mutable)
		return lb_err_of(LB_E_DENIED);
	global->value = engine_slot_of_value(value, global->type.content);
	return LB_OK;
}
