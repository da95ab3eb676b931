/* step.c - one step: condition, environment, execution, what it leaves behind. */
#include "ci-runner/execute/execution_priv.h"

#include <math.h>

/* ---- cancellation and time ---- */

void runner_look(struct runner_execution *x)
{
	enum runner_stop_level level = runner_stop_level(x->host->stop);
	uint64_t now = x->host->plat->ops->now_ns(x->host->plat);

	if (level > x->obey) {
		x->obey = level;
		x->cancelled = true;
		/* What still runs (always(), cancelled()) gets this long. */
		x->deadline_ns =
			now + (level == RUNNER_STOP_DRAIN ? RUNNER_DRAIN_MS * UINT64_C(1000000)
		                                          : x->cancel_ns);
	} else if (!x->cancelled && x->deadline_ns != 0 && now >= x->deadline_ns) {
		x->cancelled = x->timed_out = true;
		x->deadline_ns = now + x->cancel_ns;
		runner_say_error(x,
		                 "The job running on runner %s has exceeded the maximum "
		                 "execution time of %.6g minutes.",
		                 x->host->name, x->timeout_minutes);
	}
	if (x->cancelled) {
		for (struct runner_frame *f = x->running != NULL ? x->running->frame : &x->frame;
		     f != NULL; f = f->outer)
			f->status = WORKFLOW_STATUS_CANCELLED;
		x->frame.status = WORKFLOW_STATUS_CANCELLED;
	}
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	if (a == 0 || b == 0)
		return a | b;
	return a < b ? a : b;
}

/* ---- evaluation ---- */

