/* token.c - see token.h.
 *
 * libcjose does the arithmetic on keys and signatures.  What a token says is read
 * here, from the very bytes that were signed: header and claims go through
 * lb_json_read, which refuses duplicate keys, and nothing is trusted that the
 * header claims beyond the name of the key.
 *
 * libcjose does not bear running out of memory (it writes through NULL or leaves
 * members out), so each use of it has a reserve, taken beforehand; nor malformed
 * base64url (it asserts), so none is given to it.
 */
#include "base/data/token.h"

#include "base/data/digest.h"
#include "base/data/digest_priv.h"
#include "base/data/heap_priv.h"
#include "base/data/json.h"
#include "base/text.h"

#include <cjose/cjose.h>
#include <pthread.h>

enum { KEY_BITS = 2048, TOKEN_BYTES_MAX = 64 * 1024, HEADER_BYTES_MAX = 4096, SHOWN_SIZE = 200 };

/* What libcjose may need: for itself, and for each byte of text that it takes apart. */
enum { RESERVE_BASE = 32 * 1024, RESERVE_PER_BYTE = 8, RESERVE_PER_HEADER_BYTE = 32 };

struct lb_token_key {
	struct lb_mem *mem;
	struct lb_reserve reserve; /* of the JWK, for as long as it lives */
	cjose_jwk_t *jwk;
	const char *kid; /* the JWK's own copy */
};

struct lb_token_keyset {
	struct lb_mem *mem;
	struct lb_token_key **keys;
	size_t count, capacity;
};

/* libcjose hands its allocator on to OpenSSL, whose objects outlive any loan.  OpenSSL refuses
 * another allocator once it has allocated, so it is made to, first. */
static void hook(void)
{
	unsigned char digest[LB_SHA256_SIZE];

	lb_ignore(lb_sha256(digest, LB_B("")));
	cjose_set_alloc_funcs(lb_loan_malloc, lb_loan_realloc, lb_loan_free);
}

static void begin(struct lb_loan *loan, struct lb_reserve *reserve)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, hook);
	lb_loan_begin(loan, &reserve->mem);
}

static void end(struct lb_loan *loan)
{
	lb_loan_end(loan);
	lb_openssl_forget();
}

/* Why libcjose has failed: OpenSSL, which has a heap of its own, may be out of memory. */
static lb_err why(const cjose_err *said, enum lb_code otherwise)
{
	return lb_err_of(said->code == CJOSE_ERR_NO_MEMORY ? LB_E_NOMEM : otherwise);
}

/* What came, fit to be shown. */
static const char *show(char out[SHOWN_SIZE], struct lb_bytes text)
{
	size_t len = text.len < SHOWN_SIZE - 1 ? text.len : SHOWN_SIZE - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = (char)(text.at[i] < 0x20 || text.at[i] == 0x7f ? '?' : text.at[i]);
	out[len] = '\0';
	return out;
}

/* ---- keys ---- */

/* Append the key as a JWK, the private parts only when asked for. */
static lb_err add_jwk(struct lb_buf *out, const struct lb_token_key *key, bool private)
{
	struct lb_reserve reserve;
	cjose_err said = { 0 };
	struct lb_loan loan;
	char *text;

	LB_TRY(lb_reserve_take(&reserve, key->mem, RESERVE_BASE));
	begin(&loan, &reserve);
	text = cjose_jwk_to_json(key->jwk, private, &said);
	end(&loan);
	if (text != NULL)
		lb_buf_add_text(out, text);
	lb_loan_free(text);
	lb_reserve_drop(&reserve);
	return text != NULL ? lb_buf_check(out) : why(&said, LB_E_FAILED);
}

static lb_err public_jwk(struct lb_value **out, struct lb_arena *arena,
                         const struct lb_token_key *key)
{
	struct lb_buf text;
	lb_err err;

	*out = NULL;
	lb_buf_init(&text, arena->under, TOKEN_BYTES_MAX);
	err = add_jwk(&text, key, false);
	if (!lb_failed(err))
		err = lb_json_read(out, arena, lb_buf_bytes(&text), NULL);
	lb_buf_release(&text);
	return err;
}

