/* routes.h - the handlers that routes.def names, declared. */
#ifndef COORDINATOR_API_ROUTES_H
#define COORDINATOR_API_ROUTES_H

#include "coordinator/api/api.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls" /* one handler may have several routes */
#define ROUTE(method, path, handler, access, body_max) lb_http_handler coord_api_##handler;
#define UPLOAD(method, path, handler, access) \
	lb_http_handler coord_api_##handler; \
	lb_http_receiver coord_api_##handler##_receive;
#include "coordinator/api/routes.def"
#undef ROUTE
#undef UPLOAD
#pragma GCC diagnostic pop

#endif
