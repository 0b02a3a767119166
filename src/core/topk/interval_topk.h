/* interval_topk.h: the k smallest, where squares are known within bounds only.
 *
 * Candidates have a lower and an upper bound of their squares; the square itself
 * is dear. If k of them have upper bounds within a bar, then no candidate whose
 * lower bound is beyond it is among the k smallest. So squares are taken late, of
 * few more than k candidates, unless the bounds are too wide to tell.
 */
#ifndef COVERTREE_TOPK_INTERVAL_TOPK_H
#define COVERTREE_TOPK_INTERVAL_TOPK_H

#include "core/host.h"
#include "core/topk/select.h"

struct ct_interval_topk {
    double *low, *high; /* [room]; equal where the square is known */
    int *pos;           /* [room] */
    int k, count, room;
};

/* Where the contests of a thread are settled. */
struct ct_interval_scratch {
    const struct ct_kernels *kernels;
    /* sq[i] = the square of candidate pos[i] of the contest's query */
    void (*square)(void *data, int query, const int *pos, int count, double *sq);
    void *data;
    struct ct_topk nearest; /* of the room of a contest */
};

int ct_interval_topk_room(int k);
struct ct_interval_topk ct_interval_topk_make(const struct ct_host *host, int k);
struct ct_interval_scratch ct_interval_scratch_make(const struct ct_host *host, int k);

/* Makes room. Returns a bar: who has a square above it is not among the k. */
double ct_interval_topk_compact(struct ct_interval_scratch *arbiter,
                                struct ct_interval_topk *contest, int query);

/* Leaves the k smallest, or as many as there are, with their distances, in order
 * of (distance, row) in arbiter->nearest. */
void ct_interval_topk_finish(struct ct_interval_scratch *arbiter, struct ct_interval_topk *contest,
                             int query);

#endif
