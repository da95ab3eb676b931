/* print.c - a module, from the binary to text: its sections and their fields. */
#include "engine/text/print_priv.h"
#include "engine/text/text.h"

#include "base/text.h"

enum { COUNT_MAX = 1 << 24, INDENT_MAX = 40 };

/* ORDER: by their numbers in the binary. */
enum section {
	SECTION_CUSTOM,
	SECTION_TYPE,
	SECTION_IMPORT,
	SECTION_FUNC,
	SECTION_TABLE,
	SECTION_MEMORY,
	SECTION_GLOBAL,
	SECTION_EXPORT,
	SECTION_START,
	SECTION_ELEM,
	SECTION_CODE,
	SECTION_DATA,
	SECTION_DATA_COUNT,
	SECTION_TAG,
	SECTION_COUNT
};

/* ---- writing ---- */

void engine_print_text(struct printer *p, const char *text) { lb_buf_add_text(p->out, text); }

void engine_print_line(struct printer *p)
{
	lb_buf_add_byte(p->out, '\n');
	for (unsigned i = 0; i < p->indent && i < INDENT_MAX; i++)
		lb_buf_add_text(p->out, "  ");
}

void engine_print_string(struct printer *p, struct lb_bytes bytes)
{
	lb_buf_add_byte(p->out, '"');
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char c = bytes.at[i];

		if (c < ' ' || c >= 0x7f || c == '"' || c == '\\')
			lb_buf_addf(p->out, "\\%02x", (unsigned)c);
		else
			lb_buf_add_byte(p->out, c);
	}
	lb_buf_add_byte(p->out, '"');
}

static lb_err bad(struct printer *p, const char *text)
{
	return engine_reader_fail(&p->r, LB_E_MALFORMED, engine_reader_offset(&p->r), "%s", text);
}

/* ---- sections ---- */

struct section_view {
	uint8_t id;
	struct engine_reader content;
};

/* The next section of the module that `all` goes through; false behind the last. */
static lb_err next_section(bool *there, struct section_view *out, struct engine_reader *all)
{
	struct lb_bytes bytes;
	uint32_t size = 0;

	*there = engine_reader_left(all) > 0;
	if (!*there)
		return LB_OK;
	LB_TRY(engine_read_byte(&out->id, all));
	LB_TRY(engine_read_u32(&size, all));
	LB_TRY(engine_read_bytes(&bytes, all, size));
	if (out->id >= SECTION_COUNT)
		return engine_reader_fail(all, LB_E_MALFORMED, engine_reader_offset(all),
		                          "malformed section id");
	out->content = *all;
	out->content.at = bytes.at;
	out->content.end = bytes.at + bytes.len;
	return LB_OK;
}

/* ---- the first look: types and the sizes of the index spaces ---- */

static lb_err skip_limits(struct printer *p)
{
	uint64_t number = 0;
	uint8_t flags = 0;

	LB_TRY(engine_read_byte(&flags, &p->r));
	LB_TRY(engine_read_u64(&number, &p->r));
	if ((flags & PRINT_LIMITS_MAX) != 0)
		LB_TRY(engine_read_u64(&number, &p->r));
	return (flags & PRINT_LIMITS_PAGE) != 0 ? engine_read_u64(&number, &p->r) : LB_OK;
}

static lb_err skip_extern_type(struct printer *p, uint8_t kind)
{
	uint32_t type = 0;
	uint8_t byte = 0;

	if (kind == PRINT_TABLE || kind == PRINT_GLOBAL)
		LB_TRY(engine_print_skip_value_types(p, 1));
	if (kind == PRINT_TABLE || kind == PRINT_MEMORY)
		return skip_limits(p);
	if (kind == PRINT_GLOBAL || kind == PRINT_TAG)
		LB_TRY(engine_read_byte(&byte, &p->r));
	return kind == PRINT_GLOBAL ? LB_OK : engine_read_u32(&type, &p->r);
}

