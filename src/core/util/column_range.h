/* column_range.h: plain facts about a matrix of points. */
#ifndef COVERTREE_UTIL_COLUMN_RANGE_H
#define COVERTREE_UTIL_COLUMN_RANGE_H

#include "core/util/float.h"

#include <stddef.h>

/* The place, from 0, of the first value that is not finite; size if none. */
size_t ct_first_nonfinite(const double *x, size_t size);

/* The least and the greatest of n >= 1 finite values. */
void ct_column_range(const double *x, int n, double *least, double *most);

#endif
