/* lines.c - see lines_priv.h. */
#include "release/keys/lines_priv.h"

#include "base/text.h"
#include "release/keys/signature.h"

lb_err release_line(struct lb_bytes *line, struct lb_bytes *text, const char *what,
                    struct lb_diag *diag)
{
	size_t end = lb_bytes_find_byte(*text, '\n');

	if (text->len == 0)
		return lb_fail(diag, LB_E_MALFORMED, "the %s ends too early: a line is missing",
		               what);
	*line = lb_bytes_upto(*text, end);
	*text = end == SIZE_MAX ? (struct lb_bytes){ NULL, 0 } : lb_bytes_from(*text, end + 1);
	while (line->len > 0 && line->at[line->len - 1] == '\r')
		line->len--;
	return LB_OK;
}

lb_err release_comment_line(struct lb_bytes *comment, struct lb_bytes *text, const char *prefix,
                            const char *what, struct lb_diag *diag)
{
	struct lb_bytes line, begin = lb_bytes_of(prefix);

	LB_TRY(release_line(&line, text, what, diag));
	if (!lb_bytes_starts(line, begin))
		return lb_fail(diag, LB_E_MALFORMED, "the %s has no line that begins with \"%s\"",
		               what, prefix);
	*comment = lb_bytes_from(line, begin.len);
	return LB_OK;
}

lb_err release_no_more_lines(struct lb_bytes text, const char *what, struct lb_diag *diag)
{
	if (lb_bytes_trim(text).len > 0)
		return lb_fail(diag, LB_E_MALFORMED, "the %s goes on after its last line", what);
	return LB_OK;
}

lb_err release_base64_exact(struct lb_buf *out, struct lb_bytes line, size_t len, const char *what,
                            struct lb_diag *diag)
{
	lb_err err = lb_base64_read(out, line);

	if (!lb_failed(err))
		err = lb_buf_check(out);
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (lb_failed(err) || out->len != len)
		return lb_fail(diag, LB_E_MALFORMED, "the %s is not %zu bytes in base64", what,
		               len);
	return LB_OK;
}

lb_err release_comment_check(struct lb_bytes comment, struct lb_diag *diag)
{
	if (comment.len > RELEASE_COMMENT_MAX)
		return lb_fail(diag, LB_E_LIMIT, "a comment has at most %d bytes, this one %zu",
		               RELEASE_COMMENT_MAX, comment.len);
	for (size_t i = 0; i < comment.len; i++) {
		if ((comment.at[i] < 0x20 && comment.at[i] != '\t') || comment.at[i] == 0x7f)
			return lb_fail(diag, LB_E_INVALID,
			               "a comment is one line without control characters, this one "
			               "has the byte 0x%02x at offset %zu",
			               comment.at[i], i);
	}
	if (lb_utf8_check(comment) != SIZE_MAX)
		return lb_fail(diag, LB_E_INVALID, "the comment is not UTF-8 at offset %zu",
		               lb_utf8_check(comment));
	return LB_OK;
}
