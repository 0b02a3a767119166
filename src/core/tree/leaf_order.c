/* leaf_order.c: see leaf_order.h.
 *
 * A k-d partition by tiles: a run of tiles is halved, at the boundary of a tile, along the
 * coordinate with the largest range. Quickselect brings the points with smaller
 * (coordinate, position) before the cut. The halves are treated in the same way.
 */
#include "core/tree/leaf_order.h"
#include "core/simd/euclid.h"
#include "core/tree/tiles.h"

/* The points of a leaf while they are being ordered. */
struct leaf_run {
    const struct ct_kernels *kernels;
    const double *points; /* [n x d, column-major] */
    int n, d, begin, size, tiles;
    double *key; /* [size] coordinate along one column */
    int *order;  /* [size] positions */
};

/* First point of a tile, as an index into run->order. */
static int tile_boundary(const struct leaf_run *run, int tile)
{
    return (int)((long long)run->size * tile / run->tiles);
}

/* Copies coordinate j of the points from..to - 1 to run->key. */
static void load_keys(const struct leaf_run *run, int from, int to, int j)
{
    const double *x = run->points + (size_t)j * run->n;
    for (int i = from; i < to; i++)
        run->key[i] = x[run->order[i]];
}

/* Copies the coordinate with the largest range over the points from..to - 1 to run->key; ties go to
 * the first coordinate. */
static void load_widest_column(const struct leaf_run *run, int from, int to)
{
    int widest = 0;
    double most = -1;
    for (int j = 0; j < run->d; j++) {
        double lower, upper;
        load_keys(run, from, to, j);
        run->kernels->box(run->key + from, 0, 1, to - from, &lower, &upper);
        if (upper - lower > most) {
            most = upper - lower;
            widest = j;
        }
    }
    if (widest < run->d - 1)
        load_keys(run, from, to, widest);
}

/* ---- partition ---------------------------------------------------------------- */

/* A partition by a pivot, (key, pos). Entries below `low` are at most the pivot, entries above
 * `high` at least; the entries between are unknown. Bits of `up` and `down` tell which of 64
 * entries from up_begin and down_begin on are at least, and at most, the pivot. An entry between
 * low and high does not move, so its bit remains right. */
struct partition {
    const struct leaf_run *run;
    double key;
    int pos, low, high;
    int up_begin, up_end;     /* entries with bits in `up` */
    int down_begin, down_end; /* entries with bits in `down` */
    uint64_t up, down;
};

enum { BITS = 64 };

/* Compares the entries from..from + count - 1, at most BITS, with the pivot. Positions are unique,
 * so the order is total: only the pivot itself is in both results. */
static void compare_with_pivot(const struct partition *p, int from, int count, uint64_t *at_most,
                               uint64_t *at_least)
{
    p->run->kernels->compare_f64(p->run->key + from, count, p->key, at_most, at_least);
    for (uint64_t equal = *at_most & *at_least; equal; equal &= equal - 1) {
        int pos = p->run->order[from + __builtin_ctzll(equal)];
        uint64_t bit = equal & -equal;
        *at_least &= pos < p->pos ? ~bit : ~(uint64_t)0;
        *at_most &= pos > p->pos ? ~bit : ~(uint64_t)0;
    }
}

/* Returns the first entry from `low` to `high` that is not before the pivot; high + 1 if there is
 * none. */
static int scan_up(struct partition *p)
{
    int at = p->low;
    while (at <= p->high) {
        uint64_t at_most;
        if (at >= p->up_end) {
            p->up_begin = at;
            p->up_end = p->high - at < BITS ? p->high + 1 : at + BITS;
            compare_with_pivot(p, at, p->up_end - at, &at_most, &p->up);
        }
        uint64_t stops = p->up >> (at - p->up_begin);
        at = stops ? at + __builtin_ctzll(stops) : p->up_end;
        if (stops)
            break;
    }
    return at <= p->high ? at : p->high + 1;
}

/* Returns the last entry from `low` to `high` that is not behind the pivot; low - 1 if there is
 * none. */
static int scan_down(struct partition *p)
{
    int at = p->high;
    while (at >= p->low) {
        uint64_t at_least;
        if (at < p->down_begin) {
            p->down_end = at + 1;
            p->down_begin = at - p->low < BITS ? p->low : at + 1 - BITS;
            compare_with_pivot(p, p->down_begin, p->down_end - p->down_begin, &p->down, &at_least);
        }
        uint64_t stops = p->down << (BITS - 1 - (at - p->down_begin));
        at = stops ? at - __builtin_clzll(stops) : p->down_begin - 1;
        if (stops)
            break;
    }
    return at >= p->low ? at : p->low - 1;
}

/* Swaps entries i and j of key and order. */
static void swap_points(const struct leaf_run *run, int i, int j)
{
    double key = run->key[i];
    int pos = run->order[i];
    run->key[i] = run->key[j];
    run->order[i] = run->order[j];
    run->key[j] = key;
    run->order[j] = pos;
}

/* Quickselect by (key, position): afterwards every point before `cut` precedes every point
 * from `cut` on. Expected time proportional to to - from. */
static void partition_at(const struct leaf_run *run, int from, int to, int cut)
{
    while (to - from > 1) {
        int middle = from + (to - from) / 2;
        struct partition p = {.run = run,
                              .key = run->key[middle],
                              .pos = run->order[middle],
                              .low = from,
                              .high = to - 1,
                              .up_end = from,
                              .down_begin = to};
        while (p.low <= p.high) {
            int low = scan_up(&p), high = scan_down(&p);
            if (low <= high)
                swap_points(run, low++, high--);
            p.low = low;
            p.high = high;
        }
        if (cut <= p.high)
            to = p.high + 1;
        else if (cut >= p.low)
            from = p.low;
        else
            return;
    }
}

/* Orders the points of the tiles first..last - 1. The recursion is log2(tiles) deep. */
static void order_tiles(const struct leaf_run *run, int first, int last)
{
    if (last - first < 2)
        return;
    int from = tile_boundary(run, first), to = tile_boundary(run, last);
    int middle = (first + last) / 2;
    load_widest_column(run, from, to);
    partition_at(run, from, to, tile_boundary(run, middle));
    order_tiles(run, first, middle);
    order_tiles(run, middle, last);
}

void ct_leaf_order(const struct ct_kernels *kernels, const double *points, int n, int d, int begin,
                   int size, double *key, int *order)
{
    struct leaf_run run = {kernels, points, n, d, begin, size, ct_count_leaf_tiles(size),
                           key,     order};
    for (int i = 0; i < size; i++)
        order[i] = begin + i;
    order_tiles(&run, 0, run.tiles);
}
