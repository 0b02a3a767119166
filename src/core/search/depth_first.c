/* depth_first.c: see depth_first.h.
 *
 * Nodes wait on a stack, the nearest child on top, so that the first leaf gives a threshold close
 * to the final one. Nodes beyond the threshold are dropped when they come to the top. The boxes of
 * the tiles of a small node are evaluated without further levels.
 */
#include "core/search/depth_first.h"
#include "core/search/block_search.h"
#include "core/search/threshold.h"

#include <math.h>

enum { SMALL_NODE = 32 }; /* a node of at most this number of tiles is not traversed further */

/* The searcher: a block of one query. The lists grow as the tree demands. */
struct depth_first {
    const struct ct_host *host;
    struct ct_query_block block;
    struct ct_search_recorder recorder;
    struct ct_box_list stack;         /* nodes that wait */
    struct ct_box_list found, sorted; /* children of a node, or tiles, within the threshold */
    int room, list_room;              /* capacities of the stack, and of the other two */
};

int ct_suits_depth_first(const struct ct_batch *batch)
{
    return batch->count <= CT_DEPTH_FIRST_QUERIES && batch->query && !batch->start &&
           !batch->budget && !batch->filter && batch->epsilon == 0 && batch->block == 0 &&
           batch->mode != CT_SEARCH_SCAN;
}

/* Makes room for `more` boxes on the stack and in the lists. */
static void reserve(struct depth_first *s, int more)
{
    if (s->list_room < more) {
        s->list_room = more;
        s->found = ct_box_list_new(s->host, more);
        s->sorted = ct_box_list_new(s->host, more);
    }
    if (s->room - s->stack.count >= more)
        return;
    struct ct_box_list old = s->stack;
    s->room = 2 * (old.count + more);
    s->stack = ct_box_list_new(s->host, s->room);
    for (int i = 0; i < old.count; i++)
        ct_box_list_append(&s->stack, old.number[i], old.sq[i]);
}

/* Lists the boxes from `first` up to `end` within the threshold of the query, nearer boxes first.
 * Without a finite threshold, the farthest box is the scale of the order. */
static void list_near_boxes(struct depth_first *s, const struct ct_boxes *boxes, int first, int end)
{
    const struct ct_query_block *block = &s->block;
    float scale = block->box_threshold[0];
    reserve(s, end - first);
    s->found.count = block->context.kernels->boxes_within(
        boxes->lower + first, boxes->upper + first, boxes->stride, block->context.tree->d,
        end - first, block->q_f32, block->q_f32, scale, s->found.number, s->found.sq);
    if (!(scale < INFINITY)) {
        scale = 0;
        for (int i = 0; i < s->found.count; i++)
            scale = s->found.sq[i] > scale ? s->found.sq[i] : scale;
    }
    ct_box_list_sort(&s->found, scale, &s->sorted);
}

/* Puts the children of a node on the stack, the nearest on top. */
static void push_children(struct depth_first *s, int node)
{
    const struct ct_tree *t = s->block.context.tree;
    int first = ct_first_child(t, node), count = ct_count_children(t, node);
    s->block.work.nodes += count;
    list_near_boxes(s, &t->tiles->node, first, first + count);
    for (int i = s->sorted.count - 1; i >= 0; i--)
        ct_box_list_append(&s->stack, first + s->sorted.number[i], s->sorted.sq[i]);
}

/* Scans the tiles of a node, nearer tiles first. The first node gives a threshold as soon as the
 * query has k candidates. */
static void scan_tiles(struct depth_first *s, int node)
{
    struct ct_query_block *block = &s->block;
    const struct ct_tiles *tiles = block->context.tree->tiles;
    int first = tiles->first_tile[node], end = tiles->end_tile[node];
    block->work.candidates++;
    block->work.boxes += end - first;
    list_near_boxes(s, &tiles->tile, first, end);
    for (int i = 0; i < s->sorted.count; i++)
        if (s->sorted.sq[i] <= block->box_threshold[0] &&
            ct_scan_tile(block, 0, first + s->sorted.number[i]))
            ct_flush_candidates(block, 0);
    if (!ct_is_tightened(block, 0))
        ct_tighten_threshold(block, 0);
}

/* Searches for the query of the block. */
static void search_query(struct depth_first *s)
{
    struct ct_query_block *block = &s->block;
    const struct ct_tree *t = block->context.tree;
    reserve(s, 1);
    for (ct_box_list_append(&s->stack, 0, 0); s->stack.count > 0;) {
        int node = s->stack.number[--s->stack.count];
        if (s->stack.sq[s->stack.count] > block->box_threshold[0] ||
            ct_excluded_by_row(&block->context, node, block->q, block->q, block->threshold[0]))
            continue;
        if (t->first_child[node] == 0 ||
            t->tiles->end_tile[node] - t->tiles->first_tile[node] <= SMALL_NODE)
            scan_tiles(s, node);
        else
            push_children(s, node);
    }
}

void ct_depth_first_knn(const struct ct_host *host, const struct ct_batch *batch,
                        const struct ct_result_lines *lines)
{
    int k = lines->k, reachable = k < batch->tree->n ? k : batch->tree->n;
    struct depth_first s = {.host = host,
                            .recorder = ct_search_recorder_start(batch->stats != NULL)};
    struct ct_search_context context = {
        .tree = batch->tree,
        .metric = batch->metric,
        .kernels = ct_norm_kernels(batch->kernels, batch->metric.norm),
        .k = k,
        .removed = batch->removed,
        .key = batch->tree->row,
        .box_factor = 1,
    };
    ct_query_block_init(host, &context, 1, ct_select_capacity(reachable), &s.block);
    for (int i = 0; i < batch->count; i++) {
        ct_query_block_load(&s.block, batch, i, 1);
        search_query(&s);
        ct_search_record_block(&s.recorder, 1);
        ct_search_end_phase(&s.recorder, CT_PHASE_SCAN);
        int count = ct_finish_query(&s.block, 0);
        ct_store_line(lines, s.block.line[0], s.block.exact_row, s.block.exact_sq, count);
        ct_search_record_work(&s.recorder, &s.block.work);
        ct_search_end_phase(&s.recorder, CT_PHASE_SELECTION);
    }
    if (batch->stats)
        ct_search_stats_add(batch->stats, &s.recorder.stats);
}
