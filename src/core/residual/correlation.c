/* correlation.c: canonical residual correlations; see correlation.h.
 *
 * All results of both residual searches come from here, whatever their filters computed before.
 * Pairs of one query are computed in batches: the covariance kernel then works on full vectors,
 * and the buffers stay on the stack.
 */
#include "core/residual/correlation.h"
#include "core/metric/euclidean.h"

#include <math.h>

enum { BATCH = 64 }; /* pairs whose covariances one kernel call computes */

/* The order of operations defines the correlation: with both roots multiplied, and the dot product
 * subtracted from the covariance, an exchange of the two points changes no bit. */
void ct_residual_rho_of_covariance(const struct ct_correlation_kernels *kernels,
                                   const struct ct_residual_metric *metric,
                                   const struct ct_factors *from, int query, const int *pos,
                                   int count, double *rho)
{
    const struct ct_factors *points = &metric->points;
    size_t stride = ct_v_stride(metric->m);
    const double *v = from->v + query * stride;
    double root = sqrt(from->p[query]);
    for (int i = 0; i < count; i++) {
        double scale = root * sqrt(points->p[pos[i]]), covariance = rho[i];
        if (stride > 0)
            covariance -= kernels->dot(v, points->v + pos[i] * stride, stride);
        rho[i] = ct_cov_to_rho(covariance, scale);
    }
}

/* ct_residual_rho() for count <= BATCH. */
static void rho_of_batch(const struct ct_correlation_kernels *kernels,
                         const struct ct_residual_metric *metric, const struct ct_factors *from,
                         int query, const int *pos, int count, double *rho)
{
    const struct ct_factors *points = &metric->points;
    const struct ct_covariance_shape shape = ct_covariance_shape(metric->kind);
    size_t n = (size_t)points->n;
    double k[BATCH]; /* squared distances, then covariances */
    for (int i = 0; i < count; i++)
        k[i] = ct_sqdist(points->z + pos[i], n, from->z + query, (size_t)from->n, metric->d);
    kernels->covariance(&shape, metric->variance, count, k);
    for (int i = 0; i < count; i++)
        rho[i] = k[i];
    ct_residual_rho_of_covariance(kernels, metric, from, query, pos, count, rho);
}

void ct_residual_rho(const struct ct_correlation_kernels *kernels,
                     const struct ct_residual_metric *metric, const struct ct_factors *from,
                     int query, const int *pos, int count, double *rho)
{
    for (int i = 0; i < count; i += BATCH)
        rho_of_batch(kernels, metric, from, query, pos + i, count - i < BATCH ? count - i : BATCH,
                     rho + i);
}

/* A subtraction of |rho| from 1 is exact for |rho| >= 0.5, where distances are small. */
void ct_residual_sqdist(const struct ct_correlation_kernels *kernels,
                        const struct ct_residual_metric *metric, const struct ct_factors *from,
                        int query, const int *pos, int count, double *sq)
{
    ct_residual_rho(kernels, metric, from, query, pos, count, sq);
    for (int i = 0; i < count; i++)
        sq[i] = 1 - fabs(sq[i]);
}
