/* repo_test.c - repositories made by the git program, read, fetched and checked out by us. */
#include "base/git/repo.h"
#include "base/http/server.h"
#include "base/io/run.h"
#include "tests/harness/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 240 };

/* A repository with two commits on main, a branch, two tags and the places the tests use. */
struct fixture {
	char folder[PATH_SIZE], work[PATH_SIZE], bare[PATH_SIZE], out[PATH_SIZE];
	char first[LB_SHA_HEX + 1], second[LB_SHA_HEX + 1], side[LB_SHA_HEX + 1];
};

/* Run a shell line in the fixture's folder; its output without the last line end goes to `out`. */
static void shell(struct test *t, const char *folder, const char *line, char *out, size_t size)
{
	static const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin",
		                           "GIT_CONFIG_NOSYSTEM=1",
		                           "HOME=/nonexistent",
		                           "GIT_AUTHOR_NAME=Ann",
		                           "GIT_AUTHOR_EMAIL=ann@example.org",
		                           "GIT_COMMITTER_NAME=Ann",
		                           "GIT_COMMITTER_EMAIL=ann@example.org",
		                           "GIT_AUTHOR_DATE=1700000000 +0000",
		                           "GIT_COMMITTER_DATE=1700000000 +0000",
		                           NULL };
	const char *const argv[] = { "/bin/sh", "-ec", line, NULL };
	struct lb_run how = { .argv = argv, .envp = env, .cwd = folder, .timeout_ms = 20000 };
	struct lb_diag diag = { 0 };
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, t->mem, 1 << 20);
	err = lb_run_ok(&how, &text, &diag);
	if (lb_failed(err)) {
		t->failures++;
		printf("# %s: %s\n", line, lb_diag_text(&diag, err));
	}
	if (out != NULL)
		(void)snprintf(out, size, "%.*s", LB_FMT(lb_bytes_trim(lb_buf_bytes(&text))));
	lb_buf_release(&text);
}

static void make(struct test *t, struct fixture *f)
{
	*f = (struct fixture){ 0 };
	(void)snprintf(f->folder, sizeof f->folder, "%.200s", test_folder(t));
	(void)snprintf(f->work, sizeof f->work, "%.200s/work", f->folder);
	(void)snprintf(f->bare, sizeof f->bare, "%.200s/deep/bare.git", f->folder);
	(void)snprintf(f->out, sizeof f->out, "%.200s/out", f->folder);
	shell(t, f->folder,
	      "git init -q -b main work; cd work; mkdir -p .ci/sub src;"
	      "echo one >.ci/b.yml; echo two >.ci/a.yml; echo deep >.ci/sub/c.yml; ln -s a.yml "
	      ".ci/l.yml;"
	      "printf 'int x;\\r\\n' >src/x.c; echo '*.o' >.gitignore; git add -A;"
	      "git commit -qm 'first: a subject\n\nwith a body'; git rev-parse HEAD",
	      f->first, sizeof f->first);
	shell(t, f->work,
	      "git tag v1; git rm -q .ci/b.yml; echo 'int y;' >src/y.c; chmod +x src/x.c;"
	      "git add -A; git commit -qm second; git tag -am annotated v2;"
	      "git remote add origin https://example.org/r.git; git rev-parse HEAD",
	      f->second, sizeof f->second);
	shell(t, f->work,
	      "git checkout -q -b side; echo side >s; git add -A; git commit -qm side;"
	      "git checkout -q main; git rev-parse side",
	      f->side, sizeof f->side);
}

static struct lb_repo *open_work(struct test *t, const struct fixture *f)
{
	struct lb_repo *repo = NULL;
	struct lb_diag diag = { 0 };

	CHECK_OK(lb_repo_open(&repo, t->mem, f->work, false, &diag));
	return repo;
}

static bool is_there(const char *folder, const char *name)
{
	char path[PATH_SIZE * 2];
	struct stat info;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return lstat(path, &info) == 0;
}

