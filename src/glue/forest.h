/* forest.h: the parts of a grown tree, as R hands them over. */
#ifndef COVERTREE_GLUE_FOREST_H
#define COVERTREE_GLUE_FOREST_H

#include "core/covertree.h"
#include "glue/host.h"

/* A forest over R's vectors, by rows and by size. */
struct r_forest {
    const struct ct_forest_part *by_row; /* [parts] in order of rows, which do not overlap */
    int parts, d;
    double n;                /* points, with the removed ones */
    struct ct_forest forest; /* the same parts, larger ones first */
};

/* Whether R's value is a list of parts, not a pointer to one tree. */
int r_is_forest(SEXP parts);

/* The forest of R's list of parts, each of them list(pointer, rows, removed, ...), from the
 * smallest row to the largest. rows: the row of each row of the tree, ascending, or the first of
 * consecutive ones. removed: raw vector, not 0 for removed rows of the tree, or NULL. An error
 * unless there are parts, of the right types and sizes. Reads all rows. */
struct r_forest r_forest(SEXP parts);

/* Copies the coordinates of the points in these rows, in this order, to x [count x d]. An error if
 * a row is not in the forest or is removed. Costs O(n), and O(log n) for each row. */
void r_forest_points_of(const struct r_forest *forest, const int *row, int count, double *x);

#endif
