/* block_search.c: see block_search.h. */
#include "core/search/block_search.h"
#include "core/metric/euclidean.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum { STRAGGLER = 2 }; /* times the mean bar of a block is too far */

static struct ct_list new_list(const struct ct_host *host, int room)
{
    return (struct ct_list){.number = host->alloc((size_t)room, sizeof(int)),
                            .sq = host->alloc((size_t)room, sizeof(float))};
}

static struct ct_candidates new_near(const struct ct_host *host, int room)
{
    return (struct ct_candidates){.sq = host->alloc((size_t)room + CT_CANDIDATE_PAD, sizeof(float)),
                                  .pos = host->alloc((size_t)room + CT_CANDIDATE_PAD, sizeof(int)),
                                  .full = room};
}

void ct_search_init(const struct ct_host *host, const struct ct_batch *batch, int queries, int room,
                    struct ct_search *s)
{
    const struct ct_tree *t = batch->tree;
    size_t d = (size_t)t->d;
    memset(s, 0, sizeof *s);
    s->tree = t;
    s->kernels = batch->epsilon > 0 || batch->budget ? batch->kernels->unfused : batch->kernels;
    s->timed = batch->tally != NULL;
    s->since = s->timed ? ct_seconds() : 0;
    s->mode = batch->epsilon > 0 && batch->mode == CT_SEARCH_AUTO ? CT_SEARCH_TREE : batch->mode;
    s->budget = batch->budget;
    s->nearer = 1 / (1 + batch->epsilon);
    s->q = host->alloc(CT_BLOCK * d, sizeof(double));
    s->placed = host->alloc(CT_BLOCK * d, sizeof(float));
    s->lower = host->alloc(d, sizeof(double));
    s->upper = host->alloc(d, sizeof(double));
    s->placed_lower = host->alloc(d, sizeof(float));
    s->placed_upper = host->alloc(d, sizeof(float));
    s->chunk.stride = CT_AT_HAND + CT_LANES;
    s->chunk.lower = host->alloc(d * s->chunk.stride, sizeof(float));
    s->chunk.upper = host->alloc(d * s->chunk.stride, sizeof(float));
    s->level = new_list(host, t->nodes);
    s->next_level = new_list(host, t->nodes);
    s->candidates = new_list(host, t->nodes);
    s->sorted = new_list(host, t->nodes);
    s->picked = new_list(host, CT_AT_HAND);
    s->ordered = new_list(host, CT_AT_HAND);
    s->evaluated = new_list(host, t->tiles->count);
    s->common = new_list(host, t->tiles->count);
    s->queue = new_list(host, t->tiles->count);
    s->nobody = (struct ct_candidates){.full = 1, .limit = -1};
    for (int i = 0; i < queries; i++)
        s->near[i] = new_near(host, room);
    for (int i = 0; i < CT_BLOCK / CT_GROUP; i++)
        s->team[i].q = host->alloc(d * CT_GROUP, sizeof(float));
    s->fixed = batch->block > 0 || batch->epsilon > 0;
    s->block = batch->epsilon > 0 ? 1 : s->fixed ? batch->block : CT_LANES;
    s->since_trial = CT_TRIAL;
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

void ct_search_stats_add(struct ct_search_stats *tally, const struct ct_search_stats *more)
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
    tally->evaluated += more->evaluated;
    tally->useful += more->useful;
    tally->climbs += more->climbs;
    tally->stopped_early += more->stopped_early;
    for (int phase = 0; phase < CT_PHASES; phase++)
        tally->seconds[phase] += more->seconds[phase];
}

