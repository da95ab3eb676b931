/* func.c - functions and globals: values in, values out. */
#include "engine/interpret/interpret.h"

void engine_slots_of_value(uint64_t *slots, union engine_value value, engine_type type)
{
	switch (type & 0xff) {
	case ENGINE_I32: slots[0] = value.i32; break;
	case ENGINE_F32: slots[0] = value.f32_bits; break;
	case ENGINE_V128: memcpy(slots, value.v128, sizeof value.v128); break;
	case ENGINE_FUNCREF:
	case ENGINE_NULLFUNCREF: slots[0] = (uintptr_t)value.func; break;
	default: slots[0] = value.i64; break;
	}
}

union engine_value engine_value_of_slots(const uint64_t *slots, engine_type type)
{
	union engine_value value = { .v128 = { 0, 0 } };

	switch (type & 0xff) {
	case ENGINE_I32: value.i32 = (uint32_t)slots[0]; break;
	case ENGINE_F32: value.f32_bits = (uint32_t)slots[0]; break;
	case ENGINE_V128: memcpy(value.v128, slots, sizeof value.v128); break;
	case ENGINE_FUNCREF:
	case ENGINE_NULLFUNCREF: value.func = (struct engine_func *)(uintptr_t)slots[0]; break;
	default: value.i64 = slots[0]; break;
	}
	return value;
}

uint32_t engine_types_slots(const engine_type *types, uint32_t count)
{
	uint32_t slots = 0;

	for (uint32_t i = 0; i < count; i++)
		slots += engine_type_slots(types[i]);
	return slots;
}

static void values_to_slots(uint64_t *slots, const union engine_value *values,
                            const engine_type *types, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		engine_slots_of_value(slots, values[i], types[i]);
		slots += engine_type_slots(types[i]);
	}
}

static void slots_to_values(union engine_value *values, const uint64_t *slots,
                            const engine_type *types, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		values[i] = engine_value_of_slots(slots, types[i]);
		slots += engine_type_slots(types[i]);
	}
}

/* ---- functions ---- */

lb_err engine_func_new(struct engine_func **out, struct engine_store *store,
                       const struct engine_func_type *type, engine_host_call call, void *ctx)
{
	struct engine_func *func;
	uint32_t index = 0;

	*out = NULL;
	LB_TRY(engine_store_intern(&index, store, type));
	func = LB_NEW(store->mem, struct engine_func, 1);
	if (func == NULL)
		return lb_err_of(LB_E_NOMEM);
	*func = (struct engine_func){ .type = &store->types.at[index]->func,
		                      .type_index = index,
		                      .store = store,
		                      .call = call,
		                      .ctx = ctx,
		                      .next = store->funcs };
	store->funcs = func;
	*out = func;
	return LB_OK;
}

struct engine_func_type engine_func_type(const struct engine_func *func) { return *func->type; }

uint32_t engine_func_type_index(const struct engine_func *func) { return func->type_index; }

static_assert(sizeof(union engine_value) == 2 * sizeof(uint64_t) &&
                      _Alignof(union engine_value) <= _Alignof(uint64_t),
              "values are built on the slot stack");

static uint32_t widest(const struct engine_func_type *type)
{
	uint32_t params = engine_types_slots(type->params, type->param_count);
	uint32_t results = engine_types_slots(type->results, type->result_count);

	return params > results ? params : results;
}

lb_err engine_func_call_host(struct engine_func *func, struct engine_instance *caller,
                             uint64_t *slots)
{
	const struct engine_func_type *type = func->type;
	struct engine_store *store = func->store;
	struct engine_host_frame frame = { store->host_frame, type, slots };
	size_t behind = widest(type), count = (size_t)type->param_count + type->result_count;
	union engine_value *args, *results;
	uint64_t *top = store->slots_top;
	lb_err err;

	/* Behind the slots stand the arguments, then the results, two slots each. */
	if (store->nesting == ENGINE_HOST_NESTING_MAX ||
	    (size_t)(store->slots_end - slots) < behind + 2 * count)
		return engine_trap(ENGINE_TRAP_STACK);
	args = (union engine_value *)(void *)(slots + behind);
	results = args + type->param_count;
	store->slots_top = slots + behind + 2 * count;
	slots_to_values(args, slots, type->params, type->param_count);
	for (uint32_t i = 0; i < type->result_count; i++)
		results[i] = (union engine_value){ .v128 = { 0, 0 } };
	store->nesting++;
	store->host_frame = &frame;
	err = func->call(func->ctx, caller, args, results);
	store->host_frame = frame.outer;
	store->nesting--;
	if (!lb_failed(err))
		values_to_slots(slots, results, type->results, type->result_count);
	store->slots_top = top;
	return err;
}

lb_err engine_func_call(struct engine_func *func, const union engine_value *args,
                        uint32_t arg_count, union engine_value *results, uint32_t result_count)
{
	const struct engine_func_type *type = func->type;
	struct engine_store *store = func->store;
	uint64_t *base = store->slots_top;
	lb_err err;

	assert(arg_count == type->param_count && result_count == type->result_count);
	if ((size_t)(store->slots_end - base) < widest(type))
		return engine_trap(ENGINE_TRAP_STACK);
	if (store->nesting == 0) {
		store->exception = NULL;
		store->trace_count = 0;
	}
	values_to_slots(base, args, type->params, arg_count);
	err = func->instance != NULL ? engine_interpret(func, base)
	                             : engine_func_call_host(func, NULL, base);
	if (!lb_failed(err))
		slots_to_values(results, base, type->results, result_count);
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
	*global = (struct engine_global){ .type = *type, .next = store->globals };
	engine_slots_of_value(global->value, value, type->content);
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
	return engine_value_of_slots(global->value, global->type.content);
}

lb_err engine_global_set(struct engine_global *global, union engine_value value)
{
	if (!global->type.is_mutable)
		return lb_err_of(LB_E_DENIED);
	engine_slots_of_value(global->value, value, global->type.content);
	return LB_OK;
}
