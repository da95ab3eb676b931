/* signer.h - the process that alone reads the signing key: its state and its HTTP face.
 *
 *   GET  /v1/audience                        {audience}
 *   GET  /v1/public-key                      minisign's public key file
 *   POST /v1/releases                        token and manifest: 201 {upload, expires_at}
 *   PUT  /v1/releases/UPLOAD/files/NAME      the bytes
 *   POST /v1/releases/UPLOAD/publish         {url, public_key, files}
 *
 * A token is verified, then the policy asked, then the token used up (on the disk), then the
 * answer given; every decision is in the audit log before it is told.
 * Threads: the object's own; start and stop from one.
 */
#ifndef RELEASE_SIGNER_SIGNER_H
#define RELEASE_SIGNER_SIGNER_H

#include "base/io/log.h"
#include "release/keys/key.h"
#include "release/site/tree.h"

struct release_signer;

struct release_signer_config {
	const char *state;   /* folder: minisign.key, minisign.pub, used-tokens, audit.log */
	const char *policy;  /* file */
	const char *tree;    /* folder, see site/tree.h */
	const char *address; /* NULL: 127.0.0.1 */
	uint16_t port;       /* 0: any */
	const char *url;     /* where the tree is served; NULL: not known, answers have paths */
	bool init;           /* make state and key where they are missing */
	struct lb_bytes password; /* of the key; empty: none */
	const struct lb_log *log;
};

/* Everything is read and checked before the port is opened.  BUSY when another signer has the
 * state folder, or the port is in use; NEWER for a state of a newer version. */
lb_err release_signer_start(struct release_signer **out, struct lb_mem *mem, struct plat *plat,
                            const struct release_signer_config *config, struct lb_diag *diag);
void release_signer_stop(struct release_signer *signer); /* NULL is fine */

uint16_t release_signer_port(const struct release_signer *signer);
struct release_public_key release_signer_public_key(const struct release_signer *signer);

#endif
