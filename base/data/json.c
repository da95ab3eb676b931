/* json.c - see json.h.
 *
 * One pass over the text, straight into values.  Recursion is as deep as the text's nesting, which
 * is limited.  What is decoded is never longer than the text it comes from, so no allocation is
 * larger than what was read.
 */
#include "base/data/json.h"

#include "base/data/place_priv.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN_BYTES_MAX = 40 };

struct reader {
	struct lb_arena *arena;
	struct lb_bytes text;
	size_t at; /* offset of the next byte */
	unsigned depth;
	struct lb_diag *diag;
};

/* ---- errors ---- */

__attribute__((format(printf, 4, 5))) static lb_err fail_at(const struct reader *r,
                                                            enum lb_code code, size_t offset,
                                                            const char *format, ...)
{
	struct lb_place place;
	struct lb_diag what = { 0 };
	va_list args;

	if (r->diag == NULL)
		return lb_err_at(code, offset);
	va_start(args, format);
	(void)vsnprintf(what.text, sizeof what.text, format, args);
	va_end(args);
	place = lb_place_of(r->text, offset);
	lb_diag_set(r->diag, "line %u, column %u: %s", place.line, place.column, what.text);
	return lb_err_at(code, offset);
}

static bool is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '+' || c == '.' || c == '_';
}

/* The word that stands here, or the one character. */
static struct lb_bytes word_here(const struct reader *r)
{
	struct lb_bytes rest = lb_bytes_from(r->text, r->at), after = rest;
	size_t len = 0;

	while (len < rest.len && len < SHOWN_BYTES_MAX && is_word(rest.at[len]))
		len++;
	if (len == 0) {
		(void)lb_utf8_next(&after);
		len = rest.len - after.len;
	}
	return lb_bytes_upto(rest, len);
}

static lb_err expected(const struct reader *r, const char *what)
{
	unsigned char c = r->at < r->text.len ? r->text.at[r->at] : ' ';

	if (r->at >= r->text.len)
		return fail_at(r, LB_E_MALFORMED, r->text.len, "%s expected, found nothing", what);
	if (c < ' ')
		return fail_at(r, LB_E_MALFORMED, r->at, "control character 0x%02x", c);
	return fail_at(r, LB_E_MALFORMED, r->at, "%s expected, found '%.*s'", what,
	               LB_FMT(word_here(r)));
}

/* ---- the text ---- */

static void skip_blanks(struct reader *r)
{
	while (r->at < r->text.len && (r->text.at[r->at] == ' ' || r->text.at[r->at] == '\n' ||
	                               r->text.at[r->at] == '\r' || r->text.at[r->at] == '\t'))
		r->at++;
}

/* Behind blanks; false where something else stands. */
static bool take(struct reader *r, unsigned char c)
{
	skip_blanks(r);
	if (r->at >= r->text.len || r->text.at[r->at] != c)
		return false;
	r->at++;
	return true;
}

/* ---- strings ---- */

static lb_err read_unit(uint32_t *out, struct reader *r, size_t at)
{
	uint32_t unit = 0;

	for (size_t i = 0; i < 4; i++) {
		unsigned char c = at + i < r->text.len ? r->text.at[at + i] : 0;
		uint32_t digit = (uint32_t)c - '0';

		if (c >= 'a' && c <= 'f')
			digit = (uint32_t)c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			digit = (uint32_t)c - 'A' + 10;
		else if (c < '0' || c > '9')
			return fail_at(r, LB_E_MALFORMED, at < r->text.len ? at : r->text.len,
			               "four hexadecimal digits expected behind \\u");
		unit = unit << 4 | digit;
	}
	*out = unit;
	return LB_OK;
}

