/* network_priv.h - hosts that a policy names, as addresses on a loopback. */
#ifndef RUNNER_SANDBOX_NETWORK_PRIV_H
#define RUNNER_SANDBOX_NETWORK_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "ci-runner/sandbox/network.h"

/* One host and port: where it stands inside, and where it leads. */
struct runner_place {
	struct plat_listen listen;
	const char *host; /* a name, or an address without brackets */
	uint16_t port;
};

enum { RUNNER_PLACES_MAX = 2 * RUNNER_HOSTS_MAX };

/* A name stands at an address of its own, told to `lines` as /etc/hosts wants it; an address stands
 * at itself.  `out` has room for RUNNER_PLACES_MAX.  INVALID names what cannot be read. */
lb_err runner_places_read(struct runner_place *out, size_t *count, struct lb_arena *arena,
                          struct lb_buf *lines, const char *const *hosts, struct lb_diag *diag);

#endif
