/* step.c - see step.h. */
#include "workflows/step/step.h"

#include "workflows/expression/text.h"

static lb_err no_memory(const struct lb_arena *arena)
{
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

/* ---- environment ---- */

/* The same contexts with another `env`. */
static const struct lb_value *with_env(struct lb_arena *arena, const struct lb_value *contexts,
                                       const struct lb_value *env)
{
	struct lb_value *copy = lb_value_object(arena);

	for (uint32_t i = 0; contexts != NULL && contexts->kind == LB_OBJECT && i < contexts->count;
	     i++)
		lb_value_set(arena, copy, contexts->members[i].key, contexts->members[i].value);
	lb_value_put(arena, copy, "env", workflow_share(env));
	return copy;
}

/* An evaluated mapping as strings over what is in `out`. */
static lb_err lay(struct lb_value *out, struct lb_arena *arena, const struct lb_value *mapping,
                  const struct workflow_token *at, const char *what, struct lb_diag *diag)
{
	if (mapping->kind == LB_NULL)
		return LB_OK;
	if (mapping->kind != LB_OBJECT)
		return lb_fail(diag, LB_E_INVALID, "(Line: %u, Col: %u): '%s' must be a mapping",
		               at->line, at->column, what);
	for (uint32_t i = 0; i < mapping->count; i++) {
		const struct lb_member *member = &mapping->members[i];

		if (!workflow_is_primitive(member->value))
			return lb_fail(diag, LB_E_INVALID,
			               "(Line: %u, Col: %u): '%s': the value of '%.*s' must be a "
			               "string",
			               at->line, at->column, what, LB_FMT(member->key));
		lb_value_set(arena, out, member->key,
		             lb_value_string(arena, workflow_to_text(arena, member->value)));
	}
	return no_memory(arena);
}

lb_err workflow_env_over(const struct lb_value **out, struct lb_arena *arena,
                         const struct lb_value *under, const struct workflow_token *env,
                         const struct workflow_scope *scope, struct lb_diag *diag)
{
	struct workflow_scope inner = *scope;
	struct lb_value *over = lb_value_object(arena);
	const struct lb_value *mapping;

	for (uint32_t i = 0; under != NULL && under->kind == LB_OBJECT && i < under->count; i++)
		lb_value_set(arena, over, under->members[i].key, under->members[i].value);
	*out = over;
	if (env == NULL)
		return no_memory(arena);
	inner.contexts = with_env(arena, scope->contexts, under);
	LB_TRY(workflow_token_evaluate(&mapping, arena, env, &inner, diag));
	return lay(over, arena, mapping, env, "env", diag);
}

lb_err workflow_job_env(const struct lb_value **out, struct lb_arena *arena,
                        const struct workflow *workflow, const struct workflow_job *job,
                        const struct workflow_scope *scope, struct lb_diag *diag)
{
	const struct lb_value *of_workflow;

	LB_TRY(workflow_env_over(&of_workflow, arena, NULL, workflow->env, scope, diag));
	return workflow_env_over(out, arena, of_workflow, job->env, scope, diag);
}

static bool between(unsigned char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' || byte == ',';
}

/* The next word, blanks and commas parting them; empty at the end. */
static struct lb_bytes next_word(struct lb_bytes *rest)
{
	struct lb_bytes word;
	size_t len = 0;

	while (rest->len > 0 && between(rest->at[0]))
		*rest = lb_bytes_from(*rest, 1);
	while (len < rest->len && !between(rest->at[len]))
		len++;
	word = lb_bytes_upto(*rest, len);
	*rest = lb_bytes_from(*rest, len);
	return word;
}

/* False: a word of it is no host. */
static bool read_hosts(const char *const **out, struct lb_arena *arena, struct lb_bytes text)
{
	const char **hosts = LB_ARENA_NEW(arena, const char *, text.len / 2 + 2);
	size_t count = 0;
	struct lb_bytes word;

	while (hosts != NULL && (word = next_word(&text)).len > 0) {
		if (lb_bytes_find_byte(word, '.') == SIZE_MAX &&
		    lb_bytes_find_byte(word, ':') == SIZE_MAX)
			return false;
		hosts[count++] = lb_arena_text(arena, word);
	}
	*out = hosts;
	return hosts == NULL || count > 0;
}

lb_err workflow_network_read(enum workflow_network *out, const char *const **hosts,
                             struct lb_arena *arena, struct lb_bytes text, const char *where,
                             struct lb_diag *diag)
{
	static const char *const words[] = {
		[WORKFLOW_NETWORK_FULL] = "full",
		[WORKFLOW_NETWORK_NONE] = "none",
		[WORKFLOW_NETWORK_LOOPBACK] = "loopback",
		[WORKFLOW_NETWORK_CACHE] = "cache",
	};

	*hosts = NULL;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (lb_bytes_is(lb_bytes_trim(text), words[i])) {
			*out = (enum workflow_network)i;
			return LB_OK;
		}
	}
	*out = WORKFLOW_NETWORK_HOSTS;
	if (!read_hosts(hosts, arena, text))
		return lb_fail(
			diag, LB_E_INVALID,
			"%s is '%.*s'; it can be 'none', 'loopback', 'cache', 'full' or hosts "
			"(example.org, example.org:8443)",
			where, LB_FMT(lb_bytes_upto(text, 200)));
	return no_memory(arena);
}

