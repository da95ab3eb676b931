/* mask.h - secrets made invisible in a stream of bytes.
 *
 * A secret is hidden as it is, line by line, and as it looks in base64 (at each of the three
 * places it can stand in, and broken into base64's lines), in a URL or a form, in JSON, XML and
 * HTML, quoted for a command line or an expression, without its own quotes, and in the parts that
 * PowerShell makes of it at an ampersand.  Where hidden ranges overlap one "***" stands for all.
 * What is written does not depend on how the stream was cut into parts. Threads: one at a time.
 */
#ifndef RUNNER_TEXT_MASK_H
#define RUNNER_TEXT_MASK_H

#include "base/buf.h"
#include "base/bytes.h"

enum { RUNNER_SECRET_BYTES_MAX = 65536, RUNNER_PATTERNS_MAX = 100000 };

struct runner_mask;

lb_err runner_mask_new(struct runner_mask **out, struct lb_mem *mem);
void runner_mask_free(struct runner_mask *mask); /* NULL is fine */

/* Hide this from now on; blank text is nothing to hide.  LIMIT: longer than
 * RUNNER_SECRET_BYTES_MAX; NOMEM: nothing was added. */
lb_err runner_mask_add(struct runner_mask *mask, struct lb_bytes secret);

/* Append `in` to `out` with secrets hidden; returns how many bytes of `in` are done with.  The
 * rest may be the beginning of a secret: give it again, at the front of what comes next.
 * With `final` nothing is kept back.  `*covered` starts as 0 and belongs to the stream. */
size_t runner_mask_apply(struct runner_mask *mask, struct lb_buf *out, size_t *covered,
                         struct lb_bytes in, bool final);
/* Where the first secret of a text stands, looked for from `from`; SIZE_MAX where there is none. */
size_t runner_mask_find(struct runner_mask *mask, struct lb_bytes in, size_t from);

#endif
