/* digest.c - see digest.h.
 *
 * The algorithms are fetched once for the process: fetching takes locks and
 * costs more than hashing a small text.  Once an algorithm is there, hashing
 * allocates nothing and cannot fail, which the asserts state.
 */
#include "base/data/digest.h"

#include "base/data/digest_priv.h"
#include "base/platform/plat.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

struct lb_digest {
	struct lb_mem *mem;
	EVP_MD_CTX *state;
};

static const char *const names[] = {
	[LB_SHA256] = "SHA2-256",
	[LB_SHA512] = "SHA2-512",
	[LB_BLAKE2B_512] = "BLAKE2B-512",
	[LB_SHA1] = "SHA1",
};

enum { KINDS = sizeof names / sizeof names[0] };

void lb_openssl_forget(void) { ERR_clear_error(); }

/* OpenSSL fails for want of memory, or because an algorithm is not in this build of it. */
static lb_err failure(void)
{
	bool memory = ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;

	ERR_clear_error();
	return lb_err_of(memory ? LB_E_NOMEM : LB_E_UNSUPPORTED);
}

/* Two threads may both fetch at first; one result is kept, for as long as the process lives. */
static lb_err find_algorithm(EVP_MD **out, enum lb_digest_kind kind)
{
	static _Atomic(EVP_MD *) fetched[KINDS];
	EVP_MD *fresh, *none = NULL;

	assert((unsigned)kind < KINDS);
	*out = atomic_load_explicit(&fetched[kind], memory_order_acquire);
	if (*out != NULL)
		return LB_OK;
	fresh = EVP_MD_fetch(NULL, names[kind], NULL);
	if (fresh == NULL)
		return failure();
	*out = fresh;
	if (!atomic_compare_exchange_strong(&fetched[kind], &none, fresh)) {
		EVP_MD_free(fresh);
		*out = none;
	}
	return LB_OK;
}

lb_err lb_digest_new(struct lb_digest **out, struct lb_mem *mem, enum lb_digest_kind kind)
{
	struct lb_digest *digest;
	EVP_MD *algorithm;

	*out = NULL;
	LB_TRY(find_algorithm(&algorithm, kind));
	digest = LB_NEW(mem, struct lb_digest, 1);
	if (digest == NULL)
		return lb_err_of(LB_E_NOMEM);
	digest->mem = mem;
	digest->state = EVP_MD_CTX_new();
	if (digest->state == NULL || EVP_DigestInit_ex2(digest->state, algorithm, NULL) != 1) {
		lb_digest_free(digest);
		return failure();
	}
	*out = digest;
	return LB_OK;
}

void lb_digest_free(struct lb_digest *digest)
{
	if (digest == NULL)
		return;
	EVP_MD_CTX_free(digest->state);
	LB_DROP(digest->mem, digest, 1);
}

void lb_digest_add(struct lb_digest *digest, struct lb_bytes bytes)
{
	int done = EVP_DigestUpdate(digest->state, bytes.at, bytes.len);

	assert(done == 1);
	(void)done;
}

void lb_digest_end(struct lb_digest *digest, unsigned char out[LB_DIGEST_SIZE_MAX], size_t *len)
{
	unsigned got = 0;
	int done = EVP_DigestFinal_ex(digest->state, out, &got);
	int again = EVP_DigestInit_ex2(digest->state, NULL, NULL);

	assert(done == 1 && again == 1 && got > 0);
	(void)done, (void)again;
	*len = got;
}

lb_err lb_sha256(unsigned char out[LB_SHA256_SIZE], struct lb_bytes bytes)
{
	EVP_MD *algorithm;
	unsigned len = 0;

	LB_TRY(find_algorithm(&algorithm, LB_SHA256));
	if (EVP_Digest(bytes.at, bytes.len, out, &len, algorithm, NULL) != 1)
		return failure();
	assert(len == LB_SHA256_SIZE);
	return LB_OK;
}

static void write_hex(char out[LB_SHA256_HEX + 1], const unsigned char digest[LB_SHA256_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < LB_SHA256_SIZE; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[LB_SHA256_HEX] = '\0';
}

lb_err lb_sha256_hex(char out[LB_SHA256_HEX + 1], struct lb_bytes bytes)
{
	unsigned char digest[LB_SHA256_SIZE];

	out[0] = '\0';
	LB_TRY(lb_sha256(digest, bytes));
	write_hex(out, digest);
	return LB_OK;
}

lb_err lb_hmac_sha256(unsigned char out[LB_SHA256_SIZE], struct lb_bytes key, struct lb_bytes bytes)
{
	unsigned char digest[LB_SHA256_SIZE];
	EVP_MD *algorithm;
	unsigned len = 0;

	if (bytes.at == NULL)
		bytes = LB_B(""); /* HMAC takes NULL for a mistake */
	LB_TRY(find_algorithm(&algorithm, LB_SHA256));
	if (key.len > 64) { /* RFC 2104: a key longer than a block is used by its digest */
		LB_TRY(lb_sha256(digest, key));
		key = (struct lb_bytes){ digest, sizeof digest };
	}
	if (HMAC(algorithm, key.at, (int)key.len, bytes.at, bytes.len, out, &len) == NULL)
		return failure();
	assert(len == LB_SHA256_SIZE);
	return LB_OK;
}

/* One file's worth of reading, outside the stack, which is small in some threads. */
static lb_err add_file(EVP_MD_CTX *state, uint64_t *size, struct plat *plat, int file)
{
	static _Thread_local unsigned char chunk[32 * 1024];
	size_t got = 0;

	*size = 0;
	do {
		LB_TRY(plat->ops->read_at(&got, plat, file, chunk, sizeof chunk, *size));
		if (EVP_DigestUpdate(state, chunk, got) != 1)
			return failure();
		*size += got;
	} while (got > 0);
	return LB_OK;
}

lb_err lb_sha256_file(char out[LB_SHA256_HEX + 1], uint64_t *size, struct plat *plat,
                      const char *path)
{
	unsigned char digest[LB_SHA256_SIZE];
	EVP_MD_CTX *state = NULL;
	EVP_MD *algorithm;
	uint64_t bytes = 0;
	int file = -1;
	lb_err err;

	out[0] = '\0';
	LB_TRY(find_algorithm(&algorithm, LB_SHA256));
	LB_TRY(plat->ops->open(&file, plat, path, PLAT_READ));
	state = EVP_MD_CTX_new();
	if (state == NULL || EVP_DigestInit_ex2(state, algorithm, NULL) != 1) {
		err = failure();
		goto out;
	}
	err = add_file(state, &bytes, plat, file);
	if (lb_failed(err))
		goto out;
	if (EVP_DigestFinal_ex(state, digest, NULL) != 1) {
		err = failure();
		goto out;
	}
	write_hex(out, digest);
	if (size != NULL)
		*size = bytes;
out:
	EVP_MD_CTX_free(state);
	plat->ops->close(plat, file);
	return err;
}