TEST(repo_is_found_from_a_folder_below)
{
	struct lb_repo *repo = NULL;
	struct lb_diag diag = { 0 };
	struct fixture f;
	char path[PATH_SIZE + 10], want[PATH_SIZE + 100];

	make(t, &f);
	(void)snprintf(path, sizeof path, "%s/src", f.work);
	CHECK_OK(lb_repo_open(&repo, t->mem, path, true, &diag));
	CHECK_TEXT(lb_repo_top(repo), f.work);
	lb_repo_free(repo);
	CHECK(lb_code_of(lb_repo_open(&repo, t->mem, path, false, &diag)) == LB_E_NOTFOUND);
	(void)snprintf(want, sizeof want, "%s: not a Git repository", path);
	CHECK_TEXT(diag.text, want);
	CHECK(repo == NULL);
	CHECK(lb_code_of(lb_repo_open(&repo, t->mem, f.folder, true, &diag)) == LB_E_NOTFOUND);
	(void)snprintf(want, sizeof want, "%s: not a Git repository, nor is any folder above it",
	               f.folder);
	CHECK_TEXT(diag.text, want);
	CHECK(lb_code_of(lb_repo_open(&repo, t->mem, "/no/where", true, &diag)) == LB_E_NOTFOUND);
	lb_repo_free(NULL);
}

TEST(names_are_resolved_to_commits)
{
	struct fixture f;
	struct lb_repo *repo;
	struct lb_diag diag = { 0 };
	char sha[LB_SHA_HEX + 1], brief[9];

	make(t, &f);
	repo = open_work(t, &f);
	(void)snprintf(brief, sizeof brief, "%.8s", f.first);
	const struct {
		const char *name, *sha;
	} cases[] = { { "main", f.second },
		      { "refs/heads/side", f.side },
		      { "v1", f.first },
		      { "v2", f.second },
		      { "refs/tags/v2", f.second },
		      { "HEAD", f.second },
		      { "HEAD~1", f.first },
		      { f.side, f.side },
		      { brief, f.first } };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		CHECK_OK(lb_repo_resolve(sha, repo, cases[i].name, &diag));
		CHECK_TEXT(sha, cases[i].sha);
	}
	CHECK(lb_code_of(lb_repo_resolve(sha, repo, "nothing", &diag)) == LB_E_NOTFOUND);
	CHECK_TEXT(diag.text, "there is no commit, branch or tag \"nothing\"");
	CHECK_TEXT(sha, "");
	CHECK(lb_code_of(lb_repo_resolve(sha, repo, "main:src/x.c", &diag)) == LB_E_INVALID);
	CHECK(lb_code_of(lb_repo_resolve(sha, repo, "", &diag)) == LB_E_INVALID);
	CHECK(lb_failed(lb_repo_resolve(sha, repo, "HEAD^{tree}", &diag)));
	CHECK(lb_repo_has_commit(repo, f.first));
	CHECK(!lb_repo_has_commit(repo, "0123456789012345678901234567890123456789"));
	CHECK(!lb_repo_has_commit(repo, brief));
	lb_repo_free(repo);
}

TEST(head_remote_and_commit_are_read)
{
	struct fixture f;
	struct lb_repo *repo;
	struct lb_commit commit;
	struct lb_arena arena;
	struct lb_buf text;

	make(t, &f);
	repo = open_work(t, &f);
	lb_buf_init(&text, t->mem, 1000);
	lb_arena_init(&arena, t->mem);
	CHECK_OK(lb_repo_head_ref(&text, repo, NULL));
	CHECK_TEXT(lb_buf_text(&text), "refs/heads/main");
	lb_buf_reset(&text);
	shell(t, f.work, "git checkout -q --detach", NULL, 0);
	CHECK_OK(lb_repo_head_ref(&text, repo, NULL));
	CHECK_TEXT(lb_buf_text(&text), "");
	CHECK_OK(lb_repo_remote_url(&text, repo, "origin"));
	CHECK_TEXT(lb_buf_text(&text), "https://example.org/r.git");
	CHECK(lb_code_of(lb_repo_remote_url(&text, repo, "other")) == LB_E_NOTFOUND);
	CHECK_OK(lb_repo_commit(&commit, &arena, repo, f.first, NULL));
	CHECK_BYTES(commit.subject, "first: a subject");
	CHECK_BYTES(commit.message, "first: a subject\n\nwith a body\n");
	CHECK_BYTES(commit.author_name, "Ann");
	CHECK_BYTES(commit.author_email, "ann@example.org");
	CHECK(commit.time_s == 1700000000 && strlen(commit.tree) == LB_SHA_HEX);
	CHECK_TEXT(commit.sha, f.first);
	CHECK(lb_code_of(lb_repo_commit(&commit, &arena, repo, "xyz", NULL)) == LB_E_INVALID);
	lb_arena_release(&arena);
	lb_buf_release(&text);
	lb_repo_free(repo);
}

