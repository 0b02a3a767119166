/* subset.h: trees of the first n/2, n/4, ... rows of a tree ("prefix trees").
 *
 * A search for predecessors (points with smaller rows) uses them: a query whose row is small
 * searches a small tree, in which at least about half of the points are predecessors, in
 * place of the whole tree. Prefix trees do not depend on the queries, so a host builds them
 * once, at the first such search, and keeps them with the tree. All of them together hold
 * fewer than n points and take about as much memory and time to build as the tree itself.
 */
#ifndef COVERTREE_TREE_SUBSET_H
#define COVERTREE_TREE_SUBSET_H

#include "core/tree/tree.h"

struct ct_kernels;

/* Number of prefix trees that a search for k predecessors uses in a tree of n points: 0 where
 * the tree is small, or k is large beside it. Largest for k = 0. */
int ct_count_prefix_trees(int n, int k);

/* Builds the first `count` prefix trees of `tree`: of floor(n/2) rows, of half of these, and
 * so on; 0 < count <= ct_count_prefix_trees(n, 0). Returns them in an array [count], largest
 * first: what struct ct_tree keeps as `prefix`. Everything that the trees consist of comes
 * from `memory`; NULL: from the host. Scratch comes from the host. The same trees for any
 * kernels and number of threads. */
const struct ct_tree *ct_build_prefix_trees(const struct ct_host *host, const struct ct_tree *tree,
                                            int count, const struct ct_kernels *kernels,
                                            int threads, const struct ct_memory *memory);

#endif
