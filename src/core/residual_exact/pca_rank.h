/* pca_rank.h: whether to rotate v, and how many leading components the filter multiplies.
 *
 * A truncation rank below m saves multiply-adds in every pair, but more pairs pass the filter and
 * then need their tails. How many depends on the covariance function and the inducing points, so
 * a sample of pairs is measured: 16 queries get their exact thresholds, and their pairs with 512
 * points tell how many pass at each rank. The choice minimizes the estimated cost; results do not
 * depend on it. Costs 16 n exact correlations and a rotation (pca.h).
 */
#ifndef COVERTREE_RESIDUAL_EXACT_PCA_RANK_H
#define COVERTREE_RESIDUAL_EXACT_PCA_RANK_H

#include "core/residual_exact/filter.h"

/* Whether queries are enough to measure a truncation rank. */
int ct_can_truncate(int queries, int m);

/* Sets the rotation and the tail of filter->transform, for the k nearest, if the sample says that
 * a rotation pays, or batch->tail demands one. Leaves both as they are if not, with too few
 * queries to pay for the rotation, and with an orthogonality error of 1e-8 or more. `kernels` are
 * those that filter most pairs. Polls the host. */
void ct_choose_truncation_rank(const struct ct_host *host, struct ct_filter *filter,
                               const struct ct_filter_kernels *kernels, int k);

#endif
