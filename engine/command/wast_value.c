/* wast_value.c - see wast_priv.h. */
#include "engine/command/wast_priv.h"

#include <inttypes.h>
#include <stdio.h>

/* A host's reference N is the pointer N + 1, so that 0 is not null. */
static void *foreign_of(const struct engine_script_value *value)
{
	return (void *)((uintptr_t)value->lanes[0].bits + 1);
}

static void vector_of(union engine_value *out, const struct engine_script_value *value)
{
	unsigned char *to = (unsigned char *)out->v128;

	for (unsigned i = 0; i < value->lane_count; i++)
		memcpy(to + i * (value->lane_bits / 8), &value->lanes[i].bits,
		       value->lane_bits / 8);
}

void engine_wast_value(union engine_value *out, struct engine_store *store,
                       const struct engine_script_value *value, engine_type type)
{
	(void)store;
	*out = (union engine_value){ .v128 = { 0, 0 } };
	switch (value->kind) {
	case ENGINE_SCRIPT_I32:
	case ENGINE_SCRIPT_F32: out->i32 = (uint32_t)value->lanes[0].bits; break;
	case ENGINE_SCRIPT_I64:
	case ENGINE_SCRIPT_F64: out->i64 = value->lanes[0].bits; break;
	case ENGINE_SCRIPT_V128: vector_of(out, value); break;
	case ENGINE_SCRIPT_EXTERN:
	case ENGINE_SCRIPT_HOST:
		out->i64 = (uintptr_t)foreign_of(value);
		/* A host's reference of the any hierarchy has come in from outside. */
		if (!engine_type_is_extern(type))
			*out = engine_value_convert(*out);
		break;
	case ENGINE_SCRIPT_NULL:
	case ENGINE_SCRIPT_REF:
	case ENGINE_SCRIPT_EITHER: break;
	}
}

/* ---- results ---- */

/* Canonical: the payload is the top bit alone.  Arithmetic: the top bit, and whatever else. */
static bool nan_fits(uint64_t bits, unsigned width, enum engine_script_pattern pattern)
{
	uint64_t exponent = width == 32 ? UINT64_C(0x7f800000) : UINT64_C(0x7ff0000000000000);
	uint64_t top = width == 32 ? UINT64_C(0x400000) : UINT64_C(0x8000000000000);

	if ((bits & exponent) != exponent || (bits & top) == 0)
		return false;
	return pattern == ENGINE_SCRIPT_ARITHMETIC || (bits & (top - 1)) == 0;
}

static bool lane_fits(uint64_t bits, unsigned width, const struct engine_script_lane *want)
{
	return want->pattern == ENGINE_SCRIPT_EXACT ? bits == want->bits
	                                            : nan_fits(bits, width, want->pattern);
}

static bool is_number(engine_type type, enum engine_script_value_kind kind)
{
	static const engine_type types[] = { [ENGINE_SCRIPT_I32] = ENGINE_I32,
		                             [ENGINE_SCRIPT_I64] = ENGINE_I64,
		                             [ENGINE_SCRIPT_F32] = ENGINE_F32,
		                             [ENGINE_SCRIPT_F64] = ENGINE_F64 };

	return kind <= ENGINE_SCRIPT_F64 && type == types[kind];
}

static bool vector_fits(union engine_value got, const struct engine_script_value *want)
{
	const unsigned char *from = (const unsigned char *)got.v128;

	for (unsigned i = 0; i < want->lane_count; i++) {
		uint64_t bits = 0, mask = UINT64_MAX >> (64 - want->lane_bits);

		memcpy(&bits, from + i * (want->lane_bits / 8), want->lane_bits / 8);
		if (want->lanes[i].pattern == ENGINE_SCRIPT_EXACT
		            ? bits != (want->lanes[i].bits & mask)
		            : !nan_fits(bits, want->lane_bits, want->lanes[i].pattern))
			return false;
	}
	return true;
}

/* (ref.func), (ref.struct) and the like: a reference of that heap type, not null. */
static bool heap_fits(union engine_value got, engine_type type, struct lb_bytes heap)
{
	bool external = engine_type_is_extern(type);
	enum engine_ref_kind kind;

	if (got.ref == 0)
		return false;
	if (heap.len == 0 || engine_type_is_abstract_func(type) || lb_bytes_is(heap, "func") ||
	    lb_bytes_is(heap, "exn"))
		return true;
	if (lb_bytes_is(heap, "extern"))
		return external;
	kind = engine_value_ref_kind(external ? engine_value_convert(got) : got);
	if (lb_bytes_is(heap, "any"))
		return true;
	if (lb_bytes_is(heap, "eq"))
		return kind != ENGINE_REF_FOREIGN;
	if (lb_bytes_is(heap, "i31"))
		return kind == ENGINE_REF_I31;
	if (lb_bytes_is(heap, "struct"))
		return kind == ENGINE_REF_STRUCT;
	return lb_bytes_is(heap, "array") && kind == ENGINE_REF_ARRAY;
}

