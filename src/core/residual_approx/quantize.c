/* quantize.c: see quantize.h. */
#include "core/residual_approx/quantize.h"
#include "core/residual/correlation.h"
#include "core/util/parallel_for.h"

#include <math.h>

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

enum { TOGETHER = 256 }; /* vectors to a block of work */

struct coarsening {
    const double *v;
    const int *row;
    int m, n;
    double unit;
    int16_t *to;
};

void ct_quantize_vector(const double *v, int m, double unit, int16_t *to)
{
    size_t stride = ct_v_stride(m), to_stride = ct_quantized_stride(m);
    const double units = 1 / unit, up = 1 << 15; /* to cut towards zero is then to round */
    for (size_t j = 0; j < to_stride; j++)
        to[j] = j < stride ? (int16_t)((int)(v[j] * units + up + 0.5) - (int)up) : 0;
}

static void coarsen_block(void *data, int block, int thread)
{
    const struct coarsening *c = data;
    for (int i = block * TOGETHER; i < c->n && i - block * TOGETHER < TOGETHER; i++)
        ct_quantize_vector(c->v + (c->row ? c->row[i] - 1 : i) * ct_v_stride(c->m), c->m, c->unit,
                           c->to + i * ct_quantized_stride(c->m));
    (void)thread;
}

void ct_quantize(const struct ct_host *host, const double *v, int m, const int *row, int n,
                 double unit, int threads, int16_t *to)
{
    struct coarsening coarsening = {v, row, m, n, unit, to};
    ct_parallel_for(host, n / TOGETHER + 1, threads, coarsen_block, &coarsening);
}
