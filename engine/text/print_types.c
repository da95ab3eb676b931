/* print_types.c - types, from the binary to text. */
#include "engine/text/print_priv.h"

enum {
	REF_NULL = 0x63,
	REF = 0x64,
	FUNC = 0x60,
	STRUCT = 0x5f,
	ARRAY = 0x5e,
	SUB = 0x50,
	SUB_FINAL = 0x4f,
	REC = 0x4e
};

enum { TYPES_MAX = 1000000, FIELDS_MAX = 1000000 };

struct byte_word {
	uint8_t byte;
	const char *value, *heap; /* as a type of values; as what a reference refers to */
};

static const struct byte_word words[] = {
	{ 0x7f, "i32", NULL },
	{ 0x7e, "i64", NULL },
	{ 0x7d, "f32", NULL },
	{ 0x7c, "f64", NULL },
	{ 0x7b, "v128", NULL },
	{ 0x78, "i8", NULL },
	{ 0x77, "i16", NULL },
	{ 0x70, "funcref", "func" },
	{ 0x6f, "externref", "extern" },
	{ 0x6e, "anyref", "any" },
	{ 0x6d, "eqref", "eq" },
	{ 0x6c, "i31ref", "i31" },
	{ 0x6b, "structref", "struct" },
	{ 0x6a, "arrayref", "array" },
	{ 0x69, "exnref", "exn" },
	{ 0x71, "nullref", "none" },
	{ 0x73, "nullfuncref", "nofunc" },
	{ 0x72, "nullexternref", "noextern" },
	{ 0x74, "nullexnref", "noexn" },
};

static const struct byte_word *find(uint8_t byte)
{
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i].byte == byte)
			return &words[i];
	return NULL;
}

static lb_err bad(struct printer *p, const char *text)
{
	return engine_reader_fail(&p->r, LB_E_MALFORMED, engine_reader_offset(&p->r), "%s", text);
}

/* ---- values ---- */

lb_err engine_print_heap_type(struct printer *p)
{
	const struct byte_word *word;
	int64_t type = 0;

	LB_TRY(engine_read_s33(&type, &p->r));
	if (type >= 0) {
		engine_print_index(p, PRINT_TYPE, (uint32_t)type);
		return LB_OK;
	}
	word = type >= -64 ? find((uint8_t)(type & 0x7f)) : NULL;
	if (word == NULL || word->heap == NULL)
		return bad(p, "malformed heap type");
	print_fmt(p, " %s", word->heap);
	return LB_OK;
}

lb_err engine_print_ref(struct printer *p, bool nullable)
{
	engine_print_text(p, nullable ? " (ref null" : " (ref");
	LB_TRY(engine_print_heap_type(p));
	engine_print_text(p, ")");
	return LB_OK;
}

lb_err engine_print_value_type(struct printer *p)
{
	const struct byte_word *word;
	uint8_t byte = 0;

	LB_TRY(engine_read_byte(&byte, &p->r));
	if (byte == REF || byte == REF_NULL)
		return engine_print_ref(p, byte == REF_NULL);
	word = find(byte);
	if (word == NULL)
		return bad(p, "malformed value type");
	print_fmt(p, " %s", word->value);
	return LB_OK;
}

lb_err engine_print_skip_value_types(struct printer *p, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		uint8_t byte = 0;
		int64_t heap = 0;

		LB_TRY(engine_read_byte(&byte, &p->r));
		if (byte == REF || byte == REF_NULL)
			LB_TRY(engine_read_s33(&heap, &p->r));
	}
	return LB_OK;
}

lb_err engine_print_limits(struct printer *p, bool memory)
{
	uint64_t number = 0;
	uint8_t flags = 0;
	uint32_t page = 0;

	LB_TRY(engine_read_byte(&flags, &p->r));
	if (flags > (memory ? 15 : 7))
		return bad(p, "malformed limits flags");
	if ((flags & PRINT_LIMITS_64) != 0)
		engine_print_text(p, " i64");
	LB_TRY(engine_read_u64(&number, &p->r));
	print_fmt(p, " %llu", (unsigned long long)number);
	if ((flags & PRINT_LIMITS_MAX) != 0) {
		LB_TRY(engine_read_u64(&number, &p->r));
		print_fmt(p, " %llu", (unsigned long long)number);
	}
	if ((flags & PRINT_LIMITS_SHARED) != 0)
		engine_print_text(p, " shared");
	if ((flags & PRINT_LIMITS_PAGE) == 0)
		return LB_OK;
	LB_TRY(engine_read_u32(&page, &p->r));
	if (page > 63)
		return bad(p, "invalid custom page size");
	print_fmt(p, " (pagesize %llu)", 1ull << page);
	return LB_OK;
}

