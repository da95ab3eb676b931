/* rest.c - the REST that scripts read by: runs, jobs, artifacts, pull requests, and who asks. */
#include "ci-runner/github/service_priv.h"

#include "base/data/json.h"
#include "base/http/client.h"
#include "base/io/file.h"
#include "base/text.h"

enum { PAGE_MAX = 100, PAGE_OTHERWISE = 30 };

/* ---- small ones ---- */

void runner_github_root(struct lb_http_exchange *x, void *ctx)
{
	struct lb_value *body = lb_value_object(&x->arena);

	(void)ctx;
	lb_value_set_text(&x->arena, body, "current_user_url", "/user");
	lb_value_set_text(&x->arena, body, "repository_url", "/repos/{owner}/{repo}");
	lb_value_set_bool(&x->arena, body, "verifiable_password_authentication", false);
	/* What a script may do with a token: clients look at this header. */
	lb_http_add_header(x, "X-OAuth-Scopes", "repo");
	lb_http_answer_json(x, 200, body);
}

void runner_github_rate_limit(struct lb_http_exchange *x, void *ctx)
{
	struct lb_value *body = lb_value_object(&x->arena), *rate = lb_value_object(&x->arena);
	struct lb_value *resources = lb_value_object(&x->arena);

	(void)ctx;
	lb_value_set_number(&x->arena, rate, "limit", 5000);
	lb_value_set_number(&x->arena, rate, "remaining", 5000);
	lb_value_set_number(&x->arena, rate, "used", 0);
	lb_value_set_number(&x->arena, rate, "reset", 0);
	lb_value_put(&x->arena, resources, "core", rate);
	lb_value_put(&x->arena, body, "resources", resources);
	lb_value_put(&x->arena, body, "rate", rate);
	lb_http_answer_json(x, 200, body);
}

static struct lb_value *login(struct lb_http_exchange *x, struct lb_bytes name)
{
	struct lb_value *user = lb_value_object(&x->arena);

	lb_value_set_string(&x->arena, user, "login", name);
	lb_value_set_text(&x->arena, user, "type", "User");
	return user;
}

void runner_github_user(struct lb_http_exchange *x, void *ctx)
{
	lb_http_answer_json(x, 200, login(x, runner_github_context(ctx, "actor")));
}

void runner_github_repository(struct lb_http_exchange *x, void *ctx)
{
	lb_http_answer_json(x, 200, runner_github_repository_value(x, ctx));
}

/* Asked for by the job's runner in its place: the job may have no network. */
void runner_github_id_token(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct lb_http_answer answer = { .status = 0 };
	struct lb_http_client *client = NULL;
	struct lb_buf url;
	const char *headers[] = { NULL, NULL };
	lb_err err;

	if (g->options.id_token_url.len == 0) {
		runner_github_refuse(x, 403, "this job may not ask for identity tokens");
		return;
	}
	headers[0] = (const char *)lb_arena_format(&x->arena, "Authorization: Bearer %.*s",
	                                           LB_FMT(g->options.token))
	                     .at;
	lb_buf_init(&url, &x->arena.mem, 65536);
	lb_buf_add(&url, g->options.id_token_url);
	if (lb_http_has_query(x, "audience")) {
		lb_buf_add_text(&url, "&audience=");
		lb_url_add(&url, lb_http_query(x, "audience"), "");
	}
	err = x->arena.failed ? lb_err_of(LB_E_NOMEM) : lb_http_client_new(&client, g->mem);
	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	lb_buf_init(&answer.body, g->mem, RUNNER_GITHUB_JSON_BYTES_MAX);
	lb_buf_init(&answer.headers, g->mem, 65536);
	err = lb_http_ask(client,
	                  &(struct lb_http_ask){ .url = lb_buf_text(&url), .headers = headers },
	                  &answer, &x->diag);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer(x, answer.status, "application/json", lb_buf_bytes(&answer.body));
	lb_buf_release(&answer.headers);
	lb_buf_release(&answer.body);
	lb_http_client_free(client);
}

/* ---- lists ---- */

