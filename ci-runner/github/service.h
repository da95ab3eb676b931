/* service.h - http://github.localhost for one job.
 *
 * Everything asks for the job's token or its runtime token but the addresses that are secrets
 * themselves (uploads and downloads).  The link is used under `lock`, so that its owner may go on
 * using it from its own thread.
 * Owner: the caller of new, who calls free.  Threads: handlers run on the server's.
 */
#ifndef RUNNER_GITHUB_SERVICE_H
#define RUNNER_GITHUB_SERVICE_H

#include "ci-runner/execute/link.h"

#include "base/platform/plat.h"
#include "base/value.h"

#include <pthread.h>

struct runner_github;

#define RUNNER_GITHUB_NAMES "github.localhost api.github.localhost"

struct runner_github_options {
	struct runner_link *link;
	pthread_mutex_t *lock;         /* over the link */
	const char *folder;            /* for files under way; exists */
	const char *queue;             /* file for what only GitHub can do; NULL: refused */
	const struct lb_value *github; /* the job's context */
	struct lb_bytes token;         /* GITHUB_TOKEN, not empty */
	struct lb_bytes repository_url,
		id_token_url; /* where the job's repository is; empty: none */
};

/* Texts are borrowed. */
lb_err runner_github_new(struct runner_github **out, struct lb_mem *mem, struct plat *plat,
                         const struct runner_github_options *options, struct lb_diag *diag);
void runner_github_free(struct runner_github *github); /* NULL is fine */

/* A door's visitor; ctx is the service. */
void runner_github_visit(void *ctx, int socket);

/* The runtime token: a secret of the job. */
const char *runner_github_runtime_token(const struct runner_github *github);

/* What steps see, as an object of strings, when the service stands at this port of theirs: for all
 * steps, and for actions alone. */
struct lb_value *runner_github_variables(struct lb_arena *arena, const struct runner_github *github,
                                         uint16_t port);
struct lb_value *runner_github_action_variables(struct lb_arena *arena,
                                                const struct runner_github *github, uint16_t port);

/* What was put into the queue so far: "POST /repos/o/r/issues/1/comments", in order. */
const struct lb_value *runner_github_queued(struct lb_arena *arena, struct runner_github *github);

#endif
