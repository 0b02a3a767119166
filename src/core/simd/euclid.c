/* euclid.c: the kernels of euclid.h, compiled for each instruction set.
 *
 * For each set: the operations without an operator in C, then euclid_kernels.h, which
 * undefines them again. The functions of a set must only run on a processor that has the
 * set: ct_kernels() and isa.h take care of that.
 *
 * The base set is SSE2 on x86, and the compiler's own vector operations elsewhere. 64-bit
 * ARM always has NEON, whose float32 kernels have another shape.
 */
#include "core/simd/euclid.h"
#include "core/metric/euclidean.h"
#include "core/simd/vector.h"

#include <limits.h>
#include <math.h>

#if CT_X86
#include <immintrin.h>
#endif

/* Stores the lanes whose bits are set, packed: one instruction in AVX-512. */
static inline void pack_lanes(float *sq, int *pos, unsigned bits, const float *a, const int *b)
{
    for (; bits; bits &= bits - 1) {
        int lane = __builtin_ctz(bits);
        *sq++ = a[lane];
        *pos++ = b[lane];
    }
}

/* Returns the bits whose rows are eligible for the query of a candidate buffer. */
static inline unsigned eligible_bits(unsigned bits, const int *row,
                                     const struct ct_candidates *list)
{
    unsigned eligible = 0;
    for (; bits; bits &= bits - 1) {
        int lane = __builtin_ctz(bits);
        eligible |= (unsigned)(row[lane] <= list->max_row && row[lane] != list->skip_row) << lane;
    }
    return eligible;
}

/* pack_lanes() for vectors in place of arrays; vectors may alias any type. */
#define CT_PACK_PLAIN(sq, pos, bits, a, b)                                                         \
    pack_lanes(sq, pos, bits, (const float *)&(a), (const int *)&(b))

/* Sets the ints whose bits are set. */
static inline void set_ints(int *to, unsigned bits, int value)
{
    for (; bits; bits &= bits - 1)
        to[__builtin_ctz(bits)] = value;
}

/* A sum of squares over d coordinates is compared with the threshold after every 8
 * coordinates, and not again within the last 16, where a comparison costs more than it
 * saves. Returns the coordinate up to which to sum next, from coordinate j. */
#define CT_STOP(j, d) ((d) - (j) < 16 ? (d) : (j) + 8)

/* A function whose copies for constant arguments are worth their size. */
#define CT_INLINE static inline __attribute__((always_inline))

/* ---- the base set --------------------------------------------------------- */

/* Vectors of 16 bytes: SSE2, or what the compiler makes of them. CT_COUNT looks the number of
 * bits up in a table of 16 hexadecimal digits, one per outcome of a comparison: a population
 * count instruction is not part of the base set. */
#define CT_LABEL "base"
#define CT_NAME(f) f##_base
#define CT_TARGET
#define CT_WIDTH 2
#define CT_FMA(a, b, c) ((a) * (b) + (c))
#define CT_COUNT(bits) (int)(0x4332322132212110ull >> 4 * (bits)&15)
#define CT_PACK CT_PACK_PLAIN
#define CT_ELIGIBLE eligible_bits
#define CT_SET_INTS set_ints
#define CT_FSPLAT(x) (FVEC) CT_SPLAT4(x)
#define CT_FMAX(a, b) (FVEC) CT_MAX4(a, b)
#define CT_FMIN(a, b) (FVEC) CT_MIN4(a, b)
#define CT_LARGER_SQUARE(a, b) CT_FMAX(a, b)
#define CT_SMALLER_SQUARE(a, b) CT_FMIN(a, b)
#define CT_COUNT_BELOW(a, b) CT_COUNT(CT_BELOW4(a, b))
#define CT_DWITHIN(a, b) CT_AT_MOST2(a, b)
#define CT_WITHIN(a, b) CT_AT_MOST4(a, b)
#define CT_SCALED(x, q, i, sum) ((x)*CT_FSPLAT((q)[i]) + (sum))
#if CT_SSE2
#define CT_QUERIES_IN_REGISTERS 4
#else
#define CT_QUERIES_IN_REGISTERS 8
#endif
#include "core/simd/euclid_kernels.h"

