/* capi_test.c - the standard C API: what its published examples show, ownership, and memory running
 * out. */
#include "engine/capi/engine.h"
#include "engine/capi/wasm.h"
#include "tests/engine/wasm.h"

#include <pthread.h>

#define BYTES(text) ((struct lb_bytes)LB_LIT(text))

/* ---- the module that all tests use ---- */

enum { RUN, PASS, TRAP_, PAIR, INDIRECT, MEMORY, TABLE, GLOBAL, EXPORTS };

static void import_func(struct wasm *w, const char *name, const char *signature)
{
	wasm_import_func(w, "env", name, wasm_type(w, signature));
}

static void full_module(struct wasm *w)
{
	uint32_t pair;

	wasm_init(w);
	import_func(w, "double", "i:i");
	import_func(w, "same", "x:x");
	wasm_func(w, 0, 0, BYTES("\x20\x00\x10\x00"));     /* run: double(x) */
	wasm_func(w, 1, 0, BYTES("\x20\x00\x10\x01"));     /* pass: same(x) */
	wasm_func(w, wasm_type(w, ":"), 0, BYTES("\x00")); /* trap */
	pair = wasm_type(w, "iIfF:FfIi");
	wasm_func(w, pair, 0, BYTES("\x20\x03\x20\x02\x20\x01\x20\x00")); /* pair: in reverse */
	wasm_func(w, 0, 0, BYTES("\x20\x00\x20\x00\x11\x00\x00")); /* indirect: table[x](x) */
	wasm_add(w, WASM_MEMORY, LB_B("\x01\x01\x03"));
	wasm_add(w, WASM_TABLE, LB_B("\x70\x01\x04\x08"));
	wasm_add(w, WASM_GLOBAL, LB_B("\x7f\x01\x41\x2a\x0b"));
	wasm_add(w, WASM_DATA, BYTES("\x00\x41\x00\x0b\x05hello"));
	wasm_add(w, WASM_ELEMENT, BYTES("\x00\x41\x00\x0b\x01\x02"));
	wasm_export(w, "run", ENGINE_FUNC, 2);
	wasm_export(w, "pass", ENGINE_FUNC, 3);
	wasm_export(w, "trap", ENGINE_FUNC, 4);
	wasm_export(w, "pair", ENGINE_FUNC, 5);
	wasm_export(w, "indirect", ENGINE_FUNC, 6);
	wasm_export(w, "memory", ENGINE_MEMORY, 0);
	wasm_export(w, "table", ENGINE_TABLE, 0);
	wasm_export(w, "global", ENGINE_GLOBAL, 0);
}

/* ---- a world with an instance of it ---- */

static int finalized;

static void count_end(void *info)
{
	(void)info;
	finalized++;
}

static wasm_trap_t *double_it(void *env, const wasm_val_vec_t *args, wasm_val_vec_t *results)
{
	if (args->data[0].of.i32 < 0) {
		wasm_trap_t *trap;
		wasm_name_t message;

		wasm_name_new_from_string_nt(&message, "less than nothing");
		trap = wasm_trap_new(*(wasm_store_t **)env, &message);
		wasm_name_delete(&message);
		return trap;
	}
	results->data[0].of.i32 = args->data[0].of.i32 * 2;
	return NULL;
}

static wasm_trap_t *same(const wasm_val_vec_t *args, wasm_val_vec_t *results)
{
	wasm_val_copy(&results->data[0], &args->data[0]);
	return NULL;
}

struct world {
	wasm_engine_t *engine;
	wasm_store_t *store;
	wasm_module_t *module;
	wasm_func_t *funcs[2];
	wasm_instance_t *instance;
	wasm_extern_vec_t exports;
};

static wasm_byte_vec_t vec_of(struct lb_bytes bytes)
{
	return (wasm_byte_vec_t){ bytes.len, (char *)(uintptr_t)bytes.at };
}

