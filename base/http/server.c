/* server.c - see server.h: starting, stopping, and the way of an exchange through its stages.
 *
 * microhttpd calls us for an exchange: once with its request line (on_target),
 * once when the headers are there, for each piece of body, and once more at the
 * end; answers are given at that end, because one that is given earlier costs the
 * connection.  All of these come from the one pool thread that owns the
 * connection, also after it was parked; on_over comes last, whatever happened.
 *
 * Invariants:
 *   1. An exchange counts in `active` from on_target to on_over.
 *   2. A suspended connection has its spot in the lot, and the other way round;
 *      so closing the lot resumes every one, which stopping the library needs.
 *   3. Lock order: the lot's lock, then the library's.  Never a lock while a
 *      handler runs.
 */
#include "base/http/server_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	BODY_MAX = 1 << 20,
	CONNECTIONS_MAX = 4096,
	THREADS = 2,
	IDLE_S = 60,
	BACKLOG = 1024,
	CONNECTION_BYTES = 1 << 16, /* request line and headers, and the buffers */
	REFUSED_BODY_MAX = 1 << 20, /* how much of a refused body is read to keep the connection */
	STOP_GRACE_S = 2            /* for sending the last answers */
};

/* ---- the stages of an exchange ---- */

static void refuse(struct lb_http_inner *inner, lb_err err)
{
	if (inner->response == NULL)
		lb_http_answer_error(&inner->x, err);
}

static lb_err decode_params(struct lb_http_inner *inner)
{
	for (size_t i = 0; i < inner->match.param_count; i++)
		LB_TRY(lb_http_decode(&inner->params[i], &inner->x.arena, inner->match.params[i],
		                      false, &inner->x.diag));
	return LB_OK;
}

static void answer_other_method(struct lb_http_inner *inner)
{
	struct lb_bytes text = lb_arena_format(&inner->x.arena, "%s is not for %s: it takes %s",
	                                       inner->x.method, inner->x.path, inner->match.allow);

	lb_http_add_header(&inner->x, "Allow", inner->match.allow);
	lb_http_answer_message(inner, 405, text.len > 0 ? (const char *)text.at : "");
}

static size_t body_max(const struct lb_http_route *route)
{
	return route->body_max != 0 ? route->body_max : BODY_MAX;
}

static lb_err check_size(struct lb_http_inner *inner)
{
	uint64_t size = lb_http_body_size(&inner->x), max = body_max(inner->match.route);

	if (inner->match.route->receive != NULL || size == UINT64_MAX || size <= max)
		return LB_OK;
	return lb_fail(&inner->x.diag, LB_E_LIMIT,
	               "the body has %llu bytes, at most %llu are taken", (unsigned long long)size,
	               (unsigned long long)max);
}

/* Everything that can be said before the body: sets the response when the answer is no. */
static void begin(struct lb_http_inner *inner)
{
	struct lb_http_exchange *x = &inner->x;
	lb_err err = inner->target_err;

	if (lb_failed(err)) {
		if (lb_code_of(err) == LB_E_LIMIT)
			lb_http_answer_message(inner, 414, lb_diag_text(&x->diag, err));
		else
			refuse(inner, err);
		return;
	}
	err = lb_http_routes_find(&inner->match, x->server->routes, x->method,
	                          lb_bytes_of(x->path));
	if (lb_code_of(err) == LB_E_UNSUPPORTED) {
		answer_other_method(inner);
		return;
	}
	if (lb_failed(err))
		lb_diag_set(&x->diag, "there is nothing at %s", x->path);
	else
		err = decode_params(inner);
	if (!lb_failed(err) && inner->match.route->check != NULL)
		err = inner->match.route->check(x, x->server->ctx);
	if (!lb_failed(err))
		err = check_size(inner);
	if (lb_failed(err)) {
		refuse(inner, err);
		return;
	}
	lb_buf_init(&inner->body, x->server->mem, body_max(inner->match.route));
	inner->accepted = true;
}

/* A refused body is read and thrown away when it is small: the client then surely sees the answer
 * (closing with unread bytes resets the connection) and can go on using the connection. */
static bool answers_early(const struct lb_http_inner *inner)
{
	if (inner->response == NULL)
		return false;
	return lb_http_request_header(&inner->x, "Expect").len > 0 ||
	       (lb_http_body_size(&inner->x) != UINT64_MAX &&
	        lb_http_body_size(&inner->x) > REFUSED_BODY_MAX);
}

