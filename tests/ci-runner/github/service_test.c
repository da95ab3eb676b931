/* service_test.c - github.localhost asked by hand: who may, what is refused, what is queued and
 * sent. */
#include "base/data/digest.h"
#include "base/data/json.h"
#include "base/http/client.h"
#include "base/http/server.h"
#include "base/io/file.h"
#include "ci-runner/github/queue.h"
#include "ci-runner/github/service_priv.h"
#include "tests/harness/test.h"

#include <stdio.h>

/* A link that keeps one artifact and one cache entry, in memory's stead as files. */
struct fake_link {
	struct runner_link link; /* first member */
	struct test *t;
	char artifact[300], cache[300], key[100];
	unsigned puts;
};

static struct fake_link *fake_of(struct runner_link *link) { return (struct fake_link *)link; }

static lb_err artifact_put(struct runner_found *out, struct runner_link *self,
                           struct lb_arena *arena, const char *name, const char *path,
                           bool overwrite, struct lb_diag *diag)
{
	(void)overwrite;
	fake_of(self)->puts++;
	*out = (struct runner_found){ .id = lb_arena_bytes(arena, LB_B("7")),
		                      .name = lb_arena_bytes(arena, lb_bytes_of(name)) };
	return lb_file_copy(&plat_host, fake_of(self)->artifact, path, diag);
}

static lb_err artifact_list(struct runner_found **out, size_t *count, struct runner_link *self,
                            struct lb_arena *arena, struct lb_diag *diag)
{
	(void)diag;
	*out = LB_ARENA_NEW(arena, struct runner_found, 1);
	*count = lb_file_exists(&plat_host, fake_of(self)->artifact) ? 1 : 0;
	if (*out == NULL)
		return lb_err_of(LB_E_NOMEM);
	(*out)[0] = (struct runner_found){ .id = LB_B("7"), .name = LB_B("mine"), .size = 5 };
	return LB_OK;
}

static lb_err artifact_get(struct runner_link *self, const char *name, const char *to,
                           struct lb_diag *diag)
{
	(void)name;
	return lb_file_copy(&plat_host, to, fake_of(self)->artifact, diag);
}

static lb_err cache_find(struct runner_found *out, struct runner_link *self, struct lb_arena *arena,
                         const char *key, const char *const *restores, const char *version,
                         struct lb_diag *diag)
{
	(void)arena;
	(void)restores;
	(void)version;
	(void)diag;
	if (strcmp(fake_of(self)->key, key) != 0)
		return lb_err_of(LB_E_NOTFOUND);
	*out = (struct runner_found){ .id = LB_B("c"), .name = lb_bytes_of(fake_of(self)->key) };
	return LB_OK;
}

static lb_err cache_get(struct runner_link *self, const struct runner_found *entry, const char *to,
                        struct lb_diag *diag)
{
	(void)entry;
	return lb_file_copy(&plat_host, to, fake_of(self)->cache, diag);
}

static lb_err cache_put(struct runner_link *self, const char *key, const char *version,
                        const char *path, struct lb_diag *diag)
{
	(void)version;
	(void)snprintf(fake_of(self)->key, sizeof fake_of(self)->key, "%s", key);
	return lb_file_copy(&plat_host, fake_of(self)->cache, path, diag);
}

static lb_err link_ask(struct lb_value **out, struct runner_link *self, struct lb_arena *arena,
                       const char *what, struct lb_diag *diag)
{
	(void)self;
	if (strcmp(what, "runs/12") != 0)
		return lb_err_of(LB_E_NOTFOUND);
	return lb_json_read(out, arena,
	                    LB_B("{\"id\": 12, \"name\": \"ci\", \"ref\": \"refs/heads/main\", "
	                         "\"jobs\": [{\"id\": 3, \"name\": \"one\"}, {\"id\": 4, \"name\": "
	                         "\"two\"}]}"),
	                    diag);
}

