/* token_test.c - tokens: what is signed verifies, and nothing else does. */
#include "base/data/digest.h"
#include "base/data/json.h"
#include "base/data/token.h"
#include "base/text.h"
#include "tests/harness/test.h"

#include <stdlib.h>

enum { NOW = 1800000000 };

/* Two keys for all tests, since making one takes a while; they live as long as the program. */
static struct lb_token_key *key_of(size_t which)
{
	static struct lb_token_key *keys[2];

	if (keys[which] == NULL && lb_failed(lb_token_key_generate(&keys[which], &lb_mem_host)))
		abort();
	return keys[which];
}

static struct lb_token_keyset *set_of(size_t which)
{
	static struct lb_token_keyset *sets[2];
	struct lb_buf text;

	if (sets[which] != NULL)
		return sets[which];
	lb_buf_init(&text, &lb_mem_host, 1 << 16);
	if (lb_failed(lb_token_key_write_public(&text, key_of(which))) ||
	    lb_failed(lb_token_keyset_read(&sets[which], &lb_mem_host, lb_buf_bytes(&text), NULL)))
		abort();
	lb_buf_release(&text);
	return sets[which];
}

static const struct lb_token_expect expect = { LB_LIT("https://ci.example"), LB_LIT("release"), NOW,
	                                       60 };

static const char good_claims[] = "{\"iss\":\"https://ci.example\",\"aud\":\"release\","
				  "\"exp\":1800000300,\"nbf\":1800000000,\"iat\":1800000000,"
				  "\"jti\":\"1\",\"sub\":\"repo:a/b\"}";

/* The claims with one member put in (JSON text) or, where that is NULL, left out. */
static struct lb_value *claims_with(struct lb_arena *arena, const char *name, const char *json)
{
	struct lb_value *claims = NULL, *member = NULL, *out = lb_value_object(arena);

	if (lb_failed(lb_json_read(&claims, arena, lb_bytes_of(good_claims), NULL)))
		abort();
	if (json != NULL && lb_failed(lb_json_read(&member, arena, lb_bytes_of(json), NULL)))
		abort();
	for (uint32_t i = 0; i < claims->count; i++) {
		if (name == NULL || !lb_bytes_is(claims->members[i].key, name))
			lb_value_set(arena, out, claims->members[i].key, claims->members[i].value);
	}
	if (member != NULL)
		lb_value_put(arena, out, name, member);
	return out;
}

static void sign(struct test *t, struct lb_buf *token, size_t which, const char *name,
                 const char *json)
{
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	lb_buf_init(token, t->mem, 1 << 16);
	CHECK_OK(lb_token_sign(token, key_of(which), claims_with(&arena, name, json)));
	lb_arena_release(&arena);
}

static void check_token(struct test *t, struct lb_bytes token, const struct lb_token_expect *want,
                        enum lb_code code, const char *prose)
{
	struct lb_value *claims = NULL;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, t->mem);
	err = lb_token_verify(&claims, &arena, set_of(0), token, want, &diag);
	CHECK(lb_code_of(err) == code && (claims == NULL) == lb_failed(err));
	if (strncmp(diag.text, prose, strlen(prose)) != 0 || prose[0] == '\0')
		CHECK_TEXT(diag.text, prose);
	if (!lb_failed(err))
		CHECK_BYTES(lb_value_get_string(claims, "sub"), "repo:a/b");
	lb_arena_release(&arena);
}

static void check_claim(struct test *t, const char *name, const char *json, enum lb_code code,
                        const char *prose)
{
	struct lb_buf token;

	sign(t, &token, 0, name, json);
	check_token(t, lb_buf_bytes(&token), &expect, code, prose);
	lb_buf_release(&token);
}

TEST(tokens_verify_what_was_signed) { check_claim(t, NULL, NULL, LB_E_NONE, ""); }

