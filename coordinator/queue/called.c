/* called.c - workflows of other repositories, from their mirrors here.
 *
 * A ref may move, and a mirror may go; so what a run calls is kept with the run, and a plan made
 * anew is the same.  Runs of forks call none: what stands here may not be theirs to read.
 */
#include "base/data/json.h"
#include "base/git/repo.h"
#include "coordinator/queue/queue_priv.h"

enum { CALLED_BYTES_MAX = 64 << 20 };

static struct lb_bytes name_of(struct lb_arena *arena, const struct workflow_reference *what)
{
	return lb_arena_format(arena, "%.*s/%.*s@%.*s", LB_FMT(what->repository),
	                       LB_FMT(what->path), LB_FMT(what->ref));
}

/* A branch, a tag, or a commit by its SHA. */
static lb_err resolve(char sha[LB_SHA_HEX + 1], struct lb_repo *repo, struct lb_arena *arena,
                      struct lb_bytes ref)
{
	static const char *const prefixes[] = { "refs/tags/", "refs/heads/", "" };
	lb_err err = lb_err_of(LB_E_NOTFOUND);

	for (size_t i = 0; i < 3 && lb_code_of(err) == LB_E_NOTFOUND; i++) {
		struct lb_bytes name = lb_arena_format(arena, "%s%.*s", prefixes[i], LB_FMT(ref));

		if (name.at == NULL)
			return lb_err_of(LB_E_NOMEM);
		err = lb_repo_resolve(sha, repo, (const char *)name.at, NULL);
	}
	return err;
}

static lb_err read_in(struct lb_bytes *out, char sha[LB_SHA_HEX + 1], struct lb_repo *repo,
                      struct lb_arena *arena, const struct workflow_reference *what,
                      struct lb_diag *diag)
{
	const char *path = lb_arena_text(arena, what->path);
	struct lb_buf text;
	lb_err err = resolve(sha, repo, arena, what->ref);

	if (lb_code_of(err) == LB_E_NOTFOUND)
		return lb_fail(diag, LB_E_NOTFOUND, "%.*s has no branch, tag or commit %.*s here",
		               LB_FMT(what->repository), LB_FMT(what->ref));
	LB_TRY(err);
	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, &arena->mem, WORKFLOW_FILE_BYTES_MAX);
	err = lb_repo_read(&text, repo, sha, path, diag);
	*out = lb_buf_bytes(&text);
	return err;
}

static lb_err read_mirror(struct lb_bytes *out, char sha[LB_SHA_HEX + 1],
                          const struct live_run *run, struct lb_arena *arena,
                          const struct workflow_reference *what, struct lb_diag *diag)
{
	char folder[COORD_FOLDER_SIZE];
	struct lb_repo *repo;
	lb_err err;

	if (!run->row.trusted)
		return lb_fail(diag, LB_E_DENIED,
		               "a run of a fork calls no workflows of other repositories");
	if (!coord_repository_is_name(what->repository))
		return lb_fail(diag, LB_E_INVALID, "'%.*s' is no repository's name",
		               LB_FMT(what->repository));
	LB_TRY(coord_repository_path(folder, sizeof folder, run->queue->config.repositories,
	                             what->repository));
	err = lb_repo_open(&repo, run->queue->mem, folder, false, NULL);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return lb_fail(diag, LB_E_NOTFOUND,
		               "there is no repository %.*s here: push it to %s/git/%.*s.git",
		               LB_FMT(what->repository), run->queue->config.address,
		               LB_FMT(what->repository));
	LB_TRY(err);
	err = read_in(out, sha, repo, arena, what, diag);
	lb_repo_free(repo);
	return err;
}

static void record(struct live_run *run, struct lb_bytes name, const char *sha,
                   struct lb_bytes source)
{
	struct lb_value *entry = lb_value_object(&run->arena);

	lb_value_set_text(&run->arena, entry, "sha", sha);
	lb_value_set_string(&run->arena, entry, "source", source);
	if (run->called == NULL)
		run->called = lb_value_object(&run->arena);
	lb_value_set(&run->arena, run->called, name, entry);
}

lb_err coord_called_read(struct lb_bytes *out, void *self, struct lb_arena *arena,
                         const struct workflow_reference *what, struct lb_diag *diag)
{
	struct live_run *run = self;
	struct lb_bytes name = name_of(arena, what);
	const struct lb_value *known = lb_value_find(run->called, name);
	char sha[LB_SHA_HEX + 1];

	if (known != NULL) {
		*out = lb_value_get_string(known, "source");
		return LB_OK;
	}
	if (run->called_known)
		return lb_fail(diag, LB_E_NOTFOUND, "the run did not call %.*s", LB_FMT(name));
	LB_TRY(read_mirror(out, sha, run, arena, what, diag));
	record(run, name, sha, *out);
	return run->arena.failed || arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err coord_called_load(struct live_run *run, struct lb_diag *diag)
{
	struct lb_bytes text;

	LB_TRY(coord_store_called(&text, run->queue->config.store, &run->arena, run->id));
	LB_TRY(lb_json_read(&run->called, &run->arena, text, diag));
	run->called_known = true;
	return LB_OK;
}

lb_err coord_called_keep(const struct live_run *run, struct lb_arena *arena)
{
	struct lb_buf text;
	lb_err err;

	if (run->called == NULL)
		return LB_OK;
	lb_buf_init(&text, &arena->mem, CALLED_BYTES_MAX);
	lb_value_write(&text, run->called, false);
	err = lb_buf_check(&text);
	if (lb_failed(err))
		return err;
	return coord_store_set_called(run->queue->config.store, run->id, lb_buf_bytes(&text));
}

struct lb_bytes coord_called_sha(const struct live_run *run,
                                 const struct workflow_instance *instance)
{
	const struct lb_value *known = lb_value_find(run->called, instance->file);

	return known != NULL ? lb_value_get_string(known, "sha") : run->row.sha;
}
