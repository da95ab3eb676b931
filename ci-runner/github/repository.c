/* repository.c - what REST tells of the job's own repository: contents, commits, branches, tags. */
#include "ci-runner/github/service_priv.h"

#include "base/text.h"

enum { CONTENT_BYTES_MAX = 100 * 1024 * 1024 };

struct lb_value *runner_github_repository_value(struct lb_http_exchange *x, struct runner_github *g)
{
	struct lb_value *out = lb_value_object(&x->arena), *owner = lb_value_object(&x->arena);
	const struct lb_value *event = lb_value_get(g->options.github, "event");
	const struct lb_value *told = lb_value_get(event, "repository");
	struct lb_bytes branch = lb_value_get_string(told, "default_branch");

	for (uint32_t i = 0; told != NULL && told->kind == LB_OBJECT && i < told->count; i++)
		lb_value_set(&x->arena, out, told->members[i].key,
		             lb_value_copy(&x->arena, told->members[i].value));
	lb_value_set_string(&x->arena, owner, "login", g->owner);
	lb_value_set_string(&x->arena, out, "name", g->name);
	lb_value_set_string(&x->arena, out, "full_name", runner_github_context(g, "repository"));
	lb_value_put(&x->arena, out, "owner", owner);
	lb_value_set_string(&x->arena, out, "default_branch",
	                    branch.len > 0 ? branch : LB_B("main"));
	lb_value_set_string(&x->arena, out, "html_url",
	                    lb_arena_format(&x->arena, "%s/%.*s/%.*s", runner_github_base(x),
	                                    LB_FMT(g->owner), LB_FMT(g->name)));
	return out;
}

/* ---- the repository itself ---- */

static lb_err fetch(struct runner_github *g, struct lb_diag *diag)
{
	static const char *const all[] = { "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
		                           NULL };
	struct lb_arena arena;
	struct lb_buf plain, header;
	lb_err err;

	lb_arena_init(&arena, g->mem);
	lb_buf_init(&plain, &arena.mem, 65536);
	lb_buf_init(&header, &arena.mem, 65536);
	lb_buf_addf(&plain, "x-access-token:%.*s", LB_FMT(g->options.token));
	lb_buf_add_text(&header, "Authorization: Basic ");
	lb_base64_add(&header, lb_buf_bytes(&plain));
	err = lb_buf_check(&header);
	if (!lb_failed(err))
		err = lb_repo_fetch(g->repo,
		                    &(struct lb_fetch){
					    .url = lb_arena_text(&arena, g->options.repository_url),
					    .refspecs = all,
					    .header = lb_buf_text(&header) },
		                    diag);
	lb_arena_release(&arena);
	return err;
}

/* A folder is read where it is; what is elsewhere is fetched, once. */
struct lb_repo *runner_github_repo(lb_err *err, struct runner_github *g, struct lb_diag *diag)
{
	struct lb_bytes url = g->options.repository_url;
	const char *path = lb_arena_text(&g->arena, url);

	*err = LB_OK;
	if (g->repo != NULL)
		return g->repo;
	if (path == NULL) {
		*err = lb_err_of(LB_E_NOMEM);
	} else if (url.len == 0) {
		*err = lb_fail(diag, LB_E_NOTFOUND, "this job has no repository");
	} else if (url.at[0] == '/') {
		*err = lb_repo_open(&g->repo, g->mem, path, false, diag);
	} else {
		g->repo_path =
			(const char *)lb_arena_format(&g->arena, "%s/own.git", g->options.folder)
				.at;
		*err = g->repo_path != NULL
		               ? lb_repo_open_bare(&g->repo, g->mem, g->repo_path, diag)
		               : lb_err_of(LB_E_NOMEM);
		if (!lb_failed(*err))
			*err = fetch(g, diag);
	}
	if (lb_failed(*err)) {
		lb_repo_free(g->repo);
		g->repo = NULL;
	}
	return g->repo;
}

/* Tags, branches and commits by their names; nothing: the job's commit. */
static lb_err resolve(char sha[LB_SHA_HEX + 1], struct lb_repo *repo, struct lb_http_exchange *x,
                      struct runner_github *g, struct lb_bytes ref)
{
	const char *name;
	lb_err err;

