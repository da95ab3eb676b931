/* value.c - see value.h.
 *
 * An object with few members is searched one by one.  From LB_VALUE_INDEXED_MIN members on, the
 * block that holds the members also holds an index behind them: twice as many slots, each 0 or the
 * number of a member plus one, probed one after the other.  It is hashed without regard to
 * case, so that one index serves both ways of searching; of several keys that differ in case
 * only, the one that came first is met first.
 */
#include "base/value.h"

#include "base/text.h"

#include <math.h>

enum { FIRST_CAPACITY = 4, COUNT_MAX = 1 << 30 };

static_assert((LB_VALUE_INDEXED_MIN & (LB_VALUE_INDEXED_MIN - 1)) == 0 &&
                      LB_VALUE_INDEXED_MIN % FIRST_CAPACITY == 0,
              "capacities double, so those with an index are powers of two");
static_assert(_Alignof(struct lb_member) >= _Alignof(uint32_t), "slots stand behind members");

/* What builders return when memory ran out.  In read-only memory, so that writing to it, which
 * would change it for all, does not go unnoticed. */
static const struct lb_value shared_null = { .kind = LB_NULL };

static struct lb_value *value_of(struct lb_arena *arena, struct lb_value value)
{
	struct lb_value *fresh = LB_ARENA_NEW(arena, struct lb_value, 1);

	if (fresh == NULL)
		return (struct lb_value *)(uintptr_t)&shared_null;
	*fresh = value;
	return fresh;
}

struct lb_value *lb_value_null(struct lb_arena *arena)
{
	return value_of(arena, (struct lb_value){ .kind = LB_NULL });
}

struct lb_value *lb_value_bool(struct lb_arena *arena, bool boolean)
{
	return value_of(arena, (struct lb_value){ .kind = LB_BOOL, .boolean = boolean });
}

struct lb_value *lb_value_number(struct lb_arena *arena, double number)
{
	return value_of(arena, (struct lb_value){ .kind = LB_NUMBER, .number = number });
}

struct lb_value *lb_value_string(struct lb_arena *arena, struct lb_bytes text)
{
	struct lb_bytes copy = lb_arena_bytes(arena, text);

	return value_of(arena, (struct lb_value){ .kind = LB_STRING, .string = copy });
}

struct lb_value *lb_value_text(struct lb_arena *arena, const char *text)
{
	return lb_value_string(arena, lb_bytes_of(text));
}

struct lb_value *lb_value_array(struct lb_arena *arena)
{
	return value_of(arena, (struct lb_value){ .kind = LB_ARRAY });
}

struct lb_value *lb_value_object(struct lb_arena *arena)
{
	return value_of(arena, (struct lb_value){ .kind = LB_OBJECT });
}

/* The power of two that follows; 0 and a failed arena at the maximum. */
static uint32_t next_capacity(struct lb_arena *arena, const struct lb_value *value)
{
	uint32_t capacity = FIRST_CAPACITY;

	if (value->capacity >= COUNT_MAX) {
		arena->failed = true;
		return 0;
	}
	while (capacity <= value->capacity)
		capacity *= 2;
	return capacity;
}

void lb_value_add(struct lb_arena *arena, struct lb_value *array, struct lb_value *item)
{
	if (arena->failed)
		return;
	assert(array->kind == LB_ARRAY);
	if (array->count == array->capacity) {
		uint32_t capacity = next_capacity(arena, array);
		struct lb_value **items = LB_ARENA_NEW(arena, struct lb_value *, capacity);

		if (arena->failed)
			return;
		if (array->count > 0)
			memcpy(items, array->items, array->count * sizeof *items);
		array->items = items;
		array->capacity = capacity;
	}
	array->items[array->count++] = item;
}

/* ---- members ---- */

static bool is_indexed(const struct lb_value *object)
{
	return object->capacity >= LB_VALUE_INDEXED_MIN;
}

static uint32_t *slots_of(const struct lb_value *object)
{
	return (uint32_t *)(void *)(object->members + object->capacity);
}

typedef bool same_key(struct lb_bytes a, struct lb_bytes b);

/* The slot that names the key, or the free one where the probe for it ended. */
static uint32_t *slot_of(const struct lb_value *object, struct lb_bytes key, same_key *same)
{
	uint32_t *slots = slots_of(object);
	size_t mask = (size_t)object->capacity * 2 - 1;
	size_t at = (size_t)lb_bytes_hash_nocase(key) & mask;

	while (slots[at] != 0 && !same(object->members[slots[at] - 1].key, key))
		at = (at + 1) & mask;
	return &slots[at];
}

static struct lb_member *member_of(const struct lb_value *object, struct lb_bytes key,
                                   same_key *same)
{
	if (is_indexed(object)) {
		uint32_t *slot = slot_of(object, key, same);

		return *slot != 0 ? &object->members[*slot - 1] : NULL;
	}
	for (uint32_t i = 0; i < object->count; i++) {
		if (same(object->members[i].key, key))
			return &object->members[i];
	}
	return NULL;
}

