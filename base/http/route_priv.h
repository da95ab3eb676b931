/* route_priv.h - the table of routes, compiled into a tree by path segment.
 *
 * Internal to base/http.  Immutable once made: share freely.  At each segment
 * a literal is preferred to a ":name", and that to a last "*".
 */
#ifndef LB_HTTP_ROUTE_PRIV_H
#define LB_HTTP_ROUTE_PRIV_H

#include "base/http/server.h"

enum { LB_HTTP_PARTS_MAX = 32, LB_HTTP_PARAMS_MAX = 8 };

struct lb_http_routes;

struct lb_http_match {
	const struct lb_http_route *route;
	const char *allow;                          /* the methods of the path: "GET, HEAD, PUT" */
	struct lb_bytes params[LB_HTTP_PARAMS_MAX]; /* as sent, borrowed from the path */
	size_t param_count;
};

/* INVALID, with the route in the diagnostic, for a path that is malformed or there twice; NOMEM.
 * `table` must outlive it. */
lb_err lb_http_routes_new(struct lb_http_routes **out, struct lb_mem *mem,
                          const struct lb_http_route *table, struct lb_diag *diag);
void lb_http_routes_free(struct lb_http_routes *routes);

/* NOTFOUND: no such path.  UNSUPPORTED: the path has other methods, named in out->allow. */
lb_err lb_http_routes_find(struct lb_http_match *out, const struct lb_http_routes *routes,
                           const char *method, struct lb_bytes path);

/* Which of the match's params the route calls `name` ("*" for the rest); SIZE_MAX: none. */
size_t lb_http_route_param(const struct lb_http_route *route, const char *name);

#endif
