/* ct_simd.h: the vector kernels and the choice among them.
 *
 * Each kernel exists once, in ct_kernels.h, and is compiled for every
 * instruction set the compiler knows; the processor decides at run time which
 * one is used. All give the same bits, so the choice shows only in time.
 */
#ifndef CT_SIMD_H
#define CT_SIMD_H

#include <stddef.h>

enum ct_simd_level { CT_SIMD_BASE, CT_SIMD_AVX2, CT_SIMD_AVX512, CT_SIMD_LEVELS };

struct ct_kernels {
    const char *name;
    /* out[i] = squared distance of q to point i of count; ld doubles lie
     * between the columns of x. */
    void (*sqdist)(const double *x, size_t ld, int d, int count, const double *q, double *out);
    /* out[i] = squared distance of q to box i of count. */
    void (*box_sqdist)(const double *lower, const double *upper, size_t ld, int d, int count,
                       const double *q, double *out);
};

enum ct_simd_level ct_simd_best(void);
const struct ct_kernels *ct_kernels(enum ct_simd_level level);

#endif
