/* convert_jobs.c - jobs, what they need, and what can be checked of them early. */
#include "workflows/syntax/convert.h"
#include "workflows/syntax/ids.h"

enum { GROUP_CHARACTERS_MAX = 400 };

struct jobs {
	struct lb_arena *arena;
	struct problems *problems;
	struct workflow *workflow;
	struct workflow_job *at;
	struct ids ids;
};

/* ---- lists ---- */

struct lb_bytes workflow_literal(const struct workflow_token *token)
{
	return token != NULL && token->kind == WORKFLOW_STRING ? token->text
	                                                       : (struct lb_bytes){ 0 };
}

struct workflow_list workflow_convert_list(struct lb_arena *arena,
                                           const struct workflow_token *token)
{
	const struct workflow_token **one;

	if (token == NULL || token->kind == WORKFLOW_NULL)
		return (struct workflow_list){ 0 };
	if (token->kind == WORKFLOW_SEQUENCE)
		return (struct workflow_list){ token->count, token->items };
	one = LB_ARENA_NEW(arena, const struct workflow_token *, 1);
	if (one == NULL)
		return (struct workflow_list){ 0 };
	one[0] = token;
	return (struct workflow_list){ 1, one };
}

/* ---- permissions ---- */

static const char *const permission_names[] = {
#define PERMISSION(id, name, access) name,
#include "workflows/syntax/permissions.def"
#undef PERMISSION
};

/* The most that a permission can be. */
static const enum workflow_access permission_most[] = {
#define ANY WORKFLOW_ACCESS_WRITE
#define READ WORKFLOW_ACCESS_READ
#define WRITE WORKFLOW_ACCESS_WRITE
#define PERMISSION(id, name, access) access,
#include "workflows/syntax/permissions.def"
#undef PERMISSION
#undef ANY
#undef READ
#undef WRITE
};

const char *workflow_permission_name(enum workflow_permission permission)
{
	return permission_names[permission];
}

static enum workflow_access access_of(struct lb_bytes text)
{
	if (lb_bytes_is(text, "write") || lb_bytes_is(text, "write-all"))
		return WORKFLOW_ACCESS_WRITE;
	return lb_bytes_is(text, "read") || lb_bytes_is(text, "read-all") ? WORKFLOW_ACCESS_READ
	                                                                  : WORKFLOW_ACCESS_NONE;
}

void workflow_convert_permissions(struct workflow_permissions *out,
                                  const struct workflow_token *token)
{
	*out = (struct workflow_permissions){ .given = token != NULL };
	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT && token != NULL; i++) {
		bool all = token->kind == WORKFLOW_STRING;
		const struct workflow_token *value =
			all ? token : workflow_token_find(token, permission_names[i]);
		enum workflow_access access = access_of(workflow_literal(value));

		if (access > permission_most[i])
			access = permission_most[i];
		out->of[i] = access;
	}
}

/* ---- checks of single keys ---- */

void workflow_check_concurrency(const struct workflow_token *concurrency, struct problems *problems)
{
	const struct workflow_token *group = concurrency;

	if (concurrency != NULL && concurrency->kind == WORKFLOW_MAPPING)
		group = workflow_token_find(concurrency, "group");
	if (workflow_utf16_length(workflow_literal(group)) > GROUP_CHARACTERS_MAX)
		workflow_problem(problems, concurrency,
		                 "Concurrency group name must be less than 400 characters");
}

/* A vector that stands in the file must have something in it; then there must be one. */
void workflow_check_strategy(const struct workflow_token *strategy, struct problems *problems)
{
	const struct workflow_token *matrix = workflow_token_find(strategy, "matrix");
	bool any = false;

	if (matrix == NULL || matrix->kind != WORKFLOW_MAPPING)
		return;
	for (uint32_t i = 0; i < matrix->count; i += 2) {
		const struct workflow_token *key = matrix->items[i], *value = matrix->items[i + 1];
		bool open = workflow_token_has_expression(value);

		if (key->kind != WORKFLOW_STRING) {
			any = true;
		} else if (lb_bytes_is(key->text, "include")) {
			any = any || open || value->count > 0;
		} else if (!lb_bytes_is(key->text, "exclude")) {
			any = true;
			if (!open && value->count == 0)
				workflow_problem(problems, value,
				                 "Matrix vector '%.*s' does not contain any values",
				                 LB_FMT(key->text));
		}
	}
	if (!any)
		workflow_problem(problems, matrix, "Matrix must define at least one vector");
}

