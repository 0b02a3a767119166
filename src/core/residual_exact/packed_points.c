/* packed_points.c: packs points by groups of CT_GROUP; see packed_points.h.
 *
 * A tile holds one or more whole groups, because `lanes` is a multiple of CT_GROUP. Threads pack
 * blocks of whole tiles, so no two threads write to one cache line of v or z.
 */
#include "core/residual_exact/packed_points.h"
#include "core/util/aligned.h"
#include "core/util/parallel_for.h"

enum { BLOCK_TILES = 16 }; /* tiles in one block of parallel work */

/* The parallel work of ct_packed_points_fill(). */
struct pack_task {
    const struct ct_transform *transform;
    const struct ct_packed_points *packed;
    const struct ct_point_norms *norms;
};

/* Packs CT_GROUP points from index `first` on, which a tile holds in adjacent lanes. Indices from
 * `count` on stand for the last point. */
static void pack_group_of_tile(const struct pack_task *task, int first, double *scratch)
{
    const struct ct_residual_metric *metric = task->transform->metric;
    const struct ct_packed_points *packed = task->packed;
    const struct ct_filter_kernels *kernels = packed->kernels;
    int lanes = kernels->lanes, pos[CT_GROUP], tail = task->transform->tail;
    /* tile: index of the first point of the tile; lane: that of `first` within the tile. */
    size_t size = kernels->value_size, tile = (size_t)(first / lanes) * lanes;
    size_t lane = (size_t)first - tile;
    struct ct_packed_group group = {
        .stride = lanes,
        .z = packed->z + (tile * metric->d + lane) * size,
        .v = packed->v + (tile * ct_truncation_rank(task->transform) + lane) * size,
        .tail = packed->tail + (size_t)first * tail * size,
    };
    for (int i = 0; i < CT_GROUP; i++)
        pos[i] = packed->pos[first + i < packed->count ? first + i : packed->count - 1];
    ct_pack_group(task->transform, kernels, &metric->points, pos, scratch, &group);
    kernels->pack(packed->tail_norm + first * size, 1, group.tail_norm, 1, NULL, 1, CT_GROUP);
    for (int i = 0; i < CT_GROUP; i++) {
        size_t at = (first + i) * size;
        kernels->pack(packed->root + at, 1, task->norms->root + pos[i], 1, NULL, 1, 1);
        kernels->pack(packed->norm + at, 1, task->norms->v + pos[i], 1, NULL, 1, 1);
    }
}

/* Tiles of one block; the last block may have fewer. */
static void pack_block_of_tiles(void *data, int block, int thread)
{
    const struct pack_task *task = data;
    int lanes = task->packed->kernels->lanes, end = task->packed->tiles * lanes;
    int first = block * BLOCK_TILES * lanes;
    double *scratch = task->packed->scratch + thread * ct_transform_scratch_size(task->transform);
    if (end - first > BLOCK_TILES * lanes)
        end = first + BLOCK_TILES * lanes;
    for (; first < end; first += CT_GROUP)
        pack_group_of_tile(task, first, scratch);
}

struct ct_packed_points ct_packed_points_make(const struct ct_host *host,
                                              const struct ct_transform *transform,
                                              const struct ct_filter_kernels *kernels, int most,
                                              int threads)
{
    size_t points = (size_t)((most + kernels->lanes - 1) / kernels->lanes) * kernels->lanes;
    return (struct ct_packed_points){
        .kernels = kernels,
        .v = ct_alloc_aligned(host, points * ct_truncation_rank(transform), kernels->value_size),
        .tail = ct_alloc_aligned(host, points * transform->tail, kernels->value_size),
        .z = ct_alloc_aligned(host, points * transform->metric->d, kernels->value_size),
        .root = ct_alloc_aligned(host, points, kernels->value_size),
        .tail_norm = ct_alloc_aligned(host, points, kernels->value_size),
        .norm = ct_alloc_aligned(host, points, kernels->value_size),
        .scratch = host->alloc(threads * ct_transform_scratch_size(transform), sizeof(double)),
    };
}

void ct_packed_points_fill(const struct ct_host *host, const struct ct_transform *transform,
                           const int *pos, int count, const struct ct_point_norms *norms,
                           int threads, struct ct_packed_points *packed)
{
    struct pack_task task = {transform, packed, norms};
    packed->pos = pos;
    packed->count = count;
    packed->tiles = (count + packed->kernels->lanes - 1) / packed->kernels->lanes;
    ct_parallel_for(host, (packed->tiles + BLOCK_TILES - 1) / BLOCK_TILES, threads,
                    pack_block_of_tiles, &task);
}
