/* results.c - artifacts (v4) and caches (v2) as the npm packages ask for them. */
#include "ci-runner/github/service_priv.h"

#include "base/data/digest.h"
#include "base/io/file.h"
#include "base/text.h"

#include <stdio.h>

/* A name may come as snake_case or camelCase. */
static struct lb_bytes string_of(const struct lb_value *body, const char *snake, const char *camel)
{
	struct lb_bytes text = lb_value_get_string(body, snake);

	return text.len > 0 ? text : lb_value_get_string(body, camel);
}

static void answer_ok(struct lb_http_exchange *x, struct lb_value *body, bool ok)
{
	lb_value_set_bool(&x->arena, body, "ok", ok);
	lb_http_answer_json(x, 200, body);
}

static void answer_no(struct lb_http_exchange *x, int status, const char *code, const char *message)
{
	struct lb_value *body = lb_value_object(&x->arena);

	lb_value_set_text(&x->arena, body, "code", code);
	lb_value_set_text(&x->arena, body, "msg", message);
	lb_http_answer_json(x, status, body);
}

static void answer_err(struct lb_http_exchange *x, lb_err err)
{
	if (lb_code_of(err) == LB_E_NOTFOUND)
		answer_no(x, 404, "not_found", lb_diag_text(&x->diag, err));
	else if (lb_code_of(err) == LB_E_EXISTS)
		answer_no(x, 409, "already_exists", lb_diag_text(&x->diag, err));
	else
		answer_no(x, 500, "internal", lb_diag_text(&x->diag, err));
}

/* "sha256:HEX", or nothing to compare with. */
static lb_err check_digest(struct runner_github *g, const char *path, struct lb_bytes hash,
                           struct lb_bytes size, struct lb_diag *diag)
{
	char hex[LB_SHA256_HEX + 1];
	uint64_t length, told;

	LB_TRY(lb_sha256_file(hex, &length, g->plat, path));
	if (!lb_failed(lb_bytes_u64(&told, size, UINT64_MAX)) && told != length)
		return lb_fail(diag, LB_E_INVALID, "%llu bytes came, and %llu were announced",
		               (unsigned long long)length, (unsigned long long)told);
	if (lb_bytes_starts(hash, LB_B("sha256:")) && !lb_bytes_is(lb_bytes_from(hash, 7), hex))
		return lb_fail(diag, LB_E_INVALID,
		               "the file's SHA-256 is %s, and %.*s was announced", hex,
		               LB_FMT(hash));
	return LB_OK;
}

/* ---- artifacts ---- */

static void create_artifact(struct lb_http_exchange *x, struct runner_github *g,
                            const struct lb_value *body)
{
	struct lb_bytes name = lb_value_get_string(body, "name");
	struct lb_value *answer = lb_value_object(&x->arena);
	struct runner_github_file *file = NULL;
	lb_err err;

	if (name.len == 0) {
		answer_no(x, 400, "invalid_argument", "name is required");
		return;
	}
	err = runner_github_file_add(&file, g, RUNNER_GITHUB_ARTIFACT, name,
	                             (struct lb_bytes){ 0 });
	if (lb_failed(err)) {
		answer_err(x, err);
		return;
	}
	lb_value_set_text(&x->arena, answer, "signed_upload_url", runner_github_file_url(x, file));
	answer_ok(x, answer, true);
}

static lb_err put_artifact(struct runner_found *out, struct lb_http_exchange *x,
                           struct runner_github *g, struct runner_github_file *file,
                           const struct lb_value *body)
{
	struct runner_link *link = g->options.link;
	lb_err err;

	LB_TRY(check_digest(g, file->path, lb_value_get_string(body, "hash"),
	                    lb_value_get_string(body, "size"), &x->diag));
	(void)pthread_mutex_lock(g->options.lock);
	err = link->ops->artifact_put(out, link, &x->arena, (const char *)file->name.at, file->path,
	                              false, &x->diag);
	(void)pthread_mutex_unlock(g->options.lock);
	lb_ignore(g->plat->ops->remove(g->plat, file->path));
	return err;
}

