/* bundle.c - see bundle.h: the manifest. */
#include "ci-runner/bundle/bundle.h"

#include "base/data/json.h"
#include "base/io/file.h"

enum { MANIFEST_BYTES_MAX = 256 * 1024 * 1024 };

static const char *const kinds[] = {
	[RUNNER_TEST_EXIT] = "exit",
	[RUNNER_TEST_TAP] = "tap",
	[RUNNER_TEST_JUNIT] = "junit",
};

bool runner_name_matches(const char *pattern, const char *name)
{
	const char *star = NULL, *behind = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = pattern++;
			behind = name;
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star + 1;
			name = ++behind;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* ---- writing ---- */

static struct lb_value *list_value(struct lb_arena *arena, const char *const *list)
{
	struct lb_value *array = lb_value_array(arena);

	for (; list != NULL && *list != NULL; list++)
		lb_value_add(arena, array, lb_value_text(arena, *list));
	return array;
}

struct lb_value *runner_test_value(struct lb_arena *arena, const struct runner_test *test)
{
	struct lb_value *value = lb_value_object(arena);

	lb_value_set_text(arena, value, "name", test->name);
	lb_value_put(arena, value, "argv", list_value(arena, test->argv));
	lb_value_put(arena, value, "env", list_value(arena, test->env));
	if (test->cwd != NULL)
		lb_value_set_text(arena, value, "cwd", test->cwd);
	lb_value_set_text(arena, value, "kind", kinds[test->kind]);
	if (test->timeout_s > 0)
		lb_value_set_number(arena, value, "timeout", test->timeout_s);
	if (test->network != NULL)
		lb_value_set_text(arena, value, "network", test->network);
	if (test->fails)
		lb_value_set_bool(arena, value, "fails", true);
	if (test->disabled)
		lb_value_set_bool(arena, value, "disabled", true);
	if (test->skip_status != 0)
		lb_value_set_number(arena, value, "skip_status", test->skip_status);
	return value;
}

/* ---- reading ---- */

struct reading {
	struct lb_arena *arena;
	struct lb_diag *diag;
};

static lb_err odd(const struct reading *r, const char *where, const char *what)
{
	return lb_fail(r->diag, LB_E_MALFORMED, "manifest.json: %s: %s", where, what);
}

static bool has_nul(struct lb_bytes text) { return lb_bytes_find_byte(text, '\0') != SIZE_MAX; }

static lb_err read_list(const char *const **out, const struct reading *r,
                        const struct lb_value *array, const char *where)
{
	uint32_t count = array != NULL && array->kind == LB_ARRAY ? array->count : 0;
	const char **list = LB_ARENA_NEW(r->arena, const char *, (size_t)count + 1);

	if (array != NULL && array->kind != LB_ARRAY)
		return odd(r, where, "expected a list of texts");
	for (uint32_t i = 0; list != NULL && i < count; i++) {
		if (array->items[i]->kind != LB_STRING || has_nul(array->items[i]->string))
			return odd(r, where, "expected a list of texts");
		list[i] = lb_arena_text(r->arena, array->items[i]->string);
	}
	*out = list;
	return r->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static const char *read_text(const struct reading *r, const struct lb_value *value,
                             const char *name)
{
	struct lb_bytes text = lb_value_get_string(value, name);

	return text.len > 0 && !has_nul(text) ? lb_arena_text(r->arena, text) : NULL;
}

static lb_err read_test(struct runner_test *out, const struct reading *r,
                        const struct lb_value *value)
{
	struct lb_bytes kind = lb_value_get_string(value, "kind");
	size_t i = 0;

	*out = (struct runner_test){
		.name = read_text(r, value, "name"),
		.cwd = read_text(r, value, "cwd"),
		.network = read_text(r, value, "network"),
		.timeout_s = lb_value_get_number(value, "timeout"),
		.fails = lb_value_get_bool(value, "fails"),
		.disabled = lb_value_get_bool(value, "disabled"),
	};
	LB_TRY(r->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK);
	if (out->name == NULL)
		return odd(r, "tests", "one has no name");
	if (lb_value_get_number(value, "skip_status") > 0 &&
	    lb_value_get_number(value, "skip_status") < 256)
		out->skip_status = (int)lb_value_get_number(value, "skip_status");
	while (i < sizeof kinds / sizeof kinds[0] && !lb_bytes_is(kind, kinds[i]))
		i++;
	if (i == sizeof kinds / sizeof kinds[0])
		return odd(r, out->name, "its kind is none of exit, tap, junit");
	out->kind = (enum runner_test_kind)i;
	LB_TRY(read_list(&out->argv, r, lb_value_get(value, "argv"), out->name));
	LB_TRY(read_list(&out->env, r, lb_value_get(value, "env"), out->name));
	if (out->argv[0] == NULL)
		return odd(r, out->name, "it has no command");
	if (out->cwd != NULL && out->cwd[0] != '/')
		return odd(r, out->name, "its folder is not absolute");
	return LB_OK;
}

static lb_err read_tests(struct runner_bundle *out, const struct reading *r,
                         const struct lb_value *array)
{
	if (array == NULL || array->kind != LB_ARRAY || array->count > RUNNER_TESTS_MAX)
		return odd(r, "tests", "expected a list of at most 100000");
	out->tests = LB_ARENA_NEW(r->arena, struct runner_test, (size_t)array->count + 1);
	if (out->tests == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (; out->count < array->count; out->count++)
		LB_TRY(read_test(&out->tests[out->count], r, array->items[out->count]));
	return LB_OK;
}

static lb_err check_files(const struct runner_bundle *bundle, const struct reading *r)
{
	for (const char *const *file = bundle->files; *file != NULL; file++) {
		if ((*file)[0] != '/' || !lb_path_is_inside(lb_bytes_of(*file + 1)))
			return odd(r, *file, "not an absolute path without '..'");
	}
	return LB_OK;
}

lb_err runner_bundle_read(struct runner_bundle *out, struct lb_arena *arena, struct plat *plat,
                          const char *folder, struct lb_diag *diag)
{
	const char *path = (const char *)lb_arena_format(arena, "%s/manifest.json", folder).at;
	const struct reading r = { arena, diag };
	struct lb_value *manifest = NULL;
	uint64_t version;
	struct lb_buf text;
	lb_err err;

	*out = (struct runner_bundle){ .folder = folder };
	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, arena->under, MANIFEST_BYTES_MAX);
	err = lb_file_read(&text, plat, path, diag);
	if (!lb_failed(err))
		err = lb_json_read(&manifest, arena, lb_buf_bytes(&text), diag);
	lb_buf_release(&text);
	LB_TRY(err);
	if (lb_failed(lb_value_get_u64(&version, manifest, "version")) ||
	    version != RUNNER_BUNDLE_VERSION)
		return odd(&r, "version", "not one that this program knows (1)");
	LB_TRY(read_list(&out->files, &r, lb_value_get(manifest, "files"), "files"));
	LB_TRY(read_list(&out->quarantine, &r, lb_value_get(manifest, "quarantine"), "quarantine"));
	LB_TRY(check_files(out, &r));
	return read_tests(out, &r, lb_value_get(manifest, "tests"));
}
