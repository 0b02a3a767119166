/* gower.c: see gower.h. */
#include "core/metric/gower.h"
#include "core/util/float.h"

#include <math.h>
#include <stddef.h>

enum { RUN = 64 }; /* points that one pass over the columns compares */

/* Adds up the differences and weights of a column. NaN differs from itself. */
static void add_column(const double *x, int count, double q, double weight, int nominal,
                       double *sum, double *total)
{
    for (int i = 0; i < count; i++) {
        double gap = nominal ? (x[i] != q ? weight : 0) : fabs(x[i] - q);
        int there = x[i] == x[i];
        sum[i] += there ? gap : 0;
        total[i] += there ? weight : 0;
    }
}

/* Gower distances [count] of query `at` to the points from `begin` on, count <= RUN: the weighted
 * mean of the differences over the columns that both have; NaN if they have none in common. */
static void compare_run(const struct ct_gower *gower, int at, int begin, int count, double *out)
{
    double total[RUN] = {0};
    for (int i = 0; i < count; i++)
        out[i] = 0;
    for (int j = 0; j < gower->columns; j++) {
        double q = gower->query[at + (size_t)j * (size_t)gower->queries];
        if (q == q)
            add_column(gower->points + begin + (size_t)j * (size_t)gower->n, count, q,
                       gower->weight[j], gower->nominal[j], out, total);
    }
    for (int i = 0; i < count; i++)
        out[i] = total[i] > 0 ? out[i] / total[i] : NAN;
}

void ct_gower_compare(const void *data, int at, int begin, int count, double *distance)
{
    for (int i = 0; i < count; i += RUN)
        compare_run(data, at, begin + i, count - i < RUN ? count - i : RUN, distance + i);
}