static void finalize_artifact(struct lb_http_exchange *x, struct runner_github *g,
                              const struct lb_value *body)
{
	struct runner_github_file *file =
		runner_github_file_find(g, RUNNER_GITHUB_ARTIFACT,
	                                lb_value_get_string(body, "name"), (struct lb_bytes){ 0 });
	struct lb_value *answer = lb_value_object(&x->arena);
	struct runner_found found = { 0 };
	lb_err err;

	if (file == NULL || !file->done) {
		answer_no(x, 404, "not_found", "no such artifact was uploaded");
		return;
	}
	err = put_artifact(&found, x, g, file, body);
	if (lb_failed(err)) {
		answer_err(x, err);
		return;
	}
	lb_value_set_string(&x->arena, answer, "artifact_id", found.id);
	answer_ok(x, answer, true);
}

static lb_err list_artifacts_of(struct runner_found **out, size_t *count,
                                struct lb_http_exchange *x, struct runner_github *g)
{
	struct runner_link *link = g->options.link;
	lb_err err;

	(void)pthread_mutex_lock(g->options.lock);
	err = link->ops->artifact_list(out, count, link, &x->arena, &x->diag);
	(void)pthread_mutex_unlock(g->options.lock);
	return err;
}

static void list_artifacts(struct lb_http_exchange *x, struct runner_github *g,
                           const struct lb_value *body)
{
	struct lb_bytes name = string_of(body, "name_filter", "nameFilter");
	struct lb_bytes id = string_of(body, "id_filter", "idFilter");
	struct lb_value *answer = lb_value_object(&x->arena), *list = lb_value_array(&x->arena);
	struct runner_found *all;
	size_t count;
	lb_err err = list_artifacts_of(&all, &count, x, g);

	if (lb_failed(err)) {
		answer_err(x, err);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		struct lb_value *one = lb_value_object(&x->arena);
		struct lb_bytes run = runner_github_context(g, "run_id");

		if ((name.len > 0 && !lb_bytes_eq(name, all[i].name)) ||
		    (id.len > 0 && !lb_bytes_eq(id, all[i].id)))
			continue;
		lb_value_set_string(&x->arena, one, "workflow_run_backend_id", run);
		lb_value_set_string(&x->arena, one, "workflow_job_run_backend_id", run);
		lb_value_set_string(&x->arena, one, "database_id", all[i].id);
		lb_value_set_string(&x->arena, one, "name", all[i].name);
		lb_value_set_string(&x->arena, one, "size",
		                    lb_arena_format(&x->arena, "%llu",
		                                    (unsigned long long)all[i].size));
		lb_value_add(&x->arena, list, one);
	}
	lb_value_put(&x->arena, answer, "artifacts", list);
	lb_http_answer_json(x, 200, answer);
}

static void sign_artifact(struct lb_http_exchange *x, struct runner_github *g,
                          const struct lb_value *body)
{
	struct lb_value *answer = lb_value_object(&x->arena);
	struct lb_bytes name = lb_value_get_string(body, "name");
	struct runner_github_file *file = NULL;
	struct runner_found *all;
	size_t count, at = 0;
	lb_err err = list_artifacts_of(&all, &count, x, g);

	while (!lb_failed(err) && at < count && !lb_bytes_eq(all[at].name, name))
		at++;
	if (!lb_failed(err) && at == count)
		err = lb_fail(&x->diag, LB_E_NOTFOUND, "there is no artifact %.*s", LB_FMT(name));
	if (!lb_failed(err))
		err = runner_github_file_add(&file, g, RUNNER_GITHUB_TO_GET, name,
		                             (struct lb_bytes){ 0 });
	if (lb_failed(err)) {
		answer_err(x, err);
		return;
	}
	file->of = RUNNER_GITHUB_ARTIFACT;
	lb_value_set_text(&x->arena, answer, "signed_url", runner_github_file_url(x, file));
	lb_http_answer_json(x, 200, answer);
}

