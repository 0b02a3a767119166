/* test_hilbert.c: the properties that define the curve. On a full grid, successive cells are
 * neighbors, and every aligned run of 2^(d s) cells is a cube of side 2^s. From d = 33 on, a
 * coordinate has one bit, and the curve is a Gray code: restricted to any few of the d coordinates,
 * it must visit their cells in the order of a Gray code. */
#include "check.h"
#include "clouds.h"
#include "core/order/hilbert.h"
#include "core/order/hilbert_key.h"
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* Points of a grid with `side` cells a side in the given columns, all others
 * at 0, in random order; size of them. */
static double *full_grid(int size, int d, int side, const int *column, int columns)
{
    double *x = keep((size_t)size * d, sizeof *x);
    int *cell = keep((size_t)size, sizeof *cell);
    memset(x, 0, (size_t)size * d * sizeof *x);
    for (int i = 0; i < size; i++) {
        int other = random_below(i + 1);
        cell[i] = cell[other];
        cell[other] = i;
    }
    for (int i = 0; i < size; i++)
        for (int c = 0, rest = cell[i]; c < columns; c++, rest /= side)
            x[i + (size_t)column[c] * size] = rest % side;
    return x;
}

static int *order_of(const double *x, int n, int d, int threads)
{
    int *order = keep((size_t)n, sizeof *order);
    ct_hilbert_order(&host, x, n, d, threads, order);
    host_end_call();
    return order;
}

static int is_permutation(const int *order, int n)
{
    int once = 1, *seen = keep((size_t)n, sizeof *seen);
    memset(seen, 0, (size_t)n * sizeof *seen);
    for (int i = 0; i < n; i++)
        once &= order[i] >= 0 && order[i] < n && seen[order[i]]++ == 0;
    return once;
}

/* The pairs in a row that are not one step in one coordinate apart. */
static int leaps(const double *x, const int *order, int n, int d)
{
    int count = 0;
    for (int i = 1; i < n; i++) {
        double steps = 0;
        for (int j = 0; j < d; j++)
            steps += abs((int)x[order[i] + (size_t)j * n] - (int)x[order[i - 1] + (size_t)j * n]);
        count += steps != 1;
    }
    return count;
}

/* The aligned runs of run cells that do not fit in a cube of side cells. */
static int torn(const double *x, const int *order, int n, int d, int run, int side)
{
    int count = 0;
    for (int from = 0; from < n; from += run)
        for (int j = 0; j < d; j++) {
            double least = 1e9, most = -1e9;
            for (int i = from; i < from + run; i++) {
                double at = x[order[i] + (size_t)j * n];
                least = at < least ? at : least;
                most = at > most ? at : most;
            }
            count += most - least >= side;
        }
    return count;
}

static void check_grid(int d, int bits)
{
    int columns[] = {0, 1, 2, 3, 4, 5, 6}, side = 1 << bits, n = 1 << (d * bits);
    double *x = full_grid(n, d, side, columns, d);
    int *order = order_of(x, n, d, 2);
    check_about("d = %d, %d cells a side", d, side);
    CHECK(is_permutation(order, n));
    CHECK(leaps(x, order, n, d) == 0);
    for (int s = 1; s < bits; s++)
        CHECK(torn(x, order, n, d, 1 << (d * s), 1 << s) == 0);
    for (int j = 0; j < d; j++)
        CHECK(x[order[0] + (size_t)j * n] == 0);
    keep_end();
}

/* The same at the finest cells: an aligned cube of them, and two far points that
 * make every cell as wide as 1. */
static void check_finest(int d, int s)
{
    int columns[] = {0, 1, 2, 3, 4, 5}, bits = ct_hilbert_bits(d), n = 1 << (d * s), kept = 0;
    double *cube = full_grid(n, d, 1 << s, columns, d), *x = keep((size_t)(n + 2) * d, sizeof *x);
    for (int j = 0; j < d; j++) {
        double *to = x + (size_t)j * (n + 2), cells = (double)(1LL << bits);
        uint64_t cubes = (1ULL << (bits - s)) - 2, corner = (1 + random_bits() % cubes) << s;
        for (int i = 0; i < n; i++)
            to[i] = (double)corner + cube[i + (size_t)j * n];
        to[n] = 0, to[n + 1] = cells;
    }
    int *order = order_of(x, n + 2, d, 1);
    for (int i = 0; i < n + 2; i++)
        if (order[i] < n)
            order[kept++] = order[i];
    check_about("finest cells, d = %d, %d a side", d, 1 << s);
    CHECK(kept == n);
    CHECK(leaps(cube, order, n, d) == 0);
    keep_end();
}

/* Cells are cubes: a strip of a grid is walked as within the grid. */
static void check_strip(int narrow)
{
    int columns[] = {0, 1}, n = 256, m = 0, in_grid = 0, alike = 1;
    double *grid = full_grid(n, 2, 16, columns, 2), *strip = keep(256, sizeof *strip);
    int *from = keep(128, sizeof *from), *order = order_of(grid, n, 2, 1);
    for (int i = 0; i < n; i++)
        if (grid[i + narrow * n] < 8) {
            strip[m] = grid[i], strip[m + 128] = grid[i + n];
            from[m++] = i;
        }
    int *strip_order = order_of(strip, m, 2, 1);
    for (int i = 0; i < n; i++)
        if (grid[order[i] + narrow * n] < 8)
            alike &= from[strip_order[in_grid++]] == order[i];
    check_about("a strip, narrow in column %d", narrow + 1);
    CHECK(m == 128 && in_grid == 128);
    CHECK(alike);
    keep_end();
}

