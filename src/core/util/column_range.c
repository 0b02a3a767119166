/* column_range.c: see column_range.h. Plain loops, which compilers vectorize. */
#include "core/util/column_range.h"

#include <math.h>

size_t ct_first_nonfinite(const double *x, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isfinite(x[i]))
            return i;
    return size;
}

void ct_column_range(const double *x, int n, double *least, double *most)
{
    double low = x[0], high = x[0];
    for (int i = 1; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *least = low;
    *most = high;
}
