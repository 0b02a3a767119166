/* tile_scan.c: teams of queries meet one tile after another.
 *
 * A tile that is loaded meets CT_GROUP queries at once: the shape of a matrix
 * product, at its speed. A block scans all tiles this way, or those that its way
 * down the tree left, nearer ones first, roughly.
 */
#include "core/search/block_search.h"

enum {
    IN_CACHE = 1 << 12, /* coordinates, by lanes, of the tiles that stay in cache */
    AT_FIRST = 8        /* tiles to meet before bars are lowered for the others */
};

void ct_search_form_teams(struct ct_search *s)
{
    int d = s->tree->d;
    s->teams = (s->actives + CT_GROUP - 1) / CT_GROUP;
    for (int i = 0; i < s->teams * CT_GROUP; i++) {
        struct ct_team *team = &s->team[i / CT_GROUP];
        int place = i % CT_GROUP, own = i < s->actives, who = s->active[own ? i : 0];
        for (int j = 0; j < d; j++)
            team->q[j * CT_GROUP + place] = s->placed[(size_t)who * d + j];
        team->member[place] = who;
        team->near[place] = own ? &s->near[who] : &s->nobody;
    }
}

static inline void meet(struct ct_search *s, const struct ct_team *team, int tile)
{
    const struct ct_tree *t = s->tree;
    int pos = t->tiles->begin[tile];
    const float *x = t->tiles->x + (size_t)tile * t->d * CT_LANES;
    unsigned full = s->kernels->scan_tile_group(x, t->d, team->q, t->row + pos, pos, team->near);
    for (; full; full &= full - 1)
        s->full(s, team->member[__builtin_ctz(full)]);
}

/* So many tiles at a time as stay in cache while all teams meet them. */
void ct_search_scan(struct ct_search *s, struct ct_span span)
{
    int step = IN_CACHE / s->tree->d + 1;
    for (int from = span.first; from < span.last; from += step) {
        int to = span.last - from < step ? span.last : from + step;
        for (int team = 0; team < s->teams; team++)
            for (int tile = from; tile < to; tile++)
                meet(s, &s->team[team], tile);
    }
    s->tally.tiles += (long long)(span.last - span.first) * s->queries;
}

void ct_search_queue(struct ct_search *s, struct ct_span evaluated)
{
    float limit = ct_search_limit(s);
    for (int p = 0; p < s->queue.count; p++) {
        int tile = s->queue.number[p];
        if (p == AT_FIRST && s->queue.count >= 3 * AT_FIRST) {
            for (int a = 0; a < s->actives; a++)
                s->full(s, s->active[a]);
            limit = ct_search_limit(s);
        }
        if (s->queue.sq[p] > limit || (tile >= evaluated.first && tile < evaluated.last))
            continue;
        s->tally.tiles += s->actives;
        for (int team = 0; team < s->teams; team++)
            meet(s, &s->team[team], tile);
    }
}
