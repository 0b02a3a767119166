/* knn.c: the k nearest neighbors of a batch.
 *
 * Each thread answers runs of neighboring queries, block by block: seed, search, results.
 * The seed gives every query of the block a threshold before the search begins, from two
 * sources. All queries scan the tiles around the middle query of the block, where most of
 * their own neighbors are. And each query inherits a threshold (threshold.h) from the last
 * query of the previous block and from the query before it in the block, unless that one's
 * threshold is only its max_distance: a query with a larger one may have neighbors farther away.
 * With good first thresholds the traversal excludes most of the tree at once.
 *
 * Under a budget each query searches alone, without a seed of the block (budgeted.h).
 */
#include "core/search/block_search.h"
#include "core/search/budgeted.h"
#include "core/search/depth_first.h"
#include "core/search/filtered_seed.h"
#include "core/search/own_points.h"
#include "core/search/own_products.h"
#include "core/search/result_lines.h"
#include "core/search/result_order.h"
#include "core/search/threshold.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum {
    RUN_MAX = 64,           /* queries of one task of a thread, */
    RUN_MIN = 16,           /* at least */
    RUNS_PER_THREAD = 8,    /* tasks per thread, for balance, if there are enough queries */
    SEED_SPARE = 16,        /* points beyond k in a seed, for a lower first threshold */
    SEED_DIMENSIONS = 3,    /* with more, in an exact search of all points, */
    LARGE_SEED_SPARE = 128, /* this number: thresholds save more than the points cost */
    PILOT = 8,              /* blocks that a pilot searches by the tree */
    BLOCK_BUFFER = 1 << 20  /* candidates that the queries of a block buffer, roughly */
};

/* The share of the work that the searches made for own points report. */
static const double OWN_SHARE = 0.75;

/* The share of the work of a search without the order of its results. */
static const double SEARCH_SHARE = 0.9;

/* The share of own points, remaining after that, for which another search of all is considered. */
static const double MOST_REMAIN = 0.75;

/* The scratch of a thread, and the last query, from which the next block inherits. */
struct knn_worker {
    struct ct_search search;
    double *last_q;                     /* [d] the last query answered */
    double last_distance;               /* distance of the k-th neighbor; infinite without one */
    int last_row;                       /* row of the last query, or 0 for a foreign query */
    struct ct_query_limits last_limits; /* with a filter: what the last query excluded */
    struct ct_held_results held;        /* with an order of the results */
};

/* One call. Results go to the sink, or to the lines. */
struct knn_call {
    const struct ct_batch *batch;
    struct knn_worker *worker; /* [threads] */
    int k;
    int block_max; /* queries of a block */
    int run;       /* queries of a task */
    const struct ct_result_sink *sink;
    struct ct_result_lines lines;
    const int *place; /* [ld] of each line in the order of the answers; NULL: write by line */
};

/* ---- the seed --------------------------------------------------------------- */

/* Whether at least one query has no threshold, because it has found fewer neighbors than it can
 * have. */
static int lacks_neighbors(struct ct_query_block *block)
{
    for (int i = 0; i < block->count; i++)
        if (block->max_distance[i] == INFINITY &&
            block->candidates[i].count < ct_reachable_neighbors(block, i, block->context.k))
            return 1;
    return 0;
}

/* Whether every query starts with a threshold. */
static int has_thresholds(const struct ct_query_block *block)
{
    for (int i = 0; i < block->count; i++)
        if (!(block->threshold[i].sq < INFINITY))
            return 0;
    return 1;
}

/* Sets a first threshold for every query of a block that starts as the batch demands, without
 * inheritance: the neighbors of one query may not be eligible for another. Returns the tiles
 * scanned. */
static struct ct_tile_span seed_started(struct ct_search *s)
{
    struct ct_query_block *block = &s->block;
    int k = block->context.k, points = k < INT_MAX - SEED_SPARE ? k + SEED_SPARE : k;
    struct ct_tile_span seed = {0, 0};
    if (has_thresholds(block))
        return seed;
    seed = ct_seed_tiles(block, block->count / 2, points);
    ct_scan_span(block, &s->groups, seed);
    for (int i = 0; i < block->count; i++)
        ct_tighten_threshold(block, i);
    return seed;
}

