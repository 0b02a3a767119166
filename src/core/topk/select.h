/* select.h: the k smallest by (distance, row), in a buffer of the caller's.
 *
 * Candidates are known by their squared distance. The order is that of distances,
 * which are roots, rounded: unequal squares can have equal roots, and then the
 * row decides. So whatever drops a candidate compares roots, or leaves room.
 *
 * Candidates are appended; when the buffer is full it is trimmed to few more than
 * the k smallest, and from then on only what may be among them gets in. Nothing is
 * ordered before the end. Rows are distinct, so the order is total.
 */
#ifndef COVERTREE_TOPK_SELECT_H
#define COVERTREE_TOPK_SELECT_H

#include "core/simd/euclid.h"

struct ct_neighbor {
    double sq;
    int row;
};

enum {
    CT_RANK_SORT_MAX = 96,     /* up to here, ranks are counted; */
    CT_BUCKET_SORT_MAX = 1024, /* up to here, buckets are tried; above, parts are split */
    CT_SELECT_PAD = 8          /* vectors may run over the end by less than this */
};

struct ct_topk {
    double *sq; /* [room + CT_SELECT_PAD] */
    int *row;   /* [room] */
    int k, count, room;
};

/* Buffer size that makes trimming rare. */
int ct_select_capacity(int k);

/* Drops candidates that are surely not among the k smallest, if there are more
 * than k, and returns a bar that the k smallest come before or are: there is
 * room again. Cheaper than to find the k-th. */
struct ct_neighbor ct_select_trim(struct ct_topk *nearest, const struct ct_kernels *kernels);

/* The k-th smallest of count >= k candidates; brings the k smallest to the front. */
struct ct_neighbor ct_select_kth(double *sq, int *row, int count, int k);

/* Keeps the k smallest, in order; sq turns into distances. */
void ct_select_finish(struct ct_topk *nearest, const struct ct_kernels *kernels);

/* Puts up to CT_RANK_SORT_MAX candidates in order by their squares, or distances, which are padded
 * as in a ct_topk; ties go to the smaller row. */
void ct_sort_by_rank(double *sq, int *row, int count, const struct ct_kernels *kernels);

/* Puts count candidates in order, and turns their squares, which are padded as in
 * a ct_topk, into distances. */
void ct_sort_neighbors(double *sq, int *row, int count, const struct ct_kernels *kernels);

#endif
