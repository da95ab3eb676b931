/* support.h - what the tests of workflows/ share. */
#ifndef LB_TESTS_WORKFLOWS_SUPPORT_H
#define LB_TESTS_WORKFLOWS_SUPPORT_H

#include "tests/harness/test.h"

#include "base/value.h"

/* A whole file, in the arena; at == NULL where it cannot be read. */
struct lb_bytes support_file(struct lb_arena *arena, const char *path);

/* Names of the files in a folder that end so, sorted; in the arena. */
const char **support_list(size_t *count, struct lb_arena *arena, const char *folder,
                          const char *ending);

/* "a/b/c" from formats, in the arena. */
const char *support_path(struct lb_arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A value from JSON written with ' for ". */
const struct lb_value *support_json(struct lb_arena *arena, const char *json);

/* Compact JSON of a value, in the arena. */
const char *support_text(struct lb_arena *arena, const struct lb_value *value);

/* A temporary file with each text as a JSON string, a line each; removed by the caller.  NULL: it
 * cannot be written. */
const char *support_texts(struct lb_arena *arena, const struct lb_bytes *texts, size_t count);

#endif
