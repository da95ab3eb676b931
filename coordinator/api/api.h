/* api.h - the coordinator over HTTP: routes, who may use them, and what they need.
 *
 * Layer: coordinator, above queue/ and store/.  Routes are lines of routes.def;
 * pages add theirs there.  A handler's ctx is the struct coord_api.
 * Owner: who called coord_api_open calls coord_api_close, after the server stopped.
 * Threads: handlers run several at once; everything here is constant while they do.
 */
#ifndef COORDINATOR_API_API_H
#define COORDINATOR_API_API_H

#include "artifact-cache/store.h"
#include "base/data/token.h"
#include "base/http/server.h"
#include "coordinator/queue/queue.h"
#include "coordinator/store/read.h"

#include <pthread.h>

enum { COORD_ADDRESS_SIZE = 256, COORD_TOKENS_MAX = 1000, COORD_PATH_SIZE = 1024 };

struct coord_access_token {
	char hash[LB_SHA256_HEX + 1], kind[4];
};

struct coord_api {
	struct lb_mem *mem;
	struct plat *plat;
	const struct lb_log *log;
	struct coord_store *store;
	struct coord_queue *queue;
	struct cache_store *blobs;
	struct lb_token_key *identity;
	struct lb_http_server *server;
	const char *state; /* the folder */
	char logs[COORD_PATH_SIZE], repositories[COORD_PATH_SIZE], temporary[COORD_PATH_SIZE];
	char address[COORD_ADDRESS_SIZE]; /* "http://127.0.0.1:8440" */
	bool loopback;                    /* only this machine can connect */
	uint64_t lease_ms, poll_ms;
	_Atomic bool ready; /* until then every request is answered 503, nothing else is read */
	struct coord_access_token tokens[COORD_TOKENS_MAX];
	size_t token_count;

	pthread_mutex_t children_lock; /* over `children` */
	pthread_cond_t children_over;
	unsigned children; /* programs that serve git */
};

/* Until no git works any more; the server has stopped. */
void coord_api_wait_for_git(struct coord_api *api);

/* The table for struct lb_http_config. */
extern const struct lb_http_route coord_api_routes[];

/* Headers for every answer. */
extern const char *const coord_api_headers[];

/* The first tokens of a person and of a runner, made when the state has none; read into
 * api->tokens.  `STATE/token` and `STATE/runner-token` get them, mode 0600. */
lb_err coord_api_load_tokens(struct coord_api *api, struct lb_diag *diag);

/* ---- who may ---- each is the `check` of a route; routes.def names them */

#define COORD_ACCESS(name) lb_err coord_check_##name(struct lb_http_exchange *x, void *ctx)
COORD_ACCESS(open);   /* anybody */
COORD_ACCESS(reader); /* anybody on this machine, else a person */
COORD_ACCESS(person); /* a person's token */
COORD_ACCESS(runner); /* a runner's */
COORD_ACCESS(lease);  /* a job's, with the lease's name and fence */
COORD_ACCESS(git);    /* by repository and service */

/* ---- for handlers ---- */

/* ":id" as a number; NOTFOUND with prose. */
lb_err coord_param_id(uint64_t *out, struct lb_http_exchange *x, const char *name);

/* A number in the query, `otherwise` when it is not there; INVALID with prose. */
lb_err coord_query_number(uint64_t *out, struct lb_http_exchange *x, const char *name,
                          uint64_t otherwise);

/* The body as a JSON object (an empty body is an empty object); MALFORMED or INVALID with prose. */
lb_err coord_body_object(struct lb_value **out, struct lb_http_exchange *x);

/* What a runner says of itself; INVALID with prose. */
lb_err coord_claim_of(struct coord_claim *out, struct lb_http_exchange *x);

bool coord_token_is(const struct coord_api *api, struct lb_bytes token, const char *kind);

/* {"message": ..., KEY: NUMBER} with that status. */
void coord_answer_number(struct lb_http_exchange *x, int status, const char *message,
                         const char *key, uint64_t number);

#endif
