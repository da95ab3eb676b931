/* lines.c - see lines.h. */
#include "ci-runner/text/lines.h"

void runner_lines_init(struct runner_lines *lines, struct lb_mem *mem,
                       size_t (*line)(void *ctx, struct lb_bytes text, bool ended), void *ctx)
{
	*lines = (struct runner_lines){ .line = line, .ctx = ctx };
	lb_buf_init(&lines->kept, mem, 2 * (size_t)RUNNER_LINE_HARD_MAX);
}

void runner_lines_release(struct runner_lines *lines) { lb_buf_release(&lines->kept); }

static bool is_command(struct lb_bytes text)
{
	while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
		text = lb_bytes_from(text, 1);
	return lb_bytes_starts(text, LB_B("::")) || lb_bytes_starts(text, LB_B("##["));
}

static size_t line_end(struct lb_bytes text)
{
	const unsigned char *lf = memchr(text.at, '\n', text.len);
	size_t len = lf != NULL ? (size_t)(lf - text.at) : text.len;
	const unsigned char *cr = memchr(text.at, '\r', len);

	if (cr != NULL)
		return (size_t)(cr - text.at);
	return lf != NULL ? len : SIZE_MAX;
}

static void end_line(struct runner_lines *lines, struct lb_bytes tail)
{
	if (lines->kept.len == 0) {
		(void)lines->line(lines->ctx, tail, true);
		return;
	}
	lb_buf_add(&lines->kept, tail);
	(void)lines->line(lines->ctx, lb_buf_bytes(&lines->kept), true);
	lb_buf_reset(&lines->kept);
}

/* Give away of a long line what can be given. */
static void shorten(struct runner_lines *lines)
{
	struct lb_bytes text = lb_buf_bytes(&lines->kept);

	if (text.len < RUNNER_LINE_SOFT_MAX)
		return;
	if (is_command(text) && text.len < RUNNER_LINE_HARD_MAX)
		return;
	lb_buf_consume(&lines->kept, lines->line(lines->ctx, text, false));
}

/* The whole lines at the front of a part that nothing has to be done to; 0: none. */
static size_t block_len(const struct runner_lines *lines, struct lb_bytes part)
{
	size_t last;

	if (lines->block == NULL || lines->kept.len > 0 || memchr(part.at, '\r', part.len) != NULL)
		return 0;
	last = lb_bytes_rfind_byte(part, '\n');
	return last == SIZE_MAX ? 0 : last + 1;
}

lb_err runner_lines_add(struct runner_lines *lines, struct lb_bytes part)
{
	lb_err err;

	while (part.len > 0) {
		size_t end;

		if (lines->after_cr && part.at[0] == '\n')
			part = lb_bytes_from(part, 1);
		lines->after_cr = false;
		if (part.len == 0)
			break;
		end = block_len(lines, part);
		if (end > 0) {
			lines->block(lines->ctx, lb_bytes_upto(part, end));
			part = lb_bytes_from(part, end);
			continue;
		}
		end = line_end(part);
		if (end == SIZE_MAX) {
			lb_buf_add(&lines->kept, part);
			shorten(lines);
			break;
		}
		end_line(lines, lb_bytes_upto(part, end));
		lines->after_cr = part.at[end] == '\r';
		part = lb_bytes_from(part, end + 1);
	}
	err = lb_buf_check(&lines->kept);
	if (lb_failed(err))
		lb_buf_reset(&lines->kept);
	return err;
}

void runner_lines_end(struct runner_lines *lines)
{
	if (lines->kept.len > 0)
		end_line(lines, (struct lb_bytes){ 0 });
	lines->after_cr = false;
}
