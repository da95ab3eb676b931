/* types.c - types in the text format: values, references, limits, definitions, uses. */
#include "engine/text/parse_priv.h"

/* ---- words ---- */

struct word_byte {
	const char *word;
	uint8_t byte;
};

static bool take_byte(uint8_t *out, struct parser *p, const struct word_byte *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (engine_parse_take_word(p, words[i].word)) {
			*out = words[i].byte;
			return true;
		}
	}
	return false;
}

#define TAKE(out, p, words) take_byte((out), (p), (words), sizeof(words) / sizeof(words)[0])

static const struct word_byte numbers[] = {
	{ "i32", 0x7f }, { "i64", 0x7e }, { "f32", 0x7d }, { "f64", 0x7c }, { "v128", 0x7b },
};

static const struct word_byte packed[] = { { "i8", 0x78 }, { "i16", 0x77 } };

static const struct word_byte heaps[] = {
	{ "func", 0x70 }, { "extern", 0x6f }, { "any", 0x6e },      { "eq", 0x6d },
	{ "i31", 0x6c },  { "struct", 0x6b }, { "array", 0x6a },    { "exn", 0x69 },
	{ "none", 0x71 }, { "nofunc", 0x73 }, { "noextern", 0x72 }, { "noexn", 0x74 },
};

static const struct word_byte references[] = {
	{ "funcref", 0x70 },     { "externref", 0x6f },     { "anyref", 0x6e },
	{ "eqref", 0x6d },       { "i31ref", 0x6c },        { "structref", 0x6b },
	{ "arrayref", 0x6a },    { "exnref", 0x69 },        { "nullref", 0x71 },
	{ "nullfuncref", 0x73 }, { "nullexternref", 0x72 }, { "nullexnref", 0x74 },
};

enum { TYPE_REF_NULL = 0x63, TYPE_REF = 0x64 };
enum {
	TYPE_FUNC = 0x60,
	TYPE_STRUCT = 0x5f,
	TYPE_ARRAY = 0x5e,
	TYPE_SUB = 0x50,
	TYPE_SUB_FINAL = 0x4f,
	TYPE_REC = 0x4e
};

/* ---- references and values ---- */

lb_err engine_parse_heap_type(struct lb_buf *out, struct parser *p)
{
	uint32_t index;
	uint8_t byte;

	if (TAKE(&byte, p, heaps)) {
		lb_buf_add_byte(out, byte);
		return LB_OK;
	}
	LB_TRY(engine_parse_index(&index, p, SPACE_TYPE));
	engine_encode_s64(out, index);
	return LB_OK;
}

lb_err engine_parse_ref_parts(bool *nullable, struct lb_buf *heap, struct parser *p)
{
	uint8_t byte;

	*nullable = true;
	if (TAKE(&byte, p, references)) {
		lb_buf_add_byte(heap, byte);
		return LB_OK;
	}
	LB_TRY(engine_parse_open(p, "ref"));
	*nullable = engine_parse_take_word(p, "null");
	LB_TRY(engine_parse_heap_type(heap, p));
	return engine_parse_close(p);
}

static bool is_one_of(const struct parser *p, const struct word_byte *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (engine_parse_is_word(p, words[i].word))
			return true;
	return false;
}

bool engine_parse_is_ref_type(const struct parser *p)
{
	return engine_parse_is_open(p, "ref") ||
	       is_one_of(p, references, sizeof references / sizeof references[0]);
}

/* A nullable reference to what has a word is that word's byte alone. */
lb_err engine_parse_ref_type(struct lb_buf *out, struct parser *p)
{
	size_t start = out->len;
	bool nullable;

	lb_buf_add_byte(out, TYPE_REF_NULL);
	LB_TRY(engine_parse_ref_parts(&nullable, out, p));
	LB_TRY(lb_buf_check(out));
	if (!nullable) {
		out->at[start] = TYPE_REF;
	} else if (out->len == start + 2 && (out->at[start + 1] & 0xc0) == 0x40) {
		out->at[start] = out->at[start + 1];
		out->len--;
	}
	return LB_OK;
}

