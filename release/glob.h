/* glob.h - the patterns of policies: `*` any run but of slashes, `**` any run, `?` one but a slash.
 *
 * Threads: pure function.
 */
#ifndef RELEASE_GLOB_H
#define RELEASE_GLOB_H

#include "base/bytes.h"

enum { RELEASE_GLOB_MAX = 255 }; /* bytes of a pattern */

/* Whether the pattern matches the whole text.  Time is at most the product of the lengths.
 * pre: pattern.len <= RELEASE_GLOB_MAX. */
bool release_glob_matches(struct lb_bytes pattern, struct lb_bytes text);

#endif
