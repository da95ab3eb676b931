/* exchange.c - what handlers ask of an exchange, and how they answer it.  See server.h. */
#include "base/http/server_priv.h"
#include "base/text.h"

#include <errno.h>
#include <sys/socket.h>

/* ---- asking ---- */

struct lb_bytes lb_http_param(const struct lb_http_exchange *x, const char *name)
{
	size_t index = lb_http_route_param(x->inner->match.route, name);

	return index < LB_HTTP_PARAMS_MAX ? x->inner->params[index] : (struct lb_bytes){ 0 };
}

static const struct lb_http_pair *find_pair(const struct lb_http_exchange *x, const char *name)
{
	const struct lb_http_target *target = &x->inner->target;

	for (size_t i = 0; i < target->pair_count; i++) {
		if (lb_bytes_is(target->pairs[i].name, name))
			return &target->pairs[i];
	}
	return NULL;
}

struct lb_bytes lb_http_query(const struct lb_http_exchange *x, const char *name)
{
	const struct lb_http_pair *pair = find_pair(x, name);

	return pair != NULL ? pair->value : (struct lb_bytes){ 0 };
}

bool lb_http_has_query(const struct lb_http_exchange *x, const char *name)
{
	return find_pair(x, name) != NULL;
}

struct lb_bytes lb_http_request_header(const struct lb_http_exchange *x, const char *name)
{
	const char *value = NULL;
	size_t len = 0;

	if (MHD_lookup_connection_value_n(x->inner->connection, MHD_HEADER_KIND, name, strlen(name),
	                                  &value, &len) == MHD_NO ||
	    value == NULL)
		return (struct lb_bytes){ 0 };
	return (struct lb_bytes){ (const unsigned char *)value, len };
}

struct lb_bytes lb_http_query_string(const struct lb_http_exchange *x)
{
	return x->inner->target.query;
}

/* The password of "user:password" in base64. */
static struct lb_bytes basic_password(struct lb_http_inner *inner, struct lb_bytes encoded)
{
	struct lb_bytes password = { 0 };
	struct lb_buf plain;

	lb_buf_init(&plain, inner->x.server->mem, 4096);
	if (!lb_failed(lb_base64_read(&plain, encoded))) {
		size_t colon = lb_bytes_find_byte(lb_buf_bytes(&plain), ':');

		if (colon != SIZE_MAX)
			password = lb_arena_bytes(&inner->x.arena,
			                          lb_bytes_from(lb_buf_bytes(&plain), colon + 1));
	}
	lb_buf_release(&plain);
	return password;
}

struct lb_bytes lb_http_bearer(const struct lb_http_exchange *x)
{
	struct lb_bytes header = lb_bytes_trim(lb_http_request_header(x, "Authorization"));
	size_t blank = lb_bytes_find_byte(header, ' ');
	struct lb_bytes scheme = lb_bytes_upto(header, blank);
	struct lb_bytes rest = lb_bytes_trim(lb_bytes_from(header, scheme.len));

	if (lb_bytes_eq_nocase(scheme, LB_B("bearer")) || lb_bytes_eq_nocase(scheme, LB_B("token")))
		return rest;
	if (lb_bytes_eq_nocase(scheme, LB_B("basic")))
		return basic_password(x->inner, rest);
	return (struct lb_bytes){ 0 };
}

uint64_t lb_http_body_size(const struct lb_http_exchange *x)
{
	uint64_t size;

	if (lb_http_request_header(x, "Transfer-Encoding").len > 0)
		return UINT64_MAX;
	/* The library below has refused what is not a number; absent means no body. */
	return lb_failed(lb_bytes_u64(&size, lb_http_request_header(x, "Content-Length"),
	                              UINT64_MAX - 1))
	               ? 0
	               : size;
}

