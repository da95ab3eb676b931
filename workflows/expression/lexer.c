/* lexer.c - the words of an expression, each checked against the one before it.
 *
 * GitHub decides in the lexer which symbol may follow which; what the lexer lets
 * through, the parser can always reduce.  Its errors are about the symbol at which
 * it stopped, so the rules here are GitHub's own, one line each in `may_follow`.
 */
#include "workflows/expression/expr_priv.h"

#include "base/text.h"

#include <math.h>

#define BIT(kind) (1u << (kind))

/* What ends an operand. */
#define AFTER_REFERENCE \
	(BIT(TOKEN_END_GROUP) | BIT(TOKEN_END_PARAMETERS) | BIT(TOKEN_END_INDEX) | \
	 BIT(TOKEN_WILDCARD) | BIT(TOKEN_PROPERTY) | BIT(TOKEN_NAME))
#define AFTER_OPERAND (AFTER_REFERENCE | BIT(TOKEN_LITERAL))

/* Where an operand begins. */
#define BEFORE_OPERAND \
	(BIT(TOKEN_NONE) | BIT(TOKEN_SEPARATOR) | BIT(TOKEN_START_INDEX) | \
	 BIT(TOKEN_START_GROUP) | BIT(TOKEN_START_PARAMETERS) | BIT(TOKEN_OPERATOR))

static const unsigned may_follow[] = {
	[TOKEN_START_GROUP] = BEFORE_OPERAND,
	[TOKEN_START_INDEX] = AFTER_REFERENCE,
	[TOKEN_START_PARAMETERS] = BIT(TOKEN_FUNCTION),
	[TOKEN_END_GROUP] = AFTER_OPERAND,
	[TOKEN_END_INDEX] = AFTER_OPERAND,
	[TOKEN_END_PARAMETERS] = AFTER_OPERAND | BIT(TOKEN_START_PARAMETERS),
	[TOKEN_SEPARATOR] = AFTER_OPERAND,
	[TOKEN_DEREFERENCE] = AFTER_REFERENCE,
	[TOKEN_WILDCARD] = BIT(TOKEN_START_INDEX) | BIT(TOKEN_DEREFERENCE),
	[TOKEN_OPERATOR] = AFTER_OPERAND, /* but "!" stands where an operand begins */
	[TOKEN_LITERAL] = BEFORE_OPERAND,
	[TOKEN_PROPERTY] = BIT(TOKEN_DEREFERENCE),
	[TOKEN_FUNCTION] = BEFORE_OPERAND,
	[TOKEN_NAME] = BEFORE_OPERAND,
	[TOKEN_UNEXPECTED] = 0,
};

void workflow_lexer_init(struct lexer *lexer, struct lb_arena *arena, struct lb_bytes text)
{
	*lexer = (struct lexer){ .arena = arena, .text = text };
	lb_buf_init(&lexer->open, arena->under, WORKFLOW_EXPR_LENGTH_MAX);
}

void workflow_lexer_release(struct lexer *lexer) { lb_buf_release(&lexer->open); }

static int byte_at(const struct lexer *lexer, size_t at)
{
	return at < lexer->text.len ? lexer->text.at[at] : -1;
}

/* The character at an offset and the offset behind it. */
static uint32_t char_at(const struct lexer *lexer, size_t at, size_t *behind)
{
	struct lb_bytes rest = lb_bytes_from(lexer->text, at);
	uint32_t c = lb_utf8_next(&rest);

	*behind = lexer->text.len - rest.len;
	return c;
}

static bool space_at(const struct lexer *lexer, size_t at, size_t *behind)
{
	if (at >= lexer->text.len)
		return false;
	if (lexer->text.at[at] >= 0x80)
		return workflow_is_space(char_at(lexer, at, behind));
	*behind = at + 1;
	return workflow_is_space(lexer->text.at[at]);
}

static bool boundary_at(const struct lexer *lexer, size_t at)
{
	static const bool symbols[256] = {
		['('] = true, ['['] = true, [')'] = true, [']'] = true, [','] = true, ['.'] = true,
		['!'] = true, ['>'] = true, ['<'] = true, ['='] = true, ['&'] = true, ['|'] = true,
	};
	size_t behind;

	return symbols[lexer->text.at[at]] || space_at(lexer, at, &behind);
}

