/* tiles.c: see tiles.h.
 *
 * All arrays of the tiles lie in one block of memory, each aligned to ALIGN bytes. Boxes of
 * tiles come from the points, boxes of leaves from their tiles, and boxes of other nodes from
 * their children, whose numbers are higher.
 */
#include "core/tree/tiles.h"
#include "core/util/parallel_for.h"

#include <float.h>
#include <math.h>

enum {
    ALIGN = 64,          /* bytes: a cache line, and the widest vector */
    TILES_PER_BLOCK = 64 /* tiles filled by one block of work */
};

/* Number of tiles of a tree: every leaf is cut into tiles of its own. */
static int count_tiles(const struct ct_tree *t)
{
    int count = 0;
    for (int node = 0; node < t->nodes; node++)
        if (t->first_child[node] == 0)
            count += ct_count_leaf_tiles(ct_node_end(t, node) - ct_node_begin(t, node));
    return count;
}

/* Returns the next part of a block of memory, and moves *next past this part. */
static void *next_part(char **next, size_t count, size_t size)
{
    char *part = *next;
    *next += (count * size + ALIGN - 1) / ALIGN * ALIGN;
    return part;
}

/* Boxes of one coordinate, with padding for vector loads past the last box. */
static size_t box_stride(int count)
{
    return ((size_t)count / CT_LANES + 2) * CT_LANES;
}

/* Takes the next part of the memory, for boxes. */
static struct ct_boxes next_boxes(char **next, int count, int d)
{
    struct ct_boxes boxes = {.stride = box_stride(count)};
    boxes.lower = next_part(next, (size_t)d * boxes.stride, sizeof(float));
    boxes.upper = next_part(next, (size_t)d * boxes.stride, sizeof(float));
    return boxes;
}

/* Sets the arrays of the tiles to parts of a block of memory; arrays of floats only if `floats`.
 * Returns the size of the arrays [bytes]; the block needs ALIGN bytes more for the alignment of the
 * first array. */
static size_t place_arrays(const struct ct_tree *t, char *memory, int floats,
                           struct ct_tiles *tiles)
{
    char *next = memory + (ALIGN - (uintptr_t)memory % ALIGN) % ALIGN;
    tiles->origin = next_part(&next, (size_t)t->d, sizeof(double));
    tiles->begin = next_part(&next, (size_t)tiles->count + 1, sizeof(int));
    tiles->first_tile = next_part(&next, (size_t)t->nodes, sizeof(int));
    tiles->end_tile = next_part(&next, (size_t)t->nodes, sizeof(int));
    if (floats) {
        tiles->x = next_part(&next, (size_t)tiles->count * t->d * CT_LANES, sizeof(float));
        tiles->tile = next_boxes(&next, tiles->count, t->d);
        tiles->node = next_boxes(&next, t->nodes, t->d);
    }
    return (size_t)(next - memory);
}

/* Returns tiles with memory for their arrays; for arrays of floats only if `floats`. The arrays are
 * not filled. */
static struct ct_tiles *alloc_tiles(const struct ct_host *host, const struct ct_memory *memory,
                                    const struct ct_tree *t, int floats)
{
    static char start[1];
    struct ct_tiles *tiles = ct_memory_alloc(host, memory, CT_NO_ARRAY, 1, sizeof *tiles);
    tiles->count = count_tiles(t);
    size_t bytes = place_arrays(t, start, floats, tiles) + ALIGN;
    place_arrays(t, ct_memory_alloc(host, memory, CT_NO_ARRAY, bytes, 1), floats, tiles);
    return tiles;
}

/* Returns the leaf after this node in the order of positions; -1 after the last leaf. */
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

/* Numbers the tiles by position, and finds the tiles of every node. */
static void number_tiles(const struct ct_tree *t, struct ct_tiles *tiles)
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

/* Sets origin, scale and the bounds of rounding errors. The scale brings the root's box into
 * [-1, 1]; both the scale and 1 / scale are finite doubles. */
static void set_scale(const struct ct_tree *t, struct ct_tiles *tiles)
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
    tiles->manhattan_error = t->d * (FLT_EPSILON / 2.0);
    tiles->sum_factor = 1 + (t->d + 8) * (double)FLT_EPSILON;
    tiles->scale = ldexp(1, exponent < -1000 ? 1000 : -exponent);
    tiles->inverse_scale = 1 / tiles->scale;
    tiles->underflow_error = sqrt(t->d) * 0x1p-536 * tiles->scale;
}

/* Coordinate j of a point in float32, in units of the tiles. Points and queries go through the
 * same operations. */
static float to_f32(const struct ct_tiles *tiles, double x, int j)
{
    return (float)((x - tiles->origin[j]) * tiles->scale);
}

/* Fills one tile and the box of the tile. NaN in the unused lanes fails every comparison. */
static void fill_tile(const struct ct_tree *t, struct ct_tiles *tiles, int tile)
{
    int begin = tiles->begin[tile], count = tiles->begin[tile + 1] - begin;
    for (int j = 0; j < t->d; j++) {
        float *to = tiles->x + ((size_t)tile * t->d + j) * CT_LANES;
        float least = FLT_MAX, most = -FLT_MAX;
        for (int i = 0; i < count; i++) {
            to[i] = to_f32(tiles, t->points[begin + i + (size_t)j * t->n], j);
            least = to[i] < least ? to[i] : least;
            most = to[i] > most ? to[i] : most;
        }
        for (int i = count; i < CT_LANES; i++)
            to[i] = NAN;
        tiles->tile.lower[tile + j * tiles->tile.stride] = least;
        tiles->tile.upper[tile + j * tiles->tile.stride] = most;
    }
}

