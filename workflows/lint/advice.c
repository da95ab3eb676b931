/* advice.c - see advice.h. */
#include "workflows/lint/advice.h"

#include "base/vec.h"
#include "workflows/expression/inspect.h"
#include "workflows/lint/place.h"
#include "workflows/syntax/scalar.h"

#include <stdarg.h>
#include <stdio.h>

struct spot {
	uint32_t line, column;
};

struct adviser {
	struct lb_arena *arena;
	struct lb_vec found;
	const struct workflow *workflow;
	struct lb_bytes source;
	const struct workflow_job *job; /* that is looked at; NULL: none */
	struct spot here;               /* of the expression that is looked at */
	bool script;                    /* it becomes part of a script */
	bool *never;                    /* by job */
};

static const char *const names[] = {
#define RULE(id, name, about) name,
#include "workflows/lint/rules.def"
#undef RULE
};

static const char *const abouts[] = {
#define RULE(id, name, about) about,
#include "workflows/lint/rules.def"
#undef RULE
};

const char *workflow_rule_name(enum workflow_rule rule) { return names[rule]; }
const char *workflow_rule_about(enum workflow_rule rule) { return abouts[rule]; }

/* Scripts are looked at twice: as expressions, and as scripts. */
static bool is_said(const struct adviser *a, const struct workflow_advice *new)
{
	for (size_t i = a->found.count; i-- > 0;) {
		const struct workflow_advice *old = LB_VEC_AT(&a->found, struct workflow_advice, i);

		if (old->rule == new->rule && old->line == new->line &&
		    old->column == new->column &&lb_bytes_eq(old->message, new->message))
			return true;
	}
	return false;
}

__attribute__((format(printf, 4, 5))) static void advise(struct adviser *a, enum workflow_rule rule,
                                                         struct spot at, const char *format, ...)
{
	struct workflow_advice new = { rule, at.line, at.column, { 0 } }, *advice;
	struct lb_diag text = { 0 };
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text.text, sizeof text.text, format, args);
	va_end(args);
	new.message = lb_bytes_of(text.text);
	if (a->found.count >= WORKFLOW_PROBLEMS_MAX || is_said(a, &new))
		return;
	new.message = lb_arena_bytes(a->arena, new.message);
	advice = lb_vec_add(&a->found);
	if (advice != NULL)
		*advice = new;
}

static struct spot spot_of(const struct workflow_token *token)
{
	return (struct spot){ token->line, token->column };
}

static bool is_part(const struct workflow_path *path, uint32_t index, const char *name)
{
	return index < path->count && lb_bytes_eq_nocase(path->parts[index], lb_bytes_of(name));
}

static bool is_any(struct lb_bytes part) { return lb_bytes_is(part, "*"); }

/* ---- what strangers can write ---- */

static const char *const untrusted[][WORKFLOW_PATH_PARTS_MAX] = {
#define UNTRUSTED(...) { __VA_ARGS__ },
#include "workflows/lint/untrusted.def"
#undef UNTRUSTED
};

/* Also where all of something is read that holds it: toJSON(github.event). */
static bool holds(const struct workflow_path *path, const char *const *parts)
{
	for (uint32_t i = 0; i < path->count && i < WORKFLOW_PATH_PARTS_MAX && parts[i] != NULL;
	     i++) {
		if (!is_any(path->parts[i]) && strcmp(parts[i], "*") != 0 &&
		    !is_part(path, i, parts[i]))
			return false;
	}
	return true;
}

static struct lb_bytes path_text(struct adviser *a, const struct workflow_path *path)
{
	struct lb_bytes text = path->parts[0];

	for (uint32_t i = 1; i < path->count; i++)
		text = lb_arena_format(a->arena, "%.*s.%.*s", LB_FMT(text), LB_FMT(path->parts[i]));
	return text;
}

