/* custom.c - annotations that become custom sections, and where those go. */
#include "engine/text/parse_priv.h"

#include "base/text.h"

static lb_err fail(const struct parser *p, size_t token, const char *text)
{
	return engine_parse_fail(p, token, LB_E_MALFORMED, "@custom annotation: %s", text);
}

static lb_err string_at(struct lb_buf *out, const struct parser *p, size_t token)
{
	engine_token_string(out, text_at(p, token));
	return lb_buf_check(out);
}

/* Sections in the order of a module, with the two ends. */
static bool rank_of(unsigned *rank, struct lb_bytes word)
{
	static const char *const words[] = { "first",  "type",      "import", "func",   "table",
		                             "memory", "tag",       "global", "export", "start",
		                             "elem",   "datacount", "code",   "data",   "last" };

	for (*rank = 0; *rank < sizeof words / sizeof words[0]; (*rank)++)
		if (lb_bytes_is(word, words[*rank]))
			return true;
	return false;
}

/* (before section) or (after section) */
static lb_err read_place(unsigned *place, const struct parser *p, size_t *at, size_t end)
{
	bool before;
	unsigned rank;

	if (p->tokens[*at].kind != ENGINE_TOKEN_OPEN) {
		*place = PARSE_LAST;
		return LB_OK;
	}
	before = lb_bytes_is(text_at(p, *at + 1), "before");
	if (!before && !lb_bytes_is(text_at(p, *at + 1), "after"))
		return fail(p, *at, "malformed placement");
	if (*at + 3 >= end || !rank_of(&rank, text_at(p, *at + 2)))
		return fail(p, *at, "malformed section kind");
	if (p->tokens[*at + 3].kind != ENGINE_TOKEN_CLOSE)
		return fail(p, *at + 3, "unexpected token");
	*place = 2 * rank + !before;
	*at += 4;
	return LB_OK;
}

static lb_err parse_custom(struct parser *p, size_t at)
{
	size_t end = at + p->tokens[at].len;
	struct custom *custom = lb_vec_add(&p->customs);

	if (custom == NULL)
		return lb_vec_check(&p->customs);
	at++;
	if (p->tokens[at].kind != ENGINE_TOKEN_STRING)
		return fail(p, at, "missing section name");
	lb_buf_reset(&p->body);
	LB_TRY(string_at(&p->body, p, at));
	if (lb_utf8_check(lb_buf_bytes(&p->body)) != SIZE_MAX)
		return fail(p, at, "malformed UTF-8 encoding");
	custom->name = lb_arena_bytes(&p->arena, lb_buf_bytes(&p->body));
	at++;
	LB_TRY(read_place(&custom->place, p, &at, end));
	lb_buf_reset(&p->body);
	for (; at < end && p->tokens[at].kind == ENGINE_TOKEN_STRING; at++)
		LB_TRY(string_at(&p->body, p, at));
	if (at != end)
		return fail(p, at, "unexpected token");
	custom->content = lb_arena_bytes(&p->arena, lb_buf_bytes(&p->body));
	return p->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err engine_parse_customs(struct parser *p)
{
	size_t at;

	while (engine_parse_take_note(&at, p, ENGINE_TOKEN_CUSTOM))
		LB_TRY(parse_custom(p, at));
	return LB_OK;
}

lb_err engine_parse_check_annotations(const struct parser *p)
{
	size_t at = p->misplaced != SIZE_MAX ? p->misplaced : p->note;

	if (at == SIZE_MAX)
		return LB_OK;
	if (p->tokens[at].kind == ENGINE_TOKEN_HINT)
		return engine_parse_fail(
			p, at, LB_E_MALFORMED,
			"@metadata.code.branch_hint annotation: not in a function");
	return engine_parse_fail(p, at, LB_E_MALFORMED, "misplaced @%s annotation",
	                         p->tokens[at].kind == ENGINE_TOKEN_NAME ? "name" : "custom");
}
