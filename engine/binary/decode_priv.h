/* decode_priv.h - what the decoder's files share. */
#ifndef ENGINE_BINARY_DECODE_PRIV_H
#define ENGINE_BINARY_DECODE_PRIV_H

#include "engine/validate/validate.h"

struct decoder {
	struct engine_reader r; /* of the section at hand */
	struct engine_module *module;
	struct engine_validator *validator; /* made when it is first needed */
	unsigned rank;                      /* of the last section, in their order */
	bool data_seen;
	uint32_t body_count;
};

lb_err engine_decode_invalid(const struct decoder *d, size_t offset, const char *text);

/* The type section (types.c). */
lb_err engine_decode_types(struct decoder *d);

#endif
