/* quantize.h: scalar quantization of the factors v to 16 bits.
 *
 * The approximate search is bound by memory bandwidth, and quantized v takes a quarter of
 * the bytes of v. A coordinate is stored as the nearest whole multiple of a unit. The unit
 * is such that the norm of every vector is at most CT_QUANTIZED_MAX_NORM units. Rounding
 * adds at most sqrt(m) / 2 to that, so the norm in whole numbers is below 46340 for m up to
 * 8e8. By Cauchy and Schwarz, the dot product of two vectors, and of the same part of both,
 * is then less than 2^31 in absolute value: sums in 32 bits do not overflow, and are exact,
 * hence the same in every order and on every machine.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_QUANTIZE_H
#define COVERTREE_RESIDUAL_APPROX_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

struct ct_host;

enum {
    CT_QUANTIZED_LANES = 32, /* coordinates of a vector are padded to a multiple of this */
    CT_QUANTIZED_MAX_NORM = 32000
};

struct ct_quantized {
    const int16_t *v; /* [n * ct_quantized_stride(m)] vector after vector, zeros after m */
    double unit;      /* the value that the whole number 1 stands for */
};

/* The distance from one vector to the next, in numbers. */
static inline size_t ct_quantized_stride(int m)
{
    return ((size_t)m + CT_QUANTIZED_LANES - 1) / CT_QUANTIZED_LANES * CT_QUANTIZED_LANES;
}

/* The unit for n vectors v [n * ct_v_stride(m)]: the largest norm over
 * CT_QUANTIZED_MAX_NORM, or 1 if all vectors are zero. Not finite if the square of a norm
 * is not; quantized v must not be used then. */
double ct_quantization_unit(const double *v, int m, int n);

/* Quantizes n vectors: vector i of `to` is that of row[i], from 1, or of row i + 1 if row is
 * NULL. unit: finite, at least ct_quantization_unit() of the vectors. */
void ct_quantize(const struct ct_host *host, const double *v, int m, const int *row, int n,
                 double unit, int threads, int16_t *to);

/* The same for one vector; writes [ct_quantized_stride(m)] numbers. */
void ct_quantize_vector(const double *v, int m, double unit, int16_t *to);

/* The error of the dot product of two quantized vectors that is exceeded only as an
 * exception: four standard errors. It is no bound. Rounding moves a coordinate by at most
 * half a unit, with a standard deviation of unit / sqrt(12), about 0.29 units. If these
 * errors are independent of the vectors, each vector adds a normal error with a standard
 * deviation of 0.29 units times the norm of the other vector, at most
 * CT_QUANTIZED_MAX_NORM units. Both together: sqrt(2) * 0.29 = 0.41. */
static inline double ct_quantization_error(double unit)
{
    return 4 * 0.41 * CT_QUANTIZED_MAX_NORM * unit * unit;
}

#endif