static lb_err count_imports(struct printer *p)
{
	uint32_t count = 0;

	LB_TRY(engine_read_count(&count, &p->r, 4, COUNT_MAX, "imports"));
	for (uint32_t i = 0; i < count; i++) {
		struct lb_bytes module, name;
		uint8_t kind = 0;

		LB_TRY(engine_read_name(&module, &p->r));
		LB_TRY(engine_read_name(&name, &p->r));
		LB_TRY(engine_read_byte(&kind, &p->r));
		if (kind > PRINT_TAG)
			return bad(p, "malformed import kind");
		p->counts[kind]++;
		p->import_counts[kind]++;
		LB_TRY(skip_extern_type(p, kind));
	}
	return LB_OK;
}

static lb_err count_section(struct printer *p, const struct section_view *section)
{
	static const uint8_t spaces[] = {
		[SECTION_FUNC] = PRINT_FUNC,     [SECTION_TABLE] = PRINT_TABLE,
		[SECTION_MEMORY] = PRINT_MEMORY, [SECTION_GLOBAL] = PRINT_GLOBAL,
		[SECTION_ELEM] = PRINT_ELEM,     [SECTION_DATA] = PRINT_DATA,
		[SECTION_TAG] = PRINT_TAG
	};
	uint32_t count = 0;

	p->r = section->content;
	switch (section->id) {
	case SECTION_TYPE:
		LB_TRY(engine_print_read_types(p));
		p->counts[PRINT_TYPE] = (uint32_t)p->types.count;
		return LB_OK;
	case SECTION_IMPORT: return count_imports(p);
	case SECTION_FUNC:
	case SECTION_TABLE:
	case SECTION_MEMORY:
	case SECTION_GLOBAL:
	case SECTION_ELEM:
	case SECTION_DATA:
	case SECTION_TAG:
		LB_TRY(engine_read_count(&count, &p->r, 1, COUNT_MAX, "items"));
		p->counts[spaces[section->id]] += count;
		if (section->id == SECTION_FUNC)
			p->functions = p->r;
		return LB_OK;
	default: return LB_OK;
	}
}

static lb_err read_custom(struct printer *p, struct section_view *section)
{
	struct lb_bytes name;

	LB_TRY(engine_read_name(&name, &section->content));
	if (lb_bytes_is(name, "name"))
		return engine_print_read_names(p, section->content);
	if (!lb_bytes_is(name, "metadata.code.branch_hint"))
		return LB_OK;
	p->hints = section->content;
	p->hints.diag = NULL;
	if (lb_failed(engine_read_u32(&p->hint_funcs, &p->hints)))
		p->hint_funcs = 0;
	return LB_OK;
}

static lb_err make_names(struct printer *p)
{
	for (unsigned i = 0; i < PRINT_SPACES; i++) {
		p->names[i] = LB_ARENA_NEW(&p->arena, struct print_name, p->counts[i]);
		if (p->names[i] == NULL)
			return lb_err_of(LB_E_NOMEM);
	}
	return LB_OK;
}

static lb_err look(struct printer *p, const struct engine_reader *module)
{
	struct engine_reader all = *module;
	struct section_view section;
	bool there;

	for (;;) {
		LB_TRY(next_section(&there, &section, &all));
		if (!there)
			break;
		LB_TRY(count_section(p, &section));
	}
	LB_TRY(make_names(p));
	for (all = *module;;) {
		LB_TRY(next_section(&there, &section, &all));
		if (!there)
			return LB_OK;
		if (section.id == SECTION_CUSTOM)
			LB_TRY(read_custom(p, &section));
	}
}

/* ---- fields ---- */

static const char *const kind_words[] = { "func", "table", "memory", "global", "tag" };

/* The binary has the element's type first, the text the limits. */
static lb_err print_table_type(struct printer *p)
{
	struct engine_reader type = p->r, end;

	LB_TRY(engine_print_skip_value_types(p, 1));
	LB_TRY(engine_print_limits(p, false));
	end = p->r;
	p->r = type;
	LB_TRY(engine_print_value_type(p));
	p->r = end;
	return LB_OK;
}

static lb_err print_tag_type(struct printer *p)
{
	uint32_t type = 0;
	uint8_t attribute = 0;

	LB_TRY(engine_read_byte(&attribute, &p->r));
	LB_TRY(engine_read_u32(&type, &p->r));
	return engine_print_type_use(p, type, false);
}

