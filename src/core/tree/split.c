/* split.c: see split.h.
 *
 * A node is split by farthest-first traversal: the point that is farthest from all centers
 * chosen before becomes the next center, until every point is within the cover radius of a
 * lower level. The chosen centers are farther apart than the remaining radius, as the
 * separation invariant demands. Each point joins the nearest center, and the earlier center in case
 * of ties. A stable permutation then makes the points of each center one run. Distances to
 * the center move with the points, so a child starts with the distances that the split of the
 * parent has computed.
 *
 * Every function works on the points begin..end - 1 of one node, and on the same entries of
 * the arrays of ct_build_state, so threads split different nodes at the same time.
 */
#include "core/tree/split.h"
#include "core/metric/euclidean.h"
#include "core/simd/euclid.h"
#include "core/tree/leaf_order.h"
#include "core/tree/level.h"
#include "core/tree/tiles.h"
#include "core/util/parallel.h"

#include <math.h>
#include <string.h>

enum {
    CHUNK = 2048,              /* points per call of the distance kernel */
    COORDS_PER_POLL = 1 << 25, /* coordinates compared between two polls */
    ROW_RUNS = 16,             /* children of a node of coinciding points, at most */
    MAX_TARGET = 16,           /* centers at which a split may stop, at most */
    LEVEL_DROP = 4             /* levels of descent at which a split stops with fewer centers */
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

/* Number of centers at which a split may stop: enough for half-full leaves. */
static int target_centers(const struct ct_build_state *state, int points)
{
    int target = 2 * (points / state->leaf_size) + 2;
    return target < MAX_TARGET ? target : MAX_TARGET;
}

/* Number of centers at which a split fails that has not reached the next level down. */
static int max_centers(int points)
{
    double most = 64 + sqrt(points);
    return most < points ? (int)most : points;
}

/* Copies the coordinates of a center, strided by n, to contiguous memory of this thread. */
static const double *load_center(const struct ct_build_state *state, int center)
{
    double *coords = state->center_coords + (size_t)ct_thread_id() * state->d;
    for (int j = 0; j < state->d; j++)
        coords[j] = state->points[center + (size_t)j * state->n];
    return coords;
}

/* Compares center h, with coordinates q, with the points of a chunk: points that are nearer
 * to center h than to their present center join it. Returns the farthest point of the chunk. */
static struct far_point assign_chunk(const struct ct_build_state *state, int begin, int end,
                                     const double *q, int h)
{
    double sq[CHUNK];
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

/* Compares center h with all points of a node. Returns the farthest point of the node; ties go
 * to the first position. */
static struct far_point assign_to_center(const struct ct_build_state *state, int begin, int end,
                                         int center, int h)
{
    const double *q = load_center(state, center);
    struct far_point far = {-1, begin};
    for (int at = begin; at < end; at += CHUNK)
        far = farther(far, assign_chunk(state, at, end - at > CHUNK ? at + CHUNK : end, q, h));
    return far;
}

/* Returns the farthest point of a node by the stored distances. */
static struct far_point find_farthest(const struct ct_build_state *state, int begin, int end)
{
    struct far_point far = {-1, begin};
    for (int pos = begin; pos < end; pos++)
        if (state->sqdist[pos] > far.sq)
            far = (struct far_point){state->sqdist[pos], pos};
    return far;
}

/* Polls the host if enough work was done since the last poll. Only outside parallel regions,
 * where the host may leave. */
static void poll_split(const struct ct_build_state *state, long long coordinates)
{
    if (!state->unpolled || (*state->unpolled += coordinates) < COORDS_PER_POLL)
        return;
    *state->unpolled = 0;
    state->host->poll();
}

/* Farthest-first traversal of a node. Returns the number of centers, or 0 if max_centers()
 * centers do not reach the next level down: then all distances are nearly equal, as in many
 * dimensions, and scanning the points is cheaper than descending. */
static int choose_centers(const struct ct_build_state *state, const struct ct_build_node *node)
{
    int begin = node->begin, end = node->end, centers = 1;
    int target = target_centers(state, end - begin), limit = max_centers(end - begin);
    double required = ct_cover_radius(node->level - 1);
    double sufficient = ct_cover_radius(node->level - LEVEL_DROP);
    struct far_point far = find_farthest(state, begin, end);
    memset(state->assigned + begin, 0, (size_t)(end - begin) * sizeof *state->assigned);
    state->child[begin].center = node->center;
    for (;;) {
        double radius = sqrt(far.sq);
        if (radius <= sufficient || (radius <= required && centers >= target))
            return centers;
        if (centers == limit)
            return radius <= required ? centers : 0;
        state->child[begin + centers].center = far.pos;
        far = assign_to_center(state, begin, end, far.pos, centers);
        centers++;
        poll_split(state, (long long)(end - begin) * state->d);
    }
}

/* Whether all points of a node are equal in every coordinate. */
static int all_coincide(const struct ct_build_state *state, int begin, int end)
{
    for (int j = 0; j < state->d; j++) {
        const double *x = state->points + (size_t)j * state->n;
        for (int pos = begin + 1; pos < end; pos++)
            if (x[pos] != x[begin])
                return 0;
    }
    return 1;
}

/* Cuts a node of coinciding points, in the order of their rows, into runs of equal length.
 * Returns the number of runs, or 0 if the points differ: their squared distances underflow to
 * 0 without the points being equal. */
static int cut_by_row(const struct ct_build_state *state, const struct ct_build_node *node)
{
    int begin = node->begin, size = node->end - begin;
    if (!all_coincide(state, begin, node->end))
        return 0;
    int runs = size < ROW_RUNS ? size : ROW_RUNS;
    for (int run = 0; run < runs; run++) {
        int from = begin + (int)((long long)size * run / runs);
        int to = begin + (int)((long long)size * (run + 1) / runs);
        state->child[begin + run].center = from;
        for (int pos = from; pos < to; pos++)
            state->assigned[pos] = run;
    }
    return runs;
}

/* Turns the index of the child in assigned[pos] into the point's new position: children in
 * the order of their first points, points of a child in their present order. child[h].end
 * counts the points of child h first, then holds the next free position of the run, and in
 * the end the end of the run. */
static void assign_positions(const struct ct_build_state *state, const struct ct_build_node *node,
                             int centers)
{
    struct ct_split_child *child = state->child + node->begin;
    int ranked = 0, begin = node->begin;
    for (int h = 0; h < centers; h++)
        child[h].end = 0;
    for (int pos = node->begin; pos < node->end; pos++) {
        int h = state->assigned[pos];
        if (child[h].end++ == 0)
            child[ranked++].ranked = h;
    }
    for (int r = 0; r < centers; r++) {
        struct ct_split_child *next = &child[child[r].ranked];
        int size = next->end;
        next->end = begin;
        begin += size;
    }
    for (int pos = node->begin; pos < node->end; pos++)
        state->assigned[pos] = child[state->assigned[pos]].end++;
    for (int h = 0; h < centers; h++)
        child[h].center = state->assigned[child[h].center];
}

/* Moves the values of one column [n] to the positions in state->assigned. */
static void permute_column(const struct ct_build_state *state, double *values, int begin, int end)
{
    for (int pos = begin; pos < end; pos++)
        state->buffer[state->assigned[pos]] = values[pos];
    memcpy(values + begin, state->buffer + begin, (size_t)(end - begin) * sizeof *values);
}

/* Moves points, squared distances and rows to the positions in state->assigned. */
static void permute_points(const struct ct_build_state *state, int begin, int end)
{
    for (int j = 0; j < state->d; j++)
        permute_column(state, state->points + (size_t)j * state->n, begin, end);
    permute_column(state, state->sqdist, begin, end);
    int *rows = (int *)(state->buffer + begin);
    for (int pos = begin; pos < end; pos++)
        rows[state->assigned[pos] - begin] = state->row[pos];
    memcpy(state->row + begin, rows, (size_t)(end - begin) * sizeof *rows);
}

/* Puts the points of a leaf in the order of leaf_order.h. A leaf has no children:
 * the list of positions uses the memory of state->child. A leaf of one tile needs no order, and
 * coinciding points stay in the order of their rows. */
static void order_leaf(const struct ct_build_state *state, struct ct_build_node *node)
{
    int begin = node->begin, size = node->end - begin;
    int *list = (int *)(state->child + begin);
    if (size <= CT_LANES || node->level == CT_NO_LEVEL)
        return;
    ct_leaf_order(state->points, state->n, state->d, begin, size, state->buffer + begin, list);
    for (int i = 0; i < size; i++)
        state->assigned[list[i]] = begin + i;
    node->center = state->assigned[node->center];
    permute_points(state, begin, node->end);
}

/* Sets the radius and the level of a node from the distances of the points to the center. */
static void measure_radius(const struct ct_build_state *state, struct ct_build_node *node)
{
    node->radius = sqrt(find_farthest(state, node->begin, node->end).sq);
    node->level = ct_cover_level(node->radius);
}

void ct_split_node(const struct ct_build_state *state, struct ct_build_node *node)
{
    int size = node->end - node->begin;
    measure_radius(state, node);
    if (size <= state->leaf_size) {
        order_leaf(state, node);
        return;
    }
    node->children =
        node->level == CT_NO_LEVEL ? cut_by_row(state, node) : choose_centers(state, node);
    if (node->children == 0)
        return;
    assign_positions(state, node, node->children);
    permute_points(state, node->begin, node->end);
}

/* Returns the point nearest to the centroid, ties go to the first point. Differences from
 * the first point keep the sum finite wherever squared distances are. */
static int find_root_center(const struct ct_build_state *state)
{
    double *centroid = state->center_coords;
    for (int j = 0; j < state->d; j++) {
        const double *x = state->points + (size_t)j * state->n;
        double sum = 0;
        for (int pos = 0; pos < state->n; pos++)
            sum += x[pos] - x[0];
        centroid[j] = x[0] + sum / state->n;
    }
    double sq[CHUNK], least = INFINITY;
    int nearest = 0;
    for (int begin = 0; begin < state->n; begin += CHUNK) {
        int count = state->n - begin < CHUNK ? state->n - begin : CHUNK;
        state->kernels->sqdist(state->points + begin, (size_t)state->n, state->d, count, centroid,
                               sq);
        for (int i = 0; i < count; i++)
            if (sq[i] < least) {
                least = sq[i];
                nearest = begin + i;
            }
    }
    return nearest;
}

void ct_build_root(const struct ct_build_state *state, struct ct_build_node *root)
{
    *root =
        (struct ct_build_node){.end = state->n, .center = find_root_center(state), .parent = -1};
    for (int pos = 0; pos < state->n; pos++)
        state->sqdist[pos] = INFINITY;
    assign_to_center(state, 0, state->n, root->center, 0);
}
