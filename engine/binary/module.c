/* module.c - questions to a decoded module. */
#include "engine/binary/reader.h"
#include "engine/form.h"

struct engine_extern_type engine_form_extern_type(const struct engine_module *module,
                                                  enum engine_kind kind, uint32_t index)
{
	struct engine_extern_type type = { .kind = kind };

	switch (kind) {
	case ENGINE_FUNC:
		type.type_index = module->func_types[index];
		type.func = *engine_form_func_type(module, index);
		break;
	case ENGINE_TAG:
		type.type_index = module->tag_types[index];
		type.func = module->types.at[type.type_index]->func;
		break;
	case ENGINE_TABLE: type.table = module->tables[index]; break;
	case ENGINE_MEMORY: type.memory = module->memories[index]; break;
	case ENGINE_GLOBAL: type.global = module->globals[index].type; break;
	}
	return type;
}

uint32_t engine_module_import_count(const struct engine_module *module)
{
	return module->import_count;
}

uint32_t engine_module_export_count(const struct engine_module *module)
{
	return module->export_count;
}

void engine_module_import(struct engine_import *out, const struct engine_module *module,
                          uint32_t index)
{
	const struct engine_form_import *import = &module->imports[index];

	assert(index < module->import_count);
	out->module = import->module;
	out->name = import->name;
	out->type = engine_form_extern_type(module, import->kind, import->index);
}

void engine_module_export(struct engine_export *out, const struct engine_module *module,
                          uint32_t index)
{
	const struct engine_form_export *export = &module->exports[index];

	assert(index < module->export_count);
	out->name = export->name;
	out->type = engine_form_extern_type(module, export->kind, export->index);
}

const struct engine_body *engine_form_body_at(const struct engine_module *module,
                                              const union engine_cell *pc)
{
	uint32_t low = 0, high = module->func_count - module->func_import_count;

	if (pc < module->cells || pc > module->cells + module->cell_count)
		return NULL;
	while (low + 1 < high) {
		uint32_t middle = low + (high - low) / 2;

		if (module->bodies[middle].start < pc)
			low = middle;
		else
			high = middle;
	}
	/* A return address can stand right behind the last instruction. */
	if (high > 0 && module->bodies[low].start < pc &&
	    pc <= module->bodies[low].start + module->bodies[low].size)
		return &module->bodies[low];
	for (const struct engine_body *body = module->const_bodies; body != NULL; body = body->next)
		if (body->start < pc && pc <= body->start + body->size)
			return body;
	return NULL;
}

/* ---- names ---- */

static bool find_subsection(struct engine_reader *out, const struct engine_module *module,
                            uint8_t wanted)
{
	const struct engine_form_custom *custom = module->customs;
	struct engine_reader r;

	while (custom != NULL && !lb_bytes_is(custom->name, "name"))
		custom = custom->next;
	if (custom == NULL)
		return false;
	r = (struct engine_reader){ .at = custom->bytes.at,
		                    .end = custom->bytes.at + custom->bytes.len,
		                    .origin = custom->bytes.at,
		                    .module_end = custom->bytes.at + custom->bytes.len,
		                    .end_text = "" };
	for (;;) {
		uint32_t size = 0;
		uint8_t id = 0;

		if (lb_failed(engine_read_byte(&id, &r)) || lb_failed(engine_read_u32(&size, &r)) ||
		    size > engine_reader_left(&r))
			return false;
		*out = r;
		out->end = r.at + size;
		if (id == wanted)
			return true;
		r.at += size;
	}
}

struct lb_bytes engine_form_func_name(const struct engine_module *module, uint32_t func)
{
	struct lb_bytes name = { 0 }, none = { 0 };
	struct engine_reader r;
	uint32_t count = 0, index = 0;

	if (!find_subsection(&r, module, 1) || lb_failed(engine_read_u32(&count, &r)))
		return none;
	while (count-- > 0 && !lb_failed(engine_read_u32(&index, &r)) &&
	       !lb_failed(engine_read_name(&name, &r)))
		if (index == func)
			return name;
	return none;
}
