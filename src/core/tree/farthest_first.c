/* farthest_first.c: see farthest_first.h.
 *
 * The points of a node are compared with a center in chunks of consecutive points, which are near
 * each other if the points are in the order of a curve. Each chunk keeps its bounding box and its
 * farthest point. If the box is at least as far from a new center as the farthest point is from its
 * center, no point of the chunk joins the new center, and the chunk is left out. This changes no
 * result: the computed squared distance to a box is at most that to any point of the box
 * (euclidean.h).
 */
#include "core/tree/farthest_first.h"
#include "core/metric/euclidean.h"
#include "core/simd/euclid.h"
#include "core/tree/level.h"
#include "core/util/column_range.h"
#include "core/util/parallel.h"

#include <math.h>
#include <string.h>

enum {
    CHUNK = 64,        /* points of a chunk, in few dimensions */
    LONG_CHUNK = 2048, /* the same, without boxes */
    BLOCK = 1 << 15,   /* points in a block of work */
    MAX_TARGET = 16,   /* centers at which a traversal may stop, at most */
    LEVEL_DROP = 4     /* levels of descent at which it stops with fewer centers */
};

/* ---- chunks ----------------------------------------------------------------- */

/* A node that is compared with centers. The summary of a chunk is `size` doubles in `buffer`: the
 * largest squared distance of a point to its center, lower bounds [d], upper bounds [d]. In many
 * dimensions chunks have no boxes. */
struct traversal {
    const struct ct_build_state *state;
    int begin, end;
    double *buffer;  /* of the node: the summaries of chunks, then those of blocks of chunks */
    int chunk;       /* points of a chunk; 0: the node has no chunks */
    int size, boxes; /* doubles of a summary; whether it has a box */
    int child;       /* the center to compare: number */
    const double *q; /* [d] its coordinates */
};

/* The farthest point of a block of chunks. */
struct far_chunk {
    double sq;    /* largest squared distance to the nearest center */
    double chunk; /* number of the first chunk with such a point */
};

/* The summaries of s points take at most (s + chunk) / 4 doubles for the chunks, and two doubles
 * for each block. A node with chunks has at least two, and a large node has twice the points of a
 * chunk, so the buffer of the node has room for all summaries. */
static struct traversal traversal_of(const struct ct_build_state *state, int begin, int end)
{
    int with_box = 1 + 2 * state->d, boxes = with_box <= LONG_CHUNK / 4;
    int least = 4 * with_box > CHUNK ? 4 * with_box : CHUNK;
    int chunk = boxes ? least : LONG_CHUNK;
    return (struct traversal){.state = state,
                              .begin = begin,
                              .end = end,
                              .buffer = ct_node_buffer(state, begin, end),
                              .chunk = end - begin > chunk ? chunk : 0,
                              .size = boxes ? with_box : 1,
                              .boxes = boxes};
}

/* Chunks in a block of work. */
static int block_chunks(const struct traversal *t)
{
    return BLOCK / t->chunk + 1;
}

static int count_blocks(const struct traversal *t)
{
    return (t->end - t->begin - 1) / (block_chunks(t) * t->chunk) + 1;
}

/* Position of the first point of a chunk; the end of the node for a chunk after the last. */
static int chunk_begin(const struct traversal *t, int chunk)
{
    long long at = t->begin + (long long)chunk * t->chunk;
    return at < t->end ? (int)at : t->end;
}

static double *summary_of(const struct traversal *t, int chunk)
{
    return t->buffer + (size_t)chunk * t->size;
}

static struct far_chunk *block_summary(const struct traversal *t, int block)
{
    int chunks = (t->end - t->begin - 1) / t->chunk + 1;
    return (struct far_chunk *)summary_of(t, chunks) + block;
}

/* Stores the summary of a block from those of its chunks first..last - 1. */
static void summarize_chunks(const struct traversal *t, int block, int first, int last)
{
    struct far_chunk far = {-1, first};
    for (int c = first; c < last; c++) {
        double sq = *summary_of(t, c);
        if (sq > far.sq)
            far = (struct far_chunk){sq, c};
    }
    *block_summary(t, block) = far;
}

/* Returns the largest squared distance to a center of the points begin..end - 1. */
static double largest_sqdist(const struct ct_build_state *state, int begin, int end)
{
    double least, most;
    ct_column_range(state->sqdist + begin, end - begin, &least, &most);
    return most;
}

/* Returns the summary of the block with the farthest point of the node; the first in case of ties.
 */
static struct far_chunk find_far_chunk(const struct traversal *t)
{
    struct far_chunk far = *block_summary(t, 0);
    for (int block = 1, blocks = count_blocks(t); block < blocks; block++)
        if (block_summary(t, block)->sq > far.sq)
            far = *block_summary(t, block);
    return far;
}

