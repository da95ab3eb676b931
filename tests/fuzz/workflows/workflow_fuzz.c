/* workflow_fuzz.c - any bytes as a workflow file: checked, advised on, matched, planned, its steps
 * evaluated. */
#include "tests/fuzz/failing.h"
#include "workflows/event/match.h"
#include "workflows/lint/advice.h"
#include "workflows/lint/script.h"
#include "workflows/plan/plan.h"
#include "workflows/step/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The file calls itself. */
static lb_err read_file(struct lb_bytes *out, void *self, struct lb_arena *arena,
                        struct lb_bytes path, struct lb_diag *diag)
{
	(void)arena;
	(void)path;
	(void)diag;
	*out = *(struct lb_bytes *)self;
	return LB_OK;
}

static void evaluate_steps(struct lb_mem *mem, const struct workflow *workflow,
                           const struct workflow_job *job)
{
	struct workflow_scope scope = { .bytes_max = 1 << 16 };
	struct workflow_step_plan plan;
	struct lb_arena arena;
	struct lb_bytes name;

	lb_arena_init(&arena, mem);
	for (uint32_t i = 0; i < job->step_count; i++) {
		lb_ignore(workflow_step_name(&name, &arena, &job->steps[i], &scope, NULL));
		lb_ignore(workflow_step_evaluate(&plan, &arena, workflow, job, &job->steps[i],
		                                 &scope, NULL));
	}
	lb_arena_release(&arena);
}

static void advise(struct lb_mem *mem, const struct workflow *workflow, struct lb_bytes source)
{
	const struct workflow_script *scripts;
	const struct workflow_advice *advice;
	struct lb_arena arena;
	uint32_t count;

	lb_arena_init(&arena, mem);
	lb_ignore(workflow_advise(&advice, &count, &arena, workflow, source));
	lb_ignore(workflow_scripts(&scripts, &count, &arena, workflow));
	lb_arena_release(&arena);
}

/* End what is ready, a few rounds. */
static void drive(struct workflow_plan *plan)
{
	for (unsigned round = 0; round < 20; round++) {
		for (size_t i = 0; i < workflow_plan_count(plan); i++) {
			const struct workflow_instance *at = workflow_plan_at(plan, i);

			if (at->state != WORKFLOW_READY)
				continue;
			lb_ignore(workflow_plan_finish(plan, at->id,
			                               round % 3 == 1 ? WORKFLOW_RESULT_FAILURE
			                                              : WORKFLOW_RESULT_SUCCESS,
			                               NULL, NULL));
			break;
		}
	}
	lb_ignore(workflow_plan_cancel(plan, NULL));
	(void)workflow_plan_conclusion(plan);
}

static void plan(struct lb_mem *mem, const struct workflow *workflow, struct lb_bytes source)
{
	struct workflow_plan_options options = { .read_file = read_file,
		                                 .self = &source,
		                                 .call_depth_max = 3 };
	struct workflow_plan *made;

	if (lb_failed(workflow_plan_new(&made, mem, workflow, &options, NULL)))
		return;
	drive(made);
	workflow_plan_free(made);
}

static void target(struct lb_mem *mem, struct lb_bytes source, bool failing)
{
	struct workflow_event event = { .name = LB_LIT("push"), .ref = LB_LIT("refs/heads/main") };
	struct workflow *checked, *workflow;
	struct workflow_mismatch mismatch = { 0 };
	struct lb_diag diag = { 0 };
	lb_err err;

	(void)failing;
	if (!lb_failed(workflow_check(&checked, mem, source, "fuzz.yml"))) {
		advise(mem, checked, source);
		workflow_free(checked);
	}
	err = workflow_parse(&workflow, mem, source, "fuzz.yml", &diag);
	if (lb_failed(err)) {
		if (lb_code_of(err) != LB_E_NOMEM && diag.text[0] == '\0')
			abort(); /* whatever is refused is told why */
		return;
	}
	(void)workflow_matches_event(workflow, &event, &mismatch);
	for (uint32_t i = 0; i < workflow->job_count; i++)
		evaluate_steps(mem, workflow, &workflow->jobs[i]);
	plan(mem, workflow, source);
	workflow_free(workflow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_twice(target, data, size);
}
