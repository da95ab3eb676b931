/* decode.c - a module's sections, one after the other, into its form.
 *
 * Each section is read through a reader of its own, so nothing can be read
 * past it.  Every count is bounded by the bytes that could carry it before
 * anything is allocated.  What refers to other sections is checked here as
 * soon as those are known; bodies of functions are checked by validate/.
 */
#include "engine/binary/decode_priv.h"

#include "engine/validate/validate.h"

enum section {
	SECTION_CUSTOM,
	SECTION_TYPE,
	SECTION_IMPORT,
	SECTION_FUNCTION,
	SECTION_TABLE,
	SECTION_MEMORY,
	SECTION_GLOBAL,
	SECTION_EXPORT,
	SECTION_START,
	SECTION_ELEMENT,
	SECTION_CODE,
	SECTION_DATA,
	SECTION_DATA_COUNT,
	SECTION_COUNT
};

/* The arena is sticky: an allocation that fails is seen here. */
static lb_err alloc_check(const struct decoder *d)
{
	return d->module->arena.failed ? lb_err_of(LB_E_NOMEM) : LB_OK;
}

lb_err engine_decode_invalid(const struct decoder *d, size_t offset, const char *text)
{
	return engine_reader_fail(&d->r, LB_E_INVALID, offset, "%s", text);
}

static lb_err malformed(const struct decoder *d, size_t offset, const char *text)
{
	return engine_reader_fail(&d->r, LB_E_MALFORMED, offset, "%s", text);
}

static size_t here(const struct decoder *d) { return engine_reader_offset(&d->r); }

/* ---- types ---- */

static lb_err read_ref_type(engine_type *out, struct decoder *d)
{
	size_t start = here(d);
	uint8_t byte = 0;

	LB_TRY(engine_read_byte(&byte, &d->r));
	*out = byte;
	if (!engine_type_is_ref(*out) ||
	    (byte != ENGINE_FUNCREF && d->module->features_off[ENGINE_FEATURE_REFERENCES]))
		return malformed(d, start, "malformed reference type");
	return LB_OK;
}

lb_err engine_read_value_type(engine_type *out, struct engine_reader *r,
                              const struct engine_module *module)
{
	size_t start = engine_reader_offset(r);
	uint8_t byte = 0;

	LB_TRY(engine_read_byte(&byte, r));
	*out = byte;
	if (byte >= ENGINE_F64 && byte <= ENGINE_I32)
		return LB_OK;
	if (engine_type_is_ref(*out) && !module->features_off[ENGINE_FEATURE_REFERENCES])
		return LB_OK;
	return engine_reader_fail(r, LB_E_MALFORMED, start, "malformed value type 0x%02x", byte);
}

static lb_err read_value_types(const engine_type **out, uint32_t *count, struct decoder *d,
                               uint32_t count_max, const char *what)
{
	engine_type *types;

	LB_TRY(engine_read_count(count, &d->r, 1, count_max, what));
	types = LB_ARENA_NEW(&d->module->arena, engine_type, *count);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < *count; i++)
		LB_TRY(engine_read_value_type(&types[i], &d->r, d->module));
	*out = types;
	return LB_OK;
}

static lb_err read_types(struct decoder *d)
{
	struct engine_module *m = d->module;

	LB_TRY(engine_read_count(&m->type_count, &d->r, 3, ENGINE_TYPES_MAX, "types"));
	m->types = LB_ARENA_NEW(&m->arena, struct engine_func_type, m->type_count);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < m->type_count; i++) {
		struct engine_func_type *type = &m->types[i];
		size_t start = here(d);
		uint8_t form = 0;

		LB_TRY(engine_read_byte(&form, &d->r));
		if ((form & 0x80) != 0) /* it is a signed number of one byte */
			return malformed(d, start, "integer representation too long");
		if (form != 0x60)
			return malformed(d, start, "malformed definition type");
		LB_TRY(read_value_types(&type->params, &type->param_count, d, ENGINE_PARAMS_MAX,
		                        "parameters"));
		start = here(d);
		LB_TRY(read_value_types(&type->results, &type->result_count, d, ENGINE_RESULTS_MAX,
		                        "results"));
		if (type->result_count > 1 && m->features_off[ENGINE_FEATURE_MULTI_VALUE])
			return engine_decode_invalid(d, start, "invalid result arity");
	}
	return LB_OK;
}

