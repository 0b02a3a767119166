/* distance_function.c: see distance_function.h. */
#include "core/metric_space/distance_function.h"

void ct_evaluate(struct ct_distance_function *f, int from, const int *row, int count,
                 double *distance)
{
    if (count == 0)
        return;
    f->evaluate(f->data, from, row, count, distance);
    f->evaluations += count;
    f->calls++;
}
