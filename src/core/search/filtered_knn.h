/* filtered_knn.h: the k nearest eligible points of each query. */
#ifndef COVERTREE_SEARCH_FILTERED_KNN_H
#define COVERTREE_SEARCH_FILTERED_KNN_H

#include "core/search/query.h"
#include "core/search/row_filter.h"

/* Finds the nearest of the points that the limits permit, for a batch without filter. Otherwise
 * like ct_knn(). Besides the searches, it takes O(n) time and memory. With ranks, it also builds
 * trees of the points with small ranks, if enough queries have small ranks. These trees take about
 * the time to build the tree, and the memory of a tree of half of the points. */
void ct_knn_filtered(const struct ct_host *host, const struct ct_batch *batch,
                     const struct ct_row_limits *limits, int k, double missing, int *index,
                     double *distance);

#endif
