/* interval_topk.c: two ways to drop candidates; see interval_topk.h.
 *
 * By bounds alone, which is free: the k-th smallest upper bound is a threshold for lower bounds.
 * Wide or equal bounds can leave the buffer almost full; then all candidates are refined, once,
 * and dropped by value. Bounds that are equal mark a known value, so nothing is refined twice.
 */
#include "core/topk/interval_topk.h"
#include "core/metric/euclidean.h"

#include <limits.h>
#include <math.h>

enum {
    SPARE = 64,       /* free capacity that compaction leaves at least */
    REFINE_BATCH = 64 /* candidates of one call of refine() */
};

int ct_interval_topk_capacity(int k)
{
    return ct_select_capacity(k < INT_MAX - SPARE ? k + SPARE : k);
}

struct ct_interval_topk ct_interval_topk_make(const struct ct_host *host, int k)
{
    size_t capacity = (size_t)ct_interval_topk_capacity(k);
    return (struct ct_interval_topk){
        .lower = host->alloc(capacity, sizeof(double)),
        .upper = host->alloc(capacity, sizeof(double)),
        .pos = host->alloc(capacity, sizeof(int)),
        .k = k,
        .capacity = (int)capacity,
    };
}

struct ct_interval_scratch ct_interval_scratch_make(const struct ct_host *host, int k,
                                                    const struct ct_kernels *kernels)
{
    size_t capacity = (size_t)ct_interval_topk_capacity(k);
    return (struct ct_interval_scratch){
        .kernels = kernels,
        .nearest = {.sq = host->alloc(capacity + CT_SELECT_PAD, sizeof(double)),
                    .row = host->alloc(capacity, sizeof(int)),
                    .k = k},
    };
}

/* Copies the upper bounds to `nearest`, for selection: topk itself keeps pairs of bounds. */
static void load_upper_bounds(struct ct_topk *nearest, const struct ct_interval_topk *topk)
{
    nearest->count = topk->count;
    for (int i = 0; i < topk->count; i++) {
        nearest->sq[i] = topk->upper[i];
        nearest->row[i] = topk->pos[i] + 1;
    }
}

/* Drops candidates whose lower bound exceeds a threshold that at least k upper bounds do not
 * exceed; returns the threshold. ct_sq_threshold() raises it to the largest square with the same
 * root: squares with equal roots are equal distances, between which the row decides. */
static double drop_by_lower_bound(struct ct_interval_topk *topk,
                                  struct ct_interval_scratch *scratch)
{
    if (topk->count < topk->k)
        return INFINITY;
    load_upper_bounds(&scratch->nearest, topk);
    double threshold =
        ct_sq_threshold(sqrt(ct_topk_compact(&scratch->nearest, scratch->kernels).sq));
    int kept = 0;
    for (int i = 0; i < topk->count; i++) {
        double lower = topk->lower[i];
        topk->upper[kept] = topk->upper[i];
        topk->pos[kept] = topk->pos[i];
        topk->lower[kept] = lower;
        kept += lower <= threshold;
    }
    topk->count = kept;
    return threshold;
}

/* Replaces the bounds of every candidate by its exact value, in batches. */
static void refine_all(struct ct_interval_topk *topk, const struct ct_refinement *refinement)
{
    int index[REFINE_BATCH], pos[REFINE_BATCH];
    double sq[REFINE_BATCH];
    for (int i = 0; i < topk->count;) {
        int count = 0;
        for (; i < topk->count && count < REFINE_BATCH; i++)
            if (topk->lower[i] < topk->upper[i]) {
                index[count] = i;
                pos[count++] = topk->pos[i];
            }
        refinement->refine(refinement->context, refinement->query, pos, count, sq);
        for (int j = 0; j < count; j++)
            topk->lower[index[j]] = topk->upper[index[j]] = sq[j];
    }
}

/* Needs exact values for all candidates. Drops all but the k smallest by (distance, row), and at
 * most k / 8 + 1 more; returns the threshold. drop_by_lower_bound() would keep any number of
 * equal values. */
static double drop_by_value(struct ct_interval_topk *topk, struct ct_interval_scratch *scratch)
{
    struct ct_topk *nearest = &scratch->nearest;
    load_upper_bounds(nearest, topk);
    double threshold = ct_topk_compact(nearest, scratch->kernels).sq;
    for (int i = 0; i < nearest->count; i++) {
        topk->lower[i] = topk->upper[i] = nearest->sq[i];
        topk->pos[i] = nearest->row[i] - 1;
    }
    topk->count = nearest->count;
    return ct_sq_threshold(sqrt(threshold));
}

/* SPARE also bounds the cost: between two compactions at least SPARE candidates arrive. */
double ct_interval_topk_compact(struct ct_interval_topk *topk, struct ct_interval_scratch *scratch,
                                const struct ct_refinement *refinement)
{
    double threshold = drop_by_lower_bound(topk, scratch);
    if (topk->capacity - topk->count < SPARE) {
        refine_all(topk, refinement);
        threshold = drop_by_value(topk, scratch);
    }
    return threshold;
}

/* Bounds may drop candidates first, which saves their refinement. */
void ct_interval_topk_finish(struct ct_interval_topk *topk, struct ct_interval_scratch *scratch,
                             const struct ct_refinement *refinement)
{
    if (topk->count > topk->k)
        drop_by_lower_bound(topk, scratch);
    refine_all(topk, refinement);
    load_upper_bounds(&scratch->nearest, topk);
    ct_topk_finish(&scratch->nearest, scratch->kernels);
}
