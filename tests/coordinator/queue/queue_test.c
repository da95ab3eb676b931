/* queue_test.c - the state machine: fences, sessions, expiry, lost runners, restarts, reruns. */
#include "coordinator/queue/queue.h"

#include "base/data/json.h"
#include "base/io/file.h"
#include "tests/coordinator/fixture.h"
#include "workflows/plan/plan.h"

#define PATH ".github/workflows/ci.yml"

static const char two_jobs[] = "name: CI\n"
			       "on: workflow_dispatch\n"
			       "jobs:\n"
			       "  build:\n"
			       "    runs-on: Linux\n"
			       "    outputs:\n"
			       "      what: ${{ steps.a.outputs.what }}\n"
			       "    steps:\n"
			       "      - id: a\n"
			       "        run: echo what=x >> $GITHUB_OUTPUT\n"
			       "  test:\n"
			       "    needs: build\n"
			       "    runs-on: linux\n"
			       "    strategy:\n"
			       "      fail-fast: false\n"
			       "      matrix:\n"
			       "        n: [1, 2]\n"
			       "    steps:\n"
			       "      - run: echo ${{ needs.build.outputs.what }}\n";

static bool begin(struct fixture *f, struct test *t, const char *workflow)
{
	return fixture_open(f, t) && fixture_commit(f, PATH, workflow);
}

static void check_member(struct test *t, const struct lb_value *object, const char *key,
                         const char *want)
{
	CHECK_BYTES(lb_value_get_string(object, key), want);
}

static void check_job(struct fixture *f, uint64_t run_id, const char *key, const char *status,
                      const char *conclusion)
{
	struct test *t = f->t;
	const struct lb_value *job = fixture_job(fixture_run(f, run_id), key);

	if (job == NULL)
		printf("# no job %s\n", key);
	CHECK(job != NULL);
	check_member(t, job, "status", status);
	check_member(t, job, "conclusion", conclusion);
}

/* ---- a run from its beginning to its end ---- */

TEST(a_run_goes_from_queued_to_success)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_bytes session;
	struct lb_value *run;
	uint64_t id;

	if (!begin(&f, t, two_jobs))
		return;
	id = fixture_submit(&f);
	run = fixture_run(&f, id);
	check_member(t, run, "status", "queued");
	check_member(t, run, "workflow", "CI");
	check_member(t, run, "title", "A subject.");
	check_member(t, run, "event", "workflow_dispatch");
	check_job(&f, id, "build", "queued", "");
	check_job(&f, id, "test", "queued", "");

	session = fixture_session(&f, "r1", "[\"linux\",\"x64\"]");
	lease = fixture_lease(&f, session);
	CHECK_BYTES(lease.key, "build");
	check_member(t, lb_value_get(lb_value_get(lease.message, "contexts"), "github"),
	             "repository", "acme/demo");
	check_member(t, lb_value_get(lb_value_get(lease.message, "contexts"), "secrets"),
	             "PASSWORD", "hunter2");
	check_member(t, lb_value_get(lease.message, "workflow"), "source", two_jobs);
	check_member(t, fixture_run(&f, id), "status", "in_progress");
	CHECK_OK(fixture_log(&f, &lease, 0, "T a\n"));
	CHECK_OK(fixture_complete(&f, &lease, "success", "{\"what\":\"x\"}", 4));
	check_job(&f, id, "build", "completed", "success");
	CHECK(fixture_job(fixture_run(&f, id), "test") == NULL);

	for (int i = 0; i < 2; i++) {
		lease = fixture_lease(&f, session);
		CHECK(lb_bytes_starts(lease.key, LB_B("test.")));
		check_member(t,
		             lb_value_get(lb_value_get(lb_value_get(lb_value_get(lease.message,
		                                                                 "contexts"),
		                                                    "needs"),
		                                       "build"),
		                          "outputs"),
		             "what", "x");
		CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	}
	CHECK(fixture_lease(&f, session).message == NULL);
	run = fixture_run(&f, id);
	check_member(t, run, "status", "completed");
	check_member(t, run, "conclusion", "success");
	fixture_close(&f);
}

TEST(a_failure_skips_what_needs_it)
{
	struct fixture f;
	struct fixture_lease lease;
	uint64_t id;

	if (!begin(&f, t, two_jobs))
		return;
	id = fixture_submit(&f);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"linux\"]"));
	CHECK_OK(fixture_complete(&f, &lease, "failure", "{}", 0));
	check_job(&f, id, "test", "completed", "skipped");
	check_member(t, fixture_run(&f, id), "conclusion", "failure");
	fixture_close(&f);
}

/* ---- leases ---- */

TEST(asked_again_the_same_lease_is_answered)
{
	struct fixture f;
	struct fixture_lease one, two;
	struct lb_bytes session;

	if (!begin(&f, t, two_jobs))
		return;
	(void)fixture_submit(&f);
	session = fixture_session(&f, "r1", "[\"linux\"]");
	one = fixture_lease(&f, session);
	two = fixture_lease(&f, session);
	CHECK(one.message != NULL && lb_value_eq(one.message, two.message));
	CHECK(fixture_reopen(&f));
	two = fixture_lease(&f, session);
	CHECK(lb_value_eq(one.message, two.message));
	fixture_close(&f);
}

