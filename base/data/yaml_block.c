/* yaml_block.c - blocks of text ("run: |"), decoded from the source; YAML 1.2, 8.1. */
#include "base/data/yaml_priv.h"

/* What becomes of the line ends behind the text: one stays, none, all. */
enum chomping { CLIP, STRIP, KEEP };

struct block {
	struct lb_buf *out;
	bool folded;
	enum chomping chomping;
	size_t indent;
	uint32_t lines;    /* of text so far */
	bool ended;        /* the last of them has a line end */
	bool deeper;       /* the last of them begins with a blank */
	size_t blank_ends; /* line ends behind it */
};

bool lb_yaml_next_line(struct lb_bytes *line, bool *ended, struct lb_bytes *rest)
{
	size_t end = 0, next;

	if (rest->len == 0)
		return false;
	while (end < rest->len && rest->at[end] != '\n' && rest->at[end] != '\r')
		end++;
	*line = lb_bytes_upto(*rest, end);
	next = end + 1;
	if (next < rest->len && rest->at[end] == '\r' && rest->at[next] == '\n')
		next++;
	if (ended != NULL)
		*ended = end < rest->len;
	*rest = lb_bytes_from(*rest, next);
	return true;
}

static size_t leading_blanks(struct lb_bytes line, size_t most)
{
	size_t count = 0;

	while (count < line.len && count < most && line.at[count] == ' ')
		count++;
	return count;
}

/* "-", "+" and a digit, in either order; 0 where there is no digit. */
static size_t read_indicators(struct block *b, struct lb_bytes header)
{
	size_t digit = 0;

	b->folded = header.at[0] == '>';
	for (size_t i = 1; i < header.len && i < 3; i++) {
		if (header.at[i] == '-' || header.at[i] == '+')
			b->chomping = header.at[i] == '-' ? STRIP : KEEP;
		else if (header.at[i] >= '1' && header.at[i] <= '9')
			digit = (size_t)(header.at[i] - '0');
		else
			break;
	}
	return digit;
}

/* That of the first line that has a text; SIZE_MAX where it is not deeper than the key's, or there
 * is none: then all the block has is blank lines. */
static size_t find_indent(int parent, struct lb_bytes rest)
{
	struct lb_bytes line;

	while (lb_yaml_next_line(&line, NULL, &rest)) {
		size_t blanks = leading_blanks(line, SIZE_MAX);

		if (blanks < line.len)
			return blanks >= (size_t)(parent + 1) ? blanks : SIZE_MAX;
	}
	return SIZE_MAX;
}

static void add_ends(struct block *b, size_t count)
{
	while (count-- > 0)
		lb_buf_add_byte(b->out, '\n');
}

/* Between two lines that begin at the indentation a single line end is folded into a blank. */
static void add_line(struct block *b, struct lb_bytes line, bool ended)
{
	bool deeper = line.at[0] == ' ' || line.at[0] == '\t';
	bool fold = b->folded && b->lines > 0 && !deeper && !b->deeper;

	if (fold && b->blank_ends == 0)
		lb_buf_add_byte(b->out, ' ');
	add_ends(b, b->blank_ends + (b->lines > 0 && !fold));
	lb_buf_add(b->out, line);
	b->lines++;
	b->blank_ends = 0;
	b->deeper = deeper;
	b->ended = ended;
}

static bool is_document_mark(struct lb_bytes line)
{
	return (lb_bytes_starts(line, LB_B("---")) || lb_bytes_starts(line, LB_B("..."))) &&
	       (line.len == 3 || line.at[3] == ' ' || line.at[3] == '\t');
}

struct lb_yaml_block lb_yaml_block_text(struct lb_buf *out, struct lb_bytes source, size_t header,
                                        int parent)
{
	struct block b = { .out = out };
	struct lb_bytes rest = lb_bytes_from(source, header), line, next;
	size_t digit;
	bool ended;

	if (!lb_yaml_next_line(&line, NULL, &rest))
		return (struct lb_yaml_block){ source.len, 0 };
	digit = read_indicators(&b, line);
	b.indent =
		digit > 0 ? (parent > 0 ? (size_t)parent : 0) + digit : find_indent(parent, rest);
	for (next = rest; lb_yaml_next_line(&line, &ended, &next); rest = next) {
		size_t blanks = leading_blanks(line, b.indent);

		if (blanks == line.len) {
			b.blank_ends += ended;
			continue;
		}
		if (blanks < b.indent || (b.indent == 0 && is_document_mark(line)))
			break;
		add_line(&b, lb_bytes_from(line, blanks), ended);
	}
	add_ends(&b, (b.lines > 0 && b.ended && b.chomping != STRIP) +
	                     (b.chomping == KEEP ? b.blank_ends : 0));
	return (struct lb_yaml_block){ source.len - rest.len, b.lines };
}
