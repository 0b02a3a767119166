/* dot4.h: dot products of one vector with four vectors anywhere in memory.
 *
 * Used by the approximate residual search, whose candidates do not lie side by side: four
 * independent sums hide the latency of the additions, and each value of the common vector is
 * loaded once. In double the results have the bits of the exact dot product of correlation.h;
 * in int16 they are exact integers, and a quarter of the memory is read.
 */
#ifndef COVERTREE_SIMD_DOT4_H
#define COVERTREE_SIMD_DOT4_H

#include "core/simd/isa.h"

#include <stddef.h>
#include <stdint.h>

enum { CT_DOT4_COUNT = 4 }; /* vectors of a call */

/* to[i] = dot product of v and w[i], i < CT_DOT4_COUNT, over `length` values. */
struct ct_dot4_kernels {
    /* length is a multiple of CT_V_LANES. */
    void (*dot_f64)(const double *v, const double *const *w, size_t length, double *to);
    /* Vectors as core/residual_approx/quantize.h makes them: length is a multiple of
     * CT_QUANTIZED_LANES, and the norms are so small that no sum overflows. */
    void (*dot_i16)(const int16_t *v, const int16_t *const *w, size_t length, int32_t *to);
};

/* The kernels of an instruction set level, or of the best lower level that the compiler
 * supports. Static memory; constant time. */
const struct ct_dot4_kernels *ct_dot4_kernels(enum ct_simd_level level);

#endif
