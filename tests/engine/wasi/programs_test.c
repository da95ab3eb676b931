/* programs_test.c - C programs, compiled against wasi-libc at test time, in the real command.
 *
 * Where it makes sense the same source is compiled natively too, and must say the same.
 * Skipped where clang cannot compile for WASI, or the command has not been built.
 */
#include "base/io/file.h"
#include "base/io/run.h"
#include "tests/harness/test.h"

#include <stdlib.h>
#include <unistd.h>

enum { OUTPUT_MAX = 16 << 20, ARGS_MAX = 24, TIMEOUT_MS = 120000 };

struct outcome {
	struct lb_buf out, err;
	int status; /* as a shell shows it */
};

static void outcome_release(struct outcome *o)
{
	lb_buf_release(&o->out);
	lb_buf_release(&o->err);
}

static void run(struct outcome *o, struct test *t, const char *cwd, struct lb_bytes input,
                const char *const *argv)
{
	struct lb_run how = { .argv = argv, .cwd = cwd, .input = input, .timeout_ms = TIMEOUT_MS };
	struct plat_exit exit = { 0 };

	lb_buf_init(&o->out, &lb_mem_host, OUTPUT_MAX);
	lb_buf_init(&o->err, &lb_mem_host, OUTPUT_MAX);
	CHECK_OK(lb_run(&exit, &how, &o->out, &o->err, NULL));
	o->status = plat_exit_status(exit);
}

static const char *absolute(const char *path)
{
	static char paths[8][4200];
	static unsigned turn;
	char *out = paths[turn++ % 8], cwd[1024];

	(void)snprintf(out, sizeof paths[0], "%s%s%s",
	               path[0] == '/' ? "" : getcwd(cwd, sizeof cwd), path[0] == '/' ? "" : "/",
	               path);
	return out;
}

static const char *join(const char *folder, const char *name)
{
	char path[2048];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return absolute(path);
}

static bool compile(struct test *t, const char *name, const char *to, bool natively)
{
	struct outcome o;
	char file[128];
	bool good;

	(void)snprintf(file, sizeof file, "tests/engine/wasi/programs/%s.c", name);
	run(&o, t, NULL, (struct lb_bytes){ 0 },
	    natively ? (const char *const[]){ "cc", "-O2", "-w", "-o", to, join(test_top(), file),
	                                      "-lm", NULL }
	             : (const char *const[]){ "clang", "--target=wasm32-wasi", "-O2", "-w", "-o",
	                                      to, join(test_top(), file), "-lm", NULL });
	good = o.status == 0;
	outcome_release(&o);
	return good;
}

/* Why nothing can be tested here; NULL where it can. */
static const char *why_not(struct test *t)
{
	static const char *const no_target =
		"clang cannot compile for wasm32-wasi (wasi-libc, lld)";
	static int known = -1;

	if (!lb_file_exists(&plat_host, join(test_build(), "lifeboat-engine")))
		return "lifeboat-engine is not built";
	if (known < 0) {
		struct outcome o;

		lb_buf_init(&o.out, &lb_mem_host, 0);
		if (lb_code_of(lb_run_ok(
			    &(struct lb_run){
				    .argv = (const char *const[]){ "clang", "--version", NULL } },
			    NULL, NULL)) == LB_E_NONE)
			known = compile(t, "hello", join(test_folder(t), "probe.wasm"), false);
		else
			known = 0;
	}
	return known == 1 ? NULL : no_target;
}

/* The command with `words` (options, then "@" for the program, then its arguments). */
static void engine(struct outcome *o, struct test *t, const char *name, const char *cwd,
                   struct lb_bytes input, const char *const *words)
{
	const char *argv[ARGS_MAX] = { join(test_build(), "lifeboat-engine"), "run" };
	const char *module = join(test_folder(t), "program.wasm");

	CHECK(compile(t, name, module, false));
	for (size_t i = 0; words[i] != NULL; i++)
		argv[i + 2] = strcmp(words[i], "@") == 0 ? module : words[i];
	run(o, t, cwd, input, argv);
}

#define ENGINE(o, t, name, cwd, input, ...) \
	engine((o), (t), (name), (cwd), (input), (const char *const[]){ __VA_ARGS__, NULL })

static const struct lb_bytes nothing;

