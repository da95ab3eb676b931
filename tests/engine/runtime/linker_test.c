/* linker_test.c - imports by name, instances that share, and what does not fit. */
#include "tests/engine/wasm.h"

/* Exports a memory, a table, a mutable global and "set", which writes the global. */
static void provider(struct wasm *w)
{
	wasm_init(w);
	wasm_add(w, WASM_MEMORY, LB_B("\x01\x01\x03"));
	wasm_add(w, WASM_TABLE, LB_B("\x70\x01\x02\x08"));
	wasm_add(w, WASM_GLOBAL, LB_B("\x7f\x01\x41\x2a\x0b"));
	wasm_func(w, wasm_type(w, "i:"), 0, (struct lb_bytes)LB_LIT("\x20\x00\x24\x00"));
	wasm_export(w, "memory", ENGINE_MEMORY, 0);
	wasm_export(w, "table", ENGINE_TABLE, 0);
	wasm_export(w, "global", ENGINE_GLOBAL, 0);
	wasm_export(w, "set", ENGINE_FUNC, 0);
}

struct pair {
	struct engine_module *first, *second;
	struct engine_store *store;
	struct engine_linker *linker;
	struct engine_instance *a, *b;
};

static lb_err link(struct pair *p, struct lb_mem *mem, struct wasm *second, struct lb_diag *diag)
{
	const struct engine_store_options options = { .stack_slots_max = 100,
		                                      .call_depth_max = 10 };
	struct wasm w;
	lb_err err;

	*p = (struct pair){ 0 };
	provider(&w);
	err = engine_module_new(&p->first, mem, wasm_bytes(&w), NULL, diag);
	wasm_release(&w);
	LB_TRY(err);
	LB_TRY(engine_module_new(&p->second, mem, wasm_bytes(second), NULL, diag));
	LB_TRY(engine_store_new(&p->store, mem, &options));
	LB_TRY(engine_linker_new(&p->linker, mem, p->store));
	LB_TRY(engine_linker_instantiate(&p->a, p->linker, p->first, diag));
	LB_TRY(engine_linker_add_instance(p->linker, LB_B("env"), p->a));
	return engine_linker_instantiate(&p->b, p->linker, p->second, diag);
}

static void unlink_all(struct pair *p)
{
	engine_linker_free(p->linker);
	engine_store_free(p->store);
	engine_module_free(p->second);
	engine_module_free(p->first);
}

static void import(struct wasm *w, const char *name, struct lb_bytes description)
{
	struct lb_buf *buf = &w->sections[WASM_IMPORT];

	lb_buf_add(buf, LB_B("\x03"
	                     "env"));
	wasm_leb(buf, strlen(name));
	lb_buf_add_text(buf, name);
	lb_buf_add(buf, description);
	w->counts[WASM_IMPORT]++;
}

/* Writes 5 through the function, stores it in the shared memory, gives back the global. */
static void consumer(struct wasm *w)
{
	wasm_init(w);
	(void)wasm_type(w, "i:");
	import(w, "set", (struct lb_bytes)LB_LIT("\x00\x00"));
	import(w, "memory", LB_B("\x02\x01\x01\x03"));
	import(w, "global", LB_B("\x03\x7f\x01"));
	import(w, "table", LB_B("\x01\x70\x01\x02\x08"));
	wasm_func(w, wasm_type(w, ":i"), 0,
	          (struct lb_bytes)LB_LIT("\x41\x05\x10\x00\x41\x10\x41\x07\x36\x02\x00\x23\x00"));
	wasm_add(w, WASM_ELEMENT, (struct lb_bytes)LB_LIT("\x00\x41\x01\x0b\x01\x01"));
	wasm_export(w, "run", ENGINE_FUNC, 1);
}