static void check_group(struct jobs *j, const struct workflow_token *runs_on)
{
	const struct workflow_token *group = workflow_token_find(runs_on, "group");
	struct lb_bytes name = workflow_literal(group), prefix, rest;
	size_t slash = lb_bytes_find_byte(name, '/');

	if (slash == SIZE_MAX)
		return;
	prefix = lb_bytes_upto(name, slash);
	rest = lb_bytes_from(name, slash + 1);
	if (rest.len == 0) {
		workflow_problem(j->problems, group, "Invalid runs-on group name '%.*s'.",
		                 LB_FMT(name));
		return;
	}
	if (lb_bytes_find_byte(rest, '/') == SIZE_MAX &&
	    (lb_bytes_is(prefix, "org") || lb_bytes_is(prefix, "organization") ||
	     lb_bytes_is(prefix, "ent") || lb_bytes_is(prefix, "enterprise")))
		return;
	workflow_problem(j->problems, group,
	                 "Invalid runs-on group name '%.*s'. Please use 'organization/' or "
	                 "'enterprise/' prefix to target a single runner group.",
	                 LB_FMT(name));
}

/* "5.*" and nothing else. */
static bool is_image_version(struct lb_bytes text)
{
	for (size_t i = 0; i + 2 < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	}
	return text.len > 2 && lb_bytes_ends(text, LB_B(".*"));
}

static void check_snapshot(struct jobs *j, const struct workflow_token *snapshot)
{
	const struct workflow_token *version = workflow_token_find(snapshot, "version");
	const struct workflow_token *condition = workflow_token_find(snapshot, "if");

	if (condition != NULL)
		workflow_check_if(j->arena, condition, SCHEMA_snapshot_if, j->problems);
	if (version != NULL && version->kind == WORKFLOW_STRING && !is_image_version(version->text))
		workflow_problem(j->problems, snapshot,
		                 "Expected format '{major-version}.*' Actual '%.*s'",
		                 LB_FMT(version->text));
}

/* `optional`: an empty text means no container. */
static void check_container(struct jobs *j, const struct workflow_token *container, bool optional)
{
	static const struct lb_bytes docker = LB_LIT("docker://");
	const struct workflow_token *image = container;
	struct lb_bytes name;
	bool prefixed;

	if (container == NULL || workflow_token_has_expression(container))
		return;
	if (container->kind == WORKFLOW_MAPPING) {
		image = workflow_token_find(container, "image");
		optional = false;
	}
	name = workflow_literal(image);
	prefixed = lb_bytes_starts(name, docker);
	if (prefixed ? name.len == docker.len : name.len == 0 && !optional)
		workflow_problem(j->problems, container, "Container image cannot be empty");
}

static void check_services(struct jobs *j, const struct workflow_token *services)
{
	if (services == NULL || workflow_token_has_expression(services))
		return;
	for (uint32_t i = 0; i < services->count; i += 2)
		check_container(j, services->items[i + 1], false);
}

/* ---- one job ---- */

static void convert_defaults(const struct workflow_token **shell,
                             const struct workflow_token **working_directory,
                             const struct workflow_token *defaults)
{
	const struct workflow_token *run = workflow_token_find(defaults, "run");

	*shell = workflow_token_find(run, "shell");
	*working_directory = workflow_token_find(run, "working-directory");
}

static void convert_id(struct workflow_job *job, struct jobs *j, const struct workflow_token *id)
{
	struct lb_bytes wrong = workflow_ids_take(&j->ids, id->text);

	job->id = id->text;
	job->place = id;
	if (wrong.len > 0)
		workflow_problem(j->problems, id, "%.*s", LB_FMT(wrong));
}

static void convert_call(struct workflow_job *job, const struct workflow_token *token)
{
	const struct workflow_token *secrets = workflow_token_find(token, "secrets");

	job->uses = workflow_token_find(token, "uses");
	job->with = workflow_token_find(token, "with");
	job->secrets_inherit = lb_bytes_is(workflow_literal(secrets), "inherit");
	job->secrets = job->secrets_inherit ? NULL : secrets;
}

