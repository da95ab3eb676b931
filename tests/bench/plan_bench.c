/* plan_bench.c - planning: Wasmtime's run of 194 jobs, and how it grows from 1 job to 10,000.
 *
 * GitHub's packages do not plan: its service does.  What they can do of it, reading the files,
 * stands beside ours in corpus_bench; here stands how long we read the same file.  All is processor
 * time.
 */
#include "tests/bench/bench.h"
#include "tests/workflows/support.h"
#include "tests/workflows/wasmtime.h"

#include "base/data/json.h"
#include "base/platform/clock.h"
#include "workflows/plan/plan.h"

#include <stdlib.h>

enum { ROUNDS = 51 };

/* Of the processor, so that what else the machine does is not in it. */
static uint64_t now(void) { return plat_clock_thread_ns(); }

static void must(lb_err err, const struct lb_diag *diag)
{
	if (!lb_failed(err))
		return;
	(void)fprintf(stderr, "plan_bench: %s\n", lb_diag_text(diag, err));
	exit(1);
}

static const struct workflow_instance *find_ready(const struct workflow_plan *plan, size_t *from)
{
	for (; *from < workflow_plan_count(plan); (*from)++) {
		if (workflow_plan_at(plan, *from)->state == WORKFLOW_READY)
			return workflow_plan_at(plan, *from);
	}
	return NULL;
}

/* ---- Wasmtime ---- */

struct wasmtime {
	struct workflow *workflow;
	struct workflow_plan_options options;
	const struct lb_value *outputs;
	struct bench parse, plan, again;
};

/* From the event to all jobs, then to the end of the run. */
static void run_wasmtime(struct wasmtime *w)
{
	const struct workflow_instance *at;
	struct workflow_plan *plan;
	struct lb_diag diag = { 0 };
	uint64_t start = now();
	size_t from = 0;

	must(workflow_plan_new(&plan, &lb_mem_host, w->workflow, &w->options, &diag), &diag);
	must(workflow_plan_finish(plan, LB_B("determine"), WORKFLOW_RESULT_SUCCESS, w->outputs,
	                          &diag),
	     &diag);
	bench_add(&w->plan, now() - start);
	while ((at = find_ready(plan, &from)) != NULL) {
		start = now();
		must(workflow_plan_finish(plan, at->id, WORKFLOW_RESULT_SUCCESS, NULL, &diag),
		     &diag);
		if (w->again.count < BENCH_SAMPLES_MAX)
			bench_add(&w->again, now() - start);
	}
	workflow_plan_free(plan);
}

static void bench_wasmtime(struct lb_arena *arena)
{
	static struct wasmtime w = { .parse = { .name = "main.yml parsed, checked" },
		                     .plan = { .name = "194 jobs planned" },
		                     .again = { .name = "again when a job ends" } };
	struct lb_bytes source = wasmtime_source(arena);
	struct lb_diag diag = { 0 };

	w.outputs = wasmtime_outputs(arena, true);
	w.options.github = support_json(
		arena, "{'repository': 'bytecodealliance/wasmtime', 'event_name': 'merge_group', "
		       "'ref': 'refs/heads/x', 'workflow': 'CI'}");
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t start = now();

		must(workflow_parse(&w.workflow, &lb_mem_host, source, "main.yml", &diag), &diag);
		bench_add(&w.parse, now() - start);
		run_wasmtime(&w);
		workflow_free(w.workflow);
	}
	bench_print(&w.parse, NULL);
	bench_print(&w.plan, &w.parse);
	printf("%-28s n %zu  median %.4f ms, the worst %.4f ms\n", w.again.name, w.again.count,
	       (double)bench_median(&w.again) / 1e6,
	       (double)w.again.ns[w.again.count - 1] / 1e6); /* sorted by the median */
}

/* ---- growth ---- */

/* `width` jobs side by side behind each other; or one that all others need. */
static void write_jobs(struct lb_buf *out, unsigned count, unsigned width)
{
	lb_buf_add_text(out, "on: push\njobs:\n");
	for (unsigned i = 0; i < count; i++) {
		lb_buf_addf(out, "  job%u:\n    runs-on: ubuntu-latest\n", i);
		if (i >= width)
			lb_buf_addf(out, "    needs: [job%u, job%u]\n", i - width,
			            i / width * width - 1);
		lb_buf_add_text(out, "    steps: [{run: make}]\n");
	}
}

/* Matrices of at most 250 side by side. */
static void write_matrices(struct lb_buf *out, unsigned count)
{
	enum { MATRIX = 250 };

	lb_buf_add_text(out, "on: push\njobs:\n");
	for (unsigned i = 0; i < count; i += MATRIX) {
		lb_buf_addf(out,
		            "  job%u:\n    runs-on: ubuntu-latest\n    steps: [{run: make}]\n"
		            "    strategy: {matrix: {n: [0",
		            i);
		for (unsigned n = 1; n < MATRIX && i + n < count; n++)
			lb_buf_addf(out, ", %u", n);
		lb_buf_add_text(out, "]}}\n");
	}
}

/* Every job in its turn; the order is known, as all of it is one list. */
static void end_all(struct workflow_plan *plan, struct bench *again)
{
	struct lb_diag diag = { 0 };
	size_t count = workflow_plan_count(plan);

	for (size_t i = 0; i < count; i++) {
		struct lb_bytes id = workflow_plan_at(plan, i)->id;
		uint64_t start = now();

		must(workflow_plan_finish(plan, id, WORKFLOW_RESULT_SUCCESS, NULL, &diag), &diag);
		bench_add(again, now() - start);
	}
	if (workflow_plan_conclusion(plan) != WORKFLOW_RESULT_SUCCESS)
		must(lb_err_of(LB_E_FAILED), &diag);
}

static void grow(const char *what, unsigned count, const struct lb_buf *source)
{
	static struct bench plan, again;
	struct workflow_plan_options options = { 0 };
	struct lb_diag diag = { 0 };
	struct workflow *workflow;

	must(workflow_parse(&workflow, &lb_mem_host, lb_buf_bytes(source), "grown.yml", &diag),
	     &diag);
	plan.count = again.count = 0;
	for (unsigned round = 0; round < 5; round++) {
		struct workflow_plan *made;
		uint64_t start = now();

		must(workflow_plan_new(&made, &lb_mem_host, workflow, &options, &diag), &diag);
		bench_add(&plan, now() - start);
		end_all(made, &again);
		workflow_plan_free(made);
	}
	printf("%6u jobs %-27s planned %7.3f ms (%4.0f ns a job), again when one ends %4.0f ns\n",
	       count, what, (double)bench_median(&plan) / 1e6, (double)bench_median(&plan) / count,
	       (double)bench_median(&again));
	workflow_free(workflow);
}

TEST(planning_wasmtime)
{
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	if (test_suites() != NULL)
		bench_wasmtime(&arena);
	lb_arena_release(&arena);
	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
}

TEST(planning_many_jobs)
{
	for (unsigned count = 1; count <= 10000; count *= 10) {
		struct lb_buf rows, matrices;

		lb_buf_init(&rows, t->mem, WORKFLOW_FILE_BYTES_MAX);
		lb_buf_init(&matrices, t->mem, WORKFLOW_FILE_BYTES_MAX);
		write_jobs(&rows, count, count < 10 ? 1 : count / 10);
		write_matrices(&matrices, count);
		grow("in ten rows, each needs two", count, &rows);
		grow("in matrices", count, &matrices);
		lb_buf_release(&rows);
		lb_buf_release(&matrices);
	}
}
