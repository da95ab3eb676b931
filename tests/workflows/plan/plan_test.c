/* plan_test.c - runs as a state machine: what there is, what is ready, how it ends. */
#include "tests/workflows/plan/run.h"

#include "base/data/json.h"

static const char diamond[] = HEAD JOB("a") STEPS JOB("b") "    needs: a\n" STEPS JOB(
	"c") "    needs: a\n" STEPS JOB("d") "    needs: [b, c]\n" STEPS;

TEST(jobs_start_when_what_they_need_has_ended)
{
	struct run run = run_new(t, diamond, NULL);

	CHECK_TEXT(run_states(&run), "a:ready b:waiting c:waiting d:waiting");
	run_finish(&run, "a", GOOD, NULL);
	CHECK_TEXT(run_states(&run), "a:success b:ready c:ready d:waiting");
	run_finish(&run, "c", GOOD, NULL);
	run_finish(&run, "b", GOOD, NULL);
	CHECK(workflow_plan_conclusion(run.plan) == WORKFLOW_RESULT_NONE);
	run_finish(&run, "d", GOOD, NULL);
	CHECK_TEXT(run_states(&run), "a:success b:success c:success d:success");
	CHECK(workflow_plan_conclusion(run.plan) == GOOD);
	run_close(&run);
}

TEST(a_failure_skips_what_needs_it)
{
	struct run run = run_new(t, diamond, NULL);

	run_finish(&run, "a", GOOD, NULL);
	run_finish(&run, "b", BAD, NULL);
	run_finish(&run, "c", GOOD, NULL);
	CHECK_TEXT(run_states(&run), "a:success b:failure c:success d:skipped");
	CHECK_BYTES(run_find(&run, "d")->why, "needs: b: failure");
	CHECK(workflow_plan_conclusion(run.plan) == BAD);
	run_close(&run);
}

TEST(conditions_with_status_functions_decide_for_themselves)
{
	struct run run = run_new(
		t,
		HEAD JOB("a") STEPS JOB("always") "    needs: a\n    if: always()\n" STEPS JOB(
			"on-failure") "    needs: a\n    if: failure()\n" STEPS
			JOB("never") "    needs: a\n    if: github.ref == 'x'\n" STEPS JOB(
				"after") "    needs: [always]\n" STEPS,
		NULL);

	run_finish(&run, "a", BAD, NULL);
	CHECK_TEXT(run_states(&run),
	           "a:failure always:ready on-failure:ready never:skipped after:waiting");
	run_finish(&run, "always", GOOD, NULL);
	/* success() looks at everything before, not at the needs alone */
	CHECK(run_find(&run, "after")->state == WORKFLOW_SKIPPED);
	CHECK_BYTES(run_find(&run, "after")->why,
	            "needs: always: something before it did not succeed");
	run_close(&run);
}

TEST(a_matrix_becomes_instances_with_github_s_names)
{
	struct run run =
		run_new(t,
	                HEAD JOB("test") "    strategy:\n      matrix:\n        shard: [1, "
	                                 "2]\n        os: [linux, mac]\n" STEPS,
	                NULL);
	const struct workflow_instance *last;

	CHECK_TEXT(run_states(&run), "test.0:ready test.1:ready test.2:ready test.3:ready");
	last = run_find(&run, "test.3");
	CHECK_BYTES(last->name, "test (2, mac)");
	CHECK_TEXT(support_text(&run.arena, last->matrix), "{\"shard\":2,\"os\":\"mac\"}");
	CHECK_TEXT(support_text(&run.arena, last->strategy),
	           "{\"fail-fast\":true,\"job-index\":3,\"job-total\":4,\"max-parallel\":4}");
	CHECK(last->label_count == 1);
	CHECK_BYTES(last->labels[0], "ubuntu-latest");
	run_close(&run);
}

