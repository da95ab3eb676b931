/* matcher.c - see matcher.h; expressions by PCRE2. */
#include "ci-runner/text/matcher.h"

#include "base/buf.h"
#include "base/vec.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
	STEPS_MAX = 1000000, /* of one match */
	TRIES_MAX = 3,       /* that take longer, until a matcher is removed */
	TEXT_BYTES_MAX = 1024 * 1024
};

/* What a pattern may take from a line. */
enum field { FILE_NAME, LINE, COLUMN, SEVERITY, CODE, MESSAGE, FROM_PATH, FIELDS };

static const char *const field_names[FIELDS] = { "file", "line",    "column",  "severity",
	                                         "code", "message", "fromPath" };

struct pattern {
	pcre2_code *code;
	int groups[FIELDS]; /* -1: not taken */
	bool loop;
};

/* What the patterns so far took. */
struct taken {
	bool any;
	struct lb_buf text[FIELDS];
	bool set[FIELDS];
};

struct matcher {
	struct lb_bytes owner, severity, from_path; /* in the set's arena */
	struct pattern patterns[RUNNER_MATCHER_PATTERNS_MAX];
	struct taken state[RUNNER_MATCHER_PATTERNS_MAX]; /* one fewer than patterns */
	size_t count;
	unsigned slow;
};

struct runner_matchers {
	struct lb_mem *mem;
	struct lb_arena arena;
	struct lb_vec all; /* of struct matcher *, the newest last */
	pcre2_general_context *general;
	pcre2_match_context *limits;
	pcre2_match_data *data;
};

/* ---- memory: PCRE2 does not say how much it gives back ---- */

enum { HEADER = 16 };

static void *take(size_t size, void *ctx)
{
	unsigned char *block = lb_mem_new(ctx, size + HEADER, 1);

	if (block == NULL)
		return NULL;
	memcpy(block, &size, sizeof size);
	return block + HEADER;
}

static void give(void *block, void *ctx)
{
	size_t size;

	if (block == NULL)
		return;
	memcpy(&size, (unsigned char *)block - HEADER, sizeof size);
	lb_mem_drop(ctx, (unsigned char *)block - HEADER, size + HEADER, 1);
}

/* ---- life ---- */

lb_err runner_matchers_new(struct runner_matchers **out, struct lb_mem *mem)
{
	struct runner_matchers *m = LB_NEW(mem, struct runner_matchers, 1);

	*out = m;
	if (m == NULL)
		return lb_err_of(LB_E_NOMEM);
	m->mem = mem;
	lb_arena_init(&m->arena, mem);
	lb_vec_init(&m->all, mem, sizeof(struct matcher *), RUNNER_MATCHERS_MAX);
	m->general = pcre2_general_context_create(take, give, mem);
	if (m->general != NULL) {
		m->limits = pcre2_match_context_create(m->general);
		m->data = pcre2_match_data_create(100, m->general);
	}
	if (m->limits == NULL || m->data == NULL) {
		runner_matchers_free(m);
		*out = NULL;
		return lb_err_of(LB_E_NOMEM);
	}
	(void)pcre2_set_match_limit(m->limits, STEPS_MAX);
	(void)pcre2_set_depth_limit(m->limits, STEPS_MAX);
	return LB_OK;
}

static void free_matcher(struct runner_matchers *m, struct matcher *matcher)
{
	for (size_t i = 0; i < matcher->count; i++) {
		pcre2_code_free(matcher->patterns[i].code);
		for (size_t f = 0; f < FIELDS; f++)
			lb_buf_release(&matcher->state[i].text[f]);
	}
	LB_DROP(m->mem, matcher, 1);
}

static struct matcher **slot_at(const struct runner_matchers *m, size_t i)
{
	return LB_VEC_AT(&m->all, struct matcher *, i);
}

void runner_matchers_free(struct runner_matchers *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->all.count; i++)
		free_matcher(m, *slot_at(m, i));
	lb_vec_release(&m->all);
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->limits);
	pcre2_general_context_free(m->general);
	lb_arena_release(&m->arena);
	LB_DROP(m->mem, m, 1);
}

bool runner_matchers_any(const struct runner_matchers *m) { return m->all.count > 0; }

static void remove_at(struct runner_matchers *m, size_t at)
{
	free_matcher(m, *slot_at(m, at));
	for (; at + 1 < m->all.count; at++)
		*slot_at(m, at) = *slot_at(m, at + 1);
	m->all.count--;
}

void runner_matchers_remove(struct runner_matchers *m, struct lb_bytes owner)
{
	for (size_t i = m->all.count; i > 0; i--)
		if (lb_bytes_eq_nocase((*slot_at(m, i - 1))->owner, owner))
			remove_at(m, i - 1);
}

/* ---- reading ---- */