static bool one_fits(union engine_value got, engine_type type,
                     const struct engine_script_value *want)
{
	if (is_number(type, want->kind))
		return lane_fits(want->lane_bits == 32 ? got.i32 : got.i64, want->lane_bits,
		                 &want->lanes[0]);
	if (want->kind == ENGINE_SCRIPT_V128)
		return type == ENGINE_V128 && vector_fits(got, want);
	if (!engine_type_is_ref(type))
		return false;
	if (want->kind == ENGINE_SCRIPT_NULL)
		return got.ref == 0;
	if (want->kind == ENGINE_SCRIPT_EXTERN || want->kind == ENGINE_SCRIPT_HOST) {
		if (want->has_number && !engine_type_is_extern(type))
			got = engine_value_convert(got);
		return want->has_number ? got.ref == (uintptr_t)foreign_of(want) : got.ref != 0;
	}
	return want->kind == ENGINE_SCRIPT_REF && heap_fits(got, type, want->heap);
}

bool engine_wast_fits(union engine_value got, engine_type type,
                      const struct engine_script_value *want)
{
	if (want->kind != ENGINE_SCRIPT_EITHER)
		return one_fits(got, type, want);
	for (uint32_t i = 0; i < want->choice_count; i++)
		if (engine_wast_fits(got, type, &want->choices[i]))
			return true;
	return false;
}

void engine_wast_show(char out[ENGINE_WAST_VALUE_SIZE], union engine_value value, engine_type type)
{
	const struct engine_type_name own = engine_type_name(type);
	const char *name = own.text;

	if (type == ENGINE_I32 || type == ENGINE_F32)
		(void)snprintf(out, ENGINE_WAST_VALUE_SIZE, "%s 0x%" PRIx32, name, value.i32);
	else if (type == ENGINE_V128)
		(void)snprintf(out, ENGINE_WAST_VALUE_SIZE, "v128 0x%016" PRIx64 "%016" PRIx64,
		               value.v128[1], value.v128[0]);
	else if (engine_type_is_ref(type) && value.ref == 0)
		(void)snprintf(out, ENGINE_WAST_VALUE_SIZE, "%s null", name);
	else
		(void)snprintf(out, ENGINE_WAST_VALUE_SIZE, "%s 0x%" PRIx64, name, value.i64);
}

bool engine_wast_is_exception(lb_err err) { return engine_trap_of(err) == ENGINE_TRAP_EXCEPTION; }

/* ---- the host module ---- */

static lb_err print(void *ctx, struct engine_instance *caller, const union engine_value *args,
                    union engine_value *results)
{
	(void)ctx, (void)caller, (void)args, (void)results;
	return LB_OK;
}

static lb_err add_functions(struct engine_linker *linker)
{
	static const struct {
		const char *name, *signature;
	} functions[] = {
		{ "print", ":" },           { "print_i32", "i:" }, { "print_i64", "I:" },
		{ "print_f32", "f:" },      { "print_f64", "F:" }, { "print_i32_f32", "if:" },
		{ "print_f64_f64", "FF:" },
	};

	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
		LB_TRY(engine_linker_add_func(linker, LB_B("spectest"),
		                              lb_bytes_of(functions[i].name),
		                              functions[i].signature, print, NULL));
	return LB_OK;
}

static lb_err add_globals(struct engine_linker *linker, struct engine_store *store)
{
	static const struct {
		const char *name;
		engine_type type;
		union engine_value value;
	} globals[] = {
		{ "global_i32", ENGINE_I32, { .i32 = 666 } },
		{ "global_i64", ENGINE_I64, { .i64 = 666 } },
		{ "global_f32", ENGINE_F32, { .f32 = 666.6f } },
		{ "global_f64", ENGINE_F64, { .f64 = 666.6 } },
	};
	struct engine_extern what = { .kind = ENGINE_GLOBAL };

	for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++) {
		const struct engine_global_type type = { globals[i].type, false };

		LB_TRY(engine_global_new(&what.global, store, &type, globals[i].value));
		LB_TRY(engine_linker_add(linker, LB_B("spectest"), lb_bytes_of(globals[i].name),
		                         what));
	}
	return LB_OK;
}

static lb_err add_memory(struct engine_linker *linker, struct engine_store *store, const char *name,
                         const struct engine_memory_type *type)
{
	struct engine_extern what = { .kind = ENGINE_MEMORY };

	LB_TRY(engine_memory_new(&what.memory, store, type));
	return engine_linker_add(linker, LB_B("spectest"), lb_bytes_of(name), what);
}

static lb_err add_table(struct engine_linker *linker, struct engine_store *store, const char *name,
                        const struct engine_table_type *type)
{
	struct engine_extern what = { .kind = ENGINE_TABLE };

	LB_TRY(engine_table_new(&what.table, store, type, (union engine_value){ .i64 = 0 }));
	return engine_linker_add(linker, LB_B("spectest"), lb_bytes_of(name), what);
}

lb_err engine_wast_add_spectest(struct engine_linker *linker, struct engine_store *store)
{
	const struct engine_memory_type memory = { .limits = {
							   .min = 1, .max = 2, .has_max = true } };
	const struct engine_table_type table = {
		.element = ENGINE_FUNCREF, .limits = { .min = 10, .max = 20, .has_max = true }
	};

	const struct engine_memory_type shared = {
		.limits = { .min = 1, .max = 2, .has_max = true, .is_shared = true }
	};
	const struct engine_table_type table64 = {
		.element = ENGINE_FUNCREF,
		.limits = { .min = 10, .max = 20, .has_max = true, .is_64 = true }
	};

	LB_TRY(add_functions(linker));
	LB_TRY(add_globals(linker, store));
	LB_TRY(add_memory(linker, store, "memory", &memory));
	LB_TRY(add_memory(linker, store, "shared_memory", &shared));
	LB_TRY(add_table(linker, store, "table64", &table64));
	return add_table(linker, store, "table", &table);
}
