/* value.h - a value as JSON has it: null, boolean, number, string, array, object.
 *
 * The common currency of JSON documents, YAML data, expression contexts and the
 * wire protocols.  All values live in an arena and are freed with it; strings
 * are borrowed from the arena (or from what the caller says outlives it).
 * Builders are sticky: after memory ran out they return a shared null value
 * (read-only; adding to it does nothing), and `arena->failed` says so; check it
 * once at the end.  Adding to a value of the wrong kind is a programmer's error.
 * Objects keep the order of insertion; a repeated key replaces.
 * Threads: immutable values may be shared; building is for one at a time.
 */
#ifndef LB_BASE_VALUE_H
#define LB_BASE_VALUE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"

/* What is nested deeper can be built and searched, but not copied (the arena fails), written
 * (the buffer fails with LIMIT) or found equal. */
enum { LB_VALUE_DEPTH_MAX = 512 };

enum { LB_VALUE_INDEXED_MIN = 32 };

enum lb_kind { LB_NULL, LB_BOOL, LB_NUMBER, LB_STRING, LB_ARRAY, LB_OBJECT };

struct lb_member;

struct lb_value {
	enum lb_kind kind;
	uint32_t count, capacity; /* of items or members */
	union {
		bool boolean;
		double number;
		struct lb_bytes string;
		struct lb_value **items;
		struct lb_member *members; /* from LB_VALUE_INDEXED_MIN on made by lb_value_set
		                            * alone: an index follows them */
	};
};

struct lb_member {
	struct lb_bytes key;
	struct lb_value *value;
};

/* ---- building ---- */

struct lb_value *lb_value_null(struct lb_arena *arena);
struct lb_value *lb_value_bool(struct lb_arena *arena, bool boolean);
struct lb_value *lb_value_number(struct lb_arena *arena, double number);
struct lb_value *lb_value_string(struct lb_arena *arena, struct lb_bytes text); /* copied */
struct lb_value *lb_value_text(struct lb_arena *arena, const char *text);       /* copied */
struct lb_value *lb_value_array(struct lb_arena *arena);
struct lb_value *lb_value_object(struct lb_arena *arena);

void lb_value_add(struct lb_arena *arena, struct lb_value *array, struct lb_value *item);
void lb_value_set(struct lb_arena *arena, struct lb_value *object, struct lb_bytes key,
                  struct lb_value *value); /* the key is copied */

/* Short forms for the most common members. */
void lb_value_set_text(struct lb_arena *arena, struct lb_value *object, const char *key,
                       const char *text);
void lb_value_set_string(struct lb_arena *arena, struct lb_value *object, const char *key,
                         struct lb_bytes text);
void lb_value_set_number(struct lb_arena *arena, struct lb_value *object, const char *key,
                         double number);
void lb_value_set_bool(struct lb_arena *arena, struct lb_value *object, const char *key,
                       bool boolean);
void lb_value_put(struct lb_arena *arena, struct lb_value *object, const char *key,
                  struct lb_value *value);

/* A deep copy into another arena. */
struct lb_value *lb_value_copy(struct lb_arena *arena, const struct lb_value *value);

/* ---- reading ---- (all accept NULL and the wrong kind: NULL, false, 0, empty) */

const struct lb_value *lb_value_find(const struct lb_value *object, struct lb_bytes key);
const struct lb_value *lb_value_find_nocase(const struct lb_value *object,
                                            struct lb_bytes key); /* ASCII */
const struct lb_value *lb_value_get(const struct lb_value *object, const char *key);
struct lb_bytes lb_value_get_string(const struct lb_value *object, const char *key);
double lb_value_get_number(const struct lb_value *object, const char *key);
bool lb_value_get_bool(const struct lb_value *object, const char *key);

/* A member that is a whole number from 0 to 2^53; NOTFOUND or MALFORMED otherwise. */
lb_err lb_value_get_u64(uint64_t *out, const struct lb_value *object, const char *key);

/* Kind and content; numbers by value, objects whatever the order. */
bool lb_value_eq(const struct lb_value *a, const struct lb_value *b);

/* ---- as JSON (RFC 8259) ---- pretty: two blanks an indentation, as GitHub's toJSON writes it */

void lb_value_write(struct lb_buf *out, const struct lb_value *value, bool pretty);

#endif
