/* find.c - the action that a step uses: its files brought here, its manifest read. */
#include "ci-runner/execute/execution_priv.h"

#include "base/io/file.h"
#include "base/text.h"

#include <limits.h>
#include <stdlib.h>

struct manifest {
	const char *folder; /* NULL: of the workspace, where it may change */
	struct workflow_action *action;
};

/* A repository that could not be had: it is not asked for again in this job. */
struct missing {
	const char *root;
	lb_err err;
	struct lb_bytes why;
};

static const char no_manifest[] =
	"Can't find 'action.yml' or 'action.yaml' under '%s'. Did you forget "
	"to run actions/checkout before running your local action?";

/* ---- manifests ---- */

void runner_actions_begin(struct runner_execution *x)
{
	lb_vec_init(&x->manifests, x->host->mem, sizeof(struct manifest), RUNNER_MANIFESTS_MAX);
	lb_vec_init(&x->missing, x->host->mem, sizeof(struct missing), RUNNER_MANIFESTS_MAX);
}

void runner_actions_forget(struct runner_execution *x)
{
	for (size_t i = 0; i < x->manifests.count; i++)
		workflow_action_free(LB_VEC_AT(&x->manifests, struct manifest, i)->action);
	lb_vec_release(&x->manifests);
	lb_vec_release(&x->missing);
	runner_actions_free(x->actions);
	x->actions = NULL;
}

static lb_err read_manifest(struct workflow_action **out, struct runner_execution *x,
                            const char *folder, struct lb_diag *diag)
{
	static const char *const names[] = { "action.yml", "action.yaml" };
	struct lb_err err = LB_OK;
	struct lb_buf text;

	lb_buf_init(&text, x->host->mem, WORKFLOW_FILE_BYTES_MAX);
	for (size_t i = 0; i < 2 && text.len == 0 && !lb_failed(err); i++) {
		const char *path = runner_path(x->arena, folder, names[i]);

		err = path != NULL ? runner_files_read(&text, x, path, diag)
		                   : lb_err_of(LB_E_NOMEM);
	}
	if (!lb_failed(err) && text.len == 0)
		err = lb_fail(diag, LB_E_NOTFOUND, no_manifest, folder);
	if (!lb_failed(err))
		err = workflow_action_parse(out, x->host->mem, lb_buf_bytes(&text), folder, diag);
	lb_buf_release(&text);
	return err;
}

/* Those of other repositories are read once: what refers to their steps stays good. */
static lb_err load(struct runner_action *action, struct runner_execution *x, struct lb_diag *diag)
{
	struct workflow_action *read = NULL;
	struct manifest *slot;

	for (size_t i = 0; action->remote && i < x->manifests.count; i++) {
		const struct manifest *m = LB_VEC_AT(&x->manifests, struct manifest, i);

		if (m->folder != NULL && strcmp(m->folder, action->folder) == 0) {
			action->manifest = m->action;
			return LB_OK;
		}
	}
	LB_TRY(read_manifest(&read, x, action->folder, diag));
	slot = lb_vec_add(&x->manifests);
	if (slot == NULL) {
		workflow_action_free(read);
		return lb_vec_check(&x->manifests);
	}
	*slot = (struct manifest){ action->remote ? action->folder : NULL, read };
	action->manifest = read;
	return LB_OK;
}

/* ---- the workspace ---- */

/* The folder as the disk has it; DENIED when links lead out of where it has to be. */
static lb_err find_below(const char **out, struct runner_execution *x, const char *under,
                         struct lb_bytes path, struct lb_bytes uses, struct lb_diag *diag)
{
	const char *given =
		(const char *)lb_arena_format(x->arena, "%s/%.*s", under, LB_FMT(path)).at;
	char *real = given != NULL ? LB_ARENA_NEW(x->arena, char, PATH_MAX) : NULL;
	char *top = given != NULL ? LB_ARENA_NEW(x->arena, char, PATH_MAX) : NULL;