static lb_err print_extern_type(struct printer *p, enum print_space kind)
{
	uint32_t type = 0;

	if (kind == PRINT_TABLE)
		return print_table_type(p);
	if (kind == PRINT_MEMORY)
		return engine_print_limits(p, true);
	if (kind == PRINT_GLOBAL)
		return engine_print_mutable(p);
	if (kind == PRINT_TAG)
		return print_tag_type(p);
	LB_TRY(engine_read_u32(&type, &p->r));
	p->func = p->next[PRINT_FUNC] - 1;
	return engine_print_type_use(p, type, true);
}

static lb_err print_import(struct printer *p)
{
	struct lb_bytes module, name;
	uint8_t kind = 0;

	LB_TRY(engine_read_name(&module, &p->r));
	LB_TRY(engine_read_name(&name, &p->r));
	LB_TRY(engine_read_byte(&kind, &p->r));
	if (kind > PRINT_TAG)
		return bad(p, "malformed import kind");
	engine_print_text(p, "(import ");
	engine_print_string(p, module);
	engine_print_text(p, " ");
	engine_print_string(p, name);
	print_fmt(p, " (%s", kind_words[kind]);
	engine_print_binding(p, (enum print_space)kind, p->next[kind]++);
	LB_TRY(print_extern_type(p, (enum print_space)kind));
	engine_print_text(p, "))");
	return LB_OK;
}

static lb_err print_table(struct printer *p)
{
	bool with_init = engine_reader_left(&p->r) >= 2 && p->r.at[0] == 0x40 && p->r.at[1] == 0;

	engine_print_text(p, "(table");
	engine_print_binding(p, PRINT_TABLE, p->next[PRINT_TABLE]++);
	if (with_init)
		p->r.at += 2;
	LB_TRY(print_table_type(p));
	if (with_init)
		LB_TRY(engine_print_expression(p, NULL));
	engine_print_text(p, ")");
	return LB_OK;
}

static lb_err print_memory(struct printer *p)
{
	engine_print_text(p, "(memory");
	engine_print_binding(p, PRINT_MEMORY, p->next[PRINT_MEMORY]++);
	LB_TRY(engine_print_limits(p, true));
	engine_print_text(p, ")");
	return LB_OK;
}

static lb_err print_tag(struct printer *p)
{
	engine_print_text(p, "(tag");
	engine_print_binding(p, PRINT_TAG, p->next[PRINT_TAG]++);
	LB_TRY(print_tag_type(p));
	engine_print_text(p, ")");
	return LB_OK;
}

static lb_err print_global(struct printer *p)
{
	engine_print_text(p, "(global");
	engine_print_binding(p, PRINT_GLOBAL, p->next[PRINT_GLOBAL]++);
	LB_TRY(engine_print_mutable(p));
	LB_TRY(engine_print_expression(p, NULL));
	engine_print_text(p, ")");
	return LB_OK;
}

static lb_err print_export(struct printer *p)
{
	struct lb_bytes name;
	uint32_t index = 0;
	uint8_t kind = 0;

	LB_TRY(engine_read_name(&name, &p->r));
	LB_TRY(engine_read_byte(&kind, &p->r));
	LB_TRY(engine_read_u32(&index, &p->r));
	if (kind > PRINT_TAG)
		return bad(p, "malformed export kind");
	engine_print_text(p, "(export ");
	engine_print_string(p, name);
	print_fmt(p, " (%s", kind_words[kind]);
	engine_print_index(p, (enum print_space)kind, index);
	engine_print_text(p, "))");
	return LB_OK;
}

/* ---- segments ---- */

enum { ELEM_PASSIVE = 1, ELEM_EXPLICIT = 2, ELEM_EXPRESSIONS = 4 };

static lb_err print_place(struct printer *p, enum print_space space, uint32_t index)
{
	if (index != 0) {
		print_fmt(p, " (%s", kind_words[space]);
		engine_print_index(p, space, index);
		engine_print_text(p, ")");
	}
	return engine_print_expression(p, "offset");
}

static lb_err print_elem_items(struct printer *p, bool expressions)
{
	uint32_t count = 0, index = 0;

	LB_TRY(engine_read_count(&count, &p->r, 1, COUNT_MAX, "elements"));
	for (uint32_t i = 0; i < count; i++) {
		if (expressions) {
			LB_TRY(engine_print_expression(p, "item"));
			continue;
		}
		LB_TRY(engine_read_u32(&index, &p->r));
		engine_print_index(p, PRINT_FUNC, index);
	}
	return LB_OK;
}

