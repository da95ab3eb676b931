/* lines_priv.h - the lines that minisign's files are made of. */
#ifndef RELEASE_KEYS_LINES_PRIV_H
#define RELEASE_KEYS_LINES_PRIV_H

#include "base/buf.h"
#include "base/diag.h"

#define RELEASE_UNTRUSTED "untrusted comment: "
#define RELEASE_TRUSTED "trusted comment: "

/* Cut off the next line without its end (LF or CRLF).  MALFORMED where the text is over. */
lb_err release_line(struct lb_bytes *line, struct lb_bytes *text, const char *what,
                    struct lb_diag *diag);

/* The next line, which begins with `prefix`; without it. */
lb_err release_comment_line(struct lb_bytes *comment, struct lb_bytes *text, const char *prefix,
                            const char *what, struct lb_diag *diag);

/* MALFORMED unless only blanks are left. */
lb_err release_no_more_lines(struct lb_bytes text, const char *what, struct lb_diag *diag);

/* Exactly `len` bytes from a line of base64.  `out` needs room for the slack beyond them: reading
 * base64 reserves whole groups. */
enum { RELEASE_BASE64_SLACK = 8 };
lb_err release_base64_exact(struct lb_buf *out, struct lb_bytes line, size_t len, const char *what,
                            struct lb_diag *diag);

/* INVALID unless the comment can stand in one line of a signature and be shown: UTF-8, no control
 * characters but tabs. */
lb_err release_comment_check(struct lb_bytes comment, struct lb_diag *diag);

#endif
