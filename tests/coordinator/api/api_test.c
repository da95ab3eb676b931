/* api_test.c - a whole coordinator in this process, asked over loopback. */
#include "base/data/digest.h"
#include "base/data/json.h"
#include "base/data/token.h"
#include "base/http/client.h"
#include "base/io/file.h"
#include "base/io/run.h"
#include "coordinator/api/service.h"
#include "tests/coordinator/fixture.h"

#include <pthread.h>

#define PATH ".github/workflows/ci.yml"

static const char one_job[] = "name: CI\n"
			      "on: workflow_dispatch\n"
			      "jobs:\n"
			      "  a:\n"
			      "    runs-on: x\n"
			      "    permissions:\n"
			      "      id-token: write\n"
			      "    steps:\n"
			      "      - run: echo\n"
			      "  b:\n"
			      "    runs-on: y\n"
			      "    steps:\n"
			      "      - run: echo\n";

struct site {
	struct test *t;
	struct coord_service *service;
	struct lb_http_client *client;
	struct lb_arena arena;
	char state[512], repositories[600], sha[41];
	const char *address;
	struct lb_bytes person, runner; /* tokens */
	/* of the last answer */
	int status;
	struct lb_bytes text;
	struct lb_value *body; /* NULL: no JSON */
	struct lb_buf headers;
};

/* ---- a coordinator and a client ---- */

static struct lb_bytes read_token(struct site *s, const char *name)
{
	struct test *t = s->t;
	char path[600];
	struct lb_buf text;

	(void)snprintf(path, sizeof path, "%s/%s", s->state, name);
	lb_buf_init(&text, &s->arena.mem, 4096);
	CHECK_OK(lb_file_read(&text, &plat_host, path, NULL));
	return lb_buf_bytes(&text);
}

static bool start(struct site *s)
{
	struct test *t = s->t;
	struct coord_service_config config = {
		.plat = &plat_host, .state = s->state, .lease_ms = 2000, .poll_ms = 1000
	};
	struct lb_diag diag = { 0 };
	lb_err err = coord_service_start(&s->service, t->mem, &config, &diag);

	if (lb_failed(err)) {
		printf("# %s\n", lb_diag_text(&diag, err));
		return CHECK_OK(err);
	}
	s->address = coord_service_address(s->service);
	return true;
}

static bool begin(struct site *s, struct test *t)
{
	static unsigned count;

	*s = (struct site){ .t = t };
	lb_arena_init(&s->arena, t->mem);
	lb_buf_init(&s->headers, t->mem, 1 << 16);
	(void)snprintf(s->state, sizeof s->state, "%s/site-%u", test_folder(t), count++);
	(void)snprintf(s->repositories, sizeof s->repositories, "%s/repositories", s->state);
	if (!start(s) || !CHECK_OK(lb_http_client_new(&s->client, t->mem)))
		return false;
	s->person = read_token(s, "token");
	s->runner = read_token(s, "runner-token");
	return fixture_commit_in(s->sha, t, s->repositories, PATH, one_job);
}

static void end(struct site *s)
{
	lb_http_client_free(s->client);
	coord_service_stop(s->service);
	lb_buf_release(&s->headers);
	lb_arena_release(&s->arena);
}

/* One request; extra headers end with NULL. */
static int ask_with(struct site *s, const char *method, const char *path, struct lb_bytes token,
                    const char *extra, struct lb_bytes body)
{
	struct test *t = s->t;
	struct lb_bytes url = lb_arena_format(&s->arena, "%s%s", s->address, path);
	struct lb_bytes auth =
		lb_arena_format(&s->arena, "Authorization: Bearer %.*s", LB_FMT(token));
	const char *headers[] = { (const char *)auth.at, extra, NULL };
	struct lb_http_ask ask = { .method = method,
		                   .url = (const char *)url.at,
		                   .headers = token.len > 0 ? headers : headers + 1,
		                   .body = body,
		                   .timeout_ms = 20000 };
	struct lb_http_answer answer = { 0 };

	lb_buf_init(&answer.body, &s->arena.mem, 8 << 20);
	lb_buf_release(&s->headers);
	lb_buf_init(&answer.headers, t->mem, 1 << 16);
	CHECK_OK(lb_http_ask(s->client, &ask, &answer, NULL));
	s->headers = answer.headers;
	s->status = answer.status;
	s->text = lb_buf_bytes(&answer.body);
	s->body = NULL;
	lb_ignore(lb_json_read(&s->body, &s->arena, s->text, NULL));
	return s->status;
}

