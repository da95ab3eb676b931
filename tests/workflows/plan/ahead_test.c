/* ahead_test.c - looking ahead: what is planned where outputs are not known, and why it waits. */
#include "tests/workflows/plan/run.h"

static void suppose(struct run *run, const char *id)
{
	struct test *t = run->t;

	CHECK_OK(workflow_plan_suppose(run->plan, lb_bytes_of(id), NULL));
}

TEST(what_goes_by_unknown_outputs_waits_and_says_so)
{
	struct run run = run_new(
		t,
		HEAD JOB("find") "    outputs: {list: y, on: z}\n" STEPS JOB(
			"matrix") "    needs: find\n    strategy: {matrix: '${{ "
				  "fromJSON(needs.find.outputs.list) "
				  "}}'}\n" STEPS JOB(
					  "condition") "    needs: find\n    if: "
						       "needs.find.outputs.on\n" STEPS JOB("result") "    needs: find\n    if: needs.find.result == 'success'\n" STEPS
							       JOB("whole") "    needs: [result, "
									    "find]\n    name: ${{ "
									    "toJSON(needs) "
									    "}}\n" STEPS JOB("any") "    needs: [find]\n    if: contains(needs.*.outputs.on, 'x')\n" STEPS
										    JOB("steps") " "
												 " "
												 " "
												 " "
												 "n"
												 "e"
												 "e"
												 "d"
												 "s"
												 ":"
												 " "
												 "f"
												 "i"
												 "n"
												 "d"
												 "\n    steps: [{run: 'echo ${{ "
												 "n"
												 "e"
												 "e"
												 "d"
												 "s"
												 "."
												 "f"
												 "i"
												 "n"
												 "d"
												 "."
												 "o"
												 "u"
												 "t"
												 "p"
												 "u"
												 "t"
												 "s"
												 "."
												 "o"
												 "n"
												 " "
												 "}"
												 "}"
												 "'"
												 "}"
												 "]"
												 "\n" JOB(
													 "behind") "    needs: matrix\n" STEPS,
		NULL);

	suppose(&run, "find");
	CHECK_TEXT(run_states(&run),
	           "find:success matrix:waiting condition:waiting result:ready whole:waiting "
	           "any:waiting steps:ready behind:waiting");
	CHECK_BYTES(run_find(&run, "matrix")->why, "waits for the outputs of find");
	CHECK(run_find(&run, "matrix")->why_line == 10);
	suppose(&run, "result");
	CHECK_BYTES(run_find(&run, "whole")->why, "waits for the outputs of find");
	CHECK(run_find(&run, "any")->state == WORKFLOW_WAITING);
	CHECK(workflow_plan_conclusion(run.plan) == WORKFLOW_RESULT_NONE);
	run_close(&run);
}

TEST(a_job_without_outputs_leaves_nothing_unknown)
{
	struct run run = run_new(t,
	                         HEAD JOB("a") STEPS JOB("b") "    needs: a\n    if: "
	                                                      "needs.a.outputs.x == ''\n" STEPS,
	                         NULL);

	suppose(&run, "a");
	CHECK_TEXT(run_states(&run), "a:success b:ready");
	run_close(&run);
}

static struct files called = {
	.path = { ".github/workflows/c.yml" },
	.text = { "on: {workflow_call: {outputs: {o: {value: '${{ jobs.in.outputs.o "
	          "}}'}}}}\njobs:\n" JOB("in") "    outputs: {o: y}\n" STEPS },
};

TEST(outputs_of_a_called_workflow_are_unknown_when_its_jobs_are)
{
	struct run run =
		run_new(t,
	                HEAD "  call:\n    uses: ./.github/workflows/c.yml\n" JOB(
				"after") "    needs: call\n    if: needs.call.outputs.o\n" STEPS,
	                &called);

	suppose(&run, "call/in");
	CHECK_TEXT(run_states(&run), "call:success call/in:success after:waiting");
	CHECK_BYTES(run_find(&run, "after")->why, "waits for the outputs of call");
	run_close(&run);
}

TEST(looking_ahead_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_diag diag = { 0 };
		struct run run;
		lb_err err = run_open(&run, t,
		                      HEAD JOB("a") "    outputs: {x: y}\n" STEPS JOB(
					      "b") "    needs: "
		                                   "a\n    if: needs.a.outputs.x\n" STEPS,
		                      NULL, &diag);

		if (!lb_failed(err))
			err = workflow_plan_suppose(run.plan, LB_B("a"), &diag);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		run_close(&run);
	}
}