TEST(instances_share_what_they_import)
{
	union engine_value result = { .i64 = 0 }, element = { .i64 = 0 };
	struct engine_extern found;
	struct engine_func *func;
	struct pair p;
	struct wasm w;

	consumer(&w);
	CHECK_OK(link(&p, t->mem, &w, NULL));
	func = engine_instance_find_func(p.b, LB_B("run"));
	CHECK_OK(engine_func_call(func, NULL, 0, &result, 1));
	CHECK(result.i32 == 5);
	CHECK(engine_memory_base(engine_instance_find_memory(p.a, LB_B("memory")))[16] == 7);
	CHECK(engine_instance_find(&found, p.a, LB_B("table")) && found.kind == ENGINE_TABLE);
	CHECK_OK(engine_table_get(&element, found.table, 1));
	CHECK(element.func == func);
	CHECK(!engine_instance_find(&found, p.a, LB_B("nothing")));
	CHECK(engine_instance_find_memory(p.a, LB_B("set")) == NULL);
	CHECK(engine_instance_find_func(p.a, LB_B("memory")) == NULL);
	CHECK(engine_instance_store(p.b) == p.store && engine_instance_module(p.b) == p.second);
	unlink_all(&p);
	wasm_release(&w);
}

TEST(linking_survives_every_oom)
{
	struct wasm w;

	consumer(&w);
	EACH_OOM (t) {
		struct pair p;
		lb_err err = link(&p, t->mem, &w, NULL);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		/* What failed can be done again. */
		if (lb_failed(err) && p.linker != NULL && p.a != NULL) {
			CHECK_OK(engine_linker_add_instance(p.linker, LB_B("env"), p.a));
			CHECK_OK(engine_linker_instantiate(&p.b, p.linker, p.second, NULL));
		}
		unlink_all(&p);
	}
	wasm_release(&w);
}

TEST(what_does_not_fit_is_unlinkable)
{
	static const struct {
		const char *name;
		struct lb_bytes description;
		const char *text;
	} cases[] = {
		{ "absent", LB_LIT("\x00\x00"), "unknown import: function \"env\" \"absent\"" },
		{ "memory", LB_LIT("\x00\x00"), "incompatible import type for \"env\" \"memory\"" },
		{ "memory", LB_LIT("\x02\x01\x02\x03"), "incompatible import type" },
		{ "memory", LB_LIT("\x02\x01\x01\x02"), "incompatible import type" },
		{ "table", LB_LIT("\x01\x6f\x00\x01"), "incompatible import type" },
		{ "global", LB_LIT("\x03\x7f\x00"), "incompatible import type" },
		{ "global", LB_LIT("\x03\x7e\x01"), "incompatible import type" },
		{ "set", LB_LIT("\x00\x01"), "incompatible import type" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lb_diag diag = { 0 };
		struct pair p;
		struct wasm w;

		wasm_init(&w);
		(void)wasm_type(&w, "i:");
		(void)wasm_type(&w, "I:");
		import(&w, cases[i].name, cases[i].description);
		CHECK(lb_code_of(link(&p, t->mem, &w, &diag)) == LB_E_UNLINKABLE);
		CHECK(lb_bytes_starts(lb_bytes_of(diag.text), lb_bytes_of(cases[i].text)));
		unlink_all(&p);
		wasm_release(&w);
	}
}

TEST(a_failed_start_leaves_the_store_usable)
{
	struct lb_diag diag = { 0 };
	struct pair p;
	struct wasm w;

	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, ":"), 0, (struct lb_bytes)LB_LIT("\x00"));
	wasm_add(&w, WASM_START, (struct lb_bytes)LB_LIT("\x00"));
	CHECK(engine_trap_of(link(&p, t->mem, &w, &diag)) == ENGINE_TRAP_UNREACHABLE);
	CHECK_TEXT(diag.text, "unreachable");
	CHECK(p.b == NULL && p.a != NULL);
	CHECK_OK(engine_linker_instantiate(&p.a, p.linker, p.first, NULL));
	unlink_all(&p);
	wasm_release(&w);
}