static lb_err print_elem(struct printer *p)
{
	uint32_t flags = 0, table = 0;
	uint8_t kind = 0;

	LB_TRY(engine_read_u32(&flags, &p->r));
	if (flags > 7)
		return bad(p, "malformed elements segment kind");
	engine_print_text(p, "(elem");
	engine_print_binding(p, PRINT_ELEM, p->next[PRINT_ELEM]++);
	if ((flags & ELEM_PASSIVE) != 0) {
		engine_print_text(p, (flags & ELEM_EXPLICIT) != 0 ? " declare" : "");
	} else {
		if ((flags & ELEM_EXPLICIT) != 0)
			LB_TRY(engine_read_u32(&table, &p->r));
		LB_TRY(print_place(p, PRINT_TABLE, table));
	}
	if ((flags & (ELEM_PASSIVE | ELEM_EXPLICIT)) == 0)
		engine_print_text(p, (flags & ELEM_EXPRESSIONS) != 0 ? " funcref" : " func");
	else if ((flags & ELEM_EXPRESSIONS) != 0)
		LB_TRY(engine_print_value_type(p));
	else {
		LB_TRY(engine_read_byte(&kind, &p->r));
		if (kind != 0)
			return bad(p, "malformed element kind");
		engine_print_text(p, " func");
	}
	LB_TRY(print_elem_items(p, (flags & ELEM_EXPRESSIONS) != 0));
	engine_print_text(p, ")");
	return LB_OK;
}

static lb_err print_data(struct printer *p)
{
	uint32_t flags = 0, memory = 0, len = 0;
	struct lb_bytes bytes;

	LB_TRY(engine_read_u32(&flags, &p->r));
	if (flags > 2)
		return bad(p, "malformed data segment kind");
	engine_print_text(p, "(data");
	engine_print_binding(p, PRINT_DATA, p->next[PRINT_DATA]++);
	if (flags == 2)
		LB_TRY(engine_read_u32(&memory, &p->r));
	if (flags != 1)
		LB_TRY(print_place(p, PRINT_MEMORY, memory));
	LB_TRY(engine_read_u32(&len, &p->r));
	LB_TRY(engine_read_bytes(&bytes, &p->r, len));
	engine_print_text(p, " ");
	engine_print_string(p, bytes);
	engine_print_text(p, ")");
	return LB_OK;
}

/* ---- functions ---- */

/* One local: with a name in a clause of its own, others one behind the other. */
static lb_err print_local(struct printer *p, uint32_t index, bool *open)
{
	bool named = engine_print_is_named(&p->locals, p->func, index);

	if (*open && named)
		engine_print_text(p, ")");
	if (!*open || named) {
		engine_print_line(p);
		engine_print_text(p, "(local");
	}
	engine_print_inner_binding(p, &p->locals, p->func, index);
	LB_TRY(engine_print_value_type(p));
	engine_print_text(p, named ? ")" : "");
	*open = !named;
	return lb_buf_check(p->out);
}

static lb_err print_locals(struct printer *p, uint32_t index)
{
	uint32_t runs = 0, count = 0;
	bool open = false;

	LB_TRY(engine_read_count(&runs, &p->r, 2, COUNT_MAX, "locals"));
	for (uint32_t i = 0; i < runs; i++) {
		struct engine_reader type;

		LB_TRY(engine_read_u32(&count, &p->r));
		if (index > ENGINE_LOCALS_MAX || count > ENGINE_LOCALS_MAX - index)
			return bad(p, "too many locals");
		type = p->r;
		for (uint32_t k = 0; k < count; k++, index++) {
			p->r = type;
			LB_TRY(print_local(p, index, &open));
		}
		if (count == 0) /* a run of none, as the text cannot have it */
			LB_TRY(engine_print_skip_value_types(p, 1));
	}
	engine_print_text(p, open ? ")" : "");
	return LB_OK;
}

