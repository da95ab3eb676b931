/* snapshot_test.c - a module as an instance of it stands; the rest is in
 * tests/engine/command/command.t. */
#include "engine/snapshot/snapshot.h"
#include "tests/engine/wasm.h"

#define BYTES(text) ((struct lb_bytes)LB_LIT(text))

/* "bump" adds one to a global and to the word at 8; "global" and "word" give them. */
static void build(struct wasm *w)
{
	wasm_init(w);
	wasm_func(w, wasm_type(w, ":"), 0,
	          BYTES("\x23\x00\x41\x01\x6a\x24\x00\x41\x08\x41\x08\x28\x02\x00\x41\x01\x6a\x36"
	                "\x02\x00"));
	wasm_func(w, wasm_type(w, ":i"), 0, BYTES("\x23\x00"));
	wasm_func(w, 1, 0, BYTES("\x41\x08\x28\x02\x00"));
	wasm_add(w, WASM_MEMORY, LB_B("\x00\x01"));
	wasm_add(w, WASM_GLOBAL, LB_B("\x7f\x01\x41\x00\x0b"));
	wasm_add(w, WASM_DATA, BYTES("\x00\x41\x00\x0b\x05hello"));
	wasm_add(w, WASM_TABLE, LB_B("\x70\x00\x02"));
	wasm_add(w, WASM_ELEMENT, BYTES("\x00\x41\x01\x0b\x01\x00"));
	wasm_export(w, "bump", ENGINE_FUNC, 0);
	wasm_export(w, "global", ENGINE_FUNC, 1);
	wasm_export(w, "word", ENGINE_FUNC, 2);
}

static uint32_t get(const struct wasm_run *run, const char *name)
{
	struct engine_func *func = engine_instance_find_func(run->instance, lb_bytes_of(name));
	union engine_value value = { .i32 = UINT32_MAX };

	lb_ignore(engine_func_call(func, NULL, 0, &value, 1));
	return value.i32;
}

static lb_err bump(const struct wasm_run *run)
{
	return engine_func_call(engine_instance_find_func(run->instance, LB_B("bump")), NULL, 0,
	                        NULL, 0);
}

TEST(a_snapshot_begins_where_the_instance_stands)
{
	struct wasm_run run = { 0 }, again = { 0 };
	struct lb_buf out;
	struct wasm w;

	build(&w);
	lb_buf_init(&out, t->mem, 1 << 20);
	CHECK_OK(wasm_start(&run, t->mem, wasm_bytes(&w), NULL));
	for (int i = 0; i < 200; i++)
		CHECK_OK(bump(&run));
	CHECK_OK(engine_snapshot_write(&out, wasm_bytes(&w), run.instance, NULL, NULL));
	CHECK_OK(wasm_start(&again, t->mem, lb_buf_bytes(&out), NULL));
	if (again.instance != NULL) {
		CHECK(get(&again, "global") == 200 && get(&again, "word") == 200);
		CHECK_OK(bump(&again));
		CHECK(get(&again, "global") == 201 && get(&run, "global") == 200);
	}
	wasm_stop(&again);
	wasm_stop(&run);
	lb_buf_release(&out);
	wasm_release(&w);
}

TEST(a_snapshot_has_a_limit)
{
	struct wasm_run run = { 0 };
	struct lb_buf out;
	struct wasm w;

	build(&w);
	lb_buf_init(&out, t->mem, 50);
	CHECK_OK(wasm_start(&run, t->mem, wasm_bytes(&w), NULL));
	CHECK(lb_code_of(engine_snapshot_write(&out, wasm_bytes(&w), run.instance, NULL, NULL)) ==
	      LB_E_LIMIT);
	wasm_stop(&run);
	lb_buf_release(&out);
	wasm_release(&w);
}

TEST(snapshots_survive_every_oom)
{
	struct wasm_run run = { 0 };
	struct wasm w;

	build(&w);
	CHECK_OK(wasm_start(&run, &lb_mem_host, wasm_bytes(&w), NULL));
	EACH_OOM (t) {
		struct lb_buf out;
		lb_err err;

		lb_buf_init(&out, t->mem, 1 << 20);
		err = engine_snapshot_write(&out, wasm_bytes(&w), run.instance, NULL, NULL);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_buf_release(&out);
	}
	wasm_stop(&run);
	wasm_release(&w);
}
