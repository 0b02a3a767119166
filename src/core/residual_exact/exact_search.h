/* exact_search.h: the certified k nearest neighbors by residual correlation.
 *
 * Answers a batch of queries exactly: no bound on residual correlations is tight enough to skip
 * points, so the search evaluates all pairs, but most of them by the cheap filter alone. The filter
 * takes m multiply-adds per pair in float or double, about as fast as a matrix product; an exact
 * correlation takes m more, for few pairs. A rotation of v (pca.h) can shorten the products to a
 * truncation rank below m. For faster, approximate neighbors see
 * core/residual_approx/approx_search.h.
 *
 * How the parts work together, in the order of a call:
 *   transform.h          centers, scales and rotates points and queries
 *   error_bound.h        margin: how far a filter value is from the canonical value
 *   pca.h, pca_rank.h    rotation; whether to rotate, and the truncation rank
 *   initial_thresholds.h thresholds from neighbors on a Hilbert curve
 *   packed_points.h      points in the layout of the filter kernels
 *   filter.h             blocks of queries against packed points; interval top-k of each query
 */
#ifndef COVERTREE_RESIDUAL_EXACT_EXACT_SEARCH_H
#define COVERTREE_RESIDUAL_EXACT_EXACT_SEARCH_H

#include "core/residual/correlation.h"

/* Precision of the filter. CT_PRECISION_AUTO filters a pair in float unless the margin is large
 * beside the residual variance of a point of the pair, or of most points. Results do not depend
 * on the precision. */
enum ct_precision { CT_PRECISION_AUTO, CT_PRECISION_F64, CT_PRECISION_F32 };

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
    int threads;
    enum ct_precision precision;
    const struct ct_kernels *kernels;
    const struct ct_correlation_kernels *correlation_kernels;
    int tail; /* m - truncation rank, rounded down to a multiple of 32 and at most m;
               * CT_TAIL_MEASURED: as a sample of pairs suggests, CT_TAIL_NONE: no rotation */
    struct ct_residual_stats *stats; /* NULL, or counts to add to */
};

/* The k nearest neighbors of each query by (distance, row): index and distance are [count x k,
 * column-major]. A query with fewer neighbors has CT_NO_ROW and `missing` in the columns left.
 * Results do not depend on threads, precision, tail or kernels. Allocates n * (m + d + 3) floats,
 * doubles, or both, and for each thread about 20 bytes per candidate, of 2^20 candidates at most
 * (or those of CT_GROUP queries, if more). */
void ct_exact_search(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                     double missing, int *index, double *distance);

#endif
