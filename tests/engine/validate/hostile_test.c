/* hostile_test.c - modules made to cost much: each ends, in little time and memory. */
#include "tests/engine/wasm.h"

#include <time.h>

/* Modules of a megabyte or so; even with the sanitizers a second is far too long. */
enum { BYTES = 1 << 20, MEMORY_MAX = 256 << 20 };

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static lb_err check(struct test *t, struct wasm *w, const char *what)
{
	struct engine_module *module;
	struct lb_budget budget;
	struct lb_diag diag = { 0 };
	double start = seconds();
	lb_err err;

	lb_budget_init(&budget, t->mem, MEMORY_MAX);
	err = engine_module_new(&module, &budget.mem, wasm_bytes(w), NULL, &diag);
	if (lb_code_of(err) == LB_E_NOMEM || seconds() - start > 4) {
		printf("# %s: %s, %.2f s\n", what, lb_diag_text(&diag, err), seconds() - start);
		t->failures++;
	}
	engine_module_free(module);
	wasm_release(w);
	return err;
}

static void repeat(struct lb_buf *buf, struct lb_bytes bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		lb_buf_add(buf, bytes);
}

TEST(many_functions_with_many_locals)
{
	struct wasm w;

	wasm_init(&w);
	(void)wasm_type(&w, ":");
	for (unsigned i = 0; i < BYTES / 8; i++)
		wasm_func(&w, 0, 50000, LB_B("\x01"));
	CHECK_OK(check(t, &w, "locals"));
	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, ":"), 50001, LB_B("\x01"));
	CHECK(lb_code_of(check(t, &w, "one local too many")) == LB_E_LIMIT);
}

/* One function whose code is `head`, `count` times `body`, `tail`. */
static lb_err one_function(struct test *t, const char *type, uint32_t locals, struct lb_bytes head,
                           struct lb_bytes body, struct lb_bytes tail, size_t count,
                           const char *what)
{
	struct lb_buf code;
	struct wasm w;

	lb_buf_init(&code, &lb_mem_host, 64 << 20);
	lb_buf_add(&code, head);
	repeat(&code, body, count);
	repeat(&code, tail, tail.len == 1 ? count : 1);
	wasm_init(&w);
	wasm_add(&w, WASM_MEMORY, (struct lb_bytes)LB_LIT("\x00\x01"));
	wasm_func(&w, wasm_type(&w, type), locals, lb_buf_bytes(&code));
	lb_buf_release(&code);
	return check(t, &w, what);
}

TEST(deep_nesting)
{
	CHECK_OK(
		one_function(t, ":", 0, LB_B(""), LB_B("\x02\x40"), LB_B("\x0b"), 90000, "blocks"));
	CHECK_OK(one_function(t, ":", 0, LB_B(""), LB_B("\x03\x40"), LB_B("\x0b"), 90000, "loops"));
	CHECK_OK(one_function(t, ":", 0, LB_B(""), LB_B("\x41\x00\x04\x40"), LB_B("\x0b"), 90000,
	                      "ifs"));
	CHECK(lb_code_of(one_function(t, ":", 0, LB_B(""), LB_B("\x02\x40"), LB_B("\x0b"), 110000,
	                              "too many blocks")) == LB_E_LIMIT);
}

TEST(deep_operands_that_stand_for_locals)
{
	/* 60,000 operands that stand for one local, others on top, then writes to all sorts. */
	struct lb_buf code;
	struct wasm w;

	lb_buf_init(&code, &lb_mem_host, 64 << 20);
	repeat(&code, (struct lb_bytes)LB_LIT("\x20\x00"), 30000);
	repeat(&code, LB_B("\x41\x07\x21\x01\x20\x01\x1a"), BYTES / 14);
	repeat(&code, (struct lb_bytes)LB_LIT("\x41\x07\x21\x00\x20\x00\x1a"), BYTES / 14);
	repeat(&code, (struct lb_bytes)LB_LIT("\x02\x40\x20\x00\x21\x01\x0b"), BYTES / 14);
	repeat(&code, LB_B("\x1a"), 30000);
	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, ":"), 2, lb_buf_bytes(&code));
	lb_buf_release(&code);
	CHECK_OK(check(t, &w, "aliases"));
	CHECK(lb_code_of(one_function(t, ":", 0, LB_B(""), LB_B("\x41\x00"), LB_B("\x1a"), 70000,
	                              "too many operands")) == LB_E_LIMIT);
}