	if (real == NULL || top == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (realpath(under, top) == NULL || realpath(given, real) == NULL)
		return lb_fail(diag, LB_E_NOTFOUND, no_manifest, given);
	if (strcmp(real, top) != 0 &&
	    !lb_bytes_starts(lb_bytes_of(real), lb_arena_format(x->arena, "%s/", top)))
		return lb_fail(diag, LB_E_DENIED, "uses: %.*s leads out of its repository",
		               LB_FMT(uses));
	*out = real;
	return LB_OK;
}

/* ---- the repository that says `$/` ---- */

/* The job's own, at its commit, as actions/checkout would make it. */
static lb_err check_out_self(struct runner_execution *x, struct lb_diag *diag)
{
	const char *folder = runner_path(x->arena, x->folders.actions, "_self");

	if (folder == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (x->self == NULL)
		LB_TRY(runner_checkout_own(x, folder, diag));
	x->self = folder;
	return LB_OK;
}

static lb_err find_self(struct runner_action *out, struct runner_execution *x,
                        const struct runner_frame *frame, const struct runner_reference *reference,
                        struct lb_bytes uses, struct lb_diag *diag)
{
	out->remote = true;
	out->root = frame->self;
	out->repository = frame->self != NULL ? frame->repository : x->job->repository.name;
	out->ref = frame->self != NULL ? frame->ref : x->job->repository.sha;
	if (out->root == NULL) {
		LB_TRY(check_out_self(x, diag));
		out->root = x->self;
	}
	return find_below(&out->folder, x, out->root, reference->path, uses, diag);
}

/* ---- other repositories ---- */

static lb_err open_source(struct runner_execution *x, struct lb_diag *diag)
{
	struct runner_actions_options options = { .mirrors = x->host->mirrors,
		                                  .source = x->host->source,
		                                  .lock = x->job->actions_lock,
		                                  .locked = x->job->actions_locked,
		                                  .offline = x->host->offline };

	if (x->actions != NULL)
		return LB_OK;
	if (x->host->mirrors == NULL)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "this runner has no mirrors of actions' repositories");
	return runner_actions_new(&x->actions, x->host->mem, x->host->plat, &options, diag);
}

/* FOLDER/OWNER/REPO/REF, a slash in the ref written as %2F. */
static const char *place_of(struct runner_execution *x, const struct runner_reference *reference)
{
	struct lb_buf name;
	const char *folder = NULL;

	lb_buf_init(&name, x->host->mem, LB_PATH_SIZE);
	lb_buf_addf(&name, "%s/%.*s/", x->folders.actions, LB_FMT(reference->repository));
	lb_url_add(&name, reference->ref, "");
	if (!lb_failed(lb_buf_check(&name)))
		folder = lb_arena_text(x->arena, lb_buf_bytes(&name));
	lb_buf_release(&name);
	return folder;
}

static lb_err bring(struct runner_execution *x, const struct runner_reference *reference,
                    const char *folder, struct lb_diag *diag)
{
	const char *parent = (const char *)lb_arena_format(x->arena, "%s/%.*s", x->folders.actions,
	                                                   LB_FMT(reference->repository))
	                             .at;
	char sha[LB_SHA_HEX + 1];

	if (parent == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(open_source(x, diag));
	LB_TRY(lb_file_make_folders(x->host->plat, parent, diag));
	LB_TRY(runner_actions_export(sha, x->actions, reference->repository, reference->ref, folder,
	                             diag));
	runner_log_line(x->log,
	                lb_arena_format(x->arena, "Download action repository '%.*s@%.*s' (SHA:%s)",
	                                LB_FMT(reference->repository), LB_FMT(reference->ref),
	                                sha));
	return LB_OK;
}

static lb_err bring_once(struct runner_execution *x, const struct runner_reference *reference,
                         const char *root, struct lb_diag *diag)
{
	struct missing *slot;
	struct lb_diag why;
	lb_err err;

	for (size_t i = 0; i < x->missing.count; i++) {
		slot = LB_VEC_AT(&x->missing, struct missing, i);
		if (strcmp(slot->root, root) == 0) {
			lb_diag_set(diag, "%.*s", LB_FMT(slot->why));
			return slot->err;
		}
	}
	why.text[0] = '\0';
	err = bring(x, reference, root, &why);
	if (!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM)
		return err;
	lb_diag_set(diag, "Unable to resolve action: %s", lb_diag_text(&why, err));
	slot = lb_vec_add(&x->missing);
	if (slot == NULL)
		return lb_vec_check(&x->missing);
	*slot = (struct missing){ root, err,
		                  lb_arena_format(x->arena, "Unable to resolve action: %s",
		                                  lb_diag_text(&why, err)) };
	return err;
}

static lb_err find_remote(struct runner_action *out, struct runner_execution *x,
                          const struct runner_reference *reference, struct lb_bytes uses,
                          struct lb_diag *diag)
{
	out->remote = true;
	out->repository = lb_arena_bytes(x->arena, reference->repository);
	out->ref = lb_arena_bytes(x->arena, reference->ref);
	out->root = place_of(x, reference);
	if (out->root == NULL || x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (!lb_file_exists(x->host->plat, out->root))
		LB_TRY(bring_once(x, reference, out->root, diag));
	return find_below(&out->folder, x, out->root, reference->path, uses, diag);
}

lb_err runner_action_find(struct runner_action *out, struct runner_execution *x,
                          const struct runner_frame *frame, struct lb_bytes uses,
                          struct lb_diag *diag)
{
	struct runner_reference reference;
	lb_err err = LB_OK;

	*out = (struct runner_action){ .root = x->folders.workspace };
	LB_TRY(runner_reference_read(&reference, uses, diag));
	switch (reference.kind) {
	case RUNNER_REFERENCE_LOCAL:
		err = find_below(&out->folder, x, x->folders.workspace, reference.path, uses, diag);
		break;
	case RUNNER_REFERENCE_SELF: err = find_self(out, x, frame, &reference, uses, diag); break;
	case RUNNER_REFERENCE_REMOTE: err = find_remote(out, x, &reference, uses, diag); break;
	case RUNNER_REFERENCE_DOCKER:
		err = lb_fail(diag, LB_E_UNSUPPORTED,
		              "uses: %.*s: this runner does not run containers", LB_FMT(uses));
	}
	return lb_failed(err) ? err : load(out, x, diag);
}

struct runner_intra *runner_intra_of(struct runner_execution *x, const struct runner_frame *frame,
                                     const struct workflow_step *step)
{
	struct runner_intra *intra, **slot;

	for (size_t i = 0; i < x->intras.count; i++) {
		intra = *LB_VEC_AT(&x->intras, struct runner_intra *, i);
		if (intra->outer == frame->intra && intra->step == step)
			return intra;
	}
	intra = LB_ARENA_NEW(x->arena, struct runner_intra, 1);
	slot = intra != NULL ? lb_vec_add(&x->intras) : NULL;
	if (slot == NULL) {
		x->failure = lb_err_of(LB_E_NOMEM);
		return NULL;
	}
	*intra = (struct runner_intra){ frame->intra, step, lb_value_object(x->arena), false };
	return *slot = intra;
}
