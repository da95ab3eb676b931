/* action_fuzz.c - any bytes as an action's manifest: parsed, its inputs and outputs evaluated. */
#include "tests/fuzz/failing.h"
#include "workflows/step/action.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void evaluate(struct lb_mem *mem, const struct workflow_action *action)
{
	struct workflow_scope scope = { .bytes_max = 1 << 16 };
	const struct lb_value *value;
	struct lb_arena arena;

	lb_arena_init(&arena, mem);
	lb_ignore(workflow_action_inputs(&value, &arena, action, NULL, &scope, NULL));
	lb_ignore(workflow_action_outputs(&value, &arena, action, &scope, NULL));
	lb_arena_release(&arena);
}

static void target(struct lb_mem *mem, struct lb_bytes input, bool failing)
{
	struct workflow_action *action;
	struct lb_diag diag = { 0 };
	lb_err err = workflow_action_parse(&action, mem, input, "action.yml", &diag);

	(void)failing;
	if (lb_failed(err) != (action == NULL) ||
	    (lb_failed(err) && lb_code_of(err) != LB_E_NOMEM && diag.text[0] == '\0'))
		abort();
	if (action != NULL)
		evaluate(mem, action);
	workflow_action_free(action);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_twice(target, data, size);
}
