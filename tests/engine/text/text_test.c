/* text_test.c - text to binary and back: what comes out, what is refused and where. */
#include "engine/text/text.h"
#include "engine/module.h"
#include "tests/harness/test.h"

enum { BYTES_MAX = 1 << 20 };

/* One of everything that the format has. */
static const char everything[] =
	"(module $m (@custom \"extra\" (after type) \"content\")\n"
	"  (type $f (func (param $a i32) (param i64) (result i32)))\n"
	"  (rec (type $s (sub (struct (field $x (mut i8)) (field i64 (ref null $s)))))\n"
	"       (type $t (sub final $s (struct (field $x (mut i8)) (field i64 (ref null $s))))))\n"
	"  (type $v (array (mut i16)))\n"
	"  (import \"m\" \"f\" (func $imported (type $f)))\n"
	"  (memory $mem (export \"mem\") 1 2) (memory $other i64 1 (pagesize 1))\n"
	"  (table $tab 3 funcref (ref.null func)) (table $full funcref (elem $imported 1))\n"
	"  (tag $e (param i32))\n"
	"  (global $g (mut i32) (i32.add (i32.const 1) (i32.const -1)))\n"
	"  (export \"again\" (func $imported)) (start $empty)\n"
	"  (elem $seg (table $tab) (offset i32.const 1) func $imported)\n"
	"  (elem declare funcref (ref.func $empty) (item ref.null func))\n"
	"  (data $d (memory $other) (i64.const 0) \"a\\00\\u{e9}\\n\") (data \"passive\")\n"
	"  (func $empty)\n"
	"  (func $all (export \"all\") (param $p f32) (result i32) (local $l i32) (local i32 "
	"v128)\n"
	"    (block $b (result i32)\n"
	"      (@metadata.code.branch_hint \"\\01\") (if (i32.const 1) (then (br $b (i32.const "
	"7))))\n"
	"      loop $again\n"
	"        local.get $l br_if $again\n"
	"        local.get 1 br_table 0 $again $b\n"
	"      end $again\n"
	"      (i32.load8_u $mem offset=4 (i32.const 0)) drop\n"
	"      (v128.load32_lane align=1 2 (i32.const 0) (v128.const f32x4 1 nan inf -0)) drop\n"
	"      (try_table (catch $e $b) (throw $e (i32.const 3)))\n"
	"      (struct.get_u $t $x (struct.new_default $t)) drop\n"
	"      (br_on_cast 0 anyref (ref $t) (ref.null any)) drop\n"
	"      (call_indirect $full (param i32) (i32.const 1) (i32.const 0))\n"
	"      (select (result i64) (i64.const 1) (i64.const 2) (i32.const 0)) drop\n"
	"      (memory.init $mem $d (i32.const 0) (i32.const 0) (i32.const 0))\n"
	"      (f64.const 0x1.8p+3) drop unreachable)))\n";

static lb_err assemble(struct lb_buf *out, struct lb_mem *mem, struct lb_bytes text,
                       struct lb_diag *diag)
{
	const struct engine_text_options options = { .name = "f.wat" };
	/* A block of the exact size, so that a sanitizer sees what is read beyond. */
	struct lb_bytes exact = test_exact(text);
	lb_err err = engine_text_to_binary(out, mem, exact, &options, diag);

	test_exact_free(exact);
	return err;
}

/* The binary of `text` in hexadecimal, without the header, or what is wrong. */
static const char *binary_of(char out[1024], const char *text)
{
	struct lb_diag diag = { 0 };
	struct lb_buf binary;
	lb_err err;

	lb_buf_init(&binary, &lb_mem_host, BYTES_MAX);
	err = assemble(&binary, &lb_mem_host, lb_bytes_of(text), &diag);
	out[0] = '\0';
	if (lb_failed(err))
		(void)snprintf(out, 1024, "%s", lb_diag_text(&diag, err));
	for (size_t i = 8; i < binary.len && i < 500; i++)
		(void)snprintf(out + 2 * (i - 8), 3, "%02x", (unsigned)binary.at[i]);
	lb_buf_release(&binary);
	return out;
}

