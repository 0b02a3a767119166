/* move.c: see move.h.
 *
 * In general, the values of a column are copied to their new places in the memory of the squared
 * distances, which the node does not need any more, and copied back.
 *
 * Far points give a tree nodes with one child that has nearly all points. There the few other
 * points are copied away, the runs of points between them shift in place, and the other points are
 * copied to their new places.
 */
#include "core/tree/move.h"

#include <string.h>

enum { FEW = 16 }; /* the other points are few if they are at most this part of all */

/* ---- through memory ---------------------------------------------------------- */

struct move {
    const struct ct_build_state *state;
    const struct ct_point_blocks *node;
    double *values; /* the column that moves, [n] */
};

/* Returns the memory through which the values of a node move, [points of the node]. */
static double *move_memory(const struct move *move)
{
    return move->state->sqdist + move->node->begin;
}

/* One block of work: copies the values of a column to their new places in the memory of the move.
 */
static void scatter_values(void *data, int block, int thread)
{
    const struct move *move = data;
    const int *assigned = move->state->assigned;
    const double *values = move->values;
    double *to = move_memory(move);
    int begin = move->node->begin, end = ct_block_begin(move->node, block + 1);
    for (int pos = ct_block_begin(move->node, block); pos < end; pos++)
        to[assigned[pos] - begin] = values[pos];
    (void)thread;
}

/* One block of work: copies the values back. */
static void copy_values(void *data, int block, int thread)
{
    const struct move *move = data;
    int begin = ct_block_begin(move->node, block), end = ct_block_begin(move->node, block + 1);
    memcpy(move->values + begin, move_memory(move) + begin - move->node->begin,
           (size_t)(end - begin) * sizeof *move->values);
    (void)thread;
}

/* The same for rows. */
static void scatter_rows(void *data, int block, int thread)
{
    const struct move *move = data;
    const int *assigned = move->state->assigned, *row = move->state->row;
    int *to = (int *)move_memory(move);
    int begin = move->node->begin, end = ct_block_begin(move->node, block + 1);
    for (int pos = ct_block_begin(move->node, block); pos < end; pos++)
        to[assigned[pos] - begin] = row[pos];
    (void)thread;
}

static void copy_rows(void *data, int block, int thread)
{
    const struct move *move = data;
    int begin = ct_block_begin(move->node, block), end = ct_block_begin(move->node, block + 1);
    int *row = move->state->row + begin;
    memcpy(row, (const int *)move_memory(move) + begin - move->node->begin,
           (size_t)(end - begin) * sizeof *row);
    (void)thread;
}

static void move_all(const struct ct_build_state *state, const struct ct_point_blocks *node)
{
    struct move move = {state, node, NULL};
    for (int j = 0; j < state->d; j++) {
        move.values = state->points + (size_t)j * state->n;
        ct_build_loop(state, node->blocks, scatter_values, &move);
        ct_build_loop(state, node->blocks, copy_values, &move);
    }
    ct_build_loop(state, node->blocks, scatter_rows, &move);
    ct_build_loop(state, node->blocks, copy_rows, &move);
}

/* ---- in place ---------------------------------------------------------------- */

/* The shift of the points of the largest child of a node. */
struct shift {
    const struct ct_build_state *state;
    const struct ct_point_blocks *node;
    struct ct_run largest;
    const int *other; /* [others] positions of the other points, ascending */
    int others;
};

/* Moves run k of the points of the largest child, those between the other points k - 1 and k. */
static inline void shift_run(const struct shift *shift, char *values, size_t size, int k)
{
    int begin = k > 0 ? shift->other[k - 1] + 1 : shift->node->begin;
    int end = k < shift->others ? shift->other[k] : shift->node->end;
    int to = begin + (shift->largest.begin - shift->node->begin) - k;
    memmove(values + (size_t)to * size, values + (size_t)begin * size,
            (size_t)(end - begin) * size);
}

/* Moves the values [n] of `size` bytes. saved: [others x size]. The first runs move up, the last
 * one first; the other runs move down, the first one first. No run overwrites another that has not
 * moved. */
static inline void shift_values(const struct shift *shift, char *values, size_t size, char *saved)
{
    int up = shift->largest.begin - shift->node->begin; /* runs that move up */
    for (int i = 0; i < shift->others; i++)
        memcpy(saved + (size_t)i * size, values + (size_t)shift->other[i] * size, size);
    for (int k = up - 1; k >= 0; k--)
        shift_run(shift, values, size, k);
    for (int k = up + 1; k <= shift->others; k++)
        shift_run(shift, values, size, k);
    for (int i = 0; i < shift->others; i++)
        memcpy(values + (size_t)shift->state->assigned[shift->other[i]] * size,
               saved + (size_t)i * size, size);
}

/* One block of work: moves a column, or, after the last column, the rows. */
static void shift_column(void *data, int column, int thread)
{
    const struct shift *shift = data;
    const struct ct_build_state *state = shift->state;
    char *saved = (char *)(state->sqdist + shift->node->begin + (size_t)column * shift->others);
    if (column < state->d)
        shift_values(shift, (char *)(state->points + (size_t)column * state->n), sizeof(double),
                     saved);
    else
        shift_values(shift, (char *)state->row, sizeof(int), saved);
    (void)thread;
}

/* Lists the points that are not in the largest child, in state->buffer. */
static void list_others(struct shift *shift)
{
    const int *assigned = shift->state->assigned;
    int *other = (int *)shift->state->buffer + shift->node->begin, count = 0;
    unsigned size = (unsigned)(shift->largest.end - shift->largest.begin);
    for (int pos = shift->node->begin; pos < shift->node->end; pos++) {
        other[count] = pos;
        count += (unsigned)(assigned[pos] - shift->largest.begin) >= size;
    }
    shift->other = other;
    shift->others = count;
}

void ct_move_points(const struct ct_build_state *state, const struct ct_point_blocks *node,
                    struct ct_run largest)
{
    long long size = node->end - node->begin, others = size - (largest.end - largest.begin);
    if (others * FEW > size || others * (state->d + 1) > size) {
        move_all(state, node);
        return;
    }
    struct shift shift = {.state = state, .node = node, .largest = largest};
    list_others(&shift);
    ct_build_loop(state, state->d + 1, shift_column, &shift);
}