static lb_err read_limits(struct engine_limits *out, struct decoder *d)
{
	size_t start = here(d);
	uint8_t flags = 0;

	LB_TRY(engine_read_byte(&flags, &d->r));
	if (flags > 1)
		return malformed(d, start, "malformed limits flags");
	*out = (struct engine_limits){ .has_max = flags == 1 };
	LB_TRY(engine_read_u64(&out->min, &d->r));
	if (flags == 1) {
		LB_TRY(engine_read_u64(&out->max, &d->r));
		if (out->max < out->min)
			return engine_decode_invalid(
				d, start, "size minimum must not be greater than maximum");
	}
	return LB_OK;
}

static lb_err read_table_type(struct engine_table_type *out, struct decoder *d)
{
	size_t start;

	LB_TRY(read_ref_type(&out->element, d));
	start = here(d);
	LB_TRY(read_limits(&out->limits, d));
	if (out->limits.min > UINT32_MAX || (out->limits.has_max && out->limits.max > UINT32_MAX))
		return engine_decode_invalid(d, start, "table size must be at most 2^32-1");
	return LB_OK;
}

static lb_err read_memory_type(struct engine_memory_type *out, struct decoder *d)
{
	size_t start = here(d);

	LB_TRY(read_limits(&out->limits, d));
	if (out->limits.min > 65536 || (out->limits.has_max && out->limits.max > 65536))
		return engine_decode_invalid(d, start,
		                             "memory size must be at most 65536 pages (4 GiB)");
	return LB_OK;
}

static lb_err read_global_type(struct engine_global_type *out, struct decoder *d)
{
	uint8_t flag = 0;
	size_t start;

	LB_TRY(engine_read_value_type(&out->content, &d->r, d->module));
	start = here(d);
	LB_TRY(engine_read_byte(&flag, &d->r));
	if (flag > 1)
		return malformed(d, start, "malformed mutability");
	out->is_mutable = flag == 1;
	return LB_OK;
}

static lb_err read_type_index(uint32_t *out, struct decoder *d)
{
	size_t start = here(d);

	LB_TRY(engine_read_u32(out, &d->r));
	if (*out >= d->module->type_count)
		return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown type %u", *out);
	return LB_OK;
}

/* ---- imports ---- */

static lb_err read_import(struct engine_form_import *import, struct decoder *d)
{
	struct engine_module *m = d->module;
	uint8_t kind = 0;
	size_t start;

	LB_TRY(engine_read_name(&import->module, &d->r));
	LB_TRY(engine_read_name(&import->name, &d->r));
	import->module = lb_arena_bytes(&m->arena, import->module);
	import->name = lb_arena_bytes(&m->arena, import->name);
	LB_TRY(alloc_check(d));
	start = here(d);
	LB_TRY(engine_read_byte(&kind, &d->r));
	import->kind = (enum engine_kind)kind;
	switch (kind) {
	case ENGINE_FUNC:
		import->index = m->func_count;
		LB_TRY(read_type_index(&m->func_types[m->func_count], d));
		m->func_count++;
		return LB_OK;
	case ENGINE_TABLE:
		import->index = m->table_count;
		return read_table_type(&m->tables[m->table_count++], d);
	case ENGINE_MEMORY:
		import->index = m->memory_count;
		return read_memory_type(&m->memories[m->memory_count++], d);
	case ENGINE_GLOBAL:
		import->index = m->global_count;
		LB_TRY(read_global_type(&m->globals[m->global_count].type, d));
		if (m->globals[m->global_count++].type.is_mutable &&
		    m->features_off[ENGINE_FEATURE_MUTABLE_GLOBALS])
			return engine_decode_invalid(d, start,
			                             "mutable globals cannot be imported");
		return LB_OK;
	default: return malformed(d, start, "malformed import kind");
	}
}

