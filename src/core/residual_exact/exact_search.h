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
 *   exact_batch.h        the queries of a call, and how to search
 *   transform.h          centers, scales and rotates points and queries
 *   error_bound.h        margin: how far a filter value is from the canonical value
 *   pca.h, pca_rank.h    rotation; whether to rotate, and the truncation rank
 *   initial_thresholds.h thresholds from neighbors on a Hilbert curve
 *   packed_points.h      points in the layout of the filter kernels
 *   filter.h             blocks of queries against packed points; interval top-k of each query
 */
#ifndef COVERTREE_RESIDUAL_EXACT_EXACT_SEARCH_H
#define COVERTREE_RESIDUAL_EXACT_EXACT_SEARCH_H

#include "core/host.h"
#include "core/residual_exact/exact_batch.h"

/* The k nearest neighbors of each query by (distance, row): index and distance are [count x k,
 * column-major]. A query with fewer neighbors has CT_NO_ROW and `missing` in the columns left.
 * Results do not depend on threads, precision, tail or kernels. Allocates n * (m + d + 3) floats,
 * doubles, or both, and for each thread about 20 bytes per candidate, of 2^20 candidates at most
 * (or those of CT_GROUP queries, if more). */
void ct_exact_search(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                     double missing, int *index, double *distance);

#endif
