/* sample_pairs.c: see sample_pairs.h. */
#include "core/residual_exact/sample_pairs.h"
#include "core/util/parallel_for.h"

#include <math.h>

int ct_sample_positions(const struct ct_point_norms *norms, int n, int most, int shift, int *pos)
{
    int count = 0, tried = n < most ? n : most;
    for (int i = 0; i < tried; i++) {
        int at = (int)((long long)n * i / tried) + shift;
        if (at < n && !isinf(norms->root[at]))
            pos[count++] = at;
    }
    return count;
}

/* The arguments of the parallel loop; a block of work is one query of the sample. */
struct threshold_task {
    const struct ct_filter *filter;
    const int *pos;
    int rank;
    double *threshold;
    double *sq;     /* [threads x n] */
    int *candidate; /* [threads x n] */
};

/* Sets the threshold of one query from all exact distances: the distance of rank `rank`, or 1, the
 * largest distance, if fewer than `rank` points may be neighbors. */
static void find_threshold(void *data, int query, int thread)
{
    const struct threshold_task *task = data;
    const struct ct_exact_batch *batch = task->filter->batch;
    int n = batch->metric->points.n, pos = task->pos[query], count = 0;
    int end = batch->predecessors ? pos : n;
    double *sq = task->sq + (size_t)thread * n;
    int *candidate = task->candidate + (size_t)thread * n;
    for (int i = 0; i < end; i++)
        if (batch->query_points || i != pos)
            candidate[count++] = i;
    ct_residual_sqdist(batch->correlation_kernels, batch->metric, task->filter->queries, pos,
                       candidate, count, sq);
    task->threshold[query] =
        count < task->rank ? 1 : ct_select_kth(sq, candidate, count, task->rank).sq;
}

void ct_sample_thresholds(const struct ct_host *host, const struct ct_filter *filter,
                          const int *pos, int count, int rank, double *threshold)
{
    const struct ct_exact_batch *batch = filter->batch;
    size_t size = (size_t)batch->threads * batch->metric->points.n;
    struct threshold_task task = {.filter = filter,
                                  .pos = pos,
                                  .rank = rank,
                                  .threshold = threshold,
                                  .sq = host->alloc(size, sizeof(double)),
                                  .candidate = host->alloc(size, sizeof(int))};
    ct_parallel_for(host, count, batch->threads, find_threshold, &task);
}
