/* map_test.c - hash tables: order, removal, a random run against a plain model. */
#include "base/map.h"
#include "tests/harness/test.h"

static int values[1000];

TEST(map_keeps_the_order_of_insertion)
{
	static const char *const keys[] = { "one", "two", "", "three" };
	struct lb_map map;

	lb_map_init(&map, t->mem);
	CHECK(lb_map_get(&map, LB_B("one")) == NULL && !lb_map_remove(&map, LB_B("one")));
	for (size_t i = 0; i < 4; i++)
		CHECK_OK(lb_map_put(&map, lb_bytes_of(keys[i]), &values[i]));
	CHECK_OK(lb_map_put(&map, LB_B("two"), &values[9]));
	CHECK(map.count == 4 && lb_map_get(&map, LB_B("two")) == &values[9]);
	CHECK(lb_map_get(&map, LB_B("")) == &values[2]);
	for (size_t i = 0; i < 4; i++)
		CHECK_BYTES(map.entries[i].key, keys[i]);
	CHECK(lb_map_remove(&map, LB_B("one")) && !lb_map_remove(&map, LB_B("one")));
	CHECK_BYTES(map.entries[0].key, "three"); /* the last one moved into the gap */
	CHECK(lb_map_get(&map, LB_B("three")) == &values[3]);
	lb_map_release(&map);
	CHECK(map.count == 0 && lb_map_get(&map, LB_B("two")) == NULL);
}

TEST(map_agrees_with_a_model)
{
	enum { KEYS = 300, STEPS = 20000 };
	static char keys[KEYS][8];
	int *model[KEYS] = { 0 };
	struct lb_map map;
	size_t wrong = 0, count = 0;

	for (int i = 0; i < KEYS; i++)
		(void)snprintf(keys[i], sizeof keys[i], "k%d", i);
	lb_map_init(&map, t->mem);
	for (int step = 0; step < STEPS; step++) {
		size_t i = test_random(t) % KEYS;
		struct lb_bytes key = lb_bytes_of(keys[i]);

		if (test_random(t) % 2 == 0) {
			int *value = &values[test_random(t) % 1000];

			CHECK_OK(lb_map_put(&map, key, value));
			count += model[i] == NULL;
			model[i] = value;
		} else {
			wrong += lb_map_remove(&map, key) != (model[i] != NULL);
			count -= model[i] != NULL;
			model[i] = NULL;
		}
		i = test_random(t) % KEYS;
		wrong += lb_map_get(&map, lb_bytes_of(keys[i])) != model[i] || map.count != count;
	}
	CHECK(wrong == 0);
	lb_map_release(&map);
}

TEST(map_put_leaves_the_map_as_it_was_without_memory)
{
	EACH_OOM (t) {
		static char keys[40][4];
		struct lb_map map;
		size_t put = 0;

		lb_map_init(&map, t->mem);
		for (size_t i = 0; i < 40; i++) {
			(void)snprintf(keys[i], sizeof keys[i], "%zu", i % 100);
			put += !lb_failed(lb_map_put(&map, lb_bytes_of(keys[i]), &values[i]));
		}
		CHECK(put == map.count && put + t->heap.failed == 40);
		for (size_t i = 0; i < map.count; i++)
			CHECK(lb_map_get(&map, map.entries[i].key) == map.entries[i].value);
		lb_map_release(&map);
	}
}

TEST(hashes_follow_equality)
{
	struct lb_bytes long_key = LB_LIT("Abcdefgh[@`{Z-9\xc1 zZ");

	CHECK(lb_bytes_hash_nocase(long_key) ==
	      lb_bytes_hash_nocase(LB_B("aBCDEFGH[@`{z-9\xc1 ZZ")));
	CHECK(lb_bytes_hash_nocase(long_key) !=
	      lb_bytes_hash_nocase(LB_B("aBCDEFGH[@`{z-9\xe1 ZZ")));
	CHECK(lb_bytes_hash(LB_B("a")) != lb_bytes_hash(LB_B("A")));
	CHECK(lb_bytes_hash(LB_B("")) != lb_bytes_hash(LB_B("\0")));
	CHECK(lb_bytes_hash_nocase(LB_B("@")) != lb_bytes_hash_nocase(LB_B("`")));
}
