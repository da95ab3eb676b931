/* show_test.c - plans as a tree, as JSON, as a drawing; hostile names; memory running out. */
#include "tests/workflows/plan/run.h"

#include "workflows/show/show.h"

static struct files called = {
	.path = { ".github/workflows/in.yml" },
	.text = { "on: workflow_call\njobs:\n" JOB("x") STEPS JOB("y") "    needs: x\n" STEPS },
};

static const char source[] = "name: A & <b>\n" HEAD JOB("build") "    outputs: {v: x}\n" STEPS JOB(
	"test") "    needs: build\n    strategy: {matrix: {n: [1, 2, 3, 4, 5, 6, 7]}}\n" STEPS
		"  call:\n    needs: build\n    uses: ./.github/workflows/in.yml\n" JOB(
			"gate") "    needs: [build, test]\n    if: needs.build.outputs.v\n" STEPS
			JOB("bad") "    strategy: {matrix: {n: '${{ fromJSON(''[]'') }}'}}\n" STEPS
				JOB("not") "    if: \"github.ref == '\\x1b[31m'\"\n" STEPS JOB(
					"end") "    needs: [test, call, build]\n" STEPS;

static struct workflow_shown shown_of(const struct run *run)
{
	return (struct workflow_shown){ .workflow = run->workflow,
		                        .event = LB_LIT("push"),
		                        .ref = LB_LIT("refs/heads/main"),
		                        .plan = run->plan };
}

static struct run look_ahead(struct test *t)
{
	struct run run = run_new(t, source, &called);

	CHECK_OK(workflow_plan_look_ahead(run.plan, NULL, NULL, NULL));
	return run;
}

TEST(a_tree_says_what_runs_and_why_not)
{
	static const char want[] =
		"A & <b> (ci.yml) on push of refs/heads/main: 11 jobs run, 1 skipped, 1 waiting, 1 "
		"failing\n"
		"├─ build on ubuntu-latest\n"
		"├─ test, 7 jobs, needs build\n"
		"│  ├─ test (1) on ubuntu-latest\n"
		"│  ├─ test (2) on ubuntu-latest\n"
		"│  ├─ test (3) on ubuntu-latest\n"
		"│  ├─ test (4) on ubuntu-latest\n"
		"│  ├─ test (5) on ubuntu-latest\n"
		"│  └─ … and 2 more; --all shows them\n"
		"├─ call calls ./.github/workflows/in.yml, needs build\n"
		"│  ├─ x on ubuntu-latest\n"
		"│  └─ y on ubuntu-latest, needs x\n"
		"├─ gate, needs build, test: waits\n"
		"│    ci.yml:19:9: waits for the outputs of build\n"
		"├─ bad: fails\n"
		"│    ci.yml:21:3: Error when evaluating 'strategy' for job 'bad'. ci.yml (Line: "
		"23, "
		"Col: 24): Matrix vector 'n' does not contain any values\n"
		"├─ not: skipped\n"
		"│    ci.yml:27:9: if: github.ref == ' [31m'\n"
		"└─ end on ubuntu-latest, needs test, call, build\n";
	struct run run = look_ahead(t);
	struct workflow_shown shown = shown_of(&run);
	struct workflow_tree_options options = { 0 };
	struct lb_buf out;

	lb_buf_init(&out, t->mem, 1 << 20);
	CHECK_OK(workflow_show_tree(&out, t->mem, &shown, &options));
	CHECK_TEXT(lb_buf_text(&out), want);
	lb_buf_reset(&out);
	options.colours = options.all = true;
	CHECK_OK(workflow_show_tree(&out, t->mem, &shown, &options));
	CHECK(lb_bytes_find(lb_buf_bytes(&out), LB_B("\033[33mwaits\033[0m")) != SIZE_MAX);
	CHECK(lb_bytes_find(lb_buf_bytes(&out), LB_B("│  └─ test (7) on")) != SIZE_MAX);
	lb_buf_release(&out);
	run_close(&run);
}

