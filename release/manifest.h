/* manifest.h - what a job wants to publish: project, channel, version, files with size and digest.
 *
 * Names become parts of paths and URLs, lines of SHA256SUMS and words of trusted
 * comments, so they are letters, digits and ". _ - +", begin with a letter or digit,
 * and are none that the site makes itself.  Threads: immutable once read.
 */
#ifndef RELEASE_MANIFEST_H
#define RELEASE_MANIFEST_H

#include "base/data/digest.h"
#include "base/diag.h"
#include "base/value.h"

enum { RELEASE_NAME_MAX = 128, RELEASE_FILES_MAX = 1000 };
#define RELEASE_FILE_SIZE_MAX ((uint64_t)1 << 36) /* 64 GiB */

struct release_file {
	struct lb_bytes name;
	uint64_t size; /* bytes */
	unsigned char sha256[LB_SHA256_SIZE];
};

struct release_manifest {
	struct lb_bytes project, channel, version;
	struct release_file *files; /* sorted by name */
	uint32_t count;
};

/* All in `arena`, but strings borrowed from `value`.  INVALID or MALFORMED name the member; NOMEM.
 */
lb_err release_manifest_read(struct release_manifest *out, struct lb_arena *arena,
                             const struct lb_value *value, struct lb_diag *diag);

/* The same as a value, files sorted. */
struct lb_value *release_manifest_value(struct lb_arena *arena,
                                        const struct release_manifest *manifest);

/* A deep copy that borrows nothing. */
lb_err release_manifest_copy(struct release_manifest *out, struct lb_arena *arena,
                             const struct release_manifest *from);

/* Same project, channel, version, names, sizes and digests. */
bool release_manifest_eq(const struct release_manifest *a, const struct release_manifest *b);

const struct release_file *release_manifest_find(const struct release_manifest *manifest,
                                                 struct lb_bytes name);

/* Whether a name may be a project, a channel, a version or a file. */
bool release_name_is_good(struct lb_bytes name);

#endif