static void check_injection(struct adviser *a, const struct workflow_path *path)
{
	if (!a->script || !path->flows)
		return;
	for (size_t i = 0; i < sizeof untrusted / sizeof untrusted[0]; i++) {
		if (!holds(path, untrusted[i]))
			continue;
		advise(a, WORKFLOW_RULE_SCRIPT_INJECTION, a->here,
		       "strangers can write %.*s, and it becomes part of the script; pass it "
		       "through `env`",
		       LB_FMT(path_text(a, path)));
		return;
	}
}

/* ---- what does not exist ---- */

/* Does the job that has steps define it?  What a called workflow defines is not known here. */
static bool has_output(const struct workflow_job *job, struct lb_bytes name)
{
	if (job->uses != NULL || is_any(name))
		return true;
	for (uint32_t i = 0; job->outputs != NULL && i + 1 < job->outputs->count; i += 2) {
		if (job->outputs->items[i]->kind != WORKFLOW_STRING ||
		    lb_bytes_eq_nocase(job->outputs->items[i]->text, name))
			return true;
	}
	return job->outputs != NULL && job->outputs->kind != WORKFLOW_MAPPING;
}

static void check_output(struct adviser *a, const struct workflow_path *path,
                         const struct workflow_job *job)
{
	if (is_part(path, 2, "outputs") && path->count > 3 && !has_output(job, path->parts[3]))
		advise(a, WORKFLOW_RULE_UNKNOWN_OUTPUT, a->here, "job '%.*s' has no output '%.*s'",
		       LB_FMT(job->id), LB_FMT(path->parts[3]));
}

static void check_need(struct adviser *a, const struct workflow_path *path)
{
	for (uint32_t i = 0; i < a->job->need_count; i++) {
		if (lb_bytes_eq_nocase(a->job->needs[i]->id, path->parts[1])) {
			check_output(a, path, a->job->needs[i]);
			return;
		}
	}
	advise(a, WORKFLOW_RULE_UNKNOWN_NEED, a->here, "job '%.*s' does not need a job '%.*s'",
	       LB_FMT(a->job->id), LB_FMT(path->parts[1]));
}

static bool has_step(const struct workflow_step *steps, uint32_t count, struct lb_bytes id)
{
	for (uint32_t i = 0; i < count; i++) {
		if (lb_bytes_eq_nocase(steps[i].id, id) ||
		    has_step(steps[i].steps, steps[i].step_count, id))
			return true;
	}
	return false;
}

static bool has_input(const struct workflow *workflow, struct lb_bytes name)
{
	for (uint32_t i = 0; i < workflow->trigger_count; i++) {
		const struct workflow_trigger *trigger = &workflow->triggers[i];

		for (uint32_t k = 0; k < trigger->input_count; k++) {
			if (lb_bytes_eq_nocase(trigger->inputs[k].name, name))
				return true;
		}
	}
	return false;
}

static void check_path(void *self, const struct workflow_path *path)
{
	struct adviser *a = self;
	const struct workflow_job *job;

	check_injection(a, path);
	if (path->count < 2 || is_any(path->parts[1]))
		return;
	if (is_part(path, 0, "inputs") && !has_input(a->workflow, path->parts[1]))
		advise(a, WORKFLOW_RULE_UNKNOWN_INPUT, a->here, "the workflow has no input '%.*s'",
		       LB_FMT(path->parts[1]));
	if (a->job == NULL) {
		job = is_part(path, 0, "jobs") ? workflow_job_find(a->workflow, path->parts[1])
		                               : NULL;
		if (job != NULL)
			check_output(a, path, job);
	} else if (is_part(path, 0, "needs")) {
		check_need(a, path);
	} else if (is_part(path, 0, "steps") &&
	           !has_step(a->job->steps, a->job->step_count, path->parts[1])) {
		advise(a, WORKFLOW_RULE_UNKNOWN_STEP, a->here, "job '%.*s' has no step '%.*s'",
		       LB_FMT(a->job->id), LB_FMT(path->parts[1]));
	}
}

/* The text between ${{ and }}, at its own place. */
static void check_segment(struct adviser *a, struct lb_bytes inside)
{
	const struct workflow_expr *expr;

	if (!lb_failed(workflow_expr_parse(&expr, a->arena, inside, NULL, NULL)))
		workflow_expr_paths(expr, check_path, a);
}