TEST(a_matrix_can_come_from_outputs)
{
	struct run run = run_new(
		t,
		HEAD JOB("plan") STEPS JOB(
			"test") "    needs: plan\n    name: Test ${{ matrix.n }}\n    strategy:\n"
				"      fail-fast: false\n      matrix: ${{ "
				"fromJSON(needs.plan.outputs.m) }}\n" STEPS,
		NULL);

	CHECK_BYTES(run_find(&run, "test")->name, "Test ${{ matrix.n }}");
	run_finish(&run, "plan", GOOD,
	           "{'m': '{\\\"include\\\": [{\\\"n\\\": 1}, {\\\"n\\\": 2}]}'}");
	CHECK_TEXT(run_states(&run), "plan:success test.0:ready test.1:ready");
	CHECK_BYTES(run_find(&run, "test.1")->name, "Test 2");
	CHECK(workflow_plan_find(run.plan, LB_B("test")) == NULL);
	run_finish(&run, "test.0", BAD, NULL);
	CHECK(!run_find(&run, "test.1")->cancel);
	run_close(&run);
}

TEST(fail_fast_stops_the_others)
{
	struct run run = run_new(
		t,
		HEAD JOB("test") "    strategy: {matrix: {n: [1, 2, 3]}, max-parallel: 2}\n" STEPS
			JOB("after") "    needs: test\n    if: always()\n" STEPS,
		NULL);

	CHECK_TEXT(run_states(&run), "test.0:ready test.1:ready test.2:waiting after:waiting");
	run_finish(&run, "test.0", BAD, NULL);
	CHECK_TEXT(run_states(&run), "test.0:failure test.1:ready! test.2:ready! after:waiting");
	run_finish(&run, "test.1", STOPPED, NULL);
	run_finish(&run, "test.2", STOPPED, NULL);
	CHECK_TEXT(support_text(&run.arena, run_find(&run, "after")->needs),
	           "{\"test\":{\"result\":\"failure\",\"outputs\":{}}}");
	run_close(&run);
}

TEST(outputs_of_a_matrix_merge_by_index)
{
	struct run run =
		run_new(t,
	                HEAD JOB("test") "    strategy: {matrix: {n: [1, 2, 3]}}\n" STEPS JOB(
				"after") "    needs: test\n" STEPS,
	                NULL);

	run_finish(&run, "test.2", GOOD, "{'x': '', 'y': 'third'}");
	run_finish(&run, "test.0", GOOD, "{'x': 'first', 'y': 'first'}");
	run_finish(&run, "test.1", GOOD, "{'x': 'second'}");
	CHECK_TEXT(support_text(&run.arena, run_find(&run, "after")->needs),
	           "{\"test\":{\"result\":\"success\",\"outputs\":{\"x\":\"second\",\"y\":"
	           "\"third\"}}}");
	run_close(&run);
}

TEST(a_job_that_may_fail_counts_as_success)
{
	struct run run = run_new(t,
	                         HEAD JOB("a") "    continue-on-error: true\n" STEPS JOB(
					 "b") "    needs: a\n" STEPS,
	                         NULL);

	run_finish(&run, "a", BAD, NULL);
	CHECK_TEXT(run_states(&run), "a:failure b:ready");
	run_finish(&run, "b", GOOD, NULL);
	CHECK(workflow_plan_conclusion(run.plan) == GOOD);
	run_close(&run);
}

TEST(a_bad_matrix_fails_its_job_with_a_reason)
{
	struct run run = run_new(
		t,
		HEAD JOB("a") "    strategy: {matrix: '${{ fromJSON(inputs.level) }}'}\n" STEPS JOB(
			"b") "    strategy: {matrix: {n: '${{ fromJSON(''[]'') }}'}}\n" STEPS,
		NULL);

	CHECK_TEXT(run_states(&run), "a:failure b:failure");
	CHECK(lb_bytes_find(run_find(&run, "a")->why, LB_B("Error parsing fromJson")) != SIZE_MAX);
	CHECK_BYTES(run_find(&run, "b")->why,
	            "Error when evaluating 'strategy' for job 'b'. ci.yml (Line: 9, Col: 24): "
	            "Matrix vector 'n' does not contain any values");
	CHECK(workflow_plan_conclusion(run.plan) == BAD);
	run_close(&run);
}

TEST(cancelling_stops_all_but_what_wants_to_run)
{
	struct run run = run_new(t,
	                         HEAD JOB("a") STEPS JOB("b") "    needs: a\n" STEPS
	                                 JOB("c") "    needs: a\n    if: cancelled()\n" STEPS JOB(
						 "d") "    if: always()\n" STEPS,
	                         NULL);
	struct lb_diag diag = { 0 };

	CHECK_OK(workflow_plan_cancel(run.plan, &diag));
	CHECK_TEXT(run_states(&run), "a:ready! b:waiting c:waiting d:ready");
	run_finish(&run, "a", STOPPED, NULL);
	CHECK_TEXT(run_states(&run), "a:cancelled b:skipped c:ready d:ready");
	run_finish(&run, "c", GOOD, NULL);
	run_finish(&run, "d", GOOD, NULL);
	CHECK(workflow_plan_conclusion(run.plan) == STOPPED);
	run_close(&run);
}