TEST(tokens_are_refused_by_the_claim_that_does_not_hold)
{
	check_claim(t, "iss", "\"https://evil\"", LB_E_DENIED,
	            "iss: expected \"https://ci.example\", got \"https://evil\"");
	check_claim(t, "iss", NULL, LB_E_DENIED,
	            "iss: expected \"https://ci.example\", got nothing");
	check_claim(t, "aud", "\"other\"", LB_E_DENIED, "aud: expected \"release\", got \"other\"");
	check_claim(t, "aud", "[\"release\"]", LB_E_DENIED,
	            "aud: expected \"release\", got an array");
	check_claim(t, "aud", "\"release\\u0000\"", LB_E_DENIED,
	            "aud: expected \"release\", got \"release?\"");
	check_claim(t, "jti", NULL, LB_E_DENIED, "jti: expected a text, got nothing");
	check_claim(t, "jti", "\"\"", LB_E_DENIED, "jti: expected a text, got an empty text");
	check_claim(t, "jti", "7", LB_E_DENIED, "jti: expected a text, got a number");
}

TEST(tokens_hold_for_their_time)
{
	check_claim(t, "exp", "1799999941", LB_E_NONE, "");
	check_claim(t, "exp", "1799999940", LB_E_DENIED,
	            "exp: expected a token that still holds, got one that expired 60 s ago");
	check_claim(t, "nbf", "1800000060", LB_E_NONE, "");
	check_claim(t, "nbf", "1800000061", LB_E_DENIED,
	            "nbf: expected a token that holds already, got one that does in 61 s");
	check_claim(t, "iat", "1800000060", LB_E_NONE, "");
	check_claim(t, "iat", "1800000061", LB_E_DENIED,
	            "iat: expected a token from the past, got one from 61 s ahead");
	check_claim(t, "exp", NULL, LB_E_DENIED,
	            "exp: expected whole seconds since 1970, got nothing");
	check_claim(t, "nbf", NULL, LB_E_DENIED,
	            "nbf: expected whole seconds since 1970, got nothing");
	check_claim(t, "iat", NULL, LB_E_DENIED,
	            "iat: expected whole seconds since 1970, got nothing");
	check_claim(t, "exp", "\"1900000000\"", LB_E_DENIED,
	            "exp: expected whole seconds since 1970, got \"1900000000\"");
	check_claim(t, "exp", "1900000000.5", LB_E_DENIED,
	            "exp: expected whole seconds since 1970, got a number");
	check_claim(t, "exp", "-1", LB_E_DENIED,
	            "exp: expected whole seconds since 1970, got a number");
	check_claim(t, "exp", "1e300", LB_E_DENIED,
	            "exp: expected whole seconds since 1970, got a number");
}

/* ---- forged tokens, made by hand ---- */

static void get_kid(char kid[64], size_t which)
{
	struct lb_value *jwks = NULL;
	struct lb_arena arena;
	struct lb_buf text;

	lb_arena_init(&arena, &lb_mem_host);
	lb_buf_init(&text, &lb_mem_host, 1 << 16);
	if (lb_failed(lb_token_key_write_public(&text, key_of(which))) ||
	    lb_failed(lb_json_read(&jwks, &arena, lb_buf_bytes(&text), NULL)))
		abort();
	(void)snprintf(kid, 64, "%.*s",
	               LB_FMT(lb_value_get_string(lb_value_get(jwks, "keys")->items[0], "kid")));
	lb_buf_release(&text);
	lb_arena_release(&arena);
}

/* `header` has a %s for the kid; `signature` is put behind as it is. */
static void check_forged(struct test *t, const char *before, const char *after, const char *claims,
                         struct lb_bytes signature, enum lb_code code, const char *prose)
{
	struct lb_buf token;
	char kid[64], header[256];

	get_kid(kid, 0);
	(void)snprintf(header, sizeof header, "%s%s%s", before, kid, after);
	lb_buf_init(&token, t->mem, 1 << 16);
	lb_base64url_add(&token, lb_bytes_of(header));
	lb_buf_add_byte(&token, '.');
	lb_base64url_add(&token, lb_bytes_of(claims));
	lb_buf_add_byte(&token, '.');
	lb_base64url_add(&token, signature);
	check_token(t, lb_buf_bytes(&token), &expect, code, prose);
	lb_buf_release(&token);
}

TEST(tokens_take_no_other_algorithm)
{
	static const char *const others[] = { "none",  "None",  "HS256", "RS512",
		                              "PS256", "ES256", "rs256" };

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		char before[64], prose[64];

		(void)snprintf(before, sizeof before, "{\"alg\":\"%s\",\"kid\":\"", others[i]);
		(void)snprintf(prose, sizeof prose, "alg: expected \"RS256\", got \"%s\"",
		               others[i]);
		check_forged(t, before, "\"}", good_claims, LB_B(""), LB_E_DENIED, prose);
		check_forged(t, before, "\"}", good_claims, LB_B("x"), LB_E_DENIED, prose);
	}
	check_forged(t, "{\"kid\":\"", "\"}", good_claims, LB_B("x"), LB_E_DENIED,
	             "alg: expected \"RS256\", got nothing");
	check_forged(t, "{\"alg\":[\"RS256\"],\"kid\":\"", "\"}", good_claims, LB_B("x"),
	             LB_E_DENIED, "alg: expected \"RS256\", got an array");
}

