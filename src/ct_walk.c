/* ct_walk.c: see ct_walk.h.
 *
 * In rounds: the nearest in space are found for all queries at once, and those
 * that have not ended ask for twice as many in the next round. What a query
 * has found so far stays in its line of the results, between rounds.
 *
 * Dot products in float, where they tell enough, halve the memory that is read: then
 * a few more than k are kept on the way, and their exact correlations decide.
 */
#include "ct_walk.h"
#include "ct_distance.h"
#include "ct_parallel.h"
#include "ct_select.h"

#include <limits.h>
#include <math.h>

enum { WAVE = 16 }; /* points between two looks at whether to end */

/* What a coarse correlation is off by, at most, as a rule. */
static const double DOUBT = 1e-3;

/* The nearest so far: the last one's place is kept, for it goes next. */
struct top {
    double *sq, *distance;
    int *row;
    int most, count, last;
};

/* What a thread needs: the k nearest, and those that come next to them. */
struct walker {
    struct top top, next; /* with room for all in the first */
    float *query;         /* [ct_row_stride(m)] v of a foreign query */
};

struct round {
    struct ct_taker taker; /* first: the round is handed to take() */
    const struct ct_walk *walk;
    const struct ct_latent *from;
    const struct ct_kernels *kernels;
    const int *place;      /* [n] where the point of a row is in the tree */
    const double *spot;    /* [n * (d + 1)] by place: coordinates, root of the residual variance */
    struct walker *walker; /* [threads] */
    int predecessor;       /* whether only rows below a query's own are met */
    int points;            /* to meet, with those of earlier rounds */
    int *improved;         /* [ld] how many had been met when a point was last kept; -1: ended */
};

static int slot_of(const struct ct_walk *walk, int line)
{
    return walk->slot ? walk->slot[line] : line;
}

static void find_last(struct top *top)
{
    top->last = 0;
    for (int i = 1; i < top->count; i++)
        if (top->distance[i] > top->distance[top->last] ||
            (top->distance[i] == top->distance[top->last] && top->row[i] > top->row[top->last]))
            top->last = i;
}

static void put(struct top *top, int at, double sq, double distance, int row)
{
    top->sq[at] = sq;
    top->distance[at] = distance;
    top->row[at] = row;
}

/* Keeps a point if it is among the nearest; whom it displaces may be among the next. */
static int keep(struct top *top, struct top *next, double sq, double distance, int row)
{
    int at = top->last;
    if (top->count < top->most) {
        put(top, top->count++, sq, distance, row);
    } else if (top->most == 0 || distance > top->distance[at] ||
               (distance == top->distance[at] && row > top->row[at])) {
        if (next)
            keep(next, NULL, sq, distance, row);
        return 0;
    } else {
        if (next)
            keep(next, NULL, top->sq[at], top->distance[at], top->row[at]);
        put(top, at, sq, distance, row);
    }
    if (top->count == top->most)
        find_last(top);
    return 1;
}

/* ---- correlations ---------------------------------------------------------- */

static void dots_fine(const struct round *round, int line, const int *row, int count, double *to)
{
    const struct ct_walk *walk = round->walk;
    size_t stride = ct_v_stride(walk->residual->m);
    for (int c = 0; c < count; c += CT_ROWS) {
        const double *w[CT_ROWS];
        for (int r = 0; r < CT_ROWS; r++)
            w[r] = walk->residual->points.v + (row[c + r < count ? c + r : c] - 1) * stride;
        walk->rows->fine(round->from->v + line * stride, w, stride, to + c);
    }
}

static void dots_coarse(const struct round *round, const float *query, const int *place, int count,
                        double *to)
{
    const struct ct_walk *walk = round->walk;
    size_t stride = ct_row_stride(walk->residual->m);
    for (int c = 0; c < count; c += CT_ROWS) {
        const float *w[CT_ROWS];
        float dot[CT_ROWS];
        for (int r = 0; r < CT_ROWS; r++)
            w[r] = walk->single + place[c + r < count ? c + r : c] * stride;
        walk->rows->coarse(query, w, stride, dot);
        for (int r = 0; r < CT_ROWS; r++)
            to[c + r] = dot[r];
    }
}

/* Correlations of a query with up to WAVE rows; query: its v in float, or NULL for
 * exact ones. */
static void correlate(const struct round *round, int line, const float *query, const int *row,
                      int count, double *rho)
{
    const struct ct_residual *residual = round->walk->residual;
    const struct ct_latent *from = round->from;
    const struct ct_shape shape = ct_shape(residual->kind);
    double dot[WAVE + CT_ROWS] = {0}, root = sqrt(from->p[line]);
    size_t d = (size_t)residual->d;
    int place[WAVE];
    for (int c = 0; c < count; c++) {
        place[c] = round->place[row[c] - 1];
        rho[c] = ct_sqdist(round->spot + place[c] * (d + 1), 1, from->z + line, (size_t)from->n,
                           residual->d);
    }
    round->walk->dots->covariance(&shape, residual->variance, count, rho);
    if (residual->m > 0 && query)
        dots_coarse(round, query, place, count, dot);
    else if (residual->m > 0)
        dots_fine(round, line, row, count, dot);
    for (int c = 0; c < count; c++) {
        double scale = root * round->spot[place[c] * (d + 1) + d];
        rho[c] = scale > 0 ? fmax(-1, fmin((rho[c] - dot[c]) / scale, 1)) : 0;
    }
}

