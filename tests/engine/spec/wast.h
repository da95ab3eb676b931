/* wast.h - an official test script made ready: converted by wast2json, form by form if need be.
 *
 * The suite is that of the newest language, and the converter is older: forms
 * it cannot read are left out, and with a module all that speaks to it.  How
 * many were left out is counted, so that a change is seen.
 */
#ifndef LB_TESTS_ENGINE_SPEC_WAST_H
#define LB_TESTS_ENGINE_SPEC_WAST_H

#include "tests/harness/test.h"

struct wast {
	struct lb_buf json;      /* what the converter wrote */
	unsigned forms, dropped; /* top-level forms; those left out */
	char first_dropped[128]; /* "line: message" of the first */
};

/* Convert `source` into `folder`, leaving out at most `drops_max` forms.  False where that does
 * not do; first_dropped says why. */
bool wast_convert(struct wast *out, const char *source, const char *folder, unsigned drops_max);
void wast_release(struct wast *wast);

#endif
