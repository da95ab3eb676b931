/* module_test.c - decoding: what is listed, what is refused, where, and with little memory. */
#include "tests/engine/wasm.h"

/* One of everything: an import, a table, a memory, a global, segments, a start function. */
static void everything(struct wasm *w)
{
	uint32_t none, binary;

	wasm_init(w);
	none = wasm_type(w, ":");
	binary = wasm_type(w, "ii:i");
	wasm_add(w, WASM_TABLE, LB_B("\x70\x01\x02\x08"));
	wasm_add(w, WASM_MEMORY, LB_B("\x01\x01\x03"));
	wasm_add(w, WASM_GLOBAL, LB_B("\x7f\x01\x41\x2a\x0b"));
	wasm_add(w, WASM_GLOBAL, LB_B("\x7f\x00\x41\x07\x41\x03\x6c\x0b"));
	wasm_func(w, none, 0, LB_B("\x41\x01\x24\x00"));
	wasm_func(w, binary, 1,
	          LB_B("\x20\x00\x20\x01\x6a\x22\x02\x04\x7f\x20\x02\x05\x41\x7f\x0b\x23\x01\x6a"));
	wasm_add(w, WASM_START, (struct lb_bytes)LB_LIT("\x00"));
	wasm_add(w, WASM_ELEMENT, (struct lb_bytes)LB_LIT("\x00\x41\x00\x0b\x02\x00\x01"));
	wasm_add(w, WASM_DATA_COUNT, LB_B("\x01"));
	wasm_add(w, WASM_DATA,
	         (struct lb_bytes)LB_LIT("\x00\x41\x08\x0b\x03"
	                                 "abc"));
	wasm_export(w, "run", ENGINE_FUNC, 1);
	wasm_export(w, "memory", ENGINE_MEMORY, 0);
	wasm_export(w, "global", ENGINE_GLOBAL, 0);
	wasm_export(w, "table", ENGINE_TABLE, 0);
}

TEST(module_lists_imports_and_exports)
{
	struct engine_module *module;
	struct engine_import import;
	struct engine_export export;
	struct wasm w;

	everything(&w);
	CHECK_OK(engine_module_new(&module, t->mem, wasm_bytes(&w), NULL, NULL));
	CHECK(engine_module_import_count(module) == 0 && engine_module_export_count(module) == 4);
	engine_module_export(&export, module, 0);
	CHECK_BYTES(export.name, "run");
	CHECK(export.type.kind == ENGINE_FUNC && export.type.func.param_count == 2);
	engine_module_export(&export, module, 1);
	CHECK(export.type.kind == ENGINE_MEMORY && export.type.memory.limits.max == 3);
	engine_module_export(&export, module, 2);
	CHECK(export.type.kind == ENGINE_GLOBAL && export.type.global.is_mutable);
	engine_module_export(&export, module, 3);
	CHECK(export.type.kind == ENGINE_TABLE && export.type.table.element == ENGINE_FUNCREF);
	engine_module_free(module);
	wasm_release(&w);

	wasm_init(&w);
	wasm_import_func(&w, "env", "log", wasm_type(&w, "iIfFrx:i"));
	CHECK_OK(engine_module_new(&module, t->mem, wasm_bytes(&w), NULL, NULL));
	CHECK(engine_module_import_count(module) == 1);
	engine_module_import(&import, module, 0);
	CHECK_BYTES(import.module, "env");
	CHECK_BYTES(import.name, "log");
	CHECK(import.type.func.param_count == 6 && import.type.func.params[5] == ENGINE_EXTERNREF);
	engine_module_free(module);
	wasm_release(&w);
}

TEST(module_cut_at_every_byte_is_malformed)
{
	struct lb_bytes whole;
	struct wasm w;

	everything(&w);
	whole = wasm_bytes(&w);
	for (size_t len = 0; len < whole.len; len++) {
		struct lb_bytes cut = test_exact(lb_bytes_upto(whole, len));
		struct engine_module *module;
		struct lb_diag diag = { 0 };
		lb_err err = engine_module_new(&module, t->mem, cut, NULL, &diag);

		/* The head alone is a module, and so is it with the types. */
		if (len == 8 || len == 20) {
			CHECK_OK(err);
		} else {
			CHECK(lb_code_of(err) == LB_E_MALFORMED && lb_where(err) <= len);
			CHECK(diag.text[0] != '\0' && module == NULL);
		}
		engine_module_free(module);
		test_exact_free(cut);
	}
	wasm_release(&w);
}

TEST(module_with_any_byte_changed_ends_cleanly)
{
	struct lb_bytes whole;
	struct wasm w;

	everything(&w);
	whole = wasm_bytes(&w);
	for (size_t i = 0; i < whole.len; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			struct engine_module *module;

			w.bytes.at[i] ^= (unsigned char)(1u << bit);
			if (!lb_failed(engine_module_new(&module, t->mem, whole, NULL, NULL)))
				engine_module_free(module);
			w.bytes.at[i] ^= (unsigned char)(1u << bit);
		}
	wasm_release(&w);
}

