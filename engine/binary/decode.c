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
	SECTION_TAG,
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

/* A constant expression that gives a value of `type`, and its end. */
static lb_err read_const(struct engine_const *out, struct decoder *d, engine_type type)
{
	if (d->validator == NULL)
		LB_TRY(engine_validator_new(&d->validator, d->module));
	return engine_validate_const(out, d->validator, &d->r, type);
}

/* ---- tables, memories, globals ---- */

enum { LIMITS_MAX = 1, LIMITS_SHARED = 2, LIMITS_64 = 4, LIMITS_PAGE_SIZE = 8 };

/* The flags that a limit may have, as far as features are on. */
static unsigned limit_flags(const struct engine_module *m, bool of_memory)
{
	unsigned flags = LIMITS_MAX;

	if (engine_form_has(m, ENGINE_FEATURE_MEMORY64))
		flags |= LIMITS_64;
	if (of_memory && engine_form_has(m, ENGINE_FEATURE_THREADS))
		flags |= LIMITS_SHARED;
	if (of_memory && engine_form_has(m, ENGINE_FEATURE_CUSTOM_PAGE_SIZES))
		flags |= LIMITS_PAGE_SIZE;
	return flags;
}

static lb_err read_limits(struct engine_limits *out, uint8_t *flags, struct decoder *d,
                          bool of_memory)
{
	size_t start = here(d);

	LB_TRY(engine_read_byte(flags, &d->r));
	if ((*flags & ~limit_flags(d->module, of_memory)) != 0)
		return malformed(d, start, "malformed limits flags");
	*out = (struct engine_limits){ .has_max = (*flags & LIMITS_MAX) != 0,
		                       .is_shared = (*flags & LIMITS_SHARED) != 0,
		                       .is_64 = (*flags & LIMITS_64) != 0 };
	LB_TRY(engine_read_u64(&out->min, &d->r));
	if (out->has_max) {
		LB_TRY(engine_read_u64(&out->max, &d->r));
		if (out->max < out->min)
			return engine_decode_invalid(
				d, start, "size minimum must not be greater than maximum");
	}
	return LB_OK;
}

static bool above(const struct engine_limits *limits, uint64_t most)
{
	return limits->min > most || (limits->has_max && limits->max > most);
}

static lb_err read_table_type(struct engine_table_type *out, struct decoder *d)
{
	uint8_t flags = 0;
	size_t start;

	LB_TRY(engine_read_ref_type(&out->element, &d->r, d->module));
	start = here(d);
	LB_TRY(read_limits(&out->limits, &flags, d, false));
	if (!out->limits.is_64 && above(&out->limits, UINT32_MAX))
		return engine_decode_invalid(d, start, "table size must be at most 2^32-1");
	return LB_OK;
}

static lb_err read_page_size(struct engine_memory_type *out, struct decoder *d)
{
	size_t start = here(d);
	uint32_t log2 = 0;

	LB_TRY(engine_read_u32(&log2, &d->r));
	if (log2 > 63) /* no number of bytes at all */
		return engine_reader_fail(&d->r, LB_E_MALFORMED, start, "invalid custom page size");
	if (log2 != 0 && log2 != 16)
		return engine_decode_invalid(d, start, "invalid custom page size");
	out->has_byte_pages = log2 == 0;
	return LB_OK;
}

