/* correlation.h: vector kernels for residual correlations.
 *
 * Two families of kernels, each compiled for every instruction set:
 *
 *   exact kernels    define the correlation: double, one order of operations, no fused
 *                    multiply-add. Their bits are the same in every instruction set. An exact
 *                    dot product costs about m multiply-adds and reads both vectors.
 *   filter kernels   discard pairs whose correlation is certainly too small, in float or in
 *                    double. They are matrix products of a query group and a tile of points, in
 *                    the fastest order of operations; a margin covers the rounding of all
 *                    operations (core/residual_exact/error_bound.h). Per pair they cost a
 *                    fraction of an exact dot product.
 *
 * Used by both residual searches; the filter kernels also multiply the matrices of
 * core/residual_exact/pca.c.
 */
#ifndef COVERTREE_SIMD_CORRELATION_H
#define COVERTREE_SIMD_CORRELATION_H

#include "core/simd/euclid.h"

enum {
    CT_V_LANES = 16, /* partial sums of an exact dot product; v is padded to a multiple of it */
    CT_CHUNK = 64    /* terms that a filter kernel sums before it adds the sum to the total */
};

/* A covariance function of distance r, divided by its variance: with a = scale * r, or
 * a = scale * r^2 if squared,
 *
 *   (1 + a * (linear + a * quadratic)) * exp(-a).
 *
 * All functions of core/residual/covariance.h have this form, so one kernel serves them without a
 * branch per pair. */
struct ct_covariance_shape {
    double scale, linear, quadratic;
    int squared;
};

/* A group of CT_GROUP queries and a tile of `lanes` points. Packed arrays are in the
 * precision of the kernels; a group and a tile hold component j of all their vectors side by
 * side, then component j + 1. Coordinates are scaled: their distance is a of the shape, or
 * its root if the shape is squared. */
struct ct_filter_input {
    const struct ct_covariance_shape *shape;
    int d;
    const void *tile_z;           /* [d * lanes] coordinates of the points */
    const void *group_z;          /* [d * CT_GROUP] coordinates of the queries */
    const void *root;             /* [lanes] roots of the points' residual variances */
    const void *tail_norm, *norm; /* [lanes] norms of the tail of v, and of v, of the points */
    const double *cutoff;         /* [CT_GROUP] correlation to reach, times the query's root */
    const double *margin;         /* [CT_GROUP] error bound, >= 0 */
    const double *query_tail_norm, *query_norm; /* [CT_GROUP] */
    const double *negligible; /* [CT_GROUP] see drop_negligible(), times the query's root */
};

/* Filter kernels of one precision. void pointers are to float or double. */
struct ct_filter_kernels {
    int lanes;         /* points in a tile: a multiple of CT_GROUP, at most 32 */
    size_t value_size; /* sizeof(float) or sizeof(double) */
    double roundoff;   /* half the distance from 1 to the next value */
    /* Packs a vector: to[i * to_stride] = (from[i * from_stride] - center[i]) * scale, i < count,
     * computed in double and rounded once. center may be NULL, for 0. */
    void (*pack)(void *to, int to_stride, const double *from, size_t from_stride,
                 const double *center, double scale, int count);
    /* Adds to sums [CT_GROUP x lanes, row-major] the dot products over `count` components of
     * the group's queries and the tile's points. */
    void (*add_dots)(const void *tile, const void *group, int count, void *sums);
    /* Replaces each dot product in sums by covariance - dot product. Bit i of passes[j] is 0 if
     * |sums[j, i]| < cutoff[j] * root[i] - margin[j] - query_tail_norm[j] * tail_norm[i];
     * it is 1 otherwise, and if the sum is not a number. */
    void (*filter)(const struct ct_filter_input *input, void *sums, unsigned *passes);
    /* The same for sums that are the values to test, and root 1: bit i of passes[j] is 0 if
     * |sums[j, i]| < cutoff[j] - margin[j] - query_tail_norm[j] * tail_norm[i]. Reads no other
     * parts of the input. */
    void (*filter_dots)(const struct ct_filter_input *input, const void *sums, unsigned *passes);
    /* Subtracts from sums [lanes] the dot products of one query's tail and the tails of the
     * points whose bits are set in `passes`. The tail of lane i begins at value i * stride of
     * tails; query_tail is [count]; count is a multiple of lanes. */
    void (*subtract_tail)(const void *tails, size_t stride, const void *query_tail, int count,
                          unsigned passes, void *sums);
    /* Clears the bits of pairs with covariance + query_norm[j] * norm[i] <
     * negligible[j] * root[i]: their distance is exactly 1. */
    void (*drop_negligible)(const struct ct_filter_input *input, unsigned *passes);
};

struct ct_correlation_kernels {
    const char *name; /* of the instruction set */
    /* The exact dot product of two vectors of `length` values, a multiple of CT_V_LANES. */
    double (*dot)(const double *v, const double *w, size_t length);
    /* Replaces `count` squared distances x by exact covariances. */
    void (*covariance)(const struct ct_covariance_shape *shape, double variance, int count,
                       double *x);
    struct ct_filter_kernels filter_f64, filter_f32;
};

/* The kernels of an instruction set level, or of the best lower level that the compiler
 * supports. Static memory; constant time. */
const struct ct_correlation_kernels *ct_correlation_kernels(enum ct_simd_level level);

#endif
