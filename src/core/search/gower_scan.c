/* gower_scan.c: see gower_scan.h.
 *
 * A block of queries is compared with a run of points at a time, so that the run stays in the
 * cache. Sums go over the columns in their order, which gives the same bits for any number of
 * threads and any instruction set.
 */
#include "core/search/gower_scan.h"
#include "core/search/query.h"
#include "core/topk/select.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum {
    RUN = 256,  /* points compared at a time */
    QUERIES = 8 /* of a block */
};

/* The candidates of one query; `wanted`: no candidate beyond is. */
struct nearest {
    struct ct_topk topk;
    int capacity;
    struct ct_neighbor wanted;
};

struct scan {
    const struct ct_gower_batch *batch;
    struct nearest *nearest; /* [threads x QUERIES] */
    double radius;           /* with fixed thresholds; then no neighbors are dropped */
    int k;
    double missing;
    int *index;
    double *distance;
    int *found; /* counts by query; what is found goes to lists[i] and distances[i], if any */
    int *const *lists;
    double *const *distances;
};

/* The number of a query among the rows of the queries, from 0. */
static int query_at(const struct ct_gower_batch *batch, int i)
{
    return batch->row ? batch->row[i] - 1 : i;
}

/* Adds up the differences and weights of a column. A comparison with NaN is false, and so is the
 * sum of NaN and anything equal to itself. */
static void add_column(const double *x, int count, double q, double weight, int nominal,
                       double *sum, double *total)
{
    for (int i = 0; i < count; i++) {
        double gap = nominal ? (x[i] != q ? weight : 0) : fabs(x[i] - q);
        int there = x[i] == x[i];
        sum[i] += there ? gap : 0;
        total[i] += there ? weight : 0;
    }
}

/* Distances of query `at` and the points from `begin` on; NaN without a common column. */
static void compare(const struct ct_gower_batch *batch, int at, int begin, int count, double *out)
{
    double total[RUN] = {0};
    const double *from = batch->query ? batch->query : batch->points;
    memset(out, 0, (size_t)count * sizeof *out);
    for (int j = 0; j < batch->columns; j++) {
        double q = from[at + (size_t)j * (size_t)batch->queries];
        if (q == q)
            add_column(batch->points + begin + (size_t)j * (size_t)batch->n, count, q,
                       batch->weight[j], batch->nominal[j], out, total);
    }
    for (int i = 0; i < count; i++)
        out[i] = total[i] > 0 ? out[i] / total[i] : NAN;
}

/* The number of points that a query may find, of those from the first on. */
static int eligible_points(const struct ct_gower_batch *batch, int at)
{
    return batch->predecessor && !batch->query ? at : batch->n;
}

/* Adds the points of a run that a query wants. Rows ascend. */
static void add_run(const struct scan *scan, struct nearest *list, int at, int begin, int end)
{
    double distance[RUN];
    int eligible = eligible_points(scan->batch, at);
    end = end < eligible ? end : eligible;
    if (begin >= end)
        return;
    compare(scan->batch, at, begin, end - begin, distance);
    for (int i = begin; i < end; i++) {
        double sq = distance[i - begin] * distance[i - begin];
        if (!(sq <= list->wanted.sq) || (i == at && !scan->batch->query))
            continue;
        if (list->topk.count == list->capacity)
            list->wanted = ct_topk_compact(&list->topk, scan->batch->kernels);
        list->topk.sq[list->topk.count] = sq;
        list->topk.row[list->topk.count++] = i + 1;
    }
}

/* Writes the neighbors of query i [of count]. */
static void write_nearest(const struct scan *scan, struct nearest *list, int i)
{
    size_t count = (size_t)scan->batch->count;
    ct_topk_finish(&list->topk, scan->batch->kernels);
    for (int j = 0; j < scan->k; j++) {
        int there = j < list->topk.count;
        scan->index[(size_t)i + (size_t)j * count] = there ? list->topk.row[j] : CT_NO_ROW;
        scan->distance[(size_t)i + (size_t)j * count] = there ? list->topk.sq[j] : scan->missing;
    }
}

