/* numeric.h - what the simple instructions compute, one line each.
 *
 * num_NAME is the result; trap_NAME, for those that can trap, says whether.
 * Floats that must keep their bits (abs, neg, copysign, reinterpret) are
 * handled as bits: a NaN's payload survives no copy through a float register
 * on some machines.  Division of signed minima and shift counts are as
 * WebAssembly has them, not as C.
 */
#ifndef ENGINE_INTERPRET_NUMERIC_H
#define ENGINE_INTERPRET_NUMERIC_H

#include "engine/trap.h"

#include <math.h>
#include <string.h>

/* Comparing floats for equality is what f32.eq and its like are. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wfloat-equal"

typedef uint32_t num_I32;
typedef uint64_t num_I64;
typedef float num_F32;
typedef double num_F64;

static inline uint32_t num_bits_of_F32(float a)
{
	uint32_t bits;

	memcpy(&bits, &a, sizeof bits);
	return bits;
}

static inline uint64_t num_bits_of_F64(double a)
{
	uint64_t bits;

	memcpy(&bits, &a, sizeof bits);
	return bits;
}

static inline float num_F32_of_bits(uint32_t bits)
{
	float a;

	memcpy(&a, &bits, sizeof a);
	return a;
}

static inline double num_F64_of_bits(uint64_t bits)
{
	double a;

	memcpy(&a, &bits, sizeof a);
	return a;
}

#define NUM1(name, result, type, expr) \
	static inline result num_##name(type a) { return (expr); }
#define NUM2(name, result, type, expr) \
	static inline result num_##name(type a, type b) { return (expr); }
#define TRAP1(name, type, expr) \
	static inline enum engine_trap trap_##name(type a) { return (expr); }
#define TRAP2(name, type, ...) \
	static inline enum engine_trap trap_##name(type a, type b) { return (__VA_ARGS__); }

/* clang-format off */

/* ---- integers ---- */

