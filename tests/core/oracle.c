/* oracle.c: see oracle.h. */
#include "oracle.h"

#include <math.h>
#include <stdlib.h>

double oracle_distance(const double *a, size_t a_apart, const double *b, size_t b_apart, int d)
{
    double sum = 0;
    for (int j = 0; j < d; j++) {
        double gap = a[a_apart * j] - b[b_apart * j], square = gap * gap;
        sum += square;
    }
    return sqrt(sum);
}

static int compare(const void *one, const void *other)
{
    const struct near *a = one, *b = other;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

int oracle_rows(const struct cloud *cloud, const struct cloud *queries, int i, int self,
                struct near *out)
{
    int count = 0;
    for (int row = 1; row <= cloud->n; row++)
        if (row != self)
            out[count++] =
                (struct near){oracle_distance(queries->x + i, (size_t)queries->n,
                                              cloud->x + row - 1, (size_t)cloud->n, cloud->d),
                              row};
    qsort(out, (size_t)count, sizeof *out, compare);
    return count;
}
