/* snapshot.c - see snapshot.h.
 *
 * The bytes were validated when the module was made, so reading them again can only fail where
 * they are not the same ones.  Indices must keep their meaning: a data segment that was written
 * at the start, or dropped, stays as an empty passive one, and what memory holds comes behind.
 */
#include "engine/snapshot/snapshot.h"

#include "engine/binary/reader.h"
#include "engine/runtime/object.h"

enum {
	SECTION_GLOBAL = 6,
	SECTION_MEMORY = 5,
	SECTION_EXPORT = 7,
	SECTION_START = 8,
	SECTION_DATA = 11,
	SECTION_DATA_COUNT = 12,
	SECTION_IDS = 14
};

enum {
	GAP_MIN = 16,         /* zeros that are worth a segment of their own */
	SEGMENTS_MAX = 50000, /* above that, larger gaps are kept */
	BYTE_END = 0x0b
};

struct snapshot {
	struct lb_buf *out;
	struct lb_bytes bytes;
	const struct engine_instance *instance;
	const struct engine_module *module;
	const struct engine_snapshot_options *options;
	struct lb_diag *diag;
	struct lb_buf body; /* of the section that is being written */
	uint64_t gap;       /* zeros that end a segment */
	uint32_t segment_count;
	bool wrote_data;
};

static lb_err unsupported(struct snapshot *s, const char *what, uint32_t index)
{
	return lb_fail(s->diag, LB_E_UNSUPPORTED, "%s %u cannot be kept", what, index);
}

/* ---- writing ---- */

static void put_leb(struct lb_buf *to, uint64_t value)
{
	while (value >= 0x80) {
		lb_buf_add_byte(to, (unsigned char)(value | 0x80));
		value >>= 7;
	}
	lb_buf_add_byte(to, (unsigned char)value);
}

static void put_signed(struct lb_buf *to, int64_t value)
{
	while (value < -64 || value > 63) {
		lb_buf_add_byte(to, (unsigned char)(((uint64_t)value & 0x7f) | 0x80));
		value = value < 0 ? ~(int64_t)(~(uint64_t)value >> 7) : value >> 7;
	}
	lb_buf_add_byte(to, (unsigned char)((uint64_t)value & 0x7f));
}

static void put_fixed(struct lb_buf *to, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		lb_buf_add_byte(to, (unsigned char)(value >> 8 * i));
}

static void put_bytes(struct lb_buf *to, struct lb_bytes bytes)
{
	put_leb(to, bytes.len);
	lb_buf_add(to, bytes);
}

static void put_section(struct snapshot *s, uint8_t id, struct lb_bytes body)
{
	lb_buf_add_byte(s->out, id);
	put_bytes(s->out, body);
}

/* ---- reading ---- */

static struct engine_reader reader_of(struct snapshot *s, struct lb_bytes part)
{
	return (struct engine_reader){ .at = part.at,
		                       .end = part.at + part.len,
		                       .origin = s->bytes.at,
		                       .module_end = s->bytes.at + s->bytes.len,
		                       .end_text = "unexpected end",
		                       .diag = s->diag };
}

/* A heap type behind 0x63, 0x64 or ref.null; a value's type. */
static lb_err skip_type(struct engine_reader *r)
{
	uint8_t byte;
	int64_t heap;

	LB_TRY(engine_read_byte(&byte, r));
	return byte == 0x63 || byte == 0x64 ? engine_read_s33(&heap, r) : LB_OK;
}

/* ---- memories ---- */

static lb_err write_memories(struct snapshot *s, struct lb_bytes body)
{
	struct engine_reader r = reader_of(s, body);
	uint32_t count, index = s->module->memory_import_count;

	LB_TRY(engine_read_u32(&count, &r));
	put_leb(&s->body, count);
	for (uint32_t i = 0; i < count; i++, index++) {
		const unsigned char *rest;
		uint64_t least, most;
		uint8_t flags;

		LB_TRY(engine_read_byte(&flags, &r));
		LB_TRY(engine_read_u64(&least, &r));
		rest = r.at;
		if ((flags & 1) != 0)
			LB_TRY(engine_read_u64(&most, &r));
		if ((flags & 8) != 0)
			LB_TRY(engine_read_u64(&most, &r)); /* the page size, as a power */
		lb_buf_add_byte(&s->body, flags);
		put_leb(&s->body, engine_memory_type(s->instance->memories[index]).limits.min);
		lb_buf_add(&s->body, (struct lb_bytes){ rest, (size_t)(r.at - rest) });
	}
	return LB_OK;
}

