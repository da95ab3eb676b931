/* network.h - a network of its own: nothing in it but a loopback, and who listens there.
 *
 * Layer: platform.  A network lasts as long as its descriptors or a process in it; a socket that
 * listens in it may be held by a process that is not.  Needs no privilege: the maker's user and
 * group are the only ones known in it.  UNSUPPORTED where the system has no such thing.
 * Threads: any.
 */
#ifndef PLAT_NETWORK_H
#define PLAT_NETWORK_H

#include "base/err.h"

struct plat_network {
	int user, net; /* descriptors of its namespaces, closed on exec; -1: none */
};

#define PLAT_NETWORK_NONE ((struct plat_network){ -1, -1 })

struct plat_listen {
	bool six;                  /* IPv6 */
	unsigned char address[16]; /* the first 4 bytes where not `six` */
	uint16_t port;             /* 0: any free one, told afterwards */
	int socket;                /* what listens: set, does not block, closed on exec */
};

enum { PLAT_LISTEN_MAX = 256 };

/* Its loopback is up; addresses that are not loopback's are given to it.  On failure nothing is
 * left open, and `*failed` (may be NULL) is the listener that could not be made, or `count`. */
lb_err plat_network_make(struct plat_network *out, struct plat_listen *listens, size_t count,
                         size_t *failed);
void plat_network_close(struct plat_network *network);

/* The same for the network that this process is in: the address has to be there. */
lb_err plat_listen(struct plat_listen *listen);

#endif
