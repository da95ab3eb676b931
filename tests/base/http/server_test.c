/* server_test.c - the server over real loopback connections. */
#include "base/http/client.h"
#include "base/http/server.h"
#include "tests/base/http/raw.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TOPIC_A = 7, TOPIC_B = 8, MANY = 200, BIG = 1 << 19 };

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

TEST(server_takes_connections_that_came_elsewhere)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof at;
	int waits = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
	struct lb_buf answer;
	struct site site;

	if (!start(t, &site))
		return;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(waits, (struct sockaddr *)&at, len) == 0 && listen(waits, 1) == 0 &&
	      getsockname(waits, (struct sockaddr *)&at, &len) == 0);
	lb_buf_init(&answer, t->mem, 1 << 16);
	for (int i = 0; i < 5; i++) { /* to each thread of the pool */
		lb_buf_reset(&answer);
		client = raw_connect(ntohs(at.sin_port));
		lb_http_server_adopt(site.server, accept(waits, NULL, NULL));
		CHECK(raw_send(client, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") &&
		      raw_read_all(client, &answer));
		CHECK(lb_bytes_starts(lb_buf_bytes(&answer), LB_B("HTTP/1.1 200")) &&
		      lb_bytes_ends(lb_buf_bytes(&answer), LB_B("hello\n")));
		(void)close(client);
	}
	lb_buf_release(&answer);
	(void)close(waits);
	lb_http_server_stop(site.server);
}

TEST(server_says_what_is_wrong_with_a_request)
{
	static const struct {
		const char *method, *path;
		int status;
		const char *body;
	} cases[] = {
		{ "GET", "/none", 404, "{\"message\":\"there is nothing at /none\"}" },
		{ "GET", "/items/", 404, "{\"message\":\"there is nothing at /items/\"}" },
		{ "PUT", "/items/7", 405,
		  "{\"message\":\"PUT is not for /items/7: it takes GET, HEAD, DELETE\"}" },
		{ "GET", "/upload", 405, "{\"message\":\"GET is not for /upload: it takes PUT\"}" },
		{ "GET", "/items/a%00b", 400,
		  "{\"message\":\"\\\"a%00b\\\": % must be followed by two hexadecimal digits, "
		  "and %00 is not allowed\"}" },
		{ "GET", "/items/%4", 400,
		  "{\"message\":\"\\\"%4\\\": % must be followed by two hexadecimal digits, and "
		  "%00 is not allowed\"}" },
		{ "GET", "/?q=%zz", 400,
		  "{\"message\":\"\\\"%zz\\\": % must be followed by two hexadecimal digits, and "
		  "%00 is not allowed\"}" },
		{ "GET", "/stale", 409, "{\"message\":\"lease 7 is over\"}" },
		{ "GET", "/nothing", 500, "{\"message\":\"no answer was given\"}" },
	};
	struct site site;
	struct call call;

	if (!start(t, &site))
		return;
	call_begin(t, &call);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ask(t, &call, &site, cases[i].path,
		    (struct lb_http_ask){ .method = cases[i].method });
		CHECK(call.answer.status == cases[i].status);
		CHECK_BYTES(lb_buf_bytes(&call.answer.body), cases[i].body);
	}
	ask(t, &call, &site, "/items/7", (struct lb_http_ask){ .method = "PUT" });
	CHECK_BYTES(lb_http_header(&call.answer.headers, "allow"), "GET, HEAD, DELETE");
	CHECK_BYTES(lb_http_header(&call.answer.headers, "x-content-type-options"), "nosniff");
	call_end(&call);
	lb_http_server_stop(site.server);
}

TEST(server_answers_head_by_get)
{
	struct site site;
	struct call call;

	if (!start(t, &site))
		return;
	call_begin(t, &call);
	ask(t, &call, &site, "/", (struct lb_http_ask){ .method = "HEAD" });
	CHECK(call.answer.status == 200 && call.answer.body.len == 0);
	CHECK_BYTES(lb_http_header(&call.answer.headers, "content-length"), "6");
	get(t, &call, &site, "/");
	CHECK_BYTES(lb_buf_bytes(&call.answer.body), "hello\n");
	ask(t, &call, &site, "/upload", (struct lb_http_ask){ .method = "HEAD" });
	CHECK(call.answer.status == 405);
	call_end(&call);
	lb_http_server_stop(site.server);
}