/* The same program natively, compared. */
static void same_natively(struct test *t, const struct outcome *o, const char *name,
                          const char *cwd, struct lb_bytes input, const char *arg)
{
	const char *program = join(test_folder(t), "native");
	struct outcome native;

	if (!compile(t, name, program, true)) {
		printf("# no native compiler: not compared\n");
		return;
	}
	run(&native, t, cwd, input, (const char *const[]){ program, arg, NULL });
	CHECK(native.status == o->status);
	CHECK(lb_bytes_eq(lb_buf_bytes(&native.out), lb_buf_bytes(&o->out)));
	outcome_release(&native);
}

#define NEEDED() \
	do { \
		const char *why = why_not(t); \
		if (why != NULL) \
			SKIP(why); \
	} while (0)

TEST(programs_get_arguments_and_environment)
{
	struct outcome o;

	NEEDED();
	ENGINE(&o, t, "hello", NULL, nothing, "--env", "A=b c", "--env", "EMPTY=", "--env",
	       "LIFEBOAT_NOT_SET", "@", "7", "--env", "two words", "");
	CHECK(o.status == 7);
	CHECK_TEXT(lb_buf_text(&o.out), "hello, 4 arguments\n"
	                                "1: \"7\"\n2: \"--env\"\n3: \"two words\"\n4: \"\"\n"
	                                "env A=b c\nenv EMPTY=\n");
	CHECK_TEXT(lb_buf_text(&o.err), "said on stderr\n");
	outcome_release(&o);
	/* Nothing is handed on unasked. */
	CHECK(setenv("LIFEBOAT_SECRET", "s3cret", 1) == 0);
	ENGINE(&o, t, "hello", NULL, nothing, "@");
	CHECK_TEXT(lb_buf_text(&o.out), "hello, 0 arguments\n");
	outcome_release(&o);
	ENGINE(&o, t, "hello", NULL, nothing, "--env", "LIFEBOAT_SECRET", "@");
	CHECK_TEXT(lb_buf_text(&o.out), "hello, 0 arguments\nenv LIFEBOAT_SECRET=s3cret\n");
	outcome_release(&o);
}

TEST(programs_pass_streams_through_without_loss)
{
	struct lb_buf input;
	struct outcome o;

	NEEDED();
	lb_buf_init(&input, &lb_mem_host, 8 << 20);
	for (unsigned i = 0; i < 400000; i++)
		lb_buf_addf(&input, "%u\r\n%c", i, (char)(i & 0xff));
	ENGINE(&o, t, "cat", NULL, lb_buf_bytes(&input), "@");
	CHECK(o.status == 0 && lb_bytes_eq(lb_buf_bytes(&o.out), lb_buf_bytes(&input)));
	outcome_release(&o);
	lb_buf_release(&input);
	ENGINE(&o, t, "cat", NULL, nothing, "@");
	CHECK(o.status == 0 && o.out.len == 0);
	outcome_release(&o);
}

TEST(programs_use_files_as_natively)
{
	struct outcome o;
	char here[1024];

	NEEDED();
	(void)snprintf(here, sizeof here, "%s", test_folder(t));
	ENGINE(&o, t, "files", here, nothing, "--dir", ".", "@", ".");
	CHECK(o.status == 0);
	same_natively(t, &o, "files", absolute(test_folder(t)), nothing, ".");
	outcome_release(&o);
	ENGINE(&o, t, "files", here, nothing, "--dir", ".::/work", "@", "/work");
	CHECK(o.status == 0);
	same_natively(t, &o, "files", absolute(test_folder(t)), nothing, ".");
	outcome_release(&o);
	ENGINE(&o, t, "files", here, nothing, "--allow-host-fs", "@", absolute(test_folder(t)));
	CHECK(o.status == 0);
	outcome_release(&o);
	/* Without a folder, and with one that must not change. */
	ENGINE(&o, t, "files", here, nothing, "@", ".");
	CHECK(o.status == 1);
	outcome_release(&o);
	ENGINE(&o, t, "files", here, nothing, "--dir", ".:ro", "@", ".");
	CHECK(o.status == 1);
	CHECK_TEXT(lb_buf_text(&o.out), "mkdir: Read-only file system\n"
	                                "fopen: Read-only file system\n");
	outcome_release(&o);
}

