/* blobs.c - artifacts and cache entries: received into the blob store, then recorded.
 *
 * The bytes are durable before the record is, and the record is made only while
 * the lease is held: what a stale runner sends stays a blob without a name.
 * See routes.h.
 */
#include "base/git/repo.h"
#include "base/text.h"
#include "coordinator/api/routes.h"

#define BLOB_BYTES_MAX (UINT64_C(10) << 30)

enum { NAME_BYTES_MAX = 512, PREFIXES_MAX = 10, SCOPES_MAX = 3 };

/* ---- receiving ---- the state of the exchange is its writer */

static void abandon(void *state) { cache_writer_abandon(state); }

static lb_err receive(struct lb_http_exchange *x, struct coord_api *api, struct lb_bytes part)
{
	struct cache_writer *writer = x->state;

	if (writer == NULL) {
		LB_TRY(cache_writer_new(&writer, api->blobs, BLOB_BYTES_MAX));
		x->state = writer;
		x->ended = abandon;
	}
	return part.len > 0 ? cache_writer_add(writer, part) : LB_OK;
}

/* The finished blob; a client that said the digest is held to it. */
static lb_err finish(struct coord_blob *blob, struct lb_http_exchange *x)
{
	struct lb_bytes expected = lb_http_request_header(x, "Lifeboat-Sha256");
	struct cache_writer *writer = x->state;
	char sha256[LB_SHA256_HEX + 1];

	x->state = NULL;
	x->ended = NULL;
	LB_TRY(cache_writer_end(sha256, &blob->size, writer));
	blob->sha256 = lb_arena_bytes(&x->arena, lb_bytes_of(sha256));
	if (expected.len > 0 && !lb_bytes_is(expected, sha256))
		return lb_fail(&x->diag, LB_E_MISMATCH,
		               "the body has SHA-256 %s, Lifeboat-Sha256 says %.*s", sha256,
		               LB_FMT(expected));
	return x->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err hold(struct coord_held *held, struct coord_claim *claim, struct lb_http_exchange *x,
                   struct coord_api *api)
{
	LB_TRY(coord_claim_of(claim, x));
	LB_TRY(coord_queue_check(held, api->queue, &x->arena, claim, &x->diag));
	coord_log_decref(held->log);
	held->log = NULL;
	return LB_OK;
}

static struct lb_value *about(struct lb_arena *arena, const struct coord_blob *blob,
                              const char *name_key)
{
	struct lb_value *value = lb_value_object(arena);

	lb_value_set_number(arena, value, "id", (double)blob->id);
	lb_value_set_string(arena, value, name_key, blob->name);
	lb_value_set_number(arena, value, "size", (double)blob->size);
	lb_value_set_string(arena, value, "sha256", blob->sha256);
	return value;
}

static void answer_blob(struct lb_http_exchange *x, struct coord_api *api, lb_err err,
                        const struct coord_blob *blob, const char *content_type)
{
	char path[COORD_PATH_SIZE], etag[LB_SHA256_HEX + 3];
	uint64_t bytes;
	char *sha256 = NULL;

	if (!lb_failed(err)) {
		sha256 = lb_arena_text(&x->arena, blob->sha256);
		err = sha256 == NULL
		              ? lb_err_of(LB_E_NOMEM)
		              : cache_store_find(path, sizeof path, &bytes, api->blobs, sha256);
		if (lb_code_of(err) == LB_E_NOTFOUND)
			lb_diag_set(&x->diag, "the bytes of %.*s are gone", LB_FMT(blob->name));
	}
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	etag[0] = '"';
	memcpy(etag + 1, sha256, LB_SHA256_HEX);
	memcpy(etag + 1 + LB_SHA256_HEX, "\"", 2);
	lb_http_answer_file(x, content_type, path, etag);
}

/* ---- artifacts ---- */

struct artifact_record {
	struct coord_blob blob;
	struct coord_held held;
	bool replace;
};

static lb_err record_artifact(void *ctx, struct coord_store *store, uint64_t now_ms)
{
	struct artifact_record *record = ctx;

	record->blob.job_id = record->held.job_id;
	record->blob.attempt = record->held.attempt;
	return coord_store_add_artifact(&record->blob.id, store, record->held.run_id,
	                                record->held.run_attempt, &record->blob, record->replace,
	                                now_ms);
}

/* What GitHub refuses as well: such names make no file on some system. */
static lb_err check_name(struct lb_http_exchange *x, struct lb_bytes name)
{
	if (name.len == 0 || name.len > NAME_BYTES_MAX || lb_utf8_check(name) != SIZE_MAX)
		return lb_fail(&x->diag, LB_E_INVALID,
		               "the artifact's name: expected 1 to %d bytes of UTF-8",
		               NAME_BYTES_MAX);
	for (size_t i = 0; i < name.len; i++)
		if (name.at[i] < ' ' || memchr("\":<>|*?\\/", name.at[i], 9) != NULL)
			return lb_fail(&x->diag, LB_E_INVALID,
			               "the artifact's name '%.*s' has one of \" : < > | * ? \\ / "
			               "or a control character",
			               LB_FMT(name));
	return LB_OK;
}

lb_err coord_api_put_artifact_receive(struct lb_http_exchange *x, void *ctx, struct lb_bytes part)
{
	if (x->state == NULL)
		LB_TRY(check_name(x, lb_http_param(x, "name")));
	return receive(x, ctx, part);
}

void coord_api_put_artifact(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct artifact_record record = {
		.blob.name = lb_http_param(x, "name"),
		.replace = lb_bytes_is(lb_http_query(x, "overwrite"), "true"),
	};
	struct coord_claim claim;
	lb_err err = hold(&record.held, &claim, x, api);

	if (!lb_failed(err))
		err = finish(&record.blob, x);
	if (!lb_failed(err))
		err = coord_queue_record(api->queue, &claim, record_artifact, &record, &x->diag);
	if (lb_code_of(err) == LB_E_EXISTS)
		lb_diag_set(&x->diag, "this run has an artifact '%.*s' already",
		            LB_FMT(record.blob.name));
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer_json(x, 200, about(&x->arena, &record.blob, "name"));
}

void coord_api_lease_artifacts(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_value *list = NULL, *answer = lb_value_object(&x->arena);
	struct coord_claim claim;
	struct coord_held held;
	lb_err err = hold(&held, &claim, x, api);

	if (!lb_failed(err))
		err = coord_read_artifacts(&list, api->store, &x->arena, held.run_id);
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_value_put(&x->arena, answer, "artifacts", list);
	lb_http_answer_json(x, 200, answer);
}

void coord_api_lease_artifact(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct lb_bytes name = lb_http_param(x, "name");
	struct coord_blob blob = { 0 };
	struct coord_claim claim;
	struct coord_held held;
	lb_err err = hold(&held, &claim, x, api);

	if (!lb_failed(err))
		err = coord_read_artifact_named(&blob, api->store, &x->arena, held.run_id, name);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		lb_diag_set(&x->diag, "this run has no artifact '%.*s'", LB_FMT(name));
	answer_blob(x, api, err, &blob, "application/zip");
}

void coord_api_artifact(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct coord_blob blob = { 0 };
	uint64_t id = 0;
	lb_err err = coord_param_id(&id, x, "id");

	if (!lb_failed(err))
		err = coord_read_artifact(&blob, api->store, &x->arena, id);
	if (lb_code_of(err) == LB_E_NOTFOUND && x->diag.text[0] == '\0')
		lb_diag_set(&x->diag, "there is no artifact %llu", (unsigned long long)id);
	if (!lb_failed(err))
		lb_http_add_header(x, "Content-Disposition", "attachment");
	answer_blob(x, api, err, &blob, "application/zip");
}

/* ---- cache entries ---- */

/* Who may write what whom read: a run writes to its own ref's scope and reads that, its base's and
 * the default branch's.  A stranger's run writes to scopes that no trusted run reads. */
static struct lb_bytes own_scope(struct lb_arena *arena, const struct coord_held *held)
{
	return held->trusted ? held->ref
	                     : lb_arena_format(arena, "untrusted:%.*s", LB_FMT(held->ref));
}

static struct lb_bytes default_branch(struct lb_http_exchange *x, const struct coord_api *api,
                                      struct lb_bytes repository)
{
	struct lb_repo *repo = NULL;
	struct lb_buf ref;
	char path[COORD_PATH_SIZE];

	lb_buf_init(&ref, &x->arena.mem, 4096);
	if (!lb_failed(coord_repository_path(path, sizeof path, api->repositories, repository)) &&
	    !lb_failed(lb_repo_open_bare(&repo, api->mem, path, NULL)))
		lb_ignore(lb_repo_head_ref(&ref, repo,
		                           NULL)); /* without one there is no such scope */
	lb_repo_free(repo);
	return lb_buf_bytes(&ref);
}

static void add_scopes(struct coord_cache_wish *wish, struct lb_http_exchange *x,
                       const struct coord_api *api, const struct coord_held *held)
{
	struct lb_bytes *scopes = LB_ARENA_NEW(&x->arena, struct lb_bytes, SCOPES_MAX);

	if (scopes == NULL)
		return; /* the arena remembers */
	scopes[wish->scope_count++] = own_scope(&x->arena, held);
	if (held->base_ref.len > 0)
		scopes[wish->scope_count++] =
			lb_arena_format(&x->arena, "refs/heads/%.*s", LB_FMT(held->base_ref));
	scopes[wish->scope_count++] = default_branch(x, api, held->repository);
	wish->scopes = scopes;
}

static struct lb_bytes decode(struct lb_arena *arena, struct lb_bytes text)
{
	struct lb_buf out;

	lb_buf_init(&out, &arena->mem, 4096);
	return lb_failed(lb_url_read(&out, text)) ? (struct lb_bytes){ 0 } : lb_buf_bytes(&out);
}

/* Each "restore=PREFIX" of the query, in order. */
static lb_err add_prefixes(struct coord_cache_wish *wish, struct lb_http_exchange *x)
{
	struct lb_bytes *prefixes = LB_ARENA_NEW(&x->arena, struct lb_bytes, PREFIXES_MAX);
	struct lb_bytes rest = lb_http_query_string(x), pair;

	if (prefixes == NULL)
		return lb_err_of(LB_E_NOMEM);
	while (lb_bytes_split(&pair, &rest, '&')) {
		if (!lb_bytes_starts(pair, LB_B("restore=")))
			continue;
		if (wish->prefix_count == PREFIXES_MAX)
			return lb_fail(&x->diag, LB_E_INVALID, "restore: expected at most %d",
			               PREFIXES_MAX);
		prefixes[wish->prefix_count++] =
			decode(&x->arena, lb_bytes_from(pair, strlen("restore=")));
	}
	wish->prefixes = prefixes;
	return LB_OK;
}

static lb_err key_of(struct coord_cache_wish *wish, struct lb_http_exchange *x)
{
	wish->key = lb_http_query(x, "key");
	wish->version = lb_http_query(x, "version");
	if (wish->key.len == 0 || wish->key.len > NAME_BYTES_MAX)
		return lb_fail(&x->diag, LB_E_INVALID, "key: expected 1 to %d bytes",
		               NAME_BYTES_MAX);
	if (wish->version.len == 0 || wish->version.len > NAME_BYTES_MAX)
		return lb_fail(&x->diag, LB_E_INVALID, "version: expected 1 to %d bytes",
		               NAME_BYTES_MAX);
	return LB_OK;
}

void coord_api_find_cache(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct coord_cache_wish wish = { 0 };
	struct coord_blob blob = { 0 };
	struct coord_claim claim;
	struct coord_held held;
	lb_err err = hold(&held, &claim, x, api);

	if (!lb_failed(err))
		err = key_of(&wish, x);
	if (!lb_failed(err))
		err = add_prefixes(&wish, x);
	if (!lb_failed(err)) {
		add_scopes(&wish, x, api, &held);
		wish.repository_id = held.repository_id;
		err = coord_read_cache(&blob, api->store, &x->arena, &wish);
	}
	if (lb_code_of(err) == LB_E_NOTFOUND)
		lb_http_answer(x, 204, NULL, (struct lb_bytes){ 0 });
	else if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer_json(x, 200, about(&x->arena, &blob, "key"));
}

void coord_api_get_cache(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct coord_cache_wish wish = { 0 };
	struct coord_blob blob = { 0 };
	struct coord_claim claim;
	struct coord_held held;
	uint64_t id = 0;
	lb_err err = hold(&held, &claim, x, api);

	if (!lb_failed(err))
		err = coord_param_id(&id, x, "id");
	if (!lb_failed(err)) {
		add_scopes(&wish, x, api, &held);
		wish.repository_id = held.repository_id;
		err = coord_read_cache_entry(&blob, api->store, &x->arena, id, &wish);
	}
	if (lb_code_of(err) == LB_E_NOTFOUND && x->diag.text[0] == '\0')
		lb_diag_set(&x->diag, "there is no cache entry %llu that this run may read",
		            (unsigned long long)id);
	answer_blob(x, api, err, &blob, "application/zstd");
}

struct cache_record {
	struct coord_blob blob;
	struct coord_held held;
	struct lb_bytes scope, version;
};

static lb_err record_cache(void *ctx, struct coord_store *store, uint64_t now_ms)
{
	struct cache_record *record = ctx;

	return coord_store_add_cache(&record->blob.id, store, record->held.repository_id,
	                             record->scope, record->version, &record->blob, now_ms);
}

lb_err coord_api_put_cache_receive(struct lb_http_exchange *x, void *ctx, struct lb_bytes part)
{
	struct coord_cache_wish wish = { 0 };

	if (x->state == NULL)
		LB_TRY(key_of(&wish, x));
	return receive(x, ctx, part);
}

void coord_api_put_cache(struct lb_http_exchange *x, void *ctx)
{
	struct coord_api *api = ctx;
	struct cache_record record = { .blob.name = lb_http_query(x, "key"),
		                       .version = lb_http_query(x, "version") };
	struct coord_claim claim;
	lb_err err = hold(&record.held, &claim, x, api);

	if (!lb_failed(err))
		err = finish(&record.blob, x);
	record.scope = own_scope(&x->arena, &record.held);
	if (!lb_failed(err))
		err = coord_queue_record(api->queue, &claim, record_cache, &record, &x->diag);
	if (lb_code_of(err) == LB_E_EXISTS)
		lb_diag_set(&x->diag, "the scope %.*s has a cache entry '%.*s' already",
		            LB_FMT(record.scope), LB_FMT(record.blob.name));
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer_json(x, 200, about(&x->arena, &record.blob, "key"));
}
