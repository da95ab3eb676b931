/* script.c - see script.h. */
#include "workflows/lint/script.h"

#include "base/vec.h"
#include "workflows/expression/text.h"
#include "workflows/syntax/scalar.h"

enum { SCRIPTS_MAX = 10000 };

struct scripts {
	struct lb_arena *arena;
	struct lb_vec found;
	const struct workflow *workflow;
	const struct workflow_job *job;
	bool windows; /* the job may run there */
};

/* ---- which shell ---- */

/* Does it stand anywhere in it?  false for NULL. */
static bool mentions_windows(const struct workflow_token *token)
{
	if (token == NULL)
		return false;
	for (uint32_t i = 0; i < token->count; i++) {
		if (mentions_windows(token->items[i]))
			return true;
	}
	return workflow_find_fold(token->text, LB_B("windows")) != SIZE_MAX;
}

/* Labels that an expression gives, or a matrix that one does, may be any. */
static bool may_be_windows(const struct workflow_job *job)
{
	if (mentions_windows(job->runs_on))
		return true;
	if (!workflow_token_has_expression(job->runs_on))
		return false;
	return job->matrix == NULL || workflow_token_has_expression(job->matrix) ||
	       mentions_windows(job->matrix);
}

/* "bash -l {0}": the program's name decides. */
static const char *shell_of(const struct scripts *s, const struct workflow_step *step)
{
	static const char *const known[] = { "bash", "sh" };
	const struct workflow_token *shell = step->shell;
	struct lb_bytes name;

	if (shell == NULL)
		shell = s->job->default_shell;
	if (shell == NULL)
		shell = s->workflow->default_shell;
	if (shell == NULL)
		return s->windows ? NULL : "bash";
	if (shell->kind != WORKFLOW_STRING)
		return NULL;
	name = lb_bytes_trim(shell->text);
	name = lb_bytes_upto(name, lb_bytes_find_byte(name, ' '));
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (lb_bytes_is(name, known[i]))
			return known[i];
	}
	return NULL;
}

/* ---- the text ---- */

static bool is_one_line(struct lb_bytes text) { return lb_bytes_find_byte(text, '\n') == SIZE_MAX; }

/* A variable takes an expression's place: neither can be known. */
static void blank(unsigned char *at, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (at[i] != '\n')
			at[i] = '_';
	}
	if (is_one_line((struct lb_bytes){ at, len })) {
		at[0] = '$';
		at[1] = '{';
		at[len - 1] = '}';
	}
}

static struct lb_bytes text_of(struct lb_arena *arena, struct lb_bytes raw)
{
	struct lb_bytes text = lb_arena_bytes(arena, raw);
	struct workflow_segment segment = { 0 };

	while (!arena->failed && workflow_scalar_segment(&segment, raw))
		blank((unsigned char *)(uintptr_t)text.at + segment.start,
		      segment.end - segment.start);
	return text;
}

static void add_steps(struct scripts *s, const struct workflow_step *steps, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct workflow_step *step = &steps[i];
		const char *shell = step->run != NULL ? shell_of(s, step) : NULL;
		struct workflow_script *script;

		add_steps(s, step->steps, step->step_count);
		if (shell == NULL)
			continue;
		script = lb_vec_add(&s->found);
		if (script == NULL)
			return;
		*script = (struct workflow_script){ step->run, shell,
			                            text_of(s->arena, step->run->raw) };
	}
}

lb_err workflow_scripts(const struct workflow_script **out, uint32_t *count, struct lb_arena *arena,
                        const struct workflow *workflow)
{
	struct scripts s = { .arena = arena, .workflow = workflow };
	struct workflow_script *copy;
	lb_err err;

	*out = NULL;
	*count = 0;
	lb_vec_init(&s.found, arena->under, sizeof(struct workflow_script), SCRIPTS_MAX);
	for (uint32_t i = 0; i < workflow->job_count; i++) {
		s.job = &workflow->jobs[i];
		s.windows = may_be_windows(s.job);
		add_steps(&s, s.job->steps, s.job->step_count);
	}
	err = lb_code_of(lb_vec_check(&s.found)) == LB_E_NOMEM ? lb_err_of(LB_E_NOMEM) : LB_OK;
	copy = LB_ARENA_NEW(arena, struct workflow_script, s.found.count);
	if (!lb_failed(err) && arena->failed)
		err = lb_err_of(LB_E_NOMEM);
	if (!lb_failed(err) && s.found.count > 0) {
		memcpy(copy, s.found.at, s.found.count * sizeof *copy);
		*out = copy;
		*count = (uint32_t)s.found.count;
	}
	lb_vec_release(&s.found);
	return err;
}