TEST(a_workflow_that_does_not_run_says_why)
{
	struct run run = run_new(t, source, &called);
	struct workflow_event event = { .name = LB_LIT("release") };
	struct workflow_shown shown = shown_of(&run);
	struct workflow_tree_options options = { 0 };
	struct workflow_mismatch why = { 0 };
	struct lb_value *json;
	struct lb_buf out;

	lb_buf_init(&out, t->mem, 1 << 20);
	CHECK(!workflow_matches_event(run.workflow, &event, &why));
	shown.why_not = &why;
	shown.plan = NULL;
	CHECK_OK(workflow_show_tree(&out, t->mem, &shown, &options));
	CHECK_TEXT(lb_buf_text(&out), "A & <b> (ci.yml) on push of refs/heads/main: does not run\n"
	                              "  ci.yml:2:5: on: 'release' is not among its events\n");
	CHECK_OK(workflow_show_json(&json, &run.arena, &shown));
	CHECK_TEXT(support_text(&run.arena, json),
	           "{\"file\":\"ci.yml\",\"workflow\":\"A & <b>\",\"event\":\"push\",\"ref\":"
	           "\"refs/heads/main\",\"runs\":false,\"why\":{\"text\":\"on: 'release' is not "
	           "among its events\",\"file\":\"ci.yml\",\"line\":2,\"column\":5}}");
	lb_buf_reset(&out);
	CHECK_OK(workflow_show_drawing(&out, t->mem, &shown, NULL));
	lb_buf_release(&out);
	run_close(&run);
}

static size_t count_of(struct lb_bytes text, struct lb_bytes what)
{
	size_t count = 0, at;

	while ((at = lb_bytes_find(text, what)) != SIZE_MAX) {
		text = lb_bytes_from(text, at + what.len);
		count++;
	}
	return count;
}

TEST(a_drawing_has_a_box_for_each_job_and_a_line_for_each_need_that_matters)
{
	struct run run = look_ahead(t);
	struct workflow_shown shown = shown_of(&run);
	struct lb_buf out;
	struct lb_bytes svg;

	lb_buf_init(&out, t->mem, 1 << 20);
	CHECK_OK(workflow_show_drawing(&out, t->mem, &shown, NULL));
	svg = lb_buf_bytes(&out);
	CHECK(count_of(svg, LB_B("class=\"job\"")) == 8);
	CHECK(count_of(svg, LB_B("class=\"call\"")) == 1);
	CHECK(count_of(svg, LB_B("class=\"need\"")) == 6); /* of 8: two are implied */
	CHECK(count_of(svg, LB_B("<title id=\"title\">A &amp; &lt;b&gt; on push</title>")) == 1);
	CHECK(count_of(svg, LB_B("<desc id=\"desc\">11 jobs run, 1 skipped, 1 waiting, 1 "
	                         "failing</desc>")) == 1);
	CHECK(count_of(svg, LB_B("7 jobs</text>")) == 1);
	CHECK(count_of(svg, LB_B("\033")) == 0);
	lb_buf_release(&out);
	run_close(&run);
}

TEST(a_drawing_of_too_many_jobs_is_refused)
{
	struct workflow_shown shown;
	struct lb_diag diag = { 0 };
	struct lb_buf text, out;
	struct run run;

	lb_buf_init(&text, t->mem, 1 << 20);
	lb_buf_init(&out, t->mem, 1 << 24);
	lb_buf_add_text(&text, HEAD);
	for (unsigned i = 0; i <= WORKFLOW_DRAWING_BOXES_MAX; i++)
		lb_buf_addf(&text, "  j%u: {runs-on: x, steps: [{run: y}]}\n", i);
	run = run_new(t, lb_buf_text(&text), NULL);
	shown = shown_of(&run);
	CHECK(lb_code_of(workflow_show_drawing(&out, t->mem, &shown, &diag)) == LB_E_LIMIT);
	CHECK_TEXT(diag.text, "1001 jobs are too many to draw: more than 1000");
	lb_buf_release(&out);
	lb_buf_release(&text);
	run_close(&run);
}

static lb_err show_all(struct run *run, struct lb_buf *out)
{
	struct workflow_shown shown = shown_of(run);
	struct workflow_tree_options options = { 0 };
	struct lb_value *json;

	LB_TRY(workflow_plan_look_ahead(run->plan, NULL, NULL, NULL));
	LB_TRY(workflow_show_tree(out, run->t->mem, &shown, &options));
	LB_TRY(workflow_show_json(&json, &run->arena, &shown));
	return workflow_show_drawing(out, run->t->mem, &shown, NULL);
}

TEST(showing_survives_every_oom)
{
	EACH_OOM (t) {
		struct lb_diag diag = { 0 };
		struct lb_buf out;
		struct run run;
		lb_err err = run_open(&run, t,
		                      HEAD JOB("a") STEPS "  b:\n    needs: a\n    uses: "
		                                          "./.github/workflows/in.yml\n",
		                      &called, &diag);

		lb_buf_init(&out, t->mem, 1 << 20);
		if (!lb_failed(err))
			err = show_all(&run, &out);
		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		lb_buf_release(&out);
		run_close(&run);
	}
}
