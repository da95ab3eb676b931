/* token_fuzz.c - verifying anything, and reading anything as a key set: no token is ever accepted.
 */
#include "base/data/token.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len);

/* The public key of RFC 7638's example, whose other half nobody here has. */
static const char jwks[] =
	"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"e\":\"AQAB\",\"n\":\""
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc"
	"_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQ"
	"R0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bF"
	"TWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw\"}]}";

static void verify(const struct lb_token_keyset *keys, struct lb_bytes token)
{
	static const struct lb_token_expect expect = { LB_LIT("i"), LB_LIT("a"), 1000, 60 };
	struct lb_diag diag = { 0 };
	struct lb_value *claims;
	struct lb_arena arena;

	lb_arena_init(&arena, &lb_mem_host);
	if (!lb_failed(lb_token_verify(&claims, &arena, keys, token, &expect, &diag)) ||
	    claims != NULL || diag.text[0] == '\0')
		abort();
	lb_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const unsigned char *at, size_t len)
{
	static struct lb_token_keyset *keys;
	struct lb_bytes input = { at, len };
	struct lb_token_keyset *set;
	struct lb_token_key *key;

	if (keys == NULL && lb_failed(lb_token_keyset_read(&keys, &lb_mem_host, LB_B(jwks), NULL)))
		abort();
	verify(keys, input);
	lb_ignore(lb_token_keyset_read(&set, &lb_mem_host, input, NULL));
	lb_token_keyset_free(set);
	lb_ignore(lb_token_key_read(&key, &lb_mem_host, input, NULL));
	lb_token_key_free(key);
	return 0;
}
