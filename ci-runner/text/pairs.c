/* pairs.c - see pairs.h. */
#include "ci-runner/text/pairs.h"

bool runner_next_line(struct lb_bytes *line, struct lb_bytes *rest)
{
	size_t end;

	if (rest->len == 0)
		return false;
	end = lb_bytes_find_byte(*rest, '\n');
	*line = lb_bytes_upto(*rest, end);
	*rest = lb_bytes_from(*rest, end == SIZE_MAX ? SIZE_MAX : end + 1);
	if (line->len > 0 && line->at[line->len - 1] == '\r')
		line->len--;
	return true;
}

void runner_pairs_begin(struct runner_pairs *pairs, struct lb_bytes text)
{
	if (lb_bytes_starts(text, LB_B("\xef\xbb\xbf")))
		text = lb_bytes_from(text, 3);
	*pairs = (struct runner_pairs){ .rest = text, .next_line = 1 };
}

static bool next_line(struct lb_bytes *line, struct runner_pairs *pairs)
{
	if (!runner_next_line(line, &pairs->rest))
		return false;
	pairs->next_line++;
	return true;
}

/* The value is what stands between, without the end of its last line. */
static lb_err read_lines(struct lb_bytes *value, struct runner_pairs *pairs,
                         struct lb_bytes delimiter, struct lb_diag *diag)
{
	const unsigned char *start = pairs->rest.at;
	size_t len = 0;
	struct lb_bytes line;

	while (next_line(&line, pairs)) {
		if (lb_bytes_eq(line, delimiter)) {
			*value = (struct lb_bytes){ start, len };
			return LB_OK;
		}
		len = (size_t)(line.at - start) + line.len;
	}
	return lb_fail(diag, LB_E_MALFORMED, "Invalid value. Matching delimiter not found '%.*s'",
	               LB_FMT(delimiter));
}

lb_err runner_pairs_next(struct lb_bytes *name, struct lb_bytes *value, struct runner_pairs *pairs,
                         struct lb_diag *diag)
{
	struct lb_bytes line;
	size_t equals, heredoc;

	do {
		pairs->line = pairs->next_line;
		if (!next_line(&line, pairs))
			return lb_err_of(LB_E_END);
	} while (line.len == 0);
	equals = lb_bytes_find_byte(line, '=');
	heredoc = lb_bytes_find(line, LB_B("<<"));
	*name = lb_bytes_upto(line, equals < heredoc ? equals : heredoc);
	if (name->len == 0 || (equals == SIZE_MAX && heredoc == SIZE_MAX))
		return lb_fail(diag, LB_E_MALFORMED, "Invalid format '%.*s'",
		               LB_FMT(lb_bytes_upto(line, 200)));
	if (equals < heredoc) {
		*value = lb_bytes_from(line, equals + 1);
		return LB_OK;
	}
	if (line.len == heredoc + 2)
		return lb_fail(diag, LB_E_MALFORMED,
		               "Invalid format '%.*s'. Name must not be empty and delimiter must "
		               "not be empty",
		               LB_FMT(lb_bytes_upto(line, 200)));
	return read_lines(value, pairs, lb_bytes_from(line, heredoc + 2), diag);
}
