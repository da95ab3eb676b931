/* routes.c - routes.def as the server's table; see api.h. */
#include "coordinator/api/routes.h"

const struct lb_http_route coord_api_routes[] = {
#define ROUTE(method, path, handler, access, body_max) \
	{ (method), (path), coord_api_##handler, (body_max), NULL, coord_check_##access },
#define UPLOAD(method, path, handler, access) \
	{ (method), \
	  (path), \
	  coord_api_##handler, \
	  0, \
	  coord_api_##handler##_receive, \
	  coord_check_##access },
#include "coordinator/api/routes.def"
#undef ROUTE
#undef UPLOAD
	{ 0 },
};

/* Pages load nothing from elsewhere, are framed by nobody, and tell nobody where they lead. */
const char *const coord_api_headers[] = {
	"X-Content-Type-Options: nosniff",
	"Content-Security-Policy: default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
	"form-action 'self'",
	"Referrer-Policy: no-referrer",
	"Cross-Origin-Resource-Policy: same-origin",
	NULL,
};
