/* ct_search.c: see ct_search.h. */
#include "ct_search.h"
#include "ct_blocks.h"
#include "ct_meet.h"

#include <math.h>
#include <string.h>

enum { STRAGGLER = 2 }; /* times the mean bar of a block is too far */

static struct ct_list new_list(const struct ct_host *host, int room)
{
    return (struct ct_list){.number = host->alloc((size_t)room, sizeof(int)),
                            .sq = host->alloc((size_t)room, sizeof(float))};
}

void ct_search_init(const struct ct_host *host, const struct ct_batch *batch, struct ct_search *s)
{
    const struct ct_tree *t = batch->tree;
    size_t d = (size_t)t->d;
    memset(s, 0, sizeof *s);
    s->tree = t;
    s->kernels = batch->kernels;
    s->timed = batch->tally != NULL;
    s->since = s->timed ? ct_seconds() : 0;
    s->mode = batch->mode;
    s->q = host->alloc(CT_BLOCK * d, sizeof(double));
    s->placed = host->alloc(CT_BLOCK * d, sizeof(float));
    s->lower = host->alloc(d, sizeof(double));
    s->upper = host->alloc(d, sizeof(double));
    s->placed_lower = host->alloc(d, sizeof(float));
    s->placed_upper = host->alloc(d, sizeof(float));
    s->near.stride = CT_CHUNK + CT_LANES;
    s->near.lower = host->alloc(d * s->near.stride, sizeof(float));
    s->near.upper = host->alloc(d * s->near.stride, sizeof(float));
    s->level = new_list(host, t->nodes);
    s->next_level = new_list(host, t->nodes);
    s->candidates = new_list(host, t->nodes);
    s->sorted = new_list(host, t->nodes);
    s->picked = new_list(host, CT_CHUNK);
    s->ordered = new_list(host, CT_CHUNK);
    s->met = new_list(host, t->tiles->count);
    s->team = host->alloc(d * CT_TEAM, sizeof(float));
    s->fixed = batch->block > 0;
    s->block = s->fixed ? batch->block : 16;
    s->patience = 8;
}

void ct_search_clock(struct ct_search *s, enum ct_phase phase)
{
    if (!s->timed)
        return;
    double now = ct_seconds();
    s->tally.seconds[phase] += now - s->since;
    s->since = now;
}

void ct_tally_add(struct ct_tally *tally, const struct ct_tally *more)
{
    for (int i = 0; i < 7; i++)
        tally->blocks[i] += more->blocks[i];
    tally->scans += more->scans;
    tally->nodes += more->nodes;
    tally->candidates += more->candidates;
    tally->cached += more->cached;
    tally->boxes += more->boxes;
    tally->tiles += more->tiles;
    tally->distances += more->distances;
    for (int phase = 0; phase < CT_PHASES; phase++)
        tally->seconds[phase] += more->seconds[phase];
}

int ct_search_next(const struct ct_search *s, int most, int left)
{
    int scan = s->mode == CT_SEARCH_SCAN || s->scanning > 0;
    int wanted = scan && !s->fixed ? CT_BLOCK : s->block;
    wanted = wanted < most ? wanted : most;
    return wanted < left ? wanted : left;
}

/* ---- the block ------------------------------------------------------------ */

void ct_search_set_bar(struct ct_search *s, int i, struct ct_found bar)
{
    double distance = sqrt(bar.sq);
    s->bar[i] = bar;
    s->sq_limit[i] = ct_sq_limit(distance);
    s->limit[i] = ct_tiles_limit(s->tree->tiles, s->reach[i], distance);
}

void ct_search_load(struct ct_search *s, const struct ct_batch *batch, int begin, int queries,
                    int *to)
{
    const struct ct_tree *t = s->tree;
    int d = t->d, own = batch->query == NULL;
    const double *from = own ? t->points : batch->query;
    size_t ld = (size_t)(own ? t->n : batch->m);
    s->queries = queries;
    for (int i = 0; i < queries; i++) {
        int at = batch->order ? batch->order[begin + i] : begin + i;
        double *q = s->q + (size_t)i * d;
        for (int j = 0; j < d; j++)
            q[j] = from[at + j * ld];
        to[i] = own ? t->row[at] - 1 : at;
        s->self[i] = own ? t->row[at] : 0;
        s->reach[i] = ct_tiles_place(t->tiles, d, q, s->placed + (size_t)i * d);
        ct_search_set_bar(s, i, (struct ct_found){INFINITY, INT_MAX});
    }
}

