/* access.c - who asks, and what they may; see api.h.
 *
 * Tokens are compared by their SHA-256, all of them in the same time, and never
 * written anywhere.  On a loopback address the Host must be a loopback name, so
 * that no web page can make a browser ask here under a name of its own.
 */
#include "base/data/json.h"
#include "base/io/file.h"
#include "base/text.h"
#include "coordinator/api/api.h"

#include <stdio.h>

/* ---- tokens ---- */

static lb_err keep_token(void *ctx, struct lb_bytes hash, struct lb_bytes kind)
{
	struct coord_api *api = ctx;
	struct coord_access_token *token = &api->tokens[api->token_count];

	if (api->token_count == COORD_TOKENS_MAX || hash.len != LB_SHA256_HEX || kind.len != 3)
		return lb_err_of(LB_E_LIMIT);
	memcpy(token->hash, hash.at, hash.len);
	memcpy(token->kind, kind.at, kind.len);
	api->token_count++;
	return LB_OK;
}

static bool has_kind(const struct coord_api *api, const char *kind)
{
	for (size_t i = 0; i < api->token_count; i++)
		if (strcmp(api->tokens[i].kind, kind) == 0)
			return true;
	return false;
}

/* The file first: a token that nobody can read would be of no use. */
static lb_err make_token(struct coord_api *api, const char *kind, const char *file,
                         struct lb_diag *diag)
{
	char path[COORD_PATH_SIZE], text[COORD_TOKEN_SIZE], hash[LB_SHA256_HEX + 1];
	unsigned char chance[32];
	struct lb_buf hex;
	lb_err err;

	LB_TRY(api->plat->ops->entropy(chance, api->plat, sizeof chance));
	lb_buf_init(&hex, api->mem, 2 * sizeof chance);
	lb_hex_add(&hex, (struct lb_bytes){ chance, sizeof chance });
	(void)snprintf(text, sizeof text, "%s_%s", kind, lb_buf_text(&hex));
	err = lb_buf_check(&hex);
	lb_buf_release(&hex);
	LB_TRY(err);
	if ((size_t)snprintf(path, sizeof path, "%s/%s", api->state, file) >= sizeof path)
		return lb_fail(diag, LB_E_LIMIT, "%s: the path is too long", api->state);
	LB_TRY(lb_file_write(api->plat, path, lb_bytes_of(text), PLAT_PRIVATE, diag));
	LB_TRY(lb_sha256_hex(hash, lb_bytes_of(text)));
	return coord_store_add_token(api->store, lb_bytes_of(hash), kind,
	                             api->plat->ops->wall_ns(api->plat) / 1000000);
}

static lb_err load_tokens(struct coord_api *api, struct lb_diag *diag)
{
	LB_TRY(coord_store_each_token(api->store, keep_token, api));
	if (has_kind(api, "lbu") && has_kind(api, "lbr"))
		return LB_OK;
	if (!has_kind(api, "lbu"))
		LB_TRY(make_token(api, "lbu", "token", diag));
	if (!has_kind(api, "lbr"))
		LB_TRY(make_token(api, "lbr", "runner-token", diag));
	api->token_count = 0;
	return coord_store_each_token(api->store, keep_token, api);
}

lb_err coord_api_load_tokens(struct coord_api *api, struct lb_diag *diag)
{
	lb_err err;

	LB_TRY(coord_store_begin(api->store));
	err = load_tokens(api, diag);
	if (!lb_failed(err))
		return coord_store_commit(api->store);
	coord_store_rollback(api->store);
	return err;
}

bool coord_token_is(const struct coord_api *api, struct lb_bytes token, const char *kind)
{
	char hash[LB_SHA256_HEX + 1];
	bool found = false;

	if (token.len == 0 || lb_failed(lb_sha256_hex(hash, token)))
		return false;
	for (size_t i = 0; i < api->token_count; i++)
		found |= lb_bytes_eq_secret(lb_bytes_of(hash), lb_bytes_of(api->tokens[i].hash)) &&
		         strcmp(api->tokens[i].kind, kind) == 0;
	return found;
}

