/* own_products.c: see own_products.h.
 *
 * Four steps, each shared by all threads:
 *   pack        the float32 coordinates in blocks of CT_LANES adjacent positions, without gaps;
 *   thresholds  the k nearest of the points in the same and in the next blocks give each point a
 *               first threshold;
 *   pairs       for each pair of slabs: two blocks of one slab stay in the cache nearest to the
 *               processor while all points of the other slab multiply by them;
 *   answers     exact distances of the candidates within the last threshold.
 * A product is a candidate of both points. Which candidates a buffer has, depends on the order of
 * the pairs; the answers do not, because a threshold is never below the k-th distance.
 */
#include "core/search/own_products.h"
#include "core/search/slab_pairs.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "core/tree/tiles.h"
#include "core/util/aligned.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum {
    LEAST_D = 16,          /* with fewer coordinates, differences are as fast */
    MOST_D = 1 << 13,      /* with more, a pair of slabs takes too long between two polls */
    LEAST_N = 2048,        /* with fewer points, the general search costs little */
    MOST_N = 1 << 22,      /* with more, there are too many pairs */
    MAX_K = 32,            /* the largest k */
    SPARE = 28,            /* candidates beyond 2 k */
    SLAB_FLOATS = 1 << 16, /* coordinates of a slab, if it then has between */
    SLAB_MIN = 256,        /* this number of points */
    SLAB_MAX = 2048,       /* and this one */
    TASK = 128,            /* points of a task of the other steps, a multiple of CT_LANES */
    STEP = 8               /* a point is left if more than 1 / STEP of its buffer remains free */
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

/* One call. Arrays of points have an element for each position up to a multiple of CT_PAIR. */
struct products_call {
    const struct ct_batch *batch;
    const struct ct_kernels *kernels;
    struct ct_result_lines lines;
    struct products_worker *worker; /* [threads] */
    int blocks;                     /* blocks of CT_LANES points, an even number */
    int slab;                       /* points of a slab, a multiple of CT_PAIR */
    int capacity;                   /* of a candidate buffer */
    float error;                    /* bound of the error of a square [tile units] */
    float *x;                       /* [blocks x d x CT_LANES]; NaN for absent points */
    float *half;                    /* minus half the squared norm of each point, and */
    float *half_sq;                 /* half the squared norm [tile units] */
    float *near; /* half the threshold of squares; -INFINITY for absent points and points left */
    int *count;  /* candidates of each point */
    float *sq;   /* [capacity] squares of the candidates of each point [tile units], */
    int *pos;    /* [capacity] and their positions */
    struct ct_slab_pairs pairs;
};

int ct_suits_own_products(const struct ct_batch *batch, int k)
{
    int n = batch->tree->n, d = batch->tree->d;
    int plain = !batch->query && !batch->order && !batch->predecessors && !batch->slot &&
                !batch->max_distance && !batch->start && !batch->removed && !batch->budget &&
                !batch->filter && !batch->with_self && batch->epsilon == 0 && batch->block == 0;
    return plain && batch->mode != CT_SEARCH_TREE && batch->metric.norm == CT_EUCLIDEAN &&
           batch->metric.measure == CT_NORM && d >= LEAST_D && d <= MOST_D && n >= LEAST_N &&
           n <= MOST_N && k <= MAX_K && batch->count == n;
}

/* ---- packing ---------------------------------------------------------------- */

/* Copies the points of a tile to their positions. */
static void pack_tile(const struct products_call *call, int tile)
{
    const struct ct_tiles *tiles = call->batch->tree->tiles;
    int d = call->batch->tree->d, begin = tiles->begin[tile];
    int size = tiles->begin[tile + 1] - begin;
    int lane = begin % CT_LANES, head = size < CT_LANES - lane ? size : CT_LANES - lane;
    const float *from = tiles->x + (size_t)tile * d * CT_LANES;
    float *to = call->x + (size_t)(begin / CT_LANES) * d * CT_LANES;
    for (int j = 0; j < d; j++, from += CT_LANES, to += CT_LANES) {
        for (int i = 0; i < head; i++)
            to[lane + i] = from[i];
        for (int i = head; i < size; i++)
            to[(size_t)d * CT_LANES + i - head] = from[i];
    }
}

static void pack_tiles(void *data, int number, int thread)
{
    const struct products_call *call = data;
    int count = call->batch->tree->tiles->count, first = number * TASK;
    (void)thread;
    for (int tile = first; tile < count && tile < first + TASK; tile++)
        pack_tile(call, tile);
}

/* Sets the norms of all points and the error of a square. */
static void set_norms(struct products_call *call)
{
    int d = call->batch->tree->d, size = call->blocks * CT_LANES;
    float most = 0;
    call->kernels->half_squares(call->x, d, call->blocks, call->half);
    for (int i = 0; i < size; i++) {
        call->half_sq[i] = -call->half[i];
        most = call->half_sq[i] > most ? call->half_sq[i] : most;
    }
    double norm_sq = 2 * most * (1 + (d + 8) * FLT_EPSILON);
    call->error = (float)(1.5 * (d + 8) * FLT_EPSILON * 4 * norm_sq + FLT_MIN);
}

