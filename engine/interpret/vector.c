/* vector.c - vector instructions as functions on slots, made from op.def and vector.h. */
#include "engine/interpret/vector.h"

#include "engine/interpret/helper.h"
#include "engine/runtime/object.h"

#define VECTOR_FUNC(name) static void do_##name(uint64_t *fp, union engine_cell o)

#define GET_V(slot) vec_load(&fp[slot])
#define PUT_V(slot, value) vec_store(&fp[slot], (value))

/* A lane as the integer it is in a slot; floats are their bits. */
#define LANE_TYPE(memory_type) \
	typedef memory_type lanes_of_##memory_type __attribute__((vector_size(16)));
LANE_TYPE(int8_t)
LANE_TYPE(uint8_t)
LANE_TYPE(int16_t)
LANE_TYPE(uint16_t)
LANE_TYPE(uint32_t)
LANE_TYPE(uint64_t)
#undef LANE_TYPE

static inline vec vec_F32X4_SPLAT(uint32_t a) { return vec_I32X4_SPLAT(a); }
static inline vec vec_F64X2_SPLAT(uint64_t a) { return vec_I64X2_SPLAT(a); }

#define VECTOR1(name, code, text, feature) \
	VECTOR_FUNC(name) { PUT_V(o.a, vec_##name(GET_V(o.b))); }
#define VECTOR2(name, code, text, feature) \
	VECTOR_FUNC(name) { PUT_V(o.a, vec_##name(GET_V(o.b), GET_V(o.c))); }
#define VECTOR3(name, code, text, feature) \
	VECTOR_FUNC(name) { PUT_V(o.a, vec_##name(GET_V(o.b), GET_V(o.c), GET_V(o.d))); }
#define VECTOR_TEST(name, code, text) \
	VECTOR_FUNC(name) { fp[o.a] = vec_##name(GET_V(o.b)); }
#define VECTOR_SHIFT(name, code, text) \
	VECTOR_FUNC(name) { PUT_V(o.a, vec_##name(GET_V(o.b), (uint32_t)fp[o.c])); }
#define VECTOR_SPLAT(name, code, text, type, memory_type) \
	VECTOR_FUNC(name) { PUT_V(o.a, vec_##name((memory_type)fp[o.b])); }
typedef uint32_t value_I32, value_F32;
typedef uint64_t value_I64, value_F64;
/* Signed lanes are extended to the 32 bits of the value, not to the slot's. */
#define VECTOR_EXTRACT(name, code, text, type, memory_type) \
	VECTOR_FUNC(name) \
	{ \
		lanes_of_##memory_type lanes = (lanes_of_##memory_type)GET_V(o.b); \
		value_##type lane = (value_##type)lanes[o.c]; \
		fp[o.a] = lane; \
	}
#define VECTOR_REPLACE(name, code, text, type, memory_type) \
	VECTOR_FUNC(name) \
	{ \
		lanes_of_##memory_type lanes = (lanes_of_##memory_type)GET_V(o.b); \
		lanes[o.d] = (memory_type)fp[o.c]; \
		PUT_V(o.a, (vec)lanes); \
	}
#include "engine/op.def"

VECTOR_FUNC(I8X16_SHUFFLE) { PUT_V(o.a, vec_I8X16_SHUFFLE(GET_V(o.b), GET_V(o.c), GET_V(o.d))); }

engine_vector_helper *engine_vector_helper_of(uint32_t op)
{
	static engine_vector_helper *const helpers[ENGINE_OP_COUNT - ENGINE_OP_FD] = {
#define ENTRY(name) [ENGINE_OP_##name - ENGINE_OP_FD] = do_##name,
#define VECTOR1(name, code, text, feature) ENTRY(name)
#define VECTOR2(name, code, text, feature) ENTRY(name)
#define VECTOR3(name, code, text, feature) ENTRY(name)
#define VECTOR_TEST(name, code, text) ENTRY(name)
#define VECTOR_SHIFT(name, code, text) ENTRY(name)
#define VECTOR_SPLAT(name, code, text, type, memory_type) ENTRY(name)
#define VECTOR_EXTRACT(name, code, text, type, memory_type) ENTRY(name)
#define VECTOR_REPLACE(name, code, text, type, memory_type) ENTRY(name)
#include "engine/op.def"
		ENTRY(I8X16_SHUFFLE)
	};

	assert(op >= ENGINE_OP_FD && op < ENGINE_OP_COUNT);
	return helpers[op - ENGINE_OP_FD];
}

/* ---- memory ---- */

/* `len` bytes at an address plus an offset; NULL where they are not all inside. */
static unsigned char *bytes_at(const struct engine_instance *instance, uint32_t imm,
                               uint64_t address, uint64_t offset, uint64_t len)
{
	const struct engine_memory *memory = instance->memories[imm & 0xffff];

	if (address > UINT64_MAX - offset || !engine_within(address + offset, len, memory->size))
		return NULL;
	return memory->base + address + offset;
}

static vec load_zero(const unsigned char *from, size_t len)
{
	vec a = { 0 };

	memcpy(&a, from, len);
	return a;
}

static uint64_t load_u64(const unsigned char *from, size_t len)
{
	uint64_t a = 0;

	memcpy(&a, from, len);
	return a;
}

static vec loaded_V128_LOAD(const unsigned char *from) { return vec_load(from); }
static vec loaded_V128_LOAD32_ZERO(const unsigned char *from) { return load_zero(from, 4); }
static vec loaded_V128_LOAD64_ZERO(const unsigned char *from) { return load_zero(from, 8); }
#define LOADED_EXTEND(name, extend) \
	static vec loaded_##name(const unsigned char *from) \
	{ \
		return vec_##extend(load_zero(from, 8)); \
	}
#define LOADED_SPLAT(name, splat, type) \
	static vec loaded_##name(const unsigned char *from) \
	{ \
		return vec_##splat((type)load_u64(from, sizeof(type))); \
	}
LOADED_EXTEND(V128_LOAD8X8_S, I16X8_EXTEND_LOW_I8X16_S)
LOADED_EXTEND(V128_LOAD8X8_U, I16X8_EXTEND_LOW_I8X16_U)
LOADED_EXTEND(V128_LOAD16X4_S, I32X4_EXTEND_LOW_I16X8_S)
LOADED_EXTEND(V128_LOAD16X4_U, I32X4_EXTEND_LOW_I16X8_U)
LOADED_EXTEND(V128_LOAD32X2_S, I64X2_EXTEND_LOW_I32X4_S)
LOADED_EXTEND(V128_LOAD32X2_U, I64X2_EXTEND_LOW_I32X4_U)
LOADED_SPLAT(V128_LOAD8_SPLAT, I8X16_SPLAT, uint8_t)
LOADED_SPLAT(V128_LOAD16_SPLAT, I16X8_SPLAT, uint16_t)
LOADED_SPLAT(V128_LOAD32_SPLAT, I32X4_SPLAT, uint32_t)
LOADED_SPLAT(V128_LOAD64_SPLAT, I64X2_SPLAT, uint64_t)

/* A load's address stands where its result will be; behind it, the vector of a store or lane. */
#define MEMORY_FUNC(name, bytes, ...) \
	static unsigned memory_##name(struct engine_instance *instance, uint64_t *at, \
	                              uint32_t imm, uint64_t x) \
	{ \
		unsigned char *memory = bytes_at(instance, imm, at[0], x, bytes); \
		if (memory == NULL) \
			return ENGINE_TRAP_MEMORY_BOUNDS; \
		__VA_ARGS__; \
		return ENGINE_TRAP_NONE; \
	}
#define LANE_AT(bytes) ((unsigned char *)(at + 1) + (size_t)(imm >> 16) * (bytes))
#define VECTOR_LOAD(name, code, text, bytes) \
	MEMORY_FUNC(name, bytes, vec_store(at, loaded_##name(memory)))
#define VECTOR_STORE(name, code, text, bytes) \
	MEMORY_FUNC(name, bytes, memcpy(memory, at + 1, bytes))
#define VECTOR_LOAD_LANE(name, code, text, bytes) \
	MEMORY_FUNC(name, bytes, memcpy(LANE_AT(bytes), memory, bytes); memmove(at, at + 1, 16))
#define VECTOR_STORE_LANE(name, code, text, bytes) \
	MEMORY_FUNC(name, bytes, memcpy(memory, LANE_AT(bytes), bytes))
#include "engine/op.def"

engine_helper *engine_vector_memory_helper_of(uint32_t op)
{
	static engine_helper *const helpers[ENGINE_OP_COUNT - ENGINE_OP_FD] = {
#define MEMORY_ENTRY(name) [ENGINE_OP_##name - ENGINE_OP_FD] = memory_##name,
#define VECTOR_LOAD(name, code, text, bytes) MEMORY_ENTRY(name)
#define VECTOR_STORE(name, code, text, bytes) MEMORY_ENTRY(name)
#define VECTOR_LOAD_LANE(name, code, text, bytes) MEMORY_ENTRY(name)
#define VECTOR_STORE_LANE(name, code, text, bytes) MEMORY_ENTRY(name)
#include "engine/op.def"
	};

	assert(op >= ENGINE_OP_FD && op < ENGINE_OP_COUNT);
	return helpers[op - ENGINE_OP_FD];
}