static wasm_func_t *host_func(struct world *w, wasm_functype_t *type, bool is_double)
{
	wasm_func_t *func = NULL;

	if (type != NULL)
		func = is_double ? wasm_func_new_with_env(w->store, type, double_it, &w->store,
		                                          count_end)
		                 : wasm_func_new(w->store, type, same);
	wasm_functype_delete(type);
	return func;
}

static wasm_instance_t *instantiate(struct world *w)
{
	wasm_extern_t *externs[2] = { wasm_func_as_extern(w->funcs[0]),
		                      wasm_func_as_extern(w->funcs[1]) };
	wasm_extern_vec_t imports = WASM_ARRAY_VEC(externs);

	return wasm_instance_new(w->store, w->module, &imports, NULL);
}

/* Whether all of it could be made; world_end in any case. */
static bool world_begin(struct world *w, struct lb_bytes bytes)
{
	const struct engine_store_options options = { .stack_slots_max = 1000,
		                                      .call_depth_max = 50,
		                                      .small_reservations = true };
	wasm_config_t *config = wasm_config_new();
	wasm_byte_vec_t binary = vec_of(bytes);

	*w = (struct world){ 0 };
	if (config == NULL)
		return false;
	engine_capi_config_store(config, &options);
	w->engine = wasm_engine_new_with_config(config);
	if (w->engine != NULL)
		w->store = wasm_store_new(w->engine);
	if (w->store == NULL)
		return false;
	w->module = wasm_module_new(w->store, &binary);
	w->funcs[0] =
		host_func(w, wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32()),
	                  true);
	w->funcs[1] = host_func(w,
	                        wasm_functype_new_1_1(wasm_valtype_new_externref(),
	                                              wasm_valtype_new_externref()),
	                        false);
	if (w->module == NULL || w->funcs[0] == NULL || w->funcs[1] == NULL)
		return false;
	w->instance = instantiate(w);
	if (w->instance != NULL)
		wasm_instance_exports(w->instance, &w->exports);
	return w->exports.size == EXPORTS;
}

static void world_end(struct world *w)
{
	wasm_extern_vec_delete(&w->exports);
	wasm_instance_delete(w->instance);
	wasm_func_delete(w->funcs[0]);
	wasm_func_delete(w->funcs[1]);
	wasm_module_delete(w->module);
	wasm_store_delete(w->store);
	wasm_engine_delete(w->engine);
}

static wasm_func_t *func_at(const struct world *w, size_t index)
{
	return wasm_extern_as_func(w->exports.data[index]);
}

/* Call with one i32 and take one; the trap, if it was one. */
static wasm_trap_t *call_i(const struct world *w, size_t index, int32_t in, int32_t *out)
{
	wasm_val_t arg[1] = { WASM_I32_VAL(in) }, result[1] = { WASM_INIT_VAL };
	wasm_val_vec_t args = WASM_ARRAY_VEC(arg), results = WASM_ARRAY_VEC(result);
	wasm_trap_t *trap = wasm_func_call(func_at(w, index), &args, &results);

	*out = result[0].of.i32;
	return trap;
}

/* clang-format off */
#define WITH_WORLD \
	struct wasm with_; \
	struct world w; \
\
	full_module(&with_); \
	if (!world_begin(&w, wasm_bytes(&with_))) { \
		t->failures++; \
		printf("# %s: the world could not be made\n", t->name); \
		return; \
	}
#define END_WORLD \
	world_end(&w); \
	wasm_release(&with_)
/* clang-format on */

static void check_message(struct test *t, wasm_trap_t *trap, const char *want)
{
	wasm_message_t message;

	CHECK(trap != NULL);
	if (trap == NULL)
		return;
	wasm_trap_message(trap, &message);
	CHECK(message.size > 0 && message.data[message.size - 1] == '\0');
	CHECK_TEXT(message.data, want);
	wasm_name_delete(&message);
	wasm_trap_delete(trap);
}

/* ---- what the published examples show ---- */

