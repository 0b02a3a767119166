/* traverse.c: see traverse.h.
 *
 * Boxes are evaluated in float32, CT_LANES at a time, against the bounding box of the block
 * in tile units; siblings are adjacent in memory, so that the children of a node are one
 * run of boxes. The traversal ends at nodes of at most SMALL_NODE tiles: below, the boxes of
 * the tiles themselves are cheaper to evaluate than further levels.
 *
 * A box is excluded only if it lies strictly beyond the float32 threshold, which includes
 * the rounding margin. Equal distances, and duplicates in particular, are decided by exact
 * boxes and rows (ct_excluded_by_row()).
 */
#include "core/search/traverse.h"
#include "core/search/threshold.h"
#include "core/search/tile_scan.h"

#include <math.h>

enum { SMALL_NODE = 32 }; /* a node of at most this number of tiles is not traversed further */

void ct_frontier_init(const struct ct_host *host, const struct ct_tree *t,
                      struct ct_frontier *frontier)
{
    size_t d = (size_t)t->d, stride = CT_NODE_CHUNK + CT_LANES;
    *frontier = (struct ct_frontier){
        .lower = host->alloc(d, sizeof(double)),
        .upper = host->alloc(d, sizeof(double)),
        .lower_f32 = host->alloc(d, sizeof(float)),
        .upper_f32 = host->alloc(d, sizeof(float)),
        .chunk = {host->alloc(d * stride, sizeof(float)), host->alloc(d * stride, sizeof(float)),
                  stride},
        .level = ct_box_list_new(host, t->nodes),
        .next_level = ct_box_list_new(host, t->nodes),
        .nodes = ct_box_list_new(host, t->nodes),
        .sorted_nodes = ct_box_list_new(host, t->nodes),
        .chosen = ct_box_list_new(host, CT_NODE_CHUNK),
        .sorted_chosen = ct_box_list_new(host, CT_NODE_CHUNK),
        .tiles = ct_box_list_new(host, t->tiles->count),
        .common = ct_box_list_new(host, t->tiles->count),
        .queue = ct_box_list_new(host, t->tiles->count),
    };
}

/* ---- the traversal -------------------------------------------------------- */

/* Returns what all active queries exclude by the filter; without a filter, any value. */
static struct ct_query_limits common_limits(const struct ct_query_block *block)
{
    struct ct_query_limits limits = block->limits[block->active[0]];
    for (int a = 1; block->context.filter && a < block->active_count; a++)
        limits = ct_join_limits(limits, block->limits[block->active[a]]);
    return limits;
}

/* Finds the bounding box of the active queries, in both units, their largest row, and their limits.
 */
static void bound_queries(const struct ct_query_block *block, struct ct_frontier *f)
{
    int d = block->context.tree->d;
    f->max_row = 0;
    for (int a = 0; a < block->active_count; a++) {
        int max_row = block->max_row[block->active[a]];
        f->max_row = max_row > f->max_row ? max_row : f->max_row;
    }
    f->limits = common_limits(block);
    for (int j = 0; j < d; j++) {
        double lower = INFINITY, upper = -INFINITY;
        float lower_f32 = INFINITY, upper_f32 = -INFINITY;
        for (int a = 0; a < block->active_count; a++) {
            double x = block->q[(size_t)block->active[a] * d + j];
            float x_f32 = block->q_f32[(size_t)block->active[a] * d + j];
            lower = x < lower ? x : lower;
            upper = x > upper ? x : upper;
            lower_f32 = x_f32 < lower_f32 ? x_f32 : lower_f32;
            upper_f32 = x_f32 > upper_f32 ? x_f32 : upper_f32;
        }
        f->lower[j] = lower;
        f->upper[j] = upper;
        f->lower_f32[j] = lower_f32;
        f->upper_f32[j] = upper_f32;
    }
}

/* Returns a threshold that no active query's threshold exceeds, in distance or row. */
static struct ct_neighbor loosest_threshold(const struct ct_query_block *block)
{
    struct ct_neighbor loosest = {0, 0};
    for (int a = 0; a < block->active_count; a++) {
        struct ct_neighbor threshold = block->threshold[block->active[a]];
        loosest.sq = threshold.sq > loosest.sq ? threshold.sq : loosest.sq;
        loosest.row = threshold.row > loosest.row ? threshold.row : loosest.row;
    }
    return loosest;
}

