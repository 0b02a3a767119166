/* tiles.c: see tiles.h. */
#include "core/tree/tiles.h"
#include "core/tree/tree.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>

enum {
    ALIGN = 64,
    TOGETHER = 64 /* tiles to a block of work */
};

static int count_tiles(const struct ct_tree *t)
{
    int count = 0;
    for (int node = 0; node < t->nodes; node++)
        if (t->first_child[node] == 0)
            count += ct_count_leaf_tiles(ct_node_end(t, node) - ct_node_begin(t, node));
    return count;
}

static void *carve(char **memory, size_t count, size_t size)
{
    char *part = *memory;
    *memory += (count * size + ALIGN - 1) / ALIGN * ALIGN;
    return part;
}

static struct ct_boxes carve_boxes(char **at, int count, int d)
{
    struct ct_boxes boxes = {.stride = ((size_t)count / CT_LANES + 2) * CT_LANES};
    boxes.lower = carve(at, (size_t)d * boxes.stride, sizeof(float));
    boxes.upper = carve(at, (size_t)d * boxes.stride, sizeof(float));
    return boxes;
}

/* Cuts memory into the arrays; returns how much they take. */
static size_t lay_out(const struct ct_tree *t, int count, char *memory, struct ct_tiles *tiles)
{
    char *at = memory + (ALIGN - (uintptr_t)memory % ALIGN) % ALIGN;
    tiles->count = count;
    tiles->origin = carve(&at, (size_t)t->d, sizeof(double));
    tiles->x = carve(&at, (size_t)count * t->d * CT_LANES, sizeof(float));
    tiles->begin = carve(&at, (size_t)count + 1, sizeof(int));
    tiles->first_tile = carve(&at, (size_t)t->nodes, sizeof(int));
    tiles->end_tile = carve(&at, (size_t)t->nodes, sizeof(int));
    tiles->tile = carve_boxes(&at, count, t->d);
    tiles->node = carve_boxes(&at, t->nodes, t->d);
    return (size_t)(at - memory);
}

size_t ct_tiles_bytes(const struct ct_tree *t)
{
    struct ct_tiles tiles;
    static char origin[1];
    return lay_out(t, count_tiles(t), origin, &tiles) + ALIGN;
}

/* The leaf after this one in the order of positions; -1 after the last. */
static int next_leaf(const struct ct_tree *t, int node)
{
    while (node >= 0 && t->next_sibling[node] == 0)
        node = t->parent[node] - 1;
    if (node < 0)
        return -1;
    node = t->next_sibling[node] - 1;
    while (t->first_child[node] > 0)
        node = ct_first_child(t, node);
    return node;
}

static void cut_leaves(const struct ct_tree *t, struct ct_tiles *tiles)
{
    int leaf = 0, tile = 0;
    while (t->first_child[leaf] > 0)
        leaf = ct_first_child(t, leaf);
    for (; leaf >= 0; leaf = next_leaf(t, leaf)) {
        int begin = ct_node_begin(t, leaf), size = ct_node_end(t, leaf) - begin,
            parts = ct_count_leaf_tiles(size);
        tiles->first_tile[leaf] = tile;
        for (int part = 0; part < parts; part++)
            tiles->begin[tile++] = begin + (int)((long long)size * part / parts);
        tiles->end_tile[leaf] = tile;
    }
    tiles->begin[tile] = t->n;
    for (int node = t->nodes - 1; node >= 0; node--) {
        if (t->first_child[node] == 0)
            continue;
        int child = ct_first_child(t, node);
        tiles->first_tile[node] = tiles->first_tile[child];
        tiles->end_tile[node] = tiles->end_tile[child + ct_count_children(t, node) - 1];
    }
}

static void choose_units(const struct ct_tree *t, struct ct_tiles *tiles)
{
    double half = 0;
    for (int j = 0; j < t->d; j++) {
        double lower = t->lower[(size_t)j * t->nodes], upper = t->upper[(size_t)j * t->nodes];
        tiles->origin[j] = lower / 2 + upper / 2;
        half = fmax(half, fmax(tiles->origin[j] - lower, upper - tiles->origin[j]));
    }
    int exponent = 0;
    if (half > 0)
        frexp(half, &exponent);
    tiles->coordinate_error = sqrt(t->d) * FLT_EPSILON / 2;
    tiles->sum_factor = 1 + (t->d + 8) * (double)FLT_EPSILON;
    tiles->scale = ldexp(1, exponent < -1000 ? 1000 : -exponent);
    tiles->inverse_scale = 1 / tiles->scale;
    tiles->underflow_error = sqrt(t->d) * 0x1p-536 * tiles->scale;
}