TEST(modules_and_hosts_call_each_other)
{
	int32_t out = 0;
	WITH_WORLD

	CHECK(call_i(&w, RUN, 21, &out) == NULL && out == 42);
	CHECK(call_i(&w, INDIRECT, 0, &out) == NULL && out == 0);
	CHECK(wasm_func_param_arity(func_at(&w, PAIR)) == 4);
	CHECK(wasm_func_result_arity(func_at(&w, PAIR)) == 4);
	END_WORLD;
}

TEST(many_values_keep_their_kinds)
{
	wasm_val_t arg[4] = { WASM_I32_VAL(1), WASM_I64_VAL(2), WASM_F32_VAL(3), WASM_F64_VAL(4) };
	wasm_val_t result[4] = { 0 };
	wasm_val_vec_t args = WASM_ARRAY_VEC(arg), results = WASM_ARRAY_VEC(result);
	WITH_WORLD

	CHECK(wasm_func_call(func_at(&w, PAIR), &args, &results) == NULL);
	CHECK(result[0].kind == WASM_F64 && result[0].of.f64 > 3.9);
	CHECK(result[1].kind == WASM_F32 && result[1].of.f32 > 2.9F);
	CHECK(result[2].kind == WASM_I64 && result[2].of.i64 == 2);
	CHECK(result[3].kind == WASM_I32 && result[3].of.i32 == 1);
	END_WORLD;
}

TEST(traps_say_why)
{
	int32_t out = 0;
	wasm_val_vec_t none = WASM_EMPTY_VEC;
	wasm_frame_vec_t frames;
	wasm_frame_t *origin;
	wasm_trap_t *trap;
	WITH_WORLD

	trap = wasm_func_call(func_at(&w, TRAP_), &none, &none);
	CHECK(trap != NULL &&
	      engine_trap_of(engine_capi_trap_cause(trap)) == ENGINE_TRAP_UNREACHABLE);
	wasm_trap_trace(trap, &frames);
	CHECK(frames.size == 1 && wasm_frame_func_index(frames.data[0]) == 4);
	CHECK(wasm_instance_same(wasm_frame_instance(frames.data[0]), w.instance));
	origin = wasm_trap_origin(trap);
	CHECK(origin != NULL && wasm_frame_func_index(origin) == 4);
	wasm_frame_delete(origin);
	wasm_frame_vec_delete(&frames);
	check_message(t, trap, "unreachable");
	check_message(t, call_i(&w, RUN, -1, &out), "less than nothing");
	CHECK(call_i(&w, RUN, 1, &out) == NULL && out == 2);
	END_WORLD;
}

TEST(wrong_arguments_are_traps)
{
	wasm_val_t arg[1] = { WASM_F64_VAL(1) }, result[1] = { WASM_INIT_VAL };
	wasm_val_vec_t args = WASM_ARRAY_VEC(arg), results = WASM_ARRAY_VEC(result);
	wasm_val_vec_t none = WASM_EMPTY_VEC;
	WITH_WORLD

	check_message(t, wasm_func_call(func_at(&w, RUN), &args, &results),
	              "argument of the wrong type, or of another store");
	check_message(t, wasm_func_call(func_at(&w, RUN), &none, &results),
	              "wrong number of arguments or results");
	check_message(t, wasm_func_call(func_at(&w, RUN), &args, &none),
	              "wrong number of arguments or results");
	END_WORLD;
}

