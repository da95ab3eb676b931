/* signature.h - minisign's signatures: read, written, made and checked.
 *
 * A signature file has four lines: an untrusted comment, the signature, the
 * trusted comment, and a signature over both.  Made are prehashed signatures only
 * (over BLAKE2b-512, minisign's default since 0.8); the older ones, over the message itself,
 * can be checked.
 *
 * A bare signature says who signed bytes, not which file they are: the trusted
 * comment names it (`file:`), and release_comment_field is there to look.
 * Threads: pure functions.
 */
#ifndef RELEASE_KEYS_SIGNATURE_H
#define RELEASE_KEYS_SIGNATURE_H

#include "release/keys/key.h"

enum {
	RELEASE_COMMENT_MAX = 8000, /* bytes; minisign reads lines of 8191 */
	RELEASE_SIGNATURE_FILE_MAX = 16384,
	RELEASE_PREHASH_SIZE = 64 /* BLAKE2b-512 */
};

struct release_signature {
	bool prehashed;
	unsigned char key_id[RELEASE_KEY_ID_SIZE];
	unsigned char bytes[RELEASE_SIGNATURE_SIZE];
	unsigned char global[RELEASE_SIGNATURE_SIZE];       /* over bytes and trusted_comment */
	struct lb_bytes untrusted_comment, trusted_comment; /* borrowed */
};

/* The content of a signature file; the comments are borrowed from it.  MALFORMED says which line
 * is wrong, UNSUPPORTED an unknown algorithm; NOMEM. */
lb_err release_signature_read(struct release_signature *out, struct lb_mem *mem,
                              struct lb_bytes text, struct lb_diag *diag);
void release_signature_write(struct lb_buf *out, const struct release_signature *signature);

/* Sign a digest.  `trusted_comment` is borrowed by *out; INVALID or LIMIT when it cannot stand in a
 * signature.  What was made is checked before it is handed out. */
lb_err release_signature_make(struct release_signature *out, struct lb_mem *mem,
                              const struct release_secret_key *key,
                              const unsigned char prehash[RELEASE_PREHASH_SIZE],
                              struct lb_bytes trusted_comment, struct lb_diag *diag);

/* MISMATCH when the key is another, or the signature or its trusted comment does not hold.
 * `signed_bytes`: the digest of a prehashed signature, the whole message of an older one. */
lb_err release_signature_check(const struct release_signature *signature, struct lb_mem *mem,
                               const struct release_public_key *key, struct lb_bytes signed_bytes,
                               struct lb_diag *diag);

/* The value of `name:value` among the tab-separated fields of a comment; false where it has none.
 */
bool release_comment_field(struct lb_bytes *value, struct lb_bytes comment, const char *name);

#endif
