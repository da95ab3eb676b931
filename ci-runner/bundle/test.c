/* test.c - see test.h: running tests, several at once.
 *
 * Invariants:
 *  1. `next`, `counts` and what is printed belong to whoever holds the lock; an end belongs to the
 *     thread that took its index, and to the main one when all threads have ended.
 *  2. Each thread has an arena of its own, which lives until the report is written.
 */
#include "ci-runner/bundle/test.h"

#include "base/io/file.h"
#include "workflows/step/step.h"

#include <pthread.h>
#include <stdlib.h>

enum { OUTPUT_BYTES_MAX = 1 << 20, SHOWN_BYTES = 4000 };

struct suite {
	const struct runner_test_run *run;
	struct runner_networks *networks;
	const struct runner_show *shown; /* the bundle's files */
	const size_t *chosen;
	struct runner_test_end *ends;
	size_t count, next;
	struct runner_test_counts counts;
	pthread_mutex_t lock;
	lb_err failure; /* of the machine, not of a test */
	struct lb_diag diag;
};

struct worker {
	struct suite *suite;
	struct lb_arena arena;
	pthread_t thread;
	bool started;
};

/* One time of one test. */
struct trial {
	struct suite *suite;
	struct lb_arena *arena;
	const struct runner_test *test;
	struct runner_test_end *end;
	const char *folder; /* its own */
	struct lb_buf output;
	const struct runner_net *net;
};

static double now_s(const struct runner_test_run *run)
{
	return (double)run->plat->ops->now_ns(run->plat) / 1e9;
}

/* ---- what a test sees ---- */

static const char *text_of(struct lb_bytes text) { return (const char *)text.at; }

static const char *const *make_env(struct trial *t)
{
	size_t count = 0, at = 0;
	const char **env;

	while (t->test->env != NULL && t->test->env[count] != NULL)
		count++;
	env = LB_ARENA_NEW(t->arena, const char *, count + 9);
	if (env == NULL)
		return NULL;
	env[at++] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	env[at++] = "LANG=C.UTF-8";
	env[at++] = text_of(lb_arena_format(t->arena, "HOME=%s", t->folder));
	env[at++] = text_of(lb_arena_format(t->arena, "TMPDIR=%s", t->folder));
	env[at++] = text_of(lb_arena_format(t->arena, "LIFEBOAT_JUNIT=%s/junit.xml", t->folder));
	env[at++] = text_of(lb_arena_format(t->arena, "LIFEBOAT_TRY=%u", t->end->times));
	env[at++] = text_of(
		lb_arena_format(t->arena, "LD_LIBRARY_PATH=%s/lib", t->suite->run->bundle->folder));
	for (size_t i = 0; i < count; i++)
		env[at++] = t->test->env[i];
	return env;
}

/* The bundle's libraries are found below its own folder. */
static const char *const *make_readable(struct trial *t)
{
	const char **list = LB_ARENA_NEW(t->arena, const char *, 2);
	const char *libraries =
		text_of(lb_arena_format(t->arena, "%s/lib", t->suite->run->bundle->folder));

	if (list != NULL && libraries != NULL && lb_file_exists(t->suite->run->plat, libraries))
		list[0] = libraries;
	return list;
}

/* A folder that the test was to run in is there, empty but for the bundle's files in it. */
static const struct runner_show *make_bases(struct trial *t)
{
	struct runner_show *bases = LB_ARENA_NEW(t->arena, struct runner_show, 2);

	if (bases != NULL && t->test->cwd != NULL)
		bases[0] = (struct runner_show){ t->folder, t->test->cwd };
	return bases;
}

