/* product_points.c: see product_points.h. */
#include "core/search/product_points.h"
#include "core/simd/euclid.h"
#include "core/tree/tiles.h"
#include "core/util/aligned.h"
#include "core/util/parallel_for.h"

#include <math.h>
#include <string.h>

enum {
    SPARE = 28, /* candidates of a buffer beyond 2 k */
    STEP = 8,   /* a point is left if less than 1 / STEP of its buffer becomes free */
    TASK = 128  /* tiles of a task of packing */
};

/* Copies the points of a tile to their positions. */
static void pack_tile(const struct ct_product_points *points, int tile)
{
    const struct ct_tiles *tiles = points->tree->tiles;
    int d = points->tree->d, begin = tiles->begin[tile];
    int size = tiles->begin[tile + 1] - begin;
    int lane = begin % CT_LANES, head = size < CT_LANES - lane ? size : CT_LANES - lane;
    const float *from = tiles->x + (size_t)tile * d * CT_LANES;
    float *to = points->x + (size_t)(begin / CT_LANES) * d * CT_LANES;
    for (int j = 0; j < d; j++, from += CT_LANES, to += CT_LANES) {
        for (int i = 0; i < head; i++)
            to[lane + i] = from[i];
        for (int i = head; i < size; i++)
            to[(size_t)d * CT_LANES + i - head] = from[i];
    }
}

static void pack_tiles(void *data, int number, int thread)
{
    const struct ct_product_points *points = data;
    int count = points->tree->tiles->count, first = number * TASK;
    (void)thread;
    for (int tile = first; tile < count && tile < first + TASK; tile++)
        pack_tile(points, tile);
}

/* Sets the norms of all points and the error of a square. */
static void set_norms(struct ct_product_points *points)
{
    int d = points->tree->d, size = points->blocks * CT_LANES;
    float most = 0;
    points->kernels->half_squares(points->x, d, points->blocks, points->half);
    for (int i = 0; i < size; i++) {
        points->half_sq[i] = -points->half[i];
        most = points->half_sq[i] > most ? points->half_sq[i] : most;
    }
    double norm_sq = 2 * most * (1 + (d + 8) * FLT_EPSILON);
    points->error = (float)(1.5 * (d + 8) * FLT_EPSILON * 4 * norm_sq + FLT_MIN);
}

/* Allocates the arrays of n points. */
static struct ct_product_points new_points(const struct ct_host *host, const struct ct_tree *t,
                                           const struct ct_kernels *kernels, int k)
{
    int pairs = (t->n + CT_PAIR - 1) / CT_PAIR, capacity = 2 * k + SPARE;
    size_t size = (size_t)pairs * CT_PAIR;
    return (struct ct_product_points){
        .tree = t,
        .kernels = kernels,
        .k = k,
        .blocks = pairs * (CT_PAIR / CT_LANES),
        .capacity = capacity,
        .x = ct_alloc_aligned(host, size * (size_t)t->d, sizeof(float)),
        .half = ct_alloc_aligned(host, size, sizeof(float)),
        .half_sq = ct_alloc_aligned(host, size, sizeof(float)),
        .half_threshold = ct_alloc_aligned(host, size, sizeof(float)),
        .count = host->alloc(size, sizeof(int)),
        .sq = host->alloc((size_t)t->n * (size_t)capacity, sizeof(float)),
        .pos = host->alloc((size_t)t->n * (size_t)capacity, sizeof(int)),
    };
}

struct ct_product_points ct_product_points_new(const struct ct_host *host, const struct ct_tree *t,
                                               const struct ct_kernels *kernels, int k, int threads)
{
    struct ct_product_points points = new_points(host, t, kernels, k);
    int size = points.blocks * CT_LANES;
    for (int i = t->n; i < size; i++)
        for (int j = 0; j < t->d; j++)
            points.x[(size_t)(i / CT_LANES) * t->d * CT_LANES + j * CT_LANES + i % CT_LANES] = NAN;
    ct_parallel_for(host, t->tiles->count / TASK + 1, threads, pack_tiles, &points);
    set_norms(&points);
    memset(points.count, 0, (size_t)size * sizeof(int));
    return points;
}

/* Returns half of the threshold of squares by products that follows from k such squares of at most
 * sq: or of k float32 squares of tiles, if sq is less by the error. */
static float half_of_threshold(const struct ct_product_points *points, float sq)
{
    struct ct_f32_margin margin = ct_f32_margin(points->tree->tiles, CT_EUCLIDEAN);
    return (ct_f32_widen(margin, sq + points->error) + points->error) / 2;
}

/* The error changes a threshold by a factor of 1 + 1 / (2 d) at most. */
void ct_product_thresholds(const struct ct_product_points *points, int block)
{
    int d = points->tree->d, n = points->tree->n, k = points->k;
    int reach = (k + 2) / 4, last = (n - 1) / CT_LANES;
    int first = block - reach > 0 ? block - reach : 0;
    size_t size = (size_t)d * CT_LANES;
    float least[CT_PRODUCT_MAX_K * CT_LANES];
    for (int i = 0; i < k * CT_LANES; i++)
        least[i] = INFINITY;
    for (int other = first; other <= last && other <= block + reach; other++) {
        int left = n - other * CT_LANES;
        points->kernels->insert_tile(points->x + block * size, points->x + other * size, d,
                                     left < CT_LANES ? left : CT_LANES, k, least);
    }
    for (int i = 0; i < CT_LANES; i++) {
        float half = half_of_threshold(points, least[(k - 1) * CT_LANES + i]);
        int permitted = half < INFINITY && points->error * d <= half;
        points->half_threshold[block * CT_LANES + i] =
            permitted && block * CT_LANES + i < n ? half : -INFINITY;
    }
}

void ct_product_tighten(const struct ct_product_points *points, struct ct_candidates *list,
                        int point)
{
    int k = points->k, most = points->capacity - points->capacity / STEP;
    float *sq = points->sq + (size_t)point * points->capacity;
    int *pos = points->pos + (size_t)point * points->capacity;
    list->count = points->count[point];
    list->threshold = 2 * points->half_threshold[point];
    if (list->count < k)
        return;
    memcpy(list->sq, sq, (size_t)list->count * sizeof *sq);
    memcpy(list->pos, pos, (size_t)list->count * sizeof *pos);
    float half = half_of_threshold(points, points->kernels->find_threshold(list, k, k + k / 8 + 1));
    if (half < points->half_threshold[point])
        points->half_threshold[point] = half;
    points->kernels->compact(list, 2 * points->half_threshold[point]);
    if (list->count > most) {
        points->half_threshold[point] = -INFINITY;
        list->count = 0;
    }
    memcpy(sq, list->sq, (size_t)list->count * sizeof *sq);
    memcpy(pos, list->pos, (size_t)list->count * sizeof *pos);
    points->count[point] = list->count;
}