static size_t encode(unsigned char *out, uint32_t code_point)
{
	if (code_point < 0x80) {
		out[0] = (unsigned char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		out[0] = (unsigned char)(0xc0 | code_point >> 6);
		out[1] = (unsigned char)(0x80 | (code_point & 0x3f));
		return 2;
	}
	if (code_point < 0x10000) {
		out[0] = (unsigned char)(0xe0 | code_point >> 12);
		out[1] = (unsigned char)(0x80 | (code_point >> 6 & 0x3f));
		out[2] = (unsigned char)(0x80 | (code_point & 0x3f));
		return 3;
	}
	out[0] = (unsigned char)(0xf0 | code_point >> 18);
	out[1] = (unsigned char)(0x80 | (code_point >> 12 & 0x3f));
	out[2] = (unsigned char)(0x80 | (code_point >> 6 & 0x3f));
	out[3] = (unsigned char)(0x80 | (code_point & 0x3f));
	return 4;
}

/* "\uD83D\uDE00": two units are one code point; neither stands alone.  r->at is behind "\u". */
static lb_err read_code_point(uint32_t *out, struct reader *r)
{
	size_t start = r->at - 2;
	struct lb_bytes rest;
	uint32_t low;

	LB_TRY(read_unit(out, r, r->at));
	r->at += 4;
	if (*out < 0xd800 || *out > 0xdfff)
		return LB_OK;
	rest = lb_bytes_from(r->text, r->at);
	if (*out < 0xdc00 && lb_bytes_starts(rest, LB_B("\\u"))) {
		LB_TRY(read_unit(&low, r, r->at + 2));
		if (low >= 0xdc00 && low <= 0xdfff) {
			r->at += 6;
			*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
			return LB_OK;
		}
	}
	return fail_at(r, LB_E_MALFORMED, start, "half of a surrogate pair");
}

/* r->at is behind the backslash. */
static lb_err read_escape(unsigned char *out, size_t *len, struct reader *r)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	unsigned char c = r->at < r->text.len ? r->text.at[r->at] : 0;
	const char *found = c != 0 ? strchr(from, c) : NULL;
	uint32_t code_point;

	if (c == 'u') {
		r->at++;
		LB_TRY(read_code_point(&code_point, r));
		*len += encode(out + *len, code_point);
		return LB_OK;
	}
	if (found == NULL)
		return expected(r, "one of \"\\/bfnrtu");
	out[(*len)++] = (unsigned char)to[found - from];
	r->at++;
	return LB_OK;
}

/* How many bytes stand before the next that ends or interrupts a string. */
static size_t plain_length(const struct reader *r)
{
	size_t at = r->at;

	while (at < r->text.len && r->text.at[at] != '"' && r->text.at[at] != '\\' &&
	       r->text.at[at] >= ' ')
		at++;
	return at - r->at;
}