static void search_block(void *data, int block, int thread)
{
    const struct scan *scan = data;
    const struct ct_gower_batch *batch = scan->batch;
    struct nearest *list = scan->nearest + (size_t)thread * QUERIES;
    int first = block * QUERIES, left = batch->count - first;
    int queries = left < QUERIES ? left : QUERIES;
    for (int q = 0; q < queries; q++) {
        list[q].topk.count = 0;
        list[q].wanted = (struct ct_neighbor){INFINITY, INT_MAX};
    }
    for (int begin = 0; begin < batch->n; begin += RUN) {
        int end = batch->n - begin < RUN ? batch->n : begin + RUN;
        for (int q = 0; q < queries; q++)
            add_run(scan, &list[q], query_at(batch, first + q), begin, end);
    }
    for (int q = 0; q < queries; q++)
        write_nearest(scan, &list[q], first + q);
}

void ct_gower_knn(const struct ct_host *host, const struct ct_gower_batch *batch, int k,
                  double missing, int *index, double *distance)
{
    int kept = k < batch->n ? k : batch->n, capacity = ct_select_capacity(kept) + 1;
    struct scan scan = {.batch = batch, .k = k, .missing = missing, .index = index};
    size_t lists = (size_t)batch->threads * QUERIES;
    scan.distance = distance;
    scan.nearest = host->alloc(lists, sizeof *scan.nearest);
    for (size_t i = 0; i < lists; i++)
        scan.nearest[i] = (struct nearest){
            .topk = {.sq = host->alloc((size_t)capacity + CT_SELECT_PAD, sizeof(double)),
                     .row = host->alloc((size_t)capacity, sizeof(int)),
                     .k = kept},
            .capacity = capacity};
    ct_parallel_for(host, (batch->count + QUERIES - 1) / QUERIES, batch->threads, search_block,
                    &scan);
}

/* Finds what is within the radius of query i, and writes it to `sq` and `row`, unless these are
 * NULL. Returns the number. */
static int within_radius(const struct scan *scan, int i, double *sq, int *row)
{
    const struct ct_gower_batch *batch = scan->batch;
    int at = query_at(batch, i), eligible = eligible_points(batch, at), found = 0;
    for (int begin = 0; begin < eligible; begin += RUN) {
        double distance[RUN];
        int count = eligible - begin < RUN ? eligible - begin : RUN;
        compare(batch, at, begin, count, distance);
        for (int j = 0; j < count; j++) {
            if (!(distance[j] <= scan->radius) || (begin + j == at && !batch->query))
                continue;
            if (sq) {
                sq[found] = distance[j] * distance[j];
                row[found] = begin + j + 1;
            }
            found++;
        }
    }
    return found;
}

static void count_query(void *data, int i, int thread)
{
    const struct scan *scan = data;
    scan->found[i] = within_radius(scan, i, NULL, NULL);
    (void)thread;
}

void ct_gower_count(const struct ct_host *host, const struct ct_gower_batch *batch, double radius,
                    int *found)
{
    struct scan scan = {.batch = batch, .radius = radius, .found = found};
    ct_parallel_for(host, batch->count, batch->threads, count_query, &scan);
}

static void fill_query(void *data, int i, int thread)
{
    const struct scan *scan = data;
    struct ct_topk *topk = &scan->nearest[thread].topk;
    int count = scan->found[i];
    within_radius(scan, i, topk->sq, topk->row);
    ct_sort_neighbors(topk->sq, topk->row, count, scan->batch->kernels);
    memcpy(scan->lists[i], topk->row, (size_t)count * sizeof *topk->row);
    memcpy(scan->distances[i], topk->sq, (size_t)count * sizeof *topk->sq);
}

void ct_gower_fill(const struct ct_host *host, const struct ct_gower_batch *batch, double radius,
                   const int *found, int *const *index, double *const *distance)
{
    struct scan scan = {.batch = batch, .radius = radius, .lists = index, .distances = distance};
    int most = 0, *counts = host->alloc((size_t)batch->count, sizeof *counts);
    for (int i = 0; i < batch->count; i++) {
        counts[i] = found[i];
        most = found[i] > most ? found[i] : most;
    }
    scan.found = counts;
    scan.nearest = host->alloc((size_t)batch->threads, sizeof *scan.nearest);
    for (int i = 0; i < batch->threads; i++)
        scan.nearest[i].topk =
            (struct ct_topk){.sq = host->alloc((size_t)most + CT_SELECT_PAD, sizeof(double)),
                             .row = host->alloc((size_t)most, sizeof(int))};
    ct_parallel_for(host, batch->count, batch->threads, fill_query, &scan);
}