/* Fills coordinate j of the boxes of all nodes. */
static void fill_node_boxes(const struct ct_tree *t, struct ct_tiles *tiles, int j)
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

/* Sets the padding behind the boxes to 0, so that equal trees have equal arrays. */
static void fill_padding(struct ct_boxes *boxes, int count, int d)
{
    for (int j = 0; j < d; j++)
        for (size_t i = (size_t)count; i < boxes->stride; i++)
            boxes->lower[i + j * boxes->stride] = boxes->upper[i + j * boxes->stride] = 0;
}

struct fill_task {
    const struct ct_tree *tree;
    struct ct_tiles *tiles;
};

static void fill_tiles(void *data, int block, int thread)
{
    const struct fill_task *task = data;
    int first = block * TILES_PER_BLOCK, left = task->tiles->count - first;
    for (int i = 0; i < TILES_PER_BLOCK && i < left; i++)
        fill_tile(task->tree, task->tiles, first + i);
    (void)thread;
}

const struct ct_tiles *ct_tiles_build(const struct ct_host *host, const struct ct_tree *t,
                                      const struct ct_memory *memory, int threads)
{
    struct ct_tiles *tiles = alloc_tiles(host, memory, t, 1);
    struct fill_task task = {t, tiles};
    number_tiles(t, tiles);
    set_scale(t, tiles);
    ct_parallel_for(host, tiles->count / TILES_PER_BLOCK + 1, threads, fill_tiles, &task);
    for (int j = 0; j < t->d; j++)
        fill_node_boxes(t, tiles, j);
    fill_padding(&tiles->tile, tiles->count, t->d);
    fill_padding(&tiles->node, t->nodes, t->d);
    return tiles;
}

void ct_tiles_lengths(const struct ct_tree *t, size_t *length)
{
    int count = count_tiles(t);
    length[CT_TILE_X] = (size_t)count * t->d * CT_LANES;
    length[CT_TILE_LOWER] = length[CT_TILE_UPPER] = box_stride(count) * t->d;
    length[CT_NODE_LOWER] = length[CT_NODE_UPPER] = box_stride(t->nodes) * t->d;
}

void ct_tiles_floats(const struct ct_tiles *tiles, const float **floats)
{
    floats[CT_TILE_X] = tiles->x;
    floats[CT_TILE_LOWER] = tiles->tile.lower;
    floats[CT_TILE_UPPER] = tiles->tile.upper;
    floats[CT_NODE_LOWER] = tiles->node.lower;
    floats[CT_NODE_UPPER] = tiles->node.upper;
}

const struct ct_tiles *ct_tiles_over(const struct ct_host *host, const struct ct_tree *t,
                                     const struct ct_memory *memory, float *const *floats)
{
    struct ct_tiles *tiles = alloc_tiles(host, memory, t, 0);
    number_tiles(t, tiles);
    set_scale(t, tiles);
    tiles->x = floats[CT_TILE_X];
    tiles->tile =
        (struct ct_boxes){floats[CT_TILE_LOWER], floats[CT_TILE_UPPER], box_stride(tiles->count)};
    tiles->node =
        (struct ct_boxes){floats[CT_NODE_LOWER], floats[CT_NODE_UPPER], box_stride(t->nodes)};
    return tiles;
}

double ct_tiles_q_f32(const struct ct_tiles *tiles, int d, const double *q, float *q_f32)
{
    double max_coord = 1;
    for (int j = 0; j < d; j++) {
        q_f32[j] = to_f32(tiles, q[j], j);
        max_coord = fmax(max_coord, fabs((q[j] - tiles->origin[j]) * tiles->scale));
    }
    return max_coord;
}

/* Error of a coordinate of a point and of a query, in a norm [tile units]. */
static double coordinate_error(const struct ct_tiles *tiles, enum ct_norm norm, double max_coord)
{
    return (norm == CT_MANHATTAN ? tiles->manhattan_error : tiles->coordinate_error) *
           (1 + max_coord);
}

/* Relative error of a square. */
static double sum_factor(const struct ct_tiles *tiles, enum ct_norm norm)
{
    return norm == CT_MANHATTAN ? tiles->sum_factor * tiles->sum_factor : tiles->sum_factor;
}

/* The error terms are twice what tiles.h derives. The second half covers the rounding of the
 * distance and of the threshold. Squares below the normal range of a double lose or gain up
 * to 2^-1075 each. That may shift a distance in double by sqrt(d) 2^-537.5:
 * underflow_error. Where squares might overflow a float, nothing is discarded. */
float ct_f32_threshold(const struct ct_tiles *tiles, enum ct_norm norm, double max_coord,
                       double distance)
{
    double bound =
        distance * tiles->scale + tiles->underflow_error + coordinate_error(tiles, norm, max_coord);
    double sq = bound * bound * sum_factor(tiles, norm);
    if (max_coord > 1e15 || !(sq < FLT_MAX / 2))
        return INFINITY;
    return (float)sq;
}

double ct_f32_distance_bound(const struct ct_tiles *tiles, enum ct_norm norm, double max_coord,
                             float sq)
{
    if (max_coord > 1e15)
        return INFINITY;
    double bound = sqrt(sq * sum_factor(tiles, norm)) + tiles->underflow_error +
                   coordinate_error(tiles, norm, max_coord);
    return bound * tiles->inverse_scale;
}

/* ct_f32_widen() is ct_f32_threshold() of ct_f32_distance_bound(), in units of the tiles.
 * Coordinates of points are at most 1. */
struct ct_f32_margin ct_f32_margin(const struct ct_tiles *tiles, enum ct_norm norm)
{
    double error = tiles->underflow_error + coordinate_error(tiles, norm, 1);
    return (struct ct_f32_margin){sum_factor(tiles, norm), 2 * error};
}