static float placed(const struct ct_tiles *tiles, double x, int j)
{
    return (float)((x - tiles->origin[j]) * tiles->scale);
}

static void fill_tile(const struct ct_tree *t, struct ct_tiles *tiles, int tile)
{
    int begin = tiles->begin[tile], count = tiles->begin[tile + 1] - begin;
    for (int j = 0; j < t->d; j++) {
        float *to = tiles->x + ((size_t)tile * t->d + j) * CT_LANES;
        float least = FLT_MAX, most = -FLT_MAX;
        for (int i = 0; i < count; i++) {
            to[i] = placed(tiles, t->points[begin + i + (size_t)j * t->n], j);
            least = to[i] < least ? to[i] : least;
            most = to[i] > most ? to[i] : most;
        }
        for (int i = count; i < CT_LANES; i++)
            to[i] = NAN;
        tiles->tile.lower[tile + j * tiles->tile.stride] = least;
        tiles->tile.upper[tile + j * tiles->tile.stride] = most;
    }
}

/* A node's box from those of its children, or of its tiles. */
static void fill_nodes(const struct ct_tree *t, struct ct_tiles *tiles, int j)
{
    float *lower = tiles->node.lower + j * tiles->node.stride;
    float *upper = tiles->node.upper + j * tiles->node.stride;
    for (int node = t->nodes - 1; node >= 0; node--) {
        int leaf = t->first_child[node] == 0;
        const struct ct_boxes *from = leaf ? &tiles->tile : &tiles->node;
        int first = leaf ? tiles->first_tile[node] : ct_first_child(t, node);
        int last = leaf ? tiles->end_tile[node] : first + ct_count_children(t, node);
        float least = FLT_MAX, most = -FLT_MAX;
        for (int i = first; i < last; i++) {
            float low = from->lower[i + j * from->stride], high = from->upper[i + j * from->stride];
            least = low < least ? low : least;
            most = high > most ? high : most;
        }
        lower[node] = least;
        upper[node] = most;
    }
}

struct filling {
    const struct ct_tree *tree;
    struct ct_tiles *tiles;
};

static void fill_block(void *data, int block, int thread)
{
    const struct filling *filling = data;
    int first = block * TOGETHER, left = filling->tiles->count - first;
    for (int i = 0; i < TOGETHER && i < left; i++)
        fill_tile(filling->tree, filling->tiles, first + i);
    (void)thread;
}

void ct_tiles_build(const struct ct_host *host, const struct ct_tree *t, void *memory, int threads,
                    struct ct_tiles *tiles)
{
    struct filling filling = {t, tiles};
    lay_out(t, count_tiles(t), memory, tiles);
    cut_leaves(t, tiles);
    choose_units(t, tiles);
    ct_parallel_for(host, tiles->count / TOGETHER + 1, threads, fill_block, &filling);
    for (int j = 0; j < t->d; j++)
        fill_nodes(t, tiles, j);
}

double ct_tiles_q_f32(const struct ct_tiles *tiles, int d, const double *q, float *to)
{
    double reach = 1;
    for (int j = 0; j < d; j++) {
        to[j] = placed(tiles, q[j], j);
        reach = fmax(reach, fabs((q[j] - tiles->origin[j]) * tiles->scale));
    }
    return reach;
}

/* The margins are twice what tiles.h derives, which also covers the rounding
 * of tau and of the limit. Squares below the normal range lose or gain up to
 * 2^-1075 each, which may shift a distance in double by sqrt(d) 2^-537.5: `underflow_error`.
 * Where squares might overflow a float, nothing is discarded. */
float ct_f32_threshold(const struct ct_tiles *tiles, double reach, double tau)
{
    double edge =
        tau * tiles->scale + tiles->underflow_error + tiles->coordinate_error * (1 + reach);
    double limit = edge * edge * tiles->sum_factor;
    if (reach > 1e15 || !(limit < FLT_MAX / 2))
        return INFINITY;
    return (float)limit;
}

double ct_f32_distance_bound(const struct ct_tiles *tiles, double reach, float sq)
{
    if (reach > 1e15)
        return INFINITY;
    double edge = sqrt(sq * tiles->sum_factor) + tiles->underflow_error +
                  tiles->coordinate_error * (1 + reach);
    return edge * tiles->inverse_scale;
}
