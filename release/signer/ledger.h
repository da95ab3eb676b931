/* ledger.h - identity tokens that were used, so that none is used again.
 *
 * A use is on the disk before it is acknowledged.  Entries are forgotten when the
 * token's time is over, as it is refused for that then.  Threads: any.
 */
#ifndef RELEASE_SIGNER_LEDGER_H
#define RELEASE_SIGNER_LEDGER_H

#include "base/diag.h"
#include "base/mem.h"
#include "base/platform/plat.h"

struct release_ledger;

lb_err release_ledger_open(struct release_ledger **out, struct lb_mem *mem, struct plat *plat,
                           const char *path, uint64_t now_s, struct lb_diag *diag);
void release_ledger_close(struct release_ledger *ledger); /* NULL is fine */

/* Use the token of that issuer and `jti`, which is good until `until_s`.  DENIED when it was used;
 * any other failure means that it is not known to be unused, and must be refused too. */
lb_err release_ledger_use(struct release_ledger *ledger, struct lb_bytes issuer,
                          struct lb_bytes jti, uint64_t until_s, uint64_t now_s,
                          struct lb_diag *diag);

#endif
