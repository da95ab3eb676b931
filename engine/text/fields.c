/* fields.c - the fields of a module, each to the section that it belongs to. */
#include "engine/text/parse_priv.h"

static bool at_field(const struct parser *p) { return here(p)->kind == ENGINE_TOKEN_OPEN; }

/* ---- the first pass: names and counts ---- */

static const struct {
	const char *word;
	enum space space;
} externs[] = {
	{ "func", SPACE_FUNC },     { "table", SPACE_TABLE }, { "memory", SPACE_MEMORY },
	{ "global", SPACE_GLOBAL }, { "tag", SPACE_TAG },
};

/* "(func", "(table" and so on. */
static bool take_extern(enum space *space, struct parser *p)
{
	for (size_t i = 0; i < sizeof externs / sizeof externs[0]; i++) {
		if (engine_parse_take_open(p, externs[i].word)) {
			*space = externs[i].space;
			return true;
		}
	}
	return false;
}

/* Imports have the first indices, so nothing may be defined before them. */
static lb_err check_order(const struct parser *p, size_t token)
{
	static const char *const texts[] = {
		[SPACE_FUNC] = "import after function", [SPACE_TABLE] = "import after table",
		[SPACE_MEMORY] = "import after memory", [SPACE_GLOBAL] = "import after global",
		[SPACE_TAG] = "import after tag",
	};

	for (unsigned i = SPACE_FUNC; i <= SPACE_TAG; i++)
		if (p->names[i].count > p->names[i].import_count)
			return engine_parse_fail(p, token, LB_E_MALFORMED, "%s", texts[i]);
	return LB_OK;
}

static lb_err count_import(struct parser *p, size_t token)
{
	enum space space;
	uint32_t index;

	LB_TRY(check_order(p, token));
	engine_parse_skip(p);
	engine_parse_skip(p);
	if (!take_extern(&space, p))
		return engine_parse_unexpected(p);
	p->names[space].import_count++;
	return engine_parse_bind(&index, p, space);
}

/* Whether a list that begins with `word` stands in the field from the cursor on. */
static bool has_inline(const struct parser *p, const char *word)
{
	size_t depth = 1;

	for (size_t at = p->at; depth > 0 && p->tokens[at].kind != ENGINE_TOKEN_END;
	     at = engine_parse_next(p, at)) {
		if (p->tokens[at].kind == ENGINE_TOKEN_CLOSE) {
			depth--;
		} else if (p->tokens[at].kind == ENGINE_TOKEN_OPEN) {
			if (depth == 1 && lb_bytes_is(text_at(p, engine_parse_next(p, at)), word))
				return true;
			depth++;
		}
	}
	return false;
}

static lb_err count_extern(struct parser *p, enum space space)
{
	uint32_t index;

	LB_TRY(engine_parse_bind(&index, p, space));
	while (engine_parse_is_open(p, "export"))
		engine_parse_skip(p);
	if (engine_parse_is_open(p, "import")) {
		/* It has been counted itself, and is no definition before it. */
		p->names[space].import_count++;
		LB_TRY(check_order(p, p->at));
	} else if (space == SPACE_TABLE && has_inline(p, "elem")) {
		p->names[SPACE_ELEM].count++;
	} else if (space == SPACE_MEMORY && has_inline(p, "data")) {
		p->names[SPACE_DATA].count++;
	}
	return LB_OK;
}

static lb_err count_rec(struct parser *p)
{
	uint32_t index;

	while (at_field(p)) {
		size_t start = p->at;

		LB_TRY(engine_parse_open(p, "type"));
		LB_TRY(engine_parse_bind(&index, p, SPACE_TYPE));
		engine_parse_begin(p, start);
		engine_parse_skip(p);
	}
	return LB_OK;
}

static lb_err count_field(struct parser *p)
{
	size_t token = p->at;
	enum space space;
	uint32_t index;

	if (take_extern(&space, p))
		return count_extern(p, space);
	if (engine_parse_take_open(p, "import"))
		return count_import(p, token);
	if (engine_parse_take_open(p, "type"))
		return engine_parse_bind(&index, p, SPACE_TYPE);
	if (engine_parse_take_open(p, "rec"))
		return count_rec(p);
	if (engine_parse_take_open(p, "elem"))
		return engine_parse_bind(&index, p, SPACE_ELEM);
	if (engine_parse_take_open(p, "data"))
		return engine_parse_bind(&index, p, SPACE_DATA);
	if (engine_parse_is_open(p, "export") || engine_parse_is_open(p, "start"))
		return LB_OK;
	engine_parse_step(p);
	return engine_parse_unexpected(p);
}

