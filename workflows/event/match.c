/* match.c - see match.h. */
#include "workflows/event/match.h"

#include "workflows/expression/text.h"
#include "workflows/syntax/events.h"

#include <math.h>

static const struct lb_bytes heads = LB_LIT("refs/heads/"), tags = LB_LIT("refs/tags/");

/* ---- patterns ---- */

/* One character class, "[a-z]" or "[!x]"; returns its length, 0 where the bracket is not closed. */
static size_t match_class(bool *matches, struct lb_bytes pattern, unsigned char c)
{
	size_t i = 1;
	bool negated = i < pattern.len && (pattern.at[i] == '!' || pattern.at[i] == '^'),
	     found = false;

	for (i += negated; i < pattern.len && (pattern.at[i] != ']' || i == 1); i++) {
		unsigned char low = pattern.at[i], high = low;

		if (i + 2 < pattern.len && pattern.at[i + 1] == '-' && pattern.at[i + 2] != ']') {
			high = pattern.at[i + 2];
			i += 2;
		}
		found = found || (c >= low && c <= high);
	}
	*matches = found != negated;
	return i < pattern.len ? i + 1 : 0;
}

/* One unit of a pattern: a character, an escape, a class.  Its length, and whether it matches c. */
static size_t match_unit(bool *matches, struct lb_bytes pattern, unsigned char c)
{
	size_t len;

	if (pattern.at[0] == '\\' && pattern.len > 1) {
		*matches = pattern.at[1] == c;
		return 2;
	}
	if (pattern.at[0] == '[') {
		len = match_class(matches, pattern, c);
		if (len > 0)
			return len;
	}
	*matches = pattern.at[0] == c;
	return 1;
}

enum { STATES_MAX = 1024 };

/* Patterns are run as a set of states, one bit an offset in the pattern: time is the product of the
 * lengths whatever the pattern is. */
struct states {
	bool at[STATES_MAX + 1];
};

/* Offset behind a "*" or "**" (with the "/" that "**" swallows when it matches nothing). */
static bool is_star(struct lb_bytes pattern, size_t at)
{
	return at < pattern.len && pattern.at[at] == '*';
}

/* States reachable without reading anything. */
static void add_state(struct states *s, struct lb_bytes pattern, size_t at)
{
	for (;;) {
		bool ignored;
		size_t len;

		if (s->at[at])
			return;
		s->at[at] = true;
		if (at >= pattern.len)
			return;
		if (is_star(pattern, at)) {
			bool two = is_star(pattern, at + 1);

			if (two && at + 2 < pattern.len && pattern.at[at + 2] == '/')
				add_state(s, pattern, at + 3);
			at += two ? 2 : 1;
			continue;
		}
		len = match_unit(&ignored, lb_bytes_from(pattern, at), 0);
		if (at + len < pattern.len && pattern.at[at + len] == '?')
			at += len + 1; /* none of it */
		else
			return;
	}
}

/* What follows when `c` is read in the state `at`. */
static void step(struct states *to, struct lb_bytes pattern, size_t at, unsigned char c)
{
	bool matches;
	size_t len;

	if (at >= pattern.len)
		return;
	if (is_star(pattern, at)) {
		if (is_star(pattern, at + 1) || c != '/')
			add_state(to, pattern, at);
		return;
	}
	len = match_unit(&matches, lb_bytes_from(pattern, at), c);
	if (!matches)
		return;
	if (at + len < pattern.len && pattern.at[at + len] == '+') {
		add_state(to, pattern, at); /* once more */
		add_state(to, pattern, at + len + 1);
	} else if (at + len < pattern.len && pattern.at[at + len] == '?') {
		add_state(to, pattern, at + len + 1);
	} else {
		add_state(to, pattern, at + len);
	}
}

bool workflow_glob_match(struct lb_bytes pattern, struct lb_bytes text)
{
	struct states now = { 0 }, next;

	if (pattern.len > STATES_MAX)
		return false;
	add_state(&now, pattern, 0);
	for (size_t i = 0; i < text.len; i++) {
		next = (struct states){ 0 };
		for (size_t at = 0; at <= pattern.len; at++) {
			if (now.at[at])
				step(&next, pattern, at, text.at[i]);
		}
		now = next;
	}
	return now.at[pattern.len];
}

bool workflow_globs_match(const struct workflow_list *patterns, struct lb_bytes text)
{
	bool matched = false;

	for (uint32_t i = 0; i < patterns->count; i++) {
		struct lb_bytes pattern = patterns->at[i]->text;
		bool negated = pattern.len > 0 && pattern.at[0] == '!';

		if (workflow_glob_match(lb_bytes_from(pattern, negated ? 1 : 0), text))
			matched = !negated;
	}
	return matched;
}

