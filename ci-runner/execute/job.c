/* job.c - see job.h: a job from its message to its result. */
#include "ci-runner/execute/execution_priv.h"

/* ---- the message ---- */

static lb_err need_string(struct lb_bytes *out, const struct lb_value *object, const char *where,
                          const char *name, struct lb_diag *diag)
{
	const struct lb_value *value = lb_value_get(object, name);

	if (value == NULL || value->kind != LB_STRING || value->string.len == 0)
		return lb_fail(diag, LB_E_MALFORMED, "the job has no %s%s, expected a string",
		               where, name);
	*out = value->string;
	return LB_OK;
}

lb_err runner_job_read(struct runner_job *out, const struct lb_value *message, struct lb_diag *diag)
{
	const struct lb_value *job = lb_value_get(message, "job");
	const struct lb_value *workflow = lb_value_get(message, "workflow");
	const struct lb_value *repository = lb_value_get(message, "repository");

	*out = (struct runner_job){ .contexts = lb_value_get(message, "contexts"),
		                    .env = lb_value_get(message, "env"),
		                    .timeout_minutes =
		                            lb_value_get_number(job, "timeout_minutes") };
	LB_TRY(need_string(&out->name, job, "job.", "name", diag));
	LB_TRY(need_string(&out->key, job, "job.", "key", diag));
	LB_TRY(need_string(&out->workflow.path, workflow, "workflow.", "path", diag));
	LB_TRY(need_string(&out->workflow.source, workflow, "workflow.", "source", diag));
	LB_TRY(need_string(&out->workflow.job, workflow, "workflow.", "job", diag));
	LB_TRY(need_string(&out->repository.name, repository, "repository.", "name", diag));
	LB_TRY(need_string(&out->repository.url, repository, "repository.", "url", diag));
	LB_TRY(need_string(&out->repository.sha, repository, "repository.", "sha", diag));
	out->repository.ref = lb_value_get_string(repository, "ref");
	out->token = lb_value_get_string(message, "token");
	out->actions_lock = lb_value_get_string(message, "actions_lock");
	out->actions_locked = out->actions_lock.at != NULL;
	out->id_token_url = lb_value_get_string(lb_value_get(message, "services"), "id_token_url");
	if (out->contexts == NULL || out->contexts->kind != LB_OBJECT)
		return lb_fail(diag, LB_E_MALFORMED, "the job has no contexts, expected an object");
	return LB_OK;
}

/* ---- setting up ---- */

static void log_write(void *ctx, struct lb_bytes lines)
{
	struct runner_execution *x = ctx;

	x->link->ops->log(x->link, lines);
}

static lb_err begin(struct runner_execution *x)
{
	struct lb_mem *mem = x->host->mem;

	lb_arena_init(&x->line, mem);
	(void)pthread_mutex_init(&x->link_lock, NULL);
	lb_vec_init(&x->paths, mem, sizeof(const char *), RUNNER_PATHS_MAX);
	lb_vec_init(&x->records, mem, sizeof(struct runner_step_state), RUNNER_STEPS_MAX);
	lb_vec_init(&x->posts, mem, sizeof(struct runner_post), RUNNER_POSTS_MAX);
	lb_vec_init(&x->intras, mem, sizeof(struct runner_intra *), RUNNER_MANIFESTS_MAX);
	runner_actions_begin(x);
	lb_buf_init(&x->summary, mem, RUNNER_SUMMARIES_BYTES_MAX);
	(void)pthread_mutex_init(&x->turn, NULL);
	(void)pthread_cond_init(&x->changed, NULL);
	lb_vec_init(&x->backgrounds, mem, sizeof(struct runner_background *), RUNNER_STEPS_MAX);
	runner_turn_take(x, NULL);
	runner_lines_init(x->lines, mem, runner_output_line, x);
	x->lines->block = runner_output_block;
	runner_log_init(x->log, mem, x->host->plat, NULL, log_write, x);
	x->exported = lb_value_object(x->arena);
	x->annotations = lb_value_array(x->arena);
	LB_TRY(runner_matchers_new(&x->matchers, mem));
	LB_TRY(runner_mask_new(&x->mask, mem));
	x->log->mask = x->mask;
	return LB_OK;
}