/* A full grid of two cells a side in seven of the columns. */
static void check_gray(int d)
{
    int columns[] = {0, 1, 2, d / 2, d / 2 + 1, d - 2, d - 1}, n = 1 << 7;
    double *x = full_grid(n, d, 2, columns, 7);
    int *order = order_of(x, n, d, 3);
    check_about("d = %d", d);
    CHECK(is_permutation(order, n));
    CHECK(leaps(x, order, n, d) == 0);
    keep_end();
}

/* In one dimension the curve is the line. */
static void check_line(void)
{
    struct cloud cloud = cloud_of("column", 5000, 1);
    int *order = order_of(cloud.x, cloud.n, 1, 2), falls = 0;
    for (int i = 1; i < cloud.n; i++)
        falls += cloud.x[order[i]] < cloud.x[order[i - 1]] - 1e-9;
    check_about("d = 1");
    CHECK(is_permutation(order, cloud.n));
    CHECK(falls == 0);
    keep_end();
}

/* Points of one cell keep their order: three of the same, far apart in memory. */
static void check_ties(int d)
{
    int m = 100, n = 3 * m, kept = 1;
    struct cloud cloud = cloud_of("uniform", m, d);
    double *x = keep((size_t)n * d, sizeof *x);
    for (int j = 0; j < d; j++)
        for (int i = 0; i < n; i++)
            x[i + (size_t)j * n] = cloud.x[i % m + (size_t)j * m];
    int *order = order_of(x, n, d, 2), *last = keep((size_t)m, sizeof *last);
    for (int i = 0; i < m; i++)
        last[i] = -1;
    for (int i = 0; i < n; i++) {
        kept &= order[i] > last[order[i] % m];
        last[order[i] % m] = order[i];
    }
    check_about("ties, d = %d", d);
    CHECK(is_permutation(order, n));
    CHECK(kept);
    keep_end();
}

static void check_threads(int n, int d)
{
    struct cloud cloud = cloud_of("uniform", n, d);
    int *one = order_of(cloud.x, n, d, 1);
    check_about("%d points, d = %d", n, d);
    for (int threads = 2; threads <= 3; threads++)
        CHECK(memcmp(one, order_of(cloud.x, n, d, threads), (size_t)n * sizeof *one) == 0);
    keep_end();
}

/* Most points are in few cells of the short keys, because of two far points. The order of fewer
 * points, with the same two, is that of all points without the others. */
static void check_far_points(int n, int fewer, int d)
{
    struct cloud cloud = cloud_of("uniform", n, d);
    double *x = keep((size_t)fewer * d, sizeof *x);
    for (int j = 0; j < d; j++) {
        double *of = cloud.x + (size_t)j * n;
        of[0] = -4000;
        of[1] = 4100;
        memcpy(x + (size_t)j * fewer, of, (size_t)fewer * sizeof *of);
    }
    int *all = order_of(cloud.x, n, d, 1), *part = order_of(x, fewer, d, 1), next = 0, wrong = 0;
    for (int i = 0; i < n; i++)
        if (all[i] < fewer)
            wrong += all[i] != part[next++];
    check_about("far points, d = %d", d);
    CHECK(is_permutation(all, n));
    CHECK(wrong == 0);
    for (int threads = 2; threads <= 3; threads++)
        CHECK(memcmp(all, order_of(cloud.x, n, d, threads), (size_t)n * sizeof *all) == 0);
    keep_end();
}

/* A shape stands in the same order at every scale that is a power of two. */
static void check_scales(void)
{
    static const double scale[] = {0x1p500, 0x1p-500, 0x1p-1000, 0x1p1000};
    struct cloud cloud = cloud_of("integers", 500, 1);
    cloud.n /= 2, cloud.d = 2;
    int *order = order_of(cloud.x, cloud.n, 2, 1);
    for (int s = 0; s < 4; s++) {
        struct cloud scaled = cloud_of("integers", 500, 1);
        for (int i = 0; i < 500; i++)
            scaled.x[i] *= scale[s];
        int *other = order_of(scaled.x, cloud.n, 2, 1);
        check_about("scaled by %g", scale[s]);
        CHECK(memcmp(order, other, (size_t)cloud.n * sizeof *order) == 0);
    }
    keep_end();
}

static void check_bits(void)
{
    static const int of[][2] = {{1, 32}, {2, 32}, {3, 21}, {4, 16}, {32, 2}, {33, 1}, {500, 1}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        check_about("bits at d = %d", of[i][0]);
        CHECK(ct_hilbert_bits(of[i][0]) == of[i][1]);
    }
}

int main(void)
{
    static const int grids[][2] = {{1, 10}, {2, 1}, {2, 2}, {2, 6}, {3, 1}, {3, 4}, {4, 3}, {7, 2}};
    static const int many[] = {20, 33, 64, 65, 127, 200};
    for (size_t i = 0; i < sizeof grids / sizeof *grids; i++)
        check_grid(grids[i][0], grids[i][1]);
    for (size_t i = 0; i < sizeof many / sizeof *many; i++)
        check_gray(many[i]);
    for (int d = 2; d <= 5; d++)
        check_finest(d, 2);
    check_finest(2, 5);
    check_finest(3, 3);
    check_strip(0);
    check_strip(1);
    check_line();
    check_bits();
    check_scales();
    for (int d = 1; d <= 256; d *= 4)
        check_ties(d);
    check_threads(700, 3);
    check_threads(700, 130);
    check_threads(70000, 2);
    for (int d = 1; d <= 4; d++)
        check_far_points(70000, 50000, d);
    return check_done("hilbert");
}
