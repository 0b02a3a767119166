/* own_products.c: see own_products.h.
 *
 * Four steps, which all threads share:
 *   pack        the float32 coordinates (product_points.h);
 *   thresholds  the k nearest of the points in the same and in the next blocks give each point a
 *               first threshold;
 *   pairs       for each pair of slabs: two blocks of one slab stay in the cache nearest to the
 *               processor while all points of the other slab multiply by them;
 *   answers     exact distances of the candidates within the last threshold.
 * A product is a candidate of both points. Which candidates a buffer has, depends on the order of
 * the pairs; the answers do not, because a threshold is never below the k-th distance.
 */
#include "core/search/own_products.h"
#include "core/search/product_points.h"
#include "core/search/slab_pairs.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "core/tree/tiles.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum {
    LEAST_D = 16,          /* with fewer coordinates, differences are as fast */
    MOST_D = 1 << 13,      /* with more, a pair of slabs takes too long between two polls */
    LEAST_N = 2048,        /* with fewer points, the general search costs little */
    MOST_N = 1 << 22,      /* with more, there are too many pairs */
    SLAB_FLOATS = 1 << 16, /* coordinates of a slab, if it then has between */
    SLAB_MIN = 256,        /* this number of points */
    SLAB_MAX = 2048,       /* and this one */
    TASK = 128             /* points of a task of the other steps, a multiple of CT_LANES */
};

/* All points are left if a larger share of them would be left before the pairs. */
static const double MOST_LEFT = 0.1;

/* The scratch of a thread. */
struct products_worker {
    struct ct_candidates list; /* [capacity] of the point whose threshold is lowered */
    double *sq;                /* [TASK * capacity + CT_SELECT_PAD] and */
    int *pos, *row;            /* [TASK * capacity] of the candidates of a task */
    struct ct_search_recorder recorder;
    struct ct_search_work work;
};

/* One call. */
struct products_call {
    const struct ct_batch *batch;
    const struct ct_kernels *kernels;
    struct ct_result_lines lines;
    struct products_worker *worker; /* [threads] */
    int slab;                       /* points of a slab, a multiple of CT_PAIR */
    struct ct_product_points points;
    struct ct_slab_pairs pairs;
};

/* Squared distances must not overflow: then rows alone decide. */
int ct_suits_own_products(const struct ct_batch *batch, int k)
{
    double most = 2 * batch->tree->tiles->inverse_scale;
    int n = batch->tree->n, d = batch->tree->d;
    int plain = !batch->query && !batch->order && !batch->predecessors && !batch->slot &&
                !batch->max_distance && !batch->start && !batch->removed && !batch->budget &&
                !batch->filter && !batch->with_self && batch->epsilon == 0 && batch->block == 0;
    return plain && batch->mode != CT_SEARCH_TREE && batch->metric.norm == CT_EUCLIDEAN &&
           batch->metric.measure == CT_NORM && d >= LEAST_D && d <= MOST_D && n >= LEAST_N &&
           n <= MOST_N && k <= CT_PRODUCT_MAX_K && batch->count == n && d * most * most < DBL_MAX;
}

static void set_first_thresholds(void *data, int number, int thread)
{
    const struct products_call *call = data;
    int first = number * (TASK / CT_LANES), end = first + TASK / CT_LANES;
    for (int block = first; block < end && block < call->points.blocks; block++)
        ct_product_thresholds(&call->points, block);
    ct_search_end_phase(&call->worker[thread].recorder, CT_PHASE_SEED);
}

/* ---- pairs of slabs --------------------------------------------------------- */

/* Multiplies CT_GROUP points from `q` on by CT_PAIR points from `x` on. Two points of the same
 * slab meet twice, and count once. */
