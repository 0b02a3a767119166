/* split.h: splitting one cell of a tree under construction. */
#ifndef COVERTREE_TREE_SPLIT_H
#define COVERTREE_TREE_SPLIT_H

#include "core/tree/node_list.h"
#include "core/tree/tree.h"

struct ct_kernels;

/* What a split leaves for one hub. The kids of a cell lie from its begin on, in
 * the order in which they were chosen; number 0 keeps the cell's hub. */
struct ct_kid {
    int hub, begin;
    int ranked; /* in place r: the number of the kid whose run comes r-th */
};

struct ct_splitting {
    const struct ct_host *host;
    const struct ct_kernels *kernels;
    double *points;
    int *row;
    int n, d, leaf_size, threads;
    double *sqdist;      /* [n] to the hub of the cell that holds the point */
    int *owner;          /* [n] which hub of the split; then, where the point goes */
    double *spare;       /* [n] one column on its way to new places */
    struct ct_kid *kid;  /* [n] */
    double *at;          /* [threads * d] coordinates of the hub at work */
    long long *unpolled; /* coordinates offered since the last poll; NULL in a branch */
    struct ct_cells *pool;
    int *pending; /* [branches] the first cell of each branch that waits to be split */
};

/* The point of a tile that is farthest from its hub; the earliest of equals. */
struct ct_far {
    double sq;
    int pos;
};

/* Measures a cell, splits it if it has more than leaf_size points and can be split, and
 * puts the points of its children, or of the leaf that it is, in order. Sets the cell's
 * level, radius and number of children, which are in b->kid from its begin on. */
void ct_split(const struct ct_splitting *b, struct ct_cell *cell);

/* Makes a cell of all points: finds its hub, and the distances to it. */
void ct_start_root(const struct ct_splitting *b, struct ct_cell *root);

#endif
