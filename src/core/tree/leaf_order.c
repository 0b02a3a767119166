/* leaf_order.c: see leaf_order.h.
 *
 * A k-d partition by tiles: a run of tiles is halved, at the boundary of a tile, along the
 * coordinate with the largest range. Quickselect brings the points with smaller
 * (coordinate, position) before the cut. The halves are treated in the same way.
 */
#include "core/tree/leaf_order.h"
#include "core/tree/tiles.h"

/* The points of a leaf while they are being ordered. */
struct leaf_run {
    const double *points; /* [n x d, column-major] */
    int n, d, begin, size, tiles;
    double *key; /* [size] coordinate along the widest column of the present run */
    int *order;  /* [size] positions */
};

/* First point of a tile, as an index into run->order. */
static int tile_boundary(const struct leaf_run *run, int tile)
{
    return (int)((long long)run->size * tile / run->tiles);
}

/* Returns the coordinate with the largest range over the points from..to - 1; ties go to
 * the first coordinate. */
static int find_widest_column(const struct leaf_run *run, int from, int to)
{
    int widest = 0;
    double most = -1;
    for (int j = 0; j < run->d; j++) {
        const double *x = run->points + (size_t)j * run->n;
        double lower = x[run->order[from]], upper = lower;
        for (int i = from + 1; i < to; i++) {
            double value = x[run->order[i]];
            lower = value < lower ? value : lower;
            upper = value > upper ? value : upper;
        }
        if (upper - lower > most) {
            most = upper - lower;
            widest = j;
        }
    }
    return widest;
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

/* Whether entry i precedes (key, pos). Positions are unique, so the order is total. */
static int is_before(const struct leaf_run *run, int i, double key, int pos)
{
    return run->key[i] < key || (run->key[i] == key && run->order[i] < pos);
}

/* Quickselect by (key, position): afterwards every point before `cut` precedes every point
 * from `cut` on. Expected time proportional to to - from. */
static void partition_at(const struct leaf_run *run, int from, int to, int cut)
{
    while (to - from > 1) {
        int middle = from + (to - from) / 2;
        double key = run->key[middle];
        int pos = run->order[middle], low = from, high = to - 1;
        while (low <= high) {
            while (is_before(run, low, key, pos))
                low++;
            while (run->key[high] > key || (run->key[high] == key && run->order[high] > pos))
                high--;
            if (low <= high)
                swap_points(run, low++, high--);
        }
        if (cut <= high)
            to = high + 1;
        else if (cut >= low)
            from = low;
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
    const double *x = run->points + (size_t)find_widest_column(run, from, to) * run->n;
    for (int i = from; i < to; i++)
        run->key[i] = x[run->order[i]];
    partition_at(run, from, to, tile_boundary(run, middle));
    order_tiles(run, first, middle);
    order_tiles(run, middle, last);
}

void ct_leaf_order(const double *points, int n, int d, int begin, int size, double *key, int *order)
{
    struct leaf_run run = {points, n, d, begin, size, ct_count_leaf_tiles(size), key, order};
    for (int i = 0; i < size; i++)
        order[i] = begin + i;
    order_tiles(&run, 0, run.tiles);
}
