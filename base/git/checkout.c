/* checkout.c - see repo.h: fetching, and making a work tree. */
#include "base/git/repo_priv.h"

#include <stdio.h>

enum { ADDRESS_SHOWN_MAX = 300, REF_MAX = 1024 };

/* ---- addresses ---- */

static bool has_scheme(struct lb_bytes url, const char *scheme)
{
	struct lb_bytes want = lb_bytes_of(scheme);

	return lb_bytes_eq_nocase(lb_bytes_upto(url, want.len), want);
}

static bool is_loopback(struct lb_bytes url)
{
	return has_scheme(url, "http://127.") || has_scheme(url, "http://localhost") ||
	       has_scheme(url, "http://[::1]");
}

/* ssh and git addresses would need keys and agents that we do not have. */
static lb_err check_address(const char *text, struct lb_diag *diag)
{
	struct lb_bytes url = lb_bytes_of(text);

	if (url.len == 0)
		return lb_fail(diag, LB_E_INVALID, "the repository's address is empty");
	if (lb_bytes_find(url, LB_B("://")) == SIZE_MAX || has_scheme(url, "http://") ||
	    has_scheme(url, "https://") || has_scheme(url, "file://"))
		return LB_OK;
	return lb_fail(diag, LB_E_UNSUPPORTED,
	               "%.*s: only http, https and file addresses and paths can be fetched from",
	               LB_FMT(lb_bytes_upto(url, lb_bytes_find(url, LB_B("://")))));
}

static bool is_remote(struct lb_bytes url)
{
	return has_scheme(url, "http://") || has_scheme(url, "https://");
}