/* ---- NEON ----------------------------------------------------------------- */

/* Always available on 64-bit ARM, hence no attribute. The double kernels are the common
 * ones; neon_kernels.h and neon_sum_kernels.h replace the float32 kernels. */
#if CT_NEON
#define CT_LABEL "neon"
#define CT_NAME(f) f##_neon
#define CT_UNFUSED(f) f##_neon_unfused
#define CT_TARGET
#define CT_WIDTH 2
#define CT_FLOAT_NEON
#define CT_SET_INTS set_ints
#define CT_FMA(a, b, c) vfmaq_f32(c, a, b)
#define CT_FSPLAT(x) (FVEC) CT_SPLAT4(x)
#define CT_DWITHIN(a, b) ct_neon_bits2(vcleq_f64((float64x2_t)(a), (float64x2_t)(b)))
#define CT_WITHIN(a, b) ct_neon_bits4(vcleq_f32((float32x4_t)(a), (float32x4_t)(b)))
/* One load brings the values of four queries, and the multiplication selects a lane. */
#define CT_SCALED(x, q, i, sum)                                                                    \
    (FVEC) vfmaq_laneq_f32((float32x4_t)(sum), (float32x4_t)(x), vld1q_f32((q) + (i) / 4 * 4),     \
                           (i) % 4)
#define CT_QUERIES_IN_REGISTERS 8
#include "core/simd/euclid_kernels.h"
#endif

/* ---- AVX2 ----------------------------------------------------------------- */

/* Vectors of 32 bytes. A comparison gives a mask in a vector register, from which movemask
 * takes one bit per lane. */
#if CT_X86
#define CT_LABEL "avx2"
#define CT_NAME(f) f##_avx2
#define CT_UNFUSED(f) f##_avx2_unfused
#define CT_TARGET __attribute__((target("avx2,fma,popcnt")))
#define CT_WIDTH 4
#define CT_COUNT(bits) __builtin_popcount(bits)
#define CT_PACK CT_PACK_PLAIN
#define CT_ELIGIBLE eligible_bits
#define CT_SET_INTS set_ints
#define CT_FMA(a, b, c) (FVEC) _mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c))
#define CT_FSPLAT(x) (FVEC) _mm256_set1_ps(x)
#define CT_FMAX(a, b) (FVEC) _mm256_max_ps((__m256)(a), (__m256)(b))
#define CT_FMIN(a, b) (FVEC) _mm256_min_ps((__m256)(a), (__m256)(b))
#define CT_LARGER_SQUARE(a, b) (FVEC) _mm256_max_epi32((__m256i)(a), (__m256i)(b))
#define CT_SMALLER_SQUARE(a, b) (FVEC) _mm256_min_epi32((__m256i)(a), (__m256i)(b))
#define CT_COUNT_BELOW(a, b) CT_COUNT(_mm256_movemask_ps((__m256)((a) < (b))))
#define CT_DWITHIN(a, b)                                                                           \
    (unsigned)_mm256_movemask_pd(_mm256_cmp_pd((__m256d)(a), (__m256d)(b), _CMP_LE_OQ))
#define CT_WITHIN(a, b)                                                                            \
    (unsigned)_mm256_movemask_ps(_mm256_cmp_ps((__m256)(a), (__m256)(b), _CMP_LE_OQ))
#define CT_SCALED(x, q, i, sum) CT_FMA(x, CT_FSPLAT((q)[i]), sum)
#define CT_QUERIES_IN_REGISTERS 4
#include "core/simd/euclid_kernels.h"

/* ---- AVX-512 -------------------------------------------------------------- */