/* Loopback or hosts, and nothing more, whatever a manifest says. */
static lb_err reach_of(struct runner_reach *out, struct trial *t, struct lb_diag *diag)
{
	enum workflow_network network;

	*out = t->suite->run->reach;
	if (t->test->network == NULL)
		return LB_OK;
	LB_TRY(workflow_network_read(&network, &out->hosts, t->arena, lb_bytes_of(t->test->network),
	                             t->test->name, diag));
	if (network != WORKFLOW_NETWORK_LOOPBACK && network != WORKFLOW_NETWORK_HOSTS)
		return lb_fail(diag, LB_E_DENIED,
		               "%s asks for the network '%s'; a test may have 'loopback' or hosts",
		               t->test->name, t->test->network);
	out->network =
		network == WORKFLOW_NETWORK_HOSTS ? RUNNER_NETWORK_HOSTS : RUNNER_NETWORK_LOOPBACK;
	return LB_OK;
}

/* ---- one time ---- */

/* The end of what it prints is worth more than the beginning. */
static void keep(void *ctx, struct lb_bytes part)
{
	struct trial *t = ctx;

	if (part.len > OUTPUT_BYTES_MAX / 2)
		part = lb_bytes_from(part, part.len - OUTPUT_BYTES_MAX / 2);
	if (t->output.len + part.len > OUTPUT_BYTES_MAX && t->test->kind != RUNNER_TEST_TAP)
		lb_buf_consume(&t->output, t->output.len / 2);
	lb_buf_add(&t->output, part);
}

static void fail(struct trial *t, struct lb_bytes why)
{
	t->end->verdict = RUNNER_FAILED_TEST;
	t->end->why = why;
}

static void judge_status(struct trial *t, const struct runner_end *end, double timeout_s)
{
	bool bad = end->status != 0;

	t->end->verdict = RUNNER_PASSED;
	if (end->how == RUNNER_TIMED_OUT)
		fail(t, lb_arena_format(t->arena, "not done after %g s", timeout_s));
	else if (t->test->skip_status != 0 && end->status == t->test->skip_status)
		t->end->verdict = RUNNER_SKIPPED_TEST;
	else if (bad && !t->test->fails)
		fail(t, end->status > 128
		                ? lb_arena_format(t->arena, "ended by signal %d", end->status - 128)
		                : lb_arena_format(t->arena, "exit status %d", end->status));
	else if (!bad && t->test->fails)
		fail(t, LB_B("it was expected to fail"));
}

/* What Google Test and Rust's say of one case that they did not run. */
static void look_for_skips(struct trial *t)
{
	struct lb_bytes output = lb_buf_bytes(&t->output);

	if (t->end->verdict == RUNNER_PASSED && t->test->kind == RUNNER_TEST_EXIT &&
	    (lb_bytes_find(output, LB_B("[  SKIPPED ]")) != SIZE_MAX ||
	     lb_bytes_find(output, LB_B("test result: ok. 0 passed; 0 failed; 1 ignored")) !=
	             SIZE_MAX))
		t->end->verdict = RUNNER_SKIPPED_TEST;
}

static lb_err read_junit(struct lb_vec *cases, struct trial *t, struct lb_diag *diag)
{
	const char *path = text_of(lb_arena_format(t->arena, "%s/junit.xml", t->folder));
	struct lb_buf text;
	lb_err err;

	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, t->suite->run->mem, 64 << 20);
	err = lb_file_read(&text, t->suite->run->plat, path, diag);
	if (!lb_failed(err))
		err = runner_junit_read(cases, t->arena, lb_buf_bytes(&text), diag);
	lb_buf_release(&text);
	return err;
}

