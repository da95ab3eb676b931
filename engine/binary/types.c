/* types.c - types in the binary format: of values, and the type section with its groups. */
#include "engine/binary/decode_priv.h"

/* ---- references and values ---- */

lb_err engine_read_type_index(uint32_t *out, struct engine_reader *r, const struct engine_module *m)
{
	size_t start = engine_reader_offset(r);
	uint32_t index = 0;

	LB_TRY(engine_read_u32(&index, r));
	if (index < m->group_start)
		*out = m->type_ids[index];
	else if (index < m->group_end) /* in the group that is being read: as if it were new */
		*out = m->types.count + (index - m->group_start);
	else
		return engine_reader_fail(r, LB_E_INVALID, start, "unknown type %u", index);
	return LB_OK;
}

/* What must be on for an abstract reference; ENGINE_FEATURE_COUNT where there is none such. */
static enum engine_feature feature_of(unsigned byte)
{
	switch (byte) {
	case ENGINE_FUNCREF: return ENGINE_FEATURE_MVP;
	case ENGINE_EXTERNREF: return ENGINE_FEATURE_REFERENCES;
	case ENGINE_ANYREF:
	case ENGINE_EQREF:
	case ENGINE_I31REF:
	case ENGINE_STRUCTREF:
	case ENGINE_ARRAYREF:
	case ENGINE_NULLREF:
	case ENGINE_NULLFUNCREF:
	case ENGINE_NULLEXTERNREF: return ENGINE_FEATURE_GC;
	case ENGINE_EXNREF:
	case ENGINE_NULLEXNREF: return ENGINE_FEATURE_EXCEPTIONS;
	default: return ENGINE_FEATURE_COUNT;
	}
}

static bool is_abstract(const struct engine_module *m, unsigned byte)
{
	enum engine_feature feature = feature_of(byte);

	return feature != ENGINE_FEATURE_COUNT && engine_form_has(m, feature);
}

lb_err engine_read_heap_type(engine_type *out, struct engine_reader *r,
                             const struct engine_module *m)
{
	size_t start = engine_reader_offset(r);
	struct engine_reader again = *r;
	int64_t number = 0;
	uint32_t index = 0;

	LB_TRY(engine_read_s33(&number, r));
	if (number < 0 && is_abstract(m, (unsigned)number & 0x7f) && number >= -64) {
		*out = (engine_type)number & 0x7f;
		return LB_OK;
	}
	if (number < 0 || !engine_form_has(m, ENGINE_FEATURE_FUNC_REFS))
		return engine_reader_fail(r, LB_E_MALFORMED, start, "malformed heap type");
	LB_TRY(engine_read_type_index(&index, &again, m));
	*out = engine_type_of_index(index);
	return LB_OK;
}

/* A reference type that opens with `byte`; false where it is none. */
static bool opens_reference(const struct engine_module *m, unsigned byte)
{
	return is_abstract(m, byte) ||
	       ((byte == 0x63 || byte == 0x64) && engine_form_has(m, ENGINE_FEATURE_FUNC_REFS));
}

static lb_err read_reference(engine_type *out, struct engine_reader *r,
                             const struct engine_module *m, unsigned byte)
{
	*out = byte;
	if (byte != 0x63 && byte != 0x64)
		return LB_OK;
	LB_TRY(engine_read_heap_type(out, r, m));
	if (byte == 0x64)
		*out |= ENGINE_NON_NULL;
	return LB_OK;
}

lb_err engine_read_ref_type(engine_type *out, struct engine_reader *r,
                            const struct engine_module *m)
{
	size_t start = engine_reader_offset(r);
	uint8_t byte = 0;

	LB_TRY(engine_read_byte(&byte, r));
	if (!opens_reference(m, byte))
		return engine_reader_fail(r, LB_E_MALFORMED, start, "malformed reference type");
	return read_reference(out, r, m, byte);
}

lb_err engine_read_value_type(engine_type *out, struct engine_reader *r,
                              const struct engine_module *m)
{
	size_t start = engine_reader_offset(r);
	uint8_t byte = 0;

	LB_TRY(engine_read_byte(&byte, r));
	*out = byte;
	if (byte >= ENGINE_F64 && byte <= ENGINE_I32)
		return LB_OK;
	if (byte == ENGINE_V128 && engine_form_has(m, ENGINE_FEATURE_SIMD))
		return LB_OK;
	if (opens_reference(m, byte))
		return read_reference(out, r, m, byte);
	return engine_reader_fail(r, LB_E_MALFORMED, start, "malformed value type 0x%02x", byte);
}

