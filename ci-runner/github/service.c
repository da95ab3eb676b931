/* service.c - see service.h: life, who may ask, what steps are told. */
#include "ci-runner/github/service_priv.h"

#include "base/data/json.h"
#include "base/io/file.h"
#include "base/text.h"

#include <stdio.h>

static const struct lb_http_route routes[] = {
#define ROUTE(method, path, handler, access) \
	{ method, \
	  path, \
	  runner_github_##handler, \
	  RUNNER_GITHUB_JSON_BYTES_MAX, \
	  NULL, \
	  runner_github_check_##access },
#define ALSO ROUTE
#define UPLOAD(method, path, handler, access) \
	{ method, \
	  path, \
	  runner_github_##handler, \
	  0, \
	  runner_github_##handler##_receive, \
	  runner_github_check_##access },
#include "ci-runner/github/routes.def"
#undef ALSO
#undef ROUTE
#undef UPLOAD
	{ NULL, NULL, NULL, 0, NULL, NULL },
};

/* ---- who may ask ---- */

lb_err runner_github_check_open(struct lb_http_exchange *x, void *ctx)
{
	(void)x;
	(void)ctx;
	return LB_OK;
}

/* "token X" is how scripts of GitHub's write it as well. */
static struct lb_bytes token_of(const struct lb_http_exchange *x)
{
	struct lb_bytes header = lb_http_request_header(x, "Authorization");
	struct lb_bytes known = lb_http_bearer(x);

	if (known.len > 0)
		return known;
	if (lb_bytes_eq_nocase(lb_bytes_upto(header, 6), LB_B("token ")) ||
	    lb_bytes_eq_nocase(lb_bytes_upto(header, 7), LB_B("bearer ")))
		return lb_bytes_trim(lb_bytes_from(header, lb_bytes_find_byte(header, ' ')));
	return header;
}

lb_err runner_github_check_token(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct lb_bytes token = token_of(x);

	if (lb_bytes_eq_secret(token, g->options.token) ||
	    lb_bytes_eq_secret(token, lb_bytes_of(g->runtime_token)))
		return LB_OK;
	lb_http_add_header(x, "WWW-Authenticate", "Basic realm=\"GitHub\"");
	runner_github_refuse(x, 401, token.len > 0 ? "Bad credentials" : "Requires authentication");
	return lb_err_of(LB_E_DENIED);
}

/* ---- answers ---- */

void runner_github_refuse(struct lb_http_exchange *x, int status, const char *message)
{
	struct lb_value *body = lb_value_object(&x->arena);

	lb_value_set_text(&x->arena, body, "message", message);
	lb_value_set_text(&x->arena, body, "msg", message); /* as twirp has it */
	lb_http_answer_json(x, status, body);
}

bool runner_github_body(struct lb_value **out, struct lb_http_exchange *x)
{
	lb_err err = lb_json_read(out, &x->arena, x->body, &x->diag);

	if (!lb_failed(err) && (*out)->kind == LB_OBJECT)
		return true;
	runner_github_refuse(x, 400, "Problems parsing JSON");
	return false;
}

const char *runner_github_base(struct lb_http_exchange *x)
{
	struct lb_bytes host = lb_http_request_header(x, "Host");

	return (const char *)lb_arena_format(&x->arena, "http://%.*s",
	                                     LB_FMT(host.len > 0 ? host : LB_B("github.localhost")))
	        .at;
}

struct lb_bytes runner_github_context(const struct runner_github *g, const char *name)
{
	return lb_value_get_string(g->options.github, name);
}

const char *runner_github_path(struct runner_github *g, struct lb_arena *arena, const char *kind)
{
	uint64_t id;

	(void)pthread_mutex_lock(&g->mutex);
	id = ++g->next_id;
	(void)pthread_mutex_unlock(&g->mutex);
	return (const char *)lb_arena_format(arena, "%s/%s-%llu", g->options.folder, kind,
	                                     (unsigned long long)id)
	        .at;
}

/* ---- the runtime token ---- */

static void add_part(struct lb_buf *out, struct lb_arena *arena, const struct lb_value *value)
{
	struct lb_buf text;

	lb_buf_init(&text, &arena->mem, 65536);
	lb_value_write(&text, value, false);
	lb_base64url_add(out, lb_buf_bytes(&text));
}

static struct lb_value *claims_of(struct runner_github *g, struct lb_arena *arena)
{
	struct lb_value *claims = lb_value_object(arena);
	uint64_t now_s = g->plat->ops->wall_ns(g->plat) / UINT64_C(1000000000);
	struct lb_bytes run = runner_github_context(g, "run_id");
	struct lb_bytes ref = runner_github_context(g, "ref");
	struct lb_value *scope = lb_value_object(arena), *scopes = lb_value_array(arena);
	struct lb_buf text;

	lb_value_set_string(arena, scope, "Scope", ref);
	lb_value_set_number(arena, scope, "Permission", 3);
	lb_value_add(arena, scopes, scope);
	lb_buf_init(&text, &arena->mem, 65536);
	lb_value_write(&text, scopes, false);
	lb_value_set_string(arena, claims, "ac", lb_buf_bytes(&text));
	lb_value_set_string(arena, claims, "scp",
	                    lb_arena_format(arena, "Actions.Results:%.*s:%.*s", LB_FMT(run),
	                                    LB_FMT(run)));
	lb_value_set_number(arena, claims, "nbf", (double)now_s);
	lb_value_set_number(arena, claims, "exp", (double)(now_s + 24 * 3600));
	return claims;
}

/* A JWT for those who look into it; what nobody can guess stands where the signature would. */
static lb_err make_token(struct runner_github *g)
{
	unsigned char secret[32];
	struct lb_arena arena;
	struct lb_value *head;
	struct lb_buf text;
	lb_err err = g->plat->ops->entropy(secret, g->plat, sizeof secret);

	lb_arena_init(&arena, g->mem);
	lb_buf_init(&text, g->mem, 65536);
	head = lb_value_object(&arena);
	lb_value_set_text(&arena, head, "typ", "JWT");
	lb_value_set_text(&arena, head, "alg", "RS256");
	add_part(&text, &arena, head);
	lb_buf_add_byte(&text, '.');
	add_part(&text, &arena, claims_of(g, &arena));
	lb_buf_add_byte(&text, '.');
	lb_base64url_add(&text, (struct lb_bytes){ secret, sizeof secret });
	if (!lb_failed(err))
		err = arena.failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(&text);
	if (!lb_failed(err)) {
		g->runtime_token_size = text.len + 1;
		g->runtime_token = lb_mem_text(g->mem, (const char *)text.at, text.len);
		err = g->runtime_token != NULL ? LB_OK : lb_err_of(LB_E_NOMEM);
	}
	lb_buf_release(&text);
	lb_arena_release(&arena);
	return err;
}

const char *runner_github_runtime_token(const struct runner_github *github)
{
	return github->runtime_token;
}

/* ---- life ---- */

static lb_err start(struct runner_github *g, struct lb_diag *diag)
{
	struct lb_bytes full = runner_github_context(g, "repository");
	size_t slash = lb_bytes_find_byte(full, '/');

	g->owner = lb_bytes_upto(full, slash);
	g->name = lb_bytes_from(full, slash == SIZE_MAX ? SIZE_MAX : slash + 1);
	g->queued = lb_value_array(&g->arena);
	if (g->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(make_token(g));
	return lb_http_server_start(&g->server, g->mem, g->plat,
	                            &(struct lb_http_config){ .routes = routes,
	                                                      .ctx = g,
	                                                      .threads = 4,
	                                                      .connections_max = 256 },
	                            diag);
}

lb_err runner_github_new(struct runner_github **out, struct lb_mem *mem, struct plat *plat,
                         const struct runner_github_options *options, struct lb_diag *diag)
{
	struct runner_github *g = LB_NEW(mem, struct runner_github, 1);
	lb_err err;

	*out = NULL;
	if (g == NULL)
		return lb_err_of(LB_E_NOMEM);
	g->mem = mem;
	g->plat = plat;
	g->options = *options;
	lb_arena_init(&g->arena, mem);
	lb_vec_init(&g->files, mem, sizeof(struct runner_github_file *), RUNNER_GITHUB_FILES_MAX);
	(void)pthread_mutex_init(&g->mutex, NULL);
	err = start(g, diag);
	if (lb_failed(err))
		runner_github_free(g);
	else
		*out = g;
	return err;
}

void runner_github_free(struct runner_github *g)
{
	if (g == NULL)
		return;
	if (g->server != NULL)
		lb_http_server_stop(g->server);
	lb_repo_free(g->repo);
	if (g->runtime_token != NULL)
		lb_mem_drop(g->mem, g->runtime_token, g->runtime_token_size, 1);
	(void)pthread_mutex_destroy(&g->mutex);
	lb_vec_release(&g->files);
	lb_arena_release(&g->arena);
	LB_DROP(g->mem, g, 1);
}

void runner_github_visit(void *ctx, int socket)
{
	lb_http_server_adopt(((struct runner_github *)ctx)->server, socket);
}

/* ---- what steps are told ---- */

static void put(struct lb_arena *arena, struct lb_value *to, const char *name, const char *host,
                uint16_t port, const char *path)
{
	char number[16] = "";

	if (port != 80)
		(void)snprintf(number, sizeof number, ":%u", (unsigned)port);
	lb_value_set_string(arena, to, name,
	                    lb_arena_format(arena, "http://%s%s%s", host, number, path));
}

struct lb_value *runner_github_variables(struct lb_arena *arena, const struct runner_github *github,
                                         uint16_t port)
{
	static const char api[] = "api.github.localhost", web[] = "github.localhost";
	struct lb_value *all = lb_value_object(arena);

	put(arena, all, "GITHUB_SERVER_URL", web, port, "");
	put(arena, all, "GITHUB_API_URL", api, port, "");
	put(arena, all, "GITHUB_GRAPHQL_URL", api, port, "/graphql");
	lb_value_set_text(arena, all, "GH_HOST", web);
	lb_value_set_string(arena, all, "GH_REPO",
	                    lb_arena_format(arena, "%s/%.*s", web,
	                                    LB_FMT(runner_github_context(github, "repository"))));
	if (github->options.id_token_url.len > 0) {
		put(arena, all, "ACTIONS_ID_TOKEN_REQUEST_URL", web, port,
		    "/_id-token?api-version=1");
		lb_value_set_text(arena, all, "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
		                  github->runtime_token);
	}
	return all;
}

struct lb_value *runner_github_action_variables(struct lb_arena *arena,
                                                const struct runner_github *github, uint16_t port)
{
	static const char web[] = "github.localhost";
	struct lb_value *all = lb_value_object(arena);

	put(arena, all, "ACTIONS_RUNTIME_URL", web, port, "/");
	put(arena, all, "ACTIONS_RESULTS_URL", web, port, "/");
	put(arena, all, "ACTIONS_CACHE_URL", web, port, "/");
	lb_value_set_text(arena, all, "ACTIONS_CACHE_SERVICE_V2", "True");
	lb_value_set_text(arena, all, "ACTIONS_RUNTIME_TOKEN", github->runtime_token);
	return all;
}

const struct lb_value *runner_github_queued(struct lb_arena *arena, struct runner_github *github)
{
	const struct lb_value *copy;

	(void)pthread_mutex_lock(&github->mutex);
	copy = lb_value_copy(arena, github->queued);
	(void)pthread_mutex_unlock(&github->mutex);
	return copy;
}
