/* repo.h - git repositories, by libgit2.
 *
 * Nothing of a repository is ever run: no hooks, filters or helpers; so its owner
 * does not matter.  Settings that rewrite addresses are not followed.
 * Threads: one object at a time; different objects of one repository at once are fine.
 */
#ifndef LB_GIT_REPO_H
#define LB_GIT_REPO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/value.h"

enum { LB_SHA_HEX = 40 };

struct lb_repo;

/* Open the repository that holds `path` (searching upwards when `discover`).  NOTFOUND names the
 * path. */
lb_err lb_repo_open(struct lb_repo **out, struct lb_mem *mem, const char *path, bool discover,
                    struct lb_diag *diag);

/* Open a bare repository, made when it is not there. */
lb_err lb_repo_open_bare(struct lb_repo **out, struct lb_mem *mem, const char *path,
                         struct lb_diag *diag);
void lb_repo_free(struct lb_repo *repo);

/* The top of the work tree, without a slash at the end; "" for a bare one.  Borrowed. */
const char *lb_repo_top(const struct lb_repo *repo);

/* The commit that a ref, tag or (short) SHA names; NOTFOUND. */
lb_err lb_repo_resolve(char sha[LB_SHA_HEX + 1], struct lb_repo *repo, const char *name,
                       struct lb_diag *diag);
bool lb_repo_has_commit(struct lb_repo *repo, const char *sha);

/* "refs/heads/main" of HEAD, or "" when detached. */
lb_err lb_repo_head_ref(struct lb_buf *out, struct lb_repo *repo, struct lb_diag *diag);

/* Uncommitted changes or untracked files that are not ignored. */
lb_err lb_repo_is_dirty(bool *dirty, struct lb_repo *repo, struct lb_diag *diag);

/* The address of a remote; NOTFOUND. */
lb_err lb_repo_remote_url(struct lb_buf *out, struct lb_repo *repo, const char *remote);

struct lb_commit {
	char sha[LB_SHA_HEX + 1], tree[LB_SHA_HEX + 1];
	struct lb_bytes subject, message, author_name, author_email; /* in the arena */
	uint64_t time_s;
};
lb_err lb_repo_commit(struct lb_commit *out, struct lb_arena *arena, struct lb_repo *repo,
                      const char *sha, struct lb_diag *diag);

/* A file's content at a commit; NOTFOUND; LIMIT by the buffer's maximum. */
lb_err lb_repo_read(struct lb_buf *out, struct lb_repo *repo, const char *sha, const char *path,
                    struct lb_diag *diag);

/* Names in a folder at a commit (files only), sorted; an empty list where there is no such folder.
 */
lb_err lb_repo_list(struct lb_value **names, struct lb_arena *arena, struct lb_repo *repo,
                    const char *sha, const char *folder, struct lb_diag *diag);

struct lb_fetch {
	const char *url;             /* http, https, file or a path */
	const char *const *refspecs; /* ends with NULL; "SHA" alone fetches that commit */
	const char *header;          /* "Authorization: ..." or NULL */
	unsigned depth; /* 0: all history (libgit2 1.5 knows no shallow fetch: only 0) */
};
lb_err lb_repo_fetch(struct lb_repo *repo, const struct lb_fetch *how, struct lb_diag *diag);

/* Make `folder` a work tree with its own .git whose HEAD is at `sha` (on `ref` when it is a
 * branch), objects fetched from `how`; `origin` is written as the remote's address.  Untracked
 * files stay unless clean (then ignored ones go as well).  Submodules are left empty, as git does.
 * `how` may be NULL when the commit is there; its refspecs are used where the server does not give
 * a commit by its SHA (NULL: all branches and tags). */
struct lb_checkout {
	const char *folder, *sha, *ref, *origin;
	bool clean;
};
lb_err lb_repo_checkout(struct lb_mem *mem, const struct lb_checkout *what,
                        const struct lb_fetch *how, struct lb_diag *diag);

/* The files of a commit, as they were committed, into a folder that must not exist: no .git, no
 * filters.  On failure the folder may be there in part. */
lb_err lb_repo_export(struct lb_repo *repo, const char *sha, const char *folder,
                      struct lb_diag *diag);

/* Point a ref at a commit, made or moved. */
lb_err lb_repo_set_ref(struct lb_repo *repo, const char *ref, const char *sha,
                       struct lb_diag *diag);

/* Names of files that differ between two commits (for path filters); `from` NULL: all files of
 * `to`. */
lb_err lb_repo_changed(struct lb_value **names, struct lb_arena *arena, struct lb_repo *repo,
                       const char *from, const char *to, struct lb_diag *diag);

#endif
