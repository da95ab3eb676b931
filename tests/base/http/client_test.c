/* client_test.c - the client against servers of fixed bytes, good and bad. */
#include "base/http/client.h"
#include "tests/base/http/raw.h"

#include <stdlib.h>
#include <unistd.h>

struct call {
	struct lb_http_client *client;
	struct lb_http_answer answer;
	struct lb_diag diag;
	char url[300];
};

static void call_begin(struct test *t, struct call *call)
{
	*call = (struct call){ 0 };
	CHECK_OK(lb_http_client_new(&call->client, t->mem));
	lb_buf_init(&call->answer.body, t->mem, 100);
	lb_buf_init(&call->answer.headers, t->mem, 1000);
}

static void call_end(struct call *call)
{
	lb_buf_release(&call->answer.body);
	lb_buf_release(&call->answer.headers);
	lb_http_client_free(call->client);
}

static const char *url_of(struct call *call, uint16_t port, const char *before, const char *path)
{
	(void)snprintf(call->url, sizeof call->url, "http://%s127.0.0.1:%u%s", before,
	               (unsigned)port, path);
	return call->url;
}

/* Ask a server that says `bytes`; with `ok`, statuses of 400 and above are errors. */
static lb_err ask_bytes(struct test *t, struct call *call, const char *bytes,
                        struct lb_http_ask how, bool ok)
{
	struct raw_server server;
	lb_err err;

	if (!raw_serve(&server, bytes)) {
		t->failures++;
		return lb_err_of(LB_E_FAILED);
	}
	how.url = url_of(call, server.port, "", "/p?token=secret");
	err = (ok ? lb_http_ask_ok : lb_http_ask)(call->client, &how, &call->answer, &call->diag);
	raw_serve_end(&server);
	return err;
}

TEST(client_reads_status_body_and_headers)
{
	struct call call;

	call_begin(t, &call);
	CHECK_OK(ask_bytes(t, &call,
	                   "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
	                   "HTTP/1.1 418 Teapot\r\nX-Name:  a value \r\nx-name: second\r\n"
	                   "Content-Length: 3\r\n\r\ntea",
	                   (struct lb_http_ask){ 0 }, false));
	CHECK(call.answer.status == 418);
	CHECK_BYTES(lb_buf_bytes(&call.answer.body), "tea");
	CHECK_BYTES(lb_http_header(&call.answer.headers, "x-name"), "a value");
	CHECK_BYTES(lb_http_header(&call.answer.headers, "x-early"), "");
	CHECK_BYTES(lb_http_header(&call.answer.headers, "none"), "");
	CHECK_TEXT(lb_buf_text(&call.answer.headers),
	           "x-name: a value\nx-name: second\ncontent-length: 3\n");
	call_end(&call);
}

TEST(client_says_who_refused_without_secrets)
{
	struct call call;
	struct lb_http_ask how = { .method = "PUT" };
	char want[200];
	uint16_t port = raw_free_port();

	call_begin(t, &call);
	how.url = url_of(&call, port, "user:secret@", "/a/b?sig=secret#secret");
	CHECK(lb_code_of(lb_http_ask(call.client, &how, &call.answer, &call.diag)) == LB_E_NETWORK);
	(void)snprintf(want, sizeof want,
	               "PUT http://***@127.0.0.1:%u/a/b: cannot connect: Connection refused",
	               (unsigned)port);
	CHECK_TEXT(call.diag.text, want);
	CHECK(call.answer.status == 0);
	call_end(&call);
}

TEST(client_refuses_what_is_no_address_or_header)
{
	static const char *const urls[] = { "ftp://127.0.0.1/", "file:///etc/passwd", "http://",
		                            "http://[::1", "" };
	static const char *const bad[][2] = { { "no colon", NULL }, { "A: b\r\nC: d", NULL } };
	struct call call;

	call_begin(t, &call);
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		struct lb_http_ask how = { .url = urls[i] };
		lb_err err = lb_http_ask(call.client, &how, &call.answer, &call.diag);

		CHECK(lb_code_of(err) == LB_E_INVALID);
		if (lb_code_of(err) != LB_E_INVALID)
			printf("# %s: %s: %s\n", urls[i], lb_err_text(err), call.diag.text);
	}
	for (size_t i = 0; i < 2; i++) {
		struct lb_http_ask how = { .url = "http://127.0.0.1:1/", .headers = bad[i] };

		CHECK(lb_code_of(lb_http_ask(call.client, &how, &call.answer, &call.diag)) ==
		      LB_E_INVALID);
		CHECK_TEXT(call.diag.text, "a header line must be \"Name: value\"");
	}
	call_end(&call);
}

