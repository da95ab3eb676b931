/* workflow.c - see workflow.h. */
#include "workflows/syntax/convert.h"

/* What a struct workflow is the front of. */
struct parsed {
	struct workflow shown; /* first member */
	struct lb_mem *mem;
	struct lb_arena arena;
	struct problems problems;
	struct lb_value *jobs; /* id to its index */
};

static struct parsed *parsed_of(const struct workflow *workflow)
{
	return (struct parsed *)(uintptr_t)workflow;
}

const struct workflow_job *workflow_job_find(const struct workflow *workflow, struct lb_bytes id)
{
	const struct lb_value *index = lb_value_find_nocase(parsed_of(workflow)->jobs, id);

	return index != NULL ? &workflow->jobs[(size_t)index->number] : NULL;
}

const struct workflow_trigger *workflow_trigger_find(const struct workflow *workflow,
                                                     const char *event)
{
	for (uint32_t i = 0; i < workflow->trigger_count; i++) {
		if (lb_bytes_is(workflow->triggers[i].event, event))
			return &workflow->triggers[i];
	}
	return NULL;
}

static void index_jobs(struct parsed *p, const struct workflow_token *jobs)
{
	p->jobs = lb_value_object(&p->arena);
	for (uint32_t i = 0; i < jobs->count / 2; i++)
		lb_value_set(&p->arena, p->jobs, jobs->items[2 * i]->text,
		             lb_value_number(&p->arena, i));
}

/* A job without permissions of its own has the workflow's. */
static void spread_permissions(struct workflow *workflow)
{
	struct workflow_job *jobs = (struct workflow_job *)(uintptr_t)workflow->jobs;

	for (uint32_t i = 0; i < workflow->job_count; i++) {
		jobs[i].permissions_own = jobs[i].permissions.given;
		if (!jobs[i].permissions_own)
			jobs[i].permissions = workflow->permissions;
	}
}

static void convert(struct parsed *p)
{
	struct workflow *out = &p->shown;
	const struct workflow_token *root = out->root;
	const struct workflow_token *on = workflow_token_find(root, "on");
	const struct workflow_token *jobs = workflow_token_find(root, "jobs");
	const struct workflow_token *defaults =
		workflow_token_find(workflow_token_find(root, "defaults"), "run");

	out->name = workflow_literal(workflow_token_find(root, "name"));
	out->run_name = workflow_token_find(root, "run-name");
	out->env = workflow_token_find(root, "env");
	out->concurrency = workflow_token_find(root, "concurrency");
	out->default_shell = workflow_token_find(defaults, "shell");
	out->default_working_directory = workflow_token_find(defaults, "working-directory");
	workflow_convert_permissions(&out->permissions, workflow_token_find(root, "permissions"));
	workflow_convert_on(out, &p->arena, on, &p->problems);
	workflow_check_concurrency(out->concurrency, &p->problems);
	index_jobs(p, jobs);
	workflow_convert_jobs(out, &p->arena, jobs, &p->problems);
	spread_permissions(out);
}

/* What only GitHub's editor refuses is said whatever else is wrong; triggers come with jobs. */
static void check_on(struct parsed *p)
{
	const struct workflow_token *on = workflow_token_find(p->shown.root, "on");
	struct workflow unused = { 0 };

	if (on != NULL)
		workflow_convert_on(&unused, &p->arena, on, &p->problems);
}

static lb_err read(struct parsed *p, struct lb_bytes source, const char *file_name,
                   const struct reader_limits *limits)
{
	struct workflow *out = &p->shown;

	out->file_name = lb_arena_bytes(&p->arena, lb_bytes_of(file_name));
	LB_TRY(workflow_read_tokens(&out->root, &out->result_bytes, &p->arena, source,
	                            SCHEMA_workflow, limits, &p->problems));
	if (out->root != NULL && p->problems.errors == 0)
		convert(p);
	else if (out->root != NULL)
		check_on(p);
	return workflow_problems_take(&out->problems, &out->problem_count, &p->problems);
}

lb_err workflow_check_within(struct workflow **out, struct lb_mem *mem, struct lb_bytes source,
                             const char *file_name, const struct reader_limits *limits)
{
	struct parsed *p = LB_NEW(mem, struct parsed, 1);
	lb_err err;

	*out = NULL;
	if (p == NULL)
		return lb_err_of(LB_E_NOMEM);
	p->mem = mem;
	lb_arena_init(&p->arena, mem);
	workflow_problems_init(&p->problems, &p->arena);
	err = read(p, source, file_name, limits);
	workflow_problems_release(&p->problems);
	if (lb_failed(err))
		workflow_free(&p->shown);
	else
		*out = &p->shown;
	return err;
}

lb_err workflow_check(struct workflow **out, struct lb_mem *mem, struct lb_bytes source,
                      const char *file_name)
{
	return workflow_check_within(out, mem, source, file_name, NULL);
}

lb_err workflow_parse(struct workflow **out, struct lb_mem *mem, struct lb_bytes source,
                      const char *file_name, struct lb_diag *diag)
{
	lb_err err;

	LB_TRY(workflow_check(out, mem, source, file_name));
	err = workflow_problems_first((*out)->problems, (*out)->problem_count, file_name, diag);
	if (lb_failed(err)) {
		workflow_free(*out);
		*out = NULL;
	}
	return err;
}

void workflow_free(struct workflow *workflow)
{
	struct parsed *p = parsed_of(workflow);

	if (workflow == NULL)
		return;
	lb_arena_release(&p->arena);
	LB_DROP(p->mem, p, 1);
}
