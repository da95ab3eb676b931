/* digest.h - SHA-256, SHA-512, BLAKE2b-512 and HMAC, by OpenSSL's EVP.
 *
 * Failures are NOMEM, or UNSUPPORTED where this system's OpenSSL lacks the
 * algorithm; adding and ending cannot fail.  On failure texts are empty.
 * Threads: one object at a time; the one-shot forms from any thread.
 */
#ifndef LB_DATA_DIGEST_H
#define LB_DATA_DIGEST_H

#include "base/bytes.h"
#include "base/mem.h"

enum lb_digest_kind { LB_SHA256, LB_SHA512, LB_BLAKE2B_512, LB_SHA1 };
enum { LB_SHA256_SIZE = 32, LB_SHA256_HEX = 64, LB_DIGEST_SIZE_MAX = 64 };

struct lb_digest;

lb_err lb_digest_new(struct lb_digest **out, struct lb_mem *mem, enum lb_digest_kind kind);
void lb_digest_free(struct lb_digest *digest); /* NULL is fine */
void lb_digest_add(struct lb_digest *digest, struct lb_bytes bytes);

/* The result, *len bytes; the object starts over. */
void lb_digest_end(struct lb_digest *digest, unsigned char out[LB_DIGEST_SIZE_MAX], size_t *len);

lb_err lb_sha256(unsigned char out[LB_SHA256_SIZE], struct lb_bytes bytes);
/* Lower-case hex, terminated. */
lb_err lb_sha256_hex(char out[LB_SHA256_HEX + 1], struct lb_bytes bytes);
lb_err lb_hmac_sha256(unsigned char out[LB_SHA256_SIZE], struct lb_bytes key,
                      struct lb_bytes bytes);

/* Of a whole file, read once through the platform, whose errors it passes on; `size` in bytes, NULL
 * is fine. */
struct plat;
lb_err lb_sha256_file(char out[LB_SHA256_HEX + 1], uint64_t *size, struct plat *plat,
                      const char *path);

#endif