static lb_err first_pass(struct parser *p, size_t first)
{
	for (engine_parse_begin(p, first); at_field(p);) {
		size_t start = p->at;

		LB_TRY(count_field(p));
		engine_parse_begin(p, start);
		engine_parse_skip(p);
	}
	return LB_OK;
}

/* ---- the second pass: types ---- */

static lb_err second_pass(struct parser *p, size_t first)
{
	for (engine_parse_begin(p, first); at_field(p);) {
		if (!engine_parse_is_open(p, "type") && !engine_parse_is_open(p, "rec")) {
			engine_parse_skip(p);
			continue;
		}
		p->note = SIZE_MAX;
		p->strict = true;
		LB_TRY(engine_parse_type_field(p));
		p->strict = false;
	}
	return LB_OK;
}

/* ---- the third pass: imports and exports ---- */

static void add_export(struct parser *p, struct lb_bytes name, enum space space, uint32_t index)
{
	struct lb_buf *out = &p->sections[SECTION_EXPORT];

	p->counts[SECTION_EXPORT]++;
	engine_encode_bytes(out, name);
	lb_buf_add_byte(out, (unsigned char)space);
	engine_encode_u32(out, index);
}

static lb_err parse_inline_exports(struct parser *p, enum space space, uint32_t index)
{
	struct lb_bytes name;

	while (engine_parse_take_open(p, "export")) {
		LB_TRY(engine_parse_name(&name, p));
		LB_TRY(engine_parse_close(p));
		add_export(p, name, space, index);
	}
	return LB_OK;
}

static lb_err parse_import_names(struct parser *p)
{
	struct lb_bytes module, name;

	LB_TRY(engine_parse_name(&module, p));
	LB_TRY(engine_parse_name(&name, p));
	p->counts[SECTION_IMPORT]++;
	engine_encode_bytes(&p->sections[SECTION_IMPORT], module);
	engine_encode_bytes(&p->sections[SECTION_IMPORT], name);
	return LB_OK;
}

static lb_err parse_tag_type(struct lb_buf *out, struct parser *p)
{
	uint32_t type;

	LB_TRY(engine_parse_type_use(&type, p, TYPE_USE_PLAIN));
	lb_buf_add_byte(out, 0);
	engine_encode_u32(out, type);
	return LB_OK;
}

static lb_err parse_extern_type(struct lb_buf *out, struct parser *p, enum space space)
{
	uint32_t type;

	lb_buf_add_byte(out, (unsigned char)space);
	if (space == SPACE_TABLE)
		return engine_parse_table_type(out, p);
	if (space == SPACE_MEMORY)
		return engine_parse_limits(out, p, true);
	if (space == SPACE_GLOBAL)
		return engine_parse_global_type(out, p);
	if (space == SPACE_TAG)
		return parse_tag_type(out, p);
	LB_TRY(engine_parse_type_use(&type, p, TYPE_USE_PLAIN));
	engine_encode_u32(out, type);
	return LB_OK;
}

static lb_err parse_import(struct parser *p)
{
	enum space space;

	LB_TRY(parse_import_names(p));
	if (!take_extern(&space, p))
		return engine_parse_unexpected(p);
	p->next[space]++;
	LB_TRY(engine_parse_skip_bound(p));
	LB_TRY(parse_extern_type(&p->sections[SECTION_IMPORT], p, space));
	return engine_parse_close(p);
}

static lb_err parse_export(struct parser *p)
{
	struct lb_bytes name;
	enum space space;
	uint32_t index;

	LB_TRY(engine_parse_name(&name, p));
	if (!take_extern(&space, p))
		return engine_parse_unexpected(p);
	LB_TRY(engine_parse_index(&index, p, space));
	add_export(p, name, space, index);
	return engine_parse_close(p);
}

static lb_err parse_start(struct parser *p, size_t token)
{
	uint32_t index;

	if (p->has_start)
		return engine_parse_fail(p, token, LB_E_MALFORMED, "multiple start sections");
	p->has_start = true;
	LB_TRY(engine_parse_index(&index, p, SPACE_FUNC));
	engine_encode_u32(&p->sections[SECTION_START], index);
	return LB_OK;
}

/* ---- functions ---- */