TEST(server_reads_credentials_in_all_their_forms)
{
	static const struct {
		const char *header, *bearer;
	} cases[] = {
		{ "Authorization: Bearer abc.def", "abc.def" },
		{ "authorization: bEARER  x ", "x" },
		{ "Authorization: token t1", "t1" },
		{ "Authorization: Basic dXNlcjpwYXNzOndvcmQ=", "pass:word" },
		{ "Authorization: Basic dXNlcg==", "" },
		{ "Authorization: Basic ***", "" },
		{ "Authorization: Digest x", "" },
		{ "Authorization: Bearer", "" },
		{ "X-Other: Bearer x", "" },
	};
	struct site site;
	struct call call;

	if (!start(t, &site))
		return;
	call_begin(t, &call);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *lines[] = { cases[i].header, NULL };

		ask(t, &call, &site, "/bearer", (struct lb_http_ask){ .headers = lines });
		CHECK(call.answer.status == 200);
		CHECK_BYTES(lb_buf_bytes(&call.answer.body), cases[i].bearer);
	}
	call_end(&call);
	lb_http_server_stop(site.server);
}

TEST(server_takes_a_body_up_to_its_maximum)
{
	struct site site;
	struct call call;
	char body[1002];

	if (!start(t, &site))
		return;
	memset(body, 'b', sizeof body);
	call_begin(t, &call);
	ask(t, &call, &site, "/echo",
	    (struct lb_http_ask){ .body = { (const unsigned char *)body, 1000 } });
	CHECK(call.answer.status == 200 && call.answer.body.len == 1000);
	ask(t, &call, &site, "/echo",
	    (struct lb_http_ask){ .body = { (const unsigned char *)body, 1001 } });
	CHECK(call.answer.status == 413);
	CHECK_BYTES(lb_buf_bytes(&call.answer.body),
	            "{\"message\":\"the body has 1001 bytes, at most 1000 are taken\"}");
	ask(t, &call, &site, "/echo", (struct lb_http_ask){ .method = "POST" });
	CHECK(call.answer.status == 200 && call.answer.body.len == 0);
	call_end(&call);
	lb_http_server_stop(site.server);
}

/* The length is not said, so the limit shows only when it is passed. */
TEST(server_takes_a_chunked_body_up_to_its_maximum)
{
	static const char head[] =
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		"Connection: close\r\n\r\n";
	struct site site;

	if (!start(t, &site))
		return;
	for (unsigned chunks = 3; chunks <= 5; chunks += 2) {
		struct lb_buf text;
		int fd = raw_connect(lb_http_server_port(site.server));

		lb_buf_init(&text, t->mem, 1 << 16);
		lb_buf_add_text(&text, head);
		for (unsigned i = 0; i < chunks; i++)
			lb_buf_addf(&text, "fa\r\n%0250u\r\n", i);
		lb_buf_add_text(&text, "0\r\n\r\n");
		CHECK(raw_send(fd, lb_buf_text(&text)));
		lb_buf_reset(&text);
		CHECK(raw_read_all(fd, &text));
		CHECK(lb_bytes_starts(lb_buf_bytes(&text),
		                      chunks == 3 ? LB_B("HTTP/1.1 200") : LB_B("HTTP/1.1 413")));
		lb_buf_release(&text);
		(void)close(fd);
	}
	lb_http_server_stop(site.server);
}

