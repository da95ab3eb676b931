/* remote_priv.h - a coordinator's artifacts and caches, asked for by the thread that executes. */
#ifndef RUNNER_SERVE_REMOTE_PRIV_H
#define RUNNER_SERVE_REMOTE_PRIV_H

#include "ci-runner/serve/uplink.h"

enum { RUNNER_URL_BYTES_MAX = 2048 };

struct runner_remote {
	struct runner_link link; /* first member */
	struct lb_mem *mem;
	struct plat *plat;
	const char *coordinator;
	struct lb_http_client *client; /* of the executing thread */
	struct runner_lease lease;
	const struct runner_stop *stop;
	const _Atomic bool *give_up;
};

/* Address and headers of a request about the lease. */
struct runner_remote_head {
	char url[RUNNER_URL_BYTES_MAX], authorization[512], fence[64], type[64];
	const char *headers[4];
};

/* `what` is the path behind /api/v1/leases/L/, or one that begins with a slash; `type` NULL: no
 * body.  LIMIT: too long. */
lb_err runner_remote_head(struct runner_remote_head *out, const struct runner_remote *remote,
                          const char *what, const char *type);

lb_err runner_remote_artifact_put(struct runner_found *out, struct runner_link *self,
                                  struct lb_arena *arena, const char *name, const char *path,
                                  bool overwrite, struct lb_diag *diag);
lb_err runner_remote_artifact_list(struct runner_found **out, size_t *count,
                                   struct runner_link *self, struct lb_arena *arena,
                                   struct lb_diag *diag);
lb_err runner_remote_artifact_get(struct runner_link *self, const char *name, const char *to,
                                  struct lb_diag *diag);
lb_err runner_remote_cache_find(struct runner_found *out, struct runner_link *self,
                                struct lb_arena *arena, const char *key,
                                const char *const *restores, const char *version,
                                struct lb_diag *diag);
lb_err runner_remote_cache_get(struct runner_link *self, const struct runner_found *entry,
                               const char *to, struct lb_diag *diag);
lb_err runner_remote_cache_put(struct runner_link *self, const char *key, const char *version,
                               const char *path, struct lb_diag *diag);
lb_err runner_remote_ask(struct lb_value **out, struct runner_link *self, struct lb_arena *arena,
                         const char *what, struct lb_diag *diag);
lb_err runner_remote_fetch(struct runner_link *self, const char *what, const char *to,
                           struct lb_diag *diag);

#endif
