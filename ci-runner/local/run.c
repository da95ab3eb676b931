/* run.c - see run.h. */
#include "ci-runner/local/run.h"

#include "base/git/repo.h"
#include "base/io/file.h"
#include "base/text.h"
#include "ci-runner/actions/lock.h"
#include "ci-runner/local/called.h"
#include "ci-runner/local/checkout.h"
#include "ci-runner/local/link.h"
#include "workflows/event/match.h"

struct state {
	struct lb_arena arena;
	const struct runner_host *host;
	const struct runner_run *run;
	struct lb_repo *repo;
	const char *top, *file; /* the workflow's, below the top */
	char sha[LB_SHA_HEX + 1];
	struct lb_bytes ref, name; /* of the repository */
	bool dirty, locked;
	struct lb_buf source, lock; /* of the workflow; of its actions */
	struct workflow *workflow;
	struct workflow_plan *plan;
	const struct lb_value *inputs;
	struct lb_value *secrets, *github, *told; /* told: the run, as jobs may ask for it */
	struct runner_called called;
	struct runner_local_link link;
	bool *wanted; /* by the index of the job in the file */
};

/* ---- the checkout ---- */

static lb_err open_checkout(struct state *s, struct lb_diag *diag)
{
	struct lb_buf ref;
	lb_err err;

	LB_TRY(lb_repo_open(&s->repo, s->host->mem, s->run->checkout, true, diag));
	s->top = lb_arena_text(&s->arena, lb_bytes_of(lb_repo_top(s->repo)));
	if (s->top == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_repo_resolve(s->sha, s->repo, "HEAD", diag));
	LB_TRY(lb_repo_is_dirty(&s->dirty, s->repo, diag));
	lb_buf_init(&ref, s->host->mem, 4096);
	err = lb_repo_head_ref(&ref, s->repo, diag);
	s->ref = lb_arena_bytes(&s->arena, lb_buf_bytes(&ref));
	lb_buf_release(&ref);
	if (s->ref.len == 0)
		s->ref = LB_B("refs/heads/detached");
	s->name = runner_checkout_name(&s->arena, s->repo, s->top);
	return err;
}

/* ---- the workflow ---- */

struct only {
	struct lb_arena *arena;
	const char *name;
	unsigned count;
	struct lb_buf all;
};

static lb_err look_at_name(void *ctx, const char *name)
{
	struct only *only = ctx;

	if (!lb_bytes_ends(lb_bytes_of(name), LB_B(".yml")) &&
	    !lb_bytes_ends(lb_bytes_of(name), LB_B(".yaml")))
		return LB_OK;
	only->name = lb_arena_text(only->arena, lb_bytes_of(name));
	lb_buf_addf(&only->all, "%s.github/workflows/%s", only->count > 0 ? ", " : "", name);
	only->count++;
	return LB_OK;
}

