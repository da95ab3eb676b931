/* value_test.c - values: building, searching, comparing, writing as JSON. */
#include "base/value.h"
#include "tests/harness/test.h"

#include <math.h>

static void check_written(struct test *t, const struct lb_value *value, bool pretty,
                          const char *want)
{
	struct lb_buf buf;

	lb_buf_init(&buf, t->mem, 1 << 20);
	lb_value_write(&buf, value, pretty);
	CHECK_OK(lb_buf_check(&buf));
	CHECK_TEXT(lb_buf_text(&buf), want);
	lb_buf_release(&buf);
}

/* {"name":"x","list":[1,true,null,"s"],"none":{},"empty":[],"n":2.5} */
static struct lb_value *sample(struct lb_arena *arena)
{
	struct lb_value *object = lb_value_object(arena), *list = lb_value_array(arena);

	lb_value_set_text(arena, object, "name", "x");
	lb_value_put(arena, object, "list", list);
	lb_value_add(arena, list, lb_value_number(arena, 1));
	lb_value_add(arena, list, lb_value_bool(arena, true));
	lb_value_add(arena, list, lb_value_null(arena));
	lb_value_add(arena, list, lb_value_text(arena, "s"));
	lb_value_put(arena, object, "none", lb_value_object(arena));
	lb_value_put(arena, object, "empty", lb_value_array(arena));
	lb_value_set_number(arena, object, "n", 2.5);
	return object;
}

TEST(value_is_written_compact_and_pretty)
{
	struct lb_arena arena;
	struct lb_value *value;

	lb_arena_init(&arena, t->mem);
	value = sample(&arena);
	check_written(
		t, value, false,
		"{\"name\":\"x\",\"list\":[1,true,null,\"s\"],\"none\":{},\"empty\":[],\"n\":2.5}");
	check_written(
		t, value, true,
		"{\n  \"name\": \"x\",\n  \"list\": [\n    1,\n    true,\n    null,\n    \"s\"\n"
		"  ],\n  \"none\": {},\n  \"empty\": [],\n  \"n\": 2.5\n}");
	check_written(t, NULL, true, "null");
	check_written(t, lb_value_number(&arena, (double)NAN), false, "null");
	lb_arena_release(&arena);
}

TEST(value_members_are_found_and_replaced)
{
	struct lb_arena arena;
	struct lb_value *object;
	uint64_t number;

	lb_arena_init(&arena, t->mem);
	object = sample(&arena);
	lb_value_set_string(&arena, object, "name", LB_B("y"));
	lb_value_set_bool(&arena, object, "yes", true);
	CHECK(object->count == 6);
	CHECK_BYTES(lb_value_get_string(object, "name"), "y");
	CHECK(lb_value_get_bool(object, "yes") && !lb_value_get_bool(object, "name"));
	CHECK(fabs(lb_value_get_number(object, "n") - 2.5) < 1e-9);
	CHECK(lb_value_get_string(object, "n").len == 0);
	CHECK(lb_value_find_nocase(object, LB_B("NaMe")) == lb_value_get(object, "name"));
	CHECK(lb_value_get(object, "NAME") == NULL && lb_value_get(NULL, "x") == NULL);
	CHECK(lb_value_get(lb_value_get(object, "list"), "x") == NULL);
	CHECK(lb_code_of(lb_value_get_u64(&number, object, "nothing")) == LB_E_NOTFOUND);
	CHECK(lb_code_of(lb_value_get_u64(&number, object, "n")) == LB_E_MALFORMED);
	CHECK(lb_code_of(lb_value_get_u64(&number, object, "name")) == LB_E_MALFORMED);
	lb_value_set_number(&arena, object, "n", -1);
	CHECK(lb_code_of(lb_value_get_u64(&number, object, "n")) == LB_E_MALFORMED);
	lb_value_set_number(&arena, object, "n", 9007199254740992.0);
	CHECK_OK(lb_value_get_u64(&number, object, "n"));
	CHECK(number == (uint64_t)1 << 53);
	lb_arena_release(&arena);
}

TEST(value_large_objects_are_searched_by_index)
{
	enum { MEMBERS = 100000 };
	struct lb_arena arena;
	struct lb_value *object;
	size_t wrong = 0;
	char key[16];

	lb_arena_init(&arena, t->mem);
	object = lb_value_object(&arena);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MEMBERS; i++) {
			(void)snprintf(key, sizeof key, "Key%d", i);
			lb_value_set_number(&arena, object, key, i + round);
		}
	}
	CHECK(object->count == MEMBERS && !arena.failed);
	for (int i = 0; i < MEMBERS; i++) {
		const struct lb_value *value;

		(void)snprintf(key, sizeof key, "Key%d", i);
		value = lb_value_get(object, key);
		wrong += value == NULL || (int)value->number != i + 1 ||
		         !lb_bytes_is(object->members[i].key, key);
		key[0] = 'k';
		wrong += lb_value_get(object, key) != NULL ||
		         lb_value_find_nocase(object, lb_bytes_of(key)) != value;
	}
	CHECK(wrong == 0);
	lb_arena_release(&arena);
}