TEST(a_wrong_fence_lease_or_token_changes_nothing)
{
	struct fixture f;
	struct fixture_lease lease, wrong;
	bool cancel;
	uint64_t id;

	if (!begin(&f, t, two_jobs))
		return;
	id = fixture_submit(&f);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"linux\"]"));
	wrong = lease;
	wrong.claim.fence++;
	CHECK(lb_code_of(coord_queue_renew(&cancel, f.queue, &wrong.claim, NULL)) == LB_E_STALE);
	CHECK(lb_code_of(fixture_log(&f, &wrong, 0, "x")) == LB_E_STALE);
	CHECK(lb_code_of(fixture_complete(&f, &wrong, "success", "{}", 0)) == LB_E_STALE);
	wrong = lease;
	wrong.claim.lease = lb_bytes_of("ffffffffffffffffffffffffffffffff");
	CHECK(lb_code_of(fixture_complete(&f, &wrong, "success", "{}", 0)) == LB_E_STALE);
	wrong = lease;
	wrong.claim.token = lb_bytes_of("lbj_no");
	CHECK(lb_code_of(fixture_complete(&f, &wrong, "success", "{}", 0)) == LB_E_DENIED);
	CHECK(lb_code_of(fixture_log(&f, &wrong, 0, "x")) == LB_E_DENIED);
	check_job(&f, id, "build", "in_progress", "");
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	fixture_close(&f);
}

TEST(the_same_report_again_is_answered_the_same)
{
	struct fixture f;
	struct fixture_lease lease;

	if (!begin(&f, t, two_jobs))
		return;
	(void)fixture_submit(&f);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"linux\"]"));
	CHECK_OK(fixture_complete(&f, &lease, "success", "{\"what\":\"x\"}", 0));
	CHECK_OK(fixture_complete(&f, &lease, "success", "{\"what\":\"x\"}", 0));
	CHECK(fixture_reopen(&f));
	CHECK_OK(fixture_complete(&f, &lease, "success", "{\"what\":\"x\"}", 0));
	CHECK(lb_code_of(fixture_complete(&f, &lease, "failure", "{}", 0)) == LB_E_STALE);
	lease.claim.token = lb_bytes_of("lbj_no");
	CHECK(lb_code_of(fixture_complete(&f, &lease, "success", "{\"what\":\"x\"}", 0)) ==
	      LB_E_STALE);
	fixture_close(&f);
}

TEST(a_report_is_refused_while_the_log_is_not_whole)
{
	struct fixture f;
	struct fixture_lease lease;

	if (!begin(&f, t, two_jobs))
		return;
	(void)fixture_submit(&f);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"linux\"]"));
	CHECK_OK(fixture_log(&f, &lease, 0, "abc\n"));
	CHECK(lb_code_of(fixture_complete(&f, &lease, "success", "{}", 9)) == LB_E_RANGE);
	CHECK(lb_code_of(fixture_complete(&f, &lease, "great", "{}", 4)) == LB_E_INVALID);
	CHECK(lb_code_of(fixture_complete(&f, &lease, "success", "{\"a\":1}", 4)) == LB_E_INVALID);
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 4));
	CHECK(lb_code_of(fixture_log(&f, &lease, 4, "late\n")) == LB_E_STALE);
	fixture_close(&f);
}

TEST(a_job_goes_to_a_runner_with_all_its_labels)
{
	struct fixture f;
	uint64_t id;

	if (!begin(&f, t,
	           "on: workflow_dispatch\njobs:\n  a:\n    runs-on: [self-hosted, Gpu]\n"
	           "    steps:\n      - run: x\n"))
		return;
	id = fixture_submit(&f);
	check_member(t, fixture_job(fixture_run(&f, id), "a"), "waiting",
	             "waiting for a runner with labels self-hosted, Gpu");
	CHECK(fixture_lease(&f, fixture_session(&f, "r1", "[\"self-hosted\"]")).message == NULL);
	check_member(t, fixture_job(fixture_run(&f, id), "a"), "waiting",
	             "waiting for a runner with labels self-hosted, Gpu");
	CHECK(fixture_lease(&f, fixture_session(&f, "r2", "[\"GPU\",\"Self-Hosted\",\"x\"]"))
	              .message != NULL);
	fixture_close(&f);
}

/* ---- lost runners ---- */

TEST(a_silent_runner_costs_an_attempt)
{
	struct fixture f;
	struct fixture_lease lease, second;
	struct lb_bytes session;
	const struct lb_value *job, *attempts;
	bool cancel;
	uint64_t id;

	if (!begin(&f, t, two_jobs))
		return;
	id = fixture_submit(&f);
	session = fixture_session(&f, "r1", "[\"linux\"]");
	lease = fixture_lease(&f, session);
	fixture_advance(&f, 900);
	CHECK_OK(coord_queue_renew(&cancel, f.queue, &lease.claim, NULL));
	fixture_advance(&f, 900);
	CHECK_OK(coord_queue_renew(&cancel, f.queue, &lease.claim, NULL));
	CHECK(!cancel);
	fixture_advance(&f, 1100);
	CHECK(lb_code_of(coord_queue_renew(&cancel, f.queue, &lease.claim, NULL)) == LB_E_STALE);
	job = fixture_job(fixture_run(&f, id), "build");
	attempts = lb_value_get(job, "attempts");
	CHECK(attempts != NULL && attempts->count == 1);
	check_member(t, attempts->items[0], "reason", "the runner was not heard from");
	check_member(t, job, "status", "queued");
	second = fixture_lease(&f, session);
	CHECK(second.attempt == 2 && second.claim.fence > lease.claim.fence);
	CHECK(lb_code_of(fixture_complete(&f, &lease, "failure", "{}", 0)) == LB_E_STALE);
	CHECK_OK(fixture_complete(&f, &second, "success", "{}", 0));
	check_job(&f, id, "build", "completed", "success");
	fixture_close(&f);
}

