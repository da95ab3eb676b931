/* match.c - see match.h. */
#include "workflows/event/match.h"

#include "workflows/expression/text.h"
#include "workflows/syntax/events.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

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

/* Patterns are run as a set of states, each an offset in the pattern: time is the product of the
 * lengths whatever the pattern is. */
struct states {
	size_t low, high; /* where the first and the last may be */
	bool at[STATES_MAX + 1];
};

static void clear(struct states *s, size_t len)
{
	memset(s->at, 0, len + 1);
	s->low = len;
	s->high = 0;
}

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
		s->low = at < s->low ? at : s->low;
		s->high = at > s->high ? at : s->high;
		if (at >= pattern.len)
			return;
		if (is_star(pattern, at)) {
			bool two = is_star(pattern, at + 1);

			/* "**" swallows the "/" behind it when it matches nothing */
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
	struct states both[2], *now = &both[0], *next = &both[1];

	if (pattern.len > STATES_MAX)
		return false;
	clear(now, pattern.len);
	add_state(now, pattern, 0);
	for (size_t i = 0; i < text.len && now->low <= now->high; i++) {
		struct states *last = now;

		clear(next, pattern.len);
		for (size_t at = now->low; at <= now->high; at++) {
			if (now->at[at])
				step(next, pattern, at, text.at[i]);
		}
		now = next;
		next = last;
	}
	return now->at[pattern.len];
}

bool workflow_globs_match(const struct workflow_list *patterns, struct lb_bytes text,
                          const struct workflow_token **decided)
{
	const struct workflow_token *last = NULL;
	bool matched = false;

	for (uint32_t i = 0; i < patterns->count; i++) {
		struct lb_bytes pattern = patterns->at[i]->text;
		bool negated = pattern.len > 0 && pattern.at[0] == '!';

		if (!workflow_glob_match(lb_bytes_from(pattern, negated ? 1 : 0), text))
			continue;
		matched = !negated;
		last = patterns->at[i];
	}
	if (decided != NULL)
		*decided = last;
	return matched;
}

/* ---- filters ---- */

/* Says no, with what is in the diagnostic.  Always false. */
__attribute__((format(printf, 3, 4))) static bool no(struct workflow_mismatch *why,
                                                     const struct workflow_token *at,
                                                     const char *format, ...)
{
	va_list args;

	if (why == NULL)
		return false;
	va_start(args, format);
	(void)vsnprintf(why->diag.text, sizeof why->diag.text, format, args);
	va_end(args);
	why->line = at != NULL ? at->line : 0;
	why->column = at != NULL ? at->column : 0;
	return false;
}

static bool has_name(const struct workflow_list *list, struct lb_bytes name)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (lb_bytes_eq_nocase(list->at[i]->text, name))
			return true;
	}
	return false;
}

static const struct workflow_token *first_of(const struct workflow_list *list)
{
	return list->count > 0 ? list->at[0] : NULL;
}

static bool type_matches(const struct workflow_trigger *trigger, const struct workflow_event *event,
                         struct workflow_mismatch *why)
{
	const struct workflow_event_info *info = workflow_event_find(trigger->event);

	if (event->action.len == 0 || info == NULL || info->types[0] == 0)
		return true;
	if (trigger->types_given)
		return has_name(&trigger->types, event->action) ||
		       no(why, first_of(&trigger->types),
		          "types: '%.*s' is not among the activity types of '%.*s'",
		          LB_FMT(event->action), LB_FMT(trigger->event));
	if (info->defaults[0] == 0 || workflow_word_in(info->defaults, event->action))
		return true;
	return no(why, trigger->place,
	          "types: '%.*s' is not among the default activity types of '%.*s' (%s)",
	          LB_FMT(event->action), LB_FMT(trigger->event), info->defaults);
}

/* A filter and its -ignore form against one name. */
static bool name_matches(const struct workflow_list *only, const struct workflow_list *ignore,
                         struct lb_bytes name, const char *what, struct workflow_mismatch *why)
{
	const struct workflow_token *decided;

	if (only->count > 0 && !workflow_globs_match(only, name, &decided)) {
		if (decided != NULL)
			return no(why, decided, "%s: '%.*s' is excluded by '%.*s'", what,
			          LB_FMT(name), LB_FMT(decided->text));
		return no(why, first_of(only), "%s: '%.*s' matches no pattern", what, LB_FMT(name));
	}
	if (ignore->count > 0 && workflow_globs_match(ignore, name, &decided))
		return no(why, decided, "%s-ignore: '%.*s' matches '%.*s'", what, LB_FMT(name),
		          LB_FMT(decided->text));
	return true;
}

static bool branch_matches(const struct workflow_trigger *trigger, struct lb_bytes branch,
                           struct workflow_mismatch *why)
{
	return name_matches(&trigger->branches, &trigger->branches_ignore, branch, "branches", why);
}

/* Filters on branches let no tag through, unless there are filters on tags too; and the other
 * way round. */
static bool ref_matches(const struct workflow_trigger *trigger, const struct workflow_event *event,
                        struct workflow_mismatch *why)
{
	bool for_branches = trigger->branches.count + trigger->branches_ignore.count > 0;
	bool for_tags = trigger->tags.count + trigger->tags_ignore.count > 0;

