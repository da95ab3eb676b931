/* cursor.c - the parser's way through the tokens: steps, expectations, names. */
#include "engine/text/number.h"
#include "engine/text/parse_priv.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- errors ---- */

lb_err engine_parse_fail(const struct parser *p, size_t token, enum lb_code code,
                         const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return engine_text_fail(&p->source, code, p->tokens[token].at, "%s", text);
}

lb_err engine_parse_unexpected(const struct parser *p)
{
	struct lb_bytes text = lb_bytes_upto(text_here(p), 60);

	if (here(p)->kind == ENGINE_TOKEN_END)
		return engine_parse_fail(p, p->at, LB_E_MALFORMED,
		                         "unexpected token: end of the text");
	if (here(p)->kind == ENGINE_TOKEN_WORD && !engine_words_know(p->words, text_here(p)))
		return engine_parse_fail(p, p->at, LB_E_MALFORMED, "unknown operator %.*s",
		                         LB_FMT(text));
	return engine_parse_fail(p, p->at, LB_E_MALFORMED, "unexpected token %.*s", LB_FMT(text));
}

/* ---- steps ---- */

void engine_parse_begin(struct parser *p, size_t at)
{
	if (p->strict && p->note != SIZE_MAX && p->misplaced == SIZE_MAX)
		p->misplaced = p->note;
	p->note = SIZE_MAX;
	while (engine_token_is_annotation(&p->tokens[at])) {
		if (p->note == SIZE_MAX)
			p->note = at;
		at += p->tokens[at].len + 1;
	}
	p->at = at;
}

void engine_parse_step(struct parser *p)
{
	if (here(p)->kind != ENGINE_TOKEN_END)
		engine_parse_begin(p, p->at + 1);
}

size_t engine_parse_next(const struct parser *p, size_t at)
{
	if (p->tokens[at].kind == ENGINE_TOKEN_END)
		return at;
	at++;
	while (engine_token_is_annotation(&p->tokens[at]))
		at += p->tokens[at].len + 1;
	return at;
}

/* The next annotation of that kind before the cursor; the note goes on to the one behind it. */
bool engine_parse_take_note(size_t *at, struct parser *p, enum engine_token_kind kind)
{
	size_t next;

	if (p->note == SIZE_MAX || p->tokens[p->note].kind != kind)
		return false;
	*at = p->note;
	next = p->note + p->tokens[p->note].len + 1;
	p->note = next < p->at ? next : SIZE_MAX;
	return true;
}

static bool word_is(const struct parser *p, size_t at, const char *word)
{
	return p->tokens[at].kind == ENGINE_TOKEN_WORD && lb_bytes_is(text_at(p, at), word);
}

bool engine_parse_is_open(const struct parser *p, const char *word)
{
	return here(p)->kind == ENGINE_TOKEN_OPEN && word_is(p, engine_parse_next(p, p->at), word);
}

bool engine_parse_is_word(const struct parser *p, const char *word)
{
	return word_is(p, p->at, word);
}

bool engine_parse_take_word(struct parser *p, const char *word)
{
	bool there = engine_parse_is_word(p, word);

	if (there)
		engine_parse_step(p);
	return there;
}

bool engine_parse_take_open(struct parser *p, const char *word)
{
	bool there = engine_parse_is_open(p, word);

	if (there) {
		engine_parse_step(p);
		engine_parse_step(p);
	}
	return there;
}

lb_err engine_parse_open(struct parser *p, const char *word)
{
	if (engine_parse_take_open(p, word))
		return LB_OK;
	if (here(p)->kind == ENGINE_TOKEN_OPEN)
		engine_parse_step(p);
	return engine_parse_unexpected(p);
}

lb_err engine_parse_close(struct parser *p)
{
	if (here(p)->kind != ENGINE_TOKEN_CLOSE)
		return engine_parse_unexpected(p);
	engine_parse_step(p);
	return LB_OK;
}

/* At the end of the text, stop there: whoever looks next says so. */
void engine_parse_skip(struct parser *p)
{
	size_t depth = 0, at = p->at;

	do {
		if (p->tokens[at].kind == ENGINE_TOKEN_OPEN)
			depth++;
		else if (p->tokens[at].kind == ENGINE_TOKEN_CLOSE && depth > 0)
			depth--;
		else if (p->tokens[at].kind == ENGINE_TOKEN_END)
			break;
		at = depth > 0 ? engine_parse_next(p, at) : at + 1;
	} while (depth > 0);
	engine_parse_begin(p, at); /* which sees the annotations behind it */
}

/* ---- literals ---- */

lb_err engine_parse_nat(uint64_t *out, struct parser *p, uint64_t max, const char *too_large)
{
	*out = 0;
	if (here(p)->kind != ENGINE_TOKEN_NAT)
		return engine_parse_unexpected(p);
	if (!engine_number_nat(out, text_here(p), max))
		return engine_parse_fail(p, p->at, LB_E_MALFORMED, "%s", too_large);
	engine_parse_step(p);
	return LB_OK;
}

