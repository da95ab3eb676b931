/* place.c - see place.h.
 *
 * Blanks are what folding, margins and line ends change: between the others, both sides are the
 * same but for quotes and escapes.  So each character of the text that is no blank is looked for
 * behind the blanks of the file.
 */
#include "workflows/lint/place.h"

#include "base/text.h"

static bool is_blank(unsigned char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* One byte on; those that continue a character take no column. */
static void step(struct workflow_place *p)
{
	unsigned char c = p->source.at[p->at++];

	if (c == '\n') {
		p->line++;
		p->column = 1;
	} else if (p->at >= p->source.len || (p->source.at[p->at] & 0xc0) != 0x80) {
		p->column++;
	}
}

static bool is_at(const struct workflow_place *p, unsigned char c)
{
	return p->at < p->source.len && p->source.at[p->at] == c;
}

static void skip_blanks(struct workflow_place *p)
{
	while (p->at < p->source.len && is_blank(p->source.at[p->at]))
		step(p);
}

static void skip_word(struct workflow_place *p)
{
	while (p->at < p->source.len && !is_blank(p->source.at[p->at]))
		step(p);
}

/* To the place of the token, from the front of the file. */
static void find_token(struct workflow_place *p, uint32_t line, uint32_t column)
{
	while (p->at < p->source.len && (p->line < line || p->column < column) && p->line <= line)
		step(p);
	p->lost = p->line != line || p->column != column;
}

void workflow_place_init(struct workflow_place *place, struct lb_bytes source,
                         const struct workflow_token *token)
{
	struct workflow_place *p = place;

	*p = (struct workflow_place){
		.source = source, .text = token->raw, .line = 1, .column = 1
	};
	find_token(p, token->line, token->column);
	while (!p->lost && (is_at(p, '&') || is_at(p, '!'))) {
		skip_word(p);
		skip_blanks(p);
	}
	if (is_at(p, '*'))
		p->lost = true; /* the text stands elsewhere */
	if (!p->lost && (is_at(p, '|') || is_at(p, '>'))) {
		while (p->at < p->source.len && p->source.at[p->at] != '\n')
			step(p);
	} else if (!p->lost && (is_at(p, '\'') || is_at(p, '"'))) {
		p->quote = p->source.at[p->at];
		step(p);
	}
	if (p->lost) {
		p->line = token->line;
		p->column = token->column;
	}
}

/* The file's side of one character that is no blank; false where it is not there, or is written
 * as "\x41". */
static bool follow(struct workflow_place *p, unsigned char c)
{
	for (;;) {
		skip_blanks(p);
		if (p->quote != '"' || !is_at(p, '\\') || p->at + 1 >= p->source.len)
			break;
		step(p);
		if (is_at(p, c) && strchr("\"\\/", c) != NULL)
			return true;
		if (strchr("ntr \n", p->source.at[p->at]) == NULL)
			return false;
		step(p); /* a blank */
	}
	if (p->quote == '\'' && c == '\'' && is_at(p, c))
		step(p); /* they come in pairs */
	return is_at(p, c);
}

/* Behind everything before `offset`, then on to what stands there. */
void workflow_place_go(struct workflow_place *place, size_t offset)
{
	struct workflow_place *p = place;

	while (!p->lost && p->in_text <= offset && p->in_text < p->text.len) {
		unsigned char c = p->text.at[p->in_text];

		if (!is_blank(c) && !follow(p, c)) {
			p->lost = true;
			break;
		}
		if (p->in_text == offset)
			break;
		if (!is_blank(c))
			step(p);
		p->in_text++;
	}
}
