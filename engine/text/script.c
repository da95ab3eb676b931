/* script.c - see script.h. */
#include "engine/text/script.h"

#include "engine/text/module.h"
#include "engine/text/number.h"
#include "engine/text/parse_priv.h"

#include <stdio.h>

enum { VALUES_MAX = 100000, EITHER_DEPTH_MAX = 8 };

struct engine_script {
	struct lb_mem *mem;
	struct engine_text_options options;
	struct lb_arena words_arena;
	struct lb_vec tokens;
	struct parser p;      /* the cursor; its arena is that of the command at hand */
	bool alone;           /* the text is one module, fields or whole */
	size_t line, line_at; /* of the last command: its line, its offset */
};

/* ---- values ---- */

static lb_err read_lane(struct engine_script_lane *lane, struct parser *p, unsigned width,
                        bool is_float)
{
	bool fits;

	lane->pattern = ENGINE_SCRIPT_EXACT;
	if (is_float && engine_parse_take_word(p, "nan:canonical")) {
		lane->pattern = ENGINE_SCRIPT_CANONICAL;
		return LB_OK;
	}
	if (is_float && engine_parse_take_word(p, "nan:arithmetic")) {
		lane->pattern = ENGINE_SCRIPT_ARITHMETIC;
		return LB_OK;
	}
	if (here(p)->kind != ENGINE_TOKEN_NAT && here(p)->kind != ENGINE_TOKEN_INT &&
	    (here(p)->kind != ENGINE_TOKEN_FLOAT || !is_float))
		return engine_parse_unexpected(p);
	fits = is_float ? engine_number_float(&lane->bits, text_here(p), width)
	                : engine_number_int(&lane->bits, text_here(p), width);
	if (!fits)
		return engine_parse_fail(p, p->at, LB_E_MALFORMED, "constant out of range");
	engine_parse_step(p);
	return LB_OK;
}

static lb_err read_number(struct engine_script_value *out, struct parser *p, unsigned lanes,
                          unsigned width, bool is_float)
{
	out->lane_count = (uint8_t)lanes;
	out->lane_bits = (uint8_t)width;
	for (unsigned i = 0; i < lanes; i++)
		LB_TRY(read_lane(&out->lanes[i], p, width, is_float));
	return LB_OK;
}

static lb_err read_vector(struct engine_script_value *out, struct parser *p)
{
	struct parse_shape shape;

	if (!engine_parse_shape(&shape, p))
		return engine_parse_unexpected(p);
	return read_number(out, p, shape.lanes, shape.width, shape.is_float);
}

/* (ref.null heap?), with a heap type of any form. */
static lb_err read_null(struct parser *p)
{
	lb_buf_reset(&p->aside);
	return here(p)->kind == ENGINE_TOKEN_CLOSE ? LB_OK : engine_parse_heap_type(&p->aside, p);
}

static lb_err read_host(struct engine_script_value *out, struct parser *p)
{
	uint64_t number = 0;

	out->has_number = here(p)->kind != ENGINE_TOKEN_CLOSE;
	if (out->has_number)
		LB_TRY(engine_parse_nat(&number, p, UINT32_MAX, "constant out of range"));
	out->lanes[0].bits = number;
	return LB_OK;
}

static lb_err read_reference(struct engine_script_value *out, struct parser *p)
{
	static const char *const heaps[] = { "func", "struct", "array", "i31", "eq", "any", "exn" };

	if (engine_parse_take_word(p, "ref.null")) {
		out->kind = ENGINE_SCRIPT_NULL;
		return read_null(p);
	}
	if (engine_parse_take_word(p, "ref.extern")) {
		out->kind = ENGINE_SCRIPT_EXTERN;
		return read_host(out, p);
	}
	if (engine_parse_take_word(p, "ref.host")) {
		out->kind = ENGINE_SCRIPT_HOST;
		return read_host(out, p);
	}
	out->kind = ENGINE_SCRIPT_REF;
	for (size_t i = 0; i < sizeof heaps / sizeof heaps[0]; i++) {
		char word[16];

		(void)snprintf(word, sizeof word, "ref.%s", heaps[i]);
		if (engine_parse_take_word(p, word)) {
			out->heap = lb_bytes_of(heaps[i]);
			return LB_OK;
		}
	}
	return engine_parse_unexpected(p);
}

