/* threshold.c: see threshold.h.
 *
 * Candidates are known by their float32 squares. A bisection finds a square that at least
 * k of them are within, and not many more; the largest distance that such a square allows
 * is the new threshold. Exact distances and rows decide only where float32 leaves too many
 * candidates, because their distances are equal or nearly so.
 */
#include "core/search/threshold.h"
#include "core/metric/euclidean.h"

#include <float.h>
#include <math.h>

/* Keeps the k candidates with the smallest (exact distance, row), and the ones that share
 * the distance of the k-th and have no larger row. The distances are computed twice: the
 * selection permutes them, and the buffer must be matched in its own order. */
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

/* At distance 0 a threshold with a row excludes all further duplicates: the selection is
 * exact there, and where the bisection left the buffer more than half full. */
void ct_tighten_threshold(struct ct_query_block *block, int i)
{
    const struct ct_search_context *context = &block->context;
    struct ct_candidates *candidates = &block->candidates[i];
    int k = context->k;
    if (candidates->count < k)
        return;
    float sq = context->kernels->find_threshold(candidates, k, k + k / 8 + 1);
    double distance = ct_f32_distance_bound(context->tree->tiles, block->reach[i], sq);
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
    ct_exact_distances(block, i);
    sink->add(sink->data, i, block->exact_row, block->exact_sq, block->candidates[i].count);
    block->candidates[i].count = 0;
}

/* A computed distance may exceed the exact one by the rounding of d terms, and by the
 * squares that underflow: the bound adds a margin for each. */
void ct_inherit_threshold(struct ct_query_block *block, int i, double kth, const double *p,
                          int p_row)
{
    int d = block->context.tree->d;
    if (p_row > block->max_row[i] || block->context.box_factor < 1)
        return;
    double moved = sqrt(ct_sqdist(p, 1, block->q + (size_t)i * d, 1, d));
    double bound = (kth + moved) * (1 + (d + 8) * DBL_EPSILON) + d * sqrt(DBL_MIN);
    if (ct_sq_threshold(bound) < block->threshold[i].sq)
        ct_set_threshold(block, i, (struct ct_neighbor){ct_sq_threshold(bound), INT_MAX});
}
