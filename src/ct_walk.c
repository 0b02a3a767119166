/* ct_walk.c: see ct_walk.h.
 *
 * In rounds: the nearest in space are found for all queries at once, and those
 * that have not ended ask for twice as many in the next round. What a query
 * has found so far stays in its line of the results, between rounds.
 */
#include "ct_walk.h"
#include "ct_select.h"

#include <limits.h>
#include <math.h>

enum { WAVE = 16 }; /* points between two looks at whether to end */

/* The k nearest so far: the last one's place is kept, for it goes next. */
struct top {
    double *sq, *distance; /* [k + CT_SELECT_PAD], [k] */
    int *row;              /* [k] */
    int count, last;
};

struct round {
    struct ct_taker taker; /* first: the round is handed to take() */
    const struct ct_walk *walk;
    const struct ct_latent *from;
    const struct ct_kernels *kernels;
    struct top *top; /* [threads] */
    int predecessor; /* whether only rows below a query's own are met */
    int points;      /* to meet, with those of earlier rounds */
    int *improved;   /* [ld] how many had been met when a point was last kept; -1: ended */
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

static int keep(struct top *top, int k, double rho, int row)
{
    double sq = 1 - fabs(rho), distance = sqrt(sq);
    int at = top->count < k ? top->count : top->last;
    if (top->count == k &&
        (distance > top->distance[at] || (distance == top->distance[at] && row > top->row[at])))
        return 0;
    top->sq[at] = sq;
    top->distance[at] = distance;
    top->row[at] = row;
    top->count += at == top->count;
    if (top->count == k)
        find_last(top);
    return 1;
}

/* Between rounds the results hold squares. */
static void load(const struct ct_walk *walk, size_t slot, int met, struct top *top)
{
    top->count = met < walk->k ? met : walk->k;
    for (int j = 0; j < top->count; j++) {
        top->row[j] = walk->index[j * (size_t)walk->ld + slot];
        top->sq[j] = walk->distance[j * (size_t)walk->ld + slot];
        top->distance[j] = sqrt(top->sq[j]);
    }
    if (top->count == walk->k)
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

static void take(const struct ct_taker *taker, int thread, int line, const int *row, int found)
{
    const struct round *round = (const struct round *)taker;
    const struct ct_walk *walk = round->walk;
    struct top *top = &round->top[thread];
    int slot = slot_of(walk, line), met = walk->evaluated[slot], improved = round->improved[slot];
    int ended = !(round->from->p[line] > 0);
    if (ended)
        answer_without(walk, walk->foreign ? 0 : line + 1, round->predecessor, top);
    else
        load(walk, (size_t)slot, met, top);
    while (met < found && !ended) {
        int pos[WAVE], count = found - met < WAVE ? found - met : WAVE;
        double rho[WAVE];
        for (int c = 0; c < count; c++)
            pos[c] = row[met + c] - 1;
        ct_residual_rho(walk->dots, walk->residual, round->from, line, pos, count, rho);
        for (int c = 0; c < count; c++)
            if (keep(top, walk->k, rho[c], row[met + c]))
                improved = met + c + 1;
        met += count;
        ended = weary(walk, met, improved);
    }
    ended |= found < round->points || met >= walk->most;
    if (ended)
        ct_sort_found(top->sq, top->row, top->count, round->kernels);
    store(walk, (size_t)slot, top);
    walk->evaluated[slot] = met;
    round->improved[slot] = ended ? -1 : improved;
}

static struct top *new_tops(const struct ct_host *host, int threads, int k)
{
    struct top *top = host->alloc((size_t)threads, sizeof *top);
    for (int i = 0; i < threads; i++)
        top[i] = (struct top){
            .sq = host->alloc((size_t)k + CT_SELECT_PAD, sizeof(double)),
            .distance = host->alloc((size_t)k, sizeof(double)),
            .row = host->alloc((size_t)k, sizeof(int)),
        };
    return top;
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

struct walker {
    struct ct_searcher searcher; /* first: the walk is handed to walk_rounds() */
    struct round *round;
};

static void walk_rounds(const struct ct_host *host, const struct ct_batch *batch,
                        const struct ct_searcher *searcher)
{
    struct round round = *((const struct walker *)searcher)->round;
    struct ct_batch some = *batch;
    some.lines = batch->m;
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
    int n = walk->residual->points.n, reach = walk->k < n ? walk->k : n;
    struct round round = {
        .taker = {take},
        .walk = walk,
        .from = walk->foreign ? walk->foreign : &walk->residual->points,
        .kernels = batch->kernels,
        .predecessor = batch->predecessor,
        .top = new_tops(host, batch->threads, reach),
        .improved = host->alloc((size_t)walk->ld, sizeof(int)),
    };
    struct walker walker = {{walk_rounds}, &round};
    for (int i = 0; i < walk->ld; i++)
        round.improved[i] = walk->evaluated[i] = 0;
    if (batch->predecessor)
        ct_predecessors(host, batch, walk->first, &walker.searcher);
    else
        walk_rounds(host, batch, &walker.searcher);
}
