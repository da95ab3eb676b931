/* script_test.c - the official tests' script language. */
#include "engine/text/script.h"
#include "engine/command/wast.h"
#include "tests/harness/test.h"

static const char sample[] =
	"(module $m (func (export \"f\") (param i32) (result i32) (local.get 0))\n"
	"  (func (export \"t\") unreachable) (global (export \"g\") f32 (f32.const 0)))\n"
	"(register \"M\" $m)\n"
	"(assert_return (invoke $m \"f\" (i32.const 7)) (i32.const 7))\n"
	"(assert_return (get \"g\") (either (f32.const nan:canonical) (f32.const 0)))\n"
	"(assert_trap (invoke \"t\") \"unreachable\")\n"
	"(assert_malformed (module quote \"(func\") \"unexpected token\")\n"
	"(assert_malformed (module binary \"\\00asm\") \"unexpected end\")\n"
	"(assert_invalid (module (func (result i32))) \"type mismatch\")\n"
	"(assert_unlinkable (module (import \"M\" \"x\" (func))) \"unknown import\")\n"
	"(assert_trap (module (func $s unreachable) (start $s)) \"unreachable\")\n"
	"(module definition $d (memory (export \"m\") 1)) (module instance $i $d)\n";

TEST(a_script_is_run_whole)
{
	struct engine_wast_counts counts = { 0 };
	struct lb_diag diag = { 0 };

	if (!CHECK_OK(engine_wast_run(&counts, t->mem, lb_bytes_of(sample), "sample",
	                              &(struct engine_wast_options){ .to = stdout }, &diag)))
		printf("# %s\n", diag.text);
	CHECK(counts.commands == 12 && counts.assertions == 8 && counts.failures == 0);
}

TEST(what_does_not_hold_is_counted)
{
	static const char *const wrong[] = {
		"(module (func (export \"f\") (result i32) (i32.const 1)))"
		"(assert_return (invoke \"f\") (i32.const 2))",
		"(module (func (export \"f\") (result i32) (i32.const 1)))"
		"(assert_return (invoke \"f\"))",
		"(module (func (export \"f\"))) (assert_trap (invoke \"f\") \"unreachable\")",
		"(module (func (export \"f\") unreachable)) (assert_trap (invoke \"f\") "
		"\"overflow\")",
		"(module (func)) (assert_return (invoke \"f\"))",
		"(assert_malformed (module quote \"(func)\") \"unexpected token\")",
		"(assert_malformed (module quote \"(func $)\") \"unexpected token\")",
		"(assert_invalid (module (func)) \"type mismatch\")",
		"(assert_unlinkable (module) \"unknown import\")",
		"(module (func (result i32)))",
		"(module instance $i $none)",
		"(register \"x\" $none)",
		"(module) (assert_suspension (invoke \"f\") \"unhandled\") (module)",
	};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct engine_wast_counts counts = { 0 };

		CHECK_OK(engine_wast_run(&counts, t->mem, lb_bytes_of(wrong[i]), "wrong", NULL,
		                         NULL));
		CHECK(counts.failures == 1);
		if (counts.failures != 1)
			printf("# %s\n", wrong[i]);
	}
}

static bool known_at_two(void *ctx, size_t line)
{
	(void)ctx;
	return line == 2;
}

TEST(known_failures_must_fail)
{
	const struct engine_wast_options options = { .is_known = known_at_two };
	struct engine_wast_counts counts = { 0 };

	CHECK_OK(engine_wast_run(&counts, t->mem, LB_B("(module)\n(assert_invalid (module) \"x\")"),
	                         "s", &options, NULL));
	CHECK(counts.known == 1 && counts.failures == 0);
	CHECK_OK(engine_wast_run(&counts, t->mem, LB_B("(module)\n(module)"), "s", &options, NULL));
	CHECK(counts.known == 1 && counts.failures == 1);
}

TEST(fields_alone_are_a_module)
{
	struct engine_wast_counts counts = { 0 };

	CHECK_OK(engine_wast_run(&counts, t->mem, LB_B("(func) (memory 1)"), "s", NULL, NULL));
	CHECK(counts.commands == 1 && counts.failures == 0);
	CHECK_OK(engine_wast_run(&counts, t->mem, LB_B(";; nothing"), "s", NULL, NULL));
	CHECK(counts.commands == 1);
}

TEST(a_script_that_cannot_be_read_is_an_error)
{
	static const char *const bad[] = { "(assert_return", "(module (func)", "(invoke f)",
		                           "(assert_return (invoke \"f\" (i32.const x)))", ")" };

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct engine_wast_counts counts = { 0 };
		struct lb_diag diag = { 0 };
		lb_err err =
			engine_wast_run(&counts, t->mem, lb_bytes_of(bad[i]), "s", NULL, &diag);

		CHECK(lb_code_of(err) == LB_E_MALFORMED || counts.failures > 0);
	}
}

TEST(scripts_survive_every_oom)
{
	EACH_OOM (t) {
		struct engine_wast_counts counts = { 0 };
		lb_err err = engine_wast_run(&counts, t->mem, lb_bytes_of(sample), "s", NULL, NULL);

		/* What is wrong in a quoted text may be found before memory is missed. */
		CHECK(!lb_failed(err) || t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
	}
}
