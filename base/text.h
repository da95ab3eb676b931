/* text.h - encodings and notations: UTF-8, hex, base64, URLs, HTML, times.
 *
 * Writers append to a struct lb_buf (sticky failure, see base/buf.h); readers
 * return MALFORMED with the offset of the first bad byte, and add nothing then.  Threads: pure
 * functions.
 */
#ifndef LB_BASE_TEXT_H
#define LB_BASE_TEXT_H

#include "base/buf.h"
#include "base/bytes.h"

/* Offset of the first byte that is not well-formed UTF-8 (RFC 3629); SIZE_MAX where all is. */
size_t lb_utf8_check(struct lb_bytes text);

/* Append one code point; U+FFFD for what is not one. */
void lb_utf8_add(struct lb_buf *out, uint32_t code_point);

/* The code point at the front, cut off; U+FFFD and one byte for a malformed one.  pre: text->len >
 * 0. */
uint32_t lb_utf8_next(struct lb_bytes *text);

void lb_hex_add(struct lb_buf *out, struct lb_bytes bytes); /* lower case */
lb_err lb_hex_read(unsigned char *out, size_t len,
                   struct lb_bytes text);            /* exactly 2 * len digits */
bool lb_hex_is(struct lb_bytes text, size_t digits); /* lower case only */

/* RFC 4648: the common alphabet with padding, or the URL one without. */
void lb_base64_add(struct lb_buf *out, struct lb_bytes bytes);
void lb_base64url_add(struct lb_buf *out, struct lb_bytes bytes);
lb_err lb_base64_read(struct lb_buf *out, struct lb_bytes text);
lb_err lb_base64url_read(struct lb_buf *out, struct lb_bytes text);

/* RFC 3986: everything but unreserved characters as %XX; `keep` are let through too ("/"). */
void lb_url_add(struct lb_buf *out, struct lb_bytes text, const char *keep);
lb_err lb_url_read(struct lb_buf *out, struct lb_bytes text); /* %XX only; + stays */

/* & < > " ' as character references: safe in element content and quoted attributes. */
void lb_html_add(struct lb_buf *out, struct lb_bytes text);

/* RFC 8259 string with its quotes; malformed UTF-8 becomes U+FFFD. */
void lb_json_string_add(struct lb_buf *out, struct lb_bytes text);

/* Shortest of %.15g to %.17g that reads back as the same number, whatever the locale; whole
 * numbers up to 2^53 as integers.  "NaN", "Infinity", "-Infinity" for what JSON has no form for. */
void lb_number_add(struct lb_buf *out, double number);

/* "2026-11-21T07:25:00.123Z" (RFC 3339, UTC) with that many digits of fraction, 0 to 9. */
enum { LB_TIME_SIZE = 40 };
const char *lb_time_text(char out[LB_TIME_SIZE], uint64_t wall_ns, unsigned digits);

/* "340 ms", "4.2 s", "3m 05s", "2h 14m". */
const char *lb_duration_text(char out[LB_TIME_SIZE], uint64_t ns);

#endif
