/* wasmtime_test.c - Wasmtime's own main.yml: its 194 jobs for a merge, its 29 for a pull request.
 */
#include "tests/workflows/plan/run.h"
#include "tests/workflows/wasmtime.h"

#include <stdlib.h>

/* The jobs of the file beside the two matrices that it computes, as it calls them. */
static const char *const fixed_names[] = {
	"Rustfmt",
	"Check JS",
	"Clang format",
	"Cargo deny",
	"Cargo vet",
	"Determine CI jobs to run",
	"Doc build",
	"Check wasmtime",
	"Check wasmtime-fiber",
	"Check wasmtime-cli",
	"Check cranelift-codegen",
	"Check cranelift-entity",
	"Check cranelift-module",
	"Check wasmtime-bench-api",
	"Check wasmtime-c-api",
	"Check wasmtime-wasi-http",
	"Check wasmtime-wasi",
	"Check wasmtime-wasi-tls",
	"Check wasmtime-wizer",
	"Check wasmtime-cli-flags",
	"One-off special tests",
	"Clippy",
	"MSRV check",
	"Monolith Checks",
	"Platform: x86_64-unknown-freebsd",
	"Platform: aarch64-pc-windows-msvc",
	"Platform: i686-pc-windows-msvc",
	"Platform: x86_64-unknown-none",
	"Platform: x86_64-unknown-illumos",
	"Platform: wasm32-wasip1",
	"Platform: aarch64-apple-ios",
	"Platform: powerpc64le-unknown-linux-gnu",
	"Platform: riscv32imac-unknown-none-elf",
	"Platform: loongarch64-unknown-linux-gnu",
	"Nightly tests",
	"GC Zeal Tests",
	"Test C-API Linux",
	"Test C-API macOS",
	"Test C-API Windows",
	"Test C-API Linux (static linking)",
	"Test C-API Linux (ASAN)",
	"Test wasi-nn (openvino, ubuntu-24.04)",
	"Test wasi-nn (openvino, windows-2025)",
	"Test wasi-nn (onnx-download, ubuntu-24.04)",
	"Test wasi-nn (onnx-download, windows-2025)",
	"Test wasi-nn (winml, windows-2025)",
	"Test wasi-tls (ubuntu-latest)",
	"Test wasi-tls (windows-latest)",
	"Test wasi-tls (macos-latest)",
	"Test wasmtime-fuzzing",
	"Test DWARF debugging",
	"Test guest debugging",
	"Build wasi-preview1-component-adapter",
	"Build wasi-preview1-component-adapter-provider",
	"Test the min-platform example",
	"Run benchmarks",
	"Meta deterministic check",
	"verify-publish",
	"Miri (wasmtime --features component-model-bytes,component-model-async)",
	"Miri (wasmtime-cli)",
	"Miri (wasmtime-environ --all-features)",
	"Miri (pulley-interpreter --all-features)",
	"Miri (wasmtime-internal-core)",
	"Miri (wasmtime-internal-core --all-features)",
	"Miri (./ci/miri-provenance-test.sh)",
	"Miri (./ci/miri-wast.sh ./tests/spec_testsuite/table.wast)",
	"Miri (./ci/miri-wast.sh ./tests/spec_testsuite/struct.wast -Ccollector=null)",
	"Miri (./ci/miri-wast.sh ./tests/spec_testsuite/struct.wast -Ccollector=copying)",
	"Miri (./ci/miri-wast.sh ./tests/spec_testsuite/struct.wast -Ccollector=drc)",
	"ISLE verifier basic check",
	"Record the result of testing and building steps",
};

/* Those of them that a pull request runs which changes nothing special. */
static const char *const pull_names[] = {
	"Rustfmt",
	"Check JS",
	"Clang format",
	"Determine CI jobs to run",
	"Check wasmtime",
	"Check wasmtime-fiber",
	"Check wasmtime-cli",
	"Check cranelift-codegen",
	"Check cranelift-entity",
	"Check cranelift-module",
	"Check wasmtime-bench-api",
	"Check wasmtime-c-api",
	"Check wasmtime-wasi-http",
	"Check wasmtime-wasi",
	"Check wasmtime-wasi-tls",
	"Check wasmtime-wizer",
	"Check wasmtime-cli-flags",
	"Clippy",
	"MSRV check",
	"Monolith Checks",
	"Record the result of testing and building steps",
};

struct wasmtime {
	struct lb_arena arena;
	struct workflow *workflow;
	struct workflow_plan *plan;
	struct workflow_plan_options options;
	const struct lb_value *outputs;
};

static void open_wasmtime(struct wasmtime *w, struct test *t, const char *github, bool full)
{
	struct lb_diag diag = { 0 };

	*w = (struct wasmtime){ 0 };
	lb_arena_init(&w->arena, t->mem);
	w->options.github = support_json(&w->arena, github);
	w->outputs = wasmtime_outputs(&w->arena, full);
	CHECK_OK(workflow_parse(&w->workflow, t->mem, wasmtime_source(&w->arena),
	                        ".github/workflows/main.yml", &diag));
	CHECK_OK(workflow_plan_new(&w->plan, t->mem, w->workflow, &w->options, &diag));
}

static void close_wasmtime(struct wasmtime *w)
{
	workflow_plan_free(w->plan);
	workflow_free(w->workflow);
	lb_arena_release(&w->arena);
}

