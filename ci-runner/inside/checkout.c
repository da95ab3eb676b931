/* checkout.c - the request `checkout`: a commit as files, and what was not committed over it. */
#include "ci-runner/inside/inside_priv.h"

#include "base/git/repo.h"
#include "base/io/file.h"

enum {
	FILE_LIST_BYTES_MAX = 64 * 1024 * 1024,
	AWAY_MS = 120000,  /* how long a coordinator that is away is waited for */
	REFUSED_MS = 5000, /* ... and one that answers with an error: it may be starting */
	PAUSE_MS_FIRST = 50,
	PAUSE_MS_MAX = 2000
};

/* ---- a coordinator that is away for a while ---- */

struct patience {
	struct runner_inside *in;
	uint64_t begin_ns, pause_ms;
};

static struct patience patience_begin(struct runner_inside *in)
{
	return (struct patience){ in, in->plat->ops->now_ns(in->plat), PAUSE_MS_FIRST };
}

/* Whether what ended with `err` is worth another try; waits before it says so. */
static bool try_again(struct patience *p, lb_err err, const struct lb_diag *diag)
{
	struct plat *plat = p->in->plat;
	uint64_t most_ms = lb_code_of(err) == LB_E_NETWORK ? AWAY_MS
	                   : lb_code_of(err) == LB_E_HTTP  ? REFUSED_MS
	                                                   : 0;

	if (plat->ops->now_ns(plat) - p->begin_ns >= most_ms * UINT64_C(1000000))
		return false;
	(void)fprintf(p->in->out, "Trying again: %s\n", lb_diag_text(diag, err));
	(void)fflush(p->in->out);
	plat->ops->sleep_ns(plat, p->pause_ms * UINT64_C(1000000));
	p->pause_ms = p->pause_ms * 2 < PAUSE_MS_MAX ? p->pause_ms * 2 : PAUSE_MS_MAX;
	return true;
}

/* The commit that a branch or tag of the remote has now. */
static lb_err resolve(char sha[LB_SHA_HEX + 1], struct runner_inside *in,
                      const struct lb_fetch *how, const char *ref, struct lb_diag *diag)
{
	static const char *const refspecs[] = { "+refs/heads/*:refs/heads/*",
		                                "+refs/tags/*:refs/tags/*", NULL };
	static const char *const head[] = { "+HEAD:refs/heads/HEAD", NULL };
	struct patience patience = patience_begin(in);
	struct lb_fetch all = *how;
	struct lb_repo *repo;
	const char *scratch;
	lb_err err;

	LB_TRY(runner_inside_need(&scratch, in, "scratch", diag));
	LB_TRY(lb_repo_open_bare(&repo, in->mem, scratch, diag));
	/* HEAD: whatever branch the repository is on. */
	all.refspecs = strcmp(ref, "HEAD") == 0 ? head : refspecs;
	do {
		err = lb_repo_fetch(repo, &all, diag);
	} while (try_again(&patience, err, diag));
	if (!lb_failed(err))
		err = lb_repo_resolve(sha, repo, strcmp(ref, "HEAD") == 0 ? "refs/heads/HEAD" : ref,
		                      diag);
	lb_repo_free(repo);
	lb_ignore(lb_file_remove_tree(in->plat, scratch, NULL));
	return err;
}

/* ---- what was not committed ---- */

static lb_err copy_link(struct runner_inside *in, const char *from, const char *to)
{
	char target[4096 / 4];
	size_t len;

	LB_TRY(in->plat->ops->read_link(&len, in->plat, from, target, sizeof target - 1));
	target[len] = '\0';
	return in->plat->ops->make_link(in->plat, target, to);
}

static lb_err lay_one(struct runner_inside *in, const char *top, const char *folder,
                      struct lb_bytes name, struct lb_diag *diag)
{
	const char *from =
		(const char *)lb_arena_format(in->arena, "%s/%.*s", top, LB_FMT(name)).at;
	char *to =
		(char *)(uintptr_t)lb_arena_format(in->arena, "%s/%.*s", folder, LB_FMT(name)).at;
	struct plat_info info;
	lb_err err;
	char *slash;

	if (from == NULL || to == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_file_remove_tree(in->plat, to, diag));
	err = in->plat->ops->info(&info, in->plat, from);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return LB_OK; /* removed and not committed */
	LB_TRY(err);
	if (info.type == PLAT_DIRECTORY)
		return LB_OK; /* a repository within the repository */
	slash = strrchr(to, '/');
	*slash = '\0';
	LB_TRY(lb_file_make_folders(in->plat, to, diag));
	*slash = '/';
	return info.type == PLAT_LINK ? copy_link(in, from, to)
	                              : lb_file_copy(in->plat, to, from, diag);
}

static lb_err lay_over(struct runner_inside *in, const char *top, const char *folder,
                       struct lb_diag *diag)
{
	struct lb_buf names;
	struct lb_bytes rest, name;
	const char *list;
	lb_err err;

	LB_TRY(runner_inside_need(&list, in, "files", diag));
	lb_buf_init(&names, in->mem, FILE_LIST_BYTES_MAX);
	err = lb_file_read(&names, in->plat, list, diag);
	rest = lb_buf_bytes(&names);
	while (!lb_failed(err) && lb_bytes_split(&name, &rest, '\0')) {
		if (name.len == 0)
			continue;
		err = lb_path_is_inside(name) ? lay_one(in, top, folder, name, diag)
		                              : lb_err_of(LB_E_INVALID);
		if (lb_failed(err))
			lb_diag_prefix(diag, "%.*s", LB_FMT(name));
	}
	lb_buf_release(&names);
	return err;
}

static lb_err check_out(struct runner_inside *in, const struct lb_checkout *what,
                        const struct lb_fetch *how, struct lb_diag *diag)
{
	struct patience patience = patience_begin(in);
	lb_err err;

	do {
		err = lb_repo_checkout(in->mem, what, how, diag);
	} while (try_again(&patience, err, diag));
	return err;
}

lb_err runner_inside_checkout(struct runner_inside *in, struct lb_diag *diag)
{
	const char *overlay = runner_inside_text(in, "overlay");
	const char *given = runner_inside_text(in, "sha");
	struct lb_checkout what = { .clean = !lb_value_get_bool(in->request, "keep") };
	struct lb_fetch how = { .header = runner_inside_text(in, "header") };
	char sha[LB_SHA_HEX + 1];

	LB_TRY(runner_inside_need(&how.url, in, "url", diag));
	LB_TRY(runner_inside_need(&what.folder, in, "folder", diag));
	LB_TRY(runner_inside_need(&what.ref, in, "ref", diag));
	if (given == NULL && strlen(what.ref) == LB_SHA_HEX)
		given = what.ref;
	if (given == NULL) {
		LB_TRY(resolve(sha, in, &how, what.ref, diag));
		given = sha;
	}
	what.sha = given;
	what.origin = how.url;
	LB_TRY(lb_file_make_folders(in->plat, what.folder, diag));
	(void)fprintf(in->out, "Fetching %s from %s\n", what.sha, how.url);
	(void)fflush(in->out);
	LB_TRY(check_out(in, &what, &how, diag));
	LB_TRY(runner_inside_extras(in, what.folder, diag));
	if (overlay != NULL)
		LB_TRY(lay_over(in, overlay, what.folder, diag));
	lb_value_set_text(in->arena, in->answer, "sha", what.sha);
	(void)fprintf(in->out, "HEAD is now at %s%s\n", what.sha,
	              overlay != NULL ? ", with what is not committed laid over it" : "");
	return LB_OK;
}
