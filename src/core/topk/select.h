/* select.h: the k smallest of many candidates, by (distance, row).
 *
 * Candidates carry squared distances. The order is that of the rounded distances: two
 * different squares can have the same root, and then the smaller row comes first. So
 * whatever drops a candidate compares roots, or keeps a margin. Rows are distinct, hence
 * the order is total and the result unique.
 *
 *   selection   ct_select_kth() finds the k-th of an array, ct_sort_neighbors() sorts one;
 *   collection  a `struct ct_topk` collects candidates as they come: the caller appends,
 *               compacts the buffer when it is full, and sorts only once, at the end.
 *
 * Selection takes linear time on average, whatever the input: pivots are taken from
 * scattered places. No function allocates.
 */
#ifndef COVERTREE_TOPK_SELECT_H
#define COVERTREE_TOPK_SELECT_H

#include "core/simd/euclid.h"

/* A candidate, or a threshold: neighbors that come after it in the order are not wanted. */
struct ct_neighbor {
    double sq; /* squared distance */
    int row;
};

enum {
    CT_RANK_SORT_MAX = 96, /* candidates that ct_sort_by_rank() sorts, at most */
    CT_SELECT_PAD = 8      /* elements by which vectors may overrun an array */
};

/* A buffer for the k nearest of a stream of candidates. The caller appends at [count] while
 * there is capacity. */
struct ct_topk {
    double *sq; /* [capacity + CT_SELECT_PAD] */
    int *row;   /* [capacity] */
    int k, count;
};

/* Returns a capacity that makes compaction rare: about 1.5 k. */
int ct_select_capacity(int k);

/* Drops candidates that are surely not among the k nearest, if there are k: about k / 8
 * candidates more than k remain at most. Returns a threshold that the k nearest do not
 * exceed; without k candidates, an infinite one. O(count); cheaper than to find the k-th. */
struct ct_neighbor ct_topk_compact(struct ct_topk *topk, const struct ct_kernels *kernels);

/* Keeps the k nearest, sorted; topk->sq then holds distances. O(count + k log k). */
void ct_topk_finish(struct ct_topk *topk, const struct ct_kernels *kernels);

/* Returns the k-th smallest of count >= k candidates and moves the k smallest to the front,
 * in no order. */
struct ct_neighbor ct_select_kth(double *sq, int *row, int count, int k);

/* Sorts up to CT_RANK_SORT_MAX candidates by their values, squares or distances, with ties
 * by row. values: [count + CT_SELECT_PAD]. O(count^2) without branches. */
void ct_sort_by_rank(double *values, int *row, int count, const struct ct_kernels *kernels);

/* Sorts candidates by (distance, row) and turns their squares into distances. On average linear in
 * count; O(count log count) at worst. Takes up to 45 KB of stack. sq: [count + CT_SELECT_PAD]. */
void ct_sort_neighbors(double *sq, int *row, int count, const struct ct_kernels *kernels);

#endif
