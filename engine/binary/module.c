/* module.c - questions to a decoded module. */
#include "engine/form.h"

struct engine_extern_type engine_form_extern_type(const struct engine_module *module,
                                                  enum engine_kind kind, uint32_t index)
{
	struct engine_extern_type type = { .kind = kind };

	switch (kind) {
	case ENGINE_FUNC: type.func = *engine_form_func_type(module, index); break;
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