/* Packs all points. Points that are absent, behind the last one, are NaN. */
static void pack_points(const struct ct_host *host, struct products_call *call)
{
    const struct ct_tree *t = call->batch->tree;
    int n = t->n, size = call->blocks * CT_LANES;
    for (int i = n; i < size; i++)
        for (int j = 0; j < t->d; j++)
            call->x[(size_t)(i / CT_LANES) * t->d * CT_LANES + j * CT_LANES + i % CT_LANES] = NAN;
    ct_parallel_for(host, t->tiles->count / TASK + 1, call->batch->threads, pack_tiles, call);
    set_norms(call);
}

/* ---- thresholds ------------------------------------------------------------- */

/* Returns half of the threshold of squares by products that follows from k such squares of at most
 * sq: or of k float32 squares of tiles, if sq is less by the error. */
static float half_threshold(const struct products_call *call, float sq)
{
    return (ct_f32_widen(call->batch->tree->tiles, CT_EUCLIDEAN, sq + call->error) + call->error) /
           2;
}

/* Sets the first threshold of each point of a block. A point is left if the error is not small
 * compared with its threshold: it changes the threshold by a factor of 1 + 1 / (2 d) at most. */
static void set_thresholds(const struct products_call *call, int block)
{
    int d = call->batch->tree->d, n = call->batch->tree->n, k = call->lines.k;
    int reach = (k + 2) / 4, last = (n - 1) / CT_LANES;
    int first = block - reach > 0 ? block - reach : 0;
    size_t size = (size_t)d * CT_LANES;
    float least[MAX_K * CT_LANES];
    for (int i = 0; i < k * CT_LANES; i++)
        least[i] = INFINITY;
    for (int other = first; other <= last && other <= block + reach; other++) {
        int points = n - other * CT_LANES;
        call->kernels->insert_tile(call->x + block * size, call->x + other * size, d,
                                   points < CT_LANES ? points : CT_LANES, k, least);
    }
    for (int i = 0; i < CT_LANES; i++) {
        float near = half_threshold(call, least[(k - 1) * CT_LANES + i]);
        int permitted = near < INFINITY && call->error * 4 * d <= near;
        call->near[block * CT_LANES + i] = permitted && block * CT_LANES + i < n ? near : -INFINITY;
    }
}

static void set_first_thresholds(void *data, int number, int thread)
{
    const struct products_call *call = data;
    int first = number * (TASK / CT_LANES), end = first + TASK / CT_LANES;
    for (int block = first; block < end && block < call->blocks; block++)
        set_thresholds(call, block);
    ct_search_end_phase(&call->worker[thread].recorder, CT_PHASE_SEED);
}

/* Lowers the threshold of a point to about the k-th of its candidates, and drops the candidates
 * beyond it. A point that keeps almost all is left. */
static void tighten(const struct products_call *call, struct products_worker *worker, int point)
{
    struct ct_candidates *list = &worker->list;
    int k = call->lines.k, most = call->capacity - call->capacity / STEP;
    float *sq = call->sq + (size_t)point * call->capacity;
    int *pos = call->pos + (size_t)point * call->capacity;
    list->count = call->count[point];
    list->threshold = 2 * call->near[point];
    if (list->count < k)
        return;
    memcpy(list->sq, sq, (size_t)list->count * sizeof *sq);
    memcpy(list->pos, pos, (size_t)list->count * sizeof *pos);
    float near = half_threshold(call, call->kernels->find_threshold(list, k, k + k / 8 + 1));
    if (near < call->near[point])
        call->near[point] = near;
    call->kernels->compact(list, 2 * call->near[point]);
    if (list->count > most) {
        call->near[point] = -INFINITY;
        list->count = 0;
    }
    memcpy(sq, list->sq, (size_t)list->count * sizeof *sq);
    memcpy(pos, list->pos, (size_t)list->count * sizeof *pos);
    call->count[point] = list->count;
}

/* ---- pairs of slabs --------------------------------------------------------- */

/* Appends a candidate to the buffer of a point, if it is within the threshold. */
static inline void append(const struct products_call *call, struct products_worker *worker,
                          int point, int other, float sq)
{
    if (!(sq <= 2 * call->near[point]))
        return;
    size_t at = (size_t)point * call->capacity + call->count[point];
    call->sq[at] = sq;
    call->pos[at] = other;
    if (++call->count[point] == call->capacity)
        tighten(call, worker, point);
}

/* Multiplies CT_GROUP points from `q` on by CT_PAIR points from `x` on. Two points of the same
 * slab meet twice, and count once. */