/* RFC 7638: the digest of the required members, sorted by name, without blanks. */
static lb_err write_thumbprint(struct lb_buf *out, const struct lb_value *jwk, struct lb_mem *mem)
{
	unsigned char digest[LB_SHA256_SIZE];
	struct lb_bytes e = lb_value_get_string(jwk, "e"), n = lb_value_get_string(jwk, "n");
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, mem, 64 + e.len + n.len);
	lb_buf_addf(&text, "{\"e\":\"%.*s\",\"kty\":\"RSA\",\"n\":\"%.*s\"}", LB_FMT(e), LB_FMT(n));
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_sha256(digest, lb_buf_bytes(&text));
	if (!lb_failed(err)) {
		lb_base64url_add(out, (struct lb_bytes){ digest, sizeof digest });
		err = lb_buf_check(out);
	}
	lb_buf_release(&text);
	return err;
}

static lb_err thumbprint(struct lb_buf *out, const struct lb_token_key *key)
{
	struct lb_value *value;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, key->mem);
	err = public_jwk(&value, &arena, key);
	if (!lb_failed(err))
		err = write_thumbprint(out, value, key->mem);
	lb_arena_release(&arena);
	return err;
}

static lb_err set_kid(struct lb_token_key *key, struct lb_bytes kid)
{
	cjose_err said = { 0 };
	struct lb_loan loan;
	bool done;

	begin(&loan, &key->reserve);
	done = cjose_jwk_set_kid(key->jwk, (const char *)kid.at, kid.len, &said);
	end(&loan);
	if (!done)
		return why(&said, LB_E_FAILED);
	key->kid = cjose_jwk_get_kid(key->jwk, &said);
	return LB_OK;
}

static lb_err name_by_thumbprint(struct lb_token_key *key)
{
	struct lb_buf kid;
	lb_err err;

	lb_buf_init(&kid, key->mem, 2 * LB_SHA256_SIZE);
	err = thumbprint(&kid, key);
	if (!lb_failed(err))
		err = set_kid(key, lb_buf_bytes(&kid));
	lb_buf_release(&kid);
	return err;
}

static lb_err generate(struct lb_token_key *key)
{
	static const uint8_t exponent[] = { 1, 0, 1 };
	cjose_err said = { 0 };
	struct lb_loan loan;

	LB_TRY(lb_reserve_take(&key->reserve, key->mem, RESERVE_BASE));
	begin(&loan, &key->reserve);
	key->jwk = cjose_jwk_create_RSA_random(KEY_BITS, exponent, sizeof exponent, &said);
	end(&loan);
	return key->jwk != NULL ? name_by_thumbprint(key) : why(&said, LB_E_FAILED);
}

lb_err lb_token_key_generate(struct lb_token_key **out, struct lb_mem *mem)
{
	struct lb_token_key *key = LB_NEW(mem, struct lb_token_key, 1);
	lb_err err;

	*out = NULL;
	if (key == NULL)
		return lb_err_of(LB_E_NOMEM);
	key->mem = mem;
	err = generate(key);
	if (!lb_failed(err)) {
		*out = key;
		key = NULL;
	}
	lb_token_key_free(key);
	return err;
}

void lb_token_key_free(struct lb_token_key *key)
{
	if (key == NULL)
		return;
	if (key->jwk != NULL)
		(void)cjose_jwk_release(key->jwk);
	lb_reserve_drop(&key->reserve);
	LB_DROP(key->mem, key, 1);
}

static lb_err import_text(struct lb_token_key *key, struct lb_bytes text, struct lb_diag *diag)
{
	cjose_err said = { 0 };
	struct lb_loan loan;
	size_t bits;

	LB_TRY(lb_reserve_take(&key->reserve, key->mem,
	                       RESERVE_BASE + text.len * RESERVE_PER_HEADER_BYTE));
	begin(&loan, &key->reserve);
	key->jwk = cjose_jwk_import((const char *)text.at, text.len, &said);
	end(&loan);
	if (key->jwk == NULL && said.code == CJOSE_ERR_NO_MEMORY)
		return lb_err_of(LB_E_NOMEM);
	if (key->jwk == NULL)
		return lb_fail(diag, LB_E_MALFORMED, "the JWK is not a well-formed RSA key");
	bits = cjose_jwk_get_keysize(key->jwk, &said);
	if (bits < KEY_BITS)
		return lb_fail(diag, LB_E_MALFORMED, "the JWK has %zu bits; expected %d or more",
		               bits, KEY_BITS);
	return LB_OK;
}

