/* json.h - reading JSON (RFC 8259) into values.  Writing is lb_value_write.
 *
 * Untrusted input: depth at most LB_JSON_DEPTH_MAX, duplicate keys are refused,
 * strings must be UTF-8, surrogates come in pairs.  Strings may hold \u0000, keys may not.
 * Numbers become doubles: whole numbers beyond 2^53 lose their last digits, and
 * one that no double can hold (1e400) is MALFORMED.  Threads: any.
 */
#ifndef LB_DATA_JSON_H
#define LB_DATA_JSON_H

#include "base/diag.h"
#include "base/value.h"

enum { LB_JSON_DEPTH_MAX = 512 };

/* The whole of `text` is one value (of any kind), in `arena`; nothing in it points into `text`.
 * MALFORMED, or LIMIT for too deep a nesting, with the byte offset as context and
 * "line L, column C: ..." in the diagnostic; NOMEM.  On failure *out is NULL. */
lb_err lb_json_read(struct lb_value **out, struct lb_arena *arena, struct lb_bytes text,
                    struct lb_diag *diag);

#endif
