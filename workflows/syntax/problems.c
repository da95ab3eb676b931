/* problems.c - what is wrong with a file, noted in the order found. */
#include "workflows/syntax/schema.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_BYTES_MAX = LB_DIAG_SIZE };

void workflow_problems_init(struct problems *problems, struct lb_arena *arena)
{
	*problems = (struct problems){ .arena = arena };
	lb_vec_init(&problems->found, arena->under, sizeof(struct workflow_problem),
	            WORKFLOW_PROBLEMS_MAX);
}

void workflow_problems_release(struct problems *problems) { lb_vec_release(&problems->found); }

/* What only the editor refuses may be an error already. */
static bool is_noted(const struct problems *problems, const struct workflow_token *at,
                     const char *text)
{
	for (size_t i = 0; i < problems->found.count; i++) {
		const struct workflow_problem *old =
			LB_VEC_AT(&problems->found, struct workflow_problem, i);

		if (at != NULL && old->line == at->line && old->column == at->column &&
		    lb_bytes_is(old->message, text))
			return true;
	}
	return false;
}

/* Beyond the maximum they are counted but not kept. */
__attribute__((format(printf, 4, 0))) static void note(struct problems *problems,
                                                       const struct workflow_token *at,
                                                       bool warning, const char *format,
                                                       va_list args)
{
	char text[MESSAGE_BYTES_MAX];
	struct workflow_problem *problem;

	problems->errors += !warning;
	if (problems->found.count >= WORKFLOW_PROBLEMS_MAX)
		return;
	(void)vsnprintf(text, sizeof text, format, args);
	if (warning && is_noted(problems, at, text))
		return;
	problem = lb_vec_add(&problems->found);
	if (problem == NULL) {
		problems->arena->failed = true;
		return;
	}
	problem->warning = warning;
	problem->message = lb_arena_bytes(problems->arena, lb_bytes_of(text));
	if (at != NULL) {
		problem->line = at->line;
		problem->column = at->column;
	}
}

void workflow_problem(struct problems *problems, const struct workflow_token *at,
                      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(problems, at, false, format, args);
	va_end(args);
}

void workflow_warning(struct problems *problems, const struct workflow_token *at,
                      const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(problems, at, true, format, args);
	va_end(args);
}

lb_err workflow_problems_take(const struct workflow_problem **out, uint32_t *count,
                              struct problems *problems)
{
	size_t found = problems->found.count;
	struct workflow_problem *copy =
		LB_ARENA_NEW(problems->arena, struct workflow_problem, found);

	*out = copy;
	*count = (uint32_t)found;
	if (problems->arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (found > 0)
		memcpy(copy, problems->found.at, found * sizeof *copy);
	return LB_OK;
}

lb_err workflow_problems_first(const struct workflow_problem *problems, uint32_t count,
                               const char *file_name, struct lb_diag *diag)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct workflow_problem *problem = &problems[i];

		if (problem->warning)
			continue;
		if (problem->line == 0)
			lb_diag_set(diag, "%s: %.*s", file_name, LB_FMT(problem->message));
		else
			lb_diag_set(diag, "%s (Line: %u, Col: %u): %.*s", file_name, problem->line,
			            problem->column, LB_FMT(problem->message));
		return lb_err_at(LB_E_INVALID, problem->line);
	}
	return LB_OK;
}
