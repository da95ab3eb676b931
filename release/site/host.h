/* host.h - serves a release tree, read-only; any other web server could.
 *
 * Folders are answered by their index.html, names that begin with a dot and
 * symbolic links not at all.  Threads: the object's own; start and stop from one.
 */
#ifndef RELEASE_SITE_HOST_H
#define RELEASE_SITE_HOST_H

#include "base/diag.h"
#include "base/io/log.h"
#include "base/mem.h"

struct release_host;

struct release_host_config {
	const char *tree;
	const char *address; /* NULL: 127.0.0.1 */
	uint16_t port;       /* 0: any */
	const struct lb_log *log;
};

lb_err release_host_start(struct release_host **out, struct lb_mem *mem, struct plat *plat,
                          const struct release_host_config *config, struct lb_diag *diag);
void release_host_stop(struct release_host *host); /* NULL is fine */
uint16_t release_host_port(const struct release_host *host);

#endif
