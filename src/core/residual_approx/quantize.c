/* quantize.c: see quantize.h. */
#include "core/residual_approx/quantize.h"
#include "core/residual/correlation.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum { BLOCK_VECTORS = 256 }; /* vectors of a block of the parallel loop */

double ct_quantization_unit(const double *v, int m, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++) {
        double sq = 0;
        for (int j = 0; j < m; j++)
            sq += v[i * ct_v_stride(m) + j] * v[i * ct_v_stride(m) + j];
        most = sq > most || !(sq < INFINITY) ? sq : most;
    }
    return most > 0 ? sqrt(most) / CT_QUANTIZED_MAX_NORM : 1;
}

/* The arguments of ct_quantize(), for the parallel loop. */
struct quantize_task {
    const double *v;
    const int *row;
    int m, n;
    double unit;
    int16_t *to;
};

/* Rounds half up: the conversion to int truncates towards zero, and the offset of 2^15
 * makes every number positive first. */
void ct_quantize_vector(const double *v, int m, double unit, int16_t *to)
{
    size_t stride = ct_v_stride(m), to_stride = ct_quantized_stride(m);
    const double units = 1 / unit, offset = 1 << 15;
    for (size_t j = 0; j < to_stride; j++)
        to[j] = j < stride ? (int16_t)((int)(v[j] * units + offset + 0.5) - (int)offset) : 0;
}

/* Quantizes the vectors of one block of parallel work. */
static void quantize_block(void *data, int block, int thread)
{
    const struct quantize_task *task = data;
    size_t stride = ct_v_stride(task->m), to_stride = ct_quantized_stride(task->m);
    int begin = block * BLOCK_VECTORS;
    for (int i = begin; i < task->n && i - begin < BLOCK_VECTORS; i++)
        ct_quantize_vector(task->v + (task->row ? task->row[i] - 1 : i) * stride, task->m,
                           task->unit, task->to + i * to_stride);
    (void)thread;
}

void ct_quantize(const struct ct_host *host, const double *v, int m, const int *row, int n,
                 double unit, int threads, int16_t *to)
{
    struct quantize_task task = {v, row, m, n, unit, to};
    ct_parallel_for(host, n / BLOCK_VECTORS + 1, threads, quantize_block, &task);
}
