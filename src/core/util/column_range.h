/* column_range.h: finite values, smallest and largest value of a column of points. */
#ifndef COVERTREE_UTIL_COLUMN_RANGE_H
#define COVERTREE_UTIL_COLUMN_RANGE_H

#include "core/util/float.h"

#include <stddef.h>

/* Returns the index, from 0, of the first value of x [size] that is NaN or infinite; `size` if
 * all values are finite. */
size_t ct_first_nonfinite(const double *x, size_t size);

/* Sets *least and *most to the smallest and the largest of n >= 1 finite values. */
void ct_column_range(const double *x, int n, double *least, double *most);

#endif
