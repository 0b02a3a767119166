/* pca_rank.h: how many leading numbers of turned vectors v sift well enough. */
#ifndef COVERTREE_RESIDUAL_EXACT_PCA_RANK_H
#define COVERTREE_RESIDUAL_EXACT_PCA_RANK_H

#include "core/residual_exact/filter.h"

/* Turns the frame of the sift, if what is measured of some pairs says that it pays,
 * or the batch says so; for the k nearest, by the sieve that most pairs meet. */
void ct_choose_truncation_rank(const struct ct_host *host, struct ct_filter *sift,
                               const struct ct_filter_kernels *sieve, int k);

#endif
