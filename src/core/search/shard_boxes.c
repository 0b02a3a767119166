/* shard_boxes.c: see shard_boxes.h.
 *
 * The computed norm from a query to a box (ct_box_norm_sq()) is at most the norm to any point of
 * the box. ct_norm_bound() and ct_sq_threshold() include a margin for the rounding of a limit.
 */
#include "core/search/shard_boxes.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum {
    QUERIES_PER_BLOCK = 1024, /* queries in one block of the parallel loop */
    QUERIES_PER_GROUP = 32    /* queries that are compared with a box together first */
};

/* Square of the Euclidean distance from a point to the middle of a shard's box. */
static double middle_sq(const struct ct_shard_boxes *boxes, int shard, const double *point)
{
    double sum = 0;
    for (int j = 0; j < boxes->d; j++) {
        size_t at = (size_t)shard + (size_t)j * (size_t)boxes->shards;
        double gap = point[j] - (boxes->lower[at] / 2 + boxes->upper[at] / 2);
        sum += gap * gap;
    }
    return sum;
}

/* Whether the box of a shard is farther than sqrt(least) along one coordinate, and so by every
 * norm. */
static int is_beyond(const struct ct_shard_boxes *boxes, int shard, const double *q, double least)
{
    for (int j = 0; j < boxes->d; j++) {
        size_t at = (size_t)shard + (size_t)j * (size_t)boxes->shards;
        double below = boxes->lower[at] - q[j], above = q[j] - boxes->upper[at];
        double gap = below > above ? below : above;
        if (gap > 0 && gap * gap > least)
            return 1;
    }
    return 0;
}

/* The nearest shard of one query. */
static int nearest_shard(const struct ct_shard_boxes *boxes, const struct ct_metric *metric,
                         const double *q)
{
    int nearest = 0;
    double least = INFINITY, least_middle = INFINITY;
    for (int s = 0; s < boxes->shards; s++) {
        if (is_beyond(boxes, s, q, least))
            continue;
        double sq = ct_box_norm_sq(metric->norm, boxes->lower + s, boxes->upper + s,
                                   (size_t)boxes->shards, q, q, boxes->d);
        if (sq > least)
            continue;
        double middle = middle_sq(boxes, s, q);
        if (sq < least || middle < least_middle) {
            nearest = s;
            least = sq;
            least_middle = middle;
        }
    }
    return nearest;
}

/* State of a call of ct_find_nearest_shards(). */
struct nearest_task {
    const struct ct_shard_boxes *boxes;
    const struct ct_metric *metric;
    const double *q; /* [count x d, column-major] */
    int count;
    double *point; /* [threads x d] the query of each thread */
    int *nearest;
};

static void find_nearest_for_block(void *data, int block, int thread)
{
    const struct nearest_task *task = data;
    int d = task->boxes->d, begin = block * QUERIES_PER_BLOCK, left = task->count - begin;
    int end = begin + (left < QUERIES_PER_BLOCK ? left : QUERIES_PER_BLOCK);
    double *point = task->point + (size_t)thread * (size_t)d;
    for (int i = begin; i < end; i++) {
        for (int j = 0; j < d; j++)
            point[j] = task->q[(size_t)i + (size_t)j * (size_t)task->count];
        task->nearest[i] = 1 + nearest_shard(task->boxes, task->metric, point);
    }
}

static int blocks_of(int count)
{
    return count / QUERIES_PER_BLOCK + (count % QUERIES_PER_BLOCK > 0);
}

void ct_find_nearest_shards(const struct ct_host *host, const struct ct_shard_boxes *boxes,
                            const struct ct_metric *metric, const double *q, int count, int threads,
                            int *nearest)
{
    struct nearest_task task = {boxes, metric, q, count, NULL, nearest};
    task.point = host->alloc((size_t)threads * (size_t)boxes->d, sizeof *task.point);
    ct_parallel_for(host, blocks_of(count), threads, find_nearest_for_block, &task);
}

/* ---- near shards ------------------------------------------------------------ */

/* Consecutive queries, which are often near each other. */
struct group {
    double *q;                    /* [QUERIES_PER_GROUP x d] query after query */
    double *lower, *upper;        /* [d] their bounding box */
    double sq[QUERIES_PER_GROUP]; /* thresholds of the norm */
};

/* State of a call of ct_find_near_shards(). */
struct near_task {
    const struct ct_shard_boxes *boxes;
    const struct ct_metric *metric;
    const struct ct_shard_queries *queries;
    struct group *group; /* [threads] */
    char *is_near;
};

