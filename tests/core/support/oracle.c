/* oracle.c: see oracle.h. */
#include "oracle.h"
#include "core/util/float.h"
#include "host.h"

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

int oracle_compare(const void *one, const void *other)
{
    const struct neighbor *a = one, *b = other;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

int oracle_rows(const struct cloud *cloud, const struct cloud *queries, int i, int self,
                struct neighbor *out)
{
    int count = 0;
    for (int row = 1; row <= cloud->n; row++)
        if (row != self)
            out[count++] =
                (struct neighbor){oracle_distance(queries->x + i, (size_t)queries->n,
                                                  cloud->x + row - 1, (size_t)cloud->n, cloud->d),
                                  row};
    qsort(out, (size_t)count, sizeof *out, oracle_compare);
    return count;
}

static double square(const struct cloud *cloud, int i, const double *q, int apart)
{
    double sum = 0;
    for (int j = 0; j < cloud->d; j++) {
        double gap = cloud->x[i + (size_t)j * cloud->n] - q[(size_t)j * apart];
        sum += gap * gap;
    }
    return sum;
}

/* Takes the first row with the best square so far. */
int *oracle_maximin(const struct cloud *cloud, const double *q)
{
    int n = cloud->n, *order = keep((size_t)n, sizeof *order);
    double *sq = keep((size_t)n, sizeof *sq);
    for (int i = 0; i < n; i++)
        sq[i] = -square(cloud, i, q, 1);
    for (int i = 0; i < n; i++) {
        int best = -1;
        for (int row = 0; row < n; row++)
            if (!isnan(sq[row]) && (best < 0 || sq[row] > sq[best]))
                best = row;
        order[i] = best;
        sq[best] = NAN;
        for (int row = 0; row < n; row++) {
            double now = square(cloud, row, cloud->x + best, n);
            sq[row] = i == 0 && row != best ? now : now < sq[row] ? now : sq[row];
        }
    }
    return order;
}