static int ask(struct site *s, const char *method, const char *path, struct lb_bytes token,
               const char *body)
{
	return ask_with(s, method, path, token, NULL, lb_bytes_of(body));
}

static int get(struct site *s, const char *path)
{
	return ask(s, "GET", path, (struct lb_bytes){ 0 }, "");
}

static bool says(struct site *s, const char *what)
{
	struct lb_bytes message = lb_value_get_string(s->body, "message");

	if (lb_bytes_find(message, lb_bytes_of(what)) != SIZE_MAX)
		return true;
	printf("# %d: %.*s\n", s->status, LB_FMT(s->text));
	return false;
}

static uint64_t number(struct site *s, const char *key)
{
	struct test *t = s->t;
	uint64_t value = 0;

	CHECK_OK(lb_value_get_u64(&value, s->body, key));
	return value;
}

/* ---- the usual steps ---- */

static uint64_t submit(struct site *s)
{
	struct test *t = s->t;
	struct lb_bytes body =
		lb_arena_format(&s->arena,
	                        "{\"repository\":\"acme/"
	                        "demo\",\"ref\":\"main\",\"sha\":\"%s\",\"workflow\":\"ci.yml\"}",
	                        s->sha);

	CHECK(ask_with(s, "POST", "/api/v1/runs", s->person, NULL, body) == 201);
	return number(s, "id");
}

struct lease {
	struct lb_bytes id, token;
	uint64_t fence, job_id;
	char header[64];
};

static struct lb_bytes session(struct site *s, const char *name, const char *label)
{
	struct test *t = s->t;
	struct lb_bytes body =
		lb_arena_format(&s->arena, "{\"name\":\"%s\",\"labels\":[\"%s\"],\"os\":\"linux\"}",
	                        name, label);

	CHECK(ask_with(s, "POST", "/api/v1/runner/session", s->runner, NULL, body) == 200);
	return lb_value_get_string(s->body, "session");
}

static bool take(struct lease *out, struct site *s, struct lb_bytes session_name)
{
	struct test *t = s->t;
	struct lb_bytes body =
		lb_arena_format(&s->arena, "{\"session\":\"%.*s\"}", LB_FMT(session_name));

	*out = (struct lease){ 0 };
	if (ask_with(s, "POST", "/api/v1/runner/lease", s->runner, NULL, body) != 200)
		return false;
	out->id = lb_value_get_string(s->body, "lease");
	out->token = lb_value_get_string(s->body, "token");
	out->fence = number(s, "fence");
	CHECK_OK(lb_value_get_u64(&out->job_id, lb_value_get(s->body, "job"), "id"));
	(void)snprintf(out->header, sizeof out->header, "Lifeboat-Fence: %llu",
	               (unsigned long long)out->fence);
	return true;
}

static int under(struct site *s, const struct lease *lease, const char *method, const char *path,
                 const char *body)
{
	struct lb_bytes whole =
		lb_arena_format(&s->arena, "/api/v1/leases/%.*s/%s", LB_FMT(lease->id), path);

	return ask_with(s, method, (const char *)whole.at, lease->token, lease->header,
	                lb_bytes_of(body));
}

/* ---- who may ---- */

TEST(each_door_has_its_token)
{
	static const struct {
		const char *method, *path;
		char needs; /* p: a person, r: a runner */
	} doors[] = {
		{ "POST", "/api/v1/runs", 'p' },
		{ "POST", "/api/v1/runs/1/cancel", 'p' },
		{ "POST", "/api/v1/runs/1/rerun", 'p' },
		{ "POST", "/api/v1/runner/session", 'r' },
		{ "POST", "/api/v1/runner/lease", 'r' },
		{ "GET", "/git/acme/demo.git/info/refs?service=git-upload-pack", 'p' },
	};
	struct site s;

	if (!begin(&s, t))
		return;
	for (size_t i = 0; i < sizeof doors / sizeof doors[0]; i++) {
		struct lb_bytes wrong = doors[i].needs == 'p' ? s.runner : s.person;

		CHECK(ask(&s, doors[i].method, doors[i].path, (struct lb_bytes){ 0 }, "{}") == 401);
		CHECK_BYTES(lb_http_header(&s.headers, "www-authenticate"),
		            "Basic realm=\"Lifeboat\"");
		CHECK(ask(&s, doors[i].method, doors[i].path, wrong, "{}") == 403);
		CHECK(ask(&s, doors[i].method, doors[i].path, LB_B("lbu_nonsense"), "{}") == 401);
	}
	CHECK(get(&s, "/api/v1/runs") == 200);
	end(&s);
}