TEST(server_checks_before_it_reads_the_body)
{
	static const char *const good[] = { "Authorization: Bearer good", NULL };
	struct site site;
	struct call call;
	struct lb_bytes big = { lb_mem_new(t->mem, BIG, 1), BIG };

	if (big.at == NULL || !start(t, &site))
		return;
	call_begin(t, &call);
	ask(t, &call, &site, "/guarded", (struct lb_http_ask){ .body = big, .headers = good });
	CHECK(call.answer.status == 200 && call.answer.body.len == big.len);
	for (int i = 0; i < 20; i++) {
		ask(t, &call, &site, "/guarded", (struct lb_http_ask){ .body = big });
		CHECK(call.answer.status == 403);
		CHECK_BYTES(lb_buf_bytes(&call.answer.body), "{\"message\":\"no token\"}");
	}
	call_end(&call);
	lb_mem_drop(t->mem, (void *)(uintptr_t)big.at, BIG, 1);
	lb_http_server_stop(site.server);
}

struct source {
	uint64_t size, fail_at;
	unsigned rewinds;
	char bad;
};

static lb_err read_source(size_t *got, void *ctx, void *to, size_t size, uint64_t at)
{
	struct source *source = ctx;

	if (at == 0)
		source->rewinds++;
	if (source->fail_at != 0 && at >= source->fail_at)
		return lb_err_of(LB_E_IO);
	*got = source->size - at < size ? (size_t)(source->size - at) : size;
	memset(to, at > 100000 && source->bad != '\0' ? source->bad : 'x', *got);
	return LB_OK;
}

TEST(server_streams_an_upload_to_its_receiver)
{
	struct source source = { .size = 5000000 };
	struct lb_http_ask how = {
		.method = "PUT", .read = read_source, .read_size = source.size, .ctx = &source
	};
	struct site site;
	struct call call;

	if (!start(t, &site))
		return;
	call_begin(t, &call);
	ask(t, &call, &site, "/upload", how);
	CHECK(call.answer.status == 200);
	CHECK_BYTES(lb_buf_bytes(&call.answer.body), "5000000 of 5000000");
	CHECK(raw_wait_for(&site.ended, 1));
	source.bad = '!'; /* the receiver fails in the middle and its client still learns why */
	ask(t, &call, &site, "/upload", how);
	CHECK(call.answer.status == 507);
	CHECK_BYTES(lb_buf_bytes(&call.answer.body), "{\"message\":\"the disk is full\"}");
	CHECK(raw_wait_for(&site.ended, 2));
	ask(t, &call, &site, "/upload", (struct lb_http_ask){ .method = "PUT" });
	CHECK(call.answer.status == 200);
	call_end(&call);
	lb_http_server_stop(site.server);
}

TEST(upload_that_its_source_fails_keeps_the_sources_error)
{
	struct source source = { .size = 5000000, .fail_at = 1000000 };
	struct lb_http_ask how = { .method = "PUT", .read = read_source, .read_size = source.size };
	struct site site;
	struct call call;

	if (!start(t, &site))
		return;
	call_begin(t, &call);
	(void)snprintf(call.url, sizeof call.url, "http://127.0.0.1:%u/upload",
	               (unsigned)lb_http_server_port(site.server));
	how.url = call.url;
	how.ctx = &source;
	CHECK(lb_code_of(lb_http_ask(call.client, &how, &call.answer, &call.diag)) == LB_E_IO);
	CHECK(raw_wait_for(&site.ended, 1)); /* the server's side is released as well */
	call_end(&call);
	lb_http_server_stop(site.server);
}

/* A parked exchange asked on a plain connection, so that many can wait at once. */
static int ask_raw(const struct site *site, const char *path)
{
	int fd = raw_connect(lb_http_server_port(site->server));
	char text[200];

	(void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	               path);
	if (fd >= 0)
		(void)raw_send(fd, text);
	return fd;
}

static void check_answer(struct test *t, int fd, const char *first, const char *last)
{
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 1 << 16);
	CHECK(raw_read_all(fd, &text));
	CHECK(lb_bytes_starts(lb_buf_bytes(&text), lb_bytes_of(first)));
	CHECK(lb_bytes_ends(lb_buf_bytes(&text), lb_bytes_of(last)));
	if (t->failures > 0)
		printf("# %s\n", lb_buf_text(&text));
	lb_buf_release(&text);
	(void)close(fd);
}

