/* object.c - instructions on structures, arrays, small integers, and references in general. */
#include "engine/interpret/helper.h"
#include "engine/runtime/object.h"

static uint64_t ref_of(const struct engine_object *object) { return (uintptr_t)object; }

static struct engine_object *object_of(uint64_t ref)
{
	return (struct engine_object *)(uintptr_t)ref;
}

static const struct engine_def_type *def_of(const struct engine_instance *instance, uint32_t index)
{
	return instance->store->types.at[instance->types[index]];
}

/* ---- structures ---- */

static unsigned new_struct(struct engine_object **out, struct engine_instance *instance,
                           uint32_t index)
{
	const struct engine_def_type *type = def_of(instance, index);
	uint64_t slots = 0;

	for (uint32_t i = 0; i < type->field_count; i++)
		slots += engine_type_slots(type->fields[i].type);
	return engine_object_new(out, instance->store, ENGINE_OBJECT_STRUCT, instance->types[index],
	                         8 * slots);
}

unsigned engine_help_struct_new(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	struct engine_object *object = NULL;
	unsigned trap = new_struct(&object, instance, imm);

	if (trap != ENGINE_TRAP_NONE)
		return trap;
	memcpy(object->slots, at, 8 * x);
	at[0] = ref_of(object);
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_struct_new_default(struct engine_instance *instance, uint64_t *at,
                                        uint32_t imm, uint64_t x)
{
	struct engine_object *object = NULL;
	unsigned trap = new_struct(&object, instance, imm);

	(void)x;
	at[0] = ref_of(object);
	return trap;
}

/* The i32 that the low bytes of a slot are. */
static uint32_t packed(uint64_t slot, uint32_t size, bool is_signed)
{
	if (size == 1)
		return is_signed ? (uint32_t)(int8_t)slot : (uint32_t)(uint8_t)slot;
	return is_signed ? (uint32_t)(int16_t)slot : (uint32_t)(uint16_t)slot;
}

static unsigned struct_get(uint64_t *at, uint64_t x, bool is_signed)
{
	const uint64_t *slot;

	if (at[0] == 0)
		return ENGINE_TRAP_NULL_STRUCT;
	slot = &object_of(at[0])->slots[(uint32_t)x];
	switch (x >> 32) {
	case ENGINE_I8: at[0] = packed(*slot, 1, is_signed); break;
	case ENGINE_I16: at[0] = packed(*slot, 2, is_signed); break;
	case ENGINE_V128: memcpy(at, slot, 16); break;
	default: at[0] = *slot; break;
	}
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_struct_get(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	(void)instance, (void)imm;
	return struct_get(at, x, false);
}

unsigned engine_help_struct_get_s(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                  uint64_t x)
{
	(void)instance, (void)imm;
	return struct_get(at, x, true);
}

unsigned engine_help_struct_set(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	(void)instance, (void)imm;
	if (at[0] == 0)
		return ENGINE_TRAP_NULL_STRUCT;
	memcpy(&object_of(at[0])->slots[(uint32_t)x], at + 1, (x >> 32) == ENGINE_V128 ? 16 : 8);
	return ENGINE_TRAP_NONE;
}

/* ---- arrays ---- */

static unsigned char *bytes_of(struct engine_object *array)
{
	return (unsigned char *)array->slots;
}

static unsigned new_array(struct engine_object **out, uint32_t *size,
                          struct engine_instance *instance, uint32_t index, uint64_t length)
{
	unsigned trap;

	*size = engine_storage_bytes(def_of(instance, index)->fields[0].type);
	trap = engine_object_new(out, instance->store, ENGINE_OBJECT_ARRAY, instance->types[index],
	                         length * *size);
	if (trap == ENGINE_TRAP_NONE)
		(*out)->length = (uint32_t)length;
	return trap;
}

/* Little-endian machines: the low bytes of a slot are the packed value. */
static void fill(unsigned char *to, const uint64_t *value, uint64_t count, uint32_t size)
{
	for (uint64_t i = 0; i < count; i++)
		memcpy(to + i * size, value, size);
}

unsigned engine_help_array_new(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x)
{
	uint32_t slots = engine_type_slots(def_of(instance, imm)->fields[0].type), size = 0;
	struct engine_object *array = NULL;
	unsigned trap = new_array(&array, &size, instance, imm, (uint32_t)at[slots]);

	(void)x;
	if (trap != ENGINE_TRAP_NONE)
		return trap;
	fill(bytes_of(array), at, array->length, size);
	at[0] = ref_of(array);
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_array_new_default(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                       uint64_t x)
{
	struct engine_object *array = NULL;
	uint32_t size = 0;
	unsigned trap = new_array(&array, &size, instance, imm, (uint32_t)at[0]);

	(void)x;
	at[0] = ref_of(array);
	return trap;
}

unsigned engine_help_array_new_fixed(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                     uint64_t x)
{
	struct engine_object *array = NULL;
	uint32_t size = 0;
	unsigned trap = new_array(&array, &size, instance, imm, x);

	if (trap != ENGINE_TRAP_NONE)
		return trap;
	for (uint64_t i = 0; i < x; i++)
		memcpy(bytes_of(array) + i * size, at + i * (size == 16 ? 2 : 1), size);
	at[0] = ref_of(array);
	return ENGINE_TRAP_NONE;
}

static struct lb_bytes data_of(const struct engine_instance *instance, uint64_t segment)
{
	return instance->data_dropped[segment] ? (struct lb_bytes){ 0 }
	                                       : instance->module->datas[segment].bytes;
}

unsigned engine_help_array_new_data(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                    uint64_t x)
{
	uint32_t size = engine_storage_bytes(def_of(instance, imm)->fields[0].type);
	uint64_t from = at[0], length = at[1];
	struct lb_bytes data = data_of(instance, x);
	struct engine_object *array = NULL;
	unsigned trap;

	if (!engine_within(from, length * size, data.len))
		return ENGINE_TRAP_MEMORY_BOUNDS;
	trap = new_array(&array, &size, instance, imm, length);
	if (trap != ENGINE_TRAP_NONE)
		return trap;
	if (length > 0)
		memcpy(bytes_of(array), data.at + from, (size_t)(length * size));
	at[0] = ref_of(array);
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_array_new_elem(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                    uint64_t x)
{
	uint64_t from = at[0], length = at[1];
	struct engine_object *array = NULL;
	uint32_t size = 0;
	unsigned trap;

	if (!engine_within(from, length, engine_instance_elem_count(instance, (uint32_t)x)))
		return ENGINE_TRAP_TABLE_BOUNDS;
	trap = new_array(&array, &size, instance, imm, length);
	if (trap != ENGINE_TRAP_NONE)
		return trap;
	for (uint64_t i = 0; i < length; i++)
		array->slots[i] = engine_instance_elem_value(instance, (uint32_t)x, from + i);
	at[0] = ref_of(array);
	return ENGINE_TRAP_NONE;
}

static unsigned check_range(uint64_t ref, uint64_t start, uint64_t len)
{
	if (ref == 0)
		return ENGINE_TRAP_NULL_ARRAY;
	return engine_within(start, len, object_of(ref)->length) ? ENGINE_TRAP_NONE
	                                                         : ENGINE_TRAP_ARRAY_BOUNDS;
}

static unsigned array_get(uint64_t *at, uint32_t storage, bool is_signed)
{
	unsigned trap = check_range(at[0], at[1], 1);
	uint32_t size = engine_storage_bytes(storage);
	uint64_t slots[2] = { 0 };

	if (trap != ENGINE_TRAP_NONE)
		return trap;
	memcpy(slots, bytes_of(object_of(at[0])) + at[1] * size, size);
	if (is_signed)
		slots[0] = packed(slots[0], size, true);
	memcpy(at, slots, size == 16 ? 16 : 8);
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_array_get(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x)
{
	(void)instance, (void)x;
	return array_get(at, imm, false);
}

unsigned engine_help_array_get_s(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                 uint64_t x)
{
	(void)instance, (void)x;
	return array_get(at, imm, true);
}

unsigned engine_help_array_set(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x)
{
	unsigned trap = check_range(at[0], at[1], 1);

	(void)instance, (void)x;
	if (trap == ENGINE_TRAP_NONE)
		fill(bytes_of(object_of(at[0])) + at[1] * engine_storage_bytes(imm), at + 2, 1,
		     engine_storage_bytes(imm));
	return trap;
}

unsigned engine_help_array_len(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x)
{
	(void)instance, (void)imm, (void)x;
	if (at[0] == 0)
		return ENGINE_TRAP_NULL_ARRAY;
	at[0] = object_of(at[0])->length;
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_array_fill(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	uint32_t size = engine_storage_bytes(imm);
	uint64_t len = at[size == 16 ? 4 : 3];
	unsigned trap = check_range(at[0], at[1], len);

	(void)instance, (void)x;
	if (trap == ENGINE_TRAP_NONE)
		fill(bytes_of(object_of(at[0])) + at[1] * size, at + 2, len, size);
	return trap;
}

unsigned engine_help_array_copy(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                uint64_t x)
{
	uint32_t size = engine_storage_bytes(imm);
	unsigned trap;

	(void)instance, (void)x;
	if (at[0] == 0 || at[2] == 0)
		return ENGINE_TRAP_NULL_ARRAY;
	trap = check_range(at[0], at[1], at[4]);
	if (trap == ENGINE_TRAP_NONE)
		trap = check_range(at[2], at[3], at[4]);
	if (trap == ENGINE_TRAP_NONE)
		memmove(bytes_of(object_of(at[0])) + at[1] * size,
		        bytes_of(object_of(at[2])) + at[3] * size, (size_t)(at[4] * size));
	return trap;
}

unsigned engine_help_array_init_data(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                     uint64_t x)
{
	uint32_t size = engine_storage_bytes(def_of(instance, imm)->fields[0].type);
	struct lb_bytes data = data_of(instance, x);
	unsigned trap = check_range(at[0], at[1], at[3]);

	if (trap != ENGINE_TRAP_NONE)
		return trap;
	if (!engine_within(at[2], at[3] * size, data.len))
		return ENGINE_TRAP_MEMORY_BOUNDS;
	if (at[3] > 0)
		memcpy(bytes_of(object_of(at[0])) + at[1] * size, data.at + at[2],
		       (size_t)(at[3] * size));
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_array_init_elem(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                     uint64_t x)
{
	unsigned trap = check_range(at[0], at[1], at[3]);

	(void)imm;
	if (trap != ENGINE_TRAP_NONE)
		return trap;
	if (!engine_within(at[2], at[3], engine_instance_elem_count(instance, (uint32_t)x)))
		return ENGINE_TRAP_TABLE_BOUNDS;
	for (uint64_t i = 0; i < at[3]; i++)
		object_of(at[0])->slots[at[1] + i] =
			engine_instance_elem_value(instance, (uint32_t)x, at[2] + i);
	return ENGINE_TRAP_NONE;
}

/* ---- small integers ---- */

unsigned engine_help_ref_i31(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                             uint64_t x)
{
	(void)instance, (void)imm, (void)x;
	at[0] = (at[0] & 0x7fffffff) << 1 | 1;
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_i31_get_s(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x)
{
	(void)instance, (void)imm, (void)x;
	if (at[0] == 0)
		return ENGINE_TRAP_NULL_I31;
	at[0] = (uint32_t)((int32_t)(uint32_t)at[0] >> 1);
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_i31_get_u(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x)
{
	(void)instance, (void)imm, (void)x;
	if (at[0] == 0)
		return ENGINE_TRAP_NULL_I31;
	at[0] = (uint32_t)at[0] >> 1;
	return ENGINE_TRAP_NONE;
}

/* ---- any reference ---- */

unsigned engine_help_ref_as_non_null(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                                     uint64_t x)
{
	(void)instance, (void)imm, (void)x;
	return at[0] != 0 ? ENGINE_TRAP_NONE : ENGINE_TRAP_NULL_REFERENCE;
}

unsigned engine_help_convert(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                             uint64_t x)
{
	(void)instance, (void)imm, (void)x;
	if (at[0] != 0)
		at[0] ^= ENGINE_REF_OTHER;
	return ENGINE_TRAP_NONE;
}

static bool matches(const struct engine_instance *instance, uint64_t ref, uint32_t type)
{
	return engine_ref_matches(instance->store, ref, engine_instance_type(instance, type));
}

unsigned engine_help_ref_test(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                              uint64_t x)
{
	(void)x;
	at[0] = matches(instance, at[0], imm);
	return ENGINE_TRAP_NONE;
}

unsigned engine_help_ref_cast(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                              uint64_t x)
{
	(void)x;
	return matches(instance, at[0], imm) ? ENGINE_TRAP_NONE : ENGINE_TRAP_CAST;
}

unsigned engine_help_ref_match(struct engine_instance *instance, uint64_t *at, uint32_t imm,
                               uint64_t x)
{
	(void)x;
	at[1] = matches(instance, at[0], imm);
	return ENGINE_TRAP_NONE;
}
