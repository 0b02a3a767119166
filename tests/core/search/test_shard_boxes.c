/* test_shard_boxes.c: a shard with a point at the limit is asked, and one whose points are all
 * clearly beyond it is not; by every metric. */
#include "check.h"
#include "clouds.h"
#include "core/search/shard_boxes.h"
#include "host.h"

#include <math.h>

enum { SHARDS = 5, BOXES_EACH = 3, BOXES = SHARDS * BOXES_EACH };

/* Boxes around the points of a cloud: point i is in box i % BOXES. */
struct task {
    struct cloud cloud;
    struct ct_shard_boxes boxes;
};

static int shard_of(int point)
{
    return point % BOXES / BOXES_EACH;
}

/* Extends a box, one of `ld`, by a point. */
static void extend(const struct cloud *cloud, int point, double *lower, double *upper, int box,
                   int ld)
{
    for (int j = 0; j < cloud->d; j++) {
        double x = cloud->x[point + (size_t)j * cloud->n];
        size_t at = box + (size_t)j * ld;
        lower[at] = fmin(lower[at], x);
        upper[at] = fmax(upper[at], x);
    }
}

static struct task make_task(struct cloud cloud)
{
    size_t d = (size_t)cloud.d;
    double *lower = keep(SHARDS * d, sizeof *lower), *upper = keep(SHARDS * d, sizeof *upper);
    double *box_lower = keep(BOXES * d, sizeof *lower), *box_upper = keep(BOXES * d, sizeof *upper);
    int *begin = keep(SHARDS + 1, sizeof *begin);
    for (int s = 0; s <= SHARDS; s++)
        begin[s] = s * BOXES_EACH;
    for (size_t at = 0; at < BOXES * d; at++) {
        box_lower[at] = INFINITY;
        box_upper[at] = -INFINITY;
        if (at < SHARDS * d) {
            lower[at] = INFINITY;
            upper[at] = -INFINITY;
        }
    }
    for (int i = 0; i < cloud.n; i++) {
        extend(&cloud, i, lower, upper, shard_of(i), SHARDS);
        extend(&cloud, i, box_lower, box_upper, i % BOXES, BOXES);
    }
    return (struct task){cloud,
                         {SHARDS, cloud.d, BOXES, lower, upper, begin, box_lower, box_upper}};
}

/* Whether a box of the shard lies within the limit of a query. */
static int is_near_by_boxes(const struct task *task, const struct ct_metric *metric, int shard,
                            const double *q, double limit)
{
    const struct ct_shard_boxes *boxes = &task->boxes;
    double most = ct_sq_threshold(ct_norm_bound(metric, boxes->d, limit));
    for (int b = boxes->begin[shard]; b < boxes->begin[shard + 1]; b++)
        if (ct_box_norm_sq(metric->norm, boxes->box_lower + b, boxes->box_upper + b, BOXES, q, q,
                           boxes->d) <= most)
            return 1;
    return 0;
}

/* Point i is the farthest neighbor of every query: its shard is found, all shards with a box at
 * its distance are, and no other. */
static void check_limits(const struct task *task, const struct ct_metric *metric,
                         const struct cloud *queries, int i)
{
    const struct cloud *cloud = &task->cloud;
    size_t count = (size_t)queries->n, d = (size_t)cloud->d;
    double *limit = keep(count, sizeof *limit), *q = keep(count * d, sizeof *q);
    int *own = keep(count, sizeof *own), missed = 0, wrong = 0;
    char *is_near = keep(count * SHARDS, 1);
    for (size_t m = 0; m < count; m++) {
        for (size_t j = 0; j < d; j++)
            q[m * d + j] = queries->x[m + j * count];
        limit[m] =
            sqrt(ct_metric_sq(metric, cloud->x + i, (size_t)cloud->n, q + m * d, 1, cloud->d));
        own[m] = 1 + (shard_of(i) + 1 + (int)m % (SHARDS - 1)) % SHARDS;
    }
    struct ct_shard_queries all = {queries->x, queries->n, limit, own};
    ct_find_near_shards(&host, &task->boxes, metric, &all, 1, is_near);
    for (size_t m = 0; m < count; m++) {
        missed += !is_near[m * SHARDS + shard_of(i)];
        for (int s = 0; s < SHARDS; s++)
            wrong += is_near[m * SHARDS + s] !=
                     (own[m] != s + 1 && is_near_by_boxes(task, metric, s, q + m * d, limit[m]));
    }
    CHECK(missed == 0);
    CHECK(wrong == 0);
    host_end_call();
}