static lb_err judge_cases(struct trial *t)
{
	struct lb_vec cases;
	struct runner_case *kept;
	struct lb_diag diag = { 0 };
	size_t failed = 0;
	lb_err err;

	if (t->test->kind == RUNNER_TEST_EXIT)
		return LB_OK;
	lb_vec_init(&cases, t->suite->run->mem, sizeof(struct runner_case), RUNNER_CASES_MAX);
	err = t->test->kind == RUNNER_TEST_TAP
	              ? runner_tap_read(&cases, t->arena, lb_buf_bytes(&t->output), &diag)
	              : read_junit(&cases, t, &diag);
	kept = LB_ARENA_NEW(t->arena, struct runner_case, cases.count + 1);
	for (size_t i = 0; kept != NULL && i < cases.count; i++) {
		kept[i] = *LB_VEC_AT(&cases, struct runner_case, i);
		failed += kept[i].verdict == RUNNER_FAILED_TEST ? 1 : 0;
	}
	t->end->cases = kept;
	t->end->case_count = kept != NULL ? cases.count : 0;
	lb_vec_release(&cases);
	if (kept == NULL || lb_code_of(err) == LB_E_NOMEM)
		return lb_err_of(LB_E_NOMEM);
	if (t->end->verdict != RUNNER_FAILED_TEST && lb_failed(err))
		fail(t, lb_arena_format(t->arena, "%s", lb_diag_text(&diag, err)));
	if (failed > 0)
		fail(t, lb_arena_format(t->arena, "%zu of %zu cases failed", failed,
		                        t->end->case_count));
	return LB_OK;
}

static lb_err run_process(struct runner_end *end, struct trial *t, double timeout_s,
                          struct lb_diag *diag)
{
	const struct runner_test_run *run = t->suite->run;
	const char *const writable[] = { t->folder, NULL };
	struct runner_process process;
	struct runner_command how = { .argv = t->test->argv,
		                      .env = make_env(t),
		                      .cwd = t->test->cwd != NULL ? t->test->cwd : t->folder,
		                      .writable = writable,
		                      .bases = make_bases(t),
		                      .shown = t->suite->shown,
		                      .readable = make_readable(t),
		                      .net = t->net };
	struct runner_watch watch = { .output = keep,
		                      .ctx = t,
		                      .stop = run->stop,
		                      .deadline_ns = run->plat->ops->now_ns(run->plat) +
		                                     (uint64_t)(timeout_s * 1e9) };