static const char *described(struct test *t, struct wasmtime *w, const struct workflow_plan *plan)
{
	struct lb_value *value = NULL;

	CHECK_OK(workflow_plan_describe(&value, &w->arena, plan));
	return support_text(&w->arena, value);
}

/* From its durable state, a plan made anew is the same. */
static void check_anew(struct test *t, struct wasmtime *w)
{
	struct workflow_plan *anew;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(workflow_plan_new(&anew, t->mem, w->workflow, &w->options, NULL));
	CHECK_OK(workflow_plan_restore(anew, workflow_plan_save(&arena, w->plan), NULL));
	if (strcmp(described(t, w, anew), described(t, w, w->plan)) != 0) {
		printf("# a plan made anew is another\n");
		t->failures++;
	}
	workflow_plan_free(anew);
	lb_arena_release(&arena);
}

/* One job that is ready, drawn by chance; NULL: none. */
static const struct workflow_instance *any_ready(struct test *t, const struct workflow_plan *plan)
{
	size_t count = workflow_plan_count(plan), start = test_random(t) % count;

	for (size_t i = 0; i < count; i++) {
		const struct workflow_instance *at = workflow_plan_at(plan, (start + i) % count);

		if (at->state == WORKFLOW_READY)
			return at;
	}
	return NULL;
}

/* Every job ends well, in any order; the plan is made anew after each.  How many there were. */
static size_t run_all(struct test *t, struct wasmtime *w)
{
	const struct workflow_instance *at;
	size_t count = 0;

	while ((at = any_ready(t, w->plan)) != NULL) {
		bool finder = lb_bytes_is(at->id, "determine");

		CHECK_OK(workflow_plan_finish(w->plan, at->id, GOOD, finder ? w->outputs : NULL,
		                              NULL));
		check_anew(t, w);
		count++;
	}
	return count;
}

/* ---- names ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t add_entries(const char **names, struct wasmtime *w, const char *output,
                          const char *key, const char *before)
{
	struct lb_bytes json = lb_value_get_string(w->outputs, output);
	const struct lb_value *list =
		lb_value_get(support_json(&w->arena, lb_arena_text(&w->arena, json)), "include");

	for (uint32_t i = 0; i < list->count; i++)
		names[i] = support_path(&w->arena, "%s%.*s", before,
		                        LB_FMT(lb_value_get_string(list->items[i], key)));
	return list->count;
}

/* The jobs that ran are called so, whatever their order. */
static void check_names(struct test *t, struct wasmtime *w, const char **want, size_t count)
{
	size_t at = 0;
	const char **got = LB_ARENA_NEW(&w->arena, const char *, workflow_plan_count(w->plan));

	for (size_t i = 0; i < workflow_plan_count(w->plan); i++) {
		const struct workflow_instance *job = workflow_plan_at(w->plan, i);

		if (job->state == WORKFLOW_DONE)
			got[at++] = lb_arena_text(&w->arena, job->name);
	}
	CHECK(at == count);
	qsort(got, at, sizeof *got, by_text);
	qsort(want, count, sizeof *want, by_text);
	for (size_t i = 0; i < at && i < count; i++)
		CHECK_TEXT(got[i], want[i]);
}

/* ---- the two events ---- */

TEST(a_merge_of_wasmtime_is_194_jobs)
{
	enum { FIXED = sizeof fixed_names / sizeof fixed_names[0] };
	const char *names[FIXED + WASMTIME_TESTS + WASMTIME_BUILDS];
	struct wasmtime w;
	size_t count = FIXED;

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	open_wasmtime(&w, t,
	              "{'repository': 'bytecodealliance/wasmtime', 'event_name': 'merge_group', "
	              "'ref': 'refs/heads/gh-readonly-queue/main/pr-1', 'workflow': 'CI'}",
	              true);
	CHECK(lb_value_get_string(w.outputs, "test-matrix").len > 280000);
	CHECK(run_all(t, &w) == 194);
	CHECK(workflow_plan_conclusion(w.plan) == GOOD);
	memcpy(names, fixed_names, sizeof fixed_names);
	count += add_entries(names + count, &w, "test-matrix", "name", "");
	count += add_entries(names + count, &w, "build-matrix", "build", "Release build for ");
	CHECK(count == 194);
	check_names(t, &w, names, count);
	close_wasmtime(&w);
}

TEST(a_pull_request_of_wasmtime_is_29_jobs)
{
	enum { PULL = sizeof pull_names / sizeof pull_names[0] };
	const char *names[PULL + WASMTIME_PULL_TESTS];
	struct wasmtime w;
	size_t count = PULL;

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	open_wasmtime(&w, t,
	              "{'repository': 'bytecodealliance/wasmtime', 'event_name': 'pull_request', "
	              "'ref': 'refs/pull/1/merge', 'base_ref': 'main', 'workflow': 'CI'}",
	              false);
	CHECK(run_all(t, &w) == 29);
	CHECK(workflow_plan_conclusion(w.plan) == GOOD);
	memcpy(names, pull_names, sizeof pull_names);
	count += add_entries(names + count, &w, "test-matrix", "name", "");
	CHECK(count == 29);
	check_names(t, &w, names, count);
	close_wasmtime(&w);
}
