/* block_search.c: see block_search.h.
 *
 * A block is searched in one of three ways, which the schedule chooses: a scan of all tiles
 * by query groups, with matrix products where they suit (product_scan.h); or a traversal followed
 * by a joint scan of the tiles near the block; or a traversal after which each query scans on its
 * own. The first suits many dimensions, where boxes exclude little, the second few dimensions,
 * where neighboring queries need the same tiles, and the third the dimensions between.
 */
#include "core/search/block_search.h"

#include <math.h>

enum {
    OUTLYING = 2
}; /* a query is an outlier if its threshold exceeds the mean of the block this often */

void ct_search_init(const struct ct_host *host, const struct ct_batch *batch, int queries,
                    int capacity, int k, struct ct_candidate_sink sink, struct ct_search *s)
{
    int unfused = batch->epsilon > 0 || batch->budget;
    struct ct_search_context context = {
        .tree = batch->tree,
        .metric = batch->metric,
        .kernels =
            ct_norm_kernels(unfused ? batch->kernels->unfused : batch->kernels, batch->metric.norm),
        .k = k,
        .sink = sink,
        .removed = batch->removed,
        .filter = batch->filter,
        .key = batch->filter ? batch->filter->key : batch->tree->row,
        .box_factor = 1 / (1 + batch->epsilon),
    };
    ct_query_block_init(host, &context, queries, capacity, &s->block);
    ct_query_groups_init(host, batch->tree->d, &s->groups);
    ct_product_scan_init(host, &context, &s->products);
    ct_frontier_init(host, batch->tree, &s->frontier);
    ct_single_scan_init(host, batch->tree, &s->single);
    s->schedule = ct_schedule_start(batch);
    s->recorder = ct_search_recorder_start(batch->stats != NULL);
}

void ct_search_begin(struct ct_search *s, const struct ct_batch *batch, int begin, int count)
{
    ct_query_block_load(&s->block, batch, begin, count);
    ct_form_groups(&s->block, &s->groups);
}

float ct_search_traverse(struct ct_search *s)
{
    float threshold = ct_max_box_threshold(&s->block);
    ct_traverse(&s->block, &s->frontier, threshold);
    ct_search_record_block(&s->recorder, s->block.active_count);
    return threshold;
}

/* Scans all tiles, except the span, by query groups. */
static void scan_all_tiles(struct ct_search *s, struct ct_tile_span skip)
{
    int end = s->block.context.tree->tiles->count;
    s->recorder.stats.scans++;
    ct_schedule_count_scan(&s->schedule);
    struct ct_tile_span parts[] = {{0, skip.first}, {skip.end, end}};
    int products = ct_product_scan_begin(&s->block, &s->groups, &s->products);
    for (int part = 0; part < 2; part++)
        if (products)
            ct_product_scan_span(&s->block, &s->groups, &s->products, parts[part]);
        else
            ct_scan_span(&s->block, &s->groups, parts[part]);
    ct_search_end_phase(&s->recorder, CT_PHASE_SCAN);
}

/* Traverses the tree for the active queries and scans what remains, jointly or singly. */
static void search_active(struct ct_search *s, struct ct_tile_span skip)
{
    struct ct_query_block *block = &s->block;
    struct ct_frontier *frontier = &s->frontier;
    float threshold = ct_search_traverse(s);
    int joined =
        ct_schedule_considers_join(&s->schedule, block->active_count, frontier->duplicate_runs);
    if (joined) {
        ct_list_common_tiles(block, frontier, threshold);
        joined = ct_schedule_joins(&s->schedule, frontier->queue.count);
    }
    ct_search_end_phase(&s->recorder, CT_PHASE_DESCENT);
    if (joined)
        ct_scan_queue(block, &s->groups, &frontier->queue, skip);
    else if (!ct_packs_boxes(block->context.tree) || frontier->duplicate_runs > 0 ||
             block->context.box_factor < 1)
        ct_scan_nodes(block, frontier, threshold, skip);
    else
        ct_scan_singly(block, frontier, &s->single, skip);
    ct_search_end_phase(&s->recorder, CT_PHASE_SCAN);
}

/* Returns the distance beyond which the threshold of a query makes the query an outlier;
 * infinite where the caller fixed the block size. */
static double outlier_distance(const struct ct_search *s)
{
    const struct ct_query_block *block = &s->block;
    double sum = 0;
    for (int i = 0; i < block->count; i++)
        sum += sqrt(block->threshold[i].sq);
    return s->schedule.fixed_size || block->count < 3 ? INFINITY : OUTLYING * sum / block->count;
}

/* A query with an outlying threshold would widen the search of the whole block. So the
 * block is searched without its outliers, and then once for each outlier alone. Only the
 * search of the block informs the schedule. */
void ct_search_block(struct ct_search *s, struct ct_tile_span skip)
{
    struct ct_query_block *block = &s->block;
    ct_search_record_work(&s->recorder, &block->work);
    if (ct_schedule_scans(&s->schedule)) {
        scan_all_tiles(s, skip);
        return;
    }
    double most = outlier_distance(s);
    block->active_count = 0;
    for (int i = 0; i < block->count; i++)
        if (!(sqrt(block->threshold[i].sq) > most))
            block->active[block->active_count++] = i;
    if (block->active_count < block->count)
        ct_form_groups(block, &s->groups);
    search_active(s, skip);
    ct_schedule_learn(&s->schedule, &block->work, block->active_count);
    for (int i = 0; i < block->count; i++)
        if (sqrt(block->threshold[i].sq) > most) {
            block->active[0] = i;
            block->active_count = 1;
            search_active(s, skip);
        }
}