static void end(struct runner_execution *x)
{
	runner_actions_forget(x);
	runner_backgrounds_free(x);
	runner_services_end(x);
	runner_turn_give(x);
	(void)pthread_mutex_destroy(&x->turn);
	(void)pthread_cond_destroy(&x->changed);
	(void)pthread_mutex_destroy(&x->link_lock);
	lb_vec_release(&x->intras);
	workflow_free(x->workflow);
	runner_log_release(x->log);
	runner_lines_release(x->lines);
	runner_mask_free(x->mask);
	runner_matchers_free(x->matchers);
	lb_buf_release(&x->summary);
	lb_vec_release(&x->posts);
	lb_vec_release(&x->records);
	lb_vec_release(&x->paths);
	lb_arena_release(&x->line);
}

static lb_err hide_secrets(struct runner_execution *x)
{
	const struct lb_value *secrets = lb_value_get(x->job->contexts, "secrets");

	for (uint32_t i = 0; secrets != NULL && secrets->kind == LB_OBJECT && i < secrets->count;
	     i++) {
		if (secrets->members[i].value->kind == LB_STRING)
			LB_TRY(runner_mask_add(x->mask, secrets->members[i].value->string));
	}
	return runner_mask_add(x->mask, x->job->token);
}

static lb_err find_job(struct runner_execution *x, struct lb_diag *diag)
{
	const char *path = lb_arena_text(x->arena, x->job->workflow.path);

	if (path == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(workflow_parse(&x->workflow, x->host->mem, x->job->workflow.source, path, diag));
	x->definition = workflow_job_find(x->workflow, x->job->workflow.job);
	if (x->definition == NULL || x->definition->uses != NULL)
		return lb_fail(diag, LB_E_NOTFOUND, "%s has no job '%.*s' with steps", path,
		               LB_FMT(x->job->workflow.job));
	if (x->definition->container != NULL || x->definition->services != NULL)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "job '%.*s' asks for a container or for services, which this runner "
		               "does not have",
		               LB_FMT(x->job->workflow.job));
	return LB_OK;
}

static lb_err read_limits(struct runner_execution *x, struct lb_diag *diag)
{
	struct workflow_scope scope;
	double minutes = 5;

	runner_scope(&scope, x, &x->frame);
	if (x->definition->cancel_timeout_minutes != NULL)
		LB_TRY(workflow_token_number(&minutes, x->arena,
		                             x->definition->cancel_timeout_minutes, &scope, diag));
	x->cancel_ns = (uint64_t)(minutes * 60e9);
	x->timeout_minutes = x->job->timeout_minutes;
	if (!(x->timeout_minutes > 0) && x->definition->timeout_minutes != NULL)
		LB_TRY(workflow_token_number(&x->timeout_minutes, x->arena,
		                             x->definition->timeout_minutes, &scope, diag));
	if (!(x->timeout_minutes > 0))
		x->timeout_minutes = 360;
	x->deadline_ns =
		x->host->plat->ops->now_ns(x->host->plat) + (uint64_t)(x->timeout_minutes * 60e9);
	return LB_OK;
}