static lb_err compile(struct runner_matchers *m, struct pattern *out, struct lb_bytes regexp,
                      struct lb_diag *diag)
{
	pcre2_compile_context *context = pcre2_compile_context_create(m->general);
	PCRE2_SIZE offset;
	int error;

	if (context == NULL)
		return lb_err_of(LB_E_NOMEM);
	out->code = pcre2_compile(regexp.len > 0 ? regexp.at : (PCRE2_SPTR) "", regexp.len,
	                          PCRE2_ALT_BSUX | PCRE2_DOLLAR_ENDONLY, &error, &offset, context);
	pcre2_compile_context_free(context);
	if (out->code != NULL)
		return LB_OK;
	if (error == PCRE2_ERROR_HEAP_FAILED)
		return lb_err_of(LB_E_NOMEM);
	return lb_fail(diag, LB_E_INVALID, "Invalid pattern '%.*s' at offset %zu",
	               LB_FMT(lb_bytes_upto(regexp, 200)), (size_t)offset);
}

static lb_err read_groups(struct pattern *out, const struct lb_value *config, bool seen[FIELDS],
                          struct lb_diag *diag)
{
	uint32_t groups = 0;

	(void)pcre2_pattern_info(out->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	for (size_t f = 0; f < FIELDS; f++) {
		const struct lb_value *value = lb_value_get(config, field_names[f]);

		out->groups[f] = -1;
		if (value == NULL || value->kind == LB_NULL)
			continue;
		if (seen[f])
			return lb_fail(diag, LB_E_INVALID, "The property '%s' is set twice",
			               field_names[f]);
		if (value->kind != LB_NUMBER || value->number < 0 || value->number > groups)
			return lb_fail(diag, LB_E_INVALID,
			               "The property '%s' is set to %.6g which is out of range",
			               field_names[f], lb_value_get_number(config, field_names[f]));
		out->groups[f] = (int)value->number;
		seen[f] = true;
	}
	return LB_OK;
}

static lb_err read_pattern(struct runner_matchers *m, struct matcher *out,
                           const struct lb_value *config, bool last, bool seen[FIELDS],
                           struct lb_diag *diag)
{
	struct pattern *pattern = &out->patterns[out->count];
	bool first = out->count == 0;