TEST(what_a_module_takes_and_gives_is_told)
{
	wasm_importtype_vec_t imports, imports_copy;
	wasm_exporttype_vec_t exports, exports_copy;
	const wasm_externtype_t *type;
	WITH_WORLD

	wasm_module_imports(w.module, &imports);
	wasm_module_exports(w.module, &exports);
	wasm_importtype_vec_copy(&imports_copy, &imports);
	wasm_exporttype_vec_copy(&exports_copy, &exports);
	CHECK(imports_copy.size == 2 && exports_copy.size == EXPORTS);
	CHECK(memcmp(wasm_importtype_module(imports_copy.data[0])->data, "env", 3) == 0);
	CHECK(memcmp(wasm_importtype_name(imports_copy.data[1])->data, "same", 4) == 0);
	CHECK(wasm_externtype_kind(wasm_importtype_type(imports_copy.data[0])) == WASM_EXTERN_FUNC);
	type = wasm_exporttype_type(exports_copy.data[MEMORY]);
	CHECK(wasm_externtype_as_functype_const(type) == NULL);
	CHECK(wasm_memorytype_limits(wasm_externtype_as_memorytype_const(type))->max == 3);
	type = wasm_exporttype_type(exports_copy.data[GLOBAL]);
	CHECK(wasm_globaltype_mutability(wasm_externtype_as_globaltype_const(type)) == WASM_VAR);
	type = wasm_exporttype_type(exports_copy.data[TABLE]);
	CHECK(wasm_valtype_kind(wasm_tabletype_element(wasm_externtype_as_tabletype_const(type))) ==
	      WASM_FUNCREF);
	for (size_t i = 0; i < w.exports.size; i++) {
		wasm_externtype_t *own_type = wasm_extern_type(w.exports.data[i]);

		CHECK(wasm_externtype_kind(own_type) == wasm_extern_kind(w.exports.data[i]));
		wasm_externtype_delete(own_type);
	}
	wasm_importtype_vec_delete(&imports);
	wasm_importtype_vec_delete(&imports_copy);
	wasm_exporttype_vec_delete(&exports);
	wasm_exporttype_vec_delete(&exports_copy);
	END_WORLD;
}

TEST(globals_are_read_and_written)
{
	wasm_globaltype_t *type = wasm_globaltype_new(wasm_valtype_new_i64(), WASM_CONST);
	wasm_val_t value = WASM_I64_VAL(7), got, fresh = WASM_I32_VAL(43);
	wasm_global_t *global, *own;
	WITH_WORLD

	global = wasm_extern_as_global(w.exports.data[GLOBAL]);
	wasm_global_get(global, &got);
	CHECK(got.kind == WASM_I32 && got.of.i32 == 42);
	wasm_global_set(global, &fresh);
	wasm_global_set(global, &value); /* of another kind: nothing */
	wasm_global_get(global, &got);
	CHECK(got.of.i32 == 43);
	own = wasm_global_new(w.store, type, &value);
	CHECK(wasm_global_new(w.store, type, &fresh) == NULL);
	value.of.i64 = 8;
	wasm_global_set(own, &value); /* immutable: nothing */
	wasm_global_get(own, &got);
	CHECK(got.kind == WASM_I64 && got.of.i64 == 7);
	wasm_global_delete(own);
	wasm_globaltype_delete(type);
	END_WORLD;
}

TEST(tables_hold_references)
{
	wasm_table_t *table;
	wasm_ref_t *got;
	wasm_foreign_t *foreign;
	int32_t out = 0;
	WITH_WORLD

	table = wasm_extern_as_table(w.exports.data[TABLE]);
	foreign = wasm_foreign_new(w.store);
	CHECK(wasm_table_size(table) == 4);
	got = wasm_table_get(table, 0);
	CHECK(wasm_ref_same(got, wasm_func_as_ref(func_at(&w, RUN))));
	wasm_ref_delete(got);
	CHECK(wasm_table_get(table, 1) == NULL && wasm_table_get(table, 99) == NULL);
	CHECK(wasm_table_set(table, 1, wasm_func_as_ref(w.funcs[0])));
	CHECK(call_i(&w, INDIRECT, 1, &out) == NULL && out == 2);
	CHECK(!wasm_table_set(table, 99, NULL));
	CHECK(!wasm_table_set(table, 1, wasm_foreign_as_ref(foreign)));
	CHECK(wasm_table_grow(table, 4, wasm_func_as_ref(w.funcs[0])) &&
	      wasm_table_size(table) == 8);
	CHECK(!wasm_table_grow(table, 1, NULL));
	CHECK(call_i(&w, INDIRECT, 7, &out) == NULL && out == 14);
	wasm_foreign_delete(foreign);
	END_WORLD;
}

