/* convert_steps.c - the steps of a job or of a composite action. */
#include "workflows/syntax/convert.h"
#include "workflows/syntax/ids.h"

struct steps {
	struct lb_arena *arena;
	struct problems *problems;
	enum schema_id if_place;
	struct ids ids;
	bool in_parallel;
};

static void convert_all(struct workflow_step **out, uint32_t *count, struct steps *s,
                        const struct workflow_token *token);

/* ---- ids ---- */

static void take_id(struct workflow_step *step, struct steps *s, const struct workflow_token *id)
{
	struct lb_bytes wrong = workflow_ids_take(&s->ids, id->text);

	if (wrong.len > 0)
		workflow_problem(s->problems, id, "%.*s", LB_FMT(wrong));
	step->id = id->text;
	step->id_given = true;
}

/* The first two parts of "owner/repo/path@ref"; false where it is not of that form. */
static bool split_action(struct lb_bytes *owner, struct lb_bytes *repository, struct lb_bytes uses)
{
	size_t at = lb_bytes_find_byte(uses, '@');
	struct lb_bytes ref, path, parts[2] = { { 0 }, { 0 } };
	size_t found = 0, start = 0;

	if (at == SIZE_MAX)
		return false;
	ref = lb_bytes_from(uses, at + 1);
	path = lb_bytes_upto(uses, at);
	if (ref.len == 0 || lb_bytes_find_byte(ref, '@') != SIZE_MAX)
		return false;
	for (size_t i = 0; i <= path.len && found < 2; i++) {
		if (i < path.len && path.at[i] != '/' && path.at[i] != '\\')
			continue;
		if (i > start)
			parts[found++] = lb_bytes_upto(lb_bytes_from(path, start), i - start);
		start = i + 1;
	}
	*owner = parts[0];
	*repository = parts[1];
	return found == 2;
}

static bool is_local(struct lb_bytes uses)
{
	return lb_bytes_starts(uses, LB_B("./")) || lb_bytes_starts(uses, LB_B(".\\"));
}

static const struct lb_bytes docker_prefix = LB_LIT("docker://");

static struct lb_bytes id_of_action(struct lb_arena *arena, struct lb_bytes uses)
{
	struct lb_bytes owner, repository;

	if (lb_bytes_starts(uses, docker_prefix))
		return lb_arena_format(arena, "__%.*s",
		                       LB_FMT(lb_bytes_from(uses, docker_prefix.len)));
	if (is_local(uses) || lb_bytes_starts(uses, LB_B("$/")))
		return LB_B("__self");
	if (split_action(&owner, &repository, uses))
		return lb_arena_format(arena, "__%.*s/%.*s", LB_FMT(owner), LB_FMT(repository));
	return LB_B("__run");
}

static struct lb_bytes default_id(struct lb_arena *arena, const struct workflow_step *step)
{
	switch (step->kind) {
	case WORKFLOW_STEP_USES: return id_of_action(arena, step->uses->text);
	case WORKFLOW_STEP_WAIT: return LB_B("__wait");
	case WORKFLOW_STEP_WAIT_ALL: return LB_B("__wait-all");
	case WORKFLOW_STEP_CANCEL: return LB_B("__cancel");
	case WORKFLOW_STEP_PARALLEL: return LB_B("__parallel");
	case WORKFLOW_STEP_RUN: break;
	}
	return LB_B("__run");
}

/* ---- kinds ---- */

static void check_uses(struct steps *s, const struct workflow_token *uses)
{
	struct lb_bytes owner, repository;

	if (lb_bytes_starts(uses->text, docker_prefix) || is_local(uses->text) ||
	    lb_bytes_starts(uses->text, LB_B("$/")))
		return;
	if (!split_action(&owner, &repository, uses->text))
		workflow_problem(s->problems, uses,
		                 "Expected format {org}/{repo}[/path]@ref. Actual '%.*s'",
		                 LB_FMT(uses->text));
}

/* wait and cancel name steps that came before. */
static void check_targets(struct steps *s, const struct workflow_step *step)
{
	for (uint32_t i = 0; i < step->targets.count; i++) {
		const struct workflow_token *target = step->targets.at[i];
		struct lb_bytes id = target->text;

		if (lb_bytes_starts(id, LB_B("__")))
			workflow_problem(
				s->problems, target,
				"The identifier '%.*s' is invalid. IDs starting with '__' are "
				"reserved.",
				LB_FMT(id));
		else if (step->id_given && lb_bytes_eq_nocase(step->id, id))
			workflow_problem(s->problems, target, "Step '%.*s' cannot reference itself",
			                 LB_FMT(id));
		else if (lb_value_find(s->ids.taken, id) == NULL)
			workflow_problem(s->problems, target,
			                 "Step references unknown step ID '%.*s'", LB_FMT(id));
	}
}

