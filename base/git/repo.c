/* repo.c - see repo.h: opening and reading. */
#include "base/git/repo_priv.h"

#include <pthread.h>

/* ---- the library ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int started;

/* The owner of a repository is not asked for: a service opens what other users own, and the library
 * never runs anything that a repository's configuration names. */
static void start_library(void)
{
	started = git_libgit2_init();
	if (started >= 0)
		(void)git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
}

/* libgit2 1.5 loses a few bytes with each refused connection; the leak sanitizer is told whose they
 * are. */
#ifdef __SANITIZE_ADDRESS__
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libgit2.so\n"; }
#endif

lb_err lb_repo_start(struct lb_diag *diag)
{
	(void)pthread_once(&once, start_library);
	return started >= 0 ? LB_OK : lb_fail(diag, LB_E_NOMEM, "libgit2 could not be started");
}

static enum lb_code code_of_class(int class)
{
	switch (class) {
	case GIT_ERROR_NOMEMORY: return LB_E_NOMEM;
	case GIT_ERROR_OS: return LB_E_IO;
	case GIT_ERROR_NET:
	case GIT_ERROR_SSL: return LB_E_NETWORK;
	case GIT_ERROR_HTTP: return LB_E_HTTP;
	case GIT_ERROR_INVALID: return LB_E_INVALID;
	case GIT_ERROR_ODB:
	case GIT_ERROR_OBJECT:
	case GIT_ERROR_ZLIB:
	case GIT_ERROR_INDEXER: return LB_E_MALFORMED;
	default: return LB_E_FAILED;
	}
}

static enum lb_code code_of_result(int result, const git_error *error)
{
	switch (result) {
	case GIT_ENOTFOUND:
	case GIT_EUNBORNBRANCH: return LB_E_NOTFOUND;
	case GIT_EEXISTS: return LB_E_EXISTS;
	case GIT_EAMBIGUOUS:
	case GIT_EINVALIDSPEC: return LB_E_INVALID;
	case GIT_EAUTH:
	case GIT_ECERTIFICATE: return LB_E_DENIED;
	case GIT_ELOCKED: return LB_E_BUSY;
	case GIT_EBAREREPO: return LB_E_INVALID;
	default: return code_of_class(error != NULL ? error->klass : GIT_ERROR_NONE);
	}
}

lb_err lb_repo_explain(int result, struct lb_diag *diag, const char *what)
{
	const git_error *error = git_error_last();
	enum lb_code code;

	if (result >= 0)
		return LB_OK;
	code = code_of_result(result, error);
	return lb_fail(diag, code, "%s: %s", what,
	               error != NULL && error->message != NULL ? error->message
	                                                       : lb_err_text(lb_err_of(code)));
}

/* ---- opening ---- */

lb_err lb_repo_wrap(struct lb_repo **out, struct lb_mem *mem, git_repository *git)
{
	struct lb_repo *repo = LB_NEW(mem, struct lb_repo, 1);
	const char *top = git_repository_workdir(git);
	size_t len = top != NULL ? strlen(top) : 0;

	*out = NULL;
	if (repo == NULL) {
		git_repository_free(git);
		return lb_err_of(LB_E_NOMEM);
	}
	repo->mem = mem;
	repo->git = git;
	while (len > 1 && top[len - 1] == '/')
		len--;
	repo->top_size = len + 1;
	repo->top = lb_mem_text(mem, top, len);
	if (repo->top == NULL) {
		lb_repo_free(repo);
		return lb_err_of(LB_E_NOMEM);
	}
	*out = repo;
	return LB_OK;
}

lb_err lb_repo_open(struct lb_repo **out, struct lb_mem *mem, const char *path, bool discover,
                    struct lb_diag *diag)
{
	git_repository *git = NULL;
	int result;

	*out = NULL;
	LB_TRY(lb_repo_start(diag));
	result = git_repository_open_ext(&git, path,
	                                 discover ? 0u : (unsigned)GIT_REPOSITORY_OPEN_NO_SEARCH,
	                                 NULL);
	if (result == GIT_ENOTFOUND)
		return lb_fail(diag, LB_E_NOTFOUND, "%s: not a Git repository%s", path,
		               discover ? ", nor is any folder above it" : "");
	LB_TRY(lb_repo_explain(result, diag, path));
	return lb_repo_wrap(out, mem, git);
}

lb_err lb_repo_open_bare(struct lb_repo **out, struct lb_mem *mem, const char *path,
                         struct lb_diag *diag)
{
	git_repository_init_options options;
	git_repository *git = NULL;
	int result;

