/* serve_test.c - a runner against a coordinator that comes, goes, refuses and cancels. */
#include "base/data/json.h"
#include "base/http/server.h"
#include "base/io/file.h"
#include "base/platform/plat.h"
#include "base/text.h"
#include "ci-runner/serve/session.h"
#include "tests/harness/test.h"

#include <pthread.h>
#include <unistd.h>

enum { LOG_BYTES_MAX = 64 * 1024 * 1024, WAIT_S = 40 };

/* A coordinator in this process, with one job to give. */
struct fake {
	struct test *t;
	struct lb_http_server *server;
	struct lb_mem *mem;
	uint16_t port;
	pthread_mutex_t lock;
	/* guarded */
	struct lb_buf log, result, steps, artifact;
	const char *script; /* of the job's only step; NULL: no job to give */
	unsigned sessions, leases, renewals, chunks, completions, doubled, refused_chunks;
	bool cancel, stale, broken; /* broken: every answer is 503 */
	bool lose_answers;          /* what was stored is answered with 500, every second time */
	bool short_log;             /* the first completion is answered with 409 and a size */
	uint64_t lease_ms;
};

static void answer(struct lb_http_exchange *x, int status, const char *json)
{
	lb_http_answer(x, status, "application/json", lb_bytes_of(json));
}

/* Takes the lock; false (and the lock given back) where the coordinator is broken. */
static bool enter(struct fake *f, struct lb_http_exchange *x)
{
	bool broken;

	(void)pthread_mutex_lock(&f->lock);
	broken = f->broken;
	if (broken) {
		(void)pthread_mutex_unlock(&f->lock);
		answer(x, 503, "{\"message\": \"broken\"}");
	}
	return !broken;
}

static bool holds(struct fake *f, struct lb_http_exchange *x)
{
	if (!enter(f, x))
		return false;
	if (f->stale || !lb_bytes_is(lb_http_request_header(x, "Lifeboat-Fence"), "17") ||
	    !lb_bytes_is(lb_http_bearer(x), "lbj_secret-of-the-job")) {
		(void)pthread_mutex_unlock(&f->lock);
		answer(x, 409, "{\"message\": \"the lease is no longer held\"}");
		return false;
	}
	return true;
}

static void on_session(struct lb_http_exchange *x, void *ctx)
{
	struct fake *f = ctx;

	if (!enter(f, x))
		return;
	f->sessions++;
	(void)pthread_mutex_unlock(&f->lock);
	if (!lb_bytes_is(lb_http_bearer(x), "lbr_good"))
		answer(x, 401, "{\"message\": \"unknown token\"}");
	else
		answer(x, 200, "{\"session\": \"s1\", \"lease_ms\": 600, \"poll_ms\": 100}");
}

static void write_job(struct lb_buf *out, struct fake *f, struct lb_arena *arena)
{
	struct lb_value *script = lb_value_text(arena, f->script);

	lb_buf_addf(out,
	            "{\"lease\": \"L1\", \"fence\": 17, \"lease_ms\": %u, \"token\": "
	            "\"lbj_secret-of-the-job\", \"run\": {\"id\": 1}, \"job\": {\"id\": 5, "
	            "\"key\": \"build\", \"name\": \"build\", \"attempt\": 1, "
	            "\"timeout_minutes\": 5}, \"workflow\": {\"path\": "
	            "\".github/workflows/ci.yml\", \"job\": \"build\", \"source\": ",
	            (unsigned)f->lease_ms);
	{
		struct lb_buf source;

		lb_buf_init(&source, f->mem, 65536);
		lb_buf_add_text(&source,
		                "on: push\njobs:\n  build:\n    runs-on: x\n    outputs:\n"
		                "      v: ${{ steps.a.outputs.v }}\n    steps:\n      - id: a\n"
		                "        run: |\n");
		for (struct lb_bytes rest = script->string, line;
		     lb_bytes_split(&line, &rest, '\n');)
			lb_buf_addf(&source, "          %.*s\n", LB_FMT(line));
		lb_json_string_add(out, lb_buf_bytes(&source));
		lb_buf_release(&source);
	}
	lb_buf_add_text(out,
	                "}, \"contexts\": {\"github\": {\"repository\": \"o/r\", \"sha\": \"1\"}, "
	                "\"secrets\": {\"S\": \"swordfish\"}}, \"repository\": {\"name\": \"o/r\", "
	                "\"url\": \"http://127.0.0.1:1/git/o/r.git\", \"sha\": \"1\", \"ref\": "
	                "\"refs/heads/main\"}, \"services\": {\"id_token_url\": null}, \"env\": "
	                "{\"FROM_OPERATOR\": \"yes\"}}");
}

