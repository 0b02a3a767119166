/* budgeted.c: a query meets only as many points as its budget allows.
 *
 * A plain budget goes to the points beside the query on the curve, where the seed
 * was: on both sides, tile by tile. That misses neighbours across a fold of the curve,
 * whose branch is never looked at, however large the budget. A diverse one goes to
 * the tiles nearest in space, on whatever branch, after the seed.
 */
#include "core/search/block_search.h"

/* Returns how many of the points that were new to query i were of use. */
static int meet_tile(struct ct_search *s, int i, int tile)
{
    int before = s->near[i].count;
    ct_search_meet(s, i, tile);
    int useful = s->near[i].count - before;
    if (useful > 0)
        s->full(s, i);
    return useful;
}

/* Whether to go on, after one more tile. */
static int climb_on(struct ct_search *s, int i, int tile, struct ct_budget_state *climb)
{
    const int *begin = s->tree->tiles->begin;
    int points = begin[tile + 1] - begin[tile];
    if (ct_budget_spend(s->budget, climb, points, meet_tile(s, i, tile)))
        return 1;
    if (!ct_budget_escalate(s->budget, climb))
        return 0;
    *climb = ct_budget_begin(climb->step + 1, climb->evaluated);
    return 1;
}

static void go_along(struct ct_search *s, int i, struct ct_span evaluated,
                     struct ct_budget_state *climb)
{
    int going = 1;
    while (going && (evaluated.first > 0 || evaluated.last < s->tree->tiles->count)) {
        if (evaluated.last < s->tree->tiles->count)
            going = climb_on(s, i, evaluated.last++, climb);
        if (going && evaluated.first > 0)
            going = climb_on(s, i, --evaluated.first, climb);
    }
}

static void go_across(struct ct_search *s, int i, struct ct_span evaluated,
                      struct ct_budget_state *climb)
{
    s->active[0] = i;
    s->actives = 1;
    ct_search_list(s);
    for (int p = 0; p < s->queue.count; p++) {
        int tile = s->queue.number[p];
        if (s->queue.sq[p] > s->box_limit[i] || (tile >= evaluated.first && tile < evaluated.last))
            continue;
        if (!climb_on(s, i, tile, climb))
            return;
    }
}

/* Tiles where the query lies, so many that it has evaluated k points that it wants, or all. */
static struct ct_span meet_seed(struct ct_search *s, int i, int k)
{
    int wanted = ct_search_reach(s, i, k), count = s->tree->tiles->count;
    struct ct_span span = ct_search_seed(s, i, wanted);
    for (int tile = span.first; tile < span.last; tile++)
        meet_tile(s, i, tile);
    while (s->near[i].count < wanted && (span.first > 0 || span.last < count)) {
        if (span.last < count)
            meet_tile(s, i, span.last++);
        if (span.first > 0)
            meet_tile(s, i, --span.first);
    }
    return span;
}

struct ct_budget_state ct_search_frugal(struct ct_search *s, int i, int k)
{
    const int *begin = s->tree->tiles->begin;
    struct ct_span evaluated = meet_seed(s, i, k);
    struct ct_budget_state climb =
        ct_budget_begin(0, begin[evaluated.last] - begin[evaluated.first]);
    if (climb.evaluated < s->budget->limit[0]) {
        if (s->budget->diverse)
            go_across(s, i, evaluated, &climb);
        else
            go_along(s, i, evaluated, &climb);
    }
    return climb;
}