/* Decoded, in the arena.  r->at is behind the opening quote. */
static lb_err decode(struct lb_bytes *out, struct reader *r, size_t raw_length)
{
	unsigned char *to = LB_ARENA_NEW(r->arena, unsigned char, raw_length + 1);
	size_t len = 0;

	if (to == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (;;) {
		size_t plain = plain_length(r);

		memcpy(to + len, r->text.at + r->at, plain);
		len += plain;
		r->at += plain;
		if (r->at >= r->text.len || r->text.at[r->at] < ' ')
			return expected(r, "'\"'");
		if (r->text.at[r->at++] == '"')
			break;
		LB_TRY(read_escape(to, &len, r));
	}
	*out = (struct lb_bytes){ to, len };
	return LB_OK;
}

/* Up to its closing quote, as it stands in the text. */
static size_t raw_length(const struct reader *r)
{
	size_t at = r->at;

	while (at < r->text.len && r->text.at[at] != '"')
		at += r->text.at[at] == '\\' ? 2 : 1;
	return (at < r->text.len ? at : r->text.len) - r->at;
}

static lb_err read_string(struct lb_bytes *out, struct reader *r)
{
	size_t plain = plain_length(r);
	struct lb_bytes text = lb_bytes_upto(lb_bytes_from(r->text, r->at), plain);

	if (r->at + plain >= r->text.len || r->text.at[r->at + plain] != '"')
		return decode(out, r, raw_length(r));
	r->at += plain + 1;
	*out = lb_arena_bytes(r->arena, text);
	return r->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err give_string(struct lb_value **out, struct reader *r)
{
	struct lb_value *value = LB_ARENA_NEW(r->arena, struct lb_value, 1);

	r->at++;
	if (value == NULL)
		return lb_err_of(LB_E_NOMEM);
	value->kind = LB_STRING;
	LB_TRY(read_string(&value->string, r));
	*out = value;
	return LB_OK;
}

/* ---- numbers ---- */

static size_t digits(struct lb_bytes text, size_t at)
{
	size_t start = at;

	while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9')
		at++;
	return at - start;
}

/* Length of -? (0 | [1-9][0-9]*) (. digits)? ([eE] [+-]? digits)? at the front; 0: there is none.
 */
static size_t number_length(struct lb_bytes text)
{
	size_t at = text.len > 0 && text.at[0] == '-' ? 1 : 0, count = digits(text, at);

	if (count == 0 || (count > 1 && text.at[at] == '0'))
		return 0;
	at += count;
	if (at < text.len && text.at[at] == '.') {
		count = digits(text, at + 1);
		if (count == 0)
			return 0;
		at += 1 + count;
	}
	if (at < text.len && (text.at[at] == 'e' || text.at[at] == 'E')) {
		at++;
		if (at < text.len && (text.at[at] == '+' || text.at[at] == '-'))
			at++;
		count = digits(text, at);
		if (count == 0)
			return 0;
		at += count;
	}
	return at;
}

/* Whole numbers that are exact in a double, which are nearly all. */
static bool read_small(double *out, struct lb_bytes text)
{
	bool negative = text.at[0] == '-';
	uint64_t number = 0;

	if (text.len > 15)
		return false;
	for (size_t i = negative ? 1 : 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text.at[i] - '0');
	}
	*out = negative ? -(double)number : (double)number;
	return true;
}

/* strtod wants the point as the locale writes it, which may be more than a byte. */
static lb_err read_decimal(double *out, struct reader *r, struct lb_bytes text)
{
	size_t point = lb_bytes_find_byte(text, '.');
	char probe[8] = "", *copy;

	(void)snprintf(probe, sizeof probe, "%.1f", 0.5); /* "0.5" */
	if (point == SIZE_MAX)
		copy = lb_arena_text(r->arena, text);
	else
		copy = (char *)(uintptr_t)lb_arena_format(r->arena, "%.*s%.*s%.*s",
		                                          LB_FMT(lb_bytes_upto(text, point)),
		                                          (int)strlen(probe) - 2, probe + 1,
		                                          LB_FMT(lb_bytes_from(text, point + 1)))
		               .at;
	if (r->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	*out = strtod(copy, NULL);
	return LB_OK;
}

static lb_err read_number(struct lb_value **out, struct reader *r)
{
	struct lb_bytes rest = lb_bytes_from(r->text, r->at);
	struct lb_bytes text = lb_bytes_upto(rest, number_length(rest));
	double number;

	if (text.len == 0 || (text.len < rest.len && is_word(rest.at[text.len])))
		return expected(r, "a JSON value");
	if (!read_small(&number, text))
		LB_TRY(read_decimal(&number, r, text));
	if (isinf(number))
		return fail_at(r, LB_E_MALFORMED, r->at, "a number too large: '%.*s'",
		               LB_FMT(word_here(r)));
	r->at += text.len;
	*out = lb_value_number(r->arena, number);
	return LB_OK;
}

/* ---- values ---- */

static lb_err read_value(struct lb_value **out, struct reader *r);

static lb_err enter(struct reader *r)
{
	if (r->depth >= LB_JSON_DEPTH_MAX)
		return fail_at(r, LB_E_LIMIT, r->at, "nested more than %d deep", LB_JSON_DEPTH_MAX);
	r->depth++;
	r->at++;
	return LB_OK;
}

static lb_err read_array(struct lb_value **out, struct reader *r)
{
	struct lb_value *array = lb_value_array(r->arena), *item;

	LB_TRY(enter(r));
	if (!take(r, ']')) {
		do {
			LB_TRY(read_value(&item, r));
			lb_value_add(r->arena, array, item);
		} while (take(r, ','));
		if (!take(r, ']'))
			return expected(r, "',' or ']'");
	}
	r->depth--;
	*out = array;
	return LB_OK;
}

static lb_err read_member(struct lb_value *object, struct reader *r)
{
	struct lb_value *value;
	struct lb_bytes key;
	size_t start;

	skip_blanks(r);
	start = r->at;
	if (!take(r, '"'))
		return expected(r, "'\"'");
	LB_TRY(read_string(&key, r));
	if (lb_bytes_find_byte(key, 0) != SIZE_MAX)
		return fail_at(r, LB_E_MALFORMED, start, "a key with \\u0000 in it");
	if (lb_value_find(object, key) != NULL)
		return fail_at(r, LB_E_MALFORMED, start, "duplicate key '%.*s'",
		               LB_FMT(lb_bytes_upto(key, SHOWN_BYTES_MAX)));
	if (!take(r, ':'))
		return expected(r, "':'");
	LB_TRY(read_value(&value, r));
	lb_value_set(r->arena, object, key, value);
	return LB_OK;
}

static lb_err read_object(struct lb_value **out, struct reader *r)
{
	struct lb_value *object = lb_value_object(r->arena);

	LB_TRY(enter(r));
	if (!take(r, '}')) {
		do
			LB_TRY(read_member(object, r));
		while (take(r, ','));
		if (!take(r, '}'))
			return expected(r, "',' or '}'");
	}
	r->depth--;
	*out = object;
	return LB_OK;
}

static lb_err read_word(struct lb_value **out, struct reader *r)
{
	struct lb_bytes word = word_here(r);

	if (lb_bytes_is(word, "true") || lb_bytes_is(word, "false"))
		*out = lb_value_bool(r->arena, word.len == 4);
	else if (lb_bytes_is(word, "null"))
		*out = lb_value_null(r->arena);
	else
		return expected(r, "a JSON value");
	r->at += word.len;
	return LB_OK;
}

/* pre: *out is unset; NOMEM may show in the arena alone. */
static lb_err read_value(struct lb_value **out, struct reader *r)
{
	unsigned char c;

	*out = NULL;
	skip_blanks(r);
	if (r->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (r->at >= r->text.len)
		return expected(r, "a JSON value");
	c = r->text.at[r->at];
	if (c == '{')
		return read_object(out, r);
	if (c == '[')
		return read_array(out, r);
	if (c == '"')
		return give_string(out, r);
	return c == '-' || (c >= '0' && c <= '9') ? read_number(out, r) : read_word(out, r);
}

lb_err lb_json_read(struct lb_value **out, struct lb_arena *arena, struct lb_bytes text,
                    struct lb_diag *diag)
{
	struct reader r = { .arena = arena, .text = text, .diag = diag };
	size_t bad = lb_utf8_check(text);
	lb_err err;

	*out = NULL;
	if (bad != SIZE_MAX)
		return fail_at(&r, LB_E_MALFORMED, bad, "byte 0x%02x is not UTF-8", text.at[bad]);
	err = read_value(out, &r);
	skip_blanks(&r);
	if (!lb_failed(err) && r.at < text.len)
		err = expected(&r, "the end");
	if (arena->failed)
		err = lb_err_of(LB_E_NOMEM);
	if (lb_failed(err))
		*out = NULL;
	return err;
}
