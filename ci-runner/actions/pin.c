/* pin.c - see pin.h. */
#include "ci-runner/actions/pin.h"

#include "base/io/file.h"
#include "workflows/step/action.h"
#include "workflows/syntax/workflow.h"

enum { USED_MAX = 10000, DEPTH_MAX = 10 };

struct used {
	struct lb_bytes repository, path, ref; /* in the arena */
};

struct pinning {
	const struct runner_pinning *how;
	struct lb_arena arena;
	struct runner_actions *actions;
	struct runner_lock lock; /* as it stands, then as it will */
	struct lb_vec used;      /* of struct used, each once */
	unsigned files;
};

/* ---- what is used ---- */

static const char *join(struct pinning *p, const char *a, struct lb_bytes b)
{
	return (const char *)lb_arena_format(&p->arena, "%s/%.*s", a, LB_FMT(b)).at;
}

static bool is_workflow(struct lb_bytes path)
{
	return lb_bytes_ends(path, LB_B(".yml")) || lb_bytes_ends(path, LB_B(".yaml"));
}

static bool is_known(const struct pinning *p, const struct runner_reference *reference)
{
	for (size_t i = 0; i < p->used.count; i++) {
		const struct used *used = LB_VEC_AT(&p->used, struct used, i);

		if (lb_bytes_eq_nocase(used->repository, reference->repository) &&
		    lb_bytes_eq(used->path, reference->path) &&
		    lb_bytes_eq(used->ref, reference->ref))
			return true;
	}
	return false;
}

/* Where a step or a call stands: `$/` means `self`, a folder; so does `./` in a workflow. */
static lb_err use_steps(struct pinning *p, const struct workflow_step *steps, uint32_t count,
                        const char *self, unsigned depth, struct lb_diag *diag);

static lb_err use_file(struct pinning *p, const char *file, const char *self, unsigned depth,
                       struct lb_diag *diag);

/* A local action that is not there may be made by a step: no fault. */
static lb_err use_folder(struct pinning *p, const char *folder, const char *self, unsigned depth,
                         struct lb_diag *diag)
{
	static const char *const names[] = { "action.yml", "action.yaml" };
	struct workflow_action *action;
	struct lb_buf text;
	lb_err err = LB_OK;

	lb_buf_init(&text, p->how->mem, WORKFLOW_FILE_BYTES_MAX);
	for (size_t i = 0; i < 2 && text.len == 0 && !lb_failed(err); i++) {
		const char *file = join(p, folder, lb_bytes_of(names[i]));

		if (file != NULL && lb_file_exists(p->how->plat, file))
			err = lb_file_read(&text, p->how->plat, file, diag);
	}
	if (!lb_failed(err) && text.len > 0) {
		err = workflow_action_parse(&action, p->how->mem, lb_buf_bytes(&text), folder,
		                            diag);
		if (!lb_failed(err)) {
			err = use_steps(p, action->steps, action->step_count, self, depth + 1,
			                diag);
			workflow_action_free(action);
		}
	}
	lb_buf_release(&text);
	return err;
}

/* Its own steps are looked at as it is now, or as it was pinned. */
static lb_err use_remote(struct pinning *p, const struct runner_reference *reference,
                         unsigned depth, struct lb_diag *diag)
{
	const struct runner_lock_entry *entry =
		runner_lock_find(&p->lock, reference->repository, reference->ref);
	const char *into =
		(const char *)lb_arena_format(&p->arena, "%s/%u", p->how->scratch, ++p->files).at;
	char sha[LB_SHA_HEX + 1], digest[LB_SHA256_HEX + 1];
	struct used *used;

	if (is_known(p, reference))
		return LB_OK;
	used = lb_vec_add(&p->used);
	if (used == NULL || into == NULL)
		return lb_err_of(LB_E_NOMEM);
	*used = (struct used){ lb_arena_bytes(&p->arena, reference->repository),
		               lb_arena_bytes(&p->arena, reference->path),
		               lb_arena_bytes(&p->arena, reference->ref) };
	if (entry != NULL)
		LB_TRY(runner_actions_digest_of(digest, p->actions, reference->repository,
		                                entry->sha, into, diag));
	else
		LB_TRY(runner_actions_look_up(sha, digest, p->actions, reference->repository,
		                              reference->ref, into, diag));
	if (is_workflow(reference->path))
		return use_file(p, join(p, into, reference->path), into, depth + 1, diag);
	return use_folder(p, join(p, into, reference->path), into, depth, diag);
}

