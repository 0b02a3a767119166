/* pivots.c: see pivots.h.
 *
 * A bound is the largest difference of all pivots, less one margin for the rounding errors of any
 * difference (pivots->margin). A margin for each difference would be smaller by
 * less than the margin itself, but would take half of the time. The maximum is compared with the
 * limit after each BLOCK of differences: a few blocks exclude most of the pairs that can be
 * excluded.
 */
#include "core/metric_space/pivots.h"

#include <math.h>

enum { BLOCK = 8 }; /* pivots per block, which has no branch: two for each of the four maxima */

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

/* Returns the largest of four numbers. */
static double largest_of(const double most[4])
{
    return larger(larger(most[0], most[1]), larger(most[2], most[3]));
}

/* Four maxima at a time, each of every fourth difference: compilers turn the lanes into vectors. */
double ct_pivot_bound(const struct ct_pivots *pivots, const double *a, const double *b,
                      double enough)
{
    double limit = enough + pivots->margin, most[4] = {0, 0, 0, 0};
    int j = 0;
    for (; j + BLOCK <= pivots->count; j += BLOCK) {
        for (int i = 0; i < 4; i++)
            most[i] = larger(larger(fabs(a[j + i] - b[j + i]), fabs(a[j + i + 4] - b[j + i + 4])),
                             most[i]);
        if (largest_of(most) > limit)
            return INFINITY;
    }
    for (; j < pivots->count; j++)
        most[0] = larger(fabs(a[j] - b[j]), most[0]);
    return larger(largest_of(most) - pivots->margin, 0);
}

/* The distance of a value from a range; at most 0 for a value in the range. */
static double gap(double value, double lower, double upper)
{
    return larger(lower - value, value - upper);
}

double ct_range_bound(const struct ct_pivots *pivots, const double *a, const double *lower,
                      const double *upper, double enough)
{
    double limit = enough + pivots->margin, most[4] = {0, 0, 0, 0};
    int j = 0;
    for (; j + BLOCK <= pivots->count; j += BLOCK) {
        for (int i = j; i < j + 4; i++)
            most[i - j] = larger(
                larger(gap(a[i], lower[i], upper[i]), gap(a[i + 4], lower[i + 4], upper[i + 4])),
                most[i - j]);
        if (largest_of(most) > limit)
            return INFINITY;
    }
    for (; j < pivots->count; j++)
        most[0] = larger(gap(a[j], lower[j], upper[j]), most[0]);
    return larger(largest_of(most) - pivots->margin, 0);
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
