/* hook.c - scripts of the machine's owner, before and after the steps of every job.
 *
 * They run as a step does, in the job's sandbox, and may use file commands; a failure is the job's.
 */
#include "ci-runner/execute/execution_priv.h"

#include "base/io/file.h"

static lb_err act(struct runner_execution *x, struct runner_step_run *run, void *ctx,
                  struct lb_diag *diag)
{
	const char *path = ctx;
	struct workflow_step_plan plan = { .shell = LB_LIT("bash"),
		                           .env = lb_value_get(run->frame->contexts, "env"),
		                           .with = lb_value_object(x->arena) };
	struct lb_buf text;
	lb_err err;

	lb_buf_init(&text, x->host->mem, RUNNER_FILE_COMMAND_BYTES_MAX);
	err = lb_file_read(&text, x->host->plat, path, diag);
	plan.run = lb_arena_bytes(x->arena, lb_buf_bytes(&text));
	lb_buf_release(&text);
	if (!lb_failed(err) && x->arena->failed)
		err = lb_err_of(LB_E_NOMEM);
	return lb_failed(err) ? err : runner_script_run(x, run, &plan, diag);
}

lb_err runner_hook_run(struct runner_execution *x, const char *path, const char *name)
{
	static const struct workflow_step step = { .kind = WORKFLOW_STEP_RUN,
		                                   .id = LB_LIT("__hook") };
	struct runner_step_state *record;
	struct runner_intra *intra;
	struct runner_post stage = { .name = lb_bytes_of(name),
		                     .frame = &x->frame,
		                     .step = &step,
		                     .top = &step,
		                     .run = act,
		                     .ctx = (void *)(uintptr_t)path };
	enum runner_conclusion outcome;

	if (path == NULL)
		return LB_OK;
	intra = runner_intra_of(x, &x->frame, &step);
	record = intra != NULL ? runner_record_add(x, stage.name) : NULL;
	if (record == NULL)
		return lb_err_of(LB_E_NOMEM);
	stage.intra = intra;
	runner_record_begin(x, record);
	LB_TRY(runner_stage_run(&outcome, x, &stage, NULL));
	runner_record_end(x, record, outcome, outcome);
	return LB_OK;
}
