/* vec.c - wasm.h's vectors.  One that cannot be made is empty. */
#include "engine/capi/capi_priv.h"

/* What all kinds share: zeroed room, none for size 0. */
#define VEC(name, element) \
	void wasm_##name##_vec_new_empty(wasm_##name##_vec_t *out) \
	{ \
		out->size = 0; \
		out->data = NULL; \
	} \
	void wasm_##name##_vec_new_uninitialized(wasm_##name##_vec_t *out, size_t size) \
	{ \
		out->data = LB_NEW(&lb_mem_host, element, size); \
		out->size = out->data != NULL ? size : 0; \
	}

static void drop_byte(wasm_byte_t byte) { (void)byte; }
static void drop_val(wasm_val_t value) { wasm_val_delete(&value); }

/* The elements given are owned, also where there is no room for them. */
#define VEC_OWNED(name, element, drop) \
	void wasm_##name##_vec_new(wasm_##name##_vec_t *out, size_t size, \
	                           element const elements[]) \
	{ \
		wasm_##name##_vec_new_uninitialized(out, size); \
		if (out->size > 0) \
			memcpy(out->data, elements, size * sizeof *elements); \
		for (size_t i = 0; i < size && out->size == 0; i++) \
			drop(elements[i]); \
	} \
	void wasm_##name##_vec_delete(wasm_##name##_vec_t *vec) \
	{ \
		for (size_t i = 0; i < vec->size; i++) \
			drop(vec->data[i]); \
		LB_DROP(&lb_mem_host, vec->data, vec->size); \
		wasm_##name##_vec_new_empty(vec); \
	}

/* All or nothing; a missing element (NULL) stays missing. */
#define VEC_OF(name) \
	VEC(name, wasm_##name##_t *) \
	VEC_OWNED(name, wasm_##name##_t *, wasm_##name##_delete) \
	void wasm_##name##_vec_copy(wasm_##name##_vec_t *out, const wasm_##name##_vec_t *vec) \
	{ \
		bool good = true; \
\
		wasm_##name##_vec_new_uninitialized(out, vec->size); \
		for (size_t i = 0; i < out->size; i++) { \
			if (vec->data[i] == NULL) \
				continue; \
			out->data[i] = wasm_##name##_copy(vec->data[i]); \
			good = good && out->data[i] != NULL; \
		} \
		if (!good) \
			wasm_##name##_vec_delete(out); \
	}

VEC(byte, wasm_byte_t)
VEC_OWNED(byte, wasm_byte_t, drop_byte)
VEC(val, wasm_val_t)
VEC_OWNED(val, wasm_val_t, drop_val)
VEC_OF(valtype)
VEC_OF(functype)
VEC_OF(globaltype)
VEC_OF(tabletype)
VEC_OF(memorytype)
VEC_OF(externtype)
VEC_OF(importtype)
VEC_OF(exporttype)
VEC_OF(frame)
VEC_OF(extern)

void wasm_byte_vec_copy(wasm_byte_vec_t *out, const wasm_byte_vec_t *vec)
{
	wasm_byte_vec_new(out, vec->size, vec->data);
}

void wasm_val_vec_copy(wasm_val_vec_t *out, const wasm_val_vec_t *vec)
{
	wasm_val_vec_new_uninitialized(out, vec->size);
	for (size_t i = 0; i < out->size; i++)
		wasm_val_copy(&out->data[i], &vec->data[i]);
}