/* The classic: the public key, which everybody has, as the secret of a symmetric signature. */
TEST(tokens_take_no_public_key_for_a_secret)
{
	unsigned char mac[LB_SHA256_SIZE];
	struct lb_buf secret, token;
	char kid[64];

	lb_buf_init(&secret, t->mem, 1 << 16);
	lb_buf_init(&token, t->mem, 1 << 16);
	get_kid(kid, 0);
	CHECK_OK(lb_token_key_write_public(&secret, key_of(0)));
	lb_buf_addf(&token, "{\"alg\":\"HS256\",\"kid\":\"%s\"}", kid);
	{
		struct lb_buf head = token;

		lb_buf_init(&token, t->mem, 1 << 16);
		lb_base64url_add(&token, lb_buf_bytes(&head));
		lb_buf_release(&head);
	}
	lb_buf_add_byte(&token, '.');
	lb_base64url_add(&token, lb_bytes_of(good_claims));
	CHECK_OK(lb_hmac_sha256(mac, lb_buf_bytes(&secret), lb_buf_bytes(&token)));
	lb_buf_add_byte(&token, '.');
	lb_base64url_add(&token, (struct lb_bytes){ mac, sizeof mac });
	check_token(t, lb_buf_bytes(&token), &expect, LB_E_DENIED,
	            "alg: expected \"RS256\", got \"HS256\"");
	lb_buf_release(&token);
	lb_buf_release(&secret);
}

TEST(tokens_name_their_key)
{
	struct lb_buf token;

	sign(t, &token, 1, NULL, NULL);
	check_token(t, lb_buf_bytes(&token), &expect, LB_E_DENIED,
	            "kid: expected a key of the set");
	lb_buf_release(&token);
	check_forged(t, "{\"alg\":\"RS256\",\"kid\":\"x", "\"}", good_claims, LB_B("x"),
	             LB_E_DENIED, "kid: expected a key of the set, got \"x");
	check_forged(t, "{\"alg\":\"RS256\",\"x\":\"", "\"}", good_claims, LB_B("x"), LB_E_DENIED,
	             "kid: expected a key of the set, got nothing");
	check_forged(t, "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"kid\":\"", "\"}", good_claims,
	             LB_B("x"), LB_E_DENIED, "crit: expected no critical extensions");
	check_forged(t, "{\"alg\":\"RS256\",\"typ\":\"x\",\"kid\":\"", "\"}", good_claims,
	             LB_B("x"), LB_E_DENIED, "typ: expected \"JWT\"");
	check_forged(t, "{\"alg\":\"RS256\",\"alg\":\"none\",\"kid\":\"", "\"}", good_claims,
	             LB_B("x"), LB_E_MALFORMED, "the token's header: line 1, column 16: duplicate");
}

/* Another key under the same name. */
TEST(tokens_need_the_key_itself)
{
	struct lb_token_key *impostor;
	struct lb_value *jwk = NULL;
	struct lb_arena arena;
	struct lb_buf text, token;
	char kid[64];

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&text, t->mem, 1 << 16);
	lb_buf_init(&token, t->mem, 1 << 16);
	get_kid(kid, 0);
	CHECK_OK(lb_token_key_write(&text, key_of(1)));
	CHECK_OK(lb_json_read(&jwk, &arena, lb_buf_bytes(&text), NULL));
	lb_value_set_text(&arena, jwk, "kid", kid);
	lb_buf_reset(&text);
	lb_value_write(&text, jwk, false);
	CHECK_OK(lb_token_key_read(&impostor, t->mem, lb_buf_bytes(&text), NULL));
	CHECK_OK(lb_token_sign(&token, impostor, claims_with(&arena, NULL, NULL)));
	check_token(t, lb_buf_bytes(&token), &expect, LB_E_DENIED,
	            "signature: expected one by the key \"");
	lb_token_key_free(impostor);
	lb_buf_release(&token);
	lb_buf_release(&text);
	lb_arena_release(&arena);
}

