/* parts.h: the parts of a grown tree, as R hands them over. */
#ifndef COVERTREE_GLUE_PARTS_H
#define COVERTREE_GLUE_PARTS_H

#include "core/covertree.h"
#include "glue/host.h"

/* Parts over R's vectors. */
struct r_parts {
    const struct ct_part *by_row; /* [count] in order of rows, which do not overlap */
    int count, d;
    double n;                /* number of points, with the removed ones */
    struct ct_parts by_size; /* the same parts, larger ones first */
};

/* Whether R's value is a list of parts, not a pointer to one tree. */
int r_are_parts(SEXP parts);

/* The parts of R's list, in order of rows; each is list(pointer, rows, removed, ...). rows: the row
 * of each local row, ascending, or the first of consecutive rows. removed: raw vector, not 0 for
 * removed local rows, or NULL. An error if the list is empty, or if a part has a wrong type or
 * size. Reads all rows. */
struct r_parts r_parts(SEXP parts);

/* Copies the coordinates of the points in these rows, in this order, to x [count x d]. An error if
 * no part has a row, or if it is removed. Costs O(n), and O(log n) for each row. */
void r_parts_points_of(const struct r_parts *parts, const int *row, int count, double *x);

#endif