static const float *coarse_query(const struct round *round, int line, float *query)
{
    const struct ct_walk *walk = round->walk;
    int m = walk->residual->m;
    if (!walk->single)
        return NULL;
    if (!walk->foreign)
        return walk->single + round->place[line] * ct_row_stride(m);
    ct_walk_single(walk->foreign->v + line * ct_v_stride(m), m, NULL, 1, 1, query);
    return query;
}

/* The k nearest and the next, which coarse correlations chose, by their exact ones. */
static void judge(const struct round *round, int line, struct top *top, const struct top *next)
{
    double most = top->count > 0 ? top->sq[top->last] + DOUBT : 0;
    for (int i = 0; i < next->count; i++)
        if (next->sq[i] <= most)
            top->row[top->count++] = next->row[i];
    for (int c = 0; c < top->count; c += WAVE) {
        int count = top->count - c < WAVE ? top->count - c : WAVE;
        double rho[WAVE];
        correlate(round, line, NULL, top->row + c, count, rho);
        for (int i = 0; i < count; i++)
            top->sq[c + i] = 1 - fabs(rho[i]);
    }
}

/* ---- the walk --------------------------------------------------------------- */

/* Between rounds the results hold squares. */
static void load(const struct ct_walk *walk, size_t slot, int met, struct top *top)
{
    top->count = met < walk->k ? met : walk->k;
    for (int j = 0; j < top->count; j++) {
        top->row[j] = walk->index[j * (size_t)walk->ld + slot];
        top->sq[j] = walk->distance[j * (size_t)walk->ld + slot];
        top->distance[j] = sqrt(top->sq[j]);
    }
    if (top->count == top->most)
        find_last(top);
}

static void store(const struct ct_walk *walk, size_t slot, const struct top *top)
{
    for (int j = 0; j < walk->k; j++) {
        walk->index[j * (size_t)walk->ld + slot] = j < top->count ? top->row[j] : CT_NO_ROW;
        walk->distance[j * (size_t)walk->ld + slot] = j < top->count ? top->sq[j] : walk->missing;
    }
}

/* A query without residual variance is at distance 1 from all others: the first
 * rows are its neighbours. */
static void answer_without(const struct ct_walk *walk, int own, int predecessor, struct top *top)
{
    int n = predecessor ? own - 1 : walk->residual->points.n;
    top->count = 0;
    for (int row = 1; row <= n && top->count < walk->k; row++) {
        if (row == own)
            continue;
        top->row[top->count] = row;
        top->sq[top->count++] = 1;
    }
}

/* Whether so many points have been met in vain that no more need be. */
static int weary(const struct ct_walk *walk, int met, int improved)
{
    int least = 2 * walk->k;
    return met >= walk->k &&
           met - improved >= walk->patience * (improved > least ? improved : least);
}

static void finish(const struct round *round, int line, struct top *top, const struct top *next)
{
    if (round->walk->single && round->from->p[line] > 0)
        judge(round, line, top, next);
    ct_sort_found(top->sq, top->row, top->count, round->kernels);
    top->count = top->count < round->walk->k ? top->count : round->walk->k;
}

/* Meets the points of rows from met on, until weary; returns how many are met then. */
static int go_on(const struct round *round, int line, struct walker *walker, const int *row,
                 int met, int found, int *improved)
{
    const float *query = coarse_query(round, line, walker->query);
    while (met < found && !weary(round->walk, met, *improved)) {
        int count = found - met < WAVE ? found - met : WAVE;
        double rho[WAVE];
        correlate(round, line, query, row + met, count, rho);
        for (int c = 0; c < count; c++) {
            double sq = 1 - fabs(rho[c]);
            if (keep(&walker->top, &walker->next, sq, sqrt(sq), row[met + c]))
                *improved = met + c + 1;
        }
        met += count;
    }
    return met;
}

static void take(const struct ct_taker *taker, int thread, int line, const int *row, int found)
{
    const struct round *round = (const struct round *)taker;
    const struct ct_walk *walk = round->walk;
    struct walker *walker = &round->walker[thread];
    struct top *top = &walker->top;
    int slot = slot_of(walk, line), met = walk->evaluated[slot], improved = round->improved[slot];
    int ended = !(round->from->p[line] > 0);
    if (ended) {
        answer_without(walk, walk->foreign ? 0 : line + 1, round->predecessor, top);
    } else {
        load(walk, (size_t)slot, met, top);
        walker->next.count = 0;
        met = go_on(round, line, walker, row, met, found, &improved);
        ended = weary(walk, met, improved) || found < round->points || met >= walk->most;
    }
    if (ended)
        finish(round, line, top, &walker->next);
    store(walk, (size_t)slot, top);
    walk->evaluated[slot] = met;
    round->improved[slot] = ended ? -1 : improved;
}