/* `script`: what the expression gives becomes part of a script. */
static void check_expression(struct adviser *a, const struct workflow_token *token, bool script)
{
	struct workflow_segment segment = { 0 };
	struct workflow_place place;

	a->script = script;
	a->here = spot_of(token);
	if (lb_bytes_find(token->raw, LB_B("${{")) == SIZE_MAX) { /* a condition */
		workflow_expr_paths(token->expr, check_path, a);
		return;
	}
	workflow_place_init(&place, a->source, token);
	while (workflow_scalar_segment(&segment, token->raw)) {
		workflow_place_go(&place, segment.start);
		a->here = (struct spot){ place.line, place.column };
		check_segment(a, segment.inside);
	}
}

/* Every expression in it, but for conditions, which are there with what they imply. */
static void check_tree(struct adviser *a, const struct workflow_token *token)
{
	bool mapping = token->kind == WORKFLOW_MAPPING;

	if (token->kind == WORKFLOW_EXPRESSION)
		check_expression(a, token, false);
	for (uint32_t i = 0; i < token->count; i++) {
		if (mapping && i % 2 == 1 && lb_bytes_is(token->items[i - 1]->text, "if"))
			continue;
		check_tree(a, token->items[i]);
	}
}

/* ---- actions ---- */

/* "a/b@<commit>", "docker://a@sha256:...", "./a": what no one can change afterwards. */
static bool is_pinned(struct lb_bytes uses)
{
	size_t at = lb_bytes_find_byte(uses, '@');
	struct lb_bytes ref;

	if (lb_bytes_starts(uses, LB_B("./")) || lb_bytes_starts(uses, LB_B("$/")))
		return true;
	if (lb_bytes_starts(uses, LB_B("docker://")))
		return lb_bytes_find(uses, LB_B("@sha256:")) != SIZE_MAX;
	if (at == SIZE_MAX)
		return true; /* it names no version that could change; GitHub says what it is */
	ref = lb_bytes_from(uses, at + 1);
	for (size_t i = 0; i < ref.len; i++) {
		if (strchr("0123456789abcdefABCDEF", ref.at[i]) == NULL)
			return false;
	}
	return ref.len == 40 || ref.len == 64;
}

static void check_uses(struct adviser *a, const struct workflow_token *uses)
{
	if (uses != NULL && uses->kind == WORKFLOW_STRING && !is_pinned(uses->text))
		advise(a, WORKFLOW_RULE_UNPINNED_ACTION, spot_of(uses),
		       "%.*s can change; name a commit by its full SHA%s", LB_FMT(uses->text),
		       lb_bytes_starts(uses->text, LB_B("docker://")) ? "-256 digest" : "");
}

/* ---- commands of scripts ---- */

static const struct {
	const char *text, *instead;
} commands[] = {
	{ "::set-output name=", "is deprecated; write NAME=VALUE to $GITHUB_OUTPUT" },
	{ "::save-state name=", "is deprecated; write NAME=VALUE to $GITHUB_STATE" },
	{ "::set-env name=", "is refused; write NAME=VALUE to $GITHUB_ENV" },
	{ "::add-path::", "is refused; write the folder to $GITHUB_PATH" },
};

static void check_commands(struct adviser *a, const struct workflow_token *run)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		struct lb_bytes text = lb_bytes_of(commands[i].text);
		size_t at = lb_bytes_find(run->raw, text);
		struct workflow_place place;

		if (at == SIZE_MAX)
			continue;
		workflow_place_init(&place, a->source, run);
		workflow_place_go(&place, at);
		advise(a, WORKFLOW_RULE_OLD_COMMAND, (struct spot){ place.line, place.column },
		       "'%.*s' %s", LB_FMT(lb_bytes_upto(text, lb_bytes_find_byte(text, ' '))),
		       commands[i].instead);
	}
}

/* ---- steps ---- */