static lb_err link_fetch(struct runner_link *self, const char *what, const char *to,
                         struct lb_diag *diag)
{
	(void)self;
	(void)what;
	return lb_file_write(&plat_host, to, LB_B("a log"), 0, diag);
}

static const struct runner_link_ops link_ops = {
	.artifact_put = artifact_put,
	.artifact_list = artifact_list,
	.artifact_get = artifact_get,
	.cache_find = cache_find,
	.cache_get = cache_get,
	.cache_put = cache_put,
	.ask = link_ask,
	.fetch = link_fetch,
};

struct asking {
	struct fake_link link;
	struct lb_arena arena;
	struct runner_github *github;
	struct lb_http_client *client;
	pthread_mutex_t lock;
	struct lb_diag diag;
	char folder[300], queue[300], url[64];
	int status;
	struct lb_bytes body; /* of the last answer, in the arena */
	struct lb_bytes location;
};

static bool begin(struct test *t, struct asking *a)
{
	struct runner_github_options options = { .token = LB_B("ghs_secret") };
	struct lb_value *github = NULL;

	*a = (struct asking){ .link = { .link = { &link_ops }, .t = t } };
	lb_arena_init(&a->arena, t->mem);
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)snprintf(a->folder, sizeof a->folder, "%.200s", test_folder(t));
	(void)snprintf(a->queue, sizeof a->queue, "%.200s/queue", a->folder);
	(void)snprintf(a->link.artifact, sizeof a->link.artifact, "%.200s/artifact", a->folder);
	(void)snprintf(a->link.cache, sizeof a->link.cache, "%.200s/cache", a->folder);
	CHECK_OK(lb_json_read(&github, &a->arena,
	                      LB_B("{\"repository\": \"o/r\", \"run_id\": \"12\", \"ref\": "
	                           "\"refs/heads/main\", \"actor\": \"me\", \"sha\": \"1\"}"),
	                      &a->diag));
	options.link = &a->link.link;
	options.lock = &a->lock;
	options.folder = a->folder;
	options.queue = a->queue;
	options.github = github;
	if (!CHECK_OK(runner_github_new(&a->github, t->mem, &plat_host, &options, &a->diag)) ||
	    !CHECK_OK(lb_http_client_new(&a->client, t->mem)))
		return false;
	(void)snprintf(a->url, sizeof a->url, "http://127.0.0.1:%u",
	               (unsigned)lb_http_server_port(a->github->server));
	return true;
}

static void end(struct asking *a)
{
	lb_http_client_free(a->client);
	runner_github_free(a->github);
	(void)pthread_mutex_destroy(&a->lock);
	lb_arena_release(&a->arena);
}

/* `path` may be a whole address. */
static void ask_as(struct test *t, struct asking *a, const char *token, const char *method,
                   const char *path, const char *body)
{
	struct lb_http_answer answer = { .status = 0 };
	const char *const headers[] = {
		(const char *)lb_arena_format(&a->arena, "Authorization: token %s", token).at,
		"Content-Range: bytes 0-4/*", NULL
	};
	struct lb_bytes given = lb_bytes_of(body);

	lb_buf_init(&answer.body, t->mem, 1 << 20);
	lb_buf_init(&answer.headers, t->mem, 1 << 16);
	CHECK_OK(
		lb_http_ask(a->client,
	                    &(struct lb_http_ask){
				    .method = method,
				    .url = path[0] == '/' ? (const char *)lb_arena_format(
								    &a->arena, "%s%s", a->url, path)
	                                                            .at
	                                                  : path,
				    .headers = headers,
				    .body = given },
	                    &answer, &a->diag));
	a->status = answer.status;
	a->body = lb_arena_bytes(&a->arena, lb_buf_bytes(&answer.body));
	a->location = lb_arena_bytes(&a->arena, lb_http_header(&answer.headers, "location"));
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
}

static void ask(struct test *t, struct asking *a, const char *method, const char *path,
                const char *body)
{
	ask_as(t, a, "ghs_secret", method, path, body);
}

