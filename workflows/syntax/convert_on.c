/* convert_on.c - what starts the workflow.
 *
 * The schema lets through what GitHub's service lets through.  Filters and types
 * that an event does not have, which GitHub's editor refuses, are warnings here.
 */
#include "workflows/event/cron.h"
#include "workflows/syntax/convert.h"
#include "workflows/syntax/events.h"

const struct workflow_event_info workflow_events[] = {
#define EVENT(name_, filters_, types_, defaults_) \
	{ .name = #name_, .filters = (filters_), .types = (types_), .defaults = (defaults_) },
#include "workflows/syntax/events.def"
#undef EVENT
	{ 0 },
};

const struct workflow_event_info *workflow_event_find(struct lb_bytes name)
{
	for (const struct workflow_event_info *event = workflow_events; event->name != NULL;
	     event++) {
		if (lb_bytes_is(name, event->name))
			return event;
	}
	return NULL;
}

bool workflow_word_in(const char *words, struct lb_bytes word)
{
	struct lb_bytes rest = lb_bytes_of(words), part;

	while (lb_bytes_split(&part, &rest, ' ')) {
		if (part.len > 0 && lb_bytes_eq(part, word))
			return true;
	}
	return false;
}

/* ---- filters ---- */

static const struct {
	const char *key;
	unsigned filter;
	size_t at; /* offset of the list in the trigger */
} filters[] = {
	{ "branches", FILTER_BRANCHES, offsetof(struct workflow_trigger, branches) },
	{ "branches-ignore", FILTER_BRANCHES, offsetof(struct workflow_trigger, branches_ignore) },
	{ "tags", FILTER_TAGS, offsetof(struct workflow_trigger, tags) },
	{ "tags-ignore", FILTER_TAGS, offsetof(struct workflow_trigger, tags_ignore) },
	{ "paths", FILTER_PATHS, offsetof(struct workflow_trigger, paths) },
	{ "paths-ignore", FILTER_PATHS, offsetof(struct workflow_trigger, paths_ignore) },
	{ "workflows", FILTER_WORKFLOWS, offsetof(struct workflow_trigger, workflows) },
	{ "names", FILTER_NAMES, offsetof(struct workflow_trigger, names) },
	{ "versions", FILTER_NAMES, offsetof(struct workflow_trigger, versions) },
};

enum { FILTERS = sizeof filters / sizeof filters[0] };

static struct workflow_list *list_of(struct workflow_trigger *trigger, size_t filter)
{
	return (struct workflow_list *)(void *)((char *)trigger + filters[filter].at);
}

static size_t filter_of(struct lb_bytes key)
{
	size_t i = 0;

	while (i < FILTERS && !lb_bytes_is(key, filters[i].key))
		i++;
	return i;
}

static void check_types(const struct workflow_event_info *event, const struct workflow_list *types,
                        struct problems *problems)
{
	for (uint32_t i = 0; i < types->count; i++) {
		const struct workflow_token *type = types->at[i];

		if (type->kind == WORKFLOW_STRING && strcmp(event->types, "*") != 0 &&
		    !workflow_word_in(event->types, type->text))
			workflow_warning(problems, type, "Unexpected value '%.*s'",
			                 LB_FMT(type->text));
	}
}

static void convert_filters(struct workflow_trigger *trigger, struct lb_arena *arena,
                            const struct workflow_event_info *event,
                            const struct workflow_token *config, struct problems *problems)
{
	for (uint32_t i = 0; i < config->count; i += 2) {
		const struct workflow_token *key = config->items[i], *value = config->items[i + 1];
		size_t filter = filter_of(key->text);
		bool types = lb_bytes_is(key->text, "types");
		bool known =
			types ? event->types[0] != 0
			      : filter < FILTERS && (event->filters & filters[filter].filter) != 0;

		if (!known)
			workflow_warning(problems, key, "Unexpected value '%.*s'",
			                 LB_FMT(key->text));
		else if (value->kind == WORKFLOW_NULL)
			workflow_warning(problems, value, "Unexpected value ''");
		if (types) {
			trigger->types_given = value->kind != WORKFLOW_NULL;
			trigger->types = workflow_convert_list(arena, value);
			if (known)
				check_types(event, &trigger->types, problems);
		} else if (filter < FILTERS) {
			*list_of(trigger, filter) = workflow_convert_list(arena, value);
		}
	}
}

/* ---- events with a form of their own ---- */

/* Keys that only the editor minds. */
static void check_keys(const struct workflow_token *mapping, const char *known,
                       struct problems *problems)
{
	for (uint32_t i = 0; i < mapping->count; i += 2) {
		struct lb_bytes key = mapping->items[i]->text;

		if (!workflow_word_in(known, key))
			workflow_warning(problems, mapping->items[i], "Unexpected value '%.*s'",
			                 LB_FMT(key));
	}
}

static void check_not_null(const struct workflow_token *token, struct problems *problems)
{
	if (token != NULL && token->kind == WORKFLOW_NULL)
		workflow_warning(problems, token, "Unexpected value ''");
}

static void check_cron(const struct workflow_token *cron, struct problems *problems)
{
	struct workflow_cron unused;
	struct lb_diag diag = { 0 };

	if (cron != NULL && cron->kind == WORKFLOW_STRING &&
	    lb_failed(workflow_cron_parse(&unused, cron->text, &diag)))
		workflow_problem(problems, cron, "%s", diag.text);
}

static void convert_schedule(struct workflow_trigger *trigger, struct lb_arena *arena,
                             const struct workflow_token *config, struct problems *problems)
{
	const struct workflow_token **crons =
		LB_ARENA_NEW(arena, const struct workflow_token *, config->count);
	const struct workflow_token **zones =
		LB_ARENA_NEW(arena, const struct workflow_token *, config->count);

	if (crons == NULL || zones == NULL || config->kind != WORKFLOW_SEQUENCE)
		return;
	for (uint32_t i = 0; i < config->count; i++) {
		check_keys(config->items[i], "cron timezone", problems);
		crons[i] = workflow_token_find(config->items[i], "cron");
		check_cron(crons[i], problems);
		zones[i] = workflow_token_find(config->items[i], "timezone");
	}
	trigger->crons = (struct workflow_list){ config->count, crons };
	trigger->timezones = (struct workflow_list){ config->count, zones };
}

static enum workflow_input_type input_type(const struct workflow_token *type,
                                           struct problems *problems)
{
	static const char *const names[] = {
		[WORKFLOW_INPUT_STRING] = "string",           [WORKFLOW_INPUT_BOOLEAN] = "boolean",
		[WORKFLOW_INPUT_NUMBER] = "number",           [WORKFLOW_INPUT_CHOICE] = "choice",
		[WORKFLOW_INPUT_ENVIRONMENT] = "environment",
	};

	if (type == NULL || type->kind != WORKFLOW_STRING)
		return WORKFLOW_INPUT_STRING;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (lb_bytes_is(type->text, names[i]))
			return (enum workflow_input_type)i;
	}
	workflow_warning(problems, type, "Unexpected value '%.*s'", LB_FMT(type->text));
	return WORKFLOW_INPUT_STRING;
}