TEST(small_modules_have_the_expected_bytes)
{
	static const struct {
		const char *text, *binary;
	} cases[] = {
		{ "", "" },
		{ "(module)", "" },
		{ "(module binary \"\\00asm\\01\\00\\00\\00\" \"\\00\\01\\00\")", "000100" },
		{ "(module quote \"(func\" \"(nop))\")", "0104016000000302010"
		                                         "00a0501030001"
		                                         "0b" },
		{ "(func (param i32) (result i32) local.get 0)", "0106016"
		                                                 "0017f017f"
		                                                 "03020100"
		                                                 "0a0601040020000b" },
		{ "(func (export \"f\") (i32.add (i32.const -1) (i32.const 128)) drop)",
		  "01040160000003020100"
		  "070501"
		  "01660000"
		  "0a0b010900"
		  "417f"
		  "418001"
		  "6a1a0b" },
		{ "(memory 1) (data (i32.const 1) \"a\\ff\")", "0503010001"
		                                               "0b0801004101"
		                                               "0b0261ff" },
		{ "(type (func)) (rec (type (sub (func))) (type (struct (field i8))))",
		  "010f02"
		  "600000"
		  "4e02"
		  "5000600000"
		  "5f017800" },
		{ "(memory (data \"abc\"))", "050401010101"
		                             "0b09010041000b03616263" },
		{ "(table 1 funcref) (elem (i32.const 0) $f) (func $f)", "010401600000"
		                                                         "03020100"
		                                                         "0404017000"
		                                                         "01"
		                                                         "0907010041000b0100"
		                                                         "0a040102000b"
		                                                         "000b046e616d65"
		                                                         "010401000166" },
		{ "(global (export \"g\") (mut f32) (f32.const 1))", "060901"
		                                                     "7d01"
		                                                     "430000803f0b"
		                                                     "07050101670300" },
	};
	char got[1024];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		CHECK_TEXT(binary_of(got, cases[i].text), cases[i].binary);
}

TEST(errors_say_where_and_what)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "(func\n  (foo))", "f.wat:2:4: unknown operator foo" },
		{ "(func (i32.const 1_))", "f.wat:1:18: unknown operator 1_" },
		{ "(func i32.const 4294967296)", "f.wat:1:17: i32 constant out of range" },
		{ "(func br $x)", "f.wat:1:10: unknown label $x" },
		{ "(func (block $a end))", "f.wat:1:17: unexpected token end" },
		{ "(func block $a end $b)", "f.wat:1:20: mismatching label" },
		{ "(func", "f.wat:1:6: unexpected token: end of the text" },
		{ "(func))", "f.wat:1:7: unexpected token )" },
		{ "(func) (import \"\" \"\" (func))", "f.wat:1:8: import after function" },
		{ "(func $a) (func $a)", "f.wat:1:17: duplicate func $a" },
		{ "\xc3\xa9", "f.wat:1:1: illegal character" },
		{ "(; \xc3\xa9 ;) \xff", "f.wat:1:9: malformed UTF-8 encoding" },
		{ "(; (; ;)", "f.wat:1:1: unclosed comment" },
		{ "(memory 1) (func i32.const 0 i32.load align=3)",
		  "f.wat:1:39: alignment must be a power of two" },
		{ "(module quote \"(func\\n bar)\")", "quoted:2:2: unknown operator bar" },
		{ "(type $t (func)) (func (type $t) (param i32))",
		  "f.wat:1:24: inline function type" },
		{ "(func (@custom \"x\"))", "f.wat:1:7: misplaced @custom annotation" },
		{ "(func (v128.const i32x4 1 2 3))", "f.wat:1:30: wrong number of lane literals" },
		{ "(import \"\\ff\" \"\" (func))", "f.wat:1:9: malformed UTF-8 encoding" },
		{ "(memory 0x1_0000_0000_0000_0000)", "f.wat:1:9: i64 constant out of range" },
		{ "(start 0) (start 0)", "f.wat:1:11: multiple start sections" },
	};
	char got[1024];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		CHECK_TEXT(binary_of(got, cases[i].text), cases[i].error);
}