static void check_key(struct workflow_job *job, struct jobs *j, struct lb_bytes key,
                      const struct workflow_token *value)
{
	if (lb_bytes_is(key, "if"))
		job->condition = workflow_convert_if(j->arena, value, SCHEMA_job_if, j->problems);
	else if (lb_bytes_is(key, "runs-on"))
		check_group(j, value);
	else if (lb_bytes_is(key, "snapshot"))
		check_snapshot(j, value);
	else if (lb_bytes_is(key, "strategy"))
		workflow_check_strategy(value, j->problems);
	else if (lb_bytes_is(key, "container"))
		check_container(j, value, true);
	else if (lb_bytes_is(key, "services"))
		check_services(j, value);
	else if (lb_bytes_is(key, "concurrency"))
		workflow_check_concurrency(value, j->problems);
	else if (lb_bytes_is(key, "steps"))
		job->steps = workflow_convert_steps(&job->step_count, j->arena, value,
		                                    SCHEMA_step_if, j->problems);
}

static void convert_job(struct workflow_job *job, struct jobs *j, const struct workflow_token *id,
                        const struct workflow_token *token)
{
	const struct workflow_token *permissions = workflow_token_find(token, "permissions");

	convert_id(job, j, id);
	job->name = workflow_token_find(token, "name");
	if (job->name == NULL || (job->name->kind == WORKFLOW_STRING && job->name->text.len == 0))
		job->name = id;
	job->strategy = workflow_token_find(token, "strategy");
	job->matrix = workflow_token_find(job->strategy, "matrix");
	job->fail_fast = workflow_token_find(job->strategy, "fail-fast");
	job->max_parallel = workflow_token_find(job->strategy, "max-parallel");
	job->concurrency = workflow_token_find(token, "concurrency");
	job->runs_on = workflow_token_find(token, "runs-on");
	job->environment = workflow_token_find(token, "environment");
	job->container = workflow_token_find(token, "container");
	job->services = workflow_token_find(token, "services");
	job->env = workflow_token_find(token, "env");
	job->outputs = workflow_token_find(token, "outputs");
	job->timeout_minutes = workflow_token_find(token, "timeout-minutes");
	job->cancel_timeout_minutes = workflow_token_find(token, "cancel-timeout-minutes");
	job->continue_on_error = workflow_token_find(token, "continue-on-error");
	job->snapshot = workflow_token_find(token, "snapshot");
	convert_defaults(&job->default_shell, &job->default_working_directory,
	                 workflow_token_find(token, "defaults"));
	convert_call(job, token);
	workflow_convert_permissions(&job->permissions, permissions);
	for (uint32_t i = 0; i < token->count && !j->arena->failed; i += 2)
		check_key(job, j, token->items[i]->text, token->items[i + 1]);
	if (workflow_token_find(token, "if") == NULL)
		job->condition = workflow_convert_if(j->arena, NULL, SCHEMA_job_if, j->problems);
}

/* ---- needs ---- */

/* Kahn's algorithm: a job is done when all that it needs is. */
struct graph {
	struct workflow_list *needs;          /* by job */
	const struct workflow_job ***targets; /* by job, by need; NULL: there is no such job */
	uint32_t *open;                       /* by job: needs that are not done */
	uint32_t *queue;                      /* jobs in the order they are done */
	uint32_t *first_user,
		*next_user; /* lists of edges by what they lead to; edge + 1, 0 ends */
	uint32_t *edge_job; /* whose edge it is */
	bool *done;
};

static bool graph_init(struct graph *g, struct jobs *j, const struct workflow_token *jobs)
{
	uint32_t count = j->workflow->job_count, edges = 0;

	g->needs = LB_ARENA_NEW(j->arena, struct workflow_list, count);
	g->targets = LB_ARENA_NEW(j->arena, const struct workflow_job **, count);
	g->open = LB_ARENA_NEW(j->arena, uint32_t, count);
	g->queue = LB_ARENA_NEW(j->arena, uint32_t, count);
	g->first_user = LB_ARENA_NEW(j->arena, uint32_t, count);
	g->done = LB_ARENA_NEW(j->arena, bool, count);
	for (uint32_t i = 0; i < count && !j->arena->failed; i++) {
		const struct workflow_token *needs =
			workflow_token_find(jobs->items[2 * i + 1], "needs");

		g->needs[i] = workflow_convert_list(j->arena, needs);
		g->targets[i] =
			LB_ARENA_NEW(j->arena, const struct workflow_job *, g->needs[i].count);
		edges += g->needs[i].count;
	}
	g->next_user = LB_ARENA_NEW(j->arena, uint32_t, edges);
	g->edge_job = LB_ARENA_NEW(j->arena, uint32_t, edges);
	return !j->arena->failed;
}