static void convert_inputs(struct workflow_trigger *trigger, struct lb_arena *arena,
                           const struct workflow_token *inputs, struct problems *problems)
{
	static const char input_keys[] =
		"description deprecationMessage type required default options";
	struct workflow_input *out;

	check_not_null(inputs, problems);
	if (inputs == NULL || inputs->kind != WORKFLOW_MAPPING)
		return;
	out = LB_ARENA_NEW(arena, struct workflow_input, inputs->count / 2);
	if (out == NULL)
		return;
	for (uint32_t i = 0; i < inputs->count / 2; i++) {
		const struct workflow_token *input = inputs->items[2 * i + 1];

		check_not_null(input, problems);
		out[i].name = inputs->items[2 * i]->text;
		out[i].description = workflow_literal(workflow_token_find(input, "description"));
		out[i].type = input_type(workflow_token_find(input, "type"), problems);
		out[i].required = workflow_literal_true(workflow_token_find(input, "required"));
		out[i].otherwise = workflow_token_find(input, "default");
		out[i].options =
			workflow_convert_list(arena, workflow_token_find(input, "options"));
		check_keys(input, input_keys, problems);
	}
	trigger->inputs = out;
	trigger->input_count = inputs->count / 2;
}

static void convert_secrets(struct workflow_trigger *trigger, struct lb_arena *arena,
                            const struct workflow_token *secrets)
{
	uint32_t count = secrets != NULL ? secrets->count / 2 : 0;
	struct workflow_secret *out = LB_ARENA_NEW(arena, struct workflow_secret, count);

	for (uint32_t i = 0; i < count && out != NULL; i++) {
		out[i].name = secrets->items[2 * i]->text;
		out[i].required = workflow_literal_true(
			workflow_token_find(secrets->items[2 * i + 1], "required"));
	}
	trigger->secrets = out;
	trigger->secret_count = count;
}

