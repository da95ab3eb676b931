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

static struct workflow_allow allow_at(enum schema_id place)
{
	return (struct workflow_allow){ .contexts = workflow_schema[place].contexts,
		                        .calls = workflow_schema[place].calls };
}

/* NULL after a problem, or for memory. */
static const struct workflow_expr *parse(struct lb_arena *arena, struct lb_bytes text,
                                         enum schema_id place, const struct workflow_token *at,
                                         struct problems *problems)
{
	struct workflow_allow allow = allow_at(place);
	const struct workflow_expr *expr;
	struct lb_diag diag = { 0 };
	lb_err err = workflow_expr_parse(&expr, arena, text, &allow, &diag);

	if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM)
		workflow_problem(problems, at, "%s", diag.text);
	return expr;
}

void workflow_check_if(struct lb_arena *arena, const struct workflow_token *token,
                       enum schema_id place, struct problems *problems)
{
	(void)parse(arena, token->text, place, token, problems);
}

const struct workflow_token *workflow_convert_if(struct lb_arena *arena,
                                                 const struct workflow_token *token,
                                                 enum schema_id place, struct problems *problems)
{
	struct workflow_token *condition = condition_new(arena, token);
	struct lb_bytes text = token != NULL ? token->text : (struct lb_bytes){ 0 };
	const struct workflow_expr *expr;

	if (condition == NULL)
		return NULL;
	expr = parse(arena, text, place, token, problems);
	if (expr == NULL)
		return NULL;
	if (expr->root == NULL)
		text = LB_B("success()");
	else if ((expr->calls & (WORKFLOW_CALL_STATUS | WORKFLOW_CALL_STATUS_OF)) == 0)
		text = lb_arena_format(arena, "success() && (%.*s)", LB_FMT(text));
	condition->expr = parse(arena, text, place, token, problems);
	if (condition->expr == NULL)
		return NULL;
	condition->text = condition->expr->text;
	return condition;
}