static struct files called = {
	.path = { ".github/workflows/release.yml" },
	.text = { "on:\n  workflow_call:\n    inputs: {tag: {type: string, required: true}, n: "
	          "{type: "
	          "number, default: 3}}\n    secrets: {key: {required: true}}\n    outputs: {url: "
	          "{value: 'at-${{ jobs.publish.outputs.u }}'}}\njobs:\n"
	          "  publish:\n    runs-on: linux\n    name: publish ${{ inputs.tag }} ${{ "
	          "inputs.n }}\n"
	          "    steps: [{run: x}]\n  done:\n    needs: publish\n    runs-on: linux\n    "
	          "steps: "
	          "[{run: y}]\n" },
};

static const char caller[] = HEAD JOB("build") STEPS
	"  release:\n    needs: build\n"
	"    uses: ./.github/workflows/release.yml\n    with: {tag: '${{ "
	"needs.build.outputs.tag }}'}\n    secrets: {key: '${{ secrets.K }}'}\n" JOB(
		"after") "    needs: release\n" STEPS;

TEST(a_called_workflow_becomes_part_of_the_run)
{
	struct run run = run_new(t, caller, &called);
	const struct lb_value *secrets;

	run_finish(&run, "build", GOOD, "{'tag': 'v1'}");
	CHECK_TEXT(run_states(&run), "build:success release:waiting release/publish:ready "
	                             "release/done:waiting after:waiting");
	CHECK_BYTES(run_find(&run, "release/publish")->name, "release / publish v1 3");
	CHECK_BYTES(run_find(&run, "release/publish")->parent, "release");
	CHECK_BYTES(run_find(&run, "release/publish")->file, ".github/workflows/release.yml");
	CHECK_OK(workflow_plan_secrets(
		&secrets, &run.arena, run.plan, run_find(&run, "release/publish"),
		support_json(&run.arena, "{'K': 's', 'Z': 'z', 'GITHUB_TOKEN': 't'}"), NULL));
	CHECK_TEXT(support_text(&run.arena, secrets), "{\"key\":\"s\",\"GITHUB_TOKEN\":\"t\"}");
	run_finish(&run, "release/publish", GOOD, "{'u': 'here'}");
	run_finish(&run, "release/done", GOOD, NULL);
	CHECK(run_find(&run, "release")->result == GOOD);
	CHECK_TEXT(support_text(&run.arena, run_find(&run, "after")->needs),
	           "{\"release\":{\"result\":\"success\",\"outputs\":{\"url\":\"at-here\"}}}");
	run_finish(&run, "after", GOOD, NULL);
	CHECK(workflow_plan_conclusion(run.plan) == GOOD);
	run_close(&run);
}

TEST(a_called_workflow_whose_caller_is_skipped_does_not_appear)
{
	struct run run = run_new(t, caller, &called);

	run_finish(&run, "build", BAD, NULL);
	CHECK_TEXT(run_states(&run), "build:failure release:skipped after:skipped");
	run_close(&run);
}

/* What must not even start, and why. */
static void refused(struct test *t, const char *text, struct files *files, enum lb_code code,
                    const char *why)
{
	struct lb_diag diag = { 0 };
	struct run run;
	lb_err err = run_open(&run, t, text, files, &diag);

	CHECK(lb_code_of(err) == code);
	CHECK_TEXT(diag.text, why);
	run_close(&run);
}

