/* token.h - signed tokens (JWT, RFC 7519; RS256) and their keys (JWK, RFC 7517), by libcjose.
 *
 * A key signs; a key set verifies.  Verification is strict: RS256 only (never
 * "none", never a symmetric algorithm), the key is found by `kid`, `iss` and the
 * single `aud` must be equal, `exp`, `nbf` and `iat` must all be there and hold within the
 * leeway, `jti` must be there.  The diagnostic names the claim that did not hold,
 * what was expected and what came.  Whether a `jti` was seen before is for the caller.
 *
 * Keys are at least 2048 bits; a `kid` is the key's thumbprint (RFC 7638) unless
 * the JWK that was read says another.  OpenSSL keeps the numbers of a key on a heap of its
 * own.  Threads: immutable once made; share freely.
 */
#ifndef LB_DATA_TOKEN_H
#define LB_DATA_TOKEN_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/value.h"

struct lb_token_key;
struct lb_token_keyset;

/* RSA 2048, kid from its thumbprint. */
lb_err lb_token_key_generate(struct lb_token_key **out, struct lb_mem *mem);

/* A private JWK: MALFORMED where it is none, INVALID where it does not verify what it signs; NOMEM.
 * On failure *out is NULL. */
lb_err lb_token_key_read(struct lb_token_key **out, struct lb_mem *mem, struct lb_bytes jwk,
                         struct lb_diag *diag);
lb_err lb_token_key_write(struct lb_buf *out, const struct lb_token_key *key); /* private JWK */
lb_err lb_token_key_write_public(struct lb_buf *out,
                                 const struct lb_token_key *key); /* {"keys":[...]} */
void lb_token_key_free(struct lb_token_key *key);                 /* NULL is fine */

/* Append the compact serialisation of the claims object, signed. */
lb_err lb_token_sign(struct lb_buf *out, const struct lb_token_key *key,
                     const struct lb_value *claims);

/* {"keys":[...]}: keys that are not for RS256 signatures are passed over.  MALFORMED where it is no
 * such set, or where a key for RS256 lacks a kid, is too small, comes twice or is a private one. */
lb_err lb_token_keyset_read(struct lb_token_keyset **out, struct lb_mem *mem, struct lb_bytes jwks,
                            struct lb_diag *diag);
void lb_token_keyset_free(struct lb_token_keyset *keys); /* NULL is fine */

struct lb_token_expect {
	struct lb_bytes issuer, audience;
	uint64_t now_s, leeway_s; /* seconds since 1970; leeway 60 is usual */
};

/* The claims, in `arena`.  DENIED with the claim named; MALFORMED for what is no token; NOMEM.  On
 * failure *claims is NULL. */
lb_err lb_token_verify(struct lb_value **claims, struct lb_arena *arena,
                       const struct lb_token_keyset *keys, struct lb_bytes token,
                       const struct lb_token_expect *expect, struct lb_diag *diag);

#endif
