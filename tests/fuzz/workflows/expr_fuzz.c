/* expr_fuzz.c - any bytes as an expression: parsed, evaluated, printed. */
#include "workflows/expression/expr.h"

#include "base/data/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char contexts[] =
		"{\"github\": {\"ref\": \"main\", \"event\": {\"labels\": [{\"name\": \"a\"}, "
		"{\"name\": \"B\"}], \"n\": 1.5}}, \"env\": {\"A\": \"\"}, \"matrix\": null, "
		"\"needs\": {\"a\": {\"outputs\": {\"x\": \"[1,2]\"}}}}";
	struct workflow_scope scope = { .bytes_max = 1 << 16 };
	const struct workflow_expr *expr;
	const struct lb_value *value;
	struct lb_value *object = NULL;
	struct lb_arena arena;
	struct lb_diag diag = { 0 };

	lb_arena_init(&arena, &lb_mem_host);
	lb_ignore(lb_json_read(&object, &arena, lb_bytes_of(contexts), NULL));
	scope.contexts = object;
	if (!lb_failed(workflow_expr_parse(&expr, &arena, (struct lb_bytes){ data, size }, NULL,
	                                   &diag)) &&
	    !lb_failed(workflow_expr_evaluate(&value, &arena, expr, &scope, &diag)))
		(void)workflow_to_text(&arena, value);
	lb_arena_release(&arena);
	return 0;
}