void runner_github_artifacts(struct lb_http_exchange *x, void *ctx)
{
	static const struct {
		const char *name;
		void (*run)(struct lb_http_exchange *x, struct runner_github *g,
		            const struct lb_value *body);
	} calls[] = {
		{ "CreateArtifact", create_artifact },
		{ "FinalizeArtifact", finalize_artifact },
		{ "ListArtifacts", list_artifacts },
		{ "GetSignedArtifactURL", sign_artifact },
	};
	struct lb_bytes call = lb_http_param(x, "call");
	struct lb_value *body;

	if (!runner_github_body(&body, x))
		return;
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (lb_bytes_is(call, calls[i].name)) {
			calls[i].run(x, ctx, body);
			return;
		}
	}
	answer_no(x, 501, "unimplemented", "artifacts cannot be deleted here");
}

/* ---- caches ---- */

static lb_err find_cache(struct runner_found *out, struct lb_http_exchange *x,
                         struct runner_github *g, struct lb_bytes key, const char *const *restores,
                         struct lb_bytes version)
{
	struct runner_link *link = g->options.link;
	const char *key_text = lb_arena_text(&x->arena, key);
	const char *version_text = lb_arena_text(&x->arena, version);
	lb_err err;

	if (key_text == NULL || version_text == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (key.len == 0 || !lb_hex_is(version, LB_SHA256_HEX))
		return lb_fail(&x->diag, LB_E_INVALID, "key and version are required");
	(void)pthread_mutex_lock(g->options.lock);
	err = link->ops->cache_find(out, link, &x->arena, key_text, restores, version_text,
	                            &x->diag);
	(void)pthread_mutex_unlock(g->options.lock);
	return err;
}

static void create_cache(struct lb_http_exchange *x, struct runner_github *g,
                         const struct lb_value *body)
{
	static const char *const none[] = { NULL };
	struct lb_bytes key = lb_value_get_string(body, "key");
	struct lb_bytes version = lb_value_get_string(body, "version");
	struct lb_value *answer = lb_value_object(&x->arena);
	struct runner_found found = { 0 };
	struct runner_github_file *file = NULL;
	lb_err err = find_cache(&found, x, g, key, none, version);

	if (!lb_failed(err) && lb_bytes_eq(found.name, key)) {
		lb_value_set_text(
			&x->arena, answer, "message",
			"cache entry with the same key, version, and scope already exists");
		answer_ok(x, answer, false);
		return;
	}
	if (!lb_failed(err) || lb_code_of(err) == LB_E_NOTFOUND)
		err = runner_github_file_add(&file, g, RUNNER_GITHUB_CACHE, key, version);
	if (lb_failed(err)) {
		answer_err(x, err);
		return;
	}
	lb_value_set_text(&x->arena, answer, "signed_upload_url", runner_github_file_url(x, file));
	answer_ok(x, answer, true);
}

static void finalize_cache(struct lb_http_exchange *x, struct runner_github *g,
                           const struct lb_value *body)
{
	struct runner_github_file *file =
		runner_github_file_find(g, RUNNER_GITHUB_CACHE, lb_value_get_string(body, "key"),
	                                lb_value_get_string(body, "version"));
	struct lb_value *answer = lb_value_object(&x->arena);
	lb_err err;

	if (file == NULL || !file->done) {
		answer_no(x, 404, "not_found", "no such cache entry was uploaded");
		return;
	}
	err = check_digest(g, file->path, (struct lb_bytes){ 0 },
	                   string_of(body, "size_bytes", "sizeBytes"), &x->diag);
	if (!lb_failed(err))
		err = runner_github_keep_cache(g, file, &x->diag);
	if (lb_failed(err) && lb_code_of(err) != LB_E_EXISTS) {
		answer_err(x, err);
		return;
	}
	lb_value_set_string(&x->arena, answer, "entry_id",
	                    lb_arena_format(&x->arena, "%llu", (unsigned long long)file->id));
	answer_ok(x, answer, !lb_failed(err));
}

lb_err runner_github_keep_cache(struct runner_github *g, struct runner_github_file *file,
                                struct lb_diag *diag)
{
	struct runner_link *link = g->options.link;
	lb_err err;

