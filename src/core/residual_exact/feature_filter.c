/* feature_filter.c: blocks of queries against features; see feature_filter.h. */
#include "core/residual_exact/feature_filter.h"
#include "core/order/hilbert.h"
#include "core/util/aligned.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { BLOCK_TILES = 64 }; /* tiles in one block of parallel work */

/* Returns the order of n points by rows: 0 .. n - 1. */
static int *order_of_rows(const struct ct_host *host, int n)
{
    int *order = host->alloc((size_t)n, sizeof *order);
    for (int i = 0; i < n; i++)
        order[i] = i;
    return order;
}

/* Points and other queries on a common curve: place[i] = points before query i. */
static struct ct_scan_order place_others(const struct ct_host *host, const struct ct_filter *filter)
{
    const struct ct_residual_metric *metric = filter->batch->metric;
    const struct ct_factors *points = &metric->points, *queries = filter->queries;
    size_t n = (size_t)points->n, others = (size_t)queries->n, both = n + others;
    double *z = host->alloc(both * metric->d, sizeof *z);
    int *order = host->alloc(both, sizeof *order), *pos = host->alloc(n, sizeof *pos);
    int *place = host->alloc(others, sizeof *place), before = 0;
    for (int j = 0; j < metric->d; j++) {
        memcpy(z + j * both, points->z + j * n, n * sizeof *z);
        memcpy(z + j * both + n, queries->z + j * others, others * sizeof *z);
    }
    ct_hilbert_order(host, z, (int)both, metric->d, filter->batch->threads, order);
    for (size_t i = 0; i < both; i++) {
        if (order[i] < points->n)
            pos[before++] = order[i];
        else
            place[order[i] - points->n] = before;
    }
    return (struct ct_scan_order){pos, place};
}

struct ct_scan_order ct_scan_order_make(const struct ct_host *host, const struct ct_filter *filter)
{
    const struct ct_exact_batch *batch = filter->batch;
    const struct ct_factors *points = &batch->metric->points;
    if (batch->query_points)
        return place_others(host, filter);
    int *pos = order_of_rows(host, points->n), *place = pos;
    if (!batch->predecessors) {
        ct_hilbert_order(host, points->z, points->n, batch->metric->d, batch->threads, pos);
        place = host->alloc((size_t)points->n, sizeof *place);
        for (int i = 0; i < points->n; i++)
            place[pos[i]] = i;
    }
    return (struct ct_scan_order){pos, place};
}

/* Tiles of one block: leading components, and the bounds of both stages. Lanes after the last
 * point are 0. */
static void pack_tiles(void *data, int block, int thread)
{
    const struct ct_feature_filter *features = data;
    int lanes = features->kernels->lanes, n = features->points.count;
    int first = block * BLOCK_TILES * lanes, end = first + BLOCK_TILES * lanes;
    end = end < features->tiles * lanes ? end : features->tiles * lanes;
    size_t rank = (size_t)features->points.rank, leading = (size_t)features->leading;
    (void)thread;
    for (int i = first; i < end; i++) {
        float *to = features->tile + (size_t)(i / lanes) * lanes * leading + i % lanes;
        for (size_t j = 0; j < leading; j++)
            to[j * lanes] = i < n ? features->points.value[i * rank + j] : 0;
        features->tail_norm[i] =
            i < n ? (float)ct_features_remainder(&features->points, i, features->leading) : 0;
        if (i < n)
            features->remainder[i] =
                ct_features_remainder(&features->points, i, features->points.rank);
    }
}

/* Error of the points, and rounding of dot products in float: norms are at most 1.06. */
static double largest_error(const struct ct_feature_filter *features)
{
    int rank = features->points.rank;
    double largest = 0, u = features->kernels->roundoff;
    for (int i = 0; i < features->points.count; i++)
        largest = fmax(largest, features->points.error[i]);
    return largest + 1.3 * (5 * CT_CHUNK + rank / CT_CHUNK + 24) * u;
}

