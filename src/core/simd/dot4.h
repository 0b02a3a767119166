/* dot4.h: dot products of one vector with a few others that lie anywhere.
 *
 * In double they are the exact ones of correlation.h, to the bit. Those of coarse vectors
 * (residual_approx/quantize.h) are whole numbers.
 */
#ifndef COVERTREE_SIMD_DOT4_H
#define COVERTREE_SIMD_DOT4_H

#include "core/simd/euclid.h"

#include <stdint.h>

enum { CT_DOT4_COUNT = 4 }; /* vectors that are met together */

/* to[i] = dot product of v and w[i], i < CT_DOT4_COUNT, of `stride` numbers. */
struct ct_dot4_kernels {
    void (*fine)(const double *v, const double *const *w, size_t stride, double *to);
    void (*coarse)(const int16_t *v, const int16_t *const *w, size_t stride, int32_t *to);
};

/* The kernels of a level; of a lower one, if the compiler does not know it. */
const struct ct_dot4_kernels *ct_dot4_kernels(enum ct_simd_level level);

#endif