static lb_err set_up(struct runner_execution *x, struct lb_diag *diag)
{
	struct workflow_scope scope;
	const struct lb_value *env, *debug;

	x->cancel_ns = UINT64_C(300000000000);
	LB_TRY(hide_secrets(x));
	runner_log_linef(x->log, "Lifeboat runner %s, name %s", LB_VERSION, x->host->name);
	runner_log_linef(x->log, "Job %.*s at commit %.*s", LB_FMT(x->job->name),
	                 LB_FMT(x->job->repository.sha));
	if (x->host->refusal != NULL)
		return lb_fail(diag, LB_E_UNSUPPORTED, "%s", x->host->refusal);
	runner_log_linef(x->log, "Isolation: %s", runner_sandbox_text(x->host->sandbox));
	LB_TRY(find_job(x, diag));
	LB_TRY(runner_folders_name(&x->folders, x->arena, x->host->work, x->job->repository.name,
	                           diag));
	LB_TRY(runner_folders_make(x->host->plat, &x->folders, diag));
	if (x->host->tools != NULL)
		LB_TRY(runner_folders_seed(x->arena, x->host->plat, &x->folders, x->host->tools,
		                           diag));
	LB_TRY(runner_services_begin(x, diag));
	debug = lb_value_get(lb_value_get(x->job->contexts, "secrets"), "ACTIONS_STEP_DEBUG");
	x->debug = debug != NULL &&
	           lb_bytes_is(lb_value_get_string(lb_value_get(x->job->contexts, "secrets"),
	                                           "ACTIONS_STEP_DEBUG"),
	                       "true");
	LB_TRY(runner_contexts(&x->frame.contexts, x));
	x->frame.steps = lb_value_object(x->arena);
	runner_scope(&scope, x, &x->frame);
	LB_TRY(workflow_job_env(&env, x->arena, x->workflow, x->definition, &scope, diag));
	x->frame.env = lb_value_copy(x->arena, env);
	return read_limits(x, diag);
}

/* ---- finishing ---- */

/* Outputs that hold a secret are not passed on: other jobs would show it. */
static lb_err take_outputs(const struct lb_value **out, struct runner_execution *x,
                           struct lb_diag *diag)
{
	struct lb_value *kept = lb_value_object(x->arena);
	const struct lb_value *all;
	struct workflow_scope scope;

	*out = kept;
	runner_scope(&scope, x, &x->frame);
	LB_TRY(workflow_job_outputs(&all, x->arena, x->definition, &scope, diag));
	for (uint32_t i = 0; i < all->count; i++) {
		struct lb_bytes value = all->members[i].value->string;
		struct lb_buf hidden;
		size_t covered = 0;
		bool same;

		lb_buf_init(&hidden, x->host->mem, value.len * 4 + 64);
		(void)runner_mask_apply(x->mask, &hidden, &covered, value, true);
		same = lb_bytes_eq(lb_buf_bytes(&hidden), value);
		lb_buf_release(&hidden);
		if (same)
			lb_value_set(x->arena, kept, all->members[i].key,
			             lb_value_string(x->arena, value));
		else
			runner_log_linef(
				x->log,
				"##[warning]Skip output '%.*s' since it may contain secret.",
				LB_FMT(all->members[i].key));
	}
	return LB_OK;
}

static enum runner_conclusion conclude(const struct runner_execution *x)
{
	if (x->cancelled)
		return RUNNER_CANCELLED;
	return x->frame.status == WORKFLOW_STATUS_FAILURE ? RUNNER_FAILURE : RUNNER_SUCCESS;
}