static void forget_locals(struct parser *p)
{
	struct names *locals = &p->names[SPACE_LOCAL];

	lb_map_release(&locals->map);
	lb_buf_reset(&locals->section);
	locals->count = locals->section_count = 0;
	lb_buf_reset(&p->names[SPACE_LABEL].section);
	p->names[SPACE_LABEL].section_count = p->label_count = 0;
}

static void end_run(struct parser *p, uint32_t *run, uint32_t *runs)
{
	if (*run == 0)
		return;
	engine_encode_u32(&p->group, *run);
	lb_buf_add(&p->group, lb_buf_bytes(&p->run_type));
	(*runs)++;
	*run = 0;
}

/* One more local; those of one type that stand together are one run. */
static lb_err parse_local(struct parser *p, uint32_t *run, uint32_t *runs)
{
	uint32_t index;

	LB_TRY(engine_parse_bind(&index, p, SPACE_LOCAL));
	lb_buf_reset(&p->aside);
	LB_TRY(engine_parse_value_type(&p->aside, p));
	if (!lb_bytes_eq(lb_buf_bytes(&p->aside), lb_buf_bytes(&p->run_type))) {
		end_run(p, run, runs);
		lb_buf_reset(&p->run_type);
		lb_buf_add(&p->run_type, lb_buf_bytes(&p->aside));
	}
	(*run)++;
	LB_TRY(lb_buf_check(&p->aside));
	return lb_buf_check(&p->run_type);
}

static lb_err parse_locals(struct parser *p)
{
	uint32_t run = 0, runs = 0;

	lb_buf_reset(&p->group);
	lb_buf_reset(&p->run_type);
	while (engine_parse_take_open(p, "local")) {
		if (here(p)->kind == ENGINE_TOKEN_ID)
			LB_TRY(parse_local(p, &run, &runs));
		else
			while (here(p)->kind != ENGINE_TOKEN_CLOSE)
				LB_TRY(parse_local(p, &run, &runs));
		LB_TRY(engine_parse_close(p));
	}
	end_run(p, &run, &runs);
	engine_encode_u32(&p->body, runs);
	lb_buf_add(&p->body, lb_buf_bytes(&p->group));
	return lb_buf_check(&p->group);
}

/* The names of a function's locals or labels, behind those of the functions before it. */
static lb_err keep_inner_names(struct lb_buf *out, uint32_t *count, const struct names *names,
                               uint32_t index)
{
	if (names->section_count == 0)
		return LB_OK;
	engine_encode_u32(out, index);
	engine_encode_u32(out, names->section_count);
	lb_buf_add(out, lb_buf_bytes(&names->section));
	(*count)++;
	return lb_buf_check(&names->section);
}

static lb_err keep_names(struct parser *p, uint32_t index)
{
	LB_TRY(keep_inner_names(&p->local_names, &p->local_names_count, &p->names[SPACE_LOCAL],
	                        index));
	return keep_inner_names(&p->label_names, &p->label_names_count, &p->names[SPACE_LABEL],
	                        index);
}

static lb_err keep_hints(struct parser *p, uint32_t index)
{
	if (p->body_hint_count == 0)
		return LB_OK;
	engine_encode_u32(&p->hints, index);
	engine_encode_u32(&p->hints, p->body_hint_count);
	lb_buf_add(&p->hints, lb_buf_bytes(&p->body_hints));
	p->hint_funcs++;
	return lb_buf_check(&p->body_hints);
}

static lb_err parse_func(struct parser *p, uint32_t index)
{
	uint32_t type;

	forget_locals(p);
	lb_buf_reset(&p->body);
	lb_buf_reset(&p->body_hints);
	p->body_hint_count = 0;
	LB_TRY(engine_parse_type_use(&type, p, TYPE_USE_BIND));
	p->counts[SECTION_FUNC]++;
	engine_encode_u32(&p->sections[SECTION_FUNC], type);
	LB_TRY(parse_locals(p));
	LB_TRY(engine_parse_body(&p->body, p));
	p->counts[SECTION_CODE]++;
	engine_encode_bytes(&p->sections[SECTION_CODE], lb_buf_bytes(&p->body));
	LB_TRY(keep_names(p, index));
	forget_locals(p);
	return keep_hints(p, index);
}

/* ---- element segments ---- */

enum { ELEM_PASSIVE = 1, ELEM_EXPLICIT = 2, ELEM_EXPRESSIONS = 4 };

