/* reader_test.c - GitHub's own cases for reading workflow files: exact trees or exact errors.
 *
 * A case is options, a workflow, files that it calls, and the JSON expected, between lines
 * of "---".
 */
#include "tests/workflows/support.h"

#include "base/data/json.h"
#include "workflows/expression/text.h"
#include "workflows/syntax/call.h"

#include <math.h>
#include <stdlib.h>

enum { PARTS_MAX = 32, CALLS_MAX = 64, MESSAGE_MAX = 500, ERRORS_MAX = 10, DEPTH_DEFAULT = 4 };

/* GitHub has changed its mind: what the suite refuses, GitHub reads since 2025, its own package
 * included (differential_test.c). */
static const struct {
	const char *name, *was;
} changed[] = {
	{ "errors-anchor-tag.yml",
	  "Anchors are not currently supported. Remove the anchor 'echo'" },
};

struct suite {
	struct test *t;
	struct lb_arena arena;
	const char *name;
	struct lb_bytes parts[PARTS_MAX]; /* options, workflow, name, content, ..., JSON */
	size_t part_count;
	struct workflow *files[CALLS_MAX]; /* in the order called, one for each call */
	size_t call_count;
	struct lb_value *errors;
	bool source;               /* include file, line, column */
	unsigned file, file_count; /* whose tokens are written, from 1 */
	struct lb_value *file_table;
	bool rerun;                  /* of some jobs: the table of files is made anew, by name */
	bool strict;                 /* warnings are errors: a case of the editor's parser alone */
	struct reader_limits limits; /* the result's is what is left of it */
	uint32_t depth_max;
	size_t job_count, job_max; /* of all files; 0: no limit */
	struct workflow_permissions policy;
};

/* ---- the case's file ---- */

/* The last line end belongs to the "---" that follows. */
static struct lb_bytes without_end(struct lb_bytes part)
{
	if (part.len > 0)
		part.len--;
	return part;
}

static void split_parts(struct suite *s, struct lb_bytes text)
{
	struct lb_bytes rest = text, line;
	const unsigned char *start = text.at;

	s->part_count = 0;
	while (lb_bytes_split(&line, &rest, '\n')) {
		if (!lb_bytes_is(lb_bytes_trim(line), "---") || line.at[0] != '-')
			continue;
		s->parts[s->part_count++] =
			without_end((struct lb_bytes){ start, (size_t)(line.at - start) });
		start = rest.at;
		if (s->part_count == PARTS_MAX - 1)
			break;
	}
	s->parts[s->part_count++] =
		(struct lb_bytes){ start, (size_t)(text.at + text.len - start) };
}

static bool option(struct lb_bytes *value, struct suite *s, const char *name)
{
	struct lb_bytes rest = s->parts[0], line;

	while (lb_bytes_split(&line, &rest, '\n')) {
		size_t colon = lb_bytes_find_byte(line, ':');

		if (colon == SIZE_MAX || !lb_bytes_is(lb_bytes_upto(line, colon), name))
			continue;
		*value = lb_bytes_from(line, colon + 1);
		*value = lb_bytes_trim(lb_bytes_upto(*value, lb_bytes_find_byte(*value, '#')));
		return true;
	}
	return false;
}

static size_t number_option(struct suite *s, const char *name, size_t otherwise)
{
	struct lb_bytes value;
	uint64_t number = otherwise;

	if (option(&value, s, name))
		lb_ignore(lb_bytes_u64(&number, value, SIZE_MAX));
	return (size_t)number;
}

static void read_options(struct suite *s)
{
	struct lb_bytes value = { 0 };

	s->source = option(&value, s, "include-source") && lb_bytes_is(value, "true");
	s->strict = lb_bytes_find(s->parts[0], LB_B("C#")) != SIZE_MAX &&
	            lb_bytes_find(s->parts[0], LB_B("TypeScript")) == SIZE_MAX;
	s->limits = (struct reader_limits){ number_option(s, "max-file-size", 1 << 20),
		                            (uint32_t)number_option(s, "max-depth", 50),
		                            number_option(s, "max-result-size", 10 << 20) };
	/* GitHub counts the file's name as well */
	s->limits.result_bytes_max -= 26 + 2 * (strlen(s->name) + sizeof ".github/workflows/" - 1);
	s->job_max = number_option(s, "max-job-limit", 0);
	s->rerun = option(&value, s, "is-partial-rerun") && lb_bytes_is(value, "true");
	s->depth_max =
		(uint32_t)number_option(s, "max-nested-reusable-workflows-depth", DEPTH_DEFAULT);
	s->policy = (struct workflow_permissions){ .given = true };
	value = LB_B("Write");
	(void)option(&value, s, "permissions-policy");
	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT && lb_bytes_is(value, "Write"); i++)
		s->policy.of[i] = WORKFLOW_ACCESS_WRITE;
	if (!lb_bytes_is(value, "Write"))
		s->policy.of[WORKFLOW_PERMISSION_CONTENTS] =
			s->policy.of[WORKFLOW_PERMISSION_PACKAGES] = WORKFLOW_ACCESS_READ;
}

