/* server_priv.h - what server.c, exchange.c and file.c share.  The one place that sees
 * microhttpd.h. */
#ifndef LB_HTTP_SERVER_PRIV_H
#define LB_HTTP_SERVER_PRIV_H

#include "base/http/lot_priv.h"
#include "base/http/route_priv.h"
#include "base/http/server.h"
#include "base/http/target_priv.h"

#include <microhttpd.h>
#include <pthread.h>

enum { LB_HTTP_ANSWER_MAX = 1 << 28, LB_HTTP_STREAM_BLOCK = 16384 };

struct lb_http_header_line {
	const char *name, *value;
	struct lb_http_header_line *next;
};

struct lb_http_server {
	struct lb_mem *mem;
	struct plat *plat;
	const struct lb_log *log;
	void *ctx;
	uint16_t port;
	struct lb_arena arena;               /* the headers below */
	struct lb_http_header_line *headers; /* on every answer */
	struct lb_http_routes *routes;
	struct lb_http_lot *lot;
	struct MHD_Daemon *daemon;
	struct MHD_Response
		*unavailable; /* made at the start: needs no memory when there is none */
	pthread_mutex_t lock;
	pthread_cond_t idle; /* `active` became 0 */
	size_t active;       /* exchanges begun and not over */
};

struct lb_http_stream {
	lb_http_puller *pull;
	void *ctx;
	uint64_t topic, timeout_ms;
};

struct lb_http_inner {
	struct lb_http_exchange x; /* first member */
	struct lb_http_spot spot;
	struct MHD_Connection *connection;
	uint64_t begun_ns;
	struct lb_http_target target;
	lb_err target_err;
	struct lb_http_match match;
	struct lb_bytes params[LB_HTTP_PARAMS_MAX]; /* decoded */
	struct lb_buf body;                         /* of the request */
	uint64_t body_bytes;                 /* received so far, also of what is thrown away */
	struct lb_http_header_line *headers; /* of the answer, newest first */
	struct lb_buf out;                   /* the answer's body, borrowed by `response` */
	struct MHD_Response *response;
	int status;
	struct lb_http_stream stream;
	uint64_t park_topic, park_ticket, park_timeout_ms;
	bool begun;    /* the headers were seen */
	bool accepted; /* ... and nothing was wrong with them */
	bool wants_park, is_parked;
};

static inline struct lb_http_inner *lb_http_inner_of_spot(struct lb_http_spot *spot)
{
	return (struct lb_http_inner *)(void *)((char *)spot -
	                                        offsetof(struct lb_http_inner, spot));
}

/* Take the response over (NULL: it could not be made, which is answered 503), with all headers. */
void lb_http_answer_with(struct lb_http_inner *inner, int status, const char *content_type,
                         struct MHD_Response *response);

/* {"message": text}. */
void lb_http_answer_message(struct lb_http_inner *inner, int status, const char *text);
void lb_http_answer_unavailable(struct lb_http_inner *inner);

/* Whether the client closed its side while nothing was read from it. */
bool lb_http_client_left(const struct lb_http_inner *inner);

/* What a Range header asks of a file. */
enum lb_http_range { LB_HTTP_RANGE_ALL, LB_HTTP_RANGE_PART, LB_HTTP_RANGE_BAD };

/* ALL as well for what is malformed or more than one range: a server may ignore those. */
enum lb_http_range lb_http_range_read(uint64_t *offset, uint64_t *len, struct lb_bytes text,
                                      uint64_t size);

/* Whether an If-None-Match header names the (quoted) tag. */
bool lb_http_etag_matches(struct lb_bytes header, struct lb_bytes etag);

#endif
