/* crypto.c - see crypto.h. */
#include "release/keys/crypto.h"

#include <sodium.h>

static_assert(RELEASE_PUBLIC_SIZE == crypto_sign_PUBLICKEYBYTES, "Ed25519");
static_assert(RELEASE_SECRET_SIZE == crypto_sign_SECRETKEYBYTES, "Ed25519");
static_assert(RELEASE_SIGNATURE_SIZE == crypto_sign_BYTES, "Ed25519");
static_assert(RELEASE_SALT_SIZE == crypto_pwhash_scryptsalsa208sha256_SALTBYTES, "scrypt");
static_assert(RELEASE_CHECK_SIZE == crypto_generichash_BYTES, "BLAKE2b-256");

const struct release_cost release_cost_default = {
	crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_SENSITIVE,
	crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_SENSITIVE
};

/* Cheap after the first time, and safe from any thread. */
static lb_err start(void) { return sodium_init() >= 0 ? LB_OK : lb_err_of(LB_E_FAILED); }

/* sodium_malloc puts a block against the end of its page, so only a rounded size is aligned. */
static size_t rounded(size_t size) { return (size + 15) & ~(size_t)15; }

static void *locked_resize(struct lb_mem *self, void *old, size_t old_size, size_t new_size)
{
	void *fresh;

	(void)self;
	if (new_size == 0) {
		sodium_free(old);
		return NULL;
	}
	if (lb_failed(start()) || new_size > SIZE_MAX / 2)
		return NULL;
	fresh = sodium_malloc(rounded(new_size));
	if (fresh == NULL)
		return NULL;
	if (old != NULL) {
		memcpy(fresh, old, old_size < new_size ? old_size : new_size);
		sodium_free(old);
	}
	return fresh;
}

struct lb_mem release_locked_mem = { locked_resize };

void release_wipe(void *at, size_t len) { sodium_memzero(at, len); }

lb_err release_random(void *out, size_t len)
{
	LB_TRY(start());
	randombytes_buf(out, len);
	return LB_OK;
}

lb_err release_ed25519_generate(unsigned char public_key[RELEASE_PUBLIC_SIZE],
                                unsigned char secret[RELEASE_SECRET_SIZE])
{
	LB_TRY(start());
	return crypto_sign_keypair(public_key, secret) == 0 ? LB_OK : lb_err_of(LB_E_FAILED);
}

bool release_ed25519_is_whole(const unsigned char secret[RELEASE_SECRET_SIZE])
{
	unsigned char public_key[RELEASE_PUBLIC_SIZE];
	unsigned char again[RELEASE_SECRET_SIZE];
	bool whole = crypto_sign_seed_keypair(public_key, again, secret) == 0 &&
	             sodium_memcmp(again, secret, sizeof again) == 0;

	sodium_memzero(again, sizeof again);
	return whole;
}

lb_err release_ed25519_sign(unsigned char out[RELEASE_SIGNATURE_SIZE], struct lb_bytes message,
                            const unsigned char secret[RELEASE_SECRET_SIZE])
{
	LB_TRY(start());
	return crypto_sign_detached(out, NULL, message.at, message.len, secret) == 0
	               ? LB_OK
	               : lb_err_of(LB_E_FAILED);
}

bool release_ed25519_holds(const unsigned char signature[RELEASE_SIGNATURE_SIZE],
                           struct lb_bytes message,
                           const unsigned char public_key[RELEASE_PUBLIC_SIZE])
{
	return !lb_failed(start()) &&
	       crypto_sign_verify_detached(signature, message.at, message.len, public_key) == 0;
}

lb_err release_blake2b_256(unsigned char out[RELEASE_CHECK_SIZE], struct lb_bytes a,
                           struct lb_bytes b)
{
	crypto_generichash_state state;
	bool done;

	LB_TRY(start());
	done = crypto_generichash_init(&state, NULL, 0, RELEASE_CHECK_SIZE) == 0 &&
	       crypto_generichash_update(&state, a.at, a.len) == 0 &&
	       crypto_generichash_update(&state, b.at, b.len) == 0 &&
	       crypto_generichash_final(&state, out, RELEASE_CHECK_SIZE) == 0;
	sodium_memzero(&state, sizeof state);
	return done ? LB_OK : lb_err_of(LB_E_FAILED);
}

lb_err release_scrypt(unsigned char *out, size_t len, struct lb_bytes password,
                      const unsigned char salt[RELEASE_SALT_SIZE], struct release_cost cost)
{
	LB_TRY(start());
	if (cost.operations > release_cost_default.operations * 4 ||
	    cost.bytes > release_cost_default.bytes * 4)
		return lb_err_of(LB_E_LIMIT);
	if (cost.operations < crypto_pwhash_scryptsalsa208sha256_OPSLIMIT_MIN ||
	    cost.bytes < crypto_pwhash_scryptsalsa208sha256_MEMLIMIT_MIN)
		return lb_err_of(LB_E_INVALID);
	if (crypto_pwhash_scryptsalsa208sha256(out, len, (const char *)password.at, password.len,
	                                       salt, cost.operations, (size_t)cost.bytes) != 0)
		return lb_err_of(LB_E_NOMEM);
	return LB_OK;
}
