/* correlation_kernels.h: the kernels of correlation.h, for one instruction set.
 *
 * correlation.c includes this file once per instruction set. It defines before
 *   CT_LABEL, CT_NAME(f)     the name of the instruction set, and the name of f for the set,
 *   CT_TARGET                the attribute that allows the instruction set inside a function,
 *   CT_WIDTH                 doubles in a vector; a vector holds twice as many floats,
 *   CT_QUERIES_IN_REGISTERS  queries whose sums with two vectors of points fit in registers: 4, 8,
 *   CT_DFMA, CT_DSQRT, CT_DMIN, CT_DLESS, and CT_DSCALED or nothing, for double: FUSED, SQRT, MIN,
 *                            LESS and SCALED of filter_kernels.h,
 *   CT_FFMA, CT_FSQRT, CT_FMIN, CT_FLESS, CT_FSPLAT, and CT_FSCALED or nothing, for float.
 * No include guard, on purpose.
 *
 * The exact kernels use correctly rounded operations (+, -, * and square roots) in a fixed order.
 * The filter kernels may fuse and reorder.
 */

/* Vectors may alias arrays of their elements and need only the alignment of an element. */
typedef double CT_NAME(dvec) __attribute__((vector_size(8 * CT_WIDTH), aligned(8), may_alias));
typedef uint64_t CT_NAME(dbits) __attribute__((vector_size(8 * CT_WIDTH)));
typedef float CT_NAME(fvec) __attribute__((vector_size(8 * CT_WIDTH), aligned(4), may_alias));
typedef uint32_t CT_NAME(fbits) __attribute__((vector_size(8 * CT_WIDTH)));
/* Without an instruction that multiplies by one lane, q[i] is copied to all lanes. */
#ifndef CT_DSCALED
#define CT_DSCALED(x, q, i, sum) CT_DFMA(x, SPLAT(q[i]), sum)
#define CT_FSCALED(x, q, i, sum) CT_FFMA(x, SPLAT(q[i]), sum)
#endif
#define LOAD(p) (*(const VEC *)(p))
#define STORE(p, v) (*(VEC *)(p) = (v))

/* ---- exact kernels, in double ---- */

#define REAL double
#define VEC CT_NAME(dvec)
#define MASK CT_NAME(dbits)
#define WIDTH CT_WIDTH
#define SPLAT(x) ((x) - (VEC){0})
#define SQRT(a) CT_DSQRT(a)
#define MIN(a, b) CT_DMIN(a, b)
#define LESS(a, b) CT_DLESS(a, b)
#define EXP_FLOAT 0

/* Two roundings, in every instruction set. */
#define FUSED(a, b, c) ((a) * (b) + (c))
#define EXP_COVARIANCE(a, linear, quadratic) CT_NAME(exact_exp_covariance)(a, linear, quadratic)
#include "core/simd/exp_kernels.h"
#undef EXP_COVARIANCE
#undef FUSED

/* Partial sum i adds the terms i, i + CT_V_LANES, ... in order; then the upper half of the partial
 * sums is added to the lower half until one is left. The order of operations does not depend on
 * WIDTH. */
CT_TARGET static double CT_NAME(exact_dot)(const double *v, const double *w, size_t length)
{
    double sums[CT_V_LANES]; /* two vectors of partial sums at a time stay in registers */
    for (int part = 0; part < CT_V_LANES; part += 2 * WIDTH) {
        VEC a = {0}, b = {0};
        for (size_t i = part; i < length; i += CT_V_LANES) {
            a += LOAD(v + i) * LOAD(w + i);
            b += LOAD(v + i + WIDTH) * LOAD(w + i + WIDTH);
        }
        STORE(sums + part, a);
        STORE(sums + part + WIDTH, b);
    }
    for (int half = CT_V_LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            sums[i] += sums[i + half];
    return sums[0];
}

/* The covariance is 0 where exp(-a) would be below the normal range. The last count % WIDTH values
 * go through a buffer, since x may end there. */
CT_TARGET static void CT_NAME(exact_covariance)(const struct ct_covariance_shape *shape,
                                                double variance, int count, double *x)
{
    const VEC linear = SPLAT(shape->linear), quadratic = SPLAT(shape->quadratic);
    for (int i = 0; i < count; i += WIDTH) {
        double buffer[WIDTH] = {0}, *at = count - i < WIDTH ? buffer : x + i;
        for (int lane = 0; at == buffer && lane < count - i; lane++)
            buffer[lane] = x[i + lane];
        VEC sq = LOAD(at);
        VEC a = (shape->squared ? sq : SQRT(sq)) * shape->scale;
        VEC k = CT_NAME(exact_exp_covariance)(MIN(a, SPLAT(708.0)), linear, quadratic) * variance;
        STORE(at, (VEC)((MASK)(a <= 708.0) & (MASK)k));
        for (int lane = 0; at == buffer && lane < count - i; lane++)
            x[i + lane] = buffer[lane];
    }
}

/* ---- filter kernels in double: the macros of the exact kernels, with fused multiply-add ---- */

#define FILTER(f) CT_NAME(f64_##f)
#define FUSED(a, b, c) CT_DFMA(a, b, c)
#define SCALED(x, q, i, sum) CT_DSCALED(x, q, i, sum)
#define MAX_ARGUMENT 708.0
#include "core/simd/filter_kernels.h"

/* ---- filter kernels in float ---- */

#define REAL float
#define VEC CT_NAME(fvec)
#define MASK CT_NAME(fbits)
#define WIDTH (2 * CT_WIDTH)
#define SPLAT(x) CT_FSPLAT(x)
#define SQRT(a) CT_FSQRT(a)
#define MIN(a, b) CT_FMIN(a, b)
#define LESS(a, b) CT_FLESS(a, b)
#define EXP_FLOAT 1
#define FILTER(f) CT_NAME(f32_##f)
#define FUSED(a, b, c) CT_FFMA(a, b, c)
#define SCALED(x, q, i, sum) CT_FSCALED(x, q, i, sum)
#define MAX_ARGUMENT 87.0f
#include "core/simd/filter_kernels.h"

/* 128 bytes of one component of all points of a tile: 16 doubles, 32 floats. */
static const struct ct_correlation_kernels CT_NAME(correlation_kernels) = {
    CT_LABEL,
    CT_NAME(exact_dot),
    CT_NAME(exact_covariance),
    {16, sizeof(double), DBL_EPSILON / 2, CT_NAME(f64_pack), CT_NAME(f64_add_dots),
     CT_NAME(f64_filter), CT_NAME(f64_filter_dots), CT_NAME(f64_subtract_tail),
     CT_NAME(f64_drop_negligible)},
    {32, sizeof(float), FLT_EPSILON / 2, CT_NAME(f32_pack), CT_NAME(f32_add_dots),
     CT_NAME(f32_filter), CT_NAME(f32_filter_dots), CT_NAME(f32_subtract_tail),
     CT_NAME(f32_drop_negligible)},
};

#undef LOAD
#undef STORE
#undef CT_LABEL
#undef CT_NAME
#undef CT_TARGET
#undef CT_WIDTH
#undef CT_QUERIES_IN_REGISTERS
#undef CT_FSPLAT
#undef CT_DFMA
#undef CT_FFMA
#undef CT_DSCALED
#undef CT_FSCALED
#undef CT_DSQRT
#undef CT_FSQRT
#undef CT_DMIN
#undef CT_FMIN
#undef CT_DLESS
#undef CT_FLESS
