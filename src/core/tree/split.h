/* split.h: splits a node of a tree under construction into children.
 *
 * Used by build.c for every node. A split costs one pass over the node's points for each
 * chosen center.
 */
#ifndef COVERTREE_TREE_SPLIT_H
#define COVERTREE_TREE_SPLIT_H

#include "core/tree/node_list.h"

struct ct_kernels;

/* One child of a split node. The children of a node lie in ct_build_state.child from the
 * node's `begin` on, in the order of the choice of their centers; child 0 keeps the node's
 * center. */
struct ct_split_child {
    int center; /* position */
    int end;    /* after the split: end of the run of points (last position + 1) */
    int ranked; /* in entry r: index of the child with the r-th run of points */
};

/* A build in progress. Entries of the arrays [n] that belong to the points of one node are
 * used by a single thread at a time. */
struct ct_build_state {
    const struct ct_host *host;
    const struct ct_kernels *kernels;
    double *points; /* [n x d, column-major] in tree order as far as nodes are split */
    int *row;       /* [n] */
    int n, d, leaf_size, threads;
    double *sqdist; /* [n] squared distance of a point to the nearest center so far */
    int *assigned;  /* [n] index of the point's child; then, the point's new position */
    double *buffer; /* [n] values of a column in their new order */
    struct ct_split_child *child; /* [n] */
    double *center_coords;        /* [threads x d] coordinates of the center being tried */
    long long *unpolled; /* coordinates compared since the last poll; NULL inside a region */
    struct ct_node_list *nodes;
    int *pending; /* [branches] first waiting node of each branch; -1: none */
};

/* Measures a node: radius and level. Splits the node if it has more than leaf_size points and
 * a split succeeds: sets node->children, fills state->child, and moves the points of each
 * child into one run. Otherwise the node is a leaf; the points of a leaf of at most leaf_size
 * points move into the order of leaf_order.h. */
void ct_split_node(const struct ct_build_state *state, struct ct_build_node *node);

/* Makes `root` a node of all points. The center is the point nearest to the centroid: the
 * radius is then about half the radius around a point at the border. Sets state->sqdist.
 * Costs three passes over the points. */
void ct_build_root(const struct ct_build_state *state, struct ct_build_node *root);

#endif
