/* feature_filter.h: a block of queries against the features of all points.
 *
 * An alternative to the scan of filter.h, where dot products of features (feature_map.h) bound
 * residual correlations tightly enough. A pair is tested twice: by the leading components, with a
 * bound of all that they leave out, in the kernels; if it passes, by all components. Both in
 * float. What remains goes to the interval top-k, with bounds of its squared distance.
 *
 * Points are scanned in the order of a Hilbert curve from the place of the block outwards, so
 * thresholds are nearly final after a few tiles. A search for predecessors scans in the order of
 * rows.
 *
 * Per pair: `leading` multiply-adds; per pair that passes, the other components.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_FEATURE_FILTER_H
#define COVERTREE_RESIDUAL_EXACT_FEATURE_FILTER_H

#include "core/residual_exact/feature_map.h"
#include "core/residual_exact/filter.h"

/* Where points and queries lie: on a common curve, or in the order of rows. */
struct ct_scan_order {
    const int *pos;   /* [points] positions of the metric's points, in the order of the scan */
    const int *place; /* [queries] place in that order of each point of filter->queries */
};

/* Points and queries, packed for a call. Read by all threads. */
struct ct_feature_filter {
    const struct ct_filter *filter;
    const struct ct_filter_kernels *kernels; /* of float */
    struct ct_scan_order order;
    struct ct_features points;  /* in the order of the scan */
    struct ct_features queries; /* by position among filter->queries; for own points: `points` */
    int leading, tiles;         /* leading: a multiple of 32, at most the rank */
    float *tile;                /* [tiles x leading x lanes] leading components */
    float *tail_norm;  /* [tiles x lanes] bounds of what the leading components leave out */
    double *remainder; /* [points] bounds of what all components leave out */
    double error;      /* the largest error of a point, and rounding of float products */
    double second_cost, exact_cost; /* of a second test, and of a pair that passes it */
    double budget;                  /* of a query; then the query is left to the other filter */
};

/* Queries of a block in the layout of the kernels; scratch of a thread. */
struct ct_feature_block {
    float *leading;                /* [groups x leading x CT_GROUP] */
    float *tail;                   /* [block_size x (rank - leading), row-major] negated */
    double *tail_norm, *remainder; /* [block_size] */
    double *spent;                 /* [block_size] costs so far */
};

/* Places points and queries on a curve; in the order of rows, for predecessors. O(n d). */
struct ct_scan_order ct_scan_order_make(const struct ct_host *host, const struct ct_filter *filter);

/* Computes the features of all points and queries, and packs them. Polls the host. */
struct ct_feature_filter ct_feature_filter_make(const struct ct_host *host,
                                                const struct ct_filter *filter,
                                                const struct ct_scan_order *order,
                                                const struct ct_feature_map *map, int leading);

/* Allocates a thread's scratch. */
void ct_feature_block_init(const struct ct_host *host, const struct ct_feature_filter *features,
                           struct ct_feature_block *packed);

/* Whether query i of a block went beyond its budget: then its candidates are incomplete. */
static inline int ct_is_over_budget(const struct ct_feature_filter *features,
                                    const struct ct_feature_block *packed, int i)
{
    return packed->spent[i] > features->budget;
}

/* In place of ct_filter_block_scan(), for queries with residual variance. */
void ct_feature_filter_scan(const struct ct_feature_filter *features,
                            struct ct_feature_block *packed, struct ct_filter_block *block);

#endif