	if (ref.len == 0)
		ref = runner_github_context(g, "sha");
	name = lb_arena_text(&x->arena, ref);
	if (name == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = lb_repo_resolve(sha, repo, name, &x->diag);
	if (lb_code_of(err) == LB_E_NOTFOUND) {
		name = (const char *)lb_arena_format(&x->arena, "refs/%s", name).at;
		err = name != NULL ? lb_repo_resolve(sha, repo, name, &x->diag)
		                   : lb_err_of(LB_E_NOMEM);
	}
	return err;
}

/* ---- contents ---- */

static lb_err file_value(struct lb_value **out, struct lb_http_exchange *x, struct lb_repo *repo,
                         const char *sha, const char *path)
{
	struct lb_value *value = lb_value_object(&x->arena);
	struct lb_buf content, base64;
	lb_err err;

	lb_buf_init(&content, &x->arena.mem, CONTENT_BYTES_MAX);
	lb_buf_init(&base64, &x->arena.mem, (size_t)CONTENT_BYTES_MAX * 2);
	LB_TRY(lb_repo_read(&content, repo, sha, path, &x->diag));
	lb_base64_add(&base64, lb_buf_bytes(&content));
	err = lb_buf_check(&base64);
	lb_value_set_text(&x->arena, value, "type", "file");
	lb_value_set_text(&x->arena, value, "encoding", "base64");
	lb_value_set_text(&x->arena, value, "path", path);
	lb_value_set_number(&x->arena, value, "size", (double)content.len);
	lb_value_set_string(&x->arena, value, "content", lb_buf_bytes(&base64));
	*out = value;
	return err;
}

static lb_err folder_value(struct lb_value **out, struct lb_http_exchange *x, struct lb_repo *repo,
                           const char *sha, const char *path)
{
	struct lb_value *names, *list = lb_value_array(&x->arena);

	LB_TRY(lb_repo_list(&names, &x->arena, repo, sha, path, &x->diag));
	if (names->count == 0)
		return lb_err_of(LB_E_NOTFOUND);
	for (uint32_t i = 0; i < names->count; i++) {
		struct lb_value *one = lb_value_object(&x->arena);
		struct lb_bytes name = names->items[i]->string;

		lb_value_set_text(&x->arena, one, "type", "file");
		lb_value_set_string(&x->arena, one, "name", name);
		lb_value_set_string(&x->arena, one, "path",
		                    path[0] == '\0' ? name
		                                    : lb_arena_format(&x->arena, "%s/%.*s", path,
		                                                      LB_FMT(name)));
		lb_value_add(&x->arena, list, one);
	}
	*out = list;
	return LB_OK;
}

static bool is_raw(const struct lb_http_exchange *x)
{
	return lb_bytes_find(lb_http_request_header(x, "Accept"), LB_B("raw")) != SIZE_MAX;
}

static lb_err answer_contents(struct lb_http_exchange *x, struct runner_github *g,
                              struct lb_repo *repo, struct lb_bytes path)
{
	const char *text = lb_arena_text(&x->arena, path);
	char sha[LB_SHA_HEX + 1];
	struct lb_value *value = NULL;
	struct lb_buf content;
	lb_err err;

	if (text == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(resolve(sha, repo, x, g, lb_http_query(x, "ref")));
	if (is_raw(x)) {
		lb_buf_init(&content, &x->arena.mem, CONTENT_BYTES_MAX);
		LB_TRY(lb_repo_read(&content, repo, sha, text, &x->diag));
		lb_http_answer(x, 200, "application/vnd.github.raw", lb_buf_bytes(&content));
		return LB_OK;
	}
	err = path.len > 0 ? file_value(&value, x, repo, sha, text) : lb_err_of(LB_E_NOTFOUND);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		err = folder_value(&value, x, repo, sha, text);
	LB_TRY(err);
	if (value->kind == LB_OBJECT)
		lb_value_set_string(&x->arena, value, "name",
		                    lb_bytes_from(path,
		                                  lb_bytes_rfind_byte(path, '/') == SIZE_MAX
		                                          ? 0
		                                          : lb_bytes_rfind_byte(path, '/') + 1));
	lb_http_answer_json(x, 200, value);
	return LB_OK;
}

/* ---- commits and refs ---- */

static struct lb_value *person(struct lb_http_exchange *x, const struct lb_commit *commit)
{
	struct lb_value *out = lb_value_object(&x->arena);
	char time[LB_TIME_SIZE];

	lb_value_set_string(&x->arena, out, "name", commit->author_name);
	lb_value_set_string(&x->arena, out, "email", commit->author_email);
	lb_value_set_text(&x->arena, out, "date",
	                  lb_time_text(time, commit->time_s * UINT64_C(1000000000), 0));
	return out;
}

static lb_err answer_commit(struct lb_http_exchange *x, struct runner_github *g,
                            struct lb_repo *repo, struct lb_bytes ref)
{
	struct lb_value *out = lb_value_object(&x->arena), *inner = lb_value_object(&x->arena);
	struct lb_value *tree = lb_value_object(&x->arena);
	struct lb_commit commit;
	char sha[LB_SHA_HEX + 1];

	LB_TRY(resolve(sha, repo, x, g, ref));
	LB_TRY(lb_repo_commit(&commit, &x->arena, repo, sha, &x->diag));
	if (lb_bytes_find(lb_http_request_header(x, "Accept"), LB_B("sha")) != SIZE_MAX) {
		lb_http_answer(x, 200, "application/vnd.github.sha", lb_bytes_of(sha));
		return LB_OK;
	}
	lb_value_set_text(&x->arena, tree, "sha", commit.tree);
	lb_value_set_string(&x->arena, inner, "message", commit.message);
	lb_value_put(&x->arena, inner, "author", person(x, &commit));
	lb_value_put(&x->arena, inner, "committer", person(x, &commit));
	lb_value_put(&x->arena, inner, "tree", tree);
	lb_value_set_text(&x->arena, out, "sha", sha);
	lb_value_put(&x->arena, out, "commit", inner);
	lb_http_answer_json(x, 200, out);
	return LB_OK;
}

static lb_err answer_ref(struct lb_http_exchange *x, struct runner_github *g, struct lb_repo *repo,
                         struct lb_bytes ref)
{
	struct lb_value *out = lb_value_object(&x->arena), *object = lb_value_object(&x->arena);
	char sha[LB_SHA_HEX + 1];