/* ---- meeting points ------------------------------------------------------- */

void ct_search_meet(struct ct_search *s, int i, struct ct_span span)
{
    const int *begin = s->tree->tiles->begin;
    for (int tile = span.first; tile < span.last; tile++)
        ct_meet_points(s, i, begin[tile], begin[tile + 1] - begin[tile]);
}

/* ---- the seed -------------------------------------------------------------- */

static int nearest_child(const struct ct_tree *t, int node, const double *q)
{
    int nearest = -1;
    double least = INFINITY;
    for (int c = ct_child(t, node); c >= 0; c = t->next_sibling[c] - 1) {
        double sq = ct_sqdist(t->points + t->hub[c] - 1, (size_t)t->n, q, 1, t->d);
        if (nearest < 0 || sq < least) {
            nearest = c;
            least = sq;
        }
    }
    return nearest;
}

/* Among coinciding points the way leads to the smallest rows, and the run grows
 * towards larger ones, so that the bar it sets excludes all other duplicates. */
struct ct_span ct_search_seed(const struct ct_search *s, int i, int points)
{
    const struct ct_tree *t = s->tree;
    const struct ct_tiles *tiles = t->tiles;
    int node = 0;
    while (t->first_child[node] > 0)
        node = nearest_child(t, node, s->q + (size_t)i * t->d);
    struct ct_span span = {tiles->first[node], tiles->last[node]};
    if (span.last - span.first > points / CT_LANES + 2)
        span.last = span.first + points / CT_LANES + 2;
    while (tiles->begin[span.last] - tiles->begin[span.first] < points) {
        if (span.last < tiles->count)
            span.last++;
        else if (span.first > 0)
            span.first--;
        else
            break;
    }
    return span;
}

/* ---- the next block ---------------------------------------------------------- */

/* Costs in cycles, about, for vectors of CT_LANES floats: a vector of boxes takes
 * five operations a coordinate and some to find out which passed, a tile two
 * and, met alone, the way to it. */
static void adapt(struct ct_search *s, const struct ct_tally *before)
{
    double d = s->tree->d, a_vector = 5 * d + 10, queries = s->actives;
    double nodes = (double)(s->tally.nodes - before->nodes);
    double candidates = (double)(s->tally.candidates - before->candidates);
    double boxes = (double)(s->tally.boxes - before->boxes);
    double tiles = (double)(s->tally.tiles - before->tiles);
    double descent = a_vector * nodes / CT_LANES + (3 * d + 10) * candidates + 300;
    double pick = queries * a_vector * candidates / CT_LANES;
    double meet = a_vector * boxes / CT_LANES + (2 * d + 20) * tiles;
    double scan = 1.3 * d * s->tree->tiles->count;
    if (s->mode == CT_SEARCH_AUTO && descent + pick + meet > scan * queries) {
        s->scanning = s->patience;
        s->patience = s->patience < 256 ? 2 * s->patience : 256;
        return;
    }
    s->patience = 8;
    if (s->fixed)
        return;
    if (descent > 2 * pick && s->block < CT_BLOCK)
        s->block *= 2;
    else if (2 * descent < pick && s->block > 1)
        s->block /= 2;
}

/* A query whose bar is far beyond the others' would drag the whole block through
 * what only it needs: it leaves the block, and goes on its own. */
static double straggling(const struct ct_search *s)
{
    double sum = 0;
    for (int i = 0; i < s->queries; i++)
        sum += sqrt(s->bar[i].sq);
    return s->fixed || s->queries < 3 ? INFINITY : STRAGGLER * sum / s->queries;
}

void ct_search_block(struct ct_search *s, struct ct_span met)
{
    if (s->mode == CT_SEARCH_SCAN || s->scanning > 0) {
        s->tally.scans++;
        s->scanning -= s->scanning > 0;
        ct_search_scan(s, (struct ct_span){0, met.first});
        ct_search_scan(s, (struct ct_span){met.last, s->tree->tiles->count});
        ct_search_clock(s, CT_PHASE_MEETING);
        return;
    }
    double most = straggling(s);
    s->actives = 0;
    for (int i = 0; i < s->queries; i++)
        if (!(sqrt(s->bar[i].sq) > most))
            s->active[s->actives++] = i;
    struct ct_tally before = s->tally;
    ct_search_descend(s, met);
    adapt(s, &before);
    for (int i = 0; i < s->queries; i++)
        if (sqrt(s->bar[i].sq) > most) {
            s->active[0] = i;
            s->actives = 1;
            ct_search_descend(s, met);
        }
}
