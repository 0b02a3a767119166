/* own_points.c: see own_points.h.
 *
 * For each cell:
 *   thresholds   the k nearest points of each point among the tiles next to its tile give a first
 *                threshold; a kernel computes those of all points of a tile together;
 *   cell         a traversal lists the tiles within the largest threshold of the cell's box;
 *   tile         of these, the tiles near a tile of the cell are copied side by side;
 *   query        of these, each point of the tile scans those within its own threshold.
 * Thresholds include the rounding margin of float32 (tree/tiles.h), so that every point that is
 * not farther than the k-th neighbor is a candidate: exact distances and rows decide.
 */
#include "core/search/own_points.h"
#include "core/search/box_list.h"
#include "core/search/seed.h"
#include "core/search/stats.h"
#include "core/simd/euclid.h"
#include "core/tree/tiles.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum {
    CELL_TILES = 32,  /* tiles of a cell, at most */
    NEAR_MAX = 512,   /* tiles near a cell, at most */
    MAX_K = 16,       /* the largest k */
    SPARE = 64,       /* candidates of a query beyond k */
    PILOT = 32,       /* cells that are answered first */
    FEW_POINTS = 2048 /* with fewer points, the general search costs little */
};

/* Requests the cache line of an address that will be written. */
#ifdef __GNUC__
#define CT_PREFETCH(address) __builtin_prefetch(address, 1)
#else
#define CT_PREFETCH(address) (void)(address)
#endif

/* With a larger share of the pilot not answered, the attempt costs more than it saves. */
static const double MOST_LEFT = 0.25;

/* The scratch of a thread. */
struct own_worker {
    struct ct_box_list level, next_level;   /* [nodes] nodes near the cell */
    struct ct_box_list tiles;               /* [NEAR_MAX] tiles near the cell */
    struct ct_near_tiles cell, near;        /* [NEAR_MAX] tiles near the cell, and near a tile */
    float *lower, *upper;                   /* [d] the box of the cell or tile */
    float *threshold;                       /* [CELL_TILES x CT_LANES] of the points of the cell */
    float least[MAX_K * CT_LANES];          /* [k x CT_LANES] smallest squares of a tile */
    float *q;                               /* [d] a point */
    struct ct_candidates candidates[CT_LANES]; /* of the points of a tile */
    float *sq_f32;                          /* [capacity + CT_CANDIDATE_PAD] the candidates of */
    int *pos;                               /* a point by float32 square: their squares, */
    double *distance;                       /* positions, exact distances */
    int *row;                               /* and rows */
    struct ct_search_recorder recorder;
    struct ct_search_work work;
};

/* One call. */
struct own_call {
    const struct ct_batch *batch;
    const struct ct_kernels *kernels; /* for the norm of the metric */
    struct ct_result_lines lines;
    struct own_worker *worker; /* [threads] */
    const int *cell;           /* [cells] nodes */
    int pilot;                 /* whether the pilot runs: every step-th cell; then all others */
    int step;
    unsigned char *left;       /* [n] by position: not 0 for a point that is not answered */
};

int ct_suits_own_points(const struct ct_batch *batch, int k)
{
    int plain = !batch->query && !batch->order && !batch->predecessors && !batch->slot &&
                !batch->max_distance && !batch->start && !batch->removed && !batch->budget;
    return plain && batch->epsilon == 0 && batch->block == 0 && batch->mode != CT_SEARCH_SCAN &&
           batch->metric.measure == CT_NORM && k <= MAX_K && batch->count >= FEW_POINTS;
}

/* ---- the cells -------------------------------------------------------------- */

static int count_tiles(const struct ct_tiles *tiles, int node)
{
    return tiles->end_tile[node] - tiles->first_tile[node];
}

/* Lists the cells in the order of their tiles: nodes of at most CELL_TILES tiles with larger
 * parents, and larger leaves. Returns their number. cell: [tiles]. */
