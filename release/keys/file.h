/* file.h - hashing, signing and checking files, read once from an open file.
 *
 * Memory use does not depend on the file's size, but for signatures of the old kind,
 * which are over the whole message (at most RELEASE_MESSAGE_MAX).
 * Threads: any.
 */
#ifndef RELEASE_KEYS_FILE_H
#define RELEASE_KEYS_FILE_H

#include "base/data/digest.h"
#include "base/platform/plat.h"
#include "release/keys/signature.h"

enum { RELEASE_MESSAGE_MAX = 1 << 30 };

struct release_hashes {
	unsigned char prehash[RELEASE_PREHASH_SIZE]; /* BLAKE2b-512 */
	unsigned char sha256[LB_SHA256_SIZE];        /* zero where not asked for */
	uint64_t size;                               /* bytes */
};

/* Everything from the file's beginning to its end, in one pass. */
lb_err release_hash_file(struct release_hashes *out, struct lb_mem *mem, struct plat *plat,
                         int file, bool sha256);

/* Sign the file at `path` and write `path`.minisig, whole or not at all.  A NULL comment is
 * minisign's own: time, name, "hashed". */
lb_err release_sign_file(struct lb_mem *mem, struct plat *plat,
                         const struct release_secret_key *key, const char *path,
                         const char *trusted_comment, struct lb_diag *diag);

/* Check a file against a signature file (NULL: `path`.minisig).  Where the trusted comment names a
 * file, it must be this one's name.  MISMATCH with the reason; the trusted comment goes to
 * *comment, which the caller has initialised. */
lb_err release_verify_file(struct lb_buf *comment, struct lb_mem *mem, struct plat *plat,
                           const struct release_public_key *key, const char *path,
                           const char *signature_path, struct lb_diag *diag);

/* A public key from a file; the diagnostic names it. */
lb_err release_load_public_key(struct release_public_key *out, struct lb_mem *mem,
                               struct plat *plat, const char *path, struct lb_diag *diag);

#endif
