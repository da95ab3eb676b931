/* json.c - see json.h.
 *
 * Depth and bytes are checked before jansson sees the text: its parser recurses,
 * and so does the conversion here, both then at most LB_JSON_DEPTH_MAX deep.
 */
#include "base/data/json.h"

#include "base/data/heap_priv.h"
#include "base/data/place_priv.h"
#include "base/text.h"

#include <jansson.h>
#include <pthread.h>

static void hook(void) { json_set_alloc_funcs(lb_loan_malloc, lb_loan_free); }

__attribute__((format(printf, 5, 6))) static lb_err fail_at(struct lb_diag *diag, enum lb_code code,
                                                            struct lb_bytes text, size_t offset,
                                                            const char *format, ...)
{
	struct lb_place place;
	struct lb_diag what = { 0 };
	va_list args;

	if (diag == NULL)
		return lb_err_at(code, offset);
	va_start(args, format);
	(void)vsnprintf(what.text, sizeof what.text, format, args);
	va_end(args);
	place = lb_place_of(text, offset);
	lb_diag_set(diag, "line %u, column %u: %s", place.line, place.column, what.text);
	return lb_err_at(code, offset);
}

static bool is_blank(unsigned char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/* jansson would skip a NUL behind a number, and names the place of one in a string badly. */
static lb_err check_controls(struct lb_bytes text, struct lb_diag *diag)
{
	bool in_string = false;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];

		if (c < ' ' && (in_string || !is_blank(c)))
			return fail_at(diag, LB_E_MALFORMED, text, i, "control character 0x%02x",
			               c);
		if (c == '"')
			in_string = !in_string;
		else if (c == '\\' && in_string && i + 1 < text.len && text.at[i + 1] >= ' ')
			i++;
	}
	return LB_OK;
}

/* Strings are skipped as any text would be: whether they are well-formed is for the parser. */
static size_t end_of_string(struct lb_bytes text, size_t at)
{
	while (at < text.len && text.at[at] != '"')
		at += text.at[at] == '\\' ? 2 : 1;
	return at;
}

static lb_err check_depth(struct lb_bytes text, struct lb_diag *diag)
{
	size_t depth = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];

		if (c == '"')
			i = end_of_string(text, i + 1);
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		else if ((c == '[' || c == '{') && ++depth > LB_JSON_DEPTH_MAX)
			return fail_at(diag, LB_E_LIMIT, text, i, "nested more than %d deep",
			               LB_JSON_DEPTH_MAX);
	}
	return LB_OK;
}

static lb_err check_text(struct lb_bytes text, struct lb_diag *diag)
{
	size_t bad = lb_utf8_check(text);

	if (bad != SIZE_MAX)
		return fail_at(diag, LB_E_MALFORMED, text, bad, "byte 0x%02x is not UTF-8",
		               text.at[bad]);
	if (text.len == 0)
		return fail_at(diag, LB_E_MALFORMED, text, 0,
		               "a JSON value expected, found nothing");
	LB_TRY(check_controls(text, diag));
	return check_depth(text, diag);
}

static struct lb_value *convert(struct lb_arena *arena, const json_t *from);

static struct lb_value *convert_array(struct lb_arena *arena, const json_t *from)
{
	struct lb_value *to = lb_value_array(arena);
	size_t count = json_array_size(from);
	struct lb_value **items = LB_ARENA_NEW(arena, struct lb_value *, count);

	if (arena->failed || count == 0)
		return to;
	for (size_t i = 0; i < count; i++)
		items[i] = convert(arena, json_array_get(from, i));
	to->items = items;
	to->count = to->capacity = (uint32_t)count;
	return to;
}

static struct lb_value *convert_large_object(struct lb_arena *arena, json_t *from)
{
	struct lb_value *to = lb_value_object(arena);

	for (void *at = json_object_iter(from); at != NULL; at = json_object_iter_next(from, at))
		lb_value_set(arena, to,
		             (struct lb_bytes){ (const unsigned char *)json_object_iter_key(at),
		                                json_object_iter_key_len(at) },
		             convert(arena, json_object_iter_value(at)));
	return to;
}

/* The members are known to be distinct, so where they are few they need no search each, as
 * lb_value_set would do. */
static struct lb_value *convert_object(struct lb_arena *arena, json_t *from)
{
	struct lb_value *to = lb_value_object(arena);
	size_t count = json_object_size(from);
	struct lb_member *members;
	size_t i = 0;

	if (count >= LB_VALUE_INDEXED_MIN)
		return convert_large_object(arena, from);
	members = LB_ARENA_NEW(arena, struct lb_member, count);
	if (arena->failed || count == 0)
		return to;
	for (void *at = json_object_iter(from); at != NULL; at = json_object_iter_next(from, at)) {
		const char *key = json_object_iter_key(at);
		size_t len = json_object_iter_key_len(at);

		members[i].key =
			lb_arena_bytes(arena, (struct lb_bytes){ (const unsigned char *)key, len });
		members[i].value = convert(arena, json_object_iter_value(at));
		i++;
	}
	assert(i == count);
	to->members = members;
	to->count = to->capacity = (uint32_t)count;
	return to;
}

static struct lb_value *convert(struct lb_arena *arena, const json_t *from)
{
	switch (json_typeof(from)) {
	case JSON_OBJECT: return convert_object(arena, (json_t *)(uintptr_t)from);
	case JSON_ARRAY: return convert_array(arena, from);
	case JSON_STRING:
		return lb_value_string(
			arena, (struct lb_bytes){ (const unsigned char *)json_string_value(from),
		                                  json_string_length(from) });
	case JSON_INTEGER: /* read as real, see the flags */
	case JSON_REAL: return lb_value_number(arena, json_number_value(from));
	case JSON_TRUE: return lb_value_bool(arena, true);
	case JSON_FALSE: return lb_value_bool(arena, false);
	case JSON_NULL: break;
	}
	return lb_value_null(arena);
}

/* jansson counts what it has consumed: the bad byte is the last of it, unless the text just ended.
 */
static lb_err malformed(struct lb_bytes text, const json_error_t *error, struct lb_diag *diag)
{
	size_t offset = error->position > 0 ? (size_t)error->position - 1 : 0;

	if (json_error_code(error) == json_error_premature_end_of_input)
		offset = text.len;
	return fail_at(diag, LB_E_MALFORMED, text, offset, "%s",
	               error->text[0] != '\0' ? error->text : "not a JSON value");
}

static lb_err read_with(struct lb_value **out, struct lb_arena *arena, struct lb_bytes text,
                        struct lb_diag *diag)
{
	const size_t flags =
		JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
	struct lb_loan loan;
	json_error_t error;
	json_t *root;

	lb_loan_begin(&loan, arena->under);
	root = json_loadb((const char *)text.at, text.len, flags, &error);
	if (root != NULL) {
		*out = convert(arena, root);
		json_decref(root);
	}
	lb_loan_end(&loan);
	if (loan.failed || arena->failed)
		return lb_err_of(LB_E_NOMEM);
	return root != NULL ? LB_OK : malformed(text, &error, diag);
}

lb_err lb_json_read(struct lb_value **out, struct lb_arena *arena, struct lb_bytes text,
                    struct lb_diag *diag)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	lb_err err;

	*out = NULL;
	(void)pthread_once(&once, hook);
	LB_TRY(check_text(text, diag));
	err = read_with(out, arena, text, diag);
	if (lb_failed(err))
		*out = NULL;
	return err;
}