static struct lb_bytes cut(struct lexer *lexer, size_t end)
{
	struct lb_bytes raw = lb_bytes_upto(lb_bytes_from(lexer->text, lexer->at), end - lexer->at);

	lexer->at = end;
	return raw;
}

/* ---- legality ---- */

static enum token_kind innermost(const struct lexer *lexer)
{
	const struct lb_buf *open = &lexer->open;

	return open->len > 0 ? (enum token_kind)open->at[open->len - 1] : TOKEN_NONE;
}

/* Keep account of brackets: is this one right here? */
static bool balance(struct lexer *lexer, enum token_kind kind)
{
	static const enum token_kind start_of[] = {
		[TOKEN_END_GROUP] = TOKEN_START_GROUP,
		[TOKEN_END_INDEX] = TOKEN_START_INDEX,
		[TOKEN_END_PARAMETERS] = TOKEN_START_PARAMETERS,
	};

	if (kind == TOKEN_START_GROUP || kind == TOKEN_START_INDEX ||
	    kind == TOKEN_START_PARAMETERS)
		lb_buf_add_byte(&lexer->open, (unsigned char)kind);
	if (kind == TOKEN_SEPARATOR)
		return innermost(lexer) == TOKEN_START_PARAMETERS;
	if (kind == TOKEN_END_GROUP || kind == TOKEN_END_INDEX || kind == TOKEN_END_PARAMETERS) {
		if (innermost(lexer) != start_of[kind])
			return false;
		lexer->open.len--;
	}
	return true;
}

static struct token checked(struct lexer *lexer, struct token token)
{
	unsigned allowed = may_follow[token.kind];

	if (token.kind == TOKEN_OPERATOR && token.operator== NODE_NOT)
		allowed = BEFORE_OPERAND;
	if ((allowed & BIT(lexer->last)) == 0 || !balance(lexer, token.kind))
		token.kind = TOKEN_UNEXPECTED;
	return token;
}

/* ---- the kinds of words ---- */

static struct token symbol(struct lexer *lexer, enum token_kind kind)
{
	return checked(lexer, (struct token){ .kind = kind, .raw = cut(lexer, lexer->at + 1) });
}

static struct token unexpected(struct lexer *lexer, size_t end)
{
	return (struct token){ .kind = TOKEN_UNEXPECTED, .raw = cut(lexer, end) };
}

static struct token literal(struct lexer *lexer, size_t end, const struct lb_value *value)
{
	return checked(lexer, (struct token){ .kind = TOKEN_LITERAL,
	                                      .raw = cut(lexer, end),
	                                      .value = value });
}

static struct token read_number(struct lexer *lexer)
{
	size_t end = lexer->at + 1;
	double number;

	while (end < lexer->text.len && (!boundary_at(lexer, end) || byte_at(lexer, end) == '.'))
		end++;
	number = workflow_parse_number(
		lb_bytes_upto(lb_bytes_from(lexer->text, lexer->at), end - lexer->at));
	if (isnan(number))
		return unexpected(lexer, end);
	return literal(lexer, end, lb_value_number(lexer->arena, number));
}

/* 'it''s' */
static struct token read_string(struct lexer *lexer)
{
	struct lb_bytes text = lexer->text;
	size_t end = lexer->at + 1, quotes = 0;
	unsigned char *out;
	size_t len = 0;
	struct lb_bytes value;

	for (;; end++) {
		if (end >= text.len)
			return unexpected(lexer, end);
		if (text.at[end] != '\'')
			continue;
		if (byte_at(lexer, end + 1) != '\'')
			break;
		end++;
		quotes++;
	}
	out = LB_ARENA_NEW(lexer->arena, unsigned char, end - lexer->at - 1 - quotes + 1);
	if (out == NULL)
		return unexpected(lexer, end);
	for (size_t i = lexer->at + 1; i < end; i++) {
		out[len++] = text.at[i];
		i += text.at[i] == '\'';
	}
	value = (struct lb_bytes){ out, len };
	return literal(lexer, end + 1, lb_value_string(lexer->arena, value));
}

