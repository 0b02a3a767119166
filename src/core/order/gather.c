/* gather.c: see gather.h. Threads share blocks of points. */
#include "core/order/gather.h"
#include "core/util/parallel_for.h"

enum { BLOCK = 1 << 15 }; /* points */

struct gather_task {
    const double *x;
    int n, d;
    const int *order;
    double *out;
    int *row;
};

static void gather_block(void *data, int block, int thread)
{
    const struct gather_task *task = data;
    int begin = block * BLOCK, end = task->n - begin > BLOCK ? begin + BLOCK : task->n;
    for (int j = 0; j < task->d; j++) {
        const double *from = task->x + (size_t)j * task->n;
        double *to = task->out + (size_t)j * task->n;
        for (int pos = begin; pos < end; pos++)
            to[pos] = from[task->order[pos]];
    }
    for (int pos = begin; pos < end; pos++)
        task->row[pos] = task->order[pos] + 1;
    (void)thread;
}

void ct_gather_points(const struct ct_host *host, const double *x, int n, int d, const int *order,
                      int threads, double *out, int *row)
{
    struct gather_task task = {x, n, d, order, out, row};
    ct_parallel_for(host, n / BLOCK + (n % BLOCK > 0), threads, gather_block, &task);
}
