/* service.h - a whole coordinator in this process: state folder, queue, server, clock.
 *
 * Layer: coordinator.  What `serve` runs and what tests start.  Owner: who called
 * coord_service_start calls coord_service_stop.  Threads: start and stop from one.
 */
#ifndef COORDINATOR_API_SERVICE_H
#define COORDINATOR_API_SERVICE_H

#include "coordinator/api/api.h"

struct coord_service;

struct coord_service_config {
	struct plat *plat;
	const char *state;          /* the folder, made when it is not there */
	const char *address;        /* NULL: 127.0.0.1 */
	uint16_t port;              /* 0: any */
	const char *url;            /* as others reach it; NULL: http://ADDRESS:PORT */
	uint64_t lease_ms, poll_ms; /* 0: 15 s, 20 s */
	const struct lb_value *env, *secrets, *vars; /* objects; NULL: none */
	const struct lb_log *log;                    /* NULL: silent */
};

/* BUSY: another coordinator has the state, or the port is in use; NEWER: a newer version made the
 * state.  Each says so in words. */
lb_err coord_service_start(struct coord_service **out, struct lb_mem *mem,
                           const struct coord_service_config *config, struct lb_diag *diag);

/* Answers that began are finished; then everything is closed. */
void coord_service_stop(struct coord_service *service); /* NULL is fine */

struct coord_api *coord_service_api(struct coord_service *service);
const char *coord_service_address(
	const struct coord_service *service); /* "http://127.0.0.1:8440" */

#endif
