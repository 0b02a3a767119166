/* own_points.c: see own_points.h.
 *
 * For each cell:
 *   thresholds   the k nearest points of each point among the tiles next to its tile give a first
 *                threshold; a kernel computes those of all points of a tile together;
 *   cell         a traversal lists the tiles within the largest threshold of the cell's box;
 *   tile         of these, the tiles around a tile of the cell are copied side by side;
 *   query        of these, each point of the tile scans those within its own threshold.
 * Thresholds include the rounding margin of float32 (tree/tiles.h), so that every point that is
 * not farther than the k-th neighbor is a candidate: exact distances and rows decide.
 */
#include "core/search/own_points.h"
#include "core/search/nearby_tiles.h"
#include "core/search/seed.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    MAX_K = 16,         /* the largest k */
    SPARE = 64,         /* candidates of a query beyond k */
    PILOT = 32,         /* cells that are answered first, at most, and */
    PILOT_STEP = 16,    /* one in this number of cells */
    LEAST_POINTS = 2048 /* with fewer points, the general search costs little */
};

/* Requests the cache line of an address that will be written. */
#ifdef __GNUC__
#define CT_PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define CT_PREFETCH(address) (void)(address)
#endif

/* The other cells are left as well if the pilot leaves a larger share of its points, or scans more
 * tiles for a point: then the query groups of the general search are faster. */
static const double MOST_LEFT = 0.25, MOST_TILES = 80;

/* The scratch of a thread. */
struct own_worker {
    struct ct_nearby_search nearby;
    float *threshold;              /* [CT_CELL_TILES x CT_LANES] of the points of the cell */
    float least[MAX_K * CT_LANES]; /* [k x CT_LANES] smallest squares of a tile */
    float *q;                      /* [d] a point */
    struct ct_candidates candidates[CT_LANES]; /* of the points of a tile */
    int order[CT_ORDER_MAX];       /* the candidates of a point by float32 square: their indices, */
    double distance[CT_ORDER_MAX]; /* exact distances */
    int row[CT_ORDER_MAX];         /* and rows */
    struct ct_search_recorder recorder;
    struct ct_search_work work;
};

/* One call. */
struct own_call {
    const struct ct_batch *batch;
    const struct ct_kernels *kernels; /* for the norm of the metric */
    struct ct_result_lines lines;
    struct ct_f32_margin margin;
    struct own_worker *worker; /* [threads] */
    const int *cell;           /* [cells] nodes */
    int pilot;                 /* whether the pilot runs: every step-th cell; then all others */
    int step;
    unsigned char *left; /* [n] by position: not 0 for a point that is not answered */
};

int ct_suits_own_points(const struct ct_batch *batch, int k)
{
    int plain = !batch->query && !batch->order && !batch->predecessors && !batch->slot &&
                !batch->max_distance && !batch->start && !batch->removed && !batch->budget &&
                !batch->filter && !batch->with_self;
    return plain && batch->epsilon == 0 && batch->block == 0 && batch->mode != CT_SEARCH_SCAN &&
           batch->metric.measure == CT_NORM && k <= MAX_K && batch->count >= LEAST_POINTS;
}

/* ---- thresholds ------------------------------------------------------------- */

/* The tiles around a tile that give the first thresholds: more for a larger k, until they have
 * more than k points or are all tiles. */
static struct ct_tile_span tiles_around(const struct ct_tiles *tiles, int tile, int k)
{
    int reach = (k + 2) / 4;
    struct ct_tile_span span = {tile - reach, tile + reach + 1};
    for (;; span.first--, span.end++) {
        span.first = span.first > 0 ? span.first : 0;
        span.end = span.end < tiles->count ? span.end : tiles->count;
        if (tiles->begin[span.end] - tiles->begin[span.first] > k ||
            span.end - span.first == tiles->count)
            return span;
    }
}

/* Sets the float32 threshold of each point of a tile, from the k nearest points in the tiles
 * around it. Returns the largest one. */
