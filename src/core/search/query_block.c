/* query_block.c: see query_block.h.
 *
 * Loading is the only place where queries change units: tree/tiles.h maps coordinates to
 * float32 tile units, and ct_set_threshold() maps a distance by the metric to the float32 squares
 * of its norm, with margins that cover the rounding of all steps.
 */
#include "core/search/query_block.h"
#include "core/metric/euclidean.h"

#include <math.h>
#include <string.h>

struct ct_candidates ct_candidates_new(const struct ct_host *host, int capacity)
{
    size_t size = (size_t)capacity + CT_CANDIDATE_PAD;
    return (struct ct_candidates){.sq = host->alloc(size, sizeof(float)),
                                  .pos = host->alloc(size, sizeof(int)),
                                  .capacity = capacity};
}

void ct_query_block_init(const struct ct_host *host, const struct ct_search_context *context,
                         int queries, int capacity, struct ct_query_block *block)
{
    size_t d = (size_t)context->tree->d, size = (size_t)capacity + CT_LANES;
    memset(block, 0, sizeof *block);
    block->context = *context;
    block->q = host->alloc(CT_BLOCK * d, sizeof *block->q);
    block->q_f32 = host->alloc(CT_BLOCK * d, sizeof *block->q_f32);
    block->exact_sq = host->alloc(size + CT_SELECT_PAD, sizeof *block->exact_sq);
    block->exact_row = host->alloc(size, sizeof *block->exact_row);
    for (int i = 0; i < queries; i++)
        block->candidates[i] = ct_candidates_new(host, capacity);
}

int ct_result_line(const struct ct_batch *batch, int place)
{
    int at = batch->order ? batch->order[place] : place;
    int line = batch->query ? at : batch->tree->row[at] - 1;
    return batch->slot ? batch->slot[line] : line;
}

/* The start of the query of one line. `row`: the row of an own point, or 0. */
static struct ct_query_start start_of(const struct ct_batch *batch, int line, int row,
                                      double max_distance)
{
    if (batch->start)
        return batch->start[line];
    return (struct ct_query_start){{ct_sq_threshold(max_distance), INT_MAX},
                                   batch->with_self ? 0 : row,
                                   batch->predecessors ? row - 1 : INT_MAX};
}

/* Sets what query i excludes by the filter. row: the row of an own point, or 0. */
static void load_limits(struct ct_query_block *block, int i, int row)
{
    const struct ct_row_filter *filter = block->context.filter;
    block->limits[i] = ct_limits_of_query(filter, block->line[i], row);
    if (!filter->key_is_row)
        block->candidates[i].skip_row = filter->limits->rank ? 0 : block->limits[i].group;
}

void ct_query_block_load(struct ct_query_block *block, const struct ct_batch *batch, int begin,
                         int count)
{
    const struct ct_tree *t = block->context.tree;
    int d = t->d, own = batch->query == NULL;
    const double *from = own ? t->points : batch->query;
    size_t ld = (size_t)(own ? t->n : batch->ld_query > 0 ? batch->ld_query : batch->count);
    block->count = block->active_count = count;
    for (int i = 0; i < count; i++) {
        int at = batch->order ? batch->order[begin + i] : begin + i;
        double *q = block->q + (size_t)i * d;
        for (int j = 0; j < d; j++)
            q[j] = from[at + j * ld];
        block->line[i] = ct_result_line(batch, begin + i);
        block->active[i] = i;
        block->reach[i] = ct_tiles_q_f32(t->tiles, d, q, block->q_f32 + (size_t)i * d);
        block->candidates[i].count = 0;
        block->sq_error[i] = 0;
        block->max_distance[i] =
            batch->max_distance ? batch->max_distance[block->line[i]] : INFINITY;
        struct ct_query_start start =
            start_of(batch, block->line[i], own ? t->row[at] : 0, block->max_distance[i]);
        block->candidates[i].skip_row = start.skip_row;
        block->max_row[i] = start.max_row;
        if (block->context.filter)
            load_limits(block, i, own ? t->row[at] : 0);
        ct_set_threshold(block, i, start.threshold);
    }
}

/* With a threshold at distance 0 all candidates are duplicates, and rows alone decide: then
 * the scan itself excludes rows beyond the threshold. */
