/* leaf_order.c: see leaf_order.h.
 *
 * A run of tiles is halved, between tiles, along the coordinate in which its
 * points extend farthest, by selection: what comes before the cut by (coordinate,
 * place) goes before it.
 */
#include "core/tree/leaf_order.h"
#include "core/tree/tiles.h"

struct run {
    const double *points;
    int n, d, begin, size, parts;
    double *key;
    int *list;
};

static int boundary(const struct run *run, int part)
{
    return (int)((long long)run->size * part / run->parts);
}

static int widest_column(const struct run *run, int from, int to)
{
    int widest = 0;
    double most = -1;
    for (int j = 0; j < run->d; j++) {
        const double *x = run->points + (size_t)j * run->n;
        double lower = x[run->list[from]], upper = lower;
        for (int i = from + 1; i < to; i++) {
            double its = x[run->list[i]];
            lower = its < lower ? its : lower;
            upper = its > upper ? its : upper;
        }
        if (upper - lower > most) {
            most = upper - lower;
            widest = j;
        }
    }
    return widest;
}

static void swap(const struct run *run, int i, int j)
{
    double key = run->key[i];
    int number = run->list[i];
    run->key[i] = run->key[j];
    run->list[i] = run->list[j];
    run->key[j] = key;
    run->list[j] = number;
}

static int before(const struct run *run, int i, double key, int number)
{
    return run->key[i] < key || (run->key[i] == key && run->list[i] < number);
}

/* Brings those that come before the cut before it. */
static void halve(const struct run *run, int from, int to, int cut)
{
    while (to - from > 1) {
        int middle = from + (to - from) / 2;
        double key = run->key[middle];
        int number = run->list[middle], low = from, high = to - 1;
        while (low <= high) {
            while (before(run, low, key, number))
                low++;
            while (run->key[high] > key || (run->key[high] == key && run->list[high] > number))
                high--;
            if (low <= high)
                swap(run, low++, high--);
        }
        if (cut <= high)
            to = high + 1;
        else if (cut >= low)
            from = low;
        else
            return;
    }
}

static void pack(const struct run *run, int first, int last)
{
    if (last - first < 2)
        return;
    int from = boundary(run, first), to = boundary(run, last), middle = (first + last) / 2;
    const double *x = run->points + (size_t)widest_column(run, from, to) * run->n;
    for (int i = from; i < to; i++)
        run->key[i] = x[run->list[i]];
    halve(run, from, to, boundary(run, middle));
    pack(run, first, middle);
    pack(run, middle, last);
}

void ct_leaf_order(const double *points, int n, int d, int begin, int size, double *key, int *list)
{
    struct run run = {points, n, d, begin, size, ct_count_leaf_tiles(size), key, list};
    for (int i = 0; i < size; i++)
        list[i] = begin + i;
    pack(&run, 0, run.parts);
}