/* A segment on its way: where it goes (in parser.group), what is in it (in parser.body). */
struct elem {
	uint32_t table, count;
	bool active, declared, expressions;
};

static lb_err parse_elem_funcs(struct elem *elem, struct parser *p)
{
	uint32_t index;

	for (; engine_parse_is_index(p); elem->count++) {
		LB_TRY(engine_parse_index(&index, p, SPACE_FUNC));
		engine_encode_u32(&p->body, index);
	}
	return LB_OK;
}

/* The same as expressions, for tables of a type of their own. */
static lb_err parse_elem_refs(struct elem *elem, struct parser *p)
{
	uint32_t index;

	elem->expressions = true;
	for (; engine_parse_is_index(p); elem->count++) {
		LB_TRY(engine_parse_index(&index, p, SPACE_FUNC));
		lb_buf_add_byte(&p->body, ENGINE_OP_REF_FUNC);
		engine_encode_u32(&p->body, index);
		lb_buf_add_byte(&p->body, ENGINE_OP_END);
	}
	return LB_OK;
}

static lb_err parse_elem_expressions(struct elem *elem, struct parser *p)
{
	elem->expressions = true;
	for (; here(p)->kind == ENGINE_TOKEN_OPEN; elem->count++)
		LB_TRY(engine_parse_expression(&p->body, p, "item"));
	return LB_OK;
}

static lb_err parse_elem_list(struct elem *elem, struct parser *p)
{
	lb_buf_reset(&p->run_type);
	if (engine_parse_take_word(p, "func"))
		return parse_elem_funcs(elem, p);
	if (elem->active && (engine_parse_is_index(p) || here(p)->kind == ENGINE_TOKEN_CLOSE))
		return parse_elem_funcs(elem, p);
	LB_TRY(engine_parse_ref_type(&p->run_type, p));
	return parse_elem_expressions(elem, p);
}

static void write_elem(struct parser *p, const struct elem *elem)
{
	bool is_funcref = lb_bytes_eq(lb_buf_bytes(&p->run_type), (struct lb_bytes)LB_LIT("\x70"));
	bool is_short = elem->active && elem->table == 0 && (!elem->expressions || is_funcref);
	struct lb_buf *out = &p->sections[SECTION_ELEM];
	unsigned flags = elem->expressions ? ELEM_EXPRESSIONS : 0;

	if (!elem->active)
		flags |= ELEM_PASSIVE | (elem->declared ? ELEM_EXPLICIT : 0);
	else if (!is_short)
		flags |= ELEM_EXPLICIT;
	p->counts[SECTION_ELEM]++;
	lb_buf_add_byte(out, (unsigned char)flags);
	if (elem->active && !is_short)
		engine_encode_u32(out, elem->table);
	if (elem->active)
		lb_buf_add(out, lb_buf_bytes(&p->group));
	if (!is_short && elem->expressions)
		lb_buf_add(out, lb_buf_bytes(&p->run_type));
	else if (!is_short)
		lb_buf_add_byte(out, 0);
	engine_encode_u32(out, elem->count);
	lb_buf_add(out, lb_buf_bytes(&p->body));
}

static lb_err check_parts(const struct parser *p)
{
	LB_TRY(lb_buf_check(&p->group));
	LB_TRY(lb_buf_check(&p->run_type));
	return lb_buf_check(&p->body);
}

/* (memory x)? (offset instr*) or a folded instruction: to parser.group.  A number alone is
 * what older texts have for (memory x). */
static lb_err parse_place(bool *active, uint32_t *index, struct parser *p, enum space space,
                          const char *word)
{
	bool listed = engine_parse_take_open(p, word);
	bool named = listed || here(p)->kind == ENGINE_TOKEN_NAT;

	*index = 0;
	lb_buf_reset(&p->group);
	if (named)
		LB_TRY(engine_parse_index(index, p, space));
	if (listed)
		LB_TRY(engine_parse_close(p));
	*active = named || here(p)->kind == ENGINE_TOKEN_OPEN;
	return *active ? engine_parse_expression(&p->group, p, "offset") : LB_OK;
}

static lb_err parse_elem(struct parser *p)
{
	struct elem elem = { 0 };

	lb_buf_reset(&p->body);
	elem.declared = engine_parse_take_word(p, "declare");
	if (!elem.declared && !engine_parse_is_ref_type(p))
		LB_TRY(parse_place(&elem.active, &elem.table, p, SPACE_TABLE, "table"));
	LB_TRY(parse_elem_list(&elem, p));
	write_elem(p, &elem);
	return check_parts(p);
}