TEST(memories_are_bytes)
{
	wasm_limits_t limits = { 1, 2 };
	wasm_memorytype_t *type = wasm_memorytype_new(&limits);
	wasm_memory_t *memory, *own;
	WITH_WORLD

	memory = wasm_extern_as_memory(w.exports.data[MEMORY]);
	CHECK(memcmp(wasm_memory_data(memory), "hello", 5) == 0);
	CHECK(wasm_memory_size(memory) == 1 && wasm_memory_data_size(memory) == MEMORY_PAGE_SIZE);
	CHECK(wasm_memory_grow(memory, 2) && wasm_memory_size(memory) == 3);
	CHECK(!wasm_memory_grow(memory, 1));
	CHECK(memcmp(wasm_memory_data(memory), "hello", 5) == 0);
	own = wasm_memory_new(w.store, type);
	CHECK(wasm_memory_size(own) == 1 && wasm_memory_grow(own, 1) && !wasm_memory_grow(own, 1));
	wasm_memory_delete(own);
	wasm_memorytype_delete(type);
	END_WORLD;
}

TEST(host_references_pass_through)
{
	wasm_val_t arg[1], result[1] = { WASM_INIT_VAL };
	wasm_val_vec_t args = WASM_ARRAY_VEC(arg), results = WASM_ARRAY_VEC(result);
	wasm_foreign_t *foreign;
	WITH_WORLD

	foreign = wasm_foreign_new(w.store);
	wasm_foreign_set_host_info(foreign, &finalized);
	arg[0] = (wasm_val_t)WASM_REF_VAL(wasm_foreign_as_ref(foreign));
	CHECK(wasm_func_call(func_at(&w, PASS), &args, &results) == NULL);
	CHECK(wasm_ref_same(result[0].of.ref, wasm_foreign_as_ref(foreign)));
	CHECK(wasm_ref_get_host_info(result[0].of.ref) == &finalized);
	wasm_val_delete(&result[0]);
	/* A function is a reference like any other. */
	arg[0].of.ref = wasm_func_as_ref(func_at(&w, RUN));
	CHECK(wasm_func_call(func_at(&w, PASS), &args, &results) == NULL);
	CHECK(wasm_ref_as_func(result[0].of.ref) == func_at(&w, RUN));
	wasm_val_delete(&result[0]);
	arg[0].of.ref = NULL;
	CHECK(wasm_func_call(func_at(&w, PASS), &args, &results) == NULL);
	CHECK(result[0].of.ref == NULL);
	wasm_foreign_delete(foreign);
	END_WORLD;
}

TEST(finalizers_run_with_the_store)
{
	wasm_instance_t *second;
	WITH_WORLD

	finalized = 0;
	wasm_instance_set_host_info_with_finalizer(w.instance, &finalized, count_end);
	second = instantiate(&w);
	wasm_instance_set_host_info_with_finalizer(second, &finalized, count_end);
	wasm_instance_delete(second);
	CHECK(finalized == 0);
	END_WORLD;
	CHECK(finalized == 3); /* two instances, one function's environment */
}

TEST(what_is_owned_outlives_its_store_until_deleted)
{
	wasm_foreign_t *foreign;
	wasm_instance_t *instance;
	WITH_WORLD

	foreign = wasm_foreign_new(w.store);
	instance = wasm_instance_copy(w.instance);
	END_WORLD;
	wasm_foreign_delete(foreign);
	wasm_instance_delete(instance);
}

TEST(modules_are_serialized_and_checked_again)
{
	wasm_byte_vec_t bytes, cut;
	wasm_module_t *module;
	wasm_exporttype_vec_t exports;
	WITH_WORLD

	wasm_module_serialize(w.module, &bytes);
	module = wasm_module_deserialize(w.store, &bytes);
	CHECK(module != NULL);
	wasm_module_exports(module, &exports);
	CHECK(exports.size == EXPORTS);
	wasm_exporttype_vec_delete(&exports);
	wasm_module_delete(module);
	CHECK(!wasm_module_validate(w.store, &bytes)); /* it is no plain module */
	cut = (wasm_byte_vec_t){ bytes.size - 1, bytes.data };
	CHECK(wasm_module_deserialize(w.store, &cut) == NULL);
	bytes.data[3] ^= 1;
	CHECK(wasm_module_deserialize(w.store, &bytes) == NULL);
	wasm_byte_vec_delete(&bytes);
	END_WORLD;
}