TEST(everything_there_and_back)
{
	struct lb_buf binary, text, again;
	struct lb_diag diag = { 0 };

	lb_buf_init(&binary, t->mem, BYTES_MAX);
	lb_buf_init(&text, t->mem, BYTES_MAX);
	lb_buf_init(&again, t->mem, BYTES_MAX);
	if (!CHECK_OK(assemble(&binary, t->mem, lb_bytes_of(everything), &diag)))
		printf("# %s\n", diag.text);
	CHECK_OK(engine_text_of_binary(&text, t->mem, lb_buf_bytes(&binary), &diag));
	if (!CHECK_OK(assemble(&again, t->mem, lb_buf_bytes(&text), &diag)))
		printf("# %s\n", diag.text);
	CHECK(lb_bytes_eq(lb_buf_bytes(&binary), lb_buf_bytes(&again)));
	if (!lb_bytes_eq(lb_buf_bytes(&binary), lb_buf_bytes(&again)))
		printf("# %s\n", lb_buf_text(&text));
	lb_buf_release(&binary);
	lb_buf_release(&text);
	lb_buf_release(&again);
}

TEST(text_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_buf binary;
		lb_err err;

		lb_buf_init(&binary, t->mem, BYTES_MAX);
		err = assemble(&binary, t->mem, lb_bytes_of(everything), NULL);
		CHECK(lb_failed(err) == t->heap.failed);
		if (lb_failed(err) != t->heap.failed)
			printf("# allocation %zu\n", t->heap.fail_at);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(!lb_failed(err) || binary.len == 0);
		lb_buf_release(&binary);
	}
}

TEST(printing_survives_every_oom)
{
	struct lb_buf binary;

	lb_buf_init(&binary, &lb_mem_host, BYTES_MAX);
	CHECK_OK(assemble(&binary, &lb_mem_host, lb_bytes_of(everything), NULL));
	EACH_OOM (t) {
		struct lb_buf text;
		lb_err err;

		lb_buf_init(&text, t->mem, BYTES_MAX);
		err = engine_text_of_binary(&text, t->mem, lb_buf_bytes(&binary), NULL);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_buf_release(&text);
	}
	lb_buf_release(&binary);
}

TEST(every_beginning_of_a_text_is_answered)
{
	for (size_t len = 0; len < sizeof everything - 1; len++) {
		struct lb_bytes text = { (const unsigned char *)everything, len };
		struct lb_buf binary;
		lb_err err;

		lb_buf_init(&binary, t->mem, BYTES_MAX);
		err = assemble(&binary, t->mem, text, NULL);
		CHECK(!lb_failed(err) ||
		      (lb_code_of(err) == LB_E_MALFORMED && lb_where(err) <= len));
		lb_buf_release(&binary);
	}
}

TEST(every_beginning_of_a_binary_is_answered)
{
	struct lb_buf binary;

	lb_buf_init(&binary, t->mem, BYTES_MAX);
	CHECK_OK(assemble(&binary, t->mem, lb_bytes_of(everything), NULL));
	for (size_t len = 0; len < binary.len; len++) {
		struct lb_bytes exact = test_exact(lb_bytes_upto(lb_buf_bytes(&binary), len));
		struct lb_buf text;
		lb_err err;

		lb_buf_init(&text, t->mem, BYTES_MAX);
		err = engine_text_of_binary(&text, t->mem, exact, NULL);
		CHECK(!lb_failed(err) ||
		      (lb_code_of(err) == LB_E_MALFORMED && lb_where(err) <= len));
		lb_buf_release(&text);
		test_exact_free(exact);
	}
	lb_buf_release(&binary);
}