static lb_err take_part(struct lb_http_inner *inner, struct lb_bytes part)
{
	const struct lb_http_route *route = inner->match.route;
	lb_err err;

	if (route->receive != NULL)
		return route->receive(&inner->x, inner->x.server->ctx, part);
	lb_buf_add(&inner->body, part);
	err = lb_buf_check(&inner->body);
	if (lb_code_of(err) == LB_E_LIMIT)
		lb_diag_set(&inner->x.diag, "the body has more than the %zu bytes that are taken",
		            inner->body.bytes_max);
	return err;
}

/* How much of a body is read at most.  A receiver decides itself, and one that failed still gets
 * its client to the end, who learns why; a buffered or refused body is not worth more than a
 * little. */
static uint64_t read_max(const struct lb_http_inner *inner)
{
	if (inner->accepted && inner->match.route->receive != NULL)
		return UINT64_MAX;
	return (uint64_t)inner->body.bytes_max + REFUSED_BODY_MAX;
}

/* A client that left before all it announced was sent.  The library reads until a short count and
 * then waits for an event, which never comes when the end was there together with the last bytes:
 * without this look the exchange, and what its receiver holds, would live until the idle time. */
static bool is_abandoned(const struct lb_http_inner *inner)
{
	uint64_t size = lb_http_body_size(&inner->x);

	return size != UINT64_MAX && inner->body_bytes < size && lb_http_client_left(inner);
}

/* False: the connection is not worth keeping. */
static bool on_body(struct lb_http_inner *inner, struct lb_bytes part)
{
	inner->body_bytes += part.len;
	if (is_abandoned(inner))
		return false;
	if (inner->response == NULL) {
		lb_err err = take_part(inner, part);

		if (lb_failed(err))
			refuse(inner, err);
		return true;
	}
	return inner->body_bytes <= read_max(inner);
}

/* The end of the body: what was collected becomes the handler's. */
static void end_body(struct lb_http_inner *inner)
{
	inner->x.body = lb_buf_bytes(&inner->body);
	if (inner->match.route->receive != NULL) {
		lb_err err = take_part(inner, (struct lb_bytes){ 0 });

		if (lb_failed(err))
			refuse(inner, err);
	}
}

static enum MHD_Result send_answer(struct lb_http_inner *inner)
{
	return MHD_queue_response(inner->connection, (unsigned)inner->status, inner->response);
}

/* Call the handler until it answers or is parked; LB_HTTP_PARKED means the latter. */
static enum lb_http_parked handle(struct lb_http_inner *inner)
{
	struct lb_http_exchange *x = &inner->x;

	while (inner->response == NULL) {
		enum lb_http_parked parked;

		inner->wants_park = false;
		inner->match.route->handle(x, x->server->ctx);
		if (inner->response != NULL)
			break;
		if (!inner->wants_park) {
			lb_http_answer_message(inner, 500, "no answer was given");
			break;
		}
		inner->is_parked = true;
		parked = lb_http_lot_park(x->server->lot, &inner->spot, inner->park_topic,
		                          inner->park_ticket, inner->park_timeout_ms);
		if (parked == LB_HTTP_PARKED)
			return parked;
		inner->is_parked = false;
		x->parked_before = true;
		x->timed_out = false;
		if (parked == LB_HTTP_LOT_CLOSED)
			lb_http_answer_unavailable(inner);
	}
	return LB_HTTP_WOKEN_BEFORE;
}

static enum MHD_Result on_end(struct lb_http_inner *inner)
{
	struct lb_http_exchange *x = &inner->x;

	if (inner->is_parked) {
		inner->is_parked = false;
		if (lb_http_client_left(inner))
			return MHD_NO; /* nobody to answer: work must not be handed to the dead */
		x->parked_before = true;
		x->timed_out = inner->spot.timed_out;
	} else if (inner->response == NULL) {
		end_body(inner);
	}
	if (inner->response == NULL && lb_http_lot_is_closed(x->server->lot))
		lb_http_answer_unavailable(inner);
	if (handle(inner) == LB_HTTP_PARKED)
		return MHD_YES;
	return send_answer(inner);
}