static void on_lease(struct lb_http_exchange *x, void *ctx)
{
	struct fake *f = ctx;
	struct lb_buf job;

	if (!enter(f, x))
		return;
	if (f->script == NULL || f->stale || f->completions > 0) {
		(void)pthread_mutex_unlock(&f->lock);
		if (!x->parked_before) {
			lb_http_park(x, 1, lb_http_ticket(x->server, 1), 100);
			return;
		}
		lb_http_answer(x, 204, NULL, (struct lb_bytes){ 0 });
		return;
	}
	f->leases++;
	lb_buf_init(&job, f->mem, 1 << 20);
	write_job(&job, f, &x->arena);
	lb_http_answer(x, 200, "application/json", lb_buf_bytes(&job));
	lb_buf_release(&job);
	(void)pthread_mutex_unlock(&f->lock);
}

static void on_renew(struct lb_http_exchange *x, void *ctx)
{
	struct fake *f = ctx;
	bool cancel;

	if (!holds(f, x))
		return;
	f->renewals++;
	cancel = f->cancel;
	(void)pthread_mutex_unlock(&f->lock);
	answer(x, 200,
	       cancel ? "{\"lease_ms\": 600, \"cancel\": true}"
	              : "{\"lease_ms\": 600, \"cancel\": false}");
}

static void on_log(struct lb_http_exchange *x, void *ctx)
{
	struct fake *f = ctx;
	uint64_t offset = 0;
	char text[96];
	bool lost;

	if (!holds(f, x))
		return;
	lb_ignore(lb_bytes_u64(&offset, lb_http_query(x, "offset"), UINT64_MAX >> 1));
	(void)snprintf(text, sizeof text, "{\"size\": %zu}", f->log.len);
	if (offset > f->log.len) {
		f->refused_chunks++;
		(void)pthread_mutex_unlock(&f->lock);
		answer(x, 416, text);
		return;
	}
	f->chunks++;
	if (offset < f->log.len) {
		struct test *t = f->t;
		size_t again = f->log.len - (size_t)offset;

		f->doubled++;
		CHECK(again <= x->body.len && memcmp(f->log.at + offset, x->body.at, again) == 0);
		lb_buf_add(&f->log, lb_bytes_from(x->body, again));
	} else {
		lb_buf_add(&f->log, x->body);
	}
	(void)snprintf(text, sizeof text, "{\"size\": %zu, \"cancel\": %s}", f->log.len,
	               f->cancel ? "true" : "false");
	lost = f->lose_answers && f->chunks % 2 == 1;
	(void)pthread_mutex_unlock(&f->lock);
	answer(x, lost ? 500 : 200, lost ? "{}" : text);
}

static void on_steps(struct lb_http_exchange *x, void *ctx)
{
	struct fake *f = ctx;

	if (!holds(f, x))
		return;
	lb_buf_reset(&f->steps);
	lb_buf_add(&f->steps, x->body);
	(void)pthread_mutex_unlock(&f->lock);
	answer(x, 200, "{}");
}

static void on_complete(struct lb_http_exchange *x, void *ctx)
{
	struct fake *f = ctx;
	bool refuse;

	if (!holds(f, x))
		return;
	refuse = f->short_log;
	f->short_log = false;
	if (!refuse) {
		f->completions++;
		lb_buf_reset(&f->result);
		lb_buf_add(&f->result, x->body);
	}
	(void)pthread_mutex_unlock(&f->lock);
	if (refuse) {
		char text[64];

		(void)snprintf(text, sizeof text, "{\"message\": \"not whole\", \"size\": %zu}",
		               f->log.len);
		answer(x, 409, text);
	} else {
		answer(x, 200, "{}");
	}
}

