/* yaml.h - reading YAML 1.2 into nodes that know their place.
 *
 * One pass over the text, linear in its length; untrusted input is bounded by the limits.  Aliases
 * are resolved (a shared node; the expansion counts against the limit), merge keys are not
 * special, tags are kept, duplicate keys are left for the caller to judge.  What a plain scalar
 * means (null, number, ...) is for the caller as well.  An aliased node keeps the place of its
 * anchor's node.
 *
 * Places are those that GitHub names: a scalar stands at its tag or anchor, else at its first
 * character, quote, | or >; a collection at its first key, dash or bracket; a value left empty
 * ("key:") behind the colon, or where it would have begun.
 *
 * Where GitHub is more lenient than YAML 1.2, this is too: a comment may follow the end of a flow
 * collection without a blank between them, and what is within brackets or quotes may stand at any
 * indentation.  A key that is followed by its colon is on one line and of 1024 bytes at most.
 * Threads: any.
 */
#ifndef LB_DATA_YAML_H
#define LB_DATA_YAML_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/diag.h"

enum lb_yaml_kind { LB_YAML_SCALAR, LB_YAML_SEQUENCE, LB_YAML_MAPPING };
enum lb_yaml_style {
	LB_YAML_PLAIN,
	LB_YAML_SINGLE_QUOTED,
	LB_YAML_DOUBLE_QUOTED,
	LB_YAML_LITERAL,
	LB_YAML_FOLDED
};

struct lb_yaml_node {
	enum lb_yaml_kind kind;
	enum lb_yaml_style style;    /* of a scalar */
	uint32_t line, column;       /* from 1, columns in code points; see above */
	struct lb_bytes tag;         /* "tag:yaml.org,2002:str" or empty */
	struct lb_bytes text;        /* of a scalar, UTF-8 */
	struct lb_yaml_node **items; /* of a sequence; of a mapping key, value, key, value, ... */
	uint32_t count;              /* items; of a mapping twice its pairs */
	bool aliased;                /* reached through an alias at least once */
};

enum { LB_YAML_BYTES_MAX = 1 << 30, LB_YAML_DEPTH_MAX = 1000 };

struct lb_yaml_limits {      /* zero: the default; more than the most is the most */
	size_t bytes_max;    /* 1 MiB; LB_YAML_BYTES_MAX at most */
	uint32_t depth_max;  /* 50; LB_YAML_DEPTH_MAX at most, for reading is recursive */
	uint32_t events_max; /* 1,000,000, aliases expanded */
};

/* The first document; *out is NULL for an empty one, and on failure.  Nothing in it points into
 * `text`.  MALFORMED or LIMIT with the line as context and "line L, column C: ..." in the
 * diagnostic (a text that is too long has no place); NOMEM.  A second document is MALFORMED. */
lb_err lb_yaml_read(struct lb_yaml_node **out, struct lb_arena *arena, struct lb_bytes text,
                    const struct lb_yaml_limits *limits, struct lb_diag *diag);

/* The value of the first such key of a mapping; NULL where there is none, or no mapping. */
const struct lb_yaml_node *lb_yaml_find(const struct lb_yaml_node *mapping, const char *key);

#endif
