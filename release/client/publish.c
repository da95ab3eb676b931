/* publish.c - see publish.h. */
#include "release/client/publish.h"

#include "base/data/digest.h"
#include "base/data/json.h"
#include "base/http/client.h"
#include "base/io/file.h"
#include "base/text.h"

enum { ANSWER_MAX = 4 << 20, TRIES = 6, PAUSE_MS = 250 };

struct sending {
	const struct release_publish *how;
	struct lb_arena arena; /* of this try */
	struct lb_mem *mem;
	struct plat *plat;
	struct lb_http_client *client;
	struct lb_diag *diag;
	struct lb_bytes manifest; /* JSON, made once */
	const uint64_t *sizes;
};

/* ---- one request ---- */

/* Ask, and read the answer as JSON. */
static lb_err ask_json(struct lb_value **out, struct sending *s, const struct lb_http_ask *ask)
{
	struct lb_http_answer answer;
	lb_err err;

	*out = NULL;
	lb_buf_init(&answer.body, &s->arena.mem, ANSWER_MAX);
	lb_buf_init(&answer.headers, &s->arena.mem, 65536);
	LB_TRY(lb_http_ask_ok(s->client, ask, &answer, s->diag));
	err = lb_json_read(out, &s->arena, lb_buf_bytes(&answer.body), s->diag);
	if (lb_failed(err))
		lb_diag_prefix(s->diag, "%s answered what is not JSON", ask->url);
	return err;
}

static lb_err get_text(struct lb_bytes *out, struct sending *s, const struct lb_http_ask *ask,
                       const char *member)
{
	struct lb_value *value;

	LB_TRY(ask_json(&value, s, ask));
	*out = lb_value_get_string(value, member);
	if (out->len == 0)
		return lb_fail(s->diag, LB_E_MALFORMED, "%s answered without \"%s\"", ask->url,
		               member);
	return LB_OK;
}

static const char *text(struct sending *s, struct lb_bytes bytes)
{
	return s->arena.failed ? "" : (const char *)bytes.at;
}

/* ---- the steps ---- */