TEST(huge_branch_tables)
{
	/* A value, br_table with a million labels: those to an outer block must move the value. */
	struct lb_buf code;
	struct wasm w;

	lb_buf_init(&code, &lb_mem_host, 64 << 20);
	lb_buf_add(&code, LB_B("\x02\x7f\x41\x01\x41\x02\x41\x00\x0e"));
	code.at[code.len - 2] = 0;
	wasm_leb(&code, BYTES);
	repeat(&code, (struct lb_bytes)LB_LIT("\x00"), BYTES + 1);
	lb_buf_add(&code, LB_B("\x0b\x1a"));
	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, ":"), 0, lb_buf_bytes(&code));
	lb_buf_release(&code);
	CHECK_OK(check(t, &w, "labels"));
}

TEST(branches_with_many_values)
{
	/* A type of 1,000 results, and br_if after br_if with all of them. */
	char signature[1002];
	struct lb_buf code;
	struct wasm w;

	memset(signature, 'i', sizeof signature - 1);
	signature[0] = ':';
	signature[1001] = '\0';
	wasm_init(&w);
	lb_buf_init(&code, &lb_mem_host, 64 << 20);
	lb_buf_add(&code, LB_B("\x41\x00"));
	repeat(&code, LB_B("\x41\x00"), 1000);
	repeat(&code, (struct lb_bytes)LB_LIT("\x41\x00\x0d\x00"), BYTES / 16);
	lb_buf_add(&code, LB_B("\x0f"));
	(void)wasm_type(&w, signature);
	wasm_func(&w, 0, 0, lb_buf_bytes(&code));
	lb_buf_release(&code);
	CHECK_OK(check(t, &w, "values"));
}

TEST(huge_branch_tables_with_many_values)
{
	char signature[1002];
	struct lb_buf code;
	struct wasm w;

	memset(signature, 'i', sizeof signature - 1);
	signature[0] = ':';
	signature[1001] = '\0';
	wasm_init(&w);
	lb_buf_init(&code, &lb_mem_host, 64 << 20);
	lb_buf_add(&code, (struct lb_bytes)LB_LIT("\x02\x00"));
	repeat(&code, LB_B("\x41\x01"), 1000);
	lb_buf_add(&code, (struct lb_bytes)LB_LIT("\x41\x00\x0e"));
	wasm_leb(&code, BYTES);
	repeat(&code, LB_B("\x01"), BYTES / 2); /* to the function: by way of a return each */
	repeat(&code, (struct lb_bytes)LB_LIT("\x00"), BYTES / 2 + 1);
	lb_buf_add(&code, LB_B("\x0b"));
	(void)wasm_type(&w, signature);
	wasm_func(&w, 0, 0, lb_buf_bytes(&code));
	lb_buf_release(&code);
	CHECK_OK(check(t, &w, "labels with values"));
}

TEST(many_types_functions_and_exports)
{
	struct wasm w;
	char name[16];

	wasm_init(&w);
	for (unsigned i = 0; i < BYTES / 16; i++)
		(void)wasm_type(&w, "ii:i");
	for (unsigned i = 0; i < BYTES / 16; i++) {
		wasm_func(&w, i, 0, (struct lb_bytes)LB_LIT("\x41\x00"));
		(void)snprintf(name, sizeof name, "f%u", i);
		wasm_export(&w, name, ENGINE_FUNC, i);
	}
	CHECK_OK(check(t, &w, "exports"));
}

