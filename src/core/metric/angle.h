/* angle.h: the angle of two vectors of the same length.
 *
 * Used by the great circle and the angular metric for every distance that a search returns. IEEE
 * operations only, so that the result has the same bits on every machine, unlike that of a
 * library. Constant time.
 */
#ifndef COVERTREE_METRIC_ANGLE_H
#define COVERTREE_METRIC_ANGLE_H

#include "core/util/float.h"

#include <math.h>

/* Returns the value of ct_angle(), for any ratio of the two squares. */
double ct_wide_angle(double difference_sq, double sum_sq);

/* Angle [radians] of two vectors x and y of the same length: 2 atan(|x - y| / |x + y|), of the
 * squares difference_sq = |x - y|^2 and sum_sq = |x + y|^2, both at least 0. 0 if both are 0 or
 * infinite. Relative error below 4 units in the last place, for the smallest angles and for angles
 * near pi alike. Most neighbors are so near that three terms of the power series suffice: the
 * fourth is below 2^-66 of the first. */
static inline double ct_angle(double difference_sq, double sum_sq)
{
    double z = difference_sq / sum_sq;
    if (!(z <= 1.0 / 4096))
        return ct_wide_angle(difference_sq, sum_sq);
    double ratio = sqrt(z);
    return 2 * (ratio - ratio * z * (1.0 / 3 - z * (1.0 / 5 - z * (1.0 / 7 - z / 9))));
}

#endif