static lb_err read_imports(struct decoder *d)
{
	struct engine_module *m = d->module;

	LB_TRY(engine_read_count(&m->import_count, &d->r, 2, ENGINE_IMPORTS_MAX, "imports"));
	/* Any of them may be of any kind; the spaces are made anew with what is defined. */
	m->imports = LB_ARENA_NEW(&m->arena, struct engine_form_import, m->import_count);
	m->func_types = LB_ARENA_NEW(&m->arena, uint32_t, m->import_count);
	m->tables = LB_ARENA_NEW(&m->arena, struct engine_table_type, m->import_count);
	m->memories = LB_ARENA_NEW(&m->arena, struct engine_memory_type, m->import_count);
	m->globals = LB_ARENA_NEW(&m->arena, struct engine_form_global, m->import_count);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < m->import_count; i++)
		LB_TRY(read_import(&m->imports[i], d));
	m->func_import_count = m->func_count;
	m->table_import_count = m->table_count;
	m->memory_import_count = m->memory_count;
	m->global_import_count = m->global_count;
	return LB_OK;
}

/* An index space with room for `more`: what was imported, then what is defined. */
static lb_err widen(void **space, struct decoder *d, uint32_t count, uint32_t more, size_t size)
{
	void *fresh = lb_arena_alloc(&d->module->arena, (size_t)count + more, size);

	LB_TRY(alloc_check(d));
	if (count > 0)
		memcpy(fresh, *space, (size_t)count * size);
	*space = fresh;
	return LB_OK;
}

#define WIDEN(space, d, count, more) widen((void **)&(space), (d), (count), (more), sizeof *(space))

/* ---- functions, tables, memories, globals ---- */

static lb_err read_functions(struct decoder *d)
{
	struct engine_module *m = d->module;
	uint32_t more = 0;

	LB_TRY(engine_read_count(&more, &d->r, 1, ENGINE_FUNCS_MAX, "functions"));
	LB_TRY(WIDEN(m->func_types, d, m->func_count, more));
	m->bodies = LB_ARENA_NEW(&m->arena, struct engine_body, more);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < more; i++)
		LB_TRY(read_type_index(&m->func_types[m->func_count + i], d));
	m->func_count += more;
	return LB_OK;
}

static lb_err read_tables(struct decoder *d)
{
	struct engine_module *m = d->module;
	uint32_t more = 0;

	LB_TRY(engine_read_count(&more, &d->r, 2, ENGINE_TABLES_MAX, "tables"));
	LB_TRY(WIDEN(m->tables, d, m->table_count, more));
	for (uint32_t i = 0; i < more; i++)
		LB_TRY(read_table_type(&m->tables[m->table_count + i], d));
	m->table_count += more;
	if (m->table_count > 1 && m->features_off[ENGINE_FEATURE_REFERENCES])
		return engine_decode_invalid(d, here(d), "multiple tables");
	return LB_OK;
}

static lb_err read_memories(struct decoder *d)
{
	struct engine_module *m = d->module;
	uint32_t more = 0;

	LB_TRY(engine_read_count(&more, &d->r, 1, ENGINE_FUNCS_MAX, "memories"));
	LB_TRY(WIDEN(m->memories, d, m->memory_count, more));
	for (uint32_t i = 0; i < more; i++)
		LB_TRY(read_memory_type(&m->memories[m->memory_count + i], d));
	m->memory_count += more;
	return LB_OK;
}

static lb_err read_globals(struct decoder *d)
{
	struct engine_module *m = d->module;
	uint32_t more = 0;

	LB_TRY(engine_read_count(&more, &d->r, 3, ENGINE_GLOBALS_MAX, "globals"));
	LB_TRY(WIDEN(m->globals, d, m->global_count, more));
	for (uint32_t i = 0; i < more; i++) {
		struct engine_form_global *global = &m->globals[m->global_count];

		LB_TRY(read_global_type(&global->type, d));
		/* Only the globals before this one are known to its expression. */
		LB_TRY(engine_decode_const(&global->init, d, global->type.content));
		m->global_count++;
	}
	return LB_OK;
}

/* ---- exports and start ---- */

static uint32_t *bucket_of(const struct engine_module *m, struct lb_bytes name)
{
	return &m->export_buckets[lb_bytes_hash(name) & (m->export_bucket_count - 1)];
}

const struct engine_form_export *engine_form_find_export(const struct engine_module *module,
                                                         struct lb_bytes name)
{
	if (module->export_bucket_count == 0)
		return NULL;
	for (uint32_t i = *bucket_of(module, name); i != UINT32_MAX; i = module->exports[i].next)
		if (lb_bytes_eq(module->exports[i].name, name))
			return &module->exports[i];
	return NULL;
}