static lb_err find_only(struct state *s, struct lb_diag *diag)
{
	struct only only = { .arena = &s->arena };
	const char *folder = runner_path(&s->arena, s->top, ".github/workflows");
	lb_err err;

	if (folder == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_buf_init(&only.all, s->host->mem, LB_DIAG_SIZE);
	err = s->host->plat->ops->list(s->host->plat, folder, look_at_name, &only);
	if (lb_failed(err) || only.count == 0)
		err = lb_fail(diag, LB_E_NOTFOUND,
		              "%s holds no workflow; name one with --workflow FILE", folder);
	else if (only.count > 1)
		err = lb_fail(diag, LB_E_USAGE, "which workflow? --workflow with one of: %s",
		              lb_buf_text(&only.all));
	else
		s->file =
			(const char *)lb_arena_format(&s->arena, ".github/workflows/%s", only.name)
				.at;
	lb_buf_release(&only.all);
	return err;
}

static lb_err read_below(struct lb_buf *out, struct state *s, const char *file,
                         struct lb_diag *diag)
{
	const char *path = runner_path(&s->arena, s->top, file);

	return path != NULL ? lb_file_read(out, s->host->plat, path, diag) : lb_err_of(LB_E_NOMEM);
}

static lb_err load_workflow(struct state *s, struct lb_diag *diag)
{
	lb_buf_init(&s->source, s->host->mem, WORKFLOW_FILE_BYTES_MAX);
	if (s->run->workflow == NULL) {
		LB_TRY(find_only(s, diag));
		LB_TRY(read_below(&s->source, s, s->file, diag));
	} else {
		s->file = s->run->workflow;
		LB_TRY(lb_file_read(&s->source, s->host->plat, s->file, diag));
	}
	return workflow_parse(&s->workflow, s->host->mem, lb_buf_bytes(&s->source), s->file, diag);
}

static lb_err load_lock(struct state *s, struct lb_diag *diag)
{
	const char *path = runner_path(&s->arena, s->top, RUNNER_LOCK_FILE);

	lb_buf_init(&s->lock, s->host->mem, RUNNER_LOCK_BYTES_MAX);
	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	s->locked = lb_file_exists(s->host->plat, path);
	return s->locked ? lb_file_read(&s->lock, s->host->plat, path, diag) : LB_OK;
}

/* For reusable workflows: a file of the checkout as it stands. */
static lb_err read_file(struct lb_bytes *out, void *self, struct lb_arena *arena,
                        struct lb_bytes path, struct lb_diag *diag)
{
	struct state *s = self;
	const char *file = lb_arena_text(arena, path);
	struct lb_buf text;
	lb_err err;

	if (file == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (!lb_path_is_inside(path))
		return lb_fail(diag, LB_E_INVALID, "%s leads out of the checkout", file);
	lb_buf_init(&text, s->host->mem, WORKFLOW_FILE_BYTES_MAX);
	err = read_below(&text, s, file, diag);
	*out = lb_arena_bytes(arena, lb_buf_bytes(&text));
	lb_buf_release(&text);
	return arena->failed ? lb_err_of(LB_E_NOMEM) : err;
}

/* And one of another repository, as actions come. */
static lb_err read_remote(struct lb_bytes *out, void *self, struct lb_arena *arena,
                          const struct workflow_reference *what, struct lb_diag *diag)
{
	return runner_called_read(out, &((struct state *)self)->called, arena, what, diag);
}

static lb_err init_called(struct state *s)
{
	const struct runner_host *host = s->host;

	s->called = (struct runner_called){
		.mem = host->mem,
		.plat = host->plat,
		.options = { .mirrors = host->mirrors,
		             .source = host->source,
		             .lock = lb_buf_bytes(&s->lock),
		             .locked = s->locked,
		             .offline = host->offline },
		.scratch = runner_path(&s->arena, host->work, "called"),
	};
	return s->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* ---- contexts ---- */

static const char *event_of(const struct state *s)
{
	if (s->run->event != NULL)
		return s->run->event;
	return workflow_trigger_find(s->workflow, "workflow_dispatch") != NULL ? "workflow_dispatch"
	                                                                       : "push";
}

static lb_err make_inputs(struct state *s, struct lb_diag *diag)
{
	const struct workflow_trigger *trigger =
		workflow_trigger_find(s->workflow, "workflow_dispatch");
	struct lb_value *given = lb_value_object(&s->arena);
	struct workflow_scope scope = { .contexts = lb_value_object(&s->arena) };

	for (size_t i = 0; i < s->run->input_count; i++)
		lb_value_set(&s->arena, given, s->run->inputs[i].name,
		             lb_value_string(&s->arena, s->run->inputs[i].value));
	s->inputs = given;
	if (trigger == NULL || strcmp(event_of(s), "workflow_dispatch") != 0) {
		if (given->count > 0)
			return lb_fail(diag, LB_E_USAGE,
			               "--input is for workflows with the event workflow_dispatch");
		return LB_OK;
	}
	return workflow_inputs(&s->inputs, &s->arena, trigger, given, &scope, diag);
}

static void make_github(struct state *s)
{
	struct lb_arena *a = &s->arena;
	struct lb_value *g = lb_value_object(a), *event = lb_value_object(a);
	size_t slash = lb_bytes_find_byte(s->name, '/');
	bool tag = lb_bytes_starts(s->ref, LB_B("refs/tags/"));
	const char *user = plat_getenv("USER");

	lb_value_put(a, event, "inputs", lb_value_copy(a, s->inputs));
	lb_value_set_string(a, event, "ref", s->ref);
	lb_value_put(a, g, "event", event);
	lb_value_set_text(a, g, "event_name", event_of(s));
	lb_value_set_string(a, g, "repository", s->name);
	lb_value_set_string(a, g, "repository_owner", lb_bytes_upto(s->name, slash));
	lb_value_set_text(a, g, "sha", s->sha);
	lb_value_set_string(a, g, "ref", s->ref);
	lb_value_set_string(a, g, "ref_name", lb_bytes_from(s->ref, tag ? 10 : 11));
	lb_value_set_text(a, g, "ref_type", tag ? "tag" : "branch");
	lb_value_set_text(a, g, "ref_protected", "false");
	lb_value_set_text(a, g, "head_ref", "");
	lb_value_set_text(a, g, "base_ref", "");
	lb_value_set_string(a, g, "workflow",
	                    s->workflow->name.len > 0 ? s->workflow->name : lb_bytes_of(s->file));
	lb_value_set_string(a, g, "workflow_ref",
	                    lb_arena_format(a, "%.*s/%s@%.*s", LB_FMT(s->name), s->file,
	                                    LB_FMT(s->ref)));
	lb_value_set_text(a, g, "workflow_sha", s->sha);
	lb_value_set_text(a, g, "run_id", "1");
	lb_value_set_text(a, g, "run_number", "1");
	lb_value_set_text(a, g, "run_attempt", "1");
	lb_value_set_text(a, g, "actor", user != NULL ? user : "local");
	lb_value_set_text(a, g, "triggering_actor", user != NULL ? user : "local");
	lb_value_set_text(a, g, "server_url", "https://github.com");
	lb_value_set_text(a, g, "api_url", "https://api.github.com");
	lb_value_set_text(a, g, "graphql_url", "https://api.github.com/graphql");
	s->github = g;
}

/* As docs/protocol.md has a run, for jobs that ask for it. */
static void make_told(struct state *s)
{
	static const char *const same[] = { "repository", "workflow", "ref", "sha", NULL };
	struct lb_arena *a = &s->arena;
	struct lb_value *told = lb_value_object(a);
	char time[LB_TIME_SIZE];

	for (size_t i = 0; same[i] != NULL; i++)
		lb_value_set_string(a, told, same[i], lb_value_get_string(s->github, same[i]));
	lb_value_set_number(a, told, "id", 1);
	lb_value_set_number(a, told, "number", 1);
	lb_value_set_number(a, told, "attempt", 1);
	lb_value_set_text(a, told, "path", s->file);
	lb_value_set_string(a, told, "name", lb_value_get_string(told, "workflow"));
	lb_value_set_string(a, told, "title", lb_value_get_string(told, "workflow"));
	lb_value_set_text(a, told, "event", event_of(s));
	lb_value_set_text(a, told, "status", "in_progress");
	lb_value_put(a, told, "conclusion", lb_value_null(a));
	lb_value_set_text(a, told, "created_at",
	                  lb_time_text(time, s->host->plat->ops->wall_ns(s->host->plat), 0));
	lb_value_set_text(a, told, "started_at", time);
	lb_value_put(a, told, "jobs", lb_value_array(a));
	s->told = told;
	s->link.run = told;
}

static struct lb_value *tell_job(struct state *s, const struct workflow_instance *instance)
{
	struct lb_value *jobs = (struct lb_value *)(uintptr_t)lb_value_get(s->told, "jobs");
	struct lb_value *job = lb_value_object(&s->arena);
	char time[LB_TIME_SIZE];

	lb_value_set_number(&s->arena, job, "id", jobs->count + 1.0);
	lb_value_set_number(&s->arena, job, "run_id", 1);
	lb_value_set_number(&s->arena, job, "attempt", 1);
	lb_value_set_string(&s->arena, job, "name", instance->name);
	lb_value_set_text(&s->arena, job, "status", "in_progress");
	lb_value_put(&s->arena, job, "conclusion", lb_value_null(&s->arena));
	lb_value_set_text(&s->arena, job, "runner", s->host->name);
	lb_value_set_text(&s->arena, job, "started_at",
	                  lb_time_text(time, s->host->plat->ops->wall_ns(s->host->plat), 0));
	lb_value_put(&s->arena, job, "labels", lb_value_array(&s->arena));
	lb_value_put(&s->arena, job, "steps", lb_value_array(&s->arena));
	lb_value_add(&s->arena, jobs, job);
	return job;
}

static void make_secrets(struct state *s)
{
	s->secrets = lb_value_object(&s->arena);
	for (size_t i = 0; i < s->run->secret_count; i++)
		lb_value_set(&s->arena, s->secrets, s->run->secrets[i].name,
		             lb_value_string(&s->arena, s->run->secrets[i].value));
}

static lb_err make_plan(struct state *s, struct lb_diag *diag)
{
	struct workflow_plan_options options = { .read_file = read_file,
		                                 .read_remote = read_remote,
		                                 .self = s };

	LB_TRY(make_inputs(s, diag));
	LB_TRY(init_called(s));
	make_github(s);
	make_secrets(s);
	make_told(s);
	if (s->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	options.github = s->github;
	options.inputs = s->inputs;
	options.vars = lb_value_object(&s->arena);
	return workflow_plan_new(&s->plan, s->host->mem, s->workflow, &options, diag);
}

/* ---- which jobs ---- */

static void want(struct state *s, const struct workflow_job *job)
{
	if (s->wanted[job->index])
		return;
	s->wanted[job->index] = true;
	for (uint32_t i = 0; i < job->need_count; i++)
		want(s, job->needs[i]);
}

/* A name with an expression in it is known only when the job runs: it is not looked for here. */
static lb_err check_step(const struct state *s, const struct workflow_job *job,
                         struct lb_diag *diag)
{
	const char *wanted = s->host->step;

	if (wanted == NULL)
		return LB_OK;
	for (uint32_t i = 0; i < job->step_count; i++) {
		const struct workflow_step *step = &job->steps[i];

		if ((step->id_given && lb_bytes_is(step->id, wanted)) ||
		    (step->name != NULL && lb_bytes_is(step->name->text, wanted)))
			return LB_OK;
	}
	return lb_fail(diag, LB_E_NOTFOUND, "job '%s' has no step with the id or name '%s'",
	               s->run->job, wanted);
}

static lb_err choose(struct state *s, struct lb_diag *diag)
{
	const struct workflow_job *job;

	s->wanted = LB_ARENA_NEW(&s->arena, bool, (size_t)s->workflow->job_count + 1);
	if (s->wanted == NULL)
		return lb_err_of(LB_E_NOMEM);
	if (s->run->job == NULL && s->host->step != NULL)
		return lb_fail(diag, LB_E_USAGE, "--step goes with --job");
	if (s->run->job == NULL) {
		for (uint32_t i = 0; i < s->workflow->job_count; i++)
			s->wanted[s->workflow->jobs[i].index] = true;
		return LB_OK;
	}
	job = workflow_job_find(s->workflow, lb_bytes_of(s->run->job));
	if (job == NULL)
		return lb_fail(diag, LB_E_NOTFOUND, "%s has no job '%s'", s->file, s->run->job);
	LB_TRY(check_step(s, job, diag));
	want(s, job);
	return LB_OK;
}

/* By the job of this file that an instance belongs to: the first part of its id. */
static bool is_wanted(const struct state *s, const struct workflow_instance *instance)
{
	size_t end = 0;
	const struct workflow_job *job;

	while (end < instance->id.len && instance->id.at[end] != '.' && instance->id.at[end] != '/')
		end++;
	job = workflow_job_find(s->workflow, lb_bytes_upto(instance->id, end));
	if (job == NULL || !s->wanted[job->index])
		return false;
	for (size_t i = 0; i < s->run->matrix_count && instance->matrix != NULL &&
	                   instance->matrix->kind == LB_OBJECT;
	     i++) {
		const struct lb_value *value =
			lb_value_find(instance->matrix, s->run->matrix[i].name);
		struct lb_arena scratch;
		bool same;

		if (value == NULL)
			continue;
		lb_arena_init(&scratch, s->host->mem);
		same = lb_bytes_eq(workflow_to_text(&scratch, value), s->run->matrix[i].value);
		lb_arena_release(&scratch);
		if (!same)
			return false;
	}
	return true;
}

static const struct workflow_instance *next_ready(const struct state *s)
{
	for (size_t i = 0; i < workflow_plan_count(s->plan); i++) {
		const struct workflow_instance *instance = workflow_plan_at(s->plan, i);

		if (instance->state == WORKFLOW_READY && !instance->calls &&
		    (instance->cancel || is_wanted(s, instance)))
			return instance;
	}
	return NULL;
}

/* ---- running ---- */

static enum workflow_result result_of(enum runner_conclusion conclusion)
{
	switch (conclusion) {
	case RUNNER_SUCCESS: return WORKFLOW_RESULT_SUCCESS;
	case RUNNER_CANCELLED: return WORKFLOW_RESULT_CANCELLED;
	case RUNNER_SKIPPED: return WORKFLOW_RESULT_SKIPPED;
	case RUNNER_PENDING:
	case RUNNER_FAILURE: break;
	}
	return WORKFLOW_RESULT_FAILURE;
}

/* The file an instance stands in: the one given, or a called one. */
static struct lb_bytes source_of(const struct state *s, const struct workflow_instance *instance)
{
	return instance->workflow == s->workflow ? lb_buf_bytes(&s->source)
	                                         : workflow_plan_source(s->plan, instance);
}

static lb_err execute(struct runner_result *out, struct state *s, struct lb_arena *arena,
                      const struct workflow_instance *instance, struct lb_diag *diag)
{
	struct lb_value *contexts = workflow_plan_contexts(arena, s->plan, instance);
	const struct lb_value *secrets;
	struct lb_value *told;
	struct runner_job job = { .name = instance->name,
		                  .key = instance->id,
		                  .contexts = contexts,
		                  .timeout_minutes = instance->timeout_minutes };
	lb_err err;

	job.workflow.path = instance->file;
	job.workflow.job = instance->job;
	job.workflow.source = source_of(s, instance);
	job.repository.name = s->name;
	job.repository.url = lb_bytes_of(s->top);
	job.repository.sha = lb_bytes_of(s->sha);
	job.repository.ref = s->ref;
	job.actions_lock = lb_buf_bytes(&s->lock);
	job.actions_locked = s->locked;
	if (s->dirty)
		job.overlay = lb_bytes_of(s->top);
	LB_TRY(workflow_plan_secrets(&secrets, arena, s->plan, instance, s->secrets, diag));
	lb_value_put(arena, contexts, "secrets", lb_value_copy(arena, secrets));
	(void)fprintf(s->run->out, "%s=== %.*s%s\n", s->link.colour ? "\x1b[1m" : "",
	              LB_FMT(instance->name), s->link.colour ? "\x1b[0m" : "");
	told = tell_job(s, instance);
	err = runner_job_execute(out, arena, s->host, &job, &s->link.link, diag);
	if (!lb_failed(err)) {
		lb_value_set_text(&s->arena, told, "status", "completed");
		lb_value_set_text(&s->arena, told, "conclusion",
		                  runner_conclusion_text(out->conclusion));
		lb_value_put(&s->arena, told, "steps", lb_value_copy(&s->arena, out->steps));
	}
	lb_ignore(runner_job_clean(s->host, &job, NULL));
	return err;
}

static lb_err run_one(struct state *s, const struct workflow_instance *instance,
                      struct lb_diag *diag)
{
	struct runner_result result = { .conclusion = RUNNER_CANCELLED };
	struct lb_bytes id = instance->id;
	struct lb_arena arena;
	lb_err err = LB_OK;

	lb_arena_init(&arena, s->host->mem);
	if (!instance->cancel)
		err = execute(&result, s, &arena, instance, diag);
	if (!lb_failed(err)) {
		(void)fprintf(s->run->out, "=== %.*s: %s\n", LB_FMT(instance->name),
		              runner_conclusion_text(result.conclusion));
		err = workflow_plan_finish(s->plan, id, result_of(result.conclusion),
		                           result.outputs, diag);
	}
	lb_arena_release(&arena);
	return err;
}

/* Of the jobs that were asked for: one that failed, was cancelled, or could not be planned,
 * decides. */
static enum workflow_result conclude(const struct state *s)
{
	enum workflow_result worst = WORKFLOW_RESULT_SKIPPED;

	for (size_t i = 0; i < workflow_plan_count(s->plan); i++) {
		const struct workflow_instance *instance = workflow_plan_at(s->plan, i);

		if (!is_wanted(s, instance))
			continue;
		if (instance->state == WORKFLOW_DONE && instance->why.len > 0 &&
		    instance->result == WORKFLOW_RESULT_FAILURE)
			(void)fprintf(s->run->out, "=== %.*s: %.*s\n", LB_FMT(instance->name),
			              LB_FMT(instance->why));
		if (instance->state == WORKFLOW_SKIPPED)
			(void)fprintf(s->run->out, "=== %.*s: skipped\n", LB_FMT(instance->name));
		if (instance->result == WORKFLOW_RESULT_FAILURE && !instance->continue_on_error)
			worst = WORKFLOW_RESULT_FAILURE;
		else if (instance->result == WORKFLOW_RESULT_CANCELLED &&
		         worst != WORKFLOW_RESULT_FAILURE)
			worst = WORKFLOW_RESULT_CANCELLED;
		else if (instance->state == WORKFLOW_DONE && worst == WORKFLOW_RESULT_SKIPPED)
			worst = WORKFLOW_RESULT_SUCCESS;
	}
	return worst;
}

static lb_err run_all(struct state *s, struct lb_diag *diag)
{
	const struct workflow_instance *instance;

	while ((instance = next_ready(s)) != NULL) {
		enum runner_stop_level level;

		LB_TRY(run_one(s, instance, diag));
		level = runner_stop_level(s->host->stop);
		if (level > RUNNER_STOP_NONE)
			LB_TRY(workflow_plan_cancel(s->plan, diag));
		if (level == RUNNER_STOP_FORGET)
			break;
		/* Heard: jobs that run even when cancelled still get their turn. */
		runner_stop_reset(s->host->stop);
	}
	return LB_OK;
}

static lb_err prepare(struct state *s, struct lb_diag *diag)
{
	const char *artifacts = s->run->artifacts, *caches;
	char state[4096 / 4];

	LB_TRY(runner_folders_prepare(s->host->mem, s->host->plat, s->host->work, diag));
	if (artifacts == NULL)
		artifacts = runner_path(&s->arena, s->host->work, "_artifacts");
	LB_TRY(lb_path_state(state, sizeof state, diag));
	caches = runner_path(&s->arena, state, "run/cache");
	if (s->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(lb_file_make_folders(s->host->plat, artifacts, diag));
	LB_TRY(lb_file_make_folders(s->host->plat, caches, diag));
	runner_local_link_init(&s->link, s->host->mem, s->host->plat, s->run->out, artifacts,
	                       caches);
	return LB_OK;
}

lb_err runner_run(enum workflow_result *conclusion, const struct runner_host *host,
                  const struct runner_run *run, struct lb_diag *diag)
{
	struct state s = { .host = host, .run = run };
	lb_err err;

	lb_arena_init(&s.arena, host->mem);
	err = open_checkout(&s, diag);
	if (!lb_failed(err))
		err = load_workflow(&s, diag);
	if (!lb_failed(err))
		err = load_lock(&s, diag);
	if (!lb_failed(err))
		err = choose(&s, diag);
	if (!lb_failed(err))
		err = prepare(&s, diag);
	if (!lb_failed(err))
		err = make_plan(&s, diag);
	if (!lb_failed(err))
		err = run_all(&s, diag);
	if (!lb_failed(err))
		*conclusion = conclude(&s);
	runner_local_link_release(&s.link);
	runner_called_release(&s.called);
	workflow_plan_free(s.plan);
	workflow_free(s.workflow);
	lb_buf_release(&s.source);
	lb_buf_release(&s.lock);
	lb_repo_free(s.repo);
	lb_arena_release(&s.arena);
	return err;
}
