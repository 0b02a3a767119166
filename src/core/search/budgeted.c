/* budgeted.c: see budgeted.h.
 *
 * A plain budget is spent along the curve: on the tiles beside the seed, alternating between
 * both sides. It costs no traversal, but misses neighbors across a fold of the curve: they
 * are on a branch of the tree that the search never visits, however large the budget. A
 * diverse budget is spent on the tiles nearest in space, on any branch, at the cost of one
 * traversal.
 *
 * Thresholds are tightened after every tile with a useful point, hence "useful" means among
 * the k nearest, up to the margin of float32 and of the bisection (threshold.h).
 */
#include "core/search/budgeted.h"
#include "core/search/threshold.h"

/* Scans a tile for query i. Returns how many of its points were useful. */
static int scan_useful(struct ct_query_block *block, int i, int tile)
{
    int before = block->candidates[i].count;
    ct_scan_tile(block, i, tile);
    int useful = block->candidates[i].count - before;
    if (useful > 0)
        ct_flush_candidates(block, i);
    return useful;
}

/* Scans a tile on the budget and escalates at the limit if the rule allows. Returns whether
 * the search continues. */
static int spend_on_tile(struct ct_query_block *block, const struct ct_budget *budget, int i,
                         int tile, struct ct_budget_state *state)
{
    const int *begin = block->context.tree->tiles->begin;
    int points = begin[tile + 1] - begin[tile];
    if (ct_budget_spend(budget, state, points, scan_useful(block, i, tile)))
        return 1;
    if (!ct_budget_escalates(budget, state))
        return 0;
    *state = ct_budget_begin(state->step + 1, state->evaluated);
    return 1;
}

/* Alternates between the tiles after and before the seed. */
static void spend_along_curve(struct ct_search *s, const struct ct_budget *budget, int i,
                              struct ct_tile_span seed, struct ct_budget_state *state)
{
    int count = s->block.context.tree->tiles->count, going = 1;
    while (going && (seed.first > 0 || seed.end < count)) {
        if (seed.end < count)
            going = spend_on_tile(&s->block, budget, i, seed.end++, state);
        if (going && seed.first > 0)
            going = spend_on_tile(&s->block, budget, i, --seed.first, state);
    }
}

/* Scans the tiles near the query by distance. The search ends without the budget where no
 * further tile lies within the threshold: the answer is then exact, up to
 * epsilon. */
static void spend_in_space(struct ct_search *s, const struct ct_budget *budget, int i,
                           struct ct_tile_span seed, struct ct_budget_state *state)
{
    const struct ct_box_list *queue = &s->frontier.queue;
    s->block.active[0] = i;
    s->block.active_count = 1;
    float threshold = ct_search_traverse(s);
    ct_list_common_tiles(&s->block, &s->frontier, threshold);
    for (int p = 0; p < queue->count; p++) {
        int tile = queue->number[p];
        if (queue->sq[p] > s->block.box_threshold[i] || ct_span_contains(seed, tile))
            continue;
        if (!spend_on_tile(&s->block, budget, i, tile, state))
            return;
    }
}

/* Scans the seed tiles of query i and further tiles beside them, until k eligible points
 * have been evaluated or all of them. Returns the tiles scanned. */
static struct ct_tile_span scan_seed(struct ct_query_block *block, int i)
{
    int wanted = ct_reachable_neighbors(block, i, block->context.k);
    int count = block->context.tree->tiles->count;
    struct ct_tile_span span = ct_seed_tiles(block, i, wanted);
    for (int tile = span.first; tile < span.end; tile++)
        scan_useful(block, i, tile);
    while (block->candidates[i].count < wanted && (span.first > 0 || span.end < count)) {
        if (span.end < count)
            scan_useful(block, i, span.end++);
        if (span.first > 0)
            scan_useful(block, i, --span.first);
    }
    return span;
}

struct ct_budget_state ct_search_budgeted(struct ct_search *s, const struct ct_budget *budget,
                                          int i)
{
    const int *begin = s->block.context.tree->tiles->begin;
    struct ct_tile_span seed = scan_seed(&s->block, i);
    struct ct_budget_state state = ct_budget_begin(0, begin[seed.end] - begin[seed.first]);
    if (state.evaluated < budget->limit[0]) {
        if (budget->diverse)
            spend_in_space(s, budget, i, seed, &state);
        else
            spend_along_curve(s, budget, i, seed, &state);
    }
    return state;
}