TEST(lost_three_times_is_a_failure)
{
	struct fixture f;
	struct lb_bytes session;
	uint64_t id;

	if (!begin(&f, t, two_jobs))
		return;
	id = fixture_submit(&f);
	session = fixture_session(&f, "r1", "[\"linux\"]");
	for (unsigned i = 1; i <= COORD_LOST_MAX; i++) {
		CHECK(fixture_lease(&f, session).attempt == i);
		fixture_advance(&f, 1500);
	}
	CHECK(fixture_lease(&f, session).message == NULL);
	check_job(&f, id, "build", "completed", "failure");
	check_member(t, fixture_job(fixture_run(&f, id), "build"), "reason",
	             "lost 3 times, the last time: the runner was not heard from");
	check_member(t, fixture_run(&f, id), "conclusion", "failure");
	fixture_close(&f);
}

TEST(a_new_session_ends_the_one_before)
{
	struct fixture f;
	struct fixture_lease lease, second;
	struct lb_bytes session, newer;
	struct lb_value *message;
	uint64_t id;

	if (!begin(&f, t, two_jobs))
		return;
	id = fixture_submit(&f);
	session = fixture_session(&f, "r1", "[\"linux\"]");
	lease = fixture_lease(&f, session);
	newer = fixture_session(&f, "r1", "[\"linux\"]");
	CHECK(lb_code_of(fixture_log(&f, &lease, 0, "x")) == LB_E_STALE);
	CHECK(lb_code_of(coord_queue_lease(&message, f.queue, &f.arena, session, NULL)) ==
	      LB_E_STALE);
	second = fixture_lease(&f, newer);
	CHECK(second.attempt == 2);
	check_member(t,
	             lb_value_get(fixture_job(fixture_run(&f, id), "build"), "attempts")->items[0],
	             "reason", "the runner began a new session");
	fixture_close(&f);
}

TEST(a_coordinator_that_starts_anew_gives_leases_time)
{
	struct fixture f;
	struct fixture_lease lease;
	bool cancel;

	if (!begin(&f, t, two_jobs))
		return;
	(void)fixture_submit(&f);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"linux\"]"));
	f.world.ahead_ns += 60000000000u; /* it was down for a minute */
	CHECK(fixture_reopen(&f));
	fixture_advance(&f, 900);
	CHECK_OK(coord_queue_renew(&cancel, f.queue, &lease.claim, NULL));
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	fixture_close(&f);
}

TEST(a_job_far_beyond_its_timeout_is_ended_for_its_runner)
{
	struct fixture f;
	struct fixture_lease lease;
	bool cancel;
	uint64_t id;
	lb_err err = LB_OK;

	if (!begin(&f, t,
	           "on: workflow_dispatch\njobs:\n  a:\n    runs-on: x\n    timeout-minutes: 1\n"
	           "    steps:\n      - run: x\n"))
		return;
	id = fixture_submit(&f);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"x\"]"));
	for (int s = 0; s < 129 && !lb_failed(err); s++) {
		fixture_advance(&f, 900);
		err = coord_queue_renew(&cancel, f.queue, &lease.claim, NULL);
		if (s == 60)
			CHECK(fixture_reopen(&f)); /* the time counts from the job's start */
	}
	CHECK_OK(err);
	for (int s = 0; s < 12 && !lb_failed(err); s++) {
		fixture_advance(&f, 900);
		err = coord_queue_renew(&cancel, f.queue, &lease.claim, NULL);
	}
	CHECK(lb_code_of(err) == LB_E_STALE);
	check_job(&f, id, "a", "completed", "failure");
	fixture_close(&f);
}

/* ---- starting anew at every step ---- */

/* The script of a whole run; after step `anew` the coordinator starts anew.  The end must not
 * depend on it. */
static unsigned play(struct fixture *f, unsigned anew)
{
	static const char *const logs[] = { "T one\n", "T two\n" };
	struct test *t = f->t;
	struct lb_bytes session = fixture_session(f, "r1", "[\"linux\"]");
	uint64_t id = fixture_submit(f);
	unsigned step = 0;

#define STEP() \
	do { \
		if (step++ == anew) \
			CHECK(fixture_reopen(f)); \
	} while (0)
	STEP();
	for (int job = 0; job < 3; job++) {
		struct fixture_lease lease = fixture_lease(f, session);

		STEP();
		CHECK_OK(fixture_log(f, &lease, 0, logs[0]));
		STEP();
		CHECK_OK(fixture_log(f, &lease, 6, logs[1]));
		STEP();
		CHECK_OK(fixture_complete(f, &lease, job < 2 ? "success" : "failure",
		                          "{\"what\":\"x\"}", 12));
		STEP();
	}
#undef STEP
	check_job(f, id, "build", "completed", "success");
	check_job(f, id, "test.0", "completed", "success");
	check_job(f, id, "test.1", "completed", "failure");
	check_member(t, fixture_run(f, id), "conclusion", "failure");
	return step;
}

TEST(a_start_anew_at_any_step_changes_nothing)
{
	unsigned steps = 1;

	for (unsigned anew = 0; anew < steps && t->failures == 0; anew++) {
		struct fixture f;

		if (!begin(&f, t, two_jobs))
			return;
		steps = play(&f, anew);
		if (t->failures > 0)
			printf("# with a start anew after step %u\n", anew);
		fixture_close(&f);
	}
	CHECK(steps == 13);
}

/* ---- cancelling, running again ---- */

