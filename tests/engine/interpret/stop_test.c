/* stop_test.c - fuel, deadlines, what a trap says was under way, exceptions out to the host. */
#include "engine/text/text.h"
#include "tests/engine/wasm.h"

/* A store with one instance of the module that the text is. */
static lb_err start(struct wasm_run *run, struct lb_mem *mem, const char *text,
                    const struct engine_store_options *options)
{
	struct lb_buf binary;
	lb_err err;

	lb_buf_init(&binary, &lb_mem_host, 1 << 20);
	err = engine_text_to_binary(&binary, &lb_mem_host, lb_bytes_of(text), NULL, NULL);
	if (!lb_failed(err))
		err = wasm_start(run, mem, lb_buf_bytes(&binary), options);
	lb_buf_release(&binary);
	return err;
}

/* f(n): a loop of n turns, n at least 1: one unit for the call, one for each turn but the last. */
static const char loop[] = "(module (func (export \"f\") (param i32) (result i32)"
			   " (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
			   " (local.get 0)))";

static uint64_t give(void *ctx, struct engine_store *store)
{
	unsigned *times = ctx;

	(void)store;
	return (*times)-- > 0 ? 10 : 0;
}

TEST(fuel_is_exact_and_can_be_given_on_the_way)
{
	struct wasm_run run;
	uint32_t result = 1;
	unsigned times = 2;

	CHECK_OK(start(&run, t->mem, loop, NULL));
	engine_store_set_fuel(run.store, 101, NULL, NULL);
	CHECK_OK(wasm_call(&result, &run, "f", 100, 0));
	CHECK(result == 0 && engine_store_fuel(run.store) == 1);
	engine_store_set_fuel(run.store, 99, NULL, NULL);
	CHECK(engine_trap_of(wasm_call(&result, &run, "f", 100, 0)) == ENGINE_TRAP_FUEL);
	engine_store_set_fuel(run.store, 80, give, &times);
	CHECK_OK(wasm_call(&result, &run, "f", 100, 0));
	CHECK(engine_store_fuel(run.store) == 0 && times == 0);
	engine_store_unset_fuel(run.store);
	CHECK_OK(wasm_call(&result, &run, "f", 100000, 0));
	wasm_stop(&run);
}

TEST(deadlines_end_what_runs)
{
	struct wasm_run run;
	uint32_t result = 0;

	CHECK_OK(start(&run, t->mem, "(module (func (export \"f\") (loop (br 0))))", NULL));
	engine_store_set_deadline(run.store, 1);
	CHECK(engine_trap_of(wasm_call(&result, &run, "f", 0, 0)) == ENGINE_TRAP_DEADLINE);
	wasm_stop(&run);
}

TEST(traps_say_what_was_under_way)
{
	struct engine_trace_frame frame = { 0 };
	struct wasm_run run;
	uint32_t result = 0;

	CHECK_OK(start(&run, t->mem,
	               "(module (func $inner (param i32) (drop (i32.div_u (i32.const 1)"
	               " (local.get 0)))) (func $middle (param i32) (call $inner (local.get 0)))"
	               " (func (export \"f\") (param i32) (call $middle (local.get 0))))",
	               NULL));
	CHECK(engine_store_trace_count(run.store) == 0);
	CHECK(engine_trap_of(wasm_call(&result, &run, "f", 0, 0)) == ENGINE_TRAP_DIVIDE_BY_ZERO);
	CHECK(engine_store_trace_count(run.store) == 3);
	engine_store_trace(&frame, run.store, 0);
	CHECK(frame.func == 0 && frame.instance == run.instance);
	CHECK_BYTES(frame.name, "inner");
	engine_store_trace(&frame, run.store, 1);
	CHECK_BYTES(frame.name, "middle");
	engine_store_trace(&frame, run.store, 2);
	CHECK(frame.func == 2 && frame.name.len == 0);
	wasm_stop(&run);
}

TEST(exceptions_reach_the_host)
{
	union engine_value values[2] = { 0 };
	struct engine_tag *tag;
	struct wasm_run run;
	uint32_t result = 0;

	CHECK_OK(start(&run, t->mem,
	               "(module (tag $t (param i32 i64)) (func (export \"f\") (param i32)"
	               " (throw $t (local.get 0) (i64.const 9))))",
	               &(struct engine_store_options){ .collect_always = true }));
	CHECK(engine_trap_of(wasm_call(&result, &run, "f", 7, 0)) == ENGINE_TRAP_EXCEPTION);
	tag = engine_store_exception(run.store, values);
	CHECK(tag != NULL && engine_tag_type(tag).param_count == 2);
	CHECK(values[0].i32 == 7 && values[1].i64 == 9);
	wasm_stop(&run);
}

