/* call.c - see call.h. */
#include "workflows/syntax/call.h"

#include <stdio.h>

/* ---- inputs and secrets ---- */

static bool defines_input(const struct workflow_trigger *trigger, struct lb_bytes name)
{
	for (uint32_t i = 0; i < trigger->input_count; i++) {
		if (lb_bytes_eq_nocase(trigger->inputs[i].name, name))
			return true;
	}
	return false;
}

static bool defines_secret(const struct workflow_trigger *trigger, struct lb_bytes name)
{
	for (uint32_t i = 0; i < trigger->secret_count; i++) {
		if (lb_bytes_eq_nocase(trigger->secrets[i].name, name))
			return true;
	}
	return false;
}

static const struct workflow_token *find_member(const struct workflow_token *mapping,
                                                struct lb_bytes name)
{
	for (uint32_t i = 0; mapping != NULL && i < mapping->count; i += 2) {
		if (lb_bytes_eq_nocase(mapping->items[i]->text, name))
			return mapping->items[i + 1];
	}
	return NULL;
}

/* A literal must already be of the input's type. */
static bool has_type(const struct workflow_token *value, enum workflow_input_type type)
{
	if (workflow_token_has_expression(value))
		return true;
	if (type == WORKFLOW_INPUT_BOOLEAN)
		return value->kind == WORKFLOW_BOOLEAN;
	return type != WORKFLOW_INPUT_NUMBER || value->kind == WORKFLOW_NUMBER;
}

static void check_type(const struct workflow_token *value, enum workflow_input_type type,
                       struct problems *problems)
{
	if (value != NULL && !has_type(value, type))
		workflow_problem(problems, value, "Unexpected value '%.*s'", LB_FMT(value->text));
}

static void check_inputs(const struct workflow_job *caller, const struct workflow_trigger *trigger,
                         struct problems *problems)
{
	for (uint32_t i = 0; i < trigger->input_count; i++) {
		const struct workflow_input *input = &trigger->inputs[i];
		const struct workflow_token *value = find_member(caller->with, input->name);

		check_type(input->otherwise, input->type, problems);
		check_type(value, input->type, problems);
		if (value == NULL && input->required)
			workflow_problem(problems, caller->uses,
			                 "Input %.*s is required, but not provided while calling.",
			                 LB_FMT(input->name));
	}
	for (uint32_t i = 0; caller->with != NULL && i < caller->with->count; i += 2) {
		struct lb_bytes name = caller->with->items[i]->text;

		if (!defines_input(trigger, name))
			workflow_problem(problems, caller->with->items[i + 1],
			                 "Invalid input, %.*s is not defined in the referenced "
			                 "workflow.",
			                 LB_FMT(name));
	}
}

static void check_secrets(const struct workflow_job *caller, const struct workflow_trigger *trigger,
                          struct problems *problems)
{
	if (caller->secrets_inherit)
		return;
	for (uint32_t i = 0; i < trigger->secret_count; i++) {
		const struct workflow_secret *secret = &trigger->secrets[i];

		if (secret->required && find_member(caller->secrets, secret->name) == NULL)
			workflow_problem(problems, caller->uses,
			                 "Secret %.*s is required, but not provided while calling.",
			                 LB_FMT(secret->name));
	}
	for (uint32_t i = 0; caller->secrets != NULL && i < caller->secrets->count; i += 2) {
		struct lb_bytes name = caller->secrets->items[i]->text;

		if (!defines_secret(trigger, name))
			workflow_problem(problems, caller->secrets->items[i + 1],
			                 "Invalid secret, %.*s is not defined in the referenced "
			                 "workflow.",
			                 LB_FMT(name));
	}
}

/* ---- permissions ---- */

static const char *access_name(enum workflow_access access)
{
	static const char *const names[] = { "none", "read", "write" };

	return names[access];
}

/* "actions: write, checks: write" of those beyond the limit, once as wanted and once as allowed;
 * false where there are none. */
static bool excess(char *wanted, char *allowed, size_t size,
                   const struct workflow_permissions *have, const struct workflow_permissions *most)
{
	size_t wanted_len = 0, allowed_len = 0;

	for (uint32_t i = 0; i < WORKFLOW_PERMISSION_COUNT; i++) {
		const char *name = workflow_permission_name((enum workflow_permission)i);
		const char *comma = wanted_len > 0 ? ", " : "";

		if (have->of[i] <= most->of[i] || wanted_len >= size || allowed_len >= size)
			continue;
		wanted_len += (size_t)snprintf(wanted + wanted_len, size - wanted_len, "%s%s: %s",
		                               comma, name, access_name(have->of[i]));
		allowed_len += (size_t)snprintf(allowed + allowed_len, size - allowed_len,
		                                "%s%s: %s", comma, name, access_name(most->of[i]));
	}
	return wanted_len > 0;
}

/* `job` NULL: what the called file asks for as a whole. */
static void check_permissions(const struct workflow_job *caller, struct lb_bytes ref,
                              const struct workflow_job *job,
                              const struct workflow_permissions *have,
                              const struct workflow_permissions *most, struct problems *problems)
{
	char wanted[512], allowed[512];
	struct lb_bytes who = job != NULL ? job->name->text : ref;

	if (!have->given || !excess(wanted, allowed, sizeof wanted, have, most))
		return;
	workflow_problem(problems, caller->place,
	                 "Error calling workflow '%.*s'. The %s '%.*s' is requesting '%s', but is "
	                 "only allowed '%s'.",
	                 LB_FMT(ref), job != NULL ? "nested job" : "workflow", LB_FMT(who), wanted,
	                 allowed);
}

void workflow_call_check(const struct workflow_job *caller, const struct workflow *called,
                         struct lb_bytes ref, const struct workflow_permissions *most,
                         struct problems *problems)
{
	const struct workflow_trigger *trigger = workflow_trigger_find(called, "workflow_call");

	if (trigger == NULL) {
		workflow_problem(problems, caller->uses,
		                 "workflow_call key is not defined in the referenced workflow.");
		return;
	}
	check_inputs(caller, trigger, problems);
	check_secrets(caller, trigger, problems);
	check_permissions(caller, ref, NULL, &called->permissions, most, problems);
	for (uint32_t i = 0; i < called->job_count; i++) {
		if (called->jobs[i].permissions_own)
			check_permissions(caller, ref, &called->jobs[i],
			                  &called->jobs[i].permissions, most, problems);
	}
}
