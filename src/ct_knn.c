/* ct_knn.c: the k nearest neighbours of a batch.
 *
 * Neighbouring queries help each other to a low bar before the search begins. A
 * run of points where the block lies is met first. And if the k-th neighbour of
 * p is at distance t, then p's neighbours, with p itself in the place of q, are k
 * points within t + d(p, q) of q. Rounding can lift a computed distance above that
 * sum, so the bound gets a margin for the rounding of d terms, and one for squares
 * below the normal range.
 */
#include "ct_blocks.h"
#include "ct_distance.h"
#include "ct_search.h"

#include <float.h>
#include <math.h>

enum {
    RUN = 64,        /* queries that a thread answers in a row, at most */
    SPARE = 16,      /* points beyond k that a seed should have, for a low first bar */
    BUFFER = 1 << 20 /* candidates that a thread keeps, about */
};

struct knn {
    struct ct_search search; /* first: the search is handed to take() */
    struct ct_nearest nearest[CT_BLOCK];
    double *last_q; /* [d] the last query answered, */
    double last;    /* and the distance of its k-th neighbour */
    int to[CT_BLOCK];
};

struct task {
    const struct ct_batch *batch;
    struct knn *knn;  /* [threads] */
    int k, most, run; /* most: queries that a block may have; run: that a task has */
    double missing;
    int *index;
    double *distance;
};

static void take(struct ct_search *search, int i, struct ct_found found)
{
    struct ct_nearest *nearest = &((struct knn *)search)->nearest[i];
    nearest->sq[nearest->count] = found.sq;
    nearest->row[nearest->count++] = found.row;
    if (nearest->count == nearest->room)
        ct_search_set_bar(search, i, ct_select_trim(nearest, search->kernels));
}

static void inherit(struct knn *knn, int i, double kth, const double *p)
{
    struct ct_search *s = &knn->search;
    int d = s->tree->d;
    double moved = sqrt(ct_sqdist(p, 1, s->q + (size_t)i * d, 1, d));
    double bound = (kth + moved) * (1 + (d + 8) * DBL_EPSILON) + d * sqrt(DBL_MIN);
    if (ct_sq_limit(bound) < s->bar[i].sq)
        ct_search_set_bar(s, i, (struct ct_found){ct_sq_limit(bound), INT_MAX});
}

static struct ct_span lower_bars(struct knn *knn, int k)
{
    struct ct_search *s = &knn->search;
    struct ct_span seed = ct_search_seed(s, s->queries / 2, k < INT_MAX - SPARE ? k + SPARE : k);
    for (int i = 0; i < s->queries; i++) {
        struct ct_nearest *nearest = &knn->nearest[i];
        nearest->count = 0;
        if (i > 0)
            inherit(knn, i, sqrt(s->bar[i - 1].sq), s->q + (size_t)(i - 1) * s->tree->d);
        else
            inherit(knn, i, knn->last, knn->last_q);
        ct_search_meet(s, i, seed);
        if (nearest->count >= k)
            ct_search_set_bar(s, i, ct_select_trim(nearest, s->kernels));
    }
    return seed;
}

/* Selection is over: squares have become distances. Column by column, so that
 * the writes of a block stay close together. */
static void store_block(const struct task *task, const struct knn *knn)
{
    size_t m = (size_t)task->batch->m;
    for (int j = 0; j < task->k; j++)
        for (int i = 0; i < knn->search.queries; i++) {
            const struct ct_nearest *nearest = &knn->nearest[i];
            int there = j < nearest->count;
            task->index[j * m + knn->to[i]] = there ? nearest->row[j] : CT_NO_ROW;
            task->distance[j * m + knn->to[i]] = there ? nearest->sq[j] : task->missing;
        }
}

static void answer_block(const struct task *task, struct knn *knn, int begin, int queries)
{
    struct ct_search *s = &knn->search;
    ct_search_load(s, task->batch, begin, queries, knn->to);
    struct ct_span met = lower_bars(knn, task->k);
    ct_search_clock(s, CT_PHASE_SEED);
    ct_search_block(s, met);
    for (int i = 0; i < queries; i++)
        ct_select_finish(&knn->nearest[i], s->kernels);
    store_block(task, knn);
    ct_search_clock(s, CT_PHASE_SELECTION);
    const struct ct_nearest *last = &knn->nearest[queries - 1];
    knn->last = last->count == task->k ? last->sq[task->k - 1] : INFINITY;
    for (int j = 0; j < s->tree->d; j++)
        knn->last_q[j] = s->q[(size_t)(queries - 1) * s->tree->d + j];
}

static void run_task(void *data, int number, int thread)
{
    const struct task *task = data;
    struct knn *knn = &task->knn[thread];
    int begin = number * task->run, left = task->batch->m - begin;
    int end = begin + (left < task->run ? left : task->run);
    knn->last = INFINITY;
    while (begin < end) {
        int queries = ct_search_next(&knn->search, task->most, end - begin);
        answer_block(task, knn, begin, queries);
        begin += queries;
    }
}

static void init_knn(const struct ct_host *host, const struct task *task, int room, struct knn *knn)
{
    ct_search_init(host, task->batch, &knn->search);
    knn->search.take = take;
    knn->last_q = host->alloc((size_t)task->batch->tree->d, sizeof(double));
    for (int j = 0; j < task->batch->tree->d; j++)
        knn->last_q[j] = 0;
    for (int i = 0; i < task->most; i++)
        knn->nearest[i] = (struct ct_nearest){
            .sq = host->alloc((size_t)room + CT_SELECT_PAD, sizeof(double)),
            .row = host->alloc((size_t)room, sizeof(int)),
            .k = task->k,
            .room = room,
        };
}

void ct_knn(const struct ct_host *host, const struct ct_batch *batch, int k, double missing,
            int *index, double *distance)
{
    int reach = k < batch->tree->n ? k : batch->tree->n, room = ct_select_room(reach);
    int most = BUFFER / room < 1 ? 1 : BUFFER / room;
    int run = batch->m / (8 * batch->threads);
    run = run < 16 ? 16 : run;
    struct task task = {
        .batch = batch,
        .run = run < RUN ? run : RUN,
        .knn = host->alloc((size_t)batch->threads, sizeof *task.knn),
        .k = k,
        .most = most < CT_BLOCK ? most : CT_BLOCK,
        .missing = missing,
        .index = index,
        .distance = distance,
    };
    for (int thread = 0; thread < batch->threads; thread++)
        init_knn(host, &task, room, &task.knn[thread]);
    ct_for_blocks(host, batch->m / task.run + (batch->m % task.run > 0), batch->threads, run_task,
                  &task);
    for (int thread = 0; batch->tally && thread < batch->threads; thread++)
        ct_tally_add(batch->tally, &task.knn[thread].search.tally);
}
