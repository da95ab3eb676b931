/* vector.h - what the vector instructions compute, one line each.
 *
 * vec_NAME is the result.  A vector is passed as vec, its lanes are looked at
 * through the types vec_i8 and so on: the compilers' vectors of 16 bytes, so
 * that one line is one machine instruction where there is one.  Lane 0 is the
 * first in memory; machines are little-endian here (see loop.c).
 *
 * The relaxed instructions have their deterministic results (spec appendix
 * "Profiles"): the same on every machine.
 */
#ifndef ENGINE_INTERPRET_VECTOR_H
#define ENGINE_INTERPRET_VECTOR_H

#include "engine/interpret/numeric.h"

#define VEC_TYPE(name, lane) typedef lane name __attribute__((vector_size(16)))
VEC_TYPE(vec, uint64_t);
VEC_TYPE(vec_i8, int8_t);
VEC_TYPE(vec_u8, uint8_t);
VEC_TYPE(vec_i16, int16_t);
VEC_TYPE(vec_u16, uint16_t);
VEC_TYPE(vec_i32, int32_t);
VEC_TYPE(vec_u32, uint32_t);
VEC_TYPE(vec_i64, int64_t);
VEC_TYPE(vec_u64, uint64_t);
VEC_TYPE(vec_f32, float);
VEC_TYPE(vec_f64, double);
#undef VEC_TYPE

/* Half vectors, which widen to whole ones. */
typedef int8_t vec_half_i8 __attribute__((vector_size(8)));
typedef uint8_t vec_half_u8 __attribute__((vector_size(8)));
typedef int16_t vec_half_i16 __attribute__((vector_size(8)));
typedef uint16_t vec_half_u16 __attribute__((vector_size(8)));
typedef int32_t vec_half_i32 __attribute__((vector_size(8)));
typedef uint32_t vec_half_u32 __attribute__((vector_size(8)));
typedef float vec_half_f32 __attribute__((vector_size(8)));

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wfloat-equal"

static inline vec vec_load(const void *at)
{
	vec a;

	memcpy(&a, at, sizeof a);
	return a;
}

static inline void vec_store(void *at, vec a) { memcpy(at, &a, sizeof a); }

/* Lanes where the mask has ones from a, else from b. */
static inline vec vec_select(vec mask, vec a, vec b) { return (a & mask) | (b & ~mask); }

/* clang-format off */

#define VEC1(name, expr) static inline vec vec_##name(vec a) { return (vec)(expr); }
#define VEC2(name, expr) static inline vec vec_##name(vec a, vec b) { return (vec)(expr); }
#define VEC3(name, expr) static inline vec vec_##name(vec a, vec b, vec c) { return (vec)(expr); }
#define VEC_SHIFT(name, expr) static inline vec vec_##name(vec a, uint32_t by) { return (vec)(expr); }
#define VEC_TEST(name, expr) static inline uint32_t vec_##name(vec a) { return (uint32_t)(expr); }

/* Lane by lane, i counting them: r the result's lanes, x y z the operands'. */
#define VEC_EACH1(name, R, X, count, expr) \
	static inline vec vec_##name(vec a) \
	{ \
		X x = (X)a; \
		R r = { 0 }; \
		for (unsigned i = 0; i < (count); i++) \
			r[i] = (expr); \
		return (vec)r; \
	}
#define VEC_EACH2(name, R, X, count, expr) \
	static inline vec vec_##name(vec a, vec b) \
	{ \
		X x = (X)a, y = (X)b; \
		R r = { 0 }; \
		for (unsigned i = 0; i < (count); i++) \
			r[i] = (expr); \
		return (vec)r; \
	}
#define VEC_EACH3(name, R, X, Z, count, expr) \
	static inline vec vec_##name(vec a, vec b, vec c) \
	{ \
		X x = (X)a, y = (X)b; \
		Z z = (Z)c; \
		R r = { 0 }; \
		for (unsigned i = 0; i < (count); i++) \
			r[i] = (expr); \
		return (vec)r; \
	}

/* ---- whole vectors ---- */

VEC1(V128_NOT, ~a)
VEC2(V128_AND, a & b)
VEC2(V128_ANDNOT, a & ~b)
VEC2(V128_OR, a | b)
VEC2(V128_XOR, a ^ b)
VEC3(V128_BITSELECT, vec_select(c, a, b))
VEC_TEST(V128_ANY_TRUE, (a[0] | a[1]) != 0)

