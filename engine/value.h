/* value.h - a value as the embedder sees it.
 *
 * Which member counts is known from the function's or global's type.  Floats
 * are also to be had as bits, since a NaN's payload need not survive being
 * copied as a float everywhere.
 */
#ifndef ENGINE_VALUE_H
#define ENGINE_VALUE_H

#include "engine/type.h"

struct engine_func;

union engine_value {
	uint32_t i32, f32_bits;
	uint64_t i64, f64_bits;
	float f32;
	double f64;
	uint64_t v128[2];         /* in memory's order */
	struct engine_func *func; /* funcref; NULL is the null reference */
	void *foreign; /* externref: the host's own pointer; NULL is null.  Bit 63 is clear */
	uint64_t ref;  /* any other reference, and an externref made of one; 0 is null.  Good until
	                * the next call into the store, unless kept: engine_store_keep */
};

/* What a reference to anything but a function or an exception is. */
enum engine_ref_kind {
	ENGINE_REF_NULL,
	ENGINE_REF_I31,
	ENGINE_REF_STRUCT,
	ENGINE_REF_ARRAY,
	ENGINE_REF_FOREIGN /* the host's, come in by any.convert_extern */
};

enum engine_ref_kind engine_value_ref_kind(union engine_value value);

static inline union engine_value engine_value_of_i31(int32_t number)
{
	return (union engine_value){ .ref = (uint64_t)((uint32_t)number & 0x7fffffff) << 1 | 1 };
}

/* Between externref and anyref, null staying null. */
static inline union engine_value engine_value_convert(union engine_value value)
{
	if (value.ref != 0)
		value.ref ^= UINT64_C(1) << 63;
	return value;
}

#endif