/* ---- what the library calls ---- */

static void *on_target(void *ctx, const char *uri, struct MHD_Connection *connection)
{
	struct lb_http_server *server = ctx;
	struct lb_http_inner *inner = LB_NEW(server->mem, struct lb_http_inner, 1);

	if (inner == NULL)
		return NULL; /* answered 503 when the headers are there */
	inner->connection = connection;
	inner->begun_ns = server->plat->ops->now_ns(server->plat);
	inner->x.server = server;
	inner->x.inner = inner;
	lb_arena_init(&inner->x.arena, server->mem);
	lb_buf_init(&inner->out, server->mem, LB_HTTP_ANSWER_MAX);
	inner->target_err = lb_http_target_read(&inner->target, &inner->x.arena, lb_bytes_of(uri),
	                                        &inner->x.diag);
	inner->x.path = inner->target.path;
	(void)pthread_mutex_lock(&server->lock);
	server->active++;
	(void)pthread_mutex_unlock(&server->lock);
	return inner;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **own)
{
	struct lb_http_server *server = ctx;
	struct lb_http_inner *inner = *own;
	struct lb_bytes part = { (const unsigned char *)data, *size };

	(void)url;
	(void)version;
	if (inner == NULL)
		return MHD_queue_response(connection, 503, server->unavailable);
	if (!inner->begun) {
		inner->begun = true;
		inner->x.method = method;
		begin(inner);
		return answers_early(inner) ? send_answer(inner) : MHD_YES;
	}
	if (part.len == 0)
		return on_end(inner);
	*size = 0;
	return on_body(inner, part) ? MHD_YES : MHD_NO;
}

static void log_exchange(const struct lb_http_inner *inner)
{
	const struct lb_http_server *server = inner->x.server;
	uint64_t now;

	if (server->log == NULL || server->log->least > LB_LOG_DEBUG)
		return;
	now = server->plat->ops->now_ns(server->plat);
	lb_log(server->log, LB_LOG_DEBUG, "request",
	       LB_FIELD("method", inner->x.method != NULL ? inner->x.method : "-"),
	       LB_FIELD("path", inner->x.path), LB_COUNT("status", (uint64_t)inner->status),
	       LB_COUNT("us", (now - inner->begun_ns) / 1000));
}

static void give_back(struct lb_http_inner *inner)
{
	struct lb_http_server *server = inner->x.server;

	if (inner->x.ended != NULL)
		inner->x.ended(inner->x.state);
	if (inner->response != NULL && inner->response != server->unavailable)
		MHD_destroy_response(inner->response);
	lb_buf_release(&inner->body);
	lb_buf_release(&inner->out);
	lb_arena_release(&inner->x.arena);
	LB_DROP(server->mem, inner, 1);
}

static void on_over(void *ctx, struct MHD_Connection *connection, void **own,
                    enum MHD_RequestTerminationCode why)
{
	struct lb_http_server *server = ctx;
	struct lb_http_inner *inner = *own;

	(void)connection;
	(void)why;
	if (inner == NULL)
		return;
	*own = NULL;
	log_exchange(inner);
	give_back(inner);
	(void)pthread_mutex_lock(&server->lock);
	if (--server->active == 0)
		(void)pthread_cond_broadcast(&server->idle);
	(void)pthread_mutex_unlock(&server->lock);
}

/* Escapes are decoded by target.c, which refuses what is malformed; the library would let it be. */
static size_t leave_escaped(void *ctx, struct MHD_Connection *connection, char *text)
{
	(void)ctx;
	(void)connection;
	return strlen(text);
}

__attribute__((format(printf, 2, 0))) static void on_message(void *ctx, const char *format,
                                                             va_list args)
{
	const struct lb_http_server *server = ctx;
	char text[512];

	if (server->log == NULL || server->log->least > LB_LOG_DEBUG)
		return;
	(void)vsnprintf(text, sizeof text, format, args);
	lb_log(server->log, LB_LOG_DEBUG, "connection",
	       LB_FIELD_B("message", lb_bytes_trim(lb_bytes_of(text))));
}

static void suspend(struct lb_http_spot *spot)
{
	MHD_suspend_connection(lb_http_inner_of_spot(spot)->connection);
}

static void resume(struct lb_http_spot *spot)
{
	MHD_resume_connection(lb_http_inner_of_spot(spot)->connection);
}

