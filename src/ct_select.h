/* ct_select.h: the smallest of some candidates by (distance, row).
 *
 * Candidates are known by their squared distance. The order is that of distances,
 * which are roots, rounded: unequal squares can have equal roots, and then the
 * row decides. So whatever drops a candidate compares roots, or leaves room. Rows
 * are distinct, so the order is total.
 */
#ifndef CT_SELECT_H
#define CT_SELECT_H

#include "ct_simd.h"

struct ct_found {
    double sq;
    int row;
};

enum {
    CT_RANKED = 256,  /* up to here, ranks are counted; above, parts are split */
    CT_SELECT_PAD = 8 /* vectors may run over the end by less than this */
};

/* Candidates to collect before all but k are dropped, so that this is rare. */
int ct_select_room(int k);

/* The k-th smallest of count >= k candidates; brings the k smallest to the front. */
struct ct_found ct_select_kth(double *sq, int *row, int count, int k);

/* Puts count candidates in order, and turns their squares, behind which there is
 * room for CT_SELECT_PAD more, into distances. */
void ct_sort_found(double *sq, int *row, int count, const struct ct_kernels *kernels);

#endif
