/* diag.h - prose about an error, in a buffer of fixed size that the caller owns.
 *
 * A function that knows a name, a line or what was expected writes it into
 * the diagnostic it was given; NULL means the caller does not want it.
 * Nothing here allocates or fails.  Threads: as any plain struct.
 */
#ifndef LB_BASE_DIAG_H
#define LB_BASE_DIAG_H

#include "base/err.h"

enum { LB_DIAG_SIZE = 1024 };

struct lb_diag {
	char text[LB_DIAG_SIZE]; /* terminated; cut at a whole UTF-8 character when too long */
};

/* Replace the text.  Does nothing when diag is NULL. */
void lb_diag_set(struct lb_diag *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Put "PREFIX: " before the text that is there. */
void lb_diag_prefix(struct lb_diag *diag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Set the text and return the error: `return lb_fail(diag, LB_E_X, "...", ...)`. */
lb_err lb_fail(struct lb_diag *diag, enum lb_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The prose if there is any, the code's text otherwise.  Never NULL. */
const char *lb_diag_text(const struct lb_diag *diag, lb_err err);

#endif
