/* host_covariance.c: see host_covariance.h.
 *
 * The host computes covariances on the main thread, between two parallel loops: the first one fills
 * the squared distances that the covariance function takes, the second one turns covariances
 * into distances. A block of parallel work is one query.
 */
#include "core/residual_exact/host_covariance.h"
#include "core/metric/euclidean.h"
#include "core/topk/sorted_list.h"
#include "core/util/parallel_for.h"

#include <math.h>

/* The arguments of the parallel loops. */
struct task {
    const struct ct_pair_block *block;
    double *value; /* [count x queries] */
    const double *distance;
    int k, *nearest, *found;
    double *nearest_distance;
};

/* Returns the point of pair j of a query, from 0; -1 for none. Without an index, a query has a pair
 * with each of the first `count` points. */
static int point_of(const struct ct_pair_block *block, int query, int j)
{
    if (!block->index)
        return j;
    int row = block->index[query + (size_t)j * (size_t)block->queries];
    return row < 1 ? -1 : row - 1;
}

/* Writes the squared distances [count] of the scaled coordinates of a query and its points; 0 for a
 * pair without a point. O(count d). */
static void fill_squares(void *data, int query, int thread)
{
    const struct task *task = data;
    const struct ct_pair_block *block = task->block;
    const struct ct_factors *points = &block->metric->points;
    double *to = task->value + (size_t)query * (size_t)block->count;
    const double *q = block->from.z + block->row[query] - 1;
    for (int j = 0; j < block->count; j++) {
        int point = point_of(block, query, j);
        to[j] = point < 0 ? 0
                          : ct_sqdist(points->z + point, (size_t)points->n, q,
                                      (size_t)block->from.n, block->metric->d);
    }
    (void)thread;
}

void ct_pair_squares(const struct ct_host *host, const struct ct_pair_block *block, double *squares)
{
    struct task task = {.block = block, .value = squares};
    ct_parallel_for(host, block->queries, block->threads, fill_squares, &task);
}

/* Replaces the covariances [count] of a query by residual distances, sqrt(1 - |rho|); NaN for a
 * pair without a point. O(count m). */
static void fill_distances(void *data, int query, int thread)
{
    const struct task *task = data;
    const struct ct_pair_block *block = task->block;
    double *value = task->value + (size_t)query * (size_t)block->count;
    for (int j = 0; j < block->count; j++) {
        int point = point_of(block, query, j);
        if (point < 0) {
            value[j] = NAN;
            continue;
        }
        ct_residual_rho_of_covariance(block->kernels, block->metric, &block->from,
                                      block->row[query] - 1, &point, 1, value + j);
        value[j] = sqrt(1 - fabs(value[j]));
    }
    (void)thread;
}

void ct_pair_distances(const struct ct_host *host, const struct ct_pair_block *block, double *value)
{
    struct task task = {.block = block, .value = value};
    ct_parallel_for(host, block->queries, block->threads, fill_distances, &task);
}

/* Writes the k nearest of a query's points [k] by (distance, row), and their number. The query
 * itself is left out, and so are later rows if only predecessors are eligible. */
static void find_nearest(void *data, int query, int thread)
{
    const struct task *task = data;
    const struct ct_pair_block *block = task->block;
    const double *distance = task->distance + (size_t)query * (size_t)block->count;
    int row = block->row[query], end = block->count;
    size_t at = (size_t)query * (size_t)task->k;
    struct ct_sorted_list list = {task->nearest_distance + at, task->nearest + at, task->k, 0};
    if (block->predecessor && row - 1 < end)
        end = row - 1;
    for (int j = 0; j < end; j++)
        if (!block->own || j + 1 != row)
            ct_sorted_list_insert(&list, distance[j], j + 1);
    task->found[query] = list.count;
    (void)thread;
}

void ct_pair_nearest(const struct ct_host *host, const struct ct_pair_block *block,
                     const double *distance, int k, int *nearest, double *nearest_distance,
                     int *found)
{
    struct task task = {.block = block,
                        .distance = distance,
                        .k = k,
                        .nearest = nearest,
                        .found = found,
                        .nearest_distance = nearest_distance};
    ct_parallel_for(host, block->queries, block->threads, find_nearest, &task);
}
