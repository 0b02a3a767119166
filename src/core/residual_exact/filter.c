/* filter.c: blocks of queries against packed points; see filter.h.
 *
 * Loops, from outer to inner: tiles of points; chunks of components, so that a chunk of the tile
 * stays in the first-level cache; query groups. A block of 128 queries and m = 200 keeps 100 KiB
 * of packed queries in float, which fit the second-level cache; a tile is read from memory once
 * per block. After all products of a tile, its passing pairs are appended query by query.
 *
 * Everything here is per thread: no locks, no allocation after ct_filter_block_init().
 */
#include "core/residual_exact/filter.h"
#include "core/util/aligned.h"

#include <float.h>
#include <math.h>
#include <string.h>

struct ct_filter ct_filter_make(const struct ct_host *host, const struct ct_exact_batch *batch,
                                int block_size)
{
    const struct ct_factors *points = &batch->metric->points, *others = batch->query_points;
    struct ct_filter filter = {
        .batch = batch,
        .transform = ct_transform_make(host, batch->metric),
        .queries = others ? others : points,
        .block_size = block_size,
    };
    filter.point_norms =
        ct_error_bound_extend(host, &filter.transform, points, batch->threads, &filter.bound);
    filter.query_norms = others ? ct_error_bound_extend(host, &filter.transform, others,
                                                        batch->threads, &filter.bound)
                                : filter.point_norms;
    return filter;
}

/* Position of query i of the block among filter->queries. */
static int query_pos(const struct ct_filter_block *block, int i)
{
    return ct_filter_query_pos(block->filter, block->query[i].id);
}

/* Position of query i among the metric's points, or -1 if the queries are other points. */
static int own_pos(const struct ct_filter_block *block, int i)
{
    return block->filter->batch->query_points ? -1 : query_pos(block, i);
}

/* Arrays in the precision of the kernels are allocated for double, the larger one: a block serves
 * points of both precisions. CT_V_LANES doubles hold the sums of a tile in either precision. */
void ct_filter_block_init(const struct ct_host *host, const struct ct_filter *filter, int k,
                          struct ct_filter_block *block)
{
    const struct ct_exact_batch *batch = filter->batch;
    size_t size = (size_t)filter->block_size, tail = (size_t)filter->transform.tail;
    size_t rank = (size_t)ct_truncation_rank(&filter->transform);
    *block = (struct ct_filter_block){
        .filter = filter,
        .packed = {.v = ct_alloc_aligned(host, size * rank, sizeof(double)),
                   .z = ct_alloc_aligned(host, size * batch->metric->d, sizeof(double)),
                   .tail = ct_alloc_aligned(host, size * tail, sizeof(double)),
                   .tail_norm = host->alloc(size, sizeof(double)),
                   .norm = host->alloc(size, sizeof(double)),
                   .cutoff = host->alloc(size, sizeof(double)),
                   .margin = host->alloc(size, sizeof(double)),
                   .negligible = host->alloc(size, sizeof(double))},
        .threshold = host->alloc(size, sizeof(double)),
        .topk = host->alloc(size, sizeof *block->topk),
        .found = ct_interval_scratch_make(host, k, batch->kernels),
        .passes = host->alloc(size, sizeof(unsigned)),
        .sums = ct_alloc_aligned(host, size * CT_V_LANES, sizeof(double)),
        .scratch = host->alloc(ct_transform_scratch_size(&filter->transform), sizeof(double)),
    };
    /* No block has more queries than the batch: small batches need few candidate buffers. */
    for (int i = 0; i < filter->block_size && i < batch->count; i++)
        block->topk[i] = ct_interval_topk_make(host, k);
}

void ct_filter_block_load(struct ct_filter_block *block, const struct ct_key_id *query, int count)
{
    const double *threshold = block->filter->initial_threshold;
    const double *limit = block->filter->batch->max_distance;
    block->query = query;
    block->count = count;
    block->last_pos = 0;
    for (int i = 0; i < count; i++) {
        int pos = query_pos(block, i);
        block->last_pos = pos > block->last_pos ? pos : block->last_pos;
        block->topk[i].count = 0;
        block->threshold[i] = threshold ? threshold[pos] : INFINITY;
        if (limit)
            block->threshold[i] = fmin(block->threshold[i], ct_sq_threshold(limit[query[i].id]));
    }
}