static uint32_t space_count(const struct engine_module *m, enum engine_kind kind)
{
	switch (kind) {
	case ENGINE_FUNC: return m->func_count;
	case ENGINE_TABLE: return m->table_count;
	case ENGINE_MEMORY: return m->memory_count;
	case ENGINE_GLOBAL: return m->global_count;
	}
	return 0;
}

static lb_err read_export(struct engine_form_export *export, struct decoder *d)
{
	struct engine_module *m = d->module;
	uint8_t kind = 0;
	size_t start = here(d);

	LB_TRY(engine_read_name(&export->name, &d->r));
	if (engine_form_find_export(m, export->name) != NULL)
		return engine_decode_invalid(d, start, "duplicate export name");
	export->name = lb_arena_bytes(&m->arena, export->name);
	LB_TRY(alloc_check(d));
	start = here(d);
	LB_TRY(engine_read_byte(&kind, &d->r));
	if (kind > ENGINE_GLOBAL)
		return malformed(d, start, "malformed export kind");
	export->kind = (enum engine_kind)kind;
	start = here(d);
	LB_TRY(engine_read_u32(&export->index, &d->r));
	if (export->index >= space_count(m, export->kind))
		return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown %s %u",
		                          engine_kind_text(export->kind), export->index);
	if (export->kind == ENGINE_FUNC)
		m->func_declared[export->index] = 1;
	if (export->kind == ENGINE_GLOBAL && m->globals[export->index].type.is_mutable &&
	    m->features_off[ENGINE_FEATURE_MUTABLE_GLOBALS])
		return engine_decode_invalid(d, start, "mutable globals cannot be exported");
	return LB_OK;
}

static lb_err read_exports(struct decoder *d)
{
	struct engine_module *m = d->module;
	uint32_t count = 0;

	LB_TRY(engine_read_count(&count, &d->r, 2, ENGINE_EXPORTS_MAX, "exports"));
	m->export_bucket_count = 1;
	while (m->export_bucket_count < count)
		m->export_bucket_count *= 2;
	m->exports = LB_ARENA_NEW(&m->arena, struct engine_form_export, count);
	m->export_buckets = LB_ARENA_NEW(&m->arena, uint32_t, m->export_bucket_count);
	LB_TRY(alloc_check(d));
	memset(m->export_buckets, 0xff, sizeof *m->export_buckets * m->export_bucket_count);
	for (; m->export_count < count; m->export_count++) {
		struct engine_form_export *export = &m->exports[m->export_count];
		uint32_t *bucket;

		LB_TRY(read_export(export, d));
		bucket = bucket_of(m, export->name);
		export->next = *bucket;
		*bucket = m->export_count;
	}
	return LB_OK;
}

static lb_err read_start(struct decoder *d)
{
	struct engine_module *m = d->module;
	const struct engine_func_type *type;
	size_t start = here(d);

	LB_TRY(engine_read_u32(&m->start, &d->r));
	if (m->start >= m->func_count)
		return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown function %u",
		                          m->start);
	type = engine_form_func_type(m, m->start);
	if (type->param_count != 0 || type->result_count != 0)
		return engine_decode_invalid(
			d, start, "start function must have neither parameters nor results");
	return LB_OK;
}

/* ---- segments ---- */

/* Flags of an element segment: bit 0 not active, bit 1 has a table (or is declarative),
 * bit 2 has expressions instead of functions. */
static lb_err read_elem_head(struct engine_form_elem *elem, struct decoder *d, uint32_t flags)
{
	struct engine_module *m = d->module;
	size_t start = here(d);
	uint8_t kind = 0;

	elem->mode = (flags & 1) == 0   ? ENGINE_SEGMENT_ACTIVE
	             : (flags & 2) == 0 ? ENGINE_SEGMENT_PASSIVE
	                                : ENGINE_SEGMENT_DECLARATIVE;
	elem->type = ENGINE_FUNCREF;
	if (elem->mode == ENGINE_SEGMENT_ACTIVE) {
		if ((flags & 2) != 0)
			LB_TRY(engine_read_u32(&elem->table, &d->r));
		if (elem->table >= m->table_count)
			return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown table %u",
			                          elem->table);
		LB_TRY(engine_decode_const(&elem->offset, d, ENGINE_I32));
	}
	if ((flags & 3) != 0) {
		start = here(d);
		if ((flags & 4) != 0) {
			LB_TRY(read_ref_type(&elem->type, d));
		} else {
			LB_TRY(engine_read_byte(&kind, &d->r));
			if (kind != 0)
				return malformed(d, start, "malformed element kind");
		}
	}
	if (elem->mode == ENGINE_SEGMENT_ACTIVE && elem->type != m->tables[elem->table].element)
		return engine_decode_invalid(d, start, "type mismatch");
	return LB_OK;
}