/* ---- integers ---- */

/* SIGN: the lane's sign bit moved down over all of it. */
#define VEC_INTEGER(P, I, U, BITS) \
	VEC2(P##_EQ, (U)a == (U)b) \
	VEC2(P##_NE, (U)a != (U)b) \
	VEC2(P##_LT_S, (I)a < (I)b) \
	VEC2(P##_GT_S, (I)a > (I)b) \
	VEC2(P##_LE_S, (I)a <= (I)b) \
	VEC2(P##_GE_S, (I)a >= (I)b) \
	VEC1(P##_NEG, -(U)a) \
	VEC1(P##_ABS, ((U)a ^ (U)((I)a >> ((BITS) - 1))) - (U)((I)a >> ((BITS) - 1))) \
	VEC_SHIFT(P##_SHL, (U)a << (by & ((BITS) - 1))) \
	VEC_SHIFT(P##_SHR_S, (I)a >> (int)(by & ((BITS) - 1))) \
	VEC_SHIFT(P##_SHR_U, (U)a >> (by & ((BITS) - 1))) \
	VEC2(P##_ADD, (U)a + (U)b) \
	VEC2(P##_SUB, (U)a - (U)b) \
	static inline uint32_t vec_##P##_ALL_TRUE(vec a) \
	{ \
		vec zero = (vec)((U)a == 0); \
		return (zero[0] | zero[1]) == 0; \
	} \
	static inline uint32_t vec_##P##_BITMASK(vec a) \
	{ \
		uint32_t bits = 0; \
		for (unsigned i = 0; i < 128 / (BITS); i++) \
			bits |= (uint32_t)(((I)a)[i] < 0) << i; \
		return bits; \
	}

#define VEC_ORDERED(P, I, U) \
	VEC2(P##_LT_U, (U)a < (U)b) \
	VEC2(P##_GT_U, (U)a > (U)b) \
	VEC2(P##_LE_U, (U)a <= (U)b) \
	VEC2(P##_GE_U, (U)a >= (U)b) \
	VEC2(P##_MIN_S, vec_select((vec)((I)a < (I)b), a, b)) \
	VEC2(P##_MIN_U, vec_select((vec)((U)a < (U)b), a, b)) \
	VEC2(P##_MAX_S, vec_select((vec)((I)a > (I)b), a, b)) \
	VEC2(P##_MAX_U, vec_select((vec)((U)a > (U)b), a, b))

VEC_INTEGER(I8X16, vec_i8, vec_u8, 8)
VEC_INTEGER(I16X8, vec_i16, vec_u16, 16)
VEC_INTEGER(I32X4, vec_i32, vec_u32, 32)
VEC_INTEGER(I64X2, vec_i64, vec_u64, 64)
VEC_ORDERED(I8X16, vec_i8, vec_u8)
VEC_ORDERED(I16X8, vec_i16, vec_u16)
VEC_ORDERED(I32X4, vec_i32, vec_u32)
VEC2(I16X8_MUL, (vec_u16)a * (vec_u16)b)
VEC2(I32X4_MUL, (vec_u32)a * (vec_u32)b)
VEC2(I64X2_MUL, a * b)

static inline int32_t vec_clamp(int32_t value, int32_t least, int32_t most)
{
	return value < least ? least : value > most ? most : value;
}

#define VEC_SATURATING(P, I, U, T, UT, count, LEAST, MOST, UMOST) \
	VEC_EACH2(P##_ADD_SAT_S, I, I, count, (T)vec_clamp(x[i] + y[i], LEAST, MOST)) \
	VEC_EACH2(P##_ADD_SAT_U, U, U, count, (UT)vec_clamp(x[i] + y[i], 0, UMOST)) \
	VEC_EACH2(P##_SUB_SAT_S, I, I, count, (T)vec_clamp(x[i] - y[i], LEAST, MOST)) \
	VEC_EACH2(P##_SUB_SAT_U, U, U, count, (UT)vec_clamp(x[i] - y[i], 0, UMOST)) \
	VEC_EACH2(P##_AVGR_U, U, U, count, (UT)((x[i] + y[i] + 1) >> 1))

VEC_SATURATING(I8X16, vec_i8, vec_u8, int8_t, uint8_t, 16, INT8_MIN, INT8_MAX, UINT8_MAX)
VEC_SATURATING(I16X8, vec_i16, vec_u16, int16_t, uint16_t, 8, INT16_MIN, INT16_MAX, UINT16_MAX)
VEC_EACH1(I8X16_POPCNT, vec_u8, vec_u8, 16, (uint8_t)__builtin_popcount(x[i]))
VEC_EACH2(I16X8_Q15MULR_SAT_S, vec_i16, vec_i16, 8,
	(int16_t)vec_clamp((x[i] * y[i] + 0x4000) >> 15, INT16_MIN, INT16_MAX))

/* a's lanes, then b's, each cut to the nearest value of half the width. */
VEC_EACH2(I8X16_NARROW_I16X8_S, vec_i8, vec_i16, 16,
	(int8_t)vec_clamp(i < 8 ? x[i & 7] : y[i & 7], INT8_MIN, INT8_MAX))
VEC_EACH2(I8X16_NARROW_I16X8_U, vec_u8, vec_i16, 16,
	(uint8_t)vec_clamp(i < 8 ? x[i & 7] : y[i & 7], 0, UINT8_MAX))
VEC_EACH2(I16X8_NARROW_I32X4_S, vec_i16, vec_i32, 8,
	(int16_t)vec_clamp(i < 4 ? x[i & 3] : y[i & 3], INT16_MIN, INT16_MAX))
VEC_EACH2(I16X8_NARROW_I32X4_U, vec_u16, vec_i32, 8,
	(uint16_t)vec_clamp(i < 4 ? x[i & 3] : y[i & 3], 0, UINT16_MAX))

/* A half, widened: W's lanes made of those of H. */
#define VEC_WIDEN(W, H, a, at) vec_widen_##W##H((a)[at])
#define VEC_WIDENS(W, H) \
	static inline W vec_widen_##W##H(uint64_t half) \
	{ \
		H lanes; \
		memcpy(&lanes, &half, sizeof lanes); \
		return __builtin_convertvector(lanes, W); \
	}
VEC_WIDENS(vec_i16, vec_half_i8)
VEC_WIDENS(vec_u16, vec_half_u8)
VEC_WIDENS(vec_i32, vec_half_i16)
VEC_WIDENS(vec_u32, vec_half_u16)
VEC_WIDENS(vec_i64, vec_half_i32)
VEC_WIDENS(vec_u64, vec_half_u32)
VEC_WIDENS(vec_f64, vec_half_i32)
VEC_WIDENS(vec_f64, vec_half_u32)
VEC_WIDENS(vec_f64, vec_half_f32)

#define VEC_EXTEND(P, Q, W, H, SIGN) \
	VEC1(P##_EXTEND_LOW_##Q##SIGN, VEC_WIDEN(W, H, a, 0)) \
	VEC1(P##_EXTEND_HIGH_##Q##SIGN, VEC_WIDEN(W, H, a, 1))
#define VEC_EXTMUL(P, Q, W, WU, H, SIGN) \
	VEC2(P##_EXTMUL_LOW_##Q##SIGN, (WU)VEC_WIDEN(W, H, a, 0) * (WU)VEC_WIDEN(W, H, b, 0)) \
	VEC2(P##_EXTMUL_HIGH_##Q##SIGN, (WU)VEC_WIDEN(W, H, a, 1) * (WU)VEC_WIDEN(W, H, b, 1))
#define VEC_EXTENDING(P, Q, W, WU, H, SIGN) \
	VEC_EXTEND(P, Q, W, H, SIGN) \
	VEC_EXTMUL(P, Q, W, WU, H, SIGN)
VEC_EXTENDING(I16X8, I8X16, vec_i16, vec_u16, vec_half_i8, _S)
VEC_EXTENDING(I16X8, I8X16, vec_u16, vec_u16, vec_half_u8, _U)
VEC_EXTENDING(I32X4, I16X8, vec_i32, vec_u32, vec_half_i16, _S)
VEC_EXTENDING(I32X4, I16X8, vec_u32, vec_u32, vec_half_u16, _U)
VEC_EXTENDING(I64X2, I32X4, vec_i64, vec_u64, vec_half_i32, _S)
VEC_EXTENDING(I64X2, I32X4, vec_u64, vec_u64, vec_half_u32, _U)

VEC_EACH1(I16X8_EXTADD_PAIRWISE_I8X16_S, vec_i16, vec_i8, 8, (int16_t)(x[2 * i] + x[2 * i + 1]))
VEC_EACH1(I16X8_EXTADD_PAIRWISE_I8X16_U, vec_u16, vec_u8, 8, (uint16_t)(x[2 * i] + x[2 * i + 1]))
VEC_EACH1(I32X4_EXTADD_PAIRWISE_I16X8_S, vec_i32, vec_i16, 4, x[2 * i] + x[2 * i + 1])
VEC_EACH1(I32X4_EXTADD_PAIRWISE_I16X8_U, vec_u32, vec_u16, 4, (uint32_t)x[2 * i] + x[2 * i + 1])
/* The sum wraps: both products can be 2^30. */
VEC_EACH2(I32X4_DOT_I16X8_S, vec_u32, vec_i16, 4,
	(uint32_t)(x[2 * i] * y[2 * i]) + (uint32_t)(x[2 * i + 1] * y[2 * i + 1]))

/* ---- floats ---- */

/* pmin and pmax choose as C's < does; min and max are those of the numbers. */
#define VEC_FLOAT(P, N, F, U, T, count, SIGN) \
	VEC2(P##_EQ, (F)a == (F)b) \
	VEC2(P##_NE, (F)a != (F)b) \
	VEC2(P##_LT, (F)a < (F)b) \
	VEC2(P##_GT, (F)a > (F)b) \
	VEC2(P##_LE, (F)a <= (F)b) \
	VEC2(P##_GE, (F)a >= (F)b) \
	VEC1(P##_ABS, (U)a & ~(SIGN)) \
	VEC1(P##_NEG, (U)a ^ (SIGN)) \
	VEC2(P##_ADD, (F)a + (F)b) \
	VEC2(P##_SUB, (F)a - (F)b) \
	VEC2(P##_MUL, (F)a * (F)b) \
	VEC2(P##_DIV, (F)a / (F)b) \
	VEC2(P##_PMIN, vec_select((vec)((F)b < (F)a), b, a)) \
	VEC2(P##_PMAX, vec_select((vec)((F)a < (F)b), b, a)) \
	VEC_EACH1(P##_CEIL, F, F, count, num_##N##_CEIL(x[i])) \
	VEC_EACH1(P##_FLOOR, F, F, count, num_##N##_FLOOR(x[i])) \
	VEC_EACH1(P##_TRUNC, F, F, count, num_##N##_TRUNC(x[i])) \
	VEC_EACH1(P##_NEAREST, F, F, count, num_##N##_NEAREST(x[i])) \
	VEC_EACH1(P##_SQRT, F, F, count, num_##N##_SQRT(x[i])) \
	VEC_EACH2(P##_MIN, F, F, count, num_##N##_MIN(x[i], y[i])) \
	VEC_EACH2(P##_MAX, F, F, count, num_##N##_MAX(x[i], y[i]))

VEC_FLOAT(F32X4, F32, vec_f32, vec_u32, float, 4, 0x80000000u)
VEC_FLOAT(F64X2, F64, vec_f64, vec_u64, double, 2, 0x8000000000000000u)

VEC1(F32X4_CONVERT_I32X4_S, __builtin_convertvector((vec_i32)a, vec_f32))
VEC1(F32X4_CONVERT_I32X4_U, __builtin_convertvector((vec_u32)a, vec_f32))
VEC1(F64X2_CONVERT_LOW_I32X4_S, VEC_WIDEN(vec_f64, vec_half_i32, a, 0))
VEC1(F64X2_CONVERT_LOW_I32X4_U, VEC_WIDEN(vec_f64, vec_half_u32, a, 0))
VEC1(F64X2_PROMOTE_LOW_F32X4, VEC_WIDEN(vec_f64, vec_half_f32, a, 0))
VEC_EACH1(F32X4_DEMOTE_F64X2_ZERO, vec_f32, vec_f64, 2, (float)x[i])
VEC_EACH1(I32X4_TRUNC_SAT_F32X4_S, vec_u32, vec_f32, 4, num_I32_TRUNC_SAT_F32_S(x[i]))
VEC_EACH1(I32X4_TRUNC_SAT_F32X4_U, vec_u32, vec_f32, 4, num_I32_TRUNC_SAT_F32_U(x[i]))
VEC_EACH1(I32X4_TRUNC_SAT_F64X2_S_ZERO, vec_u32, vec_f64, 2, num_I32_TRUNC_SAT_F64_S(x[i]))
VEC_EACH1(I32X4_TRUNC_SAT_F64X2_U_ZERO, vec_u32, vec_f64, 2, num_I32_TRUNC_SAT_F64_U(x[i]))

/* ---- moving lanes ---- */

#define VEC_SPLAT(name, V, T) static inline vec vec_##name(T a) { return (vec)((V){ 0 } + a); }
VEC_SPLAT(I8X16_SPLAT, vec_u8, uint8_t)
VEC_SPLAT(I16X8_SPLAT, vec_u16, uint16_t)
VEC_SPLAT(I32X4_SPLAT, vec_u32, uint32_t)
VEC_SPLAT(I64X2_SPLAT, vec_u64, uint64_t)

/* An index of 16 or more gives 0. */
VEC_EACH2(I8X16_SWIZZLE, vec_u8, vec_u8, 16, y[i] < 16 ? x[y[i] & 15] : 0)

/* Lanes of a (0 to 15) and of b (16 to 31) by the indices of c, which validation has bounded. */
VEC_EACH3(I8X16_SHUFFLE, vec_u8, vec_u8, vec_u8, 16, z[i] < 16 ? x[z[i] & 15] : y[z[i] & 15])

/* ---- relaxed, as the deterministic profile has them ---- */

VEC3(I8X16_RELAXED_LANESELECT, vec_select(c, a, b))
VEC3(I16X8_RELAXED_LANESELECT, vec_select(c, a, b))
VEC3(I32X4_RELAXED_LANESELECT, vec_select(c, a, b))
VEC3(I64X2_RELAXED_LANESELECT, vec_select(c, a, b))
VEC2(I8X16_RELAXED_SWIZZLE, vec_I8X16_SWIZZLE(a, b))
VEC1(I32X4_RELAXED_TRUNC_F32X4_S, vec_I32X4_TRUNC_SAT_F32X4_S(a))
VEC1(I32X4_RELAXED_TRUNC_F32X4_U, vec_I32X4_TRUNC_SAT_F32X4_U(a))
VEC1(I32X4_RELAXED_TRUNC_F64X2_S_ZERO, vec_I32X4_TRUNC_SAT_F64X2_S_ZERO(a))
VEC1(I32X4_RELAXED_TRUNC_F64X2_U_ZERO, vec_I32X4_TRUNC_SAT_F64X2_U_ZERO(a))
VEC2(F32X4_RELAXED_MIN, vec_F32X4_MIN(a, b))
VEC2(F32X4_RELAXED_MAX, vec_F32X4_MAX(a, b))
VEC2(F64X2_RELAXED_MIN, vec_F64X2_MIN(a, b))
VEC2(F64X2_RELAXED_MAX, vec_F64X2_MAX(a, b))
VEC2(I16X8_RELAXED_Q15MULR_S, vec_I16X8_Q15MULR_SAT_S(a, b))
/* Two roundings, never fused. */
VEC3(F32X4_RELAXED_MADD, vec_F32X4_ADD(vec_F32X4_MUL(a, b), c))
VEC3(F32X4_RELAXED_NMADD, vec_F32X4_ADD(vec_F32X4_MUL(vec_F32X4_NEG(a), b), c))
VEC3(F64X2_RELAXED_MADD, vec_F64X2_ADD(vec_F64X2_MUL(a, b), c))
VEC3(F64X2_RELAXED_NMADD, vec_F64X2_ADD(vec_F64X2_MUL(vec_F64X2_NEG(a), b), c))
/* Sums of two products saturate at 16 bits, also on the way to 32. */
VEC_EACH2(I16X8_RELAXED_DOT_I8X16_I7X16_S, vec_i16, vec_i8, 8,
	(int16_t)vec_clamp(x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1], INT16_MIN, INT16_MAX))
VEC3(I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S, vec_I32X4_ADD(
	vec_I32X4_EXTADD_PAIRWISE_I16X8_S(vec_I16X8_RELAXED_DOT_I8X16_I7X16_S(a, b)), c))

/* clang-format on */

#undef VEC1
#undef VEC2
#undef VEC3
#undef VEC_SHIFT
#undef VEC_TEST
#undef VEC_EACH1
#undef VEC_EACH2
#undef VEC_EACH3
#undef VEC_INTEGER
#undef VEC_ORDERED
#undef VEC_SATURATING
#undef VEC_WIDEN
#undef VEC_WIDENS
#undef VEC_EXTEND
#undef VEC_EXTMUL
#undef VEC_EXTENDING
#undef VEC_FLOAT
#undef VEC_SPLAT

#pragma GCC diagnostic pop

#endif
