/* audit.h - every decision of the signer, accepted and refused, in a chain.
 *
 * One JSON object a line.  Each has the SHA-256 of the line before it (`previous`,
 * zeros in the first) and a number (`sequence`), so a line that is changed, left out or put in
 * shows.  Threads: any.
 */
#ifndef RELEASE_SIGNER_AUDIT_H
#define RELEASE_SIGNER_AUDIT_H

#include "base/diag.h"
#include "base/platform/plat.h"
#include "base/value.h"

struct release_audit;

/* Opens or makes the log, after checking all of its chain: MALFORMED names the first line that does
 * not hold. */
lb_err release_audit_open(struct release_audit **out, struct lb_mem *mem, struct plat *plat,
                          const char *path, struct lb_diag *diag);
void release_audit_close(struct release_audit *audit); /* NULL is fine */

uint64_t release_audit_count(struct release_audit *audit);

/* Add an event with the members of `fields` (an object); on the disk when it returns. */
lb_err release_audit_add(struct release_audit *audit, const char *event,
                         const struct lb_value *fields, struct lb_diag *diag);

#endif