static lb_err read_values(const struct engine_script_value **out, uint32_t *count, struct parser *p,
                          unsigned depth);

static lb_err read_value(struct engine_script_value *out, struct parser *p, unsigned depth)
{
	static const struct {
		const char *word;
		enum engine_script_value_kind kind;
		unsigned width;
		bool is_float;
	} numbers[] = { { "i32.const", ENGINE_SCRIPT_I32, 32, false },
		        { "i64.const", ENGINE_SCRIPT_I64, 64, false },
		        { "f32.const", ENGINE_SCRIPT_F32, 32, true },
		        { "f64.const", ENGINE_SCRIPT_F64, 64, true } };

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (!engine_parse_take_word(p, numbers[i].word))
			continue;
		out->kind = numbers[i].kind;
		return read_number(out, p, 1, numbers[i].width, numbers[i].is_float);
	}
	if (engine_parse_take_word(p, "v128.const")) {
		out->kind = ENGINE_SCRIPT_V128;
		return read_vector(out, p);
	}
	if (!engine_parse_is_word(p, "either"))
		return read_reference(out, p);
	if (depth == EITHER_DEPTH_MAX)
		return engine_parse_fail(p, p->at, LB_E_LIMIT, "nested too deeply");
	engine_parse_step(p);
	out->kind = ENGINE_SCRIPT_EITHER;
	return read_values(&out->choices, &out->choice_count, p, depth + 1);
}

/* Lists up to the parenthesis that closes what is around. */
static uint32_t count_lists(const struct parser *p)
{
	struct parser ahead = *p; /* a cursor of its own */
	uint32_t count = 0;

	for (; here(&ahead)->kind == ENGINE_TOKEN_OPEN; count++)
		engine_parse_skip(&ahead);
	return count;
}

static lb_err read_values(const struct engine_script_value **out, uint32_t *count, struct parser *p,
                          unsigned depth)
{
	struct engine_script_value *values;

	*count = count_lists(p);
	values = LB_ARENA_NEW(&p->arena, struct engine_script_value, *count);
	*out = values;
	if (values == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < *count; i++) {
		engine_parse_step(p);
		LB_TRY(read_value(&values[i], p, depth));
		LB_TRY(engine_parse_close(p));
	}
	return LB_OK;
}

/* ---- actions ---- */

static bool is_action(const struct parser *p)
{
	return engine_parse_is_open(p, "invoke") || engine_parse_is_open(p, "get");
}

static lb_err read_action(struct engine_script_action *out, struct parser *p)
{
	out->is_get = engine_parse_take_open(p, "get");
	if (!out->is_get)
		LB_TRY(engine_parse_open(p, "invoke"));
	LB_TRY(engine_parse_id(&out->of, p));
	LB_TRY(engine_parse_string(&out->field, p));
	if (!out->is_get)
		LB_TRY(read_values(&out->args, &out->arg_count, p, 0));
	return engine_parse_close(p);
}

/* ---- modules ---- */

/* Note where it is, what it is called, and pass over it. */
static lb_err read_module(struct engine_script_command *out, struct parser *p)
{
	size_t start = p->at;

	out->module = start;
	LB_TRY(engine_parse_open(p, "module"));
	if (engine_parse_take_word(p, "definition"))
		out->kind = ENGINE_SCRIPT_DEFINITION;
	LB_TRY(engine_parse_id(&out->name, p));
	engine_parse_begin(p, start);
	engine_parse_skip(p);
	return LB_OK;
}

static lb_err read_instance(struct engine_script_command *out, struct parser *p)
{
	out->kind = ENGINE_SCRIPT_INSTANCE;
	LB_TRY(engine_parse_id(&out->name, p));
	LB_TRY(engine_parse_id(&out->of, p));
	return engine_parse_close(p);
}