static lb_err check_encoded(struct lb_mem *mem, struct lb_bytes text, const char *what,
                            struct lb_diag *diag)
{
	struct lb_buf bytes;
	lb_err err;

	lb_buf_init(&bytes, mem, TOKEN_BYTES_MAX);
	err = lb_base64url_read(&bytes, text);
	if (bytes.at != NULL)
		OPENSSL_cleanse(bytes.at, bytes.len); /* it may be of a private key */
	lb_buf_release(&bytes);
	if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM)
		return lb_fail(diag, LB_E_MALFORMED, "%s: not base64url", what);
	return err;
}

/* Append the members that make the key, each of them found to be well-formed: libcjose asserts it.
 */
static lb_err add_numbers(struct lb_buf *out, struct lb_mem *mem, const struct lb_value *jwk,
                          struct lb_diag *diag)
{
	static const char *const names[] = { "n", "e", "d", "p", "q", "dp", "dq", "qi" };

	lb_buf_add_text(out, "{\"kty\":\"RSA\"");
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct lb_bytes number = lb_value_get_string(jwk, names[i]);

		if (lb_value_get(jwk, names[i]) == NULL)
			continue;
		if (number.len == 0)
			return lb_fail(diag, LB_E_MALFORMED, "%s: expected base64url text",
			               names[i]);
		LB_TRY(check_encoded(mem, number, names[i], diag));
		lb_buf_addf(out, ",\"%s\":\"%.*s\"", names[i], LB_FMT(number));
	}
	lb_buf_add_text(out, "}");
	return lb_buf_check(out);
}

static lb_err import_value(struct lb_token_key *key, const struct lb_value *jwk,
                           struct lb_diag *diag)
{
	struct lb_bytes kid = lb_value_get_string(jwk, "kid");
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, key->mem, TOKEN_BYTES_MAX);
	err = add_numbers(&text, key->mem, jwk, diag);
	if (!lb_failed(err))
		err = import_text(key, lb_buf_bytes(&text), diag);
	if (text.at != NULL)
		OPENSSL_cleanse(text.at, text.len); /* it may be a private key */
	lb_buf_release(&text);
	LB_TRY(err);
	return kid.len > 0 ? set_kid(key, kid) : name_by_thumbprint(key);
}

static lb_err import(struct lb_token_key **out, struct lb_mem *mem, const struct lb_value *jwk,
                     struct lb_diag *diag)
{
	struct lb_token_key *key = LB_NEW(mem, struct lb_token_key, 1);
	lb_err err;

	*out = NULL;
	if (key == NULL)
		return lb_err_of(LB_E_NOMEM);
	key->mem = mem;
	err = import_value(key, jwk, diag);
	if (!lb_failed(err)) {
		*out = key;
		key = NULL;
	}
	lb_token_key_free(key);
	return err;
}

static lb_err expect_rsa(const struct lb_value *jwk, struct lb_diag *diag)
{
	char shown[SHOWN_SIZE];
	struct lb_bytes kty = lb_value_get_string(jwk, "kty");

	if (jwk->kind != LB_OBJECT)
		return lb_fail(diag, LB_E_MALFORMED, "a JWK is a JSON object");
	if (!lb_bytes_is(kty, "RSA"))
		return lb_fail(diag, LB_E_MALFORMED, "kty: expected \"RSA\", got \"%s\"",
		               show(shown, kty));
	return LB_OK;
}

/* ---- signing ---- */

static lb_err add_exported(struct lb_buf *out, cjose_jws_t *jws, cjose_err *said)
{
	const char *text = NULL;

	if (jws == NULL || !cjose_jws_export(jws, &text, said))
		return why(said, LB_E_FAILED);
	lb_buf_add_text(out, text);
	return lb_buf_check(out);
}