static const struct lb_http_route routes[] = {
	{ "POST", "/api/v1/runner/session", on_session, 0, NULL, NULL },
	{ "POST", "/api/v1/runner/lease", on_lease, 0, NULL, NULL },
	{ "POST", "/api/v1/leases/:id/renew", on_renew, 0, NULL, NULL },
	{ "PUT", "/api/v1/leases/:id/log", on_log, 4 * 1024 * 1024, NULL, NULL },
	{ "POST", "/api/v1/leases/:id/steps", on_steps, 0, NULL, NULL },
	{ "POST", "/api/v1/leases/:id/complete", on_complete, 0, NULL, NULL },
	{ NULL, NULL, NULL, 0, NULL, NULL },
};

static bool start_server(struct test *t, struct fake *f)
{
	struct lb_diag diag;
	lb_err err = lb_http_server_start(
		&f->server, f->mem, &plat_host,
		&(struct lb_http_config){ .port = f->port, .routes = routes, .ctx = f }, &diag);

	if (!CHECK_OK(err))
		return false;
	f->port = lb_http_server_port(f->server);
	return true;
}

/* ---- the runner, in a thread ---- */

struct runner {
	struct fake fake;
	struct runner_stop stop;
	_Atomic bool stopping, ended;
	pthread_t thread;
	struct runner_host host;
	struct runner_serve how;
	struct lb_log log;
	char coordinator[64], work[256];
	lb_err err;
	struct lb_diag diag;
};

static void *run(void *ctx)
{
	struct runner *r = ctx;

	r->err = runner_serve(&r->host, &r->how, &r->diag);
	r->ended = true;
	return NULL;
}

static const char *const labels[] = { "linux", NULL };

static bool begin(struct test *t, struct runner *r, const char *script)
{
	struct fake *f = &r->fake;

	*r = (struct runner){ .fake = {
				      .t = t, .mem = t->mem, .script = script, .lease_ms = 600 } };
	(void)pthread_mutex_init(&f->lock, NULL);
	lb_buf_init(&f->log, t->mem, LOG_BYTES_MAX);
	lb_buf_init(&f->result, t->mem, LOG_BYTES_MAX);
	lb_buf_init(&f->steps, t->mem, LOG_BYTES_MAX);
	if (!start_server(t, f))
		return false;
	(void)snprintf(r->coordinator, sizeof r->coordinator, "http://127.0.0.1:%u", f->port);
	(void)snprintf(r->work, sizeof r->work, "%s", test_folder(t));
	r->log = (struct lb_log){ .plat = &plat_host, .file = -1 };
	r->host = (struct runner_host){ .mem = t->mem,
		                        .plat = &plat_host,
		                        .work = r->work,
		                        .name = "tester",
		                        .helper = "/bin/false",
		                        .stop = &r->stop };
	r->how = (struct runner_serve){ .coordinator = r->coordinator,
		                        .token = "lbr_good",
		                        .labels = labels,
		                        .once = true,
		                        .stopping = &r->stopping,
		                        .log = &r->log,
		                        .pause_ms_max = 100 };
	return CHECK_OK(runner_stop_init(&r->stop)) &&
	       CHECK_OK(runner_sandbox_new(&r->host.sandbox, t->mem, NULL, &r->diag)) &&
	       CHECK_OK(runner_folders_prepare(t->mem, &plat_host, r->work, &r->diag));
}

static bool start(struct runner *r) { return pthread_create(&r->thread, NULL, run, r) == 0; }

static void join(struct test *t, struct runner *r)
{
	(void)pthread_join(r->thread, NULL);
	CHECK_OK(r->err);
}

static void end(struct runner *r)
{
	lb_http_server_stop(r->fake.server);
	runner_sandbox_free(r->host.sandbox);
	runner_stop_release(&r->stop);
	lb_buf_release(&r->fake.log);
	lb_buf_release(&r->fake.result);
	lb_buf_release(&r->fake.steps);
	(void)pthread_mutex_destroy(&r->fake.lock);
}

static void sleep_ms(unsigned ms) { plat_host.ops->sleep_ns(&plat_host, ms * UINT64_C(1000000)); }

static bool has(struct runner *r, const struct lb_buf *in, const char *text)
{
	bool there;

	(void)pthread_mutex_lock(&r->fake.lock);
	there = lb_bytes_find(lb_buf_bytes(in), lb_bytes_of(text)) != SIZE_MAX;
	(void)pthread_mutex_unlock(&r->fake.lock);
	return there;
}

static bool log_has(struct runner *r, const char *text) { return has(r, &r->fake.log, text); }
static bool result_has(struct runner *r, const char *text) { return has(r, &r->fake.result, text); }