/* Vectors of 64 bytes: a tile is one vector of floats. Comparisons give bits directly, and
 * masked instructions pack lanes and leave absent ones unread. Conversions between vector
 * types, here and above, cost nothing: they change the type, not the bits. */
#define CT_512 __attribute__((target("avx512f,avx512dq,avx512vl,popcnt")))

/* Two comparisons of a whole vector of rows, under a mask; absent rows are not read. */
CT_512 static inline unsigned eligible_avx512(unsigned bits, const int *row,
                                              const struct ct_candidates *list)
{
    __m512i rows = _mm512_maskz_loadu_epi32((__mmask16)bits, row);
    __mmask16 early =
        _mm512_mask_cmple_epi32_mask((__mmask16)bits, rows, _mm512_set1_epi32(list->max_row));
    return _mm512_mask_cmpneq_epi32_mask(early, rows, _mm512_set1_epi32(list->skip_row));
}

/* Packs in a register first: compressing stores are slow on some processors. */
CT_512 static inline void pack_avx512(float *sq, int *pos, unsigned bits, __m512 a, __m512i b)
{
    _mm512_storeu_ps(sq, _mm512_maskz_compress_ps((__mmask16)bits, a));
    _mm512_storeu_si512(pos, _mm512_maskz_compress_epi32((__mmask16)bits, b));
}

#define CT_LABEL "avx512"
#define CT_NAME(f) f##_avx512
#define CT_UNFUSED(f) f##_avx512_unfused
#define CT_TARGET CT_512
#define CT_WIDTH 8
#define CT_COUNT(bits) __builtin_popcount(bits)
#define CT_PACK(sq, pos, bits, a, b) pack_avx512(sq, pos, bits, (__m512)(a), (__m512i)(b))
#define CT_ELIGIBLE eligible_avx512
#define CT_SET_INTS(to, bits, value)                                                               \
    _mm512_mask_storeu_epi32(to, (__mmask16)(bits), _mm512_set1_epi32(value))
#define CT_FMA(a, b, c) (FVEC) _mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c))
#define CT_FSPLAT(x) (FVEC) _mm512_set1_ps(x)
#define CT_FMAX(a, b) (FVEC) _mm512_max_ps((__m512)(a), (__m512)(b))
#define CT_FMIN(a, b) (FVEC) _mm512_min_ps((__m512)(a), (__m512)(b))
#define CT_LARGER_SQUARE(a, b) (FVEC) _mm512_max_epi32((__m512i)(a), (__m512i)(b))
#define CT_SMALLER_SQUARE(a, b) (FVEC) _mm512_min_epi32((__m512i)(a), (__m512i)(b))
#define CT_COUNT_BELOW(a, b) CT_COUNT(_mm512_cmplt_epi32_mask((__m512i)(a), (__m512i)(b)))
#define CT_DWITHIN(a, b) (unsigned)_mm512_cmp_pd_mask((__m512d)(a), (__m512d)(b), _CMP_LE_OQ)
#define CT_WITHIN(a, b) (unsigned)_mm512_cmp_ps_mask((__m512)(a), (__m512)(b), _CMP_LE_OQ)
#define CT_SCALED(x, q, i, sum) CT_FMA(x, CT_FSPLAT((q)[i]), sum)
#define CT_QUERIES_IN_REGISTERS 8
#include "core/simd/euclid_kernels.h"
#endif

/* ---- the choice ----------------------------------------------------------- */

const struct ct_kernels *ct_kernels(enum ct_simd_level level)
{
#if CT_X86
    if (level == CT_SIMD_AVX512)
        return &kernels_avx512;
    if (level == CT_SIMD_AVX2)
        return &kernels_avx2;
#endif
#if CT_NEON
    if (level >= CT_SIMD_NEON)
        return &kernels_neon;
#endif
    (void)level;
    return &kernels_base;
}