static lb_err sign_text(struct lb_buf *out, const struct lb_token_key *key, struct lb_bytes text)
{
	struct lb_reserve reserve;
	cjose_err said = { 0 };
	cjose_header_t *header;
	cjose_jws_t *jws = NULL;
	struct lb_loan loan;
	lb_err err;

	LB_TRY(lb_reserve_take(&reserve, key->mem, RESERVE_BASE + text.len * RESERVE_PER_BYTE));
	begin(&loan, &reserve);
	header = cjose_header_new(&said);
	if (header != NULL && cjose_header_set(header, CJOSE_HDR_ALG, CJOSE_HDR_ALG_RS256, &said) &&
	    cjose_header_set(header, "typ", "JWT", &said) &&
	    cjose_header_set(header, CJOSE_HDR_KID, key->kid, &said))
		jws = cjose_jws_sign(key->jwk, header, text.at, text.len, &said);
	err = add_exported(out, jws, &said);
	if (jws != NULL)
		cjose_jws_release(jws);
	if (header != NULL)
		cjose_header_release(header);
	end(&loan);
	lb_reserve_drop(&reserve);
	return err;
}

lb_err lb_token_sign(struct lb_buf *out, const struct lb_token_key *key,
                     const struct lb_value *claims)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, key->mem, TOKEN_BYTES_MAX / 2);
	lb_value_write(&text, claims, false);
	err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = sign_text(out, key, lb_buf_bytes(&text));
	lb_buf_release(&text);
	return err;
}

/* ---- verifying a signature ---- */

static lb_err verify_signature(const struct lb_token_key *key, struct lb_mem *mem,
                               struct lb_bytes token)
{
	size_t size = RESERVE_BASE + token.len * RESERVE_PER_BYTE +
	              HEADER_BYTES_MAX * RESERVE_PER_HEADER_BYTE;
	struct lb_reserve reserve;
	cjose_err said = { 0 };
	struct lb_loan loan;
	cjose_jws_t *jws;
	bool good;

	LB_TRY(lb_reserve_take(&reserve, mem, size));
	begin(&loan, &reserve);
	jws = cjose_jws_import((const char *)token.at, token.len, &said);
	good = jws != NULL && cjose_jws_verify(jws, key->jwk, &said);
	if (jws != NULL)
		cjose_jws_release(jws);
	end(&loan);
	lb_reserve_drop(&reserve);
	return good ? LB_OK : why(&said, LB_E_DENIED);
}

/* ---- reading and writing keys ---- */

/* A key whose halves do not belong together would sign tokens that nobody accepts. */
static lb_err check_pair(const struct lb_token_key *key, struct lb_diag *diag)
{
	struct lb_buf token;
	lb_err err;

	lb_buf_init(&token, key->mem, TOKEN_BYTES_MAX);
	err = sign_text(&token, key, LB_B("{}"));
	if (!lb_failed(err))
		err = verify_signature(key, key->mem, lb_buf_bytes(&token));
	lb_buf_release(&token);
	if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM)
		return lb_fail(diag, LB_E_INVALID,
		               "the private JWK does not sign what it verifies");
	return err;
}

static lb_err read_private(struct lb_token_key **out, struct lb_mem *mem,
                           const struct lb_value *jwk, struct lb_diag *diag)
{
	LB_TRY(expect_rsa(jwk, diag));
	if (lb_value_get_string(jwk, "d").len == 0)
		return lb_fail(diag, LB_E_MALFORMED, "d: expected a private key, got a public one");
	LB_TRY(import(out, mem, jwk, diag));
	return check_pair(*out, diag);
}

lb_err lb_token_key_read(struct lb_token_key **out, struct lb_mem *mem, struct lb_bytes jwk,
                         struct lb_diag *diag)
{
	struct lb_value *value;
	struct lb_arena arena;
	lb_err err;

	*out = NULL;
	lb_arena_init(&arena, mem);
	err = lb_json_read(&value, &arena, jwk, diag);
	if (!lb_failed(err))
		err = read_private(out, mem, value, diag);
	if (lb_failed(err)) {
		lb_token_key_free(*out);
		*out = NULL;
	}
	lb_arena_release(&arena);
	return err;
}

lb_err lb_token_key_write(struct lb_buf *out, const struct lb_token_key *key)
{
	return add_jwk(out, key, true);
}

