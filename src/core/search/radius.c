/* radius.c: every point within a radius, for a batch.
 *
 * The number of results is unknown beforehand, and results belong in memory of the host.
 * Hence the search runs twice: once to count, once to fill. Counting ends when the total
 * exceeds a limit, and another call resumes at the queries not yet counted. Thresholds are
 * fixed, hence no query needs a seed, and a full candidate buffer turns into results at once.
 *
 * Tasks have RADIUS_RUN queries. Threads add to one shared total after every block, which
 * bounds the work beyond the limit to one block per thread.
 */
#include "core/metric/euclidean.h"
#include "core/search/block_search.h"
#include "core/search/threshold.h"
#include "core/util/parallel.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum {
    RADIUS_RUN = 64,           /* queries of one task of a thread */
    BUFFER_CAPACITY = 512,     /* candidates of a query before their exact distances */
    SORT_BUFFER_MAX = 1 << 23, /* results in the sort buffers of all threads, */
                               /* beyond the number of all results */
};

/* The scratch of a thread. */
struct radius_worker {
    struct ct_search search;
    const struct radius_call *call;
    int found[CT_BLOCK]; /* results of each query of the block so far */
    double *sorted;      /* [most + CT_SELECT_PAD] squares of one query, padded for the sort */
};

/* One call: counts if index is NULL, and fills otherwise. */
struct radius_call {
    const struct ct_batch *batch;
    struct radius_worker *worker; /* [threads] */
    double radius;
    int sort;          /* whether to sort results by (distance, row) */
    int *count;        /* [m] results by line; below 0: not yet counted */
    long long total;   /* results counted, by all threads; */
    long long most;    /* counting ends when the total exceeds this */
    int *const *index; /* [m] where the rows of a line go */
    double *const *distance;
};

/* The candidate sink: candidates within the radius, by exact distance, are results. Results
 * to be sorted are stored as squares, because the sort expects squares. */
static void add_within_radius(void *data, int i, const int *row, const double *sq, int count)
{
    struct radius_worker *worker = data;
    const struct radius_call *call = worker->call;
    int line = worker->search.block.line[i];
    for (int c = 0; c < count; c++) {
        double distance = sqrt(sq[c]);
        if (distance > call->radius)
            continue;
        int at = worker->found[i]++;
        if (call->index) {
            call->index[line][at] = row[c];
            call->distance[line][at] = call->sort ? sq[c] : distance;
        }
    }
}

/* Sorts the results of query i and turns their squares into distances. */
static void sort_results(const struct radius_worker *worker, int i)
{
    const struct ct_query_block *block = &worker->search.block;
    int line = block->line[i], count = worker->found[i];
    double *distance = worker->call->distance[line];
    for (int j = 0; j < count; j++)
        worker->sorted[j] = distance[j];
    ct_sort_neighbors(worker->sorted, worker->call->index[line], count, block->context.kernels);
    for (int j = 0; j < count; j++)
        distance[j] = worker->sorted[j];
}

/* Answers a block. Returns the number of its results. */
static long long answer_radius_block(const struct radius_call *call, struct radius_worker *worker,
                                     int begin, int count)
{
    long long found = 0;
    struct ct_search *s = &worker->search;
    struct ct_neighbor threshold = {ct_sq_threshold(call->radius), INT_MAX};
    ct_search_begin(s, call->batch, begin, count);
    for (int i = 0; i < count; i++) {
        ct_set_threshold(&s->block, i, threshold);
        worker->found[i] = 0;
    }
    ct_search_block(s, (struct ct_tile_span){0, 0});
    for (int i = 0; i < count; i++) {
        ct_flush_candidates(&s->block, i);
        if (!call->index)
            call->count[s->block.line[i]] = worker->found[i];
        else if (call->sort)
            sort_results(worker, i);
        found += worker->found[i];
    }
    return found;
}

/* Returns the first query of a task that is not counted yet: tasks are counted in order. */
static int skip_counted(const struct radius_call *call, int begin, int end)
{
    while (!call->index && begin < end && call->count[ct_result_line(call->batch, begin)] >= 0)
        begin++;
    return begin;
}

/* Adds results to the total. Returns whether the total is within the limit. */
static int add_to_total(struct radius_call *call, long long found)
{
    long long total;
    if (call->index)
        return 1;
    CT_PRAGMA(omp atomic capture)
    total = call->total += found;
    return total <= call->most;
}

/* Answers a run of queries, and stops early if the total exceeds the limit. */
static void answer_radius_run(void *data, int number, int thread)
{
    struct radius_call *call = data;
    struct radius_worker *worker = &call->worker[thread];
    int begin = number * RADIUS_RUN, left = call->batch->count - begin;
    int end = begin + (left < RADIUS_RUN ? left : RADIUS_RUN);
    begin = skip_counted(call, begin, end);
    for (int going = add_to_total(call, 0); going && begin < end;) {
        int count = ct_schedule_size(&worker->search.schedule, call->batch, begin, end, CT_BLOCK);
        going = add_to_total(call, answer_radius_block(call, worker, begin, count));
        begin += count;
    }
}

/* Answers all queries of the batch. most: the largest number of results of a query to sort. */
static void run_radius(const struct ct_host *host, struct radius_call *call, int threads, int most)
{
    const struct ct_batch *batch = call->batch;
    int tasks = batch->count / RADIUS_RUN + (batch->count % RADIUS_RUN > 0);
    threads = threads < tasks ? threads : tasks;
    call->worker = host->alloc((size_t)threads, sizeof *call->worker);
    for (int thread = 0; thread < threads; thread++) {
        struct radius_worker *worker = &call->worker[thread];
        struct ct_candidate_sink sink = {worker, add_within_radius};
        ct_search_init(host, batch, CT_BLOCK, BUFFER_CAPACITY, 0, sink, &worker->search);
        worker->call = call;
        worker->sorted = host->alloc((size_t)most + CT_SELECT_PAD, sizeof *worker->sorted);
    }
    ct_parallel_for(host, tasks, threads, answer_radius_run, call);
}

long long ct_radius_count(const struct ct_host *host, const struct ct_batch *batch, double radius,
                          long long most, int *count)
{
    struct radius_call call = {.batch = batch, .radius = radius, .most = most, .count = count};
    for (int i = 0; i < batch->count; i++) {
        int line = ct_result_line(batch, i);
        call.total += count[line] > 0 ? count[line] : 0;
    }
    run_radius(host, &call, batch->threads, 0);
    return call.total;
}

/* Each thread that sorts needs a buffer for the longest result. If the longest result is
 * very long, fewer threads take part: all buffers together hold at most as many results as
 * there are, plus SORT_BUFFER_MAX. */
void ct_radius_fill(const struct ct_host *host, const struct ct_batch *batch, double radius,
                    int sort, const int *count, int *const *index, double *const *distance)
{
    struct radius_call call = {
        .batch = batch, .radius = radius, .sort = sort, .index = index, .distance = distance};
    long long total = SORT_BUFFER_MAX;
    int most = 0;
    for (int i = 0; i < batch->count; i++) {
        int line = ct_result_line(batch, i);
        most = count[line] > most ? count[line] : most;
        total += count[line];
    }
    int threads = batch->threads;
    if (sort && most > 0 && total / most < threads)
        threads = (int)(total / most);
    if (most > 0)
        run_radius(host, &call, threads > 0 ? threads : 1, sort ? most : 0);
}
