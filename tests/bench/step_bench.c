/* step_bench.c - what a job and each of its steps cost beside a bare spawn of the same sandbox.
 *
 * The bare spawn starts the same shell on an empty script in the same sandbox on the machine's
 * network, and nothing else of a step.  A step adds its network, its files, its log, its records.
 */
#include "base/io/file.h"
#include "base/platform/plat.h"
#include "ci-runner/execute/job.h"
#include "tests/bench/bench.h"
#include "tests/harness/test.h"

#include <stdlib.h>
#include <unistd.h>

enum { STEPS = 200, JOBS = 30 };

static uint64_t now(void) { return plat_host.ops->now_ns(&plat_host); }

/* ---- a link that only looks at the clock ---- */

struct watch_link {
	struct runner_link link; /* first member */
	uint64_t first_line;
	uint64_t begun;
	struct bench *steps;        /* NULL: not kept */
	void (*between)(void *ctx); /* what is measured in turn with them */
	void *ctx;
};

static void on_log(struct runner_link *self, struct lb_bytes lines)
{
	struct watch_link *link = (struct watch_link *)self;

	(void)lines;
	if (link->first_line == 0)
		link->first_line = now();
}

/* From one trivial step's end to the next one's is a step with all around it. */
static void on_step(struct runner_link *self, const struct runner_step_state *step)
{
	struct watch_link *link = (struct watch_link *)self;

	if (step->conclusion == RUNNER_PENDING || link->steps == NULL)
		return;
	if (step->number >= 3 && step->number <= STEPS) { /* the first is "Set up job" */
		bench_add(link->steps, now() - link->begun);
		link->between(link->ctx);
	}
	link->begun = now();
}

static lb_err no_put(struct runner_found *out, struct runner_link *self, struct lb_arena *arena,
                     const char *name, const char *path, bool overwrite, struct lb_diag *diag)
{
	(void)out, (void)self, (void)arena, (void)name, (void)path, (void)overwrite;
	return lb_fail(diag, LB_E_UNSUPPORTED, "no artifacts");
}

static const struct runner_link_ops ops = { .log = on_log,
	                                    .step = on_step,
	                                    .artifact_put = no_put };

/* ---- a job ---- */

struct scene {
	struct runner_sandbox *sandbox;
	struct runner_stop stop;
	struct runner_host host;
	char work[600], helper[600];
	struct lb_buf workflow;
};

static bool open_scene(struct test *t, struct scene *s, unsigned steps)
{
	struct lb_diag diag;

	*s = (struct scene){ 0 };
	lb_buf_init(&s->workflow, &lb_mem_host, 1 << 20);
	lb_buf_add_text(&s->workflow, "on: push\nenv: { LIFEBOAT_NETWORK: none }\njobs:\n  one:\n"
	                              "    runs-on: ubuntu-latest\n    steps:\n");
	for (unsigned i = 0; i < steps; i++)
		lb_buf_add_text(&s->workflow, "      - run: ':'\n");
	(void)snprintf(s->work, sizeof s->work, "%s/work", test_folder(t));
	(void)snprintf(s->helper, sizeof s->helper, "%s/lifeboat-runner", test_build());
	s->host = (struct runner_host){ .mem = &lb_mem_host,
		                        .plat = &plat_host,
		                        .work = s->work,
		                        .name = "bench",
		                        .helper = s->helper,
		                        .stop = &s->stop };
	if (!CHECK_OK(runner_stop_init(&s->stop)) ||
	    !CHECK_OK(runner_sandbox_new(&s->sandbox, &lb_mem_host, NULL, &diag)) ||
	    !CHECK_OK(runner_folders_prepare(&lb_mem_host, &plat_host, s->work, &diag)))
		return false;
	s->host.sandbox = s->sandbox;
	return true;
}

static void close_scene(struct scene *s)
{
	runner_sandbox_free(s->sandbox);
	runner_stop_release(&s->stop);
	lb_buf_release(&s->workflow);
}

