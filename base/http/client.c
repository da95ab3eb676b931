/* client.c - see client.h.  The one place that sees curl.h.
 *
 * One handle is kept for its connections; its options are set anew for each
 * request.  Failures of the library's own allocations are NOMEM like ours.
 */
#include "base/http/client.h"

#include "base/data/json.h"

#include <curl/curl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>

enum {
	TIMEOUT_MS = 30000,
	CONNECT_MS = 5000,
	REDIRECTS_MAX = 5,
	BUFFER_BYTES = 1 << 17,
	MESSAGE_MAX = 300,
	URL_SHOWN_MAX = 400,
	CANCEL_POLL_MS = 100,
	POLL_MS = 1000,
	AUTHORITY_MAX = 256,
	MESSAGE_BODY_MAX = 1 << 16 /* of a body that went to a sink, kept for its message */
};

struct lb_http_client {
	struct lb_mem *mem;
	CURL *curl;
	CURLM *multi; /* holds the connections; polled by us, so that a request can be cancelled */
	char reason[CURL_ERROR_SIZE];
};

/* One request under way.  `failure` is what a callback of ours ended it with. */
struct transfer {
	struct lb_http_client *client;
	const struct lb_http_ask *ask;
	struct lb_http_answer *answer;
	struct curl_slist *headers;
	uint64_t read_at; /* of the request's body */
	struct lb_buf
		*error_body; /* NULL, or where the body of an error goes instead of the sink */
	lb_err failure;
	bool headers_whole; /* the empty line after them was read */
};

/* ---- life ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode global_failure;

static void start_library(void) { global_failure = curl_global_init(CURL_GLOBAL_DEFAULT); }

lb_err lb_http_client_new(struct lb_http_client **out, struct lb_mem *mem)
{
	struct lb_http_client *client;

	*out = NULL;
	(void)pthread_once(&once, start_library);
	if (global_failure != CURLE_OK)
		return lb_err_of(LB_E_NOMEM);
	client = LB_NEW(mem, struct lb_http_client, 1);
	if (client == NULL)
		return lb_err_of(LB_E_NOMEM);
	client->mem = mem;
	client->curl = curl_easy_init();
	client->multi = curl_multi_init();
	if (client->curl == NULL || client->multi == NULL) {
		lb_http_client_free(client);
		return lb_err_of(LB_E_NOMEM);
	}
	*out = client;
	return LB_OK;
}

void lb_http_client_free(struct lb_http_client *client)
{
	if (client == NULL)
		return;
	if (client->curl != NULL)
		curl_easy_cleanup(client->curl);
	if (client->multi != NULL)
		(void)curl_multi_cleanup(client->multi);
	LB_DROP(client->mem, client, 1);
}

/* ---- what the library calls ---- */

