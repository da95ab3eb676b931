/* command.c - see command.h. */
#include "ci-runner/text/command.h"

struct escape {
	const char *code;
	unsigned char byte;
};

/* %25 comes last: what it gives is not read again. */
static const struct escape data_escapes[] = { { "%0D", '\r' }, { "%0A", '\n' }, { "%25", '%' } };
static const struct escape property_escapes[] = {
	{ "%0D", '\r' }, { "%0A", '\n' }, { "%3A", ':' }, { "%2C", ',' }, { "%25", '%' }
};
static const struct escape old_escapes[] = {
	{ "%0D", '\r' }, { "%0A", '\n' }, { "%3B", ';' }, { "%5D", ']' }, { "%25", '%' }
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static struct lb_bytes unescape(struct lb_arena *arena, struct lb_bytes text,
                                const struct escape *escapes, size_t count)
{
	unsigned char *to;
	size_t len = 0;

	if (lb_bytes_find_byte(text, '%') == SIZE_MAX)
		return text;
	to = LB_ARENA_NEW(arena, unsigned char, text.len);
	if (to == NULL)
		return text;
	for (size_t i = 0; i < text.len; i++) {
		struct lb_bytes code = lb_bytes_upto(lb_bytes_from(text, i), 3);
		unsigned char byte = text.at[i];

		for (size_t k = 0; k < count; k++) {
			if (lb_bytes_eq_nocase(code, lb_bytes_of(escapes[k].code))) {
				byte = escapes[k].byte;
				i += 2;
				break;
			}
		}
		to[len++] = byte;
	}
	return (struct lb_bytes){ to, len };
}

static void add_property(struct runner_line_command *out, struct lb_arena *arena,
                         struct lb_bytes pair, const struct escape *escapes, size_t count)
{
	size_t equals = lb_bytes_find_byte(pair, '=');
	struct lb_bytes key = lb_bytes_trim(lb_bytes_upto(pair, equals));

	if (equals == SIZE_MAX || key.len == 0 || out->property_count >= RUNNER_PROPERTIES_MAX)
		return;
	out->properties[out->property_count++] =
		(struct runner_property){ key, unescape(arena, lb_bytes_from(pair, equals + 1),
		                                        escapes, count) };
}

/* "name k=v,k=v": the name ends at the first blank. */
static bool read_head(struct runner_line_command *out, struct lb_arena *arena, struct lb_bytes head,
                      unsigned char separator, const struct escape *escapes, size_t count)
{
	size_t blank = lb_bytes_find_byte(head, ' ');
	struct lb_bytes rest = lb_bytes_trim(lb_bytes_from(head, blank)), pair;

	*out = (struct runner_line_command){ .name = lb_bytes_upto(head, blank) };
	while (rest.len > 0 && lb_bytes_split(&pair, &rest, separator))
		add_property(out, arena, pair, escapes, count);
	return out->name.len > 0;
}

static struct lb_bytes skip_blanks(struct lb_bytes line)
{
	while (line.len > 0 && (line.at[0] == ' ' || line.at[0] == '\t'))
		line = lb_bytes_from(line, 1);
	return line;
}

/* "##[name k=v;k=v]data" anywhere in the line, as the first runners had it. */
static bool read_old(struct runner_line_command *out, struct lb_arena *arena, struct lb_bytes line)
{
	size_t start = lb_bytes_find(line, LB_B("##["));
	struct lb_bytes body = lb_bytes_from(line, start == SIZE_MAX ? SIZE_MAX : start + 3);
	size_t end = lb_bytes_find_byte(body, ']');

	if (start == SIZE_MAX || end == SIZE_MAX)
		return false;
	if (!read_head(out, arena, lb_bytes_upto(body, end), ';', old_escapes, COUNT(old_escapes)))
		return false;
	out->data = unescape(arena, lb_bytes_from(body, end + 1), old_escapes, COUNT(old_escapes));
	return true;
}

bool runner_line_command_read(struct runner_line_command *out, struct lb_arena *arena,
                              struct lb_bytes line)
{
	struct lb_bytes body = skip_blanks(line);
	size_t end;

	if (!lb_bytes_starts(body, LB_B("::")))
		return read_old(out, arena, line) && !arena->failed;
	body = lb_bytes_from(body, 2);
	end = lb_bytes_find(body, LB_B("::"));
	if (end == SIZE_MAX)
		return false;
	if (!read_head(out, arena, lb_bytes_upto(body, end), ',', property_escapes,
	               COUNT(property_escapes)))
		return false;
	out->data =
		unescape(arena, lb_bytes_from(body, end + 2), data_escapes, COUNT(data_escapes));
	return !arena->failed;
}

struct lb_bytes runner_line_command_get(const struct runner_line_command *command, const char *key)
{
	for (size_t i = 0; i < command->property_count; i++) {
		if (lb_bytes_eq_nocase(command->properties[i].key, lb_bytes_of(key)))
			return command->properties[i].value;
	}
	return (struct lb_bytes){ 0 };
}
