/* world.c - see world.h. */
#include "tests/release/world.h"

#include "base/data/digest.h"
#include "base/data/json.h"
#include "base/io/file.h"
#include "base/io/run.h"

#include <stdarg.h>

static const char policy[] = "version: 1\n"
			     "audience: " WORLD_AUDIENCE "\n"
			     "issuers:\n"
			     "  - name: here\n"
			     "    url: " WORLD_ISSUER "\n"
			     "    jwks: issuer.jwks\n"
			     "publishers:\n"
			     "  - issuer: here\n"
			     "    repository: owner/name\n"
			     "    repository_id: 7\n"
			     "    workflow: .github/workflows/ci.yml\n"
			     "    job_workflow: .github/workflows/release.yml\n"
			     "    ref: refs/heads/*\n"
			     "    events: [push, workflow_dispatch]\n"
			     "    environment: publish\n"
			     "    project: lifeboat\n"
			     "    channels: [snapshot]\n"
			     "    files: [\"lifeboat-*.tar.gz\"]\n";

const char *world_path(struct world *w, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return (const char *)lb_arena_format(&w->arena, "%s/%s", w->folder, text).at;
}

static void write_file(struct world *w, const char *name, struct lb_bytes content)
{
	struct test *t = w->t;

	CHECK_OK(lb_file_write(&plat_host, world_path(w, "%s", name), content, 0, NULL));
}

void world_begin(struct world *w, struct test *t)
{
	struct lb_buf jwks;

	*w = (struct world){ .t = t };
	lb_arena_init(&w->arena, &lb_mem_host);
	w->folder = lb_arena_text(&w->arena, lb_bytes_of(test_folder(t)));
	w->tree = world_path(w, "tree");
	w->state = world_path(w, "state");
	w->policy = world_path(w, "policy.yml");
	w->now_s = plat_host.ops->wall_ns(&plat_host) / 1000000000;
	CHECK_OK(lb_token_key_generate(&w->key, &lb_mem_host));
	lb_buf_init(&jwks, &lb_mem_host, 65536);
	CHECK_OK(lb_token_key_write_public(&jwks, w->key));
	write_file(w, "issuer.jwks", lb_buf_bytes(&jwks));
	write_file(w, "policy.yml", lb_bytes_of(policy));
	lb_buf_release(&jwks);
	CHECK_OK(lb_http_client_new(&w->client, &lb_mem_host));
}

void world_start(struct world *w, struct plat *plat)
{
	struct test *t = w->t;
	struct release_signer_config config = {
		.state = w->state,
		.policy = w->policy,
		.tree = w->tree,
		.url = "http://host.test",
		.init = true,
	};
	lb_err err = release_signer_start(&w->signer, &lb_mem_host, plat, &config, &w->diag);

	if (lb_failed(err))
		printf("# %s\n", lb_diag_text(&w->diag, err));
	CHECK_OK(err);
	if (w->signer != NULL)
		(void)snprintf(w->url, sizeof w->url, "http://127.0.0.1:%u",
		               (unsigned)release_signer_port(w->signer));
}

void world_stop(struct world *w)
{
	release_signer_stop(w->signer);
	w->signer = NULL;
}

void world_end(struct world *w)
{
	world_stop(w);
	lb_http_client_free(w->client);
	lb_token_key_free(w->key);
	lb_arena_release(&w->arena);
}

/* ---- tokens ---- */

static void set(struct world *w, struct lb_value *claims, const char *name, const char *value)
{
	struct lb_bytes text = lb_bytes_of(value);
	uint64_t number;

	if (!lb_failed(lb_bytes_u64(&number, text, UINT64_MAX)) &&
	    (strcmp(name, "exp") == 0 || strcmp(name, "nbf") == 0 || strcmp(name, "iat") == 0))
		lb_value_set_number(&w->arena, claims, name, (double)number);
	else
		lb_value_set_text(&w->arena, claims, name, value);
}

struct lb_value *world_claims(struct world *w, const struct claim *claims, size_t count)
{
	static const struct claim good[] = {
		{ "iss", WORLD_ISSUER },
		{ "aud", WORLD_AUDIENCE },
		{ "sub", "repo:owner/name:ref:refs/heads/main" },
		{ "repository", "owner/name" },
		{ "repository_id", "7" },
		{ "repository_owner", "owner" },
		{ "repository_owner_id", "3" },
		{ "ref", "refs/heads/main" },
		{ "sha", "0123456789012345678901234567890123456789" },
		{ "workflow_ref", "owner/name/.github/workflows/ci.yml@refs/heads/main" },
		{ "job_workflow_ref", "owner/name/.github/workflows/release.yml@refs/heads/main" },
		{ "event_name", "push" },
		{ "environment", "publish" },
		{ "run_id", "12" },
		{ "run_attempt", "1" },
	};
	struct lb_value *all = lb_value_object(&w->arena), *kept;

