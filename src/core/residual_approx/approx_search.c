/* approx_search.c: see approx_search.h.
 *
 * In rounds: the nearest in space are found for all queries at once, and those
 * that have not ended ask for twice as many in the next round. What a query
 * has found so far stays in its line of the results, between rounds.
 *
 * On the way correlations are coarse, where that tells enough: a few more than k are
 * kept, and their exact ones decide.
 */
#include "core/residual_approx/approx_search.h"
#include "core/residual_approx/pair_distance.h"
#include "core/search/predecessor.h"
#include "core/topk/select.h"
#include "core/topk/sorted_list.h"
#include "core/util/parallel_for.h"

#include <limits.h>
#include <math.h>

enum {
    PENDING = 16, /* queries of a block that go together, at most */
    SHARE = 16    /* queries that a thread has at least */
};

/* A query whose round is over, but for exact correlations. */
struct pending {
    struct ct_sorted_list top; /* the k nearest, and some that come next to them */
    int line, ended;
};

/* What a thread needs. The queries of a block have their exact correlations one after
 * the other, because they share most of the points that it takes. */
struct walker {
    struct pending pending[PENDING];
    int count;
    int16_t *query; /* [ct_quantized_stride(m)] v of a foreign query */
};

struct round {
    const struct ct_approx_search *walk;
    const struct ct_kernels *kernels;
    struct ct_pair_distances pairs;
    struct walker *walker;         /* [threads] */
    int predecessor;               /* whether only rows below a query's own are evaluated */
    int points;                    /* to meet, with those of earlier rounds */
    struct ct_budget_state *climb; /* [ld] with a budget */
    int *improved; /* [ld] how many had been evaluated when a point was last kept; -1: ended */
};

static int slot_of(const struct ct_approx_search *walk, int line)
{
    return walk->slot ? walk->slot[line] : line;
}

/* The k nearest and the next, which coarse correlations chose, by their exact ones. */
static void judge(const struct round *round, int line, struct ct_sorted_list *top)
{
    int k = round->walk->k;
    double most =
        top->count > k ? top->sq[k - 1] + ct_pair_quantization_error(&round->pairs, line) : 0;
    while (top->count > k && top->sq[top->count - 1] > most)
        top->count--;
    for (int c = 0; c < top->count; c += CT_PAIR_BATCH) {
        int count = top->count - c < CT_PAIR_BATCH ? top->count - c : CT_PAIR_BATCH;
        ct_pair_distances_sq(&round->pairs, line, (struct ct_quantized){0}, top->row + c, count,
                             top->sq + c);
    }
}

/* ---- the walk --------------------------------------------------------------- */

/* Between rounds the results hold squares, and exact ones: whom coarse correlations put
 * next to the k nearest has no place there. */
static void settle(const struct round *round, int line, struct ct_sorted_list *top)
{
    if (round->walk->coarse.v)
        judge(round, line, top);
    ct_sorted_list_sort(top, round->kernels);
}

static void load(const struct ct_approx_search *walk, size_t slot, int evaluated,
                 struct ct_sorted_list *top)
{
    top->count = evaluated < walk->k ? evaluated : walk->k;
    for (int j = 0; j < top->count; j++) {
        top->row[j] = walk->index[j * (size_t)walk->ld + slot];
        top->sq[j] = walk->distance[j * (size_t)walk->ld + slot];
    }
}

static void store(const struct ct_approx_search *walk, size_t slot,
                  const struct ct_sorted_list *top)
{
    for (int j = 0; j < walk->k; j++) {
        walk->index[j * (size_t)walk->ld + slot] = j < top->count ? top->row[j] : CT_NO_ROW;
        walk->distance[j * (size_t)walk->ld + slot] = j < top->count ? top->sq[j] : walk->missing;
    }
}

/* A query without residual variance is at distance 1 from all others: the first
 * rows are its neighbours. */
static void answer_without(const struct ct_approx_search *walk, int own, int predecessor,
                           struct ct_sorted_list *top)
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

/* Whether so many points have been evaluated in vain that no more need be. */
static int weary(const struct ct_approx_search *walk, int evaluated, int improved)
{
    return evaluated >= walk->k &&
           evaluated - improved >= walk->patience * (improved + 4.0 * walk->k);
}

static void finish(const struct round *round, int line, struct ct_sorted_list *top)
{
    if (round->walk->coarse.v && round->pairs.from->p[line] > 0)
        judge(round, line, top);
    ct_sort_neighbors(top->sq, top->row, top->count, round->kernels);
    top->count = top->count < round->walk->k ? top->count : round->walk->k;
}

/* Points that any query may meet. */
static int most_points(const struct ct_approx_search *walk)
{
    const struct ct_budget *budget = walk->budget;
    int most = budget ? budget->limit[budget->steps - 1] : walk->most;
    most = most > walk->k ? most : walk->k;
    return most < walk->most ? most : walk->most;
}

