/* junit.c - see outcome.h: JUnit's XML, read for what it says of cases.
 *
 * Not an XML parser: tags are looked at one after the other, and what is no testcase or in one is
 * passed over.  Comments, declarations and CDATA sections are known, so that a tag in them is none.
 */
#include "ci-runner/bundle/outcome.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

struct tag {
	struct lb_bytes name, attributes;
	bool closes, empty; /* </name>, <name/> */
};

struct scan {
	struct lb_bytes rest;
	struct lb_bytes text; /* between the tag before and this one */
};

/* Past `end`; false where it does not come. */
static bool skip_past(struct lb_bytes *rest, const char *end)
{
	size_t at = lb_bytes_find(*rest, lb_bytes_of(end));

	if (at == SIZE_MAX)
		return false;
	*rest = lb_bytes_from(*rest, at + strlen(end));
	return true;
}

/* Where the tag ends: a '>' in quotes does not count. */
static size_t tag_end(struct lb_bytes text)
{
	unsigned char quote = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (quote != 0)
			quote = text.at[i] == quote ? 0 : quote;
		else if (text.at[i] == '"' || text.at[i] == '\'')
			quote = text.at[i];
		else if (text.at[i] == '>')
			return i;
	}
	return SIZE_MAX;
}

static size_t name_end(struct lb_bytes text)
{
	size_t len = 0;

	while (len < text.len && text.at[len] > ' ' && text.at[len] != '/' && text.at[len] != '=')
		len++;
	return len;
}

/* END; MALFORMED: something does not end. */
static lb_err next_tag(struct tag *out, struct scan *s)
{
	for (;;) {
		size_t at = lb_bytes_find_byte(s->rest, '<'), end;
		struct lb_bytes body;

		if (at == SIZE_MAX)
			return lb_err_of(LB_E_END);
		s->text = lb_bytes_upto(s->rest, at);
		s->rest = lb_bytes_from(s->rest, at);
		if (lb_bytes_starts(s->rest, LB_B("<!--"))) {
			if (!skip_past(&s->rest, "-->"))
				return lb_err_of(LB_E_MALFORMED);
			continue;
		}
		if (lb_bytes_starts(s->rest, LB_B("<![CDATA["))) {
			if (!skip_past(&s->rest, "]]>"))
				return lb_err_of(LB_E_MALFORMED);
			continue;
		}
		end = tag_end(s->rest);
		if (end == SIZE_MAX)
			return lb_err_of(LB_E_MALFORMED);
		body = lb_bytes_from(lb_bytes_upto(s->rest, end), 1);
		s->rest = lb_bytes_from(s->rest, end + 1);
		if (body.len == 0 || body.at[0] == '?' || body.at[0] == '!')
			continue;
		*out = (struct tag){ .closes = body.at[0] == '/',
			             .empty = body.at[body.len - 1] == '/' };
		if (out->closes)
			body = lb_bytes_from(body, 1);
		if (out->empty && body.len > 0) /* "</>" is both */
			body.len--;
		end = name_end(body);
		out->name = lb_bytes_upto(body, end);
		out->attributes = lb_bytes_from(body, end);
		return LB_OK;
	}
}

static void add_reference(struct lb_buf *out, struct lb_bytes name)
{
	static const struct {
		const char *name, *text;
	} known[] = {
		{ "amp", "&" }, { "lt", "<" }, { "gt", ">" }, { "quot", "\"" }, { "apos", "'" }
	};
	bool hex = lb_bytes_starts(name, LB_B("#x")) || lb_bytes_starts(name, LB_B("#X"));

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (lb_bytes_is(name, known[i].name))
			lb_buf_add_text(out, known[i].text);
	}
	if (name.len > 1 && name.at[0] == '#') {
		char digits[16];

		(void)snprintf(digits, sizeof digits, "%.*s",
		               LB_FMT(lb_bytes_from(name, hex ? 2 : 1)));
		lb_utf8_add(out, (uint32_t)strtoul(digits, NULL, hex ? 16 : 10));
	}
}

static struct lb_bytes unescape(struct lb_arena *arena, struct lb_bytes text)
{
	struct lb_bytes result;
	struct lb_buf plain;

	lb_buf_init(&plain, arena->under, text.len * 4 + 16);
	while (text.len > 0) {
		size_t semicolon = lb_bytes_find_byte(lb_bytes_upto(text, 12), ';');

		if (text.at[0] == '&' && semicolon != SIZE_MAX) {
			add_reference(&plain, lb_bytes_from(lb_bytes_upto(text, semicolon), 1));
			text = lb_bytes_from(text, semicolon + 1);
		} else {
			lb_buf_add_byte(&plain, text.at[0]);
			text = lb_bytes_from(text, 1);
		}
	}
	if (lb_failed(lb_buf_check(&plain)))
		arena->failed = true;
	result = lb_arena_bytes(arena, lb_buf_bytes(&plain));
	lb_buf_release(&plain);
	return result;
}