	(void)git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	*out = NULL;
	LB_TRY(lb_repo_start(diag));
	result = git_repository_open_bare(&git, path);
	if (result == GIT_ENOTFOUND) {
		options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKPATH;
		options.initial_head = "main";
		result = git_repository_init_ext(&git, path, &options);
	}
	LB_TRY(lb_repo_explain(result, diag, path));
	return lb_repo_wrap(out, mem, git);
}

void lb_repo_free(struct lb_repo *repo)
{
	if (repo == NULL)
		return;
	git_repository_free(repo->git);
	LB_DROP(repo->mem, repo->top, repo->top_size);
	LB_DROP(repo->mem, repo, 1);
}

const char *lb_repo_top(const struct lb_repo *repo) { return repo->top; }

/* ---- names ---- */

/* A ref, as git looks for it ("main" is refs/heads/main), then a SHA or its beginning.  Only names
 * with an operator ("HEAD~1") go to the library's parser, which leaks for each name it does not
 * know (libgit2 1.5). */
static int find_named(git_object **out, git_repository *git, const char *name)
{
	git_reference *ref = NULL;
	git_oid oid;
	int result;

	if (strpbrk(name, "~^@") != NULL)
		return git_revparse_single(out, git, name);
	if (lb_repo_is_sha(name) && git_oid_fromstr(&oid, name) >= 0)
		return git_object_lookup(out, git, &oid, GIT_OBJECT_ANY);
	result = git_reference_dwim(&ref, git, name);
	if (result >= 0) {
		result = git_reference_peel(out, ref, GIT_OBJECT_COMMIT);
		git_reference_free(ref);
		return result;
	}
	if (strlen(name) < GIT_OID_MINPREFIXLEN || git_oid_fromstrp(&oid, name) < 0)
		return GIT_ENOTFOUND;
	return git_object_lookup_prefix(out, git, &oid, strlen(name), GIT_OBJECT_ANY);
}

lb_err lb_repo_resolve(char sha[LB_SHA_HEX + 1], struct lb_repo *repo, const char *name,
                       struct lb_diag *diag)
{
	git_object *object = NULL, *commit = NULL;
	int result;

	sha[0] = '\0';
	/* "branch:path" names no commit, ":/text" would search the whole history. */
	if (name[0] == '\0' || strchr(name, ':') != NULL)
		return lb_fail(diag, LB_E_INVALID, "\"%s\" is not the name of a commit", name);
	result = find_named(&object, repo->git, name);
	if (result == GIT_ENOTFOUND || result == GIT_EINVALIDSPEC)
		return lb_fail(diag, LB_E_NOTFOUND, "there is no commit, branch or tag \"%s\"",
		               name);
	if (result >= 0)
		result = git_object_peel(&commit, object, GIT_OBJECT_COMMIT);
	if (result >= 0)
		(void)git_oid_tostr(sha, LB_SHA_HEX + 1, git_object_id(commit));
	git_object_free(commit);
	git_object_free(object);
	return lb_repo_explain(result, diag, name);
}

bool lb_repo_is_sha(const char *text)
{
	git_oid oid;

	return strlen(text) == LB_SHA_HEX && git_oid_fromstr(&oid, text) >= 0;
}

lb_err lb_repo_find_commit(git_commit **out, struct lb_repo *repo, const char *sha,
                           struct lb_diag *diag)
{
	git_oid oid;
	int result;

	*out = NULL;
	if (!lb_repo_is_sha(sha) || git_oid_fromstr(&oid, sha) < 0)
		return lb_fail(diag, LB_E_INVALID, "\"%s\" is not a commit's 40 digits", sha);
	result = git_commit_lookup(out, repo->git, &oid);
	if (result == GIT_ENOTFOUND)
		return lb_fail(diag, LB_E_NOTFOUND, "there is no commit %s", sha);
	return lb_repo_explain(result, diag, sha);
}

bool lb_repo_has_commit(struct lb_repo *repo, const char *sha)
{
	git_commit *commit;
	lb_err err = lb_repo_find_commit(&commit, repo, sha, NULL);

	git_commit_free(commit);
	return !lb_failed(err);
}

lb_err lb_repo_head_ref(struct lb_buf *out, struct lb_repo *repo, struct lb_diag *diag)
{
	git_reference *head = NULL;
	int result = git_reference_lookup(&head, repo->git, "HEAD");

	if (result >= 0 && git_reference_type(head) == GIT_REFERENCE_SYMBOLIC)
		lb_buf_add_text(out, git_reference_symbolic_target(head));
	git_reference_free(head);
	LB_TRY(lb_repo_explain(result, diag, "HEAD"));
	return lb_buf_check(out);
}

