/* ct_knn.c: the k nearest neighbours of a batch.
 *
 * Queries are answered in blocks that are near each other, which pays twice:
 * they read the same cells, and each may start from a bound of its predecessor.
 * If the k-th neighbour of p is at distance t, then p's neighbours, with p
 * itself in the place of q, are k points within t + d(p, q) of q. Rounding can
 * lift a computed distance above that sum, so the bound gets a margin for the
 * rounding of d terms, and one for squares below the normal range.
 */
#include "ct_batch.h"
#include "ct_blocks.h"
#include "ct_distance.h"
#include "ct_select.h"

#include <float.h>
#include <math.h>

struct knn {
    struct ct_walk walk; /* first: the walk is the search */
    struct ct_nearest nearest;
    int self; /* the row to leave out; 0 for none */
    double *last_q;
};

struct task {
    const struct ct_batch *batch;
    struct knn *knn; /* [threads] */
    struct ct_found *block; /* [threads * block * k] results on their way out */
    int *to;                /* [threads * block] where they go */
    int k;
    double missing;
    int *index;
    double *distance;
};

static void set_bar(struct knn *knn, struct ct_found bar)
{
    knn->nearest.bar = bar;
    knn->walk.sq_limit = ct_sq_limit(bar.distance);
    knn->walk.limit_row = bar.row;
}

static void take(struct knn *knn, struct ct_found found)
{
    struct ct_nearest *nearest = &knn->nearest;
    if (found.row == knn->self || !ct_before(found, nearest->bar))
        return;
    nearest->found[nearest->count++] = found;
    if (nearest->count < nearest->room)
        return;
    ct_nearest_cut(nearest);
    set_bar(knn, nearest->bar);
}

static void leaf(struct ct_walk *walk, int begin, int end, const double *sq)
{
    struct knn *knn = (struct knn *)walk;
    for (int i = 0; i < end - begin; i++)
        if (sq[i] <= walk->sq_limit)
            take(knn, (struct ct_found){sqrt(sq[i]), walk->tree->row[begin + i]});
}

static struct ct_found inherited_bar(const struct knn *knn, const struct ct_found *kth, int d)
{
    double moved = sqrt(ct_sqdist(knn->last_q, 1, knn->walk.q, 1, d));
    double bound = (kth->distance + moved) * (1 + (d + 8) * DBL_EPSILON) + d * sqrt(DBL_MIN);
    return (struct ct_found){bound, INT_MAX};
}

/* Answers the i-th query into out[k]; returns how many it found. */
static int answer(const struct ct_batch *batch, struct knn *knn, struct ct_found bar,
                  struct ct_found *out)
{
    struct ct_nearest *nearest = &knn->nearest;
    nearest->count = 0;
    set_bar(knn, bar);
    ct_answer(batch, &knn->walk);
    ct_nearest_sort(nearest);
    for (int j = 0; j < nearest->count; j++)
        out[j] = nearest->found[j];
    return nearest->count;
}

/* Column by column, so that the writes of a block stay close together. */
static void store_block(const struct task *task, const struct ct_found *found, const int *to,
                        int count)
{
    for (int j = 0; j < task->k; j++) {
        int *index = task->index + (size_t)j * task->batch->m;
        double *distance = task->distance + (size_t)j * task->batch->m;
        for (int i = 0; i < count; i++) {
            index[to[i]] = found[(size_t)i * task->k + j].row;
            distance[to[i]] = found[(size_t)i * task->k + j].distance;
        }
    }
}

static void run_block(void *data, int block, int thread)
{
    const struct task *task = data;
    const struct ct_batch *batch = task->batch;
    struct knn *knn = &task->knn[thread];
    struct ct_found *found = task->block + (size_t)thread * batch->block * task->k;
    struct ct_found bar = {INFINITY, INT_MAX};
    int begin = block * batch->block, end = ct_block_end(batch, block);
    int *to = task->to + (size_t)thread * batch->block;
    for (int i = begin; i < end; i++) {
        struct ct_found *mine = found + (size_t)(i - begin) * task->k;
        to[i - begin] = ct_load_query(batch, i, knn->walk.q);
        knn->self = batch->query ? 0 : to[i - begin] + 1;
        if (i > begin && mine[-1].row != CT_NO_ROW)
            bar = inherited_bar(knn, mine - 1, batch->tree->d);
        int got = answer(batch, knn, bar, mine);
        for (; got < task->k; got++)
            mine[got] = (struct ct_found){task->missing, CT_NO_ROW};
        double *swap = knn->last_q;
        knn->last_q = knn->walk.q;
        knn->walk.q = swap;
    }
    store_block(task, found, to, end - begin);
}

void ct_knn(const struct ct_host *host, const struct ct_batch *batch, int k, double missing,
            int *index, double *distance)
{
    int reach = k < batch->tree->n ? k : batch->tree->n;
    int room = reach < INT_MAX / 2 - 16 ? 2 * reach + 16 : INT_MAX;
    struct task task = {
        .batch = batch,
        .knn = host->alloc((size_t)batch->threads, sizeof *task.knn),
        .block = host->alloc((size_t)batch->threads * batch->block * k, sizeof *task.block),
        .to = host->alloc((size_t)batch->threads * batch->block, sizeof *task.to),
        .k = k,
        .missing = missing,
        .index = index,
        .distance = distance,
    };
    for (int thread = 0; thread < batch->threads; thread++)
        task.knn[thread] = (struct knn){
            .walk = ct_make_walk(host, batch, leaf),
            .nearest = {.found = host->alloc((size_t)room, sizeof(struct ct_found)),
                        .k = k,
                        .room = room},
            .last_q = host->alloc((size_t)batch->tree->d, sizeof(double)),
        };
    ct_for_blocks(host, ct_batch_blocks(batch), batch->threads, run_block, &task);
}