/* Exact squared distances of query i of a block (the context) to points of the metric. */
static void refine_distances(void *context, int i, const int *pos, int count, double *sq)
{
    struct ct_filter_block *block = context;
    const struct ct_exact_batch *batch = block->filter->batch;
    ct_residual_sqdist(batch->correlation_kernels, batch->metric, block->filter->queries,
                       query_pos(block, i), pos, count, sq);
    block->stats.exact += count;
}

const struct ct_topk *ct_filter_block_finish(struct ct_filter_block *block, int i)
{
    struct ct_refinement refinement = {refine_distances, block, i};
    ct_interval_topk_finish(&block->topk[i], &block->found, &refinement);
    return &block->found.nearest;
}

/* The cutoff from the threshold: |rho| of a neighbor is at least 1 - threshold, less rounding; the
 * product with roundings of the kernels gives way by 16 u. A negative cutoff disables the filter,
 * also for points with an infinite root (0 times infinity would be NaN). */
static void set_cutoff(struct ct_filter_block *block, int i,
                       const struct ct_filter_kernels *kernels)
{
    double least_rho = 1 - block->threshold[i] - 4 * DBL_EPSILON;
    double root = block->filter->query_norms.root[query_pos(block, i)];
    block->packed.cutoff[i] = least_rho > 0 ? least_rho * root * (1 - 16 * kernels->roundoff) : -1;
}

/* Packs the queries for the kernels, and sets all bounds. The first query of the block fills an
 * incomplete last group; its cutoff there is -1. */
void ct_filter_block_pack(struct ct_filter_block *block, const struct ct_filter_kernels *kernels)
{
    const struct ct_filter *filter = block->filter;
    const struct ct_transform *transform = &filter->transform;
    struct ct_packed_queries *packed = &block->packed;
    size_t size = kernels->value_size, d = (size_t)transform->metric->d;
    size_t tail = (size_t)transform->tail, rank = (size_t)ct_truncation_rank(transform);
    double negligible = ct_negligible_limit(transform, &filter->bound, kernels);
    for (int first = 0; first < block->count; first += CT_GROUP) {
        int pos[CT_GROUP];
        struct ct_packed_group group = {.stride = CT_GROUP,
                                        .z = packed->z + first * d * size,
                                        .v = packed->v + first * rank * size,
                                        .tail = packed->tail + first * tail * size};
        for (int i = 0; i < CT_GROUP; i++)
            pos[i] = query_pos(block, first + i < block->count ? first + i : 0);
        ct_pack_group(transform, kernels, filter->queries, pos, block->scratch, &group);
        for (int i = 0; i < CT_GROUP; i++) {
            double norm = filter->query_norms.v[pos[i]];
            packed->cutoff[first + i] = -1;
            packed->margin[first + i] =
                ct_error_bound_margin(transform, &filter->bound, kernels, norm);
            packed->tail_norm[first + i] = group.tail_norm[i];
            packed->norm[first + i] = norm;
            packed->negligible[first + i] = negligible * filter->query_norms.root[pos[i]];
        }
    }
    for (int i = 0; i < block->count; i++)
        set_cutoff(block, i, kernels);
}

/* x, clamped to [0, 1]; if_nan if x is NaN. */
static double clamp_to_unit(double x, double if_nan)
{
    return x > 0 && x < 1 ? x : x <= 0 ? 0 : x >= 1 ? 1 : if_nan;
}

/* Appends a candidate. Its canonical squared distance is within the margin of the filter's value;
 * 16 DBL_EPSILON covers the rounding of the few operations here. Without residual variance of the
 * point the distance is 1. */
static void append_candidate(struct ct_filter_block *block, int i, int pos, double covariance)
{
    const struct ct_filter *filter = block->filter;
    struct ct_interval_topk *topk = &block->topk[i];
    int at = topk->count++;
    topk->pos[at] = pos;
    topk->lower[at] = topk->upper[at] = 1;
    if (isinf(filter->point_norms.root[pos]))
        return;
    double scale = filter->query_norms.root[query_pos(block, i)] * filter->point_norms.root[pos];
    double sq = 1 - covariance / scale;
    double error = block->packed.margin[i] / scale + 16 * DBL_EPSILON * (1 + fabs(sq));
    topk->lower[at] = clamp_to_unit(sq - error, 0);
    topk->upper[at] = clamp_to_unit(sq + error, 1);
}

