/* emit.c - a parsed module's sections, put together in their order. */
#include "engine/text/parse_priv.h"

/* By rank (see custom.c). */
static const uint8_t section_of[] = { 0,
	                              SECTION_TYPE,
	                              SECTION_IMPORT,
	                              SECTION_FUNC,
	                              SECTION_TABLE,
	                              SECTION_MEMORY,
	                              SECTION_TAG,
	                              SECTION_GLOBAL,
	                              SECTION_EXPORT,
	                              SECTION_START,
	                              SECTION_ELEM,
	                              SECTION_DATA_COUNT,
	                              SECTION_CODE,
	                              SECTION_DATA };

enum { RANKS = sizeof section_of };

static_assert(2 * RANKS + 1 == PARSE_LAST, "the last place is after all sections");

static size_t u32_size(uint64_t value)
{
	size_t size = 1;

	for (; value >= 0x80; value >>= 7)
		size++;
	return size;
}

static void emit_customs(struct lb_buf *out, const struct parser *p, unsigned place)
{
	for (size_t i = 0; i < p->customs.count; i++) {
		const struct custom *custom = LB_VEC_AT(&p->customs, struct custom, i);

		if (custom->place != place)
			continue;
		lb_buf_add_byte(out, SECTION_CUSTOM);
		engine_encode_u64(out, u32_size(custom->name.len) + custom->name.len +
		                               custom->content.len);
		engine_encode_bytes(out, custom->name);
		lb_buf_add(out, custom->content);
	}
}

static void emit_counted(struct lb_buf *out, unsigned section, uint32_t count,
                         struct lb_bytes content)
{
	lb_buf_add_byte(out, (unsigned char)section);
	engine_encode_u64(out, u32_size(count) + content.len);
	engine_encode_u32(out, count);
	lb_buf_add(out, content);
}

static void emit_hints(struct lb_buf *out, const struct parser *p)
{
	static const struct lb_bytes name = LB_LIT("metadata.code.branch_hint");

	if (p->hint_funcs == 0)
		return;
	lb_buf_add_byte(out, SECTION_CUSTOM);
	engine_encode_u64(out,
	                  u32_size(name.len) + name.len + u32_size(p->hint_funcs) + p->hints.len);
	engine_encode_bytes(out, name);
	engine_encode_u32(out, p->hint_funcs);
	lb_buf_add(out, lb_buf_bytes(&p->hints));
}

static void emit_section(struct lb_buf *out, struct parser *p, unsigned section)
{
	struct lb_bytes content = lb_buf_bytes(&p->sections[section]);

	if (section == SECTION_CODE)
		emit_hints(out, p);
	if (section == SECTION_START && p->has_start) {
		lb_buf_add_byte(out, SECTION_START);
		engine_encode_bytes(out, content);
	} else if (section == SECTION_DATA_COUNT && p->needs_data_count) {
		lb_buf_add_byte(out, SECTION_DATA_COUNT);
		engine_encode_u64(out, u32_size(p->names[SPACE_DATA].count));
		engine_encode_u32(out, p->names[SPACE_DATA].count);
	} else if (p->counts[section] > 0) {
		emit_counted(out, section, p->counts[section], content);
	}
}

/* ---- names ---- */

static void name_part(struct lb_buf *out, unsigned id, uint32_t count, const struct lb_buf *content)
{
	if (count > 0)
		emit_counted(out, id, count, lb_buf_bytes(content));
}

/* ORDER: subsections by their numbers. */
static void emit_names(struct lb_buf *out, struct parser *p)
{
	static const struct {
		uint8_t id, space;
	} behind_locals[] = { { 4, SPACE_TYPE },   { 5, SPACE_TABLE }, { 6, SPACE_MEMORY },
		              { 7, SPACE_GLOBAL }, { 8, SPACE_ELEM },  { 9, SPACE_DATA } };
	const struct names *names = p->names;
	struct lb_buf *content = &p->body;

	lb_buf_reset(content);
	if (p->module_name.at != NULL) {
		lb_buf_add_byte(content, 0);
		engine_encode_u64(content, u32_size(p->module_name.len) + p->module_name.len);
		engine_encode_bytes(content, p->module_name);
	}
	name_part(content, 1, names[SPACE_FUNC].section_count, &names[SPACE_FUNC].section);
	name_part(content, 2, p->local_names_count, &p->local_names);
	name_part(content, 3, p->label_names_count, &p->label_names);
	for (size_t i = 0; i < sizeof behind_locals / sizeof behind_locals[0]; i++)
		name_part(content, behind_locals[i].id, names[behind_locals[i].space].section_count,
		          &names[behind_locals[i].space].section);
	name_part(content, 10, p->field_names_count, &p->field_names);
	name_part(content, 11, names[SPACE_TAG].section_count, &names[SPACE_TAG].section);
	if (content->len == 0)
		return;
	lb_buf_add_byte(out, SECTION_CUSTOM);
	engine_encode_u64(out, 5 + content->len);
	engine_encode_bytes(out, LB_B("name"));
	lb_buf_add(out, lb_buf_bytes(content));
}

/* ---- all ---- */

static lb_err check_all(const struct parser *p)
{
	for (unsigned i = 0; i < SECTION_COUNT; i++)
		LB_TRY(lb_buf_check(&p->sections[i]));
	for (unsigned i = 0; i < SPACE_COUNT; i++)
		LB_TRY(lb_buf_check(&p->names[i].section));
	LB_TRY(lb_buf_check(&p->local_names));
	LB_TRY(lb_buf_check(&p->label_names));
	LB_TRY(lb_buf_check(&p->field_names));
	LB_TRY(lb_buf_check(&p->hints));
	return lb_buf_check(&p->body);
}

lb_err engine_parse_emit(struct lb_buf *out, struct parser *p)
{
	lb_buf_add(out, LB_B("\0asm\1\0\0\0"));
	for (unsigned rank = 0; rank < RANKS; rank++) {
		emit_customs(out, p, 2 * rank);
		emit_section(out, p, section_of[rank]);
		emit_customs(out, p, 2 * rank + 1);
	}
	emit_customs(out, p, PARSE_LAST - 1);
	emit_names(out, p);
	emit_customs(out, p, PARSE_LAST);
	LB_TRY(check_all(p));
	return lb_buf_check(out);
}