TEST(a_foreign_host_is_refused)
{
	struct site s;

	if (!begin(&s, t))
		return;
	CHECK(ask_with(&s, "GET", "/api/v1/runs", s.person, "Host: rebound.example.org:8440",
	               LB_B("")) == 403);
	CHECK(says(&s, "rebound.example.org"));
	CHECK(ask_with(&s, "GET", "/api/v1/runs", s.person, "Host: ci.localhost:1", LB_B("")) ==
	      200);
	end(&s);
}

TEST(answers_carry_the_strict_headers)
{
	struct site s;

	if (!begin(&s, t))
		return;
	CHECK(get(&s, "/api/v1/status") == 200);
	CHECK_BYTES(lb_http_header(&s.headers, "x-content-type-options"), "nosniff");
	CHECK_BYTES(lb_http_header(&s.headers, "referrer-policy"), "no-referrer");
	CHECK(lb_bytes_find(lb_http_header(&s.headers, "content-security-policy"),
	                    LB_B("frame-ancestors 'none'")) != SIZE_MAX);
	CHECK(get(&s, "/api/v1/runs/77") == 404 && says(&s, "there is no run 77"));
	CHECK(get(&s, "/api/v1/runs/x") == 404 && says(&s, "expected a number"));
	CHECK(get(&s, "/api/v1/runs?limit=many") == 400 && says(&s, "limit: expected"));
	CHECK(get(&s, "/nothing") == 404);
	end(&s);
}

/* ---- a run ---- */

TEST(a_bad_submission_is_400_and_an_unknown_commit_404)
{
	struct site s;

	if (!begin(&s, t))
		return;
	CHECK(ask(&s, "POST", "/api/v1/runs", s.person, "{") == 400);
	CHECK(ask(&s, "POST", "/api/v1/runs", s.person, "[]") == 400 &&
	      says(&s, "expected a JSON object"));
	CHECK(ask(&s, "POST", "/api/v1/runs", s.person, "{}") == 400 && says(&s, "repository"));
	CHECK(ask(&s, "POST", "/api/v1/runs", s.person,
	          "{\"repository\":\"acme/none\",\"ref\":\"main\",\"workflow\":\"ci.yml\"}") ==
	      404);
	CHECK_BYTES(lb_value_get_string(s.body, "code"), "unknown_commit");
	CHECK(ask(&s, "POST", "/api/v1/runs", s.person,
	          "{\"repository\":\"acme/demo\",\"ref\":\"main\",\"workflow\":\"ci.yml\","
	          "\"inputs\":{\"who\":\"x\"}}") == 400);
	CHECK(ask(&s, "POST", "/api/v1/runs", s.person,
	          "{\"repository\":\"acme/demo\",\"ref\":\"main\",\"workflow\":\"ci.yml\","
	          "\"inputs\":7}") == 400 &&
	      says(&s, "inputs: expected an object"));
	CHECK(get(&s, "/api/v1/runs") == 200 && lb_value_get(s.body, "runs")->count == 0);
	end(&s);
}

