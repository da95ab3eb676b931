/* publish_test.c - the job's side: a token asked for, files handed over, tries repeated. */
#include "base/http/server.h"
#include "base/io/file.h"
#include "release/client/publish.h"
#include "tests/release/world.h"

#define NAME "lifeboat-1.tar.gz"

/* An identity provider as a job sees it. */
struct provider {
	struct world *w;
	struct lb_http_server *server;
	const struct claim *claim; /* to be wrong; NULL: none */
	unsigned asked, failing;   /* the first so many are answered 503 */
	char url[128];
};

static void get_id_token(struct lb_http_exchange *x, void *ctx)
{
	struct provider *p = ctx;
	struct lb_value *answer = lb_value_object(&x->arena);

	p->asked++;
	if (!lb_bytes_is(lb_http_bearer(x), "job-secret") ||
	    !lb_bytes_is(lb_http_query(x, "api-version"), "1") ||
	    !lb_bytes_is(lb_http_query(x, "audience"), WORLD_AUDIENCE)) {
		lb_http_answer_error(x, lb_err_of(LB_E_DENIED));
		return;
	}
	if (p->asked <= p->failing) {
		lb_http_answer_error(x, lb_err_of(LB_E_IO));
		return;
	}
	lb_value_set_text(&x->arena, answer, "value",
	                  world_token(p->w, p->claim, p->claim != NULL));
	lb_http_answer_json(x, 200, answer);
}

static const struct lb_http_route routes[] = {
	{ "GET", "/id-token", get_id_token, 0, NULL, NULL },
	{ 0 },
};

static void begin(struct provider *p, struct world *w, struct test *t)
{
	struct lb_http_config config = { .routes = routes, .ctx = p, .threads = 1 };

	*p = (struct provider){ .w = w };
	world_begin(w, t);
	world_start(w, &plat_host);
	CHECK_OK(lb_file_write(&plat_host, world_path(w, NAME), LB_B("content"), 0, NULL));
	CHECK_OK(lb_http_server_start(&p->server, &lb_mem_host, &plat_host, &config, NULL));
	(void)snprintf(p->url, sizeof p->url, "http://127.0.0.1:%u/id-token?api-version=1",
	               (unsigned)lb_http_server_port(p->server));
}

static void end(struct provider *p)
{
	lb_http_server_stop(p->server);
	world_end(p->w);
}

static lb_err publish(struct provider *p, struct lb_value **answer, const char *version,
                      struct lb_diag *diag)
{
	const char *files[] = { world_path(p->w, NAME) };
	struct release_publish how = {
		.signer = p->w->url,
		.token_url = p->url,
		.token_secret = "job-secret",
		.project = "lifeboat",
		.channel = "snapshot",
		.version = version,
		.files = files,
		.file_count = 1,
		.tries = 4,
		.pause_ms = 1,
	};

	return release_publish(answer, &p->w->arena, &lb_mem_host, &plat_host, &how, diag);
}

TEST(a_job_publishes_and_publishes_again)
{
	struct lb_value *answer;
	struct provider p;
	struct world w;

	begin(&p, &w, t);
	CHECK_OK(publish(&p, &answer, "1", NULL));
	CHECK_BYTES(lb_value_get_string(answer, "url"), "http://host.test/lifeboat/snapshot/1");
	CHECK_BYTES(lb_value_get_string(lb_value_get(answer, "files")->items[0], "url"),
	            "http://host.test/lifeboat/snapshot/1/" NAME);
	CHECK(lb_value_get_string(answer, "public_key").len == RELEASE_KEY_BASE64 - 1);
	CHECK_OK(publish(&p, &answer, "1", NULL));
	CHECK(p.asked == 2);
	end(&p);
}

TEST(a_refusal_is_told_and_not_tried_again)
{
	struct claim evil = { "ref", "refs/tags/v1" };
	struct lb_diag diag = { 0 };
	struct lb_value *answer;
	struct provider p;
	struct world w;

	begin(&p, &w, t);
	p.claim = &evil;
	CHECK(lb_code_of(publish(&p, &answer, "1", &diag)) == LB_E_DENIED);
	CHECK(strstr(diag.text, "ref: it is \"refs/tags/v1\"") != NULL);
	CHECK(p.asked == 1);
	p.claim = NULL;
	CHECK_OK(publish(&p, &answer, "1", NULL));
	CHECK_OK(lb_file_write(&plat_host, world_path(&w, NAME), LB_B("other"), 0, NULL));
	CHECK(lb_failed(publish(&p, &answer, "1", &diag)));
	CHECK(strstr(diag.text, "never replaced") != NULL);
	end(&p);
}

TEST(a_failing_provider_is_asked_again)
{
	struct lb_diag diag = { 0 };
	struct lb_value *answer;
	struct provider p;
	struct world w;

	begin(&p, &w, t);
	p.failing = 2;
	CHECK_OK(publish(&p, &answer, "1", NULL));
	CHECK(p.asked == 3);
	p.asked = 0;
	p.failing = 100;
	CHECK(lb_failed(publish(&p, &answer, "2", &diag)));
	CHECK(p.asked == 4 && diag.text[0] != '\0');
	end(&p);
}

TEST(a_file_that_is_not_there_is_named)
{
	struct lb_diag diag = { 0 };
	struct lb_value *answer;
	struct provider p;
	struct world w;

	begin(&p, &w, t);
	CHECK_OK(plat_host.ops->remove(&plat_host, world_path(&w, NAME)));
	CHECK(lb_code_of(publish(&p, &answer, "1", &diag)) == LB_E_NOTFOUND);
	CHECK(strstr(diag.text, NAME) != NULL && p.asked == 0);
	end(&p);
}
