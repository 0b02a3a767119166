/* initial_thresholds.c: see initial_thresholds.h. */
#include "core/residual_exact/initial_thresholds.h"
#include "core/metric/euclidean.h"
#include "core/order/hilbert.h"
#include "core/topk/select.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum {
    SOME = 64, /* places of the curve that go together */
    STEPS = 6  /* steps along the curve for each point that is wanted, at most */
};

struct ahead {
    const struct ct_exact_batch *batch;
    int k, wanted;
    const int *order;     /* [n] the curve */
    double *bar, *square; /* square: [threads * wanted] */
    int *pos;             /* the same */
};

/* Takes points from a place on the curve on, to either side in turn. */
static int take_near(const struct ahead *ahead, int place, int *pos)
{
    const struct ct_exact_batch *batch = ahead->batch;
    int n = batch->residual->points.n, self = ahead->order[place], count = 0;
    int most = ahead->wanted < n / STEPS ? STEPS * ahead->wanted : n;
    for (int step = 2; step < 2 * most && count < ahead->wanted; step++) {
        long long at = place + (step % 2 ? -(long long)(step / 2) : step / 2);
        if (at >= 0 && at < n && !(batch->predecessors && ahead->order[at] > self))
            pos[count++] = ahead->order[at];
    }
    return count;
}

static void look_ahead(void *data, int block, int thread)
{
    const struct ahead *ahead = data;
    const struct ct_exact_batch *batch = ahead->batch;
    int n = batch->residual->points.n, *pos = ahead->pos + (size_t)thread * ahead->wanted;
    double *square = ahead->square + (size_t)thread * ahead->wanted;
    for (int place = block * SOME; place < n && place < block * SOME + SOME; place++) {
        int self = ahead->order[place];
        if (ahead->bar[self] < 0)
            continue;
        int count = take_near(ahead, place, pos);
        if (count < ahead->k)
            continue;
        ct_residual_sqdist(batch->dots, batch->residual, &batch->residual->points, self, pos, count,
                           square);
        ahead->bar[self] = ct_sq_threshold(sqrt(ct_select_kth(square, pos, count, ahead->k).sq));
    }
}

void ct_initial_thresholds(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                           double *bar)
{
    const struct ct_factors *points = &batch->residual->points;
    int n = points->n, wanted = k < n / 16 ? 2 * k + 64 : n;
    int *order = host->alloc((size_t)n, sizeof *order);
    size_t room = (size_t)batch->threads * wanted;
    struct ahead ahead = {
        .batch = batch,
        .k = k,
        .wanted = wanted,
        .order = order,
        .bar = bar,
        .square = host->alloc(room, sizeof(double)),
        .pos = host->alloc(room, sizeof(int)),
    };
    for (int i = 0; i < n; i++)
        bar[i] = batch->row ? -1 : INFINITY;
    for (int i = 0; batch->row && i < batch->count; i++)
        bar[batch->row[i] - 1] = INFINITY;
    ct_hilbert_order(host, points->z, n, batch->residual->d, batch->threads, order);
    ct_parallel_for(host, (n + SOME - 1) / SOME, batch->threads, look_ahead, &ahead);
}
