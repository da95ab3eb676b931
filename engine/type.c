/* type.c - see type.h. */
#include "engine/type.h"

#include <stdio.h>

const char *engine_type_text(engine_type type)
{
	switch (type & 0xff) {
	case ENGINE_I32: return "i32";
	case ENGINE_I64: return "i64";
	case ENGINE_F32: return "f32";
	case ENGINE_F64: return "f64";
	case ENGINE_V128: return "v128";
	case ENGINE_I8: return "i8";
	case ENGINE_I16: return "i16";
	case ENGINE_NULLEXNREF: return "nullexnref";
	case ENGINE_NULLFUNCREF: return "nullfuncref";
	case ENGINE_NULLEXTERNREF: return "nullexternref";
	case ENGINE_NULLREF: return "nullref";
	case ENGINE_FUNCREF: return "funcref";
	case ENGINE_EXTERNREF: return "externref";
	case ENGINE_ANYREF: return "anyref";
	case ENGINE_EQREF: return "eqref";
	case ENGINE_I31REF: return "i31ref";
	case ENGINE_STRUCTREF: return "structref";
	case ENGINE_ARRAYREF: return "arrayref";
	case ENGINE_EXNREF: return "exnref";
	case ENGINE_REF: return "ref";
	default: return "any";
	}
}

/* The heap type of a reference without an index: "func" of funcref, "none" of nullref. */
static const char *heap_text(engine_type type)
{
	switch (type & 0xff) {
	case ENGINE_NULLEXNREF: return "noexn";
	case ENGINE_NULLFUNCREF: return "nofunc";
	case ENGINE_NULLEXTERNREF: return "noextern";
	case ENGINE_NULLREF: return "none";
	case ENGINE_FUNCREF: return "func";
	case ENGINE_EXTERNREF: return "extern";
	case ENGINE_ANYREF: return "any";
	case ENGINE_EQREF: return "eq";
	case ENGINE_I31REF: return "i31";
	case ENGINE_STRUCTREF: return "struct";
	case ENGINE_ARRAYREF: return "array";
	default: return "exn";
	}
}

struct engine_type_name engine_type_name(engine_type type)
{
	struct engine_type_name name;
	const char *null = engine_type_is_null(type) ? "null " : "";

	if (engine_type_has_index(type))
		(void)snprintf(name.text, sizeof name.text, "(ref %s%u)", null,
		               engine_type_index(type));
	else if (engine_type_is_ref(type) && !engine_type_is_null(type))
		(void)snprintf(name.text, sizeof name.text, "(ref %s)", heap_text(type));
	else
		(void)snprintf(name.text, sizeof name.text, "%s", engine_type_text(type));
	return name;
}

const char *engine_kind_text(enum engine_kind kind)
{
	switch (kind) {
	case ENGINE_FUNC: return "function";
	case ENGINE_TABLE: return "table";
	case ENGINE_MEMORY: return "memory";
	case ENGINE_GLOBAL: return "global";
	case ENGINE_TAG: return "tag";
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