static void add_public(struct lb_buf *out, struct lb_arena *arena, const struct lb_value *jwk)
{
	struct lb_value *set = lb_value_object(arena), *keys = lb_value_array(arena);
	struct lb_value *key = lb_value_object(arena);

	lb_value_set_text(arena, key, "kty", "RSA");
	lb_value_set_text(arena, key, "use", "sig");
	lb_value_set_text(arena, key, "alg", "RS256");
	lb_value_set_string(arena, key, "kid", lb_value_get_string(jwk, "kid"));
	lb_value_set_string(arena, key, "n", lb_value_get_string(jwk, "n"));
	lb_value_set_string(arena, key, "e", lb_value_get_string(jwk, "e"));
	lb_value_add(arena, keys, key);
	lb_value_put(arena, set, "keys", keys);
	if (!arena->failed)
		lb_value_write(out, set, false);
}

lb_err lb_token_key_write_public(struct lb_buf *out, const struct lb_token_key *key)
{
	struct lb_value *jwk;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, key->mem);
	err = public_jwk(&jwk, &arena, key);
	if (!lb_failed(err)) {
		add_public(out, &arena, jwk);
		err = arena.failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(out);
	}
	lb_arena_release(&arena);
	return err;
}

/* ---- key sets ---- */

static const struct lb_token_key *find_key(const struct lb_token_keyset *set, struct lb_bytes kid)
{
	for (size_t i = 0; i < set->count; i++) {
		if (lb_bytes_is(kid, set->keys[i]->kid))
			return set->keys[i];
	}
	return NULL;
}

static bool is_or_absent(const struct lb_value *jwk, const char *key, const char *want)
{
	return lb_value_get(jwk, key) == NULL || lb_bytes_is(lb_value_get_string(jwk, key), want);
}

static lb_err add_key(struct lb_token_keyset *set, const struct lb_value *jwk, struct lb_diag *diag)
{
	struct lb_bytes kid = lb_value_get_string(jwk, "kid");
	char shown[SHOWN_SIZE];

	if (!lb_bytes_is(lb_value_get_string(jwk, "kty"), "RSA") ||
	    !is_or_absent(jwk, "use", "sig") || !is_or_absent(jwk, "alg", "RS256"))
		return LB_OK; /* for another purpose */
	if (kid.len == 0)
		return lb_fail(diag, LB_E_MALFORMED, "kid: a key without a name");
	if (lb_value_get(jwk, "d") != NULL)
		return lb_fail(diag, LB_E_MALFORMED, "d: a private key in a set of public ones");
	if (find_key(set, kid) != NULL)
		return lb_fail(diag, LB_E_MALFORMED, "kid: \"%s\" comes twice", show(shown, kid));
	LB_TRY(import(&set->keys[set->count], set->mem, jwk, diag));
	set->count++;
	return LB_OK;
}

static lb_err add_keys(struct lb_token_keyset *set, const struct lb_value *jwks,
                       struct lb_diag *diag)
{
	const struct lb_value *keys = lb_value_get(jwks, "keys");

	if (keys == NULL || keys->kind != LB_ARRAY)
		return lb_fail(diag, LB_E_MALFORMED, "keys: a key set is {\"keys\": [...]}");
	if (keys->count == 0)
		return LB_OK;
	set->keys = LB_NEW(set->mem, struct lb_token_key *, keys->count);
	if (set->keys == NULL)
		return lb_err_of(LB_E_NOMEM);
	set->capacity = keys->count;
	for (uint32_t i = 0; i < keys->count; i++)
		LB_TRY(add_key(set, keys->items[i], diag));
	return LB_OK;
}

lb_err lb_token_keyset_read(struct lb_token_keyset **out, struct lb_mem *mem, struct lb_bytes jwks,
                            struct lb_diag *diag)
{
	struct lb_token_keyset *set = LB_NEW(mem, struct lb_token_keyset, 1);
	struct lb_value *value;
	struct lb_arena arena;
	lb_err err;

	*out = NULL;
	if (set == NULL)
		return lb_err_of(LB_E_NOMEM);
	set->mem = mem;
	lb_arena_init(&arena, mem);
	err = lb_json_read(&value, &arena, jwks, diag);
	if (!lb_failed(err))
		err = add_keys(set, value, diag);
	lb_arena_release(&arena);
	if (!lb_failed(err)) {
		*out = set;
		set = NULL;
	}
	lb_token_keyset_free(set);
	return err;
}