static void multiply(const struct products_call *call, struct products_worker *worker, int q, int x)
{
    int d = call->batch->tree->d;
    float value[CT_GROUP * CT_PAIR];
    unsigned within[CT_GROUP];
    unsigned any = call->kernels->mutual_products(
        call->points.x + (size_t)x * d, d, call->points.half + x, call->points.half_threshold + x,
        call->points.x + (size_t)(q / CT_LANES) * d * CT_LANES + q % CT_LANES,
        call->points.half_sq + q, call->points.half_threshold + q, value, within);
    for (; any; any &= any - 1) {
        int i = __builtin_ctz(any), point = q + i;
        for (unsigned bits = within[i]; bits; bits &= bits - 1) {
            int lane = __builtin_ctz(bits), other = x + lane;
            float half = call->points.half_sq[point] - value[i * CT_PAIR + lane];
            float sq = half > 0 ? 2 * half : 0;
            if (other <= point)
                continue;
            ct_product_append(&call->points, &worker->list, point, other, sq);
            ct_product_append(&call->points, &worker->list, other, point, sq);
        }
    }
}

/* Evaluates all pairs of points of two slabs. In the same slab, groups behind a pair of blocks have
 * met its points before. */
static void evaluate_slabs(const struct products_call *call, struct products_worker *worker,
                           const int *slab)
{
    int size = call->points.blocks * CT_LANES, q_begin = slab[0] * call->slab;
    int q_end = q_begin + call->slab < size ? q_begin + call->slab : size;
    int x_begin = slab[1] * call->slab;
    int x_end = x_begin + call->slab < size ? x_begin + call->slab : size;
    for (int x = x_begin; x < x_end; x += CT_PAIR) {
        int end = slab[0] < slab[1] ? q_end : x + CT_PAIR;
        for (int q = q_begin; q < end; q += CT_GROUP)
            multiply(call, worker, q, x);
        worker->work.tiles += (long long)(end - q_begin) * (CT_PAIR / CT_LANES);
    }
}

/* Runs the pair of a number, or one that waits. */
static void run_pair(struct products_call *call, int number, int thread)
{
    struct products_worker *worker = &call->worker[thread];
    int slab[2];
    if (!ct_claim_slab_pair(&call->pairs, number, slab))
        return;
    evaluate_slabs(call, worker, slab);
    ct_release_slab_pair(&call->pairs, slab);
    ct_search_end_phase(&worker->recorder, CT_PHASE_SCAN);
}

static void run_number(void *data, int number, int thread)
{
    run_pair(data, number, thread);
}

static void run_waiting(void *data, int number, int thread)
{
    (void)number;
    run_pair(data, -1, thread);
}

/* ---- answers ---------------------------------------------------------------- */

/* Adds up the squared distances of the candidates of points `begin` to `end`, whose positions are
 * worker->pos, one coordinate after the other as in ct_sqdist(): a column is read for all of them
 * at once. */
static void exact_squares(const struct products_call *call, struct products_worker *worker,
                          int begin, int end)
{
    const struct ct_tree *t = call->batch->tree;
    int total = 0;
    for (int point = begin; point < end; point++)
        total += call->points.count[point];
    for (int c = 0; c < total; c++)
        worker->sq[c] = 0;
    for (int j = 0; j < t->d; j++) {
        const double *column = t->points + (size_t)j * t->n;
        for (int point = begin, c = 0; point < end; point++)
            for (int stop = c + call->points.count[point]; c < stop; c++) {
                double gap = column[worker->pos[c]] - column[point];
                worker->sq[c] += gap * gap;
            }
    }
    worker->work.distances += total;
}

/* Answers the points of a task, except those left. */
static void answer_points(void *data, int number, int thread)
{
    const struct products_call *call = data;
    struct products_worker *worker = &call->worker[thread];
    const struct ct_tree *t = call->batch->tree;
    int begin = number * TASK, end = begin + TASK < t->n ? begin + TASK : t->n, total = 0;
    for (int point = begin; point < end; point++) {
        ct_product_tighten(&call->points, &worker->list, point);
        const int *pos = call->points.pos + (size_t)point * call->points.capacity;
        for (int c = 0; c < call->points.count[point]; c++) {
            worker->row[total] = t->row[pos[c]];
            worker->pos[total++] = pos[c];
        }
    }
    exact_squares(call, worker, begin, end);
    for (int point = begin, c = 0; point < end; c += call->points.count[point++]) {
        if (call->points.half_threshold[point] < 0)
            continue;
        ct_sort_neighbors(worker->sq + c, worker->row + c, call->points.count[point],
                          call->kernels);
        ct_store_line(&call->lines, t->row[point] - 1, worker->row + c, worker->sq + c,
                      call->lines.k);
    }
    worker->recorder.stats.scans += (end - begin + CT_BLOCK - 1) / CT_BLOCK;
    ct_search_record_work(&worker->recorder, &worker->work);
    ct_search_end_phase(&worker->recorder, CT_PHASE_SELECTION);
}