static void convert_parallel(struct workflow_step *step, struct steps *s,
                             const struct workflow_token *token)
{
	static const char *const names[] = {
		[WORKFLOW_STEP_WAIT] = "wait",
		[WORKFLOW_STEP_WAIT_ALL] = "wait-all",
		[WORKFLOW_STEP_CANCEL] = "cancel",
		[WORKFLOW_STEP_PARALLEL] = NULL,
	};
	struct workflow_step *inner;

	if (s->in_parallel) {
		workflow_problem(s->problems, step->place,
		                 "Nested 'parallel' blocks are not allowed.");
		return;
	}
	s->in_parallel = true;
	convert_all(&inner, &step->step_count, s, token);
	s->in_parallel = false;
	step->steps = inner;
	for (uint32_t i = 0; i < step->step_count; i++) {
		if (inner[i].background)
			workflow_problem(
				s->problems, step->place,
				"'background' is not allowed inside a parallel block. Steps "
				"in a parallel block are automatically run as background "
				"steps.");
		if (inner[i].kind >= WORKFLOW_STEP_WAIT && names[inner[i].kind] != NULL)
			workflow_problem(s->problems, step->place,
			                 "'%s' is not allowed inside a parallel block.",
			                 names[inner[i].kind]);
	}
}

/* ---- one step ---- */

static void convert_kind(struct workflow_step *step, struct steps *s,
                         const struct workflow_token *token)
{
	const struct workflow_token *parallel = workflow_token_find(token, "parallel");
	const struct workflow_token *wait = workflow_token_find(token, "wait");
	const struct workflow_token *wait_all = workflow_token_find(token, "wait-all");
	const struct workflow_token *cancel = workflow_token_find(token, "cancel");

	step->kind = WORKFLOW_STEP_RUN;
	if (step->uses != NULL && step->run == NULL) {
		step->kind = WORKFLOW_STEP_USES;
		check_uses(s, step->uses);
	} else if (parallel != NULL) {
		step->kind = WORKFLOW_STEP_PARALLEL;
		convert_parallel(step, s, parallel);
	} else if (wait_all != NULL) {
		step->kind = WORKFLOW_STEP_WAIT_ALL;
		if (wait_all->kind == WORKFLOW_BOOLEAN && !wait_all->boolean)
			workflow_problem(s->problems, wait_all,
			                 "The value of 'wait-all' must be true or omitted");
	} else if (wait != NULL || cancel != NULL) {
		step->kind = wait != NULL ? WORKFLOW_STEP_WAIT : WORKFLOW_STEP_CANCEL;
		step->targets = workflow_convert_list(s->arena, wait != NULL ? wait : cancel);
		check_targets(s, step);
	}
}

static void convert_step(struct workflow_step *step, struct steps *s,
                         const struct workflow_token *token)
{
	const struct workflow_token *id = workflow_token_find(token, "id");

	step->place = token;
	step->name = workflow_token_find(token, "name");
	step->run = workflow_token_find(token, "run");
	step->shell = workflow_token_find(token, "shell");
	step->working_directory = workflow_token_find(token, "working-directory");
	step->uses = workflow_token_find(token, "uses");
	step->with = workflow_token_find(token, "with");
	step->env = workflow_token_find(token, "env");
	step->timeout_minutes = workflow_token_find(token, "timeout-minutes");
	step->continue_on_error = workflow_token_find(token, "continue-on-error");
	step->background = workflow_literal_true(workflow_token_find(token, "background"));
	if (id != NULL && id->text.len > 0)
		take_id(step, s, id);
	step->condition = workflow_convert_if(s->arena, workflow_token_find(token, "if"),
	                                      s->if_place, s->problems);
	convert_kind(step, s, token);
}

/* All steps first, then ids for those without, which keep clear of the given ones. */
static void convert_all(struct workflow_step **out, uint32_t *count, struct steps *s,
                        const struct workflow_token *token)
{
	struct workflow_step *steps;

	*out = NULL;
	*count = 0;
	if (token == NULL || token->kind != WORKFLOW_SEQUENCE)
		return;
	steps = LB_ARENA_NEW(s->arena, struct workflow_step, token->count);
	if (steps == NULL)
		return;
	for (uint32_t i = 0; i < token->count && !s->arena->failed; i++)
		convert_step(&steps[i], s, token->items[i]);
	for (uint32_t i = 0; i < token->count && !s->arena->failed; i++) {
		if (!steps[i].id_given)
			steps[i].id = workflow_ids_make(&s->ids, default_id(s->arena, &steps[i]));
	}
	*out = steps;
	*count = token->count;
}

const struct workflow_step *workflow_convert_steps(uint32_t *count, struct lb_arena *arena,
                                                   const struct workflow_token *steps,
                                                   enum schema_id if_place,
                                                   struct problems *problems)
{
	struct steps s = { .arena = arena, .problems = problems, .if_place = if_place };
	struct workflow_step *out;

	workflow_ids_init(&s.ids, arena);
	convert_all(&out, count, &s, steps);
	return out;
}
