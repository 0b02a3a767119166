/* farthest_first.c: see farthest_first.h.
 *
 * The points of a node are compared with a center in chunks of consecutive points, which are near
 * each other if the points are in the order of a curve. Each chunk keeps its bounding box and its
 * farthest point. If the box is at least as far from a new center as the farthest point is from its
 * center, no point of the chunk joins the new center, and the chunk is left out. This changes no
 * result: the computed squared distance to a box is at most that to any point of the box
 * (euclidean.h).
 *
 * In more dimensions, a new center takes few points from each chunk, and a split may need hundreds
 * of centers. There a chunk waits: its largest distance so far is an upper bound. Only the chunk
 * with the largest bound is compared with the centers that it has missed, until the largest bound
 * is exact. The other chunks are compared with all centers in the end, one chunk after the other,
 * so that its points stay in cache. A traversal that fails leaves this out.
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
    CHUNK = 64,         /* points of a chunk, in few dimensions */
    LONG_CHUNK = 2048,  /* the same, without boxes */
    BLOCK = 1 << 15,    /* points in a block of work */
    LAZY_DIMENSION = 8, /* from which chunks wait */
    LAZY_CHUNKS = 32,   /* chunks of a block there */
    MAX_TARGET = 16,    /* centers at which a traversal may stop, at most */
    LEVEL_DROP = 4      /* levels of descent at which it stops with fewer centers */
};

/* ---- chunks ----------------------------------------------------------------- */

/* A node that is compared with centers. The summary of a chunk is `size` doubles in `buffer`: the
 * largest squared distance of a point to its center, the number of centers it was compared with,
 * lower bounds [d], upper bounds [d]. In many dimensions chunks have no boxes. */
struct traversal {
    const struct ct_build_state *state;
    int begin, end;
    double *buffer;  /* of the node: the summaries of chunks, then those of blocks of chunks */
    int chunk;       /* points of a chunk; 0: the node has no chunks */
    int size, boxes; /* doubles of a summary; whether it has a box */
    int lazy;        /* whether chunks wait */
    int centers;     /* number of centers chosen */
    double *coords;  /* [centers x d] */
};

/* The farthest point of a block of chunks. */
struct far_chunk {
    double sq;    /* largest squared distance to the nearest center */
    double chunk; /* number of the first chunk with such a point */
};

/* Returns the memory for the coordinates of the centers of this thread. */
static double *center_coords(const struct ct_build_state *state)
{
    return state->center_coords + (size_t)ct_thread_id() * state->max_children * state->d;
}

/* The summaries of s points take at most (s + chunk) / 4 doubles for the chunks, and two doubles
 * for each block. A node with chunks has at least two, and a large node has twice the points of a
 * chunk, so the buffer of the node has room for all summaries. */
static struct traversal traversal_of(const struct ct_build_state *state, int begin, int end)
{
    int with_box = 2 + 2 * state->d, boxes = with_box <= LONG_CHUNK / 4;
    int least = 4 * with_box > CHUNK ? 4 * with_box : CHUNK;
    int chunk = boxes ? least : LONG_CHUNK;
    return (struct traversal){.state = state,
                              .begin = begin,
                              .end = end,
                              .buffer = ct_node_buffer(state, begin, end),
                              .chunk = end - begin > chunk ? chunk : 0,
                              .size = boxes ? with_box : 2,
                              .boxes = boxes,
                              .lazy = state->d >= LAZY_DIMENSION && end - begin > chunk,
                              .centers = 1,
                              .coords = center_coords(state)};
}

/* Chunks in a block of work. */
static int block_chunks(const struct traversal *t)
{
    return t->lazy ? LAZY_CHUNKS : BLOCK / t->chunk + 1;
}

static int count_chunks(const struct traversal *t)
{
    return (t->end - t->begin - 1) / t->chunk + 1;
}

static int count_blocks(const struct traversal *t)
{
    return (count_chunks(t) - 1) / block_chunks(t) + 1;
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
    return (struct far_chunk *)summary_of(t, count_chunks(t)) + block;
}

/* Returns the coordinates of a center. */
static double *coords_of(const struct traversal *t, int center)
{
    return t->coords + (size_t)center * t->state->d;
}

