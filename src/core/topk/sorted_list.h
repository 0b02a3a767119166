/* sorted_list.h: the nearest of candidates that arrive one by one, always in order.
 *
 * Used by the approximate residual search, which reads the k-th distance after every insertion
 * and inserts few of many candidates. An insertion takes log2(count) comparisons and moves up to
 * count entries. For many insertions and one reading of the result, select.h is faster.
 */
#ifndef COVERTREE_TOPK_SORTED_LIST_H
#define COVERTREE_TOPK_SORTED_LIST_H

#include "core/simd/euclid.h"

/* Entries ordered by (sq, row); ties go to the smaller row. Memory is the caller's. */
struct ct_sorted_list {
    double *sq; /* [capacity + CT_SELECT_PAD] squared distances */
    int *row;   /* [capacity] distinct */
    int capacity, count;
};

/* Sorts entries that the caller wrote in any order, count <= capacity. Quadratic time in count: up
 * to CT_RANK_SORT_MAX entries by vectorized ranks, more by insertions. */
void ct_sorted_list_sort(struct ct_sorted_list *list, const struct ct_kernels *kernels);

/* Inserts a candidate if fewer than `capacity` entries are before it; a full list loses its last
 * entry. Returns the index of the candidate, or `capacity` if the list stays as it was. */
int ct_sorted_list_insert(struct ct_sorted_list *list, double sq, int row);

#endif
