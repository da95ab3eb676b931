/* crypto.h - Ed25519, scrypt, short BLAKE2b and locked memory, by libsodium.
 *
 * The one module that sees libsodium.  Everything here works on sizes fixed by
 * the formats; what the bytes mean is known to key.c and signature.c.
 * Threads: any.
 */
#ifndef RELEASE_KEYS_CRYPTO_H
#define RELEASE_KEYS_CRYPTO_H

#include "base/bytes.h"
#include "base/mem.h"

enum {
	RELEASE_PUBLIC_SIZE = 32,
	RELEASE_SECRET_SIZE = 64, /* seed, then public key */
	RELEASE_SIGNATURE_SIZE = 64,
	RELEASE_SALT_SIZE = 32,
	RELEASE_CHECK_SIZE = 32
};

/* Memory for secrets: on pages of its own between guard pages, locked where the
 * system allows it, left out of core dumps, wiped when given back.  A failing
 * canary ends the process, as it should. */
extern struct lb_mem release_locked_mem;

void release_wipe(void *at, size_t len);
lb_err release_random(void *out, size_t len);

/* Secret and public key, new by chance. */
lb_err release_ed25519_generate(unsigned char public_key[RELEASE_PUBLIC_SIZE],
                                unsigned char secret[RELEASE_SECRET_SIZE]);

/* Whether the public half of a secret key belongs to its seed. */
bool release_ed25519_is_whole(const unsigned char secret[RELEASE_SECRET_SIZE]);

lb_err release_ed25519_sign(unsigned char out[RELEASE_SIGNATURE_SIZE], struct lb_bytes message,
                            const unsigned char secret[RELEASE_SECRET_SIZE]);
bool release_ed25519_holds(const unsigned char signature[RELEASE_SIGNATURE_SIZE],
                           struct lb_bytes message,
                           const unsigned char public_key[RELEASE_PUBLIC_SIZE]);

/* BLAKE2b with a result of 32 bytes. */
lb_err release_blake2b_256(unsigned char out[RELEASE_CHECK_SIZE], struct lb_bytes a,
                           struct lb_bytes b);

/* What a password costs: scrypt as libsodium counts it. */
struct release_cost {
	uint64_t operations, bytes;
};

/* minisign's own: 2^25 operations, 1 GiB, some seconds. */
extern const struct release_cost release_cost_default;

/* LIMIT for more than four times minisign's cost (a key file must not be able to take the machine),
 * INVALID below libsodium's least, NOMEM when the memory is not to be had. */
lb_err release_scrypt(unsigned char *out, size_t len, struct lb_bytes password,
                      const unsigned char salt[RELEASE_SALT_SIZE], struct release_cost cost);

#endif
