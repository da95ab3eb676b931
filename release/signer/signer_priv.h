/* signer_priv.h - what the signer's parts share. */
#ifndef RELEASE_SIGNER_SIGNER_PRIV_H
#define RELEASE_SIGNER_SIGNER_PRIV_H

#include "base/http/server.h"
#include "release/signer/audit.h"
#include "release/signer/issuers.h"
#include "release/signer/ledger.h"
#include "release/signer/signer.h"
#include "release/signer/uploads.h"

#include <pthread.h>

struct release_signer {
	struct lb_mem *mem;
	struct plat *plat;
	const struct lb_log *log;
	struct lb_arena arena; /* paths, the policy */
	int lock;              /* on the state folder; -1: none */
	struct release_secret_key *key;
	struct lb_bytes public_key; /* base64 */
	struct lb_bytes public_key_file;
	const struct release_policy *policy;
	struct release_tree tree;
	struct release_ledger *ledger;
	struct release_audit *audit;
	struct release_issuers *issuers;
	struct release_uploads *uploads;
	pthread_mutex_t publishing; /* one release at a time goes into the tree */
	bool pages_old;             /* a release went in, but its index pages could not be made */
	struct lb_http_server *server;
};

extern const struct lb_http_route release_signer_routes[];

#endif