static lb_err hash_files(struct lb_bytes *out, void *self, struct lb_arena *arena,
                         const struct lb_bytes *patterns, size_t count, struct lb_diag *diag)
{
	struct runner_execution *x = self;
	struct lb_value *request = lb_value_object(x->arena), *list = lb_value_array(x->arena);
	struct lb_value *answer;

	for (size_t i = 0; i < count; i++)
		lb_value_add(x->arena, list, lb_value_string(x->arena, patterns[i]));
	lb_value_set_text(x->arena, request, "do", "hash");
	lb_value_set_text(x->arena, request, "root", x->folders.workspace);
	lb_value_put(x->arena, request, "patterns", list);
	LB_TRY(runner_helper(&answer, x, x->running, request, false, NULL, diag));
	*out = lb_arena_bytes(arena, lb_value_get_string(answer, "hash"));
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

void runner_scope(struct workflow_scope *out, struct runner_execution *x,
                  const struct runner_frame *frame)
{
	*out = (struct workflow_scope){ .contexts = frame->contexts,
		                        .status = frame->status,
		                        .hash_files = hash_files,
		                        .self = x };
}

static void lay_over(struct runner_execution *x, struct lb_value *under, const struct lb_value *env)
{
	for (uint32_t i = 0; env != NULL && i < env->count; i++)
		lb_value_set(x->arena, under, env->members[i].key, env->members[i].value);
}

/* The job's env, what GITHUB_ENV added, what the steps around an action said, the step's own: left
 * as the frame's `env` context. */
static lb_err step_env(struct runner_execution *x, struct runner_frame *frame,
                       const struct workflow_step *step, struct lb_diag *diag)
{
	struct lb_value *under = lb_value_object(x->arena);
	const struct lb_value *env;
	struct workflow_scope scope;

	lay_over(x, under, x->frame.env);
	lay_over(x, under, x->exported);
	if (frame->outer != NULL)
		lay_over(x, under, frame->env);
	lb_value_put(x->arena, frame->contexts, "env", under);
	runner_scope(&scope, x, frame);
	LB_TRY(workflow_env_over(&env, x->arena, under, step->env, &scope, diag));
	lb_value_put(x->arena, frame->contexts, "env", lb_value_copy(x->arena, env));
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err condition_holds(bool *out, struct runner_execution *x, struct runner_frame *frame,
                              const struct workflow_step *step, struct lb_diag *diag)
{
	static const char *const status_texts[] = { "success", "failure", "cancelled" };
	struct workflow_scope scope;
	struct lb_value *job = lb_value_object(x->arena);

	lb_value_set_text(x->arena, job, "status", status_texts[x->frame.status]);
	lb_value_put(x->arena, frame->contexts, "job", job);
	runner_scope(&scope, x, frame);
	return workflow_condition(out, x->arena, step->condition, &scope, diag);
}

/* ---- execution ---- */

lb_err runner_execute_command(struct runner_execution *x, struct runner_step_run *run,
                              const struct runner_command *how, struct lb_diag *diag)
{
	struct runner_process process;
	struct runner_end end;
	struct runner_watch watch = { .output = runner_output_part,
		                      .ctx = x,
		                      .stop = x->host->stop,
		                      .obey = x->obey,
		                      .deadline_ns = sooner(x->deadline_ns,
		                                            run != NULL ? run->deadline_ns : 0) };
	lb_err err;

	runner_log_flush(&x->log);
	LB_TRY(runner_process_start(&process, x->host->sandbox, how, diag));
	err = runner_process_watch(&end, &process, &watch, diag);
	runner_output_end(x);
	LB_TRY(err);
	LB_TRY(x->failure);
	if (end.how == RUNNER_STOPPED)
		return lb_fail(diag, LB_E_CANCELLED, "The operation was canceled.");
	if (end.how == RUNNER_TIMED_OUT)
		return lb_fail(diag, LB_E_TIMEOUT, "The operation took too long.");
	if (end.status != 0)
		return lb_fail(diag, LB_E_FAILED, "Process completed with exit code %d.",
		               end.status);
	return LB_OK;
}

const char *const *runner_writable(struct runner_execution *x, bool with_exchange)
{
	const struct runner_folders *f = &x->folders;
	const char **list = LB_ARENA_NEW(x->arena, const char *, 8);
	size_t count = 0;

	if (list == NULL)
		return NULL;
	list[count++] = f->parent;
	list[count++] = f->temp;
	list[count++] = f->tools;
	list[count++] = f->home;
	list[count++] = f->commands;
	if (with_exchange)
		list[count++] = f->exchange;
	return list;
}

static const struct runner_builtin *find_builtin(struct lb_bytes uses)
{
	struct lb_bytes name = lb_bytes_upto(uses, lb_bytes_find_byte(uses, '@'));

	for (const struct runner_builtin *b = runner_builtins; b->name != NULL; b++) {
		if (lb_bytes_eq_nocase(name, lb_bytes_of(b->name)))
			return b;
	}
	return NULL;
}

static bool has_word(const char *words, struct lb_bytes word)
{
	struct lb_bytes rest = lb_bytes_of(words), one;

	while (lb_bytes_split(&one, &rest, ' ')) {
		if (lb_bytes_eq_nocase(one, word))
			return true;
	}
	return false;
}

static lb_err run_builtin(struct runner_execution *x, const struct runner_builtin *builtin,
                          struct runner_step_run *run, const struct workflow_step_plan *plan,
                          struct lb_diag *diag)
{
	runner_log_line(&x->log,
	                lb_arena_format(x->arena, "##[group]Run %.*s", LB_FMT(plan->uses)));
	if (plan->with->count > 0)
		runner_log_line(&x->log, LB_B("with:"));
	for (uint32_t i = 0; i < plan->with->count; i++)
		runner_log_line(&x->log,
		                lb_arena_format(x->arena, "  %.*s: %.*s",
		                                LB_FMT(plan->with->members[i].key),
		                                LB_FMT(plan->with->members[i].value->string)));
	runner_log_line(&x->log, LB_B("##[endgroup]"));
	for (uint32_t i = 0; i < plan->with->count; i++) {
		if (!has_word(builtin->inputs, plan->with->members[i].key))
			runner_log_linef(&x->log,
			                 "##[warning]%s: the input '%.*s' is not known here and is "
			                 "ignored; known are: %s",
			                 builtin->name, LB_FMT(plan->with->members[i].key),
			                 builtin->inputs);
	}
	return builtin->run(x, run, plan, diag);
}

static lb_err run_uses(struct runner_execution *x, struct runner_frame *frame,
                       struct runner_step_run *run, const struct workflow_step_plan *plan,
                       struct lb_diag *diag)
{
	const struct runner_builtin *builtin;

	if (lb_bytes_starts(plan->uses, LB_B("./")) || lb_bytes_is(plan->uses, "."))
		return runner_composite_run(x, frame, run, plan, diag);
	builtin = find_builtin(plan->uses);
	if (builtin != NULL)
		return run_builtin(x, builtin, run, plan, diag);
	return lb_fail(diag, LB_E_UNSUPPORTED,
	               "uses: %.*s cannot be run here. What can: actions in this repository "
	               "(./path) that are composite, and actions/checkout, upload-artifact, "
	               "download-artifact, cache, cache/restore and cache/save of any version",
	               LB_FMT(plan->uses));
}

static lb_err run_planned(struct runner_execution *x, struct runner_frame *frame,
                          struct runner_step_run *run, const struct workflow_step_plan *plan,
                          struct lb_diag *diag)
{
	lb_err err, taken;
	struct lb_diag about;

	if (plan->timeout_minutes > 0)
		run->deadline_ns = x->host->plat->ops->now_ns(x->host->plat) +
		                   (uint64_t)(plan->timeout_minutes * 60e9);
	LB_TRY(runner_files_make(x, run, diag));
	err = run->step->kind == WORKFLOW_STEP_USES ? run_uses(x, frame, run, plan, diag)
	                                            : runner_script_run(x, frame, run, plan, diag);
	x->stop_token = NULL;
	x->running = run;
	taken = runner_files_take(x, run, &about);
	if (lb_failed(taken) && !lb_failed(err)) {
		lb_diag_set(diag, "%s", lb_diag_text(&about, taken));
		return taken;
	}
	return err;
}

static lb_err evaluate_and_run(struct runner_execution *x, struct runner_frame *frame,
                               struct runner_step_run *run, bool *continue_on_error,
                               struct lb_diag *diag)
{
	static const struct workflow no_workflow;
	static const struct workflow_job no_job;
	struct workflow_step_plan plan;
	struct workflow_scope scope;
	bool own = frame->outer == NULL;

	runner_scope(&scope, x, frame);
	if (run->step->kind != WORKFLOW_STEP_RUN && run->step->kind != WORKFLOW_STEP_USES)
		return lb_fail(diag, LB_E_UNSUPPORTED,
		               "steps that wait, cancel or run in parallel are not supported");
	if (run->step->background)
		return lb_fail(diag, LB_E_UNSUPPORTED, "background steps are not supported");
	/* The defaults of a job do not reach into an action. */
	LB_TRY(workflow_step_evaluate(&plan, x->arena, own ? x->workflow : &no_workflow,
	                              own ? x->definition : &no_job, run->step, &scope, diag));
	*continue_on_error = plan.continue_on_error;
	return run_planned(x, frame, run, &plan, diag);
}

static enum runner_conclusion outcome_of(struct runner_execution *x, lb_err err)
{
	if (!lb_failed(err))
		return RUNNER_SUCCESS;
	if (lb_code_of(err) == LB_E_CANCELLED || (lb_code_of(err) == LB_E_TIMEOUT && x->cancelled))
		return RUNNER_CANCELLED;
	return RUNNER_FAILURE;
}

static void remember(struct runner_execution *x, struct runner_frame *frame,
                     const struct runner_step_run *run, enum runner_conclusion outcome,
                     enum runner_conclusion conclusion)
{
	struct lb_value *entry = lb_value_object(x->arena);

	lb_value_put(x->arena, entry, "outputs", run->outputs);
	lb_value_set_text(x->arena, entry, "outcome", runner_conclusion_text(outcome));
	lb_value_set_text(x->arena, entry, "conclusion", runner_conclusion_text(conclusion));
	lb_value_set(x->arena, frame->steps, run->step->id, entry);
	lb_value_put(x->arena, frame->contexts, "steps", frame->steps);
	if (conclusion == RUNNER_FAILURE && frame->status == WORKFLOW_STATUS_SUCCESS)
		frame->status = WORKFLOW_STATUS_FAILURE;
}

static void say_why(struct runner_execution *x, const struct runner_step_run *run, lb_err err,
                    const struct lb_diag *diag)
{
	uint64_t now = x->host->plat->ops->now_ns(x->host->plat);

	if (lb_code_of(err) == LB_E_TIMEOUT && run->deadline_ns != 0 && now >= run->deadline_ns)
		runner_say_error(x, "The action '%.*s' has timed out.", LB_FMT(run->name));
	else if (lb_code_of(err) != LB_E_FAILED || diag->text[0] != '\0')
		runner_say_error(x, "%s", lb_diag_text(diag, err));
	/* FAILED without a word: a step inside an action said it already. */
	runner_log_flush(&x->log);
}

static struct lb_bytes name_of(struct runner_execution *x, const struct runner_frame *frame,
                               const struct workflow_step *step)
{
	struct workflow_scope scope;
	struct lb_bytes name;

	runner_scope(&scope, x, frame);
	if (lb_failed(workflow_step_name(&name, x->arena, step, &scope, NULL)))
		return step->id;
	return runner_hidden(x, name);
}

/* Memory alone ends the job; everything else is the step's failure. */
static lb_err run_step(struct runner_execution *x, struct runner_frame *frame,
                       const struct workflow_step *step, struct runner_step_state *record)
{
	struct runner_step_run run = { .step = step, .frame = frame };
	struct runner_step_run *before = x->running;
	enum runner_conclusion outcome, conclusion;
	bool holds = false, continue_on_error = false;
	struct lb_diag diag;
	lb_err err;

	diag.text[0] = '\0';
	run.outputs = lb_value_object(x->arena);
	run.state = lb_value_object(x->arena);
	x->running = &run;
	runner_look(x);
	err = step_env(x, frame, step, &diag);
	if (!lb_failed(err))
		err = condition_holds(&holds, x, frame, step, &diag);
	run.name = name_of(x, frame, step);
	if (record != NULL)
		record->name = run.name;
	if (!lb_failed(err) && (!holds || x->obey == RUNNER_STOP_FORGET)) {
		x->running = before;
		remember(x, frame, &run, RUNNER_SKIPPED, RUNNER_SKIPPED);
		if (record != NULL)
			runner_record_end(x, record, RUNNER_SKIPPED, RUNNER_SKIPPED);
		return LB_OK;
	}
	if (record != NULL)
		runner_record_begin(x, record);
	if (!lb_failed(err))
		err = evaluate_and_run(x, frame, &run, &continue_on_error, &diag);
	x->running = &run;
	runner_look(x);
	outcome = outcome_of(x, err);
	conclusion = outcome == RUNNER_FAILURE && continue_on_error ? RUNNER_SUCCESS : outcome;
	if (lb_failed(err))
		say_why(x, &run, err, &diag);
	x->running = before;
	remember(x, frame, &run, outcome, conclusion);
	if (record != NULL)
		runner_record_end(x, record, outcome, conclusion);
	if (x->arena->failed || lb_code_of(err) == LB_E_NOMEM)
		return lb_err_of(LB_E_NOMEM);
	return x->failure;
}

lb_err runner_steps(struct runner_execution *x, struct runner_frame *frame,
                    const struct workflow_step *steps, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct runner_step_state *record =
			frame->outer == NULL
				? LB_VEC_AT(&x->records, struct runner_step_state, i + 1)
				: NULL;

		LB_TRY(run_step(x, frame, &steps[i], record));
	}
	return LB_OK;
}
