/* bundle.h - tests that were built elsewhere: programs, what they need, and what to run.
 *
 * A bundle is an archive (or a folder) with
 *
 *   manifest.json   the tests, as struct runner_bundle has them
 *   root/...        files at the paths they had when they were built, and are shown at again
 *   lib/            shared libraries that are not the C library's own
 *
 * Threads: immutable once read.
 */
#ifndef RUNNER_BUNDLE_BUNDLE_H
#define RUNNER_BUNDLE_BUNDLE_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/platform/plat.h"
#include "base/value.h"

enum { RUNNER_BUNDLE_VERSION = 1, RUNNER_TESTS_MAX = 100000 };

/* How a test says what came out. */
enum runner_test_kind {
	RUNNER_TEST_EXIT, /* by its exit status */
	RUNNER_TEST_TAP,  /* and by TAP on its standard output, a result for each line */
	RUNNER_TEST_JUNIT /* and by a JUnit file at $LIFEBOAT_JUNIT, a result for each case */
};

struct runner_test {
	const char *name;
	const char *const *argv; /* ends with NULL */
	const char *const *env;  /* "NAME=value", ends with NULL */
	const char *cwd;         /* NULL: one of its own */
	enum runner_test_kind kind;
	double timeout_s;    /* 0: what the runner says */
	const char *network; /* "loopback" or hosts; NULL: as all others */
	bool fails;          /* is expected to */
	bool disabled;
	int skip_status; /* an exit status that means "skipped"; 0: none */
};

struct runner_bundle {
	const char *folder;
	struct runner_test *tests;
	size_t count;
	const char *const *files;      /* below root/: absolute paths; ends with NULL */
	const char *const *quarantine; /* names, * for any characters; ends with NULL */
};

/* The manifest of an unpacked bundle.  MALFORMED names what is missing or odd. */
lb_err runner_bundle_read(struct runner_bundle *out, struct lb_arena *arena, struct plat *plat,
                          const char *folder, struct lb_diag *diag);

/* The manifest's form of one test. */
struct lb_value *runner_test_value(struct lb_arena *arena, const struct runner_test *test);

/* Whether `name` is what the pattern says; * is any characters. */
bool runner_name_matches(const char *pattern, const char *name);

#endif
