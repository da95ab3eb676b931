/* lines.c - lines of a log as HTML: numbers to link to, colours from ANSI sequences, GitHub's
 * marks.
 *
 * Of ECMA-48 only "select graphic rendition" means something here; other sequences vanish.
 */
#include "coordinator/pages/page_priv.h"

#include <inttypes.h>

enum { ESCAPE = 0x1b, PARAMETERS_MAX = 16 };

struct style {
	bool bold, italic, underline;
	unsigned colour; /* 30 to 37, 90 to 97; 0: none */
};

struct ansi {
	struct lb_buf *out;
	struct style style;
	bool open; /* a span is */
};

static bool is_plain(const struct style *style)
{
	return !style->bold && !style->italic && !style->underline && style->colour == 0;
}

static void close_span(struct ansi *a)
{
	if (a->open)
		lb_buf_add_text(a->out, "</span>");
	a->open = false;
}

static void open_span(struct ansi *a)
{
	if (a->open || is_plain(&a->style))
		return;
	lb_buf_add_text(a->out, "<span class=\"");
	if (a->style.bold)
		lb_buf_add_text(a->out, "b ");
	if (a->style.italic)
		lb_buf_add_text(a->out, "i ");
	if (a->style.underline)
		lb_buf_add_text(a->out, "u ");
	if (a->style.colour != 0)
		lb_buf_addf(a->out, "c%u", a->style.colour);
	lb_buf_add_text(a->out, "\">");
	a->open = true;
}

static void apply_one(struct style *style, unsigned code)
{
	if (code == 0)
		*style = (struct style){ 0 };
	else if (code == 1)
		style->bold = true;
	else if (code == 3)
		style->italic = true;
	else if (code == 4)
		style->underline = true;
	else if (code == 22)
		style->bold = false;
	else if (code == 23)
		style->italic = false;
	else if (code == 24)
		style->underline = false;
	else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97))
		style->colour = code;
	else if (code == 39)
		style->colour = 0;
}

/* 38 and 48 take the numbers behind them (a palette's index, or red, green, blue), which are not
 * shown. */
static void apply(struct ansi *a, const unsigned *codes, size_t count)
{
	close_span(a);
	for (size_t i = 0; i < count; i++) {
		if (codes[i] == 38 || codes[i] == 48)
			i += i + 1 < count && codes[i + 1] == 2 ? 4 : 2;
		else
			apply_one(&a->style, codes[i]);
	}
}

/* What stands behind ESC; returns its length. */
static size_t take_sequence(struct ansi *a, struct lb_bytes text)
{
	unsigned codes[PARAMETERS_MAX] = { 0 };
	size_t count = 1, at = 1;

	if (text.len == 0 || text.at[0] != '[')
		return text.len == 0 ? 0 : 1;
	for (; at < text.len && text.at[at] < 0x40; at++) {
		if (text.at[at] == ';' && count < PARAMETERS_MAX)
			count++;
		else if (text.at[at] >= '0' && text.at[at] <= '9' && codes[count - 1] < 1000)
			codes[count - 1] = codes[count - 1] * 10 + ((unsigned)text.at[at] - '0');
	}
	if (at < text.len && text.at[at] == 'm')
		apply(a, codes, count);
	return at < text.len ? at + 1 : at;
}

static void add_coloured(struct lb_buf *out, struct lb_bytes text)
{
	struct ansi a = { .out = out };

	while (text.len > 0) {
		size_t plain = lb_bytes_find_byte(text, ESCAPE);
		struct lb_bytes part = lb_bytes_upto(text, plain);

		if (part.len > 0) {
			open_span(&a);
			coord_html_text(out, part);
		}
		if (plain == SIZE_MAX)
			break;
		text = lb_bytes_from(text, plain + 1);
		text = lb_bytes_from(text, take_sequence(&a, text));
	}
	close_span(&a);
}

/* GitHub's marks at the beginning of a line, which become a class. */
static const char *take_mark(struct lb_bytes *text)
{
	static const struct {
		const char *mark, *class;
	} marks[] = {
		{ "##[group]", "group" },     { "##[endgroup]", "endgroup" },
		{ "##[error]", "error" },     { "##[warning]", "warning" },
		{ "##[notice]", "notice" },   { "##[debug]", "debug" },
		{ "##[command]", "command" }, { "[command]", "command" },
	};

	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
		struct lb_bytes mark = lb_bytes_of(marks[i].mark);

		if (lb_bytes_starts(*text, mark)) {
			*text = lb_bytes_from(*text, mark.len);
			return marks[i].class;
		}
	}
	return "";
}

static void add_line(struct lb_buf *out, struct lb_bytes line, uint64_t number)
{
	size_t blank = lb_bytes_find_byte(line, ' ');
	struct lb_bytes time = lb_bytes_upto(line, blank), text;
	const char *class;

	text = blank != SIZE_MAX ? lb_bytes_from(line, blank + 1) : (struct lb_bytes){ 0 };
	class = take_mark(&text);
	lb_buf_addf(out, "<li id=\"L%" PRIu64 "\"%s%s%s><a href=\"#L%" PRIu64 "\" title=\"", number,
	            class[0] != '\0' ? " class=\"" : "", class, class[0] != '\0' ? "\"" : "",
	            number);
	coord_html_text(out, time);
	lb_buf_addf(out, "\">%" PRIu64 "</a><span>", number);
	add_coloured(out, text);
	lb_buf_add_text(out, "</span></li>\n");
}

uint64_t coord_page_lines(struct lb_buf *out, struct lb_bytes text, uint64_t first)
{
	uint64_t count = 0;

	while (text.len > 0) {
		size_t end = lb_bytes_find_byte(text, '\n');

		add_line(out, lb_bytes_upto(text, end), first + count);
		text = end == SIZE_MAX ? (struct lb_bytes){ 0 } : lb_bytes_from(text, end + 1);
		count++;
	}
	return count;
}