static const struct lb_http_lot_ops lot_ops = { suspend, resume };

/* ---- starting ---- */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	socklen_t size;
};

static lb_err read_address(struct address *out, const char *text, uint16_t port,
                           struct lb_diag *diag)
{
	*out = (struct address){ .size = sizeof out->at.v4 };
	if (inet_pton(AF_INET, text, &out->at.v4.sin_addr) == 1) {
		out->at.v4.sin_family = AF_INET;
		out->at.v4.sin_port = htons(port);
		return LB_OK;
	}
	*out = (struct address){ .size = sizeof out->at.v6 };
	if (inet_pton(AF_INET6, text, &out->at.v6.sin6_addr) == 1) {
		out->at.v6.sin6_family = AF_INET6;
		out->at.v6.sin6_port = htons(port);
		return LB_OK;
	}
	return lb_fail(diag, LB_E_INVALID, "\"%s\" is not an IP address to listen at", text);
}

static lb_err cannot_listen(const char *text, uint16_t port, struct lb_diag *diag)
{
	int number = errno;
	bool six = strchr(text, ':') != NULL;

	if (number == EADDRINUSE)
		lb_diag_set(diag, "%s%s%s:%u is in use by another program", six ? "[" : "", text,
		            six ? "]" : "", (unsigned)port);
	else
		lb_diag_set(diag, "cannot listen at %s%s%s:%u: %s", six ? "[" : "", text,
		            six ? "]" : "", (unsigned)port, strerror(number));
	return lb_err_errno(number);
}

