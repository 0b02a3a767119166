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
    KERNEL_POINTS = 2048, /* points per call of the distance kernel, at most */
    CHUNK = 64,           /* points of a chunk, in few dimensions */
    BLOCK = 1 << 15,      /* points in a block of work */
    MAX_TARGET = 16,      /* centers at which a traversal may stop, at most */
    LEVEL_DROP = 4        /* levels of descent at which it stops with fewer centers */
};

/* A point and the squared distance to the nearest center. */
struct far_point {
    double sq;
    int pos;
};

/* Returns the farther of two points; a in case of ties. */
static struct far_point farther(struct far_point a, struct far_point b)
{
    return b.sq > a.sq ? b : a;
}

/* ---- chunks ----------------------------------------------------------------- */

/* A node that is compared with centers. The summary of a chunk is `size` doubles in `buffer`:
 * square and position of the farthest point, lower bounds [d], upper bounds [d]. In many dimensions
 * chunks have no boxes. */
struct traversal {
    const struct ct_build_state *state;
    int begin, end;
    double *buffer;  /* of the node */
    int chunk;       /* points of a chunk, at most KERNEL_POINTS; 0: the node has no chunks */
    int size, boxes; /* doubles of a summary; whether it has a box */
    int center, h;   /* the center to compare: position and number */
    const double *q; /* [d] its coordinates */
};

/* Summaries take at most a quarter of the memory of the points of a node, and a node with chunks
 * has at least two, so the buffer of the node has room for them. */
static struct traversal traversal_of(const struct ct_build_state *state, int begin, int end)
{
    int with_box = 2 + 2 * state->d, boxes = with_box <= KERNEL_POINTS / 4;
    int least = 4 * with_box > CHUNK ? 4 * with_box : CHUNK;
    int chunk = boxes ? least : KERNEL_POINTS;
    return (struct traversal){.state = state,
                              .begin = begin,
                              .end = end,
                              .buffer = ct_node_buffer(state, begin, end),
                              .chunk = end - begin > chunk ? chunk : 0,
                              .size = boxes ? with_box : 2,
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

/* Returns the farthest point by the stored distances. */
static struct far_point find_farthest(const struct ct_build_state *state, int begin, int end)
{
    struct far_point far = {-1, begin};
    for (int pos = begin; pos < end; pos++)
        if (state->sqdist[pos] > far.sq)
            far = (struct far_point){state->sqdist[pos], pos};
    return far;
}

/* Returns the farthest point by the summaries. */
static struct far_point find_farthest_chunk(const struct traversal *t)
{
    struct far_point far = {-1, t->begin};
    for (int c = 0; chunk_begin(t, c) < t->end; c++) {
        const double *summary = summary_of(t, c);
        far = farther(far, (struct far_point){summary[0], (int)summary[1]});
    }
    return far;
}

/* One block of work: the summaries of some chunks. */
static void summarize_block(void *data, int block, int thread)
{
    const struct traversal *t = data;
    const struct ct_build_state *state = t->state;
    int first = block * block_chunks(t), last = first + block_chunks(t);
    for (int c = first; c < last && chunk_begin(t, c) < t->end; c++) {
        int begin = chunk_begin(t, c), end = chunk_begin(t, c + 1);
        struct far_point far = find_farthest(state, begin, end);
        double *summary = summary_of(t, c), *lower = summary + 2, *upper = lower + state->d;
        summary[0] = far.sq;
        summary[1] = far.pos;
        for (int j = 0; t->boxes && j < state->d; j++)
            ct_column_range(state->points + begin + (size_t)j * state->n, end - begin, &lower[j],
                            &upper[j]);
    }
    (void)thread;
}

void ct_measure_node(const struct ct_build_state *state, struct ct_build_node *node, int summaries)
{
    struct traversal t = traversal_of(state, node->begin, node->end);
    struct far_point far;
    if (summaries && t.chunk > 0) {
        ct_build_loop(state, count_blocks(&t), summarize_block, &t);
        far = find_farthest_chunk(&t);
    } else {
        far = find_farthest(state, t.begin, t.end);
    }
    node->radius = sqrt(far.sq);
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

/* Compares center h, with coordinates q, with the points begin..end - 1, at most KERNEL_POINTS.
 * Returns the farthest of them. */
static struct far_point assign_points(const struct ct_build_state *state, int begin, int end,
                                      const double *q, int h)
{
    double sq[KERNEL_POINTS];
    struct far_point far = {-1, begin};
    state->kernels->sqdist(state->points + begin, (size_t)state->n, state->d, end - begin, q, sq);
    for (int pos = begin; pos < end; pos++) {
        if (sq[pos - begin] < state->sqdist[pos]) {
            state->sqdist[pos] = sq[pos - begin];
            state->assigned[pos] = h;
        }
        if (state->sqdist[pos] > far.sq)
            far = (struct far_point){state->sqdist[pos], pos};
    }
    return far;
}

/* One block of work: compares the center with the chunks that are near enough. */
static void assign_block(void *data, int block, int thread)
{
    const struct traversal *t = data;
    int d = t->state->d, first = block * block_chunks(t), last = first + block_chunks(t);
    for (int c = first; c < last && chunk_begin(t, c) < t->end; c++) {
        double *summary = summary_of(t, c);
        const double *lower = summary + 2, *upper = lower + d;
        if (t->boxes && ct_box_sqdist(lower, upper, 1, t->q, t->q, d) >= summary[0])
            continue;
        struct far_point far =
            assign_points(t->state, chunk_begin(t, c), chunk_begin(t, c + 1), t->q, t->h);
        summary[0] = far.sq;
        summary[1] = far.pos;
    }
    (void)thread;
}

/* Compares center number h, at position `center`, with the points of a node: points that are
 * nearer to it than to their present center join it. Returns the farthest point of the node; ties
 * go to the first position. */
static struct far_point assign_to_center(struct traversal *t, int center, int h)
{
    t->q = load_center(t->state, center);
    t->h = h;
    if (t->chunk == 0)
        return assign_points(t->state, t->begin, t->end, t->q, h);
    ct_build_loop(t->state, count_blocks(t), assign_block, t);
    return find_farthest_chunk(t);
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
    struct far_point far = t.chunk > 0 ? find_farthest_chunk(&t) : find_farthest(state, begin, end);
    memset(state->assigned + begin, 0, (size_t)(end - begin) * sizeof *state->assigned);
    child[0].center = node->center;
    for (;;) {
        double radius = sqrt(far.sq);
        if (radius <= sufficient || (radius <= required && centers >= target))
            return centers;
        if (centers == limit)
            return radius <= required ? centers : 0;
        child[centers].center = far.pos;
        far = assign_to_center(&t, far.pos, centers);
        centers++;
    }
}
