/* world.c - see world.h. */
#include "tests/engine/wasi/world.h"

#include "base/io/run.h"

#include <stdlib.h>

static const struct {
	const char *name, *signature;
} funcs[] = {
#define FUNC(name_, signature_) { #name_, signature_ },
#include "engine/wasi/func.def"
#undef FUNC
};

enum { FUNC_COUNT = sizeof funcs / sizeof funcs[0] };

/* A module that exports each function of WASI under its name, by a function of its own that
 * passes everything on: the caller is then an instance with a memory. */
static void build(struct wasm *w)
{
	uint32_t types[FUNC_COUNT];

	wasm_init(w);
	for (size_t i = 0; i < FUNC_COUNT; i++) {
		types[i] = wasm_type(w, funcs[i].signature);
		wasm_import_func(w, "wasi_snapshot_preview1", funcs[i].name, types[i]);
	}
	for (size_t i = 0; i < FUNC_COUNT; i++) {
		size_t params = strcspn(funcs[i].signature, ":");
		unsigned char code[64];
		size_t len = 0;

		for (size_t k = 0; k < params; k++) {
			code[len++] = 0x20; /* local.get */
			code[len++] = (unsigned char)k;
		}
		code[len++] = 0x10; /* call */
		code[len++] = (unsigned char)i;
		wasm_func(w, types[i], 0, (struct lb_bytes){ code, len });
		wasm_export(w, funcs[i].name, ENGINE_FUNC, (uint32_t)(FUNC_COUNT + i));
	}
	wasm_add(w, WASM_MEMORY, LB_B("\x00\x02"));
	wasm_export(w, "memory", ENGINE_MEMORY, 0);
}

static lb_err start(struct world *w, struct wasi_options *options)
{
	struct lb_mem *mem = w->t->mem;
	struct wasm module;
	lb_err err;

	build(&module);
	err = engine_module_new(&w->module, mem, wasm_bytes(&module), NULL, NULL);
	wasm_release(&module);
	LB_TRY(err);
	LB_TRY(engine_store_new(&w->store, mem,
	                        &(struct engine_store_options){ .small_reservations = true }));
	LB_TRY(engine_linker_new(&w->linker, mem, w->store));
	LB_TRY(wasi_new(&w->wasi, mem, &plat_host, options, NULL));
	LB_TRY(wasi_link(w->wasi, w->linker));
	return engine_linker_instantiate(&w->instance, w->linker, w->module, NULL);
}

lb_err world_start(struct world *w, struct test *t, const struct wasi_options *options)
{
	struct wasi_options all = options != NULL ? *options : (struct wasi_options){ 0 };
	const char *folder = test_folder(t);
	struct wasi_grant grants[] = { { folder, "/box", false }, { folder, "/locked", true } };
	lb_err err;

	*w = (struct world){ .t = t, .folder = folder };
	all.grants = grants;
	all.grant_count = 2;
	err = start(w, &all);
	if (lb_failed(err))
		world_stop(w);
	return err;
}

void world_stop(struct world *w)
{
	engine_linker_free(w->linker);
	engine_store_free(w->store);
	wasi_free(w->wasi);
	engine_module_free(w->module);
	for (size_t i = 0; i < w->extra_count; i++)
		engine_module_free(w->extra[i]);
	*w = (struct world){ .t = w->t, .folder = w->folder };
}

enum wasi_errno world_call(struct world *w, const char *name, const uint64_t *args)
{
	struct engine_func *func = engine_instance_find_func(w->instance, lb_bytes_of(name));
	struct engine_func_type type = engine_func_type(func);
	union engine_value values[16] = { 0 }, result = { .i32 = 0 };

	for (uint32_t i = 0; i < type.param_count; i++)
		values[i].i64 = args[i];
	w->err = engine_func_call(func, values, type.param_count, &result, type.result_count);
	return (enum wasi_errno)result.i32;
}

/* ---- memory ---- */

unsigned char *world_at(struct world *w, uint32_t at)
{
	struct engine_memory *memory = engine_instance_find_memory(w->instance, LB_B("memory"));

	return engine_memory_base(memory) + at;
}

uint32_t world_u32(struct world *w, uint32_t at)
{
	uint32_t value;

	memcpy(&value, world_at(w, at), sizeof value);
	return value;
}

uint64_t world_u64(struct world *w, uint32_t at)
{
	uint64_t value;

	memcpy(&value, world_at(w, at), sizeof value);
	return value;
}

void world_set_u32(struct world *w, uint32_t at, uint32_t value)
{
	memcpy(world_at(w, at), &value, sizeof value);
}

void world_set_u64(struct world *w, uint32_t at, uint64_t value)
{
	memcpy(world_at(w, at), &value, sizeof value);
}

uint32_t world_text(struct world *w, uint32_t at, const char *text)
{
	memcpy(world_at(w, at), text, strlen(text));
	return (uint32_t)strlen(text);
}

/* ---- files ---- */

enum wasi_errno world_open(struct world *w, uint32_t folder, const char *path, uint32_t oflags,
                           uint64_t rights, uint32_t fdflags)
{
	return CALL(w, path_open, folder, WASI_LOOKUP_FOLLOW, PATH(w, path), oflags, rights, 0,
	            fdflags, AT_ANSWER);
}

uint32_t world_opened(struct world *w, uint32_t folder, const char *path, uint32_t oflags,
                      uint64_t rights)
{
	struct test *t = w->t;

	CHECK(world_open(w, folder, path, oflags, rights, 0) == WASI_OK);
	return world_u32(w, AT_ANSWER);
}

void world_piece(struct world *w, uint32_t len)
{
	world_set_u32(w, AT_PIECES, AT_DATA);
	world_set_u32(w, AT_PIECES + 4, len);
}

void world_sh(struct world *w, const char *script)
{
	struct test *t = w->t;

	CHECK_OK(lb_run_ok(&(struct lb_run){ .argv = (const char *const[]){ "sh", "-euc", script,
	                                                                    NULL },
	                                     .cwd = w->folder },
	                   NULL, NULL));
}
