/* error_bound.h: how far a filter value is from the canonical value: the margin of the filter.
 *
 * The filter may discard a pair only if the canonical correlation is certainly too small, so its
 * threshold gives way by a margin that bounds all rounding errors. The filter works on
 * transformed operands (transform.h), where covariances are at most 1. Its values have the
 * roundoff u (2^-24 in float, 2^-53 in double); canonical values have e = 2^-53. With
 *
 *   b = CT_CHUNK, c   terms that a kernel sums, and number of sums that it adds up,
 *   s                 the scaled distance: the argument of the covariance shape, or its root,
 *   centered, raw     the largest norms of scaled points: of z - center, of |z| + |center|,
 *
 * the filter's value of k - v_x . v_y differs from the canonical value, over the variance, by at
 * most
 *
 *   dot products   (b + c + 4) u |v_x| |v_y|: two roundings of each component, then sums of at
 *                  most b terms, of which c are added up; and (m / CT_V_LANES + 7) e |v_x| |v_y|
 *                  for the canonical dot product;
 *   distances      the error of s, since k changes by no more than s does. Packing adds
 *                  2 u centered + 8 e raw to s. The computation adds (d / 2 + 4)(u + e) s, which
 *                  changes k by at most (d / 2 + 4)(u + e): s |dk / ds| is below 1;
 *   k itself       3 u for the reduced argument, 8 u for the polynomial and the terms that it
 *                  leaves out, 6 u for factors and products; and the same in e;
 *   differences    2 (1 + |v_x| |v_y|)(u + e).
 *
 * The margin has more of each term. The surplus covers terms of second order, and values below
 * the normal range. The filter's thresholds give way to their own rounding (filter.c).
 *
 * Rotation: the orthogonality error (pca.h) is part of the margin. With a truncation rank, the
 * filter multiplies the leading components only; the tails r_x and r_y add at most |r_x| |r_y| to
 * the dot product. Kernels subtract this bound, with both norms rounded up, from the threshold.
 * For a pair that passes, the product of the tails follows: sums of at most b + 5 terms, which
 * are added up.
 *
 * Negligible pairs: if k + |v_x| |v_y|, computed by the filter, is below 2^-60 times the product
 * of the roots of the residual variances, the distance is exactly 1. ct_negligible_limit() requires
 * that k is off by less than 2^-8: then errors of distances change a small k by a small factor at
 * most, and the correlation is below 2^-54, which leaves 1 - |rho| at 1.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_ERROR_BOUND_H
#define COVERTREE_RESIDUAL_EXACT_ERROR_BOUND_H

#include "core/residual_exact/transform.h"

/* Largest norms among queries and points, transformed. Start from zeros. */
struct ct_error_bound {
    double centered; /* of z - center, times z_scale */
    double raw;      /* of |z| + |center|, times z_scale: bounds the rounding of z - center */
    double v;        /* of v, times v_scale */
};

/* Norms of each point, transformed. */
struct ct_point_norms {
    double *v;    /* [n] |v|, times v_scale */
    double *root; /* [n] root of p, times v_scale; at most 1e15, and INFINITY where p is 0 */
};

/* Computes the norms of points and raises the bound to cover them. O(n (d + m)), in parallel;
 * allocates 2 n doubles. */
struct ct_point_norms ct_error_bound_extend(const struct ct_host *host,
                                            const struct ct_transform *transform,
                                            const struct ct_factors *points, int threads,
                                            struct ct_error_bound *bound);

/* The margin for a query with this norm of v (times v_scale) and any point. Constant time. */
double ct_error_bound_margin(const struct ct_transform *transform,
                             const struct ct_error_bound *bound,
                             const struct ct_filter_kernels *kernels, double norm);

/* Pairs with k + |v_x| |v_y| below this limit times both roots are at distance exactly 1; -1 (no
 * pair) if the filter's error of k is too large to tell. Constant time. */
double ct_negligible_limit(const struct ct_transform *transform, const struct ct_error_bound *bound,
                           const struct ct_filter_kernels *kernels);

#endif
