/* decode_priv.h - what the decoder's files share. */
#ifndef ENGINE_BINARY_DECODE_PRIV_H
#define ENGINE_BINARY_DECODE_PRIV_H

#include "engine/binary/reader.h"
#include "engine/form.h"

struct decoder {
	struct engine_reader r; /* of the section at hand */
	struct engine_module *module;
	unsigned rank; /* of the last section, in their order */
	bool data_seen;
	uint32_t body_count;
};

lb_err engine_decode_invalid(const struct decoder *d, size_t offset, const char *text);

/* A function's index, which is thereby declared. */
lb_err engine_decode_func_index(uint32_t *out, struct decoder *d);

/* A constant expression that gives a value of `type`, and its end. */
lb_err engine_decode_const(struct engine_const *out, struct decoder *d, engine_type type);

#endif