lb_err engine_print_types(struct printer *p, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		LB_TRY(engine_print_value_type(p));
	return LB_OK;
}

/* ---- uses ---- */

static lb_err print_named_params(struct printer *p, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		engine_print_text(p, " (param");
		engine_print_inner_binding(p, &p->locals, p->func, i);
		LB_TRY(engine_print_value_type(p));
		engine_print_text(p, ")");
	}
	return LB_OK;
}

/* From the count of the parameters on. */
static lb_err print_signature(struct printer *p, bool bind)
{
	uint32_t count = 0;

	LB_TRY(engine_read_count(&count, &p->r, 1, FIELDS_MAX, "parameters"));
	if (bind && engine_print_has_names(&p->locals, p->func)) {
		LB_TRY(print_named_params(p, count));
	} else if (count > 0) {
		engine_print_text(p, " (param");
		LB_TRY(engine_print_types(p, count));
		engine_print_text(p, ")");
	}
	LB_TRY(engine_read_count(&count, &p->r, 1, FIELDS_MAX, "results"));
	if (count == 0)
		return LB_OK;
	engine_print_text(p, " (result");
	LB_TRY(engine_print_types(p, count));
	engine_print_text(p, ")");
	return LB_OK;
}

lb_err engine_print_type_use(struct printer *p, uint32_t index, bool bind)
{
	const struct print_type *type = NULL;
	struct engine_reader here = p->r;
	lb_err err;

	if (index < p->types.count)
		type = LB_VEC_AT(&p->types, struct print_type, index);
	engine_print_text(p, " (type");
	engine_print_index(p, PRINT_TYPE, index);
	engine_print_text(p, ")");
	if (type == NULL || type->form != FUNC)
		return LB_OK;
	p->r = type->params;
	err = print_signature(p, bind);
	p->r = here;
	return err;
}

/* ---- definitions ---- */

/* The binary says behind the type whether it can be changed. */
lb_err engine_print_mutable(struct printer *p)
{
	struct engine_reader type = p->r;
	uint8_t is_mutable = 0;

	LB_TRY(engine_print_skip_value_types(p, 1));
	LB_TRY(engine_read_byte(&is_mutable, &p->r));
	if (is_mutable > 1)
		return bad(p, "malformed mutability");
	p->r = type;
	engine_print_text(p, is_mutable ? " (mut" : "");
	LB_TRY(engine_print_value_type(p));
	engine_print_text(p, is_mutable ? ")" : "");
	return engine_read_byte(&is_mutable, &p->r);
}

static lb_err print_struct(struct printer *p, uint32_t index)
{
	uint32_t count = 0;

	engine_print_text(p, " (struct");
	LB_TRY(engine_read_count(&count, &p->r, 2, FIELDS_MAX, "fields"));
	for (uint32_t i = 0; i < count; i++) {
		engine_print_text(p, " (field");
		engine_print_inner_binding(p, &p->fields, index, i);
		LB_TRY(engine_print_mutable(p));
		engine_print_text(p, ")");
	}
	engine_print_text(p, ")");
	return LB_OK;
}

static lb_err print_composite(struct printer *p, uint8_t form, uint32_t index)
{
	if (form == STRUCT)
		return print_struct(p, index);
	if (form != FUNC && form != ARRAY)
		return bad(p, "malformed composite type");
	engine_print_text(p, form == FUNC ? " (func" : " (array");
	LB_TRY(form == FUNC ? print_signature(p, false) : engine_print_mutable(p));
	engine_print_text(p, ")");
	return LB_OK;
}

static lb_err print_supers(struct printer *p, bool final)
{
	uint32_t count = 0, super = 0;

	engine_print_text(p, final ? " (sub final" : " (sub");
	LB_TRY(engine_read_count(&count, &p->r, 1, FIELDS_MAX, "supertypes"));
	for (uint32_t i = 0; i < count; i++) {
		LB_TRY(engine_read_u32(&super, &p->r));
		engine_print_index(p, PRINT_TYPE, super);
	}
	return LB_OK;
}