/* ---- globals ---- */

/* The function's index in the module; UINT32_MAX where it has none. */
static uint32_t index_of_func(const struct snapshot *s, const struct engine_func *func)
{
	for (uint32_t i = 0; i < s->module->func_count; i++)
		if (s->instance->funcs[i] == func)
			return i;
	return UINT32_MAX;
}

/* `type`: the bytes of the global's type. */
static lb_err put_reference(struct snapshot *s, uint32_t index, struct lb_bytes type)
{
	union engine_value value = engine_global_get(s->instance->globals[index]);
	uint32_t func;

	if (value.ref == 0) {
		/* Of a long type the heap type alone, a short one names it. */
		lb_buf_add_byte(&s->body, 0xd0);
		lb_buf_add(&s->body, type.len > 1 ? lb_bytes_from(type, 1) : type);
		return LB_OK;
	}
	func = index_of_func(s, value.func);
	if (func == UINT32_MAX)
		return unsupported(s, "a reference in global", index);
	lb_buf_add_byte(&s->body, 0xd2);
	put_leb(&s->body, func);
	return LB_OK;
}

static lb_err put_value(struct snapshot *s, uint32_t index, struct lb_bytes type)
{
	union engine_value value = engine_global_get(s->instance->globals[index]);

	switch (type.at[0]) {
	case ENGINE_I32:
		lb_buf_add_byte(&s->body, 0x41);
		put_signed(&s->body, (int32_t)value.i32);
		break;
	case ENGINE_I64:
		lb_buf_add_byte(&s->body, 0x42);
		put_signed(&s->body, (int64_t)value.i64);
		break;
	case ENGINE_F32:
		lb_buf_add_byte(&s->body, 0x43);
		put_fixed(&s->body, value.f32_bits, 4);
		break;
	case ENGINE_F64:
		lb_buf_add_byte(&s->body, 0x44);
		put_fixed(&s->body, value.f64_bits, 8);
		break;
	case ENGINE_V128:
		lb_buf_add_byte(&s->body, 0xfd);
		lb_buf_add_byte(&s->body, 0x0c);
		put_fixed(&s->body, value.v128[0], 8);
		put_fixed(&s->body, value.v128[1], 8);
		break;
	default: LB_TRY(put_reference(s, index, type)); break;
	}
	lb_buf_add_byte(&s->body, BYTE_END);
	return LB_OK;
}

/* Over a constant expression. */
static lb_err skip_expression(struct engine_reader *r)
{
	uint8_t op = 0;

	while (op != BYTE_END) {
		struct lb_bytes bytes;
		uint32_t number, type;
		int64_t wide;

		LB_TRY(engine_read_byte(&op, r));
		switch (op) {
		case 0x41: /* i32.const, i64.const, ref.null */
		case 0x42:
		case 0xd0: LB_TRY(engine_read_s64(&wide, r)); break;
		case 0x43: LB_TRY(engine_read_bytes(&bytes, r, 4)); break;
		case 0x44: LB_TRY(engine_read_bytes(&bytes, r, 8)); break;
		case 0x23: /* global.get, ref.func */
		case 0xd2: LB_TRY(engine_read_u32(&number, r)); break;
		case 0xfd: LB_TRY(engine_read_bytes(&bytes, r, 17)); break; /* v128.const */
		case 0xfb:
			LB_TRY(engine_read_u32(&number, r));
			if (number <= 1 || (number >= 6 && number <= 8))
				LB_TRY(engine_read_u32(&type, r)); /* struct.new, array.new */
			if (number == 8)
				LB_TRY(engine_read_u32(&number, r)); /* how many */
			break;
		default: break; /* arithmetic, conversions */
		}
	}
	return LB_OK;
}

