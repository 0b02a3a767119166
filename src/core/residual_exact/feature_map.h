/* feature_map.h: Nystrom features of the residual process, with proven error bounds.
 *
 * The feature vector f_x [rank] of a point is the normalized residual function of the point,
 * projected on a subspace of the span of the landmarks' residual functions. A dot product f_x . f_y
 * approximates the residual correlation, and both norms bound the error. For smooth covariance
 * functions a few hundred components bound all but the nearest points away. Unlike
 * k(x, y) - v_x . v_y, the dot product has no cancellation: float is precise enough for it.
 *
 * A map costs about landmarks^2 * (m + 4 rank) multiply-adds. A feature vector costs
 * rank * (landmarks + m) + m^2 / 2 multiply-adds, and landmarks + m covariances.
 *
 * The bounds. e = 2^-53, s2 is the variance; K is the exact covariance of the stored coordinates,
 * k_u(x) that of x and the inducing points, L the stored Cholesky factor, M = L L'. The analysis
 * uses v as stored, whatever its errors, and one property of V only: the residual
 * res_x = k_u(x) - L v_x, which is computed for every point.
 *
 * 1. J = M - K_uu has eigenvalues of at least lambda = jitter - |M - K_uu - jitter I| (Frobenius
 *    norm, as computed, plus its rounding). With lambda > 0, M >= K_uu, so
 *    R*(x, y) = k(x, y) - k_u(x)' M^-1 k_u(y) is a positive semidefinite function. Let
 *    a_x^2 = R*(x, x) / p_x and rho*(x, y) = R*(x, y) / sqrt(p_x p_y): the Gram matrix of vectors
 *    psi_x of a Hilbert space, of norms a_x.
 * 2. Let w_x = M^-1 k_u(x). R* of the inducing points and x is J w_x, and that of the inducing
 *    points is J - J M^-1 J <= J. Since R* is semidefinite, so is [J, J w; w' J, R*(x, x)]:
 *    w' J w <= R*(x, x), hence |w_x| <= a_x sqrt(p_x / lambda).
 * 3. v_x = L^-1 (k_u(x) - res_x), so k - v_x . v_y = R* + res_x . w_y + w_x . res_y
 *    - res_x' M^-1 res_y, and M >= lambda I. With r_x = |res_x| / sqrt(lambda p_x), the
 *    correlation rho of the stored v differs from rho* by at most r_x a_y + r_y a_x + r_x r_y.
 *    For x = y: (a_x - r_x)^2 <= (s2 - |v_x|^2) / p_x + 2 r_x^2, a bound of a_x.
 * 4. Let F = (W_ic) be any matrix with |W rho*_cc W'| <= 1 for the landmarks c. Then
 *    f_x = sum over c of W_ic rho*(c, x) is the image of psi_x under a linear map of norm at most
 * 1, so rho*(x, y) - f_x . f_y is positive semidefinite, and by Cauchy and Schwarz
 *
 *      |rho*(x, y) - f_x . f_y| <= sqrt(a_x^2 - |f_x|^2) sqrt(a_y^2 - |f_y|^2).
 *
 *    The same holds for the leading components alone. W need not be accurate in any sense: it is
 *    what the program holds in memory. Its norm condition is checked after the fact: |W C W'|, with
 *    C the computed correlations of the landmarks, is at most 1 + |W C W' - I| (Frobenius norm;
 *    rows of W may be 0, and so are their elements of I);
 *    the difference of C and rho*_cc (step 3, and canonical rounding) adds |W|^2 times its
 *    Frobenius norm. W is divided by the root of the sum.
 * 5. The computed g_x = f_x + error, where |error| <= omega_x has three parts: W times the
 *    difference of k - v_c . v_x and R*(c, x), by step 3; rounding of covariances, and of sums with
 *    at most b + c + 12 roundings each, of terms whose absolute sums are at most
 *    |W'| sqrt(landmarks) / sqrt(p_x), where W'_ic = W_ic / sqrt(p_c); and rounding to float.
 * 6. Together, |rho(x, y) - g_x . g_y| is at most
 *
 *      remainder_x remainder_y + error_x + error_y,
 *      remainder_x^2 = a_x^2 - (|g_x| - omega_x)^2,
 *      error_x = 1.06 (r_x + omega_x) + canonical / (2 p_x),
 *
 *    for the canonical rho, if a <= 1.05 and error <= 0.01 for both points. `canonical` bounds the
 *    rounding of the canonical covariance, and 1 / sqrt(p_x p_y) is at most the mean of 1 / p_x and
 *    1 / p_y. Points beyond these limits are unbounded: their g is 0, and their remainder so large
 *    that every pair passes.
 *
 * Small residual variances do not amplify r_x beyond |res_x| / sqrt(lambda p_x). Constants in the
 * program exceed those of the analysis, and so cover terms of second order.
 */
