/* popcount.c: see popcount.h. */
#include "core/simd/popcount.h"

#include <string.h>

/* Returns the number of bits of a word: sums over groups of 2, 4 and 8 bits, then over the 8 bytes
 * by a product. */
static inline int count_bits(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int)(x * 0x0101010101010101u >> 56);
}

static void common_bits_base(const uint64_t *x, size_t ld, int words, int count, const uint64_t *q,
                             int *common)
{
    memset(common, 0, (size_t)count * sizeof *common);
    for (int w = 0; w < words; w++)
        for (int i = 0; i < count; i++)
            common[i] += count_bits(x[i + (size_t)w * ld] & q[w]);
}

#if CT_X86
__attribute__((target("popcnt"))) static void common_bits_popcnt(const uint64_t *x, size_t ld,
                                                                 int words, int count,
                                                                 const uint64_t *q, int *common)
{
    memset(common, 0, (size_t)count * sizeof *common);
    for (int w = 0; w < words; w++)
        for (int i = 0; i < count; i++)
            common[i] += (int)__builtin_popcountll(x[i + (size_t)w * ld] & q[w]);
}
#endif

ct_common_bits *ct_common_bits_for(enum ct_simd_level level)
{
#if CT_X86
    if (level >= CT_SIMD_AVX2)
        return common_bits_popcnt;
#endif
    (void)level;
    return common_bits_base;
}