lb_err engine_parse_value_type(struct lb_buf *out, struct parser *p)
{
	uint8_t byte;

	if (!TAKE(&byte, p, numbers))
		return engine_parse_ref_type(out, p);
	lb_buf_add_byte(out, byte);
	return LB_OK;
}

/* ---- memories, tables, globals ---- */

enum { LIMITS_MAX = 1, LIMITS_SHARED = 2, LIMITS_64 = 4, LIMITS_PAGE = 8 };

/* The binary has the page size as its logarithm; what is no power of two has none. */
lb_err engine_parse_page_size(unsigned *log, struct parser *p)
{
	size_t at = p->at;
	uint64_t size;

	LB_TRY(engine_parse_nat(&size, p, UINT64_MAX, "invalid custom page size"));
	*log = 0;
	if (size == 0 || (size & (size - 1)) != 0)
		return engine_parse_fail(p, at, LB_E_MALFORMED, "invalid custom page size");
	while (size >> *log != 1)
		(*log)++;
	return engine_parse_close(p);
}

lb_err engine_parse_limits(struct lb_buf *out, struct parser *p, bool memory)
{
	bool wide = (engine_features_allowed(p->features) &
	             ENGINE_FEATURE_BIT(ENGINE_FEATURE_MEMORY64)) != 0;
	const char *too_large = wide ? "i64 constant out of range" : "i32 constant out of range";
	uint64_t min, max = 0, most = wide ? UINT64_MAX : UINT32_MAX;
	unsigned flags = 0, page = 0;

	if (engine_parse_take_word(p, "i64"))
		flags |= LIMITS_64;
	else
		(void)engine_parse_take_word(p, "i32");
	LB_TRY(engine_parse_nat(&min, p, most, too_large));
	if (here(p)->kind == ENGINE_TOKEN_NAT) {
		LB_TRY(engine_parse_nat(&max, p, most, too_large));
		flags |= LIMITS_MAX;
	}
	if (memory && engine_parse_take_word(p, "shared"))
		flags |= LIMITS_SHARED;
	if (memory && engine_parse_take_open(p, "pagesize")) {
		LB_TRY(engine_parse_page_size(&page, p));
		flags |= LIMITS_PAGE;
	}
	lb_buf_add_byte(out, (unsigned char)flags);
	engine_encode_u64(out, min);
	if ((flags & LIMITS_MAX) != 0)
		engine_encode_u64(out, max);
	if ((flags & LIMITS_PAGE) != 0)
		engine_encode_u32(out, page);
	return LB_OK;
}

/* The text has the limits first, the binary the element's type. */
lb_err engine_parse_table_type(struct lb_buf *out, struct parser *p)
{
	lb_buf_reset(&p->group);
	LB_TRY(engine_parse_limits(&p->group, p, false));
	LB_TRY(engine_parse_ref_type(out, p));
	lb_buf_add(out, lb_buf_bytes(&p->group));
	return lb_buf_check(&p->group);
}

static lb_err parse_mutable(struct lb_buf *out, struct parser *p,
                            lb_err (*content)(struct lb_buf *, struct parser *))
{
	bool is_mutable = engine_parse_take_open(p, "mut");

	LB_TRY(content(out, p));
	if (is_mutable)
		LB_TRY(engine_parse_close(p));
	lb_buf_add_byte(out, is_mutable);
	return LB_OK;
}

lb_err engine_parse_global_type(struct lb_buf *out, struct parser *p)
{
	return parse_mutable(out, p, engine_parse_value_type);
}

/* ---- signatures ---- */

static lb_err parse_params(struct parser *p, enum type_use use)
{
	struct signature *s = &p->signature;
	uint32_t index;

	if (here(p)->kind == ENGINE_TOKEN_ID && use != TYPE_USE_NAMELESS) {
		if (use == TYPE_USE_BIND)
			LB_TRY(engine_parse_bind(&index, p, SPACE_LOCAL));
		else
			LB_TRY(engine_parse_skip_bound(p));
		s->param_count++;
		return engine_parse_value_type(&s->params, p);
	}
	while (here(p)->kind != ENGINE_TOKEN_CLOSE) {
		s->param_count++;
		if (use == TYPE_USE_BIND)
			LB_TRY(engine_parse_bind(&index, p, SPACE_LOCAL));
		LB_TRY(engine_parse_value_type(&s->params, p));
	}
	return LB_OK;
}