/* ---- errors ---- */

static void add_error(struct suite *s, struct lb_bytes message)
{
	struct lb_value *entry = lb_value_object(&s->arena);

	if (s->errors->count >= ERRORS_MAX)
		return;
	if (message.len > MESSAGE_MAX)
		message = lb_arena_format(&s->arena, "%.*s[...]",
		                          LB_FMT(lb_bytes_upto(message, MESSAGE_MAX)));
	lb_value_set_string(&s->arena, entry, "Message", message);
	lb_value_add(&s->arena, s->errors, entry);
}

/* `caller` NULL: in the run's own file. */
static void add_problems(struct suite *s, struct lb_bytes file,
                         const struct workflow_problem *problems, uint32_t count,
                         const struct workflow *in, const struct workflow_job *caller)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct workflow_problem *p = &problems[i];
		struct lb_bytes text = lb_arena_format(&s->arena, "%.*s", LB_FMT(file));

		if (p->warning && !s->strict)
			continue;
		if (p->line > 0)
			text = lb_arena_format(&s->arena, "%.*s (Line: %u, Col: %u)", LB_FMT(text),
			                       p->line, p->column);
		text = lb_arena_format(&s->arena, "%.*s: %.*s", LB_FMT(text), LB_FMT(p->message));
		if (caller != NULL)
			text = lb_arena_format(
				&s->arena,
				"In %.*s (Line: %u, Col: %u): Error from called workflow %.*s",
				LB_FMT(in->file_name), caller->uses->line, caller->uses->column,
				LB_FMT(text));
		add_error(s, text);
	}
}

/* ---- trees as GitHub writes them ---- */

static const char *const kind_keys[] = {
	[WORKFLOW_STRING] = "lit",
	[WORKFLOW_BOOLEAN] = "bool",
	[WORKFLOW_NUMBER] = "num",
	[WORKFLOW_EXPRESSION] = "expr",
};

static struct lb_value *plain(struct suite *s, const struct workflow_token *token)
{
	switch (token->kind) {
	case WORKFLOW_BOOLEAN: return lb_value_bool(&s->arena, token->boolean);
	case WORKFLOW_NUMBER:
		return isfinite(token->number) ? lb_value_number(&s->arena, token->number)
		                               : lb_value_string(&s->arena, token->text);
	case WORKFLOW_NULL: return lb_value_null(&s->arena);
	case WORKFLOW_STRING:
	case WORKFLOW_EXPRESSION:
	case WORKFLOW_SEQUENCE:
	case WORKFLOW_MAPPING:
	case WORKFLOW_INSERT: break;
	}
	return lb_value_string(&s->arena, token->text);
}

static struct lb_value *tree(struct suite *s, const struct workflow_token *token);

static void put_items(struct suite *s, struct lb_value *out, const struct workflow_token *token)
{
	struct lb_value *list = lb_value_array(&s->arena);
	bool mapping = token->kind == WORKFLOW_MAPPING;

	for (uint32_t i = 0; i < token->count; i++) {
		struct lb_value *pair;

		if (!mapping) {
			lb_value_add(&s->arena, list, tree(s, token->items[i]));
			continue;
		}
		pair = lb_value_object(&s->arena);
		lb_value_put(&s->arena, pair, "Key", tree(s, token->items[i]));
		lb_value_put(&s->arena, pair, "Value", tree(s, token->items[++i]));
		lb_value_add(&s->arena, list, pair);
	}
	if (token->count > 0)
		lb_value_put(&s->arena, out, mapping ? "map" : "seq", list);
}

static struct lb_value *tree(struct suite *s, const struct workflow_token *token)
{
	bool scalar = token->kind != WORKFLOW_MAPPING && token->kind != WORKFLOW_SEQUENCE;
	bool bare = scalar && token->kind != WORKFLOW_EXPRESSION && token->kind != WORKFLOW_INSERT;
	struct lb_value *out;

