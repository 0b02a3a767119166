/* direct_search.c: see direct_search.h. A block of parallel work is a range of points, for all
 * queries. Each thread collects candidates for each query; at the end, the candidates of all
 * threads are merged. */
#include "core/residual_exact/direct_search.h"
#include "core/metric/euclidean.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum {
    BATCH = 64,        /* points whose v stays in the cache while all queries use it */
    BLOCK_POINTS = 512 /* points of one block of parallel work: whole batches */
};

/* The candidates of a query that a thread has found. */
struct candidates {
    struct ct_topk topk;
    double threshold; /* squared distance; farther points are no neighbors */
};

/* The parallel work of ct_direct_search(): all queries, and the points of `from` block by block. */
struct direct_task {
    const struct ct_exact_batch *batch;
    const struct ct_factors *from;
    const int *query; /* [count] */
    int count, capacity;
    struct candidates *found; /* [threads x count] */
};

/* Position of query i among the points of `from`. */
static int query_pos(const struct direct_task *task, int i)
{
    return task->batch->row ? task->batch->row[task->query[i]] - 1 : task->query[i];
}

/* Adds a point at squared distance sq to the candidates of a query, unless it is beyond the
 * threshold. A full list is reduced to the k nearest, which tightens the threshold. */
static void add_candidate(const struct direct_task *task, struct candidates *found, double sq,
                          int row)
{
    struct ct_topk *topk = &found->topk;
    if (sq > found->threshold)
        return;
    topk->sq[topk->count] = sq;
    topk->row[topk->count++] = row;
    if (topk->count == task->capacity)
        found->threshold = ct_sq_threshold(sqrt(ct_topk_compact(topk, task->batch->kernels).sq));
}

/* Evaluates up to BATCH points from `first` on for one query. */
static void add_points(const struct direct_task *task, struct candidates *found, int pos, int first,
                       int count)
{
    const struct ct_exact_batch *batch = task->batch;
    int points[BATCH], end = batch->predecessors && pos < first + count ? pos : first + count;
    int wanted = 0;
    double sq[BATCH];
    for (int i = first; i < end; i++)
        if (batch->query_points || i != pos)
            points[wanted++] = i;
    if (wanted == 0)
        return;
    ct_residual_sqdist(batch->correlation_kernels, batch->metric, task->from, pos, points, wanted,
                       sq);
    for (int i = 0; i < wanted; i++)
        add_candidate(task, found, sq[i], points[i] + 1);
}

/* Evaluates all queries with the points of one block. Each batch of points is read once for all
 * queries. */
static void search_block(void *data, int block, int thread)
{
    const struct direct_task *task = data;
    int n = task->batch->metric->points.n, begin = block * BLOCK_POINTS;
    int end = n - begin < BLOCK_POINTS ? n : begin + BLOCK_POINTS;
    for (int first = begin; first < end; first += BATCH)
        for (int i = 0; i < task->count; i++)
            add_points(task, &task->found[(size_t)thread * task->count + i], query_pos(task, i),
                       first, end - first < BATCH ? end - first : BATCH);
}

static struct candidates make_candidates(const struct ct_host *host, int capacity, int k)
{
    return (struct candidates){
        .topk = {.sq = host->alloc((size_t)capacity + CT_SELECT_PAD, sizeof(double)),
                 .row = host->alloc((size_t)capacity, sizeof(int)),
                 .k = k},
        .threshold = INFINITY,
    };
}

void ct_direct_search(const struct ct_host *host, const struct ct_exact_batch *batch,
                      const int *query, int count, int k,
                      void (*write)(void *data, const struct ct_topk *nearest, int query),
                      void *data)
{
    int n = batch->metric->points.n, blocks = n / BLOCK_POINTS + (n % BLOCK_POINTS > 0);
    int threads = batch->threads < blocks ? batch->threads : blocks > 0 ? blocks : 1;
    struct direct_task task = {
        .batch = batch,
        .from = batch->query_points ? batch->query_points : &batch->metric->points,
        .query = query,
        .count = count,
        .capacity = ct_select_capacity(k),
        .found = host->alloc((size_t)threads * count, sizeof *task.found),
    };
    for (int i = 0; i < threads * count; i++)
        task.found[i] = make_candidates(host, task.capacity, k);
    ct_parallel_for(host, blocks, threads, search_block, &task);
    for (int i = 0; i < count; i++) {
        struct candidates *found = &task.found[i];
        for (int thread = 1; thread < threads; thread++) {
            const struct ct_topk *more = &task.found[thread * count + i].topk;
            for (int j = 0; j < more->count; j++)
                add_candidate(&task, found, more->sq[j], more->row[j]);
        }
        ct_topk_finish(&found->topk, batch->kernels);
        write(data, &found->topk, query[i]);
    }
    if (batch->stats)
        batch->stats->exact += (long long)n * count;
}
