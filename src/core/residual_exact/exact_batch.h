/* exact_batch.h: the queries of an exact search by residual correlation, and how to search.
 *
 * The host fills a struct ct_exact_batch and hands it to ct_exact_search() (exact_search.h);
 * the parts of the search read it.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_EXACT_BATCH_H
#define COVERTREE_RESIDUAL_EXACT_EXACT_BATCH_H

#include "core/residual/correlation.h"

/* Precision of the filter. CT_PRECISION_AUTO filters a pair in float unless the margin is large
 * beside the residual variance of a point of the pair, or of most points. Results do not depend
 * on the precision. */
enum ct_precision { CT_PRECISION_AUTO, CT_PRECISION_F64, CT_PRECISION_F32 };

/* How v was computed, of the points and of the queries: v = L^-1 k(u, x), up to rounding. */
struct ct_factor_origin {
    const double *u;      /* [m x d, column-major] inducing points, over length scales */
    const double *factor; /* [m x m, column-major] L, lower triangular */
    double jitter;        /* of the diagonal of L L' */
};

/* Whether to filter by features (feature_map.h). Results do not depend on it. CT_FEATURES_AUTO: if
 * a sample suggests that they are faster; CT_FEATURES_ALWAYS: wherever their bounds hold. */
enum ct_feature_use { CT_FEATURES_AUTO, CT_FEATURES_NEVER, CT_FEATURES_ALWAYS };

/* Special values of `tail` in ct_exact_batch. */
enum { CT_TAIL_NONE = -1, CT_TAIL_MEASURED = 0 };

/* Pairs of a query and a point, by the work that they took. */
struct ct_residual_stats {
    long long filtered_f32, filtered_f64; /* pairs that the filter evaluated */
    long long exact;                      /* pairs whose canonical correlation was computed */
};

/* The queries of a call, and how to search. Queries are the points of query_points, or points of
 * the metric; the latter never find themselves. */
struct ct_exact_batch {
    const struct ct_residual_metric *metric;
    const struct ct_factors *query_points; /* NULL: the metric's own points */
    const int *row;   /* [count] rows of the own points that are queries, from 1; NULL: all */
    int count;        /* queries; the number of points without `row` */
    int predecessors; /* 1: own points find smaller rows only */
    const double *max_distance; /* [count] farther points are no neighbors; NULL: no limit */
    int threads;
    enum ct_precision precision;
    const struct ct_kernels *kernels;
    const struct ct_correlation_kernels *correlation_kernels;
    int tail; /* m - truncation rank, rounded down to a multiple of 32 and at most m;
               * CT_TAIL_MEASURED: as a sample of pairs suggests, CT_TAIL_NONE: no rotation */
    const struct ct_factor_origin *origin; /* NULL: v may have any origin; then no features */
    enum ct_feature_use features;          /* with CT_PRECISION_AUTO and CT_TAIL_MEASURED only */
    struct ct_residual_stats *stats;       /* NULL, or counts to add to */
};

/* Estimated costs, in units of a multiply-add in float. */
struct ct_exact_costs {
    double query;       /* of a query of ct_exact_search(); INFINITY if features do not pay */
    double correlation; /* of an exact correlation of a pair */
};

#endif