static lb_err parse_signature(struct parser *p, enum type_use use)
{
	struct signature *s = &p->signature;

	lb_buf_reset(&s->params);
	lb_buf_reset(&s->results);
	s->param_count = s->result_count = 0;
	s->given = false;
	while (engine_parse_take_open(p, "param")) {
		s->given = true;
		LB_TRY(parse_params(p, use));
		LB_TRY(engine_parse_close(p));
	}
	while (engine_parse_take_open(p, "result")) {
		s->given = true;
		for (; here(p)->kind != ENGINE_TOKEN_CLOSE; s->result_count++)
			LB_TRY(engine_parse_value_type(&s->results, p));
		LB_TRY(engine_parse_close(p));
	}
	/* Of what comes in another order, that is what is wrong. */
	return engine_parse_is_open(p, "param") ? engine_parse_open(p, "result") : LB_OK;
}

static lb_err make_form(struct signature *s)
{
	lb_buf_reset(&s->form);
	lb_buf_add_byte(&s->form, TYPE_FUNC);
	engine_encode_u32(&s->form, s->param_count);
	lb_buf_add(&s->form, lb_buf_bytes(&s->params));
	engine_encode_u32(&s->form, s->result_count);
	lb_buf_add(&s->form, lb_buf_bytes(&s->results));
	LB_TRY(lb_buf_check(&s->params));
	LB_TRY(lb_buf_check(&s->results));
	return lb_buf_check(&s->form);
}

struct type *engine_parse_type_of(const struct parser *p, uint32_t index)
{
	return index < p->types.count ? LB_VEC_AT(&p->types, struct type, index) : NULL;
}

/* A function's type becomes known by its form. */
static lb_err keep_form(struct parser *p, struct type *type, bool plain, uint32_t index)
{
	type->form = lb_arena_bytes(&p->arena, lb_buf_bytes(&p->signature.form));
	type->param_count = p->signature.param_count;
	if (p->arena.failed)
		return lb_err_of(LB_E_NOMEM);
	if (!plain || lb_map_get(&p->type_forms, type->form) != NULL)
		return LB_OK;
	return lb_map_put(&p->type_forms, type->form, (void *)((uintptr_t)index + 1));
}

/* The first plain type of the signature at hand; a new one, behind all, where there is none. */
static lb_err find_form(uint32_t *out, struct parser *p)
{
	struct type *type;
	uintptr_t found;

	LB_TRY(make_form(&p->signature));
	found = (uintptr_t)lb_map_get(&p->type_forms, lb_buf_bytes(&p->signature.form));
	if (found != 0) {
		*out = (uint32_t)found - 1;
		return LB_OK;
	}
	*out = p->names[SPACE_TYPE].count++;
	type = lb_vec_add(&p->types);
	if (type == NULL)
		return lb_vec_check(&p->types);
	p->counts[SECTION_TYPE]++;
	lb_buf_add(&p->sections[SECTION_TYPE], lb_buf_bytes(&p->signature.form));
	return keep_form(p, type, true, *out);
}

/* What is written in place must be what the named type is. */
static lb_err check_form(struct parser *p, uint32_t index, size_t token)
{
	const struct type *type = engine_parse_type_of(p, index);

	if (type == NULL)
		return engine_parse_fail(p, token, LB_E_MALFORMED, "unknown type");
	LB_TRY(make_form(&p->signature));
	if (!lb_bytes_eq(type->form, lb_buf_bytes(&p->signature.form)))
		return engine_parse_fail(p, token, LB_E_MALFORMED, "inline function type");
	return LB_OK;
}

/* (type x), where there is one. */
static lb_err parse_named_type(bool *named, uint32_t *out, struct parser *p)
{
	*out = 0;
	*named = engine_parse_take_open(p, "type");
	if (!*named)
		return LB_OK;
	LB_TRY(engine_parse_index(out, p, SPACE_TYPE));
	return engine_parse_close(p);
}