/* Sets a first threshold for every query of the block. Returns the tiles scanned for it. */
static struct ct_tile_span seed_thresholds(struct knn_worker *worker, int predecessor)
{
    struct ct_search *s = &worker->search;
    struct ct_query_block *block = &s->block;
    int d = block->context.tree->d, k = block->context.k;
    int large = d > SEED_DIMENSIONS && !predecessor && block->context.box_factor == 1;
    int spare = large ? LARGE_SEED_SPARE : SEED_SPARE;
    int points = k < INT_MAX - spare ? k + spare : k;
    struct ct_tile_span seed = ct_seed_tiles(block, block->count / 2, points);
    for (int i = 0; i < block->count; i++)
        ct_inherit_threshold(block, i, worker->last_distance, worker->last_q, worker->last_row);
    ct_scan_span(block, &s->groups, seed);
    if (predecessor)
        seed = ct_widen_span(block, &s->groups, seed, lacks_neighbors);
    for (int i = 0; i < block->count; i++) {
        if (i > 0 && ct_is_tightened(block, i - 1))
            ct_inherit_threshold(block, i, sqrt(block->threshold[i - 1].sq),
                                 block->q + (size_t)(i - 1) * d, block->candidates[i - 1].skip_row);
        ct_tighten_threshold(block, i);
    }
    return seed;
}

/* ---- the results ------------------------------------------------------------ */

/* Passes the neighbors of query i, at a place of the order, to the sink, or stores them. */
static void answer_query(const struct knn_call *call, int thread, int i, int place)
{
    struct knn_worker *worker = &call->worker[thread];
    struct ct_query_block *block = &worker->search.block;
    int count = ct_finish_query(block, i), line = block->line[i];
    if (call->sink)
        call->sink->add(call->sink->data, thread, line, block->exact_row, block->exact_sq, count);
    else if (call->place)
        ct_hold_result(&call->lines, &worker->held, place, block->exact_row, block->exact_sq,
                       count);
    else
        ct_store_line(&call->lines, line, block->exact_row, block->exact_sq, count);
    worker->last_row = block->candidates[i].skip_row;
    worker->last_limits = block->limits[i];
    worker->last_distance = count == call->k ? block->exact_sq[count - 1] : INFINITY;
}

/* ---- the blocks ------------------------------------------------------------- */

/* Searches for each query alone, and adds up what the budgets were spent on. */
static void search_within_budget(const struct knn_call *call, struct ct_search *s)
{
    struct ct_search_stats *stats = &s->recorder.stats;
    for (int i = 0; i < s->block.count; i++) {
        struct ct_budget_state state = ct_search_budgeted(s, call->batch->budget, i);
        stats->evaluated += state.evaluated;
        stats->useful += state.useful;
        stats->escalations += state.step;
        stats->early_stops += state.stopped_early;
        if (call->batch->evaluated)
            call->batch->evaluated[s->block.line[i]] = state.evaluated;
    }
    ct_search_end_phase(&s->recorder, CT_PHASE_SCAN);
}

/* Answers one block: seed, search, results. */
static void answer_block(const struct knn_call *call, int thread, int begin, int count)
{
    struct knn_worker *worker = &call->worker[thread];
    struct ct_search *s = &worker->search;
    int d = s->block.context.tree->d;
    ct_search_begin(s, call->batch, begin, count);
    if (call->batch->budget) {
        search_within_budget(call, s);
    } else {
        struct ct_last_query last = {worker->last_q, worker->last_distance, worker->last_limits};
        struct ct_tile_span seed = call->batch->filter ? ct_seed_filtered(s, &last)
                                   : call->batch->start
                                       ? seed_started(s)
                                       : seed_thresholds(worker, call->batch->predecessors);
        ct_search_end_phase(&s->recorder, CT_PHASE_SEED);
        ct_search_block(s, seed);
    }
    for (int i = 0; i < count; i++)
        answer_query(call, thread, i, begin + i);
    if (call->place)
        ct_write_held(&call->lines, &worker->held);
    if (call->sink)
        call->sink->flush(call->sink->data, thread);
    for (int j = 0; j < d; j++)
        worker->last_q[j] = s->block.q[(size_t)(count - 1) * d + j];
    ct_search_record_work(&s->recorder, &s->block.work);
    ct_search_end_phase(&s->recorder, CT_PHASE_SELECTION);
}

