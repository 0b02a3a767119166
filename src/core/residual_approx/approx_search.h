/* approx_search.h: neighbours by residual correlation, among those that are near in space.
 *
 * Correlations are expensive, and the points that correlate most are near in the
 * coordinates, though nothing proves it. So the points around a query are met in
 * the order of their distance, and the walk ends when it has gone on long enough
 * since a point last made its way among the k nearest. How long is patience; what
 * share of the neighbours it finds is for the caller to measure.
 */
#ifndef COVERTREE_RESIDUAL_APPROX_APPROX_SEARCH_H
#define COVERTREE_RESIDUAL_APPROX_APPROX_SEARCH_H

#include "core/residual/correlation.h"
#include "core/residual_approx/quantize.h"
#include "core/search/budget.h"
#include "core/search/query.h"
#include "core/simd/dot4.h"

struct ct_approx_search {
    const struct ct_residual_metric *residual; /* of the tree's points, by row */
    const struct ct_factors *foreign;          /* of the batch's queries; NULL: own points */
    const struct ct_correlation_kernels *dots;
    const struct ct_dot4_kernels *rows;
    struct ct_quantized coarse; /* v of the points, in the order of the tree, to walk by; or
                                 * NULL: to walk by v itself */
    int k;
    double patience; /* ends when so many times as many points, and 4 k of them, were met in
                      * vain as before */
    const struct ct_budget *budget; /* or NULL; then patience has no say */
    int first, most;                /* points to meet at first, and at all */
    double missing;
    const int *slot; /* where the results of a line go; NULL: to that line */
    int ld;          /* lines of the results */
    int *index;
    double *distance;
    int *evaluated; /* [ld] points met */
    int *climbs;    /* [ld] steps climbed, or -1 - that where it ended early */
};

/* Neighbours for all queries of the batch, or of the tree's own points that its
 * order names, in the form of ct_knn. */
void ct_approx_search(const struct ct_host *host, const struct ct_batch *batch,
                      const struct ct_approx_search *walk);

#endif