static lb_err use_steps(struct pinning *p, const struct workflow_step *steps, uint32_t count,
                        const char *self, unsigned depth, struct lb_diag *diag)
{
	for (uint32_t i = 0; i < count && depth <= DEPTH_MAX; i++) {
		struct runner_reference reference;

		LB_TRY(use_steps(p, steps[i].steps, steps[i].step_count, self, depth, diag));
		if (steps[i].kind != WORKFLOW_STEP_USES ||
		    p->how->is_builtin(steps[i].uses->text) ||
		    lb_failed(runner_reference_read(&reference, steps[i].uses->text, NULL)))
			continue;
		if (reference.kind == RUNNER_REFERENCE_REMOTE)
			LB_TRY(use_remote(p, &reference, depth, diag));
		else if (reference.kind == RUNNER_REFERENCE_LOCAL)
			LB_TRY(use_folder(p, join(p, p->how->checkout, reference.path),
			                  p->how->checkout, depth, diag));
		else if (reference.kind == RUNNER_REFERENCE_SELF)
			LB_TRY(use_folder(p, join(p, self, reference.path), self, depth, diag));
		if (p->arena.failed)
			return lb_err_of(LB_E_NOMEM);
	}
	return LB_OK;
}

/* ---- workflows ---- */

/* Another one that a job calls; one of the checkout itself is met in its folder. */
static lb_err use_call(struct pinning *p, const struct workflow_token *uses, const char *self,
                       unsigned depth, struct lb_diag *diag)
{
	struct runner_reference reference;

	if (lb_failed(runner_reference_read(&reference, uses->text, NULL)))
		return LB_OK;
	if (reference.kind == RUNNER_REFERENCE_REMOTE)
		return use_remote(p, &reference, depth, diag);
	if (reference.kind == RUNNER_REFERENCE_LOCAL && depth > 0)
		return use_file(p, join(p, self, reference.path), self, depth + 1, diag);
	return LB_OK;
}

/* Depth is limited: workflows of other repositories can call in a circle. */
static lb_err use_file(struct pinning *p, const char *file, const char *self, unsigned depth,
                       struct lb_diag *diag)
{
	struct workflow *workflow = NULL;
	struct lb_buf text;
	lb_err err;

	if (file == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (depth > DEPTH_MAX)
		return LB_OK;
	lb_buf_init(&text, p->how->mem, WORKFLOW_FILE_BYTES_MAX);
	err = lb_file_read(&text, p->how->plat, file, diag);
	if (!lb_failed(err))
		err = workflow_parse(&workflow, p->how->mem, lb_buf_bytes(&text), file, diag);
	lb_buf_release(&text);
	LB_TRY(err);
	for (uint32_t i = 0; i < workflow->job_count && !lb_failed(err); i++) {
		const struct workflow_job *job = &workflow->jobs[i];

		err = job->uses != NULL
		              ? use_call(p, job->uses, self, depth, diag)
		              : use_steps(p, job->steps, job->step_count, self, depth, diag);
	}
	workflow_free(workflow);
	return err;
}

struct finding {
	struct pinning *p;
	const char *folder;
	struct lb_diag *diag;
};

static lb_err use_workflow(void *ctx, const char *path, const struct plat_info *info)
{
	struct finding *f = ctx;

	if (info->type != PLAT_FILE || !is_workflow(lb_bytes_of(path)))
		return LB_OK;
	return use_file(f->p, join(f->p, f->folder, lb_bytes_of(path)), f->p->how->checkout, 0,
	                f->diag);
}

static lb_err find_used(struct pinning *p, struct lb_diag *diag)
{
	const char *folder = join(p, p->how->checkout, LB_B(".github/workflows"));
	struct finding finding = { p, folder, diag };

	if (folder == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!lb_file_exists(p->how->plat, folder))
		return lb_fail(diag, LB_E_NOTFOUND, "%s: there are no workflows", folder);
	return lb_file_walk(p->how->mem, p->how->plat, folder, use_workflow, &finding, diag);
}

/* ---- the lock ---- */

static lb_err read_lock(struct pinning *p, struct lb_diag *diag)
{
	const char *path = join(p, p->how->checkout, LB_B(RUNNER_LOCK_FILE));
	struct lb_buf text;
	lb_err err = LB_OK;

	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&text, p->how->mem, RUNNER_LOCK_BYTES_MAX);
	if (lb_file_exists(p->how->plat, path))
		err = lb_file_read(&text, p->how->plat, path, diag);
	if (!lb_failed(err))
		err = runner_lock_read(&p->lock, p->how->mem, lb_buf_bytes(&text), RUNNER_LOCK_FILE,
		                       diag);
	lb_buf_release(&text);
	return err;
}