	if (event->base_ref.len > 0)
		return branch_matches(trigger, event->base_ref, why);
	if (lb_bytes_starts(event->ref, tags)) {
		if (for_branches && !for_tags)
			return no(why,
			          first_of(trigger->branches.count > 0 ? &trigger->branches
			                                               : &trigger->branches_ignore),
			          "branches: '%.*s' is a tag", LB_FMT(event->ref));
		return name_matches(&trigger->tags, &trigger->tags_ignore,
		                    lb_bytes_from(event->ref, tags.len), "tags", why);
	}
	if (!lb_bytes_starts(event->ref, heads))
		return true;
	if (for_tags && !for_branches)
		return no(why,
		          first_of(trigger->tags.count > 0 ? &trigger->tags
		                                           : &trigger->tags_ignore),
		          "tags: '%.*s' is a branch", LB_FMT(event->ref));
	return branch_matches(trigger, lb_bytes_from(event->ref, heads.len), why);
}

/* Pushes of tags are not looked at for what they changed. */
static bool paths_match(const struct workflow_trigger *trigger, const struct workflow_event *event,
                        struct workflow_mismatch *why)
{
	bool only = trigger->paths.count > 0, ignore = trigger->paths_ignore.count > 0;
	bool tag = lb_bytes_starts(event->ref, tags) && event->base_ref.len == 0;

	if ((!only && !ignore) || event->paths_unknown || tag)
		return true;
	for (size_t i = 0; i < event->path_count; i++) {
		if (only ? workflow_globs_match(&trigger->paths, event->paths[i], NULL)
		         : !workflow_globs_match(&trigger->paths_ignore, event->paths[i], NULL))
			return true;
	}
	if (only)
		return no(why, first_of(&trigger->paths),
		          "paths: none of %zu changed files matches", event->path_count);
	return no(why, first_of(&trigger->paths_ignore),
	          "paths-ignore: all of %zu changed files match", event->path_count);
}

static bool workflow_run_matches(const struct workflow_trigger *trigger,
                                 const struct workflow_event *event, struct workflow_mismatch *why)
{
	if (trigger->workflows.count == 0 || has_name(&trigger->workflows, event->workflow))
		return true;
	return no(why, first_of(&trigger->workflows), "workflows: '%.*s' is not among them",
	          LB_FMT(event->workflow));
}

/* Of image_version. */
static bool image_matches(const struct workflow_trigger *trigger,
                          const struct workflow_event *event, struct workflow_mismatch *why)
{
	static const struct workflow_list none;

	if (event->image.len > 0 &&
	    !name_matches(&trigger->names, &none, event->image, "names", why))
		return false;
	return event->version.len == 0 ||
	       name_matches(&trigger->versions, &none, event->version, "versions", why);
}

static bool schedule_matches(const struct workflow_trigger *trigger,
                             const struct workflow_event *event, struct workflow_mismatch *why)
{
	if (event->schedule.len == 0 || trigger->crons.count == 0)
		return true;
	for (uint32_t i = 0; i < trigger->crons.count; i++) {
		if (trigger->crons.at[i] != NULL &&
		    lb_bytes_eq(trigger->crons.at[i]->text, event->schedule))
			return true;
	}
	return no(why, trigger->place, "schedule: '%.*s' is not among its times",
	          LB_FMT(event->schedule));
}

static const struct workflow_trigger *find_trigger(const struct workflow *workflow,
                                                   struct lb_bytes event)
{
	for (uint32_t i = 0; i < workflow->trigger_count; i++) {
		if (lb_bytes_eq(workflow->triggers[i].event, event))
			return &workflow->triggers[i];
	}
	return NULL;
}

bool workflow_matches_event(const struct workflow *workflow, const struct workflow_event *event,
                            struct workflow_mismatch *why)
{
	const struct workflow_trigger *trigger = find_trigger(workflow, event->name);

	if (trigger == NULL)
		return no(why, workflow_token_find(workflow->root, "on"),
		          "on: '%.*s' is not among its events", LB_FMT(event->name));
	if (lb_bytes_is(event->name, "schedule"))
		return schedule_matches(trigger, event, why);
	return type_matches(trigger, event, why) && ref_matches(trigger, event, why) &&
	       workflow_run_matches(trigger, event, why) && image_matches(trigger, event, why) &&
	       paths_match(trigger, event, why);
}

/* ---- inputs ---- */

/* What a value is not, by the type. */
static const char *const wrongs[] = {
	[WORKFLOW_INPUT_STRING] = "is not a string",
	[WORKFLOW_INPUT_BOOLEAN] = "is not a boolean",
	[WORKFLOW_INPUT_NUMBER] = "is not a number",
	[WORKFLOW_INPUT_CHOICE] = "not in the list of allowed values",
	[WORKFLOW_INPUT_ENVIRONMENT] = "is not the name of an environment",
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
		return lb_fail(diag, LB_E_INVALID, "Required input '%.*s' not provided",
		               LB_FMT(input->name));
	if (value == NULL)
		LB_TRY(workflow_token_evaluate(&value, arena, input->otherwise, scope, diag));
	*out = convert_input(arena, input, value);
	if (*out == NULL)
		return lb_fail(diag, LB_E_INVALID, "Provided value '%.*s' for input '%.*s' %s",
		               LB_FMT(workflow_to_text(arena, value)), LB_FMT(input->name),
		               wrongs[input->type]);
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
			return lb_fail(diag, LB_E_INVALID, "Unexpected inputs provided: [\"%.*s\"]",
			               LB_FMT(given->members[i].key));
	}
	*out = inputs;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}