static lb_err read_elem(struct engine_form_elem *elem, struct decoder *d)
{
	struct engine_module *m = d->module;
	size_t start = here(d);
	uint32_t flags = 0;

	LB_TRY(engine_read_u32(&flags, &d->r));
	if (flags > 7 || (flags != 0 && m->features_off[ENGINE_FEATURE_BULK_MEMORY]))
		return malformed(d, start, "malformed elements segment kind");
	LB_TRY(read_elem_head(elem, d, flags));
	LB_TRY(engine_read_count(&elem->count, &d->r, 1, ENGINE_SEGMENT_LEN_MAX, "elements"));
	elem->items = LB_ARENA_NEW(&m->arena, struct engine_const, elem->count);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < elem->count; i++) {
		if ((flags & 4) != 0) {
			LB_TRY(engine_decode_const(&elem->items[i], d, elem->type));
		} else {
			uint32_t func = 0;

			LB_TRY(engine_decode_func_index(&func, d));
			elem->items[i] = (struct engine_const){ .kind = ENGINE_CONST_REF_FUNC,
				                                .value = func };
		}
	}
	return LB_OK;
}

static lb_err read_elems(struct decoder *d)
{
	struct engine_module *m = d->module;

	LB_TRY(engine_read_count(&m->elem_count, &d->r, 2, ENGINE_SEGMENTS_MAX,
	                         "elements segments"));
	m->elems = LB_ARENA_NEW(&m->arena, struct engine_form_elem, m->elem_count);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < m->elem_count; i++)
		LB_TRY(read_elem(&m->elems[i], d));
	return LB_OK;
}

static lb_err read_data_count(struct decoder *d)
{
	struct engine_module *m = d->module;
	size_t start = here(d);

	if (m->features_off[ENGINE_FEATURE_BULK_MEMORY])
		return malformed(d, start, "malformed section id");
	LB_TRY(engine_read_u32(&m->data_count, &d->r));
	if (m->data_count > ENGINE_SEGMENTS_MAX)
		return engine_reader_fail(&d->r, LB_E_LIMIT, start, "too many data segments");
	m->has_data_count = true;
	return LB_OK;
}

static lb_err read_data(struct engine_form_data *data, struct decoder *d)
{
	struct engine_module *m = d->module;
	size_t start = here(d);
	uint32_t flags = 0, len = 0;

	LB_TRY(engine_read_u32(&flags, &d->r));
	if (flags > 2 || (flags != 0 && m->features_off[ENGINE_FEATURE_BULK_MEMORY]))
		return malformed(d, start, "malformed data segment kind");
	data->mode = flags == 1 ? ENGINE_SEGMENT_PASSIVE : ENGINE_SEGMENT_ACTIVE;
	if (flags != 1) {
		start = here(d);
		if (flags == 2)
			LB_TRY(engine_read_u32(&data->memory, &d->r));
		if (data->memory >= m->memory_count)
			return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown memory %u",
			                          data->memory);
		LB_TRY(engine_decode_const(&data->offset, d, ENGINE_I32));
	}
	LB_TRY(engine_read_u32(&len, &d->r));
	LB_TRY(engine_read_bytes(&data->bytes, &d->r, len));
	data->bytes = lb_arena_bytes(&m->arena, data->bytes);
	return alloc_check(d);
}

static lb_err read_datas(struct decoder *d)
{
	struct engine_module *m = d->module;
	size_t start = here(d);
	uint32_t count = 0;

	LB_TRY(engine_read_count(&count, &d->r, 2, ENGINE_SEGMENTS_MAX, "data segments"));
	if (m->has_data_count && count != m->data_count)
		return malformed(d, start, "data count and data section have inconsistent lengths");
	m->data_count = count;
	m->datas = LB_ARENA_NEW(&m->arena, struct engine_form_data, count);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < count; i++)
		LB_TRY(read_data(&m->datas[i], d));
	return LB_OK;
}

/* ---- code ---- */

