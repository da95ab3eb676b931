/* network.h - what a job's commands may reach, and the networks that let them reach no more.
 *
 * But for FULL a command runs in a network with nothing in it but its loopback.  What it may reach
 * beyond stands on that loopback: a socket that the runner holds and either serves itself (a
 * "door") or passes on, byte by byte, to the one host and port it is for.  So there is no route to
 * get around, no proxy that a client has to know of, and a name leads where it should by the
 * command's own /etc/hosts.
 *
 *   NONE      a loopback of the command's own
 *   LOOPBACK  a loopback that the job's commands with this policy share
 *   CACHE     that, and the addresses in `cache`
 *   HOSTS     that, and the hosts it names
 *   FULL      the machine's network
 *
 * Doors are open under every policy.
 * Threads: enter and leave from any; a door's visitor is called from a thread of the networks.
 */
#ifndef RUNNER_SANDBOX_NETWORK_H
#define RUNNER_SANDBOX_NETWORK_H

#include "base/diag.h"
#include "base/mem.h"
#include "base/platform/network.h"

enum runner_network {
	RUNNER_NETWORK_FULL,
	RUNNER_NETWORK_NONE,
	RUNNER_NETWORK_LOOPBACK,
	RUNNER_NETWORK_CACHE,
	RUNNER_NETWORK_HOSTS
};

struct runner_reach {
	enum runner_network network;
	/* Of HOSTS: "example.org" (ports 443 and 80), "example.org:8443", "192.0.2.1:22",
	 * "[2001:db8::1]:80"; ends with NULL. */
	const char *const *hosts;
};

/* A service of the runner's in every network of a job. */
struct runner_door {
	const char *names; /* it is known as, parted by blanks: "github.localhost" */
	uint16_t port;
	/* Takes the connected socket, which does not block.  Must not wait, nor call what is
	 * below. */
	void (*visitor)(void *ctx, int socket);
	void *ctx;
};

enum {
	RUNNER_DOORS_MAX = 8,
	RUNNER_HOSTS_MAX = 64,         /* that one policy names */
	RUNNER_CONVERSATIONS_MAX = 256 /* passed on at once, of a job */
};

struct runner_networks_options {
	const struct runner_door *doors;
	size_t door_count;
	const char *const *cache; /* as `hosts` above; NULL: CACHE reaches nothing */
};

struct runner_networks; /* of one job */

struct runner_net {                  /* one of them; read-only */
	struct plat_network network; /* of FULL: none */
	const char *hosts;           /* a file, which is its /etc/hosts; NULL: the machine's */
	uint16_t door_ports[RUNNER_DOORS_MAX];
};

/* Makes none yet.  `options` may be NULL; what it points to is borrowed. */
lb_err runner_networks_new(struct runner_networks **out, struct lb_mem *mem,
                           const struct runner_networks_options *options, struct lb_diag *diag);

/* All nets must have been left.  Ends what is passed on still. */
void runner_networks_free(struct runner_networks *networks); /* NULL is fine */

/* The one for this policy: made where it is not there.  A door keeps its port, except under FULL,
 * where that may be taken or not for this user: then it is any other, see `door_ports`.
 * INVALID: a host cannot be read; UNSUPPORTED: cannot be enforced here. */
lb_err runner_networks_enter(const struct runner_net **out, struct runner_networks *networks,
                             const struct runner_reach *reach, struct lb_diag *diag);
void runner_networks_leave(struct runner_networks *networks, const struct runner_net *net);

#endif
