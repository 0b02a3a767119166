/* packed_points.h: points, packed for a sieve, and the margin that makes it safe.
 *
 * A sieve works on z, shifted to a centre and scaled so that distances are the a
 * of ct_covariance_shape, and on v and p divided by the variance: k is at most 1 there. Its
 * numbers have roundoff u (2^-24 or 2^-53), canonical ones e = 2^-53. What it has
 * for k - v_x . v_y is off from the canonical value, over the variance, by
 *
 *   dot products   (b + c + 4) u |v_x| |v_y|: two roundings of each number, then
 *                  sums of at most b = CT_CHUNK terms, of which c are added up;
 *                  the canonical ones, (m / CT_V_LANES + 7) e |v_x| |v_y|;
 *   distances      no more in k than in a, and a is off by 2 u reach + 8 e far from
 *                  packing, reach and far being the largest norms after and before
 *                  the shift, and by (d / 2 + 4)(u + e) a for the computation; the
 *                  slope of k times a is below 1;
 *   k itself       its argument, reduced, is off by 3 u, the polynomial with what
 *                  it leaves out by 8 u, factors and products by 6 u; likewise e;
 *   differences    2 (1 + |v_x| |v_y|) (u + e).
 *
 * The margin takes more of each, which also covers terms of second order, and
 * numbers below the normal range. Thresholds give way to their own rounding.
 *
 * Where v is turned (pca.h), the margin covers that as well. Then a sieve meets
 * the leading numbers only: what the rest, r_x and r_y, may add to the product is at
 * most |r_x| |r_y|, its slack, whose factors are rounded up. Of the pairs that come
 * through, the product of the rest is taken: sums of at most b + 5 terms, added up.
 *
 * A pair of which k and |v_x| |v_y|, as a sieve has them, add up to less than 2^-60
 * of the roots' product is at distance 1: the correlation is less than 2^-54 if
 * distances are off by so little that k is, at most, by a factor.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_PACKED_POINTS_H
#define COVERTREE_RESIDUAL_EXACT_PACKED_POINTS_H

#include "core/residual/correlation.h"
#include "core/residual_exact/pca.h"

struct ct_transform {
    const struct ct_residual_metric *residual;
    struct ct_covariance_shape shape;
    double stretch, unit; /* what multiplies coordinates, and v */
    double *centre;       /* [d] */
    double reach, far;
    double longest; /* the largest |v| there is, over the variance's root */
    int rest;       /* numbers at the end of turned v: a multiple of a tile's lanes, or 0 */
    struct ct_rotation turn; /* where there is a rest */
};

/* What is known of the v of points, over the variance's root, and of p. */
struct ct_point_norms {
    double *norm; /* [n] |v| */
    double *root; /* [n] root of p as levels are multiplied with it */
};

/* Where a sieve reads a team of points or queries: numbers of z and the leading
 * ones of v lie `apart`, those of the rest of v side by side. */
struct ct_packed_group {
    int apart;
    char *z, *v, *rest;
    double slack[CT_GROUP];
};

/* Points of one class, by row, as a sieve reads them. */
struct ct_packed_points {
    const struct ct_filter_kernels *sieve;
    const int *pos; /* [count] ascending */
    int count, tiles;
    char *v, *rest, *z;        /* [tiles * lanes] times m - rest, rest and d */
    char *root, *slack, *norm; /* [tiles * lanes] */
};

/* Memory on a border of cache lines. */
void *ct_alloc_aligned(const struct ct_host *host, size_t count, size_t size);

struct ct_transform ct_transform_make(const struct ct_host *host,
                                      const struct ct_residual_metric *residual);

/* Takes notice of points. */
struct ct_point_norms ct_error_bound_extend(const struct ct_host *host, struct ct_transform *frame,
                                            const struct ct_factors *points, int threads);

/* The margin for a query whose v has this norm, against any point. */
double ct_error_bound_margin(const struct ct_transform *frame,
                             const struct ct_filter_kernels *sieve, double norm);

/* What covariance and product of norms must reach, over the roots', lest a pair is at
 * distance 1; -1 where the sieve cannot tell. */
double ct_negligible_limit(const struct ct_transform *frame, const struct ct_filter_kernels *sieve);

/* Doubles of room that a team needs. */
size_t ct_transform_scratch_size(const struct ct_transform *frame);

/* Puts the points at pos [CT_GROUP] on seats. */
void ct_pack_group(const struct ct_transform *frame, const struct ct_filter_kernels *sieve,
                   const struct ct_factors *points, const int *pos, double *room,
                   struct ct_packed_group *seats);

struct ct_packed_points ct_packed_points_make(const struct ct_host *host,
                                              const struct ct_transform *frame,
                                              const struct ct_filter_kernels *sieve, const int *pos,
                                              int count, const struct ct_point_norms *sizes,
                                              int threads);

#endif
