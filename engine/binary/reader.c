/* reader.c - see reader.h. */
#include "engine/binary/reader.h"

#include <stdarg.h>
#include <stdio.h>

lb_err engine_reader_fail(const struct engine_reader *r, enum lb_code code, size_t offset,
                          const char *format, ...)
{
	if (r->diag != NULL) {
		char text[256];
		va_list args;

		va_start(args, format);
		(void)vsnprintf(text, sizeof text, format, args);
		va_end(args);
		lb_diag_set(r->diag, "%s at byte 0x%zx", text, offset);
	}
	return lb_err_at(code, offset);
}

static lb_err at_end(const struct engine_reader *r)
{
	return engine_reader_fail(r, LB_E_MALFORMED, engine_reader_offset(r), "%s", r->end_text);
}

lb_err engine_read_byte(uint8_t *out, struct engine_reader *r)
{
	if (r->at == r->end)
		return at_end(r);
	*out = *r->at++;
	return LB_OK;
}

/* LEB128 of `bits` bits.  The last byte that may come must not go on, and its
 * unused bits must be the sign's (or zero).  A number that is wrong in itself
 * is reported as that even where its stretch ends within it. */
static lb_err read_leb(uint64_t *out, struct engine_reader *r, unsigned bits, bool is_signed)
{
	size_t start = engine_reader_offset(r);
	unsigned bytes_max = (bits + 6) / 7;
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes_max; i++) {
		unsigned used = bits - 7 * i; /* bits of this byte that count */
		unsigned byte, unused;

		if (r->at == r->module_end)
			return at_end(r);
		byte = *r->at++;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (used < 7) {
			if ((byte & 0x80) != 0)
				return engine_reader_fail(r, LB_E_MALFORMED, start,
				                          "integer representation too long");
			/* The sign's own bit belongs to those that must agree. */
			unused = is_signed ? (byte & 0x7f) >> (used - 1) : byte >> used;
			if (unused != 0 && !(is_signed && unused == 0x7fu >> (used - 1)))
				return engine_reader_fail(r, LB_E_MALFORMED, start,
				                          "integer too large");
		}
		if ((byte & 0x80) == 0) {
			if (is_signed && (byte & 0x40) != 0 && 7 * (i + 1) < 64)
				value |= ~(uint64_t)0 << (7 * (i + 1));
			*out = value;
			return r->at <= r->end ? LB_OK : at_end(r);
		}
	}
	return engine_reader_fail(r, LB_E_MALFORMED, start, "integer representation too long");
}

lb_err engine_read_u32_slow(uint32_t *out, struct engine_reader *r)
{
	uint64_t value = 0;

	LB_TRY(read_leb(&value, r, 32, false));
	*out = (uint32_t)value;
	return LB_OK;
}

lb_err engine_read_u64(uint64_t *out, struct engine_reader *r)
{
	return read_leb(out, r, 64, false);
}

lb_err engine_read_s32(int32_t *out, struct engine_reader *r)
{
	uint64_t value = 0;

	LB_TRY(read_leb(&value, r, 32, true));
	*out = (int32_t)(uint32_t)value;
	return LB_OK;
}

lb_err engine_read_s33(int64_t *out, struct engine_reader *r)
{
	uint64_t value = 0;

	LB_TRY(read_leb(&value, r, 33, true));
	*out = (int64_t)value;
	return LB_OK;
}

lb_err engine_read_s64(int64_t *out, struct engine_reader *r)
{
	uint64_t value = 0;

	LB_TRY(read_leb(&value, r, 64, true));
	*out = (int64_t)value;
	return LB_OK;
}

lb_err engine_read_bytes(struct lb_bytes *out, struct engine_reader *r, size_t len)
{
	if (len > engine_reader_left(r))
		return at_end(r);
	*out = (struct lb_bytes){ r->at, len };
	r->at += len;
	return LB_OK;
}

lb_err engine_read_fixed32(uint32_t *out, struct engine_reader *r)
{
	const unsigned char *in = r->at;

	if (engine_reader_left(r) < 4)
		return at_end(r);
	*out = (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 |
	       (uint32_t)in[3] << 24;
	r->at += 4;
	return LB_OK;
}

lb_err engine_read_fixed64(uint64_t *out, struct engine_reader *r)
{
	uint32_t low = 0, high = 0;

	LB_TRY(engine_read_fixed32(&low, r));
	LB_TRY(engine_read_fixed32(&high, r));
	*out = (uint64_t)high << 32 | low;
	return LB_OK;
}

lb_err engine_read_count(uint32_t *out, struct engine_reader *r, uint32_t item_min,
                         uint32_t count_max, const char *what)
{
	size_t start = engine_reader_offset(r);

	LB_TRY(engine_read_u32(out, r));
	if (*out > engine_reader_left(r) / item_min)
		return engine_reader_fail(r, LB_E_MALFORMED, start, "%s: %u %s in %zu bytes",
		                          r->end_text, *out, what, engine_reader_left(r));
	if (*out > count_max)
		return engine_reader_fail(r, LB_E_LIMIT, start, "too many %s: %u, the limit is %u",
		                          what, *out, count_max);
	return LB_OK;
}

lb_err engine_read_name(struct lb_bytes *out, struct engine_reader *r)
{
	size_t start = engine_reader_offset(r);
	uint32_t len = 0;

	LB_TRY(engine_read_u32(&len, r));
	if (len > engine_reader_left(r))
		return engine_reader_fail(r, LB_E_MALFORMED, start, "length out of bounds");
	start = engine_reader_offset(r);
	LB_TRY(engine_read_bytes(out, r, len));
	if (!engine_utf8_valid(*out))
		return engine_reader_fail(r, LB_E_MALFORMED, start, "malformed UTF-8 encoding");
	return LB_OK;
}

/* Bytes in the sequence that `lead` opens; 0 where it opens none. */
static unsigned utf8_len(unsigned lead)
{
	if (lead < 0x80)
		return 1;
	if (lead < 0xc2) /* continuation bytes and overlong pairs */
		return 0;
	if (lead < 0xe0)
		return 2;
	if (lead < 0xf0)
		return 3;
	return lead < 0xf5 ? 4 : 0;
}

bool engine_utf8_valid(struct lb_bytes text)
{
	size_t i = 0;

	while (i < text.len) {
		unsigned lead = text.at[i], len = utf8_len(lead);

		if (len == 0 || text.len - i < len)
			return false;
		for (unsigned k = 1; k < len; k++)
			if ((text.at[i + k] & 0xc0) != 0x80)
				return false;
		if (len >= 3) {
			unsigned second = text.at[i + 1];

			/* Overlong forms, surrogates, and what lies above U+10FFFF. */
			if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
			    (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
				return false;
		}
		i += len;
	}
	return true;
}