static float set_thresholds(const struct own_call *call, struct own_worker *worker, int tile,
                            float *threshold)
{
    const struct ct_tree *t = call->batch->tree;
    const struct ct_tiles *tiles = t->tiles;
    int k = call->lines.k;
    size_t size = (size_t)t->d * CT_LANES;
    struct ct_tile_span span = tiles_around(tiles, tile, k);
    float most = 0;
    for (int i = 0; i < k * CT_LANES; i++)
        worker->least[i] = INFINITY;
    for (int other = span.first; other < span.end; other++)
        call->kernels->insert_tile(tiles->x + tile * size, tiles->x + other * size, t->d,
                                   tiles->begin[other + 1] - tiles->begin[other], k, worker->least);
    worker->work.tiles += (long long)(span.end - span.first) * CT_LANES;
    for (int i = 0; i < tiles->begin[tile + 1] - tiles->begin[tile]; i++) {
        threshold[i] = ct_f32_widen(call->margin, worker->least[(k - 1) * CT_LANES + i]);
        most = threshold[i] > most ? threshold[i] : most;
    }
    return most;
}

/* ---- the points of a tile --------------------------------------------------- */

/* Requests the lines of the results of a row, which no other query has used. */
static void prefetch_line(const struct ct_result_lines *lines, int line)
{
    int k = lines->k, step = line < lines->compact ? k - 1 : 1;
    for (int j = 0; j < k; j += step) {
        size_t place = ct_line_place(lines, line, j);
        CT_PREFETCH(lines->index + place);
        CT_PREFETCH(lines->distance + place);
    }
}

/* Scans the tiles within the threshold of point i of a tile. Returns 0 if there are too many
 * candidates. */
static int scan_for_point(const struct own_call *call, struct own_worker *worker, int tile, int i,
                          float threshold)
{
    int d = call->batch->tree->d;
    const float *x = worker->nearby.tile.x + (size_t)tile * d * CT_LANES;
    struct ct_candidates *candidates = &worker->candidates[i];
    for (int j = 0; j < d; j++)
        worker->q[j] = x[j * CT_LANES + i];
    candidates->count = 0;
    candidates->threshold = threshold;
    int found = call->kernels->scan_nearby(&worker->nearby.tile, d, worker->q, candidates);
    worker->work.boxes += worker->nearby.tile.count;
    worker->work.tiles += found > 0 ? found : 0;
    return found >= 0 && candidates->count > call->lines.k;
}

/* Orders the candidates of a point by their float32 squares. Returns how many of them may be the
 * point itself or one of the k nearest: the squares of the others exceed the (k + 1)-th by more
 * than the rounding margin, and by more than the bits that the order does not compare. */
static int nearest_candidates(const struct own_call *call, struct own_worker *worker,
                              const struct ct_candidates *candidates)
{
    const float omitted = 1 + 2 * CT_ORDER_MAX * FLT_EPSILON;
    int k = call->lines.k, count = k + 1;
    call->kernels->order_candidates(candidates, worker->order);
    float most = ct_f32_widen(call->margin, candidates->sq[worker->order[k]] * omitted) * omitted;
    while (count < candidates->count && candidates->sq[worker->order[count]] <= most)
        count++;
    return count;
}

/* Squared distances [count] of the point at position `self` to others. Inlined for constant d. */
static inline void exact_squares(const struct ct_tree *t, int d, const int *pos, int count,
                                 int self, double *sq)
{
    const double *x = t->points, *y = x + t->n, *z = d > 2 ? y + t->n : y;
    const double x0 = x[self], y0 = y[self], z0 = z[self];
    for (int c = 0; c < count; c++) {
        double a = x[pos[c]] - x0, b = y[pos[c]] - y0, e = z[pos[c]] - z0;
        sq[c] = d > 2 ? a * a + b * b + e * e : a * a + b * b;
    }
}

/* Computes the exact distances and the rows of the first `count` candidates of a point at position
 * `self`, without the point itself. Returns their number. */