TEST(cancelling_tells_the_runner_and_drops_the_rest)
{
	struct fixture f;
	struct fixture_lease lease;
	bool cancel = false;
	uint64_t id;

	if (!begin(&f, t, two_jobs))
		return;
	id = fixture_submit(&f);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"linux\"]"));
	CHECK_OK(coord_queue_cancel(f.queue, id, NULL));
	CHECK_OK(coord_queue_renew(&cancel, f.queue, &lease.claim, NULL));
	CHECK(cancel);
	CHECK(fixture_reopen(&f));
	cancel = false;
	CHECK_OK(coord_queue_renew(&cancel, f.queue, &lease.claim, NULL));
	CHECK(cancel);
	CHECK_OK(fixture_complete(&f, &lease, "cancelled", "{}", 0));
	check_member(t, fixture_run(&f, id), "conclusion", "cancelled");
	CHECK_OK(coord_queue_cancel(f.queue, id, NULL));
	CHECK(lb_code_of(coord_queue_cancel(f.queue, 999, NULL)) == LB_E_NOTFOUND);
	fixture_close(&f);
}

TEST(cancelling_what_nobody_has_begun_ends_it_at_once)
{
	struct fixture f;
	uint64_t id;

	if (!begin(&f, t, two_jobs))
		return;
	id = fixture_submit(&f);
	CHECK_OK(coord_queue_cancel(f.queue, id, NULL));
	check_job(&f, id, "build", "completed", "cancelled");
	check_member(t, fixture_run(&f, id), "conclusion", "cancelled");
	CHECK(fixture_lease(&f, fixture_session(&f, "r1", "[\"linux\"]")).message == NULL);
	fixture_close(&f);
}

TEST(what_failed_runs_again_on_what_succeeded)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_bytes session;
	struct lb_value *run;
	uint64_t id, attempt = 0;

	if (!begin(&f, t, two_jobs))
		return;
	id = fixture_submit(&f);
	session = fixture_session(&f, "r1", "[\"linux\"]");
	for (int i = 0; i < 3; i++) {
		lease = fixture_lease(&f, session);
		CHECK_OK(fixture_complete(&f, &lease, i == 1 ? "failure" : "success",
		                          "{\"what\":\"x\"}", 0));
		if (i == 1)
			CHECK(lb_code_of(coord_queue_rerun(f.queue, id, 0, true, NULL)) ==
			      LB_E_STALE);
		if (lb_bytes_is(lb_value_get_string(fixture_run(&f, id), "status"), "completed"))
			break; /* fail-fast took the rest away */
	}
	CHECK_OK(coord_queue_rerun(f.queue, id, 0, true, NULL));
	run = fixture_run(&f, id);
	check_member(t, run, "status", "queued");
	CHECK_OK(lb_value_get_u64(&attempt, run, "attempt"));
	CHECK(attempt == 2);
	check_job(&f, id, "build", "completed", "success");
	check_job(&f, id, "test.0", "queued", "");
	lease = fixture_lease(&f, session);
	CHECK_BYTES(lease.key, "test.0");
	CHECK(lease.attempt == 2);
	check_member(t, lb_value_get(lb_value_get(lease.message, "contexts"), "github"),
	             "run_attempt", "2");
	while (lease.message != NULL) {
		CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
		lease = fixture_lease(&f, session);
	}
	check_member(t, fixture_run(&f, id), "conclusion", "success");
	CHECK(lb_code_of(coord_queue_rerun(f.queue, id, 0, true, NULL)) == LB_E_INVALID);
	CHECK(lb_code_of(coord_queue_rerun(f.queue, id, 12345, false, NULL)) == LB_E_NOTFOUND);
	CHECK_OK(coord_queue_rerun(f.queue, id, 0, false, NULL));
	check_job(&f, id, "build", "queued", "");
	fixture_close(&f);
}

/* ---- concurrency ---- */

#define GROUP(extra) \
	"on: workflow_dispatch\nconcurrency:\n  group: g\n" extra \
	"jobs:\n  a:\n    runs-on: x\n    steps:\n      - run: x\n"

TEST(a_group_runs_one_and_keeps_one_waiting)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_bytes session;
	uint64_t one, two, three;

	if (!begin(&f, t, GROUP("")))
		return;
	session = fixture_session(&f, "r1", "[\"x\"]");
	one = fixture_submit(&f);
	lease = fixture_lease(&f, session);
	two = fixture_submit(&f);
	check_member(t, fixture_run(&f, two), "waiting", "waiting for concurrency group g");
	three = fixture_submit(&f);
	check_member(t, fixture_run(&f, two), "conclusion", "cancelled");
	CHECK(fixture_reopen(&f));
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	check_member(t, fixture_run(&f, one), "conclusion", "success");
	lease = fixture_lease(&f, session);
	CHECK(lease.run_id == three);
	fixture_close(&f);
}

TEST(cancel_in_progress_ends_the_run_before)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_bytes session;
	bool cancel = false;
	uint64_t one, two;

	if (!begin(&f, t, GROUP("  cancel-in-progress: true\n")))
		return;
	session = fixture_session(&f, "r1", "[\"x\"]");
	one = fixture_submit(&f);
	lease = fixture_lease(&f, session);
	two = fixture_submit(&f);
	CHECK_OK(coord_queue_renew(&cancel, f.queue, &lease.claim, NULL));
	CHECK(cancel);
	CHECK_OK(fixture_complete(&f, &lease, "cancelled", "{}", 0));
	check_member(t, fixture_run(&f, one), "conclusion", "cancelled");
	lease = fixture_lease(&f, session);
	CHECK(lease.run_id == two);
	fixture_close(&f);
}

TEST(a_group_keeps_a_hundred_waiting_where_it_queues_all)
{
	struct fixture f;
	uint64_t first, last = 0;

	if (!begin(&f, t, GROUP("  queue: max\n")))
		return;
	first = fixture_submit(&f);
	for (unsigned i = 0; i < 100; i++)
		last = fixture_submit(&f);
	check_member(t, fixture_run(&f, last), "waiting", "waiting for concurrency group g");
	last = fixture_submit(&f);
	check_member(t, fixture_run(&f, last), "conclusion", "cancelled");
	check_member(t, fixture_run(&f, first), "status", "queued");
	fixture_close(&f);
}