TEST(a_log_is_taken_by_offset)
{
	struct site s;
	struct lease lease;
	char path[128];

	if (!begin(&s, t))
		return;
	(void)submit(&s);
	CHECK(take(&lease, &s, session(&s, "r1", "x")));
	CHECK(under(&s, &lease, "PUT", "log?offset=0", "T one\n") == 200 &&
	      number(&s, "size") == 6);
	CHECK(under(&s, &lease, "PUT", "log?offset=0", "T one\n") == 200 &&
	      number(&s, "size") == 6);
	CHECK(under(&s, &lease, "PUT", "log?offset=2", "one\nT two\n") == 200 &&
	      number(&s, "size") == 12);
	CHECK(under(&s, &lease, "PUT", "log?offset=13", "x") == 416 && number(&s, "size") == 12);
	CHECK(under(&s, &lease, "PUT", "log?offset=6", "T TWO\n") == 409 &&
	      number(&s, "size") == 12);
	CHECK(under(&s, &lease, "PUT", "log", "x") == 400 && says(&s, "offset: expected"));
	CHECK(under(&s, &lease, "PUT", "log?offset=-1", "x") == 400);
	(void)snprintf(path, sizeof path, "/api/v1/jobs/%llu/log?offset=6",
	               (unsigned long long)lease.job_id);
	CHECK(get(&s, path) == 200);
	CHECK_BYTES(s.text, "T two\n");
	lease.header[strlen(lease.header) - 1] = '9';
	CHECK(under(&s, &lease, "PUT", "log?offset=12", "x") == 409 && says(&s, "is not held"));
	CHECK(under(&s, &lease, "POST", "renew", "") == 409);
	CHECK(under(&s, &lease, "POST", "complete",
	            "{\"conclusion\":\"success\",\"log_size\":12}") == 409);
	end(&s);
}

TEST(steps_and_the_end_are_shown)
{
	struct site s;
	struct lease lease;
	const struct lb_value *job, *steps;
	char path[64];
	uint64_t id;

	if (!begin(&s, t))
		return;
	id = submit(&s);
	CHECK(take(&lease, &s, session(&s, "r1", "x")));
	CHECK(under(&s, &lease, "POST", "renew", "") == 200 && number(&s, "lease_ms") == 2000);
	CHECK(under(&s, &lease, "POST", "steps",
	            "{\"steps\":[{\"number\":1,\"name\":\"Run "
	            "echo\",\"status\":\"in_progress\"}]}") == 200);
	CHECK(under(&s, &lease, "POST", "steps", "{\"steps\":[{\"name\":\"x\"}]}") == 400 &&
	      says(&s, "steps[0].number"));
	CHECK(under(&s, &lease, "POST", "complete",
	            "{\"conclusion\":\"success\",\"log_size\":3}") == 409 &&
	      number(&s, "size") == 0);
	CHECK(under(&s, &lease, "POST", "complete",
	            "{\"conclusion\":\"success\",\"log_size\":0,\"summary\":\"# Hi\","
	            "\"annotations\":[{\"level\":\"error\",\"message\":\"m\"}],"
	            "\"steps\":[{\"number\":1,\"name\":\"Run echo\",\"status\":\"completed\"}]}") ==
	      200);
	(void)snprintf(path, sizeof path, "/api/v1/runs/%llu", (unsigned long long)id);
	CHECK(get(&s, path) == 200);
	job = fixture_job(s.body, "a");
	steps = lb_value_get(job, "steps");
	CHECK(steps != NULL && steps->count == 1);
	CHECK_BYTES(lb_value_get_string(steps->items[0], "status"), "completed");
	CHECK_BYTES(lb_value_get_string(job, "summary"), "# Hi");
	CHECK_BYTES(lb_value_get_string(job, "conclusion"), "success");
	CHECK(lb_value_get(job, "annotations")->count == 1);
	CHECK_BYTES(lb_value_get_string(fixture_job(s.body, "b"), "waiting"),
	            "waiting for a runner with labels y");
	end(&s);
}

/* ---- waiting and following ---- each in a thread of its own, with a client of its own */

struct waiter {
	struct site site; /* a copy: the address and the tokens */
	struct lb_bytes session;
	const char *path;
	struct lease lease;
	bool got;
	uint64_t took_ms;
	pthread_t thread;
};

static void *wait_for_lease(void *ctx)
{
	struct waiter *w = ctx;
	uint64_t begun = plat_host.ops->now_ns(&plat_host);

	w->got = take(&w->lease, &w->site, w->session);
	w->took_ms = (plat_host.ops->now_ns(&plat_host) - begun) / 1000000;
	return NULL;
}

static void *follow(void *ctx)
{
	struct waiter *w = ctx;

	w->got = get(&w->site, w->path) == 200;
	return NULL;
}

static bool start_waiter(struct waiter *w, const struct site *s, void *(*run)(void *))
{
	struct test *t = s->t;

	w->site = *s;
	w->site.headers = (struct lb_buf){ 0 };
	lb_arena_init(&w->site.arena, t->mem);
	return CHECK_OK(lb_http_client_new(&w->site.client, t->mem)) &&
	       pthread_create(&w->thread, NULL, run, w) == 0;
}

