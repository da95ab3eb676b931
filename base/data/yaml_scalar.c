/* yaml_scalar.c - plain and quoted scalars of YAML; YAML 1.2, chapter 7.3.
 *
 * What stands on one line without escapes is borrowed from the text as it is; else it is put
 * together in the reader's piece.
 */
#include "base/data/yaml_priv.h"

#include "base/text.h"

lb_err lb_yaml_take_piece(struct lb_bytes *out, struct yaml_reader *r)
{
	LB_TRY(lb_buf_check(&r->piece));
	*out = lb_arena_bytes(r->arena, lb_buf_bytes(&r->piece));
	return r->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* One line end is folded into a blank, n of them into n - 1. */
static void add_folded(struct lb_buf *out, size_t breaks)
{
	if (breaks == 1)
		lb_buf_add_byte(out, ' ');
	for (; breaks > 1; breaks--)
		lb_buf_add_byte(out, '\n');
}

/* Over the line end at `at`, blank lines and the blanks before what comes next. */
static size_t pass_breaks(struct yaml_reader *r)
{
	size_t breaks = 0;

	while (yaml_is_break(*r->at)) {
		breaks++;
		yaml_next_line(r, yaml_behind_break(r->at));
		lb_yaml_skip_blanks(r);
	}
	return breaks;
}

/* ---- plain ---- */

/* What may end a plain scalar; all else is simply in it. */
static const bool plain_stops[256] = {
	['\0'] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true, [' '] = true, [':'] = true,
	[','] = true,  ['['] = true,  [']'] = true,  ['{'] = true,  ['}'] = true,
};

static bool ends_key(const unsigned char *colon, bool flow)
{
	return yaml_is_gap(colon[1]) || (flow && yaml_is_bracket(colon[1]));
}

/* Is this, which may have blanks before it, no part of a plain scalar? */
static bool is_plain_stop(const unsigned char *at, bool flow)
{
	return yaml_is_gap(*at) || (*at == ':' && ends_key(at, flow)) ||
	       (flow && yaml_is_bracket(*at));
}

/* Where the scalar ends in this line, without the blanks behind it. */
static const unsigned char *plain_end(const unsigned char *at, bool flow)
{
	const unsigned char *next;

	for (;;) {
		while (!plain_stops[*at])
			at++;
		next = at;
		while (yaml_is_blank(*next))
			next++;
		if (is_plain_stop(next, flow) || (next > at && *next == '#'))
			return at;
		at = next + 1;
	}
}

/* May a plain scalar that has come to the end of its line go on at `at`, the first in its line
 * that is not a blank? */
static bool goes_on(const struct yaml_reader *r, const unsigned char *at, int parent, bool flow)
{
	const unsigned char *line = at, *blanks;

	while (line > r->at && !yaml_is_break(line[-1]))
		line--;
	for (blanks = line; *blanks == ' ';)
		blanks++;
	if (*at == '#' || is_plain_stop(at, flow) || (at == line && yaml_is_marker(at)))
		return false;
	return flow || blanks - line > parent;
}

lb_err lb_yaml_plain(struct lb_bytes *out, struct yaml_reader *r, int parent, bool flow)
{
	const unsigned char *from = r->at, *end = plain_end(from, flow), *next;
	bool whole = true;
	size_t breaks;

	for (;;) {
		r->at = next = end;
		while (yaml_is_gap(*next) && *next != '\0')
			next++;
		while (yaml_is_blank(*r->at))
			r->at++;
		if (!yaml_is_break(*r->at) || !goes_on(r, next, parent, flow))
			break;
		if (whole)
			lb_buf_reset(&r->piece);
		whole = false;
		lb_buf_add(&r->piece, yaml_between(from, end));
		breaks = pass_breaks(r);
		add_folded(&r->piece, breaks);
		from = r->at;
		end = plain_end(from, flow);
	}
	r->at = end;
	*out = yaml_between(from, end);
	if (whole)
		return LB_OK;
	lb_buf_add(&r->piece, *out);
	return lb_yaml_take_piece(out, r);
}

/* ---- quoted ---- */

/* The line has ended within quotes: the blanks before its end are dropped, down to `kept`. */
static void fold_quoted(struct yaml_reader *r, size_t kept)
{
	struct lb_buf *out = &r->piece;

	while (out->len > kept && yaml_is_blank(out->at[out->len - 1]))
		out->len--;
	add_folded(out, pass_breaks(r));
}

/* At the begin of a line within quotes. */
static lb_err check_quoted_line(struct yaml_reader *r, struct lb_place start, unsigned char quote)
{
	if (*r->at != '\0' && !(r->at == r->line_at && yaml_is_marker(r->at)))
		return LB_OK;
	return lb_yaml_fail(r, LB_E_MALFORMED, start, "this %c is never closed by another", quote);
}

/* The first that is none of `quote`, a line end, the text's end and (in double quotes) \. */
static const unsigned char *run_end(const unsigned char *at, unsigned char quote)
{
	unsigned char escape = quote == '"' ? '\\' : quote;

	while (*at != quote && *at != escape && !yaml_is_break(*at) && *at != '\0')
		at++;
	return at;
}

lb_err lb_yaml_single_quoted(struct lb_bytes *out, struct yaml_reader *r)
{
	struct lb_place start = lb_yaml_place(r, r->at);
	const unsigned char *from = r->at + 1, *end = run_end(from, '\'');

	if (*end == '\'' && end[1] != '\'') {
		*out = yaml_between(from, end);
		r->at = end + 1;
		return LB_OK;
	}
	lb_buf_reset(&r->piece);
	for (;; end = run_end(from, '\'')) {
		lb_buf_add(&r->piece, yaml_between(from, end));
		r->at = end;
		if (*end == '\'' && end[1] != '\'')
			break;
		if (*end == '\'') {
			lb_buf_add_byte(&r->piece, '\'');
			from = end + 2;
			continue;
		}
		fold_quoted(r, 0);
		LB_TRY(check_quoted_line(r, start, '\''));
		from = r->at;
	}
	r->at = end + 1;
	return lb_yaml_take_piece(out, r);
}

/* ---- escapes ---- */

/* What the letter behind a backslash stands for; 0 where it is none of these. */
static uint32_t escaped(unsigned char letter)
{
	static const struct {
		unsigned char letter;
		uint16_t stands_for;
	} escapes[] = {
		{ 'a', 7 },      { 'b', 8 },      { 't', 9 },     { '\t', 9 },   { 'n', 10 },
		{ 'v', 11 },     { 'f', 12 },     { 'r', 13 },    { 'e', 27 },   { ' ', 32 },
		{ '"', '"' },    { '/', '/' },    { '\\', '\\' }, { 'N', 0x85 }, { '_', 0xa0 },
		{ 'L', 0x2028 }, { 'P', 0x2029 },
	};

	for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
		if (escapes[i].letter == letter)
			return escapes[i].stands_for;
	}
	return 0;
}