/* ---- the host ---- */

static struct lb_bytes without_port(struct lb_bytes host)
{
	size_t colon = lb_bytes_rfind_byte(host, ':');

	if (colon == SIZE_MAX || lb_bytes_ends(host, LB_B("]")))
		return host;
	return lb_bytes_upto(host, colon);
}

static bool is_loopback_name(struct lb_bytes name)
{
	return lb_bytes_is(name, "127.0.0.1") || lb_bytes_is(name, "[::1]") ||
	       lb_bytes_eq_nocase(name, LB_B("localhost")) ||
	       (name.len > 10 &&
	        lb_bytes_eq_nocase(lb_bytes_from(name, name.len - 10), LB_B(".localhost")));
}

static lb_err check_host(struct lb_http_exchange *x, const struct coord_api *api)
{
	struct lb_bytes host = lb_http_request_header(x, "Host");

	if (!atomic_load(&api->ready))
		return lb_fail(&x->diag, LB_E_BUSY, "the coordinator is starting");
	if (!api->loopback || is_loopback_name(without_port(host)))
		return LB_OK;
	return lb_fail(&x->diag, LB_E_DENIED,
	               "Host: expected a name of this machine (localhost), got '%.*s'",
	               LB_FMT(host));
}

/* 401 tells a client to send what it has; git asks its user only then. */
static lb_err unauthorised(struct lb_http_exchange *x, const char *expected)
{
	struct lb_value *body = lb_value_object(&x->arena);

	lb_value_put(&x->arena, body, "message",
	             lb_value_string(&x->arena, lb_arena_format(&x->arena,
	                                                        "expected %s as bearer token, or "
	                                                        "as the password of Basic",
	                                                        expected)));
	lb_http_add_header(x, "WWW-Authenticate", "Basic realm=\"Lifeboat\"");
	lb_http_answer_json(x, 401, body);
	return lb_err_of(LB_E_DENIED);
}

static bool is_job_token(struct coord_api *api, struct lb_http_exchange *x, struct lb_bytes token)
{
	struct coord_held held;

	if (lb_failed(coord_queue_check_token(&held, api->queue, &x->arena, token)))
		return false;
	coord_log_decref(held.log);
	return true;
}

/* A good token of another kind is no reason to ask for one: it may not do this. */
static lb_err check_kind(struct lb_http_exchange *x, struct coord_api *api, const char *kind,
                         const char *expected)
{
	struct lb_bytes token = lb_http_bearer(x);

	LB_TRY(check_host(x, api));
	if (coord_token_is(api, token, kind))
		return LB_OK;
	if (coord_token_is(api, token, "lbu") || coord_token_is(api, token, "lbr") ||
	    is_job_token(api, x, token))
		return lb_fail(&x->diag, LB_E_DENIED, "this takes %s; yours is of another kind",
		               expected);
	return unauthorised(x, expected);
}

/* ---- checks ---- */

COORD_ACCESS(open) { return check_host(x, ctx); }

COORD_ACCESS(person) { return check_kind(x, ctx, "lbu", "a person's token"); }

COORD_ACCESS(reader)
{
	const struct coord_api *api = ctx;

	return api->loopback ? check_host(x, api) : coord_check_person(x, ctx);
}

COORD_ACCESS(runner) { return check_kind(x, ctx, "lbr", "a runner's token"); }

lb_err coord_claim_of(struct coord_claim *out, struct lb_http_exchange *x)
{
	struct lb_bytes fence = lb_http_request_header(x, "Lifeboat-Fence");

	*out = (struct coord_claim){ .lease = lb_http_param(x, "lease"),
		                     .token = lb_http_bearer(x) };
	if (lb_failed(lb_bytes_u64(&out->fence, fence, INT64_MAX)))
		return lb_fail(&x->diag, LB_E_INVALID,
		               "Lifeboat-Fence: expected the lease's fencing number, got '%.*s'",
		               LB_FMT(fence));
	return LB_OK;
}