/* Answers a run of queries. The first block of a run inherits nothing: the last query that
 * the thread answered may be far away. */
static void answer_run(void *data, int number, int thread)
{
    const struct knn_call *call = data;
    struct knn_worker *worker = &call->worker[thread];
    int begin = number * call->run, left = call->batch->count - begin;
    int end = begin + (left < call->run ? left : call->run);
    worker->last_distance = INFINITY;
    while (begin < end) {
        int count =
            ct_schedule_size(&worker->search.schedule, call->batch, begin, end, call->block_max);
        answer_block(call, thread, begin, count);
        begin += count;
    }
}

static void init_knn_worker(const struct ct_host *host, const struct knn_call *call, int capacity,
                            struct knn_worker *worker)
{
    int d = call->batch->tree->d;
    ct_search_init(host, call->batch, call->block_max, capacity, call->k,
                   (struct ct_candidate_sink){0}, &worker->search);
    worker->last_distance = INFINITY;
    worker->last_row = 0;
    worker->last_limits = (struct ct_query_limits){INT_MAX, 0, 1, 0};
    if (call->place)
        ct_held_init(host, call->k, &worker->held);
    worker->last_q = host->alloc((size_t)d, sizeof *worker->last_q);
    for (int j = 0; j < d; j++)
        worker->last_q[j] = 0;
}

/* Chooses the sizes of buffers and blocks, and allocates the workers. With a large k blocks are
 * smaller, so that the buffers of a block hold about BLOCK_BUFFER candidates. */
static void init_workers(const struct ct_host *host, struct knn_call *call, int threads)
{
    int n = call->batch->tree->n, reachable = call->k < n ? call->k : n;
    int capacity = ct_select_capacity(reachable), most = BLOCK_BUFFER / capacity;
    call->block_max = most < 1 ? 1 : most < CT_BLOCK ? most : CT_BLOCK;
    call->worker = host->alloc((size_t)threads, sizeof *call->worker);
    for (int thread = 0; thread < threads; thread++)
        init_knn_worker(host, call, capacity, &call->worker[thread]);
}

static void add_statistics(const struct knn_call *call, int threads)
{
    for (int thread = 0; call->batch->stats && thread < threads; thread++)
        ct_search_stats_add(call->batch->stats, &call->worker[thread].search.recorder.stats);
}

/* Chooses the size of a task, and answers all queries. */
static void run_knn(const struct ct_host *host, struct knn_call call)
{
    const struct ct_batch *batch = call.batch;
    int run = batch->count / (RUNS_PER_THREAD * batch->threads);
    call.run = run < RUN_MIN ? RUN_MIN : run < RUN_MAX ? run : RUN_MAX;
    int tasks = batch->count / call.run + (batch->count % call.run > 0);
    int threads = batch->threads < tasks ? batch->threads : tasks;
    init_workers(host, &call, threads);
    ct_parallel_for(host, tasks, threads, answer_run, &call);
    add_statistics(&call, threads);
}

/* Answers all queries, with the results in the order of the answers until the end. */
static void run_in_order(const struct ct_host *host, struct knn_call call)
{
    struct ct_host search = ct_host_part(host, 0, SEARCH_SHARE);
    struct ct_host order = ct_host_part(host, SEARCH_SHARE, 1);
    call.place = ct_places_of_lines(host, call.batch, call.lines.ld);
    run_knn(&search, call);
    if (call.place)
        ct_order_columns(&order, &call.lines, call.place, call.batch->threads);
    ct_report(host, 1);
}

/* ---- all own points --------------------------------------------------------- */

/* The pilot of a call, and whether the scan of all points costs less than the tree for each
 * block. */
struct knn_pilot {
    struct knn_call call;
    int scan_pays[PILOT];
};