static struct token read_operator(struct lexer *lexer)
{
	static const struct {
		const char *text;
		enum node_kind node;
	} operators[] = {
		/* the longer before the shorter */
		{ "!=", NODE_NOT_EQUAL }, { ">=", NODE_GREATER_EQUAL }, { "<=", NODE_LESS_EQUAL },
		{ "==", NODE_EQUAL },     { "&&", NODE_AND },           { "||", NODE_OR },
		{ "!", NODE_NOT },        { ">", NODE_GREATER },        { "<", NODE_LESS },
	};
	struct lb_bytes rest = lb_bytes_from(lexer->text, lexer->at);
	size_t end = lexer->at + 1;

	for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
		struct lb_bytes text = lb_bytes_of(operators[i].text);

		if (lb_bytes_starts(rest, text))
			return checked(lexer,
			               (struct token){ .kind = TOKEN_OPERATOR,
			                               .operator= operators[i].node,
			                               .raw = cut(lexer, lexer->at + text.len) });
	}
	while (end < lexer->text.len && !boundary_at(lexer, end))
		end++;
	return unexpected(lexer, end);
}

static bool is_keyword(struct lb_bytes word)
{
	for (size_t i = 0; i < word.len; i++) {
		unsigned char c = word.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '-')))
			return false;
	}
	return true;
}

static struct token read_word(struct lexer *lexer)
{
	size_t end = lexer->at + 1, next, behind;
	struct lb_bytes word;
	enum token_kind kind;

	while (end < lexer->text.len && !boundary_at(lexer, end))
		end++;
	word = lb_bytes_upto(lb_bytes_from(lexer->text, lexer->at), end - lexer->at);
	if (!is_keyword(word))
		return unexpected(lexer, end);
	if (lexer->last == TOKEN_DEREFERENCE)
		return checked(lexer,
		               (struct token){ .kind = TOKEN_PROPERTY, .raw = cut(lexer, end) });
	if (lb_bytes_is(word, "null"))
		return literal(lexer, end, &workflow_null);
	if (lb_bytes_is(word, "true"))
		return literal(lexer, end, &workflow_true);
	if (lb_bytes_is(word, "false"))
		return literal(lexer, end, &workflow_false);
	if (lb_bytes_is(word, "NaN"))
		return literal(lexer, end, lb_value_number(lexer->arena, (double)NAN));
	if (lb_bytes_is(word, "Infinity"))
		return literal(lexer, end, lb_value_number(lexer->arena, (double)INFINITY));
	for (next = end; space_at(lexer, next, &behind); next = behind)
		;
	kind = byte_at(lexer, next) == '(' ? TOKEN_FUNCTION : TOKEN_NAME;
	return checked(lexer, (struct token){ .kind = kind, .raw = cut(lexer, end) });
}

static struct token read_dot(struct lexer *lexer)
{
	return (BEFORE_OPERAND & BIT(lexer->last)) != 0 ? read_number(lexer)
	                                                : symbol(lexer, TOKEN_DEREFERENCE);
}

static struct token read_token(struct lexer *lexer)
{
	int c = byte_at(lexer, lexer->at);

	switch (c) {
	case '(':
		return symbol(lexer, lexer->last == TOKEN_FUNCTION ? TOKEN_START_PARAMETERS
		                                                   : TOKEN_START_GROUP);
	case ')':
		return symbol(lexer, innermost(lexer) == TOKEN_START_PARAMETERS
		                             ? TOKEN_END_PARAMETERS
		                             : TOKEN_END_GROUP);
	case '[': return symbol(lexer, TOKEN_START_INDEX);
	case ']': return symbol(lexer, TOKEN_END_INDEX);
	case ',': return symbol(lexer, TOKEN_SEPARATOR);
	case '*': return symbol(lexer, TOKEN_WILDCARD);
	case '\'': return read_string(lexer);
	case '.': return read_dot(lexer);
	case '!':
	case '>':
	case '<':
	case '=':
	case '&':
	case '|': return read_operator(lexer);
	default: break;
	}
	if (c == '-' || c == '+' || (c >= '0' && c <= '9'))
		return read_number(lexer);
	return read_word(lexer);
}

lb_err workflow_lexer_next(struct token *out, struct lexer *lexer)
{
	size_t behind;

	while (space_at(lexer, lexer->at, &behind))
		lexer->at = behind;
	if (lexer->at >= lexer->text.len)
		return lb_err_of(LB_E_END);
	*out = read_token(lexer);
	if (lexer->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_buf_check(&lexer->open));
	lexer->last = out->kind;
	return LB_OK;
}
