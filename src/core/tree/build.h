/* build.h: from points to the cells of a tree. */
#ifndef COVERTREE_TREE_BUILD_H
#define COVERTREE_TREE_BUILD_H

#include "core/tree/tree.h"

struct ct_node_list;
struct ct_kernels;

/* The same arrays as in struct ct_tree, while they are being filled. */
struct ct_tree_arrays {
    int *center, *parent, *first_child, *next_sibling, *subtree_begin, *subtree_end, *level,
        *min_row;
    double *radius, *lower, *upper;
};

/* Builds the tree of n >= 1 finite points given by column; permutes points and
 * row, alike and in place, into tree order. The cells live in host memory. */
struct ct_node_list *ct_build(const struct ct_host *host, const struct ct_kernels *kernels,
                              double *points, int *row, int n, int d, int leaf_size, int threads);
int ct_node_list_count(const struct ct_node_list *cells);

/* Fills the arrays, each with room for all cells, from the cells. */
void ct_node_list_store(const struct ct_host *host, const struct ct_node_list *cells,
                        const double *points, const int *row, int n, int d, int threads,
                        struct ct_tree_arrays *out);

#endif
