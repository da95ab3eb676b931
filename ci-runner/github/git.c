/* git.c - the job's own repository over Git's smart HTTP, to be fetched from.
 *
 * One in a folder is served by `git http-backend`; one of a coordinator is passed on, with the
 * job's token.
 */
#include "ci-runner/github/service_priv.h"

#include "base/http/client.h"
#include "base/io/file.h"
#include "base/io/run.h"
#include "base/text.h"

enum { TIMEOUT_MS = 600000, ANSWER_BYTES_MAX = 1024 * 1024 * 1024 };

static bool is_own(struct lb_http_exchange *x, const struct runner_github *g)
{
	struct lb_bytes name = lb_http_param(x, "name");

	if (lb_bytes_ends(name, LB_B(".git")))
		name.len -= 4;
	return lb_bytes_eq_nocase(lb_http_param(x, "owner"), g->owner) &&
	       lb_bytes_eq_nocase(name, g->name) && g->options.repository_url.len > 0;
}

static bool is_folder(const struct runner_github *g)
{
	return g->options.repository_url.at[0] == '/';
}

/* ---- a folder ---- */

/* Any commit may be asked for by its name, whoever owns the files. */
static lb_err run_backend(struct lb_buf *out, struct lb_http_exchange *x, struct runner_github *g,
                          const char *what, struct lb_bytes input)
{
	static const char *const argv[] = { "git", "http-backend", NULL };
	static const char *const headers[][2] = { { "Content-Type", "CONTENT_TYPE" },
		                                  { "Content-Encoding", "HTTP_CONTENT_ENCODING" },
		                                  { "Git-Protocol", "HTTP_GIT_PROTOCOL" },
		                                  { "Git-Protocol", "GIT_PROTOCOL" } };
	const char *env[20] = { "PATH=/usr/local/bin:/usr/bin:/bin",
		                "GIT_CONFIG_NOSYSTEM=1",
		                "GIT_CONFIG_COUNT=2",
		                "GIT_CONFIG_KEY_0=uploadpack.allowAnySHA1InWant",
		                "GIT_CONFIG_VALUE_0=true",
		                "GIT_CONFIG_KEY_1=safe.directory",
		                "GIT_CONFIG_VALUE_1=*",
		                "GIT_HTTP_EXPORT_ALL=1",
		                "HOME=/nonexistent",
		                "QUERY_STRING=service=git-upload-pack",
		                NULL };
	size_t count = 10;

	env[count++] = (const char *)lb_arena_format(&x->arena, "REQUEST_METHOD=%s", x->method).at;
	env[count++] = (const char *)lb_arena_format(&x->arena, "PATH_TRANSLATED=%.*s/%s",
	                                             LB_FMT(g->options.repository_url), what)
	                       .at;
	env[count++] = (const char *)lb_arena_format(&x->arena, "CONTENT_LENGTH=%zu", input.len).at;
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		struct lb_bytes value = lb_http_request_header(x, headers[i][0]);

		if (value.len > 0)
			env[count++] = (const char *)lb_arena_format(&x->arena, "%s=%.*s",
			                                             headers[i][1], LB_FMT(value))
			                       .at;
	}
	env[count] = NULL;
	if (x->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return lb_run_ok(&(struct lb_run){ .argv = argv,
	                                   .envp = env,
	                                   .input = input,
	                                   .timeout_ms = TIMEOUT_MS },
	                 out, &x->diag);
}

/* "Status: 404 ..." where it is not 200, "Content-Type: ...", an empty line, the body. */
static void answer_cgi(struct lb_http_exchange *x, struct lb_bytes all)
{
	size_t end = lb_bytes_find(all, LB_B("\r\n\r\n"));
	struct lb_bytes head = lb_bytes_upto(all, end), line;
	struct lb_bytes body = lb_bytes_from(all, end == SIZE_MAX ? SIZE_MAX : end + 4);
	const char *type = NULL;
	uint64_t status = 200;

	while (head.len > 0 && lb_bytes_split(&line, &head, '\n')) {
		line = lb_bytes_trim(line);
		if (lb_bytes_starts(line, LB_B("Status: ")))
			lb_ignore(lb_bytes_u64(&status, lb_bytes_upto(lb_bytes_from(line, 8), 3),
			                       599));
		else if (lb_bytes_starts(line, LB_B("Content-Type: ")))
			type = lb_arena_text(&x->arena, lb_bytes_from(line, 14));
	}
	lb_http_answer(x, (int)status, type, body);
}

static void answer_folder(struct lb_http_exchange *x, struct runner_github *g, const char *what,
                          struct lb_bytes input)
{
	struct lb_buf out;
	lb_err err;

