/* encode_priv.h - numbers and strings as the binary format has them, appended. */
#ifndef ENGINE_TEXT_ENCODE_PRIV_H
#define ENGINE_TEXT_ENCODE_PRIV_H

#include "base/buf.h"

void engine_encode_u32(struct lb_buf *out, uint32_t value);
void engine_encode_u64(struct lb_buf *out, uint64_t value);
void engine_encode_s64(struct lb_buf *out, int64_t value);
void engine_encode_fixed(struct lb_buf *out, uint64_t value, unsigned bytes); /* low bytes first */
void engine_encode_bytes(struct lb_buf *out, struct lb_bytes bytes); /* with their length before */

#endif
