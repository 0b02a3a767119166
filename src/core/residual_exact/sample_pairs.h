/* sample_pairs.h: a sample of queries and points, from which the exact search predicts its costs.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_SAMPLE_PAIRS_H
#define COVERTREE_RESIDUAL_EXACT_SAMPLE_PAIRS_H

#include "core/residual_exact/filter.h"

/* Fills pos with up to `most` positions below n, evenly spaced from `shift` on, of points with
 * residual variance. Returns their count. */
int ct_sample_positions(const struct ct_point_norms *norms, int n, int most, int shift, int *pos);

/* threshold[i] = squared distance of the neighbor number `rank` of the query at pos[i] among
 * filter->queries; 1 if it has fewer. n exact correlations for each query; in parallel. Allocates
 * 12 n bytes a thread. */
void ct_sample_thresholds(const struct ct_host *host, const struct ct_filter *filter,
                          const int *pos, int count, int rank, double *threshold);

#endif
