/* correlation.h: the canonical residual correlation of two points, and their distance.
 *
 * Defines the distance of both residual searches. Let k be the covariance function of a Gaussian
 * process, L L' = K_mm the covariance matrix of m inducing points, and V = K_xm L^-T, with the
 * rows v_x. Given the process at the inducing points, its values at x and y have the correlation
 *
 *   rho(x, y) = (k(x, y) - v_x . v_y) / sqrt(p_x p_y),   or 0 if p_x or p_y is 0,
 *
 * clamped to [-1, 1], where p_x = k(x, x) - |v_x|^2, plus a nugget if the caller adds one, is the
 * residual variance. The caller sets p to 0 at inducing points and where p may be rounding error
 * alone. The distance is sqrt(1 - |rho|), never NaN; searches compare its square.
 *
 * A pair costs m multiply-adds, d + 25 operations for k and the reading of both v. Values are
 * canonical: the same bits in every instruction set, and for (x, y) and (y, x).
 */
#ifndef COVERTREE_RESIDUAL_CORRELATION_H
#define COVERTREE_RESIDUAL_CORRELATION_H

#include "core/residual/covariance.h"

/* n points and their factors; all values are finite. */
struct ct_factors {
    int n;
    const double *z; /* [n x d, column-major] coordinates over length scales */
    const double *v; /* [n x ct_v_stride(m), row-major] rows of V, padded with zeros */
    const double *p; /* [n] residual variances, >= 0 */
};

/* The residual correlation of a process, and the points that a search looks for. */
struct ct_residual_metric {
    enum ct_covariance kind;
    double variance; /* > 0 */
    int d;           /* coordinates of a point */
    int m;           /* inducing points; 0: the residual is the process itself */
    struct ct_factors points;
};

/* Values from one row of V to the next: m rounded up to a multiple of CT_V_LANES. */
static inline size_t ct_v_stride(int m)
{
    return ((size_t)m + CT_V_LANES - 1) / CT_V_LANES * CT_V_LANES;
}

/* rho[i] = correlation of point `query` of `from` and point pos[i] of metric->points, i < count. */
void ct_residual_rho(const struct ct_correlation_kernels *kernels,
                     const struct ct_residual_metric *metric, const struct ct_factors *from,
                     int query, const int *pos, int count, double *rho);

/* The same for a covariance function of the host: rho[i] is the covariance of the pair at first.
 * metric->kind and metric->variance are not used. */
void ct_residual_rho_of_covariance(const struct ct_correlation_kernels *kernels,
                                   const struct ct_residual_metric *metric,
                                   const struct ct_factors *from, int query, const int *pos,
                                   int count, double *rho);

/* The same, as squared distances: sq[i] = 1 - |rho[i]|. */
void ct_residual_sqdist(const struct ct_correlation_kernels *kernels,
                        const struct ct_residual_metric *metric, const struct ct_factors *from,
                        int query, const int *pos, int count, double *sq);

/* Correlation from a residual covariance k(x, y) - v_x . v_y and scale = sqrt(p_x) sqrt(p_y). */
static inline double ct_cov_to_rho(double covariance, double scale)
{
    double rho = scale > 0 ? covariance / scale : 0;
    rho = rho < 1 ? rho : 1;
    return rho > -1 ? rho : -1;
}

#endif