static int list_cells(const struct ct_tree *t, int *cell)
{
    int count = 0;
    for (int tile = 0; tile < t->tiles->count; tile++)
        cell[tile] = -1;
    for (int node = 0; node < t->nodes; node++) {
        int parent = t->parent[node] - 1;
        int small = count_tiles(t->tiles, node) <= CELL_TILES || t->first_child[node] == 0;
        if (small && (parent < 0 || count_tiles(t->tiles, parent) > CELL_TILES))
            cell[t->tiles->first_tile[node]] = node;
    }
    for (int tile = 0; tile < t->tiles->count; tile++)
        if (cell[tile] >= 0)
            cell[count++] = cell[tile];
    return count;
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
    enum ct_norm norm = call->batch->metric.norm;
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
        threshold[i] = ct_f32_widen(tiles, norm, worker->least[(k - 1) * CT_LANES + i]);
        most = threshold[i] > most ? threshold[i] : most;
    }
    return most;
}

/* ---- the tiles near a cell, and near a tile --------------------------------- */

/* Copies coordinates of one box side by side: lower [d], upper [d]. */
static void copy_box(const struct ct_boxes *boxes, int i, int d, float *lower, float *upper)
{
    for (int j = 0; j < d; j++) {
        lower[j] = boxes->lower[i + j * boxes->stride];
        upper[j] = boxes->upper[i + j * boxes->stride];
    }
}

/* Copies the tiles of a list with their boxes. */
static void copy_boxes(const struct ct_boxes *boxes, const struct ct_box_list *list, int d,
                       struct ct_near_tiles *to)
{
    to->count = list->count;
    for (int c = 0; c < list->count; c++)
        to->tile[c] = list->number[c];
    for (int j = 0; j < d; j++) {
        const float *lower = boxes->lower + j * boxes->stride;
        const float *upper = boxes->upper + j * boxes->stride;
        for (int c = 0; c < list->count; c++) {
            to->lower[j * to->stride + c] = lower[list->number[c]];
            to->upper[j * to->stride + c] = upper[list->number[c]];
        }
    }
}

/* Appends the boxes from `first` up to `end` within the threshold of the box of the cell or tile
 * that the worker holds. */
static void append_near(const struct own_call *call, const struct own_worker *worker,
                        const struct ct_boxes *boxes, int first, int end, float threshold,
                        struct ct_box_list *list)
{
    int *number = list->number + list->count;
    int found = call->kernels->boxes_within(boxes->lower + first, boxes->upper + first,
                                            boxes->stride, call->batch->tree->d, end - first,
                                            worker->lower, worker->upper, threshold, number,
                                            list->sq + list->count);
    for (int i = 0; i < found; i++)
        number[i] += first;
    list->count += found;
}

/* Lists the tiles within the threshold of a cell, with their boxes. Returns 0 if there are more
 * than NEAR_MAX. */
static int list_tiles_near_cell(const struct own_call *call, struct own_worker *worker, int cell,
                                float threshold)
{
    const struct ct_tree *t = call->batch->tree;
    const struct ct_tiles *tiles = t->tiles;
    copy_box(&tiles->node, cell, t->d, worker->lower, worker->upper);
    worker->tiles.count = worker->level.count = 0;
    for (ct_box_list_append(&worker->level, 0, 0); worker->level.count > 0;) {
        worker->next_level.count = 0;
        for (int i = 0; i < worker->level.count; i++) {
            int node = worker->level.number[i], few = count_tiles(tiles, node) <= CELL_TILES;
            if (few || t->first_child[node] == 0) {
                if (worker->tiles.count + count_tiles(tiles, node) > NEAR_MAX)
                    return 0;
                worker->work.candidates++;
                append_near(call, worker, &tiles->tile, tiles->first_tile[node],
                            tiles->end_tile[node], threshold, &worker->tiles);
                continue;
            }
            int child = ct_first_child(t, node), end = child + ct_count_children(t, node);
            worker->work.nodes += end - child;
            append_near(call, worker, &tiles->node, child, end, threshold, &worker->next_level);
        }
        struct ct_box_list swap = worker->level;
        worker->level = worker->next_level;
        worker->next_level = swap;
    }
    copy_boxes(&tiles->tile, &worker->tiles, t->d, &worker->cell);
    return 1;
}

/* Of the tiles near the cell, lists those within the threshold of a tile. */
static void list_tiles_near_tile(const struct own_call *call, struct own_worker *worker, int tile,
                                 float threshold)
{
    const struct ct_tree *t = call->batch->tree;
    struct ct_near_tiles *near = &worker->near;
    copy_box(&t->tiles->tile, tile, t->d, worker->lower, worker->upper);
    call->kernels->collect_near(&worker->cell, t->d, worker->lower, worker->upper, threshold, near);
    for (int i = near->count; i % CT_LANES; i++)
        near->lower[i] = near->upper[i] = INFINITY;
}

