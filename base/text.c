/* text.c - see text.h. */
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- UTF-8 ---- */

enum { REPLACEMENT = 0xfffd, CODE_POINT_MAX = 0x10ffff };

/* The length of the well-formed character at the front, 0 where there is none.  The bounds of
 * the second byte refuse overlong forms, surrogates and what lies above U+10FFFF. */
static size_t decode(uint32_t *code_point, struct lb_bytes text)
{
	unsigned char lead = text.at[0], low = 0x80, high = 0xbf;
	size_t len = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
	uint32_t value = lead;

	if (len == 0 || lead > 0xf4 || text.len < len)
		return 0;
	if (len > 1)
		value &= 0x7fu >> len;
	low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : low;
	high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : high;
	for (size_t i = 1; i < len; i++) {
		if (text.at[i] < low || text.at[i] > high)
			return 0;
		value = value << 6 | (text.at[i] & 0x3fu);
		low = 0x80;
		high = 0xbf;
	}
	*code_point = value;
	return len;
}

/* How many of the bytes at the front are ASCII, in steps of eight. */
static size_t ascii_run(struct lb_bytes text)
{
	uint64_t word;
	size_t at = 0;

	for (; text.len - at >= sizeof word; at += sizeof word) {
		memcpy(&word, text.at + at, sizeof word);
		if ((word & 0x8080808080808080u) != 0)
			break;
	}
	return at;
}

size_t lb_utf8_check(struct lb_bytes text)
{
	size_t at = 0;

	while (at < text.len) {
		uint32_t code_point;
		size_t len = ascii_run(lb_bytes_from(text, at));

		if (len == 0)
			len = decode(&code_point, lb_bytes_from(text, at));
		if (len == 0)
			return at;
		at += len;
	}
	return SIZE_MAX;
}