/* The nearest shard of query i of another cloud. */
static void check_nearest(const struct task *task, const struct ct_metric *metric,
                          const struct cloud *others, int query)
{
    const struct cloud *cloud = &task->cloud;
    double least_norm = INFINITY, *q = keep((size_t)cloud->d, sizeof *q);
    for (int j = 0; j < cloud->d; j++)
        q[j] = others->x[query + (size_t)j * others->n];
    int nearest;
    ct_find_nearest_shards(&host, &task->boxes, metric, q, 1, 1, &nearest);
    nearest--;
    for (int s = 0; s < SHARDS; s++)
        least_norm =
            fmin(least_norm, ct_box_norm_sq(metric->norm, task->boxes.lower + s,
                                            task->boxes.upper + s, SHARDS, q, q, cloud->d));
    CHECK(ct_box_norm_sq(metric->norm, task->boxes.lower + nearest, task->boxes.upper + nearest,
                         SHARDS, q, q, cloud->d) == least_norm);
}

/* All queries at once, on several threads, have the nearest shards that each has alone. */
static void check_nearest_of_all(const struct task *task, const struct ct_metric *metric,
                                 const struct cloud *queries)
{
    size_t count = (size_t)queries->n, d = (size_t)queries->d;
    double *q = keep(d, sizeof *q);
    int *nearest = keep(count, sizeof *nearest), alone, wrong = 0;
    ct_find_nearest_shards(&host, &task->boxes, metric, queries->x, queries->n, 3, nearest);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < d; j++)
            q[j] = queries->x[i + j * count];
        ct_find_nearest_shards(&host, &task->boxes, metric, q, 1, 1, &alone);
        wrong += nearest[i] != alone;
    }
    CHECK(wrong == 0);
    host_end_call();
}

/* A shard at a distance is not asked within half of it. */
static void check_far(const struct ct_metric *metric)
{
    const double lower[] = {0, 5, 0, 5}, upper[] = {1, 6, 1, 6}, q[] = {0.5, 0.5};
    const int begin[] = {0, 1, 2};
    const struct ct_shard_boxes boxes = {2, 2, 2, lower, upper, begin, lower, upper};
    int nearest;
    ct_find_nearest_shards(&host, &boxes, metric, q, 1, 1, &nearest);
    CHECK(nearest == 1);
    const double limits[] = {0, 2, INFINITY};
    for (int l = 0; l < 3; l++) {
        char is_near[2];
        const int own = 3;
        struct ct_shard_queries query = {q, 1, &limits[l], &own};
        ct_find_near_shards(&host, &boxes, metric, &query, 1, is_near);
        CHECK(is_near[0]);
        CHECK(is_near[1] == (l == 2));
    }
    host_end_call();
}

int main(void)
{
    static const struct ct_metric metrics[] = {{.norm = CT_EUCLIDEAN},
                                               {.norm = CT_MANHATTAN},
                                               {.norm = CT_CHEBYSHEV},
                                               {.measure = CT_MINKOWSKI, .power = 1.5},
                                               {.measure = CT_MINKOWSKI, .power = 4}};
    for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
        for (int which = 0; which < clouds_count(); which++) {
            struct cloud cloud = cloud_number(which);
            if (cloud.n < BOXES)
                continue;
            struct cloud others = queries_near(&cloud, 40);
            struct task task = make_task(cloud);
            check_about("%s, metric %d", cloud.name, (int)m);
            for (int i = 0; i < cloud.n; i += 1 + cloud.n / 100)
                check_limits(&task, &metrics[m], &others, i);
            for (int i = 0; i < others.n; i++)
                check_nearest(&task, &metrics[m], &others, i);
            check_nearest_of_all(&task, &metrics[m], &others);
            keep_end();
        }
        check_far(&metrics[m]);
    }
    return check_done("shard_boxes");
}