/* Meets up to CT_PAIR_BATCH points; returns how many of them were kept, and the last of them.
 * The first k are only put in order when they are all there. */
static int meet_wave(const struct round *round, int line, struct ct_sorted_list *top,
                     struct ct_quantized query, const int *row, int count, int *last)
{
    double sq[CT_PAIR_BATCH];
    int kept = 0, k = round->walk->k;
    ct_pair_distances_sq(&round->pairs, line, query, row, count, sq);
    for (; kept < count && top->count < k; *last = kept++) {
        top->sq[top->count] = sq[kept];
        top->row[top->count++] = row[kept];
    }
    if (kept > 0 && top->count == k)
        ct_sorted_list_sort(top, round->kernels);
    for (int c = kept; c < count; c++) {
        if (ct_sorted_list_insert(top, sq[c], row[c]) < k) {
            *last = c;
            kept++;
        }
    }
    return kept;
}

/* Meets the points of rows from evaluated on, until weary; returns how many are evaluated then. */
static int go_on(const struct round *round, int line, struct ct_sorted_list *top,
                 struct ct_quantized query, const int *row, int evaluated, int found, int *improved)
{
    while (evaluated < found && !weary(round->walk, evaluated, *improved)) {
        int count = found - evaluated < CT_PAIR_BATCH ? found - evaluated : CT_PAIR_BATCH,
            last = -1;
        meet_wave(round, line, top, query, row + evaluated, count, &last);
        if (last >= 0)
            *improved = evaluated + last + 1;
        evaluated += count;
    }
    return evaluated;
}

/* The same up the budget; the first k points are of use and no sign. Returns whether it
 * ended there. */
static int climb(const struct round *round, int line, struct ct_sorted_list *top,
                 struct ct_quantized query, const int *row, int found, struct ct_budget_state *at)
{
    const struct ct_approx_search *walk = round->walk;
    while (at->evaluated < found) {
        int left = found - at->evaluated, count = left < CT_PAIR_BATCH ? left : CT_PAIR_BATCH, last;
        int kept = meet_wave(round, line, top, query, row + at->evaluated, count, &last);
        int stay = ct_budget_spend(walk->budget, at, count, at->evaluated < walk->k ? count : kept);
        if (stay || at->evaluated < walk->k)
            continue;
        if (!ct_budget_escalates(walk->budget, at))
            return 1;
        *at = ct_budget_begin(at->step + 1, at->evaluated);
    }
    return 0;
}

/* Goes on with a query; returns whether it has ended. */
static int proceed(const struct round *round, int line, int slot, struct walker *walker,
                   const int *row, int found)
{
    const struct ct_approx_search *walk = round->walk;
    int *evaluated = &walk->evaluated[slot], *improved = &round->improved[slot], ended;
    struct ct_sorted_list *top = &walker->pending[walker->count].top;
    struct ct_quantized query = ct_pair_quantize_query(&round->pairs, line, walker->query);
    load(walk, (size_t)slot, *evaluated, top);
    if (walk->budget) {
        struct ct_budget_state *at = &round->climb[slot];
        ended = climb(round, line, top, query, row, found, at);
        *evaluated = at->evaluated;
        walk->climbs[slot] = at->stopped_early ? -1 - at->step : at->step;
    } else {
        *evaluated = go_on(round, line, top, query, row, *evaluated, found, improved);
        ended = weary(walk, *evaluated, *improved);
    }
    return ended || found < round->points || *evaluated >= most_points(walk);
}

static void flush_pending(void *data, int thread)
{
    const struct round *round = data;
    struct walker *walker = &round->walker[thread];
    for (int i = 0; i < walker->count; i++) {
        struct pending *pending = &walker->pending[i];
        int slot = slot_of(round->walk, pending->line);
        if (pending->ended) {
            finish(round, pending->line, &pending->top);
            round->improved[slot] = -1;
        } else {
            settle(round, pending->line, &pending->top);
        }
        store(round->walk, (size_t)slot, &pending->top);
    }
    walker->count = 0;
}

/* Adds a query with its nearest rows in space to the pending ones. */
static void add_query(struct round *round, int thread, int line, const int *row, int found)
{
    const struct ct_approx_search *walk = round->walk;
    struct walker *walker = &round->walker[thread];
    if (walker->count == PENDING)
        flush_pending(round, thread);
    struct pending *pending = &walker->pending[walker->count];
    pending->line = line;
    pending->ended = 1;
    if (round->pairs.from->p[line] > 0)
        pending->ended = proceed(round, line, slot_of(walk, line), walker, row, found);
    else
        answer_without(walk, walk->foreign ? 0 : line + 1, round->predecessor, &pending->top);
    walker->count++;
}

static void add_neighbors(void *data, int thread, int line, const int *row, const double *distance,
                          int found)
{
    (void)distance;
    add_query(data, thread, line, row, found);
}