static lb_err complete(struct runner_result *out, struct runner_execution *x)
{
	struct runner_step_state *record = runner_record_add(x, LB_B("Complete job"));
	struct lb_value *steps = lb_value_array(x->arena);
	struct lb_diag diag;
	lb_err err = LB_OK;

	if (record == NULL)
		return lb_vec_check(&x->records);
	runner_record_begin(x, record);
	runner_services_end(x);
	out->outputs = lb_value_object(x->arena);
	if (x->frame.contexts != NULL)
		err = take_outputs(&out->outputs, x, &diag);
	if (lb_failed(err)) {
		runner_say_error(x, "%s", lb_diag_text(&diag, err));
		x->frame.status = WORKFLOW_STATUS_FAILURE;
	}
	out->conclusion = conclude(x);
	runner_record_end(x, record, lb_failed(err) ? RUNNER_FAILURE : RUNNER_SUCCESS,
	                  lb_failed(err) ? RUNNER_FAILURE : RUNNER_SUCCESS);
	for (size_t i = 0; i < x->records.count; i++)
		lb_value_add(x->arena, steps,
		             runner_step_value(x->arena, LB_VEC_AT(&x->records,
		                                                   struct runner_step_state, i)));
	out->steps = steps;
	out->annotations = x->annotations;
	out->summary = lb_arena_bytes(x->arena, lb_buf_bytes(&x->summary));
	out->log_size = x->log->size;
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err run_job(struct runner_execution *x)
{
	struct runner_step_state *setup = runner_record_add(x, LB_B("Set up job"));
	struct lb_diag diag;
	lb_err err;

	diag.text[0] = '\0';
	if (setup == NULL)
		return lb_vec_check(&x->records);
	runner_record_begin(x, setup);
	err = set_up(x, &diag);
	if (lb_failed(err)) {
		runner_say_error(x, "%s", lb_diag_text(&diag, err));
		x->frame.status = WORKFLOW_STATUS_FAILURE;
		runner_record_end(x, setup, RUNNER_FAILURE, RUNNER_FAILURE);
		return lb_code_of(err) == LB_E_NOMEM ? err : LB_OK;
	}
	LB_TRY(runner_fetch_actions(x));
	runner_record_end(x, setup, RUNNER_SUCCESS, RUNNER_SUCCESS);
	LB_TRY(runner_hook_run(x, x->host->hook_started, "Set up runner"));
	LB_TRY(runner_run_pres(x));
	x->next_record = x->records.count;
	for (uint32_t i = 0; i < x->definition->step_count; i++) {
		const struct workflow_step *step = &x->definition->steps[i];

		/* Of a parallel block: a record for each, and one for the waiting. */
		for (uint32_t k = 0; k < step->step_count; k++)
			(void)runner_record_add(x, step->steps[k].id);
		(void)runner_record_add(x, step->id);
	}
	LB_TRY(lb_vec_check(&x->records));
	LB_TRY(runner_steps(x, &x->frame, x->definition->steps, x->definition->step_count));
	LB_TRY(runner_steps_end(x));
	runner_look(x);
	if (x->obey < RUNNER_STOP_FORGET)
		LB_TRY(runner_posts_run(x));
	if (x->obey < RUNNER_STOP_FORGET)
		LB_TRY(runner_hook_run(x, x->host->hook_completed, "Complete runner"));
	return x->failure;
}

lb_err runner_job_execute(struct runner_result *out, struct lb_arena *arena,
                          const struct runner_host *host, const struct runner_job *job,
                          struct runner_link *link, struct lb_diag *diag)
{
	struct runner_execution *x = LB_NEW(host->mem, struct runner_execution, 1);
	lb_err err;

	*out = (struct runner_result){ .conclusion = RUNNER_FAILURE };
	if (x == NULL)
		return lb_err_of(LB_E_NOMEM);
	*x = (struct runner_execution){
		.arena = arena, .host = host, .job = job, .link = link, .uses = runner_uses_run
	};
	err = begin(x);
	if (!lb_failed(err))
		err = run_job(x);
	if (!lb_failed(err))
		err = complete(out, x);
	if (lb_failed(err))
		lb_diag_set(diag, "the job cannot be executed: %s", lb_err_text(err));
	end(x);
	LB_DROP(host->mem, x, 1);
	return err;
}

lb_err runner_job_clean(const struct runner_host *host, const struct runner_job *job,
                        struct lb_diag *diag)
{
	struct runner_folders folders;
	struct lb_arena arena;
	lb_err err;

	lb_arena_init(&arena, host->mem);
	err = runner_folders_name(&folders, &arena, host->work, job->repository.name, diag);
	if (!lb_failed(err))
		err = runner_folders_remove(host->plat, &folders, diag);
	lb_arena_release(&arena);
	return err;
}