TEST(module_survives_every_oom)
{
	struct wasm w;

	everything(&w);
	EACH_OOM (t) {
		struct engine_module *module;
		lb_err err = engine_module_new(&module, t->mem, wasm_bytes(&w), NULL, NULL);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(lb_failed(err) == (module == NULL));
		engine_module_free(module);
	}
	wasm_release(&w);
}

static void check_refused(struct test *t, struct wasm *w,
                          const struct engine_module_options *options, enum lb_code code,
                          const char *text, int line)
{
	struct engine_module *module;
	struct lb_diag diag = { 0 };
	lb_err err = engine_module_new(&module, t->mem, wasm_bytes(w), options, &diag);

	if (lb_code_of(err) != code ||
	    !lb_bytes_starts(lb_bytes_of(diag.text), lb_bytes_of(text))) {
		printf("# line %d: %s, \"%s\"\n", line, lb_err_text(err), diag.text);
		t->failures++;
	}
	engine_module_free(module);
	wasm_release(w);
}

#define OFF(feature) \
	&(struct engine_module_options) \
	{ \
		.features_off = ENGINE_FEATURE_BIT(ENGINE_FEATURE_##feature) \
	}

#define CHECK_REFUSED(w, options, code, text) check_refused(t, w, options, code, text, __LINE__)

TEST(module_errors_name_offset_function_and_instruction)
{
	struct wasm w;

	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, ":i"), 0, LB_B("\x42\x01\x41\x01\x6a"));
	CHECK_REFUSED(&w, NULL, LB_E_INVALID,
	              "type mismatch: instruction requires [i32] but stack has [i64] at byte 0x1e, "
	              "in function 0, i32.add");
	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, ":"), 0, LB_B("\x10\x07"));
	CHECK_REFUSED(&w, NULL, LB_E_INVALID,
	              "unknown function 7 at byte 0x19, in function 0, call");
	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, ":"), 0, LB_B("\xfc\x1f"));
	CHECK_REFUSED(&w, NULL, LB_E_MALFORMED, "illegal opcode fc 1f");
	wasm_init(&w);
	wasm_export(&w, "x", ENGINE_MEMORY, 3);
	CHECK_REFUSED(&w, NULL, LB_E_INVALID, "unknown memory 3");
}

TEST(module_features_can_be_switched_off)
{
	struct wasm w;

	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, "i:i"), 0, (struct lb_bytes)LB_LIT("\x20\x00\xc0"));
	CHECK_REFUSED(&w, OFF(SIGN_EXTENSION), LB_E_MALFORMED, "illegal opcode");
	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, "f:i"), 0, (struct lb_bytes)LB_LIT("\x20\x00\xfc\x00"));
	CHECK_REFUSED(&w, OFF(SATURATING_CONVERT), LB_E_MALFORMED, "illegal opcode");
	wasm_init(&w);
	(void)wasm_type(&w, ":ii");
	CHECK_REFUSED(&w, OFF(MULTI_VALUE), LB_E_INVALID, "invalid result arity");
	wasm_init(&w);
	wasm_add(&w, WASM_MEMORY, (struct lb_bytes)LB_LIT("\x00\x01"));
	wasm_add(&w, WASM_DATA, LB_B("\x01\x01x"));
	CHECK_REFUSED(&w, OFF(BULK_MEMORY), LB_E_MALFORMED, "malformed data segment kind");
	wasm_init(&w);
	(void)wasm_type(&w, "x:");
	CHECK_REFUSED(&w, OFF(REFERENCES), LB_E_MALFORMED, "malformed value type");
	wasm_init(&w);
	wasm_add(&w, WASM_GLOBAL, LB_B("\x7f\x01\x41\x2a\x0b"));
	wasm_export(&w, "g", ENGINE_GLOBAL, 0);
	CHECK_REFUSED(&w, OFF(MUTABLE_GLOBALS), LB_E_INVALID, "mutable globals cannot be exported");
	wasm_init(&w);
	wasm_add(&w, WASM_GLOBAL, (struct lb_bytes)LB_LIT("\x7f\x00\x41\x07\x41\x03\x6c\x0b"));
	CHECK_REFUSED(&w, OFF(EXTENDED_CONST), LB_E_INVALID, "constant expression required");
}

TEST(module_counts_are_bounded_by_bytes)
{
	/* Each claims 2^28 entries and has none. */
	for (unsigned id = WASM_TYPE; id <= WASM_DATA; id++) {
		unsigned char bytes[] = { 0, 'a',  's',  'm',  1,    0,   0, 0, (unsigned char)id,
			                  5, 0x80, 0x80, 0x80, 0x80, 0x01 };
		struct engine_module *module;
		lb_err err;

		if (id == WASM_START)
			continue;
		err = engine_module_new(&module, t->mem, (struct lb_bytes){ bytes, sizeof bytes },
		                        NULL, NULL);
		CHECK(lb_code_of(err) == LB_E_MALFORMED);
	}
}