	if (bare && (!s->source || token->line == 0))
		return plain(s, token);
	out = lb_value_object(&s->arena);
	lb_value_set_number(&s->arena, out, "type", token->kind);
	if (s->source && token->line > 0) {
		lb_value_set_number(&s->arena, out, "file", s->file);
		lb_value_set_number(&s->arena, out, "line", token->line);
		lb_value_set_number(&s->arena, out, "col", token->column);
	}
	if (token->kind == WORKFLOW_INSERT)
		lb_value_set_text(&s->arena, out, "directive", "insert");
	else if (token->kind != WORKFLOW_NULL && scalar)
		lb_value_put(&s->arena, out, kind_keys[token->kind], plain(s, token));
	if (!scalar)
		put_items(s, out, token);
	return out;
}

static void put_tree(struct suite *s, struct lb_value *out, const char *key,
                     const struct workflow_token *token)
{
	if (token != NULL)
		lb_value_put(&s->arena, out, key, tree(s, token));
}

/* The suite is older than these. */
static bool in_suite(uint32_t permission)
{
	return permission != WORKFLOW_PERMISSION_ARTIFACT_METADATA &&
	       permission != WORKFLOW_PERMISSION_ATTESTATIONS &&
	       permission != WORKFLOW_PERMISSION_CODE_QUALITY &&
	       permission != WORKFLOW_PERMISSION_COPILOT_REQUESTS &&
	       permission != WORKFLOW_PERMISSION_DRIVES &&
	       permission != WORKFLOW_PERMISSION_MODELS &&
	       permission != WORKFLOW_PERMISSION_VULNERABILITY_ALERTS;
}

static void put_permissions(struct suite *s, struct lb_value *out,
                            const struct workflow_permissions *permissions)
{
	static const char *const names[] = { "none", "read", "write" };
	struct lb_value *object = lb_value_object(&s->arena);

	if (!permissions->given)
		return;
	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT; i++) {
		if (permissions->of[i] != WORKFLOW_ACCESS_NONE && in_suite(i))
			lb_value_set_text(&s->arena, object,
			                  workflow_permission_name((enum workflow_permission)i),
			                  names[permissions->of[i]]);
	}
	lb_value_put(&s->arena, out, "permissions", object);
}

static void put_targets(struct suite *s, struct lb_value *out, const struct workflow_step *step)
{
	struct lb_value *list = lb_value_array(&s->arena);

	for (uint32_t i = 0; i < step->targets.count; i++)
		lb_value_add(&s->arena, list, tree(s, step->targets.at[i]));
	if (step->kind == WORKFLOW_STEP_WAIT)
		lb_value_put(&s->arena, out, "wait", list);
	if (step->kind == WORKFLOW_STEP_CANCEL)
		lb_value_put(&s->arena, out, "cancel", list->items[0]);
	if (step->kind == WORKFLOW_STEP_WAIT_ALL)
		lb_value_set_bool(&s->arena, out, "wait-all", true);
}

static struct lb_value *step_tree(struct suite *s, const struct workflow_step *step)
{
	static const char *const names[] = { [WORKFLOW_STEP_WAIT] = "Wait",
		                             [WORKFLOW_STEP_WAIT_ALL] = "Wait for all",
		                             [WORKFLOW_STEP_CANCEL] = "Cancel",
		                             [WORKFLOW_STEP_PARALLEL] = "Parallel group" };
	struct lb_value *out = lb_value_object(&s->arena);

	lb_value_set_string(&s->arena, out, "id", step->id);
	put_tree(s, out, "name", step->name);
	if (step->kind >= WORKFLOW_STEP_WAIT) {
		if (step->name == NULL)
			lb_value_set_text(&s->arena, out, "name", names[step->kind]);
		put_targets(s, out, step);
		return out;
	}
	lb_value_put(&s->arena, out, "if", tree(s, step->condition));
	put_tree(s, out, "continue-on-error", step->continue_on_error);
	put_tree(s, out, "timeout-minutes", step->timeout_minutes);
	put_tree(s, out, "env", step->env);
	put_tree(s, out, "working-directory", step->working_directory);
	put_tree(s, out, "shell", step->shell);
	put_tree(s, out, "run", step->run);
	put_tree(s, out, "uses", step->uses);
	put_tree(s, out, "with", step->with);
	if (step->background)
		lb_value_set_bool(&s->arena, out, "background", true);
	return out;
}

/* ---- called files ---- */

static struct lb_value *jobs_tree(struct suite *s, const struct workflow *workflow,
                                  const struct workflow_permissions *most, uint32_t depth);