TEST(value_keys_that_differ_in_case_are_two_and_the_first_is_met)
{
	struct lb_arena arena;
	struct lb_value *object;

	lb_arena_init(&arena, t->mem);
	object = lb_value_object(&arena);
	for (int i = 0; i < 200; i++)
		lb_value_put(&arena, object,
		             lb_arena_text(&arena, lb_arena_format(&arena, "%s%d",
		                                                   i % 2 == 0 ? "A" : "a", i / 2)),
		             lb_value_number(&arena, i));
	CHECK(object->count == 200);
	CHECK((int)lb_value_get_number(object, "a7") == 15);
	CHECK((int)lb_value_find_nocase(object, LB_B("a7"))->number == 14);
	lb_arena_release(&arena);
}

TEST(value_equality_is_by_content)
{
	struct lb_arena arena, other;
	struct lb_value *a, *b;

	lb_arena_init(&arena, t->mem);
	lb_arena_init(&other, t->mem);
	a = sample(&arena);
	b = lb_value_object(&arena);
	for (uint32_t i = a->count; i > 0; i--)
		lb_value_set(&arena, b, a->members[i - 1].key, a->members[i - 1].value);
	CHECK(lb_value_eq(a, b) && lb_value_eq(NULL, NULL) && !lb_value_eq(a, NULL));
	b = lb_value_copy(&other, a);
	CHECK(lb_value_eq(a, b) && b != a);
	lb_value_set_number(&other, b, "n", 2.25);
	CHECK(!lb_value_eq(a, b));
	lb_value_set_number(&other, b, "n", 2.5);
	lb_value_set_number(&other, b, "more", 1);
	CHECK(!lb_value_eq(a, b));
	CHECK(!lb_value_eq(lb_value_number(&arena, (double)NAN),
	                   lb_value_number(&arena, (double)NAN)));
	CHECK(!lb_value_eq(lb_value_null(&arena), lb_value_bool(&arena, false)));
	lb_arena_release(&arena);
	check_written(t, lb_value_get(b, "list"), false,
	              "[1,true,null,\"s\"]"); /* copies are whole */
	lb_arena_release(&other);
}

static struct lb_value *nested(struct lb_arena *arena, int depth)
{
	struct lb_value *value = lb_value_array(arena);

	for (int i = 1; i < depth; i++) {
		struct lb_value *outer = lb_value_array(arena);

		lb_value_add(arena, outer, value);
		value = outer;
	}
	return value;
}

TEST(value_depth_is_bounded)
{
	struct lb_arena arena;
	struct lb_buf buf;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&buf, t->mem, 1 << 20);
	lb_value_write(&buf, nested(&arena, LB_VALUE_DEPTH_MAX), false);
	CHECK(!lb_failed(lb_buf_check(&buf)) && buf.len == 2 * LB_VALUE_DEPTH_MAX);
	lb_buf_reset(&buf);
	lb_value_write(&buf, nested(&arena, 100000), true);
	CHECK(lb_code_of(lb_buf_check(&buf)) == LB_E_LIMIT);
	lb_buf_release(&buf);
	CHECK(lb_value_eq(nested(&arena, 512), nested(&arena, 512)));
	CHECK(!lb_value_eq(nested(&arena, 600), nested(&arena, 600)));
	(void)lb_value_copy(&arena, nested(&arena, 512));
	CHECK(!arena.failed);
	(void)lb_value_copy(&arena, nested(&arena, 600));
	CHECK(arena.failed);
	lb_arena_release(&arena);
}

TEST(value_builders_survive_every_oom)
{
	EACH_OOM (t) {
		struct lb_arena arena;
		struct lb_value *object;

		lb_arena_init(&arena, t->mem);
		object = sample(&arena);
		for (int i = 0; i < 300; i++)
			lb_value_set(&arena, object, lb_arena_format(&arena, "m%d", i),
			             lb_value_copy(&arena, lb_value_get(object, "list")));
		CHECK(arena.failed == t->heap.failed);
		if (!arena.failed)
			CHECK(object->count == 305);
		lb_arena_release(&arena);
	}
}