static size_t on_read(char *to, size_t size, size_t count, void *ctx)
{
	struct transfer *transfer = ctx;
	const struct lb_http_ask *ask = transfer->ask;
	size_t got = 0;
	lb_err err = ask->read(&got, ask->ctx, to, size * count, transfer->read_at);

	if (lb_failed(err)) {
		transfer->failure = err;
		return CURL_READFUNC_ABORT;
	}
	transfer->read_at += got;
	return got;
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
	struct transfer *transfer = ctx;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_FAIL;
	transfer->read_at = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static lb_err keep(struct lb_buf *buf, struct lb_bytes part)
{
	lb_buf_add(buf, part);
	return lb_buf_check(buf);
}

/* What a redirect says is thrown away by the library; an error's text may be wanted as prose even
 * where the body goes to a sink. */
static lb_err take_body(struct transfer *transfer, struct lb_bytes part)
{
	long status = 0;

	if (transfer->ask->sink == NULL)
		return keep(&transfer->answer->body, part);
	(void)curl_easy_getinfo(transfer->client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (transfer->error_body == NULL || status < 400)
		return transfer->ask->sink(transfer->ask->ctx, part);
	if (part.len <= transfer->error_body->bytes_max - transfer->error_body->len)
		return keep(transfer->error_body, part);
	return LB_OK;
}

static size_t on_write(char *from, size_t size, size_t count, void *ctx)
{
	struct transfer *transfer = ctx;
	struct lb_bytes part = { (const unsigned char *)from, size * count };

	transfer->failure = take_body(transfer, part);
	return lb_failed(transfer->failure) ? 0 : part.len;
}

static void add_header(struct lb_buf *out, struct lb_bytes line, size_t colon)
{
	struct lb_bytes value = lb_bytes_trim(lb_bytes_from(line, colon + 1));

	for (size_t i = 0; i < colon; i++) {
		unsigned char c = line.at[i];

		lb_buf_add_byte(out, c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c);
	}
	lb_buf_add_text(out, ": ");
	lb_buf_add(out, value);
	lb_buf_add_byte(out, '\n');
}

/* The headers of the last answer are kept: those of redirects and of 100 Continue are not. */
static size_t on_header(char *from, size_t size, size_t count, void *ctx)
{
	struct transfer *transfer = ctx;
	struct lb_bytes line = { (const unsigned char *)from, size * count };
	size_t colon = lb_bytes_find_byte(line, ':');

	if (lb_bytes_starts(line, LB_B("HTTP/"))) {
		lb_buf_reset(&transfer->answer->headers);
		transfer->headers_whole = false;
		return line.len;
	}
	if (lb_bytes_trim(line).len == 0)
		transfer->headers_whole = true;
	if (colon == SIZE_MAX || colon == 0)
		return line.len;
	add_header(&transfer->answer->headers, line, colon);
	transfer->failure = lb_buf_check(&transfer->answer->headers);
	return lb_failed(transfer->failure) ? 0 : line.len;
}

/* ---- addresses ---- */

/* What stands between "://" and the path, and the address without user, password and query: those
 * may be secrets, and are never shown. */
struct shown {
	struct lb_bytes host; /* without user and port; in brackets for IPv6 */
	char url[URL_SHOWN_MAX];
};

static struct lb_bytes host_of(struct lb_bytes authority)
{
	size_t colon;

	if (authority.len > 0 && authority.at[0] == '[')
		return lb_bytes_upto(authority, lb_bytes_find_byte(authority, ']') + 1);
	colon = lb_bytes_rfind_byte(authority, ':');
	return lb_bytes_upto(authority, colon);
}

static void show_url(struct shown *out, const char *text)
{
	struct lb_bytes url = lb_bytes_of(text), rest, authority, path;
	size_t scheme = lb_bytes_find(url, LB_B("://")), end = 0, at;

	rest = scheme == SIZE_MAX ? url : lb_bytes_from(url, scheme + 3);
	while (end < rest.len && strchr("/?#", rest.at[end]) == NULL)
		end++;
	authority = lb_bytes_upto(rest, end);
	path = lb_bytes_from(rest, end);
	path = lb_bytes_upto(path, lb_bytes_find_byte(path, '#'));
	path = lb_bytes_upto(path, lb_bytes_find_byte(path, '?'));
	at = lb_bytes_rfind_byte(authority, '@');
	if (at != SIZE_MAX)
		authority = lb_bytes_from(authority, at + 1);
	out->host = host_of(authority);
	(void)snprintf(out->url, sizeof out->url, "%.*s%s%.*s%.*s",
	               LB_FMT(lb_bytes_upto(url, scheme == SIZE_MAX ? 0 : scheme + 3)),
	               at != SIZE_MAX ? "***@" : "",
	               LB_FMT(lb_bytes_upto(authority, AUTHORITY_MAX)), LB_FMT(path));
}

/* This machine is spoken to directly, whatever the environment says of proxies. */
static bool is_loopback(struct lb_bytes host)
{
	return lb_bytes_eq_nocase(host, LB_B("localhost")) || lb_bytes_is(host, "[::1]") ||
	       lb_bytes_starts(host, LB_B("127."));
}

/* ---- the request ---- */

static bool has_body(const struct lb_http_ask *ask)
{
	return ask->read != NULL || ask->body.len > 0;
}

static const char *method_of(const struct lb_http_ask *ask)
{
	return ask->method != NULL ? ask->method : has_body(ask) ? "POST" : "GET";
}

/* Options are set with one check at the end: the first failure stays. */
#define SET(result, curl, option, value) \
	do { \
		CURLcode set_ = curl_easy_setopt((curl), (option), (value)); \
		if ((result) == CURLE_OK) \
			(result) = set_; \
	} while (0)

static CURLcode set_read_body(struct transfer *transfer)
{
	CURL *curl = transfer->client->curl;
	CURLcode result = CURLE_OK;

	SET(result, curl, CURLOPT_UPLOAD, 1L);
	SET(result, curl, CURLOPT_READFUNCTION, on_read);
	SET(result, curl, CURLOPT_READDATA, transfer);
	SET(result, curl, CURLOPT_SEEKFUNCTION, on_seek);
	SET(result, curl, CURLOPT_SEEKDATA, transfer);
	SET(result, curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->ask->read_size);
	SET(result, curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
	return result;
}

static CURLcode set_method(struct transfer *transfer)
{
	const struct lb_http_ask *ask = transfer->ask;
	CURL *curl = transfer->client->curl;
	const char *method = method_of(ask), *implied = "GET";
	CURLcode result = CURLE_OK;

	if (strcmp(method, "HEAD") == 0) {
		implied = "HEAD";
		SET(result, curl, CURLOPT_NOBODY, 1L);
	} else if (ask->read != NULL) {
		implied = "PUT";
		result = set_read_body(transfer);
	} else if (ask->body.len > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
	           strcmp(method, "PATCH") == 0) {
		implied = "POST";
		SET(result, curl, CURLOPT_POST, 1L);
		SET(result, curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.len);
		SET(result, curl, CURLOPT_POSTFIELDS,
		    ask->body.len > 0 ? (const char *)ask->body.at : "");
	}
	if (strcmp(method, implied) != 0)
		SET(result, curl, CURLOPT_CUSTOMREQUEST, method);
	return result;
}

static lb_err add_line(struct transfer *transfer, const char *line)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, line);

	if (longer == NULL)
		return lb_err_of(LB_E_NOMEM);
	transfer->headers = longer;
	return LB_OK;
}

/* The library's own additions are taken away: waiting for 100 Continue costs a second with servers
 * that do not know it, and a body is a form only when the caller says so. */
static lb_err set_headers(struct transfer *transfer, struct lb_diag *diag)
{
	const char *const *line = transfer->ask->headers;
	bool typed = false;

	LB_TRY(add_line(transfer, "Expect:"));
	for (; line != NULL && *line != NULL; line++) {
		static const struct lb_bytes type = LB_LIT("content-type:");

		if (strpbrk(*line, "\r\n") != NULL || strchr(*line, ':') == NULL)
			return lb_fail(diag, LB_E_INVALID, "a header line must be \"Name: value\"");
		typed = typed ||
		        lb_bytes_eq_nocase(lb_bytes_upto(lb_bytes_of(*line), type.len), type);
		LB_TRY(add_line(transfer, *line));
	}
	if (!typed)
		LB_TRY(add_line(transfer, "Content-Type:"));
	return curl_easy_setopt(transfer->client->curl, CURLOPT_HTTPHEADER, transfer->headers) ==
	                       CURLE_OK
	               ? LB_OK
	               : lb_err_of(LB_E_NOMEM);
}

static long as_ms(uint64_t ms, uint64_t otherwise)
{
	if (ms == UINT64_MAX)
		return 0; /* none */
	ms = ms != 0 ? ms : otherwise;
	return ms < LONG_MAX ? (long)ms : LONG_MAX;
}

static CURLcode set_options(struct transfer *transfer, const struct shown *shown)
{
	const struct lb_http_ask *ask = transfer->ask;
	CURL *curl = transfer->client->curl;
	CURLcode result = CURLE_OK;

	SET(result, curl, CURLOPT_URL, ask->url);
	SET(result, curl, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(result, curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(result, curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(result, curl, CURLOPT_NOSIGNAL, 1L);
	SET(result, curl, CURLOPT_TCP_NODELAY, 1L);
	SET(result, curl, CURLOPT_USERAGENT, "lifeboat/" LB_VERSION);
	SET(result, curl, CURLOPT_ERRORBUFFER, transfer->client->reason);
	/* Refused while the buffer of a request that failed early is kept; that one is as good. */
	(void)curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
	SET(result, curl, CURLOPT_TIMEOUT_MS, as_ms(ask->timeout_ms, TIMEOUT_MS));
	SET(result, curl, CURLOPT_CONNECTTIMEOUT_MS, as_ms(ask->connect_ms, CONNECT_MS));
	SET(result, curl, CURLOPT_WRITEFUNCTION, on_write);
	SET(result, curl, CURLOPT_WRITEDATA, transfer);
	SET(result, curl, CURLOPT_HEADERFUNCTION, on_header);
	SET(result, curl, CURLOPT_HEADERDATA, transfer);
	SET(result, curl, CURLOPT_FOLLOWLOCATION, ask->follow ? 1L : 0L);
	SET(result, curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
	if (is_loopback(shown->host))
		SET(result, curl, CURLOPT_PROXY, "");
	return result == CURLE_OK ? set_method(transfer) : result;
}

static bool is_cancelled(const struct lb_http_ask *ask)
{
	return ask->cancel != NULL && atomic_load(ask->cancel);
}

/* The result of the one transfer, once it is there. */
static bool is_over(CURLM *multi, CURLcode *result)
{
	int left;
	const CURLMsg *message = curl_multi_info_read(multi, &left);

	if (message == NULL || message->msg != CURLMSG_DONE)
		return false;
	*result = message->data.result;
	return true;
}

static CURLcode perform(struct transfer *transfer)
{
	CURLM *multi = transfer->client->multi;
	int wait_ms = transfer->ask->cancel != NULL ? CANCEL_POLL_MS : POLL_MS, running;
	CURLcode result = CURLE_OUT_OF_MEMORY;

	if (curl_multi_add_handle(multi, transfer->client->curl) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	for (;;) {
		if (is_cancelled(transfer->ask)) {
			result = CURLE_ABORTED_BY_CALLBACK;
			break;
		}
		if (curl_multi_perform(multi, &running) != CURLM_OK || is_over(multi, &result))
			break;
		if (curl_multi_poll(multi, NULL, 0, wait_ms, NULL) != CURLM_OK)
			break;
	}
	(void)curl_multi_remove_handle(multi, transfer->client->curl);
	return result;
}

/* ---- what came of it ---- */

static lb_err explain_connect(struct transfer *transfer, const struct shown *shown,
                              struct lb_diag *diag)
{
	long number = 0;

	(void)curl_easy_getinfo(transfer->client->curl, CURLINFO_OS_ERRNO, &number);
	return lb_fail(diag, LB_E_NETWORK, "%s %s: cannot connect: %s", method_of(transfer->ask),
	               shown->url, number != 0 ? strerror((int)number) : transfer->client->reason);
}

static lb_err explain(struct transfer *transfer, CURLcode result, const struct shown *shown,
                      struct lb_diag *diag)
{
	const char *method = method_of(transfer->ask);
	const char *reason = transfer->client->reason[0] != '\0' ? transfer->client->reason
	                                                         : curl_easy_strerror(result);

	/* Only those that mean something special to us; the rest is the network's. */
	switch ((int)result) {
	case CURLE_OK: return LB_OK;
	case CURLE_OUT_OF_MEMORY: return lb_err_of(LB_E_NOMEM);
	case CURLE_COULDNT_CONNECT: return explain_connect(transfer, shown, diag);
	case CURLE_OPERATION_TIMEDOUT:
		return lb_fail(diag, LB_E_TIMEOUT, "%s %s: %s", method, shown->url, reason);
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return lb_fail(diag, LB_E_INVALID, "%s: not an http or https address: %s",
		               shown->url, reason);
	case CURLE_TOO_MANY_REDIRECTS:
		return lb_fail(diag, LB_E_HTTP, "%s %s: more than %d redirects", method, shown->url,
		               REDIRECTS_MAX);
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return lb_fail(diag, LB_E_CLOSED, "%s %s: the connection was cut: %s", method,
		               shown->url, reason);
	default: return lb_fail(diag, LB_E_NETWORK, "%s %s: %s", method, shown->url, reason);
	}
}

/* A failure of the caller's own functions keeps its code; of a full buffer the size is said. */
static lb_err explain_own(struct transfer *transfer, const struct shown *shown,
                          struct lb_diag *diag)
{
	lb_err err = transfer->failure;
	bool full = lb_failed(lb_buf_check(&transfer->answer->body)) ||
	            lb_failed(lb_buf_check(&transfer->answer->headers));

	if (lb_code_of(err) == LB_E_LIMIT && full)
		lb_diag_set(diag, "%s %s: the answer has more than %zu bytes",
		            method_of(transfer->ask), shown->url, (size_t)lb_where(err));
	else
		lb_diag_set(diag, "%s %s: %s", method_of(transfer->ask), shown->url,
		            lb_err_text(err));
	return err;
}

static lb_err ask(struct transfer *transfer, const struct shown *shown, struct lb_diag *diag)
{
	struct lb_http_client *client = transfer->client;
	CURLcode result;
	long status = 0;

	curl_easy_reset(client->curl);
	client->reason[0] = '\0';
	LB_TRY(set_headers(transfer, diag));
	result = set_options(transfer, shown);
	if (result == CURLE_OK)
		result = perform(transfer);
	if (lb_failed(transfer->failure))
		return explain_own(transfer, shown, diag);
	if (is_cancelled(transfer->ask))
		return lb_fail(diag, LB_E_CANCELLED, "%s %s: cancelled", method_of(transfer->ask),
		               shown->url);
	/* The library takes headers that end in the middle for an answer. */
	if (result == CURLE_OK && !transfer->headers_whole)
		result = CURLE_GOT_NOTHING;
	LB_TRY(explain(transfer, result, shown, diag));
	(void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	transfer->answer->status = (int)status;
	return LB_OK;
}

static lb_err ask_with(struct lb_http_client *client, const struct lb_http_ask *how,
                       struct lb_http_answer *answer, struct lb_buf *error_body,
                       const struct shown *shown, struct lb_diag *diag)
{
	struct transfer transfer = {
		.client = client, .ask = how, .answer = answer, .error_body = error_body
	};
	lb_err err;

	answer->status = 0;
	lb_buf_reset(&answer->body);
	lb_buf_reset(&answer->headers);
	err = ask(&transfer, shown, diag);
	curl_slist_free_all(transfer.headers);
	return err;
}

lb_err lb_http_ask(struct lb_http_client *client, const struct lb_http_ask *how,
                   struct lb_http_answer *answer, struct lb_diag *diag)
{
	struct shown shown;

	show_url(&shown, how->url);
	return ask_with(client, how, answer, NULL, &shown, diag);
}

/* ---- errors that are answers ---- */

static lb_err error_of_status(int status)
{
	static const struct {
		int status;
		enum lb_code code;
	} known[] = {
		{ 401, LB_E_DENIED },   { 403, LB_E_DENIED },  { 404, LB_E_NOTFOUND },
		{ 410, LB_E_NOTFOUND }, { 408, LB_E_TIMEOUT }, { 409, LB_E_STALE },
		{ 413, LB_E_LIMIT },    { 416, LB_E_RANGE },   { 422, LB_E_UNSUPPORTED },
		{ 504, LB_E_TIMEOUT },  { 507, LB_E_NOSPACE },
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (known[i].status == status)
			return lb_err_at(known[i].code, (uintptr_t)status);
	}
	return lb_err_at(LB_E_HTTP, (uintptr_t)status);
}

/* The body's "message", or its first line where it is plain text; empty for anything else. */
static struct lb_bytes message_of(struct lb_bytes body, struct lb_arena *arena)
{
	struct lb_value *value = NULL;
	struct lb_bytes line;

	if (!lb_failed(lb_json_read(&value, arena, body, NULL)))
		return lb_value_get_string(value, "message");
	line = lb_bytes_trim(body);
	line = lb_bytes_trim(lb_bytes_upto(line, lb_bytes_find_byte(line, '\n')));
	return line.len > 0 && line.at[0] != '<' && line.at[0] != '{' ? line
	                                                              : (struct lb_bytes){ 0 };
}

static void explain_status(const struct lb_http_ask *how, int status, struct lb_bytes body,
                           const struct shown *shown, struct lb_mem *mem, struct lb_diag *diag)
{
	struct lb_arena arena;
	struct lb_bytes message;

	if (diag == NULL)
		return;
	lb_arena_init(&arena, mem);
	message = lb_bytes_upto(message_of(body, &arena), MESSAGE_MAX);
	if (message.len > 0)
		lb_diag_set(diag, "%.*s (%d from %s %s)", LB_FMT(message), status, method_of(how),
		            shown->url);
	else
		lb_diag_set(diag, "the server answered %d to %s %s", status, method_of(how),
		            shown->url);
	lb_arena_release(&arena);
}

lb_err lb_http_ask_ok(struct lb_http_client *client, const struct lb_http_ask *how,
                      struct lb_http_answer *answer, struct lb_diag *diag)
{
	struct lb_buf error_body;
	struct shown shown;
	lb_err err;

	show_url(&shown, how->url);
	lb_buf_init(&error_body, client->mem, MESSAGE_BODY_MAX);
	err = ask_with(client, how, answer, &error_body, &shown, diag);
	if (!lb_failed(err) && answer->status >= 400) {
		err = error_of_status(answer->status);
		explain_status(how, answer->status,
		               lb_buf_bytes(how->sink != NULL ? &error_body : &answer->body),
		               &shown, client->mem, diag);
	}
	lb_buf_release(&error_body);
	return err;
}

struct lb_bytes lb_http_header(const struct lb_buf *headers, const char *name)
{
	struct lb_bytes rest = lb_buf_bytes(headers), line;

	while (lb_bytes_split(&line, &rest, '\n')) {
		size_t colon = lb_bytes_find_byte(line, ':');

		if (colon != SIZE_MAX && lb_bytes_is(lb_bytes_upto(line, colon), name))
			return lb_bytes_trim(lb_bytes_from(line, colon + 1));
	}
	return (struct lb_bytes){ 0 };
}
