/* knn.c: the k nearest neighbours of a batch.
 *
 * Neighbouring queries help each other to a low bar before the search begins. A
 * run of points where the block lies is evaluated first. And if the k-th neighbour of
 * p is at distance t, then p's neighbours, with p itself in the place of q, are k
 * points within t + d(p, q) of q. Rounding can lift a computed distance above that
 * sum, so the bound gets a margin for the rounding of d terms, and one for squares
 * below the normal range. Where only rows below a query's own are wanted, this holds
 * if p's row is one. Where neighbours may be missed, the answer would depend on the
 * bound: then queries do without.
 *
 * What a query meets is kept by its float square. When the list is full, a
 * bisection finds a square that k points and few more are within; how far away such
 * points can be is the new bar, and what exceeds it is dropped. Only where floats
 * leave too many, because distances are equal or nearly so, doubles and rows decide
 * before the end; at the end they decide among what is left.
 */
#include "core/metric/euclidean.h"
#include "core/search/block_search.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>

enum {
    RUN = 64,        /* queries that a thread answers in a row, at most */
    SPARE = 16,      /* points beyond k that a seed should have, for a low first bar */
    BUFFER = 1 << 20 /* points that the queries of a block may have evaluated, about */
};

struct knn {
    struct ct_search search; /* first: the search is handed to lower() */
    int k;
    double *sq;     /* [room + CT_LANES + CT_SELECT_PAD] what a query has evaluated, in double */
    int *row;       /* [room + CT_LANES] */
    double *last_q; /* [d] the last query answered, */
    double last;    /* and the distance of its k-th neighbour */
    int last_row;   /* its own row, or 0 */
    int to[CT_BLOCK];
};

struct task {
    const struct ct_batch *batch;
    struct knn *knn; /* [threads] */
    int ld;
    int k, most, run; /* most: queries that a block may have; run: that a task has */
    const struct ct_result_sink *taker; /* or NULL: */
    double missing;
    int *index;
    double *distance;
};

/* Many points of about one distance, as floats see it: doubles and rows decide.
 * So they do at zero, where a bar that knows the row spares a search all
 * duplicates. */
static void settle(struct knn *knn, int i)
{
    struct ct_search *s = &knn->search;
    struct ct_candidates *near = &s->near[i];
    ct_search_judge(s, i, knn->sq, knn->row);
    struct ct_neighbor kth = ct_select_kth(knn->sq, knn->row, near->count, knn->k);
    double distance = sqrt(kth.sq);
    int kept = 0;
    ct_search_judge(s, i, knn->sq, knn->row); /* in the order of the list once more */
    for (int c = 0; c < near->count; c++) {
        double its = sqrt(knn->sq[c]);
        near->sq[kept] = near->sq[c];
        near->pos[kept] = near->pos[c];
        kept += its < distance || (its == distance && knn->row[c] <= kth.row);
    }
    near->count = kept;
    if (kth.sq < s->bar[i].sq || (kth.sq == s->bar[i].sq && kth.row < s->bar[i].row))
        ct_search_set_bar(s, i, kth);
}

/* Lowers the bar of query i to what it has evaluated, and drops what is beyond. */
static void lower(struct ct_search *s, int i)
{
    struct knn *knn = (struct knn *)s;
    struct ct_candidates *near = &s->near[i];
    if (near->count < knn->k)
        return;
    float sq = s->kernels->find_threshold(near, knn->k, knn->k + knn->k / 8 + 1);
    struct ct_neighbor bar = {
        ct_sq_threshold(ct_f32_distance_bound(s->tree->tiles, s->reach[i], sq)), INT_MAX};
    if (bar.sq < s->bar[i].sq)
        ct_search_set_bar(s, i, bar);
    s->kernels->compact(near, near->limit);
    if ((sq == 0 && s->bar[i].sq > 0) || near->count >= near->full / 2 + knn->k / 2)
        settle(knn, i);
}

