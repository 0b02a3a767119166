/* correlation.h: correlations of what a low-rank part leaves of a Gaussian process.
 *
 * With covariance k and V = K_xm L^-T over m inducing points, L L' = K_mm, what
 * the inducing points do not explain of x and y is correlated by
 *
 *   rho(x, y) = (k(x, y) - v_x . v_y) / sqrt(p_x p_y),   0 where p_x or p_y is 0,
 *
 * with p_x = k(x, x) - |v_x|^2, plus a nugget perhaps; whoever computes p sets it
 * to 0 where only rounding is left. The distance is sqrt(1 - |rho|), |rho| being
 * at most 1: never NaN. Its square stands for it wherever squares are compared.
 */
#ifndef COVERTREE_RESIDUAL_CORRELATION_H
#define COVERTREE_RESIDUAL_CORRELATION_H

#include "core/host.h"
#include "core/simd/correlation.h"

/* Of Euclidean distance r between coordinates that are divided by length scales:
 * exp(-r^2 / 2), exp(-r), (1 + a) exp(-a) with a = sqrt(3) r, and
 * (1 + a + a^2 / 3) exp(-a) with a = sqrt(5) r, times the variance. */
enum ct_covariance { CT_RBF, CT_EXPONENTIAL, CT_MATERN32, CT_MATERN52 };

/* Points, and what is known of them. All numbers are finite. */
struct ct_factors {
    int n;
    const double *z; /* [n * d] by column */
    const double *v; /* [n * ct_v_stride(m)] point after point, zeros at the end of each */
    const double *p; /* [n] */
};

struct ct_residual_metric {
    enum ct_covariance kind;
    double variance; /* above 0 */
    int d, m;        /* m: inducing points, or 0 */
    struct ct_factors points;
};

/* From one point's v to the next. */
static inline size_t ct_v_stride(int m)
{
    return ((size_t)m + CT_V_LANES - 1) / CT_V_LANES * CT_V_LANES;
}

struct ct_covariance_shape ct_covariance_shape(enum ct_covariance kind);

/* to[i] = covariance of q and point i of n, whose coordinates z are by column. */
void ct_covariance_fill(const struct ct_correlation_kernels *dots, enum ct_covariance kind,
                        double variance, const double *z, int n, int d, const double *q,
                        double *to);

/* The covariances of each of n points z with the m points u: [n * stride], point after
 * point, with zeros after m. */
void ct_covariance_cross(const struct ct_host *host, const struct ct_correlation_kernels *dots,
                         enum ct_covariance kind, double variance, const double *u, int m,
                         const double *z, int n, int d, size_t stride, int threads, double *to);

/* rho[i] = correlation, in [-1, 1], of point number `query` of `from` and point
 * pos[i], of count, of the residual's: canonical, and the same if they change
 * places. */
void ct_residual_rho(const struct ct_correlation_kernels *dots,
                     const struct ct_residual_metric *residual, const struct ct_factors *from,
                     int query, const int *pos, int count, double *rho);

/* The squares of the distances that follow from them. */
void ct_residual_sqdist(const struct ct_correlation_kernels *dots,
                        const struct ct_residual_metric *residual, const struct ct_factors *from,
                        int query, const int *pos, int count, double *sq);

/* The correlation that a covariance of residuals is; scale: the roots of both variances,
 * multiplied. None without a variance, and at most 1. */
static inline double ct_cov_to_rho(double rest, double scale)
{
    double rho = scale > 0 ? rest / scale : 0;
    rho = rho < 1 ? rho : 1;
    return rho > -1 ? rho : -1;
}

/* CT_PRECISION_AUTO sifts in float where the margins for rounding are small. */
enum ct_precision { CT_PRECISION_AUTO, CT_PRECISION_F64, CT_PRECISION_F32 };

/* Pairs of a query and a point. */
struct ct_residual_stats {
    long long coarse, fine; /* that were sifted in float, in double */
    long long exact;        /* whose canonical correlation was taken */
};

/* The queries of a call: points from elsewhere, or the residual's own: some of
 * them, or all; they never find themselves. */
struct ct_exact_batch {
    const struct ct_residual_metric *residual;
    const struct ct_factors *foreign; /* or NULL: its own points, */
    const int *row;                   /* [count] these of them, from 1; or NULL: all */
    int count;                        /* queries */
    int predecessors;                 /* own points find only those of smaller rows */
    int threads;
    enum ct_precision precision;
    const struct ct_kernels *kernels;
    const struct ct_correlation_kernels *dots;
    int rest; /* numbers of turned v that only pairs meet which the leading ones let
               * through, at most; 0: as measured; -1: none */
    struct ct_residual_stats *tally; /* NULL, or where to add up what was done */
};

/* The k nearest neighbours of each query by (distance, row): index and distance
 * are [count * k] by column; where there are fewer than k, CT_NO_ROW and `missing`
 * fill the rest. Takes n * m floats or doubles, or both, of memory. */
void ct_exact_search(const struct ct_host *host, const struct ct_exact_batch *batch, int k,
                     double missing, int *index, double *distance);

#endif
