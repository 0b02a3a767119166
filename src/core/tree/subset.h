/* subset.h: trees of the first n/2, n/4, ... rows of a tree ("prefix trees"), or of ranks.
 *
 * A search for predecessors (points with smaller rows) uses them: a query with a small row
 * searches a small tree, where at least about half of the points are predecessors, in place
 * of the whole tree. Prefix trees do not depend on the queries: a host builds them once, at
 * the first search for predecessors, and keeps them with the tree. All of them together hold
 * fewer than n points and take about as much memory and time to build as the tree itself.
 */
#ifndef COVERTREE_TREE_SUBSET_H
#define COVERTREE_TREE_SUBSET_H

#include "core/tree/tree.h"

struct ct_kernels;

/* Number of prefix trees that a search for k predecessors uses in a tree of n points. 0 if n
 * is small, or small compared with k; largest for k = 0. */
int ct_count_prefix_trees(int n, int k);

/* Builds the first `count` prefix trees of `tree`: of floor(n/2) rows, of half as many rows,
 * and so on; 0 < count <= ct_count_prefix_trees(n, 0). Returns them in an array [count], largest
 * first, for the field `prefix` of struct ct_tree. The memory of the trees comes from `memory`;
 * NULL: from the host. Scratch comes from the host. The same trees for any kernels and number of
 * threads. */
const struct ct_tree *ct_build_prefix_trees(const struct ct_host *host, const struct ct_tree *tree,
                                            int count, const struct ct_kernels *kernels,
                                            int threads, const struct ct_memory *memory);

/* Builds the tree of the `count` points of `tree` whose ranks are at most `most`; count > 0. rank:
 * by row, from row 1. Memory comes from the host. Costs a pass over the points, and a build. */
struct ct_tree ct_build_tree_up_to_rank(const struct ct_host *host, const struct ct_tree *tree,
                                        const int *rank, int most, int count,
                                        const struct ct_kernels *kernels, int threads);

#endif
