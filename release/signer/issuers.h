/* issuers.h - verifying identity tokens by the keys that their issuers publish.
 *
 * Keys come from a file beside the policy or from ISSUER/.well-known/jwks.  They are kept, and
 * asked for again when a token does not verify by them (a key may be new), at most
 * every ten seconds; while an issuer cannot be reached, its last keys count for an hour.
 * Threads: any.
 */
#ifndef RELEASE_SIGNER_ISSUERS_H
#define RELEASE_SIGNER_ISSUERS_H

#include "base/platform/plat.h"
#include "release/policy.h"

enum { RELEASE_TOKEN_LEEWAY_S = 60 };

struct release_issuers;

/* `folder` is where the policy is.  The policy must outlive the object. */
lb_err release_issuers_new(struct release_issuers **out, struct lb_mem *mem, struct plat *plat,
                           const struct release_policy *policy, const char *folder);
void release_issuers_free(struct release_issuers *issuers);

/* The claims of a good token and who issued it.  DENIED with the claim that does not hold,
 * MALFORMED, NETWORK when the issuer's keys cannot be had. */
lb_err release_issuers_verify(struct lb_value **claims, const struct release_issuer **issuer,
                              struct release_issuers *issuers, struct lb_arena *arena,
                              struct lb_bytes token, struct lb_diag *diag);

#endif