TEST(parked_exchange_is_called_again_when_woken)
{
	struct site site;
	int fd;

	if (!start(t, &site))
		return;
	fd = ask_raw(&site, "/wait");
	CHECK(raw_wait_for(&site.looks, 1));
	lb_http_wake(site.server, TOPIC_B);
	lb_http_wake(site.server, TOPIC_A); /* not ready: it parks again */
	CHECK(raw_wait_for(&site.looks, 2));
	CHECK(atomic_load(&site.ended) == 0);
	atomic_store(&site.ready, 1);
	lb_http_wake(site.server, TOPIC_A);
	check_answer(t, fd, "HTTP/1.1 200", "ready");
	CHECK(raw_wait_for(&site.ended, 1));
	CHECK(atomic_load(&site.looks) == 3 && atomic_load(&site.timed_out) == 0);
	lb_http_server_stop(site.server);
}

TEST(parked_exchange_is_called_again_when_its_time_is_over)
{
	struct site site;
	uint64_t before, took;
	int late, soon;

	if (!start(t, &site))
		return;
	before = raw_now_us();
	late = ask_raw(&site, "/wait?ms=200");
	CHECK(raw_wait_for(&site.looks, 1));
	soon = ask_raw(&site, "/wait?ms=60"); /* an earlier deadline than the timer sleeps for */
	check_answer(t, soon, "HTTP/1.1 204", "\r\n\r\n");
	took = raw_now_us() - before;
	CHECK(took >= 60000 && took < 190000);
	check_answer(t, late, "HTTP/1.1 204", "\r\n\r\n");
	CHECK(raw_now_us() - before >= 200000);
	CHECK(atomic_load(&site.timed_out) == 2);
	lb_http_server_stop(site.server);
}

TEST(wake_between_look_and_parking_is_not_lost)
{
	struct site site;

	if (!start(t, &site))
		return;
	check_answer(t, ask_raw(&site, "/race"), "HTTP/1.1 200", "caught");
	lb_http_server_stop(site.server);
}

TEST(two_hundred_parked_at_once_are_all_woken)
{
	struct site site;
	int fds[MANY];

	if (!start(t, &site))
		return;
	for (int i = 0; i < MANY; i++)
		fds[i] = ask_raw(&site, "/wait");
	CHECK(raw_wait_for(&site.looks, MANY));
	check_answer(t, ask_raw(&site, "/"), "HTTP/1.1 200", "hello\n"); /* others are served */
	atomic_store(&site.ready, 1);
	lb_http_wake(site.server, TOPIC_A);
	for (int i = 0; i < MANY; i++)
		check_answer(t, fds[i], "HTTP/1.1 200", "ready");
	CHECK(raw_wait_for(&site.ended, MANY));
	lb_http_server_stop(site.server);
}

TEST(client_that_left_while_parked_is_not_served)
{
	struct site site;
	int fd;

	if (!start(t, &site))
		return;
	fd = ask_raw(&site, "/wait");
	CHECK(raw_wait_for(&site.looks, 1));
	(void)close(fd);
	atomic_store(&site.ready, 1);
	lb_http_wake(site.server, TOPIC_A);
	CHECK(raw_wait_for(&site.ended, 1));
	CHECK(atomic_load(&site.looks) == 1);
	lb_http_server_stop(site.server);
}

TEST(stopping_answers_the_parked_503)
{
	struct site site;
	int fds[MANY], wait, piece;

	if (!start(t, &site))
		return;
	for (int i = 0; i < MANY; i++)
		fds[i] = ask_raw(&site, "/wait");
	CHECK(raw_wait_for(&site.looks, MANY));
	wait = raw_connect(lb_http_server_port(site.server)); /* one that never asks */
	piece = ask_raw(&site, "/upload");
	lb_http_server_stop(site.server);
	for (int i = 0; i < MANY; i++)
		check_answer(t, fds[i], "HTTP/1.1 503", "try again\"}");
	CHECK(atomic_load(&site.ended) >= MANY);
	(void)close(wait);
	(void)close(piece);
}

