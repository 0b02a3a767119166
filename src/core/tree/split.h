/* split.h: splitting one cell of a tree under construction. */
#ifndef COVERTREE_TREE_SPLIT_H
#define COVERTREE_TREE_SPLIT_H

#include "core/tree/node_list.h"
#include "core/tree/tree.h"

struct ct_kernels;

/* What a split leaves for one center. The kids of a cell lie from its begin on, in
 * the order in which they were chosen; number 0 keeps the cell's center. */
struct ct_split_child {
    int center, begin;
    int ranked; /* in place r: the number of the kid whose run comes r-th */
};

struct ct_build_state {
    const struct ct_host *host;
    const struct ct_kernels *kernels;
    double *points;
    int *row;
    int n, d, leaf_size, threads;
    double *sqdist;             /* [n] to the center of the cell that holds the point */
    int *owner;                 /* [n] which center of the split; then, where the point goes */
    double *spare;              /* [n] one column on its way to new places */
    struct ct_split_child *kid; /* [n] */
    double *at;                 /* [threads * d] coordinates of the center at work */
    long long *unpolled;        /* coordinates offered since the last poll; NULL in a branch */
    struct ct_node_list *pool;
    int *pending; /* [branches] the first cell of each branch that waits to be split */
};

/* The point of a tile that is farthest from its center; the earliest of equals. */
struct ct_farthest {
    double sq;
    int pos;
};

/* Measures a cell, splits it if it has more than leaf_size points and can be split, and
 * puts the points of its children, or of the leaf that it is, in order. Sets the cell's
 * level, radius and number of children, which are in b->kid from its begin on. */
void ct_split_node(const struct ct_build_state *b, struct ct_build_node *cell);

/* Makes a cell of all points: finds its center, and the distances to it. */
void ct_build_root(const struct ct_build_state *b, struct ct_build_node *root);

#endif
