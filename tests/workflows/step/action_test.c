/* action_test.c - action manifests: the three kinds, inputs, outputs, errors. */
#include "tests/workflows/support.h"

#include "workflows/step/action.h"

static const char composite[] = "name: Install\n"
				"description: x\n"
				"inputs:\n"
				"  tool: {required: true}\n"
				"  Where: {default: '${{ github.workspace }}/bin'}\n"
				"  none:\n"
				"outputs:\n"
				"  path: {value: '${{ steps.get.outputs.p }}'}\n"
				"runs:\n"
				"  using: composite\n"
				"  steps:\n"
				"    - {id: get, run: 'echo ${{ inputs.tool }}', shell: bash}\n"
				"    - {uses: ./other, if: failure(), with: {a: b}}\n";

TEST(a_composite_action_is_read)
{
	struct workflow_scope scope = { 0 };
	const struct lb_value *inputs, *outputs;
	struct workflow_action *action;
	struct lb_arena arena;

	lb_arena_init(&arena, t->mem);
	CHECK_OK(
		workflow_action_parse(&action, t->mem, lb_bytes_of(composite), "action.yml", NULL));
	CHECK(action->kind == WORKFLOW_ACTION_COMPOSITE && action->step_count == 2);
	CHECK_BYTES(action->steps[0].id, "get");
	CHECK_BYTES(action->steps[1].id, "__self");
	CHECK_BYTES(action->steps[1].condition->text, "failure()");
	CHECK(action->inputs[0].required && !action->inputs[1].required);
	scope.contexts = support_json(
		&arena,
		"{'github': {'workspace': '/w'}, 'steps': {'get': {'outputs': {'p': '/p'}}}}");
	CHECK_OK(workflow_action_inputs(&inputs, &arena, action,
	                                support_json(&arena, "{'TOOL': 'make', 'extra': '1'}"),
	                                &scope, NULL));
	CHECK_TEXT(support_text(&arena, inputs),
	           "{\"tool\":\"make\",\"Where\":\"/w/bin\",\"none\":\"\",\"extra\":\"1\"}");
	CHECK_OK(workflow_action_outputs(&outputs, &arena, action, &scope, NULL));
	CHECK_TEXT(support_text(&arena, outputs), "{\"path\":\"/p\"}");
	workflow_action_free(action);
	lb_arena_release(&arena);
}

TEST(node_and_docker_actions_are_read)
{
	struct workflow_action *action;

	CHECK_OK(
		workflow_action_parse(&action, t->mem,
	                              LB_B("runs: {using: node20, main: a.js, post: b.js, post-if: "
	                                   "success()}\n"),
	                              "action.yml", NULL));
	CHECK(action->kind == WORKFLOW_ACTION_NODE);
	CHECK_BYTES(action->main, "a.js");
	CHECK_BYTES(action->post, "b.js");
	CHECK(action->pre_if == NULL && action->post_if != NULL);
	workflow_action_free(action);
	CHECK_OK(workflow_action_parse(&action, t->mem,
	                               LB_B("runs: {using: docker, image: Dockerfile, args: ['${{ "
	                                    "inputs.x }}'], entrypoint: /e.sh}\n"),
	                               "action.yml", NULL));
	CHECK(action->kind == WORKFLOW_ACTION_DOCKER && action->args->count == 1);
	CHECK_BYTES(action->image, "Dockerfile");
	CHECK_BYTES(action->main, "/e.sh");
	workflow_action_free(action);
}

static void refused(struct test *t, const char *text, const char *why)
{
	struct workflow_action *action;
	struct lb_diag diag = { 0 };

	CHECK(lb_code_of(workflow_action_parse(&action, t->mem, lb_bytes_of(text), "a.yml",
	                                       &diag)) == LB_E_INVALID);
	CHECK(action == NULL);
	CHECK_TEXT(diag.text, why);
}

TEST(bad_manifests_are_refused)
{
	refused(t, "name: x\n", "a.yml (Line: 1, Col: 1): Required property is missing: runs");
	refused(t, "runs: {using: perl, main: x}\n",
	        "a.yml (Line: 1, Col: 15): 'using: perl' is not supported, use 'docker', 'node12', "
	        "'node16', 'node20', 'node24' or 'composite' instead.");
	refused(t, "runs: {using: composite, steps: [{run: x}]}\n",
	        "a.yml (Line: 1, Col: 34): Required property is missing: shell");
	refused(t, "runs: {using: composite, steps: [{run: '${{ secrets.x }}', shell: sh}]}\n",
	        "a.yml (Line: 1, Col: 40): Unrecognized named-value: 'secrets'. Located at "
	        "position 1 "
	        "within expression: secrets.x");
}

TEST(reading_a_manifest_survives_every_oom)
{
	EACH_OOM (t) {
		struct workflow_action *action;
		lb_err err =
			workflow_action_parse(&action, t->mem, lb_bytes_of(composite), "a", NULL);

		CHECK(lb_failed(err) == t->heap.failed);
		CHECK(!lb_failed(err) || lb_code_of(err) == LB_E_NOMEM);
		CHECK(lb_failed(err) == (action == NULL));
		workflow_action_free(action);
	}
}
