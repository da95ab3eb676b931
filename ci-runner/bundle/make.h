/* make.h - packing a bundle: which tests there are, and what they need.
 *
 * Threads: one at a time.
 */
#ifndef RUNNER_BUNDLE_MAKE_H
#define RUNNER_BUNDLE_MAKE_H

#include "ci-runner/bundle/bundle.h"

enum runner_source_kind {
	RUNNER_FROM_CTEST,  /* a build folder of CMake's */
	RUNNER_FROM_CARGO,  /* a folder with Cargo.toml: its tests are built, each case is a test */
	RUNNER_FROM_GTEST,  /* a program with Google Test: each case is a test */
	RUNNER_FROM_CMOCKA, /* a program with cmocka, which is made to print TAP */
	RUNNER_FROM_TAP,    /* a program that prints TAP */
	RUNNER_FROM_JUNIT,  /* a program that writes $LIFEBOAT_JUNIT */
	RUNNER_FROM_PROGRAM /* one that says it by its exit status */
};

struct runner_source {
	enum runner_source_kind kind;
	const char *path;
};

struct runner_bundle_make {
	const struct runner_source *sources;
	size_t source_count;
	const char *const *data;     /* files and folders that tests read; ends with NULL */
	const char *const *networks; /* "PATTERN=loopback" or "PATTERN=HOST,..."; ends with NULL */
	const char *quarantine;      /* a file of names, one a line, # for comments; NULL: none */
	const char *out;             /* .tar.zst, .tar.gz, .tar or .zip */
};

/* *tests: how many are in it. */
lb_err runner_bundle_make(size_t *tests, struct lb_mem *mem, struct plat *plat,
                          const struct runner_bundle_make *how, struct lb_diag *diag);

#endif