static void multiply(const struct products_call *call, struct products_worker *worker, int q, int x)
{
    int d = call->batch->tree->d;
    float value[CT_GROUP * CT_PAIR];
    unsigned within[CT_GROUP];
    unsigned any = call->kernels->mutual_products(
        call->x + (size_t)x * d, d, call->half + x, call->near + x,
        call->x + (size_t)(q / CT_LANES) * d * CT_LANES + q % CT_LANES, call->half_sq + q,
        call->near + q, value, within);
    for (; any; any &= any - 1) {
        int i = __builtin_ctz(any), point = q + i;
        for (unsigned bits = within[i]; bits; bits &= bits - 1) {
            int lane = __builtin_ctz(bits), other = x + lane;
            float half = call->half_sq[point] - value[i * CT_PAIR + lane];
            float sq = half > 0 ? 2 * half : 0;
            if (other <= point)
                continue;
            append(call, worker, point, other, sq);
            append(call, worker, other, point, sq);
        }
    }
}

/* Evaluates all pairs of points of two slabs. In the same slab, groups behind a pair of blocks have
 * met its points before. */
static void evaluate_slabs(const struct products_call *call, struct products_worker *worker,
                           const int *slab)
{
    int size = call->blocks * CT_LANES, q_begin = slab[0] * call->slab;
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
        total += call->count[point];
    for (int c = 0; c < total; c++)
        worker->sq[c] = 0;
    for (int j = 0; j < t->d; j++) {
        const double *column = t->points + (size_t)j * t->n;
        for (int point = begin, c = 0; point < end; point++)
            for (int stop = c + call->count[point]; c < stop; c++) {
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
        tighten(call, worker, point);
        const int *pos = call->pos + (size_t)point * call->capacity;
        for (int c = 0; c < call->count[point]; c++) {
            worker->row[total] = t->row[pos[c]];
            worker->pos[total++] = pos[c];
        }
    }
    exact_squares(call, worker, begin, end);
    for (int point = begin, c = 0; point < end; c += call->count[point++]) {
        if (call->near[point] < 0)
            continue;
        ct_sort_neighbors(worker->sq + c, worker->row + c, call->count[point], call->kernels);
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
    size_t size = (size_t)TASK * (size_t)call->capacity;
    size_t padded = (size_t)call->capacity + CT_CANDIDATE_PAD;
    *worker = (struct products_worker){
        .list = {.sq = host->alloc(padded, sizeof(float)),
                 .pos = host->alloc(padded, sizeof(int)),
                 .capacity = call->capacity},
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
    int n = batch->tree->n, d = batch->tree->d, pairs = (n + CT_PAIR - 1) / CT_PAIR;
    int slab = SLAB_FLOATS / d / CT_PAIR * CT_PAIR, capacity = 2 * lines->k + SPARE;
    slab = slab < SLAB_MIN ? SLAB_MIN : slab > SLAB_MAX ? SLAB_MAX : slab;
    size_t size = (size_t)pairs * CT_PAIR;
    struct products_call call = {
        .batch = batch,
        .kernels = ct_norm_kernels(batch->kernels, CT_EUCLIDEAN),
        .lines = *lines,
        .worker = host->alloc((size_t)batch->threads, sizeof *call.worker),
        .blocks = pairs * (CT_PAIR / CT_LANES),
        .slab = slab,
        .capacity = capacity,
        .x = ct_alloc_aligned(host, size * (size_t)d, sizeof(float)),
        .half = ct_alloc_aligned(host, size, sizeof(float)),
        .half_sq = ct_alloc_aligned(host, size, sizeof(float)),
        .near = ct_alloc_aligned(host, size, sizeof(float)),
        .count = host->alloc(size, sizeof(int)),
        .sq = host->alloc((size_t)n * (size_t)capacity, sizeof(float)),
        .pos = host->alloc((size_t)n * (size_t)capacity, sizeof(int)),
        .pairs = ct_slab_pairs_new(host, (n + slab - 1) / slab, batch->threads),
    };
    for (int thread = 0; thread < batch->threads; thread++)
        init_worker(host, &call, &call.worker[thread]);
    memset(call.count, 0, size * sizeof(int));
    return call;
}

/* Lists the points left. Returns their number. */
static int list_left(const struct products_call *call, int *rest)
{
    int count = 0;
    for (int pos = 0; pos < call->batch->tree->n; pos++)
        if (call->near[pos] < 0)
            rest[count++] = pos;
    return count;
}

int ct_own_products_knn(const struct ct_host *host, const struct ct_batch *batch,
                        const struct ct_result_lines *lines, int *rest)
{
    int n = batch->tree->n, threads = batch->threads;
    struct products_call call = new_call(host, batch, lines);
    struct ct_host silent = *host;
    silent.progress = NULL;
    pack_points(&silent, &call);
    ct_parallel_for(&silent, (call.blocks * CT_LANES + TASK - 1) / TASK, threads,
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