lb_err workflow_network_of(enum workflow_network *out, const char *const **hosts,
                           struct lb_arena *arena, const struct lb_value *env, struct lb_diag *diag)
{
	struct lb_bytes text = lb_value_get_string(env, "LIFEBOAT_NETWORK");

	if (text.len == 0)
		text = LB_B("full");
	return workflow_network_read(out, hosts, arena, text, "LIFEBOAT_NETWORK", diag);
}

/* ---- a step ---- */

/* The step's own, else the job's default, else the workflow's. */
static lb_err with_default(struct lb_bytes *out, struct lb_arena *arena,
                           const struct workflow_token *own, const struct workflow_token *of_job,
                           const struct workflow_token *of_workflow,
                           const struct workflow_scope *scope, struct lb_diag *diag)
{
	const struct workflow_token *token = own != NULL      ? own
	                                     : of_job != NULL ? of_job
	                                                      : of_workflow;

	return workflow_token_text(out, arena, token, scope, diag);
}

static lb_err evaluate_with(struct workflow_step_plan *out, struct lb_arena *arena,
                            const struct workflow_step *step, const struct workflow_scope *scope,
                            struct lb_diag *diag)
{
	struct lb_value *with = lb_value_object(arena);
	const struct lb_value *mapping;

	LB_TRY(workflow_token_evaluate(&mapping, arena, step->with, scope, diag));
	out->with = with;
	return lay(with, arena, mapping, step->with, "with", diag);
}

lb_err workflow_step_evaluate(struct workflow_step_plan *out, struct lb_arena *arena,
                              const struct workflow *workflow, const struct workflow_job *job,
                              const struct workflow_step *step, const struct workflow_scope *scope,
                              struct lb_diag *diag)
{
	const struct lb_value *env = lb_value_get(scope->contexts, "env");

	*out = (struct workflow_step_plan){ .env = env };
	if (env == NULL)
		out->env = lb_value_object(arena);
	LB_TRY(workflow_network_of(&out->network, &out->network_hosts, arena, out->env, diag));
	LB_TRY(workflow_token_text(&out->run, arena, step->run, scope, diag));
	LB_TRY(workflow_token_text(&out->uses, arena, step->uses, scope, diag));
	LB_TRY(evaluate_with(out, arena, step, scope, diag));
	if (step->kind == WORKFLOW_STEP_RUN) {
		LB_TRY(with_default(&out->shell, arena, step->shell, job->default_shell,
		                    workflow->default_shell, scope, diag));
		LB_TRY(with_default(&out->working_directory, arena, step->working_directory,
		                    job->default_working_directory,
		                    workflow->default_working_directory, scope, diag));
	}
	LB_TRY(workflow_token_number(&out->timeout_minutes, arena, step->timeout_minutes, scope,
	                             diag));
	LB_TRY(workflow_token_boolean(&out->continue_on_error, arena, step->continue_on_error,
	                              scope, diag));
	return no_memory(arena);
}

/* The first line that is not blank. */
static struct lb_bytes first_line(struct lb_bytes text)
{
	struct lb_bytes rest = lb_bytes_trim(text), line;

	if (!lb_bytes_split(&line, &rest, '\n'))
		return rest;
	return lb_bytes_trim(line);
}

static struct lb_bytes unnamed(struct lb_arena *arena, const struct workflow_step *step,
                               struct lb_bytes run)
{
	switch (step->kind) {
	case WORKFLOW_STEP_RUN: return lb_arena_format(arena, "Run %.*s", LB_FMT(first_line(run)));
	case WORKFLOW_STEP_USES:
		return lb_arena_format(arena, "Run %.*s", LB_FMT(step->uses->text));
	case WORKFLOW_STEP_WAIT: return LB_B("Wait");
	case WORKFLOW_STEP_WAIT_ALL: return LB_B("Wait for all");
	case WORKFLOW_STEP_CANCEL: return LB_B("Cancel");
	case WORKFLOW_STEP_PARALLEL: break;
	}
	return LB_B("Parallel group");
}

lb_err workflow_step_name(struct lb_bytes *out, struct lb_arena *arena,
                          const struct workflow_step *step, const struct workflow_scope *scope,
                          struct lb_diag *diag)
{
	struct lb_bytes run = { 0 };
	lb_err err;

	LB_TRY(workflow_token_text(out, arena, step->name, scope, diag));
	if (out->len > 0)
		return LB_OK;
	/* a script that cannot be evaluated fails when it runs; here it is shown as it stands */
	err = workflow_token_text(&run, arena, step->run, scope, NULL);
	if (lb_code_of(err) == LB_E_NOMEM)
		return err;
	if (lb_failed(err))
		run = step->run->raw;
	*out = unnamed(arena, step, run);
	return no_memory(arena);
}

/* ---- the job ---- */

lb_err workflow_job_outputs(const struct lb_value **out, struct lb_arena *arena,
                            const struct workflow_job *job, const struct workflow_scope *scope,
                            struct lb_diag *diag)
{
	struct lb_value *outputs = lb_value_object(arena);

	*out = outputs;
	for (uint32_t i = 0; job->outputs != NULL && i < job->outputs->count; i += 2) {
		struct lb_bytes text;

		LB_TRY(workflow_token_text(&text, arena, job->outputs->items[i + 1], scope, diag));
		if (text.len > 0)
			lb_value_set(arena, outputs, job->outputs->items[i]->text,
			             lb_value_string(arena, text));
	}
	return no_memory(arena);
}