static lb_err write_lock(struct pinning *p, const struct runner_lock *lock, struct lb_diag *diag)
{
	const char *path = join(p, p->how->checkout, LB_B(RUNNER_LOCK_FILE));
	const char *folder = join(p, p->how->checkout, LB_B(".lifeboat"));
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, p->how->mem, RUNNER_LOCK_BYTES_MAX);
	runner_lock_write(&text, lock);
	err = p->arena.failed ? lb_err_of(LB_E_NOMEM) : lb_buf_check(&text);
	if (!lb_failed(err))
		err = lb_file_make_folders(p->how->plat, folder, diag);
	if (!lb_failed(err))
		err = lb_file_write(p->how->plat, path, lb_buf_bytes(&text), 0, diag);
	lb_buf_release(&text);
	return err;
}

static lb_err begin(struct pinning *p, const struct runner_pinning *how, struct lb_diag *diag)
{
	struct runner_actions_options options = { .mirrors = how->mirrors,
		                                  .source = how->source,
		                                  .offline = how->offline };
	lb_err err;

	*p = (struct pinning){ .how = how };
	lb_arena_init(&p->arena, how->mem);
	lb_vec_init(&p->used, how->mem, sizeof(struct used), USED_MAX);
	err = lb_file_make_folders(how->plat, how->scratch, diag);
	if (!lb_failed(err))
		err = runner_actions_new(&p->actions, how->mem, how->plat, &options, diag);
	if (!lb_failed(err))
		err = read_lock(p, diag);
	return err;
}

static void end(struct pinning *p)
{
	runner_lock_release(&p->lock);
	runner_actions_free(p->actions);
	lb_ignore(lb_file_remove_tree(p->how->plat, p->how->scratch, NULL));
	lb_vec_release(&p->used);
	lb_arena_release(&p->arena);
}

/* ---- lock and update ---- */

static bool is_named(const struct used *used, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct lb_bytes name = lb_bytes_of(names[i]);
		size_t at = lb_bytes_find_byte(name, '@');

		if (lb_bytes_eq_nocase(lb_bytes_upto(name, at), used->repository) &&
		    (at == SIZE_MAX || lb_bytes_eq(lb_bytes_from(name, at + 1), used->ref)))
			return true;
	}
	return false;
}