/* Each character of the token changed to another of the alphabet. */
TEST(tokens_bear_no_change)
{
	struct lb_buf token;

	sign(t, &token, 0, NULL, NULL);
	for (size_t i = 0; i < token.len; i++) {
		struct lb_value *claims;
		struct lb_arena arena;
		unsigned char was = token.at[i];

		token.at[i] = was == 'A' ? 'B' : 'A';
		lb_arena_init(&arena, t->mem);
		CHECK(lb_failed(lb_token_verify(&claims, &arena, set_of(0), lb_buf_bytes(&token),
		                                &expect, NULL)));
		CHECK(claims == NULL);
		lb_arena_release(&arena);
		token.at[i] = was;
	}
	lb_buf_release(&token);
}

TEST(tokens_refuse_every_truncation)
{
	struct lb_buf token;

	sign(t, &token, 0, NULL, NULL);
	for (size_t len = 0; len < token.len; len++) {
		struct lb_bytes exact = test_exact(lb_bytes_upto(lb_buf_bytes(&token), len));
		struct lb_value *claims;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = lb_token_verify(&claims, &arena, set_of(0), exact, &expect, NULL);
		CHECK(lb_code_of(err) == LB_E_MALFORMED || lb_code_of(err) == LB_E_DENIED);
		lb_arena_release(&arena);
		test_exact_free(exact);
	}
	lb_buf_release(&token);
}

/* libcjose would assert on these: they must not come that far. */
TEST(tokens_refuse_what_is_not_base64url)
{
	struct lb_buf token;
	size_t dot;

	sign(t, &token, 0, NULL, NULL);
	dot = lb_bytes_find_byte(lb_buf_bytes(&token), '.');
	token.at[dot + 5] = '=';
	check_token(t, lb_buf_bytes(&token), &expect, LB_E_MALFORMED,
	            "the token's claims: not base64url");
	token.at[dot + 5] = 'A';
	token.at[token.len - 5] = '=';
	check_token(t, lb_buf_bytes(&token), &expect, LB_E_MALFORMED,
	            "the token's signature: not base64url");
	lb_buf_release(&token);
}

TEST(tokens_refuse_garbage)
{
	static const char three[] = "not a token: expected three parts with two dots between";

	check_token(t, LB_B(""), &expect, LB_E_MALFORMED, three);
	check_token(t, LB_B("a.b"), &expect, LB_E_MALFORMED, three);
	check_token(t, LB_B("a.b.c.d"), &expect, LB_E_MALFORMED, three);
	check_token(t, LB_B(".."), &expect, LB_E_MALFORMED, "the token's header: ");
	check_token(t, LB_B("!!!.b.c"), &expect, LB_E_MALFORMED,
	            "the token's header: not base64url");
	check_token(t, LB_B("e30.e30."), &expect, LB_E_DENIED, "alg: expected \"RS256\"");
	check_token(t, LB_B("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.x"), &expect, LB_E_DENIED,
	            "kid: expected a key of the set, got \"k\"");
	check_token(t, LB_B("W10.e30."), &expect, LB_E_MALFORMED,
	            "the token's header: not a JSON object");
}

/* ---- keys ---- */

TEST(token_keys_can_be_written_and_read)
{
	struct lb_token_key *again;
	struct lb_buf first, second;

	lb_buf_init(&first, t->mem, 1 << 16);
	lb_buf_init(&second, t->mem, 1 << 16);
	CHECK_OK(lb_token_key_write(&first, key_of(0)));
	CHECK_OK(lb_token_key_read(&again, t->mem, lb_buf_bytes(&first), NULL));
	CHECK_OK(lb_token_key_write(&second, again));
	CHECK_BYTES(lb_buf_bytes(&second), lb_buf_text(&first));
	lb_token_key_free(again);
	lb_buf_reset(&first);
	CHECK_OK(lb_token_key_write_public(&first, key_of(0)));
	CHECK(strstr(lb_buf_text(&first), "\"d\"") == NULL);
	CHECK(strstr(lb_buf_text(&first), "{\"keys\":[{\"kty\":\"RSA\"") != NULL);
	lb_buf_release(&first);
	lb_buf_release(&second);
}

