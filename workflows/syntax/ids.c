/* ids.c - see ids.h. */
#include "workflows/syntax/ids.h"

#include "workflows/expression/text.h"

void workflow_ids_init(struct ids *ids, struct lb_arena *arena)
{
	*ids = (struct ids){ arena, lb_value_object(arena), lb_value_object(arena) };
}

static bool is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_legal(unsigned char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; }

static bool is_id(struct lb_bytes id)
{
	for (size_t i = 0; i < id.len; i++) {
		if (i == 0 ? !is_letter(id.at[i]) : !is_legal(id.at[i]))
			return false;
	}
	return id.len > 0 && id.len < WORKFLOW_ID_BYTES_MAX;
}

static bool take(struct ids *ids, struct lb_bytes id)
{
	if (lb_value_find_nocase(ids->taken, id) != NULL)
		return false;
	lb_value_set(ids->arena, ids->taken, id, workflow_share(&workflow_true));
	return true;
}

static struct lb_bytes wrong(struct ids *ids, struct lb_bytes id, const char *why)
{
	return lb_arena_format(ids->arena, "The identifier '%.*s' %s", LB_FMT(id), why);
}

struct lb_bytes workflow_ids_take(struct ids *ids, struct lb_bytes id)
{
	if (!is_id(id))
		return wrong(
			ids, id,
			"is invalid. IDs may only contain alphanumeric characters, '_', and '-'. "
			"IDs must start with a letter or '_' and and must be less than 100 "
			"characters.");
	if (lb_bytes_starts(id, LB_B("__")))
		return wrong(ids, id, "is invalid. IDs starting with '__' are reserved.");
	if (!take(ids, id))
		return wrong(ids, id, "may not be used more than once within the same scope.");
	return (struct lb_bytes){ 0 };
}

static struct lb_bytes lower(struct ids *ids, struct lb_bytes name)
{
	unsigned char *text = LB_ARENA_NEW(ids->arena, unsigned char, name.len);

	for (size_t i = 0; i < name.len && text != NULL; i++) {
		bool upper = name.at[i] >= 'A' && name.at[i] <= 'Z';

		text[i] = upper ? (unsigned char)(name.at[i] - 'A' + 'a') : name.at[i];
	}
	return (struct lb_bytes){ text, text != NULL ? name.len : 0 };
}

/* The number to try next for a name that is taken, kept so that a thousand unnamed steps do not
 * take a million attempts.  `name` is in lower case: one count for all ways to write it. */
static unsigned next_attempt(struct ids *ids, struct lb_bytes name)
{
	const struct lb_value *seen = lb_value_find(ids->attempts, name);
	unsigned attempt = seen != NULL ? (unsigned)seen->number : 2;

	lb_value_set(ids->arena, ids->attempts, name, lb_value_number(ids->arena, attempt + 1));
	return attempt;
}

struct lb_bytes workflow_ids_make(struct ids *ids, struct lb_bytes wanted)
{
	struct lb_bytes name, id, key, suffix;
	unsigned char *text;

	wanted = lb_bytes_upto(wanted, WORKFLOW_ID_BYTES_MAX);
	text = LB_ARENA_NEW(ids->arena, unsigned char, wanted.len + 1);
	if (text == NULL)
		return (struct lb_bytes){ 0 };
	for (size_t i = 0; i < wanted.len; i++)
		text[i] = is_legal(wanted.at[i]) ? wanted.at[i] : '_';
	id = name = (struct lb_bytes){ text, wanted.len };
	key = lower(ids, name);
	while (!take(ids, id) && !ids->arena->failed) {
		suffix = lb_arena_format(ids->arena, "_%u", next_attempt(ids, key));
		id = lb_arena_format(ids->arena, "%.*s%.*s",
		                     LB_FMT(lb_bytes_upto(name,
		                                          WORKFLOW_ID_BYTES_MAX - suffix.len)),
		                     LB_FMT(suffix));
	}
	return id;
}
