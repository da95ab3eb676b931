/* test.h - the test harness: TAP, a failing heap, a sweep over every allocation, a seed.
 *
 * A test registers itself by existing:
 *
 *   TEST(name_says_what_holds) { CHECK(1 + 1 == 2); }
 *
 * Each tests/.../x_test.c becomes one program that `prove` runs.  Arguments of
 * the program select tests whose names contain one of them.  LB_SEED in the
 * environment sets the seed, which is printed when a test that used it fails.
 */
#ifndef LB_TESTS_TEST_H
#define LB_TESTS_TEST_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdio.h>

struct test_mem {
	struct lb_mem mem; /* first member */
	_Atomic size_t live_bytes, calls;
	size_t fail_at;      /* 0: never */
	_Atomic bool failed; /* the fault was delivered */
};

struct test {
	const char *name, *file;
	void (*run)(struct test *);
	struct test *next;
	struct test_mem heap;
	struct lb_mem *mem; /* = &heap.mem; a leak fails the test */
	uint64_t seed;
	unsigned failures;
	const char *skipped; /* why, when set */
	bool seed_used;
};

void test_register(struct test *test);

/* Random numbers from the run's seed. */
uint64_t test_random(struct test *t);

/* Skip the rest of this test, aloud. */
#define SKIP(why) \
	do { \
		t->skipped = (why); \
		return; \
	} while (0)

#define TEST(id) \
	static void id(struct test *t); \
	static struct test test_##id = { .name = #id, .file = __FILE__, .run = id }; \
	__attribute__((constructor)) static void test_add_##id(void) \
	{ \
		test_register(&test_##id); \
	} \
	static void id(struct test *t)

#define CHECK(cond) \
	do { \
		if (!(cond)) { \
			t->failures++; \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
		} \
	} while (0)

/* Success, the error's text printed where it is not. */
#define CHECK_OK(expr) test_check_ok(t, (expr), __FILE__, __LINE__, #expr)
bool test_check_ok(struct test *t, lb_err err, const char *file, int line, const char *expr);

/* Equal text; both are printed where they differ. */
#define CHECK_TEXT(got, want) test_check_text(t, lb_bytes_of(got), (want), __FILE__, __LINE__)
#define CHECK_BYTES(got, want) test_check_text(t, (got), (want), __FILE__, __LINE__)
bool test_check_text(struct test *t, struct lb_bytes got, const char *want, const char *file,
                     int line);

/* Run the block with the 1st, 2nd, ... allocation of t->mem failing, until it
 * succeeds; each round must leave no live bytes. */
#define EACH_OOM(t) for (bool go_ = test_oom_begin(t); go_; go_ = test_oom_again(t))
bool test_oom_begin(struct test *t);
bool test_oom_again(struct test *t);

/* A copy in a block of exact size from the C library's heap, so that the address
 * sanitizer sees an over-read.  Freed with test_exact_free. */
struct lb_bytes test_exact(struct lb_bytes bytes);
void test_exact_free(struct lb_bytes bytes);

/* A fresh folder below $TMPDIR, removed with all that is in it when the program ends. */
const char *test_folder(struct test *t);

/* Where the shared suites are: $SUITES, else ../shared; NULL where that is not a folder. */
const char *test_suites(void);

/* Where the built programs are ($LB_BUILD, else "build") and where the sources are ($LB_TOP, else
 * "."). */
const char *test_build(void);
const char *test_top(void);

#endif