/* Wait until the log holds a text. */
static bool wait_for(struct runner *r, const char *text)
{
	for (unsigned i = 0; i < WAIT_S * 100; i++) {
		if (has(r, &r->fake.log, text))
			return true;
		sleep_ms(10);
	}
	return false;
}

/* ---- tests ---- */

TEST(a_job_runs_and_is_reported)
{
	struct runner r;

	if (begin(t, &r,
	          "echo \"v=7\" >> $GITHUB_OUTPUT\n"
	          "echo $FROM_OPERATOR swordfish\n"
	          "echo '# Hi swordfish' >> $GITHUB_STEP_SUMMARY\n"
	          "echo ::error file=a.c,line=3::bad swordfish") &&
	    start(&r)) {
		join(t, &r);
		CHECK(r.fake.leases == 1 && r.fake.completions == 1 && r.fake.sessions == 1);
		CHECK(log_has(&r, " yes ***\n"));
		CHECK(log_has(&r, "##[error]bad ***\n"));
		CHECK(!log_has(&r, "swordfish\n") && !log_has(&r, "lbj_"));
		CHECK(result_has(&r, "\"conclusion\":\"success\""));
		CHECK(result_has(&r, "\"outputs\":{\"v\":\"7\"}"));
		CHECK(result_has(&r, "\"message\":\"bad ***\""));
		CHECK(result_has(&r, "\"file\":\"a.c\",\"line\":3"));
		CHECK(result_has(&r, "\"summary\":\"# Hi ***\\n\""));
		CHECK(result_has(&r, "\"name\":\"Set up job\""));
		CHECK(result_has(&r, "\"name\":\"Complete job\""));
	}
	end(&r);
}

TEST(a_failing_step_fails_its_job)
{
	struct runner r;

	if (begin(t, &r, "echo before\nexit 9") && start(&r)) {
		join(t, &r);
		CHECK(log_has(&r, "##[error]Process completed with exit code 9.\n"));
		CHECK(result_has(&r, "\"conclusion\":\"failure\""));
	}
	end(&r);
}

/* Killed and started again in the midst: the job goes on, its log comes whole and in order. */
TEST(a_coordinator_may_go_away)
{
	struct runner r;

	if (begin(t, &r, "echo one\nfor i in $(seq 1 30); do echo line $i; sleep 0.05; done") &&
	    start(&r)) {
		CHECK(wait_for(&r, "one\n"));
		lb_http_server_stop(r.fake.server);
		sleep_ms(700);
		CHECK(start_server(t, &r.fake));
		join(t, &r);
		CHECK(result_has(&r, "\"conclusion\":\"success\""));
		for (unsigned i = 1; i <= 30; i++) {
			char line[32];
			struct lb_bytes rest = lb_buf_bytes(&r.fake.log);
			size_t first;

			(void)snprintf(line, sizeof line, " line %u\n", i);
			first = lb_bytes_find(rest, lb_bytes_of(line));
			CHECK(first != SIZE_MAX);
			CHECK(first == SIZE_MAX || lb_bytes_find(lb_bytes_from(rest, first + 1),
			                                         lb_bytes_of(line)) == SIZE_MAX);
		}
	}
	end(&r);
}

TEST(a_broken_coordinator_is_waited_for)
{
	struct runner r;

	if (begin(t, &r, "echo done")) {
		r.fake.broken = true;
		if (start(&r)) {
			sleep_ms(300);
			(void)pthread_mutex_lock(&r.fake.lock);
			r.fake.broken = false;
			(void)pthread_mutex_unlock(&r.fake.lock);
			join(t, &r);
			CHECK(result_has(&r, "\"conclusion\":\"success\""));
		}
	}
	end(&r);
}

TEST(answers_that_were_lost_double_nothing)
{
	struct runner r;

	if (begin(t, &r, "for i in 1 2 3 4 5 6 7 8; do echo part $i; sleep 0.03; done")) {
		r.fake.lose_answers = true;
		r.fake.short_log = true;
		if (start(&r)) {
			join(t, &r);
			CHECK(r.fake.doubled > 0);
			CHECK(r.fake.completions == 1);
			CHECK(result_has(&r, "\"conclusion\":\"success\""));
		}
	}
	end(&r);
}