/* name="value" or 'value', with its references. */
static struct lb_bytes attribute(struct lb_arena *arena, struct lb_bytes rest, const char *name)
{
	while (rest.len > 0) {
		struct lb_bytes key, value;
		size_t end;

		while (rest.len > 0 && (rest.at[0] <= ' ' || rest.at[0] == '/'))
			rest = lb_bytes_from(rest, 1);
		end = name_end(rest);
		key = lb_bytes_upto(rest, end);
		rest = lb_bytes_trim(lb_bytes_from(rest, end));
		if (end == 0 || rest.len < 2 || rest.at[0] != '=')
			break;
		rest = lb_bytes_trim(lb_bytes_from(rest, 1));
		if (rest.len < 2 || (rest.at[0] != '"' && rest.at[0] != '\''))
			break;
		value = lb_bytes_from(rest, 1);
		end = lb_bytes_find_byte(value, rest.at[0]);
		if (end == SIZE_MAX)
			break;
		rest = lb_bytes_from(value, end + 1);
		if (lb_bytes_is(key, name))
			return unescape(arena, lb_bytes_upto(value, end));
	}
	return (struct lb_bytes){ 0 };
}

static double seconds_of(struct lb_arena *arena, struct lb_bytes attributes)
{
	struct lb_bytes text = attribute(arena, attributes, "time");
	char digits[32];
	double seconds;

	(void)snprintf(digits, sizeof digits, "%.*s", LB_FMT(lb_bytes_upto(text, 31)));
	seconds = strtod(digits, NULL);
	return seconds >= 0 && seconds < 1e9 ? seconds : 0;
}

static lb_err begin_case(struct runner_case **out, struct lb_vec *cases, struct lb_arena *arena,
                         const struct tag *tag)
{
	struct lb_bytes name = attribute(arena, tag->attributes, "name");
	struct lb_bytes class = attribute(arena, tag->attributes, "classname");
	struct runner_case *one = lb_vec_add(cases);

	if (one == NULL)
		return lb_vec_check(cases);
	one->name = class.len > 0 ? lb_arena_format(arena, "%.*s.%.*s", LB_FMT(class), LB_FMT(name))
	                          : name;
	one->seconds = seconds_of(arena, tag->attributes);
	*out = one;
	return arena->failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

static void judge(struct runner_case *one, struct lb_arena *arena, const struct tag *tag)
{
	bool bad = lb_bytes_is(tag->name, "failure") || lb_bytes_is(tag->name, "error");

	if (tag->closes || (!bad && !lb_bytes_is(tag->name, "skipped")))
		return;
	if (one->verdict != RUNNER_FAILED_TEST)
		one->verdict = bad ? RUNNER_FAILED_TEST : RUNNER_SKIPPED_TEST;
	if (one->why.len == 0)
		one->why = attribute(arena, tag->attributes, "message");
}

lb_err runner_junit_read(struct lb_vec *cases, struct lb_arena *arena, struct lb_bytes text,
                         struct lb_diag *diag)
{
	struct scan s = { .rest = text };
	struct runner_case *open = NULL;
	size_t before = cases->count;
	struct tag tag;
	lb_err err;

	while (!lb_failed(err = next_tag(&tag, &s))) {
		if (lb_bytes_is(tag.name, "testcase")) {
			open = NULL;
			if (!tag.closes)
				LB_TRY(begin_case(&open, cases, arena, &tag));
			if (tag.empty)
				open = NULL;
		} else if (open != NULL) {
			judge(open, arena, &tag);
		}
	}
	if (arena->failed)
		return lb_err_of(LB_E_NOMEM);
	if (lb_code_of(err) != LB_E_END || open != NULL)
		return lb_fail(diag, LB_E_MALFORMED, "its JUnit file does not end");
	if (cases->count == before)
		return lb_fail(diag, LB_E_MALFORMED, "its JUnit file has no testcase");
	return LB_OK;
}

void runner_xml_add(struct lb_buf *out, struct lb_bytes text)
{
	while (text.len > 0) {
		uint32_t code = lb_utf8_next(&text);

		if ((code < 0x20 && code != '\t' && code != '\n') || code == 0x7f ||
		    code == 0xfffe || code == 0xffff)
			code = 0xfffd;
		if (code == '&' || code == '<' || code == '>' || code == '"' || code == '\'') {
			const unsigned char byte = (unsigned char)code;

			lb_html_add(out, (struct lb_bytes){ &byte, 1 });
			continue;
		}
		lb_utf8_add(out, code);
	}
}