TEST(a_hundred_jobs_of_a_group_wait_and_the_next_is_cancelled)
{
	struct fixture f;
	uint64_t id;

	if (!begin(&f, t,
	           "on: workflow_dispatch\njobs:\n  a:\n    runs-on: x\n"
	           "    concurrency: {group: Deploy, queue: max}\n    strategy: {matrix: {a: [0, "
	           "1, 2, 3, 4, "
	           "5, 6, 7, 8, 9], b: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]}, fail-fast: false}\n"
	           "    steps: [{run: x}]\n"
	           "  b:\n    runs-on: x\n    concurrency: {group: deploy, queue: max}\n"
	           "    strategy: {matrix: {a: [0, 1]}}\n    steps: [{run: x}]\n"))
		return;
	id = fixture_submit(&f);
	check_member(t, fixture_job(fixture_run(&f, id), "a.0"), "waiting",
	             "waiting for a runner with labels x");
	check_member(t, fixture_job(fixture_run(&f, id), "b.0"), "waiting",
	             "waiting for concurrency group deploy");
	check_job(&f, id, "b.1", "completed", "cancelled");
	fixture_close(&f);
}

TEST(jobs_of_a_group_take_turns)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_bytes one, two;
	uint64_t id;

	if (!begin(&f, t,
	           "on: workflow_dispatch\njobs:\n"
	           "  a:\n    runs-on: x\n    concurrency: deploy\n    steps:\n      - run: x\n"
	           "  b:\n    runs-on: x\n    concurrency: deploy\n    steps:\n      - run: x\n"))
		return;
	id = fixture_submit(&f);
	one = fixture_session(&f, "r1", "[\"x\"]");
	two = fixture_session(&f, "r2", "[\"x\"]");
	lease = fixture_lease(&f, one);
	CHECK_BYTES(lease.key, "a");
	CHECK(fixture_lease(&f, two).message == NULL);
	check_member(t, fixture_job(fixture_run(&f, id), "b"), "waiting",
	             "waiting for concurrency group deploy");
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	lease = fixture_lease(&f, two);
	CHECK_BYTES(lease.key, "b");
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	check_member(t, fixture_run(&f, id), "conclusion", "success");
	fixture_close(&f);
}

/* ---- what cannot be submitted ---- */

static enum lb_code try_submit(struct fixture *f, struct coord_submission what,
                               struct lb_diag *diag, bool *unknown)
{
	uint64_t id, number;

	*unknown = false;
	return lb_code_of(coord_queue_submit(&id, &number, unknown, f->queue, &what, diag));
}

TEST(a_bad_submission_says_what_is_wrong)
{
	static const struct {
		const char *repository, *ref, *sha, *workflow, *event, *says;
		enum lb_code code;
		bool unknown;
	} cases[] = {
		{ "acme", "main", "", "ci.yml", "", "expected OWNER/NAME", LB_E_INVALID, false },
		{ "../x", "main", "", "ci.yml", "", "expected OWNER/NAME", LB_E_INVALID, false },
		{ "acme/demo", "", "", "ci.yml", "", "ref: expected", LB_E_INVALID, false },
		{ "acme/demo", "main", "", "", "", "workflow: expected", LB_E_INVALID, false },
		{ "acme/demo", "main", "abc", "ci.yml", "", "sha: expected 40", LB_E_INVALID,
		  false },
		{ "acme/none", "main", "", "ci.yml", "", "no repository acme/none", LB_E_NOTFOUND,
		  true },
		{ "acme/demo", "main", "0123456789012345678901234567890123456789", "ci.yml", "",
		  "has no commit", LB_E_NOTFOUND, true },
		{ "acme/demo", "main", "", "no.yml", "", "its workflows are: ci.yml", LB_E_NOTFOUND,
		  false },
		{ "acme/demo", "main", "", "ci.yml", "push", "does not run on push", LB_E_INVALID,
		  false },
		{ "acme/demo", "main", "", "ci.yml", "Push!", "event: expected", LB_E_INVALID,
		  false },
		{ "acme/demo", "main", "", "a/../../x.yml", "", "expected a path inside",
		  LB_E_INVALID, false },
	};
	struct fixture f;

	if (!begin(&f, t, two_jobs))
		return;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct coord_submission what = { .repository = lb_bytes_of(cases[i].repository),
			                         .ref = lb_bytes_of(cases[i].ref),
			                         .sha = lb_bytes_of(cases[i].sha),
			                         .workflow = lb_bytes_of(cases[i].workflow),
			                         .event = lb_bytes_of(cases[i].event),
			                         .actor = lb_bytes_of("a") };
		struct lb_diag diag = { 0 };
		bool unknown;

		CHECK(try_submit(&f, what, &diag, &unknown) == cases[i].code);
		CHECK(unknown == cases[i].unknown);
		CHECK(strstr(diag.text, cases[i].says) != NULL);
		if (strstr(diag.text, cases[i].says) == NULL)
			printf("# case %zu: %s\n", i, diag.text);
	}
	fixture_close(&f);
}

