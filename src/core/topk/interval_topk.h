/* interval_topk.h: the k smallest of values that are known by lower and upper bounds.
 *
 * Used by the exact residual search: the filter bounds a squared distance for free, and the
 * exact value costs a dot product of m terms. If k candidates have upper bounds of at most a
 * threshold, a candidate whose lower bound exceeds the threshold is not among the k smallest.
 * Refinement (the replacement of both bounds by the exact value) therefore waits until a
 * candidate buffer is full of overlapping intervals, or until the end of the search. With tight
 * bounds it refines few more than k candidates.
 *
 * Per candidate: 20 bytes and amortized constant time, plus one refinement at most.
 */
#ifndef COVERTREE_TOPK_INTERVAL_TOPK_H
#define COVERTREE_TOPK_INTERVAL_TOPK_H

#include "core/host.h"
#include "core/topk/select.h"

/* The candidate buffer of one query. The caller appends a candidate at `count` and compacts when
 * count reaches capacity. Values are squared distances; row pos + 1 breaks ties. */
struct ct_interval_topk {
    double *lower, *upper;  /* [capacity] bounds of the value; equal if the value is known */
    int *pos;               /* [capacity] candidates, distinct */
    int k, count, capacity; /* capacity > k */
};

/* Scratch of a thread, shared by the buffers of its queries. */
struct ct_interval_scratch {
    const struct ct_kernels *kernels;
    struct ct_topk nearest; /* [capacity] the result of ct_interval_topk_finish() */
};

/* How to compute exact values. */
struct ct_refinement {
    /* sq[i] = value of candidate pos[i] of the query, i < count; count may be 0. It must lie within
     * the bounds of the candidate. */
    void (*refine)(void *context, int query, const int *pos, int count, double *sq);
    void *context;
    int query;
};

/* Capacity of a buffer for the k smallest; some 1.5 k + 100. */
int ct_interval_topk_capacity(int k);

/* An empty buffer, and scratch, for the k smallest; memory from the host. */
struct ct_interval_topk ct_interval_topk_make(const struct ct_host *host, int k);
struct ct_interval_scratch ct_interval_scratch_make(const struct ct_host *host, int k,
                                                    const struct ct_kernels *kernels);

/* Drops candidates that are not among the k smallest, so that count < capacity; refines only if
 * bounds alone drop too few. Returns a threshold: a value above it is not among the k smallest
 * (INFINITY with fewer than k candidates). Linear time in count, plus refinement. */
double ct_interval_topk_compact(struct ct_interval_topk *topk, struct ct_interval_scratch *scratch,
                                const struct ct_refinement *refinement);

/* Leaves in scratch->nearest the k smallest candidates, or all if fewer, ordered by (distance,
 * row); its `sq` then holds distances, not squares. Refines all candidates left by the bounds. */
void ct_interval_topk_finish(struct ct_interval_topk *topk, struct ct_interval_scratch *scratch,
                             const struct ct_refinement *refinement);

#endif
