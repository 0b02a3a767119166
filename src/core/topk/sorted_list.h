/* sorted_list.h: the nearest of points that come one by one, in order.
 *
 * For few that get in of many that are offered: a place is found by bisection, and
 * what comes after it moves on. Ties go to the smaller row.
 */
#ifndef COVERTREE_TOPK_SORTED_LIST_H
#define COVERTREE_TOPK_SORTED_LIST_H

#include "core/simd/euclid.h"

struct ct_sorted_list {
    double *sq; /* [most + CT_SELECT_PAD] */
    int *row;   /* [most] */
    int most, count;
};

/* Puts in order what has been written to it in none. */
void ct_sorted_list_sort(struct ct_sorted_list *top, const struct ct_kernels *kernels);

/* Keeps a point if it is among the nearest; returns its place, or `most`. */
int ct_sorted_list_insert(struct ct_sorted_list *top, double sq, int row);

#endif