TEST(a_bad_workflow_is_refused_with_its_place)
{
	static const struct {
		const char *source, *says;
	} cases[] = {
		{ "on: push\njobs: {a: [\n", "ine" },
		{ "on: workflow_dispatch\njobs:\n  a:\n    runs-on: x\n    stps: []\n",
		  "(Line: 5, Col: 5)" },
		{ "on: workflow_dispatch\njobs:\n"
		  "  a:\n    needs: b\n    runs-on: x\n    steps:\n      - run: x\n"
		  "  b:\n    needs: a\n    runs-on: x\n    steps:\n      - run: x\n",
		  "Line:" },
	};
	struct fixture f;

	if (!fixture_open(&f, t))
		return;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct coord_submission what = { .repository = lb_bytes_of("acme/demo"),
			                         .ref = lb_bytes_of("main"),
			                         .workflow = lb_bytes_of("ci.yml"),
			                         .actor = lb_bytes_of("a") };
		struct lb_diag diag = { 0 };
		struct lb_value *runs = NULL;
		bool unknown;
		enum lb_code code;

		CHECK(fixture_commit(&f, PATH, cases[i].source));
		code = try_submit(&f, what, &diag, &unknown);
		CHECK(code == LB_E_INVALID || code == LB_E_MALFORMED);
		CHECK(strstr(diag.text, cases[i].says) != NULL);
		if (strstr(diag.text, cases[i].says) == NULL)
			printf("# case %zu: %s\n", i, diag.text);
		CHECK_OK(coord_read_runs(&runs, f.store, &f.arena, 0, 10));
		CHECK(runs != NULL && runs->count == 0);
	}
	fixture_close(&f);
}

/* ---- what cannot go on ---- */

#define CALLER(with) \
	"on: workflow_dispatch\njobs:\n  call:\n    uses: ./.github/workflows/called.yml\n" with \
	"  other:\n    runs-on: y\n    steps:\n      - run: x\n"

static const char called[] = "on:\n  workflow_call:\n    secrets:\n      key:\n"
			     "        required: false\n"
			     "jobs:\n  inner:\n    runs-on: x\n    steps:\n      - run: x\n";

/* Both files in one commit: the second commit has the first's. */
static bool commit_call(struct fixture *f, const char *caller)
{
	return fixture_commit(f, ".github/workflows/called.yml", called) &&
	       fixture_commit(f, PATH, caller);
}

TEST(a_called_workflow_is_handed_out_with_its_own_file)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_bytes session;
	uint64_t id;

	if (!fixture_open(&f, t) || !commit_call(&f, CALLER("")))
		return;
	id = fixture_submit(&f);
	session = fixture_session(&f, "r1", "[\"x\",\"y\"]");
	lease = fixture_lease(&f, session);
	CHECK_BYTES(lease.key, "call/inner");
	check_member(t, lb_value_get(lease.message, "workflow"), "source", called);
	CHECK(fixture_reopen(&f));
	CHECK_OK(fixture_complete(&f, &lease, "failure", "{}", 0));
	lease = fixture_lease(&f, session);
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	check_job(&f, id, "call", "completed", "failure");
	check_member(t, fixture_run(&f, id), "conclusion", "failure");
	CHECK_OK(coord_queue_rerun(f.queue, id, 0, true, NULL));
	check_job(&f, id, "other", "completed", "success");
	lease = fixture_lease(&f, session);
	CHECK_BYTES(lease.key, "call/inner");
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	check_job(&f, id, "call", "completed", "success");
	check_member(t, fixture_run(&f, id), "conclusion", "success");
	fixture_close(&f);
}

TEST(a_job_is_handed_out_with_the_lock_of_its_commit)
{
	static const char lock[] = "# pinned\n";
	struct fixture f;
	struct fixture_lease lease;

	if (!fixture_open(&f, t) || !commit_call(&f, CALLER("")))
		return;
	CHECK(fixture_submit(&f) != 0);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"x\",\"y\"]"));
	CHECK(lb_value_get(lease.message, "actions_lock") == NULL);
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	CHECK(fixture_commit(&f, ".lifeboat/actions.lock", lock));
	CHECK(fixture_submit(&f) != 0);
	do {
		lease = fixture_lease(&f, fixture_session(&f, "r2", "[\"x\",\"y\"]"));
		if (lease.message != NULL && lease.run_id == 1)
			CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	} while (lease.message != NULL && lease.run_id == 1);
	check_member(t, lease.message, "actions_lock", lock);
	fixture_close(&f);
}

TEST(a_job_that_cannot_be_handed_out_fails_and_lets_others_by)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_bytes session;
	uint64_t id;

	if (!fixture_open(&f, t) ||
	    !commit_call(&f, CALLER("    secrets:\n      key: ${{ fromJSON('{') }}\n")))
		return;
	id = fixture_submit(&f);
	session = fixture_session(&f, "r1", "[\"x\",\"y\"]");
	CHECK(fixture_lease(&f, session).message == NULL);
	check_job(&f, id, "call/inner", "completed", "failure");
	CHECK(lb_value_get_string(fixture_job(fixture_run(&f, id), "call/inner"), "reason").len >
	      0);
	lease = fixture_lease(&f, session);
	CHECK_BYTES(lease.key, "other");
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	check_member(t, fixture_run(&f, id), "conclusion", "failure");
	fixture_close(&f);
}

#define REMOTE ".github/workflows/called.yml@main"

