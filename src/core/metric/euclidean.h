/* euclidean.h: the canonical Euclidean distance.
 *
 * One definition: differences squared and summed in the order of the columns,
 * in double, without fused multiply-add; the root at the end. Kernels that
 * vectorise do so across points, so every lane repeats these operations and
 * gets the same bits. Rounding is monotone, so the same recipe on the gaps to
 * a box gives a lower bound that no point of the box undercuts, to the bit.
 */
#ifndef COVERTREE_METRIC_EUCLIDEAN_H
#define COVERTREE_METRIC_EUCLIDEAN_H

#include "core/util/float.h"

#include <stddef.h>

/* x and y are single points whose coordinates lie xs and ys doubles apart. */
static inline double ct_sqdist(const double *x, size_t xs, const double *y, size_t ys, int d)
{
    double sum = 0;
    for (int j = 0; j < d; j++) {
        double gap = x[j * xs] - y[j * ys];
        sum += gap * gap;
    }
    return sum;
}

/* The same between a box, whose columns lie ld apart, and the box from q_lower
 * to q_upper; a point is a box without extent. */
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

/* The limit that turns a comparison of distances into one of squares: the root
 * of any square above it rounds to more than tau. The four ulps cover the
 * rounding of the product here and of the root there. */
static inline double ct_sq_threshold(double tau)
{
    return tau * tau * (1 + 8.881784197001252e-16);
}

#endif
