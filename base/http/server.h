/* server.h - an HTTP/1.1 server, by libmicrohttpd (epoll, a pool of threads).
 *
 * Handlers are plain functions that answer at once.  One that has nothing to
 * say yet parks the exchange on a topic and is called again when the topic is
 * woken or the time is over: long polling without a thread a client.  A
 * stream (server-sent events) works the same way, piece by piece.
 *
 * Routes are a table: "GET", "/api/runs/:id/log".  A part that begins with ':'
 * takes one path segment, a last part "*" takes the rest.  Unknown path: 404;
 * known path with another method: 405 with Allow.  HEAD is answered by GET.
 *
 * Who leaves while parked is not called again: work is never handed to the dead.
 * Running out of memory is answered 503, from an answer made at the start.
 *
 * Threads: handlers run on the pool, several at once; lb_http_wake from any.
 */
#ifndef LB_HTTP_SERVER_H
#define LB_HTTP_SERVER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/io/log.h"
#include "base/value.h"

struct lb_http_server;
struct lb_http_exchange;

typedef void lb_http_handler(struct lb_http_exchange *x, void *ctx);

/* Takes a streamed request body: called with each part, then once with an empty one at the end.
 * Before the first part `x->state` is NULL; what it keeps there is given to `ended`.
 * A failure answers with its status (lb_err_http) and x->diag as message. */
typedef lb_err lb_http_receiver(struct lb_http_exchange *x, void *ctx, struct lb_bytes part);

struct lb_http_route {
	const char *method, *path; /* method NULL ends the table */
	lb_http_handler *handle;
	size_t body_max;           /* bytes of a buffered body; 0: 1 MiB */
	lb_http_receiver *receive; /* NULL: buffer the body */
	/* Before any body is read (authorisation); NULL: none.  A failure is answered with its
	 * status and x->diag, or with what the check itself has answered (401, a header). */
	lb_err (*check)(struct lb_http_exchange *x, void *ctx);
};

struct lb_http_exchange {
	const char *method, *path;
	struct lb_arena arena; /* lives until the answer is sent */
	struct lb_bytes body;  /* the whole, for routes without a receiver */
	struct lb_diag diag;
	bool parked_before;         /* this is a call after parking */
	bool timed_out;             /* ... because the time was over */
	void *state;                /* the handler's own, kept over parking */
	void (*ended)(void *state); /* called once when the exchange is over, whatever happened; may
	                               be NULL */
	struct lb_http_server *server;
	struct lb_http_inner *inner;
};

struct lb_http_config {
	const char *address; /* "127.0.0.1" when NULL; "::1" works too */
	uint16_t port;       /* 0: any free one */
	const struct lb_http_route *routes;
	void *ctx;                  /* given to the handlers */
	unsigned threads;           /* 0: 2 */
	unsigned connections_max;   /* 0: 4096 */
	unsigned idle_s;            /* seconds without a byte until a connection is closed; 0: 60 */
	const char *const *headers; /* added to every answer: "Name: value"; may be NULL */
	const struct lb_log *log;   /* NULL: silent */
};

/* BUSY when the port is in use, the address named in the diagnostic. */
lb_err lb_http_server_start(struct lb_http_server **out, struct lb_mem *mem, struct plat *plat,
                            const struct lb_http_config *config, struct lb_diag *diag);

/* Parked exchanges are answered 503, running handlers waited for, connections closed. */
void lb_http_server_stop(struct lb_http_server *server);
uint16_t lb_http_server_port(const struct lb_http_server *server);

/* Take a connected stream socket as if it had come to the server's own port: for sockets that were
 * accepted elsewhere (another network).  It is closed in any case.  Threads: any. */
void lb_http_server_adopt(struct lb_http_server *server, int socket);

/* ---- in a handler ---- */

struct lb_bytes lb_http_param(const struct lb_http_exchange *x,
                              const char *name); /* ":id"'s value, decoded; "*" is named "*" */
struct lb_bytes lb_http_query(const struct lb_http_exchange *x,
                              const char *name); /* decoded, + as a blank; empty where not given */
bool lb_http_has_query(const struct lb_http_exchange *x, const char *name);
struct lb_bytes lb_http_request_header(const struct lb_http_exchange *x, const char *name);
struct lb_bytes lb_http_query_string(const struct lb_http_exchange *x); /* raw, without '?' */
struct lb_bytes lb_http_bearer(
	const struct lb_http_exchange *x); /* of Authorization: Bearer/token, or Basic's password */
uint64_t lb_http_body_size(const struct lb_http_exchange *x); /* Content-Length; 0 without a body,
                                                                 UINT64_MAX for a chunked one */

/* Exactly one answer an exchange.  Headers ("Name: value") before it. */
void lb_http_add_header(struct lb_http_exchange *x, const char *name, const char *value);
void lb_http_answer(struct lb_http_exchange *x, int status, const char *content_type,
                    struct lb_bytes body);
void lb_http_answer_json(struct lb_http_exchange *x, int status, const struct lb_value *value);

/* {"message": ...} with the error's status, prose from x->diag. */
void lb_http_answer_error(struct lb_http_exchange *x, lb_err err);

/* A file from disk by sendfile, with Range, ETag (when given; quoted here when it is not) and
 * If-None-Match.  404 where it is not there or no plain file. */
void lb_http_answer_file(struct lb_http_exchange *x, const char *content_type, const char *path,
                         const char *etag);

/* Pull: fill up to `size` bytes.  *got 0 with LB_OK: nothing now, ask again when `topic` is woken
 * or after timeout_ms; END: finished; other errors cut the connection.  `ended` of the exchange
 * frees ctx. */
typedef lb_err lb_http_puller(size_t *got, void *ctx, unsigned char *to, size_t size);
void lb_http_answer_stream(struct lb_http_exchange *x, int status, const char *content_type,
                           lb_http_puller *pull, void *ctx, uint64_t topic, uint64_t timeout_ms);

/* Call the handler again when `topic` is woken or after timeout_ms (UINT64_MAX: never).  Nothing is
 * lost: a wake between the handler's look and its parking counts, if the handler took `ticket`
 * before it looked.
 */
uint64_t lb_http_ticket(struct lb_http_server *server, uint64_t topic);
void lb_http_park(struct lb_http_exchange *x, uint64_t topic, uint64_t ticket, uint64_t timeout_ms);

/* From any thread: call all who are parked on the topic again. */
void lb_http_wake(struct lb_http_server *server, uint64_t topic);

#endif
