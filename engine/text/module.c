/* module.c - a module's text, from its first parenthesis to the bytes. */
#include "engine/text/module.h"

#include "engine/text/parse_priv.h"

enum { FRAMES_MAX = 1 << 20, TYPES_MAX = 1000000, CUSTOMS_MAX = 100000 };

/* ---- the parser's life ---- */

static struct lb_buf *const *buffers_of(struct lb_buf *out[], struct parser *p)
{
	struct lb_buf *const all[] = {
		&p->signature.params,
		&p->signature.results,
		&p->signature.form,
		&p->group,
		&p->supers,
		&p->aside,
		&p->run_type,
		&p->body,
		&p->pending,
		&p->scratch,
		&p->local_names,
		&p->field_names,
		&p->hints,
		&p->body_hints,
		&p->label_names,
	};

	static_assert(sizeof all / sizeof all[0] == 15, "PARSE_BUFFERS");
	memcpy(out, all, sizeof all);
	return out;
}

enum { PARSE_BUFFERS = 15 };

static void parser_init(struct parser *p, struct lb_mem *mem,
                        const struct engine_text_module *module)
{
	struct lb_buf *buffers[PARSE_BUFFERS];

	*p = (struct parser){ .mem = mem,
		              .source = module->source,
		              .words = module->words,
		              .tokens = module->tokens,
		              .note = SIZE_MAX,
		              .misplaced = SIZE_MAX,
		              .with_names = !module->no_names,
		              .features = module->features };
	lb_arena_init(&p->arena, mem);
	for (unsigned i = 0; i < SPACE_COUNT; i++) {
		lb_map_init(&p->names[i].map, mem);
		lb_buf_init(&p->names[i].section, mem, ENGINE_TEXT_BYTES_MAX);
	}
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		lb_buf_init(&p->sections[i], mem, ENGINE_TEXT_BYTES_MAX);
	(void)buffers_of(buffers, p);
	for (unsigned i = 0; i < PARSE_BUFFERS; i++)
		lb_buf_init(buffers[i], mem, ENGINE_TEXT_BYTES_MAX);
	lb_map_init(&p->type_forms, mem);
	lb_vec_init(&p->types, mem, sizeof(struct type), TYPES_MAX);
	lb_vec_init(&p->customs, mem, sizeof(struct custom), CUSTOMS_MAX);
	lb_vec_init(&p->frames, mem, sizeof(struct frame), FRAMES_MAX);
}

static void parser_release(struct parser *p)
{
	struct lb_buf *buffers[PARSE_BUFFERS];

	for (unsigned i = 0; i < SPACE_COUNT; i++) {
		lb_map_release(&p->names[i].map);
		lb_buf_release(&p->names[i].section);
	}
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		lb_buf_release(&p->sections[i]);
	(void)buffers_of(buffers, p);
	for (unsigned i = 0; i < PARSE_BUFFERS; i++)
		lb_buf_release(buffers[i]);
	lb_map_release(&p->type_forms);
	lb_vec_release(&p->types);
	lb_vec_release(&p->customs);
	lb_vec_release(&p->frames);
	lb_arena_release(&p->arena);
}

/* ---- the shell of a module ---- */

/* (@name "...") behind the word and the identifier. */
static lb_err parse_module_name(struct parser *p, struct lb_bytes id)
{
	struct lb_bytes another;

	LB_TRY(engine_parse_take_name(&p->module_name, p));
	LB_TRY(engine_parse_take_name(&another, p));
	if (another.at != NULL)
		return engine_parse_fail(p, p->at, LB_E_MALFORMED,
		                         "@name annotation: multiple module");
	if (p->module_name.at == NULL && p->with_names)
		p->module_name = id;
	return LB_OK;
}

static lb_err add_strings(struct lb_buf *out, struct parser *p)
{
	for (; here(p)->kind == ENGINE_TOKEN_STRING; engine_parse_step(p))
		engine_token_string(out, text_here(p));
	return lb_buf_check(out);
}