/* One type from its first byte on. */
static lb_err print_definition(struct printer *p, uint8_t form)
{
	uint32_t index = p->next[PRINT_TYPE]++;
	bool sub = form == SUB || form == SUB_FINAL;

	engine_print_line(p);
	engine_print_text(p, "(type");
	engine_print_binding(p, PRINT_TYPE, index);
	if (sub) {
		LB_TRY(print_supers(p, form == SUB_FINAL));
		LB_TRY(engine_read_byte(&form, &p->r));
	}
	LB_TRY(print_composite(p, form, index));
	engine_print_text(p, sub ? "))" : ")");
	return LB_OK;
}

static lb_err print_group(struct printer *p)
{
	uint32_t count = 0;
	uint8_t form = 0;

	engine_print_line(p);
	engine_print_text(p, "(rec");
	p->indent++;
	LB_TRY(engine_read_count(&count, &p->r, 2, TYPES_MAX, "types"));
	for (uint32_t i = 0; i < count; i++) {
		LB_TRY(engine_read_byte(&form, &p->r));
		LB_TRY(print_definition(p, form));
	}
	p->indent--;
	engine_print_text(p, ")");
	return LB_OK;
}

lb_err engine_print_type_section(struct printer *p)
{
	uint32_t count = 0;
	uint8_t form = 0;

	LB_TRY(engine_read_count(&count, &p->r, 2, TYPES_MAX, "types"));
	for (uint32_t i = 0; i < count; i++) {
		LB_TRY(engine_read_byte(&form, &p->r));
		LB_TRY(form == REC ? print_group(p) : print_definition(p, form));
	}
	return LB_OK;
}

/* ---- the first look ---- */

static lb_err skip_fields(struct printer *p, uint32_t count)
{
	uint8_t is_mutable = 0;

	for (uint32_t i = 0; i < count; i++) {
		LB_TRY(engine_print_skip_value_types(p, 1));
		LB_TRY(engine_read_byte(&is_mutable, &p->r));
	}
	return LB_OK;
}

static lb_err read_composite(struct printer *p, uint8_t form)
{
	struct print_type *type = lb_vec_add(&p->types);
	uint32_t count = 1;

	if (type == NULL)
		return lb_vec_check(&p->types);
	type->form = form;
	type->params = p->r;
	if (form == ARRAY)
		return skip_fields(p, 1);
	LB_TRY(engine_read_count(&count, &p->r, 1, FIELDS_MAX, "fields"));
	if (form == STRUCT)
		return skip_fields(p, count);
	if (form != FUNC)
		return bad(p, "malformed composite type");
	type->param_count = count;
	LB_TRY(engine_print_skip_value_types(p, count));
	LB_TRY(engine_read_count(&count, &p->r, 1, FIELDS_MAX, "results"));
	return engine_print_skip_value_types(p, count);
}

static lb_err read_definition(struct printer *p, uint8_t form)
{
	uint32_t count = 0, super = 0;

	if (form == SUB || form == SUB_FINAL) {
		LB_TRY(engine_read_count(&count, &p->r, 1, FIELDS_MAX, "supertypes"));
		for (uint32_t i = 0; i < count; i++)
			LB_TRY(engine_read_u32(&super, &p->r));
		LB_TRY(engine_read_byte(&form, &p->r));
	}
	return read_composite(p, form);
}

lb_err engine_print_read_types(struct printer *p)
{
	uint32_t groups = 0, count = 1;
	uint8_t form = 0;

	LB_TRY(engine_read_count(&groups, &p->r, 2, TYPES_MAX, "types"));
	for (uint32_t i = 0; i < groups; i++) {
		LB_TRY(engine_read_byte(&form, &p->r));
		if (form != REC) {
			LB_TRY(read_definition(p, form));
			continue;
		}
		LB_TRY(engine_read_count(&count, &p->r, 2, TYPES_MAX, "types"));
		for (uint32_t k = 0; k < count; k++) {
			LB_TRY(engine_read_byte(&form, &p->r));
			LB_TRY(read_definition(p, form));
		}
	}
	return LB_OK;
}