static uint64_t number_of(struct lb_http_exchange *x, const char *name, uint64_t otherwise,
                          uint64_t most)
{
	uint64_t number;

	if (lb_failed(lb_bytes_u64(&number, lb_http_query(x, name), most)) || number == 0)
		return otherwise;
	return number;
}

/* {"total_count": N, NAME: the page that was asked for} */
static void answer_page(struct lb_http_exchange *x, const char *name, const struct lb_value *all)
{
	uint64_t size = number_of(x, "per_page", PAGE_OTHERWISE, PAGE_MAX);
	uint64_t begin = (number_of(x, "page", 1, 100000) - 1) * size;
	struct lb_value *body = lb_value_object(&x->arena), *page = lb_value_array(&x->arena);

	for (uint64_t i = begin; i < all->count && i < begin + size; i++)
		lb_value_add(&x->arena, page, all->items[i]);
	lb_value_set_number(&x->arena, body, "total_count", all->count);
	lb_value_put(&x->arena, body, name, page);
	lb_http_answer_json(x, 200, body);
}

/* ---- what the link knows ---- */

static lb_err ask(struct lb_value **out, struct lb_http_exchange *x, struct runner_github *g,
                  const char *what)
{
	struct runner_link *link = g->options.link;
	lb_err err;

	if (what == NULL)
		return lb_err_of(LB_E_NOMEM);
	(void)pthread_mutex_lock(g->options.lock);
	err = link->ops->ask(out, link, &x->arena, what, &x->diag);
	(void)pthread_mutex_unlock(g->options.lock);
	return err;
}

static void answer_failure(struct lb_http_exchange *x, lb_err err)
{
	if (lb_code_of(err) == LB_E_NOTFOUND)
		runner_github_refuse(x, 404, "Not Found");
	else
		lb_http_answer_error(x, err);
}

static void copy(struct lb_http_exchange *x, struct lb_value *to, const char *name,
                 const struct lb_value *from, const char *as)
{
	const struct lb_value *value = lb_value_get(from, as);

	lb_value_put(&x->arena, to, name,
	             value != NULL ? lb_value_copy(&x->arena, value) : lb_value_null(&x->arena));
}

static const char *format_url(struct lb_http_exchange *x, const struct runner_github *g,
                              const char *kind, const struct lb_value *of)
{
	return (const char *)lb_arena_format(&x->arena, "%s/repos/%.*s/%.*s/actions/%s/%.0f",
	                                     runner_github_base(x), LB_FMT(g->owner),
	                                     LB_FMT(g->name), kind, lb_value_get_number(of, "id"))
	        .at;
}

static struct lb_bytes branch_of(struct lb_bytes ref)
{
	return lb_bytes_starts(ref, LB_B("refs/heads/"))  ? lb_bytes_from(ref, 11)
	       : lb_bytes_starts(ref, LB_B("refs/tags/")) ? lb_bytes_from(ref, 10)
	                                                  : ref;
}

static struct lb_value *run_value(struct lb_http_exchange *x, struct runner_github *g,
                                  const struct lb_value *run)
{
	static const char *const same[] = { "id",     "name",       "path",       "event",
		                            "status", "conclusion", "created_at", NULL };
	struct lb_value *out = lb_value_object(&x->arena);
	const char *url = format_url(x, g, "runs", run);

	for (size_t i = 0; same[i] != NULL; i++)
		copy(x, out, same[i], run, same[i]);
	copy(x, out, "run_number", run, "number");
	copy(x, out, "run_attempt", run, "attempt");
	copy(x, out, "head_sha", run, "sha");
	copy(x, out, "display_title", run, "title");
	copy(x, out, "run_started_at", run, "started_at");
	copy(x, out, "html_url", run, "url");
	copy(x, out, "updated_at", run,
	     lb_value_get_string(run, "completed_at").len > 0 ? "completed_at" : "created_at");
	lb_value_set_string(&x->arena, out, "head_branch",
	                    branch_of(lb_value_get_string(run, "ref")));
	if (url != NULL) {
		lb_value_set_text(&x->arena, out, "url", url);
		lb_value_set_string(&x->arena, out, "jobs_url",
		                    lb_arena_format(&x->arena, "%s/jobs", url));
		lb_value_set_string(&x->arena, out, "artifacts_url",
		                    lb_arena_format(&x->arena, "%s/artifacts", url));
	}
	lb_value_put(&x->arena, out, "actor", login(x, runner_github_context(g, "actor")));
	lb_value_put(&x->arena, out, "repository", runner_github_repository_value(x, g));
	lb_value_put(&x->arena, out, "pull_requests", lb_value_array(&x->arena));
	return out;
}

