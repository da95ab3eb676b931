/* call_test.c - running: results, traps, limits, host functions, interruption. */
#include "tests/engine/wasm.h"

/* fib(n), by itself. */
static const struct lb_bytes fib = LB_LIT("\x20\x00\x41\x02\x48\x04\x7f\x20\x00\x05\x20\x00\x41\x01"
                                          "\x6b\x10\x00\x20\x00\x41\x02\x6b\x10\x00\x6a\x0b");

static lb_err start(struct wasm_run *run, struct lb_mem *mem, struct lb_bytes code,
                    const char *signature, uint32_t locals,
                    const struct engine_store_options *options)
{
	struct wasm w;
	lb_err err;

	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, signature), locals, code);
	wasm_add(&w, WASM_MEMORY, LB_B("\x01\x01\x04"));
	wasm_export(&w, "run", ENGINE_FUNC, 0);
	err = wasm_start(run, mem, wasm_bytes(&w), options);
	wasm_release(&w);
	return err;
}

TEST(calls_give_results)
{
	struct wasm_run run;
	uint32_t result = 0;

	CHECK_OK(start(&run, t->mem, fib, "i:i", 0, NULL));
	CHECK_OK(wasm_call(&result, &run, "run", 15, 0));
	CHECK(result == 610);
	CHECK(lb_code_of(wasm_call(&result, &run, "walk", 0, 0)) == LB_E_NOTFOUND);
	wasm_stop(&run);
}

TEST(call_depth_is_exact)
{
	/* (func (param i32) (result i32) (if (param) (then (call 0 (n - 1)))) ...) */
	static const struct lb_bytes down =
		LB_LIT("\x20\x00\x04\x7f\x20\x00\x41\x01\x6b\x10\x00\x05\x41\x2a\x0b");
	const struct engine_store_options options = { .call_depth_max = 100 };
	struct wasm_run run;
	uint32_t result = 0;

	CHECK_OK(start(&run, t->mem, down, "i:i", 0, &options));
	CHECK_OK(wasm_call(&result, &run, "run", 99, 0));
	CHECK(result == 42);
	CHECK(engine_trap_of(wasm_call(&result, &run, "run", 100, 0)) == ENGINE_TRAP_STACK);
	CHECK_OK(wasm_call(&result, &run, "run", 99, 0));
	wasm_stop(&run);
}

TEST(stack_slots_are_exact)
{
	/* A frame of this one is one parameter, 999 locals and two operands at once. */
	static const struct lb_bytes wide =
		LB_LIT("\x20\x00\x04\x7f\x20\x00\x41\x01\x6b\x10\x00\x05\x41\x2a\x0b");
	const struct engine_store_options options = { .stack_slots_max = 10 * 1000 + 2 };
	struct wasm_run run;
	uint32_t result = 0;

	CHECK_OK(start(&run, t->mem, wide, "i:i", 999, &options));
	CHECK_OK(wasm_call(&result, &run, "run", 9, 0));
	CHECK(engine_trap_of(wasm_call(&result, &run, "run", 10, 0)) == ENGINE_TRAP_STACK);
	wasm_stop(&run);
}

TEST(traps_say_why)
{
	static const struct {
		struct lb_bytes code;
		uint32_t a, b;
		enum engine_trap trap;
	} cases[] = {
		{ LB_LIT("\x00"), 0, 0, ENGINE_TRAP_UNREACHABLE },
		{ LB_LIT("\x20\x00\x20\x01\x6e"), 1, 0, ENGINE_TRAP_DIVIDE_BY_ZERO },
		{ LB_LIT("\x20\x00\x20\x01\x6d"), 0x80000000, 0xffffffff,
		  ENGINE_TRAP_INTEGER_OVERFLOW },
		{ LB_LIT("\x20\x00\x28\x02\x00"), 65533, 0, ENGINE_TRAP_MEMORY_BOUNDS },
		{ LB_LIT("\x20\x00\x28\x02\xff\xff\xff\xff\x0f"), 0xffffffff, 0,
		  ENGINE_TRAP_MEMORY_BOUNDS },
		{ LB_LIT("\x20\x00\x20\x01\x36\x02\x00\x41\x00"), 65536, 0,
		  ENGINE_TRAP_MEMORY_BOUNDS },
		{ LB_LIT("\x20\x00\xbe\xa8"), 0x7fc00000, 0, ENGINE_TRAP_INVALID_CONVERT },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wasm_run run;
		uint32_t result = 0;

		CHECK_OK(start(&run, t->mem, cases[i].code, "ii:i", 0, NULL));
		CHECK(engine_trap_of(wasm_call(&result, &run, "run", cases[i].a, cases[i].b)) ==
		      cases[i].trap);
		wasm_stop(&run);
	}
}

