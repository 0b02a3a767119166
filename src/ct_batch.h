/* ct_batch.h: what every kind of batch shares: the i-th query to answer, and a
 * walk of its own for each thread. */
#ifndef CT_BATCH_H
#define CT_BATCH_H

#include "ct_query.h"
#include "ct_walk.h"

static inline int ct_batch_blocks(const struct ct_batch *batch)
{
    return batch->m / batch->block + (batch->m % batch->block > 0);
}

static inline int ct_block_end(const struct ct_batch *batch, int block)
{
    int begin = block * batch->block, left = batch->m - begin;
    return begin + (left < batch->block ? left : batch->block);
}

/* Loads the i-th query in order into q; returns where its results go. */
static inline int ct_load_query(const struct ct_batch *batch, int i, double *q)
{
    const struct ct_tree *t = batch->tree;
    int self = batch->query == NULL, at = batch->order ? batch->order[i] : i;
    const double *from = self ? t->points : batch->query;
    for (int j = 0; j < t->d; j++)
        q[j] = from[at + (size_t)j * (self ? t->n : batch->m)];
    return self ? t->row[at] - 1 : at;
}

static inline void ct_answer(const struct ct_batch *batch, struct ct_walk *walk)
{
    if (batch->search == CT_SEARCH_SCAN)
        ct_scan(walk);
    else
        ct_walk(walk);
}

static inline struct ct_walk ct_make_walk(const struct ct_host *host, const struct ct_batch *batch,
                                          void (*leaf)(struct ct_walk *, int, int, const double *))
{
    const struct ct_tree *t = batch->tree;
    return (struct ct_walk){.tree = t,
                            .kernels = ct_kernels(ct_simd_best()),
                            .q = host->alloc((size_t)t->d, sizeof(double)),
                            .leaf = leaf,
                            .stack = host->alloc((size_t)t->stack_size, sizeof(struct ct_visit))};
}

#endif
