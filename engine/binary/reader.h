/* reader.h - numbers and names of the binary format, read with bounds.
 *
 * A reader sees one stretch of the module (all of it, a section, a function's
 * body) and reports offsets in the whole.  Failures are MALFORMED with that
 * offset, and the official tests' wording in the diagnostic.
 *
 * Layer: engine, shared by its folders.
 */
#ifndef ENGINE_BINARY_READER_H
#define ENGINE_BINARY_READER_H

#include "base/diag.h"
#include "engine/type.h"

struct engine_reader {
	const unsigned char *at, *end;
	const unsigned char *origin;     /* the module's first byte */
	const unsigned char *module_end; /* behind its last */
	const char *end_text;            /* what to say where bytes are missing */
	struct lb_diag *diag;
};

static inline size_t engine_reader_offset(const struct engine_reader *r)
{
	return (size_t)(r->at - r->origin);
}

static inline size_t engine_reader_left(const struct engine_reader *r)
{
	return (size_t)(r->end - r->at);
}

/* Fail at `offset` of the module; the text is followed by " at byte N". */
lb_err engine_reader_fail(const struct engine_reader *r, enum lb_code code, size_t offset,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));

lb_err engine_read_byte(uint8_t *out, struct engine_reader *r);
lb_err engine_read_u32_slow(uint32_t *out, struct engine_reader *r);
lb_err engine_read_u64(uint64_t *out, struct engine_reader *r);
lb_err engine_read_s32(int32_t *out, struct engine_reader *r);
lb_err engine_read_s64(int64_t *out, struct engine_reader *r);
lb_err engine_read_s33(int64_t *out, struct engine_reader *r);
lb_err engine_read_fixed32(uint32_t *out, struct engine_reader *r);
lb_err engine_read_fixed64(uint64_t *out, struct engine_reader *r);

/* `len` bytes, borrowed. */
lb_err engine_read_bytes(struct lb_bytes *out, struct engine_reader *r, size_t len);

/* A length and as many bytes of UTF-8, borrowed. */
lb_err engine_read_name(struct lb_bytes *out, struct engine_reader *r);

/* A count of things that are each `item_min` bytes or more: MALFORMED where
 * the rest of the stretch could not carry it, LIMIT above `count_max`. */
lb_err engine_read_count(uint32_t *out, struct engine_reader *r, uint32_t item_min,
                         uint32_t count_max, const char *what);

static inline lb_err engine_read_u32(uint32_t *out, struct engine_reader *r)
{
	if (r->at < r->end && *r->at < 0x80) {
		*out = *r->at++;
		return LB_OK;
	}
	return engine_read_u32_slow(out, r);
}

bool engine_utf8_valid(struct lb_bytes text);

#endif
