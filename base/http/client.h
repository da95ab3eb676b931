/* client.h - an HTTP/1.1 client, by libcurl.
 *
 * A client keeps its connections for the next request.  Diagnostics name the
 * method and the address, without user, password and query.  Loopback hosts are
 * asked directly, others by the environment's proxy.  Threads: one at a time per
 * client; make one per thread.  Programs ignore SIGPIPE (TLS may raise it).
 */
#ifndef LB_HTTP_CLIENT_H
#define LB_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/diag.h"

struct lb_http_client;

lb_err lb_http_client_new(struct lb_http_client **out, struct lb_mem *mem);
void lb_http_client_free(struct lb_http_client *client);

struct lb_http_ask {
	const char *method;         /* NULL: GET, or POST with a body */
	const char *url;            /* http:// or https:// */
	const char *const *headers; /* "Name: value", ends with NULL; may be NULL */
	struct lb_bytes body;
	/* A body from a function instead: up to `size` bytes, *got 0 at the end; rewinds are asked
	 * with at = 0. */
	lb_err (*read)(size_t *got, void *ctx, void *to, size_t size, uint64_t at);
	uint64_t read_size; /* its length, bytes */
	/* Where the answer's body goes; NULL: into answer->body. */
	lb_err (*sink)(void *ctx, struct lb_bytes part);
	void *ctx;           /* for read and sink */
	uint64_t timeout_ms; /* for the whole; 0: 30 s; UINT64_MAX: none */
	uint64_t connect_ms; /* 0: 5 s */
	bool follow;         /* redirects, at most 5 */
	/* When set and it becomes true, the request ends with CANCELLED within 0.2 s. */
	const _Atomic bool *cancel;
};

struct lb_http_answer {
	int status;            /* 100 to 599 */
	struct lb_buf body;    /* init by the caller: its maximum is the limit */
	struct lb_buf headers; /* "name: value\n" lines, names in lower case; init by the caller */
};

/* NETWORK or TIMEOUT when no answer came, CLOSED when it was cut, LIMIT when it is more than the
 * buffers take, INVALID for a bad address or header, HTTP for too many redirects, what `read` or
 * `sink` failed with; else LB_OK whatever the status.  The answer is emptied first. */
lb_err lb_http_ask(struct lb_http_client *client, const struct lb_http_ask *ask,
                   struct lb_http_answer *answer, struct lb_diag *diag);

/* The same, and an error for a status of 400 and above (HTTP with the status as context; NOTFOUND,
 * DENIED, STALE ... where there is a code), the body's "message" as prose.  The body of such an
 * answer never goes to `sink`. */
lb_err lb_http_ask_ok(struct lb_http_client *client, const struct lb_http_ask *ask,
                      struct lb_http_answer *answer, struct lb_diag *diag);

/* The value of the first header of that name (lower case); empty where there is none. */
struct lb_bytes lb_http_header(const struct lb_buf *headers, const char *name);

#endif