COORD_ACCESS(lease)
{
	struct coord_api *api = ctx;
	struct coord_claim claim;
	struct coord_held held;

	LB_TRY(check_host(x, api));
	if (lb_http_bearer(x).len == 0)
		return unauthorised(x, "the job's token");
	LB_TRY(coord_claim_of(&claim, x));
	LB_TRY(coord_queue_check(&held, api->queue, &x->arena, &claim, &x->diag));
	coord_log_decref(held.log);
	return LB_OK;
}

/* Fetching: a person, or a job of this very repository.  Pushing: a person. */
COORD_ACCESS(git)
{
	struct coord_api *api = ctx;
	struct lb_bytes token = lb_http_bearer(x), name = lb_http_param(x, "name");
	bool pushes = lb_bytes_is(lb_http_query(x, "service"), "git-receive-pack") ||
	              lb_bytes_ends(lb_bytes_of(x->path), LB_B("/git-receive-pack"));
	struct lb_bytes owner = lb_http_param(x, "owner"), wanted;
	struct coord_held held;
	bool own;

	LB_TRY(check_host(x, api));
	if (!lb_bytes_ends(name, LB_B(".git")))
		return lb_fail(&x->diag, LB_E_NOTFOUND, "expected /git/OWNER/NAME.git");
	wanted = lb_arena_format(&x->arena, "%.*s/%.*s", LB_FMT(owner),
	                         LB_FMT(lb_bytes_upto(name, name.len - 4)));
	if (!coord_repository_is_name(wanted))
		return lb_fail(&x->diag, LB_E_NOTFOUND, "'%.*s' is no name of a repository",
		               LB_FMT(wanted));
	if (coord_token_is(api, token, "lbu"))
		return LB_OK;
	if (lb_failed(coord_queue_check_token(&held, api->queue, &x->arena, token)))
		return coord_token_is(api, token, "lbr")
		               ? lb_fail(&x->diag, LB_E_DENIED,
		                         "a runner has no repository; its jobs' tokens have")
		               : unauthorised(x, "a person's or a job's token");
	coord_log_decref(held.log);
	own = lb_bytes_eq_nocase(held.repository, wanted);
	if (own && !pushes)
		return LB_OK;
	return lb_fail(&x->diag, LB_E_DENIED, "a job's token may only fetch %.*s",
	               LB_FMT(held.repository));
}

/* ---- what handlers read ---- */

lb_err coord_param_id(uint64_t *out, struct lb_http_exchange *x, const char *name)
{
	struct lb_bytes text = lb_http_param(x, name);

	if (!lb_failed(lb_bytes_u64(out, text, INT64_MAX)))
		return LB_OK;
	return lb_fail(&x->diag, LB_E_NOTFOUND, "expected a number in the path, got '%.*s'",
	               LB_FMT(text));
}

lb_err coord_query_number(uint64_t *out, struct lb_http_exchange *x, const char *name,
                          uint64_t otherwise)
{
	struct lb_bytes text = lb_http_query(x, name);

	*out = otherwise;
	if (!lb_http_has_query(x, name) || !lb_failed(lb_bytes_u64(out, text, INT64_MAX)))
		return LB_OK;
	return lb_fail(&x->diag, LB_E_INVALID, "%s: expected a whole number, got '%.*s'", name,
	               LB_FMT(text));
}

lb_err coord_body_object(struct lb_value **out, struct lb_http_exchange *x)
{
	if (lb_bytes_trim(x->body).len == 0) {
		*out = lb_value_object(&x->arena);
		return LB_OK;
	}
	LB_TRY(lb_json_read(out, &x->arena, x->body, &x->diag));
	if ((*out)->kind == LB_OBJECT)
		return LB_OK;
	return lb_fail(&x->diag, LB_E_INVALID, "the body: expected a JSON object");
}

void coord_answer_number(struct lb_http_exchange *x, int status, const char *message,
                         const char *key, uint64_t number)
{
	struct lb_value *body = lb_value_object(&x->arena);

	if (message != NULL)
		lb_value_set_text(&x->arena, body, "message", message);
	lb_value_set_number(&x->arena, body, key, (double)number);
	lb_http_answer_json(x, status, body);
}