/* ---- the points of a tile --------------------------------------------------- */

/* Requests the lines of the results of a row, which no other query has used. */
static void prefetch_line(const struct ct_result_lines *lines, int line)
{
    for (int j = 0; j < lines->k; j++) {
        CT_PREFETCH(lines->index + (size_t)j * lines->ld + line);
        CT_PREFETCH(lines->distance + (size_t)j * lines->ld + line);
    }
}

/* Scans the tiles within the threshold of point i of a tile. Returns 0 if there are too many
 * candidates. */
static int scan_for_point(const struct own_call *call, struct own_worker *worker, int tile, int i,
                          float threshold)
{
    int d = call->batch->tree->d;
    const float *x = worker->near.x + (size_t)tile * d * CT_LANES;
    struct ct_candidates *candidates = &worker->candidates[i];
    for (int j = 0; j < d; j++)
        worker->q[j] = x[j * CT_LANES + i];
    candidates->count = 0;
    candidates->threshold = threshold;
    int found = call->kernels->scan_near(&worker->near, d, worker->q, candidates);
    worker->work.boxes += worker->near.count;
    worker->work.tiles += found > 0 ? found : 0;
    return found >= 0 && candidates->count > call->lines.k;
}

/* Sorts the candidates of a point by their float32 squares. Returns how many of them may be the
 * point itself or one of the k nearest: the squares of the others exceed the (k + 1)-th by more
 * than the rounding margin. */
static int nearest_candidates(const struct own_call *call, struct own_worker *worker,
                              struct ct_candidates *candidates)
{
    int k = call->lines.k, count = k + 1;
    call->kernels->sort_candidates(candidates, worker->sq_f32, worker->pos);
    float most = ct_f32_widen(call->batch->tree->tiles, call->batch->metric.norm, worker->sq_f32[k]);
    while (count < candidates->count && worker->sq_f32[count] <= most)
        count++;
    return count;
}

/* Squared distance of two own points. The loop over coordinates of 2 and 3 dimensions is unrolled. */
static double exact_sq(const struct ct_tree *t, enum ct_norm norm, int a, int b)
{
    size_t n = (size_t)t->n;
    const double *x = t->points + a, *y = t->points + b;
    if (norm != CT_EUCLIDEAN)
        return ct_other_norm_sq(norm, x, n, y, n, t->d);
    return t->d == 3   ? ct_sqdist(x, n, y, n, 3)
           : t->d == 2 ? ct_sqdist(x, n, y, n, 2)
                       : ct_sqdist(x, n, y, n, t->d);
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
    const struct ct_tree *t = call->batch->tree;
    int found = nearest_candidates(call, worker, &worker->candidates[i]), count = 0;
    for (int c = 0; c < found; c++) {
        int other = worker->pos[c];
        worker->distance[count] = sqrt(exact_sq(t, call->batch->metric.norm, other, pos));
        worker->row[count] = t->row[other];
        count += other != pos;
    }
    worker->work.distances += count;
    insertion_sort(worker->distance, worker->row, count);
    ct_store_line(&call->lines, t->row[pos] - 1, worker->row, worker->distance, call->lines.k);
}

/* Answers the points of a tile, except those with too many candidates. */
static void answer_tile(const struct own_call *call, struct own_worker *worker, int tile,
                        const float *threshold, float most)
{
    const struct ct_tiles *tiles = call->batch->tree->tiles;
    int begin = tiles->begin[tile], count = tiles->begin[tile + 1] - begin;
    list_tiles_near_tile(call, worker, tile, most);
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
    int count = count_tiles(tiles, cell), begin = ct_node_begin(t, cell);
    float most[CELL_TILES], all = 0;
    if (!call->pilot && number % call->step == 0)
        return;
    memset(call->left + begin, 1, (size_t)(ct_node_end(t, cell) - begin));
    if (count > CELL_TILES || t->level[cell] == CT_NO_LEVEL)
        return;
    for (int i = 0; i < count; i++) {
        most[i] = set_thresholds(call, worker, first + i, worker->threshold + i * CT_LANES);
        all = most[i] > all ? most[i] : all;
    }
    ct_search_end_phase(&worker->recorder, CT_PHASE_SEED);
    if (list_tiles_near_cell(call, worker, cell, all))
        for (int i = 0; i < count; i++)
            answer_tile(call, worker, first + i, worker->threshold + i * CT_LANES, most[i]);
    ct_search_record_block(&worker->recorder, CT_BLOCK);
    ct_search_record_work(&worker->recorder, &worker->work);
}

