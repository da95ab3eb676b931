/* lexer.c - see lexer.h.
 *
 * A word goes on as long as characters of identifiers and strings follow each other; what
 * comes out of that must be one token of a known shape.
 */
#include "engine/text/lexer.h"

#include "base/text.h"
#include "engine/text/number.h"

#include <stdarg.h>
#include <stdio.h>

struct lexer {
	const struct engine_text_source *source;
	struct lb_vec *tokens;
	const unsigned char *at, *end;
};

/* ---- errors ---- */

size_t engine_text_line(struct lb_bytes text, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < text.len; i++)
		line += text.at[i] == '\n';
	return line;
}

static size_t column_of(struct lb_bytes text, size_t offset)
{
	size_t column = 1;

	while (offset > 0 && text.at[offset - 1] != '\n')
		column += (text.at[--offset] & 0xc0) != 0x80;
	return column;
}

lb_err engine_text_fail(const struct engine_text_source *source, enum lb_code code, size_t offset,
                        const char *format, ...)
{
	if (source->diag != NULL) {
		char text[512];
		va_list args;

		va_start(args, format);
		(void)vsnprintf(text, sizeof text, format, args);
		va_end(args);
		lb_diag_set(source->diag, "%s%s%zu:%zu: %s",
		            source->name != NULL ? source->name : "",
		            source->name != NULL ? ":" : "", engine_text_line(source->text, offset),
		            column_of(source->text, offset), text);
	}
	return lb_err_at(code, offset);
}

static lb_err fail_at(const struct lexer *l, const unsigned char *at, const char *text)
{
	return engine_text_fail(l->source, LB_E_MALFORMED, (size_t)(at - l->source->text.at), "%s",
	                        text);
}

static lb_err unknown_operator(const struct lexer *l, const unsigned char *start)
{
	struct lb_bytes word = { start, (size_t)(l->at - start) };

	return engine_text_fail(l->source, LB_E_MALFORMED, (size_t)(start - l->source->text.at),
	                        "unknown operator %.*s", LB_FMT(lb_bytes_upto(word, 100)));
}

/* ---- characters ---- */

static bool is_id_char(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '(' && c != ')' && c != ',' && c != ';' &&
	       c != '[' && c != ']' && c != '{' && c != '}';
}

static bool is_mark(unsigned char c)
{
	return c == ',' || c == ';' || c == '[' || c == ']' || c == '{' || c == '}';
}

/* A character that can begin no token, or is none. */
static lb_err bad_character(const struct lexer *l)
{
	struct lb_bytes rest = { l->at, (size_t)(l->end - l->at) };
	struct lb_bytes one = lb_bytes_upto(rest, 4);

	if (*l->at < 0x80)
		return fail_at(l, l->at, "illegal character");
	/* The first of four bytes that is no part of a whole character may come after it. */
	if (lb_utf8_check(one) == 0)
		return fail_at(l, l->at, "malformed UTF-8 encoding");
	return fail_at(l, l->at, "illegal character");
}

/* Step over a character beyond ASCII. */
static lb_err skip_wide(struct lexer *l)
{
	struct lb_bytes four = { l->at, (size_t)(l->end - l->at) };
	unsigned len = *l->at >= 0xf0 ? 4 : *l->at >= 0xe0 ? 3 : 2;

	four = lb_bytes_upto(four, len);
	if (four.len < len || lb_utf8_check(four) != SIZE_MAX)
		return fail_at(l, l->at, "malformed UTF-8 encoding");
	l->at += len;
	return LB_OK;
}

/* ---- space ---- */

static lb_err skip_line(struct lexer *l)
{
	while (l->at < l->end && *l->at != '\n' && *l->at != '\r') {
		if (*l->at < 0x80)
			l->at++;
		else
			LB_TRY(skip_wide(l));
	}
	return LB_OK;
}

static bool follows(const struct lexer *l, char first, char second)
{
	return l->end - l->at >= 2 && l->at[0] == (unsigned char)first &&
	       l->at[1] == (unsigned char)second;
}

