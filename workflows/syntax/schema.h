/* schema.h - the schema as a table, and the reader that goes by it.  For workflows/ alone. */
#ifndef WORKFLOWS_SYNTAX_SCHEMA_H
#define WORKFLOWS_SYNTAX_SCHEMA_H

#include "workflows/expression/text.h"
#include "workflows/syntax/workflow.h"

#include "base/data/yaml.h"
#include "base/vec.h"

enum schema_id {
	SCHEMA_NONE,
#define SCALAR(id, ...) SCHEMA_##id,
#define FILLED(id, ...) SCHEMA_##id,
#define WORDS(id, ...) SCHEMA_##id,
#define ONE_OF(id, ...) SCHEMA_##id,
#define LIST(id, ...) SCHEMA_##id,
#define DICTIONARY(id, ...) SCHEMA_##id,
#define RECORD(id, ...) SCHEMA_##id,
#define OPEN_RECORD(id, ...) SCHEMA_##id,
#define MATRIX(id, ...) SCHEMA_##id,
#include "workflows/syntax/schema.def"
#undef SCALAR
#undef FILLED
#undef WORDS
#undef ONE_OF
#undef LIST
#undef DICTIONARY
#undef RECORD
#undef OPEN_RECORD
#undef MATRIX
	/* those whose entries come from other tables */
	SCHEMA_event_name,
	SCHEMA_on_mapping,
	SCHEMA_permissions_mapping,
	SCHEMA_COUNT
};

enum schema_kind {
	SCHEMA_NULL,
	SCHEMA_BOOLEAN,
	SCHEMA_NUMBER,
	SCHEMA_STRING, /* `filled`: not empty; `words`: one of these */
	SCHEMA_LIST,
	SCHEMA_MAPPING,
	SCHEMA_ONE_OF
};

struct schema_key {
	struct lb_bytes name; /* at == NULL ends */
	enum schema_id value;
	bool required;
	bool shy; /* errors do not propose it */
};

struct schema {
	enum schema_kind kind;
	bool filled;
	bool open;                     /* a mapping that lets other keys through */
	uint32_t contexts, calls;      /* for expressions; added to what the surroundings allow */
	const char *const *words;      /* NULL: any; ends with NULL */
	const enum schema_id *members; /* of ONE_OF, ends with SCHEMA_NONE; of a list its item */
	const struct schema_key *keys; /* of a mapping; NULL: none */
	enum schema_id key, value;     /* of a mapping for keys not in `keys`; 0: there are none */
};

extern const struct schema workflow_schema[SCHEMA_COUNT];

/* ---- problems ---- */

struct problems {
	struct lb_arena *arena;
	struct lb_vec found; /* struct workflow_problem */
	size_t errors;       /* of these no mere warnings */
};

void workflow_problems_init(struct problems *problems, struct lb_arena *arena);
void workflow_problems_release(struct problems *problems);

/* Note a problem at a token's place; `at` NULL: of the file as a whole. */
void workflow_problem(struct problems *problems, const struct workflow_token *at,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));
void workflow_warning(struct problems *problems, const struct workflow_token *at,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The list in the arena; NOMEM if any of it was lost. */
lb_err workflow_problems_take(const struct workflow_problem **out, uint32_t *count,
                              struct problems *problems);

/* The first error as prose with its place, and the error to return. */
lb_err workflow_problems_first(const struct workflow_problem *problems, uint32_t count,
                               const char *file_name, struct lb_diag *diag);

/* ---- reading ---- */

struct reader_limits {
	size_t bytes_max; /* of the file */
	uint32_t depth_max;
	size_t result_bytes_max; /* aliases expanded, by GitHub's measure */
};

/* Read a file by the schema.  Everything wrong with it becomes a problem; *out is NULL where there
 * is nothing to look at.  *result_bytes (NULL is fine): what the result comes to.  `limits` NULL:
 * GitHub's.  NOMEM alone fails. */
lb_err workflow_read_tokens(const struct workflow_token **out, size_t *result_bytes,
                            struct lb_arena *arena, struct lb_bytes source, enum schema_id root,
                            const struct reader_limits *limits, struct problems *problems);

/* workflow_check with limits of one's own. */
lb_err workflow_check_within(struct workflow **out, struct lb_mem *mem, struct lb_bytes source,
                             const char *file_name, const struct reader_limits *limits);

#endif