/* ---- filters ---- */

static bool has_name(const struct workflow_list *list, struct lb_bytes name)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (lb_bytes_eq_nocase(list->at[i]->text, name))
			return true;
	}
	return false;
}

static bool type_matches(const struct workflow_trigger *trigger, const struct workflow_event *event,
                         struct lb_diag *why)
{
	const struct workflow_event_info *info = workflow_event_find(trigger->event);
	struct lb_bytes action = lb_bytes_of(event->action);
	bool matches = true;

	if (action.len == 0 || info == NULL || info->types[0] == 0)
		return true;
	if (trigger->types_given)
		matches = has_name(&trigger->types, action);
	else if (info->defaults[0] != 0)
		matches = workflow_word_in(info->defaults, action);
	if (!matches)
		lb_diag_set(why, "types: '%.*s' is not among the activity types of '%.*s'",
		            LB_FMT(action), LB_FMT(trigger->event));
	return matches;
}

/* A filter and its -ignore form against one name. */
static bool name_matches(const struct workflow_list *only, const struct workflow_list *ignore,
                         struct lb_bytes name, const char *what, struct lb_diag *why)
{
	if (only->count > 0 && !workflow_globs_match(only, name)) {
		lb_diag_set(why, "%s: '%.*s' matches no pattern", what, LB_FMT(name));
		return false;
	}
	if (ignore->count > 0 && workflow_globs_match(ignore, name)) {
		lb_diag_set(why, "%s-ignore: '%.*s' matches a pattern", what, LB_FMT(name));
		return false;
	}
	return true;
}

/* Filters on branches let no tag through, unless there are filters on tags too; and the other
 * way round. */
static bool ref_matches(const struct workflow_trigger *trigger, const struct workflow_event *event,
                        struct lb_diag *why)
{
	bool for_branches = trigger->branches.count + trigger->branches_ignore.count > 0;
	bool for_tags = trigger->tags.count + trigger->tags_ignore.count > 0;

	if (event->base_ref.len > 0)
		return name_matches(&trigger->branches, &trigger->branches_ignore, event->base_ref,
		                    "branches", why);
	if (lb_bytes_starts(event->ref, tags)) {
		if (for_branches && !for_tags) {
			lb_diag_set(why, "branches: '%.*s' is a tag", LB_FMT(event->ref));
			return false;
		}
		return name_matches(&trigger->tags, &trigger->tags_ignore,
		                    lb_bytes_from(event->ref, tags.len), "tags", why);
	}
	if (!lb_bytes_starts(event->ref, heads))
		return true;
	if (for_tags && !for_branches) {
		lb_diag_set(why, "tags: '%.*s' is a branch", LB_FMT(event->ref));
		return false;
	}
	return name_matches(&trigger->branches, &trigger->branches_ignore,
	                    lb_bytes_from(event->ref, heads.len), "branches", why);
}

static bool paths_match(const struct workflow_trigger *trigger, const struct workflow_event *event,
                        struct lb_diag *why)
{
	bool only = trigger->paths.count > 0, ignore = trigger->paths_ignore.count > 0;
	bool tag = lb_bytes_starts(event->ref, tags) && event->base_ref.len == 0;

	if ((!only && !ignore) || event->paths_unknown || tag)
		return true;
	for (size_t i = 0; i < event->path_count; i++) {
		if (only ? workflow_globs_match(&trigger->paths, event->paths[i])
		         : !workflow_globs_match(&trigger->paths_ignore, event->paths[i]))
			return true;
	}
	if (only)
		lb_diag_set(why, "paths: none of %zu changed files matches", event->path_count);
	else
		lb_diag_set(why, "paths-ignore: all of %zu changed files match", event->path_count);
	return false;
}

static bool workflow_run_matches(const struct workflow_trigger *trigger,
                                 const struct workflow_event *event, struct lb_diag *why)
{
	if (trigger->workflows.count == 0 || has_name(&trigger->workflows, event->workflow))
		return true;
	lb_diag_set(why, "workflows: '%.*s' is not among them", LB_FMT(event->workflow));
	return false;
}

static bool schedule_matches(const struct workflow_trigger *trigger,
                             const struct workflow_event *event, struct lb_diag *why)
{
	if (event->schedule.len == 0 || trigger->crons.count == 0)
		return true;
	for (uint32_t i = 0; i < trigger->crons.count; i++) {
		if (trigger->crons.at[i] != NULL &&
		    lb_bytes_eq(trigger->crons.at[i]->text, event->schedule))
			return true;
	}
	lb_diag_set(why, "schedule: '%.*s' is not among its times", LB_FMT(event->schedule));
	return false;
}

