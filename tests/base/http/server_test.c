/* server_test.c - the server over real loopback connections. */
#include "base/http/client.h"
#include "base/http/server.h"
#include "tests/base/http/raw.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TOPIC_A = 7, TOPIC_B = 8, MANY = 200 };

/* What the handlers below do and count. */
struct site {
	struct lb_http_server *server;
	_Atomic int looks, ready, ended, pulled, received, timed_out;
	const char *file, *etag;
};

static void on_ended(void *state)
{
	struct site *site = state;

	if (site != NULL)
		atomic_fetch_add(&site->ended, 1);
}

static void say_hello(struct lb_http_exchange *x, void *ctx)
{
	(void)ctx;
	lb_http_answer(x, 200, "text/plain", LB_B("hello\n"));
}

static void say_params(struct lb_http_exchange *x, void *ctx)
{
	struct lb_bytes text =
		lb_arena_format(&x->arena, "%s %s id=%.*s rest=%.*s q=%.*s has=%d raw=%.*s",
	                        x->method, x->path, LB_FMT(lb_http_param(x, "id")),
	                        LB_FMT(lb_http_param(x, "*")), LB_FMT(lb_http_query(x, "q")),
	                        lb_http_has_query(x, "flag"), LB_FMT(lb_http_query_string(x)));

	(void)ctx;
	lb_http_add_header(x, "X-Extra", "yes");
	lb_http_answer(x, 201, "text/plain", text);
}

static void say_bearer(struct lb_http_exchange *x, void *ctx)
{
	(void)ctx;
	lb_http_answer(x, 200, NULL, lb_http_bearer(x));
}

static void echo(struct lb_http_exchange *x, void *ctx)
{
	(void)ctx;
	lb_http_answer(x, 200, "application/octet-stream", x->body);
}

static void say_json(struct lb_http_exchange *x, void *ctx)
{
	struct lb_value *object = lb_value_object(&x->arena);

	(void)ctx;
	lb_value_set_text(&x->arena, object, "text", "a \"quote\"");
	lb_http_answer_json(x, 200, object);
}

static void fail_stale(struct lb_http_exchange *x, void *ctx)
{
	(void)ctx;
	lb_http_answer_error(x, lb_fail(&x->diag, LB_E_STALE, "lease 7 is over"));
}

static void say_nothing(struct lb_http_exchange *x, void *ctx)
{
	(void)x;
	(void)ctx;
}

static void wait_ready(struct lb_http_exchange *x, void *ctx)
{
	struct site *site = ctx;
	uint64_t ticket = lb_http_ticket(x->server, TOPIC_A), ms = 0;

	x->state = site;
	x->ended = on_ended;
	atomic_fetch_add(&site->looks, 1);
	if (x->timed_out) {
		atomic_fetch_add(&site->timed_out, 1);
		lb_http_answer(x, 204, NULL, (struct lb_bytes){ 0 });
	} else if (atomic_load(&site->ready) != 0) {
		lb_http_answer(x, 200, "text/plain", LB_B("ready"));
	} else {
		lb_ignore(lb_bytes_u64(&ms, lb_http_query(x, "ms"), UINT64_MAX));
		lb_http_park(x, TOPIC_A, ticket, ms != 0 ? ms : 20000);
	}
}

/* Wakes its own topic between its look and its parking, once. */
static void wait_raced(struct lb_http_exchange *x, void *ctx)
{
	struct site *site = ctx;
	uint64_t ticket = lb_http_ticket(x->server, TOPIC_B);

	if (atomic_load(&site->ready) != 0) {
		lb_http_answer(x, 200, "text/plain", LB_B("caught"));
		return;
	}
	atomic_store(&site->ready, 1);
	lb_http_wake(x->server, TOPIC_B);
	lb_http_park(x, TOPIC_B, ticket, 20000);
}

static lb_err deny(struct lb_http_exchange *x, void *ctx)
{
	(void)ctx;
	if (lb_bytes_is(lb_http_bearer(x), "good"))
		return LB_OK;
	return lb_fail(&x->diag, LB_E_DENIED, "no token");
}

static lb_err receive(struct lb_http_exchange *x, void *ctx, struct lb_bytes part)
{
	struct site *site = ctx;

	if (x->state == NULL) {
		x->state = site;
		x->ended = on_ended;
	}
	for (size_t i = 0; i < part.len; i++) {
		if (part.at[i] == '!')
			return lb_fail(&x->diag, LB_E_NOSPACE, "the disk is full");
	}
	atomic_fetch_add(&site->received, (int)part.len);
	return LB_OK;
}

static void received(struct lb_http_exchange *x, void *ctx)
{
	struct site *site = ctx;
	struct lb_bytes text =
		lb_arena_format(&x->arena, "%d of %llu", atomic_load(&site->received),
	                        (unsigned long long)lb_http_body_size(x));

	lb_http_answer(x, 200, "text/plain", text);
}

/* Numbers, one each time the topic is woken, until 3. */
static lb_err pull(size_t *got, void *ctx, unsigned char *to, size_t size)
{
	struct site *site = ctx;
	int ready = atomic_load(&site->ready), pulled = atomic_load(&site->pulled);

	if (pulled == 3)
		return lb_err_of(LB_E_END);
	if (pulled == ready)
		return LB_OK;
	*got = (size_t)snprintf((char *)to, size, "piece %d\n", pulled + 1);
	atomic_store(&site->pulled, pulled + 1);
	return LB_OK;
}

static void stream(struct lb_http_exchange *x, void *ctx)
{
	x->state = ctx;
	x->ended = on_ended;
	lb_http_answer_stream(x, 200, "text/event-stream", pull, ctx, TOPIC_B, 20000);
}

