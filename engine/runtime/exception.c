/* exception.c - tags, exceptions that hosts throw, and the trace of what was under way. */
#include "engine/runtime/object.h"

lb_err engine_tag_new(struct engine_tag **out, struct engine_store *store,
                      const struct engine_func_type *type)
{
	struct engine_tag *tag;
	uint32_t index = 0;

	*out = NULL;
	assert(type->result_count == 0);
	LB_TRY(engine_store_intern(&index, store, type));
	tag = LB_NEW(store->mem, struct engine_tag, 1);
	if (tag == NULL)
		return lb_err_of(LB_E_NOMEM);
	*tag = (struct engine_tag){ .type_index = index,
		                    .type = &store->types.at[index]->func,
		                    .store = store,
		                    .next = store->tags };
	store->tags = tag;
	*out = tag;
	return LB_OK;
}

struct engine_func_type engine_tag_type(const struct engine_tag *tag) { return *tag->type; }

lb_err engine_store_throw(struct engine_store *store, struct engine_tag *tag,
                          const union engine_value *values)
{
	const struct engine_func_type *type = tag->type;
	struct engine_object *exception;
	uint64_t *slots;
	unsigned trap;

	store->pc = NULL;
	trap = engine_object_new(&exception, store, ENGINE_OBJECT_EXCEPTION, tag->type_index,
	                         8 * (1 + (uint64_t)engine_types_slots(type->params,
	                                                               type->param_count)));
	if (trap == ENGINE_TRAP_NOMEM)
		return lb_err_of(LB_E_NOMEM);
	if (trap != ENGINE_TRAP_NONE)
		return engine_trap((enum engine_trap)trap);
	slots = exception->slots;
	*slots++ = (uintptr_t)tag;
	for (uint32_t i = 0; i < type->param_count; i++) {
		engine_slots_of_value(slots, values[i], type->params[i]);
		slots += engine_type_slots(type->params[i]);
	}
	store->exception = exception;
	return engine_trap(ENGINE_TRAP_EXCEPTION);
}

struct engine_tag *engine_store_exception(const struct engine_store *store,
                                          union engine_value *values)
{
	const struct engine_object *exception = store->exception;
	const uint64_t *slots;
	struct engine_tag *tag;

	if (exception == NULL)
		return NULL;
	slots = exception->slots;
	tag = (struct engine_tag *)(uintptr_t)*slots++;
	for (uint32_t i = 0; i < tag->type->param_count && values != NULL; i++) {
		values[i] = engine_value_of_slots(slots, tag->type->params[i]);
		slots += engine_type_slots(tag->type->params[i]);
	}
	return tag;
}

uint32_t engine_store_trace_count(const struct engine_store *store) { return store->trace_count; }

void engine_store_trace(struct engine_trace_frame *out, const struct engine_store *store,
                        uint32_t index)
{
	assert(index < store->trace_count);
	*out = store->trace[index];
	out->name = engine_form_func_name(out->instance->module, out->func);
}
