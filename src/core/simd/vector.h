/* vector.h: operations on vectors of 16 bytes without an operator in C.
 *
 * Maximum, minimum, square root, and comparisons whose outcome is an integer with bit i for
 * lane i. Each takes one or two instructions in SSE2 and NEON, and is plain C on all other
 * processors. The base kernels build on them; AVX2 and AVX-512 have
 * intrinsics of their own.
 */
#ifndef COVERTREE_SIMD_VECTOR_H
#define COVERTREE_SIMD_VECTOR_H

#include <math.h>
#include <stdint.h>

#if defined(__GNUC__) && defined(__SSE2__)
#define CT_SSE2 1
#include <emmintrin.h>
#else
#define CT_SSE2 0
#endif

/* Only on little-endian processors do the intrinsics number lanes in memory order. */
#if defined(__GNUC__) && defined(__aarch64__) && !defined(__AARCH64EB__)
#define CT_NEON 1
#include <arm_neon.h>
/* gcc schedules instructions before it allocates registers, and moves the operations of a
 * kernel so far apart that 32 registers do not suffice: without this, sums are spilled. */
#if !defined(__clang__)
#pragma GCC optimize("no-schedule-insns")
#endif
#else
#define CT_NEON 0
#endif

typedef float ct_f32x4 __attribute__((vector_size(16)));
typedef double ct_f64x2 __attribute__((vector_size(16)));
typedef int32_t ct_i32x4 __attribute__((vector_size(16)));
typedef int64_t ct_i64x2 __attribute__((vector_size(16)));

/* x in each lane. A scalar operand of a vector operation does not suffice: gcc treats a
 * float as a double where FLT_EVAL_METHOD is 1. */
#define CT_SPLAT4(x) ((ct_f32x4){x, x, x, x})

/* Of two floats or doubles in each lane the larger or the smaller; square roots, correctly
 * rounded; and whether a is at most b, or less than b, as bits. If a or b is NaN, comparisons
 * give 0, and maximum and minimum give b. */
#if CT_SSE2

#define CT_MAX4(a, b) _mm_max_ps((__m128)(a), (__m128)(b))
#define CT_MIN4(a, b) _mm_min_ps((__m128)(a), (__m128)(b))
#define CT_MIN2(a, b) _mm_min_pd((__m128d)(a), (__m128d)(b))
#define CT_SQRT4(a) _mm_sqrt_ps((__m128)(a))
#define CT_SQRT2(a) _mm_sqrt_pd((__m128d)(a))
#define CT_AT_MOST4(a, b) (unsigned)_mm_movemask_ps(_mm_cmple_ps((__m128)(a), (__m128)(b)))
#define CT_AT_MOST2(a, b) (unsigned)_mm_movemask_pd(_mm_cmple_pd((__m128d)(a), (__m128d)(b)))
#define CT_LESS4(a, b) (unsigned)_mm_movemask_ps(_mm_cmplt_ps((__m128)(a), (__m128)(b)))
#define CT_LESS2(a, b) (unsigned)_mm_movemask_pd(_mm_cmplt_pd((__m128d)(a), (__m128d)(b)))
#define CT_BELOW4(a, b) (unsigned)_mm_movemask_ps((__m128)((a) < (b)))

#else

/* A comparison of vectors gives -1 or 0 per lane: the outcome as bits. */
static inline unsigned ct_bits4(ct_i32x4 mask)
{
    return ((unsigned)mask[0] & 1) | ((unsigned)mask[1] & 2) | ((unsigned)mask[2] & 4) |
           ((unsigned)mask[3] & 8);
}

static inline unsigned ct_bits2(ct_i64x2 mask)
{
    return ((unsigned)mask[0] & 1) | ((unsigned)mask[1] & 2);
}

/* Lanes of a where the mask is -1, lanes of b where it is 0. */
static inline ct_f32x4 ct_pick4(ct_i32x4 mask, ct_f32x4 a, ct_f32x4 b)
{
    return (ct_f32x4)((mask & (ct_i32x4)a) | (~mask & (ct_i32x4)b));
}

static inline ct_f64x2 ct_pick2(ct_i64x2 mask, ct_f64x2 a, ct_f64x2 b)
{
    return (ct_f64x2)((mask & (ct_i64x2)a) | (~mask & (ct_i64x2)b));
}

static inline ct_f32x4 ct_max4(ct_f32x4 a, ct_f32x4 b)
{
    return ct_pick4(a > b, a, b);
}

static inline ct_f32x4 ct_min4(ct_f32x4 a, ct_f32x4 b)
{
    return ct_pick4(a < b, a, b);
}

static inline ct_f64x2 ct_min2(ct_f64x2 a, ct_f64x2 b)
{
    return ct_pick2(a < b, a, b);
}

static inline ct_f32x4 ct_sqrt4(ct_f32x4 a)
{
    return (ct_f32x4){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])};
}

static inline ct_f64x2 ct_sqrt2(ct_f64x2 a)
{
    return (ct_f64x2){sqrt(a[0]), sqrt(a[1])};
}

static inline unsigned ct_at_most4(ct_f32x4 a, ct_f32x4 b)
{
    return ct_bits4(a <= b);
}

static inline unsigned ct_at_most2(ct_f64x2 a, ct_f64x2 b)
{
    return ct_bits2(a <= b);
}

static inline unsigned ct_less4(ct_f32x4 a, ct_f32x4 b)
{
    return ct_bits4(a < b);
}

static inline unsigned ct_less2(ct_f64x2 a, ct_f64x2 b)
{
    return ct_bits2(a < b);
}

#define CT_MAX4(a, b) ct_max4((ct_f32x4)(a), (ct_f32x4)(b))
#define CT_MIN4(a, b) ct_min4((ct_f32x4)(a), (ct_f32x4)(b))
#define CT_MIN2(a, b) ct_min2((ct_f64x2)(a), (ct_f64x2)(b))
#define CT_SQRT4(a) ct_sqrt4((ct_f32x4)(a))
#define CT_SQRT2(a) ct_sqrt2((ct_f64x2)(a))
#define CT_AT_MOST4(a, b) ct_at_most4((ct_f32x4)(a), (ct_f32x4)(b))
#define CT_AT_MOST2(a, b) ct_at_most2((ct_f64x2)(a), (ct_f64x2)(b))
#define CT_LESS4(a, b) ct_less4((ct_f32x4)(a), (ct_f32x4)(b))
#define CT_LESS2(a, b) ct_less2((ct_f64x2)(a), (ct_f64x2)(b))
#define CT_BELOW4(a, b) ct_bits4((ct_i32x4)((a) < (b)))

#endif

/* The same bits from a comparison by intrinsics: NEON has no instruction for them, so each
 * lane contributes a power of two to a sum across lanes. */
#if CT_NEON

static inline unsigned ct_neon_bits4(uint32x4_t mask)
{
    static const uint32_t bits[] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(mask, vld1q_u32(bits)));
}

static inline unsigned ct_neon_bits2(uint64x2_t mask)
{
    static const uint64_t bits[] = {1, 2};
    return (unsigned)vaddvq_u64(vandq_u64(mask, vld1q_u64(bits)));
}

#endif

#endif