static void check_names(struct test *t, const struct lb_value *names, const char *want)
{
	struct lb_buf text;

	lb_buf_init(&text, t->mem, 1 << 16);
	lb_value_write(&text, names, false);
	CHECK_TEXT(lb_buf_text(&text), want);
	lb_buf_release(&text);
}

TEST(files_are_read_and_listed_at_a_commit)
{
	struct fixture f;
	struct lb_repo *repo;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;
	struct lb_value *names;
	struct lb_buf text;

	make(t, &f);
	repo = open_work(t, &f);
	lb_arena_init(&arena, t->mem);
	lb_buf_init(&text, t->mem, 10);
	CHECK_OK(lb_repo_read(&text, repo, f.first, ".ci/b.yml", &diag));
	CHECK_TEXT(lb_buf_text(&text), "one\n");
	CHECK(lb_code_of(lb_repo_read(&text, repo, f.second, ".ci/b.yml", &diag)) == LB_E_NOTFOUND);
	CHECK(lb_bytes_starts(lb_bytes_of(diag.text), LB_B("there is no file .ci/b.yml at ")));
	CHECK(lb_code_of(lb_repo_read(&text, repo, f.first, ".ci", &diag)) == LB_E_NOTFOUND);
	CHECK(lb_code_of(lb_repo_read(&text, repo, f.first, ".ci/l.yml", &diag)) == LB_E_NOTFOUND);
	CHECK(lb_code_of(lb_repo_read(&text, repo, f.first, "src/x.c", &diag)) == LB_E_LIMIT);
	CHECK_TEXT(diag.text, "src/x.c has 8 bytes, at most 10 are read");
	CHECK_OK(lb_repo_list(&names, &arena, repo, f.first, ".ci", &diag));
	check_names(t, names, "[\"a.yml\",\"b.yml\"]");
	CHECK_OK(lb_repo_list(&names, &arena, repo, f.first, "", &diag));
	check_names(t, names, "[\".gitignore\"]");
	CHECK_OK(lb_repo_list(&names, &arena, repo, f.first, "none/such", &diag));
	check_names(t, names, "[]");
	CHECK_OK(lb_repo_list(&names, &arena, repo, f.first, "src/x.c", &diag));
	check_names(t, names, "[]");
	CHECK(lb_failed(lb_repo_list(&names, &arena, repo, "0000", ".ci", &diag)));
	CHECK_OK(lb_repo_changed(&names, &arena, repo, f.first, f.second, &diag));
	check_names(t, names, "[\".ci/b.yml\",\"src/x.c\",\"src/y.c\"]");
	CHECK_OK(lb_repo_changed(&names, &arena, repo, NULL, f.first, &diag));
	check_names(t, names,
	            "[\".ci/a.yml\",\".ci/b.yml\",\".ci/l.yml\",\".ci/sub/c.yml\","
	            "\".gitignore\",\"src/x.c\"]");
	CHECK_OK(lb_repo_changed(&names, &arena, repo, f.first, f.first, &diag));
	check_names(t, names, "[]");
	CHECK(lb_code_of(lb_repo_changed(&names, &arena, repo,
	                                 "0123456789012345678901234567890123456789", f.first,
	                                 &diag)) == LB_E_NOTFOUND);
	CHECK_TEXT(diag.text, "there is no commit 0123456789012345678901234567890123456789");
	lb_buf_release(&text);
	lb_arena_release(&arena);
	lb_repo_free(repo);
}

