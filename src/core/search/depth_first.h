/* depth_first.h: the k nearest neighbors of few queries, each alone.
 *
 * Used by ct_knn() for a few queries, as in a service that answers them one by one. A search of
 * blocks allocates lists of all nodes and tiles of the tree before it starts. This search needs
 * memory only for the path from the root, and starts no threads.
 */
#ifndef COVERTREE_SEARCH_DEPTH_FIRST_H
#define COVERTREE_SEARCH_DEPTH_FIRST_H

#include "core/search/result_lines.h"

/* Whether ct_depth_first_knn() can answer the batch, and is likely to be faster. */
int ct_suits_depth_first(const struct ct_batch *batch);

/* Answers a batch that ct_suits_depth_first() like ct_knn(). The host's memory: O(children on a
 * path from the root + k + d). */
void ct_depth_first_knn(const struct ct_host *host, const struct ct_batch *batch,
                        const struct ct_result_lines *lines);

#endif