static void inherit(struct knn *knn, int i, double kth, const double *p, int row)
{
    struct ct_search *s = &knn->search;
    int d = s->tree->d;
    if (row > s->latest[i] || s->nearer < 1)
        return;
    double moved = sqrt(ct_sqdist(p, 1, s->q + (size_t)i * d, 1, d));
    double bound = (kth + moved) * (1 + (d + 8) * DBL_EPSILON) + d * sqrt(DBL_MIN);
    if (ct_sq_threshold(bound) < s->bar[i].sq)
        ct_search_set_bar(s, i, (struct ct_neighbor){ct_sq_threshold(bound), INT_MAX});
}

/* Whether some query has evaluated fewer of the points that it wants than there are. */
static int lacking(const struct knn *knn)
{
    const struct ct_search *s = &knn->search;
    for (int i = 0; i < s->queries; i++)
        if (s->near[i].count < ct_search_reach(s, i, knn->k))
            return 1;
    return 0;
}

/* The seed's points may mostly be rows that are not wanted: then so many more tiles
 * to both sides as there are already, until all queries have a bar. */
static struct ct_span widen(struct knn *knn, struct ct_span seed)
{
    struct ct_search *s = &knn->search;
    int count = s->tree->tiles->count;
    while (seed.last - seed.first < count && lacking(knn)) {
        int more = seed.last - seed.first;
        struct ct_span wide = {seed.first > more ? seed.first - more : 0,
                               count - seed.last > more ? seed.last + more : count};
        ct_search_scan(s, (struct ct_span){wide.first, seed.first});
        ct_search_scan(s, (struct ct_span){seed.last, wide.last});
        seed = wide;
    }
    return seed;
}

static struct ct_span lower_bars(struct knn *knn, int predecessor)
{
    struct ct_search *s = &knn->search;
    int d = s->tree->d, points = knn->k < INT_MAX - SPARE ? knn->k + SPARE : knn->k;
    struct ct_span seed = ct_search_seed(s, s->queries / 2, points);
    for (int i = 0; i < s->queries; i++)
        inherit(knn, i, knn->last, knn->last_q, knn->last_row);
    ct_search_scan(s, seed);
    if (predecessor)
        seed = widen(knn, seed);
    for (int i = 0; i < s->queries; i++) {
        if (i > 0)
            inherit(knn, i, sqrt(s->bar[i - 1].sq), s->q + (size_t)(i - 1) * d,
                    s->near[i - 1].self);
        lower(s, i);
    }
    return seed;
}

static void store(const struct task *task, const struct knn *knn, int line, int found)
{
    size_t ld = (size_t)task->ld, to = (size_t)line;
    for (int j = 0; j < found; j++) {
        task->index[j * ld + to] = knn->row[j];
        task->distance[j * ld + to] = knn->sq[j];
    }
    for (int j = found; j < task->k; j++) {
        task->index[j * ld + to] = CT_NO_ROW;
        task->distance[j * ld + to] = task->missing;
    }
}

/* Distances in double for what is left, in order, to where they are wanted. */
static void answer(const struct task *task, struct knn *knn, int i, int thread)
{
    struct ct_search *s = &knn->search;
    struct ct_candidates *near = &s->near[i];
    lower(s, i);
    ct_search_judge(s, i, knn->sq, knn->row);
    ct_sort_neighbors(knn->sq, knn->row, near->count, s->kernels);
    int found = near->count < task->k ? near->count : task->k;
    if (task->taker)
        task->taker->take(task->taker, thread, knn->to[i], knn->row, found);
    else
        store(task, knn, knn->to[i], found);
    knn->last_row = near->self;
    knn->last = found == task->k ? knn->sq[found - 1] : INFINITY;
}

