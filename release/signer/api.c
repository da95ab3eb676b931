/* api.c - the signer's HTTP handlers; see signer.h. */
#include "release/signer/signer_priv.h"

#include "base/data/json.h"
#include "base/text.h"
#include "release/site/release.h"

enum { MANIFEST_MAX = 1 << 20 };
#define SECOND_NS UINT64_C(1000000000)

/* ---- small answers ---- */

static void get_audience(struct lb_http_exchange *x, void *ctx)
{
	const struct release_signer *signer = ctx;
	struct lb_value *answer = lb_value_object(&x->arena);

	lb_value_set_string(&x->arena, answer, "audience", signer->policy->audience);
	lb_http_answer_json(x, 200, answer);
}

static void get_public_key(struct lb_http_exchange *x, void *ctx)
{
	const struct release_signer *signer = ctx;

	lb_http_answer(x, 200, "text/plain; charset=utf-8", signer->public_key_file);
}

/* ---- decisions ---- */

struct request {
	struct release_signer *signer;
	struct lb_http_exchange *x;
	struct release_manifest manifest;
	struct release_origin origin;
	const struct release_publisher *publisher;
};

/* The line of a decision.  When it cannot be written, that is the answer instead. */
static lb_err note(struct request *r, const char *event, const char *reason)
{
	struct lb_arena *arena = &r->x->arena;
	struct lb_value *fields = lb_value_object(arena);

	if (reason != NULL)
		lb_value_set_text(arena, fields, "reason", reason);
	if (r->origin.issuer != NULL)
		lb_value_set_string(arena, fields, "issuer", r->origin.issuer->url);
	if (r->origin.claims != NULL)
		lb_value_put(arena, fields, "claims", lb_value_copy(arena, r->origin.claims));
	if (r->manifest.count > 0)
		lb_value_put(arena, fields, "manifest",
		             release_manifest_value(arena, &r->manifest));
	if (r->publisher != NULL)
		lb_value_set_number(arena, fields, "policy_line", r->publisher->line);
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	return release_audit_add(r->signer->audit, event, fields, &r->x->diag);
}

/* The answer for a failure, noted first when it is a decision. */
static void answer_failure(struct request *r, lb_err err)
{
	struct lb_diag said = r->x->diag;
	lb_err noted = note(r, "refused", lb_diag_text(&said, err));

	lb_http_answer_error(r->x, lb_failed(noted) ? noted : err);
}

static lb_err read_manifest(struct request *r)
{
	struct lb_http_exchange *x = r->x;
	struct lb_value *value;
	lb_err err = lb_json_read(&value, &x->arena, x->body, &x->diag);

	if (!lb_failed(err))
		err = release_manifest_read(&r->manifest, &x->arena, value, &x->diag);
	if (lb_failed(err)) {
		r->manifest.count = 0;
		lb_diag_prefix(&x->diag, "manifest");
	}
	return err;
}

static lb_err use_token(struct request *r)
{
	uint64_t until_s = 0, now_s = r->signer->plat->ops->wall_ns(r->signer->plat) / SECOND_NS;

	LB_TRY(lb_value_get_u64(&until_s, r->origin.claims, "exp"));
	return release_ledger_use(r->signer->ledger, r->origin.issuer->url,
	                          lb_value_get_string(r->origin.claims, "jti"),
	                          until_s + RELEASE_TOKEN_LEEWAY_S, now_s, &r->x->diag);
}

static lb_err decide(struct request *r)
{
	struct lb_http_exchange *x = r->x;
	struct lb_value *claims = NULL;
	lb_err err;

	err = release_issuers_verify(&claims, &r->origin.issuer, r->signer->issuers, &x->arena,
	                             lb_http_bearer(x), &x->diag);
	r->origin.claims = claims;
	LB_TRY(err);
	LB_TRY(read_manifest(r));
	LB_TRY(release_policy_decide(&r->publisher, r->signer->policy, r->origin.issuer, claims,
	                             &r->manifest, &x->diag));
	return use_token(r);
}

/* ---- what is published already ---- */

/* EXISTS when another content has that version; *same when it is this one's. */
static lb_err check_published(bool *same, struct release_signer *signer, struct lb_arena *arena,
                              const struct release_manifest *manifest, struct lb_diag *diag)
{
	struct release_manifest there;
	struct lb_value *record;
	lb_err err = release_tree_find(&record, &signer->tree, arena, manifest, NULL);

	*same = false;
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return LB_OK;
	LB_TRY(err);
	LB_TRY(release_manifest_read(&there, arena, record, diag));
	*same = release_manifest_eq(&there, manifest);
	if (*same)
		return LB_OK;
	return lb_fail(diag, LB_E_EXISTS,
	               "version: \"%.*s\" of the channel \"%.*s\" is published with other "
	               "content, and a release is never replaced",
	               LB_FMT(manifest->version), LB_FMT(manifest->channel));
}

static void answer_published(struct release_signer *signer, struct lb_http_exchange *x,
                             const struct release_manifest *manifest)
{
	struct lb_value *answer =
		release_summary(&x->arena, &signer->tree, manifest, signer->public_key);

	lb_value_set_bool(&x->arena, answer, "published", true);
	lb_http_answer_json(x, 200, answer);
}

/* Make up for index pages that failed when the release went in. */
static lb_err renew_pages(struct release_signer *signer, const struct release_manifest *manifest,
                          struct lb_diag *diag)
{
	lb_err err = LB_OK;