bool workflow_matches_event(const struct workflow *workflow, const struct workflow_event *event,
                            struct lb_diag *why_not)
{
	const struct workflow_trigger *trigger = workflow_trigger_find(workflow, event->name);

	if (trigger == NULL) {
		lb_diag_set(why_not, "on: '%s' is not among its events", event->name);
		return false;
	}
	if (strcmp(event->name, "schedule") == 0)
		return schedule_matches(trigger, event, why_not);
	return type_matches(trigger, event, why_not) && ref_matches(trigger, event, why_not) &&
	       workflow_run_matches(trigger, event, why_not) &&
	       paths_match(trigger, event, why_not);
}

/* ---- inputs ---- */

static const char *const type_names[] = {
	[WORKFLOW_INPUT_STRING] = "string",           [WORKFLOW_INPUT_BOOLEAN] = "boolean",
	[WORKFLOW_INPUT_NUMBER] = "number",           [WORKFLOW_INPUT_CHOICE] = "choice",
	[WORKFLOW_INPUT_ENVIRONMENT] = "environment",
};

static bool is_option(const struct workflow_input *input, struct lb_bytes text)
{
	for (uint32_t i = 0; i < input->options.count; i++) {
		if (lb_bytes_eq(input->options.at[i]->text, text))
			return true;
	}
	return false;
}

/* A value as the input's type; NULL where it cannot be one. */
static const struct lb_value *convert_input(struct lb_arena *arena,
                                            const struct workflow_input *input,
                                            const struct lb_value *value)
{
	struct lb_bytes text = workflow_to_text(arena, value);
	double number;

	if (!workflow_is_primitive(value))
		return NULL;
	switch (input->type) {
	case WORKFLOW_INPUT_BOOLEAN:
		if (lb_bytes_is(text, "true"))
			return &workflow_true;
		return lb_bytes_is(text, "false") || text.len == 0 ? &workflow_false : NULL;
	case WORKFLOW_INPUT_NUMBER:
		number = workflow_to_number(value);
		return isnan(number) ? NULL : lb_value_number(arena, number);
	case WORKFLOW_INPUT_CHOICE:
		if (text.len > 0 && !is_option(input, text))
			return NULL;
		break;
	case WORKFLOW_INPUT_STRING:
	case WORKFLOW_INPUT_ENVIRONMENT: break;
	}
	return lb_value_string(arena, text);
}

static lb_err input_value(const struct lb_value **out, struct lb_arena *arena,
                          const struct workflow_input *input, const struct lb_value *given,
                          const struct workflow_scope *scope, struct lb_diag *diag)
{
	const struct lb_value *value = workflow_member(given, input->name);

	if (value == NULL && input->required && input->otherwise == NULL)
		return lb_fail(diag, LB_E_INVALID, "Input '%.*s' is required", LB_FMT(input->name));
	if (value == NULL)
		LB_TRY(workflow_token_evaluate(&value, arena, input->otherwise, scope, diag));
	*out = convert_input(arena, input, value);
	if (*out == NULL)
		return lb_fail(diag, LB_E_INVALID, "Input '%.*s' must be a %s%s, got '%.*s'",
		               LB_FMT(input->name), type_names[input->type],
		               input->type == WORKFLOW_INPUT_CHOICE ? " among its options" : "",
		               LB_FMT(workflow_to_text(arena, value)));
	return LB_OK;
}

static const struct workflow_input *find_input(const struct workflow_trigger *trigger,
                                               struct lb_bytes name)
{
	for (uint32_t i = 0; i < trigger->input_count; i++) {
		if (lb_bytes_eq_nocase(trigger->inputs[i].name, name))
			return &trigger->inputs[i];
	}
	return NULL;
}

lb_err workflow_inputs(const struct lb_value **out, struct lb_arena *arena,
                       const struct workflow_trigger *trigger, const struct lb_value *given,
                       const struct workflow_scope *scope, struct lb_diag *diag)
{
	struct lb_value *inputs = lb_value_object(arena);

	for (uint32_t i = 0; i < trigger->input_count; i++) {
		const struct lb_value *value;

		LB_TRY(input_value(&value, arena, &trigger->inputs[i], given, scope, diag));
		lb_value_set(arena, inputs, trigger->inputs[i].name, workflow_share(value));
	}
	for (uint32_t i = 0; given != NULL && given->kind == LB_OBJECT && i < given->count; i++) {
		if (find_input(trigger, given->members[i].key) == NULL)
			return lb_fail(diag, LB_E_INVALID, "Unexpected input '%.*s'",
			               LB_FMT(given->members[i].key));
	}
	*out = inputs;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}