static lb_err pin_one(struct pinning *p, struct runner_lock *to, const struct used *used,
                      bool again, struct lb_diag *diag)
{
	const struct runner_lock_entry *old =
		runner_lock_find(&p->lock, used->repository, used->ref);
	const char *into =
		(const char *)lb_arena_format(&p->arena, "%s/%u", p->how->scratch, ++p->files).at;
	char sha[LB_SHA_HEX + 1], digest[LB_SHA256_HEX + 1];

	if (into == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (runner_lock_find(to, used->repository, used->ref) != NULL)
		return LB_OK;
	if (old != NULL && !again)
		return runner_lock_put(to, used->repository, used->ref, old->sha, old->digest);
	LB_TRY(runner_actions_look_up(sha, digest, p->actions, used->repository, used->ref, into,
	                              diag));
	if (old != NULL && strcmp(old->sha, sha) != 0)
		(void)fprintf(p->how->out, "%.*s@%.*s: %s -> %s\n", LB_FMT(used->repository),
		              LB_FMT(used->ref), old->sha, sha);
	else if (old == NULL)
		(void)fprintf(p->how->out, "%.*s@%.*s: %s\n", LB_FMT(used->repository),
		              LB_FMT(used->ref), sha);
	return runner_lock_put(to, used->repository, used->ref, sha, digest);
}

static lb_err pin_all(struct pinning *p, const char *const *names, size_t count, bool again,
                      struct lb_diag *diag)
{
	struct runner_lock to;
	lb_err err;

	LB_TRY(find_used(p, diag));
	LB_TRY(runner_lock_read(&to, p->how->mem, (struct lb_bytes){ 0 }, "", diag));
	err = LB_OK;
	for (size_t i = 0; i < p->used.count && !lb_failed(err); i++) {
		const struct used *used = LB_VEC_AT(&p->used, struct used, i);

		err = pin_one(p, &to, used, again && (count == 0 || is_named(used, names, count)),
		              diag);
	}
	if (!lb_failed(err))
		err = write_lock(p, &to, diag);
	runner_lock_release(&to);
	return err;
}

lb_err runner_pin_lock(const struct runner_pinning *how, struct lb_diag *diag)
{
	struct pinning p;
	lb_err err = begin(&p, how, diag);

	if (!lb_failed(err))
		err = pin_all(&p, NULL, 0, false, diag);
	end(&p);
	return err;
}

lb_err runner_pin_update(const struct runner_pinning *how, const char *const *names, size_t count,
                         struct lb_diag *diag)
{
	struct pinning p;
	lb_err err = begin(&p, how, diag);

	if (!lb_failed(err))
		err = pin_all(&p, names, count, true, diag);
	end(&p);
	return err;
}

/* ---- verify ---- */

static lb_err verify_one(size_t *faults, struct pinning *p, const struct runner_lock_entry *entry,
                         struct lb_diag *diag)
{
	size_t at = lb_bytes_rfind_byte(entry->uses, '@');
	struct lb_bytes repository = lb_bytes_upto(entry->uses, at);
	struct lb_bytes ref = lb_bytes_from(entry->uses, at + 1);
	const char *into =
		(const char *)lb_arena_format(&p->arena, "%s/%u", p->how->scratch, ++p->files).at;
	char sha[LB_SHA_HEX + 1], digest[LB_SHA256_HEX + 1];
	lb_err err;

	if (into == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = runner_actions_look_up(sha, digest, p->actions, repository, ref, into, diag);
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (lb_failed(err)) {
		(void)fprintf(p->how->out, "%s\n", lb_diag_text(diag, err));
	} else if (strcmp(sha, entry->sha) != 0) {
		(void)fprintf(p->how->out,
		              "%.*s: moved: it names commit %s now, and was locked at %s\n",
		              LB_FMT(entry->uses), sha, entry->sha);
	} else if (strcmp(digest, entry->digest) != 0) {
		(void)fprintf(p->how->out,
		              "%.*s: other files: sha256:%s, and was locked with sha256:%s\n",
		              LB_FMT(entry->uses), digest, entry->digest);
	} else {
		(void)fprintf(p->how->out, "%.*s: as locked\n", LB_FMT(entry->uses));
		return LB_OK;
	}
	(*faults)++;
	return LB_OK;
}

static lb_err verify_all(size_t *faults, struct pinning *p, struct lb_diag *diag)
{
	LB_TRY(find_used(p, diag));
	for (size_t i = 0; i < p->lock.entries.count; i++)
		LB_TRY(verify_one(faults, p,
		                  LB_VEC_AT(&p->lock.entries, struct runner_lock_entry, i), diag));
	for (size_t i = 0; i < p->used.count; i++) {
		const struct used *used = LB_VEC_AT(&p->used, struct used, i);

		if (runner_lock_find(&p->lock, used->repository, used->ref) != NULL)
			continue;
		(void)fprintf(p->how->out, "%.*s@%.*s: is used and not locked\n",
		              LB_FMT(used->repository), LB_FMT(used->ref));
		(*faults)++;
	}
	return LB_OK;
}

lb_err runner_pin_verify(size_t *faults, const struct runner_pinning *how, struct lb_diag *diag)
{
	struct pinning p;
	lb_err err = begin(&p, how, diag);

	*faults = 0;
	if (!lb_failed(err))
		err = verify_all(faults, &p, diag);
	end(&p);
	return err;
}