/* A socket of our own rather than the library's: it says why it could not be had. */
static lb_err listen_at(int *out, uint16_t *port, const char *text, struct lb_diag *diag)
{
	static const int yes = 1;
	struct address address;
	lb_err err;
	int fd;

	LB_TRY(read_address(&address, text, *port, diag));
	fd = socket(address.at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return cannot_listen(text, *port, diag);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	/* Connections take it over: no answer waits for the acknowledgement of the one before. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	if (address.at.any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
	if (bind(fd, &address.at.any, address.size) != 0 || listen(fd, BACKLOG) != 0 ||
	    getsockname(fd, &address.at.any, &address.size) != 0) {
		err = cannot_listen(text, *port, diag);
		(void)close(fd);
		return err;
	}
	*port = ntohs(address.at.any.sa_family == AF_INET6 ? address.at.v6.sin6_port
	                                                   : address.at.v4.sin_port);
	*out = fd;
	return LB_OK;
}

static lb_err read_headers(struct lb_http_server *server, const char *const *texts,
                           struct lb_diag *diag)
{
	struct lb_http_header_line **at = &server->headers;

	for (; texts != NULL && *texts != NULL; texts++) {
		struct lb_bytes text = lb_bytes_of(*texts);
		size_t colon = lb_bytes_find_byte(text, ':');

		if (colon == SIZE_MAX || colon == 0)
			return lb_fail(diag, LB_E_INVALID, "\"%s\" is not a header line", *texts);
		*at = LB_ARENA_NEW(&server->arena, struct lb_http_header_line, 1);
		if (*at == NULL)
			return lb_err_of(LB_E_NOMEM);
		(*at)->name = lb_arena_text(&server->arena, lb_bytes_upto(text, colon));
		(*at)->value = lb_arena_text(&server->arena,
		                             lb_bytes_trim(lb_bytes_from(text, colon + 1)));
		at = &(*at)->next;
	}
	return server->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err make_unavailable(struct lb_http_server *server)
{
	static char text[] = "{\"message\":\"the server is not available now, try again\"}";
	struct MHD_Response *response =
		MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
	bool good = response != NULL;

	good = good && MHD_add_response_header(response, "Content-Type", "application/json");
	good = good && MHD_add_response_header(response, "Retry-After", "1");
	for (const struct lb_http_header_line *h = server->headers; good && h != NULL; h = h->next)
		good = MHD_add_response_header(response, h->name, h->value);
	server->unavailable = response;
	return good ? LB_OK : lb_err_of(LB_E_NOMEM);
}

/* The library's threads must not take the signals that the program waits for. */
static struct MHD_Daemon *start_daemon(struct lb_http_server *server, int fd,
                                       const struct lb_http_config *config)
{
	unsigned threads = config->threads != 0 ? config->threads : THREADS;
	unsigned connections =
		config->connections_max != 0 ? config->connections_max : CONNECTIONS_MAX;
	struct MHD_OptionItem pool[] = {
		{ threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, NULL },
		{ MHD_OPTION_END, 0, NULL }
	};

	return MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME |
			MHD_USE_ERROR_LOG,
		server->port, NULL, NULL, on_request, server, MHD_OPTION_EXTERNAL_LOGGER,
		on_message, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK,
		on_target, server, MHD_OPTION_NOTIFY_COMPLETED, on_over, server,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_CONNECTION_LIMIT,
		connections, MHD_OPTION_CONNECTION_TIMEOUT,
		config->idle_s != 0 ? config->idle_s : (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
}

static lb_err start(struct lb_http_server *server, const struct lb_http_config *config,
                    struct lb_diag *diag)
{
	size_t spots = config->connections_max != 0 ? config->connections_max : CONNECTIONS_MAX;
	int fd = -1;

	LB_TRY(read_headers(server, config->headers, diag));
	LB_TRY(lb_http_routes_new(&server->routes, server->mem, config->routes, diag));
	LB_TRY(make_unavailable(server));
	LB_TRY(lb_http_lot_new(&server->lot, server->mem, server->plat, spots, &lot_ops));
	LB_TRY(listen_at(&fd, &server->port,
	                 config->address != NULL ? config->address : "127.0.0.1", diag));
	server->daemon = start_daemon(server, fd, config);
	if (server->daemon != NULL)
		return LB_OK;
	(void)close(fd);
	return lb_fail(diag, LB_E_IO, "the HTTP server could not be started");
}

static void free_server(struct lb_http_server *server)
{
	lb_http_lot_free(server->lot);
	lb_http_routes_free(server->routes);
	if (server->unavailable != NULL)
		MHD_destroy_response(server->unavailable);
	lb_arena_release(&server->arena);
	(void)pthread_cond_destroy(&server->idle);
	(void)pthread_mutex_destroy(&server->lock);
	LB_DROP(server->mem, server, 1);
}

lb_err lb_http_server_start(struct lb_http_server **out, struct lb_mem *mem, struct plat *plat,
                            const struct lb_http_config *config, struct lb_diag *diag)
{
	struct lb_http_server *server = LB_NEW(mem, struct lb_http_server, 1);
	sigset_t all, before;
	lb_err err;

	*out = NULL;
	if (server == NULL)
		return lb_err_of(LB_E_NOMEM);
	server->mem = mem;
	server->plat = plat;
	server->log = config->log;
	server->ctx = config->ctx;
	server->port = config->port;
	lb_arena_init(&server->arena, mem);
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_cond_init(&server->idle, NULL);
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	err = start(server, config, diag);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (lb_failed(err))
		free_server(server);
	else
		*out = server;
	return err;
}

/* The library closes the socket where it cannot take it. */
void lb_http_server_adopt(struct lb_http_server *server, int socket)
{
	struct sockaddr_storage peer = { .ss_family = AF_INET };
	socklen_t len = sizeof peer;

	(void)getpeername(socket, (struct sockaddr *)&peer, &len);
	(void)MHD_add_connection(server->daemon, socket, (struct sockaddr *)&peer, len);
}

uint16_t lb_http_server_port(const struct lb_http_server *server) { return server->port; }

/* ---- stopping ---- */

/* Give the last answers time to be sent; a client that does not read them is not waited for. */
static void wait_until_idle(struct lb_http_server *server)
{
	struct timespec until;
	int failed = 0;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_GRACE_S;
	(void)pthread_mutex_lock(&server->lock);
	while (server->active > 0 && failed == 0)
		failed = pthread_cond_timedwait(&server->idle, &server->lock, &until);
	(void)pthread_mutex_unlock(&server->lock);
}

void lb_http_server_stop(struct lb_http_server *server)
{
	if (server == NULL)
		return;
	/* Not MHD_quiesce_daemon: in 0.9.75 it and a worker may both take the socket out of the
	 * worker's epoll set, and the second of them ends the process. */
	lb_http_lot_close(server->lot);
	wait_until_idle(server);
	MHD_stop_daemon(server->daemon);
	free_server(server);
}