static int stop_at_first(const char *path, unsigned flags, void *ctx)
{
	bool *dirty = ctx;

	(void)path;
	(void)flags;
	*dirty = true;
	return GIT_EUSER;
}

lb_err lb_repo_is_dirty(bool *dirty, struct lb_repo *repo, struct lb_diag *diag)
{
	git_status_options options;
	int result;

	(void)git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
	*dirty = false;
	if (git_repository_is_bare(repo->git) != 0)
		return LB_OK;
	options.flags = GIT_STATUS_OPT_INCLUDE_UNTRACKED;
	result = git_status_foreach_ext(repo->git, &options, stop_at_first, dirty);
	return *dirty ? LB_OK : lb_repo_explain(result, diag, repo->top);
}

/* As it is written in the settings: what url.*.insteadOf would make of it is this user's affair. */
lb_err lb_repo_remote_url(struct lb_buf *out, struct lb_repo *repo, const char *remote)
{
	git_config *config = NULL;
	const char *url = NULL;
	struct lb_buf key;
	int result;
	lb_err err;

	lb_buf_init(&key, repo->mem, 1000);
	lb_buf_addf(&key, "remote.%s.url", remote);
	err = lb_buf_check(&key);
	if (!lb_failed(err)) {
		result = git_repository_config_snapshot(&config, repo->git);
		if (result >= 0)
			result = git_config_get_string(&url, config, lb_buf_text(&key));
		if (result >= 0)
			lb_buf_add_text(out, url);
		err = result < 0 ? lb_repo_explain(result, NULL, remote) : lb_buf_check(out);
		git_config_free(config);
	}
	lb_buf_release(&key);
	return err;
}

/* ---- reading ---- */

static struct lb_bytes keep(struct lb_arena *arena, const char *text)
{
	return lb_arena_bytes(arena, lb_bytes_of(text));
}