/* Lists of structures that are made and dropped; the sum of the last one's. */
static const char lists[] =
	"(module (type $cell (struct (field i32) (field (ref null $cell))))"
	" (func $list (param i32) (result (ref null $cell)) (local (ref null $cell))"
	"  (loop (local.set 1 (struct.new $cell (local.get 0) (local.get 1)))"
	"   (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))"
	"  (local.get 1))"
	" (func (export \"f\") (param i32 i32) (result i32)"
	"  (local $sum i32) (local $at (ref null $cell))"
	"  (loop (local.set $at (call $list (local.get 0)))"
	"   (br_if 0 (local.tee 1 (i32.sub (local.get 1) (i32.const 1)))))"
	"  (loop $more (local.set $sum (i32.add (local.get $sum)"
	"    (struct.get $cell 0 (ref.as_non_null (local.get $at)))))"
	"   (local.set $at (struct.get $cell 1 (local.get $at)))"
	"   (br_if $more (i32.eqz (ref.is_null (local.get $at)))))"
	"  (local.get $sum)))";

TEST(garbage_is_collected_within_a_bound)
{
	const struct engine_store_options options = { .heap_bytes_max = 4 << 20 };
	struct wasm_run run;
	uint32_t result = 0;

	/* 48 bytes a cell: 10,000 lists of 1,000 would be 480 MB. */
	CHECK_OK(start(&run, t->mem, lists, &options));
	CHECK_OK(wasm_call(&result, &run, "f", 1000, 10000));
	CHECK(result == 500500);
	CHECK(engine_store_collect(run.store) == 0);
	CHECK(engine_trap_of(wasm_call(&result, &run, "f", 200000, 1)) == ENGINE_TRAP_HEAP);
	CHECK_OK(wasm_call(&result, &run, "f", 10, 1));
	CHECK(result == 55);
	wasm_stop(&run);
}

TEST(collecting_and_throwing_survive_every_oom)
{
	static const char good[] =
		"(module (type $a (array (mut i32))) (tag $t (param (ref $a)))"
		" (global $g (ref $a) (array.new_fixed $a 2 (i32.const 3) (i32.const 4)))"
		" (elem $e (ref $a) (item (array.new_default $a (i32.const 5))))"
		" (func (export \"f\") (result i32) (array.len (block $b (result (ref $a))"
		"  (try_table (catch $t $b)"
		"   (throw $t (array.new $a (array.get $a (global.get $g) (i32.const 0))"
		"    (i32.const 6)))) (unreachable)))))";
	struct wasm_run run;

	EACH_OOM (t) {
		uint32_t result = 0;
		lb_err err = start(&run, t->mem, good, NULL);

		if (!lb_failed(err)) {
			err = wasm_call(&result, &run, "f", 0, 0);
			CHECK(lb_failed(err) || result == 6);
			wasm_stop(&run);
		}
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
	}
}

TEST(the_hosts_references_are_kept)
{
	struct wasm_run run;
	struct engine_func *make, *sum;
	union engine_value ref = { 0 }, got = { 0 };

	CHECK_OK(start(&run, t->mem,
	               "(module (type $s (struct (field i32)))"
	               " (func (export \"make\") (result (ref $s)) (struct.new $s (i32.const 8)))"
	               " (func (export \"get\") (param (ref $s)) (result i32)"
	               "  (struct.get $s 0 (local.get 0))))",
	               &(struct engine_store_options){ .collect_always = true }));
	make = engine_instance_find_func(run.instance, LB_B("make"));
	sum = engine_instance_find_func(run.instance, LB_B("get"));
	CHECK_OK(engine_func_call(make, NULL, 0, &ref, 1));
	CHECK(engine_value_ref_kind(ref) == ENGINE_REF_STRUCT);
	CHECK_OK(engine_store_keep(run.store, ref));
	CHECK_OK(engine_func_call(make, NULL, 0, &got, 1));
	CHECK_OK(engine_func_call(sum, &ref, 1, &got, 1));
	CHECK(got.i32 == 8);
	engine_store_drop(run.store, ref);
	CHECK(engine_store_collect(run.store) == 0);
	wasm_stop(&run);
}
