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

enum { SHIFT_SHARE = 16 }; /* 1 / share of the other points up to which the points shift in place */

/* The values that move: a column of the points, or, after the last column, the rows. */
struct column {
    char *values; /* [n x size] */
    size_t size;  /* bytes of a value: that of a double or of an int */
};

static struct column column_of(const struct ct_build_state *state, int j)
{
    if (j == state->d)
        return (struct column){(char *)state->row, sizeof *state->row};
    return (struct column){(char *)(state->points + (size_t)j * state->n), sizeof *state->points};
}

/* ---- through memory ---------------------------------------------------------- */

struct move {
    const struct ct_build_state *state;
    const struct ct_point_blocks *node;
    struct column column;
    char *memory; /* [points of the node x size] */
};

/* Copies the values of a block to their new places in the memory of the move. */
static inline void scatter(const struct move *move, int block, size_t size)
{
    const int *assigned = move->state->assigned;
    const char *values = move->column.values;
    char *to = move->memory;
    int begin = move->node->begin, end = ct_block_begin(move->node, block + 1);
    for (int pos = ct_block_begin(move->node, block); pos < end; pos++)
        memcpy(to + (size_t)(assigned[pos] - begin) * size, values + (size_t)pos * size, size);
}

/* One block of work: scatter() with a constant size, so that a value is one load and one store. */
static void scatter_block(void *data, int block, int thread)
{
    const struct move *move = data;
    if (move->column.size == sizeof(double))
        scatter(move, block, sizeof(double));
    else
        scatter(move, block, sizeof(int));
    (void)thread;
}

/* One block of work: copies the values back. */
static void copy_block(void *data, int block, int thread)
{
    const struct move *move = data;
    size_t size = move->column.size;
    int begin = ct_block_begin(move->node, block), end = ct_block_begin(move->node, block + 1);
    memcpy(move->column.values + (size_t)begin * size,
           move->memory + (size_t)(begin - move->node->begin) * size, (size_t)(end - begin) * size);
    (void)thread;
}

static void move_all(const struct ct_build_state *state, const struct ct_point_blocks *node)
{
    struct move move = {.state = state, .node = node};
    move.memory = (char *)(state->sqdist + node->begin);
    for (int j = 0; j <= state->d; j++) {
        move.column = column_of(state, j);
        ct_build_loop(state, node->blocks, scatter_block, &move);
        ct_build_loop(state, node->blocks, copy_block, &move);
    }
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

/* One block of work: moves a column. */
static void shift_column(void *data, int number, int thread)
{
    const struct shift *shift = data;
    const struct ct_build_state *state = shift->state;
    struct column column = column_of(state, number);
    char *saved = (char *)(state->sqdist + shift->node->begin + (size_t)number * shift->others);
    if (column.size == sizeof(double))
        shift_values(shift, column.values, sizeof(double), saved);
    else
        shift_values(shift, column.values, sizeof(int), saved);
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
    if (others * SHIFT_SHARE > size || others * (state->d + 1) > size) {
        move_all(state, node);
        return;
    }
    struct shift shift = {.state = state, .node = node, .largest = largest};
    list_others(&shift);
    ct_build_loop(state, state->d + 1, shift_column, &shift);
}