static struct lb_bytes member(struct test *t, struct asking *a, const char *name)
{
	struct lb_value *value = NULL;

	CHECK_OK(lb_json_read(&value, &a->arena, a->body, &a->diag));
	return lb_value_get_string(value, name);
}

#define TWIRP "/twirp/github.actions.results.api.v1."
#define VERSION "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(only_the_jobs_tokens_open_a_door)
{
	struct asking a;

	if (begin(t, &a)) {
		ask_as(t, &a, "wrong", "GET", "/user", NULL);
		CHECK(a.status == 401);
		ask_as(t, &a, "wrong", "POST", "/repos/o/r/issues/1/comments", "{}");
		CHECK(a.status == 401);
		ask_as(t, &a, "wrong", "POST", TWIRP "CacheService/CreateCacheEntry", "{}");
		CHECK(a.status == 401);
		ask_as(t, &a, "", "GET", "/o/r/info/refs?service=git-upload-pack", NULL);
		CHECK(a.status == 401);
		CHECK(!lb_file_exists(&plat_host, a.queue));
		ask_as(t, &a, runner_github_runtime_token(a.github), "GET", "/user", NULL);
		CHECK(a.status == 200);
		CHECK_BYTES(member(t, &a, "login"), "me");
	}
	end(&a);
}

TEST(an_artifact_goes_in_by_blocks_and_comes_out)
{
	struct asking a;
	const char *url, *list;
	char hex[LB_SHA256_HEX + 1];

	if (begin(t, &a)) {
		ask(t, &a, "POST", TWIRP "ArtifactService/CreateArtifact", "{\"name\": \"mine\"}");
		url = lb_arena_text(&a.arena, member(t, &a, "signed_upload_url"));
		ask_as(t, &a, "", "PUT",
		       (const char *)lb_arena_format(&a.arena, "%s?comp=block&blockid=Qg==", url)
		               .at,
		       "lo");
		CHECK(a.status == 201);
		ask_as(t, &a, "", "PUT",
		       (const char *)lb_arena_format(&a.arena, "%s?comp=block&blockid=QQ==", url)
		               .at,
		       "hel");
		ask(t, &a, "POST", TWIRP "ArtifactService/FinalizeArtifact",
		    "{\"name\": \"mine\"}");
		CHECK(a.status == 404); /* its blocks were not put together */
		list = "<BlockList><Latest>QQ==</Latest><Latest>Qg==</Latest></BlockList>";
		ask_as(t, &a, "", "PUT",
		       (const char *)lb_arena_format(&a.arena, "%s?comp=blocklist", url).at, list);
		CHECK(a.status == 201);
		ask(t, &a, "POST", TWIRP "ArtifactService/FinalizeArtifact",
		    "{\"name\": \"mine\", \"hash\": \"sha256:" VERSION "\"}");
		CHECK(a.status == 500 && a.link.puts == 0); /* other bytes than announced */
		CHECK_OK(lb_sha256_hex(hex, LB_B("hello")));
		ask(t, &a, "POST", TWIRP "ArtifactService/FinalizeArtifact",
		    (const char *)lb_arena_format(&a.arena,
		                                  "{\"name\": \"mine\", \"size\": \"5\", \"hash\": "
		                                  "\"sha256:%s\"}",
		                                  hex)
		            .at);
		CHECK(a.status == 200);
		CHECK_BYTES(member(t, &a, "artifact_id"), "7");
		ask(t, &a, "POST", TWIRP "ArtifactService/GetSignedArtifactURL",
		    "{\"name\": \"mine\"}");
		url = lb_arena_text(&a.arena, member(t, &a, "signed_url"));
		ask_as(t, &a, "", "GET", url, NULL);
		CHECK(a.status == 200);
		CHECK_BYTES(a.body, "hello");
		ask_as(t, &a, "", "PUT", url, "other"); /* an address to read from */
		CHECK(a.status == 404);
		ask_as(t, &a, "", "GET", "/_files/1-00000000000000000000000000000000", NULL);
		CHECK(a.status == 404);
		ask(t, &a, "POST", TWIRP "ArtifactService/GetSignedArtifactURL",
		    "{\"name\": \"none\"}");
		CHECK(a.status == 404);
	}
	end(&a);
}

