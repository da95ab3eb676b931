/* buf.c - see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

enum { FIRST_CAPACITY = 64 };

void lb_buf_init(struct lb_buf *buf, struct lb_mem *mem, size_t bytes_max)
{
	assert(bytes_max < SIZE_MAX / 2);
	*buf = (struct lb_buf){ .mem = mem, .bytes_max = bytes_max };
}

void lb_buf_release(struct lb_buf *buf)
{
	if (buf->at != NULL)
		lb_mem_drop(buf->mem, buf->at, buf->capacity, 1);
	*buf = (struct lb_buf){ .mem = buf->mem, .bytes_max = buf->bytes_max };
}

void lb_buf_reset(struct lb_buf *buf)
{
	buf->len = 0;
	buf->failure = LB_OK;
	if (buf->at != NULL)
		buf->at[0] = '\0';
}

lb_err lb_buf_check(const struct lb_buf *buf) { return buf->failure; }

static void fail(struct lb_buf *buf, lb_err err)
{
	if (!lb_failed(buf->failure))
		buf->failure = err;
}

unsigned char *lb_buf_reserve(struct lb_buf *buf, size_t len)
{
	size_t want, capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
	unsigned char *fresh;

	if (lb_failed(buf->failure))
		return NULL;
	if (len > buf->bytes_max - buf->len) {
		fail(buf, lb_err_at(LB_E_LIMIT, buf->bytes_max));
		return NULL;
	}
	want = buf->len + len + 1; /* the terminator */
	if (want <= buf->capacity)
		return buf->at + buf->len;
	while (capacity < want)
		capacity *= 2;
	fresh = lb_mem_grow(buf->mem, buf->at, buf->capacity, capacity, 1);
	if (fresh == NULL) {
		fail(buf, lb_err_of(LB_E_NOMEM));
		return NULL;
	}
	fresh[buf->len] = '\0';
	buf->at = fresh;
	buf->capacity = capacity;
	return fresh + buf->len;
}

void lb_buf_add(struct lb_buf *buf, struct lb_bytes bytes)
{
	unsigned char *to = lb_buf_reserve(buf, bytes.len);

	if (to == NULL || bytes.len == 0)
		return;
	memcpy(to, bytes.at, bytes.len);
	buf->len += bytes.len;
	buf->at[buf->len] = '\0';
}

void lb_buf_add_text(struct lb_buf *buf, const char *text) { lb_buf_add(buf, lb_bytes_of(text)); }

void lb_buf_add_byte(struct lb_buf *buf, unsigned char byte)
{
	lb_buf_add(buf, (struct lb_bytes){ &byte, 1 });
}

void lb_buf_addf(struct lb_buf *buf, const char *format, ...)
{
	va_list args, again;
	unsigned char *to;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	to = len < 0 ? NULL : lb_buf_reserve(buf, (size_t)len);
	if (to != NULL) {
		(void)vsnprintf((char *)to, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	} else if (len < 0) {
		fail(buf, lb_err_of(LB_E_INVALID));
	}
	va_end(again);
	va_end(args);
}

void lb_buf_consume(struct lb_buf *buf, size_t len)
{
	if (len > buf->len)
		len = buf->len;
	if (len == 0)
		return;
	memmove(buf->at, buf->at + len, buf->len - len);
	buf->len -= len;
	buf->at[buf->len] = '\0';
}

const char *lb_buf_text(const struct lb_buf *buf)
{
	return buf->at != NULL ? (const char *)buf->at : "";
}
