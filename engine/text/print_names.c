/* print_names.c - the "name" section, and the identifiers that are made of it. */
#include "engine/text/print_priv.h"

#include "base/text.h"

enum { NAMES_MAX = 1 << 24 };

/* ---- identifiers ---- */

static bool is_plain(struct lb_bytes name)
{
	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = name.at[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"(),;[]{}", c) != NULL)
			return false;
	}
	return name.len > 0;
}

void engine_print_id(struct printer *p, struct lb_bytes id)
{
	lb_buf_add_byte(p->out, '$');
	if (is_plain(id))
		lb_buf_add(p->out, id);
	else
		engine_print_string(p, id);
}

/* Of two that are called the same, the second gets its index behind its name. */
static lb_err make_id(struct print_name *out, struct printer *p, struct lb_map *taken,
                      struct lb_bytes name, uint32_t index)
{
	struct lb_bytes id = name;

	out->name = name;
	for (unsigned i = 0; id.len > 0 && lb_map_get(taken, id) != NULL; i++) {
		id = lb_arena_format(&p->arena, "%.*s#%u%.*s", LB_FMT(name), index, (int)i,
		                     "################");
		if (p->arena.failed)
			return lb_err_of(LB_E_NOMEM);
		if (i == 16)
			return LB_OK;
	}
	if (id.len == 0)
		return LB_OK;
	out->id = id;
	return lb_map_put(taken, id, p);
}

/* ---- reading ---- */

static lb_err read_map(struct printer *p, struct engine_reader *r, enum print_space space)
{
	uint32_t count = 0, index = 0;
	struct lb_map taken;
	lb_err err;

	LB_TRY(engine_read_count(&count, r, 2, NAMES_MAX, "names"));
	lb_map_init(&taken, p->mem);
	err = LB_OK;
	for (uint32_t i = 0; i < count && !lb_failed(err); i++) {
		struct lb_bytes name = { 0 };

		err = engine_read_u32(&index, r);
		if (!lb_failed(err))
			err = engine_read_name(&name, r);
		if (!lb_failed(err) && index < p->counts[space] &&
		    p->names[space][index].name.at == NULL)
			err = make_id(&p->names[space][index], p, &taken, name, index);
	}
	lb_map_release(&taken);
	return err;
}

static lb_err read_inner(struct lb_vec *out, struct printer *p, struct engine_reader *r,
                         struct lb_map *taken, uint32_t outer)
{
	uint32_t count = 0, index = 0;

	LB_TRY(engine_read_count(&count, r, 2, NAMES_MAX, "names"));
	for (uint32_t i = 0; i < count; i++) {
		struct print_inner *inner;
		struct lb_bytes name;

		LB_TRY(engine_read_u32(&index, r));
		LB_TRY(engine_read_name(&name, r));
		inner = lb_vec_add(out);
		if (inner == NULL)
			return lb_vec_check(out);
		inner->outer = outer;
		inner->inner = index;
		LB_TRY(make_id(&inner->name, p, taken, name, index));
	}
	return LB_OK;
}

static lb_err read_indirect(struct lb_vec *out, struct printer *p, struct engine_reader *r)
{
	uint32_t count = 0, outer = 0;

	LB_TRY(engine_read_count(&count, r, 2, NAMES_MAX, "names"));
	for (uint32_t i = 0; i < count; i++) {
		struct lb_map taken;
		lb_err err;

		LB_TRY(engine_read_u32(&outer, r));
		lb_map_init(&taken, p->mem);
		err = read_inner(out, p, r, &taken, outer);
		lb_map_release(&taken);
		LB_TRY(err);
	}
	return LB_OK;
}

static lb_err read_part(struct printer *p, struct engine_reader *r, unsigned id)
{
	static const uint8_t spaces[] = {
		[1] = PRINT_FUNC,   [4] = PRINT_TYPE, [5] = PRINT_TABLE, [6] = PRINT_MEMORY,
		[7] = PRINT_GLOBAL, [8] = PRINT_ELEM, [9] = PRINT_DATA,  [11] = PRINT_TAG
	};

	if (id == 0)
		return engine_read_name(&p->module_name, r);
	if (id == 2)
		return read_indirect(&p->locals, p, r);
	if (id == 3)
		return read_indirect(&p->labels, p, r);
	if (id == 10)
		return read_indirect(&p->fields, p, r);
	if (id < sizeof spaces)
		return read_map(p, r, (enum print_space)spaces[id]);
	return LB_OK;
}