static lb_err decode_string(struct lb_bytes *out, struct parser *p, struct lb_bytes token)
{
	lb_buf_reset(&p->scratch);
	engine_token_string(&p->scratch, token);
	LB_TRY(lb_buf_check(&p->scratch));
	*out = lb_arena_bytes(&p->arena, lb_buf_bytes(&p->scratch));
	return p->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err engine_parse_string(struct lb_bytes *out, struct parser *p)
{
	*out = (struct lb_bytes){ 0 };
	if (here(p)->kind != ENGINE_TOKEN_STRING)
		return engine_parse_unexpected(p);
	LB_TRY(decode_string(out, p, text_here(p)));
	engine_parse_step(p);
	return LB_OK;
}

lb_err engine_parse_name(struct lb_bytes *out, struct parser *p)
{
	size_t at = p->at;

	LB_TRY(engine_parse_string(out, p));
	if (lb_utf8_check(*out) != SIZE_MAX)
		return engine_parse_fail(p, at, LB_E_MALFORMED, "malformed UTF-8 encoding");
	return LB_OK;
}

/* ---- identifiers ---- */

lb_err engine_parse_id_text(struct lb_bytes *out, struct parser *p, size_t token)
{
	struct lb_bytes text = lb_bytes_from(text_at(p, token), 1);

	if (text.at[0] == '"')
		return decode_string(out, p, text);
	*out = text;
	return LB_OK;
}

lb_err engine_parse_id(struct lb_bytes *out, struct parser *p)
{
	*out = (struct lb_bytes){ 0 };
	if (here(p)->kind != ENGINE_TOKEN_ID)
		return LB_OK;
	LB_TRY(engine_parse_id_text(out, p, p->at));
	engine_parse_step(p);
	return LB_OK;
}

static const char *const space_words[] = {
	[SPACE_FUNC] = "func",     [SPACE_TABLE] = "table", [SPACE_MEMORY] = "memory",
	[SPACE_GLOBAL] = "global", [SPACE_TAG] = "tag",     [SPACE_TYPE] = "type",
	[SPACE_ELEM] = "elem",     [SPACE_DATA] = "data",   [SPACE_LOCAL] = "local",
	[SPACE_LABEL] = "label",
};

static const char *const space_texts[] = {
	[SPACE_FUNC] = "function",     [SPACE_TABLE] = "table",       [SPACE_MEMORY] = "memory",
	[SPACE_GLOBAL] = "global",     [SPACE_TAG] = "tag",           [SPACE_TYPE] = "type",
	[SPACE_ELEM] = "elem segment", [SPACE_DATA] = "data segment", [SPACE_LOCAL] = "local",
	[SPACE_LABEL] = "label",
};

lb_err engine_parse_take_name(struct lb_bytes *out, struct parser *p)
{
	size_t at, end;

	*out = (struct lb_bytes){ 0 };
	if (!engine_parse_take_note(&at, p, ENGINE_TOKEN_NAME))
		return LB_OK;
	end = at + p->tokens[at].len;
	if (p->tokens[at + 1].kind != ENGINE_TOKEN_STRING || at + 2 != end)
		return engine_parse_fail(p, at + 1, LB_E_MALFORMED,
		                         "@name annotation: unexpected token");
	LB_TRY(decode_string(out, p, text_at(p, at + 1)));
	if (lb_utf8_check(*out) != SIZE_MAX)
		return engine_parse_fail(p, at + 1, LB_E_MALFORMED,
		                         "@name annotation: malformed UTF-8 encoding");
	return LB_OK;
}

/* Two of one space must not have one name; what the name section says is another matter. */
static lb_err put_name(struct parser *p, enum space space, struct lb_bytes id, size_t token)
{
	struct names *names = &p->names[space];

	if (lb_map_get(&names->map, id) != NULL)
		return engine_parse_fail(p, token, LB_E_MALFORMED, "duplicate %s $%.*s",
		                         space_words[space], LB_FMT(lb_bytes_upto(id, 100)));
	return lb_map_put(&names->map, id, (void *)(uintptr_t)names->count);
}

void engine_parse_show_name(struct names *names, uint32_t index, struct lb_bytes name)
{
	engine_encode_u32(&names->section, index);
	engine_encode_bytes(&names->section, name);
	names->section_count++;
}

lb_err engine_parse_bind(uint32_t *index, struct parser *p, enum space space)
{
	struct names *names = &p->names[space];
	struct lb_bytes id, name;
	size_t token = p->at;

	*index = names->count++;
	LB_TRY(engine_parse_id(&id, p));
	LB_TRY(engine_parse_take_name(&name, p));
	if (id.at != NULL)
		LB_TRY(put_name(p, space, id, token));
	if (name.at == NULL)
		name = id;
	if (name.at != NULL && p->with_names)
		engine_parse_show_name(names, *index, name);
	return LB_OK;
}

lb_err engine_parse_skip_bound(struct parser *p)
{
	struct lb_bytes name;

	if (here(p)->kind == ENGINE_TOKEN_ID)
		engine_parse_step(p);
	return engine_parse_take_name(&name, p);
}

bool engine_parse_is_index(const struct parser *p)
{
	return here(p)->kind == ENGINE_TOKEN_NAT || here(p)->kind == ENGINE_TOKEN_ID;
}

lb_err engine_parse_find(uint32_t *out, struct parser *p, enum space space, size_t token)
{
	struct lb_bytes id;
	uintptr_t found;

	*out = 0;
	LB_TRY(engine_parse_id_text(&id, p, token));
	found = (uintptr_t)lb_map_get(&p->names[space].map, id);
	if (found == 0)
		return engine_parse_fail(p, token, LB_E_MALFORMED, "unknown %s $%.*s",
		                         space_texts[space], LB_FMT(lb_bytes_upto(id, 100)));
	*out = (uint32_t)found - 1;
	return LB_OK;
}

lb_err engine_parse_index(uint32_t *out, struct parser *p, enum space space)
{
	uint64_t number;

	*out = 0;
	if (here(p)->kind == ENGINE_TOKEN_ID) {
		LB_TRY(engine_parse_find(out, p, space, p->at));
		if (space == SPACE_LABEL)
			*out = p->depth - 1 - *out;
		engine_parse_step(p);
		return LB_OK;
	}
	LB_TRY(engine_parse_nat(&number, p, UINT32_MAX, "i32 constant out of range"));
	*out = (uint32_t)number;
	return LB_OK;
}