	LB_TRY(resolve(sha, repo, x, g, lb_arena_format(&x->arena, "refs/%.*s", LB_FMT(ref))));
	lb_value_set_text(&x->arena, object, "type", "commit");
	lb_value_set_text(&x->arena, object, "sha", sha);
	lb_value_set_string(&x->arena, out, "ref",
	                    lb_arena_format(&x->arena, "refs/%.*s", LB_FMT(ref)));
	lb_value_put(&x->arena, out, "object", object);
	lb_http_answer_json(x, 200, out);
	return LB_OK;
}

/* Nothing was reported but what this run itself will say. */
static lb_err answer_statuses(struct lb_http_exchange *x, struct runner_github *g,
                              struct lb_repo *repo, struct lb_bytes ref, bool combined)
{
	struct lb_value *out = lb_value_object(&x->arena);
	char sha[LB_SHA_HEX + 1];

	LB_TRY(resolve(sha, repo, x, g, ref));
	if (!combined) {
		lb_http_answer_json(x, 200, lb_value_array(&x->arena));
		return LB_OK;
	}
	lb_value_set_text(&x->arena, out, "state", "pending");
	lb_value_set_text(&x->arena, out, "sha", sha);
	lb_value_set_number(&x->arena, out, "total_count", 0);
	lb_value_put(&x->arena, out, "statuses", lb_value_array(&x->arena));
	lb_http_answer_json(x, 200, out);
	return LB_OK;
}

static lb_err answer_files(struct lb_http_exchange *x, struct runner_github *g,
                           struct lb_repo *repo)
{
	const struct lb_value *pull =
		lb_value_get(lb_value_get(g->options.github, "event"), "pull_request");
	const char *base =
		lb_arena_text(&x->arena, lb_value_get_string(lb_value_get(pull, "base"), "sha"));
	const char *head =
		lb_arena_text(&x->arena, lb_value_get_string(lb_value_get(pull, "head"), "sha"));
	struct lb_value *names, *list = lb_value_array(&x->arena);

	if (base == NULL || head == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_repo_changed(&names, &x->arena, repo, base, head, &x->diag));
	for (uint32_t i = 0; i < names->count; i++) {
		struct lb_value *one = lb_value_object(&x->arena);

		lb_value_set_string(&x->arena, one, "filename", names->items[i]->string);
		lb_value_set_text(&x->arena, one, "status", "modified");
		lb_value_add(&x->arena, list, one);
	}
	lb_http_answer_json(x, 200, list);
	return LB_OK;
}

static lb_err answer(struct lb_http_exchange *x, struct runner_github *g, struct lb_repo *repo,
                     struct lb_bytes rest)
{
	struct lb_bytes part, behind = rest;

	(void)lb_bytes_split(&part, &behind, '/');
	if (lb_bytes_is(part, "contents"))
		return answer_contents(x, g, repo, behind);
	if (lb_bytes_is(part, "pulls") && lb_bytes_ends(rest, LB_B("/files")))
		return answer_files(x, g, repo);
	if (lb_bytes_is(part, "commits") && lb_bytes_ends(rest, LB_B("/status")))
		return answer_statuses(x, g, repo, lb_bytes_upto(behind, behind.len - 7), true);
	if (lb_bytes_is(part, "commits") && lb_bytes_ends(rest, LB_B("/statuses")))
		return answer_statuses(x, g, repo, lb_bytes_upto(behind, behind.len - 9), false);
	if (lb_bytes_is(part, "commits") && behind.len > 0)
		return answer_commit(x, g, repo, behind);
	if (lb_bytes_starts(rest, LB_B("git/ref/")))
		return answer_ref(x, g, repo, lb_bytes_from(rest, 8));
	if (lb_bytes_starts(rest, LB_B("git/refs/")))
		return answer_ref(x, g, repo, lb_bytes_from(rest, 9));
	if (lb_bytes_is(part, "releases") && behind.len == 0) {
		lb_http_answer_json(x, 200, lb_value_array(&x->arena));
		return LB_OK;
	}
	return lb_err_of(LB_E_NOTFOUND);
}

bool runner_github_read_repository(struct lb_http_exchange *x, struct runner_github *g,
                                   struct lb_bytes rest)
{
	struct lb_repo *repo;
	lb_err err;

	(void)pthread_mutex_lock(&g->mutex);
	repo = runner_github_repo(&err, g, &x->diag);
	if (repo != NULL)
		err = answer(x, g, repo, rest);
	(void)pthread_mutex_unlock(&g->mutex);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return false;
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	return true;
}
