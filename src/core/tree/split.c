/* split.c: see split.h.
 *
 * Centers are chosen by farthest-first traversal (farthest_first.h). They are farther apart than
 * the remaining radius, as the separation invariant demands. A stable permutation then makes the
 * points of each center one run (move.h). A child measures the distances to its center itself, in
 * the pass that finds its radius.
 *
 * Every function works on the points begin..end - 1 of one node, and on the same entries of
 * the arrays of ct_build_state, so threads split different nodes at the same time. The split of a
 * very large node is shared by threads.
 */
#include "core/tree/split.h"
#include "core/simd/euclid.h"
#include "core/tree/farthest_first.h"
#include "core/tree/leaf_order.h"
#include "core/tree/move.h"
#include "core/tree/tiles.h"
#include "core/util/column_range.h"

#include <math.h>
#include <string.h>

enum {
    BLOCK = 1 << 15,     /* points in a block of work, at least */
    MAX_BLOCKS = 256,    /* of a move */
    ROW_RUNS = 16,       /* children of a node of coinciding points, at most */
    CENTROID_COLUMNS = 4 /* as many as find_centroid() has sums */
};

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
    struct ct_split_child *child = ct_split_children(state);
    for (int run = 0; run < runs; run++) {
        int from = begin + (int)((long long)size * run / runs);
        int to = begin + (int)((long long)size * (run + 1) / runs);
        child[run].center = from;
        for (int pos = from; pos < to; pos++)
            state->assigned[pos] = run;
    }
    return runs;
}

/* ---- positions of the points ------------------------------------------------- */

/* The task of placing the points of a node. */
struct placement {
    const struct ct_build_state *state;
    const struct ct_point_blocks *node;
    int centers;
    struct ct_split_child *child; /* [blocks x centers] see count_block() */
    int *listed;                  /* [blocks] */
};

/* Returns the first position after `pos` whose point is in another child; at most `end`. */
static int run_end(const int *assigned, int pos, int end)
{
    int h = assigned[pos++];
    while (pos < end && assigned[pos] == h)
        pos++;
    return pos;
}

/* One block of work. For its entries child[0..centers - 1]: `end` of entry h is the number of
 * points of child h; `ranked` lists the children with points in the order of their first points. */
static void count_block(void *data, int block, int thread)
{
    const struct placement *placement = data;
    struct ct_split_child *child = placement->child + (size_t)block * placement->centers;
    int listed = 0;
    for (int h = 0; h < placement->centers; h++)
        child[h].end = 0;
    const int *assigned = placement->state->assigned;
    int pos = ct_block_begin(placement->node, block);
    for (int next, end = ct_block_begin(placement->node, block + 1); pos < end; pos = next) {
        int h = assigned[pos];
        if (child[h].end == 0)
            child[listed++].ranked = h;
        next = run_end(assigned, pos, end);
        child[h].end += next - pos;
    }
    placement->listed[block] = listed;
    (void)thread;
}

/* Lists the children of the node in the order of their first points: `ranked` of `total`. */
static void list_children(const struct placement *placement, struct ct_split_child *total)
{
    int listed = 0;
    for (int h = 0; h < placement->centers; h++)
        total[h].end = 0;
    for (int block = 0; block < placement->node->blocks; block++) {
        const struct ct_split_child *child = placement->child + (size_t)block * placement->centers;
        for (int r = 0; r < placement->listed[block]; r++)
            if (total[child[r].ranked].end++ == 0)
                total[listed++].ranked = child[r].ranked;
    }
}

/* Replaces the number of points of each child in each block by the position of the first of them.
 * Returns the run of positions of the child with most points. */
static struct ct_run find_places(const struct placement *placement,
                                 const struct ct_split_child *total)
{
    struct ct_run largest = {0, 0};
    int next = placement->node->begin;
    for (int r = 0; r < placement->centers; r++) {
        int begin = next;
        for (int block = 0; block < placement->node->blocks; block++) {
            struct ct_split_child *child = placement->child + (size_t)block * placement->centers;
            int points = child[total[r].ranked].end;
            child[total[r].ranked].end = next;
            next += points;
        }
        if (next - begin > largest.end - largest.begin)
            largest = (struct ct_run){begin, next};
    }
    return largest;
}

/* One block of work: turns the index of the child in assigned[pos] into the new position of the
 * point. Points of a child stay in their order. */
static void place_block(void *data, int block, int thread)
{
    const struct placement *placement = data;
    struct ct_split_child *child = placement->child + (size_t)block * placement->centers;
    int *assigned = placement->state->assigned, pos = ct_block_begin(placement->node, block);
    for (int end = ct_block_begin(placement->node, block + 1); pos < end;) {
        int h = assigned[pos], next = run_end(assigned, pos, end), place = child[h].end;
        child[h].end += next - pos;
        while (pos < next)
            assigned[pos++] = place++;
    }
    (void)thread;
}

/* Turns the index of the child of each point, in state->assigned, into the new position of the
 * point: children in the order of their first points. Sets the ends and centers of the children.
 * Returns the run of positions of the child with most points. */
static struct ct_run assign_positions(struct placement *placement)
{
    const struct ct_build_state *state = placement->state;
    struct ct_split_child *total = ct_split_children(state);
    int listed, blocks = placement->node->blocks, centers = placement->centers;
    placement->child = total;
    placement->listed = &listed;
    if (blocks > 1) {
        placement->child = state->host->alloc((size_t)blocks * centers, sizeof *total);
        placement->listed = state->host->alloc((size_t)blocks, sizeof *placement->listed);
    }
    ct_build_loop(state, blocks, count_block, placement);
    if (blocks > 1)
        list_children(placement, total);
    struct ct_run largest = find_places(placement, total);
    ct_build_loop(state, blocks, place_block, placement);
    for (int h = 0; h < centers; h++) {
        total[h].end = placement->child[(size_t)(blocks - 1) * centers + h].end;
        total[h].center = state->assigned[total[h].center];
    }
    return largest;
}