static struct lb_value *job_value(struct lb_http_exchange *x, struct runner_github *g,
                                  const struct lb_value *job, const struct lb_value *run)
{
	static const char *const same[] = { "id",           "run_id",     "name",   "status",
		                            "conclusion",   "created_at", "labels", "started_at",
		                            "completed_at", NULL };
	struct lb_value *out = lb_value_object(&x->arena);
	const char *url = format_url(x, g, "jobs", job);

	for (size_t i = 0; same[i] != NULL; i++)
		copy(x, out, same[i], job, same[i]);
	copy(x, out, "runner_name", job, "runner");
	copy(x, out, "html_url", job, "url");
	copy(x, out, "run_attempt", job, "attempt");
	copy(x, out, "steps", job, "steps");
	copy(x, out, "head_sha", run, "sha");
	copy(x, out, "workflow_name", run, "workflow");
	lb_value_set_string(&x->arena, out, "head_branch",
	                    branch_of(lb_value_get_string(run, "ref")));
	if (url != NULL)
		lb_value_set_text(&x->arena, out, "url", url);
	return out;
}

static struct lb_value *artifact_value(struct lb_http_exchange *x, struct runner_github *g,
                                       const struct lb_value *artifact, struct lb_bytes run)
{
	struct lb_value *out = lb_value_object(&x->arena), *about = lb_value_object(&x->arena);
	const char *url = format_url(x, g, "artifacts", artifact);
	struct lb_bytes digest = lb_value_get_string(artifact, "sha256");
	uint64_t number;

	copy(x, out, "id", artifact, "id");
	copy(x, out, "name", artifact, "name");
	copy(x, out, "size_in_bytes", artifact, "size");
	copy(x, out, "created_at", artifact, "created_at");
	copy(x, out, "updated_at", artifact, "created_at");
	lb_value_set_bool(&x->arena, out, "expired", false);
	if (digest.len > 0)
		lb_value_set_string(&x->arena, out, "digest",
		                    lb_arena_format(&x->arena, "sha256:%.*s", LB_FMT(digest)));
	if (url != NULL) {
		lb_value_set_text(&x->arena, out, "url", url);
		lb_value_set_string(&x->arena, out, "archive_download_url",
		                    lb_arena_format(&x->arena, "%s/zip", url));
	}
	if (!lb_failed(lb_bytes_u64(&number, run, UINT64_MAX)))
		lb_value_set_number(&x->arena, about, "id", (double)number);
	lb_value_set_string(&x->arena, about, "head_sha", runner_github_context(g, "sha"));
	lb_value_put(&x->arena, out, "workflow_run", about);
	return out;
}

/* ---- /actions/... ---- */

