/* action.c - see action.h. */
#include "workflows/step/action.h"

#include "workflows/syntax/convert.h"

/* What a struct workflow_action is the front of. */
struct parsed {
	struct workflow_action shown; /* first member */
	struct lb_mem *mem;
	struct lb_arena arena;
	struct problems problems;
};

/* ---- the tree ---- */

static void convert_inputs(struct parsed *p, const struct workflow_token *inputs)
{
	uint32_t count = inputs != NULL ? inputs->count / 2 : 0;
	struct workflow_action_input *out =
		LB_ARENA_NEW(&p->arena, struct workflow_action_input, count);

	for (uint32_t i = 0; i < count && out != NULL; i++) {
		const struct workflow_token *input = inputs->items[2 * i + 1];
		const struct workflow_token *required = workflow_token_find(input, "required");

		out[i].name = inputs->items[2 * i]->text;
		out[i].required = required != NULL && lb_bytes_is(required->text, "true");
		out[i].otherwise = workflow_token_find(input, "default");
		out[i].deprecation =
			workflow_literal(workflow_token_find(input, "deprecationMessage"));
	}
	p->shown.inputs = out;
	p->shown.input_count = count;
}

static void convert_outputs(struct parsed *p, const struct workflow_token *outputs)
{
	uint32_t count = outputs != NULL ? outputs->count / 2 : 0;
	struct workflow_action_output *out =
		LB_ARENA_NEW(&p->arena, struct workflow_action_output, count);

	for (uint32_t i = 0; i < count && out != NULL; i++) {
		out[i].name = outputs->items[2 * i]->text;
		out[i].value = workflow_token_find(outputs->items[2 * i + 1], "value");
	}
	p->shown.outputs = out;
	p->shown.output_count = count;
}

/* pre-if and post-if run whatever happened, where they say nothing. */
static const struct workflow_token *convert_condition(struct parsed *p,
                                                      const struct workflow_token *runs,
                                                      const char *key)
{
	const struct workflow_token *token = workflow_token_find(runs, key);

	return token == NULL
	               ? NULL
	               : workflow_convert_if(&p->arena, token, SCHEMA_action_if, &p->problems);
}

static void convert_kind(struct parsed *p, const struct workflow_token *using)
{
	struct workflow_action *out = &p->shown;

	out->using = workflow_literal(using);
	if (lb_bytes_is(out->using, "composite"))
		out->kind = WORKFLOW_ACTION_COMPOSITE;
	else if (lb_bytes_is(out->using, "docker"))
		out->kind = WORKFLOW_ACTION_DOCKER;
	else if (lb_bytes_starts(out->using, LB_B("node")))
		out->kind = WORKFLOW_ACTION_NODE;
	else
		workflow_problem(&p->problems, using,
		                 "'using: %.*s' is not supported, use 'docker', 'node12', "
		                 "'node16', 'node20', 'node24' or 'composite' instead.",
		                 LB_FMT(out->using));
}

static void convert_runs(struct parsed *p, const struct workflow_token *runs)
{
	struct workflow_action *out = &p->shown;
	bool docker;

	convert_kind(p, workflow_token_find(runs, "using"));
	docker = out->kind == WORKFLOW_ACTION_DOCKER;
	out->main = workflow_literal(workflow_token_find(runs, docker ? "entrypoint" : "main"));
	out->pre = workflow_literal(workflow_token_find(runs, docker ? "pre-entrypoint" : "pre"));
	out->post =
		workflow_literal(workflow_token_find(runs, docker ? "post-entrypoint" : "post"));
	out->image = workflow_literal(workflow_token_find(runs, "image"));
	out->args = workflow_token_find(runs, "args");
	out->env = workflow_token_find(runs, "env");
	out->pre_if = convert_condition(p, runs, "pre-if");
	out->post_if = convert_condition(p, runs, "post-if");
	out->steps = workflow_convert_steps(&out->step_count, &p->arena,
	                                    workflow_token_find(runs, "steps"),
	                                    SCHEMA_action_step_if, &p->problems);
}