/* The hints of the function at hand, where the section comes to it now. */
static void find_hints(struct printer *p)
{
	struct engine_reader ahead = p->hints;
	uint32_t func = 0, count = 0, at = 0, len = 0;
	struct lb_bytes value;

	p->body_hint_count = 0;
	if (p->hint_funcs == 0 || lb_failed(engine_read_u32(&func, &ahead)) || func != p->func ||
	    lb_failed(engine_read_u32(&count, &ahead)))
		return;
	p->body_hints = ahead;
	p->body_hint_count = count;
	for (uint32_t i = 0; i < count; i++)
		if (lb_failed(engine_read_u32(&at, &ahead)) ||
		    lb_failed(engine_read_u32(&len, &ahead)) ||
		    lb_failed(engine_read_bytes(&value, &ahead, len))) {
			p->hint_funcs = 0;
			return;
		}
	p->hints = ahead;
	p->hint_funcs--;
}

static lb_err print_func(struct printer *p)
{
	struct engine_reader code = p->r;
	struct lb_bytes bytes;
	uint32_t type = 0, size = 0, params = 0;

	p->func = p->next[PRINT_FUNC]++;
	find_hints(p);
	if (engine_reader_left(&p->functions) == 0)
		return bad(p, "function and code section have inconsistent lengths");
	LB_TRY(engine_read_u32(&type, &p->functions));
	LB_TRY(engine_read_u32(&size, &code));
	LB_TRY(engine_read_bytes(&bytes, &code, size));
	engine_print_text(p, "(func");
	engine_print_binding(p, PRINT_FUNC, p->func);
	LB_TRY(engine_print_type_use(p, type, true));
	if (type < p->types.count)
		params = LB_VEC_AT(&p->types, struct print_type, type)->param_count;
	p->r.at = p->body = bytes.at;
	p->r.end = bytes.at + bytes.len;
	p->indent++;
	LB_TRY(print_locals(p, params));
	LB_TRY(engine_print_body(p));
	p->indent--;
	engine_print_text(p, ")");
	p->r = code;
	return LB_OK;
}

/* ---- sections ---- */

static lb_err print_start(struct printer *p)
{
	uint32_t index = 0;

	LB_TRY(engine_read_u32(&index, &p->r));
	engine_print_line(p);
	engine_print_text(p, "(start");
	engine_print_index(p, PRINT_FUNC, index);
	engine_print_text(p, ")");
	return LB_OK;
}

/* What stands before it, in the words of annotations; the last of all has no place. */
static const char *place_of(uint8_t section)
{
	static const char *const words[] = {
		[SECTION_TYPE] = "type",     [SECTION_IMPORT] = "import",
		[SECTION_FUNC] = "func",     [SECTION_TABLE] = "table",
		[SECTION_MEMORY] = "memory", [SECTION_GLOBAL] = "global",
		[SECTION_EXPORT] = "export", [SECTION_START] = "start",
		[SECTION_ELEM] = "elem",     [SECTION_CODE] = "code",
		[SECTION_DATA] = "data",     [SECTION_DATA_COUNT] = "datacount",
		[SECTION_TAG] = "tag",
	};

	return words[section];
}

static lb_err print_custom(struct printer *p, uint8_t before, bool last)
{
	struct lb_bytes name, content;

	LB_TRY(engine_read_name(&name, &p->r));
	if (lb_bytes_is(name, "name") || lb_bytes_is(name, "metadata.code.branch_hint"))
		return LB_OK;
	content = (struct lb_bytes){ p->r.at, engine_reader_left(&p->r) };
	engine_print_line(p);
	engine_print_text(p, "(@custom ");
	engine_print_string(p, name);
	if (!last && before == SECTION_CUSTOM)
		engine_print_text(p, " (before first)");
	else if (!last)
		print_fmt(p, " (after %s)", place_of(before));
	engine_print_text(p, " ");
	engine_print_string(p, content);
	engine_print_text(p, ")");
	return LB_OK;
}

