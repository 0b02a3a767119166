/* column_range.c: see column_range.h. */
#include "core/util/column_range.h"

#include <math.h>

size_t ct_first_nonfinite(const double *x, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isfinite(x[i]))
            return i;
    return size;
}

static inline double smaller(double a, double b)
{
    return a < b ? a : b;
}

static inline double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Four independent comparisons at a time, because a comparison waits for the one before it. */
void ct_column_range(const double *x, int n, double *least, double *most)
{
    double low0 = x[0], low1 = low0, low2 = low0, low3 = low0;
    double high0 = low0, high1 = low0, high2 = low0, high3 = low0;
    for (; n >= 4; n -= 4, x += 4) {
        low0 = smaller(x[0], low0);
        low1 = smaller(x[1], low1);
        low2 = smaller(x[2], low2);
        low3 = smaller(x[3], low3);
        high0 = larger(x[0], high0);
        high1 = larger(x[1], high1);
        high2 = larger(x[2], high2);
        high3 = larger(x[3], high3);
    }
    for (; n > 0; n--, x++) {
        low0 = smaller(x[0], low0);
        high0 = larger(x[0], high0);
    }
    *least = smaller(smaller(low3, low2), smaller(low1, low0));
    *most = larger(larger(high3, high2), larger(high1, high0));
}