#ifndef COVERTREE_RESIDUAL_EXACT_FEATURE_MAP_H
#define COVERTREE_RESIDUAL_EXACT_FEATURE_MAP_H

#include "core/residual_exact/error_bound.h"
#include "core/residual_exact/exact_batch.h"
#include "core/residual_exact/panel.h"

struct ct_feature_map {
    int rank; /* components of a feature vector: a multiple of 32; 0: there is no map */
    int landmarks;
    const struct ct_residual_metric *metric;
    const struct ct_factor_origin *origin;
    const struct ct_correlation_kernels *kernels;
    double *z;                     /* [landmarks x d, column-major] coordinates */
    struct ct_panel landmark_map;  /* [landmarks x rank] W' */
    struct ct_panel inducing_map;  /* [m x rank] W' V of the landmarks */
    struct ct_panel factor;        /* [m x m] column i: row i of the Cholesky factor */
    double lambda;                 /* see above; over the variance */
    double factor_norm;            /* Frobenius norm of the factor, over the root of the variance */
    double norm;                   /* bound of |W| */
    double landmark_r, landmark_a; /* roots of the sums of r_c^2 and a_c^2 over the landmarks */
    double error;                  /* bound of |C - rho*_cc| (Frobenius norm) */
    double rounding; /* second part of omega_x, times the root of p over the variance */
};

/* Feature vectors of points and their bounds, in some order of the points. */
struct ct_features {
    int count, rank;
    float *value;    /* [count x rank, row-major] g */
    double *length;  /* [count] a bound of a_x; 0 without residual variance */
    double *r;       /* [count] bounds of r_x */
    double *omega;   /* [count] bounds of |g_x - f_x| */
    double *error;   /* [count] error_x; 0 where the point is unbounded */
    char *unbounded; /* [count] 1: no bound holds */
};

/* The map for the points of the batch's metric, from about `landmarks` of the points in `order`
 * [n], evenly spaced; rank < landmarks. Returns rank 0 if the bounds are of no use, or
 * the batch does not tell the origin of v. Polls the host. */
struct ct_feature_map ct_feature_map_make(const struct ct_host *host,
                                          const struct ct_exact_batch *batch,
                                          const struct ct_point_norms *norms, const int *order,
                                          int landmarks, int rank);

/* Computes the features of points at pos [count], of which `norms` are known. In parallel; polls
 * the host. Allocates count * (rank + 6) floats, and about 64 (landmarks + 3 m + rank) doubles a
 * thread. */
struct ct_features ct_features_make(const struct ct_host *host, const struct ct_feature_map *map,
                                    const struct ct_factors *points,
                                    const struct ct_point_norms *norms, const int *pos, int count,
                                    int threads);

/* A bound of the norm of psi_x outside the span of the first `leading` components, for point i; a
 * huge value where the point is unbounded. leading * 2 operations. */
double ct_features_remainder(const struct ct_features *features, int i, int leading);

#endif