TEST(instances_that_cannot_be_are_told_why)
{
	wasm_extern_vec_t none = WASM_EMPTY_VEC;
	wasm_extern_t *wrong[2];
	wasm_extern_vec_t swapped = WASM_ARRAY_VEC(wrong);
	wasm_trap_t *trap = NULL;
	WITH_WORLD

	CHECK(wasm_instance_new(w.store, w.module, &none, &trap) == NULL);
	check_message(t, trap, "unknown import: 0 given, 2 asked for");
	wrong[0] = wasm_func_as_extern(w.funcs[1]);
	wrong[1] = wasm_func_as_extern(w.funcs[0]);
	CHECK(wasm_instance_new(w.store, w.module, &swapped, &trap) == NULL);
	check_message(t, trap, "incompatible import type for \"env\" \"double\"");
	END_WORLD;
}

TEST(a_start_function_can_trap)
{
	wasm_extern_vec_t none = WASM_EMPTY_VEC;
	wasm_trap_t *trap = NULL;
	wasm_engine_t *engine = wasm_engine_new();
	wasm_store_t *store = wasm_store_new(engine);
	wasm_byte_vec_t binary;
	wasm_module_t *module;
	struct wasm w;

	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, ":"), 0, BYTES("\x00"));
	wasm_add(&w, WASM_START, BYTES("\x00"));
	binary = vec_of(wasm_bytes(&w));
	module = wasm_module_new(store, &binary);
	CHECK(module != NULL);
	if (module != NULL) {
		CHECK(wasm_instance_new(store, module, &none, &trap) == NULL);
		check_message(t, trap, "unreachable");
	}
	wasm_module_delete(module);
	wasm_store_delete(store);
	wasm_engine_delete(engine);
	wasm_release(&w);
}

/* ---- threads ---- */

struct worker {
	wasm_engine_t *engine;
	wasm_shared_module_t *code;
	int32_t sum;
};

static void *work(void *ctx)
{
	struct worker *worker = ctx;
	struct world w = { .store = wasm_store_new(worker->engine) };
	int32_t out = 0;

	w.module = wasm_module_obtain(w.store, worker->code);
	w.funcs[0] =
		host_func(&w, wasm_functype_new_1_1(wasm_valtype_new_i32(), wasm_valtype_new_i32()),
	                  true);
	w.funcs[1] = host_func(&w,
	                       wasm_functype_new_1_1(wasm_valtype_new_externref(),
	                                             wasm_valtype_new_externref()),
	                       false);
	w.instance = instantiate(&w);
	wasm_instance_exports(w.instance, &w.exports);
	for (int32_t i = 0; i < 100; i++) {
		wasm_trap_delete(call_i(&w, RUN, i, &out));
		worker->sum += out;
	}
	world_end(&w);
	return NULL;
}

TEST(code_is_shared_between_threads)
{
	enum { THREADS = 4 };
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	wasm_shared_module_t *code;
	WITH_WORLD

	code = wasm_module_share(w.module);
	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ w.engine, code, 0 };
		CHECK(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
	}
	for (int i = 0; i < THREADS; i++) {
		(void)pthread_join(threads[i], NULL);
		CHECK(workers[i].sum == 9900);
	}
	wasm_shared_module_delete(code);
	END_WORLD;
}

/* ---- beside the engine's own interface ---- */