/* One block of work: the summaries of some chunks. */
static void summarize_block(void *data, int block, int thread)
{
    const struct traversal *t = data;
    const struct ct_build_state *state = t->state;
    int first = block * block_chunks(t), c = first;
    for (; c < first + block_chunks(t) && chunk_begin(t, c) < t->end; c++) {
        int begin = chunk_begin(t, c), end = chunk_begin(t, c + 1);
        double *summary = summary_of(t, c), *lower = summary + 1, *upper = lower + state->d;
        *summary = largest_sqdist(state, begin, end);
        for (int j = 0; t->boxes && j < state->d; j++)
            ct_column_range(state->points + begin + (size_t)j * state->n, end - begin, &lower[j],
                            &upper[j]);
    }
    summarize_chunks(t, block, first, c);
    (void)thread;
}

void ct_measure_node(const struct ct_build_state *state, struct ct_build_node *node, int summaries)
{
    struct traversal t = traversal_of(state, node->begin, node->end);
    double sq;
    if (summaries && t.chunk > 0) {
        ct_build_loop(state, count_blocks(&t), summarize_block, &t);
        sq = find_far_chunk(&t).sq;
    } else {
        sq = largest_sqdist(state, t.begin, t.end);
    }
    node->radius = sqrt(sq);
    node->level = ct_cover_level(node->radius);
}

/* ---- one center ------------------------------------------------------------- */

/* Copies the coordinates of a center, strided by n, to contiguous memory of this thread. */
static const double *load_center(const struct ct_build_state *state, int center)
{
    double *coords = state->center_coords + (size_t)ct_thread_id() * state->d;
    for (int j = 0; j < state->d; j++)
        coords[j] = state->points[center + (size_t)j * state->n];
    return coords;
}

/* Compares the center with the points begin..end - 1. Returns the largest squared distance of these
 * points to their nearest centers. */
static double assign_points(const struct traversal *t, int begin, int end)
{
    const struct ct_build_state *state = t->state;
    return state->kernels->assign_nearer(state->points + begin, (size_t)state->n, state->d,
                                         end - begin, t->q, t->child, state->sqdist + begin,
                                         state->assigned + begin);
}

/* One block of work: compares the center with the chunks that are near enough. */
static void assign_block(void *data, int block, int thread)
{
    const struct traversal *t = data;
    int d = t->state->d, first = block * block_chunks(t), c = first;
    for (; c < first + block_chunks(t) && chunk_begin(t, c) < t->end; c++) {
        double *summary = summary_of(t, c);
        const double *lower = summary + 1, *upper = lower + d;
        if (t->boxes && ct_box_sqdist(lower, upper, 1, t->q, t->q, d) >= *summary)
            continue;
        *summary = assign_points(t, chunk_begin(t, c), chunk_begin(t, c + 1));
    }
    summarize_chunks(t, block, first, c);
    (void)thread;
}

/* Returns the largest squared distance of a point of the node to its center. Sets *pos to the first
 * position with this distance. */
static double find_farthest(const struct traversal *t, int *pos)
{
    int at = t->begin;
    double sq;
    if (t->chunk > 0) {
        struct far_chunk far = find_far_chunk(t);
        sq = far.sq;
        at = chunk_begin(t, (int)far.chunk);
    } else {
        sq = largest_sqdist(t->state, t->begin, t->end);
    }
    while (t->state->sqdist[at] != sq)
        at++;
    *pos = at;
    return sq;
}

/* Compares center number `child`, at position `center`, with the points of a node: points that are
 * nearer to it than to their present center join it. */
static void assign_to_center(struct traversal *t, int center, int child)
{
    t->q = load_center(t->state, center);
    t->child = child;
    if (t->chunk == 0)
        assign_points(t, t->begin, t->end);
    else
        ct_build_loop(t->state, count_blocks(t), assign_block, t);
}

/* ---- all centers ------------------------------------------------------------ */

/* Number of centers at which a traversal may stop: enough for half-full leaves. */
static int target_centers(const struct ct_build_state *state, int points)
{
    int target = 2 * (points / state->leaf_size) + 2;
    return target < MAX_TARGET ? target : MAX_TARGET;
}

int ct_max_centers(int points)
{
    double most = 64 + sqrt(points);
    return most < points ? (int)most : points;
}

int ct_choose_centers(const struct ct_build_state *state, const struct ct_build_node *node)
{
    int begin = node->begin, end = node->end, centers = 1;
    int target = target_centers(state, end - begin), limit = ct_max_centers(end - begin);
    double required = ct_cover_radius(node->level - 1);
    double sufficient = ct_cover_radius(node->level - LEVEL_DROP);
    struct traversal t = traversal_of(state, begin, end);
    struct ct_split_child *child = ct_split_children(state);
    int farthest;
    double sq = find_farthest(&t, &farthest);
    memset(state->assigned + begin, 0, (size_t)(end - begin) * sizeof *state->assigned);
    child[0].center = node->center;
    for (;;) {
        double radius = sqrt(sq);
        if (radius <= sufficient || (radius <= required && centers >= target))
            return centers;
        if (centers == limit)
            return radius <= required ? centers : 0;
        child[centers].center = farthest;
        assign_to_center(&t, farthest, centers);
        sq = find_farthest(&t, &farthest);
        centers++;
    }
}