lb_err engine_parse_type_use(uint32_t *out, struct parser *p, enum type_use use)
{
	size_t token = p->at;
	const struct type *type;
	bool named;

	LB_TRY(parse_named_type(&named, out, p));
	LB_TRY(parse_signature(p, use));
	if (engine_parse_is_open(p, "type"))
		return engine_parse_open(p, "result");
	if (!named)
		return find_form(out, p);
	if (p->signature.given)
		return check_form(p, *out, token);
	type = engine_parse_type_of(p, *out);
	if (use == TYPE_USE_BIND && type != NULL)
		p->names[SPACE_LOCAL].count = type->param_count;
	return LB_OK;
}

enum { BLOCK_EMPTY = 0x40 };

lb_err engine_parse_block_type(struct lb_buf *out, struct parser *p)
{
	size_t token = p->at;
	uint32_t index;
	bool named;

	LB_TRY(parse_named_type(&named, &index, p));
	LB_TRY(parse_signature(p, TYPE_USE_NAMELESS));
	if (engine_parse_is_open(p, "type"))
		return engine_parse_open(p, "result");
	if (named) {
		if (p->signature.given)
			LB_TRY(check_form(p, index, token));
	} else if (p->signature.param_count == 0 && p->signature.result_count == 0) {
		lb_buf_add_byte(out, BLOCK_EMPTY);
		return LB_OK;
	} else if (p->signature.param_count == 0 && p->signature.result_count == 1) {
		lb_buf_add(out, lb_buf_bytes(&p->signature.results));
		return lb_buf_check(&p->signature.results);
	} else {
		LB_TRY(find_form(&index, p));
	}
	engine_encode_s64(out, index);
	return LB_OK;
}

/* ---- definitions ---- */

static lb_err parse_storage(struct lb_buf *out, struct parser *p)
{
	uint8_t byte;

	if (!TAKE(&byte, p, packed))
		return engine_parse_value_type(out, p);
	lb_buf_add_byte(out, byte);
	return LB_OK;
}

static lb_err bind_field(struct parser *p, struct type *type, uint32_t index, uint32_t *named)
{
	struct lb_bytes id;
	size_t token = p->at;

	LB_TRY(engine_parse_id(&id, p));
	if (type->fields == NULL) {
		type->fields = LB_ARENA_NEW(&p->arena, struct lb_map, 1);
		if (type->fields == NULL)
			return lb_err_of(LB_E_NOMEM);
		lb_map_init(type->fields, &p->arena.mem);
	}
	if (lb_map_get(type->fields, id) != NULL)
		return engine_parse_fail(p, token, LB_E_MALFORMED, "duplicate field $%.*s",
		                         LB_FMT(lb_bytes_upto(id, 100)));
	if (p->with_names) {
		engine_encode_u32(&p->aside, index);
		engine_encode_bytes(&p->aside, id);
		(*named)++;
	}
	return lb_map_put(type->fields, id, (void *)((uintptr_t)index + 1));
}

/* (field $x t) or (field t*) */
static lb_err parse_struct_fields(uint32_t *count, uint32_t *named, struct parser *p,
                                  struct type *type)
{
	if (here(p)->kind == ENGINE_TOKEN_ID) {
		LB_TRY(bind_field(p, type, (*count)++, named));
		LB_TRY(parse_mutable(&p->signature.params, p, parse_storage));
		return engine_parse_close(p);
	}
	for (; here(p)->kind != ENGINE_TOKEN_CLOSE; (*count)++)
		LB_TRY(parse_mutable(&p->signature.params, p, parse_storage));
	return engine_parse_close(p);
}

static lb_err parse_struct(struct parser *p, struct type *type, uint32_t index)
{
	struct lb_buf *fields = &p->signature.params;
	uint32_t count = 0, named = 0;

	lb_buf_reset(fields);
	lb_buf_reset(&p->aside);
	while (engine_parse_take_open(p, "field"))
		LB_TRY(parse_struct_fields(&count, &named, p, type));
	lb_buf_add_byte(&p->group, TYPE_STRUCT);
	engine_encode_u32(&p->group, count);
	lb_buf_add(&p->group, lb_buf_bytes(fields));
	if (named > 0) {
		engine_encode_u32(&p->field_names, index);
		engine_encode_u32(&p->field_names, named);
		lb_buf_add(&p->field_names, lb_buf_bytes(&p->aside));
		p->field_names_count++;
	}
	LB_TRY(lb_buf_check(&p->aside));
	return lb_buf_check(fields);
}