void ct_set_threshold(struct ct_query_block *block, int i, struct ct_neighbor threshold)
{
    const struct ct_tiles *tiles = block->context.tree->tiles;
    const struct ct_metric *metric = &block->context.metric;
    double distance = sqrt(threshold.sq), factor = block->context.box_factor;
    int max_row = block->max_row[i], d = block->context.tree->d;
    struct ct_candidates *candidates = &block->candidates[i];
    block->threshold[i] = threshold;
    candidates->threshold =
        ct_f32_threshold(tiles, metric->norm, block->reach[i], ct_norm_bound(metric, d, distance));
    block->box_threshold[i] = candidates->threshold;
    if (factor < 1)
        block->box_threshold[i] = ct_f32_threshold(tiles, metric->norm, block->reach[i],
                                                   ct_norm_bound(metric, d, factor * distance));
    candidates->threshold += block->sq_error[i];
    candidates->max_row = threshold.sq > 0 || threshold.row > max_row ? max_row : threshold.row;
    if (block->context.filter && !block->context.filter->key_is_row)
        candidates->max_row = block->limits[i].max_rank;
}

float ct_max_box_threshold(const struct ct_query_block *block)
{
    float most = 0;
    for (int a = 0; a < block->active_count; a++) {
        float threshold = block->box_threshold[block->active[a]];
        most = threshold > most ? threshold : most;
    }
    return most;
}

/* Drops the candidates of query i whose rows are removed. */
static void drop_removed(struct ct_query_block *block, int i)
{
    const unsigned char *removed = block->context.removed;
    const int *row = block->context.tree->row;
    struct ct_candidates *candidates = &block->candidates[i];
    int kept = 0;
    for (int c = 0; removed && c < candidates->count; c++) {
        int pos = candidates->pos[c];
        candidates->pos[kept] = pos;
        candidates->sq[kept] = candidates->sq[c];
        kept += !removed[row[pos] - 1];
    }
    candidates->count = removed ? kept : candidates->count;
}

/* Drops the candidates of query i that the filter excludes by more than their keys. */
static void drop_filtered(struct ct_query_block *block, int i)
{
    const struct ct_row_filter *filter = block->context.filter;
    const int *row = block->context.tree->row;
    struct ct_candidates *candidates = &block->candidates[i];
    int kept = 0;
    for (int c = 0; c < candidates->count; c++) {
        int pos = candidates->pos[c];
        candidates->pos[kept] = pos;
        candidates->sq[kept] = candidates->sq[c];
        kept += ct_second_limits_permit(filter, &block->limits[i], row[pos]);
    }
    candidates->count = kept;
}

void ct_drop_ineligible(struct ct_query_block *block, int i)
{
    drop_removed(block, i);
    if (block->context.filter && block->context.filter->has_second)
        drop_filtered(block, i);
}

/* Computes the distances and rows of ct_exact_distances() by a metric other than Euclidean
 * distance. */
static void other_distances(struct ct_query_block *block, const struct ct_candidates *candidates,
                            const double *q)
{
    const struct ct_tree *t = block->context.tree;
    for (int c = 0; c < candidates->count; c++) {
        const double *x = t->points + candidates->pos[c];
        block->exact_sq[c] = ct_metric_sq(&block->context.metric, x, (size_t)t->n, q, 1, t->d);
        block->exact_row[c] = t->row[candidates->pos[c]];
    }
}

void ct_exact_distances(struct ct_query_block *block, int i)
{
    const struct ct_tree *t = block->context.tree;
    const struct ct_metric *metric = &block->context.metric;
    const double *q = block->q + (size_t)i * t->d;
    const int *pos = block->candidates[i].pos;
    int count = block->candidates[i].count;
    block->work.distances += count;
    if (metric->measure != CT_NORM || metric->norm != CT_EUCLIDEAN) {
        other_distances(block, &block->candidates[i], q);
        return;
    }
    for (int c = 0; c < count; c++) {
        block->exact_sq[c] = ct_sqdist(t->points + pos[c], (size_t)t->n, q, 1, t->d);
        block->exact_row[c] = t->row[pos[c]];
    }
}