/* The library's own words for a path that is not there are about protocols. */
static lb_err check_path(const char *url, struct lb_diag *diag)
{
	const char *path = has_scheme(lb_bytes_of(url), "file://") ? url + strlen("file://") : url;
	int result = git_repository_open_ext(NULL, path, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

	if (result == GIT_ENOTFOUND && strchr(url, '%') == NULL)
		return lb_fail(diag, LB_E_NOTFOUND, "%s: not a Git repository", path);
	return LB_OK;
}

/* The address without what may be a secret: user, password, query. */
static void show_address(char out[ADDRESS_SHOWN_MAX], const char *text)
{
	struct lb_bytes url = lb_bytes_of(text);
	size_t scheme = lb_bytes_find(url, LB_B("://"));
	struct lb_bytes rest, authority;
	size_t at;

	if (scheme == SIZE_MAX) {
		(void)snprintf(out, ADDRESS_SHOWN_MAX, "%s", text);
		return;
	}
	rest = lb_bytes_from(url, scheme + 3);
	rest = lb_bytes_upto(rest, lb_bytes_find_byte(rest, '?'));
	authority = lb_bytes_upto(rest, lb_bytes_find_byte(rest, '/'));
	at = lb_bytes_rfind_byte(authority, '@');
	if (at != SIZE_MAX)
		rest = lb_bytes_from(rest, at + 1);
	(void)snprintf(out, ADDRESS_SHOWN_MAX, "%.*s%s%.*s", LB_FMT(lb_bytes_upto(url, scheme + 3)),
	               at != SIZE_MAX ? "***@" : "", LB_FMT(rest));
}

/* ---- fetching ---- */

enum { REFSPECS_MAX = 1000 };

/* The library's list type has no const; it only reads the texts. */
static char *listed(const char *text) { return (char *)(uintptr_t)text; }

/* Without the rewriting of addresses by url.*.insteadOf: it would let a user's settings send a
 * fetch elsewhere, and in libgit2 1.5 each setting that does not match leaks 20 KB. */
static int open_remote(git_remote **out, struct lb_repo *repo, const char *url)
{
	git_remote_create_options options;

	(void)git_remote_create_options_init(&options, GIT_REMOTE_CREATE_OPTIONS_VERSION);
	options.repository = repo->git;
	options.flags = GIT_REMOTE_CREATE_SKIP_INSTEADOF;
	return git_remote_create_with_opts(out, url, &options);
}

static int fetch_from(git_remote *remote, char **refspecs, size_t count, const char *header)
{
	git_fetch_options options;
	git_strarray wanted = { refspecs, count };
	char *headers[] = { listed(header) };

	(void)git_fetch_options_init(&options, GIT_FETCH_OPTIONS_VERSION);
	options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
	options.update_fetchhead = 0; /* a file that fetches at the same time would fight for */
	if (header != NULL)
		options.custom_headers = (git_strarray){ headers, 1 };
	if (!is_loopback(lb_bytes_of(git_remote_url(remote))))
		options.proxy_opts.type = GIT_PROXY_AUTO;
	return git_remote_fetch(remote, &wanted, &options, NULL);
}

static lb_err fetch_refspecs(struct lb_repo *repo, const char *url, const char *header,
                             const char *const *refspecs, struct lb_diag *diag)
{
	char shown[ADDRESS_SHOWN_MAX], **list;
	git_remote *remote = NULL;
	size_t count = 0;
	int result;
	lb_err err;

	LB_TRY(check_address(url, diag));
	if (!is_remote(lb_bytes_of(url)))
		LB_TRY(check_path(url, diag));
	while (count < REFSPECS_MAX && refspecs[count] != NULL)
		count++;
	if (count == 0 || count == REFSPECS_MAX)
		return lb_fail(diag, LB_E_INVALID, "from 1 to %d refspecs can be fetched",
		               REFSPECS_MAX - 1);
	list = LB_NEW(repo->mem, char *, count);
	if (list == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (size_t i = 0; i < count; i++)
		list[i] = listed(refspecs[i]);
	result = open_remote(&remote, repo, url);
	if (result >= 0)
		result = fetch_from(remote, list, count, header);
	git_remote_free(remote);
	LB_DROP(repo->mem, list, count);
	show_address(shown, url);
	err = lb_repo_explain(result, diag, shown);
	/* A refused connection comes as an error of the system. */
	if (lb_code_of(err) == LB_E_IO && is_remote(lb_bytes_of(url)))
		return lb_err_of(LB_E_NETWORK);
	return err;
}

lb_err lb_repo_fetch(struct lb_repo *repo, const struct lb_fetch *how, struct lb_diag *diag)
{
	if (how->depth != 0)
		return lb_fail(diag, LB_E_UNSUPPORTED, "a fetch with a depth is not supported");
	return fetch_refspecs(repo, how->url, how->header, how->refspecs, diag);
}

/* ---- checking out ---- */

static lb_err open_tree(struct lb_repo **out, struct lb_mem *mem, const char *folder,
                        struct lb_diag *diag)
{
	git_repository_init_options options;
	git_repository *git = NULL;

	(void)git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
	LB_TRY(lb_repo_start(diag));
	options.flags = GIT_REPOSITORY_INIT_MKPATH;
	options.initial_head = "main";
	LB_TRY(lb_repo_explain(git_repository_init_ext(&git, folder, &options), diag, folder));
	return lb_repo_wrap(out, mem, git);
}

/* Files come out as they were committed, whatever this user's settings are.  The remote is written
 * as settings: the library's functions for remotes leak (see open_remote). */
static int write_config(git_config *config, const char *origin)
{
	int result = git_config_set_bool(config, "core.autocrlf", 0);

	if (result < 0 || origin == NULL || origin[0] == '\0')
		return result;
	result = git_config_set_string(config, "remote.origin.url", origin);
	if (result >= 0)
		result = git_config_set_string(config, "remote.origin.fetch",
		                               "+refs/heads/*:refs/remotes/origin/*");
	return result;
}

static lb_err configure(struct lb_repo *repo, const char *origin, struct lb_diag *diag)
{
	git_config *config = NULL;
	int result = git_repository_config(&config, repo->git);

	if (result >= 0)
		result = write_config(config, origin);
	git_config_free(config);
	return lb_repo_explain(result, diag, repo->top);
}

/* The commit alone where the server gives it; otherwise what was asked for, or every branch and
 * tag. */
static lb_err fetch_commit(struct lb_repo *repo, const char *sha, const struct lb_fetch *how,
                           struct lb_diag *diag)
{
	static const char *const all[] = { "+refs/heads/*:refs/remotes/origin/*",
		                           "+refs/tags/*:refs/tags/*", NULL };
	const char *const one[] = { sha, NULL };
	lb_err err;

	if (lb_repo_has_commit(repo, sha))
		return LB_OK;
	if (how == NULL)
		return lb_fail(diag, LB_E_NOTFOUND, "there is no commit %s", sha);
	if (how->depth != 0)
		return lb_fail(diag, LB_E_UNSUPPORTED, "a fetch with a depth is not supported");
	lb_ignore(fetch_refspecs(repo, how->url, how->header, one, diag));
	if (lb_repo_has_commit(repo, sha))
		return LB_OK;
	err = fetch_refspecs(repo, how->url, how->header,
	                     how->refspecs != NULL ? how->refspecs : all, diag);
	if (!lb_failed(err) && !lb_repo_has_commit(repo, sha)) {
		char shown[ADDRESS_SHOWN_MAX];

		show_address(shown, how->url);
		err = lb_fail(diag, LB_E_NOTFOUND, "%s has no commit %s", shown, sha);
	}
	return err;
}

/* Files first, HEAD after: what the old HEAD had and the new commit has not is so removed. */
static lb_err write_files(struct lb_repo *repo, const char *sha, bool clean, struct lb_diag *diag)
{
	git_checkout_options options;
	git_commit *commit;
	int result;

	(void)git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
	options.checkout_strategy = GIT_CHECKOUT_FORCE;
	if (clean)
		options.checkout_strategy |=
			GIT_CHECKOUT_REMOVE_UNTRACKED | GIT_CHECKOUT_REMOVE_IGNORED;
	LB_TRY(lb_repo_find_commit(&commit, repo, sha, diag));
	result = git_checkout_tree(repo->git, (const git_object *)commit, &options);
	git_commit_free(commit);
	return lb_repo_explain(result, diag, repo->top);
}

static lb_err detach(struct lb_repo *repo, const char *sha, struct lb_diag *diag)
{
	git_commit *commit;
	int result;

	LB_TRY(lb_repo_find_commit(&commit, repo, sha, diag));
	result = git_repository_set_head_detached(repo->git, git_commit_id(commit));
	git_commit_free(commit);
	return lb_repo_explain(result, diag, "HEAD");
}

/* On a branch, as `git checkout -B branch` with its remote; otherwise detached, a tag being made so
 * that the commit can be described by it. */
static lb_err set_head(struct lb_repo *repo, const char *sha, const char *ref, struct lb_diag *diag)
{
	struct lb_bytes name = lb_bytes_of(ref);
	char remote[REF_MAX];

	if (lb_bytes_starts(name, LB_B("refs/heads/"))) {
		if (name.len > REF_MAX / 2)
			return lb_fail(diag, LB_E_INVALID, "%.40s...: the name is too long", ref);
		(void)snprintf(remote, sizeof remote, "refs/remotes/origin/%s",
		               ref + strlen("refs/heads/"));
		LB_TRY(lb_repo_set_ref(repo, remote, sha, diag));
		LB_TRY(lb_repo_set_ref(repo, ref, sha, diag));
		return lb_repo_explain(git_repository_set_head(repo->git, ref), diag, ref);
	}
	if (lb_bytes_starts(name, LB_B("refs/tags/"))) {
		git_oid there;

		if (git_reference_name_to_id(&there, repo->git, ref) < 0)
			LB_TRY(lb_repo_set_ref(repo, ref, sha, diag));
	}
	return detach(repo, sha, diag);
}

lb_err lb_repo_checkout(struct lb_mem *mem, const struct lb_checkout *what,
                        const struct lb_fetch *how, struct lb_diag *diag)
{
	struct lb_repo *repo = NULL;
	lb_err err;

	if (!lb_repo_is_sha(what->sha))
		return lb_fail(diag, LB_E_INVALID, "\"%s\" is not a commit's 40 digits", what->sha);
	err = open_tree(&repo, mem, what->folder, diag);
	if (!lb_failed(err))
		err = configure(repo, what->origin, diag);
	if (!lb_failed(err))
		err = fetch_commit(repo, what->sha, how, diag);
	if (!lb_failed(err))
		err = write_files(repo, what->sha, what->clean, diag);
	if (!lb_failed(err))
		err = set_head(repo, what->sha, what->ref != NULL ? what->ref : "", diag);
	lb_repo_free(repo);
	return err;
}

lb_err lb_repo_export(struct lb_repo *repo, const char *sha, const char *folder,
                      struct lb_diag *diag)
{
	git_checkout_options options;
	git_commit *commit;
	int result;

	if (!lb_repo_is_sha(sha))
		return lb_fail(diag, LB_E_INVALID, "\"%s\" is not a commit's 40 digits", sha);
	(void)git_checkout_options_init(&options, GIT_CHECKOUT_OPTIONS_VERSION);
	options.checkout_strategy = GIT_CHECKOUT_FORCE | GIT_CHECKOUT_DONT_UPDATE_INDEX |
	                            GIT_CHECKOUT_NO_REFRESH | GIT_CHECKOUT_DONT_WRITE_INDEX;
	options.disable_filters = 1;
	options.target_directory = folder;
	LB_TRY(lb_repo_find_commit(&commit, repo, sha, diag));
	result = git_checkout_tree(repo->git, (const git_object *)commit, &options);
	git_commit_free(commit);
	return lb_repo_explain(result, diag, folder);
}