/* What cannot change is copied: the same expression gives it again. */
static lb_err write_globals(struct snapshot *s, struct lb_bytes body)
{
	struct engine_reader r = reader_of(s, body);
	uint32_t count, index = s->module->global_import_count;

	LB_TRY(engine_read_u32(&count, &r));
	put_leb(&s->body, count);
	for (uint32_t i = 0; i < count; i++, index++) {
		const unsigned char *start = r.at, *expression;
		struct lb_bytes type;
		uint8_t is_mutable;

		LB_TRY(skip_type(&r));
		type = (struct lb_bytes){ start, (size_t)(r.at - start) };
		LB_TRY(engine_read_byte(&is_mutable, &r));
		expression = r.at;
		LB_TRY(skip_expression(&r));
		lb_buf_add(&s->body, type);
		lb_buf_add_byte(&s->body, is_mutable);
		if (is_mutable != 0)
			LB_TRY(put_value(s, index, type));
		else
			lb_buf_add(&s->body,
			           (struct lb_bytes){ expression, (size_t)(r.at - expression) });
	}
	return LB_OK;
}

/* ---- exports ---- */

static bool is_dropped(const struct snapshot *s, struct lb_bytes name)
{
	for (size_t i = 0; i < s->options->drop_count; i++)
		if (lb_bytes_eq(s->options->drop[i], name))
			return true;
	for (size_t i = 0; i < s->options->rename_count; i++)
		if (lb_bytes_eq(s->options->renames[i].to, name) &&
		    !lb_bytes_eq(s->options->renames[i].from, name))
			return true;
	return false;
}

static struct lb_bytes renamed(const struct snapshot *s, struct lb_bytes name)
{
	for (size_t i = 0; i < s->options->rename_count; i++)
		if (lb_bytes_eq(s->options->renames[i].from, name))
			return s->options->renames[i].to;
	return name;
}

static lb_err write_exports(struct snapshot *s, struct lb_bytes body)
{
	struct engine_reader r = reader_of(s, body);
	uint32_t count, left = 0;

	LB_TRY(engine_read_u32(&count, &r));
	for (int pass = 0; pass < 2; pass++) {
		r = reader_of(s, body);
		LB_TRY(engine_read_u32(&count, &r));
		if (pass == 1)
			put_leb(&s->body, left);
		for (uint32_t i = 0; i < count; i++) {
			struct lb_bytes name;
			uint32_t index;
			uint8_t kind;

			LB_TRY(engine_read_name(&name, &r));
			LB_TRY(engine_read_byte(&kind, &r));
			LB_TRY(engine_read_u32(&index, &r));
			if (is_dropped(s, name))
				continue;
			left += pass == 0;
			if (pass == 0)
				continue;
			put_bytes(&s->body, renamed(s, name));
			lb_buf_add_byte(&s->body, kind);
			put_leb(&s->body, index);
		}
	}
	return LB_OK;
}

/* ---- data ---- */

static bool wide_zero(const unsigned char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof word);
	return word == 0;
}

/* The next run of bytes that is not zero, gaps below s->gap included; false at the end. */
static bool next_run(uint64_t *start, uint64_t *end, const struct snapshot *s,
                     const struct engine_memory *memory, uint64_t from)
{
	const unsigned char *base = engine_memory_base(memory);
	uint64_t size = engine_memory_size(memory), at = from, zeros = 0;

	while (at < size && base[at] == 0)
		at += at % 8 == 0 && at + 8 <= size && wide_zero(base + at) ? 8 : 1;
	*start = at;
	if (at == size)
		return false;
	for (*end = at; at < size && zeros < s->gap; at++) {
		zeros = base[at] == 0 ? zeros + 1 : 0;
		if (zeros == 0)
			*end = at + 1;
	}
	return true;
}

static uint32_t count_runs(const struct snapshot *s)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < s->module->memory_count; i++) {
		uint64_t start, end = 0;

		while (count <= SEGMENTS_MAX &&
		       next_run(&start, &end, s, s->instance->memories[i], end))
			count++;
	}
	return count;
}