TEST(dirt_is_what_is_changed_or_untracked_but_not_ignored)
{
	static const struct {
		const char *line;
		bool dirty;
	} steps[] = {
		{ "true", false },
		{ "touch x.o", false },
		{ "touch new", true },
		{ "git add new", true },
		{ "git rm -q --cached new; rm new", false },
		{ "echo more >>.ci/a.yml", true },
		{ "git checkout -q .ci/a.yml", false },
		{ "rm src/x.c", true },
	};
	struct fixture f;
	struct lb_repo *repo;
	bool dirty;

	make(t, &f);
	repo = open_work(t, &f);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		shell(t, f.work, steps[i].line, NULL, 0);
		CHECK_OK(lb_repo_is_dirty(&dirty, repo, NULL));
		CHECK(dirty == steps[i].dirty);
	}
	lb_repo_free(repo);
}

TEST(bare_store_is_made_fetched_into_and_opened_again)
{
	static const char *const all[] = { "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
		                           NULL };
	struct fixture f;
	struct lb_repo *store = NULL;
	struct lb_diag diag = { 0 };
	struct lb_fetch how = { .refspecs = all };
	char sha[LB_SHA_HEX + 1];
	bool dirty = true;

	make(t, &f);
	how.url = f.work;
	CHECK_OK(lb_repo_open_bare(&store, t->mem, f.bare, &diag));
	CHECK_TEXT(lb_repo_top(store), "");
	CHECK_OK(lb_repo_fetch(store, &how, &diag));
	CHECK_OK(lb_repo_resolve(sha, store, "side", &diag));
	CHECK_TEXT(sha, f.side);
	CHECK_OK(lb_repo_resolve(sha, store, "v2", &diag));
	CHECK_OK(lb_repo_is_dirty(&dirty, store, &diag));
	CHECK(!dirty);
	CHECK_OK(lb_repo_set_ref(store, "refs/runs/7", f.first, &diag));
	CHECK_OK(lb_repo_set_ref(store, "refs/runs/7", f.second, &diag));
	lb_repo_free(store);
	CHECK_OK(lb_repo_open_bare(&store, t->mem, f.bare, &diag));
	CHECK_OK(lb_repo_resolve(sha, store, "refs/runs/7", &diag));
	CHECK_TEXT(sha, f.second);
	CHECK(lb_code_of(lb_repo_set_ref(store, "no good ref", f.first, &diag)) == LB_E_INVALID);
	CHECK(lb_code_of(lb_repo_set_ref(store, "refs/x",
	                                 "0123456789012345678901234567890123456789", &diag)) ==
	      LB_E_NOTFOUND);
	lb_repo_free(store);
}

TEST(fetch_that_cannot_be_says_why)
{
	static const char *const one[] = { "+refs/heads/*:refs/heads/*", NULL };
	static const char *const none[] = { NULL };
	static const struct {
		const char *url, *text;
		enum lb_code code;
	} cases[] = {
		{ "", "the repository's address is empty", LB_E_INVALID },
		{ "ssh://git@example.org/r",
		  "ssh: only http, https and file addresses and paths can be fetched from",
		  LB_E_UNSUPPORTED },
		{ "http://user:secret@127.0.0.1:1/r?token=secret",
		  "http://***@127.0.0.1:1/r: ", LB_E_NETWORK },
		{ "/no/where", "/no/where: not a Git repository", LB_E_NOTFOUND },
		{ "file:///no/where", "/no/where: not a Git repository", LB_E_NOTFOUND },
	};
	struct fixture f;
	struct lb_repo *store = NULL;
	struct lb_diag diag = { 0 };
	struct lb_fetch how = { .refspecs = one };

	make(t, &f);
	CHECK_OK(lb_repo_open_bare(&store, t->mem, f.bare, &diag));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		how.url = cases[i].url;
		CHECK(lb_code_of(lb_repo_fetch(store, &how, &diag)) == cases[i].code);
		CHECK(lb_bytes_starts(lb_bytes_of(diag.text), lb_bytes_of(cases[i].text)));
		CHECK(lb_bytes_find(lb_bytes_of(diag.text), LB_B("secret")) == SIZE_MAX);
		if (t->failures > 0)
			printf("# %s\n", diag.text);
	}
	how.url = f.work;
	how.refspecs = none;
	CHECK(lb_code_of(lb_repo_fetch(store, &how, &diag)) == LB_E_INVALID);
	how.refspecs = one;
	how.depth = 1;
	CHECK(lb_code_of(lb_repo_fetch(store, &how, &diag)) == LB_E_UNSUPPORTED);
	lb_repo_free(store);
}

