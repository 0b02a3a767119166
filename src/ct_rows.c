/* ct_rows.c: compile the kernels for each instruction set, as ct_simd.c does. */
#include "ct_rows.h"
#include "ct_distance.h"
#include "ct_dots.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define CT_X86 1
#include <immintrin.h>
#else
#define CT_X86 0
#endif

#if CT_X86
static inline int32_t sum_base(__m128i x)
{
    x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}

__attribute__((target("avx2"))) static inline int32_t sum_avx2(__m256i x)
{
    return sum_base(_mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1)));
}

#define CT_512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))

CT_512 static inline int32_t sum_avx512(__m512i x)
{
    return sum_avx2(_mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1)));
}

#define WHOLE __m128i
#define WHOLE_SUM sum_base
#define WHOLE_LOAD(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define WHOLE_ADD _mm_add_epi32
#define WHOLE_PAIRS _mm_madd_epi16
#endif
#define CT_TARGET
#define BYTES 16
#define CT_NAME(f) f##_base
#include "ct_rows_kernels.h"

#if CT_X86
#define WHOLE __m256i
#define WHOLE_SUM sum_avx2
#define WHOLE_LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define WHOLE_ADD _mm256_add_epi32
#define WHOLE_PAIRS _mm256_madd_epi16
#define CT_TARGET __attribute__((target("avx2")))
#define BYTES 32
#define CT_NAME(f) f##_avx2
#include "ct_rows_kernels.h"

#define WHOLE __m512i
#define WHOLE_SUM sum_avx512
#define WHOLE_LOAD(p) _mm512_loadu_si512((const void *)(p))
#define WHOLE_ADD _mm512_add_epi32
#define WHOLE_PAIRS _mm512_madd_epi16
#define CT_TARGET CT_512
#define BYTES 64
#define CT_NAME(f) f##_avx512
#include "ct_rows_kernels.h"
#endif

const struct ct_rows *ct_rows(enum ct_simd_level level)
{
    static const struct ct_rows sets[] = {
        {fine_base, coarse_base},
#if CT_X86
        {fine_avx2, coarse_avx2},
        {fine_avx512, coarse_avx512},
#endif
    };
    int known = (int)(sizeof sets / sizeof *sets);
    return &sets[(int)level < known ? (int)level : known - 1];
}
