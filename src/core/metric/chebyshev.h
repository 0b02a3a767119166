/* chebyshev.h: the canonical Chebyshev distance: the largest absolute difference.
 *
 * The only definition in the package. Differences are rounded once and their maximum is exact.
 * The same operations on the gaps to a box give a lower bound that no point of the box undercuts,
 * to the bit.
 */
#ifndef COVERTREE_METRIC_CHEBYSHEV_H
#define COVERTREE_METRIC_CHEBYSHEV_H

#include "core/util/float.h"

#include <math.h>
#include <stddef.h>

/* Distance of two points with coordinates x_stride and y_stride doubles apart. */
static inline double ct_chebyshev(const double *x, size_t x_stride, const double *y,
                                  size_t y_stride, int d)
{
    double most = 0;
    for (int j = 0; j < d; j++) {
        double gap = fabs(x[j * x_stride] - y[j * y_stride]);
        most = gap > most ? gap : most;
    }
    return most;
}

/* Distance of two boxes: the first with coordinates ld doubles apart, the second from
 * q_lower [d] to q_upper [d]. 0 if the boxes overlap. */
static inline double ct_box_chebyshev(const double *lower, const double *upper, size_t ld,
                                      const double *q_lower, const double *q_upper, int d)
{
    double most = 0;
    for (int j = 0; j < d; j++) {
        double below = lower[j * ld] - q_upper[j], above = q_lower[j] - upper[j * ld];
        double gap = below > above ? below : above;
        most = gap > most ? gap : most;
    }
    return most;
}

#endif
