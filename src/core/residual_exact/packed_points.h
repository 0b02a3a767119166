/* packed_points.h: points in the memory layout of the filter kernels.
 *
 * Tiles of `lanes` points: a kernel reads a tile from one end to the other and computes a vector
 * of dot products per load. Packed once per call, all at once or in portions that share their
 * memory (portions.h), in parallel: O(n (m + d)) operations, and O(n m^2) multiply-adds with a
 * rotation; (m + d + 3) values of memory for each point that is packed at a time.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_PACKED_POINTS_H
#define COVERTREE_RESIDUAL_EXACT_PACKED_POINTS_H

#include "core/residual_exact/error_bound.h"

/* Some points of the metric, transformed. All arrays but pos are in the precision of the kernels.
 * In tile t, component j of the point in lane i has index (t * components + j) * lanes + i. The
 * lanes after `count` repeat the last point. */
struct ct_packed_points {
    const struct ct_filter_kernels *kernels;
    const int *pos; /* [count] positions among the points of the metric, ascending */
    int count, tiles;
    char *v, *z;                   /* [tiles x truncation rank x lanes], [tiles x d x lanes] */
    char *tail;                    /* [tiles * lanes x tail, row-major] */
    char *root, *tail_norm, *norm; /* [tiles * lanes] root of p, norms of the tail and of v */
    double *scratch;               /* [threads] times the scratch of ct_pack_group() */
};

/* Returns packed points with memory for `most` points, and without points. */
struct ct_packed_points ct_packed_points_make(const struct ct_host *host,
                                              const struct ct_transform *transform,
                                              const struct ct_filter_kernels *kernels, int most,
                                              int threads);

/* Packs the points at pos [count], in place of the points before. Needs the norms of all points of
 * the metric, and the transform of ct_packed_points_make(); threads and count are at most the
 * numbers in that call. pos must outlive the packed points. Polls the host. */
void ct_packed_points_fill(const struct ct_host *host, const struct ct_transform *transform,
                           const int *pos, int count, const struct ct_point_norms *norms,
                           int threads, struct ct_packed_points *packed);

#endif