/* An identity token for the signer's audience. */
static lb_err get_token(struct lb_bytes *token, struct sending *s)
{
	struct lb_bytes url = lb_arena_format(&s->arena, "%s/v1/audience", s->how->signer);
	struct lb_http_ask ask = { .url = text(s, url) };
	const char *headers[2] = { NULL, NULL };
	struct lb_bytes audience;
	struct lb_buf escaped;

	LB_TRY(get_text(&audience, s, &ask, "audience"));
	lb_buf_init(&escaped, &s->arena.mem, 4096);
	lb_url_add(&escaped, audience, NULL);
	LB_TRY(lb_buf_check(&escaped));
	url = lb_arena_format(&s->arena, "%s%caudience=%s", s->how->token_url,
	                      strchr(s->how->token_url, '?') != NULL ? '&' : '?',
	                      lb_buf_text(&escaped));
	headers[0] = text(s, lb_arena_format(&s->arena, "Authorization: Bearer %s",
	                                     s->how->token_secret));
	ask = (struct lb_http_ask){ .url = text(s, url), .headers = headers };
	if (s->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return get_text(token, s, &ask, "value");
}

static lb_err post_manifest(struct lb_value **out, struct sending *s, struct lb_bytes token)
{
	struct lb_bytes url = lb_arena_format(&s->arena, "%s/v1/releases", s->how->signer);
	struct lb_bytes bearer =
		lb_arena_format(&s->arena, "Authorization: Bearer %.*s", LB_FMT(token));
	const char *headers[] = { text(s, bearer), "Content-Type: application/json", NULL };
	struct lb_http_ask ask = {
		.method = "POST", .url = text(s, url), .headers = headers, .body = s->manifest
	};

	if (s->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return ask_json(out, s, &ask);
}

struct source {
	struct plat *plat;
	int file;
};

static lb_err read_source(size_t *got, void *ctx, void *to, size_t size, uint64_t at)
{
	const struct source *source = ctx;

	return source->plat->ops->read_at(got, source->plat, source->file, to, size, at);
}

static lb_err put_file(struct sending *s, struct lb_bytes upload, uint32_t index)
{
	const char *path = s->how->files[index];
	struct lb_bytes name = lb_path_name(lb_bytes_of(path));
	struct lb_bytes url = lb_arena_format(&s->arena, "%s/v1/releases/%.*s/files/%.*s",
	                                      s->how->signer, LB_FMT(upload), LB_FMT(name));
	struct source source = { s->plat, -1 };
	struct lb_http_ask ask = {
		.method = "PUT",
		.url = text(s, url),
		.read = read_source,
		.read_size = s->sizes[index],
		.ctx = &source,
		.timeout_ms = UINT64_MAX,
	};
	struct lb_value *answer;
	lb_err err;

	if (s->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(s->plat->ops->open(&source.file, s->plat, path, PLAT_READ));
	err = ask_json(&answer, s, &ask);
	s->plat->ops->close(s->plat, source.file);
	return err;
}

static lb_err finish(struct lb_value **out, struct sending *s, struct lb_bytes upload)
{
	struct lb_bytes url = lb_arena_format(&s->arena, "%s/v1/releases/%.*s/publish",
	                                      s->how->signer, LB_FMT(upload));
	struct lb_http_ask ask = { .method = "POST", .url = text(s, url), .timeout_ms = 600000 };

	if (s->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return ask_json(out, s, &ask);
}

static lb_err try_once(struct lb_value **out, struct sending *s)
{
	struct lb_bytes token, upload;

	LB_TRY(get_token(&token, s));
	LB_TRY(post_manifest(out, s, token));
	if (lb_value_get_bool(*out, "published"))
		return LB_OK; /* somebody, or an earlier try, was here with the same bytes */
	upload = lb_value_get_string(*out, "upload");
	if (upload.len == 0)
		return lb_fail(s->diag, LB_E_MALFORMED, "the signer answered without an upload");
	for (uint32_t i = 0; i < s->how->file_count; i++)
		LB_TRY(put_file(s, upload, i));
	return finish(out, s, upload);
}

/* ---- all tries ---- */

/* Whether another time may go better.  NOTFOUND: the signer forgot the upload in a restart. */
static bool may_pass(lb_err err)
{
	switch ((int)lb_code_of(err)) {
	case LB_E_NETWORK:
	case LB_E_TIMEOUT:
	case LB_E_CLOSED:
	case LB_E_NOTFOUND:
	case LB_E_BUSY: return true;
	case LB_E_HTTP: return lb_where(err) >= 500;
	default: return false;
	}
}

static lb_err make_manifest(struct sending *s, uint64_t *sizes, struct lb_arena *arena)
{
	struct lb_value *manifest = lb_value_object(arena), *files = lb_value_array(arena);
	struct lb_buf json;

	lb_value_set_text(arena, manifest, "project", s->how->project);
	lb_value_set_text(arena, manifest, "channel", s->how->channel);
	lb_value_set_text(arena, manifest, "version", s->how->version);
	lb_value_put(arena, manifest, "files", files);
	for (uint32_t i = 0; i < s->how->file_count; i++) {
		struct lb_value *file = lb_value_object(arena);
		const char *path = s->how->files[i];
		char sha256[LB_SHA256_HEX + 1];
		lb_err err = lb_sha256_file(sha256, &sizes[i], s->plat, path);

		if (lb_failed(err)) {
			lb_diag_set(s->diag, "%s: %s", path, lb_err_text(err));
			return err;
		}
		lb_value_set_string(arena, file, "name", lb_path_name(lb_bytes_of(path)));
		lb_value_set_number(arena, file, "size", (double)sizes[i]);
		lb_value_set_text(arena, file, "sha256", sha256);
		lb_value_add(arena, files, file);
	}
	lb_buf_init(&json, &arena->mem, ANSWER_MAX);
	lb_value_write(&json, manifest, false);
	s->manifest = lb_buf_bytes(&json);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(&json);
}

static lb_err try_all(struct lb_value **out, struct sending *s, struct lb_arena *arena)
{
	unsigned tries = s->how->tries > 0 ? s->how->tries : TRIES;
	uint64_t pause_ms = s->how->pause_ms > 0 ? s->how->pause_ms : PAUSE_MS;
	lb_err err = LB_OK;

	for (unsigned i = 0; i < tries; i++, pause_ms *= 2) {
		struct lb_value *answer;

		if (i > 0)
			s->plat->ops->sleep_ns(s->plat, pause_ms / 2 * 1000000);
		lb_arena_init(&s->arena, s->mem);
		err = try_once(&answer, s);
		if (!lb_failed(err))
			*out = lb_value_copy(arena, answer);
		lb_arena_release(&s->arena);
		if (!may_pass(err))
			break;
	}
	return !lb_failed(err) && arena->failed ? lb_err_of(LB_E_NOMEM) : err;
}

lb_err release_publish(struct lb_value **out, struct lb_arena *arena, struct lb_mem *mem,
                       struct plat *plat, const struct release_publish *how, struct lb_diag *diag)
{
	struct sending s = { .how = how, .mem = mem, .plat = plat, .diag = diag };
	uint64_t *sizes = LB_ARENA_NEW(arena, uint64_t, how->file_count);
	lb_err err;

	*out = NULL;
	if (sizes == NULL)
		return lb_err_of(LB_E_NOMEM);
	s.sizes = sizes;
	LB_TRY(make_manifest(&s, sizes, arena));
	LB_TRY(lb_http_client_new(&s.client, mem));
	err = try_all(out, &s, arena);
	lb_http_client_free(s.client);
	return err;
}
