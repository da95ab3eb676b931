/* source.c - see source.h. */
#include "ci-runner/actions/source.h"

#include "base/io/file.h"
#include "base/text.h"

#include <stdio.h>

enum { WAIT_MS = 600000, PAUSE_MS = 50 };

struct runner_actions {
	struct lb_mem *mem;
	struct plat *plat;
	struct runner_actions_options options;
	struct lb_arena arena;
	const char *recorded, *recorded_lock; /* files */
	struct runner_lock lock;              /* the project's, or what was recorded */
};

/* ---- life ---- */

static lb_err read_recorded(struct runner_lock *out, const struct runner_actions *actions,
                            struct lb_diag *diag)
{
	const char *path = actions->recorded;
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, actions->mem, RUNNER_LOCK_BYTES_MAX);
	err = lb_file_exists(actions->plat, path) ? lb_file_read(&text, actions->plat, path, diag)
	                                          : LB_OK;
	if (!lb_failed(err))
		err = runner_lock_read(out, actions->mem, lb_buf_bytes(&text), path, diag);
	lb_buf_release(&text);
	return err;
}

static lb_err open_lock(struct runner_actions *actions, struct lb_diag *diag)
{
	struct lb_arena *arena = &actions->arena;

	actions->recorded =
		(const char *)lb_arena_format(arena, "%s/recorded.lock", actions->options.mirrors)
			.at;
	actions->recorded_lock =
		(const char *)lb_arena_format(arena, "%s/recorded.busy", actions->options.mirrors)
			.at;
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (actions->options.locked)
		return runner_lock_read(&actions->lock, actions->mem, actions->options.lock,
		                        RUNNER_LOCK_FILE, diag);
	return read_recorded(&actions->lock, actions, diag);
}

lb_err runner_actions_new(struct runner_actions **out, struct lb_mem *mem, struct plat *plat,
                          const struct runner_actions_options *options, struct lb_diag *diag)
{
	struct runner_actions *actions = LB_NEW(mem, struct runner_actions, 1);
	lb_err err;

	*out = NULL;
	if (actions == NULL)
		return lb_err_of(LB_E_NOMEM);
	actions->mem = mem;
	actions->plat = plat;
	actions->options = *options;
	if (options->source == NULL)
		actions->options.source = RUNNER_ACTIONS_PUBLISHED;
	lb_arena_init(&actions->arena, mem);
	err = open_lock(actions, diag);
	if (!lb_failed(err)) {
		*out = actions;
		return LB_OK;
	}
	lb_arena_release(&actions->arena);
	LB_DROP(mem, actions, 1);
	return err;
}

void runner_actions_free(struct runner_actions *actions)
{
	if (actions == NULL)
		return;
	runner_lock_release(&actions->lock);
	lb_arena_release(&actions->arena);
	LB_DROP(actions->mem, actions, 1);
}

/* ---- mirrors ---- */

struct mirror {
	struct runner_actions *actions;
	struct lb_bytes repository;
	struct lb_arena arena;
	struct lb_repo *repo;
	const char *path;
	int lock; /* -1: not held */
};

/* Another process may be at it: its lock is waited for. */
static lb_err hold(int *lock, const struct runner_actions *actions, const char *path,
                   struct lb_diag *diag)
{
	struct plat *plat = actions->plat;
	lb_err err;

	for (unsigned waited = 0;; waited += PAUSE_MS) {
		err = lb_file_lock(lock, path, diag);
		if (lb_code_of(err) != LB_E_BUSY || waited >= WAIT_MS)
			return err;
		plat->ops->sleep_ns(plat, PAUSE_MS * UINT64_C(1000000));
	}
}

static void release(struct mirror *m)
{
	lb_repo_free(m->repo);
	if (m->lock >= 0)
		lb_file_unlock(m->lock);
	lb_arena_release(&m->arena);
}

static lb_err open_mirror(struct mirror *m, struct runner_actions *actions,
                          struct lb_bytes repository, struct lb_diag *diag)
{
	const char *owner, *busy;
	lb_err err;

