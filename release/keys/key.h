/* key.h - minisign's public and secret keys, in files and in memory.
 *
 * A public key file is a comment and 42 bytes in base64; a secret key file a
 * comment and 158 bytes, which a password may protect (scrypt).  Both are read and
 * written exactly as minisign 0.11 does.  Secret bytes stay in release_locked_mem: the caller
 * reads and writes secret key files through a buffer on that memory.
 * Threads: immutable once made; share freely.
 */
#ifndef RELEASE_KEYS_KEY_H
#define RELEASE_KEYS_KEY_H

#include "base/buf.h"
#include "base/diag.h"
#include "release/keys/crypto.h"

enum {
	RELEASE_KEY_ID_SIZE = 8,
	RELEASE_KEY_ID_TEXT = 17,     /* 16 digits, upper case, terminated */
	RELEASE_KEY_BASE64 = 57,      /* of a public key, terminated */
	RELEASE_KEY_FILE_MAX = 65536, /* bytes */
	RELEASE_PASSWORD_MAX = 1024   /* bytes, as minisign has it */
};

struct release_public_key {
	unsigned char id[RELEASE_KEY_ID_SIZE];
	unsigned char point[RELEASE_PUBLIC_SIZE];
};

/* The content of a public key file.  MALFORMED with what was expected; NOMEM. */
lb_err release_public_key_read(struct release_public_key *out, struct lb_mem *mem,
                               struct lb_bytes text, struct lb_diag *diag);

/* The line of base64 alone, as on a command line. */
lb_err release_public_key_read_base64(struct release_public_key *out, struct lb_mem *mem,
                                      struct lb_bytes line, struct lb_diag *diag);

void release_public_key_write(struct lb_buf *out, const struct release_public_key *key);
void release_public_key_base64(struct lb_buf *out, const struct release_public_key *key);

/* The number that people see: "E7620F1842B4E81F". */
const char *release_key_id_text(char out[RELEASE_KEY_ID_TEXT],
                                const unsigned char id[RELEASE_KEY_ID_SIZE]);

struct release_secret_key;

lb_err release_secret_key_generate(struct release_secret_key **out, struct lb_mem *mem);

/* The content of a secret key file.  *needs_password is set first, so a caller without one can
 * ask and call again: then the error is DENIED.  DENIED as well for a wrong password, MALFORMED for
 * what is no key, INVALID for one whose halves do not belong together, LIMIT for a password cost
 * that is out of all proportion, NOMEM. */
lb_err release_secret_key_read(struct release_secret_key **out, struct lb_mem *mem,
                               struct lb_bytes text, struct lb_bytes password, bool *needs_password,
                               struct lb_diag *diag);

/* The content of a file; `out` must be on release_locked_mem.  An empty password: none. */
lb_err release_secret_key_write(struct lb_buf *out, const struct release_secret_key *key,
                                struct lb_bytes password, struct release_cost cost);

void release_secret_key_free(struct release_secret_key *key);
struct release_public_key release_secret_key_public(const struct release_secret_key *key);

/* Ed25519 over the message. */
lb_err release_secret_key_sign(unsigned char out[RELEASE_SIGNATURE_SIZE],
                               const struct release_secret_key *key, struct lb_bytes message);

#endif
