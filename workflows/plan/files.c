/* files.c - the workflows that a run's workflow calls: read, parsed and checked before it starts.
 *
 * A file is known by where it is: its path in the run's own repository, or owner/repo/path@ref.
 * "./path" in a file of another repository means that repository at the same ref.
 */
#include "workflows/plan/plan_priv.h"

#include "workflows/syntax/call.h"

struct loader {
	struct workflow_plan *plan;
	struct lb_diag *diag;
	uint32_t files, jobs, depth_max;
};

/* A file that calls, and what its jobs can have at most. */
struct calling {
	const struct workflow *workflow;
	const struct workflow_reference *home; /* NULL: the run's own repository */
	struct workflow_permissions most;
	uint32_t depth;
};

static lb_err load_calls(struct loader *l, const struct calling *in);

/* A job stands for what it calls: its address is the key. */
static struct lb_bytes key_of(const struct workflow_job *const *job)
{
	return (struct lb_bytes){ (const unsigned char *)(const void *)job, sizeof *job };
}

const struct workflow *workflow_planner_called(const struct workflow_plan *plan,
                                               const struct workflow_job *job)
{
	const struct file *file = lb_map_get(&plan->calls, key_of(&job));

	return file != NULL ? file->workflow : NULL;
}

bool workflow_planner_is_foreign(const struct workflow_plan *plan, const struct workflow_job *job)
{
	const struct file *file = lb_map_get(&plan->calls, key_of(&job));

	return file == NULL || file->foreign;
}

/* ---- permissions ---- */

struct workflow_permissions workflow_planner_everything(void)
{
	struct workflow_permissions all = { .given = true };

	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT; i++)
		all.of[i] = WORKFLOW_ACCESS_WRITE;
	return all;
}

/* What who is called by a job that says nothing may ask for. */
struct workflow_permissions workflow_planner_unsaid(const struct workflow_plan *plan)
{
	struct workflow_permissions most = workflow_planner_everything();

	if (plan->options.permissions.given) {
		most = plan->options.permissions;
		most.of[WORKFLOW_PERMISSION_ID_TOKEN] = WORKFLOW_ACCESS_WRITE;
	}
	return most;
}

static bool is_foreign(const struct workflow_plan *plan, const struct workflow_reference *where)
{
	struct lb_bytes own = lb_value_get_string(plan->options.github, "repository");
	size_t end = lb_bytes_find_byte(where->repository, '/');

	return where->repository.len > 0 &&
	       !lb_bytes_eq_nocase(lb_bytes_upto(own, lb_bytes_find_byte(own, '/')),
	                           lb_bytes_upto(where->repository, end));
}

static lb_err fail(struct loader *l, enum lb_code code, const struct workflow *in,
                   const struct workflow_token *at, const char *what, struct lb_bytes detail)
{
	return lb_fail(l->diag, code, "%.*s (Line: %u, Col: %u): %s '%.*s'", LB_FMT(in->file_name),
	               at->line, at->column, what, LB_FMT(detail));
}

/* ---- where a file is ---- */

/* "owner/repo/.github/workflows/x.yml@v1" */
static bool split_reference(struct workflow_reference *out, struct lb_bytes uses)
{
	size_t at = lb_bytes_find_byte(uses, '@');
	struct lb_bytes rest = lb_bytes_upto(uses, at), owner, name;

	if (at == SIZE_MAX || !lb_bytes_split(&owner, &rest, '/') ||
	    !lb_bytes_split(&name, &rest, '/'))
		return false;
	*out = (struct workflow_reference){
		.repository = lb_bytes_upto(uses, owner.len + 1 + name.len),
		.path = rest,
		.ref = lb_bytes_from(uses, at + 1),
	};
	return owner.len > 0 && name.len > 0 && out->ref.len > 0;
}

/* Files that can be called stand in one folder, on GitHub. */
static bool is_workflow_path(struct lb_bytes path)
{
	struct lb_bytes folder = LB_B(".github/workflows/");
	struct lb_bytes name = lb_bytes_from(path, folder.len);

	return lb_bytes_starts(path, folder) && lb_bytes_find_byte(name, '/') == SIZE_MAX &&
	       (lb_bytes_ends(name, LB_B(".yml")) || lb_bytes_ends(name, LB_B(".yaml")));
}