struct ct_feature_filter ct_feature_filter_make(const struct ct_host *host,
                                                const struct ct_filter *filter,
                                                const struct ct_scan_order *order,
                                                const struct ct_feature_map *map, int leading)
{
    const struct ct_exact_batch *batch = filter->batch;
    const struct ct_factors *points = &batch->metric->points;
    const struct ct_filter_kernels *kernels = &batch->correlation_kernels->filter_f32;
    int tiles = (points->n + kernels->lanes - 1) / kernels->lanes;
    size_t lanes = (size_t)tiles * kernels->lanes;
    struct ct_feature_filter features = {
        .filter = filter,
        .kernels = kernels,
        .order = *order,
        .points = ct_features_make(host, map, points, &filter->point_norms, order->pos, points->n,
                                   batch->threads),
        .leading = leading,
        .tiles = tiles,
        .tile = ct_alloc_aligned(host, lanes * leading, sizeof(float)),
        .tail_norm = ct_alloc_aligned(host, lanes, sizeof(float)),
        .remainder = host->alloc((size_t)points->n, sizeof(double)),
    };
    features.queries = features.points;
    if (batch->query_points)
        features.queries = ct_features_make(host, map, filter->queries, &filter->query_norms,
                                            order_of_rows(host, filter->queries->n),
                                            filter->queries->n, batch->threads);
    ct_parallel_for(host, (tiles + BLOCK_TILES - 1) / BLOCK_TILES, batch->threads, pack_tiles,
                    &features);
    features.error = largest_error(&features);
    return features;
}

void ct_feature_block_init(const struct ct_host *host, const struct ct_feature_filter *features,
                           struct ct_feature_block *packed)
{
    size_t size = (size_t)features->filter->block_size, leading = (size_t)features->leading;
    size_t tail = (size_t)features->points.rank - leading;
    *packed = (struct ct_feature_block){
        .leading = ct_alloc_aligned(host, size * leading, sizeof(float)),
        .tail = ct_alloc_aligned(host, size * tail, sizeof(float)),
        .tail_norm = host->alloc(size, sizeof(double)),
        .remainder = host->alloc(size, sizeof(double)),
        .spent = host->alloc(size, sizeof(double)),
    };
}

/* Index of query i of a block among features->queries. */
static int query_index(const struct ct_feature_filter *features,
                       const struct ct_filter_block *block, int i)
{
    int pos = ct_filter_query_pos(features->filter, block->query[i].id);
    return features->filter->batch->query_points ? pos : features->order.place[pos];
}

/* The cutoff: |rho| of a neighbor is at least 1 - threshold, less rounding. */
static void set_cutoff(const struct ct_feature_filter *features, struct ct_filter_block *block,
                       int i)
{
    double least_rho = 1 - block->threshold[i] - 4 * DBL_EPSILON;
    block->packed.cutoff[i] =
        least_rho > 0 ? least_rho * (1 - 16 * features->kernels->roundoff) : -1;
}

/* Packs the queries of a block. The first query fills an incomplete last group. */
static void pack_queries(const struct ct_feature_filter *features, struct ct_feature_block *packed,
                         struct ct_filter_block *block)
{
    const struct ct_features *queries = &features->queries;
    size_t rank = (size_t)queries->rank, leading = (size_t)features->leading, tail = rank - leading;
    int padded = (block->count + CT_GROUP - 1) / CT_GROUP * CT_GROUP;
    for (int i = 0; i < padded; i++) {
        int at = query_index(features, block, i < block->count ? i : 0);
        const float *value = queries->value + at * rank;
        float *to = packed->leading + (size_t)(i / CT_GROUP) * CT_GROUP * leading + i % CT_GROUP;
        for (size_t j = 0; j < leading; j++)
            to[j * CT_GROUP] = value[j];
        for (size_t j = 0; j < tail; j++)
            packed->tail[i * tail + j] = -value[leading + j];
        packed->tail_norm[i] = ct_features_remainder(queries, at, features->leading);
        packed->remainder[i] = ct_features_remainder(queries, at, (int)rank);
        packed->spent[i] = 0;
        block->packed.margin[i] = queries->error[at] + features->error;
        set_cutoff(features, block, i < block->count ? i : 0);
        if (i >= block->count)
            block->packed.cutoff[i] = -1;
    }
}

/* x, clamped to [0, 1]. */
static double clamp_to_unit(double x)
{
    return x > 1 ? 1 : x > 0 ? x : 0;
}

/* Appends a candidate whose |rho| is within `error` of `value`. */
static void append_candidate(const struct ct_feature_filter *features,
                             struct ct_filter_block *block, int i, int pos, double value,
                             double error)
{
    struct ct_interval_topk *topk = &block->topk[i];
    int at = topk->count++, none = isinf(features->filter->point_norms.root[pos]);
    topk->pos[at] = pos;
    topk->lower[at] = none ? 1 : clamp_to_unit(1 - value - error - 16 * DBL_EPSILON);
    topk->upper[at] = none ? 1 : clamp_to_unit(1 - value + error + 16 * DBL_EPSILON);
    if (topk->count == topk->capacity) {
        ct_filter_block_compact(block, i);
        set_cutoff(features, block, i);
    }
}