	if (t->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(runner_process_start(&process, run->sandbox, &how, diag));
	return runner_process_watch(end, &process, &watch, diag);
}

/* Only what is wrong with this machine is an error. */
static lb_err try_once(struct trial *t, struct lb_diag *diag)
{
	const struct runner_test_run *run = t->suite->run;
	double timeout_s = t->test->timeout_s > 0 ? t->test->timeout_s : run->timeout_s;
	double begin = now_s(run);
	struct runner_end end;
	lb_err err;

	t->end->times++;
	t->end->case_count = 0;
	lb_buf_reset(&t->output);
	LB_TRY(lb_file_make_folders(run->plat, t->folder, diag));
	err = run_process(&end, t, timeout_s, diag);
	t->end->seconds = now_s(run) - begin;
	if (lb_code_of(err) == LB_E_LIMIT || lb_code_of(err) == LB_E_UNSUPPORTED) {
		fail(t, lb_arena_format(t->arena, "%s", lb_diag_text(diag, err)));
		err = LB_OK;
	} else if (!lb_failed(err) && end.how == RUNNER_STOPPED) {
		err = lb_fail(diag, LB_E_CANCELLED, "The operation was canceled.");
	} else if (!lb_failed(err)) {
		judge_status(t, &end, timeout_s);
		look_for_skips(t);
		err = judge_cases(t);
	}
	if (!lb_failed(err) && t->end->verdict == RUNNER_FAILED_TEST)
		t->end->output = lb_arena_bytes(t->arena, lb_buf_bytes(&t->output));
	lb_ignore(lb_file_remove_tree(run->plat, t->folder, NULL));
	return t->arena->failed ? lb_err_of(LB_E_NOMEM) : err;
}

static bool in_quarantine(const struct suite *s, const char *name)
{
	const char *const *lists[] = { s->run->bundle->quarantine, s->run->quarantine };

	for (size_t i = 0; i < 2; i++) {
		for (const char *const *at = lists[i]; at != NULL && *at != NULL; at++) {
			if (runner_name_matches(*at, name))
				return true;
		}
	}
	return false;
}

/* Again until it passes once or has had its chances. */
static lb_err try_all(struct trial *t, struct lb_diag *diag)
{
	struct runner_reach reach;
	bool failed = false;
	lb_err err = reach_of(&reach, t, diag);

	t->end->ran = true;
	if (lb_code_of(err) == LB_E_DENIED || lb_code_of(err) == LB_E_INVALID) {
		fail(t, lb_arena_format(t->arena, "%s", lb_diag_text(diag, err)));
		return LB_OK;
	}
	LB_TRY(err);
	LB_TRY(runner_networks_enter(&t->net, t->suite->networks, &reach, diag));
	do {
		failed = failed || t->end->verdict == RUNNER_FAILED_TEST;
		err = try_once(t, diag);
	} while (!lb_failed(err) && t->end->verdict == RUNNER_FAILED_TEST &&
	         t->end->times <= t->suite->run->retries);
	runner_networks_leave(t->suite->networks, t->net);
	t->end->flaky = failed && t->end->verdict != RUNNER_FAILED_TEST;
	t->end->quarantined =
		t->end->verdict == RUNNER_FAILED_TEST && in_quarantine(t->suite, t->test->name);
	return err;
}

/* ---- all of them ---- */

static void count(struct runner_test_counts *counts, const struct runner_test_end *end)
{
	if (end->flaky)
		counts->flaky++;
	if (end->verdict == RUNNER_PASSED)
		counts->passed++;
	else if (end->verdict == RUNNER_SKIPPED_TEST)
		counts->skipped++;
	else if (end->quarantined)
		counts->quarantined++;
	else
		counts->failed++;
}

static void show(const struct suite *s, const struct runner_test *test,
                 const struct runner_test_end *end)
{
	FILE *out = s->run->out;
	const char *word = end->verdict == RUNNER_SKIPPED_TEST ? "skip"
	                   : end->verdict == RUNNER_PASSED     ? end->flaky ? "FLAKY" : "ok"
	                   : end->quarantined                  ? "quarantine"
	                                                       : "FAIL";
	struct lb_bytes shown = end->output;

	(void)fprintf(out, "%-10s %8.0f ms  %s%s%.*s\n", word, end->seconds * 1e3, test->name,
	              end->why.len > 0 ? ": " : "", LB_FMT(end->why));
	if (end->verdict != RUNNER_FAILED_TEST)
		return;
	if (shown.len > SHOWN_BYTES)
		shown = lb_bytes_from(shown, shown.len - SHOWN_BYTES);
	while (shown.len > 0) {
		struct lb_bytes line;

		(void)lb_bytes_split(&line, &shown, '\n');
		(void)fprintf(out, "    %.*s\n", LB_FMT(line));
	}
}

/* The next to do; false when there is none or something went wrong. */
static bool take_next(struct suite *s, size_t *index)
{
	bool more;

	(void)pthread_mutex_lock(&s->lock);
	more = s->next < s->count && !lb_failed(s->failure);
	*index = more ? s->next++ : 0;
	(void)pthread_mutex_unlock(&s->lock);
	return more;
}

static void finish(struct suite *s, size_t index, lb_err err, const struct lb_diag *diag)
{
	(void)pthread_mutex_lock(&s->lock);
	if (!lb_failed(err)) {
		count(&s->counts, &s->ends[index]);
		show(s, &s->run->bundle->tests[s->chosen[index]], &s->ends[index]);
	} else if (!lb_failed(s->failure)) {
		s->failure = err;
		s->diag = *diag;
	}
	(void)pthread_mutex_unlock(&s->lock);
}

static void *work(void *ctx)
{
	struct worker *worker = ctx;
	struct suite *s = worker->suite;
	struct trial t = { .suite = s, .arena = &worker->arena };
	size_t index;

	lb_buf_init(&t.output, s->run->mem, 64 << 20);
	while (take_next(s, &index)) {
		struct lb_diag diag = { 0 };
		lb_err err = LB_OK;

		t.test = &s->run->bundle->tests[s->chosen[index]];
		t.end = &s->ends[index];
		t.folder = text_of(lb_arena_format(t.arena, "%s/%zu", s->run->work, index));
		if (t.folder == NULL)
			err = lb_err_of(LB_E_NOMEM);
		else if (t.test->disabled)
			*t.end = (struct runner_test_end){ .ran = true,
				                           .verdict = RUNNER_SKIPPED_TEST,
				                           .why = LB_B("disabled") };
		else
			err = try_all(&t, &diag);
		finish(s, index, err, &diag);
	}
	lb_buf_release(&t.output);
	return NULL;
}

/* This thread is one of them: where no other can be had, it does all. */
static void work_together(struct worker *workers, size_t count)
{
	for (size_t i = 1; i < count; i++)
		workers[i].started =
			pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
	(void)work(&workers[0]);
	for (size_t i = 1; i < count; i++) {
		if (workers[i].started)
			(void)pthread_join(workers[i].thread, NULL);
	}
}

static lb_err show_files(struct suite *s, struct lb_arena *arena)
{
	const struct runner_bundle *bundle = s->run->bundle;
	struct runner_show *shown;
	size_t count = 0;

	while (bundle->files[count] != NULL)
		count++;
	shown = LB_ARENA_NEW(arena, struct runner_show, count + 1);
	for (size_t i = 0; shown != NULL && i < count; i++)
		shown[i] = (struct runner_show){
			text_of(lb_arena_format(arena, "%s/root%s", bundle->folder,
			                        bundle->files[i])),
			bundle->files[i],
		};
	s->shown = shown;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err report(struct suite *s, struct lb_diag *diag)
{
	const struct runner_test_run *run = s->run;

	if (run->timings != NULL)
		LB_TRY(runner_timings_write(run->mem, run->plat, run->timings, run->bundle,
		                            s->chosen, s->ends, s->count, diag));
	if (run->junit != NULL)
		LB_TRY(runner_report_junit(run->mem, run->plat, run->junit, run->bundle, s->chosen,
		                           s->ends, s->count, diag));
	if (run->summary != NULL)
		LB_TRY(runner_report_summary(run->mem, run->summary, run->bundle, s->chosen,
		                             s->ends, s->count, &s->counts, diag));
	return LB_OK;
}

static lb_err run_suite(struct suite *s, struct lb_arena *arena, struct lb_diag *diag)
{
	const struct runner_test_run *run = s->run;
	size_t jobs = run->jobs > 0 ? run->jobs : 1;
	struct worker *workers = LB_ARENA_NEW(arena, struct worker, jobs);
	lb_err err;

	s->ends = LB_ARENA_NEW(arena, struct runner_test_end, s->count + 1);
	if (workers == NULL || s->ends == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(show_files(s, arena));
	LB_TRY(runner_networks_new(&s->networks, run->mem, NULL, diag));
	for (size_t i = 0; i < jobs; i++) {
		workers[i].suite = s;
		lb_arena_init(&workers[i].arena, run->mem);
	}
	work_together(workers, jobs);
	err = s->failure;
	if (lb_failed(err))
		lb_diag_set(diag, "%s", lb_diag_text(&s->diag, err));
	else
		err = report(s, diag);
	for (size_t i = 0; i < jobs; i++)
		lb_arena_release(&workers[i].arena);
	runner_networks_free(s->networks);
	return err;
}

lb_err runner_tests_run(struct runner_test_counts *counts, const struct runner_test_run *run,
                        struct lb_diag *diag)
{
	struct suite s = { .run = run };
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, run->mem);
	(void)pthread_mutex_init(&s.lock, NULL);
	err = runner_tests_choose(&s.chosen, &s.count, &arena, run, diag);
	if (!lb_failed(err))
		err = run_suite(&s, &arena, diag);
	*counts = s.counts;
	(void)pthread_mutex_destroy(&s.lock);
	lb_arena_release(&arena);
	return err;
}