static size_t find_part(struct suite *s, struct lb_bytes name)
{
	for (size_t i = 2; i + 1 < s->part_count - 1; i += 2) {
		struct lb_bytes line = lb_bytes_trim(s->parts[i]);

		if (lb_bytes_eq(line, name))
			return i + 1;
	}
	return 0;
}

/* What all files of a run come to together. */
static void count_file(struct suite *s, const struct workflow *file)
{
	size_t before = s->job_count;

	s->limits.result_bytes_max -= file->result_bytes < s->limits.result_bytes_max
	                                      ? file->result_bytes
	                                      : s->limits.result_bytes_max;
	s->job_count += file->job_count;
	if (s->job_max > 0 && before <= s->job_max && s->job_count > s->job_max)
		add_error(s, lb_arena_format(&s->arena,
		                             "The workflow may not contain more than %zu jobs",
		                             s->job_max));
}

static const struct workflow *called_file(struct suite *s, const struct workflow *in,
                                          const struct workflow_job *job)
{
	size_t part = find_part(s, job->uses->text);
	struct workflow *file;

	if (s->call_count == CALLS_MAX ||
	    lb_failed(workflow_check_within(&file, s->t->mem, s->parts[part],
	                                    lb_arena_text(&s->arena, job->uses->text), &s->limits)))
		return NULL;
	s->files[s->call_count++] = file;
	count_file(s, file);
	add_problems(s, job->uses->text, file->problems, file->problem_count, in, job);
	return file;
}

static void check_call(struct suite *s, const struct workflow *in, const struct workflow_job *job,
                       const struct workflow *called, const struct workflow_permissions *most)
{
	struct workflow_permissions limit = *most;
	const struct workflow_problem *list;
	struct problems problems;
	uint32_t count;

	/* What the suite is older than is let through. */
	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT; i++) {
		if (!in_suite(i))
			limit.of[i] = WORKFLOW_ACCESS_WRITE;
	}
	workflow_problems_init(&problems, &s->arena);
	workflow_call_check(job, called, job->uses->text, &limit, &problems);
	if (!lb_failed(workflow_problems_take(&list, &count, &problems)))
		add_problems(s, in->file_name, list, count, NULL, NULL);
	workflow_problems_release(&problems);
}

static const struct workflow_token *call_part(const struct workflow *called, const char *key)
{
	const struct workflow_token *on = workflow_token_find(called->root, "on");

	return workflow_token_find(workflow_token_find(on, "workflow_call"), key);
}

/* `most`: what the callers say the job may have; not given where they say nothing. */
static void put_call(struct suite *s, struct lb_value *out, const struct workflow *in,
                     const struct workflow_job *job, const struct workflow_permissions *most,
                     uint32_t depth)
{
	struct workflow_permissions own = job->permissions.given ? job->permissions : *most;
	const struct workflow *called;
	unsigned file = s->file;
	struct lb_bytes skip;

	put_tree(s, out, "ref", job->uses);
	put_tree(s, out, "input-values", job->with);
	put_tree(s, out, "secret-values", job->secrets);
	if (job->secrets_inherit)
		lb_value_set_bool(&s->arena, out, "inherit-secrets", true);
	put_permissions(s, out, &own);
	lb_value_put(&s->arena, out, "jobs", lb_value_array(&s->arena));
	if (option(&skip, s, "skip-reusable-workflows") || s->errors->count > 0)
		return;
	if (depth > s->depth_max) {
		add_error(s,
		          lb_arena_format(&s->arena, "Nested reusable workflow depth exceeded %u.",
		                          s->depth_max));
		return;
	}
	called = called_file(s, in, job);
	if (called == NULL || s->errors->count > 0)
		return;
	check_call(s, in, job, called, own.given ? &own : &s->policy);
	if (s->errors->count > 0)
		return;
	s->file = ++s->file_count;
	lb_value_add(&s->arena, s->file_table, lb_value_string(&s->arena, job->uses->text));
	put_tree(s, out, "input-definitions", call_part(called, "inputs"));
	put_tree(s, out, "secret-definitions", call_part(called, "secrets"));
	put_tree(s, out, "outputs", call_part(called, "outputs"));
	put_tree(s, out, "env", called->env);
	put_tree(s, out, "defaults", workflow_token_find(called->root, "defaults"));
	put_tree(s, out, "embedded-concurrency", called->concurrency);
	if (called->permissions.given)
		own = called->permissions;
	put_permissions(s, out, &own);
	lb_value_put(&s->arena, out, "jobs", jobs_tree(s, called, &own, depth));
	s->file = file;
}