static lb_err read_bodies(struct decoder *d, struct engine_validator *v, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct engine_reader body = d->r;
		size_t start = here(d);
		uint32_t size = 0;

		LB_TRY(engine_read_u32(&size, &d->r));
		if (size > engine_reader_left(&d->r))
			return malformed(d, start, "unexpected end of section or function");
		if (size > ENGINE_BODY_SIZE_MAX)
			return engine_reader_fail(&d->r, LB_E_LIMIT, start,
			                          "function too large: %u bytes, the limit is %u",
			                          size, (unsigned)ENGINE_BODY_SIZE_MAX);
		body.at = d->r.at;
		body.end = body.at + size;
		d->r.at = body.end;
		LB_TRY(engine_validate_body(v, d->module->func_import_count + i, &body));
	}
	return LB_OK;
}

/* Whether a data section comes behind this one: without its count before, instructions cannot
 * name segments, but that there are none is another error. */
static bool data_follows(const struct decoder *d)
{
	struct engine_reader r = d->r;
	uint32_t size = 0;
	uint8_t id = 0;

	r.diag = NULL;
	r.at = r.end;
	r.end = r.module_end;
	while (!lb_failed(engine_read_byte(&id, &r)) && !lb_failed(engine_read_u32(&size, &r)) &&
	       size <= engine_reader_left(&r)) {
		if (id == SECTION_DATA)
			return true;
		r.at += size;
	}
	return false;
}

static const char inconsistent_code[] = "function and code section have inconsistent lengths";

static lb_err read_code(struct decoder *d)
{
	struct engine_module *m = d->module;
	struct engine_validator *v = NULL;
	size_t start = here(d);
	uint32_t count = 0;
	lb_err err;

	LB_TRY(engine_read_u32(&count, &d->r));
	if (count > m->func_count - m->func_import_count)
		return malformed(d, start, inconsistent_code);
	d->body_count = count;
	m->has_data = data_follows(d);
	LB_TRY(engine_validator_new(&v, m));
	err = read_bodies(d, v, count);
	if (!lb_failed(err))
		err = engine_validator_finish(v);
	engine_validator_free(v);
	return err;
}

/* ---- sections ---- */

/* Sections come in this order; the custom ones anywhere. */
static unsigned section_rank(uint8_t id)
{
	static const uint8_t ranks[SECTION_COUNT] = {
		[SECTION_TYPE] = 1,        [SECTION_IMPORT] = 2, [SECTION_FUNCTION] = 3,
		[SECTION_TABLE] = 4,       [SECTION_MEMORY] = 5, [SECTION_GLOBAL] = 6,
		[SECTION_EXPORT] = 7,      [SECTION_START] = 8,  [SECTION_ELEMENT] = 9,
		[SECTION_DATA_COUNT] = 10, [SECTION_CODE] = 11,  [SECTION_DATA] = 12,
	};

	return ranks[id];
}

static lb_err read_section(struct decoder *d, uint8_t id)
{
	struct lb_bytes name = { 0 };

	switch ((enum section)id) {
	case SECTION_CUSTOM:
		LB_TRY(engine_read_name(&name, &d->r));
		d->r.at = d->r.end;
		return LB_OK;
	case SECTION_TYPE: return read_types(d);
	case SECTION_IMPORT: return read_imports(d);
	case SECTION_FUNCTION: return read_functions(d);
	case SECTION_TABLE: return read_tables(d);
	case SECTION_MEMORY: return read_memories(d);
	case SECTION_GLOBAL: return read_globals(d);
	case SECTION_EXPORT: return read_exports(d);
	case SECTION_START: return read_start(d);
	case SECTION_ELEMENT: return read_elems(d);
	case SECTION_CODE: return read_code(d);
	case SECTION_DATA: return read_datas(d);
	case SECTION_DATA_COUNT: return read_data_count(d);
	case SECTION_COUNT: break;
	}
	return LB_OK;
}

/* What is known only when no more functions, or memories, can come. */
static lb_err before_section(struct decoder *d, unsigned rank)
{
	struct engine_module *m = d->module;

	if (d->rank <= 3 && rank > 3) {
		m->func_declared = LB_ARENA_NEW(&m->arena, unsigned char, m->func_count);
		LB_TRY(alloc_check(d));
	}
	if (d->rank <= 5 && rank > 5 && m->memory_count > ENGINE_MEMORIES_MAX)
		return engine_decode_invalid(d, here(d), "multiple memories");
	d->rank = rank;
	return LB_OK;
}

