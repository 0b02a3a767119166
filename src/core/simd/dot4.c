/* dot4.c: compiles dot4_kernels.h for each instruction set; see dot4.h.
 *
 * INT_VEC is a vector of int16, or of the int32 sums of their products; without it, plain C
 * computes the integer dot products.
 */
#include "core/simd/dot4.h"
#include "core/metric/euclidean.h"
#include "core/simd/correlation.h"
#include "core/simd/vector.h"

#if CT_X86
#include <immintrin.h>
#endif

/* The base set: SSE2 multiplies eight pairs of int16 and adds neighboring products (madd). */
#if CT_SSE2
/* The sum of the lanes; also sum_i32_avx2() and sum_i32_avx512(), by halves. */
static inline int32_t sum_i32_base(__m128i x)
{
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}

#define INT_VEC __m128i
#define INT_SUM sum_i32_base
#define INT_LOAD(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define INT_MULTIPLY_ADD(sum, x, y) _mm_add_epi32(sum, _mm_madd_epi16(x, y))
#endif
#define CT_TARGET
#define BYTES 16
#define CT_NAME(f) f##_base
#include "core/simd/dot4_kernels.h"

/* NEON widens: two instructions for eight products. */
#if CT_NEON
static inline int32x4_t multiply_add_neon(int32x4_t sum, int32x4_t x, int32x4_t y)
{
    int16x8_t a = vreinterpretq_s16_s32(x), b = vreinterpretq_s16_s32(y);
    return vmlal_high_s16(vmlal_s16(sum, vget_low_s16(a), vget_low_s16(b)), a, b);
}

#define INT_VEC int32x4_t
#define INT_SUM vaddvq_s32
#define INT_LOAD(p) vreinterpretq_s32_s16(vld1q_s16(p))
#define INT_MULTIPLY_ADD multiply_add_neon
#define CT_TARGET
#define BYTES 16
#define CT_NAME(f) f##_neon
#include "core/simd/dot4_kernels.h"
#endif

/* AVX2 and AVX-512: madd of 16 and 32 pairs. */
#if CT_X86
__attribute__((target("avx2"))) static inline int32_t sum_i32_avx2(__m256i x)
{
    return sum_i32_base(_mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)));
}

#define CT_TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

CT_TARGET_AVX512 static inline int32_t sum_i32_avx512(__m512i x)
{
    return sum_i32_avx2(
        _mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1)));
}

#define INT_VEC __m256i
#define INT_SUM sum_i32_avx2
#define INT_LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define INT_MULTIPLY_ADD(sum, x, y) _mm256_add_epi32(sum, _mm256_madd_epi16(x, y))
#define CT_TARGET __attribute__((target("avx2")))
#define BYTES 32
#define CT_NAME(f) f##_avx2
#include "core/simd/dot4_kernels.h"

#define INT_VEC __m512i
#define INT_SUM sum_i32_avx512
#define INT_LOAD(p) _mm512_loadu_si512((const void *)(p))
#define INT_MULTIPLY_ADD(sum, x, y) _mm512_add_epi32(sum, _mm512_madd_epi16(x, y))
#define CT_TARGET CT_TARGET_AVX512
#define BYTES 64
#define CT_NAME(f) f##_avx512
#include "core/simd/dot4_kernels.h"
#endif

const struct ct_dot4_kernels *ct_dot4_kernels(enum ct_simd_level level)
{
    /* In the order of enum ct_simd_level. */
    static const struct ct_dot4_kernels sets[] = {
        {dot_f64_base, dot_i16_base},
#if CT_NEON
        {dot_f64_neon, dot_i16_neon},
#endif
#if CT_X86
        {dot_f64_avx2, dot_i16_avx2},
        {dot_f64_avx512, dot_i16_avx512},
#endif
    };
    int compiled = (int)(sizeof sets / sizeof *sets);
    return &sets[(int)level < compiled ? (int)level : compiled - 1];
}