	lb_buf_init(&out, g->mem, ANSWER_BYTES_MAX);
	err = run_backend(&out, x, g, what, input);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		answer_cgi(x, lb_buf_bytes(&out));
	lb_buf_release(&out);
}

/* ---- a coordinator's ---- */

static const char *basic(struct lb_http_exchange *x, const struct runner_github *g)
{
	struct lb_buf plain, header;

	lb_buf_init(&plain, &x->arena.mem, 65536);
	lb_buf_init(&header, &x->arena.mem, 65536);
	lb_buf_addf(&plain, "x-access-token:%.*s", LB_FMT(g->options.token));
	lb_buf_add_text(&header, "Authorization: Basic ");
	lb_base64_add(&header, lb_buf_bytes(&plain));
	return lb_buf_text(&header);
}

static const char *pass_header(struct lb_http_exchange *x, const char *name)
{
	struct lb_bytes value = lb_http_request_header(x, name);

	return value.len == 0
	               ? NULL
	               : (const char *)lb_arena_format(&x->arena, "%s: %.*s", name, LB_FMT(value))
	                         .at;
}

static void pass_on(struct lb_http_exchange *x, struct runner_github *g, const char *what,
                    struct lb_bytes body)
{
	static const char *const names[] = { "Content-Type", "Content-Encoding", "Git-Protocol",
		                             "Accept" };
	const char *headers[8] = { basic(x, g) };
	struct lb_http_answer answer = { .status = 0 };
	struct lb_http_client *client = NULL;
	size_t count = 1;
	const char *url = (const char *)lb_arena_format(&x->arena, "%.*s%s",
	                                                LB_FMT(g->options.repository_url), what)
	                          .at;
	lb_err err;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		headers[count] = pass_header(x, names[i]);
		count += headers[count] != NULL;
	}
	err = x->arena.failed ? lb_err_of(LB_E_NOMEM) : lb_http_client_new(&client, g->mem);
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_buf_init(&answer.body, g->mem, ANSWER_BYTES_MAX);
	lb_buf_init(&answer.headers, g->mem, 65536);
	err = lb_http_ask(client,
	                  &(struct lb_http_ask){ .url = url,
	                                         .headers = headers,
	                                         .body = body,
	                                         .timeout_ms = TIMEOUT_MS },
	                  &answer, &x->diag);
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
	} else {
		const char *type =
			lb_arena_text(&x->arena, lb_http_header(&answer.headers, "content-type"));

		lb_http_answer(x, answer.status, type, lb_buf_bytes(&answer.body));
	}
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
	lb_http_client_free(client);
}

/* ---- requests ---- */

void runner_github_git_refs(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;

	if (!is_own(x, g))
		runner_github_refuse(x, 404, "Not Found");
	else if (!lb_bytes_is(lb_http_query(x, "service"), "git-upload-pack"))
		runner_github_refuse(x, 403, "this repository can be fetched from, and no more");
	else if (is_folder(g))
		answer_folder(x, g, "info/refs", (struct lb_bytes){ 0 });
	else
		pass_on(x, g, "/info/refs?service=git-upload-pack", (struct lb_bytes){ 0 });
}

struct asking {
	struct lb_mem *mem;
	struct lb_buf body;
};

static void end_asking(void *state)
{
	struct asking *asking = state;

	if (asking == NULL)
		return;
	lb_buf_release(&asking->body);
	LB_DROP(asking->mem, asking, 1);
}

lb_err runner_github_git_pack_receive(struct lb_http_exchange *x, void *ctx, struct lb_bytes part)
{
	struct runner_github *g = ctx;
	struct asking *asking = x->state;

	if (asking == NULL) {
		asking = LB_NEW(g->mem, struct asking, 1);
		if (asking == NULL)
			return lb_err_of(LB_E_NOMEM);
		asking->mem = g->mem;
		lb_buf_init(&asking->body, g->mem, 64 * 1024 * 1024);
		x->state = asking;
		x->ended = end_asking;
	}
	lb_buf_add(&asking->body, part);
	return lb_buf_check(&asking->body);
}

void runner_github_git_pack(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct asking *asking = x->state;
	struct lb_bytes body =
		asking != NULL ? lb_buf_bytes(&asking->body) : (struct lb_bytes){ 0 };

	if (!is_own(x, g))
		runner_github_refuse(x, 404, "Not Found");
	else if (!is_folder(g))
		pass_on(x, g, "/git-upload-pack", body);
	else
		answer_folder(x, g, "git-upload-pack", body);
}
