/* spec_test.c - the official test suite, run as the command `wast` runs it.
 *
 * known.txt lists what does not hold yet, and why; it is an error when something listed holds.
 * In the environment, SPEC_FILE=i32.wast (or a part of a path) runs the files of that name.
 */
#include "base/io/file.h"
#include "engine/command/wast.h"
#include "engine/store.h"
#include "tests/harness/test.h"

#include <stdlib.h>

enum { KNOWN_MAX = 2000, BYTES_MAX = 64 << 20 };

/* As many assertions as were seen to hold; raise it when more do. */
enum { ASSERTIONS_FLOOR = 63300 };

struct known {
	struct lb_bytes name; /* of a file; or FILE:LINE, of a command */
	bool seen;
};

struct suite {
	struct test *t;
	const char *folder, *file; /* the file at hand */
	const struct engine_store_options *limits;
	struct known known[KNOWN_MAX];
	unsigned known_count, files, files_known;
	struct engine_wast_counts counts;
};

/* Lines of known.txt: "NAME REASON"; # opens a comment. */
static void read_known(struct suite *suite, struct lb_bytes text)
{
	struct lb_bytes line, name;

	while (lb_bytes_split(&line, &text, '\n')) {
		if (line.len == 0 || line.at[0] == '#' || !lb_bytes_split(&name, &line, ' '))
			continue;
		assert(suite->known_count < KNOWN_MAX && line.len > 0);
		suite->known[suite->known_count++].name = name;
	}
}

static struct known *find(struct suite *suite, const char *name)
{
	for (unsigned i = 0; i < suite->known_count; i++) {
		if (!lb_bytes_is(suite->known[i].name, name))
			continue;
		suite->known[i].seen = true;
		return &suite->known[i];
	}
	return NULL;
}

static bool is_known(void *ctx, size_t line)
{
	struct suite *suite = ctx;
	char name[256];

	(void)snprintf(name, sizeof name, "%s:%zu", suite->file, line);
	return find(suite, name) != NULL;
}

/* What a folder's files are about that is off otherwise; threads know less than 3.0. */
static struct engine_module_options features_of(const char *path)
{
	struct engine_module_options options = { 0 };

	if (strstr(path, "legacy/") != NULL)
		options.features_on = ENGINE_FEATURE_BIT(ENGINE_FEATURE_LEGACY_EXCEPTIONS);
	if (strstr(path, "custom-page-sizes/") != NULL)
		options.features_on = ENGINE_FEATURE_BIT(ENGINE_FEATURE_CUSTOM_PAGE_SIZES);
	if (strstr(path, "threads/") != NULL)
		options.features_off = ENGINE_FEATURE_BIT(ENGINE_FEATURE_MULTI_MEMORY) |
		                       ENGINE_FEATURE_BIT(ENGINE_FEATURE_REFERENCES) |
		                       ENGINE_FEATURE_BIT(ENGINE_FEATURE_MEMORY64);
	return options;
}

static void run_text(struct suite *suite, struct lb_bytes text)
{
	const struct engine_module_options features = features_of(suite->file);
	bool known = find(suite, suite->file) != NULL;
	const struct engine_wast_options options = { .features = &features,
		                                     .limits = suite->limits,
		                                     .to = known ? NULL : stdout,
		                                     .prefix = "# ",
		                                     .is_known = is_known,
		                                     .ctx = suite };
	struct engine_wast_counts counts = { 0 };
	struct test *t = suite->t;
	struct lb_diag diag = { 0 };
	lb_err err = engine_wast_run(&counts, t->mem, text, suite->file, &options, &diag);

	if (known) {
		suite->files_known++;
		if (!lb_failed(err) && counts.failures == 0) {
			printf("# %s holds now: take it off the list\n", suite->file);
			t->failures++;
		}
		return;
	}
	if (!CHECK_OK(err))
		printf("# %s: %s\n", suite->file, diag.text);
	t->failures += counts.failures;
	suite->files++;
	suite->counts.commands += counts.commands;
	suite->counts.assertions += counts.assertions;
	suite->counts.failures += counts.failures;
	suite->counts.known += counts.known;
}

static lb_err run_file(void *ctx, const char *path, const struct plat_info *info)
{
	struct suite *suite = ctx;
	const char *only = getenv("SPEC_FILE");
	struct lb_buf text;
	char whole[1024];
	lb_err err;

	(void)info;
	if (!lb_bytes_ends(lb_bytes_of(path), LB_B(".wast")) ||
	    strstr(path, "custom-descriptors") != NULL ||
	    (only != NULL && strstr(path, only) == NULL))
		return LB_OK;
	suite->file = path;
	lb_buf_init(&text, suite->t->mem, BYTES_MAX);
	(void)snprintf(whole, sizeof whole, "%s/%s", suite->folder, path);
	err = lb_file_read(&text, &plat_host, whole, NULL);
	if (!lb_failed(err))
		run_text(suite, lb_buf_bytes(&text));
	lb_buf_release(&text);
	return err;
}

static void run_suite(struct suite *suite)
{
	struct test *t = suite->t;

	CHECK_OK(lb_file_walk(&lb_mem_host, &plat_host, suite->folder, run_file, suite, NULL));
	printf("# %u assertions in %u files, %u failed, %u more as listed; %u files are listed as "
	       "a "
	       "whole\n",
	       suite->counts.assertions, suite->files, suite->counts.failures, suite->counts.known,
	       suite->files_known);
	if (getenv("SPEC_FILE") != NULL)
		return;
	CHECK(suite->counts.assertions >= ASSERTIONS_FLOOR);
	for (unsigned i = 0; i < suite->known_count; i++) {
		if (suite->known[i].seen)
			continue;
		printf("# %.*s is listed, but not there\n", LB_FMT(suite->known[i].name));
		t->failures++;
	}
}

static void run_with(struct test *t, const struct engine_store_options *limits)
{
	struct suite *suite;
	struct lb_buf text;
	char path[1024], folder[1024];

	if (test_suites() == NULL)
		SKIP("the official suites are not here (set SUITES)");
	suite = LB_NEW(&lb_mem_host, struct suite, 1);
	lb_buf_init(&text, &lb_mem_host, 1 << 20);
	assert(suite != NULL);
	suite->t = t;
	suite->folder = folder;
	suite->limits = limits;
	(void)snprintf(folder, sizeof folder, "%s/wasm-spec", test_suites());
	(void)snprintf(path, sizeof path, "%s/tests/engine/spec/known.txt", test_top());
	if (CHECK_OK(lb_file_read(&text, &plat_host, path, NULL))) {
		read_known(suite, lb_buf_bytes(&text));
		run_suite(suite);
	}
	lb_buf_release(&text);
	LB_DROP(&lb_mem_host, suite, 1);
}

TEST(official_suite) { run_with(t, NULL); }

/* Memories that have no guard pages, and move when they grow. */
TEST(official_suite_in_small_reservations)
{
	run_with(t, &(struct engine_store_options){ .small_reservations = true });
}
