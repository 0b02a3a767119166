/* tile_scan.c: see tile_scan.h.
 *
 * The loops over tiles and groups are blocked for the cache: a few tiles stay in it while
 * all groups of the block scan them, and the groups' coordinates, at most CT_BLOCK * d
 * floats, stay in it throughout. A buffer that fills up is flushed
 * before the next tile.
 */
#include "core/search/tile_scan.h"
#include "core/search/threshold.h"

enum {
    CACHED_FLOATS = 1 << 12, /* coordinates, times CT_LANES, of tiles that stay in cache */
    FIRST_TILES = 8          /* tiles of a queue to scan before all thresholds are tightened */
};

void ct_query_groups_init(const struct ct_host *host, int d, struct ct_query_groups *groups)
{
    for (int g = 0; g < CT_BLOCK / CT_GROUP; g++)
        groups->group[g].q = host->alloc((size_t)d * CT_GROUP, sizeof(float));
    groups->count = 0;
    groups->unused = (struct ct_candidates){.capacity = 1, .threshold = -1};
}

/* Sets what all members of each group exclude by the filter. */
static void join_group_limits(const struct ct_query_block *block, struct ct_query_groups *groups)
{
    for (int a = 0; a < block->active_count; a++) {
        struct ct_query_group *group = &groups->group[a / CT_GROUP];
        const struct ct_query_limits *limits = &block->limits[block->active[a]];
        group->members = a % CT_GROUP + 1;
        group->limits = group->members > 1 ? ct_join_limits(group->limits, *limits) : *limits;
    }
}

void ct_form_groups(struct ct_query_block *block, struct ct_query_groups *groups)
{
    int d = block->context.tree->d;
    groups->count = (block->active_count + CT_GROUP - 1) / CT_GROUP;
    for (int a = 0; a < groups->count * CT_GROUP; a++) {
        struct ct_query_group *group = &groups->group[a / CT_GROUP];
        int member = a % CT_GROUP, is_query = a < block->active_count;
        int query = block->active[is_query ? a : 0];
        for (int j = 0; j < d; j++)
            group->q[j * CT_GROUP + member] = block->q_f32[(size_t)query * d + j];
        group->query[member] = query;
        group->candidates[member] = is_query ? &block->candidates[query] : &groups->unused;
    }
    if (block->context.filter)
        join_group_limits(block, groups);
}

/* Whether the filter excludes all points of a tile for a group. Such a tile does not count as
 * scanned. */
static inline int is_excluded(struct ct_query_block *block, const struct ct_query_group *group,
                              int tile)
{
    const struct ct_row_filter *filter = block->context.filter;
    if (!filter || !ct_excludes_all(&group->limits, &filter->tile[tile]))
        return 0;
    block->work.tiles -= group->members;
    return 1;
}

/* Scans a tile for one group and flushes the buffers that are full. */
static inline void scan_for_group(struct ct_query_block *block, const struct ct_query_group *group,
                                  int tile)
{
    const struct ct_tree *t = block->context.tree;
    int pos = t->tiles->begin[tile];
    const float *x = t->tiles->x + (size_t)tile * t->d * CT_LANES;
    if (is_excluded(block, group, tile))
        return;
    unsigned full = block->context.kernels->scan_tile_group(
        x, t->d, group->q, block->context.key + pos, pos, group->candidates);
    for (; full; full &= full - 1)
        ct_flush_candidates(block, group->query[__builtin_ctz(full)]);
}

/* The tiles of a chunk stay in the cache while all groups scan them. */
void ct_scan_span(struct ct_query_block *block, struct ct_query_groups *groups,
                  struct ct_tile_span span)
{
    int chunk = CACHED_FLOATS / block->context.tree->d + 1;
    for (int from = span.first; from < span.end; from += chunk) {
        int to = span.end - from < chunk ? span.end : from + chunk;
        for (int g = 0; g < groups->count; g++)
            for (int tile = from; tile < to; tile++)
                scan_for_group(block, &groups->group[g], tile);
    }
    block->work.tiles += (long long)(span.end - span.first) * block->count;
}

struct ct_tile_span ct_widen_span(struct ct_query_block *block, struct ct_query_groups *groups,
                                  struct ct_tile_span span,
                                  int (*lacks)(struct ct_query_block *block))
{
    int count = block->context.tree->tiles->count;
    while (span.end - span.first < count && lacks(block)) {
        int more = span.end - span.first;
        struct ct_tile_span wide = {span.first > more ? span.first - more : 0,
                                    count - span.end > more ? span.end + more : count};
        ct_scan_span(block, groups, (struct ct_tile_span){wide.first, span.first});
        ct_scan_span(block, groups, (struct ct_tile_span){span.end, wide.end});
        span = wide;
    }
    return span;
}

/* The nearest tiles hold most of the neighbors: tightened once after them, the thresholds
 * exclude much of a long queue. */
void ct_scan_queue(struct ct_query_block *block, struct ct_query_groups *groups,
                   const struct ct_box_list *queue, struct ct_tile_span skip)
{
    float threshold = ct_max_box_threshold(block);
    for (int p = 0; p < queue->count; p++) {
        int tile = queue->number[p];
        if (p == FIRST_TILES && queue->count >= 3 * FIRST_TILES) {
            for (int a = 0; a < block->active_count; a++)
                ct_flush_candidates(block, block->active[a]);
            threshold = ct_max_box_threshold(block);
        }
        if (queue->sq[p] > threshold || ct_span_contains(skip, tile))
            continue;
        block->work.tiles += block->active_count;
        for (int g = 0; g < groups->count; g++)
            scan_for_group(block, &groups->group[g], tile);
    }
}
