/* filter.c: see filter.h. */
#include "core/residual_exact/filter.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { LINE = 64 }; /* bytes in a line of cache */

struct ct_filter ct_filter_make(const struct ct_host *host, const struct ct_exact_batch *batch,
                                int most)
{
    const struct ct_factors *points = &batch->residual->points, *others = batch->foreign;
    struct ct_filter sift = {
        .batch = batch,
        .frame = ct_transform_make(host, batch->residual),
        .from = others ? others : points,
        .most = most,
    };
    sift.point_size = ct_error_bound_extend(host, &sift.frame, points, batch->threads);
    sift.size =
        others ? ct_error_bound_extend(host, &sift.frame, others, batch->threads) : sift.point_size;
    return sift;
}

int ct_filter_query_pos(const struct ct_filter *sift, int query)
{
    return sift->batch->row ? sift->batch->row[query] - 1 : query;
}

static int pos_of(const struct ct_filter_block *block, int i)
{
    return ct_filter_query_pos(block->sift, block->query[i].id);
}

static void take_squares(void *data, int query, const int *pos, int count, double *sq)
{
    struct ct_filter_block *block = data;
    const struct ct_exact_batch *batch = block->sift->batch;
    ct_residual_sqdist(batch->dots, batch->residual, block->sift->from, pos_of(block, query), pos,
                       count, sq);
    block->tally.exact += count;
}

void ct_filter_block_init(const struct ct_host *host, const struct ct_filter *sift, int k,
                          struct ct_filter_block *block)
{
    const struct ct_residual_metric *residual = sift->batch->residual;
    size_t most = (size_t)sift->most, rest = (size_t)sift->frame.rest;
    *block = (struct ct_filter_block){
        .sift = sift,
        .arbiter = ct_interval_scratch_make(host, k),
        .contest = host->alloc(most, sizeof *block->contest),
        .bar = host->alloc(most, sizeof(double)),
        .level = host->alloc(most, sizeof(double)),
        .margin = host->alloc(most, sizeof(double)),
        .slack = host->alloc(most, sizeof(double)),
        .norm = host->alloc(most, sizeof(double)),
        .trifle = host->alloc(most, sizeof(double)),
        .within = host->alloc(most, sizeof(unsigned)),
        .team_v = ct_alloc_aligned(host, most * (residual->m - rest), sizeof(double)),
        .team_z = ct_alloc_aligned(host, most * residual->d, sizeof(double)),
        .rest = ct_alloc_aligned(host, most * rest, sizeof(double)),
        .room = host->alloc(ct_transform_scratch_size(&sift->frame), sizeof(double)),
        .sums = ct_alloc_aligned(host, most * CT_V_LANES, sizeof(double)),
    };
    block->arbiter.kernels = sift->batch->kernels;
    block->arbiter.square = take_squares;
    block->arbiter.data = block;
    for (int i = 0; i < sift->most && i < sift->batch->count; i++)
        block->contest[i] = ct_interval_topk_make(host, k);
}

/* What a correlation must reach, times the root of the query's variance. Below 0
 * nothing is out, be roots infinite. */
static void set_level(struct ct_filter_block *block, int i, const struct ct_filter_kernels *sieve)
{
    double least = 1 - block->bar[i] - 4 * DBL_EPSILON;
    double root = block->sift->size.root[pos_of(block, i)];
    block->level[i] = least > 0 ? least * root * (1 - 16 * sieve->roundoff) : -1;
}

/* The first query fills what is left of the last team. */
static void load_teams(struct ct_filter_block *block, const struct ct_filter_kernels *sieve)
{
    const struct ct_filter *sift = block->sift;
    const struct ct_residual_metric *residual = sift->batch->residual;
    size_t rest = (size_t)sift->frame.rest, lead = residual->m - rest, size = sieve->value_size;
    double trifle = ct_negligible_limit(&sift->frame, sieve);
    for (int team = 0; team < block->count; team += CT_GROUP) {
        int pos[CT_GROUP];
        struct ct_packed_group seats = {.apart = CT_GROUP,
                                        .z = block->team_z + team * residual->d * size,
                                        .v = block->team_v + team * lead * size,
                                        .rest = block->rest + team * rest * size};
        for (int i = 0; i < CT_GROUP; i++)
            pos[i] = pos_of(block, team + i < block->count ? team + i : 0);
        ct_pack_group(&sift->frame, sieve, sift->from, pos, block->room, &seats);
        for (int i = 0; i < CT_GROUP; i++) {
            block->level[team + i] = -1;
            block->margin[team + i] =
                ct_error_bound_margin(&sift->frame, sieve, sift->size.norm[pos[i]]);
            block->slack[team + i] = seats.slack[i];
            block->norm[team + i] = sift->size.norm[pos[i]];
            block->trifle[team + i] = trifle * sift->size.root[pos[i]];
        }
    }
    for (int i = 0; i < block->count; i++)
        set_level(block, i, sieve);
}

