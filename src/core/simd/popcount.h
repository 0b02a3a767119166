/* popcount.h: the number of common elements of two sets of bits.
 *
 * Used by the pair scan of sets. One instruction for 64 elements, if the processor counts bits.
 */
#ifndef COVERTREE_SIMD_POPCOUNT_H
#define COVERTREE_SIMD_POPCOUNT_H

#include "core/simd/isa.h"

#include <stddef.h>
#include <stdint.h>

/* Computes common[i] [count], the number of bits that set i of x and the set q [words] have in
 * common. Word w of set i is x[i + w * ld]. */
typedef void ct_common_bits(const uint64_t *x, size_t ld, int words, int count, const uint64_t *q,
                            int *common);

/* Returns the function for a level. */
ct_common_bits *ct_common_bits_for(enum ct_simd_level level);

#endif