/* Sets the coordinates of a center to those of the point at a position. */
static void set_coords(const struct traversal *t, int center, int pos)
{
    const struct ct_build_state *state = t->state;
    double *coords = coords_of(t, center);
    for (int j = 0; j < state->d; j++)
        coords[j] = state->points[pos + (size_t)j * state->n];
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

/* Lets the points begin..end - 1 join the center of the node, and sets their squared distances.
 * Returns the largest. */
static double measure_points(const struct traversal *t, int begin, int end)
{
    const struct ct_build_state *state = t->state;
    memset(state->assigned + begin, 0, (size_t)(end - begin) * sizeof *state->assigned);
    return state->kernels->sqdist(state->points + begin, (size_t)state->n, state->d, end - begin,
                                  coords_of(t, 0), state->sqdist + begin);
}

/* One block of work: the squared distances to the center of the node, and the summaries of some
 * chunks. */
static void summarize_block(void *data, int block, int thread)
{
    const struct traversal *t = data;
    const struct ct_build_state *state = t->state;
    int first = block * block_chunks(t), c = first;
    for (; c < first + block_chunks(t) && chunk_begin(t, c) < t->end; c++) {
        int begin = chunk_begin(t, c), end = chunk_begin(t, c + 1);
        double *summary = summary_of(t, c), *lower = summary + 2;
        summary[0] = measure_points(t, begin, end);
        summary[1] = 1;
        if (t->boxes)
            state->kernels->box(state->points + begin, (size_t)state->n, state->d, end - begin,
                                lower, lower + state->d);
    }
    summarize_chunks(t, block, first, c);
    (void)thread;
}

void ct_measure_node(const struct ct_build_state *state, struct ct_build_node *node, int summaries)
{
    struct traversal t = traversal_of(state, node->begin, node->end);
    double sq;
    set_coords(&t, 0, node->center);
    if (summaries && t.chunk > 0) {
        ct_build_loop(state, count_blocks(&t), summarize_block, &t);
        sq = find_far_chunk(&t).sq;
    } else {
        sq = measure_points(&t, t.begin, t.end);
    }
    node->radius = sqrt(sq);
    node->level = ct_cover_level(node->radius);
}

/* ---- one center ------------------------------------------------------------- */

/* Compares a center with the points begin..end - 1. Returns the largest squared distance of these
 * points to their nearest centers. */
static double assign_points(const struct traversal *t, int begin, int end, int center)
{
    const struct ct_build_state *state = t->state;
    return state->kernels->assign_nearer(state->points + begin, (size_t)state->n, state->d,
                                         end - begin, coords_of(t, center), center,
                                         state->sqdist + begin, state->assigned + begin);
}

/* Compares a center with a chunk if it is near enough. */
static void assign_chunk(const struct traversal *t, int chunk, int center)
{
    int d = t->state->d;
    double *summary = summary_of(t, chunk);
    const double *lower = summary + 2, *upper = lower + d, *q = coords_of(t, center);
    if (!t->boxes || ct_box_sqdist(lower, upper, 1, q, q, d) < *summary)
        *summary = assign_points(t, chunk_begin(t, chunk), chunk_begin(t, chunk + 1), center);
}

/* One block of work: compares the last center with the chunks. */
static void assign_block(void *data, int block, int thread)
{
    const struct traversal *t = data;
    int first = block * block_chunks(t), c = first;
    for (; c < first + block_chunks(t) && chunk_begin(t, c) < t->end; c++)
        assign_chunk(t, c, t->centers - 1);
    summarize_chunks(t, block, first, c);
    (void)thread;
}

/* One block of work: compares a chunk with the centers that it has missed. */
static void catch_up(void *data, int chunk, int thread)
{
    const struct traversal *t = data;
    double *compared = summary_of(t, chunk) + 1;
    for (int center = (int)*compared; center < t->centers; center++)
        assign_chunk(t, chunk, center);
    *compared = t->centers;
    (void)thread;
}

/* Returns the same as find_far_chunk(), after the chunks with the largest bounds have caught up. */
static struct far_chunk find_exact_far_chunk(struct traversal *t)
{
    struct far_chunk far = find_far_chunk(t);
    while (t->lazy && summary_of(t, (int)far.chunk)[1] < t->centers) {
        int block = (int)far.chunk / block_chunks(t), first = block * block_chunks(t);
        int last = first + block_chunks(t), chunks = count_chunks(t);
        catch_up(t, (int)far.chunk, 0);
        summarize_chunks(t, block, first, last < chunks ? last : chunks);
        far = find_far_chunk(t);
    }
    return far;
}

/* Returns the largest squared distance of a point of the node to its center. Sets *pos to the first
 * position with this distance. */
static double find_farthest(struct traversal *t, int *pos)
{
    int at = t->begin;
    double sq;
    if (t->chunk > 0) {
        struct far_chunk far = find_exact_far_chunk(t);
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

/* Adds the center at a position: points that are nearer to it than to their present center join it,
 * at once or when their chunk catches up. */
static void add_center(struct traversal *t, int pos)
{
    const struct ct_build_state *state = t->state;
    set_coords(t, t->centers++, pos);
    if (t->chunk == 0)
        assign_points(t, t->begin, t->end, t->centers - 1);
    else if (!t->lazy)
        ct_build_loop(state, count_blocks(t), assign_block, t);
    else if (state->shared)
        state->host->poll();
}

/* Lets all points join their centers. Returns the number of centers. */
static int finish(struct traversal *t)
{
    if (t->lazy)
        ct_build_loop(t->state, count_chunks(t), catch_up, t);
    return t->centers;
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
    int begin = node->begin, end = node->end;
    int target = target_centers(state, end - begin), limit = ct_max_centers(end - begin);
    double required = ct_cover_radius(node->level - 1);
    double sufficient = ct_cover_radius(node->level - LEVEL_DROP);
    struct traversal t = traversal_of(state, begin, end);
    struct ct_split_child *child = ct_split_children(state);
    int farthest;
    double sq = find_farthest(&t, &farthest);
    child[0].center = node->center;
    for (;;) {
        double radius = sqrt(sq);
        if (radius <= sufficient || (radius <= required && t.centers >= target))
            return finish(&t);
        if (t.centers == limit)
            return radius <= required ? finish(&t) : 0;
        child[t.centers].center = farthest;
        add_center(&t, farthest);
        sq = find_farthest(&t, &farthest);
    }
}
