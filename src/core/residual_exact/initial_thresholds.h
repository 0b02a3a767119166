/* initial_thresholds.h: thresholds of own points before their search.
 *
 * Points that are close along a Hilbert curve are often close in residual correlation. The k-th
 * distance among some points is an upper bound of the k-th distance among all points, so no
 * candidate beyond it can be a neighbor. Used with a truncation rank, because the filter is weak
 * while the threshold is large. Costs about 2 k + 64 exact correlations per query, and the sort
 * of all points along the curve.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_INITIAL_THRESHOLDS_H
#define COVERTREE_RESIDUAL_EXACT_INITIAL_THRESHOLDS_H

#include "core/residual_exact/exact_batch.h"

/* threshold[i], for each own point i that is a query of the batch: a point at a larger squared
 * distance is not among the k nearest of point i; INFINITY if the curve has too few points that
 * point i may find. Other entries of threshold [n] are -1. Needs batch->query_points == NULL.
 * Polls the host. */
void ct_initial_thresholds(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                           double *threshold);

#endif
