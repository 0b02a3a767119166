/* portions.c: see portions.h. */
#include "core/residual_exact/portions.h"
#include "core/util/parallel_for.h"

enum {
    PORTION_BYTES = 1 << 22, /* approximate size of the packed points of a portion */
    MIN_TILES = 16           /* smallest number of tiles of a portion */
};

/* Largest number of multiply-adds per second on one core. */
static const double SPEED = 1e11;

/* Arguments of the parallel loop: the packed portion that all blocks scan. */
struct portion_task {
    const struct ct_portion_scan *scan;
    struct ct_packed_points *packed;
    int first; /* whether this is the first portion */
};

static void scan_block(void *data, int number, int thread)
{
    const struct portion_task *task = data;
    struct ct_filter_block *block = &task->scan->block[number];
    if (task->first)
        ct_filter_block_pack(block, task->scan->kernels);
    ct_filter_block_scan(block, task->packed);
    (void)thread;
}

/* Number of points of a portion: whole tiles. */
static int portion_size(const struct ct_portion_scan *scan)
{
    const struct ct_transform *transform = &scan->filter->transform;
    size_t tile = scan->kernels->lanes * scan->kernels->value_size *
                  (size_t)(transform->metric->m + transform->metric->d + 3);
    size_t tiles = PORTION_BYTES / tile > MIN_TILES ? PORTION_BYTES / tile : MIN_TILES;
    size_t most = tiles * (size_t)scan->kernels->lanes;
    return most < (size_t)scan->points ? (int)most : scan->points;
}

/* The host of the loops over a portion, without progress, because a loop is only a part of the
 * call. If all portions together are enough work, a parallel region is opened at once, because the
 * estimate of the work in each loop would take time. */
static struct ct_host portion_host(const struct ct_host *host, const struct ct_portion_scan *scan)
{
    struct ct_host inner = *host;
    double queries = (double)scan->blocks * scan->filter->block_size;
    double work = queries * scan->points * ct_truncation_rank(&scan->filter->transform) / SPEED;
    inner.progress = NULL;
    if (work > host->region_seconds)
        inner.region_seconds = 0;
    return inner;
}

/* The first point from which on no point is a predecessor of a query. */
static int end_of_points(const struct ct_portion_scan *scan)
{
    int end = scan->points, last = 0;
    if (!scan->filter->batch->predecessors)
        return end;
    for (int i = 0; i < scan->blocks; i++)
        last = scan->block[i].last_pos > last ? scan->block[i].last_pos : last;
    while (end > 0 && scan->pos[end - 1] >= last)
        end--;
    return end;
}

void ct_scan_in_portions(const struct ct_host *host, const struct ct_portion_scan *scan)
{
    const struct ct_filter *filter = scan->filter;
    int size = portion_size(scan), end = end_of_points(scan), threads = filter->batch->threads;
    if (scan->blocks == 0 || end == 0)
        return;
    struct ct_host inner = portion_host(host, scan);
    struct ct_packed_points packed =
        ct_packed_points_make(host, &filter->transform, scan->kernels, size, threads);
    for (int first = 0; first < end; first += size) {
        struct portion_task task = {scan, &packed, first == 0};
        int count = scan->points - first < size ? scan->points - first : size;
        ct_packed_points_fill(&inner, &filter->transform, scan->pos + first, count,
                              &filter->point_norms, threads, &packed);
        ct_parallel_for(&inner, scan->blocks, threads, scan_block, &task);
        ct_report(host, (double)(first + count) / scan->points);
    }
}
