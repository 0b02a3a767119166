/* periodic.h: the canonical distance on a torus: the Euclidean distance of the nearest images.
 *
 * A search needs a norm of differences, and a torus has none. So each periodic column x with the
 * period L becomes a circle of circumference L, with two coordinates. A chord of the circle is at
 * most the difference along the circle, and nearly equal to it for small differences. The column
 * itself follows at the end, times CT_TRAILING: this factor is so small that the column changes no
 * norm, and the exact distance is computed from the column. The coordinates of a point with p
 * periodic and q other columns:
 *
 *   [2 p]  L / (2 pi) cos(2 pi x / L), L / (2 pi) sin(2 pi x / L)
 *   [q]    the other columns
 *   [p]    x times CT_TRAILING; all x of a column lie within one period
 *
 * O(d) for one distance.
 */
#ifndef COVERTREE_METRIC_PERIODIC_H
#define COVERTREE_METRIC_PERIODIC_H

#include "core/util/float.h"

#include <math.h>
#include <stddef.h>

#define CT_TRAILING 0x1p-40

/* Squared distance of two points with coordinates x_stride and y_stride doubles apart: squares
 * of the periodic columns first. box: [periods]. */
static inline double ct_periodic_sq(const double *box, int periods, const double *x,
                                    size_t x_stride, const double *y, size_t y_stride, int d)
{
    double sum = 0;
    for (int j = 0; j < periods; j++) {
        size_t at = (size_t)(d - periods + j);
        double gap = fabs(x[at * x_stride] - y[at * y_stride]) / CT_TRAILING;
        double around = fabs(box[j] - gap);
        gap = gap < around ? gap : around;
        sum += gap * gap;
    }
    for (int j = 2 * periods; j < d - periods; j++) {
        double gap = x[j * x_stride] - y[j * y_stride];
        sum += gap * gap;
    }
    return sum;
}

#endif
