/* split.h: splits one node of a tree under construction into its children.
 *
 * Used by build.c for every node. A split costs one pass over the node's points for each
 * center that it chooses.
 */
#ifndef COVERTREE_TREE_SPLIT_H
#define COVERTREE_TREE_SPLIT_H

#include "core/tree/node_list.h"

struct ct_kernels;

/* One child of a split node. The children of a node lie in ct_build_state.child from the
 * node's `begin` on, in the order in which their centers were chosen; child 0 keeps the
 * node's center. */
struct ct_split_child {
    int center; /* position */
    int end;    /* after the split: one past the child's last position */
    int ranked; /* in entry r: index of the child whose run of points comes r-th */
};

/* A build in progress. Entries of the arrays [n] that belong to the points of one node are
 * used by one thread at a time. */
struct ct_build_state {
    const struct ct_host *host;
    const struct ct_kernels *kernels;
    double *points; /* [n x d, column-major] in tree order as far as nodes are split */
    int *row;       /* [n] */
    int n, d, leaf_size, threads;
    double *sqdist; /* [n] squared distance of a point to the center of its node */
    int *assigned;  /* [n] index of the child a point goes to; then, its new position */
    double *buffer; /* [n] one column on its way to new positions */
    struct ct_split_child *child; /* [n] */
    double *center_coords;        /* [threads x d] coordinates of the center being tried */
    long long *unpolled; /* coordinates compared since the last poll; NULL inside a region */
    struct ct_node_list *nodes;
    int *pending; /* [branches] first of a branch's nodes that wait to be split; -1: none */
};

/* Measures a node: radius and level. Splits it if it has more than leaf_size points and a
 * split succeeds: sets node->children, fills state->child, and moves the points of each
 * child into one run. Otherwise the node is a leaf; a leaf of at most leaf_size points has its
 * points moved into the order of leaf_order.h. */
void ct_split_node(const struct ct_build_state *state, struct ct_build_node *node);

/* Makes `root` a node of all points. Its center is the point nearest to the centroid, which
 * gives about half the radius of a center at the border. Sets the distances to it. Costs two
 * passes over the points. */
void ct_build_root(const struct ct_build_state *state, struct ct_build_node *root);

#endif