TEST(caches_of_both_kinds_go_in_once_and_come_out)
{
	struct asking a;
	const char *url;

	if (begin(t, &a)) {
		ask(t, &a, "GET", "/_apis/artifactcache/cache?keys=k&version=" VERSION, NULL);
		CHECK(a.status == 204);
		ask(t, &a, "GET", "/_apis/artifactcache/cache?keys=k&version=../../x", NULL);
		CHECK(a.status == 400);
		ask(t, &a, "POST", "/_apis/artifactcache/caches",
		    "{\"key\": \"k\", \"version\": \"" VERSION "\"}");
		CHECK(a.status == 201);
		CHECK_BYTES(a.body, "{\"cacheId\":1}");
		ask(t, &a, "PATCH", "/_apis/artifactcache/caches/1", "hello");
		CHECK(a.status == 204);
		ask(t, &a, "PATCH", "/_apis/artifactcache/caches/9", "hello");
		CHECK(a.status == 404);
		ask(t, &a, "POST", "/_apis/artifactcache/caches/1", "{\"size\": 4}");
		CHECK(a.status == 400);
		ask(t, &a, "POST", "/_apis/artifactcache/caches/1", "{\"size\": 5}");
		CHECK(a.status == 204);
		ask(t, &a, "POST", "/_apis/artifactcache/caches",
		    "{\"key\": \"k\", \"version\": \"" VERSION "\"}");
		CHECK(a.status == 409);
		ask(t, &a, "POST", TWIRP "CacheService/CreateCacheEntry",
		    "{\"key\": \"k\", \"version\": \"" VERSION "\"}");
		CHECK(lb_bytes_find(a.body, LB_B("\"ok\":false")) != SIZE_MAX);
		ask(t, &a, "POST", TWIRP "CacheService/GetCacheEntryDownloadURL",
		    "{\"key\": \"k\", \"version\": \"" VERSION "\"}");
		url = lb_arena_text(&a.arena, member(t, &a, "signed_download_url"));
		ask_as(t, &a, "", "GET", url, NULL);
		CHECK_BYTES(a.body, "hello");
	}
	end(&a);
}

TEST(runs_are_read_and_other_repositories_are_not_there)
{
	struct asking a;

	if (begin(t, &a)) {
		ask(t, &a, "GET", "/repos/o/r/actions/runs/12", NULL);
		CHECK(a.status == 200);
		CHECK_BYTES(member(t, &a, "head_branch"), "main");
		ask(t, &a, "GET", "/repos/o/r/actions/runs/12/jobs?per_page=1&page=2", NULL);
		CHECK(lb_bytes_find(a.body, LB_B("\"total_count\":2")) != SIZE_MAX);
		CHECK(lb_bytes_find(a.body, LB_B("\"name\":\"two\"")) != SIZE_MAX);
		CHECK(lb_bytes_find(a.body, LB_B("\"name\":\"one\"")) == SIZE_MAX);
		ask(t, &a, "GET", "/repos/o/r/actions/jobs/3/logs", NULL);
		CHECK(a.status == 302);
		ask_as(t, &a, "", "GET", lb_arena_text(&a.arena, a.location), NULL);
		CHECK_BYTES(a.body, "a log");
		ask(t, &a, "GET", "/repos/o/r/actions/runs/13", NULL);
		CHECK(a.status == 404);
		ask(t, &a, "GET", "/repos/x/y/actions/runs/12", NULL);
		CHECK(a.status == 404);
		ask(t, &a, "GET", "/_id-token?audience=x", NULL);
		CHECK(a.status == 403);
		ask(t, &a, "POST", TWIRP "CacheService/CreateCacheEntry", "no JSON");
		CHECK(a.status == 400);
	}
	end(&a);
}