/* A larger block, its index built anew in the order of the members. */
static void grow_members(struct lb_arena *arena, struct lb_value *object)
{
	uint32_t capacity = next_capacity(arena, object);
	size_t slot_bytes =
		capacity >= LB_VALUE_INDEXED_MIN ? (size_t)capacity * 2 * sizeof(uint32_t) : 0;
	struct lb_member *members =
		lb_arena_alloc(arena, capacity * sizeof *members + slot_bytes, 1);

	if (arena->failed)
		return;
	if (object->count > 0)
		memcpy(members, object->members, object->count * sizeof *members);
	object->members = members;
	object->capacity = capacity;
	for (uint32_t i = 0; is_indexed(object) && i < object->count; i++)
		*slot_of(object, members[i].key, lb_bytes_eq) = i + 1;
}

/* Put or replace with a key that lives as long as the arena. */
static void set_borrowed(struct lb_arena *arena, struct lb_value *object, struct lb_bytes key,
                         struct lb_value *value)
{
	struct lb_member *member = member_of(object, key, lb_bytes_eq);

	if (member != NULL) {
		member->value = value;
		return;
	}
	if (object->count == object->capacity)
		grow_members(arena, object);
	if (arena->failed)
		return;
	if (is_indexed(object))
		*slot_of(object, key, lb_bytes_eq) = object->count + 1;
	object->members[object->count++] = (struct lb_member){ key, value };
}

void lb_value_set(struct lb_arena *arena, struct lb_value *object, struct lb_bytes key,
                  struct lb_value *value)
{
	struct lb_bytes copy = lb_arena_bytes(arena, key);

	if (arena->failed)
		return;
	assert(object->kind == LB_OBJECT);
	set_borrowed(arena, object, copy, value);
}

void lb_value_put(struct lb_arena *arena, struct lb_value *object, const char *key,
                  struct lb_value *value)
{
	lb_value_set(arena, object, lb_bytes_of(key), value);
}

void lb_value_set_text(struct lb_arena *arena, struct lb_value *object, const char *key,
                       const char *text)
{
	lb_value_put(arena, object, key, lb_value_text(arena, text));
}

void lb_value_set_string(struct lb_arena *arena, struct lb_value *object, const char *key,
                         struct lb_bytes text)
{
	lb_value_put(arena, object, key, lb_value_string(arena, text));
}

void lb_value_set_number(struct lb_arena *arena, struct lb_value *object, const char *key,
                         double number)
{
	lb_value_put(arena, object, key, lb_value_number(arena, number));
}

void lb_value_set_bool(struct lb_arena *arena, struct lb_value *object, const char *key,
                       bool boolean)
{
	lb_value_put(arena, object, key, lb_value_bool(arena, boolean));
}

static struct lb_value *copy_at(struct lb_arena *arena, const struct lb_value *value,
                                unsigned depth)
{
	struct lb_value *copy;

	if (depth >= LB_VALUE_DEPTH_MAX)
		arena->failed = true;
	if (value == NULL || arena->failed)
		return lb_value_null(arena);
	if (value->kind == LB_STRING)
		return lb_value_string(arena, value->string);
	copy = value_of(arena, *value);
	if (arena->failed || (value->kind != LB_ARRAY && value->kind != LB_OBJECT))
		return copy;
	*copy = (struct lb_value){ .kind = value->kind };
	for (uint32_t i = 0; i < value->count && !arena->failed; i++) {
		if (value->kind == LB_ARRAY)
			lb_value_add(arena, copy, copy_at(arena, value->items[i], depth + 1));
		else
			lb_value_set(arena, copy, value->members[i].key,
			             copy_at(arena, value->members[i].value, depth + 1));
	}
	return copy;
}

struct lb_value *lb_value_copy(struct lb_arena *arena, const struct lb_value *value)
{
	return copy_at(arena, value, 0);
}

/* ---- reading ---- */

static const struct lb_value *find(const struct lb_value *object, struct lb_bytes key,
                                   same_key *same)
{
	const struct lb_member *member = NULL;

	if (object != NULL && object->kind == LB_OBJECT)
		member = member_of(object, key, same);
	return member != NULL ? member->value : NULL;
}

const struct lb_value *lb_value_find(const struct lb_value *object, struct lb_bytes key)
{
	return find(object, key, lb_bytes_eq);
}

const struct lb_value *lb_value_find_nocase(const struct lb_value *object, struct lb_bytes key)
{
	return find(object, key, lb_bytes_eq_nocase);
}

const struct lb_value *lb_value_get(const struct lb_value *object, const char *key)
{
	return lb_value_find(object, lb_bytes_of(key));
}

