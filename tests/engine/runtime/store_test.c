/* store_test.c - memories, tables and globals as an embedder has them. */
#include "tests/engine/wasm.h"

static struct engine_store *store_of(struct test *t, bool small)
{
	const struct engine_store_options options = { .small_reservations = small,
		                                      .stack_slots_max = 1000,
		                                      .call_depth_max = 100,
		                                      .memory_pages_max = 5,
		                                      .table_elements_max = 50 };
	struct engine_store *store;

	CHECK_OK(engine_store_new(&store, t->mem, &options));
	return store;
}

TEST(memories_grow_to_their_limits_and_keep_their_bytes)
{
	for (int small = 0; small < 2; small++) {
		struct engine_store *store = store_of(t, small != 0);
		const struct engine_memory_type type = {
			.limits = { .min = 1, .max = 3, .has_max = true }
		};
		struct engine_memory *memory;
		uint64_t before = 99;

		CHECK_OK(engine_memory_new(&memory, store, &type));
		CHECK(engine_memory_size(memory) == ENGINE_PAGE_SIZE);
		CHECK(engine_memory_at(memory, 65535, 1) != NULL);
		CHECK(engine_memory_at(memory, 65536, 0) != NULL);
		CHECK(engine_memory_at(memory, 65536, 1) == NULL);
		CHECK(engine_memory_at(memory, UINT64_MAX, 2) == NULL);
		engine_memory_base(memory)[65535] = 7;
		CHECK_OK(engine_memory_grow(&before, memory, 2));
		CHECK(before == 1 && engine_memory_type(memory).limits.min == 3);
		CHECK(engine_memory_base(memory)[65535] == 7);
		CHECK(engine_memory_base(memory)[3 * 65536 - 1] == 0);
		CHECK(lb_code_of(engine_memory_grow(&before, memory, 1)) == LB_E_LIMIT);
		CHECK(lb_code_of(engine_memory_grow(&before, memory, UINT64_MAX)) == LB_E_LIMIT);
		CHECK_OK(engine_memory_grow(NULL, memory, 0));
		engine_store_free(store);
	}
}

TEST(the_store_bounds_memories_and_tables)
{
	struct engine_store *store = store_of(t, false);
	const struct engine_memory_type unbounded = { .limits = { .min = 5 } },
					wide = { .limits = { .min = 6 } };
	const struct engine_table_type many = { ENGINE_FUNCREF, { .min = 51 } };
	const union engine_value null = { .i64 = 0 };
	struct engine_memory *memory;
	struct engine_table *table;

	CHECK_OK(engine_memory_new(&memory, store, &unbounded));
	CHECK(lb_code_of(engine_memory_grow(NULL, memory, 1)) == LB_E_LIMIT);
	CHECK(lb_code_of(engine_memory_new(&memory, store, &wide)) == LB_E_LIMIT);
	CHECK(lb_code_of(engine_table_new(&table, store, &many, null)) == LB_E_LIMIT);
	engine_store_free(store);
}

TEST(tables_hold_references)
{
	struct engine_store *store = store_of(t, false);
	const struct engine_table_type type = { ENGINE_EXTERNREF,
		                                { .min = 2, .max = 4, .has_max = true } };
	union engine_value value = { .foreign = t }, got = { .i64 = 1 };
	struct engine_table *table;
	uint64_t before = 99;

	CHECK_OK(engine_table_new(&table, store, &type, value));
	CHECK(engine_table_size(table) == 2 && engine_table_type(table).limits.max == 4);
	CHECK_OK(engine_table_get(&got, table, 1));
	CHECK(got.foreign == t);
	value.foreign = NULL;
	CHECK_OK(engine_table_set(table, 1, value));
	CHECK_OK(engine_table_get(&got, table, 1));
	CHECK(got.foreign == NULL);
	CHECK(lb_code_of(engine_table_get(&got, table, 2)) == LB_E_RANGE);
	CHECK(lb_code_of(engine_table_set(table, 2, value)) == LB_E_RANGE);
	CHECK_OK(engine_table_grow(&before, table, 2, value));
	CHECK(before == 2 && engine_table_size(table) == 4);
	CHECK(lb_code_of(engine_table_grow(&before, table, 1, value)) == LB_E_LIMIT);
	engine_store_free(store);
}