static struct top new_top(const struct ct_host *host, int most, int room)
{
    return (struct top){
        .sq = host->alloc((size_t)room + CT_SELECT_PAD, sizeof(double)),
        .distance = host->alloc((size_t)room, sizeof(double)),
        .row = host->alloc((size_t)room, sizeof(int)),
        .most = most,
    };
}

static struct walker *new_walkers(const struct ct_host *host, int threads, int k,
                                  const struct ct_walk *walk)
{
    struct walker *walker = host->alloc((size_t)threads, sizeof *walker);
    int spare = walk->single ? k / 8 + 8 : 0;
    for (int i = 0; i < threads; i++) {
        walker[i].top = new_top(host, k, k + spare);
        walker[i].next = new_top(host, spare, spare);
        walker[i].query = host->alloc(ct_row_stride(walk->residual->m), sizeof(float));
    }
    return walker;
}

static const int *list_places(const struct ct_host *host, const struct ct_tree *t)
{
    int *place = host->alloc((size_t)t->n, sizeof *place);
    for (int pos = 0; pos < t->n; pos++)
        place[t->row[pos] - 1] = pos;
    return place;
}

static const double *list_spots(const struct ct_host *host, const struct ct_tree *t,
                                const struct ct_latent *points, int d)
{
    double *spot = host->alloc((size_t)t->n * ((size_t)d + 1), sizeof *spot), *to = spot;
    for (int pos = 0; pos < t->n; pos++) {
        int line = t->row[pos] - 1;
        for (int j = 0; j < d; j++)
            *to++ = points->z[line + (size_t)j * points->n];
        *to++ = sqrt(points->p[line]);
    }
    return spot;
}

void ct_walk_single(const double *v, int m, const int *row, int n, int threads, float *to)
{
    size_t stride = ct_v_stride(m), to_stride = ct_row_stride(m);
    CT_PRAGMA(omp parallel for if (threads > 1) num_threads(threads) schedule(static))
    for (int i = 0; i < n; i++) {
        const double *from = v + (row ? row[i] - 1 : i) * stride;
        for (size_t j = 0; j < to_stride; j++)
            to[i * to_stride + j] = j < stride ? (float)from[j] : 0;
    }
}

/* Keeps in order those of the queries that have not ended. */
static int drop_ended(const struct ct_batch *batch, const struct round *round, int *order)
{
    int left = 0;
    for (int i = 0; i < batch->m; i++) {
        int at = batch->order ? batch->order[i] : i;
        int line = batch->query ? at : batch->tree->row[at] - 1;
        if (round->improved[slot_of(round->walk, line)] >= 0)
            order[left++] = at;
    }
    return left;
}

struct rounds {
    struct ct_searcher searcher; /* first: the walk is handed to walk_rounds() */
    struct round *round;
};

static void walk_rounds(const struct ct_host *host, const struct ct_batch *batch,
                        const struct ct_searcher *searcher)
{
    struct round round = *((const struct rounds *)searcher)->round;
    struct ct_batch some = *batch;
    int n = batch->tree->n, *order = host->alloc((size_t)batch->m, sizeof *order);
    some.order = order;
    for (int points = round.walk->first;; points = points < n / 2 ? 2 * points : n) {
        round.points = points < round.walk->most ? points : round.walk->most;
        some.m = drop_ended(batch, &round, order);
        if (some.m == 0)
            return;
        void *mark = host->mark ? host->mark() : NULL;
        ct_knn_take(host, &some, round.points, &round.taker);
        if (host->release)
            host->release(mark);
    }
}

void ct_walk(const struct ct_host *host, const struct ct_batch *batch, const struct ct_walk *walk)
{
    int n = walk->residual->points.n, k = walk->k < n ? walk->k : n;
    struct round round = {
        .taker = {take},
        .walk = walk,
        .from = walk->foreign ? walk->foreign : &walk->residual->points,
        .kernels = batch->kernels,
        .predecessor = batch->predecessor,
        .place = list_places(host, batch->tree),
        .spot = list_spots(host, batch->tree, &walk->residual->points, walk->residual->d),
        .walker = new_walkers(host, batch->threads, k, walk),
        .improved = host->alloc((size_t)walk->ld, sizeof(int)),
    };
    struct rounds rounds = {{walk_rounds}, &round};
    for (int i = 0; i < walk->ld; i++)
        round.improved[i] = walk->evaluated[i] = 0;
    if (batch->predecessor)
        ct_predecessors(host, batch, walk->first, &rounds.searcher);
    else
        walk_rounds(host, batch, &rounds.searcher);
}
