/* correlation.c: compiles correlation_kernels.h for each instruction set; see correlation.h.
 *
 * The number of vector registers sets CT_QUERIES_IN_REGISTERS: two vectors of points by eight
 * queries need sixteen sums, two by four need eight. Sets with 32 registers take eight queries;
 * SSE2 and AVX2, with 16, take four; the base set of other processors takes eight.
 *
 * Kernels in double and in float share their source, so the operations that differ have two
 * macros: CT_D... for double, CT_F... for float. (VEC) casts between the compiler's vectors and
 * the types of intrinsics; no instruction results.
 */
#include "core/simd/correlation.h"
#include "core/metric/euclidean.h"
#include "core/simd/vector.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#if CT_X86
#include <immintrin.h>
#endif

/* SSE2 on x86, the compiler's own vector operations elsewhere. No fused multiply-add. */
#define CT_LABEL "base"
#define CT_NAME(f) f##_base
#define CT_TARGET
#define CT_WIDTH 2
#define CT_DFMA(a, b, c) ((a) * (b) + (c))
#define CT_FFMA(a, b, c) ((a) * (b) + (c))
#if CT_SSE2
#define CT_QUERIES_IN_REGISTERS 4
#else
#define CT_QUERIES_IN_REGISTERS 8
#endif
#define CT_FSPLAT(x) (VEC) CT_SPLAT4(x)
#define CT_DSQRT(a) (VEC) CT_SQRT2(a)
#define CT_FSQRT(a) (VEC) CT_SQRT4(a)
#define CT_DMIN(a, b) (VEC) CT_MIN2(a, b)
#define CT_FMIN(a, b) (VEC) CT_MIN4(a, b)
#define CT_DLESS(a, b) CT_LESS2(a, b)
#define CT_FLESS(a, b) CT_LESS4(a, b)
#include "core/simd/correlation_kernels.h"

/* 64-bit ARM: all processors have NEON. */
#if CT_NEON
#define CT_LABEL "neon"
#define CT_NAME(f) f##_neon
#define CT_TARGET
#define CT_WIDTH 2
#define CT_QUERIES_IN_REGISTERS 8
#define CT_DFMA(a, b, c) (VEC) vfmaq_f64((float64x2_t)(c), (float64x2_t)(a), (float64x2_t)(b))
#define CT_FFMA(a, b, c) (VEC) vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b))
/* One load brings the values of several queries, and the multiplication selects a lane; from
 * q[i] alone, gcc copies the value into all lanes first. */
#define CT_DSCALED(x, q, i, sum)                                                                   \
    (VEC) vfmaq_laneq_f64((float64x2_t)(sum), (float64x2_t)(x), vld1q_f64((q) + (i) / 2 * 2),      \
                          (i) % 2)
#define CT_FSCALED(x, q, i, sum)                                                                   \
    (VEC) vfmaq_laneq_f32((float32x4_t)(sum), (float32x4_t)(x), vld1q_f32((q) + (i) / 4 * 4),      \
                          (i) % 4)
#define CT_FSPLAT(x) (VEC) vdupq_n_f32(x)
#define CT_DSQRT(a) (VEC) vsqrtq_f64((float64x2_t)(a))
#define CT_FSQRT(a) (VEC) vsqrtq_f32((float32x4_t)(a))
#define CT_DMIN(a, b) (VEC) vminnmq_f64((float64x2_t)(a), (float64x2_t)(b))
#define CT_FMIN(a, b) (VEC) vminnmq_f32((float32x4_t)(a), (float32x4_t)(b))
#define CT_DLESS(a, b) ct_neon_bits2(vcltq_f64((float64x2_t)(a), (float64x2_t)(b)))
#define CT_FLESS(a, b) ct_neon_bits4(vcltq_f32((float32x4_t)(a), (float32x4_t)(b)))
#include "core/simd/correlation_kernels.h"
#endif

/* AVX2 with fused multiply-add: 16 registers of 4 doubles. */
#if CT_X86
#define CT_LABEL "avx2"
#define CT_NAME(f) f##_avx2
#define CT_TARGET __attribute__((target("avx2,fma")))
#define CT_WIDTH 4
#define CT_QUERIES_IN_REGISTERS 4
#define CT_DFMA(a, b, c) (VEC) _mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c))
#define CT_FFMA(a, b, c) (VEC) _mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c))
#define CT_FSPLAT(x) (VEC) _mm256_set1_ps(x)
#define CT_DSQRT(a) (VEC) _mm256_sqrt_pd((__m256d)(a))
#define CT_FSQRT(a) (VEC) _mm256_sqrt_ps((__m256)(a))
#define CT_DMIN(a, b) (VEC) _mm256_min_pd((__m256d)(a), (__m256d)(b))
#define CT_FMIN(a, b) (VEC) _mm256_min_ps((__m256)(a), (__m256)(b))
#define CT_DLESS(a, b)                                                                             \
    (unsigned)_mm256_movemask_pd(_mm256_cmp_pd((__m256d)(a), (__m256d)(b), _CMP_LT_OQ))
#define CT_FLESS(a, b)                                                                             \
    (unsigned)_mm256_movemask_ps(_mm256_cmp_ps((__m256)(a), (__m256)(b), _CMP_LT_OQ))
#include "core/simd/correlation_kernels.h"

/* AVX-512: 32 registers of 8 doubles, and comparisons that return bits. */
#define CT_LABEL "avx512"
#define CT_NAME(f) f##_avx512
#define CT_TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#define CT_WIDTH 8
#define CT_QUERIES_IN_REGISTERS 8
#define CT_DFMA(a, b, c) (VEC) _mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c))
#define CT_FFMA(a, b, c) (VEC) _mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c))
#define CT_FSPLAT(x) (VEC) _mm512_set1_ps(x)
#define CT_DSQRT(a) (VEC) _mm512_sqrt_pd((__m512d)(a))
#define CT_FSQRT(a) (VEC) _mm512_sqrt_ps((__m512)(a))
#define CT_DMIN(a, b) (VEC) _mm512_min_pd((__m512d)(a), (__m512d)(b))
#define CT_FMIN(a, b) (VEC) _mm512_min_ps((__m512)(a), (__m512)(b))
#define CT_DLESS(a, b) (unsigned)_mm512_cmp_pd_mask((__m512d)(a), (__m512d)(b), _CMP_LT_OQ)
#define CT_FLESS(a, b) (unsigned)_mm512_cmp_ps_mask((__m512)(a), (__m512)(b), _CMP_LT_OQ)
#include "core/simd/correlation_kernels.h"
#endif

const struct ct_correlation_kernels *ct_correlation_kernels(enum ct_simd_level level)
{
#if CT_X86
    if (level == CT_SIMD_AVX512)
        return &correlation_kernels_avx512;
    if (level == CT_SIMD_AVX2)
        return &correlation_kernels_avx2;
#endif
#if CT_NEON
    if (level >= CT_SIMD_NEON)
        return &correlation_kernels_neon;
#endif
    (void)level;
    return &correlation_kernels_base;
}