TEST(the_engine_behind_can_be_used)
{
	const struct engine_global_type type = { .content = ENGINE_I32 };
	struct engine_extern what = { .kind = ENGINE_GLOBAL };
	wasm_extern_t *object;
	int32_t out = 0;
	wasm_trap_t *trap;
	WITH_WORLD

	engine_store_interrupt(engine_capi_store(w.store));
	trap = call_i(&w, RUN, 1, &out);
	CHECK(trap != NULL &&
	      engine_trap_of(engine_capi_trap_cause(trap)) == ENGINE_TRAP_INTERRUPT);
	wasm_trap_delete(trap);
	engine_store_resume(engine_capi_store(w.store));
	CHECK_OK(engine_global_new(&what.global, engine_capi_store(w.store), &type,
	                           (union engine_value){ .i32 = 5 }));
	object = engine_capi_extern(w.store, &what);
	CHECK(wasm_extern_as_global(object) != NULL);
	CHECK(engine_capi_engine_extern(object).global == what.global);
	wasm_extern_delete(object);
	END_WORLD;
}

/* ---- memory runs out ---- */

/* All memory of this interface comes from lb_mem_host, so that is what has to fail. */
static struct lb_mem host;
static struct test *sweeping;
static bool inside;

static void *failing(struct lb_mem *self, void *old, size_t old_size, size_t new_size)
{
	void *fresh;

	if (inside)
		return host.resize(self, old, old_size, new_size);
	inside = true;
	fresh = sweeping->mem->resize(sweeping->mem, old, old_size, new_size);
	inside = false;
	return fresh;
}

static bool use_types(const struct world *w)
{
	wasm_importtype_vec_t imports, imports_copy;
	wasm_exporttype_vec_t exports, exports_copy;
	wasm_externtype_vec_t types;
	bool good;

	wasm_module_imports(w->module, &imports);
	wasm_module_exports(w->module, &exports);
	wasm_importtype_vec_copy(&imports_copy, &imports);
	wasm_exporttype_vec_copy(&exports_copy, &exports);
	wasm_externtype_vec_new_uninitialized(&types, 1);
	good = imports_copy.size == 2 && exports_copy.size == EXPORTS && types.size == 1;
	if (types.size == 1) {
		types.data[0] = wasm_extern_type(w->exports.data[RUN]);
		good = good && types.data[0] != NULL;
	}
	wasm_externtype_vec_delete(&types);
	wasm_importtype_vec_delete(&imports);
	wasm_importtype_vec_delete(&imports_copy);
	wasm_exporttype_vec_delete(&exports);
	wasm_exporttype_vec_delete(&exports_copy);
	return good;
}

static bool use_objects(const struct world *w)
{
	wasm_limits_t limits = { 1, 1 };
	wasm_memorytype_t *memory_type = wasm_memorytype_new(&limits);
	wasm_tabletype_t *table_type = wasm_tabletype_new(wasm_valtype_new_funcref(), &limits);
	wasm_globaltype_t *global_type = wasm_globaltype_new(wasm_valtype_new_i32(), WASM_VAR);
	wasm_memory_t *memory = NULL;
	wasm_table_t *table = NULL;
	wasm_global_t *global = NULL;
	wasm_val_t zero = WASM_I32_VAL(0);
	bool good;

	if (memory_type != NULL)
		memory = wasm_memory_new(w->store, memory_type);
	if (table_type != NULL)
		table = wasm_table_new(w->store, table_type, NULL);
	if (global_type != NULL)
		global = wasm_global_new(w->store, global_type, &zero);
	good = memory != NULL && table != NULL && global != NULL;
	wasm_memory_delete(memory);
	wasm_table_delete(table);
	wasm_global_delete(global);
	wasm_memorytype_delete(memory_type);
	wasm_tabletype_delete(table_type);
	wasm_globaltype_delete(global_type);
	return good;
}

