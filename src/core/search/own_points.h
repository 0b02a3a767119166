/* own_points.h: the k nearest neighbors of all of a tree's own points, for small k.
 *
 * Used by ct_knn() if the queries are all own points, every other point may be a neighbor, the
 * answer is exact, and the distance is a norm. The points are answered cell by cell. A cell is a
 * node of at most 32 tiles. Its points lie side by side in memory, and so do the points nearest to
 * them. A query therefore needs no descent for a first threshold, and one traversal of the tree
 * serves up to 512 queries. The general search answers the points whose neighborhood has too many
 * tiles or too many candidates: in many dimensions, outliers, ties.
 */
#ifndef COVERTREE_SEARCH_OWN_POINTS_H
#define COVERTREE_SEARCH_OWN_POINTS_H

#include "core/search/result_lines.h"

/* Whether ct_own_points_knn() can answer the batch, and is likely to be faster. */
int ct_suits_own_points(const struct ct_batch *batch, int k);

/* Answers the own points of a batch that ct_suits_own_points() like ct_knn(), except the points at
 * the positions in `rest` [n], ascending. Returns the number of these. Costs a traversal for each
 * cell, and for each point the boxes of the tiles around its tile. The host's memory:
 * O(n + nodes * threads). */
int ct_own_points_knn(const struct ct_host *host, const struct ct_batch *batch,
                      const struct ct_result_lines *lines, int *rest);

#endif
