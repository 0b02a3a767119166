/* jaccard.h: the canonical Jaccard distance of two sets: the number of elements that are in one
 * set only, divided by the number of elements of the union.
 *
 * A set is a unit vector: the coordinates of its elements are equal and positive, all others are 0.
 * No set is empty: the host adds one more element to the empty sets. Counts are exact, and their
 * quotient is rounded once. O(d).
 */
#ifndef COVERTREE_METRIC_JACCARD_H
#define COVERTREE_METRIC_JACCARD_H

#include "core/util/float.h"

#include <stddef.h>

/* Distance of two sets with coordinates x_stride and y_stride doubles apart; from 0 to 1. */
static inline double ct_jaccard(const double *x, size_t x_stride, const double *y, size_t y_stride,
                                int d)
{
    int either = 0, both = 0;
    for (int j = 0; j < d; j++) {
        int in_x = x[j * x_stride] != 0, in_y = y[j * y_stride] != 0;
        either += in_x | in_y;
        both += in_x & in_y;
    }
    return either > 0 ? (double)(either - both) / either : 0;
}

#endif