/* The tile that holds a position. */
static int tile_at(const struct ct_tiles *tiles, int pos)
{
    int low = 0, high = tiles->count;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (tiles->begin[middle] <= pos)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* How many of the tree's own points, from begin on, lie in the tiles that end within
 * `most` of them; at least those of one tile. */
static int whole_tiles(const struct ct_tiles *tiles, const int *order, int begin, int end, int most)
{
    int tile = tile_at(tiles, order ? order[begin] : begin), whole = 0;
    for (int at = begin; at < end;) {
        tile++;
        if (order)
            while (at < end && order[at] < tiles->begin[tile])
                at++;
        else
            at = tiles->begin[tile] < end ? tiles->begin[tile] : end;
        if (whole > 0 && at - begin > most)
            break;
        whole = at - begin;
    }
    return whole;
}

/* The tree's own points go by whole tiles, which are compact. */
int ct_search_next(const struct ct_search *s, const struct ct_batch *batch, int begin, int end,
                   int most)
{
    int scan = s->mode == CT_SEARCH_SCAN || s->scanning > 0;
    int wanted = scan && !s->fixed ? CT_BLOCK : s->block, left = end - begin;
    wanted = wanted < most ? wanted : most;
    if (!s->fixed && !batch->query) {
        int whole = whole_tiles(s->tree->tiles, batch->order, begin, end, wanted);
        wanted = whole < wanted ? whole : wanted;
    }
    return wanted < left ? wanted : left;
}

/* ---- the block ------------------------------------------------------------ */

void ct_search_set_bar(struct ct_search *s, int i, struct ct_neighbor bar)
{
    s->bar[i] = bar;
    s->near[i].limit = ct_f32_threshold(s->tree->tiles, s->reach[i], sqrt(bar.sq));
    s->box_limit[i] = s->nearer < 1
                          ? ct_f32_threshold(s->tree->tiles, s->reach[i], s->nearer * sqrt(bar.sq))
                          : s->near[i].limit;
    s->near[i].last = bar.sq > 0 || bar.row > s->latest[i] ? s->latest[i] : bar.row;
}

float ct_search_limit(const struct ct_search *s)
{
    float most = 0;
    for (int a = 0; a < s->actives; a++)
        most = s->box_limit[s->active[a]] > most ? s->box_limit[s->active[a]] : most;
    return most;
}

int ct_search_line(const struct ct_batch *batch, int place)
{
    int at = batch->order ? batch->order[place] : place;
    int line = batch->query ? at : batch->tree->row[at] - 1;
    return batch->slot ? batch->slot[line] : line;
}

void ct_search_load(struct ct_search *s, const struct ct_batch *batch, int begin, int queries,
                    int *to)
{
    const struct ct_tree *t = s->tree;
    int d = t->d, own = batch->query == NULL;
    const double *from = own ? t->points : batch->query;
    size_t ld = (size_t)(own ? t->n : batch->lines > 0 ? batch->lines : batch->m);
    s->queries = s->actives = queries;
    for (int i = 0; i < queries; i++) {
        int at = batch->order ? batch->order[begin + i] : begin + i;
        double *q = s->q + (size_t)i * d;
        for (int j = 0; j < d; j++)
            q[j] = from[at + j * ld];
        to[i] = ct_search_line(batch, begin + i);
        s->active[i] = i;
        s->reach[i] = ct_tiles_q_f32(t->tiles, d, q, s->placed + (size_t)i * d);
        s->near[i].count = 0;
        s->near[i].self = own ? t->row[at] : 0;
        s->latest[i] = batch->predecessor ? t->row[at] - 1 : INT_MAX;
        ct_search_set_bar(s, i, (struct ct_neighbor){INFINITY, INT_MAX});
    }
    ct_search_form_teams(s);
}

void ct_search_judge(struct ct_search *s, int i, double *sq, int *row)
{
    const struct ct_tree *t = s->tree;
    const double *q = s->q + (size_t)i * t->d;
    const int *pos = s->near[i].pos;
    for (int c = 0; c < s->near[i].count; c++) {
        sq[c] = ct_sqdist(t->points + pos[c], (size_t)t->n, q, 1, t->d);
        row[c] = t->row[pos[c]];
    }
    s->tally.distances += s->near[i].count;
}

/* ---- the seed -------------------------------------------------------------- */

static int nearest_child(const struct ct_tree *t, int node, const double *q)
{
    int nearest = -1;
    double least = INFINITY;
    for (int c = ct_first_child(t, node); c >= 0; c = t->next_sibling[c] - 1) {
        double sq = ct_sqdist(t->points + t->center[c] - 1, (size_t)t->n, q, 1, t->d);
        if (nearest < 0 || sq < least) {
            nearest = c;
            least = sq;
        }
    }
    return nearest;
}

/* Among coinciding points the way leads to the smallest rows, and the run grows
 * towards larger ones, so that the bar it sets excludes all other duplicates. Of a
 * larger leaf, the first tiles will do. */
struct ct_span ct_search_seed(const struct ct_search *s, int i, int points)
{
    const struct ct_tree *t = s->tree;
    const struct ct_tiles *tiles = t->tiles;
    int node = 0;
    while (t->first_child[node] > 0)
        node = nearest_child(t, node, s->q + (size_t)i * t->d);
    struct ct_span span = {tiles->first_tile[node], tiles->end_tile[node]};
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
 * and, evaluated alone, the way to it and a branch that nobody foresees. */
static void adapt(struct ct_search *s, const struct ct_search_stats *before)
{
    double d = s->tree->d, a_vector = 5 * d + 10, queries = s->actives;
    double nodes = (double)(s->tally.nodes - before->nodes);
    double candidates = (double)(s->tally.candidates - before->candidates);
    double boxes = (double)(s->tally.boxes - before->boxes);
    double tiles = (double)(s->tally.tiles - before->tiles);
    double descent = a_vector * nodes / CT_LANES + (3 * d + 10) * candidates + 300;
    double pick = s->teamed ? 0 : queries * a_vector * candidates / CT_LANES;
    double meet =
        a_vector * boxes / CT_LANES + tiles * (s->teamed ? ct_cost_in_team(d) : 2 * d + 80);
    double scan = fmax(ct_cost_in_team(d), 1.3 * d) * s->tree->tiles->count;
    if (s->mode == CT_SEARCH_AUTO && descent + pick + meet > scan * queries) {
        s->scanning = s->patience;
        s->patience = s->patience < 256 ? 2 * s->patience : 256;
        return;
    }
    s->patience = 8;
    if (!s->teamed)
        s->alone += ((pick + meet) / queries - s->alone) / (s->alone > 0 ? 4 : 1);
    if (s->fixed)
        return;
    if (s->favour > -CT_FAVOUR || s->since_trial == CT_TRIAL)
        s->block = CT_LANES;
    else if (descent > 2 * pick && s->block < CT_BLOCK)
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

void ct_search_block(struct ct_search *s, struct ct_span evaluated)
{
    if (s->mode == CT_SEARCH_SCAN || s->scanning > 0) {
        s->tally.scans++;
        s->scanning -= s->scanning > 0;
        ct_search_scan(s, (struct ct_span){0, evaluated.first});
        ct_search_scan(s, (struct ct_span){evaluated.last, s->tree->tiles->count});
        ct_search_clock(s, CT_PHASE_SCAN);
        return;
    }
    double most = straggling(s);
    s->actives = 0;
    for (int i = 0; i < s->queries; i++)
        if (!(sqrt(s->bar[i].sq) > most))
            s->active[s->actives++] = i;
    if (s->actives < s->queries)
        ct_search_form_teams(s);
    struct ct_search_stats before = s->tally;
    ct_search_descend(s, evaluated);
    adapt(s, &before);
    for (int i = 0; i < s->queries; i++)
        if (sqrt(s->bar[i].sq) > most) {
            s->active[0] = i;
            s->actives = 1;
            ct_search_descend(s, evaluated);
        }
}