void lb_token_keyset_free(struct lb_token_keyset *keys)
{
	if (keys == NULL)
		return;
	for (size_t i = 0; i < keys->count; i++)
		lb_token_key_free(keys->keys[i]);
	LB_DROP(keys->mem, keys->keys, keys->capacity);
	LB_DROP(keys->mem, keys, 1);
}

/* ---- verifying a token ---- */

static lb_err denied(struct lb_diag *diag, const char *claim, const char *want,
                     const struct lb_value *got)
{
	static const char *const kinds[] = {
		[LB_NULL] = "null",       [LB_BOOL] = "a boolean",
		[LB_NUMBER] = "a number", [LB_STRING] = "an empty text",
		[LB_ARRAY] = "an array",  [LB_OBJECT] = "an object"
	};
	char shown[SHOWN_SIZE];

	if (got == NULL)
		return lb_fail(diag, LB_E_DENIED, "%s: expected %s, got nothing", claim, want);
	if (got->kind == LB_STRING && got->string.len > 0)
		return lb_fail(diag, LB_E_DENIED, "%s: expected %s, got \"%s\"", claim, want,
		               show(shown, got->string));
	return lb_fail(diag, LB_E_DENIED, "%s: expected %s, got %s", claim, want, kinds[got->kind]);
}

static lb_err expect_text(const struct lb_value *object, const char *claim, struct lb_bytes want,
                          struct lb_diag *diag)
{
	const struct lb_value *got = lb_value_get(object, claim);
	char shown[SHOWN_SIZE], quoted[SHOWN_SIZE + 2];

	if (got != NULL && got->kind == LB_STRING && lb_bytes_eq(got->string, want))
		return LB_OK;
	(void)snprintf(quoted, sizeof quoted, "\"%s\"", show(shown, want));
	return denied(diag, claim, quoted, got);
}

static lb_err read_time(uint64_t *out, const struct lb_value *claims, const char *claim,
                        struct lb_diag *diag)
{
	if (lb_failed(lb_value_get_u64(out, claims, claim)))
		return denied(diag, claim, "whole seconds since 1970", lb_value_get(claims, claim));
	return LB_OK;
}

static lb_err check_times(const struct lb_value *claims, const struct lb_token_expect *expect,
                          struct lb_diag *diag)
{
	uint64_t now = expect->now_s, leeway = expect->leeway_s;
	uint64_t latest = now > UINT64_MAX - leeway ? UINT64_MAX : now + leeway;
	uint64_t expires, from, issued;

	LB_TRY(read_time(&expires, claims, "exp", diag));
	LB_TRY(read_time(&from, claims, "nbf", diag));
	LB_TRY(read_time(&issued, claims, "iat", diag));
	if (now >= leeway && now - leeway >= expires)
		return lb_fail(diag, LB_E_DENIED,
		               "exp: expected a token that still holds, got one "
		               "that expired %llu s ago",
		               (unsigned long long)(now - expires));
	if (from > latest)
		return lb_fail(diag, LB_E_DENIED,
		               "nbf: expected a token that holds already, got one "
		               "that does in %llu s",
		               (unsigned long long)(from - now));
	if (issued > latest)
		return lb_fail(diag, LB_E_DENIED,
		               "iat: expected a token from the past, got one from "
		               "%llu s ahead",
		               (unsigned long long)(issued - now));
	return LB_OK;
}

static lb_err check_claims(const struct lb_value *claims, const struct lb_token_expect *expect,
                           struct lb_diag *diag)
{
	LB_TRY(expect_text(claims, "iss", expect->issuer, diag));
	LB_TRY(expect_text(claims, "aud", expect->audience, diag));
	LB_TRY(check_times(claims, expect, diag));
	if (lb_value_get_string(claims, "jti").len == 0)
		return denied(diag, "jti", "a text", lb_value_get(claims, "jti"));
	return LB_OK;
}

