/* shard_boxes.c: see shard_boxes.h.
 *
 * The computed norm from a query to a box (ct_box_norm_sq()) is at most the norm to any point of
 * the box. ct_norm_bound() and ct_sq_threshold() include a margin for the rounding of a limit.
 */
#include "core/search/shard_boxes.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum { QUERIES_PER_BLOCK = 1024 }; /* queries in one block of the parallel loop */

int ct_shard_is_near(const struct ct_shard_boxes *boxes, const struct ct_metric *metric, int shard,
                     const double *q, double limit)
{
    int d = boxes->d;
    size_t ld = (size_t)boxes->shards, ld_box = (size_t)boxes->boxes;
    double most = ct_sq_threshold(ct_norm_bound(metric, d, limit));
    if (ct_box_norm_sq(metric->norm, boxes->lower + shard, boxes->upper + shard, ld, q, q, d) >
        most)
        return 0;
    for (int b = boxes->begin[shard]; b < boxes->begin[shard + 1]; b++)
        if (!(ct_box_norm_sq(metric->norm, boxes->box_lower + b, boxes->box_upper + b, ld_box, q, q,
                             d) > most))
            return 1;
    return 0;
}

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

int ct_nearest_shard(const struct ct_shard_boxes *boxes, const struct ct_metric *metric,
                     const double *q)
{
    int nearest = 0;
    double least = INFINITY, least_middle = INFINITY;
    for (int s = 0; s < boxes->shards; s++) {
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

/* State of a call of ct_find_near_shards(). */
struct near_task {
    const struct ct_shard_boxes *boxes;
    const struct ct_metric *metric;
    const struct ct_shard_queries *queries;
    double *point; /* [threads x d] the current query */
    char *is_near;
};

static void find_for_block(void *data, int block, int thread)
{
    const struct near_task *task = data;
    const struct ct_shard_queries *queries = task->queries;
    int d = task->boxes->d, shards = task->boxes->shards, begin = block * QUERIES_PER_BLOCK;
    int left = queries->count - begin;
    int end = begin + (left < QUERIES_PER_BLOCK ? left : QUERIES_PER_BLOCK);
    double *point = task->point + (size_t)thread * d;
    for (int i = begin; i < end; i++) {
        char *is_near = task->is_near + (size_t)i * shards;
        for (int j = 0; j < d; j++)
            point[j] = queries->q[i + (size_t)j * queries->count];
        for (int s = 0; s < shards; s++)
            is_near[s] = s + 1 != queries->own[i] &&
                         ct_shard_is_near(task->boxes, task->metric, s, point, queries->limit[i]);
    }
}

void ct_find_near_shards(const struct ct_host *host, const struct ct_shard_boxes *boxes,
                         const struct ct_metric *metric, const struct ct_shard_queries *queries,
                         int threads, char *is_near)
{
    struct near_task task = {
        .boxes = boxes,
        .metric = metric,
        .queries = queries,
        .point = host->alloc((size_t)threads * boxes->d, sizeof *task.point),
        .is_near = is_near,
    };
    int blocks = queries->count / QUERIES_PER_BLOCK + (queries->count % QUERIES_PER_BLOCK > 0);
    ct_parallel_for(host, blocks, threads, find_for_block, &task);
}