static bool use_calls(const struct world *w)
{
	wasm_val_t arg[1] = { WASM_INIT_VAL }, result[1] = { WASM_INIT_VAL };
	wasm_val_vec_t args = WASM_ARRAY_VEC(arg), results = WASM_ARRAY_VEC(result);
	wasm_foreign_t *foreign = wasm_foreign_new(w->store);
	wasm_trap_t *trap;
	wasm_message_t message;
	wasm_frame_vec_t frames;
	int32_t out = 0;
	bool good;

	if (foreign == NULL)
		return false;
	arg[0].of.ref = wasm_foreign_as_ref(foreign);
	trap = wasm_func_call(func_at(w, PASS), &args, &results);
	good = trap == NULL;
	wasm_trap_delete(trap);
	wasm_val_delete(&result[0]);
	wasm_foreign_delete(foreign);
	trap = call_i(w, RUN, -1, &out);
	good = good && lb_code_of(engine_capi_trap_cause(trap)) != LB_E_NOMEM;
	wasm_trap_message(trap, &message);
	wasm_trap_trace(trap, &frames);
	good = good && frames.size == 1;
	wasm_frame_vec_delete(&frames);
	good = good && message.size == sizeof "less than nothing";
	wasm_name_delete(&message);
	wasm_trap_delete(trap);
	return good;
}

static bool use_bytes(const struct world *w)
{
	wasm_byte_vec_t bytes;
	wasm_module_t *module = NULL;
	bool good;

	wasm_module_serialize(w->module, &bytes);
	if (bytes.size > 0)
		module = wasm_module_deserialize(w->store, &bytes);
	good = module != NULL;
	wasm_module_delete(module);
	wasm_byte_vec_delete(&bytes);
	return good;
}

static bool use_growth(const struct world *w)
{
	wasm_memory_t *memory = wasm_extern_as_memory(w->exports.data[MEMORY]);
	wasm_table_t *table = wasm_extern_as_table(w->exports.data[TABLE]);
	wasm_ref_t *ref = NULL;
	bool good = wasm_memory_grow(memory, 1) && wasm_table_grow(table, 4, NULL);

	if (good)
		ref = wasm_table_get(table, 0);
	wasm_ref_delete(ref);
	return good && ref != NULL;
}

static bool use_engine(const struct world *w, struct lb_bytes bytes)
{
	struct engine_extern what = engine_capi_engine_extern(w->exports.data[GLOBAL]);
	wasm_extern_t *again = engine_capi_extern(w->store, &what);
	wasm_byte_vec_t binary = vec_of(bytes);
	wasm_engine_t *engine = wasm_engine_new();
	bool good = again != NULL && engine != NULL && wasm_module_validate(w->store, &binary);

	wasm_engine_delete(engine);
	wasm_extern_delete(again);
	return good;
}

static bool use_traps(const struct world *w)
{
	wasm_name_t message;
	wasm_trap_t *trap;
	wasm_frame_t *frame;
	bool good;

	wasm_name_new_from_string_nt(&message, "why");
	trap = wasm_trap_new(w->store, &message);
	good = message.size == 4 && lb_code_of(engine_capi_trap_cause(trap)) != LB_E_NOMEM;
	wasm_name_delete(&message);
	wasm_trap_delete(trap);
	trap = wasm_func_call(func_at(w, TRAP_), &(wasm_val_vec_t)WASM_EMPTY_VEC,
	                      &(wasm_val_vec_t)WASM_EMPTY_VEC);
	frame = wasm_trap_origin(trap);
	good = good && frame != NULL;
	wasm_frame_delete(frame);
	wasm_trap_delete(trap);
	return good;
}

TEST(wasm_h_survives_every_oom)
{
	struct wasm module;
	struct lb_bytes bytes;

	full_module(&module);
	bytes = wasm_bytes(&module);
	host = lb_mem_host;
	sweeping = t;
	EACH_OOM (t) {
		struct world w;
		bool good;

		lb_mem_host.resize = failing;
		good = world_begin(&w, bytes) && use_types(&w) && use_objects(&w) &&
		       use_calls(&w) && use_bytes(&w) && use_growth(&w) && use_engine(&w, bytes) &&
		       use_traps(&w);
		world_end(&w);
		lb_mem_host.resize = host.resize;
		CHECK(good == !t->heap.failed);
	}
	wasm_release(&module);
}