/* The ref has moved since, and the mirror may be gone: the run goes on as it was submitted. */
TEST(a_workflow_of_another_repository_stays_as_it_was)
{
	static const char caller[] =
		"on: workflow_dispatch\njobs:\n  call:\n    uses: acme/demo/" REMOTE "\n";
	struct fixture f;
	struct fixture_lease lease;
	struct lb_bytes session;
	const struct lb_value *workflow;
	uint64_t id;

	if (!fixture_open(&f, t) || !commit_call(&f, caller))
		return;
	id = fixture_submit(&f);
	CHECK(fixture_commit(&f, ".github/workflows/called.yml", "on: push\njobs: {}\n"));
	CHECK(fixture_reopen(&f));
	session = fixture_session(&f, "r1", "[\"x\"]");
	lease = fixture_lease(&f, session);
	CHECK_BYTES(lease.key, "call/inner");
	workflow = lb_value_get(lease.message, "workflow");
	check_member(t, workflow, "source", called);
	check_member(t, workflow, "path", "acme/demo/" REMOTE);
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	check_member(t, fixture_run(&f, id), "conclusion", "success");
	fixture_close(&f);
}

TEST(a_workflow_that_is_not_here_is_asked_for)
{
	struct coord_submission what = { .repository = lb_bytes_of("acme/demo"),
		                         .ref = lb_bytes_of("main"),
		                         .workflow = lb_bytes_of("ci.yml"),
		                         .actor = lb_bytes_of("a") };
	struct lb_diag diag = { 0 };
	struct fixture f;
	bool unknown;

	if (!fixture_open(&f, t) ||
	    !fixture_commit(&f, PATH,
	                    "on: workflow_dispatch\njobs:\n  call:\n    uses: them/flows/" REMOTE
	                    "\n"))
		return;
	CHECK(try_submit(&f, what, &diag, &unknown) == LB_E_NOTFOUND);
	CHECK(strstr(diag.text,
	             "ci.yml (Line: 4, Col: 11): there is no repository them/flows here: "
	             "push it to ") != NULL);
	fixture_close(&f);
}

/* ---- ends and restarts ---- */

TEST(what_ended_after_a_cancellation_is_restored_as_that)
{
	static const char source[] =
		"on: workflow_dispatch\njobs:\n  a: {runs-on: x, steps: [{run: x}]}\n"
		"  c: {runs-on: x, needs: a, if: cancelled(), steps: [{run: x}]}\n"
		"  d: {runs-on: x, needs: c, if: always(), steps: [{run: x}]}\n";
	struct fixture f;
	struct fixture_lease lease;
	struct lb_bytes session;
	uint64_t id;

	if (!fixture_open(&f, t) || !fixture_commit(&f, PATH, source))
		return;
	id = fixture_submit(&f);
	session = fixture_session(&f, "r1", "[\"x\"]");
	lease = fixture_lease(&f, session);
	CHECK_OK(coord_queue_cancel(f.queue, id, NULL));
	CHECK_OK(fixture_complete(&f, &lease, "cancelled", "{}", 0));
	lease = fixture_lease(&f, session);
	CHECK_BYTES(lease.key, "c");
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	CHECK(fixture_reopen(&f));
	lease = fixture_lease(&f, session);
	CHECK_BYTES(lease.key, "d");
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	check_job(&f, id, "c", "completed", "success");
	check_member(t, fixture_run(&f, id), "conclusion", "cancelled");
	fixture_close(&f);
}

TEST(outputs_beyond_the_limit_fail_the_job)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_buf outputs;
	uint64_t id;

	if (!fixture_open(&f, t) ||
	    !fixture_commit(&f, PATH,
	                    "on: workflow_dispatch\njobs: {a: {runs-on: x, steps: [{run: x}]}}\n"))
		return;
	lb_buf_init(&outputs, t->mem, 1 << 20);
	lb_buf_add_text(&outputs, "{\"k\": \"");
	for (unsigned i = 0; i < WORKFLOW_OUTPUTS_MAX / 2; i++)
		lb_buf_add_byte(&outputs, 'a');
	lb_buf_add_text(&outputs, "\"}");
	id = fixture_submit(&f);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"x\"]"));
	CHECK_OK(fixture_complete(&f, &lease, "success", lb_buf_text(&outputs), 0));
	check_job(&f, id, "a", "completed", "failure");
	check_member(t, fixture_job(fixture_run(&f, id), "a"), "reason",
	             "the outputs of the job are larger than 1 MB");
	lb_buf_release(&outputs);
	fixture_close(&f);
}

TEST(a_run_whose_repository_is_gone_is_given_up_at_the_start)
{
	struct fixture f;
	struct fixture_lease lease;
	bool cancel;
	uint64_t id;

	if (!fixture_open(&f, t) || !commit_call(&f, CALLER("")))
		return;
	id = fixture_submit(&f);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"x\"]"));
	CHECK_OK(lb_file_remove_tree(&plat_host, f.repositories, NULL));
	CHECK(fixture_reopen(&f));
	check_member(t, fixture_run(&f, id), "conclusion", "failure");
	CHECK(lb_code_of(coord_queue_renew(&cancel, f.queue, &lease.claim, NULL)) == LB_E_STALE);
	check_job(&f, id, "other", "completed", "failure");
	fixture_close(&f);
}

/* ---- memory ---- */

/* Whatever runs out, the answer is NOMEM, nothing is half done, and the same call succeeds later.
 */
