/* filtered_seed.c: see filtered_seed.h.
 *
 * Where the points around a block are not eligible, such as the points of its group, the seed grows
 * along the curve until every query has k eligible candidates. Queries that inherit a threshold
 * need no candidates.
 */
#include "core/search/filtered_seed.h"
#include "core/search/threshold.h"

#include <math.h>

enum {
    SEED_SPARE = 16,   /* points beyond k in a seed, for a lower first threshold */
    WINDOW_SPARE = 256 /* at most this number more, in place of points in the window */
};

/* Whether query i has neither a threshold nor as many eligible candidates as it can have. */
static int needs_candidates(struct ct_query_block *block, int i)
{
    const struct ct_search_context *context = &block->context;
    int k = context->k, missing = k - block->candidates[i].count;
    if (block->threshold[i].sq < INFINITY)
        return 0;
    if (missing <= 0) {
        ct_drop_ineligible(block, i);
        missing = k - block->candidates[i].count;
    }
    return missing > 0 && block->candidates[i].count <
                              ct_count_eligible(context->filter, context->tree, &block->limits[i]);
}

static int lacks_candidates(struct ct_query_block *block)
{
    for (int i = 0; i < block->count; i++)
        if (needs_candidates(block, i))
            return 1;
    return 0;
}

/* Points of the first seed, some of which lie in the windows of the queries. */
static int seed_points(const struct ct_search_context *context)
{
    int n = context->tree->n, window = context->filter->limits->window;
    int spare = window < 0 ? 0 : window < WINDOW_SPARE / 2 ? 2 * window + 1 : WINDOW_SPARE;
    return context->k < n - SEED_SPARE - spare ? context->k + SEED_SPARE + spare : n;
}

struct ct_tile_span ct_seed_filtered(struct ct_search *s, const struct ct_last_query *last)
{
    struct ct_query_block *block = &s->block;
    int d = block->context.tree->d;
    struct ct_tile_span seed = ct_seed_tiles(block, block->count / 2, seed_points(&block->context));
    for (int i = 0; i < block->count; i++)
        if (ct_limits_are_nested(&last->limits, &block->limits[i]))
            ct_inherit_threshold(block, i, last->distance, last->q, 0);
    ct_scan_span(block, &s->groups, seed);
    seed = ct_widen_span(block, &s->groups, seed, lacks_candidates);
    for (int i = 0; i < block->count; i++) {
        if (i > 0 && ct_is_tightened(block, i - 1) &&
            ct_limits_are_nested(&block->limits[i - 1], &block->limits[i]))
            ct_inherit_threshold(block, i, sqrt(block->threshold[i - 1].sq),
                                 block->q + (size_t)(i - 1) * d, 0);
        ct_tighten_threshold(block, i);
    }
    return seed;
}