/* The filter value of a lane: |k - v_x . v_y| over the variance. */
static double absolute_sum(const struct ct_filter_kernels *kernels, const char *sums, int lane)
{
    return fabs(kernels->value_size == sizeof(float) ? ((const float *)sums)[lane]
                                                     : ((const double *)sums)[lane]);
}

void ct_filter_block_compact(struct ct_filter_block *block, int i)
{
    struct ct_refinement refinement = {refine_distances, block, i};
    double threshold = ct_interval_topk_compact(&block->topk[i], &block->found, &refinement);
    block->threshold[i] = fmin(block->threshold[i], threshold);
}

/* Appends the pairs of query i that passed. With a tail, the bound of the product of the tails
 * let them pass; after subtraction of the product itself, they must pass again. */
static void append_passing(struct ct_filter_block *block, int i,
                           const struct ct_packed_points *points, int tile)
{
    const struct ct_filter *filter = block->filter;
    const struct ct_filter_kernels *kernels = points->kernels;
    const struct ct_packed_queries *packed = &block->packed;
    size_t tail = filter->transform.tail * kernels->value_size;
    /* The kernels compared rounded values for whole tiles; this loop compares in double, with the
     * point's own root, and excludes the query itself and rows after it. */
    int self = own_pos(block, i), first = tile * kernels->lanes;
    char *sums = block->sums + i * kernels->lanes * kernels->value_size;
    if (tail > 0)
        kernels->subtract_tail(points->tail + first * tail, (size_t)filter->transform.tail,
                               packed->tail + i * tail, filter->transform.tail, block->passes[i],
                               sums);
    for (unsigned passes = block->passes[i]; passes; passes &= passes - 1) {
        int lane = __builtin_ctz(passes);
        if (first + lane >= points->count) /* a copy of the last point */
            break;
        int pos = points->pos[first + lane];
        double covariance = absolute_sum(kernels, sums, lane);
        if (pos == self || (filter->batch->predecessors && pos > self) ||
            covariance < packed->cutoff[i] * filter->point_norms.root[pos] - packed->margin[i])
            continue;
        append_candidate(block, i, pos, covariance);
        if (block->topk[i].count == block->topk[i].capacity) {
            ct_filter_block_compact(block, i);
            set_cutoff(block, i, kernels);
        }
    }
}

/* Prefetches the cache lines of bytes [0, bytes) at `next` in equal shares, CT_GROUP of `shares`
 * from number `share` on. */
static void prefetch(const char *next, size_t bytes, int share, int shares)
{
    size_t lines = bytes / CT_CACHE_LINE, end = lines * (share + CT_GROUP) / shares;
    for (size_t line = lines * share / shares; line < end; line++)
        __builtin_prefetch(next + line * CT_CACHE_LINE);
}

/* Dot products of all queries and a tile, over the leading components, in chunks of at most
 * CT_CHUNK: a chunk of the tile stays in the first-level cache while all groups use it, and the
 * prefetches for the next chunk spread over the groups. */
static void add_dots(struct ct_filter_block *block, const struct ct_packed_points *points, int tile)
{
    const struct ct_filter_kernels *kernels = points->kernels;
    int rank = ct_truncation_rank(&block->filter->transform);
    int chunks = (rank + CT_CHUNK - 1) / CT_CHUNK;
    size_t size = kernels->value_size, step = kernels->lanes * size;
    memset(block->sums, 0, (size_t)block->filter->block_size * step);
    for (int chunk = 0; chunk < chunks; chunk++) {
        /* Chunks of nearly equal length, none longer than CT_CHUNK. */
        int from = (int)((long long)rank * chunk / chunks);
        int to = (int)((long long)rank * (chunk + 1) / chunks);
        const char *tile_v = points->v + (tile * (size_t)rank + from) * step;
        for (int group = 0; group < block->count; group += CT_GROUP) {
            prefetch(tile_v + (to - from) * step, (to - from) * step, group, block->count);
            kernels->add_dots(tile_v,
                              block->packed.v + ((size_t)group * rank + from * CT_GROUP) * size,
                              to - from, block->sums + group * step);
        }
    }
}