	pattern->loop = lb_value_get_bool(config, "loop");
	LB_TRY(compile(m, pattern, lb_value_get_string(config, "regexp"), diag));
	for (size_t f = 0; f < FIELDS; f++)
		lb_buf_init(&out->state[out->count].text[f], m->mem, TEXT_BYTES_MAX);
	out->count++;
	if (pattern->loop && (first || !last))
		return lb_fail(diag, LB_E_INVALID,
		               "Only the last pattern in a multiline matcher may set 'loop'");
	LB_TRY(read_groups(pattern, config, seen, diag));
	if (pattern->loop && pattern->groups[MESSAGE] < 0)
		return lb_fail(diag, LB_E_INVALID, "The loop pattern must set 'message'");
	return LB_OK;
}

static lb_err read_patterns(struct runner_matchers *m, struct matcher *out,
                            const struct lb_value *config, struct lb_diag *diag)
{
	const struct lb_value *list = lb_value_get(config, "pattern");
	bool seen[FIELDS] = { false };

	if (list == NULL || list->kind != LB_ARRAY || list->count == 0)
		return lb_fail(diag, LB_E_INVALID, "Matcher '%.*s' does not contain any patterns",
		               LB_FMT(out->owner));
	if (list->count > RUNNER_MATCHER_PATTERNS_MAX)
		return lb_fail(diag, LB_E_LIMIT, "Matcher '%.*s' has more than %d patterns",
		               LB_FMT(out->owner), RUNNER_MATCHER_PATTERNS_MAX);
	for (uint32_t i = 0; i < list->count; i++)
		LB_TRY(read_pattern(m, out, list->items[i], i + 1 == list->count, seen, diag));
	if (!seen[MESSAGE])
		return lb_fail(diag, LB_E_INVALID, "At least one pattern must set 'message'");
	return LB_OK;
}

static bool is_level(struct lb_bytes text)
{
	return lb_bytes_eq_nocase(text, LB_B("error")) ||
	       lb_bytes_eq_nocase(text, LB_B("warning")) ||
	       lb_bytes_eq_nocase(text, LB_B("notice"));
}

static lb_err read_matcher(struct runner_matchers *m, struct matcher *out,
                           const struct lb_value *config, struct lb_diag *diag)
{
	out->owner = lb_arena_bytes(&m->arena, lb_value_get_string(config, "owner"));
	out->severity = lb_arena_bytes(&m->arena, lb_value_get_string(config, "severity"));
	out->from_path = lb_arena_bytes(&m->arena, lb_value_get_string(config, "fromPath"));
	if (m->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	if (out->owner.len == 0)
		return lb_fail(diag, LB_E_INVALID, "Owner must not be empty");
	if (out->severity.len > 0 && !is_level(out->severity))
		return lb_fail(diag, LB_E_INVALID,
		               "Matcher '%.*s' contains unexpected default severity '%.*s'",
		               LB_FMT(out->owner), LB_FMT(out->severity));
	return read_patterns(m, out, config, diag);
}

static lb_err add_one(struct runner_matchers *m, struct lb_vec *fresh,
                      const struct lb_value *config, struct lb_diag *diag)
{
	struct matcher *matcher = LB_NEW(m->mem, struct matcher, 1), **slot;
	lb_err err =
		matcher != NULL ? read_matcher(m, matcher, config, diag) : lb_err_of(LB_E_NOMEM);

	for (size_t i = 0; !lb_failed(err) && i < fresh->count; i++)
		if (lb_bytes_eq_nocase((*LB_VEC_AT(fresh, struct matcher *, i))->owner,
		                       matcher->owner))
			err = lb_fail(diag, LB_E_INVALID, "Duplicate owner name '%.*s'",
			              LB_FMT(matcher->owner));
	slot = lb_failed(err) ? NULL : lb_vec_add(fresh);
	if (slot != NULL) {
		*slot = matcher;
		return LB_OK;
	}
	if (matcher != NULL)
		free_matcher(m, matcher);
	return lb_failed(err) ? err : lb_vec_check(fresh);
}

lb_err runner_matchers_add(struct runner_matchers *m, const struct lb_value *config,
                           struct lb_diag *diag)
{
	const struct lb_value *list = lb_value_get(config, "problemMatcher");
	size_t before = m->all.count;
	struct lb_vec fresh;
	lb_err err = LB_OK;

	if (list == NULL || list->kind != LB_ARRAY)
		return lb_fail(diag, LB_E_INVALID, "it has no list 'problemMatcher'");
	lb_vec_init(&fresh, m->mem, sizeof(struct matcher *), RUNNER_MATCHERS_MAX);
	for (uint32_t i = 0; i < list->count && !lb_failed(err); i++)
		err = add_one(m, &fresh, list->items[i], diag);
	/* Room first: what is replaced goes only when all is there. */
	for (size_t i = 0; i < fresh.count && !lb_failed(err); i++)
		err = lb_vec_add(&m->all) != NULL ? LB_OK : lb_vec_check(&m->all);
	m->all.count = before;
	m->all.failure = LB_OK;
	for (size_t i = 0; i < fresh.count; i++) {
		struct matcher *matcher = *LB_VEC_AT(&fresh, struct matcher *, i);

		if (lb_failed(err)) {
			free_matcher(m, matcher);
			continue;
		}
		runner_matchers_remove(m, matcher->owner);
		m->all.count++;
		*slot_at(m, m->all.count - 1) = matcher;
	}
	lb_vec_release(&fresh);
	return err;
}

/* ---- matching ---- */

static void reset(struct matcher *matcher)
{
	for (size_t i = 0; i < matcher->count; i++)
		matcher->state[i].any = false;
}

void runner_matchers_reset(struct runner_matchers *m)
{
	for (size_t i = 0; i < m->all.count; i++)
		reset(*slot_at(m, i));
}

static struct lb_bytes group_of(const struct runner_matchers *m, struct lb_bytes line, int group)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->data);
	PCRE2_SIZE begin = at[2 * group], end = at[2 * group + 1];

	if (begin == PCRE2_UNSET || end < begin || end > line.len)
		return (struct lb_bytes){ line.at, 0 };
	return (struct lb_bytes){ line.at + begin, end - begin };
}

enum tried { MATCHED, NOT, SLOW };

static enum tried try_pattern(struct runner_matchers *m, const struct pattern *pattern,
                              struct lb_bytes line)
{
	int result = pcre2_match(pattern->code, line.len > 0 ? line.at : (PCRE2_SPTR) "", line.len,
	                         0, 0, m->data, m->limits);

	if (result >= 0)
		return MATCHED;
	return result == PCRE2_ERROR_NOMATCH || result == PCRE2_ERROR_PARTIAL ? NOT : SLOW;
}

/* A field is of the first pattern that took it. */
static struct lb_bytes field_of(const struct runner_matchers *m, const struct matcher *matcher,
                                size_t at, struct lb_bytes line, enum field field)
{
	if (at > 0 && matcher->state[at - 1].any && matcher->state[at - 1].set[field])
		return lb_buf_bytes(&matcher->state[at - 1].text[field]);
	if (matcher->patterns[at].groups[field] < 0)
		return (struct lb_bytes){ 0 };
	return group_of(m, line, matcher->patterns[at].groups[field]);
}