TEST(client_tells_a_cut_answer_from_a_whole_one)
{
	static const char whole[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	struct call call;

	call_begin(t, &call);
	for (size_t len = 0; len < sizeof whole; len++) {
		char part[sizeof whole];
		lb_err err;

		memcpy(part, whole, len);
		part[len] = '\0';
		err = ask_bytes(t, &call, part, (struct lb_http_ask){ 0 }, false);
		CHECK(lb_failed(err) == (len < sizeof whole - 1));
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_CLOSED ||
		      lb_code_of(err) == LB_E_NETWORK);
		CHECK(lb_bytes_find(lb_bytes_of(call.diag.text), LB_B("secret")) == SIZE_MAX);
	}
	CHECK(lb_code_of(ask_bytes(t, &call,
	                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	                           "5\r\nhello\r\n",
	                           (struct lb_http_ask){ 0 }, false)) == LB_E_CLOSED);
	call_end(&call);
}

TEST(client_gives_up_after_its_time)
{
	struct call call;
	uint64_t before = raw_now_us();

	call_begin(t, &call);
	CHECK(lb_code_of(ask_bytes(t, &call, NULL, (struct lb_http_ask){ .timeout_ms = 100 },
	                           false)) == LB_E_TIMEOUT);
	CHECK(raw_now_us() - before >= 90000);
	CHECK(lb_bytes_find(lb_bytes_of(call.diag.text), LB_B("timed out after")) != SIZE_MAX);
	call_end(&call);
}

struct canceller {
	_Atomic bool flag;
	pthread_t thread;
};

static void *cancel_soon(void *ctx)
{
	struct canceller *canceller = ctx;

	(void)usleep(50000);
	atomic_store(&canceller->flag, true);
	return NULL;
}

TEST(client_is_cancelled_within_a_fifth_of_a_second)
{
	struct canceller canceller = { 0 };
	struct raw_server server;
	struct call call;
	struct lb_http_ask how = { .cancel = &canceller.flag };
	uint64_t before, took;

	call_begin(t, &call);
	CHECK(raw_serve(&server, NULL));
	CHECK(pthread_create(&canceller.thread, NULL, cancel_soon, &canceller) == 0);
	how.url = url_of(&call, server.port, "", "/");
	before = raw_now_us();
	CHECK(lb_code_of(lb_http_ask(call.client, &how, &call.answer, &call.diag)) ==
	      LB_E_CANCELLED);
	took = raw_now_us() - before;
	CHECK(took >= 50000 && took < 250000);
	CHECK(lb_code_of(lb_http_ask(call.client, &how, &call.answer, NULL)) == LB_E_CANCELLED);
	CHECK(pthread_join(canceller.thread, NULL) == 0);
	raw_serve_end(&server);
	call_end(&call);
}