TEST(sizes_end_at_32_bits_without_64_bit_memories)
{
	const struct engine_module_options without = { .features_off = ENGINE_FEATURE_BIT(
							       ENGINE_FEATURE_MEMORY64) };
	const struct engine_text_options options = { .features = &without };
	struct lb_diag diag = { 0 };
	struct lb_buf binary;

	lb_buf_init(&binary, t->mem, BYTES_MAX);
	CHECK_OK(engine_text_to_binary(&binary, t->mem, LB_B("(memory 0xffff_ffff)"), &options,
	                               &diag));
	CHECK(lb_code_of(engine_text_to_binary(&binary, t->mem, LB_B("(memory 0x1_0000_0000)"),
	                                       &options, &diag)) == LB_E_MALFORMED);
	CHECK_TEXT(diag.text, "1:9: i32 constant out of range");
	lb_buf_release(&binary);
}

TEST(few_bytes_of_locals_make_no_endless_text)
{
	/* One function, a run of 50,001 locals. */
	static const char many[] = "\0asm\1\0\0\0"
				   "\1\4\1\x60\0\0"
				   "\3\2\1\0"
				   "\xa\x8\1\6\1\xd1\x86\3\x7f\xb";
	struct lb_diag diag = { 0 };
	struct lb_buf text;

	lb_buf_init(&text, t->mem, BYTES_MAX);
	CHECK(lb_code_of(engine_text_of_binary(&text, t->mem, LB_B(many), &diag)) ==
	      LB_E_MALFORMED);
	CHECK_TEXT(diag.text, "too many locals at byte 0x1a");
	lb_buf_release(&text);
}

TEST(nothing_is_no_binary)
{
	struct lb_buf text;

	lb_buf_init(&text, t->mem, BYTES_MAX);
	CHECK(lb_code_of(engine_text_of_binary(&text, t->mem, (struct lb_bytes){ 0 }, NULL)) ==
	      LB_E_MALFORMED);
	lb_buf_release(&text);
}

/* A text of `count` openings, what is between, and as many ends. */
static lb_err assemble_nested(struct test *t, unsigned count, const char *open, const char *close)
{
	struct lb_buf text, binary;
	lb_err err;

	lb_buf_init(&text, t->mem, 64 << 20);
	lb_buf_init(&binary, t->mem, 64 << 20);
	lb_buf_add_text(&text, "(func ");
	for (unsigned i = 0; i < count; i++)
		lb_buf_add_text(&text, open);
	for (unsigned i = 0; i < count; i++)
		lb_buf_add_text(&text, close);
	lb_buf_add_text(&text, ")");
	CHECK_OK(lb_buf_check(&text));
	err = engine_text_to_binary(&binary, t->mem, lb_buf_bytes(&text), NULL, NULL);
	lb_buf_release(&text);
	lb_buf_release(&binary);
	return err;
}

TEST(depth_costs_no_stack)
{
	CHECK_OK(assemble_nested(t, 100000, "(block ", ")"));
	CHECK_OK(assemble_nested(t, 100000, "(i32.eqz ", ")"));
	CHECK_OK(assemble_nested(t, 100000, "loop $l br $l ", "end "));
	CHECK(lb_code_of(assemble_nested(t, 1100000, "block ", "end ")) == LB_E_LIMIT);
	CHECK(lb_code_of(assemble_nested(t, 100000, "(; ", "")) == LB_E_MALFORMED);
}

TEST(texts_are_told_from_binaries)
{
	CHECK(engine_text_is(LB_B(" (module)")));
	CHECK(engine_text_is(LB_B(";; of no module")));
	CHECK(!engine_text_is(LB_B("plain words")));
	CHECK(!engine_text_is(LB_B("\0asm")));
	CHECK(!engine_text_is(LB_B("")));
}