static void check_steps(struct adviser *a, const struct workflow_step *steps, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct workflow_step *step = &steps[i];
		const struct workflow_token *script = step->run;

		check_uses(a, step->uses);
		check_expression(a, step->condition, false);
		if (step->run != NULL)
			check_commands(a, step->run);
		if (step->uses != NULL &&
		    lb_bytes_starts(step->uses->text, LB_B("actions/github-script@")))
			script = workflow_token_find(step->with, "script");
		if (script != NULL && script->kind == WORKFLOW_EXPRESSION)
			check_expression(a, script, true);
		check_steps(a, step->steps, step->step_count);
	}
}

/* ---- jobs ---- */

/* A job that needs one that never runs is skipped as well, unless it asks for less than success. */
static bool is_never(struct adviser *a, const struct workflow_job *job)
{
	if (workflow_expr_is_never(job->condition->expr))
		return true;
	for (uint32_t i = 0; i < job->need_count; i++) {
		if (a->never[job->needs[i]->index] &&
		    workflow_expr_needs_success(job->condition->expr))
			return true;
	}
	return false;
}

/* Jobs may stand before those that they need: until nothing more is found. */
static void check_reachable(struct adviser *a)
{
	bool more = true;

	while (more) {
		more = false;
		for (uint32_t i = 0; i < a->workflow->job_count; i++) {
			const struct workflow_job *job = &a->workflow->jobs[i];

			if (a->never[i] || !is_never(a, job))
				continue;
			a->never[i] = more = true;
			advise(a, WORKFLOW_RULE_UNREACHABLE_JOB, spot_of(job->place),
			       "job '%.*s' can never run: %s", LB_FMT(job->id),
			       workflow_expr_is_never(job->condition->expr)
			               ? "its condition is always false"
			               : "it needs the success of a job that never runs");
		}
	}
}

static void check_job(struct adviser *a, const struct workflow_job *job,
                      const struct workflow_token *token)
{
	a->job = job;
	check_uses(a, job->uses);
	check_expression(a, job->condition, false);
	check_tree(a, token);
	check_steps(a, job->steps, job->step_count);
}

static void check_workflow(struct adviser *a)
{
	const struct workflow *w = a->workflow;
	const struct workflow_token *jobs = workflow_token_find(w->root, "jobs");

	for (uint32_t i = 0; i < w->root->count; i += 2) {
		if (w->root->items[i + 1] != jobs)
			check_tree(a, w->root->items[i + 1]);
	}
	for (uint32_t i = 0; jobs != NULL && i < w->job_count; i++)
		check_job(a, &w->jobs[i], jobs->items[2 * w->jobs[i].index + 1]);
	check_reachable(a);
}

/* Jobs of a file with faults may lack conditions and needs. */
static bool has_faults(const struct workflow *workflow)
{
	for (uint32_t i = 0; i < workflow->problem_count; i++) {
		if (!workflow->problems[i].warning)
			return true;
	}
	return workflow->root == NULL || workflow->job_count == 0;
}

lb_err workflow_advise(const struct workflow_advice **out, uint32_t *count, struct lb_arena *arena,
                       const struct workflow *workflow, struct lb_bytes source)
{
	struct adviser a = { .arena = arena, .workflow = workflow, .source = source };
	struct workflow_advice *copy;
	lb_err err;

	*out = NULL;
	*count = 0;
	if (has_faults(workflow))
		return LB_OK;
	a.never = LB_ARENA_NEW(arena, bool, workflow->job_count);
	if (a.never == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_vec_init(&a.found, arena->under, sizeof(struct workflow_advice), WORKFLOW_PROBLEMS_MAX);
	check_workflow(&a);
	err = lb_vec_check(&a.found);
	copy = LB_ARENA_NEW(arena, struct workflow_advice, a.found.count);
	if (!lb_failed(err) && arena->failed)
		err = lb_err_of(LB_E_NOMEM);
	if (!lb_failed(err) && a.found.count > 0) {
		memcpy(copy, a.found.at, a.found.count * sizeof *copy);
		*out = copy;
		*count = (uint32_t)a.found.count;
	}
	lb_vec_release(&a.found);
	return err;
}