TEST(calls_that_cannot_work_are_refused_with_their_place)
{
	static struct files loop = {
		.path = { ".github/workflows/loop.yml" },
		.text = { "on: workflow_call\njobs:\n  a:\n    uses: "
		          "./.github/workflows/loop.yml\n" },
	};

	refused(t, HEAD "  a:\n    uses: octo/repo/.github/workflows/x.yml@v1\n", NULL,
	        LB_E_UNSUPPORTED,
	        "ci.yml (Line: 4, Col: 11): workflows of other repositories cannot be read here: "
	        "'octo/repo/.github/workflows/x.yml@v1'");
	refused(t, HEAD "  a:\n    uses: octo/repo/.github/workflows/x.yml@v1\n", &called,
	        LB_E_NOTFOUND,
	        "ci.yml (Line: 4, Col: 11): there is no file "
	        "'octo/repo/.github/workflows/x.yml@v1'");
	refused(t, HEAD "  a:\n    uses: ./other/x.yml\n", &called, LB_E_INVALID,
	        "ci.yml (Line: 4, Col: 11): workflows are called from .github/workflows alone, "
	        "not 'other/x.yml'");
	refused(t, HEAD "  a:\n    uses: ./.github/workflows/none.yml\n", &called, LB_E_NOTFOUND,
	        "ci.yml (Line: 4, Col: 11): there is no file '.github/workflows/none.yml'");
	refused(t, HEAD "  a:\n    uses: ./.github/workflows/release.yml\n    secrets: inherit\n",
	        &called, LB_E_INVALID,
	        "ci.yml (Line: 4, Col: 11): Input tag is required, but not provided while "
	        "calling.");
	refused(t, HEAD "  a:\n    uses: ./.github/workflows/loop.yml\n", &loop, LB_E_LIMIT,
	        ".github/workflows/loop.yml (Line: 4, Col: 11): Nested reusable workflow depth "
	        "exceeded 9.");
}

TEST(wrong_reports_are_refused)
{
	struct run run = run_new(t, diamond, NULL);
	struct lb_diag diag = { 0 };

	CHECK(lb_code_of(workflow_plan_finish(run.plan, LB_B("x"), GOOD, NULL, &diag)) ==
	      LB_E_NOTFOUND);
	CHECK(lb_code_of(workflow_plan_finish(run.plan, LB_B("d"), GOOD, NULL, &diag)) ==
	      LB_E_INVALID);
	CHECK(lb_code_of(workflow_plan_finish(run.plan, LB_B("a"), WORKFLOW_RESULT_SKIPPED, NULL,
	                                      &diag)) == LB_E_INVALID);
	run_finish(&run, "a", GOOD, NULL);
	run_finish(&run, "a", GOOD, NULL);
	CHECK(lb_code_of(workflow_plan_finish(run.plan, LB_B("a"), BAD, NULL, &diag)) ==
	      LB_E_EXISTS);
	CHECK_TEXT(diag.text, "job 'a' has ended already: success");
	run_close(&run);
}

/* ---- order, restarts, memory ---- */

static const char tangle[] =
	HEAD JOB("a") "    strategy: {matrix: {n: [1, 2, 3]}, max-parallel: 2}\n" STEPS JOB(
		"b") "    needs: a\n    if: always()\n    outputs: {x: y}\n" STEPS
		JOB("c") "    needs: [a, b]\n    if: failure()\n" STEPS JOB(
			"d") "    needs: b\n    strategy: {matrix: '${{ "
			     "fromJSON(needs.b.outputs.m) }}', fail-fast: false}\n    if: "
			     "'!cancelled()'\n" STEPS
			     "  e:\n    needs: [c, d]\n    if: '!cancelled()'\n    uses: "
			     "./.github/workflows/release.yml\n    with: {tag: x}\n    secrets: "
			     "inherit\n";

/* Finish whatever is ready, drawn by chance, with results that depend on the instance alone. */
static void drive(struct run *run, size_t stop_after)
{
	for (size_t ended = 0; ended < stop_after; ended++) {
		size_t ready = 0, pick, i;
		const struct workflow_instance *at = NULL;

		for (i = 0; i < workflow_plan_count(run->plan); i++)
			ready += workflow_plan_at(run->plan, i)->state == WORKFLOW_READY;
		if (ready == 0)
			return;
		pick = test_random(run->t) % ready;
		for (i = 0;; i++) {
			at = workflow_plan_at(run->plan, i);
			if (at->state == WORKFLOW_READY && pick-- == 0)
				break;
		}
		run_finish(run, lb_arena_text(&run->arena, at->id),
		           lb_bytes_is(at->id, "a.1") ? BAD : GOOD,
		           lb_bytes_is(at->id, "b") ? "{'m': '{\\\"k\\\": [1, 2]}'}" : NULL);
	}
}

