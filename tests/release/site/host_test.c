/* host_test.c - the release host: types, folders, and paths that lead elsewhere. */
#include "base/io/file.h"
#include "release/site/host.h"
#include "tests/release/world.h"

#define NAME "lifeboat-1.tar.gz"

struct site {
	struct world w;
	struct release_host *host;
	struct lb_buf body, headers;
};

static void begin(struct site *s, struct test *t)
{
	struct release_host_config config = { 0 };

	world_begin(&s->w, t);
	world_start(&s->w, &plat_host);
	CHECK(world_publish(&s->w, "1", NAME, "content") == 200);
	config.tree = s->w.tree;
	CHECK_OK(release_host_start(&s->host, &lb_mem_host, &plat_host, &config, NULL));
	(void)snprintf(s->w.url, sizeof s->w.url, "http://127.0.0.1:%u",
	               (unsigned)release_host_port(s->host));
	lb_buf_init(&s->body, &s->w.arena.mem, 1 << 20);
	lb_buf_init(&s->headers, &s->w.arena.mem, 65536);
}

static void end(struct site *s)
{
	release_host_stop(s->host);
	world_end(&s->w);
}

static int get(struct site *s, const char *method, const char *path)
{
	struct lb_bytes url = lb_arena_format(&s->w.arena, "%s%s", s->w.url, path);
	struct lb_http_ask ask = { .method = method, .url = (const char *)url.at };
	struct lb_http_answer answer = { 0, s->body, s->headers };
	lb_err err;

	lb_buf_reset(&answer.body);
	lb_buf_reset(&answer.headers);
	err = lb_http_ask(s->w.client, &ask, &answer, NULL);
	s->body = answer.body;
	s->headers = answer.headers;
	return lb_failed(err) ? 0 : answer.status;
}

static bool has(struct site *s, const char *text)
{
	return lb_bytes_find(lb_buf_bytes(&s->body), lb_bytes_of(text)) != SIZE_MAX;
}

TEST(pages_lead_from_the_root_to_the_file)
{
	struct site s;

	begin(&s, t);
	CHECK(get(&s, "GET", "/") == 200 && has(&s, "<a href=\"lifeboat/\">lifeboat</a>"));
	CHECK_BYTES(lb_http_header(&s.headers, "content-type"), "text/html; charset=utf-8");
	CHECK(lb_bytes_find(lb_http_header(&s.headers, "content-security-policy"),
	                    LB_B("default-src 'none'")) != SIZE_MAX);
	CHECK(get(&s, "GET", "/lifeboat/") == 200 && has(&s, "<a href=\"snapshot/1/\">1</a>"));
	CHECK(get(&s, "GET", "/lifeboat/snapshot/") == 200 && has(&s, "<a href=\"1/\">1</a>"));
	CHECK(get(&s, "GET", "/lifeboat/snapshot/1/") == 200);
	CHECK(has(&s, "minisign -Vm " NAME " -P RW") && has(&s, "provenance.json.minisig"));
	CHECK(has(&s, "lang=\"en\"") && !has(&s, "<script"));
	CHECK(get(&s, "GET", "/lifeboat/snapshot/1/" NAME) == 200);
	CHECK_BYTES(lb_buf_bytes(&s.body), "content");
	end(&s);
}

TEST(types_say_what_files_are)
{
	static const char *const types[][2] = {
		{ "/style.css", "text/css; charset=utf-8" },
		{ "/minisign.pub", "text/plain; charset=utf-8" },
		{ "/lifeboat/snapshot/1/" NAME, "application/gzip" },
		{ "/lifeboat/snapshot/1/" NAME ".minisig", "text/plain; charset=utf-8" },
		{ "/lifeboat/snapshot/1/SHA256SUMS", "text/plain; charset=utf-8" },
		{ "/lifeboat/snapshot/1/release.json", "application/json" },
	};
	struct site s;

	begin(&s, t);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		CHECK(get(&s, "GET", types[i][0]) == 200);
		CHECK_BYTES(lb_http_header(&s.headers, "content-type"), types[i][1]);
		CHECK_BYTES(lb_http_header(&s.headers, "x-content-type-options"), "nosniff");
	}
	end(&s);
}

TEST(a_folder_without_its_slash_is_redirected)
{
	struct site s;

	begin(&s, t);
	CHECK(get(&s, "GET", "/lifeboat/snapshot") == 301);
	CHECK_BYTES(lb_http_header(&s.headers, "location"), "./snapshot/");
	end(&s);
}

TEST(paths_that_lead_elsewhere_find_nothing)
{
	static const char *const paths[] = {
		"/../policy.yml",
		"/%2e%2e/policy.yml",
		"/..%2fpolicy.yml",
		"/lifeboat/..%2f..%2f..%2fpolicy.yml",
		"/.staging",
		"/.staging/",
		"/%2estaging/",
		"/lifeboat/%2e/snapshot/",
		"//etc/passwd",
		"/lifeboat//snapshot/",
		"/secret.txt",
		"/nothing",
		"/lifeboat/snapshot/1/" NAME "/",
		"/lifeboat\\snapshot",
		"/%00",
		"/link/policy.yml",
	};
	struct site s;

	begin(&s, t);
	CHECK_OK(plat_host.ops->make_link(&plat_host, "../policy.yml",
	                                  world_path(&s.w, "tree/secret.txt")));
	CHECK_OK(plat_host.ops->make_link(&plat_host, "..", world_path(&s.w, "tree/link")));
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		int status = get(&s, "GET", paths[i]);

		if (status != 404 && status != 400)
			printf("# %s: %d\n", paths[i], status);
		CHECK(status == 404 || status == 400);
		CHECK(!has(&s, "publishers:") && !has(&s, "root:"));
	}
	CHECK(get(&s, "PUT", "/lifeboat/snapshot/1/" NAME) == 405);
	CHECK(get(&s, "DELETE", "/lifeboat/snapshot/1/" NAME) == 405);
	end(&s);
}