TEST(results_may_change_places_with_locals)
{
	/* (param a b) (result b a): the results are written over the parameters. */
	struct engine_func *func;
	const union engine_value args[2] = { { .i32 = 1 }, { .i32 = 2 } };
	union engine_value results[2];
	struct wasm_run run;

	CHECK_OK(start(&run, t->mem, LB_B("\x20\x01\x20\x00"), "ii:ii", 0, NULL));
	func = engine_instance_find_func(run.instance, LB_B("run"));
	CHECK_OK(engine_func_call(func, args, 2, results, 2));
	CHECK(results[0].i32 == 2 && results[1].i32 == 1);
	wasm_stop(&run);
}

TEST(operands_keep_the_value_a_local_had)
{
	static const struct {
		struct lb_bytes code;
		uint32_t want;
	} cases[] = {
		/* local.get 0; local.set 0 (i32.const 9); the operand is still 5 */
		{ LB_LIT("\x20\x00\x41\x09\x21\x00"), 5 },
		{ LB_LIT("\x20\x00\x41\x09\x22\x00\x1a"), 5 },
		{ LB_LIT("\x20\x00\x20\x00\x41\x01\x6a\x21\x00\x20\x00\x6c"), 30 },
		/* ... through a block, a loop and both ways of an if */
		{ LB_LIT("\x20\x00\x02\x40\x41\x09\x21\x00\x0b"), 5 },
		{ LB_LIT("\x20\x00\x03\x40\x41\x09\x21\x00\x0b"), 5 },
		{ LB_LIT("\x20\x00\x20\x01\x04\x40\x41\x09\x21\x00\x0b"), 5 },
		{ LB_LIT("\x20\x00\x20\x01\x45\x04\x40\x41\x09\x21\x00\x0b"), 5 },
		{ LB_LIT("\x20\x00\x02\x40\x20\x01\x0d\x00\x41\x09\x21\x00\x0b"), 5 },
		/* a branch with a value that is a local */
		{ LB_LIT("\x02\x7f\x20\x00\x20\x01\x0d\x00\x1a\x41\x03\x0b"), 5 },
		{ LB_LIT("\x02\x7f\x20\x00\x20\x01\x45\x0d\x00\x1a\x41\x03\x0b"), 3 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wasm_run run;
		uint32_t result = 0;

		CHECK_OK(start(&run, t->mem, cases[i].code, "ii:i", 0, NULL));
		CHECK_OK(wasm_call(&result, &run, "run", 5, 1));
		if (result != cases[i].want)
			printf("# case %zu gives %u\n", i, result);
		CHECK(result == cases[i].want);
		wasm_stop(&run);
	}
}

TEST(a_loop_can_be_interrupted)
{
	struct wasm_run run;
	uint32_t result = 0;

	CHECK_OK(start(&run, t->mem, LB_B("\x03\x40\x0c\x00\x0b"), ":", 0, NULL));
	engine_store_interrupt(run.store);
	CHECK(engine_trap_of(wasm_call(&result, &run, "run", 0, 0)) == ENGINE_TRAP_INTERRUPT);
	wasm_stop(&run);
	CHECK_OK(start(&run, t->mem, fib, "i:i", 0, NULL));
	engine_store_interrupt(run.store);
	CHECK(engine_trap_of(wasm_call(&result, &run, "run", 5, 0)) == ENGINE_TRAP_INTERRUPT);
	engine_store_resume(run.store);
	CHECK_OK(wasm_call(&result, &run, "run", 5, 0));
	wasm_stop(&run);
}

/* ---- host functions ---- */

struct host {
	unsigned calls;
	struct engine_instance *caller;
	lb_err answer;
};

static lb_err add(void *ctx, struct engine_instance *caller, const union engine_value *args,
                  union engine_value *results)
{
	struct host *host = ctx;

	host->calls++;
	host->caller = caller;
	if (lb_failed(host->answer))
		return host->answer;
	results[0].i64 = args[0].i32 + args[1].i64 + (uint64_t)args[2].f64;
	return LB_OK;
}

/* Calls back into the module that called. */
static lb_err again(void *ctx, struct engine_instance *caller, const union engine_value *args,
                    union engine_value *results)
{
	struct engine_func *func = engine_instance_find_func(caller, LB_B("run"));

	(void)ctx;
	return engine_func_call(func, args, 1, results, 1);
}

struct linked {
	struct wasm_run run;
	struct engine_linker *linker;
};

static lb_err link(struct linked *l, struct lb_mem *mem, struct lb_bytes bytes, struct host *host)
{
	*l = (struct linked){ 0 };
	LB_TRY(engine_module_new(&l->run.module, mem, bytes, NULL, NULL));
	LB_TRY(engine_store_new(&l->run.store, mem, NULL));
	LB_TRY(engine_linker_new(&l->linker, mem, l->run.store));
	LB_TRY(engine_linker_add_func(l->linker, LB_B("env"), LB_B("add"), "iIF:I", add, host));
	LB_TRY(engine_linker_add_func(l->linker, LB_B("env"), LB_B("again"), "i:i", again, NULL));
	return engine_linker_instantiate(&l->run.instance, l->linker, l->run.module, NULL);
}

static void unlink_all(struct linked *l)
{
	engine_linker_free(l->linker);
	wasm_stop(&l->run);
}

/* run: wrap(add(1, 2, 3.0)) + a */
static void host_module(struct wasm *w)
{
	wasm_init(w);
	wasm_import_func(w, "env", "add", wasm_type(w, "iIF:I"));
	wasm_func(w, wasm_type(w, "i:i"), 0,
	          (struct lb_bytes)LB_LIT("\x41\x01\x42\x02\x44\x00\x00\x00\x00\x00\x00\x08\x40\x10"
	                                  "\x00\xa7\x20\x00\x6a"));
	wasm_export(w, "run", ENGINE_FUNC, 1);
}

TEST(host_functions_get_arguments_and_the_caller)
{
	struct host host = { 0 };
	struct linked l;
	uint32_t result = 0;
	struct wasm w;

	host_module(&w);
	CHECK_OK(link(&l, t->mem, wasm_bytes(&w), &host));
	CHECK_OK(wasm_call(&result, &l.run, "run", 10, 0));
	CHECK(result == 16 && host.calls == 1 && host.caller == l.run.instance);
	unlink_all(&l);
	wasm_release(&w);
}

TEST(host_functions_can_fail_and_exit)
{
	struct host host = { .answer = engine_trap_exit(300) };
	struct linked l;
	uint32_t result = 0;
	struct wasm w;
	lb_err err;

	host_module(&w);
	CHECK_OK(link(&l, t->mem, wasm_bytes(&w), &host));
	err = wasm_call(&result, &l.run, "run", 10, 0);
	CHECK(engine_trap_of(err) == ENGINE_TRAP_EXIT && engine_trap_status(err) == 300);
	host.answer = lb_err_of(LB_E_DENIED);
	CHECK(lb_code_of(wasm_call(&result, &l.run, "run", 10, 0)) == LB_E_DENIED);
	host.answer = LB_OK;
	CHECK_OK(wasm_call(&result, &l.run, "run", 10, 0));
	unlink_all(&l);
	wasm_release(&w);
}

TEST(host_functions_that_call_back_are_bounded)
{
	struct linked l;
	uint32_t result = 0;
	struct wasm w;

	wasm_init(&w);
	wasm_import_func(&w, "env", "again", wasm_type(&w, "i:i"));
	wasm_func(&w, 0, 0, LB_B("\x20\x00\x04\x7f\x20\x00\x41\x01\x6b\x10\x00\x05\x41\x2a\x0b"));
	wasm_export(&w, "run", ENGINE_FUNC, 1);
	CHECK_OK(link(&l, t->mem, wasm_bytes(&w), NULL));
	CHECK_OK(wasm_call(&result, &l.run, "run", 100, 0));
	CHECK(result == 42);
	CHECK(engine_trap_of(wasm_call(&result, &l.run, "run", 100000, 0)) == ENGINE_TRAP_STACK);
	CHECK_OK(wasm_call(&result, &l.run, "run", 100, 0));
	unlink_all(&l);
	wasm_release(&w);
}

TEST(host_modules_survive_every_oom)
{
	struct host host = { 0 };
	struct wasm w;

	host_module(&w);
	EACH_OOM (t) {
		struct linked l;
		uint32_t result = 0;
		lb_err err = link(&l, t->mem, wasm_bytes(&w), &host);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		if (!lb_failed(err)) {
			CHECK_OK(wasm_call(&result, &l.run, "run", 10, 0));
			CHECK(result == 16);
		}
		unlink_all(&l);
	}
	wasm_release(&w);
}
