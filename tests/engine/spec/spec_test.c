/* spec_test.c - the official test suite, as far as this engine's language goes.
 *
 * files.txt says for each file that is not run whole how much of it is left
 * out, and why; it is an error when that changes, in either direction.  In the
 * environment, SPEC_FILE=i32.wast runs one file, SPEC_DROPS=1 shows what is left out.
 */
#include "base/data/json.h"
#include "base/io/file.h"
#include "tests/engine/spec/script.h"
#include "tests/engine/spec/wast.h"

#include <stdlib.h>

enum { FILES_MAX = 400 };

/* As many assertions as were seen to pass; raise it when more do. */
enum { ASSERTIONS_FLOOR = 26015 };

struct listed {
	struct lb_bytes name; /* of a file, or FILE:LINE of an assertion that is known to fail */
	unsigned drops;       /* forms left out; UINT_MAX: not run at all */
	bool seen;
};

struct list {
	struct listed at[FILES_MAX];
	unsigned count;
};

struct suite {
	struct test *t;
	struct list list;
	char names[FILES_MAX][64];
	unsigned name_count;
	struct script_counts counts;
	unsigned files, dropped;
};

/* Lines of files.txt: "NAME DROPS REASON", DROPS being a number or "all"; or "NAME:LINE known
 * REASON"; # opens a comment. */
static void read_list(struct list *list, struct lb_bytes text)
{
	struct lb_bytes line;

	while (lb_bytes_split(&line, &text, '\n') && list->count < FILES_MAX) {
		struct listed *l = &list->at[list->count];
		struct lb_bytes name, drops;
		uint64_t number = UINT32_MAX;

		if (line.len == 0 || line.at[0] == '#')
			continue;
		if (!lb_bytes_split(&name, &line, ' ') || !lb_bytes_split(&drops, &line, ' '))
			continue;
		if (!lb_bytes_is(drops, "all"))
			lb_ignore(lb_bytes_u64(&number, drops, UINT32_MAX));
		*l = (struct listed){ .name = name, .drops = (unsigned)number };
		list->count++;
	}
}

static struct listed *find(struct list *list, const char *name)
{
	for (unsigned i = 0; i < list->count; i++)
		if (lb_bytes_is(list->at[i].name, name))
			return &list->at[i];
	return NULL;
}

static bool is_known(void *ctx, const char *file, unsigned line)
{
	struct listed *listed;
	char name[96];

	(void)snprintf(name, sizeof name, "%s:%u", file, line);
	listed = find(ctx, name);
	if (listed != NULL)
		listed->seen = true;
	return listed != NULL;
}

static lb_err add_name(void *ctx, const char *name)
{
	struct suite *suite = ctx;

	if (lb_bytes_ends(lb_bytes_of(name), LB_B(".wast")) && suite->name_count < FILES_MAX &&
	    strlen(name) < sizeof suite->names[0])
		memcpy(suite->names[suite->name_count++], name, strlen(name) + 1);
	return LB_OK;
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static void run_converted(struct suite *suite, const struct wast *wast, const char *folder,
                          const char *name, struct script_counts *counts, bool quiet)
{
	struct test *t = suite->t;
	struct lb_value *json = NULL;
	struct lb_arena arena;

	lb_arena_init(&arena, &lb_mem_host);
	if (CHECK_OK(lb_json_read(&json, &arena, lb_buf_bytes(&wast->json), NULL)))
		script_run(counts, json, folder, name,
		           &(struct script_known){ is_known, &suite->list }, quiet);
	lb_arena_release(&arena);
}

static void run_file(struct suite *suite, const char *folder_of_suite, const char *name)
{
	struct listed *listed = find(&suite->list, name);
	unsigned drops = listed != NULL ? listed->drops : 0;
	struct script_counts counts = { 0 };
	const char *folder = test_folder(suite->t);
	bool excluded = drops == UINT32_MAX, converted;
	struct wast wast;
	struct lb_buf path;

	lb_buf_init(&path, &lb_mem_host, 4096);
	lb_buf_addf(&path, "%s/%s", folder_of_suite, name);
	converted = wast_convert(&wast, lb_buf_text(&path), folder, excluded ? 0 : UINT32_MAX - 1);
	lb_buf_release(&path);
	if (listed != NULL)
		listed->seen = true;
	if (converted)
		run_converted(suite, &wast, folder, name, &counts, excluded);
	if (excluded && converted && counts.failures == 0 && counts.assertions > 0) {
		printf("# %s passes now: take it off the list\n", name);
		suite->t->failures++;
	} else if (!excluded && (!converted || wast.dropped != drops)) {
		printf("# %s: %u of %u forms cannot be converted, %u are listed; the first is %s\n",
		       name, wast.dropped, wast.forms, drops, wast.first_dropped);
		suite->t->failures++;
	}
	if (!excluded) {
		suite->files++;
		suite->dropped += wast.dropped;
		suite->counts.assertions += counts.assertions;
		suite->counts.failures += counts.failures;
		suite->counts.text += counts.text;
		suite->counts.known += counts.known;
	}
	wast_release(&wast);
}

static void run_suite(struct suite *suite, const char *folder)
{
	struct test *t = suite->t;
	const char *only = getenv("SPEC_FILE");

	for (unsigned i = 0; i < suite->name_count; i++)
		if (only == NULL || strcmp(only, suite->names[i]) == 0)
			run_file(suite, folder, suite->names[i]);
	for (unsigned i = 0; i < suite->list.count && only == NULL; i++)
		if (!suite->list.at[i].seen) {
			printf("# %.*s is listed, but not there\n", LB_FMT(suite->list.at[i].name));
			t->failures++;
		}
	t->failures += suite->counts.failures;
	CHECK(only != NULL || suite->counts.assertions >= ASSERTIONS_FLOOR);
	printf("# %u assertions in %u files, %u failed (and %u as listed); %u about text skipped, "
	       "%u forms left out\n",
	       suite->counts.assertions, suite->files, suite->counts.failures, suite->counts.known,
	       suite->counts.text, suite->dropped);
}

TEST(official_suite)
{
	struct suite *suite;
	struct lb_buf text;
	char path[1024];

	if (test_suites() == NULL)
		SKIP("the official suites are not here (set SUITES)");
	if (system("wast2json --version >/dev/null 2>&1") != 0)
		SKIP("wast2json is not installed");
	suite = LB_NEW(&lb_mem_host, struct suite, 1);
	lb_buf_init(&text, &lb_mem_host, 1 << 20);
	assert(suite != NULL);
	suite->t = t;
	(void)snprintf(path, sizeof path, "%s/tests/engine/spec/files.txt", test_top());
	if (CHECK_OK(lb_file_read(&text, &plat_host, path, NULL)))
		read_list(&suite->list, lb_buf_bytes(&text));
	(void)snprintf(path, sizeof path, "%s/wasm-spec", test_suites());
	if (CHECK_OK(plat_host.ops->list(&plat_host, path, add_name, suite))) {
		qsort(suite->names, suite->name_count, sizeof suite->names[0], by_name);
		run_suite(suite, path);
	}
	lb_buf_release(&text);
	LB_DROP(&lb_mem_host, suite, 1);
}
