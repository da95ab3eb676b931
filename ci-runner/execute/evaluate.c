/* evaluate.c - what expressions of a step can ask for. */
#include "ci-runner/execute/execution_priv.h"

static lb_err hash_files(struct lb_bytes *out, void *self, struct lb_arena *arena,
                         const struct lb_bytes *patterns, size_t count, struct lb_diag *diag)
{
	struct runner_execution *x = self;
	struct lb_value *request = lb_value_object(x->arena), *list = lb_value_array(x->arena);
	struct lb_value *answer;

	for (size_t i = 0; i < count; i++)
		lb_value_add(x->arena, list, lb_value_string(x->arena, patterns[i]));
	lb_value_set_text(x->arena, request, "do", "hash");
	lb_value_set_text(x->arena, request, "root", x->folders.workspace);
	lb_value_put(x->arena, request, "patterns", list);
	LB_TRY(runner_helper(&answer, x, x->running, request, false, NULL, diag));
	*out = lb_arena_bytes(arena, lb_value_get_string(answer, "hash"));
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

void runner_scope(struct workflow_scope *out, struct runner_execution *x,
                  const struct runner_frame *frame)
{
	*out = (struct workflow_scope){ .contexts = frame->contexts,
		                        .status = frame->status,
		                        .hash_files = hash_files,
		                        .self = x };
}
