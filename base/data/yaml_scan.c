/* yaml_scan.c - the YAML reader's lines, places and complaints; YAML 1.2, chapters 5 and 6. */
#include "base/data/yaml_priv.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- complaints ---- */

lb_err lb_yaml_fail(struct yaml_reader *r, enum lb_code code, struct lb_place place,
                    const char *format, ...)
{
	struct lb_diag what = { 0 };
	va_list args;

	va_start(args, format);
	(void)vsnprintf(what.text, sizeof what.text, format, args);
	va_end(args);
	lb_diag_set(r->diag, "line %u, column %u: %s", place.line, place.column, what.text);
	return lb_err_at(code, place.line);
}

lb_err lb_yaml_refuse_tab(struct yaml_reader *r)
{
	return YAML_FAIL(r, "a tab where only blanks can indent");
}

struct lb_place lb_yaml_place(struct yaml_reader *r, const unsigned char *at)
{
	if (r->ascii)
		return (struct lb_place){ r->line, (uint32_t)(at - r->line_at) + 1 };
	if (at < r->column_at) {
		r->column_at = r->line_at;
		r->columns = 0;
	}
	for (; r->column_at < at; r->column_at++)
		r->columns += (*r->column_at & 0xc0) != 0x80;
	return (struct lb_place){ r->line, r->columns + 1 };
}

/* ---- the text as a whole ---- */

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))

/* The high bits of the bytes that are 0; exact, for no byte carries into the next. */
static uint64_t zero_bytes(uint64_t word)
{
	return ~(((word & EACH_BYTE(0x7f)) + EACH_BYTE(0x7f)) | word | EACH_BYTE(0x7f));
}

/* The high bits of the bytes that are neither printable ASCII nor a line feed. */
static uint64_t odd_bytes(uint64_t word)
{
	uint64_t printable = (word & EACH_BYTE(0x7f)) + EACH_BYTE(0x60); /* 0x20 and above */

	return ((~printable & ~zero_bytes(word ^ EACH_BYTE('\n'))) | word) & EACH_BYTE(0x80);
}

/* What is printable by YAML 1.2, 5.1, below U+0080; notes what else there is. */
static bool is_printable(struct yaml_reader *r, unsigned char c)
{
	r->ascii = r->ascii && c < 0x80;
	r->has_cr = r->has_cr || c == '\r';
	return (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

/* The offset of the first control character, SIZE_MAX where there is none. */
static size_t find_control(struct yaml_reader *r, struct lb_bytes text)
{
	size_t at = 0;
	uint64_t word;

	while (at < text.len) {
		size_t stop = text.len - at < sizeof word ? text.len : at + sizeof word;

		if (text.len - at >= sizeof word) {
			memcpy(&word, text.at + at, sizeof word);
			if ((odd_bytes(word) | zero_bytes(word ^ EACH_BYTE(0x7f))) == 0)
				at = stop;
		}
		for (; at < stop; at++) {
			if (!is_printable(r, text.at[at]))
				return at;
		}
	}
	return SIZE_MAX;
}

lb_err lb_yaml_check_text(struct yaml_reader *r, struct lb_bytes text)
{
	size_t bad;

	if (text.len > r->limits.bytes_max) {
		lb_diag_set(r->diag, "%zu bytes of YAML; at most %zu are read", text.len,
		            r->limits.bytes_max);
		return lb_err_of(LB_E_LIMIT);
	}
	r->ascii = true;
	r->has_cr = false;
	bad = find_control(r, text);
	if (bad != SIZE_MAX)
		return lb_yaml_fail(r, LB_E_MALFORMED, lb_place_of(text, bad),
		                    "control character 0x%02x", text.at[bad]);
	bad = r->ascii ? SIZE_MAX : lb_utf8_check(text);
	if (bad != SIZE_MAX)
		return lb_yaml_fail(r, LB_E_MALFORMED, lb_place_of(text, bad),
		                    "byte 0x%02x is not UTF-8", text.at[bad]);
	return LB_OK;
}

/* ---- lines ---- */

const unsigned char *lb_yaml_line_end(const struct yaml_reader *r, const unsigned char *at)
{
	const unsigned char *end;

	if (r->has_cr) {
		while (at < r->end && !yaml_is_break(*at))
			at++;
		return at;
	}
	end = memchr(at, '\n', (size_t)(r->end - at));
	return end != NULL ? end : r->end;
}

/* A comment stands behind a blank; GitHub also takes one right behind a closing bracket. */
static bool is_comment(const struct yaml_reader *r, const unsigned char *at)
{
	return *at == '#' &&
	       (at == r->line_at || yaml_is_blank(at[-1]) || at[-1] == ']' || at[-1] == '}');
}

void lb_yaml_skip_blanks(struct yaml_reader *r)
{
	while (yaml_is_blank(*r->at))
		r->at++;
}

void lb_yaml_skip(struct yaml_reader *r)
{
	const unsigned char *at = r->at, *blanks;

	r->fresh = at == r->line_at;
	for (;;) {
		while (*at == ' ')
			at++;
		blanks = at;
		while (yaml_is_blank(*at))
			at++;
		if (is_comment(r, at))
			at = lb_yaml_line_end(r, at);
		if (!yaml_is_break(*at))
			break;
		at = yaml_behind_break(at);
		yaml_next_line(r, at);
		r->fresh = true;
	}
	r->at = at;
	r->tabbed = at > blanks;
	r->indent = (int)(blanks - r->line_at);
	if (*at == '\0' || (at == r->line_at && yaml_is_marker(at))) {
		r->fresh = true;
		r->tabbed = false;
		r->indent = -1;
	}
}