/* ---- jobs ---- */

static void put_steps_job(struct suite *s, struct lb_value *out, const struct workflow_job *job,
                          const struct workflow_permissions *inherited)
{
	struct lb_value *steps = lb_value_array(&s->arena);

	put_tree(s, out, "continue-on-error", job->continue_on_error);
	put_tree(s, out, "timeout-minutes", job->timeout_minutes);
	put_tree(s, out, "cancel-timeout-minutes", job->cancel_timeout_minutes);
	put_tree(s, out, "env", job->env);
	put_tree(s, out, "environment", job->environment);
	put_tree(s, out, "runs-on", job->runs_on);
	put_tree(s, out, "container", job->container);
	put_tree(s, out, "services", job->services);
	put_tree(s, out, "outputs", job->outputs);
	put_tree(s, out, "snapshot", job->snapshot);
	put_permissions(s, out, job->permissions.given ? &job->permissions : inherited);
	for (uint32_t i = 0; i < job->step_count; i++)
		lb_value_add(&s->arena, steps, step_tree(s, &job->steps[i]));
	if (job->step_count > 0)
		lb_value_put(&s->arena, out, "steps", steps);
}

static void put_needs(struct suite *s, struct lb_value *out, const struct workflow_token *needs,
                      bool always)
{
	struct lb_value *list = lb_value_array(&s->arena);

	if (needs != NULL && needs->kind != WORKFLOW_SEQUENCE)
		lb_value_add(&s->arena, list, tree(s, needs));
	for (uint32_t i = 0; needs != NULL && i < needs->count; i++)
		lb_value_add(&s->arena, list, tree(s, needs->items[i]));
	if (always || list->count > 0)
		lb_value_put(&s->arena, out, "needs", list);
}

static struct lb_value *job_tree(struct suite *s, const struct workflow *workflow,
                                 const struct workflow_job *job,
                                 const struct workflow_permissions *most, uint32_t depth)
{
	const struct workflow_token *jobs = workflow_token_find(workflow->root, "jobs");
	const struct workflow_token *token = jobs->items[2 * job->index + 1];
	struct lb_value *out = lb_value_object(&s->arena);

	lb_value_set_text(&s->arena, out, "type",
	                  job->uses != NULL ? "reusableWorkflowJob" : "job");
	put_tree(s, out, "id", job->place);
	put_tree(s, out, "name", job->name);
	put_needs(s, out, workflow_token_find(token, "needs"), job->uses != NULL);
	lb_value_put(&s->arena, out, "if", tree(s, job->condition));
	put_tree(s, out, "strategy", job->strategy);
	put_tree(s, out, "concurrency", job->concurrency);
	put_tree(s, out, "defaults", workflow_token_find(token, "defaults"));
	if (job->uses != NULL)
		put_call(s, out, workflow, job, most, depth + 1);
	else
		put_steps_job(s, out, job, most);
	return out;
}

static struct lb_value *jobs_tree(struct suite *s, const struct workflow *workflow,
                                  const struct workflow_permissions *most, uint32_t depth)
{
	struct lb_value *jobs = lb_value_array(&s->arena);

	for (uint32_t i = 0; i < workflow->job_count; i++)
		lb_value_add(&s->arena, jobs,
		             job_tree(s, workflow, &workflow->jobs[i], most, depth));
	return jobs;
}

static void put_input_types(struct suite *s, struct lb_value *out, const struct workflow *workflow)
{
	static const char *const names[] = { "string", "boolean", "number", "choice",
		                             "environment" };
	const struct workflow_trigger *trigger =
		workflow_trigger_find(workflow, "workflow_dispatch");
	struct lb_value *types = lb_value_object(&s->arena);

	for (uint32_t i = 0; trigger != NULL && i < trigger->input_count; i++)
		lb_value_set(&s->arena, types, trigger->inputs[i].name,
		             lb_value_text(&s->arena, names[trigger->inputs[i].type]));
	if (types->count > 0)
		lb_value_put(&s->arena, out, "input-types", types);
}

static int by_text(const void *a, const void *b)
{
	const struct lb_value *const *x = a, *const *y = b;

	return lb_bytes_cmp((*x)->string, (*y)->string);
}

