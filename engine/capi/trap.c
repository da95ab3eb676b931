/* trap.c - wasm.h's traps and the frames they carry. */
#include "engine/capi/capi_priv.h"

/* ---- traps ---- */

static wasm_trap_t *without_memory(wasm_store_t *store)
{
	return wasm_trap_copy(store->out_of_memory);
}

static wasm_trap_t *new_trap(wasm_store_t *store, lb_err cause, const char *message, size_t len)
{
	wasm_trap_t *trap = (wasm_trap_t *)capi_ref_new(store, CAPI_TRAP);

	if (trap == NULL)
		return without_memory(store);
	trap->cause = cause;
	if (message == NULL)
		return trap;
	trap->message_len = len;
	trap->message = lb_mem_text(trap->ref.mem, message, len);
	if (trap->message != NULL)
		return trap;
	wasm_trap_delete(trap);
	return without_memory(store);
}

/* The functions under way when it happened.  Without memory there are fewer. */
static void take_trace(wasm_trap_t *trap, wasm_store_t *store)
{
	uint32_t count = engine_store_trace_count(store->store);

	trap->frames = LB_NEW(trap->ref.mem, struct wasm_frame_t, count);
	if (trap->frames == NULL)
		return;
	trap->frame_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct engine_trace_frame frame;

		engine_store_trace(&frame, store->store, i);
		trap->frames[i].func_index = frame.func;
		trap->frames[i].instance = capi_instance(store, frame.instance);
	}
}

struct wasm_trap_t *capi_trap_of(struct wasm_store_t *store, lb_err err, const char *prose)
{
	struct wasm_trap_t *trap = store->pending;

	store->pending = NULL;
	if (trap == NULL || engine_trap_of(err) != ENGINE_TRAP_HOST) {
		wasm_trap_delete(trap);
		if (lb_code_of(err) == LB_E_NOMEM)
			return without_memory(store);
		trap = new_trap(store, err, prose, prose != NULL ? strlen(prose) : 0);
	}
	if (trap != store->out_of_memory && trap->frames == NULL &&
	    engine_trap_of(err) != ENGINE_TRAP_NONE)
		take_trace(trap, store);
	return trap;
}

wasm_trap_t *wasm_trap_new(wasm_store_t *store, const wasm_message_t *message)
{
	size_t len = message->size;

	if (len > 0 && message->data[len - 1] == '\0')
		len--;
	return new_trap(store, engine_trap(ENGINE_TRAP_HOST), len > 0 ? message->data : "", len);
}

void wasm_trap_message(const wasm_trap_t *trap, wasm_message_t *out)
{
	const char *text = trap->message;

	if (text != NULL) {
		wasm_name_new(out, trap->message_len + 1, text);
		return;
	}
	text = engine_trap_of(trap->cause) != ENGINE_TRAP_NONE
	               ? engine_trap_text(engine_trap_of(trap->cause))
	               : lb_err_text(trap->cause);
	wasm_name_new_from_string_nt(out, text);
}

lb_err engine_capi_trap_cause(const struct wasm_trap_t *trap) { return trap->cause; }

/* ---- frames ---- */

void wasm_frame_delete(wasm_frame_t *frame)
{
	if (frame == NULL)
		return;
	wasm_instance_delete(frame->instance);
	LB_DROP(&lb_mem_host, frame, 1);
}

wasm_frame_t *wasm_frame_copy(const wasm_frame_t *frame)
{
	wasm_frame_t *copy = LB_NEW(&lb_mem_host, wasm_frame_t, 1);

	if (copy == NULL)
		return NULL;
	*copy = *frame;
	if (copy->instance != NULL)
		copy->instance = wasm_instance_copy(frame->instance);
	return copy;
}

struct wasm_instance_t *wasm_frame_instance(const wasm_frame_t *frame) { return frame->instance; }

uint32_t wasm_frame_func_index(const wasm_frame_t *frame) { return frame->func_index; }

/* Where in a function it was is not known. */
size_t wasm_frame_func_offset(const wasm_frame_t *frame)
{
	(void)frame;
	return 0;
}

size_t wasm_frame_module_offset(const wasm_frame_t *frame)
{
	(void)frame;
	return 0;
}

wasm_frame_t *wasm_trap_origin(const wasm_trap_t *trap)
{
	return trap->frame_count > 0 ? wasm_frame_copy(&trap->frames[0]) : NULL;
}

void wasm_trap_trace(const wasm_trap_t *trap, wasm_frame_vec_t *out)
{
	bool good = true;

	wasm_frame_vec_new_uninitialized(out, trap->frame_count);
	for (uint32_t i = 0; i < out->size; i++) {
		out->data[i] = wasm_frame_copy(&trap->frames[i]);
		good = good && out->data[i] != NULL;
	}
	if (!good)
		wasm_frame_vec_delete(out);
}
