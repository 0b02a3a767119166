/* ct_coarse.c: see ct_coarse.h. */
#include "ct_coarse.h"
#include "ct_parallel.h"
#include "ct_residual.h"

#include <math.h>

double ct_coarse_unit(const double *v, int m, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++) {
        double sq = 0;
        for (int j = 0; j < m; j++)
            sq += v[i * ct_v_stride(m) + j] * v[i * ct_v_stride(m) + j];
        most = sq > most || !(sq < INFINITY) ? sq : most;
    }
    return most > 0 ? sqrt(most) / CT_COARSE_LENGTH : 1;
}

void ct_coarsen(const double *v, int m, const int *row, int n, double unit, int threads,
                int16_t *to)
{
    size_t stride = ct_v_stride(m), to_stride = ct_coarse_stride(m);
    const double units = 1 / unit, up = 1 << 15; /* to cut towards zero is then to round */
    CT_PRAGMA(omp parallel for if (threads > 1) num_threads(threads) schedule(static))
    for (int i = 0; i < n; i++) {
        const double *from = v + (row ? row[i] - 1 : i) * stride;
        for (size_t j = 0; j < to_stride; j++)
            to[i * to_stride + j] =
                j < stride ? (int16_t)((int)(from[j] * units + up + 0.5) - (int)up) : 0;
    }
    (void)threads;
}
