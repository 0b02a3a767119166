/* product_scan.c: see product_scan.h.
 *
 * Two tiles stay in the cache nearest to the processor while all groups of the block multiply by
 * them: the coordinates of a group are a quarter as many. The next tiles are loaded meanwhile.
 */
#include "core/search/product_scan.h"
#include "core/search/threshold.h"

#include <float.h>
#include <math.h>

enum {
    LEAST_D = 16,       /* with fewer coordinates, differences are as fast */
    MOST_D = 1 << 16,   /* with more, terms of second order would add to the error */
    LEAST_GROUPS = 3,   /* groups for which the norms of points are worth their cost */
    CACHE_LINE = 16,    /* floats */
    PREFETCH_OFFSET = 2 /* tiles between those that are multiplied and those that are prefetched */
};

/* With an epsilon the answer depends on the float32 squares. With a filter of rows, ct_scan_span()
 * leaves out whole tiles. */
void ct_product_scan_init(const struct ct_host *host, const struct ct_search_context *context,
                          struct ct_product_scan *scan)
{
    int d = context->tree->d;
    *scan = (struct ct_product_scan){.possible = d >= LEAST_D && d <= MOST_D &&
                                                 context->metric.norm == CT_EUCLIDEAN &&
                                                 context->box_factor == 1 && !context->filter};
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
        float threshold = block->candidates[i].threshold;
        if (!(bound * 2 * d <= threshold && threshold < INFINITY))
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

/* The least products of candidates of all queries; and the products of a group and two tiles. */
struct products {
    float least[CT_BLOCK];
    float value[CT_GROUP * CT_PAIR]; /* see pair_products() in simd/euclid.h */
    unsigned within[CT_GROUP];
};

/* Sets the least product of a candidate of a member of the group, after its threshold changed. A
 * copy that fills up a group has no candidate. */
static void set_least(const struct ct_query_group *group, const struct ct_product_scan *scan,
                      int member, float *least)
{
    double sq = scan->sq[group->query[member]], threshold = group->candidates[member]->threshold;
    least[member] = threshold < 0 ? INFINITY : (float)((sq - threshold) / 2);
}

/* Appends the points of two adjacent tiles whose bits are set, if their keys are eligible, to the
 * buffer of a member of the group. Flushes the buffer when it is full. */
static void append_points(struct ct_query_block *block, const struct ct_query_group *group,
                          const struct ct_product_scan *scan, int member, int tile, float *least,
                          const struct products *products)
{
    const struct ct_tree *t = block->context.tree;
    const float *value = products->value + member * CT_PAIR;
    struct ct_candidates *list = group->candidates[member];
    int query = group->query[member];
    for (unsigned bits = products->within[member]; bits; bits &= bits - 1) {
        int lane = __builtin_ctz(bits);
        int pos = t->tiles->begin[tile + lane / CT_LANES] + lane % CT_LANES;
        int key = block->context.key[pos];
        float sq = scan->sq[query] - 2 * value[lane];
        if (key > list->max_row || key == list->skip_row || sq > list->threshold)
            continue;
        list->sq[list->count] = sq > 0 ? sq : 0;
        list->pos[list->count++] = pos;
        if (list->count >= list->capacity) {
            ct_flush_candidates(block, query);
            set_least(group, scan, member, least);
        }
    }
}

/* Scans two adjacent tiles for a group. */
static inline void scan_pair(struct ct_query_block *block, const struct ct_query_group *group,
                             const struct ct_product_scan *scan, int tile, float *least,
                             struct products *products)
{
    const struct ct_tree *t = block->context.tree;
    unsigned any = block->context.kernels->pair_products(
        t->tiles->x + (size_t)tile * t->d * CT_LANES, t->d, scan->half + (size_t)tile * CT_LANES,
        group->q, least, products->value, products->within);
    for (; any; any &= any - 1)
        append_points(block, group, scan, __builtin_ctz(any), tile, least, products);
}

/* Asks the processor to load part g of `parts` of the pair of tiles after the next pair. */
static inline void prefetch_part(const struct ct_tree *t, int tile, int end, int g, int parts)
{
    const float *x = t->tiles->x + (size_t)(tile + PREFETCH_OFFSET) * t->d * CT_LANES;
    int size = t->d * CT_PAIR;
    for (int line = g * CACHE_LINE; line < size && tile + PREFETCH_OFFSET < end;
         line += parts * CACHE_LINE)
        __builtin_prefetch(x + line, 0, 2);
}

void ct_product_scan_span(struct ct_query_block *block, struct ct_query_groups *groups,
                          struct ct_product_scan *scan, struct ct_tile_span span)
{
    int pairs = (span.end - span.first) / 2, end = span.first + 2 * pairs;
    struct products products;
    for (int g = 0; g < groups->count; g++)
        for (int member = 0; member < CT_GROUP; member++)
            set_least(&groups->group[g], scan, member, products.least + g * CT_GROUP);
    for (int tile = span.first; tile < end; tile += 2)
        for (int g = 0; g < groups->count; g++) {
            prefetch_part(block->context.tree, tile, end, g, groups->count);
            scan_pair(block, &groups->group[g], scan, tile, products.least + g * CT_GROUP,
                      &products);
        }
    block->work.tiles += 2ll * pairs * block->count;
    ct_scan_span(block, groups, (struct ct_tile_span){end, span.end});
}