static void put_runs(struct snapshot *s)
{
	for (uint32_t i = 0; i < s->module->memory_count; i++) {
		const struct engine_memory *memory = s->instance->memories[i];
		bool is_64 = engine_memory_type(memory).limits.is_64;
		uint64_t start, end = 0;

		while (next_run(&start, &end, s, memory, end)) {
			lb_buf_add_byte(&s->body, i == 0 ? 0 : 2);
			if (i > 0)
				put_leb(&s->body, i);
			/* i64.const or i32.const */
			lb_buf_add_byte(&s->body, is_64 ? 0x42 : 0x41);
			put_signed(&s->body, is_64 ? (int64_t)start : (int32_t)(uint32_t)start);
			lb_buf_add_byte(&s->body, BYTE_END);
			put_bytes(&s->body, (struct lb_bytes){ engine_memory_base(memory) + start,
			                                       (size_t)(end - start) });
		}
	}
}

static lb_err copy_segments(struct snapshot *s, struct lb_bytes body)
{
	struct engine_reader r = reader_of(s, body);
	uint32_t count, flags, memory, len;

	LB_TRY(engine_read_u32(&count, &r));
	for (uint32_t i = 0; i < count; i++) {
		struct lb_bytes bytes;

		LB_TRY(engine_read_u32(&flags, &r));
		if (flags == 2)
			LB_TRY(engine_read_u32(&memory, &r));
		if (flags != 1)
			LB_TRY(skip_expression(&r));
		LB_TRY(engine_read_u32(&len, &r));
		LB_TRY(engine_read_bytes(&bytes, &r, len));
		lb_buf_add_byte(&s->body, 1);
		put_bytes(&s->body, s->instance->data_dropped[i] ? (struct lb_bytes){ 0 } : bytes);
	}
	return LB_OK;
}

/* `body` is empty where the module has no such section. */
static lb_err write_data(struct snapshot *s, struct lb_bytes body)
{
	s->wrote_data = true;
	put_leb(&s->body, s->segment_count);
	if (body.len > 0)
		LB_TRY(copy_segments(s, body));
	put_runs(s);
	return LB_OK;
}

/* ---- tables ---- */

static bool constant_of(uint64_t *out, const struct snapshot *s, const struct engine_const *c)
{
	union engine_value value = { .i64 = 0 };

	if (c->kind == ENGINE_CONST_VALUE)
		value.i64 = c->value;
	else if (c->kind == ENGINE_CONST_GLOBAL_GET)
		value = engine_global_get(s->instance->globals[c->value]);
	else if (c->kind == ENGINE_CONST_REF_FUNC)
		value.func = s->instance->funcs[c->value];
	else
		return false;
	*out = value.i64;
	return true;
}

/* What the module's segments put into the table, at the beginning. */
static bool fill_expected(uint64_t *expected, const struct snapshot *s, uint32_t table)
{
	uint64_t size = s->module->tables[table].limits.min, start, fill;

	if (!constant_of(&fill, s, &s->module->table_inits[table]))
		return false;
	for (uint64_t i = 0; i < size; i++)
		expected[i] = fill;
	for (uint32_t i = 0; i < s->module->elem_count; i++) {
		const struct engine_form_elem *elem = &s->module->elems[i];

		if (elem->mode != ENGINE_SEGMENT_ACTIVE || elem->table != table)
			continue;
		if (!constant_of(&start, s, &elem->offset) ||
		    !engine_within(start, elem->count, size))
			return false;
		for (uint32_t k = 0; k < elem->count; k++)
			if (!constant_of(&expected[start + k], s, &elem->items[k]))
				return false;
	}
	return true;
}

static lb_err check_table(struct snapshot *s, uint32_t index)
{
	const struct engine_table *table = s->instance->tables[index];
	uint64_t size = s->module->tables[index].limits.min;
	uint64_t *expected;
	bool same;

	if (engine_table_size(table) != size)
		return unsupported(s, "what was put into table", index);
	if (size == 0)
		return LB_OK;
	expected = LB_NEW(s->out->mem, uint64_t, (size_t)size);
	if (expected == NULL)
		return lb_err_of(LB_E_NOMEM);
	same = fill_expected(expected, s, index);
	for (uint64_t i = 0; i < size && same; i++) {
		union engine_value value = { .i64 = 0 };

		same = !lb_failed(engine_table_get(&value, table, i)) && value.i64 == expected[i];
	}
	LB_DROP(s->out->mem, expected, (size_t)size);
	return same ? LB_OK : unsupported(s, "what was put into table", index);
}

