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
	struct engine_func *func; /* funcref; NULL is the null reference */
	void *foreign;            /* externref: the host's own pointer; NULL is null */
};

#endif