static double clamp(double x, double otherwise)
{
    return x > 0 && x < 1 ? x : x <= 0 ? 0 : x >= 1 ? 1 : otherwise;
}

/* The canonical square is within the margin of the one found; the rest is for
 * the rounding of a few operations. */
static void enter(struct ct_filter_block *block, int i, int pos, double size)
{
    const struct ct_filter *sift = block->sift;
    struct ct_interval_topk *contest = &block->contest[i];
    int at = contest->count++;
    contest->pos[at] = pos;
    contest->low[at] = contest->high[at] = 1;
    if (isinf(sift->point_size.root[pos]))
        return;
    double scale = sift->size.root[pos_of(block, i)] * sift->point_size.root[pos];
    double sq = 1 - size / scale,
           off = block->margin[i] / scale + 16 * DBL_EPSILON * (1 + fabs(sq));
    contest->low[at] = clamp(sq - off, 0);
    contest->high[at] = clamp(sq + off, 1);
}

static double size_of(const struct ct_filter_kernels *sieve, const char *sums, int lane)
{
    return fabs(sieve->value_size == sizeof(float) ? ((const float *)sums)[lane]
                                                   : ((const double *)sums)[lane]);
}

/* Pairs that the leading numbers let through need not pass with the rest. */
static void enter_lanes(struct ct_filter_block *block, int i, const struct ct_packed_points *shelf,
                        int tile)
{
    const struct ct_filter *sift = block->sift;
    const struct ct_filter_kernels *sieve = shelf->sieve;
    struct ct_interval_topk *contest = &block->contest[i];
    size_t rest = sift->frame.rest * sieve->value_size;
    int self = sift->batch->foreign ? -1 : pos_of(block, i), first = tile * sieve->lanes;
    char *sums = block->sums + i * sieve->lanes * sieve->value_size;
    if (rest > 0)
        sieve->subtract_tail(shelf->rest + first * rest, block->rest + i * rest, sift->frame.rest,
                             block->within[i], sums);
    for (unsigned within = block->within[i]; within; within &= within - 1) {
        int lane = __builtin_ctz(within);
        if (first + lane >= shelf->count)
            break;
        int pos = shelf->pos[first + lane];
        double size = size_of(sieve, sums, lane);
        if (pos == self || (sift->batch->predecessors && pos > self) ||
            size < block->level[i] * sift->point_size.root[pos] - block->margin[i])
            continue;
        enter(block, i, pos, size);
        if (contest->count == contest->room) {
            block->bar[i] =
                fmin(block->bar[i], ct_interval_topk_compact(&block->arbiter, contest, i));
            set_level(block, i, sieve);
        }
    }
}

/* Asks for a share of what comes next in memory: the sieve would wait for it. */
static void prefetch(const char *next, size_t bytes, int share, int shares)
{
    size_t lines = bytes / LINE, end = lines * (share + CT_GROUP) / shares;
    for (size_t line = lines * share / shares; line < end; line++)
        __builtin_prefetch(next + line * LINE);
}

/* A chunk of a tile stays in the nearest cache while all teams meet it. */
static void add_dots(struct ct_filter_block *block, const struct ct_packed_points *shelf, int tile)
{
    const struct ct_filter_kernels *sieve = shelf->sieve;
    int m = block->sift->batch->residual->m - block->sift->frame.rest;
    int chunks = (m + CT_CHUNK - 1) / CT_CHUNK;
    size_t size = sieve->value_size, step = sieve->lanes * size;
    memset(block->sums, 0, (size_t)block->sift->most * step);
    for (int chunk = 0; chunk < chunks; chunk++) {
        int from = (int)((long long)m * chunk / chunks);
        int to = (int)((long long)m * (chunk + 1) / chunks);
        const char *points = shelf->v + (tile * (size_t)m + from) * step;
        for (int team = 0; team < block->count; team += CT_GROUP) {
            prefetch(points + (to - from) * step, (to - from) * step, team, block->count);
            sieve->add_dots(points, block->team_v + ((size_t)team * m + from * CT_GROUP) * size,
                            to - from, block->sums + team * step);
        }
    }
}