lb_err lb_repo_commit(struct lb_commit *out, struct lb_arena *arena, struct lb_repo *repo,
                      const char *sha, struct lb_diag *diag)
{
	const git_signature *author;
	git_time_t time;
	git_commit *commit;

	*out = (struct lb_commit){ 0 };
	LB_TRY(lb_repo_find_commit(&commit, repo, sha, diag));
	author = git_commit_author(commit);
	time = git_commit_time(commit);
	(void)git_oid_tostr(out->sha, sizeof out->sha, git_commit_id(commit));
	(void)git_oid_tostr(out->tree, sizeof out->tree, git_commit_tree_id(commit));
	out->subject = keep(arena, git_commit_summary(commit));
	out->message = keep(arena, git_commit_message(commit));
	out->author_name = keep(arena, author != NULL ? author->name : "");
	out->author_email = keep(arena, author != NULL ? author->email : "");
	out->time_s = time > 0 ? (uint64_t)time : 0;
	git_commit_free(commit);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err find_tree(git_tree **out, struct lb_repo *repo, const char *sha, struct lb_diag *diag)
{
	git_commit *commit;
	int result;

	*out = NULL;
	LB_TRY(lb_repo_find_commit(&commit, repo, sha, diag));
	result = git_commit_tree(out, commit);
	git_commit_free(commit);
	return lb_repo_explain(result, diag, sha);
}

static bool is_file(const git_tree_entry *entry)
{
	git_filemode_t mode = git_tree_entry_filemode(entry);

	return mode == GIT_FILEMODE_BLOB || mode == GIT_FILEMODE_BLOB_EXECUTABLE;
}

static lb_err read_blob(struct lb_buf *out, struct lb_repo *repo, const git_tree_entry *entry,
                        const char *path, struct lb_diag *diag)
{
	git_blob *blob = NULL;
	struct lb_bytes content = { 0 };
	int result = git_blob_lookup(&blob, repo->git, git_tree_entry_id(entry));
	lb_err err = lb_repo_explain(result, diag, path);

	if (!lb_failed(err)) {
		content.at = git_blob_rawcontent(blob);
		content.len = (size_t)git_blob_rawsize(blob);
		lb_buf_add(out, content);
		err = lb_buf_check(out);
	}
	if (lb_code_of(err) == LB_E_LIMIT)
		lb_diag_set(diag, "%s has %zu bytes, at most %zu are read", path, content.len,
		            out->bytes_max);
	git_blob_free(blob);
	return err;
}

lb_err lb_repo_read(struct lb_buf *out, struct lb_repo *repo, const char *sha, const char *path,
                    struct lb_diag *diag)
{
	git_tree_entry *entry = NULL;
	git_tree *tree;
	lb_err err;
	int result;

	LB_TRY(find_tree(&tree, repo, sha, diag));
	result = git_tree_entry_bypath(&entry, tree, path);
	if (result == GIT_ENOTFOUND || (result >= 0 && !is_file(entry)))
		err = lb_fail(diag, LB_E_NOTFOUND, "there is no file %s at %.10s", path, sha);
	else if (result < 0)
		err = lb_repo_explain(result, diag, path);
	else
		err = read_blob(out, repo, entry, path, diag);
	git_tree_entry_free(entry);
	git_tree_free(tree);
	return err;
}

/* The tree at `folder`; NULL where there is none. */
static lb_err find_folder(git_tree **out, struct lb_repo *repo, const char *sha, const char *folder,
                          struct lb_diag *diag)
{
	git_tree_entry *entry = NULL;
	git_tree *top;
	int result;

	*out = NULL;
	LB_TRY(find_tree(&top, repo, sha, diag));
	if (folder[0] == '\0') {
		*out = top;
		return LB_OK;
	}
	result = git_tree_entry_bypath(&entry, top, folder);
	if (result >= 0 && git_tree_entry_type(entry) == GIT_OBJECT_TREE)
		result = git_tree_lookup(out, repo->git, git_tree_entry_id(entry));
	git_tree_entry_free(entry);
	git_tree_free(top);
	return result == GIT_ENOTFOUND ? LB_OK : lb_repo_explain(result, diag, folder);
}

lb_err lb_repo_list(struct lb_value **names, struct lb_arena *arena, struct lb_repo *repo,
                    const char *sha, const char *folder, struct lb_diag *diag)
{
	git_tree *tree;

	*names = lb_value_array(arena);
	LB_TRY(find_folder(&tree, repo, sha, folder, diag));
	/* A tree's entries are in byte order already. */
	for (size_t i = 0; tree != NULL && i < git_tree_entrycount(tree); i++) {
		const git_tree_entry *entry = git_tree_entry_byindex(tree, i);

		if (is_file(entry))
			lb_value_add(arena, *names,
			             lb_value_text(arena, git_tree_entry_name(entry)));
	}
	git_tree_free(tree);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

struct names {
	struct lb_arena *arena;
	struct lb_value *array;
};

static int add_changed(const git_diff_delta *delta, float progress, void *ctx)
{
	const struct names *names = ctx;
	const char *path =
		delta->new_file.path != NULL ? delta->new_file.path : delta->old_file.path;

	(void)progress;
	lb_value_add(names->arena, names->array, lb_value_text(names->arena, path));
	return 0;
}

static lb_err diff_trees(struct names *names, struct lb_repo *repo, git_tree *from, git_tree *to,
                         struct lb_diag *diag)
{
	git_diff_options options;
	git_diff *diff = NULL;
	int result;

	(void)git_diff_options_init(&options, GIT_DIFF_OPTIONS_VERSION);
	options.flags = GIT_DIFF_INCLUDE_TYPECHANGE;
	result = git_diff_tree_to_tree(&diff, repo->git, from, to, &options);
	if (result >= 0)
		result = git_diff_foreach(diff, add_changed, NULL, NULL, NULL, names);
	git_diff_free(diff);
	LB_TRY(lb_repo_explain(result, diag, "comparing commits"));
	return names->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err lb_repo_changed(struct lb_value **names, struct lb_arena *arena, struct lb_repo *repo,
                       const char *from, const char *to, struct lb_diag *diag)
{
	struct names found = { arena, lb_value_array(arena) };
	git_tree *before = NULL, *after = NULL;
	lb_err err = LB_OK;

	*names = found.array;
	if (from != NULL)
		err = find_tree(&before, repo, from, diag);
	if (!lb_failed(err))
		err = find_tree(&after, repo, to, diag);
	if (!lb_failed(err))
		err = diff_trees(&found, repo, before, after, diag);
	git_tree_free(before);
	git_tree_free(after);
	return err;
}

lb_err lb_repo_set_ref(struct lb_repo *repo, const char *ref, const char *sha, struct lb_diag *diag)
{
	git_reference *made = NULL;
	git_commit *commit;
	int result;

	LB_TRY(lb_repo_find_commit(&commit, repo, sha, diag));
	result = git_reference_create(&made, repo->git, ref, git_commit_id(commit), 1, NULL);
	git_reference_free(made);
	git_commit_free(commit);
	return lb_repo_explain(result, diag, ref);
}
