/* identity.c - the identity provider of the jobs: discovery, keys, tokens.  See routes.h. */
#include "base/text.h"
#include "coordinator/api/routes.h"

enum { TOKEN_SECONDS = 300, TOKEN_BYTES_MAX = 16384, AUDIENCE_BYTES_MAX = 1024 };

void coord_api_discovery(struct lb_http_exchange *x, void *ctx)
{
	static const char *const claims[] = {
		"sub",
		"aud",
		"exp",
		"iat",
		"iss",
		"jti",
		"nbf",
		"environment",
		"job_workflow_ref",
		"job_workflow_sha",
		"runner_environment",
#define CLAIM(name) #name,
#include "coordinator/queue/claims.def"
#undef CLAIM
	};
	const struct coord_api *api = ctx;
	struct lb_arena *arena = &x->arena;
	struct lb_value *answer = lb_value_object(arena), *supported = lb_value_array(arena);
	struct lb_value *algorithms = lb_value_array(arena), *subjects = lb_value_array(arena);
	struct lb_value *responses = lb_value_array(arena), *scopes = lb_value_array(arena);

	for (unsigned i = 0; i < sizeof claims / sizeof claims[0]; i++)
		lb_value_add(arena, supported, lb_value_text(arena, claims[i]));
	lb_value_add(arena, algorithms, lb_value_text(arena, "RS256"));
	lb_value_add(arena, subjects, lb_value_text(arena, "public"));
	lb_value_add(arena, responses, lb_value_text(arena, "id_token"));
	lb_value_add(arena, scopes, lb_value_text(arena, "openid"));
	lb_value_set_text(arena, answer, "issuer", api->address);
	lb_value_put(arena, answer, "jwks_uri",
	             lb_value_string(arena,
	                             lb_arena_format(arena, "%s/.well-known/jwks", api->address)));
	lb_value_put(arena, answer, "subject_types_supported", subjects);
	lb_value_put(arena, answer, "response_types_supported", responses);
	lb_value_put(arena, answer, "claims_supported", supported);
	lb_value_put(arena, answer, "id_token_signing_alg_values_supported", algorithms);
	lb_value_put(arena, answer, "scopes_supported", scopes);
	lb_http_answer_json(x, 200, answer);
}

void coord_api_jwks(struct lb_http_exchange *x, void *ctx)
{
	const struct coord_api *api = ctx;
	struct lb_buf keys;
	lb_err err;

	lb_buf_init(&keys, &x->arena.mem, TOKEN_BYTES_MAX);
	err = lb_token_key_write_public(&keys, api->identity);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer(x, 200, "application/json", lb_buf_bytes(&keys));
}

static lb_err random_id(struct lb_value **out, struct lb_arena *arena, struct plat *plat)
{
	unsigned char chance[16];
	struct lb_buf text;

	LB_TRY(plat->ops->entropy(chance, plat, sizeof chance));
	lb_buf_init(&text, &arena->mem, 2 * sizeof chance);
	lb_hex_add(&text, (struct lb_bytes){ chance, sizeof chance });
	*out = lb_value_string(arena, lb_buf_bytes(&text));
	return lb_buf_check(&text);
}

static lb_err mint(struct lb_buf *out, struct lb_http_exchange *x, const struct coord_api *api)
{
	struct lb_arena *arena = &x->arena;
	struct lb_bytes audience = lb_http_query(x, "audience");
	uint64_t now_s = api->plat->ops->wall_ns(api->plat) / 1000000000u;
	struct lb_value *claims, *id;

	if (audience.len > AUDIENCE_BYTES_MAX)
		return lb_fail(&x->diag, LB_E_INVALID, "audience: expected at most %d bytes",
		               AUDIENCE_BYTES_MAX);
	LB_TRY(coord_queue_identity(&claims, api->queue, arena, lb_http_bearer(x), &x->diag));
	LB_TRY(random_id(&id, arena, api->plat));
	if (audience.len == 0)
		audience = lb_arena_format(arena, "%s/%.*s", api->address,
		                           LB_FMT(lb_value_get_string(claims, "repository_owner")));
	lb_value_set_text(arena, claims, "iss", api->address);
	lb_value_set_string(arena, claims, "aud", audience);
	lb_value_put(arena, claims, "jti", id);
	lb_value_set_number(arena, claims, "iat", (double)now_s);
	lb_value_set_number(arena, claims, "nbf", (double)now_s);
	lb_value_set_number(arena, claims, "exp", (double)(now_s + TOKEN_SECONDS));
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	return lb_token_sign(out, api->identity, claims);
}

void coord_api_id_token(struct lb_http_exchange *x, void *ctx)
{
	const struct coord_api *api = ctx;
	struct lb_value *answer = lb_value_object(&x->arena);
	struct lb_buf token;
	lb_err err;

	lb_buf_init(&token, &x->arena.mem, TOKEN_BYTES_MAX);
	err = mint(&token, x, api);
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_http_add_header(x, "Cache-Control", "no-store");
	lb_value_set_string(&x->arena, answer, "value", lb_buf_bytes(&token));
	lb_http_answer_json(x, 200, answer);
}