/* One base64url part as a JSON object. */
static lb_err read_part(struct lb_value **out, struct lb_arena *arena, struct lb_bytes part,
                        const char *what, struct lb_diag *diag)
{
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, arena->under, TOKEN_BYTES_MAX);
	err = lb_base64url_read(&text, part);
	if (lb_code_of(err) == LB_E_MALFORMED)
		lb_diag_set(diag, "not base64url");
	if (!lb_failed(err))
		err = lb_json_read(out, arena, lb_buf_bytes(&text), diag);
	lb_buf_release(&text);
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (!lb_failed(err) && (*out)->kind != LB_OBJECT)
		err = lb_fail(diag, LB_E_MALFORMED, "not a JSON object");
	if (!lb_failed(err))
		return LB_OK;
	*out = NULL;
	lb_diag_prefix(diag, "the token's %s", what);
	return lb_err_of(LB_E_MALFORMED);
}

/* The header decides which key is asked and nothing else. */
static lb_err find_signer(const struct lb_token_key **out, const struct lb_token_keyset *keys,
                          const struct lb_value *header, struct lb_diag *diag)
{
	const struct lb_value *kid = lb_value_get(header, "kid");

	LB_TRY(expect_text(header, "alg", LB_B("RS256"), diag));
	if (lb_value_get(header, "typ") != NULL)
		LB_TRY(expect_text(header, "typ", LB_B("JWT"), diag));
	if (lb_value_get(header, "crit") != NULL)
		return denied(diag, "crit", "no critical extensions", lb_value_get(header, "crit"));
	*out = kid != NULL && kid->kind == LB_STRING ? find_key(keys, kid->string) : NULL;
	return *out != NULL ? LB_OK : denied(diag, "kid", "a key of the set", kid);
}

static lb_err check_signature(struct lb_mem *mem, const struct lb_token_key *key,
                              struct lb_bytes token, struct lb_diag *diag)
{
	lb_err err = verify_signature(key, mem, token);

	if (lb_code_of(err) == LB_E_DENIED)
		lb_diag_set(diag, "signature: expected one by the key \"%s\", got another",
		            key->kid);
	return err;
}

static lb_err split(struct lb_bytes parts[3], struct lb_bytes token, struct lb_diag *diag)
{
	struct lb_bytes rest = token;
	size_t count = 0;

	if (token.len > TOKEN_BYTES_MAX)
		return lb_fail(diag, LB_E_MALFORMED, "a token of %zu bytes; at most %d are read",
		               token.len, TOKEN_BYTES_MAX);
	while (count < 3 && lb_bytes_split(&parts[count], &rest, '.'))
		count++;
	if (count < 3 || parts[0].len + parts[1].len + parts[2].len + 2 != token.len)
		return lb_fail(diag, LB_E_MALFORMED,
		               "not a token: expected three parts with two dots between");
	return LB_OK;
}

static lb_err verify(struct lb_value **claims, struct lb_arena *arena,
                     const struct lb_token_keyset *keys, struct lb_bytes token,
                     const struct lb_token_expect *expect, struct lb_diag *diag)
{
	const struct lb_token_key *key;
	struct lb_bytes parts[3];
	struct lb_value *header;

	LB_TRY(split(parts, token, diag));
	if (parts[0].len > HEADER_BYTES_MAX)
		return lb_fail(diag, LB_E_MALFORMED, "the token's header: %zu bytes; at most %d",
		               parts[0].len, HEADER_BYTES_MAX);
	LB_TRY(read_part(&header, arena, parts[0], "header", diag));
	LB_TRY(find_signer(&key, keys, header, diag));
	LB_TRY(check_encoded(arena->under, parts[1], "the token's claims", diag));
	LB_TRY(check_encoded(arena->under, parts[2], "the token's signature", diag));
	LB_TRY(check_signature(arena->under, key, token, diag));
	LB_TRY(read_part(claims, arena, parts[1], "claims", diag));
	return check_claims(*claims, expect, diag);
}

lb_err lb_token_verify(struct lb_value **claims, struct lb_arena *arena,
                       const struct lb_token_keyset *keys, struct lb_bytes token,
                       const struct lb_token_expect *expect, struct lb_diag *diag)
{
	lb_err err;

	*claims = NULL;
	err = verify(claims, arena, keys, token, expect, diag);
	if (lb_failed(err))
		*claims = NULL;
	return err;
}
