/* log.c - see log.h. */
#include "base/io/log.h"

#include "base/platform/handle.h"
#include "base/text.h"

#include <stdio.h>

/* A line being made.  Bounded, so that it goes out in one write and needs no memory. */
struct line {
	char text[3072];
	size_t len;
	bool full;
};

static const char cut_mark[] = "[...]";

/* Whole or not at all, and then nothing more. */
static void add(struct line *line, const char *text, size_t len)
{
	size_t end =
		sizeof line->text - sizeof cut_mark; /* leaves room for the mark and a newline */

	if (line->full || len > end - line->len) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static void add_text(struct line *line, const char *text) { add(line, text, strlen(text)); }

/* What ends a value or a line, or what a terminal would obey, is spelt out. */
static void add_character(struct line *line, uint32_t c, struct lb_bytes as)
{
	static const char from[] = "\"\\\n\r\t", to[] = "\"\\nrt";
	const char *hit = c != 0 && c < 0x80 ? strchr(from, (int)c) : NULL;
	char text[8];

	if (hit != NULL)
		(void)snprintf(text, sizeof text, "\\%c", to[hit - from]);
	else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		(void)snprintf(text, sizeof text, "\\u%04x", (unsigned)c);
	else if (c == 0xfffd)
		(void)snprintf(text, sizeof text, "\xef\xbf\xbd");
	else
		(void)snprintf(text, sizeof text, "%.*s", LB_FMT(as));
	add_text(line, text);
}

static void add_escaped(struct line *line, struct lb_bytes text)
{
	while (text.len > 0 && !line->full) {
		struct lb_bytes before = text;
		uint32_t c = lb_utf8_next(&text);

		add_character(line, c, lb_bytes_upto(before, before.len - text.len));
	}
}

/* Can it stand as it is, and be told from what follows? */
static bool is_plain(struct lb_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
			return false;
	}
	return text.len > 0;
}

static void add_value(struct line *line, struct lb_bytes text)
{
	const char *quote = is_plain(text) ? "" : "\"";

	add_text(line, quote);
	add_escaped(line, text);
	add_text(line, quote);
}

void lb_log_write(const struct lb_log *log, enum lb_log_level level, const char *event,
                  const struct lb_field *fields)
{
	static const char *const names[] = { "debug", "info ", "warn ", "error" };
	struct line line = { .len = 0 };
	char time[LB_TIME_SIZE], number[24];

	if (log == NULL || log->file < 0 || level < log->least)
		return;
	add_text(&line, lb_time_text(time, log->plat->ops->wall_ns(log->plat), 3));
	add_text(&line, " ");
	add_text(&line, names[level]);
	add_text(&line, " ");
	add_escaped(&line, lb_bytes_of(event));
	for (; fields->key != NULL; fields++) {
		add_text(&line, " ");
		add_text(&line, fields->key);
		add_text(&line, "=");
		(void)snprintf(number, sizeof number, "%llu", (unsigned long long)fields->number);
		add_value(&line, fields->is_number ? lb_bytes_of(number) : fields->text);
	}
	if (line.full) {
		memcpy(line.text + line.len, cut_mark, sizeof cut_mark - 1);
		line.len += sizeof cut_mark - 1;
	}
	line.text[line.len++] = '\n';
	(void)plat_write_once(log->file, line.text, line.len);
}
