/* repo_priv.h - what repo.c and checkout.c share. */
#ifndef LB_GIT_REPO_PRIV_H
#define LB_GIT_REPO_PRIV_H

#include "base/git/repo.h"

#include <git2.h>

struct lb_repo {
	struct lb_mem *mem;
	git_repository *git;
	char *top; /* terminated, of top_size bytes with the terminator */
	size_t top_size;
};

/* Start the library, once.  NOMEM where that fails. */
lb_err lb_repo_start(struct lb_diag *diag);

/* Wrap an open repository, which is closed when this fails. */
lb_err lb_repo_wrap(struct lb_repo **out, struct lb_mem *mem, git_repository *git);

/* What the library's result means, its text in the diagnostic behind "WHAT: ". */
lb_err lb_repo_explain(int result, struct lb_diag *diag, const char *what);

/* All 40 digits of one. */
bool lb_repo_is_sha(const char *text);

lb_err lb_repo_find_commit(git_commit **out, struct lb_repo *repo, const char *sha,
                           struct lb_diag *diag);

#endif