TEST(stream_sends_piece_by_piece)
{
	struct site site;
	struct lb_buf text;
	int fd;

	if (!start(t, &site))
		return;
	lb_buf_init(&text, t->mem, 1 << 16);
	fd = ask_raw(&site, "/stream");
	for (int i = 1; i <= 3; i++) {
		char want[20];

		(void)snprintf(want, sizeof want, "piece %d\n", i);
		atomic_store(&site.ready, i);
		lb_http_wake(site.server, TOPIC_B);
		CHECK(raw_read_until(fd, &text, want));
		CHECK(atomic_load(&site.pulled) == i);
	}
	lb_http_wake(site.server, TOPIC_B);
	CHECK(raw_read_until(fd, &text, "\r\n0\r\n\r\n"));
	CHECK(raw_wait_for(&site.ended, 1));
	lb_buf_release(&text);
	(void)close(fd);
	lb_http_server_stop(site.server);
}

TEST(stream_is_read_whole_by_the_client)
{
	struct site site;
	struct call call;

	if (!start(t, &site))
		return;
	call_begin(t, &call);
	atomic_store(&site.ready, 3);
	get(t, &call, &site, "/stream");
	CHECK(call.answer.status == 200);
	CHECK_BYTES(lb_buf_bytes(&call.answer.body), "piece 1\npiece 2\npiece 3\n");
	call_end(&call);
	lb_http_server_stop(site.server);
}

TEST(stream_that_fails_or_is_stopped_is_cut)
{
	struct site site;
	struct call call;
	struct lb_buf text;
	int fd;

	if (!start(t, &site))
		return;
	call_begin(t, &call);
	(void)snprintf(call.url, sizeof call.url, "http://127.0.0.1:%u/stream-fails",
	               (unsigned)lb_http_server_port(site.server));
	CHECK(lb_code_of(lb_http_ask(call.client, &(struct lb_http_ask){ .url = call.url },
	                             &call.answer, &call.diag)) == LB_E_CLOSED);
	call_end(&call);
	lb_buf_init(&text, t->mem, 1 << 16);
	atomic_store(&site.pulled, 0);
	atomic_store(&site.ready, 1);
	fd = ask_raw(&site, "/stream");
	CHECK(raw_read_until(fd, &text, "piece 1\n"));
	lb_http_server_stop(site.server);
	CHECK(raw_read_all(fd, &text));
	CHECK(!lb_bytes_ends(lb_buf_bytes(&text), LB_B("0\r\n\r\n")));
	CHECK(atomic_load(&site.ended) == 1);
	lb_buf_release(&text);
	(void)close(fd);
}

/* A file with that content; its path is the caller's until the next call. */
static const char *make_file(struct test *t, const char *content)
{
	static char path[4200];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/file", test_folder(t));
	file = fopen(path, "w");
	CHECK(file != NULL && fputs(content, file) >= 0 && fclose(file) == 0);
	return path;
}

