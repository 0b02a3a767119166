/* ct_radius.c: every point within a radius, for a batch.
 *
 * The number of points found is not known beforehand, and results belong in
 * memory that the host allocates, so the walk is made twice: once to count,
 * once to fill.
 */
#include "ct_batch.h"
#include "ct_blocks.h"
#include "ct_distance.h"
#include "ct_select.h"

#include <math.h>

struct ball {
    struct ct_walk walk; /* first: the walk is the search */
    double radius;
    int self, count;
    struct ct_found *found; /* NULL: only count */
};

struct task {
    const struct ct_batch *batch;
    struct ball *ball; /* [threads] */
    int sorted;
    int *count;
    int *const *index;
    double *const *distance;
};

static void leaf(struct ct_walk *walk, int begin, int end, const double *sq)
{
    struct ball *ball = (struct ball *)walk;
    for (int i = 0; i < end - begin; i++) {
        if (sq[i] > walk->sq_limit)
            continue;
        struct ct_found found = {sqrt(sq[i]), walk->tree->row[begin + i]};
        if (found.distance > ball->radius || found.row == ball->self)
            continue;
        if (ball->found)
            ball->found[ball->count] = found;
        ball->count++;
    }
}

static void run_block(void *data, int block, int thread)
{
    const struct task *task = data;
    const struct ct_batch *batch = task->batch;
    struct ball *ball = &task->ball[thread];
    for (int i = block * batch->block; i < ct_block_end(batch, block); i++) {
        int to = ct_load_query(batch, i, ball->walk.q);
        ball->self = batch->query ? 0 : to + 1;
        ball->count = 0;
        ct_answer(batch, &ball->walk);
        if (!ball->found) {
            task->count[to] = ball->count;
            continue;
        }
        if (task->sorted)
            ct_sort_found(ball->found, ball->count);
        for (int j = 0; j < ball->count; j++) {
            task->index[to][j] = ball->found[j].row;
            task->distance[to][j] = ball->found[j].distance;
        }
    }
}

/* most: the largest count to make room for; 0 to count only. */
static void run(const struct ct_host *host, struct task *task, double radius, int most)
{
    const struct ct_batch *batch = task->batch;
    task->ball = host->alloc((size_t)batch->threads, sizeof *task->ball);
    for (int thread = 0; thread < batch->threads; thread++) {
        struct ball *ball = &task->ball[thread];
        *ball = (struct ball){.walk = ct_make_walk(host, batch, leaf), .radius = radius};
        ball->walk.sq_limit = ct_sq_limit(radius);
        ball->walk.limit_row = INT_MAX;
        if (most > 0)
            ball->found = host->alloc((size_t)most, sizeof *ball->found);
    }
    ct_for_blocks(host, ct_batch_blocks(batch), batch->threads, run_block, task);
}

void ct_radius_count(const struct ct_host *host, const struct ct_batch *batch, double radius,
                     int *count)
{
    struct task task = {.batch = batch, .count = count};
    run(host, &task, radius, 0);
}

void ct_radius_fill(const struct ct_host *host, const struct ct_batch *batch, double radius,
                    int sorted, const int *count, int *const *index, double *const *distance)
{
    struct task task = {.batch = batch, .sorted = sorted, .index = index, .distance = distance};
    int most = 0;
    for (int i = 0; i < batch->m; i++)
        most = count[i] > most ? count[i] : most;
    if (most > 0)
        run(host, &task, radius, most);
}