/* ---- the type section ---- */

/* What is read of a group hangs in an arena of its own until it is put into the table. */
struct group_reader {
	struct decoder *d;
	struct lb_arena arena;
};

static lb_err read_values(const engine_type **out, uint32_t *count, struct group_reader *g,
                          uint32_t count_max, const char *what)
{
	engine_type *types;

	LB_TRY(engine_read_count(count, &g->d->r, 1, count_max, what));
	types = LB_ARENA_NEW(&g->arena, engine_type, *count);
	if (types == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < *count; i++)
		LB_TRY(engine_read_value_type(&types[i], &g->d->r, g->d->module));
	*out = types;
	return LB_OK;
}

static lb_err read_func(struct engine_func_type *out, struct group_reader *g)
{
	struct decoder *d = g->d;
	size_t start;

	LB_TRY(read_values(&out->params, &out->param_count, g, ENGINE_PARAMS_MAX, "parameters"));
	start = engine_reader_offset(&d->r);
	LB_TRY(read_values(&out->results, &out->result_count, g, ENGINE_RESULTS_MAX, "results"));
	if (out->result_count > 1 && !engine_form_has(d->module, ENGINE_FEATURE_MULTI_VALUE))
		return engine_decode_invalid(d, start, "invalid result arity");
	return LB_OK;
}

static lb_err read_field(struct engine_field *out, struct decoder *d)
{
	size_t start;
	uint8_t flag = 0;

	if (d->r.at < d->r.end && (*d->r.at == ENGINE_I8 || *d->r.at == ENGINE_I16))
		out->type = *d->r.at++;
	else
		LB_TRY(engine_read_value_type(&out->type, &d->r, d->module));
	start = engine_reader_offset(&d->r);
	LB_TRY(engine_read_byte(&flag, &d->r));
	if (flag > 1)
		return engine_reader_fail(&d->r, LB_E_MALFORMED, start, "malformed mutability");
	out->is_mutable = flag == 1;
	return LB_OK;
}

static lb_err read_fields(struct engine_def_type *out, struct group_reader *g, uint32_t count)
{
	struct engine_field *fields = LB_ARENA_NEW(&g->arena, struct engine_field, count);

	if (fields == NULL)
		return lb_err_of(LB_E_NOMEM);
	for (uint32_t i = 0; i < count; i++)
		LB_TRY(read_field(&fields[i], g->d));
	out->fields = fields;
	out->field_count = count;
	return LB_OK;
}

/* A supertype must stand before. */
static lb_err read_super(struct engine_def_type *out, struct decoder *d, uint32_t own)
{
	size_t start = engine_reader_offset(&d->r);
	uint32_t count = 0;

	LB_TRY(engine_read_u32(&count, &d->r));
	if (count > 1)
		return engine_decode_invalid(d, start, "sub type: more than one supertype");
	if (count == 0)
		return LB_OK;
	out->has_super = true;
	start = engine_reader_offset(&d->r);
	LB_TRY(engine_read_type_index(&out->super, &d->r, d->module));
	if (out->super >= d->module->types.count && out->super - d->module->types.count >= own)
		return engine_decode_invalid(d, start,
		                             "unknown type: a supertype must come before");
	return LB_OK;
}

/* Type `own` of the group. */
static lb_err read_sub(struct engine_def_type *out, struct group_reader *g, uint32_t own)
{
	struct decoder *d = g->d;
	bool has_gc = engine_form_has(d->module, ENGINE_FEATURE_GC);
	size_t start = engine_reader_offset(&d->r);
	uint32_t count = 0;
	uint8_t form = 0;

	LB_TRY(engine_read_byte(&form, &d->r));
	if ((form == 0x50 || form == 0x4f) && has_gc) {
		out->is_open = form == 0x50;
		LB_TRY(read_super(out, d, own));
		start = engine_reader_offset(&d->r);
		LB_TRY(engine_read_byte(&form, &d->r));
	}
	if ((form & 0x80) != 0) /* it is a signed number of one byte */
		return engine_reader_fail(&d->r, LB_E_MALFORMED, start,
		                          "integer representation too long");
	if (form == 0x60)
		return read_func(&out->func, g);
	if (form == 0x5f && has_gc) {
		out->kind = ENGINE_COMPOSITE_STRUCT;
		LB_TRY(engine_read_count(&count, &d->r, 2, ENGINE_FIELDS_MAX, "fields"));
		return read_fields(out, g, count);
	}
	if (form == 0x5e && has_gc) {
		out->kind = ENGINE_COMPOSITE_ARRAY;
		return read_fields(out, g, 1);
	}
	return engine_reader_fail(&d->r, LB_E_MALFORMED, start, "malformed definition type");
}