/* ---- nodes ------------------------------------------------------------------- */

/* Puts the points of a leaf in the order of leaf_order.h. The squared distances of a leaf are not
 * used any more: the keys take their memory. A leaf of one tile needs no order, and coinciding
 * points stay in the order of their rows. */
static void order_leaf(const struct ct_build_state *state, struct ct_build_node *node)
{
    int begin = node->begin, size = node->end - begin;
    int *list = ct_is_large_node(state, begin, node->end)
                    ? (int *)state->buffer + begin
                    : (int *)ct_node_buffer(state, begin, node->end);
    if (size <= CT_LANES || node->level == CT_NO_LEVEL)
        return;
    ct_leaf_order(state->kernels, state->points, state->n, state->d, begin, size,
                  state->sqdist + begin, list);
    for (int i = 0; i < size; i++)
        state->assigned[list[i]] = begin + i;
    node->center = state->assigned[node->center];
    struct ct_point_blocks points = {begin, node->end, 1};
    ct_move_points(state, &points, (struct ct_run){0, 0});
}

void ct_split_node(const struct ct_build_state *state, struct ct_build_node *node)
{
    int size = node->end - node->begin;
    ct_measure_node(state, node, size > state->leaf_size);
    if (size <= state->leaf_size) {
        order_leaf(state, node);
        return;
    }
    node->children =
        node->level == CT_NO_LEVEL ? cut_by_row(state, node) : ct_choose_centers(state, node);
    if (node->children == 0)
        return;
    struct ct_point_blocks points = {node->begin, node->end, 1};
    if (state->shared)
        points.blocks = 1 + (size / BLOCK < MAX_BLOCKS ? size / BLOCK : MAX_BLOCKS);
    struct placement placement = {.state = state, .node = &points, .centers = node->children};
    struct ct_run largest = assign_positions(&placement);
    ct_move_points(state, &points, largest);
}

/* ---- the root ---------------------------------------------------------------- */

/* The task of finding the point nearest to the centroid. */
struct root {
    const struct ct_build_state *state;
    double *centroid; /* [d] */
    double *least;    /* [blocks] smallest squared distance of the points of a block */
};

/* One block of work: up to CENTROID_COLUMNS coordinates of the centroid, in one pass, because a sum
 * waits for each of its terms. Differences from the first point keep the sums finite wherever
 * squared distances are. */
static void find_centroid(void *data, int block, int thread)
{
    const struct root *root = data;
    const struct ct_build_state *state = root->state;
    int first = block * CENTROID_COLUMNS, n = state->n;
    int count = state->d - first < CENTROID_COLUMNS ? state->d - first : CENTROID_COLUMNS;
    const double *x[CENTROID_COLUMNS];
    for (int j = 0; j < CENTROID_COLUMNS; j++)
        x[j] = state->points + (size_t)(first + (j < count ? j : 0)) * n;
    const double *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3];
    double from0 = *x0, from1 = *x1, from2 = *x2, from3 = *x3;
    double sum0 = 0, sum1 = 0, sum2 = 0, sum3 = 0;
    for (int pos = 0; pos < n; pos++) {
        sum0 += x0[pos] - from0;
        sum1 += x1[pos] - from1;
        sum2 += x2[pos] - from2;
        sum3 += x3[pos] - from3;
    }
    double sum[] = {sum0, sum1, sum2, sum3};
    for (int j = 0; j < count; j++)
        root->centroid[first + j] = *x[j] + sum[j] / n;
    (void)thread;
}

/* One block of work: squared distances to the centroid, and the smallest of them. */
static void measure_block(void *data, int block, int thread)
{
    const struct root *root = data;
    const struct ct_build_state *state = root->state;
    int begin = block * BLOCK, count = state->n - begin < BLOCK ? state->n - begin : BLOCK;
    double most;
    state->kernels->sqdist(state->points + begin, (size_t)state->n, state->d, count, root->centroid,
                           state->sqdist + begin);
    ct_column_range(state->sqdist + begin, count, &root->least[block], &most);
    (void)thread;
}

/* Sets state->sqdist to the squared distances to the centroid. Returns the first position with the
 * smallest of them. */
static int nearest_to_centroid(const struct root *root)
{
    const struct ct_build_state *state = root->state;
    int n = state->n, blocks = n / BLOCK + (n % BLOCK > 0), block = 0;
    ct_build_loop(state, blocks, measure_block, (void *)root);
    for (int other = 1; other < blocks; other++)
        if (root->least[other] < root->least[block])
            block = other;
    int nearest = block * BLOCK;
    while (state->sqdist[nearest] > root->least[block])
        nearest++;
    return nearest;
}

/* Ties go to the first point. */
void ct_build_root(const struct ct_build_state *state, struct ct_build_node *node)
{
    size_t blocks = (size_t)(state->n / BLOCK + 1);
    struct root root = {.state = state,
                        .centroid = state->center_coords,
                        .least = state->host->alloc(blocks, sizeof(double))};
    ct_build_loop(state, (state->d - 1) / CENTROID_COLUMNS + 1, find_centroid, &root);
    *node =
        (struct ct_build_node){.end = state->n, .center = nearest_to_centroid(&root), .parent = -1};
}