/* ---- the call --------------------------------------------------------------- */

static void init_worker(const struct ct_host *host, const struct products_call *call,
                        struct products_worker *worker)
{
    size_t size = (size_t)TASK * (size_t)call->points.capacity;
    size_t padded = (size_t)call->points.capacity + CT_CANDIDATE_PAD;
    *worker = (struct products_worker){
        .list = {.sq = host->alloc(padded, sizeof(float)),
                 .pos = host->alloc(padded, sizeof(int)),
                 .capacity = call->points.capacity},
        .sq = host->alloc(size + CT_SELECT_PAD, sizeof(double)),
        .pos = host->alloc(size, sizeof(int)),
        .row = host->alloc(size, sizeof(int)),
        .recorder = ct_search_recorder_start(call->batch->stats != NULL),
    };
}

/* Allocates what a call needs, and chooses the size of a slab. */
static struct products_call new_call(const struct ct_host *host, const struct ct_batch *batch,
                                     const struct ct_result_lines *lines)
{
    const struct ct_kernels *kernels = ct_norm_kernels(batch->kernels, CT_EUCLIDEAN);
    int n = batch->tree->n, slab = SLAB_FLOATS / batch->tree->d / CT_PAIR * CT_PAIR;
    slab = slab < SLAB_MIN ? SLAB_MIN : slab > SLAB_MAX ? SLAB_MAX : slab;
    struct products_call call = {
        .batch = batch,
        .kernels = kernels,
        .lines = *lines,
        .worker = host->alloc((size_t)batch->threads, sizeof *call.worker),
        .slab = slab,
        .points = ct_product_points_new(host, batch->tree, kernels, lines->k, batch->threads),
        .pairs = ct_slab_pairs_new(host, (n + slab - 1) / slab, batch->threads),
    };
    for (int thread = 0; thread < batch->threads; thread++)
        init_worker(host, &call, &call.worker[thread]);
    return call;
}

/* Lists the points left. Returns their number. */
static int list_left(const struct products_call *call, int *rest)
{
    int count = 0;
    for (int pos = 0; pos < call->batch->tree->n; pos++)
        if (call->points.half_threshold[pos] < 0)
            rest[count++] = pos;
    return count;
}

int ct_own_products_knn(const struct ct_host *host, const struct ct_batch *batch,
                        const struct ct_result_lines *lines, int *rest)
{
    int n = batch->tree->n, threads = batch->threads;
    struct ct_host silent = *host;
    silent.progress = NULL;
    struct products_call call = new_call(&silent, batch, lines);
    ct_parallel_for(&silent, (call.points.blocks * CT_LANES + TASK - 1) / TASK, threads,
                    set_first_thresholds, &call);
    if (list_left(&call, rest) > MOST_LEFT * n) {
        for (int pos = 0; pos < n; pos++)
            rest[pos] = pos;
        return n;
    }
    ct_parallel_for(host, call.pairs.count, threads, run_number, &call);
    while (call.pairs.waiting_count > 0)
        ct_parallel_for(&silent, call.pairs.waiting_count, threads, run_waiting, &call);
    ct_parallel_for(&silent, (n + TASK - 1) / TASK, threads, answer_points, &call);
    for (int thread = 0; batch->stats && thread < threads; thread++)
        ct_search_stats_add(batch->stats, &call.worker[thread].recorder.stats);
    return list_left(&call, rest);
}
