/* files.c - the workflows that a run's workflow calls: read, parsed and checked before it starts.
 */
#include "workflows/plan/plan_priv.h"

#include "workflows/syntax/call.h"

enum { CALLS_MAX = 1000 };

struct loader {
	struct workflow_plan *plan;
	struct lb_diag *diag;
	uint32_t calls, depth_max;
};

static lb_err load_calls(struct loader *l, const struct workflow *workflow,
                         const struct workflow_permissions *most, uint32_t depth);

const struct workflow *workflow_planner_file(const struct workflow_plan *plan, struct lb_bytes uses)
{
	const struct file *file = lb_map_get(&plan->files, uses);

	return file != NULL ? file->workflow : NULL;
}

static lb_err fail(struct loader *l, enum lb_code code, const struct workflow *in,
                   const struct workflow_token *at, const char *what, struct lb_bytes detail)
{
	return lb_fail(l->diag, code, "%.*s (Line: %u, Col: %u): %s '%.*s'", LB_FMT(in->file_name),
	               at->line, at->column, what, LB_FMT(detail));
}

static lb_err read_source(struct lb_bytes *out, struct loader *l, const struct workflow *in,
                          const struct workflow_token *uses)
{
	const struct workflow_plan_options *options = &l->plan->options;
	struct lb_bytes path = lb_bytes_from(uses->text, 2);
	lb_err err;

	if (!lb_bytes_starts(uses->text, LB_B("./")))
		return fail(l, LB_E_UNSUPPORTED, in, uses,
		            "workflows of other repositories cannot be called yet:", uses->text);
	if (options->read_file == NULL)
		return fail(l, LB_E_UNSUPPORTED, in, uses, "no files can be read here:", path);
	err = options->read_file(out, options->self, &l->plan->arena, path, l->diag);
	if (lb_code_of(err) == LB_E_NOTFOUND)
		return fail(l, LB_E_NOTFOUND, in, uses, "there is no file", path);
	return err;
}

/* In the list before it is anywhere else, so that it is freed whatever happens. */
static lb_err add_file(struct file **out, struct loader *l, struct lb_bytes uses,
                       struct workflow *workflow)
{
	struct file *file = LB_NEW(l->plan->mem, struct file, 1);

	if (file == NULL) {
		workflow_free(workflow);
		return lb_err_of(LB_E_NOMEM);
	}
	*file = (struct file){ .path = uses, .workflow = workflow, .next = l->plan->first_file };
	l->plan->first_file = file;
	*out = file;
	return lb_map_put(&l->plan->files, uses, file);
}

static lb_err load(const struct workflow **out, struct loader *l, const struct workflow *in,
                   const struct workflow_token *uses)
{
	struct workflow *workflow;
	struct lb_bytes source;
	struct file *file;
	char *name;
	lb_err err;

	*out = workflow_planner_file(l->plan, uses->text);
	if (*out != NULL)
		return LB_OK;
	LB_TRY(read_source(&source, l, in, uses));
	name = lb_arena_text(&l->plan->arena, lb_bytes_from(uses->text, 2));
	if (name == NULL)
		return lb_err_of(LB_E_NOMEM);
	err = workflow_parse(&workflow, l->plan->mem, source, name, l->diag);
	if (lb_code_of(err) == LB_E_INVALID)
		lb_diag_prefix(l->diag, "In %.*s (Line: %u, Col: %u): Error from called workflow",
		               LB_FMT(in->file_name), uses->line, uses->column);
	LB_TRY(err);
	LB_TRY(add_file(&file, l, uses->text, workflow));
	*out = workflow;
	return LB_OK;
}

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

static lb_err load_call(struct loader *l, const struct workflow *in, const struct workflow_job *job,
                        const struct workflow_permissions *most, uint32_t depth)
{
	struct workflow_permissions own = job->permissions.given ? job->permissions : *most;
	const struct workflow *called;

	if (++l->calls > CALLS_MAX)
		return fail(l, LB_E_LIMIT, in, job->uses,
		            "too many workflows are called; the last is", job->uses->text);
	if (depth > l->depth_max)
		return lb_fail(
			l->diag, LB_E_LIMIT,
			"%.*s (Line: %u, Col: %u): Nested reusable workflow depth exceeded %u.",
			LB_FMT(in->file_name), job->uses->line, job->uses->column, l->depth_max);
	LB_TRY(load(&called, l, in, job->uses));
	LB_TRY(check_call(l, in, job, called, &own));
	return load_calls(l, called, &own, depth);
}

static lb_err load_calls(struct loader *l, const struct workflow *workflow,
                         const struct workflow_permissions *most, uint32_t depth)
{
	for (uint32_t i = 0; i < workflow->job_count; i++) {
		if (workflow->jobs[i].uses != NULL)
			LB_TRY(load_call(l, workflow, &workflow->jobs[i], most, depth + 1));
	}
	return LB_OK;
}

/* What an explicit request may reach where no caller sets a limit. */
static struct workflow_permissions unlimited(void)
{
	struct workflow_permissions all = { .given = true };

	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT; i++)
		all.of[i] = WORKFLOW_ACCESS_WRITE;
	return all;
}

lb_err workflow_planner_load_called(struct workflow_plan *plan, struct lb_diag *diag)
{
	struct workflow_permissions most = unlimited();
	struct loader loader = { .plan = plan, .diag = diag };

	loader.depth_max = plan->options.call_depth_max != 0 ? plan->options.call_depth_max
	                                                     : WORKFLOW_CALL_DEPTH_MAX;
	if (plan->options.permissions.given) {
		most = plan->options.permissions;
		most.of[WORKFLOW_PERMISSION_ID_TOKEN] = WORKFLOW_ACCESS_WRITE;
	}
	return load_calls(&loader, plan->workflow, &most, 0);
}