/* Compares exact distances, because float32 cannot separate equal from slightly smaller ones. Boxes
 * have norms, not distances: if the two differ, only a threshold of 0 excludes. */
int ct_excluded_by_row(const struct ct_search_context *context, int node, const double *lower,
                       const double *upper, struct ct_neighbor threshold)
{
    const struct ct_tree *t = context->tree;
    if (threshold.row == INT_MAX || t->level[node] != CT_NO_LEVEL ||
        t->min_row[node] <= threshold.row)
        return 0;
    if (context->metric.measure != CT_NORM)
        return threshold.sq == 0;
    return ct_box_norm_sq(context->metric.norm, t->lower + node, t->upper + node, (size_t)t->nodes,
                          lower, upper, t->d) >= threshold.sq;
}

/* Whether a node belongs to a run of more duplicates than a leaf holds. */
static int in_duplicate_run(const struct ct_tree *t, int node)
{
    int parent = t->parent[node] - 1;
    return t->level[node] == CT_NO_LEVEL && parent >= 0 && t->level[parent] == CT_NO_LEVEL;
}

/* Appends the boxes from `first` up to `end` that lie within the threshold of the bounding
 * box of the block. */
static void append_boxes_near_block(const struct ct_query_block *block, const struct ct_frontier *f,
                                    const struct ct_boxes *boxes, int first, int end,
                                    float threshold, struct ct_box_list *list)
{
    int *number = list->number + list->count;
    int found = block->context.kernels->boxes_within(
        boxes->lower + first, boxes->upper + first, boxes->stride, block->context.tree->d,
        end - first, f->lower_f32, f->upper_f32, threshold, number, list->sq + list->count);
    for (int i = 0; i < found; i++)
        number[i] += first;
    list->count += found;
}

/* The next level becomes the current level; both arrays are reused. */
static void swap_lists(struct ct_box_list *a, struct ct_box_list *b)
{
    struct ct_box_list swap = *a;
    *a = *b;
    *b = swap;
}

/* Descends from the root, a level at a time. Small nodes and leaves remain; the children of
 * larger nodes are evaluated for the next level. */
static void descend_levels(struct ct_query_block *block, struct ct_frontier *f, float threshold)
{
    const struct ct_tree *t = block->context.tree;
    const struct ct_tiles *tiles = t->tiles;
    const struct ct_row_filter *filter = block->context.filter;
    struct ct_neighbor loosest = loosest_threshold(block);
    f->nodes.count = f->level.count = f->duplicate_runs = 0;
    ct_box_list_append(&f->level, 0, 0);
    while (f->level.count > 0) {
        f->next_level.count = 0;
        for (int i = 0; i < f->level.count; i++) {
            int node = f->level.number[i];
            if (t->min_row[node] > f->max_row ||
                ct_excluded_by_row(&block->context, node, f->lower, f->upper, loosest) ||
                (filter && ct_excludes_all(&f->limits, &filter->node[node])))
                continue;
            if (t->first_child[node] == 0 ||
                tiles->end_tile[node] - tiles->first_tile[node] <= SMALL_NODE) {
                f->duplicate_runs += in_duplicate_run(t, node);
                ct_box_list_append(&f->nodes, node, f->level.sq[i]);
                continue;
            }
            int child = ct_first_child(t, node), end = child + ct_count_children(t, node);
            block->work.nodes += end - child;
            append_boxes_near_block(block, f, &tiles->node, child, end, threshold, &f->next_level);
        }
        swap_lists(&f->level, &f->next_level);
    }
}

void ct_traverse(struct ct_query_block *block, struct ct_frontier *frontier, float threshold)
{
    bound_queries(block, frontier);
    descend_levels(block, frontier, threshold);
    block->work.candidates += frontier->nodes.count;
    block->work.cache_hits += (long long)frontier->nodes.count * (block->active_count - 1);
}

void ct_list_common_tiles(struct ct_query_block *block, struct ct_frontier *f, float threshold)
{
    const struct ct_tiles *tiles = block->context.tree->tiles;
    f->common.count = 0;
    for (int c = 0; c < f->nodes.count; c++) {
        int node = f->nodes.number[c];
        append_boxes_near_block(block, f, &tiles->tile, tiles->first_tile[node],
                                tiles->end_tile[node], threshold, &f->common);
    }
    ct_box_list_sort(&f->common, threshold, &f->queue);
}