static lb_err parse_text(struct lb_buf *out, struct parser *p)
{
	LB_TRY(engine_parse_fields(p));
	LB_TRY(engine_parse_check_annotations(p));
	return engine_parse_emit(out, p);
}

/* What stands in (module quote ...) is a text of its own, with places of its own. */
static lb_err parse_quote(struct lb_buf *out, struct parser *p)
{
	struct engine_text_options options = { .name = "quoted",
		                               .no_names = !p->with_names,
		                               .features = p->features };
	lb_err err;

	lb_buf_reset(&p->body);
	err = add_strings(&p->body, p);
	if (!lb_failed(err))
		err = engine_text_to_binary_with(out, p->mem, lb_buf_bytes(&p->body), &options,
		                                 p->words, p->source.diag);
	return err;
}

/* Behind "(module": up to its parenthesis, which stays. */
static lb_err parse_inside(struct lb_buf *out, struct parser *p)
{
	struct lb_bytes id;

	(void)(engine_parse_take_word(p, "definition"));
	LB_TRY(engine_parse_id(&id, p));
	if (engine_parse_take_word(p, "binary"))
		return add_strings(out, p);
	if (engine_parse_take_word(p, "quote"))
		return parse_quote(out, p);
	LB_TRY(parse_module_name(p, id));
	return parse_text(out, p);
}

static lb_err parse_module(struct lb_buf *out, struct parser *p, size_t at)
{
	engine_parse_begin(p, at);
	if (!engine_parse_take_open(p, "module"))
		return parse_text(out, p);
	LB_TRY(parse_inside(out, p));
	return engine_parse_close(p);
}

lb_err engine_text_module(struct lb_buf *out, size_t *at, struct lb_mem *mem,
                          const struct engine_text_module *module)
{
	struct parser p;
	size_t len = out->len;
	lb_err err;

	parser_init(&p, mem, module);
	err = parse_module(out, &p, *at);
	*at = p.at;
	parser_release(&p);
	if (lb_failed(err))
		out->len = len;
	return err;
}

/* ---- a text of its own ---- */

static lb_err parse_whole(struct lb_buf *out, struct lb_mem *mem,
                          const struct engine_text_module *module)
{
	size_t at = 0;

	LB_TRY(engine_text_module(out, &at, mem, module));
	if (module->tokens[at].kind == ENGINE_TOKEN_END)
		return LB_OK;
	return engine_text_fail(
		&module->source, LB_E_MALFORMED, module->tokens[at].at, "unexpected token %.*s",
		LB_FMT(lb_bytes_upto(engine_token_text(&module->source, &module->tokens[at]), 60)));
}

lb_err engine_text_to_binary_with(struct lb_buf *out, struct lb_mem *mem, struct lb_bytes text,
                                  const struct engine_text_options *options,
                                  const struct engine_words *words, struct lb_diag *diag)
{
	struct engine_text_module module = { .source = { text, NULL, diag }, .words = words };
	struct lb_vec tokens;
	size_t len = out->len;
	lb_err err;

	if (options != NULL) {
		module.source.name = options->name;
		module.no_names = options->no_names;
		module.features = options->features;
	}
	err = engine_lex(&tokens, mem, &module.source);
	if (!lb_failed(err)) {
		module.tokens = tokens.at;
		err = parse_whole(out, mem, &module);
	}
	lb_vec_release(&tokens);
	if (lb_failed(err))
		out->len = len;
	return err;
}

lb_err engine_text_to_binary(struct lb_buf *out, struct lb_mem *mem, struct lb_bytes text,
                             const struct engine_text_options *options, struct lb_diag *diag)
{
	const struct engine_words *words;
	struct lb_arena arena;
	lb_err err = lb_err_of(LB_E_NOMEM);

	lb_arena_init(&arena, mem);
	words = engine_words_new(&arena);
	if (words != NULL)
		err = engine_text_to_binary_with(out, mem, text, options, words, diag);
	lb_arena_release(&arena);
	return err;
}

bool engine_text_is(struct lb_bytes bytes)
{
	struct lb_bytes text = lb_bytes_trim(bytes);

	return text.len > 0 && (text.at[0] == '(' || text.at[0] == ';');
}