static lb_err read_sections(struct decoder *d)
{
	struct engine_reader whole = d->r;

	while (whole.at < whole.end) {
		size_t start = engine_reader_offset(&whole);
		uint32_t size = 0;
		uint8_t id = 0;

		LB_TRY(engine_read_byte(&id, &whole));
		if (id >= SECTION_COUNT)
			return malformed(d, start, "malformed section id");
		LB_TRY(engine_read_u32(&size, &whole));
		if (size > engine_reader_left(&whole))
			return malformed(d, start, "length out of bounds");
		d->r.at = whole.at;
		d->r.end = whole.at += size;
		d->r.end_text = "unexpected end of section or function";
		if (id != SECTION_CUSTOM) {
			if (section_rank(id) <= d->rank)
				return malformed(d, start, "unexpected content after last section");
			LB_TRY(before_section(d, section_rank(id)));
			d->data_seen = d->data_seen || id == SECTION_DATA;
		}
		LB_TRY(read_section(d, id));
		if (d->r.at != d->r.end)
			return malformed(d, here(d), "section size mismatch");
	}
	LB_TRY(before_section(d, 13));
	if (d->body_count != d->module->func_count - d->module->func_import_count)
		return malformed(d, engine_reader_offset(&whole), inconsistent_code);
	if (!d->data_seen && d->module->data_count != 0)
		return malformed(d, engine_reader_offset(&whole),
		                 "data count and data section have inconsistent lengths");
	return LB_OK;
}

static lb_err read_module(struct decoder *d)
{
	static const unsigned char magic[4] = { 0, 'a', 's', 'm' }, version[4] = { 1, 0, 0, 0 };
	struct lb_bytes head = { 0 };

	LB_TRY(engine_read_bytes(&head, &d->r, 4));
	if (memcmp(head.at, magic, 4) != 0)
		return malformed(d, 0, "magic header not detected");
	LB_TRY(engine_read_bytes(&head, &d->r, 4));
	if (memcmp(head.at, version, 4) != 0)
		return malformed(d, 4, "unknown binary version");
	return read_sections(d);
}

static void set_features(struct engine_module *m, const struct engine_module_options *options)
{
	m->features_off[ENGINE_FEATURE_SIGN_EXTENSION] = options->no_sign_extension;
	m->features_off[ENGINE_FEATURE_SATURATING_CONVERT] = options->no_saturating_convert;
	m->features_off[ENGINE_FEATURE_MULTI_VALUE] = options->no_multi_value;
	m->features_off[ENGINE_FEATURE_BULK_MEMORY] = options->no_bulk_memory;
	m->features_off[ENGINE_FEATURE_REFERENCES] = options->no_reference_types;
	m->features_off[ENGINE_FEATURE_MUTABLE_GLOBALS] = options->no_mutable_globals;
	m->features_off[ENGINE_FEATURE_EXTENDED_CONST] = options->no_extended_const;
}

lb_err engine_module_new(struct engine_module **out, struct lb_mem *mem, struct lb_bytes bytes,
                         const struct engine_module_options *options, struct lb_diag *diag)
{
	struct engine_module *module;
	struct decoder d;
	lb_err err;

	*out = NULL;
	module = LB_NEW(mem, struct engine_module, 1);
	if (module == NULL)
		return lb_err_of(LB_E_NOMEM);
	module->mem = mem;
	module->start = UINT32_MAX;
	lb_arena_init(&module->arena, mem);
	if (options != NULL)
		set_features(module, options);

	d = (struct decoder){ .module = module };
	d.r = (struct engine_reader){ .at = bytes.at,
		                      .end = bytes.at + bytes.len,
		                      .origin = bytes.at,
		                      .module_end = bytes.at + bytes.len,
		                      .end_text = "unexpected end",
		                      .diag = diag };
	err = read_module(&d);
	if (lb_failed(err)) {
		engine_module_free(module);
		return err;
	}
	*out = module;
	return LB_OK;
}

void engine_module_free(struct engine_module *module)
{
	if (module == NULL)
		return;
	lb_arena_release(&module->arena);
	LB_DROP(module->mem, module->cells, module->cell_capacity);
	LB_DROP(module->mem, module, 1);
}
