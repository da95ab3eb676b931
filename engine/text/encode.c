/* encode.c - numbers and strings as the binary format has them. */
#include "engine/text/encode_priv.h"

void engine_encode_u64(struct lb_buf *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		lb_buf_add_byte(out, (unsigned char)(value | 0x80));
	lb_buf_add_byte(out, (unsigned char)value);
}

void engine_encode_u32(struct lb_buf *out, uint32_t value) { engine_encode_u64(out, value); }

void engine_encode_s64(struct lb_buf *out, int64_t value)
{
	/* Done when what is left is the sign alone, as the last byte's own bit 6 says it. */
	while (value < -64 || value > 63) {
		lb_buf_add_byte(out, (unsigned char)((uint64_t)value | 0x80));
		value = (int64_t)((uint64_t)value >> 7 |
		                  (value < 0 ? ~(~(uint64_t)0 >> 7) : (uint64_t)0));
	}
	lb_buf_add_byte(out, (unsigned char)((uint64_t)value & 0x7f));
}

void engine_encode_fixed(struct lb_buf *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		lb_buf_add_byte(out, (unsigned char)(value >> (8 * i)));
}

void engine_encode_bytes(struct lb_buf *out, struct lb_bytes bytes)
{
	engine_encode_u64(out, bytes.len);
	lb_buf_add(out, bytes);
}