static lb_err locate(struct workflow_reference *out, struct loader *l, const struct calling *in,
                     const struct workflow_token *uses)
{
	bool local = lb_bytes_starts(uses->text, LB_B("./"));

	if (local) {
		*out = in->home != NULL ? *in->home : (struct workflow_reference){ 0 };
		out->path = lb_bytes_from(uses->text, 2);
	} else if (!split_reference(out, uses->text)) {
		return fail(l, LB_E_INVALID, in->workflow, uses,
		            "expected ./.github/workflows/FILE or "
		            "OWNER/REPO/.github/workflows/FILE@REF, got",
		            uses->text);
	}
	if (!is_workflow_path(out->path))
		return fail(l, LB_E_INVALID, in->workflow, uses,
		            "workflows are called from .github/workflows alone, not", out->path);
	return LB_OK;
}

/* Names of repositories know no case. */
static struct lb_bytes name_of(struct lb_arena *arena, const struct workflow_reference *where)
{
	if (where->repository.len == 0)
		return where->path;
	return lb_arena_format(arena, "%.*s/%.*s@%.*s", LB_FMT(where->repository),
	                       LB_FMT(where->path), LB_FMT(where->ref));
}

static struct file *find_file(const struct workflow_plan *plan,
                              const struct workflow_reference *where)
{
	struct file *file = plan->first_file;

	while (file != NULL && !(lb_bytes_eq_nocase(file->where.repository, where->repository) &&
	                         lb_bytes_eq(file->where.path, where->path) &&
	                         lb_bytes_eq(file->where.ref, where->ref)))
		file = file->next;
	return file;
}

/* ---- reading ---- */

static lb_err read_source(struct lb_bytes *out, struct loader *l, const struct calling *in,
                          const struct workflow_token *uses, const struct workflow_reference *where)
{
	const struct workflow_plan_options *options = &l->plan->options;
	struct lb_arena *arena = &l->plan->arena;
	bool remote = where->repository.len > 0;
	lb_err err = lb_err_of(LB_E_UNSUPPORTED);

	if (remote && options->read_remote != NULL)
		err = options->read_remote(out, options->self, arena, where, l->diag);
	else if (!remote && options->read_file != NULL)
		err = options->read_file(out, options->self, arena, where->path, l->diag);
	else
		return fail(l, LB_E_UNSUPPORTED, in->workflow, uses,
		            remote ? "workflows of other repositories cannot be read here:"
		                   : "no files can be read here:",
		            uses->text);
	if (lb_code_of(err) == LB_E_NOTFOUND && !(remote && l->diag != NULL && l->diag->text[0]))
		return fail(l, LB_E_NOTFOUND, in->workflow, uses, "there is no file",
		            remote ? uses->text : where->path);
	if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM)
		lb_diag_prefix(l->diag, "%.*s (Line: %u, Col: %u)", LB_FMT(in->workflow->file_name),
		               uses->line, uses->column);
	return err;
}

/* In the list before it is anywhere else, so that it is freed whatever happens. */
static lb_err add_file(struct file **out, struct loader *l, const struct workflow_reference *where,
                       struct lb_bytes source, struct workflow *workflow)
{
	struct file *file = LB_NEW(l->plan->mem, struct file, 1);

	if (file == NULL) {
		workflow_free(workflow);
		return lb_err_of(LB_E_NOMEM);
	}
	*file = (struct file){ .where = *where,
		               .source = source,
		               .foreign = is_foreign(l->plan, where),
		               .workflow = workflow,
		               .next = l->plan->first_file };
	l->plan->first_file = file;
	*out = file;
	return LB_OK;
}

