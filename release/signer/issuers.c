/* issuers.c - see issuers.h. */
#include "release/signer/issuers.h"

#include "base/data/json.h"
#include "base/data/token.h"
#include "base/http/client.h"
#include "base/io/file.h"
#include "base/text.h"

#include <pthread.h>

enum { JWKS_MAX = 1 << 20, TOKEN_MAX = 16384, REFRESH_S = 10, KEEP_S = 3600 };
#define SECOND_NS UINT64_C(1000000000)

struct keys {
	struct lb_token_keyset *set; /* NULL: none yet */
	uint64_t fetched_ns, tried_ns;
};

struct release_issuers {
	struct lb_mem *mem;
	struct plat *plat;
	const struct release_policy *policy;
	char *folder;
	size_t folder_size;
	struct lb_http_client *client;
	pthread_mutex_t lock; /* over all below, and the client */
	struct keys *keys;    /* one for each issuer of the policy */
};

lb_err release_issuers_new(struct release_issuers **out, struct lb_mem *mem, struct plat *plat,
                           const struct release_policy *policy, const char *folder)
{
	struct release_issuers *issuers = LB_NEW(mem, struct release_issuers, 1);
	lb_err err = lb_err_of(LB_E_NOMEM);

	*out = NULL;
	if (issuers == NULL)
		return err;
	issuers->mem = mem;
	issuers->plat = plat;
	issuers->policy = policy;
	pthread_mutex_init(&issuers->lock, NULL);
	issuers->folder_size = strlen(folder) + 1;
	issuers->folder = lb_mem_text(mem, folder, issuers->folder_size - 1);
	issuers->keys = LB_NEW(mem, struct keys, policy->issuer_count);
	if (issuers->folder != NULL && issuers->keys != NULL)
		err = lb_http_client_new(&issuers->client, mem);
	if (lb_failed(err))
		release_issuers_free(issuers);
	else
		*out = issuers;
	return err;
}

void release_issuers_free(struct release_issuers *issuers)
{
	if (issuers == NULL)
		return;
	for (uint32_t i = 0; issuers->keys != NULL && i < issuers->policy->issuer_count; i++)
		lb_token_keyset_free(issuers->keys[i].set);
	LB_DROP(issuers->mem, issuers->keys, issuers->policy->issuer_count);
	lb_mem_drop(issuers->mem, issuers->folder, issuers->folder_size, 1);
	if (issuers->client != NULL)
		lb_http_client_free(issuers->client);
	pthread_mutex_destroy(&issuers->lock);
	LB_DROP(issuers->mem, issuers, 1);
}

/* ---- keys ---- */

static lb_err read_file(struct lb_buf *out, struct release_issuers *issuers, struct lb_arena *arena,
                        const struct release_issuer *issuer, struct lb_diag *diag)
{
	struct lb_bytes path =
		issuer->jwks.at[0] == '/'
			? lb_arena_bytes(arena, issuer->jwks)
			: lb_arena_format(arena, "%s/%.*s", issuers->folder, LB_FMT(issuer->jwks));

	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	return lb_file_read(out, issuers->plat, (const char *)path.at, diag);
}

static lb_err fetch(struct lb_buf *out, struct release_issuers *issuers, struct lb_arena *arena,
                    const struct release_issuer *issuer, struct lb_diag *diag)
{
	struct lb_bytes url = lb_arena_format(arena, "%.*s/.well-known/jwks", LB_FMT(issuer->url));
	struct lb_http_ask ask = { .url = (const char *)url.at, .timeout_ms = 10000 };
	struct lb_http_answer answer;
	lb_err err;

	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&answer.body, issuers->mem, JWKS_MAX);
	lb_buf_init(&answer.headers, issuers->mem, 65536);
	err = lb_http_ask_ok(issuers->client, &ask, &answer, diag);
	if (!lb_failed(err)) {
		lb_buf_add(out, lb_buf_bytes(&answer.body));
		err = lb_buf_check(out);
	}
	lb_buf_release(&answer.body);
	lb_buf_release(&answer.headers);
	return err;
}