static bool is_instance(const struct parser *p)
{
	size_t word = engine_parse_next(p, engine_parse_next(p, p->at));

	return engine_parse_is_open(p, "module") && p->tokens[word].kind == ENGINE_TOKEN_WORD &&
	       lb_bytes_is(text_at(p, word), "instance");
}

/* ---- commands ---- */

static lb_err read_assertion(struct engine_script_command *out, struct parser *p,
                             enum engine_script_kind kind)
{
	struct lb_bytes word = text_at(p, engine_parse_next(p, p->at));
	bool of_module = kind == ENGINE_SCRIPT_MALFORMED || kind == ENGINE_SCRIPT_INVALID ||
	                 kind == ENGINE_SCRIPT_UNLINKABLE;

	out->is_custom = lb_bytes_ends(word, LB_B("_custom"));
	engine_parse_step(p);
	engine_parse_step(p);
	out->kind = kind;
	if (kind == ENGINE_SCRIPT_TRAP && !is_action(p)) {
		out->kind = ENGINE_SCRIPT_UNINSTANTIABLE;
		of_module = true;
	}
	kind = out->kind;
	if (of_module)
		LB_TRY(read_module(out, p));
	else
		LB_TRY(read_action(&out->action, p));
	out->kind = kind;
	if (kind == ENGINE_SCRIPT_RETURN)
		LB_TRY(read_values(&out->results, &out->result_count, p, 0));
	else if (kind != ENGINE_SCRIPT_EXCEPTION)
		LB_TRY(engine_parse_string(&out->text, p));
	return engine_parse_close(p);
}

/* A list of another kind is passed over, so that the rest is run. */
static lb_err read_unknown(struct engine_script_command *out, struct parser *p)
{
	size_t word = engine_parse_next(p, p->at);

	if (here(p)->kind != ENGINE_TOKEN_OPEN || p->tokens[word].kind != ENGINE_TOKEN_WORD)
		return engine_parse_unexpected(p);
	out->kind = ENGINE_SCRIPT_UNKNOWN;
	out->text = text_at(p, word);
	engine_parse_skip(p);
	return LB_OK;
}

static lb_err read_command(struct engine_script_command *out, struct parser *p)
{
	static const struct {
		const char *word;
		enum engine_script_kind kind;
	} assertions[] = {
		{ "assert_return", ENGINE_SCRIPT_RETURN },
		{ "assert_trap", ENGINE_SCRIPT_TRAP },
		{ "assert_exhaustion", ENGINE_SCRIPT_EXHAUSTION },
		{ "assert_exception", ENGINE_SCRIPT_EXCEPTION },
		{ "assert_malformed", ENGINE_SCRIPT_MALFORMED },
		{ "assert_malformed_custom", ENGINE_SCRIPT_MALFORMED },
		{ "assert_invalid", ENGINE_SCRIPT_INVALID },
		{ "assert_invalid_custom", ENGINE_SCRIPT_INVALID },
		{ "assert_unlinkable", ENGINE_SCRIPT_UNLINKABLE },
	};

	for (size_t i = 0; i < sizeof assertions / sizeof assertions[0]; i++)
		if (engine_parse_is_open(p, assertions[i].word))
			return read_assertion(out, p, assertions[i].kind);
	if (is_action(p)) {
		out->kind = ENGINE_SCRIPT_ACTION;
		return read_action(&out->action, p);
	}
	if (is_instance(p)) {
		engine_parse_step(p);
		engine_parse_step(p);
		engine_parse_step(p);
		return read_instance(out, p);
	}
	if (engine_parse_is_open(p, "module"))
		return read_module(out, p);
	if (!engine_parse_is_open(p, "register"))
		return read_unknown(out, p);
	LB_TRY(engine_parse_open(p, "register"));
	out->kind = ENGINE_SCRIPT_REGISTER;
	LB_TRY(engine_parse_name(&out->text, p));
	LB_TRY(engine_parse_id(&out->of, p));
	return engine_parse_close(p);
}