static void get_thumbprint(struct lb_buf *out, struct lb_bytes e, struct lb_bytes n)
{
	unsigned char digest[LB_SHA256_SIZE];
	struct lb_buf text;

	lb_buf_init(&text, &lb_mem_host, 1 << 16);
	lb_buf_addf(&text, "{\"e\":\"%.*s\",\"kty\":\"RSA\",\"n\":\"%.*s\"}", LB_FMT(e), LB_FMT(n));
	if (lb_failed(lb_sha256(digest, lb_buf_bytes(&text))))
		abort();
	lb_base64url_add(out, (struct lb_bytes){ digest, sizeof digest });
	lb_buf_release(&text);
}

/* What is expected is made by the recipe of RFC 7638, which its own example (3.1) checks here. */
TEST(token_keys_are_named_by_their_thumbprint)
{
	static const char n[] = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu"
				"1RK7aPFFxuhDR1L6tSoc"
				"_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_"
				"RN5w6Cf0h4QyQ5v-65YGjQ"
				"R0_"
				"FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOp"
				"bISD08qNLyrdkt-bF"
				"TWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
				"kEgU8awapJzKnqDKgw";
	struct lb_value *jwks = NULL;
	const struct lb_value *jwk;
	struct lb_arena arena;
	struct lb_buf text, want;
	char kid[64];

	lb_arena_init(&arena, t->mem);
	lb_buf_init(&text, t->mem, 1 << 16);
	lb_buf_init(&want, t->mem, 1 << 16);
	get_thumbprint(&want, LB_B("AQAB"), LB_B(n));
	CHECK_TEXT(lb_buf_text(&want), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
	lb_buf_reset(&want);
	CHECK_OK(lb_token_key_write_public(&text, key_of(0)));
	CHECK_OK(lb_json_read(&jwks, &arena, lb_buf_bytes(&text), NULL));
	jwk = lb_value_get(jwks, "keys")->items[0];
	get_thumbprint(&want, lb_value_get_string(jwk, "e"), lb_value_get_string(jwk, "n"));
	get_kid(kid, 0);
	CHECK_TEXT(kid, lb_buf_text(&want));
	lb_buf_release(&want);
	lb_buf_release(&text);
	lb_arena_release(&arena);
}

static void check_key_refused(struct test *t, const char *jwk, const char *prose)
{
	struct lb_token_key *key;
	struct lb_diag diag = { 0 };

	CHECK(lb_code_of(lb_token_key_read(&key, t->mem, lb_bytes_of(jwk), &diag)) ==
	      LB_E_MALFORMED);
	CHECK(key == NULL);
	CHECK_TEXT(diag.text, prose);
}

TEST(token_keys_that_are_none_are_refused)
{
	struct lb_value *jwk = NULL;
	struct lb_token_key *key;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;
	struct lb_buf text;

	check_key_refused(t, "", "line 1, column 1: a JSON value expected, found nothing");
	check_key_refused(t, "[]", "a JWK is a JSON object");
	check_key_refused(t, "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
	                  "kty: expected \"RSA\", got \"oct\"");
	check_key_refused(t, "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
	                  "d: expected a private key, got a public one");
	check_key_refused(t, "{\"kty\":\"RSA\",\"d\":\"AQAB\"}",
	                  "the JWK is not a well-formed RSA key");
	check_key_refused(t, "{\"kty\":\"RSA\",\"n\":\"AQ=AB\",\"d\":\"AQAB\"}",
	                  "n: not base64url");
	check_key_refused(t, "{\"kty\":\"RSA\",\"n\":7,\"d\":\"AQAB\"}",
	                  "n: expected base64url text");
	check_key_refused(t, "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AQAB\"}",
	                  "the JWK has 24 bits; expected 2048 or more");
	lb_arena_init(&arena, t->mem);
	lb_buf_init(&text, t->mem, 1 << 16);
	CHECK_OK(lb_token_key_write(&text, key_of(0)));
	CHECK_OK(lb_json_read(&jwk, &arena, lb_buf_bytes(&text), NULL));
	lb_value_set_text(&arena, jwk, "e", "Aw");
	lb_buf_reset(&text);
	lb_value_write(&text, jwk, false);
	CHECK(lb_code_of(lb_token_key_read(&key, t->mem, lb_buf_bytes(&text), &diag)) ==
	      LB_E_INVALID);
	CHECK_TEXT(diag.text, "the private JWK does not sign what it verifies");
	CHECK(key == NULL);
	lb_buf_release(&text);
	lb_arena_release(&arena);
}

static void check_set_refused(struct test *t, const char *jwks, const char *prose)
{
	struct lb_token_keyset *set;
	struct lb_diag diag = { 0 };

	CHECK(lb_code_of(lb_token_keyset_read(&set, t->mem, lb_bytes_of(jwks), &diag)) ==
	      LB_E_MALFORMED);
	CHECK(set == NULL);
	CHECK_TEXT(diag.text, prose);
}

TEST(token_key_sets_that_are_none_are_refused)
{
	struct lb_token_keyset *set;

	check_set_refused(t, "{}", "keys: a key set is {\"keys\": [...]}");
	check_set_refused(t, "{\"keys\":[{\"kty\":\"RSA\"}]}", "kid: a key without a name");
	check_set_refused(t, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"d\":\"AQAB\"}]}",
	                  "d: a private key in a set of public ones");
	check_set_refused(
		t, "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"a\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
		"the JWK has 24 bits; expected 2048 or more");
	CHECK_OK(lb_token_keyset_read(
		&set, t->mem,
		LB_B("{\"keys\":[{\"kty\":\"EC\"},{\"kty\":\"RSA\",\"use\":\"enc\"},{},7]}"),
		NULL));
	lb_token_keyset_free(set);
	CHECK_OK(lb_token_keyset_read(&set, t->mem, LB_B("{\"keys\":[]}"), NULL));
	lb_token_keyset_free(set);
}

/* ---- memory running out ---- */

TEST(token_keys_survive_every_oom)
{
	struct lb_buf jwk, jwks;

	lb_buf_init(&jwk, &lb_mem_host, 1 << 16);
	lb_buf_init(&jwks, &lb_mem_host, 1 << 16);
	CHECK_OK(lb_token_key_write(&jwk, key_of(0)));
	CHECK_OK(lb_token_key_write_public(&jwks, key_of(0)));
	EACH_OOM (t) {
		struct lb_token_key *key;
		lb_err err = lb_token_key_generate(&key, t->mem);

		CHECK(lb_failed(err) == t->heap.failed && (key == NULL) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_token_key_free(key);
	}
	EACH_OOM (t) {
		struct lb_token_key *key;
		lb_err err = lb_token_key_read(&key, t->mem, lb_buf_bytes(&jwk), NULL);

		CHECK(lb_failed(err) == t->heap.failed && (key == NULL) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_token_key_free(key);
	}
	EACH_OOM (t) {
		struct lb_token_keyset *set;
		lb_err err = lb_token_keyset_read(&set, t->mem, lb_buf_bytes(&jwks), NULL);

		CHECK(lb_failed(err) == t->heap.failed && (set == NULL) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_token_keyset_free(set);
	}
	lb_buf_release(&jwk);
	lb_buf_release(&jwks);
}

TEST(tokens_survive_every_oom)
{
	struct lb_token_key *key = NULL;
	struct lb_arena claims;
	struct lb_buf jwk, token;

	lb_arena_init(&claims, &lb_mem_host);
	lb_buf_init(&jwk, &lb_mem_host, 1 << 16);
	lb_buf_init(&token, &lb_mem_host, 1 << 16);
	CHECK_OK(lb_token_sign(&token, key_of(0), claims_with(&claims, NULL, NULL)));
	CHECK_OK(lb_token_key_write(&jwk, key_of(0)));
	EACH_OOM (t) {
		struct lb_buf out;
		lb_err err = lb_token_key_read(&key, t->mem, lb_buf_bytes(&jwk), NULL);

		lb_buf_init(&out, t->mem, 1 << 16);
		if (!lb_failed(err))
			err = lb_token_sign(&out, key, claims_with(&claims, NULL, NULL));
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_token_key_free(key);
		lb_buf_release(&out);
	}
	EACH_OOM (t) {
		struct lb_value *got;
		struct lb_arena arena;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		err = lb_token_verify(&got, &arena, set_of(0), lb_buf_bytes(&token), &expect, NULL);
		CHECK(lb_failed(err) == t->heap.failed && (got == NULL) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_arena_release(&arena);
	}
	lb_buf_release(&token);
	lb_buf_release(&jwk);
	lb_arena_release(&claims);
}