TEST(checkout_makes_a_work_tree_on_a_branch)
{
	struct fixture f;
	struct lb_checkout what = { .ref = "refs/heads/main", .origin = "https://example.org/o" };
	struct lb_fetch how = { 0 };
	struct lb_diag diag = { 0 };
	char text[600];

	make(t, &f);
	what.folder = f.out;
	what.sha = f.second;
	how.url = f.work;
	if (lb_failed(lb_repo_checkout(t->mem, &what, &how, &diag)))
		printf("# %s\n", diag.text);
	shell(t, f.out,
	      "git status --porcelain; git symbolic-ref HEAD; git rev-parse HEAD origin/main;"
	      "git config remote.origin.url; od -c src/x.c | head -1; stat -c %a src/x.c; "
	      "readlink .ci/l.yml",
	      text, sizeof text);
	char want[600];
	(void)snprintf(want, sizeof want,
	               "refs/heads/main\n%s\n%s\nhttps://example.org/o\n"
	               "0000000   i   n   t       x   ;  \\r  \\n\n755\na.yml",
	               f.second, f.second);
	CHECK_TEXT(text, want);
}

TEST(checkout_moves_between_commits_and_cleans_when_asked)
{
	struct fixture f;
	struct lb_checkout what = { .ref = "refs/tags/v1" };
	struct lb_fetch how = { 0 };
	struct lb_diag diag = { 0 };
	char text[200];

	make(t, &f);
	what.folder = f.out;
	how.url = f.work;
	what.sha = f.first;
	CHECK_OK(lb_repo_checkout(t->mem, &what, &how, &diag));
	shell(t, f.out, "git symbolic-ref -q HEAD || git describe --tags --exact-match", text,
	      sizeof text);
	CHECK_TEXT(text, "v1");
	shell(t, f.out, "echo changed >.ci/a.yml; touch untracked ignored.o; rm src/x.c", NULL, 0);
	what.sha = f.second;
	what.ref = NULL;
	CHECK_OK(lb_repo_checkout(t->mem, &what, &how, &diag));
	CHECK(!is_there(f.out, ".ci/b.yml") && is_there(f.out, "src/x.c"));
	CHECK(is_there(f.out, "untracked") && is_there(f.out, "ignored.o"));
	shell(t, f.out, "cat .ci/a.yml", text, sizeof text);
	CHECK_TEXT(text, "two");
	what.clean = true;
	CHECK_OK(lb_repo_checkout(t->mem, &what, NULL, &diag)); /* nothing needs to be fetched */
	CHECK(!is_there(f.out, "untracked") && !is_there(f.out, "ignored.o"));
	shell(t, f.out, "git status --porcelain; git rev-parse HEAD", text, sizeof text);
	CHECK_TEXT(text, f.second);
}

TEST(export_has_the_files_as_committed_and_nothing_else)
{
	struct fixture f;
	struct lb_repo *repo;
	struct lb_diag diag = { 0 };
	char seen[600];

	make(t, &f);
	shell(t, f.work, "git config core.autocrlf true", NULL, 0);
	repo = open_work(t, &f);
	CHECK_OK(lb_repo_export(repo, f.second, f.out, &diag));
	shell(t, f.out,
	      "find . | LC_ALL=C sort | tr '\\n' ' '; test -x src/x.c && echo x; tr -d a-z "
	      "<src/x.c | od -c -An | tr -d ' \\n'",
	      seen, sizeof seen);
	CHECK_TEXT(seen, ". ./.ci ./.ci/a.yml ./.ci/l.yml ./.ci/sub ./.ci/sub/c.yml ./.gitignore "
	                 "./src ./src/x.c ./src/y.c x\n;\\r\\n");
	CHECK(lb_code_of(lb_repo_export(repo, "0123456789012345678901234567890123456789", f.bare,
	                                &diag)) == LB_E_NOTFOUND);
	CHECK(lb_code_of(lb_repo_export(repo, "main", f.bare, &diag)) == LB_E_INVALID);
	lb_repo_free(repo);
}

