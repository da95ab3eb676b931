/* discover.c - see make_priv.h: asking CTest, Cargo and test programs which tests they have. */
#include "ci-runner/bundle/make_priv.h"

#include "base/data/json.h"
#include "base/io/file.h"

#include <limits.h>
#include <stdlib.h>

enum { LISTING_BYTES_MAX = 256 * 1024 * 1024 };

static lb_err add_test(struct runner_making *m, const struct runner_test *test)
{
	struct runner_test *added;

	if (test->name == NULL || test->argv == NULL || m->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < m->tests.count; i++) {
		if (strcmp(LB_VEC_AT(&m->tests, struct runner_test, i)->name, test->name) == 0)
			return lb_fail(m->diag, LB_E_EXISTS, "two tests are called '%s'",
			               test->name);
	}
	added = lb_vec_add(&m->tests);
	if (added == NULL)
		return lb_vec_check(&m->tests);
	*added = *test;
	return runner_need_command(m, test->argv);
}

static const char *const *words(struct runner_making *m, const char *a, const char *b,
                                const char *c)
{
	const char **list = LB_ARENA_NEW(&m->arena, const char *, 4);

	if (list == NULL)
		return NULL;
	list[0] = a;
	list[1] = b;
	list[2] = b != NULL ? c : NULL;
	return list;
}