/* ---- data segments ---- */

static lb_err parse_strings(struct parser *p)
{
	lb_buf_reset(&p->body);
	for (; here(p)->kind == ENGINE_TOKEN_STRING; engine_parse_step(p))
		engine_token_string(&p->body, text_here(p));
	return lb_buf_check(&p->body);
}

static void write_data(struct parser *p, bool active, uint32_t memory)
{
	struct lb_buf *out = &p->sections[SECTION_DATA];

	p->counts[SECTION_DATA]++;
	lb_buf_add_byte(out, !active ? 1 : memory == 0 ? 0 : 2);
	if (active && memory != 0)
		engine_encode_u32(out, memory);
	if (active)
		lb_buf_add(out, lb_buf_bytes(&p->group));
	engine_encode_bytes(out, lb_buf_bytes(&p->body));
}

static lb_err parse_data(struct parser *p)
{
	uint32_t memory;
	bool active;

	LB_TRY(parse_place(&active, &memory, p, SPACE_MEMORY, "memory"));
	LB_TRY(parse_strings(p));
	write_data(p, active, memory);
	return lb_buf_check(&p->group);
}

/* ---- tables and memories ---- */

/* The offset of what stands in its table or memory from the beginning. */
static void write_zero(struct parser *p, bool is_64)
{
	lb_buf_reset(&p->group);
	engine_encode_op(&p->group, is_64 ? ENGINE_OP_I64_CONST : ENGINE_OP_I32_CONST);
	lb_buf_add_byte(&p->group, 0);
	engine_encode_op(&p->group, ENGINE_OP_END);
}

static bool take_address_type(struct parser *p)
{
	return engine_parse_take_word(p, "i64") || (engine_parse_take_word(p, "i32") && false);
}

/* i64? reftype (elem ...): as large as what stands in it. */
static lb_err parse_full_table(struct parser *p, uint32_t index, bool is_64)
{
	struct elem elem = { .table = index, .active = true };
	struct lb_buf *out = &p->sections[SECTION_TABLE];
	size_t start = out->len;

	lb_buf_reset(&p->body);
	LB_TRY(engine_parse_ref_type(out, p));
	LB_TRY(lb_buf_check(out));
	lb_buf_reset(&p->run_type);
	lb_buf_add(&p->run_type, lb_bytes_from(lb_buf_bytes(out), start));
	LB_TRY(engine_parse_open(p, "elem"));
	if (!engine_parse_is_index(p) && here(p)->kind != ENGINE_TOKEN_CLOSE)
		LB_TRY(parse_elem_expressions(&elem, p));
	else if (lb_bytes_eq(lb_buf_bytes(&p->run_type), (struct lb_bytes)LB_LIT("\x70")))
		LB_TRY(parse_elem_funcs(&elem, p));
	else
		LB_TRY(parse_elem_refs(&elem, p));
	LB_TRY(engine_parse_close(p));
	lb_buf_add_byte(out, is_64 ? 5 : 1);
	engine_encode_u32(out, elem.count);
	engine_encode_u32(out, elem.count);
	write_zero(p, is_64);
	write_elem(p, &elem);
	return check_parts(p);
}

enum { TABLE_WITH_INIT = 0x40 };

static lb_err parse_table(struct parser *p, uint32_t index)
{
	struct lb_buf *out = &p->sections[SECTION_TABLE];
	size_t start = p->at;
	bool is_64 = take_address_type(p);

	p->counts[SECTION_TABLE]++;
	if (engine_parse_is_ref_type(p))
		return parse_full_table(p, index, is_64);
	engine_parse_begin(p, start);
	lb_buf_reset(&p->body);
	LB_TRY(engine_parse_table_type(&p->body, p));
	if (here(p)->kind != ENGINE_TOKEN_CLOSE) {
		lb_buf_add_byte(out, TABLE_WITH_INIT);
		lb_buf_add_byte(out, 0);
		LB_TRY(engine_parse_body(&p->body, p));
	}
	lb_buf_add(out, lb_buf_bytes(&p->body));
	return lb_buf_check(&p->body);
}