static void list_runs(struct lb_http_exchange *x, struct runner_github *g, struct lb_bytes workflow)
{
	struct lb_bytes event = lb_http_query(x, "event"), status = lb_http_query(x, "status");
	struct lb_bytes branch = lb_http_query(x, "branch"), sha = lb_http_query(x, "head_sha");
	struct lb_value *answer, *kept = lb_value_array(&x->arena);
	const struct lb_value *runs;
	lb_err err = ask(&answer, x, g, "runs?limit=500");

	if (lb_failed(err)) {
		answer_failure(x, err);
		return;
	}
	runs = lb_value_get(answer, "runs");
	for (uint32_t i = 0; runs != NULL && i < runs->count; i++) {
		const struct lb_value *run = runs->items[i];
		struct lb_bytes path = lb_value_get_string(run, "path");

		if (!lb_bytes_eq_nocase(lb_value_get_string(run, "repository"),
		                        runner_github_context(g, "repository")) ||
		    (event.len > 0 && !lb_bytes_eq(event, lb_value_get_string(run, "event"))) ||
		    (sha.len > 0 && !lb_bytes_eq(sha, lb_value_get_string(run, "sha"))) ||
		    (branch.len > 0 &&
		     !lb_bytes_eq(branch, branch_of(lb_value_get_string(run, "ref")))) ||
		    (status.len > 0 && !lb_bytes_eq(status, lb_value_get_string(run, "status")) &&
		     !lb_bytes_eq(status, lb_value_get_string(run, "conclusion"))) ||
		    (workflow.len > 0 && !lb_bytes_ends(path, workflow)))
			continue;
		lb_value_add(&x->arena, kept, run_value(x, g, run));
	}
	answer_page(x, "workflow_runs", kept);
}

static void list_jobs(struct lb_http_exchange *x, struct runner_github *g,
                      const struct lb_value *run)
{
	const struct lb_value *jobs = lb_value_get(run, "jobs");
	struct lb_value *all = lb_value_array(&x->arena);

	for (uint32_t i = 0; jobs != NULL && i < jobs->count; i++)
		lb_value_add(&x->arena, all, job_value(x, g, jobs->items[i], run));
	answer_page(x, "jobs", all);
}

static void list_artifacts(struct lb_http_exchange *x, struct runner_github *g, struct lb_bytes run)
{
	struct lb_bytes name = lb_http_query(x, "name");
	struct lb_value *answer, *kept = lb_value_array(&x->arena);
	const struct lb_value *all;
	lb_err err = ask(
		&answer, x, g,
		(const char *)lb_arena_format(&x->arena, "runs/%.*s/artifacts", LB_FMT(run)).at);

	if (lb_failed(err)) {
		answer_failure(x, err);
		return;
	}
	all = lb_value_get(answer, "artifacts");
	for (uint32_t i = 0; all != NULL && i < all->count; i++)
		if (name.len == 0 || lb_bytes_eq(name, lb_value_get_string(all->items[i], "name")))
			lb_value_add(&x->arena, kept, artifact_value(x, g, all->items[i], run));
	answer_page(x, "artifacts", kept);
}

static void read_run(struct lb_http_exchange *x, struct runner_github *g, struct lb_bytes rest)
{
	struct lb_bytes id, more;
	struct lb_value *run;
	lb_err err;

	(void)lb_bytes_split(&id, &rest, '/');
	more = rest;
	if (lb_bytes_is(more, "artifacts")) {
		list_artifacts(x, g, id);
		return;
	}
	err = ask(&run, x, g, (const char *)lb_arena_format(&x->arena, "runs/%.*s", LB_FMT(id)).at);
	if (lb_failed(err))
		answer_failure(x, err);
	else if (more.len == 0)
		lb_http_answer_json(x, 200, run_value(x, g, run));
	else if (lb_bytes_is(more, "jobs") ||
	         (lb_bytes_starts(more, LB_B("attempts/")) && lb_bytes_ends(more, LB_B("/jobs"))))
		list_jobs(x, g, run);
	else if (lb_bytes_starts(more, LB_B("attempts/")))
		lb_http_answer_json(x, 200, run_value(x, g, run));
	else
		runner_github_refuse(x, 404, "Not Found");
}

/* To an address that says nothing of the token, as GitHub answers it. */
static void redirect(struct lb_http_exchange *x, struct runner_github *g, struct lb_bytes what)
{
	struct runner_github_file *file = NULL;
	lb_err err = runner_github_file_add(&file, g, RUNNER_GITHUB_TO_GET, what,
	                                    (struct lb_bytes){ 0 });

	if (lb_failed(err)) {
		lb_http_answer_error(x, err);
		return;
	}
	file->of = RUNNER_GITHUB_TO_GET;
	lb_http_add_header(x, "Location", runner_github_file_url(x, file));
	lb_http_answer(x, 302, NULL, (struct lb_bytes){ 0 });
}

