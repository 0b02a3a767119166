/* euclidean.h: the canonical Euclidean distance.
 *
 * The only definition in the package: differences squared and summed in the order of the
 * columns, in double, without fused multiply-add; the root at the end. Kernels vectorize
 * across points, so every lane repeats these operations and gets the same bits. Rounding is
 * monotone, so the same operations on the gaps to a box give a lower bound that no point of
 * the box undercuts, to the bit.
 */
#ifndef COVERTREE_METRIC_EUCLIDEAN_H
#define COVERTREE_METRIC_EUCLIDEAN_H

#include "core/util/float.h"

#include <stddef.h>

/* Squared distance of two points with coordinates x_stride and y_stride doubles apart. */
static inline double ct_sqdist(const double *x, size_t x_stride, const double *y, size_t y_stride,
                               int d)
{
    double sum = 0;
    for (int j = 0; j < d; j++) {
        double gap = x[j * x_stride] - y[j * y_stride];
        sum += gap * gap;
    }
    return sum;
}

/* Squared distance of two boxes: the first with coordinates ld doubles apart, the second from
 * q_lower [d] to q_upper [d]. 0 if the boxes overlap. A point is a box with lower = upper. */
static inline double ct_box_sqdist(const double *lower, const double *upper, size_t ld,
                                   const double *q_lower, const double *q_upper, int d)
{
    double sum = 0;
    for (int j = 0; j < d; j++) {
        double below = lower[j * ld] - q_upper[j], above = q_lower[j] - upper[j * ld];
        double gap = below > above ? below : above;
        gap = gap > 0 ? gap : 0;
        sum += gap * gap;
    }
    return sum;
}

/* Threshold of squared distances for a threshold of distances: the root of any square above
 * the result rounds to more than `distance`. The four ulps cover the rounding of the product
 * here and of the root there. */
static inline double ct_sq_threshold(double distance)
{
    return distance * distance * (1 + 8.881784197001252e-16);
}

#endif
