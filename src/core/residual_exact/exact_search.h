/* exact_search.h: the certified k nearest neighbors by residual correlation.
 *
 * Answers a batch of queries exactly: no bound on residual correlations is tight enough to skip
 * points, so the search evaluates all pairs, but most of them by the cheap filter alone. The filter
 * takes m multiply-adds per pair in float or double, about as fast as a matrix product; an exact
 * correlation takes m more, for few pairs. A rotation of v (pca.h) can shorten the products to a
 * truncation rank below m; features (feature_map.h) can replace them. For faster, approximate
 * neighbors see core/residual_approx/approx_search.h.
 *
 * How the parts work together, in the order of a call:
 *   exact_batch.h        the queries of a call, and how to search
 *   transform.h          centers, scales and rotates points and queries
 *   error_bound.h        margin: how far a filter value is from the canonical value
 *   pca.h, pca_rank.h    rotation; whether to rotate, and the truncation rank
 *   feature_map.h        features of residual functions, which bound correlations; proof
 *   feature_choice.h     whether features pay
 *   feature_search.h     the queries that features answer, by feature_filter.h; in place of what
 *                        follows, except for queries whose pairs pass too often
 *   initial_thresholds.h thresholds from neighbors on a Hilbert curve
 *   precision.h          which points and queries the filter multiplies in float
 *   packed_points.h      points in the layout of the filter kernels
 *   filter.h             blocks of queries against packed points; interval top-k of each query
 *   portions.h           few queries: the same, with points packed in portions
 *   direct_search.h      up to 16 queries: exact correlations of all pairs, without a filter
 */
#ifndef COVERTREE_RESIDUAL_EXACT_EXACT_SEARCH_H
#define COVERTREE_RESIDUAL_EXACT_EXACT_SEARCH_H

#include "core/host.h"
#include "core/residual_exact/exact_batch.h"

/* The k nearest neighbors of each query by (distance, row): index and distance are [count x k,
 * column-major]. If a query has fewer neighbors within its max_distance, the remaining columns
 * are CT_NO_ROW and `missing`. Results do not depend on threads, precision, tail or kernels.
 * Allocates n * (m + d + 3) floats, doubles, or both, and for each thread about 20 bytes per
 * candidate, of 2^20 candidates at most (or the candidates of CT_GROUP queries, if more). With few
 * queries (at most n / 8, and at most 2^20 candidates in all): about 4 MB, m + d doubles for each
 * query, and 20 bytes per candidate. A search by features allocates n * 256 to n * 384 floats
 * before. */
void ct_exact_search(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                     double missing, int *index, double *distance);

/* Estimates the costs of a batch from a sample of its pairs; see feature_choice.h. To choose
 * between the exact and the approximate search. The same for any number of threads; for all
 * instruction sets, if the batch has the kernels of CT_SIMD_BASE. About a second for n = 32,768 and
 * m = 512, if features pay, else much less. */
struct ct_exact_costs ct_exact_search_costs(const struct ct_host *host,
                                            const struct ct_exact_batch *batch, int k);

/* Returns lower bounds of the costs of ct_exact_search_costs(), for a batch with queries. Constant
 * time. */
struct ct_exact_costs ct_exact_search_least_costs(const struct ct_exact_batch *batch);

#endif