	(void)pthread_mutex_lock(g->options.lock);
	err = link->ops->cache_put(link, (const char *)file->name.at,
	                           (const char *)file->version.at, file->path, diag);
	(void)pthread_mutex_unlock(g->options.lock);
	lb_ignore(g->plat->ops->remove(g->plat, file->path));
	file->done = false;
	return err;
}

lb_err runner_github_offer_cache(const char **url, struct lb_http_exchange *x,
                                 struct runner_github *g, const struct runner_found *found)
{
	struct runner_github_file *file = NULL;

	LB_TRY(runner_github_file_add(&file, g, RUNNER_GITHUB_TO_GET, found->id,
	                              (struct lb_bytes){ 0 }));
	file->of = RUNNER_GITHUB_CACHE;
	*url = runner_github_file_url(x, file);
	return *url != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
}

lb_err runner_github_find_cache(struct runner_found *out, struct lb_http_exchange *x,
                                struct runner_github *g, const struct lb_value *keys,
                                struct lb_bytes version)
{
	const char **restores = LB_ARENA_NEW(&x->arena, const char *, (size_t)keys->count + 1);

	if (restores == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (keys->count == 0)
		return lb_fail(&x->diag, LB_E_INVALID, "no key was given");
	for (uint32_t i = 1; i < keys->count; i++)
		restores[i - 1] = lb_arena_text(&x->arena, keys->items[i]->string);
	if (x->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return find_cache(out, x, g, keys->items[0]->string, restores, version);
}

static void get_cache(struct lb_http_exchange *x, struct runner_github *g,
                      const struct lb_value *body)
{
	const struct lb_value *more = lb_value_get(body, "restore_keys");
	struct lb_value *answer = lb_value_object(&x->arena), *keys = lb_value_array(&x->arena);
	struct runner_found found = { 0 };
	const char *url;
	lb_err err;

	if (more == NULL)
		more = lb_value_get(body, "restoreKeys");
	lb_value_add(&x->arena, keys, lb_value_string(&x->arena, lb_value_get_string(body, "key")));
	for (uint32_t i = 0; more != NULL && more->kind == LB_ARRAY && i < more->count; i++)
		if (more->items[i]->kind == LB_STRING)
			lb_value_add(&x->arena, keys, more->items[i]);
	err = runner_github_find_cache(&found, x, g, keys, lb_value_get_string(body, "version"));
	if (lb_code_of(err) == LB_E_NOTFOUND) {
		answer_ok(x, answer, false);
		return;
	}
	if (!lb_failed(err))
		err = runner_github_offer_cache(&url, x, g, &found);
	if (lb_failed(err)) {
		answer_err(x, err);
		return;
	}
	lb_value_set_text(&x->arena, answer, "signed_download_url", url);
	lb_value_set_string(&x->arena, answer, "matched_key", found.name);
	answer_ok(x, answer, true);
}

void runner_github_caches(struct lb_http_exchange *x, void *ctx)
{
	struct lb_bytes call = lb_http_param(x, "call");
	struct lb_value *body;

	if (!runner_github_body(&body, x))
		return;
	if (lb_bytes_is(call, "CreateCacheEntry"))
		create_cache(x, ctx, body);
	else if (lb_bytes_is(call, "FinalizeCacheEntryUpload"))
		finalize_cache(x, ctx, body);
	else if (lb_bytes_is(call, "GetCacheEntryDownloadURL"))
		get_cache(x, ctx, body);
	else
		answer_no(x, 404, "bad_route", "there is no such call");
}