TEST(checkout_that_cannot_be_says_why)
{
	struct fixture f;
	struct lb_checkout what = { .sha = "0123456789012345678901234567890123456789" };
	struct lb_fetch how = { 0 };
	struct lb_diag diag = { 0 };
	char want[PATH_SIZE * 2];
	int file;

	make(t, &f);
	what.folder = f.out;
	how.url = f.work;
	CHECK(lb_code_of(lb_repo_checkout(t->mem, &what, &how, &diag)) == LB_E_NOTFOUND);
	(void)snprintf(want, sizeof want,
	               "%s has no commit 0123456789012345678901234567890123456789", f.work);
	CHECK_TEXT(diag.text, want);
	what.sha = "main";
	CHECK(lb_code_of(lb_repo_checkout(t->mem, &what, &how, &diag)) == LB_E_INVALID);
	CHECK_TEXT(diag.text, "\"main\" is not a commit's 40 digits");
	what.sha = f.first;
	(void)snprintf(want, sizeof want, "%s/file", f.folder);
	file = open(want, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(file >= 0 && close(file) == 0);
	what.folder = want;
	CHECK(lb_failed(lb_repo_checkout(t->mem, &what, &how, &diag)));
	CHECK(lb_bytes_find(lb_bytes_of(diag.text), lb_bytes_of(want)) == 0);
}

/* ---- smart HTTP ---- */

struct site {
	struct test *t;
	const char *work;
	_Atomic int refused, packs;
};

/* What `git http-backend` does, without the CGI: the two requests of a fetch. */
static void serve(struct lb_http_exchange *x, struct site *site, bool refs)
{
	const char *argv[] = { "git", "upload-pack", "--stateless-rpc", site->work, NULL, NULL };
	struct lb_run how = { .argv = argv, .input = x->body, .timeout_ms = 20000 };
	struct lb_buf out;
	lb_err err;

	if (!lb_bytes_is(lb_http_bearer(x), "let-me-in")) {
		atomic_fetch_add(&site->refused, 1);
		lb_http_answer_error(x, lb_err_of(LB_E_DENIED));
		return;
	}
	if (refs) {
		argv[3] = "--http-backend-info-refs";
		argv[4] = site->work;
	}
	lb_buf_init(&out, x->server != NULL ? &lb_mem_host : NULL, 1 << 24);
	if (refs)
		lb_buf_add_text(&out, "001e# service=git-upload-pack\n0000");
	else
		atomic_fetch_add(&site->packs, 1);
	err = lb_run_ok(&how, &out, &x->diag);
	if (lb_failed(err))
		lb_http_answer_error(x, err);
	else
		lb_http_answer(x, 200,
		               refs ? "application/x-git-upload-pack-advertisement"
		                    : "application/x-git-upload-pack-result",
		               lb_buf_bytes(&out));
	lb_buf_release(&out);
}

static void serve_refs(struct lb_http_exchange *x, void *ctx) { serve(x, ctx, true); }

static void serve_pack(struct lb_http_exchange *x, void *ctx) { serve(x, ctx, false); }

static const struct lb_http_route routes[] = {
	{ .method = "GET", .path = "/r.git/info/refs", .handle = serve_refs },
	{ .method = "POST", .path = "/r.git/git-upload-pack", .handle = serve_pack },
	{ 0 }
};

TEST(checkout_over_http_carries_the_header)
{
	struct fixture f;
	struct site site = { .t = t };
	struct lb_http_config config = { .routes = routes, .ctx = &site };
	struct lb_http_server *server = NULL;
	struct lb_checkout what = { .ref = "refs/heads/side" };
	struct lb_fetch how = { .header = "Authorization: Bearer let-me-in" };
	struct lb_diag diag = { 0 };
	char url[100], head[LB_SHA_HEX + 1];

	make(t, &f);
	site.work = f.work;
	if (!CHECK_OK(lb_http_server_start(&server, t->mem, &plat_host, &config, &diag)))
		return;
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%u/r.git",
	               (unsigned)lb_http_server_port(server));
	what.folder = f.out;
	what.sha = f.side;
	what.origin = url;
	how.url = url;
	/* Once where the commit alone may be asked for, once where it may not. */
	for (int round = 0; round < 2; round++) {
		shell(t, f.work,
		      round == 0 ? "git config uploadpack.allowAnySHA1InWant true"
		                 : "git config uploadpack.allowAnySHA1InWant false",
		      NULL, 0);
		CHECK_OK(lb_repo_checkout(t->mem, &what, &how, &diag));
		shell(t, f.out, "git rev-parse HEAD", head, sizeof head);
		CHECK_TEXT(head, f.side);
		CHECK(atomic_load(&site.refused) == 0 && atomic_load(&site.packs) > round);
		shell(t, f.folder, round == 0 ? "rm -rf out" : "! grep -r let-me-in out/.git", NULL,
		      0);
	}
	shell(t, f.folder, "rm -rf out", NULL, 0);
	how.header = NULL;
	CHECK(lb_failed(lb_repo_checkout(t->mem, &what, &how, &diag)));
	CHECK(atomic_load(&site.refused) > 0);
	CHECK(lb_bytes_find(lb_bytes_of(diag.text), LB_B("403")) != SIZE_MAX);
	printf("# %s\n", diag.text);
	lb_http_server_stop(server);
}