static void read_job(struct lb_http_exchange *x, struct runner_github *g, struct lb_bytes rest)
{
	struct lb_bytes id;
	struct lb_value *job;
	lb_err err;

	(void)lb_bytes_split(&id, &rest, '/');
	if (lb_bytes_is(rest, "logs")) {
		redirect(x, g, lb_arena_format(&x->arena, "jobs/%.*s/log", LB_FMT(id)));
		return;
	}
	err = ask(&job, x, g, (const char *)lb_arena_format(&x->arena, "jobs/%.*s", LB_FMT(id)).at);
	if (lb_failed(err))
		answer_failure(x, err);
	else
		lb_http_answer_json(x, 200, job_value(x, g, job, lb_value_get(job, "run")));
}

static void read_artifact(struct lb_http_exchange *x, struct runner_github *g, struct lb_bytes rest)
{
	struct lb_bytes id;

	(void)lb_bytes_split(&id, &rest, '/');
	if (id.len == 0)
		list_artifacts(x, g, runner_github_context(g, "run_id"));
	else if (lb_bytes_is(rest, "zip"))
		redirect(x, g, lb_arena_format(&x->arena, "artifacts/%.*s", LB_FMT(id)));
	else
		runner_github_refuse(x, 404, "Not Found");
}

static bool read_actions(struct lb_http_exchange *x, struct runner_github *g, struct lb_bytes rest)
{
	struct lb_bytes kind;

	(void)lb_bytes_split(&kind, &rest, '/');
	if (lb_bytes_is(kind, "runs") && rest.len == 0) {
		list_runs(x, g, (struct lb_bytes){ 0 });
	} else if (lb_bytes_is(kind, "runs")) {
		read_run(x, g, rest);
	} else if (lb_bytes_is(kind, "jobs")) {
		read_job(x, g, rest);
	} else if (lb_bytes_is(kind, "artifacts")) {
		read_artifact(x, g, rest);
	} else if (lb_bytes_is(kind, "workflows") && lb_bytes_ends(rest, LB_B("/runs"))) {
		list_runs(x, g, lb_bytes_upto(rest, rest.len - 5));
	} else {
		return false;
	}
	return true;
}

/* ---- pull requests: what the event says of one ---- */

static bool read_pulls(struct lb_http_exchange *x, struct runner_github *g, struct lb_bytes rest)
{
	const struct lb_value *event = lb_value_get(g->options.github, "event");
	const struct lb_value *pull = lb_value_get(event, "pull_request");
	struct lb_value *list = lb_value_array(&x->arena);
	struct lb_bytes number;

	if (rest.len == 0) {
		if (pull != NULL)
			lb_value_add(&x->arena, list, lb_value_copy(&x->arena, pull));
		lb_http_answer_json(x, 200, list);
		return true;
	}
	(void)lb_bytes_split(&number, &rest, '/');
	if (pull == NULL || rest.len > 0 ||
	    !lb_bytes_eq(number,
	                 lb_arena_format(&x->arena, "%.0f", lb_value_get_number(pull, "number"))))
		return false;
	lb_http_answer_json(x, 200, pull);
	return true;
}

void runner_github_read(struct lb_http_exchange *x, void *ctx)
{
	struct runner_github *g = ctx;
	struct lb_bytes rest = lb_http_param(x, "*"), part, behind;
	bool done = false;

	if (!lb_bytes_eq_nocase(lb_http_param(x, "owner"), g->owner) ||
	    !lb_bytes_eq_nocase(lb_http_param(x, "name"), g->name)) {
		runner_github_refuse(x, 404, "Not Found");
		return;
	}
	behind = rest;
	(void)lb_bytes_split(&part, &behind, '/');
	if (lb_bytes_is(part, "actions"))
		done = read_actions(x, g, behind);
	else if (lb_bytes_is(part, "pulls"))
		done = read_pulls(x, g, behind);
	if (!done && !runner_github_read_repository(x, g, rest))
		runner_github_refuse(x, 404, "Not Found");
}