/* Loads `count` queries from `begin` on. Returns the largest of their thresholds. */
static double load_group(const struct near_task *task, int begin, int count, struct group *group)
{
    const struct ct_shard_queries *queries = task->queries;
    int d = task->boxes->d;
    double most = 0;
    for (int j = 0; j < d; j++) {
        const double *from = queries->q + (size_t)begin + (size_t)j * (size_t)queries->count;
        group->lower[j] = group->upper[j] = from[0];
        for (int i = 0; i < count; i++) {
            group->q[(size_t)i * d + j] = from[i];
            group->lower[j] = from[i] < group->lower[j] ? from[i] : group->lower[j];
            group->upper[j] = from[i] > group->upper[j] ? from[i] : group->upper[j];
        }
    }
    for (int i = 0; i < count; i++) {
        group->sq[i] = ct_sq_threshold(ct_norm_bound(task->metric, d, queries->limit[begin + i]));
        most = group->sq[i] > most ? group->sq[i] : most;
    }
    return most;
}

/* Whether all queries of a group have asked the shard. */
static int all_asked(const int *own, int count, int shard)
{
    for (int i = 0; i < count; i++)
        if (own[i] != shard + 1)
            return 0;
    return 1;
}

/* Marks the queries of a group that are near box b of shard s. */
static void mark_near(const struct near_task *task, const struct group *group, int begin, int count,
                      int s, int b)
{
    const struct ct_shard_boxes *boxes = task->boxes;
    int d = boxes->d;
    size_t ld = (size_t)boxes->boxes;
    for (int i = 0; i < count; i++) {
        char *is_near = task->is_near + (size_t)(begin + i) * (size_t)boxes->shards + s;
        const double *q = group->q + (size_t)i * d;
        if (!*is_near && task->queries->own[begin + i] != s + 1)
            *is_near = !(ct_box_norm_sq(task->metric->norm, boxes->box_lower + b,
                                        boxes->box_upper + b, ld, q, q, d) > group->sq[i]);
    }
}

/* The computed norm from the box of the group to another box is at most that from any of its
 * queries, because the rounding of gaps, squares and sums is monotone. */
static void find_for_group(const struct near_task *task, struct group *group, int begin, int count)
{
    const struct ct_shard_boxes *boxes = task->boxes;
    enum ct_norm norm = task->metric->norm;
    const double *lower = group->lower, *upper = group->upper;
    int d = boxes->d;
    double most = load_group(task, begin, count, group);
    for (int s = 0; s < boxes->shards; s++) {
        if (all_asked(task->queries->own + begin, count, s) ||
            ct_box_norm_sq(norm, boxes->lower + s, boxes->upper + s, (size_t)boxes->shards, lower,
                           upper, d) > most)
            continue;
        for (int b = boxes->begin[s]; b < boxes->begin[s + 1]; b++)
            if (!(ct_box_norm_sq(norm, boxes->box_lower + b, boxes->box_upper + b,
                                 (size_t)boxes->boxes, lower, upper, d) > most))
                mark_near(task, group, begin, count, s, b);
    }
}

static void find_for_block(void *data, int block, int thread)
{
    const struct near_task *task = data;
    int begin = block * QUERIES_PER_BLOCK, left = task->queries->count - begin;
    int end = begin + (left < QUERIES_PER_BLOCK ? left : QUERIES_PER_BLOCK);
    for (; begin < end; begin += QUERIES_PER_GROUP)
        find_for_group(task, &task->group[thread], begin,
                       end - begin < QUERIES_PER_GROUP ? end - begin : QUERIES_PER_GROUP);
}

void ct_find_near_shards(const struct ct_host *host, const struct ct_shard_boxes *boxes,
                         const struct ct_metric *metric, const struct ct_shard_queries *queries,
                         int threads, char *is_near)
{
    size_t d = (size_t)boxes->d, size = (size_t)queries->count * (size_t)boxes->shards;
    struct near_task task = {
        .boxes = boxes,
        .metric = metric,
        .queries = queries,
        .group = host->alloc((size_t)threads, sizeof *task.group),
        .is_near = is_near,
    };
    memset(is_near, 0, size);
    for (int thread = 0; thread < threads; thread++) {
        struct group *group = &task.group[thread];
        group->q = host->alloc(QUERIES_PER_GROUP * d, sizeof *group->q);
        group->lower = host->alloc(d, sizeof *group->lower);
        group->upper = host->alloc(d, sizeof *group->upper);
    }
    ct_parallel_for(host, blocks_of(queries->count), threads, find_for_block, &task);
}
