/* checkout.c - actions/checkout, natively: no Node.js, no GitHub. */
#include "ci-runner/execute/builtin_priv.h"

#include "base/git/repo.h"
#include "base/io/file.h"
#include "base/io/run.h"
#include "base/text.h"

enum { FILE_LIST_BYTES_MAX = 64 * 1024 * 1024 };

/* git's way to say a token: the password of Basic. */
static lb_err put_header(struct runner_execution *x, struct lb_value *request)
{
	struct lb_buf plain, header;
	lb_err err;

	if (x->job->token.len == 0 || !lb_bytes_starts(x->job->repository.url, LB_B("http")))
		return LB_OK;
	lb_buf_init(&plain, x->host->mem, RUNNER_PART_BYTES);
	lb_buf_init(&header, x->host->mem, RUNNER_PART_BYTES);
	lb_buf_add_text(&plain, "x-access-token:");
	lb_buf_add(&plain, x->job->token);
	lb_buf_add_text(&header, "Authorization: Basic ");
	lb_base64_add(&header, lb_buf_bytes(&plain));
	err = lb_buf_check(&plain);
	if (!lb_failed(err))
		err = lb_buf_check(&header);
	if (!lb_failed(err))
		lb_value_set_string(x->arena, request, "header", lb_buf_bytes(&header));
	lb_buf_release(&header);
	lb_buf_release(&plain);
	return err;
}

/* The names of all files of the user's checkout that git would not ignore, for the helper to lay
 * over the commit. */
static lb_err put_overlay(struct runner_execution *x, struct lb_value *request,
                          struct lb_diag *diag)
{
	const char *top = lb_arena_text(x->arena, x->job->overlay);
	const char *list = runner_exchange(x, "files");
	const char *const argv[] = { "git", "-C",       top,        "ls-files",
		                     "-z",  "--cached", "--others", "--exclude-standard",
		                     NULL };
	struct lb_buf names;
	lb_err err;

	if (x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&names, x->host->mem, FILE_LIST_BYTES_MAX);
	err = lb_run_ok(&(struct lb_run){ .argv = argv, .timeout_ms = 60000 }, &names, diag);
	if (!lb_failed(err))
		err = lb_file_write(x->host->plat, list, lb_buf_bytes(&names), 0, diag);
	lb_buf_release(&names);
	lb_value_set_text(x->arena, request, "overlay", top);
	lb_value_set_text(x->arena, request, "files", list);
	return err;
}

/* What is to be checked out, beside the files. */
struct wish {
	const char *folder;
	struct lb_bytes ref;         /* empty: the job's own commit, or another's default branch */
	struct lb_bytes url;         /* empty: the job's own repository */
	const struct lb_value *with; /* inputs; NULL: none */
};

/* Another repository is had from where actions are: a folder, or GitHub. */
static struct lb_bytes url_of(struct runner_execution *x, const struct lb_value *with)
{
	struct lb_bytes other = lb_value_get_string(with, "repository");
	const char *source = x->host->source != NULL ? x->host->source : RUNNER_ACTIONS_PUBLISHED;

	if (other.len == 0 || lb_bytes_eq_nocase(other, x->job->repository.name))
		return (struct lb_bytes){ 0 };
	return lb_arena_format(x->arena, "%s/%.*s", source, LB_FMT(other));
}

static lb_err put_flag(struct lb_value *request, struct runner_execution *x, const char *name,
                       const struct lb_value *with, const char *input, bool otherwise, bool invert,
                       struct lb_diag *diag)
{
	const struct workflow_step_plan plan = { .with = with };
	bool flag;

	LB_TRY(runner_input_flag(&flag, &plan, input, otherwise, diag));
	lb_value_set_bool(x->arena, request, name, flag != invert);
	return LB_OK;
}

static lb_err put_extras(struct lb_value *request, struct runner_execution *x,
                         const struct lb_value *with, struct lb_diag *diag)
{
	struct lb_bytes submodules = lb_value_get_string(with, "submodules");

	LB_TRY(put_flag(request, x, "keep", with, "clean", true, true, diag));
	LB_TRY(put_flag(request, x, "tags", with, "fetch-tags", false, false, diag));
	LB_TRY(put_flag(request, x, "lfs", with, "lfs", false, false, diag));
	LB_TRY(put_flag(request, x, "cone", with, "sparse-checkout-cone-mode", true, false, diag));
	lb_value_set_string(x->arena, request, "sparse",
	                    lb_value_get_string(with, "sparse-checkout"));
	lb_value_set_string(x->arena, request, "submodules", submodules);
	if (submodules.len > 0 && x->job->repository.url.at[0] == '/')
		lb_value_set_string(x->arena, request, "modules",
		                    lb_arena_format(x->arena, "%.*s/.git/modules",
		                                    LB_FMT(x->job->repository.url)));
	return LB_OK;
}

static lb_err ask(struct lb_value **answer, struct runner_execution *x, struct runner_step_run *run,
                  const struct wish *wish, struct lb_diag *diag)
{
	struct lb_value *request = lb_value_object(x->arena);
	struct lb_bytes url = wish->url.len > 0 ? wish->url : x->job->repository.url;
	struct lb_bytes ref = wish->ref;
	const char *local = NULL;
	bool own = wish->url.len == 0;

	lb_value_set_text(x->arena, request, "do", "checkout");
	lb_value_set_text(x->arena, request, "folder", wish->folder);
	lb_value_set_string(x->arena, request, "url", url);
	lb_value_set_text(x->arena, request, "scratch", runner_exchange(x, "scratch"));
	if (own && ref.len == 0) {
		lb_value_set_string(x->arena, request, "sha", x->job->repository.sha);
		lb_value_set_string(x->arena, request, "ref", x->job->repository.ref);
	} else {
		lb_value_set_string(x->arena, request, "ref", ref.len > 0 ? ref : LB_B("HEAD"));
	}
	if (wish->with != NULL)
		LB_TRY(put_extras(request, x, wish->with, diag));
	if (own)
		LB_TRY(put_header(x, request));
	if (url.len > 0 && url.at[0] == '/')
		local = lb_arena_text(x->arena, url);
	if (local != NULL && !lb_file_exists(x->host->plat, local))
		return lb_fail(diag, LB_E_NOTFOUND, "%s: not a Git repository", local);
	if (x->job->overlay.len > 0 && own && ref.len == 0)
		LB_TRY(put_overlay(x, request, diag));
	return runner_helper(answer, x, run, request, true, local, diag);
}

lb_err runner_checkout_own(struct runner_execution *x, const char *folder, struct lb_diag *diag)
{
	struct lb_value *answer;

	return ask(&answer, x, NULL, &(struct wish){ .folder = folder }, diag);
}

lb_err runner_checkout_run(struct runner_execution *x, struct runner_step_run *run,
                           const struct workflow_step_plan *plan, struct lb_diag *diag)
{
	struct wish wish = { .ref = lb_value_get_string(plan->with, "ref"),
		             .url = url_of(x, plan->with),
		             .with = plan->with };
	struct lb_value *answer;

	LB_TRY(runner_inside_workspace(&wish.folder, x, lb_value_get_string(plan->with, "path"),
	                               diag));
	if (x->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(ask(&answer, x, run, &wish, diag));
	lb_value_set_string(x->arena, run->outputs, "commit", lb_value_get_string(answer, "sha"));
	lb_value_set_string(x->arena, run->outputs, "ref",
	                    wish.ref.len > 0 ? wish.ref : x->job->repository.ref);
	return LB_OK;
}