/* (func ...), (struct ...) or (array ...) */
static lb_err parse_composite(struct parser *p, struct type *type, bool plain, uint32_t index)
{
	if (engine_parse_take_open(p, "func")) {
		LB_TRY(parse_signature(p, TYPE_USE_PLAIN));
		LB_TRY(make_form(&p->signature));
		lb_buf_add(&p->group, lb_buf_bytes(&p->signature.form));
		LB_TRY(keep_form(p, type, plain, index));
	} else if (engine_parse_take_open(p, "struct")) {
		LB_TRY(parse_struct(p, type, index));
	} else {
		LB_TRY(engine_parse_open(p, "array"));
		lb_buf_add_byte(&p->group, TYPE_ARRAY);
		LB_TRY(parse_mutable(&p->group, p, parse_storage));
	}
	return engine_parse_close(p);
}

/* (sub final? x* ...): without a supertype and final it is what stands in it alone. */
static lb_err parse_sub(struct parser *p, struct type *type, bool plain, uint32_t index)
{
	bool final = engine_parse_take_word(p, "final");
	uint32_t count = 0, super;

	lb_buf_reset(&p->supers);
	for (; engine_parse_is_index(p); count++) {
		LB_TRY(engine_parse_index(&super, p, SPACE_TYPE));
		engine_encode_u32(&p->supers, super);
	}
	if (!final || count > 0) {
		lb_buf_add_byte(&p->group, final ? TYPE_SUB_FINAL : TYPE_SUB);
		engine_encode_u32(&p->group, count);
		lb_buf_add(&p->group, lb_buf_bytes(&p->supers));
		plain = false;
	}
	LB_TRY(lb_buf_check(&p->supers));
	LB_TRY(parse_composite(p, type, plain, index));
	return engine_parse_close(p);
}

/* (type $x? ...) into the group. */
static lb_err parse_definition(struct parser *p, bool plain)
{
	uint32_t index = (uint32_t)p->types.count;
	struct type *type = lb_vec_add(&p->types);

	if (type == NULL)
		return lb_vec_check(&p->types);
	LB_TRY(engine_parse_open(p, "type"));
	LB_TRY(engine_parse_skip_bound(p));
	if (engine_parse_take_open(p, "sub"))
		LB_TRY(parse_sub(p, type, plain, index));
	else
		LB_TRY(parse_composite(p, type, plain, index));
	return engine_parse_close(p);
}

/* How many types stand in the group that opens at the cursor. */
static bool is_single(const struct parser *p)
{
	struct parser ahead = *p; /* a cursor of its own; nothing else of it is touched */

	ahead.strict = false;
	engine_parse_skip(&ahead);
	return here(&ahead)->kind == ENGINE_TOKEN_CLOSE;
}

static lb_err parse_group(struct parser *p)
{
	uint32_t count = 0;
	bool single = here(p)->kind == ENGINE_TOKEN_OPEN && is_single(p);

	for (; here(p)->kind != ENGINE_TOKEN_CLOSE; count++)
		LB_TRY(parse_definition(p, single));
	if (!single) {
		lb_buf_add_byte(&p->sections[SECTION_TYPE], TYPE_REC);
		engine_encode_u32(&p->sections[SECTION_TYPE], count);
	}
	return engine_parse_close(p);
}

lb_err engine_parse_type_field(struct parser *p)
{
	lb_buf_reset(&p->group);
	if (engine_parse_take_open(p, "rec"))
		LB_TRY(parse_group(p));
	else
		LB_TRY(parse_definition(p, true));
	p->counts[SECTION_TYPE]++;
	lb_buf_add(&p->sections[SECTION_TYPE], lb_buf_bytes(&p->group));
	return lb_buf_check(&p->group);
}