static lb_err read(struct parsed *p, struct lb_bytes source)
{
	const struct workflow_token *root;

	LB_TRY(workflow_read_tokens(&root, NULL, &p->arena, source, SCHEMA_action, NULL,
	                            &p->problems));
	if (root != NULL && p->problems.errors == 0) {
		p->shown.name = workflow_literal(workflow_token_find(root, "name"));
		p->shown.description = workflow_literal(workflow_token_find(root, "description"));
		convert_inputs(p, workflow_token_find(root, "inputs"));
		convert_outputs(p, workflow_token_find(root, "outputs"));
		convert_runs(p, workflow_token_find(root, "runs"));
	}
	return workflow_problems_take(&p->shown.problems, &p->shown.problem_count, &p->problems);
}

lb_err workflow_action_check(struct workflow_action **out, struct lb_mem *mem,
                             struct lb_bytes source)
{
	struct parsed *p = LB_NEW(mem, struct parsed, 1);
	lb_err err;

	*out = NULL;
	if (p == NULL)
		return lb_err_of(LB_E_NOMEM);
	p->mem = mem;
	lb_arena_init(&p->arena, mem);
	workflow_problems_init(&p->problems, &p->arena);
	err = read(p, source);
	workflow_problems_release(&p->problems);
	if (lb_failed(err))
		workflow_action_free(&p->shown);
	else
		*out = &p->shown;
	return err;
}

lb_err workflow_action_parse(struct workflow_action **out, struct lb_mem *mem,
                             struct lb_bytes source, const char *file_name, struct lb_diag *diag)
{
	lb_err err;

	LB_TRY(workflow_action_check(out, mem, source));
	err = workflow_problems_first((*out)->problems, (*out)->problem_count, file_name, diag);
	if (lb_failed(err)) {
		workflow_action_free(*out);
		*out = NULL;
	}
	return err;
}

void workflow_action_free(struct workflow_action *action)
{
	struct parsed *p = (struct parsed *)action;

	if (action == NULL)
		return;
	lb_arena_release(&p->arena);
	LB_DROP(p->mem, p, 1);
}

/* ---- evaluating ---- */

lb_err workflow_action_inputs(const struct lb_value **out, struct lb_arena *arena,
                              const struct workflow_action *action, const struct lb_value *with,
                              const struct workflow_scope *scope, struct lb_diag *diag)
{
	struct lb_value *inputs = lb_value_object(arena);

	*out = inputs;
	for (uint32_t i = 0; i < action->input_count; i++) {
		const struct workflow_action_input *input = &action->inputs[i];
		const struct lb_value *given = workflow_member(with, input->name);
		struct lb_bytes text;

		if (given != NULL)
			text = workflow_to_text(arena, given);
		else
			LB_TRY(workflow_token_text(&text, arena, input->otherwise, scope, diag));
		lb_value_set(arena, inputs, input->name, lb_value_string(arena, text));
	}
	for (uint32_t i = 0; with != NULL && with->kind == LB_OBJECT && i < with->count; i++) {
		if (workflow_member(inputs, with->members[i].key) == NULL)
			lb_value_set(arena, inputs, with->members[i].key, with->members[i].value);
	}
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err workflow_action_outputs(const struct lb_value **out, struct lb_arena *arena,
                               const struct workflow_action *action,
                               const struct workflow_scope *scope, struct lb_diag *diag)
{
	struct lb_value *outputs = lb_value_object(arena);

	*out = outputs;
	for (uint32_t i = 0; i < action->output_count; i++) {
		struct lb_bytes text;

		LB_TRY(workflow_token_text(&text, arena, action->outputs[i].value, scope, diag));
		lb_value_set(arena, outputs, action->outputs[i].name, lb_value_string(arena, text));
	}
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}
