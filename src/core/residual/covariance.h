/* covariance.h: the covariance functions of the Gaussian process.
 *
 * Covariances of points whose coordinates are divided by length scales, so one formula in the
 * Euclidean distance serves each function. Used to fill the matrices behind the factors of
 * correlation.h and, pair by pair, by residual correlations. Every value is canonical: the same
 * bits in every instruction set. A covariance costs about d + 25 operations, vectorized over
 * points.
 */
#ifndef COVERTREE_RESIDUAL_COVARIANCE_H
#define COVERTREE_RESIDUAL_COVARIANCE_H

#include "core/host.h"
#include "core/simd/correlation.h"

/* Times the variance, at distance r:
 *   CT_RBF          exp(-r^2 / 2)
 *   CT_EXPONENTIAL  exp(-r)
 *   CT_MATERN32     (1 + a) exp(-a),            a = sqrt(3) r
 *   CT_MATERN52     (1 + a + a^2 / 3) exp(-a),  a = sqrt(5) r */
enum ct_covariance { CT_RBF, CT_EXPONENTIAL, CT_MATERN32, CT_MATERN52 };

/* The coefficients of a covariance function, as kernels take them. Constant time. */
struct ct_covariance_shape ct_covariance_shape(enum ct_covariance kind);

/* to[i] = covariance of q [d] and point i of z [n x d, column-major], i < n. */
void ct_covariance_fill(const struct ct_correlation_kernels *kernels, enum ct_covariance kind,
                        double variance, const double *z, int n, int d, const double *q,
                        double *to);

/* The covariances of n points z [n x d, column-major] and m points u [m x d, column-major]:
 * to [n x stride, row-major], stride >= m, with zeros in columns m to stride - 1. In parallel;
 * polls the host. Allocates threads * d doubles. */
void ct_covariance_cross(const struct ct_host *host, const struct ct_correlation_kernels *kernels,
                         enum ct_covariance kind, double variance, const double *u, int m,
                         const double *z, int n, int d, size_t stride, int threads, double *to);

#endif