TEST(globals_keep_their_type_and_mutability)
{
	struct engine_store *store = store_of(t, false);
	const struct engine_global_type type = { ENGINE_F32, true }, fixed = { ENGINE_I64, false };
	struct engine_global *global;
	union engine_value value = { .f32 = 1.5f };

	CHECK_OK(engine_global_new(&global, store, &type, value));
	value.f32 = 2.5f;
	CHECK_OK(engine_global_set(global, value));
	CHECK(engine_global_get(global).f32_bits == 0x40200000);
	CHECK(engine_global_type(global).content == ENGINE_F32);
	value.i64 = UINT64_MAX;
	CHECK_OK(engine_global_new(&global, store, &fixed, value));
	CHECK(engine_global_get(global).i64 == UINT64_MAX);
	CHECK(lb_code_of(engine_global_set(global, value)) == LB_E_DENIED);
	engine_store_free(store);
}

/* Everything an embedder can make, and growing it. */
static lb_err make_all(struct engine_store **store, struct lb_mem *mem)
{
	const struct engine_store_options options = { .small_reservations = true,
		                                      .stack_slots_max = 100,
		                                      .call_depth_max = 10 };
	const engine_type types[] = { ENGINE_I32, ENGINE_F64 };
	const struct engine_func_type func_type = { types, types + 1, 1, 1 };
	const struct engine_memory_type memory_type = {
		.limits = { .min = 1, .max = 2, .has_max = true }
	};
	const struct engine_table_type table_type = { ENGINE_FUNCREF,
		                                      { .min = 1, .max = 9, .has_max = true } };
	const struct engine_global_type global_type = { ENGINE_I32, true };
	const union engine_value null = { .i64 = 0 };
	struct engine_func *func;
	struct engine_memory *memory;
	struct engine_table *table;
	struct engine_global *global;

	LB_TRY(engine_store_new(store, mem, &options));
	LB_TRY(engine_func_new(&func, *store, &func_type, NULL, NULL));
	LB_TRY(engine_memory_new(&memory, *store, &memory_type));
	LB_TRY(engine_memory_grow(NULL, memory, 1));
	LB_TRY(engine_table_new(&table, *store, &table_type, null));
	LB_TRY(engine_table_grow(NULL, table, 8, null));
	return engine_global_new(&global, *store, &global_type, null);
}

TEST(stores_survive_every_oom)
{
	EACH_OOM (t) {
		struct engine_store *store = NULL;
		lb_err err = make_all(&store, t->mem);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		engine_store_free(store);
	}
}

/* ---- failing while running ---- */

TEST(growing_fails_with_minus_one_and_goes_on)
{
	const struct engine_store_options options = { .small_reservations = true,
		                                      .stack_slots_max = 100,
		                                      .call_depth_max = 10 };
	struct wasm w;

	wasm_init(&w);
	wasm_add(&w, WASM_MEMORY, LB_B("\x01\x01\x04"));
	wasm_add(&w, WASM_TABLE, LB_B("\x70\x01\x01\x08"));
	/* memory.grow(1) + 16 * table.grow(null, 1) */
	wasm_func(&w, wasm_type(&w, ":i"), 0,
	          (struct lb_bytes)
	                  LB_LIT("\x41\x01\x40\x00\xd0\x70\x41\x01\xfc\x0f\x00\x41\x10\x6c\x6a"));
	wasm_export(&w, "run", ENGINE_FUNC, 0);
	EACH_OOM (t) {
		struct wasm_run run;
		uint32_t result = 0;
		lb_err err = wasm_start(&run, t->mem, wasm_bytes(&w), &options);

		if (!lb_failed(err)) {
			bool before = t->heap.failed;

			CHECK_OK(wasm_call(&result, &run, "run", 0, 0));
			if (t->heap.failed && !before)
				CHECK(result == UINT32_MAX + 16 || result == 1u - 16);
			else
				CHECK(result == 1 + 16);
		}
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		wasm_stop(&run);
	}
	wasm_release(&w);
}