/* ---- the scan by single queries ------------------------------------------- */

/* Copies the boxes of `count` nodes side by side: a run that the kernel can read. All queries
 * of the block then evaluate this run. */
static void gather_boxes(const struct ct_query_block *block, const int *node, int count,
                         struct ct_boxes *chunk)
{
    const struct ct_boxes *boxes = &block->context.tree->tiles->node;
    for (int j = 0; j < block->context.tree->d; j++) {
        const float *lower = boxes->lower + j * boxes->stride;
        const float *upper = boxes->upper + j * boxes->stride;
        for (int c = 0; c < count; c++) {
            chunk->lower[j * chunk->stride + c] = lower[node[c]];
            chunk->upper[j * chunk->stride + c] = upper[node[c]];
        }
    }
}

/* Lists the boxes within the box threshold of query i, of `count` boxes from `first` on.
 * Numbers in the list count from `first`. */
static void list_boxes_near_query(const struct ct_query_block *block, int i,
                                  const struct ct_boxes *boxes, int first, int count,
                                  struct ct_box_list *list)
{
    const float *q = block->q_f32 + (size_t)i * block->context.tree->d;
    list->count = block->context.kernels->boxes_within(
        boxes->lower + first, boxes->upper + first, boxes->stride, block->context.tree->d, count, q,
        q, block->box_threshold[i], list->number, list->sq);
}

/* Scans the tiles of a node for query i. The threshold may fall during the scan, so each
 * tile is compared once more before it is scanned. */
static void scan_node(struct ct_query_block *block, struct ct_frontier *f, int i, int node,
                      struct ct_tile_span skip)
{
    const struct ct_tiles *tiles = block->context.tree->tiles;
    const struct ct_row_filter *filter = block->context.filter;
    int first = tiles->first_tile[node], count = tiles->end_tile[node] - first;
    list_boxes_near_query(block, i, &tiles->tile, first, count, &f->tiles);
    block->work.boxes += count;
    for (int p = 0; p < f->tiles.count; p++) {
        int tile = first + f->tiles.number[p];
        if (f->tiles.sq[p] > block->box_threshold[i] || ct_span_contains(skip, tile) ||
            (filter && ct_excludes_all(&block->limits[i], &filter->tile[tile])))
            continue;
        if (ct_scan_tile(block, i, tile))
            ct_flush_candidates(block, i);
    }
}

/* Scans a chunk of remaining nodes for query i, nearer nodes first. */
static void scan_chunk(struct ct_query_block *block, struct ct_frontier *f, int i, const int *node,
                       int count, struct ct_tile_span skip)
{
    const struct ct_tree *t = block->context.tree;
    const struct ct_row_filter *filter = block->context.filter;
    const double *q = block->q + (size_t)i * t->d;
    list_boxes_near_query(block, i, &f->chunk, 0, count, &f->chosen);
    ct_box_list_sort(&f->chosen, block->box_threshold[i], &f->sorted_chosen);
    for (int p = 0; p < f->sorted_chosen.count; p++) {
        int next = node[f->sorted_chosen.number[p]];
        if (f->sorted_chosen.sq[p] <= block->box_threshold[i] &&
            !ct_excluded_by_row(&block->context, next, q, q, block->threshold[i]) &&
            !(filter && ct_excludes_all(&block->limits[i], &filter->node[next])))
            scan_node(block, f, i, next, skip);
    }
}

void ct_scan_nodes(struct ct_query_block *block, struct ct_frontier *f, float threshold,
                   struct ct_tile_span skip)
{
    ct_box_list_sort(&f->nodes, threshold, &f->sorted_nodes);
    for (int at = 0; at < f->nodes.count; at += CT_NODE_CHUNK) {
        int left = f->nodes.count - at, count = left < CT_NODE_CHUNK ? left : CT_NODE_CHUNK;
        const int *node = f->sorted_nodes.number + at;
        gather_boxes(block, node, count, &f->chunk);
        for (int a = 0; a < block->active_count; a++)
            scan_chunk(block, f, block->active[a], node, count, skip);
    }
}