static struct walker *new_walkers(const struct ct_host *host, int threads, int k,
                                  const struct ct_approx_search *walk)
{
    struct walker *walker = host->alloc((size_t)threads, sizeof *walker);
    int room = k + k / 8 + 8;
    for (int i = 0; i < threads; i++) {
        for (int j = 0; j < PENDING && j < walk->ld; j++)
            walker[i].pending[j].top = (struct ct_sorted_list){
                .sq = host->alloc((size_t)room + CT_SELECT_PAD, sizeof(double)),
                .row = host->alloc((size_t)room, sizeof(int)),
                .capacity = room,
            };
        walker[i].count = 0;
        walker[i].query = host->alloc(ct_quantized_stride(walk->residual->m), sizeof(int16_t));
    }
    return walker;
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

/* The tree's own points beside a query on the curve, in both directions in turn. */
struct along {
    const struct ct_batch *batch;
    struct round *round;
    int *row; /* [threads * points] */
};

static int list_along(const struct ct_batch *batch, int at, int points, int *row)
{
    const struct ct_tree *t = batch->tree;
    int own = t->row[at], last = batch->predecessor ? own - 1 : INT_MAX, count = 0;
    for (int step = 1; count < points && (at - step >= 0 || at + step < t->n); step++) {
        if (at + step < t->n && t->row[at + step] <= last)
            row[count++] = t->row[at + step];
        if (count < points && at - step >= 0 && t->row[at - step] <= last)
            row[count++] = t->row[at - step];
    }
    return count;
}

static void walk_along(void *data, int block, int thread)
{
    const struct along *along = data;
    const struct ct_batch *batch = along->batch;
    struct round *round = along->round;
    int *row = along->row + (size_t)thread * round->points;
    int end =
        batch->m - CT_PAIR_BATCH * block < CT_PAIR_BATCH ? batch->m : CT_PAIR_BATCH * (block + 1);
    for (int i = CT_PAIR_BATCH * block; i < end; i++) {
        int at = batch->order[i], found = list_along(batch, at, round->points, row);
        add_query(round, thread, batch->tree->row[at] - 1, row, found);
    }
    flush_pending(round, thread);
}

static void take_along(const struct ct_host *host, const struct ct_batch *batch,
                       struct round *round)
{
    struct along along = {batch, round,
                          host->alloc((size_t)batch->threads * round->points, sizeof(int))};
    ct_parallel_for(host, batch->m / CT_PAIR_BATCH + (batch->m % CT_PAIR_BATCH > 0), batch->threads,
                    walk_along, &along);
}

static void walk_rounds(const struct ct_host *host, const struct ct_batch *batch,
                        const struct round *common)
{
    struct round round = *common;
    struct ct_result_sink sink = {&round, add_neighbors, flush_pending};
    const struct ct_approx_search *walk = round.walk;
    struct ct_batch some = *batch;
    int most = most_points(walk), *order = host->alloc((size_t)batch->m, sizeof *order);
    some.order = order;
    some.ld_query = batch->m;
    for (int points = walk->first;; points = points < most / 2 ? 2 * points : most) {
        round.points = points < most ? points : most;
        some.m = drop_ended(batch, &round, order);
        if (some.m == 0)
            return;
        void *mark = host->mark ? host->mark() : NULL;
        if (walk->budget && !walk->budget->diverse)
            take_along(host, &some, &round);
        else
            ct_knn_to_sink(host, &some, round.points, &sink);
        if (host->release)
            host->release(mark);
    }
}

void ct_approx_search(const struct ct_host *host, const struct ct_batch *asked,
                      const struct ct_approx_search *walk)
{
    struct ct_batch some = *asked, *batch = &some;
    int shares = asked->m / SHARE + 1;
    some.threads = shares < asked->threads ? shares : asked->threads;
    int n = walk->residual->points.n, k = walk->k < n ? walk->k : n;
    struct round round = {
        .walk = walk,
        .kernels = batch->kernels,
        .predecessor = batch->predecessor,
        .pairs = ct_pair_distances_make(host, walk, batch->tree),
        .walker = new_walkers(host, batch->threads, k, walk),
        .improved = host->alloc((size_t)walk->ld, sizeof(int)),
        .climb = walk->budget ? host->alloc((size_t)walk->ld, sizeof *round.climb) : NULL,
    };
    for (int i = 0; i < walk->ld; i++)
        round.improved[i] = walk->evaluated[i] = walk->climbs[i] = 0;
    for (int i = 0; walk->budget && i < walk->ld; i++)
        round.climb[i] = ct_budget_begin(0, 0);
    if (!batch->predecessor) {
        walk_rounds(host, batch, &round);
        return;
    }
    struct ct_predecessor_plan plan = ct_plan_predecessors(host, batch, walk->first);
    for (int p = 0; p < plan.parts; p++) {
        struct ct_batch part = ct_predecessor_batch(&plan, batch, p);
        void *mark = host->mark ? host->mark() : NULL;
        walk_rounds(host, &part, &round);
        if (host->release)
            host->release(mark);
    }
}
