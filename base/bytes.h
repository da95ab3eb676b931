/* bytes.h - borrowed bytes with a length: no terminator expected, nothing owned.
 *
 * Passed by value.  `at` may be NULL only when `len` is 0.  Threads: pure functions.
 */
#ifndef LB_BASE_BYTES_H
#define LB_BASE_BYTES_H

#include "base/err.h"

#include <string.h>

struct lb_bytes {
	const unsigned char *at;
	size_t len;
};

/* A string literal as bytes, usable in static initialisers. */
#define LB_LIT(text) \
	{ \
		(const unsigned char *)(text), sizeof(text) - 1 \
	}
#define LB_B(text) ((struct lb_bytes)LB_LIT(text))

/* For printf: "%.*s", LB_FMT(bytes).  Prints at most INT_MAX bytes. */
#define LB_FMT(b) (int)((b).len), (const char *)((b).at)

static inline struct lb_bytes lb_bytes_of(const char *text)
{
	return (struct lb_bytes){ (const unsigned char *)text, text != NULL ? strlen(text) : 0 };
}

static inline bool lb_bytes_eq(struct lb_bytes a, struct lb_bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool lb_bytes_is(struct lb_bytes a, const char *text)
{
	return lb_bytes_eq(a, lb_bytes_of(text)); /* of a literal the length is known */
}

bool lb_bytes_eq_nocase(struct lb_bytes a, struct lb_bytes b); /* ASCII letters only */
int lb_bytes_cmp(struct lb_bytes a, struct lb_bytes b);        /* as memcmp, shorter first */
bool lb_bytes_starts(struct lb_bytes a, struct lb_bytes prefix);
bool lb_bytes_ends(struct lb_bytes a, struct lb_bytes suffix);

/* Comparing secrets: time depends on the lengths alone. */
bool lb_bytes_eq_secret(struct lb_bytes a, struct lb_bytes b);

/* Index of the first occurrence; SIZE_MAX where there is none. */
size_t lb_bytes_find(struct lb_bytes in, struct lb_bytes what);
size_t lb_bytes_find_byte(struct lb_bytes in, unsigned char what);
size_t lb_bytes_rfind_byte(struct lb_bytes in, unsigned char what);

/* Parts: positions past the end are taken as the end. */
struct lb_bytes lb_bytes_from(struct lb_bytes in, size_t start);
struct lb_bytes lb_bytes_upto(struct lb_bytes in, size_t end);
struct lb_bytes lb_bytes_trim(struct lb_bytes in); /* ASCII blanks and line ends, both sides */

/* Cut off and return what stands before the first `sep`; false when `*rest` is
 * spent.  "a,,b" gives "a", "", "b"; an empty input gives one empty part. */
bool lb_bytes_split(struct lb_bytes *part, struct lb_bytes *rest, unsigned char sep);

/* A whole decimal number, no sign, no blanks: MALFORMED, or RANGE above max. */
lb_err lb_bytes_u64(uint64_t *out, struct lb_bytes text, uint64_t max);

/* For tables in memory: keyed for each process, so not to be kept or sent.  The second is the
 * same for all that lb_bytes_eq_nocase calls equal. */
uint64_t lb_bytes_hash(struct lb_bytes bytes);
uint64_t lb_bytes_hash_nocase(struct lb_bytes bytes);

#endif
