/* product_scan.c: see product_scan.h.
 *
 * A chunk of tiles stays in the cache while all groups of the block multiply by it, two tiles at a
 * time.
 */
#include "core/search/product_scan.h"
#include "core/search/threshold.h"

#include <float.h>
#include <math.h>

enum {
    LEAST_D = 16,           /* with fewer coordinates, differences are as fast */
    MOST_D = 1 << 16,       /* with more, terms of second order would add to the error */
    LEAST_GROUPS = 3,       /* groups for which the norms of points are worth their cost */
    CACHE_LINE = 16, /* floats */
    CACHED_FLOATS = 1 << 12 /* coordinates, times CT_LANES, of tiles that stay in the cache */
};

/* An epsilon makes the answer depend on the float32 squares. */
void ct_product_scan_init(const struct ct_host *host, const struct ct_search_context *context,
                          struct ct_product_scan *scan)
{
    int d = context->tree->d;
    *scan = (struct ct_product_scan){.possible = d >= LEAST_D && d <= MOST_D &&
                                                 context->metric.norm == CT_EUCLIDEAN &&
                                                 context->box_factor == 1};
    if (scan->possible)
        scan->half = host->alloc((size_t)context->tree->tiles->count * CT_LANES, sizeof(float));
}

/* Returns an upper bound of the norms of the points [tile units]: that of the root's box. */
static double largest_norm(const struct ct_tree *t)
{
    const struct ct_boxes *boxes = &t->tiles->node;
    double sq = 0;
    for (int j = 0; j < t->d; j++) {
        double lower = boxes->lower[j * boxes->stride], upper = boxes->upper[j * boxes->stride];
        sq += fmax(lower * lower, upper * upper);
    }
    return sqrt(sq) * (1 + t->d * DBL_EPSILON);
}

/* The error may change a threshold by a factor of 1 + 1 / (2 d) at most: in d dimensions about 1.3
 * times as many points lie within. */
int ct_product_scan_begin(struct ct_query_block *block, const struct ct_query_groups *groups,
                          struct ct_product_scan *scan)
{
    const struct ct_tiles *tiles = block->context.tree->tiles;
    int d = block->context.tree->d;
    float error[CT_BLOCK];
    if (!scan->possible || groups->count < LEAST_GROUPS)
        return 0;
    double most = largest_norm(block->context.tree);
    for (int i = 0; i < block->count; i++) {
        const float *q = block->q_f32 + (size_t)i * d;
        double sq = 0;
        for (int j = 0; j < d; j++)
            sq += (double)q[j] * q[j];
        double norm = sqrt(sq) + most;
        double bound = 1.5 * (d + 8) * FLT_EPSILON * norm * norm + FLT_MIN;
        if (!(norm < 1e15 && bound * 2 * d <= block->candidates[i].threshold))
            return 0;
        scan->sq[i] = (float)sq;
        error[i] = (float)bound;
    }
    if (!scan->has_half)
        block->context.kernels->half_squares(tiles->x, d, tiles->count, scan->half);
    scan->has_half = 1;
    for (int i = 0; i < block->count; i++) {
        block->sq_error[i] = error[i];
        block->candidates[i].threshold += error[i];
    }
    return 1;
}

/* The products of a group and a pair of tiles. */
struct products {
    float least[CT_GROUP];           /* products that are not less belong to candidates */
    float value[CT_GROUP * CT_PAIR]; /* see pair_products() in simd/euclid.h */
    unsigned within[CT_GROUP];
};

/* Sets the least product of a candidate of a member of the group, after its threshold changed. A
 * copy that fills up a group has no candidate. */
static void set_least(const struct ct_query_group *group, const struct ct_product_scan *scan,
                      int member, struct products *products)
{
    double sq = scan->sq[group->query[member]], threshold = group->candidates[member]->threshold;
    products->least[member] = threshold < 0 ? INFINITY : (float)((sq - threshold) / 2);
}

/* Appends the points of a tile whose bits are set, at positions from `pos` on, if their rows are
 * eligible. value: the products of the query and the points. */
static void append_points(const struct ct_query_block *block, struct ct_candidates *list,
                          unsigned bits, int pos, const float *value, float query_sq)
{
    const int *row = block->context.tree->row + pos;
    for (; bits; bits &= bits - 1) {
        int lane = __builtin_ctz(bits);
        float sq = query_sq - 2 * value[lane];
        if (row[lane] > list->max_row || row[lane] == list->skip_row || sq > list->threshold)
            continue;
        list->sq[list->count] = sq > 0 ? sq : 0;
        list->pos[list->count++] = pos + lane;
    }
}

/* Scans two adjacent tiles for a group. The buffer of a query has room for one tile beyond its
 * capacity. */
static void scan_pair(struct ct_query_block *block, const struct ct_query_group *group,
                      const struct ct_product_scan *scan, int tile, struct products *products)
{
    const struct ct_tree *t = block->context.tree;
    unsigned any = block->context.kernels->pair_products(
        t->tiles->x + (size_t)tile * t->d * CT_LANES, t->d, scan->half + (size_t)tile * CT_LANES,
        group->q, products->least, products->value, products->within);
    for (; any; any &= any - 1) {
        int member = __builtin_ctz(any), query = group->query[member];
        struct ct_candidates *list = group->candidates[member];
        for (int part = 0; part < 2; part++) {
            unsigned bits = products->within[member] >> part * CT_LANES & ((1u << CT_LANES) - 1);
            append_points(block, list, bits, t->tiles->begin[tile + part],
                          products->value + member * CT_PAIR + part * CT_LANES, scan->sq[query]);
            if (list->count >= list->capacity) {
                ct_flush_candidates(block, query);
                set_least(group, scan, member, products);
            }
        }
    }
}

/* Asks the processor to load a slice of the next chunk, which begins at tile `to`: a pair of tiles
 * consists of `slices` slices. */
static inline void prefetch_slice(const struct ct_tree *t, int to, int end, int slice, int slices)
{
    size_t pair = (size_t)t->d * CT_PAIR, at = (size_t)to * t->d * CT_LANES + pair * slice / slices;
    if (to + 2 * (slice / slices) >= end)
        return;
    for (size_t line = 0; line < pair / slices; line += CACHE_LINE)
        __builtin_prefetch(t->tiles->x + at + line, 0, 2);
}

void ct_product_scan_span(struct ct_query_block *block, struct ct_query_groups *groups,
                          struct ct_product_scan *scan, struct ct_tile_span span)
{
    const struct ct_tree *t = block->context.tree;
    int pairs = (span.end - span.first) / 2, end = span.first + 2 * pairs;
    int chunk = (CACHED_FLOATS / t->d / 2 + 1) * 2;
    struct products products;
    for (int from = span.first; from < end; from += chunk) {
        int to = end - from < chunk ? end : from + chunk;
        for (int g = 0; g < groups->count; g++) {
            const struct ct_query_group *group = &groups->group[g];
            for (int member = 0; member < CT_GROUP; member++)
                set_least(group, scan, member, &products);
            for (int tile = from; tile < to; tile += 2) {
                prefetch_slice(t, to, end, (tile - from) / 2 * groups->count + g, groups->count);
                scan_pair(block, group, scan, tile, &products);
            }
        }
    }
    block->work.tiles += 2ll * pairs * block->count;
    ct_scan_span(block, groups, (struct ct_tile_span){end, span.end});
}