/* The k rows that come first, but for a query's own, are at distance 1 or nearer: no
 * later row at distance 1 is among its k nearest. It takes a look where no pair is
 * out for its size. */
static void drop_trifles(struct ct_filter_block *block, const struct ct_packed_points *shelf,
                         int tile, const struct ct_filter_input *meeting, int team)
{
    int some = 0;
    for (int i = team; i < team + CT_GROUP; i++)
        some |= block->within[i] && block->level[i] <= block->margin[i];
    if (some && shelf->pos[tile * shelf->sieve->lanes] > block->contest->k)
        shelf->sieve->drop_negligible(meeting, block->within + team);
}

/* Asks for the rest of the points that came through, and tells whose it was. */
static unsigned prefetch_rest(const struct ct_filter_block *block,
                              const struct ct_packed_points *shelf, int tile, int team,
                              unsigned asked)
{
    int lanes = shelf->sieve->lanes;
    size_t bytes = block->sift->frame.rest * shelf->sieve->value_size;
    unsigned which = 0;
    for (int i = team; i < team + CT_GROUP; i++)
        which |= block->within[i] & ~asked;
    for (unsigned left = which; left && bytes > 0; left &= left - 1)
        prefetch(shelf->rest + (tile * (size_t)lanes + __builtin_ctz(left)) * bytes, bytes, 0,
                 CT_GROUP);
    return asked | which;
}

static void meet_tile(struct ct_filter_block *block, const struct ct_packed_points *shelf, int tile)
{
    const struct ct_filter *sift = block->sift;
    const struct ct_filter_kernels *sieve = shelf->sieve;
    size_t size = sieve->value_size, d = (size_t)sift->batch->residual->d;
    size_t place = (size_t)tile * sieve->lanes;
    unsigned asked = 0;
    add_dots(block, shelf, tile);
    for (int team = 0; team < block->count; team += CT_GROUP) {
        struct ct_filter_input meeting = {.shape = &sift->frame.shape,
                                          .d = (int)d,
                                          .tile_z = shelf->z + place * d * size,
                                          .group_z = block->team_z + team * d * size,
                                          .root = shelf->root + place * size,
                                          .tail_norm = shelf->slack + place * size,
                                          .norm = shelf->norm + place * size,
                                          .cutoff = block->level + team,
                                          .margin = block->margin + team,
                                          .query_tail_norm = block->slack + team,
                                          .query_norm = block->norm + team,
                                          .negligible = block->trifle + team};
        sieve->filter(&meeting, block->sums + (size_t)team * sieve->lanes * size,
                      block->within + team);
        drop_trifles(block, shelf, tile, &meeting, team);
        asked = prefetch_rest(block, shelf, tile, team, asked);
    }
    for (int i = 0; i < block->count; i++)
        if (block->within[i])
            enter_lanes(block, i, shelf, tile);
}

void ct_filter_block_scan(struct ct_filter_block *block, const struct ct_packed_points *shelf)
{
    int tile = 0, lanes = shelf->sieve->lanes;
    if (shelf->tiles > 0)
        load_teams(block, shelf->sieve);
    while (tile < shelf->tiles &&
           !(block->sift->batch->predecessors && shelf->pos[tile * lanes] >= block->last))
        meet_tile(block, shelf, tile++);
    long long pairs = (long long)tile * lanes * block->count;
    if (shelf->sieve->value_size == sizeof(float))
        block->tally.coarse += pairs;
    else
        block->tally.fine += pairs;
}

void ct_filter_block_accept_first(struct ct_filter_block *block)
{
    const struct ct_exact_batch *batch = block->sift->batch;
    for (int i = 0; i < block->count; i++) {
        struct ct_interval_topk *contest = &block->contest[i];
        int self = batch->foreign ? -1 : pos_of(block, i);
        int end = batch->predecessors ? self : batch->residual->points.n;
        for (int pos = 0; pos < end && contest->count < contest->k; pos++)
            if (pos != self) {
                contest->low[contest->count] = contest->high[contest->count] = 1;
                contest->pos[contest->count++] = pos;
            }
    }
}

void ct_filter_block_load(struct ct_filter_block *block, const struct ct_key_id *query, int count)
{
    block->query = query;
    block->count = count;
    block->last = 0;
    for (int i = 0; i < count; i++) {
        int pos = pos_of(block, i);
        block->last = pos > block->last ? pos : block->last;
        block->contest[i].count = 0;
        block->bar[i] = block->sift->bar ? block->sift->bar[pos] : INFINITY;
    }
}
