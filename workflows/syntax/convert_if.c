/* convert_if.c - conditions, with the success() that they imply. */
#include "workflows/syntax/convert.h"

static struct workflow_token *condition_new(struct lb_arena *arena,
                                            const struct workflow_token *token)
{
	struct workflow_token *condition = LB_ARENA_NEW(arena, struct workflow_token, 1);

	if (condition == NULL)
		return NULL;
	if (token != NULL)
		*condition = *token;
	condition->kind = WORKFLOW_EXPRESSION;
	return condition;
}

const struct workflow_token *workflow_convert_if(struct lb_arena *arena,
                                                 const struct workflow_token *token,
                                                 enum schema_id place, struct problems *problems)
{
	struct workflow_allow allow = { .contexts = workflow_schema[place].contexts,
		                        .calls = workflow_schema[place].calls };
	struct workflow_token *condition = condition_new(arena, token);
	struct lb_bytes text = token != NULL ? token->text : (struct lb_bytes){ 0 };
	const struct workflow_expr *expr = NULL;
	struct lb_diag diag = { 0 };
	static const struct workflow_expr blank;
	lb_err err = LB_OK;

	if (condition == NULL)
		return NULL;
	if (text.len == 0)
		expr = &blank;
	else
		err = workflow_expr_parse(&expr, arena, text, &allow, &diag);
	if (lb_failed(err)) {
		if (lb_code_of(err) != LB_E_NOMEM)
			workflow_problem(problems, token, "%s", diag.text);
		return NULL;
	}
	condition->expr = expr;
	if ((expr->calls & (WORKFLOW_CALL_STATUS | WORKFLOW_CALL_STATUS_OF)) == 0)
		err = workflow_expr_after_success(&condition->expr, arena, expr, &allow, &diag);
	if (lb_failed(err)) {
		if (lb_code_of(err) != LB_E_NOMEM)
			workflow_problem(problems, token, "%s", diag.text);
		return NULL;
	}
	condition->text = condition->expr->text;
	return condition;
}
