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
static const struct workflow_expr *noted(const struct workflow_expr *expr, lb_err err,
                                         const struct lb_diag *diag,
                                         const struct workflow_token *at, struct problems *problems)
{
	if (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM)
		workflow_problem(problems, at, "%s", diag->text);
	return lb_failed(err) ? NULL : expr;
}

static const struct workflow_expr *parse(struct lb_arena *arena, struct lb_bytes text,
                                         enum schema_id place, const struct workflow_token *at,
                                         struct problems *problems)
{
	static const struct workflow_expr blank;
	struct workflow_allow allow = allow_at(place);
	const struct workflow_expr *expr;
	struct lb_diag diag;
	lb_err err;

	if (text.len == 0)
		return &blank;
	err = workflow_expr_parse(&expr, arena, text, &allow, &diag);
	return noted(expr, err, &diag, at, problems);
}

static const struct workflow_expr *after_success(struct lb_arena *arena,
                                                 const struct workflow_expr *expr,
                                                 enum schema_id place,
                                                 const struct workflow_token *at,
                                                 struct problems *problems)
{
	struct workflow_allow allow = allow_at(place);
	const struct workflow_expr *whole;
	struct lb_diag diag;
	lb_err err = workflow_expr_after_success(&whole, arena, expr, &allow, &diag);

	return noted(whole, err, &diag, at, problems);
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
	if (expr != NULL && (expr->calls & (WORKFLOW_CALL_STATUS | WORKFLOW_CALL_STATUS_OF)) == 0)
		expr = after_success(arena, expr, place, token, problems);
	if (expr == NULL)
		return NULL;
	condition->expr = expr;
	condition->text = expr->text;
	return condition;
}