/* ---- threads and memory ---- */

struct reader {
	const struct fixture *f;
	pthread_t thread;
	int good;
};

static void *read_often(void *ctx)
{
	struct reader *reader = ctx;

	for (int i = 0; i < 50; i++) {
		struct lb_repo *repo = NULL;
		struct lb_buf text;

		lb_buf_init(&text, &lb_mem_host, 100);
		if (!lb_failed(lb_repo_open(&repo, &lb_mem_host, reader->f->work, false, NULL)) &&
		    !lb_failed(lb_repo_read(&text, repo, reader->f->first, ".ci/a.yml", NULL)))
			reader->good += lb_bytes_is(lb_buf_bytes(&text), "two\n");
		lb_buf_release(&text);
		lb_repo_free(repo);
	}
	return NULL;
}

TEST(threads_read_one_repository_at_once)
{
	struct reader readers[4];
	struct fixture f;

	make(t, &f);
	for (int i = 0; i < 4; i++) {
		readers[i] = (struct reader){ .f = &f };
		CHECK(pthread_create(&readers[i].thread, NULL, read_often, &readers[i]) == 0);
	}
	for (int i = 0; i < 4; i++) {
		CHECK(pthread_join(readers[i].thread, NULL) == 0);
		CHECK(readers[i].good == 50);
	}
}

TEST(repo_survives_every_oom)
{
	static const char *const all[] = { "+refs/heads/*:refs/heads/*", NULL };
	struct fixture f;

	make(t, &f);
	EACH_OOM (t) {
		struct lb_fetch how = { .url = f.work, .refspecs = all };
		struct lb_repo *repo = NULL;
		struct lb_value *names;
		struct lb_commit commit;
		struct lb_arena arena;
		struct lb_buf text;
		lb_err err;

		lb_arena_init(&arena, t->mem);
		lb_buf_init(&text, t->mem, 1000);
		err = lb_repo_open_bare(&repo, t->mem, f.bare, NULL);
		if (!lb_failed(err))
			err = lb_repo_fetch(repo, &how, NULL);
		if (!lb_failed(err))
			err = lb_repo_read(&text, repo, f.first, ".ci/a.yml", NULL);
		if (!lb_failed(err))
			err = lb_repo_commit(&commit, &arena, repo, f.first, NULL);
		if (!lb_failed(err))
			err = lb_repo_list(&names, &arena, repo, f.first, ".ci", NULL);
		if (!lb_failed(err))
			err = lb_repo_changed(&names, &arena, repo, NULL, f.first, NULL);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_buf_release(&text);
		lb_arena_release(&arena);
		lb_repo_free(repo);
	}
}