	*m = (struct mirror){ .actions = actions, .repository = repository, .lock = -1 };
	lb_arena_init(&m->arena, actions->mem);
	m->path = (const char *)lb_arena_format(&m->arena, "%s/%.*s.git", actions->options.mirrors,
	                                        LB_FMT(repository))
	                  .at;
	owner = (const char *)lb_arena_format(
			&m->arena, "%s/%.*s", actions->options.mirrors,
			LB_FMT(lb_bytes_upto(repository, lb_bytes_find_byte(repository, '/'))))
	                .at;
	busy = (const char *)lb_arena_format(&m->arena, "%s.busy", m->path).at;
	err = m->arena.failed ? lb_err_of(LB_E_NOMEM)
	                      : lb_file_make_folders(actions->plat, owner, diag);
	if (!lb_failed(err))
		err = hold(&m->lock, actions, busy, diag);
	if (!lb_failed(err))
		err = lb_repo_open_bare(&m->repo, actions->mem, m->path, diag);
	if (lb_failed(err))
		release(m);
	return err;
}

/* Folders may hold OWNER/REPO.git, OWNER/REPO or a bare one of either name. */
static const char *address_of(struct mirror *m)
{
	const char *source = m->actions->options.source;
	struct lb_bytes url =
		lb_arena_format(&m->arena, "%s/%.*s.git", source, LB_FMT(m->repository));

	if (source[0] == '/' && url.at != NULL &&
	    !lb_file_exists(m->actions->plat, (const char *)url.at))
		url = lb_bytes_upto(url, url.len - 4);
	return lb_arena_text(&m->arena, url);
}