/* Take the issuer's keys anew; what was there stays where that fails. */
static lb_err refresh(struct release_issuers *issuers, struct keys *keys, struct lb_arena *arena,
                      const struct release_issuer *issuer, struct lb_diag *diag)
{
	struct lb_token_keyset *set = NULL;
	struct lb_diag why = { 0 };
	struct lb_buf jwks;
	lb_err err;

	keys->tried_ns = issuers->plat->ops->now_ns(issuers->plat);
	lb_buf_init(&jwks, issuers->mem, JWKS_MAX);
	err = issuer->jwks.len > 0 ? read_file(&jwks, issuers, arena, issuer, &why)
	                           : fetch(&jwks, issuers, arena, issuer, &why);
	if (!lb_failed(err))
		err = lb_token_keyset_read(&set, issuers->mem, lb_buf_bytes(&jwks), &why);
	lb_buf_release(&jwks);
	if (lb_failed(err)) {
		lb_diag_set(diag, "the keys of the issuer %.*s cannot be had: %s",
		            LB_FMT(issuer->url), lb_diag_text(&why, err));
		return lb_code_of(err) == LB_E_NOMEM ? err : lb_err_of(LB_E_NETWORK);
	}
	lb_token_keyset_free(keys->set);
	keys->set = set;
	keys->fetched_ns = keys->tried_ns;
	return LB_OK;
}

static bool is_older(const struct release_issuers *issuers, uint64_t since_ns, uint64_t seconds)
{
	return issuers->plat->ops->now_ns(issuers->plat) - since_ns >= seconds * SECOND_NS;
}

/* ---- tokens ---- */

/* Who says to have issued it.  Chooses the keys, and is believed after they have verified it. */
static lb_err peek_issuer(struct lb_bytes *out, struct lb_arena *arena, struct lb_bytes token,
                          struct lb_diag *diag)
{
	struct lb_bytes header, payload;
	struct lb_value *claims;
	struct lb_buf text;

	if (token.len > TOKEN_MAX || !lb_bytes_split(&header, &token, '.') ||
	    !lb_bytes_split(&payload, &token, '.'))
		return lb_fail(diag, LB_E_DENIED, "the identity token is no JSON web token");
	lb_buf_init(&text, &arena->mem, TOKEN_MAX);
	if (lb_failed(lb_base64url_read(&text, payload)) ||
	    lb_failed(lb_json_read(&claims, arena, lb_buf_bytes(&text), NULL)))
		return arena->failed ? lb_err_of(LB_E_NOMEM)
		                     : lb_fail(diag, LB_E_DENIED,
		                               "the identity token is no JSON web token");
	*out = lb_value_get_string(claims, "iss");
	return LB_OK;
}

static lb_err verify_by(struct lb_value **claims, struct release_issuers *issuers,
                        struct lb_arena *arena, const struct release_issuer *issuer,
                        struct lb_bytes token, struct lb_diag *diag)
{
	struct keys *keys = &issuers->keys[issuer - issuers->policy->issuers];
	struct lb_token_expect expect = {
		.issuer = issuer->url,
		.audience = issuers->policy->audience,
		.now_s = issuers->plat->ops->wall_ns(issuers->plat) / SECOND_NS,
		.leeway_s = RELEASE_TOKEN_LEEWAY_S,
	};
	lb_err err;

	if (keys->set == NULL || is_older(issuers, keys->fetched_ns, KEEP_S)) {
		LB_TRY(refresh(issuers, keys, arena, issuer, diag));
		return lb_token_verify(claims, arena, keys->set, token, &expect, diag);
	}
	err = lb_token_verify(claims, arena, keys->set, token, &expect, diag);
	if (!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM ||
	    !is_older(issuers, keys->tried_ns, REFRESH_S) ||
	    lb_failed(refresh(issuers, keys, arena, issuer, NULL)))
		return err;
	return lb_token_verify(claims, arena, keys->set, token, &expect, diag);
}

lb_err release_issuers_verify(struct lb_value **claims, const struct release_issuer **issuer,
                              struct release_issuers *issuers, struct lb_arena *arena,
                              struct lb_bytes token, struct lb_diag *diag)
{
	struct lb_bytes url = { 0 };
	lb_err err;

	*claims = NULL;
	*issuer = NULL;
	LB_TRY(peek_issuer(&url, arena, token, diag));
	*issuer = release_policy_issuer(issuers->policy, url);
	if (*issuer == NULL)
		return lb_fail(diag, LB_E_DENIED, "iss: \"%.*s\" is none of the policy's issuers",
		               LB_FMT(lb_bytes_upto(url, 300)));
	pthread_mutex_lock(&issuers->lock);
	err = verify_by(claims, issuers, arena, *issuer, token, diag);
	pthread_mutex_unlock(&issuers->lock);
	/* A token that is none is refused like any other that is not good. */
	return lb_code_of(err) == LB_E_MALFORMED ? lb_err_of(LB_E_DENIED) : err;
}
