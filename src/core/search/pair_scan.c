/* pair_scan.c: see pair_scan.h.
 *
 * A block of queries is compared with a run of points at a time, so that the run stays in the
 * cache.
 */
#include "core/search/pair_scan.h"
#include "core/search/query.h"
#include "core/topk/select.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum { QUERIES = 8 }; /* queries of a block */

/* The candidates of one query. Candidates after `wanted` are discarded. */
struct nearest {
    struct ct_topk topk;
    int capacity;
    struct ct_neighbor wanted;
};

/* The lists of the queries of each thread, and the results. */
struct knn_task {
    const struct ct_pair_scan *scan;
    struct nearest *nearest; /* [threads x QUERIES] */
    int k;
    double missing;
    int *index;
    double *distance;
};

struct radius_task {
    const struct ct_pair_scan *scan;
    double radius;
    int *count;           /* [scan->count] of each query */
    struct ct_topk *list; /* [threads] scratch for the points of one query */
    int *const *index;    /* results */
    double *const *distance;
};

/* The number of a query, from 0. */
static int query_at(const struct ct_pair_scan *scan, int i)
{
    return scan->row ? scan->row[i] - 1 : i;
}

/* The number of points that a query may find: points from the first on. */
static int eligible_points(const struct ct_pair_scan *scan, int at)
{
    return scan->predecessor && scan->own ? at : scan->n;
}

/* Adds the points of a run that are not beyond the threshold. Rows ascend, so a point at the
 * distance of the threshold has a larger row than the threshold and is discarded. */
static void add_run(const struct ct_pair_scan *scan, struct nearest *list, int at, int begin)
{
    double distance[CT_RUN];
    int left = eligible_points(scan, at) - begin, count = left < CT_RUN ? left : CT_RUN;
    if (count <= 0)
        return;
    scan->compare(scan->data, at, begin, count, distance);
    for (int i = 0; i < count; i++) {
        double sq = distance[i] * distance[i];
        if (!(sq <= list->wanted.sq) || (scan->own && begin + i == at))
            continue;
        if (list->topk.count == list->capacity)
            list->wanted = ct_topk_compact(&list->topk, scan->kernels);
        list->topk.sq[list->topk.count] = sq;
        list->topk.row[list->topk.count++] = begin + i + 1;
    }
}

static void write_nearest(const struct knn_task *task, struct nearest *list, int i)
{
    size_t count = (size_t)task->scan->count;
    ct_topk_finish(&list->topk, task->scan->kernels);
    for (int j = 0; j < task->k; j++) {
        int there = j < list->topk.count;
        task->index[(size_t)i + (size_t)j * count] = there ? list->topk.row[j] : CT_NO_ROW;
        task->distance[(size_t)i + (size_t)j * count] = there ? list->topk.sq[j] : task->missing;
    }
}

static void search_block(void *data, int block, int thread)
{
    const struct knn_task *task = data;
    const struct ct_pair_scan *scan = task->scan;
    struct nearest *list = task->nearest + (size_t)thread * QUERIES;
    int first = block * QUERIES, left = scan->count - first;
    int queries = left < QUERIES ? left : QUERIES;
    for (int q = 0; q < queries; q++) {
        list[q].topk.count = 0;
        list[q].wanted = (struct ct_neighbor){INFINITY, INT_MAX};
    }
    for (int begin = 0; begin < scan->n; begin += CT_RUN)
        for (int q = 0; q < queries; q++)
            add_run(scan, &list[q], query_at(scan, first + q), begin);
    for (int q = 0; q < queries; q++)
        write_nearest(task, &list[q], first + q);
}

void ct_pair_knn(const struct ct_host *host, const struct ct_pair_scan *scan, int k, double missing,
                 int *index, double *distance)
{
    int kept = k < scan->n ? k : scan->n, capacity = ct_select_capacity(kept) + 1;
    size_t lists = (size_t)scan->threads * QUERIES;
    struct knn_task task = {scan,    host->alloc(lists, sizeof(struct nearest)), k, missing, index,
                            distance};
    for (size_t i = 0; i < lists; i++)
        task.nearest[i] = (struct nearest){
            .topk = {.sq = host->alloc((size_t)capacity + CT_SELECT_PAD, sizeof(double)),
                     .row = host->alloc((size_t)capacity, sizeof(int)),
                     .k = kept},
            .capacity = capacity};
    ct_parallel_for(host, (scan->count + QUERIES - 1) / QUERIES, scan->threads, search_block,
                    &task);
}

/* Finds the points within the radius of query i, and writes them to the list, unless the list is
 * NULL. Returns their number. */
static int within_radius(const struct radius_task *task, int i, struct ct_topk *list)
{
    const struct ct_pair_scan *scan = task->scan;
    int at = query_at(scan, i), eligible = eligible_points(scan, at), found = 0;
    for (int begin = 0; begin < eligible; begin += CT_RUN) {
        double distance[CT_RUN];
        int count = eligible - begin < CT_RUN ? eligible - begin : CT_RUN;
        scan->compare(scan->data, at, begin, count, distance);
        for (int j = 0; j < count; j++) {
            if (!(distance[j] <= task->radius) || (scan->own && begin + j == at))
                continue;
            if (list) {
                list->sq[found] = distance[j] * distance[j];
                list->row[found] = begin + j + 1;
            }
            found++;
        }
    }
    return found;
}

static void count_query(void *data, int i, int thread)
{
    const struct radius_task *task = data;
    task->count[i] = within_radius(task, i, NULL);
    (void)thread;
}

void ct_pair_count(const struct ct_host *host, const struct ct_pair_scan *scan, double radius,
                   int *found)
{
    struct radius_task task = {.scan = scan, .radius = radius, .count = found};
    ct_parallel_for(host, scan->count, scan->threads, count_query, &task);
}

static void fill_query(void *data, int i, int thread)
{
    const struct radius_task *task = data;
    struct ct_topk *list = &task->list[thread];
    int count = within_radius(task, i, list);
    ct_sort_neighbors(list->sq, list->row, count, task->scan->kernels);
    memcpy(task->index[i], list->row, (size_t)count * sizeof *list->row);
    memcpy(task->distance[i], list->sq, (size_t)count * sizeof *list->sq);
}

void ct_pair_fill(const struct ct_host *host, const struct ct_pair_scan *scan, double radius,
                  const int *found, int *const *index, double *const *distance)
{
    struct radius_task task = {
        .scan = scan, .radius = radius, .index = index, .distance = distance};
    int most = 0;
    for (int i = 0; i < scan->count; i++)
        most = found[i] > most ? found[i] : most;
    task.list = host->alloc((size_t)scan->threads, sizeof *task.list);
    for (int i = 0; i < scan->threads; i++)
        task.list[i] =
            (struct ct_topk){.sq = host->alloc((size_t)most + CT_SELECT_PAD, sizeof(double)),
                             .row = host->alloc((size_t)most, sizeof(int))};
    ct_parallel_for(host, scan->count, scan->threads, fill_query, &task);
}