/* Whether a command opens at the cursor; what else does is a field of a module. */
static bool is_command(const struct parser *p)
{
	struct lb_bytes word = text_at(p, engine_parse_next(p, p->at));

	return here(p)->kind == ENGINE_TOKEN_OPEN &&
	       (lb_bytes_starts(word, LB_B("assert_")) || lb_bytes_is(word, "module") ||
	        lb_bytes_is(word, "register") || is_action(p));
}

/* ---- the script ---- */

static lb_err open_script(struct engine_script *s, struct lb_bytes text, struct lb_diag *diag)
{
	struct parser *p = &s->p;

	p->source = (struct engine_text_source){ text, s->options.name, diag };
	p->misplaced = p->note = SIZE_MAX;
	p->mem = s->mem;
	lb_arena_init(&s->words_arena, s->mem);
	lb_arena_init(&p->arena, s->mem);
	lb_buf_init(&p->scratch, s->mem, ENGINE_TEXT_BYTES_MAX);
	lb_buf_init(&p->aside, s->mem, ENGINE_TEXT_BYTES_MAX);
	p->words = engine_words_new(&s->words_arena);
	if (p->words == NULL)
		return lb_err_of(LB_E_NOMEM);
	LB_TRY(engine_lex(&s->tokens, s->mem, &p->source));
	p->tokens = s->tokens.at;
	engine_parse_begin(p, 0);
	/* Where there is nothing to be seen, there is the empty module, too. */
	s->alone = !is_command(p) && here(p)->kind != ENGINE_TOKEN_END;
	return LB_OK;
}

lb_err engine_script_open(struct engine_script **out, struct lb_mem *mem, struct lb_bytes text,
                          const struct engine_text_options *options, struct lb_diag *diag)
{
	struct engine_script *s = LB_NEW(mem, struct engine_script, 1);
	lb_err err;

	*out = NULL;
	if (s == NULL)
		return lb_err_of(LB_E_NOMEM);
	s->mem = mem;
	s->line = 1;
	if (options != NULL)
		s->options = *options;
	err = open_script(s, text, diag);
	if (lb_failed(err))
		engine_script_close(s);
	else
		*out = s;
	return err;
}

void engine_script_close(struct engine_script *script)
{
	if (script == NULL)
		return;
	lb_vec_release(&script->tokens);
	lb_buf_release(&script->p.scratch);
	lb_buf_release(&script->p.aside);
	lb_arena_release(&script->p.arena);
	lb_arena_release(&script->words_arena);
	LB_DROP(script->mem, script, 1);
}

/* Counted on from the command before. */
static size_t line_here(struct engine_script *s)
{
	size_t at = here(&s->p)->at;
	struct lb_bytes between = { s->p.source.text.at + s->line_at, at - s->line_at };

	s->line += engine_text_line(between, between.len) - 1;
	s->line_at = at;
	return s->line;
}

lb_err engine_script_next(struct engine_script_command *out, struct engine_script *script,
                          struct lb_diag *diag)
{
	struct parser *p = &script->p;

	*out = (struct engine_script_command){ 0 };
	p->source.diag = diag;
	lb_arena_release(&p->arena);
	lb_arena_init(&p->arena, script->mem);
	if (here(p)->kind == ENGINE_TOKEN_END)
		return lb_err_of(LB_E_END);
	out->line = line_here(script);
	if (!script->alone)
		return read_command(out, p);
	engine_parse_begin(p, script->tokens.count - 1);
	return LB_OK;
}

lb_err engine_script_module(struct lb_buf *out, struct engine_script *script,
                            const struct engine_script_command *command, struct lb_diag *diag)
{
	struct engine_text_module module = { .source = script->p.source,
		                             .tokens = script->tokens.at,
		                             .words = script->p.words,
		                             .no_names = script->options.no_names,
		                             .features = script->options.features };
	size_t at = command->module;

	module.source.diag = diag;
	LB_TRY(engine_text_module(out, &at, script->mem, &module));
	if (script->alone && module.tokens[at].kind != ENGINE_TOKEN_END)
		return engine_text_fail(&module.source, LB_E_MALFORMED, module.tokens[at].at,
		                        "unexpected token");
	return LB_OK;
}