static lb_err print_section(struct printer *p, uint8_t id)
{
	static lb_err (*const items[])(struct printer *) = {
		[SECTION_IMPORT] = print_import, [SECTION_TABLE] = print_table,
		[SECTION_MEMORY] = print_memory, [SECTION_GLOBAL] = print_global,
		[SECTION_EXPORT] = print_export, [SECTION_ELEM] = print_elem,
		[SECTION_CODE] = print_func,     [SECTION_DATA] = print_data,
		[SECTION_TAG] = print_tag,
	};
	uint32_t count = 0;

	if (id == SECTION_TYPE)
		return engine_print_type_section(p);
	if (id == SECTION_START)
		return print_start(p);
	if (items[id] == NULL)
		return LB_OK;
	LB_TRY(engine_read_count(&count, &p->r, 1, COUNT_MAX, "items"));
	for (uint32_t i = 0; i < count; i++) {
		engine_print_line(p);
		LB_TRY(items[id](p));
		LB_TRY(lb_buf_check(p->out));
	}
	return LB_OK;
}

static lb_err print_sections(struct printer *p, const struct engine_reader *module,
                             const unsigned char *last)
{
	struct engine_reader all = *module;
	uint8_t before = SECTION_CUSTOM;
	struct section_view section;
	bool there;

	for (;;) {
		LB_TRY(next_section(&there, &section, &all));
		if (!there)
			return LB_OK;
		p->r = section.content;
		if (section.id == SECTION_CUSTOM) {
			LB_TRY(print_custom(p, before, section.content.at >= last));
		} else {
			LB_TRY(print_section(p, section.id));
			before = section.id;
		}
	}
}

/* Where the last section that is no custom one ends. */
static lb_err find_last(const unsigned char **last, const struct engine_reader *module)
{
	struct engine_reader all = *module;
	struct section_view section;
	bool there;

	for (*last = all.at;;) {
		LB_TRY(next_section(&there, &section, &all));
		if (!there)
			return LB_OK;
		if (section.id != SECTION_CUSTOM)
			*last = section.content.end;
	}
}

/* ---- all ---- */

static lb_err print_module(struct printer *p, const struct engine_reader *module)
{
	const unsigned char *last;

	LB_TRY(look(p, module));
	LB_TRY(find_last(&last, module));
	engine_print_text(p, "(module");
	if (p->module_name.at != NULL) {
		engine_print_text(p, " (@name ");
		engine_print_string(p, p->module_name);
		engine_print_text(p, ")");
	}
	p->indent = 1;
	LB_TRY(print_sections(p, module, last));
	engine_print_text(p, ")\n");
	return lb_buf_check(p->out);
}

static lb_err open_module(struct engine_reader *module, struct lb_bytes bytes, struct lb_diag *diag)
{
	*module = (struct engine_reader){ .diag = diag };
	if (!lb_bytes_starts(bytes, LB_B("\0asm")))
		return engine_reader_fail(module, LB_E_MALFORMED, 0, "magic header not detected");
	if (!lb_bytes_starts(lb_bytes_from(bytes, 4), LB_B("\1\0\0\0")))
		return engine_reader_fail(module, LB_E_MALFORMED, 4, "unknown binary version");
	module->origin = bytes.at;
	module->at = bytes.at + 8;
	module->end = module->module_end = bytes.at + bytes.len;
	module->end_text = "unexpected end";
	return LB_OK;
}

lb_err engine_text_of_binary(struct lb_buf *out, struct lb_mem *mem, struct lb_bytes binary,
                             struct lb_diag *diag)
{
	struct printer p = { .mem = mem, .out = out };
	struct engine_reader module;
	size_t len = out->len;
	lb_err err;

	LB_TRY(open_module(&module, binary, diag));
	lb_arena_init(&p.arena, mem);
	lb_vec_init(&p.locals, mem, sizeof(struct print_inner), COUNT_MAX);
	lb_vec_init(&p.labels, mem, sizeof(struct print_inner), COUNT_MAX);
	lb_vec_init(&p.opened, mem, sizeof(struct lb_bytes), COUNT_MAX);
	lb_vec_init(&p.fields, mem, sizeof(struct print_inner), COUNT_MAX);
	lb_vec_init(&p.types, mem, sizeof(struct print_type), COUNT_MAX);
	err = print_module(&p, &module);
	lb_vec_release(&p.locals);
	lb_vec_release(&p.labels);
	lb_vec_release(&p.opened);
	lb_vec_release(&p.fields);
	lb_vec_release(&p.types);
	lb_arena_release(&p.arena);
	if (lb_failed(err))
		out->len = len;
	return err;
}