static void convert_outputs(struct workflow_trigger *trigger, struct lb_arena *arena,
                            const struct workflow_token *outputs)
{
	uint32_t count = outputs != NULL ? outputs->count / 2 : 0;
	struct workflow_output *out = LB_ARENA_NEW(arena, struct workflow_output, count);

	for (uint32_t i = 0; i < count && out != NULL; i++) {
		out[i].name = outputs->items[2 * i]->text;
		out[i].value = workflow_token_find(outputs->items[2 * i + 1], "value");
	}
	trigger->outputs = out;
	trigger->output_count = count;
}

static void convert_own(struct workflow_trigger *trigger, struct lb_arena *arena,
                        const struct workflow_token *config, struct problems *problems)
{
	bool call = lb_bytes_is(trigger->event, "workflow_call");

	if (lb_bytes_is(trigger->event, "schedule")) {
		convert_schedule(trigger, arena, config, problems);
		return;
	}
	if (!call && config->kind == WORKFLOW_MAPPING)
		check_keys(config, "inputs", problems);
	convert_inputs(trigger, arena, workflow_token_find(config, "inputs"), problems);
	if (call) {
		convert_secrets(trigger, arena, workflow_token_find(config, "secrets"));
		convert_outputs(trigger, arena, workflow_token_find(config, "outputs"));
	}
}

/* ---- the three forms of `on` ---- */

static void convert_trigger(struct workflow_trigger *trigger, struct lb_arena *arena,
                            const struct workflow_token *name, const struct workflow_token *config,
                            struct problems *problems)
{
	const struct workflow_event_info *event = workflow_event_find(name->text);

	trigger->event = name->text;
	trigger->place = name;
	if (config == NULL || event == NULL)
		return;
	if ((event->filters & FILTER_OWN) != 0)
		convert_own(trigger, arena, config, problems);
	else if (config->kind == WORKFLOW_MAPPING && event->filters == 0 && event->types[0] == 0)
		workflow_warning(problems, config, "A mapping was not expected");
	else if (config->kind == WORKFLOW_MAPPING)
		convert_filters(trigger, arena, event, config, problems);
}

void workflow_convert_on(struct workflow *out, struct lb_arena *arena,
                         const struct workflow_token *on, struct problems *problems)
{
	bool mapping = on->kind == WORKFLOW_MAPPING;
	struct workflow_list names = { 0 };
	struct workflow_trigger *triggers;

	if (!mapping)
		names = workflow_convert_list(arena, on);
	out->trigger_count = mapping ? on->count / 2 : names.count;
	triggers = LB_ARENA_NEW(arena, struct workflow_trigger, out->trigger_count);
	for (uint32_t i = 0; i < out->trigger_count && triggers != NULL; i++) {
		const struct workflow_token *name = mapping ? on->items[2 * i] : names.at[i];

		convert_trigger(&triggers[i], arena, name, mapping ? on->items[2 * i + 1] : NULL,
		                problems);
	}
	out->triggers = triggers;
}