static void keep(struct runner_matchers *m, struct matcher *matcher, size_t at,
                 struct lb_bytes line)
{
	struct taken *state = &matcher->state[at];

	for (size_t f = 0; f < FIELDS; f++) {
		struct lb_bytes value = field_of(m, matcher, at, line, (enum field)f);

		lb_buf_reset(&state->text[f]);
		lb_buf_add(&state->text[f], value);
		state->set[f] = value.at != NULL;
	}
	state->any = true;
}

static uint64_t number_of(struct lb_bytes text)
{
	uint64_t number = 0;

	return lb_failed(lb_bytes_u64(&number, text, INT32_MAX)) ? 0 : number;
}

static void fill(struct runner_problem *out, const struct runner_matchers *m,
                 const struct matcher *matcher, size_t at, struct lb_arena *arena,
                 struct lb_bytes line)
{
	struct lb_bytes texts[FIELDS];

	for (size_t f = 0; f < FIELDS; f++)
		texts[f] = field_of(m, matcher, at, line, (enum field)f);
	out->level = texts[SEVERITY].len > 0 ? texts[SEVERITY] : matcher->severity;
	if (out->level.len == 0)
		out->level = LB_B("error");
	out->level = lb_arena_bytes(arena, out->level);
	out->message = lb_arena_bytes(arena, texts[MESSAGE]);
	out->file = lb_arena_bytes(arena, texts[FILE_NAME]);
	out->code = lb_arena_bytes(arena, lb_bytes_trim(texts[CODE]));
	out->from_path = lb_arena_bytes(arena, texts[FROM_PATH].len > 0 ? texts[FROM_PATH]
	                                                                : matcher->from_path);
	out->line = number_of(texts[LINE]);
	out->column = number_of(texts[COLUMN]);
}

/* From the last pattern to the first: one line takes one step. */
static enum tried try_matcher(struct runner_problem *out, struct runner_matchers *m,
                              struct matcher *matcher, struct lb_arena *arena, struct lb_bytes line)
{
	for (size_t i = matcher->count; i > 0; i--) {
		size_t at = i - 1;
		bool last = i == matcher->count;
		enum tried tried;

		if (at > 0 && !matcher->state[at - 1].any)
			continue;
		tried = try_pattern(m, &matcher->patterns[at], line);
		if (tried == SLOW)
			return SLOW;
		if (tried == NOT) {
			matcher->state[last && at > 0 ? at - 1 : at].any = false;
			continue;
		}
		if (!last) {
			keep(m, matcher, at, line);
			continue;
		}
		fill(out, m, matcher, at, arena, line);
		for (size_t k = 0; k < matcher->count; k++)
			matcher->state[k].any =
				matcher->state[k].any && matcher->patterns[at].loop && k + 1 == at;
		return MATCHED;
	}
	return NOT;
}

static bool is_blank(struct lb_bytes text) { return lb_bytes_trim(text).len == 0; }

bool runner_matchers_line(struct runner_problem *out, struct runner_matchers *m,
                          struct lb_arena *arena, struct lb_bytes line)
{
	out->removed = (struct lb_bytes){ 0 };
	for (size_t i = m->all.count; i > 0; i--) {
		struct matcher *matcher = *slot_at(m, i - 1);
		enum tried tried = try_matcher(out, m, matcher, arena, line);

		if (tried == SLOW && ++matcher->slow >= TRIES_MAX) {
			out->removed = matcher->owner; /* its text is the set's */
			remove_at(m, i - 1);
		}
		if (tried != MATCHED)
			continue;
		for (size_t k = 0; k < m->all.count; k++)
			if (*slot_at(m, k) != matcher)
				reset(*slot_at(m, k));
		if (!is_blank(out->message) && is_level(out->level))
			return true;
	}
	return false;
}

/* ---- colours ---- */

struct lb_bytes runner_without_colours(struct lb_arena *arena, struct lb_bytes line)
{
	static const struct lb_bytes begin = LB_LIT("\x1b[");
	unsigned char *to;
	size_t len = 0;

	if (lb_bytes_find(line, begin) == SIZE_MAX)
		return line;
	to = LB_ARENA_NEW(arena, unsigned char, line.len);
	for (size_t i = 0; to != NULL && i < line.len; i++) {
		size_t end = i + 2;

		if (lb_bytes_starts(lb_bytes_from(line, i), begin)) {
			while (end < line.len && (line.at[end] == ';' ||
			                          (line.at[end] >= '0' && line.at[end] <= '9')))
				end++;
			if (end < line.len && (line.at[end] == 'm' || line.at[end] == 'K')) {
				i = end;
				continue;
			}
		}
		to[len++] = line.at[i];
	}
	return to != NULL ? (struct lb_bytes){ to, len } : line;
}
