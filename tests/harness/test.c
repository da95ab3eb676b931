/* test.c - see test.h. */
#include "tests/harness/test.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static struct test *tests;

/* Kept sorted by file and name, so that the order does not depend on the linker. */
void test_register(struct test *test)
{
	struct test **at = &tests;

	while (*at != NULL && strcmp((*at)->name, test->name) < 0)
		at = &(*at)->next;
	test->next = *at;
	*at = test;
}

uint64_t test_random(struct test *t)
{
	uint64_t z;

	t->seed_used = true;
	z = t->seed += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void *heap_resize(struct lb_mem *self, void *old, size_t old_size, size_t new_size)
{
	struct test_mem *heap = (struct test_mem *)self; /* mem is its first member */
	void *fresh;

	if (new_size != 0 && atomic_fetch_add(&heap->calls, 1) + 1 == heap->fail_at) {
		heap->failed = true;
		return NULL;
	}
	fresh = lb_mem_host.resize(&lb_mem_host, old, old_size, new_size);
	if (new_size == 0 || fresh != NULL)
		atomic_fetch_add(&heap->live_bytes, new_size - old_size); /* wraps back; unsigned */
	return fresh;
}

bool test_oom_begin(struct test *t)
{
	t->heap.fail_at = 0;
	t->heap.calls = 0;
	t->heap.failed = false;
	return true;
}

bool test_oom_again(struct test *t)
{
	bool more = t->heap.fail_at == 0 || t->heap.failed;

	if (t->heap.live_bytes != 0) {
		printf("# leak of %zu bytes with allocation %zu failing\n",
		       (size_t)t->heap.live_bytes, t->heap.fail_at);
		t->failures++;
		more = false;
	}
	t->heap.fail_at = more ? t->heap.fail_at + 1 : 0;
	t->heap.calls = 0;
	t->heap.failed = false;
	return more;
}

bool test_check_ok(struct test *t, lb_err err, const char *file, int line, const char *expr)
{
	if (!lb_failed(err))
		return true;
	t->failures++;
	printf("# %s:%d: %s: %s (%zu)\n", file, line, expr, lb_err_text(err),
	       (size_t)lb_where(err));
	return false;
}

static void print_lines(const char *label, struct lb_bytes text)
{
	printf("# %s: ", label);
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] == '\n')
			printf("\n#     ");
		else
			putchar(text.at[i]);
	}
	putchar('\n');
}

bool test_check_text(struct test *t, struct lb_bytes got, const char *want, const char *file,
                     int line)
{
	if (lb_bytes_is(got, want))
		return true;
	t->failures++;
	printf("# %s:%d: differs\n", file, line);
	print_lines("got", got);
	print_lines("want", lb_bytes_of(want));
	return false;
}

struct lb_bytes test_exact(struct lb_bytes bytes)
{
	unsigned char *copy =
		lb_mem_host.resize(&lb_mem_host, NULL, 0, bytes.len > 0 ? bytes.len : 1);

	if (copy == NULL)
		abort();
	if (bytes.len > 0)
		memcpy(copy, bytes.at, bytes.len);
	return (struct lb_bytes){ copy, bytes.len };
}

void test_exact_free(struct lb_bytes bytes)
{
	/* The block came from the C library's heap, which may be given back through a plain
	 * pointer. */
	lb_mem_drop(&lb_mem_host, (void *)(uintptr_t)bytes.at, bytes.len > 0 ? bytes.len : 1, 1);
}

static char folder_top[4096];

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
	(void)info;
	(void)kind;
	(void)where;
	(void)remove(path);
	return 0;
}

static void remove_folders(void)
{
	if (folder_top[0] != '\0')
		(void)nftw(folder_top, remove_one, 32, FTW_DEPTH | FTW_PHYS);
}

const char *test_folder(struct test *t)
{
	static char path[4096 + 32];
	static unsigned count;
	const char *tmp = getenv("TMPDIR");

	(void)t;
	if (folder_top[0] == '\0') {
		(void)snprintf(folder_top, sizeof folder_top, "%s/lifeboat-test-XXXXXX",
		               tmp != NULL && tmp[0] != '\0' ? tmp : "/tmp");
		if (mkdtemp(folder_top) == NULL) {
			printf("Bail out! cannot make a folder: %s\n", folder_top);
			exit(1);
		}
		(void)atexit(remove_folders);
	}
	(void)snprintf(path, sizeof path, "%s/%u", folder_top, ++count);
	if (mkdir(path, 0700) != 0)
		abort();
	return path;
}

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : otherwise;
}

const char *test_suites(void)
{
	const char *path = setting("SUITES", "../shared");
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? path : NULL;
}

const char *test_build(void) { return setting("LB_BUILD", "build"); }
const char *test_top(void) { return setting("LB_TOP", "."); }

static uint64_t first_seed(void)
{
	const char *text = getenv("LB_SEED");
	uint64_t seed = 0;

	if (text != NULL && sscanf(text, "%" SCNu64, &seed) == 1)
		return seed;
	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		seed = 1;
	return seed >> 16;
}

static bool selected(const struct test *test, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strstr(test->name, argv[i]) != NULL)
			return true;
	}
	return argc <= 1;
}

static bool run_one(struct test *t, unsigned number, uint64_t seed)
{
	t->heap = (struct test_mem){ .mem = { heap_resize } };
	t->mem = &t->heap.mem;
	t->seed = seed;
	t->run(t);
	if (t->heap.live_bytes != 0 && t->skipped == NULL) {
		t->failures++;
		printf("# leak of %zu bytes\n", (size_t)t->heap.live_bytes);
	}
	if (t->failures > 0 && t->seed_used)
		printf("# run again with LB_SEED=%" PRIu64 "\n", seed);
	printf("%sok %u - %s%s%s\n", t->failures > 0 ? "not " : "", number, t->name,
	       t->skipped != NULL ? " # SKIP " : "", t->skipped != NULL ? t->skipped : "");
	(void)fflush(stdout);
	return t->failures == 0;
}

int main(int argc, char **argv)
{
	uint64_t seed = first_seed();
	unsigned count = 0;
	bool good = true;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	for (struct test *t = tests; t != NULL; t = t->next) {
		if (selected(t, argc, argv))
			good = run_one(t, ++count, seed) && good;
	}
	printf("1..%u\n", count);
	return good && count > 0 ? 0 : 1;
}