static void end_waiter(struct waiter *w)
{
	lb_http_client_free(w->site.client);
	lb_buf_release(&w->site.headers);
	lb_arena_release(&w->site.arena);
}

TEST(a_waiting_runner_is_woken_by_a_job)
{
	struct waiter w = { 0 };
	struct site s;

	if (!begin(&s, t))
		return;
	w.session = session(&s, "r1", "x");
	if (!start_waiter(&w, &s, wait_for_lease))
		return;
	plat_host.ops->sleep_ns(&plat_host, 200000000);
	(void)submit(&s);
	(void)pthread_join(w.thread, NULL);
	CHECK(w.got && w.took_ms >= 150 && w.took_ms < 900);
	end_waiter(&w);
	end(&s);
}

TEST(a_poll_that_finds_nothing_is_204)
{
	struct site s;
	struct lease lease;
	uint64_t begun;

	if (!begin(&s, t))
		return;
	begun = plat_host.ops->now_ns(&plat_host);
	CHECK(!take(&lease, &s, session(&s, "r1", "x")) && s.status == 204);
	CHECK(plat_host.ops->now_ns(&plat_host) - begun >= 900000000u);
	CHECK(!take(&lease, &s, LB_B("nonsense")) && s.status == 409);
	end(&s);
}

TEST(a_log_and_a_run_are_followed_to_their_end)
{
	static struct waiter log, run; /* large, and used once */
	struct lease lease;
	struct site s;
	char log_path[64], run_path[64];
	uint64_t id;

	if (!begin(&s, t))
		return;
	id = submit(&s);
	CHECK(take(&lease, &s, session(&s, "r1", "x")));
	(void)snprintf(log_path, sizeof log_path, "/api/v1/jobs/%llu/log/live",
	               (unsigned long long)lease.job_id);
	(void)snprintf(run_path, sizeof run_path, "/api/v1/runs/%llu/events",
	               (unsigned long long)id);
	log.path = log_path;
	run.path = run_path;
	CHECK(under(&s, &lease, "PUT", "log?offset=0", "T \xc3\xa4\n") == 200);
	if (!start_waiter(&log, &s, follow) || !start_waiter(&run, &s, follow))
		return;
	plat_host.ops->sleep_ns(&plat_host, 100000000);
	CHECK(under(&s, &lease, "PUT", "log?offset=5", "T \"two\"\n") == 200);
	CHECK(under(&s, &lease, "POST", "complete",
	            "{\"conclusion\":\"failure\",\"log_size\":13}") == 200);
	CHECK(ask(&s, "POST",
	          (const char *)lb_arena_format(&s.arena, "/api/v1/runs/%llu/cancel",
	                                        (unsigned long long)id)
	                  .at,
	          s.person, "") == 200);
	(void)pthread_join(log.thread, NULL);
	(void)pthread_join(run.thread, NULL);
	CHECK(log.got && run.got);
	CHECK_BYTES(log.site.text, "id: 5\nevent: log\ndata: {\"text\":\"T \xc3\xa4\\n\"}\n\n"
	                           "id: 13\nevent: log\ndata: {\"text\":\"T \\\"two\\\"\\n\"}\n\n"
	                           "id: 13\nevent: end\ndata: {}\n\n");
	CHECK(lb_bytes_find(run.site.text, LB_B("event: job\n")) != SIZE_MAX);
	CHECK(lb_bytes_ends(run.site.text, LB_B("event: end\ndata: {}\n\n")));
	CHECK(get(&s, (const char *)lb_arena_format(&s.arena, "%s?after=999999", run_path).at) ==
	      204);
	end_waiter(&log);
	end_waiter(&run);
	end(&s);
}

/* ---- artifacts, caches ---- */

