/* buf.h - a growable run of bytes with a mandatory maximum and sticky failure.
 *
 * Write many, check once: after the first failure (memory, or the maximum)
 * further writes do nothing and lb_buf_check says what went wrong.  The bytes
 * are always followed by a terminator that is not counted.  Owner: whoever
 * called lb_buf_init, who calls lb_buf_release.  Threads: one at a time.
 */
#ifndef LB_BASE_BUF_H
#define LB_BASE_BUF_H

#include "base/bytes.h"
#include "base/mem.h"

struct lb_buf {
	struct lb_mem *mem;
	unsigned char *at;
	size_t len, capacity, bytes_max;
	lb_err failure;
};

void lb_buf_init(struct lb_buf *buf, struct lb_mem *mem, size_t bytes_max);
void lb_buf_release(struct lb_buf *buf); /* all-zero is fine; empties it for use again */
void lb_buf_reset(struct lb_buf *buf);   /* empty and unfailed, memory kept */

/* LB_OK, or the first failure: NOMEM, or LIMIT with the maximum as context. */
lb_err lb_buf_check(const struct lb_buf *buf);

void lb_buf_add(struct lb_buf *buf, struct lb_bytes bytes);
void lb_buf_add_text(struct lb_buf *buf, const char *text);
void lb_buf_add_byte(struct lb_buf *buf, unsigned char byte);
void lb_buf_addf(struct lb_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `len` more bytes at at + len, or NULL; raise buf->len by what was written. */
unsigned char *lb_buf_reserve(struct lb_buf *buf, size_t len);

/* Take `len` bytes out at the front, moving the rest. */
void lb_buf_consume(struct lb_buf *buf, size_t len);

static inline struct lb_bytes lb_buf_bytes(const struct lb_buf *buf)
{
	return (struct lb_bytes){ buf->at, buf->len };
}

/* The bytes as a terminated string; "" when empty.  Borrowed until the next write. */
const char *lb_buf_text(const struct lb_buf *buf);

#endif
