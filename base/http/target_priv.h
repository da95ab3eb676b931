/* target_priv.h - what a request asks for: the path, and the query's pairs, decoded.
 *
 * Internal to base/http.  Everything is in the arena it was read with.
 */
#ifndef LB_HTTP_TARGET_PRIV_H
#define LB_HTTP_TARGET_PRIV_H

#include "base/arena.h"
#include "base/diag.h"

enum { LB_HTTP_PAIRS_MAX = 256 };

struct lb_http_pair {
	struct lb_bytes name, value;
};

struct lb_http_target {
	const char *path;      /* as sent, without the query, terminated */
	struct lb_bytes query; /* as sent, without '?' */
	struct lb_http_pair *pairs;
	size_t pair_count;
};

/* `raw` is an origin-form target ("/a?b=c") or an absolute one ("http://host/a"), whose scheme and
 * host are dropped.  MALFORMED, LIMIT (too many pairs) or NOMEM. */
lb_err lb_http_target_read(struct lb_http_target *out, struct lb_arena *arena, struct lb_bytes raw,
                           struct lb_diag *diag);

/* %XX decoded; in a query '+' stands for a blank as well.  MALFORMED for a bad escape, for %00 and
 * for control characters. */
lb_err lb_http_decode(struct lb_bytes *out, struct lb_arena *arena, struct lb_bytes raw,
                      bool in_query, struct lb_diag *diag);

#endif