static lb_err read_memory_type(struct engine_memory_type *out, struct decoder *d)
{
	size_t start = here(d);
	uint8_t flags = 0;
	uint64_t most;

	LB_TRY(read_limits(&out->limits, &flags, d, true));
	out->has_byte_pages = false;
	if ((flags & LIMITS_PAGE_SIZE) != 0)
		LB_TRY(read_page_size(out, d));
	most = out->limits.is_64 ? UINT64_MAX : UINT32_MAX;
	if (!out->has_byte_pages)
		most = out->limits.is_64 ? UINT64_C(1) << 48 : 65536;
	if (above(&out->limits, most))
		return engine_decode_invalid(
			d, start,
			out->has_byte_pages ? "memory size must be at most the address space"
			: out->limits.is_64 ? "memory size must be at most 2^48 pages"
					    : "memory size must be at most 65536 pages (4GiB)");
	if (out->limits.is_shared && !out->limits.has_max)
		return engine_decode_invalid(d, start, "shared memory must have maximum");
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

/* A type that is a function's; its canonical index. */
static lb_err read_func_type(uint32_t *out, struct decoder *d)
{
	size_t start = here(d);

	LB_TRY(engine_read_type_index(out, &d->r, d->module));
	if (d->module->types.at[*out]->kind != ENGINE_COMPOSITE_FUNC)
		return engine_decode_invalid(d, start, "type mismatch: a function type expected");
	return LB_OK;
}

static lb_err read_tag_type(uint32_t *out, struct decoder *d)
{
	size_t start = here(d);
	uint8_t attribute = 0;

	LB_TRY(engine_read_byte(&attribute, &d->r));
	if (attribute != 0)
		return malformed(d, start, "malformed tag attribute");
	start = here(d);
	LB_TRY(read_func_type(out, d));
	if (d->module->types.at[*out]->func.result_count > 0)
		return engine_decode_invalid(d, start, "non-empty tag result type");
	return LB_OK;
}

/* ---- imports ---- */

static bool has_tags(const struct engine_module *m)
{
	return engine_form_has(m, ENGINE_FEATURE_EXCEPTIONS) ||
	       engine_form_has(m, ENGINE_FEATURE_LEGACY_EXCEPTIONS);
}

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
		LB_TRY(read_func_type(&m->func_types[m->func_count], d));
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
		    !engine_form_has(m, ENGINE_FEATURE_MUTABLE_GLOBALS))
			return engine_decode_invalid(d, start,
			                             "mutable globals cannot be imported");
		return LB_OK;
	case ENGINE_TAG:
		if (!has_tags(m))
			break;
		import->index = m->tag_count;
		return read_tag_type(&m->tag_types[m->tag_count++], d);
	default: break;
	}
	return malformed(d, start, "malformed import kind");
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
	m->tag_types = LB_ARENA_NEW(&m->arena, uint32_t, m->import_count);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < m->import_count; i++)
		LB_TRY(read_import(&m->imports[i], d));
	m->func_import_count = m->func_count;
	m->table_import_count = m->table_count;
	m->memory_import_count = m->memory_count;
	m->global_import_count = m->global_count;
	m->tag_import_count = m->tag_count;
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
		LB_TRY(read_func_type(&m->func_types[m->func_count + i], d));
	m->func_count += more;
	return LB_OK;
}

/* A table defined here, and what its elements are at first. */
static lb_err read_table(struct engine_table_type *out, struct engine_const *init,
                         struct decoder *d)
{
	bool has_init = d->r.at < d->r.end && *d->r.at == 0x40 &&
	                engine_form_has(d->module, ENGINE_FEATURE_FUNC_REFS);
	size_t start = here(d);
	uint8_t zero = 0;

	if (has_init) {
		d->r.at++;
		LB_TRY(engine_read_byte(&zero, &d->r));
		if (zero != 0)
			return malformed(d, start, "malformed table");
	}
	LB_TRY(read_table_type(out, d));
	if (has_init)
		return read_const(init, d, out->element);
	if (!engine_type_has_default(out->element))
		return engine_decode_invalid(d, start, "type mismatch: the table needs a value");
	return LB_OK;
}

static lb_err read_tables(struct decoder *d)
{
	struct engine_module *m = d->module;
	uint32_t more = 0;

	LB_TRY(engine_read_count(&more, &d->r, 2, ENGINE_TABLES_MAX, "tables"));
	LB_TRY(WIDEN(m->tables, d, m->table_count, more));
	m->table_inits = LB_ARENA_NEW(&m->arena, struct engine_const, more);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < more; i++)
		LB_TRY(read_table(&m->tables[m->table_count + i], &m->table_inits[i], d));
	m->table_count += more;
	return LB_OK;
}

static lb_err read_memories(struct decoder *d)
{
	struct engine_module *m = d->module;
	uint32_t more = 0;

	LB_TRY(engine_read_count(&more, &d->r, 1, ENGINE_MEMORIES_MAX, "memories"));
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
		LB_TRY(read_const(&global->init, d, global->type.content));
		m->global_count++;
	}
	return LB_OK;
}

static lb_err read_tags(struct decoder *d)
{
	struct engine_module *m = d->module;
	uint32_t more = 0;

	LB_TRY(engine_read_count(&more, &d->r, 2, ENGINE_TAGS_MAX, "tags"));
	LB_TRY(WIDEN(m->tag_types, d, m->tag_count, more));
	for (uint32_t i = 0; i < more; i++)
		LB_TRY(read_tag_type(&m->tag_types[m->tag_count + i], d));
	m->tag_count += more;
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
	case ENGINE_TAG: return m->tag_count;
	}
	return 0;
}