/* i64? (pagesize n)? (data ...): as many pages as that needs. */
static lb_err parse_full_memory(struct parser *p, uint32_t index, bool is_64)
{
	struct lb_buf *out = &p->sections[SECTION_MEMORY];
	unsigned log = 16;
	bool custom = engine_parse_take_open(p, "pagesize");
	uint64_t pages;

	if (custom)
		LB_TRY(engine_parse_page_size(&log, p));
	LB_TRY(engine_parse_open(p, "data"));
	LB_TRY(parse_strings(p));
	LB_TRY(engine_parse_close(p));
	pages = (p->body.len + ((uint64_t)1 << log) - 1) >> log;
	lb_buf_add_byte(out, (unsigned char)(1 | (is_64 ? 4 : 0) | (custom ? 8 : 0)));
	engine_encode_u64(out, pages);
	engine_encode_u64(out, pages);
	if (custom)
		engine_encode_u32(out, log);
	write_zero(p, is_64);
	write_data(p, true, index);
	return lb_buf_check(&p->group);
}

static lb_err parse_memory(struct parser *p, uint32_t index)
{
	size_t start = p->at;
	bool is_64 = take_address_type(p);

	p->counts[SECTION_MEMORY]++;
	if (engine_parse_is_open(p, "data") || engine_parse_is_open(p, "pagesize"))
		return parse_full_memory(p, index, is_64);
	engine_parse_begin(p, start);
	return engine_parse_limits(&p->sections[SECTION_MEMORY], p, true);
}

/* ---- the rest ---- */

static lb_err parse_global(struct parser *p)
{
	p->counts[SECTION_GLOBAL]++;
	LB_TRY(engine_parse_global_type(&p->sections[SECTION_GLOBAL], p));
	return engine_parse_body(&p->sections[SECTION_GLOBAL], p);
}

static lb_err parse_definition(struct parser *p, enum space space, uint32_t index)
{
	if (space == SPACE_FUNC)
		return parse_func(p, index);
	if (space == SPACE_TABLE)
		return parse_table(p, index);
	if (space == SPACE_MEMORY)
		return parse_memory(p, index);
	if (space == SPACE_GLOBAL)
		return parse_global(p);
	p->counts[SECTION_TAG]++;
	return parse_tag_type(&p->sections[SECTION_TAG], p);
}

/* func, table, memory, global, tag: $x? (export ...)* and an import or a definition. */
static lb_err parse_extern(struct parser *p, enum space space)
{
	uint32_t index = p->next[space]++;

	LB_TRY(engine_parse_skip_bound(p));
	LB_TRY(parse_inline_exports(p, space, index));
	if (!engine_parse_take_open(p, "import"))
		return parse_definition(p, space, index);
	LB_TRY(parse_import_names(p));
	LB_TRY(engine_parse_close(p));
	return parse_extern_type(&p->sections[SECTION_IMPORT], p, space);
}

static lb_err parse_field(struct parser *p)
{
	size_t token = p->at;
	enum space space;

	if (take_extern(&space, p))
		return parse_extern(p, space);
	if (engine_parse_take_open(p, "import"))
		return parse_import(p);
	if (engine_parse_take_open(p, "export"))
		return parse_export(p);
	if (engine_parse_take_open(p, "start"))
		return parse_start(p, token);
	if (engine_parse_take_open(p, "elem")) {
		LB_TRY(engine_parse_skip_bound(p));
		return parse_elem(p);
	}
	if (engine_parse_take_open(p, "data")) {
		LB_TRY(engine_parse_skip_bound(p));
		return parse_data(p);
	}
	engine_parse_step(p);
	return engine_parse_unexpected(p);
}

/* Types were read before, annotations and all. */
static void skip_type(struct parser *p)
{
	if (p->note != SIZE_MAX && p->misplaced == SIZE_MAX)
		p->misplaced = p->note;
	p->strict = false;
	engine_parse_skip(p);
	p->strict = true;
}

static lb_err third_pass(struct parser *p, size_t first)
{
	p->note = SIZE_MAX;
	p->strict = true;
	engine_parse_begin(p, first);
	for (;;) {
		LB_TRY(engine_parse_customs(p));
		if (!at_field(p))
			return LB_OK;
		if (engine_parse_is_open(p, "type") || engine_parse_is_open(p, "rec")) {
			skip_type(p);
			continue;
		}
		LB_TRY(parse_field(p));
		LB_TRY(engine_parse_close(p));
	}
}

lb_err engine_parse_fields(struct parser *p)
{
	size_t first = p->note != SIZE_MAX ? p->note : p->at;

	p->note = SIZE_MAX;
	LB_TRY(first_pass(p, first));
	LB_TRY(second_pass(p, first));
	return third_pass(p, first);
}