bool lb_http_client_left(const struct lb_http_inner *inner)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(inner->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	ssize_t got;
	char byte;

	if (info == NULL)
		return true;
	got = recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

/* ---- answering ---- */

void lb_http_answer_unavailable(struct lb_http_inner *inner)
{
	inner->response = inner->x.server->unavailable;
	inner->status = 503;
}

static bool add_lines(struct MHD_Response *response, const struct lb_http_header_line *line)
{
	for (; line != NULL; line = line->next) {
		if (MHD_add_response_header(response, line->name, line->value) == MHD_NO)
			return false;
	}
	return true;
}

void lb_http_answer_with(struct lb_http_inner *inner, int status, const char *content_type,
                         struct MHD_Response *response)
{
	bool good = response != NULL && !inner->x.arena.failed;

	assert(inner->response == NULL); /* one answer an exchange */
	assert(status >= 200 && status <= 599);
	good = good && add_lines(response, inner->x.server->headers);
	good = good && add_lines(response, inner->headers);
	if (good && content_type != NULL)
		good = MHD_add_response_header(response, "Content-Type", content_type) != MHD_NO;
	if (good) {
		inner->response = response;
		inner->status = status;
		return;
	}
	if (response != NULL)
		MHD_destroy_response(response);
	lb_http_answer_unavailable(inner);
}

void lb_http_add_header(struct lb_http_exchange *x, const char *name, const char *value)
{
	struct lb_http_header_line *line = LB_ARENA_NEW(&x->arena, struct lb_http_header_line, 1);

	if (line == NULL)
		return; /* the arena remembers; the answer will be 503 */
	line->name = lb_arena_text(&x->arena, lb_bytes_of(name));
	line->value = lb_arena_text(&x->arena, lb_bytes_of(value));
	line->next = x->inner->headers;
	x->inner->headers = line;
}

/* Answer with what is in inner->out, which lives as long as the exchange. */
static void answer_out(struct lb_http_inner *inner, int status, const char *content_type)
{
	struct MHD_Response *response = NULL;

	/* The library takes a plain pointer, but never writes through it in this mode. */
	if (!lb_failed(lb_buf_check(&inner->out)))
		response = MHD_create_response_from_buffer(inner->out.len, inner->out.at,
		                                           MHD_RESPMEM_PERSISTENT);
	lb_http_answer_with(inner, status, content_type, response);
}

void lb_http_answer(struct lb_http_exchange *x, int status, const char *content_type,
                    struct lb_bytes body)
{
	lb_buf_add(&x->inner->out, body);
	answer_out(x->inner, status, content_type);
}

void lb_http_answer_json(struct lb_http_exchange *x, int status, const struct lb_value *value)
{
	lb_value_write(&x->inner->out, value, false);
	answer_out(x->inner, status, "application/json");
}

void lb_http_answer_message(struct lb_http_inner *inner, int status, const char *text)
{
	lb_buf_add_text(&inner->out, "{\"message\":");
	lb_json_string_add(&inner->out, lb_bytes_of(text));
	lb_buf_add_byte(&inner->out, '}');
	answer_out(inner, status, "application/json");
}

void lb_http_answer_error(struct lb_http_exchange *x, lb_err err)
{
	if (lb_code_of(err) == LB_E_NOMEM)
		lb_http_answer_unavailable(x->inner);
	else
		lb_http_answer_message(x->inner, lb_err_http(err), lb_diag_text(&x->diag, err));
}

/* ---- parking and streams ---- */

uint64_t lb_http_ticket(struct lb_http_server *server, uint64_t topic)
{
	return lb_http_lot_ticket(server->lot, topic);
}

void lb_http_park(struct lb_http_exchange *x, uint64_t topic, uint64_t ticket, uint64_t timeout_ms)
{
	struct lb_http_inner *inner = x->inner;

	assert(inner->response == NULL);
	inner->park_topic = topic;
	inner->park_ticket = ticket;
	inner->park_timeout_ms = timeout_ms;
	inner->wants_park = true;
}

void lb_http_wake(struct lb_http_server *server, uint64_t topic)
{
	lb_http_lot_wake(server->lot, topic);
}

/* The library asks for the next piece.  The ticket is taken before the puller looks, so a wake that
 * comes after its look asks it again at once. */
static ssize_t read_stream(void *ctx, uint64_t position, char *to, size_t size)
{
	struct lb_http_inner *inner = ctx;
	struct lb_http_stream *stream = &inner->stream;
	struct lb_http_lot *lot = inner->x.server->lot;

	(void)position;
	if (inner->is_parked && lb_http_client_left(inner))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	inner->is_parked = false;
	for (;;) {
		uint64_t ticket = lb_http_lot_ticket(lot, stream->topic);
		size_t got = 0;
		lb_err err = stream->pull(&got, stream->ctx, (unsigned char *)to, size);

		if (lb_code_of(err) == LB_E_END)
			return MHD_CONTENT_READER_END_OF_STREAM;
		if (lb_failed(err))
			return MHD_CONTENT_READER_END_WITH_ERROR;
		assert(got <= size);
		if (got > 0)
			return (ssize_t)got;
		inner->is_parked = true;
		switch (lb_http_lot_park(lot, &inner->spot, stream->topic, ticket,
		                         stream->timeout_ms)) {
		case LB_HTTP_PARKED: return 0;
		case LB_HTTP_WOKEN_BEFORE: break;
		case LB_HTTP_LOT_CLOSED: return MHD_CONTENT_READER_END_WITH_ERROR;
		}
	}
}

void lb_http_answer_stream(struct lb_http_exchange *x, int status, const char *content_type,
                           lb_http_puller *pull, void *ctx, uint64_t topic, uint64_t timeout_ms)
{
	struct lb_http_inner *inner = x->inner;

	inner->stream = (struct lb_http_stream){ pull, ctx, topic, timeout_ms };
	lb_http_answer_with(inner, status, content_type,
	                    MHD_create_response_from_callback(MHD_SIZE_UNKNOWN,
	                                                      LB_HTTP_STREAM_BLOCK, read_stream,
	                                                      inner, NULL));
}
