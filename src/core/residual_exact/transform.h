/* transform.h: points as the filter multiplies them: centered, scaled, and perhaps rotated.
 *
 * The filter computes (k(x, y) - v_x . v_y) / variance in float or double. The transform prepares
 * its operands without changing that value, beyond rounding:
 *
 *   z   minus the mean of the points, which keeps coordinates small and float accurate; times a
 *       factor that turns distances into the argument a of the covariance shape, or into its
 *       root if the shape is squared;
 *   v   over the root of the variance: covariances are at most 1;
 *   v   rotated by the PCA rotation (pca.h), if `tail` is above 0. The leading m - tail
 *       components (the truncation rank) then approximate a dot product; the tail, the components
 *       after them, adds at most the product of the tail norms.
 *
 * Queries and points have the same transform. A group of CT_GROUP points costs
 * CT_GROUP * (d + m) operations, and CT_GROUP * m^2 multiply-adds with a rotation.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_TRANSFORM_H
#define COVERTREE_RESIDUAL_EXACT_TRANSFORM_H

#include "core/residual/correlation.h"
#include "core/residual_exact/pca.h"

/* Made by ct_transform_make(); ct_choose_truncation_rank() of pca_rank.h may add the rotation. */
struct ct_transform {
    const struct ct_residual_metric *metric;
    struct ct_covariance_shape shape;
    double z_scale, v_scale; /* factors of coordinates, and of v */
    double *center;          /* [d] mean of the points */
    int tail; /* components after the truncation rank: a multiple of a tile's lanes; 0: v is not
               * rotated */
    struct ct_rotation rotation; /* zeros until made; used if tail > 0 */
};

/* Where to write a transformed group. Memory is in the precision of the kernels. */
struct ct_packed_group {
    int stride;                 /* values from one component of z, or of leading v, to the next */
    char *z, *v;                /* component j of point i at index j * stride + i */
    char *tail;                 /* [CT_GROUP x tail, row-major] */
    double tail_norm[CT_GROUP]; /* upper bounds of the norms of the tails; 0 without a tail */
};

/* The transform for the points of the metric, without a rotation. O(n d) operations; the metric
 * must outlive the transform. */
struct ct_transform ct_transform_make(const struct ct_host *host,
                                      const struct ct_residual_metric *metric);

/* Components of v that the filter multiplies for every pair. */
static inline int ct_truncation_rank(const struct ct_transform *transform)
{
    return transform->metric->m - transform->tail;
}

/* Doubles of scratch that ct_pack_group() needs. */
size_t ct_transform_scratch_size(const struct ct_transform *transform);

/* Transforms the points at pos [CT_GROUP] of `points` and writes them to the group. */
void ct_pack_group(const struct ct_transform *transform, const struct ct_filter_kernels *kernels,
                   const struct ct_factors *points, const int *pos, double *scratch,
                   struct ct_packed_group *group);

#endif