/* Completes the products of the pairs of query i that passed, and appends those that pass again. A
 * query beyond its budget gets a cutoff that nothing passes. */
static void append_passing(const struct ct_feature_filter *features,
                           struct ct_feature_block *packed, struct ct_filter_block *block, int i,
                           int tile)
{
    const struct ct_exact_batch *batch = features->filter->batch;
    int lanes = features->kernels->lanes, first = tile * lanes, rank = features->points.rank;
    int leading = features->leading, tail = rank - leading, left = features->points.count - first;
    int self = batch->query_points ? -1 : ct_filter_query_pos(features->filter, block->query[i].id);
    unsigned passes = block->passes[i] & (left < 32 ? (1u << left) - 1 : ~0u);
    float *sums = (float *)block->sums + i * lanes;
    features->kernels->subtract_tail(features->points.value + (size_t)first * rank + leading,
                                     (size_t)rank, packed->tail + (size_t)i * tail, tail, passes,
                                     sums);
    packed->spent[i] += features->second_cost * __builtin_popcount(passes);
    for (; passes; passes &= passes - 1) {
        int lane = __builtin_ctz(passes), at = first + lane, pos = features->order.pos[at];
        double value = fabs(sums[lane]), margin = block->packed.margin[i];
        double error = packed->remainder[i] * features->remainder[at] + margin;
        if (pos == self || (batch->predecessors && pos > self) ||
            value < block->packed.cutoff[i] - error)
            continue;
        append_candidate(features, block, i, pos, value, error);
        packed->spent[i] += features->exact_cost;
    }
    if (ct_is_over_budget(features, packed, i))
        block->packed.cutoff[i] = INFINITY;
}

/* All queries of the block against one tile. */
static void scan_tile(const struct ct_feature_filter *features, struct ct_feature_block *packed,
                      struct ct_filter_block *block, int tile)
{
    const struct ct_filter_kernels *kernels = features->kernels;
    int lanes = kernels->lanes, leading = features->leading;
    const float *points = features->tile + (size_t)tile * leading * lanes;
    float *sums = (float *)block->sums;
    int padded = (block->count + CT_GROUP - 1) / CT_GROUP * CT_GROUP;
    memset(sums, 0, (size_t)padded * lanes * sizeof *sums);
    for (int from = 0; from < leading; from += CT_CHUNK)
        for (int group = 0; group < padded; group += CT_GROUP)
            kernels->add_dots(points + (size_t)from * lanes,
                              packed->leading + (size_t)group * leading + (size_t)from * CT_GROUP,
                              leading - from < CT_CHUNK ? leading - from : CT_CHUNK,
                              sums + (size_t)group * lanes);
    for (int group = 0; group < padded; group += CT_GROUP) {
        struct ct_filter_input input = {.tail_norm = features->tail_norm + (size_t)tile * lanes,
                                        .cutoff = block->packed.cutoff + group,
                                        .margin = block->packed.margin + group,
                                        .query_tail_norm = packed->tail_norm + group};
        kernels->filter_dots(&input, sums + (size_t)group * lanes, block->passes + group);
    }
    for (int i = 0; i < block->count; i++)
        if (block->passes[i])
            append_passing(features, packed, block, i, tile);
}

/* Tile number `step` of a scan from tile `start` outwards: start, start + 1, start - 1, ...; one
 * side after the other has ended. */
static int tile_outwards(int start, int tiles, int step)
{
    int below = start, above = tiles - 1 - start, both = below < above ? below : above;
    if (step <= 2 * both)
        return start + (step % 2 ? (step + 1) / 2 : -(step / 2));
    return below < above ? step : tiles - 1 - step;
}

void ct_feature_filter_scan(const struct ct_feature_filter *features,
                            struct ct_feature_block *packed, struct ct_filter_block *block)
{
    const struct ct_exact_batch *batch = features->filter->batch;
    int lanes = features->kernels->lanes, tiles = features->tiles, start = 0;
    int middle = ct_filter_query_pos(features->filter, block->query[block->count / 2].id);
    pack_queries(features, packed, block);
    if (batch->predecessors)
        tiles = block->last_pos / lanes + 1;
    else
        start = features->order.place[middle] / lanes;
    start = start < tiles ? start : tiles - 1;
    for (int step = 0; step < tiles; step++)
        scan_tile(features, packed, block, tile_outwards(start, tiles, step));
    block->stats.filtered_f32 += (long long)tiles * lanes * block->count;
}
