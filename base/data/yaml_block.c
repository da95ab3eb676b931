/* yaml_block.c - blocks of text ("run: |"); YAML 1.2, chapter 8.1. */
#include "base/data/yaml_priv.h"

/* What becomes of the line ends behind the text: one stays, none, all. */
enum chomping { CLIP, STRIP, KEEP };

struct block {
	struct yaml_reader *r;
	bool folded;
	enum chomping chomping;
	size_t indent;     /* SIZE_MAX: no line is deep enough to be text */
	bool any;          /* there has been text */
	bool ended;        /* the last line of it has a line end */
	bool deeper;       /* ... begins with a blank */
	size_t blank_ends; /* line ends behind it */
};

/* "-", "+" and a digit, in either order, then blanks and a comment; `digit` 0: there is none. */
static lb_err read_header(struct block *b, size_t *digit)
{
	struct yaml_reader *r = b->r;
	bool chomped = false;

	b->folded = *r->at++ == '>';
	for (*digit = 0;; r->at++) {
		unsigned char c = *r->at;

		if ((c == '-' || c == '+') && !chomped)
			b->chomping = c == '-' ? STRIP : KEEP;
		else if (c >= '1' && c <= '9' && *digit == 0)
			*digit = (size_t)(c - '0');
		else
			break;
		chomped = chomped || c == '-' || c == '+';
	}
	if (!yaml_is_gap(*r->at))
		return YAML_FAIL(r, "expected + or -, a digit from 1 to 9, or the end of the line "
		                    "behind | or >");
	lb_yaml_skip_blanks(r);
	if (*r->at == '#')
		r->at = lb_yaml_line_end(r, r->at);
	if (!yaml_is_gap(*r->at))
		return YAML_FAIL(r, "the text of a block begins on the line behind its | or >");
	if (*r->at != '\0')
		yaml_next_line(r, yaml_behind_break(r->at));
	return LB_OK;
}

static const unsigned char *behind_blanks(const unsigned char *at)
{
	while (*at == ' ')
		at++;
	return at;
}

/* The indentation is that of the first line that has more than blanks; no blank line before it
 * may be longer.  Where that line is not deeper than the block's key, there is no text. */
static lb_err find_indent(struct block *b, int parent)
{
	struct yaml_reader *r = b->r;
	const unsigned char *line = r->at, *at = behind_blanks(line);
	size_t blanks, longest = 0;

	for (; yaml_is_break(*at); at = behind_blanks(line)) {
		if ((size_t)(at - line) > longest)
			longest = (size_t)(at - line);
		line = yaml_behind_break(at);
	}
	blanks = (size_t)(at - line);
	b->indent = *at != '\0' && (int)blanks > parent ? blanks : SIZE_MAX;
	if (b->indent != SIZE_MAX && longest > blanks)
		return YAML_FAIL(r,
		                 "a blank line before a block's text that is longer than the "
		                 "text's indentation of %zu",
		                 blanks);
	return LB_OK;
}

static void add_ends(struct block *b, size_t count)
{
	while (count-- > 0)
		lb_buf_add_byte(&b->r->piece, '\n');
}

/* Between two lines that begin at the indentation a single line end is folded into a blank. */
static void add_line(struct block *b, const unsigned char *at, const unsigned char *end)
{
	bool deeper = yaml_is_blank(*at);
	bool fold = b->folded && b->any && !deeper && !b->deeper;

	if (fold && b->blank_ends == 0)
		lb_buf_add_byte(&b->r->piece, ' ');
	add_ends(b, b->blank_ends + (b->any && !fold));
	lb_buf_add(&b->r->piece, yaml_between(at, end));
	b->any = true;
	b->blank_ends = 0;
	b->deeper = deeper;
	b->ended = *end != '\0';
}

/* The line that begins at the reader's place; *more is false where the block has ended. */
static lb_err read_line(bool *more, struct block *b)
{
	struct yaml_reader *r = b->r;
	const unsigned char *at = r->at, *end;

	*more = false;
	while (*at == ' ' && (size_t)(at - r->at) < b->indent)
		at++;
	end = at;
	if (yaml_is_break(*at) || *at == '\0') {
		b->blank_ends += *at != '\0';
	} else if ((size_t)(at - r->at) < b->indent) {
		r->at = *at == '\t' ? at : r->at;
		return *at == '\t' ? lb_yaml_refuse_tab(r) : LB_OK;
	} else if (b->indent == 0 && yaml_is_marker(at)) {
		return LB_OK;
	} else {
		end = lb_yaml_line_end(r, at);
		add_line(b, at, end);
	}
	r->at = end;
	if (*end == '\0')
		return LB_OK;
	yaml_next_line(r, yaml_behind_break(end));
	*more = true;
	return LB_OK;
}

lb_err lb_yaml_block(struct lb_bytes *out, struct yaml_reader *r, int parent)
{
	struct block b = { .r = r };
	bool more = true;
	size_t digit;

	LB_TRY(read_header(&b, &digit));
	if (digit > 0)
		b.indent = (parent > 0 ? (size_t)parent : 0) + digit;
	else
		LB_TRY(find_indent(&b, parent));
	lb_buf_reset(&r->piece);
	while (more)
		LB_TRY(read_line(&more, &b));
	add_ends(&b, (b.any && b.ended && b.chomping != STRIP) +
	                     (b.chomping == KEEP ? b.blank_ends : 0));
	return lb_yaml_take_piece(out, r);
}