TEST(huge_tables_and_memories_are_refused_when_made)
{
	struct wasm_run run;
	struct wasm w;

	wasm_init(&w);
	wasm_add(&w, WASM_TABLE, (struct lb_bytes)LB_LIT("\x70\x00\xff\xff\xff\xff\x0f"));
	CHECK(lb_code_of(wasm_start(&run, t->mem, wasm_bytes(&w), NULL)) == LB_E_LIMIT);
	wasm_release(&w);
	wasm_init(&w);
	wasm_add(&w, WASM_MEMORY, (struct lb_bytes)LB_LIT("\x00\x80\x80\x04"));
	CHECK(lb_code_of(wasm_start(&run, t->mem, wasm_bytes(&w),
	                            &(struct engine_store_options){ .memory_pages_max = 100 })) ==
	      LB_E_LIMIT);
	wasm_release(&w);
}

/* ---- types ---- */

/* A structure of two references to the type before: as a tree it would have 2^n nodes. */
TEST(types_made_of_types_are_no_trees)
{
	struct lb_buf type;
	struct wasm w;

	wasm_init(&w);
	lb_buf_init(&type, &lb_mem_host, 64);
	wasm_add(&w, WASM_TYPE, (struct lb_bytes)LB_LIT("\x5f\x00"));
	for (unsigned i = 0; i < BYTES / 12; i++) {
		lb_buf_reset(&type);
		lb_buf_add(&type, (struct lb_bytes)LB_LIT("\x5f\x02"));
		for (unsigned field = 0; field < 2; field++) {
			lb_buf_add_byte(&type, 0x63);
			/* A signed number, in four bytes. */
			wasm_leb(&type, i | 1u << 27);
			type.at[type.len - 1] = 0;
			lb_buf_add_byte(&type, 0);
		}
		wasm_add(&w, WASM_TYPE, lb_buf_bytes(&type));
	}
	lb_buf_release(&type);
	CHECK_OK(check(t, &w, "types"));
}

TEST(subtypes_nest_so_deep_and_no_deeper)
{
	for (unsigned depth = 63; depth <= 64; depth++) {
		struct wasm w;

		wasm_init(&w);
		wasm_add(&w, WASM_TYPE, (struct lb_bytes)LB_LIT("\x50\x00\x5f\x00"));
		for (unsigned i = 0; i < depth; i++) {
			unsigned char type[] = { 0x50, 1, (unsigned char)i, 0x5f, 0 };

			wasm_add(&w, WASM_TYPE, (struct lb_bytes){ type, sizeof type });
		}
		CHECK(lb_code_of(check(t, &w, "subtypes")) ==
		      (depth == 63 ? LB_E_NONE : LB_E_LIMIT));
	}
}

/* Many references on the operand stack, while many calls are under way: where they are is
 * written down for each call. */
TEST(references_at_calls_are_bounded)
{
	struct lb_buf code;
	struct wasm w;

	lb_buf_init(&code, &lb_mem_host, 64 << 20);
	repeat(&code, LB_B("\xfb\x01\x01"), 20000); /* struct.new_default 1 */
	repeat(&code, LB_B("\x10\x00"), BYTES / 4); /* call 0 */
	repeat(&code, LB_B("\x1a"), 20000);
	wasm_init(&w);
	(void)wasm_type(&w, ":");
	wasm_add(&w, WASM_TYPE, (struct lb_bytes)LB_LIT("\x5f\x00"));
	wasm_func(&w, 0, 0, lb_buf_bytes(&code));
	lb_buf_release(&code);
	CHECK(lb_code_of(check(t, &w, "references")) == LB_E_LIMIT);
}

TEST(blocks_that_catch_nest_deeply)
{
	CHECK_OK(one_function(t, ":", 0, LB_B(""), LB_B("\x1f\x40\x01\x02\x00"), LB_B("\x0b"),
	                      30000, "try_table"));
}