/* Drops passing pairs at distance exactly 1. The first k rows, except the query's own, are at
 * distance 1 or less, so no later row at distance 1 is among the k nearest. Tried only where the
 * cutoff is within the margin: there the filter itself discards next to nothing. */
static void drop_negligible(struct ct_filter_block *block, const struct ct_packed_points *points,
                            int tile, const struct ct_filter_input *input, int group)
{
    /* Positions ascend: if the first point of the tile has more than k rows before it, all have. */
    int weak_cutoff = 0;
    for (int i = group; i < group + CT_GROUP; i++)
        weak_cutoff |= block->passes[i] && block->packed.cutoff[i] <= block->packed.margin[i];
    if (weak_cutoff && points->pos[tile * points->kernels->lanes] > block->topk->k)
        points->kernels->drop_negligible(input, block->passes + group);
}

/* Prefetches the tails of points with passing pairs, except the lanes in `fetched`; returns
 * `fetched` with their lanes added. */
static unsigned prefetch_tails(const struct ct_filter_block *block,
                               const struct ct_packed_points *points, int tile, int group,
                               unsigned fetched)
{
    int lanes = points->kernels->lanes;
    size_t bytes = block->filter->transform.tail * points->kernels->value_size;
    unsigned wanted = 0;
    for (int i = group; i < group + CT_GROUP; i++)
        wanted |= block->passes[i] & ~fetched;
    for (unsigned left = wanted; left && bytes > 0; left &= left - 1)
        prefetch(points->tail + (tile * (size_t)lanes + __builtin_ctz(left)) * bytes, bytes, 0,
                 CT_GROUP);
    return fetched | wanted;
}

/* All queries of the block against one tile: dot products, the filter, and the passing pairs. */
static void scan_tile(struct ct_filter_block *block, const struct ct_packed_points *points,
                      int tile)
{
    const struct ct_transform *transform = &block->filter->transform;
    const struct ct_filter_kernels *kernels = points->kernels;
    const struct ct_packed_queries *packed = &block->packed;
    size_t size = kernels->value_size, d = (size_t)transform->metric->d;
    size_t first = (size_t)tile * kernels->lanes;
    unsigned fetched = 0;
    add_dots(block, points, tile);
    for (int group = 0; group < block->count; group += CT_GROUP) {
        struct ct_filter_input input = {.shape = &transform->shape,
                                        .d = (int)d,
                                        .tile_z = points->z + first * d * size,
                                        .group_z = packed->z + group * d * size,
                                        .root = points->root + first * size,
                                        .tail_norm = points->tail_norm + first * size,
                                        .norm = points->norm + first * size,
                                        .cutoff = packed->cutoff + group,
                                        .margin = packed->margin + group,
                                        .query_tail_norm = packed->tail_norm + group,
                                        .query_norm = packed->norm + group,
                                        .negligible = packed->negligible + group};
        kernels->filter(&input, block->sums + (size_t)group * kernels->lanes * size,
                        block->passes + group);
        drop_negligible(block, points, tile, &input, group);
        fetched = prefetch_tails(block, points, tile, group, fetched);
    }
    for (int i = 0; i < block->count; i++)
        if (block->passes[i])
            append_passing(block, i, points, tile);
}

void ct_filter_block_scan(struct ct_filter_block *block, const struct ct_packed_points *points)
{
    int tile = 0, lanes = points->kernels->lanes;
    while (tile < points->tiles &&
           !(block->filter->batch->predecessors && points->pos[tile * lanes] >= block->last_pos))
        scan_tile(block, points, tile++);
    /* Lanes beyond the last point count as pairs: the kernels compute them. */
    long long pairs = (long long)tile * lanes * block->count;
    if (points->kernels->value_size == sizeof(float))
        block->stats.filtered_f32 += pairs;
    else
        block->stats.filtered_f64 += pairs;
}

void ct_filter_block_accept_first(struct ct_filter_block *block)
{
    const struct ct_exact_batch *batch = block->filter->batch;
    for (int i = 0; i < block->count; i++) {
        struct ct_interval_topk *topk = &block->topk[i];
        int self = own_pos(block, i);
        int end = batch->predecessors ? self : batch->metric->points.n;
        for (int pos = 0; pos < end && topk->count < topk->k; pos++)
            if (pos != self) {
                topk->lower[topk->count] = topk->upper[topk->count] = 1;
                topk->pos[topk->count++] = pos;
            }
    }
}