void lb_utf8_add(struct lb_buf *out, uint32_t code_point)
{
	uint32_t c = code_point;
	unsigned char bytes[4];
	size_t len = 0;

	if (c > CODE_POINT_MAX || (c >= 0xd800 && c <= 0xdfff))
		c = REPLACEMENT;
	if (c < 0x80) {
		bytes[len++] = (unsigned char)c;
	} else if (c < 0x800) {
		bytes[len++] = (unsigned char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		bytes[len++] = (unsigned char)(0xe0 | c >> 12);
		bytes[len++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	} else {
		bytes[len++] = (unsigned char)(0xf0 | c >> 18);
		bytes[len++] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
		bytes[len++] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		bytes[len++] = (unsigned char)(0x80 | (c & 0x3f));
	lb_buf_add(out, (struct lb_bytes){ bytes, len });
}

uint32_t lb_utf8_next(struct lb_bytes *text)
{
	uint32_t code_point = REPLACEMENT;
	size_t len;

	assert(text->len > 0);
	len = decode(&code_point, *text);
	*text = lb_bytes_from(*text, len > 0 ? len : 1);
	return code_point;
}

/* ---- hex ---- */

static const char hex_digits[] = "0123456789abcdef";

void lb_hex_add(struct lb_buf *out, struct lb_bytes bytes)
{
	unsigned char *to;

	if (bytes.len > SIZE_MAX / 4)
		to = lb_buf_reserve(out, SIZE_MAX / 2); /* fails as too long */
	else
		to = lb_buf_reserve(out, bytes.len * 2);
	if (to == NULL)
		return;
	for (size_t i = 0; i < bytes.len; i++) {
		*to++ = (unsigned char)hex_digits[bytes.at[i] >> 4];
		*to++ = (unsigned char)hex_digits[bytes.at[i] & 15];
	}
	*to = '\0';
	out->len += bytes.len * 2;
}

/* A digit's value, either case; -1 for what is none. */
static int hex_value(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

lb_err lb_hex_read(unsigned char *out, size_t len, struct lb_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		int value = hex_value(text.at[i]);

		if (value < 0 || i / 2 >= len)
			return lb_err_at(LB_E_MALFORMED, i);
		if (i % 2 == 0)
			out[i / 2] = (unsigned char)(value << 4);
		else
			out[i / 2] |= (unsigned char)value;
	}
	return text.len % 2 == 0 && text.len / 2 == len ? LB_OK
	                                                : lb_err_at(LB_E_MALFORMED, text.len);
}

bool lb_hex_is(struct lb_bytes text, size_t digits)
{
	if (text.len != digits)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (hex_value(text.at[i]) < 0 || (text.at[i] >= 'A' && text.at[i] <= 'F'))
			return false;
	}
	return true;
}

/* ---- base64 ---- */

static const char base64_common[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void base64_add(struct lb_buf *out, struct lb_bytes in, const char *alphabet, bool padded)
{
	size_t len = in.len / 3 * 4 + (in.len % 3 == 0 ? 0 : padded ? 4 : in.len % 3 + 1);
	unsigned char *to = lb_buf_reserve(out, len);

	if (to == NULL)
		return;
	for (size_t i = 0; i < in.len; i += 3) {
		size_t left = in.len - i < 3 ? in.len - i : 3;
		unsigned bits = (unsigned)in.at[i] << 16;

		if (left > 1)
			bits |= (unsigned)in.at[i + 1] << 8;
		if (left > 2)
			bits |= in.at[i + 2];
		for (size_t k = 0; k < left + 1; k++)
			*to++ = (unsigned char)alphabet[bits >> (18 - 6 * k) & 63];
		for (size_t k = left; padded && k < 3; k++)
			*to++ = '=';
	}
	*to = '\0';
	out->len += len;
}

/* A digit's value, or -1. */
static int base64_value(unsigned char c, const char *alphabet)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == (unsigned char)alphabet[62])
		return 62;
	return c == (unsigned char)alphabet[63] ? 63 : -1;
}

/* Digits only.  What a last group has beyond whole bytes must be zero, so that each run of
 * bytes has one notation. */
static lb_err base64_digits(struct lb_buf *out, struct lb_bytes text, const char *alphabet)
{
	unsigned char *to = lb_buf_reserve(out, text.len / 4 * 3 + 3);
	size_t start = out->len;
	unsigned bits = 0, held = 0;

	if (to == NULL)
		return lb_buf_check(out);
	for (size_t i = 0; i < text.len; i++) {
		int value = base64_value(text.at[i], alphabet);

		if (value < 0) {
			out->at[start] = '\0';
			return lb_err_at(LB_E_MALFORMED, i);
		}
		bits = bits << 6 | (unsigned)value;
		held += 6;
		if (held >= 8) {
			held -= 8;
			*to++ = (unsigned char)(bits >> held);
			bits &= (1u << held) - 1;
		}
	}
	if (bits != 0 || held == 6) {
		out->at[start] = '\0';
		return lb_err_at(LB_E_MALFORMED, text.len > 0 ? text.len - 1 : 0);
	}
	*to = '\0';
	out->len = (size_t)(to - out->at);
	return LB_OK;
}

void lb_base64_add(struct lb_buf *out, struct lb_bytes bytes)
{
	base64_add(out, bytes, base64_common, true);
}

void lb_base64url_add(struct lb_buf *out, struct lb_bytes bytes)
{
	base64_add(out, bytes, base64_url, false);
}

lb_err lb_base64_read(struct lb_buf *out, struct lb_bytes text)
{
	struct lb_bytes digits = text;

	for (int i = 0; i < 2 && digits.len > 0 && digits.at[digits.len - 1] == '='; i++)
		digits.len--;
	LB_TRY(base64_digits(out, digits, base64_common));
	/* The digits alone were good: what is wrong can only be how many signs follow them. */
	if (text.len % 4 == 0)
		return LB_OK;
	out->len -= digits.len / 4 * 3 + (digits.len % 4 > 0 ? digits.len % 4 - 1 : 0);
	out->at[out->len] = '\0';
	return lb_err_at(LB_E_MALFORMED, text.len);
}

lb_err lb_base64url_read(struct lb_buf *out, struct lb_bytes text)
{
	return base64_digits(out, text, base64_url);
}

/* ---- URLs, HTML ---- */

static bool is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void lb_url_add(struct lb_buf *out, struct lb_bytes text, const char *keep)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];

		if (is_unreserved(c) || (keep != NULL && c != '\0' && strchr(keep, c) != NULL))
			lb_buf_add_byte(out, c);
		else
			lb_buf_addf(out, "%%%02X", (unsigned)c);
	}
}

lb_err lb_url_read(struct lb_buf *out, struct lb_bytes text)
{
	size_t start = out->len;

	for (size_t i = 0; i < text.len; i++) {
		int high, low;

		if (text.at[i] != '%') {
			lb_buf_add_byte(out, text.at[i]);
			continue;
		}
		high = text.len - i > 2 ? hex_value(text.at[i + 1]) : -1;
		low = high >= 0 ? hex_value(text.at[i + 2]) : -1;
		if (low < 0) {
			if (out->at != NULL)
				out->at[start] = '\0';
			out->len = start;
			return lb_err_at(LB_E_MALFORMED, i);
		}
		lb_buf_add_byte(out, (unsigned char)(high << 4 | low));
		i += 2;
	}
	return lb_buf_check(out);
}

void lb_html_add(struct lb_buf *out, struct lb_bytes text)
{
	size_t done = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];
		const char *reference = c == '&'    ? "&amp;"
		                        : c == '<'  ? "&lt;"
		                        : c == '>'  ? "&gt;"
		                        : c == '"'  ? "&quot;"
		                        : c == '\'' ? "&#39;"
		                                    : NULL;

		if (reference == NULL)
			continue;
		lb_buf_add(out, lb_bytes_upto(lb_bytes_from(text, done), i - done));
		lb_buf_add_text(out, reference);
		done = i + 1;
	}
	lb_buf_add(out, lb_bytes_from(text, done));
}

/* ---- JSON's scalars ---- */