/* ---- what can be kept ---- */

static lb_err check(struct snapshot *s)
{
	const struct engine_module *m = s->module;

	for (size_t i = 0; i < s->options->rename_count; i++)
		if (engine_form_find_export(m, s->options->renames[i].from) == NULL)
			return lb_fail(s->diag, LB_E_NOTFOUND, "there is no export \"%.*s\"",
			               LB_FMT(s->options->renames[i].from));
	if (m->memory_import_count > 0)
		return unsupported(s, "imported memory", 0);
	if (m->table_import_count > 0)
		return unsupported(s, "imported table", 0);
	for (uint32_t i = 0; i < m->global_import_count; i++)
		if (m->globals[i].type.is_mutable)
			return unsupported(s, "imported mutable global", i);
	for (uint32_t i = 0; i < m->elem_count; i++)
		if (m->elems[i].mode == ENGINE_SEGMENT_PASSIVE && s->instance->elem_dropped[i])
			return unsupported(s, "the dropping of element segment", i);
	for (uint32_t i = 0; i < m->table_count; i++)
		LB_TRY(check_table(s, i));
	return LB_OK;
}

/* ---- the whole ---- */

typedef lb_err (*write_section)(struct snapshot *s, struct lb_bytes body);

static lb_err rewrite(struct snapshot *s, uint8_t id, struct lb_bytes body, write_section how)
{
	lb_buf_reset(&s->body);
	LB_TRY(how(s, body));
	LB_TRY(lb_buf_check(&s->body));
	put_section(s, id, lb_buf_bytes(&s->body));
	return LB_OK;
}

static lb_err write_count(struct snapshot *s, struct lb_bytes body)
{
	(void)body;
	put_leb(&s->body, s->segment_count);
	return LB_OK;
}

static lb_err write_one(struct snapshot *s, uint8_t id, struct lb_bytes body)
{
	static const write_section writers[SECTION_IDS] = {
		[SECTION_MEMORY] = write_memories, [SECTION_GLOBAL] = write_globals,
		[SECTION_EXPORT] = write_exports,  [SECTION_DATA_COUNT] = write_count,
		[SECTION_DATA] = write_data,
	};

	if (id == SECTION_START)
		return LB_OK;
	if (id < SECTION_IDS && writers[id] != NULL)
		return rewrite(s, id, body, writers[id]);
	put_section(s, id, body);
	return LB_OK;
}

static lb_err write_all(struct snapshot *s)
{
	struct engine_reader r = reader_of(s, s->bytes);
	struct lb_bytes head;

	LB_TRY(engine_read_bytes(&head, &r, 8));
	lb_buf_add(s->out, head);
	while (r.at < r.end) {
		struct lb_bytes body;
		uint32_t size;
		uint8_t id;

		LB_TRY(engine_read_byte(&id, &r));
		LB_TRY(engine_read_u32(&size, &r));
		LB_TRY(engine_read_bytes(&body, &r, size));
		LB_TRY(write_one(s, id, body));
	}
	if (!s->wrote_data && s->segment_count > 0)
		LB_TRY(rewrite(s, SECTION_DATA, (struct lb_bytes){ 0 }, write_data));
	return lb_buf_check(s->out);
}

lb_err engine_snapshot_write(struct lb_buf *out, struct lb_bytes bytes,
                             const struct engine_instance *instance,
                             const struct engine_snapshot_options *options, struct lb_diag *diag)
{
	static const struct engine_snapshot_options nothing = { 0 };
	struct snapshot s = { .out = out,
		              .bytes = bytes,
		              .instance = instance,
		              .module = instance->module,
		              .options = options != NULL ? options : &nothing,
		              .diag = diag,
		              .gap = GAP_MIN };
	lb_err err;

	LB_TRY(check(&s));
	while (count_runs(&s) > SEGMENTS_MAX)
		s.gap *= 4;
	s.segment_count = s.module->data_count + count_runs(&s);
	lb_buf_init(&s.body, out->mem, out->bytes_max);
	err = write_all(&s);
	lb_buf_release(&s.body);
	return err;
}
