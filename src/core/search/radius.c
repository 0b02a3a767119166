/* radius.c: every point within a radius, for a batch.
 *
 * The number of points found is not known beforehand, and results belong in
 * memory that the host allocates, so the search is made twice: once to count,
 * once to fill. Counting stops when the total exceeds a limit, and goes on from
 * there when it is called again.
 */
#include "core/metric/euclidean.h"
#include "core/search/block_search.h"
#include "core/util/parallel.h"
#include "core/util/parallel_for.h"

#include <limits.h>
#include <math.h>

enum {
    RUN = 64,        /* queries to a task of a thread */
    ROOM = 512,      /* points that a query has evaluated before their distances are taken */
    SORTED = 1 << 23 /* points that the threads may sort together, whatever the results */
};

struct ball {
    struct ct_search search; /* first: the search is handed to settle() */
    int to[CT_BLOCK], found[CT_BLOCK];
    const struct task *task;
    double sq[ROOM + CT_LANES];
    int row[ROOM + CT_LANES];
    double *sorted; /* [most + CT_SELECT_PAD] squares that become distances, in order */
};

struct task {
    const struct ct_batch *batch;
    struct ball *ball; /* [threads] */
    double radius;
    int sort;
    int *count;
    long long total, most; /* of points counted; counting stops when total exceeds most */
    int *const *index;     /* NULL: only count */
    double *const *distance;
};

/* Points within the radius, of those evaluated since the last time, are results. */
static void settle(struct ct_search *search, int i)
{
    struct ball *ball = (struct ball *)search;
    const struct task *task = ball->task;
    int to = ball->to[i];
    ct_search_judge(search, i, ball->sq, ball->row);
    for (int c = 0; c < search->near[i].count; c++) {
        double distance = sqrt(ball->sq[c]);
        if (distance > task->radius)
            continue;
        int at = ball->found[i]++;
        if (task->index) {
            task->index[to][at] = ball->row[c];
            task->distance[to][at] = task->sort ? ball->sq[c] : distance;
        }
    }
    search->near[i].count = 0;
}

static void sort_found(const struct ball *ball, int i)
{
    int to = ball->to[i], count = ball->found[i];
    double *distance = ball->task->distance[to];
    for (int j = 0; j < count; j++)
        ball->sorted[j] = distance[j];
    ct_sort_neighbors(ball->sorted, ball->task->index[to], count, ball->search.kernels);
    for (int j = 0; j < count; j++)
        distance[j] = ball->sorted[j];
}

/* Returns the number of points found by the block. */
static long long answer_block(const struct task *task, struct ball *ball, int begin, int queries)
{
    long long found = 0;
    struct ct_search *s = &ball->search;
    ct_search_load(s, task->batch, begin, queries, ball->to);
    for (int i = 0; i < queries; i++) {
        ct_search_set_bar(s, i, (struct ct_neighbor){ct_sq_threshold(task->radius), INT_MAX});
        ball->found[i] = 0;
    }
    ct_search_block(s, (struct ct_span){0, 0});
    for (int i = 0; i < queries; i++) {
        settle(s, i);
        if (!task->index)
            task->count[ball->to[i]] = ball->found[i];
        else if (task->sort)
            sort_found(ball, i);
        found += ball->found[i];
    }
    return found;
}

/* The first query of a task that is not counted yet: those before it are. */
static int skip_counted(const struct task *task, int begin, int end)
{
    while (!task->index && begin < end && task->count[ct_search_line(task->batch, begin)] >= 0)
        begin++;
    return begin;
}

/* Adds what was found to the total; returns whether the total is within the limit. */
static int add_found(struct task *task, long long found)
{
    long long total;
    if (task->index)
        return 1;
    CT_PRAGMA(omp atomic capture)
    total = task->total += found;
    return total <= task->most;
}

static void run_task(void *data, int number, int thread)
{
    struct task *task = data;
    struct ball *ball = &task->ball[thread];
    int begin = number * RUN, left = task->batch->m - begin;
    int end = begin + (left < RUN ? left : RUN);
    begin = skip_counted(task, begin, end);
    for (int going = add_found(task, 0); going && begin < end;) {
        int queries = ct_search_next(&ball->search, task->batch, begin, end, CT_BLOCK);
        going = add_found(task, answer_block(task, ball, begin, queries));
        begin += queries;
    }
}

/* most: the largest number of points that a query will find. */
static void run(const struct ct_host *host, struct task *task, int threads, int most)
{
    const struct ct_batch *batch = task->batch;
    int tasks = batch->m / RUN + (batch->m % RUN > 0);
    threads = threads < tasks ? threads : tasks;
    task->ball = host->alloc((size_t)threads, sizeof *task->ball);
    for (int thread = 0; thread < threads; thread++) {
        struct ball *ball = &task->ball[thread];
        ct_search_init(host, batch, CT_BLOCK, ROOM, &ball->search);
        ball->search.full = settle;
        ball->task = task;
        ball->sorted = host->alloc((size_t)most + CT_SELECT_PAD, sizeof *ball->sorted);
    }
    ct_parallel_for(host, tasks, threads, run_task, task);
}

long long ct_radius_count(const struct ct_host *host, const struct ct_batch *batch, double radius,
                          long long most, int *count)
{
    struct task task = {.batch = batch, .radius = radius, .most = most, .count = count};
    for (int i = 0; i < batch->m; i++)
        if (count[ct_search_line(batch, i)] > 0)
            task.total += count[ct_search_line(batch, i)];
    run(host, &task, batch->threads, 0);
    return task.total;
}

void ct_radius_fill(const struct ct_host *host, const struct ct_batch *batch, double radius,
                    int sort, const int *count, int *const *index, double *const *distance)
{
    struct task task = {
        .batch = batch, .radius = radius, .sort = sort, .index = index, .distance = distance};
    long long total = SORTED;
    int most = 0;
    for (int i = 0; i < batch->m; i++) {
        most = count[i] > most ? count[i] : most;
        total += count[i];
    }
    int threads = batch->threads;
    if (sort && most > 0 && total / most < threads)
        threads = (int)(total / most);
    if (most > 0)
        run(host, &task, threads > 0 ? threads : 1, sort ? most : 0);
}
