/* command_test.c - the commands while memory runs out, and numbers of the command line. */
#include "engine/command/command.h"
#include "base/io/file.h"
#include "tests/engine/wasm.h"

#include <stdio.h>

static const struct lb_command commands[] = {
	{ .name = "run",
	  .operands = "FILE [ARG...]",
	  .about = "",
	  .options = engine_run_options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .stop_at_operand = true,
	  .run = engine_cmd_run },
	{ .name = "validate",
	  .operands = "FILE...",
	  .about = "",
	  .operands_min = 1,
	  .operands_max = -1,
	  .run = engine_cmd_validate },
	{ .name = "inspect",
	  .operands = "FILE",
	  .about = "",
	  .operands_min = 1,
	  .operands_max = 1,
	  .run = engine_cmd_inspect },
	{ 0 },
};

static const struct lb_program program = { .name = "engine", .about = "", .commands = commands };

static const char *add_module(struct test *t)
{
	static char path[1200];
	struct wasm w;

	(void)snprintf(path, sizeof path, "%s/add.wasm", test_folder(t));
	wasm_init(&w);
	wasm_func(&w, wasm_type(&w, "ii:i"), 0, LB_B("\x20\x00\x20\x01\x6a"));
	wasm_export(&w, "add", ENGINE_FUNC, 0);
	CHECK_OK(lb_file_write(&plat_host, path, wasm_bytes(&w), 0, NULL));
	wasm_release(&w);
	return path;
}

/* A command line, "@" in it being the module, with every allocation failing in turn: status 0 or,
 * for want of memory, 4. */
static void sweep(struct test *t, const char *line, const char *expected)
{
	char words[256], path[1200], *argv[32] = { NULL };
	int argc = 0;

	(void)snprintf(path, sizeof path, "%s", add_module(t));
	(void)snprintf(words, sizeof words, "%s", line);
	for (char *word = words; word != NULL; argc++) {
		char *end = strchr(word, ' ');

		if (end != NULL)
			*end++ = '\0';
		argv[argc] = strcmp(word, "@") == 0 ? path : word;
		word = end;
	}
	EACH_OOM (t) {
		char text[512] = { 0 };
		FILE *out = fmemopen(text, sizeof text, "w"), *err = fopen("/dev/null", "w");
		int status = lb_main_with(&program, t->mem, &plat_host, out, err, argc, argv);

		CHECK(status == (t->heap.failed ? 4 : 0));
		(void)fclose(out);
		(void)fclose(err);
		if (status == 0)
			CHECK(strstr(text, expected) != NULL);
	}
}

TEST(running_survives_every_oom)
{
	sweep(t, "engine run --env A=B --dir /tmp::/x:ro --timeout 100000 --invoke add @ 40 2",
	      "42\n");
}

TEST(showing_survives_every_oom)
{
	sweep(t, "engine validate @", "");
	sweep(t, "engine inspect @", "\"add\" (i32 i32) -> (i32)\n");
}

/* ---- numbers ---- */

static const char *shown(union engine_value value, engine_type type)
{
	static char text[64];
	FILE *out = fmemopen(text, sizeof text, "w");

	engine_command_show_value(out, value, type);
	(void)fclose(out);
	return text;
}

TEST(floats_are_shown_short_and_exactly)
{
	static const struct {
		const char *given, *f32, *f64;
	} cases[] = {
		{ "0.1", "0.1\n", "0.1\n" },
		{ "-0", "-0\n", "-0\n" },
		{ "1e300", "inf\n", "1e+300\n" },
		{ "0x1.8p1", "3\n", "3\n" },
		{ "0.30000000000000004", "0.3\n", "0.30000000000000004\n" },
		{ "16777217", "16777216\n", "16777217\n" },
		{ "-inf", "-inf\n", "-inf\n" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		union engine_value value;

		CHECK_OK(engine_command_value(&value, cases[i].given, ENGINE_F32, NULL));
		CHECK_TEXT(shown(value, ENGINE_F32), cases[i].f32);
		CHECK_OK(engine_command_value(&value, cases[i].given, ENGINE_F64, NULL));
		CHECK_TEXT(shown(value, ENGINE_F64), cases[i].f64);
	}
}

TEST(integers_are_read_to_their_limits)
{
	union engine_value value;

	CHECK_OK(engine_command_value(&value, "18446744073709551615", ENGINE_I64, NULL));
	CHECK(value.i64 == UINT64_MAX);
	CHECK_OK(engine_command_value(&value, "-9223372036854775808", ENGINE_I64, NULL));
	CHECK_TEXT(shown(value, ENGINE_I64), "-9223372036854775808\n");
	CHECK_OK(engine_command_value(&value, "0xffffffffffffffff", ENGINE_I64, NULL));
	CHECK(value.i64 == UINT64_MAX);
	CHECK(lb_failed(engine_command_value(&value, "18446744073709551616", ENGINE_I64, NULL)));
	CHECK(lb_failed(engine_command_value(&value, "-9223372036854775809", ENGINE_I64, NULL)));
	CHECK(lb_failed(engine_command_value(&value, "--1", ENGINE_I64, NULL)));
	CHECK(lb_failed(engine_command_value(&value, " 1", ENGINE_I32, NULL)));
	CHECK(lb_failed(engine_command_value(&value, "0x", ENGINE_I32, NULL)));
	CHECK(lb_failed(engine_command_value(&value, "0x0x1", ENGINE_I32, NULL)));
	CHECK(lb_failed(engine_command_value(&value, "+1", ENGINE_I32, NULL)));
	CHECK(lb_failed(engine_command_value(&value, "", ENGINE_F64, NULL)));
	CHECK(lb_code_of(engine_command_value(&value, "1", ENGINE_FUNCREF, NULL)) ==
	      LB_E_UNSUPPORTED);
}