#define NUM_INTEGER(P, U, S, BITS, CTZ, CLZ, POPCNT) \
	NUM1(P##_EQZ, uint32_t, U, a == 0) \
	NUM2(P##_EQ, uint32_t, U, a == b) \
	NUM2(P##_NE, uint32_t, U, a != b) \
	NUM2(P##_LT_S, uint32_t, U, (S)a < (S)b) \
	NUM2(P##_LT_U, uint32_t, U, a < b) \
	NUM2(P##_GT_S, uint32_t, U, (S)a > (S)b) \
	NUM2(P##_GT_U, uint32_t, U, a > b) \
	NUM2(P##_LE_S, uint32_t, U, (S)a <= (S)b) \
	NUM2(P##_LE_U, uint32_t, U, a <= b) \
	NUM2(P##_GE_S, uint32_t, U, (S)a >= (S)b) \
	NUM2(P##_GE_U, uint32_t, U, a >= b) \
	NUM1(P##_CLZ, U, U, a == 0 ? (BITS) : (U)CLZ(a)) \
	NUM1(P##_CTZ, U, U, a == 0 ? (BITS) : (U)CTZ(a)) \
	NUM1(P##_POPCNT, U, U, (U)POPCNT(a)) \
	NUM2(P##_ADD, U, U, a + b) \
	NUM2(P##_SUB, U, U, a - b) \
	NUM2(P##_MUL, U, U, a * b) \
	NUM2(P##_DIV_S, U, U, (U)((S)a / (S)b)) \
	NUM2(P##_DIV_U, U, U, a / b) \
	NUM2(P##_REM_S, U, U, b == (U)-1 ? 0 : (U)((S)a % (S)b)) \
	NUM2(P##_REM_U, U, U, a % b) \
	NUM2(P##_AND, U, U, a & b) \
	NUM2(P##_OR, U, U, a | b) \
	NUM2(P##_XOR, U, U, a ^ b) \
	NUM2(P##_SHL, U, U, a << (b & ((BITS) - 1))) \
	NUM2(P##_SHR_S, U, U, (U)((S)a >> (b & ((BITS) - 1)))) \
	NUM2(P##_SHR_U, U, U, a >> (b & ((BITS) - 1))) \
	NUM2(P##_ROTL, U, U, a << (b & ((BITS) - 1)) | a >> (-b & ((BITS) - 1))) \
	NUM2(P##_ROTR, U, U, a >> (b & ((BITS) - 1)) | a << (-b & ((BITS) - 1))) \
	TRAP2(P##_DIV_S, U, b == 0 ? ENGINE_TRAP_DIVIDE_BY_ZERO : \
		b == (U)-1 && a == (U)1 << ((BITS) - 1) ? ENGINE_TRAP_INTEGER_OVERFLOW : ENGINE_TRAP_NONE) \
	TRAP2(P##_DIV_U, U, (void)a, b == 0 ? ENGINE_TRAP_DIVIDE_BY_ZERO : ENGINE_TRAP_NONE) \
	TRAP2(P##_REM_S, U, (void)a, b == 0 ? ENGINE_TRAP_DIVIDE_BY_ZERO : ENGINE_TRAP_NONE) \
	TRAP2(P##_REM_U, U, (void)a, b == 0 ? ENGINE_TRAP_DIVIDE_BY_ZERO : ENGINE_TRAP_NONE)

NUM_INTEGER(I32, uint32_t, int32_t, 32u, __builtin_ctz, __builtin_clz, __builtin_popcount)
NUM_INTEGER(I64, uint64_t, int64_t, 64u, __builtin_ctzll, __builtin_clzll, __builtin_popcountll)

NUM1(I32_WRAP_I64, uint32_t, uint64_t, (uint32_t)a)
NUM1(I64_EXTEND_I32_S, uint64_t, uint32_t, (uint64_t)(int64_t)(int32_t)a)
NUM1(I64_EXTEND_I32_U, uint64_t, uint32_t, a)
NUM1(I32_EXTEND8_S, uint32_t, uint32_t, (uint32_t)(int8_t)a)
NUM1(I32_EXTEND16_S, uint32_t, uint32_t, (uint32_t)(int16_t)a)
NUM1(I64_EXTEND8_S, uint64_t, uint64_t, (uint64_t)(int8_t)a)
NUM1(I64_EXTEND16_S, uint64_t, uint64_t, (uint64_t)(int16_t)a)
NUM1(I64_EXTEND32_S, uint64_t, uint64_t, (uint64_t)(int32_t)a)

/* ---- floats ---- */

/* A sum with a NaN is a quiet NaN.  Zeros compare equal, but -0 is the smaller. */
#define NUM_FLOAT(P, T, U, SIGN, S) \
	NUM2(P##_EQ, uint32_t, T, a == b) \
	NUM2(P##_NE, uint32_t, T, a != b) \
	NUM2(P##_LT, uint32_t, T, a < b) \
	NUM2(P##_GT, uint32_t, T, a > b) \
	NUM2(P##_LE, uint32_t, T, a <= b) \
	NUM2(P##_GE, uint32_t, T, a >= b) \
	NUM1(P##_ABS, T, T, num_##P##_of_bits(num_bits_of_##P(a) & ~(SIGN))) \
	NUM1(P##_NEG, T, T, num_##P##_of_bits(num_bits_of_##P(a) ^ (SIGN))) \
	NUM1(P##_CEIL, T, T, a != a ? a + a : ceil##S(a)) \
	NUM1(P##_FLOOR, T, T, a != a ? a + a : floor##S(a)) \
	NUM1(P##_TRUNC, T, T, a != a ? a + a : trunc##S(a)) \
	NUM1(P##_NEAREST, T, T, a != a ? a + a : rint##S(a)) \
	NUM1(P##_SQRT, T, T, sqrt##S(a)) \
	NUM2(P##_ADD, T, T, a + b) \
	NUM2(P##_SUB, T, T, a - b) \
	NUM2(P##_MUL, T, T, a * b) \
	NUM2(P##_DIV, T, T, a / b) \
	NUM2(P##_MIN, T, T, a < b ? a : a > b ? b : a != b ? a + b : \
		num_##P##_of_bits(num_bits_of_##P(a) | num_bits_of_##P(b))) \
	NUM2(P##_MAX, T, T, a > b ? a : a < b ? b : a != b ? a + b : \
		num_##P##_of_bits(num_bits_of_##P(a) & num_bits_of_##P(b))) \
	NUM2(P##_COPYSIGN, T, T, num_##P##_of_bits((num_bits_of_##P(a) & ~(SIGN)) | \
		(num_bits_of_##P(b) & (SIGN))))

NUM_FLOAT(F32, float, uint32_t, 0x80000000u, f)
NUM_FLOAT(F64, double, uint64_t, 0x8000000000000000u, )

NUM1(F32_CONVERT_I32_S, float, uint32_t, (float)(int32_t)a)
NUM1(F32_CONVERT_I32_U, float, uint32_t, (float)a)
NUM1(F32_CONVERT_I64_S, float, uint64_t, (float)(int64_t)a)
NUM1(F32_CONVERT_I64_U, float, uint64_t, (float)a)
NUM1(F64_CONVERT_I32_S, double, uint32_t, (int32_t)a)
NUM1(F64_CONVERT_I32_U, double, uint32_t, a)
NUM1(F64_CONVERT_I64_S, double, uint64_t, (double)(int64_t)a)
NUM1(F64_CONVERT_I64_U, double, uint64_t, (double)a)
NUM1(F32_DEMOTE_F64, float, double, (float)a)
NUM1(F64_PROMOTE_F32, double, float, (double)a)
NUM1(I32_REINTERPRET_F32, uint32_t, float, num_bits_of_F32(a))
NUM1(I64_REINTERPRET_F64, uint64_t, double, num_bits_of_F64(a))
NUM1(F32_REINTERPRET_I32, float, uint32_t, num_F32_of_bits(a))
NUM1(F64_REINTERPRET_I64, double, uint64_t, num_F64_of_bits(a))

/* ---- floats to integers ---- */

/* `above` and `below` are what the value must lie strictly between.  NaN saturates to 0. */
#define NUM_TRUNCATE(TO, FROM, SIGN, T, U, I, above, below, least, most) \
	NUM1(TO##_TRUNC_##FROM##SIGN, U, T, (U)(I)a) \
	TRAP1(TO##_TRUNC_##FROM##SIGN, T, a > (above) && a < (below) ? ENGINE_TRAP_NONE : \
		a != a ? ENGINE_TRAP_INVALID_CONVERT : ENGINE_TRAP_INTEGER_OVERFLOW) \
	NUM1(TO##_TRUNC_SAT_##FROM##SIGN, U, T, a > (above) && a < (below) ? (U)(I)a : \
		a >= (below) ? (U)(most) : (U)(least) * (U)(a <= (above)))

/* The largest float below -2^31 and -2^63: the minima themselves are fine. */
NUM_TRUNCATE(I32, F32, _S, float, uint32_t, int32_t, -0x1.000002p31f, 0x1p31f, INT32_MIN, INT32_MAX)
NUM_TRUNCATE(I32, F32, _U, float, uint32_t, uint32_t, -1.0f, 0x1p32f, 0, UINT32_MAX)
NUM_TRUNCATE(I32, F64, _S, double, uint32_t, int32_t, -2147483649.0, 0x1p31, INT32_MIN, INT32_MAX)
NUM_TRUNCATE(I32, F64, _U, double, uint32_t, uint32_t, -1.0, 0x1p32, 0, UINT32_MAX)
NUM_TRUNCATE(I64, F32, _S, float, uint64_t, int64_t, -0x1.000002p63f, 0x1p63f, INT64_MIN, INT64_MAX)
NUM_TRUNCATE(I64, F32, _U, float, uint64_t, uint64_t, -1.0f, 0x1p64f, 0, UINT64_MAX)
NUM_TRUNCATE(I64, F64, _S, double, uint64_t, int64_t, -0x1.0000000000001p63, 0x1p63, INT64_MIN, INT64_MAX)
NUM_TRUNCATE(I64, F64, _U, double, uint64_t, uint64_t, -1.0, 0x1p64, 0, UINT64_MAX)

/* clang-format on */

#undef NUM1
#undef NUM2
#undef TRAP1
#undef TRAP2
#undef NUM_INTEGER
#undef NUM_FLOAT
#undef NUM_TRUNCATE

#pragma GCC diagnostic pop

#endif