static void climb_each(const struct task *task, struct knn *knn)
{
    struct ct_search *s = &knn->search;
    for (int i = 0; i < s->queries; i++) {
        struct ct_budget_state climb = ct_search_frugal(s, i, knn->k);
        s->tally.evaluated += climb.evaluated;
        s->tally.useful += climb.useful;
        s->tally.climbs += climb.step;
        s->tally.stopped_early += climb.stopped_early;
        if (task->batch->evaluated)
            task->batch->evaluated[knn->to[i]] = climb.evaluated;
    }
    ct_search_clock(s, CT_PHASE_SCAN);
}

static void answer_block(const struct task *task, int thread, int begin, int queries)
{
    struct knn *knn = &task->knn[thread];
    struct ct_search *s = &knn->search;
    ct_search_load(s, task->batch, begin, queries, knn->to);
    if (s->budget) {
        climb_each(task, knn);
    } else {
        struct ct_span evaluated = lower_bars(knn, task->batch->predecessor);
        ct_search_clock(s, CT_PHASE_SEED);
        ct_search_block(s, evaluated);
    }
    for (int i = 0; i < queries; i++)
        answer(task, knn, i, thread);
    if (task->taker)
        task->taker->done(task->taker, thread);
    for (int j = 0; j < s->tree->d; j++)
        knn->last_q[j] = s->q[(size_t)(queries - 1) * s->tree->d + j];
    ct_search_clock(s, CT_PHASE_SELECTION);
}

static void run_task(void *data, int number, int thread)
{
    const struct task *task = data;
    struct knn *knn = &task->knn[thread];
    int begin = number * task->run, left = task->batch->m - begin;
    int end = begin + (left < task->run ? left : task->run);
    knn->last = INFINITY;
    while (begin < end) {
        int queries = ct_search_next(&knn->search, task->batch, begin, end, task->most);
        answer_block(task, thread, begin, queries);
        begin += queries;
    }
}

static void init_knn(const struct ct_host *host, const struct task *task, int room, struct knn *knn)
{
    ct_search_init(host, task->batch, task->most, room, &knn->search);
    knn->search.full = lower;
    knn->k = task->k;
    knn->last = INFINITY;
    knn->last_row = 0;
    knn->sq = host->alloc((size_t)room + CT_LANES + CT_SELECT_PAD, sizeof(double));
    knn->row = host->alloc((size_t)room + CT_LANES, sizeof(int));
    knn->last_q = host->alloc((size_t)task->batch->tree->d, sizeof(double));
    for (int j = 0; j < task->batch->tree->d; j++)
        knn->last_q[j] = 0;
}

static void run(const struct ct_host *host, struct task task)
{
    const struct ct_batch *batch = task.batch;
    int reach = task.k < batch->tree->n ? task.k : batch->tree->n, room = ct_select_capacity(reach);
    int most = BUFFER / room < 1 ? 1 : BUFFER / room, chunk = batch->m / (8 * batch->threads);
    task.ld = batch->ld > 0 ? batch->ld : batch->m;
    task.most = most < CT_BLOCK ? most : CT_BLOCK;
    task.run = chunk < 16 ? 16 : chunk < RUN ? chunk : RUN;
    int tasks = batch->m / task.run + (batch->m % task.run > 0);
    int threads = batch->threads < tasks ? batch->threads : tasks;
    task.knn = host->alloc((size_t)threads, sizeof *task.knn);
    for (int thread = 0; thread < threads; thread++)
        init_knn(host, &task, room, &task.knn[thread]);
    ct_parallel_for(host, tasks, threads, run_task, &task);
    for (int thread = 0; batch->tally && thread < threads; thread++)
        ct_search_stats_add(batch->tally, &task.knn[thread].search.tally);
}

void ct_knn(const struct ct_host *host, const struct ct_batch *batch, int k, double missing,
            int *index, double *distance)
{
    run(host,
        (struct task){
            .batch = batch, .k = k, .missing = missing, .index = index, .distance = distance});
}

void ct_knn_to_sink(const struct ct_host *host, const struct ct_batch *batch, int k,
                    const struct ct_result_sink *taker)
{
    run(host, (struct task){.batch = batch, .k = k, .taker = taker});
}
