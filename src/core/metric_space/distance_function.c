/* distance_function.c: see distance_function.h. */
#include "core/metric_space/distance_function.h"

struct ct_distance_batch ct_distance_batch_new(const struct ct_host *host, int n)
{
    struct ct_distance_batch batch = {.pos = host->alloc((size_t)n, sizeof *batch.pos),
                                      .row = host->alloc((size_t)n, sizeof *batch.row),
                                      .distance = host->alloc((size_t)n, sizeof *batch.distance)};
    return batch;
}

void ct_evaluate(struct ct_distance_function *f, int from, const int *row, int count,
                 double *distance)
{
    if (count == 0)
        return;
    f->evaluate(f->data, from, row, count, distance);
    f->evaluations += count;
    f->calls++;
}