TEST(file_is_answered_with_ranges_and_tags)
{
	static const struct {
		const char *header;
		int status;
		const char *body, *range;
	} cases[] = {
		{ "X-None: x", 200, "0123456789", "" },
		{ "Range: bytes=2-4", 206, "234", "bytes 2-4/10" },
		{ "Range: bytes=7-", 206, "789", "bytes 7-9/10" },
		{ "Range: bytes=7-100", 206, "789", "bytes 7-9/10" },
		{ "Range: bytes=-2", 206, "89", "bytes 8-9/10" },
		{ "Range: bytes=-20", 206, "0123456789", "bytes 0-9/10" },
		{ "Range: bytes=10-", 416, "{\"message\":\"the range is not within the file\"}",
		  "bytes */10" },
		{ "Range: bytes=-0", 416, "{\"message\":\"the range is not within the file\"}",
		  "bytes */10" },
		{ "Range: bytes=4-2", 200, "0123456789", "" },
		{ "Range: bytes=1-2,4-5", 200, "0123456789", "" },
		{ "Range: lines=1-2", 200, "0123456789", "" },
		{ "Range: bytes=-", 200, "0123456789", "" },
		{ "If-None-Match: \"v1\"", 304, "", "" },
		{ "If-None-Match: \"v0\", W/\"v1\"", 304, "", "" },
		{ "If-None-Match: *", 304, "", "" },
		{ "If-None-Match: \"v2\"", 200, "0123456789", "" },
	};
	struct site site;
	struct call call;

	if (!start(t, &site))
		return;
	site.file = make_file(t, "0123456789");
	site.etag = "v1";
	call_begin(t, &call);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *lines[] = { cases[i].header, NULL };

		ask(t, &call, &site, "/file", (struct lb_http_ask){ .headers = lines });
		CHECK(call.answer.status == cases[i].status);
		CHECK_BYTES(lb_buf_bytes(&call.answer.body), cases[i].body);
		CHECK_BYTES(lb_http_header(&call.answer.headers, "content-range"), cases[i].range);
		CHECK(call.answer.status == 416 ||
		      lb_bytes_is(lb_http_header(&call.answer.headers, "etag"), "\"v1\""));
	}
	ask(t, &call, &site, "/file",
	    (struct lb_http_ask){
		    .headers = (const char *[]){ "If-Range: \"v2\"", "Range: bytes=1-2", NULL } });
	CHECK(call.answer.status == 200);
	ask(t, &call, &site, "/file", (struct lb_http_ask){ .method = "HEAD" });
	CHECK_BYTES(lb_http_header(&call.answer.headers, "content-length"), "10");
	site.file = "/nowhere/at/all";
	get(t, &call, &site, "/file");
	CHECK(call.answer.status == 404);
	site.file = "/";
	get(t, &call, &site, "/file");
	CHECK(call.answer.status == 404);
	call_end(&call);
	lb_http_server_stop(site.server);
}

TEST(file_that_is_empty_is_answered_too)
{
	struct site site;
	struct call call;

	if (!start(t, &site))
		return;
	site.file = make_file(t, "");
	call_begin(t, &call);
	get(t, &call, &site, "/file");
	CHECK(call.answer.status == 200 && call.answer.body.len == 0);
	CHECK_BYTES(lb_http_header(&call.answer.headers, "etag"), "");
	call_end(&call);
	lb_http_server_stop(site.server);
}

/* Each of these must be refused, and the server must go on serving. */
TEST(server_survives_what_is_not_http)
{
	static const char *const cases[] = {
		"GARBAGE\r\n\r\n",
		"GET /\r\n\r\n",
		"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
		"GET nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nno colon\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET /\x01 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	};
	struct site site;

	if (!start(t, &site))
		return;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int fd = raw_connect(lb_http_server_port(site.server));
		struct lb_buf text;

		lb_buf_init(&text, t->mem, 1 << 16);
		CHECK(raw_send(fd, cases[i]));
		(void)shutdown(fd, SHUT_WR);
		CHECK(raw_read_all(fd, &text));
		CHECK(text.len == 0 || lb_bytes_starts(lb_buf_bytes(&text), LB_B("HTTP/1.1 4")) ||
		      lb_bytes_starts(lb_buf_bytes(&text), LB_B("HTTP/1.0 4")) ||
		      lb_bytes_starts(lb_buf_bytes(&text), LB_B("HTTP/1.1 505")));
		if (t->failures > 0)
			printf("# case %zu: %s\n", i, lb_buf_text(&text));
		lb_buf_release(&text);
		(void)close(fd);
	}
	check_answer(t, ask_raw(&site, "/"), "HTTP/1.1 200", "hello\n");
	check_answer(t, ask_raw(&site, "http://any.host:99/items/special"), "HTTP/1.1 200",
	             "hello\n");
	lb_http_server_stop(site.server);
}