static lb_err pull_fails(size_t *got, void *ctx, unsigned char *to, size_t size)
{
	struct site *site = ctx;

	(void)size;
	if (atomic_fetch_add(&site->pulled, 1) > 0)
		return lb_err_of(LB_E_IO);
	memcpy(to, "part", 4);
	*got = 4;
	return LB_OK;
}

static void stream_fails(struct lb_http_exchange *x, void *ctx)
{
	lb_http_answer_stream(x, 200, "text/plain", pull_fails, ctx, TOPIC_B, 20000);
}

static void say_file(struct lb_http_exchange *x, void *ctx)
{
	const struct site *site = ctx;

	lb_http_answer_file(x, "text/plain", site->file, site->etag);
}

static const struct lb_http_route routes[] = {
	{ .method = "GET", .path = "/", .handle = say_hello },
	{ .method = "GET", .path = "/items/:id", .handle = say_params },
	{ .method = "DELETE", .path = "/items/:id", .handle = say_params },
	{ .method = "GET", .path = "/items/:id/files/*", .handle = say_params },
	{ .method = "GET", .path = "/items/special", .handle = say_hello },
	{ .method = "GET", .path = "/bearer", .handle = say_bearer },
	{ .method = "GET", .path = "/json", .handle = say_json },
	{ .method = "GET", .path = "/stale", .handle = fail_stale },
	{ .method = "GET", .path = "/nothing", .handle = say_nothing },
	{ .method = "GET", .path = "/wait", .handle = wait_ready },
	{ .method = "GET", .path = "/race", .handle = wait_raced },
	{ .method = "GET", .path = "/stream", .handle = stream },
	{ .method = "GET", .path = "/stream-fails", .handle = stream_fails },
	{ .method = "GET", .path = "/file", .handle = say_file },
	{ .method = "POST", .path = "/echo", .handle = echo, .body_max = 1000 },
	{ .method = "POST", .path = "/guarded", .handle = echo, .check = deny },
	{ .method = "PUT", .path = "/upload", .handle = received, .receive = receive },
	{ 0 }
};

static const char *const headers[] = { "X-Content-Type-Options: nosniff", NULL };

static bool start(struct test *t, struct site *site)
{
	struct lb_http_config config = { .routes = routes, .ctx = site, .headers = headers };
	struct lb_diag diag = { 0 };

	*site = (struct site){ 0 };
	return CHECK_OK(lb_http_server_start(&site->server, t->mem, &plat_host, &config, &diag));
}

/* One request by the client; the answer is the caller's to release. */
struct call {
	struct lb_http_client *client;
	struct lb_http_answer answer;
	struct lb_diag diag;
	char url[256];
};

static void call_begin(struct test *t, struct call *call)
{
	*call = (struct call){ 0 };
	CHECK_OK(lb_http_client_new(&call->client, t->mem));
	lb_buf_init(&call->answer.body, t->mem, 1 << 26);
	lb_buf_init(&call->answer.headers, t->mem, 1 << 16);
}

static void call_end(struct call *call)
{
	lb_buf_release(&call->answer.body);
	lb_buf_release(&call->answer.headers);
	lb_http_client_free(call->client);
}

static void ask(struct test *t, struct call *call, const struct site *site, const char *path,
                struct lb_http_ask how)
{
	(void)snprintf(call->url, sizeof call->url, "http://127.0.0.1:%u%s",
	               (unsigned)lb_http_server_port(site->server), path);
	how.url = call->url;
	CHECK_OK(lb_http_ask(call->client, &how, &call->answer, &call->diag));
	if (call->diag.text[0] != '\0')
		printf("# %s\n", call->diag.text);
}

static void get(struct test *t, struct call *call, const struct site *site, const char *path)
{
	ask(t, call, site, path, (struct lb_http_ask){ 0 });
}

TEST(server_answers_routes_with_params_and_queries)
{
	struct site site;
	struct call call;

	if (!start(t, &site))
		return;
	call_begin(t, &call);
	get(t, &call, &site, "/");
	CHECK(call.answer.status == 200);
	CHECK_BYTES(lb_buf_bytes(&call.answer.body), "hello\n");
	CHECK_BYTES(lb_http_header(&call.answer.headers, "content-type"), "text/plain");
	CHECK_BYTES(lb_http_header(&call.answer.headers, "x-content-type-options"), "nosniff");
	CHECK_BYTES(lb_http_header(&call.answer.headers, "content-length"), "6");
	get(t, &call, &site, "/items/a%20b%2Fc?q=x+y%26z&flag&q=other");
	CHECK(call.answer.status == 201);
	CHECK_BYTES(lb_buf_bytes(&call.answer.body),
	            "GET /items/a%20b%2Fc id=a b/c rest= q=x y&z has=1 raw=q=x+y%26z&flag&q=other");
	CHECK_BYTES(lb_http_header(&call.answer.headers, "x-extra"), "yes");
	get(t, &call, &site, "/items/7/files/a/b%2e?");
	CHECK_BYTES(lb_buf_bytes(&call.answer.body),
	            "GET /items/7/files/a/b%2e id=7 rest=a/b. q= has=0 raw=");
	get(t, &call, &site, "/items/special");
	CHECK_BYTES(lb_buf_bytes(&call.answer.body), "hello\n");
	get(t, &call, &site, "/json");
	CHECK_BYTES(lb_buf_bytes(&call.answer.body), "{\"text\":\"a \\\"quote\\\"\"}");
	CHECK_BYTES(lb_http_header(&call.answer.headers, "content-type"), "application/json");
	call_end(&call);
	lb_http_server_stop(site.server);
}