static void run_job(struct test *t, struct scene *s, struct watch_link *link)
{
	struct runner_result result;
	struct lb_arena arena;
	struct lb_diag diag = { 0 };
	struct runner_job job = { .name = LB_B("one"), .key = LB_B("one") };

	lb_arena_init(&arena, &lb_mem_host);
	job.contexts = lb_value_object(&arena);
	job.workflow.path = LB_B(".github/workflows/bench.yml");
	job.workflow.source = lb_buf_bytes(&s->workflow);
	job.workflow.job = LB_B("one");
	job.repository.name = LB_B("local/bench");
	job.repository.url = LB_B("/nowhere");
	job.repository.sha = LB_B("0000000000000000000000000000000000000000");
	job.repository.ref = LB_B("refs/heads/main");
	link->link.ops = &ops;
	link->begun = now();
	link->first_line = 0;
	CHECK_OK(runner_job_execute(&result, &arena, &s->host, &job, &link->link, &diag));
	CHECK(result.conclusion == RUNNER_SUCCESS);
	lb_ignore(runner_job_clean(&s->host, &job, NULL));
	lb_arena_release(&arena);
}

/* ---- the bare spawn ---- */

struct bare {
	struct test *t;
	struct scene *scene;
	struct bench *bench;
	char script[700];
};

static void spawn_bare(void *ctx)
{
	struct bare *bare = ctx;
	struct test *t = bare->t;
	const char *const argv[] = { "bash", "-e", bare->script, NULL };
	static const char *const env[] = { "PATH=/usr/bin:/bin", NULL };
	const char *const writable[] = { bare->scene->work, NULL };
	const struct runner_command how = {
		.argv = argv, .env = env, .cwd = bare->scene->work, .writable = writable
	};
	struct runner_process process;
	struct runner_end end = { .status = -1 };
	uint64_t begin;

	/* The job's folders are there by now. */
	if (!lb_file_exists(&plat_host, bare->script))
		CHECK_OK(lb_file_write(&plat_host, bare->script, LB_B(":\n"), 0, NULL));
	begin = now();
	if (CHECK_OK(runner_process_start(&process, bare->scene->sandbox, &how, NULL)))
		CHECK_OK(runner_process_watch(&end, &process, &(struct runner_watch){ 0 }, NULL));
	bench_add(bare->bench, now() - begin);
	CHECK(end.status == 0);
}

static void print_memory(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];

	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		if (strncmp(line, "VmHWM:", 6) == 0)
			printf("memory at most: %.1f MB (goal: under 20)\n",
			       strtod(line + 6, NULL) / 1000);
	}
	if (file != NULL)
		(void)fclose(file);
}

TEST(steps_and_jobs_beside_a_bare_spawn)
{
	static struct bench bare = { .name = "bare spawn" },
			    step = { .name = "step, network none" },
			    first = { .name = "job to first line" },
			    whole = { .name = "job of one step" };
	struct watch_link link = { 0 };
	struct bare spawn = { .t = t, .bench = &bare };
	struct scene s;

	if (open_scene(t, &s, STEPS)) {
		spawn.scene = &s;
		(void)snprintf(spawn.script, sizeof spawn.script, "%s/_home/script.sh", s.work);
		CHECK_OK(lb_file_make_folders(&plat_host, s.work, NULL));
		link.steps = &step;
		link.between = spawn_bare;
		link.ctx = &spawn;
		run_job(t, &s, &link);
		close_scene(&s);
	}
	link.steps = NULL;
	if (open_scene(t, &s, 1)) {
		for (unsigned i = 0; i < JOBS; i++) {
			uint64_t begin = now();

			run_job(t, &s, &link);
			bench_add(&whole, now() - begin);
			bench_add(&first, link.first_line - begin);
		}
		close_scene(&s);
	}
	bench_print(&bare, NULL);
	bench_print(&step, &bare);
	bench_print(&first, &bare);
	bench_print(&whole, &bare);
	printf("a step over the bare spawn: %.2f ms (goal: at most 1.5)\n",
	       ((double)bench_median(&step) - (double)bench_median(&bare)) / 1e6);
	printf("a job to its first line: %.2f ms (goal: under 5)\n",
	       (double)bench_median(&first) / 1e6);
	print_memory();
}