TEST(any_order_and_any_restart_give_the_same_plan)
{
	struct run first = run_new(t, tangle, &called);
	const char *want;

	drive(&first, SIZE_MAX);
	want = run_described(&first);
	CHECK(workflow_plan_conclusion(first.plan) == BAD);
	for (unsigned round = 0; round < 50; round++) {
		struct run run = run_new(t, tangle, &called), again = run_new(t, tangle, &called);

		drive(&run, test_random(t) % 8);
		CHECK_OK(workflow_plan_restore(again.plan, workflow_plan_save(&run.arena, run.plan),
		                               NULL));
		CHECK_TEXT(run_described(&again), run_described(&run));
		drive(&again, SIZE_MAX);
		CHECK_TEXT(run_described(&again), want);
		run_close(&run);
		run_close(&again);
	}
	run_close(&first);
}

TEST(a_cancelled_run_is_restored_as_it_was)
{
	for (unsigned round = 0; round < 20; round++) {
		struct run run = run_new(t, tangle, &called), again = run_new(t, tangle, &called);

		drive(&run, test_random(t) % 6);
		CHECK_OK(workflow_plan_cancel(run.plan, NULL));
		drive(&run, test_random(t) % 6);
		CHECK_OK(workflow_plan_restore(again.plan, workflow_plan_save(&run.arena, run.plan),
		                               NULL));
		CHECK_TEXT(run_described(&again), run_described(&run));
		run_close(&run);
		run_close(&again);
	}
}

TEST(planning_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_diag diag = { 0 };
		struct run run;
		lb_err err = run_open(&run, t, caller, &called, &diag);

		if (!lb_failed(err))
			err = workflow_plan_finish(run.plan, LB_B("build"), GOOD, NULL, &diag);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		if (run.plan != NULL && lb_failed(err)) { /* the same call can be made again */
			CHECK_OK(workflow_plan_finish(run.plan, LB_B("build"), GOOD, NULL, &diag));
			CHECK(workflow_plan_find(run.plan, LB_B("release/publish")) != NULL);
		}
		run_close(&run);
	}
}

/* Everything a plan can be asked, in a row. */
static lb_err ask_all(struct run *run, struct lb_diag *diag)
{
	const struct lb_value *secrets;
	struct lb_value *described_;
	const struct lb_bytes *ids;
	size_t count;

	LB_TRY(workflow_plan_finish(run->plan, LB_B("build"), GOOD, NULL, diag));
	LB_TRY(workflow_plan_cancel(run->plan, diag));
	LB_TRY(workflow_plan_describe(&described_, &run->arena, run->plan));
	LB_TRY(workflow_plan_needs(&ids, &count, &run->arena, run->plan,
	                           workflow_plan_at(run->plan, 1)));
	LB_TRY(workflow_plan_secrets(&secrets, &run->arena, run->plan,
	                             workflow_plan_find(run->plan, LB_B("release/publish")), NULL,
	                             diag));
	(void)workflow_plan_contexts(&run->arena, run->plan, workflow_plan_at(run->plan, 0));
	return workflow_plan_restore(run->plan, workflow_plan_save(&run->arena, run->plan), diag);
}

TEST(asking_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_diag diag = { 0 };
		struct run run;
		lb_err err = run_open(&run, t, caller, &called, &diag);

		if (!lb_failed(err))
			err = ask_all(&run, &diag);
		if (!lb_failed(err) && run.arena.failed)
			err = lb_err_of(LB_E_NOMEM);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		run_close(&run);
	}
}

TEST(permissions_narrow_along_calls)
{
	static struct files narrow = {
		.path = { ".github/workflows/x.yml" },
		.text = { "on: workflow_call\njobs:\n  a:\n    runs-on: x\n  b:\n    runs-on: x\n  "
		          "  "
		          "permissions: {contents: write}\n" },
	};
	struct run run;

	refused(t,
	        HEAD
	        "  c:\n    uses: ./.github/workflows/x.yml\n    permissions: {contents: read}\n",
	        &narrow, LB_E_INVALID,
	        "ci.yml (Line: 3, Col: 3): Error calling workflow './.github/workflows/x.yml'. The "
	        "nested job 'b' is requesting 'contents: write', but is only allowed 'contents: "
	        "read'.");
	run = run_new(t,
	              HEAD "  c:\n    uses: ./.github/workflows/x.yml\n    permissions: {contents: "
	                   "write, issues: read}\n",
	              &narrow);
	CHECK(run_find(&run, "c/a")->permissions.of[WORKFLOW_PERMISSION_ISSUES] ==
	      WORKFLOW_ACCESS_READ);
	CHECK(run_find(&run, "c/b")->permissions.of[WORKFLOW_PERMISSION_ISSUES] ==
	      WORKFLOW_ACCESS_NONE);
	CHECK(run_find(&run, "c/b")->permissions.of[WORKFLOW_PERMISSION_CONTENTS] ==
	      WORKFLOW_ACCESS_WRITE);
	run_close(&run);
}