TEST(programs_cannot_get_out)
{
	struct outcome o;
	char here[1024];

	NEEDED();
	(void)snprintf(here, sizeof here, "%s", test_folder(t));
	CHECK_OK(lb_run_ok(
		&(struct lb_run){
			.argv = (const char *const[]){ "sh", "-euc",
	                                               "echo kept > secret; mkdir -p box/sub; : > "
	                                               "box/file; ln -s .. box/up; ln -s / "
	                                               "box/root; ln -s /etc/passwd box/etc",
	                                               NULL },
			.cwd = here },
		NULL, NULL));
	ENGINE(&o, t, "escape", here, nothing, "--dir", "box::/box", "@");
	CHECK(o.status == 0);
	CHECK_TEXT(lb_buf_text(&o.out), "0 of 98 worked\n");
	outcome_release(&o);
	CHECK_OK(lb_run_ok(
		&(struct lb_run){ .argv = (const char *const[]){ "sh", "-euc",
	                                                         "test \"$(cat secret)\" = kept; "
	                                                         "test \"$(echo *)\" = 'box "
	                                                         "secret'; test -f box/file",
	                                                         NULL },
	                          .cwd = here },
		NULL, NULL));
}

TEST(programs_have_clocks_and_chance)
{
	struct outcome o;

	NEEDED();
	ENGINE(&o, t, "clocks", NULL, nothing, "@");
	CHECK_TEXT(lb_buf_text(&o.out), "slept: 1\nyear: 1\nrandom: 1\n");
	outcome_release(&o);
}

TEST(programs_compute_as_natively)
{
	struct outcome o;

	NEEDED();
	ENGINE(&o, t, "compute", NULL, nothing, "@");
	CHECK(o.status == 0 && o.out.len > 1000);
	same_natively(t, &o, "compute", NULL, nothing, NULL);
	outcome_release(&o);
}

TEST(programs_end_with_their_status)
{
	static const char *const statuses[] = { "0", "1", "9", "255" };

	NEEDED();
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
		struct outcome o;

		ENGINE(&o, t, "fault", NULL, nothing, "@", statuses[i]);
		CHECK(o.status == atoi(statuses[i]) && o.err.len == 0);
		outcome_release(&o);
	}
}

TEST(programs_that_trap_say_why)
{
	static const struct {
		const char *how, *text;
	} faults[] = {
		{ "deep", "out of bounds memory access" },
		{ "calls", "call stack exhausted" },
		{ "bounds", "out of bounds memory access" },
		{ "divide", "integer divide by zero" },
		{ "abort", "unreachable" },
	};

	NEEDED();
	for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
		struct outcome o;
		char text[128];

		(void)snprintf(text, sizeof text, ": trap: %s\n", faults[i].text);
		ENGINE(&o, t, "fault", NULL, nothing, "@", faults[i].how);
		CHECK(o.status == 134);
		CHECK_TEXT(lb_buf_text(&o.out), "before\n");
		CHECK(lb_bytes_find(lb_buf_bytes(&o.err), lb_bytes_of(text)) != SIZE_MAX);
		outcome_release(&o);
	}
}

TEST(programs_that_take_too_long_are_ended)
{
	struct outcome o;

	NEEDED();
	ENGINE(&o, t, "fault", NULL, nothing, "--timeout", "100", "@", "loop");
	CHECK(o.status == 124);
	CHECK(lb_bytes_ends(lb_buf_bytes(&o.err), LB_B(": timed out after 100 ms\n")));
	outcome_release(&o);
	/* Also in a call of the system, which no loop of the program's comes back from. */
	ENGINE(&o, t, "fault", NULL, nothing, "--timeout", "100", "@", "sleep");
	CHECK(o.status == 124);
	CHECK(lb_bytes_ends(lb_buf_bytes(&o.err), LB_B(": timed out after 100 ms\n")));
	outcome_release(&o);
	ENGINE(&o, t, "clocks", NULL, nothing, "--timeout", "100000", "@");
	CHECK(o.status == 0 && o.err.len == 0);
	outcome_release(&o);
}

TEST(programs_are_held_to_their_memory)
{
	struct outcome o;

	NEEDED();
	ENGINE(&o, t, "fault", NULL, nothing, "--max-memory", "4000000", "@", "memory");
	CHECK(o.status == 0);
	CHECK_TEXT(lb_buf_text(&o.out), "before\ngot less\n");
	outcome_release(&o);
	ENGINE(&o, t, "fault", NULL, nothing, "--max-memory", "65536", "@", "memory");
	CHECK(o.status == 3);
	CHECK(lb_bytes_find(lb_buf_bytes(&o.err), LB_B("memory 0 is too large")) != SIZE_MAX);
	outcome_release(&o);
}