static void add_edges(struct graph *g, struct jobs *j)
{
	uint32_t edge = 0;

	for (uint32_t i = 0; i < j->workflow->job_count; i++) {
		g->open[i] = g->needs[i].count;
		for (uint32_t n = 0; n < g->needs[i].count; n++, edge++) {
			const struct workflow_job *target =
				workflow_job_find(j->workflow, g->needs[i].at[n]->text);

			g->targets[i][n] = target;
			g->edge_job[edge] = i;
			if (target == NULL)
				continue;
			g->next_user[edge] = g->first_user[target->index];
			g->first_user[target->index] = edge + 1;
		}
	}
}

/* How many jobs can be done. */
static uint32_t run_graph(struct graph *g, uint32_t count)
{
	uint32_t head = 0, tail = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (g->open[i] == 0)
			g->queue[tail++] = i;
	}
	while (head < tail) {
		uint32_t done = g->queue[head++];

		g->done[done] = true;
		for (uint32_t edge = g->first_user[done]; edge != 0;
		     edge = g->next_user[edge - 1]) {
			uint32_t user = g->edge_job[edge - 1];

			if (--g->open[user] == 0)
				g->queue[tail++] = user;
		}
	}
	return tail;
}

static void report_unmet(const struct graph *g, struct jobs *j, uint32_t i)
{
	for (uint32_t n = 0; n < g->needs[i].count; n++) {
		const struct workflow_token *need = g->needs[i].at[n];
		const struct workflow_job *target = g->targets[i][n];

		if (target == NULL)
			workflow_problem(j->problems, need,
			                 "Job '%.*s' depends on unknown job '%.*s'.",
			                 LB_FMT(j->at[i].id), LB_FMT(need->text));
		else if (!g->done[target->index])
			workflow_problem(
				j->problems, need,
				"Job '%.*s' depends on job '%.*s' which creates a cycle in "
				"the dependency graph.",
				LB_FMT(j->at[i].id), LB_FMT(need->text));
	}
}

/* Each need once, in the order of the file. */
static void link_needs(const struct graph *g, struct workflow_job *job)
{
	const struct workflow_job **needs = g->targets[job->index];

	for (uint32_t n = 0; n < g->needs[job->index].count; n++) {
		bool again = false;

		for (uint32_t k = 0; k < job->need_count; k++)
			again = again || needs[k] == needs[n];
		if (!again)
			needs[job->need_count++] = needs[n];
	}
	job->needs = needs;
}

/* The same edges the other way round, in the order of the file. */
static void link_users(struct jobs *j, uint32_t edges)
{
	const struct workflow_job **users =
		LB_ARENA_NEW(j->arena, const struct workflow_job *, edges);
	uint32_t count = j->workflow->job_count;

	if (users == NULL)
		return;
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t n = 0; n < j->at[i].need_count; n++)
			j->at[j->at[i].needs[n]->index].user_count++;
	}
	for (uint32_t i = 0; i < count; i++) {
		j->at[i].users = users;
		users += j->at[i].user_count;
		j->at[i].user_count = 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t n = 0; n < j->at[i].need_count; n++) {
			struct workflow_job *need = &j->at[j->at[i].needs[n]->index];

			((const struct workflow_job **)(uintptr_t)need->users)[need->user_count++] =
				&j->at[i];
		}
	}
}

static void convert_needs(struct jobs *j, const struct workflow_token *jobs)
{
	uint32_t count = j->workflow->job_count, edges = 0;
	struct graph graph;

	if (!graph_init(&graph, j, jobs))
		return;
	add_edges(&graph, j);
	if (run_graph(&graph, count) == 0) {
		workflow_problem(
			j->problems, jobs,
			"The workflow must contain at least one job with no dependencies.");
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (graph.done[i])
			link_needs(&graph, &j->at[i]);
		else
			report_unmet(&graph, j, i);
		edges += graph.needs[i].count;
	}
	link_users(j, edges);
}

void workflow_convert_jobs(struct workflow *out, struct lb_arena *arena,
                           const struct workflow_token *jobs, struct problems *problems)
{
	struct jobs j = { .arena = arena, .problems = problems, .workflow = out };

	workflow_ids_init(&j.ids, arena);
	j.at = LB_ARENA_NEW(arena, struct workflow_job, jobs->count / 2);
	if (j.at == NULL)
		return;
	for (uint32_t i = 0; i < jobs->count / 2 && !arena->failed; i++) {
		j.at[i].index = i;
		convert_job(&j.at[i], &j, jobs->items[2 * i], jobs->items[2 * i + 1]);
	}
	out->jobs = j.at;
	out->job_count = jobs->count / 2;
	if (problems->errors == 0 && !arena->failed)
		convert_needs(&j, jobs);
}