TEST(keys_of_jobs_and_of_the_run_are_evaluated)
{
	struct run run = run_new(
		t,
		"on: push\nrun-name: For ${{ github.ref }}\nconcurrency: {group: 'all-${{ "
		"github.ref "
		"}}', cancel-in-progress: true}\njobs:\n  a:\n    runs-on: {group: big, labels: "
		"[a, '${{ "
		"inputs.level }}']}\n    timeout-minutes: 7\n    environment: {name: 'env-${{ "
		"inputs.level }}'}\n    concurrency: {group: one, queue: max}\n" STEPS,
		NULL);
	const struct workflow_instance *a = run_find(&run, "a");
	bool cancel, queue_all;

	CHECK_BYTES(workflow_plan_run_name(run.plan), "For refs/heads/main");
	CHECK_BYTES(workflow_plan_concurrency(run.plan, &cancel, &queue_all),
	            "all-refs/heads/main");
	CHECK(cancel && !queue_all);
	CHECK_BYTES(a->runner_group, "big");
	CHECK(a->label_count == 2);
	CHECK_BYTES(a->labels[1], "high");
	CHECK_BYTES(a->environment, "env-high");
	CHECK_BYTES(a->concurrency_group, "one");
	CHECK(a->concurrency_queue_all && !a->concurrency_cancel);
	CHECK(a->timeout_minutes > 6.5 && a->timeout_minutes < 7.5);
	run_close(&run);
}

TEST(matrices_include_and_exclude_as_github_does)
{
	struct run run = run_new(
		t,
		HEAD JOB("m") "    strategy:\n      matrix:\n        fruit: [apple, pear]\n        "
			      "animal: [cat, dog]\n        include: [{color: green}, {color: pink, "
			      "animal: cat}, {fruit: apple, shape: circle}, {fruit: banana}, "
			      "{fruit: "
			      "banana, animal: cat}]\n        exclude: [{fruit: pear, animal: "
			      "dog}]\n" STEPS,
		NULL);

	CHECK(workflow_plan_count(run.plan) == 5);
	CHECK_TEXT(support_text(&run.arena, run_find(&run, "m.0")->matrix),
	           "{\"fruit\":\"apple\",\"animal\":\"cat\",\"color\":\"pink\",\"shape\":"
	           "\"circle\"}");
	CHECK_BYTES(run_find(&run, "m.0")->name, "m (apple, cat)");
	CHECK_TEXT(support_text(&run.arena, run_find(&run, "m.1")->matrix),
	           "{\"fruit\":\"apple\",\"animal\":\"dog\",\"color\":\"green\",\"shape\":"
	           "\"circle\"}");
	CHECK_TEXT(support_text(&run.arena, run_find(&run, "m.3")->matrix),
	           "{\"fruit\":\"banana\"}");
	CHECK_BYTES(run_find(&run, "m.4")->name, "m (banana, cat)");
	run_close(&run);
}

TEST(a_matrix_of_more_than_256_is_refused)
{
	struct run run = run_new(t,
	                         HEAD JOB("m") "    strategy: {matrix: {a: [1, 2, 3, 4, 5, 6, 7], "
	                                       "b: [1, 2, 3, 4, 5, 6, "
	                                       "7], c: [1, 2, 3, 4, 5, 6]}}\n" STEPS,
	                         NULL);

	CHECK(run_find(&run, "m")->result == BAD);
	CHECK_BYTES(run_find(&run, "m")->why,
	            "Error when evaluating 'strategy' for job 'm'. ci.yml (Line: 5, Col: 24): The "
	            "matrix has more than 256 combinations");
	run_close(&run);
}