static void json_escape_add(struct lb_buf *out, unsigned char c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *hit = c != '\0' ? strchr(from, c) : NULL;

	if (hit != NULL) {
		lb_buf_add_byte(out, '\\');
		lb_buf_add_byte(out, (unsigned char)to[hit - from]);
	} else {
		lb_buf_addf(out, "\\u%04x", (unsigned)c);
	}
}

void lb_json_string_add(struct lb_buf *out, struct lb_bytes text)
{
	size_t done = 0, at = 0;

	lb_buf_add_byte(out, '"');
	while (at < text.len) {
		unsigned char c = text.at[at];
		bool escaped = c < 0x20 || c == '"' || c == '\\';
		uint32_t code_point;
		size_t len = escaped    ? 0
		             : c < 0x80 ? 1
		                        : decode(&code_point, lb_bytes_from(text, at));

		if (len > 0) { /* goes out as it is, with its neighbours */
			at += len;
			continue;
		}
		lb_buf_add(out, lb_bytes_upto(lb_bytes_from(text, done), at - done));
		if (escaped)
			json_escape_add(out, c);
		else
			lb_utf8_add(out, REPLACEMENT);
		done = ++at;
	}
	lb_buf_add(out, lb_bytes_from(text, done));
	lb_buf_add_byte(out, '"');
}

static bool same(double a, double b) { return a <= b && a >= b; }

void lb_number_add(struct lb_buf *out, double number)
{
	static const double whole_max = 9007199254740992.0; /* 2^53 */
	char text[40];

	if (isnan(number)) {
		lb_buf_add_text(out, "NaN");
		return;
	}
	if (isinf(number)) {
		lb_buf_add_text(out, number < 0 ? "-Infinity" : "Infinity");
		return;
	}
	if (number >= -whole_max && number <= whole_max && same((double)(int64_t)number, number)) {
		lb_buf_addf(out, "%lld", (long long)number);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, number);
		if (same(strtod(text, NULL), number))
			break;
	}
	/* The C library writes the point as the locale has it, in one byte or more. */
	for (const char *at = text; *at != '\0';) {
		size_t len = strspn(at, "0123456789+-e");

		lb_buf_add(out, (struct lb_bytes){ (const unsigned char *)at, len });
		at += len;
		if (*at != '\0')
			lb_buf_add_byte(out, '.');
		at += strcspn(at, "0123456789+-e");
	}
}

/* ---- times ---- */

enum { NS_PER_MS = 1000000, SECONDS_PER_DAY = 86400 };
static const uint64_t ns_per_s = 1000000000;

struct date {
	unsigned year, month, day;
};

/* Days since 1970-01-01 as a date of the Gregorian calendar.  Years are counted from March, so
 * that the day a leap year adds is their last; 400 of them are an era of 146097 days. */
static struct date date_of(uint64_t days_since_1970)
{
	uint64_t days = days_since_1970 + 719468; /* from 0000-03-01 */
	unsigned day_of_era = (unsigned)(days % 146097);
	unsigned year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned from_march = (5 * day_of_year + 2) / 153;
	struct date date = {
		.year = (unsigned)(days / 146097) * 400 + year_of_era,
		.month = from_march < 10 ? from_march + 3 : from_march - 9,
		.day = day_of_year - (153 * from_march + 2) / 5 + 1,
	};

	if (date.month <= 2)
		date.year++;
	return date;
}

const char *lb_time_text(char out[LB_TIME_SIZE], uint64_t wall_ns, unsigned digits)
{
	uint64_t seconds = wall_ns / ns_per_s;
	struct date date = date_of(seconds / SECONDS_PER_DAY);
	unsigned of_day = (unsigned)(seconds % SECONDS_PER_DAY);
	unsigned fraction = (unsigned)(wall_ns % ns_per_s);
	int len = snprintf(out, LB_TIME_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", date.year % 10000,
	                   date.month, date.day, of_day / 3600, of_day / 60 % 60, of_day % 60);
	size_t at = (size_t)len;

	if (digits > 9)
		digits = 9;
	if (digits > 0)
		at += (size_t)snprintf(out + at, LB_TIME_SIZE - at, ".%09u", fraction) -
		      (9 - digits);
	out[at] = 'Z';
	out[at + 1] = '\0';
	return out;
}

const char *lb_duration_text(char out[LB_TIME_SIZE], uint64_t ns)
{
	uint64_t s = ns / ns_per_s;

	/* What is shown is never more than what has gone by: "60.0 s" is no answer. */
	if (s < 1)
		(void)snprintf(out, LB_TIME_SIZE, "%u ms", (unsigned)(ns / NS_PER_MS));
	else if (s < 60)
		(void)snprintf(out, LB_TIME_SIZE, "%u.%u s", (unsigned)s,
		               (unsigned)(ns % ns_per_s / (ns_per_s / 10)));
	else if (s < 3600)
		(void)snprintf(out, LB_TIME_SIZE, "%um %02us", (unsigned)s / 60, (unsigned)s % 60);
	else
		(void)snprintf(out, LB_TIME_SIZE, "%lluh %02um", (unsigned long long)(s / 3600),
		               (unsigned)(s / 60 % 60));
	return out;
}
