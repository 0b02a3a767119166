/* correlation.c: the canonical correlation; see correlation.h. */
#include "core/residual/correlation.h"
#include "core/metric/euclidean.h"
#include "core/util/parallel_for.h"

#include <math.h>

enum { FEW = 64 }; /* points whose covariances are taken together */

struct ct_covariance_shape ct_covariance_shape(enum ct_covariance kind)
{
    static const struct ct_covariance_shape shapes[] = {
        [CT_RBF] = {0.5, 0, 0, 1},
        [CT_EXPONENTIAL] = {1, 0, 0, 0},
        [CT_MATERN32] = {1.7320508075688772, 1, 0, 0},
        [CT_MATERN52] = {2.23606797749979, 1, 1.0 / 3, 0},
    };
    return shapes[kind];
}

void ct_covariance_fill(const struct ct_correlation_kernels *dots, enum ct_covariance kind,
                        double variance, const double *z, int n, int d, const double *q, double *to)
{
    const struct ct_covariance_shape shape = ct_covariance_shape(kind);
    for (int i = 0; i < n; i++)
        to[i] = ct_sqdist(z + i, (size_t)n, q, 1, d);
    dots->covariance(&shape, variance, n, to);
}

struct crossing {
    const struct ct_correlation_kernels *dots;
    enum ct_covariance kind;
    double variance;
    const double *u, *z;
    int m, n, d;
    size_t stride;
    double *at; /* [threads * d] */
    double *to;
};

static void cross_block(void *data, int block, int thread)
{
    const struct crossing *c = data;
    double *q = c->at + (size_t)thread * c->d;
    for (int i = block * FEW; i < c->n && i - block * FEW < FEW; i++) {
        double *to = c->to + (size_t)i * c->stride;
        for (int j = 0; j < c->d; j++)
            q[j] = c->z[i + (size_t)j * c->n];
        ct_covariance_fill(c->dots, c->kind, c->variance, c->u, c->m, c->d, q, to);
        for (size_t r = (size_t)c->m; r < c->stride; r++)
            to[r] = 0;
    }
}

void ct_covariance_cross(const struct ct_host *host, const struct ct_correlation_kernels *dots,
                         enum ct_covariance kind, double variance, const double *u, int m,
                         const double *z, int n, int d, size_t stride, int threads, double *to)
{
    double *at = host->alloc((size_t)threads * d, sizeof *at);
    struct crossing crossing = {dots, kind, variance, u, z, m, n, d, stride, at, to};
    ct_parallel_for(host, n / FEW + 1, threads, cross_block, &crossing);
}

static void rho_of_few(const struct ct_correlation_kernels *dots,
                       const struct ct_residual_metric *residual, const struct ct_factors *from,
                       int query, const int *pos, int count, double *rho)
{
    const struct ct_factors *points = &residual->points;
    const struct ct_covariance_shape shape = ct_covariance_shape(residual->kind);
    size_t n = (size_t)points->n, stride = ct_v_stride(residual->m);
    const double *v = from->v + query * stride;
    double k[FEW], root = sqrt(from->p[query]);
    for (int i = 0; i < count; i++)
        k[i] = ct_sqdist(points->z + pos[i], n, from->z + query, (size_t)from->n, residual->d);
    dots->covariance(&shape, residual->variance, count, k);
    for (int i = 0; i < count; i++) {
        double scale = root * sqrt(points->p[pos[i]]), rest = k[i];
        if (stride > 0)
            rest -= dots->dot(v, points->v + pos[i] * stride, stride);
        rho[i] = ct_cov_to_rho(rest, scale);
    }
}

void ct_residual_rho(const struct ct_correlation_kernels *dots,
                     const struct ct_residual_metric *residual, const struct ct_factors *from,
                     int query, const int *pos, int count, double *rho)
{
    for (int i = 0; i < count; i += FEW)
        rho_of_few(dots, residual, from, query, pos + i, count - i < FEW ? count - i : FEW,
                   rho + i);
}

void ct_residual_sqdist(const struct ct_correlation_kernels *dots,
                        const struct ct_residual_metric *residual, const struct ct_factors *from,
                        int query, const int *pos, int count, double *sq)
{
    ct_residual_rho(dots, residual, from, query, pos, count, sq);
    for (int i = 0; i < count; i++)
        sq[i] = 1 - fabs(sq[i]);
}