static lb_err load(struct file **out, struct loader *l, const struct calling *in,
                   const struct workflow_token *uses)
{
	struct workflow_reference where;
	struct workflow *workflow;
	struct lb_bytes source;
	char *name;
	lb_err err;

	LB_TRY(locate(&where, l, in, uses));
	*out = find_file(l->plan, &where);
	if (*out != NULL)
		return LB_OK;
	if (++l->files > WORKFLOW_FILES_MAX)
		return lb_fail(l->diag, LB_E_LIMIT,
		               "%.*s (Line: %u, Col: %u): The maximum file count of %d has been "
		               "exceeded",
		               LB_FMT(in->workflow->file_name), uses->line, uses->column,
		               WORKFLOW_FILES_MAX);
	LB_TRY(read_source(&source, l, in, uses, &where));
	name = lb_arena_text(&l->plan->arena, name_of(&l->plan->arena, &where));
	if (name == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = workflow_parse(&workflow, l->plan->mem, source, name, l->diag);
	if (lb_code_of(err) == LB_E_INVALID)
		lb_diag_prefix(l->diag, "In %.*s (Line: %u, Col: %u): Error from called workflow",
		               LB_FMT(in->workflow->file_name), uses->line, uses->column);
	LB_TRY(err);
	return add_file(out, l, &where, source, workflow);
}

struct lb_bytes workflow_plan_source(const struct workflow_plan *plan,
                                     const struct workflow_instance *instance)
{
	const struct file *file = plan->first_file;

	while (file != NULL && file->workflow != instance->workflow)
		file = file->next;
	return file != NULL ? file->source : (struct lb_bytes){ 0 };
}

/* ---- calling ---- */

static lb_err check_call(struct loader *l, const struct workflow *in,
                         const struct workflow_job *job, const struct workflow *called,
                         const struct workflow_permissions *most)
{
	const struct workflow_problem *list;
	struct problems problems;
	uint32_t count;
	char *name;
	lb_err err;

	name = lb_arena_text(&l->plan->arena, in->file_name);
	if (name == NULL)
		return lb_err_of(LB_E_NOMEM);
	workflow_problems_init(&problems, &l->plan->arena);
	workflow_call_check(job, called, job->uses->text, most, &problems);
	err = workflow_problems_take(&list, &count, &problems);
	if (!lb_failed(err))
		err = workflow_problems_first(list, count, name, l->diag);
	workflow_problems_release(&problems);
	return err;
}

static lb_err count_jobs(struct loader *l, const struct workflow *workflow)
{
	l->jobs += workflow->job_count;
	if (l->jobs <= WORKFLOW_INSTANCES_MAX)
		return LB_OK;
	return lb_fail(l->diag, LB_E_LIMIT,
	               "Workflows may not contain more than %d jobs across all referenced files",
	               WORKFLOW_INSTANCES_MAX);
}

/* Calls of one file by one job may be met on several ways; what they call is the same. */
static lb_err remember(struct loader *l, const struct workflow_job *job, struct file *file)
{
	const struct workflow_job **key =
		LB_ARENA_NEW(&l->plan->arena, const struct workflow_job *, 1);

	if (key == NULL)
		return lb_err_of(LB_E_NOMEM);
	*key = job;
	return lb_map_put(&l->plan->calls, key_of(key), file);
}

static lb_err load_call(struct loader *l, const struct calling *in, const struct workflow_job *job)
{
	struct calling next = {
		.most = job->permissions.given ? job->permissions : in->most,
		.depth = in->depth + 1,
	};
	struct file *file;

	if (next.depth > l->depth_max)
		return lb_fail(
			l->diag, LB_E_LIMIT,
			"%.*s (Line: %u, Col: %u): Nested reusable workflow depth exceeded %u.",
			LB_FMT(in->workflow->file_name), job->uses->line, job->uses->column,
			l->depth_max);
	LB_TRY(load(&file, l, in, job->uses));
	LB_TRY(count_jobs(l, file->workflow));
	LB_TRY(remember(l, job, file));
	if (!job->permissions.given && file->foreign)
		next.most.of[WORKFLOW_PERMISSION_ID_TOKEN] = WORKFLOW_ACCESS_NONE;
	LB_TRY(check_call(l, in->workflow, job, file->workflow, &next.most));
	next.workflow = file->workflow;
	next.home = file->where.repository.len > 0 ? &file->where : NULL;
	return load_calls(l, &next);
}

/* Depth is limited by load_call. */
static lb_err load_calls(struct loader *l, const struct calling *in)
{
	for (uint32_t i = 0; i < in->workflow->job_count; i++) {
		if (in->workflow->jobs[i].uses != NULL)
			LB_TRY(load_call(l, in, &in->workflow->jobs[i]));
	}
	return LB_OK;
}

lb_err workflow_planner_load_called(struct workflow_plan *plan, struct lb_diag *diag)
{
	struct loader loader = { .plan = plan, .diag = diag, .files = 1 };
	struct calling root = { .workflow = plan->workflow, .most = workflow_planner_unsaid(plan) };

	loader.depth_max = plan->options.call_depth_max != 0 ? plan->options.call_depth_max
	                                                     : WORKFLOW_CALL_DEPTH_MAX;
	LB_TRY(count_jobs(&loader, plan->workflow));
	return load_calls(&loader, &root);
}
