/* official_test.c - the official tests of WASI preview 1, where they are.
 *
 * WASI_TESTSUITE names a checkout of github.com/WebAssembly/wasi-testsuite, branch
 * prod/testsuite-base (the one with compiled tests).  Each test has a .json beside it when it wants
 * arguments, variables, a folder or a certain end.
 */
#include "base/data/json.h"
#include "base/io/file.h"
#include "base/io/run.h"
#include "tests/harness/test.h"

#include <stdlib.h>

enum { WORDS_MAX = 64, TEXT_MAX = 16 << 20 };

struct suite {
	struct test *t;
	struct lb_arena arena;
	const char *top, *engine;
	unsigned count, failed;
};

static const char *text(struct suite *s, struct lb_bytes bytes)
{
	return lb_arena_text(&s->arena, bytes);
}
#define FORMAT(s, ...) text((s), lb_arena_format(&(s)->arena, __VA_ARGS__))

/* What the test wants; NULL where nothing is said. */
static const struct lb_value *wishes(struct suite *s, const char *test)
{
	struct lb_bytes stem = lb_bytes_upto(lb_bytes_of(test), strlen(test) - strlen("wasm"));
	struct lb_value *value = NULL;
	struct lb_buf json;

	lb_buf_init(&json, s->t->mem, TEXT_MAX);
	if (!lb_failed(lb_file_read(&json, &plat_host, FORMAT(s, "%.*sjson", LB_FMT(stem)), NULL)))
		lb_ignore(lb_json_read(&value, &s->arena, lb_buf_bytes(&json), NULL));
	lb_buf_release(&json);
	return value;
}

/* The tests change their folder, so each gets a copy. */
static const char *copy_of(struct suite *s, const char *folder)
{
	const char *to = FORMAT(s, "%s/root", test_folder(s->t));
	const char *argv[] = { "cp", "-R", folder, to, NULL };
	struct lb_run how = { .argv = argv };

	return lb_failed(lb_run_ok(&how, NULL, NULL)) ? NULL : to;
}

static void run_one(struct suite *s, const char *test)
{
	const struct lb_value *how = wishes(s, test), *env = lb_value_get(how, "env"),
			      *args = lb_value_get(how, "args");
	struct lb_bytes folder =
		lb_bytes_upto(lb_bytes_of(test), lb_bytes_rfind_byte(lb_bytes_of(test), '/'));
	struct lb_bytes root = lb_value_get_string(how, "root");
	const struct lb_value *want = lb_value_get(how, "stdout");
	const char *argv[WORDS_MAX] = { s->engine, "run" };
	struct lb_run run = { .argv = argv, .timeout_ms = 60000 };
	struct plat_exit status = { 0 };
	struct lb_buf out, err;
	size_t words = 2;
	bool good;

	for (uint32_t i = 0; env != NULL && i < env->count; i++) {
		argv[words++] = "--env";
		argv[words++] = FORMAT(s, "%.*s=%.*s", LB_FMT(env->members[i].key),
		                       LB_FMT(env->members[i].value->string));
	}
	if (root.len > 0) {
		argv[words++] = "--dir";
		argv[words++] =
			FORMAT(s, "%s::/",
		               copy_of(s, FORMAT(s, "%.*s/%.*s", LB_FMT(folder), LB_FMT(root))));
	}
	argv[words++] = test;
	for (uint32_t i = 0; args != NULL && i < args->count; i++)
		argv[words++] = text(s, args->items[i]->string);
	lb_buf_init(&out, s->t->mem, TEXT_MAX);
	lb_buf_init(&err, s->t->mem, TEXT_MAX);
	good = !lb_failed(lb_run(&status, &run, &out, &err, NULL)) &&
	       plat_exit_status(status) == (int)lb_value_get_number(how, "exit_code") &&
	       (want == NULL || lb_bytes_eq(lb_buf_bytes(&out), want->string));
	s->count++;
	if (!good) {
		s->failed++;
		printf("# %s: exit status %d: %s\n", test, plat_exit_status(status),
		       lb_buf_text(&err));
	}
	lb_buf_release(&err);
	lb_buf_release(&out);
}

static lb_err visit(void *ctx, const char *path, const struct plat_info *info)
{
	struct suite *s = ctx;
	struct lb_bytes name = lb_bytes_of(path);

	if (info->type == PLAT_FILE && lb_bytes_ends(name, LB_B(".wasm")) &&
	    lb_bytes_find(name, LB_B("/wasm32-wasip1/")) != SIZE_MAX)
		run_one(s, FORMAT(s, "%s/%s", s->top, path));
	return LB_OK;
}

TEST(official_tests_pass)
{
	const char *suite = getenv("WASI_TESTSUITE");
	struct suite s = { .t = t };

	if (suite == NULL || suite[0] == '\0')
		SKIP("WASI_TESTSUITE is not set");
	lb_arena_init(&s.arena, t->mem);
	s.top = FORMAT(&s, "%s/tests", suite);
	s.engine = FORMAT(&s, "%s/lifeboat-engine", test_build());
	CHECK_OK(lb_file_walk(t->mem, &plat_host, s.top, visit, &s, NULL));
	printf("# %u of %u passed\n", s.count - s.failed, s.count);
	CHECK(s.failed == 0 && s.count >= 72);
	lb_arena_release(&s.arena);
}