static lb_err fetch(struct mirror *m, const char *const *refspecs, struct lb_diag *diag)
{
	const char *url;

	if (m->actions->options.offline)
		return lb_fail(diag, LB_E_NOTFOUND,
		               "it is not in the mirror at %s, and this run is offline", m->path);
	url = address_of(m);
	if (m->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	return lb_repo_fetch(m->repo, &(struct lb_fetch){ .url = url, .refspecs = refspecs }, diag);
}

/* One commit: by itself where the server gives it, else among all branches and tags. */
static lb_err fetch_commit(struct mirror *m, const char *sha, struct lb_diag *diag)
{
	static const char *const all[] = { "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*",
		                           NULL };
	const char *const one[] = { sha, NULL };
	lb_err err;

	if (lb_repo_has_commit(m->repo, sha))
		return LB_OK;
	err = fetch(m, one, diag);
	if (lb_failed(err) || !lb_repo_has_commit(m->repo, sha))
		err = fetch(m, all, diag);
	return err;
}

/* What is asked for and no more: a repository may be large. */
static lb_err fetch_ref(struct mirror *m, struct lb_bytes ref, struct lb_diag *diag)
{
	const char *name = lb_arena_text(&m->arena, ref);
	const char *refspecs[] = { NULL, NULL, NULL };

	if (name == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (lb_hex_is(ref, LB_SHA_HEX))
		return fetch_commit(m, name, diag);
	refspecs[0] =
		(const char *)lb_arena_format(&m->arena, "+refs/tags/%s:refs/tags/%s", name, name)
			.at;
	refspecs[1] =
		(const char *)lb_arena_format(&m->arena, "+refs/heads/%s:refs/heads/%s", name, name)
			.at;
	return m->arena.failed ? lb_err_of(LB_E_NOMEM) : fetch(m, refspecs, diag);
}

/* The commit that a ref of the mirror names; NOTFOUND. */
static lb_err resolve(char sha[LB_SHA_HEX + 1], const struct mirror *m, struct lb_bytes ref,
                      struct lb_diag *diag)
{
	char name[RUNNER_REFERENCE_BYTES_MAX + 16];
	lb_err err = lb_err_of(LB_E_NOTFOUND);

	if (lb_hex_is(ref, LB_SHA_HEX)) {
		memcpy(sha, ref.at, LB_SHA_HEX);
		sha[LB_SHA_HEX] = '\0';
		return lb_repo_has_commit(m->repo, sha) ? LB_OK : err;
	}
	for (size_t i = 0; i < 2 && lb_failed(err); i++) {
		(void)snprintf(name, sizeof name, i == 0 ? "refs/tags/%.*s" : "refs/heads/%.*s",
		               LB_FMT(ref));
		err = lb_repo_resolve(sha, m->repo, name, diag);
	}
	return err;
}

/* ---- digests ---- */

struct summing {
	struct runner_actions *actions;
	struct lb_arena arena;
	struct lb_digest *digest;
	const char *root;
	struct lb_diag *diag;
};

static lb_err sum_link(char hex[LB_SHA256_HEX + 1], struct summing *s, const char *path)
{
	char target[1024];
	size_t len;

	LB_TRY(s->actions->plat->ops->read_link(&len, s->actions->plat, path, target,
	                                        sizeof target));
	return lb_sha256_hex(hex, (struct lb_bytes){ (const unsigned char *)target, len });
}

static lb_err sum_one(void *ctx, const char *path, const struct plat_info *info)
{
	struct summing *s = ctx;
	const char *full = (const char *)lb_arena_format(&s->arena, "%s/%s", s->root, path).at;
	char hex[LB_SHA256_HEX + 1];
	const char *kind = (info->mode & 0100) != 0 ? "x " : "f ";
	lb_err err;

	if (info->type == PLAT_DIRECTORY)
		return LB_OK;
	if (full == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (info->type == PLAT_LINK) {
		kind = "l ";
		err = sum_link(hex, s, full);
	} else {
		err = lb_sha256_file(hex, NULL, s->actions->plat, full);
	}
	if (lb_failed(err))
		lb_diag_set(s->diag, "%s: %s", full, lb_err_text(err));
	LB_TRY(err);
	lb_digest_add(s->digest, lb_bytes_of(kind));
	lb_digest_add(s->digest, lb_bytes_of(hex));
	lb_digest_add(s->digest, LB_B(" "));
	lb_digest_add(s->digest,
	              (struct lb_bytes){ (const unsigned char *)path, strlen(path) + 1 });
	return LB_OK;
}

static lb_err digest_files(char out[LB_SHA256_HEX + 1], struct runner_actions *actions,
                           const char *folder, struct lb_diag *diag)
{
	struct summing s = { .actions = actions, .root = folder, .diag = diag };
	unsigned char raw[LB_DIGEST_SIZE_MAX];
	struct lb_buf hex;
	size_t len;
	lb_err err;

	LB_TRY(lb_digest_new(&s.digest, actions->mem, LB_SHA256));
	lb_arena_init(&s.arena, actions->mem);
	lb_buf_init(&hex, actions->mem, LB_SHA256_HEX + 1);
	err = lb_file_walk(actions->mem, actions->plat, folder, sum_one, &s, diag);
	lb_digest_end(s.digest, raw, &len);
	lb_hex_add(&hex, (struct lb_bytes){ raw, len });
	if (!lb_failed(err))
		err = lb_buf_check(&hex);
	if (!lb_failed(err))
		memcpy(out, lb_buf_text(&hex), LB_SHA256_HEX + 1);
	lb_buf_release(&hex);
	lb_digest_free(s.digest);
	lb_arena_release(&s.arena);
	return err;
}

static lb_err export_files(char digest[LB_SHA256_HEX + 1], const struct mirror *m, const char *sha,
                           const char *into, struct lb_diag *diag)
{
	lb_err err = lb_repo_export(m->repo, sha, into, diag);

	if (!lb_failed(err))
		err = digest_files(digest, m->actions, into, diag);
	if (lb_failed(err))
		lb_ignore(lb_file_remove_tree(m->actions->plat, into, NULL));
	return err;
}

/* ---- what is given out ---- */

static lb_err refuse_move(const struct mirror *m, struct lb_bytes ref, const char *now,
                          const char *then, struct lb_diag *diag)
{
	return lb_fail(
		diag, LB_E_DENIED,
		"it moved: %.*s names commit %s now, and was locked at %s; `lifeboat actions "
		"update %.*s@%.*s` accepts that",
		LB_FMT(ref), now, then, LB_FMT(m->repository), LB_FMT(ref));
}

static lb_err export_locked(struct mirror *m, struct lb_bytes ref,
                            const struct runner_lock_entry *entry, const char *into,
                            struct lb_diag *diag)
{
	char now[LB_SHA_HEX + 1], digest[LB_SHA256_HEX + 1];

	LB_TRY(fetch_commit(m, entry->sha, diag));
	if (!lb_failed(resolve(now, m, ref, NULL)) && strcmp(now, entry->sha) != 0)
		return refuse_move(m, ref, now, entry->sha, diag);
	LB_TRY(export_files(digest, m, entry->sha, into, diag));
	if (strcmp(digest, entry->digest) == 0)
		return LB_OK;
	lb_ignore(lb_file_remove_tree(m->actions->plat, into, NULL));
	return lb_fail(
		diag, LB_E_DENIED,
		"commit %s has files with the digest sha256:%s, and was locked with sha256:%s",
		entry->sha, digest, entry->digest);
}

/* Others may have recorded something meanwhile: what is in the file is read again. */
static lb_err record(struct runner_actions *actions, struct lb_bytes repository,
                     struct lb_bytes ref, const char *sha, const char *digest, struct lb_diag *diag)
{
	struct runner_lock all;
	struct lb_buf text;
	int lock;
	lb_err err;

	LB_TRY(hold(&lock, actions, actions->recorded_lock, diag));
	lb_buf_init(&text, actions->mem, RUNNER_LOCK_BYTES_MAX);
	err = read_recorded(&all, actions, diag);
	if (!lb_failed(err)) {
		err = runner_lock_put(&all, repository, ref, sha, digest);
		runner_lock_write(&text, &all);
		runner_lock_release(&all);
	}
	if (!lb_failed(err))
		err = lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_file_write(actions->plat, actions->recorded, lb_buf_bytes(&text), 0, diag);
	lb_buf_release(&text);
	lb_file_unlock(lock);
	if (!lb_failed(err))
		err = runner_lock_put(&actions->lock, repository, ref, sha, digest);
	return err;
}

static lb_err export_first(char sha[LB_SHA_HEX + 1], struct mirror *m, struct lb_bytes ref,
                           const char *into, struct lb_diag *diag)
{
	char digest[LB_SHA256_HEX + 1];

	if (lb_failed(resolve(sha, m, ref, NULL))) {
		LB_TRY(fetch_ref(m, ref, diag));
		if (lb_failed(resolve(sha, m, ref, NULL)))
			return lb_fail(diag, LB_E_NOTFOUND,
			               "there is no branch, tag or commit %.*s", LB_FMT(ref));
	}
	LB_TRY(export_files(digest, m, sha, into, diag));
	return record(m->actions, m->repository, ref, sha, digest, diag);
}

lb_err runner_actions_export(char sha[LB_SHA_HEX + 1], struct runner_actions *actions,
                             struct lb_bytes repository, struct lb_bytes ref, const char *into,
                             struct lb_diag *diag)
{
	const struct runner_lock_entry *entry = runner_lock_find(&actions->lock, repository, ref);
	struct mirror m;
	lb_err err;

	if (entry == NULL && actions->options.locked)
		return lb_fail(diag, LB_E_DENIED,
		               "%.*s@%.*s is not in " RUNNER_LOCK_FILE
		               "; `lifeboat actions lock` adds it",
		               LB_FMT(repository), LB_FMT(ref));
	err = open_mirror(&m, actions, repository, diag);
	if (!lb_failed(err)) {
		if (entry != NULL) {
			memcpy(sha, entry->sha, LB_SHA_HEX + 1);
			err = export_locked(&m, ref, entry, into, diag);
		} else {
			err = export_first(sha, &m, ref, into, diag);
		}
		release(&m);
	}
	if (lb_failed(err))
		lb_diag_prefix(diag, "%.*s@%.*s", LB_FMT(repository), LB_FMT(ref));
	return err;
}

lb_err runner_actions_look_up(char sha[LB_SHA_HEX + 1], char digest[LB_SHA256_HEX + 1],
                              struct runner_actions *actions, struct lb_bytes repository,
                              struct lb_bytes ref, const char *into, struct lb_diag *diag)
{
	struct mirror m;
	lb_err err = open_mirror(&m, actions, repository, diag);

	if (lb_failed(err))
		return err;
	if (!actions->options.offline)
		err = fetch_ref(&m, ref, diag);
	if (!lb_failed(err) && lb_failed(resolve(sha, &m, ref, NULL)))
		err = lb_fail(diag, LB_E_NOTFOUND, "there is no branch, tag or commit %.*s",
		              LB_FMT(ref));
	if (!lb_failed(err))
		err = export_files(digest, &m, sha, into, diag);
	release(&m);
	if (lb_failed(err))
		lb_diag_prefix(diag, "%.*s@%.*s", LB_FMT(repository), LB_FMT(ref));
	return err;
}

lb_err runner_actions_digest_of(char digest[LB_SHA256_HEX + 1], struct runner_actions *actions,
                                struct lb_bytes repository, const char *sha, const char *into,
                                struct lb_diag *diag)
{
	struct mirror m;
	lb_err err = open_mirror(&m, actions, repository, diag);

	if (lb_failed(err))
		return err;
	err = fetch_commit(&m, sha, diag);
	if (!lb_failed(err))
		err = export_files(digest, &m, sha, into, diag);
	release(&m);
	return err;
}
