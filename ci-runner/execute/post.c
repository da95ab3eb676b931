/* post.c - what actions do before and after the job's steps: steps of their own. */
#include "ci-runner/execute/execution_priv.h"

static const struct runner_step_run *top_of(const struct runner_step_run *run)
{
	while (run->outer != NULL)
		run = run->outer;
	return run;
}

lb_err runner_post_add(struct runner_execution *x, struct runner_step_run *run,
                       const struct workflow_token *condition,
                       lb_err (*act)(struct runner_execution *x, struct runner_step_run *run,
                                     void *ctx, struct lb_diag *diag),
                       void *ctx)
{
	const struct runner_step_run *top = top_of(run);
	struct runner_post *post;

	if (run->intra->posted)
		return LB_OK;
	post = lb_vec_add(&x->posts);
	if (post == NULL)
		return lb_vec_check(&x->posts);
	*post = (struct runner_post){
		.name = lb_arena_format(x->arena, "Post %.*s", LB_FMT(top->name)),
		.frame = run->frame,
		.step = run->step,
		.top = top->step,
		.condition = condition,
		.intra = run->intra,
		.run = act,
		.ctx = ctx,
	};
	run->intra->posted = true;
	return x->arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static lb_err perform(struct runner_execution *x, struct runner_step_run *run,
                      const struct runner_post *stage, struct lb_diag *diag)
{
	struct lb_diag about;
	lb_err err, taken;

	LB_TRY(runner_files_make(x, run, diag));
	err = stage->run(x, run, stage->ctx, diag);
	x->running = run;
	taken = runner_files_take(x, run, &about);
	if (!lb_failed(taken) || lb_failed(err))
		return err;
	lb_diag_set(diag, "%s", lb_diag_text(&about, taken));
	return taken;
}

static enum runner_conclusion outcome_of(const struct runner_execution *x, lb_err err)
{
	if (!lb_failed(err))
		return RUNNER_SUCCESS;
	if (lb_code_of(err) == LB_E_CANCELLED || (lb_code_of(err) == LB_E_TIMEOUT && x->cancelled))
		return RUNNER_CANCELLED;
	return RUNNER_FAILURE;
}

lb_err runner_stage_run(enum runner_conclusion *outcome, struct runner_execution *x,
                        const struct runner_post *stage, const struct runner_step_run *outer)
{
	struct runner_step_run run = { .step = stage->step,
		                       .frame = stage->frame,
		                       .name = stage->name,
		                       .intra = stage->intra,
		                       .outer = outer,
		                       .number = (unsigned)x->records.count,
		                       .state = stage->intra->state };
	struct lb_diag diag;
	bool holds = false;
	lb_err err;

	diag.text[0] = '\0';
	run.outputs = lb_value_object(x->arena);
	x->running = &run;
	runner_look(x);
	stage->frame->status = x->frame.status;
	err = runner_step_env(x, stage->frame, stage->step, &diag);
	if (!lb_failed(err))
		err = runner_condition(&holds, x, stage->frame, stage->condition, &diag);
	*outcome = RUNNER_SKIPPED;
	if (!lb_failed(err) && (!holds || x->obey == RUNNER_STOP_FORGET)) {
		x->running = NULL;
		return x->failure;
	}
	if (!lb_failed(err))
		err = perform(x, &run, stage, &diag);
	x->running = &run;
	runner_look(x);
	*outcome = outcome_of(x, err);
	if (lb_failed(err))
		runner_say_error(x, "%s", lb_diag_text(&diag, err));
	if (*outcome == RUNNER_FAILURE && x->frame.status == WORKFLOW_STATUS_SUCCESS)
		x->frame.status = WORKFLOW_STATUS_FAILURE;
	x->running = NULL;
	if (x->arena->failed || lb_code_of(err) == LB_E_NOMEM)
		return lb_err_of(LB_E_NOMEM);
	return x->failure;
}

static enum runner_conclusion worse(enum runner_conclusion a, enum runner_conclusion b)
{
	if (a == RUNNER_FAILURE || b == RUNNER_FAILURE)
		return RUNNER_FAILURE;
	if (a == RUNNER_CANCELLED || b == RUNNER_CANCELLED)
		return RUNNER_CANCELLED;
	return a == RUNNER_SKIPPED ? b : a;
}

/* The last one first; those of one composite action are one step, as on GitHub. */
lb_err runner_posts_run(struct runner_execution *x)
{
	size_t i = x->posts.count;

	while (i > 0) {
		const struct runner_post *last = LB_VEC_AT(&x->posts, struct runner_post, i - 1);
		struct runner_step_state *record = runner_record_add(x, last->name);
		enum runner_conclusion all = RUNNER_SKIPPED, outcome;
		const struct workflow_step *top = last->top;

		if (record == NULL)
			return lb_vec_check(&x->records);
		runner_record_begin(x, record);
		do {
			LB_TRY(runner_stage_run(
				&outcome, x, LB_VEC_AT(&x->posts, struct runner_post, --i), NULL));
			all = worse(all, outcome);
		} while (i > 0 && LB_VEC_AT(&x->posts, struct runner_post, i - 1)->top == top);
		runner_record_end(x, record, all, all);
	}
	return LB_OK;
}