struct lb_bytes lb_value_get_string(const struct lb_value *object, const char *key)
{
	const struct lb_value *value = lb_value_get(object, key);

	return value != NULL && value->kind == LB_STRING ? value->string : (struct lb_bytes){ 0 };
}

double lb_value_get_number(const struct lb_value *object, const char *key)
{
	const struct lb_value *value = lb_value_get(object, key);

	return value != NULL && value->kind == LB_NUMBER ? value->number : 0;
}

bool lb_value_get_bool(const struct lb_value *object, const char *key)
{
	const struct lb_value *value = lb_value_get(object, key);

	return value != NULL && value->kind == LB_BOOL && value->boolean;
}

static bool same_number(double a, double b) { return a <= b && a >= b; }

lb_err lb_value_get_u64(uint64_t *out, const struct lb_value *object, const char *key)
{
	static const double whole_max =
		9007199254740992.0; /* 2^53: whole numbers are exact up to it */
	const struct lb_value *value = lb_value_get(object, key);

	*out = 0;
	if (value == NULL)
		return lb_err_of(LB_E_NOTFOUND);
	if (value->kind != LB_NUMBER || !(value->number >= 0 && value->number <= whole_max) ||
	    !same_number((double)(uint64_t)value->number, value->number))
		return lb_err_of(LB_E_MALFORMED);
	*out = (uint64_t)value->number;
	return LB_OK;
}

static bool eq_at(const struct lb_value *a, const struct lb_value *b, unsigned depth);

static bool eq_parts(const struct lb_value *a, const struct lb_value *b, unsigned depth)
{
	if (a->count != b->count || depth >= LB_VALUE_DEPTH_MAX)
		return false;
	for (uint32_t i = 0; i < a->count; i++) {
		bool array = a->kind == LB_ARRAY;
		const struct lb_value *left = array ? a->items[i] : a->members[i].value;
		const struct lb_value *right =
			array ? b->items[i] : lb_value_find(b, a->members[i].key);

		if (!eq_at(left, right, depth + 1))
			return false;
	}
	return true;
}

static bool eq_at(const struct lb_value *a, const struct lb_value *b, unsigned depth)
{
	if (a == NULL || b == NULL)
		return a == b;
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case LB_NULL: return true;
	case LB_BOOL: return a->boolean == b->boolean;
	case LB_NUMBER: return same_number(a->number, b->number);
	case LB_STRING: return lb_bytes_eq(a->string, b->string);
	case LB_ARRAY:
	case LB_OBJECT: return eq_parts(a, b, depth);
	}
	return false;
}

bool lb_value_eq(const struct lb_value *a, const struct lb_value *b) { return eq_at(a, b, 0); }

/* ---- writing ---- */

static void break_line(struct lb_buf *out, unsigned depth)
{
	lb_buf_add_byte(out, '\n');
	for (unsigned i = 0; i < depth; i++)
		lb_buf_add_text(out, "  ");
}

static void write_at(struct lb_buf *out, const struct lb_value *value, bool pretty, unsigned depth);

static void write_parts(struct lb_buf *out, const struct lb_value *value, bool pretty,
                        unsigned depth)
{
	bool array = value->kind == LB_ARRAY;

	if (depth >= LB_VALUE_DEPTH_MAX && !lb_failed(out->failure))
		out->failure = lb_err_at(LB_E_LIMIT, LB_VALUE_DEPTH_MAX);
	lb_buf_add_byte(out, array ? '[' : '{');
	for (uint32_t i = 0; i < value->count && !lb_failed(out->failure); i++) {
		if (i > 0)
			lb_buf_add_byte(out, ',');
		if (pretty)
			break_line(out, depth + 1);
		if (!array) {
			lb_json_string_add(out, value->members[i].key);
			lb_buf_add_text(out, pretty ? ": " : ":");
		}
		write_at(out, array ? value->items[i] : value->members[i].value, pretty, depth + 1);
	}
	if (pretty && value->count > 0)
		break_line(out, depth);
	lb_buf_add_byte(out, array ? ']' : '}');
}

static void write_at(struct lb_buf *out, const struct lb_value *value, bool pretty, unsigned depth)
{
	switch (value != NULL ? value->kind : LB_NULL) {
	case LB_NULL: lb_buf_add_text(out, "null"); break;
	case LB_BOOL: lb_buf_add_text(out, value->boolean ? "true" : "false"); break;
	case LB_NUMBER:
		if (isfinite(value->number))
			lb_number_add(out, value->number);
		else
			lb_buf_add_text(
				out, "null"); /* as JavaScript writes it: JSON has no such number */
		break;
	case LB_STRING: lb_json_string_add(out, value->string); break;
	case LB_ARRAY:
	case LB_OBJECT: write_parts(out, value, pretty, depth); break;
	}
}

void lb_value_write(struct lb_buf *out, const struct lb_value *value, bool pretty)
{
	write_at(out, value, pretty, 0);
}
