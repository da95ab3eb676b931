/* publish.h - what a job does to publish: token, manifest, files, done.
 *
 * Failures of the network and of a signer that is restarting are tried again, each time
 * with a new token, as a token is good for one try; refusals are not.
 * Threads: any.
 */
#ifndef RELEASE_CLIENT_PUBLISH_H
#define RELEASE_CLIENT_PUBLISH_H

#include "base/diag.h"
#include "base/platform/plat.h"
#include "base/value.h"

struct release_publish {
	const char *signer;                   /* its address, "http://127.0.0.1:8442" */
	const char *token_url, *token_secret; /* of the job's identity provider */
	const char *project, *channel, *version;
	const char *const *files; /* paths; the names are their last parts */
	uint32_t file_count;
	unsigned tries;    /* 0: 6 */
	uint64_t pause_ms; /* before the second try, doubled before each further; 0: 250 */
};

/* The signer's answer, in `arena`: {url, public_key, files: [{name, url, sha256}]}.  DENIED, EXISTS
 * and the like with the signer's words. */
lb_err release_publish(struct lb_value **out, struct lb_arena *arena, struct lb_mem *mem,
                       struct plat *plat, const struct release_publish *how, struct lb_diag *diag);

#endif
