/* quantize.h: v in whole multiples of a unit, in 16 bits, for a walk over many points.
 *
 * A walk is bound by the memory that it reads, and this is a quarter of what v itself
 * takes. A vector is at most CT_QUANTIZED_MAX_NORM units long; so, by Cauchy and Schwarz, no
 * sum of products of two of them, nor of a part of their numbers, leaves 32 bits, and
 * sums are exact: the same in every order, on every machine.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_QUANTIZE_H
#define COVERTREE_RESIDUAL_APPROX_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

enum {
    CT_QUANTIZED_LANES = 32, /* vectors are padded to runs of so many numbers */
    CT_QUANTIZED_MAX_NORM = 32000
};

struct ct_quantized {
    const int16_t *v;
    double unit;
};

/* From one vector to the next. */
static inline size_t ct_quantized_stride(int m)
{
    return ((size_t)m + CT_QUANTIZED_LANES - 1) / CT_QUANTIZED_LANES * CT_QUANTIZED_LANES;
}

/* The unit for vectors that are at most that of the longest of n. Not finite, if their
 * lengths are not. */
double ct_quantization_unit(const double *v, int m, int n);

/* v of n points in units, with zeros after m; row: which points, from 1, in which order,
 * or NULL for all as they are. */
struct ct_host;
void ct_quantize(const struct ct_host *host, const double *v, int m, const int *row, int n,
                 double unit, int threads, int16_t *to);

/* The same for one vector. */
void ct_quantize_vector(const double *v, int m, double unit, int16_t *to);

/* What rounding to units does to a dot product: four standard errors of it, if what is
 * rounded off is even in all directions. */
static inline double ct_quantization_error(double unit)
{
    return 4 * 0.41 * CT_QUANTIZED_MAX_NORM * unit * unit;
}

#endif
