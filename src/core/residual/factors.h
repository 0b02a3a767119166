/* factors.h: computes the factors v and p of points, from the covariances with inducing points.
 *
 * For correlation.h, which defines both: v = L^-1 k(u, x) and p = k(x, x) - |v|^2, where L is the
 * Cholesky factor of the covariance matrix of the inducing points u. Used when a tree gets its
 * metric, and for the points of a query. Most of the time goes into the triangular systems. The
 * bits are the same in every instruction set and with any number of threads.
 */
#ifndef COVERTREE_RESIDUAL_FACTORS_H
#define COVERTREE_RESIDUAL_FACTORS_H

#include "core/residual/correlation.h"

/* Inducing points and the covariance function. */
struct ct_inducing {
    enum ct_covariance kind;
    double variance; /* > 0 */
    const double *u; /* [m x d, column-major] coordinates over length scales */
    int m, d;
};

/* Writes the Cholesky factor of the covariance matrix of the inducing points, with `jitter` added
 * to the diagonal, to factor [m x m, column-major], with zeros above the diagonal. Returns 0; or
 * the order of the first leading minor that is not positive: then there is no factor. m^3 / 6
 * multiply-adds; polls the host. Allocates about m^2 / 2 doubles. */
int ct_inducing_factor(const struct ct_host *host, enum ct_simd_level level,
                       const struct ct_inducing *inducing, double jitter, int threads,
                       double *factor);

/* Computes v [n x ct_v_stride(m), row-major], padded with zeros, and p [n] of the points z [n x d,
 * column-major], from the result of ct_inducing_factor(). p is below 0 where rounding makes
 * it so. n m^2 / 2 multiply-adds, in parallel; polls the host. Allocates about m^2 / 2 doubles, and
 * for each thread 512 m bytes, or 128 m for many inducing points. */
void ct_residual_factors(const struct ct_host *host, enum ct_simd_level level,
                         const struct ct_inducing *inducing, const double *factor, const double *z,
                         int n, int threads, double *v, double *p);

#endif