TEST(server_limits_what_a_request_may_carry)
{
	struct site site;
	struct lb_buf text;
	int fd;

	if (!start(t, &site))
		return;
	lb_buf_init(&text, t->mem, 1 << 21);
	for (int in_line = 0; in_line < 2; in_line++) {
		lb_buf_reset(&text);
		lb_buf_add_text(&text, in_line ? "GET /" : "GET / HTTP/1.1\r\nHost: x\r\nX: ");
		for (int i = 0; i < 1 << 20; i++)
			lb_buf_add_byte(&text, 'a');
		lb_buf_add_text(&text, " HTTP/1.1\r\n\r\n");
		fd = raw_connect(lb_http_server_port(site.server));
		(void)raw_send(fd, lb_buf_text(&text)); /* it may close before all is sent */
		lb_buf_reset(&text);
		CHECK(raw_read_all(fd, &text));
		CHECK(text.len == 0 || lb_bytes_starts(lb_buf_bytes(&text), LB_B("HTTP/1.1 4")));
		(void)close(fd);
	}
	lb_buf_reset(&text);
	lb_buf_add_text(&text, "GET /?");
	for (int i = 0; i < 300; i++)
		lb_buf_add_text(&text, "a&");
	lb_buf_add_text(&text, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	fd = raw_connect(lb_http_server_port(site.server));
	CHECK(raw_send(fd, lb_buf_text(&text)));
	check_answer(t, fd, "HTTP/1.1 414",
	             "{\"message\":\"more than 256 parameters in the query\"}");
	check_answer(t, ask_raw(&site, "/"), "HTTP/1.1 200", "hello\n");
	lb_buf_release(&text);
	lb_http_server_stop(site.server);
}

TEST(client_that_leaves_in_the_middle_costs_nothing)
{
	static const char head[] =
		"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nhalf of it";
	struct site site;

	if (!start(t, &site))
		return;
	for (size_t len = 1; len < sizeof head; len += 9) {
		int fd = raw_connect(lb_http_server_port(site.server));

		CHECK(send(fd, head, len, MSG_NOSIGNAL) == (ssize_t)len);
		(void)close(fd);
	}
	check_answer(t, ask_raw(&site, "/"), "HTTP/1.1 200", "hello\n");
	lb_http_server_stop(site.server); /* the harness counts what is not given back */
}

TEST(connection_without_a_word_is_closed_but_a_parked_one_is_not)
{
	struct lb_http_config config = { .routes = routes, .idle_s = 1, .threads = 1 };
	struct site site = { 0 };
	struct lb_buf text;
	int silent, half, parked;
	uint64_t before;

	config.ctx = &site;
	if (!CHECK_OK(lb_http_server_start(&site.server, t->mem, &plat_host, &config, NULL)))
		return;
	lb_buf_init(&text, t->mem, 1 << 16);
	parked = ask_raw(&site, "/wait?ms=3000");
	before = raw_now_us();
	silent = raw_connect(lb_http_server_port(site.server));
	half = raw_connect(lb_http_server_port(site.server));
	CHECK(raw_send(half, "GET / HT"));
	CHECK(raw_read_all(silent, &text));
	CHECK(raw_read_all(half, &text));
	CHECK(raw_now_us() - before >= 900000);
	check_answer(t, parked, "HTTP/1.1 204", "\r\n\r\n");
	CHECK(raw_now_us() - before >= 2900000);
	lb_buf_release(&text);
	(void)close(silent);
	(void)close(half);
	lb_http_server_stop(site.server);
}

TEST(connections_over_the_limit_wait_for_their_turn)
{
	struct lb_http_config config = { .routes = routes, .connections_max = 2, .threads = 1 };
	struct site site = { 0 };
	int a, b, c;

	config.ctx = &site;
	if (!CHECK_OK(lb_http_server_start(&site.server, t->mem, &plat_host, &config, NULL)))
		return;
	a = ask_raw(&site, "/wait");
	b = ask_raw(&site, "/wait");
	CHECK(raw_wait_for(&site.looks, 2));
	c = ask_raw(&site, "/");
	atomic_store(&site.ready, 1);
	lb_http_wake(site.server, TOPIC_A);
	check_answer(t, a, "HTTP/1.1 200", "ready");
	check_answer(t, b, "HTTP/1.1 200", "ready");
	check_answer(t, c, "HTTP/1.1 200", "hello\n");
	lb_http_server_stop(site.server);
}

TEST(server_that_cannot_start_says_why)
{
	static const struct lb_http_route twice[] = {
		{ .method = "GET", .path = "/a/:x", .handle = say_hello },
		{ .method = "GET", .path = "/a/:y", .handle = say_hello },
		{ 0 }
	};
	static const char *const no_header[] = { "no colon", NULL };
	struct lb_http_server *other = NULL;
	struct lb_http_config config = { .routes = routes };
	struct lb_diag diag = { 0 };
	char want[100];
	struct site site;

	if (!start(t, &site))
		return;
	config.port = lb_http_server_port(site.server);
	CHECK(lb_code_of(lb_http_server_start(&other, t->mem, &plat_host, &config, &diag)) ==
	      LB_E_BUSY);
	(void)snprintf(want, sizeof want, "127.0.0.1:%u is in use by another program",
	               (unsigned)config.port);
	CHECK_TEXT(diag.text, want);
	config.port = 0;
	config.address = "localhost";
	CHECK(lb_code_of(lb_http_server_start(&other, t->mem, &plat_host, &config, &diag)) ==
	      LB_E_INVALID);
	CHECK_TEXT(diag.text, "\"localhost\" is not an IP address to listen at");
	config.address = "203.0.113.1";
	CHECK(lb_failed(lb_http_server_start(&other, t->mem, &plat_host, &config, &diag)));
	CHECK_TEXT(diag.text, "cannot listen at 203.0.113.1:0: Cannot assign requested address");
	config.address = NULL;
	config.headers = no_header;
	CHECK(lb_code_of(lb_http_server_start(&other, t->mem, &plat_host, &config, &diag)) ==
	      LB_E_INVALID);
	config.headers = NULL;
	config.routes = twice;
	CHECK(lb_code_of(lb_http_server_start(&other, t->mem, &plat_host, &config, &diag)) ==
	      LB_E_INVALID);
	CHECK_TEXT(diag.text, "route GET /a/:y: is there twice");
	CHECK(other == NULL);
	lb_http_server_stop(site.server);
}

TEST(server_listens_at_ipv6_too)
{
	struct lb_http_config config = { .routes = routes, .address = "::1" };
	struct lb_http_server *server = NULL;
	struct lb_diag diag = { 0 };
	struct call call;
	lb_err err = lb_http_server_start(&server, t->mem, &plat_host, &config, &diag);

	if (lb_failed(err))
		SKIP("no IPv6 loopback here");
	call_begin(t, &call);
	(void)snprintf(call.url, sizeof call.url, "http://[::1]:%u/",
	               (unsigned)lb_http_server_port(server));
	CHECK_OK(lb_http_ask(call.client, &(struct lb_http_ask){ .url = call.url }, &call.answer,
	                     &call.diag));
	CHECK(call.answer.status == 200);
	call_end(&call);
	lb_http_server_stop(server);
}

/* Whatever fails on the server is an answer, 503, or a refusal to start; the next request works. */
TEST(server_survives_every_oom)
{
	static const char *const paths[] = { "/items/7?a=b", "/json", "/file", "/wait", "/none" };

	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		EACH_OOM (t) {
			struct lb_http_config config = { .routes = routes, .headers = headers };
			struct site site = { .file = "/etc/passwd", .etag = "e", .ready = 1 };
			struct lb_buf text;
			unsigned refused = 0;
			lb_err err;

			config.ctx = &site;
			err = lb_http_server_start(&site.server, t->mem, &plat_host, &config, NULL);
			CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
			if (lb_failed(err))
				continue;
			lb_buf_init(&text, &lb_mem_host, 1 << 16);
			for (int round = 0; round < 2; round++) {
				int fd = ask_raw(&site, paths[i]);

				lb_buf_reset(&text);
				CHECK(raw_read_all(fd, &text));
				refused +=
					lb_bytes_starts(lb_buf_bytes(&text), LB_B("HTTP/1.1 503"));
				CHECK(text.len > 0);
				(void)close(fd);
			}
			CHECK(refused == (t->heap.failed ? 1 : 0));
			lb_buf_release(&text);
			lb_http_server_stop(site.server);
		}
	}
}