/* An absolute path, in the arena. */
static lb_err whole_path(char **out, struct runner_making *m, const char *path)
{
	*out = LB_ARENA_NEW(&m->arena, char, PATH_MAX);
	if (*out == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (realpath(path, *out) == NULL)
		return lb_fail(m->diag, LB_E_NOTFOUND, "%s is not there", path);
	return LB_OK;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* ---- CTest ---- */

static lb_err ctest_list(const char *const **out, struct runner_making *m,
                         const struct lb_value *array)
{
	uint32_t count = array != NULL && array->kind == LB_ARRAY ? array->count : 0;
	const char **list = LB_ARENA_NEW(&m->arena, const char *, (size_t)count + 1);

	for (uint32_t i = 0; list != NULL && i < count; i++)
		list[i] = lb_arena_text(&m->arena, array->items[i]->kind == LB_STRING
		                                           ? array->items[i]->string
		                                           : LB_B(""));
	*out = list;
	return m->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err ctest_property(struct runner_test *test, struct runner_making *m,
                             struct lb_bytes name, const struct lb_value *value)
{
	const char *const *files;

	if (lb_bytes_is(name, "WORKING_DIRECTORY") && value->kind == LB_STRING)
		test->cwd = lb_arena_text(&m->arena, value->string);
	else if (lb_bytes_is(name, "ENVIRONMENT"))
		return ctest_list(&test->env, m, value);
	else if (lb_bytes_is(name, "TIMEOUT") && value->kind == LB_NUMBER)
		test->timeout_s = value->number;
	else if (lb_bytes_is(name, "WILL_FAIL") && value->kind == LB_BOOL)
		test->fails = value->boolean;
	else if (lb_bytes_is(name, "DISABLED") && value->kind == LB_BOOL)
		test->disabled = value->boolean;
	else if (lb_bytes_is(name, "SKIP_RETURN_CODE") && value->kind == LB_NUMBER)
		test->skip_status = (int)value->number;
	else if (lb_bytes_is(name, "PASS_REGULAR_EXPRESSION") ||
	         lb_bytes_is(name, "FAIL_REGULAR_EXPRESSION") ||
	         lb_bytes_is(name, "SKIP_REGULAR_EXPRESSION"))
		return lb_fail(m->diag, LB_E_UNSUPPORTED,
		               "the CTest test '%s' is judged by %.*s; bundles have exit statuses, "
		               "TAP and JUnit",
		               test->name, LB_FMT(name));
	else if (lb_bytes_is(name, "REQUIRED_FILES")) {
		LB_TRY(ctest_list(&files, m, value));
		for (; *files != NULL; files++)
			LB_TRY(runner_need_file(m, *files));
	}
	return LB_OK;
}

static lb_err ctest_test(struct runner_making *m, const struct lb_value *value)
{
	const struct lb_value *properties = lb_value_get(value, "properties");
	struct runner_test test = { .name = lb_arena_text(&m->arena,
		                                          lb_value_get_string(value, "name")) };

	LB_TRY(ctest_list(&test.argv, m, lb_value_get(value, "command")));
	for (uint32_t i = 0;
	     properties != NULL && properties->kind == LB_ARRAY && i < properties->count; i++) {
		const struct lb_value *one = properties->items[i];
		const struct lb_value *of = lb_value_get(one, "value");

		if (of != NULL)
			LB_TRY(ctest_property(&test, m, lb_value_get_string(one, "name"), of));
	}
	if (test.argv[0] == NULL)
		return lb_fail(m->diag, LB_E_INVALID,
		               "the CTest test '%s' has no command: its program is not built",
		               test.name);
	return add_test(m, &test);
}

static lb_err from_ctest(struct runner_making *m, const char *folder)
{
	const char *const argv[] = { "ctest", "--show-only=json-v1", "--test-dir", folder, NULL };
	const struct lb_value *tests = NULL;
	struct lb_value *listing = NULL;
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, m->mem, LISTING_BYTES_MAX);
	err = runner_output_of(&text, m, argv, NULL, NULL);
	if (!lb_failed(err))
		err = lb_json_read(&listing, &m->arena, lb_buf_bytes(&text), m->diag);
	lb_buf_release(&text);
	LB_TRY(err);
	tests = lb_value_get(listing, "tests");
	for (uint32_t i = 0; tests != NULL && tests->kind == LB_ARRAY && i < tests->count; i++)
		LB_TRY(ctest_test(m, tests->items[i]));
	return LB_OK;
}

/* ---- Google Test ---- */

static bool is_disabled(struct lb_bytes name) { return lb_bytes_starts(name, LB_B("DISABLED_")); }

/* "Suite." at the margin, "  Case  # GetParam() = 1" below it. */
static lb_err gtest_line(struct runner_making *m, const char *program, struct lb_bytes *suite,
                         struct lb_bytes line)
{
	struct lb_bytes name = lb_bytes_trim(lb_bytes_upto(line, lb_bytes_find(line, LB_B("  #"))));
	struct runner_test test = { 0 };
	const char *filter;

	if (line.len == 0 || name.len == 0)
		return LB_OK;
	if (line.at[0] != ' ') {
		*suite = lb_bytes_ends(name, LB_B(".")) ? name : (struct lb_bytes){ 0 };
		return LB_OK;
	}
	if (suite->len == 0)
		return LB_OK;
	filter = (const char *)lb_arena_format(&m->arena, "--gtest_filter=%.*s%.*s", LB_FMT(*suite),
	                                       LB_FMT(name))
	                 .at;
	test.name = (const char *)lb_arena_format(&m->arena, "%s/%.*s%.*s", last_part(program),
	                                          LB_FMT(*suite), LB_FMT(name))
	                    .at;
	test.argv = words(m, program, filter, NULL);
	test.disabled = is_disabled(*suite) || is_disabled(name);
	return add_test(m, &test);
}

static lb_err from_gtest(struct runner_making *m, const char *path)
{
	struct lb_bytes rest, line, suite = { 0 };
	struct lb_buf text;
	char *program;
	lb_err err;

	LB_TRY(whole_path(&program, m, path));
	lb_buf_init(&text, m->mem, LISTING_BYTES_MAX);
	err = runner_output_of(&text, m, words(m, program, "--gtest_list_tests", NULL), NULL, NULL);
	rest = lb_buf_bytes(&text);
	while (!lb_failed(err) && rest.len > 0 && lb_bytes_split(&line, &rest, '\n'))
		err = gtest_line(m, program, &suite, line);
	lb_buf_release(&text);
	return err;
}

/* ---- Cargo ---- */

static const char *const *cargo_env(struct runner_making *m, const char *folder)
{
	return words(m,
	             (const char *)lb_arena_format(&m->arena, "CARGO_MANIFEST_DIR=%s", folder).at,
	             "RUST_BACKTRACE=1", NULL);
}

/* Each case by itself, in the package's folder, as cargo-nextest does it. */
static lb_err cargo_cases(struct runner_making *m, const char *target, const char *program,
                          const char *folder)
{
	const char *const argv[] = { program, "--list", "--format", "terse", NULL };
	struct lb_bytes rest, line;
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, m->mem, LISTING_BYTES_MAX);
	err = runner_output_of(&text, m, argv, NULL, folder);
	rest = lb_buf_bytes(&text);
	while (!lb_failed(err) && rest.len > 0 && lb_bytes_split(&line, &rest, '\n')) {
		size_t end = lb_bytes_find(line, LB_B(": test"));
		struct runner_test test = { .cwd = folder, .env = cargo_env(m, folder) };

		if (end == SIZE_MAX || end + 6 != line.len)
			continue;
		test.name = (const char *)lb_arena_format(&m->arena, "%s::%.*s", target,
		                                          LB_FMT(lb_bytes_upto(line, end)))
		                    .at;
		test.argv = words(m, program, "--exact",
		                  lb_arena_text(&m->arena, lb_bytes_upto(line, end)));
		err = add_test(m, &test);
	}
	lb_buf_release(&text);
	return err;
}

/* One message of cargo's: only programs that were built as tests count. */
static lb_err cargo_message(struct runner_making *m, struct lb_bytes line)
{
	const char *program, *target;
	struct lb_value *message;
	struct lb_bytes manifest;
	char *folder;

	LB_TRY(lb_json_read(&message, &m->arena, line, m->diag));
	if (!lb_bytes_is(lb_value_get_string(message, "reason"), "compiler-artifact") ||
	    !lb_value_get_bool(lb_value_get(message, "profile"), "test") ||
	    lb_value_get_string(message, "executable").len == 0)
		return LB_OK;
	program = lb_arena_text(&m->arena, lb_value_get_string(message, "executable"));
	target = lb_arena_text(&m->arena,
	                       lb_value_get_string(lb_value_get(message, "target"), "name"));
	manifest = lb_value_get_string(message, "manifest_path");
	folder = lb_arena_text(&m->arena,
	                       lb_bytes_upto(manifest, lb_bytes_rfind_byte(manifest, '/')));
	if (m->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return cargo_cases(m, target, program, folder);
}

static lb_err from_cargo(struct runner_making *m, const char *folder)
{
	static const char *const argv[] = { "cargo", "test", "--no-run", "--message-format=json",
		                            NULL };
	struct lb_bytes rest, line;
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, m->mem, LISTING_BYTES_MAX);
	err = runner_output_of(&text, m, argv, NULL, folder);
	rest = lb_buf_bytes(&text);
	while (!lb_failed(err) && rest.len > 0 && lb_bytes_split(&line, &rest, '\n')) {
		if (line.len > 0 && line.at[0] == '{')
			err = cargo_message(m, line);
	}
	lb_buf_release(&text);
	return err;
}

/* ---- programs ---- */

static lb_err from_program(struct runner_making *m, const struct runner_source *source)
{
	struct runner_test test = { .kind = RUNNER_TEST_EXIT };
	char *program;

	LB_TRY(whole_path(&program, m, source->path));
	if (source->kind == RUNNER_FROM_TAP || source->kind == RUNNER_FROM_CMOCKA)
		test.kind = RUNNER_TEST_TAP;
	else if (source->kind == RUNNER_FROM_JUNIT)
		test.kind = RUNNER_TEST_JUNIT;
	if (source->kind == RUNNER_FROM_CMOCKA)
		test.env = words(m, "CMOCKA_MESSAGE_OUTPUT=TAP", NULL, NULL);
	test.name = last_part(program);
	test.argv = words(m, program, NULL, NULL);
	return add_test(m, &test);
}

lb_err runner_discover(struct runner_making *m, const struct runner_source *source)
{
	switch (source->kind) {
	case RUNNER_FROM_CTEST: return from_ctest(m, source->path);
	case RUNNER_FROM_CARGO: return from_cargo(m, source->path);
	case RUNNER_FROM_GTEST: return from_gtest(m, source->path);
	case RUNNER_FROM_CMOCKA:
	case RUNNER_FROM_TAP:
	case RUNNER_FROM_JUNIT:
	case RUNNER_FROM_PROGRAM: break;
	}
	return from_program(m, source);
}