TEST(a_run_survives_every_oom)
{
	struct fixture f;
	struct fixture_lease lease = { 0 };
	struct coord_submission what = { .repository = lb_bytes_of("acme/demo"),
		                         .ref = lb_bytes_of("main"),
		                         .workflow = lb_bytes_of("ci.yml"),
		                         .actor = lb_bytes_of("a") };
	struct lb_value *report = NULL;
	struct lb_bytes raw = LB_B("{\"conclusion\":\"success\",\"log_size\":0}"), session;
	uint64_t id = 0, number = 0, size = 0;
	bool unknown;
	lb_err err;

	if (!begin(&f, t, two_jobs))
		return;
	session = fixture_session(&f, "r1", "[\"linux\"]");
	CHECK_OK(lb_json_read(&report, &f.arena, raw, NULL));
#define UNTIL_IT_WORKS(call) \
	do { \
		size_t fail_at = 0; \
		do { \
			t->heap.calls = 0; \
			t->heap.failed = false; \
			t->heap.fail_at = ++fail_at; \
			err = (call); \
			t->heap.fail_at = 0; \
			CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM); \
		} while (lb_failed(err) && fail_at < 100000 && t->failures == 0); \
		CHECK_OK(err); \
	} while (0)
	UNTIL_IT_WORKS(coord_queue_submit(&id, &number, &unknown, f.queue, &what, NULL));
	CHECK(number == 1);
	UNTIL_IT_WORKS(coord_queue_lease(&lease.message, f.queue, &f.arena, session, NULL));
	lease = fixture_lease(&f, session);
	CHECK(lease.attempt == 1);
	UNTIL_IT_WORKS(coord_queue_complete(&size, f.queue, &lease.claim, report, raw, NULL));
#undef UNTIL_IT_WORKS
	check_job(&f, id, "build", "completed", "success");
	check_job(&f, id, "test.0", "queued", "");
	fixture_close(&f);
}

/* ---- trust ---- */

TEST(a_forks_pull_request_gets_no_secrets)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_value *payload, *pull, *head, *repo;
	struct coord_submission what = { .repository = lb_bytes_of("acme/demo"),
		                         .ref = lb_bytes_of("refs/pull/3/merge"),
		                         .workflow = lb_bytes_of("ci.yml"),
		                         .event = lb_bytes_of("pull_request"),
		                         .actor = lb_bytes_of("a") };
	struct coord_held held;
	struct lb_diag diag = { 0 };
	bool unknown;

	if (!begin(&f, t,
	           "on: pull_request\njobs:\n  a:\n    runs-on: x\n"
	           "    permissions:\n      id-token: write\n    steps:\n      - run: x\n"))
		return;
	payload = lb_value_object(&f.arena);
	pull = lb_value_object(&f.arena);
	head = lb_value_object(&f.arena);
	repo = lb_value_object(&f.arena);
	lb_value_set_text(&f.arena, repo, "full_name", "mallory/demo");
	lb_value_put(&f.arena, head, "repo", repo);
	lb_value_put(&f.arena, pull, "head", head);
	lb_value_put(&f.arena, payload, "pull_request", pull);
	lb_value_set_text(&f.arena, payload, "action", "opened");
	what.payload = payload;
	what.sha = lb_bytes_of(f.sha);
	CHECK(try_submit(&f, what, &diag, &unknown) == LB_E_NONE);
	lease = fixture_lease(&f, fixture_session(&f, "r1", "[\"x\"]"));
	CHECK(lb_value_get(lb_value_get(lb_value_get(lease.message, "contexts"), "secrets"),
	                   "PASSWORD") == NULL);
	CHECK(lb_value_get(lb_value_get(lease.message, "services"), "id_token_url")->kind ==
	      LB_NULL);
	CHECK_OK(coord_queue_check(&held, f.queue, &f.arena, &lease.claim, NULL));
	CHECK(!held.trusted);
	coord_log_decref(held.log);
	CHECK(lb_code_of(coord_queue_identity(&payload, f.queue, &f.arena, lease.claim.token,
	                                      NULL)) == LB_E_DENIED);
	fixture_close(&f);
}

TEST(an_identity_needs_its_permission)
{
	struct fixture f;
	struct fixture_lease lease;
	struct lb_value *claims;
	struct lb_bytes session;
	struct lb_diag diag = { 0 };

	if (!begin(&f, t,
	           "on: workflow_dispatch\njobs:\n"
	           "  a:\n    runs-on: x\n    permissions:\n      id-token: write\n"
	           "    environment: release\n    steps:\n      - run: x\n"
	           "  b:\n    needs: a\n    runs-on: x\n    steps:\n      - run: x\n"))
		return;
	(void)fixture_submit(&f);
	session = fixture_session(&f, "r1", "[\"x\"]");
	lease = fixture_lease(&f, session);
	CHECK_OK(coord_queue_identity(&claims, f.queue, &f.arena, lease.claim.token, &diag));
	check_member(t, claims, "sub", "repo:acme/demo:environment:release");
	check_member(t, claims, "job_workflow_ref", "acme/demo/" PATH "@refs/heads/main");
	check_member(t, claims, "event_name", "workflow_dispatch");
	CHECK_OK(fixture_complete(&f, &lease, "success", "{}", 0));
	CHECK(lb_code_of(coord_queue_identity(&claims, f.queue, &f.arena, lease.claim.token,
	                                      NULL)) == LB_E_DENIED);
	lease = fixture_lease(&f, session);
	CHECK(lb_code_of(coord_queue_identity(&claims, f.queue, &f.arena, lease.claim.token,
	                                      &diag)) == LB_E_DENIED);
	CHECK(strstr(diag.text, "id-token: write") != NULL);
	fixture_close(&f);
}

TEST(names_of_repositories)
{
	CHECK(coord_repository_is_name(LB_B("a/b")) && coord_repository_is_name(LB_B("A-1/b_c.d")));
	CHECK(!coord_repository_is_name(LB_B("a")) && !coord_repository_is_name(LB_B("a/b/c")));
	CHECK(!coord_repository_is_name(LB_B("../b")) && !coord_repository_is_name(LB_B("a/.b")));
	CHECK(!coord_repository_is_name(LB_B("/b")) && !coord_repository_is_name(LB_B("a/")));
	CHECK(!coord_repository_is_name(LB_B("a b/c")) && !coord_repository_is_name(LB_B("a/b\n")));
}