TEST(artifacts_go_in_and_come_out)
{
	struct site s;
	struct lease lease;
	char sha256[LB_SHA256_HEX + 1], path[64];
	uint64_t id;

	if (!begin(&s, t))
		return;
	(void)submit(&s);
	CHECK(take(&lease, &s, session(&s, "r1", "x")));
	CHECK_OK(lb_sha256_hex(sha256, LB_B("zipzip")));
	CHECK(under(&s, &lease, "PUT", "artifacts/my%20bundle", "zipzip") == 200);
	CHECK_BYTES(lb_value_get_string(s.body, "name"), "my bundle");
	CHECK_BYTES(lb_value_get_string(s.body, "sha256"), sha256);
	id = number(&s, "id");
	CHECK(under(&s, &lease, "PUT", "artifacts/my%20bundle", "other") == 409 &&
	      says(&s, "has an artifact 'my bundle' already"));
	CHECK(under(&s, &lease, "PUT", "artifacts/a%2Fb", "x") == 400 && says(&s, "a/b"));
	CHECK(under(&s, &lease, "GET", "artifacts", "") == 200 &&
	      lb_value_get(s.body, "artifacts")->count == 1);
	CHECK(under(&s, &lease, "GET", "artifacts/my%20bundle", "") == 200);
	CHECK_BYTES(s.text, "zipzip");
	CHECK(under(&s, &lease, "GET", "artifacts/none", "") == 404);
	CHECK(under(&s, &lease, "PUT", "artifacts/my%20bundle?overwrite=true", "other") == 200);
	id = number(&s, "id");
	(void)snprintf(path, sizeof path, "/api/v1/artifacts/%llu", (unsigned long long)id);
	CHECK(get(&s, path) == 200);
	CHECK_BYTES(s.text, "other");
	lease.token = LB_B("lbj_wrong");
	CHECK(under(&s, &lease, "PUT", "artifacts/x", "x") == 403);
	end(&s);
}

TEST(caches_are_written_once_and_found_by_prefix)
{
	struct site s;
	struct lease lease;

	if (!begin(&s, t))
		return;
	(void)submit(&s);
	CHECK(take(&lease, &s, session(&s, "r1", "x")));
	CHECK(under(&s, &lease, "GET", "cache?key=a-2&version=v&restore=a-", "") == 204);
	CHECK(under(&s, &lease, "PUT", "cache?key=a-1&version=v", "tar") == 200);
	CHECK(under(&s, &lease, "PUT", "cache?key=a-1&version=v", "rat") == 409);
	CHECK(under(&s, &lease, "PUT", "cache?key=a-1", "rat") == 400 && says(&s, "version"));
	CHECK(under(&s, &lease, "GET", "cache?key=a-2&version=v&restore=b&restore=a-", "") == 200);
	CHECK_BYTES(lb_value_get_string(s.body, "key"), "a-1");
	CHECK(under(&s, &lease, "GET", "cache/1", "") == 200);
	CHECK_BYTES(s.text, "tar");
	CHECK(under(&s, &lease, "GET", "cache/2", "") == 404);
	end(&s);
}

/* ---- identity ---- */

TEST(an_identity_token_verifies_against_the_published_keys)
{
	struct site s;
	struct lease lease;
	struct lb_token_keyset *keys = NULL;
	struct lb_token_expect expect = { .audience = LB_B("signer") };
	struct lb_value *claims = NULL;
	struct lb_bytes token;

	if (!begin(&s, t))
		return;
	(void)submit(&s);
	CHECK(take(&lease, &s, session(&s, "r1", "x")));
	CHECK(ask(&s, "GET", "/api/v1/id-token?api-version=1&audience=signer", lease.token, "") ==
	      200);
	token = lb_value_get_string(s.body, "value");
	CHECK(get(&s, "/.well-known/jwks") == 200);
	CHECK_OK(lb_token_keyset_read(&keys, t->mem, s.text, NULL));
	expect.issuer = lb_bytes_of(s.address);
	expect.now_s = plat_host.ops->wall_ns(&plat_host) / 1000000000u;
	CHECK_OK(lb_token_verify(&claims, &s.arena, keys, token, &expect, NULL));
	CHECK_BYTES(lb_value_get_string(claims, "sub"), "repo:acme/demo:ref:refs/heads/main");
	CHECK_BYTES(lb_value_get_string(claims, "workflow_ref"),
	            "acme/demo/" PATH "@refs/heads/main");
	lb_token_keyset_free(keys);
	CHECK(ask(&s, "GET", "/api/v1/id-token?audience=x", s.person, "") == 403);
	CHECK(take(&lease, &s, session(&s, "r2", "y")));
	CHECK(ask(&s, "GET", "/api/v1/id-token?audience=x", lease.token, "") == 403 &&
	      says(&s, "id-token: write"));
	end(&s);
}

/* ---- git ---- */

