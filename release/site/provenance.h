/* provenance.h - where a release comes from: an in-toto Statement v1 with a SLSA v1 predicate.
 *
 * Everything in it is from claims that were verified, nothing from what the job said
 * beside them.  The build type is the one GitHub has published for its workflows, as the files
 * and their claims are the same here.  Threads: pure function.
 */
#ifndef RELEASE_SITE_PROVENANCE_H
#define RELEASE_SITE_PROVENANCE_H

#include "release/policy.h"

struct release_origin {
	const struct release_issuer *issuer;
	const struct lb_value *claims;
};

/* Sticky in the arena, as all of base/value.h. */
struct lb_value *release_provenance(struct lb_arena *arena, const struct release_manifest *manifest,
                                    const struct release_origin *origin);

#endif
