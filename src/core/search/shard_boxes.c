/* shard_boxes.c: see shard_boxes.h.
 *
 * No point of a box undercuts the computed norm of its gaps (ct_box_norm_sq()), and ct_norm_bound()
 * and ct_sq_threshold() have room for the rounding of a limit.
 */
#include "core/search/shard_boxes.h"

#include <math.h>

static void copy_point(const double *q, size_t stride, int d, double *point)
{
    for (int j = 0; j < d; j++)
        point[j] = q[(size_t)j * stride];
}

int ct_shard_is_near(const struct ct_shard_boxes *boxes, const struct ct_metric *metric, int shard,
                     const double *q, size_t stride, double limit, double *work)
{
    int d = boxes->d;
    size_t ld = (size_t)boxes->shards, ld_box = (size_t)boxes->boxes;
    double most = ct_sq_threshold(ct_norm_bound(metric, d, limit));
    copy_point(q, stride, d, work);
    if (ct_box_norm_sq(metric->norm, boxes->lower + shard, boxes->upper + shard, ld, work, work,
                       d) > most)
        return 0;
    for (int b = boxes->begin[shard]; b < boxes->begin[shard + 1]; b++)
        if (!(ct_box_norm_sq(metric->norm, boxes->box_lower + b, boxes->box_upper + b, ld_box, work,
                             work, d) > most))
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
                     const double *q, size_t stride, double *work)
{
    int nearest = 0;
    double least = INFINITY, least_middle = INFINITY;
    copy_point(q, stride, boxes->d, work);
    for (int s = 0; s < boxes->shards; s++) {
        double sq = ct_box_norm_sq(metric->norm, boxes->lower + s, boxes->upper + s,
                                   (size_t)boxes->shards, work, work, boxes->d);
        if (sq > least)
            continue;
        double middle = middle_sq(boxes, s, work);
        if (sq < least || middle < least_middle) {
            nearest = s;
            least = sq;
            least_middle = middle;
        }
    }
    return nearest;
}
