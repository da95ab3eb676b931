/* type.c - see type.h. */
#include "engine/type.h"

const char *engine_type_text(engine_type type)
{
	switch (type) {
	case ENGINE_I32: return "i32";
	case ENGINE_I64: return "i64";
	case ENGINE_F32: return "f32";
	case ENGINE_F64: return "f64";
	case ENGINE_FUNCREF: return "funcref";
	case ENGINE_EXTERNREF: return "externref";
	default: return "any";
	}
}

const char *engine_kind_text(enum engine_kind kind)
{
	switch (kind) {
	case ENGINE_FUNC: return "function";
	case ENGINE_TABLE: return "table";
	case ENGINE_MEMORY: return "memory";
	case ENGINE_GLOBAL: return "global";
	}
	return "thing";
}

static bool types_eq(const engine_type *a, const engine_type *b, uint32_t count)
{
	return count == 0 || memcmp(a, b, count * sizeof *a) == 0;
}

bool engine_func_type_eq(const struct engine_func_type *a, const struct engine_func_type *b)
{
	return a->param_count == b->param_count && a->result_count == b->result_count &&
	       types_eq(a->params, b->params, a->param_count) &&
	       types_eq(a->results, b->results, a->result_count);
}