/* ---- the call --------------------------------------------------------------- */

static struct ct_near_tiles new_near(const struct ct_host *host, const struct ct_tree *t)
{
    size_t stride = NEAR_MAX + CT_LANES, d = (size_t)t->d;
    return (struct ct_near_tiles){
        .lower = host->alloc(d * stride, sizeof(float)),
        .upper = host->alloc(d * stride, sizeof(float)),
        .stride = stride,
        .tile = host->alloc(stride, sizeof(int)),
        .x = t->tiles->x,
        .begin = t->tiles->begin,
        .row = t->row,
        .number = host->alloc(stride, sizeof(int)),
        .sq = host->alloc(stride, sizeof(float)),
    };
}

static void init_worker(const struct ct_host *host, const struct own_call *call,
                        struct own_worker *worker)
{
    const struct ct_tree *t = call->batch->tree;
    size_t d = (size_t)t->d, size = (size_t)call->lines.k + SPARE + CT_CANDIDATE_PAD;
    *worker = (struct own_worker){
        .level = ct_box_list_new(host, t->nodes),
        .next_level = ct_box_list_new(host, t->nodes),
        .tiles = ct_box_list_new(host, NEAR_MAX),
        .cell = new_near(host, t),
        .near = new_near(host, t),
        .threshold = host->alloc((size_t)CELL_TILES * CT_LANES, sizeof(float)),
        .q = host->alloc(d, sizeof(float)),
        .lower = host->alloc(d, sizeof(float)),
        .upper = host->alloc(d, sizeof(float)),
        .sq_f32 = host->alloc(size, sizeof(float)),
        .pos = host->alloc(size, sizeof(int)),
        .distance = host->alloc(size, sizeof(double)),
        .row = host->alloc(size, sizeof(int)),
        .recorder = ct_search_recorder_start(call->batch->stats != NULL),
    };
    for (int i = 0; i < CT_LANES; i++)
        worker->candidates[i] = (struct ct_candidates){.sq = host->alloc(size, sizeof(float)),
                                                       .pos = host->alloc(size, sizeof(int)),
                                                       .capacity = call->lines.k + SPARE,
                                                       .max_row = INT_MAX};
}

/* Returns the share of the points of the pilot that are not answered. */
static double share_left(const struct own_call *call, int cells)
{
    const struct ct_tree *t = call->batch->tree;
    double points = 0, left = 0;
    for (int i = 0; i < cells; i += call->step)
        for (int pos = ct_node_begin(t, call->cell[i]); pos < ct_node_end(t, call->cell[i]); pos++) {
            points++;
            left += call->left[pos];
        }
    return left / points;
}

/* The pilot decides whether the other cells are worth an attempt. */
int ct_own_points_knn(const struct ct_host *host, const struct ct_batch *batch,
                      const struct ct_result_lines *lines, int *rest)
{
    const struct ct_tree *t = batch->tree;
    int *cell = host->alloc((size_t)t->tiles->count, sizeof *cell), count = 0;
    int cells = list_cells(t, cell), step = cells / PILOT + 1;
    struct own_call call = {
        .batch = batch,
        .kernels = ct_norm_kernels(batch->kernels, batch->metric.norm),
        .lines = *lines,
        .worker = host->alloc((size_t)batch->threads, sizeof *call.worker),
        .cell = cell,
        .left = host->alloc((size_t)t->n, 1),
        .pilot = 1,
        .step = step,
    };
    memset(call.left, 1, (size_t)t->n);
    for (int thread = 0; thread < batch->threads; thread++)
        init_worker(host, &call, &call.worker[thread]);
    ct_parallel_for(host, (cells + step - 1) / step, batch->threads, answer_cell, &call);
    call.pilot = 0;
    if (share_left(&call, cells) < MOST_LEFT)
        ct_parallel_for(host, cells, batch->threads, answer_cell, &call);
    for (int pos = 0; pos < t->n; pos++)
        if (call.left[pos])
            rest[count++] = pos;
    for (int thread = 0; batch->stats && thread < batch->threads; thread++)
        ct_search_stats_add(batch->stats, &call.worker[thread].recorder.stats);
    return count;
}
