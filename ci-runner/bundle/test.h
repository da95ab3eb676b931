/* test.h - the tests of a bundle: which belong to a shard, run, judged, reported.
 *
 * Each test is a process in a sandbox of its own, with files of the bundle where they were built,
 * a folder of its own to write in ($TMPDIR and $HOME too), and no network but what the manifest
 * grants it.  What fails is run again: once good makes it flaky, never makes it broken.  A flaky
 * test, and a broken one in quarantine, do not fail the run.
 */
#ifndef RUNNER_BUNDLE_TEST_H
#define RUNNER_BUNDLE_TEST_H

#include "ci-runner/bundle/bundle.h"
#include "ci-runner/bundle/outcome.h"
#include "ci-runner/sandbox/sandbox.h"

#include <stdio.h>

struct runner_test_run {
	const struct runner_bundle *bundle;
	struct lb_mem *mem;
	struct plat *plat;
	struct runner_sandbox *sandbox;
	struct runner_stop *stop;
	struct runner_reach reach;     /* of tests that the manifest grants nothing more */
	const char *const *filters;    /* only names that one of them matches; empty: all */
	const char *const *quarantine; /* beside the bundle's own; ends with NULL */
	uint32_t shard, shards;        /* from 1; shards 0: all */
	uint32_t jobs, retries;        /* at once; how often a failure is run again */
	double timeout_s;              /* of one that says none */
	const char *timings, *junit;   /* files; NULL: none */
	const char *summary;           /* Markdown is added to; NULL: none */
	const char *work;              /* an empty folder */
	FILE *out;
};

struct runner_test_end {
	enum runner_verdict verdict; /* of the last time */
	bool ran, flaky, quarantined;
	unsigned times;
	double seconds; /* of the last time */
	struct lb_bytes why, output;
	const struct runner_case *cases; /* what it said itself; of the last time */
	size_t case_count;
};

struct runner_test_counts {
	size_t passed, failed, flaky, quarantined, skipped;
};

/* Which tests are meant, in the manifest's order: indices in the arena.  NOTFOUND: no test of the
 * bundle matches a filter. */
lb_err runner_tests_choose(const size_t **out, size_t *count, struct lb_arena *arena,
                           const struct runner_test_run *run, struct lb_diag *diag);

/* Run them; *counts says how it went.  LB_OK however tests end. */
lb_err runner_tests_run(struct runner_test_counts *counts, const struct runner_test_run *run,
                        struct lb_diag *diag);

/* ---- report.c ---- */
lb_err runner_report_junit(struct lb_mem *mem, struct plat *plat, const char *path,
                           const struct runner_bundle *bundle, const size_t *chosen,
                           const struct runner_test_end *ends, size_t count, struct lb_diag *diag);
lb_err runner_report_summary(struct lb_mem *mem, const char *path,
                             const struct runner_bundle *bundle, const size_t *chosen,
                             const struct runner_test_end *ends, size_t count,
                             const struct runner_test_counts *counts, struct lb_diag *diag);

/* ---- split.c: how long tests took ---- */
struct lb_value; /* an object: seconds by name */
lb_err runner_timings_read(struct lb_value **out, struct lb_arena *arena, struct plat *plat,
                           const char *path, struct lb_diag *diag);
lb_err runner_timings_write(struct lb_mem *mem, struct plat *plat, const char *path,
                            const struct runner_bundle *bundle, const size_t *chosen,
                            const struct runner_test_end *ends, size_t count, struct lb_diag *diag);

#endif
