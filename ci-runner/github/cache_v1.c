/* cache_v1.c - caches as older clients ask for them: reserve, parts with a range, commit. */
#include "ci-runner/github/service_priv.h"

#include "base/io/file.h"

void runner_github_cache_find(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct lb_value *answer = lb_value_object(&x->arena), *keys = lb_value_array(&x->arena);
	struct lb_bytes rest = lb_http_query(x, "keys"), key;
	struct runner_found found = { 0 };
	const char *url;
	lb_err err;

	while (lb_bytes_split(&key, &rest, ','))
		lb_value_add(&x->arena, keys, lb_value_string(&x->arena, key));
	err = runner_github_find_cache(&found, x, g, keys, lb_http_query(x, "version"));
	if (lb_code_of(err) == LB_E_NOTFOUND) {
		lb_http_answer(x, 204, NULL, (struct lb_bytes){ 0 });
		return;
	}
	if (!lb_failed(err))
		err = runner_github_offer_cache(&url, x, g, &found);
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_value_set_text(&x->arena, answer, "archiveLocation", url);
	lb_value_set_string(&x->arena, answer, "cacheKey", found.name);
	lb_value_set_string(&x->arena, answer, "scope", runner_github_context(g, "ref"));
	lb_http_answer_json(x, 200, answer);
}

/* Asked by clients to explain a miss: the names are the coordinator's to tell. */
void runner_github_cache_list(struct lb_http_exchange *x, void *ctx)
{
	struct lb_value *answer = lb_value_object(&x->arena);

	(void)ctx;
	lb_value_set_number(&x->arena, answer, "totalCount", 0);
	lb_value_put(&x->arena, answer, "artifactCaches", lb_value_array(&x->arena));
	lb_http_answer_json(x, 200, answer);
}

void runner_github_cache_reserve(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct lb_value *body, *answer = lb_value_object(&x->arena),
			       *keys = lb_value_array(&x->arena);
	struct runner_github_file *file = NULL;
	struct runner_found found = { 0 };
	lb_err err;

	if (!runner_github_body(&body, x))
		return;
	lb_value_add(&x->arena, keys, lb_value_string(&x->arena, lb_value_get_string(body, "key")));
	err = runner_github_find_cache(&found, x, g, keys, lb_value_get_string(body, "version"));
	if (!lb_failed(err) && lb_bytes_eq(found.name, keys->items[0]->string)) {
		runner_github_refuse(x, 409, "Cache already exists.");
		return;
	}
	if (!lb_failed(err) || lb_code_of(err) == LB_E_NOTFOUND)
		err = runner_github_file_add(&file, g, RUNNER_GITHUB_CACHE,
		                             lb_value_get_string(body, "key"),
		                             lb_value_get_string(body, "version"));
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_value_set_number(&x->arena, answer, "cacheId", (double)file->id);
	lb_http_answer_json(x, 201, answer);
}

static struct runner_github_file *file_of(struct lb_http_exchange *x, struct runner_github *g)
{
	struct runner_github_file *file = NULL;
	uint64_t id;

	if (lb_failed(lb_bytes_u64(&id, lb_http_param(x, "id"), UINT64_MAX)))
		return NULL;
	file = runner_github_file_at(g, id);
	return file != NULL && file->kind == RUNNER_GITHUB_CACHE ? file : NULL;
}

/* "bytes 0-1023/<star>": where this part begins. */
static lb_err begin_of(uint64_t *out, struct lb_http_exchange *x)
{
	struct lb_bytes range = lb_http_request_header(x, "Content-Range");
	struct lb_bytes begin = lb_bytes_from(range, 6);

	if (!lb_bytes_starts(range, LB_B("bytes ")) ||
	    lb_failed(lb_bytes_u64(out, lb_bytes_upto(begin, lb_bytes_find_byte(begin, '-')),
	                           UINT64_C(1) << 50)))
		return lb_fail(&x->diag, LB_E_INVALID, "Content-Range: expected bytes BEGIN-END/*");
	return LB_OK;
}

lb_err runner_github_cache_part_receive(struct lb_http_exchange *x, void *ctx, struct lb_bytes part)
{
	struct runner_github *g = ctx;
	struct runner_github_file *file = file_of(x, g);
	uint64_t at;

	if (file == NULL)
		return lb_fail(&x->diag, LB_E_NOTFOUND, "there is no such cache entry");
	LB_TRY(begin_of(&at, x));
	return runner_github_receive(x, g, file->path, at, part);
}

void runner_github_cache_part(struct lb_http_exchange *x, void *ctx)
{
	(void)ctx;
	lb_http_answer(x, 204, NULL, (struct lb_bytes){ 0 });
}

void runner_github_cache_commit(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct runner_github_file *file = file_of(x, g);
	struct plat_info info;
	struct lb_value *body;
	uint64_t size = 0;
	lb_err err;

	if (file == NULL) {
		runner_github_refuse(x, 404, "there is no such cache entry");
		return;
	}
	if (!runner_github_body(&body, x))
		return;
	err = g->plat->ops->info(&info, g->plat, file->path);
	lb_ignore(lb_value_get_u64(&size, body, "size"));
	if (!lb_failed(err) && info.size != size)
		err = lb_fail(&x->diag, LB_E_INVALID, "%llu bytes came, and %llu were announced",
		              (unsigned long long)info.size, (unsigned long long)size);
	if (!lb_failed(err))
		err = runner_github_keep_cache(g, file, &x->diag);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer(x, 204, NULL, (struct lb_bytes){ 0 });
}