	lb_value_set_number(&w->arena, all, "exp", (double)(w->now_s + 300));
	lb_value_set_number(&w->arena, all, "nbf", (double)(w->now_s - 1));
	lb_value_set_number(&w->arena, all, "iat", (double)(w->now_s - 1));
	lb_value_set_string(&w->arena, all, "jti",
	                    lb_arena_format(&w->arena, "token-%u", ++w->minted));
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		set(w, all, good[i].name, good[i].value);
	for (size_t i = 0; i < count; i++) {
		if (claims[i].value != NULL)
			set(w, all, claims[i].name, claims[i].value);
	}
	kept = lb_value_object(&w->arena);
	for (uint32_t i = 0; i < all->count; i++) {
		bool left_out = false;

		for (size_t k = 0; k < count; k++)
			left_out |= claims[k].value == NULL &&
			            lb_bytes_is(all->members[i].key, claims[k].name);
		if (!left_out)
			lb_value_set(&w->arena, kept, all->members[i].key, all->members[i].value);
	}
	return kept;
}

const char *world_sign(struct world *w, const struct lb_value *claims)
{
	struct test *t = w->t;
	struct lb_buf token;

	lb_buf_init(&token, &w->arena.mem, 65536);
	CHECK_OK(lb_token_sign(&token, w->key, claims));
	return lb_buf_text(&token);
}

const char *world_token(struct world *w, const struct claim *claims, size_t count)
{
	return world_sign(w, world_claims(w, claims, count));
}

/* ---- requests ---- */

const char *world_manifest(struct world *w, const char *version, const char *name,
                           const char *content)
{
	char sha256[LB_SHA256_HEX + 1];

	lb_ignore(lb_sha256_hex(sha256, lb_bytes_of(content)));
	return (const char *)lb_arena_format(&w->arena,
	                                     "{\"project\":\"lifeboat\",\"channel\":\"snapshot\","
	                                     "\"version\":\"%s\",\"files\":[{\"name\":\"%s\","
	                                     "\"size\":%zu,\"sha256\":\"%s\"}]}",
	                                     version, name, strlen(content), sha256)
	        .at;
}

void world_ask(struct world *w, const char *method, const char *path, const char *token,
               struct lb_bytes body)
{
	struct lb_bytes url = lb_arena_format(&w->arena, "%s%s", w->url, path);
	const char *headers[] = { NULL, NULL };
	struct lb_http_ask ask = {
		.method = method, .url = (const char *)url.at, .headers = headers, .body = body
	};
	struct lb_http_answer answer = { 0 };
	lb_err err;

	if (token != NULL)
		headers[0] =
			(const char *)lb_arena_format(&w->arena, "Authorization: Bearer %s", token)
				.at;
	lb_buf_init(&answer.body, &w->arena.mem, 4 << 20);
	lb_buf_init(&answer.headers, &w->arena.mem, 65536);
	w->answer = NULL;
	err = lb_http_ask(w->client, &ask, &answer, &w->diag);
	w->status = lb_failed(err) ? 0 : answer.status;
	if (lb_failed(lb_json_read(&w->answer, &w->arena, lb_buf_bytes(&answer.body), NULL)))
		w->answer = NULL;
}

const char *world_message(const struct world *w)
{
	struct lb_bytes message = lb_value_get_string(w->answer, "message");

	return message.at != NULL ? (const char *)message.at : "";
}

int world_publish(struct world *w, const char *version, const char *name, const char *content)
{
	struct lb_bytes upload;
	const char *path;

	world_ask(w, "POST", "/v1/releases", world_token(w, NULL, 0),
	          lb_bytes_of(world_manifest(w, version, name, content)));
	if (w->status != 201)
		return w->status;
	upload = lb_value_get_string(w->answer, "upload");
	path = (const char *)lb_arena_format(&w->arena, "/v1/releases/%.*s/files/%s",
	                                     LB_FMT(upload), name)
	               .at;
	world_ask(w, "PUT", path, NULL, lb_bytes_of(content));
	if (w->status != 200)
		return w->status;
	path = (const char *)lb_arena_format(&w->arena, "/v1/releases/%.*s/publish", LB_FMT(upload))
	               .at;
	world_ask(w, "POST", path, NULL, LB_B(""));
	return w->status;
}

/* ---- looking ---- */

static lb_err add_line(void *ctx, const char *path, const struct plat_info *info)
{
	lb_buf_addf(ctx, "%s %llu\n", path,
	            info->type == PLAT_DIRECTORY ? 0ULL : (unsigned long long)info->size);
	return LB_OK;
}

const char *world_listing(struct world *w)
{
	struct test *t = w->t;
	struct lb_buf text;

	lb_buf_init(&text, &w->arena.mem, 1 << 20);
	CHECK_OK(lb_file_walk(&lb_mem_host, &plat_host, w->tree, add_line, &text, NULL));
	return lb_buf_text(&text);
}

int world_run(struct world *w, const char **printed, const char *const *argv)
{
	struct lb_run how = { .argv = argv, .timeout_ms = 60000 };
	struct plat_exit status = { 0 };
	struct lb_buf out;
	lb_err err;

	lb_buf_init(&out, &w->arena.mem, 1 << 20);
	err = lb_run(&status, &how, &out, &out, NULL);
	if (printed != NULL)
		*printed = lb_buf_text(&out);
	return lb_failed(err) ? -1 : plat_exit_status(status);
}