TEST(graphql_is_read_with_its_nesting_limited)
{
	struct asking a;
	struct lb_buf deep;

	if (begin(t, &a)) {
		ask(t, &a, "POST", "/graphql",
		    "{\"query\": \"query Q($n: Int!) { viewer { login } r: repository(owner: "
		    "\\\"o\\\", "
		    "name: \\\"r\\\") { ...f pullRequest(number: $n) { title } } } fragment f on "
		    "Repository { nameWithOwner }\", \"variables\": {\"n\": 3}}");
		CHECK_BYTES(a.body,
		            "{\"data\":{\"viewer\":{\"login\":\"me\"},\"r\":{\"nameWithOwner\":"
		            "\"o/r\",\"pullRequest\":null}}}");
		ask(t, &a, "POST", "/graphql", "{\"query\": \"mutation { x }\"}");
		CHECK(a.status == 501);
		ask(t, &a, "POST", "/graphql", "{\"query\": \"{ viewer { login \"}");
		CHECK(a.status == 400);
		lb_buf_init(&deep, t->mem, 1 << 16);
		lb_buf_add_text(&deep, "{\"query\": \"");
		for (unsigned i = 0; i < 1000; i++)
			lb_buf_add_text(&deep, "{ a ");
		lb_buf_add_text(&deep, "\"}");
		ask(t, &a, "POST", "/graphql", lb_buf_text(&deep));
		CHECK(a.status == 400);
		lb_buf_release(&deep);
	}
	end(&a);
}

/* ---- the queue ---- */

struct receiver {
	unsigned calls;
	int status;
};

static void receive(struct lb_http_exchange *x, void *ctx)
{
	struct receiver *r = ctx;

	r->calls++;
	lb_http_answer(x, r->status, "application/json", LB_B("{}"));
}

TEST(what_only_github_can_do_is_kept_and_sent_later)
{
	static const struct lb_http_route routes[] = {
		{ "POST", "/repos/o/r/*", receive, 0, NULL, NULL }, { 0 }
	};
	struct runner_queue queue = { .mem = t->mem, .plat = &plat_host, .token = "t" };
	struct receiver receiver = { .status = 500 };
	struct lb_http_server *server = NULL;
	struct asking a;
	char api[64];
	size_t left;

	if (begin(t, &a)) {
		ask(t, &a, "POST", "/repos/o/r/issues/1/comments", "{\"body\": \"hello\"}");
		CHECK(a.status == 201);
		CHECK_BYTES(member(t, &a, "body"), "hello");
		ask(t, &a, "POST", "/repos/o/r/issues/1/labels", "{\"labels\": [\"x\"]}");
		ask(t, &a, "POST", "/repos/x/y/issues/1/labels", "{}");
		CHECK(a.status == 404);
		CHECK(runner_github_queued(&a.arena, a.github)->count == 2);
		CHECK_OK(lb_http_server_start(
			&server, t->mem, &plat_host,
			&(struct lb_http_config){ .routes = routes, .ctx = &receiver }, &a.diag));
		(void)snprintf(api, sizeof api, "http://127.0.0.1:%u",
		               (unsigned)lb_http_server_port(server));
		queue.file = a.queue;
		queue.out = fopen("/dev/null", "we");
		CHECK_OK(runner_queue_replay(&left, &queue, &a.diag));
		CHECK(left == 2 && receiver.calls == 0);
		queue.api = api;
		CHECK(lb_code_of(runner_queue_replay(&left, &queue, &a.diag)) == LB_E_HTTP);
		CHECK(left == 2 && receiver.calls == 1);
		receiver.status = 422; /* refused for good */
		CHECK_OK(runner_queue_replay(&left, &queue, &a.diag));
		CHECK(left == 0 && receiver.calls == 3);
		CHECK_OK(runner_queue_replay(&left, &queue, &a.diag));
		CHECK(left == 0 && receiver.calls == 3);
		(void)fclose(queue.out);
		lb_http_server_stop(server);
	}
	end(&a);
}