static int exact_distances(const struct ct_tree *t, enum ct_norm norm, struct own_worker *worker,
                           const int *candidate, int count, int self)
{
    size_t n = (size_t)t->n;
    int *pos = worker->row, found = 0;
    double *distance = worker->distance;
    for (int c = 0; c < count; c++)
        pos[c] = candidate[worker->order[c]];
    if (norm == CT_EUCLIDEAN && t->d == 3)
        exact_squares(t, 3, pos, count, self, distance);
    else if (norm == CT_EUCLIDEAN && t->d == 2)
        exact_squares(t, 2, pos, count, self, distance);
    else
        for (int c = 0; c < count; c++)
            distance[c] = ct_norm_sq(norm, t->points + pos[c], n, t->points + self, n, t->d);
    for (int c = 0; c < count; c++) {
        double root = sqrt(distance[c]);
        int other = pos[c];
        distance[found] = root;
        worker->row[found] = t->row[other];
        found += other != self;
    }
    return found;
}

/* Sorts by (distance, row) what is sorted by float32 squares: almost nothing moves. */
static void insertion_sort(double *distance, int *row, int count)
{
    for (int i = 1; i < count; i++)
        for (int j = i; j > 0 && (distance[j] < distance[j - 1] ||
                                  (distance[j] == distance[j - 1] && row[j] < row[j - 1]));
             j--) {
            double keep = distance[j];
            int keep_row = row[j];
            distance[j] = distance[j - 1];
            row[j] = row[j - 1];
            distance[j - 1] = keep;
            row[j - 1] = keep_row;
        }
}

/* Stores the k nearest of the candidates of point i of a tile, which is at position pos. */
static void answer_point(const struct own_call *call, struct own_worker *worker, int i, int pos)
{
    int found = nearest_candidates(call, worker, &worker->candidates[i]);
    int count = exact_distances(call->batch->tree, call->batch->metric.norm, worker,
                                worker->candidates[i].pos, found, pos);
    worker->work.distances += count;
    insertion_sort(worker->distance, worker->row, count);
    ct_store_line(&call->lines, call->batch->tree->row[pos] - 1, worker->row, worker->distance,
                  call->lines.k);
}

/* Answers the points of a tile, except those with too many candidates. */
static void answer_tile(const struct own_call *call, struct own_worker *worker, int tile,
                        const float *threshold, float most)
{
    const struct ct_tiles *tiles = call->batch->tree->tiles;
    int begin = tiles->begin[tile], count = tiles->begin[tile + 1] - begin;
    ct_list_around_tile(&worker->nearby, tile, most);
    ct_search_end_phase(&worker->recorder, CT_PHASE_DESCENT);
    for (int i = 0; i < count; i++)
        prefetch_line(&call->lines, call->batch->tree->row[begin + i] - 1);
    for (int i = 0; i < count; i++)
        call->left[begin + i] = !scan_for_point(call, worker, tile, i, threshold[i]);
    ct_search_end_phase(&worker->recorder, CT_PHASE_SCAN);
    for (int i = 0; i < count; i++)
        if (!call->left[begin + i])
            answer_point(call, worker, i, begin + i);
    ct_search_end_phase(&worker->recorder, CT_PHASE_SELECTION);
}

/* Answers the points of a cell, or leaves them all. */
static void answer_cell(void *data, int number, int thread)
{
    const struct own_call *call = data;
    struct own_worker *worker = &call->worker[thread];
    const struct ct_tree *t = call->batch->tree;
    const struct ct_tiles *tiles = t->tiles;
    int cell = call->cell[call->pilot ? number * call->step : number];
    int first = tiles->first_tile[cell];
    int count = ct_count_tiles(tiles, cell), begin = ct_node_begin(t, cell);
    float most[CT_CELL_TILES], all = 0;
    if (!call->pilot && number % call->step == 0)
        return;
    memset(call->left + begin, 1, (size_t)(ct_node_end(t, cell) - begin));
    if (count > CT_CELL_TILES || t->level[cell] == CT_NO_LEVEL)
        return;
    for (int i = 0; i < count; i++) {
        most[i] = set_thresholds(call, worker, first + i, worker->threshold + i * CT_LANES);
        all = most[i] > all ? most[i] : all;
    }
    ct_search_end_phase(&worker->recorder, CT_PHASE_SEED);
    if (ct_list_around_cell(&worker->nearby, cell, all, &worker->work))
        for (int i = 0; i < count; i++)
            answer_tile(call, worker, first + i, worker->threshold + i * CT_LANES, most[i]);
    ct_search_record_block(&worker->recorder, CT_BLOCK);
    ct_search_record_work(&worker->recorder, &worker->work);
}

