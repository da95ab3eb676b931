/* release.h - a staged folder of uploaded files becomes a complete, signed release.
 *
 * The bytes that are signed are the bytes that are published: each file is hashed
 * and signed through one open descriptor, and its digest must be the manifest's.
 * Threads: any, on different stages.
 */
#ifndef RELEASE_SITE_RELEASE_H
#define RELEASE_SITE_RELEASE_H

#include "release/keys/key.h"
#include "release/site/provenance.h"
#include "release/site/tree.h"

/* Sign all files of the manifest in the folder `stage`, write SHA256SUMS, provenance.json,
 * release.json (each with its signature) and index.html beside them, everything on the disk.
 * MISMATCH names a file whose bytes are not the manifest's; NOTFOUND one that is missing. */
lb_err release_complete(const struct release_tree *tree, const char *stage,
                        const struct release_secret_key *key,
                        const struct release_manifest *manifest,
                        const struct release_origin *origin, struct lb_diag *diag);

/* What a publisher is told: {url, public_key, files: [{name, url, sha256}]}. */
struct lb_value *release_summary(struct lb_arena *arena, const struct release_tree *tree,
                                 const struct release_manifest *manifest,
                                 struct lb_bytes public_key);

#endif