static size_t digits_of(unsigned char letter)
{
	return letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
}

/* `count` hexadecimal digits; false where they are not there. */
static bool read_hex(uint32_t *out, const unsigned char *at, size_t count)
{
	*out = 0;
	for (size_t i = 0; i < count; i++) {
		unsigned char c = at[i], lower = c | 0x20;

		if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'f'))
			return false;
		*out = *out << 4 | (uint32_t)(c <= '9' ? c - '0' : lower - 'a' + 10);
	}
	return true;
}

/* \x41, \u0041, \U00000041, and as JSON has it \ud83d\ude00. */
static lb_err add_code_point(struct yaml_reader *r, size_t digits)
{
	const unsigned char *at = r->at + 2;
	uint32_t c, low;

	if (!read_hex(&c, at, digits))
		return YAML_FAIL(r, "expected %zu hexadecimal digits behind \\%c", digits,
		                 r->at[1]);
	at += digits;
	if (digits == 4 && c >= 0xd800 && c < 0xdc00 && at[0] == '\\' && at[1] == 'u' &&
	    read_hex(&low, at + 2, 4) && low >= 0xdc00 && low < 0xe000) {
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		at += 6;
	}
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return YAML_FAIL(r, "\\%c with a number that is no character's", r->at[1]);
	lb_utf8_add(&r->piece, c);
	r->at = at;
	return LB_OK;
}

/* At a backslash. */
static lb_err add_escape(struct yaml_reader *r)
{
	unsigned char letter = r->at[1];
	uint32_t c = escaped(letter);

	if (digits_of(letter) > 0)
		return add_code_point(r, digits_of(letter));
	if (c == 0 && letter != '0')
		return YAML_FAIL(r, "an escape that YAML does not have; \\\\ is a backslash");
	lb_utf8_add(&r->piece, c);
	r->at += 2;
	return LB_OK;
}

/* A backslash before a line end: the line goes on in the next, and blank lines stay. */
static void join_lines(struct yaml_reader *r)
{
	r->at++;
	for (size_t breaks = pass_breaks(r); breaks > 1; breaks--)
		lb_buf_add_byte(&r->piece, '\n');
}

/* At a line's end or a backslash within double quotes, or at the end of the text.  `kept`: what
 * was escaped, which is not dropped though it may be a blank. */
static lb_err pass_special(struct yaml_reader *r, struct lb_place start, size_t *kept)
{
	bool escape = *r->at == '\\';

	if (escape && !yaml_is_break(r->at[1])) {
		LB_TRY(add_escape(r));
		*kept = r->piece.len;
		return LB_OK;
	}
	if (escape)
		join_lines(r);
	else
		fold_quoted(r, *kept);
	*kept = r->piece.len;
	return check_quoted_line(r, start, '"');
}

lb_err lb_yaml_double_quoted(struct lb_bytes *out, struct yaml_reader *r)
{
	struct lb_place start = lb_yaml_place(r, r->at);
	const unsigned char *from = r->at + 1, *end = run_end(from, '"');
	size_t kept = 0;

	if (*end == '"') {
		*out = yaml_between(from, end);
		r->at = end + 1;
		return LB_OK;
	}
	lb_buf_reset(&r->piece);
	for (;; end = run_end(from, '"')) {
		lb_buf_add(&r->piece, yaml_between(from, end));
		r->at = end;
		if (*end == '"')
			break;
		LB_TRY(pass_special(r, start, &kept));
		from = r->at;
	}
	r->at = end + 1;
	return lb_yaml_take_piece(out, r);
}