TEST(a_lost_lease_ends_the_job_at_once)
{
	struct runner r;

	if (begin(t, &r, "trap '' INT TERM\necho begun\nsleep 30\necho never") && start(&r)) {
		uint64_t since = plat_host.ops->now_ns(&plat_host);

		CHECK(wait_for(&r, "begun\n"));
		(void)pthread_mutex_lock(&r.fake.lock);
		r.fake.stale = true;
		(void)pthread_mutex_unlock(&r.fake.lock);
		join(t, &r);
		CHECK(plat_host.ops->now_ns(&plat_host) - since < UINT64_C(6000000000));
		CHECK(r.fake.completions == 0);
		CHECK(!log_has(&r, "never\n"));
		/* The wish was the job's: the next one would run. */
		CHECK(runner_stop_level(&r.stop) == RUNNER_STOP_NONE);
	}
	end(&r);
}

TEST(a_cancelled_job_ends_as_cancelled)
{
	struct runner r;

	if (begin(t, &r, "trap 'echo interrupted; exit 0' INT\necho begun\nsleep 30 & wait") &&
	    start(&r)) {
		CHECK(wait_for(&r, "begun\n"));
		(void)pthread_mutex_lock(&r.fake.lock);
		r.fake.cancel = true;
		(void)pthread_mutex_unlock(&r.fake.lock);
		join(t, &r);
		CHECK(log_has(&r, "interrupted\n"));
		CHECK(log_has(&r, "##[error]The operation was canceled.\n"));
		CHECK(result_has(&r, "\"conclusion\":\"cancelled\""));
	}
	end(&r);
}

TEST(a_stopped_runner_reports_its_job_as_cancelled)
{
	struct runner r;

	if (begin(t, &r, "trap 'echo interrupted; exit 0' INT\necho begun\nsleep 30 & wait")) {
		r.how.once = false;
		if (start(&r)) {
			CHECK(wait_for(&r, "begun\n"));
			r.stopping = true;
			runner_stop_raise(&r.stop, RUNNER_STOP_DRAIN);
			join(t, &r);
			CHECK(result_has(&r, "\"conclusion\":\"cancelled\""));
		}
	}
	end(&r);
}

TEST(an_idle_runner_stops_at_once)
{
	struct runner r;

	if (begin(t, &r, NULL)) {
		r.how.once = false;
		if (start(&r)) {
			sleep_ms(300);
			r.stopping = true;
			join(t, &r);
			CHECK(r.fake.sessions == 1);
		}
	}
	end(&r);
}

TEST(a_wrong_token_is_said)
{
	struct runner r;

	if (begin(t, &r, NULL)) {
		r.how.token = "lbr_wrong";
		if (start(&r)) {
			(void)pthread_join(r.thread, NULL);
			CHECK(lb_code_of(r.err) == LB_E_DENIED);
			CHECK(lb_bytes_find(lb_bytes_of(r.diag.text), LB_B("unknown token")) !=
			      SIZE_MAX);
		}
	}
	end(&r);
}

TEST(a_machine_that_cannot_isolate_refuses_jobs)
{
	struct runner r;

	if (begin(t, &r, "echo never")) {
		r.host.refusal = "bubblewrap is not here";
		if (start(&r)) {
			join(t, &r);
			CHECK(log_has(&r, "##[error]bubblewrap is not here\n"));
			CHECK(!log_has(&r, "never"));
			CHECK(result_has(&r, "\"conclusion\":\"failure\""));
		}
	}
	end(&r);
}

TEST(much_output_comes_whole_through_a_pause)
{
	struct runner r;

	if (begin(t, &r, "echo first\nseq 1 700000 | sed 's/$/ xxxxxxxxxx/'\necho last") &&
	    start(&r)) {
		CHECK(wait_for(&r, "first\n"));
		(void)pthread_mutex_lock(&r.fake.lock);
		r.fake.broken = true;
		(void)pthread_mutex_unlock(&r.fake.lock);
		sleep_ms(500);
		(void)pthread_mutex_lock(&r.fake.lock);
		r.fake.broken = false;
		(void)pthread_mutex_unlock(&r.fake.lock);
		join(t, &r);
		CHECK(log_has(&r, " 1 xxxxxxxxxx\n") && log_has(&r, " 350000 xxxxxxxxxx\n"));
		CHECK(log_has(&r, " 700000 xxxxxxxxxx\n") && log_has(&r, " last\n"));
		CHECK(r.fake.log.len > 700000 * 40);
	}
	end(&r);
}
