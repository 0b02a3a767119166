/* feature_choice.h: whether to filter by features, and by how many leading components.
 *
 * Features bound residual correlations tightly if the covariance function is smooth beside the
 * distances of points; otherwise most pairs pass. A sample of pairs tells: some queries get their
 * exact thresholds, and their pairs with 512 points show how many pass each test. 6 queries with a
 * small map, which costs little and rejects most problems that features do not suit; then 16 with
 * the whole map, which also give the number of leading components. Results do not depend on the
 * choice.
 *
 * Costs 6 n exact correlations and a small map: about one percent of a search in which all points
 * are queries.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_FEATURE_CHOICE_H
#define COVERTREE_RESIDUAL_EXACT_FEATURE_CHOICE_H

#include "core/residual_exact/feature_filter.h"

/* Makes the feature filter for the k nearest, if batch->features demands it or the sample says
 * that it pays. Returns 0 and leaves `features` as it is if not, and if no bounds hold. f64_share:
 * share of the pairs that the other filter multiplies in double. Polls the host. */
int ct_choose_features(const struct ct_host *host, const struct ct_filter *filter, double f64_share,
                       int k, struct ct_feature_filter *features);

/* The estimated costs of a search by features; infinite if they do not pay. */
struct ct_exact_costs ct_feature_costs(const struct ct_host *host, const struct ct_filter *filter,
                                       double f64_share, int k);

/* Returns lower bounds of ct_feature_costs(): the costs if no pair passes a test. Constant time. */
struct ct_exact_costs ct_least_feature_costs(const struct ct_exact_batch *batch);

#endif
