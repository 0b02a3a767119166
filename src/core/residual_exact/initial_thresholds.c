/* initial_thresholds.c: thresholds from neighbors on a Hilbert curve; see initial_thresholds.h.
 *
 * Each query takes candidates from both sides of its place on the curve. A predecessor search
 * skips larger rows, which are most points around an early row: the walk then gives up after a
 * bounded number of steps, and the threshold stays infinite if fewer than k candidates are found.
 */
#include "core/residual_exact/initial_thresholds.h"
#include "core/metric/euclidean.h"
#include "core/order/hilbert.h"
#include "core/topk/select.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum {
    BLOCK_POINTS = 64,       /* adjacent points of the curve in one block: they share candidates */
    STEPS_PER_CANDIDATE = 6, /* most steps along the curve, per wanted candidate */
    SPARE_CANDIDATES = 64    /* candidates beyond 2 k */
};

/* The parallel work of ct_initial_thresholds(): for each query, the k-th smallest squared distance
 * among its candidates along the curve. */
struct curve_task {
    const struct ct_exact_batch *batch;
    int k, wanted;    /* candidates per query */
    const int *order; /* [n] points in the order of the curve */
    double *threshold;
    double *sq; /* [threads x wanted] */
    int *pos;   /* [threads x wanted] candidates */
};

/* Fills pos with up to `wanted` points around an index of the curve, alternating between both
 * sides: points that the query may find. Returns their count. */
static int curve_candidates(const struct curve_task *task, int index, int *pos)
{
    const struct ct_exact_batch *batch = task->batch;
    int n = batch->metric->points.n, self = task->order[index], count = 0;
    int steps = task->wanted < n / STEPS_PER_CANDIDATE ? STEPS_PER_CANDIDATE * task->wanted : n;
    for (int step = 2; step < 2 * steps && count < task->wanted; step++) {
        long long at = index + (step % 2 ? -(long long)(step / 2) : step / 2);
        if (at >= 0 && at < n && !(batch->predecessors && task->order[at] > self))
            pos[count++] = task->order[at];
    }
    return count;
}

/* The thresholds of the queries among the points of one block. ct_sq_threshold() keeps points at
 * the same distance, since the row decides among those. */
static void thresholds_of_block(void *data, int block, int thread)
{
    const struct curve_task *task = data;
    const struct ct_exact_batch *batch = task->batch;
    const struct ct_residual_metric *metric = batch->metric;
    int n = metric->points.n, *pos = task->pos + (size_t)thread * task->wanted;
    double *sq = task->sq + (size_t)thread * task->wanted;
    for (int i = block * BLOCK_POINTS; i < n && i < block * BLOCK_POINTS + BLOCK_POINTS; i++) {
        int self = task->order[i];
        if (task->threshold[self] < 0)
            continue;
        int count = curve_candidates(task, i, pos);
        if (count < task->k)
            continue;
        ct_residual_sqdist(batch->correlation_kernels, metric, &metric->points, self, pos, count,
                           sq);
        task->threshold[self] = ct_sq_threshold(sqrt(ct_select_kth(sq, pos, count, task->k).sq));
    }
}

void ct_initial_thresholds(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                           double *threshold)
{
    const struct ct_factors *points = &batch->metric->points;
    int n = points->n, wanted = k < n / 16 ? 2 * k + SPARE_CANDIDATES : n;
    int *order = host->alloc((size_t)n, sizeof *order);
    size_t size = (size_t)batch->threads * wanted;
    struct curve_task task = {
        .batch = batch,
        .k = k,
        .wanted = wanted,
        .order = order,
        .threshold = threshold,
        .sq = host->alloc(size, sizeof(double)),
        .pos = host->alloc(size, sizeof(int)),
    };
    /* INFINITY marks the queries, -1 all other points. */
    for (int i = 0; i < n; i++)
        threshold[i] = batch->row ? -1 : INFINITY;
    for (int i = 0; batch->row && i < batch->count; i++)
        threshold[batch->row[i] - 1] = INFINITY;
    ct_hilbert_order(host, points->z, n, batch->metric->d, batch->threads, order);
    ct_parallel_for(host, (n + BLOCK_POINTS - 1) / BLOCK_POINTS, batch->threads,
                    thresholds_of_block, &task);
}