/* Answers a block of the pilot with the schedule at its start. */
static void answer_pilot_block(void *data, int number, int thread)
{
    struct knn_pilot *pilot = data;
    const struct ct_batch *batch = pilot->call.batch;
    struct knn_worker *worker = &pilot->call.worker[thread];
    struct ct_schedule *schedule = &worker->search.schedule;
    int begin = (int)((double)batch->count / PILOT * number);
    *schedule = ct_schedule_start(batch);
    worker->last_distance = INFINITY;
    answer_block(&pilot->call, thread, begin,
                 ct_schedule_size(schedule, batch, begin, batch->count, pilot->call.block_max));
    pilot->scan_pays[number] = ct_schedule_scans(schedule);
}

/* Whether a scan of all points pays for most of the blocks of a pilot. */
static int scan_pays(const struct ct_host *host, const struct ct_batch *batch,
                     const struct ct_result_lines *lines)
{
    struct knn_pilot pilot = {.call = {.batch = batch, .k = lines->k, .lines = *lines}};
    struct ct_host silent = *host;
    int threads = batch->threads < PILOT ? batch->threads : PILOT, votes = 0;
    if (batch->mode == CT_SEARCH_SCAN)
        return 1;
    silent.progress = NULL;
    init_workers(host, &pilot.call, threads);
    ct_parallel_for(&silent, PILOT, threads, answer_pilot_block, &pilot);
    add_statistics(&pilot.call, threads);
    for (int i = 0; i < PILOT; i++)
        votes += pilot.scan_pays[i];
    return votes > PILOT / 2;
}

/* Answers all own points by the searches that are made for them. The points that remain are a batch
 * of their own, with the same lines. With fewer of them than tiles they are far apart, so each is
 * answered alone. If all but a few remain, the progress before does not count. */
static void answer_own_points(const struct ct_host *host, const struct ct_batch *batch,
                              const struct ct_result_lines *lines)
{
    struct ct_host part = ct_host_part(host, 0, OWN_SHARE);
    struct ct_batch rest = *batch;
    int *order = host->alloc((size_t)batch->count, sizeof *order);
    if (ct_suits_own_points(batch, lines->k))
        rest.count = ct_own_points_knn(&part, batch, lines, order);
    if (rest.count < batch->count / CT_LANES)
        rest.block = 1;
    if (rest.count > MOST_REMAIN * batch->count && ct_suits_own_products(batch, lines->k) &&
        scan_pays(&part, batch, lines))
        rest.count = ct_own_products_knn(&part, batch, lines, order);
    rest.order = rest.count < batch->count ? order : NULL;
    rest.ld = lines->ld;
    part = ct_host_part(host, rest.count < OWN_SHARE * batch->count ? OWN_SHARE : 0, 1);
    if (rest.count > 0)
        run_knn(&part, (struct knn_call){.batch = &rest, .k = lines->k, .lines = *lines});
    ct_report(host, 1);
}

void ct_knn(const struct ct_host *host, const struct ct_batch *batch, int k, double missing,
            int *index, double *distance)
{
    struct ct_result_lines lines = {index, distance, batch->ld > 0 ? batch->ld : batch->count,
                                    k,     missing,  0};
    if (ct_suits_depth_first(batch)) {
        ct_depth_first_knn(host, batch, &lines);
        return;
    }
    if (batch->count == lines.ld)
        ct_compact_lines(&lines);
    if (ct_suits_own_points(batch, k) || ct_suits_own_products(batch, k))
        answer_own_points(host, batch, &lines);
    else if (ct_suits_result_order(batch, &lines))
        run_in_order(host, (struct knn_call){.batch = batch, .k = k, .lines = lines});
    else
        run_knn(host, (struct knn_call){.batch = batch, .k = k, .lines = lines});
    ct_expand_lines(host, &lines, batch->threads);
}

void ct_knn_to_sink(const struct ct_host *host, const struct ct_batch *batch, int k,
                    const struct ct_result_sink *sink)
{
    run_knn(host, (struct knn_call){.batch = batch, .k = k, .sink = sink});
}