static const struct lb_value *actual(struct suite *s, const struct workflow *workflow)
{
	static const struct workflow_permissions unsaid;
	struct lb_value *out = lb_value_object(&s->arena), *jobs;

	s->file = s->file_count = 1;
	s->file_table = lb_value_array(&s->arena);
	lb_value_add(&s->arena, s->file_table, lb_value_string(&s->arena, workflow->file_name));

	add_problems(s, workflow->file_name, workflow->problems, workflow->problem_count, NULL,
	             NULL);
	count_file(s, workflow);
	if (s->errors->count == 0) {
		jobs = jobs_tree(s, workflow, &unsaid, 0);
		if (!s->strict)
			put_input_types(s, out, workflow);
		put_tree(s, out, "env", workflow->env);
		put_permissions(s, out, &workflow->permissions);
		put_tree(s, out, "defaults", workflow_token_find(workflow->root, "defaults"));
		put_tree(s, out, "concurrency", workflow->concurrency);
		lb_value_put(&s->arena, out, "jobs", jobs);
	}
	if (s->rerun)
		qsort(s->file_table->items, s->file_table->count, sizeof s->file_table->items[0],
		      by_text);
	if (s->source)
		lb_value_put(&s->arena, out, "file-table", s->file_table);
	if (s->errors->count > 0) {
		out = lb_value_object(&s->arena);
		lb_value_put(&s->arena, out, "errors", s->errors);
	}
	return out;
}

/* ---- a case ---- */

/* What GitHub's editor says of `on` beside the jobs has its own test. */
static const struct lb_value *without_events(struct suite *s, const struct lb_value *value)
{
	struct lb_value *out = lb_value_object(&s->arena);

	for (uint32_t i = 0; i < value->count; i++) {
		if (!lb_bytes_is(value->members[i].key, "events"))
			lb_value_set(&s->arena, out, value->members[i].key,
			             value->members[i].value);
	}
	return out;
}

static bool run_case(struct suite *s, bool show)
{
	const char *file = support_path(&s->arena, ".github/workflows/%s", s->name);
	const struct lb_value *got, *want;
	struct workflow *workflow;
	struct lb_value *json;
	bool right;

	s->errors = lb_value_array(&s->arena);
	read_options(s);
	if (lb_failed(lb_json_read(&json, &s->arena, s->parts[s->part_count - 1], NULL)) ||
	    lb_failed(workflow_check_within(&workflow, s->t->mem, s->parts[1], file, &s->limits)))
		return false;
	want = without_events(s, json);
	got = actual(s, workflow);
	right = lb_value_eq(got, want);
	if (!right && show)
		printf("# %s\n#  got %s\n# want %s\n", s->name, support_text(&s->arena, got),
		       support_text(&s->arena, want));
	workflow_free(workflow);
	for (size_t i = 0; i < s->call_count; i++)
		workflow_free(s->files[i]);
	return right;
}

/* The file is read without a fault, and was to be refused for the one reason that holds no more. */
static bool has_changed(struct suite *s, size_t of)
{
	struct workflow *workflow;
	struct lb_bytes expected = s->parts[s->part_count - 1];
	struct lb_diag diag = { 0 };
	lb_err err = workflow_parse(&workflow, s->t->mem, s->parts[1], s->name, &diag);

	workflow_free(workflow);
	return !lb_failed(err) && lb_bytes_find(expected, lb_bytes_of(changed[of].was)) != SIZE_MAX;
}

static bool check_case(struct suite *s)
{
	for (size_t i = 0; i < sizeof changed / sizeof changed[0]; i++) {
		if (strcmp(changed[i].name, s->name) == 0)
			return has_changed(s, i) && !run_case(s, false);
	}
	return run_case(s, true);
}

TEST(every_file_gives_github_s_tree_or_errors)
{
	struct lb_arena names;
	const char *folder, **files;
	size_t count;

	if (test_suites() == NULL)
		SKIP("the shared suites are not here");
	lb_arena_init(&names, t->mem);
	folder =
		support_path(&names, "%s/github-conformance/workflow-parser/reader", test_suites());
	files = support_list(&count, &names, folder, ".yml");
	for (size_t i = 0; i < count; i++) {
		struct suite suite = { .t = t, .name = files[i] };

		lb_arena_init(&suite.arena, t->mem);
		split_parts(&suite, support_file(&suite.arena, support_path(&suite.arena, "%s/%s",
		                                                            folder, files[i])));
		t->failures += !check_case(&suite);
		lb_arena_release(&suite.arena);
	}
	printf("# %zu files, %zu of them changed since\n", count,
	       sizeof changed / sizeof changed[0]);
	CHECK(count == 195);
	lb_arena_release(&names);
}
