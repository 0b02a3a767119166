/* threshold.c: see threshold.h.
 *
 * A bisection finds a float32 square within which at least k candidates lie, and few more.
 * The largest exact distance of a point with such a square, by the error bound of
 * tree/tiles.h and the bound of the metric, is the new threshold: k points lie within it. Exact
 * distances and rows decide only if the bisection leaves too many candidates, with distances equal
 * or nearly equal.
 *
 * The bisection stops at k + k / 8 + 1 candidates: an exact k-th distance would cost more
 * than the further candidates it excludes.
 */
#include "core/search/threshold.h"
#include "core/metric/euclidean.h"

#include <float.h>
#include <math.h>

/* Keeps exactly the k candidates with the smallest (exact distance, row), and sets the
 * threshold to the last of them. Distances are computed twice, because the selection
 * permutes them and the buffer is compacted in the original order. */
static void select_exactly(struct ct_query_block *block, int i)
{
    struct ct_candidates *candidates = &block->candidates[i];
    const double *sq = block->exact_sq;
    ct_exact_distances(block, i);
    struct ct_neighbor kth =
        ct_select_kth(block->exact_sq, block->exact_row, candidates->count, block->context.k);
    double distance = sqrt(kth.sq);
    int kept = 0;
    ct_exact_distances(block, i);
    for (int c = 0; c < candidates->count; c++) {
        double candidate = sqrt(sq[c]);
        candidates->sq[kept] = candidates->sq[c];
        candidates->pos[kept] = candidates->pos[c];
        kept += candidate < distance || (candidate == distance && block->exact_row[c] <= kth.row);
    }
    candidates->count = kept;
    struct ct_neighbor old = block->threshold[i];
    if (kth.sq < old.sq || (kth.sq == old.sq && kth.row < old.row))
        ct_set_threshold(block, i, kth);
}

/* The selection is exact if the bisection leaves the buffer more than half full, and at
 * distance 0, where a threshold with a row excludes all further duplicates. */
void ct_tighten_threshold(struct ct_query_block *block, int i)
{
    const struct ct_search_context *context = &block->context;
    struct ct_candidates *candidates = &block->candidates[i];
    int k = context->k;
    ct_drop_ineligible(block, i);
    if (candidates->count < k)
        return;
    float sq = context->kernels->find_threshold(candidates, k, k + k / 8 + 1);
    double norm = ct_f32_distance_bound(context->tree->tiles, context->metric.norm, block->reach[i],
                                        sq + block->sq_error[i]);
    double distance = ct_distance_bound(&context->metric, context->tree->d, norm);
    struct ct_neighbor threshold = {ct_sq_threshold(distance), INT_MAX};
    if (threshold.sq < block->threshold[i].sq)
        ct_set_threshold(block, i, threshold);
    context->kernels->compact(candidates, candidates->threshold);
    if ((sq == 0 && block->threshold[i].sq > 0) ||
        candidates->count >= candidates->capacity / 2 + k / 2)
        select_exactly(block, i);
}

void ct_flush_candidates(struct ct_query_block *block, int i)
{
    const struct ct_candidate_sink *sink = &block->context.sink;
    if (block->context.k > 0) {
        ct_tighten_threshold(block, i);
        return;
    }
    ct_drop_ineligible(block, i);
    ct_exact_distances(block, i);
    sink->add(sink->data, i, block->exact_row, block->exact_sq, block->candidates[i].count);
    block->candidates[i].count = 0;
}

int ct_finish_query(struct ct_query_block *block, int i)
{
    int k = block->context.k;
    ct_tighten_threshold(block, i);
    ct_exact_distances(block, i);
    ct_sort_neighbors(block->exact_sq, block->exact_row, block->candidates[i].count,
                      block->context.kernels);
    int count = block->candidates[i].count < k ? block->candidates[i].count : k;
    while (count > 0 && block->exact_sq[count - 1] > block->max_distance[i])
        count--;
    return count;
}

/* The norm obeys the triangle inequality, which some metrics do not. Computed norms obey it up to
 * rounding: the bound adds a relative margin for the rounding of d terms, and an absolute margin
 * for squares that underflow. */
void ct_inherit_threshold(struct ct_query_block *block, int i, double kth, const double *p,
                          int p_row)
{
    const struct ct_metric *metric = &block->context.metric;
    int d = block->context.tree->d;
    if (p_row > block->max_row[i] || block->context.box_factor < 1)
        return;
    double moved = sqrt(ct_norm_sq(metric->norm, p, 1, block->q + (size_t)i * d, 1, d));
    double norm =
        (ct_norm_bound(metric, d, kth) + moved) * (1 + (d + 8) * DBL_EPSILON) + d * sqrt(DBL_MIN);
    double bound = ct_sq_threshold(ct_distance_bound(metric, d, norm));
    if (bound < block->threshold[i].sq)
        ct_set_threshold(block, i, (struct ct_neighbor){bound, INT_MAX});
}
