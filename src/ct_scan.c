/* ct_scan.c: teams of queries meet one tile after another.
 *
 * A tile that is loaded meets CT_TEAM queries at once, and so many tiles as stay
 * in cache meet all teams of the block before the next ones do: the shape of a
 * matrix product, at its speed.
 */
#include "ct_meet.h"

enum { IN_CACHE = 1 << 12 }; /* coordinates, by lanes, of the tiles that stay in cache */

static void form_team(struct ct_search *s, int first, float *limit)
{
    int d = s->tree->d;
    for (int i = 0; i < CT_TEAM; i++) {
        int own = first + i < s->queries;
        const float *q = s->placed + (size_t)(own ? first + i : first) * d;
        for (int j = 0; j < d; j++)
            s->team[(size_t)j * CT_TEAM + i] = q[j];
        limit[i] = own ? s->limit[first + i] : -1;
    }
}

static void scan_team(struct ct_search *s, int team, struct ct_span span)
{
    const struct ct_tree *t = s->tree;
    size_t size = (size_t)t->d * CT_LANES;
    float limit[CT_TEAM];
    unsigned within[CT_TEAM];
    form_team(s, team, limit);
    for (int tile = span.first; tile < span.last; tile++) {
        s->kernels->tile_within_team(t->tiles->x + tile * size, t->d, s->team, limit, within);
        for (int i = 0; i < CT_TEAM; i++)
            if (within[i]) {
                ct_meet_lanes(s, team + i, tile, within[i]);
                limit[i] = s->limit[team + i];
            }
    }
}

/* So many tiles at a time as stay in cache while all teams meet them. */
void ct_search_scan(struct ct_search *s, struct ct_span span)
{
    int step = IN_CACHE / s->tree->d + 1;
    for (int tile = span.first; tile < span.last; tile += step) {
        struct ct_span now = {tile, span.last - tile < step ? span.last : tile + step};
        for (int team = 0; team < s->queries; team += CT_TEAM)
            scan_team(s, team, now);
    }
    s->tally.tiles += (long long)(span.last - span.first) * s->queries;
}