TEST(client_follows_redirects_when_asked)
{
	struct raw_server target;
	struct call call;
	char bytes[200];

	call_begin(t, &call);
	for (int follow = 0; follow < 2; follow++) {
		CHECK(raw_serve(&target, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nend"));
		(void)snprintf(bytes, sizeof bytes,
		               "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/x\r\n"
		               "Content-Length: 4\r\n\r\nmove",
		               (unsigned)target.port);
		CHECK_OK(ask_bytes(t, &call, bytes, (struct lb_http_ask){ .follow = follow != 0 },
		                   false));
		CHECK(call.answer.status == (follow ? 200 : 302));
		CHECK_BYTES(lb_buf_bytes(&call.answer.body), follow ? "end" : "move");
		CHECK_BYTES(lb_http_header(&call.answer.headers, "content-length"),
		            follow ? "3" : "4");
		raw_serve_end(&target);
	}
	CHECK(lb_code_of(ask_bytes(t, &call,
	                           "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
	                           "Content-Length: 0\r\n\r\n",
	                           (struct lb_http_ask){ .follow = true }, false)) == LB_E_INVALID);
	call_end(&call);
}

TEST(client_limits_what_it_keeps)
{
	struct call call;
	struct lb_buf bytes;

	call_begin(t, &call);
	lb_buf_init(&bytes, t->mem, 10000);
	lb_buf_add_text(&bytes, "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n");
	for (int i = 0; i < 101; i++)
		lb_buf_add_byte(&bytes, 'b');
	CHECK(lb_code_of(ask_bytes(t, &call, lb_buf_text(&bytes), (struct lb_http_ask){ 0 },
	                           false)) == LB_E_LIMIT);
	CHECK(lb_bytes_ends(lb_bytes_of(call.diag.text),
	                    LB_B("/p: the answer has more than 100 bytes")));
	lb_buf_reset(&bytes);
	lb_buf_add_text(&bytes, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 200; i++)
		lb_buf_addf(&bytes, "X-%d: y\r\n", i);
	lb_buf_add_text(&bytes, "\r\n");
	CHECK(lb_code_of(ask_bytes(t, &call, lb_buf_text(&bytes), (struct lb_http_ask){ 0 },
	                           false)) == LB_E_LIMIT);
	lb_buf_release(&bytes);
	call_end(&call);
}

struct sink {
	size_t got, fail_at;
};

static lb_err take(void *ctx, struct lb_bytes part)
{
	struct sink *sink = ctx;

	sink->got += part.len;
	return sink->fail_at != 0 && sink->got >= sink->fail_at ? lb_err_of(LB_E_NOSPACE) : LB_OK;
}

TEST(client_gives_the_body_to_a_sink)
{
	static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	static const char bad[] = "HTTP/1.1 403 No\r\nContent-Length: 17\r\n\r\n"
				  "{\"message\":\"no!\"}";
	struct sink sink = { 0 };
	struct lb_http_ask how = { .sink = take, .ctx = &sink };
	struct call call;

	call_begin(t, &call);
	CHECK_OK(ask_bytes(t, &call, good, how, true));
	CHECK(sink.got == 5 && call.answer.body.len == 0);
	sink = (struct sink){ .fail_at = 3 };
	CHECK(lb_code_of(ask_bytes(t, &call, good, how, true)) == LB_E_NOSPACE);
	sink = (struct sink){ 0 };
	CHECK(lb_code_of(ask_bytes(t, &call, bad, how, true)) == LB_E_DENIED);
	CHECK(sink.got == 0); /* an error's text is not the content */
	CHECK(lb_bytes_starts(lb_bytes_of(call.diag.text), LB_B("no! (403 from GET ")));
	CHECK_OK(ask_bytes(t, &call, bad, how, false));
	CHECK(sink.got == 17 && call.answer.status == 403);
	call_end(&call);
}

TEST(client_turns_statuses_into_errors_with_the_servers_words)
{
	static const struct {
		int status;
		enum lb_code code;
		const char *body, *text;
	} cases[] = {
		{ 200, LB_E_NONE, "fine", "" },
		{ 304, LB_E_NONE, "", "" },
		{ 404, LB_E_NOTFOUND, "{\"message\":\"no run 7\"}", "no run 7 (404 from GET " },
		{ 409, LB_E_STALE, "{\"message\":\"lease over\"}", "lease over (409 from GET " },
		{ 401, LB_E_DENIED, "first line\r\nsecond", "first line (401 from GET " },
		{ 413, LB_E_LIMIT, "{\"other\":1}", "the server answered 413 to GET " },
		{ 416, LB_E_RANGE, "", "the server answered 416 to GET " },
		{ 507, LB_E_NOSPACE, "[1]", "the server answered 507 to GET " },
		{ 502, LB_E_HTTP, "<html>Bad gateway</html>", "the server answered 502 to GET " },
		{ 500, LB_E_HTTP, "{\"message\":7}", "the server answered 500 to GET " },
	};
	struct call call;

	call_begin(t, &call);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char bytes[300];
		lb_err err;

		(void)snprintf(bytes, sizeof bytes,
		               "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n\r\n%s", cases[i].status,
		               strlen(cases[i].body), cases[i].body);
		lb_diag_set(&call.diag, "%s", "");
		err = ask_bytes(t, &call, bytes, (struct lb_http_ask){ 0 }, true);
		CHECK(lb_code_of(err) == cases[i].code);
		CHECK(!lb_failed(err) || lb_where(err) == (uintptr_t)cases[i].status);
		CHECK(lb_bytes_starts(lb_bytes_of(call.diag.text), lb_bytes_of(cases[i].text)));
	}
	call_end(&call);
}

TEST(client_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_http_client *client = NULL;
		struct lb_http_answer answer = { 0 };
		struct lb_diag diag = { 0 };
		struct raw_server server;
		char url[100];
		lb_err err;

		CHECK(raw_serve(&server, "HTTP/1.1 404 No\r\nContent-Length: 15\r\n\r\n"
		                         "{\"message\":\"m\"}"));
		lb_buf_init(&answer.body, t->mem, 1000);
		lb_buf_init(&answer.headers, t->mem, 1000);
		(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", (unsigned)server.port);
		err = lb_http_client_new(&client, t->mem);
		CHECK(lb_failed(err) == (client == NULL));
		if (client != NULL)
			err = lb_http_ask_ok(client, &(struct lb_http_ask){ .url = url }, &answer,
			                     &diag);
		/* Where only the prose could not be made, the status is the error. */
		CHECK(lb_code_of(err) == LB_E_NOTFOUND ||
		      (t->heap.failed && lb_code_of(err) == LB_E_NOMEM));
		raw_serve_end(&server);
		lb_buf_release(&answer.body);
		lb_buf_release(&answer.headers);
		lb_http_client_free(client);
	}
}