/* A block comment, with those within it. */
static lb_err skip_block(struct lexer *l)
{
	const unsigned char *start = l->at;
	size_t depth = 0;

	do {
		if (l->at == l->end)
			return fail_at(l, start, "unclosed comment");
		if (follows(l, '(', ';')) {
			depth++;
			l->at += 2;
		} else if (follows(l, ';', ')')) {
			depth--;
			l->at += 2;
		} else if (*l->at < 0x80) {
			l->at++;
		} else {
			LB_TRY(skip_wide(l));
		}
	} while (depth > 0);
	return LB_OK;
}

static lb_err skip_space(struct lexer *l)
{
	while (l->at < l->end) {
		unsigned char c = *l->at;

		if (c == ' ' || c == '\n' || c == '\t' || c == '\r')
			l->at++;
		else if (follows(l, ';', ';'))
			LB_TRY(skip_line(l));
		else if (follows(l, '(', ';'))
			LB_TRY(skip_block(l));
		else
			break;
	}
	return LB_OK;
}

/* ---- strings ---- */

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \u{...}: the code point, `at` behind the brace.  False where it is none. */
static bool read_code_point(uint32_t *out, const unsigned char **at, const unsigned char *end)
{
	const unsigned char *from = *at;
	uint32_t value = 0;
	bool digit_before = false;

	if (from == end || *from++ != '{')
		return false;
	for (; from < end && *from != '}'; from++) {
		int digit = hex_digit(*from);

		if (*from == '_' && digit_before) {
			digit_before = false;
			continue;
		}
		if (digit < 0 || value > 0x10ffff)
			return false;
		value = value << 4 | (uint32_t)digit;
		digit_before = true;
	}
	if (from == end || !digit_before || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
		return false;
	*at = from + 1;
	*out = value;
	return true;
}

static lb_err skip_escape(struct lexer *l)
{
	const unsigned char *start = l->at++;
	uint32_t code_point;

	if (l->at == l->end)
		return fail_at(l, start, "unclosed string");
	if (strchr("tnr\"'\\", *l->at) != NULL && *l->at != '\0') {
		l->at++;
		return LB_OK;
	}
	if (*l->at == 'u') {
		l->at++;
		if (read_code_point(&code_point, &l->at, l->end))
			return LB_OK;
	} else if (l->end - l->at >= 2 && hex_digit(l->at[0]) >= 0 && hex_digit(l->at[1]) >= 0) {
		l->at += 2;
		return LB_OK;
	}
	return fail_at(l, start, "illegal escape");
}

static lb_err skip_string(struct lexer *l)
{
	const unsigned char *start = l->at++;

	for (;;) {
		if (l->at == l->end || *l->at == '\n')
			return fail_at(l, start, "unclosed string");
		if (*l->at == '"')
			break;
		if (*l->at == '\\')
			LB_TRY(skip_escape(l));
		else if (*l->at >= 0x80)
			LB_TRY(skip_wide(l));
		else if (*l->at < ' ' || *l->at == 0x7f)
			return fail_at(l, l->at, "illegal control character");
		else
			l->at++;
	}
	l->at++;
	return LB_OK;
}

void engine_token_string(struct lb_buf *out, struct lb_bytes token)
{
	const unsigned char *at = token.at + 1, *end = token.at + token.len - 1;

	while (at < end) {
		const unsigned char *plain = memchr(at, '\\', (size_t)(end - at));
		uint32_t code_point = 0;

		if (plain == NULL)
			plain = end;
		lb_buf_add(out, (struct lb_bytes){ at, (size_t)(plain - at) });
		if (plain == end)
			break;
		at = plain + 2;
		switch (plain[1]) {
		case 't': lb_buf_add_byte(out, '\t'); break;
		case 'n': lb_buf_add_byte(out, '\n'); break;
		case 'r': lb_buf_add_byte(out, '\r'); break;
		case '"':
		case '\'':
		case '\\': lb_buf_add_byte(out, plain[1]); break;
		case 'u':
			(void)read_code_point(&code_point, &at, end);
			lb_utf8_add(out, code_point);
			break;
		default:
			lb_buf_add_byte(out, (unsigned char)(hex_digit(plain[1]) << 4 |
			                                     hex_digit(plain[2])));
			at = plain + 3;
			break;
		}
	}
}

/* ---- words ---- */

static lb_err add(struct lexer *l, const unsigned char *start, enum engine_token_kind kind)
{
	struct engine_token *token = lb_vec_add(l->tokens);

	if (token == NULL)
		return lb_vec_check(l->tokens);
	token->at = (uint32_t)(start - l->source->text.at);
	token->len = (uint32_t)(l->at - start);
	token->kind = (uint8_t)kind;
	return LB_OK;
}

/* Step over identifier characters and strings; *strings says how many of the latter. */
static lb_err skip_word(struct lexer *l, unsigned *strings)
{
	*strings = 0;
	while (l->at < l->end) {
		if (is_id_char(*l->at)) {
			l->at++;
		} else if (*l->at == '"') {
			(*strings)++;
			LB_TRY(skip_string(l));
		} else {
			break;
		}
	}
	return LB_OK;
}

/* Whether a string that stands at `at` is whole and not empty; what is not makes no identifier
 * or annotation. */
static bool is_name_string(const struct lexer *l)
{
	struct engine_text_source quiet = { .text = l->source->text };
	struct lexer trial = { .source = &quiet, .at = l->at, .end = l->end };

	return l->at < l->end && *l->at == '"' && !lb_failed(skip_string(&trial)) &&
	       trial.at - l->at > 2;
}

static lb_err check_name_string(const struct lexer *l, const unsigned char *start)
{
	struct lb_bytes token = { start, (size_t)(l->at - start) };
	struct lb_buf name;
	bool good;
	lb_err err;

	if (memchr(token.at, '\\', token.len) == NULL)
		return LB_OK;
	lb_buf_init(&name, l->tokens->mem, token.len);
	engine_token_string(&name, token);
	good = lb_utf8_check(lb_buf_bytes(&name)) == SIZE_MAX;
	err = lb_buf_check(&name);
	lb_buf_release(&name);
	LB_TRY(err);
	return good ? LB_OK : fail_at(l, start, "malformed UTF-8 encoding");
}

static lb_err lex_id(struct lexer *l, bool lenient)
{
	const unsigned char *start = l->at++;
	unsigned strings;
	bool quoted = l->at < l->end && *l->at == '"';

	if (quoted && (lenient || is_name_string(l))) {
		LB_TRY(skip_string(l));
		if (!lenient)
			LB_TRY(check_name_string(l, start + 1));
		if (l->at == l->end || !(is_id_char(*l->at) || *l->at == '"'))
			return add(l, start, ENGINE_TOKEN_ID);
	} else if (l->at == l->end || !is_id_char(*l->at)) {
		return lenient ? add(l, start, ENGINE_TOKEN_OTHER)
		               : fail_at(l, start, "empty identifier");
	}
	LB_TRY(skip_word(l, &strings));
	if (strings == 0 && !quoted)
		return add(l, start, ENGINE_TOKEN_ID);
	return lenient ? add(l, start, ENGINE_TOKEN_OTHER) : unknown_operator(l, start);
}

static enum engine_token_kind kind_of_word(struct lb_bytes word)
{
	switch (engine_number_kind(word)) {
	case ENGINE_NUMBER_NAT: return ENGINE_TOKEN_NAT;
	case ENGINE_NUMBER_INT: return ENGINE_TOKEN_INT;
	case ENGINE_NUMBER_FLOAT: return ENGINE_TOKEN_FLOAT;
	case ENGINE_NUMBER_NONE: break;
	}
	return word.at[0] >= 'a' && word.at[0] <= 'z' ? ENGINE_TOKEN_WORD : ENGINE_TOKEN_OTHER;
}

/* One token that is no parenthesis; with `lenient`, as annotations have it, any. */
static lb_err lex_word(struct lexer *l, bool lenient)
{
	const unsigned char *start = l->at;
	enum engine_token_kind kind;
	unsigned strings;

	if (*start == '$')
		return lex_id(l, lenient);
	if (is_mark(*start)) {
		l->at++;
		return lenient ? add(l, start, ENGINE_TOKEN_OTHER) : unknown_operator(l, start);
	}
	LB_TRY(skip_word(l, &strings));
	if (l->at == start)
		return bad_character(l);
	if (strings == 1 && *start == '"' && l->at[-1] == '"')
		return add(l, start, ENGINE_TOKEN_STRING);
	kind = strings > 0 ? ENGINE_TOKEN_OTHER
	                   : kind_of_word((struct lb_bytes){ start, (size_t)(l->at - start) });
	if (kind == ENGINE_TOKEN_OTHER && !lenient)
		return unknown_operator(l, start);
	return add(l, start, kind);
}

/* ---- annotations ---- */

static enum engine_token_kind kind_of_annotation(struct lb_bytes id)
{
	if (lb_bytes_is(id, "custom") || lb_bytes_is(id, "\"custom\""))
		return ENGINE_TOKEN_CUSTOM;
	if (lb_bytes_is(id, "name") || lb_bytes_is(id, "\"name\""))
		return ENGINE_TOKEN_NAME;
	if (lb_bytes_is(id, "metadata.code.branch_hint") ||
	    lb_bytes_is(id, "\"metadata.code.branch_hint\""))
		return ENGINE_TOKEN_HINT;
	return ENGINE_TOKEN_OTHER;
}

static lb_err lex_annotation_id(struct lexer *l)
{
	const unsigned char *start = l->at;

	if (is_name_string(l)) {
		LB_TRY(skip_string(l));
		return check_name_string(l, start);
	}
	while (l->at < l->end && is_id_char(*l->at))
		l->at++;
	return l->at > start ? LB_OK : fail_at(l, start, "empty annotation id");
}

/* Everything up to the parenthesis that closes it, as tokens. */
static lb_err lex_content(struct lexer *l, const unsigned char *start)
{
	size_t depth = 1;

	while (depth > 0) {
		LB_TRY(skip_space(l));
		if (l->at == l->end)
			return fail_at(l, start, "unclosed annotation");
		if (*l->at == '(' || *l->at == ')') {
			bool opens = *l->at++ == '(';

			depth = opens ? depth + 1 : depth - 1;
			LB_TRY(add(l, l->at - 1, opens ? ENGINE_TOKEN_OPEN : ENGINE_TOKEN_CLOSE));
			continue;
		}
		LB_TRY(lex_word(l, true));
	}
	return LB_OK;
}

static lb_err lex_annotation(struct lexer *l)
{
	const unsigned char *start = l->at, *id = start + 2;
	size_t first = l->tokens->count;
	enum engine_token_kind kind;

	l->at = id;
	LB_TRY(lex_annotation_id(l));
	kind = kind_of_annotation((struct lb_bytes){ id, (size_t)(l->at - id) });
	LB_TRY(add(l, start, kind));
	LB_TRY(lex_content(l, start));
	if (kind == ENGINE_TOKEN_OTHER)
		l->tokens->count = first;
	else
		LB_VEC_AT(l->tokens, struct engine_token, first)->len =
			(uint32_t)(l->tokens->count - first - 1);
	return LB_OK;
}

/* ---- all of it ---- */

static lb_err lex_all(struct lexer *l)
{
	for (;;) {
		LB_TRY(skip_space(l));
		if (l->at == l->end)
			return add(l, l->at, ENGINE_TOKEN_END);
		if (follows(l, '(', '@')) {
			LB_TRY(lex_annotation(l));
		} else if (*l->at == '(' || *l->at == ')') {
			bool opens = *l->at++ == '(';

			LB_TRY(add(l, l->at - 1, opens ? ENGINE_TOKEN_OPEN : ENGINE_TOKEN_CLOSE));
		} else {
			LB_TRY(lex_word(l, false));
		}
	}
}

lb_err engine_lex(struct lb_vec *tokens, struct lb_mem *mem,
                  const struct engine_text_source *source)
{
	struct lexer l = { .source = source, .tokens = tokens, .at = source->text.at };

	lb_vec_init(tokens, mem, sizeof(struct engine_token), (size_t)ENGINE_TEXT_BYTES_MAX + 1);
	if (source->text.len > ENGINE_TEXT_BYTES_MAX)
		return lb_err_at(LB_E_LIMIT, ENGINE_TEXT_BYTES_MAX);
	if (source->text.len == 0)
		return lb_vec_add(tokens) != NULL ? LB_OK : lb_vec_check(tokens);
	l.end = l.at + source->text.len;
	return lex_all(&l);
}
