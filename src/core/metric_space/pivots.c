/* pivots.c: see pivots.h.
 *
 * A bound takes two steps. First the differences are compared, BLOCK at a time, with the limit plus
 * a margin for the rounding errors of any difference (pivots->margin); the first block beyond the
 * limit ends the loop. Only pairs that pass all blocks get the bound itself, with an error term for
 * each pivot.
 */
#include "core/metric_space/pivots.h"

#include <math.h>

enum { BLOCK = 8 }; /* pivots that are compared without a branch */

/* Returns the larger of two numbers. In contrast to fmax(), compilers make one instruction of it.
 */
static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* A difference |a - b| of distances of at most `largest` and `most` has an error of at most
 * 2 * tolerance * (a + b); see ct_lower_bound(). */
void ct_set_margin(struct ct_pivots *pivots, const double *own, double most)
{
    double largest = 0;
    for (int j = 0; j < pivots->count; j++)
        largest = larger(own[j], largest);
    pivots->margin = 2 * pivots->tolerance * (largest + most);
}

/* Whether a difference of a block exceeds the limit. Written for compilers that turn lanes into
 * vectors. */
static int block_exceeds(const double *a, const double *b, double limit)
{
    double most[4];
    for (int i = 0; i < 4; i++)
        most[i] = larger(fabs(a[i] - b[i]), fabs(a[i + 4] - b[i + 4]));
    return larger(larger(most[0], most[1]), larger(most[2], most[3])) > limit;
}

/* The largest of the lower bounds. Four maxima at a time: each waits for the one before. */
static double largest_bound(const struct ct_pivots *pivots, const double *a, const double *b)
{
    double most[4] = {0, 0, 0, 0};
    int j = 0;
    for (; j + 4 <= pivots->count; j += 4)
        for (int i = 0; i < 4; i++) {
            double bound = ct_lower_bound(a[j + i], b[j + i], pivots->tolerance);
            most[i] = larger(bound, most[i]);
        }
    for (; j < pivots->count; j++) {
        double bound = ct_lower_bound(a[j], b[j], pivots->tolerance);
        most[0] = larger(bound, most[0]);
    }
    return larger(larger(most[0], most[1]), larger(most[2], most[3]));
}

double ct_pivot_bound(const struct ct_pivots *pivots, const double *a, const double *b,
                      double enough)
{
    double limit = enough + pivots->margin;
    for (int j = 0; j + BLOCK <= pivots->count; j += BLOCK)
        if (block_exceeds(a + j, b + j, limit))
            return INFINITY;
    return largest_bound(pivots, a, b);
}

/* The same for ranges: whether one of BLOCK values is outside of its range by more than the limit.
 */
static int block_outside(const double *a, const double *lower, const double *upper, double limit)
{
    double most[4];
    for (int i = 0; i < 4; i++)
        most[i] = larger(larger(lower[i] - a[i], a[i] - upper[i]),
                         larger(lower[i + 4] - a[i + 4], a[i + 4] - upper[i + 4]));
    return larger(larger(most[0], most[1]), larger(most[2], most[3])) > limit;
}

double ct_range_bound(const struct ct_pivots *pivots, const double *a, const double *lower,
                      const double *upper, double enough)
{
    double limit = enough + pivots->margin, most = 0;
    for (int j = 0; j + BLOCK <= pivots->count; j += BLOCK)
        if (block_outside(a + j, lower + j, upper + j, limit))
            return INFINITY;
    for (int j = 0; j < pivots->count; j++) {
        double end = a[j] < lower[j] ? lower[j] : a[j] > upper[j] ? upper[j] : a[j];
        double bound = ct_lower_bound(a[j], end, pivots->tolerance);
        most = larger(bound, most);
    }
    return most;
}

/* Stores the distances of all objects to pivot j, and lowers `least`, the distance of each object
 * to the nearest pivot. Returns the object that is farthest from the pivots. */
static int measure_pivot(struct ct_distance_function *f, int n, int pivot, int j, int stride,
                         double *distance, double *least, int *rows, double *answer)
{
    int count = 0, far = 0;
    for (int i = 0; i < n; i++)
        if (i != pivot)
            rows[count++] = i + 1;
    ct_evaluate(f, pivot + 1, rows, count, answer);
    for (int i = 0; i < n; i++) {
        double d = i == pivot ? 0 : answer[i - (i > pivot)];
        distance[(size_t)i * (size_t)stride + (size_t)j] = d;
        least[i] = d < least[i] ? d : least[i];
        if (least[i] > least[far])
            far = i;
    }
    return far;
}

struct ct_pivots ct_choose_pivots(const struct ct_host *host, struct ct_distance_function *f, int n,
                                  int count)
{
    int stride = count < n ? count : n, chosen = 0, far = 0;
    int *object = host->alloc((size_t)stride, sizeof *object);
    int *number = host->alloc((size_t)n, sizeof *number);
    int *rows = host->alloc((size_t)n, sizeof *rows);
    double *distance = host->alloc((size_t)n * (size_t)stride, sizeof *distance);
    double *least = host->alloc((size_t)n, sizeof *least);
    double *answer = host->alloc((size_t)n, sizeof *answer);
    for (int i = 0; i < n; i++) {
        number[i] = -1;
        least[i] = INFINITY;
    }
    do {
        object[chosen] = far;
        number[far] = chosen;
        far = measure_pivot(f, n, far, chosen, stride, distance, least, rows, answer);
        chosen++;
        host->poll();
    } while (chosen < stride && least[far] > 0);
    return (struct ct_pivots){.count = chosen,
                              .stride = stride,
                              .tolerance = f->tolerance,
                              .object = object,
                              .number = number,
                              .distance = distance};
}
