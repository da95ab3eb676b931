/* expr_fuzz.c - any bytes as an expression: parsed, looked at, evaluated, printed. */
#include "base/data/json.h"
#include "tests/fuzz/failing.h"
#include "workflows/expression/expr.h"
#include "workflows/expression/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char contexts[] =
	"{\"github\": {\"ref\": \"main\", \"event\": {\"labels\": [{\"name\": \"a\"}, "
	"{\"name\": \"B\"}], \"n\": 1.5}}, \"env\": {\"A\": \"\", \"\\u00df\": "
	"\"\\ud83d\\ude00\"}, "
	"\"matrix\": null, \"needs\": {\"a\": {\"outputs\": {\"x\": \"[1,2]\"}}}}";

static lb_err hash_files(struct lb_bytes *out, void *self, struct lb_arena *arena,
                         const struct lb_bytes *patterns, size_t count, struct lb_diag *diag)
{
	(void)self;
	(void)diag;
	*out = count > 0 ? lb_arena_bytes(arena, patterns[0]) : (struct lb_bytes){ 0 };
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static void visit(void *self, const struct workflow_path *path)
{
	(void)self;
	(void)path;
}

static void evaluate(struct lb_arena *arena, const struct workflow_expr *expr)
{
	struct workflow_scope scope = { .bytes_max = 1 << 16, .hash_files = hash_files };
	const struct lb_value *value;
	struct lb_value *object = NULL;
	struct lb_diag diag = { 0 };

	workflow_expr_paths(expr, visit, NULL);
	(void)workflow_expr_is_never(expr);
	(void)workflow_expr_needs_success(expr);
	lb_ignore(lb_json_read(&object, arena, lb_bytes_of(contexts), NULL));
	scope.contexts = object;
	if (!lb_failed(workflow_expr_evaluate(&value, arena, expr, &scope, &diag)))
		(void)workflow_to_text(arena, value);
}

static void target(struct lb_mem *mem, struct lb_bytes input, bool failing)
{
	static const struct workflow_allow little = { .contexts = WORKFLOW_CONTEXT(github),
		                                      .calls = WORKFLOW_CALL_STATUS };
	const struct workflow_expr *expr;
	struct lb_diag diag = { 0 };
	struct lb_arena arena;
	lb_err err;

	(void)failing;
	lb_arena_init(&arena, mem);
	lb_ignore(workflow_expr_parse(&expr, &arena, input, &little, NULL));
	err = workflow_expr_parse(&expr, &arena, input, NULL, &diag);
	if (!lb_failed(err))
		evaluate(&arena, expr);
	else if (lb_code_of(err) != LB_E_NOMEM && diag.text[0] == '\0')
		abort(); /* whatever is refused is told why */
	lb_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_twice(target, data, size);
}