static lb_err read_export(struct engine_form_export *export, struct decoder *d)
{
	struct engine_module *m = d->module;
	uint8_t kind = 0;
	size_t start = here(d);

	if (engine_reader_left(&d->r) == 0)
		return malformed(d, start, "length out of bounds");
	LB_TRY(engine_read_name(&export->name, &d->r));
	if (engine_form_find_export(m, export->name) != NULL)
		return engine_decode_invalid(d, start, "duplicate export name");
	export->name = lb_arena_bytes(&m->arena, export->name);
	LB_TRY(alloc_check(d));
	start = here(d);
	LB_TRY(engine_read_byte(&kind, &d->r));
	if (kind > (has_tags(m) ? ENGINE_TAG : ENGINE_GLOBAL))
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
	    !engine_form_has(m, ENGINE_FEATURE_MUTABLE_GLOBALS))
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

/* A function's index, which is thereby declared. */
static lb_err read_func_index(uint32_t *out, struct decoder *d)
{
	size_t start = here(d);

	LB_TRY(engine_read_u32(out, &d->r));
	if (*out >= d->module->func_count)
		return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown function %u", *out);
	d->module->func_declared[*out] = 1;
	return LB_OK;
}

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
	elem->type = (flags & 4) != 0 ? ENGINE_FUNCREF : ENGINE_FUNCREF | ENGINE_NON_NULL;
	if (elem->mode == ENGINE_SEGMENT_ACTIVE) {
		if ((flags & 2) != 0)
			LB_TRY(engine_read_u32(&elem->table, &d->r));
		if (elem->table >= m->table_count)
			return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown table %u",
			                          elem->table);
		LB_TRY(read_const(&elem->offset, d,
		                  engine_limits_address(&m->tables[elem->table].limits)));
	}
	if ((flags & 3) != 0) {
		start = here(d);
		if ((flags & 4) != 0) {
			LB_TRY(engine_read_ref_type(&elem->type, &d->r, m));
		} else {
			LB_TRY(engine_read_byte(&kind, &d->r));
			if (kind != 0)
				return malformed(d, start, "malformed element kind");
		}
	}
	if (elem->mode == ENGINE_SEGMENT_ACTIVE &&
	    !engine_types_match(&m->types, elem->type, m->tables[elem->table].element))
		return engine_decode_invalid(d, start, "type mismatch");
	return LB_OK;
}