static lb_err run_git(struct site *s, const char *first, struct lb_bytes url, const char *last)
{
	struct test *t = s->t;
	const char *argv[] = { "git", first, "-q", (const char *)url.at, last, NULL };
	struct lb_run how = { .argv = argv, .cwd = test_folder(t), .timeout_ms = 20000 };

	if (strcmp(first, "push") == 0)
		argv[2] = "--quiet";
	return lb_run_ok(&how, NULL, NULL);
}

TEST(git_pushes_and_fetches_with_its_token)
{
	struct site s;
	struct lease lease;
	char copy[600], again[600], stranger[600];
	struct lb_bytes with_person, with_job, other;
	const char *push[] = { "git", "-C", copy, "push", "-q", NULL, "main", NULL };
	struct lb_run how = { .argv = push, .timeout_ms = 20000 };

	if (!begin(&s, t))
		return;
	(void)snprintf(copy, sizeof copy, "%s-copy", s.state);
	(void)snprintf(again, sizeof again, "%s-again", s.state);
	(void)snprintf(stranger, sizeof stranger, "%s-stranger", s.state);
	(void)submit(&s);
	CHECK(take(&lease, &s, session(&s, "r1", "x")));
	with_person = lb_arena_format(&s.arena, "http://x:%.*s@%s/git/acme/demo.git",
	                              LB_FMT(s.person), s.address + 7);
	with_job = lb_arena_format(&s.arena, "http://x:%.*s@%s/git/acme/demo.git",
	                           LB_FMT(lease.token), s.address + 7);
	CHECK_OK(run_git(&s, "clone", with_person, copy));
	CHECK_OK(run_git(&s, "clone", with_job, again));
	push[5] = (const char *)with_job.at;
	CHECK(lb_failed(lb_run_ok(&how, NULL, NULL)));
	other = lb_arena_format(&s.arena, "http://x:%.*s@%s/git/acme/new.git", LB_FMT(s.person),
	                        s.address + 7);
	CHECK(lb_failed(run_git(&s, "clone", other, stranger)));
	push[5] = (const char *)other.at;
	CHECK_OK(lb_run_ok(&how, NULL, NULL));
	CHECK_OK(run_git(&s, "clone", other, stranger));
	other = lb_arena_format(&s.arena, "http://x:%.*s@%s/git/acme/new.git", LB_FMT(lease.token),
	                        s.address + 7);
	(void)snprintf(stranger, sizeof stranger, "%s-no", s.state);
	CHECK(lb_failed(run_git(&s, "clone", other, stranger)));
	end(&s);
}

/* ---- the state folder and the port ---- */

TEST(a_second_coordinator_says_so)
{
	struct site s;
	struct coord_service *second = NULL;
	struct coord_service_config config = { .plat = &plat_host };
	struct lb_diag diag = { 0 };

	if (!begin(&s, t))
		return;
	config.state = s.state;
	CHECK(lb_code_of(coord_service_start(&second, t->mem, &config, &diag)) == LB_E_BUSY);
	CHECK(strstr(diag.text, "another coordinator") != NULL);
	CHECK(strstr(diag.text, s.state) != NULL && second == NULL);
	end(&s);
}

TEST(a_port_in_use_is_named)
{
	struct site s;
	struct coord_service *second = NULL;
	struct coord_service_config config = { .plat = &plat_host };
	struct lb_diag diag = { 0 };
	char state[600];

	if (!begin(&s, t))
		return;
	(void)snprintf(state, sizeof state, "%s-second", s.state);
	config.state = state;
	config.port = lb_http_server_port(coord_service_api(s.service)->server);
	CHECK(lb_code_of(coord_service_start(&second, t->mem, &config, &diag)) == LB_E_BUSY);
	CHECK(strstr(diag.text, s.address + 7) != NULL && second == NULL);
	end(&s);
}

TEST(tokens_keys_and_runs_survive_a_start_anew)
{
	struct site s;
	struct lb_bytes keys;
	uint64_t id;

	if (!begin(&s, t))
		return;
	id = submit(&s);
	CHECK(get(&s, "/.well-known/jwks") == 200);
	keys = s.text;
	coord_service_stop(s.service);
	if (!start(&s))
		return;
	CHECK(get(&s, "/.well-known/jwks") == 200 && lb_bytes_eq(s.text, keys));
	CHECK(submit(&s) == id + 1);
	CHECK(number(&s, "number") == 2);
	end(&s);
}
