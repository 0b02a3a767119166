/* ct_dots.c: compile the kernels for each instruction set, as ct_simd.c does.
 *
 * Registers decide how many queries go abreast: two vectors of points by eight
 * queries keep sixteen sums, two by four keep eight.
 */
#include "ct_dots.h"
#include "ct_distance.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define CT_X86 1
#include <immintrin.h>
#else
#define CT_X86 0
#endif

#define CT_LABEL "base"
#define CT_NAME(f) f##_base
#define CT_TARGET
#define CT_WIDTH 2
#define CT_DFMA(a, b, c) ((a) * (b) + (c))
#define CT_FFMA(a, b, c) ((a) * (b) + (c))
#if CT_X86
#define CT_ABREAST 4
#define CT_DSQRT(a) (VEC) _mm_sqrt_pd((__m128d)(a))
#define CT_FSQRT(a) (VEC) _mm_sqrt_ps((__m128)(a))
#define CT_DMIN(a, b) (VEC) _mm_min_pd((__m128d)(a), (__m128d)(b))
#define CT_FMIN(a, b) (VEC) _mm_min_ps((__m128)(a), (__m128)(b))
#define CT_DLESS(a, b) (unsigned)_mm_movemask_pd(_mm_cmplt_pd((__m128d)(a), (__m128d)(b)))
#define CT_FLESS(a, b) (unsigned)_mm_movemask_ps(_mm_cmplt_ps((__m128)(a), (__m128)(b)))
#else
#define CT_ABREAST 8
#define CT_DSQRT(a) ((VEC){sqrt((a)[0]), sqrt((a)[1])})
#define CT_FSQRT(a) ((VEC){sqrtf((a)[0]), sqrtf((a)[1]), sqrtf((a)[2]), sqrtf((a)[3])})
#define CT_DMIN(a, b) (VEC)(((MASK)((a) < (b)) & (MASK)(a)) | (~(MASK)((a) < (b)) & (MASK)(b)))
#define CT_FMIN(a, b) CT_DMIN(a, b)
#define CT_DLESS(a, b) ((unsigned)((a)[0] < (b)[0]) | (unsigned)((a)[1] < (b)[1]) << 1)
#define CT_FLESS(a, b)                                                                             \
    ((unsigned)((a)[0] < (b)[0]) | (unsigned)((a)[1] < (b)[1]) << 1 |                              \
     (unsigned)((a)[2] < (b)[2]) << 2 | (unsigned)((a)[3] < (b)[3]) << 3)
#endif
#include "ct_dots_kernels.h"

#if CT_X86
#define CT_LABEL "avx2"
#define CT_NAME(f) f##_avx2
#define CT_TARGET __attribute__((target("avx2,fma")))
#define CT_WIDTH 4
#define CT_ABREAST 4
#define CT_DFMA(a, b, c) (VEC) _mm256_fmadd_pd((__m256d)(a), (__m256d)(b), (__m256d)(c))
#define CT_FFMA(a, b, c) (VEC) _mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c))
#define CT_DSQRT(a) (VEC) _mm256_sqrt_pd((__m256d)(a))
#define CT_FSQRT(a) (VEC) _mm256_sqrt_ps((__m256)(a))
#define CT_DMIN(a, b) (VEC) _mm256_min_pd((__m256d)(a), (__m256d)(b))
#define CT_FMIN(a, b) (VEC) _mm256_min_ps((__m256)(a), (__m256)(b))
#define CT_DLESS(a, b)                                                                             \
    (unsigned)_mm256_movemask_pd(_mm256_cmp_pd((__m256d)(a), (__m256d)(b), _CMP_LT_OQ))
#define CT_FLESS(a, b)                                                                             \
    (unsigned)_mm256_movemask_ps(_mm256_cmp_ps((__m256)(a), (__m256)(b), _CMP_LT_OQ))
#include "ct_dots_kernels.h"

#define CT_LABEL "avx512"
#define CT_NAME(f) f##_avx512
#define CT_TARGET __attribute__((target("avx512f,avx512dq,avx512vl")))
#define CT_WIDTH 8
#define CT_ABREAST 8
#define CT_DFMA(a, b, c) (VEC) _mm512_fmadd_pd((__m512d)(a), (__m512d)(b), (__m512d)(c))
#define CT_FFMA(a, b, c) (VEC) _mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c))
#define CT_DSQRT(a) (VEC) _mm512_sqrt_pd((__m512d)(a))
#define CT_FSQRT(a) (VEC) _mm512_sqrt_ps((__m512)(a))
#define CT_DMIN(a, b) (VEC) _mm512_min_pd((__m512d)(a), (__m512d)(b))
#define CT_FMIN(a, b) (VEC) _mm512_min_ps((__m512)(a), (__m512)(b))
#define CT_DLESS(a, b) (unsigned)_mm512_cmp_pd_mask((__m512d)(a), (__m512d)(b), _CMP_LT_OQ)
#define CT_FLESS(a, b) (unsigned)_mm512_cmp_ps_mask((__m512)(a), (__m512)(b), _CMP_LT_OQ)
#include "ct_dots_kernels.h"
#endif

const struct ct_dots *ct_dots(enum ct_simd_level level)
{
#if CT_X86
    if (level == CT_SIMD_AVX512)
        return &dots_avx512;
    if (level == CT_SIMD_AVX2)
        return &dots_avx2;
#endif
    (void)level;
    return &dots_base;
}