static bool is_rising(const struct lb_vec *names)
{
	for (size_t i = 1; i < names->count; i++) {
		const struct print_inner *a = LB_VEC_AT(names, struct print_inner, i - 1),
					 *b = a + 1;

		if (a->outer > b->outer || (a->outer == b->outer && a->inner >= b->inner))
			return false;
	}
	return true;
}

static lb_err read_parts(struct printer *p, struct engine_reader *section)
{
	while (engine_reader_left(section) > 0) {
		struct engine_reader part = *section;
		struct lb_bytes bytes;
		uint32_t size = 0;
		uint8_t id = 0;

		LB_TRY(engine_read_byte(&id, section));
		LB_TRY(engine_read_u32(&size, section));
		LB_TRY(engine_read_bytes(&bytes, section, size));
		part.at = bytes.at;
		part.end = bytes.at + bytes.len;
		LB_TRY(read_part(p, &part, id));
	}
	return LB_OK;
}

lb_err engine_print_read_names(struct printer *p, struct engine_reader section)
{
	lb_err err;

	section.diag = NULL;
	err = read_parts(p, &section);
	if (!is_rising(&p->locals))
		p->locals.count = 0;
	if (!is_rising(&p->labels))
		p->labels.count = 0;
	if (!is_rising(&p->fields))
		p->fields.count = 0;
	return lb_code_of(err) == LB_E_NOMEM ? err : LB_OK;
}

/* ---- finding ---- */

/* The first that is not before (outer, inner); the count where there is none. */
static size_t lower_bound(const struct lb_vec *names, uint32_t outer, uint32_t inner)
{
	size_t low = 0, high = names->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct print_inner *at = LB_VEC_AT(names, struct print_inner, middle);

		if (at->outer < outer || (at->outer == outer && at->inner < inner))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool engine_print_has_names(const struct lb_vec *names, uint32_t outer)
{
	size_t at = lower_bound(names, outer, 0);

	return at < names->count && LB_VEC_AT(names, struct print_inner, at)->outer == outer;
}

static const struct print_inner *find(const struct lb_vec *names, uint32_t outer, uint32_t inner)
{
	size_t index = lower_bound(names, outer, inner);
	const struct print_inner *at;

	if (index == names->count)
		return NULL;
	at = LB_VEC_AT(names, struct print_inner, index);
	return at->outer == outer && at->inner == inner ? at : NULL;
}

bool engine_print_is_named(const struct lb_vec *names, uint32_t outer, uint32_t inner)
{
	return find(names, outer, inner) != NULL;
}

/* Labels may be called the same: the innermost is meant then. */
struct lb_bytes engine_print_label_name(const struct printer *p, uint32_t label)
{
	const struct print_inner *found = find(&p->labels, p->func, label);

	return found != NULL && found->name.name.len > 0 ? found->name.name
	                                                 : (struct lb_bytes){ 0 };
}

static void bind(struct printer *p, const struct print_name *name)
{
	if (name->id.at != NULL) {
		engine_print_text(p, " ");
		engine_print_id(p, name->id);
	}
	if (name->name.at == NULL || lb_bytes_eq(name->id, name->name))
		return;
	engine_print_text(p, " (@name ");
	engine_print_string(p, name->name);
	engine_print_text(p, ")");
}

void engine_print_binding(struct printer *p, enum print_space space, uint32_t index)
{
	if (index < p->counts[space])
		bind(p, &p->names[space][index]);
	print_fmt(p, " (;%u;)", index);
}

void engine_print_index(struct printer *p, enum print_space space, uint32_t index)
{
	if (index < p->counts[space] && p->names[space][index].id.at != NULL) {
		engine_print_text(p, " ");
		engine_print_id(p, p->names[space][index].id);
		return;
	}
	print_fmt(p, " %u", index);
}

void engine_print_inner_binding(struct printer *p, const struct lb_vec *names, uint32_t outer,
                                uint32_t inner)
{
	const struct print_inner *found = find(names, outer, inner);

	if (found != NULL)
		bind(p, &found->name);
}

void engine_print_inner_index(struct printer *p, const struct lb_vec *names, uint32_t outer,
                              uint32_t inner)
{
	const struct print_inner *found = find(names, outer, inner);

	if (found == NULL || found->name.id.at == NULL) {
		print_fmt(p, " %u", inner);
		return;
	}
	engine_print_text(p, " ");
	engine_print_id(p, found->name.id);
}