/* ---- the call --------------------------------------------------------------- */

static void init_worker(const struct ct_host *host, const struct own_call *call,
                        struct own_worker *worker)
{
    const struct ct_tree *t = call->batch->tree;
    size_t d = (size_t)t->d, size = (size_t)call->lines.k + SPARE + CT_CANDIDATE_PAD;
    *worker = (struct own_worker){
        .threshold = host->alloc((size_t)CT_CELL_TILES * CT_LANES, sizeof(float)),
        .q = host->alloc(d, sizeof(float)),
        .recorder = ct_search_recorder_start(call->batch->stats != NULL),
    };
    ct_nearby_init(host, t, call->kernels, &worker->nearby);
    for (int i = 0; i < CT_LANES; i++)
        worker->candidates[i] = (struct ct_candidates){.sq = host->alloc(size, sizeof(float)),
                                                       .pos = host->alloc(size, sizeof(int)),
                                                       .capacity = call->lines.k + SPARE,
                                                       .max_row = INT_MAX};
}

/* Whether the pilot justifies to answer the other cells. */
static int is_worth_it(const struct own_call *call, int cells)
{
    const struct ct_tree *t = call->batch->tree;
    double points = 0, left = 0, tiles = 0;
    for (int i = 0; i < cells; i += call->step)
        for (int pos = ct_node_begin(t, call->cell[i]); pos < ct_node_end(t, call->cell[i]);
             pos++) {
            points++;
            left += call->left[pos];
        }
    for (int thread = 0; thread < call->batch->threads; thread++)
        tiles += (double)call->worker[thread].recorder.stats.tiles;
    return left <= MOST_LEFT * points && tiles <= MOST_TILES * points;
}

int ct_own_points_knn(const struct ct_host *host, const struct ct_batch *batch,
                      const struct ct_result_lines *lines, int *rest)
{
    const struct ct_tree *t = batch->tree;
    int *cell = host->alloc((size_t)t->tiles->count, sizeof *cell), count = 0;
    int cells = ct_list_cells(t, cell), step = cells / PILOT + PILOT_STEP;
    struct own_call call = {
        .batch = batch,
        .kernels = ct_norm_kernels(batch->kernels, batch->metric.norm),
        .lines = *lines,
        .margin = ct_f32_margin(t->tiles, batch->metric.norm),
        .worker = host->alloc((size_t)batch->threads, sizeof *call.worker),
        .cell = cell,
        .left = host->alloc((size_t)t->n, 1),
        .pilot = 1,
        .step = step,
    };
    memset(call.left, 1, (size_t)t->n);
    for (int thread = 0; thread < batch->threads; thread++)
        init_worker(host, &call, &call.worker[thread]);
    struct ct_host silent = *host;
    silent.progress = NULL;
    ct_parallel_for(&silent, (cells + step - 1) / step, batch->threads, answer_cell, &call);
    call.pilot = 0;
    if (is_worth_it(&call, cells))
        ct_parallel_for(host, cells, batch->threads, answer_cell, &call);
    for (int pos = 0; pos < t->n; pos++)
        if (call.left[pos])
            rest[count++] = pos;
    for (int thread = 0; batch->stats && thread < batch->threads; thread++)
        ct_search_stats_add(batch->stats, &call.worker[thread].recorder.stats);
    return count;
}