static lb_err read_elem(struct engine_form_elem *elem, struct decoder *d)
{
	struct engine_module *m = d->module;
	size_t start = here(d);
	uint32_t flags = 0;

	LB_TRY(engine_read_u32(&flags, &d->r));
	if (flags > 7 || (flags != 0 && !engine_form_has(m, ENGINE_FEATURE_BULK_MEMORY)))
		return malformed(d, start, "malformed elements segment kind");
	LB_TRY(read_elem_head(elem, d, flags));
	LB_TRY(engine_read_count(&elem->count, &d->r, 1, ENGINE_SEGMENT_LEN_MAX, "elements"));
	elem->items = LB_ARENA_NEW(&m->arena, struct engine_const, elem->count);
	LB_TRY(alloc_check(d));
	for (uint32_t i = 0; i < elem->count; i++) {
		if ((flags & 4) != 0) {
			LB_TRY(read_const(&elem->items[i], d, elem->type));
			elem->has_code |= elem->items[i].kind == ENGINE_CONST_CODE;
		} else {
			uint32_t func = 0;

			LB_TRY(read_func_index(&func, d));
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

	if (!engine_form_has(m, ENGINE_FEATURE_BULK_MEMORY))
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
	if (flags > 2 || (flags != 0 && !engine_form_has(m, ENGINE_FEATURE_BULK_MEMORY)))
		return malformed(d, start, "malformed data segment kind");
	data->mode = flags == 1 ? ENGINE_SEGMENT_PASSIVE : ENGINE_SEGMENT_ACTIVE;
	if (flags != 1) {
		start = here(d);
		if (flags == 2)
			LB_TRY(engine_read_u32(&data->memory, &d->r));
		if (data->memory >= m->memory_count)
			return engine_reader_fail(&d->r, LB_E_INVALID, start, "unknown memory %u",
			                          data->memory);
		LB_TRY(read_const(&data->offset, d,
		                  engine_limits_address(&m->memories[data->memory].limits)));
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

static lb_err read_bodies(struct decoder *d, uint32_t count)
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
		/* What a body that does not end runs into, in the official tests' words. */
		if (i + 1 < count)
			body.end_text = "END opcode expected";
		else if (d->r.end < d->r.module_end)
			body.end_text = "section size mismatch";
		body.at = d->r.at;
		body.end = body.at + size;
		d->r.at = body.end;
		LB_TRY(engine_validate_body(d->validator, d->module->func_import_count + i, &body));
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
	size_t start = here(d);
	uint32_t count = 0;

	LB_TRY(engine_read_u32(&count, &d->r));
	if (count > m->func_count - m->func_import_count)
		return malformed(d, start, inconsistent_code);
	d->body_count = count;
	m->has_data = data_follows(d);
	if (d->validator == NULL)
		LB_TRY(engine_validator_new(&d->validator, m));
	return read_bodies(d, count);
}

/* ---- custom sections ---- */

/* Kept as they are: names for back traces, what others made, debug information. */
static lb_err read_custom(struct decoder *d)
{
	struct engine_module *m = d->module;
	struct engine_form_custom *custom;
	struct lb_bytes name = { 0 }, bytes = { 0 };

	LB_TRY(engine_read_name(&name, &d->r));
	LB_TRY(engine_read_bytes(&bytes, &d->r, engine_reader_left(&d->r)));
	custom = LB_ARENA_NEW(&m->arena, struct engine_form_custom, 1);
	LB_TRY(alloc_check(d));
	*custom = (struct engine_form_custom){ lb_arena_bytes(&m->arena, name),
		                               lb_arena_bytes(&m->arena, bytes), m->customs };
	m->customs = custom;
	return alloc_check(d);
}

/* ---- sections ---- */

/* Sections come in this order; the custom ones anywhere. */
enum rank {
	RANK_TYPE = 1,
	RANK_IMPORT,
	RANK_FUNCTION,
	RANK_TABLE,
	RANK_MEMORY,
	RANK_TAG,
	RANK_GLOBAL,
	RANK_EXPORT,
	RANK_START,
	RANK_ELEMENT,
	RANK_COUNT,
	RANK_CODE,
	RANK_DATA,
	RANK_END
};

static unsigned section_rank(uint8_t id)
{
	static const uint8_t ranks[SECTION_COUNT] = {
		[SECTION_TYPE] = RANK_TYPE,         [SECTION_IMPORT] = RANK_IMPORT,
		[SECTION_FUNCTION] = RANK_FUNCTION, [SECTION_TABLE] = RANK_TABLE,
		[SECTION_MEMORY] = RANK_MEMORY,     [SECTION_TAG] = RANK_TAG,
		[SECTION_GLOBAL] = RANK_GLOBAL,     [SECTION_EXPORT] = RANK_EXPORT,
		[SECTION_START] = RANK_START,       [SECTION_ELEMENT] = RANK_ELEMENT,
		[SECTION_DATA_COUNT] = RANK_COUNT,  [SECTION_CODE] = RANK_CODE,
		[SECTION_DATA] = RANK_DATA,
	};

	return ranks[id];
}

static lb_err read_section(struct decoder *d, uint8_t id)
{
	switch ((enum section)id) {
	case SECTION_CUSTOM: return read_custom(d);
	case SECTION_TYPE: return engine_decode_types(d);
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
	case SECTION_TAG: return read_tags(d);
	case SECTION_COUNT: break;
	}
	return LB_OK;
}

/* What is known only when no more functions, or memories, can come. */
static lb_err before_section(struct decoder *d, unsigned rank)
{
	struct engine_module *m = d->module;

	if (d->rank <= RANK_FUNCTION && rank > RANK_FUNCTION) {
		m->func_declared = LB_ARENA_NEW(&m->arena, unsigned char, m->func_count);
		LB_TRY(alloc_check(d));
	}
	if (d->rank <= RANK_TABLE && rank > RANK_TABLE && m->table_count > 1 &&
	    !engine_form_has(m, ENGINE_FEATURE_REFERENCES))
		return engine_decode_invalid(d, here(d), "multiple tables");
	if (d->rank <= RANK_MEMORY && rank > RANK_MEMORY && m->memory_count > 1 &&
	    !engine_form_has(m, ENGINE_FEATURE_MULTI_MEMORY))
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
		if (id >= SECTION_COUNT || (id == SECTION_TAG && !has_tags(d->module)))
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
	LB_TRY(before_section(d, RANK_END));
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
	engine_types_init(&module->types, &module->arena, mem);
	module->features = engine_features_allowed(options);

	d = (struct decoder){ .module = module };
	d.r = (struct engine_reader){ .at = bytes.at,
		                      .end = bytes.at + bytes.len,
		                      .origin = bytes.at,
		                      .module_end = bytes.at + bytes.len,
		                      .end_text = "unexpected end",
		                      .diag = diag };
	err = read_module(&d);
	if (!lb_failed(err) && d.validator != NULL)
		err = engine_validator_finish(d.validator);
	engine_validator_free(d.validator);
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
	engine_types_release(&module->types);
	lb_arena_release(&module->arena);
	LB_DROP(module->mem, module->cells, module->cell_capacity);
	LB_DROP(module->mem, module, 1);
}
