/* log.c - see log.h. */
#include "ci-runner/log/log.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

enum {
	PENDING_BYTES_MAX = 64 * 1024 * 1024,
	FLUSH_BYTES = 256 * 1024, /* hand over without being asked */
	BLOCK_BYTES = 16 * 1024,  /* of lines that are copied at once */
	LINE_BYTES_MAX = 32 * 1024 * 1024
};

void runner_log_init(struct runner_log *log, struct lb_mem *mem, struct plat *plat,
                     struct runner_mask *mask, void (*write)(void *ctx, struct lb_bytes lines),
                     void *ctx)
{
	*log = (struct runner_log){ .plat = plat, .mask = mask, .write = write, .ctx = ctx };
	lb_buf_init(&log->pending, mem, PENDING_BYTES_MAX);
	lb_buf_init(&log->plain, mem, LINE_BYTES_MAX);
}

void runner_log_release(struct runner_log *log)
{
	lb_buf_release(&log->pending);
	lb_buf_release(&log->plain);
}

/* log->time is the time and the blank behind it. */
static void read_time(struct runner_log *log)
{
	uint64_t now = log->plat->ops->wall_ns(log->plat);

	/* Seven digits are shown: the text of the same 100 ns is the same. */
	if (now / 100 == log->time_ns / 100 && log->time_ns != 0)
		return;
	(void)lb_time_text(log->time, now, 7);
	log->time[RUNNER_LOG_TIME_LEN - 1] = ' ';
	log->time_ns = now;
}

static void add_time(struct runner_log *log)
{
	read_time(log);
	lb_buf_add(&log->pending,
	           (struct lb_bytes){ (const unsigned char *)log->time, RUNNER_LOG_TIME_LEN });
}

static void add_text(struct runner_log *log, struct lb_bytes text)
{
	size_t good = lb_utf8_check(text);

	while (good != SIZE_MAX) {
		struct lb_bytes rest = lb_bytes_from(text, good);

		lb_buf_add(&log->pending, lb_bytes_upto(text, good));
		lb_utf8_add(&log->pending, lb_utf8_next(&rest));
		text = rest;
		good = lb_utf8_check(text);
	}
	lb_buf_add(&log->pending, text);
}

static void lose_line(struct runner_log *log)
{
	log->pending.failure = LB_OK;
	runner_log_flush(log);
	add_time(log);
	lb_buf_add_text(&log->pending, "##[warning]a line of this log was lost: out of memory\n");
	if (lb_failed(lb_buf_check(&log->pending)))
		lb_buf_reset(&log->pending);
}

static void add_plain_line(struct runner_log *log)
{
	size_t before = log->pending.len;

	add_time(log);
	add_text(log, lb_buf_bytes(&log->plain));
	lb_buf_add_byte(&log->pending, '\n');
	if (lb_failed(lb_buf_check(&log->pending)) || lb_failed(lb_buf_check(&log->plain))) {
		log->pending.len = before;
		lose_line(log);
	}
	lb_buf_reset(&log->plain);
	if (log->pending.len >= FLUSH_BYTES)
		runner_log_flush(log);
}

void runner_log_line(struct runner_log *log, struct lb_bytes text)
{
	struct lb_bytes rest = text, line;

	/* Text from elsewhere (a variable's value) may hold line ends: each is a line. */
	while (lb_bytes_split(&line, &rest, '\n')) {
		(void)runner_mask_apply(log->mask, &log->plain, &log->covered, line, true);
		log->covered = 0;
		add_plain_line(log);
	}
}

/* Each line with the time before it; returns how many bytes that are. */
static size_t stamp(unsigned char *to, struct lb_bytes lines, const char *time)
{
	const unsigned char *p = lines.at, *end = lines.at + lines.len;
	unsigned char *begin = to;

	while (p < end) {
		const unsigned char *stop =
			(const unsigned char *)memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)(stop + 1 - p);

		memcpy(to, time, RUNNER_LOG_TIME_LEN);
		memcpy(to + RUNNER_LOG_TIME_LEN, p, len);
		to += RUNNER_LOG_TIME_LEN + len;
		p = stop + 1;
	}
	return (size_t)(to - begin);
}

/* Whole lines that stand in the log as they are. */
static void add_lines(struct runner_log *log, struct lb_bytes lines)
{
	while (lines.len > 0) {
		struct lb_bytes some = lb_bytes_upto(lines, BLOCK_BYTES);
		size_t end = lb_bytes_rfind_byte(some, '\n');
		unsigned char *to;

		if (end == SIZE_MAX) /* one that is longer */
			end = lb_bytes_find_byte(lines, '\n');
		some = lb_bytes_upto(lines, end + 1);
		/* At most, if every byte were a line. */
		to = lb_buf_reserve(&log->pending,
		                    some.len + (some.len < BLOCK_BYTES ? some.len : BLOCK_BYTES) *
		                                       RUNNER_LOG_TIME_LEN);
		if (to == NULL) {
			lose_line(log);
			return;
		}
		log->pending.len += stamp(to, some, log->time);
		if (log->pending.len >= FLUSH_BYTES)
			runner_log_flush(log);
		lines = lb_bytes_from(lines, end + 1);
	}
}

void runner_log_lines(struct runner_log *log, struct lb_bytes lines)
{
	size_t secret = runner_mask_find(log->mask, lines, 0), bad = lb_utf8_check(lines);

	read_time(log);
	while (lines.len > 0) {
		size_t odd = secret < bad ? secret : bad, begin, end;

		if (odd == SIZE_MAX) {
			add_lines(log, lines);
			return;
		}
		begin = lb_bytes_rfind_byte(lb_bytes_upto(lines, odd), '\n');
		begin = begin == SIZE_MAX ? 0 : begin + 1;
		end = odd + lb_bytes_find_byte(lb_bytes_from(lines, odd), '\n');
		add_lines(log, lb_bytes_upto(lines, begin));
		runner_log_line(log, lb_bytes_from(lb_bytes_upto(lines, end), begin));
		lines = lb_bytes_from(lines, end + 1);
		if (secret != SIZE_MAX)
			secret = secret > end ? secret - end - 1
			                      : runner_mask_find(log->mask, lines, 0);
		if (bad != SIZE_MAX)
			bad = bad > end ? bad - end - 1 : lb_utf8_check(lines);
	}
}

size_t runner_log_piece(struct runner_log *log, struct lb_bytes text)
{
	size_t end = text.len, took;

	/* Not through a character: its last bytes may be still to come. */
	for (unsigned back = 0; back < 3 && end > 1 && (text.at[end - 1] & 0xc0) == 0x80; back++)
		end--;
	if (end > 1 && (text.at[end - 1] & 0xc0) == 0xc0)
		end--;
	took = runner_mask_apply(log->mask, &log->plain, &log->covered, lb_bytes_upto(text, end),
	                         false);
	if (took > 0)
		add_plain_line(log);
	return took;
}

void runner_log_linef(struct runner_log *log, const char *format, ...)
{
	char text[2048];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (len < 0)
		return;
	runner_log_line(log, lb_bytes_upto(lb_bytes_of(text), (size_t)len));
}

void runner_log_flush(struct runner_log *log)
{
	if (log->pending.len == 0)
		return;
	log->size += log->pending.len;
	log->write(log->ctx, lb_buf_bytes(&log->pending));
	lb_buf_reset(&log->pending);
}
