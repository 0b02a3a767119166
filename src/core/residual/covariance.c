/* covariance.c: covariances of points; see covariance.h.
 *
 * Squared distances come from the canonical ct_sqdist(), so a covariance has the same bits
 * whether it is computed for a matrix or for a pair.
 */
#include "core/residual/covariance.h"
#include "core/metric/euclidean.h"
#include "core/util/parallel_for.h"

enum { BLOCK_ROWS = 64 }; /* rows of a cross-covariance matrix in one block of parallel work */

/* The constants are sqrt(3) and sqrt(5), rounded to double. */
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

void ct_covariance_fill(const struct ct_correlation_kernels *kernels, enum ct_covariance kind,
                        double variance, const double *z, int n, int d, const double *q, double *to)
{
    const struct ct_covariance_shape shape = ct_covariance_shape(kind);
    for (int i = 0; i < n; i++)
        to[i] = ct_sqdist(z + i, (size_t)n, q, 1, d);
    kernels->covariance(&shape, variance, n, to);
}

/* The arguments of ct_covariance_cross(). */
struct cross_covariance {
    const struct ct_correlation_kernels *kernels;
    enum ct_covariance kind;
    double variance;
    const double *u, *z;
    int m, n, d;
    size_t stride;
    double *point; /* [threads x d, row-major] the point of a row, its coordinates side by side */
    double *to;
};

/* Rows of one block. The zeros after column m let exact dot products run over whole rows. */
static void fill_block_of_rows(void *data, int block, int thread)
{
    const struct cross_covariance *c = data;
    double *q = c->point + (size_t)thread * c->d;
    for (int i = block * BLOCK_ROWS; i < c->n && i - block * BLOCK_ROWS < BLOCK_ROWS; i++) {
        double *to = c->to + (size_t)i * c->stride;
        for (int j = 0; j < c->d; j++)
            q[j] = c->z[i + (size_t)j * c->n];
        ct_covariance_fill(c->kernels, c->kind, c->variance, c->u, c->m, c->d, q, to);
        for (size_t r = (size_t)c->m; r < c->stride; r++)
            to[r] = 0;
    }
}

void ct_covariance_cross(const struct ct_host *host, const struct ct_correlation_kernels *kernels,
                         enum ct_covariance kind, double variance, const double *u, int m,
                         const double *z, int n, int d, size_t stride, int threads, double *to)
{
    double *point = host->alloc((size_t)threads * d, sizeof *point);
    struct cross_covariance cross = {kernels, kind, variance, u, z, m, n, d, stride, point, to};
    ct_parallel_for(host, n / BLOCK_ROWS + 1, threads, fill_block_of_rows, &cross);
}