/* Each type against the one it extends, when all of the group are in the table. */
static lb_err check_supers(struct decoder *d, uint32_t first, uint32_t count, size_t start)
{
	const struct engine_types *types = &d->module->types;

	/* A supertype stands before; what they match may stand behind. */
	for (uint32_t i = first; i < first + count; i++) {
		struct engine_def_type *type = types->at[i];

		if (type->has_super)
			type->depth = types->at[type->super]->depth + 1;
		if (type->depth > ENGINE_SUBTYPE_DEPTH_MAX)
			return engine_reader_fail(&d->r, LB_E_LIMIT, start,
			                          "subtypes nested too deeply");
	}
	for (uint32_t i = first; i < first + count; i++) {
		const struct engine_def_type *type = types->at[i];

		if (!type->has_super)
			continue;
		if (!engine_types_may_extend(types, type, types->at[type->super]))
			return engine_reader_fail(&d->r, LB_E_INVALID, start,
			                          "sub type %u does not match super type",
			                          d->module->group_start + (i - first));
	}
	return LB_OK;
}

static lb_err read_group(struct group_reader *g, uint32_t count)
{
	struct decoder *d = g->d;
	struct engine_module *m = d->module;
	struct engine_def_type *group = LB_ARENA_NEW(&g->arena, struct engine_def_type, count);
	size_t start = engine_reader_offset(&d->r);
	uint32_t first = 0, known = m->types.count;

	if (group == NULL)
		return lb_err_of(LB_E_NOMEM);
	m->group_end = m->group_start + count;
	for (uint32_t i = 0; i < count; i++)
		LB_TRY(read_sub(&group[i], g, i));
	LB_TRY(engine_types_add(&first, &m->types, group, count));
	for (uint32_t i = 0; i < count; i++)
		m->type_ids[m->group_start + i] = first + i;
	if (first == known)
		LB_TRY(check_supers(d, first, count, start));
	m->type_count = m->group_start = m->group_end;
	return LB_OK;
}

static lb_err read_groups(struct group_reader *g, uint32_t count)
{
	struct decoder *d = g->d;

	for (uint32_t i = 0; i < count; i++) {
		size_t start = engine_reader_offset(&d->r);
		uint32_t len = 1;

		if (d->r.at < d->r.end && *d->r.at == 0x4e &&
		    engine_form_has(d->module, ENGINE_FEATURE_GC)) {
			d->r.at++;
			LB_TRY(engine_read_count(&len, &d->r, 2, ENGINE_TYPES_MAX, "types"));
		}
		if (len > ENGINE_TYPES_MAX - d->module->type_count)
			return engine_reader_fail(&d->r, LB_E_LIMIT, start, "too many types");
		LB_TRY(read_group(g, len));
		if (g->arena.bytes_used > 1 << 20) { /* not all of the section twice */
			lb_arena_release(&g->arena);
			lb_arena_init(&g->arena, d->module->mem);
		}
	}
	return LB_OK;
}

lb_err engine_decode_types(struct decoder *d)
{
	struct engine_module *m = d->module;
	struct group_reader g = { .d = d };
	uint32_t count = 0;
	lb_err err;

	LB_TRY(engine_read_count(&count, &d->r, 2, ENGINE_TYPES_MAX, "types"));
	/* Each type is two bytes or more. */
	m->type_ids = LB_ARENA_NEW(&m->arena, uint32_t, engine_reader_left(&d->r) / 2);
	if (m->type_ids == NULL)
		return lb_err_of(LB_E_NOMEM);
	lb_arena_init(&g.arena, m->mem);
	err = read_groups(&g, count);
	lb_arena_release(&g.arena);
	return err;
}