	pthread_mutex_lock(&signer->publishing);
	if (signer->pages_old)
		err = release_tree_index(&signer->tree, manifest->project, diag);
	signer->pages_old &= lb_failed(err);
	pthread_mutex_unlock(&signer->publishing);
	return err;
}

/* ---- POST /v1/releases ---- */

static void answer_upload(struct request *r)
{
	struct lb_http_exchange *x = r->x;
	struct plat *plat = r->signer->plat;
	struct lb_value *answer = lb_value_object(&x->arena);
	char id[RELEASE_UPLOAD_ID], time[LB_TIME_SIZE];
	lb_err err =
		release_uploads_begin(id, r->signer->uploads, &r->manifest, &r->origin, &x->diag);

	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_value_set_text(&x->arena, answer, "upload", id);
	lb_value_set_text(&x->arena, answer, "expires_at",
	                  lb_time_text(time,
	                               plat->ops->wall_ns(plat) + RELEASE_UPLOAD_S * SECOND_NS, 0));
	lb_http_answer_json(x, 201, answer);
}

static void post_release(struct lb_http_exchange *x, void *ctx)
{
	struct request r = { .signer = ctx, .x = x };
	bool same = false;
	lb_err err;

	if (lb_http_bearer(x).len == 0) {
		struct lb_value *answer = lb_value_object(&x->arena);

		lb_value_set_text(
			&x->arena, answer, "message",
			"expected \"Authorization: Bearer TOKEN\" with an identity token");
		lb_http_add_header(x, "WWW-Authenticate", "Bearer");
		lb_http_answer_json(x, 401, answer);
		return;
	}
	err = decide(&r);
	if (!lb_failed(err))
		err = check_published(&same, r.signer, &x->arena, &r.manifest, &x->diag);
	if (!lb_failed(err) && same)
		err = renew_pages(r.signer, &r.manifest, &x->diag);
	if (lb_failed(err)) {
		answer_failure(&r, err);
		return;
	}
	err = note(&r, same ? "published-already" : "accepted", NULL);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else if (same)
		answer_published(r.signer, x, &r.manifest);
	else
		answer_upload(&r);
}

/* ---- PUT /v1/releases/:upload/files/:name ---- */

static void end_receipt(void *state) { release_receive_free(state); }

static lb_err receive_file(struct lb_http_exchange *x, void *ctx, struct lb_bytes part)
{
	struct release_signer *signer = ctx;

	if (x->state == NULL) {
		struct release_receipt *receipt;

		LB_TRY(release_receive_begin(&receipt, signer->uploads, lb_http_param(x, "upload"),
		                             lb_http_param(x, "name"), &x->diag));
		x->state = receipt;
		x->ended = end_receipt;
	}
	if (part.len > 0)
		return release_receive_part(x->state, part, &x->diag);
	return release_receive_end(x->state, &x->diag);
}

/* The body was received whole and is what was announced. */
static void put_file(struct lb_http_exchange *x, void *ctx)
{
	struct lb_value *answer = lb_value_object(&x->arena);

	(void)ctx;
	/* Let go of the upload before the answer: the next request may be to publish it. */
	if (x->state != NULL)
		release_receive_free(x->state);
	x->state = NULL;
	x->ended = NULL;
	lb_value_set_bool(&x->arena, answer, "received", true);
	lb_http_answer_json(x, 200, answer);
}

/* ---- POST /v1/releases/:upload/publish ---- */

/* With the publishing lock held. */
static lb_err publish(struct release_signer *signer, struct lb_http_exchange *x,
                      struct release_upload *upload)
{
	bool published = false;
	lb_err err;

	err = check_published(&published, signer, &x->arena, &upload->manifest, &x->diag);
	if (lb_failed(err) || published)
		return err;
	LB_TRY(release_complete(&signer->tree, upload->stage, signer->key, &upload->manifest,
	                        &upload->origin, &x->diag));
	err = release_tree_publish(&published, &signer->tree, upload->stage, &upload->manifest,
	                           &x->diag);
	signer->pages_old |= lb_failed(err) && published;
	if (lb_failed(err) && published)
		lb_log(signer->log, LB_LOG_ERROR, "published, but the pages are old",
		       LB_FIELD("why", lb_diag_text(&x->diag, err)));
	return err;
}

static void post_publish(struct lb_http_exchange *x, void *ctx)
{
	struct request r = { .signer = ctx, .x = x };
	struct release_upload *upload;
	lb_err err = release_uploads_take(&upload, r.signer->uploads, lb_http_param(x, "upload"),
	                                  &x->diag);

	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	r.manifest = upload->manifest;
	r.origin = upload->origin;
	pthread_mutex_lock(&r.signer->publishing);
	err = publish(r.signer, x, upload);
	pthread_mutex_unlock(&r.signer->publishing);
	if (lb_failed(err)) {
		answer_failure(&r, err);
	} else {
		err = note(&r, "published", NULL);
		if (lb_failed(err))
			lb_http_answer_error(x, err);
		else
			answer_published(r.signer, x, &upload->manifest);
	}
	release_uploads_end(r.signer->uploads, upload);
}

const struct lb_http_route release_signer_routes[] = {
	{ "GET", "/v1/audience", get_audience, 0, NULL, NULL },
	{ "GET", "/v1/public-key", get_public_key, 0, NULL, NULL },
	{ "POST", "/v1/releases", post_release, MANIFEST_MAX, NULL, NULL },
	{ "PUT", "/v1/releases/:upload/files/:name", put_file, 0, receive_file, NULL },
	{ "POST", "/v1/releases/:upload/publish", post_publish, 0, NULL, NULL },
	{ 0 },
};
